"""Columns of a table, and how each is read: as numbers, dates or categories.

:mod:`.columns` decides which of these a column has.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from numbers import Integral, Real
from pathlib import PurePath
from uuid import UUID

import narwhals.stable.v2 as nw
import numpy as np

from .._estimators.checks import DATE_TYPES, is_missing, plain_repr
from .._network.warning import warn
from . import dates, texts
from .dates import DATES, SPANS, TIMES

# Kinds of columns and of types, beside dates, times and spans. The values of objects
# tell their kind. Others, such as lists, are neither numbers nor dates nor categories.
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
REAL_TYPES = (Real, Decimal, np.bool_)
_CATEGORY_TYPES = (
    *(*REAL_TYPES, str, bytes, complex, Enum, UUID, PurePath),
    *DATE_TYPES,
)


@dataclass
class Column:
    """One column of a table, as it was read.

    Parameters
    ----------
    name : str
        The name in messages, with quotes.

    values : ndarray of shape (n_rows,)
        Categories: the index in `categories` of each row's value. Otherwise numbers,
        NaN for a missing value. Dates are microseconds since 1970 in UTC, times
        microseconds since midnight, time spans microseconds.

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

    @property
    def is_missing(self):
        """Whether each row lacks a value."""
        if self.kind != CATEGORIES:
            return np.isnan(self.values)
        return np.array([value is None for value in self.categories])[self.values]

    def __post_init__(self):
        if self.kind == NUMBERS and np.isinf(self.values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for dtype('float64') "
                f"in column {self.name}. Replace it by a finite number, or by NaN for "
                "a missing value."
            )


def is_integer(value):
    """Whether a value is an integer, or a Decimal without a fraction."""
    is_decimal = isinstance(value, Decimal)
    return value == value.to_integral_value() if is_decimal else isinstance(value, int)


def make_sources(X, index=None):
    """Make a source of each column of a table that `check_table` has checked.

    With a list `index`, of these columns alone: each takes as long as a network's
    prediction of a row.
    """
    is_frame = nw.dependencies.is_into_dataframe(X)
    table = nw.from_native(X, eager_only=True) if is_frame else X
    names = names_in_messages(table)
    index = range(table.shape[1]) if index is None else index
    if is_frame:
        # `table[:, i]` would take time for all columns each time.
        columns = table.columns
        return [Source(names[i], table.get_column(columns[i])) for i in index]
    return [Source(names[i], table[:, i]) for i in index]


def names_in_messages(table):
    """The names of the columns of an array or of a narwhals DataFrame, for messages.

    A name that is not a string comes with its position, by which it can be passed.
    """
    if isinstance(table, np.ndarray):
        return [f"at index {i}" for i in range(table.shape[1])]
    return [
        plain_repr(name)
        if isinstance(name, str) or (isinstance(name, Integral) and name == i)
        else f"{plain_repr(name)} (at index {i})"
        for i, name in enumerate(table.columns)
    ]


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
                remedy = (
                    "Name the column in `categorical_features`, or pass a DataFrame in "
                    "which it is a category (a transformer returns DataFrames after "
                    "set_output(transform='pandas')); or convert its values to numbers."
                )
                if had_text is not None:
                    remedy = "It had numbers in `fit`: convert its values to numbers."
                raise ValueError(
                    f"Column {self.name} has values that are not numbers ({error}). "
                    f"{remedy}"
                ) from error
        strings = [value for value in categories if isinstance(value, str)]
        if had_text is False:
            self._report_thousands(strings, n_values=np.isfinite(numbers).sum())
        numbers = np.array(numbers, np.float64)[codes]
        return Column(self.name, numbers, has_text=len(strings) > 0)

    def _report_thousands(self, strings, n_values):
        """Warn if the points of text, read as decimal, may separate thousands.

        `n_values` is the number of distinct numbers and texts of numbers.
        """
        with_point = texts.with_thousands(strings)
        if len(with_point) > 1 or 0 < len(with_point) == n_values:
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

    def n_distinct_integers(self):
        """The number of distinct integers, in their own precision; 0 for floats."""
        values = self.values
        if self.type_kind == OBJECTS or self.type_name.lower().startswith("decimal"):
            return sum(map(is_integer, self.factorized[1]))
        if isinstance(values, np.ndarray):
            return len(np.unique(values)) if values.dtype.kind in "iu" else 0
        return values.drop_nulls().n_unique() if values.dtype.is_integer() else 0

    @cached_property
    def factorized(self):
        """The code of each row, and the distinct values; None is the missing value."""
        if (array := _text_or_categories(self.values)) is not None:
            # As below, in a tenth of the time.
            codes, found = nw.dependencies.get_pandas().factorize(
                array, use_na_sentinel=False
            )
            found = found.tolist()
            return codes, [None if is_missing(value) else value for value in found]
        code_of_key, codes, values = {}, [], self.to_list()
        try:
            for value in values:
                # True itself equals 1.
                key = isinstance(value, bool | np.bool_), value
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
                f"Column {self.name} is of type {self.type_name}, but is declared "
                "categorical, or was categorical or without values in `fit`. Cast it "
                "to a category, or fit to rows with values in this column, and leave "
                "it out of `categorical_features` to encode its "
                f"{self.type_kind}."
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
            # pandas has the zone itself, and its name may be misleading.
            if tz := getattr(getattr(times.to_native(), "dtype", None), "tz", None):
                zone = dates.zone_name(tz)
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


def _text_or_categories(values):
    """The array of a pandas Series of text or of categories; else None."""
    pandas = nw.dependencies.get_pandas()
    native = None if isinstance(values, np.ndarray) else values.to_native()
    if pandas is None or not isinstance(native, pandas.Series):
        return None
    types = (pandas.CategoricalDtype, pandas.StringDtype)
    return native.array if isinstance(native.dtype, types) else None


def _kind_of_objects(values):
    """The kind of the first value that is a date, a time or a span, or None."""
    return next(filter(None, map(dates.kind_of, values)), None)


def _parse_number(value):
    if value is None:
        return np.nan
    if isinstance(value, REAL_TYPES):
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
