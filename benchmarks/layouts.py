"""Epochs on X as users hand it over, against the same rows in C order."""

import tempfile
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier, fit_stack

from ._report import Row
from ._timing import interleave

N_EPOCHS = 5
BAR = 1.2


def _strided(X):
    wide = np.zeros((len(X), 2 * X.shape[1]))
    wide[:, ::2] = X
    return wide[:, ::2]


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "every other column": _strided,
    "DataFrame": pd.DataFrame,
    "scaled DataFrame": lambda X: StandardScaler().fit_transform(pd.DataFrame(X)),
}


def _data(n_rows, n_features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features))
    return X, rng.integers(0, 2, n_rows)


def _mlp(n_units, **params):
    return BackpropMLPClassifier(
        n_units, max_iter=N_EPOCHS, tol=0, random_state=0, **params
    )


def run():
    """Single fits, a stack of five, and a memory map in Fortran order."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for n_rows, n_features, n_units in ((40_000, 40, 100), (100_000, 50, 10)):
        X, y = _data(n_rows, n_features)
        laid_out = {name: make(X) for name, make in LAYOUTS.items()}
        X = np.ascontiguousarray(laid_out.pop("scaled DataFrame"))
        laid_out["scaled DataFrame"] = np.asfortranarray(X)

        def fit(X, n_units=n_units, y=y):
            return _mlp(n_units).fit(X, y)

        def stack(X, n_units=n_units, y=y):
            mlps = [_mlp(n_units, alpha=alpha) for alpha in (0.01, 0.1, 1, 10, 100)]
            return fit_stack(mlps, X, y)

        size = f"{n_rows} x {n_features}, {n_units} units"
        rows += _compare(f"an epoch, {size}", fit, X, laid_out)
        rows += _compare(f"an epoch of a stack of 5, {size}", stack, X, laid_out)
        rows.append(_mapped(f"an epoch, {size}", fit, X))
    return rows


def _compare(what, fit, X, laid_out):
    """One row for each layout: its seconds and those of C order."""
    contenders = {"C": lambda: fit(X)}
    contenders |= {name: lambda X=other: fit(X) for name, other in laid_out.items()}
    seconds, _ = interleave(contenders, repeats=5, calls=N_EPOCHS)
    rows = []
    for name in laid_out:
        ratio = seconds[name] / seconds["C"]
        figures = {"s": seconds[name], "C order s": seconds["C"], "ratio": ratio}
        rows.append(Row(f"{what}, {name}", figures, f"<= {BAR}", ratio <= BAR))
    return rows


def _mapped(what, fit, X):
    """A file in Fortran order is read row by row: what matters is the memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "X"
        mapped = np.memmap(file, X.dtype, "w+", shape=X.shape, order="F")
        mapped[:] = X
        fit(mapped[:1000], y=np.arange(1000) % 2)
        start = time.perf_counter()
        fit(mapped)
        seconds = (time.perf_counter() - start) / N_EPOCHS
        tracemalloc.start()
        fit(mapped)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    share = peak * 2**20 / X.nbytes
    figures = {"s": seconds, "MiB": peak, "share of X": share}
    name = f"{what}, memory map in Fortran order"
    return Row(name, figures, "<= 0.4 of X in memory", share <= 0.4)
