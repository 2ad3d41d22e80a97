"""check_gradient finds planted faults, names the layer, and passes without them."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier, _network, check_gradient
from skmlp_backprop._activations import ACTIVATIONS
from skmlp_backprop._losses import LOSSES
from skmlp_backprop._objective import Objective

DEPTHS = [(), (5,), (5, 4), (5, 4, 3)]


def make(hidden=(5, 4), **params):
    params = {"alpha": 2.0, "weight_init": "normal", "random_state": 0, **params}
    return BackpropMLPClassifier(hidden, **params)


@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
@pytest.mark.parametrize(("loss", "output"), sorted(LOSSES))
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


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_missing_bias_gradient(check, monkeypatch, layer):
    sum_rows = _network._sum_rows
    fan_out = (5, 4, 3)[layer]

    def faulty(delta, out, buffers):
        sum_rows(delta, out, buffers)
        if out.shape[1] == fan_out:
            out[:] = 0

    monkeypatch.setattr(_network, "_sum_rows", faulty)
    assert_finds(check(make()), [f"intercepts_[{layer}]"])


def test_missing_alpha(check, monkeypatch):
    penalty = Objective._penalty

    def faulty(self, parameters, scale, gradient):
        return penalty(self, parameters, scale, gradient.packed())

    monkeypatch.setattr(Objective, "_penalty", faulty)
    assert_finds(check(make()), [f"coefs_[{layer}]" for layer in range(3)])
    assert check(make(alpha=0)).passed


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_missing_alpha_in_one_layer(check, monkeypatch, layer):
    penalty = Objective._penalty

    def faulty(self, parameters, scale, gradient):
        loss = penalty(self, parameters, scale, gradient)
        gradient.weights[layer] -= self.alpha * scale * parameters.weights[layer]
        return loss

    monkeypatch.setattr(Objective, "_penalty", faulty)
    assert_finds(check(make()), [f"coefs_[{layer}]"])


def test_penalised_bias(check, monkeypatch):
    penalty = Objective._penalty

    def faulty(self, parameters, scale, gradient):
        for slope, bias in zip(gradient.intercepts, parameters.intercepts, strict=True):
            slope += self.alpha * scale * bias
        return penalty(self, parameters, scale, gradient)

    monkeypatch.setattr(Objective, "_penalty", faulty)
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


@pytest.mark.parametrize(("loss", "output"), sorted(LOSSES))
def test_wrong_loss_derivative(check, monkeypatch, loss, output):
    kind = type(LOSSES[loss, output])
    right = kind.__call__

    def faulty(self, z, *args):
        rows = right(self, z, *args)
        z *= 1.001
        return rows

    monkeypatch.setattr(kind, "__call__", faulty)
    result = check(make(alpha=0, loss=loss, output_activation=output))
    assert_finds(result, result.by_layer)


def test_missing_input_bias_gradient(check, monkeypatch):
    first_gradient = _network.Network._first_gradient

    def faulty(self, parameters, X, delta, gradient, buffers):
        first_gradient(self, parameters, X, delta, gradient, buffers)
        gradient.input_intercept[:] = 0

    mlp = make(input_activation="tanh")
    assert check(mlp).passed
    monkeypatch.setattr(_network.Network, "_first_gradient", faulty)
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
