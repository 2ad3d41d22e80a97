"""Training of several estimators as a single stack of networks.

Networks of the same shape on the same batches share the product of the first layer, a
large product instead of many thin ones, and the interpreter's time of a step.
"""

from collections import Counter
from contextlib import nullcontext
from itertools import pairwise

import joblib
import numpy as np
from sklearn.base import clone

from .._estimators.base import BaseBackpropMLP
from .._estimators.classifier import BackpropMLPClassifier
from .._estimators.devices import device_of
from .._estimators.ends import warn_of_end
from .._estimators.regressor import BackpropMLPRegressor
from .._estimators.restoring import restore_all_on_error
from .._estimators.training import (
    GroupedData,
    check_hold_out,
    make_solver,
    train,
)
from .._network.dropout import dropout_rates
from .._network.objective import BLOCK_ROWS, alpha_in_precision
from .._solvers import FULL_BATCH_SOLVERS, RULES, is_stochastic
from .._solvers.interruption import abort_when_interrupted

# The networks of a stack may differ in these parameters, and in the numbers of the
# update rule.
_OF_EACH_NETWORK = (
    "alpha",
    "verbose",
    "max_iter",
    "max_fun",
    "tol",
    "n_iter_no_change",
    "learning_rate",
    "learning_rate_init",
    "power_t",
)


def fit_stack(estimators, X, y, sample_weight=None):
    """Fit several estimators to the same data, in a single training if possible.

    Each estimator ends with the result of its own `fit`, up to rounding: it stops by
    its own criteria, and the divergence of another estimator has no effect. Estimators
    with solver "sgd" or "adam" share a stack if they differ only in

    - `alpha`, `learning_rate_init`, `learning_rate`, `power_t`, `momentum`, `beta_1`,
      `beta_2`, `epsilon`, `tol`, `max_iter`, `n_iter_no_change`, `verbose`;
    - a numeric `weight_init`;
    - an integer `random_state`, if X is dense and the estimators have no weights of
      samples or classes, no dropout and no early stopping.

    All other estimators are fitted one by one. The largest array of a stack has at most
    2 MB, so that the stack needs about 30 MB; larger stacks are split. With another
    `device` than "cpu" it has at most 64 MB.

    Parameters
    ----------
    estimators : iterable of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators. They are fitted in place, and earlier fits are discarded.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Classifiers: class labels, or a multilabel indicator matrix. Regressors:
        numbers.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples. With None, each sample weighs 1.

    Returns
    -------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators, in the same order.

    Raises
    ------
    TypeError
        If an estimator is neither a BackpropMLPClassifier nor a BackpropMLPRegressor,
        or if the list has both classifiers and regressors.
    ValueError
        If the input or a combination of parameters is invalid, or if an objective is
        not finite at the initial weights. Then no estimator is changed.
    KeyboardInterrupt
        If Ctrl-C interrupts a call whose estimators need more than a single stack. In a
        single stack, no error is raised, and all estimators keep their current weights.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, fit_stack
    >>> X, y = load_iris(return_X_y=True)
    >>> mlps = [
    ...     BackpropMLPClassifier(alpha=alpha, max_iter=1000, random_state=0)
    ...     for alpha in (0.1, 1, 10)
    ... ]
    >>> [round(mlp.score(X, y), 2) for mlp in fit_stack(mlps, X, y)]
    [0.97, 0.97, 0.98]
    """
    estimators = list(estimators)
    _check_parameters(estimators)
    _check_fits(estimators, X, y, sample_weight)
    groups = {}
    for i, estimator in enumerate(estimators):
        groups.setdefault(_key_or(i, estimator), []).append(estimator)
    interruption = nullcontext() if len(groups) == 1 else abort_when_interrupted()
    with interruption, restore_all_on_error(estimators):
        for group in groups.values():
            if len(group) == 1:
                group[0].fit(X, y, sample_weight)
            else:
                _fit_group(group, X, y, sample_weight)
    return estimators


def _check_parameters(estimators):
    """Raise errors for other estimators and for invalid parameters."""
    for i, estimator in enumerate(estimators):
        if not isinstance(estimator, BaseBackpropMLP):
            raise TypeError(
                "fit_stack takes BackpropMLPClassifier or BackpropMLPRegressor "
                f"instances, got {type(estimator).__name__} at position {i}. Of a "
                "Pipeline pass the last step, and X as the other steps transform it, "
                "or use StackedGridSearchCV."
            )
        estimator._validate_params()
    kinds = {isinstance(e, BackpropMLPClassifier) for e in estimators}
    if len(kinds) > 1:
        raise TypeError("fit_stack takes classifiers or regressors, got both.")


def _check_fits(estimators, X, y, sample_weight):
    """Raise errors for parameters that are invalid with each other or with the data.

    The check of all estimators comes before the first fit, so that an error leaves all
    estimators unchanged.
    """
    if not estimators:
        return
    # The validation sets attributes, here of a clone.
    lead = clone(estimators[0])
    X, y = lead._validate_rows(X, y, reset=True)
    target_encoder = lead._target_encoder_of(y)
    targets = target_encoder.encode(y, X.dtype)
    for estimator in estimators:
        estimator._check_input(X)
        data = estimator._data_of(X, targets, target_encoder, sample_weight)
        dropout_rates(estimator.dropout, len(data.network.activations))
        solver = make_solver(estimator)
        alpha_in_precision(estimator.alpha, solver.arithmetic_dtype(X.dtype))
        if estimator.early_stopping and solver.stochastic:
            check_hold_out(data.rows, estimator.validation_fraction)


def _key_or(otherwise, estimator):
    try:
        return stack_key(estimator)
    except CannotStack:
        return otherwise


class CannotStack(Exception):
    """An estimator can't be stacked; the message is the reason."""


def stack_key(estimator):
    """Return a key that is equal for estimators that can share a stack.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    key : tuple
        The key. Estimators with random_state=None can share a stack, and then also
        share their random draws.

    Raises
    ------
    CannotStack
        If the estimator can't be stacked. The message is the reason.
    """
    check_trainable(estimator)
    if not is_stochastic(estimator.solver):
        raise CannotStack(f"solver {estimator.solver!r} works on all rows at once")
    params = estimator.get_params()
    rule = make_solver(estimator).rule
    # Only plain batches support different rows, by seed, for each network.
    is_plain = not (
        params["early_stopping"]
        or np.any(params["dropout"])
        or params.get("class_weight") is not None
    )
    if is_plain and params["random_state"] is not None:
        params["random_state"] = "any seed"
    # Each network draws its own initial weights, but all must draw the same number of
    # random numbers.
    if not isinstance(params["weight_init"], str):
        params["weight_init"] = "uniform"
    of_rules = set().union(*(cls.hyper_parameters for cls in RULES.values()))
    for name in {"solver", *_OF_EACH_NETWORK, *of_rules}:
        del params[name]
    items = ((name, _hashable(value)) for name, value in sorted(params.items()))
    of_rule = (
        (name, _hashable(value))
        for name, value in sorted(vars(rule).items())
        if name not in rule.numbers()
    )
    return (type(estimator), *items, type(rule), *of_rule)


def _hashable(value):
    try:
        hash(value)
    except TypeError:
        return joblib.hash(value)
    return value


def check_trainable(estimator):
    """Check that a stack of a single estimator gives the result of the estimator's fit.

    Raises
    ------
    CannotStack
        If it does not. The message is the reason.
    """
    name = type(estimator).__name__
    if not isinstance(estimator, BaseBackpropMLP):
        raise CannotStack(f"{name} is no BackpropMLPClassifier or BackpropMLPRegressor")
    if type(estimator) not in (BackpropMLPClassifier, BackpropMLPRegressor):
        raise CannotStack(f"{name} is a subclass, whose fit may be its own")
    if (
        not is_stochastic(estimator.solver)
        and estimator.solver not in FULL_BATCH_SOLVERS
    ):
        raise CannotStack("its parameters are invalid")
    if estimator.warm_start:
        raise CannotStack("with warm_start it goes on from weights of its own")
    if isinstance(estimator.random_state, np.random.RandomState):
        raise CannotStack(
            "random_state is a RandomState, whose draws other fits would change"
        )
    if hasattr(estimator, "_skl_callbacks"):
        raise CannotStack("it has callbacks")


def prepare_group(estimators, X, y, sample_weight=None):
    """Validate the data for estimators with the same :func:`stack_key`.

    The estimators are not changed. The parameters are those of :func:`fit_stack`; the
    caller validates the parameters of the estimators.

    Returns
    -------
    data : TrainingData
        The training data.

    features : dict
        Number and names of the features, the attributes of a fitted estimator.
    """
    lead = clone(estimators[0])
    X, y = lead._validate_rows(X, y, reset=True)
    data = lead._training_data(X, y, lead._target_encoder_of(y), sample_weight)
    names = ("n_features_in_", "feature_names_in_")
    return data, {n: vars(lead)[n] for n in names if n in vars(lead)}


def train_group(estimators, data, train_stack):
    """Train estimators with the same :func:`stack_key`, in stacks of limited size.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators, which are not changed.

    data : TrainingData
        The training data.

    train_stack : callable
        Trains the estimators of a stack on the data, such as :func:`train`.

    Returns
    -------
    trained : list of Trained
        The trained networks, in the order of the estimators.

    n_together : list of int
        For each estimator, the number of estimators in its stack.
    """
    trained, n_together = {}, {}
    for stack in _split(estimators, data.network, data.rows):
        for estimator, one in zip(stack, train_stack(stack, data), strict=True):
            trained[id(estimator)] = one
            n_together[id(estimator)] = len(stack)
    return [[of[id(e)] for e in estimators] for of in (trained, n_together)]


def train_groups(groups, train_stack):
    """Train several groups of estimators, each on its own data, in shared stacks.

    Parameters
    ----------
    groups : list of (list of estimator, TrainingData)
        The groups, with the same :func:`group_key`.

    train_stack : callable
        See :func:`train_group`.

    Returns
    -------
    results : list of (list of Trained, list of int)
        For each group, the results of :func:`train_group`.
    """
    (lead, *_), data = groups[0]
    largest = _largest(lead, data.network, data.rows)
    most = _most_networks(lead, largest, data.rows)
    networks = [
        (estimator, number)
        for number, (estimators, _) in enumerate(groups)
        for estimator in estimators
    ]
    results = [([], []) for _ in groups]
    for stack in _even_parts(networks, most):
        estimators, numbers = zip(*stack, strict=True)
        n_of = Counter(numbers)
        data = GroupedData([groups[i][1] for i in n_of], list(n_of.values()))
        for number, trained in zip(
            numbers, train_stack(list(estimators), data), strict=True
        ):
            results[number][0].append(trained)
            results[number][1].append(len(stack))
    return results


def group_key(estimators, data):
    """Return a key that is equal for groups that :func:`train_groups` can train.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        A group of estimators with the same :func:`stack_key`.

    data : TrainingData
        The training data of the group.

    Returns
    -------
    key : tuple or None
        The key. None if the group should not share a stack with other groups: it has a
        full-batch solver, dropout, early stopping, an input activation or different
        seeds; its rows are weighted or sparse; its products are large; or it fills a
        stack.
    """
    lead, network, rows = estimators[0], data.network, data.rows
    solver = make_solver(lead)
    if not solver.stochastic or lead.early_stopping or lead.input_activation:
        return None
    if rows.is_sparse or rows.weights is not None or np.any(lead.dropout):
        return None
    if lead.shuffle and len({estimator.random_state for estimator in estimators}) > 1:
        return None
    device, n_batch_rows = device_of(lead), solver.n_batch_rows(rows.n_rows)
    units = tuple(network.layer_units)
    is_large = (
        n_batch_rows * units[0] * units[1] > device.small_product
        or n_batch_rows > BLOCK_ROWS
    )
    most = _most_networks(lead, _largest(lead, network, rows), rows)
    if is_large or len(estimators) >= most or rows.X.nbytes > device.group_bytes:
        return None
    n_batches = -(-rows.n_rows // n_batch_rows)
    of_data = units, type(network.output), rows.dtype, n_batch_rows, n_batches
    return stack_key(lead), lead.random_state, of_data


def become_fitted(estimators, all_trained, features):
    """Set the fitted attributes of the estimators of a group."""
    for estimator, trained in zip(estimators, all_trained, strict=True):
        # An earlier fit may have set names, and X may have none now.
        vars(estimator).pop("feature_names_in_", None)
        vars(estimator).update({**features, **trained.attributes(estimator)})


def warn_of_ends(estimators, all_trained):
    """Warn of trainings that did not end by their own criterion."""
    for estimator, trained in zip(estimators, all_trained, strict=True):
        warn_of_end(trained, estimator)


def _fit_group(estimators, X, y, sample_weight):
    """Fit estimators with the same :func:`stack_key`."""
    data, features = prepare_group(estimators, X, y, sample_weight)
    all_trained, _ = train_group(estimators, data, train)
    warn_of_ends(estimators, all_trained)
    become_fitted(estimators, all_trained, features)


def _split(estimators, network, rows):
    """Split estimators with the same key into stacks that data and memory permit."""
    lead, units = estimators[0], network.layer_units
    solver = make_solver(lead)
    if not solver.stochastic:
        yield from ([estimator] for estimator in estimators)
        return
    batch_rows = solver.n_batch_rows(rows.n_rows)
    largest = _largest(lead, network, rows)
    by_seed = {}
    for estimator in estimators:
        by_seed.setdefault(estimator.random_state, []).append(estimator)
    groups = list(by_seed.values())
    can_differ = (
        not rows.is_sparse and rows.weights is None and batch_rows <= BLOCK_ROWS
    )
    if not lead.shuffle:
        groups = [estimators]
    elif len(groups) > 1 and can_differ:
        # The stack then also has an array of each network's own rows of the batch.
        groups, largest = [estimators], max(largest, batch_rows * units[0])
    for group in groups:
        yield from _even_parts(group, _most_networks(lead, largest, rows))


def _largest(estimator, network, rows):
    """Entries of a network's largest array of weights or activations."""
    batch_rows = make_solver(estimator).n_batch_rows(rows.n_rows)
    return max(max(i, batch_rows) * o for i, o in pairwise(network.layer_units))


def _most_networks(lead, largest, rows):
    """Largest number of networks in a stack, by the size of their largest array."""
    most_bytes = device_of(lead).stack_bytes
    return max(1, most_bytes // (largest * rows.dtype.itemsize))


def _even_parts(networks, most):
    """Split a list into the fewest parts of at most `most` members, of even sizes."""
    n_parts = -(-len(networks) // most)
    for part in np.array_split(np.arange(len(networks)), n_parts):
        yield [networks[i] for i in part]
