"""Plain gradient descent on scikit-learn's digits, 64-32-16-10.

    python examples/published/digits_gradient_descent.py

Logistic units throughout, squared error, raw pixels 0 to 16: the first 1500 images
train, all of them in every step, the next 296 test. Each training ends after 350 steps,
and warns of it. The published accuracies are 78 to 90 %.
"""

from sklearn.datasets import load_digits
from sklearn.metrics import classification_report

from skmlp_backprop import BackpropMLPClassifier

N_TRAIN = 1500
# The learning rate depends on the scale of the error. J is the mean over the rows of
# half the squared error. The published code divides the error by the number of rows
# once more, so its rate 2000 makes the same steps as 2000 / 1500 for J. The squared
# error without the half, which is often printed, is twice J. Its gradient is twice as
# large, so the same steps need half the rate.
LEARNING_RATE = 2000 / N_TRAIN


def load():
    """Load the training images and labels, and the test images and labels."""
    X, y = load_digits(return_X_y=True)
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:1796], y[N_TRAIN:1796]


def train(X, y, seed):
    """350 steps of plain gradient descent, each on all rows."""
    return BackpropMLPClassifier(
        hidden_layer_sizes=(32, 16),
        activation="logistic",
        output_activation="logistic",
        loss="squared_error",
        weight_init="normal",
        alpha=0,
        solver="sgd",
        momentum=0,
        batch_size=len(X),
        learning_rate_init=LEARNING_RATE,
        max_iter=350,
        n_iter_no_change=350,
        random_state=seed,
    ).fit(X, y)


def main():
    """Print the accuracy of five seeds and the report of the first; draw J."""
    import matplotlib.pyplot as plt

    from skmlp_backprop.displays import LossCurveDisplay

    X, y, X_test, y_test = load()
    mlps = [train(X, y, seed) for seed in range(5)]
    for seed, mlp in enumerate(mlps):
        # Often printed: without the half.
        squared_error = 2 * mlp.loss_
        print(
            f"seed {seed}: squared error {squared_error:.4f}, training accuracy "
            f"{mlp.score(X, y):.2%}, test accuracy {mlp.score(X_test, y_test):.2%}"
        )
    print(classification_report(y_test, mlps[0].predict(X_test)))
    LossCurveDisplay.from_estimator({f"seed {i}": mlp for i, mlp in enumerate(mlps)})
    plt.show()


if __name__ == "__main__":
    main()
