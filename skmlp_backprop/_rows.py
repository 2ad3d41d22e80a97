"""The rows of a data set that a loss is summed over, and how to cut them."""

import math
from itertools import pairwise

import numpy as np
from scipy import sparse

from ._memory import empty_aligned


def share_edges(n_rows, n_shares, block):
    """First and last row of at most `n_shares` even shares, none below half a block."""
    n_shares = max(1, min(n_shares, -(-n_rows // block)))
    return list(pairwise(n_rows * i // n_shares for i in range(n_shares + 1)))


class Rows:
    """Samples, targets and weights, row by row.

    Parameters
    ----------
    X : {ndarray, memory map, CSR matrix or array} of shape (n_rows, n_features)
        The samples. Never copied as a whole. Where each network of a stack sees rows
        of its own, an ndarray of shape (n_stack, n_rows, n_features).

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Class codes 0 .. n_classes - 1, or, for multilabel targets, the indicator
        matrix. Integers. With the networks in front where they are in `X`.

    weights : ndarray of shape (n_rows,) or None
        Weight of each row's loss, sample weight times class weight; None for 1.

    Attributes
    ----------
    weight_sum : float
        Sum of the weights, W in the objective.
    """

    def __init__(self, X, targets, weights=None):
        self.X = X
        self.targets = targets
        self.weights = weights
        self.n_rows = X.shape[-2]
        self.weight_sum = float(self.n_rows if weights is None else weights.sum())

    @property
    def is_multilabel(self):
        """Whether the targets are indicators."""
        return self.targets.ndim == self.X.ndim

    @property
    def is_sparse(self):
        """Whether X is a sparse matrix or array."""
        return sparse.issparse(self.X)

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


class Batches:
    """Cut rows into minibatches, in the same or in a shuffled order.

    Shuffled batches are gathered into one buffer, overwritten batch by batch.

    Parameters
    ----------
    rows : Rows
        The rows to cut.

    batch_size : int
        Number of rows of a batch; the last one may have fewer.

    n_orders : int, default=1
        Number of orders that there may be at a time.
    """

    def __init__(self, rows, batch_size, n_orders=1):
        self.rows = rows
        self.batch_size = batch_size
        self._buffer = None
        if not rows.is_sparse:
            size = n_orders * batch_size * rows.X.shape[1]
            self._buffer = empty_aligned((size,), rows.X.dtype)

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
            yield self._gather(order[..., start : start + self.batch_size])

    def _gather(self, index):
        rows = self.rows
        if self._buffer is None:
            return rows.subset(index)
        # mode="clip": with the default np.take buffers its output once more.
        shape = (*index.shape, rows.X.shape[1])
        out = self._buffer[: math.prod(shape)].reshape(shape)
        X = np.take(rows.X, index, axis=0, out=out, mode="clip")
        weights = None if rows.weights is None else rows.weights[index]
        return Rows(X, rows.targets[index], weights)
