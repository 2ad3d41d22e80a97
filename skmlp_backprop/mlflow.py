"""mlflow's autologging, for scikit-learn's estimators and ours."""

from sklearn import utils

import skmlp_backprop

__all__ = ["autolog"]


def autolog(**options):
    """Turn mlflow's autologging on, for scikit-learn's estimators and ours.

    ``mlflow.sklearn.autolog`` logs the estimators that
    :func:`sklearn.utils.all_estimators` lists. This function calls it with our
    estimators in the list. Then our networks log the same as MLPClassifier and
    MLPRegressor (parameters, scores on the training rows, the model), and a stacked
    search logs the same as GridSearchCV (also the best parameters and score,
    `cv_results_` and a run for each of the best candidates).

    Parameters
    ----------
    **options
        Options of ``mlflow.sklearn.autolog``, such as ``log_models=False`` or
        ``disable=True``.

    Raises
    ------
    ImportError
        If mlflow is not installed.

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
            "autolog requires mlflow. You can install it with `pip install mlflow`."
        ) from error
    estimators = [getattr(skmlp_backprop, name) for name in skmlp_backprop.__all__]
    ours = [(e.__name__, e) for e in estimators if hasattr(e, "predict")]
    all_estimators = utils.all_estimators
    # mlflow has no list of its own to add to, but promises to read this one.
    utils.all_estimators = lambda *args, **kwargs: [*all_estimators(), *ours]
    try:
        mlflow.sklearn.autolog(**options)
    finally:
        utils.all_estimators = all_estimators
