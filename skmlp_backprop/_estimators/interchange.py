"""From and to scikit-learn's MLPClassifier and MLPRegressor."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import LabelBinarizer

from .._network.parameters import parameters_from_arrays
from .._solvers.training import PUBLIC_HISTORY
from .results import features_of, history_of
from .targets import Labels, Numbers

_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_SOLVERS = ("lbfgs", "sgd", "adam")
_SCHEDULES = ("constant", "invscaling", "adaptive")
_NUMBER_OUTPUTS = ("identity", "exp")


def _sklearn_class(cls):
    """scikit-learn's class of the same kind, which is slow to import."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return MLPRegressor if cls._y_numeric else MLPClassifier


def to_sklearn_mlp(estimator):
    """Make scikit-learn's fitted estimator of a fitted estimator's weights.

    Raises
    ------
    ValueError
        If scikit-learn lacks a property of the network; the message names it.
    """
    network, target_encoder = estimator._network, estimator._target_encoder
    mlp = _sklearn_class(type(estimator))()
    lacking = list(_lacking(network, target_encoder))
    if lacking:
        raise ValueError(f"{type(mlp).__name__} cannot express: {'; '.join(lacking)}.")
    mlp.set_params(**_shared_params(estimator, mlp))
    vars(mlp).update(features_of(estimator))
    mlp.n_layers_ = len(network.layer_units)
    mlp.n_outputs_ = network.output.n_outputs
    mlp.out_activation_ = network.output.name
    mlp.coefs_ = [coef.copy(order="C") for coef in estimator.coefs_]
    mlp.intercepts_ = [intercept.copy() for intercept in estimator.intercepts_]
    history = history_of(estimator)
    for name in PUBLIC_HISTORY:
        setattr(mlp, f"{name}_", getattr(history, name))
    mlp._no_improvement_count = history.no_improvement_count
    # Where its early stopping starts from.
    mlp._best_coefs = [coef.copy() for coef in mlp.coefs_]
    mlp._best_intercepts = [intercept.copy() for intercept in mlp.intercepts_]
    if isinstance(target_encoder, Labels):
        y = mlp.classes_ = target_encoder.classes
        if target_encoder.multilabel:
            y = np.eye(len(y), dtype=int)
            y = sparse.csr_matrix(y) if target_encoder.is_sparse else y
        mlp._label_binarizer = LabelBinarizer().fit(y)
    return mlp


def _shared_params(estimator, mlp):
    """The parameters of scikit-learn's estimator that have the same predictions."""
    shared = mlp.get_params().keys() & estimator.get_params(deep=False).keys()
    params = {name: getattr(estimator, name) for name in shared}
    if params["solver"] not in _SOLVERS:
        params["solver"] = "lbfgs"
    if params["learning_rate"] not in _SCHEDULES:
        params["learning_rate"] = "constant"
    hidden_units = estimator._network.layer_units[1:-1]
    if np.ravel(params["hidden_layer_sizes"]).tolist() != hidden_units:
        # They were changed after the fit.
        params["hidden_layer_sizes"] = hidden_units
    if "loss" in params:
        # Its predictions depend on the loss.
        is_exp = estimator._network.output.name == "exp"
        params["loss"] = "poisson" if is_exp else "squared_error"
    names = [activation.name for activation in estimator._network.activations]
    params["activation"] = names[0] if names else "identity"
    return params


def _lacking(network, target_encoder):
    """The properties of a network that scikit-learn lacks."""
    names = {activation.name for activation in network.activations}
    if len(names) > 1:
        yield f"an activation per layer ({sorted(names)})"
    yield from (f"activation {name!r}" for name in names - set(_ACTIVATIONS))
    if network.input_activation is not None:
        yield f"input_activation {network.input_activation.name!r}"
    name = network.output.name
    if isinstance(target_encoder, Numbers):
        if name not in _NUMBER_OUTPUTS:
            yield "several quantiles"
        return
    n_classes = len(target_encoder.classes)
    if n_classes == 1 and not target_encoder.multilabel:
        yield "a probability of 1 for the only class"
    expected = "logistic" if target_encoder.multilabel or n_classes == 2 else "softmax"
    if name != expected:
        yield f"output_activation {name!r} for {n_classes} classes"


def from_sklearn_mlp(mlp, cls):
    """Make a fitted estimator of class `cls` of scikit-learn's fitted estimator.

    Raises
    ------
    TypeError
        If `mlp` is of the other kind.
    """
    sklearn_class = _sklearn_class(cls)
    if not isinstance(mlp, sklearn_class):
        raise TypeError(
            f"from_sklearn takes a {sklearn_class.__name__}, got {type(mlp).__name__}."
        )
    if hasattr(mlp, "classes_"):
        y_type = mlp._label_binarizer.y_type_
        target_encoder = Labels(
            mlp.classes_,
            multilabel=y_type.startswith("multilabel"),
            is_sparse=mlp._label_binarizer.sparse_input_,
        )
    else:
        target_encoder = Numbers(None if mlp.n_outputs_ == 1 else mlp.n_outputs_)
    parameters = parameters_from_arrays(mlp.coefs_, mlp.intercepts_)
    estimator = cls(**mlp.get_params())
    vars(estimator).update(features_of(mlp))
    estimator._adopt_weights(parameters, target_encoder, history_of(mlp))
    if estimator.out_activation_ != mlp.out_activation_:
        raise ValueError(
            f"The {sklearn_class.__name__} was fitted with the output activation "
            f"{mlp.out_activation_!r}, but has loss={mlp.loss!r}, with "
            f"{estimator.out_activation_!r}. Set `loss` back to that of the fit."
        )
    return estimator
