"""A display of losses and scores during training."""

from collections.abc import Mapping

from sklearn.utils.validation import check_is_fitted

from .._search.unwrap import final_network
from ._axes import get_axes

_LABELS = {
    "iterations": "iteration or epoch",
    "evaluations": "evaluations of loss and gradient",
    "seconds": "seconds",
}


class LossCurveDisplay:
    """Training loss, and validation score if recorded, of one or more fits.

    The loss of "sgd" and "adam" is a mean over minibatches, and the penalty of a
    minibatch is divided by its number of rows. The full-batch solvers divide the
    penalty by the number of all rows. So with the same `alpha`, the losses of "sgd" and
    "adam" are higher.

    Parameters
    ----------
    curves : dict of str to dict
        For each name of a training, a dict: `iterations`, `evaluations` and `seconds`
        are the x values; `loss` is J after each iteration; `score` is the validation
        score after each iteration, or None.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses.

    score_ax_ : matplotlib Axes or None
        The axes of the validation scores, which share the x axis; None without scores.

    figure_ : matplotlib Figure
        The figure.

    lines_ : list of matplotlib Line2D
        The lines of the losses.

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
            TabularMLPClassifier and TabularMLPRegressor record iterations only. The
            validation score of TabularMLPClassifier and TabularMLPRegressor is the
            negative loss of the left-out rows.

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
        ax = get_axes(ax, type(self).__name__, (6.4, 4.0))
        # A curve of a single point needs a marker to be visible.
        settings = {"marker": "." if self._is_short() else None, **kwargs}
        self.lines_ = [
            ax.plot(curve[x], curve["loss"], label=name, **settings)[0]
            for name, curve in self.curves.items()
        ]
        ax.set(xlabel=_LABELS[x], ylabel="training loss J")
        if all(min(curve["loss"]) > 0 for curve in self.curves.values()):
            ax.set_yscale("log")
        self.score_ax_ = None
        if any(curve["score"] is not None for curve in self.curves.values()):
            self._plot_scores(ax, x, settings)
        if len(self.curves) > 1:
            # The legend is drawn above both axes, on the right, where curves are flat.
            top = ax if self.score_ax_ is None else self.score_ax_
            legend = top.legend(handles=self.lines_, loc="center right", framealpha=0.9)
            for text in legend.get_texts():
                text.set_parse_math(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_scores(self, ax, x, settings):
        self.score_ax_ = ax.twinx()
        self.score_ax_.set_ylabel("validation score (dashed)")
        for line, curve in zip(self.lines_, self.curves.values(), strict=True):
            if curve["score"] is not None:
                style = {**settings, "linestyle": "--", "color": line.get_color()}
                # After a warm start, validation may begin later than training.
                seen = curve[x][-len(curve["score"]) :]
                self.score_ax_.plot(seen, curve["score"], **style)

    def _is_short(self):
        return any(len(curve["loss"]) < 3 for curve in self.curves.values())


def _named(estimators):
    """Name estimators by their solvers, with numbers for equal solvers."""
    networks = [final_network(e, ensembles=True) for e in estimators]
    names = [getattr(n, "solver", type(n).__name__) for n in networks]
    numbered = [
        name if names.count(name) == 1 else f"{name} {names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    ]
    return dict(zip(numbered, estimators, strict=True))


def _curve(estimator):
    network = final_network(estimator, ensembles=True)
    check_is_fitted(network)
    loss = getattr(network, "loss_curve_", [])
    if not loss:
        raise ValueError(f"{network} has no loss curve: it made no iteration.")
    return {
        "iterations": list(range(1, len(loss) + 1)),
        # Ensembles, and networks of or from scikit-learn, do not record these.
        "evaluations": getattr(network, "n_fun_curve_", []),
        "seconds": getattr(network, "time_curve_", []),
        "loss": loss,
        "score": network.validation_scores_,
    }
