"""The classifier within a Pipeline or a search."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def final_classifier(estimator):
    """The last step of a Pipeline, of a search's best estimator, or the estimator."""
    if hasattr(estimator, "estimator") and hasattr(estimator, "cv"):
        check_is_fitted(estimator)
        estimator = estimator.best_estimator_
    if isinstance(estimator, Pipeline):
        return estimator[-1]
    return estimator
