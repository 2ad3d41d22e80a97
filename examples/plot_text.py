"""
Text, as a sparse matrix
========================

Which part of scikit-learn does a paragraph of its documentation belong to? The text is
that of the installed docstrings, so that nothing is downloaded; TF-IDF makes it a
sparse matrix, which the network takes as it is.
"""

# %%
# The data
# --------
# Every docstring of four modules, cut into paragraphs.

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
# With more words than paragraphs the penalty matters; early stopping holds a tenth of
# the rows out and keeps the weights that were best on these.

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
