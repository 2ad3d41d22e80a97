"""Steps with a trainable scale for each input, against plain formulas."""

import numpy as np
import pytest

from skmlp_backprop import BackpropMLPClassifier

# The scales are folded into the weights of an ensemble, which are averages: here are
# the steps alone.
from skmlp_backprop._estimators.training import initial_parameters, make_solver
from skmlp_backprop._network.batches import Batches
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.parameters import Parameters
from skmlp_backprop._solvers.levels import LevelStepper
from skmlp_backprop._solvers.stack import ScaledInputStack

# Those of each network begin here.
SCALES = np.array([[0.5, 1, 2, 1], [1, 0.1, 1, 3]])
RATES = (0.05, 0.2)
N_ROWS = 40


def softmax(z):
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class PlainNetwork:
    """tanh and softmax behind scaled inputs, written down as in a textbook."""

    def __init__(self, parameters, i):
        self.V, self.U = (weights[i].T.copy() for weights in parameters.weights)
        self.b, self.c = (offsets[i][:, 0].copy() for offsets in parameters.intercepts)
        self.s = SCALES[i].copy()

    def loss(self, X, y, w):
        proba = softmax(np.tanh((X * self.s) @ self.V + self.b) @ self.U + self.c)
        return -(w * np.log(proba[np.arange(len(y)), y])).sum() / w.sum()

    def gradients(self, X, y, w):
        """Of V, s, b, U and c."""
        a = np.tanh((X * self.s) @ self.V + self.b)
        delta = softmax(a @ self.U + self.c) - np.eye(3)[y]
        delta *= w[:, None] / w.sum()
        behind = (delta @ self.U.T) * (1 - a**2)
        return {
            "V": (X * self.s).T @ behind,
            "s": (X * (behind @ self.V.T)).sum(axis=0),
            "b": behind.sum(axis=0),
            "U": a.T @ delta,
            "c": delta.sum(axis=0),
        }

    def moved(self, steps):
        for name, step in steps.items():
            setattr(self, name, getattr(self, name) - step)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, 4)) * [1, 3, 0.1, 1]
    return X, np.arange(N_ROWS) % 3, rng.random(N_ROWS) + 0.5


@pytest.fixture
def start(data):
    """Makes a stack of two networks, and plain ones."""

    def make(solver, batch_size, **params):
        X, y, w = data
        mlps = [
            BackpropMLPClassifier(
                5, "tanh", solver=solver, alpha=0, learning_rate_init=rate, **params
            )
            for rate in RATES
        ]
        training = mlps[0]._training_data(X, y, mlps[0]._target_encoder_of(y), w)
        random_state = np.random.RandomState(0)
        networks = [initial_parameters(mlp, training, random_state) for mlp in mlps]
        parameters = Parameters.stacked(networks)
        plain = [PlainNetwork(parameters, i) for i in range(2)]
        stack = ScaledInputStack(
            SCALES,
            Objective(training.network, 0, parameters),
            [make_solver(mlp) for mlp in mlps],
            Batches(training.rows, training.network.output, batch_size, None),
        )
        return stack, plain

    return make


def run(stack, rates=RATES):
    """An epoch of the rows in order."""
    return stack.run_epoch(np.arange(N_ROWS), rates)


def assert_same(stack, plain):
    for i, network in enumerate(plain):
        first, last = (weights[i].T for weights in stack.parameters.weights)
        np.testing.assert_allclose(first, network.s[:, None] * network.V, rtol=1e-10)
        np.testing.assert_allclose(last, network.U, rtol=1e-10, atol=1e-13)
        b, c = (offsets[i][:, 0] for offsets in stack.parameters.intercepts)
        np.testing.assert_allclose(b, network.b, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(c, network.c, rtol=1e-10, atol=1e-13)


def test_the_plain_gradients_are_those_of_differences(start, data):
    _, (network, _) = start("sgd", N_ROWS, momentum=0)
    network.s *= [0.5, 2, 1, -1]
    for name, gradient in network.gradients(*data).items():
        values = getattr(network, name)
        for index in np.ndindex(values.shape):
            losses = []
            for step in (1e-6, -2e-6):
                values[index] += step
                losses.append(network.loss(*data))
            values[index] += 1e-6
            slope = (losses[0] - losses[1]) / 2e-6
            assert gradient[index] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("batch_size", [N_ROWS, 15])
def test_gradient_descent(start, data, batch_size):
    """The weights at the rate r, the scales at 6 r; in several epochs and batches."""
    X, y, w = data
    stack, plain = start("sgd", batch_size, momentum=0)
    for _ in range(3):
        losses, weights, _ = run(stack)
        expected = []
        for first in range(0, N_ROWS, batch_size):
            batch = slice(first, first + batch_size)
            expected.append([n.loss(X[batch], y[batch], w[batch]) for n in plain])
            for network, rate in zip(plain, RATES, strict=True):
                gradients = network.gradients(X[batch], y[batch], w[batch])
                factors = {"V": 1, "s": 6, "b": 1, "U": 1, "c": 1}
                network.moved(
                    {name: factors[name] * rate * g for name, g in gradients.items()}
                )
        np.testing.assert_allclose(losses, expected, rtol=1e-10)
        assert weights[:, 0].sum() == N_ROWS
        assert_same(stack, plain)
    assert min(abs(network.s - 1).max() for network in plain) > 0.01


def test_adam(start, data):
    stack, plain = start("adam", N_ROWS)
    moments = [{} for _ in plain]
    for t in range(1, 6):
        run(stack)
        for network, rate, moment in zip(plain, RATES, moments, strict=True):
            change = {}
            for name, g in network.gradients(*data).items():
                m, v = moment.get(name, (0, 0))
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                moment[name] = m, v
                length = (6 if name == "s" else 1) * rate * np.sqrt(1 - 0.999**t)
                # Epsilon where Kingma and Ba have it at the end of section 2.
                change[name] = length / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
            network.moved(change)
        assert_same(stack, plain)


def test_rates_follow_the_solvers(start, data):
    """What a schedule makes of the rate holds for the scales, too."""
    stack, plain = start("sgd", N_ROWS, momentum=0)
    run(stack, [rate / 10 for rate in RATES])
    for network, rate in zip(plain, RATES, strict=True):
        gradients = network.gradients(*data)
        gradients["s"] *= 6
        network.moved({name: rate / 10 * g for name, g in gradients.items()})
    assert_same(stack, plain)


def test_an_input_that_is_never_there_changes_nothing(start, data):
    data[0][:, 2] = 0
    stack, _ = start("adam", 10)
    before = stack.parameters.weights[0][:, :, 2].copy()
    for _ in range(3):
        run(stack)
    np.testing.assert_array_equal(stack.parameters.weights[0][:, :, 2], before)
    assert np.isfinite(stack.losses).all()


def test_levels_step_by_their_formula():
    """Where a large gradient follows many small ones, and after a thousand steps."""
    rng, rate, scale = np.random.default_rng(0), 0.1, 0.5
    gradients = rng.normal(0, 1e-3, (1300, 3))
    gradients[[50, 1200]] = 1
    weights = np.zeros((1, 2, 3))
    stepper = LevelStepper(weights, np.full((1, 2), scale))
    mean_square, expected = 0, np.zeros(3)
    for n_steps, gradient in enumerate(gradients, start=1):
        square = np.mean(gradient**2)
        mean_square += max(1 / n_steps, 0.001) * (square - mean_square)
        size = np.sqrt(max(mean_square, square)) + 1e-8
        expected -= rate * scale * gradient / size
        stepper.step(np.array([1]), gradient[np.newaxis, np.newaxis].copy(), rate)
    np.testing.assert_allclose(weights[0, 1], expected, rtol=1e-4)
    assert (weights[0, 0] == 0).all()
