"""The rungs of successive halving, in which networks continue their training."""

from collections import Counter

from .._estimators.training import make_solver
from .evaluation import Evaluation
from .fits import TabularTrainer
from .last_steps import last_step


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
        can_pause = [
            self._can_continue(estimator, group)
            for estimator, group in zip(estimators, groups, strict=True)
        ]
        for key, fit in self._keyed(fits):
            i, _ = fit.candidate
            fit.pauses = can_pause[i]
            before = self._before.get(key)
            if before is None or before.paused is None:
                continue
            fit.paused = before.paused
            fit.origin = _origin(estimators[i], groups[i], fit.paused)
            is_over = fit.paused.is_over
            if is_over or fit.paused.max_iter == fit.params[self.resource]:
                fit.result = {**before.result, "fit_time": 0.0, "score_time": 0.0}
                fit.result["paused_fit"] = fit.paused

    def _keep(self, fits):
        for fit in fits:
            fit.paused = fit.result.pop("paused_fit", None)
        self._before = dict(self._keyed(fits))

    def _keyed(self, fits):
        """Yield fits with keys that identify candidate and fold in all rungs.

        A key has the id of each parameter but the resource, whose value may not be
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
        path, last = last_step(estimator)
        if group.trainer is None or self.resource != max_iter_of(path):
            return False
        if group.trainer is TabularTrainer:
            return True
        # A cosine schedule over more epochs differs from the first step on.
        solver = make_solver(last)
        return not (solver.stochastic and solver.schedule.starts_anew)


def _origin(estimator, group, paused):
    """A key that is equal for candidates that continue together."""
    _, last = last_step(estimator)
    own_draws = None
    if last.random_state is None and group.trainer is not TabularTrainer:
        # Without a seed, each stack has drawn its own held-out rows.
        _, draws = paused.state
        own_draws = None if draws.held_out is None else id(draws)
    return id(paused.preparation), own_draws


def max_iter_of(path):
    """Name of the parameter `max_iter` of the last step, with its path."""
    return "__".join(filter(None, (path, "max_iter")))
