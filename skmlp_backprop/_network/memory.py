"""Arrays that begin at a cache line."""

import math

import numpy as np

# Bytes of a cache line, and of the widest registers. NumPy aligns to 16 bytes, where
# each access of a full register touches two lines. Microseconds at 16 and at 0 beyond
# a line, 20 x 1600 entries in float64: a sum of two arrays into a third 13 and 6.5, in
# place 7.0 and 5.2, the rows' squares 6.3 and 3.8; the first product of 20 networks
# 64-25 with 32 rows and its gradient 29 and 25, 32 and 26.
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
