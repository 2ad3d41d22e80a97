"""The weights of a stack of networks, in one flat buffer.

A *stack* is a number of networks of one shape that are trained together. A single
network is a stack of one. A layer's weights and biases are one array of shape
(n_stack, fan_out, fan_in + 1), with the biases in the last column: where the layer's
input has a row of ones, one product computes the pre-activations and another one the
gradient of both. The flat buffer has the layers one after the other, then the input
biases, then the weights of levels.

*Levels* are the categories of columns with many categories. A row stores the number of
its level, not a one-hot column for each. The weights of levels, a row for each level,
are an array of their own, so that the first layer can add up the rows of the levels in
a batch.
"""

import math
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

_TRANSPOSED = " These shapes are (fan_out, fan_in): pass coef.T of each."


def column(values):
    """One number for each network of a stack, to be broadcast over its parameters.

    Returns
    -------
    values : float or ndarray of shape (n_stack, 1), float64
        A float if all networks have the same number, as NumPy is faster with it.
    """
    if len(set(values)) == 1:
        return float(values[0])
    return np.array(values, np.float64)[:, np.newaxis]


class Parameters:
    """Views of the weights of a stack of networks.

    Parameters
    ----------
    layers : list of ndarray of shape (n_stack, fan_out, fan_in + 1)
        Weights and, in the last column, biases.

    input_intercept : ndarray of shape (n_stack, 1, n_features) or None, default=None
        Biases of the input activation.

    levels : ndarray of shape (n_stack, n_levels, n_units) or None, default=None
        First-layer weights of the levels, which are the last inputs; None where there
        are none. In memory the levels come first, so that the weights of a level, in
        all networks, are side by side.

    flat : ndarray of shape (n_parameters,) or None, default=None
        The buffer that all of them are views of. None for a view of one network of
        several, which has no contiguous buffer.

    Attributes
    ----------
    weights : list of ndarray of shape (n_stack, fan_out, fan_in)
        The layers without biases.

    intercepts : list of ndarray of shape (n_stack, fan_out, 1)
        The biases.

    level_gradient : tuple of (index, gradient) or None
        Of a gradient: the numbers of the levels that the latest batch has, and the
        gradient in their weights, of shape (len(index), n_stack, n_units). It is 0 in
        those of all other levels.

    n_stack, n_levels : int
        Numbers of networks and of levels.

    dtype : dtype
        Precision of the weights.
    """

    def __init__(self, layers, input_intercept=None, levels=None, flat=None):
        self.layers = layers
        self.input_intercept = input_intercept
        self.levels = levels
        self.flat = flat
        self.level_gradient = None
        self.n_stack = len(layers[0])
        self.n_levels = 0 if levels is None else levels.shape[1]
        self.dtype = layers[0].dtype

    # Made when they are used: they would take half of the time to view a network of a
    # stack, and most of these views are copied only.
    @cached_property
    def weights(self):
        return [layer[:, :, :-1] for layer in self.layers]

    @cached_property
    def intercepts(self):
        return [layer[:, :, -1:] for layer in self.layers]

    @classmethod
    def on_buffer(
        cls, flat, layer_units, *, input_intercept=False, n_levels=0, n_stack=1
    ):
        """Lay a stack of networks out on a flat buffer.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
            The buffer. Its content is kept.

        layer_units : sequence of int
            Number of units of each layer, input and output included.

        input_intercept : bool, default=False
            Whether the networks have an input activation, and so biases of it.

        n_levels : int, default=0
            How many of the inputs, the last ones, are levels.

        n_stack : int, default=1
            Number of networks.

        Returns
        -------
        parameters : Parameters
            Views of `flat`.
        """
        views, start = [], 0
        for shape in _shapes(layer_units, input_intercept, n_levels, n_stack):
            stop = start + math.prod(shape)
            views.append(flat[start:stop].reshape(shape))
            start = stop
        levels = views.pop().swapaxes(0, 1) if n_levels else None
        bias = views.pop() if input_intercept else None
        return cls(views, bias, levels, flat)

    @classmethod
    def empty(cls, layer_units, dtype, *, input_intercept=False, n_levels=0, n_stack=1):
        """Lay a stack of networks out on a new buffer, uninitialised."""
        shapes = _shapes(layer_units, input_intercept, n_levels, n_stack)
        return cls.on_buffer(
            np.empty(sum(map(math.prod, shapes)), dtype),
            layer_units,
            input_intercept=input_intercept,
            n_levels=n_levels,
            n_stack=n_stack,
        )

    @classmethod
    def from_coefs(cls, coefs, intercepts, input_intercept=None, n_levels=0):
        """Copy one network's ``coefs_`` and ``intercepts_``.

        Weights of `n_levels` further inputs, which are levels, are 0.
        """
        network = cls.empty(
            [len(coefs[0]) + n_levels, *map(len, intercepts)],
            coefs[0].dtype,
            input_intercept=input_intercept is not None,
            n_levels=n_levels,
        )
        if n_levels:
            network.levels[...] = 0
        for layer, coef, bias in zip(network.layers, coefs, intercepts, strict=True):
            layer[0, :, :-1] = coef.T
            layer[0, :, -1] = bias
        if input_intercept is not None:
            network.input_intercept[0, 0] = input_intercept
        return network

    @classmethod
    def stacked(cls, networks, dtype=None):
        """Copy networks, or stacks of them, of one shape to one stack.

        Parameters
        ----------
        networks : sequence of Parameters
            The networks.

        dtype : dtype, default=None
            Precision of the copy. None for that of the networks.

        Returns
        -------
        parameters : Parameters
            All networks, in order.
        """
        lead, n_stack = networks[0], sum(network.n_stack for network in networks)
        layout = {**lead.layout, "n_stack": n_stack}
        stack = cls.empty(dtype=dtype or lead.dtype, **layout)
        arrays = zip(*(network.arrays() for network in networks), strict=True)
        for array, of_networks in zip(stack.arrays(), arrays, strict=True):
            np.concatenate(of_networks, out=array)
        return stack

    def __reduce__(self):
        """Copy and pickle the buffer alone, so that the views stay views of it."""
        if self.flat is None:
            return self.copy().__reduce__()
        return partial(Parameters.on_buffer, **self.layout), (self.flat,)

    @property
    def layer_units(self):
        """Number of units of each layer, input and output included."""
        n_inputs = self.layers[0].shape[2] - 1 + self.n_levels
        return [n_inputs, *(w.shape[1] for w in self.layers)]

    @property
    def layout(self):
        """The arguments of :meth:`on_buffer` beside the buffer."""
        return {
            "layer_units": self.layer_units,
            "input_intercept": self.input_intercept is not None,
            "n_levels": self.n_levels,
            "n_stack": self.n_stack,
        }

    def arrays(self):
        """All arrays, in the order of the flat buffer."""
        others = (self.input_intercept, self.levels)
        return [*self.layers, *(array for array in others if array is not None)]

    @cached_property
    def matrices(self):
        """The arrays that an update rule loops over: all weights but those of levels.

        For a stack, matrices with one row for each network, to which values of
        :func:`column` broadcast. For a single network, its flat buffer alone.
        """
        others = self.without_levels()
        if self.n_stack == 1 and self.flat is not None:
            return [others.flat]
        return [array.reshape(self.n_stack, -1) for array in others.arrays()]

    def without_levels(self):
        """View all weights but those of the levels."""
        if self.levels is None:
            return self
        flat = None
        if self.flat is not None:
            # Levels come last.
            flat = self.flat[: self.flat.size - self.levels.size]
        return Parameters(self.layers, self.input_intercept, flat=flat)

    def network(self, i):
        """View one network as a stack of one."""
        if self.n_stack == 1:
            return self
        bias, levels = self.input_intercept, self.levels
        return Parameters(
            [layer[i : i + 1] for layer in self.layers],
            None if bias is None else bias[i : i + 1],
            None if levels is None else levels[i : i + 1],
        )

    def networks(self):
        """View each network as a stack of one."""
        return [self.network(i) for i in range(self.n_stack)]

    def is_finite(self):
        """Whether all entries, and their squares in the penalty, are finite."""
        return all(math.isfinite(np.vdot(array, array)) for array in self.arrays())

    def copy(self, dtype=None):
        """Copy to a new buffer, of the given dtype if it is not None."""
        copied = Parameters.empty(dtype=dtype or self.dtype, **self.layout)
        for array, place in zip(self.arrays(), copied.arrays(), strict=True):
            place[...] = array
        return copied

    def on(self, flat):
        """Lay networks of the same shape out on another flat buffer."""
        return Parameters.on_buffer(flat, **self.layout)

    def zeros_like(self):
        """Networks of the same shape and dtype, all zeros."""
        size = sum(array.size for array in self.arrays())
        return self.on(np.zeros(size, self.dtype))

    def view_coefs(self):
        """View the first network's weights, shaped as an estimator has them.

        With levels the first ``coefs`` are a copy.

        Returns
        -------
        coefs : list of ndarray of shape (fan_in, fan_out)
        intercepts : list of ndarray of shape (fan_out,)
        input_intercept : ndarray of shape (n_features,) or None
        """
        bias = self.input_intercept
        coefs = [w[0].T for w in self.weights]
        if self.levels is not None:
            coefs[0] = np.concatenate([coefs[0], self.levels[0]])
        return (
            coefs,
            [b[0, :, 0] for b in self.intercepts],
            None if bias is None else bias[0, 0],
        )

    def to_coefs(self):
        """Copy the arrays of :meth:`view_coefs` to contiguous arrays."""
        coefs, intercepts, bias = self.view_coefs()
        return (
            [np.array(coef, order="C") for coef in coefs],
            [intercept.copy() for intercept in intercepts],
            None if bias is None else bias.copy(),
        )


def _shapes(layer_units, input_intercept, n_levels, n_stack):
    """The shapes of the arrays, in the order of the flat buffer."""
    first, *others = layer_units
    n_numbers = first - n_levels
    shapes = [(n_stack, o, i + 1) for i, o in pairwise([n_numbers, *others])]
    if input_intercept:
        shapes.append((n_stack, 1, n_numbers))
    if n_levels:
        shapes.append((n_levels, n_stack, others[0]))
    return shapes


def parameters_from_arrays(coefs, intercepts, input_intercept=None):
    """Copy arrays to the parameters of one network, after a check of their shapes.

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
            "coefs must be matrices of shape (fan_in, fan_out), one per layer."
        )
    shapes = [coef.shape for coef in coefs]
    if any(a[1] != b[0] for a, b in pairwise(shapes)):
        raise ValueError(
            "coefs must chain: each fan_in is the fan_out before it, got "
            f"{shapes}.{_hint(shapes)}"
        )
    if [b.shape for b in biases] != [(fan_out,) for _, fan_out in shapes]:
        is_transposed = [b.shape for b in biases] == [shape[:1] for shape in shapes]
        hint = ""
        if is_transposed:
            hint = (
                f"{_TRANSPOSED} If column 0 has the biases, pass the matrices to "
                "from_thetas instead."
            )
        raise ValueError(
            "intercepts must have one entry per unit: for coefs of the shapes "
            f"{shapes} got {[b.shape for b in biases]}.{hint}"
        )
    if input_intercept is not None and arrays[-1].shape != shapes[0][:1]:
        raise ValueError(
            f"input_intercept must have shape {shapes[0][:1]}, got {arrays[-1].shape}."
        )
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError("The weights must be finite.")
    return Parameters.from_coefs(
        coefs, biases, None if input_intercept is None else arrays[-1]
    )


def _hint(shapes):
    """Explain why matrices do not chain; empty if there is no explanation."""
    pairs = list(pairwise(shapes))
    if all(b[1] == a[0] + 1 for a, b in pairs):
        return (
            " These shapes are (fan_out, fan_in + 1), with a column for the biases: "
            "pass the matrices to from_thetas."
        )
    if all(b[0] == a[1] + 1 for a, b in pairs):
        return (
            " These shapes are (fan_in + 1, fan_out), with a row for the biases: pass "
            "this row in intercepts, and the other rows in coefs."
        )
    if all(b[1] == a[0] for a, b in pairs):
        return _TRANSPOSED
    return ""
