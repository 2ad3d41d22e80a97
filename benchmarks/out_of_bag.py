"""How far out-of-bag scores are from those on new rows, with TabularMLP's defaults.

The tables for development of at most 20,000 rows, in 3 folds. The epoch is chosen by
the out-of-bag predictions, so their loss is a little too low for single networks; the
mean of all networks is better than a single network.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss

from . import _contenders, tables
from ._report import Row

MAX_ROWS = 20_000


def run():
    """Geometric means of ratios of losses: log loss, and the mean squared error."""
    warnings.simplefilter("ignore")
    lines = []
    for folder in tables.FOLDERS:
        for name, frame, y in tables.tables(folder):
            if len(y) > MAX_ROWS:
                continue
            for fold, (train, test) in enumerate(tables.folds(y, 3)):
                is_classifier = y.dtype == object
                model = _contenders.tabular(is_classifier, frame, fold)
                model.fit(frame.iloc[train], y[train])
                losses = _losses(model, y[train], frame.iloc[test], y[test])
                lines.append((is_classifier, name, *losses))
    columns = ["is_classifier", "table", "out of bag", "one network", "all networks"]
    by_table = pd.DataFrame(lines, columns=columns).groupby(columns[:2]).mean()
    rows = []
    for is_classifier, what in ((True, "log loss"), (False, "mean squared error")):
        values = by_table.loc[is_classifier]
        figures = {
            f"out of bag / {other}": np.exp(
                np.log(values["out of bag"] / values[other]).mean()
            )
            for other in columns[3:]
        }
        rows.append(Row(what, {**figures, "tables": len(values)}))
    return rows


def _losses(model, y, X_test, y_test):
    """Out of bag; on new rows of a single network, on average; and of the mean."""
    if hasattr(model, "predict_proba"):
        losses = [
            log_loss(y_test, proba, labels=model.classes_)
            for proba in model.predict_members(X_test)
        ]
        of_all = log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)
        left_out = log_loss(y, model.oob_decision_function_, labels=model.classes_)
        return left_out, np.mean(losses), of_all
    errors = [np.mean((y_test - one) ** 2) for one in model.predict_members(X_test)]
    of_all = np.mean((y_test - model.predict(X_test)) ** 2)
    return np.mean((y - model.oob_prediction_) ** 2), np.mean(errors), of_all
