"""
Which columns matter, and how
=============================

What does a fitted ensemble look at? The importances say which columns it needs, and
partial dependence shows how its predictions change with a column. The table ships with
scikit-learn: 442 patients with diabetes, and how far the disease progressed in a year.
"""

# %%
# The model
# ---------
# We add a column that numbers the patients in groups, to see whether it deceives us.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.inspection import PartialDependenceDisplay

from skmlp_backprop import TabularMLPRegressor
from skmlp_backprop.displays import ImportancesDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
groups = np.random.default_rng(0).integers(0, 150, len(X))
X = X.assign(group=[f"group {i}" for i in groups])
model = TabularMLPRegressor(random_state=0).fit(X, y)

# %%
# Importances
# -----------
# Each network predicts the patients that it has not seen, before and after the values
# of a column are permuted. The bars show how much the loss rises. The lines show how
# much this differs between the networks and permutations.
#
# The column of random groups is of no use for patients that a network has not seen.

ImportancesDisplay.from_estimator(model)
plt.show()

# %%
# Two columns that say the same share their importance, as each can stand in for the
# other. Here the six blood values ``s1`` to ``s6`` are related to each other.
#
# The attribute ``feature_importances_`` has the same numbers for the tools of
# scikit-learn, such as :class:`~sklearn.feature_selection.SelectFromModel`.

for name, value in zip(X.columns, model.feature_importances_, strict=True):
    print(f"{name:>6} {value:.3f}")

# %%
# Partial dependence
# ------------------
# Now all patients get the same body mass index, and we average the predictions; then
# the same for the next value. ``partial_dependence`` encodes the table only once, and
# scikit-learn draws the results.

names = ["bmi", "s5", "bp"]
results = [model.partial_dependence(X, name, kind="both") for name in names]
fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
PartialDependenceDisplay(
    results,
    features=[(0,), (1,), (2,)],
    feature_names=names,
    target_idx=0,
    deciles={
        i: X[name].quantile(np.arange(1, 10) / 10) for i, name in enumerate(names)
    },
    kind="both",
    subsample=50,
    random_state=0,
).plot(ax=ax)
plt.show()

# %%
# Each thin line is a patient, the dashed line is their mean. The lines are nearly
# parallel: what the body mass index adds hardly depends on the other columns.
#
# Partial dependence shows what the model has learned, not what would happen to a
# patient who loses weight. It also predicts rows that may not exist, such as a high
# ``s5`` with all other blood values low.
