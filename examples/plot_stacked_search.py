"""
A grid search as one training
=============================

With twenty candidates and five folds, ``GridSearchCV`` trains a hundred networks one by
one. ``StackedGridSearchCV`` trains the candidates together, as stacks of networks. The
results are the same.
"""

# %%
# The search
# ----------

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV
from skmlp_backprop.displays import SearchResultsDisplay

X, y = load_digits(return_X_y=True)
model = make_pipeline(
    StandardScaler(),
    BackpropMLPClassifier(25, batch_size=32, max_iter=15, random_state=0),
)
grid = {
    "backpropmlpclassifier__alpha": [0.01, 0.1, 1, 10, 100],
    "backpropmlpclassifier__learning_rate_init": [0.001, 0.003, 0.01, 0.03],
}
# Many candidates stop at max_iter, which is usual in a search.
warnings.simplefilter("ignore", ConvergenceWarning)
searches, seconds = {}, {}
for search in (StackedGridSearchCV, GridSearchCV):
    start = time.perf_counter()
    searches[search.__name__] = search(model, grid).fit(X, y)
    seconds[search.__name__] = time.perf_counter() - start
stacked, plain = searches.values()
print({name: f"{value:.1f} s" for name, value in seconds.items()})

# %%
# The results are the same, to rounding:

difference = (
    stacked.cv_results_["mean_test_score"] - plain.cv_results_["mean_test_score"]
)
print(f"largest difference of a mean score: {np.abs(difference).max():.4f}")
print(stacked.best_params_, f"{stacked.best_score_:.4f}")

# %%
# The grid
# --------
# Each field shows the mean accuracy over the folds and its standard deviation. The best
# field has a frame. The display takes the results of both classes of searches.

SearchResultsDisplay.from_estimator(stacked)
plt.show()

# %%
# The search in a notebook
# ------------------------
# A notebook displays the search as a diagram. You can unfold the parameters and the
# fitted attributes. Their descriptions appear when you point at them.

stacked
