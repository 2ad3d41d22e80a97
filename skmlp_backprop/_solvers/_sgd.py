"""Stochastic gradient descent."""

from ._minibatch import MinibatchSolver


class SGD(MinibatchSolver):
    """Gradient descent on minibatches, with momentum.

    v <- momentum * v - learning_rate * g; the step is v or, with Nesterov's
    momentum, momentum * v - learning_rate * g once more.

    Parameters
    ----------
    learning_rate : {"constant", "invscaling", "adaptive"}
        Schedule: constant; learning_rate_init / (t + 1) ** power_t after t
        samples; or divided by 5 on each plateau, down to 1e-6.

    power_t : float
        Exponent of "invscaling".

    momentum : float
        Momentum, in [0, 1].

    nesterovs_momentum : bool
        Whether to use Nesterov's.

    References
    ----------
    Sutskever, I. et al. (2013). "On the importance of initialization and momentum
    in deep learning." ICML.
    """

    state = (*MinibatchSolver.state, "velocity")
    hyper_parameters = (
        *MinibatchSolver.hyper_parameters,
        "learning_rate",
        "power_t",
        "momentum",
        "nesterovs_momentum",
    )

    def __init__(
        self, *, learning_rate, power_t, momentum, nesterovs_momentum, **minibatch
    ):
        super().__init__(**minibatch)
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum

    def start(self, parameters):
        self.velocity = parameters.like()

    def step(self, parameters, gradient):
        blocks = zip(
            parameters.blocks, gradient.blocks, self.velocity.blocks, strict=True
        )
        for weights, step, velocity in blocks:
            step *= -self.learning_rate_
            if self.momentum > 0:
                velocity *= self.momentum
                velocity += step
                if self.nesterovs_momentum:
                    step += self.momentum * velocity
                else:
                    step = velocity
            weights += step

    def end_epoch(self, t):
        if self.learning_rate == "invscaling":
            self.learning_rate_ = self.learning_rate_init / (t + 1) ** self.power_t

    def slow_down(self):
        if self.learning_rate != "adaptive" or self.learning_rate_ <= 1e-6:
            return False
        self.learning_rate_ /= 5
        return True
