"""What each trick saves of a whole fit or prediction: with it and without.

A trick stays while it saves 5 %, in one row at least.
"""

import warnings
from itertools import chain
from unittest import mock

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor
from skmlp_backprop._network import batches, layers
from skmlp_backprop._search.stacking import prepare_rows, train_stacks

from . import _data
from ._report import Row
from ._timing import interleave

_BAR = 1.05


def run():
    """Fits and predictions."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    return [
        _batches_at_a_time(),
        _masks(),
        *_folds_in_one_stack(),
        _products_of_each_network(),
        _gradient_before_one_output(),
    ]


def _row(what, contenders, **settings):
    """How it is done first, and how else it could be."""
    seconds, _ = interleave(contenders, **settings)
    chosen, other = seconds
    figures = {f"ms {name}": 1e3 * value for name, value in seconds.items()}
    gain = seconds[other] / seconds[chosen]
    return Row(what, {**figures, "gain": gain}, f">= {_BAR}", gain >= _BAR)


def _fit_of_digits(**params):
    X, y = _data.digits()
    params = {"batch_size": 32, "max_iter": 10, "random_state": 0, **params}
    return BackpropMLPClassifier(25, **params).fit(X, y)


def _batches_at_a_time():
    """Several batches are gathered at a time."""

    def fit(n_bytes):
        with mock.patch.object(batches, "_CHUNK_BYTES", n_bytes):
            return _fit_of_digits()

    return _row(
        "several batches at a time, 64-25-10",
        {"several": lambda: fit(batches._CHUNK_BYTES), "one": lambda: fit(1)},
    )


def _masks():
    """Masks of dropout are drawn from two random bytes, not from a float."""
    X, y = _data.digits()

    def floats(self, rate, shape, dtype):
        draws = self.random_state.random_sample(shape)
        return (draws >= rate) * dtype.type(1 / (1 - rate))

    def fit():
        return BackpropMLPClassifier(
            128, dropout=0.25, batch_size=256, max_iter=10, random_state=0
        ).fit(X, y)

    def fit_by_floats():
        with mock.patch.object(layers.Dropout, "mask", floats):
            return fit()

    return _row(
        "masks of dropout, 64-128-10", {"two bytes": fit, "floats": fit_by_floats}
    )


def _folds_in_one_stack():
    """Steps of the networks of five folds in one stack, or in a stack for each."""
    X, y = _data.in_dtype(_data.digits, np.float32, None)
    folds = [(X[train], y[train]) for train, _ in KFold(5).split(X)]
    for n_networks in (1, 3, 10):

        def stacks(n_networks=n_networks):
            made = []
            for fold in folds:
                mlps = [
                    BackpropMLPClassifier(
                        25, solver="sgd", batch_size=32, max_iter=5, alpha=1 + i
                    )
                    for i in range(n_networks)
                ]
                data, _ = prepare_rows(mlps[0], *fold)
                made.append((mlps, [data] * n_networks))
            return made

        def train_together(stacks=stacks):
            mlps, data_of = zip(*stacks(), strict=True)
            train_stacks([*chain(*mlps)], [*chain(*data_of)])

        contenders = {
            "one stack": train_together,
            "each": lambda stacks=stacks: [train_stacks(*s) for s in stacks()],
        }
        name = f"steps of five folds with {n_networks} networks each, 64-25-10"
        yield _row(name, contenders)


def _products_of_each_network():
    """The first products of a stack's networks are small, and taken one by one.

    In float32 this saves less, 2 to 4 %.
    """
    X, y = _data.digits()

    def train():
        mlps = [
            BackpropMLPClassifier(25, batch_size=32, max_iter=5, alpha=1 + i)
            for i in range(40)
        ]
        data, _ = prepare_rows(mlps[0], X, y)
        train_stacks(mlps, [data] * len(mlps))

    def train_by_one_product():
        with mock.patch.object(layers, "_SMALL_PRODUCT", 0):
            train()

    return _row(
        "steps of 40 networks, 64-25-10",
        {"product of each": train, "one product": train_by_one_product},
        repeats=15,
    )


def _gradient_before_one_output():
    """Before a single output, the gradient is a product without a sum."""
    X, y = _data.in_dtype(_data.digits, np.float32, None)

    def fit():
        BackpropMLPRegressor(max_iter=20, random_state=0).fit(X, y)

    def multiply_matrices(self, delta):
        np.matmul(delta, self.a_transposed, out=self.gradient)
        return np.matmul(self.transposed, delta, out=self.before)

    def fit_by_matmul():
        with mock.patch.object(layers.Dense, "backward", multiply_matrices):
            fit()

    return _row("one output, 64-100-1", {"multiply": fit, "matmul": fit_by_matmul})
