"""The rows of a matrix as images, in a grid."""

import math

import numpy as np


def infer_image_shape(n_features, image_shape=None):
    """Infer the height and width of images from the number of features.

    Parameters
    ----------
    n_features : int
        Number of pixels of an image.

    image_shape : tuple of (int, int) or None, default=None
        Height and width; None for square images.

    Returns
    -------
    image_shape : tuple of (int, int)
        Height and width.

    Raises
    ------
    ValueError
        If the number of pixels does not match the shape or, without a shape, is not a
        square number.
    """
    if image_shape is None:
        side = math.isqrt(n_features)
        if side * side != n_features:
            raise ValueError(
                f"{n_features} features do not make a square image; give "
                "image_shape=(height, width)."
            )
        return side, side
    height, width = image_shape
    if height * width != n_features:
        raise ValueError(
            f"image_shape={image_shape} has {height * width} pixels, but there are "
            f"{n_features} features."
        )
    return height, width


class Mosaic:
    """A grid of cells; each has an image and a margin.

    Parameters
    ----------
    rows : ndarray of shape (n_images, n_pixels)
        The images.

    image_shape : tuple of (int, int)
        Height and width of an image.

    order : {"C", "F"}
        "C" if a row holds the pixels row by row, "F" if column by column.

    below : int, default=0
        Number of free pixels below each image.

    Attributes
    ----------
    picture : ndarray of shape (height, width)
        All images, with nan between them.

    corners : ndarray of shape (n_images, 2)
        Row and column of each image's upper left pixel.
    """

    def __init__(self, rows, image_shape, order, below=0):
        if order not in ("C", "F"):
            raise ValueError(f"order must be 'C' or 'F', got {order!r}.")
        height, width = image_shape
        gap = max(1, round(max(height, width) / 12))
        cell_height, cell_width = height + below + gap, width + gap
        n_images = len(rows)
        n_columns = _n_columns(n_images, cell_height / cell_width)
        n_lines = -(-n_images // n_columns)
        self.shape = n_lines, n_columns
        self.picture = np.full(
            (n_lines * cell_height + gap, n_columns * cell_width + gap), np.nan
        )
        places = np.arange(n_images)
        self.corners = gap + np.column_stack(
            [places // n_columns * cell_height, places % n_columns * cell_width]
        )
        for (top, left), row in zip(self.corners, rows, strict=True):
            image = np.reshape(row, image_shape, order=order)
            self.picture[top : top + height, left : left + width] = image
        self.cell_height = cell_height

    def figsize(self, cell):
        """Size of a figure in inches, for cells `cell` wide; at least 3, at most 11."""
        height, width = self.picture.shape
        inches_wide = min(max(3.0, cell * self.shape[1]), 11.0)
        return inches_wide + 0.8, max(1.2, inches_wide * height / width)


def _n_columns(n_images, aspect):
    """Number of columns of a grid of cells `aspect` times as high as wide.

    The grid gets an aspect ratio of about 4:3, like a screen. Among the numbers near
    this ratio, the number with the fewest empty cells is chosen.
    """
    ideal = math.sqrt(n_images * 4 / 3 * aspect)
    near = range(max(1, math.floor(0.8 * ideal)), math.ceil(1.25 * ideal) + 1)
    possible = [n for n in near if n <= n_images]
    return min(possible, key=lambda n: (-n_images % n, abs(n - ideal)))
