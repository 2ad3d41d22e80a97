"""The parts of a data set at the workers of a cluster, and what they are asked for."""

import time

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
    """Wait for futures and fetch their results, in order.

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
    await_all(client, futures)
    return _or_lost(client.gather, futures)


def await_all(client, futures):
    """The same without fetching results."""
    alone_since = None
    while not _or_lost(_are_done, futures):
        if client.nthreads():
            alone_since = None
            continue
        alone_since = alone_since or time.monotonic()
        if time.monotonic() - alone_since >= _PATIENCE:
            raise RuntimeError(
                f"The Dask cluster has had no workers for {_PATIENCE} seconds."
            )
    for future in futures:
        if future.status == "error":
            future.result()


def _are_done(futures):
    try:
        wait(futures, timeout=_LOOK)
    except TimeoutError:
        return False
    return True


def _or_lost(function, *arguments):
    try:
        return function(*arguments)
    except CancelledError as error:
        raise RuntimeError(_LOST) from error


def answer(part, method, *arguments):
    """What a part returns, at its worker."""
    return getattr(part, method)(*arguments)


class Parts:
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
        return self.client.scatter(theta, broadcast=True, hash=False)
