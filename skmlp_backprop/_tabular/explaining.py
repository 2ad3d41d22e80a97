"""Explanations of a tabular model: importances of columns, partial dependence."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from .._estimators.checks import warn_of_other_order
from .._estimators.sklearn_private import _check_feature_names_in
from .._estimators.weighting import checked_sample_weights
from .._network.threads import limited_threads
from .partial_dependence import (
    column_indices,
    grid_of_column,
    grid_of_values,
    partial_dependence,
)
from .sources import make_sources
from .table import check_table


class ExplainsColumnsMixin:
    """Mixin with the importances of columns, and partial dependence."""

    @property
    def feature_importances_(self):
        """Importance of each column: how much worse the predictions are without it.

        The mean increase of the loss when the column is permuted; 0 if the loss falls.
        See :meth:`importances`.
        """
        return np.maximum(self.importances().importances_mean, 0)

    def importances(self):
        """Compute the importance of each column, by permutations.

        Each network predicts the rows that it left out, once as they are and five times
        with the values of a column permuted among these rows. Networks that left out
        the same rows predict them by their mean. The importance of the
        column is the mean increase of the loss: of the log loss, or of the regressor's
        loss of the standardised y, as in `validation_scores_`. With `X_val` the
        validation rows are predicted by the mean of the networks. No network has seen
        the rows, so a column that the networks have only learned by heart has an
        importance of about 0.

        At most 10,000 rows, drawn at random, are used; with `X_val` and eight networks
        2500. The first call computes the importances; the user guide has the times.
        Later calls return them again. A saved model keeps importances that were
        computed, but no rows.

        If two columns have the same information, the importance of each is small.

        Returns
        -------
        result : Bunch
            - `importances_mean`: ndarray of shape (n_features,), the mean increase of
              the loss. A value below 0 is due to chance, or to a column that harms the
              predictions.
            - `importances_std`: ndarray of shape (n_features,), the standard
              deviation over permutations and folds.
            - `importances`: ndarray of shape (n_features, n_permutations), the
              increase in each permutation of the rows of each fold.
            - `feature_names`: ndarray of shape (n_features,), the names of the
              columns, or x0, x1 and so on.

        Raises
        ------
        AttributeError
            If the model was saved before the importances were computed.

        ValueError
            If all rows that the networks have not seen weigh 0.

        See Also
        --------
        sklearn.inspection.permutation_importance : The same for any rows and any score.
        skmlp_backprop.displays.ImportancesDisplay : Draws the importances.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmlp_backprop import TabularMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        >>> model = TabularMLPRegressor(random_state=0).fit(X, y)
        >>> result = model.importances()
        >>> order = result.importances_mean.argsort()
        >>> sorted(result.feature_names[order[-2:]])
        ['bmi', 's5']
        """
        check_is_fitted(self)
        if not hasattr(self, "_importances"):
            if not hasattr(self, "_withheld_rows"):
                raise AttributeError(
                    "This model was saved without the rows that its importances are "
                    "computed from. Call importances() before you save the model, or "
                    "use sklearn.inspection.permutation_importance(model, X, y) with "
                    "rows that the model has not seen."
                )
            # Threads of the BLAS wait for each other longer than they gain here.
            with limited_threads():
                self._importances = self._withheld_rows.importances(
                    self.encoder_, self.estimators_
                )
        increases, weights = self._importances
        mean = np.average(increases, axis=1, weights=weights)
        squares = (increases - mean[:, np.newaxis]) ** 2
        return Bunch(
            importances_mean=mean,
            importances_std=np.sqrt(np.average(squares, axis=1, weights=weights)),
            importances=increases.copy(),
            feature_names=_check_feature_names_in(self).copy(),
        )

    def partial_dependence(
        self,
        X,
        features,
        *,
        kind="average",
        grid_resolution=100,
        percentiles=(0.05, 0.95),
        custom_values=None,
        sample_weight=None,
    ):
        """Compute how the predictions depend on one or more columns.

        The predictions of all rows of X if the column had the same value in all of
        them, for each of a grid of values. The result is that of
        :func:`sklearn.inspection.partial_dependence` with ``method="brute"``, in much
        less time: the table is encoded once. Columns may have integers, dates and
        missing values.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows. Some hundred usually suffice.

        features : int, str or list of these
            The column, by its number or name. Several columns have a joint grid.

        kind : {"average", "individual", "both"}, default="average"
            Whether to return the mean over the rows, the prediction of each row, or
            both.

        grid_resolution : int, default=100
            Largest number of values of a column of numbers or dates, 2 or more. A
            column with fewer distinct values, and a column of categories, has all of
            them.

        percentiles : tuple of (float, float), default=(0.05, 0.95)
            The lowest and the highest value of a grid of numbers or dates, as shares of
            the rows, for dates of the distinct dates.

        custom_values : dict or None, default=None
            For a column, by its number or name as in `features`, the values of the
            grid. None in the list stands for a missing value.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the mean. With None, each row weighs 1.

        Returns
        -------
        result : Bunch
            - `grid_values`: list of ndarray, the values of each column. From
              `grid_resolution` distinct values on, numbers are evenly spaced. Dates are
              some of those in X; dates with a time zone are those that clocks show in
              the zone of `fit`, and times of day are the time since midnight.
            - `average`: ndarray of shape (n_outputs, n_values, ...), one axis for each
              column.
            - `individual`: ndarray of shape (n_outputs, n_samples, n_values, ...).

            With two classes the only output is the probability of the second class;
            with more, there is one for each class.

        Raises
        ------
        ValueError
            If a parameter or a column is invalid.

        See Also
        --------
        sklearn.inspection.PartialDependenceDisplay : Draws the result, see the example.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmlp_backprop import TabularMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        >>> model = TabularMLPRegressor(random_state=0).fit(X, y)
        >>> result = model.partial_dependence(X, "bmi", custom_values={"bmi": [20, 35]})
        >>> low, high = result.average[0]
        >>> bool(low < high)
        True

        scikit-learn draws the results:

        >>> from sklearn.inspection import PartialDependenceDisplay
        >>> names = ["bmi", "s5"]
        >>> display = PartialDependenceDisplay(
        ...     [model.partial_dependence(X, name) for name in names],
        ...     features=[(0,), (1,)],
        ...     feature_names=names,
        ...     target_idx=0,
        ...     deciles={},
        ... ).plot()
        """
        check_is_fitted(self)
        _check_grid_parameters(kind, grid_resolution, percentiles, custom_values)
        X = check_table(self, X, reset=False)
        indices = column_indices(X, features)
        values_of = {}
        if custom_values:
            with_values = column_indices(X, list(custom_values), "custom_values")
            values_of = dict(zip(with_values, custom_values.values(), strict=True))
        if unused := sorted(set(values_of) - set(indices)):
            names = _check_feature_names_in(self)[unused].tolist()
            raise ValueError(
                f"custom_values has the columns {names}, but features has not. Add "
                "them to features, or leave them out of custom_values."
            )
        prepared, encoder = self.encoder_._prepare(X), self.encoder_
        grid_values, grids = [], []
        for i, source in zip(indices, make_sources(X, indices), strict=True):
            encoding = encoder._encodings[i]
            if i in values_of:
                values, grid = grid_of_values(source, encoding, values_of[i])
            else:
                values, grid = grid_of_column(
                    source, encoding, prepared[i], grid_resolution, percentiles
                )
            grid_values.append(values)
            grids.append(grid)
        warn_of_other_order("sample_weight", sample_weight, "X", X)
        weights = checked_sample_weights(np.ones(len(X)), sample_weight)
        # Their sum may be beyond the largest float.
        weights = weights / weights.max()
        weights /= weights.sum()
        with limited_threads():
            average, individual = partial_dependence(
                self, prepared, indices, grids, weights, kind != "average"
            )
        shape, result = list(map(len, grids)), Bunch(grid_values=grid_values)
        if kind != "individual":
            outputs = self._outputs_of_estimates(average).T
            result.average = outputs.reshape(-1, *shape)
        if kind != "average":
            # From (n_points, n_rows, n_outputs).
            outputs = self._outputs_of_estimates(individual).transpose(2, 1, 0)
            result.individual = outputs.reshape(-1, len(X), *shape)
        return result

    def __dir__(self):
        # The HTML in notebooks reads all attributes of the list, and the list of
        # scikit-learn's estimators tries them all. Neither must compute importances.
        lazy = "feature_importances_"
        names = [n for n in object.__dir__(self) if n != lazy and hasattr(self, n)]
        return [*names, lazy] if "_importances" in names else names

    def __getstate__(self):
        state = super().__getstate__()
        # A file must not have rows of the table.
        state.pop("_withheld_rows", None)
        return state


def _check_grid_parameters(kind, grid_resolution, percentiles, custom_values):
    """Refuse invalid parameters of `partial_dependence`."""
    if kind not in ("average", "individual", "both"):
        raise ValueError(
            f"kind must be 'average', 'individual' or 'both', got {kind!r}."
        )
    if not isinstance(grid_resolution, Integral) or grid_resolution < 2:
        raise ValueError(
            f"grid_resolution must be an integer of 2 or more, got {grid_resolution!r}."
        )
    limits = list(percentiles) if np.iterable(percentiles) else []
    are_numbers = len(limits) == 2 and all(isinstance(p, Real) for p in limits)
    if not are_numbers or not 0 <= limits[0] < limits[1] <= 1:
        raise ValueError(
            f"percentiles must be two rising numbers in [0, 1], got {percentiles!r}."
        )
    if not isinstance(custom_values, Mapping | None):
        raise ValueError(
            "custom_values must be a dict of columns to lists of values, got "
            f"{custom_values!r}."
        )
