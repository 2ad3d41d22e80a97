"""The regressor of tables."""

import numpy as np
from sklearn.base import RegressorMixin

from .._estimators.parameters import store_parameters
from .._estimators.regressor import BackpropMLPRegressor
from .base import BaseTabularMLP
from .documentation import documented


@documented
class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """Ensemble of multilayer perceptrons that predicts numbers for a table's rows.

    ... what_it_does

    It minimises squared errors of the standardised y.

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
    TabularMLPClassifier : The same for classes.
    BackpropMLPRegressor : One network, on numbers as they are.
    sklearn.ensemble.HistGradientBoostingRegressor : Trees, as easy to use.

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
        """Predict the numbers of each row, the mean over the networks.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The numbers.
        """
        return self._in_units_of_y(self._mean_estimates(X))

    def predict_members(self, X):
        """Predict the numbers by each network alone.

        How far they are apart tells how sure the ensemble is of the mean: rows unlike
        those it was fitted to, or few of whose kind there were, are predicted
        differently. What y scatters around its mean is not in it.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_members, n_samples) or \
                (n_members, n_samples, n_outputs)
            The numbers.
        """
        return self._in_units_of_y(self._all_estimates(X))

    def _scaled_targets(self, y, sample_weight):
        """Standardised, as what the learning rate and the first weights suit.

        In units in which y is at most 1, as sums and squares of large or small numbers
        may be no floats.
        """
        y = np.asarray(y, np.float64)
        self._y_unit = _or_one(np.abs(y).max(axis=0))
        y = y / self._y_unit
        self._y_mean = np.average(y, axis=0, weights=sample_weight)
        deviations = y - self._y_mean
        largest = _or_one(np.abs(deviations).max(axis=0))
        deviations /= largest
        variance = np.average(deviations**2, axis=0, weights=sample_weight)
        # 0 where y is constant, which is then predicted as it is.
        self._y_scale = largest * np.sqrt(variance)
        return deviations / _or_one(np.sqrt(variance))

    def _in_units_of_y(self, values):
        if np.ndim(self._y_mean) == 0:
            values = values[..., 0]
        most = np.finfo(np.float64).max
        with np.errstate(over="ignore"):
            values = (values * self._y_scale + self._y_mean) * self._y_unit
        # What is beyond the floats is the largest of them.
        return np.clip(values, -most, most)

    def _member_params(self):
        return {}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _or_one(numbers):
    return np.where(numbers > 0, numbers, 1.0)
