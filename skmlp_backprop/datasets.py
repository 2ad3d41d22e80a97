"""Readers for the files this field passes around.

MATLAB files of the course's exercise (``ex4data1.mat``, ``ex4weights.mat``), IDX
files (MNIST's format), CSV and npz; and the exercise's data rebuilt from MNIST.
"""

import contextlib
import csv
import gzip
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import scipy.io

__all__ = [
    "make_exercise_digits",
    "read_csv",
    "read_idx",
    "read_mat",
    "read_mat_weights",
    "read_npz",
]

_IDX_DTYPES = {
    0x08: ">u1",
    0x09: ">i1",
    0x0B: ">i2",
    0x0C: ">i4",
    0x0D: ">f4",
    0x0E: ">f8",
}
_MAT_ERRORS = (
    scipy.io.matlab.MatReadError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OSError,
    zlib.error,
)


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
        stands for the digit 0.

    Raises
    ------
    ValueError
        If the file can't be read as a MATLAB file, lacks a variable, or the
        numbers of samples and labels differ.
    """
    content = _load_mat(path, ("X", "y"))
    X, y = content["X"], content["y"]
    if X.ndim != 2 or y.size != len(X):
        raise ValueError(
            f"{path}: expected X of shape (n_samples, n_features) and one label in y "
            f"per sample, found X of shape {X.shape} and {y.size} labels."
        )
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
        If the file can't be read as a MATLAB file or lacks Theta1.
    """
    content = _load_mat(path, ("Theta1",))
    thetas = []
    while f"Theta{len(thetas) + 1}" in content:
        thetas.append(np.asarray(content[f"Theta{len(thetas) + 1}"], dtype=np.float64))
    return [theta[:, 1:].T for theta in thetas], [theta[:, 0] for theta in thetas]


def _load_mat(path, names):
    try:
        content = scipy.io.loadmat(path)
    except FileNotFoundError:
        raise
    except _MAT_ERRORS as error:
        raise ValueError(
            f"{path}: expected a complete MATLAB file of version 4 to 7.2, but it "
            f"can't be read as one: {error}"
        ) from error
    missing = [name for name in names if name not in content]
    if missing:
        found = sorted(name for name in content if not name.startswith("__"))
        raise ValueError(
            f"{path}: expected the variables {list(names)}, found {found}."
        )
    return content


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
        says.
    """
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"{path}: expected a complete gzip file, but it ends early or is "
                f"damaged: {error}"
            ) from error
    magic = content[:4]
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_DTYPES:
        raise ValueError(
            f"{path}: expected an IDX file, whose magic number is two zero bytes, a "
            "type code (8, 9, 11, 12, 13 or 14) and the number of dimensions; found "
            f"the bytes {list(magic)}."
        )
    dtype, n_dimensions = np.dtype(_IDX_DTYPES[magic[2]]), magic[3]
    start = 4 + 4 * n_dimensions
    if len(content) < start:
        raise ValueError(
            f"{path}: expected an IDX header of {start} bytes for {n_dimensions} "
            f"dimensions, found a file of {len(content)} bytes."
        )
    shape = struct.unpack(f">{n_dimensions}I", content[4:start])
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise ValueError(
            f"{path}: expected {expected} bytes for an array of shape {shape} and type "
            f"{dtype.name}, found {len(content)}."
        )
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def read_npz(path):
    """Read samples and labels from an npz file with the arrays X and y.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If an array is missing.
    """
    with open(path, "rb") as file:
        try:
            content = np.load(file, allow_pickle=False)
        except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{path}: expected an npz file with the arrays X and y: {error}"
            ) from error
        found = sorted(getattr(content, "files", ()))
        if not {"X", "y"} <= set(found):
            raise ValueError(
                f"{path}: expected an npz file with the arrays X and y, found {found}."
            )
        X, y = content["X"], content["y"]
    if X.ndim != 2:
        raise ValueError(
            f"{path}: expected X of shape (n_samples, n_features), found {X.shape}."
        )
    return X, y


def read_csv(path):
    """Read samples and labels from a CSV file with the label in the last column.

    A first line is taken as a header if its features are not numbers, or if its label
    is the only one that is not.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8, separated by commas.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        Samples; an empty field is nan.

    y : ndarray of shape (n_samples,)
        Labels: integers where all are, else strings.

    Raises
    ------
    ValueError
        If a line has another number of fields than the first, or a feature that is
        not a number.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = [(i, row) for i, row in enumerate(csv.reader(file), start=1) if row]
    except csv.Error as error:
        raise ValueError(f"{path}: expected a CSV file: {error}") from error
    if lines and _is_header(lines[0][1], [row for _, row in lines[1:]]):
        lines = lines[1:]
    if not lines or len(lines[0][1]) < 2:
        is_semicolon = bool(lines) and ";" in lines[0][1][0]
        found = "semicolons in place of commas" if is_semicolon else "none"
        raise ValueError(
            f"{path}: expected lines of features separated by commas, with the label "
            f"last; found {found}."
        )
    n_fields = len(lines[0][1])
    samples = []
    for number, row in lines:
        sample = _to_floats(row[:-1])
        if len(row) != n_fields or sample is None:
            raise ValueError(
                f"{path}, line {number}: expected {n_fields - 1} numbers and then the "
                f"label, found {row}."
            )
        samples.append(sample)
    labels = np.array([row[-1].strip() for _, row in lines])
    # Else they stay the strings they are.
    with contextlib.suppress(ValueError, OverflowError):
        labels = labels.astype(int)
    return np.array(samples), labels


def _is_header(first, others):
    """Whether the first line's features, or its label alone, are no numbers."""
    if _to_floats(first[:-1]) is None:
        return True
    return _to_floats(first[-1:]) is None and all(
        _to_floats(row[-1:]) is not None for row in others
    )


def _to_floats(fields):
    try:
        return [float(field) if field.strip() else np.nan for field in fields]
    except ValueError:
        return None


def make_exercise_digits(images, labels):
    """Rebuild the 5000 digits of the classic exercise (ex4data1) from MNIST.

    The first 500 training images of each digit, divided by 255, are resized from
    28 x 28 to 20 x 20 pixels with the bicubic kernel (a = -0.5), widened by 28/20
    against aliasing, and unrolled column by column.

    Parameters
    ----------
    images : ndarray of shape (n_images, 28, 28), uint8
        MNIST's training images, in the original order.

    labels : ndarray of shape (n_images,)
        Their digits.

    Returns
    -------
    X : ndarray of shape (5000, 400), float64
        The samples, ordered by label 10, 1, 2, ..., 9.

    y : ndarray of shape (5000,), uint8
        Labels 1 to 10, where 10 stands for the digit 0.

    Raises
    ------
    ValueError
        If the images are not 28 x 28 or there are less than 500 of a digit.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or len(labels) != len(images):
        raise ValueError(
            "expected images of shape (n, 28, 28) and n labels, found shapes "
            f"{images.shape} and {labels.shape}."
        )
    resize = _bicubic_matrix(28, 20)
    X = []
    for digit in range(10):
        chosen = images[labels == digit][:500]
        if len(chosen) < 500:
            raise ValueError(
                f"expected 500 images of the digit {digit}, found {len(chosen)}."
            )
        resized = resize @ (chosen / 255.0) @ resize.T
        X.append(resized.transpose(0, 2, 1).reshape(500, 400))
    y = np.repeat(np.array([10, *range(1, 10)], dtype=np.uint8), 500)
    return np.vstack(X), y


def _bicubic_matrix(n_from, n_to):
    """Matrix that resizes a row of pixels; beyond the edge stands the edge's pixel.

    Keys, R. G. (1981). "Cubic convolution interpolation for digital image
    processing." IEEE Trans. Acoustics, Speech, Signal Processing 29(6).
    """
    scale = n_from / n_to
    matrix = np.zeros((n_to, n_from))
    for i in range(n_to):
        center = (i + 0.5) * scale - 0.5
        source = np.arange(
            np.floor(center - 2 * scale), np.ceil(center + 2 * scale) + 1
        )
        weights = _bicubic_kernel((source - center) / scale)
        nearest = np.clip(source, 0, n_from - 1).astype(int)
        np.add.at(matrix[i], nearest, weights / weights.sum())
    return matrix


def _bicubic_kernel(x):
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))
