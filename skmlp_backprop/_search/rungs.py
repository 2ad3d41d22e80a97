"""The rungs of successive halving, in which networks continue their training."""

from collections import Counter, defaultdict
from itertools import product

from .._estimators.training import make_solver
from .evaluation import TABULAR, Evaluation, checked_last_step
from .fits import StackFit
from .last_steps import last_step
from .stacking import CannotStack


class RungEvaluation(Evaluation):
    """Evaluates the candidates of each rung, if the resource is `max_iter`.

    The candidates of the previous rung continue their training. A candidate whose
    training has stopped keeps its scores.
    """

    def __init__(self, search, *args):
        super().__init__(search, *args)
        self.resource = search.resource
        # Results of the previous rung, by key of the candidate and index of the fold.
        self._before = {}
        # State of the trainings, by indices of candidate and fold.
        self._paused = {}
        self._can_pause = []

    def _fit_and_score_all(self, candidates, splits, context):
        keys = self._keys_of(candidates)
        places = list(product(range(len(candidates)), range(len(splits))))
        self._known, self._paused = {}, {}
        for i, split in places:
            before = self._before.get((keys[i], split), {})
            paused = before.get("paused_fit")
            if paused is None:
                continue
            self._paused[i, split] = paused
            if paused.is_over or paused.max_iter == candidates[i][self.resource]:
                known = {**before, "fit_time": 0.0, "score_time": 0.0}
                self._known[i, split] = known
        out = super()._fit_and_score_all(candidates, splits, context)
        self._before = {
            (keys[i], split): dict(result)
            for (i, split), result in zip(places, out, strict=True)
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
            names = params.keys() - {self.resource}
            key = frozenset((name, id(params[name])) for name in names)
            keys.append((key, n_of[key]))
            n_of[key] += 1
        return keys

    def _make_tasks(self, estimators, groups, n_splits):
        self._can_pause = [self._can_continue(estimator) for estimator in estimators]
        tasks = super()._make_tasks(estimators, groups, n_splits)
        for task in tasks:
            if self._can_pause[task.numbers[0]]:
                task.pauses = True
                task.fit_class = task.fit_class or StackFit
                paused = [self._paused.get((i, task.split)) for i in task.numbers]
                task.paused = None if paused[0] is None else paused
        return tasks

    def _candidates_of(self, group, split, estimators):
        by_origin = defaultdict(list)
        for i in group.numbers:
            if (i, split) not in self._known:
                paused = self._paused.get((i, split))
                origin = _origin(estimators[i], paused) if paused else None
                by_origin[self._can_pause[i], origin].append(i)
        return list(by_origin.values())

    def _can_continue(self, estimator):
        """Whether its training can be continued with more of the resource."""
        try:
            path, last = checked_last_step(estimator)
        except (CannotStack, TypeError, ValueError):
            return False
        if self.resource != max_iter_of(path):
            return False
        if isinstance(last, TABULAR):
            return True
        # A cosine schedule over more epochs differs from the first step on.
        solver = make_solver(last)
        return not (solver.stochastic and solver.schedule.starts_anew)


def _origin(estimator, paused):
    """A key that is equal for candidates that continue together."""
    _, last = last_step(estimator)
    own_draws = None
    if last.random_state is None and not isinstance(last, TABULAR):
        # Without a seed, each stack has drawn its own held-out rows.
        _, draws = paused.state
        own_draws = None if draws.held_out is None else id(draws)
    return id(paused.preparation), own_draws


def max_iter_of(path):
    """Name of the parameter `max_iter` of the last step, with its path."""
    return "__".join(filter(None, (path, "max_iter")))
