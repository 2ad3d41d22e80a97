"""The solvers, and the table of their names.

Imports ``_network``.
"""

from .full_batch import CG, LBFGS, TNC
from .rules import RULES

FULL_BATCH_SOLVERS = {"lbfgs": LBFGS, "cg": CG, "tnc": TNC}
SOLVERS = {**FULL_BATCH_SOLVERS, **RULES}


__all__ = ["FULL_BATCH_SOLVERS", "RULES", "SOLVERS"]
