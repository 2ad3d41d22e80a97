"""What eight networks of an ensemble cost over one, and what a large table takes."""

import resource
import time

import numpy as np

from skmlp_backprop import TabularMLPClassifier

from ._report import Row
from ._timing import interleave

BAR = 4
N_COLUMNS = 50


def _table(n_rows):
    """Numbers of which some tell the class, by products and thresholds, with noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, N_COLUMNS))
    signal = X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2]) + 2 * (X[:, 3] > 0.5) + X[:, 4]
    return X, (signal + rng.standard_normal(n_rows) > 1).astype(int)


def run():
    """Both; the large table first, as memory is counted by its peak."""
    return [_large(), _eight_over_one()]


def _eight_over_one():
    """Epochs of batches of 256 with 128 units, on 20,000 rows."""
    X, y = _table(20_000)

    def fitting(n_members):
        model = TabularMLPClassifier(
            n_members, 128, batch_size=256, max_iter=5, random_state=0
        )
        return lambda: model.fit(X, y)

    seconds, _ = interleave({"eight": fitting(8), "one": fitting(1)}, repeats=3)
    ratio = seconds["eight"] / seconds["one"]
    figures = {"s": seconds["eight"], "s of one": seconds["one"], "ratio": ratio}
    return Row("eight networks over one", figures, f"<= {BAR} x", ratio <= BAR)


def _large():
    """Seconds and memory of a fit of 100,000 rows at all defaults."""
    X, y = _table(100_000)
    before = _peak()
    start = time.perf_counter()
    model = TabularMLPClassifier(random_state=0).fit(X, y)
    figures = {
        "s": time.perf_counter() - start,
        "epochs": model.n_iter_,
        "MB of the table": X.nbytes / 2**20,
        "MB beyond it": _peak() - before,
    }
    holds = figures["s"] <= 600 and figures["MB beyond it"] <= 1024
    return Row("100,000 x 50", figures, "<= 600 s, <= 1 GB", holds)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
