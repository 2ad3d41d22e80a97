"""The best prediction that is the same for all rows, and mean losses."""

import numpy as np

from .inference import compute_logits

# Entries of the arrays that losses are computed in, a few at a time.
_MOST_ENTRIES = 2**18
# Rows by which a constant prediction is judged.
_MOST_ROWS = 2**16


def best_logits(network, targets, weights):
    """The logits that minimise the sum of the losses if all rows have the same.

    Parameters
    ----------
    network : Network
        Only its output and its loss are used.

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        As of :class:`.rows.Rows`.

    weights : ndarray of shape (n_rows,) or None
        Weights of the rows; None for 1 each.

    Returns
    -------
    logits : ndarray of shape (n_outputs,), float64, or None
        The logits; None if the output does not determine them.
    """
    targets, weights = _weighed(targets, weights)
    if targets.ndim == 1:
        shares = np.bincount(targets, weights) / weights.sum()
        predictions = np.zeros(network.output.n_outputs)
        shares = shares[network.output.first_code :]
        predictions[: len(shares)] = shares
    else:
        # Several quantiles are of the same numbers.
        shape = network.output.n_outputs, len(targets)
        written = np.broadcast_to(targets.T, shape)
        predictions = network.loss.best_constant(written, weights)
    return network.output.logits_of(np.asarray(predictions, np.float64))


def least_loss(network, targets, weights):
    """The mean loss of the best prediction that is the same for all rows.

    If there are many rows, it uses a sample, drawn with a fixed seed.

    Parameters
    ----------
    network, targets, weights
        As of :func:`best_logits`.

    Returns
    -------
    loss : float
        The mean; infinite if it is not known.
    """
    if len(targets) > _MOST_ROWS:
        there = len(targets) if weights is None else np.flatnonzero(weights > 0)
        index = np.random.RandomState(0).choice(there, _MOST_ROWS)
        targets = targets[index]
        weights = None if weights is None else weights[index]
    logits = best_logits(network, targets, weights)
    if logits is None:
        return np.inf
    targets, weights = _weighed(targets, weights)
    if targets.ndim == 1:
        # A row for each class, with the weight of all its rows.
        weights = np.bincount(targets, weights)
        targets = np.arange(len(weights))

    def same_logits(start, stop):
        return np.tile(logits, (stop - start, 1))

    return _mean_loss(network, same_logits, targets, weights)


def mean_loss(network, parameters, rows):
    """The mean loss of a network's predictions, without a penalty.

    Parameters
    ----------
    network : Network
        The network.

    parameters : Parameters
        Its weights.

    rows : Rows
        The rows.

    Returns
    -------
    loss : float
        The mean.
    """

    weights = parameters.view_coefs()

    def logits(start, stop):
        return compute_logits(network, weights, rows.X[start:stop])

    return _mean_loss(network, logits, *_weighed(rows.targets, rows.weights))


def losses_of_rows(network, weights, X, targets):
    """Compute the loss of each row, without weights and penalty.

    Parameters
    ----------
    network, weights, X
        See :func:`.inference.compute_logits`.

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        See :class:`.rows.Rows`.

    Returns
    -------
    losses : ndarray of shape (n_rows,), float64
        The losses.
    """
    logits = compute_logits(network, weights, X)
    parts = _losses(network, lambda start, stop: logits[start:stop], targets)
    return np.concatenate([losses for _, losses in parts])


def _mean_loss(network, logits_of_rows, targets, weights):
    """The weighted mean of losses, in float64."""
    total = 0.0
    for rows, losses in _losses(network, logits_of_rows, targets):
        # 0 times an infinite loss is not a number.
        counts = weights[rows] > 0
        total += losses[counts] @ weights[rows][counts]
    return float(total / weights.sum())


def _losses(network, logits_of_rows, targets):
    """Yield slices of a few rows and their losses, in float64."""
    step = max(1, _MOST_ENTRIES // network.output.n_outputs)
    for start in range(0, len(targets), step):
        stop = min(start + step, len(targets))
        written = network.output.encoded_targets(targets[start:stop], np.float64)
        z = np.array(logits_of_rows(start, stop).T[np.newaxis], np.float64, order="C")
        with np.errstate(all="ignore"):
            losses = network.loss(z, written, np.empty_like(z), np.empty_like(z[:, :1]))
        yield slice(start, stop), losses[0, 0]


def _weighed(targets, weights):
    if weights is None:
        return targets, np.ones(len(targets))
    return targets, weights.astype(np.float64, copy=False)
