"""Adam."""

import math

import numpy as np

from ._minibatch import MinibatchSolver
from ._update import Update


class AdamUpdate(Update):
    """The moments are kept as m / (1 - beta_1) and v / (1 - beta_2).

    These factors go into the step size and into epsilon: two passes over the weights
    fewer.
    """

    moments = ("first_moment", "second_moment")

    def begin_epoch(self):
        self._beta_1 = self.column([s.beta_1 for s in self.solvers])
        self._beta_2 = self.column([s.beta_2 for s in self.solvers])
        self._epsilon = self.column(
            [s.epsilon / math.sqrt(1 - s.beta_2) for s in self.solvers]
        )

    def step(self, parameters, gradient):
        rate = self.column([s.next_step_size() for s in self.solvers])
        blocks = zip(
            parameters.blocks,
            gradient.blocks,
            self.first_moment.blocks,
            self.second_moment.blocks,
            strict=True,
        )
        for weights, g, m, v in blocks:
            m *= self._beta_1
            m += g
            v *= self._beta_2
            g *= g
            v += g
            np.sqrt(v, out=g)
            g += self._epsilon
            np.divide(m, g, out=g)
            g *= rate
            weights -= g


class Adam(MinibatchSolver):
    """Gradient descent on minibatches with a step size of each weight's own.

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay rates of the first and second moment, in [0, 1).

    epsilon : float
        Added to the root of the second moment.

    References
    ----------
    Kingma, D. and Ba, J. (2015). "Adam: A method for stochastic optimization."
    ICLR. The form with the bias correction in the step size, end of section 2.
    """

    update = AdamUpdate
    hyper_parameters = (
        *MinibatchSolver.hyper_parameters,
        "beta_1",
        "beta_2",
        "epsilon",
    )
    per_network = (*MinibatchSolver.per_network, "beta_1", "beta_2", "epsilon")

    def __init__(self, *, beta_1, beta_2, epsilon, **minibatch):
        super().__init__(**minibatch)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def reset(self):
        super().reset()
        self.n_steps = 0

    def resume(self, earlier):
        super().resume(earlier)
        self.n_steps = earlier.n_steps
        # The moments are kept divided by 1 - beta, which may have changed.
        factors = {
            "first_moment": (1 - earlier.beta_1) / (1 - self.beta_1),
            "second_moment": (1 - earlier.beta_2) / (1 - self.beta_2),
        }
        self.moments = {
            name: moment
            if factors[name] == 1
            else moment.on(moment.flat * factors[name])
            for name, moment in self.moments.items()
        }

    def next_step_size(self):
        """Count a step; return its size, for moments kept as AdamUpdate does."""
        self.n_steps += 1
        self.learning_rate_ = (
            self.learning_rate_init
            * math.sqrt(1 - self.beta_2**self.n_steps)
            / (1 - self.beta_1**self.n_steps)
        )
        return self.learning_rate_ * (1 - self.beta_1) / math.sqrt(1 - self.beta_2)
