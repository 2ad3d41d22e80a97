"""The parts of a data set at the workers of a cluster, and what they are asked for."""

import asyncio
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from distributed import CancelledError, wait

# Seconds between two looks at whether there are workers, and without any before a fit
# gives up. New ones may take a while to come.
_LOOK = 5
_PATIENCE = 30
# Bytes of the weights for all workers together up to which each task has a copy of its
# own. It comes with the task, and so once more where a worker dies; but all copies pass
# the scheduler.
_MOST_EMBEDDED = 2**24
# Dask warns of larger graphs.
_MOST_OF_ONE = 2**23

_LOST = (
    "Rows were lost with a worker, and Dask can't compute them anew: as data that were "
    "scattered or published, or whose client has left. Pass collections that are "
    "computed from files or from the client's memory; then a fit goes on."
)


def workers_of(client):
    """Addresses of the workers, sorted.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    workers = sorted(client.nthreads())
    if not workers:
        raise RuntimeError(
            "The Dask cluster has no workers. Start some, and wait for them by "
            "client.wait_for_workers(1)."
        )
    return workers


def results_of(client, futures):
    """Wait for futures, fetch their results, in order, and let the futures go.

    Parameters
    ----------
    client : distributed.Client
        Theirs.

    futures : list of Future
        What is awaited.

    Returns
    -------
    results : list
        The results.

    Raises
    ------
    RuntimeError
        If what they depend on is lost, or there are no workers for half a minute.
    Exception
        What the first of the failed ones has raised.
    """
    try:
        look_out = _LookOut(client)
        _await_all(futures, look_out)
        return _or_lost(_gathered, client, futures, look_out)
    finally:
        release(futures)


def await_all(client, futures):
    """The same without fetching results, and keeping the futures."""
    _await_all(futures, _LookOut(client))


def release(futures):
    """Let futures go, and with them their results at the workers.

    To drop them is not enough where an exception is raised: it holds the frames that it
    came through, and these hold the futures.
    """
    for future in futures:
        future.release()


class _LookOut:
    """Looks from time to time whether there are workers."""

    def __init__(self, client):
        self.client = client
        self._alone_since = None

    def look(self):
        """Raise a RuntimeError where there have been none for too long."""
        if self.client.nthreads():
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since >= _PATIENCE:
            raise RuntimeError(
                f"The Dask cluster has had no workers for {_PATIENCE} seconds."
            )


def _await_all(futures, look_out):
    while not _or_lost(_are_done, futures):
        look_out.look()
    for future in futures:
        if future.status == "error":
            # Without the traceback, whose frames hold what the worker had.
            raise future.exception().with_traceback(None)


def _are_done(futures):
    try:
        wait(futures, timeout=_LOOK)
    except TimeoutError:
        return False
    return True


def _gathered(client, futures, look_out):
    """Results of futures that are done, as long as their workers live.

    Where these go just now, the client waits for others.
    """
    done = SimpleQueue()
    gathering = asyncio.run_coroutine_threadsafe(
        client.gather(futures, asynchronous=True), client.loop.asyncio_loop
    )
    gathering.add_done_callback(done.put)
    try:
        while True:
            with suppress(Empty):
                done.get(timeout=_LOOK)
                return gathering.result()
            look_out.look()
    finally:
        gathering.cancel()


def _or_lost(function, *arguments):
    try:
        return function(*arguments)
    except CancelledError as error:
        raise RuntimeError(_LOST) from error


def answer(part, method, *arguments):
    """What a part returns, at its worker."""
    return getattr(part, method)(*arguments)


class RemoteRows:
    """The parts of a data set, each the result of a task at a worker.

    Parameters
    ----------
    client : distributed.Client
        The cluster's.

    futures : list of Future
        The parts, in the order that sums are taken in.

    workers : list of str
        Address of the worker of each.

    answer : callable, default=answer
        What is run at the workers.
    """

    def __init__(self, client, futures, workers, answer=answer):
        self.client = client
        self.futures = futures
        self.workers = workers
        self.answer = answer
        self._shared = []

    def release(self):
        """Let the parts go."""
        release([*self.futures, *self._shared])

    def ask(self, method, *arguments):
        """Call a method of each part with the same arguments; return all results."""
        return self.ask_each(method, [arguments] * len(self.futures))

    def ask_each(self, method, arguments):
        """Call a method of each part with arguments of its own.

        Parameters
        ----------
        method : str
            The method's name.

        arguments : list of tuple or None
            The arguments for each part; None for a part that is not asked.

        Returns
        -------
        results : list
            The results of those that were asked, in order.
        """
        parts = zip(self.futures, self.workers, arguments, strict=True)
        # Without being told where, Dask may copy a part to a worker that is idle. What
        # it is told counts as long as the worker lives.
        answers = [
            self.client.submit(
                self.answer,
                future,
                method,
                *given,
                workers=[worker],
                allow_other_workers=True,
                pure=False,
            )
            for future, worker, given in parts
            if given is not None
        ]
        return results_of(self.client, answers)

    def share(self, theta):
        """Weights as an argument for all parts: themselves, or where they are large a
        future, which the workers pass on to each other."""
        n_bytes = theta.nbytes
        if n_bytes <= _MOST_OF_ONE and n_bytes * len(self.futures) <= _MOST_EMBEDDED:
            return theta
        # At every worker: so they are lost with all of these alone.
        release(self._shared)
        self._shared = [self.client.scatter(theta, broadcast=True, hash=False)]
        return self._shared[0]
