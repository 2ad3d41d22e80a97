"""A fit that fails leaves the estimator as it was before."""

import functools
from contextlib import contextmanager


def restore_on_error(method):
    """Method decorator: a call that raises leaves the estimator as it was."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        before = self.__dict__.copy()
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            # In one step, which nothing can interrupt.
            self.__dict__ = before
            raise

    return guarded


@contextmanager
def restore_all_on_error(estimators):
    """Context in which an error leaves all of the estimators as they were before.

    An interruption is no error: what was fitted until then stays.
    """
    before = [vars(estimator).copy() for estimator in estimators]
    try:
        yield
    except Exception:
        for estimator, attributes in zip(estimators, before, strict=True):
            vars(estimator).clear()
            vars(estimator).update(attributes)
        raise
