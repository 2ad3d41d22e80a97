"""A display of the rungs of a halving search."""

from collections import Counter
from numbers import Integral, Number
from pickle import PicklingError

import joblib
import numpy as np

from .._search.unwrap import final_search
from ._axes import Display


class HalvingResultsDisplay(Display):
    """Mean test score against resources, with a line for each candidate.

    A line ends with a dot in the last rung of its candidate. The line of the best
    candidate is thick and reaches the last rung.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        The `cv_results_` of a halving search.

    Attributes
    ----------
    rungs : list of int
        Resources of each rung.

    curves : list of ndarray of shape (n_rungs_of_the_candidate,)
        Scores of each candidate in its rungs; candidates in the order of the first
        rung.

    best : int
        Index in `curves` of the candidate with the best score in the last rung.

    resource : str
        Name of the resource; "resources" if the resource is not a parameter.

    ax_ : matplotlib Axes
        The axes of the display.

    figure_ : matplotlib Figure
        The figure of the display.

    lines_ : list of matplotlib Line2D
        The line of each candidate.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, StackedHalvingGridSearchCV
    >>> from skmlp_backprop.displays import HalvingResultsDisplay
    >>> mlp = BackpropMLPClassifier(25, max_iter=30, random_state=0)
    >>> grid = {"alpha": [0.01, 1, 100], "learning_rate_init": [0.003, 0.03]}
    >>> search = StackedHalvingGridSearchCV(mlp, grid, refit=False)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> display = HalvingResultsDisplay(search.cv_results_)
    >>> display.rungs, [len(curve) for curve in display.curves]
    ([10, 30], [1, 2, 1, 2, 1, 1])
    """

    def __init__(self, cv_results):
        if not are_rungs(cv_results):
            raise ValueError(
                "cv_results must come from a halving search, with n_resources for each "
                "candidate. For other searches, use SearchResultsDisplay."
            )
        scores = np.asarray(cv_results["mean_test_score"])
        _, first_rows = np.unique(cv_results["iter"], return_index=True)
        self.rungs = np.asarray(cv_results["n_resources"], int)[first_rows].tolist()
        parameter = resource_parameter(cv_results)
        self.resource = bare_name(parameter) if parameter else "resources"
        rows_of = rows_of_candidates(cv_results, parameter)
        self.curves = [scores[rows] for rows in rows_of]
        last_scores = [np.nan_to_num(curve[-1], nan=-np.inf) for curve in self.curves]
        # The search takes the first of equal scores in the last rung.
        self.best = max(
            (i for i, rows in enumerate(rows_of) if len(rows) == len(self.rungs)),
            key=lambda i: (last_scores[i], -rows_of[i][-1]),
        )

    @classmethod
    def from_estimator(cls, search, *, ax=None, **kwargs):
        """Draw the rungs of a fitted search.

        Parameters
        ----------
        search : StackedHalvingGridSearchCV, HalvingGridSearchCV or alike, or Pipeline
            The fitted search, or a Pipeline that ends in a search.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : HalvingResultsDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the search is not a halving search.
        TypeError
            If `search` is not a search.
        """
        return cls(final_search(search).cv_results_).plot(ax=ax, **kwargs)

    @classmethod
    def from_results(cls, cv_results, *, ax=None, **kwargs):
        """Draw the rungs of `cv_results_`.

        Parameters
        ----------
        cv_results : dict of str to ndarray
            The results of a halving search.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : HalvingResultsDisplay
            The drawn display.
        """
        return cls(cv_results).plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : HalvingResultsDisplay
            This display.
        """
        ax = self._set_axes(ax, (6.4, 4))
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        # A user's "lw" replaces "linewidth" below.
        kwargs = normalize_kwargs(kwargs, Line2D)
        # Rungs with equal resources would coincide: the x axis then counts the rungs.
        if len(set(self.rungs)) < len(self.rungs):
            places = list(range(len(self.rungs)))
        else:
            places = self.rungs
            ax.set_xscale("log")
        self.lines_ = []
        for i, curve in enumerate(self.curves):
            style = {"marker": "o", "markersize": 3.5, "markevery": [-1]}
            style["linewidth"] = 1
            if i == self.best:
                style |= {"linewidth": 2.5, "zorder": 3, "label": "best candidate"}
            (line,) = ax.plot(places[: len(curve)], curve, **{**style, **kwargs})
            self.lines_.append(line)
        ax.set_xticks(places, [str(n) for n in self.rungs])
        ax.minorticks_off()
        ax.set_xlabel(self.resource, parse_math=False)
        ax.set_ylabel("mean test score")
        ax.legend(loc="lower right")
        return self


def are_rungs(cv_results):
    """Whether results are those of a halving search."""
    return "n_resources" in cv_results


def bare_name(name):
    """Name of a parameter without the prefix of the step."""
    return name.rsplit("__", 1)[-1]


def resource_parameter(cv_results):
    """Full name of the resource's parameter; None if the resource is the rows."""
    resources = [int(n) for n in cv_results["n_resources"]]
    # A search adds the resource after the other parameters: look from the end.
    for key in reversed(list(cv_results)):
        if key.startswith("param_"):
            values = np.ma.asarray(cv_results[key]).tolist()
            pairs = zip(values, resources, strict=True)
            # The type is checked first: an array would be compared by element.
            if all(isinstance(v, Integral) and v == n for v, n in pairs):
                return key.removeprefix("param_")
    return None


def rows_of_candidates(cv_results, resource):
    """Indices of each candidate's rows in the results, in the order of the rungs."""
    rows_of, n_of = {}, Counter()
    for row, (rung, params) in enumerate(
        zip(cv_results["iter"], cv_results["params"], strict=True)
    ):
        # Values may not be hashable, and unpickled results hold copies.
        # The counter separates equal candidates of a grid.
        key = tuple(
            sorted(
                (name, content_of(value))
                for name, value in params.items()
                if name != resource
            )
        )
        n_of[rung, key] += 1
        rows_of.setdefault((key, n_of[rung, key]), []).append(row)
    return list(rows_of.values())


def content_of(value):
    """Return a hashable object that is equal for equal values."""
    # NaN is not equal to itself.
    if value is None or (isinstance(value, (str, Number)) and value == value):
        return value
    try:
        return joblib.hash(value)
    except (PicklingError, AttributeError, TypeError):
        # For example, a lambda can't be pickled.
        return repr(value)
