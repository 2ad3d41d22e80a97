"""The result of a training: fitted attributes, and warnings about its end."""

import copy
from dataclasses import dataclass, replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._network.constant import mean_loss, sample_rows
from .._network.inference import activations_of_layers, compute_logits
from .._network.parameters import Parameters
from .._network.rows import Rows
from .._network.warning import warn
from .._solvers.training import PUBLIC_HISTORY, History, Training
from .targets import Numbers

# A training is useless if its loss is above _USELESS times the loss of the best
# constant prediction, and hardly useful if it is above _HARDLY_USEFUL times that loss.
_USELESS = 1.05
_HARDLY_USEFUL = 0.95
# A smaller mean loss of left-out rows is no reason for a warning.
_NEGLIGIBLE = 1e-6
# If the best constant has a smaller mean loss, y is constant.
_OF_A_CONSTANT = 1e-9
# Mean square from which targets are large beside the initial predictions.
_LARGE = 100
_MESSAGES = {
    "interrupted": "Training interrupted by user.",
    "callback": "A callback ended the training.",
    "partial_fit": "partial_fit trains for one epoch.",
}
# A layer is saturated if this share of its activations has a derivative below
# _SMALL_DERIVATIVE. The largest derivative of the sigmoid is 0.25.
_SATURATED = 0.9
_SMALL_DERIVATIVE = 0.01
# A sample of this many rows is enough.
_MAX_ROWS = 2000


@dataclass
class Trained:
    """The result of a training of an estimator's network.

    Parameters
    ----------
    data : TrainingData
        The training data.

    parameters : Parameters
        The final weights, in the precision of the rows.

    training : Training
        The training, which :func:`train_further` may continue.

    draws : Draws
        The sources of random numbers after the training.

    Attributes
    ----------
    leaves_rows_out : bool
        Whether the mean loss is that of rows which the network has left out, and
        ``loss_of_constant()`` that of a constant for these rows.
    """

    # No field: the training has all rows.
    leaves_rows_out = False

    data: object
    parameters: Parameters
    training: Training
    draws: object

    @property
    def remedy(self):
        """The remedy, and the cause if known, for a network worse than a constant."""
        is_stochastic = self.training.solver.stochastic
        if saturated := self._saturated():
            scale = "Lower `learning_rate_init`, or scale" if is_stochastic else "Scale"
            return (
                f"The network is saturated: {saturated} have a derivative below 0.01, "
                f"so that further steps hardly change the weights. {scale} X by "
                "StandardScaler."
            )
        are_numbers = isinstance(self.data.target_encoder, Numbers)
        epoch = self.earlier_epoch
        if epoch is not None and not are_numbers:
            return (
                f"Early stopping kept the weights of epoch {epoch}, as no later epoch "
                "had a better accuracy on the held-out rows. If a class is rare, set "
                "`early_stopping=False`, or stop by another score by the callback "
                "EarlyStopping. Otherwise scale X by StandardScaler or take another "
                "`learning_rate_init`."
            )
        is_short = self.training.stop.reason == "max_iter"
        first = "Increase `max_iter`, scale" if is_short else "Scale"
        of_y = ", y by TransformedTargetRegressor," if are_numbers else ""
        last = "take another `learning_rate_init`" if is_stochastic else "lower `tol`"
        return f"{first} X by StandardScaler{of_y} or {last}."

    @property
    def earlier_epoch(self):
        """The epoch whose weights early stopping keeps; None if it is the last one."""
        scores = self.training.history.validation_scores or []
        epoch = int(np.argmax(scores)) + 1 if scores else 0
        return epoch if epoch < len(scores) else None

    def _saturated(self):
        """Describe the saturated activations; empty if the network is not saturated."""
        rows, network = self.data.rows, self.data.network
        if not isinstance(rows, Rows):
            return ""
        shares = _saturated_shares(network, self.parameters.view_coefs(), rows.X)
        if not shares or max(shares) < _SATURATED:
            return ""
        number = int(np.argmax(shares)) + (network.input_activation is None)
        layer = f"hidden layer {number}" if number else "the input"
        return f"{max(shares):.0%} of the activations of {layer}"

    def mean_loss(self, alpha):
        """The mean loss of all rows, without the penalty."""
        rows = self.data.rows
        if isinstance(rows, Rows):
            network, logits = self.data.network, self._logits()
            return mean_loss(network, logits, rows.targets, rows.weights)
        # The rows are at Dask's workers: take the loss of the last iteration.
        squares = sum(float(np.vdot(w, w)) for w in self.parameters.weights)
        solver, share = self.training.solver, 1.0
        if solver.stochastic:
            share = solver.n_batch_rows(rows.n_rows) / rows.n_rows
        loss = self.training.history.loss
        return loss - alpha / (2 * rows.weight_sum * share) * squares

    def losses_of_columns(self):
        """The data and the mean loss of each column of a y with several numbers."""
        data, rows = self.data, self.data.rows
        encoder, output = data.target_encoder, data.network.output
        if not (isinstance(encoder, Numbers) and isinstance(rows, Rows)):
            return []
        if encoder.n_columns in (None, 1):
            return []
        network, logits = copy.copy(data.network), self._logits()
        network.output = type(output)(1)
        found = []
        for number in range(encoder.n_columns):
            column = slice(number, number + 1)
            targets = rows.targets[:, column]
            of_column = replace(
                data, network=network, rows=Rows(rows.X, targets, rows.weights)
            )
            loss = mean_loss(network, logits[:, column], targets, rows.weights)
            found.append((of_column, loss))
        return found

    def _logits(self):
        """The logits of all rows."""
        with np.errstate(all="ignore"):
            weights = self.parameters.view_coefs()
            return compute_logits(self.data.network, weights, self.data.rows.X)

    def attributes(self, estimator):
        """The fitted attributes of the estimator."""
        solver = self.training.solver
        attributes = fitted_attributes(
            self.data.network,
            self.data.target_encoder,
            self.training.history,
            self.parameters,
        )
        return {
            **attributes,
            **attributes_of_end(self, estimator),
            "_optimizer": solver if solver.stochastic else None,
            "_objective": objective_of(estimator, self.data.network),
        }


def _saturated_shares(network, weights, X):
    """The share of each layer's activations with a derivative below 0.01.

    In the order of `Network.all_activations`; of a sample of the rows if there are
    many.
    """
    step = -(-X.shape[0] // _MAX_ROWS)
    all_z, all_a = activations_of_layers(network, weights, X[::step])
    shares = []
    for activation, z, a in zip(
        network.all_activations(), all_z, all_a[:-1], strict=False
    ):
        derivative = np.ones_like(a)
        with np.errstate(all="ignore"):
            activation.multiply_derivative(
                z if activation.keeps_input else a, derivative
            )
        is_small = np.abs(derivative) < _SMALL_DERIVATIVE
        shares.append(float(is_small.mean()))
    return shares


def features_of(estimator):
    """The attributes with the number and the names of the features, as a dict."""
    names = ("n_features_in_", "feature_names_in_")
    return {name: vars(estimator)[name] for name in names if name in vars(estimator)}


def fitted_attributes(network, target_encoder, history, parameters):
    """The attributes of an estimator with a network of given weights."""
    coefs, intercepts, input_intercept = parameters.to_coefs()
    return {
        **target_encoder.fitted_attributes(),
        **{f"{name}_": getattr(history, name) for name in PUBLIC_HISTORY},
        "coefs_": coefs,
        "intercepts_": intercepts,
        "input_intercept_": input_intercept,
        "n_layers_": len(network.layer_units),
        "n_outputs_": network.output.n_outputs,
        "out_activation_": network.output.name,
        # A training overwrites these three.
        "stop_reason_": None,
        "message_": None,
        "converged_": False,
        "_no_improvement_count": history.no_improvement_count,
        "_n_fun_before": history.n_fun_before,
        "_target_encoder": target_encoder,
        "_network": network,
    }


def objective_of(estimator, network):
    """What the loss of a training depends on beside weights and rows, as a text."""
    loss = network.loss
    params = {name: getattr(loss, name) for name in loss.hyper_parameters}
    class_weight = getattr(estimator, "class_weight", None)
    return repr(
        [
            f"{loss.name} {network.output.name}",
            {name: np.ravel(value).tolist() for name, value in params.items()},
            float(estimator.alpha),
            np.ravel(estimator.dropout).astype(float).tolist(),
            _plain_weights(class_weight),
        ]
    )


def _plain_weights(class_weight):
    """Class weights without regard to types and order."""
    if isinstance(class_weight, dict):
        return sorted((str(k), float(v)) for k, v in class_weight.items())
    if isinstance(class_weight, list):
        return list(map(_plain_weights, class_weight))
    return class_weight


def history_of(estimator):
    """A copy of the history of a fitted estimator, ours or scikit-learn's."""
    known = {
        name: getattr(estimator, f"{name}_")
        for name in PUBLIC_HISTORY
        if hasattr(estimator, f"{name}_")
    }
    # Not there after L-BFGS in scikit-learn.
    count = getattr(estimator, "_no_improvement_count", 0)
    before = getattr(estimator, "_n_fun_before", 0)
    return History(**known, no_improvement_count=count, n_fun_before=before).copy()


def message_of_end(trained, estimator):
    """Describe the end of a training."""
    training = trained.training
    stop, solver, history = training.stop, training.solver, training.history
    if stop.reason == "diverged":
        where, remedy = f"iteration {history.n_iter + 1}", "Scale"
        if solver.stochastic:
            rate = solver.schedule.rate
            where = f"epoch {history.n_iter + 1}, at a learning rate of {rate:g}"
            remedy = "Lower `learning_rate_init` or scale"
        return (
            f"Training diverged in {where}: the loss or the weights "
            "are no longer finite. The best weights before that are kept. "
            f"{remedy} the data, for example by StandardScaler."
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
        dtype = solver.dtype or trained.parameters.dtype
        float64 = ", pass X of float64" if dtype == np.float32 else ""
        return (
            f"{estimator.solver} stopped before it converged, because rounding, or a "
            f"kink like that of relu, prevents further progress ({stop.message}): the "
            f"gradient's largest entry is {stop.slope:.1e}, tol={solver.tol:g}. "
            f"Increase `tol`{float64} or scale the data."
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
    """Warn if a network is no better than a constant prediction.

    A full-batch solver that reached another limit than `tol` has its own warning.
    """
    training = trained.training
    reason = training.stop.reason
    if reason != "converged" and not (
        reason == "max_iter" and training.solver.stochastic
    ):
        return
    if trained.leaves_rows_out:
        _warn_if_useless_for_left_out_rows(trained, estimator.alpha)
    else:
        _warn_if_useless_for_training_rows(trained, estimator.alpha)


def _warn_if_useless_for_left_out_rows(trained, alpha):
    of_all_rows = trained.data.loss_of_constant
    if of_all_rows < _OF_A_CONSTANT:
        return
    # The training loss would be small even if the networks had learned noise.
    loss = trained.mean_loss(alpha)
    if loss <= _HARDLY_USEFUL * of_all_rows:
        return
    constant = trained.loss_of_constant()
    if loss > max(constant * (1 + _by_chance(trained.data)), _NEGLIGIBLE):
        _warn_of_loss(trained, loss, constant)


def _warn_if_useless_for_training_rows(trained, alpha):
    training, data = trained.training, trained.data
    reason, loss = training.stop.reason, training.history.loss
    max_loss = _max_loss(data, reason)
    # The loss of the last epoch is known. The penalty and dropout only increase it. But
    # it counts batches by their rows, not by the weights of these, and early stopping
    # may have kept the weights of another epoch.
    is_other = isinstance(data.rows, Rows) and data.rows.weights is not None
    is_other |= trained.earlier_epoch is not None
    columns = trained.losses_of_columns()
    if columns:
        loss = sum(of_column for _, of_column in columns)
    elif is_other or loss > max_loss:
        loss = trained.mean_loss(alpha)
    if loss > max_loss:
        _warn_of_loss(trained, loss, data.loss_of_constant)
        return
    # Columns of large numbers hide in the sum that another column is not learned.
    for number, (of_column_data, of_column) in enumerate(columns):
        if of_column > _max_loss(of_column_data, reason):
            where = f"For column {number} of y, counted from 0: "
            constant = of_column_data.loss_of_constant
            _warn_of_loss(trained, of_column, constant, where)
            return


def _by_chance(data):
    """By what share the loss of few left-out rows may exceed that of the constant.

    It is 0 for classes, whose temperature keeps the loss low.
    """
    are_numbers = isinstance(data.target_encoder, Numbers)
    return 10 / data.rows.n_rows if are_numbers else 0


def _warn_of_loss(trained, loss, constant, where=""):
    how = "worse" if loss > constant else "hardly better"
    warn(
        f"{where}The mean loss after training, {loss:.3g}, is {how} than that of the "
        f"best constant prediction, which ignores X, {constant:.3g}. {trained.remedy}",
        ConvergenceWarning,
    )


def _max_loss(data, reason):
    """The mean loss above which a network is useless, after a stop for this reason."""
    constant = data.loss_of_constant
    if not isinstance(data.target_encoder, Numbers):
        return _USELESS * constant + 0.01
    # The rows that the best constant is judged by.
    targets, weights = sample_rows(*data.rows.some_targets())
    if weights is not None:
        targets = targets[weights > 0]
    with np.errstate(over="ignore"):
        sizes = np.square(targets, dtype=np.float64).mean(axis=0)
        spread = np.ptp(targets, axis=0)
    rounding = 4 * np.finfo(targets.dtype).eps * np.abs(targets).max(axis=0)
    # If y is constant, the best constant has no loss, and the network comes near it
    # only.
    if (spread <= rounding).all():
        return 0.01 * (1 + sizes).sum()
    # Large targets are out of reach of steps of the usual size. If the training stopped
    # at `max_iter`, a network hardly better than the best constant is useless, too. The
    # output exp predicts the logarithm.
    is_large = sizes.max() > _LARGE and data.network.output.name != "exp"
    is_hard = is_large and reason == "max_iter"
    return (_HARDLY_USEFUL if is_hard else _USELESS) * constant
