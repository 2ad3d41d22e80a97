"""The scikit-learn face: parameters, validation, training."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from .._network.activations import ACTIVATIONS
from .._network.initialization import INITIALIZERS
from .._network.rows import Rows
from .._solvers import SOLVERS, STOCHASTIC_SOLVERS
from .._solvers.monitor import Monitor
from .._solvers.problem import Member
from .architecture import check_fits, make_network
from .callback_reports import CallbackReporter
from .fitted_network import FittedNetworkMixin
from .html import DocumentedHTMLMixin
from .labels import Labels, is_multilabel
from .old_fit import keeping_the_old_fit_on_error
from .plain_state import from_plain, to_plain
from .sklearn_private import (
    Interval,
    Options,
    StrOptions,
    _check_partial_fit_first_call,
    _fit_context,
)
from .training import explain, initial_parameters, make_solver, new_history, train
from .weighting import row_weights


class BackpropMLPClassifier(
    CallbackSupportMixin,
    FittedNetworkMixin,
    DocumentedHTMLMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Multilayer perceptron classifier, trained by backpropagation.

    It minimises

        J = 1/W sum_i w_i loss_i + alpha/(2 W) sum_l ||W_l||^2,  W = sum_i w_i,

    where w_i is the sample weight times the class weight and W_l are the weight
    matrices, not the biases. With unit weights the penalty is alpha/(2 m) times
    the squared weights, so `alpha` is the lambda of the textbooks. Parameters and
    attributes have the names and the meaning they have in
    :class:`sklearn.neural_network.MLPClassifier`, wherever that has them.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Number of units of each hidden layer; ``()`` for none.

    activation : str or sequence of str, default="relu"
        Activation of the hidden layers, or one for each: "identity", "logistic",
        "tanh", "relu", "leaky_relu", "elu", "gelu", "silu".

    solver : {"lbfgs", "cg", "tnc", "sgd", "adam"}, default="adam"
        - "lbfgs", limited-memory BFGS; "cg", nonlinear conjugate gradients;
          "tnc", truncated Newton: SciPy's, on all rows at once.
        - "sgd", stochastic gradient descent with momentum; "adam": on minibatches.

    alpha : float, default=0.0001
        Strength of the L2 penalty.

    batch_size : int or "auto", default="auto"
        Rows of a minibatch; "auto" is min(200, n_samples). As large as the data
        it is plain gradient descent. Only for "sgd" and "adam".

    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        Schedule of "sgd": constant at `learning_rate_init`; that divided by
        ``(t + 1) ** power_t`` after t samples; or divided by 5 whenever the loss
        has not fallen by `tol` for `n_iter_no_change` epochs, down to 1e-6.

    learning_rate_init : float, default=0.001
        Initial step size of "sgd" and "adam".

    power_t : float, default=0.5
        Exponent of "invscaling".

    max_iter : int, default=200
        Cap on iterations; on epochs for "sgd" and "adam".

    loss : {"log_loss", "squared_error"}, default="log_loss"
        Loss of a row: the cross-entropy, with logistic outputs that of each output
        summed over the outputs; or half the squared distance of the output to the
        one-hot target.

    output_activation : {"auto", "softmax", "logistic"}, default="auto"
        Activation of the outputs. "auto" is softmax for several classes and one
        logistic output for two. Logistic outputs on several classes are one-vs-all.

    input_activation : str or None, default=None
        An activation f that makes the network's input f(x + b), with a trainable
        bias b for each feature.

    weight_init : {"auto", "he", "normal"} or float, default="auto"
        Initial weights: Glorot uniform as MLPClassifier's; N(0, 2/fan_in) with
        biases 0; N(0, 1/fan_in) with biases N(0, 1); a float eps for U(-eps, eps).

    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes; "balanced" for the inverse of their shares of the
        sample weights. Labels without a key weigh 1, keys that are no label of y are
        ignored. For multilabel targets a list with a dict {0: ..., 1: ...} for each
        label, or "balanced", and a row weighs the product.

    shuffle : bool, default=True
        Whether "sgd" and "adam" shuffle the rows before each epoch.

    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the shuffles and the validation split.

    tol : float, default=1e-4
        Tolerance: of the gradient's largest entry for "lbfgs", "cg" and "tnc"; of
        the improvement per epoch for "sgd" and "adam".

    verbose : bool or int, default=False
        Whether to print the loss of every iteration.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous call.

    momentum : float, default=0.9
        Momentum of "sgd", in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.

    early_stopping : bool, default=False
        Whether "sgd" and "adam" hold `validation_fraction` of the rows out, stop by
        the accuracy on these, and keep the weights that were best at it. The split
        is stratified, save with multilabel targets and where a class is too small.

    validation_fraction : float, default=0.1
        Share of the rows held out by `early_stopping`.

    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), that a hidden unit is silent for a row in training
        with "sgd" or "adam"; one for all hidden layers or one for each. The
        others' outputs are scaled up to make up for it, and prediction uses all.

    beta_1 : float, default=0.9
        Decay rate of the first moment of "adam", in [0, 1).

    beta_2 : float, default=0.999
        Decay rate of the second moment of "adam", in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment of "adam".

    n_iter_no_change : int or inf, default=10
        Epochs without an improvement of `tol` after which "sgd" and "adam" stop.

    max_fun : int, default=15000
        Cap on evaluations of loss and gradient of "lbfgs", "cg" and "tnc".

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weight matrix of each layer.

    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer.

    input_intercept_ : ndarray of shape (n_features,) or None
        Biases of the input, if there is an `input_activation`.

    loss_ : float
        J at the final weights; for "sgd" and "adam" its mean over the last epoch,
        each batch's taken before its step.

    best_loss_ : float or None
        Lowest J of the training; None with `early_stopping`.

    loss_curve_ : list of float
        J after each iteration; its mean over each epoch.

    n_fun_curve_ : list of int
        Number of evaluations up to the end of each of these.

    time_curve_ : list of float
        Seconds of training up to the end of each of these.

    validation_scores_ : list of float or None
        Accuracy on the held-out rows after each epoch, with `early_stopping`.

    best_validation_score_ : float or None
        The highest of these.

    n_iter_ : int
        Number of iterations or epochs.

    n_fun_ : int
        Number of evaluations of loss and gradient.

    t_ : int
        Number of samples seen in training.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Number of outputs.

    out_activation_ : str
        Name of the output activation.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are all strings.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : scikit-learn's own.

    Notes
    -----
    When a cap strikes, a ConvergenceWarning names it. The full-batch solvers, and early
    stopping, then keep the best weights seen; "sgd" and "adam" the last ones.

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
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
        "solver": [StrOptions(set(SOLVERS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        # Beyond these the first rate, or range of the weights, is no float any more.
        "power_t": [Interval(Real, 0, 50, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "loss": [StrOptions({"log_loss", "squared_error"})],
        "output_activation": [StrOptions({"auto", "softmax", "logistic"})],
        "input_activation": [StrOptions(set(ACTIVATIONS)), None],
        "weight_init": [
            StrOptions(set(INITIALIZERS)),
            Interval(Real, 0, 1e300, closed="both"),
        ],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
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
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
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
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.loss = loss
        self.output_activation = output_activation
        self.input_activation = input_activation
        self.weight_init = weight_init
        self.class_weight = class_weight
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.dropout = dropout
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    @_fit_context(prefer_skip_nested_validation=True)
    @keeping_the_old_fit_on_error
    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Fit the network to data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples. float32 input is trained in float32 (by "tnc" in float64),
            everything else in float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        self : BackpropMLPClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the input or a combination of parameters is invalid, or the
            objective is not finite at the initial weights. What was fitted before
            stays as it was.
        """
        context = self._init_callback_context(max_subtasks=self.max_iter)
        continuing = self.warm_start and hasattr(self, "coefs_")
        X, y = self._validate_rows(X, y, reset=not continuing)
        labels = self._labels_of_warm_start(y) if continuing else Labels.of(y)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        data = {"X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **data)
        member = self._train(
            X, y, sample_weight, labels, make_solver(self), continuing, context, data
        )
        explain(member, self)
        context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes={}, **data
        )
        return self

    @available_if(lambda self: self._check_partial_fit())
    @_fit_context(prefer_skip_nested_validation=True)
    @keeping_the_old_fit_on_error
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on the given data, going on from where it stands.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix.

        classes : array-like of shape (n_classes,), default=None
            All classes there will be; needed in the first call.

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
        first_call = not hasattr(self, "coefs_")
        X, y = self._validate_rows(X, y, reset=first_call)
        self._set_labels_of_partial_fit(y, classes, first_call)
        solver = make_solver(self)
        if isinstance(getattr(self, "_optimizer", None), type(solver)):
            solver.resume(self._optimizer)
        solver.max_iter = 1
        member = self._train(
            X, y, sample_weight, self._labels, solver, continuing=not first_call
        )
        # Here an epoch is all that is asked for.
        if member.stop.reason != "max_iter":
            explain(member, self)
        return self

    def _initialized(self, X, y, random_state):
        """A copy with freshly initialised weights, as if fitted for no iteration."""
        copy = clone(self)
        X, y = copy._validate_rows(X, y, reset=True)
        labels = Labels.of(y)
        network = make_network(copy, X.shape[1], labels)
        parameters = initial_parameters(copy, network, random_state).copy()
        vars(copy).update(
            copy._fitted_attributes(network, labels, new_history(copy), parameters)
        )
        return copy

    def _train(
        self, X, y, sample_weight, labels, solver, continuing, context=None, data=None
    ):
        """Run a solver from new weights, or on from those there are; return how."""
        network = make_network(self, X.shape[1], labels)
        targets = labels.encode(y)
        weights = row_weights(X, targets, labels, self.class_weight, sample_weight)
        random_state = check_random_state(self.random_state)
        history = new_history(self)
        if continuing:
            parameters, history = self._parameters(), self._history.continued(history)
            check_fits(parameters, network)
        else:
            parameters = initial_parameters(self, network, random_state)

        def fitted(history, parameters):
            # A solver may have evaluated in another precision than that of the rows.
            if parameters.flat.dtype != X.dtype:
                parameters = parameters.copy(X.dtype)
            return self._fitted_attributes(network, labels, history, parameters)

        reporter = None
        if data is not None and hasattr(self, "_skl_callbacks"):
            task_name = "epoch" if solver.stochastic else "iteration"
            reporter = CallbackReporter(self, context, task_name, fitted, **data)
        member = Member(solver, history, Monitor(self.verbose, reporter))
        rows = Rows(X, targets, weights)
        train([self], network, labels, rows, [parameters], [member], [random_state])
        vars(self).update(fitted(history, member.parameters))
        self._optimizer = solver
        return member

    def _labels_of_warm_start(self, y):
        """The classes there are, if y has exactly these."""
        classes = Labels.of(y).classes
        if set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes_}, `y` has "
                f"{classes}"
            )
        return self._labels

    def _set_labels_of_partial_fit(self, y, classes, first_call):
        """Take the classes from the first call; check them in every other."""
        if not first_call and self._labels.multilabel:
            return
        _check_partial_fit_first_call(self, classes)
        if first_call and is_multilabel(y):
            # The columns are the classes, whatever `classes` calls them.
            self._labels = Labels(np.arange(y.shape[1]), multilabel=True)
        elif first_call:
            self._labels = Labels(classes)

    def _check_partial_fit(self):
        """Raise the reason why there is no partial_fit, if there is one."""
        if self.solver not in STOCHASTIC_SOLVERS:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. Use "
                "compute_class_weight on the whole of y and pass a dict."
            )
        return True

    def __getstate__(self):
        state = super().__getstate__()
        return to_plain(state) if "_network" in state else state

    def __setstate__(self, state):
        super().__setstate__(from_plain(state) if "private_state" in state else state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags
