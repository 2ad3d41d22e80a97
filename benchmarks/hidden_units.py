"""The README's picture: what the exercise's 25 hidden units have learned."""

import matplotlib as mpl

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.displays import HiddenUnitsDisplay

from . import _data
from ._report import Row
from ._results import OUTPUT


def run():
    """Train 400-25-10 with truncated Newton, at lambda 1, to convergence; draw it."""
    mpl.use("Agg")
    X, y = _data.exercise()
    mlp = BackpropMLPClassifier(
        25,
        activation="logistic",
        output_activation="logistic",
        solver="tnc",
        alpha=1,
        max_iter=10_000,
        tol=1e-5,
        weight_init=0.12,
        random_state=0,
    ).fit(X, y)
    display = HiddenUnitsDisplay.from_estimator(mlp, order="F")
    OUTPUT.mkdir(exist_ok=True)
    display.figure_.savefig(OUTPUT / "hidden_units.png", dpi=90)
    figures = {"J": mlp.loss_, "accuracy": mlp.score(X, y), "evaluations": mlp.n_fun_}
    return [Row("ex4data1 400-25-10, tnc to convergence", figures)]
