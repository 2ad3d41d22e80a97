"""Update rules, and the table of their names.

A rule is a value: its attributes are its hyperparameters, and it keeps no state. Its
state between two steps is a dict, which ``init`` makes and each ``step`` overwrites. A
step updates all networks of a stack at once: a hyperparameter in which they differ is
an array of shape (n_stack, 1), which broadcasts over ``parameters.matrices``.

To add a rule, write a subclass of :class:`Rule`. An instance of it can be an
estimator's `solver`.
"""

import copy
from numbers import Real

import numpy as np

from .._network.parameters import Parameters, column
from .._network.value import Value


class Rule(Value):
    """Base class of the update rules.

    Attributes
    ----------
    moments : tuple of str
        Names of the arrays that the rule keeps between steps, each shaped like the
        weights, and zero before the first step.

    hyper_parameters : tuple of str
        Parameters of the estimator that are passed to a rule chosen by its name.

    ignored_schedules : tuple of str
        Names of schedules with which the learning rate is constant, as MLPClassifier
        ignores them.
    """

    moments = ()
    hyper_parameters = ()
    ignored_schedules = ()

    def init(self, parameters):
        """The state before the first step.

        Parameters
        ----------
        parameters : Parameters
            The weights.

        Returns
        -------
        state : dict
            `n_steps`, the number of earlier steps, which the training counts, and for
            each name in `moments` zeros like the weights. A subclass may add arrays
            whose first axis is the network, and values shared by all networks.
        """
        state = {name: parameters.zeros_like() for name in self.moments}
        return {"n_steps": 0, **state}

    def step(self, parameters, gradient, state, rate):
        """Update the weights.

        Parameters
        ----------
        parameters : Parameters
            The weights; updated in place.

        gradient : Parameters
            The gradient of J. May be overwritten.

        state : dict
            Updated in place.

        rate : float or ndarray of shape (n_stack, 1), float64
            The learning rate.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method `step`.")

    def resume(self, state, earlier):
        """The state to continue from after steps of a rule with other hyperparameters.

        Parameters
        ----------
        state : dict
            The state after these steps.

        earlier : Rule
            The rule of these steps, of the same class.

        Returns
        -------
        state : dict
            A copy, or the state itself.
        """
        return state

    def numbers(self):
        """Names of the hyperparameters in which the networks of a stack may differ."""
        return [
            name
            for name, value in vars(self).items()
            if isinstance(value, Real) and not isinstance(value, bool)
        ]


class SGD(Rule):
    """Gradient descent: v <- momentum v - rate g, and the weights move by v.

    With Nesterov's momentum they move by momentum v - rate g, for the new v.

    Parameters
    ----------
    momentum : float
        Momentum, in [0, 1].

    nesterovs_momentum : bool
        Whether to use Nesterov's.

    References
    ----------
    Sutskever, I. et al. (2013). "On the importance of initialization and momentum
    in deep learning." ICML.
    """

    moments = ("velocity",)
    hyper_parameters = ("momentum", "nesterovs_momentum")

    def __init__(self, momentum, nesterovs_momentum):
        self.momentum = float(momentum)
        self.nesterovs_momentum = nesterovs_momentum

    def step(self, parameters, gradient, state, rate):
        dtype = parameters.dtype
        momentum, minus_rate = _cast(self.momentum, dtype), _cast(-rate, dtype)
        for weights, g, v in zip(
            parameters.matrices,
            gradient.matrices,
            state["velocity"].matrices,
            strict=True,
        ):
            g *= minus_rate
            v *= momentum
            v += g
            if self.nesterovs_momentum:
                weights += g
                np.multiply(v, momentum, out=g)
                weights += g
            else:
                weights += v


class Adam(Rule):
    """Gradient descent with a step size of each weight's own.

    The moments are kept as m / (1 - beta_1) and v / (1 - beta_2). These factors go into
    the step size and into epsilon: two passes over the weights fewer.

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

    moments = ("first_moment", "second_moment")
    hyper_parameters = ("beta_1", "beta_2", "epsilon")
    ignored_schedules = ("invscaling", "adaptive")

    def __init__(self, beta_1, beta_2, epsilon):
        self.beta_1 = float(beta_1)
        self.beta_2 = float(beta_2)
        self.epsilon = float(epsilon)

    def step(self, parameters, gradient, state, rate):
        n_steps, beta_1, beta_2 = state["n_steps"] + 1, self.beta_1, self.beta_2
        # In float64: in float32 1 - beta_2**n_steps would lose most of its digits.
        correction = (1 - beta_2**n_steps) ** 0.5 / (1 - beta_1**n_steps)
        root = (1 - beta_2) ** 0.5
        dtype = parameters.dtype
        rate = _cast(rate * correction * (1 - beta_1) / root, dtype)
        epsilon = _cast(self.epsilon / root, dtype)
        beta_1, beta_2 = _cast(beta_1, dtype), _cast(beta_2, dtype)
        # If an input is 0 in all rows, only the penalty has a gradient, which soon is
        # so small that its square is subnormal in float32, which processors take many
        # times as long for. A nudge far below epsilon avoids it.
        nudge = 1e-18 if dtype == np.float32 else 0
        for weights, g, m, v in zip(
            parameters.matrices,
            gradient.matrices,
            state["first_moment"].matrices,
            state["second_moment"].matrices,
            strict=True,
        ):
            m *= beta_1
            m += g
            v *= beta_2
            if nudge:
                g += nudge
            np.square(g, out=g)
            v += g
            np.sqrt(v, out=g)
            g += epsilon
            np.divide(m, g, out=g)
            g *= rate
            weights -= g

    def resume(self, state, earlier):
        factors = {
            "first_moment": (1 - earlier.beta_1) / (1 - self.beta_1),
            "second_moment": (1 - earlier.beta_2) / (1 - self.beta_2),
        }
        moments = {
            name: state[name].on(state[name].flat * f) for name, f in factors.items()
        }
        return state | moments


RULES = {"sgd": SGD, "adam": Adam}


def take_step(rule, parameters, gradient, state, rate):
    """Take a step of a rule, and count it in the state, even if the rule does so."""
    n_steps = state.get("n_steps", 0) + 1
    rule.step(parameters, gradient, state, rate)
    state["n_steps"] = n_steps


def stack_rules(rules):
    """The rule of a stack, whose networks have rules that differ only in numbers."""
    rule = copy.copy(rules[0])
    for name in rule.numbers():
        values = [getattr(one, name) for one in rules]
        if len(set(values)) > 1:
            vars(rule)[name] = column(values)
    return rule


def stack_states(states, dtype):
    """The state of a stack, from the states of networks after equally many steps."""
    stacked = dict(states[0])
    for name, value in stacked.items():
        values = [state[name] for state in states]
        if isinstance(value, Parameters):
            stacked[name] = Parameters.stacked(values, dtype)
        elif isinstance(value, np.ndarray):
            stacked[name] = np.concatenate(values)
    return stacked


def state_of_network(state, i):
    """A copy of one network's part of the state of a stack."""
    of_network = dict(state)
    for name, value in state.items():
        if isinstance(value, Parameters):
            of_network[name] = value.network(i).copy()
        elif isinstance(value, np.ndarray):
            of_network[name] = value[i : i + 1].copy()
    return of_network


def _cast(values, dtype):
    """A number for each network in the precision of the weights; a float as it is."""
    return values if isinstance(values, float) else values.astype(dtype)
