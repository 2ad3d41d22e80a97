"""The regressor: its own parameters and predictions."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._network.losses import loss_names
from .._network.outputs import NUMBER_OUTPUTS
from .._network.parameters import parameters_from_arrays
from .._solvers.training import History
from .base import BaseBackpropMLP, restore_on_error, store_parameters
from .documentation import documented
from .sklearn_private import Interval, StrOptions, _fit_context
from .target_checks import check_scored
from .targets import Numbers, d2_of_quantiles
from .thetas import split


@documented
class BackpropMLPRegressor(RegressorMixin, BaseBackpropMLP):
    """Multilayer perceptron regressor, trained by backpropagation.

    It minimises

        J = 1/W sum_i w_i loss_i + alpha/(2 W) sum_l ||W_l||^2,  W = sum_i w_i,

    where w_i is the sample weight and W_l are the weight matrices, not the biases. With
    unit weights the penalty is alpha/(2 m) times the squared weights, so `alpha` is the
    lambda of the textbooks. Parameters and attributes of
    :class:`sklearn.neural_network.MLPRegressor` have the same names and meanings here.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "quantile", "poisson", \
            "gamma"}, default="squared_error"
        Loss of a row, summed over the columns of y:

        - "squared_error", half the squared distance, for the mean; "absolute_error",
          for the median; "huber", half the squared distance up to `huber_epsilon`, and
          linear beyond it;
        - "quantile", the pinball loss, for quantiles of y;
        - "poisson" and "gamma", half the Poisson or gamma deviance, with the
          exponential of the output as the prediction; y must not be negative, and
          positive for "gamma".

        "absolute_error" and "quantile" have a kink at each row's target, so the line
        searches of the full-batch solvers end too soon, and these solvers refuse the
        two losses.

    ... network_parameters

    quantile : float or sequence of float, default=0.5
        The quantile that loss "quantile" aims at, in (0, 1); or several in increasing
        order, each an output of one network. The predictions never cross: each is the
        next lower quantile plus a softplus.

    huber_epsilon : float, default=1.35
        Distance, in units of y, beyond which the loss "huber" is linear.

    ... initial_parameters

    ... training_parameters

    Attributes
    ----------
    ... attributes

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The regressor of scikit-learn.

    Notes
    -----
    ... notes

    References
    ----------
    Rumelhart, D. E., Hinton, G. E. and Williams, R. J. (1986). "Learning
    representations by back-propagating errors." Nature 323.

    Examples
    --------
    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp_backprop import BackpropMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = BackpropMLPRegressor(
    ...     activation="tanh", solver="lbfgs", alpha=30, random_state=0
    ... )
    >>> model = make_pipeline(
    ...     StandardScaler(),
    ...     TransformedTargetRegressor(mlp, transformer=StandardScaler()),
    ... )
    >>> model.fit(X, y).score(X, y) > 0.5
    True
    """

    _y_numeric = True
    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseBackpropMLP._parameter_constraints,
        "loss": [StrOptions(set(loss_names(NUMBER_OUTPUTS)))],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "huber_epsilon": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        quantile=0.5,
        huber_epsilon=1.35,
        input_activation=None,
        weight_init="auto",
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        dropout=0.0,
        average_epochs=0,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        device="cpu",
    ):
        store_parameters(locals())

    @classmethod
    def from_weights(cls, coefs, intercepts, *, input_intercept=None, **params):
        """Make a fitted regressor from given weights.

        With the parameter ``warm_start=True``, `fit` trains from these weights.

        Parameters
        ----------
        coefs : sequence of array-like of shape (fan_in, fan_out)
            Weight matrix of each layer. If all arrays are float32 so are the
            regressor's, else float64.

        intercepts : sequence of array-like of shape (fan_out,)
            Biases of each layer.

        input_intercept : array-like of shape (n_features,), default=None
            Biases of the input, for an `input_activation`.

        **params
            The regressor's other parameters; `hidden_layer_sizes` follows from the
            weights.

        Returns
        -------
        regressor : BackpropMLPRegressor
            The fitted regressor; with one output it predicts one-dimensional arrays.

        Raises
        ------
        ValueError
            If the shapes do not fit together.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPRegressor
        >>> mlp = BackpropMLPRegressor.from_weights([[[2.0]]], [[1.0]])
        >>> mlp.predict([[3.0]])
        array([7.])
        """
        parameters = parameters_from_arrays(coefs, intercepts, input_intercept)
        n_outputs = parameters.layer_units[-1]
        regressor = cls._of_layers(parameters, params)
        has_quantiles = regressor.loss == "quantile" and np.ndim(regressor.quantile) > 0
        is_flat = n_outputs == 1 or has_quantiles
        numbers = Numbers(None if is_flat else n_outputs)
        return regressor._adopt_weights(parameters, numbers, History())

    @classmethod
    def from_thetas(cls, thetas, **params):
        """Make a fitted regressor from the exercise's Theta matrices.

        Parameters
        ----------
        thetas : sequence of array-like of shape (fan_out, fan_in + 1)
            Weights of each layer, with the biases in column 0. For a vector of all
            weights see :meth:`set_theta`.

        **params
            Parameters of the regressor, and `input_intercept` of :meth:`from_weights`.

        Returns
        -------
        regressor : BackpropMLPRegressor
            The fitted regressor. :meth:`to_thetas` is the inverse.

        Raises
        ------
        ValueError
            If the shapes do not fit together.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPRegressor
        >>> BackpropMLPRegressor.from_thetas([[[1.0, 2.0]]]).predict([[3.0]])
        array([7.])
        """
        return cls.from_weights(*split(thetas), **params)

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def initialize(self, X, y, sample_weight=None):
        """Draw the initial weights, without any training.

        Then the estimator is fitted, so that you can see `loss_`, predictions and
        scores before training. `fit` starts from the same weights if `random_state` is
        an int. With `warm_start` it always starts from these weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples. The weights are float32 for float32 samples, else float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers to predict.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in `loss_`; None for 1 each. With losses such as
            "huber" the initial biases of the outputs depend on them, too.

        Returns
        -------
        self : BackpropMLPRegressor
            The regressor, whose `n_iter_` is 0.

        Raises
        ------
        ValueError
            If the input or a combination of parameters is invalid.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPRegressor
        >>> mlp = BackpropMLPRegressor(hidden_layer_sizes=5, weight_init=0)
        >>> mlp.initialize([[1.0], [2.0]], [2.0, 4.0]).loss_  # (2^2 + 4^2) / 2 / 2
        5.0
        """
        return self._initialize(X, y, sample_weight, self.random_state)

    @available_if(lambda self: self._check_partial_fit())
    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on the given data, from the current weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers to predict.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        self : BackpropMLPRegressor
            The regressor.

        Raises
        ------
        ValueError
            If the input is invalid.
        AttributeError
            With a full-batch solver; and with `early_stopping`, which needs all of the
            data.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """Predict the numbers of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_outputs) or \
                (n_samples, n_quantiles)
            The numbers; for a list of quantiles, the quantiles in increasing order.
        """
        logits = self._logits(X)
        return self._target_encoder.decode(self._network.output, logits)

    def score(self, X, y, sample_weight=None):
        """R2 of the predictions; for several quantiles the mean of their D2.

        D2 is R2 with the pinball loss in place of squared errors, see
        :func:`sklearn.metrics.d2_pinball_score`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true numbers.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        score : float
            At most 1.
        """
        check_scored(self, X, y, sample_weight)
        quantiles = self._fitted_quantiles()
        if quantiles is None:
            return super().score(X, y, sample_weight)
        targets = column_or_1d(y)[:, np.newaxis]
        return d2_of_quantiles(quantiles, targets, self.predict(X), sample_weight)

    def _fitted_quantiles(self):
        """The quantiles of `fit`, if there were several, else None."""
        check_is_fitted(self)
        quantiles = self._network.loss.quantile
        return quantiles if np.ndim(quantiles) > 0 else None

    @staticmethod
    def _target_encoder_of(y, classes=None):
        if classes is not None:
            raise ValueError("A regressor has no classes. Leave out `classes`.")
        return Numbers(None if y.ndim == 1 else y.shape[1])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
