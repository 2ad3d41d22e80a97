"""The rows of a data set, and the rows of a step."""

import mmap
from itertools import pairwise

import numpy as np
from scipy import sparse

from .inputs import DenseInputs, SparseInputs

# With several threads, the share of each has at least half of this number of rows.
SHARE_ROWS = 1280


def share_edges(n_rows, n_shares):
    """First and last row of at most `n_shares` even shares, none too small."""
    n_shares = max(1, min(n_shares, -(-n_rows // SHARE_ROWS)))
    return list(pairwise(n_rows * i // n_shares for i in range(n_shares + 1)))


def is_blas_operand(X):
    """Whether BLAS takes X without a copy: sparse, or rows or columns adjacent."""
    if sparse.issparse(X) or X.flags.c_contiguous or X.flags.f_contiguous:
        return True
    between_rows, between_columns = X.strides
    if between_columns == X.itemsize:
        return between_rows >= X.shape[1] * X.itemsize
    return between_rows == X.itemsize and between_columns >= X.shape[0] * X.itemsize


def _is_memory_map(X):
    """Whether an array, or the array that it is a view of, is mapped from a file."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return isinstance(X, mmap.mmap)


class Rows:
    """Samples, targets and weights, row by row.

    Parameters
    ----------
    X : {ndarray, memory map, CSR matrix or array, TableRows} of shape \
            (n_rows, n_features)
        The samples. Only :class:`.batches.WithholdingBatches` takes TableRows.

    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The encoded targets: class codes, indicators or numbers, see ``outputs``.

    weights : ndarray of shape (n_rows,) or None
        Weight of each row's loss, sample weight times class weight; None for 1.

    Attributes
    ----------
    weight_sum, weight_sum_by_network : float
        Sum of the weights, W in the objective, for all networks of a stack.

    dtype : dtype
        Precision of the samples.

    is_sparse : bool
        Whether X is a sparse matrix or array.
    """

    def __init__(self, X, targets, weights=None):
        self.X = X
        self.targets = targets
        self.weights = weights
        self.n_rows = X.shape[0]
        self.weight_sum = float(self.n_rows if weights is None else weights.sum())
        self.weight_sum_by_network = self.weight_sum
        self.dtype = X.dtype
        self.is_sparse = sparse.issparse(X)

    def some_targets(self):
        """Targets and weights by which a constant prediction is judged: all."""
        return self.targets, self.weights

    def __getitem__(self, index):
        """The rows at `index`: copied, or views of a slice."""
        weights = None if self.weights is None else self.weights[index]
        return Rows(self.X[index], self.targets[index], weights)

    def as_batch(self, output):
        """All rows as one batch."""
        targets = output.encoded_targets(self.targets, self.dtype)
        inputs = SparseInputs(self.X) if self.is_sparse else DenseInputs(self.X)
        return Batch(inputs, targets, self.n_rows, self.weights, self.weight_sum)

    def for_products(self):
        """The rows, copied to C order if BLAS would copy each block of them."""
        return self if is_blas_operand(self.X) else self._in_c_order()

    def for_batches(self):
        """The rows, copied to C order if gathering a few of them would be slow.

        To gather rows from an array in column order takes far longer, in every epoch.
        So an array in memory is copied once. A memory map is not copied.
        """
        is_fast = self.is_sparse or self.X.flags.c_contiguous
        return self if is_fast or _is_memory_map(self.X) else self._in_c_order()

    def _in_c_order(self):
        return Rows(np.ascontiguousarray(self.X), self.targets, self.weights)


class Batch:
    """The rows of a step, in the form that the passes of the network take.

    Parameters
    ----------
    inputs : DenseInputs, or another class of ``inputs``
        The samples.

    target : ndarray of shape (n_outputs, n_rows) or (n_stack, n_outputs, n_rows)
        The targets as the output writes them, the same or other ones for each network.

    n_rows : int
        Number of rows.

    weights : ndarray of shape (n_rows,) or (n_stack, 1, n_rows), default=None
        Weight of each row's loss; None for 1.

    weight_sum : float, default=None
        W, the divisor of the sum of losses; None for the number of rows.

    weight_sum_by_network : float or ndarray of shape (n_stack,), default=None
        W of each network, the divisor of its penalty; None for `weight_sum`. It is the
        number of the network's own rows if a batch is filled up with other rows.

    Attributes
    ----------
    weight_in_epoch : int or ndarray of shape (n_stack,)
        Weight of the batch's loss in the mean loss of an epoch, for each network: the
        number of its own rows, whatever these weigh, as MLPClassifier has it.
    """

    def __init__(
        self,
        inputs,
        target,
        n_rows,
        weights=None,
        weight_sum=None,
        weight_sum_by_network=None,
    ):
        self.inputs = inputs
        self.target = target
        self.n_rows = n_rows
        self.weights = weights
        self.weight_sum = float(n_rows) if weight_sum is None else weight_sum
        self.weight_sum_by_network = self.weight_sum
        self.weight_in_epoch = n_rows
        if weight_sum_by_network is not None:
            # The batch is filled up, and its own rows weigh 1 each.
            self.weight_sum_by_network = weight_sum_by_network
            self.weight_in_epoch = weight_sum_by_network

    def as_batch(self, output):
        """The batch itself."""
        return self

    def __getitem__(self, rows):
        """The batch of a slice of the rows."""
        X, target = self.inputs.X[rows], self.target[..., rows]
        weights = None if self.weights is None else self.weights[..., rows]
        return Batch(type(self.inputs)(X), target, target.shape[-1], weights)
