"""The tabular regressor."""

import numpy as np
from sklearn.base import RegressorMixin

from .._estimators.parameters import store_parameters
from .._estimators.regressor import BackpropMLPRegressor
from .base import BaseTabularMLP
from .documentation import documented


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
        are rare in training. It does not include the scatter of y around its mean.

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
