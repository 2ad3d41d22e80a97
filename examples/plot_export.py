"""
To scikit-learn, to ONNX, and back
==================================

A trained network can go where this package is not: as an ``MLPClassifier``, or through
that as an ONNX file, which many runtimes read. This example needs ``skl2onnx`` and
``onnxruntime``.
"""

# %%
# To MLPClassifier
# ----------------

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.displays import SampleGridDisplay

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
ours = BackpropMLPClassifier(50, alpha=1, random_state=0).fit(X_train, y_train)

theirs = ours.to_sklearn()
same = np.abs(theirs.predict_proba(X_test) - ours.predict_proba(X_test)).max()
print(f"{theirs}: probabilities differ by at most {same:.0e}")

# %%
# To ONNX
# -------

onnx = to_onnx(theirs, X_test[:1], options={"zipmap": False})
session = onnxruntime.InferenceSession(
    onnx.SerializeToString(), providers=["CPUExecutionProvider"]
)
labels, proba = session.run(None, {session.get_inputs()[0].name: X_test})
print(
    f"{len(onnx.SerializeToString()) / 1024:.0f} KiB; "
    f"same labels: {np.array_equal(labels, ours.predict(X_test))}"
)
SampleGridDisplay.from_predictions(X_test[:30], y_test[:30], labels[:30])
plt.show()

# %%
# Back again
# ----------
# What MLPClassifier has trained can be gone on with here.

again = BackpropMLPClassifier.from_sklearn(theirs)
for _ in range(10):
    again.partial_fit(X_train, y_train)
print(
    f"accuracy {ours.score(X_test, y_test):.3f}, then {again.score(X_test, y_test):.3f}"
)
