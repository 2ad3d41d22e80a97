"""To scikit-learn's MLPClassifier, back, and on to ONNX."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def data(kind, iris):
    X, y = iris
    if kind == "binary":
        return X[:100], np.array(["no", "yes"])[y[:100]]
    if kind == "multilabel":
        return X, np.c_[y == 0, y > 0, X[:, 1] > 0].astype(int)
    return X, y


def test_a_loss_that_was_changed_after_the_fit():
    X, y = np.arange(20.0).reshape(-1, 1), np.arange(20.0) + 1
    theirs = MLPRegressor(hidden_layer_sizes=3, max_iter=5).fit(X, y)
    theirs.loss = "poisson"
    with pytest.raises(ValueError, match="the output activation 'identity', but has"):
        BackpropMLPRegressor.from_sklearn(theirs)


def test_another_output_after_lbfgs_is_refused():
    """Of which scikit-learn has no loss curve."""
    X, y = np.arange(20.0).reshape(-1, 1) / 20, np.arange(20.0) + 1
    theirs = MLPRegressor(hidden_layer_sizes=3, solver="lbfgs", max_iter=50).fit(X, y)
    ours = BackpropMLPRegressor.from_sklearn(theirs)
    ours.set_params(loss="poisson", warm_start=True)
    with pytest.raises(ValueError, match="The activation of the outputs was 'identit"):
        ours.fit(X, y)


def test_parameters_that_scikit_learn_lacks(iris):
    mlp = BackpropMLPClassifier(5, learning_rate="cosine", max_iter=5).fit(*iris)
    theirs = mlp.set_params(hidden_layer_sizes=3).to_sklearn()
    assert theirs.learning_rate == "constant"
    assert theirs.hidden_layer_sizes == [5]
    theirs.set_params(warm_start=True).fit(*iris)
    assert theirs.coefs_[0].shape == (4, 5)


def assert_same_predictions(ours, theirs, X):
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    tolerance = 1e-14 if ours.coefs_[0].dtype == np.float64 else 1e-6
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", ["tnc", "adam"])
def test_to_sklearn_and_back(solver, activation, kind, dtype, iris):
    X, y = data(kind, iris)
    X = X.astype(dtype)
    ours = BackpropMLPClassifier((6, 5), activation, solver=solver, max_iter=15)
    ours.set_params(random_state=0, learning_rate_init=0.05).fit(X, y)
    theirs = ours.to_sklearn()
    assert type(theirs) is MLPClassifier
    assert_same_predictions(ours, theirs, X)
    assert theirs.coefs_[0] is not ours.coefs_[0]
    assert theirs.get_params()["hidden_layer_sizes"] == (6, 5)
    back = BackpropMLPClassifier.from_sklearn(theirs)
    np.testing.assert_array_equal(back.predict_proba(X), ours.predict_proba(X))
    assert back.loss_curve_ == ours.loss_curve_
    if solver == "adam" and dtype == np.float64:
        assert_same_predictions(back.partial_fit(X, y), theirs.partial_fit(X, y), X)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_from_sklearn(solver, kind, iris):
    X, y = data(kind, iris)
    theirs = MLPClassifier((7,), solver=solver, max_iter=20, random_state=0).fit(X, y)
    ours = BackpropMLPClassifier.from_sklearn(theirs)
    assert_same_predictions(ours, theirs, X)
    assert ours.get_params().items() >= theirs.get_params().items()
    assert ours.n_iter_ == theirs.n_iter_
    ours.set_params(warm_start=True, solver="lbfgs").fit(X, y)
    assert ours.loss_ < theirs.loss_


@pytest.mark.parametrize(
    ("params", "lacking"),
    [
        (
            {"activation": ["tanh", "relu"]},
            r"an activation per layer \(\['relu', 'tanh",
        ),
        ({"activation": "gelu"}, "activation 'gelu'"),
        ({"input_activation": "tanh"}, "input_activation 'tanh'"),
        (
            {"output_activation": "logistic"},
            "output_activation 'logistic' for 3 classes",
        ),
    ],
)
def test_what_it_cannot_express_is_named(params, lacking, iris):
    mlp = BackpropMLPClassifier((4, 3), **params, max_iter=2).fit(*iris)
    with pytest.raises(ValueError, match=f"MLPClassifier cannot express: {lacking}"):
        mlp.to_sklearn()


def test_two_softmax_outputs_cannot_be_expressed(iris):
    X, y = data("binary", iris)
    mlp = BackpropMLPClassifier(output_activation="softmax", max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="output_activation 'softmax' for 2 classes"):
        mlp.to_sklearn()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_onnx():
    reason = "skl2onnx and onnxruntime are not installed (extra: test)"
    skl2onnx = pytest.importorskip("skl2onnx", reason=reason)
    onnxruntime = pytest.importorskip("onnxruntime", reason=reason)
    X, y = load_breast_cancer(return_X_y=True)
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    mlp = BackpropMLPClassifier(10, solver="lbfgs", random_state=0).fit(X, y)
    model = skl2onnx.to_onnx(mlp.to_sklearn(), X[:1], options={"zipmap": False})
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    labels, proba = session.run(None, {"X": X})
    np.testing.assert_array_equal(labels, mlp.predict(X))
    np.testing.assert_allclose(proba, mlp.predict_proba(X), atol=1e-5)


def test_to_sklearn_after_early_stopping_can_be_warm_started(iris):
    mlp = BackpropMLPClassifier(5, early_stopping=True, max_iter=5, random_state=0)
    theirs = mlp.fit(*iris).to_sklearn().set_params(warm_start=True)
    assert theirs.fit(*iris).score(*iris) > 0
    # No later epoch is better than the one of the weights.
    theirs = mlp.to_sklearn().set_params(warm_start=True, learning_rate_init=10)
    theirs.best_validation_score_ = 1.0
    np.testing.assert_array_equal(theirs.fit(*iris).coefs_[0], mlp.coefs_[0])


def test_names_of_columns_go_there_and_back(iris):
    X = pd.DataFrame(iris[0], columns=list("abcd"))
    theirs = MLPClassifier(5, max_iter=3).fit(X, iris[1])
    ours = BackpropMLPClassifier.from_sklearn(theirs)
    with pytest.raises(ValueError, match="should match those that were passed"):
        ours.predict(X[["b", "a", "c", "d"]])
    assert ours.to_sklearn().feature_names_in_.tolist() == list("abcd")


def test_the_count_of_epochs_without_improvement_goes_on_in_scikit_learn(iris):
    params = {"learning_rate_init": 0.02, "max_iter": 1000, "random_state": 0}
    mlp = BackpropMLPClassifier(5, **params).fit(*iris)
    theirs = mlp.to_sklearn().set_params(warm_start=True).fit(*iris)
    assert mlp.converged_
    assert len(theirs.loss_curve_) == len(mlp.loss_curve_) + 1


def test_without_hidden_layers_the_activation_may_lack_in_scikit_learn(iris):
    mlp = BackpropMLPClassifier((), activation="gelu", max_iter=5).fit(*iris)
    assert_same_predictions(mlp, mlp.to_sklearn(), iris[0])
    mlp.to_sklearn().partial_fit(*iris)


def test_training_the_estimator_of_scikit_learn_leaves_the_original(diabetes):
    mlp = BackpropMLPRegressor(hidden_layer_sizes=3, max_iter=3, random_state=0)
    before = mlp.fit(*diabetes).get_theta()
    mlp.to_sklearn().partial_fit(*diabetes)
    np.testing.assert_array_equal(mlp.get_theta(), before)
