"""The training loop of an ensemble: networks on the same batches, which stop together.

Each network is denied a group of the rows. After every epoch it predicts these, and the
ensemble is judged by the predictions that all rows have got in that way: no row is lost
to validation, and none is judged by a network that has learned from it.

The networks are shared between threads. Each has a part of the stack, and steps through
the epoch's batches by itself: threads that waited for each other at every step would
spend as much time on that as on small products.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from .._network.parameters import Parameters
from .._network.rows import Rows
from .._network.withheld import WithholdingBatches
from .averaging import make_average
from .in_training import Best
from .interruption import aborts_when_interrupted
from .problem import Stop
from .scaled_inputs import ScaledInputSteps
from .shuffle import Shuffle
from .stop_rule import StopRule

# Seconds after which the main thread sees whether Ctrl-C was pressed. Without them a
# wait is not interrupted on Windows, nor where a library has let signals restart it, as
# polars does.
_PATIENCE = 0.1


@dataclass
class EnsembleProblem:
    """What an ensemble is trained on, and judged by.

    Parameters
    ----------
    make_objective : callable
        Makes the objective of as many networks as it is told.

    rows : Rows
        All rows.

    groups : ndarray of shape (n_rows,), int
        The group of each row.

    withheld : ndarray of shape (n_members,), int
        The group that each network is denied.

    random_state : RandomState
        Source of the shuffles.

    predict : callable
        Given the weights of one network and some rows' numbers, returns its predictions
        of these.

    loss : callable
        Given predictions, and the numbers of their rows, returns what is to be lowered.
    """

    make_objective: Callable
    rows: Rows
    groups: np.ndarray
    withheld: np.ndarray
    random_state: np.random.RandomState
    predict: Callable
    loss: Callable


def run_ensemble(problem, networks, solvers, history, monitor, n_threads):
    """Train until the predictions of withheld rows cease to improve.

    Parameters
    ----------
    problem : EnsembleProblem
        What to train on.

    networks : list of Parameters
        The initial weights, of one network each.

    solvers : list of MinibatchSolver
        The solver of each, with the same parameters.

    history : History
        Written to; its validation scores are the losses' negatives.

    monitor : Monitor
        Told of every epoch; may ask to stop.

    n_threads : int
        Number of threads that share the networks.

    Returns
    -------
    networks : list of Parameters
        The weights of the best epoch.

    stop : Stop
        Why it ended.
    """
    ensemble = _Ensemble(problem, networks, solvers, n_threads)
    try:
        with ThreadPoolExecutor(len(ensemble.parts)) as pool:
            stop = ensemble.run(history, monitor, pool)
    except KeyboardInterrupt:
        if aborts_when_interrupted():
            raise
        stop = Stop("interrupted")
    return ensemble.best(), stop


class _Ensemble:
    """The parts, which take each epoch side by side."""

    def __init__(self, problem, networks, solvers, n_threads):
        self.problem = problem
        self.solvers = solvers
        shares = np.array_split(np.arange(len(networks)), min(n_threads, len(networks)))
        self.parts = [_Part(problem, networks, solvers, share) for share in shares]
        self.shuffle = Shuffle(problem.random_state)

    def run(self, history, monitor, pool):
        """Train epoch by epoch; return why it ended."""
        lead = self.solvers[0]
        rule = StopRule(lead.tol, lead.n_iter_no_change)
        stop = None
        while stop is None:
            monitor.begin_iteration()
            order = self.shuffle.next(self.problem.rows.n_rows)
            outcomes = self._run_parts(pool, order)
            losses = np.concatenate([outcome[0] for outcome in outcomes])
            loss = self.problem.loss(*self._by_row([o[1] for o in outcomes]))
            history.n_fun += self.parts[0].batches.n_batches
            # The losses are from before the last step, the predictions from after it.
            if not (np.isfinite(losses).all() and np.isfinite(loss)):
                return Stop("diverged")
            history.end_iteration(float(losses.mean()))
            history.t += len(order)
            stop = self._judge(loss, history, monitor, rule)
        return stop

    def _run_parts(self, pool, order):
        """Run an epoch of each part; end early where the main thread is interrupted."""
        try:
            outcomes = [pool.submit(part.run_epoch, order) for part in self.parts]
            pending = outcomes
            while pending:
                done, pending = wait(pending, _PATIENCE, FIRST_EXCEPTION)
                for outcome in done:
                    outcome.result()
            return [outcome.result() for outcome in outcomes]
        except BaseException:
            for part in self.parts:
                part.is_cancelled = True
            raise

    def _judge(self, loss, history, monitor, rule):
        """Account for an epoch's loss of withheld rows; return why to stop, or None."""
        monitor.say(
            f"Iteration {history.n_iter}, loss = {history.loss:.8f}, of withheld rows "
            f"{loss:.8f}"
        )
        if rule.see_score(-loss, history):
            for part in self.parts:
                part.keep()
        for solver in self.solvers:
            solver.end_epoch(history)
        if monitor.end_iteration(history, self.current):
            return Stop("callback")
        if rule.has_ceased(history):
            return Stop("converged")
        if history.n_iter >= self.solvers[0].max_iter:
            return Stop("max_iter")
        return None

    def _by_row(self, predictions):
        """Mean predictions of rows by the networks that were denied them; the rows."""
        by_member = [p for of_part in predictions for p in of_part]
        withheld = self.problem.withheld
        groups = np.unique(withheld)
        means = [
            np.mean([by_member[i] for i in np.flatnonzero(withheld == group)], axis=0)
            for group in groups
        ]
        index = [np.flatnonzero(self.problem.groups == group) for group in groups]
        return np.concatenate(means), np.concatenate(index)

    def current(self):
        """The weights as they are, of one network each."""
        return _view_networks(part.parameters for part in self.parts)

    def best(self):
        """The weights of the best epoch."""
        return _view_networks(part.best.parameters for part in self.parts)


def _view_networks(stacks):
    """Views of each network of stacks, in order."""
    return [stack.view_network(i) for stack in stacks for i in range(stack.n_stack)]


class _Part:
    """Some of the networks, which one thread trains as a stack."""

    def __init__(self, problem, networks, solvers, members):
        self.problem = problem
        self.withheld = problem.withheld[members]
        objective = problem.make_objective(len(members))
        stack = Parameters.copied_to_stack([networks[i] for i in members])
        solvers = [solvers[i] for i in members]
        self.steps = ScaledInputSteps(objective, solvers, stack)
        n_rows = problem.rows.n_rows
        self.average = make_average(solvers[0], self.steps.parameters, n_rows)
        # What it is judged by.
        self.parameters = self.average.parameters
        n_batch_rows = solvers[0].n_batch_rows(n_rows)
        self.batches = WithholdingBatches(
            problem.rows, n_batch_rows, problem.groups, self.withheld
        )
        self.best = Best(self.parameters)
        self.is_cancelled = False

    def run_epoch(self, order):
        """Step through the batches; return the mean losses, and the predictions."""
        # NumPy's errstate is per thread.
        with np.errstate(all="ignore"):
            batches = self._until_cancelled(self.batches.shuffled(order))
            losses, weights = self.steps.take(batches, self.average)
            return weights @ losses / weights.sum(), self._predictions()

    def _until_cancelled(self, batches):
        for batch in batches:
            if self.is_cancelled:
                return
            yield batch

    def _predictions(self):
        """Each network's predictions of the rows that it is denied."""
        return [
            self.problem.predict(
                self.parameters.view_network(i),
                np.flatnonzero(self.problem.groups == group),
            )
            for i, group in enumerate(self.withheld)
        ]

    def keep(self):
        """Take the weights for the best."""
        self.best.keep(self.parameters)
        self.best.confirm()
