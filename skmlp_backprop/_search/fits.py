"""The work of a process for a search: fits of candidates on folds, and their scores.

A task has several candidates and a fold. Networks of the same shape are trained as a
stack, small folds as a single stack. Tabular models are trained one after another on
the fold's encoded table: their networks are a stack already, and a larger stack of
several candidates would be hardly faster.
"""

import time
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass

import joblib
import numpy as np
from sklearn.base import clone

from .._estimators.results import warn_of_end
from .._estimators.sklearn_callbacks import HAS_CALLBACKS
from .._solvers.interruption import abort_when_interrupted
from .last_steps import Preparation, last_step, prepare, share_transformers
from .sklearn_private import (
    _BaseScorer,
    _check_method_params,
    _fit_and_score,
    _MultimetricScorer,
    _num_samples,
    _PassthroughScorer,
    _safe_split,
    _score,
)
from .stacking import become_fitted, fold_key, prepare_rows, train_stacks

# Prepared rows of at most this number of bytes wait for other tasks of their stack.
_MAX_WAITING = 2**26
# Reason why fits were not stacked, although their parameters permit it.
_TOO_LARGE = (
    "its stack would be too large, or the seeds differ, which a stack with weights, "
    "sparse rows or large batches does not allow"
)


@dataclass(eq=False)
class Group:
    """Candidates that can be fitted together.

    Parameters
    ----------
    trainer : type or None
        The subclass of :class:`Trainer` that fits them. None for a candidate that
        scikit-learn's function fits.

    why_alone : str or None
        Reason why the candidates can't be stacked.

    can_pause : bool, default=False
        Whether the fit of a candidate can be paused and continued.
    """

    trainer: type | None
    why_alone: str | None
    can_pause: bool = False


@dataclass
class PausedFit:
    """The state of a fit after a rung, for the next rung.

    Parameters
    ----------
    state : (Training, Draws) or PausedEnsemble
        The training, with its sources of random numbers.

    preparation : Preparation or None
        The fold's rows after the transformers of a Pipeline. None without transformers:
        to prepare the rows again takes less memory.

    is_over : bool
        Whether the training has stopped, so that more iterations change nothing.
    """

    state: object
    preparation: Preparation | None
    is_over: bool


@dataclass
class Fit:
    """The fit of a candidate on a fold.

    Parameters
    ----------
    number : int
        Index of the fit in scikit-learn's order: by candidate, then by fold.

    candidate, split : (int, int)
        Pairs (index, total number) of the candidate and of the fold.

    params : dict
        The parameters of the candidate.

    context : CallbackContext
        The callback context.

    pauses : bool, default=False
        Whether the training can be continued later.

    paused : PausedFit or None, default=None
        The training to continue; None for a new training.

    origin : tuple or None, default=None
        Equal for trainings that can continue together; None for a new training.

    result : dict or None, default=None
        The result, once it is known.
    """

    number: int
    candidate: tuple
    split: tuple
    params: dict
    context: object
    pauses: bool = False
    paused: PausedFit | None = None
    origin: tuple | None = None
    result: dict | None = None


@dataclass
class Task:
    """Fits of candidates of a group on a fold.

    Parameters
    ----------
    group : Group
        The group.

    fits : list of Fit
        The fits, which all pause or all end, and all continue or all begin.

    train, test : ndarray of int
        Indices of the rows of the fold.

    why_alone : str
        Reason why a candidate is not in a stack, if it is trained by itself.
    """

    group: Group
    fits: list
    train: np.ndarray
    test: np.ndarray
    why_alone: str


def configured(estimator, params):
    """Clone an estimator and set clones of parameters, which may be estimators."""
    return clone(estimator).set_params(**clone(params, safe=False))


def run_tasks(estimator, X, y, settings, tasks):
    """Fit and score the candidates of tasks.

    Parameters
    ----------
    estimator : estimator
        The estimator of the search.

    X, y : array-like
        All of the data.

    settings : dict
        `scorer`, `fit_params`, `score_params`, `return_train_score`, `error_score` and
        `verbose` as in scikit-learn's ``_fit_and_score``, and the search as `caller`.

    tasks : list of Task
        The tasks. Those with a StackTrainer are of one group.

    Returns
    -------
    results : dict of int to dict
        The result of each fit, by its number, in the format of ``_fit_and_score``. The
        fit time is an equal share of the stack's time. The entry `alone` is None for a
        stacked fit, else the reason. Trainings that can be continued have an entry
        `paused_fit`.
    """
    search = estimator, X, y, settings
    results, waiting = {}, defaultdict(list)
    for task in tasks:
        if task.group.trainer is None:
            results |= _fit_one_by_one(task, *search)
            continue
        try:
            with abort_when_interrupted():
                trainer = task.group.trainer(task, *search)
        except Exception:
            results |= _fit_one_by_one(task, *search, failed=True)
            continue
        if trainer.key is None:
            results |= _train_and_score([trainer], search)
            continue
        trainers = waiting[trainer.key]
        trainers.append(trainer)
        if len(trainers) * trainer.preparation.data.rows.X.nbytes > _MAX_WAITING:
            results |= _train_and_score(waiting.pop(trainer.key), search)
    for trainers in waiting.values():
        results |= _train_and_score(trainers, search)
    return results


def _train_and_score(trainers, search):
    """Results of tasks that can be trained together."""
    try:
        with abort_when_interrupted():
            trainers[0].train(trainers)
    except Exception:
        # After an error, only the failing candidate gets `error_score`. A training
        # that continues may have been changed, and is not tried again.
        results = {}
        for trainer in trainers:
            if len(trainers) > 1 and trainer.paused is None:
                results |= _train_and_score([trainer], search)
            else:
                results |= _fit_one_by_one(trainer.task, *search, failed=True)
        return results
    return {n: result for trainer in trainers for n, result in trainer.score().items()}


def _fit_one_by_one(task, estimator, X, y, settings, failed=False):
    """Fit and score the candidates of a task as scikit-learn's searches do."""
    why_alone = task.why_alone
    if failed and len(task.fits) > 1:
        why_alone = task.group.trainer.why_failed
    results = {}
    for fit in task.fits:
        params = {**settings, "callback_ctx": fit.context}
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
                parameters=fit.params,
                split_progress=fit.split,
                candidate_progress=fit.candidate,
                return_n_test_samples=True,
                return_times=True,
                **params,
            )
        results[fit.number] = result | {"alone": why_alone}
    return results


def is_sklearns(scorer):
    """Whether scikit-learn defines the scorer, or all scorers of several metrics."""
    if isinstance(scorer, _MultimetricScorer):
        return all(map(is_sklearns, scorer._scorers.values()))
    if isinstance(scorer, _BaseScorer):
        module = getattr(scorer._score_func, "__module__", None) or ""
        return module.startswith("sklearn.")
    return isinstance(scorer, _PassthroughScorer)


class Trainer:
    """The candidates of a task, prepared for their training on the fold's rows.

    A subclass has `prepare_rows`, see :func:`.last_steps.prepare`, `warn_of_end`,
    `why_failed`, the reason for fits one by one after an error, and `train`. The latter
    fits the candidates of several trainers with the same key, and calls
    :meth:`end_fit` for each candidate.

    Parameters
    ----------
    task : Task
        The task.

    estimator, X, y, settings
        Those of :func:`run_tasks`.

    Attributes
    ----------
    models : list of estimator
        The last steps of the candidates.

    paused : list of PausedFit or None
        The trainings to continue; None for new trainings.

    preparation : Preparation
        The training data.

    key : tuple or None
        Equal for tasks that can be trained together; None to train this task by itself.
    """

    key = None

    def __init__(self, task, estimator, X, y, settings):
        start = time.time()
        self.task, self.X, self.y, self.settings = task, X, y, settings
        self.pauses = task.fits[0].pauses
        self.paused = None
        if task.fits[0].paused is not None:
            self.paused = [fit.paused for fit in task.fits]
        self._candidates = [configured(estimator, fit.params) for fit in task.fits]
        self.models = [last_step(candidate)[1] for candidate in self._candidates]
        self._rows = _safe_split(self._candidates[0], X, y, task.train)
        self._fit_params = _check_method_params(X, settings["fit_params"], task.train)
        self.preparation = self.paused and self.paused[0].preparation
        if self.preparation is None:
            self.preparation = prepare(
                self._candidates[0], self.prepare_rows, *self._rows, self._fit_params
            )
        self._outcomes = [None] * len(task.fits)
        self._seconds = (time.time() - start) / len(task.fits)

    def end_fit(self, i, trained, state, seconds, why_alone):
        """End the fit of the i-th candidate, whose last step has its weights.

        `state` is that of a PausedFit. `why_alone` is None for a fit in a stack.
        """
        model, preparation = self.models[i], self.preparation
        is_over = trained.training.stop.reason != "max_iter"
        # The end of a rung is no failure to converge, and gets no warning.
        if is_over or not self.pauses:
            self.warn_of_end(trained, model)
        if preparation.pipeline is not None:
            share_transformers(self._candidates[i], preparation.pipeline)
        outcome = {"fit_time": self._seconds + seconds, "alone": why_alone}
        if self.pauses:
            kept = None if preparation.pipeline is None else preparation
            outcome["paused_fit"] = PausedFit(state, kept, is_over)
        self._outcomes[i] = outcome

    def score(self):
        """Score the fitted candidates; return the results of the task."""
        settings, (X, y) = self.settings, self._rows
        weight = self._fit_params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        given = {"X": X, "y": y, "metadata": metadata, "estimator": settings["caller"]}
        # A transformer or a user's scorer may change its input: each gets a new copy.
        has_transformers = self.preparation.pipeline is not None
        may_change = has_transformers or not is_sklearns(settings["scorer"])
        results, rows = {}, None
        for fit, candidate, outcome in zip(
            self.task.fits, self._candidates, self._outcomes, strict=True
        ):
            if rows is None or may_change:
                rows = self._rows_to_score()
            fit.context.call_on_fit_task_begin(**given)
            try:
                result = outcome | self._score(candidate, rows)
            finally:
                fit.context.call_on_fit_task_end(**given)
            if settings["verbose"] > 1:
                _print_result(result, fit, settings["verbose"])
            results[fit.number] = result
        return results

    def _rows_to_score(self):
        """Copies of the rows with the scorer's arguments, for each kind of score."""
        X, test, train = self.X, self.task.test, self.task.train
        params = self.settings["score_params"]
        X_y = _safe_split(self._candidates[0], X, self.y, test, train)
        rows = {"test_scores": (*X_y, _check_method_params(X, params, test))}
        if self.settings["return_train_score"]:
            # The transformers may have changed the rows, as in scikit-learn's searches.
            X_y = deepcopy(self._rows)
            rows["train_scores"] = (*X_y, _check_method_params(X, params, train))
        return rows

    def _score(self, candidate, rows):
        """Score a candidate as scikit-learn's ``_fit_and_score`` does."""
        scorer, error_score = self.settings["scorer"], self.settings["error_score"]
        n_test_samples = _num_samples(rows["test_scores"][0])
        result = {"fit_error": None, "n_test_samples": n_test_samples}
        start = time.time()
        for name, (X, y, params) in rows.items():
            result[name] = _score(candidate, X, y, scorer, params, error_score)
            result.setdefault("score_time", time.time() - start)
        return result


class StackTrainer(Trainer):
    """Trains networks as a stack; see :class:`Trainer`."""

    prepare_rows = staticmethod(prepare_rows)
    warn_of_end = staticmethod(warn_of_end)
    why_failed = "the fit of its stack failed"

    def __init__(self, task, *search):
        super().__init__(task, *search)
        key = fold_key(self.models, self.preparation.data)
        # A training that continues is in no stack with a new training.
        self.key = None if key is None else (key, self.paused is None)

    @staticmethod
    def train(trainers):
        """Train the networks of all trainers in the same stacks."""
        start = time.time()
        places = [(t, i) for t in trainers for i in range(len(t.models))]
        paused = None
        if trainers[0].paused is not None:
            paused = [trainer.paused[i].state for trainer, i in places]
        results = train_stacks(
            [trainer.models[i] for trainer, i in places],
            [trainer.preparation.data for trainer, _ in places],
            paused,
        )
        seconds = (time.time() - start) / len(places)
        for (trainer, i), (trained, n_in_stack) in zip(places, results, strict=True):
            become_fitted(trainer.models[i], trained, trainer.preparation.features)
            why_alone = None
            if n_in_stack == 1:
                is_single = len(trainer.models) == 1
                why_alone = trainer.task.why_alone if is_single else _TOO_LARGE
            state = trained.training, trained.draws
            trainer.end_fit(i, trained, state, seconds, why_alone)


class TabularTrainer(Trainer):
    """Trains tabular models on a table that is encoded once; see :class:`Trainer`."""

    why_failed = "a fit on the encoded table that it shared failed"

    @staticmethod
    def prepare_rows(model, X, y, **fit_params):
        """Encode a table for all models. The parameters are those of `fit`.

        The encoder of the table has the number and the names of the features.
        """
        return model._encode_table(X, y, **fit_params), None

    @staticmethod
    def warn_of_end(trained, model):
        """Warn of a training that did not end as planned."""
        model._warn_of_end(trained)

    @staticmethod
    def train(trainers):
        """Train the models of a trainer one after another."""
        (trainer,) = trainers
        for i, model in enumerate(trainer.models):
            start = time.time()
            state = None if trainer.paused is None else trainer.paused[i].state
            data = trainer.preparation.data
            trained = model._fit_encoded(data, state, pauses=trainer.pauses)
            seconds = time.time() - start
            why_alone = trainer.task.why_alone
            trainer.end_fit(i, trained, trained.paused, seconds, why_alone)


def _print_result(result, fit, verbose):
    """Print the line of a candidate, in the format of scikit-learn."""
    (split, n_splits), (candidate, n_candidates) = fit.split, fit.candidate
    where = "[CV"
    if verbose > 2:
        where += f" {split + 1}/{n_splits}"
    if verbose > 9:
        where += f"; {candidate + 1}/{n_candidates}"
    where += "] END "
    message = ", ".join(f"{name}={fit.params[name]}" for name in sorted(fit.params))
    message += ";" if fit.params else ""
    if verbose > 2:
        message += _scores_in_words(result["test_scores"], result.get("train_scores"))
    seconds = joblib.logger.short_format_time(result["fit_time"] + result["score_time"])
    message += f" total time={seconds}"
    print(where + "." * (80 - len(where) - len(message)) + message)


def _scores_in_words(test, train):
    """Format the test scores of all metrics, with the training scores unless None."""
    if not isinstance(test, dict):
        if train is None:
            return f", score={test:.3f}"
        return f", score=(train={train:.3f}, test={test:.3f})"
    words = ""
    for name in sorted(test):
        on_train = "" if train is None else f"train={train[name]:.3f}, "
        words += f" {name}: ({on_train}test={test[name]:.3f})"
    return words
