"""Messages and warnings about the end of a training."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._network.warning import warn
from .targets import Numbers

# A training is useless if its loss is above the first multiple of the loss of the best
# constant prediction, and hardly useful if it is above the second.
_USELESS = 1.05
_HARDLY_USEFUL = 0.95
# Sum of squares from which targets are large beside the initial predictions.
_LARGE = 100
# Rounding in the loss of a constant that is always right, relative to the squares.
_ROUNDING = 1e-9
_MESSAGES = {
    "interrupted": "Training interrupted by user.",
    "callback": "A callback ended the training.",
    "partial_fit": "partial_fit trains for one epoch.",
}


def message_of_end(trained, estimator):
    """Describe the end of a training."""
    training = trained.training
    stop, solver, history = training.stop, training.solver, training.history
    if stop.reason == "diverged":
        where = f"iteration {history.n_iter + 1}"
        if solver.stochastic:
            rate = solver.schedule.rate
            where = f"epoch {history.n_iter + 1}, at a learning rate of {rate:g}"
        return (
            f"Training diverged in {where}: the loss or the weights "
            "are no longer finite. The best weights before that are kept. Lower "
            "`learning_rate_init` or scale the data, for example by StandardScaler."
        )
    if stop.reason == "max_iter" and solver.stochastic:
        return (
            f"Stochastic Optimizer: Maximum iterations ({solver.max_iter}) reached and "
            "the optimization hasn't converged yet."
        )
    if stop.reason in ("max_iter", "max_fun"):
        return (
            f"{estimator.solver} stopped at {stop.reason}="
            f"{getattr(solver, stop.reason)} before it converged; the best weights "
            "seen are kept."
        )
    if stop.reason == "stalled":
        dtype = solver.arithmetic_dtype(trained.parameters.dtype)
        float64 = ", pass X of float64" if dtype == np.float32 else ""
        return (
            f"{estimator.solver} stopped before it converged, as rounding, or a kink "
            f"as relu has, leaves no further progress ({stop.message}): the gradient's "
            f"largest entry is {stop.slope:.1e}, tol={solver.tol:g}. Increase `tol`"
            f"{float64} or scale the data."
        )
    return _MESSAGES.get(stop.reason, stop.message)


def attributes_of_end(trained, estimator):
    """The fitted attributes about the end of a training."""
    reason = trained.training.stop.reason
    return {
        "stop_reason_": reason,
        "message_": message_of_end(trained, estimator),
        "converged_": reason == "converged",
    }


def warn_of_end(trained, estimator):
    """Warn if a training did not converge, or has learned nothing."""
    reason = trained.training.stop.reason
    if reason == "interrupted":
        warn(message_of_end(trained, estimator))
    elif reason in ("diverged", "max_iter", "max_fun", "stalled"):
        warn(message_of_end(trained, estimator), ConvergenceWarning)
    warn_if_useless(trained, estimator)


def warn_if_useless(trained, estimator):
    """Warn if a training on minibatches is no better than a constant prediction.

    Large targets are out of reach of steps of the usual size. If the training stopped
    at `max_iter`, it may then also be slightly better than a constant.
    """
    training = trained.training
    reason = training.stop.reason
    if reason not in ("converged", "max_iter") or not training.solver.stochastic:
        return
    constant = trained.data.loss_of_constant
    if isinstance(trained.data.target_encoder, Numbers):
        targets, _ = trained.data.rows.some_targets()
        size = float(np.square(targets[0]).sum())
        is_hard = reason == "max_iter" and size > _LARGE
        most = (_HARDLY_USEFUL if is_hard else _USELESS) * constant
        # A constant is always right, and only nearly learned.
        if constant <= _ROUNDING * (1 + size):
            most = 0.01 * (1 + size)
    else:
        most = _USELESS * constant + 0.01
    # The loss of the last epoch is known. The penalty and dropout only increase it.
    if training.history.loss <= most:
        return
    loss = trained.mean_loss(estimator.alpha)
    if loss > most:
        how = "worse" if loss > constant else "hardly better"
        warn(
            f"The mean loss after training, {loss:.3g}, is {how} than that of the best "
            f"constant prediction, which ignores X, {constant:.3g}. {trained.remedy}",
            ConvergenceWarning,
        )
