"""How many threads a fit or a prediction uses, and what for.

NumPy's and SciPy's wheels each bring an OpenBLAS with a pool of threads of its own.
Between two evaluations SciPy's L-BFGS-B calls its pool on vectors, whose threads then
spin and take the cores from NumPy's. So SciPy's pool is held to one thread during every
fit.

NumPy's own is, too, but for minibatches with larger products: on small products its
threads gain nothing, and lose much on a busy machine, where one that has no core makes
all others wait; and for full batches threads of our own, each with a share of the rows,
also share the work between the products.

The number of a library's threads is one for the whole process. So a library is held
from the first fit in to the last one out. A caller's ``threadpool_limits`` in another
thread may come in between: threadpoolctl (from 3.8 on) lets one thread at a time set
the number, until it leaves its block, and ignores all others. Therefore whoever sets a
number looks whether it was taken, and gives the right to set it back at once.

Where the caller has limited the threads, by threadpoolctl, by joblib's workers or by an
environment variable, nothing is touched and no thread of our own is started.
"""

import math
import os
import threading
import time
from contextlib import contextmanager
from functools import cache

import joblib
import numpy as np
import scipy
from threadpoolctl import ThreadpoolController

# The OpenBLAS of the wheels is built for at most as many.
_MOST_BLAS_THREADS = 64
# Multiplications of a minibatch's first product from which the BLAS's threads pay.
# Up to it two threads take as long as one.
BLAS_THREADS_PAY = 2**20
# Seconds between two looks at a library; for how long there are such looks, and so many
# that one falls between a caller's blocks; and between two while a block stays open.
_PATIENCE = 0.01
_WATCH = 0.5
_PATIENCE_WITH_A_BLOCK = 0.05

# Guards the state of all libraries.
_lock = threading.RLock()


class _Library:
    """A BLAS library that is at one thread as long as anyone holds it.

    Parameters
    ----------
    controller : threadpoolctl.LibController
        Of the library.

    Attributes
    ----------
    holders : set of object
        Who holds it.

    before : int
        The number of threads that the last holder sets back.

    original : int
        The number that there is where no caller's block is open: the least that was
        found, as a block may ask for more threads than there are cores.
    """

    def __init__(self, controller):
        self.controller = controller
        self.holders = set()
        self.before = controller.num_threads
        self.original = math.inf
        self._watched_until = 0.0
        self._is_watched = False
        # Whether the number is our one, and not set back yet.
        self._is_ours = False

    @property
    def n_threads(self):
        """The number of threads, if it were not for the holders."""
        return self.before if self.holders else self.controller.num_threads

    def hold(self, holder):
        """Set one thread; return whether it could be set."""
        if not self.holders and not self._note_number():
            return False
        # First, as one that is interrupted from here on will release.
        self.holders.add(holder)
        self.controller.set_num_threads(1)
        if self.controller.num_threads != 1:
            self.holders.remove(holder)
            return False
        self._is_ours = True
        return True

    def _note_number(self):
        """Note the number to be set back; return whether it is ours to change.

        A caller's block of one thread may have come in since its number was looked at;
        after it what we set is ignored, but looks as if it were taken. So the number
        that there was is set first, which is only to be seen if it was taken.
        """
        number = self.controller.num_threads
        if number < _n_most():
            return False
        self.controller.set_num_threads(number)
        if self.controller.num_threads != number:
            return False
        self.before = number
        if not self._block_will_leave_ours():
            self.original = min(self.original, number)
        return True

    def release(self, holder):
        """Let go; the last one sets the number of threads back.

        Where it is not ours any more, a caller's block has begun in the meantime, or
        one has ended and has set back what there was before it.
        """
        if holder not in self.holders:
            return
        if len(self.holders) == 1:
            self._set_back()
        # Last, as one that is interrupted before releases again.
        self.holders.remove(holder)

    def _set_back(self):
        # In an order that leaves the rest to the next call where it is interrupted.
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
        """Let go in a forked process, where no holder is."""
        if self.holders:
            self.controller.set_num_threads(self.before)
        self.holders.clear()
        self._is_watched = False
        self._watched_until = 0.0

    def _block_will_leave_ours(self):
        """Whether a caller's block is open that was entered while the library was held.

        At its end it sets our one thread back, however many holds come in between.
        """
        return math.isinf(self._watched_until)

    def _watch(self):
        if self._is_watched:
            return
        self._is_watched = True
        try:
            threading.Thread(target=self._look_after, daemon=True).start()
        except KeyboardInterrupt:
            # Should it have been started, there will be two: no matter.
            self._is_watched = False
            raise
        except RuntimeError:
            # At the interpreter's end there are no new threads, and no later fits.
            pass

    def _look_after(self):
        """Give it its threads back where another thread has left it with ours.

        It has one thread where a caller's block, entered while it was held, has ended
        since. While such a block goes on, whichever thread it is in but this one,
        threadpoolctl ignores what is set here.
        """
        while self._is_watched:
            waits = self._block_will_leave_ours()
            time.sleep(_PATIENCE_WITH_A_BLOCK if waits else _PATIENCE)
            with _lock:
                # The last of its holders will watch anew.
                self._is_watched = not (self.holders or self._is_over())
                _give_way()

    def _is_over(self):
        if self.controller.num_threads == 1:
            self.controller.set_num_threads(self.original)
            self._watched_until = _in_a_while()
        is_mended = self.controller.num_threads == self.original
        return is_mended and time.monotonic() > self._watched_until


def _in_a_while():
    return time.monotonic() + _WATCH


@cache
def _controller():
    # Kept: looking the loaded libraries up takes milliseconds.
    return ThreadpoolController().select(user_api="blas")


@cache
def _libraries():
    return [_Library(controller) for controller in _controller().lib_controllers]


@cache
def _brought_by(package):
    """The BLAS libraries that a package's wheel brought."""
    folder = os.path.dirname(package.__file__)
    return [
        library
        for library in _libraries()
        if library.controller.filepath.startswith(folder)
    ]


@cache
def _no_controller():
    return _controller().select(filepath="")


def _give_way():
    """Let other threads set the number of threads again.

    threadpoolctl does so at the end of a block, if that is the thread's outermost; here
    of one that changes nothing.
    """
    with _no_controller().limit(limits=None):
        pass


@cache
def _n_cores():
    # Kept: to look at the process's limits takes as long as to predict a row.
    return joblib.cpu_count()


def is_limited():
    """Whether the caller has limited the threads of a BLAS library.

    By an environment variable, too, which the library has read when it was loaded. One
    that was set since, as a Dask cluster in this process does for its workers, limits
    nothing.
    """
    return any(library.n_threads < _n_most() for library in _libraries())


def _n_most():
    """The number of threads that a BLAS library has where nobody has limited it."""
    return min(_n_cores(), _MOST_BLAS_THREADS)


def _hold_all(libraries, holder):
    """Hold libraries to one thread; return whether that, and more of ours, is right."""
    return not is_limited() and all(library.hold(holder) for library in libraries)


def _release_all(libraries, holder):
    with _lock:
        for library in libraries:
            library.release(holder)
        _give_way()


@contextmanager
def _held(libraries):
    """Hold libraries to one thread; yields whether they are, by us."""
    holder = object()
    try:
        with _lock:
            are_held = _hold_all(libraries, holder)
            _give_way()
        yield are_held
    finally:
        # Here, as a function would be interrupted before its first line.
        interruption = None
        while holder is not None:
            try:
                _release_all(libraries, holder)
                holder = None
            except KeyboardInterrupt as error:
                interruption = error
        if interruption is not None:
            raise interruption


@contextmanager
def training_threads(products_on_blas_threads=False):
    """Set the BLAS's threads for the length of a fit.

    Parameters
    ----------
    products_on_blas_threads : bool, default=False
        Whether NumPy's BLAS keeps its threads.

    Yields
    ------
    n_threads : int
        How many threads may share the rows of a full batch.
    """
    numpy_libraries = [] if products_on_blas_threads else _brought_by(np)
    with _held(_brought_by(scipy) + numpy_libraries) as are_held:
        # Unless NumPy's BLAS could be held, its threads would be multiplied.
        yield _n_cores() if are_held and numpy_libraries else 1


@contextmanager
def prediction_threads():
    """Set the BLAS's threads for the length of a prediction, to one.

    Yields
    ------
    n_threads : int
        How many threads may share the rows.
    """
    numpy_libraries = _brought_by(np)
    with _held(numpy_libraries) as are_held:
        yield _n_cores() if are_held and numpy_libraries else 1


def _forget_the_parents_threads():
    """In a forked process: nothing is held, as the threads that do are not there."""
    global _lock
    _lock = threading.RLock()
    for library in _libraries() if _libraries.cache_info().currsize else ():
        library.forget()
        _give_way()


# Not on Windows, where there is no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_threads)
