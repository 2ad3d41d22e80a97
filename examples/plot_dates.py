"""
Dates: an hourly demand
=======================

How many bicycles does a station rent in an hour? This depends on the season, on the day
of the week, on the hour, and on the years, in which the station becomes better known.
A column of dates has all of these. :class:`~skmlp_backprop.TabularMLPRegressor` takes
it as it is.
"""

# %%
# The data
# --------
# The data are simulated: two and a half years of hours in Rome. A working day has peaks
# in the morning and in the evening, a day of the weekend has a single peak. Summer has
# more rentals than winter, and the rentals grow by a fifth in all. Every fifth week is
# in the test set.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error

from skmlp_backprop import TabularMLPRegressor

rng = np.random.default_rng(0)
when = pd.date_range("2022-01-01", "2024-06-30", freq="h", tz="Europe/Rome")
hour, is_weekend = when.hour.to_numpy(), when.day_of_week.to_numpy() > 4
peaks = np.exp(-((hour - 8) ** 2) / 4) + np.exp(-((hour - 18) ** 2) / 6)
day = np.where(is_weekend, np.exp(-((hour - 14) ** 2) / 20), peaks)
season = 1 - 0.6 * np.cos(2 * np.pi * when.day_of_year.to_numpy() / 365)
growth = np.linspace(1, 1.2, len(when))
X = pd.DataFrame({"when": when, "rain": rng.random(len(when)) < 0.15})
y = rng.poisson(40 * day * season * growth * (1 - 0.5 * X["rain"]))

is_test = np.arange(len(when)) // (7 * 24) % 5 == 4
X_train, X_test, y_train, y_test = X[~is_test], X[is_test], y[~is_test], y[is_test]

# %%
# The model
# ---------
# The date becomes the time itself and its positions: in the year, in the week and in
# the day. They follow the clocks in Rome, also in summer time. Shorter cycles are added
# where they explain the demand, such as half a day and a third of it for two peaks.

model = TabularMLPRegressor(random_state=0).fit(X_train, y_train)
print(model.encoder_.get_feature_names_out())

# %%
# For comparison, the same model with the date as a plain number.

as_number = {"when": lambda X: X["when"].dt.tz_convert("UTC").astype("int64")}
plain = TabularMLPRegressor(random_state=0).fit(X_train.assign(**as_number), y_train)
predicted = model.predict(X_test)
for name, values in (
    ("the date", predicted),
    ("a number", plain.predict(X_test.assign(**as_number))),
    ("the mean", np.full(len(y_test), y_train.mean())),
):
    print(f"{name}: mean absolute error {mean_absolute_error(y_test, values):.1f}")

# %%
# The figure shows the mean day of the test set, from Monday to Friday and at weekends.
# Dates after the last date of the training set are harder to predict; see
# :doc:`/guide/tables`.

fig, axes = plt.subplots(1, 2, sharey=True, figsize=(8, 3), layout="constrained")
for ax, at_weekend, title in zip(
    axes, (False, True), ("Monday to Friday", "weekend"), strict=True
):
    rows = is_weekend[is_test] == at_weekend
    hours = pd.DataFrame({"rented": y_test[rows], "predicted": predicted[rows]})
    hours.groupby(hour[is_test][rows]).mean().plot(ax=ax, style=["k.", "-"])
    ax.set(title=title, xlabel="hour", ylabel="bicycles")
plt.show()
