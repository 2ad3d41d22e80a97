"""Fits of tabular models on a fold, which share its encoded table.

The networks of an ensemble are a stack already. A larger stack, of several candidates,
would be hardly faster, so that the candidates are trained one by one.
"""

import time
from dataclasses import dataclass

import joblib

from .._tabular.classifier import TabularMLPClassifier
from .._tabular.regressor import TabularMLPRegressor
from .._tabular.training import PausedEnsemble
from .last_steps import SharedPreparation, last_step, last_steps
from .stacking import CannotStack


def is_tabular(estimator):
    """Whether an estimator, or the last step of a Pipeline, is a tabular model."""
    _, last = last_step(estimator)
    return isinstance(last, (TabularMLPClassifier, TabularMLPRegressor))


def why_alone(estimator):
    """Return the reason why the fits of a tabular model are made one by one."""
    name = type(last_step(estimator)[1]).__name__
    return (
        f"the networks of a {name} are a stack by themselves; its fits on a fold share "
        "the encoded table"
    )


def encoding_key(model):
    """Return a key that is equal for tabular models that encode a table alike.

    Raises
    ------
    CannotStack
        If the model can't be fitted to an encoded table. The message is the reason.
    """
    name = type(model).__name__
    if type(model) not in (TabularMLPClassifier, TabularMLPRegressor):
        raise CannotStack(f"{name} is a subclass, whose fit may be its own")
    if hasattr(model, "_skl_callbacks"):
        raise CannotStack("it has callbacks")
    return type(model), joblib.hash((model.categorical_features, model.n_bins))


class TabularFit:
    """Tabular models, or Pipelines that end in them, on a fold that is encoded once.

    It has the methods and attributes of :class:`.last_steps.Fit`.

    Parameters
    ----------
    estimators : list of estimator
        Tabular models with the same :func:`encoding_key`, or Pipelines that differ only
        in such last steps.

    X, y, fit_params
        See :class:`.last_steps.SharedPreparation`.
    """

    key = None
    can_be_repeated = True

    def __init__(self, estimators, X, y, fit_params):
        self.estimators = estimators
        self.seconds = []
        self.preparation = self._prepared(X, y, fit_params)

    def _prepared(self, X, y, fit_params):
        return SharedPreparation(self.estimators, X, y, fit_params, _encode_table)

    def train(self):
        """Fit the tabular models; return the arguments of :meth:`finish`."""
        outcomes = []
        for number, model in enumerate(last_steps(self.estimators)):
            start = time.time()
            outcomes.append(self._fit(number, model))
            self.seconds.append(time.time() - start)
        return outcomes, [1] * len(outcomes)

    def _fit(self, number, model):
        """Fit a tabular model; return the further entries of its result."""
        trained = model._fit_encoded(self.preparation.data)
        model._warn_of_end(trained)
        return {}

    def finish(self, outcomes, n_together):
        """Make the Pipelines fitted; see :meth:`.last_steps.Fit.finish`."""
        self.preparation.share_transformers(self.estimators)
        return list(zip(n_together, outcomes, strict=True))


@dataclass
class PausedTabularFit:
    """The state of a candidate's fit on a fold after a rung, for the next rung.

    Parameters
    ----------
    ensemble : PausedEnsemble
        The training of the networks.

    preparation : SharedPreparation or None
        The encoded table and the transformers of a Pipeline; None without transformers:
        to encode the table again takes less memory.

    max_iter : int
        Largest number of epochs of the rung.

    is_over : bool
        Whether the training has stopped, so that more epochs change nothing.
    """

    ensemble: PausedEnsemble
    preparation: SharedPreparation | None
    max_iter: int
    is_over: bool


class RungTabularFit(TabularFit):
    """The tabular models of a task, to be trained up to the epochs of a rung.

    Parameters
    ----------
    estimators, X, y, fit_params
        See :class:`TabularFit`.

    paused_fits : list of PausedTabularFit or None
        The state of each candidate after the previous rung; None to start.
    """

    def __init__(self, estimators, X, y, fit_params, paused_fits):
        self.paused_fits = paused_fits
        super().__init__(estimators, X, y, fit_params)

    def _prepared(self, X, y, fit_params):
        if self.paused_fits is not None and self.paused_fits[0].preparation is not None:
            return self.paused_fits[0].preparation
        return super()._prepared(X, y, fit_params)

    def _fit(self, number, model):
        paused = None if self.paused_fits is None else self.paused_fits[number].ensemble
        trained = model._fit_encoded(self.preparation.data, paused, pauses=True)
        is_over = trained.training.stop.reason != "max_iter"
        if is_over:
            # The end of a rung is no failure to converge, and gets no warning.
            model._warn_of_end(trained)
        kept = None if self.preparation.pipeline is None else self.preparation
        return {
            "paused_fit": PausedTabularFit(
                trained.paused, kept, model.max_iter, is_over
            )
        }


def _encode_table(models, X, y, **fit_params):
    """Encode a table for all models; return it with the attributes of its columns."""
    encoded = models[0]._encode_table(X, y, **fit_params)
    return encoded, encoded.features
