"""The settings of a training on minibatches."""

from dataclasses import dataclass

from .rules import Rule
from .schedules import Schedule


@dataclass
class MinibatchSolver:
    """How networks are trained on minibatches.

    The stop rule, the order of the random draws and the parameters that MLPClassifier
    has are the same as there.

    Parameters
    ----------
    rule : Rule
        The update rule.

    schedule : Schedule
        The learning rate.

    max_iter : int
        Cap on epochs.

    tol : float
        An epoch counts as an improvement if its loss falls, or its validation
        score rises, by at least this much.

    batch_size : int or "auto"
        Rows of a minibatch; "auto" is min(200, n_rows).

    shuffle : bool
        Whether to shuffle the rows before each epoch.

    n_iter_no_change : int or inf
        The training stops after more than this number of epochs without improvement.

    average_epochs : float
        Epochs over which the weights are averaged; 0 for no average.

    state : dict or None, default=None
        What earlier steps of the rule have left; None to begin anew.
    """

    rule: Rule
    schedule: Schedule
    max_iter: int
    tol: float
    batch_size: int
    shuffle: bool
    n_iter_no_change: float
    average_epochs: float
    state: dict | None = None

    hyper_parameters = (
        "max_iter",
        "tol",
        "batch_size",
        "shuffle",
        "n_iter_no_change",
        "average_epochs",
    )
    stochastic = True
    # Precision to evaluate in; None for that of the data.
    dtype = None

    def resume(self, earlier):
        """Go on where an earlier training with a rule of the same class stopped."""
        if earlier.state is not None:
            self.state = self.rule.resume(earlier.state, earlier.rule)
        if not earlier.schedule.starts_anew:
            self.schedule.resume(earlier.schedule.rate / earlier.schedule.initial)

    def n_batch_rows(self, n_rows):
        """Number of rows of a minibatch of `n_rows` training rows."""
        return min(200 if self.batch_size == "auto" else self.batch_size, n_rows)
