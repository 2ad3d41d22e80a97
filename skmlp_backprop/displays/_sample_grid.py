"""A display of samples as images, with their labels."""

import math

import numpy as np

from ._axes import Display
from ._mosaic import as_rows, mosaic

_WRONG = "#c4001a"
# In points. Smaller captions would be illegible; they are left out.
_SMALLEST_FONT = 4


class SampleGridDisplay(Display):
    """A grid of samples as images, with their labels, and wrong predictions marked.

    A wrong prediction has a red frame, and the true label below in brackets. If the
    targets are numbers, the true number is in brackets, and no sample has a frame.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, height, width)
        The samples, as rows of pixels or as images, for example from
        :func:`~skmlp_backprop.datasets.read_idx`. Select about a hundred samples or
        fewer: more are illegible.

    y_true : array-like of shape (n_samples,) or None, default=None
        The true labels.

    y_pred : array-like of shape (n_samples,) or None, default=None
        The predicted labels.

    image_shape : tuple of (int, int) or None, default=None
        Height and width of the images; None for the shape of `X` with three axes, or
        for square images.

    order : {"C", "F"}, default="C"
        "C" if the features are the pixels row by row, "F" if they are the pixels column
        by column. The digits of the classic exercise, ex4data1, need "F"; with "C" they
        lie on their side.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.

    figure_ : matplotlib Figure
        The figure of the display.

    im_ : matplotlib AxesImage
        The image.

    See Also
    --------
    HiddenUnitsDisplay : Weights of hidden units as images.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skmlp_backprop.displays import SampleGridDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> SampleGridDisplay(X[:20], y[:20]).image_shape
    (8, 8)
    """

    def __init__(self, X, y_true=None, y_pred=None, *, image_shape=None, order="C"):
        self.X, self.image_shape = as_rows(X, image_shape, order, "X")
        self.y_true = None if y_true is None else np.asarray(y_true)
        self.y_pred = None if y_pred is None else np.asarray(y_pred)
        for name in ("y_true", "y_pred"):
            labels = getattr(self, name)
            if labels is not None and labels.shape != (len(self.X),):
                raise ValueError(
                    f"{name} must have shape ({len(self.X)},), one for each sample, "
                    f"got {labels.shape}."
                )
        if self.y_true is not None and self.y_pred is not None:
            are_texts = [_has_text(labels) for labels in (self.y_true, self.y_pred)]
            if are_texts[0] != are_texts[1]:
                raise ValueError(
                    "y_true and y_pred must both be text or both be numbers, got "
                    f"{self.y_true[0]!r} and {self.y_pred[0]!r}."
                )
        self.order = order

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, image_shape=None, order="C", ax=None, **kwargs
    ):
        """Draw samples with the predictions of a fitted estimator.

        Parameters
        ----------
        estimator : classifier or regressor
            Any fitted scikit-learn estimator that predicts a single label or number.

        X : array-like of shape (n_samples, n_features) or (n_samples, height, width)
            The samples, the argument of `predict`. Images are converted to rows of
            pixels for `predict`.

        y : array-like of shape (n_samples,) or None, default=None
            The true labels.

        image_shape : tuple of (int, int) or None, default=None
            As of the class.

        order : {"C", "F"}, default="C"
            As of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : SampleGridDisplay
            The drawn display.
        """
        if np.ndim(X) == 3:
            X, image_shape = as_rows(X, image_shape, order, "X")
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
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width)
            The samples, as rows of pixels or as images.

        y_true, y_pred : array-like of shape (n_samples,) or None, default=None
            The true and the predicted labels.

        image_shape : tuple of (int, int) or None, default=None
            As of the class.

        order : {"C", "F"}, default="C"
            As of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

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
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : SampleGridDisplay
            This display.
        """
        height, width = self.image_shape
        captions, is_wrong = self._captions()
        longest = max((len(x) for c in captions for x in c.split("\n")), default=0)
        n_lines = max(caption.count("\n") + bool(caption) for caption in captions)
        below = math.ceil(0.35 * height * n_lines)
        cell = max(0.7, 0.09 * longest)
        picture, corners, figsize = mosaic(
            self.X, self.image_shape, self.order, cell, below
        )
        ax = self._set_axes(ax, figsize)
        settings = {"cmap": "gray_r", "interpolation": "nearest", **kwargs}
        self.im_ = ax.imshow(picture, **settings)
        ax.set_axis_off()
        size = _font_size(ax, picture.shape, below / max(n_lines, 1), longest, width)
        from matplotlib.patches import Rectangle

        cells = zip(corners, captions, is_wrong, strict=True)
        for (top, left), caption, wrong in cells:
            if caption and size >= _SMALLEST_FONT:
                ax.text(
                    left + (width - 1) / 2,
                    top + height,
                    caption,
                    ha="center",
                    va="top",
                    fontsize=size,
                    # A label may have a "$", which is no formula.
                    parse_math=False,
                    color=_WRONG if wrong else "black",
                )
            if wrong:
                frame = {"fill": False, "ec": _WRONG, "lw": 1.5}
                corner = left - 0.5, top - 0.5
                ax.add_patch(Rectangle(corner, width, height, **frame))
        return self

    def _captions(self):
        """Texts below the samples, and which of them have a wrong prediction."""
        given = [y for y in (self.y_true, self.y_pred) if y is not None]
        differs = np.zeros(len(self.X), dtype=bool)
        if not given:
            return [""] * len(self.X), differs
        # Targets with fractions are numbers, not labels.
        are_numbers = any(
            y.dtype.kind == "f" and (y != np.round(y)).any() for y in given
        )
        write = "{:.4g}".format if are_numbers else str
        # Captions are the predictions if given, else the true labels.
        captions = [write(label) for label in given[-1]]
        if len(given) == 2:
            differs = self.y_true != self.y_pred
        for i in np.flatnonzero(differs):
            captions[i] += f"\n({write(self.y_true[i])})"
        # A predicted number nearly always differs from the true number.
        return captions, differs & (not are_numbers)


def _font_size(ax, shape, line, n_letters, width):
    """Font size in points, at most 11, for lines `line` pixels high."""
    box = ax.get_position()
    figure_width, figure_height = ax.figure.get_size_inches() * 72
    rows, columns = shape
    pixel = min(box.width * figure_width / columns, box.height * figure_height / rows)
    # The width of a letter is about 0.6 of its height.
    return min(11, 0.8 * line * pixel, width * pixel / (0.6 * max(1, n_letters)))


def _has_text(labels):
    return any(isinstance(label, str) for label in labels.tolist())
