"""The tasks of a search's processes, which fit and score candidates on folds.

A task has several candidates and a fold. Small tasks of several folds are trained as a
single stack.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from .._estimators.sklearn_callbacks import HAS_CALLBACKS
from .._solvers.interruption import abort_when_interrupted
from .sklearn_private import _fit_and_score

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

    fit_class : type or None
        The subclass of :class:`.fits.FoldFit` that fits the candidates together. None
        if scikit-learn's function fits them one by one.

    why_alone : str or None
        Reason why a candidate is not in a stack, if it is trained by itself.

    pauses : bool, default=False
        Whether the trainings can be continued later.

    paused : list of PausedFit, default=None
        The training of each candidate to continue; None for new trainings.

    train, test : ndarray of int, default=None
        Indices of the rows of the fold.

    params : list of dict, default=None
        The parameters of each candidate.

    contexts : list of CallbackContext, default=None
        The callback context of each candidate.

    progress : list of ((int, int), (int, int)), default=None
        Indices of the fold and of each candidate, both with their totals.
    """

    split: int
    numbers: list
    group: int
    fit_class: type | None
    why_alone: str | None
    pauses: bool = False
    paused: list | None = None
    train: np.ndarray = None
    test: np.ndarray = None
    params: list = None
    contexts: list = None
    progress: list = None


def run_tasks(estimator, X, y, settings, tasks):
    """Fit and score the candidates of tasks; small tasks are trained together.

    Parameters
    ----------
    estimator : estimator
        The estimator of the search.

    X, y : array-like
        All of the data.

    settings : dict
        Arguments of scikit-learn's ``_fit_and_score``: `scorer`, `fit_params`,
        `score_params`, `return_train_score`, `error_score`, `verbose`, `caller`.

    tasks : list of Task
        The tasks.

    Returns
    -------
    results : dict of (int, int) to dict
        For the indices of each candidate and fold, the result in the format of
        ``_fit_and_score``. The fit time is an equal share of the stack's time. The
        entry `alone` is None for a stacked fit, else the reason. Trainings that can be
        continued have an entry `paused_fit`.
    """
    search = estimator, X, y, settings
    results, waiting = {}, defaultdict(list)
    for task in tasks:
        if task.fit_class is None:
            results |= _fit_one_by_one(task, *search)
            continue
        try:
            with abort_when_interrupted():
                fit = task.fit_class(task, *search)
        except Exception:
            results |= _fit_one_by_one(task, *search, failed=True)
            continue
        fits = waiting[fit.key]
        fits.append(fit)
        is_alone = fit.key is None
        if is_alone or len(fits) * fit.preparation.data.rows.X.nbytes > _MOST_WAITING:
            results |= _train_and_score(waiting.pop(fit.key), search)
    for fits in waiting.values():
        results |= _train_and_score(fits, search)
    return results


def _train_and_score(fits, search):
    """Results of fits that can be trained together."""
    try:
        with abort_when_interrupted():
            outcomes = fits[0].train(fits)
    except Exception:
        # After an error, only the failing candidate gets `error_score`. A training
        # that continues may have been changed, and is not tried again.
        results = {}
        for fit in fits:
            if len(fits) > 1 and not fit.task.paused:
                results |= _train_and_score([fit], search)
            else:
                results |= _fit_one_by_one(fit.task, *search, failed=True)
        return results
    results = {}
    for fit, of_fit in zip(fits, outcomes, strict=True):
        results |= fit.score(of_fit)
    return results


def _fit_one_by_one(task, estimator, X, y, settings, failed=False):
    """Fit and score the candidates of a task as scikit-learn's searches do."""
    why_alone = task.why_alone
    if failed and len(task.numbers) > 1:
        why_alone = task.fit_class.why_failed
    results = {}
    for i, number in enumerate(task.numbers):
        split_progress, candidate_progress = task.progress[i]
        params = {**settings, "callback_ctx": task.contexts[i]}
        if not HAS_CALLBACKS:
            del params["callback_ctx"], params["caller"]
        # An interrupted fit keeps its weights without an error. The search must raise.
        with abort_when_interrupted():
            result = _fit_and_score(
                clone(estimator),
                X,
                y,
                train=task.train,
                test=task.test,
                parameters=task.params[i],
                split_progress=split_progress,
                candidate_progress=candidate_progress,
                return_n_test_samples=True,
                return_times=True,
                **params,
            )
        results[number, task.split] = result | {"alone": why_alone}
    return results
