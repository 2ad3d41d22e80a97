"""Conversion to ONNX: importing this module makes skl2onnx know our estimators.

The import suffices. Then skl2onnx's ``to_onnx`` and ``convert_sklearn`` know
:class:`~skmlp_backprop.BackpropMLPClassifier` and
:class:`~skmlp_backprop.BackpropMLPRegressor`, alone or within a Pipeline,
GridSearchCV, CalibratedClassifierCV, StackingClassifier and others that skl2onnx
converts, and the stacked searches, which become their best estimator. The labels equal
those of `predict`, and the probabilities those of `predict_proba` to rounding. They
have the precision of the declared input: double for float64, else float.

The classifier has these options of skl2onnx. Within a Pipeline, give all but ``zipmap``
for the classifier itself: ``options={id(pipeline[-1]): {"raw_scores": True}}``.

- ``zipmap``: False for a matrix of probabilities, "columns" for an output for each
  class, True for a dict for each row, which ONNX has in float only. skl2onnx's default
  is True: with float64 input give one of the others.
- ``raw_scores``: True for the result of `decision_function` in place of the
  probabilities; with two classes a column for each, the first the negative of the
  second.
- ``output_class_labels``: True for the class labels as a third output, if they are
  int32, int64 or strings.
- ``nocl``: True for the numbers of the classes, from 0, in place of their labels.

Of CalibratedClassifierCV's methods only "sigmoid" is converted exactly: for "isotonic"
skl2onnx has steps, where scikit-learn interpolates, and it has no "temperature".

It also knows :class:`~skmlp_backprop.TabularMLPClassifier`,
:class:`~skmlp_backprop.TabularMLPRegressor` and
:class:`~skmlp_backprop.TabularEncoder`. Their graph has an input for each column of the
table; :func:`input_types` declares them, and says how to write values. The outputs are
double, or float if numbers are declared as float and none as double.

It needs skl2onnx (``pip install skl2onnx``) and no runtime.

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

import numpy as np
from sklearn.base import MetaEstimatorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import skmlp_backprop

from ._estimators.classifier import BackpropMLPClassifier
from ._estimators.regressor import BackpropMLPRegressor
from ._search.unwrap import final_estimator
from ._tabular.base import BaseTabularMLP
from ._tabular.classifier import TabularMLPClassifier
from ._tabular.encoder import TabularEncoder
from ._tabular.regressor import TabularMLPRegressor

try:
    from skl2onnx import update_registered_converter
    from skl2onnx._parse import (
        _parse_sklearn_classifier,
        _parse_sklearn_grid_search_cv,
        _parse_sklearn_simple_model,
    )
    from skl2onnx.common._topology import Variable
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

    from ._onnx_graph import TENSOR_TYPES, Graph, activate, log_sigmoid
    from ._onnx_tabular import add_table, declared_types, one_hot, table_precision
except ImportError as error:
    raise ImportError(
        "skmlp_backprop.onnx requires skl2onnx. You can install it with "
        "`pip install skl2onnx`."
    ) from error

__all__ = ["input_types"]


def input_types(model):
    """Inputs of the ONNX graph of a model that takes tables: one for each column.

    An input has the shape (n_rows, 1), and the name of its column in `fit`, or "x0",
    "x1" and so on if the columns had no names. In the graph, skl2onnx writes "_" for
    spaces and other special characters of names. The order of the columns stays.

    - Numbers and booleans are double; a missing value is NaN.
    - Categories are strings: Python's ``str`` of the category, such as "red", "1" for
      the number 1, "0.5" or "True"; of a Decimal the ``str`` of its float, and of a
      member of an Enum of texts its text. "1.0" is also the category 1, as in
      `transform`, unless `fit` saw both. A missing value is the empty string, or
      a text such as "nan", "None" or "n/a" if `fit` had missing values. Other texts are
      unseen categories.

    Declare the inputs otherwise if that suits the caller: numbers as float, integers or
    booleans; categories that are whole numbers as numbers; a table of numbers as a
    single input of all columns.

    Parameters
    ----------
    model : TabularEncoder, TabularMLPClassifier or TabularMLPRegressor
        The fitted model; or a Pipeline that begins with such a model, or a search whose
        best estimator is such a model or Pipeline.

    Returns
    -------
    initial_types : list of tuple (str, skl2onnx data type)
        The argument `initial_types` of skl2onnx's ``to_onnx``.

    Raises
    ------
    NotImplementedError
        If a column has dates, times of day or time spans, which can't be converted.

    TypeError
        If the model takes no tables.

    ValueError
        If a column has no name, but an empty text.

    Examples
    --------
    >>> import pandas as pd
    >>> from skl2onnx import to_onnx
    >>> from skmlp_backprop import TabularMLPClassifier
    >>> from skmlp_backprop.onnx import input_types
    >>> X = pd.DataFrame({"size": [1.0, 2.0, None, 8.0, 9.0] * 9})
    >>> X["colour"] = ["red", "red", "blue"] * 15
    >>> y = ["small", "small", "small", "large", "large"] * 9
    >>> model = TabularMLPClassifier(random_state=0).fit(X, y)
    >>> input_types(model)
    [('size', DoubleTensorType(shape=[None, 1])), \
('colour', StringTensorType(shape=[None, 1]))]
    >>> types = input_types(model)
    >>> onnx_model = to_onnx(model, initial_types=types, options={"zipmap": False})
    >>> [column.name for column in onnx_model.graph.input]
    ['size', 'colour']
    """
    first = model
    while isinstance(first, Pipeline) or hasattr(first, "best_estimator_"):
        first = first[0] if isinstance(first, Pipeline) else first.best_estimator_
    if not isinstance(first, TabularEncoder | BaseTabularMLP):
        raise TypeError(
            f"model must take tables, got {type(first).__name__}. Pass `X[:1]` to "
            "skl2onnx.to_onnx in place of initial_types."
        )
    check_is_fitted(first)
    if "" in getattr(first, "feature_names_in_", ()):
        raise ValueError(
            "A column has the name '', which ONNX can't have. Rename the column before "
            "the fit."
        )
    return declared_types(getattr(first, "encoder_", first))


def _member(model):
    """The network, or a network of an ensemble."""
    return model.estimators_[0] if isinstance(model, BaseTabularMLP) else model


# Factors from the logits of one or two output units to the scores of two classes. The
# second score is the `decision_function`.
_TWO_SIDES = {1: [[-1.0, 1.0]], 2: [[1.0, -1.0], [-1.0, 1.0]]}


def _convert_classifier(scope, operator, container):
    """Add the nodes of a fitted classifier, or of an ensemble of them on tables."""
    model, member = operator.raw_operator, _member(operator.raw_operator)
    is_ensemble, multilabel = model is not member, member._target_encoder.multilabel
    graph = Graph(scope, container, _precision(operator))
    logits = _add_logits(graph, operator)
    proba = _add_probabilities(graph, logits, member, multilabel)
    if is_ensemble:
        proba = _add_mean(graph, proba, model)
    labels = _add_labels(graph, proba, get_label_classes(scope, model), multilabel)
    if is_ensemble and not multilabel:
        total = graph.add("ReduceSum", proba, np.array([1]), keepdims=1)
        proba = graph.add("Div", proba, total)
    values = proba
    if _wants_raw_scores(scope, model):
        if is_ensemble:
            values = _add_log_odds(graph, proba, len(model.classes_), multilabel)
        else:
            values = _add_raw_scores(graph, logits, model, multilabel)
    graph.add_outputs((labels, values), operator)


def _wants_raw_scores(scope, model):
    """Whether to output scores: by the option, or for a CalibratedClassifierCV.

    skl2onnx asks a bare classifier for these by an option, which it loses on its way
    through a Pipeline or a search.
    """
    models = [operator.raw_operator for operator in scope.operators.values()]
    is_calibrated = any(
        final_estimator(part.estimator) is model
        for other in models
        if isinstance(other, CalibratedClassifierCV)
        for part in other.calibrated_classifiers_
    )
    options = scope.get_options(model, {"raw_scores": False})
    return options["raw_scores"] or is_calibrated


def _precision(operator):
    if isinstance(operator.raw_operator, TabularEncoder | BaseTabularMLP):
        return table_precision(operator.inputs)
    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    return np.dtype("f8" if is_double else "f4")


# skl2onnx's types of numbers.
_FLOAT_TYPES = {
    np.dtype(np.float32): FloatTensorType,
    np.dtype(np.float64): DoubleTensorType,
}


def _convert_regressor(scope, operator, container):
    """Add the nodes of a fitted regressor, or of an ensemble of them on tables."""
    model, member = operator.raw_operator, _member(operator.raw_operator)
    graph = Graph(scope, container, _precision(operator))
    logits = _add_logits(graph, operator)
    values = _NUMBERS[member.out_activation_](graph, logits, member)
    if isinstance(model, BaseTabularMLP):
        values = _add_mean(graph, values, model)
        # A prediction that overflows becomes the largest number, as in `predict`.
        largest = np.finfo(graph.dtype).max
        for operation, number in (
            ("Mul", model._y_scale),
            ("Add", model._y_mean),
            ("Mul", model._y_unit),
            ("Max", -largest),
            ("Min", largest),
        ):
            values = graph.add(operation, values, np.asarray(number, np.float64))
    graph.add_outputs([values], operator)


def _increasing(graph, z, mlp):
    """The first logit, and each next number larger by a softplus."""
    is_first = np.arange(mlp.n_outputs_) == 0
    softplus = graph.add("Neg", log_sigmoid(graph, graph.add("Neg", z)))
    first = graph.add("Mul", z, is_first.astype(float))
    steps = graph.add("Mul", softplus, 1.0 - is_first)
    return graph.add("CumSum", graph.add("Add", first, steps), np.int64(-1))


_NUMBERS = {
    "identity": lambda graph, z, mlp: z,
    "exp": lambda graph, z, mlp: graph.add("Exp", z),
    "increasing": _increasing,
}


def _matrix_type(operator, n_columns):
    """skl2onnx's type of a matrix of numbers with a row for each input row."""
    n_rows = operator.inputs[0].get_first_dimension()
    return _FLOAT_TYPES[_precision(operator)](shape=[n_rows, n_columns])


def _set_number_type(operator):
    """Tell skl2onnx the type and shape of the predictions."""
    n_outputs = _member(operator.raw_operator).n_outputs_
    operator.outputs[0].set_type(_matrix_type(operator, n_outputs))


def _add_logits(graph, operator):
    model = operator.raw_operator
    if isinstance(model, BaseTabularMLP):
        return _add_ensemble_logits(graph, operator)
    network = model._network
    a = graph.add("Cast", operator.inputs[0].full_name, to=TENSOR_TYPES[graph.dtype])
    if network.input_activation is not None:
        z = graph.add("Add", a, model.input_intercept_)
        a = activate(graph, z, network.input_activation.name)
    names = [*(activation.name for activation in network.activations), "identity"]
    layers = zip(model.coefs_, model.intercepts_, names, strict=True)
    for coef, intercept, name in layers:
        a = activate(graph, graph.add("Gemm", a, coef, intercept), name)
    return a


def _add_probabilities(graph, logits, mlp, multilabel):
    if multilabel:
        return _add_sigmoid(graph, logits)
    if mlp.n_outputs_ == 1:
        return _add_sigmoid(graph, _two_sides(graph, logits, mlp))
    if mlp.out_activation_ == "logistic":
        logits = log_sigmoid(graph, logits)
    return graph.add("Softmax", logits, axis=-1)


def _add_sigmoid(graph, logits):
    """Add the sigmoid, strictly between 0 and 1 as in `predict_proba`."""
    limits = np.finfo(graph.dtype)
    proba = graph.add("Sigmoid", logits)
    return graph.add("Clip", proba, limits.tiny, 1 - limits.epsneg)


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
    # An array of objects becomes an array of their type.
    classes = np.asarray(classes.tolist())
    if classes.dtype.kind == "U":
        return classes.astype(object)
    if classes.dtype.kind in "biuf":
        whole = classes.astype(np.int64)
        if np.array_equal(whole, classes):
            return whole
    raise ValueError(
        "ONNX takes integers or strings as class labels, but `classes_` is "
        f"{classes.tolist()}. Fit to a y of integers or of strings."
    )


def _set_output_types(operator):
    """Tell skl2onnx the type and shape of the labels and the probabilities."""
    mlp = operator.raw_operator
    n_classes = len(mlp.classes_)
    multilabel = _member(mlp)._target_encoder.multilabel
    if n_classes == 1 and not multilabel:
        raise ValueError(
            f"The classifier was fitted on one class, {mlp.classes_.tolist()}; there "
            "is nothing to convert."
        )
    options = operator.scope_inst.get_options(mlp, {"output_class_labels": False})
    dtype = mlp.classes_.dtype
    is_known = dtype.kind in "UO" or dtype in (np.int32, np.int64)
    if options["output_class_labels"] and not is_known:
        raise ValueError(
            "The option output_class_labels takes labels of int32, int64 or strings, "
            f"but `classes_` is of {dtype}. Fit to a y of one of these, or leave out "
            "the option."
        )
    n_rows = operator.inputs[0].get_first_dimension()
    labels = _onnx_labels(get_label_classes(operator.scope_inst, mlp))
    tensor_type = StringTensorType if labels.dtype.kind == "O" else Int64TensorType
    shape = [n_rows, n_classes] if multilabel else [n_rows]
    operator.outputs[0].set_type(tensor_type(shape=shape))
    operator.outputs[1].set_type(_matrix_type(operator, n_classes))


# Tables, and the ensembles on them.


def _with_table_precision(parse):
    """Make a parser of skl2onnx that knows the precision of a table.

    skl2onnx takes the precision of the outputs from the first input, which may be text.
    So it parses an input of the right precision, and then gets the real inputs.
    """

    def parse_table(scope, model, inputs, custom_parsers=None):
        tensor_type = _FLOAT_TYPES[table_precision(inputs)]
        typed = Variable("precision", "precision", scope.name, tensor_type([None, 1]))
        outputs = parse(scope, model, [typed], custom_parsers)
        *_, operator = (
            operator
            for operator in scope.operators.values()
            if operator.raw_operator is model
        )
        operator.inputs = inputs
        return outputs

    return parse_table


def _convert_encoder(scope, operator, container):
    """Add the nodes of a fitted encoder of tables."""
    encoder = operator.raw_operator
    graph = Graph(scope, container, np.float64)
    entries, codes = add_table(graph, operator.inputs, encoder)
    pieces = [] if entries is None else [entries]
    pieces += [one_hot(graph, index, width) for index, width in codes]
    encoded = graph.add("Concat", *pieces, axis=1)
    encoded = graph.add("Cast", encoded, to=TENSOR_TYPES[_precision(operator)])
    graph.add_outputs([encoded], operator)


def _set_encoded_type(operator):
    """Tell skl2onnx the type and shape of the encoded table."""
    encoder = operator.raw_operator
    check_is_fitted(encoder)
    n_entries = len(encoder.get_feature_names_out())
    operator.outputs[0].set_type(_matrix_type(operator, n_entries))


def _add_ensemble_logits(graph, operator):
    """Add the logits of an ensemble, of shape (n_members, n_rows, n_outputs)."""
    model = operator.raw_operator
    entries, codes = add_table(graph.in_double(), operator.inputs, model.encoder_)
    members = model.estimators_
    first, *coefs = map(np.stack, zip(*(m.coefs_ for m in members), strict=True))
    biases = map(np.stack, zip(*(m.intercepts_ for m in members), strict=True))
    first_bias, *biases = (bias[:, np.newaxis] for bias in biases)
    # The weights of the columns with many categories are the last rows.
    start = first.shape[1] - sum(width for _, width in codes)
    z = first_bias
    if entries is not None:
        entries = graph.add("Cast", entries, to=TENSOR_TYPES[graph.dtype])
        z = graph.add("Add", graph.add("MatMul", entries, first[:, :start]), z)
    for index, width in codes:
        # A category without entry adds nothing.
        levels = np.pad(first[:, start : start + width], ((0, 0), (0, 1), (0, 0)))
        index = graph.add("Reshape", index, np.array([-1]))
        z = graph.add("Add", graph.add("Gather", levels, index, axis=1), z)
        start += width
    hidden = members[0]._network.activations
    for coef, bias, activation in zip(coefs, biases, hidden, strict=True):
        z = graph.add("MatMul", activate(graph, z, activation.name), coef)
        z = graph.add("Add", z, bias)
    return z


def _add_mean(graph, values, model):
    """Add the mean over the networks of an ensemble."""
    # ReduceMean takes the axis as an input or as an attribute, depending on the opset.
    total = graph.add("ReduceSum", values, np.array([0]), keepdims=0)
    return graph.add("Div", total, float(len(model.estimators_)))


def _add_log_odds(graph, proba, n_classes, multilabel):
    """The decision function, from probabilities."""
    tiny = np.finfo(graph.dtype).tiny
    logs = graph.add("Log", graph.add("Max", proba, tiny))
    if multilabel:
        others = graph.add("Max", graph.add("Sub", 1.0, proba), tiny)
        return graph.add("Sub", logs, graph.add("Log", others))
    return graph.add("MatMul", logs, _TWO_SIDES[2]) if n_classes == 2 else logs


_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "raw_scores": [True, False],
    "nocl": [True, False],
}
_parse_simple = _with_table_precision(_parse_sklearn_simple_model)
_parse_classifier = _with_table_precision(_parse_sklearn_classifier)
_classifier = _set_output_types, _convert_classifier
_regressor = _set_number_type, _convert_regressor
_encoder = _set_encoded_type, _convert_encoder
for _kind, _functions, _parser, _options in (
    (BackpropMLPClassifier, _classifier, None, _OPTIONS),
    (BackpropMLPRegressor, _regressor, None, None),
    (TabularMLPClassifier, _classifier, _parse_classifier, _OPTIONS),
    (TabularMLPRegressor, _regressor, _parse_simple, None),
    (TabularEncoder, _encoder, _parse_simple, None),
):
    update_registered_converter(
        _kind,
        f"Skmlp{_kind.__name__}",
        *_functions,
        parser=_parser,
        options=_options,
    )
for _name in skmlp_backprop.__all__:
    _kind = getattr(skmlp_backprop, _name)
    # A search becomes its best estimator.
    if isinstance(_kind, type) and issubclass(_kind, MetaEstimatorMixin):
        update_registered_converter(
            _kind,
            "SklearnGridSearchCV",
            grid_search_cv.convert_sklearn_grid_search_cv,
            convert_sklearn_grid_search_cv,
            parser=_parse_sklearn_grid_search_cv,
            options="passthrough",
        )
