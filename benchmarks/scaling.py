"""Time to fit against rows and against units, beside MLPClassifier."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skmlp_backprop import BackpropMLPClassifier

from ._report import Row
from ._timing import check_same_loss, interleave

ROWS = (1_000, 10_000, 100_000, 1_000_000)
UNITS = (10, 30, 100, 300, 1000, 3000)


def _problem(n_rows):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 20), dtype=np.float32)
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def _fit_both(n_rows, units):
    """Seconds of an epoch of Adam for both."""
    X, y = _problem(n_rows)
    params = {
        "hidden_layer_sizes": (units,),
        "activation": "relu",
        "learning_rate_init": 0.001,
        "max_iter": 1,
        "random_state": 0,
    }
    seconds, losses = interleave(
        {
            "ours": lambda: BackpropMLPClassifier(**params).fit(X, y).loss_,
            "mlp": lambda: MLPClassifier(**params).fit(X, y).loss_,
        },
        repeats=3 if n_rows > 100_000 or units > 1000 else 7,
    )
    check_same_loss(f"{n_rows} rows, {units} units", list(losses.values()))
    return seconds


def _row(what, seconds):
    figures = {
        "s": seconds["ours"],
        "MLPClassifier s": seconds["mlp"],
        "x": seconds["mlp"] / seconds["ours"],
    }
    return Row(what, figures)


def run():
    """Rows at 50 units, units at 10000 rows; 20 features, an epoch of Adam."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    by_rows = {n: _fit_both(n, 50) for n in ROWS}
    by_units = {n: _fit_both(10_000, n) for n in UNITS}
    rows = [_row(f"{n} rows", seconds) for n, seconds in by_rows.items()]
    growth = by_rows[1_000_000]["ours"] / by_rows[100_000]["ours"]
    rows.append(
        Row(
            "1e6 over 1e5 rows",
            {"times as long": growth},
            "linear: 8 to 12",
            8 <= growth <= 12,
        )
    )
    return rows + [_row(f"{n} units", seconds) for n, seconds in by_units.items()]
