"""A table as its columns: what kind each is of, and its values."""

from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils.validation import check_array, validate_data

from .._estimators.sklearn_private import _check_categorical_features

# Text of which at least this share is distinct, and so many characters long on
# average, is prose and no set of categories.
_DISTINCT_SHARE = 0.5
_PROSE_LENGTH = 40


@dataclass
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        What messages call it.

    values : ndarray of shape (n_rows,)
        Floats, NaN where one is missing; of a categorical column objects, None there.

    is_categorical : bool
        Whether it is categorical.
    """

    name: str
    values: np.ndarray
    is_categorical: bool

    def slice(self, start, stop):
        """The same column of rows start to stop, as a view."""
        return Column(self.name, self.values[start:stop], self.is_categorical)


def is_table(X):
    """Whether X is a DataFrame of a library that scikit-learn knows by narwhals."""
    return nw.dependencies.is_into_dataframe(X)


def categorical_mask(X, categorical_features):
    """Which columns of X are categorical.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_rows, n_columns)
        The table.

    categorical_features : "from_dtype", array-like of bool, int or str, or None
        As of the estimators.

    Returns
    -------
    mask : ndarray of shape (n_columns,), bool
        With "from_dtype" true for categories, strings and objects.

    Raises
    ------
    ValueError
        If it names a column that there is not, or is of another kind.
    """
    is_from_dtype = (
        isinstance(categorical_features, str) and categorical_features == "from_dtype"
    )
    if is_from_dtype and is_table(X):
        return np.array([_holds_categories(dtype) for dtype in _dtypes(X)], bool)
    mask = _check_categorical_features(X, categorical_features)
    return np.zeros(X.shape[1], bool) if mask is None else np.asarray(mask, bool)


def read_columns(estimator, X, categorical_features=None, mask=None):
    """Read the columns of a table, which is checked as scikit-learn checks arrays.

    Parameters
    ----------
    estimator : estimator
        What the features' names and number are remembered by, or compared with those
        of.

    X : DataFrame or array-like of shape (n_rows, n_columns)
        The table.

    categorical_features : "from_dtype", array-like of bool, int or str, or None
        Which columns are categorical; for a table that is fitted to.

    mask : ndarray of shape (n_columns,) or None, default=None
        The same, found earlier; None for a table that is fitted to.

    Returns
    -------
    columns : list of Column
        In order.

    mask : ndarray of shape (n_columns,), bool
        Which are categorical.

    Raises
    ------
    ValueError
        If a column can't be read: it has dates, prose, infinite numbers, or text where
        numbers were expected; the message names it.
    """
    is_fit = mask is None
    if not is_table(X):
        X = _checked_array(X, categorical_features if is_fit else mask)
    validate_data(estimator, X, reset=is_fit, skip_check_array=True)
    _check_size(estimator, X)
    if is_fit:
        mask = categorical_mask(X, categorical_features)
    read = _columns_of_table if is_table(X) else _columns_of_array
    columns = list(read(X, mask))
    for column in columns:
        _check_values(column, is_fit)
    return columns, mask


def _checked_array(X, categorical):
    """An array of numbers; of objects where columns are categorical."""
    if categorical is None or isinstance(categorical, str) or not np.any(categorical):
        return check_array(X, dtype="numeric", ensure_all_finite="allow-nan")
    return check_array(X, dtype=None, ensure_all_finite=False)


def _check_size(estimator, X):
    """Refuse tables without rows or columns, in scikit-learn's words."""
    for number, what in zip(X.shape, ("sample", "feature"), strict=True):
        if number == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(X.shape)}) while a "
                f"minimum of 1 is required by {type(estimator).__name__}."
            )


def _dtypes(X):
    return nw.from_native(X, eager_only=True).schema.dtypes()


def _holds_categories(dtype):
    return dtype in (nw.Categorical, nw.Enum, nw.String, nw.Object)


def _columns_of_table(X, mask):
    for series, is_categorical in zip(
        nw.from_native(X, eager_only=True).iter_columns(), mask, strict=True
    ):
        name, dtype = repr(series.name), series.dtype
        if not (dtype.is_numeric() or dtype == nw.Boolean or _holds_categories(dtype)):
            # An empty column of polars has a type of its own.
            if series.null_count() < len(series):
                raise ValueError(
                    f"Column {name} is of type {dtype}, which is neither a number nor "
                    "a category. Make numbers of it, such as a date's year, month and "
                    "day, cast it to a category, or leave it out."
                )
            yield Column(name, np.full(len(series), np.nan), False)
        elif is_categorical:
            values = np.array(series.to_list(), dtype=object)
            yield Column(name, _without_missing(values, series.is_null()), True)
        elif _holds_categories(dtype):
            numbers = _as_numbers(name, np.array(series.to_list(), dtype=object))
            yield Column(name, numbers, False)
        else:
            numbers = series.cast(nw.Float64).to_numpy()
            yield Column(name, np.asarray(numbers, np.float64), False)


def _columns_of_array(X, mask):
    for i, is_categorical in enumerate(mask):
        name, values = f"at index {i}", X[:, i]
        if is_categorical:
            values = np.array(values.tolist(), dtype=object)
            yield Column(name, _without_missing(values), True)
        elif X.dtype.kind in "biuf":
            yield Column(name, values.astype(np.float64), False)
        else:
            yield Column(name, _as_numbers(name, values), False)


def _without_missing(values, is_null=False):
    """The same objects, None for those that stand for a missing value."""
    # Of these NaN and NaT alone differ from themselves; pandas' NA is null already.
    is_missing = np.asarray(is_null, bool) | (values != values).astype(bool)
    values[is_missing] = None
    return values


def _as_numbers(name, values):
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {name} has values that are no numbers ({error}). Declare it by "
            "`categorical_features`, or cast it to a category, before the fit."
        ) from error


def _check_values(column, is_fit):
    """Refuse infinite numbers, categories without a hash, and prose."""
    name, values = column.name, column.values
    if not column.is_categorical:
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for dtype('float64') "
                f"in column {name}. Replace it by a number, or by NaN for a missing "
                "value."
            )
        return
    try:
        distinct = set(values)
    except TypeError as error:
        raise ValueError(
            f"Column {name} has values that can't be categories: {error}."
        ) from error
    texts = [value for value in distinct if isinstance(value, str)]
    if is_fit and len(texts) > max(20, _DISTINCT_SHARE * len(values)):
        length = np.mean([len(text) for text in texts])
        if length >= _PROSE_LENGTH:
            raise ValueError(
                f"Column {name} looks like free text: {len(texts)} distinct values of "
                f"{length:.0f} characters on average. Make features of it, such as by "
                "sklearn.feature_extraction.text.TfidfVectorizer, or leave it out."
            )
