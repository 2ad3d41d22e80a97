"""Samples as images, with their labels."""

import numpy as np

from ._axes import get_axes
from ._mosaic import Mosaic, infer_image_shape

_WRONG = "#c4001a"


class SampleGridDisplay:
    """A grid of samples as images, with the labels below and the wrong ones marked.

    A wrong prediction has a red frame and is written "predicted (true)".

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The samples. Up to some hundred can be read; choose rows beforehand.

    y_true : array-like of shape (n_samples,) or None, default=None
        Their labels.

    y_pred : array-like of shape (n_samples,) or None, default=None
        The predicted labels.

    image_shape : tuple of (int, int) or None, default=None
        Height and width of the images; None for a square.

    order : {"C", "F"}, default="C"
        "C" if the features are the pixels row by row, "F" if column by column, as in
        the course's data.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.

    figure_ : matplotlib Figure
        The figure.

    im_ : matplotlib AxesImage
        The picture.

    See Also
    --------
    HiddenUnitsDisplay : The same of hidden units.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmlp_backprop.displays import SampleGridDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> SampleGridDisplay(X[:20], y[:20]).image_shape
    (8, 8)
    """

    def __init__(self, X, y_true=None, y_pred=None, *, image_shape=None, order="C"):
        self.X = np.asarray(X)
        self.y_true = None if y_true is None else np.asarray(y_true)
        self.y_pred = None if y_pred is None else np.asarray(y_pred)
        for name in ("y_true", "y_pred"):
            labels = getattr(self, name)
            if labels is not None and labels.shape != (len(self.X),):
                raise ValueError(
                    f"{name} must have shape ({len(self.X)},), one for each sample, "
                    f"got {labels.shape}."
                )
        self.image_shape = infer_image_shape(self.X.shape[1], image_shape)
        self.order = order

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, image_shape=None, order="C", ax=None, **kwargs
    ):
        """Draw samples with the labels that a fitted classifier predicts.

        Parameters
        ----------
        estimator : classifier
            Any fitted classifier of scikit-learn's kind.

        X : array-like of shape (n_samples, n_features)
            The samples, as `predict` takes them.

        y : array-like of shape (n_samples,) or None, default=None
            Their labels.

        image_shape : tuple of (int, int) or None, default=None
            Height and width of the images; None for a square.

        order : {"C", "F"}, default="C"
            Order of the pixels in the features.

        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : SampleGridDisplay
            The drawn display.
        """
        display = cls(X, y, estimator.predict(X), image_shape=image_shape, order=order)
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        X,
        y_true=None,
        y_pred=None,
        *,
        image_shape=None,
        order="C",
        ax=None,
        **kwargs,
    ):
        """Draw samples with given labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        y_true, y_pred : array-like of shape (n_samples,) or None, default=None
            Their labels, and the predicted ones.

        image_shape : tuple of (int, int) or None, default=None
            Height and width of the images; None for a square.

        order : {"C", "F"}, default="C"
            Order of the pixels in the features.

        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : SampleGridDisplay
            The drawn display.
        """
        display = cls(X, y_true, y_pred, image_shape=image_shape, order=order)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : SampleGridDisplay
            This display.
        """
        height, width = self.image_shape
        captions = self._captions()
        below = 0 if captions is None else max(2, round(0.45 * height))
        mosaic = Mosaic(self.X, self.image_shape, self.order, below)
        ax = get_axes(ax, type(self).__name__, mosaic.figsize(0.7))
        settings = {"cmap": "gray_r", "interpolation": "nearest", **kwargs}
        self.im_ = ax.imshow(mosaic.picture, **settings)
        ax.set_axis_off()
        wrong = self._wrong()
        if captions is not None:
            size = _font_size(ax, mosaic, below, max(map(len, captions)), width)
        for (top, left), is_wrong, i in zip(
            mosaic.corners, wrong, range(len(wrong)), strict=True
        ):
            if captions is not None and size >= 4:
                ax.text(
                    left + (width - 1) / 2,
                    top + height + below / 2 - 0.5,
                    captions[i],
                    ha="center",
                    va="center",
                    fontsize=size,
                    color=_WRONG if is_wrong else "black",
                )
            if is_wrong:
                _frame(ax, top, left, height, width)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _wrong(self):
        if self.y_true is None or self.y_pred is None:
            return np.zeros(len(self.X), dtype=bool)
        return self.y_true != self.y_pred

    def _captions(self):
        """What is written below each sample; None without labels."""
        if self.y_pred is None and self.y_true is None:
            return None
        if self.y_pred is None:
            return [str(label) for label in self.y_true]
        captions = [str(label) for label in self.y_pred]
        for i in np.flatnonzero(self._wrong()):
            captions[i] += f" ({self.y_true[i]})"
        return captions


def _font_size(ax, mosaic, below, n_letters, width):
    """Size in points that captions have room for, at most 11."""
    box = ax.get_position()
    figure_width, figure_height = ax.figure.get_size_inches() * 72
    rows, columns = mosaic.picture.shape
    pixel = min(box.width * figure_width / columns, box.height * figure_height / rows)
    # A letter is about 0.6 as wide as high.
    return min(11, 0.9 * below * pixel, 1.25 * width * pixel / (0.6 * n_letters))


def _frame(ax, top, left, height, width):
    from matplotlib.patches import Rectangle

    corner = left - 0.5, top - 0.5
    ax.add_patch(Rectangle(corner, width, height, fill=False, ec=_WRONG, lw=1.5))
