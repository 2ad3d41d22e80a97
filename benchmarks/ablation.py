"""What each ingredient of TabularMLPClassifier is worth: with all of them, and without.

On the classification tables of SKMLP_DATA_DIR with at most 1000 rows, in 3 folds.
"""

import warnings
from contextlib import ExitStack, nullcontext
from unittest import mock

import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold

from skmlp_backprop import TabularMLPClassifier
from skmlp_backprop._solvers import ensemble, minibatch, steps
from skmlp_backprop._tabular import training

from ._report import Row
from .tables import tables

MOST_ROWS = 1000


def run():
    """Log loss and accuracy of each variant, and on how many tables it is better."""
    warnings.simplefilter("ignore")
    small = [
        (frame, y)
        for _, frame, y in tables()
        if y.dtype == object and len(y) <= MOST_ROWS
    ]
    results = {
        name: np.array([_measure(frame, y, *variant) for frame, y in small])
        for name, variant in _variants().items()
    }
    whole = results["all of them"]
    rows = []
    for name, scores in results.items():
        difference = scores[:, 0] - whole[:, 0]
        figures = {
            "log loss": scores[:, 0].mean(),
            "accuracy": scores[:, 1].mean(),
            "log loss more": difference.mean(),
            "standard error": difference.std(ddof=1) / np.sqrt(len(small)),
            "tables with less": np.count_nonzero(difference < 0),
        }
        rows.append(Row(name, figures))
    return rows


def _variants():
    """Parameters, and what is patched, of each variant."""
    return {
        "all of them": ({}, nullcontext),
        "without trainable scales": ({}, _without_scales),
        "without bins": ({"n_bins": 0}, nullcontext),
        "at a constant rate": ({}, _constant_rate),
        "without dropout": ({"dropout": 0.0}, nullcontext),
        "one network": ({"n_members": 1}, nullcontext),
        "one hidden layer of 128": ({"hidden_layer_sizes": (128,)}, nullcontext),
        "silu in place of relu": ({"activation": "silu"}, nullcontext),
        "the same eighth of the rows withheld from all": ({}, _same_rows_withheld),
    }


def _without_scales():
    return mock.patch.object(ensemble, "ScaledInputSteps", steps.Steps)


def _constant_rate():
    return mock.patch.object(minibatch.MinibatchSolver, "end_epoch")


def _same_rows_withheld():
    def group_rows(targets, n_groups, random_state):
        return np.minimum(training_group_rows(targets, 8, random_state), 1)

    training_group_rows = training.group_rows
    patches = ExitStack()
    patches.enter_context(mock.patch.object(training, "group_rows", group_rows))
    patches.enter_context(mock.patch.object(training, "_N_GROUPS", 1))
    return patches


def _measure(frame, y, params, patched):
    scores = []
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for seed, (train, test) in enumerate(folds.split(frame, y)):
        with patched():
            model = TabularMLPClassifier(random_state=seed, **params)
            model.fit(frame.iloc[train], y[train])
        proba = model.predict_proba(frame.iloc[test])
        scores.append(
            [
                log_loss(y[test], proba, labels=model.classes_),
                accuracy_score(y[test], model.predict(frame.iloc[test])),
            ]
        )
    return np.mean(scores, axis=0)
