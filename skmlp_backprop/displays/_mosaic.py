"""The rows of a matrix as images, in a grid."""

import math
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_array


def as_rows(images, image_shape, order, name):
    """Convert images to rows of pixels; return the rows, and the height and width.

    `images` has the shape (n_images, n_pixels) or (n_images, height, width).
    `image_shape` may be None for the shape of three axes, or for square images. `order`
    is "C" if a row holds the pixels row by row, "F" if column by column. `name` is the
    name of the images in error messages.
    """
    if order not in ("C", "F"):
        raise ValueError(
            "order must be 'C' (pixels row by row) or 'F' (column by column), got "
            f"{order!r}."
        )
    if image_shape is not None:
        are_sizes = np.ndim(image_shape) == 1 and all(
            isinstance(size, Integral) and size > 0 for size in image_shape
        )
        if not (are_sizes and len(image_shape) == 2):
            raise ValueError(
                "image_shape must be two positive integers, (height, width), got "
                f"{image_shape!r}."
            )
    if np.ndim(images) == 3:
        images = np.asarray(images)
        shape = images.shape[1:]
        if image_shape is not None and tuple(image_shape) != shape:
            raise ValueError(
                f"image_shape={image_shape}, but {name} has images of shape {shape}; "
                "leave out image_shape."
            )
        image_shape = shape
        axes = (0, 1, 2) if order == "C" else (0, 2, 1)
        images = images.transpose(axes).reshape(len(images), math.prod(shape))
    rows = check_array(images, input_name=name, ensure_all_finite=False)
    n_pixels = rows.shape[1]
    if image_shape is None:
        image_shape = math.isqrt(n_pixels), math.isqrt(n_pixels)
        if math.prod(image_shape) != n_pixels:
            raise ValueError(
                f"{n_pixels} features do not make a square image; give "
                "image_shape=(height, width)."
            )
    height, width = image_shape
    if height * width != n_pixels:
        raise ValueError(
            f"image_shape={image_shape} has {height * width} pixels, but there are "
            f"{n_pixels} features."
        )
    return rows, (height, width)


def mosaic(rows, image_shape, order, cell, below=0):
    """Arrange images in a grid of cells; each cell has an image and a margin.

    Parameters
    ----------
    rows : ndarray of shape (n_images, n_pixels)
        The images.

    image_shape : tuple of (int, int)
        Height and width of an image.

    order : {"C", "F"}
        "C" if a row holds the pixels row by row, "F" if column by column.

    cell : float
        Width of a cell in inches.

    below : int, default=0
        Number of free pixels below each image.

    Returns
    -------
    picture : ndarray of shape (height, width)
        All images, with nan between them.

    corners : ndarray of shape (n_images, 2)
        Row and column of each image's upper left pixel.

    figsize : tuple of (float, float)
        Size of a figure in inches; the picture is 3 to 11 inches wide.
    """
    height, width = image_shape
    gap = max(1, round(max(height, width) / 12))
    cell_height, cell_width = height + below + gap, width + gap
    n_columns = _n_columns(len(rows), cell_height / cell_width)
    n_lines = math.ceil(len(rows) / n_columns)
    shape = n_lines * cell_height + gap, n_columns * cell_width + gap
    picture = np.full(shape, np.nan)
    lines, columns = np.divmod(np.arange(len(rows)), n_columns)
    corners = gap + np.stack([lines * cell_height, columns * cell_width], 1)
    for (top, left), row in zip(corners, rows, strict=True):
        image = np.reshape(row, image_shape, order=order)
        picture[top : top + height, left : left + width] = image
    inches_wide = min(max(3.0, cell * n_columns), 11.0)
    figsize = inches_wide + 0.8, max(1.2, inches_wide * shape[0] / shape[1])
    return picture, corners, figsize


def _n_columns(n_images, aspect):
    """Number of columns of a grid of cells `aspect` times as high as wide.

    The grid gets an aspect ratio of about 4:3, like a screen. Among the numbers near
    this ratio, the number with the fewest empty cells is chosen.
    """
    ideal = math.sqrt(n_images * 4 / 3 * aspect)
    near = range(max(1, math.floor(0.8 * ideal)), math.ceil(1.25 * ideal) + 1)
    possible = [n for n in near if n <= n_images]
    return min(possible, key=lambda n: (-n_images % n, abs(n - ideal)))
