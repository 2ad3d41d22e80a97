"""The steps of the update rules, and of the weights of levels, in PyTorch."""

import numpy as np
import torch

from .._solvers.levels import DECAY, EPSILON
from .._solvers.rules import SGD, Adam


def on_device(values, like):
    """A number for each network in the precision of a tensor; a float as it is."""
    return values if isinstance(values, float) else like.new_tensor(values)


def _step_sgd(rule, weights, gradient, state, rate):
    momentum, velocity = on_device(rule.momentum, weights), state["velocity"]
    gradient *= on_device(-rate, weights)
    velocity *= momentum
    velocity += gradient
    if rule.nesterovs_momentum:
        weights += gradient
        weights += velocity * momentum
    else:
        weights += velocity


def _step_adam(rule, weights, gradient, state, rate):
    state["n_steps"] += 1
    n_steps, beta_1, beta_2 = state["n_steps"], rule.beta_1, rule.beta_2
    correction = (1 - beta_2**n_steps) ** 0.5 / (1 - beta_1**n_steps)
    root = (1 - beta_2) ** 0.5
    first, second = state["first_moment"], state["second_moment"]
    first *= on_device(beta_1, weights)
    first += gradient
    second *= on_device(beta_2, weights)
    second += gradient.square_()
    step = first / (second.sqrt() + on_device(rule.epsilon / root, weights))
    weights -= step * on_device(rate * correction * (1 - beta_1) / root, weights)


# A subclass of a rule may take other steps, so it is not found here.
STEPS = {SGD: _step_sgd, Adam: _step_adam}


class TorchLevels:
    """The weights of levels, and their steps, see ``_solvers.levels``.

    Parameters
    ----------
    weights : Tensor of shape (n_levels + 1, n_stack, n_units)
        The weights. The code -1, for no level, selects the last entry, which stays 0.

    scales : Tensor of shape (n_levels + 1, n_stack)
        Factors of the learning rate.
    """

    def __init__(self, weights, scales):
        self.weights = weights
        self._scales = scales
        self._mean_squares = weights.new_zeros(weights.shape[:2])
        self._n_steps = weights.new_zeros((len(weights), 1))

    def touch(self, codes):
        """Find the levels of rows.

        Parameters
        ----------
        codes : Tensor of shape (n_rows, n_columns), int
            The level of each column; -1 for none.

        Returns
        -------
        index : Tensor of shape (n_touched,), int
            The distinct levels.

        one_hot : Tensor of shape (n_rows, n_touched)
            1 where a row has the level. Products with it have a fixed order of
            summation.
        """
        index, places = torch.unique(codes, return_inverse=True)
        one_hot = self.weights.new_zeros((len(codes), len(index)))
        one_hot.scatter_(1, places, 1)
        return index, one_hot * (index >= 0)

    def step(self, index, gradient, rate):
        """Update the weights of the levels of a batch."""
        squares = gradient.square().mean(2)
        self._n_steps[index] += 1
        share = (1 / self._n_steps[index]).clamp(min=float(np.float32(1 - DECAY)))
        mean_squares = self._mean_squares[index].lerp(squares, share)
        self._mean_squares[index] = mean_squares
        sizes = torch.maximum(mean_squares, squares).sqrt()
        factor = self._scales[index] * rate / (sizes + EPSILON)
        self.weights[index] -= gradient * factor[:, :, None]
