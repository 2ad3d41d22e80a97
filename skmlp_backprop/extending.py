"""What to inherit from for an activation, an update rule or a schedule of one's own.

An instance of such a class is passed where a name is: as `activation`, `solver` or
`learning_rate` of :class:`BackpropMLPClassifier` and :class:`BackpropMLPRegressor`. It
is cloned, searched over, trained in stacks and pickled as these are; its class must be
one that Python can import, for pickling.
"""

from ._network.activations import Activation
from ._solvers.rules import SGD, Adam, Rule
from ._solvers.schedules import Schedule

__all__ = ["SGD", "Activation", "Adam", "Rule", "Schedule"]
