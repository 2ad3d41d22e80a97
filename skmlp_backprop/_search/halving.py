"""Searches by successive halving that train the survivors on.

They are scikit-learn's up to the evaluation of a rung's candidates: where the resource
is the number of epochs or iterations, those that survive a rung go on from where they
stand, in stacks.
"""

from numbers import Integral

import numpy as np

from .._estimators.restoring import restore_on_error
from .evaluation import Evaluation
from .last_steps import last_step
from .rungs import RungEvaluation, max_iter_of
from .searches import StackedSearchMixin
from .sklearn_private import HalvingGridSearchCV, HalvingRandomSearchCV, _num_samples


class _StackedHalvingMixin(StackedSearchMixin):
    """Mixin for a halving search of scikit-learn's."""

    @restore_on_error
    def fit(self, X, y=None, **params):
        """Run the search, and refit on all of the data with the best candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets.

        **params : dict of str to object
            Passed to the `fit` of the estimator, to the scorer and to the splitter,
            as :class:`sklearn.model_selection.GridSearchCV` does: what has one entry
            for each sample is split like X and y.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If the resources don't fit the estimator or each other, the resource is
            among the searched parameters, or the folds of `cv` differ from call to
            call.
        KeyboardInterrupt
            If it is interrupted: no score is taken of a training that was not
            finished. As with every error, what was fitted before stays as it was.
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
        """What "max_iter" and "auto" mean for the estimator at hand."""
        path, last = last_step(self.estimator)
        if self.resource not in ("max_iter", max_iter_of(path)):
            return {}
        if not hasattr(last, "max_iter"):
            return {}
        resolved = {"resource": max_iter_of(path)}
        if self.max_resources == "auto":
            most = last.max_iter
            if most == "auto" and hasattr(last, "_n_epochs"):
                # A TabularMLPClassifier's or TabularMLPRegressor's.
                most = last._n_epochs(self._n_samples_orig)
            if isinstance(most, Integral):
                resolved["max_resources"] = int(most)
        return resolved

    def _make_evaluation(self, *args):
        path, _ = last_step(self.estimator)
        if self.resource == max_iter_of(path):
            return RungEvaluation(self, *args, resource=self.resource)
        return Evaluation(self, *args)


class StackedHalvingGridSearchCV(_StackedHalvingMixin, HalvingGridSearchCV):
    """HalvingGridSearchCV that trains candidates in stacks, and survivors on.

    All candidates are trained for a few epochs; the best of them, one in `factor`, for
    `factor` times as many, and so on. A candidate that survives a rung goes on with its
    weights, its momentum and its shuffles, and ends as its own fit with as many epochs
    would: nothing is trained twice. For what is stacked see
    :class:`StackedGridSearchCV`. Full-batch solvers go on from their weights, for as
    many iterations more; SciPy does not hand out what else they know. Trained anew in
    every rung, as scikit-learn's class does with all, are those whose
    `learning_rate="cosine"` depends on the number of epochs, with `warm_start`,
    callbacks or a RandomState of their own, and other estimators.

    Parameters, attributes and results are those of
    :class:`sklearn.model_selection.HalvingGridSearchCV`; it needs no experimental
    import, and its default `resource` differs.

    Parameters
    ----------
    estimator : estimator
        What to search the parameters of: a :class:`BackpropMLPClassifier`, a
        :class:`BackpropMLPRegressor`, a Pipeline that ends in one, or any other.

    param_grid : dict or list of dict
        Names of parameters and lists of values to try, in all combinations.

    factor : int or float, default=3
        The share of candidates that survive a rung is 1 / `factor`, and the resources
        of the next one are `factor` times as many.

    resource : "max_iter", "n_samples" or str, default="max_iter"
        What grows from rung to rung: epochs, or iterations of a full-batch solver; of a
        Pipeline the last step's. "n_samples" is the number of rows, or it is the name
        of another parameter: for these all are trained anew in every rung.

    max_resources : int or "auto", default="auto"
        Most resources a candidate may get; "auto" for the estimator's own `max_iter`,
        or the number of rows.

    min_resources : int, "exhaust" or "smallest", default="exhaust"
        Resources of the first rung. "exhaust" is as many as let the last rung come
        close to `max_resources`; "smallest" is 1, or a few rows of each class and fold.

    aggressive_elimination : bool, default=False
        Whether to repeat the first rung's resources while there are too many
        candidates for the last to have fewer than `factor`.

    cv : int, splitter or iterable, default=5
        The folds, which must be the same in every rung.

    scoring : str, callable or None, default=None
        How to score; None for the estimator's own score.

    refit : bool or callable, default=True
        Whether to fit the best candidate of the last rung to all of the data.

    error_score : "raise" or float, default=nan
        Score of a candidate whose fit fails; "raise" to raise its error.

    return_train_score : bool, default=True
        Whether to score on the training rows too.

    random_state : int, RandomState instance or None, default=None
        Source of the draws of rows, with ``resource="n_samples"``.

    n_jobs : int or None, default=None
        Number of joblib workers that share the folds and stacks.

    verbose : int, default=0
        With 1 the rungs, their candidates and resources are printed, and how many fits
        were stacked; with 2 each candidate's time, with 3 its score and fold.

    Attributes
    ----------
    n_resources_ : list of int
        The resources of each rung.

    n_candidates_ : list of int
        The number of candidates of each rung.

    n_iterations_ : int
        Number of rungs.

    n_required_iterations_ : int
        Number of rungs that would leave fewer than `factor` candidates.

    n_possible_iterations_ : int
        Number of rungs that the resources permit.

    n_remaining_candidates_ : int
        Number of candidates that would be left after the last rung.

    min_resources_ : int
        Resources of the first rung.

    max_resources_ : int
        The most resources there may be.

    cv_results_ : dict of str to ndarray
        Parameters, scores and times of the candidates of all rungs; `iter` and
        `n_resources` tell which. `mean_fit_time` is a share of the stack's in that rung
        alone; 0 for who had stopped before.

    best_estimator_ : estimator
        The best candidate of the last rung, fitted to all of the data.

    best_params_ : dict
        Its parameters, the resource among them.

    best_score_ : float
        Its mean score over the folds.

    best_index_ : int
        Its number in `cv_results_`.

    n_stacked_ : int
        Number of results, of a candidate on a fold in a rung each, that come from a
        stack.

    n_fits_alone_ : dict of str to int
        Number of those that were trained one by one, by the reason why.

    scorer_ : callable
        What scores.

    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds of the fit to all of the data.

    multimetric_ : bool
        False: there is one metric.

    classes_ : ndarray of shape (n_classes,)
        Class labels of the best candidate.

    n_features_in_ : int
        Number of features that it saw.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are all strings.

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
    """HalvingRandomSearchCV that trains candidates in stacks, and survivors on.

    Parameters, attributes and results are those of
    :class:`sklearn.model_selection.HalvingRandomSearchCV`; for the rungs, and what
    differs, see :class:`StackedHalvingGridSearchCV`.

    Parameters
    ----------
    estimator : estimator
        What to search the parameters of.

    param_distributions : dict or list of dict
        Names of parameters with lists of values, or distributions with a method
        `rvs`, to draw from.

    n_candidates : int or "exhaust", default="exhaust"
        Number of candidates to draw; "exhaust" for as many as let the last rung come
        close to `max_resources`.

    factor : int or float, default=3
        The share of candidates that survive a rung is 1 / `factor`, and the resources
        of the next one are `factor` times as many.

    resource : "max_iter", "n_samples" or str, default="max_iter"
        What grows from rung to rung: epochs, or iterations of a full-batch solver; of a
        Pipeline the last step's; or "n_samples" or the name of another parameter.

    max_resources : int or "auto", default="auto"
        Most resources a candidate may get; "auto" for the estimator's own `max_iter`,
        or the number of rows.

    min_resources : int, "exhaust" or "smallest", default="smallest"
        Resources of the first rung. "smallest" is 1, or a few rows of each class and
        fold; "exhaust", for a given number of candidates, as many as let the last rung
        come close to `max_resources`.

    aggressive_elimination : bool, default=False
        Whether to repeat the first rung's resources while there are too many
        candidates for the last to have fewer than `factor`.

    cv : int, splitter or iterable, default=5
        The folds, which must be the same in every rung.

    scoring : str, callable or None, default=None
        How to score; None for the estimator's own score.

    refit : bool or callable, default=True
        Whether to fit the best candidate of the last rung to all of the data.

    error_score : "raise" or float, default=nan
        Score of a candidate whose fit fails; "raise" to raise its error.

    return_train_score : bool, default=True
        Whether to score on the training rows too.

    random_state : int, RandomState instance or None, default=None
        Source of the draws of candidates, and of rows with ``resource="n_samples"``.

    n_jobs : int or None, default=None
        Number of joblib workers that share the folds and stacks.

    verbose : int, default=0
        With 1 the rungs, their candidates and resources are printed, and how many fits
        were stacked; with 2 each candidate's time, with 3 its score and fold.

    Attributes
    ----------
    n_resources_ : list of int
        The resources of each rung.

    n_candidates_ : list of int
        The number of candidates of each rung.

    n_iterations_ : int
        Number of rungs.

    n_required_iterations_ : int
        Number of rungs that would leave fewer than `factor` candidates.

    n_possible_iterations_ : int
        Number of rungs that the resources permit.

    n_remaining_candidates_ : int
        Number of candidates that would be left after the last rung.

    min_resources_ : int
        Resources of the first rung.

    max_resources_ : int
        The most resources there may be.

    cv_results_ : dict of str to ndarray
        Parameters, scores and times of the candidates of all rungs; `iter` and
        `n_resources` tell which.

    best_estimator_ : estimator
        The best candidate of the last rung, fitted to all of the data.

    best_params_ : dict
        Its parameters, the resource among them.

    best_score_ : float
        Its mean score over the folds.

    best_index_ : int
        Its number in `cv_results_`.

    n_stacked_ : int
        Number of results, of a candidate on a fold in a rung each, that come from a
        stack.

    n_fits_alone_ : dict of str to int
        Number of those that were trained one by one, by the reason why.

    scorer_ : callable
        What scores.

    n_splits_ : int
        Number of folds.

    refit_time_ : float
        Seconds of the fit to all of the data.

    multimetric_ : bool
        False: there is one metric.

    classes_ : ndarray of shape (n_classes,)
        Class labels of the best candidate.

    n_features_in_ : int
        Number of features that it saw.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are all strings.

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
