"""Conversion to ONNX: importing this module makes skl2onnx know our estimators.

The import is all it takes. After it skl2onnx's ``to_onnx`` and ``convert_sklearn``
know :class:`~skmlp_backprop.BackpropMLPClassifier` and
:class:`~skmlp_backprop.BackpropMLPRegressor`, alone or within a Pipeline,
GridSearchCV, CalibratedClassifierCV, StackingClassifier and others that skl2onnx
converts, and the stacked searches, which become their best estimator.
Labels are those of `predict`, probabilities those of `predict_proba` to rounding, in
the precision of the declared input: double for float64, float for everything else.

The classifier has these of skl2onnx's options:

- ``zipmap``: False for a matrix of probabilities, "columns" for an output for each
  class, True for a dict for each row, which ONNX has in float only. skl2onnx's default
  is True: with float64 input give one of the others.
- ``raw_scores``: True for what `decision_function` returns in place of the
  probabilities; with two classes both columns, the first the negative of the second.
- ``output_class_labels``: True for the class labels as a third output.
- ``nocl``: True for the numbers of the classes, from 0, in place of their labels.

Of CalibratedClassifierCV's methods only "sigmoid" is converted exactly: skl2onnx makes
steps of "isotonic", where scikit-learn interpolates, and has no "temperature".

:class:`~skmlp_backprop.TabularMLPClassifier`,
:class:`~skmlp_backprop.TabularMLPRegressor` and :class:`~skmlp_backprop.TabularEncoder`
are refused: there is no conversion of them yet.

It needs skl2onnx, which ``pip install skl2onnx`` brings, and no runtime.

Examples
--------
>>> from skl2onnx import to_onnx
>>> from sklearn.datasets import load_iris
>>> from skmlp_backprop import BackpropMLPClassifier
>>> import skmlp_backprop.onnx
>>> X, y = load_iris(return_X_y=True)
>>> mlp = BackpropMLPClassifier(max_iter=1000, random_state=0).fit(X, y)
>>> model = to_onnx(mlp, X[:1], options={"zipmap": False})
>>> [output.name for output in model.graph.output]
['label', 'probabilities']
"""

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from scipy.special import erfcx
from sklearn.base import ClassifierMixin, MetaEstimatorMixin
from sklearn.calibration import CalibratedClassifierCV

import skmlp_backprop

from ._estimators.classifier import BackpropMLPClassifier
from ._estimators.regressor import BackpropMLPRegressor
from ._search.unwrap import final_estimator
from ._tabular.table import TakesTablesMixin

try:
    from skl2onnx import update_registered_converter
    from skl2onnx._parse import _parse_sklearn_grid_search_cv
    from skl2onnx.common.data_types import (
        DoubleTensorType,
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )
    from skl2onnx.common.utils_classifier import get_label_classes
    from skl2onnx.operator_converters.grid_search_cv import (
        convert_sklearn_grid_search_cv,
    )
    from skl2onnx.proto import onnx_proto
    from skl2onnx.shape_calculators import grid_search_cv
except ImportError as error:
    raise ImportError(
        "skmlp_backprop.onnx requires skl2onnx. You can install it with "
        "`pip install skl2onnx`."
    ) from error

__all__ = []


def _as_fitted(mlp):
    """What the fit has settled and no public attribute tells.

    Returns
    -------
    hidden : list of str
        Activation of each hidden layer.

    of_input : str or None
        Activation of the input.
    """
    network = mlp._network
    of_input = network.input_activation
    return (
        [activation.name for activation in network.activations],
        None if of_input is None else of_input.name,
    )


def _is_multilabel(mlp):
    """Whether a row may have several of a fitted classifier's classes."""
    return mlp._target_encoder.multilabel


class _Graph:
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

    def constant(self, values):
        """Add numbers in the graph's precision, or labels as they are."""
        values = np.asarray(values)
        if values.dtype.kind == "f":
            values = values.astype(self.dtype)
        content = values.ravel()
        if values.dtype.kind == "O":
            content = [label.encode() for label in content]
        name = self._scope.get_unique_variable_name("constant")
        tensor_type = _TENSOR_TYPES[values.dtype]
        self._container.add_initializer(name, tensor_type, values.shape, content)
        return name


_TENSOR_TYPES = {
    np.dtype(np.float32): onnx_proto.TensorProto.FLOAT,
    np.dtype(np.float64): onnx_proto.TensorProto.DOUBLE,
    np.dtype(np.int64): onnx_proto.TensorProto.INT64,
    np.dtype(object): onnx_proto.TensorProto.STRING,
}


# Activations. onnxruntime has Elu, LeakyRelu, Softplus and Erf in float32 only, so they
# are written with what it has in both precisions.


def _leaky_relu(graph, z):
    return graph.add("Max", z, graph.add("Mul", z, 0.01))


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
    [0, 1]: its polynomial is off by 5e-15 of the value at most.
    """
    square = graph.add("Mul", graph.add("Mul", x, x), -0.5)
    scaled = graph.add("Add", graph.add("Mul", x, 1 / math.sqrt(8)), 1.0)
    t = graph.add("Reciprocal", scaled)
    *others, leading = _scaled_tail_polynomial().coef
    u = graph.add("Sub", graph.add("Mul", t, 2.0), 1.0)
    polynomial = graph.constant(leading)
    for coef in reversed(others):
        polynomial = graph.add("Add", graph.add("Mul", polynomial, u), coef)
    half = graph.add("Mul", graph.add("Exp", square), graph.add("Mul", t, 0.5))
    return graph.add("Mul", half, polynomial)


def _scaled_tail_polynomial():
    """p of :func:`_normal_tail`, as a polynomial in u = 2 t - 1."""

    def scaled_tail(u):
        t = (u + 1) / 2
        return erfcx(2 / t - 2) / t

    return Chebyshev.interpolate(scaled_tail, 24).convert(kind=Polynomial)


def _silu(graph, z):
    return graph.add("Mul", z, graph.add("Sigmoid", z))


_ACTIVATIONS = {
    "identity": lambda graph, z: z,
    "logistic": lambda graph, z: graph.add("Sigmoid", z),
    "tanh": lambda graph, z: graph.add("Tanh", z),
    "relu": lambda graph, z: graph.add("Relu", z),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "gelu": _gelu,
    "silu": _silu,
}


def _log_sigmoid(graph, z):
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


# From logits of both kinds of output to two classes' scores, the second the
# `decision_function`.
_TWO_SIDES = {1: [[-1.0, 1.0]], 2: [[1.0, -1.0], [-1.0, 1.0]]}


def _convert_classifier(scope, operator, container):
    """Add the nodes of a fitted classifier."""
    mlp = operator.raw_operator
    multilabel = _is_multilabel(mlp)
    graph = _Graph(scope, container, _precision(operator))
    logits = _add_logits(graph, operator.inputs[0].full_name, mlp)
    proba = _add_probabilities(graph, logits, mlp, multilabel)
    labels = _add_labels(graph, proba, get_label_classes(scope, mlp), multilabel)
    values = proba
    wants_raw = scope.get_options(mlp, {"raw_scores": False})["raw_scores"]
    if wants_raw or _is_calibrated(scope, mlp):
        values = _add_raw_scores(graph, logits, mlp, multilabel)
    for name, output in zip((labels, values), operator.outputs, strict=True):
        container.add_node(
            "Identity",
            name,
            output.full_name,
            name=scope.get_unique_operator_name("Identity"),
        )


def _precision(operator):
    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    return np.dtype("f8" if is_double else "f4")


def _convert_regressor(scope, operator, container):
    """Add the nodes of a fitted regressor."""
    mlp = operator.raw_operator
    graph = _Graph(scope, container, _precision(operator))
    logits = _add_logits(graph, operator.inputs[0].full_name, mlp)
    container.add_node(
        "Identity",
        _NUMBERS[mlp.out_activation_](graph, logits, mlp),
        operator.outputs[0].full_name,
        name=scope.get_unique_operator_name("Identity"),
    )


def _increasing(graph, z, mlp):
    """The first logit, and each next number larger by a softplus."""
    is_first = np.arange(mlp.n_outputs_)[np.newaxis] == 0
    softplus = graph.add("Neg", _log_sigmoid(graph, graph.add("Neg", z)))
    first = graph.add("Mul", z, is_first.astype(float))
    steps = graph.add("Mul", softplus, 1.0 - is_first)
    return graph.add("CumSum", graph.add("Add", first, steps), np.int64(1))


_NUMBERS = {
    "identity": lambda graph, z, mlp: z,
    "exp": lambda graph, z, mlp: graph.add("Exp", z),
    "increasing": _increasing,
}


def _set_number_type(operator):
    """Tell skl2onnx the type and shape of the predictions."""
    n_rows = operator.inputs[0].get_first_dimension()
    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    tensor_type = DoubleTensorType if is_double else FloatTensorType
    shape = [n_rows, operator.raw_operator.n_outputs_]
    operator.outputs[0].set_type(tensor_type(shape=shape))


def _is_calibrated(scope, mlp):
    """Whether a CalibratedClassifierCV of the graph works on the classifier's scores.

    skl2onnx asks a bare classifier for these by an option, which it loses on its way
    through a Pipeline or a search.
    """
    models = [operator.raw_operator for operator in scope.operators.values()]
    return any(
        final_estimator(part.estimator) is mlp
        for model in models
        if isinstance(model, CalibratedClassifierCV)
        for part in model.calibrated_classifiers_
    )


def _add_logits(graph, x, mlp):
    hidden, of_input = _as_fitted(mlp)
    a = graph.add("Cast", x, to=_TENSOR_TYPES[graph.dtype])
    if of_input is not None:
        a = _ACTIVATIONS[of_input](graph, graph.add("Add", a, mlp.input_intercept_))
    layers = zip(mlp.coefs_, mlp.intercepts_, [*hidden, "identity"], strict=True)
    for coef, intercept, activation in layers:
        z = graph.add("Gemm", a, coef, intercept)
        if activation not in _ACTIVATIONS:
            raise NotImplementedError(
                f"activation {activation!r} can't be converted: there are ONNX nodes "
                f"of {sorted(_ACTIVATIONS)} alone."
            )
        a = _ACTIVATIONS[activation](graph, z)
    return a


def _add_probabilities(graph, logits, mlp, multilabel):
    if multilabel:
        return graph.add("Sigmoid", logits)
    if mlp.n_outputs_ == 1:
        return graph.add("Sigmoid", _two_sides(graph, logits, mlp))
    if mlp.out_activation_ == "logistic":
        logits = _log_sigmoid(graph, logits)
    return graph.add("Softmax", logits, axis=1)


def _add_labels(graph, proba, classes, multilabel):
    if multilabel:
        is_positive = graph.add("Greater", proba, 0.5)
        return graph.add("Cast", is_positive, to=onnx_proto.TensorProto.INT64)
    codes = graph.add("ArgMax", proba, axis=1, keepdims=0)
    return graph.add("Gather", _onnx_labels(classes), codes)


def _add_raw_scores(graph, logits, mlp, multilabel):
    if multilabel:
        return logits
    if len(mlp.classes_) == 2:
        return _two_sides(graph, logits, mlp)
    if mlp.out_activation_ == "softmax":
        return graph.add("LogSoftmax", logits, axis=1)
    return logits


def _two_sides(graph, logits, mlp):
    return graph.add("MatMul", logits, _TWO_SIDES[mlp.n_outputs_])


def _onnx_labels(classes):
    """Class labels as integers or strings, which are all that ONNX knows.

    Raises
    ------
    ValueError
        If they are neither, nor booleans or whole numbers.
    """
    # Of objects, the type that they are of.
    classes = np.asarray(classes.tolist())
    if classes.dtype.kind == "U":
        return classes.astype(object)
    if classes.dtype.kind in "biuf":
        whole = classes.astype(np.int64)
        if np.array_equal(whole, classes):
            return whole
    raise ValueError(
        "ONNX knows integers and strings as class labels; `classes_` is "
        f"{classes.tolist()}. Fit on y made of one of these."
    )


def _set_output_types(operator):
    """Tell skl2onnx the type and shape of the labels and the probabilities."""
    mlp = operator.raw_operator
    n_classes = len(mlp.classes_)
    multilabel = _is_multilabel(mlp)
    if n_classes == 1 and not multilabel:
        raise ValueError(
            f"The classifier was fitted on one class, {mlp.classes_.tolist()}; there "
            "is nothing to convert."
        )
    n_rows = operator.inputs[0].get_first_dimension()
    labels = _onnx_labels(get_label_classes(operator.scope_inst, mlp))
    tensor_type = StringTensorType if labels.dtype.kind == "O" else Int64TensorType
    shape = [n_rows, n_classes] if multilabel else [n_rows]
    operator.outputs[0].set_type(tensor_type(shape=shape))
    operator.outputs[1].type.shape = [n_rows, n_classes]


_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "raw_scores": [True, False],
    "nocl": [True, False],
}
update_registered_converter(
    BackpropMLPClassifier,
    "SkmlpBackpropMLPClassifier",
    _set_output_types,
    _convert_classifier,
    options=_OPTIONS,
)
update_registered_converter(
    BackpropMLPRegressor,
    "SkmlpBackpropMLPRegressor",
    _set_number_type,
    _convert_regressor,
)


def _refuse_shapes(operator):
    raise NotImplementedError(
        f"{type(operator.raw_operator).__name__} can't be converted to ONNX yet. Save "
        "it by joblib or skops; or take BackpropMLPClassifier or BackpropMLPRegressor "
        "on columns that are numbers, which are converted."
    )


def _refuse(scope, operator, container):
    _refuse_shapes(operator)


def _register_all_others():
    """Make skl2onnx know what else is public: searches, and what is refused."""
    for name in skmlp_backprop.__all__:
        kind = getattr(skmlp_backprop, name)
        if not isinstance(kind, type):
            continue
        if issubclass(kind, MetaEstimatorMixin):
            update_registered_converter(
                kind,
                "SklearnGridSearchCV",
                grid_search_cv.convert_sklearn_grid_search_cv,
                convert_sklearn_grid_search_cv,
                parser=_parse_sklearn_grid_search_cv,
                options="passthrough",
            )
        elif issubclass(kind, TakesTablesMixin):
            options = _OPTIONS if issubclass(kind, ClassifierMixin) else None
            update_registered_converter(
                kind, f"Skmlp{name}", _refuse_shapes, _refuse, options=options
            )


_register_all_others()
