"""How many threads a fit or a prediction uses.

NumPy's and SciPy's wheels each bring an OpenBLAS with a pool of threads. SciPy's
L-BFGS-B calls its pool between two evaluations; the threads of that pool then spin and
take the cores from NumPy's. On small products the threads gain nothing, and on a busy
machine they wait for each other. So a fit limits the BLAS to one thread, except for
minibatches with large products. On full batches our own threads each take a share of
the rows, which also shares the work between the products.

The limit applies to the whole process. So fits *hold* the BLAS: the first fit sets one
thread, the last fit restores the number. In between, a caller may enter
``threadpool_limits`` in another thread. threadpoolctl lets one thread at a time set the
number, until it leaves its block, and ignores all other threads. So after setting a
number we check that it was set, and at once let other threads set theirs.

If the caller has limited the threads, by threadpoolctl, by joblib's workers or by an
environment variable, nothing is changed, and we start no threads.

threadpoolctl does not know Apple's Accelerate, which the wheels for macOS use: it is
not limited, and we start threads all the same.
"""

import ctypes
import math
import os
import re
import threading
import time
from contextlib import contextmanager
from functools import cache

import joblib
from threadpoolctl import ThreadpoolController

# OpenBLAS's function that tells how it was built, in its packages.
_CONFIGURATION_FUNCTIONS = [
    "openblas_get_config",
    "openblas_get_config64_",
    "scipy_openblas_get_config",
    "scipy_openblas_get_config64_",
]
# Limits the threads of Accelerate. joblib sets it for its workers.
_ACCELERATE_THREADS = "VECLIB_MAXIMUM_THREADS"
# Multiplications of a minibatch's first product from which the threads of the BLAS pay.
# For smaller products, two threads save a seventh of the time at best; on a machine
# whose cores are busy they take a multiple of it.
BLAS_THREADS_PAY = 2**22
# How often the number of threads is checked after a fit, and for how long at least.
_CHECK_SECONDS = 0.02
_WATCH_SECONDS = 0.5

# Guards the state of the BLAS.
_lock = threading.RLock()


class _Blas:
    """The BLAS libraries of the process, limited to one thread while anyone holds them.

    Parameters
    ----------
    controllers : list of threadpoolctl.LibController
        Of the libraries; all lists below are in this order.

    Attributes
    ----------
    n_max : list of int
        With fewer threads, somebody has limited a library.

    before : list of int
        The numbers of threads that the last holder restores.

    outside : list of int
        The numbers outside of all callers' blocks: the smallest found, as a block may
        ask for more threads than there are cores.

    holders : set of object
        The fits and predictions that hold the libraries.
    """

    def __init__(self, controllers):
        self.controllers = controllers
        self.n_max = [_max_threads(controller) for controller in controllers]
        self.before, self.outside = [], [math.inf] * len(controllers)
        self.holders = set()
        # Whether we have set one thread, and not restored the numbers yet.
        self._is_ours = False
        self._is_watched = False
        # Infinite while a caller's block may be open that began while the libraries
        # were held: at its end the block restores our limit of one thread.
        self._watched_until = 0.0

    def is_limited(self):
        """Whether somebody else has limited the threads of a library."""
        # What is held was not limited.
        return not self.holders and self._are_limited(self._numbers())

    def _are_limited(self, numbers):
        return any(n < limit for n, limit in zip(numbers, self.n_max, strict=True))

    def hold(self, holder):
        """Limit the libraries to one thread; return whether that was possible."""
        if not self.holders:
            numbers = self._numbers()
            # Another thread may have entered a block of one thread since we read the
            # numbers. threadpoolctl would then ignore our limit of one thread, which
            # would look as if it were set. So the numbers that we read are set first:
            # if they are not there afterwards, they were ignored.
            if self._are_limited(numbers) or not self._set(numbers):
                return False
            self.before = numbers
            if not math.isinf(self._watched_until):
                self.outside = list(map(min, self.outside, numbers))
        # Before the limit is set: a holder that is interrupted here still releases.
        self.holders.add(holder)
        if self._set([1] * len(self.controllers)):
            self._is_ours = True
            return True
        self.release(holder)
        return False

    def release(self, holder):
        """Stop holding; the last holder restores the numbers of threads."""
        if holder not in self.holders:
            return
        if len(self.holders) == 1:
            self._restore()
        # Last: a holder that is interrupted before this releases again.
        self.holders.remove(holder)

    def _restore(self):
        """Restore the numbers, but for those that a caller's block has set since."""
        # In this order the next call does the rest after an interruption.
        if self._is_ours and any(n != 1 for n in self._numbers()):
            self._watched_until = math.inf
        self._is_ours = False
        self._replace_ones(self.before)
        if math.isinf(self._watched_until):
            self._watch()
        elif self.controllers and threading.active_count() > 1:
            self._watched_until = time.monotonic() + _WATCH_SECONDS
            self._watch()

    def _watch(self):
        if self._is_watched:
            return
        self._is_watched = True
        try:
            threading.Thread(target=self._look_after, daemon=True).start()
        except KeyboardInterrupt:
            # If it was started, a second one does no harm.
            self._is_watched = False
            raise
        except RuntimeError:
            # At the interpreter's end no thread can be started, and no fit follows.
            pass

    def _look_after(self):
        """Restore the numbers after a caller's block has restored our limit.

        A library has one thread if a caller's block, which began while the library was
        held, has ended since. While such a block is open in any other thread,
        threadpoolctl ignores what is set here.
        """
        while self._is_watched:
            time.sleep(_CHECK_SECONDS)
            with _lock:
                # If it is held, its last holder starts a new watch.
                self._is_watched = not (self.holders or self._mend())
                _give_way()

    def _mend(self):
        """Restore the numbers where one is left; return whether the watch ends."""
        # On one core there is nothing to restore after the block.
        has_ended = math.isinf(self._watched_until) and 1 in self._numbers()
        if self._replace_ones(self.outside) or has_ended:
            self._watched_until = time.monotonic() + _WATCH_SECONDS
        return time.monotonic() > self._watched_until

    def forget(self):
        """Restore the numbers in a forked process, which has none of the holders."""
        if self.holders:
            self._set(self.before)
        self.holders.clear()
        self._is_ours = self._is_watched = False
        self._watched_until = 0.0

    def _numbers(self):
        return [controller.num_threads for controller in self.controllers]

    def _set(self, numbers):
        """Set the numbers; return whether threadpoolctl has not ignored them."""
        for controller, number in zip(self.controllers, numbers, strict=True):
            controller.set_num_threads(number)
        return self._numbers() == numbers

    def _replace_ones(self, numbers):
        """Set the numbers of libraries with one thread; return whether any changes."""
        changes = False
        for controller, number in zip(self.controllers, numbers, strict=True):
            if controller.num_threads == 1 != number:
                controller.set_num_threads(number)
                changes = True
        return changes


@cache
def _controller():
    # Cached: to look up the loaded libraries takes milliseconds.
    return ThreadpoolController().select(user_api="blas")


@cache
def _blas():
    return _Blas(_controller().lib_controllers)


def _max_threads(controller):
    """The number of threads of a BLAS library that nobody has limited."""
    if controller.internal_api == "mkl":
        return joblib.cpu_count(only_physical_cores=True)
    for name in _CONFIGURATION_FUNCTIONS:
        if function := getattr(controller.dynlib, name, None):
            function.restype = ctypes.c_char_p
            if found := re.search(rb"MAX_THREADS=([0-9]+)", function() or b""):
                return min(_n_cores(), int(found[1]))
    return _n_cores()


@cache
def _no_controller():
    return _controller().select(filepath="")


def _give_way():
    """Let other threads set the number of threads again.

    threadpoolctl allows it at the end of a thread's outermost block. This block changes
    nothing.
    """
    with _no_controller().limit(limits=None):
        pass


@cache
def _n_cores():
    # Cached: to read the limits of the process takes as long as to predict a row.
    return joblib.cpu_count()


def is_limited():
    """Whether the caller has limited the threads of a BLAS library.

    An environment variable counts if it was set when the library was loaded. A
    variable that was set later limits nothing; a Dask cluster in this process sets such
    variables for its workers.
    """
    if _blas().controllers:
        return _blas().is_limited()
    limit = os.environ.get(_ACCELERATE_THREADS, "")
    return limit.isdigit() and int(limit) < _n_cores()


def _release(holder):
    with _lock:
        _blas().release(holder)
        _give_way()


@contextmanager
def limited_threads():
    """Limit the BLAS to one thread during a fit or a large prediction.

    Yields
    ------
    n_threads : int
        Number of threads that may share the rows.
    """
    holder = object()
    try:
        with _lock:
            is_held = not is_limited() and _blas().hold(holder)
            _give_way()
        # If the BLAS is not held, each of our threads would use its threads.
        yield _n_cores() if is_held else 1
    finally:
        # Inline: a function might be interrupted before its first line.
        interruption = None
        while holder is not None:
            try:
                _release(holder)
                holder = None
            except KeyboardInterrupt as error:
                interruption = error
        if interruption is not None:
            raise interruption


def _forget_the_parents_threads():
    """In a forked process nothing is held: it has none of the holding threads."""
    global _lock
    _lock = threading.RLock()
    if _blas.cache_info().currsize:
        _blas().forget()
        _give_way()


# Not on Windows, where there is no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_threads)
