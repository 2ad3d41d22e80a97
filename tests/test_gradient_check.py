"""check_gradient finds planted faults, names the layer, and passes without them."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from names import ACTIVATIONS, names_of
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    check_gradient,
)
from skmlp_backprop.extending import Activation

DEPTHS = [(), (5,), (5, 4), (5, 4, 3)]
OF_CLASSES = list(product(names_of("loss"), ["logistic", "softmax"]))


def tanh_with(derivative):
    """tanh, with any function of its value as the derivative."""

    class Tanh(Activation):
        def apply(self, z, out):
            np.tanh(z, out=out)

        def multiply_derivative(self, kept, delta):
            delta *= derivative(kept)

    return Tanh()


def right(f):
    return 1 - f**2


class Relu(Activation):
    """max(z, leak z), with a factor in the derivative."""

    has_kink = True

    def __init__(self, leak, factor):
        self.leak = leak
        self.factor = factor

    def apply(self, z, out):
        np.maximum(z, self.leak * z, out=out)

    def multiply_derivative(self, kept, delta):
        delta *= self.factor * np.where(kept > 0, 1, self.leak)


def make(hidden=(5, 4), **params):
    params = {"alpha": 2.0, "weight_init": "normal", "random_state": 0, **params}
    return BackpropMLPClassifier(hidden, **params)


@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
@pytest.mark.parametrize(("loss", "output"), OF_CLASSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_passes(blobs, activation, loss, output, hidden):
    X, y, weight = blobs
    mlp = make(hidden, activation=activation, loss=loss, output_activation=output)
    check = check_gradient(mlp, X, y, weight)
    assert check.passed, check
    assert check.relative_difference < 1e-8
    assert len(check.by_layer) == 2 * (len(hidden) + 1)
    # There is nothing to look for.
    assert "n_directions" not in repr(check)


def planted(mlp, data, fault):
    """A fitted network and its gradient, which `fault` changes."""
    mlp = mlp if hasattr(mlp, "coefs_") else mlp.initialize(*data[:2])
    gradient = mlp.loss_and_gradient(*data)[1]
    fault(mlp, gradient)
    return {"estimator": mlp, "gradient": gradient}


@pytest.fixture(params=[None, 20], ids=["coordinates", "directions"])
def check(request, blobs):
    """Checks a network on the blobs, both ways; a fault may change its gradient."""

    def run(mlp, fault=None):
        checked = {"estimator": mlp} if fault is None else planted(mlp, blobs, fault)
        X, y, weight = blobs
        params = {"n_directions": request.param, "random_state": 0}
        return check_gradient(X=X, y=y, sample_weight=weight, **checked, **params)

    return run


def assert_finds(result, disagreeing):
    assert not result.passed
    assert sorted(result.disagreeing) == sorted(disagreeing)
    assert f"FAILED in {result.disagreeing}" in repr(result)
    assert result.relative_difference > 1e-4


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_missing_bias_gradient(check, layer):
    result = check(make(), lambda mlp, gradient: gradient.intercepts[layer].fill(0))
    assert_finds(result, [f"intercepts_[{layer}]"])


@pytest.mark.parametrize("layers", [[0, 1, 2], [0], [1], [2]])
def test_missing_alpha(check, blobs, layers):
    def fault(mlp, gradient):
        for layer in layers:
            gradient.coefs[layer] -= mlp.alpha * mlp.coefs_[layer] / blobs[2].sum()

    assert_finds(check(make(), fault), [f"coefs_[{layer}]" for layer in layers])
    assert check(make(alpha=0), fault).passed


def test_penalised_bias(check, blobs):
    def fault(mlp, gradient):
        for slope, bias in zip(gradient.intercepts, mlp.intercepts_, strict=True):
            slope += mlp.alpha * bias / blobs[2].sum()

    assert_finds(check(make(), fault), [f"intercepts_[{layer}]" for layer in range(3)])


# The derivative in the second hidden layer reaches all that feeds it, and no more.
BELOW = ["coefs_[0]", "coefs_[1]", "intercepts_[0]", "intercepts_[1]"]


@pytest.mark.parametrize(
    "wrong",
    [lambda f: 1, lambda f: f * (1 - f)],
    ids=["forgotten", "of the logistic function"],
)
def test_wrong_activation_derivative(check, wrong):
    assert check(make(activation=("identity", tanh_with(right)))).passed
    assert_finds(check(make(activation=("identity", tanh_with(wrong)))), BELOW)


@pytest.mark.parametrize(("loss", "output"), OF_CLASSES)
def test_wrong_loss_derivative(check, loss, output):
    def fault(mlp, gradient):
        for slope in (*gradient.coefs, *gradient.intercepts):
            slope *= 1.001

    result = check(make(alpha=0, loss=loss, output_activation=output), fault)
    assert_finds(result, result.by_layer)


def test_missing_input_bias_gradient(check):
    mlp = make(input_activation="tanh")
    assert check(mlp).passed
    result = check(mlp, lambda mlp, gradient: gradient.input_intercept.fill(0))
    assert_finds(result, ["input_intercept_"])


def test_sparse_and_multilabel(blobs):
    X, y, weight = blobs
    thin = sparse.csr_array(np.where(X > 0, X, 0))
    assert check_gradient(make(), thin, y, weight).passed
    labels = np.column_stack([y == 0, X[:, 0] > 0]).astype(int)
    assert check_gradient(make(), X, labels, weight).passed


def test_names_the_classifier_it_wants(blobs):
    with pytest.raises(TypeError, match=r"pass pipeline\[-1\]"):
        check_gradient(make_pipeline(StandardScaler(), make()), *blobs[:2])


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
def test_kinks_are_no_faults(activation, iris):
    """Of ten seeds some have a unit whose kink is within the step."""
    for seed in range(10):
        mlp = BackpropMLPClassifier((20, 10), activation=activation, random_state=seed)
        check = check_gradient(mlp, *iris)
        assert check.passed
        assert check.relative_difference < 1e-8


def test_what_kinks_rule_out_is_counted(blobs):
    """A row of zeros and biases of zero: the first layer's units are at their kinks."""
    X, y, _ = blobs
    X = np.vstack([X, np.zeros(4)])
    y = np.append(y, 0)
    mlp = make((5,), activation="relu", weight_init="he")
    check = check_gradient(mlp, X, y)
    assert check.passed is False
    assert check.disagreeing == ["intercepts_[0]"]
    assert check.n_left_out["intercepts_[0]"] == 5
    assert check.n_checked["intercepts_[0]"] == 0
    assert "5 of 5 left out: a kink within the step" in repr(check)
    assert check.n_left_out["coefs_[0]"] == 0
    assert "could check nothing in ['intercepts_[0]']; take random" in repr(check)
    assert "FAILED" not in repr(check)
    # What is left is still checked.
    partly = BackpropMLPClassifier.from_weights(
        [np.ones((4, 2)), [[1, 2, 3], [0.3, 0.1, 0.2]]], [[0, 9], [0] * 3], [0, 1, 2]
    ).set_params(activation="relu")
    check = check_gradient(partly, X, y)
    assert check.passed
    assert check.n_left_out["intercepts_[0]"] == 1
    assert check.n_checked["intercepts_[0]"] == 1

    def fault(mlp, gradient):
        for slope in gradient.intercepts:
            slope.fill(0)

    check = check_gradient(X=X, y=y, **planted(partly, (X, y), fault))
    assert check.disagreeing == ["intercepts_[0]", "intercepts_[1]"]
    assert "FAILED in ['intercepts_[0]', 'intercepts_[1]']" in repr(check)


@pytest.mark.parametrize("leak", [0, 0.01])
def test_a_fault_in_a_kinked_activation_is_found(leak, iris):
    for seed in range(5):
        for factor in (1, 1.0001):
            mlp = BackpropMLPClassifier((20, 10), Relu(leak, factor), random_state=seed)
            found = "coefs_[0]" in check_gradient(mlp, *iris).disagreeing
            assert found == (factor != 1)


def test_what_is_not_finite_fails(blobs):
    X, y, _ = blobs
    check = check_gradient(make(activation="relu", alpha=0), abs(X) / 4 * 1e308, y)
    assert not check.passed
    assert np.isnan(check.relative_difference)
    check = check_gradient(make(activation=tanh_with(lambda f: np.nan)), X, y)
    assert not check.passed
    assert "FAILED" in repr(check)


@pytest.mark.parametrize("eps", [1e-8, 1e-6, 1e-2])
def test_faults_are_found_with_any_step(eps, blobs):
    faulty = tanh_with(lambda f: 1.001 * right(f))
    assert check_gradient(make(activation=tanh_with(right)), *blobs, eps=eps).passed
    check = check_gradient(make(activation=faulty), *blobs, eps=eps)
    assert check.disagreeing == BELOW


@pytest.mark.parametrize(
    "params",
    [
        {"eps": 0},
        {"eps": 1e-9},
        {"eps": -1e-4},
        {"eps": np.nan},
        {"eps": np.inf},
        {"n_directions": 0},
        {"n_directions": 2.5},
    ],
    ids=str,
)
def test_senseless_steps_and_directions_are_refused(params, blobs):
    (name,) = params
    with pytest.raises(ValueError, match=f"The '{name}' parameter of check_gradient"):
        check_gradient(make(), *blobs[:2], **params)


def test_memory_of_a_few_copies_of_the_weights():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 1000)), np.arange(20) % 2
    mlp = BackpropMLPClassifier(1100, random_state=0)
    check_gradient(mlp, X[:, :5], y)
    tracemalloc.start()
    check = check_gradient(mlp, X, y, random_state=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert check.passed
    n_parameters = 1000 * 1100 + 1100 + 1100 + 1
    # The weights, those moved, two gradients, a direction, and the unfitted copy's.
    assert peak < 8.5 * 8 * n_parameters
    assert f"5 random directions in each array, of {n_parameters} " in check.coverage
    assert set(check.n_checked.values()) == {5}


@pytest.mark.parametrize("output", ["auto", "softmax"])
@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_passes_near_a_minimum_with_a_small_loss(iris, solver, output):
    X, y = iris
    params = {"solver": solver, "alpha": 0.01, "tol": 1e-8, "max_iter": 3000}
    mlp = make((4,), output_activation=output, activation="tanh", **params)
    mlp.fit(X, y > 0)
    assert mlp.loss_ < 2e-3
    assert check_gradient(mlp, X, y > 0).passed


@pytest.fixture(scope="module")
def on_wine():
    """A network that was fitted to inputs that are not scaled, and their classes."""
    X, y = load_wine(return_X_y=True)
    params = {"activation": "tanh", "solver": "lbfgs", "max_iter": 2000}
    mlp = BackpropMLPClassifier(5, alpha=1, random_state=0, **params)
    with pytest.warns(ConvergenceWarning):
        return mlp.fit(X, y), X, y


def test_passes_where_the_loss_curves_much(on_wine):
    check = check_gradient(*on_wine)
    assert check.passed, check


def test_a_fault_is_found_where_the_loss_curves_much(on_wine):
    mlp, X, y = on_wine
    gradient = mlp.loss_and_gradient(X, y)[1].ravel()
    gradient[7] += 1e-3 * np.linalg.norm(gradient)
    check = check_gradient(mlp, X, y, gradient=gradient)
    assert check.disagreeing == ["coefs_[0]"]


@pytest.mark.filterwarnings("ignore:lbfgs stopped at max_iter=5")
def test_one_class_is_nothing_to_check(digits):
    """As the first rows of a sorted file are; the loss is 0 whatever the weights."""
    X, y = digits
    rows = np.flatnonzero(y == 3)[:20]
    with pytest.raises(ValueError, match=r"nothing to check: y has one class, \[3\]"):
        check_gradient(make((4,)), X[rows], y[rows])
    mlp = make((4,), solver="lbfgs", max_iter=5).fit(X[rows], y[rows])
    with pytest.raises(ValueError, match="nothing to check"):
        check_gradient(mlp, X[rows], y[rows])
    # Of a network that knows others there is.
    mlp.fit(X[:100], y[:100])
    assert check_gradient(mlp, X[rows], y[rows], n_directions=3).passed


@pytest.mark.parametrize("kind", [tuple, list, np.array])
def test_a_gradient_of_two_numbers_is_no_pair_of_the_loss_and_another(kind):
    mlp = BackpropMLPRegressor.from_weights([[[2.0]]], [[1.0]])
    X, y = np.arange(6.0)[:, np.newaxis], np.arange(6.0) ** 2
    gradient = mlp.loss_and_gradient(X, y)[1].ravel()
    check = check_gradient(mlp, X, y, gradient=lambda theta: kind(gradient))
    assert check.passed


def test_fresh_weights_are_those_of_the_estimators_seed(blobs):
    X, y, _ = blobs
    mlp = BackpropMLPClassifier(3, activation="tanh", random_state=7)
    expected = clone(mlp).initialize(X, y).loss_and_gradient(X, y)[1].ravel()
    check = check_gradient(mlp, X, y, random_state=1)
    np.testing.assert_allclose(check.analytical.ravel(), expected, rtol=1e-12)
    mlp.set_params(random_state=None)
    first, second = (check_gradient(mlp, X, y, random_state=1) for _ in range(2))
    assert first == second


def test_a_kink_in_a_row_after_the_first_block():
    X, y = np.ones((4000, 1)), np.ones(4000)
    X[3000], y[3000] = 1e-7, 1e7
    mlp = BackpropMLPRegressor.from_weights([[[1.0]], [[1.0]]], [[0.0], [0.0]], alpha=0)
    check = check_gradient(mlp, X, y, eps=1e-3)
    assert check.n_left_out["intercepts_[0]"] == 1
