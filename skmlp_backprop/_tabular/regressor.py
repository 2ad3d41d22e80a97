"""The tabular regressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import column_or_1d

from .._estimators.base import store_parameters
from .._estimators.regressor import BackpropMLPRegressor
from .._estimators.target_checks import check_scored
from .._estimators.targets import d2_of_quantiles
from .._network.losses import LOSSES
from .._network.warning import warn
from .base import BaseTabularMLP, constraints_of
from .documentation import documented
from .intervals import (
    checked_coverages,
    conformity,
    cv_plus_intervals,
    describe_need,
    means_by_fold,
)

# Largest share of the rows that are outliers.
_OUTLIERS = 0.01
# A warning tells of intervals without width from this share of all on.
_NO_WIDTH_SHARE = 0.01


@documented
class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """Ensemble of multilayer perceptrons that predicts numbers from a table's rows.

    ... what_it_does

    Parameters
    ----------
    ... parameters

    loss : {"squared_error", "absolute_error", "huber", "quantile", "poisson", \
            "gamma"}, default="squared_error"
        Loss of a row, as in :class:`BackpropMLPRegressor`: for the mean of y
        ("squared_error"), the median ("absolute_error"), something between
        ("huber"), quantiles ("quantile"), or the mean of counts ("poisson") or of
        positive numbers ("gamma") by the Poisson or gamma deviance. The training stops
        by the same loss of the left-out rows.

    quantile : float or sequence of float, default=0.5
        Quantile for the loss "quantile", in (0, 1), or several in increasing order,
        whose predictions do not cross.

    huber_epsilon : float, default=1.35
        Distance, in standard deviations of y, from which on the loss "huber" is linear.
        For the standard deviation, a few outliers, up to 1 % of the rows, count as ten
        interquartile ranges from the quartiles.

    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), that the output of a hidden unit is set to 0 for a row
        in training: a number for all hidden layers, or a sequence with a number for
        each.

    ... last_parameters

    Attributes
    ----------
    estimators_ : list of BackpropMLPRegressor
        The fitted networks. They take encoded rows, and predict y in a scale of their
        own; `predict_members` has their predictions in the unit of y.

    ... attributes

    validation_scores_ : list of float
        The negative `loss` after each epoch, of the standardised y; with "poisson" and
        "gamma" y is divided by its mean. "squared_error" is half the squared error, so
        that R2 is about 1 plus twice the score. Each row is predicted by the networks
        that left it out.

    best_validation_score_ : float
        The highest of `validation_scores_`. The networks have the weights of its epoch,
        and a shift of the predictions, by which their mean is nearer that of y with
        "squared_error" and "poisson". The score is slightly above that of a single
        network on new rows, because it is the best of many scores. The mean of the
        networks scores better. After a warm start on other rows, it is the highest
        score on these rows, also of the earlier weights.

    ... last_attributes

    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Prediction of each training row by the networks that left the row out. nan for
        rows that no network left out (with fewer than eight networks, or with `X_val`),
        and rows of weight 0. The number of epochs was chosen by these predictions, and
        further bins of columns by the labels of all rows. So these predictions are
        slightly better than predictions of new rows by a single network. The mean of
        all networks is better than both.

    oob_score_ : float
        R2 of `oob_prediction_`, with several quantiles the mean of their D2; weighted
        by `sample_weight`. nan if fewer than two rows have a prediction.

    See Also
    --------
    TabularMLPClassifier : The classifier for tables.
    BackpropMLPRegressor : A single network for an array of numbers.
    sklearn.ensemble.HistGradientBoostingRegressor : Gradient-boosted trees.

    References
    ----------
    ... references

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmlp_backprop import TabularMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> model = TabularMLPRegressor(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    _y_numeric = True
    _member_class = BackpropMLPRegressor
    _shape_params = (*BaseTabularMLP._shape_params, "loss", "quantile")
    _oob_name = "oob_prediction_"
    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseTabularMLP._parameter_constraints,
        **constraints_of(BackpropMLPRegressor, "loss", "quantile", "huber_epsilon"),
    }

    def __init__(
        self,
        n_members=8,
        hidden_layer_sizes=(128, 64),
        activation="relu",
        *,
        categorical_features="from_dtype",
        n_bins="auto",
        batch_size="auto",
        learning_rate_init=0.003,
        max_iter="auto",
        n_iter_no_change=8,
        loss="squared_error",
        quantile=0.5,
        huber_epsilon=1.35,
        dropout=0.0,
        n_jobs=None,
        device="cpu",
        random_state=None,
        verbose=False,
        warm_start=False,
    ):
        store_parameters(locals())

    def predict(self, X):
        """Predict y for each row: the mean over the networks.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values, float64. With several quantiles, one column for each.
        """
        return self._predictions_of(self._mean_estimates(X))

    def predict_members(self, X):
        """Predict y for each row, by each network.

        The spread over the networks measures the uncertainty of the predicted mean. It
        is large for rows that differ from the training rows, and for kinds of rows that
        are rare in training. It does not include the scatter of y around its mean, so
        it is no interval for y: take :meth:`predict_interval`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_members, n_samples) or \
                (n_members, n_samples, n_outputs)
            Predicted values, float64.
        """
        return self._predictions_of(self._member_estimates(X))

    def predict_interval(self, X, coverage=0.9):
        """Predict an interval for y of each row, by CV+.

        The intervals come from the errors of the networks on the training rows that
        they left out, or from the errors of their mean on `X_val`. For new
        rows of the same distribution, which do not depend on the training rows, y is in
        the interval with a probability of about `coverage`, and at least
        ``2 * coverage - 1``. This holds on average over the rows, not for each kind of
        row: the width hardly differs between rows, except with the loss "quantile" and
        two quantiles or more.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        coverage : float or array-like of float, default=0.9
            Share of the rows whose y is in the interval, in (0, 1).

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper bounds, float64. The result of :meth:`predict` is between
            them, unless it has several quantiles. With several coverages there is a
            last axis, one entry for each coverage. The bounds are infinite if
            `coverage` is greater than n / (n + 1) for n rows that validate.

        Warns
        -----
        UserWarning
            If bounds are infinite, or if intervals between quantiles have no width.

        References
        ----------
        Barber, R. F., Candès, E. J., Ramdas, A. and Tibshirani, R. J. (2021).
        "Predictive inference with the jackknife+." Annals of Statistics 49.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmlp_backprop import TabularMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        >>> model = TabularMLPRegressor(random_state=0).fit(X[:300], y[:300])
        >>> low, high = model.predict_interval(X[300:], coverage=0.8).T
        >>> bool(((low <= y[300:]) & (y[300:] <= high)).mean() > 0.7)
        True
        """
        coverages = checked_coverages(coverage)
        estimates = self._member_estimates(X)
        members, prediction = map(
            self._predictions_of, (estimates, estimates.mean(axis=0))
        )
        means = means_by_fold(members, self._conformity)
        lower, upper = (
            {fold: self._ends(mean)[i] for fold, mean in means.items()} for i in (0, 1)
        )
        intervals = cv_plus_intervals(lower, upper, self._conformity, coverages)
        if np.isinf(intervals).any():
            warn(
                f"Intervals are infinite: {describe_need(self._conformity, coverages)}"
            )
        low, high = intervals[:, :, 0], intervals[:, :, 1]
        if self._has_quantiles():
            # Bounds that have crossed meet in the middle.
            is_crossed = low > high
            if is_crossed.mean() > _NO_WIDTH_SHARE:
                warn(
                    f"{is_crossed.sum()} of {is_crossed.size} intervals have no width: "
                    "all intervals between the quantiles are narrowed by the same "
                    "number, and these were narrower. If the quantiles span more than "
                    "the coverage, fit with closer ones, such as 0.25 and 0.75 for 0.5."
                )
            middle = (low[is_crossed] + high[is_crossed]) / 2
            low[is_crossed] = high[is_crossed] = middle
        else:
            # If the networks differ by more than their errors, their mean may lie
            # outside.
            prediction = prediction.reshape(len(prediction), -1, 1)
            np.minimum(low, prediction, out=low)
            np.maximum(high, prediction, out=high)
        if self._network().output.name == "exp":
            # y is not negative.
            np.maximum(low, 0, out=low)
        if np.ndim(coverage) == 0:
            intervals = intervals[..., 0]
        has_columns = np.ndim(self._y_mean) > 0
        return intervals if has_columns else intervals[:, 0]

    def _oob_score(self, truth, prediction, weights):
        # R2 is undefined for a single row, and overflows for very large numbers.
        if len(truth) == 1:
            return float("nan")
        with np.errstate(over="ignore", invalid="ignore"):
            return self._score_of(truth, prediction, weights)

    def _conformity_of(self, truth, prediction, folds, weights):
        lower, upper = self._ends(prediction)
        truth = truth.reshape(len(truth), -1)
        # Differences of very large numbers overflow.
        with np.errstate(over="ignore"):
            return conformity(np.maximum(lower - truth, truth - upper), folds, weights)

    def _ends(self, predictions):
        """The predictions as columns, or the lowest and highest quantiles."""
        if self._has_quantiles():
            return predictions[:, :1], predictions[:, -1:]
        columns = predictions.reshape(len(predictions), -1)
        return columns, columns

    def score(self, X, y, sample_weight=None):
        """R2 of the predictions; with several quantiles the mean of their D2.

        D2 is the share by which the pinball loss is lower than that of y's own quantile
        (see :func:`sklearn.metrics.d2_pinball_score`).

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true numbers.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. With None, each sample weighs 1.

        Returns
        -------
        score : float
            At most 1.
        """
        check_scored(self, X, y, sample_weight)
        return self._score_of(y, self.predict(X), sample_weight)

    def _score_of(self, y, prediction, weights):
        if self._has_quantiles():
            columns, network = column_or_1d(y)[:, np.newaxis], self._network()
            return d2_of_quantiles(network.loss.quantile, columns, prediction, weights)
        return float(r2_score(y, prediction, sample_weight=weights))

    def _labels_of(self, targets):
        return _standardise(targets, None)[0]

    def _fit_scale(self, y, sample_weight):
        """Standardise y: the rate and the initial weights suit unit variance."""
        y = np.asarray(y, np.float64)
        is_robust = self.loss in ("huber", "absolute_error", "quantile")
        limited = _limit_outliers(y, sample_weight) if is_robust else y
        standardised, unit, mean, scale = _standardise(limited, sample_weight)
        self._y_unit, self._y_mean, self._y_scale = unit, mean, scale
        if (self.loss, "exp") in LOSSES:
            # These losses are of ratios, and refuse numbers that are not positive.
            self._y_scale, self._y_mean = _handle_zeros_in_scale(mean), 0 * mean
            return self._scale(y)
        return standardised if limited is y else self._scale(y)

    def _scale(self, y):
        """Standardise other targets like the targets of `fit`."""
        if (self.loss, "exp") in LOSSES:
            LOSSES[self.loss, "exp"]().check_targets(y)
        return (y / self._y_unit - self._y_mean) / _handle_zeros_in_scale(self._y_scale)

    def _refuse_change_of_constant(self, y):
        """Refuse another y after a constant y, which left no scale to continue.

        Raises
        ------
        ValueError
            If a column of y was constant in the earlier fit, and has other values now.
        """
        constant = self._y_mean * self._y_unit
        differs = ~np.isclose(y, constant, rtol=1e-6, atol=0).all(axis=0)
        if np.any(differs & (self._y_scale == 0)):
            raise ValueError(
                "warm_start=True does not permit other values of a y, or of a column "
                "of y, that was constant in the earlier fit: the predictions would "
                "stay constant. Set warm_start=False."
            )

    def _predictions_of(self, values):
        """Convert standardised predictions to the units of y."""
        if np.ndim(self._y_mean) == 0 and not self._has_quantiles():
            values = values[..., 0]
        with np.errstate(over="ignore"):
            values = (values * self._y_scale + self._y_mean) * self._y_unit
        # A prediction that overflows becomes the largest float.
        largest = np.finfo(np.float64).max
        return np.clip(values, -largest, largest)

    def _outputs_of_estimates(self, estimates):
        return self._predictions_of(estimates).reshape(*estimates.shape[:-1], -1)

    def _network(self):
        """The architecture of the fitted networks, whatever the parameters are now."""
        return self.estimators_[0]._network

    def _has_quantiles(self):
        """Whether several quantiles are predicted."""
        return np.ndim(self._network().loss.quantile) > 0

    def _member_params(self, n_rows):
        return {
            "dropout": self.dropout,
            "loss": self.loss,
            "quantile": self.quantile,
            "huber_epsilon": self.huber_epsilon,
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _limit_outliers(y, sample_weight):
    """Limit outliers to ten interquartile ranges from the quartiles.

    A robust loss is no longer robust if outliers decide the scale of y. A column is
    left as it is if more than 1 % of its rows, by weight, are that far: they are no
    outliers. Returns y itself if nothing changes.
    """
    low, high = np.quantile(y, [0.25, 0.75], axis=0, method="nearest")
    with np.errstate(over="ignore"):
        margin = 10 * (high - low)
        limited = np.clip(y, low - margin, high + margin)
    share = np.average(limited != y, axis=0, weights=sample_weight)
    is_limited = (low < high) & (share > 0) & (share <= _OUTLIERS)
    return np.where(is_limited, limited, y) if is_limited.any() else y


def _standardise(y, sample_weight):
    """Standardise numbers.

    The numbers and their deviations are divided by their largest absolute value first:
    sums and squares of very large or very small numbers would overflow or underflow.

    Returns
    -------
    standardised : ndarray of the shape of `y`
        (y / unit - mean) / scale.

    unit, mean, scale : float or ndarray of shape (n_outputs,)
        The scale of constant numbers is 0; it makes every prediction that constant.
    """
    unit = _handle_zeros_in_scale(np.abs(y).max(axis=0))
    scaled = y / unit
    mean = np.average(scaled, axis=0, weights=sample_weight)
    deviations = scaled - mean
    largest = _handle_zeros_in_scale(np.abs(deviations).max(axis=0))
    deviations /= largest
    root = np.sqrt(np.average(deviations**2, axis=0, weights=sample_weight))
    return deviations / _handle_zeros_in_scale(root), unit, mean, largest * root


def _handle_zeros_in_scale(divisors):
    """Replace 0 by 1, so that a division leaves a constant column as it is."""
    return np.where(divisors > 0, divisors, 1.0)
