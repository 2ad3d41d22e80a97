"""How many threads a fit uses, and what for.

NumPy's and SciPy's wheels each bring an OpenBLAS with a pool of threads of its own.
Between two evaluations SciPy's L-BFGS-B calls its pool on vectors, whose threads then
spin and take the cores from NumPy's: 55 ms an iteration where the evaluation takes 12.
With SciPy's pool at one thread it is 13. So SciPy's pool is held to one thread during
every fit.

NumPy's own is, too, but for minibatches with larger products: on small products its
threads gain nothing, and for full batches threads of our own, each with a share of the
rows, also share the work between the products.

Where the caller has limited the threads, by threadpoolctl, by joblib's workers or by an
environment variable, nothing is touched and no thread of our own is started.
"""

import os
from contextlib import ExitStack, contextmanager
from functools import lru_cache

import joblib
import numpy as np
import scipy
from threadpoolctl import ThreadpoolController

_THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "OMP_NUM_THREADS",
)
# Multiplications of a minibatch's first product from which the BLAS's threads pay.
# Time of a step on one thread over that on two (2 cores): 0.96 to 1.03 up to 6e5,
# 1.09 to 1.15 at 1e6, 1.2 at 3e6, 1.35 at 2e7, 1.65 at 6e7.
BLAS_THREADS_PAY = 2**20


@lru_cache(maxsize=1)
def _controller():
    # Kept: looking the loaded libraries up takes milliseconds.
    return ThreadpoolController().select(user_api="blas")


def _brought_by(package):
    """The BLAS libraries that a package's wheel brought."""
    folder = os.path.dirname(package.__file__)
    return [
        library
        for library in _controller().lib_controllers
        if library.filepath.startswith(folder)
    ]


def is_limited():
    """Whether the caller has limited the threads of a BLAS library."""
    if any(variable in os.environ for variable in _THREAD_VARIABLES):
        return True
    n_cores = joblib.cpu_count()
    return any(
        library.num_threads < n_cores for library in _controller().lib_controllers
    )


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
    if is_limited():
        yield 1
        return
    held = _brought_by(scipy)
    if not products_on_blas_threads:
        held = held + _brought_by(np)
    with ExitStack() as stack:
        for library in held:
            stack.callback(library.set_num_threads, library.num_threads)
            library.set_num_threads(1)
        # Unless NumPy's BLAS could be held, its threads would be multiplied.
        alone = _brought_by(np) and not products_on_blas_threads
        yield joblib.cpu_count() if alone else 1
