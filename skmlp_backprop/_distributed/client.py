"""Results of futures, and calls of methods of the shards, which are at the workers."""

import asyncio
import time
from concurrent.futures import wait

# Seconds between two checks for workers.
_LOOK = 5
# Seconds without a worker after which a fit fails. New workers may take a while to
# start.
_PATIENCE = 30
# Each task carries a copy of the weights, up to this number of bytes for all workers
# together. A copy in the task survives the death of a worker, but all copies pass
# through the scheduler.
_MAX_EMBEDDED = 2**24


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
        # With "skip", gather waits for all futures. So the error raised is that of the
        # first chunk, whichever failed first in time.
        gather = client.gather(futures, errors="skip", asynchronous=True)
        results = _while_there_are_workers(client, gather)
        if len(results) == len(futures):
            return results
        for future in futures:
            if future.status == "error":
                # The frames of the traceback would keep the worker's data alive.
                raise future.exception().with_traceback(None)
        raise RuntimeError(
            "Rows were lost with a worker, and Dask can't compute them anew: they "
            "were scattered or published, or their client has left. Pass collections "
            "that Dask computes from files or from the client's memory: then a fit "
            "continues."
        )
    finally:
        release(futures)


def release(futures):
    """Release futures, so that the workers free their results.

    Deleting the references is not enough after an exception: its traceback holds the
    frames, and the frames hold the futures.
    """
    for future in futures:
        future.release()


def _while_there_are_workers(client, coroutine):
    """Run a coroutine in the client's loop; fail if the workers stay away."""
    running = asyncio.run_coroutine_threadsafe(coroutine, client.loop.asyncio_loop)
    last_seen = time.monotonic()
    try:
        while not wait([running], _LOOK).done:
            if client.nthreads():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen >= _PATIENCE:
                raise RuntimeError(
                    f"The Dask cluster has had no workers for {_PATIENCE} seconds."
                )
        return running.result()
    finally:
        running.cancel()


def answer(shard, method, *arguments):
    """Call a method of a shard, at its worker."""
    return getattr(shard, method)(*arguments)


class Shards:
    """The shards at the workers; each is the result of a task.

    Parameters
    ----------
    client : distributed.Client
        The client of the cluster.

    futures : list of Future
        The shards, in the order of summation.

    workers : list of str
        Address of each shard's worker.
    """

    # The function that a worker runs for a method call. Benchmarks replace it.
    answer = staticmethod(answer)

    def __init__(self, client, futures, workers):
        self.client = client
        self.futures = futures
        self.workers = workers
        self._scattered = []

    def release(self):
        """Release the shards and the scattered weights."""
        release([*self.futures, *self._scattered])

    def ask(self, method, *arguments):
        """Call a method of each shard with the same arguments; return all results."""
        return self.ask_each(method, [arguments] * len(self.futures))

    def ask_each(self, method, arguments):
        """Call a method of each shard with arguments of its own.

        Parameters
        ----------
        method : str
            The method's name.

        arguments : list of tuple or None
            The arguments for each shard; None for a shard that is not asked.

        Returns
        -------
        results : list
            The results of the shards that are asked, in order.
        """
        shards = zip(self.futures, self.workers, arguments, strict=True)
        # Without `workers`, Dask may copy a shard to an idle worker. If the worker has
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
            for future, worker, given in shards
            if given is not None
        ]
        return results_of(self.client, answers)

    def pass_on(self, theta):
        """Prepare weights as an argument for all shards.

        Small weights are passed as they are. Large weights become a future, which the
        workers copy from each other.
        """
        # At least two: Dask warns of a task of more than 10 MB.
        if theta.nbytes * max(2, len(self.futures)) <= _MAX_EMBEDDED:
            return theta
        release(self._scattered)
        # With a copy at every worker, the weights are lost only if all workers die.
        self._scattered = [self.client.scatter(theta, broadcast=True, hash=False)]
        return self._scattered[0]
