"""MNIST by minibatch gradient descent: one epoch, a sweep of learning rates.

    python examples/published/mnist_minibatch_sgd.py FOLDER

FOLDER holds MNIST's training files in a folder ``mnist``; it may also come from the
environment variable SKMLP_DATA_DIR. The network is f(x) = softmax(W tanh(x + b) + c)
on raw pixels, 0 to 255, trained on the squared error in batches of 100: the first
50000 images train, the last 10000 validate. Each training ends after one epoch, and
warns of it. The best published accuracy is 91 %.
"""

import os
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import classification_report

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.datasets import read_idx

# J is the mean over the rows of a batch of half the squared error. The squared error
# without the half has twice the gradient, so the same steps need half of these rates.
LEARNING_RATES = (0.01, 0.03, 0.1, 0.3, 1.0)


def load(folder):
    """Training images as rows of float32 pixels, and their digits."""
    folder = Path(folder) / "mnist"
    images = read_idx(folder / "train-images-idx3-ubyte.gz")
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz")
    return images.reshape(len(images), -1).astype(np.float32), labels


def train(X, y, learning_rate):
    """One epoch of minibatch gradient descent."""
    return BackpropMLPClassifier(
        hidden_layer_sizes=(),
        input_activation="tanh",
        output_activation="softmax",
        loss="squared_error",
        solver="sgd",
        momentum=0,
        alpha=0,
        batch_size=100,
        max_iter=1,
        learning_rate_init=learning_rate,
        random_state=0,
    ).fit(X, y)


def main(folder):
    """Print the accuracy at each rate and the report of the best; draw the sweep."""
    import matplotlib.pyplot as plt

    X, y = load(folder)
    X_val, y_val = X[-10000:], y[-10000:]
    scores, mlps = {}, {}
    for rate in LEARNING_RATES:
        mlps[rate] = train(X[:50000], y[:50000], rate)
        scores[rate] = mlps[rate].score(X_val, y_val)
        print(f"learning rate {rate:<5g} validation accuracy {scores[rate]:.2%}")
    best = max(scores, key=scores.get)
    print(f"Learning rate {best:g}, on the validation images:")
    print(classification_report(y_val, mlps[best].predict(X_val)))
    plt.semilogx(list(scores), list(scores.values()), marker="o")
    plt.xlabel("learning rate")
    plt.ylabel("validation accuracy after one epoch")
    plt.show()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["SKMLP_DATA_DIR"])
