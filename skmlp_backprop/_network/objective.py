"""The regularised objective J that every solver minimises, in one place.

    J = 1/W sum_i w_i loss_i  +  alpha / (2 W) sum_l ||W_l||^2,    W = sum_i w_i

w_i is the sample weight times the class weight; biases are not penalised. For
unit weights the penalty is alpha / (2 m), the lambda of the textbooks.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .buffers import Buffers
from .memory import empty_aligned
from .parameters import BLOCK_SIZE, column, cut_column, unbuffered

# A block's activations stay in the cache, so that each element-wise pass after
# a product reads them from there; and memory does not grow with the data. Smaller ones
# are more calls, between which the threads wait for each other (benchmarks: tricks).
BLOCK_ROWS = 2560
# Rows from half of which a thread of its own pays.
SHARE_ROWS = 1280


class Objective:
    """J and its gradient over any rows, for a stack of networks of one shape.

    Parameters
    ----------
    network : Network
        The network.

    alpha : float or ndarray of shape (n_stack,)
        L2 penalty, the same or one for each network of the stack.

    dtype : dtype
        Precision of the arithmetic.

    n_stack : int, default=1
        Number of networks in the stack.

    dropout : Dropout or None, default=None
        Draws new masks for every block of rows; None for no dropout.

    n_threads : int, default=1
        Number of threads that share the rows where there are several blocks. The
        sum is taken in a fixed order, so that a result depends on their number, to
        rounding, but not on their timing.
    """

    def __init__(self, network, alpha, dtype, n_stack=1, dropout=None, n_threads=1):
        self.network = network
        self.alpha = np.broadcast_to(alpha_in_precision(alpha, dtype), n_stack)
        self.dtype = np.dtype(dtype)
        self.n_stack = n_stack
        self.dropout = dropout
        self._is_penalised = bool(self.alpha.any())
        self._all_are_penalised = bool(self.alpha.all())
        self._strength = column(self.alpha, self.dtype)
        self._spare = empty_aligned((BLOCK_SIZE,), self.dtype)
        self._lanes = [_Lane(self) for _ in range(n_threads)]
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None

    def select(self, indices):
        """The objective of some of the networks."""
        return Objective(
            self.network,
            self.alpha[indices],
            self.dtype,
            len(indices),
            self.dropout,
            len(self._lanes),
        )

    def loss_and_gradient(self, parameters, rows, gradient):
        """Evaluate J and its gradient.

        Parameters
        ----------
        parameters : Parameters
            Weights of the stack, on a flat buffer.

        rows : Rows
            The rows of the sum: a data set, or a minibatch.

        gradient : Parameters
            Overwritten by the gradient of J.

        Returns
        -------
        loss : ndarray of shape (n_stack,)
            J of each network.
        """
        scale = 1 / rows.weight_sum
        loss = self.sum_losses(parameters, rows, scale, gradient)
        return loss + self._penalty(parameters, 1 / rows.weight_sums, gradient)

    def sum_losses(self, parameters, rows, scale, gradient):
        """Evaluate the scaled sum of losses, J's first term, and its gradient.

        Parameters
        ----------
        parameters, rows, gradient
            As in :meth:`loss_and_gradient`.

        scale : float
            What each row's weighted loss is multiplied by: 1/W, where W may count
            rows that are elsewhere, too.

        Returns
        -------
        loss : ndarray of shape (n_stack,)
            The sum for each network.
        """
        first, *others = rows.shares(len(self._lanes), SHARE_ROWS)
        sums = [
            self._pool.submit(lane.sum_apart, parameters, share, scale)
            for lane, share in zip(self._lanes[1:], others, strict=False)
        ]
        loss = self._lanes[0].sum_rows(parameters, first, scale, gradient)
        for other in sums:
            other_loss, other_gradient = other.result()
            loss = loss + other_loss
            gradient.flat += other_gradient.flat
        return loss

    def _penalty(self, parameters, scale, gradient):
        """Add the penalty's gradient to `gradient`; return the penalty."""
        if not self._is_penalised:
            return 0.0
        of_each = scale[:, np.newaxis] if isinstance(scale, np.ndarray) else scale
        strength = self._strength * of_each
        squares = np.zeros(self.n_stack, self.dtype)
        blocks = zip(parameters.weight_blocks, gradient.weight_blocks, strict=True)
        with unbuffered(self.n_stack):
            for (networks, weights), (_, weights_gradient) in blocks:
                own = np.vecdot(weights, weights)
                # To add to a slice takes four times as long (benchmarks: minibatch).
                if len(own) == self.n_stack:
                    squares = squares + own
                else:
                    squares[networks] += own
                spare = self._spare[: weights.size].reshape(weights.shape)
                np.multiply(weights, cut_column(strength, networks), out=spare)
                weights_gradient += spare
        if not self._all_are_penalised:
            # Not 0 times a square that overflows.
            squares[self.alpha == 0] = 0
        return (0.5 * scale) * self.alpha * squares


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


class _Lane:
    """What one thread needs to sum over rows: working memory of its own."""

    def __init__(self, objective):
        self.network = objective.network
        self.n_stack = objective.n_stack
        self.dtype = objective.dtype
        self.dropout = objective.dropout
        self._buffers = {}
        self._sum = None
        self._partial = None

    def sum_apart(self, parameters, rows, scale):
        """Sum with a gradient of the lane's own; NumPy's errstate is per thread."""
        if self._sum is None:
            self._sum = parameters.zeros_like()
        with np.errstate(all="ignore"):
            return self.sum_rows(parameters, rows, scale, self._sum), self._sum

    def sum_rows(self, parameters, rows, scale, gradient):
        """Sum the scaled losses and their gradient, block by block."""
        blocks = rows.blocks(BLOCK_ROWS)
        loss = self._sum_block(parameters, next(blocks), scale, gradient)
        for block in blocks:
            if self._partial is None:
                self._partial = gradient.zeros_like()
            loss = loss + self._sum_block(parameters, block, scale, self._partial)
            gradient.flat += self._partial.flat
        return loss

    def _sum_block(self, parameters, rows, scale, gradient):
        buffers = self._buffers.get(rows.n_rows)
        if buffers is None:
            buffers = Buffers(self.network, self.n_stack, rows.n_rows, self.dtype)
            self._buffers[rows.n_rows] = buffers
        if self.dropout is not None:
            self.dropout.draw(buffers)
        return self.network.loss_and_gradient(
            parameters, rows, scale, gradient, buffers
        )
