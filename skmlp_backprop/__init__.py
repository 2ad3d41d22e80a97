"""A multilayer perceptron for scikit-learn, trained by backpropagation."""

from importlib import import_module

# Before our modules, some of which import it.
__version__ = "0.1.0"

# Before our modules, which import NumPy first: in that order all of scikit-learn's
# imports together take longer.
import sklearn  # noqa: F401

from ._estimators.classifier import BackpropMLPClassifier
from ._estimators.fitted_network import ForwardPass, Gradient
from ._estimators.regressor import BackpropMLPRegressor
from ._gradient_check import GradientCheck, check_gradient
from ._search.stacking import fit_stack

__all__ = [
    "BackpropMLPClassifier",
    "BackpropMLPRegressor",
    "ForwardPass",
    "Gradient",
    "GradientCheck",
    "StackedGridSearchCV",
    "StackedHalvingGridSearchCV",
    "StackedHalvingRandomSearchCV",
    "StackedRandomizedSearchCV",
    "TabularEncoder",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "check_gradient",
    "fit_stack",
]

# Imported on use: a third of the package's time to import, for who only predicts.
_ON_USE = {
    "StackedGridSearchCV": "_search.searches",
    "StackedHalvingGridSearchCV": "_search.halving",
    "StackedHalvingRandomSearchCV": "_search.halving",
    "StackedRandomizedSearchCV": "_search.searches",
    "TabularEncoder": "_tabular.encoder",
    "TabularMLPClassifier": "_tabular.classifier",
    "TabularMLPRegressor": "_tabular.regressor",
}


def __getattr__(name):
    if name not in _ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ON_USE[name]}"), name)
