"""The classic exercise's 5000 digits, rebuilt from MNIST.

    python examples/published/rebuild_exercise_digits.py MNIST_FOLDER digits.npz

MNIST_FOLDER has the gzipped IDX files of the training images and labels. The result can
be the data of ``exercise_trainings.py`` and of ``python -m skmlp_backprop --data``.
"""

import sys
from pathlib import Path

import numpy as np

from skmlp_backprop.datasets import read_idx


def make_exercise_digits(images, labels):
    """Rebuild the 5000 digits of the classic exercise (ex4data1) from MNIST.

    The first 500 training images of each digit, divided by 255, are resized from
    28 x 28 to 20 x 20 pixels with the bicubic kernel (a = -0.5), widened by 28/20
    against aliasing, and unrolled column by column.

    Parameters
    ----------
    images : ndarray of shape (n_images, 28, 28), uint8
        MNIST's training images, in the original order.

    labels : ndarray of shape (n_images,)
        Their digits.

    Returns
    -------
    X : ndarray of shape (5000, 400), float64
        The samples, ordered by label 10, 1, 2, ..., 9.

    y : ndarray of shape (5000,), uint8
        Labels 1 to 10, where 10 stands for the digit 0.

    Raises
    ------
    ValueError
        If the images are not 28 x 28 or there are less than 500 of a digit.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or len(labels) != len(images):
        raise ValueError(
            "expected images of shape (n, 28, 28) and n labels, found shapes "
            f"{images.shape} and {labels.shape}."
        )
    resize = _bicubic_matrix(28, 20)
    X = []
    for digit in range(10):
        chosen = images[labels == digit][:500]
        if len(chosen) < 500:
            raise ValueError(
                f"expected 500 images of the digit {digit}, found {len(chosen)}."
            )
        resized = resize @ (chosen / 255.0) @ resize.T
        X.append(resized.transpose(0, 2, 1).reshape(500, 400))
    y = np.repeat(np.array([10, *range(1, 10)], dtype=np.uint8), 500)
    return np.vstack(X), y


def _bicubic_matrix(n_from, n_to):
    """Matrix that resizes a row of pixels; beyond the edge stands the edge's pixel.

    Keys, R. G. (1981). "Cubic convolution interpolation for digital image
    processing." IEEE Trans. Acoustics, Speech, Signal Processing 29(6).
    """
    scale = n_from / n_to
    matrix = np.zeros((n_to, n_from))
    for i in range(n_to):
        center = (i + 0.5) * scale - 0.5
        source = np.arange(
            np.floor(center - 2 * scale), np.ceil(center + 2 * scale) + 1
        )
        weights = _bicubic_kernel((source - center) / scale)
        nearest = np.clip(source, 0, n_from - 1).astype(int)
        np.add.at(matrix[i], nearest, weights / weights.sum())
    return matrix


def _bicubic_kernel(x):
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    X, y = make_exercise_digits(
        read_idx(folder / "train-images-idx3-ubyte.gz"),
        read_idx(folder / "train-labels-idx1-ubyte.gz"),
    )
    np.savez_compressed(sys.argv[2], X=X, y=y)
