"""What the units of the first hidden layer look for."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._search.unwrap import final_network
from ._axes import get_axes
from ._mosaic import Mosaic, as_rows

# Share of the weights within the colour scale, in percent.
_SCALED = 99.5


class HiddenUnitsDisplay:
    """Incoming weights of the first layer's units, each as an image.

    Red pixels raise a unit's activation, blue ones lower it; white ones do neither. All
    units have one scale, symmetric around 0, so that a pale unit is a weak one; it ends
    where all but one weight in 200 are within.

    Parameters
    ----------
    weights : array-like of shape (n_units, n_features) or (n_units, height, width)
        Incoming weights, as rows or as images.

    image_shape : tuple of (int, int) or None, default=None
        Height and width of the images; None for those of `weights`, or for a square.

    order : {"C", "F"}, default="C"
        "C" if the features are the pixels row by row, "F" if column by column. The
        digits of the classic exercise, ex4data1, need "F": with "C" the pictures lie on
        their side.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.

    figure_ : matplotlib Figure
        The figure.

    im_ : matplotlib AxesImage
        The picture.

    colorbar_ : matplotlib Colorbar or None
        Its colour bar.

    See Also
    --------
    SampleGridDisplay : The same of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from skmlp_backprop.displays import HiddenUnitsDisplay
    >>> weights = np.random.default_rng(0).standard_normal((25, 64))
    >>> display = HiddenUnitsDisplay(weights)
    >>> display.image_shape
    (8, 8)
    """

    def __init__(self, weights, *, image_shape=None, order="C"):
        self.weights, self.image_shape = as_rows(weights, image_shape, order, "weights")
        self.order = order

    @classmethod
    def from_estimator(
        cls, estimator, *, image_shape=None, order="C", ax=None, colorbar=True, **kwargs
    ):
        """Draw the hidden units of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, ours or scikit-learn's, or what ends in one, however deep.
            In a Pipeline the weights are those of the transformed features.

        image_shape : tuple of (int, int) or None, default=None
            Height and width of the images; None for a square.

        order : {"C", "F"}, default="C"
            Order of the pixels in the features, row by row or column by column; "F"
            for the digits of the classic exercise.

        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        colorbar : bool, default=True
            Whether to draw a colour bar.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : HiddenUnitsDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the features make no image of that shape.
        TypeError
            If `estimator` ends in no network, or in several, as ensembles do.
        """
        network = final_network(estimator)
        check_is_fitted(network)
        display = cls(network.coefs_[0].T, image_shape=image_shape, order=order)
        return display.plot(ax=ax, colorbar=colorbar, **kwargs)

    def plot(self, *, ax=None, colorbar=True, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.

        colorbar : bool, default=True
            Whether to draw a colour bar.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : HiddenUnitsDisplay
            This display.
        """
        mosaic = Mosaic(self.weights, self.image_shape, self.order)
        ax = get_axes(ax, type(self).__name__, mosaic.figsize(0.8))
        # A few weights far out would leave all others pale.
        sizes = np.abs(self.weights)
        limit = np.percentile(sizes, _SCALED) or sizes.max() or 1.0
        settings = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, **kwargs}
        # Nearest: a pixel of the picture is a weight, not a mean of its neighbours.
        settings.setdefault("interpolation", "nearest")
        self.im_ = ax.imshow(mosaic.picture, **settings)
        ax.set_facecolor("0.85")
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_visible(False)
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(
                self.im_,
                ax=ax,
                label="weight",
                shrink=0.9,
                extend="both" if sizes.max() > limit else "neither",
            )
        self.ax_, self.figure_ = ax, ax.figure
        return self
