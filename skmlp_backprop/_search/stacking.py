"""Several estimators trained as one stack of networks.

Networks of one shape that see the same batches share the first layer's product, one
large product in place of many thin ones, and the interpreter's cost of a step.
"""

from collections import Counter
from contextlib import nullcontext
from itertools import pairwise

import joblib
import numpy as np
from sklearn.base import clone

from .._estimators.base import BaseBackpropMLP
from .._estimators.classifier import BackpropMLPClassifier
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

# Bytes of a stack's largest array. It bounds the memory (Adam takes some 14 such
# arrays, 30 MB), and keeps the stack in the cache: beyond it a step of a candidate
# gains nothing, or loses.
MAX_BYTES = 2**21
# Bytes of rows up to which a group of networks may share a stack with others, which
# takes another copy of them.
_MOST_BYTES_OF_GROUP = 2**24

# In these, and in the numbers of the update rule, the networks of a stack may differ.
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
# Multiplications of a batch's first product up to which folds share a stack: larger
# ones fill the cores by themselves.
_SMALL_PRODUCT = 10**6


def fit_stack(estimators, X, y, sample_weight=None):
    """Fit several estimators to the same data, as one training where they can be.

    Each ends as its own `fit` would leave it, to rounding: with its own stopping,
    convergence and early stopping, and undisturbed by another's divergence. Those
    with solver "sgd" or "adam" share a stack if they differ at most in `alpha`,
    `learning_rate_init`, `learning_rate`, `power_t`, `momentum`, `beta_1`, `beta_2`,
    `epsilon`, `tol`, `max_iter`, `n_iter_no_change`, `verbose`, a numeric
    `weight_init`, and, for dense X without weights of samples or classes, dropout and
    early stopping, in an integer `random_state`. All others are fitted one by one. A
    stack's largest array has at most 2 MB, so that it takes some 30 MB in all; larger
    stacks are split.

    Parameters
    ----------
    estimators : iterable of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators. Fitted in place, whatever they were fitted to before.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels, or a multilabel indicator matrix; for regressors numbers.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None for 1 each.

    Returns
    -------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators, in the same order.

    Raises
    ------
    TypeError
        If one of them is neither, or both are among them.
    ValueError
        If the input or a combination of parameters is invalid, or an objective is
        not finite at the initial weights. None of the estimators is changed then.
    KeyboardInterrupt
        If Ctrl-C interrupts a call whose estimators cannot all share a stack. If they
        can, nothing is raised, and all keep the weights they have reached.

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
    """Refuse what is no estimator of ours, and invalid parameters."""
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
    """Refuse combinations of parameters with each other, or with the data.

    All of them, before any fit: each fit would find its own.
    """
    if not estimators:
        return
    # By a clone, which the data's features are left on.
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
    """Why an estimator has to be fitted by itself."""


def stack_key(estimator):
    """What estimators that can share a stack have in common.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    key : tuple
        Equal for estimators that can share a stack. Those with random_state=None can,
        and then share their random draws, too.

    Raises
    ------
    CannotStack
        If it can't share any; the message tells why.
    """
    check_trainable(estimator)
    if not is_stochastic(estimator.solver):
        raise CannotStack(f"solver {estimator.solver!r} works on all rows at once")
    params = estimator.get_params()
    rule = make_solver(estimator).rule
    # Rows of each network's own, by its seed, are there for plain batches alone.
    is_plain = not (
        params["early_stopping"]
        or np.any(params["dropout"])
        or params.get("class_weight") is not None
    )
    if is_plain and params["random_state"] is not None:
        params["random_state"] = "any seed"
    # Each draws its own initial weights, but all must draw as many numbers.
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
    """Check that what an estimator's fit does is what a stack of one does.

    Raises
    ------
    CannotStack
        If it is not; the message tells why.
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
    """Validate the data for estimators of one key, none of which is changed.

    The parameters are those of :func:`fit_stack`, which validates the estimators'.

    Returns
    -------
    data : TrainingData
        What they are to be trained on.

    features : dict
        The attributes by which fitted estimators know the features.
    """
    lead = clone(estimators[0])
    X, y = lead._validate_rows(X, y, reset=True)
    data = lead._training_data(X, y, lead._target_encoder_of(y), sample_weight)
    names = ("n_features_in_", "feature_names_in_")
    return data, {n: vars(lead)[n] for n in names if n in vars(lead)}


def train_group(estimators, data, train_stack):
    """Train estimators of one key, in as many stacks as the memory asks for.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators, which are not changed.

    data : TrainingData
        What to train on.

    train_stack : callable
        Given those of a stack and the data, trains them: :func:`train`, say.

    Returns
    -------
    trained : list of Trained
        In the order of the estimators.

    n_together : list of int
        For each estimator the number of those in its stack.
    """
    trained, n_together = {}, {}
    for stack in _split(estimators, data.network, data.rows):
        for estimator, one in zip(stack, train_stack(stack, data), strict=True):
            trained[id(estimator)] = one
            n_together[id(estimator)] = len(stack)
    return [[of[id(e)] for e in estimators] for of in (trained, n_together)]


def train_groups(groups, train_stack):
    """Train groups of estimators, each on data of its own, in stacks across them.

    Parameters
    ----------
    groups : list of (list of estimator, TrainingData)
        The groups, of one :func:`group_key`.

    train_stack : callable
        As of :func:`train_group`.

    Returns
    -------
    results : list of (list of Trained, list of int)
        Of each group what :func:`train_group` returns.
    """
    (lead, *_), data = groups[0]
    most = _most_networks(_largest(lead, data.network, data.rows), data.rows)
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
    """What groups of estimators, that differ in their data, must have in common.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        A group of one key, see :func:`stack_key`.

    data : TrainingData
        What they are to be trained on.

    Returns
    -------
    key : tuple or None
        Equal for those that :func:`train_groups` can train together. None if the group
        had better be a stack of its own: its batches are weighted, sparse or drawn by
        dropout or early stopping or many seeds; its products are so large that all of
        its networks had better be in one; or it fills a stack.
    """
    lead, network, rows = estimators[0], data.network, data.rows
    solver = make_solver(lead)
    if not solver.stochastic or lead.early_stopping or lead.input_activation:
        return None
    if rows.is_sparse or rows.weights is not None or np.any(lead.dropout):
        return None
    if lead.shuffle and len({estimator.random_state for estimator in estimators}) > 1:
        return None
    n_batch_rows = solver.n_batch_rows(rows.n_rows)
    units = tuple(network.layer_units)
    is_large = (
        n_batch_rows * units[0] * units[1] > _SMALL_PRODUCT or n_batch_rows > BLOCK_ROWS
    )
    is_full = len(estimators) >= _most_networks(_largest(lead, network, rows), rows)
    if is_large or is_full or rows.X.nbytes > _MOST_BYTES_OF_GROUP:
        return None
    n_batches = -(-rows.n_rows // n_batch_rows)
    of_data = units, type(network.output), rows.dtype, n_batch_rows, n_batches
    return stack_key(lead), lead.random_state, of_data


def become_fitted(estimators, all_trained, features):
    """Take over what has come of the trainings of a group."""
    for estimator, trained in zip(estimators, all_trained, strict=True):
        # Those of an earlier fit, where X now has none.
        vars(estimator).pop("feature_names_in_", None)
        vars(estimator).update({**features, **trained.attributes(estimator)})


def warn_of_ends(estimators, all_trained):
    """Warn where a training has not ended by its own criterion."""
    for estimator, trained in zip(estimators, all_trained, strict=True):
        warn_of_end(trained, estimator)


def _fit_group(estimators, X, y, sample_weight):
    """Fit estimators of one key."""
    data, features = prepare_group(estimators, X, y, sample_weight)
    all_trained, _ = train_group(estimators, data, train)
    warn_of_ends(estimators, all_trained)
    become_fitted(estimators, all_trained, features)


def _split(estimators, network, rows):
    """Cut estimators of one key into stacks that the data and the memory permit."""
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
        # Then each network's rows of the batch are an array of the stack, too.
        groups, largest = [estimators], max(largest, batch_rows * units[0])
    for group in groups:
        yield from _even_parts(group, _most_networks(largest, rows))


def _largest(estimator, network, rows):
    """Size of a network's largest array, of a layer's weights or activations."""
    batch_rows = make_solver(estimator).n_batch_rows(rows.n_rows)
    return max(max(i, batch_rows) * o for i, o in pairwise(network.layer_units))


def _most_networks(largest, rows):
    """Networks of a stack, each of which has a largest array of so many entries."""
    return max(1, MAX_BYTES // (largest * rows.dtype.itemsize))


def _even_parts(networks, most):
    """Cut a list into as few parts as may have so many members each."""
    n_parts = -(-len(networks) // most)
    for part in np.array_split(np.arange(len(networks)), n_parts):
        yield [networks[i] for i in part]
