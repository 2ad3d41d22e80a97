"""Reads the columns of a table as numbers or as categories."""

import datetime
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from numbers import Real
from pathlib import PurePath
from uuid import UUID

import narwhals.stable.v2 as nw
import numpy as np

from .._estimators.checks import is_missing, plain_repr
from . import dates, texts

_DATE_TYPES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    np.datetime64,
    np.timedelta64,
)

_CATEGORY_TYPES = (
    *(str, bytes, bool, np.bool_, Real, Decimal, complex, *_DATE_TYPES),
    *(Enum, UUID, PurePath),
)
_NUMBER_TYPES = {
    *(nw.Float32, nw.Float64, nw.Int8, nw.Int16, nw.Int32, nw.Int64),
    *(nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64),
}


@dataclass
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        The name in messages, with quotes.

    values : ndarray of shape (n_rows,)
        Numeric column: the numbers, NaN for a missing value. Categorical column: the
        index in `categories` of each row's value.

    categories : list or None, default=None
        The distinct values of a categorical column, with None for a missing value. None
        for a numeric column.
    """

    name: str
    values: np.ndarray
    categories: list | None = None

    @property
    def is_categorical(self):
        """Whether the column is categorical."""
        return self.categories is not None


@dataclass
class DateColumn(Column):
    """A column of dates, of times of day or of time spans.

    `values` has microseconds: since 1970 in UTC, since midnight, or of the span.

    Parameters
    ----------
    kind : str
        DATES, TIMES or SPANS of :mod:`.dates`.

    wall : ndarray of shape (n_rows,), datetime64[us], or None
        The dates as clocks show them in `zone`. None for time spans.

    zone : str or None
        The name of the time zone, or None for no zone.
    """

    kind: str = dates.SPANS
    wall: np.ndarray | None = None
    zone: str | None = None


def make_sources(X):
    """Make a source of each column, in order.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        A table that :func:`.table.check_table` has checked.

    Returns
    -------
    sources : list of Source
        A source for each column.
    """
    if not nw.dependencies.is_into_dataframe(X):
        return [ArraySource(f"at index {i}", X[:, i]) for i in range(X.shape[1])]
    columns = nw.from_native(X, eager_only=True).iter_columns()
    return [SeriesSource(plain_repr(series.name), series) for series in columns]


def read_typed_numbers(X, are_wanted):
    """Read the columns whose type is numeric, all at once.

    One by one, the columns would take most of the time for a row (benchmarks: serving).

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        A table that :func:`.table.check_table` has checked.

    are_wanted : list of bool
        Whether to read each column as numbers.

    Returns
    -------
    columns : list of Column or None
        None for a column that is not wanted, or whose type is not numeric.
    """
    index = np.flatnonzero(are_wanted).tolist()
    if nw.dependencies.is_into_dataframe(X):
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


@dataclass(frozen=True)
class _BoolKey:
    """A bool as a key of a dict: True itself equals 1, and False equals 0."""

    value: bool


def _dict_key(value):
    return _BoolKey(value) if value is True or value is False else value


class Source:
    """A column before it is read as numbers or as categories.

    A subclass has ``name``, ``type_name``, ``is_category`` (its type is categorical),
    ``is_number`` (its type is numeric), ``is_all_missing`` (by its type or by its
    dates), ``has_unfit_type`` (its type can be neither numbers nor categories),
    ``typed_kind`` (the kind of its dates by its type, see :mod:`.dates`, or None),
    ``to_floats()`` (an array of float64, or None if its type is not numeric),
    ``to_times()`` (an array of datetime64 in UTC, or of timedelta64, and the time zone;
    None if the dates are Python objects) and ``to_list()`` (its values as Python
    objects).
    """

    @cached_property
    def time_kind(self):
        """DATES, TIMES or SPANS, or None if the column has none of these."""
        is_typed = self.is_category or self.is_number or self.has_unfit_type
        if self.typed_kind or is_typed:
            return self.typed_kind
        return next(filter(None, map(dates.kind_of, self.factorized[1])), None)

    def read_times(self, kind=None, zone=None):
        """Read the column as dates, times of day or time spans.

        Parameters
        ----------
        kind, zone : str or None
            Those of the column in `fit`. In `fit` None.

        Returns
        -------
        column : DateColumn
            The column, in the time zone of `fit`.

        Raises
        ------
        ValueError
            If the column has other values, or no time zone where `fit` saw one, or the
            reverse. The message names the column.
        """
        if kind not in (None, self.time_kind):
            codes, categories = self.factorized
            for value in categories:
                if value is not None:
                    dates.refuse_other_values(self.name, kind, value)
            missing = np.full(len(codes), "NaT", "M8[us]")
            values = dates.to_microseconds(missing)
            return DateColumn(self.name, values, kind=kind, wall=missing, zone=zone)
        times = self.to_times()
        if self.time_kind == dates.SPANS:
            values = (
                dates.spans_from_objects(self.name, self.to_list())
                if times is None
                else dates.spans_from_array(self.name, times[0])
            )
            return DateColumn(self.name, values, kind=dates.SPANS)
        moments = (
            dates.Moments.from_objects(self.name, self.time_kind, self.to_list())
            if times is None
            else dates.Moments.from_array(self.name, *times)
        )
        if kind is None:
            zone = moments.only_zone()
        return DateColumn(
            self.name,
            dates.to_microseconds(moments.utc),
            kind=self.time_kind,
            wall=moments.wall_in(zone),
            zone=zone,
        )

    def read_numbers(self):
        """Read the column as numbers."""
        if self.time_kind and not self.is_all_missing:
            raise ValueError(
                f"Column {self.name} had numbers in `fit`, but now has "
                f"{self.time_kind}. Convert it to numbers as before the fit."
            )
        values = self.to_floats()
        if values is None:
            self.refuse_unfit_type()
            values = parse_numbers(self.name, *self.factorized)
        return Column(self.name, values)

    def read_categories(self):
        """Read the column as categories."""
        self.refuse_unfit_type()
        codes, categories = self.factorized
        for value in categories:
            if not _can_be_category(value):
                raise ValueError(
                    f"Column {self.name} has values of the type {_type_name(value)}, "
                    "which can't be categories. Convert the values to numbers or text, "
                    "or drop the column."
                )
        return Column(self.name, codes, categories)

    @cached_property
    def factorized(self):
        """The code of each row, and the distinct values; None is the missing value.

        Raises
        ------
        ValueError
            If values can't be compared, such as lists.
        """
        code_of_key = {}
        try:
            codes = np.fromiter(
                (
                    code_of_key.setdefault(_dict_key(value), len(code_of_key))
                    for value in self.to_list()
                ),
                np.intp,
            )
        except (TypeError, ValueError) as error:
            # Such as a list, and a timedelta64 without a unit.
            value = next(value for value in self.to_list() if not _is_hashable(value))
            raise ValueError(
                f"Column {self.name} has values of the type {_type_name(value)}, which "
                "are neither numbers nor categories. Convert their contents to columns "
                "of their own, or drop the column."
            ) from error
        values = [key.value if type(key) is _BoolKey else key for key in code_of_key]
        categories = [None if is_missing(value) else value for value in values]
        missing = [code for code, value in enumerate(categories) if value is None]
        if len(missing) > 1:
            # Each NaN object differs from the others and has its own code.
            merged = np.arange(len(categories))
            merged[missing] = missing[0]
            kept, new_codes = np.unique(merged, return_inverse=True)
            codes = new_codes[codes]
            categories = [categories[code] for code in kept]
        return codes, categories

    def refuse_unfit_type(self):
        """Raise ValueError if the type can be neither numbers nor categories."""
        if self.has_unfit_type and self.typed_kind:
            raise ValueError(
                f"Column {self.name} is of type {self.type_name}, but declared or "
                "fitted as categories. Cast it to a category, or leave it out of "
                f"`categorical_features` in `fit` to encode its {self.typed_kind}."
            )
        if self.has_unfit_type:
            raise ValueError(_unfit_type_message(self.name, self.type_name))


class SeriesSource(Source):
    """A column of a DataFrame."""

    def __init__(self, name, series):
        self.name = name
        self.series = series
        dtype = series.dtype
        self.is_category = dtype in (nw.Categorical, nw.Enum)
        holds_objects = self.is_category or dtype in (nw.String, nw.Object)
        self.is_number = dtype.is_numeric() or dtype == nw.Boolean
        # Such as a polars column of type Null.
        is_another_type = not (holds_objects or self.is_number)
        self.is_all_missing = is_another_type and series.null_count() == len(series)
        # The values of a type that narwhals does not know.
        self.native = np.asarray(series.to_native()) if dtype == nw.Unknown else None
        is_native_number = self.native is not None and self.native.dtype.kind in "biuf"
        # Such as dates, lists and bytes.
        self.has_unfit_type = not (
            holds_objects or self.is_number or self.is_all_missing or is_native_number
        )
        self.typed_kind = self._find_typed_kind()

    def _find_typed_kind(self):
        if self.native is not None:
            # Such as date64 of pyarrow, and zones of pandas that narwhals can't name.
            kinds = map(dates.kind_of, self.native)
            return dates.kind_of_dtype(self.native.dtype) or (
                next(filter(None, kinds), None)
                if self.native.dtype == np.dtype(object)
                else None
            )
        for dtypes, kind in (
            ((nw.Date, nw.Datetime), dates.DATES),
            ((nw.Time,), dates.TIMES),
            ((nw.Duration,), dates.SPANS),
        ):
            if self.series.dtype in dtypes:
                return kind
        return None

    @property
    def type_name(self):
        """The name of the column's type, for messages."""
        dtype = self.series.dtype
        if dtype != nw.Unknown:
            return str(dtype)
        native = self.series.to_native()
        return str(getattr(native, "dtype", getattr(native, "type", dtype)))

    def to_floats(self):
        """The numbers as float64, or None if the column's type is not numeric."""
        if self.is_all_missing:
            return np.full(len(self.series), np.nan)
        if self.native is not None and not self.has_unfit_type:
            return self.native.astype(np.float64)
        if self.is_number:
            # pyarrow refuses to cast integers that float64 would round. None makes the
            # caller convert the Python objects instead.
            with suppress(ValueError):
                values = self.series.cast(nw.Float64).to_numpy()
                return np.asarray(values, np.float64)
        return None

    def to_times(self):
        """Dates in UTC or time spans, and the time zone; None for Python objects."""
        zone = getattr(self.series.dtype, "time_zone", None)
        if self.typed_kind == dates.TIMES or not dates.is_known_zone(zone):
            return None
        # narwhals converts dates to UTC.
        times = self.series.to_numpy() if self.native is None else self.native
        return (times, zone) if dates.kind_of_dtype(times.dtype) else None

    def to_list(self):
        """The values as Python objects, None for a null of the column's library."""
        if self.is_all_missing:
            return [None] * len(self.series)
        if self.native is not None:
            return self.native.tolist()
        values, is_null = self.series.to_list(), self.series.is_null()
        if not is_null.any():
            return values
        return [
            None if null else value
            for value, null in zip(values, is_null.to_list(), strict=True)
        ]


class ArraySource(Source):
    """A column of an array."""

    is_category = False

    def __init__(self, name, array):
        self.name = name
        self.array = array
        self.is_number = array.dtype.kind in "biuf"
        self.typed_kind = dates.kind_of_dtype(array.dtype)
        self.is_all_missing = bool(self.typed_kind) and np.isnat(array).all()
        self.has_unfit_type = bool(self.typed_kind) and not self.is_all_missing
        self.type_name = str(array.dtype)

    def to_floats(self):
        """The numbers as float64, or None if the array's type is not numeric."""
        if self.is_all_missing:
            return np.full(len(self.array), np.nan)
        return self.array.astype(np.float64) if self.is_number else None

    def to_times(self):
        """Dates or time spans, and no time zone; None for Python objects."""
        return (self.array, None) if self.typed_kind else None

    def to_list(self):
        """The values as Python objects."""
        return self.array.tolist()


def refuse_periods(name, values):
    """Raise ValueError if a value is a Period of pandas."""
    for value in values:
        if _is_period(value):
            raise ValueError(
                _unfit_type_message(name, f"{_type_name(value)} (in objects)")
            )


def refuse_date_texts(name, values):
    """Raise ValueError if more than half of the values are dates written as text."""
    found = [v for v in values if isinstance(v, str) and texts.is_date(v)]
    if len(found) > len(values) / 2:
        column = "column" if name.startswith("at index ") else f"X[{name}]"
        raise ValueError(
            f"Column {name} has dates, times or time spans written as text, such as "
            f"{found[0]!r}. Convert it: {column} = pandas.to_datetime({column}), with "
            "dayfirst=True if the day comes first; times and time spans by "
            "pandas.to_timedelta. Else cast it to a category, or drop it."
        )


def _unfit_type_message(name, type_name):
    return (
        f"Column {name} is of type {type_name}, which is neither numbers nor dates nor "
        "categories. Convert it to numbers or dates (periods by to_timestamp), cast it "
        "to a category, or drop it."
    )


def parse_numbers(name, codes, categories):
    """Convert the values of a column of objects to numbers.

    Parameters
    ----------
    name : str
        Name of the column.

    codes : ndarray of shape (n_rows,), int
        Index in `categories` of each row's value.

    categories : list
        The distinct values.

    Returns
    -------
    numbers : ndarray of shape (n_rows,), float64
        NaN for a missing value.

    Raises
    ------
    ValueError
        If a value is not a number. The message names the column and the value.
    """
    refuse_periods(name, categories)
    numbers = []
    for value in categories:
        try:
            numbers.append(_parse_number(value))
        except OverflowError:
            numbers.append(np.inf)
        except ValueError as error:
            raise ValueError(
                f"Column {name} has values that are not numbers ({error}). Name the "
                "column in `categorical_features`, or cast it to a category, before "
                "the fit; or convert all its values to numbers."
            ) from error
    return np.array(numbers, np.float64)[codes]


def _parse_number(value):
    if value is None:
        return np.nan
    if is_real(value):
        return float(value)
    if isinstance(value, str):
        return texts.to_number(value)
    raise ValueError(f"{value!r} is of the type {_type_name(value)}")


def is_real(value):
    """Whether a value is a real number or a bool."""
    return isinstance(value, Real | Decimal | np.bool_)


def _is_period(value):
    pandas = nw.dependencies.get_pandas()
    return pandas is not None and isinstance(value, pandas.Period)


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


def _is_hashable(value):
    try:
        hash(value)
    except (TypeError, ValueError):
        return False
    return True


def _type_name(value):
    return type(value).__name__


def check_finite(column):
    """Raise ValueError if a numeric column has infinite values."""
    if not column.is_categorical and np.isinf(column.values).any():
        raise ValueError(
            f"Input X contains infinity or a value too large for dtype('float64') in "
            f"column {column.name}. Replace it by a finite number, or by NaN for a "
            "missing value."
        )
