"""What the defaults are chosen by: log loss and accuracy on 21 tables.

Adam on the classification tables of SKMLP_DATA_DIR, numbers imputed by their median and
standardised, categories one-hot; 3 stratified folds. A default differs from
MLPClassifier's (relu, 0.001, 100 units) only where it is better by both.
"""

import json
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmlp_backprop import BackpropMLPClassifier, fit_stack

from . import _data
from ._report import Row

ACTIVATIONS = ["relu", "tanh", "logistic", "silu"]
RATES = [0.001, 0.003, 0.01]
SIZES = [(100,), (100, 100)]
CHOSEN = ("relu", 0.001, (100,))


def tables():
    """Each classification table: its name, a DataFrame and the labels."""
    folder = _data.folder() / "tables"
    index = json.loads((folder / "index.json").read_text())
    for name, about in index.items():
        if about["task"] == "classification":
            frame = pd.read_csv(folder / f"{name}.csv.gz")
            yield name, frame, frame.pop("target").astype(str).to_numpy()


def preparation(frame):
    """The usual preparation for a network."""
    numeric = frame.select_dtypes("number").columns
    categorical = frame.columns.difference(numeric)
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categorical),
    )


def measure(frame, y):
    """Mean log loss and accuracy of each setting, over 3 folds."""
    results = {}
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for seed, (train, test) in enumerate(folds.split(frame, y)):
        prepared = preparation(frame)
        X_train = prepared.fit_transform(frame.iloc[train])
        X_test = prepared.transform(frame.iloc[test])
        for activation in ACTIVATIONS:
            for size in SIZES:
                mlps = [
                    BackpropMLPClassifier(
                        size,
                        activation=activation,
                        learning_rate_init=rate,
                        random_state=seed,
                    )
                    for rate in RATES
                ]
                for mlp in fit_stack(mlps, X_train, y[train]):
                    key = activation, mlp.learning_rate_init, size
                    results.setdefault(key, []).append(score(mlp, X_test, y[test]))
    return {key: np.mean(scores, axis=0) for key, scores in results.items()}


def score(mlp, X, y):
    """Log loss and accuracy."""
    loss = log_loss(y, mlp.predict_proba(X), labels=mlp.classes_)
    return loss, accuracy_score(y, mlp.predict(X))


def run():
    """Means over the tables of each setting, and how many it wins of the chosen one."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    by_table = [measure(frame, y) for _, frame, y in tables()]
    means = {key: np.mean([t[key] for t in by_table], axis=0) for key in by_table[0]}
    chosen = means[CHOSEN]
    rows = []
    for key, (loss, accuracy) in sorted(means.items(), key=lambda x: x[1][0]):
        activation, rate, size = key
        figures = {
            "log loss": loss,
            "accuracy": accuracy,
            "tables won by log loss": sum(t[key][0] < t[CHOSEN][0] for t in by_table),
            "tables won by accuracy": sum(t[key][1] > t[CHOSEN][1] for t in by_table),
        }
        is_better = key != CHOSEN and loss < chosen[0] and accuracy > chosen[1]
        units = " x ".join(map(str, size))
        bar = "default" if key == CHOSEN else "not better by both"
        rows.append(Row(f"{activation}, {rate}, {units}", figures, bar, not is_better))
    return rows
