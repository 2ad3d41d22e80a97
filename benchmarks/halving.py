"""Searches by successive halving: what they find, against the seconds they take."""

import os
import statistics
import time
import warnings

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
)
from sklearn.neural_network import MLPClassifier

from skmlp_backprop import (
    BackpropMLPClassifier,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
)

from . import _data
from ._report import Row

GRID = {
    "alpha": [1e-4, 1e-3, 1e-2, 0.1, 1],
    "learning_rate_init": [0.003, 0.01, 0.03, 0.1],
    "momentum": [0.5, 0.9, 0.95],
}
N_EPOCHS = 200
SEEDS = range(5)
# Data, rows, batch, and the settings of a shorter search: of those that found a
# candidate within 0.005 of the best on all other folds and seeds that were tried, 17 of
# them for MNIST, the ones that take the least time. The digits' scores are noisy, and
# only long last rungs tell the best from the good.
CASES = [
    (_data.digits, None, 32, {"factor": 7}),
    (_data.mnist, 5000, 200, {"min_resources": 1}),
]
# The names of the figures, which the picture is drawn by.
SIDES = (
    "StackedHalvingGridSearchCV",
    "the same, shorter",
    "StackedGridSearchCV",
    "HalvingGridSearchCV(MLPClassifier)",
    "the same, shorter, of MLPClassifier",
    "GridSearchCV(MLPClassifier)",
)


def run():
    """Every case and seed; then what they come to."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    # For the workers, who read it when they start.
    os.environ["PYTHONWARNINGS"] = "ignore"
    return [row for case in CASES for row in _case(*case)]


def _case(load, n_rows, batch_size, shorter):
    X, y = _data.in_dtype(load, "float32", n_rows)
    rows, all_seconds, all_losses = [], [], []
    for seed in SEEDS:
        seconds, scores, best = _measure(X, y, batch_size, shorter, seed)
        what = f"{load.__name__} {len(X)} rows float32 batch {batch_size}"
        figures = {f"{side} s": seconds[side] for side in seconds}
        figures |= {f"{side} score": scores[side] for side in seconds}
        rows.append(Row(f"{what}, seed {seed}", figures))
        all_seconds.append(seconds)
        all_losses.append({side: best - score for side, score in scores.items()})
    settings = ", ".join(f"{name}={value}" for name, value in shorter.items())
    for ours, name in zip(SIDES, (SIDES[0], f"the same, {settings}"), strict=False):
        rows.append(_summary(f"{what}, {name}", ours, all_seconds, all_losses))
    return rows


def _summary(what, ours, all_seconds, all_losses):
    """Ratios of a halving search of ours, over the seeds."""
    seconds = statistics.median(s[ours] for s in all_seconds)
    over_stacked = statistics.median(s[SIDES[2]] / s[ours] for s in all_seconds)
    over_halving = statistics.median(s[SIDES[3]] / s[ours] for s in all_seconds)
    same = SIDES[SIDES.index(ours) + 3]
    over_same = statistics.median(s[same] / s[ours] for s in all_seconds)
    worst = max(losses[ours] for losses in all_losses)
    figures = {
        "s": seconds,
        "x StackedGridSearchCV": over_stacked,
        "x HalvingGridSearchCV(MLPClassifier)": over_halving,
        "x the same rungs of MLPClassifier": over_same,
        "worst loss of score": worst,
    }
    holds = over_stacked >= 3 and over_halving >= 20 and worst <= 0.005
    return Row(
        what,
        figures,
        ">= 3 x StackedGridSearchCV, >= 20 x HalvingGridSearchCV(MLPClassifier), "
        "within 0.005 of the best score",
        holds,
    )


def _measure(X, y, batch_size, shorter, seed):
    """Seconds of each search, the score of what it finds, and the best of all.

    A score is that of the full cross-validation of all epochs.
    """
    params = {
        "hidden_layer_sizes": (25,),
        "activation": "relu",
        "solver": "sgd",
        "batch_size": batch_size,
        "max_iter": N_EPOCHS,
        "random_state": seed,
    }
    ours, theirs = BackpropMLPClassifier(**params), MLPClassifier(**params)
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    both = {"cv": cv, "n_jobs": 2, "return_train_score": False}
    halving = {"resource": "max_iter", "max_resources": N_EPOCHS, **both}
    searches = [
        StackedHalvingGridSearchCV(ours, GRID, **both),
        StackedHalvingGridSearchCV(ours, GRID, **shorter, **both),
        StackedGridSearchCV(ours, GRID, **both),
        HalvingGridSearchCV(theirs, GRID, **halving),
        HalvingGridSearchCV(theirs, GRID, **{**halving, **shorter}),
    ]
    # Hours more would tell nothing else: it finds what StackedGridSearchCV finds.
    if seed == 0:
        searches.append(GridSearchCV(theirs, GRID, **both))
    # The workers' imports and first allocations count for none of them.
    few = clone(ours).set_params(max_iter=10)
    StackedHalvingGridSearchCV(few, GRID, refit=False, **both).fit(X, y)
    seconds = {}
    for side, search in zip(SIDES, searches, strict=False):
        start = time.perf_counter()
        search.fit(X, y)
        seconds[side] = time.perf_counter() - start
    results = searches[2].cv_results_
    score_of = dict(
        zip(map(_key, results["params"]), results["mean_test_score"], strict=True)
    )
    scores = {
        side: score_of[_key(search.best_params_)]
        for side, search in zip(SIDES, searches, strict=False)
    }
    return seconds, scores, max(score_of.values())


def _key(params):
    return tuple(params[name] for name in GRID)
