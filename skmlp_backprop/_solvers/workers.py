"""Threads that each train a stack for an epoch."""

from _thread import start_new_thread
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

# The main thread wakes up after so many seconds to see whether Ctrl-C was pressed. On
# Windows, and if a library such as polars lets signals restart a wait, nothing else
# interrupts it.
_PATIENCE = 0.1


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
