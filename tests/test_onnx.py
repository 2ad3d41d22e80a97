"""Conversion to ONNX: what onnxruntime computes is what the estimators predict."""

import sys
from decimal import Decimal
from enum import Enum
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from names import ACTIVATIONS
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
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

reason = "skl2onnx and onnxruntime are not installed (extra: test)"
skl2onnx = pytest.importorskip("skl2onnx", reason=reason)
onnxruntime = pytest.importorskip("onnxruntime", reason=reason)
from skl2onnx.common.data_types import (  # noqa: E402
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)

from skmlp_backprop.onnx import input_types  # noqa: E402

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
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation, dtype):
    # Logits of a network of ones are f(x).
    one = [np.ones((1, 1), dtype), np.ones((1, 1), dtype)]
    zero = [np.zeros(1, dtype), np.zeros(1, dtype)]
    mlp = BackpropMLPClassifier.from_weights(one, zero, [0, 1], activation=activation)
    z = np.linspace(-40, 40, 4001, dtype=dtype)[:, np.newaxis]
    scores = run(mlp, z, raw_scores=True)[1]
    f = BackpropMLPRegressor.from_weights(one, zero, activation=activation).predict(z)
    assert scores.dtype == dtype
    assert_close(scores[:, 1], f, z.dtype)
    np.testing.assert_array_equal(scores[:, 0], -scores[:, 1])


@both_precisions
@pytest.mark.parametrize("activation", ACTIVATIONS)
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


@pytest.mark.parametrize("dtype", [bool, float, np.uint8])
def test_class_labels_that_skl2onnx_can_not_write(dtype):
    X = samples(40, np.float64)
    mlp = BackpropMLPClassifier(4, max_iter=2).fit(X, (X[:, 0] > 0).astype(dtype))
    run(mlp, X)
    with pytest.raises(ValueError, match="takes labels of int32, int64 or strings"):
        run(mlp, X, output_class_labels=True)


def test_raw_scores_within_a_pipeline():
    X = samples(40, np.float64)
    mlp = BackpropMLPClassifier(4, max_iter=2, random_state=0).fit(X, X[:, 0] > 0)
    pipeline = make_pipeline(StandardScaler().fit(X), mlp)
    options = {id(mlp): {"raw_scores": True}, id(pipeline): {"zipmap": False}}
    graph = skl2onnx.to_onnx(pipeline, X[:1], options=options)
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    scores = session.run(None, {"X": X})[1]
    np.testing.assert_allclose(scores[:, 1], pipeline.decision_function(X), rtol=1e-12)


def test_class_labels_as_an_output_and_as_numbers():
    mlp = random_network([5, 6, 4], classes_of("softmax", "strings"), np.float64)
    X = samples(5, np.float64)
    names = run(mlp, X, output_class_labels=True)[2]
    assert names.tolist() == mlp.classes_.tolist()
    numbers = run(mlp, X, nocl=True)[0]
    np.testing.assert_array_equal(mlp.classes_[numbers], mlp.predict(X))
    mlp = random_network([5, 6, 4], np.arange(4, dtype=np.int32), np.float64)
    np.testing.assert_array_equal(run(mlp, X, output_class_labels=True)[2], range(4))


def test_integers_as_input():
    mlp = random_network([5, 6, 4], classes_of("softmax"), np.float32)
    X = np.random.default_rng(0).integers(-3, 4, (50, 5))
    labels, proba = run(mlp, X)
    np.testing.assert_array_equal(labels, mlp.predict(X))
    np.testing.assert_allclose(proba, mlp.predict_proba(X), atol=1e-5)


def test_what_onnx_does_not_know():
    half = random_network([5, 6, 1], [0.5, 1.5], np.float64)
    with pytest.raises(ValueError, match=r"`classes_` is \[0.5, 1.5\]. Fit to a y of"):
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


# Tables.


def table(n_rows, seed, missing=0.2):
    """Numbers, booleans and categories; some are missing."""
    rng = np.random.default_rng(seed)

    def drop(values):
        return np.where(rng.random(n_rows) < missing, None, values)

    return pd.DataFrame(
        {
            "a size": rng.standard_normal(n_rows),
            "gap": drop(rng.standard_normal(n_rows) * 1e6).astype(float),
            "count": rng.integers(0, 5, n_rows),
            "flag": rng.random(n_rows) < 0.5,
            "two": rng.choice(["x", "y"], n_rows),
            "colour": drop(rng.choice(["red", "grün", "blue"], n_rows)),
            "many": drop(rng.choice([f"c{i}" for i in range(40)], n_rows)),
            "step": pd.Series(rng.integers(0, 6, n_rows)).astype("category"),
            "more": rng.choice([f"d{i}" for i in range(17)], n_rows),
            "last": rng.standard_normal(n_rows),
        }
    )


def unseen(n_rows=200):
    """Another table, with values that were not seen in the fit."""
    X = table(n_rows, seed=1)
    X.loc[:9, ["two", "many", "more", "colour"]] = "new"
    X.loc[5:14, ["two", "more"]] = None
    X.loc[10:19, ["a size", "last"]] = np.nan
    X.loc[20, ["a size", "gap"]] = 1e300, -1e300
    return X


def as_inputs(X, types):
    """The columns of a table, written as the documentation says."""
    return [
        np.array([["" if pd.isna(v) else str(v)] for v in X[name]], object)
        if isinstance(kind, StringTensorType)
        else X[[name]].to_numpy(np.float64)
        for name, kind in types
    ]


def run_on(model, inputs, types, target_opset=None, **options):
    """Convert a model with these types of inputs, and run it."""
    converted = skl2onnx.to_onnx(
        model,
        initial_types=types,
        options=options or None,
        target_opset=target_opset,
    )
    onnx_session = onnxruntime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [column.name for column in onnx_session.get_inputs()]
    return onnx_session.run(None, dict(zip(names, inputs, strict=True)))


def run_table(model, X, **options):
    types = input_types(model)
    return run_on(model, as_inputs(X, types), types, **options)


def assert_classifies_table(model, X, **options):
    labels, proba = run_table(model, X, zipmap=False, **options)
    np.testing.assert_array_equal(labels, model.predict(X))
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba, model.predict_proba(X), rtol=0, atol=1e-14)


def targets(X, kind):
    score = X["a size"] + X["flag"] + (X["colour"] == "red")
    classes = np.digitize(score, [0.2, 1])
    if kind == "binary":
        return np.array(["low", "high"])[np.minimum(classes, 1)]
    if kind == "labels":
        return np.column_stack([classes > 0, X["two"] == "x", classes > 1]).astype(int)
    return classes


SMALL = {"n_members": 3, "hidden_layer_sizes": (8, 5), "max_iter": 3, "random_state": 0}
TABULAR = TabularMLPClassifier(**SMALL)


@pytest.mark.parametrize("kind", ["binary", "classes", "labels"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_classifiers_of_tables(kind, activation):
    X = table(200, seed=0)
    model = TabularMLPClassifier(**SMALL, activation=activation)
    model.fit(X, targets(X, kind))
    assert_classifies_table(model, unseen())
    decision = model.decision_function(unseen())
    if kind == "binary":
        decision = np.column_stack([-decision, decision])
    scores = run_table(model, unseen(), zipmap=False, raw_scores=True)[1]
    np.testing.assert_allclose(scores, decision, rtol=1e-12, atol=1e-12)


def test_options_of_classifiers_of_tables():
    X = table(200, seed=0)
    model = TabularMLPClassifier(**SMALL).fit(X, targets(X, "binary"))
    numbers, _ = run_table(model, X, zipmap=False, nocl=True)
    np.testing.assert_array_equal(model.classes_[numbers], model.predict(X))
    *_, names = run_table(model, X, zipmap=False, output_class_labels=True)
    assert names.tolist() == model.classes_.tolist()
    _, *columns = run_table(model, X, zipmap="columns")
    np.testing.assert_allclose(np.stack(columns, 1), model.predict_proba(X), atol=1e-14)


@pytest.mark.parametrize(
    ("params", "n_outputs"),
    [
        ({}, 1),
        ({}, 2),
        ({"loss": "absolute_error"}, 1),
        ({"loss": "poisson"}, 1),
        ({"loss": "gamma"}, 2),
        ({"loss": "quantile", "quantile": 0.7}, 1),
        ({"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, 1),
    ],
)
def test_regressors_of_tables(params, n_outputs):
    X = table(200, seed=0)
    y = 1000 * np.exp(X[["a size", "last"]].to_numpy())
    y = y if n_outputs == 2 else y[:, 0]
    model = TabularMLPRegressor(**SMALL, **params).fit(X, y)
    (predicted,) = run_table(model, unseen())
    assert predicted.dtype == np.float64
    expected = model.predict(unseen()).reshape(200, -1)
    assert predicted.shape == expected.shape
    np.testing.assert_allclose(predicted, expected, rtol=1e-12)


@pytest.mark.parametrize("n_bins", ["auto", 0, 3])
@pytest.mark.parametrize("params", [{}, {"max_categories": 4}, {"min_frequency": 9}])
@pytest.mark.parametrize("missing", [0, 0.2])
def test_encoders(n_bins, params, missing):
    encoder = TabularEncoder(n_bins=n_bins, **params).fit(table(200, 0, missing))
    (encoded,) = run_table(encoder, unseen())
    assert encoded.dtype == np.float64
    np.testing.assert_array_equal(encoded, encoder.transform(unseen()))


def test_unusual_columns_of_numbers():
    X = pd.DataFrame(
        {
            "constant": [3.0] * 5,
            "wide": [-1.5e308, 0, 1, 2, 1.5e308],
            "mostly 0": [0, 0, 0, 0, np.nan],
            "some": [1.0, np.nan, 2, 3, 8],
        }
    )
    encoder = TabularEncoder().fit(X)
    other = X[::-1] / 2 + 1
    other.iloc[0] = np.nan
    (encoded,) = run_table(encoder, other)
    np.testing.assert_array_equal(encoded, encoder.transform(other))


def test_a_column_that_was_missing_in_fit():
    X = pd.DataFrame({"empty": [np.nan, np.nan], "size": [1.0, 2.0]})
    encoder = TabularEncoder().fit(X)
    full = pd.DataFrame({"empty": [7.0, np.nan], "size": [1.5, 3.0]})
    with pytest.warns(UserWarning, match="only missing values"):
        expected = encoder.transform(full)
    np.testing.assert_array_equal(run_table(encoder, full)[0], expected)


@pytest.mark.parametrize("names", [["last"], ["many", "more"]])
def test_columns_of_one_kind(names):
    X = table(200, seed=0)[names]
    model = TabularMLPClassifier(**SMALL).fit(X, np.arange(200) % 2)
    assert_classifies_table(model, X[::-1])


# Texts that are nearly, but not the same as, those of `fit`.
@pytest.mark.filterwarnings("ignore:Column 'c' has '.*', which `fit` did not see")
@pytest.mark.parametrize(
    ("categories", "written"),
    [
        ([1, 2, 3, 1000000], ["1", "1.0", "3", "1000000", "1e6", "7", ""]),
        ([1.0, 2.5, -3.0], ["1", "1.0", "2.5", "-3.0", "-3"]),
        ([0, 1, 2], ["True", "false", "TRUE", "1", "0", "2"]),
        ([True, False], ["True", "true", "TRUE", "False", "1", "0", "1.0", "2"]),
        (["1", "2.0", "a"], ["1", "1.0", "2", "2.0", "a", "A"]),
        (["True", "no", "maybe"], ["True", "true", "1", "no"]),
        (["", "a", "b"], ["", "a", "c"]),
        ([None, "a", "b"], ["", "a", "c"]),
        ([None, "a", "b"], ["nan", "None", "<NA>", "NaT", "N/A", "n/a", "a"]),
        ([None, "a", "b"], ["?", "-", "--", ".", "n.a.", "#N/A", "NULL", "a"]),
        (["NA", "a", "b"], ["", "NA", "a"]),
        ([pd.Timestamp("2024-01-02"), "a", "b"], ["2024-01-02 00:00:00", "a"]),
    ],
)
def test_notations_of_categories(categories, written):
    X = pd.DataFrame({"c": pd.Series(categories * 3, dtype=object).astype("category")})
    encoder = TabularEncoder().fit(X)
    texts = pd.DataFrame({"c": [text or None for text in written]}, dtype=object)
    cells = np.array(written, object)[:, np.newaxis]
    (encoded,) = run_on(encoder, [cells], input_types(encoder))
    # Text such as "1e6" is the same to transform, but not among what ONNX looks up.
    known = [text != "1e6" for text in written]
    np.testing.assert_array_equal(encoded[known], encoder.transform(texts)[known])
    assert len(np.unique(encoded, axis=0)) > 1


class Colour(str, Enum):  # noqa: UP042 - the str of a StrEnum is its text
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("categories", "written"),
    [
        ([-0.0, 1e16, -2e300, 3.5], ["-0.0", "1e+16", "-2e+300", "3.5"]),
        ([0, 10**16, 5], ["-0.0", "1e+16", "5"]),
        (
            [np.float32(0.1), np.float32(-2.3), np.float32(1e-9)],
            ["0.1", "-2.3", "1e-09"],
        ),
        ([np.float32(0.1), 0.1], ["0.10000000149011612", "0.1"]),
        ([Decimal("1.50"), Decimal("2.0"), Decimal("7")], ["1.5", "2.0", "7.0"]),
        (
            [Decimal("1.50"), Decimal("2.00"), Decimal("-0.1")],
            ["1.50", "2.00", "-0.10"],
        ),
        ([Decimal("1.5000"), Decimal("7.1255")], ["1.5000", "7.1255"]),
        ([Decimal(1), Decimal(2), Decimal(3)], ["1.00", "2.00", "3.00"]),
        (
            [np.float32(2e7), np.float32(16777217), np.float32(0.5)],
            ["2e+07", "1.6777216e+07", "0.5"],
        ),
        ([2**53, 2**53 + 1, 1], ["9007199254740992", "9007199254740993", "1"]),
        ([Colour.RED, Colour.BLUE], ["red", "blue"]),
    ],
)
def test_texts_of_categories(categories, written):
    X = pd.DataFrame({"c": pd.Series(categories, dtype=object).astype("category")})
    encoder = TabularEncoder().fit(X)
    cells = np.array(written, object)[:, np.newaxis]
    (encoded,) = run_on(encoder, [cells], input_types(encoder))
    np.testing.assert_array_equal(encoded, encoder.transform(X))
    assert len(np.unique(encoded, axis=0)) == len(categories)


@pytest.mark.filterwarnings("ignore:Column 'c' has categories that differ only in how")
def test_categories_of_several_types():
    X = pd.DataFrame({"c": pd.Series([1, "1.0", 2, "a"] * 3, dtype="category")})
    encoder = TabularEncoder().fit(X)
    cells = np.array([["1"], ["1.0"], ["2"], ["a"]], object)
    (encoded,) = run_on(encoder, [cells], input_types(encoder))
    np.testing.assert_array_equal(encoded, encoder.transform(X[:4]))


@both_precisions
def test_an_array_as_a_single_input(dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6)).astype(dtype)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 1] = rng.integers(-2, 3, 200)
    X[:, 4] = rng.integers(0, 30, 200)
    X[:20, 4] = np.nan
    model = TabularMLPClassifier(**SMALL, categorical_features=[1, 4])
    model.fit(X, np.arange(200) % 3)
    X[:3, 1], X[3:6, 1], X[6:9, 4] = 77, 1.5, np.nan
    X[9, 1], X[10, 1] = np.nan, 1e30
    labels, proba = run(model, X)
    assert proba.dtype == dtype
    assert_close(proba, model.predict_proba(X), X.dtype)
    np.testing.assert_array_equal(labels, model.predict(X))
    # The same, column by column.
    types = input_types(model)
    assert [name for name, _ in types] == [f"x{i}" for i in range(6)]
    frame = pd.DataFrame(dict(zip([name for name, _ in types], X.T, strict=True)))
    of_columns = run_on(model, as_inputs(frame, types), types, zipmap=False)[1]
    np.testing.assert_allclose(of_columns, model.predict_proba(X), atol=1e-14)


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.int64, Int64TensorType), (bool, BooleanTensorType)]
)
def test_categories_as_integers_and_booleans(dtype, kind):
    values = np.array([0, 1, 1, 0, 1]).astype(dtype)
    X = pd.DataFrame({"c": pd.Series(values).astype("category"), "n": values})
    encoder = TabularEncoder().fit(X)
    types = [("c", kind([None, 1])), ("n", kind([None, 1]))]
    cells = [values[:, np.newaxis]] * 2
    (encoded,) = run_on(encoder, cells, types)
    np.testing.assert_array_equal(encoded, encoder.transform(X))


def test_large_integers_are_different_categories():
    values = 2**60 + np.arange(4)
    X = pd.DataFrame({"c": pd.Series(values).astype("category")})
    encoder = TabularEncoder().fit(X)
    types = [("c", Int64TensorType([None, 1]))]
    (encoded,) = run_on(encoder, [values[:, np.newaxis]], types)
    np.testing.assert_array_equal(encoded, np.eye(4))


def test_a_column_without_a_name_is_refused():
    X = pd.DataFrame({"": np.arange(20.0) ** 2, "b": np.arange(20) % 3})
    with pytest.raises(ValueError, match="A column has the name ''"):
        input_types(TabularEncoder().fit(X))


@pytest.mark.parametrize("gaps", [False, True])
def test_codes_of_shops(gaps):
    rng = np.random.default_rng(2)
    shops = rng.integers(0, 20, 800)
    X = pd.DataFrame({"shop": shops * 7.0, "x": rng.standard_normal(800)})
    if gaps:
        X.loc[::50, "shop"] = np.nan
    model = TabularMLPClassifier(**SMALL).fit(X, rng.permutation(20)[shops] % 2)
    names = model.encoder_.get_feature_names_out().tolist()
    assert {f"shop_{7 * i}" for i in range(20)} < set(names)
    assert_classifies_table(model, X)
    # Shops that `fit` did not see, among others.
    X.loc[:9, "shop"] = [-7, 3.2, -1, 200, 140, 1e9, 133, 141, 7, np.nan]
    (encoded,) = run_table(model.encoder_, X)
    np.testing.assert_array_equal(encoded, model.encoder_.transform(X))


def test_inputs_in_another_order_are_found_by_their_names():
    X = table(200, seed=0)[["gap", "colour", "count"]]
    encoder = TabularEncoder().fit(X)
    types = input_types(encoder)[::-1]
    (encoded,) = run_on(encoder, as_inputs(X, types), types)
    np.testing.assert_array_equal(encoded, encoder.transform(X))


def test_inputs_with_other_names_are_found_by_position():
    X = pd.DataFrame({"age": [20.0, 30.0], "income": [5.0, 9.0], "X": [1.0, 2.0]})
    encoder = TabularEncoder().fit(X)
    expected = encoder.transform(X)
    number = DoubleTensorType([None, 1])
    for names in (["a", "b", "c"], ["age", "Income", "X"]):
        cells = [X[[name]].to_numpy() for name in X]
        (encoded,) = run_on(encoder, cells, [(name, number) for name in names])
        np.testing.assert_array_equal(encoded, expected)
    matrix = [("X", DoubleTensorType([None, 3]))]
    (encoded,) = run_on(encoder, [X.to_numpy()], matrix)
    np.testing.assert_array_equal(encoded, expected)
    moved = [(name, number) for name in ("X", "income", "Age")]
    refused(X, moved, match=r"inputs \['Age'\] have .* columns \['age'\] have")


def test_names_that_skl2onnx_changes():
    X = table(200, seed=0)[["a size", "last"]]
    X["a_size"], X["a-size"] = X["last"] + 1, X["a size"] ** 2
    X["größe"] = X["last"] ** 2
    encoder = TabularEncoder().fit(X)
    (encoded,) = run_table(encoder, X)
    np.testing.assert_array_equal(encoded, encoder.transform(X))


def test_a_dataframe_declares_its_types():
    X = table(200, seed=0)[["a size", "count", "flag", "two"]]
    X["two"] = X["two"].astype(object)
    model = TabularMLPClassifier(**SMALL).fit(X, X["count"].to_numpy())
    converted = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})
    session = onnxruntime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = [X[[name]].to_numpy() for name in X]
    names = [column.name for column in session.get_inputs()]
    proba = session.run(None, dict(zip(names, inputs, strict=True)))[1]
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba, model.predict_proba(X), atol=1e-14)


def test_float_inputs_give_float_outputs():
    X = table(200, seed=0)
    X["gap"] = X["gap"].astype(np.float32).astype(float)
    model = TabularMLPRegressor(**SMALL).fit(X, X["count"].to_numpy())
    types = [
        (name, FloatTensorType([None, 1]) if name == "gap" else kind)
        for name, kind in input_types(model)
    ]
    inputs = as_inputs(X, types)
    inputs[1] = inputs[1].astype(np.float32)
    assert run_on(model, inputs, types)[0].dtype == np.float64
    X = X[["gap", "colour", "many"]]
    model = TabularMLPRegressor(**SMALL).fit(X, np.arange(200))
    (predicted,) = run_on(model, inputs[1:2] + inputs[5:7], types[1:2] + types[5:7])
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted[:, 0], model.predict(X), rtol=1e-5)
    model = clone(TABULAR).fit(X, np.arange(200) % 2)
    _, rows = run_on(model, inputs[1:2] + inputs[5:7], types[1:2] + types[5:7])
    assert list(rows[0]) == [0, 1]
    np.testing.assert_allclose(rows[7][1], model.predict_proba(X)[7, 1], rtol=1e-5)


@pytest.mark.parametrize("opset", [15, 18, 21])
def test_opsets(opset):
    X = table(200, seed=0)
    model = TabularMLPClassifier(**SMALL).fit(X, targets(X, "classes"))
    assert_classifies_table(model, unseen(), target_opset={"": opset, "ai.onnx.ml": 2})


@pytest.mark.parametrize(
    "model",
    [
        TABULAR,
        make_pipeline(TABULAR),
        GridSearchCV(TABULAR, {"n_bins": [0, 3]}, cv=2),
        make_pipeline(TabularEncoder(), LogisticRegression(max_iter=1000)),
        make_pipeline(TabularEncoder(), MLP),
    ],
    ids=["ensemble", "pipeline", "search", "regression", "network"],
)
@pytest.mark.parametrize("names", [["gap", "two", "many"], ["two", "gap"], ["two"]])
def test_tables_within_other_estimators(model, names):
    X, others = table(200, seed=0), unseen()[names]
    model = clone(model).fit(X[names], targets(X, "binary"))
    expected = model.predict_proba(others)
    labels, proba = run_table(model, others, zipmap=False)
    np.testing.assert_array_equal(labels, model.predict(others))
    np.testing.assert_allclose(proba, expected, rtol=1e-9, atol=1e-9)
    _, *columns = run_table(model, others, zipmap="columns")
    np.testing.assert_array_equal(np.stack(columns, axis=1), proba)


def test_columns_that_bagging_draws():
    X = np.random.default_rng(0).integers(0, 9, (200, 4)).astype(float)
    # The first of the drawn columns, whichever it is.
    tabular = TabularMLPClassifier(**SMALL, categorical_features=[0])
    model = BaggingClassifier(tabular, 3, max_features=2, random_state=0)
    assert_converts(model.fit(X, X[:, 1] + X[:, 3] > 8), X)


def test_the_encoder_of_some_columns():
    X = table(200, seed=0)[["two", "many", "a size", "last"]]
    parts = [("text", TabularEncoder(), ["two", "many"])]
    parts.append(("numbers", StandardScaler(), ["a size", "last"]))
    model = make_pipeline(ColumnTransformer(parts), LogisticRegression(max_iter=1000))
    model.fit(X, np.arange(200) % 2)
    types = input_types(TabularEncoder().fit(X))
    _, proba = run_on(model, as_inputs(X, types), types, zipmap=False)
    np.testing.assert_allclose(proba, model.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), TABULAR),
        make_pipeline(StandardScaler(), TabularEncoder(), MLP),
        CalibratedClassifierCV(TABULAR, cv=2),
    ],
    ids=["ensemble", "encoder", "calibrated"],
)
def test_tables_after_a_scaler_and_calibrated(model, iris):
    X, y = iris
    assert_converts(clone(model).fit(X, y), X.astype(np.float64))


def refused(X, types=None, kind=TabularEncoder, match="", error=ValueError):
    encoder = kind().fit(X)
    with pytest.raises(error, match=match):
        skl2onnx.to_onnx(encoder, initial_types=types or input_types(encoder))


@pytest.mark.filterwarnings("ignore:Column 'c' has categories that differ only in how")
def test_tables_that_onnx_can_not_take():
    dates = pd.DataFrame({"sold": pd.to_datetime(["2024-01-01", "2024-07-01"])})
    refused(dates, match="Column 'sold' has dates", error=NotImplementedError)
    number = DoubleTensorType([None, 1])
    refused(
        dates, [("sold", number)], match="before the fit", error=NotImplementedError
    )

    twice = pd.DataFrame({"c": pd.Series(["1", 1, "a"], dtype="category")})
    refused(twice, match="Column 'c' has the category '1' as .* the same text in ONNX")
    empty = pd.DataFrame({"c": ["", None, "a"]}, dtype=object)
    refused(empty, match="Column 'c' has the category '' as .*missing")

    numbers = pd.DataFrame({"size": [1.0, 2.0], "width": [2.0, 5.0]})
    text = [
        ("size", StringTensorType([None, 1])),
        ("width", DoubleTensorType([None, 1])),
    ]
    refused(numbers, text, match="Column 'size' had numbers in `fit`; declare")
    refused(numbers, text[1:], match="1 columns, but `fit` saw 2. Pass initial_types")
    unknown = [("x", DoubleTensorType([None, None]))]
    refused(numbers, unknown, match="0 columns, but `fit` saw 2. Pass initial_types")

    # In float32 it is 0.699999988079071.
    fractions = pd.DataFrame({"c": pd.Series([0.7, 3, 4]).astype("category")})
    refused(
        fractions, [("c", DoubleTensorType([None, 1]))], match=r"category 0\.7: only"
    )


def test_input_types_of_other_models():
    with pytest.raises(TypeError, match="must take tables, got StandardScaler"):
        input_types(make_pipeline(StandardScaler(), TabularEncoder()))
    with pytest.raises(NotFittedError):
        input_types(TabularMLPClassifier())


def test_an_ensemble_on_one_class():
    X = table(50, seed=0)[["last"]]
    model = TabularMLPClassifier(**SMALL).fit(X, np.ones(50))
    with pytest.raises(ValueError, match="fitted on one class"):
        skl2onnx.to_onnx(model, initial_types=input_types(model))


def test_values_outside_the_range_of_many_bins():
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(200.0), 15)
    X = pd.DataFrame({"x": rng.normal(size=3000), "day": day})
    y = rng.normal(size=200)[day.astype(int)] + X["x"]
    X.loc[::7, "day"] = np.nan
    model = TabularMLPRegressor(n_members=2, max_iter=2, random_state=0).fit(X, y)
    n_bins = sum("bin" in name for name in model.encoder_.get_feature_names_out())
    assert n_bins > 100
    outside = X[:6].assign(day=[-1e300, -1, 0, 199, 200, np.nan])
    types = input_types(model.encoder_)
    for rows in (X, outside):
        (encoded,) = run_on(model.encoder_, as_inputs(rows, types), types)
        expected = model.encoder_.transform(rows)
        np.testing.assert_allclose(encoded, expected, rtol=0, atol=1e-14)


def test_combined_columns():
    rng = np.random.default_rng(0)
    place, date = rng.integers(0, 30, 900), rng.integers(0, 20, 900)
    y = np.random.default_rng(1).integers(0, 3, (30, 20))[place, date]
    X = pd.DataFrame(
        {
            "noise": rng.normal(size=900),
            "place": [f"place {i}" for i in place],
            "date": np.where(date == 3, np.nan, date / 3),
            "few": rng.choice(["a", "b"], 900),
        }
    )
    model = TabularMLPClassifier(max_iter=20, random_state=0).fit(X, y)
    assert model.encoder_.combined_features_.tolist() == [1, 2]
    # Also unseen values, and unseen combinations of values.
    new = X.assign(date=X["date"].to_numpy()[::-1])
    new.loc[:9, "place"] = "elsewhere"
    new.loc[5:15, "date"] = 0.1
    for rows in (X, new):
        assert_classifies_table(model, rows)
    encoder = model.encoder_
    types = input_types(encoder)
    (encoded,) = run_on(encoder, as_inputs(new, types), types)
    np.testing.assert_allclose(encoded, encoder.transform(new), rtol=0, atol=1e-14)


def test_scores_of_certain_labels():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 2)), columns=["a", "b"])
    y = np.column_stack([X["a"] > 0, np.ones(80)]).astype(int)
    model = TabularMLPClassifier(
        n_members=1, learning_rate_init=10, max_iter=20, dropout=0, random_state=0
    ).fit(X, y)
    assert (model.predict_proba(X) > 1 - 1e-15).any()
    _, scores = run_table(model, X, zipmap=False, raw_scores=True)
    np.testing.assert_allclose(scores, model.decision_function(X), rtol=1e-9)


def test_scores_of_classes_whose_probability_underflows():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 2)), columns=["a", "b"])
    y = np.digitize(X["a"], [-0.5, 0.5])
    model = TabularMLPClassifier(
        n_members=1, learning_rate_init=300, max_iter=20, dropout=0, random_state=0
    ).fit(X, y)
    assert (model.predict_proba(X) < 1e-307).any()
    _, scores = run_table(model, X, zipmap=False, raw_scores=True)
    np.testing.assert_allclose(scores, model.decision_function(X), rtol=1e-9)


def test_predictions_of_tables_that_overflow():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "b"])
    y = 1.79e308 * np.where(X["a"] > 0, 1, -1)
    model = TabularMLPRegressor(2, 20, max_iter=30, random_state=0).fit(X, y)
    predicted = model.predict(X)
    assert (predicted == np.finfo(np.float64).max).any()
    assert run_table(model, X)[0].ravel() == pytest.approx(predicted, rel=1e-6)


def test_whole_numbers_that_float32_merges_are_other_combinations():
    rng = np.random.default_rng(0)
    place, date = rng.integers(0, 30, 900), rng.integers(0, 20, 900)
    y = np.random.default_rng(1).integers(0, 3, (30, 20))[place, date]
    places = [f"place {i}" for i in place]
    X = pd.DataFrame({"place": places, "date": 2.0**27 + 1000 * date})
    model = TabularMLPClassifier(n_members=1, max_iter=3, random_state=0).fit(X, y)
    assert model.encoder_.combined_features_.tolist() == [0, 1]
    gaps = X.assign(date=X["date"].where(date < 10))
    with pytest.warns(UserWarning, match="'date' has no value"):
        assert_classifies_table(model, gaps)
    new = X.assign(date=X["date"] + 1)
    with pytest.warns(UserWarning, match="combination"):
        expected = model.predict_proba(new)
    _, proba = run_table(model, new, zipmap=False)
    np.testing.assert_allclose(proba, expected, rtol=0, atol=1e-9)


def test_a_fraction_is_no_category_of_whole_numbers():
    encoder = TabularEncoder(categorical_features=[0])
    encoder.fit(np.repeat([[1.0], [2.0], [3.0]], 10, axis=0))
    types = [("X", DoubleTensorType([None, 1]))]
    (encoded,) = run_on(encoder, [np.array([[1.5], [2.0]])], types)
    assert encoded.tolist() == [[0, 0, 0], [0, 1, 0]]
