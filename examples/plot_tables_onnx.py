"""
A tabular model in ONNX
=======================

A fitted ensemble becomes a single ONNX graph, from the columns of the table to the
prediction. It runs without this package and scikit-learn, and a single row takes
a fraction of the time of ``predict``. This example needs ``skl2onnx`` and
``onnxruntime``.
"""

# %%
# A table with numbers, categories and missing values
# ---------------------------------------------------
# The target is the progression of diabetes in a year. We remove a tenth of the values
# of a column, since tables in practice have missing values.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skmlp_backprop import TabularMLPRegressor
from skmlp_backprop.onnx import input_types

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X["sex"] = X["sex"].astype(int).astype("category")
X.loc[np.random.default_rng(0).random(len(X)) < 0.1, "bmi"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = TabularMLPRegressor(random_state=0).fit(X_train, y_train)

# %%
# The graph
# ---------
# Each column is an input: numbers are double, categories are text.

types = input_types(model)
for name, kind in types:
    print(name, kind)
onnx_model = to_onnx(model, initial_types=types)
content = onnx_model.SerializeToString()
session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

# %%
# The same predictions
# --------------------
# A missing number is NaN, as in the table. Categories are given as their text.


def inputs(X):
    values = X.assign(sex=X["sex"].astype(str).astype(object))
    return {name: values[[name]].to_numpy() for name in values}


(predicted,) = session.run(None, inputs(X_test))
expected = model.predict(X_test)
difference = np.abs(predicted[:, 0] / expected - 1).max()
print(f"{len(content) / 1024:.0f} KiB; relative difference at most {difference:.0e}")

# %%
# The time of a single row
# ------------------------
# The bars are the median times of 50 predictions of the same row.


def milliseconds(function):
    times = []
    for _ in range(50):
        start = perf_counter()
        function()
        times.append(1000 * (perf_counter() - start))
    return np.median(times)


row = X_test[:1]
row_inputs = inputs(row)
times = {
    "predict": milliseconds(lambda: model.predict(row)),
    "onnxruntime": milliseconds(lambda: session.run(None, row_inputs)),
}
fig, ax = plt.subplots(figsize=(6, 2))
ax.barh(list(times), list(times.values()))
ax.set(xlabel="time of a row in milliseconds (log scale)", xscale="log")
fig.tight_layout()
plt.show()
