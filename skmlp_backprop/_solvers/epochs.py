"""The training loop of the minibatch solvers: epochs over a stack of networks.

A single fit is a stack of one. The networks see the same batches; each says itself when
it stops. One that is done leaves and the rest go on: an epoch
costs what its networks cost.
"""

import numpy as np

from .._network.parameters import Parameters
from .._network.rows import Batches
from .averaging import make_average
from .interruption import aborts_when_interrupted
from .steps import Steps


def run_epochs(problem, parameters, members):
    """Train until every network has stopped.

    Parameters
    ----------
    problem : Problem
        What to minimise.

    parameters : Parameters
        The weights to begin with. Overwritten.

    members : list of NetworkInTraining
        The networks; given their final weights and why they stopped. Those that have
        been in training before go on from there.
    """
    stack = _Stack(problem, parameters, members)
    try:
        while stack.members:
            stack.run_epoch()
    except KeyboardInterrupt:
        if aborts_when_interrupted():
            raise
        stack.interrupt()


class Epochs:
    """The batches of one epoch after the other.

    Parameters
    ----------
    problem : Problem
        Its rows and shuffles are read.

    solver : MinibatchSolver
        Its batch size is read, and whether it shuffles.

    Attributes
    ----------
    n_rows : int or ndarray of shape (n_stack,)
        Rows that a network goes over in an epoch.
    """

    def __init__(self, problem, solver):
        self.n_rows = problem.rows.n_rows
        self.shuffles = problem.shuffles
        batch_rows = solver.n_batch_rows(self.n_rows)
        self.batches = Batches(problem.rows, batch_rows, len(self.shuffles))
        self.is_shuffled = solver.shuffle

    def next(self):
        """The next epoch's batches."""
        if not self.is_shuffled:
            return self.batches.in_order()
        orders = [shuffle.next(self.n_rows) for shuffle in self.shuffles]
        shared = len(orders) == 1
        return self.batches.shuffled(orders[0] if shared else np.stack(orders))

    def select(self, indices):
        """Go on with some of the networks alone."""
        if len(self.shuffles) > 1:
            self.shuffles = [self.shuffles[i] for i in indices]


class _Stack:
    """The networks that are still in training."""

    def __init__(self, problem, parameters, members):
        self.problem = problem
        self.members = list(members)
        solvers = [member.solver for member in members]
        self.average = self._begun_average(parameters)
        self._show(parameters)
        for member in self.members:
            member.start()
        self.epochs = problem.make_epochs(problem, solvers[0])
        self.steps = Steps(problem.objective, solvers, parameters)

    def _begun_average(self, parameters):
        """The average of weights to begin with, or the one that goes on."""
        lead, n_rows = self.members[0], self.problem.rows.n_rows
        if lead.n_averaged == 0:
            return make_average(lead.solver, parameters, n_rows)
        averages = Parameters.copied_to_stack([member.shown for member in self.members])
        return make_average(lead.solver, averages, n_rows, lead.n_averaged)

    def _show(self, parameters):
        """Give each member views of its weights, and of what it is judged by."""
        for i, member in enumerate(self.members):
            member.weights = member.shown = parameters.view_network(i)
            if self.average.parameters is not parameters:
                member.shown = self.average.parameters.view_network(i)

    def run_epoch(self):
        """Train for an epoch; then let those leave that are done."""
        for member in self.members:
            member.monitor.begin_iteration()
        losses, weights = self.steps.take(self.epochs.next(), self.average)
        weights = np.broadcast_to(weights.T, losses.T.shape)
        n_rows = np.broadcast_to(self.epochs.n_rows, len(self.members)).tolist()
        for member, *epoch in zip(self.members, losses.T, weights, n_rows, strict=True):
            member.close_epoch(*epoch, self.problem)
        self._dismiss()

    def interrupt(self):
        """Stop where it is."""
        losses = self.steps.losses()
        for member, losses_of_member in zip(self.members, losses.T, strict=True):
            member.interrupt(losses_of_member)
        self._dismiss()

    def _dismiss(self):
        """Give those that have stopped their final weights, and go on without them."""
        going_on = [i for i, m in enumerate(self.members) if m.stop is None]
        if len(going_on) == len(self.members):
            return
        for i, member in enumerate(self.members):
            if member.stop is not None:
                self._leave(i, member)
        self.members = [self.members[i] for i in going_on]
        if not going_on:
            return
        parameters = Parameters.copied_to_stack([m.weights for m in self.members])
        self.average.select(going_on, parameters)
        self._show(parameters)
        self.steps.select(going_on, parameters)
        self.epochs.select(going_on)

    def _leave(self, i, member):
        member.finish(
            by_score=self.problem.validation_score is not None,
            n_averaged=self.average.n_steps,
        )
        if member.stop.reason == "diverged":
            # Moments that have led there would lead there again.
            member.solver.reset()
        else:
            self.steps.update.leave(i)
