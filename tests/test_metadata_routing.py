"""sample_weight requests through scikit-learn's meta-estimators."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    TabularMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def requesting_mlp():
    mlp = BackpropMLPClassifier(5, solver="lbfgs", max_iter=10, random_state=0)
    return mlp.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)


def weighted_data(iris):
    X, y = iris
    # Weight zero hides the third class's rows of the first half.
    return X, y, np.where((y == 2) & (np.arange(150) % 2 == 0), 0.0, 1.0)


def test_pipeline(iris):
    X, y, weights = weighted_data(iris)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    model = make_pipeline(scaler, requesting_mlp()).fit(X, y, sample_weight=weights)
    alone = requesting_mlp().fit(scaler.fit_transform(X), y, sample_weight=weights)
    np.testing.assert_array_equal(model[-1].coefs_[0], alone.coefs_[0])


def test_grid_search(iris):
    X, y, weights = weighted_data(iris)
    search = GridSearchCV(requesting_mlp(), {"alpha": [0.1, 1]}, cv=3)
    search.fit(X, y, sample_weight=weights)
    alone = requesting_mlp().set_params(**search.best_params_)
    alone.fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(search.best_estimator_.coefs_[0], alone.coefs_[0])


def test_cross_validate(iris):
    X, y, weights = weighted_data(iris)
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    results = cross_validate(
        requesting_mlp(),
        X,
        y,
        cv=3,
        scoring=scorer,
        params={"sample_weight": weights},
        return_estimator=True,
        return_indices=True,
    )
    for i, mlp in enumerate(results["estimator"]):
        train, test = (results["indices"][part][i] for part in ("train", "test"))
        alone = requesting_mlp().fit(X[train], y[train], sample_weight=weights[train])
        np.testing.assert_array_equal(mlp.coefs_[0], alone.coefs_[0])
        assert results["test_score"][i] == alone.score(X[test], y[test], weights[test])


@pytest.mark.parametrize("search", [GridSearchCV, StackedGridSearchCV])
def test_search_over_a_regressor(search, iris):
    X, _, weights = weighted_data(iris)
    mlp = BackpropMLPRegressor(hidden_layer_sizes=5, max_iter=10, random_state=0)
    mlp.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = search(mlp, {"alpha": [0.1, 1]}, cv=3)
    search.fit(X[:, 1:], X[:, 0], sample_weight=weights)
    alone = clone(mlp).set_params(**search.best_params_)
    alone.fit(X[:, 1:], X[:, 0], sample_weight=weights)
    np.testing.assert_array_equal(search.best_estimator_.coefs_[0], alone.coefs_[0])
    assert search.score(X[:, 1:], X[:, 0], sample_weight=weights) == alone.score(
        X[:, 1:], X[:, 0], weights
    )


def test_partial_fit_request():
    mlp = BackpropMLPClassifier().set_partial_fit_request(
        sample_weight=True, classes=True
    )
    assert mlp.get_metadata_routing().partial_fit.requests == {
        "sample_weight": True,
        "classes": True,
    }


@pytest.mark.parametrize("search_class", [GridSearchCV, StackedGridSearchCV])
def test_groups_of_a_tabular_estimator(search_class, iris):
    """A search splits by the groups, and passes them to each fit."""
    X, y = iris
    groups = np.arange(150) % 10
    model = TabularMLPRegressor(2, 4, max_iter=2, random_state=0)
    search = search_class(
        model.set_fit_request(groups=True), {"dropout": [0.0]}, cv=GroupKFold(3)
    )
    search.fit(X, y, groups=groups)
    alone = clone(model).fit(X, y, groups=groups)
    np.testing.assert_array_equal(
        search.best_estimator_.oob_prediction_, alone.oob_prediction_
    )
    without = clone(model).fit(X, y)
    assert (search.best_estimator_.oob_prediction_ != without.oob_prediction_).any()


def test_groups_of_the_splits_alone(iris):
    """Without a request, they are no groups of the fits."""
    X, y = iris
    model = TabularMLPRegressor(2, 4, max_iter=2, random_state=0)
    groups = np.arange(150) % 10
    found = cross_validate(
        model, X, y, params={"groups": groups}, cv=GroupKFold(2), return_estimator=True
    )
    (train, _), _ = GroupKFold(2).split(X, y, groups)
    alone = clone(model).fit(X[train], y[train])
    np.testing.assert_array_equal(
        found["estimator"][0].oob_prediction_, alone.oob_prediction_
    )
