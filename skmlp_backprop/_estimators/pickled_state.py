"""What is pickled of a fitted estimator: arrays and plain values, no private types.

So a file stays readable when the inside of the package changes, and whoever loads one
with skops has one type to trust, the estimator's own. The exception is the training
that a tabular estimator with `warm_start` can continue.
"""

import copy

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from .. import __version__
from .._network.activations import ACTIVATIONS
from .._network.losses import LOSSES
from .._network.network import Network
from .._network.outputs import NUMBER_OUTPUTS, make_class_output
from .._network.parameters import Parameters
from .._network.warning import warn
from .._solvers.minibatch import MinibatchSolver
from .._solvers.rules import RULES
from .._solvers.schedules import SCHEDULES
from .targets import Labels, Numbers

_VERSION = "skmlp_backprop_version"
_TABLES = {"rule": RULES, "schedule": SCHEDULES}
# As arrays: in some formats each number of a list is a record of its own.
_CURVES = ("loss_curve_", "n_fun_curve_", "time_curve_", "validation_scores_")


class PicklesMixin:
    """Mixin whose pickles have the version of this package, and no rows of callbacks.

    Its copies keep the attributes that pickles leave out.
    """

    def __copy__(self):
        other = type(self).__new__(type(self))
        vars(other).update(vars(self))
        return other

    def __deepcopy__(self, memo):
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        vars(other).update(copy.deepcopy(vars(self), memo))
        return other

    def __getstate__(self):
        state = {**super().__getstate__(), _VERSION: __version__}
        is_fitted = "coefs_" in state or "estimators_" in state
        if is_fitted and "_skl_callbacks" in state:
            # Only a fit needs the rows of callbacks.
            state["_skl_callbacks"] = [
                c.without_validation_data()
                if hasattr(c, "without_validation_data")
                else c
                for c in state["_skl_callbacks"]
            ]
        return state

    def __setstate__(self, state):
        """Warn if the first two numbers of the version differ, or if it is missing."""
        state = dict(state)
        saved = state.pop(_VERSION, "before 0.1")
        if saved.split(".")[:2] != __version__.split(".")[:2]:
            warn(
                InconsistentVersionWarning(
                    estimator_name=f"{type(self).__name__} of skmlp_backprop",
                    current_sklearn_version=__version__,
                    original_sklearn_version=saved,
                )
            )
        super().__setstate__(state)


def to_plain(state):
    """Replace the objects of private types in a fitted estimator's attributes.

    Parameters
    ----------
    state : dict
        The attributes; not changed.

    Returns
    -------
    plain : dict
        The attributes, with arrays, numbers, strings and dicts of these instead.
    """
    plain = dict(state)
    network, target_encoder = plain.pop("_network"), plain.pop("_target_encoder")
    loss, solver = network.loss, plain.pop("_optimizer", None)
    of_targets = {k: v for k, v in vars(target_encoder).items() if k != "classes"}
    plain["private_state"] = {
        "target_encoder": of_targets,
        "activations": [_plain_activation(f) for f in network.activations],
        "loss": {
            "name": loss.name,
            "parameters": {name: getattr(loss, name) for name in loss.hyper_parameters},
        },
        "input_activation": _plain_activation(network.input_activation),
        "solver": None if solver is None else _plain_solver(solver),
    }
    for name in _CURVES:
        if plain[name] is not None:
            plain[name] = np.array(plain[name])
    # Only a fit that continues another has evaluations before it.
    if plain.get("_n_fun_before") == 0:
        del plain["_n_fun_before"]
    return plain


def from_plain(plain):
    """The inverse of :func:`to_plain`."""
    state = {"_n_fun_before": 0, **plain}
    fitted = state.pop("private_state")
    for name in _CURVES:
        if state[name] is not None:
            state[name] = state[name].tolist()
    layer_units = [len(state["coefs_"][0]), *map(len, state["intercepts_"])]
    name, n_outputs = state["out_activation_"], layer_units[-1]
    if "classes_" in state:
        labels = Labels(state["classes_"], **fitted["target_encoder"])
        output = make_class_output(name, len(labels.classes), labels.multilabel)
        state["_target_encoder"] = labels
    else:
        output = NUMBER_OUTPUTS[name](n_outputs)
        state["_target_encoder"] = Numbers(**fitted["target_encoder"])
    state["_network"] = Network(
        layer_units,
        fitted["activations"],
        LOSSES[fitted["loss"]["name"], output.name](**fitted["loss"]["parameters"]),
        output,
        fitted["input_activation"],
    )
    state["_optimizer"] = None
    if fitted["solver"] is not None:
        has_input_intercept = state["input_intercept_"] is not None
        state["_optimizer"] = _solver(
            fitted["solver"], layer_units, has_input_intercept
        )
    return state


def _plain_activation(activation):
    """The name of an activation; an activation of the user as it is."""
    if activation is None or activation.name not in ACTIVATIONS:
        return activation
    return activation.name


def _plain_solver(solver):
    """The settings of minibatches, and the state of the rule for further steps."""
    attributes = {**vars(solver)}
    for kind, table in _TABLES.items():
        for name, cls in table.items():
            # A rule or schedule of the user stays as it is.
            if cls is type(attributes[kind]):
                of_kind = {"name": name, "attributes": vars(attributes[kind])}
                attributes[kind] = of_kind
    if solver.state is not None:
        attributes["state"] = {
            name: _plain_value(value) for name, value in solver.state.items()
        }
    return attributes


def _plain_value(value):
    """A value of a rule's state; weights and dicts become dicts with one key."""
    if isinstance(value, Parameters):
        return {"weights": value.flat}
    return {"value": value} if isinstance(value, dict) else value


def _solver(plain, layer_units, has_input_intercept):
    """The inverse of :func:`_plain_solver`."""
    attributes = dict(plain)
    for kind, table in _TABLES.items():
        if isinstance(attributes[kind], dict):
            cls = table[attributes[kind]["name"]]
            made = cls.__new__(cls)
            vars(made).update(attributes[kind]["attributes"])
            attributes[kind] = made
    if attributes["state"] is not None:
        attributes["state"] = {
            name: _value(value, layer_units, has_input_intercept)
            for name, value in attributes["state"].items()
        }
    return MinibatchSolver(**attributes)


def _value(plain, layer_units, has_input_intercept):
    """The inverse of :func:`_plain_value`."""
    if not isinstance(plain, dict):
        return plain
    if "value" in plain:
        return plain["value"]
    return Parameters.on_buffer(
        plain["weights"], layer_units, input_intercept=has_input_intercept
    )
