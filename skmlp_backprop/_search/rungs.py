"""The rungs of successive halving, in which networks continue their training."""

import pickle
from collections import Counter
from functools import partial

# joblib's pickling also handles classes that a script or a notebook defines.
from joblib.externals.loky.backend.reduction import dumps

from .._estimators.training import make_solver, train, train_further
from .evaluation import Evaluation
from .last_steps import Fit, checked_last_step, last_step
from .stacking import CannotStack, check_trainable, warn_of_ends
from .tabular_fits import RungTabularFit, TabularFit, encoding_key, is_tabular


class PausedFit:
    """The state of a candidate's fit on a fold after a rung, for the next rung.

    Parameters
    ----------
    training : Training
        The training of the network.

    draws : Draws
        The sources of its random draws.

    preparation : SharedPreparation or None
        The fold's rows after the transformers of a Pipeline; None without transformers.

    Attributes
    ----------
    max_iter : int
        Largest number of iterations of the rung.

    is_over : bool
        Whether the training has stopped, so that more iterations change nothing.
    """

    def __init__(self, training, draws, preparation):
        self._training = training
        self.draws = draws
        self.preparation = preparation
        self.max_iter = training.solver.max_iter
        self.is_over = training.stop.reason != "max_iter"

    @property
    def training(self):
        """The training of the network."""
        if isinstance(self._training, bytes):
            self._training = pickle.loads(self._training)
        return self._training

    def __getstate__(self):
        """Pickle the training as bytes, which the search need not unpickle."""
        training = self._training
        if not isinstance(training, bytes):
            training = bytes(dumps(training))
        return {**vars(self), "_training": training}


class RungFit(Fit):
    """The candidates of a task, to be trained up to the iterations of a rung.

    Parameters
    ----------
    estimators, X, y, fit_params
        See :class:`.last_steps.Fit`.

    paused_fits : list of PausedFit or None
        The state of each candidate after the previous rung; None to start.

    max_iter : int
        Largest number of iterations of the rung.
    """

    def __init__(self, estimators, X, y, fit_params, paused_fits, max_iter):
        self.paused_fits = paused_fits
        self.max_iter = max_iter
        self.can_be_repeated = paused_fits is None
        super().__init__(estimators, X, y, fit_params)
        if self.key is not None:
            self.key += (self.can_be_repeated,)

    def _prepared(self, X, y, fit_params):
        if self.paused_fits is not None and self.paused_fits[0].preparation is not None:
            return self.paused_fits[0].preparation
        return super()._prepared(X, y, fit_params)

    @classmethod
    def trainer(cls, fits):
        if fits[0].paused_fits is None:
            return train
        paused = {
            id(network): (paused_fit.training, paused_fit.draws)
            for fit in fits
            for network, paused_fit in zip(fit.networks, fit.paused_fits, strict=True)
        }
        max_iter = fits[0].max_iter

        def train_stack(stack, data):
            return train_further(stack, data, [paused[id(e)] for e in stack], max_iter)

        return train_stack

    def finish(self, all_trained, n_together):
        """Make the estimators fitted; add a PausedFit to each result."""
        # The end of a rung is no failure to converge, and gets no warning.
        ended = [
            (network, trained)
            for network, trained in zip(self.networks, all_trained, strict=True)
            if trained.training.stop.reason != "max_iter"
        ]
        warn_of_ends(*zip(*ended, strict=True) if ended else ([], []))
        preparation = self._preparation
        preparation.become_fitted(self.estimators, all_trained)
        kept = None if preparation.pipeline is None else preparation
        return [
            (n, {"paused_fit": PausedFit(trained.training, trained.draws, kept)})
            for n, trained in zip(n_together, all_trained, strict=True)
        ]


class RungEvaluation(Evaluation):
    """Evaluates the candidates of each rung, if the resource is `max_iter`.

    The candidates of the previous rung continue their training. A candidate whose
    training has stopped keeps its scores.

    Parameters
    ----------
    search, X, y, scorers, routed
        See :class:`Evaluation`.

    resource : str
        Name of the parameter that is the resource.
    """

    def __init__(self, search, X, y, scorers, routed, resource):
        super().__init__(search, X, y, scorers, routed)
        self.resource = resource
        # Results of the previous rung, by key of the candidate and index of the fold.
        self._before = {}
        self._keys = []

    def _fit_and_score_all(self, candidates, splits, context):
        self._keys = self._keys_of(candidates)
        out = super()._fit_and_score_all(candidates, splits, context)
        places = [(key, split) for key in self._keys for split in range(len(splits))]
        self._before = {
            place: dict(result) for place, result in zip(places, out, strict=True)
        }
        for result in out:
            result.pop("paused_fit", None)
        return out

    def _keys_of(self, candidates):
        """Keys that identify candidates in all rungs: all parameters but the resource.

        A key has the id of each value, which may not be hashable, and a counter,
        because a grid may have equal candidates.
        """
        keys, n_of = [], Counter()
        for params in candidates:
            key = tuple(
                sorted(
                    (name, id(value))
                    for name, value in params.items()
                    if name != self.resource
                )
            )
            keys.append((key, n_of[key]))
            n_of[key] += 1
        return keys

    def _known(self, candidates, n_splits):
        """The results of the previous rung that are valid in this rung."""
        return {
            (i, split): {**before, "fit_time": 0.0, "score_time": 0.0}
            for i, (key, params) in enumerate(zip(self._keys, candidates, strict=True))
            for split in range(n_splits)
            if (before := self._before.get((key, split))) is not None
            and _holds_for(before.get("paused_fit"), params[self.resource])
        }

    def _pairs(self, estimators, groups, n_splits, known):
        goes_on = [self._can_go_on(estimator) for estimator in estimators]
        pairs = []
        for group, split in super()._pairs(estimators, groups, n_splits, known):
            parts = {}
            for i in group:
                origin = goes_on[i] and self._origin(estimators[i], i, split)
                parts.setdefault(origin, []).append(i)
            pairs += [(part, split) for part in parts.values()]
        return pairs

    def _fit_maker(self, lead, numbers, split, fit_class):
        if not self._can_go_on(lead):
            return fit_class
        paused_fits = [self._paused_fit(i, split) for i in numbers]
        if paused_fits[0] is None:
            paused_fits = None
        if fit_class is TabularFit:
            return partial(RungTabularFit, paused_fits=paused_fits)
        return partial(
            RungFit,
            paused_fits=paused_fits,
            max_iter=last_step(lead)[1].max_iter,
        )

    def _paused_fit(self, i, split):
        return self._before.get((self._keys[i], split), {}).get("paused_fit")

    def _origin(self, estimator, i, split):
        """A key that is equal for candidates that start or continue as a stack."""
        paused_fit = self._paused_fit(i, split)
        if paused_fit is None:
            return "anew"
        if is_tabular(estimator):
            return id(paused_fit.preparation)
        draws = paused_fit.draws
        has_a_seed = last_step(estimator)[1].random_state is not None
        # Without a seed, each stack has drawn its own held-out rows.
        any_draws = has_a_seed or draws.held_out is None
        return id(paused_fit.preparation), None if any_draws else id(draws)

    def _can_go_on(self, estimator):
        """Whether its training can be continued with more of the resource."""
        try:
            path, last = checked_last_step(estimator)
            if is_tabular(last):
                encoding_key(last)
            else:
                check_trainable(last)
            last._validate_params()
        except (CannotStack, ValueError, TypeError):
            return False
        if is_tabular(last):
            return self.resource == max_iter_of(path)
        # A cosine schedule over more epochs differs from the first step on.
        solver = make_solver(last)
        has_one_beginning = not (solver.stochastic and solver.schedule.starts_anew)
        return has_one_beginning and self.resource == max_iter_of(path)


def max_iter_of(path):
    """Name of the parameter `max_iter` of the last step, with its path."""
    return "__".join(filter(None, (path, "max_iter")))


def _holds_for(paused_fit, max_iter):
    """Whether a result is also valid for a rung of `max_iter` iterations."""
    if paused_fit is None:
        return False
    return paused_fit.is_over or paused_fit.max_iter == max_iter
