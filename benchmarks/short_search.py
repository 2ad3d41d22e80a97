"""Searches of a second and less, in which the fixed cost shows."""

import os
import warnings

from sklearn.exceptions import ConvergenceWarning

from . import _data
from ._report import Row
from .search import measure

N_EPOCHS = 10
# Bars over GridSearchCV(MLPClassifier).
BARS = {"float64": 9, "float32": 12}
# No two of them can share a stack on a fold.
SHAPES = {"hidden_layer_sizes": [(10,), (25,), (50,), (25, 25)]}


def run():
    """The digits in both precisions, by both solvers; then a grid of shapes."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    # For the workers, who read it when they start.
    os.environ["PYTHONWARNINGS"] = "ignore"
    rows = []
    for dtype, bar in BARS.items():
        for solver in ("sgd", "adam"):
            seconds = measure(_data.digits, None, dtype, 32, 25, N_EPOCHS, solver)
            what = f"digits {dtype} batch 32 units 25 {N_EPOCHS} epochs {solver}"
            figures = _figures(seconds)
            holds = figures["x MLPClassifier"] >= bar
            rows.append(Row(what, figures, f">= {bar} x", holds))
    seconds = measure(_data.digits, None, "float64", 32, 25, N_EPOCHS, "sgd", SHAPES)
    what = f"digits float64 batch 32 four shapes {N_EPOCHS} epochs sgd"
    return [*rows, Row(what, _figures(seconds))]


def _figures(seconds):
    return {
        "s": seconds["ours"],
        "MLPClassifier s": seconds["mlp"],
        "x MLPClassifier": seconds["mlp"] / seconds["ours"],
    }
