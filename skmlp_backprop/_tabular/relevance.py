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
# The targets of so many rows tell how far F varies by chance.
_MOST_ROWS = 20_000
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
    columns_of_levels = np.zeros(rows.X.n_levels, np.intp)
    for column, codes in enumerate(rows.X.codes.T):
        columns_of_levels[codes[codes >= 0]] = column
    correlation, kurtosis = _moments_of_targets(rows, output)
    sums = {
        fold: _sums_of_rows(rows, output, np.flatnonzero(folds == fold))
        for fold in np.unique(folds)
    }
    scales = {}
    for left in set(left_out):
        # Not all rows minus the fold: one large weight would cancel all others.
        total = _total(of_fold for fold, of_fold in sums.items() if fold != left)
        of_numbers, of_levels = total[:5], total[5:]
        scales[left] = np.append(
            _scales(_relevance(*of_numbers), columns),
            _scales_of_levels(
                _relevance(*of_levels),
                of_levels[1],
                columns_of_levels,
                correlation,
                kurtosis,
            ),
        )
    return np.array([scales[fold] for fold in left_out])


def _ranked(targets):
    """Numbers as ranks between 0 and 1; codes of classes as they are."""
    if targets.dtype.kind != "f":
        return targets
    # The mean is 1/2 for any number of rows.
    return (rankdata(targets, axis=0) - 0.5) / len(targets)


def _moments_of_targets(rows, output):
    """The mean squared correlation of pairs of targets, and their mean excess kurtosis.

    The means are over all pairs, also of a target with itself. The excess kurtosis of
    two standardised targets is E a^2 b^2 - 1 - 2 (E a b)^2, which is 0 for normal ones.
    """
    chosen = np.random.RandomState(0).permutation(rows.n_rows)[:_MOST_ROWS]
    targets = output.encoded_targets(_ranked(rows.targets[chosen]), np.float64).T
    targets = targets[:, np.ptp(targets, axis=0) > 0]
    if targets.shape[1] == 0:
        return 1.0, 0.0
    targets = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    correlation = np.square(targets.T @ targets / len(targets)).mean()
    fourth = np.square(np.square(targets).mean(axis=1)).mean()
    return correlation, fourth - 1 - 2 * correlation


def _sums_of_rows(rows, output, numbers):
    """The sums of :func:`_sums` over the rows with these numbers.

    Those of the numbers come first, then those of the levels. Levels count without
    weights, so that the variance of F by chance is known.
    """
    targets, weights = _ranked(rows.targets[numbers]), np.ones(len(numbers))
    if rows.weights is not None:
        weights = rows.weights[numbers].astype(np.float64)
    n_columns = rows.X.numbers.shape[1] + rows.X.codes.shape[1]
    n_blocks = -(-len(numbers) * n_columns // _BLOCK_SIZE)

    def of_block(block):
        X, w = rows.X[numbers[block]], weights[block]
        encoded = output.encoded_targets(targets[block], np.float64).T
        one_hot = one_hot_rows(X.codes, X.n_levels, np.float64)
        return (
            *_sums(X.numbers.astype(np.float64), encoded, w),
            *_sums(one_hot, encoded, np.ones(len(w))),
        )

    return _total(map(of_block, np.array_split(np.arange(len(numbers)), n_blocks)))


def _total(parts):
    """Add up the sums of parts of the rows."""
    return reduce(lambda total, part: list(map(np.add, total, part)), parts)


def _sums(X, targets, weights):
    """Sums over rows: of products with the targets and 1, and of squares."""
    targets = np.column_stack([np.ones(X.shape[0]), targets])
    weighted = weights[:, np.newaxis] * targets
    return (
        X.T @ weighted,
        (X * X).T @ weights,
        weighted.sum(axis=0),
        (weighted * targets).sum(axis=0),
        np.square(weights).sum(),
    )


def _relevance(products, squares, of_targets, target_squares, squared_weights):
    """F of each entry, from sums over rows; 0 for a constant entry."""
    # The first target is 1.
    weight = of_targets[0]
    means, target_means = products[:, :1] / weight, of_targets / weight
    covariances = products / weight - means * target_means
    variances = squares[:, np.newaxis] / weight - np.square(means)
    target_variances = target_squares / weight - np.square(target_means)
    varies = target_variances > 1e-12 * target_squares / weight
    shares = np.zeros((len(products), np.count_nonzero(varies)))
    np.divide(
        np.square(covariances[:, varies]),
        variances * target_variances[varies],
        out=shares,
        where=variances > 1e-12,
    )
    n_rows = weight * weight / squared_weights
    return n_rows * shares.sum(axis=1) / max(1, shares.shape[1])


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


def _scales_of_levels(relevance, n_rows, columns, correlation, kurtosis):
    """The scales of levels, which are equal within a column of codes.

    References
    ----------
    Box, G. and Andersen, S. (1955). "Permutation theory in the derivation of robust
    criteria and the study of departures from assumption." Journal of the Royal
    Statistical Society B 17. The variance by chance.
    """
    known = n_rows > 0
    n_columns, columns_known = columns.max(initial=-1) + 1, columns[known]
    excess = np.bincount(columns_known, relevance[known] - 1, n_columns)
    n_levels = np.bincount(columns_known, minlength=n_columns)
    n_rows_of_column = np.bincount(columns_known, n_rows[known], n_columns)
    # The variance of the sum of F by chance.
    fixed = n_levels**2 / np.maximum(n_rows_of_column, 1)
    inverse = np.bincount(columns_known, 1 / n_rows[known], n_columns)
    variance = 2 * correlation * (n_levels - fixed) + kurtosis * (inverse - fixed)
    # It is 0 if each level has a single row, which tells nothing.
    varies = variance > 1e-9 * n_levels
    distances = np.zeros(n_columns)
    distances[varies] = excess[varies] / np.sqrt(variance[varies])
    shares = (distances - _UNRELATED) / (_RELATED - _UNRELATED)
    return np.clip(shares, _LEAST, 1)[columns]
