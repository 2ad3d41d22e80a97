"""The best prediction that is the same for all rows, and its loss."""

import numpy as np

# In place of a difference of two quantiles that are the same, in units of their size.
_LEAST_STEP = 1e-6


def best_logits(network, targets, weights):
    """The logits that minimise the sum of the losses if all rows have the same.

    Parameters
    ----------
    network : Network
        Its output and loss are what matters.

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        As of :class:`Rows`.

    weights : ndarray of shape (n_rows,) or None
        Weights of the rows.

    Returns
    -------
    logits : ndarray of shape (n_outputs,), float64, or None
        The logits; None where the output does not tell them.
    """
    written = _written(network, targets)
    predictions = network.loss.best_constant(written, weights)
    return network.output.logits_of(np.asarray(predictions, np.float64))


def least_loss(network, targets, weights):
    """The mean loss of the best prediction that is the same for all rows.

    Parameters
    ----------
    network, targets, weights
        As of :func:`best_logits`.

    Returns
    -------
    loss : float
        The mean; infinite where it is not known.
    """
    written = _written(network, targets)
    logits = best_logits(network, targets, weights)
    if logits is None:
        return np.inf
    z = np.repeat(logits[np.newaxis, :, np.newaxis], len(targets), axis=2)
    with np.errstate(all="ignore"):
        losses = network.loss(z, written, np.empty_like(z), np.empty_like(z[:, :1]))
    return float(np.average(losses[0, 0], weights=weights))


def weighted_quantile(values, level, weights):
    """The least value that enough weight is not above.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        The values.

    level : float
        The share of the weight, in (0, 1).

    weights : ndarray of shape (n_rows,) or None
        The weights; None for 1 each.

    Returns
    -------
    quantile : float
        One of the values.
    """
    return np.quantile(values, level, weights=weights, method="inverted_cdf")


def increasing_steps(values):
    """Differences of increasing values, kept above 0."""
    least = _LEAST_STEP * max(np.abs(values).max(), np.finfo(np.float64).tiny)
    return np.maximum(np.diff(values), least)


def _written(network, targets):
    """Targets as the loss takes them."""
    written = np.empty((network.output.n_outputs, len(targets)))
    network.output.write_targets(targets, written)
    return written
