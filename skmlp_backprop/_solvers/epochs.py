"""The loop over epochs, which all trainings on minibatches share.

The loop is given stacks of networks, with their batches, update rule and average (see
``stack``), and the trainings of these networks, each of which stops by itself (see
``training``). Usually there is one stack, and each of its networks is a training. The
networks of an ensemble are one training, in as many stacks as there are threads.
"""

from _thread import start_new_thread
from contextlib import suppress
from functools import partial
from itertools import accumulate, chain, islice, pairwise
from queue import Empty, SimpleQueue

import numpy as np

from .interruption import aborts_when_interrupted
from .training import stack_weights

# The main thread wakes up after so many seconds to see whether Ctrl-C was pressed. On
# Windows, and if a library such as polars lets signals restart a wait, nothing else
# interrupts it.
_PATIENCE = 0.1


def run_epochs(stacks, trainings, workers=None):
    """Train until every training has stopped.

    Parameters
    ----------
    stacks : list of Stack
        The networks, in the order of the trainings. Several stacks for one training.

    trainings : list of Training
        The trainings. The loop sets their final weights, and why they stopped.

    workers : Workers or Processes or None, default=None
        Trains each stack for an epoch; None for a new :class:`Workers`.
    """
    if workers is None:
        workers = Workers(len(stacks))
    going_on = list(trainings)
    _set_views(stacks, going_on)
    for training in going_on:
        training.start()
    interruption, is_over = None, False
    try:
        workers.start()
        while going_on:
            _run_epoch(stacks, going_on, workers)
            _remove_stopped(stacks, going_on)
    except KeyboardInterrupt as error:
        interruption = error
    finally:
        # Inline: a function might be interrupted before its first line.
        while not is_over:
            try:
                for stack in stacks:
                    stack.is_cancelled = True
                workers.close()
                is_over = True
            except KeyboardInterrupt as error:
                interruption = error
    if interruption is not None:
        if aborts_when_interrupted():
            raise interruption
        _interrupt(stacks, going_on)
        _remove_stopped(stacks, going_on)


def _run_epoch(stacks, trainings, workers):
    """Train for an epoch, and record it."""
    for training in trainings:
        training.reporter.begin_iteration()
    order = stacks[0].batches.draw_order()
    rates = iter([t.solver.schedule.rate for t in trainings for _ in t.weights])
    rates_of_stacks = [list(islice(rates, s.parameters.n_stack)) for s in stacks]
    outcomes = workers.run_epoch(stacks, order, rates_of_stacks)
    losses_of_stacks, weights_of_stacks, predictions = zip(*outcomes, strict=True)
    losses, weights = np.hstack(losses_of_stacks), np.hstack(weights_of_stacks)
    judge, n_rows = stacks[0].judge, stacks[0].batches.n_rows
    if judge is not None:
        predictions = list(chain.from_iterable(predictions))
    for training, networks in zip(trainings, _networks_of(trainings), strict=True):
        training.end_epoch(
            losses[:, networks],
            weights[:, networks],
            n_rows if np.isscalar(n_rows) else int(n_rows[networks.start]),
            judge,
            predictions[networks],
        )


def _networks_of(trainings):
    """Slices with the numbers of each training's networks."""
    lengths = (len(training.weights) for training in trainings)
    return [slice(*edges) for edges in pairwise(accumulate(lengths, initial=0))]


def _set_views(stacks, trainings):
    """Point each training's `weights` and `judged` at its networks in the stacks."""
    latest = [w for stack in stacks for w in stack.parameters.networks()]
    judged = latest
    if stacks[0].average is not None:
        judged = [w for stack in stacks for w in stack.judged.networks()]
    for training, networks in zip(trainings, _networks_of(trainings), strict=True):
        training.weights = training.judged = latest[networks]
        if judged is not latest:
            training.judged = judged[networks]


def _interrupt(stacks, trainings):
    """Stop the trainings in the middle of an epoch, at the latest weights."""
    n_done = min(stack.n_steps for stack in stacks)
    losses = np.hstack([stack.losses[:n_done] for stack in stacks])
    for training, networks in zip(trainings, _networks_of(trainings), strict=True):
        if training.stop is None:
            training.interrupt(losses[:, networks])


def _remove_stopped(stacks, trainings):
    """Finish the trainings that have stopped, and remove them from the list."""
    going_on = [training for training in trainings if training.stop is None]
    if len(going_on) == len(trainings):
        return
    average = stacks[0].average
    n_averaged = 0 if average is None else average.n_steps
    for number, training in enumerate(trainings):
        if training.stop is None:
            continue
        training.finish(stacks[0].judge is not None, n_averaged)
        # The moments of a training that diverged would let it diverge again.
        is_lost = training.stop.reason == "diverged"
        is_alone = len(training.weights) == 1
        if is_alone:
            training.solver.state = None if is_lost else stacks[0].state_of(number)
    if going_on:
        (stack,) = stacks
        indices = [i for i, training in enumerate(trainings) if training.stop is None]
        stack.select(indices, stack_weights(going_on))
        _set_views(stacks, going_on)
    trainings[:] = going_on


class Workers:
    """Threads that each train a stack. A single stack is trained by the main thread.

    The threads exchange data through queues that are written in C.
    ``concurrent.futures`` and the events of ``threading`` take their locks in Python
    code: Ctrl-C in the middle of that would leave a lock taken, and a thread would wait
    forever.

    Parameters
    ----------
    n_threads : int
        Number of threads.
    """

    def __init__(self, n_threads):
        self._calls = [SimpleQueue() for _ in range(n_threads)]
        self._results = SimpleQueue()
        self._ends = SimpleQueue()
        self._is_running = [False] * n_threads

    def start(self):
        """Start the threads."""
        if len(self._calls) == 1:
            return
        for number in range(len(self._calls)):
            start_new_thread(self._work, (number,))
            # After Ctrl-C before this line, `close` ends the thread, and does not wait.
            self._is_running[number] = True

    def _work(self, number):
        calls = self._calls[number]
        try:
            while (call := calls.get()) is not None:
                try:
                    self._results.put((number, call(), None))
                except BaseException as error:
                    self._results.put((number, None, error))
        finally:
            self._is_running[number] = False
            self._ends.put(number)

    def run_epoch(self, stacks, order, rates):
        """Train each stack for an epoch, on a thread of its own.

        Parameters
        ----------
        stacks : list of Stack
            The stacks.

        order : object
            The order of the rows.

        rates : list of list of float
            The learning rates of each stack's networks.

        Returns
        -------
        outcomes : list of tuple
            The results of each stack's ``run_epoch``.
        """
        if len(stacks) == 1:
            return [stacks[0].run_epoch(order, rates[0])]
        for calls, stack, of_stack in zip(self._calls, stacks, rates, strict=True):
            calls.put(partial(stack.run_epoch, order, of_stack))
        found = {}
        while len(found) < len(stacks):
            with suppress(Empty):
                number, result, error = self._results.get(timeout=_PATIENCE)
                if error is not None:
                    raise error
                found[number] = result
        return [found[number] for number in range(len(stacks))]

    def close(self):
        """End the threads, once their calls are done, and wait for them."""
        for calls in self._calls:
            calls.put(None)
        while any(self._is_running):
            with suppress(Empty):
                self._ends.get(timeout=_PATIENCE)
