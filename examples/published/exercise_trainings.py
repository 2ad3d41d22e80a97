"""The classic neural-network exercise: 400-25-10 on 5000 digits.

    python examples/published/exercise_trainings.py FOLDER

FOLDER holds ``ex4data1.mat`` and ``ex4weights.mat``; it may also come from the
environment variable SKMLP_DATA_DIR. The network has logistic units throughout and
the one-vs-all log loss. It is first evaluated at the course's weights and then
trained with truncated Newton and with conjugate gradients, from weights uniform
within 0.12, at lambda 1. Each training ends at its limit of evaluations or iterations,
and warns of it; the published trainings end there too.
"""

import os
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import classification_report

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.datasets import read_mat, read_mat_weights

NO_CAP = 10**9
NETWORK = {"activation": "logistic", "output_activation": "logistic"}
TRAININGS = {
    "tnc": {"solver": "tnc", "max_fun": 400, "max_iter": NO_CAP},
    "cg": {"solver": "cg", "max_iter": 400, "max_fun": NO_CAP},
    "tnc, short": {"solver": "tnc", "max_fun": 250, "max_iter": NO_CAP},
}


def given_weights(folder, alpha):
    """The classifier with the course's weights."""
    coefs, intercepts = read_mat_weights(Path(folder) / "ex4weights.mat")
    return BackpropMLPClassifier.from_weights(
        coefs, intercepts, classes=np.arange(1, 11), alpha=alpha, **NETWORK
    )


def train(training, X, y, seed):
    """Run a training of `TRAININGS` up to its limit."""
    return BackpropMLPClassifier(
        hidden_layer_sizes=25,
        weight_init=0.12,
        alpha=1,
        tol=0,
        random_state=seed,
        **NETWORK,
        **TRAININGS[training],
    ).fit(X, y)


def main(folder):
    """Print J and accuracy of each training and the report of the first; draw J."""
    import matplotlib.pyplot as plt

    from skmlp_backprop.displays import HiddenUnitsDisplay, LossCurveDisplay

    X, y = read_mat(Path(folder) / "ex4data1.mat")
    for alpha in (0, 1):
        mlp = given_weights(folder, alpha)
        loss, _ = mlp.loss_and_gradient(X, y)
        print(f"given weights, lambda {alpha}: J = {loss:.16f}, {mlp.score(X, y):.2%}")
    first = {}
    for training in TRAININGS:
        for seed in range(5):
            mlp = train(training, X, y, seed)
            first.setdefault(training, mlp)
            print(
                f"{training}, seed {seed}: J = {mlp.loss_:.4f}, {mlp.score(X, y):.2%}, "
                f"{mlp.n_iter_} iterations, {mlp.n_fun_} evaluations"
            )
    print('"tnc", seed 0, on the training rows; the label 10 is the digit 0:')
    print(classification_report(y, first["tnc"].predict(X), digits=4))
    LossCurveDisplay.from_estimator(first, x="evaluations")
    # The exercise stores the pixels column by column.
    HiddenUnitsDisplay.from_estimator(first["tnc"], order="F")
    plt.show()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["SKMLP_DATA_DIR"])
