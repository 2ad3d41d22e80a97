"""Training of several estimators as a single stack of networks.

Networks of the same shape on the same batches share the product of the first layer, a
large product instead of many thin ones, and the interpreter's time of a step.
"""

from collections import defaultdict
from contextlib import nullcontext
from itertools import pairwise

import joblib
import numpy as np
from sklearn.base import clone

from .._estimators.architecture import is_stochastic, warn_of_unused
from .._estimators.base import BaseBackpropMLP, restore_all_on_error
from .._estimators.checks import warn_of_other_orders
from .._estimators.classifier import BackpropMLPClassifier
from .._estimators.devices import device_of
from .._estimators.early_stopping import check_hold_out
from .._estimators.fitted_network import refuse_sparse
from .._estimators.regressor import BackpropMLPRegressor
from .._estimators.results import features_of, warn_of_end
from .._estimators.training import make_solver, train, train_further
from .._network.layers import dropout_rates
from .._network.objective import BLOCK_ROWS, alpha_in_precision
from .._solvers import RULES
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
    _check(estimators, X, y, sample_weight)
    groups = defaultdict(list)
    for i, estimator in enumerate(estimators):
        try:
            check_trainable(estimator)
        except CannotStack:
            key = i
        else:
            key = stack_key(estimator) or i
        groups[key].append(estimator)
    interruption = nullcontext() if len(groups) == 1 else abort_when_interrupted()
    with interruption, restore_all_on_error(estimators):
        for group in groups.values():
            if len(group) == 1:
                group[0].fit(X, y, sample_weight)
                continue
            data, features = prepare_rows(group[0], X, y, sample_weight)
            results = train_stacks(group, [data] * len(group))
            for estimator, (trained, _) in zip(group, results, strict=True):
                become_fitted(estimator, trained, features)
                warn_of_unused(estimator)
                warn_of_end(trained, estimator)
    return estimators


def _check(estimators, X, y, sample_weight):
    """Raise the errors of all fits before the first fit changes an estimator."""
    for i, estimator in enumerate(estimators):
        if not isinstance(estimator, BaseBackpropMLP):
            raise TypeError(
                "fit_stack takes BackpropMLPClassifier or BackpropMLPRegressor "
                f"instances, got {type(estimator).__name__} at position {i}. For a "
                "Pipeline, pass the last step, and X as the other steps transform it, "
                "or use StackedGridSearchCV."
            )
        estimator._validate_params()
    if len({isinstance(e, BackpropMLPClassifier) for e in estimators}) > 1:
        raise TypeError("fit_stack takes classifiers or regressors, got both.")
    if not estimators:
        return
    # The validation sets attributes, here of a clone.
    lead = clone(estimators[0])
    X, y = lead._validate_rows(X, y, reset=True)
    target_encoder = lead._target_encoder_of(y)
    for estimator in estimators:
        refuse_sparse(X, estimator.input_activation)
        data = estimator._training_data(X, y, target_encoder, sample_weight)
        dropout_rates(estimator.dropout, len(data.network.activations))
        solver = make_solver(estimator)
        alpha_in_precision(estimator.alpha, solver.dtype or X.dtype)
        if estimator.early_stopping and solver.stochastic:
            check_hold_out(data.rows, estimator.validation_fraction)


class CannotStack(Exception):
    """An estimator can't be stacked; the message is the reason."""


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
        raise CannotStack(f"{name} is a subclass, which may define its own fit")
    if estimator.warm_start:
        raise CannotStack("with warm_start it goes on from weights of its own")
    if isinstance(estimator.random_state, np.random.RandomState):
        raise CannotStack(
            "random_state is a RandomState, whose draws other fits would change"
        )
    if hasattr(estimator, "_skl_callbacks"):
        raise CannotStack("it has callbacks")


def stack_key(estimator):
    """Return a key that is equal for networks that can share a stack.

    Networks with random_state=None can share a stack, and then also share their random
    draws.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        A network that passes :func:`check_trainable`.

    Returns
    -------
    key : tuple or None
        The key. None for a full-batch solver, which trains a single network.
    """
    if not is_stochastic(estimator.solver):
        return None
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
    of_rule = {n: value for n, value in vars(rule).items() if n not in rule.numbers()}
    items = (
        (name, _hashable(value))
        for given in (params, of_rule)
        for name, value in sorted(given.items())
    )
    return (type(estimator), type(rule), *items)


def _hashable(value):
    try:
        hash(value)
    except TypeError:
        return joblib.hash(value)
    return value


def prepare_rows(estimator, X, y, sample_weight=None):
    """Validate the data for all estimators with the :func:`stack_key` of an estimator.

    The parameters of the estimator are valid.

    Returns
    -------
    data : TrainingData
        The training data.

    features : dict
        Number and names of the features, the attributes of a fitted estimator.
    """
    warn_of_other_orders(X, y, sample_weight)
    X, y = estimator._validate_rows(X, y, reset=True)
    target_encoder = estimator._target_encoder_of(y)
    data = estimator._training_data(X, y, target_encoder, sample_weight)
    features = features_of(estimator)
    return data, {**features, "_target_names": estimator._target_names}


def train_stacks(estimators, data_of, paused=None):
    """Train networks, each on its own data, in stacks of limited size.

    The estimators are not changed.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        Networks with the same :func:`stack_key`.

    data_of : list of TrainingData
        The data of each network. Several data sets have the same :func:`fold_key`, and
        the networks of a data set follow each other.

    paused : list of (Training, Draws), default=None
        The training of each network to continue. None for new trainings.

    Returns
    -------
    results : list of (Trained, int)
        For each network its result, and the number of networks in its stack.
    """
    results = [None] * len(estimators)
    for index in _split(estimators, data_of[0]):
        stack = [estimators[i] for i in index]
        data_of_stack = [data_of[i] for i in index]
        if paused is None:
            all_trained = train(stack, data_of_stack)
        else:
            states = [paused[i] for i in index]
            all_trained = train_further(stack, data_of_stack, states)
        for i, trained in zip(index, all_trained, strict=True):
            results[i] = trained, len(stack)
    return results


def become_fitted(estimator, trained, features):
    """Set the fitted attributes of an estimator."""
    # An earlier fit may have set names, and X may have none now.
    vars(estimator).pop("feature_names_in_", None)
    vars(estimator).update({**features, **trained.attributes(estimator)})


def _split(estimators, data):
    """Split networks into stacks that data and memory permit; return their indices."""
    lead, rows = estimators[0], data.rows
    index = np.arange(len(estimators))
    if len(index) == 1:
        return [index]
    n_batch_rows = make_solver(lead).n_batch_rows(rows.n_rows)
    # Networks of different seeds have batches of their own.
    seeds = [estimator.random_state if lead.shuffle else 0 for estimator in estimators]
    by_seed, own_batches = [index], len(set(seeds)) > 1
    if own_batches and (
        rows.is_sparse or rows.weights is not None or n_batch_rows > BLOCK_ROWS
    ):
        by_seed = [index[[s == seed for s in seeds]] for seed in dict.fromkeys(seeds)]
        own_batches = False
    n_bytes = _network_bytes(data, n_batch_rows, own_batches)
    n_max = max(1, device_of(lead).stack_bytes // n_bytes)
    return [
        stack
        for of_seed in by_seed
        for stack in np.array_split(of_seed, -(-len(of_seed) // n_max))
    ]


def _network_bytes(data, n_batch_rows, own_batches=False):
    """Bytes of the largest array of a network in a training.

    With `own_batches`, a stack also has an array of each network's rows of the batch.
    """
    units = data.network.layer_units
    largest = max(max(i, n_batch_rows) * o for i, o in pairwise(units))
    if own_batches:
        largest = max(largest, n_batch_rows * units[0])
    return largest * data.rows.dtype.itemsize


def fold_key(estimators, data):
    """Return a key that is equal for folds whose networks can share stacks.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The networks of a fold, which have the same :func:`stack_key` in all folds.

    data : TrainingData
        The training data of the fold.

    Returns
    -------
    key : tuple or None
        The key. None if the networks should not share a stack with other folds: they
        have a full-batch solver, dropout, early stopping, an input activation or
        different seeds; the rows are weighted or sparse; or the arrays are large.
    """
    lead, network, rows = estimators[0], data.network, data.rows
    if not is_stochastic(lead.solver) or lead.early_stopping or lead.input_activation:
        return None
    if rows.is_sparse or rows.weights is not None or np.any(lead.dropout):
        return None
    if lead.shuffle and len({estimator.random_state for estimator in estimators}) > 1:
        return None
    device = device_of(lead)
    n_batch_rows = make_solver(lead).n_batch_rows(rows.n_rows)
    units = tuple(network.layer_units)
    n_bytes = len(estimators) * _network_bytes(data, n_batch_rows)
    max_bytes = min(device.shared_bytes, device.stack_bytes)
    is_large = n_bytes > max_bytes or n_batch_rows > BLOCK_ROWS
    if is_large or rows.X.nbytes > device.group_bytes:
        return None
    n_batches = -(-rows.n_rows // n_batch_rows)
    output = type(network.output)
    return lead.random_state, units, output, rows.dtype, n_batch_rows, n_batches
