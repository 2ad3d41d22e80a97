"""Quantiles of weighted numbers."""

import numpy as np

# Replaces the difference of two equal quantiles, as a fraction of their size.
_LEAST_STEP = 1e-6
# Rounding of a cumulated share of the weights.
_ROUNDING = 1e-12


def weighted_quantile(values, level, weights):
    """Weighted quantile: the smallest value whose cumulated weight reaches `level`.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        The values.

    level : float
        The share of the weight, in (0, 1).

    weights : ndarray of shape (n_rows,)
        The weights.

    Returns
    -------
    quantile : float
        One of the values.
    """
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    place = np.searchsorted(shares, level - _ROUNDING)
    return values[order[min(place, len(order) - 1)]]


def increasing_steps(values):
    """Differences of increasing values, kept above 0."""
    least = _LEAST_STEP * max(np.abs(values).max(), np.finfo(np.float64).tiny)
    return np.maximum(np.diff(values, axis=0), least)
