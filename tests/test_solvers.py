"""Caps, curves, what is kept and what is warned of, for every solver."""

import re

import numpy as np
import pytest
import scipy.optimize
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor
from skmlp_backprop.callbacks import ScoreHistory
from skmlp_backprop.extending import Adam

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]
STOCHASTIC_SOLVERS = ["sgd", "adam"]

FULL_BATCH = [name for name in SOLVERS if name not in STOCHASTIC_SOLVERS]


def make(solver, **params):
    # Smooth: at a kink of relu full-batch solvers may end before they converge.
    mlp = BackpropMLPClassifier(6, "tanh", solver=solver, tol=0, random_state=0)
    return mlp.set_params(**params)


@pytest.fixture
def seen(monkeypatch):
    """Losses of all evaluations that SciPy asks for, in order."""
    losses = []
    minimize = scipy.optimize.minimize

    def watched(evaluate, *args, **options):
        def spy(theta):
            loss, gradient = evaluate(theta)
            losses.append(loss)
            return loss, gradient

        return minimize(spy, *args, **options)

    monkeypatch.setattr(scipy.optimize, "minimize", watched)
    return losses


@pytest.mark.parametrize("cap", [1, 2, 7])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_max_iter_is_exact(solver, cap, iris, seen):
    mlp = make(solver, max_iter=cap)
    with pytest.warns(
        ConvergenceWarning,
        match=f"{solver} stopped at max_iter={cap} before it converged; the best "
        r"weights seen are kept\.$",
    ):
        mlp.fit(*iris)
    assert mlp.n_iter_ == len(mlp.loss_curve_) == cap
    assert mlp.n_fun_ == len(seen)
    assert mlp.t_ == len(seen) * len(iris[0])
    assert mlp.loss_ == mlp.best_loss_ == min(seen)
    assert mlp.loss_and_gradient(*iris)[0] == pytest.approx(min(seen), rel=1e-14)


@pytest.mark.parametrize("cap", [1, 2, 3, 11, 40])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_max_fun_is_exact(solver, cap, iris, seen):
    mlp = make(solver, max_fun=cap, max_iter=10**6)
    with pytest.warns(
        ConvergenceWarning,
        match=f"{solver} stopped at max_fun={cap} before it converged; the best "
        r"weights seen are kept\.$",
    ):
        mlp.fit(*iris)
    assert mlp.n_fun_ == len(seen) == cap
    assert mlp.loss_ == mlp.best_loss_ == min(seen)
    assert mlp.loss_and_gradient(*iris)[0] == pytest.approx(min(seen), rel=1e-14)


@pytest.mark.parametrize("tol", [1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_convergence(solver, tol, iris):
    """A regularised problem: no warning, the gradient asked for, a falling curve."""
    mlp = make(solver, tol=tol, alpha=5, max_iter=5000).fit(*iris)
    _, gradient = mlp.loss_and_gradient(*iris)
    largest = max(abs(g).max() for g in gradient.coefs + gradient.intercepts)
    assert largest <= tol * (1 + 1e-6)
    assert (np.diff(mlp.loss_curve_) <= 0).all()
    assert mlp.loss_ == pytest.approx(mlp.loss_curve_[-1], rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_tolerance_that_rounding_rules_out_is_told(solver, dtype, iris):
    X, y = iris
    X = X.astype(dtype)
    # TNC evaluates in float64, and gets to 1e-13.
    mlp = make(solver, tol=1e-17, alpha=5, max_iter=5000, max_fun=10**5)
    with pytest.warns(ConvergenceWarning, match="prevents further progress") as caught:
        mlp.fit(X, y)
    _, gradient = mlp.loss_and_gradient(X, y)
    largest = max(abs(g).max() for g in gradient.coefs + gradient.intercepts)
    assert 1e-17 < largest < 1e-4
    message = str(caught[0].message)
    told = float(re.search(r"largest entry is ([\d.e+-]+), tol=1e-17", message)[1])
    if dtype == np.float64:
        assert told == pytest.approx(largest, rel=0.5)
    in_float32 = dtype == np.float32 and solver != "tnc"
    assert ("X of float64" in message) == in_float32


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_no_early_stopping_of_full_batch_solvers(solver, iris):
    plain = make(solver, max_iter=9).fit(*iris)
    with pytest.warns(UserWarning, match="early_stopping=True has no effect with"):
        stopping = make(solver, max_iter=9, early_stopping=True).fit(*iris)
    np.testing.assert_array_equal(stopping.coefs_[0], plain.coefs_[0])
    assert stopping.validation_scores_ is None
    assert stopping.loss_curve_ == plain.loss_curve_


def test_full_batch_solvers_find_the_same_minimum(iris):
    """Without hidden layers the log loss is convex: one minimum for all."""
    params = {"hidden_layer_sizes": (), "alpha": 2, "tol": 1e-7, "max_iter": 10**4}
    fitted = [make(solver, **params).fit(*iris) for solver in FULL_BATCH]
    adam = make("adam", batch_size=150, n_iter_no_change=50, **params)
    adam.set_params(learning_rate_init=0.05).fit(*iris)
    for mlp, atol in zip([*fitted[1:], adam], [1e-5, 1e-5, 5e-3], strict=True):
        assert mlp.loss_ == pytest.approx(fitted[0].loss_, rel=1e-6)
        np.testing.assert_allclose(mlp.coefs_[0], fitted[0].coefs_[0], atol=atol)


@pytest.mark.parametrize("solver", STOCHASTIC_SOLVERS)
def test_epochs(solver, iris):
    mlp = make(solver, max_iter=4, batch_size=40, shuffle=False)
    with pytest.warns(
        ConvergenceWarning,
        match=r"Maximum iterations \(4\) reached and .* hasn't converged yet\.$",
    ):
        mlp.fit(*iris)
    assert mlp.n_iter_ == len(mlp.loss_curve_) == 4
    assert mlp.n_fun_ == 4 * 4
    assert mlp.t_ == 4 * 150
    # Each step by itself.
    X, y = iris
    batches = [slice(0, 40), slice(40, 80), slice(80, 120), slice(120, 150)]
    steps = make(solver)
    losses = [
        [steps.partial_fit(X[rows], y[rows], [0, 1, 2]).loss_ for rows in batches]
        for _ in range(4)
    ]
    epochs = np.average(losses, axis=1, weights=[40, 40, 40, 30])
    np.testing.assert_allclose(mlp.loss_curve_, epochs, rtol=1e-12)
    assert mlp.loss_ == mlp.loss_curve_[-1]
    assert mlp.best_loss_ == min(mlp.loss_curve_)


def test_full_batch_sgd_is_gradient_descent(iris):
    X, y = iris
    mlp = make("sgd", momentum=0, batch_size=150, learning_rate_init=0.5, max_iter=1)
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X, y)
    reference = make("sgd")._initialized(X, y, np.random.RandomState(0))
    _, gradient = reference.loss_and_gradient(X, y)
    for new, old, slope in zip(
        mlp.coefs_, reference.coefs_, gradient.coefs, strict=True
    ):
        np.testing.assert_allclose(new, old - 0.5 * slope, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32(solver, iris):
    """float32 in, float32 weights out, and a training that comes as far."""
    X, y = iris
    double = make(solver, alpha=1, max_iter=12)
    single = clone(double)
    with pytest.warns(ConvergenceWarning):
        double.fit(X, y)
    with pytest.warns(ConvergenceWarning):
        single.fit(X.astype(np.float32), y)
    proba = single.predict_proba(X.astype(np.float32))
    arrays = [*single.coefs_, *single.intercepts_, proba]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}
    assert {a.dtype for a in double.coefs_} == {np.dtype(np.float64)}
    assert single.loss_ == pytest.approx(double.loss_, rel=1e-3)


def test_tnc_in_float32_evaluates_in_float64(exercise):
    X, y = exercise
    mlp = BackpropMLPClassifier(
        25,
        "logistic",
        solver="tnc",
        output_activation="logistic",
        weight_init=0.12,
        alpha=1,
        max_fun=400,
        tol=0,
        max_iter=10**6,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X.astype(np.float32), y)
    assert mlp.loss_ <= 0.330
    assert mlp.coefs_[0].dtype == np.float32


def test_verbose(iris, capsys):
    with pytest.warns(ConvergenceWarning):
        make("lbfgs", max_iter=3, verbose=True).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:12] for line in lines] == [f"Iteration {i}," for i in (1, 2, 3)]


@pytest.mark.parametrize("solver", SOLVERS)
def test_reproducible(solver, iris):
    with pytest.warns(ConvergenceWarning):
        a, b = (make(solver, max_iter=5).fit(*iris) for _ in range(2))
    np.testing.assert_array_equal(a.coefs_[0], b.coefs_[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adams_squares_are_no_subnormal_numbers(dtype):
    """As those of gradients that only the penalty has soon would be, and slow."""
    tiny = np.finfo(dtype).tiny
    sizes = [0.0, 1e-8, 1e-3, 1.0, 1e6]
    sizes.append(1e-20 if dtype == np.float32 else 1e-150)
    seen = {}

    class Given(Adam):
        def step(self, parameters, gradient, state, rate):
            (weights,), (slopes,) = parameters.matrices, gradient.matrices
            slopes[...] = np.reshape(sizes, slopes.shape)
            before = weights.copy()
            super().step(parameters, gradient, state, rate)
            seen["moved"] = np.ravel(before - weights)
            seen["squares"] = np.ravel(state["second_moment"].matrices[0])

    rule = Given(beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    params = {"hidden_layer_sizes": (), "solver": rule, "learning_rate_init": 0.01}
    mlp = BackpropMLPRegressor(**params, random_state=0)
    mlp.partial_fit(np.ones((3, 5), dtype), np.ones(3))
    assert seen["squares"].dtype == dtype
    assert ((seen["squares"] == 0) | (seen["squares"] >= tiny)).all()
    # The first step is the sign of the gradient, but for epsilon.
    expected = 0.01 * np.array(sizes) / (np.array(sizes) + 1e-8 / np.sqrt(1e-3))
    np.testing.assert_allclose(seen["moved"], expected, atol=1e-7)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_evaluations_of_a_line_search_that_was_cut_off_count(iris):
    """They belong to no iteration, and come before those of the continued fit."""
    for max_fun in range(4, 40):
        mlp = make("lbfgs", warm_start=True, max_fun=max_fun, tol=0).fit(*iris)
        n_before = mlp.n_fun_
        if n_before > mlp.n_fun_curve_[-1]:
            break
    assert n_before > mlp.n_fun_curve_[-1]
    mlp.set_params(max_fun=15000, max_iter=3).fit(*iris)
    assert mlp.n_fun_curve_[-1] == n_before + mlp.n_fun_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.callbacks
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_an_interrupted_fit_counts_its_work(solver, iris):
    def scoring(estimator, X, y):
        if len(estimator.loss_curve_) == 3:
            raise KeyboardInterrupt
        return 0.0

    mlp = make(solver).set_callbacks(ScoreHistory(*iris, scoring))
    with pytest.warns(UserWarning, match="interrupted"):
        mlp.fit(*iris)
    assert mlp.n_iter_ == 3
    assert mlp.t_ == mlp.n_fun_ * 150
    assert mlp.best_loss_ == mlp.loss_ == min(mlp.loss_curve_)
    assert mlp.loss_and_gradient(*iris)[0] == pytest.approx(mlp.loss_, rel=1e-12)


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_fit_from_the_optimum_takes_one_evaluation(solver, diabetes):
    X, y = diabetes
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=2,
        activation="tanh",
        solver=solver,
        alpha=10,
        tol=1e-3,
        max_iter=1000,
        warm_start=True,
        random_state=0,
    ).fit(X, y)
    before = mlp.get_theta()
    mlp.set_params(tol=1e-2).fit(X, y)
    assert (mlp.n_iter_, mlp.n_fun_) == (0, 1)
    assert (mlp.get_theta() == before).all()
