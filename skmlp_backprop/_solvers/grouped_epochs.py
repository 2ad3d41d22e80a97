"""Epochs of a stack whose networks come in groups, each with rows of its own."""

import numpy as np

from .._network.groups import GroupedBatches


class GroupedEpochs:
    """The batches of one epoch after the other, each group's in an order of its own.

    A group's are those that it would have by itself.

    Parameters
    ----------
    problem : Problem
        Its rows are :class:`GroupedRows`; it has a shuffle for each group.

    solver : MinibatchSolver
        Its batch size is read, and whether it shuffles.

    Attributes
    ----------
    n_rows : ndarray of shape (n_stack,), int
        Rows that each network goes over in an epoch.
    """

    def __init__(self, problem, solver):
        self.rows = problem.rows
        self.group_of = self.rows.group_of
        self.shuffles = problem.shuffles
        self.is_shuffled = solver.shuffle
        self.batches = GroupedBatches(self.rows, solver.n_batch_rows(self.rows.n_rows))

    @property
    def n_rows(self):
        return self.rows.n_rows_of[self.group_of]

    def next(self):
        """The next epoch's batches."""
        return self.batches.shuffled(
            [self._order(group) for group in self.batches.groups]
        )

    def _order(self, group):
        n_rows = self.rows.n_rows_of[group]
        if not self.is_shuffled:
            return np.arange(n_rows)
        return self.shuffles[group].next(n_rows)

    def select(self, indices):
        """Go on with some of the networks alone."""
        self.group_of = self.group_of[indices]
        self.batches.select(self.group_of)
