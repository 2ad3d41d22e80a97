"""Losses of TabularMLPRegressor, beside the same losses of gradient boosting.

The regression tables for development of at most 20,000 rows, in 3 folds: the pinball
loss of three quantiles, and the deviances of Poisson and gamma where y suits them.
LightGBM takes part where it is installed.
"""

import importlib.util
import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import (
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
)

from skmlp_backprop import TabularMLPRegressor

from . import _contenders, tables
from ._report import Row

QUANTILES = (0.1, 0.5, 0.9)
DEVIANCES = {"poisson": mean_poisson_deviance, "gamma": mean_gamma_deviance}
MAX_ROWS = 20_000


def ours(frame, loss, quantile, seed):
    """The regressor with another loss, and its defaults."""
    return TabularMLPRegressor(
        loss=loss, quantile=0.5 if quantile is None else quantile, random_state=seed
    )


def hist_gradient_boosting(frame, loss, quantile, seed):
    """HistGradientBoostingRegressor with the loss, and its defaults."""
    model = _contenders.hist_gradient_boosting(False, frame, seed)
    last = model.steps[-1][0]
    return model.set_params(
        **{f"{last}__loss": loss, f"{last}__quantile": quantile},
    )


def light_gbm(frame, loss, quantile, seed):
    """LGBMRegressor with the loss, and its defaults."""
    from lightgbm import LGBMRegressor

    return LGBMRegressor(
        objective=loss,
        alpha=0.9 if quantile is None else quantile,
        random_state=seed,
        verbose=-1,
    )


CONTENDERS = {"TabularMLP": ours, "HistGradientBoosting": hist_gradient_boosting}
if importlib.util.find_spec("lightgbm"):
    CONTENDERS["LightGBM"] = light_gbm


def run():
    """Mean ranks by the loss, and by how much of its loss ours is below each other."""
    warnings.simplefilter("ignore")
    lines = []
    for folder in tables.FOLDERS:
        for name, frame, y in tables.tables(folder):
            if y.dtype == object or len(y) > MAX_ROWS:
                continue
            losses = ["quantile", *(["poisson"] if y.min() >= 0 else [])]
            losses += ["gamma"] if y.min() > 0 else []
            for fold, (train, test) in enumerate(tables.folds(y, 3)):
                for loss in losses:
                    for contender, make in CONTENDERS.items():
                        value = _measure(make, frame, y, train, test, loss, fold)
                        lines.append((loss, name, contender, value))
    frame = pd.DataFrame(lines, columns=["loss", "table", "contender", "value"])
    rows = []
    for loss, of_loss in frame.groupby("loss", sort=False):
        by_table = of_loss.groupby(["table", "contender"])[["value"]].mean()
        ranked = tables.ranks(by_table, "value")
        values = by_table["value"].unstack()
        for contender, rank in ranked.items():
            ratio = np.exp(np.log(values["TabularMLP"] / values[contender]).mean())
            figures = {"rank": rank, "ours / its": ratio, "tables": len(values)}
            is_ours = contender == "TabularMLP"
            rows.append(
                Row(
                    f"{loss}, {contender}",
                    figures,
                    "first" if is_ours else "",
                    not is_ours or rank == min(ranked.values()),
                )
            )
    return rows


def _measure(make, frame, y, train, test, loss, seed):
    rows, new = frame.iloc[train], frame.iloc[test]
    if loss != "quantile":
        predicted = make(frame, loss, None, seed).fit(rows, y[train]).predict(new)
        return DEVIANCES[loss](y[test], predicted)
    if make is ours:
        predicted = make(frame, loss, QUANTILES, seed).fit(rows, y[train]).predict(new)
    else:
        predicted = np.column_stack(
            [
                make(frame, loss, q, seed).fit(rows, y[train]).predict(new)
                for q in QUANTILES
            ]
        )
    return np.mean(
        [
            mean_pinball_loss(y[test], column, alpha=quantile)
            for column, quantile in zip(predicted.T, QUANTILES, strict=True)
        ]
    )
