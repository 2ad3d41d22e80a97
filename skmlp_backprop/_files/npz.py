"""npz files: what an array's header says is checked before its content is read."""

import contextlib
import io
import math
import os
import tokenize
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.lib import format as npy

from .deflated import MOST_FROM_A_BYTE, read_rest
from .samples import NUMBERS, NUMBERS_OR_TEXT, check_kind, check_shapes

# What zipfile and NumPy raise on a file that is damaged: RuntimeError on one that is
# encrypted, and for recursion, which is, as the last two, of a header's syntax.
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    TypeError,
    LookupError,
    OSError,
    EOFError,
    RuntimeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
)
# The third is for records with fields beyond Latin-1.
_HEADER_READERS = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}
# NumPy takes no header of more than 10000.
_BYTES_WITH_A_HEADER = 1 << 14


@dataclass(frozen=True)
class _Member:
    """An array in the archive, and what its header says."""

    info: zipfile.ZipInfo
    start: int
    shape: tuple
    order: str
    dtype: np.dtype

    @property
    def n_bytes(self):
        return math.prod(self.shape) * self.dtype.itemsize


def read_samples(path):
    """Samples and labels, see :func:`.datasets.read_npz`."""
    with open(path, "rb") as file:
        with _explaining(path):
            archive = zipfile.ZipFile(file)
        found = sorted(name.removesuffix(".npy") for name in archive.namelist())
        if not {"X", "y"} <= set(found):
            raise ValueError(
                f"{path}: expected an npz file with the arrays X and y, found {found}."
            )
        with _explaining(path):
            size = os.fstat(file.fileno()).st_size
            X, y = (_read_header(archive, f"{name}.npy", size) for name in "Xy")
        check_kind(path, "X", X.dtype, NUMBERS)
        check_kind(path, "y", y.dtype, NUMBERS_OR_TEXT)
        check_shapes(path, X.shape, y.shape)
        with _explaining(path):
            return _read_content(archive, X), _read_content(archive, y).ravel()


@contextlib.contextmanager
def _explaining(path):
    try:
        yield
    except _ERRORS as error:
        raise ValueError(
            f"{path}: expected an npz file with the arrays X and y: {error}"
        ) from error


def _read_header(archive, name, archive_size):
    info = archive.getinfo(name)
    # Others, which NumPy does not write, can't be unpacked bit by bit.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is neither stored nor deflated.")
    if info.file_size > MOST_FROM_A_BYTE * archive_size:
        raise ValueError(f"{name} can't have the {info.file_size} bytes it should.")
    with archive.open(info) as stream:
        beginning = io.BytesIO(stream.read(_BYTES_WITH_A_HEADER))
    version = npy.read_magic(beginning)
    if version not in _HEADER_READERS:
        raise ValueError(f"{name} is of version {version}, not 1.0 or 2.0.")
    shape, is_fortran, dtype = _HEADER_READERS[version](beginning)
    order = "F" if is_fortran else "C"
    member = _Member(info, beginning.tell(), shape, order, dtype)
    # Objects are pickled; for those the type is refused.
    if dtype.hasobject:
        return member
    if min(shape, default=0) < 0 or member.start + member.n_bytes != info.file_size:
        raise ValueError(
            f"{name} has {info.file_size} bytes, not those of a header and an array of "
            f"shape {shape} and type {dtype}."
        )
    return member


def _read_content(archive, member):
    with archive.open(member.info) as stream:
        stream.read(member.start)
        content = read_rest(stream, member.n_bytes)
    return np.ndarray(member.shape, member.dtype, content, order=member.order)
