"""The published trainings of the field, reproduced by the scripts in examples/."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop.datasets import read_idx

EXAMPLES = Path(__file__).parent.parent / "examples" / "published"


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_given_weights(data_dir, exercise):
    example = load_example("exercise_trainings")
    for alpha, cost in ((0, 0.2876291651613189), (1, 0.38376985909092365)):
        mlp = example.given_weights(data_dir, alpha)
        loss, _ = mlp.loss_and_gradient(*exercise)
        assert loss == pytest.approx(cost, rel=1e-12)
    assert mlp.score(*exercise) == 0.9752
    assert set(mlp.predict(exercise[0])) == set(range(1, 11))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("training", "worst", "median", "accuracy", "cap", "n_fun"),
    [
        ("tnc", 0.330, 0.325, 0.990, ("n_fun_", 400), 400),
        ("cg", 0.325, 0.320, 0.994, ("n_iter_", 400), 1450),
        ("tnc, short", 0.345, 0.335, 0.988, ("n_fun_", 250), 250),
    ],
)
def test_trainings(exercise, training, worst, median, accuracy, cap, n_fun):
    example = load_example("exercise_trainings")
    # A fault would show at each seed, so three of the five are enough.
    with pytest.warns(ConvergenceWarning, match=f"={cap[1]} before it converged"):
        fitted = [example.train(training, *exercise, seed) for seed in range(3)]
    losses = [mlp.loss_ for mlp in fitted]
    assert max(losses) <= worst
    assert np.median(losses) <= median
    assert min(mlp.score(*exercise) for mlp in fitted) >= accuracy
    assert {getattr(mlp, cap[0]) for mlp in fitted} == {cap[1]}
    assert max(mlp.n_fun_ for mlp in fitted) <= n_fun


@pytest.mark.slow
def test_mnist_minibatch_sgd(data_dir):
    example = load_example("mnist_minibatch_sgd")
    X, y = example.load(data_dir)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(1\) reached"):
        mlps = [example.train(X[:50000], y[:50000], r) for r in example.LEARNING_RATES]
    assert max(mlp.score(X[-10000:], y[-10000:]) for mlp in mlps) >= 0.90


@pytest.mark.slow
def test_digits_gradient_descent():
    example = load_example("digits_gradient_descent")
    X, y, X_test, y_test = example.load()
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(350\) reached"):
        mlps = [example.train(X, y, seed) for seed in range(5)]
    scores = [mlp.score(X_test, y_test) for mlp in mlps]
    assert min(scores) >= 0.75
    assert np.mean(scores) >= 0.80
    # J is half the squared error.
    a = X
    for coef, intercept in zip(mlps[0].coefs_, mlps[0].intercepts_, strict=True):
        a = expit(a @ coef + intercept)
    wanted = y[:, np.newaxis] == np.arange(10)
    squared_error = np.mean(np.sum((a - wanted) ** 2, axis=1))
    loss, _ = mlps[0].loss_and_gradient(X, y)
    assert 2 * loss == pytest.approx(squared_error, rel=1e-9)


def test_exercise_digits_are_rebuilt_exactly(data_dir, exercise):
    make_exercise_digits = load_example("rebuild_exercise_digits").make_exercise_digits
    images = read_idx(data_dir / "mnist" / "train-images-idx3-ubyte.gz")
    labels = read_idx(data_dir / "mnist" / "train-labels-idx1-ubyte.gz")
    assert np.bincount(labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    X, y = make_exercise_digits(images, labels)
    assert X.shape == (5000, 400)
    np.testing.assert_allclose(X, exercise[0], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(y, exercise[1])
    with pytest.raises(ValueError, match="expected 500 images of the digit 0, found"):
        make_exercise_digits(images[:2000], labels[:2000])
