"""What Ctrl-C must not cut short."""


def finish(function):
    """Call a function until it comes to its end, then raise an interruption.

    Parameters
    ----------
    function : callable
        What may be called again after it was interrupted.

    Returns
    -------
    result : object
        What it returns, where it was not interrupted.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; only once it has come to its end.
    """
    interruption = None
    while True:
        try:
            result = function()
            break
        except KeyboardInterrupt as error:
            interruption = error
    if interruption is not None:
        raise interruption
    return result
