"""Data of the benchmarks."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from skmlp_backprop.datasets import read_idx, read_mat


def folder():
    """The folder of ex4data1.mat and MNIST, from SKMLP_DATA_DIR."""
    path = os.environ.get("SKMLP_DATA_DIR")
    if not path:
        raise SystemExit(
            "Set SKMLP_DATA_DIR to the folder of ex4data1.mat and mnist/ (MNIST's "
            "gzipped IDX files)."
        )
    return Path(path)


@lru_cache
def exercise():
    """The exercise's 5000 x 400 digits."""
    return read_mat(folder() / "ex4data1.mat")


@lru_cache
def mnist():
    """MNIST's 60000 training images, pixels 0 to 1, float64."""
    X = read_idx(folder() / "mnist" / "train-images-idx3-ubyte.gz")
    y = read_idx(folder() / "mnist" / "train-labels-idx1-ubyte.gz")
    return X.reshape(len(X), -1) / 255.0, y.astype(int)


@lru_cache
def digits():
    """scikit-learn's digits, pixels 0 to 1."""
    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


def in_dtype(load, dtype, n_rows=None):
    """The first rows of a data set in the given precision."""
    X, y = load()
    return np.ascontiguousarray(X[:n_rows], dtype=dtype), y[:n_rows]
