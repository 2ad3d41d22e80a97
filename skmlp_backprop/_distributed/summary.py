"""Checked chunks, and the summary of all rows before a fit."""

from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets

from .._estimators.targets import Labels, Numbers, warn_of_one_hot
from .._estimators.weighting import checked_sample_weights


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
    """

    X: object
    y: object
    sample_weight: np.ndarray | None

    @property
    def n_rows(self):
        """Number of rows, 0 or more."""
        return self.X.shape[0]


def check_chunk(estimator, X, y, sample_weight=None):
    """Check the rows of a chunk as a local fit of the estimator checks all rows.

    Raises
    ------
    ValueError
        If the rows are invalid.
    """
    if X.shape[0] == y.shape[0] == 0:
        return Chunk(np.empty((0, 0)), np.empty(0), None)
    lengths = [data.shape[0] for data in (X, y, sample_weight) if data is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            "X, y and sample_weight must have the same chunks, as their rows are bound "
            f"chunk by chunk; a chunk has {' and '.join(map(str, lengths))} rows of "
            "them. Repartition them alike."
        )
    if not sparse.issparse(y) and y.ndim == 2 and y.shape[1] == 1:
        # The client warns of a column, once.
        y = np.ravel(y)
    # Copied, as the threads of a worker may have the same estimator.
    X, y = copy(estimator)._validate_rows(X, y, reset=True)
    if sample_weight is not None:
        sample_weight = checked_sample_weights(X, sample_weight, allow_all_zero=True)
    return Chunk(X, y, sample_weight)


@dataclass
class ChunkSummary:
    """Summary of a chunk.

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
        the smallest and the largest of each column.

    counts : ndarray or None, default=None
        Sum of the sample weights of each label. For an indicator matrix, the sum over
        the rows that are not 0 in each column. None for numbers.

    is_one_hot : bool, default=False
        Whether each row of an indicator matrix has exactly one 1.
    """

    n_rows: int
    n_features: int
    dtype: np.dtype
    y_shape: tuple
    weight: float
    values: np.ndarray
    counts: np.ndarray | None = None
    is_one_hot: bool = False


def summarize_chunk(y_numeric, chunk):
    """Summarise a chunk; None for a chunk without rows.

    Raises
    ------
    ValueError
        If labels are expected and y is not a classification target.
    """
    if chunk.n_rows == 0:
        return None
    X, y, weights = chunk
    weight = float(chunk.n_rows if weights is None else weights.sum())
    summary = ChunkSummary(*X.shape, X.dtype, y.shape[1:], weight, np.empty(0))
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


class DataSummary:
    """Summary of all rows.

    Parameters
    ----------
    chunks : list of ChunkSummary
        Summary of each chunk that has rows.

    Attributes
    ----------
    n_features : int
        Number of columns of X.

    dtype : dtype
        float32 if all chunks are float32, else float64.

    weight : float
        Sum of the sample weights.

    Raises
    ------
    ValueError
        If the numbers of columns of X or y differ between chunks.
    """

    def __init__(self, chunks):
        _check_same("X", "features", {chunk.n_features for chunk in chunks})
        _check_same("y", "columns", {chunk.y_shape for chunk in chunks})
        self.chunks = chunks
        self.n_features = chunks[0].n_features
        self.dtype = np.result_type(*(chunk.dtype for chunk in chunks))
        self.weight = sum(chunk.weight for chunk in chunks)
        # None for a single column.
        self._n_columns = chunks[0].y_shape[0] if chunks[0].y_shape else None

    def labels(self):
        """Make the target encoder of the labels.

        Raises
        ------
        ValueError
            If y is not a classification target.
        """
        union = np.unique(np.concatenate([chunk.values for chunk in self.chunks]))
        if self._n_columns is None:
            # Each label twice: scikit-learn warns of mostly distinct labels, as if they
            # were numbers.
            check_classification_targets(np.repeat(union, 2))
            return Labels(union)
        check_classification_targets(np.column_stack([union, union]))
        n_rows = sum(chunk.n_rows for chunk in self.chunks)
        if n_rows > 1 and all(chunk.is_one_hot for chunk in self.chunks):
            warn_of_one_hot()
        return Labels(np.arange(self._n_columns), multilabel=True)

    def counts(self, labels):
        """Sum of the sample weights of each class, for `explicit_class_weight`."""
        if labels.multilabel:
            ones = sum(chunk.counts for chunk in self.chunks)
            return np.column_stack([self.weight - ones, ones])
        counts = np.zeros(len(labels.classes))
        for chunk in self.chunks:
            counts[np.searchsorted(labels.classes, chunk.values)] += chunk.counts
        return counts

    def numbers(self):
        """Make the target encoder of the numbers."""
        return Numbers(self._n_columns)

    def extremes(self):
        """The smallest and the largest numbers, as two rows of y."""
        values = np.array([chunk.values for chunk in self.chunks])
        return np.array([values[:, 0].min(axis=0), values[:, 1].max(axis=0)])


def _check_same(name, what, values):
    if len(values) > 1:
        raise ValueError(
            f"The chunks of {name} must have the same {what}, got {sorted(values)}."
        )
