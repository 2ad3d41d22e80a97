import copy
import itertools

import numpy as np
import pytest

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor

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
    n_units = 100_000
    one = np.ones((1, 1), np.float32)
    mlp = BackpropMLPRegressor.from_weights(
        [np.ones((1, n_units), np.float32), np.zeros((n_units, 1), np.float32)],
        [np.zeros(n_units, np.float32), np.zeros(1, np.float32)],
        activation="identity",
        dropout=0.3,
        solver="sgd",
        momentum=0,
        learning_rate_init=1,
        random_state=0,
    )
    # All units are 1, and J falls by 1 for each: so a step makes the weights the mask.
    mask = mlp.partial_fit(one, one[0]).coefs_[1]
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (mask == 0).mean() == pytest.approx(0.3, abs=0.005)


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "elu"])
@pytest.mark.parametrize("rates", [[0.5, 0.2], [0, 0.4], [0.3, 0]])
def test_gradient(activation, rates):
    """Of J with the masks of a seed, which are the same every time."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 4)), np.arange(20) % 3
    shapes = list(itertools.pairwise([4, 6, 5, 3]))
    start = BackpropMLPClassifier.from_weights(
        [rng.uniform(-1, 1, shape) for shape in shapes],
        [rng.uniform(-1, 1, fan_out) for _, fan_out in shapes],
        [0, 1, 2],
        activation=activation,
        dropout=rates,
        alpha=0.1,
        solver="sgd",
        momentum=0,
        learning_rate_init=1,
        batch_size=20,
        random_state=0,
    )
    theta = start.get_theta()

    def stepped_from(theta):
        return copy.deepcopy(start).set_theta(theta).partial_fit(X, y)

    gradient = theta - stepped_from(theta).get_theta()
    steps = 1e-6 * np.eye(len(theta))
    ahead, behind = (
        np.array([stepped_from(theta + sign * step).loss_ for step in steps])
        for sign in (1, -1)
    )
    numerical = (ahead - behind) / 2e-6
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
    dry = make(solver=solver).fit(*iris)
    with pytest.warns(UserWarning, match="dropout=0.5 has no effect with solver="):
        wet = make(solver=solver, dropout=0.5).fit(*iris)
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
