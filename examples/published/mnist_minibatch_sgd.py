"""MNIST by minibatch gradient descent: one epoch, a sweep of learning rates.

    python examples/published/mnist_minibatch_sgd.py FOLDER

FOLDER holds MNIST's training files in a folder ``mnist``; it may also come from the
environment variable SKMLP_DATA_DIR. The network is f(x) = softmax(W tanh(x + b) + c)
on raw pixels, 0 to 255, trained on the squared error in batches of 100: the first
50000 images train, the last 10000 validate.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.datasets import read_idx

LEARNING_RATES = (0.01, 0.03, 0.1, 0.3, 1.0)


def load(folder):
    """Training images as rows of float32 pixels, and their digits."""
    folder = Path(folder) / "mnist"
    images = read_idx(folder / "train-images-idx3-ubyte.gz")
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz")
    return images.reshape(len(images), -1).astype(np.float32), labels


def sweep(X, y, learning_rates=LEARNING_RATES):
    """Validation accuracy after one epoch, for each learning rate."""
    scores = {}
    for learning_rate in learning_rates:
        mlp = BackpropMLPClassifier(
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
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mlp.fit(X[:50000], y[:50000])
        scores[learning_rate] = mlp.score(X[-10000:], y[-10000:])
    return scores


def main(folder):
    """Print the sweep."""
    for learning_rate, score in sweep(*load(folder)).items():
        print(f"learning rate {learning_rate:<5g} validation accuracy {score:.2%}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["SKMLP_DATA_DIR"])
