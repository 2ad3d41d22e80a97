"""An ONNX graph under construction, and the nodes of the activations."""

import math

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev, cheb2poly
from scipy.special import erfcx
from skl2onnx.proto import onnx_proto


class Graph:
    """The ONNX graph under construction, in one floating-point precision."""

    def __init__(self, scope, container, dtype):
        self._scope = scope
        self._container = container
        self.dtype = dtype

    def add(self, operator, *inputs, **attributes):
        """Add a node on named inputs and constants; return its output's name."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        output = self._scope.get_unique_variable_name(operator)
        self._container.add_node(
            operator,
            names,
            output,
            name=self._scope.get_unique_operator_name(operator),
            **attributes,
        )
        return output

    def add_outputs(self, names, operator):
        """Add nodes that give values the names of an operator's outputs."""
        for name, output in zip(names, operator.outputs, strict=True):
            node = self._scope.get_unique_operator_name("Identity")
            self._container.add_node("Identity", name, output.full_name, name=node)

    def in_double(self):
        """The same graph, in double precision."""
        return Graph(self._scope, self._container, np.float64)

    def constant(self, values):
        """Add numbers in the graph's precision, or labels as they are."""
        values = np.asarray(values)
        if values.dtype.kind == "f":
            values = values.astype(self.dtype)
        content = values.ravel()
        if values.dtype.kind == "O":
            content = [label.encode() for label in content]
        name = self._scope.get_unique_variable_name("constant")
        tensor_type = TENSOR_TYPES[values.dtype]
        self._container.add_initializer(name, tensor_type, values.shape, content)
        return name


TENSOR_TYPES = {
    np.dtype(np.float32): onnx_proto.TensorProto.FLOAT,
    np.dtype(np.float64): onnx_proto.TensorProto.DOUBLE,
    np.dtype(np.int64): onnx_proto.TensorProto.INT64,
    np.dtype(object): onnx_proto.TensorProto.STRING,
}


# Activations. onnxruntime has Elu, LeakyRelu, Softplus and Erf in float32 only, so they
# are built of operators that it has in both precisions.


def _elu(graph, z):
    below = graph.add("Exp", graph.add("Min", z, 0.0))
    return graph.add("Add", graph.add("Relu", z), graph.add("Sub", below, 1.0))


def _gelu(graph, z):
    """z Phi(z) = max(0, z) - |z| Phi(-|z|)."""
    size = graph.add("Abs", z)
    product = graph.add("Mul", size, _normal_tail(graph, size))
    return graph.add("Sub", graph.add("Relu", z), product)


def _normal_tail(graph, x):
    """Phi(-x) for x >= 0.

    It is exp(-x^2 / 2) t p(t) / 2 with t = 1 / (1 + x / sqrt(8)), where p is smooth on
    [0, 1]: its polynomial in u = 2 t - 1 is off by 5e-15 of the value at most.
    """
    square = graph.add("Mul", graph.add("Mul", x, x), -0.5)
    scaled = graph.add("Add", graph.add("Mul", x, 1 / math.sqrt(8)), 1.0)
    t = graph.add("Reciprocal", scaled)
    p = Chebyshev.interpolate(lambda t: erfcx(2 / t - 2) / t, 24, domain=[0, 1])
    *others, leading = cheb2poly(p.coef)
    u = graph.add("Sub", graph.add("Mul", t, 2.0), 1.0)
    polynomial = graph.constant(leading)
    for coef in reversed(others):
        polynomial = graph.add("Add", graph.add("Mul", polynomial, u), coef)
    half = graph.add("Mul", graph.add("Exp", square), graph.add("Mul", t, 0.5))
    return graph.add("Mul", half, polynomial)


_ACTIVATIONS = {
    "identity": lambda graph, z: z,
    "logistic": lambda graph, z: graph.add("Sigmoid", z),
    "tanh": lambda graph, z: graph.add("Tanh", z),
    "relu": lambda graph, z: graph.add("Relu", z),
    "leaky_relu": lambda graph, z: graph.add("Max", z, graph.add("Mul", z, 0.01)),
    "elu": _elu,
    "gelu": _gelu,
    "silu": lambda graph, z: graph.add("Mul", z, graph.add("Sigmoid", z)),
}


def log_sigmoid(graph, z):
    """min(0, z) - log1p(exp(-|z|)), which no z makes overflow.

    log1p(u) is u log(v) / (v - 1) with v = 1 + u as it rounds, and u where v is 1:
    Goldberg, D. (1991). "What every computer scientist should know about
    floating-point arithmetic." ACM Computing Surveys 23(1), theorem 4.
    """
    u = graph.add("Exp", graph.add("Neg", graph.add("Abs", z)))
    v = graph.add("Add", u, 1.0)
    is_lost = graph.add("Equal", v, 1.0)
    rounded = graph.add("Where", is_lost, 1.0, graph.add("Sub", v, 1.0))
    ratio = graph.add("Div", graph.add("Log", v), rounded)
    ratio = graph.add("Where", is_lost, 1.0, ratio)
    log = graph.add("Mul", u, ratio)
    return graph.add("Sub", graph.add("Min", z, 0.0), log)


def activate(graph, z, activation):
    """Add the nodes of an activation by its name."""
    if activation not in _ACTIVATIONS:
        raise NotImplementedError(
            f"activation {activation!r} can't be converted: there are ONNX nodes "
            f"of {sorted(_ACTIVATIONS)} alone."
        )
    return _ACTIVATIONS[activation](graph, z)
