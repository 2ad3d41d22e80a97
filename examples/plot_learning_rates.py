"""
Minibatch SGD and the learning rate
===================================

This example trains networks on handwritten digits with minibatch gradient descent, for
a few epochs and with several learning rates. If the rate is too small, the training is
far from the minimum at the end. If the rate is too large, the training does not
converge.

The data are scikit-learn's digits, which need no download. If the environment variable
``SKMLP_DATA_DIR`` names a folder with ``mnist/``, they are 20000 digits of MNIST, which
are trained for one epoch.
"""

# %%
# The data
# --------

import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skmlp_backprop import BackpropMLPClassifier, fit_stack
from skmlp_backprop.datasets import read_idx
from skmlp_backprop.displays import LossCurveDisplay

folder = os.environ.get("SKMLP_DATA_DIR")
if folder:
    mnist = Path(folder) / "mnist"
    X = read_idx(mnist / "train-images-idx3-ubyte.gz")[:20000].reshape(20000, -1) / 255
    y = read_idx(mnist / "train-labels-idx1-ubyte.gz")[:20000]
    n_epochs = 1
else:
    X, y = load_digits(return_X_y=True)
    X, n_epochs = X / 16, 5
X = X.astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
print(f"{len(X)} images of {X.shape[1]} pixels")

# %%
# The sweep
# ---------
# The networks differ only in the learning rate. So ``fit_stack`` can train them as one
# stack, which is faster than training them one by one.

# The small number of epochs is intended, so we ignore the warning about it.
warnings.simplefilter("ignore", ConvergenceWarning)
rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
mlps = [
    BackpropMLPClassifier(
        30,
        activation="logistic",
        solver="sgd",
        momentum=0,
        batch_size=10,
        learning_rate_init=rate,
        max_iter=n_epochs,
        random_state=0,
    )
    for rate in rates
]
fit_stack(mlps, X_train, y_train)
accuracy = [mlp.score(X_test, y_test) for mlp in mlps]

figure, ax = plt.subplots(layout="constrained")
ax.semilogx(rates, accuracy, marker="o")
ax.set(xlabel="learning_rate_init", ylabel="accuracy on new rows")
ax.grid(alpha=0.3)
plt.show()

# %%
# More epochs at the best rate
# ----------------------------

best = BackpropMLPClassifier(**mlps[int(np.argmax(accuracy))].get_params())
best.set_params(max_iter=5 * n_epochs).fit(X_train, y_train)
print(
    f"rate {best.learning_rate_init}: accuracy {max(accuracy):.3f} after {n_epochs} "
    f"and {best.score(X_test, y_test):.3f} after {best.n_iter_} epochs"
)
LossCurveDisplay.from_estimator(best)
plt.show()
