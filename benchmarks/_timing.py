"""Side by side timing: ratios of medians from one interleaved run."""

import statistics
import time
from contextlib import nullcontext

# Seconds between two contenders. A BLAS's idle threads spin for a while, on the cores
# of whoever comes next.
PAUSE = 0.2


def interleave(contenders, repeats=7, calls=1):
    """Time functions in turn, A B C A B C ..., after one warm-up of each.

    Parameters
    ----------
    contenders : dict of str to callable
        What to time.

    repeats : int, default=7
        Rounds that count.

    calls : int, default=1
        How many times a contender does its work in one call.

    Returns
    -------
    seconds : dict of str to float
        Median wall time of each, for doing its work once.

    results : dict
        What each returned last.
    """
    results = {name: call() for name, call in contenders.items()}
    times = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, call in contenders.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            results[name] = call()
            times[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(t) for name, t in times.items()}, results


def in_a_row(function, calls, context=nullcontext):
    """A function that calls another several times, within a context.

    So many that the clock's and the first call's share is small.
    """

    def call():
        with context():
            for _ in range(calls):
                result = function()
        return result

    return call


def check_same_loss(name, losses, tolerance=0.01):
    """Refuse a comparison whose sides did not reach the same loss."""
    low, high = min(losses), max(losses)
    if not high - low <= tolerance * high:
        raise AssertionError(f"{name}: the sides reached different losses: {losses}")


def geometric_mean(values):
    """Geometric mean of positive numbers."""
    return statistics.geometric_mean(values)
