"""One network's part in a training on minibatches: its parameters and stopping rules.

The loop over epochs is in ``epochs``; SGD and Adam add a schedule and an update rule.
"""

import warnings

import numpy as np

from .epochs import run_epochs
from .problem import Stop


class MinibatchSolver:
    """Go over the rows in minibatches, epoch by epoch.

    The stopping rules, the order of the random draws and the meaning of every
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

    learning_rate_init : float
        Step size to begin with.

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
    """

    stochastic = True
    update = None
    hyper_parameters = (
        "max_iter",
        "tol",
        "batch_size",
        "shuffle",
        "n_iter_no_change",
        "learning_rate_init",
    )
    per_network = ("max_iter", "tol", "n_iter_no_change", "learning_rate_init")

    def __init__(
        self, max_iter, tol, batch_size, shuffle, n_iter_no_change, learning_rate_init
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.n_iter_no_change = n_iter_no_change
        self.learning_rate_init = learning_rate_init
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

    def end_epoch(self, t):
        """Adapt the learning rate to the number of samples seen, `t`."""

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

        members : list of Member
            The networks' solvers, of which this is the first, with their histories,
            which are written to, and monitors. They are given their final weights
            and the reason why they stopped.
        """
        self._warn_of_clipping(problem.rows.n_rows)
        run_epochs(problem, parameters, members)

    def close_epoch(self, member, losses, weights, problem, parameters, best):
        """Account for an epoch.

        Parameters
        ----------
        member : Member
            The network that this is the solver of.

        losses, weights : ndarray of shape (n_batches,)
            J on each batch, taken before its step; and the batches' weights.

        problem : Problem
            What is minimised.

        parameters : Parameters
            The network's weights.

        best : Best
            The best weights so far.

        Returns
        -------
        stop : Stop or None
            Why to stop, if it is time to.
        """
        if not (self.count(member, losses, best) and parameters.is_finite()):
            return Stop("diverged")
        loss = float(losses @ weights / weights.sum())
        self._record(loss, problem, member, parameters, best)
        self.end_epoch(member.history.t)
        if member.monitor.end_iteration(member.history, lambda: parameters):
            return Stop("callback")
        if self._is_done(problem, member):
            return Stop("converged")
        if member.history.n_iter >= self.max_iter:
            return Stop("max_iter")
        return None

    def count(self, member, losses, best):
        """Count the evaluations up to the first that is not finite; whether none is."""
        finite = np.isfinite(losses)
        n_finite = len(losses) if finite.all() else int(finite.argmin())
        member.history.n_fun += n_finite
        if n_finite > 0:
            best.confirm()
        return n_finite == len(losses)

    def _record(self, loss, problem, member, parameters, best):
        """Write an epoch down, and keep its weights if they are the best so far."""
        history = member.history
        history.end_iteration(loss)
        history.t += problem.rows.n_rows
        member.monitor.say(f"Iteration {history.n_iter}, loss = {loss:.8f}")
        if problem.validation_score is None:
            self._record_loss(loss, history, parameters, best)
        else:
            self._record_score(problem, member, parameters, best)

    def _record_loss(self, loss, history, parameters, best):
        if loss > history.best_loss - self.tol:
            history.no_improvement_count += 1
        else:
            history.no_improvement_count = 0
        if loss < history.best_loss:
            history.best_loss = loss
            best.keep(parameters)

    def _record_score(self, problem, member, parameters, best):
        history = member.history
        score = problem.validation_score(parameters)
        member.monitor.say(f"Validation score: {score:f}")
        history.validation_scores.append(score)
        if score < history.best_validation_score + self.tol:
            history.no_improvement_count += 1
        else:
            history.no_improvement_count = 0
        if score > history.best_validation_score:
            history.best_validation_score = score
            best.keep(parameters)
            best.confirm()

    def _is_done(self, problem, member):
        """Whether progress has ceased and the learning rate can't be lowered."""
        history = member.history
        if history.no_improvement_count <= self.n_iter_no_change:
            return False
        what = (
            "Training loss" if problem.validation_score is None else "Validation score"
        )
        message = (
            f"{what} did not improve more than tol={self.tol:f} for "
            f"{self.n_iter_no_change} consecutive epochs."
        )
        if self.slow_down():
            member.monitor.say(
                f"{message} Setting learning rate to {self.learning_rate_:f}"
            )
            history.no_improvement_count = 0
            return False
        member.monitor.say(f"{message} Stopping.")
        return True

    def n_batch_rows(self, n_rows):
        """Rows of a minibatch, of which there are `n_rows` to take from."""
        return min(200 if self.batch_size == "auto" else self.batch_size, n_rows)

    def _warn_of_clipping(self, n_rows):
        if self.batch_size != "auto" and self.batch_size > n_rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going "
                "to be clipped",
                stacklevel=2,
            )
