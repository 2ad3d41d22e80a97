"""Verify backpropagation by finite differences."""

from dataclasses import dataclass, field
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from ._estimators.codecs import Labels
from ._estimators.fitted_network import FittedNetworkMixin
from ._estimators.sklearn_private import Interval, validate_params
from ._network.buffers import ForwardBuffers
from ._network.objective import BLOCK_ROWS, Objective
from ._network.threads import training_threads

# Up to here every coordinate is checked, at four evaluations each.
_MAX_COORDINATES = 2000
# Random directions in each array otherwise; fewer of a network that takes long.
_N_DIRECTIONS = 50
_N_DIRECTIONS_OF_MANY = 5
_MANY = 10**6
# Units in the last place that J, a sum of many terms, may be off by.
_ROUNDING = 10
# The step with which that, in a difference of losses near 1, is 1e-7.
_LEAST_STEP = 1e-8
# In place of what rounding may make of a derivative, where there is none.
_KINK = -1
# Where a kink is within a step, smaller ones are tried.
_SHORTER = (1, 0.1, 0.01)
# Differences of a correct gradient stay orders of magnitude below, those of a
# wrong one above.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class GradientCheck:
    """Result of :func:`check_gradient`.

    Attributes
    ----------
    relative_difference : float
        ||n - a|| / ||n + a|| of the numerical derivatives n and the backpropagated
        ones a, over all layers; nan if one is not finite.

    by_layer : dict of str to float
        The same for each array of weights or biases; nan also if none of its
        derivatives could be checked.

    coverage : str
        What was checked: every coordinate, or random directions.

    n_checked, n_left_out : dict of str to int
        Number of derivatives of each array that were checked, and of those that were
        not, as a hidden unit has a kink within the step.
    """

    relative_difference: float
    by_layer: dict
    coverage: str
    n_checked: dict = field(default_factory=dict)
    n_left_out: dict = field(default_factory=dict)

    @property
    def disagreeing(self):
        """Names of the arrays whose relative difference is not at most 1e-6."""
        return [n for n, value in self.by_layer.items() if not value <= _TOLERANCE]

    @property
    def passed(self):
        """Whether all arrays agree."""
        return not self.disagreeing

    def __repr__(self):
        verdict = "passed" if self.passed else f"FAILED in {self.disagreeing}"
        lines = [
            f"Gradient check {verdict}: relative difference "
            f"{self.relative_difference:.2e} over all layers ({self.coverage})"
        ]
        lines += [f"  {name:<20} {self._finding(name)}" for name in self.by_layer]
        return "\n".join(lines)

    def _finding(self, name):
        left_out = self.n_left_out.get(name, 0)
        finding = f"{self.by_layer[name]:.2e}"
        if left_out:
            n_all = left_out + self.n_checked[name]
            finding += f"  ({left_out} of {n_all} left out: a kink within the step)"
        return finding


@validate_params(
    {
        "eps": [Interval(Real, _LEAST_STEP, 1, closed="left")],
        "n_directions": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def check_gradient(
    estimator,
    X,
    y,
    sample_weight=None,
    *,
    eps=1e-4,
    n_directions=None,
    random_state=None,
):
    """Compare backpropagation with central differences, in float64.

    Each derivative is set against D(eps) = (J(w + eps d) - J(w - eps d)) / (2 eps),
    for d every coordinate of networks of up to 2000 parameters, else for random
    directions in each array of weights or biases. (4 D(eps / 2) - D(eps)) / 3 takes
    D's place, whose error is of fourth order: near a minimum, where the gradient
    is small, that of second order alone would look like a fault.

    Where a hidden unit passes the kink of its activation ("relu", "leaky_relu", "elu")
    within the step, or a prediction that of its loss ("absolute_error", "quantile"),
    the difference tells nothing about the derivative. There a tenth and a hundredth of
    `eps` are tried; what has a kink within these, too, is left out, and the result
    counts it. The check takes memory for some six times the weights.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        Checked at its weights if it is fitted, else at freshly initialised ones.
        It is not changed.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples to evaluate J on; a few dozen are enough.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their labels, or the numbers to predict.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None for 1 each.

    eps : float, default=1e-4
        Step of the differences, in [1e-8, 1): by smaller ones rounding hides faults.

    n_directions : int, default=None
        Number of random directions in each array; None for every coordinate of a
        small network, 50 directions for a large one and 5 from a million parameters
        on.

    random_state : int, RandomState instance or None, default=None
        Source of the directions, and of fresh weights where the estimator's own
        `random_state` is None.

    Returns
    -------
    check : GradientCheck
        The relative differences; its repr tells of them.

    Raises
    ------
    InvalidParameterError
        If `eps` or `n_directions` is out of range; a ValueError.
    ValueError
        If there is one class only, that of the rows or that the estimator was fitted
        to: then there is nothing to check, as its probability is always 1.
    TypeError
        If the estimator is neither. Of a Pipeline pass the last
        step, and X as the other steps transform it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, check_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = BackpropMLPClassifier(hidden_layer_sizes=5, random_state=0)
    >>> check_gradient(mlp, X, y).passed
    True
    """
    if not isinstance(estimator, FittedNetworkMixin):
        raise TypeError(
            "check_gradient takes a BackpropMLPClassifier or BackpropMLPRegressor, got "
            f"{type(estimator).__name__}. Of a Pipeline pass pipeline[-1], with "
            "pipeline[:-1].transform(X)."
        )
    estimator._validate_params()
    rng = check_random_state(random_state)
    if not hasattr(estimator, "coefs_"):
        seed = estimator.random_state
        source = rng if seed is None else check_random_state(seed)
        estimator = estimator._initialized(X, y, source)
    codec = estimator._codec
    if isinstance(codec, Labels) and not codec.multilabel and len(codec.classes) == 1:
        raise ValueError(
            f"There is nothing to check: y has one class, {codec.classes.tolist()}, "
            "and J does not depend on the weights. Pass rows of several classes, such "
            "as a random choice of them in place of the first ones of a sorted file; "
            "or a fitted estimator."
        )
    network, rows, weights = estimator._evaluation_point(X, y, sample_weight)
    objective = Objective(network, estimator.alpha, np.float64)
    parameters = weights.copy(np.float64)
    n_parameters = parameters.flat.size
    everywhere = n_directions is None and n_parameters <= _MAX_COORDINATES
    if n_directions is None:
        is_many = n_parameters > _MANY
        n_directions = _N_DIRECTIONS_OF_MANY if is_many else _N_DIRECTIONS
    draw = _coordinates if everywhere else partial(_directions, rng, n_directions)
    with training_threads(), np.errstate(all="ignore"):
        derivatives = _derivatives(objective, rows, parameters, eps, draw)
    kept = {name: found[found[:, 1] != _KINK] for name, found in derivatives.items()}
    return GradientCheck(
        _relative_difference(np.concatenate(list(kept.values()))),
        {name: _relative_difference(found) for name, found in kept.items()},
        "every coordinate"
        if everywhere
        else f"{n_directions} random directions in each array, of {n_parameters} "
        "parameters in all",
        {name: len(found) for name, found in kept.items()},
        {name: len(found) - len(kept[name]) for name, found in derivatives.items()},
    )


def _derivatives(objective, rows, parameters, eps, draw):
    """Derivatives of J along directions in each array, in three ways.

    Returns
    -------
    derivatives : dict of str to ndarray of shape (n_directions, 3)
        For each array the numerical ones, what rounding may make of them or
        ``_KINK``, and those by backpropagation.
    """
    backpropagated = parameters.zeros_like()
    objective.loss_and_gradient(parameters, rows, backpropagated)
    slope = _Slope(objective, rows, parameters, eps)
    derivatives, start = {}, 0
    for name, array in zip(_names(parameters), backpropagated.arrays(), strict=True):
        flat = array.ravel()
        found = [
            (*slope(start, where, d), np.dot(d, flat[where]))
            for where, d in draw(array.size)
        ]
        derivatives[name] = np.reshape(found, (-1, 3))
        start += array.size
    return derivatives


def _coordinates(size):
    """Each coordinate of an array: where it is, and how far it goes."""
    for i in range(size):
        yield slice(i, i + 1), np.ones(1)


def _directions(rng, n_directions, size):
    """Unit vectors in an array, one at a time: each is as large as the array."""
    for _ in range(n_directions):
        direction = rng.standard_normal(size)
        direction /= np.linalg.norm(direction)
        yield slice(0, size), direction


class _Slope:
    """Differences of J along a direction within a part of the weights."""

    def __init__(self, objective, rows, parameters, eps):
        self.objective = objective
        self.rows = rows
        self.center = parameters.flat
        self.moved = parameters.copy()
        self.ignored = parameters.zeros_like()
        self.eps = eps
        network = objective.network
        self.has_kinks = network.loss.has_kink or any(
            f.has_kink for f in network.all_activations()
        )
        self._buffers = {}

    def __call__(self, start, where, direction):
        """The derivative along a direction, and what rounding may make of it.

        The latter is negative if there is a kink on the way.
        """
        part = slice(start + where.start, start + where.stop)
        for factor in _SHORTER:
            eps = factor * self.eps
            if not (self.has_kinks and self._meets_a_kink(part, eps * direction)):
                wide, rounding = self._central(part, direction, eps)
                narrow, _ = self._central(part, direction, eps / 2)
                return (4 * narrow - wide) / 3, rounding
        return np.nan, _KINK

    def _central(self, part, direction, eps):
        """The difference along a direction, and what rounding may make of it."""
        ahead = self._loss(part, eps * direction)
        behind = self._loss(part, -eps * direction)
        size = max(abs(ahead), abs(behind), self.objective.network.loss.unit)
        ulp = np.finfo(np.float64).eps * size
        return (ahead - behind) / (2 * eps), _ROUNDING * ulp / eps

    def _loss(self, part, step):
        self._move(part, step)
        loss = self.objective.loss_and_gradient(self.moved, self.rows, self.ignored)[0]
        self._move(part, 0)
        return loss

    def _move(self, part, step):
        np.add(self.center[part], step, out=self.moved.flat[part])

    def _meets_a_kink(self, part, step):
        """Whether a unit's input has another sign at the one end than at the other."""
        for block in self.rows.blocks(BLOCK_ROWS):
            self._move(part, step)
            ahead = self._signs(block)
            self._move(part, -step)
            behind = self._signs(block)
            self._move(part, 0)
            if any((a != b).any() for a, b in zip(ahead, behind, strict=True)):
                return True
        return False

    def _signs(self, block):
        network = self.objective.network
        buffers = self._buffers.get(block.n_rows)
        if buffers is None:
            buffers = ForwardBuffers(network, 1, block.n_rows, np.float64)
            self._buffers[block.n_rows] = buffers
        logits = network.logits(self.moved, block.X, buffers)[0]
        signs = [
            a > 0
            for f, a in zip(network.all_activations(), buffers.outputs(), strict=True)
            if f.has_kink
        ]
        if network.loss.has_kink:
            signs.append(network.output.values(logits.T) > block.targets)
        return signs


def _names(parameters):
    """Names of the parameter arrays, in the order of the flat buffer."""
    layers = range(len(parameters.weights))
    names = [f"coefs_[{i}]" for i in layers] + [f"intercepts_[{i}]" for i in layers]
    return names if parameters.input_intercept is None else [*names, "input_intercept_"]


def _relative_difference(found):
    """||n - a|| / ||n + a||, where rounding alone is no difference; nan of nothing.

    Parameters
    ----------
    found : ndarray of shape (n_derivatives, 3)
        Numerical derivatives n, what rounding may make of each, and backpropagated
        derivatives a.
    """
    if not len(found):
        return float("nan")
    numerical, rounding, analytical = found.T
    with np.errstate(all="ignore"):
        difference = np.linalg.norm(numerical - analytical)
        least = np.linalg.norm(rounding) / _TOLERANCE
        size = np.linalg.norm(numerical + analytical) + least
        return float(difference / size) if difference != 0 else 0.0
