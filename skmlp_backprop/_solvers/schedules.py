"""Learning-rate schedules, and the table of their names.

To add a schedule, write a subclass of :class:`Schedule`. An instance of it can be an
estimator's `learning_rate`.
"""

import math

import numpy as np

from .._network.value import Value


class Schedule(Value):
    """Base class of the schedules: a constant rate.

    Attributes
    ----------
    hyper_parameters : tuple of str
        Parameters of the estimator that are passed to a schedule chosen by its name.

    starts_anew : bool
        Whether each call of `fit` or `partial_fit` begins with the initial rate. It
        must be True if the rate depends on `max_iter`: halving searches, in which
        `max_iter` grows, then train anew.

    initial : float
        The estimator's `learning_rate_init`.

    rate : float
        The current learning rate.
    """

    hyper_parameters = ()
    starts_anew = False

    def start(self, initial):
        """Begin with the initial rate."""
        self.initial = self.rate = float(initial)

    def resume(self, share):
        """Continue at the share of the initial rate that a training has reached."""
        if not self.starts_anew:
            self.rate = self.initial * share

    def end_epoch(self, history, max_iter):
        """Set the rate of the next epoch.

        Parameters
        ----------
        history : History
            The training so far: `n_iter` epochs, `t` samples, and the lists
            `loss_curve` and `validation_scores` with an entry for each epoch;
            `validation_scores` is None without `early_stopping`.

        max_iter : int
            The largest number of epochs.
        """

    def slow_down(self):
        """Lower the rate on a plateau; return False to stop the training instead."""
        return False


class InverseScaling(Schedule):
    """initial / (t + 1) ** power_t after t samples."""

    hyper_parameters = ("power_t",)

    def __init__(self, power_t):
        self.power_t = power_t

    def end_epoch(self, history, max_iter):
        # A power beyond the floats is inf, and the rate 0.
        self.rate = float(self.initial / np.float64(history.t + 1) ** self.power_t)


class Adaptive(Schedule):
    """Divided by 5 on each plateau, until it is at most 1e-6."""

    def slow_down(self):
        if self.rate <= 1e-6:
            return False
        self.rate /= 5
        return True


class Cosine(Schedule):
    """Falls to 0 over `max_iter` epochs, as half a cosine does.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2017). "SGDR: Stochastic gradient descent with warm
    restarts." ICLR.
    """

    starts_anew = True

    def end_epoch(self, history, max_iter):
        progress = min(history.n_iter / max_iter, 1)
        self.rate = self.initial * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES = {
    "constant": Schedule,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
}
