"""What each ingredient of TabularMLPClassifier is worth: with all of them, and without.

On the classification tables of SKMLP_DATA_DIR, in 3 folds; and what candidates that
were left out would bring.
"""

import warnings
from contextlib import ExitStack, nullcontext
from unittest import mock

import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold

from skmlp_backprop import TabularMLPClassifier
from skmlp_backprop._network.outputs import ClassOutput
from skmlp_backprop._solvers import ensemble, steps
from skmlp_backprop._tabular import base, training

from ._report import Row
from .tables import tables


def run():
    """Log loss and accuracy of each variant, and on how many tables it is better."""
    warnings.simplefilter("ignore")
    chosen = [(frame, y) for _, frame, y in tables() if y.dtype == object]
    results = {
        name: np.array([_measure(frame, y, *variant) for frame, y in chosen])
        for name, variant in _variants().items()
    }
    whole = results["as it is"]
    return [Row(name, _figures(scores, whole)) for name, scores in results.items()]


def _figures(scores, whole):
    more = scores - whole
    errors = more.std(axis=0, ddof=1) / np.sqrt(len(more))
    return {
        "log loss": scores[:, 0].mean(),
        "more": more[:, 0].mean(),
        "standard error": errors[0],
        "tables with less": np.count_nonzero(more[:, 0] < 0),
        "accuracy": scores[:, 1].mean(),
        "more accuracy": more[:, 1].mean(),
        "its standard error": errors[1],
    }


def _variants():
    """Parameters, and what is patched, of each variant."""
    cosine = {"learning_rate": "cosine"}
    latest = {"average_epochs": 0}
    return {
        "as it is": ({}, nullcontext),
        "without trainable scales": ({}, _without_scales),
        "without bins": ({"n_bins": 0}, nullcontext),
        "twice the bins": ({"n_bins": 32}, nullcontext),
        "without an average of the weights": ({}, _of_members(latest)),
        "a rate that falls in its place": ({}, _of_members(latest | cosine)),
        "a rate that falls, too": ({}, _of_members(cosine)),
        "without dropout": ({"dropout": 0.0}, nullcontext),
        "dropout of 0.15": ({"dropout": 0.15}, nullcontext),
        "dropout of 0.4": ({"dropout": 0.4}, nullcontext),
        "one network": ({"n_members": 1}, nullcontext),
        "16 networks": ({"n_members": 16}, nullcontext),
        "one hidden layer of 128": ({"hidden_layer_sizes": (128,)}, nullcontext),
        "silu in place of relu": ({"activation": "silu"}, nullcontext),
        "the same eighth of the rows withheld from all": ({}, _same_rows_withheld),
        "beta_2 of 0.95": ({}, _of_members({"beta_2": 0.95})),
        "weight decay of 0.02": ({}, _weight_decay),
        "labels smoothed by 0.05": ({}, _smooth_labels),
    }


def _without_scales():
    return mock.patch.object(ensemble, "ScaledInputSteps", steps.Steps)


def _of_members(params):
    """Other parameters of the networks."""
    make_member = base.BaseTabularMLP._make_member

    def make_other(self, n_rows):
        return make_member(self, n_rows).set_params(**params)

    return lambda: mock.patch.object(base.BaseTabularMLP, "_make_member", make_other)


def _same_rows_withheld():
    def two_folds(targets, n_folds, random_state):
        return np.minimum(assign_folds(targets, 8, random_state), 1)

    assign_folds = training.assign_folds
    patches = ExitStack()
    patches.enter_context(mock.patch.object(training, "assign_folds", two_folds))
    patches.enter_context(mock.patch.object(training, "N_FOLDS", 1))
    return patches


def _weight_decay():
    """Decoupled, as AdamW's."""
    step = ensemble.ScaledInputSteps._step

    def step_and_decay(self):
        for weights in self.parameters.weights[1:]:
            weights *= 1 - 0.02 * self._solvers[0].learning_rate_
        self._behind.weights[0] *= 1 - 0.02 * self._solvers[0].learning_rate_
        step(self)

    return mock.patch.object(ensemble.ScaledInputSteps, "_step", step_and_decay)


def _smooth_labels():
    write_targets = ClassOutput.write_targets

    def write_smooth_targets(self, targets, out):
        write_targets(self, targets, out)
        out *= 0.95
        out += 0.05 / max(2, out.shape[-2])

    return mock.patch.object(ClassOutput, "write_targets", write_smooth_targets)


def _measure(frame, y, params, patched):
    scores = []
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for seed, (train, test) in enumerate(folds.split(frame, y)):
        with patched():
            model = TabularMLPClassifier(random_state=seed, **params)
            model.fit(frame.iloc[train], y[train])
        proba = model.predict_proba(frame.iloc[test])
        predicted = model.classes_[proba.argmax(axis=1)]
        loss = log_loss(y[test], proba, labels=model.classes_)
        scores.append([loss, accuracy_score(y[test], predicted)])
    return np.mean(scores, axis=0)
