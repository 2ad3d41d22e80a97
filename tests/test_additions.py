"""A loss added to its file alone, and an output to its own, are taken up everywhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skmlp_backprop

NUMBER_LOSS = '''

@_register("log_cosh", "identity")
class LogCosh(Loss):
    """log(cosh(z - y))."""

    def __call__(self, z, target, spare, row):
        z -= target
        np.log(np.cosh(z), out=spare)
        np.tanh(z, out=z)
        return _sum_outputs(spare, row)
'''
CLASS_LOSS = '''

@_register("misses", "logistic")
class Misses(Loss):
    """The probability of a wrong decision, of each output."""

    def __call__(self, z, target, spare, row):
        _LOGISTIC.apply(z, z)
        np.abs(z - target, out=spare)
        z *= (1 - z) * (1 - 2 * target)
        return _sum_outputs(spare, row)
'''
OUTPUT = '''

class SquareOutput(NumberOutput):
    """z^2, for numbers that can't be negative."""

    name = "square"

    def values(self, logits):
        return np.square(logits)

    def logits_of(self, predictions):
        return np.sqrt(predictions)


NUMBER_OUTPUTS["square"] = SquareOutput
'''
LOSS_OF_OUTPUT = '''

@_register("squares", "square")
class Squares(Loss):
    """Half the squared distance of z^2 to the target."""

    def __call__(self, z, target, spare, row):
        error = np.square(z) - target
        z *= 2 * error
        np.multiply(error, error, out=spare)
        spare *= 0.5
        return _sum_outputs(spare, row)
'''

SCRIPT = """
import pickle, sys, warnings
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from skmlp_backprop import *

warnings.simplefilter("ignore", ConvergenceWarning)
cls, loss = globals()[sys.argv[1]], sys.argv[2]
X, y = load_diabetes(return_X_y=True)
X, y = X[:200] / X.std(axis=0), y[:200] / y.mean()
if cls is BackpropMLPClassifier:
    y = np.digitize(y, [0.7, 1.2])
params = {"loss": loss, "hidden_layer_sizes": (4,), "activation": "tanh"}
if cls is BackpropMLPClassifier:
    params["output_activation"] = "logistic"
for solver in ("lbfgs", "adam"):
    mlp = cls(solver=solver, max_iter=40, random_state=0, **params).fit(X, y)
    assert mlp.loss_curve_[-1] < mlp.loss_curve_[0]
    assert check_gradient(mlp, X[:30], y[:30]).passed
    again = pickle.loads(pickle.dumps(mlp))
    np.testing.assert_array_equal(again.predict(X), mlp.predict(X))
stack = [mlp, cls(alpha=1, max_iter=40, random_state=0, **params)]
for one in fit_stack(stack, X, y):
    assert one.loss_curve_[-1] < one.loss_curve_[0]
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package."""
    source = Path(skmlp_backprop.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(source, tmp_path / "skmlp_backprop", ignore=ignored)


def add(path, code):
    path.write_text(path.read_text(encoding="utf-8") + code, encoding="utf-8")


def run(package, cls, loss):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, cls, loss],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "loss", "code"),
    [
        ("BackpropMLPRegressor", "log_cosh", NUMBER_LOSS),
        ("BackpropMLPClassifier", "misses", CLASS_LOSS),
    ],
)
def test_a_loss_is_a_class_in_one_file(cls, loss, code, package):
    add(package / "_network" / "losses.py", code)
    run(package, cls, loss)


@pytest.mark.slow
def test_an_output_is_a_class_in_its_file_and_its_losses_in_theirs(package):
    add(package / "_network" / "outputs.py", OUTPUT)
    add(package / "_network" / "losses.py", LOSS_OF_OUTPUT)
    run(package, "BackpropMLPRegressor", "squares")
