"""MATLAB files, read by SciPy; what they may hold is checked here."""

import warnings
import zlib

import numpy as np
import scipy.io
import scipy.sparse

from .samples import NUMBERS, NUMBERS_OR_TEXT, check_kind, check_shapes

# What SciPy raises on a file that is damaged: MemoryError and OverflowError where the
# damage is to a size, NameError by a slip of its own; on version 7.3
# NotImplementedError.
_ERRORS = (
    scipy.io.matlab.MatReadError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NameError,
    ArithmeticError,
    MemoryError,
    NotImplementedError,
    EOFError,
    OSError,
    zlib.error,
)


def read_samples(path):
    """Samples and labels, see :func:`.datasets.read_mat`."""
    content = _load(path, ("X", "y"))
    X, y = content["X"], content["y"]
    _check_array(path, "X", X, NUMBERS)
    _check_array(path, "y", y, NUMBERS_OR_TEXT)
    check_shapes(path, X.shape, y.shape)
    return np.ascontiguousarray(X, dtype=np.float64), y.ravel()


def read_weights(path):
    """Weights and biases, see :func:`.datasets.read_mat_weights`."""
    content = _load(path, ("Theta1",))
    thetas = []
    while (name := f"Theta{len(thetas) + 1}") in content:
        theta = content[name]
        _check_array(path, name, theta, NUMBERS)
        _check_theta(path, name, theta, thetas)
        thetas.append(np.asarray(theta, dtype=np.float64))
    return [theta[:, 1:].T for theta in thetas], [theta[:, 0] for theta in thetas]


def _check_array(path, name, array, kinds):
    if scipy.sparse.issparse(array):
        raise ValueError(
            f"{path}: expected {name} to be dense, found a sparse matrix; save it as "
            f"full({name})."
        )
    check_kind(path, name, array.dtype, kinds)


def _check_theta(path, name, theta, previous):
    if theta.ndim != 2 or len(theta) == 0 or theta.shape[1] < 2:
        raise ValueError(
            f"{path}: expected {name} of shape (fan_out, 1 + fan_in), found "
            f"{theta.shape}."
        )
    if previous and theta.shape[1] != 1 + len(previous[-1]):
        raise ValueError(
            f"{path}: expected {name} of shape (fan_out, {1 + len(previous[-1])}), as "
            f"the layer before has {len(previous[-1])} units, found {theta.shape}."
        )


def _load(path, names):
    with open(path, "rb") as file, warnings.catch_warnings():
        # From 1.18 on SciPy tells that sparse variables will be of another type, which
        # has no parameter in the older ones. Of either type they are refused.
        warnings.filterwarnings("ignore", ".*`spmatrix`", DeprecationWarning)
        try:
            content = scipy.io.loadmat(file)
        except _ERRORS as error:
            raise ValueError(
                f"{path}: expected a complete MATLAB file of version 4 to 7.2 (save "
                f"with -v7), but it can't be read as one: {error}"
            ) from error
    missing = [name for name in names if name not in content]
    if missing:
        found = sorted(name for name in content if not name.startswith("__"))
        raise ValueError(
            f"{path}: expected the variables {list(names)}, found {found}."
        )
    return content
