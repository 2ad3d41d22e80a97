"""The weights that a training is judged by and ends with: the latest or an average."""

import math

import numpy as np

from .._network.parameters import Parameters

# Looks at the weights in an epoch: after every step they would cost passes over these,
# and tell no more.
_UPDATES_PER_EPOCH = 8
# An average of few looks, k, is one over some k / 10 of them, so that it is not held
# back by where the training began.
_WARM_UP = 10


class Latest:
    """The latest weights.

    Parameters
    ----------
    parameters : Parameters
        The weights of a stack, which its steps update.
    """

    n_steps = 0

    def __init__(self, parameters):
        self.parameters = parameters

    def update(self, parameters):
        """Nothing to do: they are these."""

    def keep(self, indices, parameters):
        """Go on with some of the networks alone, whose weights are now elsewhere."""
        self.parameters = parameters


class MovingAverage:
    """An average of the weights, which are the less in it the older they are.

    At the k-th look it takes ``average += (1 - keep) (weights - average)``, where keep
    is exp(-1 / looks) for as many looks as there are in the window, or
    (k - 1) / (k - 1 + 10) while that is less: the initial weights have no part in it.

    Parameters
    ----------
    parameters : Parameters
        The weights of a stack, where it begins.

    window : float
        Its window, in epochs.

    n_batches : int
        Batches of an epoch.

    n_steps : int, default=0
        Steps that it has seen already, if it goes on from an earlier one.

    Attributes
    ----------
    parameters : Parameters
        The average.

    References
    ----------
    Polyak, B. and Juditsky, A. (1992). "Acceleration of stochastic approximation by
    averaging." SIAM Journal on Control and Optimization 30. The exponential one is that
    of Kingma and Ba (2015), "Adam", section 7.2.
    """

    def __init__(self, parameters, window, n_batches, n_steps=0):
        self.parameters = parameters.copy()
        self.n_steps = n_steps
        self._stride = max(1, n_batches // _UPDATES_PER_EPOCH)
        self._most = math.exp(-self._stride / (window * n_batches))
        self._spare = self.parameters.zeros_like()

    def update(self, parameters):
        """Take the weights in after a step, if it is time for a look."""
        self.n_steps += 1
        if self.n_steps % self._stride:
            return
        n_before = self.n_steps // self._stride - 1
        keep = min(self._most, n_before / (n_before + _WARM_UP))
        for average, weights, spare in zip(
            *(p.arrays() for p in (self.parameters, parameters, self._spare)),
            strict=True,
        ):
            np.subtract(weights, average, out=spare)
            spare *= 1 - keep
            average += spare

    def keep(self, indices, parameters):
        """Go on with some of the networks alone."""
        self.parameters = Parameters.stacked(
            [self.parameters.network(i) for i in indices]
        )
        self._spare = self.parameters.zeros_like()


def make_average(window, parameters, n_batches, n_steps=0):
    """What the networks of a stack are judged by.

    Parameters
    ----------
    window : float
        Epochs to average over; 0 for the latest weights.

    parameters : Parameters
        The weights of a stack; of an average that goes on, this one.

    n_batches : int
        Batches of an epoch.

    n_steps : int, default=0
        Steps that an average which goes on has seen already.

    Returns
    -------
    average : Latest or MovingAverage
        It is to be updated after every step.
    """
    if window == 0:
        return Latest(parameters)
    return MovingAverage(parameters, window, n_batches, n_steps)
