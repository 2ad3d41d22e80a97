"""One training: from rows and initial weights, through a solver, to the last word."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from .._network.dropout import Dropout, dropout_rates
from .._network.inference import compute_logits
from .._network.initialization import initialize
from .._network.objective import BLOCK_ROWS, Objective
from .._network.output_activations import make_output
from .._network.parameters import Parameters
from .._network.rows import Selection
from .._network.threads import BLAS_THREADS_PAY, training_threads
from .._solvers import SOLVERS
from .._solvers.problem import History, Problem
from .architecture import init_activations


def make_solver(estimator):
    """The solver that an estimator's parameters describe."""
    solver = SOLVERS[estimator.solver]
    return solver(
        **{name: getattr(estimator, name) for name in solver.hyper_parameters}
    )


def initial_parameters(estimator, network, random_state):
    """Draw initial weights, in float64, whatever the data's precision."""
    names = [activation.name for activation in network.activations]
    return Parameters.view_coefs_of(
        *initialize(
            random_state,
            network.layer_units,
            init_activations(estimator, names),
            estimator.weight_init,
            input_intercept=network.input_activation is not None,
        )
    )


def new_history(estimator):
    """An empty history; with early stopping one of scores in place of losses."""
    if estimator.early_stopping and SOLVERS[estimator.solver].stochastic:
        return History(
            best_loss=None, validation_scores=[], best_validation_score=-np.inf
        )
    return History()


def train(estimators, network, labels, rows, parameters, members, random_states):
    """Run a solver on a stack of networks from given weights.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier
        Their parameters are read; they are not changed. With a full-batch solver
        just one; else those of a stack, see ``_search.stacking.stack_key``.

    network : Network
        The networks' shape, activations and loss.

    labels : Labels
        The classes.

    rows : Rows
        All rows; where there is early stopping, part of them is held out.

    parameters : list of Parameters
        Initial weights of each network.

    members : list of Member
        The solver of each network, with its history, which is written to, and its
        monitor. They are given the final weights, in the solver's precision.

    random_states : list of RandomState
        Sources of the shuffles, one for all or one for each network; the first also
        of the validation split and of the masks of dropout.
    """
    lead, solver = estimators[0], members[0].solver
    dtype = solver.arithmetic_dtype(rows.X.dtype)
    stack = Parameters.copied_to_stack(parameters, dtype)
    rows = rows.for_batches() if solver.stochastic else rows.for_products()
    validation_score = None
    if lead.early_stopping and solver.stochastic:
        rows, held_out = _hold_out(
            rows, lead.validation_fraction, labels, random_states[0]
        )
        validation_score = _Accuracy(network, labels, held_out)
    blas_threads_pay = solver.stochastic and (
        solver.n_batch_rows(rows.n_rows) * stack.first_weights.size >= BLAS_THREADS_PAY
    )
    t = members[0].history.t
    with np.errstate(all="ignore"), training_threads(blas_threads_pay) as n_threads:
        objective = Objective(
            network,
            [estimator.alpha for estimator in estimators],
            dtype,
            n_stack=len(estimators),
            dropout=_make_dropout(lead, network, solver, random_states[0], t),
            n_threads=1 if solver.stochastic else n_threads,
        )
        problem = Problem(objective, rows, random_states, validation_score)
        solver.solve(problem, stack, members)


def _make_dropout(estimator, network, solver, random_state, t):
    rates = dropout_rates(estimator.dropout, len(network.activations))
    if not solver.stochastic or not any(rates):
        return None
    # With the samples seen in the seed, as each partial_fit begins with the same state:
    # under the same masks some units would never be trained.
    seed = [random_state.randint(2**31 - 1), t % 2**32]
    return Dropout(rates, np.random.RandomState(seed))


class _Accuracy:
    """Weighted accuracy of given weights on held-out rows.

    Parameters
    ----------
    network : Network
        The network.

    labels : Labels
        The classes.

    selection : Selection
        The held-out rows.
    """

    def __init__(self, network, labels, selection):
        self.network = network
        self.labels = labels
        self.selection = selection
        self.output = make_output(
            network.output_activation, network.layer_units[-1], labels.multilabel
        )
        rows, index = selection.rows, selection.index
        self.targets = rows.targets[index]
        self.weights = None if rows.weights is None else rows.weights[index]

    def __call__(self, parameters):
        codes = []
        for block in self.selection.blocks(BLOCK_ROWS):
            logits = compute_logits(self.network, parameters, block.X)
            codes.append(self.labels.decode_codes(self.output.scores(logits)))
        return float(
            accuracy_score(
                self.targets, np.concatenate(codes), sample_weight=self.weights
            )
        )


def _hold_out(rows, fraction, labels, random_state):
    """Split a share of the rows off, stratified wherever the classes permit it.

    At least two rows are held out. Rows of weight zero are as good as absent: they
    are on neither side.
    """
    index = np.arange(rows.n_rows)
    if rows.weights is not None:
        index = index[rows.weights > 0]
    n_held_out = max(2, int(np.ceil(fraction * len(index))))
    n_left = len(index) - n_held_out
    if n_left < 1:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' "
            f"or the size of your dataset; got n_samples={len(index)}."
        )
    stratify = None
    if not labels.multilabel:
        targets = rows.targets[index]
        counts = np.bincount(targets)
        counts = counts[counts > 0]
        if counts.min() >= 2 and min(n_held_out, n_left) >= len(counts):
            stratify = targets
    train_index, held_out_index = train_test_split(
        index, random_state=random_state, test_size=n_held_out, stratify=stratify
    )
    return Selection(rows, train_index), Selection(rows, held_out_index)


def explain(member, estimator):
    """Turn the end of a training into the warning or error it calls for.

    Raises
    ------
    ValueError
        If the objective is not finite at the initial weights.
    """
    stop, solver, history = member.stop, member.solver, member.history
    if stop.reason == "diverged" and history.n_fun == 0:
        raise ValueError(
            "The loss or its gradient is not finite at the initial weights. The input "
            "data may contain large values and need to be preprocessed, for example "
            "by StandardScaler; or use a smaller `weight_init` or `alpha`."
        )
    if stop.reason == "diverged":
        _warn(
            f"Training diverged in {_where(solver, history)}: the loss or the weights "
            "are no longer finite. The best weights before that are kept. Lower "
            "`learning_rate_init` or scale the data, for example by StandardScaler."
        )
    elif stop.reason == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=2)
    elif stop.reason == "max_iter" and solver.stochastic:
        _warn(
            f"Stochastic Optimizer: Maximum iterations ({solver.max_iter}) reached and "
            "the optimization hasn't converged yet. Increase `max_iter`, or "
            "`learning_rate_init` if the loss still falls slowly."
        )
    elif stop.reason in ("max_iter", "max_fun"):
        _warn(
            f"{estimator.solver} stopped at {stop.reason}="
            f"{getattr(solver, stop.reason)} before it converged; the best weights "
            f"seen are kept. Increase `{stop.reason}` or `tol`, or scale the data."
        )
    elif stop.reason == "stalled":
        _warn(
            f"{estimator.solver} stopped before it converged, as rounding, or a kink "
            f"as relu has, leaves no further progress ({stop.message}): the gradient's "
            f"largest entry is {stop.slope:.1e}, tol={solver.tol:g}. Increase `tol`"
            f"{_where_float32(member)} or scale the data."
        )


def _where(solver, history):
    if not solver.stochastic:
        return f"iteration {history.n_iter + 1}"
    return (
        f"epoch {history.n_iter + 1}, at a learning rate of {solver.learning_rate_:g}"
    )


def _where_float32(member):
    is_single = member.parameters.weights[0].dtype == np.float32
    return ", pass X of float64" if is_single else ""


def _warn(message):
    warnings.warn(message, ConvergenceWarning, stacklevel=3)
