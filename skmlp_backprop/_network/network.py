"""Shape, activations, output and loss of a feed-forward network; its initial weights.

"auto" follows MLPClassifier. Otherwise weights are drawn unit by unit, as matrices of
shape (fan_out, fan_in) as in textbooks, which are then transposed.

References
----------
Glorot, X. and Bengio, Y. (2010). "Understanding the difficulty of training deep
feedforward neural networks." AISTATS.

He, K. et al. (2015). "Delving deep into rectifiers: Surpassing human-level
performance on ImageNet classification." ICCV.
"""

import copy
from itertools import pairwise

import numpy as np

from .activations import ACTIVATIONS

INITIALIZERS = ("auto", "he", "normal")


class Network:
    """What a network is, without its weights.

    Parameters
    ----------
    layer_units : sequence of int
        Number of units of each layer, input and output included.

    activations : sequence of str or Activation
        Activation of each hidden layer.

    loss : Loss
        The loss, which is fused with the output's activation.

    output : Output
        What the outputs mean.

    input_activation : str, Activation or None
        If not None, the activation f of the input layer f(x + b).
    """

    def __init__(self, layer_units, activations, loss, output, input_activation):
        self.layer_units = list(layer_units)
        self.activations = [_activation(f) for f in activations]
        self.loss = loss
        self.output = output
        self.input_activation = _activation(input_activation)

    def all_activations(self):
        """The activations in the order they are applied in, the input's included."""
        first = [] if self.input_activation is None else [self.input_activation]
        return [*first, *self.activations]


def _activation(given):
    if given is None:
        return None
    if isinstance(given, str):
        return ACTIVATIONS[given]
    # A copy, so that a fitted network does not change with the caller's object.
    activation = copy.deepcopy(given)
    _check_writes(activation)
    return activation


def _check_writes(activation):
    """Refuse an activation of the user that returns its result only."""
    z = np.array([[[-1.0, -0.5], [0.5, 1.0]]])
    out = np.full_like(z, np.nan)
    with np.errstate(all="ignore"):
        activation.apply(z, out)
    if np.isnan(out).all():
        raise ValueError(
            f"{type(activation).__name__}.apply must write its result to `out`, as in "
            "np.tanh(z, out=out) or out[...] = np.tanh(z)."
        )


def _weights(rng, fan_in, fan_out, weight_init):
    """He's or LeCun's normal weights, or uniform ones."""
    if weight_init == "he":
        return rng.normal(0, np.sqrt(2 / fan_in), (fan_out, fan_in)).T
    if weight_init == "normal":
        return rng.normal(0, np.sqrt(1 / fan_in), (fan_out, fan_in)).T
    return rng.uniform(-weight_init, weight_init, (fan_out, fan_in)).T


def _biases(rng, n, weight_init):
    """Biases of a layer whose weights :func:`_weights` draws."""
    if weight_init == "he":
        return np.zeros(n)
    if weight_init == "normal":
        return rng.normal(0, 1, n)
    return rng.uniform(-weight_init, weight_init, n)


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
        "auto" for weights and biases that are uniform within Glorot's bounds,
        sqrt(6 / (fan_in + fan_out)), with 2 in place of 6 before logistic units. A seed
        draws the same network as in MLPClassifier. "he" for weights N(0, 2 / fan_in)
        and biases 0, "normal" for weights N(0, 1 / fan_in) and biases N(0, 1), eps for
        U(-eps, eps).

    input_intercept : bool, default=False
        Whether the network has an input intercept. As one bias stands for one
        feature there, its fan-in is 1; with "auto" and "he" it starts at 0.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out), float64
    intercepts : list of ndarray of shape (fan_out,), float64
    input_intercept : ndarray of shape (n_features,), float64, or None
    """
    coefs, intercepts = [], []
    for fans, activation in zip(pairwise(layer_units), activations, strict=True):
        if weight_init == "auto":
            bound = np.sqrt((2 if activation == "logistic" else 6) / sum(fans))
            coefs.append(rng.uniform(-bound, bound, fans))
            intercepts.append(rng.uniform(-bound, bound, fans[1]))
        else:
            coefs.append(_weights(rng, *fans, weight_init))
            intercepts.append(_biases(rng, fans[1], weight_init))
    if not input_intercept:
        return coefs, intercepts, None
    n_features = layer_units[0]
    if weight_init == "auto":
        return coefs, intercepts, np.zeros(n_features)
    return coefs, intercepts, _biases(rng, n_features, weight_init)
