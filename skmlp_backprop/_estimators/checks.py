"""Checks of X, and of its rows beside y. Messages name the column and a remedy."""

from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from .._network.warning import warn
from .values import (
    DATE_TYPES,
    is_finite_number,
    is_masked,
    is_missing,
    is_of_pandas,
    names_of,
    plain_repr,
    target_names,
)

# So many rows tell whether a column is y.
_N_COMPARED = 10_000


def warn_of_y_in_columns(X, y):
    """Warn if a DataFrame X still has y as a column, as in ``fit(X, X["y"])``.

    The column has the name of y, and the values of y, or a code for each of them.
    """
    if not nw.dependencies.is_into_dataframe(X):
        return
    if nw.dependencies.is_into_series(y):
        columns = {getattr(y, "name", None): y}
    else:
        columns = {name: y[name] for name in target_names(y) or ()}
    for name, target in columns.items():
        if name is None or name not in names_of(X):
            continue
        if len(X[name]) != len(target):
            continue
        # As text, since a list has no hash.
        own, labels = (
            list(map(str, np.asarray(values)[:_N_COMPARED].tolist()))
            for values in (X[name], target)
        )
        pairs = set(zip(own, labels, strict=True))
        has_codes = len(pairs) == len(set(own)) == len(set(labels)) <= len(own) / 10
        if len(pairs) > 1 and (own == labels or has_codes):
            warn(
                f"Column {plain_repr(name)} of X is y itself, which new rows do not "
                "have. Drop the column from X."
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
