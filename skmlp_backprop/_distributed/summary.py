"""Checked chunks, and the summary of all rows before a fit."""

from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets

from .._estimators.target_checks import first_text, plain_labels, refuse_unfit_targets
from .._estimators.targets import (
    Labels,
    Numbers,
    refuse_other_indicators,
    warn_of_one_hot,
)
from .._estimators.weighting import checked_sample_weights
from .chunks import refuse_other_lengths
from .orders import compare_hashes, hash_indexes


class Chunk(NamedTuple):
    """The checked rows of a chunk, at the worker that computed them.

    Parameters
    ----------
    X : {ndarray, CSR matrix or array} of shape (n_rows, n_features)
        The samples, in float32 or float64.

    y : ndarray or sparse matrix of shape (n_rows,) or (n_rows, n_outputs)
        Labels or numbers; a single column is one-dimensional.

    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the samples.

    summary : Summary or None
        The summary of the rows; None without rows.
    """

    X: object
    y: object
    sample_weight: np.ndarray | None
    summary: "Summary | None"

    @property
    def n_rows(self):
        """Number of rows, 0 or more."""
        return self.X.shape[0]


def check_chunk(estimator, number, X, y, sample_weight=None):
    """Check the rows of a chunk as a local fit of the estimator checks all rows.

    Raises
    ------
    ValueError
        If the rows are invalid. The message has the number of the chunk if it has that
        of a row.
    """
    refuse_other_lengths(X, y, sample_weight)
    if X.shape[0] == 0:
        return Chunk(np.empty((0, 0)), np.empty(0), None, None)
    if not sparse.issparse(y) and y.ndim == 2 and y.shape[1] == 1:
        # The client warns of a column, once.
        y = np.ravel(y)
    names = [tuple(getattr(data, "columns", ())) for data in (X, y)]
    indexes = hash_indexes(X, y, sample_weight)
    name, y_numeric = type(estimator).__name__, estimator._y_numeric
    refuse_unfit_targets(y, name, y_numeric, of_rows=f" of chunk {number}")
    text = first_text(y) if y_numeric else None
    if text is not None:
        # The client warns of text, once.
        y = np.asarray(y).astype(np.float64)
    # Copied, as the threads of a worker may have the same estimator.
    X, y = copy(estimator)._validate_rows(X, y, reset=True)
    if sample_weight is not None:
        sample_weight = checked_sample_weights(X, sample_weight, allow_all_zero=True)
    summary = _summarize(X, y, sample_weight, y_numeric)
    summary.X_names, summary.y_names = names
    summary.indexes, summary.text = indexes, text
    return Chunk(X, y, sample_weight, summary)


@dataclass
class Summary:
    """Summary of the rows of a chunk, or of all chunks.

    Parameters
    ----------
    n_rows, n_features : int
        Shape of X.

    dtype : dtype
        Precision of X.

    y_shape : tuple of int
        Shape of a row of y.

    weight : float
        Sum of the sample weights.

    values : ndarray
        The distinct labels, or the distinct entries of an indicator matrix. Of numbers
        the smallest and the largest of each column, as two rows of y.

    counts : ndarray or None, default=None
        Sum of the sample weights of each label. For an indicator matrix, the sum over
        the rows that are not 0 in each column. None for numbers.

    is_one_hot : bool, default=False
        Whether each row of an indicator matrix has exactly one 1.

    X_names, y_names : tuple, default=()
        Names of the columns of a table.

    indexes : tuple, default=()
        The hashes of the indexes of X, y and the weights, see
        :func:`.orders.hash_indexes`.

    text : str or None, default=None
        The first number of y that was written as text.
    """

    n_rows: int
    n_features: int
    dtype: np.dtype
    y_shape: tuple
    weight: float
    values: np.ndarray
    counts: np.ndarray | None = None
    is_one_hot: bool = False
    X_names: tuple = ()
    y_names: tuple = ()
    indexes: tuple = ()
    text: str | None = None

    def target_encoder(self):
        """Make the encoder of the labels or numbers.

        Raises
        ------
        ValueError
            If y is not a classification target.
        """
        if self.counts is None:
            return Numbers(self.y_shape[0] if self.y_shape else None)
        if not self.y_shape:
            # Each label twice: scikit-learn warns of mostly distinct labels, as if they
            # were numbers.
            check_classification_targets(np.repeat(self.values, 2))
            return Labels(self.values)
        check_classification_targets(np.column_stack([self.values, self.values]))
        refuse_other_indicators(self.values)
        if self.n_rows > 1 and self.is_one_hot:
            warn_of_one_hot()
        return Labels(np.arange(*self.y_shape), multilabel=True)

    def counts_of(self, labels):
        """Sum of the sample weights of each class, for `explicit_class_weight`."""
        if labels.multilabel:
            return np.column_stack([self.weight - self.counts, self.counts])
        return self.counts


def _summarize(X, y, weights, y_numeric):
    """Summarise checked rows; labels must be a classification target."""
    weight = float(X.shape[0] if weights is None else weights.sum())
    summary = Summary(*X.shape, X.dtype, y.shape[1:], weight, np.empty(0))
    if y_numeric:
        y = np.asarray(y, np.float64)
        summary.values = np.array([y.min(axis=0), y.max(axis=0)])
        return summary
    check_classification_targets(y)
    if y.ndim == 1:
        summary.values, codes = np.unique(y, return_inverse=True)
        summary.counts = np.bincount(codes, weights)
        return summary
    y = y.toarray() if sparse.issparse(y) else y
    ones = (y != 0).astype(float)
    summary.values = np.unique(y)
    summary.counts = ones.sum(axis=0) if weights is None else weights @ ones
    summary.is_one_hot = bool((ones.sum(axis=1) == 1).all())
    return summary


def merged(summaries):
    """Merge the summaries of chunks. The precision is float32 if all chunks have it.

    Raises
    ------
    ValueError
        If the numbers, the names or the order of the columns of X or y differ between
        chunks, or if some have labels of text and others do not.
    """
    first = summaries[0]
    for name, what, found in (
        ("X", "features", {summary.n_features for summary in summaries}),
        ("y", "columns", {summary.y_shape for summary in summaries}),
    ):
        if len(found) > 1:
            raise ValueError(
                f"The chunks of {name} must have the same {what}, got {sorted(found)}."
            )
    # Rows are bound by position, but Dask reads each file in its own order of columns.
    for name in ("X", "y"):
        columns = zip(*(getattr(s, f"{name}_names") for s in summaries), strict=False)
        for i, names in enumerate(columns):
            if len(set(names)) > 1:
                other = next(n for n in names if n != names[0])
                raise ValueError(
                    f"The partitions of {name} must have the same columns in the same "
                    f"order: column {i} is {names[0]!r} in one, {other!r} in another. "
                    f"Order them by names = list({name}.columns) and "
                    f"{name}.map_partitions(lambda part: part[names])."
                )
    compare_hashes([summary.indexes for summary in summaries])
    parts, counts = [summary.values for summary in summaries], None
    if len({part.dtype.kind in "OUT" for part in parts}) > 1:
        # NumPy would convert numbers to text.
        parts = [plain_labels(np.concatenate([part.astype(object) for part in parts]))]
    values = np.concatenate(parts)
    if first.counts is None:
        values = np.array([values.min(axis=0), values.max(axis=0)])
    elif first.y_shape:
        values, counts = np.unique(values), sum(summary.counts for summary in summaries)
    else:
        values, codes = np.unique(values, return_inverse=True)
        weights = np.concatenate([summary.counts for summary in summaries])
        counts = np.bincount(codes, weights)
    return Summary(
        sum(summary.n_rows for summary in summaries),
        first.n_features,
        np.result_type(*(summary.dtype for summary in summaries)),
        first.y_shape,
        sum(summary.weight for summary in summaries),
        values,
        counts,
        all(summary.is_one_hot for summary in summaries),
        text=next((s.text for s in summaries if s.text is not None), None),
    )
