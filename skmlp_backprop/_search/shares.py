"""What a process does for a search: it fits and scores shares of the candidates.

A share is of candidates on a fold. Small ones of several folds are trained as one
stack.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from sklearn.base import clone

from .._estimators.sklearn_callbacks import HAS_CALLBACKS
from .._solvers.interruption import abort_when_interrupted
from .last_steps import train_fits
from .scoring import Fold, score_all
from .sklearn_private import _fit_and_score

# Why fits that could have been stacked were not.
_FAILED = "the fit of its stack failed"
_TOO_LARGE = (
    "its stack would be too large, or take batches of its own by random_state where "
    "weights or sparse rows rule that out"
)

# Bytes of rows that wait for others to be trained with.
_MOST_WAITING = 2**26


@dataclass
class Share:
    """What is to be fitted.

    Parameters
    ----------
    split : int
        Number of the fold.

    numbers : list of int
        Numbers of the candidates.

    group : int
        Number of the group that these are, or are some of.

    fit : callable or None
        Makes a :class:`.last_steps.Fit` of them. None if they are to be fitted one by
        one.

    why_alone : str
        Why one that is trained by itself is not in a stack.
    """

    split: int
    numbers: list
    group: int
    fit: Callable | None
    why_alone: str


def configured(estimator, params):
    """A clone with other parameters, which may themselves be estimators."""
    return clone(estimator).set_params(**clone(params, safe=False))


def fit_and_score_bundle(estimator, X, y, works, **settings):
    """Fit and score shares, small ones together.

    Parameters
    ----------
    estimator : estimator
        What the candidates are settings of.

    X, y : array-like
        All of the data.

    works : list of dict
        The shares: parameters of :class:`_Work`.

    **settings
        Of the search, see there and :func:`.scoring.score_all`.

    Returns
    -------
    results : list of list of dict
        Of each share's candidates, as those of scikit-learn's ``_fit_and_score``. The
        time to fit is an equal share of the stack's. `alone` is None, or why there was
        no stack; what else the fit has told is added.
    """
    results, waiting = {}, defaultdict(list)
    for number, work in enumerate(works):
        work = _Work(number, estimator, X, y, **work, **settings)
        work.prepare()
        key = work.fit.key if work.fit else None
        some = waiting[key]
        some.append(work)
        if key is None or sum(w.fit.data.rows.X.nbytes for w in some) > _MOST_WAITING:
            results |= _results_of(waiting.pop(key))
    for some in waiting.values():
        results |= _results_of(some)
    return [results[number] for number in range(len(works))]


def _results_of(works):
    """Results of shares that can be trained together, by their numbers."""
    if works[0].fit is None:
        return {work.number: work.fit_alone() for work in works}
    start = time.time()
    try:
        with abort_when_interrupted():
            trained = train_fits([work.fit for work in works])
    except Exception:
        if len(works) > 1 and works[0].fit.can_be_repeated:
            return {k: v for work in works for k, v in _results_of([work]).items()}
        # Whose error it is, and what it costs by error_score, shows one by one.
        for work in works:
            work.give_up()
        return _results_of(works)
    seconds = (time.time() - start) / sum(len(work.candidates) for work in works)
    return {
        work.number: work.finish(*of_work, seconds)
        for work, of_work in zip(works, trained, strict=True)
    }


class _Work:
    """A share of the candidates, and the fold they are to be fitted and scored on.

    Parameters
    ----------
    number : int
        Which of the bundle's it is.

    estimator, X, y
        As of :func:`fit_and_score_bundle`.

    share : Share
        The share.

    train, test : ndarray of int
        The fold's rows.

    candidates, progress, contexts : list
        Of each candidate its parameters, its numbers among folds and candidates, and
        its callback context.

    fit_params, score_params : dict of str to object
        What `fit` and the scorer are passed besides.

    error_score : "raise" or float
        Score of a candidate whose fit fails.

    **settings
        Of the search, see :func:`.scoring.score_all`.

    Attributes
    ----------
    fit : Fit or None
        What is to be trained, once it is prepared; None for candidates that are to be
        fitted one by one.
    """

    def __init__(
        self,
        number,
        estimator,
        X,
        y,
        *,
        share,
        train,
        test,
        candidates,
        progress,
        contexts,
        fit_params,
        score_params,
        error_score,
        **settings,
    ):
        self.number = number
        self.estimator = estimator
        self.share = share
        self.candidates = candidates
        self.fit = None
        self._why_alone = share.why_alone
        self._data = X, y
        self._of_fold = {
            "train": train,
            "test": test,
            "fit_params": fit_params,
            "score_params": score_params,
        }
        self._one_by_one = list(zip(candidates, progress, contexts, strict=True))
        self._settings = {"error_score": error_score, **settings}
        self._settings_alone = dict(self._settings)
        if not HAS_CALLBACKS:
            del self._settings_alone["caller"]

    def prepare(self):
        """Validate the fold's rows, and fit the transformers of Pipelines."""
        if self.share.fit is None:
            return
        start = time.time()
        estimators = [configured(self.estimator, params) for params in self.candidates]
        self._fold = Fold(estimators[0], *self._data, **self._of_fold)
        rows = self._fold.X_train, self._fold.y_train, self._fold.fit_params
        try:
            with abort_when_interrupted():
                self.fit = self.share.fit(estimators, *rows)
        except Exception:
            self.give_up()
        self._seconds = (time.time() - start) / len(estimators)

    def give_up(self):
        """Have the candidates fitted one by one."""
        self.fit = None
        if len(self.candidates) > 1:
            self._why_alone = _FAILED

    def finish(self, all_trained, n_together, seconds):
        """Score the candidates, which have been trained in so many seconds each."""
        outcomes = self.fit.finish(all_trained, n_together)
        results = score_all(
            self.fit.estimators,
            self._fold,
            self._seconds + seconds,
            self._one_by_one,
            **self._settings,
        )
        why_alone = self._why_alone if len(self.candidates) == 1 else _TOO_LARGE
        return [
            {**result, **outcome, "alone": why_alone if n == 1 else None}
            for result, (n, outcome) in zip(results, outcomes, strict=True)
        ]

    def fit_alone(self):
        """Fit and score the candidates one by one, as scikit-learn's searches do."""
        # An interrupted fit keeps what it has reached: no score of that.
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
                    **self._settings_alone,
                )
                | {"alone": self._why_alone}
                for params, (split_progress, candidate_progress), context in (
                    self._one_by_one
                )
            ]
