"""The weights in the form of the exercise: Theta matrices, and a vector of all weights.

Theta of a layer has the shape (fan_out, fan_in + 1), with the biases in column 0. The
vector has the columns of the first Theta, then the columns of the second Theta:
[Theta1(:); Theta2(:)] in Octave. The biases of an input activation, which the exercise
does not have, come last.
"""

from itertools import pairwise

import numpy as np


def join(coefs, intercepts):
    """Join weights and biases of each layer to a Theta matrix.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out)
        Weight matrix of each layer.

    intercepts : list of ndarray of shape (fan_out,)
        Biases of each layer.

    Returns
    -------
    thetas : list of ndarray of shape (fan_out, fan_in + 1)
        New arrays.
    """
    return [
        np.column_stack([intercept, coef.T])
        for coef, intercept in zip(coefs, intercepts, strict=True)
    ]


def split(thetas, name="thetas"):
    """Split Theta matrices into weights and biases: the inverse of `join`.

    Parameters
    ----------
    thetas : sequence of array-like of shape (fan_out, fan_in + 1)
        The matrices.

    name : str, default="thetas"
        Name of the matrices in error messages.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
    intercepts : list of ndarray of shape (fan_out,)

    Raises
    ------
    ValueError
        If a Theta has fewer than two columns, or if the shapes do not fit together.
    """
    thetas = [np.asarray(theta) for theta in thetas]
    if thetas and all(theta.ndim == 0 for theta in thetas):
        raise ValueError(
            f"{name} must be a list of matrices, got a vector of {len(thetas)} "
            "numbers. Set a vector of all weights by the method set_theta of an "
            "initialised estimator."
        )
    shapes = [theta.shape for theta in thetas]
    if any(len(shape) != 2 or shape[1] < 2 for shape in shapes):
        raise ValueError(
            f"{name} must be matrices of shape (fan_out, fan_in + 1), with the biases "
            f"in column 0, got {shapes}."
        )
    if any(after[1] != before[0] + 1 for before, after in pairwise(shapes)):
        hint = ""
        if all(after[0] == before[1] + 1 for before, after in pairwise(shapes)):
            hint = " They are transposed: pass theta.T."
        raise ValueError(
            f"{name} must chain: each has a column for the biases, and a column for "
            f"each row of the previous Theta, got {shapes}.{hint}"
        )
    return [theta[:, 1:].T for theta in thetas], [theta[:, 0] for theta in thetas]


def ravel(coefs, intercepts, input_intercept=None):
    """Join all weights to a vector, in the order of the module's docstring.

    Parameters
    ----------
    coefs, intercepts
        See :func:`join`.

    input_intercept : ndarray of shape (n_features,) or None, default=None
        Biases of an input activation.

    Returns
    -------
    theta : ndarray of shape (n_parameters,)
        A new array.
    """
    # The columns of a Theta are the biases and the rows of the weight matrix.
    parts = [
        np.ravel(part)
        for coef, intercept in zip(coefs, intercepts, strict=True)
        for part in (intercept, coef)
    ]
    if input_intercept is not None:
        parts.append(np.ravel(input_intercept))
    return np.concatenate(parts)


def unravel(theta, layer_units, *, input_intercept=False, name="theta"):
    """Split a vector into weights and biases: the inverse of :func:`ravel`.

    Parameters
    ----------
    theta : array-like of shape (n_parameters,)
        The vector.

    layer_units : sequence of int
        Number of units of each layer, input and output included.

    input_intercept : bool, default=False
        Whether the biases of an input activation come last.

    name : str, default="theta"
        Name of the vector in error messages.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
    intercepts : list of ndarray of shape (fan_out,)
    input_intercept : ndarray of shape (n_features,) or None

    Raises
    ------
    ValueError
        If the length of the vector is not the number of weights.
    """
    theta = np.asarray(theta)
    size = sum((i + 1) * o for i, o in pairwise(layer_units))
    size += layer_units[0] if input_intercept else 0
    if theta.shape != (size,):
        raise ValueError(
            f"{name} must have shape ({size},) for a network with {list(layer_units)} "
            f"units per layer, got {theta.shape}."
        )
    coefs, intercepts, start = [], [], 0
    for fan_in, fan_out in pairwise(layer_units):
        stop = start + fan_out * (fan_in + 1)
        intercepts.append(theta[start : start + fan_out])
        coefs.append(theta[start + fan_out : stop].reshape(fan_in, fan_out))
        start = stop
    return coefs, intercepts, theta[start:] if input_intercept else None
