"""The parameters of an estimator, as its ``__init__`` sets them."""


def store_parameters(given):
    """Set the parameters that were passed to ``__init__`` as attributes, unchanged.

    Parameters
    ----------
    given : dict
        ``locals()`` in ``__init__``: the estimator as `self`, and its parameters.
    """
    estimator = given.pop("self")
    given.pop("__class__", None)
    vars(estimator).update(given)
