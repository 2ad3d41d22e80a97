"""Pipelines whose last steps are networks or tabular models, which are fitted together.

A TransformedTargetRegressor counts as a Pipeline whose last step is its regressor.
"""

from dataclasses import dataclass

from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline


def last_step(estimator):
    """Find the last step of nested Pipelines and TransformedTargetRegressors.

    Parameters
    ----------
    estimator : estimator
        Any estimator. The Pipelines of imbalanced-learn count as Pipelines.

    Returns
    -------
    path : str
        Name of the last step, in the notation of `set_params`. Empty if `estimator` is
        neither a Pipeline nor a TransformedTargetRegressor.

    last : estimator
        The last step, or `estimator` itself.

    outer : list of estimator
        The Pipelines and TransformedTargetRegressors around it, from outside to inside.
    """
    names, outer = [], []
    while True:
        if isinstance(estimator, Pipeline) and estimator.steps:
            name, inner = estimator.steps[-1]
        elif isinstance(estimator, TransformedTargetRegressor) and (
            estimator.regressor is not None
        ):
            name, inner = "regressor", estimator.regressor
        else:
            return "__".join(names), estimator, outer
        names.append(name)
        outer.append(estimator)
        estimator = inner


@dataclass
class Preparation:
    """The training data of a fold, after the transformers that its candidates share.

    Parameters
    ----------
    pipeline : Pipeline, TransformedTargetRegressor or None
        The fitted transformers, with a placeholder as the last step. None without
        transformers.

    data : TrainingData or EncodedTable
        The training data of the last steps.

    features : dict or None
        Number and names of the features, the attributes of a fitted network. None for
        an EncodedTable.
    """

    pipeline: BaseEstimator | None
    data: object
    features: dict | None


def prepare(estimator, prepare_rows, X, y, fit_params):
    """Fit the transformers, and make the training data of the last steps.

    Parameters
    ----------
    estimator : estimator
        A candidate; the others differ from it only in their last steps.

    prepare_rows : callable
        Given the last step, X, y and `fit_params`, returns the data and the features
        of all last steps.

    X, y : array-like
        The training rows.

    fit_params : dict of str to object
        Further arguments of `fit`.

    Returns
    -------
    preparation : Preparation
        The training data.
    """
    path, last, _ = last_step(estimator)
    if not path:
        return Preparation(None, *prepare_rows(last, X, y, **fit_params))
    step = _Placeholder(last, prepare_rows)
    pipeline = clone(estimator).set_params(**{path: step})
    pipeline.fit(X, y, **fit_params)
    # The pipeline is kept, and its placeholder must not hold the data any longer.
    preparation = Preparation(pipeline, *vars(step).pop("prepared_"))
    step.model = None
    return preparation


def share_transformers(estimator, fitted):
    """Replace the transformers of an estimator by fitted transformers.

    Parameters
    ----------
    estimator : Pipeline or TransformedTargetRegressor
        The estimator, whose last step is fitted. It is changed in place.

    fitted : Pipeline or TransformedTargetRegressor
        A fitted estimator with the same transformers and another last step.
    """
    if isinstance(estimator, Pipeline):
        last = estimator.steps[-1]
        share_transformers(last[1], fitted.steps[-1][1])
        estimator.steps = [*fitted.steps[:-1], last]
    elif isinstance(estimator, TransformedTargetRegressor):
        model = estimator.regressor
        share_transformers(model, fitted.regressor_)
        vars(estimator).update(
            {**vars(fitted), "regressor": clone(model), "regressor_": model}
        )
        if hasattr(model, "feature_names_in_"):
            estimator.feature_names_in_ = model.feature_names_in_


class _Placeholder(BaseEstimator):
    """The last step of a Pipeline, in the place of the last steps of all candidates."""

    def __init__(self, model, prepare_rows):
        self.model = model
        self.prepare_rows = prepare_rows

    def fit(self, X, y=None, **params):
        """Make the training data of the transformed rows."""
        self.prepared_ = self.prepare_rows(self.model, X, y, **params)
        return self

    def predict(self, X):
        """Raise NotImplementedError; TransformedTargetRegressor needs the method."""
        raise NotImplementedError

    def __sklearn_clone__(self):
        # A TransformedTargetRegressor fits a clone, but `prepared_` is read from self.
        return self

    def get_metadata_routing(self):
        """Return the metadata requests, which all candidates share."""
        return self.model.get_metadata_routing()
