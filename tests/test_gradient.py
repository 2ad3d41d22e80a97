"""Backpropagation against central differences and against torch's autograd."""

import itertools

import numpy as np
import pytest
from names import ACTIVATIONS
from scipy import sparse

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    check_gradient,
)

DEPTHS = [(), (5,), (5, 4), (5, 4, 3)]
LOSSES = ["log_loss", "squared_error"]
OUTPUTS = ["softmax", "logistic"]
# What is above the hidden layers: loss, output, number of classes, weights or none.
HEADS = list(itertools.product(LOSSES, OUTPUTS, [2, 3], [False, True]))


def networks():
    """Each activation at each depth, on the input too and not, with heads in turn.

    Layers and head meet in the gradient of the logits alone: so every head at every
    depth and every pair of settings are here, and not all 1024 combinations. The shift
    has an activation meet other heads at another depth.
    """
    for shift, hidden in zip(range(0, 20, 5), DEPTHS, strict=True):
        layers = itertools.product(ACTIVATIONS, [False, True])
        for i, (activation, on_input) in enumerate(layers):
            head = HEADS[(i + shift) % len(HEADS)]
            yield activation, on_input, hidden, *head


NETWORKS = list(networks())


def test_every_pair_of_settings_is_tested():
    settings = [ACTIVATIONS, [False, True], DEPTHS]
    settings += [LOSSES, OUTPUTS, [2, 3], [False, True]]
    for i, j in itertools.combinations(range(len(settings)), 2):
        wanted = set(itertools.product(settings[i], settings[j]))
        assert {(network[i], network[j]) for network in NETWORKS} == wanted
    assert {network[2:] for network in NETWORKS} == {
        (hidden, *head) for hidden in DEPTHS for head in HEADS
    }


def make(activation, loss, output, hidden, input_activation, classes, **params):
    rng = np.random.default_rng(len(hidden))
    n_outputs = 1 if classes == 2 and output == "logistic" else classes
    units = [4, *hidden, n_outputs]
    shapes = list(itertools.pairwise(units))
    return BackpropMLPClassifier.from_weights(
        [rng.uniform(-0.9, 0.9, shape) for shape in shapes],
        [rng.uniform(-0.5, 0.5, fan_out) for _, fan_out in shapes],
        np.arange(classes),
        input_intercept=rng.uniform(-0.5, 0.5, 4) if input_activation else None,
        activation=activation,
        loss=loss,
        output_activation=output,
        input_activation=input_activation,
        alpha=0.7,
        **params,
    )


def data(classes):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((12, 4))
    return X, np.arange(12) % classes, rng.uniform(0.2, 3, 12)


def perturbed_loss(mlp, arrays, flat, X, y, weights):
    """J with all of the classifier's arrays overwritten by `flat`."""
    start = 0
    for array in arrays:
        array[...] = flat[start : start + array.size].reshape(array.shape)
        start += array.size
    return mlp.loss_and_gradient(X, y, weights)[0]


@pytest.mark.parametrize(
    ("activation", "on_input", "hidden", "loss", "output", "classes", "weighted"),
    NETWORKS,
)
def test_central_differences(
    activation, on_input, hidden, loss, output, classes, weighted
):
    input_activation = activation if on_input else None
    mlp = make(activation, loss, output, hidden, input_activation, classes)
    X, y, weights = data(classes)
    weights = weights if weighted else None
    arrays = [*mlp.coefs_, *mlp.intercepts_]
    _, gradient = mlp.loss_and_gradient(X, y, weights)
    gradients = [*gradient.coefs, *gradient.intercepts]
    if on_input:
        arrays.append(mlp.input_intercept_)
        gradients.append(gradient.input_intercept)
    analytical = np.concatenate([g.ravel() for g in gradients])
    flat = np.concatenate([a.ravel() for a in arrays])
    numerical = np.empty_like(flat)
    for i, step in enumerate(1e-5 * np.eye(len(flat))):
        ahead = perturbed_loss(mlp, arrays, flat + step, X, y, weights)
        behind = perturbed_loss(mlp, arrays, flat - step, X, y, weights)
        numerical[i] = (ahead - behind) / 2e-5
    difference = np.linalg.norm(numerical - analytical)
    assert difference / np.linalg.norm(numerical + analytical) < 1e-8


def torch_loss(torch, mlp, X, y, weights):
    """The objective written in torch, with gradients in the returned tensors."""
    functions = {
        "identity": lambda z: z,
        "logistic": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
    }
    coefs = [torch.tensor(c, requires_grad=True) for c in mlp.coefs_]
    intercepts = [torch.tensor(b, requires_grad=True) for b in mlp.intercepts_]
    a = torch.tensor(X)
    for i, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        a = a @ coef + intercept
        if i < len(coefs) - 1:
            a = functions[mlp.activation](a)
    target = torch.tensor(np.eye(3)[y])
    if mlp.loss == "log_loss" and mlp.output_activation == "softmax":
        row = -(torch.log_softmax(a, 1) * target).sum(1)
    elif mlp.loss == "log_loss":
        bce = torch.nn.functional.binary_cross_entropy_with_logits
        row = bce(a, target, reduction="none").sum(1)
    else:
        p = torch.softmax(a, 1) if mlp.output_activation == "softmax" else a.sigmoid()
        row = ((p - target) ** 2).sum(1) / 2
    w = torch.tensor(weights)
    penalty = sum((coef**2).sum() for coef in coefs)
    loss = ((w * row).sum() + mlp.alpha / 2 * penalty) / w.sum()
    loss.backward()
    return loss.item(), coefs, intercepts


@pytest.mark.peers
@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_torch_autograd(activation, loss, output, hidden):
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: peers)")
    mlp = make(activation, loss, output, hidden, None, 3)
    X, y, weights = data(3)
    value, gradient = mlp.loss_and_gradient(X, y, weights)
    expected, coefs, intercepts = torch_loss(torch, mlp, X, y, weights)
    assert value == pytest.approx(expected, rel=1e-13)
    for ours, theirs in zip(
        [*gradient.coefs, *gradient.intercepts], [*coefs, *intercepts], strict=True
    ):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_stable_at_any_logit(loss, output):
    """Logits of +-1e4: finite, and the exact limits of loss and gradient."""
    mlp = BackpropMLPClassifier.from_weights(
        [np.diag([1e4, -1e4, 0.0])],
        [np.zeros(3)],
        [0, 1, 2],
        loss=loss,
        output_activation=output,
        alpha=0,
    )
    value, gradient = mlp.loss_and_gradient([[1.0, 1.0, 1.0]], [1])
    exact = {
        ("log_loss", "softmax"): 2e4,
        ("log_loss", "logistic"): 2e4 + np.log(2),
        ("squared_error", "softmax"): 1.0,
        ("squared_error", "logistic"): 1.125,
    }
    assert value == pytest.approx(exact[loss, output], rel=1e-14)
    assert all(np.isfinite(g).all() for g in gradient.coefs)
    if loss == "log_loss":
        third = 0.0 if output == "softmax" else 0.5
        np.testing.assert_allclose(gradient.intercepts[0], [1, -1, third], atol=1e-15)
    log_proba = mlp.predict_log_proba([[1.0, 1.0, 1.0]])
    assert np.isfinite(log_proba).all()
    if output == "softmax":
        np.testing.assert_allclose(log_proba, [[0, -2e4, -1e4]])


def test_row_blocks_sum_to_the_whole(blobs):
    """More rows than a block holds, dense and sparse: J is the mean over copies."""
    X, y, weights = blobs
    mlp = BackpropMLPClassifier.from_weights(
        [np.linspace(-1, 1, 20).reshape(4, 5), np.linspace(-1, 1, 15).reshape(5, 3)],
        [np.zeros(5), np.zeros(3)],
        [0, 1, 2],
        alpha=0,
    )
    value, gradient = mlp.loss_and_gradient(X, y, weights)
    many = 100
    for big in (np.tile(X, (many, 1)), sparse.csr_array(np.tile(X, (many, 1)))):
        big_value, big_gradient = mlp.loss_and_gradient(
            big, np.tile(y, many), np.tile(weights, many)
        )
        assert big_value == pytest.approx(value, rel=1e-13)
        for a, b in zip(gradient.coefs, big_gradient.coefs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-15)


def test_check_gradient_of_fitted_fresh_and_large(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(hidden_layer_sizes=6, random_state=0)
    fresh = check_gradient(mlp, X, y)
    assert fresh.passed
    assert fresh.coverage == "every coordinate"
    assert set(fresh.by_layer) == {
        "coefs_[0]",
        "coefs_[1]",
        "intercepts_[0]",
        "intercepts_[1]",
    }
    assert not hasattr(mlp, "coefs_")
    mlp.set_params(solver="lbfgs", alpha=1).fit(X, y)
    at_weights = check_gradient(mlp, X, y)
    assert at_weights.passed
    assert at_weights.by_layer != fresh.by_layer
    large = BackpropMLPClassifier(hidden_layer_sizes=600, random_state=0)
    check = check_gradient(large, X, y, random_state=0)
    assert check.passed
    assert "random directions" in repr(check)


@pytest.mark.parametrize(
    "changed",
    [
        {"activation": "tanh"},
        {"activation": ["relu", "tanh"]},
        {"input_activation": "tanh"},
        {"output_activation": "logistic"},
    ],
)
def test_another_network_than_that_of_predict_is_refused(changed, iris):
    X, y = iris
    params = {"activation": "relu", "input_activation": "relu"}
    mlp = BackpropMLPClassifier((4, 3), random_state=0, **params).initialize(X, y)
    expected = -np.log(mlp.predict_proba(X)[np.arange(len(y)), y])
    np.testing.assert_allclose(mlp.losses(X, y), expected, rtol=1e-12)
    mlp.set_params(**changed)
    for evaluate in (
        mlp.losses,
        mlp.loss_and_gradient,
        lambda X, y: check_gradient(mlp, X, y),
    ):
        with pytest.raises(ValueError, match="Call `fit` or `initialize` again"):
            evaluate(X, y)
    mlp.initialize(X, y)
    assert np.isfinite(mlp.losses(X, y)).all()


def test_the_penalty_and_the_loss_are_those_of_today(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(4, alpha=0, random_state=0).initialize(X, y)
    loss, _ = mlp.loss_and_gradient(X, y)
    penalty = sum((coef**2).sum() for coef in mlp.coefs_) / (2 * len(y))
    penalized, _ = mlp.set_params(alpha=3).loss_and_gradient(X, y)
    assert penalized == pytest.approx(loss + 3 * penalty)


def test_theta_is_not_cut_to_integers():
    mlp = BackpropMLPRegressor.from_weights([[[2.0], [3.0]]], [[1.0]])
    mlp.coefs_ = [np.array([[2], [3]])]
    np.testing.assert_array_equal(
        mlp.set_theta([0.5, 1.5, 2.5]).get_theta(), [0.5, 1.5, 2.5]
    )
    assert mlp.coefs_[0].dtype == np.float64


@pytest.mark.parametrize("output", ["softmax", "logistic"])
def test_integer_weights_are_those_of_floats(output):
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * 0.6, [0, 1, 1, 0]
    mlp = BackpropMLPClassifier((2,), output_activation=output, random_state=0)
    mlp.initialize(X, y)
    n_outputs = len(mlp.intercepts_[1])
    weights = [np.array([[1, 1], [1, 1]]), np.array([[1, 2], [-2, 1]])[:, :n_outputs]]
    biases = [np.array([0, -1]), np.array([1, 0])[:n_outputs]]
    found = []
    for dtype in float, int:
        mlp.coefs_ = [coef.astype(dtype) for coef in weights]
        mlp.intercepts_ = [bias.astype(dtype) for bias in biases]
        found.append([mlp.predict_proba(X), mlp.losses(X, y), mlp.decision_function(X)])
    for of_floats, of_integers in zip(*found, strict=True):
        np.testing.assert_array_equal(of_floats, of_integers)
