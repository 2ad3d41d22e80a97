"""
Prediction intervals of a single network
========================================

A single network predicts three quantiles of y for each row: the median, and the limits
of an interval that contains y for nine rows in ten. The quantiles never cross, since
the network predicts each quantile as the next lower quantile plus a positive number.
"""

# %%
# Numbers whose spread depends on x
# ---------------------------------

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skmlp_backprop import BackpropMLPRegressor

rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, 3000)
y = np.sin(x) + (0.1 + 0.3 * (x > 0) * x) * rng.standard_normal(3000)
X_train, X_test, y_train, y_test = train_test_split(x[:, np.newaxis], y, random_state=0)

# %%
# One network, three quantiles
# ----------------------------
# The last epochs have a low learning rate. With a higher rate each batch moves the
# quantiles a little, so that the final quantiles depend on the last batches.

# With n_iter_no_change=np.inf the training has max_iter epochs. This is intended, so we
# ignore the warning about it.
warnings.simplefilter("ignore", ConvergenceWarning)
levels = [0.05, 0.5, 0.95]
mlp = BackpropMLPRegressor(
    "quantile",
    (50, 50),
    "tanh",
    quantile=levels,
    n_iter_no_change=np.inf,
    warm_start=True,
    random_state=0,
)
for rate, n_epochs in ((0.01, 60), (0.001, 60)):
    mlp.set_params(learning_rate_init=rate, max_iter=n_epochs).fit(X_train, y_train)

low, median, high = mlp.predict(X_test).T
inside = np.mean((low <= y_test) & (y_test <= high))
print(f"{inside:.1%} of the held-out rows are in the interval of 90 %")
print(f"score (D2 of the pinball loss): {mlp.score(X_test, y_test):.3f}")

# %%
# The intervals
# -------------
# The interval is wide where y scatters widely.

grid = np.linspace(-3, 3, 300)
low, median, high = mlp.predict(grid[:, np.newaxis]).T
fig, ax = plt.subplots(figsize=(7, 4))
ax.scatter(X_test, y_test, s=6, color="0.6", label="held-out rows")
ax.fill_between(grid, low, high, alpha=0.3, label="5 % to 95 %")
ax.plot(grid, median, label="median")
ax.set(xlabel="x", ylabel="y")
ax.legend()
plt.show()
