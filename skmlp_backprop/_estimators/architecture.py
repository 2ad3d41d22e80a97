"""The network that an estimator's parameters describe."""

from inspect import signature
from numbers import Integral

import numpy as np

from .._network.activations import ACTIVATIONS, Activation
from .._network.losses import LOSSES
from .._network.network import Network
from .._network.warning import warn
from .._solvers.rules import RULES, Rule


def hidden_units(hidden_layer_sizes):
    """List of the hidden layers' sizes, from a sequence or an int.

    Raises
    ------
    ValueError
        If a size is not a positive integer.
    """
    if isinstance(hidden_layer_sizes, Integral):
        return [int(hidden_layer_sizes)]
    sizes = np.ravel(hidden_layer_sizes).tolist()
    if any(isinstance(s, bool) or not isinstance(s, Integral) for s in sizes):
        raise ValueError(f"hidden_layer_sizes must be integers, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def hidden_activations(activation, n_hidden):
    """List of the hidden layers' activations, from a sequence or an activation.

    Raises
    ------
    ValueError
        If the sequence has the wrong length or an unknown name.
    """
    if isinstance(activation, (str, Activation)):
        return [activation] * n_hidden
    names = list(activation)
    if len(names) != n_hidden:
        raise ValueError(
            f"activation names {len(names)} activations, but hidden_layer_sizes has "
            f"{n_hidden} layers; give one name for each, or a single one for all."
        )
    unknown = [
        name
        for name in names
        if not isinstance(name, Activation) and name not in ACTIVATIONS
    ]
    if unknown:
        raise ValueError(
            f"activation has unknown names {unknown}; choose among "
            f"{sorted(ACTIVATIONS)}."
        )
    return names


def make_network(estimator, n_features, target_encoder):
    """Build the network that an estimator's parameters describe, without weights.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        The estimator.

    n_features : int
        Number of inputs.

    target_encoder : Labels or Numbers
        The classes, or the number of columns of y.

    Returns
    -------
    network : Network
        The network.

    Raises
    ------
    ValueError
        If parameters do not go together.
    """
    sizes = hidden_units(estimator.hidden_layer_sizes)
    output = target_encoder.make_output(estimator)
    loss = with_parameters(LOSSES[estimator.loss, output.name], estimator)
    return Network(
        [n_features, *sizes, output.n_outputs],
        hidden_activations(estimator.activation, len(sizes)),
        loss,
        output,
        estimator.input_activation,
    )


def with_parameters(cls, estimator, *args):
    """Make an object, with the values that an estimator has of its hyper-parameters."""
    params = {name: getattr(estimator, name) for name in cls.hyper_parameters}
    return cls(*args, **params)


def is_stochastic(solver):
    """Whether an estimator's `solver`, a name or a Rule, works on minibatches."""
    return isinstance(solver, Rule) or solver in RULES


def check_solver(estimator, network):
    """Refuse a full-batch solver for a loss with kinks, which it can't minimise."""
    if network.loss.has_kink and not is_stochastic(estimator.solver):
        raise ValueError(
            f"loss={estimator.loss!r} has a kink at each row's target, at which the "
            f"line searches of solver={estimator.solver!r} end too soon. Use solver "
            "'adam' or 'sgd', or loss='huber' with a small huber_epsilon."
        )


def warn_of_unused(estimator):
    """Warn of given parameters that the estimator's loss or solver does not use."""
    solver, loss = getattr(estimator, "solver", "adam"), getattr(estimator, "loss", "")
    if not is_stochastic(solver):
        for name in ("dropout", "average_epochs", "early_stopping"):
            value = getattr(estimator, name)
            if np.any(np.asarray(value)):
                warn(
                    f"{name}={value!r} has no effect with solver={solver!r}. Take "
                    f"solver 'adam' or 'sgd', which use it, or leave out {name}."
                )
    loss_of = {
        name: of_loss
        for (of_loss, _), cls in LOSSES.items()
        for name in cls.hyper_parameters
    }
    for name, of_loss in loss_of.items():
        if of_loss == loss or not hasattr(estimator, name):
            continue
        value = getattr(estimator, name)
        if np.any(np.asarray(value) != _default_of(estimator, name)):
            warn(
                f"{name}={value!r} has no effect with loss={loss!r}. Pass "
                f"loss={of_loss!r}, or leave out {name}."
            )


def _default_of(estimator, name):
    """A parameter's default; the ``__init__`` of a subclass need not list it."""
    signatures = (signature(cls).parameters for cls in type(estimator).__mro__)
    return next(listed[name].default for listed in signatures if name in listed)


def check_fits(parameters, network):
    """Refuse weights that do not have the shape of the network.

    They differ if the user has changed parameters since the fit.
    """
    if parameters.layer_units != network.layer_units:
        raise ValueError(
            f"The weights are those of a network with {parameters.layer_units} units "
            "per layer, but the parameters and the classes need "
            f"{network.layer_units}. Set the parameters back, or fit anew."
        )
    has_intercept = parameters.input_intercept is not None
    if has_intercept != (network.input_activation is not None):
        have = "have" if has_intercept else "lack"
        raise ValueError(
            f"The weights {have} the biases of an input activation "
            "(`input_intercept_`), which go together with `input_activation`. Set this "
            "parameter as it was when the weights were fitted, or fit anew."
        )
