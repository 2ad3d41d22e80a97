"""Stochastic gradient descent."""

import numpy as np

from .._network.parameters import column
from .minibatch import MinibatchSolver
from .update import Update


class SGDUpdate(Update):
    """v <- momentum v - rate g; the step is v, or momentum v - rate g once more.

    The velocity is kept times the momentum: a pass over the weights fewer. Where the
    momentum is 0 it is kept between epochs alone, as it is, for a training that goes on
    with another momentum.
    """

    moments = ("velocity",)

    def begin_epoch(self):
        for velocity, _ in self._without_momentum():
            velocity.fill(0)
        rates = [-s.learning_rate_ for s in self.solvers]
        momenta = [s.momentum for s in self.solvers]
        self._minus_rate = self.by_block(column(rates, self.dtype))
        self._momentum = self.by_block(column(momenta, self.dtype))
        self._has_momentum = any(s.momentum > 0 for s in self.solvers)
        self._is_nesterovs = self.solvers[0].nesterovs_momentum

    def step_block(self, i, weights, gradient, velocity):
        step = gradient
        step *= self._minus_rate[i]
        if not self._has_momentum:
            weights += step
            return
        velocity += step
        if self._is_nesterovs:
            velocity *= self._momentum[i]
            weights += step
            weights += velocity
        else:
            weights += velocity
            velocity *= self._momentum[i]

    def end_epoch(self):
        for velocity, last_step in self._without_momentum():
            velocity.copy_from(last_step)

    def _without_momentum(self):
        """Velocity, and what the last step has left in the gradient's place."""
        for i, solver in enumerate(self.solvers):
            if solver.momentum == 0:
                yield self.velocity.view_network(i), self.gradient.view_network(i)


class SGD(MinibatchSolver):
    """Gradient descent on minibatches, with momentum.

    Parameters
    ----------
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}
        Schedule: constant; learning_rate_init / (t + 1) ** power_t after t
        samples; divided by 5 on each plateau, down to 1e-6; or every solver's cosine.

    power_t : float
        Exponent of "invscaling".

    momentum : float
        Momentum, in [0, 1].

    nesterovs_momentum : bool
        Whether to use Nesterov's; the same for all networks of a stack.

    References
    ----------
    Sutskever, I. et al. (2013). "On the importance of initialization and momentum
    in deep learning." ICML.
    """

    update = SGDUpdate
    hyper_parameters = (
        *MinibatchSolver.hyper_parameters,
        "power_t",
        "momentum",
        "nesterovs_momentum",
    )
    per_network = (
        *MinibatchSolver.per_network,
        "power_t",
        "momentum",
    )

    def __init__(self, *, power_t, momentum, nesterovs_momentum, **minibatch):
        super().__init__(**minibatch)
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum

    def resume(self, earlier):
        super().resume(earlier)
        # The velocity is kept times the momentum, which may have changed.
        self._scale_moments(velocity=self.momentum / (earlier.momentum or 1))

    def end_epoch(self, history):
        super().end_epoch(history)
        if self.learning_rate == "invscaling":
            # A power beyond the floats is inf, and the rate 0.
            self.learning_rate_ = float(
                self.learning_rate_init / np.float64(history.t + 1) ** self.power_t
            )

    def slow_down(self):
        if self.learning_rate != "adaptive" or self.learning_rate_ <= 1e-6:
            return False
        self.learning_rate_ /= 5
        return True
