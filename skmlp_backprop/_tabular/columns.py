"""Reads the columns of a table as numbers, as dates or as categories.

`read_columns` decides in `fit` which of these a column has; `read_known_columns` reads
later tables alike.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from numbers import Real
from pathlib import PurePath
from uuid import UUID

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.stable.v2.dependencies import is_into_dataframe

from .._estimators.checks import is_missing, plain_repr
from .._network.warning import warn
from . import dates, texts
from .dates import DATES, SPANS, TIMES

# What a column holds, or its type, beside dates, times and spans: of objects the values
# tell more, and others are neither numbers nor dates nor categories, such as lists.
NUMBERS, CATEGORIES, OBJECTS, OTHERS = "numbers", "categories", "objects", "others"

_KINDS_OF_TYPES = {
    nw.Boolean: NUMBERS,
    nw.Categorical: CATEGORIES,
    nw.Enum: CATEGORIES,
    nw.String: OBJECTS,
    nw.Object: OBJECTS,
    nw.Date: DATES,
    nw.Datetime: DATES,
    nw.Time: TIMES,
    nw.Duration: SPANS,
}
# By the kind of an array's dtype.
_KINDS_OF_ARRAYS = {**dict.fromkeys("biuf", NUMBERS), "M": DATES, "m": SPANS}
_REAL_TYPES = (Real, Decimal, np.bool_)
_CATEGORY_TYPES = (
    *(*_REAL_TYPES, str, bytes, complex, Enum, UUID, PurePath),
    *(datetime.date, datetime.time, datetime.timedelta),
    *(np.datetime64, np.timedelta64),
)


# A column is free text if more than this share of its values is distinct, and if its
# distinct values have this many characters or more on average.
_FREE_TEXT_SHARE = 0.5
_FREE_TEXT_LENGTH = 40
# A column is an identifier if at least this share of its values is distinct, and if it
# has this many rows or more.
_IDENTIFIER_SHARE = 0.9
_IDENTIFIER_ROWS = 30
_NUMBER_TYPES = {
    *(nw.Float32, nw.Float64, nw.Int8, nw.Int16, nw.Int32, nw.Int64),
    *(nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64),
}


@dataclass
class Column:
    """One column of a table, as it was read.

    Parameters
    ----------
    name : str
        The name in messages, with quotes.

    values : ndarray of shape (n_rows,)
        Categories: the index in `categories` of each row's value. Otherwise numbers,
        NaN for a missing value: of dates, the microseconds since 1970 in UTC, of times
        since midnight, and of time spans their own.

    kind : str, default=NUMBERS
        NUMBERS, CATEGORIES, DATES, TIMES or SPANS.

    categories : list or None, default=None
        The distinct values, with None for a missing value.

    wall : ndarray of shape (n_rows,), datetime64[us], or None
        Dates and times as clocks show them in `zone`.

    zone : str or None
        The name of the time zone of dates, or None for no zone.

    has_text : bool, default=False
        Whether any of the numbers were written as text.

    Raises
    ------
    ValueError
        If numbers are infinite.
    """

    name: str
    values: np.ndarray
    kind: str = NUMBERS
    categories: list | None = None
    wall: np.ndarray | None = None
    zone: str | None = None
    has_text: bool = False

    def __post_init__(self):
        if self.kind == NUMBERS and np.isinf(self.values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for dtype('float64') "
                f"in column {self.name}. Replace it by a finite number, or by NaN for "
                "a missing value."
            )


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
        elif source.time_kind:
            column = source.read_times()
        elif infers_categories:
            column = _infer_column(source, messages)
        else:
            column = source.read_numbers()
        _refuse_free_text(column)
        if message := _merging_message(source, column):
            messages.append(message)
        if message := identifier_message(column):
            messages.append(message)
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
    if None in columns:
        sources = zip(columns, encodings, make_sources(X), strict=True)
        columns = [
            encoding.read(source) if column is None else column
            for column, encoding, source in sources
        ]
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
        names = [plain_repr(name) for name in frame.columns]
        # A selection takes as long as all the rest.
        values = frame if len(index) == len(names) else frame[:, index]
        values = values.to_numpy() if index else None
    else:
        index = index if X.dtype.kind in "biuf" else []
        names = [f"at index {i}" for i in range(X.shape[1])]
        values = X[:, index]
    columns = [None] * len(are_wanted)
    if index:
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
        return declared.astype(bool)
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
    """Read an undeclared column as numbers or as categories, by its type and values.

    It is numeric if its type is, or if all objects are numbers. :func:`_infer_text` has
    the rule for text, and may add to the messages.
    """
    if source.type_kind == CATEGORIES:
        return source.read_categories()
    if source.type_kind == NUMBERS or source.is_all_missing:
        return source.read_numbers()
    source.refuse_unfit_type()
    codes, categories = source.factorized
    present = [value for value in categories if value is not None]
    strings = [value for value in present if isinstance(value, str)]
    _refuse_date_texts(source.name, strings, len(present))
    n_numbers = sum(isinstance(value, _REAL_TYPES) for value in present)
    n_bools = sum(isinstance(value, bool | np.bool_) for value in present)
    if strings and n_numbers + len(strings) == len(present) and not n_bools:
        is_numeric, finding = _infer_text(codes, categories, strings)
        if finding:
            # pandas.to_numeric alone can't read "1,153", "$1.50" and "10%".
            has_others = any(
                texts.is_almost_number(t) and not texts.is_number(t) for t in strings
            )
            way = (
                "pandas.read_csv with its `thousands` and `decimal`, or by "
                "Series.str.replace and "
            )
            messages.append(
                f"Column {source.name} {finding} Declare the column before the fit: "
                f"convert it to numbers, such as by {way if has_others else ''}"
                "pandas.to_numeric, or name it in `categorical_features`."
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
    empty unless most rows have numbers.
    """
    # Rows with numbers, or text such as "10%", less those with other values.
    balance = 0
    n_rows = np.bincount(codes, minlength=len(categories)).tolist()
    for value, n in zip(categories, n_rows, strict=True):
        is_text = isinstance(value, str)
        if value is not None and not (is_text and texts.is_missing(value)):
            is_number = not is_text or texts.is_almost_number(value)
            balance += n if is_number else -n
    if balance <= 0:
        return False, ""
    missing = [text for text in strings if texts.is_missing(text)]
    words = [t for t in strings if not (texts.is_number(t) or texts.is_missing(t))]
    zeros = [text for text in strings if texts.has_leading_zero(text)]
    if words:
        return False, (
            f"has numbers among its text, but also {_join(words)}: it is taken as "
            "categories."
        )
    if zeros:
        return False, (
            f"has numbers with leading zeros, as codes have, such as {_join(zeros)}: "
            "it is taken as categories."
        )
    if long := texts.long_integers(strings):
        return False, (
            f"has integers of many digits, as codes have, such as {_join(long)}: it is "
            "taken as categories."
        )
    also = f" and {_join(missing)}, taken as missing" if missing else ""
    return True, f"has numbers written as text{also}: it is taken as numbers."


def _join(values):
    first = ", ".join(map(repr, sorted(values)[:3]))
    return first if len(values) <= 3 else f"{first} and {len(values) - 3} others"


def _refuse_date_texts(name, strings, n_values):
    """Raise ValueError if more than half of the values are dates written as text."""
    found = [text for text in strings if texts.is_date(text)]
    if len(found) > n_values / 2:
        column = "column" if name.startswith("at index ") else f"X[{name}]"
        raise ValueError(
            f"Column {name} has dates, times or time spans written as text, such as "
            f"{found[0]!r}. Convert it: {column} = pandas.to_datetime({column}), with "
            "dayfirst=True if the day comes first; times and time spans by "
            "pandas.to_timedelta. Else cast it to a category, or drop it."
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


def _merging_message(source, column):
    """Return a warning if float64 merges integers of the column, else ""."""
    if column.kind != NUMBERS or not (np.abs(column.values) >= 2**53).any():
        return ""
    if isinstance(source.values, np.ndarray):
        is_integer = source.values.dtype.kind in "iu"
        n_distinct = len(np.unique(source.values)) if is_integer else 0
    else:
        is_integer = source.values.dtype.is_integer()
        n_distinct = source.values.drop_nulls().n_unique() if is_integer else 0
    n_numbers = len(np.unique(column.values[~np.isnan(column.values)]))
    if n_distinct <= n_numbers:
        return ""
    return (
        f"Column {column.name} has {n_distinct} distinct integers, but these are only "
        f"{n_numbers} distinct numbers of the type float64. If they are identifiers, "
        "name the column in `categorical_features`, or convert it to text or a "
        "category, before the fit."
    )


def identifier_message(column):
    """Return a warning if the column identifies the rows, else the empty string.

    Numbers do if they are distinct integers >= 0 that fill half of their range, because
    a training set may be half of all rows.
    """
    values, finding = column.values, ""
    if column.kind == CATEGORIES:
        missing = [code for code, v in enumerate(column.categories) if v is None]
        n_distinct = len(column.categories) - len(missing)
        n_present = np.count_nonzero(values != missing[0]) if missing else len(values)
        if n_distinct >= max(_IDENTIFIER_ROWS, _IDENTIFIER_SHARE * n_present):
            finding = f"has {n_distinct} distinct values in {n_present} rows"
    elif len(values) >= _IDENTIFIER_ROWS:
        low, high = float(values.min()), float(values.max())
        # The comparison is false for NaN.
        if (
            (low >= 0 and high - low < 2 * len(values))
            and (values == np.floor(values)).all()
            and len(np.unique(values)) == len(values)
        ):
            finding = f"numbers the rows, from {low:.0f} to {high:.0f}, each once"
    if not finding:
        return ""
    return (
        f"Column {column.name} {finding}, as an identifier does. Identifiers tell "
        "nothing about new rows: drop the column, unless it is a quantity."
    )


def make_sources(X):
    """Make a source of each column of a table that `check_table` has checked."""
    if not nw.dependencies.is_into_dataframe(X):
        return [Source(f"at index {i}", X[:, i]) for i in range(X.shape[1])]
    frame = nw.from_native(X, eager_only=True)
    names = [plain_repr(name) for name in frame.columns]
    return list(map(Source, names, frame.iter_columns()))


class Source:
    """A column before it is read.

    Parameters
    ----------
    name : str
        The name in messages, with quotes.

    values : ndarray or narwhals Series of shape (n_rows,)
        The values.

    Attributes
    ----------
    type_kind : str
        What its type holds: NUMBERS, CATEGORIES, OBJECTS, DATES, TIMES, SPANS or
        OTHERS.

    is_all_missing : bool
        Whether it has no value, in a type of dates or of others.
    """

    def __init__(self, name, values):
        self.name, self.values, dtype = name, values, values.dtype
        self.type_name = str(dtype)
        self.is_all_missing = False
        if isinstance(values, np.ndarray):
            self.type_kind = _KINDS_OF_ARRAYS.get(dtype.kind, OBJECTS)
            if dtype.kind in "mM":
                self.is_all_missing = np.isnat(values).all()
            return
        number_kind = NUMBERS if dtype.is_numeric() else OTHERS
        self.type_kind = _KINDS_OF_TYPES.get(type(dtype), number_kind)
        if self.type_kind in (DATES, TIMES, SPANS, OTHERS):
            # Such as a polars column of type Null.
            self.is_all_missing = values.null_count() == len(values)
        if dtype == nw.Unknown:
            # Such as date64 of pyarrow, and zones of pandas that narwhals can't name.
            native = values.to_native()
            self.type_name = str(
                getattr(native, "dtype", getattr(native, "type", dtype))
            )
            self.values = np.asarray(native)
            self.type_kind = (
                _KINDS_OF_ARRAYS.get(self.values.dtype.kind)
                or _kind_of_objects(self.values)
                or OTHERS
            )

    @cached_property
    def time_kind(self):
        """DATES, TIMES or SPANS, or None if the column has none of these."""
        if self.type_kind in (DATES, TIMES, SPANS):
            return self.type_kind
        is_object = self.type_kind == OBJECTS
        return _kind_of_objects(self.factorized[1]) if is_object else None

    def read_times(self, kind=None, zone=None):
        """Read the column as dates, times of day or time spans.

        `kind` and `zone` are those of the column in `fit`, and None in `fit`.
        """
        if kind not in (None, self.time_kind):
            codes, categories = self.factorized
            for value in categories:
                if value is not None:
                    dates.refuse_other_values(self.name, kind, value)
            missing = np.full(len(codes), "NaT", "M8[us]")
            nans = np.full(len(codes), np.nan)
            return Column(self.name, nans, kind, wall=missing, zone=zone)
        values, own_zone = self._to_times()
        if self.time_kind == SPANS:
            return Column(self.name, dates.to_spans(self.name, values), SPANS)
        moments = dates.Moments(self.name, self.time_kind, values, own_zone)
        if kind is None:
            zone = moments.only_zone()
        values, wall = dates.to_microseconds(moments.utc), moments.wall_in(zone)
        return Column(self.name, values, self.time_kind, wall=wall, zone=zone)

    def read_numbers(self, had_text=None):
        """Read the column as numbers.

        `had_text` says whether `fit` saw numbers written as text, and is None in `fit`.
        """
        if self.is_all_missing:
            return Column(self.name, np.full(len(self.values), np.nan))
        if self.time_kind:
            raise ValueError(
                f"Column {self.name} had numbers in `fit`, but now has "
                f"{self.time_kind}. Convert it to numbers as before the fit."
            )
        if self.type_kind == NUMBERS:
            if isinstance(self.values, np.ndarray):
                return Column(self.name, self.values.astype(np.float64))
            try:
                values = self.values.cast(nw.Float64).to_numpy()
            except ValueError:
                # pyarrow refuses to cast integers that float64 would round: they are
                # converted as Python objects.
                pass
            else:
                return Column(self.name, np.asarray(values, np.float64))
        self.refuse_unfit_type()
        codes, categories = self.factorized
        numbers = []
        for value in categories:
            try:
                numbers.append(_parse_number(value))
            except OverflowError:
                numbers.append(np.inf)
            except ValueError as error:
                raise ValueError(
                    f"Column {self.name} has values that are not numbers ({error}). "
                    "Name the column in `categorical_features`, or cast it to a "
                    "category, before the fit; or convert all its values to numbers."
                ) from error
        strings = [value for value in categories if isinstance(value, str)]
        if had_text is False:
            self._report_thousands(strings)
        numbers = np.array(numbers, np.float64)[codes]
        return Column(self.name, numbers, has_text=len(strings) > 0)

    def _report_thousands(self, strings):
        """Warn if the points of text, read as decimal, may separate thousands."""
        with_point = sorted(t for t in strings if "." in t and not texts.is_missing(t))
        if len(with_point) > 1 and all(map(texts.may_be_thousands, with_point)):
            warn(
                f"Column {self.name} had numbers in `fit`, but now has text, such as "
                f"{with_point[0]!r}, which is read as {float(with_point[0])}. If its "
                "points separate thousands, convert the column to numbers before the "
                "prediction, such as by pandas.read_csv with thousands='.' and "
                "decimal=','."
            )

    def read_categories(self):
        """Read the column as categories."""
        self.refuse_unfit_type(permits_periods=True)
        codes, categories = self.factorized
        for value in categories:
            if not _can_be_category(value):
                raise ValueError(
                    f"Column {self.name} has values of the type "
                    f"{type(value).__name__}, which can't be categories. Convert the "
                    "values to numbers or text, or drop the column."
                )
        return Column(self.name, codes, CATEGORIES, categories)

    @cached_property
    def factorized(self):
        """The code of each row, and the distinct values; None is the missing value."""
        code_of_key, codes, values = {}, [], self.to_list()
        try:
            for value in values:
                # True itself equals 1.
                key = type(value) is bool, value
                codes.append(code_of_key.setdefault(key, len(code_of_key)))
        except (TypeError, ValueError) as error:
            # Such as a list, and a timedelta64 without a unit.
            raise ValueError(
                f"Column {self.name} has values of the type {type(value).__name__}, "
                "which are neither numbers nor categories. Convert their contents to "
                "columns of their own, or drop the column."
            ) from error
        codes = np.array(codes, np.intp)
        categories = [None if is_missing(value) else value for _, value in code_of_key]
        missing = [code for code, value in enumerate(categories) if value is None]
        if len(missing) > 1:
            # Each NaN object differs from the others and has its own code.
            merged = np.arange(len(categories))
            merged[missing] = missing[0]
            kept, new_codes = np.unique(merged, return_inverse=True)
            codes = new_codes[codes]
            categories = [categories[code] for code in kept]
        return codes, categories

    def refuse_unfit_type(self, permits_periods=False):
        """Raise ValueError if the column can be neither numbers nor categories."""
        if self.is_all_missing:
            return
        if self.type_kind in (DATES, TIMES, SPANS):
            raise ValueError(
                f"Column {self.name} is of type {self.type_name}, but declared or "
                "fitted as categories. Cast it to a category, or leave it out of "
                f"`categorical_features` in `fit` to encode its {self.type_kind}."
            )
        type_name, pandas = None, nw.dependencies.get_pandas()
        if self.type_kind == OTHERS:
            type_name = self.type_name
        elif (
            pandas is not None
            and not permits_periods
            and any(isinstance(value, pandas.Period) for value in self.factorized[1])
        ):
            type_name = "Period (in objects)"
        if type_name is not None:
            raise ValueError(
                f"Column {self.name} is of type {type_name}, which is neither numbers "
                "nor dates nor categories. Convert it to numbers or dates (periods by "
                "to_timestamp), cast it to a category, or drop it."
            )

    def _to_times(self):
        """An array of datetime64 in UTC, or of timedelta64, and the time zone.

        Instead of the array the Python objects if that is what the column has.
        """
        times, zone = self.values, getattr(self.values.dtype, "time_zone", None)
        if not isinstance(times, np.ndarray):
            if self.type_kind in (TIMES, OBJECTS) or not dates.is_known_zone(zone):
                return self.to_list(), None
            # narwhals converts dates to UTC.
            times = times.to_numpy()
        is_typed = times.dtype.kind in "mM"
        return (times, zone) if is_typed else (self.to_list(), None)

    def to_list(self):
        """The values as Python objects, None for a null of the column's library."""
        if self.is_all_missing:
            return [None] * len(self.values)
        if isinstance(self.values, np.ndarray):
            return self.values.tolist()
        values, is_null = self.values.to_list(), self.values.is_null()
        if not is_null.any():
            return values
        return [
            None if null else value
            for value, null in zip(values, is_null.to_list(), strict=True)
        ]


def _kind_of_objects(values):
    """The kind of the first value that is a date, a time or a span, or None."""
    return next(filter(None, map(dates.kind_of, values)), None)


def _parse_number(value):
    if value is None:
        return np.nan
    if isinstance(value, _REAL_TYPES):
        return float(value)
    if isinstance(value, str):
        return texts.to_number(value)
    raise ValueError(f"{value!r} is of the type {type(value).__name__}")


def _can_be_category(value):
    """Whether type and text identify a value, in every process."""
    if isinstance(value, tuple):
        return all(map(_can_be_category, value))
    pandas = nw.dependencies.get_pandas()
    return (
        value is None
        or isinstance(value, _CATEGORY_TYPES)
        or (pandas is not None and isinstance(value, pandas.Interval | pandas.Period))
    )
