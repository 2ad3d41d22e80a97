"""The columns of a table, read as numbers or as categories."""

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
from . import texts

_DATES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    np.datetime64,
    np.timedelta64,
)

_CATEGORIES = (
    *(str, bytes, bool, np.bool_, Real, Decimal, complex, *_DATES),
    *(Enum, UUID, PurePath),
)


@dataclass
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        What messages call it.

    values : ndarray of shape (n_rows,)
        The numbers, NaN where one is missing; of a categorical column the place of each
        row's value in `distinct`.

    distinct : list or None, default=None
        The values of a categorical column, with None for missing ones; None for a
        column of numbers.
    """

    name: str
    values: np.ndarray
    distinct: list | None = None

    @property
    def is_categorical(self):
        """Whether it is categorical."""
        return self.distinct is not None


def sources(X):
    """What each column is read from, in order.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        A table that :func:`.table.check_table` has checked.

    Returns
    -------
    sources : list of Source
        One for each column.
    """
    if not nw.dependencies.is_into_dataframe(X):
        return [ArraySource(f"at index {i}", X[:, i]) for i in range(X.shape[1])]
    columns = nw.from_native(X, eager_only=True).iter_columns()
    return [SeriesSource(plain_repr(series.name), series) for series in columns]


@dataclass(frozen=True)
class _Flag:
    """True or False as keys of a dict, where else they would be 1 and 0."""

    value: bool


def _key(value):
    return _Flag(value) if value is True or value is False else value


class Source:
    """A column that is yet to be read, as numbers or as categories.

    A subclass has ``name``, ``type_name``, ``has_unfit_type``, ``floats()``, None where
    its type is not one of numbers, and ``values()``, a list of objects.
    """

    def numbers(self):
        """The column, as numbers."""
        values = self.floats()
        if values is None:
            self.refuse_unfit_type()
            values = numbers_of(self.name, *self.factorized)
        return Column(self.name, values)

    def categories(self):
        """The column, as categories."""
        self.refuse_unfit_type()
        codes, distinct = self.factorized
        for value in distinct:
            if not _can_be_category(value):
                raise ValueError(
                    f"Column {self.name} has values of the type {_type_name(value)}, "
                    "which can't be categories. Make numbers or text of them, or leave "
                    "the column out."
                )
        return Column(self.name, codes, distinct)

    @cached_property
    def factorized(self):
        """The distinct values, None for all missing ones, and each row's place there.

        Raises
        ------
        ValueError
            If values can't be compared, such as lists.
        """
        places = {}
        try:
            codes = np.fromiter(
                (places.setdefault(_key(v), len(places)) for v in self.values()),
                np.intp,
            )
        except TypeError as error:
            odd = next(value for value in self.values() if not _is_hashable(value))
            raise ValueError(
                f"Column {self.name} has values of the type {_type_name(odd)}, which "
                "are neither numbers nor categories. Make columns of what is in them, "
                "or leave the column out."
            ) from error
        values = [key.value if type(key) is _Flag else key for key in places]
        distinct = [None if is_missing(value) else value for value in values]
        if sum(value is None for value in distinct) > 1:
            # Each NaN may be another object, different from itself.
            place, where = {}, []
            for i, value in enumerate(distinct):
                key = "missing" if value is None else i
                where.append(place.setdefault(key, len(place)))
            codes = np.array(where)[codes]
            distinct = [distinct[i] for i in np.unique(where, return_index=True)[1]]
        return codes, distinct

    def refuse_unfit_type(self):
        if self.has_unfit_type:
            raise ValueError(_neither(self.name, self.type_name))


class SeriesSource(Source):
    """A column of a DataFrame."""

    def __init__(self, name, series):
        self.name = name
        self.series = series
        dtype = series.dtype
        self.is_category = dtype in (nw.Categorical, nw.Enum)
        holds_objects = self.is_category or dtype in (nw.String, nw.Object)
        self.is_number = dtype.is_numeric() or dtype == nw.Boolean
        # As polars' columns of nothing else, whose type is one of its own.
        is_another_type = not (holds_objects or self.is_number)
        self.is_all_missing = is_another_type and series.null_count() == len(series)
        # A type that narwhals has no name for.
        self.native = np.asarray(series.to_native()) if dtype == nw.Unknown else None
        is_native_number = self.native is not None and self.native.dtype.kind in "biuf"
        # Such as dates, lists and bytes.
        self.has_unfit_type = not (
            holds_objects or self.is_number or self.is_all_missing or is_native_number
        )

    @property
    def type_name(self):
        """The name of its type."""
        dtype = self.series.dtype
        if dtype != nw.Unknown:
            return str(dtype)
        native = self.series.to_native()
        return str(getattr(native, "dtype", getattr(native, "type", dtype)))

    def floats(self):
        """Its numbers, or None where it is of another type."""
        if self.is_all_missing:
            return np.full(len(self.series), np.nan)
        if self.native is not None and not self.has_unfit_type:
            return self.native.astype(np.float64)
        if self.is_number:
            # pyarrow refuses to round whole numbers that are no floats.
            with suppress(ValueError):
                values = self.series.cast(nw.Float64).to_numpy()
                return np.asarray(values, np.float64)
        return None

    def values(self):
        """Its values, None for those that its library calls missing."""
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
    is_all_missing = False

    def __init__(self, name, array):
        self.name = name
        self.array = array
        self.has_unfit_type = array.dtype.kind in "mM"
        self.type_name = str(array.dtype)

    def floats(self):
        """Its numbers, or None where it is of another type."""
        is_number = self.array.dtype.kind in "biuf"
        return self.array.astype(np.float64) if is_number else None

    def values(self):
        """Its values."""
        return self.array.tolist()


def refuse_dates_among(name, present):
    """Refuse dates among objects, and texts that are mostly dates."""
    dates = [value for value in present if _is_date(value)]
    if dates:
        raise ValueError(_neither(name, f"{_type_name(dates[0])} (in objects)"))
    written = [v for v in present if isinstance(v, str) and not texts.is_missing(v)]
    dates = [text for text in written if texts.is_date(text)]
    if dates and len(dates) > len(present) / 2:
        raise ValueError(_neither(name, f"text that holds dates, such as {dates[0]!r}"))


def _neither(name, kind):
    return (
        f"Column {name} is of type {kind}, which is neither a number nor a category. "
        "Make numbers of it (of a date, its year, month and day), cast it to a "
        "category, or leave it out."
    )


def numbers_of(name, codes, distinct):
    """The numbers that values are, or are written as.

    Raises
    ------
    ValueError
        If a value is no number; the message names the column and the value.
    """
    refuse_dates_among(name, [value for value in distinct if _is_date(value)])
    numbers = []
    for value in distinct:
        try:
            numbers.append(_number_of(value))
        except OverflowError:
            numbers.append(np.inf)
        except ValueError as error:
            raise ValueError(
                f"Column {name} has values that are not numbers ({error}). Name it in "
                "`categorical_features`, or cast it to a category, before the fit; or "
                "make numbers of all its values."
            ) from error
    return np.array(numbers, np.float64)[codes]


def _number_of(value):
    if value is None:
        return np.nan
    if is_real(value):
        return float(value)
    if isinstance(value, str):
        return texts.to_number(value)
    raise ValueError(f"{value!r} is of the type {_type_name(value)}")


def is_real(value):
    return isinstance(value, Real | Decimal | np.bool_)


def _is_date(value):
    if isinstance(value, _DATES):
        return True
    pandas = nw.dependencies.get_pandas()
    return pandas is not None and isinstance(value, pandas.Period)


def _can_be_category(value):
    """Whether a value is known by its type and its text, also in another process."""
    if isinstance(value, tuple):
        return all(map(_can_be_category, value))
    pandas = nw.dependencies.get_pandas()
    return (
        value is None
        or isinstance(value, _CATEGORIES)
        or (pandas is not None and isinstance(value, pandas.Interval | pandas.Period))
    )


def _is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _type_name(value):
    return type(value).__name__


def check_finite(column):
    if not column.is_categorical and np.isinf(column.values).any():
        raise ValueError(
            f"Input X contains infinity or a value too large for dtype('float64') in "
            f"column {column.name}. Replace it by a number, or by NaN for a missing "
            "value."
        )
