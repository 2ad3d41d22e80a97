"""What the docstrings of the estimators of tables have in common."""

from functools import partial

from .._estimators.documentation import documented as _documented

PARTS = {
    "what_it_does": """\
    It takes a DataFrame with categories, missing values in any column and numbers of
    any scale. A :class:`TabularEncoder` encodes the columns. Then a few networks are
    trained on the same minibatches, with Adam and a moving average of the weights. Each
    network leaves out another eighth of the rows. After every epoch it predicts the
    rows that it left out. Training stops when these predictions cease to improve, and
    returns to the epoch in which they were best. So all rows are used for training, and
    all rows are used to tell when to stop. The ensemble predicts the mean of its
    networks.""",
    "parameters": """\
    n_members : int, default=8
        Number of networks.

    hidden_layer_sizes : int or array-like of int, default=(128, 64)
        Number of units of each hidden layer; ``()`` for none.

    activation : str, Activation or sequence of these, default="relu"
        Activation of the hidden layers, or a sequence with an activation for each:
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", or
        an object, see :mod:`skmlp_backprop.extending`.

    categorical_features : "from_dtype", array-like of {bool, int, str} or None, \
            default="from_dtype"
        Which columns are categorical. "from_dtype" takes the columns of a DataFrame
        that hold categories, text, or objects that are not all numbers. A mask, indices
        or names declare further columns, also of an array. None means that no column
        is. The user guide has the rules for text that is numbers.

    n_bins : int or "auto", default="auto"
        Largest number of bins of the piecewise-linear encoding of a column of numbers;
        0 for no such encoding. "auto" is 16. With more than 64 such columns it is 1024
        divided by their number.

    batch_size : int or "auto", default="auto"
        Number of rows of a minibatch. "auto" is the largest power of two, from 32 to
        256, that cuts the rows into eight batches or more.

    learning_rate_init : float, default=0.003
        Step size.

    max_iter : int or "auto", default="auto"
        Largest number of epochs. "auto" is the number of epochs that make about 2000
        batches, from 40 to 80.

    n_iter_no_change : int or inf, default=8
        Training stops after more epochs in succession than this without progress.""",
    "last_parameters": """\
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the order of the rows, the masks of dropout and
        the groups of rows that networks leave out.

    verbose : bool or int, default=False
        Whether to print the losses of every epoch.""",
    "attributes": """\
    estimators_ : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The fitted networks. They take encoded rows.

    encoder_ : TabularEncoder
        The fitted encoder.

    n_iter_ : int
        Number of epochs.

    stop_reason_ : str
        Why the training ended: "converged", as the score had ceased to improve;
        "max_iter"; "callback"; "interrupted"; "diverged".

    message_ : str
        The same in a sentence.

    converged_ : bool
        Whether it is "converged".

    loss_ : float
        Mean loss of the networks in the last epoch, on the rows they are trained on.

    loss_curve_ : list of float
        This loss in each epoch.

    validation_scores_ : list of float
        After each epoch, the negative loss of the predictions of all rows by networks
        that have not seen them.

    best_validation_score_ : float
        The highest of these scores, that of the epoch whose weights are kept. It
        estimates the score of a single network on new rows, slightly too high, as it
        is the highest of many. The mean of the networks scores better.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X has names that are all strings.""",
    "references": """\
    Gorishniy, Y., Kotelnikov, A. and Babenko, A. (2025). "TabM: Advancing tabular deep
    learning with parameter-efficient ensembling." ICLR. Networks trained side by side,
    each with its own loss.

    Holzmüller, D., Grinsztajn, L. and Steinwart, I. (2024). "Better by default: strong
    pre-tuned MLPs and boosted trees on tabular data." NeurIPS. The scaling of inputs
    and their trainable scales.

    Polyak, B. and Juditsky, A. (1992). "Acceleration of stochastic approximation by
    averaging." SIAM Journal on Control and Optimization 30. The average of the weights.

    Breiman, L. (1996). "Bagging predictors." Machine Learning 24. Rows that a member
    has not seen as its test.""",
}

documented = partial(_documented, parts=PARTS)
