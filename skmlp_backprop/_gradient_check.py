"""Verify backpropagation by finite differences."""

from dataclasses import dataclass, field
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from ._estimators.fitted_network import FittedNetworkMixin
from ._estimators.sklearn_private import Interval, validate_params
from ._estimators.targets import Labels
from ._network.inputs import make_inputs
from ._network.layers import Hidden, InputActivation, make_layers
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
    target_encoder = estimator._target_encoder
    if (
        isinstance(target_encoder, Labels)
        and not target_encoder.multilabel
        and len(target_encoder.classes) == 1
    ):
        raise ValueError(
            "There is nothing to check: y has one class, "
            f"{target_encoder.classes.tolist()}, and J does not depend on the weights. "
            "Pass rows of several classes, such as a random choice of them in place of "
            "the first ones of a sorted file; or a fitted estimator."
        )
    network, rows, weights = estimator._evaluation_point(X, y, sample_weight)
    parameters = weights if weights.dtype == np.float64 else weights.copy(np.float64)
    objective = Objective(network, estimator.alpha, parameters)
    n_parameters = parameters.flat.size
    everywhere = n_directions is None and n_parameters <= _MAX_COORDINATES
    if n_directions is None:
        is_many = n_parameters > _MANY
        n_directions = _N_DIRECTIONS_OF_MANY if is_many else _N_DIRECTIONS
    draw = _coordinates if everywhere else partial(_directions, rng, n_directions)
    with training_threads(), np.errstate(all="ignore"):
        derivatives = _derivatives(objective, rows, eps, draw)
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


def _derivatives(objective, rows, eps, draw):
    """Derivatives of J along directions in each array, in three ways.

    Returns
    -------
    derivatives : dict of str to ndarray of shape (n_directions, 3)
        For each array the numerical ones, what rounding may make of them or
        ``_KINK``, and those by backpropagation.
    """
    objective.loss_and_gradient(rows)
    backpropagated = objective.gradient.copy()
    slope = _Slope(objective, rows, eps)
    derivatives = {}
    for name, array, gradient in zip(
        _names(backpropagated),
        _arrays(objective.parameters),
        _arrays(backpropagated),
        strict=True,
    ):
        found = [
            (*slope(array, where, d), _along(gradient, where, d))
            for where, d in draw(gradient.size)
        ]
        derivatives[name] = np.reshape(found, (-1, 3))
    return derivatives


def _along(gradient, where, direction):
    """The derivative by backpropagation along a direction."""
    if len(direction) == gradient.size:
        return np.einsum("nij,nij->", direction.reshape(gradient.shape), gradient)
    return np.dot(direction, gradient.flat[where])


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

    def __init__(self, objective, rows, eps):
        self.objective = objective
        self.rows = rows
        self.eps = eps
        network = objective.network
        self.has_kinks = network.loss.has_kink or any(
            f.has_kink for f in network.all_activations()
        )
        self._layers = {}

    def __call__(self, array, where, direction):
        """The derivative along a direction, and what rounding may make of it.

        The latter is negative if there is a kink on the way.
        """
        center = array.copy()

        def move(distance):
            if len(direction) == array.size:
                np.multiply(direction.reshape(array.shape), distance, out=array)
                array[...] += center
            else:
                array.flat[where] = center.flat[where] + distance * direction

        try:
            for factor in _SHORTER:
                eps = factor * self.eps
                if not (self.has_kinks and self._meets_a_kink(move, eps)):
                    wide, rounding = self._central(move, eps)
                    narrow, _ = self._central(move, eps / 2)
                    return (4 * narrow - wide) / 3, rounding
            return np.nan, _KINK
        finally:
            array[...] = center

    def _central(self, move, eps):
        """The difference along a direction, and what rounding may make of it."""
        move(eps)
        ahead = self.objective.loss_and_gradient(self.rows)[0]
        move(-eps)
        behind = self.objective.loss_and_gradient(self.rows)[0]
        size = max(abs(ahead), abs(behind), self.objective.network.loss.unit)
        ulp = np.finfo(np.float64).eps * size
        return (ahead - behind) / (2 * eps), _ROUNDING * ulp / eps

    def _meets_a_kink(self, move, eps):
        """Whether a unit's input has another sign at the one end than at the other."""
        for block in self.rows.cut(BLOCK_ROWS):
            move(eps)
            ahead = self._signs(block)
            move(-eps)
            behind = self._signs(block)
            if any((a != b).any() for a, b in zip(ahead, behind, strict=True)):
                return True
        return False

    def _signs(self, block):
        network, parameters = self.objective.network, self.objective.parameters
        layers = self._layers.get(block.n_rows)
        if layers is None:
            layers = make_layers(network, parameters, None, block.n_rows)
            self._layers[block.n_rows] = layers
        a = make_inputs(block.X)
        for layer in layers:
            a = layer.forward(a)
        signs = [
            layer.a > 0
            for layer in layers
            if isinstance(layer, (Hidden, InputActivation))
            and layer.activation.has_kink
        ]
        if network.loss.has_kink:
            signs.append(network.output.values(a[0].T) > block.targets)
        return signs


def _names(parameters):
    """Names of the parameter arrays: all weights, then all biases."""
    layers = range(len(parameters.layers))
    names = [f"coefs_[{i}]" for i in layers] + [f"intercepts_[{i}]" for i in layers]
    return names if parameters.input_intercept is None else [*names, "input_intercept_"]


def _arrays(parameters):
    """The parameter arrays, in the order of their names."""
    bias = parameters.input_intercept
    arrays = [*parameters.weights, *parameters.intercepts]
    return arrays if bias is None else [*arrays, bias]


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
