"""Initial weights.

Save for "auto", which follows MLPClassifier, weights are drawn unit by unit, as the
textbooks' matrices of shape (fan_out, fan_in) are.

References
----------
Glorot, X. and Bengio, Y. (2010). "Understanding the difficulty of training deep
feedforward neural networks." AISTATS.

He, K. et al. (2015). "Delving deep into rectifiers: Surpassing human-level
performance on ImageNet classification." ICCV.
"""

from itertools import pairwise

import numpy as np


class Glorot:
    """Uniform within sqrt(6 / (fan_in + fan_out)), biases alike.

    The bounds (with 2 in place of 6 for logistic units) and the order of draws
    are MLPClassifier's, so that one seed gives one network in both.
    """

    def weights(self, rng, fan_in, fan_out, activation):
        bound = self._bound(fan_in, fan_out, activation)
        return rng.uniform(-bound, bound, (fan_in, fan_out))

    def biases(self, rng, fan_in, fan_out, activation):
        bound = self._bound(fan_in, fan_out, activation)
        return rng.uniform(-bound, bound, fan_out)

    def _bound(self, fan_in, fan_out, activation):
        return np.sqrt((2 if activation == "logistic" else 6) / (fan_in + fan_out))


class He:
    """Weights N(0, 2 / fan_in), biases 0."""

    def weights(self, rng, fan_in, fan_out, activation):
        return rng.normal(0, np.sqrt(2 / fan_in), (fan_out, fan_in)).T

    def biases(self, rng, fan_in, fan_out, activation):
        return np.zeros(fan_out)


class Normal:
    """Weights N(0, 1 / fan_in), biases N(0, 1)."""

    def weights(self, rng, fan_in, fan_out, activation):
        return rng.normal(0, np.sqrt(1 / fan_in), (fan_out, fan_in)).T

    def biases(self, rng, fan_in, fan_out, activation):
        return rng.normal(0, 1, fan_out)


class Uniform:
    """Weights and biases U(-eps, eps)."""

    def __init__(self, eps):
        self.eps = eps

    def weights(self, rng, fan_in, fan_out, activation):
        return rng.uniform(-self.eps, self.eps, (fan_out, fan_in)).T

    def biases(self, rng, fan_in, fan_out, activation):
        return rng.uniform(-self.eps, self.eps, fan_out)


INITIALIZERS = {"auto": Glorot(), "he": He(), "normal": Normal()}


def initialize(rng, layer_units, activations, weight_init, *, input_intercept=False):
    """Draw a network's initial weights.

    Parameters
    ----------
    rng : RandomState
        Source of the draws: layer by layer, weights first, then biases; the
        input intercept comes last.

    layer_units : sequence of int
        Number of units of each layer, input and output included.

    activations : sequence of str, of length ``len(layer_units) - 1``
        Activation each layer's weights feed into; for the output layer, that of
        the hidden layer before it.

    weight_init : {"auto", "he", "normal"} or float
        A key of ``INITIALIZERS``, or eps for U(-eps, eps).

    input_intercept : bool, default=False
        Whether the network has an input intercept. As one bias stands for one
        feature there, its fan-in is 1; with "auto" and "he" it starts at 0.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out), float64
    intercepts : list of ndarray of shape (fan_out,), float64
    input_intercept : ndarray of shape (n_features,), float64, or None
    """
    init = INITIALIZERS.get(weight_init) or Uniform(weight_init)
    coefs, intercepts = [], []
    for fans, activation in zip(pairwise(layer_units), activations, strict=True):
        coefs.append(init.weights(rng, *fans, activation))
        intercepts.append(init.biases(rng, *fans, activation))
    if not input_intercept:
        return coefs, intercepts, None
    n_features = layer_units[0]
    if isinstance(init, Glorot):
        return coefs, intercepts, np.zeros(n_features)
    return coefs, intercepts, init.biases(rng, 1, n_features, "identity")
