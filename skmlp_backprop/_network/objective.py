"""The regularised objective J that every solver minimises, in one place.

    J = 1/W sum_i w_i loss_i  +  alpha / (2 W) sum_l ||W_l||^2,    W = sum_i w_i

w_i is the sample weight times the class weight. Biases are not penalised. For
unit weights the penalty is alpha / (2 m), the lambda of the textbooks.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .layers import make_layers
from .rows import SHARE_ROWS, share_edges

# Rows that are evaluated at a time, so that memory does not grow with the data and a
# block's activations stay in the cache.
BLOCK_ROWS = 2560


class Objective:
    """J and its gradient over any rows, at the weights of a stack of networks.

    Parameters
    ----------
    network : Network
        Shape, activations, output and loss of the networks.

    alpha : float or sequence of float, of length n_stack
        L2 penalty, the same or one for each network.

    parameters : Parameters
        The weights. They may change between two evaluations, in place.

    dropout : Dropout or None, default=None
        Draws new masks for every block of rows; None for no dropout.

    n_threads : int, default=1
        Number of threads that share more than `SHARE_ROWS` rows. The sum is taken in a
        fixed order, so that a result depends on their number, to rounding, but not on
        their timing.

    Attributes
    ----------
    gradient : Parameters
        The gradient of the latest evaluation. The penalty does not count the weights of
        levels.
    """

    def __init__(self, network, alpha, parameters, dropout=None, n_threads=1):
        self.network = network
        alpha = alpha_in_precision(alpha, parameters.dtype)
        self.alpha = np.broadcast_to(alpha, parameters.n_stack)
        self.parameters = parameters
        self.dropout = dropout
        self.gradient = parameters.without_levels().zeros_like()
        self.n_threads = n_threads
        self._penalty = None
        if self.alpha.any():
            self._penalty = _Penalty(self.alpha, parameters, self.gradient)
        self._sum = _Sum(network, parameters, self.gradient, dropout)
        self._other_sums = [
            _Sum(network, parameters, parameters.zeros_like(), dropout)
            for _ in range(n_threads - 1)
        ]
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None

    def loss_and_gradient(self, rows):
        """Evaluate J, and its gradient into `gradient`.

        Parameters
        ----------
        rows : Rows or Batch
            The rows of the sum.

        Returns
        -------
        loss : ndarray of shape (n_stack,)
            J of each network.
        """
        loss = self.sum_losses(rows, 1 / rows.weight_sum)
        # A batch of folds of several sizes is filled up to a common `weight_sum`. The
        # penalty is divided by the weight of each network's own rows.
        if self._penalty is not None:
            loss = loss + self._penalty.add(1 / rows.weight_sum_by_network)
        return loss

    def sum_losses(self, rows, scale):
        """Evaluate the scaled sum of losses, J's first term, and its gradient.

        Parameters
        ----------
        rows : Rows or Batch
            The rows of the sum.

        scale : float
            What each row's weighted loss is multiplied by: 1/W, where W may count
            rows that are elsewhere, too.

        Returns
        -------
        loss : ndarray of shape (n_stack,)
            The sum for each network.
        """
        # Up to this number of rows, a single thread is fastest.
        if self._pool is None or rows.n_rows <= SHARE_ROWS:
            return self._sum.over(rows, scale)
        edges = share_edges(rows.n_rows, self.n_threads)
        first, *others = [rows[slice(*edge)] for edge in edges]
        sums = [s for s, _ in zip(self._other_sums, others, strict=False)]
        # NumPy's errstate is per thread.
        futures = [
            self._pool.submit(np.errstate(all="ignore")(s.over), share, scale)
            for s, share in zip(sums, others, strict=True)
        ]
        loss = self._sum.over(first, scale)
        for s, future in zip(sums, futures, strict=True):
            loss = loss + future.result()
            self.gradient.flat += s.gradient.flat
        return loss


def alpha_in_precision(alpha, dtype):
    """Convert alpha, a number or an array, to the precision of the arithmetic.

    Raises
    ------
    ValueError
        If it is too large.
    """
    with np.errstate(over="ignore"):
        converted = np.asarray(alpha).astype(dtype)
    if not np.isfinite(converted).all():
        raise ValueError(
            f"alpha={np.max(alpha):g} is too large for {np.dtype(dtype)}, the "
            "precision of X. Use a smaller alpha, or X of float64."
        )
    return converted


class _Penalty:
    """The L2 penalty, scale / 2 times alpha ||w||^2 for the weights w of each network.

    Parameters
    ----------
    alpha : ndarray of shape (n_stack,)
        Of each network.

    parameters, gradient : Parameters
        The weights, and the gradient that the penalty's gradient is added to.
    """

    def __init__(self, alpha, parameters, gradient):
        self._alpha = alpha
        self._scale = None
        # alpha times the scale for each weight, and 0 for each bias.
        self._strength = gradient.zeros_like()
        spare = gradient.zeros_like()
        stacks = (parameters, gradient, self._strength, spare)
        self._matrices = list(zip(*(s.matrices for s in stacks), strict=True))

    def add(self, scale):
        """Add the penalty's gradient; return the penalty of each network.

        Parameters
        ----------
        scale : float or ndarray of shape (n_stack,)
            1/W.
        """
        # Without weights, all batches of an epoch but the last have the same scale.
        if not isinstance(scale, float) or scale != self._scale:
            self._scale = scale if isinstance(scale, float) else None
            strength = (self._alpha * scale)[:, np.newaxis, np.newaxis]
            for weights in self._strength.weights:
                np.copyto(weights, strength)
        penalty = 0.0
        for w, g, strength, derivative in self._matrices:
            np.multiply(w, strength, out=derivative)
            g += derivative
            penalty = penalty + np.vecdot(w, derivative)
        return 0.5 * penalty


class _Sum:
    """Sums losses and gradients over the rows of a thread, by layers that it keeps.

    Parameters
    ----------
    network, parameters, dropout
        As of :class:`Objective`.

    gradient : Parameters
        Where the sum's gradient goes.
    """

    def __init__(self, network, parameters, gradient, dropout):
        self.network = network
        self.parameters = parameters
        self.gradient = gradient
        self.dropout = dropout
        # By the number of rows.
        self._passes = {}

    def over(self, rows, scale):
        """Sum the scaled losses, and their gradient, block by block."""
        # With levels as one block: gradients of blocks of other levels can't be added.
        if rows.n_rows <= BLOCK_ROWS or self.parameters.levels is not None:
            return self._over_block(rows, scale)
        loss, gradient = 0.0, self.gradient.flat
        total = np.zeros_like(gradient)
        # One after the other, as those of sparse rows are copies.
        for start in range(0, rows.n_rows, BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            loss = loss + self._over_block(block, scale)
            total += gradient
        np.copyto(gradient, total)
        return loss

    def _over_block(self, rows, scale):
        """The forward and the backward pass."""
        batch, n_rows = rows.as_batch(self.network.output), rows.n_rows
        if n_rows not in self._passes:
            self._passes[n_rows] = self._make_pass(n_rows)
        layers, backwards, spare, row = self._passes[n_rows]
        a = batch.inputs
        for layer in layers:
            a = layer.forward(a)
        if batch.weights is not None:
            # A row of weight 0 has no effect, even if its loss would be infinite.
            np.copyto(a, 0, where=batch.weights == 0)
        loss = self.network.loss(a, batch.target, spare, row)
        if batch.weights is not None:
            a *= batch.weights
            loss *= batch.weights
        a *= scale
        loss = scale * np.add.reduce(loss, axis=(1, 2), dtype=np.float64)
        for layer in backwards:
            a = layer.backward(a)
        return loss

    def _make_pass(self, n_rows):
        """The layers, forwards and backwards, and scratch for the loss."""
        layers = make_layers(
            self.network, self.parameters, self.gradient, n_rows, self.dropout
        )
        z = layers[-1].out
        row = np.empty((len(z), 1, n_rows), z.dtype)
        return layers, layers[::-1], np.empty_like(z), row
