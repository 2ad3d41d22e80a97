"""Adam."""

import numpy as np

from .._network.parameters import column
from .minibatch import MinibatchSolver
from .update import Update


class AdamUpdate(Update):
    """The moments are kept as m / (1 - beta_1) and v / (1 - beta_2).

    These factors go into the step size and into epsilon: two passes over the weights
    fewer.
    """

    moments = ("first_moment", "second_moment")

    def __init__(self, solvers, parameters, gradient):
        super().__init__(solvers, parameters, gradient)
        # The same for all: the networks of a stack begin together.
        self._n_steps = solvers[0].n_steps
        # Where an input is 0 in all rows only the penalty has a gradient, which soon is
        # so small that its square is subnormal in float32, which processors take many
        # times as long for. A nudge far below epsilon avoids it.
        self._nudge = 1e-18 if self.dtype == np.float32 else None

    def begin_epoch(self):
        # In float64: that beta_2 is close to 1 is all there is to the correction.
        self._decays = beta_1, beta_2 = self._of_all("beta_1"), self._of_all("beta_2")
        root = np.sqrt(1 - beta_2)
        self._epoch_rate = self._of_all("learning_rate_") * (1 - beta_1) / root
        epsilon = self._of_all("epsilon") / root
        self._beta_1, self._beta_2, self._epsilon = (
            self.by_block(values.astype(self.dtype))
            for values in (beta_1, beta_2, epsilon)
        )

    def begin_step(self):
        self._n_steps += 1
        first, second = (decay**self._n_steps for decay in self._decays)
        rate = self._epoch_rate * ((1 - second) ** 0.5 / (1 - first))
        self._rate = self.by_block(rate.astype(self.dtype))

    def step_block(self, i, weights, g, m, v):
        m *= self._beta_1[i]
        m += g
        v *= self._beta_2[i]
        if self._nudge:
            g += self._nudge
        np.square(g, out=g)
        v += g
        np.sqrt(v, out=g)
        g += self._epsilon[i]
        np.divide(m, g, out=g)
        g *= self._rate[i]
        weights -= g

    def leave(self, i):
        super().leave(i)
        self.solvers[i].n_steps = self._n_steps

    def _of_all(self, name):
        return column([getattr(solver, name) for solver in self.solvers], np.float64)


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
        self._scale_moments(
            first_moment=(1 - earlier.beta_1) / (1 - self.beta_1),
            second_moment=(1 - earlier.beta_2) / (1 - self.beta_2),
        )
