"""A shard: rows that stay at a worker, which computes sums over them."""

import numpy as np
from distributed import get_worker
from scipy import sparse

from .._estimators.weighting import combined_weights
from .._network.layers import Dropout
from .._network.objective import Objective
from .._network.parameters import Parameters
from .._network.rows import Rows
from .._network.threads import limited_threads


class Shard:
    """Rows of several chunks, which a worker keeps.

    A result depends on the arguments of the call alone, not on earlier calls. So if a
    worker dies, a shard that is computed again at another worker can continue.

    Parameters
    ----------
    network : Network
        The network to train.

    target_encoder : Labels or Numbers
        Encodes the targets.

    class_weight : dict, list of dict or None
        Explicit weights of the classes.

    dtype : dtype
        Precision of the rows.

    number : int
        Index of the shard, which seeds its shuffles and masks.

    *chunks : Chunk
        The rows, in order.
    """

    def __init__(self, network, target_encoder, class_weight, dtype, number, *chunks):
        self.network = network
        self.number = number
        chunks = [chunk for chunk in chunks if chunk.n_rows > 0]
        X = _concatenated([chunk.X for chunk in chunks]).astype(dtype, copy=False)
        targets = np.concatenate(
            [target_encoder.encode(chunk.y, dtype) for chunk in chunks]
        )
        weights = None
        if chunks[0].sample_weight is not None:
            weights = np.concatenate([chunk.sample_weight for chunk in chunks])
        weights = combined_weights(targets, target_encoder, class_weight, weights)
        self.weight_sum = None
        # The client refuses weights that overflow, by their sum.
        with np.errstate(over="ignore"):
            if weights is not None:
                self.weight_sum = float(weights.sum())
                weights = weights.astype(dtype, copy=False)
            self.rows = Rows(X, targets, weights).for_batches()
        self._drawn = self._objective = None

    def __getstate__(self):
        """All but the objective, whose threads can't be pickled."""
        return {**vars(self), "_objective": None}

    def __sizeof__(self):
        """Bytes of the rows; Dask decides by it which results to move or spill."""
        X = self.rows.X
        arrays = [X.data, X.indices, X.indptr] if sparse.issparse(X) else [X]
        arrays += [self.rows.targets, self.rows.weights]
        return sum(array.nbytes for array in arrays if array is not None)

    def totals(self):
        """Number of rows, and the sum of the weights or None."""
        return self.rows.n_rows, self.weight_sum

    def sample_targets(self, n_max):
        """Draw a random sample of at most `n_max` rows; return targets and weights.

        The weights of the sample are scaled up to the weights of all rows.
        """
        targets, weights = self.rows.targets, self.rows.weights
        if weights is None:
            weights = np.ones(len(targets))
        if len(targets) <= n_max:
            return targets, weights
        index = np.random.RandomState(self.number).choice(len(targets), n_max)
        return targets[index], weights[index] * (len(targets) / n_max)

    def sum_losses(self, theta, scale, order, span, masks):
        """Compute the scaled sum of the losses of a span of rows, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The weights of the network, in the layout of :class:`Parameters`.

        scale : float
            Factor of each row's weighted loss.

        order : tuple of int or None
            Seed and number of the epoch, which define the order of the rows; None for
            unshuffled rows.

        span : tuple of int
            Start and stop in that order.

        masks : tuple or None
            Rates of dropout, and a seed of the batch; None for no dropout.

        Returns
        -------
        loss : ndarray of shape (1,)
            The sum.

        gradient : ndarray of shape (n_parameters,)
            The gradient of the sum.
        """
        rows, (start, stop) = self.rows, span
        if order is not None:
            rows = rows[self._permutation(order)[start:stop]]
        elif stop - start < rows.n_rows:
            # All rows are not sliced: a slice of sparse rows is a copy.
            rows = rows[start:stop]
        # Popped: after an interrupted fit, another thread may still use the objective.
        objective = vars(self).pop("_objective", None)
        if objective is None:
            objective = self._make_objective(theta.dtype, masks)
        np.copyto(objective.parameters.flat, theta)
        if masks is not None:
            _, seed = masks
            source = np.random.RandomState([*seed, self.number])
            objective.dropout.random_state = source
        with limited_threads(), np.errstate(all="ignore"):
            loss = objective.sum_losses(rows, scale)
        gradient = objective.gradient.flat.copy()
        self._objective = objective
        return loss, gradient

    def _make_objective(self, dtype, masks):
        """Make the objective, whose buffers are kept: a fit has a single precision."""
        dropout, n_threads = None, get_worker().state.nthreads
        if masks is not None:
            rates, _ = masks
            # Threads share a random state: their masks would depend on timing.
            dropout, n_threads = Dropout(rates, None), 1
        parameters = Parameters.empty(
            self.network.layer_units,
            dtype,
            input_intercept=self.network.input_activation is not None,
        )
        # alpha=0: the client adds the penalty to the sum over all shards.
        return Objective(self.network, 0, parameters, dropout, n_threads)

    def sum_weights(self, order, spans):
        """Sum the weights of each of several spans of rows, see :meth:`sum_losses`."""
        weights = self.rows.weights
        if order is not None:
            weights = weights[self._permutation(order)]
        sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
        return sums[spans[:, 1]] - sums[spans[:, 0]]

    def _permutation(self, order):
        """The order of an epoch, which is kept for its other batches."""
        # Read once: after an interrupted fit, another thread may replace it.
        drawn = self._drawn
        if drawn is None or drawn[0] != order:
            source = np.random.RandomState([*order, self.number])
            drawn = self._drawn = order, source.permutation(self.rows.n_rows)
        return drawn[1]


def _concatenated(arrays):
    """Concatenate arrays of rows; a single array is not copied."""
    if len(arrays) == 1:
        return arrays[0]
    if any(map(sparse.issparse, arrays)):
        return sparse.vstack(arrays, format="csr")
    return np.concatenate(arrays)
