"""Searches by successive halving that continue the training of surviving candidates.

They inherit from scikit-learn's halving searches, and replace the evaluation of a
rung's candidates. If the resource is the number of epochs or iterations, the candidates
that survive a rung continue their training in the next rung, in stacks.
"""

from collections import Counter
from math import ceil, floor, log
from numbers import Integral

import numpy as np
from sklearn.model_selection import GridSearchCV

from .._estimators.base import restore_on_error, store_parameters
from .._estimators.training import make_solver
from .documentation import documented
from .evaluation import Evaluation
from .fits import StackTrainer, TabularTrainer
from .last_steps import last_step
from .searches import StackedSearchMixin
from .sklearn_private import HalvingGridSearchCV, HalvingRandomSearchCV, _num_samples


class RungEvaluation(Evaluation):
    """Evaluates the candidates of each rung.

    If the resource is `max_iter`, the candidates of the previous rung continue their
    training, and a candidate whose training has stopped keeps its scores.
    """

    def __init__(self, search, *args):
        super().__init__(search, *args)
        self.resource = search.resource
        # Fits of the previous rung, by key of the candidate and index of the fold.
        self._before = {}

    def _resume(self, fits, estimators, groups):
        can_pause = [*map(self._can_continue, estimators, groups)]
        for key, fit in self._keyed(fits):
            i, _ = fit.candidate
            if can_pause[i]:
                fit.pauses = True
                # A full-batch network has no trainer, as it is fitted by itself.
                groups[i].trainer = groups[i].trainer or StackTrainer
            before = self._before.get(key)
            if before is None or before.paused is None:
                continue
            fit.paused = before.paused
            fit.origin = _origin(estimators[i], groups[i], fit.paused)
            has_same = before.params[self.resource] == fit.params[self.resource]
            if fit.paused.is_over or has_same:
                fit.result = {**before.result, "fit_time": 0.0, "score_time": 0.0}
                fit.result["paused_fit"] = fit.paused

    def _keep(self, fits):
        for fit in fits:
            fit.paused = fit.result.pop("paused_fit", None)
        self._before = dict(self._keyed(fits))

    def _keyed(self, fits):
        """Yield fits with keys that identify candidate and fold in all rungs.

        A key has the id of each parameter except the resource, since values may not be
        hashable, and a counter, because a grid may have equal candidates.
        """
        n_of = Counter()
        for fit in fits:
            names = fit.params.keys() - {self.resource}
            split, _ = fit.split
            key = split, frozenset((name, id(fit.params[name])) for name in names)
            yield (*key, n_of[key]), fit
            n_of[key] += 1

    def _can_continue(self, estimator, group):
        """Whether its training can be continued with more of the resource."""
        path, last, _ = last_step(estimator)
        if not group.can_pause or self.resource != max_iter_of(path):
            return False
        if group.trainer is TabularTrainer:
            return True
        # A cosine schedule over more epochs differs from the first step on.
        solver = make_solver(last)
        return not (solver.stochastic and solver.schedule.starts_anew)


def _origin(estimator, group, paused):
    """A key that is equal for candidates that continue together."""
    _, last, _ = last_step(estimator)
    own_draws = None
    if last.random_state is None and group.trainer is not TabularTrainer:
        # Without a seed, each stack has drawn its own held-out rows.
        _, draws = paused.state
        own_draws = None if draws.held_out is None else id(draws)
    return id(paused.preparation), own_draws


def max_iter_of(path):
    """Name of the parameter `max_iter` of the last step, with its path."""
    return "__".join(filter(None, (path, "max_iter")))


class _StackedHalvingMixin(StackedSearchMixin):
    """Mixin for a halving search of scikit-learn."""

    _evaluation_class = RungEvaluation
    # A search reads it, but the halving searches have no such parameter.
    pre_dispatch = "2*n_jobs"

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

    @staticmethod
    def _select_best_index(refit, refit_metric, results):
        # HalvingGridSearchCV takes a callable, and ignores it.
        base = GridSearchCV if callable(refit) else HalvingGridSearchCV
        return base._select_best_index(refit, refit_metric, results)

    def _resolved_resources(self):
        """Resolve "max_iter" and "auto" for the estimator."""
        path, last, _ = last_step(self.estimator)
        is_max_iter = self.resource in ("max_iter", max_iter_of(path))
        if not is_max_iter or not hasattr(last, "max_iter"):
            return {}
        resolved = {"resource": max_iter_of(path)}
        if self.max_resources == "auto":
            max_iter = last.max_iter
            if max_iter == "auto" and hasattr(last, "_n_epochs"):
                # The "auto" of TabularMLPClassifier and TabularMLPRegressor.
                max_iter = last._n_epochs(self._n_samples_orig)
            if isinstance(max_iter, Integral):
                resolved["max_resources"] = int(max_iter)
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


@documented
class StackedHalvingGridSearchCV(_StackedHalvingMixin, HalvingGridSearchCV):
    """HalvingGridSearchCV that trains in stacks, and continues the survivors' training.

    The first rung trains all candidates for a few epochs. The next rung trains the best
    candidates, a share of 1 / `factor`, for `factor` times as many epochs, and so on. A
    surviving candidate continues with its weights, its momentum and its shuffles. It
    ends with the result of a single fit of as many epochs, and no epoch is trained
    twice. :func:`fit_stack` lists the parameters in which the candidates of a stack may
    differ.

    A full-batch solver continues from its weights, for the additional iterations; SciPy
    does not expose the rest of its state. Every rung trains a candidate from the start,
    as scikit-learn's class does, if the candidate has `learning_rate="cosine"`, which
    depends on the number of epochs, `warm_start`, callbacks or a RandomState, or if it
    is another estimator.

    A :class:`TabularMLPClassifier` or :class:`TabularMLPRegressor` also continues, and
    ends with exactly the result of a single fit. With its default sizes, the state of a
    candidate takes about 5 to 10 MB for each fold, without columns of many categories.

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

    ... resources

    min_resources : int, "exhaust" or "smallest", default="exhaust"
        Resources of the first rung. "exhaust" selects them so that the last rung comes
        close to `max_resources`. "smallest" is 1, or a few rows of each class and fold.

    ... rung_parameters

    random_state : int, RandomState instance or None, default=None
        Source of the random subsets of rows, with ``resource="n_samples"``.

    ... rung_verbose

    Attributes
    ----------
    ... rung_attributes

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
        store_parameters(locals())


@documented
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

    ... resources

    min_resources : int, "exhaust" or "smallest", default="smallest"
        Resources of the first rung. "smallest" is 1, or a few rows of each class and
        fold. "exhaust" selects them so that the last rung comes close to
        `max_resources`; it needs a given number of candidates.

    ... rung_parameters

    random_state : int, RandomState instance or None, default=None
        Source of the candidates, and of the random subsets of rows with
        ``resource="n_samples"``.

    ... rung_verbose

    Attributes
    ----------
    ... rung_attributes

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
        store_parameters(locals())
