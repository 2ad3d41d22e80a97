"""Types of Dask collections, and their chunks of rows."""

import math

import dask.array as da
import numpy as np
from dask.base import is_dask_collection
from dask.utils import is_dataframe_like, is_series_like


def are_distributed(*data):
    """Whether all data are Dask collections.

    Parameters
    ----------
    *data : array-like, Dask collection or None
        X, y and sample_weight.

    Returns
    -------
    are_distributed : bool
        True if all are Dask collections, False if all are local.

    Raises
    ------
    TypeError
        If Dask collections and local data are mixed, or if a Dask collection is neither
        an array nor a table.
    """
    given = [collection for collection in data if collection is not None]
    distributed = [collection for collection in given if is_dask_collection(collection)]
    if distributed and len(distributed) < len(given):
        raise TypeError(
            "X, y and sample_weight must all be Dask collections, or all be local, got "
            f"{', '.join(type(collection).__name__ for collection in given)}."
        )
    for collection in distributed:
        if not (is_array(collection) or is_table(collection)):
            raise TypeError(
                "Of Dask's collections Arrays, DataFrames and Series are taken, got "
                f"{type(collection).__name__}."
            )
    return bool(distributed)


def is_array(collection):
    """Whether a Dask collection is an Array."""
    return isinstance(collection, da.Array)


def is_table(collection):
    """Whether a Dask collection is a DataFrame or a Series."""
    return is_dataframe_like(collection) or is_series_like(collection)


def bind(X, y, sample_weight=None):
    """Divide X, y and sample_weight into chunks of the same rows.

    Parameters
    ----------
    X : Dask Array or DataFrame of shape (n_rows, n_features)
        The samples.

    y : Dask Array, Series or DataFrame of shape (n_rows,) or (n_rows, n_outputs)
        The targets.

    sample_weight : Dask Array or Series of shape (n_rows,) or None, default=None
        The weights.

    Returns
    -------
    chunks : list of tuple of Delayed
        X, y and, unless it is None, sample_weight of each chunk.

    Raises
    ------
    ValueError
        If the numbers of rows differ, or if the numbers of chunks differ and the chunks
        have unknown sizes.
    """
    X = whole_rows(X)
    named = {"X": X, "y": y}
    if sample_weight is not None:
        named["sample_weight"] = sample_weight
    _check_rows(named)
    columns = [
        delayed_chunks(_cut_like(X, collection)) for collection in named.values()
    ]
    counts = [len(column) for column in columns]
    if len(set(counts)) > 1:
        told = ", ".join(
            f"{name} has {count}" for name, count in zip(named, counts, strict=True)
        )
        raise ValueError(
            "X, y and sample_weight must have the same chunks, as their rows are bound "
            f"chunk by chunk: {told}. Repartition them alike."
        )
    return list(zip(*columns, strict=True))


def whole_rows(X):
    """Rechunk X so that each chunk has all columns."""
    is_cut = is_array(X) and X.ndim == 2 and X.numblocks[1] > 1
    return X.rechunk({1: -1}) if is_cut else X


def known_rows(X):
    """List of the number of rows of each chunk; None if the numbers are unknown."""
    if not is_array(X) or any(math.isnan(n) for n in X.chunks[0]):
        return None
    return list(X.chunks[0])


def _check_rows(named):
    """Raise ValueError if the known numbers of rows differ."""
    chunks = [known_rows(collection) for collection in named.values()]
    lengths = [sum(rows) for rows in chunks if rows is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{list(map(int, lengths))}"
        )


def _cut_like(X, collection):
    """Rechunk a collection to the rows of the chunks of X, if both are known."""
    rows, rows_of_X = known_rows(collection), known_rows(X)
    if rows is None or rows_of_X is None or rows == rows_of_X:
        return whole_rows(collection)
    return whole_rows(collection.rechunk({0: tuple(rows_of_X)}))


def delayed_chunks(collection):
    """List of the chunks, each a Delayed.

    The graph of a table is not optimised: for columns that are a small part of a file,
    Dask's optimiser merges partitions, so that y would have other partitions than X.
    Without it, X and y share the tasks that read the files, and each file is read once.
    """
    return np.ravel(collection.to_delayed(optimize_graph=is_array(collection))).tolist()
