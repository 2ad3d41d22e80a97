"""The methods of a fitted estimator: J, its gradient, activations, weights, logits."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted, validate_data

from .._network.constant import losses_of_logits
from .._network.inference import NotFinite, activations_of_layers, compute_logits
from .._network.objective import Objective
from .._network.parameters import Parameters
from .._network.threads import limited_threads
from . import thetas
from .architecture import check_fits, make_network
from .checks import (
    refuse_dates,
    refuse_masked,
    refuse_unfit_columns,
    warn_of_other_orders,
)
from .interchange import from_sklearn_mlp, to_sklearn_mlp


def refuse_sparse(X, input_activation):
    """Refuse sparse rows where an input activation would make them dense."""
    if input_activation is not None and sparse.issparse(X):
        raise ValueError(
            "input_activation makes every entry of X nonzero; with sparse X use "
            "input_activation=None or densify X."
        )


class Gradient(NamedTuple):
    """Derivatives of the objective, shaped as the fitted attributes.

    Attributes
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out)
        With respect to ``coefs_``.

    intercepts : list of ndarray of shape (fan_out,)
        With respect to ``intercepts_``.

    input_intercept : ndarray of shape (n_features,) or None
        With respect to ``input_intercept_``, if there is one.
    """

    coefs: list
    intercepts: list
    input_intercept: np.ndarray | None

    def ravel(self):
        """Return all derivatives in a vector, in the order of `get_theta`.

        Returns
        -------
        gradient : ndarray of shape (n_parameters,)
            For each layer the derivatives by its biases, then the derivatives by
            ``coefs_[l].ravel()``: the exercise's [Theta1_grad(:); Theta2_grad(:)].
            The derivatives by ``input_intercept_`` come last.

        Examples
        --------
        >>> import numpy as np
        >>> from skmlp_backprop import Gradient
        >>> Gradient([np.array([[2.0], [3.0]])], [np.array([1.0])], None).ravel()
        array([1., 2., 3.])
        """
        return thetas.ravel(*self)

    def to_thetas(self):
        """Return the derivatives of each layer, in the shape of its Theta.

        Returns
        -------
        thetas : list of ndarray of shape (fan_out, fan_in + 1)
            The derivatives by the biases are in column 0.

        Examples
        --------
        >>> import numpy as np
        >>> from skmlp_backprop import Gradient
        >>> gradient = Gradient([np.array([[2.0], [3.0]])], [np.array([1.0])], None)
        >>> gradient.to_thetas()
        [array([[1., 2., 3.]])]
        """
        return thetas.join(self.coefs, self.intercepts)


class ForwardPass(NamedTuple):
    """Pre-activations and activations of each layer.

    The lists have an entry for each hidden layer and, last, for the outputs. With an
    `input_activation`, the first entry is for the inputs.

    Attributes
    ----------
    z : list of ndarray of shape (n_samples, n_units)
        The pre-activations of each layer.

    a : list of ndarray of shape (n_samples, n_units)
        The activations of each layer. The last entry has the outputs, h(x) in
        textbooks: sigmoids or a softmax for a classifier, numbers for a regressor.
    """

    z: list
    a: list


class FittedNetworkMixin:
    """Mixin with the methods of a fitted classifier or regressor.

    :class:`BaseBackpropMLP` has the validation of rows, and makes their TrainingData.
    """

    @classmethod
    def from_sklearn(cls, mlp):
        """Make a fitted estimator from scikit-learn's fitted estimator.

        Parameters
        ----------
        mlp : sklearn.neural_network.MLPClassifier or MLPRegressor
            The fitted estimator of the same kind; it is not changed.

        Returns
        -------
        estimator : BackpropMLPClassifier or BackpropMLPRegressor
            With the same parameters, weights and training record. Training goes on
            from there with `warm_start` or `partial_fit`; the momentum of the
            minibatch solvers starts anew.

        Raises
        ------
        TypeError
            If it is of the other kind.
        """
        check_is_fitted(mlp)
        return from_sklearn_mlp(mlp, cls)

    def to_sklearn(self):
        """Make scikit-learn's fitted estimator with the same weights and predictions.

        Parameters that affect only the training and that scikit-learn lacks (losses,
        class weights, dropout) are left out; solvers that it lacks become "lbfgs". The
        momentum is left out, too, so `partial_fit` of the result starts it anew.

        Returns
        -------
        mlp : sklearn.neural_network.MLPClassifier or MLPRegressor
            The fitted estimator of the same kind, on copies of the weights.

        Raises
        ------
        ValueError
            If it cannot express the network: its activations, an input activation, or
            its outputs.
        """
        check_is_fitted(self)
        return to_sklearn_mlp(self)

    def loss_and_gradient(self, X, y, sample_weight=None):
        """Evaluate the objective J and its gradient at the fitted weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, all in `classes_`, or target values.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        loss : float
            J, the penalty included.

        gradient : Gradient
            Its derivatives, a named tuple (coefs, intercepts, input_intercept) of
            arrays shaped as the attributes.

        Raises
        ------
        ValueError
            If activations or the kind of outputs were changed after the fit.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> mlp = BackpropMLPClassifier.from_weights(
        ...     [[[0.0]]], [[0.0]], [0, 1], alpha=0
        ... )
        >>> loss, gradient = mlp.loss_and_gradient([[1.0], [2.0]], [0, 1])
        >>> round(loss, 4), gradient.coefs
        (0.6931, [array([[-0.25]])])
        """
        return self._evaluate(*self._evaluation_point(X, y, sample_weight))

    def _evaluate(self, network, rows, parameters):
        """J and its gradient over rows."""
        with limited_threads() as n_threads, np.errstate(all="ignore"):
            objective = Objective(
                network, self.alpha, parameters.copy(rows.dtype), n_threads=n_threads
            )
            loss = objective.loss_and_gradient(rows.for_products())
        return float(loss[0]), Gradient(*objective.gradient.to_coefs())

    def losses(self, X, y):
        """Compute the loss of each sample at the fitted weights.

        The losses do not include the penalty, sample weights or class weights. So their
        mean is J if `alpha` is 0 and all weights are 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, all in `classes_`, or target values.

        Returns
        -------
        losses : ndarray of shape (n_samples,), float64
            The losses.

        Raises
        ------
        ValueError
            If activations or the kind of outputs were changed after the fit.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> mlp = BackpropMLPClassifier.from_weights([[[1.0]]], [[0.0]], [0, 1])
        >>> mlp.losses([[0.0], [2.0]], [0, 1]).round(4)
        array([0.6931, 0.1269])
        """
        check_is_fitted(self)
        self._validate_params()
        warn_of_other_orders(X, y)
        X, y = self._validate_rows(X, y, reset=False)
        targets = self._target_encoder.encode(y, X.dtype)
        network = make_network(self, X.shape[1], self._target_encoder)
        network.loss.check_targets(targets)
        self._check_same_network(network)
        logits = compute_logits(network, self._weights(), X)
        return losses_of_logits(network, logits, targets)

    def forward(self, X):
        """Compute the pre-activations and activations of every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        layers : ForwardPass
            A named tuple (z, a) of two lists, with an array of shape
            (n_samples, n_units) for each layer. ``a[-1]`` has the outputs. With several
            sigmoids, `predict_proba` divides them by their sum.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> mlp = BackpropMLPClassifier.from_weights(
        ...     [[[1.0, -1.0]], [[1.0], [1.0]]], [[0.0, 0.0], [0.0]], [0, 1]
        ... )
        >>> z, a = mlp.forward([[3.0]])
        >>> z[0], a[0], a[1].round(4)
        (array([[ 3., -3.]]), array([[3., 0.]]), array([[0.9526]]))
        """
        check_is_fitted(self)
        X = self._rows_to_predict(X)
        layers = activations_of_layers(self._network, self._weights(), X)
        self._refuse_overflow(X, layers[0][-1])
        return ForwardPass(*layers)

    def to_thetas(self):
        """Return the weights as the exercise's Theta matrices.

        Returns
        -------
        thetas : list of ndarray of shape (fan_out, fan_in + 1)
            A new array for each layer, with the biases in column 0. They do not include
            the biases of an `input_activation`.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPRegressor
        >>> BackpropMLPRegressor.from_weights([[[2.0], [3.0]]], [[1.0]]).to_thetas()
        [array([[1., 2., 3.]])]
        """
        check_is_fitted(self)
        return thetas.join(self.coefs_, self.intercepts_)

    def get_theta(self):
        """Return all weights in a vector, in the order of the exercise.

        Returns
        -------
        theta : ndarray of shape (n_parameters,)
            A new array: for each layer the biases, then ``coefs_[l].ravel()``. These
            are the columns of the first Theta, then the columns of the second Theta,
            [Theta1(:); Theta2(:)] in Octave. The biases of an `input_activation` come
            last.

        See Also
        --------
        set_theta : The inverse.
        Gradient.ravel : The gradient in the same order.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPRegressor
        >>> BackpropMLPRegressor.from_weights([[[2.0], [3.0]]], [[1.0]]).get_theta()
        array([1., 2., 3.])
        """
        check_is_fitted(self)
        return thetas.ravel(*self._weights())

    def set_theta(self, theta):
        """Set all weights from a vector, in the order of :meth:`get_theta`.

        So J is a function of a vector, and any optimiser can minimise it. Attributes of
        an earlier training, such as `loss_`, do not change.

        Parameters
        ----------
        theta : array-like of shape (n_parameters,)
            The weights. They are copied, and keep the estimator's precision: float64
            if `coefs_` were set to integers.

        Returns
        -------
        self : BackpropMLPClassifier or BackpropMLPRegressor
            The estimator.

        Raises
        ------
        ValueError
            If the length of `theta` is not the number of weights, or if `theta` is not
            finite.

        Examples
        --------
        >>> from scipy.optimize import minimize
        >>> from sklearn.datasets import load_iris
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> mlp = BackpropMLPClassifier(5, alpha=1, random_state=0).initialize(X, y)
        >>> def cost(theta):
        ...     loss, gradient = mlp.set_theta(theta).loss_and_gradient(X, y)
        ...     return loss, gradient.ravel()
        >>> result = minimize(cost, mlp.get_theta(), jac=True, method="L-BFGS-B")
        >>> mlp.set_theta(result.x).score(X, y) > 0.95
        True
        """
        check_is_fitted(self)
        units = [self.coefs_[0].shape[0], *map(len, self.intercepts_)]
        dtype = self.coefs_[0].dtype
        if not np.issubdtype(dtype, np.floating):
            dtype = np.float64
        if isinstance(theta, list | tuple) and any(
            np.ndim(part) == 2 for part in theta
        ):
            raise ValueError(
                "theta must be a vector of all weights. Join matrices by "
                "np.concatenate([theta.ravel('F') for theta in thetas]), or pass them "
                "to from_thetas."
            )
        with np.errstate(over="ignore"):
            theta = np.array(theta, dtype)
        if not np.isfinite(theta).all():
            raise ValueError(f"theta must be finite, in {np.dtype(dtype)}.")
        coefs, intercepts, input_intercept = thetas.unravel(
            theta,
            units,
            input_intercept=self.input_intercept_ is not None,
        )
        self.coefs_, self.intercepts_ = coefs, intercepts
        self.input_intercept_ = input_intercept
        # The momentum belongs to the old weights.
        self._optimizer = None
        return self

    def _evaluation_point(self, X, y, sample_weight):
        """The arguments of J: the network, the rows and the fitted weights."""
        check_is_fitted(self)
        self._validate_params()
        warn_of_other_orders(X, y, sample_weight)
        X, y = self._validate_rows(X, y, reset=False)
        data = self._training_data(X, y, self._target_encoder, sample_weight)
        return data.network, data.rows, self._check_same_network(data.network)

    def _check_same_network(self, network):
        """Refuse a network that computes other outputs than `predict` does.

        Returns a copy of the fitted weights, which the user may have changed.
        """
        parameters = Parameters.from_coefs(*self._weights())
        check_fits(parameters, network)
        fitted = self._network
        if (
            network.all_activations() != fitted.all_activations()
            or network.output.name != fitted.output.name
        ):
            raise ValueError(
                "The activations or the outputs that the parameters describe are not "
                "those of the fitted network. Call `fit` or `initialize` again, or set "
                "the parameters back."
            )
        return parameters

    def _weights(self):
        """The fitted weights, which the user may have changed, also to integers."""
        coefs = self.coefs_
        if coefs[0].dtype.kind != "f":
            # X is converted to their type.
            coefs = [np.asarray(coef, np.float64) for coef in coefs]
        return coefs, self.intercepts_, self.input_intercept_

    def _logits(self, X):
        """The logits of rows, validated if need be.

        scikit-learn's validation takes longer than the prediction of a row, and is
        skipped for rows that it would not change.
        """
        if "_network" not in vars(self):
            check_is_fitted(self)
        weights = self._weights()
        if self._is_plain(X):
            # A product with a vector may skip the terms that a 0 multiplies.
            is_wide = 1 < len(self.intercepts_[0]) < X.shape[1]
            shows = is_wide and isinstance(X, np.ndarray) and weights[2] is None
            values = X.data if sparse.issparse(X) else X
            with np.errstate(over="ignore", invalid="ignore"):
                # A sum is finite only if its terms are.
                is_taken = shows or np.isfinite(values.sum())
            if is_taken:
                try:
                    logits = compute_logits(self._network, weights, X, check=shows)
                    return self._refuse_overflow(X, logits)
                except NotFinite:
                    pass
        X = self._rows_to_predict(X)
        return self._refuse_overflow(X, compute_logits(self._network, weights, X))

    def _refuse_overflow(self, X, logits):
        """Refuse rows too large for the precision of the weights; return the logits."""
        dtype = logits.dtype
        if X.dtype != dtype and not np.isfinite(logits).all():
            values = X.data if sparse.issparse(X) else X
            with np.errstate(over="ignore"):
                is_fit = np.isfinite(values.astype(dtype)).all()
            if not is_fit:
                raise ValueError(
                    f"Input X contains values too large for {dtype}, the precision of "
                    "the fitted weights. Scale X, or fit to X of float64."
                )
        return logits

    def _is_plain(self, X):
        """Whether validation would not change X, if its values are finite."""
        return (
            type(X) in (np.ndarray, sparse.csr_matrix, sparse.csr_array)
            and X.dtype in (np.float64, np.float32)
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            # Names of features would be missing in an array.
            and not hasattr(self, "feature_names_in_")
            and not (sparse.issparse(X) and self.input_intercept_ is not None)
        )

    def _rows_to_predict(self, X):
        """Validate rows, for a prediction."""
        X = self._validated(X, reset=False)
        refuse_sparse(X, self._network.input_activation)
        return X

    def _validated(self, X, y="no_validation", **options):
        """Validate X, and y if given, by scikit-learn; errors name the column of X."""
        name = type(self).__name__
        refuse_masked(X, name)
        refuse_dates(X, name)
        try:
            return validate_data(
                self,
                X,
                y,
                # Other formats are converted: minibatches and blocks are rows.
                accept_sparse="csr",
                dtype=(np.float64, np.float32),
                **options,
            )
        except (TypeError, ValueError) as error:
            refuse_unfit_columns(X, name, error)
            raise
