"""A training: a network, or the networks of an ensemble, which stop together."""

import time
from dataclasses import dataclass, field, fields, replace

import numpy as np

from .._network.parameters import Parameters


@dataclass
class History:
    """The history of a training; a later call that continues the training extends it.

    All fields but the last three are the fitted attributes of the same names, without
    the underscore.
    """

    n_iter: int = 0
    n_fun: int = 0
    t: int = 0
    loss: float = np.inf
    best_loss: float | None = np.inf
    loss_curve: list = field(default_factory=list)
    n_fun_curve: list = field(default_factory=list)
    time_curve: list = field(default_factory=list)
    validation_scores: list | None = None
    best_validation_score: float | None = None
    no_improvement_count: int = 0
    n_fun_before: int = 0
    started: float = field(default_factory=time.perf_counter)

    def end_iteration(self, loss):
        """Record an iteration. `n_fun` already counts its evaluations."""
        self.n_iter += 1
        self.loss = loss
        self.loss_curve.append(loss)
        self.n_fun_curve.append(self.n_fun_before + self.n_fun)
        self.time_curve.append(time.perf_counter() - self.started)

    def count_improvement(self, is_improvement):
        """Count the consecutive epochs without improvement."""
        self.no_improvement_count = (
            0 if is_improvement else self.no_improvement_count + 1
        )

    def copy(self):
        """Copy, with copies of the lists."""
        lists = {k: list(v) for k, v in vars(self).items() if isinstance(v, list)}
        return replace(self, **lists)

    def continued(self, fresh, has_same_objective):
        """The history of a call that continues the training, with counts of its own.

        It takes over the lists of this history, which must not be used further.

        Parameters
        ----------
        fresh : History
            The history that the call would begin with from new weights. It says whether
            the training improves losses or validation scores.

        has_same_objective : bool
            Whether the losses of both calls can be compared.
        """
        # The curves continue, with the evaluations and seconds that they count.
        seconds = self.time_curve[-1] if self.time_curve else 0.0
        history = replace(
            self,
            n_iter=0,
            n_fun=0,
            # The last evaluations may have come after the last iteration.
            n_fun_before=max(self.n_fun_before + self.n_fun, *self.n_fun_curve[-1:], 0),
            started=time.perf_counter() - seconds,
        )
        # Validation scores can be compared whatever the objective.
        is_by_score = history.best_loss is None
        is_alike = is_by_score == (fresh.best_loss is None)
        if is_alike and (is_by_score or has_same_objective):
            return history
        return replace(
            history,
            best_loss=fresh.best_loss,
            validation_scores=fresh.validation_scores,
            best_validation_score=fresh.best_validation_score,
            no_improvement_count=0,
        )


# The fields that are no public attributes of the estimator.
_PRIVATE = {"no_improvement_count", "n_fun_before", "started"}
PUBLIC_HISTORY = [f.name for f in fields(History) if f.name not in _PRIVATE]


@dataclass
class Stop:
    """Reason for the end of a training.

    Parameters
    ----------
    reason : {"converged", "max_iter", "max_fun", "stalled", "callback", \
            "interrupted", "diverged", "partial_fit"}
        The reason; "partial_fit" for the epoch of a call of `partial_fit`.

    message : str, default=""
        The criterion of convergence, or the words of a solver that has stalled.

    slope : float, default=nan
        The gradient's largest entry at the final weights.
    """

    reason: str
    message: str = ""
    slope: float = np.nan


class Reporter:
    """Prints every iteration to a user who asks for it.

    A subclass may report to callbacks, too.

    Parameters
    ----------
    verbose : bool or int
        Whether to print.
    """

    def __init__(self, verbose=False):
        self.verbose = verbose

    def say(self, message):
        """Print a message if `verbose`."""
        if self.verbose:
            print(message)

    def begin_iteration(self):
        """Called before an epoch.

        A full-batch solver calls it just before the end of an iteration, because SciPy
        reports an iteration only then.
        """

    def end_iteration(self, history, get_networks):
        """Called after each iteration or epoch.

        Parameters
        ----------
        history : History
            The training so far.

        get_networks : callable
            Returns the iteration's weights, of one network each; called only if a
            callback asks.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop.
        """
        return False


class Training:
    """One network, or the networks of an ensemble, that are judged and stop together.

    Parameters
    ----------
    solver : FullBatchSolver or MinibatchSolver
        Trains the networks.

    history : History
        Records the training. If it has earlier epochs, the training continues them.

    weights : list of Parameters
        The initial weights, of one network each.

    Attributes
    ----------
    reporter : Reporter
        Gets a report of every iteration and may ask to stop.

    weights : list of Parameters
        The latest weights of each network. During the training they are views of a
        stack.

    judged : list of Parameters
        The weights that the networks are judged by: the latest ones, or averages.

    n_averaged : int
        Number of steps in the average when the training stopped; 0 without an average.

    final_weights : list of Parameters or None
        The result of the training: the weights judged last, or the best weights. None
        before it stops.

    stop : Stop or None
        Why it has stopped; None before.
    """

    def __init__(self, solver, history, weights):
        self.solver = solver
        self.history = history
        self.reporter = Reporter()
        self.weights = self.judged = weights
        self.n_averaged = 0
        self.final_weights = None
        self.stop = None
        # The best weights so far, and a candidate. The loss of a batch is computed
        # before its step: only the next batch tells whether the loss at the candidate
        # is finite.
        self._best = self._candidate = None
        self._is_candidate = False

    # Only the loop over epochs calls the following methods.

    def start(self):
        """Begin, or continue, with the current weights."""
        if self._best is None:
            self._best = _copies(self.judged)
        if self._is_candidate:
            # `finish` dropped the copy, and the next batch may confirm it.
            self._candidate = _copies(self.judged)

    def end_epoch(self, losses, batch_weights, n_rows, judge, predictions):
        """Record an epoch, and decide whether to stop.

        Parameters
        ----------
        losses, batch_weights : ndarray of shape (n_batches, n_networks)
            J on each batch before its step, and the weight of the batch in their mean.

        n_rows : int
            Number of rows of the epoch.

        judge : object or None
            Its ``score(predictions)`` scores the networks on rows that they have not
            seen; None to judge by the loss.

        predictions : sequence
            The predictions of each network for the rows of the judge.
        """
        history, solver = self.history, self.solver
        if not (self._count(losses) and all(w.is_finite() for w in self.weights)):
            self.stop = Stop("diverged")
            return
        history.end_iteration(
            float((losses * batch_weights).sum() / batch_weights.sum())
        )
        history.t += n_rows
        self.reporter.say(f"Iteration {history.n_iter}, loss = {history.loss:.8f}")
        if judge is None:
            self._record_loss()
        else:
            self._record_score(judge.score(predictions))
        solver.schedule.end_epoch(history, solver.max_iter)
        if self.reporter.end_iteration(history, lambda: self.judged):
            self.stop = Stop("callback")
        elif message := self._stopped_improving(
            "Training loss" if judge is None else "Validation score"
        ):
            self.stop = Stop("converged", message)
        elif history.n_iter >= solver.max_iter:
            self.stop = Stop("max_iter")

    def interrupt(self, losses):
        """Stop in the middle of an epoch, after the batches with these losses."""
        self._count(losses)
        self._is_candidate = False
        self.stop = Stop("interrupted")

    def finish(self, takes_best, n_averaged):
        """Make the weights judged last, or the best ones, the final weights.

        Parameters
        ----------
        takes_best : bool
            Whether to end with the best weights, as with a validation score. If False,
            the training ends with the last weights, or after a divergence with the best
            weights.

        n_averaged : int
            Number of steps in the average; 0 without an average.
        """
        is_latest = self.judged is self.weights
        self.weights = [_copied_if_shared(w) for w in self.weights]
        self.judged = (
            self.weights if is_latest else [_copied_if_shared(w) for w in self.judged]
        )
        self.n_averaged = n_averaged
        is_lost = self.stop.reason == "diverged" or not all(
            w.is_finite() for w in self.weights
        )
        self.final_weights = self._best if takes_best or is_lost else self.judged
        # The training may continue in another process: do not send the weights twice.
        self._candidate = None

    def _count(self, losses):
        """Add the evaluations before the first that is not finite to `n_fun`.

        If there are any, the candidate becomes the best weights. Return whether all
        losses are finite.
        """
        finite = np.isfinite(losses).all(axis=1)
        n_finite = len(losses) if finite.all() else int(finite.argmin())
        self.history.n_fun += n_finite
        if n_finite > 0 and self._candidate is not None:
            self._best, self._candidate = self._candidate, None
        return n_finite == len(losses)

    def _record_loss(self):
        """An epoch is an improvement if its loss falls by at least `tol`."""
        history, loss = self.history, self.history.loss
        history.count_improvement(loss <= history.best_loss - self.solver.tol)
        self._is_candidate = loss < history.best_loss
        if self._is_candidate:
            history.best_loss = loss
            self._candidate = _copies(self.judged)

    def _record_score(self, score):
        """An epoch is an improvement if its score rises by at least `tol`."""
        history = self.history
        self.reporter.say(f"Validation score: {score:f}")
        history.validation_scores.append(score)
        best = history.best_validation_score
        history.count_improvement(score >= best + self.solver.tol)
        if score > best:
            history.best_validation_score = score
            self._best = _copies(self.judged)

    def _stopped_improving(self, what):
        """Check whether the training has converged; lower the rate on a plateau.

        Returns
        -------
        message : str
            The criterion of convergence; empty if the training continues.
        """
        history, solver = self.history, self.solver
        if history.no_improvement_count <= solver.n_iter_no_change:
            return ""
        message = (
            f"{what} did not improve more than tol={solver.tol:f} for "
            f"{solver.n_iter_no_change} consecutive epochs."
        )
        if solver.schedule.slow_down():
            self.reporter.say(
                f"{message} Setting learning rate to {solver.schedule.rate:f}"
            )
            history.no_improvement_count = 0
            return ""
        self.reporter.say(f"{message} Stopping.")
        return message


def _copied_if_shared(weights):
    """The network, or a copy if it shares its buffer with other networks."""
    return weights if weights.flat is not None else weights.copy()


def _copies(networks):
    return [weights.copy() for weights in networks]


def stack_weights(trainings, which="weights", dtype=None):
    """Copy the networks of trainings to one stack."""
    networks = [w for training in trainings for w in getattr(training, which)]
    return Parameters.stacked(networks, dtype)
