"""An estimator whose fit fails stays as it was before."""

import functools
from contextlib import contextmanager


def restore_on_error(method):
    """Method decorator: a call that raises does not change the estimator."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        before = self.__dict__.copy()
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            # A single step, which Ctrl-C can't interrupt.
            self.__dict__ = before
            raise

    return guarded


@contextmanager
def restore_all_on_error(estimators):
    """Context in which an error does not change any of the estimators.

    An interruption is no error: the estimators keep their fits.
    """
    before = [vars(estimator).copy() for estimator in estimators]
    try:
        yield
    except Exception:
        for estimator, attributes in zip(estimators, before, strict=True):
            vars(estimator).clear()
            vars(estimator).update(attributes)
        raise
