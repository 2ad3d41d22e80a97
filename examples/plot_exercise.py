"""
The neural-network exercise, step by step
=========================================

The classic exercise on handwritten digits: the cost at given weights, the check of
backpropagation, three full-batch solvers, the accuracy, and what the hidden units have
learned. It takes scikit-learn's 8 x 8 digits, which need no download;
``examples/published/exercise_trainings.py`` runs the published trainings on the
20 x 20 ones.
"""

# %%
# The data
# --------
# Pixels go from 0 to 1, as in the course. Here are some of them.

import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skmlp_backprop import BackpropMLPClassifier, check_gradient
from skmlp_backprop.displays import (
    HiddenUnitsDisplay,
    LossCurveDisplay,
    SampleGridDisplay,
)

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
SampleGridDisplay.from_predictions(X[:40], y[:40])
plt.show()

# %%
# The cost at given weights
# -------------------------
# ``from_weights`` makes a classifier of weights that were trained elsewhere, or, as
# here, of fixed ones. ``alpha`` is the course's lambda: it adds
# :math:`\frac{\lambda}{2m}` times the squared weights, biases excluded.

units = [64, 25, 10]
coefs = [np.sin(np.arange(a * b)).reshape(a, b) / 10 for a, b in pairwise(units)]
intercepts = [np.zeros(b) for b in units[1:]]
for alpha in (0, 1):
    mlp = BackpropMLPClassifier.from_weights(
        coefs,
        intercepts,
        np.arange(10),
        activation="logistic",
        output_activation="logistic",
        alpha=alpha,
    )
    loss, gradient = mlp.loss_and_gradient(X, y)
    print(f"lambda = {alpha}: J = {loss:.6f}, gradient {gradient.coefs[0].shape}")

# %%
# Is backpropagation right?
# -------------------------
# Central differences at a small network's fresh weights, layer by layer.

params = {
    "activation": "logistic",
    "output_activation": "logistic",
    "alpha": 1,
    "weight_init": 0.12,
    "random_state": 0,
}
print(check_gradient(BackpropMLPClassifier(5, **params), X[:20], y[:20]))

# %%
# Three solvers
# -------------
# Truncated Newton, conjugate gradients and L-BFGS minimise the same J from the same
# weights. On the x axis is what they cost: evaluations of J and its gradient.

fits = {
    solver: BackpropMLPClassifier(
        25, solver=solver, max_iter=1000, max_fun=400, tol=1e-3, **params
    )
    for solver in ("tnc", "cg", "lbfgs")
}
# 400 evaluations are all we want: the warning of the cap would be no news.
warnings.simplefilter("ignore", ConvergenceWarning)
for name, mlp in fits.items():
    mlp.fit(X_train, y_train)
    print(
        f"{name:6} {mlp.n_fun_:4} evaluations, J = {mlp.loss_:.4f}, "
        f"accuracy {mlp.score(X_train, y_train):.3f} in training, "
        f"{mlp.score(X_test, y_test):.3f} on new rows"
    )
LossCurveDisplay.from_estimator(fits, x="evaluations")
plt.show()

# %%
# What the hidden units look for
# ------------------------------
# Each image is a unit's 64 incoming weights: red pixels excite it, blue ones inhibit.

HiddenUnitsDisplay.from_estimator(fits["tnc"])
plt.show()

# %%
# Where it is wrong
# -----------------
# Among the new rows, with the true label in brackets.

is_wrong = fits["tnc"].predict(X_test) != y_test
SampleGridDisplay.from_estimator(fits["tnc"], X_test[is_wrong], y_test[is_wrong])
plt.show()
