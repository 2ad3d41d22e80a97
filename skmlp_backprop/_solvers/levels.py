"""Steps of the weights of the few levels in a batch."""

import numpy as np

DECAY = 0.999
EPSILON = 1e-8


class LevelStepper:
    """Steps the weights of the levels that a batch has, and leaves all others.

    The update is Adam's without momentum, with one second moment for all weights of a
    level in a network. It is the mean of the squared gradients of the level's first
    1000 steps, then an exponential average, but at least the present square: after many
    steps with small weights of the rows, a larger weight would lead too far. The cost
    of a step grows with the levels in the batch, not with all levels.

    Parameters
    ----------
    weights : ndarray of shape (n_stack, n_levels, n_units)
        The weights; updated in place.

    scales : ndarray of shape (n_stack, n_levels)
        Factors of the learning rate. As the weights begin at 0, and the size of a step
        does not depend on that of the gradient, the levels behave like inputs that are
        multiplied by these factors.

    References
    ----------
    Row-wise second moments are those of the embedding tables of DLRM: Mudigere, D. et
    al. (2022). "Software-hardware co-design for fast and scalable training of deep
    learning recommendation models." ISCA.
    """

    def __init__(self, weights, scales):
        # Levels first, as in memory.
        self.weights = weights.swapaxes(0, 1)
        self.scales = np.ascontiguousarray(scales.T, weights.dtype)
        n_levels, n_stack, _ = self.weights.shape
        self.mean_squares = np.zeros((n_levels, n_stack), weights.dtype)
        self.n_steps = np.zeros((n_levels, 1), np.float32)

    def step(self, index, gradient, rate):
        """Update the weights.

        Parameters
        ----------
        index : ndarray of int
            Numbers of the levels that the batch has.

        gradient : ndarray of shape (len(index), n_stack, n_units)
            The gradient in their weights, overwritten.

        rate : float
            The learning rate.
        """
        squares = np.vecdot(gradient, gradient) / gradient.shape[2]
        self.n_steps[index] += 1
        share = np.maximum(1 / self.n_steps[index], np.float32(1 - DECAY))
        mean_squares = self.mean_squares[index]
        mean_squares += share * (squares - mean_squares)
        self.mean_squares[index] = mean_squares
        sizes = np.sqrt(np.maximum(mean_squares, squares))
        factor = self.scales[index] * np.float32(rate) / (sizes + np.float32(EPSILON))
        gradient *= factor[:, :, np.newaxis]
        self.weights[index] -= gradient

    def get_state(self):
        """The scales and the moments."""
        return self.scales, self.mean_squares, self.n_steps

    def set_state(self, state):
        """Continue as the stepper whose state this is."""
        self.scales, self.mean_squares, self.n_steps = state
