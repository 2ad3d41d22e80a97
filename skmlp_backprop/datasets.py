"""Readers for the files this field passes around.

MATLAB files of the course's exercise (``ex4data1.mat``, ``ex4weights.mat``), IDX
files (MNIST's format), CSV and npz.
"""

from ._files import idx, matlab, npz, tables
from ._network.warning import warn

__all__ = [
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

    It needs pandas.

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
