"""How the gradients of a stack of networks become steps."""

from .._network.parameters import Parameters, cut_column, unbuffered


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
        The weights of the stack, which each step updates.

    gradient : Parameters
        Where each step finds the gradient, whose content it overwrites.

    Attributes
    ----------
    moments : tuple of str
        Names of what the rule keeps between steps, each a stack like the weights.
    """

    moments = ()

    def __init__(self, solvers, parameters, gradient):
        self.solvers = list(solvers)
        self.dtype = parameters.flat.dtype
        for name in self.moments:
            earlier = [solver.moments.get(name) for solver in solvers]
            started = all(moment is not None for moment in earlier)
            stack = (
                Parameters.copied_to_stack(earlier, self.dtype)
                if started
                else parameters.zeros_like()
            )
            setattr(self, name, stack)
        self._go_on_with(parameters, gradient)

    def begin_epoch(self):
        """Read what the solvers may have changed since the last epoch."""

    def end_epoch(self):
        """Account for the epoch's last step."""

    def step(self):
        """Update the weights by the gradient, all passes on one block at a time."""
        self.begin_step()
        with unbuffered(len(self.solvers)):
            for i, blocks in enumerate(self._blocks):
                self.step_block(i, *blocks)

    def begin_step(self):
        """Do what a step needs once, and not for every block."""

    def step_block(self, i, weights, gradient, *moments):
        """Update block i of the weights by its counterparts."""
        raise NotImplementedError

    def leave(self, i):
        """Leave with one network's solver what a later training goes on from."""
        self.solvers[i].moments = {
            name: getattr(self, name).view_network(i).copied_if_shared()
            for name in self.moments
        }

    def select(self, indices, parameters, gradient):
        """Go on with some of the networks alone, whose weights are now elsewhere."""
        self.solvers = [self.solvers[i] for i in indices]
        for name in self.moments:
            moment = getattr(self, name)
            stack = Parameters.copied_to_stack(
                [moment.view_network(i) for i in indices]
            )
            setattr(self, name, stack)
        self._go_on_with(parameters, gradient)

    def _go_on_with(self, parameters, gradient):
        self.gradient = gradient
        stacks = [parameters, gradient, *(getattr(self, name) for name in self.moments)]
        matrices = [[matrix for _, matrix in stack.blocks] for stack in stacks]
        self._blocks = list(zip(*matrices, strict=True))
        self._networks = [networks for networks, _ in parameters.blocks]

    def by_block(self, values):
        """A column with one value for each network, as each block needs it."""
        return [cut_column(values, networks) for networks in self._networks]
