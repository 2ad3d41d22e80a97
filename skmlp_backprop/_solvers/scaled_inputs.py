"""Steps with a trainable scale for each input of each network."""

from copy import copy

import numpy as np

from .._network.parameters import Parameters
from .steps import Steps

# How much faster than the weights the scales learn.
_GAIN = 6


class ScaledInputSteps(Steps):
    """Steps that learn how much of each input the networks take in.

    A network sees its inputs times scales, which begin at 1. Folded into the first
    weights they cost nothing but a few passes over these: with V the weights behind the
    scales s, the first layer has W = V s, so that dJ/dV = s dJ/dW, and dJ/ds is the sum
    of V dJ/dW over the units. What the objective sees, and what is left in the end, is
    W. One step of a scale moves the weights of all units alike: an input that tells
    nothing is turned down in as many steps as it takes to learn one weight.

    Parameters
    ----------
    objective : Objective
        Of the stack; without a penalty.

    solvers : list of MinibatchSolver
        The networks' solvers, for weights and, at a higher rate, scales.

    parameters : Parameters
        The weights of the stack, which each step updates.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I. (2024). "Better by default: strong
    pre-tuned MLPs and boosted trees on tabular data." NeurIPS. The scaling layer of
    RealMLP.
    """

    def __init__(self, objective, solvers, parameters):
        self._solvers = solvers
        self._behind = parameters.copy()
        super().__init__(objective, solvers, self._behind)
        # All but the first weights are those that the update steps.
        self.parameters = Parameters(
            [parameters.weights[0], *self._behind.weights[1:]],
            self._behind.intercepts,
            self._behind.input_intercept,
        )
        self._scales = _ones(parameters.n_stack, parameters.layer_units[0], self.dtype)
        self._scales_gradient = self._scales.zeros_like()
        self._solvers_of_scales = [copy(solver) for solver in solvers]
        self._update_of_scales = solvers[0].update(
            self._solvers_of_scales, self._scales, self._scales_gradient
        )
        self._spare = np.empty_like(parameters.weights[0])

    def take(self, batches, average):
        for of_scale, solver in zip(
            self._solvers_of_scales, self._solvers, strict=True
        ):
            of_scale.learning_rate_ = _GAIN * solver.learning_rate_
        self._update_of_scales.begin_epoch()
        return super().take(batches, average)

    def _step(self):
        scales, behind = self._scales.weights[0], self._behind.weights[0]
        gradient = self.gradient.weights[0]
        np.multiply(gradient, behind, out=self._spare)
        np.add.reduce(
            self._spare, axis=1, keepdims=True, out=self._scales_gradient.weights[0]
        )
        gradient *= scales
        self.update.step()
        self._update_of_scales.step()
        np.multiply(behind, scales, out=self.parameters.weights[0])


def _ones(n_stack, n_features, dtype):
    """Scales of 1, as the weights of a stack of networks with one unit each."""
    weights = np.ones((n_stack, 1, n_features), dtype)
    return Parameters([weights], [np.zeros((n_stack, 1, 1), dtype)]).copy()
