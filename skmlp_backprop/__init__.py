"""A multilayer perceptron for scikit-learn, trained by backpropagation."""

# Before our modules, which import NumPy first: in that order all of scikit-learn's
# imports together take longer.
import sklearn  # noqa: F401

from ._estimators.classifier import BackpropMLPClassifier
from ._estimators.fitted_network import Gradient
from ._estimators.regressor import BackpropMLPRegressor
from ._gradient_check import GradientCheck, check_gradient
from ._search.stacking import fit_stack

__version__ = "0.1.0"

__all__ = [
    "BackpropMLPClassifier",
    "BackpropMLPRegressor",
    "Gradient",
    "GradientCheck",
    "StackedGridSearchCV",
    "StackedRandomizedSearchCV",
    "check_gradient",
    "fit_stack",
]

_SEARCHES = ("StackedGridSearchCV", "StackedRandomizedSearchCV")


def __getattr__(name):
    # Imported on use: a third of the package's time to import, for who only predicts.
    if name not in _SEARCHES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._search import searches

    return getattr(searches, name)
