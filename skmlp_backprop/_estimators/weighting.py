"""Row weights: the sample weight times the class weight."""

import sys
from numbers import Real

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from .checks import plain_repr
from .sklearn_private import MAY_BE_ZERO, _check_sample_weight


def sample_weights(X, sample_weight):
    """Weight of each row's loss where there are no classes.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows; the weights take their precision.

    sample_weight : array-like of shape (n_rows,) or None
        Sample weights, not negative, not all zero.

    Returns
    -------
    weights : ndarray of shape (n_rows,) or None
        The same, checked.

    Raises
    ------
    ValueError
        If one is negative or not finite, or their sum is zero or too large or small
        for the precision of `X`.
    """
    if sample_weight is None:
        return None
    weights = checked_sample_weights(X, sample_weight)
    return _in_precision(weights, "sample_weight", X.dtype)


def checked_sample_weights(X, sample_weight, *, allow_all_zero=False):
    """Validate sample weights, whose sum may still be too large or small.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows.

    sample_weight : array-like of shape (n_rows,)
        Their weights.

    allow_all_zero : bool, default=False
        Whether all may be 0, as those of a part of the rows may be.

    Returns
    -------
    weights : ndarray of shape (n_rows,), float64
        The same. What is no weight in the precision of `X` is yet to be told, with the
        remedy.

    Raises
    ------
    ValueError
        If one is negative or not finite, or their number is not that of the rows.
    """
    weights = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, **MAY_BE_ZERO
    )
    if not (allow_all_zero or weights.any()):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def class_and_sample_weights(X, targets, labels, class_weight, sample_weight):
    """Weight of each row's loss, that of its class included.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows; the weights take their precision.

    targets : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Their class codes, or the indicator matrix.

    labels : Labels
        The classes.

    class_weight : dict, list of dict, "balanced" or None
        Keys that are no class are ignored: a fold may lack one. "balanced" weighs a
        class by the inverse of its share of the sample weights. For multilabel targets
        the weights of a row's labels are multiplied.

    sample_weight : array-like of shape (n_rows,) or None
        Sample weights, not negative, not all zero.

    Returns
    -------
    weights : ndarray of shape (n_rows,) or None
        The product; None if there is nothing to weigh.

    Raises
    ------
    ValueError
        If a class weight or a sample weight is negative or not finite, `class_weight`
        is not of the form that the targets ask for, or the sum of the weights is zero
        or too large or small for the precision of `X`.
    """
    if sample_weight is not None:
        sample_weight = checked_sample_weights(X, sample_weight)
    check_class_weight(class_weight, labels)
    weights = combined_weights(targets, labels, class_weight, sample_weight)
    if weights is None:
        return None
    return _in_precision(weights, describe_weights(class_weight), X.dtype)


def describe_weights(class_weight):
    """What the weights are, in words."""
    is_of_rows = class_weight is None
    return "sample_weight" if is_of_rows else "class_weight times sample_weight"


def combined_weights(targets, labels, class_weight, sample_weight):
    """Class weight times sample weight, both checked, for each row.

    Parameters
    ----------
    targets, labels, class_weight
        As in :func:`class_and_sample_weights`.

    sample_weight : ndarray of shape (n_rows,) or None
        Checked sample weights.

    Returns
    -------
    weights : ndarray of shape (n_rows,), float64, or None
        The product; None if there is nothing to weigh.
    """
    if class_weight is None:
        return sample_weight
    if labels.multilabel:
        weights = _multilabel_weights(targets, class_weight, sample_weight)
    else:
        classes = labels.classes.tolist()
        weights = _class_weights(targets, classes, class_weight, sample_weight)[targets]
    if sample_weight is None:
        return weights
    with np.errstate(over="ignore", invalid="ignore"):
        return weights * sample_weight


def explicit_class_weight(class_weight, labels, counts):
    """Class weights without "balanced", for callers that see a part of the rows.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None
        As the user gave them, checked.

    labels : Labels
        The classes.

    counts : ndarray of shape (n_classes,) or (n_classes, 2)
        Sum of the sample weights of each class; for multilabel targets of the rows
        without and of those with each label.

    Returns
    -------
    class_weight : dict, list of dict or None
        The same weights.
    """
    if class_weight != "balanced":
        return class_weight
    if labels.multilabel:
        return [dict(enumerate(_balanced_by_counts(pair))) for pair in counts]
    weights = _balanced_by_counts(counts)
    return dict(zip(labels.classes.tolist(), weights, strict=True))


def _balanced_by_counts(counts):
    """The balanced weights of classes of which each has one row that stands for all."""
    return _balanced(np.arange(len(counts)), len(counts), counts).tolist()


def check_class_weight(class_weight, labels):
    """Refuse class weights of the wrong type, and weights that are not valid."""
    if isinstance(class_weight, list) and not labels.multilabel:
        raise ValueError(
            "class_weight may be a list of dicts for multilabel targets only; use a "
            "dict, 'balanced' or None."
        )
    if labels.multilabel and isinstance(class_weight, dict):
        raise ValueError(
            "For multi-output, class_weight should be a list of dicts, or the string "
            "'balanced'."
        )
    if isinstance(class_weight, list) and len(class_weight) != len(labels.classes):
        raise ValueError(
            "For multi-output, number of elements in class_weight should match number "
            f"of outputs: got {len(class_weight)} for {len(labels.classes)} labels."
        )
    dicts = [class_weight] if isinstance(class_weight, dict) else class_weight
    if not isinstance(dicts, list):
        return
    for dictionary in dicts:
        if not isinstance(dictionary, dict):
            raise ValueError(
                f"class_weight must be a list of dicts, got a {dictionary!r} in it."
            )
        for label, weight in dictionary.items():
            # Not inf: an integer may be below that, and no float.
            if not (isinstance(weight, Real) and 0 <= weight <= sys.float_info.max):
                raise ValueError(
                    "class_weight must be finite and not negative, got "
                    f"{plain_repr(weight)} for the label {plain_repr(label)}."
                )


def _in_precision(weights, what, dtype):
    """Convert weights; refuse those that J can't be divided by the sum of."""
    with np.errstate(over="ignore"):
        total = float(weights.sum(dtype=np.float64))
    check_total(total, what, dtype)
    return weights.astype(dtype, copy=False)


def check_total(total, what, dtype):
    """Refuse a sum of weights that J can't be divided by.

    Parameters
    ----------
    total : float
        The sum.

    what : str
        What the weights are, in words.

    dtype : dtype
        Precision of the rows.

    Raises
    ------
    ValueError
        If it is zero, or too large or small for the precision.
    """
    if total == 0:
        raise ValueError(
            f"{what} is zero for every row: there is nothing to learn from these rows."
        )
    limits = np.finfo(dtype)
    is_small = total < float(limits.tiny)
    # Also nan, the product of an overflow and zero.
    if is_small or not total <= float(limits.max):
        raise ValueError(
            f"The sum of {what}, {total:g}, is too "
            f"{'small' if is_small else 'large'} for {np.dtype(dtype)}. Only the "
            "ratios of weights count: scale them to a mean of 1."
        )


def _multilabel_weights(indicator, class_weight, sample_weight):
    """For each row the product of its labels' weights, each present or absent."""
    if isinstance(class_weight, str):
        class_weight = [class_weight] * indicator.shape[1]
    weights = np.ones(len(indicator))
    # What overflows is refused by its sum.
    with np.errstate(over="ignore", invalid="ignore"):
        for column, weight in zip(indicator.T, class_weight, strict=True):
            weights *= _class_weights(column, [0, 1], weight, sample_weight)[column]
    return weights


def _class_weights(codes, classes, class_weight, sample_weight):
    """The weight of each class, by its code."""
    if isinstance(class_weight, dict):
        return np.array([class_weight.get(label, 1.0) for label in classes], float)
    return _balanced(codes, len(classes), sample_weight)


def _balanced(codes, n_classes, sample_weight):
    """Weights inverse to each class's share; classes without weight don't count.

    Rows of weight zero have no effect then.
    """
    if sample_weight is None:
        sample_weight = np.ones(len(codes))
    counts = sample_weight > 0
    codes, sample_weight = codes[counts], sample_weight[counts]
    present = np.unique(codes)
    per_class = np.zeros(n_classes)
    if len(present):
        per_class[present] = compute_class_weight(
            "balanced", classes=present, y=codes, sample_weight=sample_weight
        )
    return per_class
