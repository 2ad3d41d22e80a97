"""Searches over hyper-parameters that train their candidates in stacks.

They inherit from scikit-learn's searches, and replace the evaluation of the candidates:
a task fits a stack of candidates on a fold, instead of a single candidate.
"""

import time
from inspect import signature

from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, check_cv
from sklearn.utils import indexable

from .._estimators.base import restore_on_error
from .._estimators.sklearn_callbacks import CallbackSupportMixin
from .._estimators.sklearn_private import _fit_context
from .._solvers.interruption import abort_when_interrupted
from .documentation import documented
from .evaluation import Evaluation, count_stacked
from .fits import configured
from .sklearn_private import _check_method_params, _MultimetricScorer


class StackedSearchMixin(CallbackSupportMixin):
    """Mixin for a search of scikit-learn: a `fit` that trains candidates in stacks."""

    _evaluation_class = Evaluation

    @_fit_context(prefer_skip_nested_validation=False)
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
        KeyboardInterrupt
            If the search is interrupted: an unfinished training has no score. After any
            error, an earlier fit stays unchanged.
        """
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        weight = params.get("sample_weight")
        data = {
            "X": X,
            "y": y,
            "metadata": None if weight is None else {"sample_weight": weight},
        }
        context = self._init_callback_context(
            max_subtasks=1 + (self.refit is not False)
        )
        context.call_on_fit_task_begin(estimator=self, **data)

        self._checked_cv_orig = check_cv(
            self.cv, y, classifier=is_classifier(self.estimator)
        )
        split_params = routed.splitter.split
        if hasattr(self, "_check_input_parameters"):
            self._check_input_parameters(X=X, y=y, split_params=split_params)
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **split_params)

        evaluation = self._evaluation_class(self, X, y, scorers, routed)
        with evaluation:
            # A subclass, and scikit-learn before 1.9, may take no context.
            if "callback_ctx" in signature(self._run_search).parameters:
                self._run_search(evaluation, callback_ctx=context)
            else:
                self._run_search(evaluation)
        self._choose(evaluation, refit_metric)
        self.cv_results_ = evaluation.results
        self.n_stacked_, self.n_fits_alone_ = count_stacked(evaluation.out)
        # Free the memory of the folds' networks and rows before the refit.
        del evaluation
        if self.refit:
            self._refit(context, routed.estimator.fit, data)
        single = not isinstance(scorers, _MultimetricScorer)
        self.scorer_ = scorers if single else scorers._scorers
        context.call_on_fit_task_end(estimator=self, **data)
        return self

    def _rounds(self, n_candidates):
        """Number of candidates of this and each later round of the search.

        Each comes with the ratio of the round's resources to those of this round.
        """
        return [(n_candidates, 1)]

    def _choose(self, evaluation, refit_metric):
        """Select the best candidate, and set its attributes."""
        results = evaluation.results
        first_score = evaluation.out[0]["test_scores"]
        self.multimetric_ = isinstance(first_score, dict)
        # The results of a callable `scoring` show whether it has several metrics.
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(first_score)
            refit_metric = self.refit
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
        if not callable(self.refit):
            scores = results[f"mean_test_{refit_metric}"]
            self.best_score_ = scores[self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _refit(self, context, fit_params, data):
        """Refit the best candidate to all of the data."""
        self.best_estimator_ = configured(self.estimator, self.best_params_)
        context = context.subcontext(task_name="refit-with-best-params")
        X, y = data["X"], data["y"]
        with context.propagate_callback_context(self.best_estimator_):
            context.call_on_fit_task_begin(estimator=self, **data)
            start = time.time()
            targets = () if y is None else (y,)
            with abort_when_interrupted():
                self.best_estimator_.fit(X, *targets, **fit_params)
        self.refit_time_ = time.time() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
        context.call_on_fit_task_end(estimator=self, **data)


@documented
class StackedGridSearchCV(StackedSearchMixin, GridSearchCV):
    """GridSearchCV that trains candidates in stacks.

    Parameters, attributes and results are those of
    :class:`sklearn.model_selection.GridSearchCV`, up to rounding; the search is faster.
    In each fold, candidates are trained as a stack of networks if they differ only in
    `alpha`, `learning_rate_init` and the other parameters that
    :func:`skmlp_backprop.fit_stack` lists. The estimator must be a
    :class:`BackpropMLPClassifier` or :class:`BackpropMLPRegressor` with solver "sgd" or
    "adam", or a Pipeline or TransformedTargetRegressor that ends in such a network;
    nested Pipelines and Pipelines of imbalanced-learn are possible. The other steps of
    the Pipeline are fitted once for each fold and setting of their parameters. All
    other solvers and estimators are fitted one by one, as by GridSearchCV.
    `n_fits_alone_` has the number of these fits, with the reasons.

    A :class:`TabularMLPClassifier` or :class:`TabularMLPRegressor` trains a stack of
    its own, so the candidates are fitted one by one. Candidates with the same
    `categorical_features` and `n_bins` share the encoded training rows of a fold. Their
    results are exactly the results of GridSearchCV.

    Parameters
    ----------
    estimator : estimator
        The estimator whose parameters are searched.

    param_grid : dict or list of dict
        Names of parameters, with the lists of values to combine.

    ... evaluation_parameters

    Attributes
    ----------
    ... attributes

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV
    >>> mlp = BackpropMLPClassifier(25, max_iter=1000, random_state=0)
    >>> grid = {"alpha": [0.01, 1, 100], "learning_rate_init": [0.003, 0.03]}
    >>> search = StackedGridSearchCV(mlp, grid).fit(*load_iris(return_X_y=True))
    >>> search.best_params_["learning_rate_init"], round(float(search.best_score_), 2)
    (0.003, 0.99)
    """


@documented
class StackedRandomizedSearchCV(StackedSearchMixin, RandomizedSearchCV):
    """RandomizedSearchCV that trains candidates in stacks.

    Parameters, attributes and results are those of
    :class:`sklearn.model_selection.RandomizedSearchCV`, up to rounding.
    :class:`StackedGridSearchCV` describes which candidates are stacked.

    Parameters
    ----------
    estimator : estimator
        The estimator whose parameters are searched.

    param_distributions : dict or list of dict
        Names of parameters, with lists of values or distributions that have a method
        `rvs`, from which the candidates are drawn.

    n_iter : int, default=10
        Number of candidates.

    ... evaluation_parameters

    random_state : int, RandomState instance or None, default=None
        Source of the candidates.

    Attributes
    ----------
    ... attributes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, StackedRandomizedSearchCV
    >>> mlp = BackpropMLPClassifier(25, max_iter=1000, random_state=0)
    >>> search = StackedRandomizedSearchCV(
    ...     mlp, {"alpha": loguniform(1e-3, 10)}, n_iter=4, random_state=0
    ... )
    >>> round(float(search.fit(*load_iris(return_X_y=True)).best_score_), 2)
    0.98
    """
