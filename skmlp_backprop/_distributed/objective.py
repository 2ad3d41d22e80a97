"""The objective over rows at the workers of a cluster, and batches of these."""

import numpy as np

from .._estimators.training import TrainingData
from .._network.objective import Objective
from .shares import batch_shares

# Targets that are fetched from the workers, each with its weight.
_MOST_TARGETS = 2**20


class DistributedRows:
    """All rows, as a training on the client knows them.

    Parameters
    ----------
    parts : RemoteRows
        Where they are.

    n_rows_of_parts : list of int
        Rows of each part.

    weight_sum : float or None
        Sum of the weights; None where each row counts 1.

    dtype : dtype
        Precision of the samples.
    """

    # Whether they are at the workers, no matter here.
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
        """Targets and weights by which a constant prediction is judged."""
        n_parts = len(self.n_rows_of_parts)
        found = self.parts.ask("some_targets", -(-_MOST_TARGETS // n_parts))
        targets, weights = zip(*found, strict=True)
        return np.concatenate(targets), np.concatenate(weights)

    def for_products(self):
        """The same rows: each part sees to the layout of its own."""
        return self

    def sums(self, theta, scale, masks):
        """Sums of losses and their gradients, by :meth:`WorkerRows.sum_losses`."""
        return self.parts.ask("sum_losses", self.parts.share(theta), scale)


class DistributedBatch:
    """A batch: the union of the parts' shares.

    Parameters
    ----------
    rows : DistributedRows
        All rows.

    order : tuple of int or None
        Seed and number of the epoch; None for rows as they stand.

    spans : ndarray of shape (n_parts, 2), int
        First and last row of each part's share, in its order.

    weight_sum : float
        Sum of the batch's weights.
    """

    def __init__(self, rows, order, spans, weight_sum):
        self.rows = rows
        self.order = order
        self.spans = spans.tolist()
        self.weight_sum = self.weight_sum_by_network = weight_sum

    def sums(self, theta, scale, masks):
        """Sums of losses and their gradients, by :meth:`WorkerRows.sum_batch`."""
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
    """J and its gradient over rows at the workers.

    The parameters are those of :class:`Objective`, but that threads are the workers'.
    The weights go to every part once, and the parts' sums are added in the order of the
    parts: a result does not depend on timing.
    """

    def __init__(self, network, alpha, parameters, dropout=None):
        super().__init__(network, alpha, parameters)
        self._masks = None
        if dropout is not None:
            seed = dropout.random_state.randint(2**31 - 1)
            self._masks = dropout.rates, seed
        self._n_evaluations = 0

    def sum_losses(self, rows, scale):
        """The same, of what each part sums."""
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
    """The batches of one epoch after the other.

    Parameters
    ----------
    rows : DistributedRows
        The rows.

    batch_size : int
        Number of rows of a batch.

    shuffles : list of Shuffle or None
        The source of the seed of the orders; None for rows as they stand.

    Attributes
    ----------
    n_rows, n_batches : int
        Rows and batches of an epoch.
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
        """What tells the parts an epoch's order: seed and number, or None."""
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
        """Sum of each batch's weights; None where these are its rows."""
        rows = self.rows
        if not rows.is_weighted:
            return None
        return sum(
            rows.parts.ask(
                "batch_weights", order, rows.n_rows_of_parts, self.batch_size
            )
        )


class DistributedData(TrainingData):
    """What an estimator is trained on, with the rows at the workers."""

    def make_objective(self, alpha, parameters, dropout, n_threads):
        """J over the rows."""
        return DistributedObjective(self.network, alpha, parameters, dropout)

    def make_batches(self, batch_size, shuffles, index=None):
        """What cuts the rows into batches."""
        return DistributedBatches(self.rows, batch_size, shuffles)
