"""The training loop of an ensemble: networks on the same batches, which stop together.

Each network is denied a group of the rows. After every epoch it predicts these, and the
ensemble is judged by the predictions that all rows have got in that way: no row is lost
to validation, and none is judged by a network that has learned from it.

The networks are shared between threads. Each has a part of the stack, and steps through
the epoch's batches by itself: threads that waited for each other at every step would
spend as much time on that as on small products.
"""

from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

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
    workers = _Workers(ensemble.parts)
    interruption, is_over = None, False
    try:
        workers.start()
        stop = ensemble.run(history, monitor, workers)
    except KeyboardInterrupt as error:
        interruption = error
    finally:
        while not is_over:
            try:
                workers.close()
                is_over = True
            except KeyboardInterrupt as error:
                interruption = error
    if interruption is not None:
        if aborts_when_interrupted():
            raise interruption
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

    def run(self, history, monitor, workers):
        """Train epoch by epoch; return why it ended."""
        lead = self.solvers[0]
        rule = StopRule(lead.tol, lead.n_iter_no_change)
        stop = None
        while stop is None:
            monitor.begin_iteration()
            order = self.shuffle.next(self.problem.rows.n_rows)
            outcomes = workers.run_epoch(order)
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


class _Workers:
    """A thread for each part, which runs an epoch of it when told to.

    The main thread and these meet in queues that are written in C alone. A lock that
    Python code takes, as those of ``concurrent.futures`` and of ``threading``'s events,
    would stay locked where Ctrl-C interrupts the taking of it, and its thread would
    wait for ever.

    Parameters
    ----------
    parts : list of _Part
        The parts; a single one is run by the main thread.
    """

    def __init__(self, parts):
        self._parts = parts
        self._orders = [SimpleQueue() for _ in parts]
        self._outcomes = SimpleQueue()
        self._ends = SimpleQueue()
        self._is_running = [False] * len(parts)

    def start(self):
        """Start the threads."""
        if len(self._parts) == 1:
            return
        for number in range(len(self._parts)):
            start_new_thread(self._work, (number,))
            # Where it is interrupted before this, the thread ends by itself.
            self._is_running[number] = True

    def _work(self, number):
        part, orders = self._parts[number], self._orders[number]
        try:
            while (order := orders.get()) is not None:
                try:
                    self._outcomes.put((number, part.run_epoch(order), None))
                except BaseException as error:
                    self._outcomes.put((number, None, error))
        finally:
            self._is_running[number] = False
            self._ends.put(number)

    def run_epoch(self, order):
        """Run an epoch of each part; return what each has returned, in order."""
        if len(self._parts) == 1:
            return [self._parts[0].run_epoch(order)]
        for orders in self._orders:
            orders.put(order)
        found = {}
        while len(found) < len(self._parts):
            with suppress(Empty):
                number, outcome, error = self._outcomes.get(timeout=_PATIENCE)
                if error is not None:
                    raise error
                found[number] = outcome
        return [found[number] for number in range(len(self._parts))]

    def close(self):
        """End the threads, early where an epoch is under way, and wait for them."""
        for part, orders in zip(self._parts, self._orders, strict=True):
            part.is_cancelled = True
            orders.put(None)
        while any(self._is_running):
            with suppress(Empty):
                self._ends.get(timeout=_PATIENCE)


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
