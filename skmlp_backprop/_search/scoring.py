"""Scores of the fitted candidates of a fold, whose networks predict in one pass."""

import time
from contextlib import contextmanager

import joblib

from .._estimators.foresight import remembering
from .last_steps import last_step, last_steps
from .sklearn_private import (
    _check_method_params,
    _num_samples,
    _safe_split,
    _score,
)
from .transformed import TransformedOnce, can_stand_in

# Logits that are held at a time: some 30 MB.
_MOST_LOGITS = 2**22


class Fold:
    """A fold's data and parameters, cut to the training and the test rows."""

    def __init__(self, estimator, X, y, train, test, fit_params, score_params):
        self.X_train, self.y_train = _safe_split(estimator, X, y, train)
        self.X_test, self.y_test = _safe_split(estimator, X, y, test, train)
        self.fit_params = _check_method_params(X, fit_params, train)
        self.score_params_train = _check_method_params(X, score_params, train)
        self.score_params_test = _check_method_params(X, score_params, test)
        weight = self.fit_params.get("sample_weight")
        self.metadata = None if weight is None else {"sample_weight": weight}


def score_all(estimators, fold, fit_time, one_by_one, **settings):
    """Score the fitted candidates of a fold, as scikit-learn's searches do.

    Parameters
    ----------
    estimators : list of estimator
        The candidates: networks of one shape, or Pipelines that end in such.

    fold : Fold
        The data.

    fit_time : float
        Seconds of the fit of each.

    one_by_one : list of (dict, tuple, context)
        For each its parameters, its numbers among folds and candidates, and its
        callback context.

    **settings
        Of the search: `scorer`, `return_train_score`, `error_score`, `verbose` and
        `caller`.

    Returns
    -------
    results : list of dict
        As those of scikit-learn's ``_fit_and_score``. The time to score has an equal
        share of what was computed for all at once.
    """
    results = []
    for part in _parts(estimators, fold):
        with _foreseen(estimators[part], fold, settings) as (some, foresight):
            results += [
                _score_candidate(one, fold, fit_time, foresight, *of_one, **settings)
                for one, of_one in zip(some, one_by_one[part], strict=True)
            ]
    return results


def _parts(estimators, fold):
    """Slices of as many candidates as logits may be held of at a time."""
    n_rows = _num_samples(fold.X_train) + _num_samples(fold.X_test)
    n_logits = n_rows * last_step(estimators[0])[1].n_outputs_
    most = max(1, _MOST_LOGITS // n_logits)
    return [slice(i, i + most) for i in range(0, len(estimators), most)]


@contextmanager
def _foreseen(estimators, fold, settings):
    """Let networks know what they will be asked for.

    Yields
    ------
    estimators : list of estimator
        The candidates; or what may be scored in place of Pipelines.

    seconds : float
        Each one's share of the time for the test rows.
    """
    lead = estimators[0]
    has_transformers = bool(last_step(lead)[0])
    has_params = fold.score_params_test or fold.score_params_train
    must_ask = has_transformers and (
        has_params or not can_stand_in(lead, settings["scorer"])
    )
    if len(estimators) == 1 or must_ask:
        yield estimators, 0.0
        return
    with remembering(last_steps(estimators)) as foresee:
        if has_transformers:
            transformers = TransformedOnce(lead)
            estimators = [transformers.before_the_last_step_of(e) for e in estimators]
            foresee = transformers.then(foresee)
        start = time.time()
        foresee(fold.X_test)
        seconds = time.time() - start
        if settings["return_train_score"]:
            foresee(fold.X_train)
        yield estimators, seconds / len(estimators)


def _score_candidate(
    estimator,
    fold,
    fit_time,
    foresight,
    params,
    progress,
    context,
    *,
    scorer,
    return_train_score,
    error_score,
    verbose,
    caller,
):
    """Score a fitted candidate; the results' keys are scikit-learn's."""
    data = {"X": fold.X_train, "y": fold.y_train, "metadata": fold.metadata}
    context.call_on_fit_task_begin(estimator=caller, **data)
    try:
        start = time.time()
        test = fold.X_test, fold.y_test, scorer, fold.score_params_test
        result = {
            "fit_error": None,
            "test_scores": _score(estimator, *test, error_score),
            "n_test_samples": _num_samples(fold.X_test),
            "fit_time": fit_time,
            "score_time": foresight + time.time() - start,
        }
        if return_train_score:
            train = fold.X_train, fold.y_train, scorer, fold.score_params_train
            result["train_scores"] = _score(estimator, *train, error_score)
    finally:
        context.call_on_fit_task_end(estimator=caller, **data)
    if verbose > 1:
        _print_result(result, params, progress, verbose)
    return result


def _print_result(result, params, progress, verbose):
    """Print a candidate's line, the same as scikit-learn's."""
    (split, n_splits), (candidate, n_candidates) = progress
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
    """One score, or those of several scorers, with the training's if there are any."""
    if not isinstance(test, dict):
        if train is None:
            return f", score={test:.3f}"
        return f", score=(train={train:.3f}, test={test:.3f})"
    words = ""
    for name in sorted(test):
        on_train = "" if train is None else f"train={train[name]:.3f}, "
        words += f" {name}: ({on_train}test={test[name]:.3f})"
    return words
