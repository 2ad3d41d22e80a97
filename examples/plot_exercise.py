"""
The exercise in thirty lines
============================

This page goes through the classic neural-network exercise on handwritten digits, cell
by cell. A cell has at most three lines; only the minimisation of J with SciPy has five.
The page uses the files of the exercise, ``ex4data1.mat`` and ``ex4weights.mat``, if the
environment variable ``SKMLP_DATA_DIR`` names their folder. Otherwise it uses
scikit-learn's digits, which need no download.
"""

# %%
# Data and settings
# -----------------
# The exercise has 5000 images of 20 x 20 pixels, scikit-learn 1797 images of 8 x 8
# pixels. In both cases the labels are 1 to 10, with 10 for the digit 0, and the rows
# are sorted by digit. The network of the exercise has 25 hidden units, sigmoids and the
# one-vs-all log loss; ``alpha`` is lambda. A training that ends at a limit of
# iterations or evaluations raises a ``ConvergenceWarning``. The limits on this page are
# intended, so we ignore this warning.

import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.io import loadmat
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit, train_test_split

from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV, check_gradient
from skmlp_backprop.callbacks import ScoreHistory
from skmlp_backprop.datasets import read_mat
from skmlp_backprop.displays import (
    HiddenUnitsDisplay,
    LossCurveDisplay,
    SampleGridDisplay,
    SearchResultsDisplay,
)

path = Path(os.environ.get("SKMLP_DATA_DIR", ""), "ex4data1.mat")
if path.exists():
    X, y = read_mat(path)
    weights = loadmat(path.with_name("ex4weights.mat"))
    Theta1, Theta2 = weights["Theta1"], weights["Theta2"]
    # The exercise stores the pixels of an image column by column.
    order = "F"
else:
    X, y = load_digits(return_X_y=True)
    in_order = np.argsort(y, kind="stable")
    X, y = X[in_order] / 16, np.where(y == 0, 10, y)[in_order]
    # No trained weights exist for these images, so we take values of a sine.
    Theta1 = np.sin(np.arange(25 * 65)).reshape(25, 65) / 10
    Theta2 = np.sin(np.arange(10 * 26)).reshape(10, 26) / 10
    order = "C"
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

params = {
    "activation": "logistic",
    "output_activation": "logistic",
    "alpha": 1,
    "weight_init": 0.12,
    "tol": 1e-4,
    "random_state": 0,
}
tnc = BackpropMLPClassifier(25, solver="tnc", max_fun=400, max_iter=10**9, **params)
lbfgs = BackpropMLPClassifier(25, solver="lbfgs", max_iter=100, **params)
cg = BackpropMLPClassifier(25, solver="cg", max_iter=100, max_fun=10**9, **params)
# A minibatch divides the penalty by its own number of rows, so "sgd" goes without.
sgd = BackpropMLPClassifier(25, solver="sgd", momentum=0, max_iter=10, **params)
sgd.set_params(alpha=0)
warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# The digits
# ----------
# With ``order="F"`` the digits of the exercise stand upright.

SampleGridDisplay.from_predictions(X[::100], y[::100], order=order)

# %%
# J at given weights
# ------------------
# ``from_thetas`` takes the matrices of the exercise, with the biases in column 0. With
# the given weights and lambda = 1 the exercise has J = 0.383770 and an accuracy of
# 97.52 %. ``to_thetas`` returns the matrices, ``get_theta`` a vector of all weights.

mlp = BackpropMLPClassifier.from_thetas([Theta1, Theta2], range(1, 11), **params)
print(f"J = {mlp.loss_and_gradient(X, y)[0]:.6f}, accuracy {mlp.score(X, y):.2%}")
print([theta.shape for theta in mlp.to_thetas()], mlp.get_theta().shape)

# %%
# Forward propagation
# -------------------
# ``forward`` returns z and a of every layer; the last a is h(x). One-vs-all outputs do
# not add up to 1. ``predict_proba`` divides them by their sum.

z, a = mlp.forward(X)
h = a[-1]
print(f"z: {[layer.shape for layer in z]}, sum of h(x): {h.sum(axis=1)[:3].round(2)}")

# %%
# Before training
# ---------------
# ``initialize`` draws the initial weights, so that J and the accuracy before training
# are known.

tnc.initialize(X, y)
print(f"J = {tnc.loss_:.4f}, accuracy {tnc.score(X, y):.2%}")

# %%
# The gradient check
# ------------------
# The first 20 rows have a single class, so we pass all classes. The result has the
# numerical and the analytical derivatives.

small = BackpropMLPClassifier(5, **params)
check = check_gradient(small, X[:20], y[:20], classes=range(1, 11), n_directions="all")
print(check, np.c_[check.numerical.ravel(), check.analytical.ravel()][:5], sep="\n")

# %%
# Your own gradient
# -----------------
# ``gradient`` takes your own gradient, or a function that returns it. This gradient has
# a common mistake: its penalty includes the biases of the last layer.

grads = small.initialize(X, y).loss_and_gradient(X[::100], y[::100])[1].to_thetas()
grads[1][:, 0] += small.to_thetas()[1][:, 0] / len(X[::100])
print(check_gradient(small, X[::100], y[::100], gradient=grads, n_directions="all"))

# %%
# Your own minimisation
# ---------------------
# J is a function of the vector of all weights, so SciPy can minimise it.


def cost(theta):
    J, gradient = mlp.set_theta(theta).loss_and_gradient(X, y)
    return J, gradient.ravel()


options = {"maxiter": 100, "gtol": 1e-4, "ftol": 0}
result = minimize(cost, tnc.get_theta(), jac=True, method="L-BFGS-B", options=options)

# %%
# ``fit`` starts from the same weights and reaches the same J:

print(f"J = {result.fun:.6f} by SciPy, {lbfgs.fit(X, y).loss_:.6f} by fit")

# %%
# Training
# --------
# Truncated Newton with at most 400 evaluations, as in the exercise. ``stop_reason_``,
# ``converged_`` and ``message_`` say how the training ended.

tnc.fit(X, y)
print(f"J = {tnc.loss_:.4f}, accuracy {tnc.score(X, y):.2%}, {tnc.n_fun_} evaluations")
print(tnc.stop_reason_, tnc.converged_, tnc.message_)

# %%
# The hidden units
# ----------------
# Each image shows the incoming weights of a unit. Red pixels raise its activation, blue
# pixels lower it.

HiddenUnitsDisplay.from_estimator(tnc, order=order)

# %%
# The twenty worst digits
# -----------------------
# ``losses`` returns the loss of each sample. A caption has the prediction and, if it is
# wrong, the true label in brackets.

worst = np.argsort(-tnc.losses(X, y))[:20]
SampleGridDisplay.from_estimator(tnc, X[worst], y[worst], order=order)

# %%
# Three solvers
# -------------
# The evaluations of J and its gradient take most of the time, so they are on the x
# axis. An iteration of "cg" takes three to four evaluations.

LossCurveDisplay.from_estimator([tnc, lbfgs, cg.fit(X, y)], x="evaluations")

# %%
# Accuracy during training
# ------------------------
# ``ScoreHistory`` records the accuracy on test rows after each iteration.

lbfgs.set_callbacks(ScoreHistory(X_test, y_test, name="test accuracy"))
LossCurveDisplay.from_estimator(lbfgs.fit(X_train, y_train))

# %%
# The learning rate
# -----------------
# A search over a single parameter is a line. It trains all networks as one stack.

rates = {"learning_rate_init": [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]}
search = StackedGridSearchCV(sgd, rates, cv=ShuffleSplit(1, random_state=0)).fit(X, y)
SearchResultsDisplay.from_estimator(search)

# %%
# Too large a rate
# ----------------
# With a rate of 2000 the network is saturated, and a warning says so. A published
# training on scikit-learn's digits has this rate, but for a squared error that is
# divided by the number of rows once more. The script
# ``examples/published/digits_gradient_descent.py`` explains the factors.

sgd.set_params(loss="squared_error", learning_rate_init=2000)
with warnings.catch_warnings(record=True, action="always") as caught:
    print(f"accuracy {sgd.fit(X, y).score(X, y):.2%}", caught[-1].message, sep="\n")

# %%
# One-hot targets
# ---------------
# ``y`` has the labels, not their one-hot encoding. A warning explains the difference.

with warnings.catch_warnings(record=True, action="always") as caught:
    BackpropMLPClassifier(25, **params).initialize(X, np.eye(10, dtype=int)[y - 1])
print(caught[-1].message)

# %%
# A script needs ``plt.show()`` to display the figures.

plt.show()
