"""The exercise "neural networks learning", cell by cell.

The numbers of the exercise need its files; the same cells run on scikit-learn's digits.
"""

import copy
import doctest
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    Gradient,
    TabularMLPClassifier,
    check_gradient,
)
from skmlp_backprop.callbacks import EarlyStopping

LOGISTIC = {"activation": "logistic", "output_activation": "logistic"}
SHORT = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="session")
def given_thetas(data_dir):
    """The course's Theta1 (25, 401) and Theta2 (10, 26), as the file has them."""
    arrays = scipy.io.loadmat(data_dir / "ex4weights.mat")
    return [arrays["Theta1"], arrays["Theta2"]]


@pytest.fixture
def toy():
    """A network as that of the course's checkNNGradients, and five rows."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 3)), np.array([2, 3, 1, 2, 3])
    mlp = BackpropMLPClassifier(5, alpha=3, random_state=0, **LOGISTIC)
    return mlp, X, y


def cost_of_textbook(thetas, X, y, lam):
    """J by the formulas of the exercise, with labels from 1 on."""
    a = X
    for theta in thetas:
        a = expit(np.c_[np.ones(len(a)), a] @ theta.T)
    target = np.eye(len(thetas[-1]))[y - 1]
    losses = -(target * np.log(a) + (1 - target) * np.log(1 - a)).sum(axis=1)
    penalty = sum((theta[:, 1:] ** 2).sum() for theta in thetas)
    return losses.mean() + lam / (2 * len(X)) * penalty


# Theta1, Theta2 and the flat theta.


@pytest.mark.parametrize(
    ("lam", "cost"), [(0, 0.2876291651613189), (1, 0.38376985909092365)]
)
def test_cost_at_the_given_weights(given_thetas, exercise, lam, cost):
    mlp = BackpropMLPClassifier.from_thetas(
        given_thetas, classes=range(1, 11), alpha=lam, **LOGISTIC
    )
    assert mlp.loss_and_gradient(*exercise)[0] == pytest.approx(cost, rel=1e-12)
    assert mlp.score(*exercise) == 0.9752
    for theta, given in zip(mlp.to_thetas(), given_thetas, strict=True):
        np.testing.assert_array_equal(theta, given)
    unrolled = np.concatenate([theta.ravel(order="F") for theta in given_thetas])
    np.testing.assert_array_equal(mlp.get_theta(), unrolled)


def test_labels_from_0_move_the_output_of_the_digit_0(given_thetas, exercise):
    """The docstring of from_thetas says so."""
    X, y = exercise
    theta1, theta2 = given_thetas
    mlp = BackpropMLPClassifier.from_thetas(
        [theta1, np.roll(theta2, 1, axis=0)], classes=range(10), **LOGISTIC
    )
    assert mlp.score(X, y % 10) == 0.9752


def test_thetas_there_and_back(toy):
    mlp, X, y = toy
    mlp.initialize(X, y)
    thetas = mlp.to_thetas()
    assert [theta.shape for theta in thetas] == [(5, 4), (3, 6)]
    again = BackpropMLPClassifier.from_thetas(
        thetas, classes=[1, 2, 3], alpha=3, **LOGISTIC
    )
    loss, gradient = again.loss_and_gradient(X, y)
    assert loss == pytest.approx(cost_of_textbook(thetas, X, y, 3), rel=1e-13)
    unrolled = np.concatenate([t.ravel(order="F") for t in gradient.to_thetas()])
    np.testing.assert_array_equal(gradient.ravel(), unrolled)
    theta = again.get_theta()
    np.testing.assert_array_equal(
        theta, np.concatenate([t.ravel(order="F") for t in thetas])
    )
    # The inverse, at other weights.
    again.set_theta(2 * theta)
    for doubled, given in zip(again.to_thetas(), thetas, strict=True):
        np.testing.assert_array_equal(doubled, 2 * given)
    np.testing.assert_array_equal(again.get_theta(), 2 * theta)


def test_the_flat_theta_has_the_input_biases_last(iris):
    X, _ = iris
    Y = X[:, :2]
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=(3, 2), input_activation="tanh", random_state=0
    )
    mlp.initialize(X.astype(np.float32), Y)
    theta = mlp.get_theta()
    np.testing.assert_array_equal(theta[-4:], mlp.input_intercept_)
    gradient = mlp.loss_and_gradient(X, Y)[1]
    np.testing.assert_array_equal(gradient.ravel()[-4:], gradient.input_intercept)
    before = mlp.predict(X)
    mlp.set_theta(theta + 1)
    assert mlp.coefs_[0].dtype == mlp.input_intercept_.dtype == np.float32
    np.testing.assert_allclose(mlp.predict(X), mlp.set_theta(theta + 1).predict(X))
    assert abs(mlp.predict(X) - before).max() > 0.1
    np.testing.assert_array_equal(mlp.set_theta(theta).predict(X), before)
    thetas = mlp.to_thetas()
    same = BackpropMLPRegressor.from_thetas(
        thetas, input_activation="tanh", input_intercept=mlp.input_intercept_
    )
    np.testing.assert_array_equal(same.predict(X), before)
    with pytest.raises(ValueError, match=r"theta must have shape \(33,\).*\(32,\)"):
        mlp.set_theta(theta[1:])
    with pytest.raises(ValueError, match="theta must be finite"):
        mlp.set_theta([np.nan, *theta[1:]])
    np.testing.assert_array_equal(mlp.get_theta(), theta)


def test_set_theta_copies_the_vector(toy):
    """An optimiser may write the next vector in its place."""
    mlp, X, y = toy
    theta = mlp.initialize(X, y).get_theta() / 2
    expected = theta.copy()
    mlp.set_theta(theta)
    theta[:] = 0
    np.testing.assert_array_equal(mlp.get_theta(), expected)


def test_set_theta_drops_the_momentum(iris):
    """The momentum of adam is dropped."""
    mlp = BackpropMLPClassifier(4, random_state=0)
    mlp.initialize(*iris)
    theta = mlp.get_theta()
    fresh = clone(mlp).initialize(*iris).partial_fit(*iris)
    mlp.partial_fit(*iris).partial_fit(*iris).set_theta(theta).partial_fit(*iris)
    np.testing.assert_array_equal(mlp.get_theta(), fresh.get_theta())


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (
            lambda theta: theta,
            "a column for the biases: pass the matrices to from_thet",
        ),
        (lambda theta: theta.T, "a row for the biases: pass this row in intercepts"),
        (lambda theta: theta[:, 1:], r"\(fan_out, fan_in\): pass coef.T of each"),
    ],
    ids=["thetas", "transposed thetas", "transposed coefs"],
)
def test_weights_that_do_not_chain_are_told_why(change, hint):
    thetas = [np.zeros((25, 401)), np.zeros((10, 26))]
    coefs, intercepts = map(change, thetas), [theta[:, 0] for theta in thetas]
    with pytest.raises(ValueError, match=f"coefs must chain: .*{hint}"):
        BackpropMLPClassifier.from_weights(list(coefs), intercepts, range(10))


def test_other_shapes_that_do_not_fit_get_no_wrong_hint():
    shapes = r"\[\(4, 3\), \(5, 2\)\]\.$"
    with pytest.raises(ValueError, match=f"coefs must chain: .*{shapes}"):
        BackpropMLPRegressor.from_weights(
            [np.zeros((4, 3)), np.zeros((5, 2))], [np.zeros(3), np.zeros(2)]
        )
    with pytest.raises(
        ValueError, match=r"one entry per unit.*pass coef.T of each.*instead"
    ):
        BackpropMLPRegressor.from_weights([np.zeros((2, 4))], [np.zeros(2)])
    with pytest.raises(ValueError, match=r"one entry per unit.*\[\(3,\)\]\.$"):
        BackpropMLPRegressor.from_weights([np.zeros((2, 4))], [np.zeros(3)])


def test_thetas_that_do_not_fit_are_told_why():
    thetas = [np.zeros((25, 401)), np.zeros((10, 26))]
    with pytest.raises(ValueError, match=r"thetas must chain.* pass theta.T"):
        BackpropMLPRegressor.from_thetas([theta.T for theta in thetas])
    with pytest.raises(ValueError, match=r"thetas must chain.*\(10, 25\)\]\.$"):
        BackpropMLPRegressor.from_thetas([thetas[0], thetas[1][:, 1:]])
    with pytest.raises(ValueError, match=r"thetas must chain.*\(3, 11\)\]\.$"):
        BackpropMLPRegressor.from_thetas(
            [thetas[0], np.zeros((400, 2)), np.ones((3, 11))]
        )
    with pytest.raises(ValueError, match=r"thetas must be matrices .* column 0, got"):
        BackpropMLPRegressor.from_thetas([np.zeros(26)])
    with pytest.raises(ValueError, match=r"a vector of 26 numbers.*method set_theta"):
        BackpropMLPRegressor.from_thetas(np.zeros(26))
    with pytest.raises(ValueError, match="coefs must be matrices"):
        BackpropMLPRegressor.from_thetas([])


# The forward pass, and the losses.


def test_forward_at_the_given_weights(given_thetas, exercise):
    X, y = exercise
    mlp = BackpropMLPClassifier.from_thetas(
        given_thetas, classes=range(1, 11), **LOGISTIC
    )
    theta1, theta2 = given_thetas
    z2 = np.c_[np.ones(5000), X] @ theta1.T
    z3 = np.c_[np.ones(5000), expit(z2)] @ theta2.T
    z, a = mlp.forward(X)
    for ours, expected in zip([*z, *a], [z2, z3, expit(z2), expit(z3)], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
    h = a[-1]
    assert abs(h.sum(axis=1) - 1).max() > 0.1
    np.testing.assert_allclose(
        mlp.predict_proba(X), h / h.sum(axis=1, keepdims=True), rtol=1e-12
    )
    assert np.mean(h.argmax(axis=1) + 1 == y) == 0.9752
    # J by hand, of the outputs.
    target = np.eye(10)[y - 1]
    losses = -(target * np.log(h) + (1 - target) * np.log(1 - h)).sum(axis=1)
    np.testing.assert_allclose(mlp.losses(X, y), losses, rtol=1e-9, atol=1e-12)
    assert losses.mean() == pytest.approx(0.2876291651613189, rel=1e-12)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_forward_of_every_kind_of_layer(iris, container):
    X, y = iris
    X = container(np.where(X > 0, X, 0))
    mlp = BackpropMLPClassifier(
        (4, 3, 2), activation=["relu", "gelu", "identity"], random_state=0
    ).initialize(X, y)
    layers = mlp.forward(X)
    assert [z.shape for z in layers.z] == [(150, 4), (150, 3), (150, 2), (150, 3)]
    for a, z, coef, intercept in zip(
        [X, *layers.a[:-1]], layers.z, mlp.coefs_, mlp.intercepts_, strict=True
    ):
        np.testing.assert_allclose(z, a @ coef + intercept, atol=1e-14)
    np.testing.assert_array_equal(layers.a[0], np.maximum(layers.z[0], 0))
    np.testing.assert_array_equal(layers.a[2], layers.z[2])
    np.testing.assert_allclose(layers.a[3], softmax(layers.z[3], axis=1), atol=1e-15)
    np.testing.assert_allclose(layers.a[3], mlp.predict_proba(X), atol=1e-15)


def test_forward_of_every_kind_of_output(iris):
    X, y = iris
    binary = BackpropMLPClassifier(3, random_state=0).initialize(X, y > 0)
    assert binary.forward(X).a[-1].shape == (150, 1)
    np.testing.assert_allclose(
        binary.forward(X).a[-1][:, 0], binary.predict_proba(X)[:, 1], rtol=1e-14
    )
    labels = np.c_[y > 0, y < 2, X[:, 0] > 0].astype(int)
    several = BackpropMLPClassifier(3, random_state=0).initialize(X, labels)
    np.testing.assert_allclose(
        several.forward(X).a[-1], several.predict_proba(X), rtol=1e-14
    )
    counts = BackpropMLPRegressor("poisson", 3, random_state=0).initialize(X, y)
    z, a = counts.forward(X)
    np.testing.assert_array_equal(a[-1], np.exp(z[-1]))
    np.testing.assert_array_equal(a[-1][:, 0], counts.predict(X))
    numbers = BackpropMLPRegressor(hidden_layer_sizes=3).initialize(X, y)
    z, a = numbers.forward(X)
    np.testing.assert_array_equal(a[-1], z[-1])
    # The arrays do not share memory.
    a[-1] += 1
    assert (a[-1] != z[-1]).all()
    inputs = BackpropMLPClassifier(3, input_activation="tanh").initialize(X, y)
    z, a = inputs.forward(X)
    np.testing.assert_allclose(z[0], X + inputs.input_intercept_)
    np.testing.assert_allclose(a[0], np.tanh(z[0]))
    assert [part.shape[1] for part in a] == [4, 3, 3]


def test_unfitted_estimators_raise(iris):
    mlp = BackpropMLPClassifier()
    for call in (
        lambda: mlp.forward(iris[0]),
        lambda: mlp.losses(*iris),
        mlp.to_thetas,
        mlp.get_theta,
        lambda: mlp.set_theta([1.0]),
    ):
        with pytest.raises(NotFittedError):
            call()
    with pytest.raises(ValueError, match="X has 2 features, but"):
        mlp.initialize(*iris).forward(iris[0][:, :2])


@SHORT
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("output", ["softmax", "logistic"])
def test_losses_of_samples(digits, loss, output):
    X, y = digits
    mlp = BackpropMLPClassifier(
        20, loss=loss, output_activation=output, alpha=0, max_iter=5, random_state=0
    ).fit(X, y)
    losses = mlp.losses(X, y)
    assert losses.shape == (1797,)
    assert losses.dtype == np.float64
    alone = [mlp.loss_and_gradient(X[i : i + 1], y[i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(losses[:20], alone, rtol=1e-12)
    assert losses.mean() == pytest.approx(mlp.loss_and_gradient(X, y)[0], rel=1e-12)
    # They include neither the penalty nor the class weights.
    mlp.set_params(alpha=10, class_weight={0: 5})
    np.testing.assert_array_equal(mlp.losses(X, y), losses)
    # A sample of a class with weight 0 has a loss.
    mlp.set_params(class_weight={y[0]: 0})
    assert mlp.losses(X[:1], y[:1])[0] == pytest.approx(losses[0], rel=1e-12)
    if (loss, output) == ("log_loss", "softmax"):
        assert losses.mean() == pytest.approx(log_loss(y, mlp.predict_proba(X)))
        likelihoods = mlp.predict_proba(X)[np.arange(1797), y]
        np.testing.assert_allclose(np.exp(-losses), likelihoods, rtol=1e-12)


def test_losses_of_numbers_and_of_many_rows(diabetes):
    X, y = diabetes
    mlp = BackpropMLPRegressor(hidden_layer_sizes=5, random_state=0).initialize(X, y)
    expected = (mlp.predict(X) - y) ** 2 / 2
    np.testing.assert_allclose(mlp.losses(X, y), expected, rtol=1e-12)
    # More rows than a chunk has.
    many = np.tile(X, (700, 1)), np.tile(y, 700)
    np.testing.assert_allclose(mlp.losses(*many), np.tile(expected, 700), rtol=1e-9)
    in_single = mlp.losses(X.astype(np.float32), y)
    np.testing.assert_allclose(in_single, expected, rtol=1e-4, atol=1e-6)


def test_the_losses_of_unknown_labels_are_refused(iris):
    mlp = BackpropMLPClassifier(3).initialize(*iris)
    with pytest.raises(ValueError, match="classes not in"):
        mlp.losses(iris[0], iris[1] + 1)
    with pytest.raises(ValueError, match="classes not in"):
        mlp.losses(iris[0], np.full(150, "1", dtype=object))


# Before training.


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_initial_weights_are_those_of_the_fit(toy, solver):
    """A fit from these weights takes the same steps as a fit that draws them."""
    mlp, X, y = toy
    mlp.set_params(solver=solver, weight_init=0.12)
    before = clone(mlp).initialize(X, y)
    assert before.n_iter_ == before.n_fun_ == 0
    assert before.loss_ == before.loss_and_gradient(X, y)[0]
    assert before.loss_ == pytest.approx(
        cost_of_textbook(before.to_thetas(), X, y, 3), rel=1e-13
    )
    assert (before.stop_reason_, before.message_) == (None, None)
    assert before.converged_ is False
    assert max(abs(before.get_theta())) <= 0.12
    fitted = clone(mlp).fit(X, y)
    continued = copy.deepcopy(before).set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(continued.get_theta(), fitted.get_theta())
    assert continued.loss_curve_ == fitted.loss_curve_
    # Weights from another source.
    trained = BackpropMLPClassifier.from_thetas(
        before.to_thetas(), [1, 2, 3], warm_start=True, alpha=3, solver=solver
    ).set_params(**LOGISTIC)
    np.testing.assert_array_equal(trained.fit(X, y).get_theta(), fitted.get_theta())


@SHORT
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_minibatch_training_from_initial_weights(iris, solver):
    X, y = iris
    mlp = BackpropMLPClassifier(
        5, solver=solver, shuffle=False, max_iter=3, random_state=0
    )
    fitted = clone(mlp).fit(X, y)
    mlp.set_params(warm_start=True).initialize(X, y)
    np.testing.assert_array_equal(mlp.fit(X, y).get_theta(), fitted.get_theta())
    # partial_fit continues from them.
    first = clone(mlp).initialize(X, y).partial_fit(X, y)
    np.testing.assert_array_equal(
        first.get_theta(), clone(mlp).partial_fit(X, y, [0, 1, 2]).get_theta()
    )


def test_initialize_forgets_an_earlier_fit(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(4, random_state=0).initialize(X, y)
    theta = mlp.get_theta()
    mlp.partial_fit(X, y).initialize(X, y)
    np.testing.assert_array_equal(mlp.get_theta(), theta)
    assert (mlp.n_iter_, mlp.loss_curve_, mlp.t_) == (0, [], 0)
    # The weights are float32, as the samples; J has the sample weights.
    weights = np.linspace(0, 1, 150)
    mlp.initialize(X.astype(np.float32), y, sample_weight=weights)
    assert mlp.coefs_[0].dtype == np.float32
    loss, _ = mlp.loss_and_gradient(X.astype(np.float32), y, weights)
    assert mlp.loss_ == mlp.to_sklearn().loss_ == loss
    with pytest.raises(ValueError, match="'alpha' parameter"):
        mlp.set_params(alpha=-1).initialize(X, y)
    assert mlp.loss_ == loss


def test_a_frame_is_initialised_and_evaluated_by_its_names(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    mlp = BackpropMLPClassifier(4, random_state=0).initialize(frame, y)
    assert mlp.feature_names_in_.tolist() == list("abcd")
    assert mlp.losses(frame, y).mean() == pytest.approx(mlp.loss_, rel=1e-3)
    assert mlp.forward(frame).a[0].shape == (150, 4)
    with pytest.raises(ValueError, match="feature names should match"):
        mlp.losses(frame[list("dcba")], y)


def test_initialize_with_all_classes(digits):
    X, y = digits
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    mlp = BackpropMLPClassifier(5, random_state=0).initialize(X[:20], y[:20], range(10))
    assert mlp.classes_.tolist() == list(range(10))
    assert mlp.coefs_[-1].shape == (5, 10)
    # Few rows for the number of classes are no reason for a warning.
    mlp.initialize(X[::60], y[::60], classes=range(100))
    with pytest.raises(ValueError, match="classes not in"):
        mlp.initialize(X, y, classes=[1, 2])
    # The classes of multilabel targets are their columns, as in partial_fit.
    labels = np.c_[y > 1, y > 2, y > 3].astype(int)
    assert mlp.initialize(X, labels, classes=[5, 6, 7]).classes_.tolist() == [0, 1, 2]


# Minimisation by SciPy.


def test_minimisation_by_scipy_agrees_with_the_solver(toy):
    """The same weights and options lead to the same minimum."""
    mlp, X, y = toy
    mlp.set_params(solver="lbfgs", tol=1e-7, max_iter=1000)
    fitted = clone(mlp).fit(X, y)
    mlp.initialize(X, y)

    def cost(theta):
        loss, gradient = mlp.set_theta(theta).loss_and_gradient(X, y)
        return loss, gradient.ravel()

    result = minimize(
        cost,
        mlp.get_theta(),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": 1e-7, "ftol": 0},
    )
    assert result.fun == pytest.approx(fitted.loss_, rel=1e-9)
    mlp.set_theta(result.x)
    assert mlp.loss_and_gradient(X, y)[0] == result.fun
    np.testing.assert_allclose(
        mlp.predict_proba(X), fitted.predict_proba(X), rtol=0, atol=1e-6
    )


def test_the_example_of_the_guide_runs():
    guide = Path(__file__).parent.parent / "doc" / "guide" / "objective.rst"
    failed, run = doctest.testfile(
        str(guide),
        module_relative=False,
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert run >= 8
    assert failed == 0


# The gradient check.


def test_the_first_rows_of_the_sorted_digits(digits):
    """They have one class: the check refuses them, or checks all ten outputs."""
    X, y = digits
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    mlp = BackpropMLPClassifier(4, random_state=0, **LOGISTIC)
    with pytest.raises(ValueError, match=r"nothing to check: y has one class, \[0\]"):
        check_gradient(mlp, X[:20], y[:20])
    with pytest.raises(
        ValueError, match=r"nothing to check.* pass all classes as `classes`"
    ):
        check_gradient(mlp, X[:1], y[:1])
    check = check_gradient(mlp, X[:20], y[:20], classes=range(10))
    assert check.passed
    assert check.n_classes == 10
    assert "(every coordinate; 10 classes)" in repr(check)
    assert check.n_checked["coefs_[1]"] == 4 * 10
    assert max(abs(check.analytical.intercepts[1])) > 0.1
    mlp.initialize(X[:20], y[:20], classes=range(10))
    assert check_gradient(mlp, X[:20], y[:20]).n_classes == 10
    with pytest.raises(ValueError, match="classes is for an estimator that is not fit"):
        check_gradient(mlp, X[:20], y[:20], classes=range(10))


def test_a_regressor_has_no_classes(diabetes):
    X, y = diabetes
    mlp = BackpropMLPRegressor(hidden_layer_sizes=3, activation="tanh", random_state=0)
    check = check_gradient(mlp, X, y)
    assert check.n_classes is None
    assert "(every coordinate)" in repr(check)
    with pytest.raises(ValueError, match="A regressor has no classes"):
        check_gradient(mlp, X, y, classes=[0, 1])


def test_numerical_beside_analytical(toy):
    mlp, X, y = toy
    mlp.initialize(X, y)
    check = check_gradient(mlp, X, y)
    _, gradient = mlp.loss_and_gradient(X, y)
    np.testing.assert_array_equal(check.analytical.ravel(), gradient.ravel())
    np.testing.assert_allclose(
        check.numerical.ravel(), gradient.ravel(), rtol=0, atol=1e-10
    )
    for numerical, analytical in zip(check.numerical, gradient, strict=True):
        if analytical is not None:
            assert [n.shape for n in numerical] == [a.shape for a in analytical]
    # Central differences of the textbook's J.
    thetas, eps = mlp.to_thetas(), 1e-4
    for theta, derivatives in zip(thetas, check.numerical.to_thetas(), strict=True):
        for index in np.ndindex(*theta.shape):
            theta[index] += eps
            ahead = cost_of_textbook(thetas, X, y, 3)
            theta[index] -= 2 * eps
            behind = cost_of_textbook(thetas, X, y, 3)
            theta[index] += eps
            slope = (ahead - behind) / (2 * eps)
            assert derivatives[index] == pytest.approx(slope, abs=1e-8)


def test_all_coordinates_of_a_large_network(digits, capsys):
    X, y = digits
    mlp = BackpropMLPClassifier(30, activation="tanh", random_state=0)
    some = check_gradient(mlp, X[:10], y[:10], n_directions=4, random_state=0)
    assert "4 random directions in each array, of " in some.coverage
    assert some.numerical.coefs[0].shape == some.analytical.intercepts[1].shape == (4,)
    np.testing.assert_allclose(
        some.numerical.ravel(), some.analytical.ravel(), rtol=0, atol=1e-8
    )
    assert capsys.readouterr().out == ""
    check = check_gradient(mlp, X[:10], y[:10], n_directions="all", verbose=True)
    n_all = 64 * 30 + 30 + 30 * 10 + 10
    assert n_all > 2000
    assert check.passed
    assert check.coverage == "every coordinate"
    assert sum(check.n_checked.values()) == check.numerical.ravel().size == n_all
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 10
    assert told[0] == f"Checked {n_all // 10} of {n_all} derivatives."
    assert told[-1] == f"Checked {n_all} of {n_all} derivatives."


def test_derivatives_at_a_kink_are_nan(blobs):
    X, y, _ = blobs
    X, y = np.vstack([X, np.zeros(4)]), np.append(y, 0)
    check = check_gradient(BackpropMLPClassifier(5, weight_init="he"), X, y)
    assert np.isnan(check.numerical.intercepts[0]).all()
    assert np.isfinite(check.analytical.ravel()).all()
    # Without checked derivatives there is no largest difference.
    assert check.disagreeing == ["intercepts_[0]"]
    assert check.worst == {}


def own_gradient(thetas, X, y, lam):
    """Backpropagation as the exercise has students write it."""
    theta1, theta2 = thetas
    m = len(X)
    a1 = np.c_[np.ones(m), X]
    z2 = a1 @ theta1.T
    a2 = np.c_[np.ones(m), expit(z2)]
    h = expit(a2 @ theta2.T)
    delta3 = h - np.eye(len(theta2))[y - 1]
    delta2 = (delta3 @ theta2[:, 1:]) * expit(z2) * (1 - expit(z2))
    grads = [delta2.T @ a1 / m, delta3.T @ a2 / m]
    for grad, theta in zip(grads, thetas, strict=True):
        grad[:, 1:] += lam / m * theta[:, 1:]
    return grads


FORMS = {
    "matrices": lambda J, grads: grads,
    "pair of matrices": lambda J, grads: tuple(grads),
    "vector": lambda J, grads: np.concatenate([g.ravel(order="F") for g in grads]),
    "J and matrices": lambda J, grads: (J, grads),
    "J and vector": lambda J, grads: (
        J,
        np.concatenate([g.ravel(order="F") for g in grads]),
    ),
    "Gradient": lambda J, grads: Gradient(
        [g[:, 1:].T for g in grads], [g[:, 0] for g in grads], None
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_own_gradient(toy, form):
    mlp, X, y = toy
    mlp.initialize(X, y)

    def make(fault):
        def gradient(theta):
            thetas = clone(mlp).initialize(X, y).set_theta(theta).to_thetas()
            grads = own_gradient(thetas, X, y, 3)
            fault(grads)
            return FORMS[form](cost_of_textbook(thetas, X, y, 3), grads)

        return gradient

    right = check_gradient(mlp, X, y, gradient=make(lambda grads: None))
    assert right.passed
    assert right.relative_difference < 1e-9

    def fault(grads):
        grads[0][2, 3] += 0.01
        grads[1][1, 0] *= 1.1

    wrong = check_gradient(mlp, X, y, gradient=make(fault))
    # Column 0 has the biases, and the others the transpose of coefs_.
    assert wrong.worst == {"coefs_[0]": (2, 2), "intercepts_[1]": (1,)}
    numerical, analytical = wrong.numerical.coefs[0], wrong.analytical.coefs[0]
    assert analytical[2, 2] - numerical[2, 2] == pytest.approx(0.01)
    told = (
        f"coefs_[0] differs most at [2, 2]: numerical {numerical[2, 2]:.6g}, "
        f"analytical {analytical[2, 2]:.6g}"
    )
    assert told in repr(wrong)
    if "J" not in form:
        # Arrays instead of a function.
        assert check_gradient(
            mlp, X, y, gradient=make(fault)(mlp.get_theta())
        ).disagreeing == ["coefs_[0]", "intercepts_[1]"]
    # Along random directions, the entry is where backpropagation disagrees.
    along = check_gradient(mlp, X, y, gradient=make(fault), n_directions=5)
    assert along.disagreeing == wrong.disagreeing
    assert along.worst == wrong.worst
    assert told in repr(along)
    assert "n_directions='all'" not in repr(along)


def test_a_penalised_bias_is_found(toy):
    """A common mistake: the penalty includes the biases."""
    mlp, X, y = toy
    mlp.initialize(X, y)
    thetas = [theta + 0.5 for theta in mlp.to_thetas()]
    mlp.set_theta(np.concatenate([theta.ravel(order="F") for theta in thetas]))
    grads = own_gradient(thetas, X, y, 3)
    for grad, theta in zip(grads, thetas, strict=True):
        grad[:, 0] += 3 / len(X) * theta[:, 0]
    check = check_gradient(mlp, X, y, gradient=grads)
    assert check.disagreeing == ["intercepts_[0]", "intercepts_[1]"]


def test_gradients_of_another_shape_or_no_numbers(toy):
    mlp, X, y = toy
    mlp.initialize(X, y)
    grads = own_gradient(mlp.to_thetas(), X, y, 3)
    with pytest.raises(ValueError, match=r"gradient must have shape \(38,\)"):
        check_gradient(mlp, X, y, gradient=np.zeros(37))
    with pytest.raises(ValueError, match=r"gradient must chain: .* pass theta.T"):
        check_gradient(mlp, X, y, gradient=[grad.T for grad in grads])
    with pytest.raises(
        ValueError, match="gradient must have the shapes of the weights"
    ):
        check_gradient(mlp, X, y, gradient=grads[:1])
    column = np.concatenate([g.ravel(order="F") for g in grads])[:, np.newaxis]
    loss = np.array([[1.0]])
    for given in (
        column,
        pd.Series(column[:, 0]),
        lambda theta: (loss, column),
        lambda theta: [1.0, grads],
    ):
        assert np.isfinite(
            check_gradient(mlp, X, y, gradient=given).relative_difference
        )
    for wrong, found in [
        (lambda theta: (1.0, *grads), r"tuple with parts of \[0, 2, 2\] axes"),
        (lambda theta: None, "got NoneType"),
        (lambda theta: 1.0, "got float"),
        ([], "got list"),
        ({"Theta1": grads[0]}, "got dict"),
    ]:
        with pytest.raises(ValueError, match=f"must be a Gradient, a vector,.*{found}"):
            check_gradient(mlp, X, y, gradient=wrong)
    with pytest.raises(ValueError, match=r"theta must be a vector .* from_thetas"):
        mlp.set_theta(mlp.to_thetas())
    grads[1][2, 4] = np.nan
    check = check_gradient(mlp, X, y, gradient=grads)
    assert check.worst == {"coefs_[1]": (3, 2)}


# One-hot targets.


def test_one_hot_targets_of_any_type_raise_a_warning(digits):
    X, y = digits
    one_hot = np.eye(10, dtype=int)[y]
    mlp = BackpropMLPClassifier(5, solver="lbfgs", max_iter=2, random_state=0)
    remedy = r"pass the classes, as by y\.argmax\(axis=1\)"
    for given in (one_hot, one_hot.astype(bool), sparse.csr_matrix(one_hot)):
        with (
            pytest.warns(ConvergenceWarning, match="max_iter=2"),
            pytest.warns(UserWarning, match=remedy),
        ):
            mlp.fit(X, given)
    with pytest.warns(UserWarning, match=remedy):
        mlp.initialize(X, one_hot)
    with pytest.warns(UserWarning, match=remedy):
        mlp.initialize(X, np.eye(2, dtype=int)[y % 2])
    with pytest.warns(UserWarning, match=remedy):
        clone(mlp).set_params(solver="adam").partial_fit(X, one_hot, range(10))
    # The remedy works.
    with pytest.warns(ConvergenceWarning) as caught:
        mlp.fit(X, one_hot.argmax(axis=1))
    assert len(caught) == 1
    assert mlp.predict(X).shape == (1797,)


def test_labels_are_not_taken_for_one_hot():
    """In multilabel targets a row may have no label, or several."""
    X, labels = make_multilabel_classification(random_state=0)
    BackpropMLPClassifier(5, random_state=0).initialize(X, labels)
    # A single row does not show it.
    BackpropMLPClassifier(5, random_state=0).initialize(X[:1], [[0, 1, 0]])


# The end of a training.


def ended(mlp, X, y):
    """The end of a fit: reason, message, convergence and warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mlp.fit(X, y)
    warned = [(w.category, str(w.message)) for w in caught]
    return mlp.stop_reason_, mlp.message_, mlp.converged_, warned


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_ends_of_full_batch_solvers(iris, solver):
    X, y = iris
    mlp = BackpropMLPClassifier(4, solver=solver, alpha=5, random_state=0)
    mlp.set_params(tol=1e-3, max_iter=3000, activation="tanh")
    assert ended(mlp, X, y) == (
        "converged",
        "The gradient's largest entry is at most tol=0.001.",
        True,
        [],
    )
    for cap in ("max_iter", "max_fun"):
        capped = clone(mlp).set_params(**{cap: 3})
        message = (
            f"{solver} stopped at {cap}=3 before it converged; the best weights seen "
            "are kept."
        )
        assert ended(capped, X, y) == (
            cap,
            message,
            False,
            [(ConvergenceWarning, message)],
        )
    mlp.set_params(tol=1e-17, alpha=1)
    reason, message, converged, warned = ended(mlp, X, y)
    assert (reason, converged) == ("stalled", False)
    assert "prevents further progress" in message
    assert warned == [(ConvergenceWarning, message)]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_ends_of_minibatch_solvers(iris, solver):
    X, y = iris
    mlp = BackpropMLPClassifier(4, solver=solver, random_state=0, tol=0.01)
    mlp.set_params(n_iter_no_change=2, learning_rate_init=0.1, max_iter=1000)
    message = (
        "Training loss did not improve more than tol=0.010000 for 2 consecutive epochs."
    )
    assert ended(mlp, X, y) == ("converged", message, True, [])
    message = (
        "Stochastic Optimizer: Maximum iterations (3) reached and the optimization "
        "hasn't converged yet."
    )
    capped = clone(mlp).set_params(max_iter=3, tol=0)
    assert ended(capped, X, y) == (
        "max_iter",
        message,
        False,
        [(ConvergenceWarning, message)],
    )
    mlp.set_params(early_stopping=True)
    reason, message, converged, _ = ended(mlp, X, y)
    assert (reason, converged) == ("converged", True)
    assert message.startswith("Validation score did not improve more than tol=0.01")


def test_the_end_of_partial_fit(iris):
    mlp = BackpropMLPClassifier(4, random_state=0).partial_fit(*iris, [0, 1, 2])
    assert mlp.stop_reason_ == "partial_fit"
    assert mlp.message_ == "partial_fit trains for one epoch."
    assert mlp.converged_ is False


@pytest.mark.callbacks
def test_the_end_by_a_callback(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(4, random_state=0)
    mlp.set_callbacks(EarlyStopping(X, y, patience=1)).fit(X, y)
    assert mlp.stop_reason_ == "callback"
    assert mlp.message_ == "A callback ended the training."


def test_the_end_of_tables(iris):
    mlp = TabularMLPClassifier(2, hidden_layer_sizes=5, max_iter=3, random_state=0)
    reason, message, converged, warned = ended(mlp, *iris)
    assert (reason, converged) == ("max_iter", False)
    assert warned[0] == (ConvergenceWarning, message)
    mlp.set_params(max_iter=500, n_iter_no_change=1)
    assert ended(mlp, *iris)[0] == "converged"


@SHORT
def test_the_end_survives_pickling_and_goes_with_new_weights(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(4, solver="lbfgs", max_iter=2, random_state=0)
    mlp.fit(X, y)
    loaded = pickle.loads(pickle.dumps(mlp))
    assert loaded.stop_reason_ == "max_iter"
    assert loaded.message_ == mlp.message_
    assert loaded.converged_ is False
    given = BackpropMLPClassifier.from_weights(mlp.coefs_, mlp.intercepts_, [0, 1, 2])
    assert (given.stop_reason_, given.message_, given.converged_) == (None, None, False)


# Saturation and slowness.


@pytest.fixture(scope="module")
def raw_digits():
    """The 1500 images of the published training, with raw pixels."""
    X, y = load_digits(return_X_y=True)
    return X[:1500], y[:1500]


def gradient_descent(rate, seed=0, **params):
    """The published training with another rate."""
    return BackpropMLPClassifier(
        hidden_layer_sizes=(32, 16),
        loss="squared_error",
        weight_init="normal",
        alpha=0,
        solver="sgd",
        momentum=0,
        batch_size=1500,
        learning_rate_init=rate,
        max_iter=50,
        n_iter_no_change=350,
        random_state=seed,
        **{**LOGISTIC, **params},
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_the_warning_mentions_saturation(raw_digits, seed):
    """The published rate is for another scale of the loss, and too large here."""
    mlp = gradient_descent(2000, seed)
    *_, warned = ended(mlp, *raw_digits)
    assert mlp.score(*raw_digits) < 0.15
    (_, at_the_cap), (category, useless) = warned
    assert at_the_cap == mlp.message_
    assert "learning_rate_init" not in at_the_cap
    assert category is ConvergenceWarning
    assert "The network is saturated: " in useless
    assert "Lower `learning_rate_init`, or scale X by StandardScaler." in useless
    share, layer = useless.split("saturated: ")[1].split(" of the activations of ")
    a = mlp.forward(raw_digits[0]).a[int(layer.split("hidden layer ")[1][0]) - 1]
    assert share == f"{np.mean(a * (1 - a) < 0.01):.0%}"


def test_the_warning_does_not_confuse_slowness_with_saturation(raw_digits):
    *_, warned = ended(gradient_descent(1e-6), *raw_digits)
    (_, useless) = warned[-1]
    assert "worse than that of the best constant" in useless
    assert "saturated" not in useless
    assert "take another `learning_rate_init`" in useless


def test_dead_units_are_saturated(iris):
    """After too large a step no rectifier is above 0."""
    X, y = iris
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=5, solver="sgd", momentum=0, learning_rate_init=1e3
    )
    mlp.set_params(batch_size=150, max_iter=30, random_state=0)
    *_, warned = ended(mlp, X + 10, y + 5.0)
    messages = [message for _, message in warned]
    assert any("100% of the activations of hidden layer 1" in m for m in messages)


# The page.


def test_cells_of_the_page_are_short():
    """At most three lines each, but five for the minimisation with SciPy."""
    page = Path(__file__).parent.parent / "examples" / "plot_exercise.py"
    _, settings, *cells = page.read_text().split("# %%\n")
    assert "Data and settings" in settings
    assert len(cells) >= 15
    for cell in cells:
        lines = [line for line in cell.splitlines() if line and line[0] != "#"]
        assert len(lines) <= (5 if "minimize(" in cell else 3), cell
