"""The scales with which the inputs of networks begin, by how far columns explain y."""

from functools import reduce

import numpy as np
from scipy.stats import rankdata

from .._network.inputs import one_hot_rows

# A column's scale begins at 1 - _BY_CHANCE / F, and at least at _LEAST, or at 1 - 1 / F
# for the median F. F is 1 on average if the column is unrelated to y. With lower
# limits, an ensemble learns more of what single columns explain, and less of what only
# several columns explain together.
_BY_CHANCE = 2
_LEAST = 0.1
# F is the mean of many levels in a column of codes, so that it varies little by chance.
# The scale of the levels is _LEAST if F is above 1 by at most the first of these
# numbers of standard deviations, 1 from the second on, and in proportion between them.
_UNRELATED, _RELATED = 1, 3
# Entries of the rows that are summed at once.
_BLOCK_SIZE = 2**20


def initial_scales(rows, output, columns, folds, left_out):
    """The scales with which the inputs of each network begin.

    Columns that explain nothing of y by themselves begin at a tenth, so that networks
    learn little noise from them. They are not removed, since a column may matter
    together with others: the training raises the scales of such columns. Where most
    columns explain something, all scales begin near 1. The training does not change the
    scales of levels.

    F is the number of rows times the squared correlation of an entry with a target, in
    the mean of a column's entries or levels, and of the targets. Numbers count by their
    ranks within a fold, so that a few large ones do not decide. A network's scales are
    found without the rows that it leaves out. Otherwise these rows would choose the
    columns, and validate the choice.

    Parameters
    ----------
    rows : Rows
        The rows, of type TableRows. The number of rows with weights is the effective
        one, the squared sum of the weights over the sum of their squares.

    output : Output
        Encodes the targets.

    columns : ndarray of shape (n_numbers,), int
        The column of each number of a row.

    folds : ndarray of shape (n_rows,), int
        The fold of each row.

    left_out : ndarray of shape (n_members,), int
        The fold that each network leaves out.

    Returns
    -------
    scales : ndarray of shape (n_members, n_numbers + n_levels), float64
        The scales. The mean square of those of the numbers is 1.

    References
    ----------
    Fan, J. and Lv, J. (2008). "Sure independence screening for ultrahigh dimensional
    feature space." Journal of the Royal Statistical Society B 70. The choice of columns
    by their correlations with y.

    James, W. and Stein, C. (1961). "Estimation with quadratic loss." Fourth Berkeley
    Symposium. The shrinkage of an effect by 1 - c / F.

    Ambroise, C. and McLachlan, G. (2002). "Selection bias in gene extraction on the
    basis of microarray gene-expression data." PNAS 99. Why the choice must not see the
    rows that validate it.
    """
    n_numbers, columns_of_levels = len(columns), np.zeros(rows.X.n_levels, np.intp)
    for column, codes in enumerate(rows.X.codes.T):
        columns_of_levels[codes[codes >= 0]] = column
    sums = {
        fold: _sums_of_rows(rows, output, np.flatnonzero(folds == fold))
        for fold in np.unique(folds)
    }
    scales = {}
    for left in set(left_out):
        # Not all rows minus the fold: one large weight would cancel all others.
        total = _total(of_fold for fold, of_fold in sums.items() if fold != left)
        of_numbers, of_levels = np.split(_relevance(*total), [n_numbers])
        variances = _variances_of_levels(total[1][n_numbers:], *total[2:])
        scales[left] = np.append(
            _scales(of_numbers, columns),
            _scales_of_levels(of_levels, variances, columns_of_levels),
        )
    return np.array([scales[fold] for fold in left_out])


def _sums_of_rows(rows, output, numbers):
    """The sums of :func:`_sums` over the rows with these numbers."""
    targets, weights = rows.targets[numbers], np.ones(len(numbers))
    if targets.dtype.kind == "f":
        # The mean is 1/2 in a fold of any size.
        targets = (rankdata(targets, axis=0) - 0.5) / len(numbers)
    if rows.weights is not None:
        weights = rows.weights[numbers].astype(np.float64)
    n_columns = rows.X.numbers.shape[1] + rows.X.codes.shape[1]
    n_blocks = -(-len(numbers) * n_columns // _BLOCK_SIZE)
    return _total(
        _sums(
            rows.X[numbers[block]],
            output.encoded_targets(targets[block], np.float64).T,
            weights[block],
        )
        for block in np.array_split(np.arange(len(numbers)), n_blocks)
    )


def _total(parts):
    """Add up the sums of parts of the rows."""
    return reduce(lambda total, part: list(map(np.add, total, part)), parts)


def _sums(X, targets, weights):
    """Sums over rows: of products, squares, powers of the targets, squared weights."""
    targets = np.column_stack([np.ones(len(X)), targets])
    weighted = weights[:, np.newaxis] * targets
    numbers = X.numbers.astype(np.float64)
    of_levels = one_hot_rows(X.codes, X.n_levels, np.float64).T @ weighted
    return (
        np.concatenate([numbers.T @ weighted, of_levels]),
        np.append(np.square(numbers).T @ weights, of_levels[:, 0]),
        np.stack([(weighted * targets**power).sum(axis=0) for power in range(4)]),
        np.square(weights).sum(),
    )


def _relevance(products, squares, powers, squared_weights):
    """F of each entry, from sums over rows; 0 for a constant entry."""
    # The first target is 1.
    weight = powers[0, 0]
    means, target_means = products[:, :1] / weight, powers[0] / weight
    covariances = products / weight - means * target_means
    variances = squares[:, np.newaxis] / weight - np.square(means)
    target_variances, varies = _variances_of_targets(powers)
    shares = np.zeros((len(products), np.count_nonzero(varies)))
    np.divide(
        np.square(covariances[:, varies]),
        variances * target_variances[varies],
        out=shares,
        where=variances > 1e-12,
    )
    n_rows = weight * weight / squared_weights
    return n_rows * shares.sum(axis=1) / max(1, shares.shape[1])


def _variances_of_targets(powers):
    """The variances, and which are not 0, to rounding."""
    mean, mean_square = powers[:2] / powers[0, 0]
    variances = mean_square - np.square(mean)
    return variances, variances > 1e-12 * mean_square


def _variances_of_levels(squares, powers, squared_weights):
    """The variance of F by chance for each level; infinite for a level without rows.

    The squared mean of n independent values whose kurtosis is k above that of normal
    numbers has a variance of 2 + k / n, if its mean is 1. Targets count as independent.
    """
    variances, varies = _variances_of_targets(powers)
    weight, variance = powers[0, 0], variances[varies]
    mean, second, third, fourth = powers[:, varies] / weight
    moment = fourth - mean * (4 * third - 6 * mean * second + 3 * mean**3)
    kurtosis = np.maximum(0, moment / variance**2 - 3)
    n_rows = squares * weight / squared_weights
    of_levels = np.full(len(squares), np.inf)
    np.divide(
        kurtosis.sum() / max(1, len(variance)) ** 2,
        n_rows,
        out=of_levels,
        where=n_rows > 0,
    )
    return 2 + of_levels


def _scales(relevance, columns):
    """The scales of entries, which are equal within a column."""
    if len(columns) == 0:
        return relevance
    # Columns of codes are not numbered.
    _, numbers = np.unique(columns, return_inverse=True)
    of_columns = np.bincount(numbers, relevance) / np.bincount(numbers)
    # If most columns explain something, F is small by chance in some of them.
    least = max(_LEAST, 1 - 1 / max(1, np.median(of_columns)))
    of_columns = 1 - _BY_CHANCE / np.maximum(of_columns, _BY_CHANCE)
    scales = np.maximum(of_columns, least)[numbers]
    return scales / np.sqrt(np.square(scales).mean())


def _scales_of_levels(relevance, variances, columns):
    """The scales of levels, which are equal within a column of codes."""
    known = np.isfinite(variances)
    n_columns = columns.max(initial=-1) + 1
    # Levels are nearly independent of each other.
    excess = np.bincount(columns[known], relevance[known] - 1, n_columns)
    variance = np.bincount(columns[known], variances[known], n_columns)
    # A level has a variance of 2 or more.
    distances = excess / np.sqrt(np.maximum(variance, 2))
    shares = (distances - _UNRELATED) / (_RELATED - _UNRELATED)
    return np.clip(shares, _LEAST, 1)[columns]
