"""IDX files: what the header says is checked before the content is read."""

import gzip
import math
import os
import struct
import zlib

import numpy as np

from .deflated import MOST_FROM_A_BYTE, read_rest

_DTYPES = {
    0x08: ">u1",
    0x09: ">i1",
    0x0B: ">i2",
    0x0C: ">i4",
    0x0D: ">f4",
    0x0E: ">f8",
}
# NumPy's.
_MAX_DIMENSIONS = 64


def read_array(path):
    """The array of an IDX file, see :func:`.datasets.read_idx`."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if file.peek(2)[:2] != b"\x1f\x8b":
            return _read(path, file, size)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _read(path, stream, MOST_FROM_A_BYTE * size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: expected a complete gzip file, but it ends early or is "
                f"damaged: {error}"
            ) from error


def _read(path, stream, most):
    """Read from a stream of no more than so many bytes."""
    dtype, n_dimensions = _read_magic(path, stream)
    header = stream.read(4 * n_dimensions)
    if len(header) < 4 * n_dimensions:
        raise ValueError(
            f"{path}: expected an IDX header of {4 + 4 * n_dimensions} bytes for "
            f"{n_dimensions} dimensions, found a file of {4 + len(header)} bytes."
        )
    shape = struct.unpack(f">{n_dimensions}I", header)
    start = 4 + len(header)
    n_bytes = dtype.itemsize * math.prod(shape)
    expected = (
        f"{start + n_bytes} bytes for an array of shape {shape} and type {dtype.name}"
    )
    if start + n_bytes > most:
        raise ValueError(
            f"{path}: expected {expected}, found a file that "
            f"can't hold more than {most}."
        )
    content = read_rest(stream, n_bytes)
    if len(content) != n_bytes:
        found = "more" if len(content) > n_bytes else start + len(content)
        raise ValueError(f"{path}: expected {expected}, found {found}.")
    try:
        array = np.ndarray(shape, dtype, content)
    except ValueError as error:
        # Where one dimension is 0, the others may be too many for NumPy.
        raise ValueError(f"{path}: {error}") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_magic(path, stream):
    """The type and the number of dimensions."""
    magic = stream.read(4)
    if (
        len(magic) < 4
        or magic[:2] != b"\0\0"
        or magic[2] not in _DTYPES
        or not 1 <= magic[3] <= _MAX_DIMENSIONS
    ):
        raise ValueError(
            f"{path}: expected an IDX file, whose magic number is two zero bytes, a "
            "type code (8, 9, 11, 12, 13 or 14) and the number of dimensions; found "
            f"the bytes {list(magic)}."
        )
    return np.dtype(_DTYPES[magic[2]]), magic[3]
