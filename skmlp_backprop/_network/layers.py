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

from numbers import Real

import numpy as np

from .rows import PerNetworkInputs
from .threads import BLAS_THREADS_PAY

# Largest product of the first weights of a network with a batch, in multiplications, up
# to which the products of a stack are taken one by one: OpenBLAS computes such products
# without packing the matrices (benchmarks: tricks).
_SMALL_PRODUCT = 10**6
# Smaller products take less time than the calls for each.
_TINY_PRODUCT = 2**14
# Two random bytes for each unit and row take a third of the time of a float.
_N_DRAWS = 2**16


def make_layers(network, parameters, gradient, n_rows, dropout=None):
    """Make the layers of a network. The last layer computes the logits.

    Parameters
    ----------
    network : Network
        Its shape and activations.

    parameters : Parameters
        The weights, which the layers read where they are.

    gradient : Parameters
        Where the backward pass writes.

    n_rows : int
        Number of rows of a pass.

    dropout : Dropout or None, default=None
        Draws new masks in each forward pass; None for no dropout.

    Returns
    -------
    layers : list of layer
        ``forward`` takes the output of the layer before, ``backward`` the gradient
        with respect to its own output, from the layer after. The first layer takes
        inputs, see ``rows``.
    """
    n_stack = parameters.n_stack
    rates = [0] * len(network.activations) if dropout is None else dropout.rates
    layers, a = [], None
    if network.input_activation is not None:
        layers.append(
            InputActivation(
                network.input_activation,
                parameters.input_intercept,
                gradient.input_intercept,
                n_rows,
            )
        )
    for i, (weights, weight_gradient) in enumerate(
        zip(parameters.layers, gradient.layers, strict=True)
    ):
        shape, hidden = (n_stack, weights.shape[1], n_rows), None
        dtype = weights.dtype
        if i < len(network.activations):
            masks = dropout if rates[i] > 0 else None
            hidden = Hidden(network.activations[i], shape, dtype, masks, rates[i])
        # The first layer writes the pre-activations of all networks as one matrix.
        if hidden is not None and hidden.works_in_place and (i > 0 or n_stack == 1):
            z = hidden.a
        elif hidden is None and i > 0:
            # In memory the units come first: reductions over them, as a loss has, then
            # run over the rows of all networks at once.
            z = np.empty((shape[1], n_stack, n_rows), dtype).swapaxes(0, 1)
        else:
            z = np.empty(shape, dtype)
        if i == 0:
            dense = FirstDense(parameters, gradient, z)
        else:
            dense = Dense(weights, weight_gradient, a, z)
        layers.append(dense)
        if hidden is not None:
            layers.append(hidden)
            a = hidden.out
    return layers


class FirstDense:
    """Pre-activations W x + b of the first layer, of all networks in one matrix.

    Parameters
    ----------
    parameters : Parameters
        The weights of all layers.

    gradient : Parameters
        Where their gradient goes.

    out : ndarray of shape (n_stack, n_units, n_rows)
        Where the pre-activations go.

    Attributes
    ----------
    z : ndarray of shape (n_stack * n_units, n_rows)
        The pre-activations, with a row for each unit of each network.

    weights : ndarray of shape (n_stack * n_units, n_features)
        The weights.

    weight_gradient : ndarray of the same shape
        Their gradient.

    weights_of_networks, gradient_of_networks : ndarray of shape \
            (n_stack, n_units, n_features)
        The same for each network.

    has_small_products : bool
        Whether the products of the networks of a stack are taken one by one.

    passes_back : bool
        Whether the input activation, the layer before, asks for the gradient.
    """

    def __init__(self, parameters, gradient, out):
        weights = parameters.layers[0]
        n_inputs, n_rows = weights.shape[2], out.shape[2]
        self.out = out
        self.z = out.reshape(-1, n_rows)
        self.weights_of_networks = weights[:, :, :-1]
        matrix = weights.reshape(-1, n_inputs)
        self.weights, self.biases = matrix[:, :-1], matrix[:, -1:]
        self.gradient = gradient
        self.gradient_of_networks = gradient.layers[0][:, :, :-1]
        size = self.weights_of_networks[0].size * n_rows
        self.has_small_products = (
            len(weights) > 1
            and _TINY_PRODUCT <= size <= _SMALL_PRODUCT
            # Several threads share a single product.
            and size * len(weights) < BLAS_THREADS_PAY
        )
        matrix = gradient.layers[0].reshape(-1, n_inputs)
        self.weight_gradient, self.bias_gradient = matrix[:, :-1], matrix[:, -1:]
        self.ones = np.ones((n_rows, 1), weights.dtype)
        self.passes_back = parameters.input_intercept is not None
        self.levels = parameters.levels

    def forward(self, inputs):
        self.inputs = inputs
        # Each form of rows has a product of its own, which writes to `z`.
        inputs.product(self)
        self.z += self.biases
        return self.out

    def backward(self, delta):
        # Not kept, as it may be a copy of rows.
        inputs, self.inputs = self.inputs, None
        of_units = delta.reshape(self.z.shape)
        inputs.gradient(self, of_units)
        # As a product, which takes less time than a sum.
        np.matmul(of_units, self.ones, out=self.bias_gradient)
        if self.passes_back:
            return np.matmul(delta.swapaxes(1, 2), self.weights_of_networks)
        return None


class Dropout:
    """Draws the masks of inverted dropout, with which prediction needs no scaling.

    All networks of a stack have the same masks: those that each would draw alone.

    Parameters
    ----------
    rates : sequence of float
        Probability, in [0, 1), that an output of each hidden layer is set to 0.

    random_state : RandomState
        Source of the draws.

    References
    ----------
    Srivastava, N. et al. (2014). "Dropout: A simple way to prevent neural networks
    from overfitting." JMLR 15.
    """

    def __init__(self, rates, random_state):
        self.rates = rates
        self.random_state = random_state

    def mask(self, rate, shape, dtype):
        """Draw the factors of the outputs: 0, or 1 / (1 - rate) for those kept."""
        draws = self.random_state.randint(_N_DRAWS, size=shape, dtype=np.uint16)
        return (draws >= round(rate * _N_DRAWS)) * dtype.type(1 / (1 - rate))


class Hidden:
    """A hidden layer's activation, and dropout of its outputs.

    Parameters
    ----------
    activation : Activation
        The activation.

    shape : tuple of (n_stack, n_units, n_rows)
        Shape of the outputs.

    dtype : dtype
        Their precision.

    dropout : Dropout or None
        Draws the masks; None for no dropout.

    rate : float
        Probability of dropout of each unit.

    Attributes
    ----------
    out : ndarray of shape (n_stack, n_units + 1, n_rows)
        The outputs, with a last row of ones for the biases of the next layer.

    a : ndarray of shape (n_stack, n_units, n_rows)
        View of the outputs without the last row.

    works_in_place : bool
        Whether the pre-activations may be written to `a`.
    """

    def __init__(self, activation, shape, dtype, dropout, rate):
        n_stack, n_units, n_rows = shape
        self.activation = activation
        self.dropout = dropout
        self.rate = rate
        self.out = np.ones((n_stack, n_units + 1, n_rows), dtype)
        self.a = self.out[:, :-1]
        self.works_in_place = dropout is None and not activation.keeps_input
        self.mask = None

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

    gradient : ndarray of the same shape
        Where their gradient goes.

    a : ndarray of shape (n_stack, n_inputs + 1, n_rows)
        The outputs, with a last row of ones.

    out : ndarray of shape (n_stack, n_units, n_rows)
        Where the pre-activations go.
    """

    def __init__(self, weights, gradient, a, out):
        self.weights = weights
        self.gradient = gradient
        self.out = out
        self.transposed = weights[:, :, :-1].swapaxes(1, 2)
        self.a_transposed = a.swapaxes(1, 2)
        self.before = np.empty_like(a[:, :-1], order="C")
        # With one unit the product needs no sum: np.multiply computes the same numbers
        # in less time than np.matmul (benchmarks: tricks).
        self.multiply = np.multiply if weights.shape[1] == 1 else np.matmul

    def forward(self, a):
        return np.matmul(self.weights, a, out=self.out)

    def backward(self, delta):
        np.matmul(delta, self.a_transposed, out=self.gradient)
        return self.multiply(self.transposed, delta, out=self.before)


class InputActivation:
    """An activation of the inputs, f(x + b), whose biases each network learns.

    Parameters
    ----------
    activation : Activation
        The activation f.

    bias : ndarray of shape (n_stack, 1, n_features)
        The biases.

    gradient : ndarray of the same shape
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
        self.a = np.empty_like(self.z)

    def forward(self, inputs):
        np.add(inputs.X, self.bias, out=self.z)
        self.activation.apply(self.z, self.a)
        return PerNetworkInputs(self.a)

    def backward(self, delta):
        kept = self.z if self.activation.keeps_input else self.a
        self.activation.multiply_derivative(kept, delta)
        np.add.reduce(delta, axis=1, keepdims=True, out=self.gradient)


def dropout_rates(dropout, n_hidden):
    """List of the hidden layers' rates, from a sequence or one number.

    Raises
    ------
    ValueError
        If the sequence has the wrong length or a rate out of [0, 1).
    """
    rates = [dropout] * n_hidden if np.isscalar(dropout) else list(dropout)
    if len(rates) != n_hidden:
        raise ValueError(
            f"dropout has {len(rates)} rates, but hidden_layer_sizes has {n_hidden} "
            "layers; give one rate for each, or a single one for all."
        )
    if any(not (isinstance(rate, Real) and 0 <= rate < 1) for rate in rates):
        raise ValueError(f"dropout rates must be in [0, 1), got {rates}.")
    return rates
