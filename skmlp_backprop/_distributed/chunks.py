"""Dask collections as chunks of rows, and the division of chunks between workers."""

import math

import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask.base import is_dask_collection


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
        if not (isinstance(collection, da.Array) or is_table(collection)):
            raise TypeError(
                "Pass Dask Arrays, DataFrames or Series, got "
                f"{type(collection).__name__}."
            )
    return bool(distributed)


def is_table(collection):
    """Whether a Dask collection is a DataFrame or a Series."""
    return isinstance(collection, (dd.DataFrame, dd.Series))


def bind(X, y, sample_weight=None):
    """Divide X, y and sample_weight into chunks of the same rows.

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
    named = {"X": X, "y": y}
    if sample_weight is not None:
        named["sample_weight"] = sample_weight
    known = [known_rows(collection) for collection in named.values()]
    lengths = [int(sum(rows)) for rows in known if rows is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {lengths}"
        )
    columns = [
        delayed_chunks(whole_rows(collection, known[0]))
        for collection in named.values()
    ]
    counts = [len(column) for column in columns]
    if len(set(counts)) > 1:
        told = ", ".join(
            f"{name} has {count}" for name, count in zip(named, counts, strict=True)
        )
        raise ValueError(
            "X, y and sample_weight must have the same chunks, as their rows are "
            f"matched chunk by chunk: {told}. Repartition them alike."
        )
    return list(zip(*columns, strict=True))


def refuse_other_lengths(X, y, sample_weight=None):
    """Refuse a computed chunk of X, y and sample_weight with other numbers of rows."""
    lengths = [data.shape[0] for data in (X, y, sample_weight) if data is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            "X, y and sample_weight must have the same chunks, as their rows are "
            f"matched chunk by chunk; a chunk has {' and '.join(map(str, lengths))} "
            "rows of them. Repartition them alike."
        )


def known_rows(collection):
    """Tuple of the number of rows of each chunk; None if the numbers are unknown."""
    if is_table(collection) or any(math.isnan(n) for n in collection.chunks[0]):
        return None
    return collection.chunks[0]


def whole_rows(collection, rows=None):
    """Rechunk an array to chunks of all columns and, if it is given, of these rows."""
    if is_table(collection):
        return collection
    chunks = {1: -1} if collection.ndim == 2 else {}
    if rows is not None and known_rows(collection) is not None:
        chunks[0] = rows
    return collection.rechunk(chunks)


def delayed_chunks(collection):
    """List of the chunks, each a Delayed.

    The graph of a table is not optimised: for columns that are a small part of a file,
    Dask's optimiser merges partitions, so that y would have other partitions than X.
    Without it, X and y share the tasks that read the files, and each file is read once.
    """
    chunks = collection.to_delayed(optimize_graph=not is_table(collection))
    return np.ravel(chunks).tolist()


def runs_of_chunks(n_rows, n_runs):
    """Divide chunks into consecutive runs with about equal numbers of rows.

    The runs depend only on the chunks and on the number of workers. So the sums, the
    shuffles and the masks of the shards do not depend on timing.

    Parameters
    ----------
    n_rows : sequence of int
        Number of rows of each chunk.

    n_runs : int
        Largest number of runs.

    Returns
    -------
    runs : list of list of int
        Indices of the chunks of each run. Every run has rows.
    """
    n_rows = np.asarray(n_rows)
    stops = np.cumsum(n_rows)
    middles = stops - n_rows / 2
    number = np.minimum((middles * n_runs / max(1, stops[-1])).astype(int), n_runs - 1)
    runs = [np.flatnonzero(number == run) for run in range(n_runs)]
    return [run.tolist() for run in runs if n_rows[run].sum() > 0]
