"""Scores of a fold's fitted candidates, in the format of scikit-learn's searches."""

import time
from copy import deepcopy

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
    """The training and test rows of a fold, with the arguments of `fit` and the scorer.

    Parameters
    ----------
    estimator : estimator
        A candidate. Its tags tell whether X is a kernel matrix.

    X, y : array-like
        All of the data.

    train, test : ndarray of int
        Indices of the rows of the fold.

    fit_params, score_params : dict of str to object
        Further arguments of `fit` and of the scorer, for all rows.
    """

    def __init__(self, estimator, X, y, train, test, fit_params, score_params):
        self._data = estimator, X, y
        self._index = train, test
        self._score_params = score_params
        self.X_train, self.y_train = _safe_split(*self._data, train)
        self.fit_params = _check_method_params(X, fit_params, train)
        weight = self.fit_params.get("sample_weight")
        self.metadata = None if weight is None else {"sample_weight": weight}

    def to_train_score(self):
        """Copies of the training rows after the fit, and the scorer's arguments."""
        params = _check_method_params(self._data[1], self._score_params, self._index[0])
        return deepcopy((self.X_train, self.y_train)), params

    def to_test_score(self):
        """Copies of the test rows of X and y, and the scorer's arguments."""
        train, test = self._index
        params = _check_method_params(self._data[1], self._score_params, test)
        return _safe_split(*self._data, test, train), params


def score_all(estimators, fold, fit_times, one_by_one, **settings):
    """Score the fitted candidates of a fold.

    Parameters
    ----------
    estimators : list of estimator
        The candidates: networks of the same shape, tabular models, or Pipelines that
        end in them.

    fold : Fold
        The fold.

    fit_times : list of float
        Fit time of each candidate, in seconds.

    one_by_one : list of (dict, tuple, context)
        For each candidate, its parameters, its indices of fold and candidate with their
        totals, and its callback context.

    **settings
        Settings of the search: `scorer`, `return_train_score`, `error_score`, `verbose`
        and `caller`.

    Returns
    -------
    results : list of dict
        In the format of scikit-learn's ``_fit_and_score``.
    """
    # A transformer or a user's scorer may change its input: each gets a new copy.
    may_change = _has_transformers(estimators) or not is_sklearns(settings["scorer"])
    results, data = [], None
    for estimator, fit_time, of_one in zip(
        estimators, fit_times, one_by_one, strict=True
    ):
        if data is None or may_change:
            data = {"test_scores": fold.to_test_score()}
            if settings["return_train_score"]:
                data["train_scores"] = fold.to_train_score()
        results.append(
            _score_candidate(estimator, fold, data, fit_time, *of_one, **settings)
        )
    return results


def _has_transformers(estimators):
    return last_step(estimators[0])[0] != ""


def is_sklearns(scorer):
    """Whether scikit-learn defines the scorer, or all scorers of several metrics."""
    if isinstance(scorer, _MultimetricScorer):
        return all(map(is_sklearns, scorer._scorers.values()))
    if isinstance(scorer, _BaseScorer):
        module = getattr(scorer._score_func, "__module__", None) or ""
        return module.startswith("sklearn.")
    return isinstance(scorer, _PassthroughScorer)


def _score_candidate(
    estimator,
    fold,
    data,
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
    """Score a fitted candidate; the result has the keys of scikit-learn."""
    given = {"X": fold.X_train, "y": fold.y_train, "metadata": fold.metadata}
    context.call_on_fit_task_begin(estimator=caller, **given)
    try:
        result = {
            "fit_error": None,
            "n_test_samples": _num_samples(data["test_scores"][0][0]),
            "fit_time": fit_time,
        }
        start = time.time()
        for name, (rows, score_params) in data.items():
            result[name] = _score(estimator, *rows, scorer, score_params, error_score)
            result.setdefault("score_time", time.time() - start)
    finally:
        context.call_on_fit_task_end(estimator=caller, **given)
    if verbose > 1:
        _print_result(result, params, progress, verbose)
    return result


def _print_result(result, params, progress, verbose):
    """Print the line of a candidate, in the format of scikit-learn."""
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
