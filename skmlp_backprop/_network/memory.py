"""Arrays that begin at a cache line."""

import math

import numpy as np

# Bytes of a cache line, and of the widest registers. NumPy aligns to 16 bytes, where
# each access of a full register touches two lines (benchmarks: tricks).
LINE = 64


def empty_aligned(shape, dtype):
    """A new array, uninitialised.

    Parameters
    ----------
    shape : tuple of int
        Its shape.

    dtype : dtype
        Its type.

    Returns
    -------
    array : ndarray of the given shape and dtype
        Contiguous, its first entry at the start of a cache line.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(n_bytes + LINE, np.uint8)
    start = -buffer.__array_interface__["data"][0] % LINE
    return buffer[start : start + n_bytes].view(dtype).reshape(shape)
