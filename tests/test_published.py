"""The published trainings of the field, reproduced by the scripts in examples/."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.parametrize(
    ("training", "worst", "median", "accuracy", "cap"),
    [
        ("tnc", 0.330, 0.325, 0.990, ("n_fun_", 400)),
        ("cg", 0.325, 0.320, 0.994, ("n_iter_", 400)),
        ("tnc, short", 0.345, 0.335, 0.988, ("n_fun_", 250)),
    ],
)
def test_trainings(exercise, training, worst, median, accuracy, cap):
    example = load_example("exercise_trainings")
    # Three of the script's five seeds: what a fault does, it does at each.
    fitted = [example.train(training, *exercise, seed) for seed in range(3)]
    losses = [mlp.loss_ for mlp in fitted]
    assert max(losses) <= worst
    assert np.median(losses) <= median
    assert min(mlp.score(*exercise) for mlp in fitted) >= accuracy
    assert {getattr(mlp, cap[0]) for mlp in fitted} == {cap[1]}


def test_mnist_minibatch_sgd(data_dir):
    example = load_example("mnist_minibatch_sgd")
    scores = example.sweep(*example.load(data_dir))
    assert max(scores.values()) >= 0.90


def test_digits_gradient_descent():
    example = load_example("digits_gradient_descent")
    scores = [example.train_and_score(seed) for seed in range(5)]
    assert min(scores) >= 0.75
    assert np.mean(scores) >= 0.80
