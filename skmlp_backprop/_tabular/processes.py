"""Processes that train the stacks of an ensemble."""

import pickle

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits


class Processes:
    """Trains the stacks of an ensemble, each in a process of joblib's.

    An epoch of a stack is a task that gets the state of the stack and returns the new
    state, so that any process can train any stack.

    Parameters
    ----------
    ensemble : Ensemble
        Makes the stacks.

    n_processes : int
        Number of processes.
    """

    def __init__(self, ensemble, n_processes):
        self.ensemble = ensemble
        # Batches of several tasks would train stacks one after the other.
        self._parallel = Parallel(n_processes, batch_size=1, pre_dispatch="all")

    def start(self):
        """Start the processes."""
        self._parallel.__enter__()

    def run_epoch(self, stacks, order, rates):
        """Train each stack for an epoch; as :meth:`Workers.run_epoch`."""
        results = self._parallel(
            delayed(_run_epoch)(
                self.ensemble,
                # Pickled here: joblib would keep a file of each large array.
                pickle.dumps((stack.judge.members, stack.get_state(), order, of_stack)),
            )
            for stack, of_stack in zip(stacks, rates, strict=True)
        )
        for stack, (_, state) in zip(stacks, results, strict=True):
            stack.set_state(pickle.loads(state))
        return [outcome for outcome, _ in results]

    def close(self):
        """Give the processes back to joblib, which ends them when they stay idle."""
        self._parallel.__exit__(None, None, None)


def _run_epoch(ensemble, pickled):
    """Train a stack for an epoch; return the outcome and the stack's state."""
    members, state, order, rates = pickle.loads(pickled)
    stack = ensemble.make_stack(members, state["parameters"].networks())
    stack.set_state(state)
    with threadpool_limits(1):
        outcome = stack.run_epoch(order, rates)
    return outcome, pickle.dumps(stack.get_state())
