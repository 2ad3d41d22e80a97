"""What is pickled of a fitted estimator: arrays and plain values, no private types.

So a file stays readable when the inside of the package changes, and whoever loads one
with skops has one type to trust, the estimator's own.
"""

from dataclasses import fields

import numpy as np

from .._network.activations import ACTIVATIONS
from .._network.losses import LOSSES
from .._network.network import Network
from .._network.outputs import NUMBER_OUTPUTS, make_class_output
from .._network.parameters import Parameters
from .._solvers.history import PUBLIC_HISTORY, History
from .._solvers.minibatch import MinibatchSolver
from .._solvers.rules import RULES
from .._solvers.schedules import SCHEDULES
from .targets import Labels, Numbers

# As arrays: in some formats each number of a list is a record of its own.
_CURVES = ("loss_curve_", "n_fun_curve_", "time_curve_", "validation_scores_")


def to_plain(state):
    """Replace the objects of private types in a fitted estimator's attributes.

    Parameters
    ----------
    state : dict
        Its attributes; not changed.

    Returns
    -------
    plain : dict
        The same with arrays, numbers, strings and dicts of such in their place.
    """
    plain = dict(state)
    network, target_encoder = plain.pop("_network"), plain.pop("_target_encoder")
    history, solver = plain.pop("_history"), plain.pop("_optimizer", None)
    plain["private_state"] = {
        "target_encoder": _plain_target_encoder(target_encoder),
        "activations": [_plain_activation(f) for f in network.activations],
        "loss": _plain_loss(network.loss),
        "input_activation": _plain_activation(network.input_activation),
        "history": {name: getattr(history, name) for name in _private_fields()},
        "solver": None if solver is None else _plain_solver(solver),
    }
    for name in _CURVES:
        if plain[name] is not None:
            plain[name] = np.array(plain[name])
    if "_skl_callbacks" in plain:
        plain["_skl_callbacks"] = [_light(c) for c in plain["_skl_callbacks"]]
    return plain


def from_plain(plain):
    """The inverse of :func:`to_plain`."""
    state = dict(plain)
    fitted = state.pop("private_state")
    for name in _CURVES:
        if state[name] is not None:
            state[name] = state[name].tolist()
    public = {name: state[f"{name}_"] for name in PUBLIC_HISTORY}
    state["_history"] = History(**public, **fitted["history"])
    state["_target_encoder"] = _target_encoder(
        fitted["target_encoder"], state.get("classes_")
    )
    layer_units = [len(state["coefs_"][0]), *map(len, state["intercepts_"])]
    output = _output(
        state["_target_encoder"], state["out_activation_"], layer_units[-1]
    )
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
    """The name of an activation; one of the user's own as it is."""
    if activation is None or activation.name not in ACTIVATIONS:
        return activation
    return activation.name


def _plain_target_encoder(target_encoder):
    """What the public attributes do not tell of the targets."""
    if isinstance(target_encoder, Labels):
        return {"multilabel": target_encoder.multilabel}
    return {"n_columns": target_encoder.n_columns}


def _target_encoder(plain, classes):
    return Numbers(**plain) if classes is None else Labels(classes, **plain)


def _output(target_encoder, activation, n_outputs):
    if isinstance(target_encoder, Labels):
        return make_class_output(
            activation, len(target_encoder.classes), target_encoder.multilabel
        )
    return NUMBER_OUTPUTS[activation](n_outputs)


def _plain_loss(loss):
    parameters = {name: getattr(loss, name) for name in loss.hyper_parameters}
    return {"name": loss.name, "parameters": parameters}


def _private_fields():
    names = [field.name for field in fields(History)]
    # A clock's reading means nothing to another process.
    return [name for name in names if name not in (*PUBLIC_HISTORY, "started")]


def _plain_solver(solver):
    """The settings of minibatches, and the state of the rule for further steps."""
    attributes = {**vars(solver)}
    attributes["rule"] = _plain_part(solver.rule, RULES)
    attributes["schedule"] = _plain_part(solver.schedule, SCHEDULES)
    if solver.state is not None:
        attributes["state"] = {
            name: {"weights": value.flat} if isinstance(value, Parameters) else value
            for name, value in solver.state.items()
        }
    return attributes


def _plain_part(part, table):
    """Name and attributes of what a table has; one of the user's own as it is."""
    for name, cls in table.items():
        if cls is type(part):
            return {"name": name, "attributes": dict(vars(part))}
    return part


def _solver(plain, layer_units, has_input_intercept):
    attributes = dict(plain)
    for name, table in (("rule", RULES), ("schedule", SCHEDULES)):
        if isinstance(attributes[name], dict):
            part = table[attributes[name]["name"]]
            part = part.__new__(part)
            vars(part).update(attributes[name]["attributes"])
            attributes[name] = part
    if attributes["state"] is not None:
        attributes["state"] = {
            name: Parameters.on_buffer(
                value["weights"], layer_units, input_intercept=has_input_intercept
            )
            if isinstance(value, dict)
            else value
            for name, value in attributes["state"].items()
        }
    return MinibatchSolver(**attributes)


def _light(callback):
    """A callback without what only a fit needs, where it knows how to do without."""
    make_light = getattr(callback, "without_validation_data", None)
    return callback if make_light is None else make_light()
