"""predict_proba of many rows and of one, against MLPClassifier."""

import warnings
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import BackpropMLPClassifier

from . import _data
from ._report import Row
from ._timing import in_a_row, interleave


def run():
    """MNIST's 60000 images, and one of them."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for dtype in (np.float64, np.float32):
        X, y = _data.in_dtype(_data.mnist, dtype)
        ours = BackpropMLPClassifier(100, "relu", max_iter=1, random_state=0)
        ours.fit(X[:2000], y[:2000])
        theirs = ours.to_sklearn()
        for what, samples, calls, bar in (
            ("60000 x 784", X, 3, 1.2),
            ("one row", X[:1], 500, 1.0),
        ):
            seconds, proba = interleave(
                {
                    "ours": in_a_row(partial(ours.predict_proba, samples), calls),
                    "mlp": in_a_row(partial(theirs.predict_proba, samples), calls),
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
            name = f"{what} {np.dtype(dtype).name}"
            rows.append(Row(name, figures, f">= {bar} x", ratio >= bar))
    return rows
