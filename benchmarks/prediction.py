"""predict_proba of one row and of many, dense and sparse, against MLPClassifier."""

import warnings
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import BackpropMLPClassifier

from . import _data
from ._report import Row
from ._timing import in_a_row, interleave

# Rows, and how many calls in a row.
SIZES = {
    1: 1000,
    10: 1000,
    30: 300,
    100: 200,
    300: 60,
    1000: 20,
    3000: 10,
    10_000: 5,
    60_000: 3,
}


def run():
    """From one of MNIST's images to all 60000."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for dtype in (np.float64, np.float32):
        X, y = _data.in_dtype(_data.mnist, dtype)
        ours = BackpropMLPClassifier(100, "relu", max_iter=1, random_state=0)
        ours.fit(X[:2000], y[:2000])
        kinds = {"dense": X, "sparse": sparse.csr_matrix(X)}
        rows += [
            _compare(f"{kind} {np.dtype(dtype).name}", ours, samples[:n_rows], calls)
            for kind, samples in kinds.items()
            for n_rows, calls in SIZES.items()
        ]
    return rows


def _compare(what, ours, X, calls):
    """Milliseconds of a call, so many in a row."""
    theirs = ours.to_sklearn()
    seconds, proba = interleave(
        {
            "ours": in_a_row(partial(ours.predict_proba, X), calls),
            "mlp": in_a_row(partial(theirs.predict_proba, X), calls),
        },
        calls=calls,
    )
    np.testing.assert_allclose(proba["ours"], proba["mlp"], atol=1e-5)
    ratio = seconds["mlp"] / seconds["ours"]
    figures = {
        "ms": 1e3 * seconds["ours"],
        "MLPClassifier ms": 1e3 * seconds["mlp"],
        "x": ratio,
    }
    n_rows = X.shape[0]
    bar = 1.3 if n_rows <= 10 else 1.0
    name = "one row" if n_rows == 1 else f"{n_rows} rows"
    return Row(f"{name}, {what}", figures, f">= {bar} x", ratio >= bar)
