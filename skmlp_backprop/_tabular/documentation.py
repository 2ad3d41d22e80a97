"""Sections that the docstrings of both tabular estimators have."""

from functools import partial

from .._estimators.documentation import documented as _documented

PARTS = {
    "what_it_does": """\
    It takes a DataFrame with categories, dates, missing values in any column and
    numbers of any scale. A :class:`TabularEncoder` encodes the columns. The rows are
    split into eight folds, and the networks are trained on the same minibatches, with
    Adam and a moving average of the weights. Each network leaves one fold out of its
    training, and predicts that fold after every epoch. Training stops when these
    predictions stop improving, and returns to the weights of the best epoch. So with
    eight networks or more, every row serves for training and for validation. The
    ensemble predicts the mean of its networks.""",
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
        Which columns are categorical. "from_dtype" selects the columns of a DataFrame
        that hold categories, text, or objects that are neither all numbers nor all
        dates. A mask, indices or names select columns in addition, and also select
        columns of an array; a mask that is a Series is matched to the columns of a
        DataFrame by its index, if that has their names. None makes no column
        categorical. The user guide has the rules for numbers that are written as text.

    n_bins : int or "auto", default="auto"
        Largest number of bins of the piecewise-linear encoding of a column of numbers
        or dates; 0 for no such encoding. "auto" is 16. With more than 64 such columns
        it is 1024 divided by their number, or 0 if that is less than 2. The bins lie
        between quantiles. In a classifier, thresholds that separate the classes take
        the place of half of the quantiles, if a decision tree of the column finds any
        and `fit` has no groups. A threshold at which the classes change abruptly has
        two narrow bins beyond this number. With "auto", a column within whose bins y
        varies has further bins, and codes such as the numbers of shops have an entry
        each, as the user guide describes.

    batch_size : int or "auto", default="auto"
        Number of rows of a minibatch. "auto" is the largest power of two that divides
        the rows into eight batches or more, but at least 32 and at most 256.

    learning_rate_init : float, default=0.003
        Step size.

    max_iter : int or "auto", default="auto"
        Largest number of epochs. "auto" is the number of epochs, from 40 to 80, that
        makes about 2000 batches. With more than 250,000 rows it is 10 million divided
        by their number, but 10 or more.

    n_iter_no_change : int or inf, default=8
        Training stops after more than this number of epochs in succession without an
        improvement of the validation score.""",
    "last_parameters": """\
    n_jobs : int or None, default=None
        Number of cores that share the networks; -1 for all. None for the number that
        makes the fit fastest, or 1 if the caller has limited the threads or runs in a
        process of joblib's. From four cores on, a fit of many seconds uses processes of
        joblib's; other fits use at most four threads. The number has no effect on the
        result, except for rounding, and none at all with another `device` than "cpu".

    device : str, default="cpu"
        Where the networks train: "cpu" by NumPy; other names by PyTorch on the device
        of this name, such as "cuda", "cuda:1" or "mps", and "torch:cpu" on the
        processor. PyTorch takes activations that have a name. The results are those of
        "cpu" up to rounding in float32, the fitted weights are NumPy's, and
        predictions are made by NumPy.

    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the order of the rows, the masks of dropout and
        the folds that the networks leave out.

    verbose : bool or int, default=False
        Whether to print the losses of every epoch.

    warm_start : bool, default=False
        Whether a further `fit` continues the training of the networks, with the
        encoding of the first fit, which needs ``warm_start=True``, too. `max_iter`
        includes the epochs of all fits, as in HistGradientBoosting: after 10 epochs, a
        fit with `max_iter` of 30 trains for 20, and ends with the result of a single
        fit of 30. A training that has converged goes on for an epoch, and for more as
        long as the validation score improves. The state between the fits takes about
        six times the memory of the weights in float32, and 20 bytes for each row. The
        rows and their order should be the same in each fit, and the groups must be. For
        other rows the folds are drawn anew. If rows of an earlier fit are among them,
        networks may be validated by rows that they were trained on, and a warning says
        so: then pass other rows as `X_val`.""",
    "attributes": """\
    encoder_ : TabularEncoder
        The fitted encoder.

    n_iter_ : int
        Number of epochs.

    stop_reason_ : str
        Reason for the end of the training: "converged", if the score stopped
        improving; "max_iter"; "callback"; "interrupted"; "diverged".

    message_ : str
        The reason in a sentence.

    converged_ : bool
        Whether `stop_reason_` is "converged".

    loss_ : float
        Mean loss of the networks in the last epoch, on their training rows.

    loss_curve_ : list of float
        Mean loss of the networks on their training rows, in each epoch.""",
    "last_attributes": """\
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Importance of each column: the mean increase of the loss of left-out rows when
        the column is permuted; 0 if the loss falls. Computed when first read, see
        :meth:`importances`.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Defined if X has names that are all strings.""",
    "references": """\
    Gorishniy, Y., Kotelnikov, A. and Babenko, A. (2025). "TabM: Advancing tabular deep
    learning with parameter-efficient ensembling." ICLR. Networks trained side by side,
    each with its own loss.

    Holzmüller, D., Grinsztajn, L. and Steinwart, I. (2024). "Better by default: strong
    pre-tuned MLPs and boosted trees on tabular data." NeurIPS. The scaling of inputs
    and their trainable scales.

    Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). "On embeddings for numerical
    features in tabular deep learning." NeurIPS. The bins of numbers and, in the
    classifier, the thresholds that separate the classes.

    Polyak, B. and Juditsky, A. (1992). "Acceleration of stochastic approximation by
    averaging." SIAM Journal on Control and Optimization 30. The average of the weights.

    Breiman, L. (1996). "Bagging predictors." Machine Learning 24. Validation of each
    member on the rows that it left out.""",
}

documented = partial(_documented, parts=PARTS)
