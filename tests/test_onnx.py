"""Conversion to ONNX: what onnxruntime computes is what the estimators predict."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    StackedRandomizedSearchCV,
    TabularEncoder,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from skmlp_backprop._network.activations import ACTIVATIONS

reason = "skl2onnx and onnxruntime are not installed (extra: test)"
skl2onnx = pytest.importorskip("skl2onnx", reason=reason)
onnxruntime = pytest.importorskip("onnxruntime", reason=reason)
import skmlp_backprop.onnx  # noqa: E402, F401

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TOLERANCES = {np.float32: 1e-5, np.float64: 1e-12}
both_precisions = pytest.mark.parametrize("dtype", list(TOLERANCES))


def run(model, X, **options):
    """Convert a model, and run it on X."""
    converted = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False, **options})
    session = onnxruntime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: X})


def assert_converts(model, X):
    """Assert that labels and probabilities are the same."""
    labels, proba = run(model, X)
    expected = model.predict(X)
    expected_proba = model.predict_proba(X)
    assert labels.shape == expected.shape
    # Saturated sigmoids leave some classes equally probable, up to the last bit.
    tolerance = TOLERANCES[X.dtype.type]
    clear = np.ones(len(X), bool)
    if labels.ndim == 1:
        clear = np.ptp(np.sort(expected_proba)[:, -2:], axis=1) > tolerance
    assert clear.mean() > 0.25
    np.testing.assert_array_equal(labels[clear], expected[clear])
    if labels.ndim == 1:
        codes = np.searchsorted(model.classes_, labels)[:, np.newaxis]
        of_label = np.take_along_axis(expected_proba, codes, axis=1)[:, 0]
        assert_close(of_label, expected_proba.max(axis=1), X.dtype)
    assert proba.dtype == X.dtype
    assert_close(proba, expected_proba, X.dtype)


def assert_close(actual, expected, dtype):
    tolerance = TOLERANCES[dtype.type]
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def random_network(units, classes, dtype, input_intercept=False, **params):
    """A classifier with random weights, of some samples' size."""
    rng = np.random.default_rng(0)
    coefs = [rng.standard_normal(n) / np.sqrt(n[0]) for n in pairwise(units)]
    biases = [rng.standard_normal(n) for n in units[1:]]
    bias = rng.standard_normal(units[0]).astype(dtype) if input_intercept else None
    params = {"activation": "tanh", **params}
    return BackpropMLPClassifier.from_weights(
        [2 * coef.astype(dtype) for coef in coefs],
        [b.astype(dtype) for b in biases],
        classes,
        input_intercept=bias,
        **params,
    )


def samples(n_features, dtype):
    return np.random.default_rng(1).normal(0, 2, (200, n_features)).astype(dtype)


@both_precisions
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_every_activation(activation, dtype):
    # Logits of a network of ones are f(x).
    one = [np.ones((1, 1), dtype), np.ones((1, 1), dtype)]
    zero = [np.zeros(1, dtype), np.zeros(1, dtype)]
    mlp = BackpropMLPClassifier.from_weights(one, zero, [0, 1], activation=activation)
    z = np.linspace(-40, 40, 4001, dtype=dtype)[:, np.newaxis]
    scores = run(mlp, z, raw_scores=True)[1]
    f = z[:, 0].copy()
    ACTIVATIONS[activation].apply(z[:, 0], f)
    assert scores.dtype == dtype
    assert_close(scores[:, 1], f, z.dtype)
    np.testing.assert_array_equal(scores[:, 0], -scores[:, 1])


@both_precisions
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_an_activation_for_each_layer_and_the_input(activation, dtype):
    others = [name for name in ACTIVATIONS if name != activation][:2]
    params = {"activation": [activation, *others], "input_activation": activation}
    mlp = random_network([4, 7, 6, 5, 3], [0, 1, 2], dtype, True, **params)
    assert_converts(mlp, samples(4, dtype))


OUTPUTS = {
    "binary": ([5, 6, 1], {}),
    "two-class softmax": ([5, 6, 2], {"output_activation": "softmax"}),
    "softmax": ([5, 6, 4], {}),
    "one-vs-all": ([5, 6, 4], {"output_activation": "logistic"}),
    "multilabel": ([5, 6, 4], {"multilabel": True}),
    "two labels": ([5, 6, 2], {"multilabel": True}),
    "no hidden layer": ([5, 4], {}),
}


def classes_of(kind, labels="integers"):
    n_outputs = OUTPUTS[kind][0][-1]
    n_classes = max(2, n_outputs)
    kinds = {
        "integers": np.arange(n_classes) * 2**40 - 3,
        "strings": np.array(["blue", "green", "réd", "yellow"])[:n_classes],
        "objects": np.array(["blue", "green", "réd", "yellow"], object)[:n_classes],
        "floats": np.arange(n_classes, dtype=float) - 1,
    }
    return kinds[labels] if "label" not in kind else np.arange(n_classes)


@both_precisions
@pytest.mark.parametrize("kind", list(OUTPUTS))
def test_every_kind_of_output(kind, dtype):
    units, params = OUTPUTS[kind]
    mlp = random_network(units, classes_of(kind), dtype, **params)
    X = samples(5, dtype)
    assert len(np.unique(mlp.predict(X), axis=0)) >= len(mlp.classes_)
    assert_converts(mlp, X)
    # Where sigmoids underflow, the probabilities are still those of predict_proba.
    assert_converts(mlp, 20 * X)


@both_precisions
@pytest.mark.parametrize("kind", list(OUTPUTS))
def test_raw_scores(kind, dtype):
    units, params = OUTPUTS[kind]
    mlp = random_network(units, classes_of(kind), dtype, **params)
    X = samples(5, dtype)
    labels, scores = run(mlp, X, raw_scores=True)
    np.testing.assert_array_equal(labels, mlp.predict(X))
    decision = mlp.decision_function(X)
    if decision.ndim == 1:
        decision = np.column_stack([-decision, decision])
    assert_close(scores, decision, X.dtype)


@pytest.mark.parametrize("labels", ["integers", "strings", "objects", "floats"])
@pytest.mark.parametrize("kind", ["binary", "softmax"])
def test_labels(kind, labels):
    units, params = OUTPUTS[kind]
    mlp = random_network(units, classes_of(kind, labels), np.float32, **params)
    X = samples(5, np.float32)
    assert_converts(mlp, X)
    rows = run(mlp, X, zipmap=True)[1]
    assert list(rows[0]) == mlp.classes_.tolist()
    assert_close([list(row.values()) for row in rows], mlp.predict_proba(X), X.dtype)
    columns = run(mlp, X, zipmap="columns")[1:]
    assert_close(np.column_stack(columns), mlp.predict_proba(X), X.dtype)


def test_class_labels_as_an_output_and_as_numbers():
    mlp = random_network([5, 6, 4], classes_of("softmax", "strings"), np.float64)
    X = samples(5, np.float64)
    names = run(mlp, X, output_class_labels=True)[2]
    assert names.tolist() == mlp.classes_.tolist()
    numbers = run(mlp, X, nocl=True)[0]
    np.testing.assert_array_equal(mlp.classes_[numbers], mlp.predict(X))


def test_integers_as_input():
    mlp = random_network([5, 6, 4], classes_of("softmax"), np.float32)
    X = np.random.default_rng(0).integers(-3, 4, (50, 5))
    labels, proba = run(mlp, X)
    np.testing.assert_array_equal(labels, mlp.predict(X))
    np.testing.assert_allclose(proba, mlp.predict_proba(X), atol=1e-5)


def test_what_onnx_does_not_know():
    half = random_network([5, 6, 1], [0.5, 1.5], np.float64)
    with pytest.raises(ValueError, match=r"`classes_` is \[0.5, 1.5\]. Fit on y made"):
        run(half, samples(5, np.float64))
    one = random_network([5, 6, 1], [7, 8], np.float64)
    one.classes_ = one.classes_[:1]
    with pytest.raises(ValueError, match="fitted on one class, "):
        run(one, samples(5, np.float64))


def test_the_fit_counts_and_not_what_is_set_after_it():
    mlp = random_network([5, 6, 4], classes_of("softmax"), np.float64)
    X = samples(5, np.float64)
    before = run(mlp, X)[1]
    mlp.set_params(activation="relu", output_activation="logistic")
    np.testing.assert_array_equal(run(mlp, X)[1], before)
    assert_converts(mlp, X)


def problem(kind, iris, dtype):
    X, y = iris
    X = X.astype(dtype)
    names = np.array(["a", "b", "c"])[y]
    return (X[50:], names[50:]) if kind == "binary" else (X, names)


MLP = BackpropMLPClassifier(5, max_iter=20, random_state=0)
PIPELINE = make_pipeline(StandardScaler(), MLP)
GRID = {"alpha": [0.1, 1]}
PIPELINE_GRID = {"backpropmlpclassifier__alpha": [0.1, 1]}


@both_precisions
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize(
    "model",
    [
        PIPELINE,
        make_pipeline(StandardScaler(), PIPELINE),
        GridSearchCV(MLP, GRID, cv=2),
        StackedGridSearchCV(MLP, GRID, cv=2),
        StackedGridSearchCV(PIPELINE, PIPELINE_GRID, cv=2),
        StackedRandomizedSearchCV(PIPELINE, PIPELINE_GRID, n_iter=2, cv=2),
        make_pipeline(StandardScaler(), StackedGridSearchCV(MLP, GRID, cv=2)),
        StackingClassifier([("mlp", MLP), ("model", PIPELINE)], MLP, cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_within_other_estimators(model, kind, dtype, iris):
    X, y = problem(kind, iris, dtype)
    assert_converts(clone(model).fit(X, y), X)


@both_precisions
@pytest.mark.parametrize("output_activation", ["softmax", "logistic"])
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize(
    "model",
    [
        MLP,
        PIPELINE,
        make_pipeline(StandardScaler(), PIPELINE),
        StackedGridSearchCV(PIPELINE, PIPELINE_GRID, cv=2),
    ],
    ids=["bare", "pipeline", "pipelines", "search"],
)
def test_calibrated(model, kind, output_activation, dtype, iris):
    X, y = problem(kind, iris, dtype)
    model = clone(model)
    names = [name for name in model.get_params() if name.endswith("output_activation")]
    model.set_params(**{names[0]: output_activation})
    assert_converts(CalibratedClassifierCV(model, cv=3).fit(X, y), X)


def test_calibrated_within_a_search(iris):
    X, y = iris
    grid = {"estimator__backpropmlpclassifier__alpha": [0.1, 1]}
    model = CalibratedClassifierCV(PIPELINE, cv=2, ensemble=False)
    assert_converts(StackedGridSearchCV(model, grid, cv=2).fit(X, y), X)


def test_multilabel_search(iris):
    X, y = iris
    Y = np.column_stack([y == 0, y > 0, X[:, 1] > 0]).astype(int)
    assert_converts(StackedGridSearchCV(MLP, GRID, cv=2).fit(X, Y), X)


def test_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    monkeypatch.delitem(sys.modules, "skmlp_backprop.onnx")
    with pytest.raises(ImportError, match="pip install skl2onnx"):
        import skmlp_backprop.onnx  # noqa: F401


@both_precisions
@pytest.mark.parametrize(
    ("params", "n_outputs"),
    [
        ({}, 1),
        ({}, 3),
        ({"loss": "poisson"}, 2),
        ({"loss": "quantile", "quantile": [0.1, 0.5, 0.7]}, 3),
    ],
)
def test_regressors(params, n_outputs, dtype):
    rng = np.random.default_rng(0)
    units = [(5, 6), (6, n_outputs)]
    mlp = BackpropMLPRegressor.from_weights(
        [rng.standard_normal(n).astype(dtype) for n in units],
        [rng.standard_normal(n[1]).astype(dtype) for n in units],
        activation="tanh",
        **params,
    )
    assert_predicts(mlp, samples(5, dtype))


@both_precisions
def test_a_search_over_pipelines_of_regressors(dtype):
    X = samples(5, dtype)
    mlp = BackpropMLPRegressor(hidden_layer_sizes=4, max_iter=5, random_state=0)
    model = make_pipeline(StandardScaler(), mlp)
    grid = {"backpropmlpregressor__alpha": [1, 2]}
    search = StackedGridSearchCV(model, grid, cv=2).fit(X, X[:, 0])
    for fitted in (search, search.best_estimator_):
        assert_predicts(fitted, X)


def assert_predicts(regressor, X):
    """Assert that the converted one predicts the same numbers."""
    session = onnxruntime.InferenceSession(
        skl2onnx.to_onnx(regressor, X[:1]).SerializeToString(),
        providers=["CPUExecutionProvider"],
    )
    (y,) = session.run(None, {session.get_inputs()[0].name: X})
    assert y.dtype == X.dtype
    assert_close(y, regressor.predict(X).reshape(len(X), -1), X.dtype)


def test_halving_searches_become_their_best_estimator():
    X, y = load_iris(return_X_y=True)
    network = BackpropMLPClassifier(5, max_iter=9, random_state=0)
    search = StackedHalvingGridSearchCV(network, {"alpha": [0.1, 1, 10]}, cv=2)
    search.fit(X, y)
    _, proba = run(search, X)
    np.testing.assert_allclose(proba, search.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize(
    "kind", [TabularMLPClassifier, TabularMLPRegressor, TabularEncoder]
)
def test_estimators_of_tables_are_refused_by_name(kind, within):
    X, y = load_iris(return_X_y=True)
    model = kind() if kind is TabularEncoder else kind(2, 4, max_iter=2)
    if within:
        model = make_pipeline(StandardScaler(), model)
    with pytest.raises(
        NotImplementedError, match=f"{kind.__name__} can't be converted"
    ):
        skl2onnx.to_onnx(model.fit(X, y), X[:1])
