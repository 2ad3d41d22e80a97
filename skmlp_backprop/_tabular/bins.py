"""The bins of a column of numbers: quantiles, and bins that are learned from labels.

References
----------
Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). "On embeddings for numerical
features in tabular deep learning." NeurIPS. The piecewise-linear encoding by bins.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import special

# Bins are learned from a sample of this many rows, so that the time does not grow with
# the table; a tree of thresholds from fewer rows if there are many classes. Each leaf
# of the tree has at least _LEAF_ROWS rows.
_MAX_ROWS = 20_000
_LEAF_ROWS = 5
# A threshold must raise the log-likelihood of the labels by this, and by 1 more for
# each of its parameters. A weaker threshold may be due to chance, and would tell the
# networks about the labels of left-out rows.
_MIN_GAIN = 2
# The labels change abruptly at a threshold if, among this many rows on each side, or an
# eighth of few rows, it raises the log-likelihood by this, and by 1 more for each
# parameter. Where they change gradually, this happens by chance at one threshold in two
# hundred of thousands of rows, and in one column of five with hundreds of rows.
_NEAR_ROWS = 64
_MIN_JUMP = 8
# Fine bins have this number of rows or more, or nearly so many; but each value has a
# bin if the mean value has the second number of rows. There are at most so many fine
# bins in a column, beside its usual bins, and in all columns of a table.
_FINE_ROWS = 20
_ROWS_OF_VALUE = 10
_MAX_FINE_BINS = 255
_MAX_FINE_BINS_OF_TABLE = 1024
# The labels vary within bins if other bins explain more of the labels' variance by this
# share, and by so many times the variance that they would explain by chance. More bins
# than usual must explain far more: on the tables for development, 255 bins that
# explained between a hundredth and a tenth more were no better, and took longer.
_MIN_SHARE = 0.01
_MIN_SHARE_OF_MANY = 0.1
_MIN_RATIO = 5
# With more bins than this, the outermost bin has so few rows that their y may be
# special.
_MANY_BINS = 64
# Whole numbers are codes, such as those of shops, if the labels of a value have little
# to do with those of its neighbours. Every second value then tells little about the
# values between: beyond a line through them, there is this share of the variance that
# all values explain beyond a single line, which is a half for codes in random order and
# hardly anything for quantities. It is also this share of all variance, and due to
# chance with this probability at most. Values of fewer rows do not count, and are in
# this share of the rows at most: most quantities have many of them.
_MIN_SHARE_BETWEEN = 0.3
_MIN_SHARE_OF_CODES = 0.03
_MAX_PROBABILITY = 1e-8
_FEWEST_CODES, _MAX_CODES, _MAX_CODES_OF_TABLE = 12, 255, 1024
_ROWS_OF_CODE = 5
_MAX_RARE_SHARE = 0.5
# float32 has whole numbers up to this size.
_LARGEST_CODE = 2**24


class Labelled(NamedTuple):
    """Rows from whose labels bins are learned.

    Parameters
    ----------
    rows : ndarray of shape (n_labelled,), int, or slice
        The numbers of the rows.

    labels : ndarray of shape (n_labelled,), int, or (n_labelled, n_columns)
        The codes of their classes, indicators of several labels, or numbers.

    finds_thresholds : bool
        Whether to find thresholds that separate the labels.
    """

    rows: np.ndarray | slice
    labels: np.ndarray
    finds_thresholds: bool


def bin_edges(present, n_bins, thresholds=()):
    """Distinct quantiles of sorted values, and thresholds between them.

    A single edge stands for fewer than two bins.
    """
    is_between = (present > present[0]) & (present < present[-1])
    # The scaled number suffices for a column of two distinct numbers.
    if n_bins == 0 or not is_between.any():
        return present[:1]
    levels = np.linspace(0, 1, n_bins + 1)
    edges = np.unique(np.quantile(present, levels))
    if len(edges) < 3:
        # Nearly all values are equal: take the quantiles of the distinct values.
        edges = np.unique(np.quantile(np.unique(present), levels))
    edges = np.union1d(edges, thresholds)
    return edges if len(edges) > 2 else edges[:1]


def class_thresholds(values, labels, n_thresholds):
    """The thresholds of a decision tree that predicts the labels from one column.

    Where the labels change abruptly, the values on both sides are thresholds, too: the
    two bins between them jump from 0 to 1, as no wider bin can. Two bins of the same
    values learn a jump faster than one.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). "On embeddings for numerical
    features in tabular deep learning." NeurIPS. Section 3.2.2, target-aware bins.
    """
    # Imported here, since it would slow down the import of the package.
    from sklearn.tree import DecisionTreeClassifier

    n_parameters = len(np.unique(labels)) - 1 if labels.ndim == 1 else labels.shape[1]
    n_max = _MAX_ROWS // max(1, n_parameters)
    # In random order: near a threshold are some of the rows with equal values, and a
    # table may be sorted by the labels.
    rows = np.random.RandomState(0).permutation(len(values))[:n_max]
    values, labels = values[rows], labels[rows]
    # Ranks, since the tree takes numbers as float32.
    distinct, ranks = np.unique(values, return_inverse=True)
    # The scaled number suffices for two distinct numbers.
    if len(distinct) < 3:
        return distinct[:0]
    gain = _MIN_GAIN + n_parameters
    tree = DecisionTreeClassifier(
        criterion="log_loss",
        max_leaf_nodes=n_thresholds + 1,
        min_samples_leaf=_LEAF_ROWS,
        # The impurity is a mean over rows, and over the columns of labels, in bits.
        min_impurity_decrease=gain / np.log(2) / labels.size,
        random_state=0,
    )
    tree = tree.fit(ranks[:, np.newaxis], labels).tree_
    below = np.floor(tree.threshold[tree.children_left >= 0]).astype(np.intp)
    order = np.argsort(ranks, kind="stable")
    ranks, labels = ranks[order], labels[order]
    places = np.searchsorted(ranks, below + 1)
    gains = np.array([_gain_nearby(labels, place) for place in places])
    jumps = below[gains >= _MIN_JUMP + n_parameters]
    between = distinct[below] / 2 + distinct[below + 1] / 2
    return np.concatenate([between, distinct[jumps], distinct[jumps + 1]])


def _gain_nearby(labels, place):
    """What a cut of sorted rows adds to the log-likelihood of the labels next to it."""
    n_rows = min(_NEAR_ROWS, len(labels) // 8)
    below = labels[max(0, place - n_rows) : place]
    above = labels[place : place + n_rows]
    both = np.concatenate([below, above])
    return _log_likelihood(below) + _log_likelihood(above) - _log_likelihood(both)


def _log_likelihood(labels):
    """The log-likelihood of labels if their frequencies are the probabilities."""
    if labels.ndim == 1:
        _, counts = np.unique(labels, return_counts=True)
    else:
        counts = labels.sum(axis=0)
        counts = np.stack([counts, len(labels) - counts])
    return special.xlogy(counts, counts / len(labels)).sum()


def refine_bins(encodings, columns, labelled, n_bins):
    """Give more bins to columns of numbers within whose bins the labels vary.

    There are three reasons for such columns. Frequent values, such as the zeros of
    amounts, are several quantiles, so that few bins are left to the other values.
    Neighbouring numbers differ, as the hours of the week do. Or they have nothing in
    common, as the numbers of shops: then each value has an entry, beside the usual bins
    for values that `fit` did not see.

    Parameters
    ----------
    encodings : list of encoding
        The encodings of the columns; those with more bins are replaced.

    columns : list of Column
        The columns of the table.

    labelled : Labelled
        The labelled rows.

    n_bins : int
        The usual number of bins.
    """
    labels = labelled.labels
    sample = np.random.RandomState(0).permutation(len(labels))[:_MAX_ROWS]
    found, codes_found = [], []
    for number, (encoding, column) in enumerate(zip(encodings, columns, strict=True)):
        if not encoding.is_numeric or len(encoding.edges) == 1:
            continue
        values = column.values[labelled.rows][sample] * encoding.unit
        has_value = ~np.isnan(values)
        values, of_values = values[has_value], labels[sample[has_value]]
        share, choices = _further_edges(values, of_values, encoding.edges, n_bins)
        if choices:
            found.append((share, number, choices))
        if share := _share_of_codes(values, of_values):
            # All rows, as the sample may lack some codes.
            codes = _frequent_values(column.values[~np.isnan(column.values)])
            if _may_be_codes(codes):
                codes_found.append((share, number, codes))
    n_left = _MAX_FINE_BINS_OF_TABLE
    for _, number, choices in sorted(found, key=lambda one: one[0], reverse=True):
        for edges in reversed(choices):
            n_more = len(edges) - len(encodings[number].edges)
            if n_more <= n_left:
                encodings[number] = replace(
                    encodings[number],
                    edges=edges,
                    averages_outside=len(edges) - 1 > _MANY_BINS,
                )
                n_left -= n_more
                break
    n_left = _MAX_CODES_OF_TABLE
    for _, number, codes in sorted(codes_found, key=lambda one: one[0], reverse=True):
        if len(codes) <= n_left:
            encodings[number] = replace(
                encodings[number], codes=codes, averages_outside=True
            )
            n_left -= len(codes)


def _share_of_codes(values, labels):
    """The share of the labels' variance by which numbers are codes; 0 for quantities.

    It is the share that the values explain beyond a line through every second of them.
    The parameters are those of :func:`_compare_bins`.
    """
    distinct = _frequent_values(values)
    if not _may_be_codes(distinct):
        return 0.0
    # A value of few rows may differ by chance.
    is_frequent = np.isin(values, distinct)
    if np.mean(~is_frequent) > _MAX_RARE_SHARE:
        return 0.0
    values, labels = values[is_frequent], labels[is_frequent]
    places = np.linspace(0, len(distinct) - 1, len(distinct) // 2 + 1)
    every_second = distinct[np.rint(places).astype(int)]
    shares, _, probabilities = _compare_bins(values, labels, every_second, distinct)
    is_of_codes = (shares > _MIN_SHARE_OF_CODES) & (probabilities < _MAX_PROBABILITY)
    if not is_of_codes.any():
        return 0.0
    beyond_line, _, _ = _compare_bins(values, labels, distinct[[0, -1]], distinct)
    is_of_codes &= shares > _MIN_SHARE_BETWEEN * beyond_line
    return float(shares.max(where=is_of_codes, initial=0))


def _frequent_values(values):
    """The distinct values that have several rows each."""
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[counts >= _ROWS_OF_CODE]


def _may_be_codes(distinct):
    """Whether these are a number of whole numbers that codes may have."""
    return (
        _FEWEST_CODES <= len(distinct) <= _MAX_CODES
        and np.abs(distinct).max() <= _LARGEST_CODE
        and (np.rint(distinct) == distinct).all()
    )


def _further_edges(values, labels, edges, n_bins):
    """Add edges of bins that explain more of the labels' variance.

    Returns
    -------
    share : float
        The share of the variance.

    choices : list of ndarray
        The edges with those of as many bins as usual, of many bins, or of both; each
        if it explains enough.
    """
    distinct, counts = np.unique(values, return_counts=True)
    total, choices = 0.0, []
    for n_max, min_share in (
        (n_bins, _MIN_SHARE),
        (_MAX_FINE_BINS, _MIN_SHARE_OF_MANY),
    ):
        fine = _fine_edges(distinct, counts, n_max)
        # Without the given edges: close to a fine edge, a bin would have a few rows.
        shares, F, _ = _compare_bins(values, labels, edges, fine)
        share = shares.max(where=F > _MIN_RATIO, initial=0)
        if share > min_share:
            edges = np.union1d(fine, edges)
            total += share
            choices.append(edges)
    return total, choices


def _fine_edges(distinct, counts, n_max):
    """Distinct quantiles of values, for bins of 20 rows or nearly as many.

    If there are few distinct values, each is an edge: each shop, given by its number,
    may differ.
    Frequent values count less, so that each is a single quantile, and the other values
    have all other bins.
    """
    if len(distinct) <= min(n_max, counts.sum() // _ROWS_OF_VALUE) + 1:
        return distinct
    n_bins = min(n_max, np.minimum(counts, _FINE_ROWS).sum() // _FINE_ROWS)
    if n_bins == 0:
        return distinct[:0]
    # The limit of the counts is an n_bins-th of the sum of the limited counts.
    decreasing = np.sort(counts)[::-1]
    remaining = np.cumsum(decreasing[::-1])[::-1]
    limits = remaining[:n_bins] / np.arange(n_bins, 0, -1)
    limit = limits[np.argmax(decreasing[:n_bins] <= limits)]
    levels, weights = np.linspace(0, 1, n_bins + 1), np.minimum(counts, limit)
    edges = np.quantile(distinct, levels, weights=weights, method="inverted_cdf")
    return np.unique(edges)


# Products of Apple's BLAS may raise flags of errors that did not happen.
@np.errstate(all="ignore")
def _compare_bins(values, labels, edges, fine_edges):
    """Compare fine bins with given bins by an F-test.

    The mean labels of the fine bins are compared with their best approximation by the
    entries of the given bins.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        The numbers.

    labels : ndarray of shape (n_rows,), int, or (n_rows, n_columns)
        The labels of the rows.

    edges, fine_edges : ndarray
        The edges of the given and of the fine bins.

    Returns
    -------
    shares : ndarray of shape (n_columns,)
        The share of the labels' variance that the fine bins explain in addition, less
        that by chance: of each column of numbers or indicators, of classes a single
        one.

    F : ndarray of shape (n_columns,)
        The share as a multiple of that by chance.

    probabilities : ndarray of shape (n_columns,)
        The probability of such an F by chance.
    """
    bins = np.searchsorted(fine_edges, values, side="right")
    bins = np.unique(bins, return_inverse=True)[1]
    counts = np.bincount(bins)
    n_rows, n_fine = len(values), len(counts)
    n_more, n_rest = n_fine - len(edges), n_rows - n_fine
    if n_more < 1:
        return np.zeros(1), np.zeros(1), np.ones(1)
    entries = (values[:, np.newaxis] - edges[:-1]) / np.diff(edges)
    entries = np.clip(entries, 0, 1)
    entries = _sums(bins, entries) / counts[:, np.newaxis]
    entries = np.column_stack([np.ones(n_fine), entries])
    if labels.ndim == 1:
        n_classes = int(labels.max()) + 1
        pairs = bins * n_classes + labels
        sums = np.bincount(pairs, minlength=n_fine * n_classes).reshape(n_fine, -1)
        squares = sums.sum(axis=0)
    else:
        sums, squares = _sums(bins, labels), np.square(labels).sum(axis=0)
    means, weights = sums / counts[:, np.newaxis], np.sqrt(counts)[:, np.newaxis]
    fitted = np.linalg.lstsq(entries * weights, means * weights, rcond=None)[0]
    explained = np.square(weights * (means - entries @ fitted)).sum(axis=0)
    within = np.maximum(squares - np.square(weights * means).sum(axis=0), 0)
    variance = squares - np.square(sums.sum(axis=0)) / n_rows
    if labels.ndim == 1:
        explained, within, variance = (
            one.sum(keepdims=True) for one in (explained, within, variance)
        )
    by_chance = n_more * within / n_rest
    # The labels may be constant, to rounding.
    varies = variance > 1e-9 * n_rows
    F = np.where(varies, explained / by_chance, 0)
    shares = np.where(varies, (explained - by_chance) / variance, 0)
    return shares, F, special.fdtrc(n_more, n_rest, F)


def _sums(bins, columns):
    """The sums of columns of numbers over the rows of each bin."""
    return np.stack([np.bincount(bins, column) for column in columns.T], axis=1)
