"""Readers of data files: CSV, npz, IDX (MNIST's format) and MATLAB."""

from ._arrays import read_idx, read_mat, read_mat_weights, read_npz
from ._tables import read_csv, read_mixed_csv

__all__ = [
    "read_csv",
    "read_idx",
    "read_mat",
    "read_mat_weights",
    "read_mixed_csv",
    "read_npz",
]
