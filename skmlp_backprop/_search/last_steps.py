"""Pipelines whose last steps are networks, which are trained as a stack.

A TransformedTargetRegressor counts as a Pipeline whose last step is its regressor.
"""

from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from .._estimators.training import train
from .stacking import (
    CannotStack,
    become_fitted,
    group_key,
    prepare_group,
    train_group,
    train_groups,
    warn_of_ends,
)


def last_step(estimator):
    """Find the last step of nested Pipelines and TransformedTargetRegressors.

    Parameters
    ----------
    estimator : estimator
        Any estimator. The Pipelines of imbalanced-learn count as Pipelines.

    Returns
    -------
    path : str
        Name of the last step, in the notation of `set_params`. Empty if `estimator` is
        neither a Pipeline nor a TransformedTargetRegressor.

    last : estimator
        The last step, or `estimator` itself.
    """
    names = []
    while (step := _next_step(estimator)) is not None:
        name, estimator = step
        names.append(name)
    return "__".join(names), estimator


def checked_last_step(estimator):
    """Find the last step of Pipelines whose fits a stack can replace.

    Raises
    ------
    CannotStack
        If a Pipeline has callbacks: a stack can't report to them.
    """
    outer = estimator
    while (step := _next_step(outer)) is not None:
        if hasattr(outer, "_skl_callbacks"):
            raise CannotStack("its Pipeline has callbacks")
        outer = step[1]
    return last_step(estimator)


def _next_step(estimator):
    """Name and estimator of the unfitted last step.

    None if `estimator` has no step, or is neither a Pipeline nor a
    TransformedTargetRegressor.
    """
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 0:
        return estimator.steps[-1]
    if isinstance(estimator, TransformedTargetRegressor):
        regressor = estimator.regressor
        return None if regressor is None else ("regressor", regressor)
    return None


class SharedPreparation:
    """The training data of a stack, after the transformers that its Pipelines share.

    Parameters
    ----------
    estimators : list of estimator
        Networks with the same :func:`.stacking.stack_key`, or Pipelines that differ
        only in such last steps.

    X, y : array-like
        The training rows.

    fit_params : dict of str to object
        Further arguments of `fit`.

    prepare : callable, default=prepare_group
        Given the networks, X, y and `fit_params`, returns `data` and `features`.

    Attributes
    ----------
    pipeline : Pipeline or None
        The fitted transformers; its last step is a placeholder for the networks.

    data : TrainingData
        The training data of the networks.

    features : dict
        Number and names of the features, the attributes of a fitted network.
    """

    def __init__(self, estimators, X, y, fit_params, prepare=prepare_group):
        networks = last_steps(estimators)
        path, _ = last_step(estimators[0])
        if not path:
            self.pipeline = None
            self.data, self.features = prepare(networks, X, y, **fit_params)
            return
        step = _Preparation(networks, prepare)
        self.pipeline = clone(estimators[0]).set_params(**{path: step})
        self.pipeline.fit(X, y, **fit_params)
        # The pipeline is kept, and its placeholder must not hold the data any longer.
        self.data, self.features = vars(step).pop("prepared_")
        step.networks = []

    def become_fitted(self, estimators, all_trained):
        """Set the fitted transformers and the results of the trainings."""
        become_fitted(last_steps(estimators), all_trained, self.features)
        self.share_transformers(estimators)

    def share_transformers(self, estimators):
        """Set the fitted transformers; the last steps are fitted."""
        if self.pipeline is not None:
            for estimator in estimators:
                _share_transformers(estimator, self.pipeline)


def last_steps(estimators):
    """The last step of each estimator."""
    return [last_step(estimator)[1] for estimator in estimators]


class Fit:
    """Networks, or Pipelines that end in networks, prepared for training on a fold.

    The parameters are those of :class:`SharedPreparation`.

    Attributes
    ----------
    estimators : list of estimator
        The candidates. :meth:`finish` makes them fitted.

    networks : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The last steps of the candidates.

    data : TrainingData
        The training data of the networks.

    key : tuple or None
        Equal for fits on different rows that can be trained together. None if the fit
        should be trained by itself.

    can_be_repeated : bool
        Whether a failed training can start again.

    is_stack : bool
        Whether the candidates are trained as a stack.

    seconds : list of float or None
        Time of the training of each candidate; None for equal shares.
    """

    can_be_repeated = True
    is_stack = True
    seconds = None

    def __init__(self, estimators, X, y, fit_params):
        self.estimators = estimators
        self.networks = last_steps(estimators)
        self._preparation = self._prepared(X, y, fit_params)
        self.data = self._preparation.data
        self.key = group_key(self.networks, self.data)

    def _prepared(self, X, y, fit_params):
        return SharedPreparation(self.estimators, X, y, fit_params)

    @classmethod
    def trainer(cls, fits):
        """Return the function that trains a stack of the networks of `fits`."""
        return train

    def train(self):
        """Train the networks; return the arguments of :meth:`finish`."""
        return train_group(self.networks, self.data, self.trainer([self]))

    def finish(self, all_trained, n_together):
        """Make the estimators fitted.

        Parameters
        ----------
        all_trained : list of Trained
            The trained networks.

        n_together : list of int
            Number of networks in the stack of each network.

        Returns
        -------
        outcomes : list of (int, dict)
            For each estimator, the number of networks in its stack, and further entries
            of its result; here none.
        """
        warn_of_ends(self.networks, all_trained)
        self._preparation.become_fitted(self.estimators, all_trained)
        return [(n, {}) for n in n_together]


def train_fits(fits):
    """Train the networks of several fits with the same key and class in shared stacks.

    Returns
    -------
    results : list of (list of Trained, list of int)
        For each fit, the arguments of :meth:`Fit.finish`.
    """
    if len(fits) == 1:
        return [fits[0].train()]
    train_stack = fits[0].trainer(fits)
    return train_groups([(fit.networks, fit.data) for fit in fits], train_stack)


def _share_transformers(estimator, fitted):
    """Replace the transformers of an estimator by fitted transformers.

    Parameters
    ----------
    estimator : Pipeline or TransformedTargetRegressor
        The estimator, whose network is fitted. It is changed in place.

    fitted : Pipeline or TransformedTargetRegressor
        A fitted estimator with the same transformers and another last step.
    """
    if isinstance(estimator, Pipeline):
        last = estimator.steps[-1]
        _share_transformers(last[1], fitted.steps[-1][1])
        estimator.steps = [*fitted.steps[:-1], last]
    elif isinstance(estimator, TransformedTargetRegressor):
        network = estimator.regressor
        _share_transformers(network, fitted.regressor_)
        vars(estimator).update(
            {**vars(fitted), "regressor": clone(network), "regressor_": network}
        )
        if hasattr(network, "feature_names_in_"):
            estimator.feature_names_in_ = network.feature_names_in_


class _Preparation(BaseEstimator):
    """The last step of a Pipeline, a placeholder for all networks of a stack."""

    def __init__(self, networks, prepare):
        self.networks = networks
        self.prepare = prepare

    def fit(self, X, y=None, **params):
        """Validate the transformed rows, and make the training data."""
        self.prepared_ = self.prepare(self.networks, X, y, **params)
        return self

    def predict(self, X):
        """Raise NotImplementedError; TransformedTargetRegressor needs the method."""
        raise NotImplementedError

    def __sklearn_clone__(self):
        # A TransformedTargetRegressor fits a clone, but `prepared_` is read from self.
        return self

    def get_metadata_routing(self):
        """Return the metadata requests, which all networks share."""
        return self.networks[0].get_metadata_routing()
