"""The fits and scores of a task's candidates on a fold, in the process of the task.

Networks of the same shape are trained as a stack. Tabular models are trained one after
another on the fold's encoded table: their networks are a stack already, and a larger
stack of several candidates would be hardly faster.
"""

import time
from copy import deepcopy
from dataclasses import dataclass

import joblib
from sklearn.base import clone

from .._estimators.ends import warn_of_end
from .last_steps import Preparation, last_step, prepare, share_transformers
from .sklearn_private import (
    _BaseScorer,
    _check_method_params,
    _MultimetricScorer,
    _num_samples,
    _PassthroughScorer,
    _safe_split,
    _score,
)
from .stacking import become_fitted, group_key, prepare_group, train_groups

# Reason why fits were not stacked, although their parameters permit it.
_TOO_LARGE = (
    "its stack would be too large, or take batches of its own by random_state where "
    "weights or sparse rows rule that out"
)


def configured(estimator, params):
    """Clone an estimator and set clones of parameters, which may be estimators."""
    return clone(estimator).set_params(**clone(params, safe=False))


@dataclass
class PausedFit:
    """The state of a candidate's fit on a fold after a rung, for the next rung.

    Parameters
    ----------
    state : (Training, Draws) or PausedEnsemble
        The training, with its sources of random numbers.

    preparation : Preparation or None
        The fold's rows after the transformers of a Pipeline. None without transformers:
        to prepare the rows again takes less memory.

    max_iter : int
        Largest number of iterations of the rung.

    is_over : bool
        Whether the training has stopped, so that more iterations change nothing.
    """

    state: object
    preparation: Preparation | None
    max_iter: int
    is_over: bool


def is_sklearns(scorer):
    """Whether scikit-learn defines the scorer, or all scorers of several metrics."""
    if isinstance(scorer, _MultimetricScorer):
        return all(map(is_sklearns, scorer._scorers.values()))
    if isinstance(scorer, _BaseScorer):
        module = getattr(scorer._score_func, "__module__", None) or ""
        return module.startswith("sklearn.")
    return isinstance(scorer, _PassthroughScorer)


class FoldFit:
    """The candidates of a task on the rows of its fold, prepared for their training.

    A subclass has `prepare_rows`, see :func:`.last_steps.prepare`, `warn_of_end`,
    `why_failed`, the reason for fits one by one after an error, and `train`. The latter
    fits the candidates of several objects with the same key. For each object, it
    returns the result of :meth:`finish` for each candidate.

    Parameters
    ----------
    task : Task
        The task.

    estimator : estimator
        The estimator of the search.

    X, y : array-like
        All of the data.

    settings : dict
        Settings of the search, see :func:`.tasks.run_tasks`.

    Attributes
    ----------
    estimators : list of estimator
        The candidates.

    models : list of estimator
        Their last steps.

    preparation : Preparation
        The training data.

    key : tuple or None
        Equal for objects that can be trained together; None to train this one by
        itself.
    """

    key = None

    def __init__(self, task, estimator, X, y, settings):
        start = time.time()
        self.task, self.X, self.y, self.settings = task, X, y, settings
        self.estimators = [configured(estimator, params) for params in task.params]
        self.models = [last_step(candidate)[1] for candidate in self.estimators]
        lead = self.estimators[0]
        self.rows = _safe_split(lead, X, y, task.train)
        self.fit_params = _check_method_params(X, settings["fit_params"], task.train)
        self.preparation = task.paused[0].preparation if task.paused else None
        if self.preparation is None:
            self.preparation = prepare(
                lead, self.models, *self.rows, self.fit_params, self.prepare_rows
            )
        self.seconds = (time.time() - start) / len(self.estimators)

    def finish(self, i, trained, state, seconds, why_alone):
        """Finish the fit of the i-th candidate.

        Returns
        -------
        outcome : dict
            The time of the fit, the reason if it was not in a stack, and the PausedFit
            if the training can be continued.
        """
        model, preparation = self.models[i], self.preparation
        is_over = trained.training.stop.reason != "max_iter"
        # The end of a rung is no failure to converge, and gets no warning.
        if is_over or not self.task.pauses:
            self.warn_of_end(trained, model)
        if preparation.pipeline is not None:
            share_transformers(self.estimators[i], preparation.pipeline)
        outcome = {"fit_time": self.seconds + seconds, "alone": why_alone}
        if self.task.pauses:
            kept = None if preparation.pipeline is None else preparation
            outcome["paused_fit"] = PausedFit(state, kept, model.max_iter, is_over)
        return outcome

    def score(self, outcomes):
        """Score the fitted candidates; return the results of the task."""
        task, settings = self.task, self.settings
        X, y = self.rows
        weight = self.fit_params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        given = {"X": X, "y": y, "metadata": metadata, "estimator": settings["caller"]}
        # A transformer or a user's scorer may change its input: each gets a new copy.
        has_transformers = self.preparation.pipeline is not None
        may_change = has_transformers or not is_sklearns(settings["scorer"])
        results, rows = {}, None
        for i, outcome in enumerate(outcomes):
            if rows is None or may_change:
                rows = self._rows_to_score()
            task.contexts[i].call_on_fit_task_begin(**given)
            try:
                result = outcome | self._score(i, rows)
            finally:
                task.contexts[i].call_on_fit_task_end(**given)
            if settings["verbose"] > 1:
                _print_result(result, task.params[i], task.progress[i], settings)
            results[task.numbers[i], task.split] = result
        return results

    def _rows_to_score(self):
        """Copies of the rows with the scorer's arguments, for each kind of score."""
        X, test, train = self.X, self.task.test, self.task.train
        params = self.settings["score_params"]
        X_y = _safe_split(self.estimators[0], X, self.y, test, train)
        rows = {"test_scores": (*X_y, _check_method_params(X, params, test))}
        if self.settings["return_train_score"]:
            # The transformers may have changed the rows, as in scikit-learn's searches.
            X_y = deepcopy(self.rows)
            rows["train_scores"] = (*X_y, _check_method_params(X, params, train))
        return rows

    def _score(self, i, rows):
        """Score the i-th candidate as scikit-learn's ``_fit_and_score`` does."""
        scorer, error_score = self.settings["scorer"], self.settings["error_score"]
        n_test_samples = _num_samples(rows["test_scores"][0])
        result = {"fit_error": None, "n_test_samples": n_test_samples}
        start = time.time()
        for name, (X, y, params) in rows.items():
            scores = _score(self.estimators[i], X, y, scorer, params, error_score)
            result[name] = scores
            result.setdefault("score_time", time.time() - start)
        return result


class StackFit(FoldFit):
    """Networks that are trained as a stack; see :class:`FoldFit`."""

    prepare_rows = staticmethod(prepare_group)
    warn_of_end = staticmethod(warn_of_end)
    why_failed = "the fit of its stack failed"

    def __init__(self, task, *search):
        super().__init__(task, *search)
        key = group_key(self.models, self.preparation.data)
        # A training that continues is in no stack with a new training.
        self.key = None if key is None else (key, task.paused is None)

    @staticmethod
    def train(fits):
        """Train the networks in shared stacks; see :class:`FoldFit`."""
        start, paused = time.time(), None
        if fits[0].task.paused:
            paused = {
                id(model): paused_fit.state
                for fit in fits
                for model, paused_fit in zip(fit.models, fit.task.paused, strict=True)
            }
        groups = [(fit.models, fit.preparation.data) for fit in fits]
        all_trained = train_groups(groups, paused)
        seconds = (time.time() - start) / sum(map(len, all_trained))
        return [
            [fit._finish(i, *result, seconds) for i, result in enumerate(trained)]
            for fit, trained in zip(fits, all_trained, strict=True)
        ]

    def _finish(self, i, trained, n_in_stack, seconds):
        become_fitted(self.models[i], trained, self.preparation.features)
        why_alone = self.task.why_alone if len(self.models) == 1 else _TOO_LARGE
        if n_in_stack > 1:
            why_alone = None
        state = trained.training, trained.draws
        return self.finish(i, trained, state, seconds, why_alone)


def _encode_table(models, X, y, **fit_params):
    """Encode a table for all models; return it with the attributes of its columns."""
    encoded = models[0]._encode_table(X, y, **fit_params)
    return encoded, encoded.features


class TabularFit(FoldFit):
    """Tabular models on a table that is encoded once; see :class:`FoldFit`."""

    prepare_rows = staticmethod(_encode_table)
    why_failed = "a fit on the encoded table that it shared failed"

    @staticmethod
    def warn_of_end(trained, model):
        """Warn of a training that did not end as planned."""
        model._warn_of_end(trained)

    @staticmethod
    def train(fits):
        """Train the models one after another; see :class:`FoldFit`."""
        (fit,) = fits
        return [[fit._train(i) for i in range(len(fit.models))]]

    def _train(self, i):
        start, task = time.time(), self.task
        state = task.paused[i].state if task.paused else None
        trained = self.models[i]._fit_encoded(
            self.preparation.data, state, pauses=task.pauses
        )
        seconds = time.time() - start
        return self.finish(i, trained, trained.paused, seconds, task.why_alone)


def _print_result(result, params, progress, settings):
    """Print the line of a candidate, in the format of scikit-learn."""
    (split, n_splits), (candidate, n_candidates) = progress
    verbose = settings["verbose"]
    where = "[CV"
    if verbose > 2:
        where += f" {split + 1}/{n_splits}"
    if verbose > 9:
        where += f"; {candidate + 1}/{n_candidates}"
    where += "] END "
    message = ", ".join(f"{name}={params[name]}" for name in sorted(params))
    message += ";" if params else ""
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
