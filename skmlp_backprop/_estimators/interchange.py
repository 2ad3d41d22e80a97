"""From and to scikit-learn's MLPClassifier and MLPRegressor."""

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from .._network.parameters import parameters_from_arrays
from .._solvers.history import PUBLIC_HISTORY, History
from .targets import Labels, Numbers

_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_SOLVERS = ("lbfgs", "sgd", "adam")
_NUMBER_OUTPUTS = ("identity", "exp")


def to_sklearn_mlp(estimator, cls, network, target_encoder, history):
    """Make scikit-learn's fitted estimator with a fitted one's weights.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        The fitted estimator.

    cls : type
        MLPClassifier or MLPRegressor.

    network : Network
        Its network.

    target_encoder : Labels or Numbers
        What it predicts.

    history : History
        How its training went.

    Returns
    -------
    mlp : MLPClassifier or MLPRegressor
        With the same weights, and so the same predictions.

    Raises
    ------
    ValueError
        If the network has something that scikit-learn's has not; the message names
        it.
    """
    names = {activation.name for activation in network.activations}
    lacking = [
        *_lacking_in_hidden(names, network),
        *_lacking_in_output(network, target_encoder),
    ]
    if lacking:
        raise ValueError(f"{cls.__name__} cannot express: {'; '.join(lacking)}.")
    mlp = cls()
    shared = mlp.get_params().keys() & estimator.get_params(deep=False).keys()
    params = {name: getattr(estimator, name) for name in shared}
    if params["solver"] not in _SOLVERS:
        params["solver"] = "lbfgs"
    if not isinstance(params["learning_rate"], str):
        params["learning_rate"] = "constant"
    if "loss" in params:
        # Its predictions are by the loss, and ours by the output.
        is_exp = network.output.name == "exp"
        params["loss"] = "poisson" if is_exp else "squared_error"
    params["activation"] = names.pop() if names else "identity"
    mlp.set_params(**params)
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(mlp, name, getattr(estimator, name))
    mlp.n_layers_ = len(network.layer_units)
    mlp.n_outputs_ = network.output.n_outputs
    mlp.out_activation_ = network.output.name
    mlp.coefs_ = [coef.copy(order="C") for coef in estimator.coefs_]
    mlp.intercepts_ = [intercept.copy() for intercept in estimator.intercepts_]
    for name in PUBLIC_HISTORY:
        setattr(mlp, f"{name}_", getattr(history.copy(), name))
    mlp._no_improvement_count = history.no_improvement_count
    # Where its early stopping starts from.
    mlp._best_coefs = [coef.copy() for coef in mlp.coefs_]
    mlp._best_intercepts = [intercept.copy() for intercept in mlp.intercepts_]
    if isinstance(target_encoder, Labels):
        mlp.classes_ = target_encoder.classes
        n_classes = len(target_encoder.classes)
        mlp._label_binarizer = LabelBinarizer().fit(
            np.eye(n_classes, dtype=int)
            if target_encoder.multilabel
            else target_encoder.classes
        )
    return mlp


def _lacking_in_hidden(activations, network):
    """What scikit-learn lacks of the input's and the hidden layers' activations."""
    if len(activations) > 1:
        yield f"an activation per layer ({sorted(activations)})"
    yield from (f"activation {name!r}" for name in activations - set(_ACTIVATIONS))
    if network.input_activation is not None:
        yield f"input_activation {network.input_activation.name!r}"


def _lacking_in_output(network, target_encoder):
    """What it lacks of the outputs."""
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
    """Take scikit-learn's fitted estimator to pieces.

    Parameters
    ----------
    mlp : MLPClassifier or MLPRegressor
        The fitted estimator.

    cls : type
        Which of the two it must be.

    Returns
    -------
    params : dict
        The parameters that both estimators have.

    target_encoder : Labels or Numbers
        What it predicts.

    parameters : Parameters
        Copies of its weights.

    history : History
        How its training went.

    Raises
    ------
    TypeError
        If it is no `cls`.
    """
    if not isinstance(mlp, cls):
        raise TypeError(
            f"from_sklearn takes a {cls.__name__}, got {type(mlp).__name__}."
        )
    if hasattr(mlp, "classes_"):
        y_type = mlp._label_binarizer.y_type_
        target_encoder = Labels(
            mlp.classes_, multilabel=y_type.startswith("multilabel")
        )
    else:
        target_encoder = Numbers(None if mlp.n_outputs_ == 1 else mlp.n_outputs_)
    parameters = parameters_from_arrays(mlp.coefs_, mlp.intercepts_)
    known = {
        name: getattr(mlp, f"{name}_")
        for name in PUBLIC_HISTORY
        if hasattr(mlp, f"{name}_")
    }
    history = History(
        **known, no_improvement_count=getattr(mlp, "_no_improvement_count", 0)
    )
    return mlp.get_params(), target_encoder, parameters, history.copy()
