"""The solvers, and the table of their names.

Imports ``_network``.
"""

from .adam import Adam
from .cg import CG
from .lbfgs import LBFGS
from .sgd import SGD
from .tnc import TNC

SOLVERS = {"lbfgs": LBFGS, "cg": CG, "tnc": TNC, "sgd": SGD, "adam": Adam}
STOCHASTIC_SOLVERS = [name for name, cls in SOLVERS.items() if cls.stochastic]

__all__ = ["SOLVERS", "STOCHASTIC_SOLVERS"]
