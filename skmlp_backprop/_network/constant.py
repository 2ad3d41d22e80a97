"""The best prediction that is the same for all rows, and mean losses."""

import numpy as np

# Entries of the arrays that losses are computed in, a few at a time.
_MAX_ENTRIES = 2**18
# Rows by which a constant prediction is judged.
_MAX_ROWS = 2**16


def best_logits(network, targets, weights):
    """The logits that minimise the sum of the losses if all rows have the same.

    Parameters
    ----------
    network : Network
        Only its output and its loss are used.

    targets : ndarray of shape (n_rows,) or (n_rows, n_columns)
        As of :class:`.rows.Rows`.

    weights : ndarray of shape (n_rows,) or None
        Weights of the rows; None for 1 each.

    Returns
    -------
    logits : ndarray of shape (n_outputs,), float64
        The logits.
    """
    targets, weights = _with_weights(targets, weights)
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


def sample_rows(targets, weights):
    """The targets and weights of all rows, or of a sample of many rows."""
    if len(targets) <= _MAX_ROWS:
        return targets, weights
    there = len(targets) if weights is None else np.flatnonzero(weights > 0)
    index = np.random.RandomState(0).choice(there, _MAX_ROWS)
    return targets[index], None if weights is None else weights[index]


def loss_of_best_constant(network, targets, weights):
    """The mean loss of the best prediction that is the same for all rows.

    If there are many rows, it uses a sample, drawn with a fixed seed.

    Parameters
    ----------
    network, targets, weights
        As of :func:`best_logits`.

    Returns
    -------
    loss : float
        The mean.
    """
    targets, weights = sample_rows(targets, weights)
    logits = best_logits(network, targets, weights)
    targets, weights = _with_weights(targets, weights)
    if targets.ndim == 1:
        # A row for each class, with the weight of all its rows.
        weights = np.bincount(targets, weights)
        targets = np.arange(len(weights))
    same = np.broadcast_to(logits, (len(targets), len(logits)))
    return mean_loss(network, same, targets, weights)


def losses_of_logits(network, logits, targets):
    """The loss of each row, without weights and penalty.

    Parameters
    ----------
    network : Network
        Only its output and its loss are used.

    logits : ndarray of shape (n_rows, n_outputs)
        The logits of the rows.

    targets : ndarray of shape (n_rows,) or (n_rows, n_columns)
        As of :class:`.rows.Rows`.

    Returns
    -------
    losses : ndarray of shape (n_rows,), float64
        The losses.
    """
    losses = np.empty(len(targets))
    step = max(1, _MAX_ENTRIES // network.output.n_outputs)
    for start in range(0, len(targets), step):
        rows = slice(start, start + step)
        written = network.output.encoded_targets(targets[rows], np.float64)
        z = np.array(logits[rows].T[np.newaxis], np.float64, order="C")
        row = np.empty_like(z[:, :1])
        with np.errstate(all="ignore"):
            losses[rows] = network.loss(z, written, np.empty_like(z), row)[0, 0]
    return losses


# Products of Apple's BLAS may raise flags of errors that did not happen.
@np.errstate(all="ignore")
def mean_loss(network, logits, targets, weights):
    """The mean loss of rows, with the weights of the rows; None for 1 each."""
    targets, weights = _with_weights(targets, weights)
    losses = losses_of_logits(network, logits, targets)
    # 0 times an infinite loss is not a number.
    counts = weights > 0
    return float(losses[counts] @ weights[counts] / weights.sum())


def _with_weights(targets, weights):
    if weights is None:
        return targets, np.ones(len(targets))
    return targets, weights.astype(np.float64, copy=False)
