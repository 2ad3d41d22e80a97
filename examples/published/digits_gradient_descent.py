"""Plain gradient descent on scikit-learn's digits, 64-32-16-10.

    python examples/published/digits_gradient_descent.py

Logistic units throughout, squared error, raw pixels 0 to 16: the first 1500 images
train, all of them in every step, the next 296 test. That each training ends at its 350
steps is meant, whatever the warning says; the published accuracies are 78 to 90 %.
"""

from sklearn.datasets import load_digits
from sklearn.metrics import classification_report

from skmlp_backprop import BackpropMLPClassifier

N_TRAIN = 1500
# A learning rate goes with the scale of the error. J is the mean over the rows of half
# the squared error. The published rate, 2000, goes with an error that is divided by
# the number of rows once more: the same step on J is 2000 / 1500. A squared error
# without the half, as it is often printed, is twice J, and so is its gradient: a rate
# for that one is half as large.
LEARNING_RATE = 2000 / N_TRAIN


def load():
    """The training images and labels, and those of the test."""
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
        # As it is often printed, without the half.
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
