"""The solvers, and the table of their names.

Imports ``_network``.
"""

from .full_batch import CG, LBFGS, TNC
from .rules import RULES, Rule

FULL_BATCH_SOLVERS = {"lbfgs": LBFGS, "cg": CG, "tnc": TNC}
SOLVERS = {**FULL_BATCH_SOLVERS, **RULES}


def is_stochastic(solver):
    """Whether an estimator's `solver`, a name or a Rule, works on minibatches."""
    return isinstance(solver, Rule) or solver in RULES


__all__ = ["FULL_BATCH_SOLVERS", "RULES", "SOLVERS", "is_stochastic"]
