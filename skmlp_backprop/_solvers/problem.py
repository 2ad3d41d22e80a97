"""What a solver is given, and why it ended."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._network.objective import Objective
from .._network.rows import Rows
from .epochs import Epochs


@dataclass
class Problem:
    """What to minimise.

    Parameters
    ----------
    objective : Objective
        The regularised objective of a stack of networks.

    rows : Rows
        The training rows.

    shuffles : list of Shuffle
        The orders of the rows: one for all networks of a stack, or one for each.

    validation_score : callable or None
        Score of the given :class:`Parameters` on held-out rows; where there is
        one, the minibatch solvers stop by it.

    make_epochs : callable, default=Epochs
        Makes what cuts the rows into batches, epoch by epoch, of a problem and a
        solver; it has the methods of :class:`Epochs`.
    """

    objective: Objective
    rows: Rows
    shuffles: list
    validation_score: Callable | None = None
    make_epochs: Callable = Epochs


@dataclass
class Stop:
    """Why a training ended.

    Parameters
    ----------
    reason : {"converged", "max_iter", "max_fun", "stalled", "callback", \
            "interrupted", "diverged"}
        The reason.

    message : str, default=""
        The solver's own words, where it has stalled.

    slope : float, default=nan
        The gradient's largest entry there.
    """

    reason: str
    message: str = ""
    slope: float = np.nan
