"""The training loop of the minibatch solvers, on which SGD and Adam are rules."""

import math
import warnings
from copy import deepcopy

import numpy as np
from sklearn.utils import shuffle

from .._rows import Batches
from ._problem import Stop


class MinibatchSolver:
    """Go over the rows in minibatches, epoch by epoch.

    A subclass is an update rule: it says how a gradient becomes a step. The
    stopping rules, the order of the random draws and the meaning of every
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
    """

    stochastic = True
    state = ()
    hyper_parameters = (
        "max_iter",
        "tol",
        "batch_size",
        "shuffle",
        "n_iter_no_change",
        "learning_rate_init",
    )

    def __init__(
        self, max_iter, tol, batch_size, shuffle, n_iter_no_change, learning_rate_init
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.n_iter_no_change = n_iter_no_change
        self.learning_rate_init = learning_rate_init
        self.learning_rate_ = float(learning_rate_init)
        self._is_started = False

    def arithmetic_dtype(self, dtype):
        """Precision to evaluate in, for data of the given precision."""
        return dtype

    def resume(self, earlier):
        """Go on with copies of the state of an earlier solver of the same class."""
        for name in self.state:
            setattr(self, name, deepcopy(getattr(earlier, name)))
        # What the schedule has made of the initial rate holds for a new one too.
        schedule = earlier.learning_rate_ / earlier.learning_rate_init
        self.learning_rate_ = self.learning_rate_init * schedule
        self._is_started = True

    def start(self, parameters):
        """Set up the rule's state for parameters of this shape."""
        raise NotImplementedError

    def step(self, parameters, gradient):
        """Update `parameters` by `gradient`, whose content is lost."""
        raise NotImplementedError

    def end_epoch(self, t):
        """Adapt the learning rate to the number of samples seen, `t`."""

    def slow_down(self):
        """Lower the learning rate on a plateau; False if it is time to stop."""
        return False

    def solve(self, problem, parameters, history, monitor):
        """Minimise.

        Parameters
        ----------
        problem : Problem
            What to minimise.

        parameters : Parameters
            The initial weights of one network; overwritten by the final ones.

        history : History
            Written to; where it tells of earlier epochs, they are continued.

        monitor : Monitor
            Told of every epoch; may ask to stop.

        Returns
        -------
        stop : Stop
            Why it ended.
        """
        if not self._is_started:
            self.start(parameters)
            self._is_started = True
        best = _Best(parameters)
        try:
            stop = self._run_epochs(problem, parameters, history, monitor, best)
        except KeyboardInterrupt:
            stop = Stop("interrupted")
        if stop.reason == "diverged" or problem.validation_score is not None:
            best.restore(parameters)
        if stop.reason == "interrupted" and not _is_finite(parameters):
            best.restore(parameters)
        return stop

    def _run_epochs(self, problem, parameters, history, monitor, best):
        gradient = parameters.like()
        self._warn_of_clipping(problem.rows.n_rows)
        batches = Batches(problem.rows, self.n_batch_rows(problem.rows.n_rows))
        order = np.arange(problem.rows.n_rows)
        while history.n_iter < self.max_iter:
            monitor.begin_iteration()
            if self.shuffle:
                order = shuffle(order, random_state=problem.random_state)
                epoch = batches.shuffled(order)
            else:
                epoch = batches.in_order()
            loss = self._run_epoch(
                problem.objective, epoch, parameters, gradient, history, best
            )
            if not math.isfinite(loss) or not _is_finite(parameters):
                return Stop("diverged")
            self._record(loss, problem, history, monitor, parameters, best)
            self.end_epoch(history.t)
            if monitor.end_iteration(history, lambda: parameters):
                return Stop("callback")
            if self._is_done(problem, history, monitor):
                return Stop("converged")
        return Stop("max_iter")

    def _run_epoch(self, objective, epoch, parameters, gradient, history, best):
        """One pass over the rows; their mean J, or nan as soon as one is not finite.

        Each batch's J is taken before its step.
        """
        total = weight = 0.0
        for batch in epoch:
            if batch.weight_sum == 0:
                continue
            loss = float(objective.loss_and_gradient(parameters, batch, gradient)[0])
            if not math.isfinite(loss):
                return math.nan
            history.n_fun += 1
            best.confirm()
            self.step(parameters, gradient)
            total += loss * batch.weight_sum
            weight += batch.weight_sum
        return total / weight

    def _record(self, loss, problem, history, monitor, parameters, best):
        """Write an epoch down, and keep its weights if they are the best so far."""
        history.n_iter += 1
        history.t += problem.rows.n_rows
        history.loss = loss
        history.loss_curve.append(loss)
        monitor.say(f"Iteration {history.n_iter}, loss = {loss:.8f}")
        if problem.validation_score is None:
            self._record_loss(loss, history, parameters, best)
        else:
            self._record_score(problem, history, monitor, parameters, best)

    def _record_loss(self, loss, history, parameters, best):
        if loss > history.best_loss - self.tol:
            history.no_improvement_count += 1
        else:
            history.no_improvement_count = 0
        if loss < history.best_loss:
            history.best_loss = loss
            best.keep(parameters)

    def _record_score(self, problem, history, monitor, parameters, best):
        score = problem.validation_score(parameters)
        monitor.say(f"Validation score: {score:f}")
        history.validation_scores.append(score)
        if score < history.best_validation_score + self.tol:
            history.no_improvement_count += 1
        else:
            history.no_improvement_count = 0
        if score > history.best_validation_score:
            history.best_validation_score = score
            best.keep(parameters)
            best.confirm()

    def _is_done(self, problem, history, monitor):
        """Whether progress has ceased and the learning rate can't be lowered."""
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
            monitor.say(f"{message} Setting learning rate to {self.learning_rate_:f}")
            history.no_improvement_count = 0
            return False
        monitor.say(f"{message} Stopping.")
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


def _is_finite(parameters):
    """Whether the weights, and their squares in the penalty, are finite."""
    return math.isfinite(np.vdot(parameters.flat, parameters.flat))


class _Best:
    """The best weights so far; the initial ones until there are others.

    An epoch's loss is taken before its steps, so that weights are known to have a
    finite loss only when the next batch has been evaluated: until then they are
    but a candidate.
    """

    def __init__(self, parameters):
        self.flat = parameters.flat.copy()
        self.candidate = None
        self.is_confirmed = True

    def keep(self, parameters):
        """Make these the candidate."""
        if self.candidate is None:
            self.candidate = np.empty_like(self.flat)
        np.copyto(self.candidate, parameters.flat)
        self.is_confirmed = False

    def confirm(self):
        """Make the candidate, if there is one, the best."""
        if not self.is_confirmed:
            self.flat, self.candidate = self.candidate, self.flat
            self.is_confirmed = True

    def restore(self, parameters):
        """Overwrite the weights by the best."""
        np.copyto(parameters.flat, self.flat)
