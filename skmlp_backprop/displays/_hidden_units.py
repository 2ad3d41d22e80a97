"""A display of the weights of the first hidden layer."""

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from .._search.unwrap import final_network
from ._axes import get_axes
from ._mosaic import Mosaic, infer_image_shape

# Percentage of the weights inside the colour scale.
_SCALED = 99.5


class HiddenUnitsDisplay:
    """Incoming weights of the units of the first hidden layer, as images.

    Red pixels raise the activation of a unit, and blue pixels lower it; white pixels
    have no effect. All units share a colour scale, symmetric around 0, so that a unit
    with small weights looks pale. The scale covers 99.5 % of the weights.

    Parameters
    ----------
    weights : ndarray of shape (n_units, n_features)
        Incoming weights of each unit.

    image_shape : tuple of (int, int) or None, default=None
        Height and width of the images; None for square images.

    order : {"C", "F"}, default="C"
        "C" if the features are the pixels row by row, "F" if they are the pixels column
        by column, as in the data of the classic course exercise.

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
        self.weights = check_array(
            weights, input_name="weights", ensure_all_finite=False
        )
        self.image_shape = infer_image_shape(self.weights.shape[1], image_shape)
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
            Height and width of the images; None for square images.

        order : {"C", "F"}, default="C"
            Order of the pixels in the features.

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
        mosaic = Mosaic(self.weights, self.image_shape, self.order)
        ax = get_axes(ax, type(self).__name__, mosaic.figsize(0.8))
        # A few very large weights would make all others pale.
        sizes = np.abs(self.weights)
        limit = np.percentile(sizes, _SCALED) or sizes.max() or 1.0
        settings = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, **kwargs}
        # "nearest" shows each weight, without interpolation between neighbours.
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
