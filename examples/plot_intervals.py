"""
Prediction intervals
====================

A prediction interval tells where y is likely to be.
:class:`~skmlp_backprop.TabularMLPRegressor` makes intervals from the training rows that
each of its networks left out. Here y is the progression of diabetes after a year, for
442 patients.
"""

# %%
# Fit
# ---
# The intervals need nothing but a usual fit.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skmlp_backprop import TabularMLPRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = TabularMLPRegressor(random_state=0).fit(X_train, y_train)

# %%
# Intervals of 50 % and of 90 %
# -----------------------------
# Both from one call. The wider interval contains the narrower one.

coverages = [0.5, 0.9]
intervals = model.predict_interval(X_test, coverages)
for coverage, (low, high) in zip(coverages, intervals.T, strict=True):
    inside = np.mean((low <= y_test) & (y_test <= high))
    print(f"{coverage:.0%} asked for: {inside:.0%} of the held-out patients")

# %%
# The networks agree with each other far more than y agrees with them. Their spread is
# no interval:

members = model.predict_members(X_test)
inside = np.mean((members.min(axis=0) <= y_test) & (y_test <= members.max(axis=0)))
print(f"between the lowest and the highest network: {inside:.0%}")

# %%
# The picture
# -----------
# The held-out patients, in the order of their predictions.

prediction = model.predict(X_test)
order = np.argsort(prediction)
places = np.arange(len(order))
fig, ax = plt.subplots(figsize=(7, 4))
for coverage, (low, high) in zip(coverages, intervals.T, strict=True):
    ax.fill_between(
        places, low[order], high[order], color="C0", alpha=0.25, label=f"{coverage:.0%}"
    )
ax.plot(places, prediction[order], label="prediction")
ax.scatter(places, y_test.to_numpy()[order], s=10, color="0.3", label="y")
ax.set(xlabel="patients, by prediction", ylabel="progression")
ax.legend()
plt.show()

# %%
# Widths that follow the row
# --------------------------
# These intervals have similar widths for all patients. With two quantiles as the loss
# the widths differ: patients with a high prediction are harder to predict.

quantiles = TabularMLPRegressor(loss="quantile", quantile=[0.05, 0.95], random_state=0)
low, high = quantiles.fit(X_train, y_train).predict_interval(X_test).T
width = (high - low)[order]
print(f"mean width, lowest third of the predictions: {width[:37].mean():.0f}")
print(f"mean width, highest third: {width[-37:].mean():.0f}")
print(f"inside: {np.mean((low <= y_test) & (y_test <= high)):.0%}")
