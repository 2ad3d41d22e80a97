"""How many threads a fit or a prediction uses.

NumPy's and SciPy's wheels each bring an OpenBLAS with a pool of threads. SciPy's
L-BFGS-B calls its pool between two evaluations; the threads of that pool then spin and
take the cores from NumPy's. So every fit limits SciPy's pool to one thread.

A fit limits NumPy's pool as well, except for minibatches with large products. On small
products the threads gain nothing, and on a busy machine they wait for each other. On
full batches our own threads each take a share of the rows, which also shares the work
between the products.

The limit of a library applies to the whole process. So fits *hold* a library: the
first fit sets one thread, the last fit restores the number. In between, a caller may
enter ``threadpool_limits`` in another thread. threadpoolctl (from 3.8 on) lets one
thread at a time set the number, until it leaves its block, and ignores all other
threads. So after setting a number we check that it was set, and at once let other
threads set theirs.

If the caller has limited the threads, by threadpoolctl, by joblib's workers or by an
environment variable, nothing is changed, and we start no threads.

NumPy and SciPy of conda or of a Linux distribution share a BLAS library, which is
limited as NumPy's is. threadpoolctl does not know Apple's Accelerate, which the wheels
for macOS use: it is not limited, and we start threads all the same.
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
import numpy as np
import scipy
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
# A library is checked every _CHECK_SECONDS, for at least _WATCH_SECONDS; while a
# caller's block is open, every _CHECK_SECONDS_IN_A_BLOCK.
_CHECK_SECONDS = 0.01
_WATCH_SECONDS = 0.5
_CHECK_SECONDS_IN_A_BLOCK = 0.05

# Guards the state of all libraries.
_lock = threading.RLock()


class _Library:
    """A BLAS library, which is limited to one thread while anyone holds it.

    Parameters
    ----------
    controller : threadpoolctl.LibController
        Of the library.

    Attributes
    ----------
    holders : set of object
        The fits and predictions that hold it.

    before : int
        The number of threads that the last holder restores.

    original : int
        The number of threads outside of all callers' blocks: the smallest number found,
        as a block may ask for more threads than there are cores.

    n_max : int
        The number of threads if nobody has limited it.
    """

    def __init__(self, controller):
        self.controller = controller
        self.holders = set()
        self.before = controller.num_threads
        self.n_max = _max_threads(controller)
        self.original = math.inf
        self._watched_until = 0.0
        self._is_watched = False
        # Whether we have set one thread, and not restored the number yet.
        self._is_ours = False

    @property
    def n_threads(self):
        """The number of threads without our limit."""
        return self.before if self.holders else self.controller.num_threads

    def hold(self, holder):
        """Limit the library to one thread; return whether that was possible."""
        if not self.holders and not self._note_number():
            return False
        # Before the limit is set: a holder that is interrupted here still releases.
        self.holders.add(holder)
        self.controller.set_num_threads(1)
        if self.controller.num_threads != 1:
            self.holders.remove(holder)
            return False
        self._is_ours = True
        return True

    def _note_number(self):
        """Note the number to restore; return whether we may change it.

        Another thread may have entered a block of one thread since we read the number.
        threadpoolctl would then ignore our limit of one thread, which would look as if
        it were set. So the number that we read is set first: if it is not there
        afterwards, it was ignored.
        """
        number = self.controller.num_threads
        if number < self.n_max:
            return False
        self.controller.set_num_threads(number)
        if self.controller.num_threads != number:
            return False
        self.before = number
        if not self._block_will_leave_ours():
            self.original = min(self.original, number)
        return True

    def release(self, holder):
        """Stop holding; the last holder restores the number of threads.

        If the number is no longer one, a caller's block has begun since, or a block has
        ended and has restored the number from before it.
        """
        if holder not in self.holders:
            return
        if len(self.holders) == 1:
            self._set_back()
        # Last: a holder that is interrupted before this releases again.
        self.holders.remove(holder)

    def _set_back(self):
        # In this order the next call does the rest after an interruption.
        if self.controller.num_threads == 1:
            self._is_ours = False
            self.controller.set_num_threads(self.before)
        elif self._is_ours:
            self._watched_until = math.inf
            self._is_ours = False
        if self._block_will_leave_ours():
            self._watch()
        elif threading.active_count() > 1:
            self._watched_until = _in_a_while()
            self._watch()

    def forget(self):
        """Restore the number in a forked process, which has none of the holders."""
        if self.holders:
            self.controller.set_num_threads(self.before)
        self.holders.clear()
        self._is_watched = False
        self._watched_until = 0.0

    def _block_will_leave_ours(self):
        """Whether a caller's block is open that began while the library was held.

        At its end the block restores our limit of one thread.
        """
        return math.isinf(self._watched_until)

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
        """Restore the number after a caller's block has restored our limit.

        The library has one thread if a caller's block, which began while the library
        was held, has ended since. While such a block is open in any other thread,
        threadpoolctl ignores what is set here.
        """
        while self._is_watched:
            waits = self._block_will_leave_ours()
            time.sleep(_CHECK_SECONDS_IN_A_BLOCK if waits else _CHECK_SECONDS)
            with _lock:
                # If it is held, its last holder starts a new watch.
                self._is_watched = not (self.holders or self._mend())
                _give_way()

    def _mend(self):
        """Restore the number if one thread is left; return whether the watch ends."""
        if self.controller.num_threads == 1:
            self.controller.set_num_threads(self.original)
            self._watched_until = _in_a_while()
        is_mended = self.controller.num_threads == self.original
        return is_mended and time.monotonic() > self._watched_until


def _in_a_while():
    return time.monotonic() + _WATCH_SECONDS


@cache
def _controller():
    # Cached: to look up the loaded libraries takes milliseconds.
    return ThreadpoolController().select(user_api="blas")


@cache
def _libraries():
    return [_Library(controller) for controller in _controller().lib_controllers]


@cache
def _brought_by(package):
    """The BLAS libraries in a package's wheel."""
    # threadpoolctl follows links, such as that of an environment in a linked folder.
    folder = os.path.dirname(_without_links(package.__file__))
    return [
        library
        for library in _libraries()
        if _without_links(library.controller.filepath).startswith(folder)
    ]


def _without_links(path):
    return os.path.normcase(os.path.realpath(path))


def _used_by(package):
    """The BLAS libraries of NumPy or SciPy: their own ones, or all that they share."""
    if _brought_by(np) or _brought_by(scipy):
        return _brought_by(package)
    return _libraries()


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
    if _libraries():
        return any(library.n_threads < library.n_max for library in _libraries())
    limit = os.environ.get(_ACCELERATE_THREADS, "")
    return limit.isdigit() and int(limit) < _n_cores()


def _release_all(libraries, holder):
    with _lock:
        for library in libraries:
            library.release(holder)
        _give_way()


@contextmanager
def limited_threads(products_on_blas_threads=False):
    """Limit the BLAS to one thread during a fit or a large prediction.

    Parameters
    ----------
    products_on_blas_threads : bool, default=False
        Whether NumPy's BLAS keeps its threads.

    Yields
    ------
    n_threads : int
        Number of threads that may share the rows.
    """
    of_numpy, holder = _used_by(np), object()
    libraries = [b for b in _used_by(scipy) if b not in of_numpy]
    if not products_on_blas_threads:
        libraries += of_numpy
    try:
        with _lock:
            are_held = not is_limited() and all(b.hold(holder) for b in libraries)
            _give_way()
        # If a library is known but not held, each of our threads would use its threads.
        yield _n_cores() if are_held and not products_on_blas_threads else 1
    finally:
        # Inline: a function might be interrupted before its first line.
        interruption = None
        while holder is not None:
            try:
                _release_all(libraries, holder)
                holder = None
            except KeyboardInterrupt as error:
                interruption = error
        if interruption is not None:
            raise interruption


def _forget_the_parents_threads():
    """In a forked process nothing is held: it has none of the holding threads."""
    global _lock
    _lock = threading.RLock()
    for library in _libraries() if _libraries.cache_info().currsize else ():
        library.forget()
        _give_way()


# Not on Windows, where there is no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_threads)
