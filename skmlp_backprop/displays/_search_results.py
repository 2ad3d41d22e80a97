"""A display of the results of a search: a line or a heat map."""

import math
from numbers import Real

import numpy as np

from .._network.warning import warn
from .._search.unwrap import final_search
from ._axes import Display
from ._halving_results import (
    HalvingResultsDisplay,
    are_rungs,
    bare_name,
    content_of,
    resource_parameter,
    rows_of_candidates,
)

_BEST = "#ff3b30"
# With more values, matplotlib chooses the ticks.
_MAX_TICKS = 12


class SearchResultsDisplay(Display):
    """Mean test score over the searched parameters, with the spread over the folds.

    A search over a single parameter is a line, with a band of one standard deviation on
    each side if there are several folds. The x axis is logarithmic if the largest value
    is at least ten times the smallest positive value. A ring marks the best value.

    A search over two parameters is a heat map, and a frame marks the best field. If the
    search has further parameters, a field shows the best score over them.

    Candidates without a value of a drawn parameter, which a list of grids may have, are
    not drawn; a warning says how many.

    For a halving search, the display shows the result of each candidate in its last
    rung, unless an axis is the resource.

    Parameters
    ----------
    cv_results : dict of str to ndarray
        The `cv_results_` of a search.

    x, y : str or None, default=None
        Names of the parameters on the axes, with or without the prefix of the step.
        None for the searched parameters, in order: `y` is the first, `x` the second. A
        single searched parameter is `y`, although the line has it on its x axis.

    metric : str, default="score"
        Name of the metric, if the search has several.

    Attributes
    ----------
    others : list of str
        The other searched parameters.

    means_, stds_ : ndarray of shape (n_y, n_x)
        Mean and standard deviation of the test scores; nan for untried combinations.
        `n_x` is 1 for a single parameter.

    ax_ : matplotlib Axes
        The axes of the display.

    figure_ : matplotlib Figure
        The figure of the display.

    im_ : matplotlib AxesImage or None
        The heat map; None for a line.

    line_ : matplotlib Line2D or None
        The line; None for a heat map.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV
    >>> from skmlp_backprop.displays import SearchResultsDisplay
    >>> mlp = BackpropMLPClassifier(25, max_iter=1000, random_state=0)
    >>> grid = {"alpha": [0.01, 1, 100], "learning_rate_init": [0.003, 0.03]}
    >>> search = StackedGridSearchCV(mlp, grid).fit(*load_iris(return_X_y=True))
    >>> SearchResultsDisplay(search.cv_results_).means_.shape
    (3, 2)
    """

    def __init__(self, cv_results, *, x=None, y=None, metric="score"):
        self.metric = metric
        if f"mean_test_{metric}" not in cv_results:
            known = [k[10:] for k in cv_results if k.startswith("mean_test_")]
            raise ValueError(f"metric must be one of {known}, got {metric!r}.")
        if are_rungs(cv_results):
            cv_results = _without_rungs(cv_results, named=(x, y))
        searched = _searched(cv_results)
        if not searched:
            raise ValueError("The search has no parameter with several values.")
        y, x = (None if name is None else _find(name, searched) for name in (y, x))
        if x == y and x is not None:
            raise ValueError(f"x and y must be two parameters, got {x!r} twice.")
        if len(searched) > 2 and None in (x, y):
            raise ValueError(
                f"The search has the parameters {list(searched)}; name two of them "
                "as x and y."
            )
        if len(searched) == 1:
            x, y = None, x or y
        rest = [name for name in searched if name not in (x, y)]
        self.y = rest.pop(0) if y is None else y
        self.x = rest.pop(0) if x is None and rest else x
        self.others = rest
        self._fill(cv_results, searched)

    @classmethod
    def from_estimator(
        cls, search, *, x=None, y=None, metric=None, ax=None, colorbar=True, **kwargs
    ):
        """Draw the results of a fitted search.

        :class:`HalvingResultsDisplay` draws the results of a halving search, unless `x`
        or `y` is given; it uses `ax` and ignores the other arguments.

        Parameters
        ----------
        search : GridSearchCV, StackedGridSearchCV or alike, or Pipeline
            The fitted search, or a Pipeline that ends in a search.

        x, y : str or None, default=None
            As of the class.

        metric : str or None, default=None
            The metric. None for the only metric, or for the metric of `refit`.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        colorbar : bool, default=True
            Whether to draw the colour bar of a heat map.

        **kwargs
            Passed to matplotlib's `imshow`, or to `plot` for a line.

        Returns
        -------
        display : SearchResultsDisplay or HalvingResultsDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If `x` and `y` are not searched parameters, or if the search lacks the
            metric.
        TypeError
            If `search` is not a search.
        """
        search = final_search(search)
        if metric is None:
            is_named = search.multimetric_ and isinstance(search.refit, str)
            metric = search.refit if is_named else "score"
        settings = {"ax": ax, "colorbar": colorbar, **kwargs}
        return cls.from_results(search.cv_results_, x=x, y=y, metric=metric, **settings)

    @classmethod
    def from_results(
        cls, cv_results, *, x=None, y=None, metric="score", ax=None, **kwargs
    ):
        """Draw the `cv_results_` of a search.

        :class:`HalvingResultsDisplay` draws the results of a halving search, unless `x`
        or `y` is given; it uses `ax` and ignores the other arguments.

        Parameters
        ----------
        cv_results : dict of str to ndarray
            The results of a search.

        x, y : str or None, default=None
            As of the class.

        metric : str, default="score"
            As of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : SearchResultsDisplay or HalvingResultsDisplay
            The drawn display.
        """
        if x is y is None and are_rungs(cv_results):
            return HalvingResultsDisplay.from_results(cv_results, ax=ax)
        return cls(cv_results, x=x, y=y, metric=metric).plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, colorbar=True, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        colorbar : bool, default=True
            Whether to draw the colour bar of a heat map.

        **kwargs
            Passed to matplotlib's `imshow`, or to `plot` for a line.

        Returns
        -------
        display : SearchResultsDisplay
            This display.
        """
        if self.x is None:
            return self._plot_line(ax, kwargs)
        n_y, n_x = self.means_.shape
        ax = self._set_axes(ax, (2.4 + 0.95 * n_x, 1.4 + 0.6 * n_y))
        settings = {"cmap": "viridis", "aspect": "auto", **kwargs}
        self.im_, self.line_ = ax.imshow(self.means_, **settings), None
        # Values and names may have a "$", which is no formula.
        ticks = {"fontsize": 9, "parse_math": False}
        ax.set_yticks(range(n_y), [_short(v) for v in self.y_values], **ticks)
        ax.set_ylabel(bare_name(self.y), parse_math=False)
        ax.set_xticks(range(n_x), [_short(v) for v in self.x_values], **ticks)
        ax.set_xlabel(bare_name(self.x), parse_math=False)
        self._write_scores()
        if colorbar:
            label = f"mean test {self.metric}"
            if self.others:
                label += f", best over {', '.join(map(bare_name, self.others))}"
            self.figure_.colorbar(self.im_, ax=ax).set_label(label, parse_math=False)
        return self

    def _plot_line(self, ax, kwargs):
        """Draw the scores over the values of a single parameter."""
        ax = self._set_axes(ax, (6.4, 4.0))
        places = _set_scale(ax, self.y_values)
        means, stds = self.means_[:, 0], self.stds_[:, 0]
        (self.line_,) = ax.plot(places, means, **{"marker": "o", **kwargs})
        # A single split has no spread.
        if np.any(stds > 0):
            color = self.line_.get_color()
            ax.fill_between(
                places, means - stds, means + stds, color=color, alpha=0.2, lw=0
            )
        if not np.isnan(means).all():
            best = np.nanargmax(means)
            ring = {"ms": 12, "mfc": "none", "mec": _BEST, "mew": 2.5}
            ax.plot(places[best], means[best], "o", **ring)
        ax.set_xlabel(bare_name(self.y), parse_math=False)
        ax.set_ylabel(f"mean test {self.metric}", parse_math=False)
        self.im_ = None
        return self

    def _fill(self, cv_results, searched):
        """Fill the grid with the best score of each field."""
        ys, self.y_values = searched[self.y]
        if self.x is None:
            xs, self.x_values = np.zeros(len(ys), int), [""]
        else:
            xs, self.x_values = searched[self.x]
        shape = len(self.y_values), len(self.x_values)
        self.means_, self.stds_ = np.full(shape, np.nan), np.full(shape, np.nan)
        means = cv_results[f"mean_test_{self.metric}"]
        stds = cv_results[f"std_test_{self.metric}"]
        for place, mean, std in zip(zip(ys, xs, strict=True), means, stds, strict=True):
            best = self.means_[place]
            if -1 not in place and (mean > best or np.isnan(best)):
                self.means_[place], self.stds_[place] = mean, std
        lacking = [-1 in place for place in zip(ys, xs, strict=True)]
        if any(lacking):
            axes = " or ".join(repr(bare_name(n)) for n in (self.y, self.x) if n)
            warn(
                f"{sum(lacking)} of {len(lacking)} candidates of the search have no "
                f"value of {axes}, and are not drawn. The best of them has a mean test "
                f"score of {np.fmax.reduce(means[lacking]):.4g}."
            )

    def _write_scores(self):
        """Write the scores in the fields of a heat map, and mark the best field."""
        from matplotlib.patches import Rectangle

        style = {"ha": "center", "va": "center", "fontsize": 8}
        for (i, j), mean in np.ndenumerate(self.means_):
            if not np.isnan(mean):
                red, green, blue, _ = self.im_.cmap(self.im_.norm(mean))
                is_dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
                text = f"{mean:.3f}\n±{self.stds_[i, j]:.3f}"
                style["color"] = "white" if is_dark else "black"
                self.ax_.text(j, i, text, **style)
        if not np.isnan(self.means_).all():
            i, j = np.unravel_index(np.nanargmax(self.means_), self.means_.shape)
            corner = j - 0.47, i - 0.46
            frame = Rectangle(corner, 0.94, 0.92, fill=False, ec=_BEST, lw=2.5)
            self.ax_.add_patch(frame)


def _without_rungs(cv_results, named):
    """Results of each candidate's last rung; all results if the resource is named."""
    resource = resource_parameter(cv_results)
    if resource is not None and not {resource, bare_name(resource)}.isdisjoint(named):
        return cv_results
    last = sorted(rows[-1] for rows in rows_of_candidates(cv_results, resource))
    return {
        key: np.ma.asarray(column)[last]
        for key, column in cv_results.items()
        if key.startswith(("param_", "mean_test_", "std_test_"))
        and key != f"param_{resource}"
    }


def _searched(cv_results):
    """Parameters with several values.

    Returns a dict: {name: (places, values)}. `places` has for each candidate the place
    of its value in `values`, or -1 if it has none.
    """
    searched = {}
    for key in cv_results:
        if not key.startswith("param_"):
            continue
        column = np.ma.asarray(cv_results[key])
        is_absent = np.ma.getmaskarray(column)
        values = _unique(column.data[~is_absent].tolist())
        if len(values) > 1:
            code_of = {content_of(value): code for code, value in enumerate(values)}
            codes = [
                -1 if absent else code_of[content_of(value)]
                for value, absent in zip(column.data.tolist(), is_absent, strict=True)
            ]
            searched[key.removeprefix("param_")] = codes, values
    return searched


def _unique(values):
    """Unique values, sorted if possible, else in order of appearance."""
    unique = {}
    for value in values:
        unique.setdefault(content_of(value), value)
    try:
        return sorted(unique.values())
    # The comparison of arrays raises ValueError.
    except (TypeError, ValueError):
        return list(unique.values())


def _find(name, searched):
    """The full name of a searched parameter."""
    found = [known for known in searched if name in (known, bare_name(known))]
    if len(found) != 1:
        raise ValueError(f"x and y must be among {list(searched)}, got {name!r}.")
    return found[0]


def _short(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def _set_scale(ax, values):
    """Set the scale and the ticks of the x axis; return the place of each value.

    Values that are not finite numbers are evenly spaced.
    """
    ticks = {"labels": [_short(v) for v in values], "fontsize": 9, "parse_math": False}
    if not all(
        isinstance(v, Real) and not isinstance(v, bool) and math.isfinite(v)
        for v in values
    ):
        ax.set_xticks(range(len(values)), **ticks)
        return list(range(len(values)))
    positive = [v for v in values if v > 0]
    if min(values) >= 0 and max(values) >= 10 * min(positive):
        # A value 0, for example no penalty, has no place on a logarithmic scale. The
        # linear part of "symlog" ends at the smallest positive value.
        is_log = len(positive) == len(values)
        scale = {} if is_log else {"linthresh": min(positive)}
        ax.set_xscale("log" if is_log else "symlog", **scale)
    if len(values) <= _MAX_TICKS:
        ax.set_xticks(values, **ticks)
        ax.minorticks_off()
    return values
