"""What each trick of the arithmetic saves: with it and without."""

import warnings
from unittest import mock

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skmlp_backprop import BackpropMLPClassifier, fit_stack
from skmlp_backprop._network import buffers, memory, objective, parameters
from skmlp_backprop._search.last_steps import Fit, train_fits

from . import _data
from ._report import Row
from ._timing import in_a_row, interleave

N_STACK = 20


def run():
    """Alignment, buffering, sizes of blocks and products, and what stacks share."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    return [
        *_alignment(),
        _buffering(),
        _whole_networks(),
        _masks(),
        _small_products(),
        *_few_units(),
        _blocks_of_weights(),
        *_blocks_of_rows(),
        *_folds_in_one_stack(),
    ]


def _row(what, contenders, **settings):
    """How it is done first, and how else it could be; no bar, as machines differ."""
    seconds, _ = interleave(contenders, **settings)
    chosen, other = seconds
    figures = {f"us {name}": 1e6 * value for name, value in seconds.items()}
    return Row(what, {**figures, "gain": seconds[other] / seconds[chosen]})


def _alignment():
    """Element-wise passes over arrays that begin at a cache line, or 16 bytes on."""

    def arrays(offset):
        size = N_STACK * 1600
        return [
            memory.empty_aligned((size + 8,), np.float64)[offset : offset + size]
            for _ in range(3)
        ]

    for what, function in (
        ("sum of two arrays into a third", lambda a, b, out: np.add(a, b, out=out)),
        ("squares in place", lambda a, b, out: np.square(a, out=a)),
    ):
        contenders = {}
        for name, offset in (("aligned", 0), ("16 bytes on", 2)):
            a, b, out = arrays(offset)
            a[:] = b[:] = 1
            contenders[name] = in_a_row(
                lambda a=a, b=b, out=out, f=function: f(a, b, out), 2000
            )
        yield _row(f"alignment, {what}", contenders, calls=2000)


def _buffering():
    """A column times a matrix, with ufuncs that see whole rows or buffer them."""
    matrix = memory.empty_aligned((N_STACK, 1600), np.float64)
    matrix[:] = 1
    column = np.full((N_STACK, 1), 0.999)

    def product():
        np.multiply(matrix, column, out=matrix)

    whole = in_a_row(product, 2000, lambda: parameters.unbuffered(N_STACK))
    contenders = {"whole rows": whole, "buffered": in_a_row(product, 2000)}
    return _row("column times matrix", contenders, calls=2000)


def _whole_networks():
    """A column times the weights of 100 networks, by networks or across all of them."""
    weights = memory.empty_aligned((100, 1600), np.float64)
    weights[:] = 1
    column = np.full((100, 1), 0.999)
    height = parameters.BLOCK_SIZE // 1600
    width = parameters.BLOCK_SIZE // 100

    def by_networks():
        for i in range(0, 100, height):
            block = weights[i : i + height]
            np.multiply(block, column[i : i + height], out=block)

    def across():
        for start in range(0, 1600, width):
            block = weights[:, start : start + width]
            np.multiply(block, column, out=block)

    contenders = {
        name: in_a_row(function, 500, lambda: parameters.unbuffered(100))
        for name, function in (("whole", by_networks), ("parts of all", across))
    }
    return _row("blocks of networks, 100 of 1600", contenders, calls=500)


def _masks():
    """Draws for a mask of 128 units and 256 rows, of two bytes or of floats."""
    random_state = np.random.RandomState(0)
    shape = 128, 256

    def two_bytes():
        return random_state.randint(2**16, size=shape, dtype=np.uint16) >= 2**14

    def floats():
        return random_state.random_sample(shape) >= 0.25

    contenders = {
        name: in_a_row(function, 500)
        for name, function in (("two bytes", two_bytes), ("floats", floats))
    }
    return _row("masks of dropout", contenders, calls=500)


def _small_products():
    """A stack's first product for each network, or one for all of them."""
    X, y = _data.digits()

    def fit(limit):
        mlps = [
            BackpropMLPClassifier(
                25, batch_size=32, max_iter=5, alpha=alpha, random_state=0
            )
            for alpha in np.logspace(-4, 0, N_STACK)
        ]
        with mock.patch.object(buffers, "SMALL_PRODUCT", limit):
            return fit_stack(mlps, X, y)

    contenders = {
        "each": lambda: fit(buffers.SMALL_PRODUCT),
        "one for all": lambda: fit(0),
    }
    n_steps = 5 * -(-len(X) // 32) * N_STACK
    return _row("small products, 64-25-10", contenders, calls=n_steps)


def _few_units():
    """The first product of few units as rows times weights, or the other way round."""
    X, y = _data.in_dtype(_data.mnist, "float32", 5000)
    for solver in ("sgd", "lbfgs"):

        def fit(few, solver=solver):
            mlp = BackpropMLPClassifier(
                25, solver=solver, batch_size=200, max_iter=5, random_state=0
            )
            with mock.patch.object(buffers, "FEW_UNITS", few):
                return mlp.fit(X, y)

        contenders = {
            "rows times weights": lambda fit=fit: fit(buffers.FEW_UNITS),
            "weights times rows": lambda fit=fit: fit(0),
        }
        yield _row(f"few units, 784-25-10, {solver}, 5 iterations", contenders)


def _blocks_of_weights():
    """Steps of SGD over 784-100-10, in blocks of the weights or in one."""
    X, y = _data.in_dtype(_data.mnist, np.float64, 2000)

    def fit(size):
        mlp = BackpropMLPClassifier(
            100, solver="sgd", batch_size=20, max_iter=2, random_state=0
        )
        with (
            mock.patch.object(parameters, "BLOCK_SIZE", size),
            mock.patch.object(objective, "BLOCK_SIZE", size),
        ):
            return mlp.fit(X, y)

    contenders = {
        "blocks": lambda: fit(parameters.BLOCK_SIZE),
        "one": lambda: fit(10**6),
    }
    n_steps = 2 * -(-len(X) // 20)
    return _row("blocks of weights, 784-100-10", contenders, calls=n_steps)


def _blocks_of_rows():
    """L-BFGS on the exercise in blocks of fewer and of more rows."""
    X, y = _data.exercise()
    for dtype in (np.float64, np.float32):
        samples = X.astype(dtype)

        def fit(size, X=samples):
            mlp = BackpropMLPClassifier(
                25, "logistic", solver="lbfgs", max_iter=20, tol=0, random_state=0
            )
            with mock.patch.object(objective, "BLOCK_ROWS", size):
                return mlp.fit(X, y)

        contenders = {
            "2560 rows": lambda fit=fit: fit(objective.BLOCK_ROWS),
            "640": lambda fit=fit: fit(640),
        }
        name = f"blocks of rows, 20 iterations, {np.dtype(dtype).name}"
        yield _row(name, contenders)


def _folds_in_one_stack():
    """Steps of the networks of five folds in one stack, or in a stack for each."""
    X, y = _data.in_dtype(_data.digits, np.float32, None)
    folds = [(X[train], y[train]) for train, _ in KFold(5).split(X)]
    for n_networks in (1, 3, 20):

        def fits(n_networks=n_networks):
            mlps = [
                BackpropMLPClassifier(
                    25, solver="sgd", batch_size=32, max_iter=5, alpha=1 + i
                )
                for i in range(n_networks)
            ]
            return [Fit(mlps, *fold, {}) for fold in folds]

        contenders = {
            "one stack": lambda fits=fits: train_fits(fits()),
            "each": lambda fits=fits: [train_fits([fit]) for fit in fits()],
        }
        name = f"steps of five folds with {n_networks} networks each, 64-25-10"
        yield _row(name, contenders, calls=5 * -(-len(folds[0][0]) // 32))
