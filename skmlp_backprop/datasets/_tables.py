"""CSV and TSV files: Python's csv module checks the rows, pandas reads the values.

The header, the separator and the kinds of the columns are decided here. A file that
leaves a doubt is refused. pandas alone is lenient: it fills short rows, cuts long ones
and joins rows where a quote is not closed.
"""

import csv
import gzip
import io
import re
import zlib
from difflib import get_close_matches
from itertools import islice
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

_INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")
_MISSING = {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"}
_MISSING |= {"null", "NULL", "None"}
# A class may be called None, as where the others are mild and severe.
_MISSING_LABELS = _MISSING - {"None"}
# A date of ISO 8601, with or without a time and a time zone.
_ISO_DATE = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    "([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?"
    "(?P<zone>Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_DATES_AS = "2024-12-31, 2024-12-31T23:59 or 2024-12-31T23:59+02:00"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTED = re.compile('"[^"]*"')
# pandas ends a text at a NUL. Bytes that are not UTF-8 are decoded to the others.
_NO_TEXT = re.compile("[\0\udc80-\udcff]")
# A letter or an underscore.
_WORD = re.compile("[^\\W\\d]")
# A needless 0 where a field begins.
_MAY_BE_CODE = re.compile('(^|[,\t"])\\s*[+-]?0[0-9]')
# Rows that decide on the header.
_SAMPLE = 1000
# Rows of text alone, of which the first never occurs again, that make it a header.
_ROWS_OF_TEXT = 10
# A column of numbers and text has codes if at least this share of its rows, and of its
# distinct values, is text. Fewer texts may be mistakes.
_SHARE_OF_CODES = 0.1


_MADE_UP = re.compile("x[0-9]+")
_DIFFERENT_ROWS = (
    "pandas and Python's csv module read different rows; write the file by "
    "to_csv(path, index=False)."
)


class _Layout(NamedTuple):
    """The rows and columns of a file."""

    path: object
    has_header: bool
    names: list  # of all columns; x0, x1, ... without a header
    features: list  # indices of columns
    n_rows: int


class Table(NamedTuple):
    """Samples and labels of a file, and what was decided about it."""

    X: object
    y: object
    has_header: bool
    target: str  # name of the labels' column
    # What columns have that are read as categories, though it is no plain text.
    doubtful: dict  # of name to str


def read_csv(path, header="infer"):
    """Read samples and labels from a CSV file with the label in the last column.

    It needs pandas.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8, separated by commas; by tabs if its name ends in ``.tsv``.
        It is unpacked if its name ends in ``.gz``.

    header : bool or "infer", default="infer"
        Whether the first row has the columns' names. "infer" takes it as names if none
        is a number and the other rows have numbers there, as values if each feature is
        a number or missing, and refuses all else. It also refuses numbers that count
        up, such as ``0,1,2`` or ``2010,2020,2030``, which may be names.

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
        a column has dates of another form or some with a time zone and some without,
        numbers in another form (``"1,000"``, ``10%``, ``$1.50``), or a few texts among
        its numbers.
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
    """As :func:`read_csv`, or :func:`read_mixed_csv`, and what was decided.

    Parameters
    ----------
    path, header :
        As of `read_csv`.

    mixed : bool
        Whether features may be categories.

    target : str, default=None
        Name of the column with the labels. With None, it is the last one. Without a
        header, the columns are named x0, x1 and so on.

    drop : sequence of str, default=()
        Names of columns that are left out.

    Returns
    -------
    table : Table
        Its X and y are as of `read_mixed_csv`.
    """
    pandas = import_pandas()
    # Not `in`, as 0 equals False, and by 0 pandas means that there is a header.
    if not isinstance(header, bool) and header != "infer":
        raise ValueError(f'header must be True, False or "infer", got {header!r}.')
    _check_separator(path)
    sample, n_rows = _check_rows(path)
    first = sample[0]
    dropped = [_find(path, name, first, header) for name in drop]
    kept = [i for i in range(len(first)) if i not in dropped]
    if target is not None:
        label = _find(path, target, first, header)
    else:
        label = kept[-1] if kept else None
    features = [i for i in kept if i != label]
    if label not in kept or not features:
        raise ValueError(f"{path}: expected a target, and other columns beside it.")
    used = [*features, label]
    if header == "infer":
        header = _infer_header(path, [[row[i] for i in used] for row in sample], mixed)
    names = first if header else [f"x{i}" for i in range(len(first))]
    for name in [*drop, target]:
        if name is not None and name not in names:
            _refuse_name(path, name, names, header)
    if header:
        _check_header(path, first, used, n_rows)
    layout = _Layout(path, header, names, features, n_rows - header)
    missing = {i: sorted(_MISSING) for i in features}
    frame = _read_frame(pandas, layout, {label: str}, usecols=used, na_values=missing)
    y = _to_labels(layout, frame.pop(label), label)
    X, doubtful = _to_samples(pandas, layout, frame, mixed)
    return Table(X, y, header, names[label], doubtful)


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
    _check_separator(path)
    sample, n_rows = _check_rows(path, min_fields=1)
    first = sample[0]
    numbered = [f"x{i}" for i in range(len(first))]
    # Names that were made up for a file without a header.
    made_up = names is not None and all(_MADE_UP.fullmatch(name) for name in names)
    by_name = names is not None and header is not False
    by_name = by_name and not (made_up and not set(names) & set(first))
    has_header = by_name or header is True
    if by_name:
        lacking = [name for name in names if name not in first]
        if lacking:
            raise ValueError(
                f"{path}: the model needs the columns {_join(lacking)}; the first row "
                f"has {_join(first)}."
            )
        features, all_names = [first.index(name) for name in names], first
        _check_header(path, first, [*features, None], n_rows)
    elif len(first) == len(kinds):
        features, all_names = range(len(first)), names or numbered
        if has_header:
            _check_header(path, first, [None], n_rows)
        elif header == "infer" and _may_be_other_names(first, kinds):
            raise ValueError(
                f"{path}: can't tell whether the first row is a header or values, "
                f"found {first!r:.100}. Say which, by --header yes or no."
            )
    else:
        raise ValueError(
            f"{path}: expected the {len(kinds)} features that the model was "
            f"fitted to, in order; found {len(first)} columns."
        )
    for i, kind in zip(features, kinds, strict=True):
        if kind in (TIMES, SPANS):
            raise ValueError(
                f"{path}: the column {all_names[i]!r} had {kind} in training, which "
                "are not read from a CSV or TSV file. Write the rows to a Parquet file."
            )
    layout = _Layout(path, has_header, all_names, features, n_rows - has_header)
    others = [i for i in range(len(first)) if i not in features]
    missing = {i: sorted(_MISSING) for i in features}
    frame = _read_frame(pandas, layout, dict.fromkeys(others, str), na_values=missing)
    _check_same_rows(layout, frame[others])
    rest = frame[others].set_axis([first[i] for i in others], axis=1)
    known = dict(zip(features, kinds, strict=True))
    X, _ = _to_samples(pandas, layout, frame[features], True, known)
    return np.asarray(X) if names is None else X, rest


def import_pandas():
    """pandas, or an error that says that files are read with it."""
    try:
        import pandas
    except ImportError as error:
        message = "CSV files are read with pandas: run `pip install pandas`."
        raise ImportError(message) from error
    return pandas


def _find(path, name, first, header):
    """Index of a named column, before it is known whether the first row has names."""
    by_number = [f"x{i}" for i in range(len(first))]
    if header is not False and name in first:
        return first.index(name)
    if header is not True and name in by_number:
        return by_number.index(name)
    return _refuse_name(path, name, by_number if header is False else first, header)


def _refuse_name(path, name, names, header):
    without = "; the first row is read as data" if header is False else ""
    by_lower = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), by_lower, n=1)
    question = f" Did you mean {by_lower[close[0]]!r}?" if close else ""
    raise ValueError(
        f"{path}: no column is named {name!r}.{question} The columns are "
        f"{_join(names)}{without}."
    )


def _join(names):
    shown = ", ".join(map(repr, names[:20]))
    return shown if len(names) <= 20 else f"{shown}, ... ({len(names)} in all)"


# The rows.


def _ending(path):
    name = str(path).lower()
    return name.removesuffix(".gz").rpartition(".")[2], name.endswith(".gz")


def _separator(path):
    return "\t" if _ending(path)[0] == "tsv" else ","


def _open(path):
    # Opened here, as pandas takes some paths for addresses or archives, by their names.
    open_file = gzip.open if _ending(path)[1] else open
    return open_file(
        path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=""
    )


def _lines(path):
    with _open(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                if _NO_TEXT.search(line):
                    raise ValueError(
                        f"{path}, line {number}: expected text in UTF-8 without NUL, "
                        f"found {line!r:.100}."
                    )
                yield line
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: can't be unpacked: {error}") from error


def _rows(path, refuse_blank=False):
    """Yield line number and fields of each row that is not blank.

    `refuse_blank` refuses blank lines between rows of a single field, whose value may
    be missing there.
    """
    reader = csv.reader(
        _lines(path), delimiter=_separator(path), skipinitialspace=True, strict=True
    )
    line, blank = 1, None
    try:
        for fields in reader:
            if len(fields) > 1 or "".join(fields).strip(" \t"):
                if refuse_blank and blank is not None and len(fields) == 1:
                    raise ValueError(
                        f"{path}, line {blank}: the line is blank. Write NA if its "
                        "value is missing; else remove it."
                    )
                yield line, fields
            elif blank is None:
                blank = line
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {line}: expected a CSV file: {error}."
        ) from error


def _check_rows(path, min_fields=2):
    """Check the number of fields of each row; the first rows and their number."""
    separator = "tabs" if _separator(path) == "\t" else "commas"
    sample, n_rows = [], 0
    for line, fields in _rows(path, refuse_blank=min_fields == 1):
        if n_rows < _SAMPLE:
            sample.append([field.strip() for field in fields])
        n_rows += 1
        n_fields = max(min_fields, len(sample[0]))
        if len(fields) != n_fields:
            raise ValueError(
                f"{path}, line {line}: expected {n_fields} fields separated by "
                f"{separator}, found {len(fields)}: {fields!r:.100}."
            )
    if n_rows == 0:
        raise ValueError(f"{path}: expected a CSV file, but it is empty.")
    return sample, n_rows


def _check_separator(path):
    """Refuse a CSV file whose lines may be separated by something else, too."""
    if _separator(path) != ",":
        return
    lines = [_QUOTED.sub("", line) for line in islice(_lines(path), 100)]
    for separator, name in _OTHER_SEPARATORS.items():
        counts = {line.count(separator) for line in lines if line.strip()}
        if len(counts) == 1 and counts != {0}:
            raise ValueError(
                f"{path}: all lines have as many {name}. Are there {name} in place of "
                "commas? Then write a file with commas: "
                f"pandas.read_csv(path, sep={separator!r}, header=None, dtype=str, "
                "keep_default_na=False).to_csv('new.csv', header=False, index=False). "
                "If numbers have decimal commas, replace these by points."
            )


# The header.


def _infer_header(path, sample, mixed):
    """Whether the first row has names, not values, by what the other rows have.

    A column of numbers tells by whether its first field is one, a column of text by
    whether its first field occurs again.

    Raises
    ------
    ValueError
        If it may be either: then a guess may lose a row, or make one up.
    """
    first, *others = sample
    names = first[:-1]
    by_numbers, by_text = set(), set()
    for name, column in zip(first, zip(*others, strict=True), strict=False):
        present = [value for value in column if value not in _MISSING]
        if not present or name == "":
            continue
        if all(map(is_almost_number, present)):
            by_numbers |= _may_be_name(name)
        elif mixed and all(map(_ISO_DATE.fullmatch, present)):
            by_numbers.add(_ISO_DATE.fullmatch(name) is None)
        elif name in present:
            by_text.add(False)
        elif len(set(present)) < len(present):
            by_text.add(True)
    evidence = by_numbers | by_text
    # The first row decides by itself if the others have numbers alone, or nothing.
    alone = not evidence and not (
        mixed and any(True in _may_be_name(v) for row in others for v in row[:-1])
    )
    are_names = all(_may_be_name(field) == {True} for field in first)
    are_names = are_names and any(map(_WORD.match, names))
    are_values = all(_may_be_name(name) == {False} for name in names)
    counts_rows = first[0] == "" and [row[0] for row in others] == [
        str(i) for i in range(len(others))
    ]
    enough = by_numbers or len(others) >= _ROWS_OF_TEXT
    if are_names and (alone or (evidence == {True} and enough)):
        return True
    by_others = evidence == {False} or (by_numbers == {False} and False in by_text)
    is_clear = not _count_up(first) and not (others and counts_rows)
    if (by_others or (alone and are_values)) and is_clear:
        return False
    hint = " If the first column has row numbers, leave it out: to_csv(index=False)."
    raise ValueError(
        f"{path}: can't tell whether the first row is a header or values, found "
        f"{first!r:.100}. Say which, by header=True or False (--header yes or no)."
        f"{'' if first[0] else hint}"
    )


def _may_be_name(field):
    """Whether a field of the first row may be a name: {True}, {False} or both."""
    if field in _MISSING or is_number(field):
        return {False}
    return {True, False} if is_almost_number(field) else {True}


def _count_up(first):
    """Whether fields count up, as years and the names that pandas makes do.

    Two numbers do so by one, as values of any other step are not rare.
    """
    if len(first) < 2 or not all(map(is_number, first)):
        return False
    numbers = np.array(first, float)
    if not np.isfinite(numbers).all():
        return False
    step = numbers[1] - numbers[0]
    rest = numbers - (numbers[0] + step * np.arange(len(numbers)))
    steps_are_equal = step > 0 and np.abs(rest).max() <= 1e-6 * step
    return bool(steps_are_equal and (len(first) > 2 or step == 1))


def _may_be_other_names(first, kinds):
    """Whether the first of the new rows may have names that the model does not know.

    Text in a column of numbers is refused where the values are read.
    """
    are_unseen = [
        isinstance(kind, set) and field not in {*map(str.strip, kind), *_MISSING}
        for field, kind in zip(first, kinds, strict=True)
    ]
    return _count_up(first) or all(are_unseen)


def _check_header(path, first, used, n_rows):
    """Check the names of the columns; that of the last used one, a label, may lack."""
    if n_rows == 1:
        raise ValueError(f"{path}: expected rows, found a header only.")
    for i, name in enumerate(first):
        if name in first[:i] or (name == "" and i in used[:-1]):
            raise ValueError(
                f"{path}: expected a different name for each column, found {name!r} "
                f"for column {i + 1}. If it has row numbers, remove it."
            )


# The values.


def _read_frame(pandas, layout, dtype, **options):
    # Before 3.1 the others round; since then all are exact, and this is deprecated.
    if tuple(map(int, pandas.__version__.split(".")[:2])) < (3, 1):
        options["float_precision"] = "round_trip"
    with _open(layout.path) as file:
        if any(line.endswith("\r") for line in _lines(layout.path)):
            file = _rewritten(layout.path)
        try:
            return pandas.read_csv(
                file,
                sep=_separator(layout.path),
                names=range(len(layout.names)),
                dtype=dtype,
                header=0 if layout.has_header else None,
                index_col=False,
                keep_default_na=False,
                skipinitialspace=True,
                low_memory=False,
                **options,
            )
        except ValueError as error:
            raise ValueError(f"{layout.path}: expected a CSV file: {error}") from error


def _rewritten(path):
    # Where lines end in a carriage return alone, pandas drops an empty first field.
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=_separator(path)).writerows(
        row for _, row in _rows(path)
    )
    text.seek(0)
    return text


def _check_same_rows(layout, texts):
    """Check columns of text, which lack values where pandas finds fewer fields."""
    if len(texts) != layout.n_rows or np.any(texts.isna()):
        raise ValueError(f"{layout.path}: {_DIFFERENT_ROWS}")


def _to_labels(layout, column, label):
    """The labels, integers if all are written as such."""
    _check_same_rows(layout, column)
    column = column.str.strip()
    distinct = column.unique()
    for text in distinct:
        if text in _MISSING_LABELS:
            n_lacking = column.isin(_MISSING_LABELS).sum()
            have = "1 row has" if n_lacking == 1 else f"{n_lacking} rows have"
            remedy = (
                f" {have} no label. Remove such rows, or move them to a file of their "
                "own, to predict their labels (--predict)."
            )
            _refuse(layout, label, text, "a label", remedy)
    y = np.array(column, dtype=str)
    return y.astype(np.int64) if all(map(_INTEGER.fullmatch, distinct)) else y


def _to_samples(pandas, layout, frame, mixed, known=None):
    """The samples, from a frame with the columns that pandas reads as numbers.

    `known` has the kind of each column, as of :func:`read_new_rows`. Without
    `known`, the values decide.
    """
    has_codes = mixed and any(map(_MAY_BE_CODE.search, _lines(layout.path)))
    # pandas reads True as 1, and a long integer as an object.
    texts = [
        i
        for i in frame
        if (known[i] is not None if known else has_codes)
        or frame[i].dtype.kind not in "iuf"
    ]
    X = np.empty(frame.shape)
    for place, i in enumerate(frame):
        if i not in texts:
            X[:, place] = frame[i]
    places = list(frame)
    if texts:
        frame = _read_frame(pandas, layout, str, usecols=texts)
    not_numbers, doubtful = {}, {}
    for i in texts:
        column = frame[i].str.strip()
        column = column.where(~column.isin(_MISSING))
        kind = known[i] if known else None
        if isinstance(kind, set):
            column = _restore(column, frame[i], kind)
        counts = column.value_counts()
        if kind == DATES or (not known and mixed and _are_dates(counts.index)):
            not_numbers[layout.names[i]] = _to_dates(pandas, layout, i, column)
        elif kind is not None if known else _are_categories(layout, i, counts, mixed):
            not_numbers[layout.names[i]] = column.astype("category")
            if finding := _doubt(counts):
                doubtful[layout.names[i]] = finding
        else:
            # A model of another kind of table may have learned from booleans.
            odd = [t for t in counts.index if not (is_number(t) or is_truth(t))]
            if odd:
                expected = "a number, as in training, or nothing where it is missing"
                _refuse(layout, i, odd[0], expected)
            X[:, places.index(i)] = column.map(to_number, na_action="ignore")
    if layout.has_header or not_numbers:
        names = [layout.names[i] for i in places]
        X = pandas.DataFrame(X, columns=names, copy=False)
    for name, column in not_numbers.items():
        X[name] = column
    return X, doubtful


def _doubt(counts):
    """What the distinct texts of a column of categories have that may be no text."""
    if any(map(is_number, counts.index)):
        return "numbers with leading zeros or among its text, as codes have"
    are_dates = [_ISO_DATE.fullmatch(text) is not None for text in counts.index]
    if counts[are_dates].sum() > _SHARE_OF_CODES * counts.sum():
        return "dates among its text"
    return None


def _are_dates(texts):
    return len(texts) > 0 and all(map(_ISO_DATE.fullmatch, texts))


def _to_dates(pandas, layout, i, column):
    """Convert a column to dates, in UTC if they have a time zone."""
    texts = column.dropna().unique()
    matches = list(map(_ISO_DATE.fullmatch, texts))
    for text, match in zip(texts, matches, strict=True):
        if match is None:
            _refuse(layout, i, text, f"a date such as {_DATES_AS}")
    have_zone = [match["zone"] is not None for match in matches]
    if any(have_zone) and not all(have_zone):
        _refuse(
            layout,
            i,
            texts[have_zone.index(False)],
            "a date with a time zone, as others in the column have",
        )
    dates = pandas.to_datetime(
        column, format="ISO8601", utc=any(have_zone), errors="coerce"
    )
    if (is_wrong := dates.isna() & column.notna()).any():
        _refuse(layout, i, column[is_wrong].iloc[0], "a date of the calendar")
    return dates


def _restore(column, raw, known):
    """Undo in a column what makes other texts of a model's categories.

    A model that was fitted in Python may know "NA", or texts with blanks around.
    """
    category_of = {category.strip(): category for category in sorted(known)}
    # Texts that are categories themselves stay.
    category_of |= {category: category for category in known}
    to_category = {
        text: category_of.get(text, category_of.get(text.strip()))
        for text in raw.unique()
    }
    found = raw.map(to_category)
    return column.where(found.isna(), found)


def _are_categories(layout, i, counts, mixed):
    """Whether the distinct texts of a column, with their numbers, are categories.

    Raises
    ------
    ValueError
        If they may be dates, or numbers with mistakes.
    """
    numbers = np.array([is_number(text) for text in counts.index], dtype=bool)
    if numbers.all():
        return mixed and any(map(has_leading_zero, counts.index))
    others = counts[~numbers]
    almost = others[[is_almost_number(text) for text in others.index]]
    dates = others[[is_date(text) for text in others.index]]
    n_rows, n_others = counts.sum(), others.sum()
    share = min(len(others) / len(counts), n_others / n_rows)
    by_pandas = f"pandas.read_csv(path, dtype={{{layout.names[i]!r}: 'category'}})"
    if mixed and dates.sum() > n_rows / 2:
        odd = [text for text in counts.index if not _ISO_DATE.fullmatch(text)]
        _refuse(
            layout,
            i,
            _first_in_file(layout, i, odd),
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
        or (len(almost) and n_rows - n_others + almost.sum() > n_rows / 2)
        or (numbers.any() and share < _SHARE_OF_CODES)
        # Other marks of missing values than those of files, such as "-".
        or (numbers.any() and all(map(is_missing, others.index)))
    ):
        odd = next(v for v in (dates, almost, others) if len(v)).index
        remedy = by_pandas if mixed else "read_mixed_csv"
        _refuse(
            layout,
            i,
            _first_in_file(layout, i, odd),
            "a number, or nothing, NA or ? where it is missing",
            " Write it as a number; if the column has dates, write all of them as "
            f"{_DATES_AS}; if it has categories, read the file by {remedy}. On the "
            "command line, --drop leaves a column out.",
        )
    return True


def _first_in_file(layout, i, texts):
    """The text among those of a column that comes first in the file."""
    rows, texts = islice(_rows(layout.path), layout.has_header, None), list(texts)
    fields = (fields[i].strip() for _, fields in rows)
    return next((field for field in fields if field in texts), texts[0])


def _refuse(layout, i, text, expected, remedy=""):
    """Raise the error of a text in a column, with its line."""
    rows = islice(_rows(layout.path), layout.has_header, None)
    line = next((line for line, fields in rows if fields[i].strip() == text), None)
    del rows  # closes the file
    if line is None:
        raise ValueError(f"{layout.path}: {_DIFFERENT_ROWS}")
    name = f" ({layout.names[i]!r})" if layout.has_header else ""
    raise ValueError(
        f"{layout.path}, line {line}, column {i + 1}{name}: expected {expected}; found "
        f"{text!r:.100}.{remedy}"
    )
