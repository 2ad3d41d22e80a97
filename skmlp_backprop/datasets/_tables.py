"""CSV and TSV files as tables: the kinds of their columns, and the values."""

import itertools
import re
from collections import Counter
from typing import NamedTuple

import numpy as np

from .._network.warning import warn
from .._tabular.dates import DATES, SPANS, TIMES
from .._tabular.texts import (
    has_leading_zero,
    is_almost_number,
    is_date,
    is_missing,
    is_number,
    is_truth,
    to_number,
)
from ._text_files import (
    ISO_DATE,
    MISSING,
    TextFile,
    count_up,
    import_pandas,
    infer_header,
    join,
)

_INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")
# "None" may be a class, for example beside "mild" and "severe".
_MISSING_LABELS = MISSING - {"None"}
_DATES_AS = "2024-12-31, 2024-12-31T23:59 or 2024-12-31T23:59+02:00"
# A column of numbers and text has codes if at least this fraction of its rows, and of
# its distinct values, is text. Fewer texts may be mistakes.
_MIN_CODES = 0.1
# Names of the columns of a file without a header.
_MADE_UP = re.compile("x[0-9]+")


class Table(NamedTuple):
    """Samples and labels of a file, and what was decided about it."""

    X: object
    y: object
    has_header: bool
    target: str  # name of the labels' column
    doubtful: dict  # column's name to the reason why it may not have categories


def read_csv(path, header="infer"):
    """Read samples and labels from a CSV file with the label in the last column.

    It needs pandas.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8, separated by commas; by tabs if its name ends in ``.tsv``.
        It is unpacked if its name ends in ``.gz``.

    header : bool or "infer", default="infer"
        Whether the first row has the columns' names. "infer" takes it as names if no
        field is a number and the other rows have numbers there, as values if each
        feature is a number or missing, and refuses all else. It also refuses numbers
        that count up, such as ``0,1,2`` or ``2010,2020,2030``, which may be names.

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
        repeated; or the first row may be a header or values.
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
    table = read_table(path, header, mixed=False)
    return table.X, table.y


def read_mixed_csv(path, header="infer"):
    """Read a CSV file with text among its features, the label in the last column.

    Columns of text are categories, and so are codes: numbers with leading zeros, and
    columns of numbers and text where at least a tenth of the rows, and of the distinct
    values, is text. A warning names these, and columns of text where more than a tenth
    of the rows has dates. Columns of numbers are read as by
    :func:`read_csv`, columns of dates of ISO 8601, such as ``2024-12-31`` or
    ``2024-12-31 23:59``, as dates.

    Parameters
    ----------
    path : str or path-like
        The file, as of :func:`read_csv`. Empty fields, ``NA``, ``?`` and the like are
        missing values.

    header : bool or "infer", default="infer"
        Whether the first row has the names of the columns. "infer" compares it with the
        other rows. It has names if its fields are text where the other rows have
        numbers or dates; or, in ten rows or more of text alone, never occur again in
        columns whose values do. It has values if its fields are numbers or dates where
        the others are, or occur again. A file of which neither is clear is refused.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_features), or ndarray as of `read_csv`
        The samples: floats, categories, and dates as datetime64, in UTC if they have a
        time zone.

    y : ndarray of shape (n_rows,)
        The labels, integers if all are written as such, else strings.

    Raises
    ------
    ValueError
        As of `read_csv`; also if all lines have as many semicolons, tabs or bars, or if
        a column has dates of another form, dates with and without a time zone, numbers
        in another form (``"1,000"``, ``10%``, ``$1.50``), or a few texts among its
        numbers.
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
    table = read_table(path, header, mixed=True)
    for name, finding in table.doubtful.items():
        warn(f"{path}: column {name!r} has {finding}. It is read as categories.")
    return table.X, table.y


def read_table(path, header, *, mixed, target=None, drop=()):
    """As :func:`read_csv`, or :func:`read_mixed_csv`, with the decisions on the file.

    `mixed` says whether features may be categories. `target` and `drop` are names of
    columns; None is the last column. Without a header, the columns are named x0, x1 and
    so on.
    """
    # Not `in`, as 0 equals False.
    if not isinstance(header, bool) and header != "infer":
        raise ValueError(f'header must be True, False or "infer", got {header!r}.')
    import_pandas()
    file = TextFile(path)
    dropped = [file.find(name, header) for name in drop]
    kept = [i for i in range(len(file.first)) if i not in dropped]
    if target is not None:
        label = file.find(target, header)
    else:
        label = kept[-1] if kept else None
    features = [i for i in kept if i != label]
    if label not in kept or not features:
        raise ValueError(f"{path}: expected a target, and other columns beside it.")
    if header == "infer":
        used = [*features, label]
        header = infer_header(path, [file.column(i) for i in used], mixed)
    for name in [*drop, *([] if target is None else [target])]:
        file.find(name, header)
    if header:
        file.take_header(features)
    y = _to_labels(file, label)
    X, doubtful = _to_samples(file, features, mixed)
    return Table(X, y, header, file.names[label], doubtful)


def read_new_rows(path, names, kinds, header="infer"):
    """Read rows to predict, whose columns a model knows.

    Parameters
    ----------
    path : str or path-like
        The file, as of `read_csv`.

    names : list of str or None
        Names of the features. The file has a header with all of them, in any order,
        and may have other columns. With None, the file has the features alone, in
        order, and no header.

    kinds : sequence of set of str, str or None
        The categories of each feature, as text; None for a feature of numbers; else
        DATES, TIMES or SPANS.

    header : bool or "infer", default="infer"
        Whether the first row has names. With False, or if there are no names to
        compare with, the columns are taken in order. "infer" refuses a first row that
        may have other names.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_rows, n_features)
        The samples, as of `read_mixed_csv`.

    others : DataFrame
        The other columns, as text.
    """
    pandas = import_pandas()
    file = TextFile(path, min_fields=1)
    features = _find_features(file, names, kinds, header)
    for i, kind in zip(features, kinds, strict=True):
        if kind in (TIMES, SPANS):
            raise ValueError(
                f"{path}: the column {file.names[i]!r} had {kind} in training, which "
                "are not read from a CSV or TSV file. Write the rows to a Parquet file."
            )
    X, _ = _to_samples(file, features, True, kinds)
    others = [i for i in range(len(file.first)) if i not in features]
    rest = pandas.DataFrame({file.first[i]: file.column(i) for i in others})
    return np.asarray(X) if names is None else X, rest


def _find_features(file, names, kinds, header):
    """Indices of a model's features in a file of new rows; take the header, if any."""
    path, first = file.path, file.first
    by_name = names is not None and header is not False
    if by_name and all(map(_MADE_UP.fullmatch, names)):
        by_name = not set(names).isdisjoint(first)
    if by_name:
        lacking = [name for name in names if name not in first]
        if lacking:
            raise ValueError(
                f"{path}: the model needs the columns {join(lacking)}; the first row "
                f"has {join(first)}."
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
    elif header == "infer" and _may_be_other_names(first, kinds):
        raise ValueError(
            f"{path}: can't tell whether the first row is a header or values, found "
            f"{first!r:.100}. Say which, by --header yes or no."
        )
    file.names = names or file.names
    return list(range(len(first)))


def _may_be_other_names(first, kinds):
    """Whether the first of the new rows may have names that the model does not know.

    Text in a column of numbers is refused where the values are read.
    """
    are_unseen = [
        isinstance(kind, set) and field not in {*map(str.strip, kind), *MISSING}
        for field, kind in zip(first, kinds, strict=True)
    ]
    return count_up(first) or all(are_unseen)


def _to_labels(file, label):
    """The labels, integers if all are written as such."""
    column = file.column(label)
    n_missing = sum(text in _MISSING_LABELS for text in column)
    if n_missing:
        have = "1 row has" if n_missing == 1 else f"{n_missing} rows have"
        remedy = (
            f" {have} no label. Remove such rows, or move them to a file of their own, "
            "to predict their labels (--predict)."
        )
        file.refuse(label, _MISSING_LABELS, "a label", remedy)
    are_integers = all(map(_INTEGER.fullmatch, set(column)))
    return np.array(column, np.int64 if are_integers else str)


def _to_samples(file, features, mixed, kinds=None):
    """The samples, and the columns that may not have categories, see :class:`Table`.

    `kinds` are those of the features, as of :func:`read_new_rows`. Without `kinds`, the
    values decide.
    """
    pandas = import_pandas()
    X = np.empty((len(file.column(0)), len(features)))
    others, doubtful = {}, {}
    for place, i in enumerate(features):
        column, name = file.column(i), file.names[i]
        counts = Counter(column)
        present = {t: n for t, n in counts.items() if t not in MISSING}
        kind = kinds[place] if kinds else _infer_kind(file, i, present, mixed)
        if kind is None:
            if kinds:
                _refuse_other_values(file, i, present)
            number_of = {text: to_number(text) for text in present}
            X[:, place] = [number_of.get(text, np.nan) for text in column]
        elif kind == DATES:
            others[name] = _to_dates(file, i, present)
        else:
            value_of = {t: t for t in present}
            if kinds:
                value_of |= _by_stripped_text(kind)
            values = [value_of.get(text, np.nan) for text in column]
            others[name] = pandas.Series(values, dtype="category")
            if doubt := _doubt(present):
                doubtful[name] = doubt
    if file.has_header or others:
        names = [file.names[i] for i in features]
        X = pandas.DataFrame(X, columns=names, copy=False)
    for name, column in others.items():
        X[name] = column
    return X, doubtful


def _infer_kind(file, i, counts, mixed):
    """The kind of a column by its distinct texts, with their numbers of rows.

    It is DATES, the set of texts for categories, or None for numbers. Texts that may be
    dates in another form, or numbers with mistakes, are refused.
    """
    if mixed and counts and all(map(ISO_DATE.fullmatch, counts)):
        return DATES
    others = {text: n for text, n in counts.items() if not is_number(text)}
    if not others:
        return set(counts) if mixed and any(map(has_leading_zero, counts)) else None
    almost = list(filter(is_almost_number, others))
    dates = list(filter(is_date, others))
    n_rows, n_others = sum(counts.values()), sum(others.values())
    n_almost = n_rows - n_others + sum(others[text] for text in almost)
    has_numbers = len(others) < len(counts)
    fraction = min(len(others) / len(counts), n_others / n_rows)
    by_pandas = f"pandas.read_csv(path, dtype={{{file.names[i]!r}: 'category'}})"
    if mixed and sum(others[text] for text in dates) > n_rows / 2:
        file.refuse(
            i,
            [text for text in counts if not ISO_DATE.fullmatch(text)],
            "a date such as 2024-12-31 or 2024-12-31T23:59, or nothing, NA or ? where "
            "it is missing",
            " Write all dates in this form, such as by pandas.to_datetime(column, "
            "dayfirst=True).dt.strftime('%Y-%m-%d'), with dayfirst=False if the month "
            "comes first; times and time spans as numbers. If they are categories, "
            f"read the file by {by_pandas}. On the command line, --drop leaves a "
            "column out.",
        )
    if (
        not mixed
        or (almost and n_almost > n_rows / 2)
        or (has_numbers and fraction < _MIN_CODES)
        # Marks of missing values that are not in MISSING, such as "-".
        or (has_numbers and all(map(is_missing, others)))
    ):
        remedy = by_pandas if mixed else "read_mixed_csv"
        file.refuse(
            i,
            dates or almost or others,
            "a number, or nothing, NA or ? where it is missing",
            " Write it as a number; if the column has dates, write all of them as "
            f"{_DATES_AS}; if it has categories, read the file by {remedy}. On the "
            "command line, --drop leaves a column out.",
        )
    return set(counts)


def _doubt(counts):
    """What a column of categories has beside plain text, or None."""
    if any(map(is_number, counts)):
        return "numbers with leading zeros or among its text, as codes have"
    n_dates = sum(n for text, n in counts.items() if ISO_DATE.fullmatch(text))
    if n_dates > _MIN_CODES * sum(counts.values()):
        return "dates among its text"
    return None


def _refuse_other_values(file, i, texts):
    """Refuse texts that are no numbers in a column that had numbers in training."""
    # A model that was fitted in Python may have learned from booleans.
    odd = [text for text in texts if not (is_number(text) or is_truth(text))]
    if odd:
        expected = "a number, as in training, or nothing where it is missing"
        file.refuse(i, odd, expected)


def _to_dates(file, i, texts):
    """A column with these texts as dates, in UTC if they have a time zone."""
    matches = {text: ISO_DATE.fullmatch(text) for text in texts}
    odd = [text for text, match in matches.items() if match is None]
    if odd:
        file.refuse(i, odd, f"a date such as {_DATES_AS}")
    without_zone = [text for text, match in matches.items() if match["zone"] is None]
    has_zone = len(without_zone) < len(matches)
    if has_zone and without_zone:
        expected = "a date with a time zone, as others in the column have"
        file.refuse(i, without_zone, expected)
    pandas = import_pandas()
    column = [text if text in matches else None for text in file.column(i)]
    dates = pandas.to_datetime(
        pandas.Series(column), format="ISO8601", utc=has_zone, errors="coerce"
    )
    wrong = {text for text in itertools.compress(column, dates.isna()) if text}
    if wrong:
        file.refuse(i, wrong, "a date of the calendar")
    return dates


def _by_stripped_text(known):
    """The categories of a model by their texts without blanks around.

    A model that was fitted in Python may know "NA", or texts with blanks around.
    """
    # Of categories that differ in blanks alone, the shortest stays.
    return {text.strip(): text for text in sorted(known, key=len, reverse=True)}
