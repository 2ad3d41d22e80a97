"""
From a table to a decision
==========================

A fitted :class:`~skmlp_backprop.TabularMLPClassifier` already has predictions of its
training rows by networks that have not seen them. This example uses them to check the
probabilities and to choose a threshold, without cross-validation. At the end it
explains the model, saves it, and predicts intervals for a regression.
"""

# %%
# The data
# --------
# The rows are tumours, malignant or benign, with measurements of their cells. To miss a
# malignant tumour is ten times as bad as to examine a benign tumour again.

import tempfile

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.inspection import permutation_importance
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import train_test_split

from skmlp_backprop import TabularMLPClassifier, TabularMLPRegressor

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

# %%
# Fit and check the probabilities
# -------------------------------
# ``oob_decision_function_`` has a row of probabilities for each training row.

model = TabularMLPClassifier(random_state=0).fit(X_train, y_train)
malignant = list(model.classes_).index("malignant")
oob = model.oob_decision_function_[:, malignant]
print(f"log loss, out-of-bag: {log_loss(y_train == 'malignant', oob):.3f}")
print(f"log loss, test rows:  {log_loss(y_test, model.predict_proba(X_test)):.3f}")
CalibrationDisplay.from_predictions(
    y_train == "malignant", oob, n_bins=5, strategy="quantile", name="out-of-bag"
)
plt.show()

# %%
# Choose a threshold
# ------------------
# The costs of all thresholds on the training rows, by the out-of-bag probabilities:


def cost(is_malignant, is_suspected):
    missed = is_malignant & ~is_suspected
    return (10 * missed + (is_suspected & ~is_malignant)).mean()


thresholds = np.linspace(0.01, 0.99, 99)
costs = [cost(y_train == "malignant", oob >= t) for t in thresholds]
best = thresholds[np.argmin(costs)]
_, ax = plt.subplots()
ax.plot(thresholds, costs)
ax.axvline(best, color="gray", linestyle="--")
ax.set(xlabel="threshold", ylabel="mean cost", title=f"best threshold: {best:.2f}")
plt.show()

proba = model.predict_proba(X_test)[:, malignant]
for threshold in (0.5, best):
    is_suspected = proba >= threshold
    mean_cost = cost(y_test == "malignant", is_suspected)
    print(f"threshold {threshold:.2f}: a mean cost of {mean_cost:.3f}")
    print(confusion_matrix(y_test == "malignant", is_suspected))

# %%
# The test set is too small to measure the gain: a single missed tumour changes the mean
# cost by 0.07. So choose the threshold by the more numerous training rows.

# %%
# Which columns matter
# --------------------
# The log loss rises if the values of an important column are shuffled. Columns that
# resemble each other share their importance.

importances = permutation_importance(
    model, X_test, y_test, scoring="neg_log_loss", n_repeats=5, random_state=0
)
by_column = pd.Series(importances.importances_mean, X.columns).nlargest(8)
_, ax = plt.subplots(layout="constrained")
by_column[::-1].plot.barh(ax=ax, xlabel="rise of the log loss if shuffled")
plt.show()

# %%
# Save and load
# -------------

with tempfile.TemporaryDirectory() as folder:
    joblib.dump(model, f"{folder}/tumours.joblib")
    loaded = joblib.load(f"{folder}/tumours.joblib")
np.testing.assert_array_equal(loaded.predict_proba(X_test)[:, malignant], proba)

# %%
# Intervals
# ---------
# The target is the progression of diabetes after a year. About 80 % of the test rows
# should have their target in the interval.

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
regressor = TabularMLPRegressor(random_state=0).fit(X_train, y_train)
low, high = regressor.predict_interval(X_test, coverage=0.8).T
print(f"in the interval: {((low <= y_test) & (y_test <= high)).mean():.0%}")
order = np.argsort(regressor.predict(X_test))
_, ax = plt.subplots()
ax.fill_between(range(len(order)), low[order], high[order], alpha=0.3, label="interval")
ax.plot(y_test.to_numpy()[order], ".", label="y")
ax.set(xlabel="test rows, by prediction", ylabel="progression")
ax.legend()
plt.show()
