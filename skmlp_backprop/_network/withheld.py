"""Rows of which each network of a stack is denied a part, to be judged by it later."""

import numpy as np

from .rows import Batches, Rows


class WithheldRows(Rows):
    """A batch that all networks see, each with weights of its own.

    Parameters
    ----------
    batch : Rows
        The batch.

    shares : ndarray of shape (n_stack, 1, n_rows)
        What each network takes each row's weight times.
    """

    def __init__(self, batch, shares):
        self.X = batch.X
        self.targets = batch.targets
        self.n_rows = batch.n_rows
        # As if nothing were withheld: the shares make up for it.
        self.weight_sum = self.weight_sums = batch.weight_sum
        self.weights = shares if batch.weights is None else shares * batch.weights


class WithholdingBatches(Batches):
    """Minibatches from which each network of a stack is denied a group of rows.

    The others count more in turn, so that a batch's sum is the same on average.

    Parameters
    ----------
    rows : Rows
        The rows to cut.

    batch_size : int
        Number of rows of a batch; the last one may have fewer.

    groups : ndarray of shape (n_rows,), int
        The group of each row.

    withheld : ndarray of shape (n_stack,), int
        The group that each network is denied.
    """

    def __init__(self, rows, batch_size, groups, withheld):
        super().__init__(rows, batch_size)
        is_seen = groups != withheld[:, np.newaxis]
        gain = len(groups) / is_seen.sum(axis=1, keepdims=True)
        # By rows, as they are gathered.
        self._shares = np.ascontiguousarray((is_seen * gain).T, dtype=rows.X.dtype)

    def gather(self, index):
        shares = np.ascontiguousarray(self._shares[index].T)
        return WithheldRows(super().gather(index), shares[:, np.newaxis])
