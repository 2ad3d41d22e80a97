"""
More rows than memory
=====================

Each call of ``partial_fit`` trains for one epoch on the rows that you pass. So you can
read the rows in parts from a file or a database. In this example they come from a
generator. Only one part is in memory at a time.
"""

# %%
# Rows in parts
# -------------
# The rows are digits, shifted at random by up to a pixel, with noise. No row occurs
# twice.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.displays import SampleGridDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)


def distorted(X, rng):
    """Shift each image by a pixel or not at all, and add noise."""
    images = X.reshape(-1, 8, 8)
    moved = np.stack(
        [
            np.roll(image, shift, axis=(0, 1))
            for image, shift in zip(
                images, rng.integers(-1, 2, (len(images), 2)), strict=True
            )
        ]
    )
    noise = rng.normal(0, 0.1, moved.shape)
    return np.clip(moved + noise, 0, 1).reshape(len(X), -1)


def parts(n_parts, n_rows=500):
    """Yield parts of an endless data set."""
    rng = np.random.default_rng(0)
    for _ in range(n_parts):
        index = rng.integers(0, len(X_train), n_rows)
        yield distorted(X_train[index], rng), y_train[index]


# %%
# Training
# --------
# The first call needs all classes, since a part may lack some of them.

X_shifted = distorted(X_test, np.random.default_rng(1))
mlp = BackpropMLPClassifier(100, random_state=0)
seen, accuracy = [], []
for X_part, y_part in parts(150):
    mlp.partial_fit(X_part, y_part, classes=np.arange(10))
    seen.append(mlp.t_)
    accuracy.append(mlp.score(X_shifted, y_test))
print(f"accuracy on new, distorted rows: {accuracy[-1]:.3f} after {mlp.t_} rows")

figure, ax = plt.subplots(layout="constrained")
ax.plot(seen, accuracy)
ax.set(xlabel="rows seen", ylabel="accuracy on new rows")
ax.grid(alpha=0.3)
plt.show()

# %%
# The figure shows right and wrong predictions.

SampleGridDisplay.from_estimator(mlp, X_shifted[:60], y_test[:60])
plt.show()
