"""Prediction: the forward pass over any number of rows in bounded memory."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from scipy import sparse

from .buffers import ForwardBuffers
from .objective import BLOCK_ROWS, SHARE_ROWS
from .parameters import Parameters
from .rows import is_blas_operand, share_edges
from .threads import MATRICES_STAY_ALONE, VECTORS_STAY_ALONE, prediction_threads

# Multiplications of the largest product from which the BLAS's threads pay; and from
# which threads of our own, that share the work between the products, too: for sparse
# rows, which SciPy multiplies on one thread, earlier.
_BLAS_THREADS_PAY = 2**21
_THREADS_PAY = 2**31
_THREADS_PAY_IF_SPARSE = 2**25
# Pieces of all products up to which they take less time than to hold the BLAS.
_MOST_PIECES = 16
# Entries of sparse rows, zeros included, up to which dense ones take less time; and the
# share of them that is not zero, and units, from which they do whatever their number is
# (benchmarks: prediction). Then so many bytes at a time are made dense as stay in the
# cache, of so many rows at least: each block reads all weights.
_FEW_ENTRIES = 2**15
_HARDLY_SPARSE = 1 / 6
_MANY_UNITS = 64
_CACHED_BYTES = 2**22
_ROWS_AT_LEAST = 64


class NotFinite(Exception):
    """Rows, or what the first layer makes of them, are not finite."""


def compute_logits_of_unchecked(network, parameters, X):
    """Logits of rows that may not be finite, which shows in the first layer's product.

    To look at its outputs takes less time than to look at the rows, where these have
    more columns than the layer has units.

    Parameters
    ----------
    network, parameters
        As of :func:`compute_logits`; the network without an input activation.

    X : ndarray of shape (n_rows, n_features)
        The rows, in any memory layout.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.

    Raises
    ------
    NotFinite
        If a row is not finite, or so large that the product is not.
    """
    return _compute(_forward_of_unchecked, network, parameters, X)


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
    if _are_hardly_sparse(parameters, X):
        return _blockwise(_forward_made_dense, network, parameters, X)
    if sparse.issparse(X):
        parameters, X = _for_sparse_rows(parameters, X)
    if network.input_activation is not None:
        return _blockwise(_forward_of_activated_inputs, network, parameters, X)
    return _compute(_forward, network, parameters, X)


def _compute(forward, network, parameters, X):
    """Logits of few rows in one go, of more block by block."""
    n_pieces = _all_pieces(parameters, X)
    stays_small = _largest_product(parameters, X) < _BLAS_THREADS_PAY
    if sum(n_pieces) <= _MOST_PIECES and stays_small and X.shape[0] <= BLOCK_ROWS:
        with np.errstate(all="ignore"):
            return forward(network, parameters, X, n_pieces)
    return _blockwise(forward, network, parameters, X)


def _blockwise(forward, network, parameters, X):
    """Logits of more than a few rows, on threads where these pay."""
    n_rows = X.shape[0]
    logits = np.empty((n_rows, network.layer_units[-1]), parameters.weights[0].dtype)
    work = forward, network, parameters, X, logits
    largest = _largest_product(parameters, X)
    if _is_for_blas(parameters, X):
        threads_pay = largest >= _THREADS_PAY
    else:
        threads_pay = X.nnz * network.layer_units[1] >= _THREADS_PAY_IF_SPARSE
    if largest >= _BLAS_THREADS_PAY and not threads_pay:
        _write_logits(*work, 0, n_rows)
        return logits
    with prediction_threads() as n_threads:
        _share(*work, n_threads if threads_pay else 1)
    return logits


def _largest_product(parameters, X):
    """Multiplications of the largest of the BLAS's products; SciPy's are none."""
    weights = parameters.weights
    by_blas = weights if _is_for_blas(parameters, X) else weights[1:]
    return X.shape[0] * max((weights.size for weights in by_blas), default=0)


def _is_for_blas(parameters, X):
    """Whether the first product is the BLAS's."""
    return not sparse.issparse(X) or _are_hardly_sparse(parameters, X)


def _are_hardly_sparse(parameters, X):
    """Whether the BLAS takes less time for all entries than SciPy for some of them."""
    if not sparse.issparse(X) or math.prod(X.shape) <= _FEW_ENTRIES:
        return False
    return (
        parameters.first_weights.shape[0] >= _MANY_UNITS
        and X.nnz >= _HARDLY_SPARSE * math.prod(X.shape)
        and _rows_to_make_dense(X) >= _ROWS_AT_LEAST
    )


def _rows_to_make_dense(X):
    """How many at a time."""
    return _CACHED_BYTES // (X.shape[1] * X.dtype.itemsize)


def _block_rows(parameters, X):
    """How many rows the forward pass takes at a time."""
    if _are_hardly_sparse(parameters, X):
        return min(BLOCK_ROWS, _rows_to_make_dense(X))
    return BLOCK_ROWS


def _for_sparse_rows(parameters, X):
    """Weights as SciPy's product takes them, which else copies them for every block.

    Where few rows leave many columns empty, both are cut to the columns that occur.
    Rows of few entries become dense.
    """
    if math.prod(X.shape) <= _FEW_ENTRIES:
        return parameters, X.toarray()
    first, *others = parameters.weights
    if X.nnz < X.shape[1]:
        columns, numbers = np.unique(X.indices, return_inverse=True)
        shape = X.shape[0], len(columns)
        X = sparse.csr_matrix((X.data, numbers, X.indptr), shape=shape)
        first = first[:, :, columns]
    transposed = np.ascontiguousarray(first[0].T)
    weights = [transposed.T[np.newaxis], *others]
    return Parameters(weights, parameters.intercepts), X


def _all_pieces(parameters, X):
    """How many pieces each layer's product has to be cut into to stay off BLAS threads.

    Sparse rows SciPy multiplies by itself.
    """
    n_pieces = [_n_pieces(X.shape[0], weights[0]) for weights in parameters.weights]
    return [1, *n_pieces[1:]] if sparse.issparse(X) else n_pieces


def _n_pieces(n_rows, weights):
    """The same of one layer; inf if it can't be."""
    fan_out, fan_in = weights.shape
    if n_rows == 1 or fan_out == 1:
        n_units = VECTORS_STAY_ALONE // max(1, n_rows * fan_in)
        least = 1
    else:
        n_units = MATRICES_STAY_ALONE // max(1, n_rows * fan_in)
        # Half of it is no vector yet.
        least = 4
    return -(-fan_out // n_units) if n_units >= min(least, fan_out) else math.inf


def _forward_of_unchecked(network, parameters, X, n_pieces=None):
    """The same as :func:`_forward`; raises NotFinite if the first product is not."""

    def finite_product(*args):
        z = _product(*args)
        # A sum is finite only if its terms are.
        if not np.isfinite(z.sum()):
            raise NotFinite
        return z

    return _forward(network, parameters, X, n_pieces, finite_product)


def _forward(network, parameters, X, n_pieces=None, first_product=None):
    """The forward pass of some rows, without buffers.

    Parameters
    ----------
    network, parameters, X
        As of :func:`compute_logits`.

    n_pieces : list of int or None, default=None
        Into how many pieces each layer's product is cut; None for one.

    first_product : callable or None, default=None
        What computes the first layer's pre-activations; None for :func:`_product`.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
        In the precision of the weights.
    """
    layers = list(zip(parameters.weights, parameters.intercepts, strict=True))
    n_pieces = n_pieces or [1] * len(layers)
    products = [first_product or _product, *[_product] * (len(layers) - 1)]
    a = X.astype(parameters.weights[0].dtype, copy=False)
    if not is_blas_operand(a):
        a = np.ascontiguousarray(a)
    for i, activation in enumerate(network.activations):
        z = products[i](*layers[i], a, n_pieces[i])
        a = np.empty_like(z) if activation.keeps_input else z
        activation.apply(z, a)
    return products[-1](*layers[-1], a, n_pieces[-1])


def _forward_made_dense(network, parameters, X):
    """The same of sparse rows, made dense."""
    return _forward(network, parameters, X.toarray())


def _product(weights, intercepts, a, n_pieces):
    """A layer's pre-activations of shape (n_rows, units), so many units at a time."""
    (weights,), (intercepts,) = weights, intercepts
    if not isinstance(a, np.ndarray):
        z = a @ weights.T
        z += intercepts[:, 0]
        return z
    fan_out = weights.shape[0]
    z = np.empty((len(a), fan_out), weights.dtype)
    for start, stop in pairwise(fan_out * i // n_pieces for i in range(n_pieces + 1)):
        np.matmul(a, weights[start:stop].T, out=z[:, start:stop])
    z += intercepts[:, 0]
    return z


def _forward_of_activated_inputs(network, parameters, X):
    """The same where the inputs have an activation of their own."""
    if not is_blas_operand(X):
        X = np.ascontiguousarray(X)
    dtype = parameters.weights[0].dtype
    buffers = ForwardBuffers(network, 1, X.shape[0], dtype)
    return network.logits(parameters, X, buffers)[0].T


def _share(forward, network, parameters, X, logits, n_threads):
    """Write the logits on threads that have a share of the rows each."""
    work = forward, network, parameters, X, logits
    if n_threads == 1:
        _write_logits(*work, 0, X.shape[0])
        return
    with ThreadPoolExecutor(n_threads) as pool:
        shares = [
            pool.submit(_write_logits, *work, *edges)
            for edges in share_edges(X.shape[0], n_threads, SHARE_ROWS)
        ]
        for share in shares:
            share.result()


def _write_logits(forward, network, parameters, X, logits, first, last):
    """Write the logits of a share of the rows; NumPy's errstate is per thread."""
    step = _block_rows(parameters, X)
    with np.errstate(all="ignore"):
        for start in range(first, last, step):
            stop = min(start + step, last)
            block = _view_rows(X, start, stop)
            logits[start:stop] = forward(network, parameters, block)


def _view_rows(X, start, stop):
    """Some consecutive rows; of sparse ones SciPy's slice would copy more."""
    if not sparse.issparse(X):
        return X[start:stop]
    if stop - start == X.shape[0]:
        return X
    first, last = X.indptr[start], X.indptr[stop]
    return sparse.csr_matrix(
        (
            X.data[first:last],
            X.indices[first:last],
            X.indptr[start : stop + 1] - first,
        ),
        shape=(stop - start, X.shape[1]),
    )
