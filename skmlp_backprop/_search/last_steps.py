"""Pipelines that end in estimators of ours: these are fitted as a stack."""

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from .stacking import CannotStack, fit_group


def last_step(estimator):
    """Find what a Pipeline, or a Pipeline in a Pipeline, ends in.

    Parameters
    ----------
    estimator : estimator
        Any estimator; imbalanced-learn's Pipelines are Pipelines, too.

    Returns
    -------
    path : str
        Name of the last step, as `set_params` takes it; empty if `estimator` is no
        Pipeline.

    last : estimator
        The last step, or `estimator` itself.

    Raises
    ------
    CannotStack
        If a Pipeline has callbacks, which a stack could not report to.
    """
    names = []
    while isinstance(estimator, Pipeline):
        if hasattr(estimator, "_skl_callbacks"):
            raise CannotStack("its Pipeline has callbacks")
        name, estimator = estimator.steps[-1]
        names.append(name)
    return "__".join(names), estimator


def fit_together(estimators, X, y, fit_params):
    """Fit networks as a stack, or Pipelines, whose transformers they then share.

    Parameters
    ----------
    estimators : list of estimator
        Networks of one key, see :func:`.stacking.stack_key`, or Pipelines that
        differ in nothing else than such as last steps.

    X, y : array-like
        The training rows.

    fit_params : dict of str to object
        What `fit` is passed besides.

    Returns
    -------
    n_together : list of int
        As of :func:`.stacking.fit_group`.
    """
    path, _ = last_step(estimators[0])
    if not path:
        return fit_group(estimators, X, y, **fit_params)
    step = _StackStep([last_step(pipeline)[1] for pipeline in estimators])
    together = clone(estimators[0]).set_params(**{path: step})
    together.fit(X, y, **fit_params)
    for pipeline in estimators:
        _share_transformers(pipeline, together)
    return step.n_together_


def _share_transformers(pipeline, fitted):
    """Put fitted transformers in place of a Pipeline's own."""
    last = pipeline.steps[-1]
    if isinstance(last[1], Pipeline):
        _share_transformers(last[1], fitted.steps[-1][1])
    pipeline.steps = [*fitted.steps[:-1], last]


class _StackStep(BaseEstimator):
    """A Pipeline's last step in place of all networks of a stack."""

    def __init__(self, networks):
        self.networks = networks

    def fit(self, X, y=None, **params):
        """Fit the networks as a stack."""
        self.n_together_ = fit_group(self.networks, X, y, **params)
        return self

    def get_metadata_routing(self):
        """What the networks, whose requests are the same, ask for."""
        return self.networks[0].get_metadata_routing()
