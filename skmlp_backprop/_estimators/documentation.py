"""What the docstrings of classifier and regressor have in common."""

from inspect import cleandoc
from textwrap import dedent

PARTS = {
    "network_parameters": """\
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

    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, default="constant"
        Schedule: constant at `learning_rate_init`; or "cosine", down to 0 over
        `max_iter` epochs as half a cosine. Of "sgd" also "invscaling", that divided by
        ``(t + 1) ** power_t`` after t samples; and "adaptive", divided by 5 whenever
        the loss has not fallen by `tol` for `n_iter_no_change` epochs, down to 1e-6.

    learning_rate_init : float, default=0.001
        Initial step size of "sgd" and "adam".

    power_t : float, default=0.5
        Exponent of "invscaling".

    max_iter : int, default=200
        Cap on iterations; on epochs for "sgd" and "adam".""",
    "initial_parameters": """\
    input_activation : str or None, default=None
        An activation f that makes the network's input f(x + b), with a trainable
        bias b for each feature.

    weight_init : {"auto", "he", "normal"} or float, default="auto"
        Initial weights: Glorot uniform as MLPClassifier's; N(0, 2/fan_in) with
        biases 0; N(0, 1/fan_in) with biases N(0, 1); a float eps for U(-eps, eps).""",
    "training_parameters": """\
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
        the score on these, and keep the weights that were best at it. It is the
        accuracy; of numbers R2, with loss "quantile" or "absolute_error" D2. The split
        is stratified by class, save with multilabel targets and where a class is too
        small.

    validation_fraction : float, default=0.1
        Share of the rows held out by `early_stopping`.

    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), that a hidden unit is silent for a row in training
        with "sgd" or "adam"; one for all hidden layers or one for each. The
        others' outputs are scaled up to make up for it, and prediction uses all.

    average_epochs : float, default=0
        Over how many epochs the weights of "sgd" and "adam" are averaged, the latest
        the most: a fit is judged by the average, and ends with it, which often predicts
        better than any weights along the way, and makes a falling learning rate
        unnecessary. 2 is a good value; 0 for the latest weights alone. `warm_start` and
        `partial_fit` go on from the average, with a new one.

    beta_1 : float, default=0.9
        Decay rate of the first moment of "adam", in [0, 1).

    beta_2 : float, default=0.999
        Decay rate of the second moment of "adam", in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment of "adam".

    n_iter_no_change : int or inf, default=10
        Epochs without an improvement of `tol` after which "sgd" and "adam" stop.

    max_fun : int, default=15000
        Cap on evaluations of loss and gradient of "lbfgs", "cg" and "tnc".""",
    "attributes": """\
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
        Score on the held-out rows after each epoch, with `early_stopping`.

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
        Names of the features, where X has names that are all strings.""",
    "notes": """\
    When a cap strikes, a ConvergenceWarning names it. The full-batch solvers, and early
    stopping, then keep the best weights seen; "sgd" and "adam" the last ones.""",
}


def documented(cls, parts=PARTS):
    """Class decorator: fill the common parts into a docstring."""
    # There is none under python -OO; from Python 3.13 on it is without indentation.
    if cls.__doc__:
        documentation = cleandoc(cls.__doc__)
        for name, text in parts.items():
            documentation = documentation.replace(f"... {name}", dedent(text))
        cls.__doc__ = documentation
    return cls
