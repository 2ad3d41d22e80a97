"""How the gradients of a stack of networks become steps."""

import numpy as np

from .._parameters import Parameters


class Update:
    """Base class of the update rules.

    A rule steps all networks of a stack at once; what differs between them, such as
    the learning rate, is a column with one entry for each.

    Parameters
    ----------
    solvers : sequence of MinibatchSolver
        The networks' solvers; where they have been trained before, it goes on from
        copies of their moments.

    parameters : Parameters
        The weights of the stack.

    Attributes
    ----------
    moments : tuple of str
        Names of what the rule keeps between steps, each a stack like the weights.
    """

    moments = ()

    def __init__(self, solvers, parameters):
        self.solvers = list(solvers)
        self.dtype = parameters.flat.dtype
        for name in self.moments:
            earlier = [solver.moments.get(name) for solver in solvers]
            started = all(moment is not None for moment in earlier)
            stack = (
                Parameters.stacked(earlier, self.dtype)
                if started
                else parameters.like()
            )
            setattr(self, name, stack)

    def begin_epoch(self):
        """Read what the solvers may have changed since the last epoch."""

    def step(self, parameters, gradient):
        """Update `parameters` by `gradient`, whose content is lost."""
        raise NotImplementedError

    def moments_of(self, i):
        """One network's moments, by name."""
        return {name: getattr(self, name).network(i) for name in self.moments}

    def select(self, indices):
        """Go on with some of the networks alone."""
        self.solvers = [self.solvers[i] for i in indices]
        for name in self.moments:
            moment = getattr(self, name)
            stack = Parameters.stacked([moment.network(i) for i in indices])
            setattr(self, name, stack)

    def column(self, values):
        """One value for each network, to be broadcast over its parameters.

        A single network's value stays a scalar: 0.4 us a pass less.
        """
        column = np.array(values, self.dtype)
        return column[0] if len(column) == 1 else column[:, np.newaxis]
