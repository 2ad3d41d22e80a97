"""Prediction intervals and sets from the rows that each network left out."""

import math

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
        The sum of all is the effective number of rows, (sum w)^2 / sum w^2.

    References
    ----------
    Kish, L. (1965). "Survey Sampling." Wiley. The effective number of rows.
    """
    if weights is None:
        weights = np.ones(len(folds))
    else:
        weights = weights / weights.max()
        weights *= weights.sum() / np.square(weights).sum()
    by_fold = {}
    for fold in np.unique(folds).tolist():
        of_fold = residuals[folds == fold].T
        order = np.argsort(of_fold, axis=1, kind="stable")
        sums = np.cumsum(weights[folds == fold][order], axis=1)
        sums = np.hstack([np.zeros((len(sums), 1)), sums])
        by_fold[fold] = np.take_along_axis(of_fold, order, axis=1), sums
    return by_fold


def checked_coverages(coverage):
    """Return the parameter `coverage` as an array of shape (n_coverages,).

    Raises
    ------
    ValueError
        If it is neither a number in (0, 1) nor a list of such numbers.
    """
    coverages = np.atleast_1d(np.asarray(coverage))
    if (
        coverages.ndim > 1
        or coverages.size == 0
        or coverages.dtype.kind not in "fiu"
        or not ((coverages > 0) & (coverages < 1)).all()
    ):
        raise ValueError(
            "coverage must be a number in (0, 1), or a list of such numbers, got "
            f"{coverage!r}."
        )
    return coverages


def means_by_fold(estimates, by_fold):
    """Average the estimates of the networks that left each fold out.

    Parameters
    ----------
    estimates : ndarray of shape (n_members, ...)
        The estimates of each network.

    by_fold : dict of int to tuple
        The result of :func:`conformity`.

    Returns
    -------
    means : dict of int to ndarray
        The mean for each fold.
    """
    left_out = np.arange(len(estimates)) % len(by_fold)
    return {fold: estimates[left_out == fold].mean(axis=0) for fold in by_fold}


def mass_above(proba):
    """Sum the probabilities of the classes that are more probable than each class.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Probabilities. Of two equal ones the first counts as more probable.

    Returns
    -------
    mass : ndarray of shape (n_rows, n_classes)
        The sums, 0 for the most probable class.
    """
    order = np.argsort(-proba, axis=1, kind="stable")
    descending = np.take_along_axis(proba, order, axis=1)
    mass = np.zeros_like(proba)
    sums = np.cumsum(descending[:, :-1], axis=1)
    np.put_along_axis(mass, order[:, 1:], sums, axis=1)
    return mass


def cv_plus_sets(proba, by_fold, coverages):
    """Compute adaptive prediction sets by CV+.

    A class is in the set unless too many left-out rows have a lower
    :func:`mass_above` their class than the new row has above this class, by the
    networks that left the row out.

    Parameters
    ----------
    proba : dict of int to ndarray of shape (n_rows, n_classes)
        The probabilities by the networks that left a fold out.

    by_fold : dict of int to tuple
        The result of :func:`conformity` for the :func:`mass_above` the class of each
        row.

    coverages : ndarray of shape (n_coverages,)
        Coverages, in (0, 1).

    Returns
    -------
    sets : ndarray of shape (n_rows, n_classes, n_coverages), bool
        Whether each class is in the set.

    References
    ----------
    Romano, Y., Sesia, M. and Candès, E. J. (2020). "Classification with valid and
    adaptive coverage." NeurIPS.
    """
    below = sum(
        sums[0][np.searchsorted(scores[0], mass_above(proba[fold]))]
        for fold, (scores, sums) in by_fold.items()
    )
    return below[..., np.newaxis] < _targets(by_fold, coverages)


def n_effective_rows(by_fold):
    """The effective number of the rows that :func:`conformity` was given."""
    return sum(sums[0, -1] for _, sums in by_fold.values())


def describe_need(by_fold, coverages):
    """The end of a warning that the validated rows are too few for a coverage."""
    coverage = coverages.max()
    # As in `_targets`.
    n_needed = math.ceil(coverage * (1 - 1e-12) / (1 - coverage))
    n_rows = sum(residuals.shape[1] for residuals, _ in by_fold.values())
    n_effective = n_effective_rows(by_fold)
    found = f"there are {n_rows}"
    if n_effective < n_rows - 0.01:
        found = (
            f"by their unequal weights, the {n_rows} rows count as {n_effective:.2f}"
        )
    return (
        f"a coverage of {coverage:g} needs {n_needed} validated rows, but {found}. "
        "Choose a lower coverage, or fit to more rows."
    )


def cv_plus_intervals(lower, upper, by_fold, coverages):
    """Compute intervals by CV+.

    The upper bound is a quantile of the sums of a left-out row's residual and the upper
    prediction of the new row by the networks that left that row out; the lower bound is
    the same quantile of the differences. Weighted rows count by their weights, as so
    many rows as their effective number, and the new row weighs 1.

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
        for number, target in enumerate(_targets(by_fold, np.asarray(coverages))):
            intervals[:, output, 0, number] = -_upper_bounds(below, target)
            intervals[:, output, 1, number] = _upper_bounds(above, target)
    return intervals


def _targets(by_fold, coverages):
    """The weight of the rows that a coverage needs, the new row included."""
    # Less a little, so that rounding asks for no further row.
    return coverages * (n_effective_rows(by_fold) + 1) * (1 - 1e-12)


def _upper_bounds(folds, target):
    """For each row, the least number below which there is enough weight.

    Found by bisection.
    """
    all_centres = np.array([centres for centres, _, _ in folds])
    if target > sum(sums[-1] for _, _, sums in folds):
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
