"""How many threads the BLAS libraries use during a fit.

NumPy's and SciPy's wheels each bring an OpenBLAS with a pool of threads of its
own. Between two evaluations SciPy's L-BFGS-B calls its pool on vectors, whose
threads then spin and take the cores from NumPy's: 55 ms an iteration where the
evaluation takes 12. With SciPy's pool at one thread it is 13.
"""

import os
from contextlib import contextmanager
from functools import lru_cache

import joblib
import scipy
from threadpoolctl import ThreadpoolController

_THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "OMP_NUM_THREADS",
)


@lru_cache(maxsize=1)
def _controller():
    # Kept: looking the loaded libraries up takes milliseconds.
    return ThreadpoolController()


def _select_scipy():
    folder = os.path.dirname(scipy.__file__)
    paths = [
        lib.filepath
        for lib in _controller().select(user_api="blas").lib_controllers
        if lib.filepath.startswith(folder)
    ]
    return _controller().select(filepath=paths)


def _is_limited(lib):
    """Whether the caller has set the number of threads of a library."""
    if any(variable in os.environ for variable in _THREAD_VARIABLES):
        return True
    return lib.num_threads < joblib.cpu_count()


@contextmanager
def scipy_blas_on_one_thread():
    """Hold SciPy's own BLAS to one thread, unless the caller has limited it."""
    pools = _select_scipy()
    if not pools.lib_controllers or _is_limited(pools.lib_controllers[0]):
        yield
        return
    with pools.limit(limits=1):
        yield
