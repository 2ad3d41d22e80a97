"""CalibratedClassifierCV over three candidates for decision_function."""

import warnings

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler

from skmlp_backprop import BackpropMLPClassifier

from . import _data
from ._report import Row
from .defaults import preparation, tables


class Logits(BackpropMLPClassifier):
    """Decides by what the softmax is taken of."""

    def decision_function(self, X):
        return self._logits(X)


class CentredLogits(BackpropMLPClassifier):
    """Decides by the same less its mean over the classes."""

    def decision_function(self, X):
        logits = self._logits(X)
        return logits - logits.mean(axis=1, keepdims=True)


CANDIDATES = {
    "log-probabilities": BackpropMLPClassifier,
    "centred logits": CentredLogits,
    "logits": Logits,
}


def run():
    """Held-out log loss on half of the rows, over the tables of several classes."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    losses = {}
    for X, y in _problems():
        for method in ("sigmoid", "isotonic"):
            for name, cls in CANDIDATES.items():
                losses.setdefault((method, name), []).append(_loss(cls, method, X, y))
    rows = []
    for method in ("sigmoid", "isotonic"):
        means = {name: np.mean(losses[method, name]) for name in CANDIDATES}
        is_best = min(means, key=means.get) == "log-probabilities"
        bar = "the first is the least" if method == "sigmoid" else ""
        rows.append(Row(f"log loss, {method}", means, bar, is_best or not bar))
    return rows


def _problems():
    yield _data.digits()
    for _, frame, y in tables():
        if len(np.unique(y)) > 2 and len(y) < 6000:
            yield (
                preparation(frame).fit_transform(frame),
                LabelEncoder().fit_transform(y),
            )


def _loss(cls, method, X, y):
    losses = []
    for seed in range(2):
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=0.5, stratify=y, random_state=seed
        )
        scaler = StandardScaler().fit(X_train)
        mlp = cls(max_iter=60, random_state=seed)
        model = CalibratedClassifierCV(mlp, method=method, cv=3)
        model.fit(scaler.transform(X_train), y_train)
        proba = model.predict_proba(scaler.transform(X_test))
        losses.append(log_loss(y_test, proba, labels=model.classes_))
    return np.mean(losses)
