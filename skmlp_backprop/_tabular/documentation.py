"""What the docstrings of the estimators of tables have in common."""

from functools import partial

from .._estimators.documentation import documented as _documented

PARTS = {
    "what_it_does": """\
    It takes a DataFrame as it is: categories, missing values in any column, numbers of
    any scale. Each column is encoded as :class:`TabularEncoder` tells, and a few
    networks are trained on the encoded rows, as one stack on the same minibatches, with
    Adam and a moving average of the weights. Each network is denied an eighth of the
    rows, another one each. After every epoch these rows are predicted by the networks
    that have not seen them; training stops when these predictions cease to improve,
    and goes back to the epoch in which they were best. So all rows are learned from,
    and all are there to tell when to stop. What is predicted is the networks' mean.""",
    "parameters": """\
    n_members : int, default=8
        Number of networks.

    hidden_layer_sizes : int or array-like of int, default=(128, 64)
        Number of units of each hidden layer; ``()`` for none.

    activation : str or sequence of str, default="relu"
        Activation of the hidden layers, or one for each: "identity", "logistic",
        "tanh", "relu", "leaky_relu", "elu", "gelu", "silu".

    categorical_features : "from_dtype", array-like of {bool, int, str} or None, \
            default="from_dtype"
        Which columns are categorical. "from_dtype" finds those of a DataFrame that hold
        categories, text, or objects that are not all numbers. A mask, indices or names
        declare further ones, also of an array. None is for none at all. The user guide
        has the rules for text that is numbers.

    n_bins : int or "auto", default="auto"
        Most bins of the piecewise-linear encoding of a column of numbers; 0 for none.
        "auto" is 16, or with more than 64 such columns as many as make 1024 bins of all
        together.

    batch_size : int or "auto", default="auto"
        Rows of a minibatch; "auto" is the power of two from 32 to 256 that makes at
        least eight of the rows.

    learning_rate_init : float, default=0.003
        Step size.

    max_iter : int or "auto", default="auto"
        Cap on epochs; fewer are trained where progress ceases. "auto" is as many as
        make some 2000 batches, from 40 to 80.

    n_iter_no_change : int or inf, default=8
        Epochs without progress beyond which to stop.""",
    "last_parameters": """\
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the shuffles, the masks of dropout and the
        groups of rows.

    verbose : bool or int, default=False
        Whether to print the losses of every epoch.""",
    "attributes": """\
    estimators_ : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The networks, fitted, on encoded rows.

    encoder_ : TabularEncoder
        What encodes them.

    n_iter_ : int
        Number of epochs.

    loss_ : float
        Mean loss of the networks in the last epoch, on the rows they learn from.

    loss_curve_ : list of float
        The same after each epoch.

    validation_scores_ : list of float
        After each epoch, the negative loss of the predictions of all rows by networks
        that have not seen them.

    best_validation_score_ : float
        The highest of these, of the epoch whose weights are kept. An estimate of what
        a single network scores on new rows, a little too high as it is the highest;
        their mean does better.

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
