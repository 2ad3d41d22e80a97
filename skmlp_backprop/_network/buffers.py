"""Working memory of the passes, allocated once for every block of the same size.

All of it is laid out (stack, units, rows), as the passes are; see ``network``.
"""

from functools import cached_property

import numpy as np

from .memory import empty_aligned

# Multiplications in a network's first product up to which a stack takes such a product
# for each of its networks, not one for all: OpenBLAS computes products of 1e6 or fewer
# without packing their operands first (benchmarks: tricks). The rows are transposed
# ahead, as products with a transpose are slow, too.
SMALL_PRODUCT = 10**6
# A larger product in float32 of few units, with rows that are long and at least twice
# as many, is taken as the rows times the weights, and the small result transposed:
# OpenBLAS needs less time for that than for the other way round (benchmarks: tricks).
FEW_UNITS = 64
LONG_ROWS = 400


class ForwardBuffers:
    """Where the forward pass writes.

    Parameters
    ----------
    network : Network
        The network.

    n_stack : int
        Number of networks in the stack.

    n_rows : int
        Number of rows of a block.

    dtype : dtype
        Precision of the arithmetic.

    Attributes
    ----------
    z, a : list of ndarray of shape (n_stack, units, n_rows)
        Pre-activations of each layer; outputs of each hidden layer, which take the
        place of its pre-activations where its derivative does not need these.

    first_z : ndarray of shape (n_stack * units, n_rows)
        The first layer's pre-activations, as one matrix.

    is_small_stack : bool
        Whether the first product is taken for each network, with the rows in
        `x_transposed`, not for all at once.

    is_of_few_units : bool
        Whether it is taken as rows times weights, into `first_by_rows`, where the rows
        are contiguous.

    masks : list of ndarray of shape (units, n_rows) or None
        What dropout multiplies each hidden layer's outputs by; None for nothing.
    """

    def __init__(self, network, n_stack, n_rows, dtype):
        self.n_rows = n_rows
        self.z = [
            empty_aligned((n_stack, n_units, n_rows), dtype)
            for n_units in network.layer_units[1:-1]
        ]
        self.z.append(_outputs(network, n_stack, n_rows, dtype))
        self.a = [
            empty_aligned(z.shape, dtype) if f.keeps_input else z
            for f, z in zip(network.activations, self.z, strict=False)
        ]
        # A view made once, not in every pass.
        self.first_z = self.z[0].reshape(-1, n_rows)
        n_features = network.layer_units[0]
        size = n_features * network.layer_units[1] * n_rows
        self.is_small_stack = n_stack > 1 and size <= SMALL_PRODUCT
        if self.is_small_stack:
            self.x_transposed = empty_aligned((n_features, n_rows), dtype)
        n_units = len(self.first_z)
        self.is_of_few_units = (
            dtype == np.float32
            and size > SMALL_PRODUCT
            and n_features >= LONG_ROWS
            and n_units <= min(FEW_UNITS, n_rows // 2)
        )
        if self.is_of_few_units:
            self.first_by_rows = empty_aligned((n_rows, n_units), dtype)
        self.masks = [None] * len(self.a)
        self._masked = [None] * len(self.a)
        self.input_activation = network.input_activation
        if self.input_activation is not None:
            shape = (n_stack, n_rows, network.layer_units[0])
            self.input_z = empty_aligned(shape, dtype)
            self.input_a = (
                empty_aligned(shape, dtype)
                if self.input_activation.keeps_input
                else self.input_z
            )

    def outputs(self):
        """What each activation has written, the input's included."""
        has_input = self.input_activation is not None
        return [self.input_a, *self.a] if has_input else self.a

    def pass_on(self, layer):
        """What a hidden layer passes on: its outputs, masked where there is dropout."""
        if self.masks[layer] is None:
            return self.a[layer]
        if self._masked[layer] is None:
            a = self.a[layer]
            self._masked[layer] = empty_aligned(a.shape, a.dtype)
        return np.multiply(self.a[layer], self.masks[layer], out=self._masked[layer])


class Buffers(ForwardBuffers):
    """Where the forward and the backward pass write.

    The parameters are those of :class:`ForwardBuffers`.

    Attributes
    ----------
    kept : list of ndarray of shape (n_stack, units, n_rows)
        Of each hidden layer what its derivative needs, one of `z` and `a`.

    delta : list of ndarray of shape (n_stack, units, n_rows)
        Gradient in the pre-activations of each hidden layer.

    target, targets, spare, row, ones : ndarray
        The targets, outputs by rows, or those of each network; scratch of the loss; a
        column of ones.
    """

    def __init__(self, network, n_stack, n_rows, dtype):
        super().__init__(network, n_stack, n_rows, dtype)
        self.kept = [
            z if f.keeps_input else a
            for f, z, a in zip(network.activations, self.z, self.a, strict=False)
        ]
        self.delta = [empty_aligned(a.shape, dtype) for a in self.a]
        self._a_transposed = [a.swapaxes(1, 2) for a in self.a]
        self.spare = _outputs(network, n_stack, n_rows, dtype)
        self.row = empty_aligned((n_stack, 1, n_rows), dtype)
        self.target = empty_aligned(self.spare.shape[1:], dtype)
        self.ones = np.ones((n_rows, 1), dtype)
        if self.input_activation is not None:
            self.input_delta = empty_aligned(self.input_z.shape, dtype)
            self.input_kept = (
                self.input_z if self.input_activation.keeps_input else self.input_a
            )

    @cached_property
    def targets(self):
        return np.empty_like(self.spare)

    def passed_on(self, layer):
        """Transpose of what :meth:`pass_on` returned in the forward pass."""
        if self.masks[layer] is None:
            return self._a_transposed[layer]
        return self._masked[layer].swapaxes(1, 2)


def _outputs(network, n_stack, n_rows, dtype):
    """Room for the last layer's pre-activations.

    In memory the outputs come first, unless they are the first layer's, which is one
    matrix: reductions over them then run over the rows of all networks at once, as
    fast as sums of contiguous arrays.
    """
    n_outputs = network.layer_units[-1]
    if len(network.layer_units) == 2:
        return empty_aligned((n_stack, n_outputs, n_rows), dtype)
    return empty_aligned((n_outputs, n_stack, n_rows), dtype).swapaxes(0, 1)
