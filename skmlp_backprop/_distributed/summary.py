"""The summary of all rows before a fit: made for each chunk, then merged."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from .._estimators.checks import (
    refuse_unfit_columns,
    refuse_unfit_targets,
)
from .._estimators.sklearn_private import _check_y
from .._estimators.targets import Labels, Numbers
from .._estimators.weighting import checked_sample_weights


@dataclass
class Chunk:
    """The checked rows of a chunk, at the worker that computed them.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The samples, in float32 or float64.

    y : ndarray or sparse matrix of shape (n_rows,) or (n_rows, n_outputs)
        Labels or numbers.

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


def check_chunk(name, y_numeric, X, y, sample_weight=None):
    """Check a chunk as a local fit checks all rows.

    Parameters
    ----------
    name : str
        Name of the estimator, for messages.

    y_numeric : bool
        Whether y must be numbers.

    X, y, sample_weight : array-like
        The computed chunk, from :func:`chunks.bind`.

    Returns
    -------
    chunk : Chunk
        The converted chunk.

    Raises
    ------
    ValueError
        If the chunk is invalid.
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
    refuse_unfit_targets(y, name, y_numeric)
    given = X
    try:
        X = check_array(
            X,
            accept_sparse=["csr", "csc"],
            dtype=(np.float64, np.float32),
            estimator=name,
            input_name="X",
        )
    except ValueError as error:
        refuse_unfit_columns(given, name, error)
        raise
    y = _check_y(y, multi_output=True, y_numeric=y_numeric, estimator=name)
    if sample_weight is not None:
        sample_weight = checked_sample_weights(X, sample_weight, allow_all_zero=True)
    return Chunk(X.tocsr() if sparse.issparse(X) else X, y, sample_weight)


@dataclass
class ChunkSummary:
    """Summary of a chunk.

    Parameters
    ----------
    n_rows, n_features : int
        Shape of X.

    dtype : dtype
        Precision of X.

    is_sparse : bool
        Whether X is sparse.

    y_shape : tuple of int
        Shape of a row of y.

    weight : float
        Sum of the sample weights.

    of_y : LabelSummary or NumberSummary
        Summary of y.
    """

    n_rows: int
    n_features: int
    dtype: np.dtype
    is_sparse: bool
    y_shape: tuple
    weight: float
    of_y: object


def summarize_chunk(chunk, summarize_y):
    """Summarise a chunk.

    Parameters
    ----------
    chunk : Chunk
        The chunk.

    summarize_y : callable
        Makes the summary of y from y and the sample weights.

    Returns
    -------
    facts : ChunkSummary or None
        The summary; None for a chunk without rows.
    """
    if chunk.n_rows == 0:
        return None
    X, y, weights = chunk.X, chunk.y, chunk.sample_weight
    return ChunkSummary(
        *X.shape,
        X.dtype,
        sparse.issparse(X),
        y.shape[1:],
        float(chunk.n_rows if weights is None else weights.sum()),
        summarize_y(_as_one_column(y), weights),
    )


def _as_one_column(y):
    """Convert a single column to a one-dimensional array."""
    return column_or_1d(y) if y.ndim == 2 and y.shape[1] == 1 else y


@dataclass
class LabelSummary:
    """Summary of the labels of a chunk.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        The distinct labels, or the distinct entries of an indicator matrix.

    counts : ndarray of shape (n_labels,) or (n_columns,)
        Sum of the sample weights of each label. For an indicator matrix, the sum over
        the rows that are not 0 in each column.
    """

    labels: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, y, weights):
        """Summarise the labels of a chunk.

        Raises
        ------
        ValueError
            If y is not a classification target.
        """
        check_classification_targets(y)
        if y.ndim == 2:
            y = y.toarray() if sparse.issparse(y) else y
            ones = (y != 0).astype(float)
            counts = ones.sum(axis=0) if weights is None else weights @ ones
            return cls(np.unique(y), counts)
        labels, codes = np.unique(y, return_inverse=True)
        return cls(labels, np.bincount(codes, weights, len(labels)))


@dataclass
class NumberSummary:
    """Summary of the numbers of a chunk.

    Parameters
    ----------
    extremes : ndarray of shape (2,) or (2, n_columns)
        The smallest and the largest number of each column.
    """

    extremes: np.ndarray

    @classmethod
    def of(cls, y, weights):
        """Summarise the numbers of a chunk."""
        y = np.asarray(y, np.float64)
        return cls(np.array([y.min(axis=0), y.max(axis=0)]))


@dataclass
class DataSummary:
    """Summary of all rows.

    Parameters
    ----------
    facts : list of ChunkSummary or None
        Summary of each chunk; None for a chunk without rows.

    Attributes
    ----------
    n_rows : list of int
        Number of rows of each chunk.

    dtype : dtype
        float32 if all chunks are float32, else float64.

    Raises
    ------
    ValueError
        If the numbers of columns of X or y differ between chunks.
    """

    facts: list
    n_rows: list = field(init=False)
    dtype: np.dtype = field(init=False)

    def __post_init__(self):
        self.n_rows = [0 if facts is None else facts.n_rows for facts in self.facts]
        self.facts = [facts for facts in self.facts if facts is not None]
        if not self.facts:
            return
        _check_same("X", "features", {facts.n_features for facts in self.facts})
        _check_same("y", "columns", {facts.y_shape for facts in self.facts})
        self.dtype = np.result_type(*(facts.dtype for facts in self.facts))

    @property
    def n_features(self):
        """Number of columns of X."""
        return self.facts[0].n_features

    @property
    def is_sparse(self):
        """Whether a chunk of X is sparse."""
        return any(facts.is_sparse for facts in self.facts)

    @property
    def y_shape(self):
        """Shape of a row of y."""
        return self.facts[0].y_shape

    @property
    def weight(self):
        """Sum of the sample weights."""
        return sum(facts.weight for facts in self.facts)

    def labels(self):
        """Make the target encoder of the labels.

        Raises
        ------
        ValueError
            If y is not a classification target.
        """
        union = np.unique(np.concatenate([facts.of_y.labels for facts in self.facts]))
        if self._n_columns is None:
            # Each label twice: scikit-learn warns of mostly distinct labels, as if they
            # were numbers.
            check_classification_targets(np.repeat(union, 2))
            return Labels(union)
        check_classification_targets(np.column_stack([union, union]))
        return Labels(np.arange(self._n_columns), multilabel=True)

    def counts(self, labels):
        """Sum of the sample weights of each class, for `explicit_class_weight`."""
        if labels.multilabel:
            ones = sum(facts.of_y.counts for facts in self.facts)
            return np.column_stack([self.weight - ones, ones])
        counts = np.zeros(len(labels.classes))
        for facts in self.facts:
            codes = np.searchsorted(labels.classes, facts.of_y.labels)
            counts[codes] += facts.of_y.counts
        return counts

    def numbers(self):
        """Make the target encoder of the numbers."""
        return Numbers(self._n_columns)

    def extremes(self):
        """The smallest and the largest numbers, as two rows of y."""
        of_chunks = np.array([facts.of_y.extremes for facts in self.facts])
        return np.array([of_chunks[:, 0].min(axis=0), of_chunks[:, 1].max(axis=0)])

    @property
    def _n_columns(self):
        """Number of columns of y; None for a single column."""
        return None if self.y_shape in ((), (1,)) else self.y_shape[0]


def _check_same(name, what, values):
    if len(values) > 1:
        raise ValueError(
            f"The chunks of {name} must have the same {what}, got {sorted(values)}."
        )
