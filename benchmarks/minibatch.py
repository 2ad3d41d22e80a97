"""Time of a minibatch step, against MLPClassifier and a plain torch loop."""

import itertools
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.utils import check_random_state, shuffle

from skmlp_backprop import BackpropMLPClassifier

from . import _data, _torch_side
from ._report import Row
from ._timing import check_same_loss, geometric_mean, interleave

# Rows, and epochs of one timed fit: long enough that what is done once is small.
SETS = {"digits": (_data.digits, None, 20), "mnist": (_data.mnist, 20000, 1)}
RATES = {"sgd": 0.01, "adam": 0.001}


def measure(data, dtype, batch_size, units, solver):
    """Microseconds a step of the three, which go through the same weights."""
    load, n_rows, n_epochs = SETS[data]
    X, y = _data.in_dtype(load, dtype, n_rows)
    params = {
        "hidden_layer_sizes": (units,),
        "activation": "relu",
        "solver": solver,
        "learning_rate_init": RATES[solver],
        "batch_size": batch_size,
        "max_iter": n_epochs,
        "random_state": 0,
    }
    ours = BackpropMLPClassifier(**params)
    start = ours._initialized(X, y, check_random_state(0))
    orders = _orders(X, y, ours, n_epochs)
    seconds, losses = interleave(
        {
            "ours": lambda: BackpropMLPClassifier(**params).fit(X, y).loss_,
            "mlp": lambda: MLPClassifier(**params).fit(X, y).loss_,
            "torch": lambda: _torch_side.train(
                start, X, y, batch_size, solver, RATES[solver], n_epochs, orders
            ),
        }
    )
    what = f"{data} {np.dtype(dtype).name} batch {batch_size} units {units} {solver}"
    check_same_loss(what, list(losses.values()))
    n_steps = n_epochs * -(-len(X) // batch_size)
    return what, {name: 1e6 * s / n_steps for name, s in seconds.items()}


def _orders(X, y, mlp, n_epochs):
    """The orders of the rows in which a fit with the same seed sees them."""
    random_state = check_random_state(0)
    mlp._initialized(X, y, random_state)
    orders, order = [], np.arange(len(X))
    for _ in range(n_epochs):
        order = shuffle(order, random_state=random_state)
        orders.append(order)
    return orders


def run():
    """All combinations, and their geometric means."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows, ratios = [], {}
    for combination in itertools.product(
        SETS, (np.float64, np.float32), (32, 200), (25, 100), ("sgd", "adam")
    ):
        what, times = measure(*combination)
        over_mlp, over_torch = (
            times["mlp"] / times["ours"],
            times["torch"] / times["ours"],
        )
        ratios[what] = over_mlp, over_torch
        figures = {f"{name} us": value for name, value in times.items()}
        figures.update({"x MLPClassifier": over_mlp, "x torch": over_torch})
        holds = over_mlp >= 1.4 and over_torch >= 1.2
        rows.append(Row(what, figures, "none below 1.4 x and 1.2 x", holds))
    return rows + _means(ratios)


def _means(ratios):
    def mean(side, prefix=""):
        return geometric_mean(
            r[side] for w, r in ratios.items() if w.startswith(prefix)
        )

    bars = [
        ("all, over MLPClassifier", mean(0), 3),
        ("digits, over MLPClassifier", mean(0, "digits"), 4.5),
        ("mnist, over MLPClassifier", mean(0, "mnist"), 2),
        ("all, over torch", mean(1), 4),
    ]
    return [
        Row(f"geometric mean, {what}", {"x": value}, f">= {bar} x", value >= bar)
        for what, value, bar in bars
    ]
