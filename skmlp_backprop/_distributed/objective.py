"""The objective over rows at the workers of a cluster, and batches of such rows."""

import numpy as np

from .._estimators.training import TrainingData
from .._network.objective import Objective
from .shares import batch_shares

# The client fetches at most about this number of targets from the workers.
_MOST_TARGETS = 2**20


class DistributedRows:
    """The training rows, which are at the workers; the counterpart of ``Rows``.

    Parameters
    ----------
    parts : RemoteRows
        The parts of the rows at the workers.

    n_rows_of_parts : list of int
        Number of rows of each part.

    weight_sum : float or None
        Sum of the weights; None if each row weighs 1.

    dtype : dtype
        Precision of the samples.
    """

    # The client does not need to know whether the rows at the workers are sparse.
    is_sparse = False

    def __init__(self, parts, n_rows_of_parts, weight_sum, dtype):
        self.parts = parts
        self.n_rows_of_parts = n_rows_of_parts
        self.n_rows = sum(n_rows_of_parts)
        self.is_weighted = weight_sum is not None
        self.weight_sum = weight_sum if self.is_weighted else float(self.n_rows)
        self.weight_sum_by_network = self.weight_sum
        self.dtype = dtype

    def some_targets(self):
        """Targets and weights for the loss of the best constant prediction."""
        n_parts = len(self.n_rows_of_parts)
        found = self.parts.ask("some_targets", -(-_MOST_TARGETS // n_parts))
        targets, weights = zip(*found, strict=True)
        return np.concatenate(targets), np.concatenate(weights)

    def for_products(self):
        """Return the same rows: each worker lays out its own rows."""
        return self

    def sums(self, theta, scale, masks):
        """Loss and gradient of each part, by :meth:`WorkerRows.sum_losses`."""
        return self.parts.ask("sum_losses", self.parts.share(theta), scale)


class DistributedBatch:
    """A batch: the union of a share of the rows of each part.

    Parameters
    ----------
    rows : DistributedRows
        All rows.

    order : tuple of int or None
        Seed and number of the epoch, which define the order of the rows of each part;
        None for unshuffled rows.

    spans : ndarray of shape (n_parts, 2), int
        Start and stop of each part's share, in the order of its rows.

    weight_sum : float
        Sum of the batch's weights.
    """

    def __init__(self, rows, order, spans, weight_sum):
        self.rows = rows
        self.order = order
        self.spans = spans.tolist()
        self.weight_sum = self.weight_sum_by_network = weight_sum

    def sums(self, theta, scale, masks):
        """Loss and gradient of each part, by :meth:`WorkerRows.sum_batch`."""
        parts = self.rows.parts
        theta = parts.share(theta)
        return parts.ask_each(
            "sum_batch",
            [
                (theta, scale, self.order, (start, stop), masks)
                if stop > start
                else None
                for start, stop in self.spans
            ],
        )


class DistributedObjective(Objective):
    """The objective J and its gradient over rows at the workers.

    The parameters are those of :class:`Objective`, without the number of threads, which
    each worker sets. An evaluation sends the weights to every part, and adds the sums
    of the parts in a fixed order, so that the result does not depend on timing.
    """

    def __init__(self, network, alpha, parameters, dropout=None):
        super().__init__(network, alpha, parameters)
        self._masks = None
        if dropout is not None:
            seed = dropout.random_state.randint(2**31 - 1)
            self._masks = dropout.rates, seed
        self._n_evaluations = 0

    def sum_losses(self, rows, scale):
        """Add the losses and gradients of all parts, see :class:`Objective`."""
        masks = None
        if self._masks is not None:
            rates, seed = self._masks
            masks = rates, (seed, self._n_evaluations)
        self._n_evaluations += 1
        (loss, first), *others = rows.sums(self.parameters.flat, scale, masks)
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
        The rows.

    batch_size : int
        Number of rows of a batch.

    shuffles : list of Shuffle or None
        The first element draws the seed of the orders. None for unshuffled rows.

    Attributes
    ----------
    n_rows, n_batches : int
        Numbers of rows and batches of an epoch.
    """

    def __init__(self, rows, batch_size, shuffles):
        self.rows = rows
        self.n_rows = rows.n_rows
        self.batch_size = batch_size
        self.n_batches = -(-rows.n_rows // batch_size)
        self.seed = None
        if shuffles is not None:
            self.seed = shuffles[0].random_state.randint(2**31 - 1)
        self.n_epochs = 0

    def draw_order(self):
        """Return seed and number of the next epoch; None for unshuffled rows."""
        order = None if self.seed is None else (self.seed, self.n_epochs)
        self.n_epochs += 1
        return order

    def epoch(self, order):
        """Yield the batches of an epoch."""
        shares = batch_shares(self.rows.n_rows_of_parts, self.batch_size)
        weights = self._weights(order)
        for number, spans in enumerate(shares):
            weight = np.diff(spans).sum() if weights is None else weights[number]
            yield DistributedBatch(self.rows, order, spans, float(weight))

    def _weights(self, order):
        """Sum of the weights of each batch; None if each row weighs 1."""
        rows = self.rows
        if not rows.is_weighted:
            return None
        return sum(
            rows.parts.ask(
                "batch_weights", order, rows.n_rows_of_parts, self.batch_size
            )
        )


class DistributedData(TrainingData):
    """Training data with rows at the workers."""

    def make_objective(self, alpha, parameters, dropout, n_threads):
        """Make the objective over the rows; each worker sets its own threads."""
        return DistributedObjective(self.network, alpha, parameters, dropout)

    def make_batches(self, batch_size, shuffles, index=None):
        """Make the batches of the rows."""
        return DistributedBatches(self.rows, batch_size, shuffles)
