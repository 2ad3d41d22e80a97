"""What the samples, labels and weights of a file must be, whatever its format."""

import math

# Kinds of types, as in ``dtype.kind``.
NUMBERS = "biuf"
NUMBERS_OR_TEXT = "biufSU"

_NAMES = {
    "O": "objects, such as cell arrays",
    "V": "records",
    "S": "text",
    "U": "text",
    "c": "complex numbers",
}


def check_kind(path, name, dtype, kinds):
    """Check that an array's type is of one of the given kinds.

    Raises
    ------
    ValueError
        If it is not; names the file and the array.
    """
    if dtype.kind not in kinds:
        expected = "real numbers" if kinds == NUMBERS else "real numbers or text"
        raise ValueError(
            f"{path}: expected {name} to hold {expected}, found "
            f"{_NAMES.get(dtype.kind, dtype)}."
        )


def check_shapes(path, X_shape, y_shape):
    """Check that there are samples, features, and a label for each sample.

    Raises
    ------
    ValueError
        If not; names the file.
    """
    is_matrix = len(X_shape) == 2 and min(X_shape) > 0
    # Or a row or a column, as MATLAB has no vectors.
    is_vector = 1 <= len(y_shape) <= 2 and max(y_shape) == math.prod(y_shape)
    if not is_matrix or not is_vector or math.prod(y_shape) != X_shape[0]:
        raise ValueError(
            f"{path}: expected X of shape (n_samples, n_features) and one label in y "
            f"per sample, found X of shape {X_shape} and {math.prod(y_shape)} labels "
            f"in y of shape {y_shape}."
        )
