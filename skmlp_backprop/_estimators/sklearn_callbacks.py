"""scikit-learn's callbacks, which come with its version 1.9; before, there are none."""

from contextlib import nullcontext

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    HAS_CALLBACKS = False

    class _NoCallbacks:
        """Stands for the context of a fit that has no callbacks to report to."""

        def subcontext(self, **_):
            """The context of a task within this one: the same."""
            return self

        def call_on_fit_task_begin(self, **_):
            """Nothing to call."""

        def call_on_fit_task_end(self, **_):
            """Nothing to call, so nothing asks to stop."""
            return False

        def propagate_callback_context(self, estimator):
            """Nothing to pass on."""
            return nullcontext()

    class CallbackSupportMixin:
        """Stands for scikit-learn's mixin of estimators with callbacks."""

        def _init_callback_context(self, **_):
            return _NoCallbacks()

    def with_callbacks(method):
        """Stands for scikit-learn's decorator of methods that report to callbacks."""
        return method

else:
    HAS_CALLBACKS = True

__all__ = ["HAS_CALLBACKS", "CallbackSupportMixin", "with_callbacks"]
