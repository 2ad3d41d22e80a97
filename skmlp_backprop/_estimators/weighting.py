"""Row weights: the sample weight times the class weight."""

import sys
from numbers import Real

import numpy as np

from .._network.warning import warn
from .checks import plain_repr
from .sklearn_private import MAY_BE_ZERO, _check_sample_weight
from .target_checks import refuse_a_name, refuse_masked_weights


def checked_sample_weights(X, sample_weight, *, allow_all_zero=False):
    """Validate sample weights; their sum is checked by :func:`check_total`.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows.

    sample_weight : array-like of shape (n_rows,)
        Their weights.

    allow_all_zero : bool, default=False
        Whether all may be 0, as in a chunk of the rows.

    Returns
    -------
    weights : ndarray of shape (n_rows,), float64
        The validated weights.

    Raises
    ------
    ValueError
        If a weight is negative, masked or not finite, all are 0, or their number is not
        the number of rows.
    """
    refuse_a_name(sample_weight, "sample_weight")
    refuse_masked_weights(sample_weight)
    weights = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True, **MAY_BE_ZERO
    )
    if not (allow_all_zero or weights.any()):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def row_weights(X, targets, target_encoder, class_weight, sample_weight):
    """Weight of each row's loss: its class weight times its sample weight.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows; the weights take their precision.

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Class codes, an indicator matrix, or numbers.

    target_encoder : Labels or Numbers
        The classes.

    class_weight : dict, list of dict, "balanced" or None
        "balanced" is the inverse of the class's proportion of the sample weights. For
        multilabel targets the weights of a row's labels are multiplied. None for
        numbers. :func:`check_class_weight` has the rules for the keys.

    sample_weight : array-like of shape (n_rows,) or None
        Sample weights, not negative, not all zero.

    Returns
    -------
    weights : ndarray of shape (n_rows,) or None
        The product; None if both weights are None.

    Raises
    ------
    ValueError
        If a class weight or a sample weight is negative or not finite, `class_weight`
        does not fit the targets, or the sum of the weights is zero or too large or
        small for the precision of `X`.
    """
    if sample_weight is not None:
        sample_weight = checked_sample_weights(X, sample_weight)
    check_class_weight(class_weight, target_encoder)
    weights = combined_weights(targets, target_encoder, class_weight, sample_weight)
    if weights is None:
        return None
    with np.errstate(over="ignore"):
        total = float(weights.sum(dtype=np.float64))
    check_total(total, class_weight, X.dtype)
    return weights.astype(X.dtype, copy=False)


def combined_weights(targets, target_encoder, class_weight, sample_weight):
    """Class weight times sample weight of each row, both checked, in float64.

    The parameters are those of :func:`row_weights`.
    """
    if class_weight is None:
        return sample_weight
    if target_encoder.multilabel:
        columns, classes = targets.T, [0, 1]
    else:
        columns, classes = [targets], target_encoder.classes.tolist()
    if not isinstance(class_weight, list):
        class_weight = [class_weight] * len(columns)
    weights = np.ones(len(targets))
    # An overflow is refused by the sum of the weights.
    with np.errstate(over="ignore", invalid="ignore"):
        for codes, of_classes in zip(columns, class_weight, strict=True):
            if isinstance(of_classes, dict):
                by_code = np.array([of_classes.get(c, 1.0) for c in classes], float)
            else:
                counts = np.bincount(codes, sample_weight, minlength=len(classes))
                by_code = _balanced(counts)
            weights *= by_code[codes]
        return weights if sample_weight is None else weights * sample_weight


def explicit_class_weight(class_weight, labels, counts):
    """Class weights without "balanced", for callers that see only some of the rows.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None
        The user's, checked.

    labels : Labels
        The classes.

    counts : ndarray of shape (n_classes,) or (n_classes, 2)
        Sum of the sample weights of each class; for multilabel targets of the rows
        without and of those with each label.

    Returns
    -------
    class_weight : dict, list of dict or None
        The class weights as numbers.
    """
    if class_weight != "balanced":
        return class_weight
    if labels.multilabel:
        return [dict(enumerate(_balanced(pair).tolist())) for pair in counts]
    return dict(zip(labels.classes.tolist(), _balanced(counts).tolist(), strict=True))


def _balanced(counts):
    """Weights inverse to the classes' sums of sample weights.

    A class without weight does not count as a class.
    """
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


def check_class_weight(class_weight, labels):
    """Refuse a `class_weight` that does not fit the targets, and invalid weights.

    A warning names keys that are no class, but only if some class has no key. If every
    class has a key, the other keys are probably classes that a fold lacks.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None
        The user's.

    labels : Labels
        The classes.

    Raises
    ------
    ValueError
        If it is of the wrong kind for the targets, if a weight is negative or not
        finite, or if all keys are text and all classes are numbers, or the reverse.
    """
    if class_weight is None or class_weight == "balanced":
        return
    is_list = isinstance(class_weight, list)
    if is_list and not labels.multilabel:
        raise ValueError(
            "class_weight may be a list of dicts for multilabel targets only; use a "
            "dict, 'balanced' or None."
        )
    if labels.multilabel and not is_list:
        raise ValueError(
            "For multi-output, class_weight should be a list of dicts, or the string "
            "'balanced'."
        )
    if is_list and len(class_weight) != len(labels.classes):
        raise ValueError(
            "For multi-output, number of elements in class_weight should match number "
            f"of outputs: got {len(class_weight)} for {len(labels.classes)} labels."
        )
    for dictionary in class_weight if is_list else [class_weight]:
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
        classes = [0, 1] if labels.multilabel else labels.classes.tolist()
        if dictionary:
            _refuse_keys_of_other_types(dictionary, classes)
        known = set(classes)
        unknown = [key for key in dictionary if key not in known]
        if unknown and not dictionary.keys() >= known:
            warn(
                f"class_weight has keys that are no class, {_describe(unknown)}, and "
                f"classes without a key: the classes are {_describe(classes)}. These "
                "keys are ignored, and classes without a key weigh 1. Give each class "
                "a key as it is written in y. Within a meta-estimator that encodes y, "
                "such as VotingClassifier, the classes are 0, 1, and so on."
            )


def _refuse_keys_of_other_types(class_weight, classes):
    """Refuse a dict with keys that can't be classes: text for numbers, or the reverse.

    A key of the right type may be a class that a fold lacks.
    """
    if not class_weight.keys().isdisjoint(classes):
        return
    are_text = {isinstance(label, str) for label in classes}
    if are_text.isdisjoint(isinstance(key, str) for key in class_weight):
        raise ValueError(
            f"class_weight has no class among its keys, {_describe(class_weight)}: the "
            f"classes are {_describe(classes)}. Convert the keys to the type of the "
            "classes."
        )


def _describe(labels):
    """The first labels, and the types of all, in words."""
    labels = list(labels)
    shown = ", ".join(map(plain_repr, labels[:5])) + (", ..." if labels[5:] else "")
    types = sorted({type(label).__name__ for label in labels})
    return f"{shown} (of type {' and '.join(types)})"


def check_total(total, class_weight, dtype):
    """Refuse a sum of weights by which J can't be divided.

    Parameters
    ----------
    total : float
        The sum.

    class_weight : dict, list of dict, "balanced" or None
        Class weights, which the message names unless they are None.

    dtype : dtype
        Precision of the rows.

    Raises
    ------
    ValueError
        If it is zero, or too large or small for the precision.
    """
    what = "sample_weight"
    if class_weight is not None:
        what = f"class_weight times {what}"
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
            f"{'small' if is_small else 'large'} for {np.dtype(dtype)}. Multiply the "
            "weights so that their mean is 1, and alpha, if it is a parameter, by the "
            "same factor: the penalty is divided by the sum of the weights."
        )
