"""Moving average of the weights."""

import math

from .._network.parameters import Parameters

# More updates would cost passes over the weights without a better average.
_UPDATES_PER_EPOCH = 8
# Weights that are updated at once, so that they stay in the cache.
_BLOCK_SIZE = 2**14
# After a small number k of updates, the average is over about k / 10 of them, so that
# the first weights count little.
_WARM_UP = 10


class MovingAverage:
    """An exponential average of the weights: the older they are, the less they count.

    The k-th update is ``average += (1 - keep) (weights - average)``. keep is
    exp(-1 / n) for n updates in the window, or (k - 1) / (k - 1 + 10) while that is
    less. The initial weights do not count.

    Parameters
    ----------
    parameters : Parameters
        The weights of a stack, with which the average begins.

    window : float
        The window, in epochs.

    n_batches : int
        Batches of an epoch.

    n_steps : int, default=0
        Number of earlier steps, if it continues an earlier average.

    Attributes
    ----------
    parameters : Parameters
        The average.

    References
    ----------
    Polyak, B. and Juditsky, A. (1992). "Acceleration of stochastic approximation by
    averaging." SIAM Journal on Control and Optimization 30. The exponential average is
    from Kingma and Ba (2015), "Adam", section 7.2.
    """

    def __init__(self, parameters, window, n_batches, n_steps=0):
        self.parameters = parameters.copy()
        self.n_steps = n_steps
        self._stride = max(1, n_batches // _UPDATES_PER_EPOCH)
        self._most = math.exp(-self._stride / (window * n_batches))

    def update(self, parameters):
        """Update the average every `_stride` steps; call it after each step."""
        share = self.next_share()
        if not share:
            return
        average, weights = self.parameters.flat, parameters.flat
        for start in range(0, len(average), _BLOCK_SIZE):
            block = slice(start, start + _BLOCK_SIZE)
            change = weights[block] - average[block]
            change *= share
            average[block] += change

    def next_share(self):
        """Count a step; return the share of the weights after it in the average.

        The share is 0 for steps without an update of the average.
        """
        self.n_steps += 1
        if self.n_steps % self._stride:
            return 0
        n_before = self.n_steps // self._stride - 1
        return 1 - min(self._most, n_before / (n_before + _WARM_UP))

    def select(self, indices):
        """Keep only the networks at `indices`."""
        self.parameters = Parameters.stacked(
            [self.parameters.network(i) for i in indices]
        )
