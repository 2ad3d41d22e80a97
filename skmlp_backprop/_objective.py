"""The regularised objective J that every solver minimises, in one place.

    J = 1/W sum_i w_i loss_i  +  alpha / (2 W) sum_l ||W_l||^2,    W = sum_i w_i

w_i is the sample weight times the class weight; biases are not penalised. For
unit weights the penalty is alpha / (2 m), the lambda of the textbooks.
"""

import numpy as np

from ._network import Buffers

# A block's activations stay in the cache, so that each element-wise pass after
# a product reads them from there; and memory does not grow with the data.
# Measured on 5000 x 400 -> 25: blocks of 1024 to 2048 rows take 0.85 of the time
# of one block of 5000, smaller ones lose to the overhead of the calls.
BLOCK_ROWS = 1024


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
    """

    def __init__(self, network, alpha, dtype, n_stack=1, dropout=None):
        self.network = network
        self.alpha = np.broadcast_to(np.asarray(alpha, dtype=dtype), n_stack)
        self.dtype = np.dtype(dtype)
        self.n_stack = n_stack
        self.dropout = dropout
        self._buffers = {}
        self._partial = None

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
        blocks = rows.blocks(BLOCK_ROWS)
        loss = self._sum_block(parameters, next(blocks), scale, gradient)
        for block in blocks:
            if self._partial is None:
                self._partial = gradient.like()
            loss = loss + self._sum_block(parameters, block, scale, self._partial)
            gradient.flat += self._partial.flat
        return loss + self._penalty(parameters, scale, gradient)

    def buffers(self, n_rows):
        """Working memory for blocks of `n_rows` rows, kept for the next call."""
        if n_rows not in self._buffers:
            self._buffers[n_rows] = Buffers(
                self.network, self.n_stack, n_rows, self.dtype
            )
        return self._buffers[n_rows]

    def _sum_block(self, parameters, rows, scale, gradient):
        buffers = self.buffers(rows.n_rows)
        if self.dropout is not None:
            self.dropout.draw(buffers)
        return self.network.loss_and_gradient(
            parameters, rows, scale, gradient, buffers
        )

    def _penalty(self, parameters, scale, gradient):
        """Add the penalty's gradient to `gradient`; return the penalty."""
        strength = self.alpha * scale
        if not strength.any():
            return 0.0
        penalty = np.zeros(self.n_stack)
        blocks = zip(parameters.weight_blocks(), gradient.weight_blocks(), strict=True)
        for weights, weights_gradient in blocks:
            penalty += 0.5 * strength * np.vecdot(weights, weights)
            weights_gradient += strength[:, np.newaxis] * weights
        return penalty
