"""The rows of a data set that a loss is summed over, and how to cut them."""

import math
import mmap
from itertools import pairwise

import numpy as np
from scipy import sparse

from .memory import empty_aligned


def share_edges(n_rows, n_shares, block):
    """First and last row of at most `n_shares` even shares, none below half a block."""
    n_shares = max(1, min(n_shares, -(-n_rows // block)))
    return list(pairwise(n_rows * i // n_shares for i in range(n_shares + 1)))


def is_blas_operand(X):
    """Whether products take X as it is: sparse, or with adjacent rows or columns."""
    if sparse.issparse(X) or X.flags.c_contiguous or X.flags.f_contiguous:
        return True
    between_rows, between_columns = X.strides
    if between_columns == X.itemsize:
        return between_rows >= X.shape[1] * X.itemsize
    return between_rows == X.itemsize and between_columns >= X.shape[0] * X.itemsize


def _is_memory_map(X):
    """Whether an array, or what it is a view of, is a file's content."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return isinstance(X, mmap.mmap)


class Rows:
    """Samples, targets and weights, row by row.

    Parameters
    ----------
    X : {ndarray, memory map, CSR matrix or array} of shape (n_rows, n_features)
        The samples.

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What the network's output takes as such, see ``outputs``.

    weights : ndarray of shape (n_rows,) or None
        Weight of each row's loss, sample weight times class weight; None for 1.

    Attributes
    ----------
    weight_sum : float
        Sum of the weights, W in the objective.

    weight_sums : float
        W of each network of a stack: one number, as it is the same for all.

    is_shared : bool
        Whether all networks of a stack see these rows: True, see :class:`OwnRows`.
    """

    is_shared = True

    def __init__(self, X, targets, weights=None):
        self.X = X
        self.targets = targets
        self.weights = weights
        self.n_rows = X.shape[0]
        self.weight_sum = float(self.n_rows if weights is None else weights.sum())
        self.weight_sums = self.weight_sum

    @property
    def dtype(self):
        """Precision of the samples."""
        return self.X.dtype

    @property
    def is_sparse(self):
        """Whether X is a sparse matrix or array."""
        return sparse.issparse(self.X)

    def some_targets(self):
        """Targets and weights by which a constant prediction is judged: all."""
        return self.targets, self.weights

    def slice(self, start, stop):
        """Rows start to stop, as views."""
        return Rows(
            self.X[start:stop],
            self.targets[start:stop],
            None if self.weights is None else self.weights[start:stop],
        )

    def blocks(self, n_rows):
        """Cut into consecutive blocks of at most `n_rows` rows."""
        if n_rows >= self.n_rows:
            yield self
            return
        for start in range(0, self.n_rows, n_rows):
            yield self.slice(start, start + n_rows)

    def shares(self, n_shares, block):
        """Cut into the shares of :func:`share_edges`."""
        if n_shares == 1 or self.n_rows <= block:
            return [self]
        edges = share_edges(self.n_rows, n_shares, block)
        return [self.slice(*edge) for edge in edges]

    def subset(self, index):
        """The rows at `index`, copied."""
        return Rows(
            self.X[index],
            self.targets[index],
            None if self.weights is None else self.weights[index],
        )

    def for_products(self):
        """The same rows, as products of blocks of them are fast."""
        return self if is_blas_operand(self.X) else self._in_c_order()

    def for_batches(self):
        """The same rows, as gathering a few of them is fast.

        To gather from columns takes far longer than from rows, in every epoch, so what
        is in memory is copied, once (benchmarks: layouts). A file's content stays where
        it is.
        """
        is_fast = self.is_sparse or self.X.flags.c_contiguous
        return self if is_fast or _is_memory_map(self.X) else self._in_c_order()

    def _in_c_order(self):
        return Rows(np.ascontiguousarray(self.X), self.targets, self.weights)


class OwnRows:
    """Rows of each network's own: a batch of a stack whose orders differ.

    Parameters
    ----------
    X : ndarray of shape (n_stack, n_rows, n_features)
        The samples.

    targets : ndarray of shape (n_stack, n_rows) or (n_stack, n_rows, n_outputs)
        Their targets.

    Attributes
    ----------
    weights : None
        Each counts 1, as W is one for the stack.

    weight_sum, weight_sums : float
        Number of rows of a network.
    """

    is_shared = False
    weights = None

    def __init__(self, X, targets):
        self.X = X
        self.targets = targets
        self.n_rows = X.shape[1]
        self.weight_sum = self.weight_sums = float(self.n_rows)

    def blocks(self, n_rows):
        """All of them, which a stack of such never has more of than a block."""
        yield self

    def shares(self, n_shares, block):
        """One share of all of them."""
        return [self]


class Selection:
    """Some of the rows of a data set, which are read where they are.

    Parameters
    ----------
    rows : Rows
        All rows.

    index : ndarray of shape (n_selected,), int
        Numbers of the selected ones.

    Attributes
    ----------
    n_rows : int
        Number of selected rows.
    """

    def __init__(self, rows, index):
        self.rows = rows
        self.index = index
        self.n_rows = len(index)

    def blocks(self, n_rows):
        """Copy consecutive blocks of at most `n_rows` rows, one after the other."""
        for start in range(0, self.n_rows, n_rows):
            yield self.rows.subset(self.index[start : start + n_rows])


class Batches:
    """Cut rows into minibatches, in the same or in a shuffled order.

    Shuffled batches are gathered into one buffer, overwritten batch by batch.

    Parameters
    ----------
    rows : Rows or Selection
        The rows to cut.

    batch_size : int
        Number of rows of a batch; the last one may have fewer.

    n_orders : int, default=1
        Number of orders that there may be at a time.
    """

    def __init__(self, rows, batch_size, n_orders=1):
        self.rows = rows
        self.batch_size = batch_size
        self._source, self._numbers = rows, None
        if isinstance(rows, Selection):
            self._source, self._numbers = rows.rows, rows.index
        self._buffer = None
        X = self._source.X
        if not self._source.is_sparse:
            size = n_orders * batch_size * X.shape[1]
            self._buffer = empty_aligned((size,), X.dtype)
            self._copy_rows = _take if X.flags.c_contiguous else _read

    @property
    def n_batches(self):
        """Number of batches that the rows make."""
        return -(-self.rows.n_rows // self.batch_size)

    def in_order(self):
        """Yield the batches as they stand."""
        return self.rows.blocks(self.batch_size)

    def shuffled(self, order):
        """Yield the batches of the rows in the given order.

        Parameters
        ----------
        order : ndarray of shape (n_rows,) or (n_stack, n_rows), int
            A permutation of the rows, or one for each network. The latter for dense
            rows without weights only.
        """
        for start in range(0, self.rows.n_rows, self.batch_size):
            yield self.gather(order[..., start : start + self.batch_size])

    def gather(self, index):
        """The rows at `index`, of which there are at most as many as in a batch.

        Parameters
        ----------
        index : ndarray of shape (n,) or (n_stack, n), int
            Their numbers, the same or others for each network.

        Returns
        -------
        rows : Rows or OwnRows
            Copied, until the next call.
        """
        rows = self._source
        if self._numbers is not None:
            index = self._numbers[index]
        if self._buffer is None:
            return rows.subset(index)
        shape = (*index.shape, rows.X.shape[1])
        X = self._buffer[: math.prod(shape)].reshape(shape)
        self._copy_rows(rows.X, index, X)
        if index.ndim == 2:
            return OwnRows(X, rows.targets[index])
        weights = None if rows.weights is None else rows.weights[index]
        return Rows(X, rows.targets[index], weights)


def _take(X, index, out):
    """Copy rows of a C-ordered array, of which np.take would first copy any other."""
    # mode="clip": with the default it buffers its output once more.
    np.take(X, index, axis=0, out=out, mode="clip")


def _read(X, index, out):
    """Copy rows of an array in any order."""
    np.copyto(out, X[index])
