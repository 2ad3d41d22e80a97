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


class Display:
    """Base class of the displays."""

    def _set_axes(self, ax, figsize):
        """Set `ax_` and `figure_`; make a figure of this size in inches for None."""
        pyplot = import_pyplot(type(self).__name__)
        if ax is None:
            _, ax = pyplot.subplots(figsize=figsize, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        return ax
