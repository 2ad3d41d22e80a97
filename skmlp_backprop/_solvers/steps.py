"""Steps of a stack of networks over an epoch's batches."""

import math

import numpy as np


class Steps:
    """Takes a step of the update rule for each batch.

    Parameters
    ----------
    objective : Objective
        Of the stack.

    solvers : list of MinibatchSolver
        The networks' solvers.

    parameters : Parameters
        The weights of the stack, which each step updates.

    Attributes
    ----------
    update : Update
        The update rule.
    """

    def __init__(self, objective, solvers, parameters):
        self.objective = objective
        self.parameters = parameters
        self.gradient = parameters.zeros_like()
        self.update = solvers[0].update(solvers, parameters, self.gradient)
        self.dtype = objective.dtype
        self._least_weight = np.finfo(self.dtype).tiny
        self._losses = []

    def take(self, batches, average):
        """Step through the batches of an epoch.

        It ends early where no network is left whose J is finite.

        Parameters
        ----------
        batches : iterable of Rows
            The batches.

        average : Latest or MovingAverage
            Shown the weights after each step.

        Returns
        -------
        losses : ndarray of shape (n_batches, n_stack)
            J of each network on each batch, before its step.

        weights : ndarray of shape (n_batches,) or (n_batches, n_stack)
            The batches' weights; of each network, where they differ.
        """
        self._losses = []
        self.update.begin_epoch()
        weights = []
        for batch in batches:
            # Nothing to learn from: no weight, or so little that 1 / W overflows.
            if batch.weight_sum < self._least_weight:
                continue
            loss = self.objective.loss_and_gradient(
                self.parameters, batch, self.gradient
            ).tolist()
            self._losses.append(loss)
            weights.append(batch.weight_sums)
            if not any(map(math.isfinite, loss)):
                break
            self._step()
            average.see(self.parameters)
        self.update.end_epoch()
        return self.losses(), _table(weights, self.parameters.n_stack)

    def _step(self):
        self.update.step()

    def losses(self):
        """J on each batch of the latest epoch, which may have been interrupted."""
        return np.array(self._losses).reshape(-1, self.parameters.n_stack)

    def select(self, indices, parameters):
        """Go on with some of the networks alone, whose weights are now elsewhere."""
        self.objective = self.objective.select(indices)
        self.parameters = parameters
        self.gradient = parameters.zeros_like()
        self.update.select(indices, parameters, self.gradient)


def _table(weights, n_stack):
    """Weights of batches, some of which may have one for each network."""
    if not any(isinstance(weight, np.ndarray) for weight in weights):
        return np.array(weights)
    table = np.empty((len(weights), n_stack))
    for row, weight in zip(table, weights, strict=True):
        row[...] = weight
    return table
