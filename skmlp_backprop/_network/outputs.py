"""The kinds of outputs of a network, one class each.

An output encodes the targets of rows in the form that the losses take, and converts
logits to predictions. The training needs no predictions: each loss includes the
activation of its output (see ``losses``), which keeps both stable at any logit.

To add an output, write its class, and a loss that is registered under its name.
"""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logit, softmax

# Replaces the difference of two equal quantiles, as a fraction of their size.
_MIN_STEP = 1e-6
# Smallest probability of a class without rows; the logit of 0 is infinite.
_MIN_PROBA = 1e-12


class Output:
    """Base class of the outputs.

    Parameters
    ----------
    n_outputs : int
        Number of the network's outputs.

    Attributes
    ----------
    name : str
        The activation's name, ``out_activation_``.
    """

    name = None

    def __init__(self, n_outputs):
        self.n_outputs = n_outputs

    def encoded_targets(self, targets, dtype):
        """The targets of rows as a loss takes them, in a new array.

        Parameters
        ----------
        targets : ndarray of shape (n_rows,) or (n_rows, n_columns)
            The targets. If each network of a stack has its own rows, the first axis is
            the network.

        dtype : dtype
            Precision of the loss.

        Returns
        -------
        encoded : ndarray of shape (n_outputs, n_rows)
            The first axis is the network if it is in `targets`.
        """
        columns = targets.swapaxes(-1, -2)
        shape = *columns.shape[:-2], self.n_outputs, columns.shape[-1]
        # Several quantiles are of the same numbers.
        return np.array(np.broadcast_to(columns, shape), dtype, order="C")

    def activate(self, logits):
        """Compute the activations of the outputs; several sigmoids stay unnormalised.

        Parameters
        ----------
        logits : ndarray of shape (n_rows, n_outputs)
            The logits of the network.

        Returns
        -------
        activations : ndarray of shape (n_rows, n_outputs)
            A new array.
        """
        raise NotImplementedError

    def values(self, logits):
        """Probabilities or numbers, whose mean over networks is a prediction, too.

        Returns
        -------
        values : ndarray of shape (n_rows, n_classes) or (n_rows, n_outputs)
            Probabilities of the classes, or the predicted numbers.
        """
        raise NotImplementedError

    def loss_of_values(self, values, targets, weights, loss):
        """Mean loss of :meth:`values`, or of their mean over networks.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_classes) or (n_rows, n_outputs)
            Probabilities or numbers.

        targets, weights : ndarray
            As of :class:`.rows.Rows`; None for weights of 1.

        loss : Loss
            The loss of the network. That of probabilities is always the log loss.
        """
        raise NotImplementedError

    def logits_of(self, predictions):
        """The logits of a row that give these predictions.

        Parameters
        ----------
        predictions : ndarray of shape (n_outputs,)
            The activation of each output: probabilities or numbers.

        Returns
        -------
        logits : ndarray of shape (n_outputs,)
            The logits.
        """
        raise NotImplementedError


# Outputs for classes. Targets are codes from 0, or the indicators of labels.


class ClassOutput(Output):
    """Base class of the outputs for classes.

    Targets are written as 1 where a row has the output's class, else 0.

    Parameters
    ----------
    n_outputs : int
        Number of the network's outputs.
    """

    # The class whose code is 0 has the first output.
    first_code = 0

    def __init__(self, n_outputs):
        super().__init__(n_outputs)
        self._codes = np.arange(n_outputs)[:, np.newaxis] + self.first_code

    def encoded_targets(self, targets, dtype):
        return (targets[..., np.newaxis, :] == self._codes).astype(dtype)

    def loss_of_values(self, values, targets, weights, loss):
        """Mean log loss of probabilities; summed over the labels of a row."""
        if targets.ndim == 2:
            likelihoods = np.where(targets, values, 1 - values)
        else:
            likelihoods = values[np.arange(len(targets)), targets, np.newaxis]
        # A likelihood that was rounded to 0 has a finite loss.
        eps = np.finfo(values.dtype).eps
        losses = -np.log(np.maximum(likelihoods, eps)).sum(axis=1)
        return float(np.average(losses, weights=weights))

    def activate(self, logits):
        return expit(logits)

    def logits_of(self, predictions):
        return logit(np.clip(predictions, _MIN_PROBA, 1 - _MIN_PROBA))

    def log_proba(self, logits):
        """Logarithm of :meth:`values`, finite wherever the logits are."""
        raise NotImplementedError

    def decision(self, logits):
        """Confidence scores of each class; with two classes of the positive class.

        By default these are the logits.
        """
        return logits

    def codes(self, logits):
        """Codes of the most probable classes, or indicators."""
        return self.values(logits).argmax(axis=1)


class SoftmaxOutput(ClassOutput):
    """Softmax over the outputs: p_k = exp(z_k) / sum_j exp(z_j).

    The only output of a single class has probability 1.
    """

    name = "softmax"

    def activate(self, logits):
        return softmax(logits, axis=1)

    def logits_of(self, predictions):
        return np.log(np.maximum(predictions, _MIN_PROBA))

    def values(self, logits):
        # As SciPy's softmax, in a single array.
        proba = logits - logits.max(axis=1, keepdims=True)
        np.exp(proba, out=proba)
        proba /= proba.sum(axis=1, keepdims=True)
        return positive(proba)

    def log_proba(self, logits):
        return log_softmax(logits, axis=1)

    def decision(self, logits):
        """Log-probabilities; for two classes the logit of the second, for one class 0.

        The logits are defined only up to a shift of each row, so they can't be compared
        from row to row.
        """
        if self.n_outputs == 1:
            return np.zeros_like(logits[:, 0])
        if self.n_outputs == 2:
            return logits[:, 1] - logits[:, 0]
        return self.log_proba(logits)


class BinaryOutput(ClassOutput):
    """A sigmoid: the probability of the positive class, the second of two."""

    name = "logistic"
    first_code = 1

    def values(self, logits):
        return np.hstack([_sigmoid(-logits), _sigmoid(logits)])

    def log_proba(self, logits):
        return np.hstack([log_expit(-logits), log_expit(logits)])

    def decision(self, logits):
        return logits[:, 0]

    def codes(self, logits):
        # Not by the sign: with a tiny logit, both classes are equally probable.
        return (expit(logits) > expit(-logits))[:, 0].astype(np.intp)


class OneVsAllOutput(ClassOutput):
    """A sigmoid for each class, normalised over the classes to sum to 1.

    The logarithms are normalised, since every sigmoid of a row may underflow. If
    several sigmoids round to 1, their classes are equally probable for any logits.
    """

    name = "logistic"

    def values(self, logits):
        return positive(softmax(log_expit(logits), axis=1))

    def log_proba(self, logits):
        return log_softmax(log_expit(logits), axis=1)


class MultilabelOutput(ClassOutput):
    """A sigmoid for each label. A row may have any number of labels."""

    name = "logistic"
    encoded_targets = Output.encoded_targets

    def values(self, logits):
        return _sigmoid(logits)

    def log_proba(self, logits):
        return log_expit(logits)

    def codes(self, logits):
        return (logits > 0).astype(np.uint8)


def make_class_output(activation, n_classes, multilabel):
    """The output for classes with this activation.

    Two classes need one logistic output, or two under a softmax. A single class has a
    softmax of one output, which is 1.

    Parameters
    ----------
    activation : {"auto", "softmax", "logistic"}
        Name of the activation; "auto" is softmax for several classes, else logistic.

    n_classes : int
        Number of classes.

    multilabel : bool
        Whether each row may have any number of classes.

    Returns
    -------
    output : ClassOutput
        The output.

    Raises
    ------
    ValueError
        If the activation is softmax and the targets are multilabel.
    """
    if multilabel and activation == "softmax":
        raise ValueError(
            "output_activation='softmax' makes the classes exclude each other, but y "
            "is multilabel; use 'logistic' or 'auto'."
        )
    if multilabel:
        return MultilabelOutput(n_classes)
    if activation == "softmax" or n_classes == 1:
        return SoftmaxOutput(n_classes)
    if n_classes == 2:
        return BinaryOutput(1)
    kind = OneVsAllOutput if activation == "logistic" else SoftmaxOutput
    return kind(n_classes)


def positive(proba):
    """Keep probabilities above 0 if the exponentials underflow."""
    return np.maximum(proba, np.finfo(proba.dtype).tiny, out=proba)


def _sigmoid(logits):
    """The sigmoid, kept strictly between 0 and 1 despite rounding."""
    proba = expit(logits)
    limits = np.finfo(proba.dtype)
    return np.clip(proba, limits.tiny, 1 - limits.epsneg, out=proba)


# Outputs for numbers. Targets are the numbers.


class NumberOutput(Output):
    """Base class of the outputs that predict numbers."""

    def loss_of_values(self, values, targets, weights, loss):
        z = self.logits_of(values.T).astype(np.float64)[np.newaxis]
        row = np.empty((1, 1, len(targets)))
        losses = loss(z, targets.T, np.empty_like(z), row)
        return float(np.average(losses[0, 0], weights=weights))

    def activate(self, logits):
        return np.array(self.values(logits))


class IdentityOutput(NumberOutput):
    """The logits themselves."""

    name = "identity"

    def values(self, logits):
        return logits

    def logits_of(self, predictions):
        return predictions


class ExponentialOutput(NumberOutput):
    """exp(z), for numbers that can't be negative."""

    name = "exp"

    def values(self, logits):
        with np.errstate(over="ignore"):
            return np.exp(logits)

    def logits_of(self, predictions):
        return np.log(np.maximum(predictions, np.finfo(np.float64).tiny))


class IncreasingOutput(NumberOutput):
    """Increasing numbers: z_0, and each next number is larger by softplus(z_k)."""

    name = "increasing"

    def values(self, logits):
        steps = logits.copy()
        np.logaddexp(0, steps[:, 1:], out=steps[:, 1:])
        return np.cumsum(steps, axis=1, out=steps)

    def logits_of(self, predictions):
        steps = np.diff(predictions, axis=0)
        size = max(np.abs(predictions).max(), np.finfo(np.float64).tiny)
        np.maximum(steps, _MIN_STEP * size, out=steps)
        # The inverse of the softplus, without overflow.
        inverse = steps + np.log(-np.expm1(-steps))
        return np.concatenate([predictions[:1], inverse])


NUMBER_OUTPUTS = {
    cls.name: cls for cls in (IdentityOutput, ExponentialOutput, IncreasingOutput)
}
