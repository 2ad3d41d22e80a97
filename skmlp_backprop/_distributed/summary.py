"""What is to be known of all rows before a fit: found chunk by chunk, then merged."""

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
from .._estimators.targets import Labels, Numbers, warn_of_one_hot
from .._estimators.weighting import checked_sample_weights


@dataclass
class Chunk:
    """Checked rows, where they were computed.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The samples, in float32 or float64.

    y : ndarray or sparse matrix of shape (n_rows,) or (n_rows, n_outputs)
        Labels or numbers.

    sample_weight : ndarray of shape (n_rows,) or None
        Their weights.
    """

    X: object
    y: object
    sample_weight: np.ndarray | None

    @property
    def n_rows(self):
        """Number of rows, which may be 0."""
        return self.X.shape[0]


def check_chunk(name, y_numeric, X, y, sample_weight=None):
    """Check a chunk as a local fit would check all rows.

    Parameters
    ----------
    name : str
        The estimator's, for errors.

    y_numeric : bool
        Whether y must be numbers.

    X, y, sample_weight
        What :func:`chunks.bind` has bound together, computed.

    Returns
    -------
    chunk : Chunk
        The same, converted.

    Raises
    ------
    ValueError
        If it is invalid.
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
    """What is known of a chunk.

    Parameters
    ----------
    n_rows, n_features : int
        Its shape.

    dtype : dtype
        Precision of X.

    is_sparse : bool
        Whether X is sparse.

    y_shape : tuple of int
        Shape of a row of y.

    weight : float
        Sum of the sample weights.

    of_y : LabelSummary or NumberSummary
        What is known of y.
    """

    n_rows: int
    n_features: int
    dtype: np.dtype
    is_sparse: bool
    y_shape: tuple
    weight: float
    of_y: object


def summarize_chunk(chunk, summarize_y):
    """Find out what is to be known of a chunk; None of one without rows.

    Parameters
    ----------
    chunk : Chunk
        The chunk.

    summarize_y : callable
        Finds what is to be known of y, given it and the sample weights.

    Returns
    -------
    facts : ChunkSummary or None
        What was found.
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
    """One column as a one-dimensional array, as a fit takes it."""
    return column_or_1d(y) if y.ndim == 2 and y.shape[1] == 1 else y


@dataclass
class LabelSummary:
    """What is known of the labels of a chunk.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Those that occur; of an indicator matrix its different entries.

    counts : ndarray of shape (n_labels,) or (n_columns,)
        Sum of the sample weights of each; of an indicator matrix of each column's rows
        that are not 0.

    is_one_hot : bool, default=False
        Whether each row of an indicator matrix has exactly one 1.
    """

    labels: np.ndarray
    counts: np.ndarray
    is_one_hot: bool = False

    @classmethod
    def of(cls, y, weights):
        """Find the labels.

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
            is_one_hot = bool((ones.sum(axis=1) == 1).all())
            return cls(np.unique(y), counts, is_one_hot)
        labels, codes = np.unique(y, return_inverse=True)
        return cls(labels, np.bincount(codes, weights, len(labels)))


@dataclass
class NumberSummary:
    """What is known of the numbers of a chunk.

    Parameters
    ----------
    extremes : ndarray of shape (2,) or (2, n_columns)
        The least and the largest.
    """

    extremes: np.ndarray

    @classmethod
    def of(cls, y, weights):
        """Find the least and the largest numbers."""
        y = np.asarray(y, np.float64)
        return cls(np.array([y.min(axis=0), y.max(axis=0)]))


@dataclass
class DataSummary:
    """What is known of all rows.

    Parameters
    ----------
    facts : list of ChunkSummary or None
        Those of each chunk.

    Attributes
    ----------
    n_rows : list of int
        Rows of each chunk.

    dtype : dtype
        float32 where all chunks are, else float64.

    Raises
    ------
    ValueError
        If the chunks do not fit each other.
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
        """Columns of X."""
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
        """The labels that occur.

        Raises
        ------
        ValueError
            If y is not a classification target.
        """
        union = np.unique(np.concatenate([facts.of_y.labels for facts in self.facts]))
        if self._n_columns is None:
            # Each twice: of what is mostly different scikit-learn takes for numbers.
            check_classification_targets(np.repeat(union, 2))
            return Labels(union)
        check_classification_targets(np.column_stack([union, union]))
        if sum(self.n_rows) > 1 and all(facts.of_y.is_one_hot for facts in self.facts):
            warn_of_one_hot()
        return Labels(np.arange(self._n_columns), multilabel=True)

    def counts(self, labels):
        """Sums of the sample weights, as `explicit_class_weight` takes them."""
        if labels.multilabel:
            ones = sum(facts.of_y.counts for facts in self.facts)
            return np.column_stack([self.weight - ones, ones])
        counts = np.zeros(len(labels.classes))
        for facts in self.facts:
            codes = np.searchsorted(labels.classes, facts.of_y.labels)
            counts[codes] += facts.of_y.counts
        return counts

    def numbers(self):
        """The numbers' kind."""
        return Numbers(self._n_columns)

    def extremes(self):
        """The least and the largest of the numbers, as two rows of y."""
        of_chunks = np.array([facts.of_y.extremes for facts in self.facts])
        return np.array([of_chunks[:, 0].min(axis=0), of_chunks[:, 1].max(axis=0)])

    @property
    def _n_columns(self):
        """Columns of y, None for a single one."""
        return None if self.y_shape in ((), (1,)) else self.y_shape[0]


def _check_same(name, what, values):
    if len(values) > 1:
        raise ValueError(
            f"The chunks of {name} must have the same {what}, got {sorted(values)}."
        )
