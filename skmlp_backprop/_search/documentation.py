"""What the docstrings of the searches have in common."""

from functools import partial

from .._estimators.documentation import documented as _documented

PARTS = {
    "evaluation_parameters": """\
    scoring : str, callable, list, tuple, dict or None, default=None
        The score of a candidate; None for the `score` method of the estimator.

    ... n_jobs

    refit : bool, str or callable, default=True
        Whether to refit the best candidate to all of the data. The name of a metric, if
        the search has several, or a callable selects the best candidate.

    cv : int, splitter, iterable or None, default=None
        The folds; None for 5 folds.

    verbose : int, default=0
        1 prints the number of fits, of stacked fits and of processes, 2 also the time
        of each candidate, 3 also its score and fold, and 10 also its index.

    pre_dispatch : int or str, default="2*n_jobs"
        Number of tasks that joblib dispatches at a time.

    error_score : "raise" or float, default=nan
        Score of a candidate whose fit fails; "raise" raises the error instead.

    return_train_score : bool, default=False
        Whether to compute scores on the training rows, too.""",
    "attributes": """\
    cv_results_ : dict of str to ndarray
        Parameters, scores and times of the candidates. The fit time of a candidate is
        an equal share of its stack's time.

    best_estimator_ : estimator
        The best candidate, fitted to all of the data.

    n_stacked_ : int
        Number of fits that were trained in stacks. A fit is of a candidate on a fold.

    n_fits_alone_ : dict of str to int
        Number of the other fits, which were made one by one, for each reason.

    best_params_ : dict
        Parameters of the best candidate.

    best_score_ : float
        Mean score of the best candidate over the folds.

    best_index_ : int
        Index of the best candidate in `cv_results_`.

    scorer_ : callable or dict of str to callable
        The scorer; a dict for several metrics.

    ... folds_and_time

    multimetric_ : bool
        Whether the search has several metrics.

    ... best_candidate""",
    "resources": """\
    factor : int or float, default=3
        A share of 1 / `factor` of the candidates survives a rung, and the next rung has
        `factor` times the resources.

    resource : "max_iter", "n_samples" or str, default="max_iter"
        The resource that grows from rung to rung. "max_iter" is the number of epochs,
        or of iterations of a full-batch solver; for a Pipeline that of the last step.
        "n_samples" is the number of rows. With "n_samples" or the name of another
        parameter, every rung trains all its candidates from the start.

    max_resources : int or "auto", default="auto"
        Largest resources of a candidate. "auto" is the `max_iter` of the estimator, or
        the number of rows.""",
    "rung_parameters": """\
    aggressive_elimination : bool, default=False
        Whether to repeat the first rung's resources while the candidates are too many
        to leave fewer than `factor` of them in the last rung.

    cv : int, splitter or iterable, default=5
        The folds. They must be the same in every rung.

    scoring : str, callable or None, default=None
        The score of a candidate; None for the `score` method of the estimator.

    refit : bool or callable, default=True
        Whether to refit the best candidate of the last rung to all of the data. A
        callable takes `cv_results_` and returns `best_index_`. It should choose among
        the rows with the largest `iter`: the refit has the resources of its row.

    error_score : "raise" or float, default=nan
        Score of a candidate whose fit fails; "raise" raises the error instead.

    return_train_score : bool, default=True
        Whether to compute scores on the training rows, too.""",
    "rung_verbose": """\
    ... n_jobs

    verbose : int, default=0
        1 prints the number of processes, and for each rung the number of candidates,
        the resources and the number of stacked fits; 2 also the time of each candidate,
        and 3 also its score and fold.""",
    "rung_attributes": """\
    n_resources_ : list of int
        Resources of each rung.

    n_candidates_ : list of int
        Number of candidates of each rung.

    n_iterations_ : int
        Number of rungs.

    n_required_iterations_ : int
        Number of rungs needed to leave fewer than `factor` candidates.

    n_possible_iterations_ : int
        Number of rungs that the resources permit.

    n_remaining_candidates_ : int
        Number of candidates that a further rung would have.

    min_resources_ : int
        Resources of the first rung.

    max_resources_ : int
        Largest resources of a candidate.

    cv_results_ : dict of str to ndarray
        Parameters, scores and times of the candidates of all rungs, with the rung in
        `iter` and its resources in `n_resources`. The fit time of a candidate is a
        share of its stack's time in that rung alone. It is 0 if the candidate's
        training had stopped in an earlier rung.

    best_estimator_ : estimator
        The best candidate of the last rung, fitted to all of the data.

    best_params_ : dict
        Parameters of the best candidate, including the resource.

    best_score_ : float
        Mean score of the best candidate over the folds.

    best_index_ : int
        Index of the best candidate in `cv_results_`.

    n_stacked_ : int
        Number of results that come from a stack. A result is of a candidate on a fold
        in a rung.

    n_fits_alone_ : dict of str to int
        Number of the other results, whose fits were made one by one, for each reason.

    scorer_ : callable
        The scorer.

    ... folds_and_time

    multimetric_ : bool
        False: a halving search has a single metric.

    ... best_candidate""",
    # Last, as other parts have them.
    "folds_and_time": """\
    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds of the refit to all of the data.""",
    "best_candidate": """\
    classes_ : ndarray of shape (n_classes,)
        Class labels of the best candidate.

    n_features_in_ : int
        Number of features in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features. Defined if X has names that are all strings.""",
    "n_jobs": """\
    n_jobs : int or None, default=None
        Largest number of joblib workers, which share the folds and stacks. With
        joblib's default backend, the search uses only as many processes as shorten it,
        by an estimate of its time, and each process uses one thread. The search uses
        all workers if other estimators than networks, transformers that may take long
        or scorers of your own make the time unknown.""",
}

documented = partial(_documented, parts=PARTS)
