"""Time and memory of TabularMLPClassifier on large tables, and what cores bring.

Beside CatBoost, with the threads that it takes by itself, where it is installed.
"""

import json
import subprocess
import sys
import warnings

import numpy as np

from . import tables
from ._contenders import OURS, SLOW, tabular
from ._report import Row

# In a process of its own, whose peak is that of the fit.
SCRIPT = """
import json, resource, sys, time, warnings
import numpy as np, pandas as pd
from skmlp_backprop import TabularMLPClassifier
warnings.simplefilter("ignore")

n_rows, n_numbers, n_categories, n_levels, params = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
X = pd.DataFrame(rng.standard_normal((n_rows, n_numbers)))
names = [f"level {j}" for j in range(n_levels)]
for i in range(n_categories):
    codes = rng.integers(0, n_levels, n_rows)
    X[f"category {i}"] = pd.Categorical.from_codes(codes, names)
signal = X[0] * X[1] + np.sin(3 * X[2]) + 2 * (X[3] > 0.5) + X[4]
if n_categories:
    signal += rng.standard_normal(n_levels)[X["category 0"].cat.codes]
y = (signal + rng.standard_normal(n_rows) > 1).to_numpy()
X.columns = X.columns.astype(str)
small = TabularMLPClassifier(n_members=1, max_iter=1, n_jobs=1)
small.fit(X[:1000], y[:1000])

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10

before, start = peak(), time.perf_counter()
model = TabularMLPClassifier(random_state=0, **params).fit(X, y)
print(json.dumps([time.perf_counter() - start, peak() - before, model.n_iter_,
                  X.memory_usage(deep=True).sum() / 2**20]))
"""


def fit(n_rows, n_numbers, n_categories=0, n_levels=0, **params):
    """Seconds, MB beyond those before the fit, epochs and MB of the table."""
    case = json.dumps([n_rows, n_numbers, n_categories, n_levels, params])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, case], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def run():
    """Memory and seconds of large tables; one core beside two, and four processes."""
    rows = []
    seconds, beyond, epochs, table = fit(200_000, 15, 15, 300, n_jobs=1, max_iter=2)
    figures = {"s": seconds, "epochs": epochs, "MB": table, "MB beyond it": beyond}
    rows.append(
        Row(
            "200,000 x 30, 15 categories of 300 levels, one core",
            figures,
            "<= 500 MB beyond the table",
            beyond <= 500,
        )
    )
    seconds, beyond, epochs, table = fit(1_000_000, 20)
    figures = {"s": seconds, "epochs": epochs, "MB": table, "MB beyond it": beyond}
    rows.append(Row("1,000,000 x 20", figures, "<= 900 s", seconds <= 900))
    for n_rows, n_columns, bar in ((100_000, 30, 1.7), (10_000, 30, 1.0)):
        alone, shared = (fit(n_rows, n_columns, n_jobs=n)[0] for n in (1, 2))
        figures = {"s, n_jobs=1": alone, "s, n_jobs=2": shared, "x": alone / shared}
        rows.append(
            Row(
                f"{n_rows:,} x {n_columns}, two cores",
                figures,
                f">= {bar} x",
                alone / shared >= bar,
            )
        )
    # More processes than cores: what the processes cost beside threads.
    figures = {"s": fit(100_000, 30, n_jobs=4)[0]}
    rows.append(Row("100,000 x 30, four processes on two cores", figures))
    for n_rows in (1_000, 10_000, 100_000):
        for n_columns in (10, 50):
            seconds, beyond, epochs, table = fit(n_rows, n_columns)
            figures = {"s": seconds, "epochs": epochs, "MB beyond the table": beyond}
            rows.append(Row(f"{n_rows:,} x {n_columns}, defaults", figures))
    return [*rows, *(beside_catboost() if "CatBoost" in SLOW else [])]


def beside_catboost():
    """Seconds of a fit and its predictions over CatBoost's, on the large tables."""
    warnings.simplefilter("ignore")
    ratios = []
    for folder, n_folds in tables.FOLDERS.items():
        for table, frame, y in tables.tables(folder):
            if len(y) < tables.SIZES[1]:
                continue
            train, test = next(tables.folds(y, n_folds))
            seconds = {
                name: tables.measure(make, frame, y, train, test, 0)["seconds"]
                for name, make in ((OURS, tabular), ("CatBoost", SLOW["CatBoost"]))
            }
            ratio = seconds[OURS] / seconds["CatBoost"]
            ratios.append(ratio)
            figures = {"s": seconds[OURS], "s, CatBoost": seconds["CatBoost"]}
            yield Row(
                f"{table}, {len(train):,} rows",
                {**figures, "ratio": ratio},
                "<= 2",
                ratio <= 2,
            )
    mean = np.exp(np.log(ratios).mean())
    what = "large tables over CatBoost, geometric mean"
    yield Row(what, {"ratio": mean}, "<= 1", mean <= 1)
