"""The rows of a data set, and those of a step, in any form.

A form of rows, or *inputs*, is what the first layer multiplies its weights by. Each
knows two products of that layer, see :class:`.layers.FirstDense`: ``product(layer)``
writes the product with the weights, to which the layer adds its biases, and
``gradient(layer, delta)`` the gradient of the weights.
"""

import mmap
from itertools import pairwise

import numpy as np
from scipy import sparse

# With several threads, the share of each has at least half of this number of rows.
SHARE_ROWS = 1280


def share_edges(n_rows, n_shares):
    """Start and stop of each of at most `n_shares` even shares, none too small."""
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

    targets : ndarray of shape (n_rows,) or (n_rows, n_columns)
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
    inputs : DenseInputs, or another form of rows
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


class DenseInputs:
    """Rows of an array, which all networks share.

    There is a product for each network if they are small, else a product for all.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows.
    """

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        if layer.has_small_products:
            # Products with a transposed array take longer.
            X = np.ascontiguousarray(self.X.T)
            np.matmul(layer.weights_of_networks, X, out=layer.out)
        else:
            np.matmul(layer.weights, self.X.T, out=layer.z)

    def gradient(self, layer, delta):
        if layer.has_small_products:
            delta = delta.reshape(layer.out.shape)
            np.matmul(delta, self.X, out=layer.gradient_of_networks)
        else:
            np.matmul(delta, self.X, out=layer.weight_gradient)


class SparseInputs:
    """Rows of a CSR matrix, which all networks share.

    Parameters
    ----------
    X : CSR matrix or array of shape (n_rows, n_features)
        The rows.
    """

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        np.copyto(layer.z, (self.X @ layer.weights.T).T)

    def gradient(self, layer, delta):
        np.copyto(layer.weight_gradient, (self.X.T @ delta.T).T)


class PerNetworkInputs:
    """Rows that differ from network to network.

    Parameters
    ----------
    X : ndarray of shape (n_stack, n_rows, n_features)
        The rows.
    """

    def __init__(self, X):
        self.X = X

    def product(self, layer):
        X = self.X.swapaxes(1, 2)
        np.matmul(layer.weights_of_networks, X, out=layer.out)

    def gradient(self, layer, delta):
        delta = delta.reshape(layer.out.shape)
        np.matmul(delta, self.X, out=layer.gradient_of_networks)


class GroupedInputs:
    """Rows of each group of networks, such as those of a fold.

    Parameters
    ----------
    X : ndarray of shape (n_groups, n_rows, n_features)
        The rows.

    n_networks : list of int
        Number of networks of each group.
    """

    def __init__(self, X, n_networks):
        self.X = X
        self.n_networks = n_networks

    def product(self, layer):
        X_of_groups = np.ascontiguousarray(self.X.swapaxes(1, 2))
        for networks, X in self._groups(X_of_groups):
            np.matmul(layer.weights_of_networks[networks], X, out=layer.out[networks])

    def gradient(self, layer, delta):
        delta = delta.reshape(layer.out.shape)
        for networks, X in self._groups(self.X):
            gradient = layer.gradient_of_networks[networks]
            np.matmul(delta[networks], X, out=gradient)

    def _groups(self, X):
        """The networks of each group, and its array of X."""
        stop = 0
        for n_networks, X_of_group in zip(self.n_networks, X, strict=True):
            start, stop = stop, stop + n_networks
            yield slice(start, stop), X_of_group


class TableRows:
    """Rows of numbers, and of codes of levels in place of their one-hot columns.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numbers)
        The numbers.

    codes : ndarray of shape (n_rows, n_columns), int
        Of each column that has levels, the number of the row's level among those of all
        columns; -1 for none.

    n_levels : int
        Number of levels of all columns.

    Attributes
    ----------
    shape : tuple of int
        That of the array with one-hot columns, which come last.
    """

    def __init__(self, numbers, codes, n_levels):
        self.numbers = numbers
        self.codes = codes
        self.n_levels = n_levels
        self.dtype = numbers.dtype
        self.shape = len(numbers), numbers.shape[1] + n_levels

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, rows):
        return TableRows(self.numbers[rows], self.codes[rows], self.n_levels)

    def toarray(self):
        """The array with one-hot columns."""
        if not self.n_levels:
            return self.numbers
        array = np.zeros(self.shape, self.dtype)
        n_numbers = self.numbers.shape[1]
        array[:, :n_numbers] = self.numbers
        rows, columns = np.nonzero(self.codes >= 0)
        array[rows, n_numbers + self.codes[rows, columns]] = 1
        return array

    # Products of Apple's BLAS may raise flags of errors that did not happen.
    @np.errstate(all="ignore")
    def product(self, coef):
        """The product with a matrix of shape (n_numbers + n_levels, n_units)."""
        n_numbers = self.numbers.shape[1]
        product = self.numbers.astype(coef.dtype, copy=False) @ coef[:n_numbers]
        if self.n_levels:
            one_hot = one_hot_rows(self.codes, self.n_levels, coef.dtype)
            product += one_hot @ coef[n_numbers:]
        return product

    @np.errstate(all="ignore")
    def product_of(self, place, coef):
        """The product with the rows of the matrix that belong to some of the columns.

        Parameters
        ----------
        place : slice or int
            The columns of numbers, or the column of codes.

        coef : ndarray of shape (n_numbers + n_levels, n_units)
            The matrix.
        """
        if isinstance(place, slice):
            return self.numbers[:, place].astype(coef.dtype, copy=False) @ coef[place]
        codes = self.codes[:, place]
        # Code -1 takes the last row, which becomes 0.
        product = coef[self.numbers.shape[1] :][codes]
        product[codes < 0] = 0
        return product


def one_hot_rows(codes, n_levels, dtype):
    """One-hot columns of codes, as a CSR array of shape (n_rows, n_levels)."""
    n_rows, n_columns = codes.shape
    is_known = codes >= 0
    if is_known.all():
        index, stops = codes.ravel(), np.arange(n_rows + 1) * n_columns
    else:
        index, stops = codes[is_known], np.append(0, is_known.sum(axis=1).cumsum())
    ones = np.ones(len(index), dtype)
    return sparse.csr_array((ones, index, stops), shape=(n_rows, n_levels))


class LevelInputs:
    """Rows of numbers, and of codes of levels, which all networks share.

    Of the levels only those that a row has take part in the products.

    Parameters
    ----------
    numbers : DenseInputs
        The numbers.

    codes : ndarray of shape (n_rows, n_columns), int, or None
        As of :class:`TableRows`; None if they are set later.
    """

    def __init__(self, numbers, codes):
        self.numbers = numbers
        self.codes = codes

    def product(self, layer):
        self.numbers.product(layer)
        by_level = layer.levels.swapaxes(0, 1)
        by_level = by_level.reshape(len(by_level), -1)
        one_hot = one_hot_rows(self.codes, len(by_level), by_level.dtype)
        layer.z += (one_hot @ by_level).T

    def gradient(self, layer, delta):
        self.numbers.gradient(layer, delta)
        index, places = np.unique(self.codes, return_inverse=True)
        places = places.reshape(self.codes.shape)
        if len(index) and index[0] < 0:
            index, places = index[1:], places - 1
        one_hot = one_hot_rows(places, len(index), delta.dtype)
        gradient = one_hot.T @ np.ascontiguousarray(delta.T)
        n_stack, _, n_units = layer.levels.shape
        gradient = gradient.reshape(len(index), n_stack, n_units)
        layer.gradient.level_gradient = index, gradient
