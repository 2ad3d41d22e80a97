"""A display of losses and scores during training."""

import itertools
from collections.abc import Mapping

from sklearn.utils.validation import check_is_fitted

from .._search.unwrap import final_network
from ..callbacks import ScoreHistory
from ._axes import Display

_LABELS = {
    "iterations": "iteration or epoch",
    "evaluations": "evaluations of loss and gradient",
    "seconds": "seconds",
}
_STYLES = ("--", ":", "-.")
_LEFT_OUT = "loss of left-out rows"


class LossCurveDisplay(Display):
    """Training loss of one or more fits, and their scores if recorded.

    The scores are of the rows that `early_stopping` holds out, and of the rows of a
    :class:`~skmlp_backprop.callbacks.ScoreHistory`. They have an axis of their own. The
    loss of the rows that the networks of a TabularMLPClassifier or TabularMLPRegressor
    leave out is drawn beside the training loss.

    The loss of "sgd" and "adam" is a mean over minibatches, and the penalty of a
    minibatch is divided by its number of rows. The full-batch solvers divide the
    penalty by the number of all rows. So with the same `alpha`, the losses of "sgd" and
    "adam" are higher.

    Parameters
    ----------
    curves : dict of str to dict
        For each name of a training, a dict: `iterations`, `evaluations` and `seconds`
        are the x values; `loss` is J after each iteration; `score` is the validation
        score after each iteration, or None. These may be missing: `left_out_loss`, the
        loss of the left-out rows after each epoch, or None; and `histories`, a list of
        the records of ScoreHistory callbacks. A record is a dict with `name`,
        `iterations`, counted from 1, and `scores`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses.

    score_ax_ : matplotlib Axes or None
        The axes of the scores, which share the x axis; None without scores.

    figure_ : matplotlib Figure
        The figure.

    lines_ : list of matplotlib Line2D
        The lines of the training losses.

    left_out_lines_ : list of matplotlib Line2D
        The lines of the losses of left-out rows.

    score_lines_ : list of matplotlib Line2D
        The lines of the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmlp_backprop import BackpropMLPClassifier
    >>> from skmlp_backprop.displays import LossCurveDisplay
    >>> mlp = BackpropMLPClassifier(max_iter=1000, random_state=0)
    >>> mlp = mlp.fit(*load_iris(return_X_y=True))
    >>> display = LossCurveDisplay.from_estimator(mlp, x="evaluations")
    >>> display.ax_.get_xlabel()
    'evaluations of loss and gradient'
    """

    def __init__(self, curves):
        if not curves:
            raise ValueError("There are no trainings to draw; give one at least.")
        self.curves = curves

    @classmethod
    def from_estimator(cls, estimators, *, x="iterations", ax=None, **kwargs):
        """Draw the trainings of fitted networks.

        Parameters
        ----------
        estimators : estimator, list of estimators or dict of str to estimator
            Fitted networks, or Pipelines and searches that end in a network. The keys
            of a dict name the trainings. MLPClassifier, MLPRegressor,
            TabularMLPClassifier and TabularMLPRegressor record iterations only.

        x : {"iterations", "evaluations", "seconds"}, default="iterations"
            The quantity on the x axis. "evaluations" compares the work of solvers; an
            evaluation of "sgd" and "adam" is of a minibatch.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : LossCurveDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If `estimators` is empty, if an estimator has no loss curve, or if `x` is
            unknown or was not recorded.
        TypeError
            If an estimator has no network or, like an ensemble, several networks.
        """
        if not isinstance(estimators, Mapping):
            several = isinstance(estimators, list | tuple)
            estimators = _named(list(estimators) if several else [estimators])
        curves = {name: _curve(e) for name, e in estimators.items()}
        return cls(curves).plot(x=x, ax=ax, **kwargs)

    def plot(self, *, x="iterations", ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        x : {"iterations", "evaluations", "seconds"}, default="iterations"
            The quantity on the x axis.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : LossCurveDisplay
            This display.

        Raises
        ------
        ValueError
            If `x` is unknown or was not recorded.
        """
        if x not in _LABELS:
            raise ValueError(f"x must be one of {list(_LABELS)}, got {x!r}.")
        for name, curve in self.curves.items():
            if len(curve[x]) != len(curve["loss"]):
                raise ValueError(f"{name} has no record of {x}; use x='iterations'.")
        ax = self._set_axes(ax, (6.4, 4.0))
        # A curve of few points needs a marker to be visible.
        is_short = any(len(curve["loss"]) < 3 for curve in self.curves.values())
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        settings = {"marker": "." if is_short else None}
        # A user's "c" replaces "color" of the other curves.
        settings |= normalize_kwargs(kwargs, Line2D)
        self.lines_ = [
            ax.plot(curve[x], curve["loss"], **{"label": name, **settings})[0]
            for name, curve in self.curves.items()
        ]
        styles = self._plot_others(x, settings)
        ax.set(xlabel=_LABELS[x])
        ax.set_ylabel("loss" if self.left_out_lines_ else "training loss J")
        losses = [line.get_ydata() for line in (*self.lines_, *self.left_out_lines_)]
        if all(min(values) > 0 for values in losses):
            ax.set_yscale("log")
        self._add_legend(styles)
        return self

    def _plot_others(self, x, settings):
        """Draw the losses of left-out rows, and the scores; return their styles."""
        others = [_others(curve, x) for curve in self.curves.values()]
        names = dict.fromkeys(name for of_curve in others for name, *_ in of_curve)
        styles = dict(zip(names, itertools.cycle(_STYLES), strict=False))
        self.left_out_lines_, self.score_ax_, self.score_lines_ = [], None, []
        scores = [name for name in names if name != _LEFT_OUT]
        if scores:
            self.score_ax_ = self.ax_.twinx()
            label = scores[0] if len(scores) == 1 else "score"
            label += " (dashed)" if len(names) == 1 else ""
            self.score_ax_.set_ylabel(label, parse_math=False)
        for line, of_curve in zip(self.lines_, others, strict=True):
            for name, seen, values in of_curve:
                style = {**settings, "linestyle": styles[name]}
                style["color"] = line.get_color()
                if len(values) == 1:
                    style["marker"] = "."
                if name == _LEFT_OUT:
                    self.left_out_lines_ += self.ax_.plot(seen, values, **style)
                else:
                    self.score_lines_ += self.score_ax_.plot(seen, values, **style)
        return styles

    def _add_legend(self, styles):
        """Name the colours of several trainings, and the styles if they need names."""
        from matplotlib.lines import Line2D

        is_single = len(self.lines_) == 1
        handles = [] if is_single else list(self.lines_)
        if len(styles) > 1 or self.left_out_lines_:
            color = self.lines_[0].get_color() if is_single else "0.4"
            if self.left_out_lines_:
                styles = {"training loss": "-", **styles}
            handles += [
                Line2D([], [], color=color, linestyle=style, label=name)
                for name, style in styles.items()
            ]
        if not handles:
            return
        # The legend is drawn above both axes, on the right, where curves are flat.
        top = self.ax_ if self.score_ax_ is None else self.score_ax_
        legend = top.legend(handles=handles, loc="center right", framealpha=0.9)
        for text in legend.get_texts():
            text.set_parse_math(False)


def _named(estimators):
    """Name estimators by their solvers, with numbers for equal solvers."""
    networks = [final_network(e, ensembles=True) for e in estimators]
    names = [getattr(n, "solver", type(n).__name__) for n in networks]
    numbered = [
        name if names.count(name) == 1 else f"{name} {names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    ]
    return dict(zip(numbered, estimators, strict=True))


def _others(curve, x):
    """Name, x values and y values of a training's curves beside the training loss."""
    others = []
    left_out, score = curve.get("left_out_loss"), curve["score"]
    for name, values in ((_LEFT_OUT, left_out), ("validation score", score)):
        if values is not None:
            # After a warm start, validation may begin later than training.
            others.append((name, curve[x][-len(values) :], values))
    for history in curve.get("histories", []):
        seen = [curve[x][i - 1] for i in history["iterations"]]
        others.append((history["name"], seen, history["scores"]))
    return others


def _curve(estimator):
    network = final_network(estimator, ensembles=True)
    check_is_fitted(network)
    loss = getattr(network, "loss_curve_", [])
    if not loss:
        raise ValueError(f"{network} has no loss curve: it made no iteration.")
    score, left_out = network.validation_scores_, None
    if hasattr(network, "n_members") and score is not None:
        score, left_out = None, [-value for value in score]
    # A fit without callbacks leaves the records of an earlier fit.
    callbacks = getattr(network, "_skl_callbacks", [])
    n_histories = sum(isinstance(callback, ScoreHistory) for callback in callbacks)
    return {
        "iterations": list(range(1, len(loss) + 1)),
        # Ensembles, and networks of or from scikit-learn, do not record these.
        "evaluations": getattr(network, "n_fun_curve_", []),
        "seconds": getattr(network, "time_curve_", []),
        "loss": loss,
        "left_out_loss": left_out,
        "score": score,
        "histories": getattr(network, "score_histories_", [])[:n_histories],
    }
