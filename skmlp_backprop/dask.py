"""Estimators that fit on a Dask cluster, for data that exceed a single machine.

They need Dask: ``pip install "dask[array,dataframe]" distributed``.
"""

import numpy as np
from sklearn.utils.metaestimators import available_if

from ._estimators.base import restore_on_error, store_parameters
from ._estimators.classifier import BackpropMLPClassifier
from ._estimators.documentation import PARTS, documented
from ._estimators.regressor import BackpropMLPRegressor
from ._estimators.target_checks import check_scored
from ._estimators.targets import d2_of_quantiles

try:
    from ._distributed.chunks import are_distributed
    from ._distributed.estimator import DaskMixin
    from ._distributed.prediction import hits, r2_of_squares, refuse_no_weight, squares
except ImportError as error:
    raise ImportError(
        "skmlp_backprop.dask requires dask and distributed. You can install them with "
        '`pip install "dask[array,dataframe]" distributed`.'
    ) from error

__all__ = ["DaskBackpropMLPClassifier", "DaskBackpropMLPRegressor"]

_PARTS = {
    **PARTS,
    "client": """\
    client : distributed.Client or None, default=None
        Client of the cluster; None for Dask's current client. The client is not
        pickled. Copies and clones share it.""",
    "distributed_notes": """\
    With "lbfgs", "cg" and "tnc" the fitted weights equal those of a local fit to the
    same rows, up to rounding. With "sgd" and "adam" they differ: a batch takes rows
    from every worker, in proportion to the worker's rows. A fit is reproducible for the
    same chunks, number of workers and `random_state`.

    Each worker that is present when `fit` begins gets a part of the rows. A worker that
    joins later gets a part in the next fit. If a worker dies, Dask computes its part
    again at another worker. `early_stopping` with "sgd" and "adam" raises an error; use
    :class:`~skmlp_backprop.callbacks.EarlyStopping` instead.

    With Dask collections `fit` raises an error for another `device` than "cpu".

    With local data, all methods run locally.""",
}


class DaskBackpropMLPClassifier(DaskMixin, BackpropMLPClassifier):
    """BackpropMLPClassifier for Dask collections, fitted on a Dask cluster.

    It minimises the same J as the local estimator: in every evaluation of J, each
    worker sums over its own rows.

    Parameters
    ----------
    ... network_parameters

    loss : {"log_loss", "squared_error"}, default="log_loss"
        See :class:`BackpropMLPClassifier`.

    output_activation : {"auto", "softmax", "logistic"}, default="auto"
        See :class:`BackpropMLPClassifier`.

    ... initial_parameters

    class_weight : dict, list of dict, "balanced" or None, default=None
        See :class:`BackpropMLPClassifier`. "balanced" uses the shares of the classes in
        all rows.

    ... training_parameters

    ... client

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    ... attributes

    See Also
    --------
    BackpropMLPClassifier : The estimator for a single machine.

    Notes
    -----
    ... distributed_notes

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop.dask import DaskBackpropMLPClassifier
    >>> X, y = (da.from_array(part, chunks=50) for part in load_iris(return_X_y=True))
    >>> with Client(n_workers=2) as client:  # doctest: +SKIP
    ...     mlp = DaskBackpropMLPClassifier(10, solver="lbfgs", random_state=0)
    ...     mlp.fit(X, y).score(X, y)
    0.98
    """

    _local = BackpropMLPClassifier
    _parameter_constraints: dict = {  # noqa: RUF012
        **BackpropMLPClassifier._parameter_constraints,
        "client": "no_validation",
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
        client=None,
    ):
        store_parameters(locals())

    @available_if(lambda self: self._check_partial_fit())
    @restore_on_error
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch; with Dask collections, chunk by chunk in order.

        The training runs on the client, which holds a single chunk at a time in memory.
        If a chunk is refused, the estimator stays as it was before the call.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        y : {Dask Array, Series or DataFrame, array-like} of shape (n_samples,) or \
                (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix.

        classes : array-like of shape (n_classes,), default=None
            All classes of all calls. The first call needs it.

        sample_weight : {Dask Array or Series, array-like} of shape (n_samples,), \
                default=None
            Weights of the samples. With None, each sample weighs 1.

        Returns
        -------
        self : DaskBackpropMLPClassifier
            The classifier.
        """
        partial_fit = super().partial_fit
        if not are_distributed(X, y, sample_weight):
            return partial_fit(X, y, classes, sample_weight)
        for X_chunk, y_chunk, *weights in self._computed_chunks(X, y, sample_weight):
            partial_fit(X_chunk, y_chunk, classes, *weights)
        return self

    def predict_proba(self, X):
        """Predict the probability of each class; for a Dask collection lazily.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        Returns
        -------
        proba : Dask Array or ndarray of shape (n_samples, n_classes)
            Probabilities. Each row sums to 1, except with multilabel targets.
        """
        return self._predict_by("predict_proba", X)

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class; see `predict_proba`.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        Returns
        -------
        log_proba : Dask Array or ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities.
        """
        return self._predict_by("predict_log_proba", X)

    def decision_function(self, X):
        """Compute a confidence score of each class; for a Dask collection lazily.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        Returns
        -------
        decision : Dask Array or ndarray of shape (n_samples,) or (n_samples, n_classes)
            See :meth:`BackpropMLPClassifier.decision_function`.
        """
        return self._predict_by("decision_function", X)

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy; with Dask collections, the workers count the hits.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        y : {Dask Array, Series or DataFrame, array-like} of shape (n_samples,) or \
                (n_samples, n_outputs)
            The true labels.

        sample_weight : {Dask Array or Series, array-like} of shape (n_samples,), \
                default=None
            Weights of the samples, 0 or more. With None, each sample weighs 1.

        Returns
        -------
        score : float
            The accuracy, from 0 to 1.
        """
        if not are_distributed(X, y, sample_weight):
            return super().score(X, y, sample_weight)
        sums = self._sums_of_chunks(hits, X, y, sample_weight)
        correct, weight = np.sum(sums, axis=0)
        refuse_no_weight(weight)
        return float(correct / weight)


class DaskBackpropMLPRegressor(DaskMixin, BackpropMLPRegressor):
    """BackpropMLPRegressor for Dask collections, fitted on a Dask cluster.

    It minimises the same J as the local estimator: in every evaluation of J, each
    worker sums over its own rows.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "quantile", "poisson", \
            "gamma"}, default="squared_error"
        See :class:`BackpropMLPRegressor`.

    ... network_parameters

    quantile : float or sequence of float, default=0.5
        The quantile, or several quantiles, that loss "quantile" estimates.

    huber_epsilon : float, default=1.35
        Size of an error, in units of y, from which loss "huber" is linear.

    ... initial_parameters

    ... training_parameters

    ... client

    Attributes
    ----------
    ... attributes

    See Also
    --------
    BackpropMLPRegressor : The estimator for a single machine.

    Notes
    -----
    ... distributed_notes

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skmlp_backprop.dask import DaskBackpropMLPRegressor
    >>> X = da.random.default_rng(0).normal(size=(1000, 5), chunks=(100, 5))
    >>> with Client(n_workers=2) as client:  # doctest: +SKIP
    ...     mlp = DaskBackpropMLPRegressor(solver="lbfgs", random_state=0)
    ...     mlp.fit(X, X.sum(axis=1)).predict(X).compute()
    """

    _local = BackpropMLPRegressor
    _parameter_constraints: dict = {  # noqa: RUF012
        **BackpropMLPRegressor._parameter_constraints,
        "client": "no_validation",
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
        client=None,
    ):
        store_parameters(locals())

    @available_if(lambda self: self._check_partial_fit())
    @restore_on_error
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch; with Dask collections, chunk by chunk in order.

        The training runs on the client, which holds a single chunk at a time in memory.
        If a chunk is refused, the estimator stays as it was before the call.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        y : {Dask Array, Series or DataFrame, array-like} of shape (n_samples,) or \
                (n_samples, n_outputs)
            The target values.

        sample_weight : {Dask Array or Series, array-like} of shape (n_samples,), \
                default=None
            Weights of the samples. With None, each sample weighs 1.

        Returns
        -------
        self : DaskBackpropMLPRegressor
            The regressor.
        """
        partial_fit = super().partial_fit
        if not are_distributed(X, y, sample_weight):
            return partial_fit(X, y, sample_weight)
        for chunk in self._computed_chunks(X, y, sample_weight):
            partial_fit(*chunk)
        return self

    def score(self, X, y, sample_weight=None):
        """Compute R2; for several quantiles, the mean of their D2.

        With Dask collections, the workers compute the sums for R2. D2 needs the
        quantiles of y: the client loads y and the predictions into its memory.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        y : {Dask Array, Series or DataFrame, array-like} of shape (n_samples,) or \
                (n_samples, n_outputs)
            The true values.

        sample_weight : {Dask Array or Series, array-like} of shape (n_samples,), \
                default=None
            Weights of the samples, 0 or more. With None, each sample weighs 1.

        Returns
        -------
        score : float
            R2 or D2, at most 1.
        """
        if not are_distributed(X, y, sample_weight):
            return super().score(X, y, sample_weight)
        quantiles = self._fitted_quantiles()
        if quantiles is None:
            return r2_of_squares(self._sums_of_chunks(squares, X, y, sample_weight))
        weights = [] if sample_weight is None else [sample_weight]
        y, values, *weights = self._compute([y, self.predict(X), *weights])
        check_scored(self, X, y, *weights or [None])
        targets = np.asarray(y).reshape(-1, 1)
        return d2_of_quantiles(quantiles, targets, values, *weights or [None])


for _cls in (DaskBackpropMLPClassifier, DaskBackpropMLPRegressor):
    documented(_cls, _PARTS)
