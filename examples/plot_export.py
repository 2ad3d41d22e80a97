"""
To ONNX, to scikit-learn, and back
==================================

A trained network can be used without this package: as an ONNX file, which many runtimes
read, or as scikit-learn's ``MLPClassifier``. This example needs ``skl2onnx`` and
``onnxruntime``.
"""

# %%
# To ONNX
# -------
# After ``import skmlp_backprop.onnx``, skl2onnx can convert the classifier, alone or in
# a Pipeline, with any of its named activations.

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import skmlp_backprop.onnx
from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop.displays import SampleGridDisplay

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
mlp = BackpropMLPClassifier((50, 20), ["gelu", "tanh"], random_state=0)
model = make_pipeline(MinMaxScaler(), mlp).fit(X_train, y_train)

onnx_model = to_onnx(model, X_test[:1], options={"zipmap": False})
session = onnxruntime.InferenceSession(
    onnx_model.SerializeToString(), providers=["CPUExecutionProvider"]
)
labels, proba = session.run(None, {session.get_inputs()[0].name: X_test})
difference = np.abs(proba - model.predict_proba(X_test)).max()
print(
    f"{len(onnx_model.SerializeToString()) / 1024:.0f} KiB; "
    f"same labels: {np.array_equal(labels, model.predict(X_test))}; "
    f"probabilities differ by at most {difference:.0e}"
)
SampleGridDisplay.from_predictions(X_test[:30], y_test[:30], labels[:30])
plt.show()

# %%
# To MLPClassifier
# ----------------
# ``to_sklearn`` converts networks that ``MLPClassifier`` supports. The hidden layers
# must have the same activation, and ``MLPClassifier`` must have this activation and
# these outputs.

ours = BackpropMLPClassifier(50, alpha=1, random_state=0).fit(X_train / 16, y_train)
theirs = ours.to_sklearn()
difference = theirs.predict_proba(X_test / 16) - ours.predict_proba(X_test / 16)
print(f"{theirs}: probabilities differ by at most {np.abs(difference).max():.0e}")

# %%
# Back again
# ----------
# ``from_sklearn`` converts a fitted ``MLPClassifier``. Here ``partial_fit`` then
# continues its training.

again = BackpropMLPClassifier.from_sklearn(theirs)
before = again.score(X_test / 16, y_test)
for _ in range(10):
    again.partial_fit(X_train / 16, y_train)
print(f"accuracy {before:.3f}, then {again.score(X_test / 16, y_test):.3f}")
