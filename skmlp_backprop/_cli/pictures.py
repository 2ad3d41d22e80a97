"""The pictures of a report."""

import io
import warnings

import numpy as np
from scipy.stats import binomtest

from .._estimators.architecture import is_stochastic
from ..displays import ImportancesDisplay, LossCurveDisplay
from .predicting import COVERAGE

# Each file of a report has these words near its start; others are not replaced.
MARK = "report of skmlp-backprop"
# Inches and dots per inch: the text can be read on a phone, where a picture shrinks.
_SIZE = (5, 3.75)
_DPI = 200
_MAX_POINTS = 500
MAX_BARS = 20
_MAX_NAME = 24
_BLUE, _ORANGE, _GREY = "#1f5fa8", "#d9690c", "0.6"


def png(draw, *args):
    """Draw on a figure by `draw(figure, *args)`; return the content of a PNG file."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context("default"), warnings.catch_warnings():
        # Characters that the font lacks are drawn as boxes; the page has the names.
        warnings.filterwarnings("ignore", "Glyph ", UserWarning)
        figure = Figure(_SIZE, dpi=_DPI, layout="constrained")
        draw(figure, *args)
        for ax in figure.axes:
            side = ax.yaxis.get_label_position()
            ax.spines["top"].set_visible(False)
            ax.spines["left" if side == "right" else "right"].set_visible(False)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": MARK})
    return file.getvalue()


def draw_calibration(figure, scores):
    """Draw the share of correct predictions against the predicted probabilities.

    For two classes, of the probability of the second class; for more, of the predicted
    class.
    """
    if len(scores.classes) == 2:
        predicted = scores.proba[:, 1]
        is_true = scores.y == scores.classes[1]
        xlabel = f"predicted probability of {_short(scores.classes[1])}"
        ylabel = f"share of rows that are {_short(scores.classes[1])}"
    else:
        predicted = scores.proba.max(axis=1)
        is_true = scores.y == scores.predicted
        xlabel = "probability of the predicted class"
        ylabel = "share of correct predictions"
    mean, share, low, high = calibration(predicted, is_true)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    top.plot([0, 1], [0, 1], "--", color=_GREY, label="calibrated")
    top.errorbar(
        mean,
        share,
        yerr=[np.maximum(share - low, 0), np.maximum(high - share, 0)],
        fmt="o-",
        color=_BLUE,
        capsize=2,
        markersize=4,
        linewidth=1,
        label="held-out rows",
    )
    top.set(ylim=(-0.03, 1.03))
    top.set_ylabel(ylabel, parse_math=False)
    top.legend(loc="best", frameon=False)
    bottom.hist(predicted, bins=np.linspace(0, 1, 21), color=_BLUE)
    bottom.set(xlim=(-0.03, 1.03), ylabel="rows")
    bottom.set_xlabel(xlabel, parse_math=False)
    figure.align_ylabels()


def calibration(predicted, is_true):
    """Shares of true events in bins of equally many predicted probabilities.

    There are 2 to 10 bins, of 20 rows or more if there are enough; one if the
    probabilities are equal. Returns for each bin the mean probability, the share of
    events, and the bounds of its 95 % confidence interval, by Wilson's method.
    """
    n_bins = int(np.clip(len(predicted) // 20, 2, 10))
    # The lowest rank puts equal probabilities in the same bin.
    ranks = np.searchsorted(np.sort(predicted), predicted)
    bins = ranks * n_bins // len(predicted)
    values = []
    for i in np.unique(bins):
        events = is_true[bins == i]
        bounds = binomtest(int(events.sum()), len(events)).proportion_ci(
            method="wilson"
        )
        values.append((predicted[bins == i].mean(), events.mean(), *bounds))
    return tuple(np.array(values).T)


def draw_predictions(figure, scores, name):
    """Draw the true values and the prediction intervals against the predictions."""
    index = shown_rows(scores)
    x, y = scores.predicted[index], scores.y[index]
    low, high = scores.interval[index].T
    is_inside = (low <= y) & (y <= high)
    ax = figure.subplots()
    ax.vlines(
        x, low, high, color="#b8cbe3", linewidth=1, label=f"{COVERAGE:.0%} interval"
    )
    ax.axline((x[0], x[0]), slope=1, linestyle="--", color=_GREY)
    ax.plot(x[is_inside], y[is_inside], "o", ms=2.5, color=_BLUE, label="inside")
    ax.plot(x[~is_inside], y[~is_inside], "x", ms=4.5, color=_ORANGE, label="outside")
    ax.set_xlabel(f"predicted {_short(name)}", parse_math=False)
    ax.set_ylabel(f"true {_short(name)}", parse_math=False)
    ax.legend(loc="best", fontsize="small")


def draw_residuals(figure, scores, name):
    """Draw the residuals against the predictions, and their distribution."""
    index = shown_rows(scores)
    residuals = scores.y - scores.predicted
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    left.axhline(0, linestyle="--", color=_GREY)
    left.plot(scores.predicted[index], residuals[index], "o", ms=2.5, color=_BLUE)
    left.set_xlabel(f"predicted {_short(name)}", parse_math=False)
    left.set_ylabel("residual: true minus predicted")
    right.hist(residuals, bins=30, orientation="horizontal", color=_BLUE)
    right.set(xlabel="rows")


def shown_rows(scores):
    """The held-out rows that are drawn: all, or 500 drawn at random."""
    index = np.arange(len(scores.y))
    if len(index) > _MAX_POINTS:
        index = np.random.default_rng(0).choice(index, _MAX_POINTS, replace=False)
    return index


def draw_importances(figure, importances):
    """Draw the largest importances as bars."""
    n_bars = min(MAX_BARS, len(importances.names))
    figure.set_figheight(max(1.6, 0.9 + 0.24 * n_bars))
    names = [_short(name) for name in importances.names]
    display = ImportancesDisplay(importances.values, importances.stds, names)
    # With caps, small spreads are visible.
    bars = {"color": _BLUE, "error_kw": {"ecolor": "0.25", "capsize": 2}}
    display.plot(max_features=MAX_BARS, ax=figure.subplots(), **bars)
    display.ax_.set_xlabel("importance")


def draw_loss_curve(figure, network):
    """Draw the loss, and the loss of left-out rows if the training had them."""
    solver = getattr(network, "solver", None)
    epoch = "epoch" if solver is None or is_stochastic(solver) else "iteration"
    display = LossCurveDisplay.from_estimator(network, ax=figure.subplots())
    ax = display.ax_
    ax.set(xlabel=epoch, ylabel="loss", yscale="linear")
    ax.xaxis.get_major_locator().set_params(integer=True)
    display.lines_[0].set(color=_BLUE, label="rows trained on")
    if display.left_out_lines_:
        (left_out,) = display.left_out_lines_
        left_out.set(color=_ORANGE, label="rows left out", linestyle="-")
        epochs, losses = left_out.get_data()
        best = np.argmin(losses)
        kept = f"kept: {epoch} {epochs[best]}"
        ax.plot(epochs[best], losses[best], "o", color=_ORANGE, label=kept)
        ax.legend(loc="best", frameon=False)


def _short(name):
    """A name on one line, of a few characters."""
    name = " ".join(str(name).split())
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"
