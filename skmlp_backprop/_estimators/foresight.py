"""Predictions by many fitted networks in one pass, which each of them finds done."""

from contextlib import contextmanager, suppress

from .._network.inference import compute_logits_of_stack
from .._network.parameters import Parameters


@contextmanager
def remembering(estimators):
    """For the length of a block, let networks know logits that are computed ahead.

    One pass for all of them validates and reads the rows once, in products of the size
    that the processor is fast at (benchmarks: tricks). Whoever then passes one of them
    the very object, however it is asked, is told what it knows.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        Fitted networks of one shape, fitted to the same features.

    Yields
    ------
    foresee : callable
        Given rows, computes the logits of all.
    """

    def foresee(X):
        # What is wrong with the rows each prediction tells by itself.
        with suppress(ValueError, TypeError):
            logits = _logits_of_all(estimators, X)
            for estimator, own in zip(estimators, logits, strict=True):
                estimator._known_logits.append((X, own))

    for estimator in estimators:
        estimator._known_logits = []
    try:
        yield foresee
    finally:
        for estimator in estimators:
            del estimator._known_logits


def _logits_of_all(estimators, X):
    lead = estimators[0]
    rows = lead._rows_to_predict(X)
    stack = Parameters.copied_to_stack([e._parameters() for e in estimators])
    return compute_logits_of_stack(lead._network, stack, rows)
