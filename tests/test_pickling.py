"""Files of fitted classifiers: what is in them, and that they go on from there."""

import copy
import pickle
import pickletools
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedRandomizedSearchCV,
    TabularEncoder,
    TabularMLPClassifier,
    __version__,
    check_gradient,
)
from skmlp_backprop.callbacks import EarlyStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FITS = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd", "learning_rate": "adaptive"},
    "lbfgs": {"solver": "lbfgs"},
    "input activation": {"input_activation": "tanh", "activation": ["relu", "silu"]},
    "early stopping": {"early_stopping": True, "dropout": 0.1},
    "one-vs-all": {"output_activation": "logistic", "loss": "squared_error"},
}


def make(**params):
    return BackpropMLPClassifier(
        (6, 5), max_iter=4, warm_start=True, random_state=0, **params
    )


def globals_in(pickled):
    """Names of the classes and functions that a pickle asks for."""
    strings, found = [], set()
    for opcode, value, _ in pickletools.genops(pickled):
        if opcode.name == "STACK_GLOBAL":
            found.add(".".join(strings[-2:]))
        elif isinstance(value, str):
            strings.append(value)
    return found


@pytest.mark.parametrize("params", FITS.values(), ids=FITS)
def test_a_pickle_has_no_private_types(params, iris):
    pickled = pickle.dumps(make(**params).fit(*iris))
    ours = {name for name in globals_in(pickled) if name.startswith("skmlp_backprop")}
    assert ours == {"skmlp_backprop._estimators.classifier.BackpropMLPClassifier"}


@pytest.mark.parametrize("params", FITS.values(), ids=FITS)
def test_a_loaded_model_is_the_same_and_goes_on_identically(params, iris):
    X, y = iris
    mlp = make(**params).fit(X, y)
    loaded = pickle.loads(pickle.dumps(mlp))
    assert set(vars(loaded)) == set(vars(mlp))
    np.testing.assert_array_equal(loaded.predict_proba(X), mlp.predict_proba(X))
    for name in ("loss_curve_", "n_fun_curve_", "time_curve_", "validation_scores_"):
        assert getattr(loaded, name) == getattr(mlp, name)
        assert type(getattr(loaded, name)) is type(getattr(mlp, name))
    assert check_gradient(loaded, X[:20], y[:20]).passed
    for model in (mlp, loaded):
        if params.get("solver") == "lbfgs" or params.get("early_stopping"):
            model.fit(X, y)
        else:
            model.partial_fit(X, y).partial_fit(X, y)
    for a, b in zip(mlp.coefs_, loaded.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded.loss_curve_ == mlp.loss_curve_
    assert loaded.n_fun_curve_ == mlp.n_fun_curve_


def test_a_pickle_is_smaller_than_mlp_classifiers(iris):
    for solver in ("lbfgs", "sgd", "adam"):
        mlp = make(solver=solver, activation="tanh").fit(*iris)
        theirs = MLPClassifier((6, 5), solver=solver, max_iter=4).fit(*iris)
        assert len(pickle.dumps(mlp)) < len(pickle.dumps(theirs))


@pytest.mark.parametrize("model", ["network", "table", "encoder"])
def test_models_of_other_versions(model, iris):
    X, y = iris
    model = {
        "network": make(),
        "table": TabularMLPClassifier(n_members=1, max_iter=1),
        "encoder": TabularEncoder(),
    }[model].fit(X, y)
    version = __version__.encode()
    saved = pickle.dumps(model)
    assert version in saved
    major, minor, _ = __version__.split(".")
    patched = pickle.loads(saved.replace(version, f"{major}.{minor}.9".encode()))
    assert "version" not in "".join(vars(patched))
    with pytest.warns(
        InconsistentVersionWarning,
        match=f"of skmlp_backprop from version 9.{minor}.0 when using .* {__version__}",
    ) as caught:
        pickle.loads(saved.replace(version, f"9.{minor}.0".encode()))
    # The parts of a tabular model warn, too.
    names = {warning.message.estimator_name for warning in caught}
    assert f"{type(model).__name__} of skmlp_backprop" in names
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.callbacks
def test_validation_data_stay_out_of_a_models_pickle(iris, tmp_path):
    X, y = iris
    X_val, y_val = np.repeat(X, 100, axis=0), np.repeat(y, 100)
    stopping = EarlyStopping(X_val, y_val, patience=2)
    mlp = make().set_callbacks(stopping).fit(X, y)
    assert len(pickle.dumps(mlp)) < 0.1 * X_val.nbytes
    joblib.dump(mlp, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), mlp.predict(X))
    with pytest.raises(ValueError, match="EarlyStopping has no rows"):
        loaded.fit(X, y)
    assert loaded.set_callbacks(EarlyStopping(X_val, y_val)).fit(X, y).score(X, y) > 0
    # The callback itself has kept them: what is to be fitted needs them.
    assert stopping.X_val is X_val
    unfitted = pickle.loads(pickle.dumps(clone(mlp)))
    assert len(unfitted.fit(X, y).loss_curve_) > 0


@pytest.mark.callbacks
@pytest.mark.parametrize("search", [StackedGridSearchCV, GridSearchCV])
def test_early_stopping_in_a_searchs_workers(search, iris):
    """What is pickled for a worker process is not fitted: it has its data."""
    mlp = make().set_callbacks(EarlyStopping(*iris, patience=2))
    found = search(mlp, {"alpha": [0.1, 1]}, cv=2, n_jobs=2).fit(*iris)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def test_skops_has_one_type_to_trust(iris):
    import skops.io as io

    mlp = make().fit(*iris)
    data = io.dumps(mlp)
    trusted = ["skmlp_backprop._estimators.classifier.BackpropMLPClassifier"]
    assert io.get_untrusted_types(data=data) == trusted
    loaded = io.loads(data, trusted=trusted)
    np.testing.assert_array_equal(loaded.predict(iris[0]), mlp.predict(iris[0]))
    theirs = MLPClassifier((6, 5), solver="adam", max_iter=4).fit(*iris)
    assert len(data) < len(io.dumps(theirs))


REGRESSOR = BackpropMLPRegressor(hidden_layer_sizes=5, max_iter=4, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        REGRESSOR,
        StackedGridSearchCV(REGRESSOR, {"alpha": [0.1, 1]}, cv=2),
        StackedRandomizedSearchCV(make(), {"alpha": [0.1, 1]}, n_iter=2, cv=2),
        pytest.param("with callbacks", marks=pytest.mark.callbacks),
    ],
    ids=str,
)
def test_the_guide_names_the_types_to_trust(model, iris):
    import skops.io as io

    if model == "with callbacks":
        stopping = EarlyStopping(np.eye(4), [0, 1, 2, 2], patience=2)
        model = make().set_callbacks(stopping)
    guide = Path(__file__).parent.parent / "doc" / "guide" / "tools.rst"
    found = io.get_untrusted_types(data=io.dumps(model.fit(*iris)))
    ours = [name for name in found if name.startswith("skmlp_backprop")]
    assert ours
    assert all(name in guide.read_text() for name in ours)


@pytest.mark.callbacks
def test_copies_keep_the_validation_data(iris):
    stopping = EarlyStopping(*iris, patience=2)
    mlp = BackpropMLPClassifier(5, max_iter=3, random_state=0)
    mlp.set_callbacks(stopping).fit(*iris)
    for duplicate in (copy.copy(mlp), copy.deepcopy(mlp)):
        duplicate.fit(*iris)
        np.testing.assert_array_equal(duplicate.coefs_[0], mlp.coefs_[0])


def test_a_pickle_of_another_minor_version_is_said():
    mlp = BackpropMLPClassifier.from_weights([[[1.0]]], [[0.0]], [0, 1])
    state = mlp.__getstate__()
    major, minor = state["skmlp_backprop_version"].split(".")[:2]
    state["skmlp_backprop_version"] = f"{major}.{int(minor) + 1}.0"
    with pytest.warns(InconsistentVersionWarning):
        BackpropMLPClassifier().__setstate__(state)
