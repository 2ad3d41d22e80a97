"""From and to the exercise's weights: Theta matrices, and all of them in one vector.

Theta of a layer has the shape (fan_out, fan_in + 1), with the biases in column 0. The
vector has the entries of the first Theta column by column, then those of the second:
[Theta1(:); Theta2(:)] in Octave. Biases of an input activation, which the exercise has
not, come last.
"""

from itertools import pairwise

import numpy as np


def join(coefs, intercepts):
    """The Theta matrix of each layer.

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
    """The weight matrices and the biases of Theta matrices: the inverse of `join`.

    Parameters
    ----------
    thetas : sequence of array-like of shape (fan_out, fan_in + 1)
        The matrices.

    name : str, default="thetas"
        What errors call them.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
    intercepts : list of ndarray of shape (fan_out,)

    Raises
    ------
    ValueError
        If a Theta has no column for the biases and a feature, or the shapes do not fit
        together.
    """
    thetas = [np.asarray(theta) for theta in thetas]
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
            f"{name} must chain: each has a column for the biases and one for each row "
            f"of the Theta before it, got {shapes}.{hint}"
        )
    return [theta[:, 1:].T for theta in thetas], [theta[:, 0] for theta in thetas]


def ravel(coefs, intercepts, input_intercept=None):
    """All weights in one vector, in the order that the module's docstring tells.

    Parameters
    ----------
    coefs, intercepts
        As of :func:`join`.

    input_intercept : ndarray of shape (n_features,) or None, default=None
        Biases of an input activation.

    Returns
    -------
    theta : ndarray of shape (n_parameters,)
        A new array.
    """
    # Column by column a Theta has its biases, then the rows of the weight matrix.
    parts = [
        np.ravel(part)
        for coef, intercept in zip(coefs, intercepts, strict=True)
        for part in (intercept, coef)
    ]
    if input_intercept is not None:
        parts.append(np.ravel(input_intercept))
    return np.concatenate(parts)


def unravel(theta, layer_units, *, input_intercept=False, name="theta"):
    """The inverse of :func:`ravel`.

    Parameters
    ----------
    theta : array-like of shape (n_parameters,)
        The vector.

    layer_units : sequence of int
        Number of units of each layer, input and output included.

    input_intercept : bool, default=False
        Whether the biases of an input activation come last.

    name : str, default="theta"
        What errors call it.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
    intercepts : list of ndarray of shape (fan_out,)
    input_intercept : ndarray of shape (n_features,) or None

    Raises
    ------
    ValueError
        If the vector has another length than the network has weights.
    """
    theta = np.asarray(theta)
    size = sum((i + 1) * o for i, o in pairwise(layer_units))
    size += layer_units[0] if input_intercept else 0
    if theta.shape != (size,):
        raise ValueError(
            f"{name} must have shape ({size},), as the network has {list(layer_units)} "
            f"units per layer, got {theta.shape}."
        )
    coefs, intercepts, start = [], [], 0
    for fan_in, fan_out in pairwise(layer_units):
        stop = start + fan_out * (fan_in + 1)
        intercepts.append(theta[start : start + fan_out])
        coefs.append(theta[start + fan_out : stop].reshape(fan_in, fan_out))
        start = stop
    return coefs, intercepts, theta[start:] if input_intercept else None
