"""Lazy predictions for Dask collections, chunk by chunk."""

import dask.array as da
import numpy as np
from dask import delayed
from dask.dataframe.utils import make_meta, meta_nonempty

from .chunks import delayed_chunks, is_table, whole_rows


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
        If X has other features than the estimator was fitted on.
    """
    like_prediction = _empty_prediction(estimator, method, X)
    # The graph holds the estimator once, instead of once in each task.
    shared = delayed(estimator, traverse=False)
    given = {"estimator": shared, "method": method, "like_prediction": like_prediction}
    if is_table(X):
        return _of_partitions(X, given)
    n_axes = like_prediction.ndim
    return whole_rows(X).map_blocks(
        _predict_chunk,
        **given,
        chunks=(X.chunks[0], like_prediction.shape[1:])[:n_axes],
        drop_axis=[1] if n_axes == 1 else [],
        dtype=like_prediction.dtype,
        meta=like_prediction,
    )


def _of_partitions(X, given):
    """Predict a table, whose partitions have unknown numbers of rows."""
    like_prediction = given["like_prediction"]
    predict = delayed(_predict_chunk)
    arrays = [
        da.from_delayed(
            predict(partition, **given),
            (np.nan, *like_prediction.shape[1:]),
            meta=like_prediction,
        )
        for partition in delayed_chunks(X)
    ]
    return da.concatenate(arrays, allow_unknown_chunksizes=True)


def _empty_prediction(estimator, method, X):
    """A prediction of the right type and number of columns, with no rows."""
    if is_table(X):
        rows = meta_nonempty(make_meta(X))
    else:
        rows = np.zeros((1, X.shape[1]), X.dtype)
    return getattr(estimator, method)(rows)[:0]


def _predict_chunk(X, estimator, method, like_prediction):
    if X.shape[0] == 0:
        return like_prediction
    return getattr(estimator, method)(X)
