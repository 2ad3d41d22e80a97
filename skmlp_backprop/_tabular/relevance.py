"""The scales with which the inputs of networks begin, by how far columns explain y."""

from functools import reduce
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from .._network.rows import one_hot_rows

# A column's scale begins at 1 - _BY_CHANCE / F, and at least at _MIN_SCALE, or at
# 1 - 1 / F for the median F. F is 1 on average if the column is unrelated to y. With
# lower limits, an ensemble learns more of what single columns explain, and less of what
# only several columns explain together.
_BY_CHANCE = 2
_MIN_SCALE = 0.1
# F of many levels or bins varies little by chance. Their scale rises from 0 to 1 where
# F is above 1 by the first to the second of these numbers of standard deviations. It is
# at least _MIN_SCALE for levels.
_UNRELATED, _RELATED = 1, 3
# The smallest factor of the scales of bins. Columns of more entries, whose products
# take long, keep a factor of 1: by default they have so many bins because these explain
# much more of y.
_MIN_BIN_FACTOR = 0.3
_MAX_ENTRIES = 64
# Directions of less than this share of the largest variance depend on the others.
_RANK = 1e-8
# The targets of so many rows tell how far F varies by chance.
_MAX_ROWS = 20_000
# Entries of the rows that are summed at once.
_BLOCK_SIZE = 2**20


class Entries(NamedTuple):
    """The numbers of an encoded row.

    Parameters
    ----------
    columns : ndarray of shape (n_numbers,), int
        The column of each number.

    are_bins : ndarray of shape (n_numbers,), bool
        Whether it is a bin.
    """

    columns: np.ndarray
    are_bins: np.ndarray


# Products of Apple's BLAS may raise flags of errors that did not happen.
@np.errstate(all="ignore")
def initial_scales(rows, output, entries, folds, left_out):
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

    The bins of a column begin at smaller scales than its number if they explain no more
    of y, or of its ranks, beside the number than by chance: they would mostly add
    noise.

    Parameters
    ----------
    rows : Rows
        The rows, of type TableRows. The number of rows with weights is the effective
        one, the squared sum of the weights over the sum of their squares.

    output : Output
        Encodes the targets.

    entries : Entries
        The column of each number of a row, and whether it is a bin.

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
    binned = _columns_with_bins(entries)
    sums = {
        fold: _sums_of_rows(rows, output, np.flatnonzero(folds == fold), binned)
        for fold in np.unique(folds)
    }
    scales = {}
    for left in set(left_out):
        # Not all rows minus the fold: one large weight would cancel all others.
        total = _total(of_fold for fold, of_fold in sums.items() if fold != left)
        of_numbers, of_levels, products = total
        moments = _Moments.from_sums(*of_numbers)
        factors = np.ones(len(entries.columns))
        for (others, bins), of_column in zip(binned, products, strict=True):
            factors[bins] = _factor_of_bins(
                moments, others, bins, of_column, correlation
            )
        scales[left] = np.append(
            _scales(_relevance(moments), entries.columns, factors),
            _scales_of_levels(
                _relevance(_Moments.from_sums(*of_levels)),
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
    chosen = np.random.RandomState(0).permutation(rows.n_rows)[:_MAX_ROWS]
    targets = output.encoded_targets(_ranked(rows.targets[chosen]), np.float64).T
    targets = targets[:, np.ptp(targets, axis=0) > 0]
    if targets.shape[1] == 0:
        return 1.0, 0.0
    targets = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    correlation = np.square(targets.T @ targets / len(targets)).mean()
    fourth = np.square(np.square(targets).mean(axis=1)).mean()
    return correlation, fourth - 1 - 2 * correlation


def _columns_with_bins(entries):
    """The other entries, and the bins, of each column that has bins, but not many."""
    found = []
    for column in np.unique(entries.columns[entries.are_bins]):
        is_of_column = entries.columns == column
        others = np.flatnonzero(is_of_column & ~entries.are_bins)
        bins = np.flatnonzero(is_of_column & entries.are_bins)
        if len(others) + len(bins) <= _MAX_ENTRIES:
            found.append((others, bins))
    return found


def _sums_of_rows(rows, output, numbers, binned):
    """The sums of :func:`_sums` over the rows with these numbers.

    Those of the numbers come first, then those of the levels. Levels count without
    weights, so that the variance of F by chance is known. Then comes a list with the
    products of the entries of each column of `binned`.
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
        X = X.numbers.astype(np.float64)
        of_columns = (X[:, np.append(*column)] for column in binned)
        return (
            _sums(X, encoded, w),
            _sums(one_hot, encoded, np.ones(len(w))),
            [(w * values.T) @ values for values in of_columns],
        )

    return _total(map(of_block, np.array_split(np.arange(len(numbers)), n_blocks)))


def _total(parts):
    """Add up the sums of parts of the rows."""

    def add(total, part):
        return [list(map(np.add, *pair)) for pair in zip(total, part, strict=True)]

    return reduce(add, parts)


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


class _Moments(NamedTuple):
    """Moments of entries, and of entries with targets.

    Parameters
    ----------
    n_rows : float
        The effective number of rows.

    weight : float
        The sum of the weights.

    means, variances : ndarray of shape (n_entries, 1)
        Of each entry.

    covariances : ndarray of shape (n_entries, n_targets)
        With the standardised targets, without those that are constant.
    """

    n_rows: float
    weight: float
    means: np.ndarray
    variances: np.ndarray
    covariances: np.ndarray

    @classmethod
    def from_sums(cls, products, squares, of_targets, target_squares, squared_weights):
        """From the sums over rows, see :func:`_sums`."""
        # The first target is 1.
        weight = of_targets[0]
        means, target_means = products[:, :1] / weight, of_targets / weight
        target_variances = target_squares / weight - np.square(target_means)
        varies = target_variances > 1e-12 * target_squares / weight
        covariances = (products / weight - means * target_means)[:, varies]
        return cls(
            weight * weight / squared_weights,
            weight,
            means,
            squares[:, np.newaxis] / weight - np.square(means),
            covariances / np.sqrt(target_variances[varies]),
        )


def _relevance(moments):
    """F of each entry; 0 for a constant entry."""
    shares = np.zeros_like(moments.covariances)
    np.divide(
        np.square(moments.covariances),
        moments.variances,
        out=shares,
        where=moments.variances > 1e-12,
    )
    return moments.n_rows * shares.sum(axis=1) / max(1, shares.shape[1])


def _factor_of_bins(moments, others, bins, products, correlation):
    """What the scales of a column's bins are multiplied by: less than 1 if useless.

    F compares the variance of the targets that the bins explain beside the other
    entries with the variance that is left, each by its degrees of freedom.

    Parameters
    ----------
    moments : _Moments
        Of all entries.

    others, bins : ndarray of int
        The column's other entries, and its bins.

    products : ndarray of shape (n_entries, n_entries)
        The sums over rows of the products of its entries, the bins last.

    correlation : float
        The mean squared correlation of pairs of targets.
    """
    entries, n_others = np.append(others, bins), len(others)
    means, covariances = moments.means[entries], moments.covariances[entries]
    variances = products / moments.weight - means * means.T
    explained, rank = _explained(variances, covariances)
    by_others, rank_of_others = _explained(
        variances[:n_others, :n_others], covariances[:n_others]
    )
    n_free, n_left = rank - rank_of_others, moments.n_rows - rank - 1
    if n_free <= 0 or n_left <= 0 or explained >= 1:
        return 1.0
    f = (explained - by_others) / n_free / ((1 - explained) / n_left)
    # The variance of F by chance, for many rows.
    deviation = np.sqrt(2 * correlation * (1 / n_free + 1 / n_left))
    return _scale_by_distance((f - 1) / deviation, _MIN_BIN_FACTOR)


def _explained(variances, covariances):
    """The share of the targets' variance that entries explain, and their rank.

    The share is the mean over the targets.
    """
    if covariances.size == 0:
        return 0.0, 0
    values, vectors = np.linalg.eigh(variances)
    is_free = values > _RANK * values[-1]
    along = np.square(vectors.T @ covariances).mean(axis=1)
    return (along[is_free] / values[is_free]).sum(), is_free.sum()


def _scale_by_distance(distances, smallest):
    """`smallest` for unrelated to 1 for related columns, by standard deviations."""
    return np.clip((distances - _UNRELATED) / (_RELATED - _UNRELATED), smallest, 1)


def _scales(relevance, columns, factors):
    """The scales of entries: those of a column, times the factor of the entry."""
    if len(columns) == 0:
        return relevance
    # Columns of codes are not numbered.
    _, numbers = np.unique(columns, return_inverse=True)
    of_columns = np.bincount(numbers, relevance) / np.bincount(numbers)
    # If most columns explain something, F is small by chance in some of them.
    smallest = max(_MIN_SCALE, 1 - 1 / max(1, np.median(of_columns)))
    of_columns = 1 - _BY_CHANCE / np.maximum(of_columns, _BY_CHANCE)
    scales = np.maximum(of_columns, smallest)[numbers] * factors
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
    return _scale_by_distance(distances, _MIN_SCALE)[columns]
