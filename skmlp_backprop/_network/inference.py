"""Prediction: the forward pass over any number of rows in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .buffers import ForwardBuffers
from .objective import BLOCK_ROWS, SHARE_ROWS
from .rows import is_blas_operand, share_edges
from .threads import BLAS_STAYS_ALONE, prediction_threads

# Multiplications of the largest product from which threads of our own pay.
_THREADS_PAY = 2**26
# Pieces of a row's products up to which they take less time than to hold the BLAS.
_MOST_PIECES = 24


def compute_logits(network, parameters, X):
    """Logits of all rows, block by block.

    Parameters
    ----------
    network : Network
        The network.

    parameters : Parameters
        Weights of one network.

    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        The rows, in any memory layout.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.
    """
    n_rows = X.shape[0]
    if n_rows == 1 and _is_a_small_row(network, parameters, X):
        return _logits_of_a_row(network, parameters, X)
    logits = np.empty((n_rows, network.layer_units[-1]), parameters.weights[0].dtype)
    largest_product = n_rows * max(weights.size for weights in parameters.weights)
    with prediction_threads(largest_product) as n_threads:
        if n_threads == 1 or largest_product < _THREADS_PAY:
            _write_logits(network, parameters, X, logits)
        else:
            _share(network, parameters, X, logits, n_threads)
    return logits


def _is_a_small_row(network, parameters, X):
    """Whether a row's products can be cut into a few that stay off BLAS threads."""
    if network.input_activation is not None or not isinstance(X, np.ndarray):
        return False
    sizes = [weights.shape[1:] for weights in parameters.weights]
    return (
        max(fan_in for _, fan_in in sizes) <= BLAS_STAYS_ALONE
        and sum(-(-fan_out * fan_in // BLAS_STAYS_ALONE) for fan_out, fan_in in sizes)
        <= _MOST_PIECES
    )


def _logits_of_a_row(network, parameters, X):
    """The forward pass of one row: no buffers, no blocks, no hold on the BLAS.

    To hold the BLAS takes longer than such a product. Cut into pieces it never calls
    its threads.
    """
    *hidden, last = zip(parameters.weights, parameters.intercepts, strict=True)
    a = X[0].astype(last[0].dtype, copy=False)
    with np.errstate(all="ignore"):
        for layer, activation in zip(hidden, network.activations, strict=True):
            z = _products_in_pieces(*layer, a)
            a = np.empty_like(z) if activation.keeps_input else z
            activation.apply(z, a)
        return _products_in_pieces(*last, a)[np.newaxis]


def _products_in_pieces(weights, intercepts, a):
    """A layer's pre-activations, of so many units at a time as the BLAS does alone."""
    (weights,), (intercepts,) = weights, intercepts
    fan_out, fan_in = weights.shape
    n_units = BLAS_STAYS_ALONE // fan_in
    z = np.empty(fan_out, weights.dtype)
    for start in range(0, fan_out, n_units):
        np.dot(weights[start : start + n_units], a, out=z[start : start + n_units])
    z += intercepts[:, 0]
    return z


def _share(network, parameters, X, logits, n_threads):
    """Write the logits on threads that have a share of the rows each."""
    with ThreadPoolExecutor(n_threads) as pool:
        shares = [
            pool.submit(_write_logits, network, parameters, X[a:b], logits[a:b])
            for a, b in share_edges(X.shape[0], n_threads, SHARE_ROWS)
        ]
        for share in shares:
            share.result()


def _write_logits(network, parameters, X, logits):
    """Write the logits of a share of the rows; NumPy's errstate is per thread."""
    buffers = None
    with np.errstate(all="ignore"):
        for start in range(0, X.shape[0], BLOCK_ROWS):
            block = X[start : start + BLOCK_ROWS]
            if not is_blas_operand(block):
                block = np.ascontiguousarray(block)
            if buffers is None or block.shape[0] != buffers.n_rows:
                buffers = ForwardBuffers(network, 1, block.shape[0], logits.dtype)
            z = network.logits(parameters, block, buffers)
            logits[start : start + BLOCK_ROWS] = z[0].T
