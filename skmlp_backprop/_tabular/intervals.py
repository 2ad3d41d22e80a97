"""Prediction intervals from the rows that each network left out."""

import numpy as np

# Each halves the range that a bound is searched in.
_N_HALVINGS = 64


def conformity(residuals, folds, weights=None):
    """Sort the absolute residuals of each fold, for :func:`cv_plus_intervals`.

    Parameters
    ----------
    residuals : ndarray of shape (n_rows, n_outputs)
        How far y is outside the interval between two predictions by networks that left
        the row out; negative inside. The absolute error if the two are the same.

    folds : ndarray of shape (n_rows,), int
        The fold of each row.

    weights : ndarray of shape (n_rows,) or None, default=None
        Weights of the rows.

    Returns
    -------
    by_fold : dict of int to tuple
        For each fold the sorted residuals, of shape (n_outputs, n_fold_rows), and the
        sums of the weights up to each of them, of shape (n_outputs, n_fold_rows + 1).
        The mean weight of all rows is 1.
    """
    weights = np.ones(len(folds)) if weights is None else weights / weights.mean()
    by_fold = {}
    for fold in np.unique(folds).tolist():
        of_fold = residuals[folds == fold].T
        order = np.argsort(of_fold, axis=1, kind="stable")
        sums = np.cumsum(weights[folds == fold][order], axis=1)
        sums = np.hstack([np.zeros((len(sums), 1)), sums])
        by_fold[fold] = np.take_along_axis(of_fold, order, axis=1), sums
    return by_fold


def cv_plus_intervals(lower, upper, by_fold, coverages):
    """Compute intervals by CV+.

    The upper bound is a quantile of the sums of a left-out row's residual and the upper
    prediction of the new row by the networks that left that row out; the lower bound is
    the same quantile of the differences. A weighted row counts as often as its
    weight says, and the new row weighs 1.

    Parameters
    ----------
    lower, upper : dict of int to ndarray of shape (n_rows, n_outputs)
        The predictions of the networks that left a fold out.

    by_fold : dict of int to tuple
        The result of :func:`conformity`.

    coverages : sequence of float
        Coverages, in (0, 1).

    Returns
    -------
    intervals : ndarray of shape (n_rows, n_outputs, 2, n_coverages)
        Lower and upper bounds. Infinite where there are too few rows for the coverage.

    References
    ----------
    Barber, R. F., Candès, E. J., Ramdas, A. and Tibshirani, R. J. (2021). "Predictive
    inference with the jackknife+." Annals of Statistics 49, section 3.

    Romano, Y., Patterson, E. and Candès, E. J. (2019). "Conformalized quantile
    regression." NeurIPS. The residuals of two quantiles.
    """
    n_rows, n_outputs = next(iter(lower.values())).shape
    intervals = np.empty((n_rows, n_outputs, 2, len(coverages)))
    for output in range(n_outputs):
        above, below = (
            [
                (sign * predictions[fold][:, output], residuals[output], sums[output])
                for fold, (residuals, sums) in by_fold.items()
            ]
            for sign, predictions in ((1, upper), (-1, lower))
        )
        for number, coverage in enumerate(coverages):
            intervals[:, output, 0, number] = -_upper_bounds(below, coverage)
            intervals[:, output, 1, number] = _upper_bounds(above, coverage)
    return intervals


def _upper_bounds(folds, coverage):
    """The least numbers below which there is enough weight, by bisection."""
    total = sum(sums[-1] for _, _, sums in folds)
    # Less a little, so that rounding asks for no further row.
    target = coverage * (total + 1) * (1 - 1e-12)
    all_centres = np.array([centres for centres, _, _ in folds])
    if target > total:
        return np.full(all_centres.shape[1], np.inf)
    low = all_centres.min(axis=0) + min(residuals[0] for _, residuals, _ in folds)
    high = all_centres.max(axis=0) + max(residuals[-1] for _, residuals, _ in folds)
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        weight = sum(
            sums[np.searchsorted(residuals, middle - centres, side="right")]
            for centres, residuals, sums in folds
        )
        is_enough = weight >= target
        high = np.where(is_enough, middle, high)
        low = np.where(is_enough, low, middle)
    return high
