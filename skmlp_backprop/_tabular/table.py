"""A table as a whole: its form, its columns' names, and which are declared."""

from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.dependencies import is_narwhals_dataframe, is_narwhals_lazyframe
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from .._estimators.checks import plain_repr
from .._estimators.sklearn_private import KNOWS_ALL_TABLES
from .._network.warning import warn
from .columns import check_finite, sources
from .kinds import by_what_it_holds, refuse_prose, remark_of_identifiers

# Methods of tables without values, and of what databases return, that make a table with
# values.
_COLLECTING = ["collect", "to_pandas", "df", "toPandas", "execute", "compute"]


class TakesTablesMixin:
    """Mixin for an estimator whose X may have categories and missing values."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def check_table(estimator, X, *, reset, **y):
    """Check a table as a whole: its form, the names and the number of its columns.

    Parameters
    ----------
    estimator : estimator
        Remembers the names and the number, or compares them with those it remembers.

    X : DataFrame or array-like of shape (n_rows, n_columns)
        The table.

    reset : bool
        Whether the estimator is being fitted.

    **y : array-like
        As `y`, to refuse a missing one in scikit-learn's words.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        The same, a DataFrame in its own library's type.

    Raises
    ------
    TypeError
        If it has no values yet, or is no table but could be made one.

    ValueError
        If its shape, or its columns' names, are not as expected.
    """
    X = _native(X)
    if is_table(X):
        _check_distinct_names(X)
    else:
        # Its values are checked column by column.
        X = check_array(
            X,
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=0,
            ensure_min_features=0,
            estimator=estimator,
            input_name="X",
        )
    named = X if KNOWS_ALL_TABLES or not is_table(X) else _Names(X)
    validate_data(estimator, named, reset=reset, skip_check_array=True, **y)
    for number, what in zip(X.shape, ("sample", "feature"), strict=True):
        if number == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(X.shape)}) while a "
                f"minimum of 1 is required by {type(estimator).__name__}."
            )
    return X


class _Names:
    """The names of a table's columns, as scikit-learn before 1.9 asks for them."""

    def __init__(self, X):
        self.shape = X.shape
        self._names = nw.from_native(X, eager_only=True).columns

    def __dataframe__(self):
        return self

    def column_names(self):
        return self._names


def is_table(X):
    """Whether X is a DataFrame of a library that narwhals knows."""
    return nw.dependencies.is_into_dataframe(X)


def read_columns(X, categorical_features):
    """Read the columns of a table that is fitted to, and decide which are categorical.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        A table that :func:`check_table` has checked.

    categorical_features : "from_dtype", array-like of bool, int or str, or None
        As of the estimators.

    Returns
    -------
    columns : list of Column
        In order.

    Raises
    ------
    ValueError
        If a column can't be read: it has dates, prose, infinite numbers, or text where
        numbers were expected; the message names it.
    """
    declared = _declared_mask(X, categorical_features)
    finds_categories = is_table(X) and categorical_features is not None
    columns, remarks = [], []
    for source, is_declared in zip(sources(X), declared, strict=True):
        if is_declared:
            column = source.categories()
        elif finds_categories:
            column = by_what_it_holds(source, remarks)
        else:
            column = source.numbers()
        check_finite(column)
        if column.is_categorical:
            refuse_prose(column)
        if remark := remark_of_identifiers(column):
            remarks.append(remark)
        columns.append(column)
    # Once nothing is refused any more.
    for remark in remarks:
        warn(remark)
    return columns


def read_known_columns(X, is_categorical):
    """Read the columns of a table that is predicted.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        A table that :func:`check_table` has checked.

    is_categorical : ndarray of shape (n_columns,), bool
        Which columns are categorical.

    Returns
    -------
    columns : list of Column
        In order.

    Raises
    ------
    ValueError
        If a column can't be read so; the message names it.
    """
    columns = [
        source.categories() if categorical else source.numbers()
        for source, categorical in zip(sources(X), is_categorical, strict=True)
    ]
    for column in columns:
        check_finite(column)
    return columns


def _native(X):
    """X, or the DataFrame that it wraps or lists.

    Raises
    ------
    TypeError
        If X has no values yet, or is a dict or a list of dicts.
    """
    if sparse.issparse(X):
        # Which scikit-learn refuses. Some are dicts, too.
        return X
    if is_narwhals_dataframe(X):
        return X.to_native()
    if is_narwhals_lazyframe(X):
        X = X.to_native()
    if is_table(X):
        return X
    # Such as polars' LazyFrame and DuckDB's relation.
    if isinstance(nw.from_native(X, pass_through=True), nw.LazyFrame):
        raise TypeError(_has_no_values(X))
    pyarrow = nw.dependencies.get_pyarrow()
    if pyarrow is not None and isinstance(X, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([X])
    is_records = isinstance(X, list) and len(X) > 0 and isinstance(X[0], dict)
    if isinstance(X, dict) or is_records:
        what = "a list of dicts" if is_records else f"a {type(X).__name__}"
        raise TypeError(f"X is {what}. Pass a DataFrame of it: pandas.DataFrame(X).")
    return X


def _has_no_values(X):
    methods = [name for name in _COLLECTING if callable(getattr(X, name, None))]
    remedy = f", such as by its method {methods[0]}()" if methods else ""
    return (
        f"X is a {type(X).__name__}, which has no values yet. Pass a DataFrame{remedy}."
    )


def _check_distinct_names(X):
    # Not by narwhals, which refuses them in words of its own.
    is_arrow = nw.dependencies.is_pyarrow_table(X)
    counts = Counter(X.column_names if is_arrow else X.columns)
    for name, count in counts.items():
        if count > 1:
            raise ValueError(
                f"X has {count} columns named {plain_repr(name)}. Rename or remove "
                "all but one."
            )


def _declared_mask(X, categorical_features):
    """Which columns are declared categorical.

    Raises
    ------
    ValueError
        If columns are declared that X does not have, or by values of another kind.
    """
    n_columns = X.shape[1]
    mask = np.zeros(n_columns, bool)
    if categorical_features is None or isinstance(categorical_features, str):
        return mask
    given = np.asarray(categorical_features)
    if given.size == 0:
        return mask
    # An array of objects is of the kind of what is in it.
    kinds = {np.asarray(value).dtype.kind for value in given.ravel()}
    if given.ndim != 1 or len(kinds) > 1 or not kinds <= set("biuU"):
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str, got "
            f"{categorical_features!r}."
        )
    (kind,) = kinds
    if kind == "b":
        if len(given) != n_columns:
            raise ValueError(
                f"categorical_features set as a boolean mask must have shape "
                f"({n_columns},), got ({len(given)},)."
            )
        return given.astype(bool)
    if kind == "U":
        if not is_table(X):
            raise ValueError(
                "categorical_features has names, but X is an array without feature "
                "names. Pass a DataFrame, or the columns' numbers."
            )
        names = list(nw.from_native(X, eager_only=True).columns)
        for name in given.tolist():
            if name not in names:
                raise ValueError(
                    f"categorical_features has the value {name!r} which is not a valid "
                    f"feature name of X: {names}."
                )
        given = np.array([names.index(name) for name in given.tolist()])
    if given.min() < 0 or given.max() >= n_columns:
        raise ValueError(
            f"categorical_features set as integers must be in [0, {n_columns - 1}], "
            f"got {given.tolist()}."
        )
    mask[given.astype(int)] = True
    return mask
