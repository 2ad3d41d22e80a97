"""Calls of methods of the parts of a data set, which are at the workers."""

import asyncio
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from distributed import CancelledError, wait

# Seconds between two checks for workers.
_LOOK = 5
# Seconds without a worker after which a fit fails. New workers may take a while to
# start.
_PATIENCE = 30
# Each task carries a copy of the weights, up to this number of bytes for all workers
# together. A copy in the task survives the death of a worker, but all copies pass
# through the scheduler.
_MOST_EMBEDDED = 2**24
# Dask warns of larger graphs.
_MOST_OF_ONE = 2**23

_LOST = (
    "Rows were lost with a worker, and Dask can't compute them anew: as data that were "
    "scattered or published, or whose client has left. Pass collections that are "
    "computed from files or from the client's memory; then a fit goes on."
)


def workers_of(client):
    """Sorted addresses of the workers.

    Raises
    ------
    RuntimeError
        If the cluster has no workers.
    """
    workers = sorted(client.nthreads())
    if not workers:
        raise RuntimeError(
            "The Dask cluster has no workers. Start some, and wait for them by "
            "client.wait_for_workers(1)."
        )
    return workers


def results_of(client, futures):
    """Wait for futures, fetch their results and release the futures.

    Parameters
    ----------
    client : distributed.Client
        The client of the futures.

    futures : list of Future
        The futures.

    Returns
    -------
    results : list
        The results, in the order of the futures.

    Raises
    ------
    RuntimeError
        If data that the futures depend on are lost, or if the cluster has no workers
        for half a minute.
    Exception
        The exception of the first failed future.
    """
    try:
        look_out = _LookOut(client)
        _await_all(futures, look_out)
        return _or_lost(_gathered, client, futures, look_out)
    finally:
        release(futures)


def await_all(client, futures):
    """Wait for futures, and raise the exception of the first failed future."""
    _await_all(futures, _LookOut(client))


def release(futures):
    """Release futures, so that the workers free their results.

    Deleting the references is not enough after an exception: its traceback holds the
    frames, and the frames hold the futures.
    """
    for future in futures:
        future.release()


class _LookOut:
    """Checks that the cluster still has workers."""

    def __init__(self, client):
        self.client = client
        self._alone_since = None

    def look(self):
        """Raise RuntimeError if the cluster had no workers for `_PATIENCE` seconds."""
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
            # The frames of the traceback would keep the worker's data alive.
            raise future.exception().with_traceback(None)


def _are_done(futures):
    try:
        wait(futures, timeout=_LOOK)
    except TimeoutError:
        return False
    return True


def _gathered(client, futures, look_out):
    """Gather the results of finished futures, while checking for workers.

    If the workers die during the transfer, the client waits for new workers.
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
    """Call a method of a part, at its worker."""
    return getattr(part, method)(*arguments)


class RemoteRows:
    """The parts of a data set at the workers; each is the result of a task.

    Parameters
    ----------
    client : distributed.Client
        The client of the cluster.

    futures : list of Future
        The parts, in the order of summation.

    workers : list of str
        Address of each part's worker.

    answer : callable, default=answer
        The function that a worker runs for a method call.
    """

    def __init__(self, client, futures, workers, answer=answer):
        self.client = client
        self.futures = futures
        self.workers = workers
        self.answer = answer
        self._shared = []

    def release(self):
        """Release the parts and the shared weights."""
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
            The results of the parts that are asked, in order.
        """
        parts = zip(self.futures, self.workers, arguments, strict=True)
        # Without `workers`, Dask may copy a part to an idle worker. If the worker has
        # died, Dask takes another.
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
        """Prepare weights as an argument for all parts.

        Small weights are passed as they are. Large weights become a future, which the
        workers copy from each other.
        """
        n_bytes = theta.nbytes
        if n_bytes <= _MOST_OF_ONE and n_bytes * len(self.futures) <= _MOST_EMBEDDED:
            return theta
        # With a copy at every worker, the weights are lost only if all workers die.
        release(self._shared)
        self._shared = [self.client.scatter(theta, broadcast=True, hash=False)]
        return self._shared[0]
