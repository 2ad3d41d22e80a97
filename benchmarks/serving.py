"""Size of a fitted tabular model, and time for one row and for 1000 rows.

In the process itself and in onnxruntime (extra test), beside HistGradientBoosting. The
bar is for one row.
"""

import pickle
import warnings
from functools import partial

import numpy as np
import onnxruntime
from skl2onnx import to_onnx

from skmlp_backprop.onnx import input_types

from . import _contenders, tables
from ._report import Row
from ._timing import in_a_row, interleave

# A table of few numbers, of many numbers, and of categories and numbers.
TABLES = ("kin8nm", "bank32nh_binary", "credit_g")
# Rows, and how many calls in a row.
SIZES = {1: 100, 1000: 5}
BAR = 2


def run():
    """The tables of TABLES, with all rows to train on."""
    warnings.simplefilter("ignore")
    rows = []
    for name, frame, y in tables.tables("tables"):
        if name in TABLES:
            rows += _measure(name, frame, y)
    return rows


def _measure(name, frame, y):
    is_classifier = y.dtype == object
    ours = _contenders.tabular(is_classifier, frame, 0).fit(frame, y)
    pipeline = _contenders.hist_gradient_boosting(is_classifier, frame, 0)
    # The estimator alone: no column has more categories than it takes.
    theirs = pipeline.steps[-1][1].fit(frame, y)
    graph = to_onnx(
        ours,
        initial_types=input_types(ours),
        options={"zipmap": False} if is_classifier else None,
    ).SerializeToString()
    session = onnxruntime.InferenceSession(graph)
    what = f"{name}, {frame.shape[1]} columns"
    sizes = {
        "MB pickled": len(pickle.dumps(ours)) / 2**20,
        "MB ONNX": len(graph) / 2**20,
        "HistGradientBoosting MB pickled": len(pickle.dumps(theirs)) / 2**20,
    }
    rows = [Row(f"size, {what}", sizes)]
    method = "predict_proba" if is_classifier else "predict"
    for n_rows, calls in SIZES.items():
        X = frame.iloc[:n_rows]
        functions = {
            "ours": partial(getattr(ours, method), X),
            "onnxruntime": partial(session.run, None, _onnx_columns(session, X)),
            "theirs": partial(getattr(theirs, method), X),
        }
        seconds, results = interleave(
            {key: in_a_row(call, calls) for key, call in functions.items()}, calls=calls
        )
        np.testing.assert_allclose(
            np.squeeze(results["onnxruntime"][-1]),
            np.squeeze(results["ours"]),
            rtol=1e-4,
            atol=1e-4,
        )
        ratio = seconds["ours"] / seconds["theirs"]
        figures = {
            "ms": 1e3 * seconds["ours"],
            "onnxruntime ms": 1e3 * seconds["onnxruntime"],
            "HistGradientBoosting ms": 1e3 * seconds["theirs"],
            "ratio": ratio,
        }
        words, bar = (
            ("one row", f"<= {BAR} x") if n_rows == 1 else (f"{n_rows} rows", "")
        )
        rows.append(Row(f"{words}, {what}", figures, bar, not bar or ratio <= BAR))
    return rows


def _onnx_columns(session, X):
    """The inputs of a session: a column of float64 or of text each."""
    return {
        declared.name: X[[column]]
        .astype(object)
        .fillna("")
        .astype(str)
        .to_numpy(object)
        if "string" in declared.type
        else X[[column]].to_numpy(np.float64)
        for declared, column in zip(session.get_inputs(), X.columns, strict=True)
    }
