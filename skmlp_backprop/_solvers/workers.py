"""Threads that each train a stack for an epoch."""

from _thread import start_new_thread
from contextlib import suppress
from queue import Empty, SimpleQueue

# Seconds after which the main thread sees whether Ctrl-C was pressed. Without them a
# wait is not interrupted on Windows, nor where a library has let signals restart it, as
# polars does.
_PATIENCE = 0.1


class Workers:
    """Threads that each train a stack; instead of a single one, the main thread does.

    The main thread and these meet in queues that are written in C alone. A lock that
    Python code takes, as those of ``concurrent.futures`` and of ``threading``'s events,
    would stay locked where Ctrl-C interrupts the taking of it, and its thread would
    wait for ever.

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
            # Where it is interrupted before this, the thread ends by itself.
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
        for calls, stack, some in zip(self._calls, stacks, rates, strict=True):
            calls.put(lambda stack=stack, some=some: stack.run_epoch(order, some))
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
