"""Steps of the weights of levels, of which a batch has few."""

import numpy as np

from .._network.parameters import Parameters


class LevelStepper:
    """Steps the weights of the levels that a batch has, and leaves all others.

    The moments of a level change with its weights alone. So a step costs as much as the
    batch has levels, however many there are, and a rare level moves less than by the
    moments that would go on moving it without any row.

    Parameters
    ----------
    rule : Rule
        The update rule of all networks, without hyperparameters in which they differ.

    weights : ndarray of shape (n_stack, n_levels, n_units)
        The weights; updated in place.

    References
    ----------
    The rule LazyAdam of TensorFlow Addons and SparseAdam of PyTorch do the same.
    """

    def __init__(self, rule, weights):
        self.rule = rule
        self.weights = weights
        self.state = rule.init(Parameters([weights]))

    def step(self, touched, rate):
        """Update the weights.

        Parameters
        ----------
        touched : TouchedLevels
            The levels of the batch, and the gradient.

        rate : float
            The learning rate.
        """
        index = touched.index
        weights = np.take(self.weights, index, axis=1)
        moments = {
            name: np.take(value.layers[0], index, axis=1)
            for name, value in self.state.items()
            if isinstance(value, Parameters)
        }
        state = {
            **self.state,
            **{name: Parameters([moment]) for name, moment in moments.items()},
        }
        self.rule.step(
            Parameters([weights]), Parameters([touched.gradient]), state, rate
        )
        self.weights[:, index] = weights
        for name, moment in moments.items():
            self.state[name].layers[0][:, index] = moment
            del state[name]
        self.state.update(state)
