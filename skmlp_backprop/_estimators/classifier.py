"""The classifier: its own parameters, labels and probabilities."""

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from .._network.losses import loss_names
from .._network.parameters import parameters_from_arrays
from .._solvers.training import History
from .base import BaseBackpropMLP, restore_on_error, store_parameters
from .documentation import documented
from .sklearn_private import StrOptions, _check_partial_fit_first_call, _fit_context
from .target_checks import check_scored, plain_labels, warn_of_unknown_labels
from .targets import Labels, is_multilabel, warn_of_one_hot
from .thetas import split


@documented
class BackpropMLPClassifier(ClassifierMixin, BaseBackpropMLP):
    """Multilayer perceptron classifier, trained by backpropagation.

    It minimises

        J = 1/W sum_i w_i loss_i + alpha/(2 W) sum_l ||W_l||^2,  W = sum_i w_i,

    where w_i is the sample weight times the class weight and W_l are the weight
    matrices, not the biases. With unit weights the penalty is alpha/(2 m) times
    the squared weights, so `alpha` is the lambda of the textbooks. Parameters and
    attributes of :class:`sklearn.neural_network.MLPClassifier` have the same names and
    meanings here.

    Parameters
    ----------
    ... network_parameters

    loss : {"log_loss", "squared_error"}, default="log_loss"
        Loss of a row: the cross-entropy (with logistic outputs, the sum of the binary
        cross-entropies of the outputs), or half the squared distance of the output to
        the one-hot target.

    output_activation : {"auto", "softmax", "logistic"}, default="auto"
        Activation of the outputs. "auto" is softmax for several classes and one
        logistic output for two. Logistic outputs on several classes are one-vs-all.

    ... initial_parameters

    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes; "balanced" for the inverse of their shares of the
        sample weights. Labels without a key weigh 1, keys that are no label of y are
        ignored, with a warning if a label has no key. Keys that are all text for labels
        that are numbers, or the reverse, are refused. For multilabel targets a
        list with a dict {0: ..., 1: ...} for each label, or "balanced", and a row
        weighs the product.

    ... training_parameters

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    ... attributes

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The classifier of scikit-learn.

    Notes
    -----
    ... notes

    References
    ----------
    Rumelhart, D. E., Hinton, G. E. and Williams, R. J. (1986). "Learning
    representations by back-propagating errors." Nature 323.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmlp_backprop import BackpropMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = BackpropMLPClassifier(10, solver="lbfgs", alpha=1, random_state=0)
    >>> model = make_pipeline(StandardScaler(), mlp).fit(X, y)
    >>> round(model.score(X, y), 2)
    0.98
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseBackpropMLP._parameter_constraints,
        "loss": [StrOptions(set(loss_names(("softmax", "logistic"))))],
        "output_activation": [StrOptions({"auto", "softmax", "logistic"})],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
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
        loss="log_loss",
        output_activation="auto",
        input_activation=None,
        weight_init="auto",
        class_weight=None,
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

        With the parameter ``warm_start=True``, `fit` trains from these weights.

        Parameters
        ----------
        coefs : sequence of array-like of shape (fan_in, fan_out)
            Weight matrix of each layer. If all arrays are float32 so are the
            classifier's, else float64.

        intercepts : sequence of array-like of shape (fan_out,)
            Biases of each layer.

        classes : array-like of shape (n_classes,)
            Class labels in the order of the outputs. They must be sorted and distinct.

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
        classifier = cls._of_layers(parameters, params)
        classes = np.asarray(classes)
        labels = Labels(classes, multilabel=multilabel)
        if not np.array_equal(labels.classes, classes):
            shown = ", ".join(map(repr, classes.tolist()[:10]))
            raise ValueError(
                "classes must be sorted and distinct, in the order of the outputs; "
                f"got {shown}{', ...' if len(classes) > 10 else ''}."
            )
        n_given = parameters.layer_units[-1]
        if (n_outputs := labels.make_output(classifier).n_outputs) != n_given:
            hint = ""
            if len(classes) == n_given == 2:
                hint = " Without softmax, two classes have the output of the second."
            raise ValueError(
                f"The last weights must have {n_outputs} output(s) for {len(classes)} "
                f"class(es), got {n_given}.{hint}"
            )
        return classifier._adopt_weights(parameters, labels, History())

    @classmethod
    def from_thetas(cls, thetas, classes, **params):
        """Make a fitted classifier from the exercise's Theta matrices.

        Parameters
        ----------
        thetas : sequence of array-like of shape (fan_out, fan_in + 1)
            Weights of each layer, with the biases in column 0. In the exercise, Theta1
            has the shape (25, 401) and Theta2 the shape (10, 26). For a vector of all
            weights see :meth:`set_theta`.

        classes : array-like of shape (n_classes,)
            Class labels in the order of the outputs; they must be sorted. The exercise
            uses the labels 1 to 10, with 10 for the digit 0, so pass ``range(1, 11)``.
            For the labels 0 to 9, move the last output to the front:
            ``np.roll(Theta2, 1, axis=0)``.

        **params
            Parameters of the classifier, and `input_intercept` and `multilabel` of
            :meth:`from_weights`. The exercise needs ``activation="logistic"`` and
            ``output_activation="logistic"``.

        Returns
        -------
        classifier : BackpropMLPClassifier
            The fitted classifier. :meth:`to_thetas` is the inverse.

        Raises
        ------
        ValueError
            If the shapes do not fit together, or if the number of outputs does not
            match the classes.

        Examples
        --------
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> mlp = BackpropMLPClassifier.from_thetas(
        ...     [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]], classes=["a", "b", "c"]
        ... )
        >>> mlp.intercepts_[0], mlp.coefs_[0]
        (array([1., 0., 0.]), array([[0., 1., 0.]]))
        """
        return cls.from_weights(*split(thetas), classes, **params)

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def initialize(self, X, y, classes=None, sample_weight=None):
        """Draw the initial weights, without any training.

        Then the estimator is fitted, so that you can see `loss_`, predictions and
        scores before training. `fit` starts from the same weights if `random_state` is
        an int. With `warm_start` it always starts from these weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples. The weights are float32 for float32 samples, else float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix.

        classes : array-like of shape (n_classes,), default=None
            All classes, if y may lack some; None for the classes of y.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in `loss_`; None for 1 each.

        Returns
        -------
        self : BackpropMLPClassifier
            The classifier, whose `n_iter_` is 0.

        Raises
        ------
        ValueError
            If the input or a combination of parameters is invalid, or if y has
            classes that are not in `classes`.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skmlp_backprop import BackpropMLPClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> mlp = BackpropMLPClassifier(25, weight_init=0.001, random_state=0)
        >>> round(mlp.initialize(X, y).loss_, 3)  # log(10)
        2.303
        """
        classes = plain_labels(classes, "classes")
        return self._initialize(X, y, sample_weight, self.random_state, classes)

    @available_if(lambda self: self._check_partial_fit())
    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on the given data, from the current weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix.

        classes : array-like of shape (n_classes,), default=None
            All classes of this and later calls; needed in the first call.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        self : BackpropMLPClassifier
            The classifier.

        Raises
        ------
        ValueError
            If the input is invalid.
        AttributeError
            With a full-batch solver; and with `early_stopping` or balanced class
            weights, which need all of the data.
        """
        classes = plain_labels(classes, "classes")
        # Later calls may pass any `classes` with an indicator matrix.
        is_first = not hasattr(self, "coefs_")
        if is_first or not self._target_encoder.multilabel:
            _check_partial_fit_first_call(self, classes)
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        y : ndarray of shape (n_samples,), or {ndarray, CSR matrix} of shape \
                (n_samples, n_classes)
            Class labels, or a multilabel indicator matrix, in CSR if it was sparse in
            `fit`.
        """
        logits = self._logits(X)
        return self._target_encoder.decode(self._network.output, logits)

    def predict_proba(self, X):
        """Predict the probability of each class.

        With three or more classes and logistic outputs (one-vs-all), a row is the
        outputs h(x) divided by their sum. ``forward(X).a[-1]`` has the outputs h(x).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities; each row sums to 1, except for multilabel targets.
        """
        logits = self._logits(X)
        return self._network.output.values(logits)

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
        return self._network.output.log_proba(logits)

    def decision_function(self, X):
        """Compute a confidence score of each class.

        Of a softmax these are the logarithms of the probabilities. Its logits are not
        comparable between rows, as they are defined up to a shift of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the logit of the second class, which is positive where this
            class is more probable. For more classes the logarithm of each probability,
            or with logistic outputs, as for multilabel targets, each logit. Zeros for
            a single class.
        """
        logits = self._logits(X)
        return self._network.output.decision(logits)

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        score : float
            Proportion, by weight, of the samples whose labels are all predicted.
        """
        check_scored(self, X, y, sample_weight)
        warn_of_unknown_labels(y, self.classes_)
        predicted = self.predict(X)
        y = plain_labels(y)
        if sample_weight is None and _are_alike(y, predicted):
            return float(np.mean(y == predicted))
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    @staticmethod
    def _target_encoder_of(y, classes=None):
        if is_multilabel(y):
            is_one_hot = np.asarray((y != 0).sum(axis=1) == 1).all()
            if is_one_hot and y.shape[0] > 1:
                warn_of_one_hot()
            # The classes are the numbers of the columns.
            classes, is_sparse = np.arange(y.shape[1]), sparse.issparse(y)
            return Labels(classes, multilabel=True, is_sparse=is_sparse)
        if classes is not None:
            return Labels(classes)
        check_classification_targets(y)
        return Labels(column_or_1d(y))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _are_alike(y, predicted):
    """Whether both are plain labels of the same type, so that == compares them.

    The checks of accuracy_score take several times as long as the prediction of a few
    hundred rows of a fold.
    """
    return (
        type(y) is type(predicted) is np.ndarray
        and y.ndim == predicted.ndim == 1
        and 0 < len(y) == len(predicted)
        and y.dtype == predicted.dtype
        and y.dtype.kind in "iubU"
    )
