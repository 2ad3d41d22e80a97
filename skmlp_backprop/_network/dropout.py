"""Dropout: in training, outputs of hidden units are set to 0 at random."""

from numbers import Real

import numpy as np

# Two random bytes for each unit and row take a third of the time of a float.
_N_DRAWS = 2**16


class Dropout:
    """Draws the masks of inverted dropout, with which prediction needs no scaling.

    All networks of a stack have the same masks: those that each would draw alone.

    Parameters
    ----------
    rates : sequence of float
        Probability, in [0, 1), that an output of each hidden layer is set to 0.

    random_state : RandomState
        Source of the draws.

    References
    ----------
    Srivastava, N. et al. (2014). "Dropout: A simple way to prevent neural networks
    from overfitting." JMLR 15.
    """

    def __init__(self, rates, random_state):
        self.rates = rates
        self.random_state = random_state

    def mask(self, rate, shape, dtype):
        """Draw the factors of the outputs: 0, or 1 / (1 - rate) for those kept."""
        draws = self.random_state.randint(_N_DRAWS, size=shape, dtype=np.uint16)
        return (draws >= round(rate * _N_DRAWS)) * dtype.type(1 / (1 - rate))


def dropout_rates(dropout, n_hidden):
    """List of the hidden layers' rates, from a sequence or one number.

    Raises
    ------
    ValueError
        If the sequence has the wrong length or a rate out of [0, 1).
    """
    rates = [dropout] * n_hidden if np.isscalar(dropout) else list(dropout)
    if len(rates) != n_hidden:
        raise ValueError(
            f"dropout has {len(rates)} rates, but hidden_layer_sizes has {n_hidden} "
            "layers; give one rate for each, or a single one for all."
        )
    if any(not (isinstance(rate, Real) and 0 <= rate < 1) for rate in rates):
        raise ValueError(f"dropout rates must be in [0, 1), got {rates}.")
    return rates
