"""Losses, each fused with an output activation, and the table of the pairs.

A loss turns a block of logits into the loss of each row and, in place, into its
gradient with respect to the logits. Arrays are laid out (stack, outputs, rows).
The fused forms are stable at any logit: no logarithm of zero is taken, and no
probability is clipped. Only the exponentials of Poisson and Gamma can overflow.

To add a loss, write its class and decorate it with its name and the name of its output.
"""

from bisect import bisect

import numpy as np
from scipy.special import expit, xlogy

from .activations import ACTIVATIONS

LOSSES = {}
_LOGISTIC = ACTIVATIONS["logistic"]
# Rounding of a cumulated share of the weights.
_ROUNDING = 1e-12


def _register(loss, output):
    """Class decorator: make a loss known by its and its output's name."""

    def decorator(cls):
        cls.name = loss
        LOSSES[loss, output] = cls
        return cls

    return decorator


def loss_names(outputs):
    """Names of the losses that go with one of the outputs of the given names."""
    return sorted({loss for loss, output in LOSSES if output in outputs})


class Loss:
    """Base class of the losses.

    Attributes
    ----------
    name : str
        Name of the loss.

    hyper_parameters : tuple of str
        Parameters of the estimator that are passed to the loss.

    has_kink : bool
        Whether its derivative jumps where a prediction meets its target. Gradient
        methods that search along a line, and finite differences, fail there.

    unit : float
        Scale of the terms that cancel in a small loss; sets its rounding error.

    quantile : float, sequence of float or None
        Level or levels of the quantiles of the targets that the best predictions are;
        None if these are no quantiles.

    starts_at_constant : bool
        Whether the initial biases of the outputs give the best constant prediction.
        False for the losses that MLPClassifier and MLPRegressor have, too: the initial
        biases must be theirs.
    """

    hyper_parameters = ()
    has_kink = False
    unit = 0.0
    quantile = None
    starts_at_constant = False

    def best_constant(self, target, weights):
        """Best constant prediction: the mean, or the quantiles that a loss has.

        Parameters
        ----------
        target : ndarray of shape (n_outputs, n_rows)
            Targets, as for ``__call__``.

        weights : ndarray of shape (n_rows,)
            Weights of the rows.

        Returns
        -------
        predictions : ndarray of shape (n_outputs,)
            The prediction that minimises the sum of the rows' losses.
        """
        if self.quantile is None:
            return np.average(target, axis=1, weights=weights)
        # With several quantiles, all rows of `target` are the same y.
        values = target if np.ndim(self.quantile) == 0 else target[0]
        # At a level of 0, NumPy may return a value whose weight is 0.
        levels = np.maximum(np.subtract(self.quantile, _ROUNDING), np.finfo(float).tiny)
        return np.quantile(
            values, levels, axis=-1, weights=weights, method="inverted_cdf"
        )

    def check_targets(self, targets):
        """Refuse targets for which the loss is not defined.

        Parameters
        ----------
        targets : ndarray of shape (n_rows, n_outputs)
            The numbers to predict.

        Raises
        ------
        ValueError
            If a target is outside of the domain of the loss.
        """

    def __call__(self, z, target, spare, row):
        """Compute the loss of each row and its gradient in the logits.

        Parameters
        ----------
        z : ndarray of shape (n_stack, n_outputs, n_rows)
            Logits. Overwritten by the derivative of the row's loss.

        target : ndarray of shape (n_outputs, n_rows) or (n_stack, n_outputs, n_rows)
            Targets, as the output writes them: for classes 1 if the row has the class
            of the output, else 0.

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

    The caller has subtracted the largest logit, so that no exponential overflows and
    at least one of them is 1.
    """
    np.exp(z, out=z)
    np.add.reduce(z, axis=1, keepdims=True, out=row)
    z /= row
    return np.log(row, out=row)


@_register("log_loss", "softmax")
class SoftmaxLogLoss(Loss):
    """Cross-entropy: log(sum_k exp(z_k)) - z_y, with gradient p - y."""

    # If the logit of y is the largest, the sum is 1 plus small terms.
    unit = 1.0

    def __call__(self, z, target, spare, row):
        np.maximum.reduce(z, axis=1, keepdims=True, out=row)
        z -= row
        np.multiply(z, target, out=spare)
        target_logit = np.add.reduce(spare, axis=1, keepdims=True)
        loss = _softmax_in_place(z, row)
        loss -= target_logit
        z -= target
        return loss


@_register("log_loss", "logistic")
class LogisticLogLoss(Loss):
    """Binary cross-entropy, summed over the outputs: softplus((1 - 2 y) z).

    softplus(x) = max(x, 0) + log1p(exp(-|x|)), in which no terms cancel. The gradient
    is p - y.
    """

    def __call__(self, z, target, spare, row):
        np.abs(z, out=spare)
        np.negative(spare, out=spare)
        np.exp(spare, out=spare)
        np.log1p(spare, out=spare)
        spare += np.maximum(z * (1 - 2 * target), 0)
        np.add.reduce(spare, axis=1, keepdims=True, out=row)
        _LOGISTIC.apply(z, z)
        z -= target
        return row


@_register("squared_error", "softmax")
class SoftmaxSquaredError(Loss):
    """Half the squared distance of the softmax p to the one-hot target y.

    With e = p - y the gradient is p * (e - sum_k p_k e_k).
    """

    def __call__(self, z, target, spare, row):
        np.maximum.reduce(z, axis=1, keepdims=True, out=row)
        z -= row
        _softmax_in_place(z, row)
        error = np.subtract(z, target, out=spare)
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

    def __call__(self, z, target, spare, row):
        _LOGISTIC.apply(z, z)
        error = np.subtract(z, target, out=spare)
        np.add.reduce(error * error, axis=1, keepdims=True, out=row)
        row *= 0.5
        error *= z
        np.subtract(1, z, out=z)
        z *= error
        return row


def _sum_outputs(losses, row):
    """Sum of the outputs' losses."""
    return np.add.reduce(losses, axis=1, keepdims=True, out=row)


@_register("squared_error", "identity")
class SquaredError(Loss):
    """Half the squared distance of the prediction z to the target y."""

    def __call__(self, z, target, spare, row):
        z -= target
        np.multiply(z, z, out=spare)
        _sum_outputs(spare, row)
        row *= 0.5
        return row


@_register("absolute_error", "identity")
class AbsoluteError(Loss):
    """|z - y|, with the gradient 0 where z is y."""

    has_kink = True
    quantile = 0.5
    starts_at_constant = True

    def __call__(self, z, target, spare, row):
        z -= target
        np.abs(z, out=spare)
        np.sign(z, out=z)
        return _sum_outputs(spare, row)


@_register("huber", "identity")
class Huber(Loss):
    """(z - y)^2 / 2 up to a distance of `huber_epsilon`, linear beyond it.

    References
    ----------
    Huber, P. J. (1964). "Robust estimation of a location parameter." Annals of
    Mathematical Statistics 35(1).
    """

    hyper_parameters = ("huber_epsilon",)
    starts_at_constant = True

    def __init__(self, huber_epsilon):
        self.huber_epsilon = huber_epsilon

    def best_constant(self, target, weights):
        return np.array([self._centre(y, weights) for y in target])

    def _centre(self, y, weights):
        """The number at which the derivative of the sum is 0.

        The derivative is linear between the numbers at which an error reaches the
        limit.
        """
        limit = self.huber_epsilon

        def slope(centre):
            return np.average(np.clip(centre - y, -limit, limit), weights=weights)

        edges = np.sort(np.concatenate([y - limit, y + limit]))
        above = bisect(edges, 0, 1, len(edges) - 1, key=slope)
        low, high = edges[above - 1], edges[above]
        rise = slope(high) - slope(low)
        return low if rise <= 0 else low - slope(low) * (high - low) / rise

    def __call__(self, z, target, spare, row):
        z -= target
        # If c is the error e clipped to the limit, the loss is c (e - c / 2) and the
        # gradient is c.
        np.copyto(spare, z)
        np.clip(z, -self.huber_epsilon, self.huber_epsilon, out=z)
        spare -= 0.5 * z
        spare *= z
        return _sum_outputs(spare, row)


@_register("quantile", "identity")
class Pinball(Loss):
    """q (y - p) if p is below the target y, else (1 - q) (p - y).

    References
    ----------
    Koenker, R. and Bassett, G. (1978). "Regression quantiles." Econometrica 46(1).
    """

    hyper_parameters = ("quantile",)
    has_kink = True
    starts_at_constant = True

    def __init__(self, quantile):
        self.quantile = quantile
        self._levels = np.reshape(quantile, (-1, 1))

    def __call__(self, z, target, spare, row):
        levels = self._levels.astype(z.dtype)
        z -= target
        np.greater(z, 0, out=spare)
        # The slope is 1 - q above the target and -q below it.
        spare -= levels
        np.multiply(z, spare, out=z)
        _sum_outputs(z, row)
        np.copyto(z, spare)
        return row


@_register("quantile", "increasing")
class IncreasingPinball(Pinball):
    """The pinball losses of several quantiles.

    Each quantile is the quantile below it plus a softplus.
    """

    def __call__(self, z, target, spare, row):
        slopes = expit(z[:, 1:])
        np.logaddexp(0, z[:, 1:], out=z[:, 1:])
        np.cumsum(z, axis=1, out=z)
        super().__call__(z, target, spare, row)
        # A step moves its own prediction and all predictions above it.
        z[:] = np.cumsum(z[:, ::-1], axis=1)[:, ::-1]
        z[:, 1:] *= slopes
        return row


@_register("poisson", "exp")
class Poisson(Loss):
    """Half the Poisson deviance: y log(y / p) - y + p for p = exp(z)."""

    def check_targets(self, targets):
        if targets.min() < 0:
            raise ValueError(
                f"loss='poisson' requires non-negative y, got a minimum of "
                f"{targets.min():g}."
            )

    def __call__(self, z, target, spare, row):
        np.multiply(z, target, out=spare)
        np.exp(z, out=z)
        np.subtract(z, spare, out=spare)
        spare += xlogy(target, target) - target
        _sum_outputs(spare, row)
        z -= target
        return row


@_register("gamma", "exp")
class Gamma(Loss):
    """Half the Gamma deviance: y / p - log(y / p) - 1 for p = exp(z)."""

    starts_at_constant = True

    def check_targets(self, targets):
        if targets.min() <= 0:
            raise ValueError(
                f"loss='gamma' requires strictly positive y, got a minimum of "
                f"{targets.min():g}."
            )

    def __call__(self, z, target, spare, row):
        # y / p as exp(log y - z): y times exp(-z) may be 0 times inf.
        np.subtract(np.log(target), z, out=z)
        np.exp(z, out=spare)
        spare -= z
        spare -= 1
        _sum_outputs(spare, row)
        np.expm1(z, out=z)
        np.negative(z, out=z)
        return row
