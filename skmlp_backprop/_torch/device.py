"""A device of PyTorch: what it can train, and stacks on it."""

import torch

from .._network.rows import Rows
from .network import ACTIVATIONS
from .rules import STEPS
from .stack import TorchStack


class TorchDevice:
    """A device of PyTorch, in place of :class:`._estimators.devices.Cpu`.

    Parameters
    ----------
    name : str
        The estimator's `device`: PyTorch's name of the device, which may follow the
        prefix "torch:".

    Attributes
    ----------
    stack_bytes, group_bytes, shared_bytes, operations
        See :class:`._estimators.devices.Cpu`. Stacks are larger, because no cache
        limits them, and because the interpreter's time of a step is longer.

    Raises
    ------
    ValueError
        If PyTorch does not know the device, or does not find it.
    """

    stack_bytes = 2**26
    group_bytes = 2**28
    shared_bytes = float("inf")
    # A guess, below the numbers in the data sheets of cards. A search estimates by it
    # its time, and whether more processes, which share the card, would shorten it.
    operations = 6e12

    def __init__(self, name):
        self.name = name
        try:
            self._place = torch.device(name.removeprefix("torch:"))
        except RuntimeError as error:
            raise ValueError(
                f"device={name!r} is no device of PyTorch. Use 'cpu', or a name such "
                "as 'cuda', 'cuda:0' or 'mps'."
            ) from error
        try:
            torch.ones(1, device=self._place).item()
        except (AssertionError, RuntimeError) as error:
            raise ValueError(
                f"device={name!r} is not available to PyTorch here. Use device='cpu', "
                "or install the driver and the PyTorch of the device."
            ) from error

    def n_jobs(self, n_jobs):
        """Number of processes that train networks: 1, as all would share the device."""
        return 1

    def check(self, solver, network, rows):
        """Raise ValueError for a solver, network or rows that are not supported."""
        if not solver.stochastic or type(solver.rule) not in STEPS:
            self._refuse("other solvers than 'sgd' and 'adam'", "one of these")
        for activation in network.all_activations():
            if activation.name not in ACTIVATIONS:
                self._refuse(
                    f"the activation {type(activation).__name__}",
                    "an activation that has a name, such as 'silu'",
                )
        if not isinstance(rows, Rows):
            self._refuse("Dask collections", "an array in memory")
        if rows.is_sparse:
            self._refuse("sparse X", "X.toarray()")
        try:
            torch.ones(1, dtype=getattr(torch, rows.dtype.name), device=self._place)
        except TypeError:
            self._refuse(f"X of {rows.dtype}", "X of float32")

    def _refuse(self, what, remedy):
        raise ValueError(
            f"device={self.name!r} does not train with {what}. Use {remedy}, or "
            "device='cpu'."
        )

    def make_stack(self, scales, *args):
        """Make a stack; without `scales` of the inputs, if these are None."""
        try:
            return TorchStack(self._place, scales, *args)
        except torch.OutOfMemoryError as error:
            raise ValueError(
                f"X and the networks do not fit in the memory of device={self.name!r}. "
                "Use fewer rows or networks, X of float32, or device='cpu'."
            ) from error
