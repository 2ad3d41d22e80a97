import numpy as np
import pytest

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop._network.batches import Rows
from skmlp_backprop._network.dropout import Dropout
from skmlp_backprop._network.losses import SoftmaxLogLoss
from skmlp_backprop._network.network import Network
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.outputs import SoftmaxOutput
from skmlp_backprop._network.parameters import Parameters

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]
STOCHASTIC_SOLVERS = ["sgd", "adam"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**params):
    mlp = BackpropMLPClassifier(
        (6, 5), "tanh", learning_rate_init=0.01, max_iter=10, random_state=0
    )
    return mlp.set_params(**params)


def test_masks():
    """Inverted: silent at the rate, scaled up to an expectation of 1 where not."""
    dropout = Dropout([0.3], np.random.RandomState(0))
    mask = dropout.mask(0.3, (100, 1000), np.dtype(np.float32))
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (mask == 0).mean() == pytest.approx(0.3, abs=0.005)


class SameMasks(Dropout):
    """Draws the same masks every time, as finite differences need it."""

    def mask(self, rate, shape, dtype):
        self.random_state = np.random.RandomState(3)
        return super().mask(rate, shape, dtype)


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "elu"])
@pytest.mark.parametrize("rates", [[0.5, 0.2], [0, 0.4], [0.3, 0]])
def test_gradient(activation, rates):
    rng = np.random.default_rng(0)
    network = Network(
        [4, 6, 5, 3], [activation] * 2, SoftmaxLogLoss(), SoftmaxOutput(3)
    )
    rows = Rows(rng.standard_normal((20, 4)), np.arange(20) % 3)
    n_parameters = 4 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3
    parameters = Parameters.on_buffer(
        rng.uniform(-1, 1, n_parameters), network.layer_units
    )
    objective = Objective(network, 0.1, parameters, SameMasks(rates, None))
    objective.loss_and_gradient(rows)
    gradient, numerical = objective.gradient.flat.copy(), []
    for i in range(n_parameters):
        losses = []
        for step in (1e-6, -2e-6, 1e-6):
            parameters.flat[i] += step
            losses.append(objective.loss_and_gradient(rows)[0])
        numerical.append((losses[0] - losses[1]) / 2e-6)
    np.testing.assert_allclose(numerical, gradient, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("solver", STOCHASTIC_SOLVERS)
def test_off_at_prediction_on_in_training(solver, iris):
    X, y = iris
    wet = make(solver=solver, dropout=0.5).fit(X, y)
    dry = make(solver=solver).fit(X, y)
    assert np.abs(wet.coefs_[0] - dry.coefs_[0]).max() > 1e-3
    np.testing.assert_array_equal(wet.predict_proba(X), wet.predict_proba(X))
    again = BackpropMLPClassifier.from_weights(
        wet.coefs_, wet.intercepts_, wet.classes_, activation="tanh"
    )
    np.testing.assert_array_equal(again.predict_proba(X), wet.predict_proba(X))
    per_layer = make(solver=solver, dropout=(0.5, 0.5)).fit(X, y)
    np.testing.assert_array_equal(per_layer.coefs_[0], wet.coefs_[0])


@pytest.mark.parametrize("solver", [s for s in SOLVERS if s not in STOCHASTIC_SOLVERS])
def test_no_effect_on_full_batch_solvers(solver, iris):
    wet, dry = (make(solver=solver, dropout=d).fit(*iris) for d in (0.5, 0))
    np.testing.assert_array_equal(wet.coefs_[0], dry.coefs_[0])


def test_learns_with_dropout(digits):
    X, y = digits
    mlp = make(hidden_layer_sizes=100, dropout=0.5, max_iter=30).fit(X[:1400], y[:1400])
    assert mlp.score(X[1400:], y[1400:]) > 0.9


@pytest.mark.parametrize(
    ("dropout", "message"),
    [
        (1.0, "The 'dropout' parameter"),
        (-0.1, "The 'dropout' parameter"),
        ([0.5], "dropout has 1 rates, but hidden_layer_sizes has 2"),
        ([0.5, 1.0], r"dropout rates must be in \[0, 1\)"),
    ],
)
def test_bad_rates(dropout, message, iris):
    with pytest.raises(ValueError, match=message):
        make(dropout=dropout).fit(*iris)


def test_each_partial_fit_draws_other_masks(iris):
    X, y = iris
    mlp = make(hidden_layer_sizes=20, dropout=0.5, alpha=0)
    mlp.partial_fit(X[:1], y[:1], classes=[0, 1, 2])
    before = mlp.coefs_[0].copy()
    for i in range(1, 60):
        mlp.partial_fit(X[i : i + 1], y[i : i + 1])
    assert (np.abs(mlp.coefs_[0] - before).max(axis=0) > 0).all()
