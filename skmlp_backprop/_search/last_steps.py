"""Pipelines that end in estimators of ours: these are fitted as a stack.

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
    """Find what a Pipeline or a TransformedTargetRegressor ends in, however deep.

    Parameters
    ----------
    estimator : estimator
        Any estimator; imbalanced-learn's Pipelines are Pipelines, too.

    Returns
    -------
    path : str
        Name of the last step, as `set_params` takes it; empty if `estimator` is
        neither.

    last : estimator
        The last step, or `estimator` itself.
    """
    names = []
    while (step := _next_step(estimator)) is not None:
        name, estimator = step
        names.append(name)
    return "__".join(names), estimator


def checked_last_step(estimator):
    """The same, of Pipelines that a stack can be fitted in place of.

    Raises
    ------
    CannotStack
        If a Pipeline has callbacks, which a stack could not report to.
    """
    outer = estimator
    while (step := _next_step(outer)) is not None:
        if hasattr(outer, "_skl_callbacks"):
            raise CannotStack("its Pipeline has callbacks")
        outer = step[1]
    return last_step(estimator)


def _next_step(estimator):
    """Name and estimator of the last step, as the parameters have it.

    None of what is neither Pipeline nor TransformedTargetRegressor, or has no step.
    """
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 0:
        return estimator.steps[-1]
    if isinstance(estimator, TransformedTargetRegressor):
        regressor = estimator.regressor
        return None if regressor is None else ("regressor", regressor)
    return None


class SharedPreparation:
    """What networks, or Pipelines that share their transformers, are trained on.

    Parameters
    ----------
    estimators : list of estimator
        Networks of one key, see :func:`.stacking.stack_key`, or Pipelines that
        differ in nothing else than such as last steps.

    X, y : array-like
        The training rows.

    fit_params : dict of str to object
        What `fit` is passed besides.

    Attributes
    ----------
    pipeline : Pipeline or None
        The fitted transformers; its last step is a placeholder for the networks.

    data : TrainingData
        What the networks are trained on.

    features : dict
        The attributes by which fitted networks know the features.
    """

    def __init__(self, estimators, X, y, fit_params):
        networks = last_steps(estimators)
        path, _ = last_step(estimators[0])
        if not path:
            self.pipeline = None
            self.data, self.features = prepare_group(networks, X, y, **fit_params)
            return
        step = _Preparation(networks)
        self.pipeline = clone(estimators[0]).set_params(**{path: step})
        self.pipeline.fit(X, y, **fit_params)
        # Out of the step: candidates and their transformers are all that is kept.
        self.data, self.features = vars(step).pop("prepared_")
        step.networks = []

    def become_fitted(self, estimators, all_trained):
        """Take over the fitted transformers and what has come of the trainings."""
        become_fitted(last_steps(estimators), all_trained, self.features)
        if self.pipeline is not None:
            for estimator in estimators:
                _share_transformers(estimator, self.pipeline)


def last_steps(estimators):
    """The networks that estimators of one kind are or end in."""
    return [last_step(estimator)[1] for estimator in estimators]


class Fit:
    """Networks, or Pipelines that end in such, ready to be trained on a fold's rows.

    The parameters are those of :class:`SharedPreparation`.

    Attributes
    ----------
    estimators : list of estimator
        The candidates, which :meth:`finish` fits.

    networks : list of BackpropMLPClassifier or of BackpropMLPRegressor
        Those that they are, or end in.

    data : TrainingData
        What the networks are to be trained on.

    key : tuple or None
        Equal for fits that can be trained together, on other rows each; None for one
        that had better be trained by itself.

    can_be_repeated : bool
        Whether a training that has failed can begin again.
    """

    can_be_repeated = True

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
        """What trains a stack of the networks of such fits."""
        return train

    def finish(self, all_trained, n_together):
        """Make the estimators fitted ones.

        Parameters
        ----------
        all_trained : list of Trained
            What has come of the networks.

        n_together : list of int
            For each the number of networks in its stack.

        Returns
        -------
        outcomes : list of (int, dict)
            For each estimator the number of those in its stack; and what its result is
            to tell besides, which is nothing.
        """
        warn_of_ends(self.networks, all_trained)
        self._preparation.become_fitted(self.estimators, all_trained)
        return [(n, {}) for n in n_together]


def train_fits(fits):
    """Train the networks of fits of one key and kind, in stacks across them.

    Returns
    -------
    results : list of (list of Trained, list of int)
        What to finish each with.
    """
    train_stack = fits[0].trainer(fits)
    if len(fits) == 1:
        (fit,) = fits
        return [train_group(fit.networks, fit.data, train_stack)]
    return train_groups([(fit.networks, fit.data) for fit in fits], train_stack)


def _share_transformers(estimator, fitted):
    """Put fitted transformers in place of those of an estimator with a fitted network.

    Parameters
    ----------
    estimator : Pipeline or TransformedTargetRegressor
        Changed.

    fitted : Pipeline or TransformedTargetRegressor
        The same, fitted with another last step.
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
    """A Pipeline's last step in place of all networks of a stack."""

    def __init__(self, networks):
        self.networks = networks

    def fit(self, X, y=None, **params):
        """Validate what the transformers have made of the rows."""
        self.prepared_ = prepare_group(self.networks, X, y, **params)
        return self

    def predict(self, X):
        """Never called; TransformedTargetRegressor checks that the method exists."""
        raise NotImplementedError

    def __sklearn_clone__(self):
        # A TransformedTargetRegressor fits a clone.
        return self

    def get_metadata_routing(self):
        """What the networks, whose requests are the same, ask for."""
        return self.networks[0].get_metadata_routing()
