"""The share of saturated activations, which pass on hardly any gradient."""

import numpy as np

from .inference import activations_of_layers

# For comparison: the largest derivative of the sigmoid is 0.25.
_SMALL_DERIVATIVE = 0.01
# A sample of this many rows is enough.
_MOST_ROWS = 2000


def saturated_shares(network, weights, X):
    """Compute the share of each layer's activations with a derivative below 0.01.

    Parameters
    ----------
    network : Network
        The network.

    weights : tuple of (coefs, intercepts, input_intercept)
        Its weights, in the shapes of an estimator's.

    X : {ndarray, CSR matrix or array} of shape (n_rows, n_features)
        The rows. A sample is used if there are many.

    Returns
    -------
    shares : list of float
        The share for each activation of `Network.all_activations`.
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
