"""Checks of X and y whose messages name the column, or y, and a remedy."""

import datetime
import math
from collections import Counter
from numbers import Integral

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from .._network.warning import warn
from .targets import is_multilabel, refuse_other_indicators

# Types of dates, times and time spans among objects.
DATE_TYPES = (
    *(datetime.date, datetime.time, datetime.timedelta),
    *(np.datetime64, np.timedelta64),
)
# So many rows tell whether a column is y.
_N_COMPARED = 10_000
# Kinds of dtypes, integers and booleans, whose labels are exact.
_EXACT_KINDS = "iub"


def plain_repr(value):
    """The repr of a value, without NumPy's type."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def refuse_unfit_targets(y, name, are_numbers, input_name="y", of_rows=""):
    """Refuse missing values, and for a regressor also dates and text.

    scikit-learn's validation refuses other invalid targets. It names no row.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Labels, a multilabel indicator matrix, or numbers.

    name : str
        Name of the estimator.

    are_numbers : bool
        Whether the estimator is a regressor.

    input_name : str, default="y"
        The name of y in messages.

    of_rows : str, default=""
        Which rows are counted, in messages; all by default.

    Raises
    ------
    ValueError
        If the targets are invalid.
    """
    refuse_a_name(y, input_name)
    given, y = y, as_array(y)
    if not are_numbers and input_name != "groups":
        _refuse_lists_of_labels(given if y is None else y, input_name)
    if y is None:
        return
    if y.dtype.names:
        raise ValueError(
            f"Input {input_name} has the fields {list(y.dtype.names)}. Pass one of "
            f"them, such as {input_name}[{y.dtype.names[0]!r}]."
        )
    if are_numbers and y.dtype.kind in "mM":
        raise ValueError(
            f"Input {input_name} has dates or time spans ({y.dtype}), but {name} "
            f"predicts numbers. Convert {input_name} to numbers, such as days since "
            "the first."
        )
    if y.dtype.kind not in "fmMOUT" or y.size == 0:
        return
    are_plain, n_columns = y.dtype.kind in "fmM", math.prod(y.shape[1:])
    values = y.ravel() if are_plain else y.ravel().tolist()
    are_missing = np.isnan(values) if are_plain else list(map(is_missing, values))
    if np.any(are_missing):
        row = np.argmax(are_missing) // n_columns
        raise ValueError(
            f"Input {input_name} contains NaN: the value of row {row}{of_rows} is "
            f"missing. Leave out the rows for which {input_name} is not known."
        )
    if are_plain or not are_numbers:
        return
    for i, value in enumerate(values):
        if not _is_float(value):
            raise ValueError(
                f"Input {input_name} has {plain_repr(value)} in row "
                f"{i // n_columns}{of_rows}, but {name} predicts finite numbers. "
                f"Convert {input_name} to numbers; for classes take "
                f"{name.replace('Regressor', 'Classifier')}."
            )


def refuse_a_name(values, input_name):
    """Refuse the name of a column in place of its values."""
    if isinstance(values, str):
        raise ValueError(
            f"{input_name} must have a value for each row, got {values!r}. Pass the "
            "values of the column, not its name."
        )


def _refuse_lists_of_labels(y, input_name):
    """Refuse rows that each have a list or a set of labels."""
    is_column = isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1
    rows = y.tolist() if is_column else y if isinstance(y, list) else []
    kinds = list | tuple | set | frozenset | np.ndarray
    if found := [row for row in rows if isinstance(row, kinds)]:
        raise ValueError(
            f"Input {input_name} has several labels in a row, such as "
            f"{list(found[0])}. Convert it to an indicator matrix, such as by "
            f"sklearn.preprocessing.MultiLabelBinarizer().fit_transform({input_name})."
        )


def names_of(table):
    """The names of the columns of a DataFrame of any library."""
    is_arrow = nw.dependencies.is_pyarrow_table(table)
    return list(table.column_names if is_arrow else table.columns)


def target_names(y):
    """The names of the columns of y, or None if it is no DataFrame."""
    is_dask = nw.dependencies.is_dask_dataframe(y)
    return names_of(y) if is_dask or nw.dependencies.is_into_dataframe(y) else None


def check_target_names(estimator, y, reset, input_name="y"):
    """Keep the names of several columns of y, or refuse them in another order.

    The columns are taken by position, so another order would be another target.

    Parameters
    ----------
    estimator : estimator
        Its attribute `_target_names` is the list of the names, or None.

    y : array-like
        Labels or numbers; only the columns of a DataFrame have names.

    reset : bool
        Whether to keep the names; otherwise y must not have those of the earlier fit in
        another order.

    input_name : str, default="y"
        The name of y in messages.

    Raises
    ------
    ValueError
        If the columns are in another order.
    """
    names = target_names(y)
    if reset:
        estimator._target_names = names
        return
    known = getattr(estimator, "_target_names", None)
    if known is None or names is None or names == known:
        return
    if Counter(names) == Counter(known):
        raise ValueError(
            f"{input_name} has the columns {names}, but in `fit` y had the columns "
            f"{known}. Pass them in that order, such as by y[{known}]."
        )


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


def first_text(y):
    """The first value of y that is text; None if there is none."""
    y = as_array(y)
    if y is None or y.dtype.kind not in "OUT":
        return None
    return next((v for v in y.ravel().tolist() if isinstance(v, str)), None)


def warn_of_text_targets(y, input_name="y"):
    """Warn of numbers written as text: "3.500" may be 3500, and "007" a code."""
    if (text := first_text(y)) is not None:
        warn(
            f"Input {input_name} has numbers written as text, such as {text!r}, which "
            f"is read as {float(text)}. Convert {input_name} to numbers before the "
            "fit, such as by pandas.read_csv, with thousands='.' and decimal=',' if "
            "points separate thousands. For codes take a classifier."
        )


def refuse_masked_weights(sample_weight):
    """Refuse sample weights with masked values."""
    if is_masked(sample_weight):
        raise ValueError(
            "sample_weight has masked values. Fill them: sample_weight.filled(0) "
            "leaves their rows out."
        )


def check_scored(estimator, X, y, sample_weight, input_name="y"):
    """Refuse in `score` the targets and weights that `fit` refuses and metrics take."""
    check_target_names(estimator, y, False, input_name)
    warn_of_other_orders(X, y, sample_weight, ("X", input_name, "sample_weight"))
    name = type(estimator).__name__
    refuse_unfit_targets(y, name, estimator._y_numeric, input_name)
    refuse_masked_weights(sample_weight)
    values = as_array(y)
    if not estimator._y_numeric and np.ndim(values) == 2 and is_multilabel(values):
        refuse_other_indicators(values)


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


def is_of_pandas(values):
    """Whether values are a Series or a DataFrame of pandas."""
    return nw.dependencies.is_pandas_series(values) or (
        nw.dependencies.is_pandas_dataframe(values)
    )


def refuse_sparse_targets(y, name, input_name="y"):
    """Refuse a sparse y by a TypeError that names the remedy."""
    if sparse.issparse(y):
        raise TypeError(
            f"Sparse {input_name} is not supported by {name}: pass "
            f"{input_name}.toarray()."
        )


def exact_labels(y):
    """Labels that are integers or booleans as an array, and others as they are.

    scikit-learn would make floats of pandas' integers that may be missing, and merge
    those beyond 2^53.
    """
    array = as_array(y)
    return y if array is None or array.dtype.kind not in _EXACT_KINDS else array


def plain_labels(y, input_name="y"):
    """Convert labels of the type object that are all bool, or all int, to that type.

    scikit-learn takes objects only if they are text. Such a y is what remains of a
    column of pandas after the rows with missing labels were left out.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Labels, or a multilabel indicator matrix.

    input_name : str, default="y"
        The name of y in messages.

    Returns
    -------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        An array of bool or int, or y itself if it has text, or other numbers.

    Raises
    ------
    ValueError
        If the objects are of other types, or of several types.
    """
    array = as_array(y)
    if array is not None and array.dtype.kind in _EXACT_KINDS:
        return array
    if array is None or array.dtype != object:
        return y
    values = array.ravel().tolist()
    types = set(map(type, values))
    not_text = {t for t in types if not issubclass(t, str)}
    # scikit-learn has messages for bytes, and for rows that are lists of labels.
    if not not_text or any(hasattr(t, "__len__") for t in not_text):
        return y
    if types <= {bool, np.bool_}:
        return array.astype(bool)
    if all(issubclass(t, Integral) and t is not bool for t in types):
        integers = np.array(values)
        # Integers that are too large for 64 bits remain objects, or become floats.
        if integers.dtype.kind in "iu":
            return integers.reshape(array.shape)
    names = sorted(t.__name__ for t in types)
    raise ValueError(
        f"Input {input_name} is of type object with values of the type"
        f"{'s' * (len(names) > 1)} {' and '.join(names)}: convert it to a single "
        f"type, such as by {input_name}.astype(str) or {input_name}.astype(int)."
    )


def without_second_axis(y):
    """Flatten a y of a single column, with a warning; return any other y as it is."""
    if sparse.issparse(y) or y.ndim != 2 or y.shape[1] != 1:
        return y
    warn(
        "A column-vector y was passed when a 1d array was expected. Please change the "
        "shape of y to (n_samples, ), for example using ravel().",
        DataConversionWarning,
    )
    return y[:, 0]


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
        texts = [v for v in values if isinstance(v, str) and not _is_float(v)]
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


def _is_float(value):
    """Whether a value is a finite number, or text of one in the usual notation."""
    if isinstance(value, str) and "_" in value:
        # A notation of Python's source code: a column of a table is then text, too.
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
