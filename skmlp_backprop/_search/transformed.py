"""Rows that candidates' common transformers transform once, not for each of them."""

from contextlib import suppress
from copy import copy

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from .sklearn_private import _BaseScorer, _MultimetricScorer, _PassthroughScorer


class TransformedOnce(TransformerMixin, BaseEstimator):
    """Stands for the fitted transformers that Pipelines share.

    Parameters
    ----------
    pipeline : Pipeline
        One of them, fitted.
    """

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self._known = []

    def then(self, foresee):
        """What transforms rows, remembers that, and passes it on to `foresee`."""

        def transform_first(X):
            # What is wrong with the rows each Pipeline tells by itself.
            with suppress(Exception):
                transformed = self.transform(X)
                self._known.append((X, transformed))
                foresee(transformed)

        return transform_first

    def transform(self, X):
        """What is known of the very object X, or what the transformers make of it."""
        for known, transformed in self._known:
            if X is known:
                return transformed
        return self.pipeline[:-1].transform(X)

    def before_the_last_step_of(self, pipeline):
        """A Pipeline with the last step of the given one, and this before it."""
        stand_in = copy(pipeline)
        stand_in.steps = [("transformed", self), pipeline.steps[-1]]
        return stand_in


def can_stand_in(pipeline, scorer):
    """Whether scores are the same of a Pipeline with another transformer in front.

    They are by scikit-learn's scorers, which know of predictions alone. One of a user's
    own may look at the transformers.
    """
    is_multiple = isinstance(scorer, _MultimetricScorer)
    scorers = scorer._scorers.values() if is_multiple else [scorer]
    return (
        type(pipeline) is Pipeline
        and len(pipeline.steps) > 1
        and not isinstance(pipeline.steps[-1][1], Pipeline)
        and all(isinstance(s, _BaseScorer | _PassthroughScorer) for s in scorers)
    )
