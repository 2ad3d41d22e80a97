"""Readers for the files this field passes around.

MATLAB files of the course's exercise (``ex4data1.mat``, ``ex4weights.mat``), IDX
files (MNIST's format), CSV and npz; and the exercise's data rebuilt from MNIST.
"""

import numpy as np

from ._files import idx, matlab, npz, tables
from ._network.warning import warn

__all__ = [
    "make_exercise_digits",
    "read_csv",
    "read_idx",
    "read_mat",
    "read_mat_weights",
    "read_mixed_csv",
    "read_npz",
]


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
        If the file can't be read as a MATLAB file of version 4 to 7.2 or lacks a
        variable; X is no full matrix of real numbers; or y is not a real number or
        text for each sample.
    """
    return matlab.read_samples(path)


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
        Theta1, or a Theta is no full matrix of real numbers that fits the one before.
    """
    return matlab.read_weights(path)


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
    """
    return idx.read_array(path)


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
        Labels.

    Raises
    ------
    ValueError
        If the file can't be read as an npz file or lacks an array; X is no matrix of
        real numbers; or y is not a real number or text for each sample.
    """
    return npz.read_samples(path)


def read_csv(path, header="infer"):
    """Read samples and labels from a CSV file with the label in the last column.

    It needs pandas, which the extra ``tables`` brings.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8, separated by commas.

    header : bool or "infer", default="infer"
        Whether the first row has the columns' names. "infer" takes it as names if none
        is a number and the other rows have numbers there, as values if each feature is
        a number or missing, and refuses all else.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_samples, n_features), float64
        Samples: with a header a DataFrame with its names, which `fit` keeps as
        `feature_names_in_`, else an array. Empty fields and the marks ``?``, ``NA``,
        ``N/A``, ``nan``, ``null`` and ``None`` are nan.

    y : ndarray of shape (n_samples,)
        Labels: integers if all are written as such, in at most 18 digits and without
        a plus or leading zeros; else strings as they are in the file, without blanks
        around.

    Raises
    ------
    ValueError
        If the file is empty, no text in UTF-8 or not separated by commas; a row has
        another number of fields than the first, a feature that is not a number (such
        as ``1_0``, ``1%``, ``"1,000"`` or ``True``) or no label; names are missing or
        repeated; or what the first row is can't be told.
    ImportError
        If there is no pandas.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> from skmlp_backprop.datasets import read_csv
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "flowers.csv"
    ...     _ = path.write_text("length,width,kind\\n1.5,2,rose\\n3,?,tulip\\n")
    ...     X, y = read_csv(path)
    >>> X
       length  width
    0     1.5    2.0
    1     3.0    NaN
    >>> y.tolist()
    ['rose', 'tulip']
    """
    X, y, _ = tables.read_table(path, header, mixed=False)
    return X, y


def read_mixed_csv(path, header="infer"):
    """Read a CSV file with text among its features, the label in the last column.

    Columns of text are categories, and so are codes: numbers with leading zeros, and
    columns of numbers and text where at least a tenth of the rows, and of the distinct
    values, is text. A warning names these. Columns of numbers are read as by
    :func:`read_csv`.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8, separated by commas. Empty fields, ``NA``, ``?`` and the
        like are missing values.

    header : bool or "infer", default="infer"
        Whether the first row has the names of the columns. "infer" compares it with the
        other rows. It has names if its fields are text where the other rows have
        numbers; or, in ten rows or more of text alone, never occur again in columns
        whose values do. It has values if its fields are numbers where the others are,
        or occur again. A file of which neither is clear is refused.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_features), or ndarray as of `read_csv`
        The samples: floats, and categories.

    y : ndarray of shape (n_rows,)
        The labels, integers if all are written as such, else strings.

    Raises
    ------
    ValueError
        As of `read_csv`; also if all lines have as many semicolons, tabs or bars, or if
        a column has dates, numbers in another form (``"1,000"``, ``10%``, ``$1.50``),
        or a few texts among its numbers.
    ImportError
        If there is no pandas.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> from skmlp_backprop.datasets import read_mixed_csv
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "flowers.csv"
    ...     _ = path.write_text("length,colour,kind\\n1.5,red,rose\\n?,,tulip\\n")
    ...     X, y = read_mixed_csv(path)
    >>> X
       length colour
    0     1.5    red
    1     NaN    NaN
    """
    X, y, layout = tables.read_table(path, header, mixed=True)
    for i in layout.of_codes:
        warn(
            f"{path}: column {layout.names[i]!r} has numbers with leading zeros or "
            "among its text, as codes have. It is read as categories."
        )
    return X, y


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
