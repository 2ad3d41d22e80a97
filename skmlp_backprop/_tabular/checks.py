"""Checks the arguments of the tabular estimators' ``fit``."""

import math
from contextlib import contextmanager

import numpy as np
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.validation import check_consistent_length

from .._estimators.checks import warn_of_other_order, warn_of_other_orders
from .._estimators.sklearn_private import _check_y, _safe_indexing
from .._estimators.target_checks import (
    as_array,
    check_target_names,
    checked_targets,
    plain_labels,
    refuse_a_name,
    refuse_sparse_targets,
    refuse_unfit_targets,
    target_names,
    warn_of_y_in_columns,
    without_second_axis,
)
from .._estimators.weighting import checked_sample_weights
from .._network.warning import warn
from .categories import describe_nearly_equal
from .encodings import MIN_ROWS, are_most
from .table import check_table
from .texts import is_missing

# Marks of missing values that may also be labels.
_MAY_BE_CLASSES = {"-", "--", ".", "na", "none"}


# A group is too large if the other groups have less than this share of the rows.
_FEW_SHARE = 0.02


def check_rows(
    estimator,
    X,
    y,
    sample_weight=None,
    X_val=None,
    y_val=None,
    sample_weight_val=None,
    groups=None,
    reset=True,
):
    """Check the arguments of `fit`.

    Parameters
    ----------
    estimator : TabularMLPClassifier or TabularMLPRegressor
        The estimator.

    X, y, sample_weight, X_val, y_val, sample_weight_val, groups
        The arguments. `sample_weight` is only checked for the order of its index.

    reset : bool, default=True
        Whether the estimator takes the names of the columns from X; otherwise X must
        have those of the earlier fit.

    Returns
    -------
    X, y, groups
        The checked table, targets and groups; None without groups.

    validation : tuple of (X_val, y_val, sample_weight_val) or None
        The checked validation rows of positive weight.
    """
    X = check_table(estimator, X, reset=reset, y=y)
    check_target_names(estimator, y, reset)
    _refuse_other_targets(y, y_val)
    warn_of_other_orders(X, y, sample_weight)
    warn_of_y_in_columns(X, y)
    y = _check_targets(estimator, X, y)
    (warn_of_labels if is_classifier(estimator) else warn_of_numbers)(y)
    if groups is not None:
        groups = _check_groups(estimator, groups, X)
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val needs X_val and y_val.")
        return X, y, groups, None
    if X_val is None or y_val is None:
        raise ValueError("Pass both X_val and y_val, or neither of them.")
    if groups is not None:
        raise ValueError(
            "With X_val all networks train on all rows of X, so that groups has no "
            "effect. Pass either groups or X_val, with rows of other groups."
        )
    names = ("X_val", "y_val", "sample_weight_val")
    with naming_validation_rows():
        X_val = check_table(estimator, X_val, reset=False)
        warn_of_other_orders(X_val, y_val, sample_weight_val, names)
        y_val = _check_targets(estimator, X_val, y_val, "y_val")
        # Rows of weight 0 have no effect.
        X_val, y_val, sample_weight_val, _ = drop_rows_without_weight(
            X_val, y_val, sample_weight_val
        )
    if y_val.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"y_val has shape {y_val.shape}, but y has shape {y.shape}: they must "
            "have the same number of columns."
        )
    if is_classifier(estimator):
        _refuse_other_classes(y, y_val)
    else:
        _warn_of_other_range(y, y_val)
    return X, y, groups, (X_val, y_val, sample_weight_val)


@contextmanager
def naming_validation_rows():
    """Let an error of a check for all rows say that it is about validation rows."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        names = "X_val, y_val, sample_weight_val"
        raise kind(f"Validation rows ({names}): {error}") from error


def _check_targets(estimator, X, y, input_name="y"):
    """The labels or numbers of the rows of X as an array."""
    name, are_numbers = type(estimator).__name__, estimator._y_numeric
    refuse_sparse_targets(y, name, input_name)
    y = checked_targets(y, name, are_numbers, input_name)
    # The check for finite values sums y, which may overflow.
    with np.errstate(all="ignore"):
        y = _check_y(y, multi_output=True, y_numeric=are_numbers, estimator=estimator)
    check_consistent_length(X, y)
    y = without_second_axis(y)
    if not are_numbers:
        return y
    warn_of_rounding(y, input_name)
    # scikit-learn converts objects to numbers, but no text.
    return y.astype(np.float64) if y.dtype.kind in "UT" else y


def warn_of_rounding(y, input_name):
    """Warn if float64 merges integers of y."""
    if y.dtype.kind not in "iu" or (y.max() < 2**53 and y.min() > -(2**53)):
        return
    n_distinct, n_numbers = len(np.unique(y)), len(np.unique(y.astype(np.float64)))
    if n_numbers < n_distinct:
        warn(
            f"Input {input_name} has {n_distinct} distinct integers, of which float64 "
            f"tells only {n_numbers} apart. Subtract a constant from {input_name} "
            "before the fit."
        )


def warn_of_labels(y):
    """Warn of classes that stand for missing values, or are nearly equal."""
    is_numeric = y.dtype.kind in "iuf" and y.ndim == 1
    mark = missing_mark(y) if is_numeric else None
    # A frequent label is a class.
    if mark is not None and np.mean(y == mark) < 1 / len(np.unique(y)):
        warn(
            f"Input y has the label {mark:g}, unlike all others. It is a class of its "
            "own. If it stands for a label that is not known, leave out its rows."
        )
    if y.dtype.kind not in "OUT":
        return
    labels = set(y.ravel().tolist())
    marks = [v for v in labels if isinstance(v, str) and is_missing(v)]
    # These may be classes, such as "+" and "-", "none" and "mild", or codes of states.
    if marks := [v for v in marks if v.strip().lower() not in _MAY_BE_CLASSES]:
        warn(
            f"Input y has the label {min(marks)!r}, which usually stands for a missing "
            "value. It is a class of its own. If these labels are not known, leave out "
            "their rows."
        )
    if found := describe_nearly_equal(labels):
        warn(
            f"Input y has labels that differ only in how they are written, such as "
            f"{found}. They are different classes. If they are the same, write them "
            "alike before the fit."
        )


def is_total(values):
    """Whether the last of the values is the sum of all others, as in a row of totals.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Finite numbers.
    """
    others, last = values[:-1], float(values[-1])
    # A sum of few numbers, or of both signs, may equal another number by chance.
    if np.count_nonzero(others) < MIN_ROWS or others.min() < 0:
        return False
    with np.errstate(all="ignore"):
        return math.isclose(others.sum(dtype=np.float64), last, rel_tol=1e-6)


def missing_mark(values):
    """A number such as -999 that seems to stand for missing values; None without one.

    It has only nines, and at least two. It is ten times farther from the others than
    these are from each other. With three nines it may be the only negative value.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Finite numbers.
    """
    for mark in (float(values.min()), float(values.max())):
        digits = f"{abs(mark):.0f}"
        if len(digits) < 2 or set(digits) != {"9"} or float(digits) != abs(mark):
            continue
        others = values[values != mark]
        if len(others) < MIN_ROWS:
            continue
        low, high = float(others.min()), float(others.max())
        is_far = max(low - mark, mark - high) > 10 * (high - low)
        if low < high and (is_far or (mark < 0 <= low and len(digits) > 2)):
            return mark
    return None


def warn_of_numbers(y):
    """Warn of a total in the last row, and of numbers that stand for missing values."""
    for i, values in enumerate(y.reshape(len(y), -1).T):
        where = "" if y.ndim == 1 else f" in column {i}, counted from 0,"
        if is_total(values):
            warn(
                f"Input y has a last value{where} that is the sum of all others. If "
                "the last row has totals, leave it out."
            )
        if (mark := missing_mark(values)) is not None:
            warn(
                f"Input y has the value {mark:g}{where} in "
                f"{np.count_nonzero(values == mark)} rows, unlike all others. If "
                f"{mark:g} stands for a missing value, leave out its rows."
            )


def _check_groups(estimator, groups, X):
    """The groups of the rows as an array."""
    warn_of_other_order("groups", groups, "X", X)
    name = type(estimator).__name__
    refuse_sparse_targets(groups, name, "groups")
    refuse_a_name(groups, "groups")
    if getattr(groups, "nlevels", 1) > 1:
        # A MultiIndex, whose array has tuples.
        groups = groups.tolist()
    check_consistent_length(X, groups)
    values = as_array(groups)
    if values is not None and values.size != len(values):
        raise ValueError(
            f"groups must have shape (n_samples,), got {values.shape}: pass a "
            "single number or text for each row, such as by "
            "DataFrame.groupby(columns).ngroup()."
        )
    refuse_unfit_targets(groups, name, False, "groups")
    if values is None or (values.dtype == object and not _have_an_order(values)):
        values = np.asarray(plain_labels(groups, "groups"))
    return values.ravel()


def _have_an_order(values):
    """Whether objects are of one type that can be sorted, such as dates."""
    objects = values.ravel().tolist()
    if len(set(map(type, objects))) > 1:
        return False
    try:
        sorted(set(objects))
    except TypeError:
        return False
    return True


def drop_rows_without_weight(X, y, sample_weight):
    """Drop the rows of weight 0, and scale the weights to a maximum of about 1.

    The scale of the weights has no effect on the fit. A weight that is 0 in float32
    after the scaling counts as 0. The last result is the index of the other rows.
    """
    index = np.arange(len(y))
    if sample_weight is None:
        return X, y, None, index
    weights = checked_sample_weights(y, sample_weight)
    # Scaling by a power of two is exact.
    weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    has_weight = weights.astype(np.float32) > 0
    if has_weight.all():
        return X, y, weights, index
    index = index[has_weight]
    return _safe_indexing(X, index), y[index], weights[index], index


def refuse_single_row(estimator, n_rows):
    """Raise ValueError if fewer than two rows have a weight above 0."""
    if n_rows < 2:
        raise ValueError(
            f"Found array with n_samples={n_rows} of weight above 0, while a "
            f"minimum of 2 is required by {type(estimator).__name__}: each network "
            "needs a row to train on and a row to be validated on. Pass more rows, "
            "or a `sample_weight` above 0 for more rows."
        )


def number_groups(groups):
    """Number the groups from 0; raise ValueError if there is only one."""
    numbers = LabelEncoder().fit_transform(groups)
    if numbers.max() == 0:
        raise ValueError(
            "groups has a single group of positive weight, but each network leaves "
            "groups out. Pass two groups or more, or leave out `groups`."
        )
    n_largest, n_rows = int(np.bincount(numbers).max()), len(numbers)
    n_others = n_rows - n_largest
    if n_others < max(_FEW_SHARE * n_rows, min(MIN_ROWS, n_rows / 10)):
        warn(
            f"A group has {n_largest} of {n_rows} rows. The networks that leave it out "
            f"train on {n_others} of {n_rows} rows. Divide the group, or leave out "
            "`groups`."
        )
    return numbers


def _refuse_other_classes(y, y_val):
    """Raise ValueError if y_val has classes that y does not have."""
    new = np.setdiff1d(y_val, y)
    if not new.size:
        return
    remedy = "Leave their rows out of X_val and y_val."
    if np.isin(y_val, new).all():
        remedy = (
            "No class of y_val is in y: encode both alike. StackingClassifier, for "
            "example, encodes y, but not y_val."
        )
    raise ValueError(
        f"y_val has classes that y does not have: {new.tolist()}. {remedy}"
    )


def _warn_of_other_range(y, y_val):
    """Warn if y_val seems to be on another scale than y."""
    low, high = np.float64(y.min(axis=0)), np.float64(y.max(axis=0))
    # Later values may lie outside the range. Constant ones have none.
    with np.errstate(over="ignore"):
        margin = np.where(low < high, high - low, np.inf)
        is_outside = (y_val < low - margin) | (y_val > high + margin)
    n_outside = np.count_nonzero(is_outside, axis=0)
    if np.any(are_most(n_outside, len(y_val))):
        low, high = np.ravel(low), np.ravel(high)
        column = int(np.argmax(n_outside))
        where = f" of column {column}, counted from 0," if len(low) > 1 else ""
        warn(
            f"Most values of y_val{where} lie far outside the range of y, from "
            f"{low[column]:.10g} to {high[column]:.10g}. If y was transformed, such as "
            "by TransformedTargetRegressor, transform y_val in the same way. "
            "Otherwise check the unit of y_val."
        )


def _refuse_other_targets(y, y_val):
    """Raise ValueError if y and y_val are DataFrames with columns in another order."""
    names, names_val = target_names(y), target_names(y_val)
    if names is None or names_val is None:
        return
    # The name of a single column does not matter; another error tells of other numbers
    # of columns.
    if len(names) == len(names_val) > 1 and names != names_val:
        raise ValueError(
            f"y_val has the columns {names_val}, but y has the columns {names}. Rename "
            "them if they are the same, and pass y_val[y.columns]."
        )
