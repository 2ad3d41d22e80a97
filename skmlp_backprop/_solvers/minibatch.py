"""Parameters and schedule of one network's training on minibatches.

The loop over epochs is in ``epochs``; SGD and Adam add a schedule and an update rule.
"""

import math

from .._network.warning import warn
from .epochs import run_epochs


class MinibatchSolver:
    """Go over the rows in minibatches, epoch by epoch.

    The stop rule, the order of the random draws and the meaning of every
    parameter are MLPClassifier's.

    Parameters
    ----------
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
        Epochs without improvement after which to stop.

    learning_rate : str
        Schedule; "cosine" lets the step size fall to 0 over `max_iter` epochs, as half
        a cosine does. What others there are a solver tells.

    learning_rate_init : float
        Step size to begin with.

    average_epochs : float
        Epochs over which the weights are averaged; 0 for the latest ones.

    Attributes
    ----------
    update : type
        The :class:`Update` that steps a stack of networks with such solvers.

    per_network : tuple of str
        The parameters in which the networks of a stack may differ.

    learning_rate_ : float
        The step size that the schedule has arrived at.

    moments : dict of str to Parameters
        What the update rule has left behind, for a training that goes on from there.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2017). "SGDR: Stochastic gradient descent with warm
    restarts." ICLR. The cosine.
    """

    stochastic = True
    update = None
    hyper_parameters = (
        "max_iter",
        "tol",
        "batch_size",
        "shuffle",
        "n_iter_no_change",
        "learning_rate",
        "learning_rate_init",
        "average_epochs",
    )
    per_network = (
        "max_iter",
        "tol",
        "n_iter_no_change",
        "learning_rate",
        "learning_rate_init",
    )

    def __init__(
        self,
        *,
        max_iter,
        tol,
        batch_size,
        shuffle,
        n_iter_no_change,
        learning_rate,
        learning_rate_init,
        average_epochs,
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.n_iter_no_change = n_iter_no_change
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.average_epochs = average_epochs
        self.reset()

    def arithmetic_dtype(self, dtype):
        """Precision to evaluate in, for data of the given precision."""
        return dtype

    def reset(self):
        """Forget earlier training."""
        self.learning_rate_ = float(self.learning_rate_init)
        self.moments = {}

    def resume(self, earlier):
        """Go on where an earlier solver of the same class stopped."""
        self.moments = earlier.moments
        # A cosine is one of each call's epochs.
        if "cosine" in (self.learning_rate, earlier.learning_rate):
            return
        # What the schedule has made of the initial rate holds for a new one too.
        schedule = earlier.learning_rate_ / earlier.learning_rate_init
        self.learning_rate_ = self.learning_rate_init * schedule

    def _scale_moments(self, **factors):
        """Multiply what was left behind, on copies."""
        self.moments = {
            name: moment
            if factors[name] == 1
            else moment.view_same_on(moment.flat * factors[name])
            for name, moment in self.moments.items()
        }

    def end_epoch(self, history):
        """Adapt the learning rate to how the training went so far."""
        if self.learning_rate == "cosine":
            progress = min(history.n_iter / self.max_iter, 1)
            share = (1 + math.cos(math.pi * progress)) / 2
            self.learning_rate_ = self.learning_rate_init * share

    def slow_down(self):
        """Lower the learning rate on a plateau; False if it is time to stop."""
        return False

    def solve(self, problem, parameters, members):
        """Minimise the J of each network of a stack.

        Parameters
        ----------
        problem : Problem
            What to minimise.

        parameters : Parameters
            The initial weights. Overwritten.

        members : list of NetworkInTraining
            The networks, this the solver of the first.
        """
        self._warn_of_clipping(problem.rows.n_rows)
        run_epochs(problem, parameters, members)

    def n_batch_rows(self, n_rows):
        """Rows of a minibatch, of which there are `n_rows` to take from."""
        return min(200 if self.batch_size == "auto" else self.batch_size, n_rows)

    def _warn_of_clipping(self, n_rows):
        if self.batch_size != "auto" and self.batch_size > n_rows:
            warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going "
                "to be clipped"
            )
