"""What the estimators of tables share: an ensemble on encoded rows."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._estimators.callback_reports import CallbackReporter
from .._estimators.checks import (
    refuse_missing_targets,
    refuse_unfit_targets,
    without_second_axis,
)
from .._estimators.ends import attributes_of_end, warn_if_useless, warn_of_end
from .._estimators.restoring import restore_on_error
from .._estimators.sklearn_callbacks import CallbackSupportMixin, with_callbacks
from .._estimators.sklearn_private import (
    Interval,
    Options,
    StrOptions,
    _check_y,
    _fit_context,
    _safe_indexing,
)
from .._estimators.weighting import checked_sample_weights
from .._network.activations import ACTIVATIONS, Activation
from .._network.inference import compute_logits
from .encoder import TabularEncoder
from .table import TakesTablesMixin, check_table
from .training import train_ensemble

# Rows that are encoded at a time for a prediction.
_CHUNK_ROWS = 4096
# Of the networks. Better than weights at a falling rate (benchmarks: ablation), which
# would have to know when to end.
_AVERAGE_EPOCHS = 2


class BaseTabularMLP(CallbackSupportMixin, TakesTablesMixin, BaseEstimator):
    """Base class of the estimators of tables, which tell what y means.

    A subclass has, besides its own parameters:

    - ``_member_class``: the class of the ensemble's networks;
    - ``_member_params()``: the parameters that it alone has;
    - ``_scaled_targets(y, sample_weight)``: y as the networks are to predict it.
    """

    # Whether y must be numbers.
    _y_numeric = False
    # What a callback keeps of the best epoch, to restore it.
    _weight_attributes = ("estimators_", "loss_")

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS)), Activation, "array-like"],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "n_bins": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Fit the ensemble to a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table; NaN, None and the like are missing values.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or a multilabel indicator matrix; for the regressor numbers.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples; None for 1 each.

        Returns
        -------
        self : TabularMLPClassifier or TabularMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; of a column of the table the message
            names it. What was fitted before stays as it was.
        """
        X = check_table(self, X, reset=True, y=y)
        refuse_unfit_targets(y, type(self).__name__, self._y_numeric)
        refuse_missing_targets(y)
        # It adds y up, to see whether all of it is finite.
        with np.errstate(all="ignore"):
            y = _check_y(
                y, multi_output=True, y_numeric=self._y_numeric, estimator=self
            )
        y = without_second_axis(y)
        check_consistent_length(X, y)
        context = self._init_callback_context(max_subtasks=self._n_epochs(len(y)))
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        given = {"X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **given)
        self._train(X, y, sample_weight, context, given)
        context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes={}, **given
        )
        return self

    def _train(self, X, y, sample_weight, context, given):
        """Encode the rows, train on them, and become fitted."""
        # Before rows are left out, as a class keeps its place without any weight.
        target_encoder = self._member_class()._target_encoder_of(y)
        X, y, sample_weight = _rows_that_count(X, y, sample_weight)
        n_rows = len(y)
        if n_rows < 2:
            raise ValueError(
                f"Found array with n_samples={n_rows} of weight above 0, while a "
                f"minimum of 2 is required by {type(self).__name__}: each network is "
                "judged by rows that it has not seen."
            )
        self.encoder_ = TabularEncoder(
            categorical_features=self.categorical_features, n_bins=self.n_bins
        )
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(self.encoder_, name, getattr(self, name))
        # In half the time, and memory, of float64, in which predictions are made: these
        # must not depend on a row's place among others.
        encoded = self.encoder_.fit_and_encode(X, np.float32)
        y = self._scaled_targets(y, sample_weight)
        member = self._make_member(n_rows)
        data = member._training_data(encoded, y, target_encoder, sample_weight)

        def fitted(history, networks):
            return _fitted_attributes(member, target_encoder, networks, history)

        reporter = None
        if hasattr(self, "_skl_callbacks"):
            reporter = CallbackReporter(self, context, "epoch", fitted, **given)
        trained = train_ensemble(member, self.n_members, data, reporter)
        vars(self).update(
            _fitted_attributes(
                member, target_encoder, trained.networks, trained.training.history
            )
        )
        vars(self).update(attributes_of_end(trained, member))
        # The last epoch that "auto" admits is an end as good as another.
        if trained.training.stop.reason != "max_iter" or self.max_iter != "auto":
            warn_of_end(trained, member)
        else:
            warn_if_useless(trained, member)

    def _n_batch_rows(self, n_rows):
        """As many as make at least eight batches an epoch, from 32 to 256."""
        if self.batch_size != "auto":
            return min(self.batch_size, n_rows)
        return int(np.clip(2 ** int(np.log2(n_rows / 8)), 32, 256).clip(None, n_rows))

    def _n_epochs(self, n_rows):
        """As many as make some 2000 batches, from 40 to 80."""
        if self.max_iter != "auto":
            return self.max_iter
        n_batches = -(-n_rows // self._n_batch_rows(n_rows))
        return int(np.clip(2000 // n_batches, 40, 80))

    def _make_member(self, n_rows):
        """One network of the ensemble, unfitted."""
        return self._member_class(
            hidden_layer_sizes=self.hidden_layer_sizes,
            activation=self.activation,
            batch_size=self._n_batch_rows(n_rows),
            learning_rate_init=self.learning_rate_init,
            max_iter=self._n_epochs(n_rows),
            n_iter_no_change=self.n_iter_no_change,
            dropout=self.dropout,
            average_epochs=_AVERAGE_EPOCHS,
            alpha=0,
            tol=0,
            random_state=check_random_state(self.random_state).randint(2**31 - 1),
            verbose=self.verbose,
            **self._member_params(),
        )

    def _estimates_of_members(self, X):
        """What each network estimates, chunk by chunk of rows.

        Yields
        ------
        estimates : ndarray of shape (n_members, n_chunk_rows, n_outputs)
            Probabilities, or numbers.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        lead = self.estimators_[0]
        for encoded in self.encoder_.encode_in_chunks(X, _CHUNK_ROWS):
            yield np.stack(
                [
                    lead._target_encoder.estimates(
                        lead._network.output,
                        compute_logits(lead._network, member._weights(), encoded),
                    )
                    for member in self.estimators_
                ]
            )

    def _mean_estimates(self, X):
        """Mean over the networks, in float64."""
        chunks = self._estimates_of_members(X)
        return np.concatenate(
            [chunk.mean(axis=0, dtype=np.float64) for chunk in chunks]
        )

    def _all_estimates(self, X):
        """Of each network, in float64."""
        chunks = list(self._estimates_of_members(X))
        return np.concatenate(chunks, axis=1).astype(np.float64)


def _fitted_attributes(member, target_encoder, networks, history):
    """What makes an estimator a fitted one, with networks of given weights."""
    return {
        **target_encoder.fitted_attributes(),
        "estimators_": [
            clone(member)._adopt_weights(
                network.copy(np.float64), target_encoder, history
            )
            for network in networks
        ],
        "n_iter_": history.n_iter,
        "loss_": history.loss,
        "loss_curve_": history.loss_curve,
        "validation_scores_": history.validation_scores,
        "best_validation_score_": history.best_validation_score,
    }


def _rows_that_count(X, y, sample_weight):
    """Rows whose weight is above 0, and their weights, the largest of them about 1.

    Only the ratios of weights count. Those that would be 0 in float32 beside the
    largest count for nothing.
    """
    if sample_weight is None:
        return X, y, None
    weights = checked_sample_weights(y, sample_weight)
    # By a power of two, which rounds nothing.
    weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    counts = weights.astype(np.float32) > 0
    if counts.all():
        return X, y, weights
    index = np.flatnonzero(counts)
    return _safe_indexing(X, index), y[index], weights[index]
