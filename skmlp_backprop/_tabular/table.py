"""A table as its columns: what kind each is of, and its values."""

from contextlib import suppress
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


class TakesTablesMixin:
    """Mixin for an estimator whose X may have categories and missing values."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def is_table(X):
    """Whether X is a DataFrame of a library that scikit-learn knows by narwhals."""
    return nw.dependencies.is_into_dataframe(X)


def check_is_eager(X):
    """Refuse a table whose values are yet to be computed.

    Raises
    ------
    TypeError
        If X is such a one.
    """
    if isinstance(nw.from_native(X, pass_through=True), nw.LazyFrame):
        raise TypeError(
            f"X is a {type(X).__name__}, which has no values yet. Pass a DataFrame, "
            "such as by its method collect()."
        )


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

    TypeError
        If X is a lazy frame, or a sparse matrix.
    """
    is_fit = mask is None
    check_is_eager(X)
    if not is_table(X):
        # What is in it is checked column by column.
        X = check_array(X, dtype=None, ensure_all_finite=False, input_name="X")
    validate_data(estimator, X, reset=is_fit, skip_check_array=True)
    _check_size(estimator, X)
    if is_fit:
        mask = categorical_mask(X, categorical_features)
    read = _columns_of_table if is_table(X) else _columns_of_array
    columns = list(read(X, mask))
    for column in columns:
        _check_values(column, is_fit)
    return columns, mask


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
        name = repr(series.name)
        values = _values_of_series(name, series, is_categorical)
        yield Column(name, values, bool(is_categorical))


def _values_of_series(name, series, is_categorical):
    """Objects of a categorical column, else floats."""
    dtype = series.dtype
    is_number = dtype.is_numeric() or dtype == nw.Boolean
    if not (is_number or _holds_categories(dtype)):
        return _values_of_another_type(name, series, is_categorical)
    if is_categorical:
        return _as_categories(name, series.to_list(), series.is_null())
    if is_number:
        # pyarrow refuses to round whole numbers that are no floats.
        with suppress(ValueError):
            return np.asarray(series.cast(nw.Float64).to_numpy(), np.float64)
    return _as_numbers(name, series.to_list())


def _values_of_another_type(name, series, is_categorical):
    """The same of a type that narwhals has no name for, where it is one of numbers."""
    if series.null_count() == len(series):
        # An empty column of polars has a type of its own.
        missing = [None] * len(series)
        return np.array(missing, dtype=object if is_categorical else np.float64)
    native = series.to_native()
    dtype = native.dtype if series.dtype == nw.Unknown else series.dtype
    # Such as sparse ones of pandas.
    values = np.asarray(native) if series.dtype == nw.Unknown else None
    if values is None or values.dtype.kind not in "biuf":
        raise ValueError(_of_no_use(name, dtype))
    if is_categorical:
        return _as_categories(name, values.tolist())
    return values.astype(np.float64)


def _columns_of_array(X, mask):
    for i, is_categorical in enumerate(mask):
        name, values = f"at index {i}", X[:, i]
        if X.dtype.kind in "mM":
            raise ValueError(_of_no_use(name, X.dtype))
        if is_categorical:
            values = _as_categories(name, values.tolist())
        elif X.dtype.kind in "biuf":
            values = values.astype(np.float64)
        else:
            values = _as_numbers(name, values.tolist())
        yield Column(name, values, bool(is_categorical))


def _of_no_use(name, dtype):
    return (
        f"Column {name} is of type {dtype}, which is neither a number nor a category. "
        "Make numbers of it, such as a date's year, month and day, cast it to a "
        "category, or leave it out."
    )


def _as_objects(values):
    # Not by np.array, which takes apart what has a length.
    return np.fromiter(values, object, len(values))


def _as_categories(name, values, is_null=False):
    """An array of the same objects, None for those that stand for a missing value."""
    objects = _as_objects(values)
    objects[np.broadcast_to(is_null, len(values))] = None
    try:
        distinct = set(objects)
    except TypeError as error:
        raise ValueError(
            f"Column {name} has values that can't be categories: {error}."
        ) from error
    na = _pandas_na()
    # NaN and NaT differ from themselves.
    missing = {value for value in distinct if value is na or value != value}
    if missing:
        objects[[value in missing for value in objects]] = None
    return objects


def _as_numbers(name, values):
    na = _pandas_na()
    objects = _as_objects([None if value is na else value for value in values])
    try:
        return objects.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {name} has values that are no numbers ({error}). Declare it by "
            "`categorical_features`, or cast it to a category, before the fit."
        ) from error


def _pandas_na():
    """What pandas has for a missing value; None where pandas is not in use."""
    pandas = nw.dependencies.get_pandas()
    return None if pandas is None else pandas.NA


def _check_values(column, is_fit):
    """Refuse infinite numbers, and prose."""
    name, values = column.name, column.values
    if not column.is_categorical:
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity or a value too large for dtype('float64') "
                f"in column {name}. Replace it by a number, or by NaN for a missing "
                "value."
            )
        return
    texts = [value for value in set(values) if isinstance(value, str)]
    if is_fit and len(texts) > max(20, _DISTINCT_SHARE * len(values)):
        length = np.mean([len(text) for text in texts])
        if length >= _PROSE_LENGTH:
            raise ValueError(
                f"Column {name} looks like free text: {len(texts)} distinct values of "
                f"{length:.0f} characters on average. Make features of it, such as by "
                "sklearn.feature_extraction.text.TfidfVectorizer, or leave it out."
            )
