"""The layers of a stack of networks, each with its forward and its backward pass.

A layer is made for a number of rows: it has the arrays that it writes to, so that a
step need not allocate them. Arrays are laid out (n_stack, units, n_rows), those of an
input activation (n_stack, n_rows, n_features). The output of a layer stays valid until
its next pass.

To add a layer, write a class with ``forward`` and ``backward`` and put it in
:func:`make_layers`.

References
----------
Rumelhart, D. E., Hinton, G. E. and Williams, R. J. (1986). "Learning
representations by back-propagating errors." Nature 323.
"""

import numpy as np

from .inputs import PerNetworkInputs


def make_layers(network, parameters, gradient, n_rows, dropout=None, touched=None):
    """Make the layers of a network. The last layer computes the logits.

    Parameters
    ----------
    network : Network
        Its shape and activations.

    parameters : Parameters
        The weights, which the layers read where they are.

    gradient : Parameters or None
        Where the backward pass writes; None where there is only a forward pass.

    n_rows : int
        Number of rows of a pass.

    dropout : Dropout or None, default=None
        Draws new masks in each forward pass; None for no dropout.

    touched : TouchedLevels or None, default=None
        Where the gradient in the weights of levels goes; None where there are none.

    Returns
    -------
    layers : list of layer
        ``forward`` takes the output of the layer before, ``backward`` the gradient in
        its own output, from the layer after. The first layer takes inputs, see
        ``inputs``.
    """
    n_layers = len(parameters.layers)
    gradients = [None] * n_layers if gradient is None else gradient.layers
    rates = [0] * n_layers if dropout is None else dropout.rates
    layers, weights = [], parameters.layers
    has_input_activation = network.input_activation is not None
    if has_input_activation:
        bias_gradient = None if gradient is None else gradient.input_intercept
        bias = parameters.input_intercept
        layers.append(
            InputActivation(network.input_activation, bias, bias_gradient, n_rows)
        )
    first = FirstDense(weights[0], gradients[0], n_rows, has_input_activation)
    first.levels, first.touched = parameters.levels, touched
    layers.append(first)
    last = first
    for i, activation in enumerate(network.activations):
        hidden = Hidden(activation, last, dropout, rates[i])
        last = Dense(weights[i + 1], gradients[i + 1], hidden.out)
        layers += [hidden, last]
    return layers


class FirstDense:
    """Pre-activations W x + b of the first layer.

    Parameters
    ----------
    weights : ndarray of shape (n_stack, n_units, n_features + 1)
        Weights and biases.

    gradient : ndarray of the same shape or None
        Where their gradient goes.

    n_rows : int
        Number of rows.

    passes_back : bool, default=False
        Whether there is a layer before it, which asks for the gradient in its inputs.

    Attributes
    ----------
    z : ndarray of shape (n_stack, n_units, n_rows)
        The pre-activations.

    z_matrix, matrix, weight_matrix, bias_column : ndarray
        Views with one row for each unit of each network: of `z`, of `weights`, of
        `weights` without the biases, and of the biases.

    gradient_matrix, weight_gradient, bias_gradient : ndarray
        The same of the gradient.

    ones : ndarray of shape (n_rows, 1)
        A column of ones.

    levels : ndarray of shape (n_stack, n_levels, n_units) or None
        The weights of levels.

    touched : TouchedLevels or None
        Where their gradient goes.
    """

    def __init__(self, weights, gradient, n_rows, passes_back=False):
        n_stack, n_units, n_inputs = weights.shape
        self.weights = weights
        self.gradient = gradient
        self.z = np.empty((n_stack, n_units, n_rows), weights.dtype)
        self.z_matrix = self.z.reshape(-1, n_rows)
        self.matrix = weights.reshape(-1, n_inputs)
        self.weight_matrix, self.bias_column = self.matrix[:, :-1], self.matrix[:, -1:]
        if gradient is not None:
            self.gradient_matrix = gradient.reshape(-1, n_inputs)
            self.weight_gradient = self.gradient_matrix[:, :-1]
            self.bias_gradient = self.gradient_matrix[:, -1:]
            self.ones = np.ones((n_rows, 1), weights.dtype)
        self.passes_back = passes_back

    def forward(self, inputs):
        self.inputs = inputs
        # Each form of rows has a product of its own, which writes to `z`.
        inputs.product(self)
        return self.z

    def backward(self, delta):
        # Not kept, as it may be a copy of rows.
        inputs, self.inputs = self.inputs, None
        inputs.gradient(self, delta.reshape(self.z_matrix.shape))
        if self.passes_back:
            return np.matmul(delta.swapaxes(1, 2), self.weights[:, :, :-1])
        return None


class Hidden:
    """A hidden layer's activation, and dropout of its outputs.

    Parameters
    ----------
    activation : Activation
        The activation.

    dense : FirstDense or Dense
        The layer before it, whose pre-activations it takes.

    dropout : Dropout or None
        Draws the masks.

    rate : float
        Probability of dropout of each unit.

    Attributes
    ----------
    out : ndarray of shape (n_stack, n_units + 1, n_rows)
        The outputs, with a last row of ones for the biases of the next layer.
    """

    def __init__(self, activation, dense, dropout, rate):
        n_stack, n_units, n_rows = dense.z.shape
        self.activation = activation
        self.dropout = dropout if rate > 0 else None
        self.rate = rate
        self.out = np.ones((n_stack, n_units + 1, n_rows), dense.z.dtype)
        self.a = self.out[:, :-1]
        self.mask = None
        is_alone = n_stack == 1 or not isinstance(dense, FirstDense)
        if is_alone and self.dropout is None and not activation.keeps_input:
            # The pre-activations need no array of their own.
            dense.z = self.a
            if isinstance(dense, FirstDense):
                dense.z_matrix = self.a[0]

    def forward(self, z):
        activation, a = self.activation, self.a
        self.kept = z
        if self.dropout is None:
            activation.apply(z, a)
            if not activation.keeps_input:
                self.kept = a
            return self.out
        self.mask = self.dropout.mask(self.rate, z.shape[1:], z.dtype)
        f = a if activation.keeps_input else z
        activation.apply(z, f)
        np.multiply(f, self.mask, out=a)
        return self.out

    def backward(self, delta):
        if self.mask is not None:
            delta *= self.mask
        self.activation.multiply_derivative(self.kept, delta)
        return delta


class Dense:
    """Pre-activations W a + b of the outputs of the layer before.

    Parameters
    ----------
    weights : ndarray of shape (n_stack, n_units, n_inputs + 1)
        Weights and biases.

    gradient : ndarray of the same shape or None
        Where their gradient goes.

    a : ndarray of shape (n_stack, n_inputs + 1, n_rows)
        The outputs, with a last row of ones.
    """

    def __init__(self, weights, gradient, a):
        n_stack, n_units, _ = weights.shape
        n_rows = a.shape[2]
        self.weights = weights
        self.gradient = gradient
        self.transposed = weights[:, :, :-1].swapaxes(1, 2)
        self.a_transposed = a.swapaxes(1, 2)
        # In memory the units come first: reductions over them, as a loss has, then run
        # over the rows of all networks at once.
        self.z = np.empty((n_units, n_stack, n_rows), weights.dtype).swapaxes(0, 1)
        if gradient is not None:
            shape = (n_stack, weights.shape[2] - 1, n_rows)
            self.before = np.empty(shape, weights.dtype)

    def forward(self, a):
        return np.matmul(self.weights, a, out=self.z)

    def backward(self, delta):
        np.matmul(delta, self.a_transposed, out=self.gradient)
        return np.matmul(self.transposed, delta, out=self.before)


class InputActivation:
    """An activation of the inputs, f(x + b), whose biases each network learns.

    Parameters
    ----------
    activation : Activation
        The activation f.

    bias : ndarray of shape (n_stack, 1, n_features)
        The biases.

    gradient : ndarray of the same shape or None
        Where their gradient goes.

    n_rows : int
        Number of rows.
    """

    def __init__(self, activation, bias, gradient, n_rows):
        n_stack, _, n_features = bias.shape
        self.activation = activation
        self.bias = bias
        self.gradient = gradient
        self.z = np.empty((n_stack, n_rows, n_features), bias.dtype)
        self.out = np.ones((n_stack, n_rows, n_features + 1), bias.dtype)
        self.a = self.out[:, :, :-1]

    def forward(self, inputs):
        np.add(inputs.X[..., : self.z.shape[2]], self.bias, out=self.z)
        self.activation.apply(self.z, self.a)
        return PerNetworkInputs(self.out)

    def backward(self, delta):
        kept = self.z if self.activation.keeps_input else self.a
        self.activation.multiply_derivative(kept, delta)
        np.add.reduce(delta, axis=1, keepdims=True, out=self.gradient)
