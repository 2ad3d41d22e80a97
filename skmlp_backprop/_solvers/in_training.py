"""A network in training: its weights, the best of them, its history."""

import numpy as np

from .problem import Stop
from .stop_rule import StopRule


class NetworkInTraining:
    """One network of those that a solver trains together.

    Parameters
    ----------
    solver : FullBatchSolver or MinibatchSolver
        Its solver, of the same class for all.

    history : History
        Written to; where it tells of earlier epochs, they are continued.

    monitor : Monitor
        Told of every iteration; may ask to stop.

    Attributes
    ----------
    weights : Parameters
        Its weights: those to begin with, a view of the stack's while it is in training,
        then those that a training goes on from.

    shown : Parameters
        What it is judged by: these weights, or an average of them.

    n_averaged : int
        Steps that the average has seen, once it has stopped; 0 if there is none.

    final_weights : Parameters or None
        What has come of the training, once it has stopped: what was shown last, or what
        was best.

    stop : Stop or None
        Why it has stopped, once it has.
    """

    def __init__(self, solver, history, monitor, weights):
        self.solver = solver
        self.history = history
        self.monitor = monitor
        self.weights = self.shown = weights
        self.n_averaged = 0
        self.final_weights = None
        self.stop = None
        self._best = None
        self._is_candidate = False

    def go_on(self, max_iter):
        """Be in training again, as if the cap on iterations had been this one."""
        self.solver.max_iter = max_iter
        self.stop = None

    # What follows is called by the loop over epochs; the full-batch solvers do without.

    def start(self):
        """Begin, or go on, with the weights that there are."""
        self._best = self._best or Best(self.shown)
        if self._is_candidate:
            self._best.keep(self.shown)
        self._stop_rule = StopRule(self.solver.tol, self.solver.n_iter_no_change)

    def close_epoch(self, losses, batch_weights, n_rows, problem):
        """Account for an epoch; stop if it is time to.

        Parameters
        ----------
        losses, batch_weights : ndarray of shape (n_batches,)
            J on each batch, taken before its step; and the batches' weights.

        n_rows : int
            Number of their rows.

        problem : Problem
            What is minimised.
        """
        if not (self._count(losses) and self.weights.is_finite()):
            self.stop = Stop("diverged")
            return
        history = self.history
        loss = float(losses @ batch_weights / batch_weights.sum())
        history.end_iteration(loss)
        history.t += n_rows
        self.monitor.say(f"Iteration {history.n_iter}, loss = {loss:.8f}")
        if problem.validation_score is None:
            self._record_loss(loss)
        else:
            self._record_score(problem.validation_score(self.shown))
        self.solver.end_epoch(history)
        if self.monitor.end_iteration(history, lambda: self.shown):
            self.stop = Stop("callback")
        elif self._is_done(problem):
            self.stop = Stop("converged")
        elif history.n_iter >= self.solver.max_iter:
            self.stop = Stop("max_iter")

    def interrupt(self, losses):
        """Stop in the middle of an epoch, of which the given batches are done."""
        self._count(losses)
        self._is_candidate = False
        self.stop = Stop("interrupted")

    def finish(self, by_score, n_averaged):
        """Make what is shown the final weights, or take the best for these.

        Parameters
        ----------
        by_score : bool
            Whether the best are those of the highest score on held-out rows, which
            always are the final ones.

        n_averaged : int
            Steps that the average has seen; 0 if there is none.
        """
        is_latest = self.shown is self.weights
        self.weights = self.weights.copied_if_shared()
        self.shown = self.weights if is_latest else self.shown.copied_if_shared()
        self.n_averaged = n_averaged
        is_lost = self.stop.reason == "diverged" or not self.weights.is_finite()
        takes_best = by_score or is_lost
        self.final_weights = self._best.parameters if takes_best else self.shown
        # It may go on in another process, and had better not have weights twice.
        self._best.drop_candidate()

    def _count(self, losses):
        """Count the evaluations up to the first that is not finite; whether none is."""
        finite = np.isfinite(losses)
        n_finite = len(losses) if finite.all() else int(finite.argmin())
        self.history.n_fun += n_finite
        if n_finite > 0:
            self._best.confirm()
        return n_finite == len(losses)

    def _record_loss(self, loss):
        self._is_candidate = self._stop_rule.see_loss(loss, self.history)
        if self._is_candidate:
            self._best.keep(self.shown)

    def _record_score(self, score):
        self.monitor.say(f"Validation score: {score:f}")
        if self._stop_rule.see_score(score, self.history):
            self._best.keep(self.shown)
            self._best.confirm()

    def _is_done(self, problem):
        """Whether progress has ceased and the learning rate can't be lowered."""
        rule = self._stop_rule
        if not rule.has_ceased(self.history):
            return False
        by_loss = problem.validation_score is None
        what = "Training loss" if by_loss else "Validation score"
        message = (
            f"{what} did not improve more than tol={rule.tol:f} for "
            f"{rule.n_iter_no_change} consecutive epochs."
        )
        if self.solver.slow_down():
            self.monitor.say(
                f"{message} Setting learning rate to {self.solver.learning_rate_:f}"
            )
            self.history.no_improvement_count = 0
            return False
        self.monitor.say(f"{message} Stopping.")
        return True


class Best:
    """The best weights of a network so far; the initial ones until there are others.

    An epoch's loss is taken before its steps, so that weights are known to have a
    finite loss only when the next batch has been evaluated: until then they are
    but a candidate.

    Parameters
    ----------
    parameters : Parameters
        The initial weights of one network, copied.
    """

    def __init__(self, parameters):
        self.parameters = parameters.copy()
        self._candidate = None
        self._is_confirmed = True

    def keep(self, parameters):
        """Make these the candidate."""
        if self._candidate is None:
            self._candidate = self.parameters.zeros_like()
        self._candidate.copy_from(parameters)
        self._is_confirmed = False

    def drop_candidate(self):
        """Forget the candidate, and the room for one."""
        self._candidate = None
        self._is_confirmed = True

    def confirm(self):
        """Make the candidate, if there is one, the best."""
        if not self._is_confirmed:
            self.parameters, self._candidate = self._candidate, self.parameters
            self._is_confirmed = True
