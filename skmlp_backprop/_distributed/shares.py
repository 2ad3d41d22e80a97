"""How work is shared: chunks between workers, a batch's rows between parts."""

import numpy as np


def runs_of_chunks(n_rows, n_runs):
    """Cut chunks into consecutive runs of as many rows as chunks permit.

    They depend on the chunks and the number of workers, not on which worker was free
    when: so do the sums, the shuffles and the masks of the parts that they become.

    Parameters
    ----------
    n_rows : sequence of int
        Rows of each chunk.

    n_runs : int
        Number of runs, at most.

    Returns
    -------
    runs : list of list of int
        Numbers of the chunks of each run, none of which is without rows.
    """
    stops = np.cumsum(n_rows)
    middles = stops - np.asarray(n_rows) / 2
    number = np.minimum((middles * n_runs / max(1, stops[-1])).astype(int), n_runs - 1)
    runs = [np.flatnonzero(number == run) for run in range(n_runs)]
    rows = np.asarray(n_rows)
    return [run.tolist() for run in runs if rows[run].sum() > 0]


def batch_shares(n_rows, batch_rows):
    """Yield each part's span of rows of one batch after the other.

    A batch takes of each part in proportion to the rows that it has left, rounded by
    largest remainder: every batch is full, the last one excepted, and all parts are
    through at the same time.

    Parameters
    ----------
    n_rows : sequence of int
        Rows of each part.

    batch_rows : int
        Rows of a batch.

    Yields
    ------
    spans : ndarray of shape (n_parts, 2), int
        First and last row of each part, in its order of the epoch.
    """
    left = np.array(n_rows, np.int64)
    done = np.zeros_like(left)
    while (n_left := int(left.sum())) > 0:
        taken = _rounded(min(batch_rows, n_left), left, n_left)
        yield np.column_stack([done, done + taken])
        done += taken
        left -= taken


def _rounded(size, left, n_left):
    """Shares of a sum in proportion to what is left; the first of equals gets more."""
    products = size * left
    shares = products // n_left
    remainders = products - shares * n_left
    n_more = size - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:n_more]] += 1
    return shares
