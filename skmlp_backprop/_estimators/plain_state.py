"""What is pickled of a fitted estimator: arrays and plain values, no private types.

So a file stays readable when the inside of the package changes, and whoever loads one
with skops has one type to trust, the estimator's own.
"""

from dataclasses import fields

import numpy as np

from .._network.losses import LOSSES
from .._network.network import Network
from .._network.outputs import NUMBER_OUTPUTS, make_class_output
from .._network.parameters import Parameters
from .._solvers import SOLVERS
from .._solvers.history import PUBLIC_HISTORY, History
from .codecs import Labels, Numbers

# As arrays: in some formats each number of a list is a record of its own.
_CURVES = ("loss_curve_", "n_fun_curve_", "time_curve_", "validation_scores_")


def to_plain(state):
    """Replace what is of private types in a fitted estimator's attributes.

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
    network, codec = plain.pop("_network"), plain.pop("_codec")
    history, solver = plain.pop("_history"), plain.pop("_optimizer", None)
    input_activation = network.input_activation
    plain["private_state"] = {
        "codec": _plain_codec(codec),
        "activations": [activation.name for activation in network.activations],
        "loss": _plain_loss(network.loss),
        "input_activation": input_activation.name if input_activation else None,
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
    state["_codec"] = _codec(fitted["codec"], state.get("classes_"))
    layer_units = [len(state["coefs_"][0]), *map(len, state["intercepts_"])]
    output = _output(state["_codec"], state["out_activation_"], layer_units[-1])
    state["_network"] = Network(
        layer_units,
        fitted["activations"],
        LOSSES[fitted["loss"]["name"], output.name](**fitted["loss"]["parameters"]),
        output,
        fitted["input_activation"],
    )
    if fitted["solver"] is not None:
        has_input_intercept = state["input_intercept_"] is not None
        state["_optimizer"] = _solver(
            fitted["solver"], layer_units, has_input_intercept
        )
    return state


def _plain_codec(codec):
    """What the public attributes do not tell of the targets."""
    if isinstance(codec, Labels):
        return {"multilabel": codec.multilabel}
    return {"n_columns": codec.n_columns}


def _codec(plain, classes):
    return Numbers(**plain) if classes is None else Labels(classes, **plain)


def _output(codec, activation, n_outputs):
    if isinstance(codec, Labels):
        return make_class_output(activation, len(codec.classes), codec.multilabel)
    return NUMBER_OUTPUTS[activation](n_outputs)


def _plain_loss(loss):
    parameters = {name: getattr(loss, name) for name in loss.hyper_parameters}
    return {"name": loss.name, "parameters": parameters}


def _private_fields():
    names = [field.name for field in fields(History)]
    # A clock's reading means nothing to another process.
    return [name for name in names if name not in (*PUBLIC_HISTORY, "started")]


def _plain_solver(solver):
    """A solver's parameters, and what it has left for a training that goes on."""
    attributes = dict(vars(solver))
    if "moments" in attributes:
        moments = attributes["moments"]
        attributes["moments"] = {name: m.flat for name, m in moments.items()}
    (name,) = (name for name, cls in SOLVERS.items() if cls is type(solver))
    return {"name": name, "attributes": attributes}


def _solver(plain, layer_units, has_input_intercept):
    solver = SOLVERS[plain["name"]]
    solver = solver.__new__(solver)
    vars(solver).update(plain["attributes"])
    if solver.stochastic:
        solver.moments = {
            name: Parameters.view_on(
                flat, layer_units, input_intercept=has_input_intercept
            )
            for name, flat in solver.moments.items()
        }
    return solver


def _light(callback):
    """A callback without what only a fit needs, where it knows how to do without."""
    make_light = getattr(callback, "without_validation_data", None)
    return callback if make_light is None else make_light()
