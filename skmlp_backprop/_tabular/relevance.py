"""The scales with which the inputs of networks begin, by how far columns explain y."""

import numpy as np
from scipy.stats import rankdata

# A column's scale begins at 1 - _BY_CHANCE / F, and at least at _LEAST, or at 1 - 1 / F
# for the median F. F is 1 on average if the column is unrelated to y. With lower
# limits, an ensemble learns more of what single columns explain, and less of what only
# several columns explain together.
_BY_CHANCE = 2
_LEAST = 0.1
# Entries of the rows that are summed at once.
_BLOCK_SIZE = 2**20


def initial_scales(rows, output, columns, folds, left_out):
    """The scales with which the inputs of each network begin.

    Columns that explain nothing of y by themselves begin at a tenth, so that networks
    learn little noise from them. They are not removed, since a column may matter
    together with others: the training raises the scales of such columns. Where most
    columns explain something, all scales begin near 1.

    F is the number of rows times the squared correlation of an entry with a target, in
    the mean of a column's entries and of the targets. Numbers count by their ranks
    within a fold, so that a few large ones do not decide. A network's scales are found
    without the rows that it leaves out. Otherwise these rows would choose the columns,
    and validate the choice.

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
    scales : ndarray of shape (n_members, n_numbers), float64
        The scales. Their mean square is 1.

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
    if len(columns) == 0:
        return np.ones((len(left_out), 0))
    sums = {
        fold: _sums_of_rows(rows, output, np.flatnonzero(folds == fold))
        for fold in np.unique(folds)
    }
    scales = {}
    for left in set(left_out):
        # Not all rows minus the fold: one large weight would cancel all others.
        others = [of_fold for fold, of_fold in sums.items() if fold != left]
        scales[left] = _scales(_relevance(*_total(others)), columns)
    return np.array([scales[fold] for fold in left_out])


def _sums_of_rows(rows, output, numbers):
    """The sums of :func:`_sums` over the rows with these numbers."""
    targets, weights = rows.targets[numbers], np.ones(len(numbers))
    if targets.dtype.kind == "f":
        # The mean is 1/2 in a fold of any size.
        targets = (rankdata(targets, axis=0) - 0.5) / len(numbers)
    if rows.weights is not None:
        weights = rows.weights[numbers].astype(np.float64)
    n_blocks = -(-len(numbers) * rows.X.numbers.shape[1] // _BLOCK_SIZE)
    of_blocks = [
        _sums(
            rows.X.numbers[numbers[block]].astype(np.float64),
            output.encoded_targets(targets[block], np.float64).T,
            weights[block],
        )
        for block in np.array_split(np.arange(len(numbers)), n_blocks)
    ]
    return _total(of_blocks)


def _total(parts):
    """Add up the sums of parts of the rows."""
    return [sum(of_parts) for of_parts in zip(*parts, strict=True)]


def _sums(X, targets, weights):
    """Sums over rows: of products with the targets and 1, and of squares."""
    targets = np.column_stack([np.ones(len(X)), targets])
    weighted = weights[:, np.newaxis] * targets
    return (
        X.T @ weighted,
        np.square(X).T @ weights,
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
    # Columns of codes are not numbered.
    _, numbers = np.unique(columns, return_inverse=True)
    of_columns = np.bincount(numbers, relevance) / np.bincount(numbers)
    # If most columns explain something, F is small by chance in some of them.
    least = max(_LEAST, 1 - 1 / max(1, np.median(of_columns)))
    of_columns = 1 - _BY_CHANCE / np.maximum(of_columns, _BY_CHANCE)
    scales = np.maximum(of_columns, least)[numbers]
    return scales / np.sqrt(np.square(scales).mean())
