"""Prediction: the forward pass over any number of rows, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

from .objective import BLOCK_ROWS
from .rows import TableRows, is_blas_operand, share_edges
from .threads import limited_threads

# From this number of multiplications in the largest product on, our own threads, each
# with a share of the rows, are faster than those of the BLAS. SciPy multiplies sparse
# rows on one thread, so for these the limit is lower.
_THREADS_PAY = 2**31
_THREADS_PAY_IF_SPARSE = 2**25
# Sparse X with at most _MAX_ENTRIES entries, zeros included, is predicted dense if at
# least this share of them is not zero: the BLAS then takes less time than SciPy.
_MAX_ENTRIES = 2**21
_HARDLY_SPARSE = 1 / 6


class NotFinite(Exception):
    """The rows, or the outputs of the first layer, are not finite."""


def compute_logits(network, weights, X, *, check=False):
    """Logits of all rows, block by block.

    Parameters
    ----------
    network : Network
        The network.

    weights : tuple of (coefs, intercepts, input_intercept)
        Its weights, shaped as an estimator's ``coefs_``, ``intercepts_`` and
        ``input_intercept_``.

    X : {ndarray, CSR matrix or array, TableRows} of shape (n_rows, n_features)
        The rows, in any memory layout.

    check : bool, default=False
        Whether to raise NotFinite if the first layer's outputs are not all finite. An
        entry of X that is not finite shows there, and checking the outputs is faster
        than checking X if X has more columns than the layer has units.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.

    Raises
    ------
    NotFinite
        If a row is not finite, or so large that the first layer's outputs are not.
    """
    n_rows, coefs = X.shape[0], weights[0]
    if sparse.issparse(X):
        threads_pay = X.nnz * coefs[0].shape[1] >= _THREADS_PAY_IF_SPARSE
        n_entries = X.shape[0] * X.shape[1]
        is_hardly_sparse = X.nnz >= _HARDLY_SPARSE * n_entries
        if is_hardly_sparse and not threads_pay and n_entries <= _MAX_ENTRIES:
            X = X.toarray()
    else:
        threads_pay = n_rows * max(coef.size for coef in coefs) >= _THREADS_PAY
    if n_rows <= BLOCK_ROWS and not threads_pay:
        with np.errstate(all="ignore"):
            return _forward(network, weights, X, check)
    logits = np.empty((n_rows, coefs[-1].shape[1]), coefs[0].dtype)

    def write(first, last):
        # NumPy's errstate is per thread.
        with np.errstate(all="ignore"):
            for start in range(first, last, BLOCK_ROWS):
                stop = min(start + BLOCK_ROWS, last)
                logits[start:stop] = _forward(network, weights, X[start:stop], check)

    if not threads_pay:
        write(0, n_rows)
        return logits
    with limited_threads() as n_threads:
        edges = share_edges(n_rows, n_threads)
        with ThreadPoolExecutor(len(edges)) as pool:
            for share in [pool.submit(write, *edge) for edge in edges]:
                share.result()
    return logits


def _forward(network, weights, X, check):
    """The logits of a block of rows.

    It does without the layers of a training, whose arrays are made for a fixed number
    of rows and pay only if they are used many times.
    """
    coefs, intercepts, input_intercept = weights
    if isinstance(X, TableRows):
        z = X.product(coefs[0])
    else:
        a = X.astype(coefs[0].dtype, copy=False)
        if not is_blas_operand(a):
            a = np.ascontiguousarray(a)
        if input_intercept is not None:
            a = _apply(network.input_activation, a + input_intercept)
        z = a @ coefs[0]
    z += intercepts[0]
    if check and not np.isfinite(z.sum()):
        raise NotFinite
    return logits_from_first(network, weights, z)


def logits_from_first(network, weights, z):
    """Logits from the outputs of the first layer.

    Parameters
    ----------
    network, weights
        See :func:`compute_logits`.

    z : ndarray of shape (n_rows, n_units)
        The pre-activations of the first layer. They may be overwritten.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.
    """
    coefs, intercepts, _ = weights
    for i, activation in enumerate(network.activations, start=1):
        a = np.empty_like(z) if activation.keeps_input else z
        activation.apply(z, a)
        z = a @ coefs[i]
        z += intercepts[i]
    return z


def activations_of_layers(network, weights, X):
    """Compute the pre-activations and activations of every layer, for all rows.

    Parameters
    ----------
    network, weights, X
        See :func:`compute_logits`.

    Returns
    -------
    z : list of ndarray of shape (n_rows, n_units)
        The pre-activations of each layer, from the first hidden layer to the outputs.
        With an input activation, the first entry is for the inputs.

    a : list of ndarray of shape (n_rows, n_units)
        The activations of the same layers.
    """
    coefs, intercepts, input_intercept = weights
    z, a = [], []
    with np.errstate(all="ignore"):
        inputs = X.astype(coefs[0].dtype, copy=False)
        if input_intercept is not None:
            z.append(inputs + input_intercept)
            a.append(_apply(network.input_activation, z[-1]))
        for i, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
            z.append((a[-1] if a else inputs) @ coef + intercept)
            if i < len(network.activations):
                a.append(_apply(network.activations[i], z[-1]))
        a.append(network.output.activate(z[-1]))
    return z, a


def _apply(activation, z):
    """Apply an activation; return a new array."""
    a = np.empty_like(z)
    activation.apply(z, a)
    return a
