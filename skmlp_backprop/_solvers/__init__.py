"""The solvers, and the table of their names."""

from ._adam import Adam
from ._cg import CG
from ._lbfgs import LBFGS
from ._sgd import SGD
from ._tnc import TNC

SOLVERS = {"lbfgs": LBFGS, "cg": CG, "tnc": TNC, "sgd": SGD, "adam": Adam}
STOCHASTIC_SOLVERS = [name for name, cls in SOLVERS.items() if cls.stochastic]

__all__ = ["SOLVERS", "STOCHASTIC_SOLVERS"]
