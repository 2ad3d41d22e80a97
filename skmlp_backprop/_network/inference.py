"""Prediction: the forward pass over any number of rows in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .buffers import ForwardBuffers
from .objective import BLOCK_ROWS, SHARE_ROWS
from .rows import is_blas_operand, share_edges
from .threads import prediction_threads

# Multiplications of the largest product from which threads of our own pay.
_THREADS_PAY = 2**26


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
    logits = np.empty((n_rows, network.layer_units[-1]), parameters.weights[0].dtype)
    largest_product = n_rows * max(weights.size for weights in parameters.weights)
    with prediction_threads(largest_product) as n_threads:
        if n_threads == 1 or largest_product < _THREADS_PAY:
            _write_logits(network, parameters, X, logits)
        else:
            _share(network, parameters, X, logits, n_threads)
    return logits


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
