"""Plain gradient descent on scikit-learn's digits, 64-32-16-10.

    python examples/published/digits_gradient_descent.py

Logistic units throughout, squared error, raw pixels 0 to 16: the first 1500 images
train, all of them in every step, the next 296 test.
"""

import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import BackpropMLPClassifier


def train_and_score(seed):
    """Test accuracy after 350 steps of plain gradient descent."""
    X, y = load_digits(return_X_y=True)
    mlp = BackpropMLPClassifier(
        hidden_layer_sizes=(32, 16),
        activation="logistic",
        output_activation="logistic",
        loss="squared_error",
        weight_init="normal",
        alpha=0,
        solver="sgd",
        momentum=0,
        batch_size=1500,
        learning_rate_init=2000 / 1500,
        max_iter=350,
        n_iter_no_change=350,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X[:1500], y[:1500])
    return mlp.score(X[1500:1796], y[1500:1796])


def main():
    """Print the accuracy of five seeds."""
    for seed in range(5):
        print(f"seed {seed}: test accuracy {train_and_score(seed):.2%}")


if __name__ == "__main__":
    main()
