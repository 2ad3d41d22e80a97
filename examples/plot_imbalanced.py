"""
Rare classes and your own validation data
=========================================

One row in twenty is of class 1, the class that matters. With class weights the network
gives more weight to these rows. A callback stops the training when the score on our own
validation rows no longer improves. The page :doc:`/guide/imbalanced` explains when a
threshold is better than class weights.
"""

# %%
# The data
# --------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.callbacks import EarlyStopping

X, y = make_moons((3800, 200), noise=0.35, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_fit, X_val, y_fit, y_val = train_test_split(
    X_train, y_train, stratify=y_train, random_state=0
)
print(f"{np.mean(y):.1%} of the rows are of class 1")

# %%
# With and without class weights
# ------------------------------
# ``class_weight="balanced"`` weights each class by the inverse of its frequency. The
# validation score is the balanced accuracy, in which both classes have the same weight.

fits = {}
for class_weight in (None, "balanced"):
    stopping = EarlyStopping(X_val, y_val, scoring="balanced_accuracy", patience=20)
    mlp = BackpropMLPClassifier(25, class_weight=class_weight, random_state=0)
    fits[class_weight] = mlp.set_callbacks(stopping).fit(X_fit, y_fit)
    predicted = mlp.predict(X_test)
    print(
        f"class_weight={class_weight!r}: best after {stopping.best_iter_} epochs; "
        f"recall of class 1 {recall_score(y_test, predicted):.2f}, "
        f"balanced accuracy {balanced_accuracy_score(y_test, predicted):.2f}"
    )

# %%
# The decision boundaries
# -----------------------
# With class weights the region of class 1 is larger: the network finds more rows of
# class 1 and raises more false alarms.

figure, both = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, (class_weight, mlp) in zip(both, fits.items(), strict=True):
    DecisionBoundaryDisplay.from_estimator(
        mlp, X, ax=ax, response_method="predict_proba", cmap="RdBu_r", alpha=0.8
    )
    for label, color in ((0, "tab:blue"), (1, "tab:red")):
        rows = X_test[y_test == label]
        ax.scatter(*rows.T, s=8, color=color, edgecolor="white", linewidth=0.3)
    ax.set_title(f"class_weight={class_weight!r}")
plt.show()
