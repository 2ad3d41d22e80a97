"""Row weights: the sample weight times the class weight."""

import numpy as np
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from ._sklearn_private import _check_sample_weight


def row_weights(X, y, labels, class_weight, sample_weight):
    """Weight of each row's loss.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows; the weights take their precision.

    y : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Their labels.

    labels : Labels
        The classes.

    class_weight : dict, list of dict, "balanced" or None
        "balanced" weighs a class by the inverse of its share of the sample
        weights.

    sample_weight : array-like of shape (n_rows,) or None
        Sample weights, not negative, not all zero.

    Returns
    -------
    weights : ndarray of shape (n_rows,) or None
        The product; None if there is nothing to weigh.

    Raises
    ------
    ValueError
        If `class_weight` names unknown classes or the sample weights are invalid.
    """
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True
        )
    if class_weight is None:
        return sample_weight
    if isinstance(class_weight, list) and not labels.multilabel:
        raise ValueError(
            "class_weight may be a list of dicts for multilabel targets only; use a "
            "dict, 'balanced' or None."
        )
    if labels.multilabel:
        weights = compute_sample_weight(class_weight, y)
    else:
        weights = _single_label_weights(y, labels, class_weight, sample_weight)
    weights = weights.astype(X.dtype)
    if sample_weight is not None:
        weights = weights * sample_weight
    if not weights.any():
        raise ValueError(
            "class_weight, times sample_weight, is zero for every row: there is "
            "nothing to learn from these rows."
        )
    return weights


def _single_label_weights(y, labels, class_weight, sample_weight):
    if isinstance(class_weight, dict):
        unknown = sorted(set(class_weight) - set(labels.classes.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"class_weight has the labels {unknown}, which are not among the "
                f"classes {labels.classes.tolist()}."
            )
        per_class = [class_weight.get(label, 1.0) for label in labels.classes.tolist()]
        return np.asarray(per_class)[labels.encode(y)]
    return _balanced(y, labels, sample_weight)[labels.encode(y)]


def _balanced(y, labels, sample_weight):
    """Weights inverse to each class's share; classes without weight don't count.

    Rows of weight zero are then as good as absent.
    """
    if sample_weight is None:
        sample_weight = np.ones(len(y))
    y, sample_weight = y[sample_weight > 0], sample_weight[sample_weight > 0]
    present = np.isin(labels.classes, y)
    per_class = np.zeros(len(labels.classes))
    per_class[present] = compute_class_weight(
        "balanced", classes=labels.classes[present], y=y, sample_weight=sample_weight
    )
    return per_class
