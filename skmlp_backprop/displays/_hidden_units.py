"""A display of the weights of the first hidden layer."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._search.unwrap import final_network
from ._axes import Display
from ._mosaic import as_rows, mosaic

# Percentage of the weights inside the colour scale.
_SCALED = 99.5


class HiddenUnitsDisplay(Display):
    """Incoming weights of the units of the first hidden layer, as images.

    Red pixels raise the activation of a unit, and blue pixels lower it; white pixels
    have no effect. All units share a colour scale, symmetric around 0, so that a unit
    with small weights looks pale. The scale covers 99.5 % of the weights.

    Parameters
    ----------
    weights : array-like of shape (n_units, n_features) or (n_units, height, width)
        Incoming weights of each unit, as rows or as images.

    image_shape : tuple of (int, int) or None, default=None
        Height and width of the images; None for the shape of `weights` with three axes,
        or for square images.

    order : {"C", "F"}, default="C"
        "C" if the features are the pixels row by row, "F" if they are the pixels column
        by column. The digits of the classic exercise, ex4data1, need "F"; with "C" the
        pictures lie on their side.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.

    figure_ : matplotlib Figure
        The figure of the display.

    im_ : matplotlib AxesImage
        The image.

    colorbar_ : matplotlib Colorbar or None
        The colour bar.

    See Also
    --------
    SampleGridDisplay : Samples as images.

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
            A fitted network of this package or of scikit-learn, or a Pipeline or search
            that ends in a network. In a Pipeline, the weights are those of the
            transformed features.

        image_shape : tuple of (int, int) or None, default=None
            As of the class.

        order : {"C", "F"}, default="C"
            As of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

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
            If the number of features does not match `image_shape`.
        TypeError
            If `estimator` has no network or, like an ensemble, several networks.
        """
        network = final_network(estimator)
        check_is_fitted(network)
        display = cls(network.coefs_[0].T, image_shape=image_shape, order=order)
        return display.plot(ax=ax, colorbar=colorbar, **kwargs)

    def plot(self, *, ax=None, colorbar=True, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        colorbar : bool, default=True
            Whether to draw a colour bar.

        **kwargs
            Passed to matplotlib's `imshow`.

        Returns
        -------
        display : HiddenUnitsDisplay
            This display.
        """
        picture, _, figsize = mosaic(self.weights, self.image_shape, self.order, 0.8)
        ax = self._set_axes(ax, figsize)
        # A few very large weights would make all others pale.
        sizes = np.abs(self.weights[np.isfinite(self.weights)])
        largest = sizes.max(initial=0)
        limit = (np.percentile(sizes, _SCALED) if largest else 0) or largest or 1.0
        # "nearest" shows each weight, without interpolation between neighbours.
        settings = {"cmap": "RdBu_r", "interpolation": "nearest", **kwargs}
        from matplotlib.colors import Normalize

        # matplotlib refuses limits beside a norm that has its own.
        if not isinstance(settings.get("norm"), Normalize):
            settings = {"vmin": -limit, "vmax": limit, **settings}
        self.im_ = ax.imshow(picture, **settings)
        ax.set_facecolor("0.85")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        self.colorbar_ = None
        if colorbar:
            extend = "both" if largest > limit else "neither"
            self.colorbar_ = self.figure_.colorbar(
                self.im_, ax=ax, label="weight", shrink=0.9, extend=extend
            )
        return self
