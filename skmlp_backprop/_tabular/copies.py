"""Copies of rows: a network must not be validated by a copy of a training row."""

import numpy as np

from .._network.warning import warn
from .column_warnings import identifier_message

# A table with fewer distinct rows has too few groups for folds.
_MIN_ROWS = 10
# Repeated rows are copies only if at most this share of them has another target, and at
# most this share is to be expected by chance.
UNLIKE_COPIES = 0.05
# Categories, and columns of two numbers, count from this share of repeated rows on. In
# tables of categories, rows are often equal without being copies, as categories depend
# on each other.
_MANY_COPIES = 0.25
# A warning names validation rows that are training rows from this share of them on.
KNOWN_SHARE = 0.025
# An odd number of 64 bits with an irregular pattern, for hashes.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def group_copies(columns, y):
    """Group the copies of each row, if the table has any.

    Oversampled tables and bootstrap samples have copies. Rows that are equal by chance
    are no copies. They may be in several folds, as new rows will be equal to training
    rows, too.

    Parameters
    ----------
    columns : list of Column
        The columns of the table. Columns that identify the rows do not count.

    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The targets.

    Returns
    -------
    groups : ndarray of shape (n_rows,), int, or None
        The same number, from 0, for equal rows. None if there are no copies, if the
        targets of copies differ, or if the columns have so few combinations of values
        that rows may be equal by chance.
    """
    n_rows = len(y)
    columns = [column for column in columns if not identifier_message(column)]
    hashes = hash_rows([column.values for column in columns], n_rows)
    distinct, first, groups = np.unique(hashes, return_index=True, return_inverse=True)
    n_distinct, n_copies = len(distinct), n_rows - len(distinct)
    if n_distinct < _MIN_ROWS or n_copies == 0:
        return None
    with_targets = hash_rows([groups, *_codes_of_targets(y)], n_rows)
    n_other_targets = len(np.unique(with_targets)) - n_distinct
    are_many = n_copies >= _MANY_COPIES * n_rows
    n_possible = n_combinations([c.values[first] for c in columns], are_many)
    # The number of pairs of equal rows to expect if the columns were independent.
    n_by_chance = n_rows**2 / 2 / n_possible
    if max(n_other_targets, n_by_chance) > UNLIKE_COPIES * n_copies:
        return None
    return groups


def warn_of_known_rows(prepared, y, prepared_val, y_val):
    """Warn if validation rows are training rows, unless they are equal by chance.

    The columns are results of ``TabularEncoder._prepare``.
    """
    n_rows, n_val = len(y), len(y_val)
    both = [np.concatenate(pair) for pair in zip(prepared, prepared_val, strict=True)]
    values = flat(both)
    targets = _codes_of_targets(np.concatenate([y, y_val]))
    hashes = hash_rows([*values, *targets], n_rows + n_val)
    n_known = np.isin(hashes[n_rows:], hashes[:n_rows]).sum()
    n_possible = n_combinations(values, are_many=n_known >= _MANY_COPIES * n_val)
    n_by_chance = n_rows * n_val / n_possible
    if n_known >= KNOWN_SHARE * n_val and n_by_chance <= UNLIKE_COPIES * n_known:
        warn(
            f"{n_known} of {n_val} rows of X_val are rows of X, with the same y. The "
            "networks are validated by rows that they were trained on: the training "
            "stops too late, and intervals are too narrow. Leave these rows out of X "
            "or of X_val."
        )


def flat(columns):
    """Arrays of one dimension; a prepared column of dates has several."""
    return [values for column in columns for values in np.atleast_2d(column.T)]


def _codes_of_targets(y):
    """The columns of y as integers."""
    # In the precision of the training.
    with np.errstate(over="ignore", under="ignore"):
        y = y.astype(np.float32) if y.dtype == np.float64 else y
    columns = y.reshape(len(y), -1).T
    return [np.unique(values, return_inverse=True)[1] for values in columns]


def hash_rows(columns, n_rows):
    """A hash of each row of columns of numbers, in the precision of the training."""
    hashes = np.zeros(n_rows, np.uint64)
    for values in columns:
        # The addition makes -0.0 equal to 0.0, and NaN may have several forms.
        with np.errstate(over="ignore", under="ignore"):
            values = np.where(np.isnan(values), np.nan, values + 0.0)
            bits = values.astype(np.float32).view(np.uint32)
        hashes = (hashes ^ bits) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(32)
    return hashes


def n_combinations(columns, are_many):
    """The effective number of combinations of independent columns.

    The effective number of values of a column is the number of equally frequent values
    of which two are equal as often as two values of the column. `are_many` says whether
    categories, and columns of two numbers, count.
    """
    product = 1.0
    for values in columns:
        _, counts = np.unique(values, return_counts=True)
        # The codes of categories are integers.
        if are_many or (values.dtype.kind == "f" and len(counts) > 2):
            product /= np.square(counts / len(values)).sum()
    return product
