"""What watches a training: printed progress and scikit-learn's callbacks."""


class Monitor:
    """Tell the user, and the estimator's callbacks, of every iteration.

    Parameters
    ----------
    verbose : bool or int
        Whether to print.

    callbacks : CallbackReporter or None
        Where iterations are reported to; None if the estimator has no callbacks,
        which then cost nothing.
    """

    def __init__(self, verbose=False, callbacks=None):
        self.verbose = verbose
        self.callbacks = callbacks

    def say(self, message):
        """Print, if that is wanted."""
        if self.verbose:
            print(message)

    def begin_iteration(self):
        """Called before an epoch; by the full-batch solvers, once SciPy tells them
        of an iteration, just before its end."""
        if self.callbacks is not None:
            self.callbacks.begin()

    def end_iteration(self, history, get_parameters):
        """Called after each iteration or epoch.

        Parameters
        ----------
        history : History
            The training so far.

        get_parameters : callable
            Returns the iteration's weights; called only if a callback asks.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop.
        """
        if self.callbacks is None:
            return False
        return self.callbacks.end(history, get_parameters)
