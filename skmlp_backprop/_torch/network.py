"""Logits and losses of a stack in PyTorch, whose autograd computes their gradient.

Activations and losses are those of ``_network``, and arrays have the same shape,
(n_stack, units, rows). The weights of a network are a row of a matrix: those of all
layers, then their biases, then those of the input activation. So a rule steps a single
matrix, and to drop networks is to drop rows.
"""

from functools import partial

import numpy as np
import torch
from torch.nn import functional

from .._network import losses


def _softmax_squared_error(_, z, y):
    return 0.5 * (torch.softmax(z, 1) - y).square()


def _huber(loss, z, y):
    error = z - y
    clipped = error.clamp(-loss.huber_epsilon, loss.huber_epsilon)
    return clipped * (error - 0.5 * clipped)


def _pinball(loss, z, y):
    levels = z.new_tensor(np.reshape(loss.quantile, (-1, 1)))
    error = z - y
    return torch.where(error > 0, (1 - levels) * error, -levels * error)


def _increasing_pinball(loss, z, y):
    steps = torch.cat([z[:, :1], -functional.logsigmoid(-z[:, 1:])], 1)
    # A product, because its order of summation is fixed on every device.
    lower = z.new_ones((z.shape[1], z.shape[1])).tril()
    return _pinball(loss, lower @ steps, y)


def _gamma(_, z, y):
    log_ratio = y.log() - z
    return log_ratio.exp() - log_ratio - 1


ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": partial(functional.leaky_relu, negative_slope=0.01),
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
}

# The loss of each output. Their sum is the loss of a row.
LOSSES = {
    losses.SoftmaxLogLoss: lambda _, z, y: -y * torch.log_softmax(z, 1),
    losses.LogisticLogLoss: lambda _, z, y: -functional.logsigmoid((2 * y - 1) * z),
    losses.SoftmaxSquaredError: _softmax_squared_error,
    losses.LogisticSquaredError: lambda _, z, y: 0.5 * (torch.sigmoid(z) - y).square(),
    losses.SquaredError: lambda _, z, y: 0.5 * (z - y).square(),
    losses.AbsoluteError: lambda _, z, y: (z - y).abs(),
    losses.Huber: _huber,
    losses.Pinball: _pinball,
    losses.IncreasingPinball: _increasing_pinball,
    losses.Poisson: lambda _, z, y: z.exp() - z * y + torch.xlogy(y, y) - y,
    losses.Gamma: _gamma,
}


def pieces(parameters):
    """The arrays of a stack in the order of the matrix, without those of levels."""
    arrays = [*parameters.weights, *parameters.intercepts]
    if parameters.input_intercept is not None:
        arrays.append(parameters.input_intercept)
    return arrays


def to_matrix(parameters):
    """Copy the weights of a stack to an array of shape (n_stack, n_weights)."""
    rows = [array.reshape(parameters.n_stack, -1) for array in pieces(parameters)]
    return np.concatenate(rows, axis=1)


def from_matrix(matrix, parameters):
    """Copy a matrix of weights to the arrays of a stack."""
    start = 0
    for array in pieces(parameters):
        stop = start + array[0].size
        array[...] = matrix[:, start:stop].reshape(array.shape)
        start = stop


class TorchNetwork:
    """The passes of a stack of networks.

    Parameters
    ----------
    network : Network
        The network.

    parameters : Parameters
        Weights of the same shapes.
    """

    def __init__(self, network, parameters):
        self._loss = network.loss
        self._activations = [ACTIVATIONS[f.name] for f in network.activations]
        first = network.input_activation
        self._input_activation = None if first is None else ACTIVATIONS[first.name]
        self._shapes = [array.shape[1:] for array in pieces(parameters)]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self._n_layers = len(parameters.weights)
        self.n_weights = sum(self._sizes[: self._n_layers])
        self.n_units = [shape[0] for shape in self._shapes[: self._n_layers]]

    def scaled(self, matrix, scales=None):
        """Multiply the first weights by the scales of the inputs, if there are any."""
        if scales is None:
            return matrix
        first, others = matrix.split(
            [self._sizes[0], matrix.shape[1] - self._sizes[0]], 1
        )
        first = first.unflatten(1, self._shapes[0]) * scales[:, None]
        return torch.cat([first.flatten(1), others], 1)

    def logits(self, matrix, X, level_sums=None, masks=()):
        """Compute the logits.

        Parameters
        ----------
        matrix : Tensor of shape (n_stack, n_weights)
            The weights.

        X : Tensor of shape (n_rows, n_features) or (n_stack, n_rows, n_features)
            The rows. With three axes, each network has rows of its own.

        level_sums : Tensor of shape (n_stack, n_units, n_rows) or None, default=None
            Sums of the weights of levels, for the first pre-activations.

        masks : sequence of Tensor of shape (n_units, n_rows) or None, default=()
            Factors of the outputs of each hidden layer; None for 1.

        Returns
        -------
        logits : Tensor of shape (n_stack, n_outputs, n_rows)
            The logits.
        """
        arrays = [
            piece.unflatten(1, shape)
            for piece, shape in zip(
                matrix.split(self._sizes, 1), self._shapes, strict=True
            )
        ]
        weights, biases = arrays[: self._n_layers], arrays[self._n_layers :]
        if self._input_activation is not None:
            X = self._input_activation(X + biases.pop())
        a = X.transpose(-1, -2).expand(len(matrix), -1, -1)
        z = torch.baddbmm(biases[0], weights[0], a)
        if level_sums is not None:
            z = z + level_sums
        for i, activation in enumerate(self._activations):
            a = activation(z)
            if masks and masks[i] is not None:
                a = a * masks[i]
            z = torch.baddbmm(biases[i + 1], weights[i + 1], a)
        return z

    def losses(self, logits, target):
        """The loss of each row, of shape (n_stack, n_rows)."""
        return LOSSES[type(self._loss)](self._loss, logits, target).sum(1)
