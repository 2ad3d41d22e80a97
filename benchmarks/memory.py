"""Extra memory of a full-batch fit, which must not grow with the rows."""

import subprocess
import sys

from ._report import Row

# In a process of its own, whose peak is the fit's: resident memory before it, peak
# after it, less the targets (a byte a row) and the weights in each of L-BFGS's vectors.
SCRIPT = """
import sys, warnings
import numpy as np
from skmlp_backprop import BackpropMLPClassifier
warnings.simplefilter("ignore")

def kib(name):
    with open("/proc/self/status") as file:
        return next(int(x.split()[1]) for x in file if x.startswith(name))

n_rows = int(sys.argv[1])
rng = np.random.default_rng(0)
small, labels = rng.standard_normal((64, 50)), np.arange(64) % 3
mlp = BackpropMLPClassifier(100, solver="lbfgs", max_iter=3, random_state=0)
mlp.fit(small.astype(np.float32), labels)
X = rng.standard_normal((n_rows, 50), dtype=np.float32)
y = np.arange(n_rows, dtype=np.int8) % 3
before = kib("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # Sets the high-water mark back.
mlp.fit(X, y)
print((kib("VmHWM") - before) / 2**10)
"""


def run():
    """A million rows and a hundred thousand, of 50 features, with 100 units."""
    rows = []
    for n_rows in (1_000_000, 100_000):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(n_rows)],
            check=True,
            capture_output=True,
            text=True,
        )
        extra = float(done.stdout)
        rows.append(
            Row(f"{n_rows} x 50 float32", {"MiB": extra}, "<= 64 MiB", extra <= 64)
        )
    return rows
