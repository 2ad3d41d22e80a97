"""Prediction: the forward pass over any number of rows, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

from .batches import is_blas_operand, share_edges
from .objective import BLOCK_ROWS, SHARE_ROWS
from .threads import prediction_threads

# Multiplications of the largest layer up to which OpenBLAS takes a product on one
# thread; and from which threads of our own pay, each with a share of the rows.
_STAYS_ALONE = 2**18
_THREADS_PAY = 2**24
# Sparse rows whose share of nonzero entries is larger are predicted dense, a block at a
# time: the BLAS takes less time for all entries than SciPy for some of them.
_HARDLY_SPARSE = 1 / 6
# Entries of a block that is made dense, at most.
_MOST_ENTRIES = 2**22


class NotFinite(Exception):
    """Rows, or what the first layer makes of them, are not finite."""


def compute_logits(network, weights, X, *, check=False):
    """Logits of all rows, block by block.

    Parameters
    ----------
    network : Network
        The network.

    weights : tuple of (coefs, intercepts, input_intercept)
        Its weights, shaped as an estimator's ``coefs_``, ``intercepts_`` and
        ``input_intercept_``.

    X : {ndarray, CSR matrix or array} of shape (n_rows, n_features)
        The rows, in any memory layout.

    check : bool, default=False
        Whether to look for what is not finite in the outputs of the first layer. That
        takes less time than to look at the rows, where they have more columns than the
        layer has units. A sum is finite only if its terms are.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.

    Raises
    ------
    NotFinite
        If a row is not finite, or so large that the first layer's outputs are not.
    """
    n_rows = X.shape[0]
    work = n_rows * max(coef.size for coef in weights[0])
    if work <= _STAYS_ALONE and n_rows <= BLOCK_ROWS:
        with np.errstate(all="ignore"):
            return _forward(network, weights, X, check)
    logits = np.empty((n_rows, network.layer_units[-1]), weights[0][0].dtype)

    def write(first, last):
        # NumPy's errstate is per thread.
        with np.errstate(all="ignore"):
            for start in range(first, last, BLOCK_ROWS):
                stop = min(start + BLOCK_ROWS, last)
                block = X[start:stop]
                logits[start:stop] = _forward(network, weights, block, check)

    with prediction_threads() as n_threads:
        n_shares = n_threads if work >= _THREADS_PAY else 1
        edges = share_edges(n_rows, n_shares, SHARE_ROWS)
        if len(edges) == 1:
            write(0, n_rows)
            return logits
        with ThreadPoolExecutor(len(edges)) as pool:
            for share in [pool.submit(write, *edge) for edge in edges]:
                share.result()
    return logits


def _forward(network, weights, X, check):
    """The logits of some rows."""
    coefs, intercepts, input_intercept = weights
    a = _operand(X, coefs[0])
    if input_intercept is not None:
        z = a + input_intercept
        a = np.empty_like(z)
        network.input_activation.apply(z, a)
    z = a @ coefs[0]
    z += intercepts[0]
    if check and not np.isfinite(z.sum()):
        raise NotFinite
    for i, activation in enumerate(network.activations, start=1):
        a = np.empty_like(z) if activation.keeps_input else z
        activation.apply(z, a)
        z = a @ coefs[i]
        z += intercepts[i]
    return z


def _operand(X, coef):
    """Rows as the first product takes them, in the precision of the weights."""
    X = X.astype(coef.dtype, copy=False)
    if sparse.issparse(X):
        n_entries = X.shape[0] * X.shape[1]
        is_dense = _HARDLY_SPARSE * n_entries <= X.nnz and n_entries <= _MOST_ENTRIES
        return X.toarray() if is_dense else X
    return X if is_blas_operand(X) else np.ascontiguousarray(X)
