"""One assembly of trainings: it sets nothing, and takes another objective."""

import numpy as np
import pytest
from sklearn.base import clone

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor, fit_stack
from skmlp_backprop._estimators.training import train
from skmlp_backprop._network.objective import Objective

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class OfTwoWorkers:
    """J of the rows' halves, each on its own, as if they were on two machines."""

    def __init__(self, network, alpha, dtype, **options):
        self.dtype = np.dtype(dtype)
        self.workers = [
            Objective(network, np.asarray(alpha) / 2, dtype, **options)
            for _ in range(2)
        ]

    def loss_and_gradient(self, parameters, rows, gradient):
        half = rows.n_rows // 2
        parts = rows.slice(0, half), rows.slice(half, rows.n_rows)
        gradient.fill(0)
        loss, own = 0.0, gradient.zeros_like()
        for worker, part in zip(self.workers, parts, strict=True):
            share = part.weight_sum / rows.weight_sum
            loss = loss + share * worker.loss_and_gradient(parameters, part, own)
            gradient.flat += share * own.flat
        return loss

    def select(self, indices):
        other = object.__new__(OfTwoWorkers)
        other.dtype = self.dtype
        other.workers = [worker.select(indices) for worker in self.workers]
        return other


def problem(kind, **params):
    """An estimator, and validated rows for it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = (X[:, 0] > 0).astype(int) if kind is BackpropMLPClassifier else X[:, 0]
    params = {"alpha": 2, "max_iter": 6, "random_state": 0, **params}
    return kind(hidden_layer_sizes=(4,), **params), X, y


@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPRegressor])
@pytest.mark.parametrize("solver", ["lbfgs", "cg", "sgd", "adam"])
def test_another_objective_takes_its_place(solver, kind):
    estimator, X, y = problem(kind, solver=solver)
    weight = np.arange(60) % 3 + 0.5
    data = estimator._training_data(X, y, estimator._codec_of(y), weight)
    (trained,) = train([estimator], data, make_objective=OfTwoWorkers)
    fitted = clone(estimator).fit(X, y, weight)
    for one, other in zip(trained.attributes()["coefs_"], fitted.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


def test_it_takes_a_stacks_place_and_lets_networks_leave():
    estimator, X, y = problem(BackpropMLPRegressor)
    stack = [clone(estimator).set_params(max_iter=n, alpha=n) for n in (2, 4, 6)]
    data = estimator._training_data(X, y, estimator._codec_of(y), None)
    trained = train(stack, data, make_objective=OfTwoWorkers)
    for result, fitted in zip(trained, fit_stack(stack, X, y), strict=True):
        assert result.history.n_iter == fitted.n_iter_
        coefs = result.attributes()["coefs_"]
        np.testing.assert_allclose(coefs[0], fitted.coefs_[0], rtol=1e-7)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_training_sets_nothing(solver):
    estimator, X, y = problem(BackpropMLPClassifier, solver=solver)
    estimator.fit(X, y)
    before = vars(estimator).copy()
    weights = estimator.coefs_[0].copy()
    data = estimator._training_data(X, y, estimator._codec, None)
    state = estimator._state(data)
    (trained,) = train([estimator], data, [state])
    assert vars(estimator) == before
    np.testing.assert_array_equal(estimator.coefs_[0], weights)
    assert not np.array_equal(trained.attributes()["coefs_"][0], weights)
    assert len(estimator.loss_curve_) < len(trained.history.loss_curve)
