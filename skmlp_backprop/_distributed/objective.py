"""The objective over rows at the workers of a cluster, and batches of such rows."""

from dataclasses import dataclass, replace

import numpy as np

from .._estimators.training import TrainingData
from .._network.objective import Objective
from .client import Shards

# The client fetches at most about this number of targets from the workers.
_MAX_TARGETS = 2**20


@dataclass
class DistributedRows:
    """A span of the rows of each shard: all rows, or a batch.

    Parameters
    ----------
    shards : Shards
        The rows at the workers.

    spans : list of (int, int)
        Start and stop of each shard's span, in the order.

    is_weighted : bool
        Whether the rows have weights.

    weight_sum : float
        Sum of the weights.

    dtype : dtype
        Precision of the samples.

    order : tuple of int or None, default=None
        Seed and number of the epoch, which define the order of the rows of each shard;
        None for unshuffled rows.
    """

    shards: Shards
    spans: list
    is_weighted: bool
    weight_sum: float
    dtype: np.dtype
    order: tuple | None = None

    # The client does not need to know whether the rows at the workers are sparse.
    is_sparse = False

    @property
    def n_rows(self):
        """Number of rows."""
        return sum(stop - start for start, stop in self.spans)

    @property
    def weight_sum_by_network(self):
        """Sum of the weights, for the single network."""
        return self.weight_sum

    # In the mean loss of an epoch, a batch counts by the weights of its rows.
    weight_in_epoch = weight_sum_by_network

    def some_targets(self):
        """Targets and weights for the loss of the best constant prediction."""
        found = self.shards.ask("sample_targets", -(-_MAX_TARGETS // len(self.spans)))
        targets, weights = zip(*found, strict=True)
        return np.concatenate(targets), np.concatenate(weights)

    def for_products(self):
        """Return the rows unchanged: each worker copies its own rows if necessary."""
        return self


class DistributedObjective(Objective):
    """The objective J and its gradient over rows at the workers.

    The parameters are those of :class:`Objective`, without the number of threads, which
    each worker sets. An evaluation sends the weights to every shard, and adds the sums
    of the shards in a fixed order, so that the result does not depend on timing.
    """

    def __init__(self, network, alpha, parameters, dropout=None):
        super().__init__(network, alpha, parameters)
        self._rates = None
        if dropout is not None:
            self._rates = dropout.rates
            self._seed = dropout.random_state.randint(2**31 - 1)
        self._n_evaluations = 0

    def sum_losses(self, rows, scale):
        """Add the losses and gradients of all shards, see :class:`Objective`."""
        masks = None
        if self._rates is not None:
            masks = self._rates, (self._seed, self._n_evaluations)
        self._n_evaluations += 1
        theta = rows.shards.pass_on(self.parameters.flat)
        arguments = [
            (theta, scale, rows.order, (start, stop), masks) if stop > start else None
            for start, stop in rows.spans
        ]
        (loss, first), *others = rows.shards.ask_each("sum_losses", arguments)
        np.copyto(self.gradient.flat, first)
        for other_loss, other in others:
            loss = loss + other_loss
            self.gradient.flat += other
        return loss


class DistributedBatches:
    """The batches of each epoch.

    Parameters
    ----------
    rows : DistributedRows
        All rows.

    batch_size : int
        Number of rows of a batch.

    shuffle : Shuffle or None
        Draws the seed of the orders; None for unshuffled rows.

    Attributes
    ----------
    n_rows, n_batches : int
        Numbers of rows and batches of an epoch.
    """

    def __init__(self, rows, batch_size, shuffle):
        self.rows = rows
        self.n_rows = rows.n_rows
        n_rows = [stop for _, stop in rows.spans]
        self._spans = np.array(list(batch_spans(n_rows, batch_size)))
        self.n_batches = len(self._spans)
        self._seed = None
        if shuffle is not None:
            self._seed = shuffle.random_state.randint(2**31 - 1)
        self._n_epochs = 0

    def draw_order(self):
        """Return seed and number of the next epoch; None for unshuffled rows."""
        order = None if self._seed is None else (self._seed, self._n_epochs)
        self._n_epochs += 1
        return order

    def epoch(self, order):
        """Yield the batches of an epoch."""
        weights = np.diff(self._spans).sum(axis=(1, 2))
        if self.rows.is_weighted:
            arguments = [(order, spans) for spans in self._spans.swapaxes(0, 1)]
            weights = sum(self.rows.shards.ask_each("sum_weights", arguments))
        for spans, weight in zip(self._spans.tolist(), weights.tolist(), strict=True):
            yield replace(self.rows, spans=spans, weight_sum=float(weight), order=order)


def batch_spans(n_rows, batch_size):
    """Yield the spans of the rows of each shard in every batch of an epoch.

    A batch takes rows of each shard in proportion to the shard's remaining rows,
    rounded by the largest-remainder method. So every batch but the last is full, and
    all shards are used up in the last batch.

    Parameters
    ----------
    n_rows : sequence of int
        Number of rows of each shard.

    batch_size : int
        Number of rows of a batch.

    Yields
    ------
    spans : ndarray of shape (n_shards, 2), int
        Start and stop of each shard's span, in the order of its rows in the epoch.
    """
    n_rows = np.array(n_rows, np.int64)
    left = n_rows.copy()
    while (n_left := int(left.sum())) > 0:
        size = min(batch_size, n_left)
        taken, remainders = np.divmod(size * left, n_left)
        n_more = size - int(taken.sum())
        # Stable: the first of equal remainders.
        taken[np.argsort(-remainders, kind="stable")[:n_more]] += 1
        start = n_rows - left
        yield np.column_stack([start, start + taken])
        left -= taken


class DistributedData(TrainingData):
    """Training data with rows at the workers."""

    def make_objective(self, alpha, parameters, dropout, n_threads):
        """Make the objective over the rows; each worker sets its own threads."""
        return DistributedObjective(self.network, alpha, parameters, dropout)

    def make_batches(self, batch_size, shuffle, index):
        """Make the batches of the rows."""
        return DistributedBatches(self.rows, batch_size, shuffle)
