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


def run():
    """The digits in both precisions, by both solvers."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    # For the workers, who read it when they start.
    os.environ["PYTHONWARNINGS"] = "ignore"
    rows = []
    for dtype, bar in BARS.items():
        for solver in ("sgd", "adam"):
            seconds = measure(_data.digits, None, dtype, 32, 25, N_EPOCHS, solver)
            ratio = seconds["mlp"] / seconds["ours"]
            figures = {
                "s": seconds["ours"],
                "MLPClassifier s": seconds["mlp"],
                "x MLPClassifier": ratio,
            }
            what = f"digits {dtype} batch 32 units 25 {N_EPOCHS} epochs {solver}"
            rows.append(Row(what, figures, f">= {bar} x", ratio >= bar))
    return rows
