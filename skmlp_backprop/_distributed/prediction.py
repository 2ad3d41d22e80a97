"""Predictions and scores of Dask collections, chunk by chunk."""

import dask.array as da
import numpy as np
import pandas as pd
from dask import delayed
from dask.dataframe.utils import make_meta
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.utils import check_array

from .._estimators.target_checks import check_scored
from .._estimators.weighting import checked_sample_weights
from .chunks import delayed_chunks, is_table, refuse_other_lengths, whole_rows
from .orders import hash_indexes


def predict_lazily(estimator, method, X):
    """Make a Dask Array of predictions, without computing it.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        The fitted local estimator.

    method : str
        Name of the method that predicts.

    X : Dask Array or DataFrame of shape (n_rows, n_features)
        The samples.

    Returns
    -------
    predictions : Dask Array
        The predictions, in chunks of the same rows as X.

    Raises
    ------
    ValueError
        If X is not two-dimensional, or has other features than the estimator was fitted
        on.
    """
    if X.ndim != 2:
        check_array(np.empty((1,) * X.ndim), estimator=estimator)
    like_X = _row_like(X) if is_table(X) else np.zeros((1, X.shape[1]), X.dtype)
    empty = getattr(estimator, method)(like_X)[:0]
    # The graph holds the estimator once, instead of once in each task.
    shared = delayed(estimator, traverse=False)
    if is_table(X):
        predict = delayed(_predict_chunk)
        shape = (np.nan, *empty.shape[1:])
        arrays = [
            da.from_delayed(predict(chunk, shared, method, empty), shape, meta=empty)
            for chunk in delayed_chunks(X)
        ]
        return da.concatenate(arrays, allow_unknown_chunksizes=True)
    return whole_rows(X).map_blocks(
        _predict_chunk,
        shared,
        method,
        empty,
        chunks=(X.chunks[0], *empty.shape[1:]),
        drop_axis=[1] if empty.ndim == 1 else [],
        meta=empty,
    )


def _row_like(X):
    """A row of zeros with the columns of a table, and the precision of its numbers."""
    like_X = make_meta(X)
    dtype = np.float32 if like_X.to_numpy().dtype == np.float32 else np.float64
    return pd.DataFrame(np.zeros((1, X.shape[1]), dtype), columns=like_X.columns)


def _predict_chunk(X, estimator, method, empty):
    return getattr(estimator, method)(X) if X.shape[0] > 0 else empty


def call_unless_empty(function, estimator, X, y, sample_weight=None):
    """Call a function of a computed chunk.

    Returns
    -------
    hashes : tuple
        See :func:`.orders.hash_indexes`.

    result : object
        The result of the function.

    None for a chunk without rows.
    """
    refuse_other_lengths(X, y, sample_weight)
    if X.shape[0] == 0:
        return None
    # A message has the number of a row within the chunk. The client compares the order
    # with that of X.
    check_scored(estimator, None, y, sample_weight, "a chunk of y")
    hashes = hash_indexes(X, y, sample_weight)
    if sample_weight is not None:
        sample_weight = checked_sample_weights(X, sample_weight, allow_all_zero=True)
    y = y if sparse.issparse(y) else np.asarray(y)
    return hashes, function(estimator, X, y, sample_weight)


def hits(estimator, X, y, sample_weight):
    """Weight of the rows that are classified correctly, and weight of all rows."""
    predicted = estimator.predict(X)
    if sample_weight is not None and not sample_weight.any():
        # Scikit-learn refuses weights of 0, but those of other chunks may be positive.
        # So y is checked without them.
        accuracy_score(y, predicted)
        return 0.0, 0.0
    correct = accuracy_score(y, predicted, normalize=False, sample_weight=sample_weight)
    weight = y.shape[0] if sample_weight is None else sample_weight.sum()
    return float(correct), float(weight)


def refuse_no_weight(total):
    """Refuse weights whose total is 0, by which a score can't be divided."""
    if total == 0:
        raise ValueError("sample_weight is 0 for all rows.")


def squares(estimator, X, y, sample_weight):
    """Sums for R2, see :func:`r2_of_squares`.

    Returns
    -------
    n_rows : int
        Number of rows.

    weight : float
        Sum of the weights.

    errors, mean, deviations : ndarray of shape (n_columns,)
        Weighted sum of squared errors, weighted mean of y, and weighted sum of the
        squared deviations from the mean.
    """
    predicted = estimator.predict(X)
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    y, predicted = y.reshape(len(y), -1), predicted.reshape(len(y), -1)
    if y.shape != predicted.shape:
        raise ValueError(
            f"y has {y.shape[1]} columns, but {predicted.shape[1]} are predicted."
        )
    errors = np.square(y - predicted)
    w = np.ones(len(y)) if sample_weight is None else sample_weight
    weight = float(w.sum())
    mean = w @ y / weight if weight else np.zeros(y.shape[1])
    return len(y), weight, w @ errors, mean, w @ np.square(y - mean)


def r2_of_squares(sums):
    """R2 from the sums of all chunks, averaged over the columns of y.

    As in scikit-learn, it is nan with fewer than two rows, and a constant column scores
    1 if it is predicted exactly, else 0.
    """
    columns = (np.array(column) for column in zip(*sums, strict=True))
    n_rows, weights, errors, means, deviations = columns
    if n_rows.sum() < 2:
        return float("nan")
    refuse_no_weight(weights.sum())
    errors = errors.sum(axis=0)
    # Without differences of large sums, for precision.
    mean = np.average(means, axis=0, weights=weights)
    deviations = deviations.sum(axis=0) + weights @ np.square(means - mean)
    is_constant = deviations == 0
    scores = 1 - errors / np.where(is_constant, 1, deviations)
    return float(np.where(is_constant, errors == 0, scores).mean())
