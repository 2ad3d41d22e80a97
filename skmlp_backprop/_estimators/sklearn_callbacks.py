"""scikit-learn's callbacks; stand-ins that do nothing before its version 1.9."""

from contextlib import nullcontext

from .._solvers.training import Reporter

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:
        def _init_callback_context(self, **kwargs):
            return NoCallbacks()

    def with_callbacks(method):
        return method


class NoCallbacks:
    """The context of a fit without callbacks."""

    def subcontext(self, task_name="", **kwargs):
        return self

    def call_on_fit_task_begin(self, **kwargs):
        pass

    def call_on_fit_task_end(self, **kwargs):
        return False

    def propagate_callback_context(self, estimator):
        return nullcontext()


class CallbackReporter(Reporter):
    """Prints, and makes every iteration a task below the estimator's fit task.

    Parameters
    ----------
    estimator : BaseBackpropMLP or BaseTabularMLP
        The estimator being fitted.

    context : sklearn.callback.CallbackContext
        The context of its fit.

    task_name : str
        What an iteration is called.

    fitted_attributes : callable
        Given a history and the weights of the networks, returns the attributes that
        would make the estimator fitted; called only if a callback wants
        `fitted_estimator`.

    **data : dict
        What hooks may ask for: `X`, `y` and `metadata`.
    """

    def __init__(self, estimator, context, task_name, fitted_attributes, **data):
        super().__init__(estimator.verbose)
        self.estimator = estimator
        self.context = context
        self.task_name = task_name
        self.fitted_attributes = fitted_attributes
        self.data = data
        self.task = None

    def begin_iteration(self):
        self.task = self.context.subcontext(task_name=self.task_name)
        self.task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_iteration(self, history, get_networks):
        return self.task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.fitted_attributes(
                history.copy(), get_networks()
            ),
            **self.data,
        )
