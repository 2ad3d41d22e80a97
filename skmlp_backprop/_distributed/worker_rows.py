"""A part of the rows, which stays at a worker and computes sums over its rows."""

import threading
from dataclasses import dataclass

import numpy as np
from distributed import get_worker
from scipy import sparse

from .._estimators.weighting import combined_weights
from .._network.batches import Rows
from .._network.dropout import Dropout
from .._network.network import Network
from .._network.objective import Objective
from .._network.parameters import Parameters
from .._network.threads import training_threads
from .shares import batch_shares


@dataclass
class RowMaker:
    """Converts chunks to training rows.

    Parameters
    ----------
    network : Network
        The network to train.

    target_encoder : Labels or Numbers
        Encodes the targets.

    dtype : dtype
        Precision of the rows.

    class_weight : dict, list of dict or None
        Explicit weights of the classes.
    """

    network: Network
    target_encoder: object
    dtype: np.dtype
    class_weight: dict | list | None = None

    def rows_of(self, chunks):
        """Concatenate the rows of chunks; the weights are float64."""
        X = _concatenated([chunk.X for chunk in chunks]).astype(self.dtype, copy=False)
        targets = np.concatenate(
            [self.target_encoder.encode(_flat(chunk.y), self.dtype) for chunk in chunks]
        )
        sample_weight = None
        if chunks[0].sample_weight is not None:
            sample_weight = np.concatenate([chunk.sample_weight for chunk in chunks])
        weights = combined_weights(
            targets, self.target_encoder, self.class_weight, sample_weight
        )
        return Rows(X, targets, weights)


def _flat(y):
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _concatenated(arrays):
    """Concatenate arrays of rows; a single array is not copied."""
    if len(arrays) == 1:
        return arrays[0]
    if any(map(sparse.issparse, arrays)):
        return sparse.vstack(arrays, format="csr")
    return np.concatenate(arrays)


class WorkerRows:
    """Rows that a worker keeps, and buffers for sums over the rows.

    A result depends on the arguments of the call alone, not on earlier calls. So if a
    worker dies, a part that is computed again at another worker can continue.

    Parameters
    ----------
    row_maker : RowMaker
        Converts the chunks to rows.

    number : int
        Index of the part, which seeds its shuffles and masks.

    *chunks : Chunk
        The rows, in order.

    Attributes
    ----------
    n_rows : int
        Number of rows.

    weight_sum : float or None
        Sum of the weights; None if the rows have no weights.
    """

    def __init__(self, row_maker, number, *chunks):
        self.network = row_maker.network
        self.number = number
        rows = row_maker.rows_of([chunk for chunk in chunks if chunk.n_rows > 0])
        self.n_rows = rows.n_rows
        self.weight_sum = None
        if rows.weights is not None:
            self.weight_sum = rows.weight_sum
            with np.errstate(over="ignore"):
                weights = rows.weights.astype(row_maker.dtype, copy=False)
            rows = Rows(rows.X, rows.targets, weights)
        self._start(rows)

    def _start(self, rows):
        self.rows = rows
        # After an interrupted fit, another thread of the worker may still compute.
        self._lock = threading.Lock()
        self._arithmetic = None
        self._for_products = None
        self._epoch = None

    def __getstate__(self):
        rows = self.rows.X, self.rows.targets, self.rows.weights
        names = "network", "number", "n_rows", "weight_sum"
        return {**{name: getattr(self, name) for name in names}, "rows": rows}

    def __setstate__(self, state):
        rows = Rows(*state.pop("rows"))
        vars(self).update(state)
        self._start(rows)

    def __sizeof__(self):
        """Bytes of the rows; Dask decides by it which results to move or spill."""
        rows, X = self.rows, self.rows.X
        arrays = [X.data, X.indices, X.indptr] if rows.is_sparse else [X]
        weights = [] if rows.weights is None else [rows.weights]
        return sum(array.nbytes for array in [*arrays, rows.targets, *weights])

    def totals(self):
        """Number of rows, and the sum of the weights or None."""
        return self.n_rows, self.weight_sum

    def some_targets(self, most):
        """Draw a random sample of at most `most` rows; return targets and weights.

        The weights of the sample are scaled up to the weights of all rows.
        """
        targets, weights = self.rows.targets, self.rows.weights
        if weights is None:
            weights = np.ones(len(targets))
        if len(targets) <= most:
            return targets, weights
        index = np.random.RandomState(self.number).choice(len(targets), most)
        return targets[index], weights[index] * (self.n_rows / most)

    def sum_losses(self, theta, scale):
        """Compute the scaled sum of the losses of all rows, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The weights of the network, in the layout of :class:`Parameters`.

        scale : float
            Factor of each row's weighted loss.

        Returns
        -------
        loss : ndarray of shape (1,)
            The sum.

        gradient : ndarray of shape (n_parameters,)
            The gradient of the sum.
        """
        with self._lock:
            if self._for_products is None:
                self._for_products = self.rows.for_products()
            return self._sum(theta, self._for_products, scale, None)

    def sum_batch(self, theta, scale, order, span, masks):
        """Compute loss and gradient of this part's share of a batch.

        Parameters
        ----------
        theta, scale
            See :meth:`sum_losses`.

        order : tuple of int or None
            Seed and number of the epoch, which define the order of the rows; None for
            unshuffled rows.

        span : tuple of int
            Start and stop of the share, in that order.

        masks : tuple or None
            Rates of dropout, and a seed of the batch; None for no dropout.

        Returns
        -------
        loss, gradient
            See :meth:`sum_losses`.
        """
        with self._lock:
            dropout = None
            if masks is not None:
                rates, seed = masks
                dropout = Dropout(rates, np.random.RandomState([*seed, self.number]))
            epoch = self._epoch_in(order)
            return self._sum(theta, epoch.share(*span), scale, dropout)

    def batch_weights(self, order, n_rows, batch_rows):
        """Sum the weights of this part's share of each batch of an epoch.

        Parameters
        ----------
        order : tuple of int or None
            See :meth:`sum_batch`.

        n_rows : list of int
            Number of rows of each part.

        batch_rows : int
            Number of rows of a batch.

        Returns
        -------
        sums : ndarray of shape (n_batches,)
            The sums.
        """
        with self._lock:
            weights = self._epoch_in(order).weights()
        sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
        spans = np.array(
            [spans[self.number] for spans in batch_shares(n_rows, batch_rows)]
        )
        return sums[spans[:, 1]] - sums[spans[:, 0]]

    def _epoch_in(self, order):
        """Return the rows in an order, which is cached for the epoch."""
        if self._epoch is None or self._epoch.order != order:
            self._epoch = _Epoch(self.rows.for_batches(), order, self.number)
            self.rows = self._epoch.rows
        return self._epoch

    def _sum(self, theta, rows, scale, dropout):
        if self._arithmetic is None or not self._arithmetic.fits(theta, dropout):
            self._arithmetic = _Arithmetic(self.network, theta.dtype, dropout)
        return self._arithmetic.sum_losses(theta, rows, scale, dropout)


class _Epoch:
    """A part's rows in the order of an epoch."""

    def __init__(self, rows, order, number):
        self.rows = rows
        self.order = order
        self._index = None
        if order is not None:
            source = np.random.RandomState([*order, number])
            self._index = source.permutation(rows.n_rows)

    def share(self, start, stop):
        """The rows from index `start` to `stop` of the order."""
        if self._index is None:
            return self.rows.slice(start, stop)
        return self.rows.take(self._index[start:stop])

    def weights(self):
        """The weights of the rows, in the order."""
        weights = self.rows.weights
        return weights if self._index is None else weights[self._index]


class _Arithmetic:
    """The objective of a network and its buffers, in a given precision."""

    def __init__(self, network, dtype, dropout):
        self._has_dropout = dropout is not None
        # Threads share a random state: their masks would depend on timing.
        n_threads = 1 if self._has_dropout else get_worker().state.nthreads
        parameters = Parameters.empty(
            network.layer_units,
            dtype,
            input_intercept=network.input_activation is not None,
        )
        # alpha=0: the client adds the penalty to the sum over all parts.
        self.objective = Objective(network, 0, parameters, dropout, n_threads=n_threads)

    def fits(self, theta, dropout):
        """Whether precision and dropout are the same."""
        is_same = self._has_dropout == (dropout is not None)
        return is_same and theta.dtype == self.objective.parameters.dtype

    def sum_losses(self, theta, rows, scale, dropout):
        """Return the loss, and a copy of the gradient."""
        np.copyto(self.objective.parameters.flat, theta)
        if dropout is not None:
            self.objective.dropout.random_state = dropout.random_state
        with training_threads(), np.errstate(all="ignore"):
            loss = self.objective.sum_losses(rows, scale)
        return loss, self.objective.gradient.flat.copy()
