"""
The neural-network exercise, step by step
=========================================

This example follows the classic exercise on handwritten digits. It computes the cost at
given weights, checks backpropagation, trains with three full-batch solvers, measures
the accuracy and plots the hidden units. It uses scikit-learn's digits of 8 x 8 pixels,
which need no download. ``examples/published/exercise_trainings.py`` runs the published
trainings on the exercise's digits of 20 x 20 pixels.
"""

# %%
# The data
# --------
# The pixels are scaled to values from 0 to 1. The figure shows 40 of the digits.

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
# ``from_weights`` makes a classifier with given weights. They can come from another
# program; here they are values of a sine. ``alpha`` is the lambda of the exercise: the
# cost includes :math:`\frac{\lambda}{2m}` times the sum of the squared weights, without
# the biases.

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
# ``check_gradient`` compares the gradient with central differences, at the initial
# weights of a small network, for each layer.

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
# Truncated Newton, conjugate gradients and L-BFGS minimise the same J, from the same
# initial weights. The x axis shows the number of evaluations of J and its gradient,
# which take most of the time.

fits = {
    solver: BackpropMLPClassifier(
        25, solver=solver, max_iter=1000, max_fun=400, tol=1e-3, **params
    )
    for solver in ("tnc", "cg", "lbfgs")
}
# The limit of 400 evaluations is intended, so we ignore the warning about it.
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
# Each image shows the 64 incoming weights of a unit. Red pixels raise its activation,
# blue pixels lower it.

HiddenUnitsDisplay.from_estimator(fits["tnc"])
plt.show()

# %%
# Where it is wrong
# -----------------
# These are the test rows that the network predicts wrong, with the true label in
# brackets.

is_wrong = fits["tnc"].predict(X_test) != y_test
SampleGridDisplay.from_estimator(fits["tnc"], X_test[is_wrong], y_test[is_wrong])
plt.show()
