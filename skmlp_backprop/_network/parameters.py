"""The weights of a stack of networks, in one flat buffer.

A *stack* is a number of networks of one shape that are trained together; a
single network is a stack of one. The flat buffer begins with the first layer's
weights of all networks, which its product takes as one matrix; then follow, one
network after the other, its inner weights, its intercepts and its input intercept.
So a single network's weights are one contiguous range, and a stack is two matrices
with a network in each row. Weight matrices are stored (fan_out, fan_in), the
transpose of ``coefs_``: units by samples is the layout of the whole arithmetic.
"""

import math
from functools import cached_property
from itertools import pairwise

import numpy as np

from .memory import empty_aligned

# Entries of a block, which stays in the cache with its counterparts in gradient and
# moments (benchmarks: tricks).
BLOCK_SIZE = 2**15


class unbuffered:
    """Context in which operations on blocks see the whole rows of a stack.

    Where one value goes with a row of the other operand, NumPy's ufuncs first copy it
    often enough to fill their buffer, unless a row has more entries than that. It more
    than doubles the time of a product (benchmarks: tricks).

    Parameters
    ----------
    n_stack : int
        Number of networks; a single one has scalars, and needs no care.
    """

    def __init__(self, n_stack):
        self._is_stack = n_stack > 1

    def __enter__(self):
        if self._is_stack:
            # The least there is.
            self._size = np.setbufsize(16)

    def __exit__(self, *exception):
        if self._is_stack:
            np.setbufsize(self._size)


def column(values, dtype):
    """One value for each network of a stack, to be broadcast over its parameters.

    A value that all share stays a scalar, with which a pass takes less time.
    """
    values_as_column = np.array(values, dtype)[:, np.newaxis]
    is_shared = len(set(values)) == 1
    return values_as_column[0, 0] if is_shared else values_as_column


def cut_column(values, networks):
    """What a :func:`column` has for some of the networks."""
    return values[networks] if values.ndim else values


class Parameters:
    """Views on the parameters of a stack of networks.

    Parameters
    ----------
    weights : list of ndarray of shape (n_stack, fan_out, fan_in)
        Weight matrices.

    intercepts : list of ndarray of shape (n_stack, fan_out, 1)
        Biases.

    input_intercept : ndarray of shape (n_stack, 1, n_features) or None
        Biases of the input activation.

    flat : ndarray of shape (n_parameters,) or None
        The buffer that all of them are views of, where there is one.

    Attributes
    ----------
    first_weights : ndarray of shape (n_stack * fan_out, n_features)
        The first layer's weights of all networks, as one matrix.
    """

    def __init__(self, weights, intercepts, input_intercept=None, flat=None):
        self.weights = weights
        self.intercepts = intercepts
        self.input_intercept = input_intercept
        self.flat = flat
        self.first_weights = weights[0].reshape(math.prod(weights[0].shape[:2]), -1)

    @classmethod
    def view_on(cls, flat, layer_units, *, input_intercept=False, n_stack=1):
        """Lay a stack of networks out on a flat buffer.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
            The buffer; its content is kept.

        layer_units : sequence of int
            Number of units of each layer, input and output included.

        input_intercept : bool, default=False
            Whether the networks have an input intercept.

        n_stack : int, default=1
            Number of networks.

        Returns
        -------
        parameters : Parameters
            Views on `flat`.
        """
        first, *inner = [(n_stack, o, i) for i, o in pairwise(layer_units)]
        biases = [(n_stack, o, 1) for o in layer_units[1:]]
        if input_intercept:
            biases.append((n_stack, 1, layer_units[0]))
        first_rows, others = _by_network(flat, math.prod(first), n_stack)
        shapes = [*inner, *biases]
        stops = np.cumsum([math.prod(shape[1:]) for shape in shapes])
        views = [
            part.reshape(shape)
            for part, shape in zip(
                np.split(others, stops[:-1], axis=1), shapes, strict=True
            )
        ]
        n_layers = len(layer_units) - 1
        return cls(
            [first_rows.reshape(first), *views[: n_layers - 1]],
            views[n_layers - 1 : 2 * n_layers - 1],
            views[-1] if input_intercept else None,
            flat,
        )

    @classmethod
    def view_coefs_of(cls, coefs, intercepts, input_intercept=None):
        """View one network's ``coefs_`` and ``intercepts_`` as a stack of one."""
        return cls(
            [coef.T[np.newaxis] for coef in coefs],
            [intercept[np.newaxis, :, np.newaxis] for intercept in intercepts],
            None
            if input_intercept is None
            else input_intercept[np.newaxis, np.newaxis],
        )

    def __reduce__(self):
        """Copy and pickle the buffer alone, so that the views stay views of it."""
        has_input_intercept = self.input_intercept is not None
        arguments = self.flat, self.layer_units, has_input_intercept, self.n_stack
        return _on_buffer, arguments

    @property
    def layer_units(self):
        """Number of units of each layer, input and output included."""
        return [self.weights[0].shape[2], *(w.shape[1] for w in self.weights)]

    @property
    def n_stack(self):
        """Number of networks."""
        return self.weights[0].shape[0]

    def arrays(self):
        """All parameter arrays, in the order of the flat buffer."""
        biases = [] if self.input_intercept is None else [self.input_intercept]
        return [*self.weights, *self.intercepts, *biases]

    @classmethod
    def copied_to_stack(cls, networks, dtype=None):
        """Copy stacks of networks of one shape to one stack, on a new buffer.

        Parameters
        ----------
        networks : sequence of Parameters
            The stacks.

        dtype : dtype, default=None
            Precision of the buffer; None for that of the stacks.

        Returns
        -------
        parameters : Parameters
            All networks, in order.
        """
        first = networks[0]
        n_stack = sum(network.n_stack for network in networks)
        size = sum(array.size for array in first.arrays()) // first.n_stack
        stack = cls.view_on(
            empty_aligned((n_stack * size,), dtype or first.weights[0].dtype),
            first.layer_units,
            input_intercept=first.input_intercept is not None,
            n_stack=n_stack,
        )
        arrays = zip(*(network.arrays() for network in networks), strict=True)
        for array, of_all_networks in zip(stack.arrays(), arrays, strict=True):
            np.concatenate(of_all_networks, out=array)
        return stack

    def view_network(self, i):
        """View one network as a stack of one."""
        if self.n_stack == 1:
            return self
        bias = self.input_intercept
        return Parameters(
            [w[i : i + 1] for w in self.weights],
            [b[i : i + 1] for b in self.intercepts],
            None if bias is None else bias[i : i + 1],
        )

    def is_finite(self):
        """Whether all entries, and their squares in the penalty, are finite."""
        return all(math.isfinite(np.vdot(array, array)) for array in self.arrays())

    def fill(self, value):
        """Overwrite all entries."""
        for array in self.arrays():
            array.fill(value)

    def copy_from(self, other):
        """Overwrite by the entries of other networks of the same shapes."""
        for mine, theirs in zip(self.arrays(), other.arrays(), strict=True):
            np.copyto(mine, theirs)

    def copy(self, dtype=None):
        """Copy to a new flat buffer, of the given dtype if it is not None."""
        return Parameters.copied_to_stack([self], dtype)

    def copied_if_shared(self):
        """One network on a buffer of its own, not on one that it shares with others."""
        return self if self.flat is not None else self.copy()

    def view_same_on(self, flat):
        """Lay the same shapes out on another flat buffer."""
        return Parameters.view_on(
            flat,
            self.layer_units,
            input_intercept=self.input_intercept is not None,
            n_stack=self.n_stack,
        )

    def zeros_like(self, dtype=None):
        """Lay the same shapes out on a new, zeroed buffer."""
        flat = empty_aligned(self.flat.shape, dtype or self.flat.dtype)
        flat.fill(0)
        return self.view_same_on(flat)

    @cached_property
    def transposed(self):
        """The weight matrices' transposes, of shape (n_stack, fan_in, fan_out)."""
        return [w.swapaxes(1, 2) for w in self.weights]

    @cached_property
    def blocks(self):
        """Matrices that together cover the buffer, with the slice of networks of each.

        A step runs over these, all its passes on one block before the next: a block
        and its counterparts in gradient and momentum stay in the cache. A block is of
        shape (n_networks, n), and has whole networks in its rows, or if they are larger
        a part of one: where an operand has one value for each network, NumPy begins
        every row anew, so these had better be long (benchmarks: tricks).
        """
        return self._cut(self.flat.size // self.n_stack)

    @cached_property
    def weight_blocks(self):
        """The same as `blocks`, over the penalised weights alone."""
        return self._cut(sum(w.size for w in self.weights) // self.n_stack)

    def _cut(self, n_columns):
        """Cut the leading columns of the matrices with a network in each row."""
        if self.n_stack == 1:
            # Without regard to the layers: fewer, even pieces.
            matrices = [self.flat[np.newaxis, :n_columns]]
        else:
            n_first = self.weights[0].size
            first, others = _by_network(self.flat, n_first, self.n_stack)
            matrices = [first, others[:, : n_columns - first.shape[1]]]
        return [block for matrix in matrices for block in _blocks_of(matrix)]

    def view_coefs(self, i):
        """One network's ``coefs_``, ``intercepts_`` and ``input_intercept_``.

        The arrays are views; ``coefs_`` are the transposed weight matrices.
        """
        bias = None if self.input_intercept is None else self.input_intercept[i, 0]
        return (
            [w[i].T for w in self.weights],
            [b[i, :, 0] for b in self.intercepts],
            bias,
        )


def _blocks_of(matrix):
    """Blocks of a matrix with a network in each row, with the slice of their rows."""
    n_networks, n_columns = matrix.shape
    height = max(1, BLOCK_SIZE // max(1, n_columns))
    for first in range(0, n_networks, height):
        networks = slice(first, min(first + height, n_networks))
        for start in range(0, n_columns, BLOCK_SIZE):
            yield networks, matrix[networks, start : start + BLOCK_SIZE]


def _by_network(flat, n_first, n_stack):
    """The first weights and everything else, each with a network in each row."""
    return [part.reshape(n_stack, -1) for part in np.split(flat, [n_first])]


def _on_buffer(flat, layer_units, input_intercept, n_stack):
    return Parameters.view_on(
        flat, layer_units, input_intercept=input_intercept, n_stack=n_stack
    )


def parameters_from_arrays(coefs, intercepts, input_intercept=None):
    """View arrays as the parameters of one network, after a check of their shapes.

    Parameters
    ----------
    coefs : sequence of array-like of shape (fan_in, fan_out)
        Weight matrix of each layer.

    intercepts : sequence of array-like of shape (fan_out,)
        Biases of each layer.

    input_intercept : array-like of shape (n_features,) or None, default=None
        Biases of the input activation.

    Returns
    -------
    parameters : Parameters
        In float32 if all arrays are, else in float64.

    Raises
    ------
    ValueError
        If the shapes do not fit together or an entry is not finite.
    """
    arrays = [np.asarray(a) for a in [*coefs, *intercepts]]
    if input_intercept is not None:
        arrays.append(np.asarray(input_intercept))
    single = all(a.dtype == np.float32 for a in arrays)
    arrays = [np.array(a, np.float32 if single else np.float64) for a in arrays]
    n_layers = len(coefs)
    coefs, biases = arrays[:n_layers], arrays[n_layers : n_layers + len(intercepts)]
    if not coefs or any(coef.ndim != 2 for coef in coefs):
        raise ValueError(
            "coefs must be matrices of shape (fan_in, fan_out), one each layer."
        )
    shapes = [coef.shape for coef in coefs]
    if any(a[1] != b[0] for a, b in pairwise(shapes)):
        raise ValueError(
            f"coefs must chain: each fan_in is the fan_out before it, got {shapes}."
        )
    if [b.shape for b in biases] != [(fan_out,) for _, fan_out in shapes]:
        raise ValueError(
            "intercepts must have one entry per unit: for coefs of the shapes "
            f"{shapes} got {[b.shape for b in biases]}."
        )
    if input_intercept is not None and arrays[-1].shape != shapes[0][:1]:
        raise ValueError(
            f"input_intercept must have shape {shapes[0][:1]}, got {arrays[-1].shape}."
        )
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError("The weights must be finite.")
    return Parameters.view_coefs_of(
        coefs, biases, None if input_intercept is None else arrays[-1]
    )
