"""What the first layer multiplies its weights by: rows in memory, in any form.

Each form knows two products of the first layer, see :class:`.layers.FirstDense`:
``product(layer)`` writes the pre-activations, ``gradient(layer, delta)`` the gradient
of weights and biases. Those whose rows end in a column of ones get the biases from the
product, the others add them.
"""

import numpy as np
from scipy import sparse


def make_inputs(X):
    """The inputs of rows that all networks of a stack share.

    Parameters
    ----------
    X : {ndarray, CSR matrix or array} of shape (n_rows, n_features)
        The rows.
    """
    return SparseInputs(X) if sparse.issparse(X) else DenseInputs(X)


class DenseInputs:
    """Rows of an array, which all networks share: one product for all of them.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows.
    """

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        np.matmul(layer.weight_matrix, self.X.T, out=layer.z_matrix)
        layer.z_matrix += layer.bias_column

    def gradient(self, layer, delta):
        np.matmul(delta, self.X, out=layer.weight_gradient)
        # As a product, which takes less time than a sum.
        np.matmul(delta, layer.ones, out=layer.bias_gradient)


class InputsWithOnes:
    """The same with a column of ones in X, of shape (n_rows, n_features + 1)."""

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        np.matmul(layer.matrix, self.X.T, out=layer.z_matrix)

    def gradient(self, layer, delta):
        np.matmul(delta, self.X, out=layer.gradient_matrix)


class SparseInputs:
    """Rows of a CSR matrix, which all networks share.

    Parameters
    ----------
    X : CSR matrix or array of shape (n_rows, n_features)
        The rows.
    """

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        np.add(
            (self.X @ layer.weight_matrix.T).T, layer.bias_column, out=layer.z_matrix
        )

    def gradient(self, layer, delta):
        np.copyto(layer.weight_gradient, (self.X.T @ delta.T).T)
        np.matmul(delta, layer.ones, out=layer.bias_gradient)


class PerNetworkInputs:
    """Rows of each network's own, with a column of ones.

    Parameters
    ----------
    X : ndarray of shape (n_stack, n_rows, n_features + 1)
        The rows.
    """

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        np.matmul(layer.weights, self.X.swapaxes(1, 2), out=layer.z)

    def gradient(self, layer, delta):
        np.matmul(delta.reshape(layer.z.shape), self.X, out=layer.gradient)


class GroupedInputs:
    """Rows of each group of networks, such as those of a fold, with a column of ones.

    Parameters
    ----------
    X : ndarray of shape (n_groups, n_rows, n_features + 1)
        The rows.

    networks : list of slice
        The networks of each group.
    """

    def __init__(self, X, networks):
        self.X = X
        self.networks = networks

    def product(self, layer):
        n_inputs = self.X.shape[2]
        for networks, X in zip(self.networks, self.X, strict=True):
            z = layer.z[networks]
            np.matmul(
                layer.weights[networks].reshape(-1, n_inputs),
                X.T,
                out=z.reshape(-1, len(X)),
            )

    def gradient(self, layer, delta):
        delta = delta.reshape(layer.z.shape)
        for networks, X in zip(self.networks, self.X, strict=True):
            of_group = layer.gradient[networks]
            np.matmul(
                delta[networks].reshape(-1, len(X)),
                X,
                out=of_group.reshape(-1, X.shape[1]),
            )
