"""Adam."""

import math

import numpy as np

from ._minibatch import MinibatchSolver


class Adam(MinibatchSolver):
    """Gradient descent on minibatches with a step size of each weight's own.

    The moments are kept as m / (1 - beta_1) and v / (1 - beta_2), whose factors
    go into the step size and into epsilon: two passes over the weights fewer.

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

    state = (*MinibatchSolver.state, "n_steps", "first_moment", "second_moment")
    hyper_parameters = (
        *MinibatchSolver.hyper_parameters,
        "beta_1",
        "beta_2",
        "epsilon",
    )

    def __init__(self, *, beta_1, beta_2, epsilon, **minibatch):
        super().__init__(**minibatch)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def start(self, parameters):
        self.n_steps = 0
        self.first_moment = parameters.like()
        self.second_moment = parameters.like()

    def step(self, parameters, gradient):
        self.n_steps += 1
        self.learning_rate_ = (
            self.learning_rate_init
            * math.sqrt(1 - self.beta_2**self.n_steps)
            / (1 - self.beta_1**self.n_steps)
        )
        root = math.sqrt(1 - self.beta_2)
        rate = self.learning_rate_ * (1 - self.beta_1) / root
        epsilon = self.epsilon / root
        blocks = zip(
            parameters.blocks,
            gradient.blocks,
            self.first_moment.blocks,
            self.second_moment.blocks,
            strict=True,
        )
        for weights, g, m, v in blocks:
            m *= self.beta_1
            m += g
            v *= self.beta_2
            g *= g
            v += g
            np.sqrt(v, out=g)
            g += epsilon
            np.divide(m, g, out=g)
            g *= rate
            weights -= g
