"""A multilayer perceptron for scikit-learn, trained by backpropagation."""

from ._classifier import BackpropMLPClassifier
from ._fitted_network import Gradient
from ._gradient_check import GradientCheck, check_gradient
from ._search import StackedGridSearchCV, StackedRandomizedSearchCV
from ._stacking import fit_stack

__version__ = "0.1.0"

__all__ = [
    "BackpropMLPClassifier",
    "Gradient",
    "GradientCheck",
    "StackedGridSearchCV",
    "StackedRandomizedSearchCV",
    "check_gradient",
    "fit_stack",
]
