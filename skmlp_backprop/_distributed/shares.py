"""Division of work: chunks between workers, and a batch's rows between parts."""

import numpy as np


def runs_of_chunks(n_rows, n_runs):
    """Divide chunks into consecutive runs with about equal numbers of rows.

    The runs depend only on the chunks and on the number of workers. So the sums, the
    shuffles and the masks of the parts do not depend on timing.

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
    stops = np.cumsum(n_rows)
    middles = stops - np.asarray(n_rows) / 2
    number = np.minimum((middles * n_runs / max(1, stops[-1])).astype(int), n_runs - 1)
    runs = [np.flatnonzero(number == run) for run in range(n_runs)]
    rows = np.asarray(n_rows)
    return [run.tolist() for run in runs if rows[run].sum() > 0]


def batch_shares(n_rows, batch_rows):
    """Yield the share of each part in every batch of an epoch.

    A batch takes rows of each part in proportion to the part's remaining rows, rounded
    by the largest-remainder method. So every batch but the last is full, and all parts
    are used up in the last batch.

    Parameters
    ----------
    n_rows : sequence of int
        Number of rows of each part.

    batch_rows : int
        Number of rows of a batch.

    Yields
    ------
    spans : ndarray of shape (n_parts, 2), int
        Start and stop of each part's share, in the order of its rows in the epoch.
    """
    left = np.array(n_rows, np.int64)
    done = np.zeros_like(left)
    while (n_left := int(left.sum())) > 0:
        taken = _rounded(min(batch_rows, n_left), left, n_left)
        yield np.column_stack([done, done + taken])
        done += taken
        left -= taken


def _rounded(size, left, n_left):
    """Integers that sum to `size`, in proportion to `left`; ties favour the first."""
    products = size * left
    shares = products // n_left
    remainders = products - shares * n_left
    n_more = size - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:n_more]] += 1
    return shares
