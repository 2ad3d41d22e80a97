"""The parameters that classifier and regressor share, and the steps of their fits."""

import copy
from contextlib import contextmanager
from functools import cache, wraps
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from .._network.activations import ACTIVATIONS, Activation
from .._network.network import INITIALIZERS
from .._network.parameters import Parameters
from .._network.rows import Rows
from .._solvers import SOLVERS
from .._solvers.rules import Rule
from .._solvers.schedules import SCHEDULES, Schedule
from .._solvers.training import Stop, Training
from .architecture import (
    check_fits,
    check_solver,
    hidden_units,
    is_stochastic,
    make_network,
    warn_of_unused,
)
from .checks import warn_of_other_orders
from .fitted_network import FittedNetworkMixin, refuse_sparse
from .pickled_state import PicklesMixin, from_plain, to_plain
from .results import fitted_attributes, history_of, objective_of, warn_of_end
from .sklearn_callbacks import CallbackReporter, CallbackSupportMixin, with_callbacks
from .sklearn_private import Interval, Options, StrOptions, _fit_context
from .target_checks import (
    check_target_names,
    checked_targets,
    refuse_sparse_targets,
    warn_of_y_in_columns,
    without_second_axis,
)
from .training import (
    TrainingData,
    initial_parameters,
    make_solver,
    new_history,
    train,
)
from .weighting import row_weights


def store_parameters(given):
    """Set the parameters of ``__init__`` as attributes, unchanged.

    Parameters
    ----------
    given : dict
        ``locals()`` in ``__init__``: the estimator as `self`, and its parameters.
    """
    estimator = given.pop("self")
    given.pop("__class__", None)
    vars(estimator).update(given)


def restore_on_error(method):
    """Method decorator: a call that raises does not change the estimator."""

    @wraps(method)
    def guarded(self, *args, **kwargs):
        before = self.__dict__.copy()
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            # A single step, which Ctrl-C can't interrupt.
            self.__dict__ = before
            raise

    return guarded


@contextmanager
def restore_all_on_error(estimators):
    """Context in which an error does not change any of the estimators.

    An interruption is no error: the estimators keep their fits.
    """
    before = [vars(estimator).copy() for estimator in estimators]
    try:
        yield
    except Exception:
        for estimator, attributes in zip(estimators, before, strict=True):
            vars(estimator).clear()
            vars(estimator).update(attributes)
        raise


class BaseBackpropMLP(
    CallbackSupportMixin, FittedNetworkMixin, PicklesMixin, BaseEstimator
):
    """Base class of the classifier and the regressor.

    A subclass sets ``_y_numeric``, and has a static method ``_target_encoder_of(y,
    classes=None)``, which makes the :class:`Labels` of `classes` or y, or the
    :class:`Numbers` of y.
    """

    # Whether y must be numbers.
    _y_numeric = False
    # The attributes that a callback keeps of the best iteration, to restore them.
    _weight_attributes = ("coefs_", "intercepts_", "input_intercept_", "loss_")
    # The attributes that a callback removes then, as they are of the latest weights.
    _latest_attributes = ("_optimizer",)

    _parameter_constraints: dict = {  # noqa: RUF012
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS)), Activation, "array-like"],
        "solver": [StrOptions(set(SOLVERS)), Rule],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate": [StrOptions(set(SCHEDULES)), Schedule],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        # Beyond these limits the rate, and the range of `weight_init`, overflow.
        "power_t": [Interval(Real, 0, 50, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "input_activation": [StrOptions(set(ACTIVATIONS)), Activation, None],
        "weight_init": [
            StrOptions(set(INITIALIZERS)),
            Interval(Real, 0, 1e300, closed="both"),
        ],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "average_epochs": [Interval(Real, 0, np.inf, closed="both")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Fit the network to data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples. float32 input is trained in float32 (by "tnc" in float64),
            everything else in float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix; for the regressor numbers.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        self : BackpropMLPClassifier or BackpropMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a combination of parameters is invalid, or the
            objective is not finite at the initial weights. What was fitted before
            stays as it was.
        """
        context = self._init_callback_context(max_subtasks=self.max_iter)
        continuing = self.warm_start and hasattr(self, "coefs_")
        warn_of_other_orders(X, y, sample_weight)
        X, y = self._validate_rows(X, y, reset=not continuing)
        target_encoder = self._target_encoder_of(y)
        if continuing:
            self._check_same_target_encoder(target_encoder)
            target_encoder = self._target_encoder
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        given = {"X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **given)
        data = self._training_data(X, y, target_encoder, sample_weight)
        return self._fit_to(data, continuing, context, given)

    def _validate_rows(self, X, y, *, reset):
        """Validate X and y; X in CSR or dense, a single column of y flat."""
        name, are_numbers = type(self).__name__, self._y_numeric
        check_target_names(self, y, reset)
        warn_of_y_in_columns(X, y)
        if are_numbers:
            refuse_sparse_targets(y, name)
        y = checked_targets(y, name, are_numbers)
        X, y = self._validated(
            X, y, multi_output=True, y_numeric=are_numbers, reset=reset
        )
        refuse_sparse(X, self.input_activation)
        return X, without_second_axis(y)

    def _check_same_target_encoder(self, target_encoder):
        """Refuse classes other than those of the previous fit.

        Another number of columns is refused by the encoder.
        """
        if self._y_numeric:
            return
        classes = target_encoder.classes
        if set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes_}, `y` has "
                f"{classes}"
            )

    def _training_data(self, X, y, target_encoder, sample_weight):
        """The training data of validated rows."""
        targets = target_encoder.encode(y, X.dtype)
        network = make_network(self, X.shape[1], target_encoder)
        check_solver(self, network)
        network.loss.check_targets(targets)
        class_weight = getattr(self, "class_weight", None)
        weights = row_weights(X, targets, target_encoder, class_weight, sample_weight)
        return TrainingData(network, Rows(X, targets, weights), target_encoder)

    def _fit_to(self, data, continuing, context, given):
        """Train on a TrainingData, report to the callbacks, and become fitted.

        Parameters
        ----------
        data : TrainingData
            The data.

        continuing : bool
            Whether to go on from the fitted weights.

        context : sklearn.callback.CallbackContext
            The context of the fit.

        given : dict
            `X`, `y` and `metadata` for the callbacks.
        """
        warn_of_unused(self)
        trainings = [self._continued(data, make_solver(self))] if continuing else None
        reporters = None
        if hasattr(self, "_skl_callbacks"):

            def attributes(history, networks):
                parameters = networks[0].copy(data.rows.dtype)
                return fitted_attributes(
                    data.network, data.target_encoder, history, parameters
                )

            name = "epoch" if is_stochastic(self.solver) else "iteration"
            reporters = [CallbackReporter(self, context, name, attributes, **given)]
        (trained,) = train([self], [data], trainings, reporters)
        vars(self).update(trained.attributes(self))
        warn_of_end(trained, self)
        context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes={}, **given
        )
        return self

    def _partial_fit(self, X, y, sample_weight, classes=None):
        """Train for one epoch, from the current weights if there are any."""
        is_first = not hasattr(self, "coefs_")
        if not is_first:
            # scikit-learn validates the parameters in the first call only.
            self._validate_params()
        warn_of_other_orders(X, y, sample_weight)
        X, y = self._validate_rows(X, y, reset=is_first)
        if is_first:
            warn_of_unused(self)
            target_encoder = self._target_encoder_of(y, classes)
        else:
            target_encoder = self._target_encoder
        data = self._training_data(X, y, target_encoder, sample_weight)
        for_one_epoch = copy.copy(self)
        for_one_epoch.max_iter = 1
        trainings = None
        if not is_first:
            solver = make_solver(for_one_epoch)
            earlier = getattr(self, "_optimizer", None)
            if earlier is not None and type(earlier.rule) is type(solver.rule):
                solver.resume(earlier)
            trainings = [self._continued(data, solver)]
        (trained,) = train([for_one_epoch], [data], trainings)
        if trained.training.stop.reason == "max_iter":
            # The caller asked for one epoch.
            trained.training.stop = Stop("partial_fit")
        vars(self).update(trained.attributes(self))
        warn_of_end(trained, self)
        return self

    def _continued(self, data, solver):
        """A training that goes on from the fitted weights and their history."""
        parameters = Parameters.from_coefs(*self._weights())
        check_fits(parameters, data.network)
        name = data.network.output.name
        # Before a first epoch, the weights go with any output.
        is_trained = self.n_iter_ > 0 or self.loss_curve_
        if is_trained and name != self.out_activation_:
            raise ValueError(
                f"The activation of the outputs was {self.out_activation_!r} in the "
                f"earlier fit, and is {name!r} with these parameters. The weights "
                "go with the former. Set the parameters back, such as `loss`, or call "
                "`fit` with warm_start=False."
            )
        objective = objective_of(self, data.network)
        has_same_objective = getattr(self, "_objective", objective) == objective
        history = history_of(self).continued(new_history(self), has_same_objective)
        return Training(solver, history, [parameters])

    def _initialized(self, X, y, random_state, classes=None):
        """A copy with freshly initialised weights, as if fitted for no iteration."""
        return clone(self)._initialize(X, y, None, random_state, classes)

    def _initialize(self, X, y, sample_weight, random_state, classes=None):
        """Become fitted by initial weights, without training."""
        warn_of_other_orders(X, y, sample_weight)
        X, y = self._validate_rows(X, y, reset=True)
        target_encoder = self._target_encoder_of(y, classes)
        data = self._training_data(X, y, target_encoder, sample_weight)
        source = check_random_state(random_state)
        parameters = initial_parameters(self, data, source).copy(data.rows.dtype)
        history = new_history(self)
        history.loss, _ = self._evaluate(data.network, data.rows, parameters)
        self._optimizer = None
        return self._adopt_weights(parameters, target_encoder, history, data.network)

    @classmethod
    def _of_layers(cls, parameters, params):
        """An estimator with the hidden layers of given weights."""
        sizes = parameters.layer_units[1:-1]
        given = params.pop("hidden_layer_sizes", sizes)
        if hidden_units(given) != sizes:
            raise ValueError(
                f"The weights are those of hidden layers of {sizes} units, but "
                f"hidden_layer_sizes={given!r}. Leave it out."
            )
        estimator = cls(hidden_layer_sizes=tuple(sizes), **params)
        estimator._validate_params()
        return estimator

    def _adopt_weights(self, parameters, target_encoder, history, network=None):
        """Become fitted, with copies of given weights as the attributes.

        `network` is what the parameters of the estimator describe, if that is known.
        """
        if network is None:
            network = make_network(self, parameters.layer_units[0], target_encoder)
            check_fits(parameters, network)
        self.n_features_in_ = network.layer_units[0]
        vars(self).update(
            fitted_attributes(network, target_encoder, history, parameters)
        )
        return self

    def _check_partial_fit(self):
        """Raise an error if the parameters don't allow partial_fit."""
        if not is_stochastic(self.solver):
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. Use "
                "compute_class_weight on the whole of y and pass a dict."
            )
        return True

    # Cached: to read a signature takes longer than to copy a network, and a search
    # clones an estimator for each candidate and fold.
    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()

    def __getstate__(self):
        state = super().__getstate__()
        return to_plain(state) if "_network" in state else state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "private_state" in vars(self):
            self.__dict__ = from_plain(vars(self))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
