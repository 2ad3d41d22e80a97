"""Rows of a stack whose networks come in groups, each with a data set of its own.

So networks of several folds can be trained as one stack: a step costs the interpreter
as much for few networks as for many (benchmarks: tricks).
"""

import math
from itertools import pairwise

import numpy as np

from .memory import empty_aligned


class GroupedRows:
    """Several data sets, each for a group of the networks of a stack.

    Parameters
    ----------
    data_sets : list of Rows
        Dense rows without weights, of the same features.

    group_of : sequence of int
        For each network the number of its data set, in ascending order.

    Attributes
    ----------
    n_rows : int
        Number of rows of the largest data set.

    n_rows_of : ndarray of shape (n_data_sets,), int
        Those of each.
    """

    is_sparse = False
    weights = None

    def __init__(self, data_sets, group_of):
        self.data_sets = data_sets
        self.group_of = np.asarray(group_of)
        self.n_rows_of = np.array([rows.n_rows for rows in data_sets])
        self.n_rows = int(self.n_rows_of.max())

    @property
    def dtype(self):
        """Precision of the samples."""
        return self.data_sets[0].dtype

    def for_batches(self):
        """The same rows; gathering puts them in order."""
        return self


class GroupedBatches:
    """Cut the rows of groups into minibatches, as many for each group.

    They are gathered into one buffer, overwritten batch by batch. Where the groups'
    last batches differ in size, the smaller ones are filled up with rows of no weight.

    Parameters
    ----------
    rows : GroupedRows
        The rows to cut.

    batch_size : int
        Number of rows of a batch; the last one may have fewer.
    """

    def __init__(self, rows, batch_size):
        self.batch_size = batch_size
        # In C order whatever theirs is, as gathering from columns takes far longer.
        self._X = np.concatenate([np.ascontiguousarray(d.X) for d in rows.data_sets])
        self._targets = np.concatenate([data.targets for data in rows.data_sets])
        self._n_rows_of = rows.n_rows_of
        self._first = np.cumsum(rows.n_rows_of) - rows.n_rows_of
        size = len(rows.data_sets) * batch_size * self._X.shape[1]
        self._buffer = empty_aligned((size,), self._X.dtype)
        self._transposed = empty_aligned((size,), self._X.dtype)
        self.select(rows.group_of)

    def select(self, group_of):
        """Go on with networks of the given groups, some of which may have gone.

        Parameters
        ----------
        group_of : ndarray of shape (n_stack,), int
            For each network the number of its group, in ascending order.
        """
        self.groups, self._places = np.unique(group_of, return_inverse=True)
        stops = np.flatnonzero(np.diff(self._places)) + 1
        edges = pairwise([0, *stops.tolist(), len(group_of)])
        self._networks = [slice(*edge) for edge in edges]
        self._sizes = self._n_rows_of[self.groups]
        self._least = int(self._sizes.min())

    def shuffled(self, orders):
        """Yield the batches of the rows in the given orders.

        Parameters
        ----------
        orders : list of ndarray of int
            A permutation of each group's rows, of those groups that are left.
        """
        index = np.empty((len(orders), self._sizes.max()), np.intp)
        for row, order in zip(index, orders, strict=True):
            row[: len(order)] = order
            row[len(order) :] = order[-1]
        index += self._first[self.groups, np.newaxis]
        targets = self._targets[index]
        for start in range(0, index.shape[1], self.batch_size):
            rows = slice(start, start + self.batch_size)
            inputs = self._gather(index[:, rows])
            of_networks = targets[:, rows][self._places]
            yield GroupedBatch(inputs, of_networks, self._n_own(rows))

    def _gather(self, index):
        shape = (*index.shape, self._X.shape[1])
        X = self._buffer[: math.prod(shape)].reshape(shape)
        # mode="clip": with the default it buffers its output once more.
        np.take(self._X, index, axis=0, out=X, mode="clip")
        n_groups, n_rows, n_features = shape
        transposed = self._transposed[: X.size].reshape(n_groups, n_features, n_rows)
        return GroupedInputs(X, transposed, self._networks)

    def _n_own(self, rows):
        """How many of these rows each network has; None for all."""
        if rows.stop <= self._least:
            return None
        n_own = np.minimum(self._sizes, rows.stop) - rows.start
        return None if n_own.min() == n_own.max() else n_own[self._places]


class GroupedInputs:
    """A batch's samples, which the first layer takes group by group.

    Parameters
    ----------
    X : ndarray of shape (n_groups, n_rows, n_features)
        The samples.

    transposed : ndarray of shape (n_groups, n_features, n_rows)
        Room for these, as products with a transpose are slow.

    networks : list of slice
        The networks of each group.
    """

    def __init__(self, X, transposed, networks):
        self.X = X
        self.dtype = X.dtype
        self._transposed = transposed
        self._networks = networks

    def multiply(self, weights, out):
        """The first layer's product, for each network with its group's samples."""
        np.copyto(self._transposed, self.X.swapaxes(1, 2))
        for networks, X in zip(self._networks, self._transposed, strict=True):
            np.matmul(weights[networks], X, out=out[networks])

    def multiply_delta(self, delta, out):
        """The first weights' gradient."""
        for networks, X in zip(self._networks, self.X, strict=True):
            np.matmul(delta[networks], X, out=out[networks])


class GroupedBatch:
    """A batch of each group's own.

    Parameters
    ----------
    X : GroupedInputs
        The samples.

    targets : ndarray of shape (n_stack, n_rows) or (n_stack, n_rows, n_outputs)
        The targets of each network.

    n_own : ndarray of shape (n_stack,), int, or None, default=None
        How many of the rows, the first ones, each network's batch has; None for all.

    Attributes
    ----------
    n_rows : int
        Rows of the largest group's batch.

    weights : ndarray of shape (n_stack, 1, n_rows) or None
        What the rows count: 0 beyond a network's own ones, and those so much more that
        their sum is taken for one of `n_rows`.

    weight_sum : float
        `n_rows`.

    weight_sums : float or ndarray of shape (n_stack,)
        W of each network; one number where it is the same for all.
    """

    is_shared = False
    weights = None

    def __init__(self, X, targets, n_own=None):
        self.X = X
        self.targets = targets
        self.n_rows = targets.shape[1]
        self.weight_sum = self.weight_sums = float(self.n_rows)
        if n_own is not None:
            self.weight_sums = n_own.astype(X.dtype)
            n_own = n_own[:, np.newaxis, np.newaxis]
            weights = (np.arange(self.n_rows) < n_own) * (self.n_rows / n_own)
            self.weights = weights.astype(X.dtype)

    def blocks(self, n_rows):
        """All of them, which a stack of groups never has more of than a block."""
        yield self

    def shares(self, n_shares, block):
        """One share of all of them."""
        return [self]
