"""Reads a column of a table as numbers, as dates or as categories."""

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
from .dates import DATES, SPANS, TIMES

# What the type of a column holds, beside dates, times and spans: of objects the values
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
REAL_TYPES = (Real, Decimal, np.bool_)
_CATEGORY_TYPES = (
    *(*REAL_TYPES, str, bytes, complex, Enum, UUID, PurePath),
    *(datetime.date, datetime.time, datetime.timedelta),
    *(np.datetime64, np.timedelta64),
)


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

    kind: str = SPANS
    wall: np.ndarray | None = None
    zone: str | None = None


def make_sources(X):
    """Make a source of each column of a table that `check_table` has checked."""
    if not nw.dependencies.is_into_dataframe(X):
        return [Source(f"at index {i}", X[:, i]) for i in range(X.shape[1])]
    frame = nw.from_native(X, eager_only=True)
    return list(map(Source, map(plain_repr, frame.columns), frame.iter_columns()))


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
            self.type_kind = _kind_of_array(values) or OBJECTS
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
            self.type_kind = _kind_of_array(self.values) or (
                _kind_of_objects(self.values) or OTHERS
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
            values = dates.to_microseconds(missing)
            return DateColumn(self.name, values, kind=kind, wall=missing, zone=zone)
        values, own_zone = self._to_times()
        if self.time_kind == SPANS:
            return DateColumn(self.name, dates.to_spans(self.name, values), kind=SPANS)
        moments = dates.Moments(self.name, self.time_kind, values, own_zone)
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
            values = self.parse_numbers()
        return Column(self.name, values)

    def read_categories(self):
        """Read the column as categories."""
        self.refuse_unfit_type()
        codes, categories = self.factorized
        for value in categories:
            if not _can_be_category(value):
                raise ValueError(
                    f"Column {self.name} has values of the type "
                    f"{type(value).__name__}, which can't be categories. Convert the "
                    "values to numbers or text, or drop the column."
                )
        return Column(self.name, codes, categories)

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

    def refuse_unfit_type(self):
        """Raise ValueError if the type can be neither numbers nor categories."""
        if self.is_all_missing:
            return
        if self.type_kind in (DATES, TIMES, SPANS):
            raise ValueError(
                f"Column {self.name} is of type {self.type_name}, but declared or "
                "fitted as categories. Cast it to a category, or leave it out of "
                f"`categorical_features` in `fit` to encode its {self.type_kind}."
            )
        if self.type_kind == OTHERS:
            self._refuse_type(self.type_name)

    def refuse_periods(self):
        """Raise ValueError if a value is a Period of pandas."""
        pandas = nw.dependencies.get_pandas()
        for value in self.factorized[1] if pandas is not None else ():
            if isinstance(value, pandas.Period):
                self._refuse_type(f"{type(value).__name__} (in objects)")

    def _refuse_type(self, type_name):
        raise ValueError(
            f"Column {self.name} is of type {type_name}, which is neither numbers nor "
            "dates nor categories. Convert it to numbers or dates (periods by "
            "to_timestamp), cast it to a category, or drop it."
        )

    def parse_numbers(self):
        """Convert a column of objects to numbers, NaN for a missing value."""
        self.refuse_periods()
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
        return np.array(numbers, np.float64)[codes]

    def to_floats(self):
        """The numbers as float64, or None if the column's type is not numeric."""
        if self.is_all_missing:
            return np.full(len(self.values), np.nan)
        if self.type_kind != NUMBERS:
            return None
        if isinstance(self.values, np.ndarray):
            return self.values.astype(np.float64)
        # pyarrow refuses to cast integers that float64 would round. None makes the
        # caller convert the Python objects instead.
        with suppress(ValueError):
            return np.asarray(self.values.cast(nw.Float64).to_numpy(), np.float64)
        return None

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
        is_typed = dates.kind_of_dtype(times.dtype)
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


def _kind_of_array(values):
    """NUMBERS, DATES or SPANS by the type of an array, or None for others."""
    is_number = values.dtype.kind in "biuf"
    return NUMBERS if is_number else dates.kind_of_dtype(values.dtype)


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
