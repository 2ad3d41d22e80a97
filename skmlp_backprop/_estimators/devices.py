"""Where networks are trained: the seam between NumPy and PyTorch."""


class Cpu:
    """NumPy on the processor's cores.

    Attributes
    ----------
    stack_bytes : int
        Limit of the bytes of a stack's largest array. It bounds the memory (Adam needs
        about 14 such arrays, 30 MB) and keeps the stack in the cache: in a larger
        stack, the step of a candidate takes as long or longer.

    group_bytes : int
        A group with more bytes of rows does not share a stack with other groups, which
        would copy the rows.

    small_product : int or float
        Folds share a stack if the first product of a batch has at most this number of
        multiplications. Larger products use all cores by themselves.

    operations : float
        Operations in a second, of a core in float64. Measured on the digits and on 5000
        rows of MNIST, by the processor's time.
    """

    stack_bytes = 2**21
    group_bytes = 2**24
    small_product = 10**6
    operations = 6e10

    def n_jobs(self, n_jobs):
        """How many cores share the networks, if so many may."""
        return n_jobs

    def check(self, solver, network, rows):
        """Refuse what can't be trained here: nothing."""

    def make_stack(self, kind, *args):
        """Make a stack of the given class."""
        return kind(*args)


def device_of(estimator):
    """The device that an estimator's `device` names.

    Returns
    -------
    device : Cpu or TorchDevice
        The device.

    Raises
    ------
    ImportError
        If it needs PyTorch, which is not installed.

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
