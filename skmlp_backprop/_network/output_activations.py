"""Output activations: from logits to probabilities, for prediction.

Training never calls these: each loss fuses its output activation with itself
(see ``losses``), which keeps both stable at any logit.
"""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax


def _positive(proba):
    """Keep probabilities above 0, which an exponential never is, by underflow too."""
    return np.maximum(proba, np.finfo(proba.dtype).tiny, out=proba)


def make_output(output_activation, n_outputs, multilabel):
    """The output activation that prediction takes.

    Parameters
    ----------
    output_activation : {"softmax", "logistic"}
        Its name.

    n_outputs : int
        Number of outputs.

    multilabel : bool
        Whether each row may have any number of the classes.

    Returns
    -------
    output : SoftmaxOutput, LogisticOutput or OneVsAllOutput
        The activation.
    """
    if output_activation == "softmax":
        return SoftmaxOutput()
    if n_outputs == 1 or multilabel:
        return LogisticOutput()
    return OneVsAllOutput()


class SoftmaxOutput:
    """Softmax over the outputs: p_k = exp(z_k) / sum_j exp(z_j)."""

    name = "softmax"

    def scores(self, logits):
        """What the most probable class has most of."""
        return self.proba(logits)

    def proba(self, logits):
        """Class probabilities of logits of shape (n_samples, n_outputs)."""
        return _positive(softmax(logits, axis=1))

    def log_proba(self, logits):
        """Logarithm of :meth:`proba`, finite wherever the logits are."""
        return log_softmax(logits, axis=1)


class LogisticOutput:
    """An independent sigmoid per output."""

    name = "logistic"

    def scores(self, logits):
        """What is positive where an output is more probable than not."""
        return logits

    def proba(self, logits):
        """Probability of each output of logits (n_samples, n_outputs).

        Strictly between 0 and 1, as the sigmoid is: where it would round to one of
        these, the number next to it stands instead.
        """
        proba = expit(logits)
        limits = np.finfo(proba.dtype)
        return np.clip(proba, limits.tiny, 1 - limits.epsneg, out=proba)

    def log_proba(self, logits):
        """Logarithm of :meth:`proba`, finite wherever the logits are."""
        return log_expit(logits)


class OneVsAllOutput:
    """A sigmoid per class, normalised over the classes to sum to 1.

    Normalising the logarithms keeps rows apart in which every sigmoid
    underflows.
    """

    name = "logistic"

    def scores(self, logits):
        """What the most probable class has most of.

        Not the logits: where several sigmoids round to 1 their classes are equally
        probable, whatever their logits are.
        """
        return self.proba(logits)

    def proba(self, logits):
        """Class probabilities of logits of shape (n_samples, n_classes)."""
        return _positive(softmax(log_expit(logits), axis=1))

    def log_proba(self, logits):
        """Logarithm of :meth:`proba`, finite wherever the logits are."""
        return log_softmax(log_expit(logits), axis=1)
