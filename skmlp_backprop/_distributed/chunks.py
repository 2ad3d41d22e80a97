"""Dask collections: what they are, and their chunks of rows."""

import math

import dask.array as da
import numpy as np
from dask.base import is_dask_collection
from dask.utils import is_dataframe_like, is_series_like


def are_distributed(*data):
    """Whether these are Dask collections: all of them, or none.

    Parameters
    ----------
    *data : array-like, Dask collection or None
        X and what comes with it.

    Returns
    -------
    are_distributed : bool
        Whether they are.

    Raises
    ------
    TypeError
        If some are and some are not, or they are neither arrays nor tables.
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
    """Whether it is a Dask Array."""
    return isinstance(collection, da.Array)


def is_table(collection):
    """Whether it is a Dask DataFrame or Series."""
    return is_dataframe_like(collection) or is_series_like(collection)


def bind(X, y, sample_weight=None):
    """Cut X, y and sample_weight into chunks that belong together.

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
        Of each chunk X, y and, where there are any, sample_weight.

    Raises
    ------
    ValueError
        If they have different numbers of rows, or of chunks of unknown sizes.
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
    """The same X, each chunk of it with all columns."""
    is_cut = is_array(X) and X.ndim == 2 and X.numblocks[1] > 1
    return X.rechunk({1: -1}) if is_cut else X


def known_rows(X):
    """Rows of each chunk, a list; None where it is not known."""
    if not is_array(X) or any(math.isnan(n) for n in X.chunks[0]):
        return None
    return list(X.chunks[0])


def _check_rows(named):
    """Refuse numbers of rows that are known and differ."""
    chunks = [known_rows(collection) for collection in named.values()]
    lengths = [sum(rows) for rows in chunks if rows is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{list(map(int, lengths))}"
        )


def _cut_like(X, collection):
    """An array in chunks of the same rows as those of X, where these are known."""
    rows, rows_of_X = known_rows(collection), known_rows(X)
    if rows is None or rows_of_X is None or rows == rows_of_X:
        return whole_rows(collection)
    return whole_rows(collection.rechunk({0: tuple(rows_of_X)}))


def delayed_chunks(collection):
    """The chunks, each a Delayed.

    Dask's optimiser makes fewer partitions of columns that take little of a file: those
    of y would not be those of X any more. As they stand both are cut from the same
    tasks, so that each file is read once.
    """
    return np.ravel(collection.to_delayed(optimize_graph=is_array(collection))).tolist()
