"""An activation, rules and a schedule that let tests watch or disturb a training."""

import numpy as np

from skmlp_backprop.extending import SGD, Activation, Adam, Schedule


def watched_tanh(on_forward=None, on_backward=None):
    """tanh, which first calls a function with its argument, or with its value.

    The value has a matrix for each network of a stack. If a network has one hidden
    layer, each evaluation of J and its gradient calls `on_backward` once; predictions
    don't call it.
    """

    class Watched(Activation):
        def apply(self, z, out):
            if on_forward is not None:
                on_forward(z)
            np.tanh(z, out=out)

        def multiply_derivative(self, kept, delta):
            # The check for saturated units takes the derivative of a matrix.
            if on_backward is not None and kept.ndim == 3:
                on_backward(kept)
            delta *= 1 - kept**2

    return Watched()


class CtrlC:
    """Presses Ctrl-C in the evaluation of that number, of networks with `activation`.

    The networks have one hidden layer. All networks of a stack are one evaluation.
    """

    def __init__(self, press_at=None):
        self.activation = watched_tanh(on_backward=self._count)
        self.press(press_at)

    def press(self, at):
        """Count anew."""
        self.press_at = at
        self.n_evaluations = 0

    def _count(self, kept):
        self.n_evaluations += 1
        if self.n_evaluations == self.press_at:
            raise KeyboardInterrupt


def watched_rule(name, on_step):
    """The rule of that name at the defaults, which first calls `on_step`.

    It is called with the weights of a stack, the state and the rates.
    """
    kind, *params = {"sgd": (SGD, 0.9, True), "adam": (Adam, 0.9, 0.999, 1e-8)}[name]

    class Watched(kind):
        def step(self, parameters, gradient, state, rate):
            on_step(parameters, state, rate)
            super().step(parameters, gradient, state, rate)

    return Watched(*params)


class StackSizes:
    """The numbers of networks in the stacks that are trained with its rules."""

    def __init__(self):
        self.sizes = []
        self.rules = {name: watched_rule(name, self._add) for name in ("sgd", "adam")}
        self.sgd, self.adam = self.rules.values()

    def _add(self, parameters, state, rate):
        # A state goes on with its networks, also when some of them leave the stack.
        if "is_counted" not in state:
            self.sizes.append(parameters.n_stack)
        state["is_counted"] = True

    @property
    def shared(self):
        """Without the networks that are trained by themselves."""
        return [size for size in self.sizes if size > 1]


class EpochCounter:
    """Counts the epochs of all networks that are trained with its `schedule`."""

    def __init__(self, starts_anew=False):
        self.n = 0
        counter = self

        class Counted(Schedule):
            def end_epoch(self, history, max_iter):
                counter.n += 1

        Counted.starts_anew = starts_anew
        self.schedule = Counted()
