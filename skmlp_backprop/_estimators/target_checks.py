"""Checks of y and of weights, whose messages name a remedy."""

import math
from collections import Counter
from numbers import Integral

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from .._network.warning import warn
from .checks import (
    is_finite_number,
    is_masked,
    is_missing,
    names_of,
    plain_repr,
    warn_of_other_orders,
    without_mask,
)
from .targets import is_multilabel, refuse_other_indicators

# So many rows tell whether a column is y.
_N_COMPARED = 10_000


def checked_targets(y, name, are_numbers, input_name="y"):
    """Check targets before scikit-learn's validation, whose errors name no remedy.

    Parameters
    ----------
    y, name, are_numbers, input_name
        As of :func:`refuse_unfit_targets`.

    Returns
    -------
    y : array-like
        Labels of a single type, see :func:`plain_labels`; numbers as they are.
    """
    refuse_unfit_targets(y, name, are_numbers, input_name)
    if not are_numbers:
        return plain_labels(y, input_name)
    warn_of_text_targets(y, input_name)
    return y


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
        if not is_finite_number(value):
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


def refuse_sparse_targets(y, name, input_name="y"):
    """Refuse a sparse y by a TypeError that names the remedy."""
    if sparse.issparse(y):
        raise TypeError(
            f"Sparse {input_name} is not supported by {name}: pass "
            f"{input_name}.toarray()."
        )


def plain_labels(y, input_name="y"):
    """Convert labels that are all bool, or all int, to an array of that type.

    scikit-learn takes objects only if they are text. A column of pandas has objects
    after rows with missing labels were left out. scikit-learn would also convert
    pandas' integers that may be missing to floats, and so merge some beyond 2^53.

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
    if array is not None and array.dtype.kind in "iub":
        return array
    # scikit-learn refuses a y without an axis.
    if array is None or array.dtype != object or array.ndim == 0:
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


def warn_of_unknown_labels(y, classes):
    """Warn if no label of y is a class, as if the labels are written in another way."""
    y = as_array(y)
    if y is None or y.size > len(y):
        # Sparse, or an indicator matrix.
        return
    # The search ends at the first known label.
    if y.size and set(classes.flat).isdisjoint(y.flat):
        examples = ", ".join(map(plain_repr, classes[:3]))
        warn(
            f"No label of y, such as {plain_repr(y.flat[0])}, was in `fit`, which had "
            f"labels such as {examples}. All predictions count as wrong. If the "
            "classes are the same, write y as in `fit`."
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
