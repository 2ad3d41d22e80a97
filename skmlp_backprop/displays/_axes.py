"""Matplotlib, imported where it is used, and the axes to draw on."""


def import_pyplot(caller):
    """Import ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If there is no matplotlib; tells what to install.
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
    """The given axes, or those of a new figure of the given size in inches."""
    pyplot = import_pyplot(caller)
    if ax is not None:
        return ax
    return pyplot.subplots(figsize=figsize, layout="constrained")[1]
