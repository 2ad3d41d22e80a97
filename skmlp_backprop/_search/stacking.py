"""Training of several estimators as a single stack of networks.

Networks of the same shape on the same batches share the product of the first layer, a
large product instead of many thin ones, and the interpreter's time of a step.
"""

from collections import Counter, defaultdict
from contextlib import nullcontext
from itertools import pairwise

import joblib
import numpy as np
from sklearn.base import clone

from .._estimators.base import BaseBackpropMLP
from .._estimators.classifier import BackpropMLPClassifier
from .._estimators.devices import device_of
from .._estimators.early_stopping import check_hold_out
from .._estimators.ends import warn_of_end
from .._estimators.regressor import BackpropMLPRegressor
from .._estimators.restoring import restore_all_on_error
from .._estimators.training import (
    GroupedData,
    make_solver,
    train,
    train_further,
)
from .._network.dropout import dropout_rates
from .._network.objective import BLOCK_ROWS, alpha_in_precision
from .._solvers import RULES, is_stochastic
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
    groups = defaultdict(list)
    for i, estimator in enumerate(estimators):
        try:
            key = stack_key(estimator)
        except CannotStack:
            key = i
        groups[key].append(estimator)
    interruption = nullcontext() if len(groups) == 1 else abort_when_interrupted()
    with interruption, restore_all_on_error(estimators):
        for group in groups.values():
            if len(group) == 1:
                group[0].fit(X, y, sample_weight)
                continue
            data, features = prepare_group(group, X, y, sample_weight)
            (results,) = train_groups([(group, data)])
            for estimator, (trained, _) in zip(group, results, strict=True):
                become_fitted(estimator, trained, features)
                warn_of_end(trained, estimator)
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
    for estimator in estimators:
        estimator._check_input(X)
        data = estimator._training_data(X, y, target_encoder, sample_weight)
        dropout_rates(estimator.dropout, len(data.network.activations))
        solver = make_solver(estimator)
        alpha_in_precision(estimator.alpha, solver.arithmetic_dtype(X.dtype))
        if estimator.early_stopping and solver.stochastic:
            check_hold_out(data.rows, estimator.validation_fraction)


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


def train_groups(groups, paused=None):
    """Train groups of estimators, each on its own data, in stacks of limited size.

    The estimators are not changed.

    Parameters
    ----------
    groups : list of (list of estimator, TrainingData)
        One group of estimators with the same :func:`stack_key`, or several groups with
        the same :func:`group_key`, which share stacks.

    paused : dict of int to (Training, Draws), default=None
        The training to continue of each estimator, by its id. None for new trainings.

    Returns
    -------
    results : list of list of (Trained, int)
        For each estimator of each group, its result and the size of its stack.
    """
    (estimators, data), *others = groups
    if others:
        estimators = [estimator for group, _ in groups for estimator in group]
        stacks = _even_stacks(estimators, _most_networks(estimators[0], data))
    else:
        stacks = _split(estimators, data)
    number_of = {id(e): i for i, (group, _) in enumerate(groups) for e in group}
    results = {}
    for stack in stacks:
        if others:
            n_of = Counter(number_of[id(estimator)] for estimator in stack)
            data = GroupedData([groups[i][1] for i in n_of], list(n_of.values()))
        if paused is None:
            all_trained = train(stack, data)
        else:
            states = [paused[id(estimator)] for estimator in stack]
            all_trained = train_further(stack, data, states, stack[0].max_iter)
        for estimator, trained in zip(stack, all_trained, strict=True):
            results[id(estimator)] = trained, len(stack)
    return [[results[id(estimator)] for estimator in group] for group, _ in groups]


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
    is_full = len(estimators) >= _most_networks(lead, data)
    if is_large or is_full or rows.X.nbytes > device.group_bytes:
        return None
    n_batches = -(-rows.n_rows // n_batch_rows)
    of_data = units, type(network.output), rows.dtype, n_batch_rows, n_batches
    return stack_key(lead), lead.random_state, of_data


def become_fitted(estimator, trained, features):
    """Set the fitted attributes of an estimator."""
    # An earlier fit may have set names, and X may have none now.
    vars(estimator).pop("feature_names_in_", None)
    vars(estimator).update({**features, **trained.attributes(estimator)})


def _split(estimators, data):
    """Split estimators with the same key into stacks that data and memory permit."""
    lead, rows = estimators[0], data.rows
    solver = make_solver(lead)
    if not solver.stochastic:
        return [[estimator] for estimator in estimators]
    by_seed = defaultdict(list)
    for estimator in estimators:
        by_seed[estimator.random_state].append(estimator)
    groups, own_batches = list(by_seed.values()), False
    if not lead.shuffle:
        groups = [estimators]
    elif len(groups) > 1 and not rows.is_sparse and rows.weights is None:
        own_batches = solver.n_batch_rows(rows.n_rows) <= BLOCK_ROWS
        groups = [estimators] if own_batches else groups
    most = _most_networks(lead, data, own_batches)
    return [stack for group in groups for stack in _even_stacks(group, most)]


def _most_networks(estimator, data, own_batches=False):
    """Largest number of networks in a stack, by the size of their largest array.

    With `own_batches`, a stack also has an array of each network's rows of the batch.
    """
    units, rows = data.network.layer_units, data.rows
    n_batch_rows = make_solver(estimator).n_batch_rows(rows.n_rows)
    largest = max(max(i, n_batch_rows) * o for i, o in pairwise(units))
    if own_batches:
        largest = max(largest, n_batch_rows * units[0])
    n_bytes = largest * rows.dtype.itemsize
    return max(1, device_of(estimator).stack_bytes // n_bytes)


def _even_stacks(estimators, most):
    """Split a list into the fewest stacks of at most `most`, of even sizes."""
    n_stacks = -(-len(estimators) // most)
    parts = np.array_split(np.arange(len(estimators)), n_stacks)
    return [[estimators[i] for i in part] for part in parts]
