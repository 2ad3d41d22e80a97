"""Decides which columns of a table are numbers, dates or categories.

`read_columns` decides in `fit`, and warns of columns that look wrong;
`read_known_columns` reads later tables alike. :mod:`.sources` reads a column.
"""

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.stable.v2.dependencies import is_into_dataframe

from .._network.warning import warn
from . import texts
from .column_warnings import describe_units, join, warnings_of_column
from .sources import (
    CATEGORIES,
    NUMBERS,
    REAL_TYPES,
    Column,
    make_sources,
    names_in_messages,
)

# A column is free text if more than this share of its values is distinct, and if its
# distinct values have this many characters or more on average.
_FREE_TEXT_SHARE = 0.5
_FREE_TEXT_LENGTH = 40
# From this number of distinct numbers on, text such as "<0.5" counts as a limit.
_MANY_NUMBERS = 10
_NUMBER_TYPES = {
    *(nw.Float32, nw.Float64, nw.Int8, nw.Int16, nw.Int32, nw.Int64),
    *(nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64),
}


def read_columns(X, categorical_features):
    """Read the columns of a table in `fit`, and decide which are categorical.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        A table that :func:`.table.check_table` has checked.

    categorical_features : "from_dtype", array-like of bool, int or str, or None
        The parameter of the estimators.

    Returns
    -------
    columns : list of Column
        The columns, in order.

    Raises
    ------
    ValueError
        If a column has dates beside other values, free text, infinite numbers, or text
        instead of numbers. The message names the column.
    """
    declared = _declared_mask(X, categorical_features)
    infers_categories = is_into_dataframe(X) and categorical_features is not None
    columns, messages = [], []
    for source, is_declared in zip(make_sources(X), declared, strict=True):
        if is_declared:
            column = source.read_categories()
        elif source.type_kind == NUMBERS:
            column = source.read_numbers()
        elif source.time_kind:
            column = source.read_times()
        elif infers_categories:
            column = _infer_column(source, messages)
        else:
            column = source.read_numbers()
            if column.has_text and (finding := _describe_codes(source.factorized[1])):
                messages.append(
                    f"Column {source.name} {finding}: it is taken as numbers. If they "
                    "are codes, name the column in `categorical_features`."
                )
        _refuse_free_text(column)
        messages += warnings_of_column(source, column)
        columns.append(column)
    # Warn after the last column is accepted: a refused table gets its error alone.
    for message in messages:
        warn(message)
    return columns


def read_known_columns(X, encodings):
    """Read the columns of a checked table after `fit`, each by its encoding.

    Raises
    ------
    ValueError
        If a column has other values than in `fit`: text instead of numbers, dates
        instead of numbers, the reverse, or values that can't be categories. The message
        names the column.
    """
    columns = _read_typed_numbers(X, [encoding.is_numeric for encoding in encodings])
    others = [i for i, column in enumerate(columns) if column is None]
    if others:
        for i, source in zip(others, make_sources(X, others), strict=True):
            columns[i] = encodings[i].read(source)
    return columns


def _read_typed_numbers(X, are_wanted):
    """Read the wanted columns whose type is numeric, all at once; None for the others.

    One by one, the columns would take most of the time for a row (benchmarks: serving).
    """
    index = np.flatnonzero(are_wanted).tolist()
    if is_into_dataframe(X):
        frame = nw.from_native(X, eager_only=True)
        dtypes = list(frame.schema.values())
        index = [i for i in index if dtypes[i] in _NUMBER_TYPES]
        # A selection takes as long as all the rest.
        values = frame if len(index) == len(dtypes) else frame[:, index]
        values = values.to_numpy() if index else None
    else:
        index = index if X.dtype.kind in "biuf" else []
        frame = X
        values = X[:, index]
    columns = [None] * len(are_wanted)
    names = names_in_messages(frame)
    # Beside NumPy's numbers, Arrow's missing values make objects of all: each column is
    # then read by itself.
    if index and values.dtype != object:
        values = np.asarray(values, np.float64)
        for i, column in zip(index, values.T, strict=True):
            columns[i] = Column(names[i], column)
    return columns


def _declared_mask(X, categorical_features):
    """Which columns `categorical_features` declares, as a mask."""
    n_columns = X.shape[1]
    mask = np.zeros(n_columns, bool)
    if categorical_features is None or isinstance(categorical_features, str):
        return mask
    declared = np.asarray(categorical_features)
    if declared.size == 0:
        return mask
    # The types of the values, as the array may be one of objects.
    kinds = {np.asarray(value).dtype.kind for value in declared.ravel()}
    if declared.ndim != 1 or len(kinds) > 1 or not kinds <= set("biuU"):
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str, got "
            f"{categorical_features!r}."
        )
    if kinds == {"b"}:
        if len(declared) != n_columns:
            raise ValueError(
                f"categorical_features set as a boolean mask must have shape "
                f"({n_columns},), got ({len(declared)},)."
            )
        places = slice(None)
        is_series = nw.dependencies.is_pandas_series(categorical_features)
        if is_series and is_into_dataframe(X):
            # As in a mask that is made from df.dtypes.
            labels = categorical_features.index.tolist()
            names = nw.from_native(X, eager_only=True).columns
            if set(labels) == set(names) or all(isinstance(i, str) for i in labels):
                places = _indices_of_names(X, labels)
                if len(set(labels)) < n_columns:
                    raise ValueError(
                        "categorical_features is a Series whose index has a column "
                        f"twice: {labels}."
                    )
        mask[places] = declared.astype(bool)
        return mask
    is_repeated = len(set(declared.tolist())) < len(declared)
    if is_repeated and len(declared) == n_columns and set(declared.tolist()) <= {0, 1}:
        raise ValueError(
            "categorical_features has integers, which are indices, but looks like a "
            f"mask: {declared.tolist()}. Pass a mask as booleans, or each index once."
        )
    if kinds == {"U"}:
        declared = _indices_of_names(X, declared.tolist())
    if declared.min() < 0 or declared.max() >= n_columns:
        raise ValueError(
            f"categorical_features set as integers must be in [0, {n_columns - 1}], "
            f"got {declared.tolist()}."
        )
    mask[declared.astype(int)] = True
    return mask


def _indices_of_names(X, declared):
    """Indices of the columns that `categorical_features` names."""
    if not is_into_dataframe(X):
        raise ValueError(
            "categorical_features has names, but X is an array without feature "
            "names. Pass a DataFrame, or the indices of the columns."
        )
    names = list(nw.from_native(X, eager_only=True).columns)
    for name in declared:
        if name not in names:
            raise ValueError(
                f"categorical_features has the value {name!r} which is not a valid "
                f"feature name of X: {names}."
            )
    return np.array([names.index(name) for name in declared])


def _infer_column(source, messages):
    """Read a column whose type is not numeric as numbers or as categories.

    It is numeric if all objects are numbers. :func:`_infer_text` has the rule for text,
    and may add to the messages.
    """
    if source.type_kind == CATEGORIES:
        return source.read_categories()
    if source.is_all_missing:
        return source.read_numbers()
    source.refuse_unfit_type()
    codes, categories = source.factorized
    present = [value for value in categories if value is not None]
    strings = [value for value in present if isinstance(value, str)]
    _refuse_date_texts(source.name, strings, len(present))
    n_numbers = sum(isinstance(value, REAL_TYPES) for value in present)
    n_bools = sum(isinstance(value, bool | np.bool_) for value in present)
    if strings and n_numbers + len(strings) == len(present) and not n_bools:
        is_numeric, finding = _infer_text(codes, categories, strings)
        if finding:
            messages.append(
                f"Column {source.name} {finding} Before the fit, convert the column to "
                f"numbers, such as by {_way_to_numbers(strings)}, or name it in "
                "`categorical_features`."
            )
    else:
        is_numeric = n_numbers == len(present) and n_bools < len(present)
    return source.read_numbers() if is_numeric else source.read_categories()


def _infer_text(codes, categories, strings):
    """Decide whether a column of text, or of text and numbers, is numeric.

    It is numeric if each text is a number without leading zeros, or stands for a
    missing value. Codes, such as postal codes, have leading zeros, or are integers so
    long that float64 may merge them.

    The second result is the rest of a warning that begins with the column's name. It is
    empty unless most rows have numbers, or the texts are numbers with a unit.
    """
    if finding := describe_units(strings):
        return False, f"{finding}: it is taken as categories."
    # Beside many numbers, "<0.5" is a value below a limit, and no category.
    n_plain = sum(not isinstance(v, str) or texts.is_number(v) for v in categories)
    has_limits = n_plain >= _MANY_NUMBERS
    # Rows with numbers, or text such as "10%", less those with other values.
    balance = 0
    n_rows = np.bincount(codes, minlength=len(categories)).tolist()
    for value, n in zip(categories, n_rows, strict=True):
        is_text = isinstance(value, str)
        if value is not None and not (is_text and texts.is_missing(value)):
            is_number = (
                not is_text
                or texts.is_almost_number(value)
                or (has_limits and texts.is_limit(value))
            )
            balance += n if is_number else -n
    if balance <= 0:
        return False, ""
    missing = [text for text in strings if texts.is_missing(text)]
    words = [t for t in strings if not (texts.is_number(t) or texts.is_missing(t))]
    if words:
        return False, (
            f"has numbers among its text, but also {join(words)}: it is taken as "
            "categories."
        )
    if codes_found := _describe_codes(strings):
        return False, f"{codes_found}: it is taken as categories."
    also = f" and {join(missing)}, taken as missing" if missing else ""
    return True, f"has numbers written as text{also}: it is taken as numbers."


def _way_to_numbers(strings):
    """How to convert text of numbers, for a message."""
    if len(texts.with_thousands(strings)) > 1:
        return (
            "pandas.read_csv with thousands='.' and decimal=',' if its points separate "
            "thousands, otherwise by pandas.to_numeric"
        )
    if any(texts.is_almost_number(t) and not texts.is_number(t) for t in strings):
        # pandas.to_numeric alone can't read "1,153", "$1.50" and "10%".
        return (
            "pandas.read_csv with its `thousands` and `decimal`, or by "
            "Series.str.replace and pandas.to_numeric"
        )
    units = {texts.unit_of(text) for text in strings}
    if units & {"k", "M"}:
        # Without the unit, 10.5k would become 10.5.
        return "Series.str.replace, of k by e3 and of M by e6, and pandas.to_numeric"
    if units - {None} or any(map(texts.is_limit, strings)):
        return "Series.str.replace and pandas.to_numeric"
    if not all(map(texts.is_number, strings)):
        # pandas.to_numeric alone refuses "missing", and most marks of missing values.
        return "pandas.to_numeric with errors='coerce'"
    return "pandas.to_numeric"


def _describe_codes(values):
    """What codes among text of numbers look like, for a message; "" without codes."""
    strings = [value for value in values if isinstance(value, str)]
    if zeros := [text for text in strings if texts.has_leading_zero(text)]:
        return f"has numbers with leading zeros, as codes have, such as {join(zeros)}"
    if long := texts.long_integers(strings):
        return f"has integers of many digits, as codes have, such as {join(long)}"
    return ""


def _refuse_date_texts(name, strings, n_values):
    """Raise ValueError if more than half of the values are dates written as text."""
    found = [text for text in strings if texts.is_date(text)]
    if len(found) > n_values / 2:
        label = name.partition(" (at index ")[0]
        column = "column" if label.startswith("at index ") else f"X[{label}]"
        conversion = texts.conversion_of_dates(found, column) or (
            f"pandas.to_datetime({column}), with dayfirst=True if the day comes first, "
            "yearfirst=True if a year of two digits does, utc=True if time zones "
            "differ, and a `format` if pandas can't read the dates"
        )
        others = [text for text in strings if not texts.is_date(text)]
        first = f"Replace {join(others)} by None or by a date. " if others else ""
        raise ValueError(
            f"Column {name} has dates, times or time spans written as text, such as "
            f"{found[0]!r}. {first}Convert it: {column} = {conversion}. If it has "
            "other values, such as versions or ratios, cast it to a category: "
            f"{column} = {column}.astype('category')."
        )


def _refuse_free_text(column):
    """Raise ValueError if the values of a categorical column are mostly sentences."""
    strings = [value for value in column.categories or () if isinstance(value, str)]
    if len(strings) <= max(20, _FREE_TEXT_SHARE * len(column.values)):
        return
    length = np.mean([len(text) for text in strings])
    if length >= _FREE_TEXT_LENGTH:
        raise ValueError(
            f"Column {column.name} looks like free text: {len(strings)} distinct "
            f"values of {length:.0f} characters on average. Convert it to numbers, by "
            "skrub.TableVectorizer in a Pipeline with the estimator, or drop it."
        )
