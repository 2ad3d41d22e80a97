"""The order of the rows, which is shuffled before each epoch."""

import numpy as np


class Shuffle:
    """Shuffles the order that it has left, as MLPClassifier does.

    Parameters
    ----------
    random_state : RandomState
        Source of the draws.

    Attributes
    ----------
    order : ndarray of shape (n_rows,), int, or None
        The latest order; None before the first.
    """

    def __init__(self, random_state):
        self.random_state = random_state
        self.order = None

    def next(self, n_rows):
        """The next epoch's order."""
        # The same draw as by scikit-learn's ``shuffle``, which checks more.
        index = np.arange(n_rows)
        self.random_state.shuffle(index)
        self.order = index if self.order is None else self.order[index]
        return self.order
