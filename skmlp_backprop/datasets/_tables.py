"""CSV and TSV files as tables: samples and labels, and new rows for a model."""

import re
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from .._network.warning import warn
from .._tabular.dates import SPANS, TIMES
from .._tabular.texts import is_number
from ._columns import to_samples
from ._formats import CsvFormat
from ._headers import count_up, infer_header
from ._text_files import MISSING, TextFile, did_you_mean, import_pandas, join

_INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")
# "None" may be a class, for example beside "mild" and "severe".
_MISSING_LABELS = MISSING - {"None"}
# Names of the columns of a file without a header.
_MADE_UP = re.compile("x[0-9]+")


class Table(NamedTuple):
    """Samples and labels of a file, and what was decided about it."""

    X: object
    y: object
    has_header: bool
    target: str  # name of the labels' column
    features: list  # names of the features
    # For each column that may have been meant otherwise, the finding and the decision.
    doubtful: dict


def read_csv(path, header="infer", *, sep=None, decimal=".", encoding="utf-8"):
    """Read samples and labels from a CSV file with the label in the last column.

    It needs pandas. A warning names columns whose points may separate thousands.

    Parameters
    ----------
    path : str or path-like
        The file. It is unpacked if its name ends in ``.gz``.

    header : bool or "infer", default="infer"
        Whether the first row has the names of the columns. See "CSV files" in the user
        guide for the rules. An ambiguous file is refused: pass True or False.

    sep : str or None, default=None
        The character that separates the fields. None is a tab if the name of the file
        ends in ``.tsv`` or ``.tsv.gz``, else a comma.

    decimal : {".", ","}, default="."
        The decimal point of numbers. With ``","``, points separate thousands, as in
        ``1.234,5``.

    encoding : str, default="utf-8"
        The encoding of the file, such as ``"cp1252"``.

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
        If the file is empty, no text in its encoding or has another separator; a row
        has another number of fields than the first, a feature that is not a number
        (such as ``1_0``, ``1%``, ``"1,000"`` or ``True``) or no label; names are
        missing or repeated; or the first row may be a header or values.
    ImportError
        If pandas is not installed.

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
    return _read_with_warnings(
        path, CsvFormat(header, sep, decimal, encoding), mixed=False
    )


def read_mixed_csv(path, header="infer", *, sep=None, decimal=".", encoding="utf-8"):
    """Read a CSV file with text among its features, the label in the last column.

    Columns of text are categories, and so are codes: numbers with leading zeros, and
    columns of numbers and text where at least a tenth of the rows, and of the distinct
    values, is text. A warning names these, columns of numbers with a unit, and columns
    of text where more than a tenth of the rows has dates. Columns of numbers are read
    as by :func:`read_csv`, columns of dates of ISO 8601, such as ``2024-12-31`` or
    ``2024-12-31 23:59``, as dates.

    Parameters
    ----------
    path : str or path-like
        The file, as in :func:`read_csv`. Empty fields, ``NA``, ``?`` and the like are
        missing values.

    header : bool or "infer", default="infer"
        Whether the first row has the names of the columns. See "CSV files" in the user
        guide for the rules. An ambiguous file is refused: pass True or False.

    sep : str or None, default=None
        The character that separates the fields. None is a tab if the name of the file
        ends in ``.tsv`` or ``.tsv.gz``, else a comma.

    decimal : {".", ","}, default="."
        The decimal point of numbers. With ``","``, points separate thousands, as in
        ``1.234,5``.

    encoding : str, default="utf-8"
        The encoding of the file, such as ``"cp1252"``.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_features), or ndarray as in `read_csv`
        The samples: floats, categories, and dates as datetime64, in UTC if they have a
        time zone.

    y : ndarray of shape (n_rows,)
        The labels, integers if all are written as such, else strings.

    Raises
    ------
    ValueError
        As of `read_csv`; also if a column has dates of another form, dates with and
        without a time zone, numbers in another form (``"1,000"``, ``10%``, ``$1.50``),
        or a few texts among its numbers.
    ImportError
        If pandas is not installed.

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
    return _read_with_warnings(
        path, CsvFormat(header, sep, decimal, encoding), mixed=True
    )


def _read_with_warnings(path, csv_format, mixed):
    """Read samples and labels, with a warning for each doubtful column."""
    table = read_table(path, csv_format, mixed=mixed)
    for name, finding in table.doubtful.items():
        warn(f"{path}: column {name!r} {finding}")
    return table.X, table.y


def read_table(path, csv_format, *, mixed, target=None, drop=()):
    """As :func:`read_csv`, or :func:`read_mixed_csv`, with the decisions on the file.

    `mixed` says whether features may be categories. `target` and `drop` are names of
    columns; None is the last column. Without a header, the columns are named x0, x1 and
    so on.
    """
    file, header = TextFile(path, csv_format), csv_format.header
    # As the names of a file are read.
    drop = [normalize("NFC", name) for name in drop]
    target = None if target is None else normalize("NFC", target)
    dropped = [file.find(name, header) for name in drop]
    kept = [i for i in range(len(file.first)) if i not in dropped]
    named = [i for i in kept if i not in file.empty]
    if header == "infer":
        features, label = _split(file, named, target, header)
        used = [*features, label]
        sample = [[file.format.plain(row[i]) for i in used] for row in file.sample]
        header = infer_header(path, sample, mixed)
    for name in [*drop, *([] if target is None else [target])]:
        if name not in (file.first if header else file.names):
            file.refuse_name(name, header)
    features, label = _split(file, named if header else kept, target, header)
    if header:
        file.take_header(features)
    missing = {i: sorted(MISSING) for i in features}
    used = [*features, label]
    frame = file.read({label: str}, numbers=used, usecols=used, na_values=missing)
    y = _to_labels(file, frame.pop(label), label)
    X, doubtful = to_samples(file, frame, mixed)
    names = [file.names[i] for i in features]
    return Table(X, y, header, file.names[label], names, doubtful)


def _split(file, columns, target, header):
    """Indices of the features and of the label among columns of a file."""
    label = columns[-1] if columns else None
    if target is not None:
        label = file.find(target, header)
    features = [i for i in columns if i != label]
    if label not in columns or not features:
        raise ValueError(
            f"{file.path}: expected a target, and other columns beside it."
        )
    return features, label


def read_new_rows(path, names, kinds, csv_format):
    """Read rows to predict, whose columns a model knows.

    Parameters
    ----------
    path : str or path-like
        The file, as in `read_csv`.

    names : list of str or None
        Names of the features. The file has a header with all of them, in any order,
        and may have other columns. With None, the file has the features alone, in
        order, and no header.

    kinds : sequence of set of str, str or None
        The categories of each feature, as text; None for a feature of numbers; else
        DATES, TIMES or SPANS.

    csv_format : CsvFormat
        How the file is written. With the header False, or if there are no names to
        compare with, the columns are taken in order. "infer" refuses a first row that
        may have other names.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_rows, n_features)
        The samples, as in `read_mixed_csv`.

    others : DataFrame
        The other columns, as text.
    """
    file, given = TextFile(path, csv_format, min_fields=1), names
    if names is not None:
        # As the names of a file are read.
        as_read = [normalize("NFC", name.strip()) for name in names]
        names = as_read if len(set(as_read)) == len(names) else names
    features = _find_features(file, names, kinds, csv_format.header)
    known = dict(zip(features, kinds, strict=True))
    for i, kind in known.items():
        if kind in (TIMES, SPANS):
            raise ValueError(
                f"{path}: the column {file.names[i]!r} had {kind} in training, which "
                "are not read from a CSV or TSV file. Write the rows to a Parquet file."
            )
    ignored = {*features, *(file.empty if file.has_header else ())}
    others = [i for i in range(len(file.first)) if i not in ignored]
    missing = {i: sorted(MISSING) for i in features}
    frame = file.read(
        dict.fromkeys(others, str),
        numbers=features,
        usecols=[*features, *others],
        na_values=missing,
    )
    file.check_same_rows(frame[others])
    rest = frame[others].set_axis([file.first[i] for i in others], axis=1)
    X, doubtful = to_samples(file, frame[features], True, known)
    for i, kind in known.items():
        if kind is None and file.names[i] in doubtful:
            warn(f"{path}: column {file.names[i]!r} {doubtful[file.names[i]]}")
    X = import_pandas().DataFrame(X, copy=False)
    return np.asarray(X) if given is None else X.set_axis(given, axis=1), rest


def _find_features(file, names, kinds, header):
    """Indices of a model's features in a file of new rows; take the header, if any."""
    path, first = file.path, file.first
    made_up = [f"x{i}" for i in range(len(kinds))]
    if names is None and header is not False and set(made_up) <= {*first}:
        # The names that the reader of files without a header gives, in any order.
        are_values = any(isinstance(kind, set) and kind & {*first} for kind in kinds)
        names = made_up if header is True or not are_values else None
    by_name = names is not None and header is not False
    if by_name and all(map(_MADE_UP.fullmatch, names)):
        by_name = not set(names).isdisjoint(first)
    if by_name:
        lacking = [name for name in names if name not in first]
        if lacking:
            raise ValueError(
                f"{path}: the model needs the columns {join(lacking)}; the first row "
                f"has {join(first)}.{did_you_mean(lacking[0], first)}"
            )
        features = [first.index(name) for name in names]
        file.take_header(features)
        return features
    if len(first) != len(kinds):
        raise ValueError(
            f"{path}: expected the {len(kinds)} features that the model was fitted to, "
            f"in order; found {len(first)} columns."
        )
    if header is True:
        file.take_header(())
        file.names = [f"x{i}" for i in range(len(first))]
    elif header == "infer" and _may_be_other_names(file, kinds):
        raise ValueError(
            f"{path}: can't tell whether the first row is a header or values, found "
            f"{first!r:.100}. Say which, by --header yes or no."
        )
    file.names = names or file.names
    return list(range(len(first)))


def _may_be_other_names(file, kinds):
    """Whether the first of the new rows may have names that the model does not know.

    Text in a column of numbers is refused where the values are read.
    """
    first = file.first
    is_category = [isinstance(kind, set) for kind in kinds]
    known = [
        isinstance(kind, set) and field in {*map(str.strip, kind), *MISSING}
        for field, kind in zip(first, kinds, strict=True)
    ]
    # A number may be the name of a column and a category.
    has_value = any(k and not is_number(f) for f, k in zip(first, known, strict=True))
    if count_up(list(map(file.format.plain, first))) and not has_value:
        return True
    return all(is_category) and not any(known)


def _to_labels(file, column, label):
    """The labels, integers if all are written as such."""
    file.check_same_rows(column)
    column = column.str.strip()
    n_missing = column.isin(_MISSING_LABELS).sum()
    if n_missing == len(column):
        raise ValueError(
            f"{file.path}: the target {file.names[label]!r} has no values. Name "
            "another target, or remove the column."
        )
    if n_missing:
        have = "1 row has" if n_missing == 1 else f"{n_missing} rows have"
        remedy = (
            f" {have} no label. Remove such rows, or move them to a file of their own, "
            "to predict their labels (--predict)."
        )
        file.refuse(label, _MISSING_LABELS, "a label", remedy)
    texts = column.unique().tolist()
    odd = [text for text in texts if not file.format.is_number(text)]
    if (
        file.format.has_commas
        and not file.has_commas(label)
        and all(map(is_number, odd))
    ):
        file.refuse(label, odd, "a number with a decimal comma, as others have")
    y = np.array(column, dtype=str)
    return y.astype(np.int64) if all(map(_INTEGER.fullmatch, texts)) else y
