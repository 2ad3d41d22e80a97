"""Inside scikit-learn's tools, on real data."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_model(**params):
    mlp = BackpropMLPClassifier(
        20, learning_rate_init=0.01, max_iter=30, random_state=0
    )
    return make_pipeline(StandardScaler(), mlp.set_params(**params))


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return train_test_split(X, y, stratify=y, random_state=0)


def test_pipeline_and_cross_val_score():
    scores = cross_val_score(make_model(), *load_digits(return_X_y=True), cv=5)
    assert scores.mean() > 0.9


def test_grid_search(cancer):
    X_train, X_test, y_train, y_test = cancer
    grid = {
        "backpropmlpclassifier__alpha": [0.01, 1.0],
        "backpropmlpclassifier__learning_rate_init": [1e-6, 0.01],
    }
    search = GridSearchCV(make_model(), grid, cv=3, n_jobs=2).fit(X_train, y_train)
    assert search.best_params_["backpropmlpclassifier__learning_rate_init"] == 0.01
    assert search.score(X_test, y_test) > 0.95


def test_clone_drops_what_was_learned(cancer):
    mlp = make_model().fit(cancer[0], cancer[2])[-1]
    copy = clone(mlp)
    assert copy.get_params() == mlp.get_params()
    assert not hasattr(copy, "coefs_")
    assert "random_state=0" in repr(copy)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("how", ["pickle", "joblib"])
def test_saved_and_reloaded(how, solver, cancer, tmp_path):
    model = make_model(solver=solver).fit(cancer[0], cancer[2])
    if how == "pickle":
        again = pickle.loads(pickle.dumps(model))
    else:
        joblib.dump(model, tmp_path / "model.joblib")
        again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        again.predict_proba(cancer[1]), model.predict_proba(cancer[1])
    )
    assert again[-1].loss_curve_ == model[-1].loss_curve_


def test_calibration(cancer):
    X_train, X_test, y_train, y_test = cancer
    raw = make_model(alpha=0, solver="lbfgs", max_iter=200).fit(X_train, y_train)
    calibrated = CalibratedClassifierCV(clone(raw), cv=5).fit(X_train, y_train)
    assert brier_score_loss(y_test, calibrated.predict_proba(X_test)[:, 1]) < 0.05


def test_bagging(cancer):
    X_train, X_test, y_train, y_test = cancer
    bag = BaggingClassifier(make_model(), n_estimators=3, random_state=0)
    bag.fit(X_train, y_train)
    assert bag.score(X_test, y_test) > 0.93
    first, second = (member[-1].coefs_[0] for member in bag.estimators_[:2])
    assert np.abs(first - second).max() > 0.01


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_voting(voting):
    X, y = load_wine(return_X_y=True)
    members = [
        ("mlp", make_model()),
        ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
    ]
    votes = VotingClassifier(members, voting=voting)
    assert cross_val_score(votes, X, y, cv=5).mean() > 0.95


def test_decision_function_agrees_with_predictions():
    X, y = load_wine(return_X_y=True)
    decision = cross_val_predict(make_model(), X, y, method="decision_function")
    assert decision.shape == (178, 3)
    assert (decision.argmax(axis=1) == y).mean() > 0.9
