"""mlflow's autologging, for our estimators as for scikit-learn's."""

from unittest import mock

from sklearn import utils

from ._estimators.classifier import BackpropMLPClassifier
from ._estimators.regressor import BackpropMLPRegressor
from ._search.searches import StackedGridSearchCV, StackedRandomizedSearchCV

__all__ = ["autolog"]

_OURS = (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedRandomizedSearchCV,
)


def autolog(**options):
    """Turn mlflow's autologging on, for scikit-learn's estimators and ours.

    ``mlflow.sklearn.autolog`` knows the estimators that
    :func:`sklearn.utils.all_estimators` lists: of ours it logs nothing but Pipelines
    around them, and of a stacked search over a Pipeline only runs from inside it. This
    calls it with ours in the list. Then a fit of one of ours logs what one of
    MLPClassifier or MLPRegressor does (parameters, scores on the training rows, the
    model), and a stacked search what GridSearchCV does (also the best parameters and
    score, `cv_results_` and a run for each of the best candidates).

    Parameters
    ----------
    **options
        Those of ``mlflow.sklearn.autolog``, such as ``log_models=False`` or
        ``disable=True``.

    Raises
    ------
    ImportError
        If there is no mlflow; names the extra that brings it.

    Examples
    --------
    >>> from skmlp_backprop.mlflow import autolog
    >>> autolog(log_models=False)  # doctest: +SKIP
    >>> search.fit(X, y)  # doctest: +SKIP
    """
    try:
        import mlflow.sklearn
    except ImportError as error:
        raise ImportError(
            "autolog requires mlflow. You can install it with "
            '`pip install "skmlp-backprop[mlflow]"`.'
        ) from error
    ours = [(estimator.__name__, estimator) for estimator in _OURS]
    listed = [*utils.all_estimators(), *ours]
    # mlflow has no list of its own to add to, but promises to read this one.
    with mock.patch.object(utils, "all_estimators", return_value=listed):
        mlflow.sklearn.autolog(**options)
