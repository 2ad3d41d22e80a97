"""check_gradient finds planted faults, names the layer, and passes without them."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier, check_gradient
from skmlp_backprop._network.activations import ACTIVATIONS
from skmlp_backprop._network.losses import LOSSES
from skmlp_backprop._network.objective import Objective

DEPTHS = [(), (5,), (5, 4), (5, 4, 3)]


OF_CLASSES = sorted(key for key in LOSSES if key[1] in ("softmax", "logistic"))


def make(hidden=(5, 4), **params):
    params = {"alpha": 2.0, "weight_init": "normal", "random_state": 0, **params}
    return BackpropMLPClassifier(hidden, **params)


@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
@pytest.mark.parametrize(("loss", "output"), OF_CLASSES)
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_passes(blobs, activation, loss, output, hidden):
    X, y, weight = blobs
    mlp = make(hidden, activation=activation, loss=loss, output_activation=output)
    check = check_gradient(mlp, X, y, weight)
    assert check.passed, check
    assert check.relative_difference < 1e-8
    assert len(check.by_layer) == 2 * (len(hidden) + 1)


@pytest.fixture(params=[None, 20], ids=["coordinates", "directions"])
def check(request, blobs):
    """Checks a network on the blobs, both ways."""

    def run(mlp):
        X, y, weight = blobs
        return check_gradient(
            mlp, X, y, weight, n_directions=request.param, random_state=0
        )

    return run


def assert_finds(result, disagreeing):
    assert not result.passed
    assert sorted(result.disagreeing) == sorted(disagreeing)
    assert f"FAILED in {result.disagreeing}" in repr(result)
    assert result.relative_difference > 1e-4


@pytest.fixture
def plant(monkeypatch):
    """Plants a fault in every gradient: a function of the objective and of 1/W."""
    right = Objective.loss_and_gradient

    def planted(fault):
        def faulty(self, rows):
            loss = right(self, rows)
            fault(self, 1 / rows.weight_sum)
            return loss

        monkeypatch.setattr(Objective, "loss_and_gradient", faulty)

    return planted


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_missing_bias_gradient(check, plant, layer):
    plant(lambda objective, scale: objective.gradient.intercepts[layer].fill(0))
    assert_finds(check(make()), [f"intercepts_[{layer}]"])


@pytest.mark.parametrize("layers", [[0, 1, 2], [0], [1], [2]])
def test_missing_alpha(check, plant, layers):
    def fault(objective, scale):
        for layer in layers:
            weights = objective.parameters.weights[layer]
            objective.gradient.weights[layer][...] -= objective.alpha * scale * weights

    plant(fault)
    assert_finds(check(make()), [f"coefs_[{layer}]" for layer in layers])
    assert check(make(alpha=0)).passed


def test_penalised_bias(check, plant):
    def fault(objective, scale):
        gradient, parameters = objective.gradient, objective.parameters
        for slope, bias in zip(gradient.intercepts, parameters.intercepts, strict=True):
            slope += objective.alpha * scale * bias

    plant(fault)
    assert_finds(check(make()), [f"intercepts_[{layer}]" for layer in range(3)])


# The derivative in the second hidden layer reaches all that feeds it, and no more.
BELOW = ["coefs_[0]", "coefs_[1]", "intercepts_[0]", "intercepts_[1]"]


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity"}))
def test_wrong_activation_derivative(check, monkeypatch, name):
    def forgotten(kept, delta):
        pass

    activations = ("identity", name)
    assert check(make(activation=activations)).passed
    monkeypatch.setattr(ACTIVATIONS[name], "multiply_derivative", forgotten)
    assert_finds(check(make(activation=activations)), BELOW)


def test_derivative_of_another_activation(check, monkeypatch):
    logistic = ACTIVATIONS["logistic"].multiply_derivative
    monkeypatch.setattr(ACTIVATIONS["tanh"], "multiply_derivative", logistic)
    assert_finds(check(make(activation=("identity", "tanh"))), BELOW)


@pytest.mark.parametrize(("loss", "output"), OF_CLASSES)
def test_wrong_loss_derivative(check, monkeypatch, loss, output):
    kind = LOSSES[loss, output]
    right = kind.__call__

    def faulty(self, z, *args):
        rows = right(self, z, *args)
        z *= 1.001
        return rows

    monkeypatch.setattr(kind, "__call__", faulty)
    result = check(make(alpha=0, loss=loss, output_activation=output))
    assert_finds(result, result.by_layer)


def test_missing_input_bias_gradient(check, plant):
    mlp = make(input_activation="tanh")
    assert check(mlp).passed
    plant(lambda objective, scale: objective.gradient.input_intercept.fill(0))
    assert_finds(check(mlp), ["input_intercept_"])


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


def test_what_kinks_rule_out_is_counted(blobs, plant):
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
    # What is left is still checked.
    partly = BackpropMLPClassifier.from_weights(
        [np.ones((4, 2)), [[1, 2, 3], [0.3, 0.1, 0.2]]], [[0, 9], [0] * 3], [0, 1, 2]
    ).set_params(activation="relu")
    check = check_gradient(partly, X, y)
    assert check.passed
    assert check.n_left_out["intercepts_[0]"] == 1
    assert check.n_checked["intercepts_[0]"] == 1

    def fault(objective, scale):
        for slope in objective.gradient.intercepts:
            slope.fill(0)

    plant(fault)
    assert check_gradient(partly, X, y).disagreeing == [
        "intercepts_[0]",
        "intercepts_[1]",
    ]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_fault_in_a_kinked_activation_is_found(activation, iris, monkeypatch):
    derivative = ACTIVATIONS[activation].multiply_derivative

    def faulty(kept, delta):
        derivative(kept, delta)
        delta *= 1.0001

    monkeypatch.setattr(ACTIVATIONS[activation], "multiply_derivative", faulty)
    for seed in range(5):
        mlp = BackpropMLPClassifier((20, 10), activation=activation, random_state=seed)
        assert "coefs_[0]" in check_gradient(mlp, *iris).disagreeing


def test_what_is_not_finite_fails(blobs, monkeypatch):
    X, y, _ = blobs
    check = check_gradient(make(activation="relu", alpha=0), abs(X) / 4 * 1e308, y)
    assert not check.passed
    assert np.isnan(check.relative_difference)
    tanh = ACTIVATIONS["tanh"]
    monkeypatch.setattr(tanh, "apply", lambda z, out: out.fill(np.nan))
    check = check_gradient(make(activation="tanh"), X, y)
    assert not check.passed
    assert "FAILED" in repr(check)


@pytest.mark.parametrize("eps", [1e-8, 1e-6, 1e-2])
def test_faults_are_found_with_any_step(eps, blobs, monkeypatch):
    derivative = ACTIVATIONS["tanh"].multiply_derivative

    def faulty(kept, delta):
        derivative(kept, delta)
        delta *= 1.001

    mlp = make(activation="tanh")
    assert check_gradient(mlp, *blobs, eps=eps).passed
    monkeypatch.setattr(ACTIVATIONS["tanh"], "multiply_derivative", faulty)
    assert check_gradient(mlp, *blobs, eps=eps).disagreeing == BELOW


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
