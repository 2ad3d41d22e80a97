"""Time to import the package, above that of scikit-learn's neural_network."""

import subprocess
import sys
import time

from ._report import Row
from ._timing import interleave


def _importing(module):
    def call():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - start

    return call


def run():
    """Both imports, each in a process of its own."""
    seconds, _ = interleave(
        {
            "ours": _importing("skmlp_backprop"),
            "sklearn": _importing("sklearn.neural_network"),
        },
        repeats=11,
    )
    above = 1e3 * (seconds["ours"] - seconds["sklearn"])
    figures = {"ms": 1e3 * seconds["ours"], "ms above scikit-learn": above}
    return [Row("import skmlp_backprop", figures, "<= 30 ms above", above <= 30)]
