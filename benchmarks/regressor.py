"""Time of the regressor's minibatch steps and of its L-BFGS, against MLPRegressor."""

import itertools
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skmlp_backprop import BackpropMLPRegressor

from ._report import Row
from ._timing import check_same_loss, geometric_mean, interleave

N_ROWS, N_FEATURES, N_EPOCHS = 5000, 30, 8
# The least of the classifier's ratios over MLPClassifier that its bars ask for.
BAR, LBFGS_BAR = 1.4, 2


def _data(dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, N_FEATURES))
    y = np.exp(0.3 * X[:, 0] + 0.2 * np.sin(3 * X[:, 1]))
    return X.astype(dtype), y


def _compare(what, X, y, bar, **params):
    params = {"random_state": 0, "tol": 0, **params}
    seconds, losses = interleave(
        {
            "ours": lambda: BackpropMLPRegressor(**params).fit(X, y).loss_,
            "mlp": lambda: MLPRegressor(**params).fit(X, y).loss_,
        },
        repeats=5,
    )
    check_same_loss(what, list(losses.values()))
    ratio = seconds["mlp"] / seconds["ours"]
    figures = {"s": seconds["ours"], "MLPRegressor s": seconds["mlp"], "x": ratio}
    return Row(what, figures, f">= {bar} x", ratio >= bar)


def run():
    """Epochs in both precisions, sizes and solvers; then L-BFGS."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for dtype, batch_size, units, solver in itertools.product(
        (np.float64, np.float32), (32, 200), (25, 100), ("sgd", "adam")
    ):
        what = f"{np.dtype(dtype).name} batch {batch_size} units {units} {solver}"
        params = {"batch_size": batch_size, "hidden_layer_sizes": (units,)}
        params |= {"solver": solver, "max_iter": N_EPOCHS}
        rows.append(_compare(what, *_data(dtype), BAR, **params))
    mean = geometric_mean(row.figures["x"] for row in rows)
    rows.append(Row("geometric mean", {"x": mean}, f">= {BAR} x", mean >= BAR))
    for loss in ("squared_error", "poisson"):
        what = f"L-BFGS, 100 iterations, {loss}"
        params = {"loss": loss, "solver": "lbfgs", "max_iter": 100, "max_fun": 10**6}
        rows.append(_compare(what, *_data(np.float64), LBFGS_BAR, **params))
    return rows
