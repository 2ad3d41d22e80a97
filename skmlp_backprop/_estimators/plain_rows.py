"""Rows in which a validation could find nothing."""

import numpy as np
from scipy import sparse

# Entries of X from which it pays to look at less than all of them.
_MANY_VALUES = 2**16


def are_plain_rows(X, estimator):
    """Whether a fitted estimator can take X as it is.

    To find that out takes a tenth of the time of scikit-learn's validation, which takes
    longer than the prediction of a row. Where the answer is no, that one tells why, or
    mends it.

    Parameters
    ----------
    X : object
        What the caller has passed.

    estimator : estimator
        Its number of features is known; one that knows their names would miss them in
        an array.

    Returns
    -------
    are_plain : bool
        Whether X is an array, or a CSR matrix, of finite floats and as many features.
    """
    values = _values(X)
    if values is None or not _are_in_form(X, values, estimator):
        return False
    # A sum is finite only if its terms are.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


def show_what_is_not_finite(X, estimator):
    """Whether X is plain but for its values, which it takes longer to look at than at
    what the first layer makes of them.

    Parameters
    ----------
    X, estimator
        As of :func:`are_plain_rows`.

    Returns
    -------
    is_shown : bool
        Whether X is an array of floats with as many features, and is large, and the
        first layer has fewer units, but more than one: of a product with a vector the
        BLAS may leave out what is multiplied by a weight of 0.
    """
    if type(X) is not np.ndarray or X.size < _MANY_VALUES:
        return False
    n_units = len(estimator.intercepts_[0])
    return (
        _are_in_form(X, X, estimator)
        and 1 < n_units < X.shape[1]
        and estimator.input_intercept_ is None
    )


def _values(X):
    kind = type(X)
    if kind is np.ndarray:
        return X
    if kind is sparse.csr_matrix or kind is sparse.csr_array:
        return X.data
    return None


def _are_in_form(X, values, estimator):
    return (
        values.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )
