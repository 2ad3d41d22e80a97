"""How trainings went."""

import itertools
from collections.abc import Mapping

from sklearn.utils.validation import check_is_fitted

from .._search.unwrap import final_network
from ..callbacks import ScoreHistory
from ._axes import get_axes

_LABELS = {
    "iterations": "iteration or epoch",
    "evaluations": "evaluations of loss and gradient",
    "seconds": "seconds",
}
_SCORE_STYLES = ("--", ":", "-.")


class LossCurveDisplay:
    """Training loss of one or more fits, and their scores where there are any.

    The scores are those of rows withheld by `early_stopping`, and those that a
    :class:`~skmlp_backprop.callbacks.ScoreHistory` has recorded.

    The losses of "sgd" and "adam" are means over the minibatches, in each of which the
    penalty is divided by the batch's rows: with the same `alpha` they are higher than
    those of the full-batch solvers, which divide it by all rows.

    Parameters
    ----------
    curves : dict of str to dict
        For each training, by its name: `iterations`, `evaluations` and `seconds`, the
        x values; `loss`, J after each iteration; `score`, the validation score after
        each, or None; `histories`, which may be missing, a list of dicts of what
        callbacks have recorded: `name`, `iterations`, counted from 1, and `scores`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the loss is drawn.

    score_ax_ : matplotlib Axes or None
        The same place with the axis of the scores, if there are any.

    figure_ : matplotlib Figure
        The figure.

    lines_ : list of matplotlib Line2D
        The lines of the losses.

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
            Fitted networks, or Pipelines and searches that end in one; a dict names
            them. Of a MLPClassifier, MLPRegressor, TabularMLPClassifier or
            TabularMLPRegressor there are iterations only; the validation score of the
            latter two is the negative loss of withheld rows.

        x : {"iterations", "evaluations", "seconds"}, default="iterations"
            What is on the x axis. Evaluations compare solvers by their work: those of
            "sgd" and "adam" are of a minibatch each.

        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : LossCurveDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If there are no estimators, one has no loss curve, or `x` is unknown or
            was not recorded.
        TypeError
            If one ends in no network, or in several, as ensembles do.
        """
        if not isinstance(estimators, Mapping):
            several = isinstance(estimators, list | tuple)
            estimators = _named(list(estimators) if several else [estimators])
        curves = {name: _curve(e) for name, e in estimators.items()}
        return cls(curves).plot(x=x, ax=ax, **kwargs)

    def plot(self, *, x="iterations", ax=None, **kwargs):
        """Draw.

        Parameters
        ----------
        x : {"iterations", "evaluations", "seconds"}, default="iterations"
            What is on the x axis.

        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        **kwargs
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : LossCurveDisplay
            This display.

        Raises
        ------
        ValueError
            If `x` is none of these, or was not recorded.
        """
        if x not in _LABELS:
            raise ValueError(f"x must be one of {list(_LABELS)}, got {x!r}.")
        for name, curve in self.curves.items():
            if len(curve[x]) != len(curve["loss"]):
                raise ValueError(f"{name} has no record of {x}; use x='iterations'.")
        ax = get_axes(ax, type(self).__name__, (6.4, 4.0))
        # A curve of one point would be no line.
        settings = {"marker": "." if self._is_short() else None, **kwargs}
        self.lines_ = [
            ax.plot(curve[x], curve["loss"], label=name, **settings)[0]
            for name, curve in self.curves.items()
        ]
        ax.set(xlabel=_LABELS[x], ylabel="training loss J")
        if all(min(curve["loss"]) > 0 for curve in self.curves.values()):
            ax.set_yscale("log")
        self.score_ax_, self.score_lines_ = None, []
        scores = {name: _scores(curve, x) for name, curve in self.curves.items()}
        styles = self._plot_scores(ax, scores, settings)
        handles = self.lines_ if len(self.curves) > 1 else []
        if len(styles) > 1:
            from matplotlib.lines import Line2D

            color = self.lines_[0].get_color() if len(self.curves) == 1 else "0.4"
            handles = [
                *handles,
                *(
                    Line2D([], [], color=color, linestyle=style, label=name)
                    for name, style in styles.items()
                ),
            ]
        if handles:
            # On top of both axes; at the side, where curves have flattened out.
            top = ax if self.score_ax_ is None else self.score_ax_
            legend = top.legend(handles=handles, loc="center right", framealpha=0.9)
            for text in legend.get_texts():
                text.set_parse_math(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_scores(self, ax, scores, settings):
        """Draw the scores on an axis of their own, and return each name's style."""
        names = dict.fromkeys(name for some in scores.values() for name, *_ in some)
        if not names:
            return {}
        styles = dict(zip(names, itertools.cycle(_SCORE_STYLES), strict=False))
        self.score_ax_ = ax.twinx()
        label = f"{next(iter(names))} (dashed)" if len(names) == 1 else "score"
        self.score_ax_.set_ylabel(label, parse_math=False)
        for line, some in zip(self.lines_, scores.values(), strict=True):
            for name, seen, values in some:
                style = {**settings, "linestyle": styles[name]}
                style["color"] = line.get_color()
                if len(values) == 1:
                    style["marker"] = "."
                self.score_lines_ += self.score_ax_.plot(seen, values, **style)
        return styles

    def _is_short(self):
        return any(len(curve["loss"]) < 3 for curve in self.curves.values())


def _named(estimators):
    """Name estimators by their solvers, numbered where several have the same."""
    networks = [final_network(e, ensembles=True) for e in estimators]
    names = [getattr(n, "solver", type(n).__name__) for n in networks]
    numbered = [
        name if names.count(name) == 1 else f"{name} {names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    ]
    return dict(zip(numbered, estimators, strict=True))


def _scores(curve, x):
    """Each score of a training: its name, and the x and y values."""
    scores = []
    if curve["score"] is not None:
        # A warm start may have begun to validate later than to train.
        seen = curve[x][-len(curve["score"]) :]
        scores.append(("validation score", seen, curve["score"]))
    for history in curve.get("histories", []):
        seen = [curve[x][i - 1] for i in history["iterations"]]
        scores.append((history["name"], seen, history["scores"]))
    return scores


def _curve(estimator):
    network = final_network(estimator, ensembles=True)
    check_is_fitted(network)
    loss = getattr(network, "loss_curve_", [])
    if not loss:
        raise ValueError(f"{network} has no loss curve: it made no iteration.")
    return {
        "iterations": list(range(1, len(loss) + 1)),
        # MLPClassifier, what was made of one, and ensembles have no record of these.
        "evaluations": getattr(network, "n_fun_curve_", []),
        "seconds": getattr(network, "time_curve_", []),
        "loss": loss,
        "score": network.validation_scores_,
        "histories": _histories(network),
    }


def _histories(network):
    """What the callbacks of its last fit have recorded."""
    # The callbacks tell whether the records are of this fit or of an earlier one.
    callbacks = getattr(network, "_skl_callbacks", [])
    n_histories = sum(isinstance(callback, ScoreHistory) for callback in callbacks)
    return getattr(network, "score_histories_", [])[:n_histories]
