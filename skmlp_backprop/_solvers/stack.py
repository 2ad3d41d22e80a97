"""A stack of networks, which take their steps together, and its moving average."""

import math

import numpy as np

from .._network.objective import Objective
from .._network.parameters import Parameters, column
from .levels import LevelStepper
from .rules import stack_rules, stack_states, state_of_network, take_step

# How much faster than the weights the scales of inputs learn.
GAIN = 6
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
        self._max_keep = math.exp(-self._stride / (window * n_batches))

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
        return 1 - min(self._max_keep, n_before / (n_before + _WARM_UP))

    def select(self, indices):
        """Keep only the networks at `indices`."""
        self.parameters = Parameters.stacked(
            [self.parameters.network(i) for i in indices]
        )


class Stack:
    """Networks that take steps on the same batches.

    A subclass may update weights, `stepped`, that differ from the weights that the
    objective sees, `parameters`.

    Parameters
    ----------
    objective : Objective
        At the weights of the stack, which each step updates.

    solvers : list of MinibatchSolver
        That of each network.

    batches : Batches, GroupedBatches or DistributedBatches
        Makes the batches.

    average : MovingAverage or None, default=None
        What the networks are judged by; None for their latest weights.

    judge : object or None, default=None
        Its ``predict(i, weights)`` is called for each network after an epoch, its
        ``score(predictions)`` for each training. A device also needs the numbers of the
        rows that it predicts, ``numbers(i)``, of its ``rows``.
    """

    def __init__(self, objective, solvers, batches, average=None, judge=None):
        self.objective = objective
        self.batches = batches
        self.average = average
        self.judge = judge
        self.is_cancelled = False
        # J of each network on the batches of an epoch, and how many it has seen.
        self.losses, self.n_steps = np.empty((0, len(solvers))), 0
        self._rules = [solver.rule for solver in solvers]
        self._set_states([solver.state for solver in solvers])

    @property
    def parameters(self):
        """The weights, as the objective sees them."""
        return self.objective.parameters

    @property
    def stepped(self):
        """The weights that the rule steps."""
        return self.objective.parameters

    @property
    def judged(self):
        """What the networks are judged by."""
        return self.parameters if self.average is None else self.average.parameters

    def run_epoch(self, order, rates):
        """Take a step on each batch of an epoch.

        Parameters
        ----------
        order : object
            The order of the rows, see ``batches``.

        rates : list of float
            The learning rate of each network.

        Returns
        -------
        losses : ndarray of shape (n_batches, n_stack)
            J of each network on each batch, before its step.

        weights : ndarray of shape (n_batches, n_stack)
            The weight of each batch in the mean loss of the epoch.

        predictions : list or None
            What the judge predicts by each network.
        """
        objective, average = self.objective, self.average
        self._rate = column(rates)
        n_batches, n_stack = self.batches.n_batches, self.parameters.n_stack
        losses, weights = np.empty((n_batches, n_stack)), np.empty((n_batches, n_stack))
        # A batch of less weight is skipped: 1 / weight_sum would overflow.
        tiny = float(np.finfo(self.parameters.dtype).tiny)
        self.losses, self.n_steps = losses, 0
        # NumPy's errstate is per thread.
        with np.errstate(all="ignore"):
            for batch in self.batches.epoch(order):
                if self.is_cancelled:
                    break
                if batch.weight_sum < tiny:
                    continue
                losses[self.n_steps] = objective.loss_and_gradient(batch)
                weights[self.n_steps] = batch.weight_in_epoch
                self.n_steps += 1
                self._step()
                if average is not None:
                    average.update(objective.parameters)
            predictions = None
            if self.judge is not None:
                networks = self.judged.networks()
                predictions = [self.judge.predict(*one) for one in enumerate(networks)]
        return losses[: self.n_steps], weights[: self.n_steps], predictions

    def _step(self):
        gradient = self.objective.gradient
        take_step(self._rule, self.stepped, gradient, self._state, self._rate)

    def _set_states(self, states):
        """Go on from the states of the networks; begin anew where they are None."""
        self._rule = stack_rules(self._rules)
        if None in states:
            self._state = self._rule.init(self.stepped)
        else:
            self._state = stack_states(states, self.stepped.dtype)

    def state_of(self, i):
        """The state from which the training of the i-th network continues."""
        return state_of_network(self._state, i)

    def get_state(self):
        """All that an epoch changes, not copied, to go on from in another process."""
        average = self.average
        return {
            **self._get_shared_state(),
            "rule": self._state,
            "average": None if average is None else average.parameters.flat,
        }

    def set_state(self, state):
        """Go on from the state of a stack of the same networks, which it overwrites."""
        np.copyto(self.parameters.flat, state["parameters"].flat)
        self._state = state["rule"]
        if self.average is not None:
            np.copyto(self.average.parameters.flat, state["average"])
        self._set_shared_state(state)

    def _get_shared_state(self):
        """The part of the state that is the same on every device."""
        average, dropout = self.average, self.objective.dropout
        return {
            "parameters": self.parameters,
            "n_averaged": None if average is None else average.n_steps,
            "masks": None if dropout is None else dropout.random_state.get_state(),
        }

    def _set_shared_state(self, state):
        """Go on with the steps of the average, and the masks, of a state."""
        if self.average is not None:
            self.average.n_steps = state["n_averaged"]
        # There are no earlier masks if the dropout was 0.
        if self.objective.dropout is not None and state["masks"] is not None:
            self.objective.dropout.random_state.set_state(state["masks"])

    def select(self, indices, parameters):
        """Keep the networks at `indices` alone, with their weights in `parameters`."""
        states = [self.state_of(i) for i in indices]
        self._drop_others(indices, parameters)
        self._set_states(states)

    def _drop_others(self, indices, parameters):
        before = self.objective
        self.objective = Objective(
            before.network, before.alpha[indices], parameters, before.dropout
        )
        if self.average is not None:
            self.average.select(indices)
        self.batches.select(indices)
        self._rules = [self._rules[i] for i in indices]


class ScaledInputStack(Stack):
    """A stack that learns how much of each input its networks take in.

    A network sees its inputs times scales. Folded into the first weights they cost
    nothing but a few passes over these: with V the weights behind the scales s, the
    first layer has W = V s, so that dJ/dV = s dJ/dW, and dJ/ds is the sum of V dJ/dW
    over the units. The objective sees W, which is also the final weight. A step of a
    scale moves the weights of all units alike, so that an input without information is
    turned down as fast as a single weight is learned.

    Parameters
    ----------
    scales : ndarray of shape (n_stack, n_inputs)
        The scales with which the training begins. Those of levels stay as they are.

    objective, *args
        See :class:`Stack`. The objective has no penalty, and its weights are those
        behind the scales.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I. (2024). "Better by default: strong
    pre-tuned MLPs and boosted trees on tabular data." NeurIPS. The scaling layer of
    RealMLP.
    """

    def __init__(self, scales, objective, *args):
        self._behind = objective.parameters.without_levels().copy()
        super().__init__(objective, *args)
        first = self._behind.layers[0]
        # As the weights of a layer with one unit. The last input is that of the biases,
        # whose scale stays 1.
        self._scales = Parameters([np.ones_like(first[:, :1])]).copy()
        n_numbers = first.shape[2] - 1
        self._scales.layers[0][:, 0, :-1] = scales[:, :n_numbers]
        np.multiply(first, self._scales.layers[0], out=self.parameters.layers[0])
        self._scales_gradient = self._scales.zeros_like()
        self._state_of_scales = self._rule.init(self._scales)
        levels = objective.parameters.levels
        self._levels = None
        if levels is not None:
            self._levels = LevelStepper(levels, scales[:, n_numbers:])

    @property
    def stepped(self):
        return self._behind

    def get_state(self):
        levels = self._levels
        return {
            **super().get_state(),
            "behind": self._behind.flat,
            "scales": self._scales.flat,
            "rule_of_scales": self._state_of_scales,
            "levels": None if levels is None else levels.get_state(),
        }

    def set_state(self, state):
        super().set_state(state)
        np.copyto(self._behind.flat, state["behind"])
        np.copyto(self._scales.flat, state["scales"])
        self._state_of_scales = state["rule_of_scales"]
        if self._levels is not None:
            self._levels.set_state(state["levels"])

    def _step(self):
        scales, behind = self._scales.layers[0], self._behind.layers[0]
        gradient = self.objective.gradient
        of_scales = self._scales_gradient.layers[0]
        # The sum of the products over the units.
        np.einsum("nui,nui->ni", gradient.layers[0], behind, out=of_scales[:, 0])
        of_scales[:, :, -1] = 0
        gradient.layers[0] *= scales
        super()._step()
        take_step(
            self._rule,
            self._scales,
            self._scales_gradient,
            self._state_of_scales,
            GAIN * self._rate,
        )
        first, *others = self.parameters.layers
        np.multiply(behind, scales, out=first)
        for weights, stepped in zip(others, self._behind.layers[1:], strict=True):
            np.copyto(weights, stepped)
        if self._levels is not None:
            self._levels.step(*gradient.level_gradient, self._rate)
