"""The forward and the backward pass of a stack of networks on a block of rows.

Both are pure functions of (parameters, rows): the network knows its shape, its
activations, its output and its loss, and neither penalty, nor solver, nor estimator.

Layout: a block of activations is (stack, units, rows). The first layer, which
all networks of a stack feed from the same rows, is one product of all their
first weights with the rows where these are large; the inner layers are batched
products.

References
----------
Rumelhart, D. E., Hinton, G. E. and Williams, R. J. (1986). "Learning
representations by back-propagating errors." Nature 323.
"""

import numpy as np

from .activations import ACTIVATIONS
from .groups import GroupedInputs


class Network:
    """Shape, activations and loss of a feed-forward network.

    Parameters
    ----------
    layer_units : sequence of int
        Number of units of each layer, input and output included.

    activations : sequence of str
        Activation of each hidden layer.

    loss : Loss
        The loss, which is fused with the output's activation.

    output : Output
        What the outputs mean.

    input_activation : str or None, default=None
        If not None, the activation f of the input layer f(x + b).
    """

    def __init__(self, layer_units, activations, loss, output, input_activation=None):
        self.layer_units = list(layer_units)
        self.activations = [ACTIVATIONS[name] for name in activations]
        self.loss = loss
        self.output = output
        self.input_activation = (
            None if input_activation is None else ACTIVATIONS[input_activation]
        )

    def all_activations(self):
        """The activations in the order they are applied in, the input's included."""
        first = [] if self.input_activation is None else [self.input_activation]
        return [*first, *self.activations]

    def logits(self, parameters, X, buffers):
        """Forward pass.

        Parameters
        ----------
        parameters : Parameters
            The weights of a stack of networks.

        X : {ndarray, CSR matrix} of shape (n_rows, n_features)
            The rows; or rows of each network's own, an ndarray as ``rows.OwnRows`` have
            it; or :class:`GroupedInputs`.

        buffers : Buffers
            Where the activations go.

        Returns
        -------
        logits : ndarray of shape (n_stack, n_outputs, n_rows)
            A view of `buffers`.
        """
        last = len(parameters.weights) - 1
        a = self._inputs(parameters, X, buffers)
        for layer, z in enumerate(buffers.z):
            if layer == 0:
                _first_product(parameters, a, z, buffers)
            else:
                np.matmul(parameters.weights[layer], a, out=z)
            z += parameters.intercepts[layer]
            if layer < last:
                self.activations[layer].apply(z, buffers.a[layer])
                a = buffers.pass_on(layer)
        return buffers.z[last]

    def loss_and_gradient(self, parameters, rows, scale, gradient, buffers):
        """Backpropagation: the scaled sum of the rows' losses, and its gradient.

        Parameters
        ----------
        parameters : Parameters
            The weights of a stack of networks.

        rows : Rows
            The rows to sum over, with their weights.

        scale : float
            What each row's weighted loss is multiplied by.

        gradient : Parameters
            Overwritten by the gradient.

        buffers : Buffers
            Working memory for this number of rows.

        Returns
        -------
        loss : ndarray of shape (n_stack,)
            Scaled sum of the losses of each network.
        """
        delta = self.logits(parameters, rows.X, buffers)
        target = buffers.target if rows.is_shared else buffers.targets
        self.output.write_targets(rows.targets, target)
        loss = self.loss(delta, target, buffers.spare, buffers.row)
        if rows.weights is not None:
            delta *= rows.weights
            loss *= rows.weights
        delta *= scale
        loss = scale * np.add.reduce(loss, axis=(1, 2), dtype=np.float64)

        for layer in range(len(self.activations), 0, -1):
            a = buffers.passed_on(layer - 1)
            np.matmul(delta, a, out=gradient.weights[layer])
            _sum_rows(delta, gradient.intercepts[layer], buffers)
            before = buffers.delta[layer - 1]
            np.matmul(parameters.transposed[layer], delta, out=before)
            if buffers.masks[layer - 1] is not None:
                before *= buffers.masks[layer - 1]
            self.activations[layer - 1].multiply_derivative(
                buffers.kept[layer - 1], before
            )
            delta = before
        self._first_gradient(parameters, rows.X, delta, gradient, buffers)
        return loss

    def _inputs(self, parameters, X, buffers):
        """The first layer's input: X itself, or f(X + b) for each network."""
        if self.input_activation is None:
            return X
        np.add(X, parameters.input_intercept, out=buffers.input_z)
        self.input_activation.apply(buffers.input_z, buffers.input_a)
        return buffers.input_a

    def _first_gradient(self, parameters, X, delta, gradient, buffers):
        """Gradients of the first layer and of the input intercept."""
        _sum_rows(delta, gradient.intercepts[0], buffers)
        if self.input_activation is None:
            _first_weight_gradient(delta, X, gradient, buffers)
            return
        np.matmul(delta, buffers.input_a, out=gradient.weights[0])
        before = buffers.input_delta
        np.matmul(delta.swapaxes(1, 2), parameters.weights[0], out=before)
        self.input_activation.multiply_derivative(buffers.input_kept, before)
        np.add.reduce(before, axis=1, keepdims=True, out=gradient.input_intercept)


def _first_product(parameters, a, z, buffers):
    """First layer's weights times its input, for all networks at once or for each."""
    if not isinstance(a, np.ndarray):
        if isinstance(a, GroupedInputs):
            a.multiply(parameters.weights[0], z)
        else:
            np.copyto(buffers.first_z, (a @ parameters.first_weights.T).T)
    elif a.ndim == 3:
        np.matmul(parameters.weights[0], a.swapaxes(1, 2), out=z)
    elif buffers.is_small_stack:
        np.copyto(buffers.x_transposed, a.T)
        np.matmul(parameters.weights[0], buffers.x_transposed, out=z)
    elif buffers.is_of_few_units and a.flags.c_contiguous:
        np.matmul(a, parameters.first_weights.T, out=buffers.first_by_rows)
        np.copyto(buffers.first_z, buffers.first_by_rows.T)
    else:
        np.matmul(parameters.first_weights, a.T, out=buffers.first_z)


def _first_weight_gradient(delta, X, gradient, buffers):
    """First layer's weight gradient, for all networks at once or for each."""
    is_dense = isinstance(X, np.ndarray)
    if is_dense and (X.ndim == 3 or buffers.is_small_stack):
        np.matmul(delta, X, out=gradient.weights[0])
        return
    if not is_dense and isinstance(X, GroupedInputs):
        X.multiply_delta(delta, gradient.weights[0])
        return
    delta = delta.reshape(-1, delta.shape[2])
    if is_dense:
        np.matmul(delta, X, out=gradient.first_weights)
    else:
        np.copyto(gradient.first_weights, (X.T @ delta.T).T)


def _sum_rows(delta, out, buffers):
    """Sum over the rows, as a product, which takes less time than a reduction."""
    np.matmul(delta, buffers.ones, out=out)
