"""Helpers for X and y as they were passed: names, missing and masked values."""

import datetime
import math

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

# Types of dates, times and time spans among objects.
DATE_TYPES = (
    *(datetime.date, datetime.time, datetime.timedelta),
    *(np.datetime64, np.timedelta64),
)


def plain_repr(value):
    """The repr of a value, without NumPy's type."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def names_of(table):
    """The names of the columns of a DataFrame of any library."""
    is_arrow = nw.dependencies.is_pyarrow_table(table)
    return list(table.column_names if is_arrow else table.columns)


def target_names(y):
    """The names of the columns of y, or None if it is no DataFrame."""
    is_dask = nw.dependencies.is_dask_dataframe(y)
    return names_of(y) if is_dask or nw.dependencies.is_into_dataframe(y) else None


def is_of_pandas(values):
    """Whether values are a Series or a DataFrame of pandas."""
    return nw.dependencies.is_pandas_series(values) or (
        nw.dependencies.is_pandas_dataframe(values)
    )


def as_array(y):
    """y as an array; None if it is sparse, or invalid for scikit-learn."""
    if type(y) is np.ndarray:
        return y
    if is_masked(y):
        # Objects are searched for missing values.
        return without_mask(y).astype(object)
    if y is None or sparse.issparse(y):
        return None
    if nw.dependencies.is_into_dataframe(y) or nw.dependencies.is_into_series(y):
        y = nw.from_native(y, allow_series=True).to_numpy()
    try:
        return np.asarray(y)
    except ValueError:
        # Rows of several lengths.
        return None


def is_masked(values):
    """Whether values are an array with masked values, which NumPy takes unmasked."""
    return isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values)


def without_mask(values):
    """A masked array as an array, with NaN, NaT or None for the masked values."""
    kind = values.dtype.kind
    dtype = np.float64 if kind in "biuf" else values.dtype if kind in "mM" else object
    if kind in "iu" and (values.max() > 2**53 or values.min() < -(2**53)):
        # Integers that float64 may round stay integers.
        dtype = object
    unmasked = np.array(values, dtype)
    unmasked[np.ma.getmaskarray(values)] = None
    return unmasked


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        # NaN and NaT differ from themselves.
        return bool(value != value)
    except (TypeError, ValueError):
        # Such as arrays.
        return False
    except ArithmeticError:
        # A signalling NaN of Decimal.
        return True


def is_finite_number(value):
    """Whether a value is a finite number, or text of one in the usual notation."""
    if isinstance(value, str) and "_" in value:
        # A notation of Python's source code: a column of a table is then text, too.
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
