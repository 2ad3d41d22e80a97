"""The import of matplotlib, at its first use, and the axes of a display."""


def import_pyplot(caller):
    """Import ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{caller} requires matplotlib. You can install it with "
            "`pip install matplotlib`."
        ) from error
    return pyplot


def get_axes(ax, caller, figsize=None):
    """Return `ax`; if None, the axes of a new figure, whose size is in inches."""
    pyplot = import_pyplot(caller)
    if ax is not None:
        return ax
    return pyplot.subplots(figsize=figsize, layout="constrained")[1]
