"""Files of arrays: MATLAB, IDX and npz.

SciPy and NumPy read them. The checks here keep a damaged file from being read as other
data than it has, or from being unpacked to more than its header says.
"""

import gzip
import io
import math
import struct
import warnings
import zipfile
from contextlib import contextmanager

import numpy as np
import scipy.io
from numpy.lib import format as npy

_MAT = "a MATLAB file of version 4 to 7.2 (save with -v7)"
_IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
# NumPy takes no header of more than 10000 bytes.
_NPY_HEADER = 1 << 14


def read_mat(path):
    """Read samples and labels from a MATLAB file with the variables X and y.

    Parameters
    ----------
    path : str or path-like
        The file, such as ``ex4data1.mat``.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        Samples.

    y : ndarray of shape (n_samples,)
        Labels as they are in the file; in ``ex4data1.mat`` 1 to 10, where 10
        stands for the digit 0. Text is without the blanks by which MATLAB pads the
        rows of a char matrix.

    Raises
    ------
    ValueError
        If the file can't be read as a MATLAB file of version 4 to 7.2 or lacks a
        variable; X is not a full matrix of real numbers; or y is not a real number or
        text for each sample.

    Examples
    --------
    >>> import os, tempfile
    >>> from scipy.io import savemat
    >>> from skmlp_backprop.datasets import read_mat
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data.mat")
    ...     savemat(path, {"X": [[0.5, 1], [2, 3]], "y": [[1], [2]]})
    ...     X, y = read_mat(path)
    >>> X.shape, y.tolist()
    ((2, 2), [1, 2])
    """
    with _open(path, _MAT) as file:
        content = _load_mat(file, "X", "y")
        X, y = content["X"], content["y"]
        _check_samples(X, y)
        if y.dtype.kind == "U":
            y = np.char.rstrip(y)
        return np.ascontiguousarray(X, dtype=np.float64), y.ravel()


def read_mat_weights(path):
    """Read a network's weights from a MATLAB file with Theta1, Theta2, ...

    Parameters
    ----------
    path : str or path-like
        The file, such as ``ex4weights.mat``. Each Theta has shape
        (fan_out, 1 + fan_in), with the biases in column 0.

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
        Weight matrices, as ``BackpropMLPClassifier.from_weights`` takes them.

    intercepts : list of ndarray of shape (fan_out,)
        Biases.

    Raises
    ------
    ValueError
        If the file can't be read as a MATLAB file of version 4 to 7.2 or lacks
        Theta1, or a Theta is not a full matrix of real numbers that fits the one
        before.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from skmlp_backprop.datasets import read_mat_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "weights.mat")
    ...     savemat(path, {"Theta1": np.ones((3, 5)), "Theta2": np.ones((2, 4))})
    ...     coefs, intercepts = read_mat_weights(path)
    >>> [coef.shape for coef in coefs]
    [(4, 3), (3, 2)]
    """
    with _open(path, _MAT) as file:
        content = _load_mat(file, "Theta1")
        coefs, intercepts = [], []
        while (name := f"Theta{len(coefs) + 1}") in content:
            theta = content[name]
            _check_type(name, theta, "real numbers")
            fan_in = len(intercepts[-1]) if coefs else "fan_in"
            is_matrix = theta.ndim == 2 and len(theta) > 0 and theta.shape[1] > 1
            if not is_matrix or (coefs and theta.shape[1] != 1 + fan_in):
                raise ValueError(
                    f"expected {name} of shape (fan_out, 1 + {fan_in}), found "
                    f"{theta.shape}."
                )
            coefs.append(theta[:, 1:].T.astype(np.float64))
            intercepts.append(theta[:, 0].astype(np.float64))
        return coefs, intercepts


def read_idx(path):
    """Read an array from an IDX file, gzipped or not.

    Parameters
    ----------
    path : str or path-like
        The file, such as MNIST's ``train-images-idx3-ubyte.gz``.

    Returns
    -------
    array : ndarray
        Its content, in its shape and in the machine's byte order.

    Raises
    ------
    ValueError
        If the magic number is wrong or the file shorter or longer than its header
        says. No more than that is unpacked.

    Examples
    --------
    >>> import os, tempfile
    >>> from skmlp_backprop.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels-idx1-ubyte")
    ...     with open(path, "wb") as file:
    ...         _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     labels = read_idx(path)
    >>> labels
    array([7, 2, 1], dtype=uint8)
    """
    with _open(path, "an IDX file") as file:
        is_zipped = file.peek(2)[:2] == b"\x1f\x8b"
        stream = gzip.GzipFile(fileobj=file) if is_zipped else file
        magic = stream.read(4)
        is_idx = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in _IDX_TYPES
        if not is_idx or magic[3] == 0:
            raise ValueError(
                "expected a magic number of two zero bytes, a type code (8, 9, 11, 12, "
                "13 or 14) and the number of dimensions, 1 or more; found the bytes "
                f"{list(magic)}."
            )
        dtype, n_dimensions = np.dtype(_IDX_TYPES[magic[2]]), magic[3]
        shape = struct.unpack(f">{n_dimensions}I", stream.read(4 * n_dimensions))
        n_bytes = dtype.itemsize * math.prod(shape)
        content = stream.read(n_bytes + 1)
        if len(content) != n_bytes:
            raise ValueError(
                f"expected {n_bytes} bytes after the header for an array of shape "
                f"{shape}, found {'more' if len(content) > n_bytes else len(content)}."
            )
        return np.ndarray(shape, dtype, content).astype(dtype.newbyteorder("="))


def read_npz(path):
    """Read samples and labels from an npz file with the arrays X and y.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Samples.

    y : ndarray of shape (n_samples,)
        Labels. Bytes are decoded as UTF-8.

    Raises
    ------
    ValueError
        If the file can't be read as an npz file or lacks an array; X is not a matrix
        of real numbers; or y is not a real number or text for each sample, or has
        bytes that are not UTF-8.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skmlp_backprop.datasets import read_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data.npz")
    ...     np.savez(path, X=[[0.5, 1], [2, 3]], y=["rose", "tulip"])
    ...     X, y = read_npz(path)
    >>> X.shape, y.tolist()
    ((2, 2), ['rose', 'tulip'])
    """
    with _open(path, "an npz file with the arrays X and y") as file:
        archive = zipfile.ZipFile(file)
        X, y = _read_npy(archive, "X.npy"), _read_npy(archive, "y.npy")
        _check_samples(X, y)
        if y.dtype.kind == "S":
            # No estimator takes bytes as labels.
            y = np.char.decode(y, "utf-8")
        return X, y.ravel()


@contextmanager
def _open(path, expected):
    """Open a file; errors in it become a ValueError that names the file."""
    with open(path, "rb") as file:
        try:
            yield file
        # On a damaged file SciPy, NumPy and zipfile raise errors of almost every type,
        # NameError and MemoryError included.
        except Exception as error:
            raise ValueError(f"{path}: can't be read as {expected}: {error}") from error


def _check_type(name, array, expected):
    kinds = {"real numbers": "biuf", "real numbers or text": "biufSU"}[expected]
    # SciPy's sparse matrices have a dtype, too.
    if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds:
        raise ValueError(
            f"expected {name} to be a dense array of {expected}, found "
            f"{type(array).__name__} of {array.dtype}."
        )


def _check_samples(X, y):
    _check_type("X", X, "real numbers")
    _check_type("y", y, "real numbers or text")
    n = len(X) if X.ndim == 2 and X.size > 0 else 0
    # y may be a row or a column, as MATLAB has no vectors.
    if n == 0 or y.shape not in [(n,), (n, 1), (1, n)]:
        raise ValueError(
            "expected X of shape (n_samples, n_features) and one label in y per "
            f"sample, found X of shape {X.shape} and y of shape {y.shape}."
        )


def _load_mat(file, *names):
    with warnings.catch_warnings():
        # From 1.18 on SciPy warns that the type of sparse variables will change.
        warnings.filterwarnings("ignore", ".*`spmatrix`", DeprecationWarning)
        content = scipy.io.loadmat(file)
    found = [name for name in content if not name.startswith("__")]
    if not set(names) <= set(found):
        others = {"read_mat": {"X", "y"}, "read_mat_weights": {"Theta1", "Theta2"}}
        hints = [f" Read them by {r}." for r, v in others.items() if v <= set(found)]
        raise ValueError(
            f"expected the variables {list(names)}, found {found}.{''.join(hints)}"
        )
    return content


def _read_npy(archive, name):
    """Read an array of an npz file, once its header agrees with its size."""
    info = archive.getinfo(name)
    # zipfile unpacks deflated content in pieces, but not that of other compressions.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is neither stored nor deflated; use np.savez.")
    with archive.open(info) as stream:
        beginning = io.BytesIO(stream.read(_NPY_HEADER))
    is_old = npy.read_magic(beginning) == (1, 0)
    read_header = npy.read_array_header_1_0 if is_old else npy.read_array_header_2_0
    shape, _, dtype = read_header(beginning)
    n_bytes = beginning.tell() + math.prod(shape) * dtype.itemsize
    # Objects are pickled; NumPy refuses them.
    if n_bytes != info.file_size and not dtype.hasobject:
        raise ValueError(
            f"{name} has {info.file_size} bytes, not those of a header and an array of "
            f"shape {shape} and type {dtype}."
        )
    with archive.open(info) as stream:
        return npy.read_array(stream, allow_pickle=False)
