"""Finds out whether chunks of y or of the weights have the index of X in another order.

The entries may be in another order within a chunk, or in other chunks. Each worker
hashes the indexes of its chunks, and the client compares the hashes of all chunks.
"""

import numpy as np

from .._estimators.checks import is_of_pandas
from .._network.warning import warn


def hash_indexes(X, y, sample_weight):
    """Hash the indexes of a chunk.

    Returns
    -------
    hashes : tuple of three (int, int) or None
        For X, y and the weights a hash of the entries in any order, and a hash that
        depends on the order. None for data that are not of pandas.
    """
    return tuple(_hash_index(data) for data in (X, y, sample_weight))


def _hash_index(data):
    if not is_of_pandas(data):
        return None
    import pandas as pd

    entries = pd.util.hash_pandas_object(data.index, index=False).to_numpy()
    places = np.arange(1, len(entries) + 1, dtype=np.uint64)
    return int(entries.sum()), int((entries * places).sum())


def compare_hashes(hashes_of_chunks):
    """Warn, at the client, of inputs with the index of X in another order.

    Parameters
    ----------
    hashes_of_chunks : list of tuple
        The results of :func:`hash_indexes` for all chunks.
    """
    of_X, *of_others = zip(*hashes_of_chunks, strict=True)
    for name, of_input in zip(("y", "sample_weight"), of_others, strict=True):
        if None in of_X or None in of_input or of_input == of_X:
            continue
        totals = [
            sum(of_any_order for of_any_order, _ in hashes) % 2**64
            for hashes in (of_X, of_input)
        ]
        if totals[0] == totals[1]:
            warn(
                f"{name} has the same index as X, but in another order. The rows are "
                f"taken by position. Join X and {name} by their index first."
            )
