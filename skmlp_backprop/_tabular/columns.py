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
from . import texts

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


@dataclass(frozen=True)
class _BoolKey:
    """A bool as a key of a dict: True itself equals 1, and False equals 0."""

    value: bool


def _dict_key(value):
    return _BoolKey(value) if value is True or value is False else value


class Source:
    """A column before it is read as numbers or as categories.

    A subclass has ``name``, ``type_name``, ``is_category`` (its type is categorical),
    ``has_unfit_type`` (its type can be neither numbers nor categories), ``to_floats()``
    (an array of float64, or None if its type is not numeric) and ``to_list()`` (its
    values as Python objects).
    """

    def read_numbers(self):
        """Read the column as numbers."""
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
        except TypeError as error:
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
        self.has_unfit_type = array.dtype.kind in "mM"
        self.type_name = str(array.dtype)

    def to_floats(self):
        """The numbers as float64, or None if the array's type is not numeric."""
        is_number = self.array.dtype.kind in "biuf"
        return self.array.astype(np.float64) if is_number else None

    def to_list(self):
        """The values as Python objects."""
        return self.array.tolist()


def refuse_date_objects(name, values):
    """Raise ValueError if a value is a date, a time or a time span."""
    for value in values:
        if _is_date(value):
            raise ValueError(
                _unfit_type_message(name, f"{_type_name(value)} (in objects)")
            )


def refuse_date_texts(name, values):
    """Raise ValueError if more than half of the values are dates written as text."""
    dates = [v for v in values if isinstance(v, str) and texts.is_date(v)]
    if len(dates) > len(values) / 2:
        raise ValueError(
            _unfit_type_message(name, f"text that holds dates, such as {dates[0]!r}")
        )


def _unfit_type_message(name, type_name):
    return (
        f"Column {name} is of type {type_name}, which is neither a number nor a "
        "category. Convert it to numbers (a date to its year, month and day), cast it "
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
    refuse_date_objects(name, categories)
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


def _is_date(value):
    if isinstance(value, _DATE_TYPES):
        return True
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
    except TypeError:
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
