"""Fits that are interrupted, diverge or are cut off leave finite weights."""

import tracemalloc

import numpy as np
import pytest
from probes import CtrlC, watched_tanh
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    check_gradient,
)

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]
STOCHASTIC_SOLVERS = ["sgd", "adam"]


def make(solver, **params):
    params = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 8, **params}
    return BackpropMLPClassifier(solver=solver, **params)


def assert_usable(mlp, X):
    arrays = mlp.coefs_ + mlp.intercepts_
    assert all(np.isfinite(a).all() for a in arrays)
    assert np.isfinite(mlp.predict_proba(X)).all()
    assert np.isin(mlp.predict(X), mlp.classes_).all()


@pytest.mark.parametrize("evaluation", [2, 3, 8, 17])
@pytest.mark.parametrize("solver", SOLVERS)
def test_keyboard_interrupt(solver, evaluation, iris):
    ctrl_c = CtrlC(evaluation)
    mlp = make(solver, batch_size=50, tol=0, max_iter=100)
    mlp.set_params(activation=ctrl_c.activation)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        mlp.fit(*iris)
    assert ctrl_c.n_evaluations == evaluation
    assert mlp.n_fun_ == evaluation - 1
    assert_usable(mlp, iris[0])
    fresh = clone(mlp).initialize(*iris)
    # The weights reached are kept; a single full-batch evaluation reaches none.
    reached = evaluation > 2 or solver in STOCHASTIC_SOLVERS
    assert np.array_equal(mlp.coefs_[0], fresh.coefs_[0]) != reached


@pytest.mark.parametrize("activation", ["relu", "tanh", "identity"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("solver", STOCHASTIC_SOLVERS)
def test_learning_rate_too_high(solver, dtype, activation, iris):
    X, y = iris[0].astype(dtype), iris[1]
    rate = 1e6 if activation == "tanh" else 1e30
    mlp = make(solver, learning_rate_init=rate, max_iter=60, activation=activation)
    mlp.set_params(alpha=100.0, batch_size=50)
    with pytest.warns(ConvergenceWarning) as caught:
        mlp.fit(X, y)
    assert_usable(mlp, X)
    if "diverged" in str(caught[0].message):
        assert f"epoch {mlp.n_iter_ + 1}, at a learning rate of " in str(
            caught[0].message
        )
        assert "Lower `learning_rate_init`" in str(caught[0].message)


def test_divergence_restores_the_best_epoch(iris):
    """A loss that turns nan in the fourth epoch: the best of the three before."""
    passes = []

    def fail_once(z):
        # The first call is no pass, but the check that `apply` writes its result.
        passes.append(1)
        if len(passes) == 1 + 11:
            z.fill(np.nan)

    mlp = make("sgd", batch_size=50, learning_rate_init=0.1)
    mlp.set_params(activation=watched_tanh(on_forward=fail_once))
    with pytest.warns(ConvergenceWarning, match=r"epoch 4, at a learning rate of 0\.1"):
        mlp.fit(*iris)
    # The epoch has three batches, and is not cut short.
    assert len(passes) == 1 + 12
    assert mlp.n_iter_ == 3
    assert mlp.loss_curve_.index(min(mlp.loss_curve_)) == 2
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        three = clone(mlp).set_params(max_iter=3).fit(*iris)
    np.testing.assert_array_equal(mlp.coefs_[0], three.coefs_[0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_training_that_fails_sets_nothing(solver, warm_start, iris):
    evaluations = []

    def fail_later(kept):
        evaluations.append(1)
        if hasattr(mlp, "coefs_") and len(evaluations) == 4:
            raise RuntimeError("of the test")

    mlp = make(solver, activation=watched_tanh(on_backward=fail_later))
    mlp.set_params(warm_start=warm_start).fit(*iris)
    evaluations.clear()
    before = vars(mlp).copy()
    arrays = [a.copy() for a in mlp.coefs_ + mlp.intercepts_]
    loss_curve = list(mlp.loss_curve_)
    with pytest.raises(RuntimeError, match="of the test"):
        mlp.fit(*iris)
    assert len(evaluations) == 4
    assert vars(mlp) == before
    assert mlp.loss_curve_ == loss_curve
    for now, then in zip(mlp.coefs_ + mlp.intercepts_, arrays, strict=True):
        np.testing.assert_array_equal(now, then)


def test_losses_that_overflow_at_finite_weights():
    """The square of the last target is beyond float32."""
    X = np.random.RandomState(0).randn(60, 3).astype(np.float32)
    y = np.full(60, 1e18, np.float32)
    y[-1] = 3e19
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=3,
        solver="sgd",
        learning_rate_init=1e-30,
        batch_size=20,
        max_iter=3,
        shuffle=False,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match="diverged"):
        mlp.fit(X, y)
    assert (mlp.stop_reason_, mlp.n_iter_, mlp.n_fun_) == ("diverged", 0, 2)
    anew = clone(mlp)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        anew.partial_fit(X, y)
    assert anew.stop_reason_ == "diverged"


@pytest.mark.parametrize("solver", SOLVERS)
def test_huge_inputs(solver, iris):
    """Inputs of 1e300: stopped at finite weights, or refused with a remedy."""
    X, y = iris[0] * 1e300, iris[1]
    mlp = make(solver, activation="relu")
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X, y)
    assert_usable(mlp, iris[0])


@pytest.mark.parametrize("solver", ["lbfgs", "cg"])
def test_a_full_batch_solver_that_diverges_has_no_learning_rate(solver, iris):
    mlp = make(solver, activation="relu")
    with pytest.warns(ConvergenceWarning, match="diverged in iteration 1: ") as caught:
        mlp.fit(iris[0] * 1e300, iris[1])
    assert mlp.message_ == str(caught[0].message)
    assert mlp.message_.endswith("kept. Scale the data, for example by StandardScaler.")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
def test_no_finite_step_at_all(solver, iris):
    X = 1.5e308 - 1e307 * np.abs(iris[0])
    mlp = make(solver, activation="identity", weight_init=5.0).fit(*iris)
    before = mlp.coefs_[0].copy()
    with pytest.raises(
        ValueError, match=r"not finite at the initial .* StandardScaler"
    ):
        mlp.fit(X, iris[1])
    np.testing.assert_array_equal(mlp.coefs_[0], before)


@pytest.mark.parametrize("solver", STOCHASTIC_SOLVERS)
def test_weights_whose_loss_was_never_finite_are_not_the_best(solver, iris):
    """Finite weights after the first epoch, but their network overflows."""
    mlp = make(solver, hidden_layer_sizes=(5, 5, 5), activation="relu")
    mlp.set_params(learning_rate_init=1e110, alpha=0, momentum=0)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 2"):
        mlp.fit(*iris)
    assert_usable(mlp, iris[0])


@pytest.mark.parametrize("solver", STOCHASTIC_SOLVERS)
def test_one_class_in_a_batch(solver, iris):
    X, y = iris  # Ordered by class: without shuffling each batch has one.
    mlp = make(solver, shuffle=False, batch_size=50, learning_rate_init=10.0)
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X, y)
    assert_usable(mlp, X)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
def test_sparse_memory(solver):
    """20000 x 50000, 0.1 % filled: at most 3 x (data + weights) more for a fit."""
    rng = np.random.default_rng(0)
    # SciPy calls it rng since 1.15 and takes both.
    X = sparse.random_array(
        (20000, 50000), density=0.001, random_state=rng, format="csr"
    )
    y = np.arange(20000) % 2
    units = 1 if solver == "lbfgs" else 10
    mlp = make(solver, hidden_layer_sizes=units, max_iter=2, activation="tanh")
    data = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    tracemalloc.start()
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    weights = sum(a.nbytes for a in mlp.coefs_)
    assert peak <= 3 * (data + weights)


def test_prediction_in_bounded_memory():
    """A million rows need little more than their output."""
    X = np.zeros((1_000_000, 4), dtype=np.float32)
    mlp = BackpropMLPClassifier.from_weights(
        [np.ones((4, 100), np.float32), np.ones((100, 3), np.float32)],
        [np.zeros(100, np.float32), np.zeros(3, np.float32)],
        [0, 1, 2],
    )
    tracemalloc.start()
    labels = mlp.predict(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * (labels.nbytes + 3 * 4 * len(X))


def test_memory_of_a_full_batch_fit_does_not_grow_with_the_rows():
    peaks = []
    for n_rows in (50_000, 200_000):
        X = np.zeros((n_rows, 10), dtype=np.float32)
        y = np.arange(n_rows) % 3
        tracemalloc.start()
        with pytest.warns(ConvergenceWarning):
            make("lbfgs", max_iter=1).fit(X, y)
        peaks.append(tracemalloc.get_traced_memory()[1] - 20 * n_rows)
        tracemalloc.stop()
    assert max(peaks) < 16 * 2**20


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"momentum": 7}, "momentum"),
        ({"learning_rate_init": 0}, "learning_rate_init"),
        ({"batch_size": -5}, "batch_size"),
        ({"alpha": -1}, "alpha"),
    ],
)
def test_partial_fit_validates_what_was_set_since(iris, params, named):
    mlp = BackpropMLPClassifier(5, solver="sgd", random_state=0)
    mlp.partial_fit(*iris, classes=[0, 1, 2]).set_params(**params)
    coefs = mlp.coefs_[0].copy()
    with pytest.raises(ValueError, match=f"'{named}' parameter"):
        mlp.partial_fit(*iris)
    np.testing.assert_array_equal(mlp.coefs_[0], coefs)


@pytest.mark.parametrize(
    "params", [{"activation": "foo"}, {"loss": "foo"}, {"alpha": -1}]
)
def test_gradients_of_invalid_parameters(iris, params):
    mlp = BackpropMLPClassifier(5, random_state=0)
    mlp = mlp.initialize(*iris).set_params(**params)
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        mlp.loss_and_gradient(*iris)
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        check_gradient(clone(mlp), *iris)


@pytest.mark.parametrize("form", [np.asarray, list, sparse.csr_matrix])
@pytest.mark.parametrize("n_units", [3, 10])
@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPRegressor])
def test_rows_too_large_for_float32(kind, n_units, form, iris):
    X, y = iris
    mlp = kind(hidden_layer_sizes=n_units, solver="lbfgs", max_iter=5, random_state=0)
    large = X.copy()
    # Of opposite signs, as relu may set either to 0.
    large[0], large[1] = 1e39 * X[0], -1e39 * X[0]
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X.astype(np.float32), y)
    for method in (mlp.predict, mlp.forward):
        with pytest.raises(ValueError, match="X contains values too large for float32"):
            method(form(large))
    # Rows of float64 have no such limit.
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X, y)
    assert np.isfinite(mlp.forward(form(large)).z[-1]).all()


def test_weights_too_large_for_float32(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(5, solver="tnc", weight_init=1e100, max_iter=5)
    with pytest.raises(ValueError, match="too large for float32"):
        mlp.set_params(random_state=0).fit(X.astype(np.float32), y)


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_sample_weights_beyond_float32(iris, weight):
    X, y = iris
    with pytest.raises(
        ValueError, match=r"sum of .*sample_weight, .*float32.* mean is"
    ):
        BackpropMLPClassifier(5).fit(X.astype(np.float32), y, np.full(len(y), weight))


def test_the_last_epoch_is_not_said_to_be_an_earlier_one():
    X = np.random.default_rng(0).normal(size=(200, 2))
    params = {"max_iter": 1, "early_stopping": True, "learning_rate_init": 1e-9}
    mlp = BackpropMLPClassifier(random_state=0, **params)
    with pytest.warns(ConvergenceWarning) as caught:
        mlp.fit(X * 1e4, np.arange(200) % 2)
    messages = [str(warning.message) for warning in caught]
    assert any("best constant" in message for message in messages)
    assert not any("Early stopping kept" in message for message in messages)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", STOCHASTIC_SOLVERS)
def test_training_after_a_divergence_has_no_momentum_of_it(solver, diabetes):
    X, y = diabetes
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=3,
        activation="identity",
        solver=solver,
        learning_rate_init=1e150,
        random_state=0,
    ).fit(X[:60], y[:60])
    assert mlp.stop_reason_ == "diverged"
    mlp.set_params(learning_rate_init=1e-3)
    for _ in range(2):
        mlp.partial_fit(X[:60], y[:60])
    assert mlp.loss_ < mlp.loss_curve_[0]
