"""Prediction: the forward pass over any number of rows in bounded memory."""

import numpy as np

from ._network import Buffers
from ._objective import BLOCK_ROWS


def compute_logits(network, parameters, X):
    """Logits of all rows, block by block.

    Parameters
    ----------
    network : Network
        The network.

    parameters : Parameters
        Weights of one network.

    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        The rows.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.
    """
    n_rows = X.shape[0]
    logits = np.empty((n_rows, network.layer_units[-1]), parameters.weights[0].dtype)
    buffers = None
    for start in range(0, n_rows, BLOCK_ROWS):
        block = X[start : start + BLOCK_ROWS]
        if buffers is None or block.shape[0] != buffers.row.shape[2]:
            buffers = Buffers(network, 1, block.shape[0], logits.dtype)
        with np.errstate(all="ignore"):
            z = network.logits(parameters, block, buffers)
        logits[start : start + BLOCK_ROWS] = z[0].T
    return logits
