"""The schedule "cosine": the rate falls to 0 over a call's epochs."""

import numpy as np
import pytest
from probes import watched_rule
from sklearn.base import clone

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor, fit_stack

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SOLVERS = ["sgd", "adam"]


def make(solver, **params):
    params = {"learning_rate_init": 0.1, "max_iter": 8, "tol": 0, **params}
    return BackpropMLPClassifier(
        5, "tanh", solver=solver, learning_rate="cosine", random_state=0, **params
    )


def formula(rate, n_epochs):
    return rate * (1 + np.cos(np.pi * np.arange(n_epochs) / n_epochs)) / 2


class Rates:
    """The rates of all steps, which are the epochs' as each has a single batch."""

    def __init__(self, name):
        self.seen = []
        self.rule = watched_rule(name, self._add)

    def _add(self, parameters, state, rate):
        self.seen.append(np.ravel(rate)[0])

    def assert_are(self, expected):
        np.testing.assert_allclose(self.seen, expected, rtol=1e-12)


@pytest.fixture(params=SOLVERS)
def rates(request):
    return Rates(request.param)


class Snapshots:
    """Keeps the estimator of every epoch."""

    def __init__(self):
        self.estimators = []

    def setup(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.estimators.append(fitted_estimator)

    def teardown(self, estimator, context): ...


@pytest.mark.parametrize("max_iter", [1, 2, 8])
def test_rates(max_iter, iris, rates):
    make(rates.rule, max_iter=max_iter).fit(*iris)
    rates.assert_are(formula(0.1, max_iter))


def test_rates_of_the_regressor(iris, rates):
    X, y = iris
    mlp = BackpropMLPRegressor(
        solver=rates.rule, learning_rate="cosine", max_iter=5, tol=0
    )
    mlp.fit(X, y.astype(float))
    rates.assert_are(formula(0.001, 5))


@pytest.mark.callbacks
def test_steps_are_the_rates_times_the_gradient(iris):
    snapshots = Snapshots()
    mlp = make("sgd", momentum=0, batch_size=150).set_callbacks(snapshots)
    mlp.fit(*iris)
    states = snapshots.estimators
    assert len(states) == 8
    pairs = zip(states[:-1], states[1:], formula(0.1, 8)[1:], strict=True)
    for before, after, rate in pairs:
        _, gradient = before.loss_and_gradient(*iris)
        for b, a, g in zip(before.coefs_, after.coefs_, gradient.coefs, strict=True):
            np.testing.assert_allclose(a, b - rate * g, rtol=1e-10, atol=1e-14)


def test_it_stops_before_its_end(iris, rates):
    mlp = make(rates.rule, max_iter=100, tol=10, n_iter_no_change=3).fit(*iris)
    assert mlp.n_iter_ < 100
    rates.assert_are(formula(0.1, 100)[: mlp.n_iter_])


def test_a_warm_start_begins_anew(iris, rates):
    mlp = make(rates.rule, warm_start=True, max_iter=4).fit(*iris)
    mlp.set_params(max_iter=6).fit(*iris)
    rates.assert_are(np.concatenate([formula(0.1, 4), formula(0.1, 6)]))
    assert len(mlp.loss_curve_) == 10


def test_partial_fit_is_a_call_of_one_epoch(iris, rates):
    mlp = make(rates.rule)
    for _ in range(3):
        mlp.partial_fit(*iris, classes=[0, 1, 2])
    rates.assert_are([0.1] * 3)
    # What a cosine has fallen to is no rate for another schedule to go on from.
    mlp.fit(*iris).set_params(learning_rate="constant").partial_fit(*iris)
    assert rates.seen[-1] == 0.1
    mlp.set_params(learning_rate="cosine").partial_fit(*iris)
    assert rates.seen[-1] == 0.1


@pytest.mark.parametrize("solver", SOLVERS)
def test_stacks(solver, iris):
    mlps = [
        make(solver, max_iter=max_iter, learning_rate_init=rate)
        for max_iter, rate in [(3, 0.1), (8, 0.1), (8, 0.01), (5, 0.3)]
    ]
    mlps.append(make(solver).set_params(learning_rate="constant"))
    own = [clone(mlp).fit(*iris) for mlp in mlps]
    for a, b in zip(fit_stack(mlps, *iris), own, strict=True):
        assert a.n_iter_ == b.n_iter_
        np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-6)
        for x, y in zip(a.coefs_, b.coefs_, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_it_ends_calmer_than_a_constant_rate(solver, iris):
    """What a rate of this size leaves of the noise of small batches is gone."""
    params = {"learning_rate_init": 0.05, "max_iter": 40, "batch_size": 5, "alpha": 0}
    cosine = make(solver, **params).fit(*iris)
    constant = clone(cosine).set_params(learning_rate="constant").fit(*iris)
    last = [np.std(mlp.loss_curve_[-5:]) for mlp in (cosine, constant)]
    assert last[0] < last[1] / 5
    assert cosine.loss_ < constant.loss_
