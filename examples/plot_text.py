"""
Text, as a sparse matrix
========================

This example predicts to which module of scikit-learn a paragraph of its documentation
belongs. The paragraphs come from the installed docstrings, so that nothing is
downloaded. TF-IDF converts them to a sparse matrix, which the network takes directly.
"""

# %%
# The data
# --------
# The data are the docstrings of four modules, split into paragraphs.

import importlib
import inspect

import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skmlp_backprop import BackpropMLPClassifier

texts, labels = [], []
for name in ("cluster", "linear_model", "metrics", "preprocessing"):
    module = importlib.import_module(f"sklearn.{name}")
    for member in module.__all__:
        docstring = inspect.getdoc(getattr(module, member)) or ""
        paragraphs = [p for p in docstring.split("\n\n") if len(p) > 80]
        texts += paragraphs
        labels += [name] * len(paragraphs)
print(f"{len(texts)} paragraphs")

# %%
# The model
# ---------
# The data have more words than paragraphs, so the penalty is important. Early stopping
# holds out a tenth of the rows and keeps the weights with the best score on these rows.

texts_train, texts_test, y_train, y_test = train_test_split(
    texts, labels, stratify=labels, random_state=0
)
model = make_pipeline(
    TfidfVectorizer(sublinear_tf=True, min_df=2),
    BackpropMLPClassifier(
        50, alpha=0.1, early_stopping=True, batch_size=50, random_state=0
    ),
)
model.fit(texts_train, y_train)
X = model[:-1].transform(texts_test)
print(
    f"{X.shape[1]} words, {X.nnz / X.shape[0]:.0f} of them in a paragraph; "
    f"{model[-1].n_iter_} epochs; accuracy {model.score(texts_test, y_test):.3f}"
)
ConfusionMatrixDisplay.from_estimator(
    model, texts_test, y_test, colorbar=False, cmap="Blues"
)
plt.show()
