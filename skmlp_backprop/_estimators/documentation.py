"""Sections that the docstrings of classifier and regressor have in common."""

from inspect import cleandoc
from textwrap import dedent

PARTS = {
    "network_parameters": """\
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Number of units of each hidden layer; ``()`` for none.

    activation : str, Activation or sequence of these, default="relu"
        Activation of the hidden layers, or a sequence with an activation for each:
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", or
        an object, see :mod:`skmlp_backprop.extending`.

    solver : {"lbfgs", "cg", "tnc", "sgd", "adam"} or Rule, default="adam"
        - On all rows at once, by SciPy: "lbfgs", limited-memory BFGS; "cg", nonlinear
          conjugate gradients; "tnc", truncated Newton.
        - On minibatches: "sgd", gradient descent with momentum; "adam"; or an update
          rule, see :mod:`skmlp_backprop.extending`.

    alpha : float, default=0.0001
        Strength of the L2 penalty.

    batch_size : int or "auto", default="auto"
        Number of rows of a minibatch of "sgd" and "adam". "auto" is
        min(200, n_samples).

    learning_rate : {"constant", "invscaling", "adaptive", "cosine"} or Schedule, \
            default="constant"
        Schedule of the learning rate of "sgd" and "adam":

        - "constant": `learning_rate_init`;
        - "cosine": falls from there to 0 over `max_iter` epochs, as half a cosine;
        - "invscaling", for "sgd" only: `learning_rate_init` divided by
          ``(t + 1) ** power_t`` after t samples;
        - "adaptive", for "sgd" only: divided by 5 after more than `n_iter_no_change`
          epochs in succession without an improvement of `tol`, until it is at most
          1e-6;
        - or an object, see :mod:`skmlp_backprop.extending`.

    learning_rate_init : float, default=0.001
        Initial step size of "sgd" and "adam".

    power_t : float, default=0.5
        Exponent of "invscaling".

    max_iter : int, default=200
        Largest number of iterations, or of epochs for "sgd" and "adam".""",
    "initial_parameters": """\
    input_activation : str, Activation or None, default=None
        Activation f of the inputs: the first layer takes f(x + b), with a trainable
        bias b for each feature. None for x itself.

    weight_init : {"auto", "he", "normal"} or float, default="auto"
        Initial weights:

        - "auto", Glorot uniform, as in MLPClassifier;
        - "he", N(0, 2/fan_in), and biases 0;
        - "normal", N(0, 1/fan_in), and biases N(0, 1);
        - a float eps, U(-eps, eps).""",
    "training_parameters": """\
    shuffle : bool, default=True
        Whether "sgd" and "adam" shuffle the rows before each epoch.

    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the shuffles, the validation split and the masks
        of dropout.

    tol : float, default=1e-4
        Tolerance: of the gradient's largest entry for "lbfgs", "cg" and "tnc"; of
        the improvement per epoch for "sgd" and "adam".

    verbose : bool or int, default=False
        Whether to print the loss of every iteration.

    warm_start : bool, default=False
        Whether `fit` continues from the weights of the previous call.

    momentum : float, default=0.9
        Momentum of "sgd", in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.

    early_stopping : bool, default=False
        Whether "sgd" and "adam" hold out `validation_fraction` of the rows, stop when
        the score of these rows ceases to improve, and keep the weights with the highest
        score. The score is the accuracy of a classifier and R2 of a regressor, or D2
        with the losses "quantile" and "absolute_error". The split is stratified by
        class, except with multilabel targets and where a class is too small.

    validation_fraction : float, default=0.1
        Proportion of the rows that `early_stopping` holds out.

    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), that the output of a hidden unit is set to 0 for a row
        in training with "sgd" or "adam": a number for all hidden layers, or a sequence
        with a number for each. The other outputs are divided by 1 - `dropout`.
        Predictions use all units.

    average_epochs : float, default=0
        Number of epochs of an exponential moving average of the weights of "sgd" and
        "adam"; 0 for no average. The fit ends with the average, and `early_stopping`
        scores it. The average often predicts better than the weights after any step, so
        that the learning rate need not fall. 2 is a good value. `warm_start` and
        `partial_fit` continue from the average, and begin a new average.

    beta_1 : float, default=0.9
        Decay rate of the first moment of "adam", in [0, 1).

    beta_2 : float, default=0.999
        Decay rate of the second moment of "adam", in [0, 1).

    epsilon : float, default=1e-8
        Added to the root of the second moment of "adam".

    n_iter_no_change : int or inf, default=10
        "sgd" and "adam" stop after more than this number of epochs in succession
        without an improvement of `tol`.

    max_fun : int, default=15000
        Largest number of evaluations of loss and gradient by "lbfgs", "cg" and
        "tnc".

    device : str, default="cpu"
        Where "sgd" and "adam" train: "cpu" by NumPy; other names by PyTorch on the
        device of this name, such as "cuda", "cuda:1" or "mps", and "torch:cpu" on the
        processor. PyTorch takes dense X and activations that have a name. The results
        are those of "cpu" up to rounding, which grows over many epochs in float32 with
        activations that have a kink. The fitted weights are NumPy's, and predictions
        are made by NumPy.""",
    "attributes": """\
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weight matrix of each layer.

    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer.

    input_intercept_ : ndarray of shape (n_features,) or None
        Biases of the input, if there is an `input_activation`.

    loss_ : float
        J at the final weights. For "sgd" and "adam" it is the mean of J over the
        batches of the last epoch, each evaluated before its step.

    best_loss_ : float or None
        Lowest J of the training; None with `early_stopping`.

    loss_curve_ : list of float
        J after each iteration; its mean over each epoch for "sgd" and "adam".

    n_fun_curve_ : list of int
        Number of evaluations up to the end of each iteration or epoch.

    time_curve_ : list of float
        Seconds of training up to the end of each iteration or epoch.

    validation_scores_ : list of float or None
        Score on the held-out rows after each epoch, with `early_stopping`.

    best_validation_score_ : float or None
        Highest of the `validation_scores_`.

    n_iter_ : int
        Number of iterations or epochs.

    n_fun_ : int
        Number of evaluations of loss and gradient.

    stop_reason_ : str or None
        Reason for the end of the training: "converged"; "max_iter" or "max_fun", the
        limit that was reached; "stalled", if rounding or a kink stopped a full-batch
        solver; "callback"; "interrupted"; "diverged"; "partial_fit", after an epoch.
        None for given or initialised weights.

    message_ : str or None
        The reason in a sentence. If there is a warning about it, the text of the
        warning.

    converged_ : bool
        Whether `stop_reason_` is "converged", which depends on `tol`.

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
    A ConvergenceWarning tells of a training that ends at `max_iter` or `max_fun`. The
    full-batch solvers, and fits with early stopping, then keep the best weights they
    have seen; "sgd" and "adam" keep the last weights.""",
}


def documented(cls, parts=PARTS):
    """Class decorator: replace the lines "... name" of a docstring by sections."""
    # python -OO removes docstrings, and Python 3.13 their indentation.
    if cls.__doc__:
        documentation = cleandoc(cls.__doc__)
        for name, text in parts.items():
            documentation = documentation.replace(f"... {name}", dedent(text))
        cls.__doc__ = documentation
    return cls
