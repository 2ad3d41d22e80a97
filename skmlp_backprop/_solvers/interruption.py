"""Whether Ctrl-C ends a training alone, or all of the work that it is part of."""

from contextlib import contextmanager
from contextvars import ContextVar

_aborts = ContextVar("aborts", default=False)


@contextmanager
def abort_when_interrupted():
    """Within this context a training that is interrupted raises KeyboardInterrupt.

    For a training that is one of many. By itself it keeps what it has reached.
    """
    token = _aborts.set(True)
    try:
        yield
    finally:
        _aborts.reset(token)


def aborts_when_interrupted():
    """Whether a training is within :func:`abort_when_interrupted`."""
    return _aborts.get()
