"""Verify backpropagation by finite differences."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from ._fitted_network import FittedNetworkMixin
from ._objective import Objective

# Up to here every coordinate is checked, at four evaluations each.
_MAX_COORDINATES = 2000
_N_DIRECTIONS = 50
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
        ones a, over all layers.

    by_layer : dict of str to float
        The same for each array of weights or biases.

    coverage : str
        What was checked: every coordinate, or random directions.
    """

    relative_difference: float
    by_layer: dict
    coverage: str

    @property
    def disagreeing(self):
        """Names of the arrays whose relative difference exceeds 1e-6."""
        return [name for name, value in self.by_layer.items() if value > _TOLERANCE]

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
        lines += [f"  {name:<20} {value:.2e}" for name, value in self.by_layer.items()]
        return "\n".join(lines)


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

    Parameters
    ----------
    estimator : BackpropMLPClassifier
        Checked at its weights if it is fitted, else at freshly initialised ones.
        It is not changed.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples to evaluate J on; a few dozen are enough.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their labels.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; None for 1 each.

    eps : float, default=1e-4
        Step of the differences.

    n_directions : int, default=None
        Number of random directions in each array; None for every coordinate of a
        small network, and 50 directions for a large one.

    random_state : int, RandomState instance or None, default=None
        Source of the directions, and of fresh weights where the estimator's own
        `random_state` is None.

    Returns
    -------
    check : GradientCheck
        The relative differences; its repr tells of them.

    Raises
    ------
    TypeError
        If the estimator is not a BackpropMLPClassifier. Of a Pipeline pass the last
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
            "check_gradient takes a BackpropMLPClassifier, got "
            f"{type(estimator).__name__}. Of a Pipeline pass pipeline[-1], with "
            "pipeline[:-1].transform(X)."
        )
    rng = check_random_state(random_state)
    if not hasattr(estimator, "coefs_"):
        seed = estimator.random_state
        source = rng if seed is None else check_random_state(seed)
        estimator = estimator._initialized(X, y, source)
    network, rows, weights = estimator._evaluation_point(X, y, sample_weight)
    objective = Objective(network, estimator.alpha, np.float64)
    parameters = weights.packed(np.float64)
    backpropagated = parameters.like()
    objective.loss_and_gradient(parameters, rows, backpropagated)

    everywhere = n_directions is None and parameters.flat.size <= _MAX_COORDINATES
    n_directions = _N_DIRECTIONS if n_directions is None else n_directions
    slope = _Slope(objective, rows, parameters, eps)
    numerical, analytical = {}, {}
    start = 0
    for name, array in zip(_names(parameters), backpropagated.arrays(), strict=True):
        part = slice(start, start + array.size)
        start = part.stop
        if everywhere:
            directions = np.eye(array.size)
        else:
            directions = rng.standard_normal((n_directions, array.size))
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        numerical[name] = np.array([slope(part, d) for d in directions])
        analytical[name] = directions @ array.ravel()

    return GradientCheck(
        _relative_difference(
            np.concatenate(list(numerical.values())),
            np.concatenate(list(analytical.values())),
        ),
        {n: _relative_difference(numerical[n], analytical[n]) for n in numerical},
        "every coordinate"
        if everywhere
        else f"{n_directions} random directions in each array",
    )


class _Slope:
    """Differences of J along a direction within a part of the weights."""

    def __init__(self, objective, rows, parameters, eps):
        self.objective = objective
        self.rows = rows
        self.center = parameters
        self.moved = parameters.packed()
        self.ignored = parameters.like()
        self.eps = eps

    def __call__(self, part, direction):
        wide = self._central(part, direction, self.eps)
        return (4 * self._central(part, direction, self.eps / 2) - wide) / 3

    def _central(self, part, direction, eps):
        ahead = self._loss(part, eps * direction)
        return (ahead - self._loss(part, -eps * direction)) / (2 * eps)

    def _loss(self, part, step):
        self.moved.flat[:] = self.center.flat
        self.moved.flat[part] += step
        return self.objective.loss_and_gradient(self.moved, self.rows, self.ignored)[0]


def _names(parameters):
    """Names of the parameter arrays, in the order of the flat buffer."""
    layers = range(len(parameters.weights))
    names = [f"coefs_[{i}]" for i in layers] + [f"intercepts_[{i}]" for i in layers]
    return names if parameters.input_intercept is None else [*names, "input_intercept_"]


def _relative_difference(numerical, analytical):
    difference = np.linalg.norm(numerical - analytical)
    return (
        float(difference / np.linalg.norm(numerical + analytical))
        if difference
        else 0.0
    )
