"""Verify backpropagation by finite differences."""

from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from ._estimators import thetas
from ._estimators.fitted_network import FittedNetworkMixin, Gradient
from ._estimators.sklearn_private import Interval, StrOptions, validate_params
from ._estimators.targets import Labels
from ._network.inference import activations_of_layers
from ._network.objective import BLOCK_ROWS, Objective
from ._network.threads import limited_threads

# With more parameters, random directions are checked.
_MAX_COORDINATES = 2000
# Number of random directions in each array; fewer for a large network.
_N_DIRECTIONS = 50
_N_DIRECTIONS_OF_MANY = 5
_MANY = 10**6
# Rounding error of J, a sum of many terms, in units in the last place.
_ROUNDING = 10
# With this step, the error of a difference of losses near 1 is 1e-7.
_MIN_STEP = 1e-8
# In place of the error by rounding, where a kink is in the way.
_KINK = -1
# Smaller steps are tried where a kink is within a step, or J curves much.
_SHORTER = (1, 0.1, 0.01)
# J curves little if half the step changes the difference by less.
_CLOSE = 1e-4
# The differences of a correct gradient are orders of magnitude smaller.
_TOLERANCE = 1e-6
_EVERYWHERE = "every coordinate"


@dataclass(frozen=True)
class GradientCheck:
    """Result of :func:`check_gradient`.

    Attributes
    ----------
    relative_difference : float
        ||n - a|| / ||n + a|| of the numerical derivatives n and the backpropagated
        derivatives a, over all layers; nan if a derivative is not finite.

    by_layer : dict of str to float
        The same for each array of weights or biases; nan also if none of its
        derivatives could be checked.

    coverage : str
        The checked directions: every coordinate, or random directions.

    n_checked, n_left_out : dict of str to int
        Number of derivatives of each array that were checked, and that were left out
        because a hidden unit has a kink within the step.

    numerical : Gradient
        The numerical derivatives, in the shapes of the weights, with nan at a kink. Its
        method ``ravel`` returns them in a vector. With random directions, an array of
        shape (n_directions,) for each array of weights or biases has the derivatives
        along these directions.

    analytical : Gradient
        The derivatives by backpropagation, or of the given `gradient`, in the same
        shapes.

    n_classes : int or None
        Number of classes; None for a regressor.

    entries : dict of str to tuple
        For each array the index of the entry with the largest difference, and its
        numerical and analytical derivative. With random directions, the entry is that
        where the given `gradient` is farthest from backpropagation; without `gradient`
        the dict is empty.
    """

    relative_difference: float
    by_layer: dict
    coverage: str
    n_checked: dict
    n_left_out: dict
    numerical: Gradient = field(compare=False)
    analytical: Gradient = field(compare=False)
    n_classes: int | None
    entries: dict = field(compare=False)

    @property
    def disagreeing(self):
        """Names of the arrays whose relative difference is not at most 1e-6."""
        return [n for n, value in self.by_layer.items() if not value <= _TOLERANCE]

    @property
    def passed(self):
        """Whether all arrays agree."""
        return not self.disagreeing

    @property
    def worst(self):
        """The index of the largest difference in each disagreeing array.

        A dict of the array's name to the index; empty if random directions of
        backpropagation were checked.
        """
        return {n: self.entries[n][0] for n in self.disagreeing if n in self.entries}

    def __repr__(self):
        unchecked = [name for name, n in self.n_checked.items() if n == 0]
        failed = [name for name in self.disagreeing if name not in unchecked]
        verdict = "passed"
        if failed:
            verdict = f"FAILED in {failed}"
        elif unchecked:
            verdict = f"could check nothing in {unchecked}; take random initial weights"
        classes = "" if self.n_classes is None else f"; {self.n_classes} classes"
        lines = [
            f"Gradient check {verdict}: relative difference "
            f"{self.relative_difference:.2e} over all layers ({self.coverage}{classes})"
        ]
        for name, difference in self.by_layer.items():
            line = f"  {name:<20} {difference:.2e}"
            if n := self.n_left_out[name]:
                n_all = n + self.n_checked[name]
                line += f"  ({n} of {n_all} left out: a kink within the step)"
            lines.append(line)
        for name in self.worst:
            index, numerical, analytical = self.entries[name]
            lines.append(
                f"  {name} differs most at {list(index)}: numerical {numerical:.6g}, "
                f"analytical {analytical:.6g}"
            )
        if failed and not self.worst:
            lines.append("  n_directions='all' shows which entries differ.")
        return "\n".join(lines)


@validate_params(
    {
        "eps": [Interval(Real, _MIN_STEP, 1, closed="left")],
        "n_directions": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"all"}),
            None,
        ],
        "random_state": ["random_state"],
        "classes": ["array-like", None],
        "verbose": ["verbose"],
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
    classes=None,
    gradient=None,
    verbose=False,
):
    """Compare backpropagation with central differences, in float64.

    The central difference is D(eps) = (J(w + eps d) - J(w - eps d)) / (2 eps). The
    directions d are all coordinates of networks of up to 2000 parameters, else random
    directions in each array of weights or biases. The derivative is compared with
    (4 D(eps / 2) - D(eps)) / 3, whose error is of fourth order: near a minimum, where
    the gradient is small, the error of second order would look like a fault. Where
    D(eps) and D(eps / 2) are far apart, as with inputs that are not scaled, a tenth and
    a hundredth of `eps` are tried; the step at which they are closest counts.

    Where a hidden unit passes the kink of its activation ("relu", "leaky_relu", "elu")
    within the step, or a prediction the kink of its loss ("absolute_error",
    "quantile"), the difference tells nothing about the derivative. There the smaller
    steps are tried, too. A derivative with a kink within all steps is left out, and the
    result counts it. The check takes memory for about six times the weights.

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
        Step of the differences, in [1e-8, 1): with smaller steps rounding hides faults.

    n_directions : int or "all", default=None
        Number of random directions in each array, or "all" for every coordinate. None
        for every coordinate of a small network, 50 directions of a large network, and 5
        directions of a network with more than a million parameters.

    random_state : int, RandomState instance or None, default=None
        Source of the directions, and of fresh weights where the estimator's own
        `random_state` is None.

    classes : array-like of shape (n_classes,), default=None
        All classes of a classifier that is not fitted, if y may lack a class; None for
        the classes of y.

    gradient : callable, Gradient, ndarray or sequence of ndarray, default=None
        Your own gradient of J, to check instead of backpropagation. It is a
        :class:`Gradient`, a vector in the order of :meth:`Gradient.ravel`, or a list
        with a matrix for each layer, in the shape of its Theta, with the derivatives by
        the biases in column 0. A function must take the vector of all weights, see
        :meth:`BackpropMLPClassifier.get_theta`, and return such a gradient, or a pair
        of J and such a gradient.

    verbose : bool or int, default=False
        Whether to print the progress, in ten lines.

    Returns
    -------
    check : GradientCheck
        The relative differences; its repr shows them.

    Raises
    ------
    InvalidParameterError
        If `eps` or `n_directions` is out of range; a ValueError.
    ValueError
        If the rows and the estimator have a single class: then there is nothing to
        check, as its probability is always 1. If `classes` is given for a fitted
        estimator or a regressor, or if the shapes of `gradient` are not the shapes of
        the weights. If activations or the kind of outputs were changed after the fit.
    TypeError
        If the estimator is of another class. Of a Pipeline pass the last step, and X as
        the other steps transform it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, check_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = BackpropMLPClassifier(hidden_layer_sizes=5, random_state=0)
    >>> check_gradient(mlp, X, y).passed
    True

    Check your own gradient, here with an error in the last layer:

    >>> mlp = BackpropMLPClassifier(5, alpha=1, random_state=0).initialize(X, y)
    >>> gradient = mlp.loss_and_gradient(X[:20], y[:20])[1]
    >>> gradient.coefs[1][3, 2] += 0.1
    >>> check_gradient(mlp, X[:20], y[:20], gradient=gradient).worst
    {'coefs_[1]': (3, 2)}
    """
    rng = check_random_state(random_state)
    estimator = _with_weights(estimator, X, y, classes, rng)
    network, rows, weights = estimator._evaluation_point(X, y, sample_weight)
    parameters = weights if weights.dtype == np.float64 else weights.copy(np.float64)
    n_parameters = parameters.flat.size
    if n_directions is None:
        n_directions = _N_DIRECTIONS if n_parameters <= _MANY else _N_DIRECTIONS_OF_MANY
        n_directions = "all" if n_parameters <= _MAX_COORDINATES else n_directions
    if gradient is not None:
        gradient = _given_gradient(gradient, parameters)
    objective = Objective(network, estimator.alpha, parameters)
    slope = _Slope(objective, rows, eps)
    coverage = _EVERYWHERE
    if n_directions != "all":
        coverage = (
            f"{n_directions} random directions in each array, of {n_parameters} "
            "parameters in all"
        )
    with limited_threads(), np.errstate(all="ignore"):
        objective.loss_and_gradient(rows)
        backpropagated = Gradient(*objective.gradient.copy().view_coefs())
        if gradient is None:
            gradient = backpropagated
        derivatives = _derivatives(slope, gradient, n_directions, rng, verbose)
        entries = {}
        if n_directions != "all" and gradient is not backpropagated:
            entries = _suspected_entries(slope, gradient, backpropagated)
    return _compare(derivatives, gradient, coverage, estimator._target_encoder, entries)


def _with_weights(estimator, X, y, classes, rng):
    """The estimator, with fresh weights in a copy if it is not fitted."""
    if not isinstance(estimator, FittedNetworkMixin):
        raise TypeError(
            "check_gradient takes a BackpropMLPClassifier or BackpropMLPRegressor, got "
            f"{type(estimator).__name__}. For a Pipeline, pass pipeline[-1] and "
            "pipeline[:-1].transform(X)."
        )
    estimator._validate_params()
    if not hasattr(estimator, "coefs_"):
        seed = estimator.random_state
        source = rng if seed is None else check_random_state(seed)
        estimator = estimator._initialized(X, y, source, classes)
    elif classes is not None:
        raise ValueError(
            "classes is for an estimator that is not fitted; this one has its classes. "
            "Leave out `classes`, or pass clone(estimator)."
        )
    labels = estimator._target_encoder
    if isinstance(labels, Labels) and not labels.multilabel and len(labels.classes) < 2:
        # The probability of the only class is 1.
        raise ValueError(
            "There is nothing to check: y has one class, "
            f"{labels.classes.tolist()}, and J does not depend on the weights. "
            "Pass rows of several classes, for example a random sample of a sorted "
            "file, or pass all classes as `classes`, or a fitted estimator."
        )
    return estimator


def _given_gradient(gradient, parameters):
    """Convert the argument `gradient` to a Gradient."""
    weights = parameters.view_coefs()
    if callable(gradient):
        gradient = gradient(thetas.ravel(*weights))
        if isinstance(gradient, tuple | list) and len(gradient) == 2:
            loss, others = gradient
            are_several = isinstance(others, tuple | list) or np.ndim(others) > 0
            if are_several and np.shape(loss) in ((), (1,), (1, 1)):
                gradient = others
    if not isinstance(gradient, Gradient):
        if hasattr(gradient, "__array__"):
            # Such as a Series, or a tensor of PyTorch.
            gradient = np.asarray(gradient)
            if gradient.shape[1:] == (1,):
                # A column, as in Octave.
                gradient = gradient[:, 0]
        is_sequence = isinstance(gradient, np.ndarray | tuple | list)
        axes = [np.ndim(part) for part in gradient] if is_sequence else []
        if set(axes) == {0}:
            has_bias, units = weights[2] is not None, parameters.layer_units
            gradient = thetas.unravel(
                gradient, units, input_intercept=has_bias, name="gradient"
            )
        elif set(axes) == {2}:
            gradient = *thetas.split(gradient, name="gradient"), None
        else:
            found = f" with parts of {axes[:5]} axes" if axes else ""
            raise ValueError(
                "gradient must be a Gradient, a vector, a list of the gradients of the "
                "Theta matrices, or a function that returns one of these or a pair of "
                f"J and one of these; got {type(gradient).__name__}{found}."
            )
    arrays = list(_named(*gradient).values())
    shapes, expected = (
        [np.shape(array) for array in group]
        for group in (arrays, _named(*weights).values())
    )
    if shapes != expected:
        raise ValueError(
            f"gradient must have the shapes of the weights, {expected}, got {shapes}."
        )
    return _to_gradient([np.asarray(array, np.float64) for array in arrays])


def _named(coefs, intercepts, input_intercept):
    """Name arrays of weights and biases by the estimator's attributes."""
    named = {f"coefs_[{i}]": coef for i, coef in enumerate(coefs)}
    named |= {f"intercepts_[{i}]": bias for i, bias in enumerate(intercepts)}
    if input_intercept is not None:
        named["input_intercept_"] = input_intercept
    return named


def _to_gradient(arrays):
    """Make a Gradient of arrays in the order of :func:`_named`."""
    n = len(arrays) // 2
    return Gradient(arrays[:n], arrays[n : 2 * n], *(arrays[2 * n :] or [None]))


def _derivatives(slope, gradient, n_directions, rng, verbose):
    """Derivatives of J along directions in each array.

    Returns
    -------
    derivatives : dict of str to ndarray of shape (n_directions, 3)
        For each array: the numerical derivatives, their error by rounding or
        ``_KINK``, and the analytical derivatives.
    """
    arrays = _named(*slope.objective.parameters.view_coefs())
    analytical = _named(*gradient)
    sizes = [array.size for array in arrays.values()]
    n_all = sum(sizes) if n_directions == "all" else n_directions * len(sizes)
    derivatives, n_checked = {}, 0
    for name, array in arrays.items():
        found = []
        for direction, along in _directions(analytical[name], n_directions, rng):
            found.append((*slope(array, direction), along))
            n_checked += 1
            if verbose and 10 * n_checked // n_all > 10 * (n_checked - 1) // n_all:
                print(f"Checked {n_checked} of {n_all} derivatives.")
        derivatives[name] = np.array(found)
    return derivatives


def _directions(gradient, n_directions, rng):
    """Unit vectors in the space of an array, and the derivatives along them."""
    if n_directions == "all":
        for i, derivative in enumerate(gradient.flat):
            direction = np.zeros(gradient.shape)
            direction.flat[i] = 1
            yield direction, derivative
    else:
        for _ in range(n_directions):
            # In the order of the weights in memory.
            direction = rng.standard_normal(gradient.shape[::-1]).T
            direction /= np.linalg.norm(direction)
            axes = list(range(gradient.ndim))
            # Without an array of the products.
            yield direction, np.einsum(direction, axes, gradient, axes, [])


def _suspected_entries(slope, gradient, backpropagated):
    """The entry of each array where a gradient is farthest from backpropagation."""
    arrays = _named(*slope.objective.parameters.view_coefs())
    given, expected = _named(*gradient), _named(*backpropagated)
    entries = {}
    for name, array in arrays.items():
        index = _largest_difference(expected[name], given[name])
        if given[name][index] == expected[name][index]:
            continue
        direction = np.zeros(array.shape)
        direction[index] = 1
        entries[name] = index, float(slope(array, direction)[0]), given[name][index]
    return entries


def _largest_differences(numerical, analytical):
    """The entry of each array with the largest difference, unless all are left out."""
    numerical, analytical = _named(*numerical), _named(*analytical)
    entries = {}
    for name, values in numerical.items():
        if not np.isnan(values).all():
            index = _largest_difference(values, analytical[name])
            entries[name] = index, values[index], analytical[name][index]
    return entries


def _compare(derivatives, gradient, coverage, target_encoder, entries):
    """Compare the derivatives of each array, as of :func:`_derivatives`."""
    kept = {name: d[d[:, 1] != _KINK] for name, d in derivatives.items()}
    is_classifier = isinstance(target_encoder, Labels)
    numerical = _as_gradient(derivatives, 0, gradient, coverage)
    analytical = _as_gradient(derivatives, 2, gradient, coverage)
    if coverage == _EVERYWHERE:
        entries = _largest_differences(numerical, analytical)
    return GradientCheck(
        _relative_difference(np.concatenate(list(kept.values()))),
        {name: _relative_difference(d) for name, d in kept.items()},
        coverage,
        {name: len(d) for name, d in kept.items()},
        {name: len(d) - len(kept[name]) for name, d in derivatives.items()},
        numerical,
        analytical,
        len(target_encoder.classes) if is_classifier else None,
        entries,
    )


def _as_gradient(derivatives, column, like, coverage):
    """Make a Gradient of a column; of all coordinates, in the shapes of the weights."""
    arrays = [d[:, column].copy() for d in derivatives.values()]
    if coverage == _EVERYWHERE:
        shapes = [array.shape for array in _named(*like).values()]
        arrays = list(map(np.reshape, arrays, shapes))
    return _to_gradient(arrays)


def _largest_difference(numerical, analytical):
    """The index of the largest difference; entries that are not finite count first."""
    with np.errstate(all="ignore"):
        difference = np.abs(numerical - analytical)
    # A derivative that was left out is nan in `numerical` only.
    difference[np.isnan(numerical)] = -1
    difference[~np.isfinite(analytical)] = np.inf
    where = np.unravel_index(difference.argmax(), difference.shape)
    return tuple(int(i) for i in where)


class _Slope:
    """Differences of J along a direction in an array of weights or biases."""

    def __init__(self, objective, rows, eps):
        self.objective = objective
        self.rows = rows
        self.eps = eps
        network = objective.network
        self.has_kinks = network.loss.has_kink or any(
            f.has_kink for f in network.all_activations()
        )

    def __call__(self, array, direction):
        """The derivative along a direction in an array, and its error by rounding.

        The latter is ``_KINK`` if there is a kink on the way.
        """
        center = array.copy(order="K")

        def move(distance):
            np.multiply(direction, distance, out=array)
            array[...] += center

        try:
            best, smallest = (np.nan, _KINK), np.inf
            for factor in _SHORTER:
                eps = factor * self.eps
                if self.has_kinks and self._meets_a_kink(move, eps):
                    continue
                wide, rounding = self._central(move, eps)
                narrow, _ = self._central(move, eps / 2)
                gap = abs(narrow - wide)
                error = max(gap, rounding)
                if error < smallest or not np.isfinite(smallest):
                    best, smallest = ((4 * narrow - wide) / 3, rounding), error
                # The error of fourth order is below the square of the gap.
                if gap <= max(_CLOSE * abs(narrow), rounding):
                    break
            return best
        finally:
            array[...] = center

    def _central(self, move, eps):
        """The central difference, and its error by rounding."""
        move(eps)
        ahead = self.objective.loss_and_gradient(self.rows)[0]
        move(-eps)
        behind = self.objective.loss_and_gradient(self.rows)[0]
        size = max(abs(ahead), abs(behind), self.objective.network.loss.unit)
        ulp = np.finfo(np.float64).eps * size
        return (ahead - behind) / (2 * eps), _ROUNDING * ulp / eps

    def _meets_a_kink(self, move, eps):
        """Whether a unit's input has another sign at the one end than at the other."""
        for start in range(0, self.rows.n_rows, BLOCK_ROWS):
            block = self.rows[start : start + BLOCK_ROWS]
            move(eps)
            ahead = self._signs(block)
            move(-eps)
            behind = self._signs(block)
            if any((a != b).any() for a, b in zip(ahead, behind, strict=True)):
                return True
        return False

    def _signs(self, block):
        network, parameters = self.objective.network, self.objective.parameters
        z, a = activations_of_layers(network, parameters.view_coefs(), block.X)
        activations = network.all_activations()
        signs = [a_l > 0 for a_l, f in zip(a, activations, strict=False) if f.has_kink]
        if network.loss.has_kink:
            signs.append(network.output.values(z[-1]) > block.targets)
        return signs


def _relative_difference(found):
    """||n - a|| / (||n + a|| + the error by rounding / 1e-6), or nan of an empty array.

    The columns of `found` are the numerical derivatives n, their errors by rounding,
    and the backpropagated derivatives a.
    """
    if not len(found):
        return float("nan")
    numerical, rounding, analytical = found.T
    with np.errstate(all="ignore"):
        difference = np.linalg.norm(numerical - analytical)
        scale = np.linalg.norm(rounding) / _TOLERANCE
        size = np.linalg.norm(numerical + analytical) + scale
        return float(difference / size) if difference != 0 else 0.0
