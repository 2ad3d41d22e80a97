"""Base classes for your own activations, update rules and schedules.

Pass an instance in place of a name, as `activation`, `solver` or `learning_rate` of
:class:`BackpropMLPClassifier` and :class:`BackpropMLPRegressor`. It is cloned, searched
over, trained in stacks and pickled like a name. For pickling, Python must be able to
import its class.
"""

from ._network.activations import Activation
from ._solvers.rules import SGD, Adam, Rule
from ._solvers.schedules import Schedule

__all__ = ["SGD", "Activation", "Adam", "Rule", "Schedule"]
