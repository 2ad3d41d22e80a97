"""CSV and TSV files as tables: the kinds of their columns, and the values."""

import re
from typing import NamedTuple

import numpy as np

from .._network.warning import warn
from .._tabular.columns import describe_units
from .._tabular.dates import DATES, SPANS, TIMES
from .._tabular.texts import (
    has_leading_zero,
    is_almost_number,
    is_date,
    is_missing,
    is_number,
    is_truth,
    long_integers,
    mixed_thousands,
    to_number,
    with_thousands,
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
# A leading zero of a field, or many digits.
_MAY_BE_CODE = re.compile('(^|[,\t"])\\s*[+-]?(0[0-9]|[0-9]{16})')
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
    # For each column that may have been meant otherwise, the finding and the decision.
    doubtful: dict


def read_csv(path, header="infer"):
    """Read samples and labels from a CSV file with the label in the last column.

    It needs pandas. A warning names columns whose points may separate thousands.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8, separated by commas; by tabs if its name ends in ``.tsv``.
        It is unpacked if its name ends in ``.gz``.

    header : bool or "infer", default="infer"
        Whether the first row has the names of the columns. See "CSV files" in the user
        guide for the rules. An ambiguous file is refused: pass True or False.

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
    return _read_with_warnings(path, header, mixed=False)


def read_mixed_csv(path, header="infer"):
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
    return _read_with_warnings(path, header, mixed=True)


def _read_with_warnings(path, header, mixed):
    """Read samples and labels, with a warning for each doubtful column."""
    table = read_table(path, header, mixed=mixed)
    for name, finding in table.doubtful.items():
        warn(f"{path}: column {name!r} {finding}")
    return table.X, table.y


def read_table(path, header, *, mixed, target=None, drop=()):
    """As :func:`read_csv`, or :func:`read_mixed_csv`, with the decisions on the file.

    `mixed` says whether features may be categories. `target` and `drop` are names of
    columns; None is the last column. Without a header, the columns are named x0, x1 and
    so on.
    """
    # Not `in`: 0 equals False, but for pandas 0 is a header.
    if not isinstance(header, bool) and header != "infer":
        raise ValueError(f'header must be True, False or "infer", got {header!r}.')
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
    used = [*features, label]
    if header == "infer":
        sample = [[row[i] for i in used] for row in file.sample]
        header = infer_header(path, sample, mixed)
    for name in [*drop, *([] if target is None else [target])]:
        if name not in (file.first if header else file.names):
            file.refuse_name(name, header)
    if header:
        file.take_header(features)
    missing = {i: sorted(MISSING) for i in features}
    frame = file.read({label: str}, usecols=used, na_values=missing)
    y = _to_labels(file, frame.pop(label), label)
    X, doubtful = _to_samples(file, frame, mixed)
    return Table(X, y, header, file.names[label], doubtful)


def read_new_rows(path, names, kinds, header):
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

    header : bool or "infer"
        Whether the first row has names. With False, or if there are no names to
        compare with, the columns are taken in order. "infer" refuses a first row that
        may have other names.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_rows, n_features)
        The samples, as in `read_mixed_csv`.

    others : DataFrame
        The other columns, as text.
    """
    file = TextFile(path, min_fields=1)
    features = _find_features(file, names, kinds, header)
    known = dict(zip(features, kinds, strict=True))
    for i, kind in known.items():
        if kind in (TIMES, SPANS):
            raise ValueError(
                f"{path}: the column {file.names[i]!r} had {kind} in training, which "
                "are not read from a CSV or TSV file. Write the rows to a Parquet file."
            )
    others = [i for i in range(len(file.first)) if i not in features]
    missing = {i: sorted(MISSING) for i in features}
    frame = file.read(dict.fromkeys(others, str), na_values=missing)
    file.check_same_rows(frame[others])
    rest = frame[others].set_axis([file.first[i] for i in others], axis=1)
    X, doubtful = _to_samples(file, frame[features], True, known)
    for i, kind in known.items():
        if kind is None and file.names[i] in doubtful:
            warn(f"{path}: column {file.names[i]!r} {doubtful[file.names[i]]}")
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


def _to_labels(file, column, label):
    """The labels, integers if all are written as such."""
    file.check_same_rows(column)
    column = column.str.strip()
    n_missing = column.isin(_MISSING_LABELS).sum()
    if n_missing:
        have = "1 row has" if n_missing == 1 else f"{n_missing} rows have"
        remedy = (
            f" {have} no label. Remove such rows, or move them to a file of their own, "
            "to predict their labels (--predict)."
        )
        file.refuse(label, _MISSING_LABELS, "a label", remedy)
    y = np.array(column, dtype=str)
    are_integers = all(map(_INTEGER.fullmatch, column.unique()))
    return y.astype(np.int64) if are_integers else y


def _to_samples(file, frame, mixed, known=None):
    """The samples, from a frame with the columns that pandas reads as numbers.

    `known` has the kind of each column, as in :func:`read_new_rows`. Without
    `known`, the values decide.
    """
    has_codes = mixed and any(map(_MAY_BE_CODE.search, file.lines()))
    # pandas reads True as a boolean, and a long integer as an object.
    texts = [
        i
        for i in frame
        if (known[i] is not None if known else has_codes)
        or frame[i].dtype.kind not in "iuf"
    ]
    X, places = np.empty(frame.shape), list(frame)
    for place, i in enumerate(frame):
        if i not in texts:
            X[:, place] = frame[i]
    if texts:
        frame = file.read(str, usecols=texts)
    others, doubtful = {}, {}
    rows = file.sample[file.has_header :]
    # Few columns pass this, and are read once more.
    may_have_thousands = [
        i
        for place, i in enumerate(places)
        if i not in texts
        and _are_below_1000(X[:, place])
        and with_thousands([row[i] for row in rows])
    ]
    if may_have_thousands:
        values = file.read(str, usecols=may_have_thousands)
        for i in may_have_thousands:
            if found := mixed_thousands(values[i].str.strip().unique()):
                doubtful[file.names[i]] = describe_thousands(found)
    for i in texts:
        column = frame[i].str.strip()
        column = column.where(~column.isin(MISSING))
        if known and isinstance(known[i], set):
            column = _restore(file, i, column, frame[i], known[i])
        counts, name = column.value_counts(), file.names[i]
        kind = known[i] if known else _infer_kind(file, i, counts, mixed)
        if kind is None:
            X[:, places.index(i)] = _to_numbers(file, i, column, counts.index)
            if found := mixed_thousands(counts.index):
                doubtful[name] = describe_thousands(found)
        elif kind == DATES:
            others[name] = _to_dates(file, i, column)
        else:
            others[name] = column.astype("category")
            if doubt := _doubt(counts):
                doubtful[name] = f"has {doubt}: it is taken as categories."
    if file.has_header or others:
        names = [file.names[i] for i in places]
        X = import_pandas().DataFrame(X, columns=names, copy=False)
    for name, column in others.items():
        X[name] = column
    return X, doubtful


def _infer_kind(file, i, counts, mixed):
    """The kind of a column by its distinct texts, with their numbers of rows.

    It is DATES, the set of texts for categories, or None for numbers. Texts that may be
    dates in another form, or numbers with mistakes, are refused.
    """
    texts = counts.index
    if mixed and len(texts) and all(map(ISO_DATE.fullmatch, texts)):
        return DATES
    numbers = np.array([is_number(text) for text in texts], dtype=bool)
    if numbers.all():
        are_codes = any(map(has_leading_zero, texts)) or long_integers(texts)
        return set(texts) if mixed and are_codes else None
    others = counts[~numbers]
    almost = others[[is_almost_number(text) for text in others.index]]
    dates = others[[is_date(text) for text in others.index]]
    n_rows, n_others = counts.sum(), others.sum()
    fraction = min(len(others) / len(counts), n_others / n_rows)
    by_pandas = f"pandas.read_csv(path, dtype={{{file.names[i]!r}: 'category'}})"
    if mixed and dates.sum() > n_rows / 2:
        file.refuse(
            i,
            [text for text in texts if not ISO_DATE.fullmatch(text)],
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
        or (numbers.any() and fraction < _MIN_CODES)
        # Marks of missing values that are not in MISSING, such as "-".
        or (numbers.any() and all(map(is_missing, others.index)))
    ):
        remedy = by_pandas if mixed else "read_mixed_csv"
        file.refuse(
            i,
            next(v for v in (dates, almost, others) if len(v)).index,
            "a number, or nothing, NA or ? where it is missing",
            " Write it as a number; if the column has dates, write all of them as "
            f"{_DATES_AS}; if it has categories, read the file by {remedy}. On the "
            "command line, --drop leaves a column out.",
        )
    return set(texts)


def _doubt(counts):
    """Why the texts of a column may be codes or dates in place of categories."""
    if any(map(is_number, counts.index)):
        return "numbers with leading zeros, many digits or among text, as codes have"
    if finding := describe_units(counts.index):
        return finding.removeprefix("has ")
    are_dates = [ISO_DATE.fullmatch(text) is not None for text in counts.index]
    if counts[are_dates].sum() > _MIN_CODES * counts.sum():
        return "dates among its text"
    return None


def _are_below_1000(numbers):
    """Whether numbers are below 1000, some of them whole and some not."""
    numbers = numbers[~np.isnan(numbers)]
    if (np.abs(numbers) >= 1000).any():
        return False
    is_whole = numbers % 1 == 0
    return is_whole.any() and not is_whole.all()


def describe_thousands(found):
    """The finding for numbers whose points separate thousands, and the decision."""
    text = found[0]
    return (
        f"has numbers such as {text!r} beside whole numbers below 1000: {text!r} is "
        f"taken as {float(text)}. If the points separate thousands, remove them: "
        "pandas.read_csv reads such numbers with thousands='.' and decimal=','."
    )


def _to_numbers(file, i, column, texts):
    """Convert a column with these distinct texts to numbers."""
    # A model that was fitted in Python may have learned from booleans.
    odd = [text for text in texts if not (is_number(text) or is_truth(text))]
    if odd:
        expected = "a number, as in training, or nothing where it is missing"
        file.refuse(i, odd[:1], expected)
    return column.map(to_number, na_action="ignore")


def _to_dates(file, i, column):
    """Convert a column to dates, in UTC if they have a time zone."""
    matches = {text: ISO_DATE.fullmatch(text) for text in column.dropna().unique()}
    odd = [text for text, match in matches.items() if match is None]
    if odd:
        file.refuse(i, odd, f"a date such as {_DATES_AS}")
    without_zone = [text for text, match in matches.items() if match["zone"] is None]
    has_zone = len(without_zone) < len(matches)
    if has_zone and without_zone:
        expected = "a date with a time zone, as others in the column have"
        file.refuse(i, without_zone, expected)
    dates = import_pandas().to_datetime(
        column, format="ISO8601", utc=has_zone, errors="coerce"
    )
    is_wrong = dates.isna() & column.notna()
    if is_wrong.any():
        file.refuse(i, column[is_wrong], "a date of the calendar")
    return dates


def _restore(file, i, column, raw, known):
    """Restore the texts of a model's categories in a column.

    A model that was fitted in Python may know "NA", or texts with blanks around. Blanks
    before a text are lost in reading: texts that differ by them alone are refused.
    """
    category_of = {category.strip(): category for category in sorted(known)}
    # Texts that are categories themselves stay.
    category_of |= {category: category for category in known}
    as_read = {category: category.lstrip() for category in sorted(known)}
    to_category = {
        text: category_of.get(text, category_of.get(text.strip()))
        for text in [*as_read.values(), *raw.unique()]
    }
    lost = {text: c for c, text in as_read.items() if to_category[text] != c}
    for text in raw[raw.isin(list(lost))][:1]:
        file.refuse(
            i,
            [text.strip()],
            f"a text other than {to_category[text]!r} and {lost[text]!r}, which the "
            "model takes for different categories, but which are read alike",
            " Write the new rows to a Parquet file.",
        )
    found = raw.map(to_category)
    return column.where(found.isna(), found)
