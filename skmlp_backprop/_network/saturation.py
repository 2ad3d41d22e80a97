"""How many activations of a layer are at their ends, where hardly a gradient passes."""

import numpy as np

from .inference import activations_of_layers

# Of an activation: the sigmoid's largest is 0.25.
_SMALL_DERIVATIVE = 0.01
# Rows that are looked at.
_MOST_ROWS = 2000


def saturated_shares(network, weights, X):
    """The share of each layer's activations whose derivative is below 0.01.

    Parameters
    ----------
    network : Network
        The network.

    weights : tuple of (coefs, intercepts, input_intercept)
        Its weights, shaped as an estimator's.

    X : {ndarray, CSR matrix or array} of shape (n_rows, n_features)
        The rows. Of many some are looked at.

    Returns
    -------
    shares : list of float
        That of each activation of `Network.all_activations`.
    """
    step = -(-X.shape[0] // _MOST_ROWS)
    all_z, all_a = activations_of_layers(network, weights, X[::step])
    shares = []
    for activation, z, a in zip(
        network.all_activations(), all_z, all_a[:-1], strict=False
    ):
        derivative = np.ones_like(a)
        with np.errstate(all="ignore"):
            activation.multiply_derivative(
                z if activation.keeps_input else a, derivative
            )
        is_small = np.abs(derivative) < _SMALL_DERIVATIVE
        shares.append(float(is_small.mean()))
    return shares
