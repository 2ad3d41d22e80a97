"""Checks of X, and of its rows beside y. Messages name the column and a remedy."""

import datetime
import math
from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from .._network.warning import warn

# Types of dates, times and time spans among objects.
DATE_TYPES = (
    *(datetime.date, datetime.time, datetime.timedelta),
    *(np.datetime64, np.timedelta64),
)


def warn_of_other_orders(X, y, sample_weight=None, names=("X", "y", "sample_weight")):
    """Warn if y or the weights have the index of X in another order, in pandas."""
    X_name, y_name, weights_name = names
    warn_of_other_order(y_name, y, X_name, X)
    warn_of_other_order(weights_name, sample_weight, X_name, X)


def warn_of_other_order(input_name, values, X_name, X):
    """Warn if values of the rows of X have its index in another order, in pandas."""
    if not (is_of_pandas(X) and is_of_pandas(values)):
        return
    index, own = X.index, values.index
    are_unique = own.is_unique and index.is_unique
    if (
        len(own) == len(index)
        and own.nlevels == index.nlevels
        and not own.equals(index)
        and own.isin(index).all()
        and (are_unique or Counter(own.tolist()) == Counter(index.tolist()))
    ):
        in_order = f"{input_name}.loc[{X_name}.index]"
        if not are_unique:
            in_order = "rows with a unique index, such as by reset_index"
        warn(
            f"{input_name} has the same index as {X_name}, but in another order. The "
            f"rows are taken by position. Pass {in_order}, or "
            f"{input_name}.set_axis({X_name}.index) if the positions are right."
        )


def refuse_masked(X, name):
    """Refuse an X with masked values; `name` is the name of the estimator."""
    if is_masked(X):
        raise ValueError(
            f"Input X has masked values, but {name} takes none. Fill them, such as by "
            f"X.filled(numpy.nan) and SimpleImputer, or take {_tabular(name)}, which "
            "takes missing values."
        )


def refuse_dates(X, name):
    """Refuse columns of dates or time spans, which NumPy converts to numbers.

    Parameters
    ----------
    X : object
        The samples, not validated.

    name : str
        Name of the estimator.

    Raises
    ------
    ValueError
        If X is a table or an array with such a column.
    """
    is_pandas = nw.dependencies.is_pandas_dataframe(X)
    if is_pandas or nw.dependencies.is_polars_dataframe(X):
        # narwhals takes several times as long as this.
        columns = zip(X.columns, X.dtypes, strict=True)
    elif nw.dependencies.is_into_dataframe(X):
        columns = nw.from_native(X, eager_only=True).schema.items()
    elif isinstance(X, np.ndarray) and X.ndim == 2:
        columns = [(0, X.dtype)]
    else:
        return
    for column, dtype in columns:
        if _is_of_dates(dtype):
            raise _has_dates(plain_repr(column), name)


def _is_of_dates(dtype):
    """Whether a dtype of NumPy, pandas, polars or narwhals has dates or times."""
    if hasattr(dtype, "is_temporal"):
        return dtype.is_temporal()
    if str(dtype).startswith("period["):
        return True
    return getattr(dtype, "kind", "O") in "mM"


def _has_dates(column, name):
    """The error for a column of dates or time spans."""
    return ValueError(
        f"Column {column} of X has dates or times, but {name} takes numbers. Convert "
        f"it, such as to days since a date, or take {_tabular(name)}, which encodes "
        "dates."
    )


def _tabular(name):
    """The name of the tabular estimator of the same task."""
    return name.replace("BackpropMLP", "TabularMLP").replace("Dask", "")


def refuse_unfit_columns(X, name, error):
    """Refuse text, dates and missing values in X by a message that names the column.

    It is called after scikit-learn's validation has failed, which names no column and
    recommends trees.

    Parameters
    ----------
    X : object
        The invalid samples.

    name : str
        Name of the estimator.

    error : ValueError or TypeError
        The error of scikit-learn.

    Raises
    ------
    ValueError
        If X has text, dates or missing values; no error for other reasons.
    """
    advice = (
        f"or take {_tabular(name)}, which takes tables with text and missing values"
    )
    for column, series in _named_columns(X):
        values = [v for v in series.tolist() if not is_missing(v)]
        texts = [v for v in values if isinstance(v, str) and not is_finite_number(v)]
        if texts:
            raise ValueError(
                f"Column {column} of X has text, such as {plain_repr(texts[0])}, but "
                f"{name} takes numbers. Encode it, such as by OneHotEncoder, {advice}."
            ) from error
        if any(isinstance(v, DATE_TYPES) for v in values):
            raise _has_dates(column, name) from error
        if len(values) < len(series):
            raise ValueError(
                f"Input X contains NaN: column {column} has missing values, but {name} "
                f"takes none. Fill them, such as by SimpleImputer, {advice}."
            ) from error


def _named_columns(X):
    """Pairs of a column's name in messages, and its values."""
    if nw.dependencies.is_into_dataframe(X):
        for series in nw.from_native(X, eager_only=True).iter_columns():
            yield plain_repr(series.name), np.array(series.to_list(), dtype=object)
        return
    if sparse.issparse(X):
        X = X.tocoo()
        columns = X.col[np.isnan(X.data)] if X.dtype.kind == "f" else []
        for i in np.unique(columns).tolist():
            yield i, np.array([np.nan])
        return
    try:
        X = np.asarray(X)
    except ValueError:
        return
    if X.ndim == 2 and X.dtype.kind in "fOU":
        for i, values in enumerate(X.T):
            yield i, values


def plain_repr(value):
    """The repr of a value, without NumPy's type."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def names_of(table):
    """The names of the columns of a DataFrame of any library."""
    is_arrow = nw.dependencies.is_pyarrow_table(table)
    return list(table.column_names if is_arrow else table.columns)


def is_of_pandas(values):
    """Whether values are a Series or a DataFrame of pandas."""
    return nw.dependencies.is_pandas_series(values) or (
        nw.dependencies.is_pandas_dataframe(values)
    )


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
