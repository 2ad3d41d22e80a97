"""The minibatches that the rows of a data set are cut into.

A training takes its batches from an object with the attributes ``n_rows`` and
``n_batches`` and the methods ``draw_order()``, which draws the order of the next epoch,
``epoch(order)``, which yields the batches of that epoch, and, where several trainings
share a stack, ``select(indices)``, which drops all other networks.

A device that has the rows, ``source``, in a memory of its own takes ``plan(order)``
instead, the numbers of the rows of an epoch.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .rows import Batch, DenseInputs, GroupedInputs, LevelInputs, PerNetworkInputs, Rows

# Bytes of inputs that are gathered at a time, so that they stay in the cache.
_CHUNK_BYTES = 2**20


class Plan(NamedTuple):
    """The rows of an epoch, and their weights.

    Parameters
    ----------
    index : ndarray of shape (n_rows,) or (n_stack, n_rows), int
        Numbers of the rows, the same or other ones for each network.

    weights : ndarray of shape (n_rows,) or (n_stack, n_rows), or None
        Weights of their losses; None for 1.

    sums : list of float
        `weight_sum` of each batch.

    sums_by_network : list of {float, ndarray of shape (n_stack,)}
        `weight_sum_by_network` of each batch.

    weights_in_epoch : list of {int, ndarray of shape (n_stack,)}
        `weight_in_epoch` of each batch.
    """

    index: np.ndarray
    weights: np.ndarray | None
    sums: list
    sums_by_network: list
    weights_in_epoch: list


class Shuffle:
    """Shuffles the order that its last call left, as MLPClassifier does.

    Parameters
    ----------
    random_state : RandomState
        Source of the draws.
    """

    def __init__(self, random_state):
        self.random_state = random_state
        self.order = None

    def next(self, n_rows):
        """The next epoch's order."""
        # The same draw as by scikit-learn's ``shuffle``, which checks more.
        index = np.arange(n_rows)
        self.random_state.shuffle(index)
        self.order = index if self.order is None else self.order[index]
        return self.order


class Batches:
    """Minibatches that all networks of a stack share.

    Several batches of dense rows are gathered at a time, into arrays that the next ones
    overwrite.

    Parameters
    ----------
    rows : Rows
        The rows to cut.

    output : Output
        Writes the targets.

    batch_size : int
        Number of rows of a batch; the last one may have fewer.

    shuffle : Shuffle or None
        Draws the orders; None for rows in the order that they have.

    index : ndarray of int or None, default=None
        Numbers of the rows to cut; None for all of them.

    Attributes
    ----------
    n_rows : int
        Rows of an epoch.

    source : Rows
        The rows as they were given.
    """

    def __init__(self, rows, output, batch_size, shuffle, index=None):
        self.source = rows
        self.rows = rows.for_batches()
        self.output = output
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.index = index
        self.n_rows = rows.n_rows if index is None else len(index)
        if rows.is_sparse:
            return
        # Room for a chunk of batches.
        n_columns, dtype = rows.X.shape[1], rows.dtype
        batch_bytes = batch_size * max(1, n_columns) * dtype.itemsize
        n_batches = max(1, min(_CHUNK_BYTES // batch_bytes, self.n_batches))
        self._chunk_rows = min(n_batches * batch_size, self.n_rows)
        self._X = np.empty((self._chunk_rows, n_columns), dtype)
        self._target = np.empty((output.n_outputs, self._chunk_rows), dtype)
        self._batches = self._cut(self._chunk_rows)

    @property
    def n_batches(self):
        """Number of batches of an epoch."""
        return -(-self.n_rows // self.batch_size)

    def draw_order(self):
        """The order of an epoch, of shape (n_rows,)."""
        if self.shuffle is None:
            return np.arange(self.n_rows)
        return self.shuffle.next(self.n_rows)

    def epoch(self, order):
        """Yield the batches of rows in an order, each valid until the next one."""
        index = self._numbers(order)
        step = self.batch_size if self.rows.is_sparse else self._chunk_rows
        for start in range(0, self.n_rows, step):
            of_chunk = index[start : start + step]
            if self.rows.is_sparse:
                yield self.rows[of_chunk].as_batch(self.output)
            else:
                yield from self._gather(of_chunk)

    def _numbers(self, order):
        return order if self.index is None else self.index[order]

    def plan(self, order):
        """Return the Plan of an epoch."""
        index, weights = self._numbers(order), self.rows.weights
        starts = range(0, self.n_rows, self.batch_size)
        n_rows = [min(self.batch_size, self.n_rows - i) for i in starts]
        sums = [float(n) for n in n_rows]
        if weights is not None:
            weights = weights[index]
            sums = [float(weights[i : i + self.batch_size].sum()) for i in starts]
        return Plan(index, weights, sums, sums, n_rows)

    def select(self, indices):
        """Keep the networks at `indices` alone: the batches stay as they are."""

    def _cut(self, n_rows):
        """The batches of the first `n_rows` rows of the arrays, as views."""
        edges = [*range(0, n_rows, self.batch_size), n_rows]
        return [
            Batch(DenseInputs(self._X[i:j]), self._target[:, i:j], j - i)
            for i, j in pairwise(edges)
        ]

    def _gather(self, index):
        """Gather rows into the arrays, at most a chunk; return their batches."""
        n_rows = len(index)
        _take_rows(self.rows.X, index, self._X[:n_rows])
        targets = self.rows.targets[index]
        self._target[:, :n_rows] = self.output.encoded_targets(targets, self.rows.dtype)
        batches = self._batches if n_rows == self._chunk_rows else self._cut(n_rows)
        self._fill(batches, index)
        return batches

    def _fill(self, batches, index):
        """Give the batches their weights."""
        if self.rows.weights is None:
            return
        weights, start = self.rows.weights[index], 0
        for batch in batches:
            batch.weights = weights[start : start + batch.n_rows]
            batch.weight_sum = batch.weight_sum_by_network = float(batch.weights.sum())
            start += batch.n_rows


def _take_rows(X, index, out):
    """Gather rows into an array in C order."""
    if X.flags.c_contiguous:
        # With the default mode, np.take buffers its output. If X is not in C order,
        # np.take would first copy all of X.
        np.take(X, index, axis=0, out=out, mode="clip")
    else:
        out[:] = X[index]


class WithholdingBatches(Batches):
    """Minibatches in which each network ignores a group of rows of its own.

    The weights of the other rows are larger in turn, so that the sum of a batch is the
    same on average.

    Parameters
    ----------
    rows : Rows
        The rows to cut, of a table.

    output, batch_size, shuffle
        As of :class:`Batches`.

    groups : ndarray of shape (n_rows,), int
        The group of each row.

    withheld : ndarray of shape (n_stack,), int
        The group that each network does not see.
    """

    def __init__(self, rows, output, batch_size, shuffle, groups, withheld):
        self._codes = rows.X.codes
        numbers = Rows(rows.X.numbers, rows.targets, rows.weights)
        super().__init__(numbers, output, batch_size, shuffle)
        self.source = rows
        is_seen = groups != withheld[:, np.newaxis]
        gain = len(groups) / is_seen.sum(axis=1, keepdims=True)
        # By rows, as they are gathered.
        self._factors = np.ascontiguousarray((is_seen * gain).T, dtype=rows.X.dtype)

    def _cut(self, n_rows):
        batches = super()._cut(n_rows)
        if self._codes.shape[1] > 0:
            for batch in batches:
                batch.inputs = LevelInputs(batch.inputs, None)
        return batches

    def plan(self, order):
        plan = super().plan(order)
        weights = self._factors[plan.index].T
        if plan.weights is not None:
            weights = weights * plan.weights
        return Plan(plan.index, weights, *plan[2:])

    def _fill(self, batches, index):
        super()._fill(batches, index)
        factors, codes, start = self._factors[index], self._codes[index], 0
        for batch in batches:
            rows = slice(start, start + batch.n_rows)
            if codes.shape[1] > 0:
                batch.inputs.codes = codes[rows]
            of_batch = np.ascontiguousarray(factors[rows].T)[:, np.newaxis]
            # `weight_sum` stays the same: the factors make up for what is withheld.
            has_weights = self.rows.weights is not None
            batch.weights = of_batch * batch.weights if has_weights else of_batch
            start += batch.n_rows


class GroupedBatches:
    """Minibatches of a stack whose networks come in groups, each with other batches.

    A group has a data set, or an order of the rows, of its own. So the networks of
    several folds are trained as one stack, which takes fewer calls of NumPy. Each group
    has the same number of batches. If the last batches differ in size, the smaller ones
    are filled up with rows of weight 0.

    Parameters
    ----------
    data_sets : list of Rows
        Of each group: dense rows without weights, of the same features. Rows that
        several groups share are held once.

    output : Output
        Writes the targets.

    batch_size : int
        Number of rows of a batch; the last one may have fewer.

    shuffles : list of Shuffle
        One for each group; empty for rows in the order that they have.

    group_of : sequence of int
        For each network the number of its group, in ascending order.

    Attributes
    ----------
    n_rows : ndarray of shape (n_stack,), int
        Rows that each network goes over in an epoch.

    source : Rows
        The rows of all data sets, one after the other.
    """

    def __init__(self, data_sets, output, batch_size, shuffles, group_of):
        self.output = output
        self.batch_size = batch_size
        self.shuffles = shuffles
        distinct = list({id(rows): rows for rows in data_sets}.values())
        if len(distinct) == 1:
            # Not copied: X may be a memory map.
            self.source = distinct[0].for_batches()
        else:
            self.source = Rows(
                np.concatenate([rows.X for rows in distinct]),
                np.concatenate([rows.targets for rows in distinct]),
            )
        first_of, n_rows = {}, 0
        for rows in distinct:
            first_of[id(rows)] = n_rows
            n_rows += rows.n_rows
        self._n_rows_of = np.array([rows.n_rows for rows in data_sets])
        self._first = np.array([first_of[id(rows)] for rows in data_sets])
        # Room for the rows that were gathered last.
        self._X = np.empty((0, 0, 0))
        self._set_groups(np.asarray(group_of))

    @property
    def n_batches(self):
        """Number of batches of an epoch."""
        return -(-int(self._n_rows_of.max()) // self.batch_size)

    def select(self, indices):
        """Keep the networks at `indices` alone."""
        self._set_groups(self._group_of[indices])

    def _set_groups(self, group_of):
        self._group_of = group_of
        self.n_rows = self._n_rows_of[group_of]
        self._groups, self._places, n_networks = np.unique(
            group_of, return_inverse=True, return_counts=True
        )
        self._n_networks = n_networks.tolist()
        self._sizes = self._n_rows_of[self._groups]

    def draw_order(self):
        """The order of each group that is left."""
        n_rows = self._n_rows_of
        if not self.shuffles:
            return [np.arange(n_rows[group]) for group in self._groups]
        return [self.shuffles[group].next(n_rows[group]) for group in self._groups]

    def epoch(self, orders):
        """Yield the batches of rows in the given orders."""
        index = self._numbers(orders)
        batch_bytes = len(index) * self.batch_size * self.source.X[0].nbytes
        chunk_rows = max(1, _CHUNK_BYTES // batch_bytes) * self.batch_size
        for start in range(0, index.shape[1], chunk_rows):
            yield from self._gather(index[:, start : start + chunk_rows], start)

    def plan(self, orders):
        """Return the Plan of an epoch."""
        index = self._numbers(orders)[self._places]
        weights, sums, sums_by_network = np.ones(index.shape, self.source.dtype), [], []
        for start in range(0, index.shape[1], self.batch_size):
            n_rows = min(self.batch_size, index.shape[1] - start)
            by_network = float(n_rows)
            if of_batch := self._weights(start, n_rows):
                of_rows, _, by_network = of_batch
                weights[:, start : start + n_rows] = of_rows[:, 0]
            sums.append(float(n_rows))
            sums_by_network.append(by_network)
        return Plan(index, weights, sums, sums_by_network, sums_by_network)

    def _numbers(self, orders):
        """Numbers of the rows of each group, the shorter orders filled up."""
        index = np.empty((len(orders), self._sizes.max()), np.intp)
        for row, order in zip(index, orders, strict=True):
            row[: len(order)] = order
            row[len(order) :] = order[-1]
        return index + self._first[self._groups, np.newaxis]

    def _gather(self, index, first):
        shape = *index.shape, self.source.X.shape[1]
        if self._X.shape != shape:
            self._X = np.empty(shape, self.source.dtype)
        X = self._X
        _take_rows(self.source.X, index, X)
        targets = self.output.encoded_targets(self.source.targets[index], X.dtype)
        are_alone = len(self._groups) == len(self._places)
        if not are_alone:
            targets = targets[self._places]
        for start in range(0, index.shape[1], self.batch_size):
            stop = min(start + self.batch_size, index.shape[1])
            of_batch = X[:, start:stop]
            inputs = (
                PerNetworkInputs(of_batch)
                if are_alone
                else GroupedInputs(of_batch, self._n_networks)
            )
            target = targets[..., start:stop]
            yield Batch(
                inputs,
                target,
                stop - start,
                *self._weights(first + start, stop - start),
            )

    def _weights(self, start, n_rows):
        """Row weights of a filled-up batch, their sum, and each network's own rows.

        A group with fewer rows than the batch is filled up with rows of weight 0. Its
        real rows get larger weights, so that every group's weights add up to `n_rows`.
        """
        n_own = np.minimum(self._sizes - start, n_rows)[self._places]
        if n_own.min() == n_own.max():
            return ()
        n_own = n_own[:, np.newaxis, np.newaxis]
        weights = (np.arange(n_rows) < n_own) * (n_rows / n_own)
        sums = n_own[:, 0, 0].astype(self.source.dtype)
        return weights.astype(self.source.dtype), float(n_rows), sums
