"""Losses, each fused with an output activation, and the table of the pairs.

A loss turns a block of logits into the loss of each row and, in place, into its
gradient with respect to the logits. Arrays are laid out (stack, outputs, rows).
The fused forms are stable at any logit: nothing overflows, no logarithm of zero
is taken, and nothing is clipped.

To add a loss, write its class and decorate it with its two names.
"""

import numpy as np

LOSSES = {}


def _register(loss, output_activation):
    """Class decorator: make a loss known by its and its output's name."""

    def decorator(cls):
        LOSSES[loss, output_activation] = cls()
        return cls

    return decorator


class Loss:
    """Base class of the losses."""

    def __call__(self, z, indicator, spare, row):
        """Compute the loss of each row and its gradient in the logits.

        Parameters
        ----------
        z : ndarray of shape (n_stack, n_outputs, n_rows)
            Logits. Overwritten by the derivative of the row's loss.

        indicator : ndarray of shape (n_outputs, n_rows)
            Targets: 1 where the row has the output's class, else 0.

        spare : ndarray of the shape of `z`
            Scratch.

        row : ndarray of shape (n_stack, 1, n_rows)
            Scratch.

        Returns
        -------
        loss : ndarray of shape (n_stack, 1, n_rows)
            Loss of each row. May share memory with `spare` or `row`.
        """
        raise NotImplementedError


def _softmax_in_place(z, row):
    """Overwrite logits by their softmax; return log(sum_k exp(z_k - max_k z_k)).

    The largest logit is subtracted from `z` first, so that no exponential
    overflows and at least one of them is 1.
    """
    np.exp(z, out=z)
    np.add.reduce(z, axis=1, keepdims=True, out=row)
    z /= row
    return np.log(row, out=row)


def _logistic_in_place(z):
    """Overwrite logits by their sigmoid, (1 + tanh(z / 2)) / 2."""
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5


@_register("log_loss", "softmax")
class SoftmaxLogLoss(Loss):
    """Cross-entropy: log(sum_k exp(z_k)) - z_y, with gradient p - y."""

    def __call__(self, z, indicator, spare, row):
        np.maximum.reduce(z, axis=1, keepdims=True, out=row)
        z -= row
        np.multiply(z, indicator, out=spare)
        target_logit = np.add.reduce(spare, axis=1, keepdims=True)
        loss = _softmax_in_place(z, row)
        loss -= target_logit
        z -= indicator
        return loss


@_register("log_loss", "logistic")
class LogisticLogLoss(Loss):
    """Binary cross-entropy, summed over the outputs: softplus(z) - y z.

    softplus(z) = max(z, 0) + log1p(exp(-|z|)); the gradient is p - y.
    """

    def __call__(self, z, indicator, spare, row):
        np.abs(z, out=spare)
        np.negative(spare, out=spare)
        np.exp(spare, out=spare)
        np.log1p(spare, out=spare)
        spare += np.maximum(z, 0)
        spare -= z * indicator
        np.add.reduce(spare, axis=1, keepdims=True, out=row)
        _logistic_in_place(z)
        z -= indicator
        return row


@_register("squared_error", "softmax")
class SoftmaxSquaredError(Loss):
    """Half the squared distance of the softmax p to the one-hot target y.

    With e = p - y the gradient is p * (e - sum_k p_k e_k).
    """

    def __call__(self, z, indicator, spare, row):
        np.maximum.reduce(z, axis=1, keepdims=True, out=row)
        z -= row
        _softmax_in_place(z, row)
        error = np.subtract(z, indicator, out=spare)
        loss = 0.5 * np.add.reduce(error * error, axis=1, keepdims=True)
        np.add.reduce(z * error, axis=1, keepdims=True, out=row)
        error -= row
        z *= error
        return loss


@_register("squared_error", "logistic")
class LogisticSquaredError(Loss):
    """Half the squared distance of the sigmoids p to the indicator target y.

    With e = p - y the gradient is e p (1 - p).
    """

    def __call__(self, z, indicator, spare, row):
        _logistic_in_place(z)
        error = np.subtract(z, indicator, out=spare)
        np.add.reduce(error * error, axis=1, keepdims=True, out=row)
        row *= 0.5
        error *= z
        np.subtract(1, z, out=z)
        z *= error
        return row
