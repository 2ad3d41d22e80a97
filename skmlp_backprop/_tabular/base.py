"""Base class of the tabular estimators: an ensemble trained on encoded rows."""

from functools import partial
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._estimators.architecture import warn_of_unused
from .._estimators.base import BaseBackpropMLP, restore_on_error
from .._estimators.pickled_state import PicklesMixin
from .._estimators.results import (
    attributes_of_end,
    features_of,
    warn_if_useless,
    warn_of_end,
)
from .._estimators.sklearn_callbacks import (
    CallbackReporter,
    CallbackSupportMixin,
    with_callbacks,
)
from .._estimators.sklearn_private import (
    Interval,
    StrOptions,
    _fit_context,
)
from .._network.inference import compute_logits
from .._network.rows import TableRows
from .bins import Labelled
from .categories import warn_of_shared_categories
from .checks import (
    check_rows,
    drop_rows_without_weight,
    naming_validation_rows,
    number_groups,
    refuse_single_row,
)
from .columns import read_columns, read_known_columns
from .combination import Combination
from .continuing import (
    TableHashes,
    check_continues,
    hash_table,
    pause,
    warn_of_seen_rows,
)
from .copies import group_copies, warn_of_known_rows
from .encoder import CHUNK_ROWS, TabularEncoder
from .ensemble import Ensemble
from .explaining import ExplainsColumnsMixin
from .importances import WithheldRows
from .table import TakesTablesMixin, check_table

# `average_epochs` of the networks. On the tables for development, the average of the
# weights predicts better than the weights of a falling learning rate, whose schedule
# would need the number of epochs in advance.
_AVERAGE_EPOCHS = 2
# At most 10 epochs for a million rows: more would take many minutes.
_MAX_ROWS_SEEN = 10**7
# The most categories of a column, or of combined columns, with weights of their own.
# Many more would be identifiers.
_MAX_CATEGORIES = 2**16
_MAX_COMBINED = 2**14


# Parameters that the networks get as they are.
_NETWORK_PARAMS = (
    *("hidden_layer_sizes", "activation", "learning_rate_init", "n_iter_no_change"),
    *("device", "verbose"),
)


def constraints_of(estimator_class, *names):
    """The constraints of parameters that another class also has."""
    return {name: estimator_class._parameter_constraints[name] for name in names}


class BaseTabularMLP(
    ExplainsColumnsMixin,
    CallbackSupportMixin,
    TakesTablesMixin,
    PicklesMixin,
    BaseEstimator,
):
    """Base class of the tabular classifier and the tabular regressor.

    A subclass defines, besides its parameters:

    - ``_member_class``: the class of the ensemble's networks;
    - ``_member_params(n_rows)``: the networks' parameters that only this subclass sets;
    - ``_predictions_of(estimates)``: the predictions of mean estimates;
    - ``_outputs_of_estimates(estimates)``: the same with a last axis of outputs;
    - ``_oob_name``: the attribute of the out-of-bag predictions;
    - ``_oob_score(truth, predictions, weights)``: their score;
    - ``_conformity_of(truth, predictions, folds, weights)``: the scores from which
      intervals or sets are computed.
    """

    # Without a request, searches use groups for the splits only.
    __metadata_request__fit = {"groups": False}  # noqa: RUF012
    # Whether y must be numbers.
    _y_numeric = False
    # The parameters that a warm start can't change.
    _shape_params = (
        "n_members",
        "hidden_layer_sizes",
        "activation",
        "categorical_features",
        "n_bins",
        "device",
    )
    # A WarmStart, with `warm_start`.
    _paused = None
    # See BaseBackpropMLP: a warm start would go on from the latest epoch.
    _latest_attributes = ("_paused",)

    _parameter_constraints: dict = {  # noqa: RUF012
        **constraints_of(BaseBackpropMLP, *_NETWORK_PARAMS, "batch_size", "dropout"),
        **constraints_of(BaseBackpropMLP, "random_state", "warm_start"),
        **constraints_of(TabularEncoder, "categorical_features", "n_bins"),
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    @with_callbacks
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Fit the ensemble to a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table. NaN and None are missing values.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classifier: class labels, or a multilabel indicator matrix. Regressor:
            numbers.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. With None, each sample weighs 1.

        X_val : DataFrame or array-like of shape (n_samples_val, n_features), \
                default=None
            Validation rows. With them all networks train on all rows of X, and the
            training stops by the predictions of the validation rows, for example of a
            later period of time. None leaves an eighth of the rows out for each
            network.

        y_val : array-like of shape (n_samples_val,) or (n_samples_val, n_outputs), \
                default=None
            Labels or numbers of the validation rows.

        sample_weight_val : array-like of shape (n_samples_val,), default=None
            Weights of the validation rows. With None, each row weighs 1.

        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as the patient. No network is validated by a
            group that it was trained on. With None, copies of a row form a group, as
            after oversampling, unless rows may be equal by chance.

        Returns
        -------
        self : TabularMLPClassifier or TabularMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a parameter is invalid. The message names the invalid
            column. An earlier fit stays unchanged.
        """
        continues = self.warm_start and hasattr(self, "estimators_")
        validation_rows = X_val, y_val, sample_weight_val
        X, y, groups, validation = check_rows(
            self, X, y, sample_weight, *validation_rows, groups, reset=not continues
        )
        warn_of_unused(self)
        encoder, paused = None, None
        if continues:
            check_continues(self, y, groups)
            encoder, paused = self.encoder_, self._paused.ensemble
        context = self._init_callback_context(max_subtasks=self._n_epochs(len(y)))
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        fit_data = {"X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **fit_data)
        encoded = self._encode(X, y, sample_weight, validation, groups, encoder)
        ensemble = self._fit_encoded(
            encoded, paused, self.warm_start, context, fit_data
        )
        self._warn_of_end(ensemble)
        # The state takes several times the memory of the model.
        if self.warm_start and ensemble.training.stop.reason != "diverged":
            self._paused = pause(self, ensemble, encoded, y, groups)
        else:
            vars(self).pop("_paused", None)
        context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes={}, **fit_data
        )
        return self

    def _encode_table(self, X, y, sample_weight=None, **params):
        """Check and encode a table, for several estimators; the arguments of `fit`.

        Estimators of the same class with the same `categorical_features` and `n_bins`
        can share the result.
        """
        X, y, groups, validation = check_rows(self, X, y, sample_weight, **params)
        return self._encode(X, y, sample_weight, validation, groups)

    def _encode(self, X, y, sample_weight, validation, groups, encoder=None):
        """Encode checked rows, by a fitted encoder if there is one."""
        # From all rows, so that `classes_` keeps a class whose rows all weigh 0.
        target_encoder = self._member_class._target_encoder_of(y)
        y_given = y
        X, y, sample_weight, index = drop_rows_without_weight(X, y, sample_weight)
        refuse_single_row(self, len(y))
        if encoder is None:
            columns = read_columns(X, self.categorical_features)
        else:
            columns = read_known_columns(X, encoder._encodings)
        has_groups = groups is not None
        if has_groups:
            groups = number_groups(groups[index])
        else:
            groups = group_copies(columns, y)
        if encoder is None:
            labelled = self._label_rows(target_encoder, y, groups, has_groups)
            encoder, prepared = self._learn_encoder(columns, labelled)
        else:
            prepared = encoder._prepare_new(columns)
        # Training in float32 takes half the time and memory of float64. Predictions
        # are made in float64: a row's prediction must not depend on the other rows.
        rows = encoder._encode_rows(prepared, np.float32)
        prepared_val, y_val = prepared, y
        if validation is not None:
            X_val, y_val, weights_val = validation
            with naming_validation_rows():
                prepared_val = encoder._prepare(X_val)
            warn_of_known_rows(prepared, y, prepared_val, y_val)
            rows_val = encoder._encode_rows(prepared_val, np.float32)
            validation = rows_val, y_val, weights_val
        hashes = None
        if self.warm_start:
            targets, targets_val = (
                target_encoder.encode(values, np.float64) for values in (y, y_val)
            )
            hashes = hash_table(prepared, targets, prepared_val, targets_val)
        return EncodedTable(
            encoder=encoder,
            target_encoder=target_encoder,
            rows=rows,
            y=y,
            sample_weight=sample_weight,
            validation=validation,
            groups=groups,
            prepared_val=prepared_val,
            y_given=y_given,
            index=index,
            hashes=hashes,
        )

    def _label_rows(self, target_encoder, y, groups, has_groups):
        """The rows from whose labels the encoder learns.

        `groups` are of copied rows unless the user `has_groups`.
        """
        labels = self._labels_of(target_encoder.encode(y, np.float64))
        rows = slice(None)
        if groups is not None:
            # A single row of each group, so that no bin separates its rows.
            _, rows = np.unique(groups, return_index=True)
        # A threshold might still separate a group, and tell its labels.
        finds_thresholds = not self._y_numeric and not has_groups
        return Labelled(rows, labels[rows], finds_thresholds)

    def _learn_encoder(self, columns, labelled):
        """An encoder that has learned the columns, and the columns that it prepared."""
        encoder = TabularEncoder(
            categorical_features=self.categorical_features,
            n_bins=self.n_bins,
            max_categories=_MAX_CATEGORIES,
        )
        vars(encoder).update(features_of(self))
        encoder._learn(columns, labelled)
        warn_of_shared_categories(columns, encoder._encodings, _MAX_CATEGORIES)
        prepared = encoder._prepare_columns(columns)
        if labelled.finds_thresholds:
            encoder._combination = Combination.find(
                prepared, labelled.rows, labelled.labels, _MAX_COMBINED
            )
        return encoder, prepared

    def _fit_encoded(
        self, table, paused=None, pauses=False, context=None, fit_data=None
    ):
        """Train the networks on an encoded table, and set the fitted attributes.

        `paused` and `pauses` are arguments of :class:`.ensemble.Ensemble` and its
        `train`. Returns the ensemble.
        """
        target_encoder, weights = table.target_encoder, table.sample_weight
        vars(self).update(features_of(table.encoder), encoder_=table.encoder)
        continues = paused is not None and hasattr(self, "estimators_")
        if continues:
            # The networks predict in the scale of the earlier fit.
            self.estimators_[0]._check_same_target_encoder(target_encoder)
            self._refuse_change_of_constant(table.y)
            y = self._scale(table.y)
        else:
            y = self._fit_scale(table.y, weights)
        member = self._make_member(len(y))
        data = member._training_data(table.rows, y, target_encoder, weights)
        data_val = None
        if table.validation is not None:
            rows_val, y_val, weights_val = table.validation
            weighing = self._with_class_weights_of(member, target_encoder, y, weights)
            with naming_validation_rows():
                data_val = weighing._training_data(
                    rows_val, self._scale(y_val), target_encoder, weights_val
                )
        ensemble = Ensemble(
            member,
            self.n_members,
            data,
            table.encoder._layout.entries,
            data_val,
            paused,
            table.groups,
        )
        if continues:
            warn_of_seen_rows(self._paused, ensemble, table.hashes)
        training = ensemble.training
        fitted_attributes = partial(self._fitted_attributes, member, table, ensemble)
        if hasattr(self, "_skl_callbacks"):
            training.reporter = CallbackReporter(
                self, context, "epoch", fitted_attributes, **fit_data
            )
        ensemble.train(self.n_jobs, pauses)
        attributes = fitted_attributes(training.history, training.final_weights)
        vars(self).update(attributes | attributes_of_end(ensemble, member))
        # With "auto", a training that uses all epochs has ended as planned.
        if training.stop.reason == "max_iter" and self.max_iter == "auto":
            self.message_ = f"All {self.n_iter_} epochs of max_iter='auto' are done."
        vars(self).pop("_importances", None)
        self._withheld_rows = WithheldRows(
            table.prepared_val, ensemble.judge, member.random_state
        )
        return ensemble

    def _warn_of_end(self, trained):
        """Warn of a training that did not end as planned, or has learned nothing."""
        is_planned = trained.training.stop.reason == "max_iter"
        if is_planned and self.max_iter == "auto":
            warn_if_useless(trained, self.estimators_[0])
        else:
            warn_of_end(trained, self.estimators_[0])

    def _fitted_attributes(self, member, table, ensemble, history, networks):
        """The attributes of the estimator with these weights of its networks."""
        networks, estimates = ensemble.calibrate(networks)
        attributes = {
            **table.target_encoder.fitted_attributes(),
            "estimators_": [
                clone(member)._adopt_weights(
                    parameters.copy(np.float64),
                    table.target_encoder,
                    history,
                    ensemble.data.network,
                )
                for parameters in networks
            ],
            "n_iter_": history.n_iter,
            "loss_": history.loss,
            "loss_curve_": history.loss_curve,
            "validation_scores_": history.validation_scores,
            "best_validation_score_": history.best_validation_score,
        }
        # A callback may need them during the fit, so the estimator must not change.
        model = type(self).__new__(type(self))
        vars(model).update(vars(self) | attributes)
        return attributes | model._judged_attributes(table, estimates, ensemble.judge)

    def _judged_attributes(self, table, estimates, judge):
        """The predictions of the rows that validate the networks, and their score."""
        of_all_rows = np.full((len(table.y_given), estimates.shape[1]), np.nan)
        if table.validation is None:
            of_all_rows[table.index[judge.index]] = estimates
        known = ~np.isnan(of_all_rows[table.index]).any(axis=1)
        predictions = self._predictions_of(of_all_rows)
        score, conformity = float("nan"), {}
        if table.validation is not None:
            _, truth, weights = table.validation
            of_rows = self._predictions_of(estimates)
            conformity = self._conformity_of(truth, of_rows, judge.folds, weights)
        elif known.any():
            index, folds = table.index[known], judge.folds[known]
            weights = table.sample_weight
            weights = None if weights is None else weights[known]
            truth, of_rows = table.y_given[index], predictions[index]
            conformity = self._conformity_of(truth, of_rows, folds, weights)
            score = self._oob_score(truth, of_rows, weights)
        return {
            self._oob_name: predictions,
            "oob_score_": score,
            "_conformity": conformity,
        }

    @property
    def _weight_attributes(self):
        """The attributes that a callback keeps of the best epoch."""
        return "estimators_", "loss_", self._oob_name, "oob_score_", "_conformity"

    def _n_batch_rows(self, n_rows):
        """Rows of a batch; "auto" is described in the docstring."""
        if self.batch_size != "auto":
            return min(self.batch_size, n_rows)
        return int(np.clip(2 ** int(np.log2(n_rows / 8)), 32, 256).clip(None, n_rows))

    def _n_epochs(self, n_rows):
        """Largest number of epochs; "auto" is described in the docstring."""
        if self.max_iter != "auto":
            return self.max_iter
        n_batches = -(-n_rows // self._n_batch_rows(n_rows))
        minimum = np.clip(_MAX_ROWS_SEEN // n_rows, 10, 40)
        return int(np.clip(2000 // n_batches, minimum, 80))

    def _labels_of(self, targets):
        """The labels from which the encoder learns bins."""
        return targets

    def _fit_scale(self, y, sample_weight):
        """The targets that the networks learn."""
        return y

    def _scale(self, y):
        """The targets of other rows, in the same scale."""
        return y

    def _refuse_change_of_constant(self, y):
        """Refuse a y that the scale of the earlier fit can't express: never classes."""

    def _with_class_weights_of(self, member, target_encoder, y, sample_weight):
        """The member for other rows, with the class weights of y."""
        return member

    def _make_member(self, n_rows):
        """One network of the ensemble, unfitted."""
        return self._member_class(
            **{name: getattr(self, name) for name in _NETWORK_PARAMS},
            batch_size=self._n_batch_rows(n_rows),
            max_iter=self._n_epochs(n_rows),
            average_epochs=_AVERAGE_EPOCHS,
            alpha=0,
            tol=0,
            random_state=check_random_state(self.random_state).randint(2**31 - 1),
            **self._member_params(n_rows),
        )

    def _estimate_in_chunks(self, X):
        """Yield for chunks of rows an iterator of each network's estimates.

        The estimates are of shape (n_chunk_rows, n_outputs).
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        network = self.estimators_[0]._network
        prepared = self.encoder_._prepare(X)
        for start in range(0, len(prepared[0]), CHUNK_ROWS):
            chunk = [values[start : start + CHUNK_ROWS] for values in prepared]
            encoded = self.encoder_._encode_rows(chunk, np.float64)
            logits = (
                compute_logits(network, member._weights(), encoded)
                for member in self.estimators_
            )
            yield map(network.output.values, logits)

    def _mean_estimates(self, X):
        """Estimates averaged over the networks, (n_samples, n_outputs), float64."""
        means = []
        for estimates in self._estimate_in_chunks(X):
            # Added one by one: with many classes, all at once take long to allocate.
            mean = next(estimates)
            for of_member in estimates:
                mean += of_member
            mean /= len(self.estimators_)
            means.append(mean)
        return np.concatenate(means)

    def _member_estimates(self, X):
        """Estimates of each network, (n_members, n_samples, n_outputs), float64."""
        chunks = [np.stack(list(chunk)) for chunk in self._estimate_in_chunks(X)]
        return np.concatenate(chunks, axis=1)


class EncodedTable(NamedTuple):
    """A table that is encoded for training, with its targets.

    It does not depend on the parameters of the training. `rows`, `y` and
    `sample_weight` have the rows with weight, whose numbers are `index`; `y_given` has
    all. `validation` has the validation rows, encoded, their targets and their weights,
    `groups` the numbers of groups of rows that share a fold, if any, and `prepared_val`
    the columns of the rows that validate the networks. `hashes` is there with
    `warm_start`.
    """

    encoder: TabularEncoder
    target_encoder: object
    rows: TableRows
    y: np.ndarray
    sample_weight: np.ndarray | None
    validation: tuple | None
    groups: np.ndarray | None
    prepared_val: list
    y_given: np.ndarray
    index: np.ndarray
    hashes: TableHashes | None
