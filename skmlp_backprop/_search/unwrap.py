"""Access to the estimator inside Pipelines and searches."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def final_estimator(estimator):
    """Return the last step of nested Pipelines and of searches' best estimators.

    Raises
    ------
    NotFittedError
        If a search is not fitted.
    ValueError
        If a search was fitted with ``refit=False``.
    """
    if isinstance(estimator, Pipeline):
        return final_estimator(estimator[-1])
    if isinstance(estimator, FrozenEstimator):
        return final_estimator(estimator.estimator)
    if not _is_search(estimator):
        return estimator
    check_is_fitted(estimator)
    if not estimator.refit:
        raise ValueError(
            f"The {type(estimator).__name__} has no best estimator, as it was made "
            "with refit=False; fit it with refit=True, or give a fitted estimator."
        )
    return final_estimator(estimator.best_estimator_)


def final_network(estimator, *, ensembles=False):
    """Return the network, fitted or not, inside an estimator.

    Parameters
    ----------
    estimator : estimator
        A network, or a Pipeline, a search or another meta-estimator of a network.

    ensembles : bool, default=False
        Whether to accept a TabularMLPClassifier or TabularMLPRegressor, whose networks
        are trained together.

    Raises
    ------
    NotFittedError
        If a search, a CalibratedClassifierCV or a TransformedTargetRegressor is not
        fitted.
    TypeError
        If the estimator has no network, or several.
    """
    last = final_estimator(estimator)
    if isinstance(last, CalibratedClassifierCV):
        check_is_fitted(last)
        first, *others = last.calibrated_classifiers_
        if others:
            raise TypeError(
                f"A CalibratedClassifierCV of {len(others) + 1} folds has as many "
                "networks; give one, such as calibrated_classifiers_[0].estimator."
            )
        return final_network(first.estimator, ensembles=ensembles)
    if isinstance(last, TransformedTargetRegressor):
        check_is_fitted(last)
        return final_network(last.regressor_, ensembles=ensembles)
    if hasattr(last, "n_members"):
        if ensembles:
            return last
        raise TypeError(
            f"estimator is a {type(last).__name__}. Its networks take encoded columns, "
            "so the weights of a unit do not belong to columns, or pixels. Pass a "
            "network that takes numbers as they are, such as a BackpropMLPClassifier."
        )
    if not hasattr(last, "hidden_layer_sizes"):
        tabular = "TabularMLPClassifier, TabularMLPRegressor, " if ensembles else ""
        raise TypeError(
            f"estimator must be a {tabular}BackpropMLPClassifier, "
            "BackpropMLPRegressor, MLPClassifier or MLPRegressor, or a Pipeline "
            f"or search that ends in one, got {_name(last)}. Pass the network within "
            "it, or a member of an ensemble."
        )
    return last


def final_search(estimator):
    """Return the fitted search that an estimator is, or that a Pipeline ends in.

    Raises
    ------
    NotFittedError
        If the search is not fitted.
    TypeError
        If the estimator has no search.
    """
    if isinstance(estimator, Pipeline):
        return final_search(estimator[-1])
    if not _is_search(estimator):
        raise TypeError(
            "search must be a search such as StackedGridSearchCV, or a Pipeline that "
            f"ends in one, got {_name(estimator)}."
        )
    check_is_fitted(estimator)
    return estimator


def _is_search(estimator):
    # All searches have this parameter, and no other estimator with folds has it.
    return hasattr(estimator, "error_score")


def _name(step):
    """Name of a Pipeline's last step, which may be "passthrough", for messages."""
    return step if isinstance(step, str) else type(step).__name__
