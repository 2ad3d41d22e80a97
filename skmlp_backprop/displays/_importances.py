"""A display of the importances of columns."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from .._search.unwrap import final_network
from ._axes import Display


class ImportancesDisplay(Display):
    """The most important columns of a table, as horizontal bars.

    The length of a bar is the mean increase of the loss when the column is permuted.
    The black line is one standard deviation to both sides.

    Parameters
    ----------
    importances_mean : array-like of shape (n_features,)
        Importance of each column.

    importances_std : array-like of shape (n_features,)
        Standard deviation of each importance.

    feature_names : array-like of str of shape (n_features,)
        Names of the columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.

    figure_ : matplotlib Figure
        The figure of the display.

    bars_ : matplotlib BarContainer
        The bars, from the most important column down.

    See Also
    --------
    skmlp_backprop.TabularMLPRegressor.importances : Computes the importances.
    sklearn.inspection.permutation_importance : Computes them for any estimator; its
        result has the means and standard deviations that this display takes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmlp_backprop import TabularMLPRegressor
    >>> from skmlp_backprop.displays import ImportancesDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> model = TabularMLPRegressor(random_state=0).fit(X, y)
    >>> display = ImportancesDisplay.from_estimator(model, max_features=3)
    >>> sorted(label.get_text() for label in display.ax_.get_yticklabels())
    ['bmi', 'bp', 's5']
    """

    def __init__(self, importances_mean, importances_std, feature_names):
        check_consistent_length(importances_mean, importances_std, feature_names)
        self.importances_mean = np.asarray(importances_mean)
        self.importances_std = np.asarray(importances_std)
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator, *, max_features=20, ax=None, **kwargs):
        """Draw the importances of the columns of a fitted tabular estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted TabularMLPClassifier or TabularMLPRegressor, or a Pipeline or
            search that ends in one. In a Pipeline, the columns are those that the last
            step gets.

        max_features : int, default=20
            Largest number of columns.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `barh`.

        Returns
        -------
        display : ImportancesDisplay
            The drawn display.

        Raises
        ------
        TypeError
            If `estimator` has no tabular estimator.
        AttributeError
            If the estimator was saved before its importances were computed.
        """
        model = final_network(estimator, ensembles=True)
        if not hasattr(model, "importances"):
            raise TypeError(
                "estimator must be a TabularMLPClassifier or TabularMLPRegressor, or a "
                f"Pipeline or search that ends in one, got {model}. For others, use "
                "sklearn.inspection.permutation_importance and "
                "ImportancesDisplay(importances_mean, importances_std, feature_names)."
            )
        result = model.importances()
        display = cls(
            result.importances_mean, result.importances_std, result.feature_names
        )
        return display.plot(max_features=max_features, ax=ax, **kwargs)

    def plot(self, *, max_features=20, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        max_features : int, default=20
            Largest number of columns.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `barh`.

        Returns
        -------
        display : ImportancesDisplay
            This display.
        """
        order = np.argsort(-self.importances_mean, kind="stable")[:max_features]
        ax = self._set_axes(ax, (6.4, 1.2 + 0.25 * len(order)))
        settings = {"color": "C0", "error_kw": {"elinewidth": 1}, **kwargs}
        places = np.arange(len(order))
        self.bars_ = ax.barh(
            places,
            self.importances_mean[order],
            xerr=self.importances_std[order],
            **settings,
        )
        ax.set_yticks(
            places, [str(self.feature_names[i]) for i in order], parse_math=False
        )
        ax.invert_yaxis()
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set_xlabel("increase of the loss when the column is permuted")
        return self
