"""The tasks of a search's processes, which fit and score candidates on folds.

A task has several candidates and a fold. Small tasks of several folds are trained as a
single stack.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from .._estimators.sklearn_callbacks import HAS_CALLBACKS
from .._solvers.interruption import abort_when_interrupted
from .last_steps import train_fits
from .scoring import Fold, score_all
from .sklearn_private import _fit_and_score

# Reasons why fits were not stacked, although their parameters permit it.
_FAILED = "the fit of its stack failed"
_FAILED_ON_TABLE = "a fit on the encoded table that it shared failed"
_TOO_LARGE = (
    "its stack would be too large, or take batches of its own by random_state where "
    "weights or sparse rows rule that out"
)

# Prepared rows of at most this number of bytes wait for other tasks of their stack.
_MOST_WAITING = 2**26


@dataclass
class Task:
    """Candidates to fit and score on a fold.

    Parameters
    ----------
    split : int
        Index of the fold.

    numbers : list of int
        Indices of the candidates.

    group : int
        Index of the candidates' group.

    make_fit : callable or None
        Makes a :class:`.last_steps.Fit` of the candidates. None if the candidates are
        fitted one by one.

    why_alone : str
        Reason why a candidate is not in a stack, if it is trained by itself.

    is_stack : bool
        Whether the candidates are trained as a stack, if at all together.

    train, test : ndarray of int, default=None
        Indices of the rows of the fold.

    candidates : list of (dict, tuple, context), default=None
        For each candidate, its parameters, its indices of fold and candidate with their
        totals, and its callback context.
    """

    split: int
    numbers: list
    group: int
    make_fit: Callable | None
    why_alone: str
    is_stack: bool = True
    train: np.ndarray = None
    test: np.ndarray = None
    candidates: list = None


def configured(estimator, params):
    """Clone an estimator and set clones of parameters, which may be estimators."""
    return clone(estimator).set_params(**clone(params, safe=False))


def run_tasks(estimator, X, y, tasks, *, fit_params, score_params, **settings):
    """Fit and score the candidates of tasks; small tasks are trained together.

    Parameters
    ----------
    estimator : estimator
        The estimator of the search.

    X, y : array-like
        All of the data.

    tasks : list of Task
        The tasks.

    fit_params, score_params : dict of str to object
        Further arguments of `fit` and of the scorer.

    **settings
        Settings of the search, see :func:`.scoring.score_all`.

    Returns
    -------
    results : list of list of dict
        For each task, the results of its candidates in the format of scikit-learn's
        ``_fit_and_score``. The fit time is an equal share of the stack's time. The
        entry `alone` is None for a stacked fit, else the reason. The class of the fit
        may add entries.
    """
    results, waiting = {}, defaultdict(list)
    for number, task in enumerate(tasks):
        params = {"fit_params": fit_params, "score_params": score_params}
        running = _RunningTask(number, task, estimator, X, y, params, settings)
        running.prepare()
        key = running.fit.key if running.fit else None
        some = waiting[key]
        some.append(running)
        if key is None or sum(t.fit.data.rows.X.nbytes for t in some) > _MOST_WAITING:
            results |= _results_of(waiting.pop(key))
    for some in waiting.values():
        results |= _results_of(some)
    return [results[number] for number in range(len(tasks))]


def _results_of(tasks):
    """Results of tasks that can be trained together, by index of the task."""
    if tasks[0].fit is None:
        return {task.number: task.fit_one_by_one() for task in tasks}
    start = time.time()
    try:
        with abort_when_interrupted():
            trained = train_fits([task.fit for task in tasks])
    except Exception:
        if len(tasks) > 1 and tasks[0].fit.can_be_repeated:
            return {k: v for task in tasks for k, v in _results_of([task]).items()}
        # The fits are repeated one by one: only the failing candidate gets
        # `error_score`.
        for task in tasks:
            task.give_up()
        return _results_of(tasks)
    seconds = (time.time() - start) / sum(len(t.task.candidates) for t in tasks)
    return {
        task.number: task.score(*of_task, seconds)
        for task, of_task in zip(tasks, trained, strict=True)
    }


class _RunningTask:
    """A task in the process that runs it.

    Parameters
    ----------
    number : int
        Index of the task in the process.

    task : Task
        The task.

    estimator, X, y, settings
        See :func:`run_tasks`.

    params : dict
        `fit_params` and `score_params`.

    Attributes
    ----------
    fit : Fit or None
        The prepared candidates. None before :meth:`prepare`, and if the candidates are
        fitted one by one.
    """

    def __init__(self, number, task, estimator, X, y, params, settings):
        self.number = number
        self.task = task
        self.estimator = estimator
        self.fit = None
        self._why_alone = task.why_alone
        self._data = X, y
        self._of_fold = {"train": task.train, "test": task.test, **params}
        self._settings = settings

    def prepare(self):
        """Validate the rows of the fold, and fit the transformers of Pipelines."""
        if self.task.make_fit is None:
            return
        start = time.time()
        estimators = [
            configured(self.estimator, params) for params, _, _ in self.task.candidates
        ]
        self._fold = Fold(estimators[0], *self._data, **self._of_fold)
        rows = self._fold.X_train, self._fold.y_train, self._fold.fit_params
        try:
            with abort_when_interrupted():
                self.fit = self.task.make_fit(estimators, *rows)
        except Exception:
            self.give_up()
        self._seconds = (time.time() - start) / len(estimators)

    def give_up(self):
        """Drop the stack: the candidates will be fitted one by one."""
        self.fit = None
        if len(self.task.candidates) > 1:
            self._why_alone = _FAILED if self.task.is_stack else _FAILED_ON_TABLE

    def score(self, all_trained, n_together, seconds):
        """Score the trained candidates; `seconds` is the training time of each."""
        outcomes = self.fit.finish(all_trained, n_together)
        all_seconds = self.fit.seconds or [seconds] * len(outcomes)
        results = score_all(
            self.fit.estimators,
            self._fold,
            [self._seconds + of_one for of_one in all_seconds],
            self.task.candidates,
            **self._settings,
        )
        is_single = len(self.task.candidates) == 1 or not self.task.is_stack
        why_alone = self._why_alone if is_single else _TOO_LARGE
        return [
            {**result, **outcome, "alone": why_alone if n == 1 else None}
            for result, (n, outcome) in zip(results, outcomes, strict=True)
        ]

    def fit_one_by_one(self):
        """Fit and score the candidates as scikit-learn's searches do."""
        settings = dict(self._settings)
        if not HAS_CALLBACKS:
            del settings["caller"]
        # An interrupted fit keeps its weights without an error. The search must raise.
        with abort_when_interrupted():
            return [
                _fit_and_score(
                    clone(self.estimator),
                    *self._data,
                    parameters=params,
                    split_progress=split_progress,
                    candidate_progress=candidate_progress,
                    **({"callback_ctx": context} if HAS_CALLBACKS else {}),
                    return_n_test_samples=True,
                    return_times=True,
                    **self._of_fold,
                    **settings,
                )
                | {"alone": self._why_alone}
                for params, (split_progress, candidate_progress), context in (
                    self.task.candidates
                )
            ]
