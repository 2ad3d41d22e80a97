"""Warnings that point at the line of the user's code that led to them."""

import inspect
import warnings

# Modules whose lines tell a user nothing: this package's, those of the libraries that
# call it, and those of the standard library that stand between them.
_NOT_THE_USERS = {
    *{"skmlp_backprop", "sklearn", "imblearn", "joblib", "distributed", "dask"},
    *{"contextlib", "functools", "threading", "concurrent", "pickle"},
}


def warn(message, category=UserWarning):
    """Warn, pointing at the innermost line of the user's code.

    Parameters
    ----------
    message : str or Warning
        What to say.

    category : type, default=UserWarning
        The class of the warning, if `message` is a str.
    """
    frame, level = inspect.currentframe().f_back, 2
    while frame.f_back is not None and _is_of_a_library(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_of_a_library(frame):
    name = frame.f_globals.get("__name__") or ""
    return name.partition(".")[0] in _NOT_THE_USERS
