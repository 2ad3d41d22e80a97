"""Scores on Dask collections, from sums over their chunks."""

from dataclasses import dataclass

import numpy as np
from dask import delayed
from sklearn.metrics import accuracy_score

from .chunks import bind


def accuracy(estimator, compute, X, y, sample_weight):
    """Share of the rows that are classified correctly.

    Parameters
    ----------
    estimator : BackpropMLPClassifier
        The fitted local estimator.

    compute : callable
        Computes a list of Delayed.

    X, y, sample_weight : Dask collection
        The data; `sample_weight` may be None.

    Returns
    -------
    accuracy : float
        From 0 to 1. With multilabel targets, a row is correct if all its labels are.
    """
    sums = compute(_of_chunks(_hits, estimator, X, y, sample_weight))
    hits, weights = np.sum([s for s in sums if s is not None], axis=0)
    return float(hits / weights)


def r2(estimator, compute, X, y, sample_weight):
    """R2 of the predictions, averaged over the columns of y.

    Parameters
    ----------
    estimator : BackpropMLPRegressor
        The fitted local estimator.

    compute, X, y, sample_weight
        As for :func:`accuracy`.

    Returns
    -------
    r2 : float
        At most 1; nan with fewer than two rows, as in scikit-learn.
    """
    of_chunks = compute(_of_chunks(_squares, estimator, X, y, sample_weight))
    return _r2(_merged([s for s in of_chunks if s is not None]))


def _of_chunks(function, estimator, X, y, sample_weight):
    shared = delayed(estimator, traverse=False)
    of_chunk = delayed(_unless_empty)
    return [of_chunk(function, shared, *chunk) for chunk in bind(X, y, sample_weight)]


def _unless_empty(function, estimator, X, y, sample_weight=None):
    if X.shape[0] == 0:
        return None
    if sample_weight is not None:
        sample_weight = np.asarray(sample_weight)
    return function(estimator, X, np.asarray(y), sample_weight)


def _hits(estimator, X, y, sample_weight):
    hits = accuracy_score(
        y, estimator.predict(X), normalize=False, sample_weight=sample_weight
    )
    return float(hits), float(len(y) if sample_weight is None else sample_weight.sum())


@dataclass
class _Squares:
    """Weighted sums over rows of squared errors and of squared deviations of y."""

    n_rows: int
    weight: float
    errors: np.ndarray
    mean: np.ndarray
    about_mean: np.ndarray


def _squares(estimator, X, y, sample_weight):
    y = y.reshape(len(y), -1).astype(float)
    errors = np.square(y - estimator.predict(X).reshape(y.shape))
    w = np.ones(len(y)) if sample_weight is None else sample_weight
    weight = float(w.sum())
    mean = w @ y / weight if weight else np.zeros(y.shape[1])
    return _Squares(len(y), weight, w @ errors, mean, w @ np.square(y - mean))


def _merged(squares):
    """Merge the sums of all chunks without differences of large sums, for precision."""
    weights = [s.weight for s in squares]
    means = np.array([s.mean for s in squares])
    mean = np.average(means, axis=0, weights=weights)
    between = weights @ np.square(means - mean)
    return _Squares(
        sum(s.n_rows for s in squares),
        sum(weights),
        sum(s.errors for s in squares),
        mean,
        between + sum(s.about_mean for s in squares),
    )


def _r2(squares):
    if squares.n_rows < 2:
        return float("nan")
    errors, about_mean = squares.errors, squares.about_mean
    # A constant column scores 1 if it is predicted exactly, else 0.
    constant = np.where(errors == 0, 1.0, 0.0)
    scores = np.where(
        about_mean == 0, constant, 1 - errors / np.where(about_mean, about_mean, 1)
    )
    return float(scores.mean())
