"""Shape, activations, output and loss of a feed-forward network."""

import copy

from .activations import ACTIVATIONS


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

    input_activation : str, Activation or None, default=None
        If not None, the activation f of the input layer f(x + b).
    """

    def __init__(self, layer_units, activations, loss, output, input_activation=None):
        self.layer_units = list(layer_units)
        self.activations = [_activation(f) for f in activations]
        self.loss = loss
        self.output = output
        self.input_activation = _activation(input_activation)

    def all_activations(self):
        """The activations in the order they are applied in, the input's included."""
        first = [] if self.input_activation is None else [self.input_activation]
        return [*first, *self.activations]


def _activation(name):
    # A copy, so that a fitted network does not change with the caller's object.
    return ACTIVATIONS[name] if isinstance(name, str) else copy.deepcopy(name)
