"""Whole fits of the full-batch solvers on the exercise's data."""

import time
import warnings

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop._solvers import SOLVERS

from . import _data
from ._report import Row
from ._timing import check_same_loss, interleave

NO_CAP = 10**9


def lbfgs():
    """400 iterations of L-BFGS against MLPClassifier's, to the same loss."""
    X, y = _data.exercise()
    params = {
        "hidden_layer_sizes": (25,),
        "activation": "logistic",
        "solver": "lbfgs",
        "alpha": 1.0,
        "max_iter": 400,
        "max_fun": NO_CAP,
        "tol": 0,
        "random_state": 0,
    }
    seconds, losses = interleave(
        {
            "ours": lambda: BackpropMLPClassifier(**params).fit(X, y).loss_,
            "mlp": lambda: MLPClassifier(**params).fit(X, y).loss_,
        }
    )
    check_same_loss("lbfgs", list(losses.values()))
    ratio = seconds["mlp"] / seconds["ours"]
    figures = {"s": seconds["ours"], "MLPClassifier s": seconds["mlp"], "x": ratio}
    return Row("lbfgs, 400 iterations", figures, ">= 5 x", ratio >= 5)


class Textbook:
    """The exercise's vectorised cost and gradient, as courses teach it."""

    def __init__(self, X, y, units, alpha):
        self.X, self.alpha, self.units = X, alpha, units
        self.Y = np.eye(10)[np.searchsorted(np.unique(y), y)]
        self.n_evaluations = 0

    def __call__(self, theta):
        m, n = self.X.shape
        self.n_evaluations += 1
        cut = self.units * (n + 1)
        theta1 = theta[:cut].reshape(self.units, n + 1)
        theta2 = theta[cut:].reshape(10, self.units + 1)
        a1 = np.concatenate([np.ones((m, 1)), self.X], axis=1)
        a2 = 1 / (1 + np.exp(-(a1 @ theta1.T)))
        a2 = np.concatenate([np.ones((m, 1)), a2], axis=1)
        h = 1 / (1 + np.exp(-(a2 @ theta2.T)))
        cost = -(self.Y * np.log(h) + (1 - self.Y) * np.log(1 - h)).sum() / m
        penalty = (theta1[:, 1:] ** 2).sum() + (theta2[:, 1:] ** 2).sum()
        cost += self.alpha / (2 * m) * penalty
        d3 = h - self.Y
        d2 = (d3 @ theta2)[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
        grad1 = d2.T @ a1 / m
        grad2 = d3.T @ a2 / m
        grad1[:, 1:] += self.alpha / m * theta1[:, 1:]
        grad2[:, 1:] += self.alpha / m * theta2[:, 1:]
        return cost, np.concatenate([grad1.ravel(), grad2.ravel()])


def against_textbook(solver, caps, options):
    """A solver against scipy.optimize.minimize on the textbook's function."""
    X, y = _data.exercise()
    params = {
        "hidden_layer_sizes": (25,),
        "activation": "logistic",
        "output_activation": "logistic",
        "solver": solver,
        "alpha": 1.0,
        "tol": 0,
        "weight_init": 0.12,
        "random_state": 0,
        **caps,
    }
    start = BackpropMLPClassifier(**params)._initialized(X, y, np.random.RandomState(0))
    theta = np.concatenate(
        [
            np.column_stack([b, coef.T]).ravel()
            for coef, b in zip(start.coefs_, start.intercepts_, strict=True)
        ]
    )

    def ours():
        mlp = BackpropMLPClassifier(**params).fit(X, y)
        return mlp.loss_, mlp.n_fun_

    def textbook():
        function = Textbook(X, y, 25, 1.0)
        result = scipy.optimize.minimize(
            function, theta, jac=True, method=solver.upper(), options=options
        )
        return result.fun, function.n_evaluations

    start = time.perf_counter()
    textbook()
    repeats = 7 if time.perf_counter() - start < 60 else 3
    seconds, results = interleave({"ours": ours, "textbook": textbook}, repeats)
    check_same_loss(solver, [loss for loss, _ in results.values()], 0.03)
    per_call = {name: seconds[name] / results[name][1] for name in seconds}
    ratio = per_call["textbook"] / per_call["ours"]
    figures = {
        "ms an evaluation": 1e3 * per_call["ours"],
        "textbook ms": 1e3 * per_call["textbook"],
        "x": ratio,
    }
    return figures, ratio


def run():
    """L-BFGS, TNC and CG."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = [lbfgs()]
    tnc = SOLVERS["tnc"](NO_CAP, 400, 0)
    cases = [
        (
            "tnc",
            {"max_fun": 400, "max_iter": NO_CAP},
            {**tnc.options(), "maxfun": 399},
            "tnc, 400 evaluations",
        ),
        (
            "cg",
            {"max_iter": 400, "max_fun": NO_CAP},
            {**SOLVERS["cg"](400, NO_CAP, 0).options(), "maxiter": 400},
            "cg, 400 iterations",
        ),
    ]
    for solver, caps, options, what in cases:
        figures, ratio = against_textbook(solver, caps, options)
        rows.append(Row(what, figures, ">= 2 x", ratio >= 2))
    return rows
