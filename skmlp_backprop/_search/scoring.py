"""Scores of the fitted candidates of a fold, as scikit-learn's searches give them."""

import time

import joblib

from .last_steps import last_step
from .sklearn_private import (
    _BaseScorer,
    _check_method_params,
    _MultimetricScorer,
    _num_samples,
    _PassthroughScorer,
    _safe_split,
    _score,
)


class Fold:
    """A fold's data and parameters, cut to the training and the test rows.

    Parameters
    ----------
    estimator : estimator
        One of the candidates, which may ask for rows and columns of a kernel.

    X, y : array-like
        All of the data.

    train, test : ndarray of int
        The fold's rows.

    fit_params, score_params : dict of str to object
        What `fit` and the scorer are passed besides, for all rows.
    """

    def __init__(self, estimator, X, y, train, test, fit_params, score_params):
        self._data = estimator, X, y
        self._index = train, test
        self.X_train, self.y_train = self.train_rows()
        self.fit_params = _check_method_params(X, fit_params, train)
        self.score_params_train = _check_method_params(X, score_params, train)
        self.score_params_test = _check_method_params(X, score_params, test)
        weight = self.fit_params.get("sample_weight")
        self.metadata = None if weight is None else {"sample_weight": weight}

    def train_rows(self):
        """The training rows of X and y, copied."""
        return _safe_split(*self._data, self._index[0])

    def test_rows(self):
        """The test rows of X and y, copied."""
        train, test = self._index
        return _safe_split(*self._data, test, train)


def score_all(estimators, fold, fit_time, one_by_one, **settings):
    """Score the fitted candidates of a fold.

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
        As those of scikit-learn's ``_fit_and_score``.
    """
    rows = fold.test_rows()
    # A transformer, or a scorer of the user's, may change the rows that it is given.
    may_change = _has_transformers(estimators) or not _is_sklearns(settings["scorer"])
    results = []
    for estimator, of_one in zip(estimators, one_by_one, strict=True):
        results.append(
            _score_candidate(estimator, fold, rows, fit_time, *of_one, **settings)
        )
        if may_change and len(results) < len(estimators):
            rows = fold.test_rows()
    return results


def _has_transformers(estimators):
    return last_step(estimators[0])[0] != ""


def _is_sklearns(scorer):
    """Whether a scorer is one of scikit-learn's, or several of these."""
    if isinstance(scorer, _MultimetricScorer):
        return all(map(_is_sklearns, scorer._scorers.values()))
    if isinstance(scorer, _BaseScorer):
        return scorer._score_func.__module__.startswith("sklearn.")
    return isinstance(scorer, _PassthroughScorer)


def _score_candidate(
    estimator,
    fold,
    test_rows,
    fit_time,
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
        params_of_test = fold.score_params_test
        result = {
            "fit_error": None,
            "test_scores": _score(
                estimator, *test_rows, scorer, params_of_test, error_score
            ),
            "n_test_samples": _num_samples(test_rows[0]),
            "fit_time": fit_time,
            "score_time": time.time() - start,
        }
        if return_train_score:
            rows = fold.train_rows()
            params_of_train = fold.score_params_train
            result["train_scores"] = _score(
                estimator, *rows, scorer, params_of_train, error_score
            )
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
