"""From and to scikit-learn's MLPClassifier."""

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from .._network.parameters import parameters_from_arrays
from .._solvers.problem import PUBLIC_HISTORY, History
from .labels import Labels

_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_SOLVERS = ("lbfgs", "sgd", "adam")


def to_mlp_classifier(estimator, network, labels, history):
    """Make a fitted MLPClassifier with a fitted classifier's weights.

    Parameters
    ----------
    estimator : BackpropMLPClassifier
        The fitted classifier.

    network : Network
        Its network.

    labels : Labels
        Its classes.

    history : History
        How its training went.

    Returns
    -------
    mlp : sklearn.neural_network.MLPClassifier
        With the same weights, and so the same predictions.

    Raises
    ------
    ValueError
        If the network has something that MLPClassifier has not; the message names
        it.
    """
    from sklearn.neural_network import MLPClassifier

    names = {activation.name for activation in network.activations}
    _check_expressible(names, network, labels)
    mlp = MLPClassifier()
    shared = mlp.get_params().keys() & estimator.get_params(deep=False).keys()
    params = {name: getattr(estimator, name) for name in shared}
    if params["solver"] not in _SOLVERS:
        params["solver"] = "lbfgs"
    params["activation"] = names.pop() if names else "identity"
    mlp.set_params(**params)
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(mlp, name, getattr(estimator, name))
    mlp.classes_ = labels.classes
    mlp.n_layers_ = len(network.layer_units)
    mlp.n_outputs_ = network.layer_units[-1]
    mlp.out_activation_ = network.output_activation
    mlp.coefs_ = [np.ascontiguousarray(coef) for coef in estimator.coefs_]
    mlp.intercepts_ = [intercept.copy() for intercept in estimator.intercepts_]
    for name in PUBLIC_HISTORY:
        setattr(mlp, f"{name}_", getattr(history.copy(), name))
    mlp._no_improvement_count = history.no_improvement_count
    # Where its early stopping starts from.
    mlp._best_coefs = [coef.copy() for coef in mlp.coefs_]
    mlp._best_intercepts = [intercept.copy() for intercept in mlp.intercepts_]
    n_classes = len(labels.classes)
    mlp._label_binarizer = LabelBinarizer().fit(
        np.eye(n_classes, dtype=int) if labels.multilabel else labels.classes
    )
    return mlp


def _check_expressible(activations, network, labels):
    """Raise an error that names all that MLPClassifier cannot express."""
    lacking = []
    if len(activations) > 1:
        lacking.append(f"an activation per layer ({sorted(activations)})")
    lacking += [f"activation {name!r}" for name in activations - set(_ACTIVATIONS)]
    if network.input_activation is not None:
        lacking.append(f"input_activation {network.input_activation.name!r}")
    n_classes = len(labels.classes)
    if n_classes == 1 and not labels.multilabel:
        lacking.append("a probability of 1 for the only class")
    expected = "logistic" if labels.multilabel or n_classes == 2 else "softmax"
    if network.output_activation != expected:
        lacking.append(
            f"output_activation {network.output_activation!r} for {n_classes} classes"
        )
    if lacking:
        raise ValueError(f"MLPClassifier cannot express: {'; '.join(lacking)}.")


def from_mlp_classifier(mlp):
    """Take a fitted MLPClassifier apart.

    Parameters
    ----------
    mlp : sklearn.neural_network.MLPClassifier
        The fitted classifier.

    Returns
    -------
    params : dict
        The parameters that both classes have.

    labels : Labels
        Its classes.

    parameters : Parameters
        Copies of its weights.

    history : History
        How its training went.
    """
    labels = Labels(
        mlp.classes_, multilabel=mlp._label_binarizer.y_type_.startswith("multilabel")
    )
    parameters = parameters_from_arrays(mlp.coefs_, mlp.intercepts_)
    known = {
        name: getattr(mlp, f"{name}_")
        for name in PUBLIC_HISTORY
        if hasattr(mlp, f"{name}_")
    }
    history = History(
        **known, no_improvement_count=getattr(mlp, "_no_improvement_count", 0)
    )
    return mlp.get_params(), labels, parameters, history.copy()
