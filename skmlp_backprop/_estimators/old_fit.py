"""A fit that fails leaves the estimator as it was before."""

import functools


def keeping_the_old_fit_on_error(method):
    """Method decorator: a call that raises leaves the estimator as it was."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        before = self.__dict__.copy()
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    return guarded
