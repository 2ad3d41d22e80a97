"""The loop over epochs, which all trainings on minibatches share.

The loop is given stacks of networks, with their batches, update rule and average (see
``stack``), and the trainings of these networks, each of which stops by itself (see
``training``). Usually there is one stack, and each of its networks is a training. The
networks of an ensemble are one training, in as many stacks as there are threads.
"""

from itertools import accumulate, chain, pairwise

import numpy as np

from .interruption import aborts_when_interrupted
from .training import stack_weights
from .workers import Workers


def run_epochs(stacks, trainings, workers=None):
    """Train until every training has stopped.

    Parameters
    ----------
    stacks : list of Stack
        The networks, in the order of the trainings. Several stacks for one training.

    trainings : list of Training
        Given their final weights and why they stopped.

    workers : Workers or Processes or None, default=None
        Train the stacks for an epoch each; None for threads.
    """
    if workers is None:
        workers = Workers(len(stacks))
    going_on = list(trainings)
    _set_views(stacks, going_on)
    for training in going_on:
        training.start()
    interruption, is_over = None, False
    try:
        workers.start()
        while going_on:
            _run_epoch(stacks, going_on, workers)
            _remove_stopped(stacks, going_on)
    except KeyboardInterrupt as error:
        interruption = error
    finally:
        # Here, as a function would be interrupted before its first line.
        while not is_over:
            try:
                for stack in stacks:
                    stack.is_cancelled = True
                workers.close()
                is_over = True
            except KeyboardInterrupt as error:
                interruption = error
    if interruption is not None:
        if aborts_when_interrupted():
            raise interruption
        _interrupt(stacks, going_on)
        _remove_stopped(stacks, going_on)


def _run_epoch(stacks, trainings, workers):
    """Train for an epoch, and record it."""
    for training in trainings:
        training.reporter.begin_iteration()
    order = stacks[0].batches.draw_order()
    rates = [t.solver.schedule.rate for t in trainings for _ in t.weights]
    networks_of_stacks = _consecutive(stack.parameters.n_stack for stack in stacks)
    rates_of_stacks = [rates[networks] for networks in networks_of_stacks]
    outcomes = workers.run_epoch(stacks, order, rates_of_stacks)
    losses_of_stacks, weights_of_stacks, predictions = zip(*outcomes, strict=True)
    losses, weights = np.hstack(losses_of_stacks), np.hstack(weights_of_stacks)
    judge, n_rows = stacks[0].judge, stacks[0].batches.n_rows
    if judge is not None:
        predictions = list(chain.from_iterable(predictions))
    for training, networks in zip(trainings, _networks_of(trainings), strict=True):
        training.end_epoch(
            losses[:, networks],
            weights[:, networks],
            n_rows if np.isscalar(n_rows) else int(n_rows[networks.start]),
            judge,
            predictions[networks],
        )


def _networks_of(trainings):
    """Slices with the numbers of each training's networks."""
    return _consecutive(len(training.weights) for training in trainings)


def _consecutive(lengths):
    """Consecutive slices of these lengths."""
    stops = [0, *accumulate(lengths)]
    return [slice(*edges) for edges in pairwise(stops)]


def _set_views(stacks, trainings):
    """Point each training's `weights` and `judged` at its networks in the stacks."""
    latest = [w for stack in stacks for w in stack.parameters.networks()]
    judged = latest
    if stacks[0].average is not None:
        judged = [w for stack in stacks for w in stack.judged.networks()]
    for training, networks in zip(trainings, _networks_of(trainings), strict=True):
        training.weights = training.judged = latest[networks]
        if judged is not latest:
            training.judged = judged[networks]


def _interrupt(stacks, trainings):
    """Stop where the networks are, in the middle of an epoch."""
    n_done = min(stack.n_steps for stack in stacks)
    losses = np.hstack([stack.losses[:n_done] for stack in stacks])
    for training, networks in zip(trainings, _networks_of(trainings), strict=True):
        if training.stop is None:
            training.interrupt(losses[:, networks])


def _remove_stopped(stacks, trainings):
    """Finish the trainings that have stopped, and remove them from the list."""
    going_on = [training for training in trainings if training.stop is None]
    if len(going_on) == len(trainings):
        return
    average = stacks[0].average
    n_averaged = 0 if average is None else average.n_steps
    for number, training in enumerate(trainings):
        if training.stop is None:
            continue
        training.finish(stacks[0].judge is not None, n_averaged)
        # Moments that have led beyond the floats would lead there again.
        is_lost = training.stop.reason == "diverged"
        is_alone = len(training.weights) == 1
        if is_alone:
            training.solver.state = None if is_lost else stacks[0].state_of(number)
    if going_on:
        (stack,) = stacks
        indices = [i for i, training in enumerate(trainings) if training.stop is None]
        stack.select(indices, stack_weights(going_on))
        _set_views(stacks, going_on)
    trainings[:] = going_on
