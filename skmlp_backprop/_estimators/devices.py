"""The devices that train networks: the CPU by NumPy, others by PyTorch."""

from .._solvers.stack import ScaledInputStack, Stack


class Cpu:
    """Training by NumPy.

    Attributes
    ----------
    stack_bytes : int
        Limit of the bytes of a stack's largest array. It bounds the memory (Adam needs
        about 14 such arrays, 30 MB) and keeps the stack in the cache: in a larger
        stack, the step of a candidate takes as long or longer.

    group_bytes : int
        Folds with more bytes of rows do not share a stack, which would copy the rows.

    shared_bytes : int or float
        Folds share a stack if the largest array of a fold's networks has at most this
        number of bytes. Larger arrays leave the cache, which takes longer than the
        calls of NumPy that sharing saves (benchmarks: tricks).

    operations : float
        Operations per second of a core in float64. Measured on the digits and on 5000
        rows of MNIST, in processor time.
    """

    stack_bytes = 2**21
    group_bytes = 2**24
    shared_bytes = 2**17
    operations = 6e10

    def n_jobs(self, n_jobs):
        """The user's `n_jobs`, or fewer processes if these would share the device."""
        return n_jobs

    def check(self, solver, network, rows):
        """Nothing is refused: the CPU trains all networks."""

    def make_stack(self, scales, *args):
        """Make a stack; without `scales` of the inputs, if these are None."""
        return Stack(*args) if scales is None else ScaledInputStack(scales, *args)


def device_of(estimator):
    """The device that an estimator's `device` names.

    Returns
    -------
    device : Cpu or TorchDevice
        The device.

    Raises
    ------
    ImportError
        If PyTorch is needed and not installed.

    ValueError
        If PyTorch does not know the device, or does not find it.
    """
    name = estimator.device
    if name == "cpu":
        return Cpu()
    try:
        from .._torch.device import TorchDevice
    except ModuleNotFoundError as error:
        raise ImportError(
            f"device={name!r} needs PyTorch, which is not installed: `pip install "
            "torch`, or use device='cpu'."
        ) from error
    return TorchDevice(name)
