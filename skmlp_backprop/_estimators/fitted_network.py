"""What a classifier can do once it has weights: predict, and evaluate J."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from .._network.inference import compute_logits
from .._network.objective import Objective
from .._network.output_activations import make_output
from .._network.parameters import Parameters, parameters_from_arrays
from .._network.rows import Rows
from .._network.threads import training_threads
from .._solvers.problem import PUBLIC_HISTORY, History
from .architecture import check_fits, make_network
from .interchange import from_mlp_classifier, to_mlp_classifier
from .labels import Labels
from .weighting import row_weights

_DENSE_INPUT = (
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


class FittedNetworkMixin:
    """Mixin with all of the classifier that works on given weights."""

    @classmethod
    def from_weights(
        cls,
        coefs,
        intercepts,
        classes,
        *,
        input_intercept=None,
        multilabel=False,
        **params,
    ):
        """Make a fitted classifier from given weights.

        Parameters
        ----------
        coefs : sequence of array-like of shape (fan_in, fan_out)
            Weight matrix of each layer. If all arrays are float32 so are the
            classifier's, else float64.

        intercepts : sequence of array-like of shape (fan_out,)
            Biases of each layer.

        classes : array-like of shape (n_classes,)
            Class labels in the order of the outputs, which must be sorted.

        input_intercept : array-like of shape (n_features,), default=None
            Biases of the input, for an `input_activation`.

        multilabel : bool, default=False
            Whether a row may have any number of the classes, which are then the
            column numbers of the indicator matrix.

        **params
            The classifier's other parameters; `hidden_layer_sizes` follows from
            the weights.

        Returns
        -------
        classifier : BackpropMLPClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the shapes do not fit together, or the number of outputs does not
            fit the classes.

        Examples
        --------
        >>> import numpy as np
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> mlp = BackpropMLPClassifier.from_weights(
        ...     [np.eye(2)], [np.zeros(2)], ["no", "yes"], output_activation="softmax"
        ... )
        >>> mlp.predict([[0.0, 3.0]])
        array(['yes'], dtype='<U3')
        """
        parameters = parameters_from_arrays(coefs, intercepts, input_intercept)
        units = parameters.layer_units
        classifier = cls(hidden_layer_sizes=tuple(units[1:-1]), **params)
        classifier._validate_params()
        labels = Labels.given(classes, multilabel=multilabel)
        network = make_network(classifier, units[0], labels)
        check_fits(parameters, network)
        classifier.n_features_in_ = units[0]
        vars(classifier).update(
            classifier._fitted_attributes(network, labels, History(), parameters)
        )
        return classifier

    @classmethod
    def from_sklearn(cls, mlp):
        """Make a fitted classifier of a fitted MLPClassifier.

        Parameters
        ----------
        mlp : sklearn.neural_network.MLPClassifier
            The fitted classifier; it is not changed.

        Returns
        -------
        classifier : BackpropMLPClassifier
            With the same parameters, weights and training record. Training goes on
            from there with `warm_start` or `partial_fit`; the momentum of the
            minibatch solvers starts anew.
        """
        check_is_fitted(mlp)
        params, labels, parameters, history = from_mlp_classifier(mlp)
        classifier = cls(**params)
        network = make_network(classifier, mlp.n_features_in_, labels)
        check_fits(parameters, network)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(mlp, name):
                setattr(classifier, name, getattr(mlp, name))
        vars(classifier).update(
            classifier._fitted_attributes(network, labels, history, parameters)
        )
        return classifier

    def to_sklearn(self):
        """Make a fitted MLPClassifier with the same weights and predictions.

        What it lacks (the loss, weights of classes, dropout) shapes training alone
        and is left out; solvers it lacks become "lbfgs".

        Returns
        -------
        mlp : sklearn.neural_network.MLPClassifier
            The fitted classifier, on copies of the weights.

        Raises
        ------
        ValueError
            If MLPClassifier cannot express the network: its activations, an input
            activation, or its outputs.
        """
        check_is_fitted(self)
        return to_mlp_classifier(self, self._network, self._labels, self._history)

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Class labels, or a multilabel indicator matrix.
        """
        logits = self._logits(X)
        return self._labels.decode(self._output().scores(logits))

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities; each row sums to 1, save with multilabel targets.
        """
        logits = self._logits(X)
        proba = self._output().proba(logits)
        if not self._has_one_logit():
            return proba
        return np.hstack([self._output().proba(-logits), proba])

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        It is computed from the logits and stays finite where a probability
        underflows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities.
        """
        logits = self._logits(X)
        log_proba = self._output().log_proba(logits)
        if not self._has_one_logit():
            return log_proba
        return np.hstack([self._output().log_proba(-logits), log_proba])

    def decision_function(self, X):
        """Compute how much speaks for each class.

        Logits under a softmax are defined up to a shift of each row, by which they
        could not be compared from row to row; so logarithms of its probabilities stand
        for them, which CalibratedClassifierCV calibrates better, too.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes the logit of the second, positive where it is the more
            probable; with more, the logarithm of the probability of each, or with
            logistic outputs, as for multilabel targets, its logit. Zeros where the
            data had one class only.
        """
        logits = self._logits(X)
        n_classes = len(self.classes_)
        if self._labels.multilabel:
            return logits
        if n_classes > 2:
            is_softmax = self.out_activation_ == "softmax"
            return self._output().log_proba(logits) if is_softmax else logits
        if n_classes == 1:
            return np.zeros_like(logits[:, 0])
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    def loss_and_gradient(self, X, y, sample_weight=None):
        """Evaluate the objective J and its gradient at the fitted weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels, all among `classes_`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        loss : float
            J, the penalty included.

        gradient : Gradient
            Its derivatives, a named tuple (coefs, intercepts, input_intercept) of
            arrays shaped as the attributes.

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
        network, rows, parameters = self._evaluation_point(X, y, sample_weight)
        parameters = parameters.copy(rows.X.dtype)
        gradient = parameters.zeros_like()
        with training_threads() as n_threads, np.errstate(all="ignore"):
            objective = Objective(
                network, self.alpha, rows.X.dtype, n_threads=n_threads
            )
            loss = objective.loss_and_gradient(
                parameters, rows.for_products(), gradient
            )
        return float(loss[0]), Gradient(*gradient.view_coefs(0))

    def _fitted_attributes(self, network, labels, history, parameters):
        """The attributes that make the estimator a fitted one."""
        coefs, intercepts, input_intercept = parameters.view_coefs(0)
        public = {
            "classes_": labels.classes,
            "coefs_": coefs,
            "intercepts_": intercepts,
            "input_intercept_": input_intercept,
            "n_layers_": len(network.layer_units),
            "n_outputs_": network.layer_units[-1],
            "out_activation_": network.output_activation,
        }
        for name in PUBLIC_HISTORY:
            public[f"{name}_"] = getattr(history, name)
        private = {"_labels": labels, "_history": history, "_network": network}
        return {**public, **private}

    def _evaluation_point(self, X, y, sample_weight):
        """What J is a function of: the network, the rows and the fitted weights."""
        check_is_fitted(self)
        X, y = self._validate_rows(X, y, reset=False)
        labels, targets = self._labels, self._labels.encode(y)
        weights = row_weights(X, targets, labels, self.class_weight, sample_weight)
        rows = Rows(X, targets, weights)
        network, parameters = self._described_network(), self._parameters()
        check_fits(parameters, network)
        return network, rows, parameters

    def _parameters(self):
        return Parameters.view_coefs_of(
            self.coefs_, self.intercepts_, self.input_intercept_
        )

    def _described_network(self):
        """The network that the parameters describe as they are set now."""
        return make_network(self, self.n_features_in_, self._labels)

    def _output(self):
        return make_output(
            self.out_activation_, self.n_outputs_, self._labels.multilabel
        )

    def _has_one_logit(self):
        """Whether one logit stands for two classes."""
        return len(self.classes_) == 2 and self.n_outputs_ == 1

    def _logits(self, X):
        check_is_fitted(self)
        X = validate_data(
            self,
            X,
            accept_sparse=["csr", "csc"],
            dtype=(np.float64, np.float32),
            reset=False,
        )
        network = self._network
        if network.input_activation is not None and sparse.issparse(X):
            raise ValueError(_DENSE_INPUT)
        return compute_logits(network, self._parameters(), _row_sliceable(X))

    def _validate_rows(self, X, y, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        self._check_input(X)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return _row_sliceable(X), y

    def _check_input(self, X):
        """Refuse sparse rows where an input activation would make them dense."""
        if self.input_activation is not None and sparse.issparse(X):
            raise ValueError(_DENSE_INPUT)


def _row_sliceable(X):
    """CSC is converted: minibatches and blocks are rows."""
    return X.tocsr() if sparse.issparse(X) else X
