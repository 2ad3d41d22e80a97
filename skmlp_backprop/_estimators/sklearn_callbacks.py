"""scikit-learn's callbacks; stand-ins that do nothing before its version 1.9."""

from contextlib import nullcontext

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class NoCallbacks:
        """The context of a fit where there are no callbacks."""

        def subcontext(self, **kwargs):
            return self

        def call_on_fit_task_begin(self, **kwargs):
            pass

        def call_on_fit_task_end(self, **kwargs):
            return False

        def propagate_callback_context(self, estimator):
            return nullcontext()

    class CallbackSupportMixin:
        def _init_callback_context(self, **kwargs):
            return NoCallbacks()

    def with_callbacks(method):
        return method


__all__ = ["HAS_CALLBACKS", "CallbackSupportMixin", "with_callbacks"]
