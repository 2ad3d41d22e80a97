"""The tabular regressor."""

import warnings

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from .._estimators.parameters import store_parameters
from .._estimators.regressor import BackpropMLPRegressor
from .base import BaseTabularMLP
from .documentation import documented
from .intervals import conformity, cv_plus_intervals


@documented
class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """Ensemble of multilayer perceptrons that predicts numbers from a table's rows.

    ... what_it_does

    The networks minimise the squared error of the standardised y.

    Parameters
    ----------
    ... parameters

    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), that the output of a hidden unit is set to 0 for a row
        in training: a number for all hidden layers, or a sequence with a number for
        each.

    ... last_parameters

    Attributes
    ----------
    ... attributes

    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Prediction of each training row by the networks that left the row out. nan for
        rows that no network left out (with fewer than eight networks), and rows of
        weight 0. The number of epochs was chosen by these predictions, so that they are
        slightly better than predictions of new rows by a single network. The mean of
        all networks is better than both.

    oob_score_ : float
        R2 of `oob_prediction_`; nan if fewer than two rows have a prediction.

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
        dropout=0.0,
        n_jobs=None,
        random_state=None,
        verbose=False,
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
            Predicted values, float64.
        """
        return self._unscale(self._mean_estimates(X))

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
        return self._unscale(self._member_estimates(X))

    def predict_interval(self, X, coverage=0.9):
        """Predict an interval for y of each row, by CV+.

        The intervals come from the errors of the networks on the training rows that
        they left out. For rows of the same distribution as the training rows, y is in
        the interval with a probability of about `coverage`, and at least
        ``2 * coverage - 1``. This holds on average over the rows, not for each kind of
        row: the width hardly differs between rows.

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
            them. With several coverages there is a last axis, one entry for each
            coverage. The bounds are infinite if `coverage` is greater than n / (n + 1)
            for n training rows.

        Warns
        -----
        UserWarning
            If bounds are infinite.

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
        coverages = np.atleast_1d(np.asarray(coverage))
        if (
            coverages.ndim > 1
            or coverages.dtype.kind not in "fiu"
            or not ((coverages > 0) & (coverages < 1)).all()
        ):
            raise ValueError(
                "coverage must be a number in (0, 1), or a list of such numbers, got "
                f"{coverage!r}."
            )
        estimates = self._member_estimates(X)
        members, prediction = map(self._unscale, (estimates, estimates.mean(axis=0)))
        shape = prediction.shape
        members = members.reshape(*members.shape[:2], -1)
        left_out = np.arange(len(members)) % len(self._conformity)
        intervals = cv_plus_intervals(
            {fold: members[left_out == fold].mean(axis=0) for fold in self._conformity},
            self._conformity,
            coverages,
        )
        if np.isinf(intervals).any():
            n_rows = np.isfinite(self.oob_prediction_).sum() // intervals.shape[1]
            warnings.warn(
                f"Intervals are infinite: a coverage of {coverages.max():g} needs more "
                f"than {n_rows} training rows. Choose a lower coverage.",
                stacklevel=2,
            )
        # The mean of all networks may be outside where these differ more than they err.
        prediction = prediction.reshape(len(prediction), -1, 1)
        np.minimum(intervals[:, :, 0], prediction, out=intervals[:, :, 0])
        np.maximum(intervals[:, :, 1], prediction, out=intervals[:, :, 1])
        if np.ndim(coverage) == 0:
            intervals = intervals[..., 0]
        return intervals[:, 0] if len(shape) == 1 else intervals

    def _keep_out_of_bag(self, estimates, y, known):
        self.oob_prediction_ = self._unscale(estimates)
        index, folds, weights = known
        truth, prediction = y[index], self.oob_prediction_[index]
        # Differences and squares of very large numbers overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            errors = np.abs(truth - prediction).reshape(len(index), -1)
            self._conformity = conformity(errors, folds, weights)
            # R2 of a single row is undefined.
            self.oob_score_ = (
                float(r2_score(truth, prediction, sample_weight=weights))
                if len(index) > 1
                else float("nan")
            )

    def _scaled_targets(self, y, sample_weight):
        """Standardise y: the learning rate and the initial weights suit unit variance.

        y and its deviations are divided by their largest absolute value first: sums and
        squares of very large or very small numbers would overflow or underflow.
        """
        y = np.asarray(y, np.float64)
        self._y_unit = _zero_to_one(np.abs(y).max(axis=0))
        y = y / self._y_unit
        self._y_mean = np.average(y, axis=0, weights=sample_weight)
        deviations = y - self._y_mean
        largest = _zero_to_one(np.abs(deviations).max(axis=0))
        deviations /= largest
        variance = np.average(deviations**2, axis=0, weights=sample_weight)
        # A scale of 0, for a constant y, makes every prediction that constant.
        self._y_scale = largest * np.sqrt(variance)
        return deviations / _zero_to_one(np.sqrt(variance))

    def _unscale(self, values):
        """Convert standardised predictions to the units of y."""
        if np.ndim(self._y_mean) == 0:
            values = values[..., 0]
        with np.errstate(over="ignore"):
            values = (values * self._y_scale + self._y_mean) * self._y_unit
        # A prediction that overflows becomes the largest float.
        largest = np.finfo(np.float64).max
        return np.clip(values, -largest, largest)

    def _member_params(self):
        return {}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _zero_to_one(divisors):
    """Replace 0 by 1, so that a division leaves a constant column as it is."""
    return np.where(divisors > 0, divisors, 1.0)
