"""Searches by successive halving that continue the training of surviving candidates.

They inherit from scikit-learn's halving searches, and replace the evaluation of a
rung's candidates. If the resource is the number of epochs or iterations, the candidates
that survive a rung continue their training in the next rung, in stacks.
"""

from math import ceil, floor, log
from numbers import Integral

import numpy as np

from .._estimators.restoring import restore_on_error
from .last_steps import last_step
from .rungs import RungEvaluation, max_iter_of
from .searches import StackedSearchMixin
from .sklearn_private import HalvingGridSearchCV, HalvingRandomSearchCV, _num_samples


class _StackedHalvingMixin(StackedSearchMixin):
    """Mixin for a halving search of scikit-learn."""

    _evaluation_class = RungEvaluation

    @restore_on_error
    def fit(self, X, y=None, **params):
        """Run the search, and refit the best candidate to all of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets.

        **params : dict of str to object
            Passed to the `fit` of the estimator, to the scorer and to the splitter,
            as in :class:`sklearn.model_selection.GridSearchCV`. Values with an entry
            for each sample are split like X and y.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If the resources suit neither the estimator nor each other, if the resource
            is a searched parameter, or if `cv` gives different folds in repeated calls.
        KeyboardInterrupt
            If the search is interrupted: an unfinished training has no score. After any
            error, an earlier fit stays unchanged.
        """
        self._n_samples_orig = _num_samples(X)
        given = {"resource": self.resource, "max_resources": self.max_resources}
        try:
            vars(self).update(self._resolved_resources())
            super().fit(X, y, **params)
        finally:
            vars(self).update(given)
        self.best_score_ = self.cv_results_["mean_test_score"][self.best_index_]
        return self

    def _resolved_resources(self):
        """Resolve "max_iter" and "auto" for the estimator."""
        path, last = last_step(self.estimator)
        is_max_iter = self.resource in ("max_iter", max_iter_of(path))
        if not is_max_iter or not hasattr(last, "max_iter"):
            return {}
        resolved = {"resource": max_iter_of(path)}
        if self.max_resources == "auto":
            most = last.max_iter
            if most == "auto" and hasattr(last, "_n_epochs"):
                # The "auto" of TabularMLPClassifier and TabularMLPRegressor.
                most = last._n_epochs(self._n_samples_orig)
            if isinstance(most, Integral):
                resolved["max_resources"] = int(most)
        return resolved

    def _rounds(self, n_candidates):
        n_needed = 1 + floor(log(n_candidates, self.factor))
        growth = self.max_resources_ // self.n_resources_[-1]
        n_possible = 1 + floor(log(growth, self.factor))
        n_delayed = 0
        if self.aggressive_elimination:
            n_delayed = max(0, n_needed - n_possible)
        return [
            (ceil(n_candidates / self.factor**i), self.factor ** max(0, i - n_delayed))
            for i in range(min(n_needed, n_possible + n_delayed))
        ]


class StackedHalvingGridSearchCV(_StackedHalvingMixin, HalvingGridSearchCV):
    """HalvingGridSearchCV that trains in stacks, and continues the survivors' training.

    The first rung trains all candidates for a few epochs. The next rung trains the best
    candidates, a share of 1 / `factor`, for `factor` times as many epochs, and so on. A
    surviving candidate continues with its weights, its momentum and its shuffles. It
    ends with the result of a single fit of as many epochs, and no epoch is trained
    twice. :class:`StackedGridSearchCV` lists the parameters in which the candidates of
    a stack may differ.

    A full-batch solver continues from its weights, for the additional iterations; SciPy
    does not expose the rest of its state. Every rung trains a candidate from the start,
    as scikit-learn's class does, if the candidate has `learning_rate="cosine"`, which
    depends on the number of epochs, `warm_start`, callbacks or a RandomState, or if it
    is another estimator.

    A :class:`TabularMLPClassifier` or :class:`TabularMLPRegressor` continues, too, and
    ends with exactly the result of a single fit. With its default sizes, the state of a
    candidate takes about 5 to 10 MB for each fold.

    Parameters, attributes and results are those of
    :class:`sklearn.model_selection.HalvingGridSearchCV`, apart from the default of
    `resource`. The class needs no experimental import.

    Parameters
    ----------
    estimator : estimator
        The estimator whose parameters are searched: a :class:`BackpropMLPClassifier`, a
        :class:`BackpropMLPRegressor`, a :class:`TabularMLPClassifier`, a
        :class:`TabularMLPRegressor`, a Pipeline that ends in one of these, or any other
        estimator.

    param_grid : dict or list of dict
        Names of parameters, with the lists of values to combine.

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
        the number of rows.

    min_resources : int, "exhaust" or "smallest", default="exhaust"
        Resources of the first rung. "exhaust" selects them so that the last rung comes
        close to `max_resources`. "smallest" is 1, or a few rows of each class and fold.

    aggressive_elimination : bool, default=False
        Whether to repeat the first rung's resources while the candidates are too many
        to leave fewer than `factor` of them in the last rung.

    cv : int, splitter or iterable, default=5
        The folds. They must be the same in every rung.

    scoring : str, callable or None, default=None
        The score of a candidate; None for the `score` method of the estimator.

    refit : bool or callable, default=True
        Whether to refit the best candidate of the last rung to all of the data.

    error_score : "raise" or float, default=nan
        Score of a candidate whose fit fails; "raise" raises the error instead.

    return_train_score : bool, default=True
        Whether to compute scores on the training rows, too.

    random_state : int, RandomState instance or None, default=None
        Source of the random subsets of rows, with ``resource="n_samples"``.

    n_jobs : int or None, default=None
        Largest number of joblib workers, which share the folds and stacks. With
        joblib's default backend, the search uses only as many processes as shorten it,
        by an estimate of its time, and each process uses one thread. The search uses
        all workers if other estimators than networks, transformers that may take long
        or scorers of your own make the time unknown.

    verbose : int, default=0
        1 prints the number of processes, and for each rung the number of candidates,
        the resources and the number of stacked fits; 2 also the time of each candidate,
        and 3 also its score and fold.

    Attributes
    ----------
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

    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds of the refit to all of the data.

    multimetric_ : bool
        False: a halving search has a single metric.

    classes_ : ndarray of shape (n_classes,)
        Class labels of the best candidate.

    n_features_in_ : int
        Number of features in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features. Defined if X has names that are all strings.

    References
    ----------
    Jamieson, K. and Talwalkar, A. (2016). "Non-stochastic best arm identification and
    hyperparameter optimization." AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, StackedHalvingGridSearchCV
    >>> mlp = BackpropMLPClassifier(25, max_iter=90, tol=0, random_state=0)
    >>> grid = {"alpha": [0.01, 0.1, 1], "learning_rate_init": [0.001, 0.003, 0.01]}
    >>> search = StackedHalvingGridSearchCV(mlp, grid, refit=False)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> search.n_candidates_, search.n_resources_
    ([9, 3, 1], [10, 30, 90])
    """

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        factor=3,
        resource="max_iter",
        max_resources="auto",
        min_resources="exhaust",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        super().__init__(
            estimator,
            param_grid,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )


class StackedHalvingRandomSearchCV(_StackedHalvingMixin, HalvingRandomSearchCV):
    """HalvingRandomSearchCV that trains in stacks, and continues survivors' training.

    Parameters, attributes and results are those of
    :class:`sklearn.model_selection.HalvingRandomSearchCV`.
    :class:`StackedHalvingGridSearchCV` describes the rungs and the differences.

    Parameters
    ----------
    estimator : estimator
        The estimator whose parameters are searched.

    param_distributions : dict or list of dict
        Names of parameters, with lists of values or distributions that have a method
        `rvs`, from which the candidates are drawn.

    n_candidates : int or "exhaust", default="exhaust"
        Number of candidates to draw. "exhaust" selects it so that the last rung comes
        close to `max_resources`.

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
        the number of rows.

    min_resources : int, "exhaust" or "smallest", default="smallest"
        Resources of the first rung. "smallest" is 1, or a few rows of each class and
        fold. "exhaust" selects them so that the last rung comes close to
        `max_resources`; it needs a given number of candidates.

    aggressive_elimination : bool, default=False
        Whether to repeat the first rung's resources while the candidates are too many
        to leave fewer than `factor` of them in the last rung.

    cv : int, splitter or iterable, default=5
        The folds. They must be the same in every rung.

    scoring : str, callable or None, default=None
        The score of a candidate; None for the `score` method of the estimator.

    refit : bool or callable, default=True
        Whether to refit the best candidate of the last rung to all of the data.

    error_score : "raise" or float, default=nan
        Score of a candidate whose fit fails; "raise" raises the error instead.

    return_train_score : bool, default=True
        Whether to compute scores on the training rows, too.

    random_state : int, RandomState instance or None, default=None
        Source of the candidates, and of the random subsets of rows with
        ``resource="n_samples"``.

    n_jobs : int or None, default=None
        Largest number of joblib workers, which share the folds and stacks. With
        joblib's default backend, the search uses only as many processes as shorten it,
        by an estimate of its time, and each process uses one thread. The search uses
        all workers if other estimators than networks, transformers that may take long
        or scorers of your own make the time unknown.

    verbose : int, default=0
        1 prints the number of processes, and for each rung the number of candidates,
        the resources and the number of stacked fits; 2 also the time of each candidate,
        and 3 also its score and fold.

    Attributes
    ----------
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
        `iter` and its resources in `n_resources`.

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

    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds of the refit to all of the data.

    multimetric_ : bool
        False: a halving search has a single metric.

    classes_ : ndarray of shape (n_classes,)
        Class labels of the best candidate.

    n_features_in_ : int
        Number of features in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features. Defined if X has names that are all strings.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, StackedHalvingRandomSearchCV
    >>> mlp = BackpropMLPClassifier(25, max_iter=81, tol=0, random_state=0)
    >>> search = StackedHalvingRandomSearchCV(
    ...     mlp,
    ...     {"alpha": loguniform(1e-3, 10)},
    ...     min_resources=9,
    ...     refit=False,
    ...     random_state=0,
    ... )
    >>> search.fit(*load_iris(return_X_y=True)).n_candidates_
    [9, 3, 1]
    """

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_candidates="exhaust",
        factor=3,
        resource="max_iter",
        max_resources="auto",
        min_resources="smallest",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_candidates=n_candidates,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )
