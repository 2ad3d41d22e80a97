"""Parameters, shapes, labels, and what bad input gets."""

import itertools
import re
import warnings
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss

from skmlp_backprop import BackpropMLPClassifier, TabularMLPClassifier


def quick(**params):
    params = {"hidden_layer_sizes": 5, "solver": "lbfgs", "random_state": 0, **params}
    return BackpropMLPClassifier(**params)


def fit(mlp, X, y, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mlp.fit(X, y, **kwargs)


@pytest.mark.parametrize(
    ("hidden", "units"),
    [((), [4, 3]), (7, [4, 7, 3]), ([7, 2], [4, 7, 2, 3]), (np.array([6]), [4, 6, 3])],
    ids=str,
)
def test_hidden_layer_sizes(hidden, units, iris):
    mlp = fit(quick(hidden_layer_sizes=hidden), *iris)
    assert [c.shape for c in mlp.coefs_] == list(itertools.pairwise(units))
    assert [b.shape for b in mlp.intercepts_] == [(n,) for n in units[1:]]
    assert mlp.n_layers_ == len(units)
    assert mlp.n_outputs_ == 3
    assert mlp.out_activation_ == "softmax"
    assert mlp.score(*iris) > 0.9


def test_an_activation_per_layer(iris):
    """The mixed network is the composition of its layers."""
    X, y = iris
    mlp = fit(quick(hidden_layer_sizes=(5, 4), activation=["tanh", "relu"]), X, y)
    a = np.tanh(X @ mlp.coefs_[0] + mlp.intercepts_[0])
    a = np.maximum(a @ mlp.coefs_[1] + mlp.intercepts_[1], 0)
    logits = a @ mlp.coefs_[2] + mlp.intercepts_[2]
    shifted = logits - logsumexp(logits, axis=1, keepdims=True)
    np.testing.assert_allclose(mlp.decision_function(X), shifted, atol=1e-12)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mlp.predict_proba(X), p, atol=1e-12)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("output", ["softmax", "logistic"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_all_outputs_and_losses_train(loss, output, n_classes, iris):
    X, y = iris[0][iris[1] < n_classes], iris[1][iris[1] < n_classes]
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    mlp = fit(quick(loss=loss, output_activation=output, alpha=0.01), X, names)
    assert mlp.n_outputs_ == (
        1 if n_classes == 2 and output == "logistic" else n_classes
    )
    assert mlp.out_activation_ == output
    assert mlp.classes_.tolist() == ["setosa", "versicolor", "virginica"][:n_classes]
    assert mlp.score(X, names) > 0.95
    proba = mlp.predict_proba(X)
    assert proba.shape == (len(X), n_classes)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(mlp.classes_[proba.argmax(axis=1)], mlp.predict(X))
    np.testing.assert_allclose(mlp.predict_log_proba(X), np.log(proba), atol=1e-9)
    decision = mlp.decision_function(X)
    assert decision.shape == ((len(X),) if n_classes == 2 else (len(X), 3))
    if n_classes == 2:
        np.testing.assert_array_equal(decision > 0, mlp.predict(X) == "versicolor")


def test_one_vs_all_probabilities_keep_their_ranking_when_all_underflow():
    mlp = BackpropMLPClassifier.from_weights(
        [np.diag([-900.0, -901.0, -950.0])],
        [np.zeros(3)],
        [0, 1, 2],
        output_activation="logistic",
    )
    proba = mlp.predict_proba([[1.0, 1.0, 1.0]])[0]
    np.testing.assert_allclose(proba[:2], [1 / (1 + np.exp(-1)), 1 / (1 + np.e)])


def test_input_activation(iris):
    X, y = iris
    mlp = fit(quick(input_activation="tanh", hidden_layer_sizes=()), X, y)
    assert mlp.input_intercept_.shape == (4,)
    assert np.abs(mlp.input_intercept_).max() > 0.01
    a = np.tanh(X + mlp.input_intercept_)
    logits = a @ mlp.coefs_[0] + mlp.intercepts_[0]
    shifted = logits - logsumexp(logits, axis=1, keepdims=True)
    np.testing.assert_allclose(mlp.decision_function(X), shifted, atol=1e-12)
    assert fit(quick(), X, y).input_intercept_ is None


@pytest.mark.parametrize(
    ("weight_init", "std", "bias_std", "bound"),
    [
        ("auto", np.sqrt(6 / 500) / np.sqrt(3), np.sqrt(6 / 500) / np.sqrt(3), 0.11),
        ("he", np.sqrt(2 / 100), 0, 1),
        ("normal", np.sqrt(1 / 100), 1, 5),
        (0.12, 0.12 / np.sqrt(3), 0.12 / np.sqrt(3), 0.12),
    ],
)
def test_weight_init(weight_init, std, bias_std, bound):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((10, 100)), np.arange(10) % 2
    mlp = quick(hidden_layer_sizes=400, weight_init=weight_init)
    mlp = mlp._initialized(X, y, np.random.RandomState(0))
    assert mlp.coefs_[0].std() == pytest.approx(std, rel=0.02)
    assert mlp.intercepts_[0].std() == pytest.approx(bias_std, rel=0.1)
    assert np.abs(mlp.coefs_[0]).max() <= bound


def test_from_weights_roundtrip_and_further_training(iris):
    mlp = fit(quick(max_iter=10), *iris)
    again = BackpropMLPClassifier.from_weights(
        mlp.coefs_, mlp.intercepts_, mlp.classes_, solver="lbfgs", warm_start=True
    )
    np.testing.assert_array_equal(
        again.predict_proba(iris[0]), mlp.predict_proba(iris[0])
    )
    assert again.hidden_layer_sizes == (5,)
    params = mlp.get_params()
    alike = BackpropMLPClassifier.from_thetas(mlp.to_thetas(), mlp.classes_, **params)
    assert alike.get_params() == params | {"hidden_layer_sizes": (5,)}
    loss = again.loss_and_gradient(*iris)[0]
    assert fit(again, *iris).loss_ < loss


@pytest.mark.parametrize(
    ("coefs", "intercepts", "classes", "params", "message"),
    [
        ([np.ones((2, 3))], [np.ones(2)], [0, 1, 2], {}, "one entry per unit"),
        (
            [np.ones((2, 3)), np.ones((2, 2))],
            [np.ones(3), np.ones(2)],
            [0, 1],
            {},
            "ch",
        ),
        (
            [np.ones((2, 3))],
            [np.ones(3)],
            [0, 1],
            {},
            r"1 output\(s\) .* got 3\.$",
        ),
        ([np.ones((2, 2))], [np.ones(2)], [0, 1], {}, "two classes have the output of"),
        (
            [np.ones((2, 1))],
            [np.ones(1)],
            [0, 1],
            {"output_activation": "softmax"},
            r"have 2 output\(s\) for 2 class\(es\), got 1\.$",
        ),
        ([np.ones((2, 3))], [np.ones(3)], [1, 0, 2], {}, "sorted and distinct"),
        (
            [np.ones((2, 3))],
            [np.ones(3)],
            [0, 1] * 99,
            {},
            r"got 0, 1, .*, \.{4}$",
        ),
        (
            [np.ones((2, 3))],
            [np.ones(3)],
            [0, 1, 2],
            {"hidden_layer_sizes": 5},
            r"layers of \[\] units, but hidden_layer_sizes=5",
        ),
        ([np.full((2, 3), np.nan)], [np.ones(3)], [0, 1, 2], {}, "finite"),
        ([np.ones(3)], [np.ones(3)], [0, 1, 2], {}, "matrices"),
        (
            [np.ones((2, 3))],
            [np.ones(3)],
            [0, 1, 2],
            {"alpha": -1},
            "'alpha' parameter",
        ),
        (
            [np.ones((2, 3))],
            [np.ones(3)],
            [0, 1, 2],
            {"input_activation": "tanh"},
            "go together",
        ),
    ],
)
def test_bad_weights(coefs, intercepts, classes, params, message):
    with pytest.raises(ValueError, match=message):
        BackpropMLPClassifier.from_weights(coefs, intercepts, classes, **params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": -1}, "The 'alpha' parameter .* must be a float in the range"),
        ({"solver": "newton"}, "The 'solver' parameter .* must be a str among"),
        ({"activation": "cube"}, "The 'activation' parameter"),
        ({"weight_init": -0.1}, "The 'weight_init' parameter"),
        ({"momentum": 2}, "The 'momentum' parameter"),
        ({"learning_rate_init": 0}, "The 'learning_rate_init' parameter"),
        ({"max_fun": 0}, "The 'max_fun' parameter"),
        ({"loss": "hinge"}, "The 'loss' parameter"),
        ({"class_weight": "fair"}, "The 'class_weight' parameter"),
        ({"activation": ["tanh", "relu"]}, "names 2 activations, but hidden_layer_siz"),
        ({"activation": ["cube"]}, r"unknown names \['cube'\]"),
        (
            {"hidden_layer_sizes": (5, 0)},
            r"hidden_layer_sizes must be > 0, got \[5, 0\]",
        ),
        ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes must be integers"),
        ({"hidden_layer_sizes": (10.0,)}, "hidden_layer_sizes must be integers"),
        ({"class_weight": {0: -2}}, "finite and not negative, got -2 for the label 0"),
        ({"class_weight": {1: np.nan}}, "finite and not negative, got nan"),
        ({"class_weight": {1: np.inf}}, "finite and not negative, got inf"),
        ({"class_weight": {1: "2"}}, "finite and not negative, got '2'"),
        ({"class_weight": {0: 1e308, 1: 1e308}}, "inf, is too large for float64"),
        ({"class_weight": dict.fromkeys(range(3), 1e-320)}, "too small for float64"),
        ({"class_weight": dict.fromkeys(range(3), 0)}, "zero for every row"),
        ({"weight_init": 1e308}, "The 'weight_init' parameter"),
        ({"power_t": 1e300}, "The 'power_t' parameter"),
    ],
    ids=str,
)
def test_bad_parameters(params, message, iris):
    with pytest.raises(ValueError, match=message):
        quick(**params).fit(*iris)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam", "beta_1": 0, "beta_2": 0, "alpha": 0},
        {"solver": "sgd", "momentum": 1, "tol": 0, "dropout": 0},
        {"solver": "sgd", "momentum": 0, "power_t": 0, "early_stopping": True},
    ],
    ids=str,
)
def test_bounds_of_parameters(params, iris):
    mlp = fit(quick(max_iter=2, validation_fraction=0, **params), *iris)
    assert mlp.n_iter_ == 2


def test_labels_of_another_number_of_rows_are_refused_by_score(iris):
    mlp = fit(quick(max_iter=2), *iris)
    for n_rows in (1, 149):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            mlp.score(iris[0], iris[1][:n_rows])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y: (np.where(X > 2, np.nan, X), y), "Input X contains NaN"),
        (lambda X, y: (np.where(X > 2, np.inf, X), y), "Input X contains infinity"),
        (lambda X, y: (X[:5], y[:4]), "inconsistent numbers of samples"),
        (lambda X, y: (X, X[:, 0]), "Unknown label type"),
        (lambda X, y: (X[:, 0], y), "Expected 2D array"),
        (lambda X, y: (X[:0], y[:0]), "Found array with 0 sample"),
    ],
)
def test_bad_data_leaves_the_old_fit(spoil, message, iris):
    mlp = fit(quick(), *iris)
    before = dict(vars(mlp))
    with pytest.raises(ValueError, match=message):
        mlp.fit(*spoil(*iris))
    assert vars(mlp) == before
    mlp.set_params(alpha=-1)
    with pytest.raises(ValueError, match="alpha"):
        mlp.fit(*iris)
    assert mlp.score(*iris) > 0.9


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), "sample_weight.shape"),
        (-np.ones(150), "Negative values in data passed to `sample_weight`"),
        (np.zeros(150), "Sample weights must contain at least one non-zero"),
    ],
)
def test_bad_sample_weight(weights, message, iris):
    with pytest.raises(ValueError, match=message):
        quick().fit(*iris, sample_weight=weights)


def test_wrong_feature_count_and_unfitted(iris):
    with pytest.raises(NotFittedError):
        quick().predict(iris[0])
    mlp = fit(quick(), *iris)
    with pytest.raises(ValueError, match="X has 3 features, but BackpropMLPClassifier"):
        mlp.predict(iris[0][:, :3])
    with pytest.raises(ValueError, match=re.escape("classes not in `self.classes_`")):
        mlp.loss_and_gradient(iris[0], iris[1] + 1)


CLASSIFIERS = pytest.mark.parametrize(
    "classifier",
    [
        BackpropMLPClassifier(5, max_iter=3, random_state=0),
        TabularMLPClassifier(2, 5, max_iter=3, random_state=0),
    ],
    ids=["network", "tabular"],
)


@CLASSIFIERS
@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        ([True, False], bool),
        ([np.True_, False], bool),
        ([3, -1], int),
        ([np.int8(3), 7], int),
        (["b", "a"], object),
    ],
    ids=str,
)
def test_labels_of_type_object(classifier, labels, dtype):
    """Such as a column of pandas after its missing values were left out."""
    X = np.random.default_rng(0).normal(size=(61, 2))
    with_gap = pd.Series([*labels * 30, None], dtype=object)
    known = with_gap.notna()
    X, y = X[known], with_gap[known]
    assert y.dtype == object
    model = fit(clone(classifier), X, y)
    expected = fit(clone(classifier), X, y.to_numpy().astype(dtype))
    assert model.classes_.dtype == model.predict(X).dtype == np.dtype(dtype)
    assert model.classes_.tolist() == sorted(labels)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.score(X, y) == np.mean(model.predict(X) == y)


@CLASSIFIERS
@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]"])
def test_labels_beyond_the_integers_of_floats(classifier, dtype):
    X = np.random.default_rng(0).normal(size=(90, 2))
    y = 2**60 + np.arange(90) % 3
    model = fit(clone(classifier), X, pd.Series(y).astype(dtype))
    assert model.classes_.tolist() == [2**60, 2**60 + 1, 2**60 + 2]
    expected = fit(clone(classifier), X, np.arange(90) % 3)
    np.testing.assert_array_equal(model.predict(X) - 2**60, expected.predict(X))
    accuracy = np.mean(model.predict(X) == y)
    assert 0 < accuracy < 1
    assert model.score(X, pd.Series(y).astype(dtype)) == accuracy


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]"])
def test_given_classes_beyond_the_integers_of_floats(dtype):
    X = np.random.default_rng(0).normal(size=(90, 2))
    y = pd.Series(2**60 + np.arange(90) % 3).astype(dtype)
    first = BackpropMLPClassifier(4).partial_fit(X, y, classes=y.unique())
    again = first.partial_fit(X[:9], y[:9], classes=y.unique())
    untrained = BackpropMLPClassifier(4).initialize(X[:1], y[:1], classes=y.unique())
    for model in (again, untrained):
        assert model.classes_.tolist() == [2**60, 2**60 + 1, 2**60 + 2]


@CLASSIFIERS
@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]", "UInt8", "int8"])
def test_labels_keep_their_type(classifier, dtype):
    X, y = np.arange(60.0)[:, np.newaxis] / 7, np.arange(60) > 30
    model = fit(clone(classifier), X, pd.Series(y).astype(dtype))
    expected = "bool" if "bool" in dtype else dtype.lower()
    assert model.classes_.dtype == model.predict(X).dtype == np.dtype(expected)


@CLASSIFIERS
def test_indicator_matrix_of_type_object(classifier):
    X = np.random.default_rng(0).normal(size=(60, 2))
    Y = np.array([[1, 0], [1, 1], [0, 0]] * 20, dtype=object)
    model = fit(clone(classifier), X, Y)
    expected = fit(clone(classifier), X, Y.astype(int))
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert model.score(X, Y) == np.mean((model.predict(X) == Y).all(axis=1))


@CLASSIFIERS
@pytest.mark.parametrize(
    ("labels", "types"),
    [
        ([1, 2.0], "types float and int"),
        ([1, "a"], "types int and str"),
        (["a", 1], "types int and str"),
        ([True, 2], "types bool and int"),
        ([Decimal(1), Decimal(2)], "type Decimal"),
        ([date(2020, 1, 1), date(2021, 1, 1)], "type date"),
        ([2**70, 1], "type int"),
    ],
    ids=str,
)
def test_labels_of_several_or_unknown_types(classifier, labels, types):
    X = np.random.default_rng(0).normal(size=(60, 2))
    message = rf"y is of type object with values of the {types}: .* y\.astype\(str\)"
    with pytest.raises(ValueError, match=message):
        clone(classifier).fit(X, np.array(labels * 30, dtype=object))


def test_fit_leaves_x_untouched_and_does_not_copy_it(iris):
    X = iris[0].copy()
    X.flags.writeable = False
    mlp = fit(clone(quick(solver="adam", learning_rate_init=0.01)), X, iris[1])
    np.testing.assert_array_equal(X, iris[0])
    assert mlp.score(X, iris[1]) > 0.9


def test_blas_threads_are_put_back(iris):
    from threadpoolctl import threadpool_info, threadpool_limits

    def counts():
        return [library["num_threads"] for library in threadpool_info()]

    before = counts()
    fit(quick(), *iris)
    assert counts() == before
    with threadpool_limits(1):
        fit(quick(), *iris)
        assert set(counts()) == {1}
    with pytest.raises(ValueError, match="NaN"):
        quick().fit(iris[0] * np.nan, iris[1])
    assert counts() == before


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": (9, 9)},
        {"activation": "relu"},
        {"input_activation": "tanh"},
    ],
    ids=str,
)
def test_parameters_set_after_a_fit_count_in_the_next(change, iris):
    """Predictions are the fitted network's; J at other shapes is refused."""
    mlp = fit(quick(), *iris)
    proba = mlp.predict_proba(iris[0])
    mlp.set_params(**change)
    np.testing.assert_array_equal(mlp.predict_proba(iris[0]), proba)
    if "activation" not in change:
        with pytest.raises(ValueError, match=r"units per layer|go together"):
            mlp.loss_and_gradient(*iris)


def test_early_stopping_at_a_useless_epoch_is_said():
    """Every row in the frequent class has the best accuracy for a long time."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8000, 6))
    z = 1.5 * X[:, 0] + X[:, 1] * X[:, 2] + X[:, 3] + rng.logistic(size=8000)
    y = (z > np.quantile(z, 0.98)).astype(int)
    mlp = BackpropMLPClassifier(25, early_stopping=True, random_state=0)
    with pytest.warns(ConvergenceWarning) as caught:
        mlp.fit(X, y)
    (message,) = [str(w.message) for w in caught]
    found, constant = re.search(
        "training, (.*), is worse .* X, (.*?). Early", message
    ).groups()
    assert float(found) == pytest.approx(log_loss(y, mlp.predict_proba(X)), rel=1e-2)
    assert float(constant) == pytest.approx(log_loss(y, np.full(8000, 0.02)), rel=1e-2)
    epoch = 1 + int(np.argmax(mlp.validation_scores_))
    assert f"kept the weights of epoch {epoch}, " in message
    assert epoch < mlp.n_iter_
    # The last weights are better.
    mlp.set_params(early_stopping=False, max_iter=mlp.n_iter_, tol=1).fit(X, y)
    assert log_loss(y, mlp.predict_proba(X)) < float(constant)


def test_validation_rows_with_other_shares_are_no_sign():
    rng = np.random.default_rng(0)
    X, later = rng.normal(size=(2000, 6)), np.arange(2000) >= 1500
    y = rng.random(2000) < 1 / (1 + np.exp(np.where(later, 2.2, 3.6) - X[:, 0]))
    model = TabularMLPClassifier(random_state=0)
    model.fit(X[~later], y[~later], X_val=X[later], y_val=y[later])
    assert len(model.validation_scores_) > 1 + np.argmax(model.validation_scores_)
