"""Checks a table as a whole."""

from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.dependencies import is_narwhals_dataframe, is_narwhals_lazyframe
from narwhals.stable.v2.dependencies import is_into_dataframe
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from .._estimators.checks import is_masked, names_of, plain_repr, without_mask
from .._estimators.sklearn_private import KNOWS_ALL_TABLES
from .._network.warning import warn

# Methods of lazy tables, and of the results of database queries, that return a table
# with values.
_COLLECT_METHODS = ["collect", "to_pandas", "df", "toPandas", "execute", "compute"]


class TakesTablesMixin:
    """Mixin for estimators whose X may have categories and missing values."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def check_table(estimator, X, *, reset, **y):
    """Check the type and shape of a table, and the names of its columns.

    Parameters
    ----------
    estimator : estimator
        Stores the number and the names of the columns if `reset`; else they must equal
        the stored ones.

    X : DataFrame or array-like of shape (n_rows, n_columns)
        The table.

    reset : bool
        Whether the estimator is being fitted.

    **y : array-like
        The keyword argument `y`, if any, for scikit-learn's check that y is not None.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
        The table. A narwhals DataFrame becomes a DataFrame of its own library.

    Raises
    ------
    TypeError
        If X is a lazy table, a dict or a list of dicts.

    ValueError
        If X has no rows or no columns, duplicate names, or other columns than in `fit`.
    """
    X = _to_native(X)
    if is_into_dataframe(X):
        # narwhals would raise an error of its own type, without a remedy.
        names = names_of(X)
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(
                    f"X has {count} columns named {plain_repr(name)}. Rename or remove "
                    "all but one."
                )
        _warn_of_unchecked_names(names)
    else:
        if is_masked(X):
            X = without_mask(X)
        # The readers of the columns check the values.
        X = check_array(
            X,
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=0,
            ensure_min_features=0,
            estimator=estimator,
            input_name="X",
        )
    named = X if KNOWS_ALL_TABLES or not is_into_dataframe(X) else _Names(X)
    validate_data(estimator, named, reset=reset, skip_check_array=True, **y)
    for length, axis in zip(X.shape, ("sample", "feature"), strict=True):
        if length == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={tuple(X.shape)}) while a "
                f"minimum of 1 is required by {type(estimator).__name__}."
            )
    return X


def _warn_of_unchecked_names(names):
    """Warn of names that scikit-learn does not compare with those of `fit`."""
    are_texts = any(isinstance(name, str) for name in names)
    if len(names) > 1 and not are_texts and names != list(range(len(names))):
        warn(
            f"The columns of X have names that are not strings, such as "
            f"{plain_repr(names[0])}. So they are taken by position, and another order "
            "in new rows goes unnoticed. Convert the names to strings, in all tables: "
            "X.columns = X.columns.map(str)."
        )


class _Names:
    """The column names of a table, in the protocol of scikit-learn before 1.9."""

    def __init__(self, X):
        self.shape = X.shape
        self._names = nw.from_native(X, eager_only=True).columns

    def __dataframe__(self):
        return self

    def column_names(self):
        return self._names


def _to_native(X):
    """Unwrap a narwhals DataFrame, and convert a record batch of pyarrow to a table.

    Raises
    ------
    TypeError
        If X is a lazy table, a dict or a list of dicts.
    """
    if sparse.issparse(X):
        # check_array refuses it later. A DOK array is a dict too, and the message for
        # dicts would be wrong.
        return X
    if is_narwhals_dataframe(X):
        return X.to_native()
    if is_narwhals_lazyframe(X):
        X = X.to_native()
    if is_into_dataframe(X):
        return X
    # Such as a LazyFrame of polars and a relation of DuckDB.
    if isinstance(nw.from_native(X, pass_through=True), nw.LazyFrame):
        methods = [m for m in _COLLECT_METHODS if callable(getattr(X, m, None))]
        remedy = f", such as by its method {methods[0]}()" if methods else ""
        raise TypeError(
            f"X is a {type(X).__name__}, which has no values yet. Pass a DataFrame"
            f"{remedy}."
        )
    pyarrow = nw.dependencies.get_pyarrow()
    if pyarrow is not None and isinstance(X, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([X])
    is_records = isinstance(X, list) and len(X) > 0 and isinstance(X[0], dict)
    if isinstance(X, dict) or is_records:
        type_name = "list of dicts" if is_records else type(X).__name__
        # A dict of a single row.
        is_row = isinstance(X, dict) and X and not any(map(_is_column, X.values()))
        raise TypeError(
            f"X is a {type_name}. Convert it to a DataFrame: "
            f"pandas.DataFrame({'[X]' if is_row else 'X'})."
        )
    return X


def _is_column(value):
    return np.iterable(value) and not isinstance(value, (str, bytes))
