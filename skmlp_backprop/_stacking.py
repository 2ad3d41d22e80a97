"""Several classifiers trained as one stack of networks.

Networks of one shape that see the same batches share the first layer's product, one
large product in place of many thin ones, and the interpreter's cost of a step.
"""

from itertools import pairwise

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from ._architecture import make_network
from ._classifier import BackpropMLPClassifier
from ._labels import Labels
from ._monitor import Monitor
from ._rows import Rows
from ._solvers import SOLVERS
from ._solvers._problem import Member
from ._training import initial_parameters, make_solver, new_history, train
from ._weighting import row_weights

# The most memory that a stack takes beyond its data, where the user sets no other.
MAX_BYTES = 2**28

_NEVER_SHARED = ("alpha", "verbose")


def fit_stack(estimators, X, y, sample_weight=None, *, max_bytes=MAX_BYTES):
    """Fit several classifiers to the same data, as one training where they can be.

    Each ends as its own `fit` would leave it, to rounding: with its own stopping,
    convergence and early stopping, and undisturbed by another's divergence. Those
    with solver "sgd" or "adam" share a stack if they differ at most in `alpha`,
    `learning_rate_init`, `learning_rate`, `power_t`, `momentum`, `beta_1`, `beta_2`,
    `epsilon`, `tol`, `max_iter`, `n_iter_no_change`, `verbose` and a numeric
    `weight_init`. All others are fitted one by one.

    Parameters
    ----------
    estimators : iterable of BackpropMLPClassifier
        The classifiers. Fitted in place, whatever they were fitted to before.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels, or a multilabel indicator matrix.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None for 1 each.

    max_bytes : int, default=2**28
        Memory in bytes that a stack may take beyond its data; where it would take
        more it is split. A single network is fitted whatever it takes.

    Returns
    -------
    estimators : list of BackpropMLPClassifier
        The classifiers, in the same order.

    Raises
    ------
    ValueError
        If the input or a combination of parameters is invalid, or an objective is
        not finite at the initial weights. None of the stack is changed then.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, fit_stack
    >>> X, y = load_iris(return_X_y=True)
    >>> mlps = [
    ...     BackpropMLPClassifier(alpha=alpha, max_iter=500, random_state=0)
    ...     for alpha in (0.1, 1, 10)
    ... ]
    >>> [round(mlp.score(X, y), 2) for mlp in fit_stack(mlps, X, y)]
    [0.98, 0.98, 0.97]
    """
    estimators = list(estimators)
    groups = {}
    for i, estimator in enumerate(estimators):
        key = stack_key(estimator)
        groups.setdefault(i if key is None else key, []).append(estimator)
    for group in groups.values():
        if len(group) == 1:
            group[0].fit(X, y, sample_weight)
        else:
            _fit_group(group, X, y, sample_weight, max_bytes)
    return estimators


def stack_key(estimator):
    """What estimators that can share a stack have in common.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    key : str or None
        Equal for those that can share a stack; None for one that can't share any:
        another class or solver, callbacks, a warm start, a `random_state` whose
        draws another estimator's fit would change.
    """
    if type(estimator) is not BackpropMLPClassifier:
        return None
    params = estimator.get_params()
    solver = SOLVERS.get(params["solver"])
    if (
        solver is None
        or not solver.stochastic
        or params["warm_start"]
        or isinstance(params["random_state"], np.random.RandomState)
        or hasattr(estimator, "_skl_callbacks")
    ):
        return None
    # Each draws its own initial weights, but all must draw as many numbers.
    if not isinstance(params["weight_init"], str):
        params["weight_init"] = "uniform"
    of_other_solvers = set().union(*(s.hyper_parameters for s in SOLVERS.values()))
    of_other_solvers -= set(solver.hyper_parameters)
    for name in {*_NEVER_SHARED, *solver.per_network, *of_other_solvers}:
        del params[name]
    return joblib.hash(params)


def _fit_group(estimators, X, y, sample_weight, max_bytes):
    """Fit classifiers of one key, in as many stacks as the memory asks for."""
    for estimator in estimators:
        estimator._validate_params()
    lead = estimators[0]
    # By a clone, which may be marked by the data's features before all is well.
    data_X, data_y = clone(lead)._validate_rows(X, y, reset=True)
    labels = Labels.of(data_y)
    network = make_network(lead, data_X.shape[1], labels)
    weights = row_weights(data_X, data_y, labels, lead.class_weight, sample_weight)
    rows = Rows(data_X, labels.encode(data_y), weights)
    size = max(1, max_bytes // bytes_per_network(lead, network, rows))
    for start in range(0, len(estimators), size):
        part = estimators[start : start + size]
        for estimator, attributes in zip(
            part, _train_stack(part, network, labels, rows), strict=True
        ):
            validate_data(estimator, X, reset=True, skip_check_array=True)
            vars(estimator).update(attributes)


def _train_stack(estimators, network, labels, rows):
    """Train new networks as one stack; return their fitted attributes."""
    random_states = [check_random_state(e.random_state) for e in estimators]
    parameters = [
        initial_parameters(estimator, network, random_state)
        for estimator, random_state in zip(estimators, random_states, strict=True)
    ]
    members = [
        Member(make_solver(e), new_history(e), Monitor(e.verbose)) for e in estimators
    ]
    train(estimators, network, labels, rows, parameters, members, random_states[0])
    return [
        {
            **estimator._fitted_attributes(
                network, labels, member.history, member.parameters
            ),
            "_optimizer": member.solver,
        }
        for estimator, member in zip(estimators, members, strict=True)
    ]


def bytes_per_network(estimator, network, rows):
    """Memory that one more network takes in a stack, in bytes.

    Parameters
    ----------
    estimator : BackpropMLPClassifier
        Its parameters are read.

    network : Network
        Its network.

    rows : Rows
        The training rows.

    Returns
    -------
    n_bytes : int
        For its weights with their gradient, moments and best values, each of these
        once more while others leave the stack, and for its activations.
    """
    solver = make_solver(estimator)
    units = network.layer_units
    n_parameters = sum((i + 1) * o for i, o in pairwise(units))
    copies = 2 * (4 + len(solver.update.moments))
    n_activations = 4 * sum(units[1:]) * solver.n_batch_rows(rows.n_rows)
    return rows.X.dtype.itemsize * (copies * n_parameters + n_activations)
