"""Trains estimators' networks, from data and parameters."""

import copy
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.utils import check_random_state

from .._network.batches import Batches, GroupedBatches, Shuffle
from .._network.constant import best_logits, loss_of_best_constant
from .._network.layers import Dropout, dropout_rates
from .._network.network import Network, initialize
from .._network.objective import Objective
from .._network.parameters import Parameters
from .._network.rows import Rows
from .._network.threads import BLAS_THREADS_PAY, limited_threads
from .._network.warning import warn
from .._solvers import FULL_BATCH_SOLVERS, RULES
from .._solvers.epochs import run_epochs
from .._solvers.minibatch import MinibatchSolver
from .._solvers.rules import Rule
from .._solvers.schedules import SCHEDULES, Schedule
from .._solvers.stack import MovingAverage
from .._solvers.training import History, Reporter, Training, stack_weights
from .architecture import is_stochastic, with_parameters
from .devices import device_of
from .early_stopping import HeldOut, hold_out
from .results import Trained


@dataclass
class TrainingData:
    """The data that networks of one kind are trained on.

    Parameters
    ----------
    network : Network
        Shape, activations, output and loss of the networks.

    rows : Rows
        The rows, their targets and weights.

    target_encoder : Labels or Numbers
        What the targets stand for.
    """

    network: Network
    rows: Rows
    target_encoder: object

    @cached_property
    def best_logits(self):
        """The logits of the best constant prediction, if the training starts there.

        None if it starts as MLPClassifier and MLPRegressor do.
        """
        if not self.network.loss.starts_at_constant:
            return None
        return best_logits(self.network, *self.rows.some_targets())

    @cached_property
    def loss_of_constant(self):
        """The mean loss of the best constant prediction."""
        return loss_of_best_constant(self.network, *self.rows.some_targets())

    def make_objective(self, alpha, parameters, dropout, n_threads):
        """J over the rows."""
        return Objective(self.network, alpha, parameters, dropout, n_threads)

    def make_batches(self, batch_size, shuffle, index):
        """Make the batches of all rows, or of the rows of an index."""
        return Batches(self.rows, self.network.output, batch_size, shuffle, index)


@dataclass
class Draws:
    """Sources of a training's random numbers.

    Networks on the same data share them if all have one seed or rows are not shuffled.

    Parameters
    ----------
    shuffle : Shuffle
        The order of the rows.

    dropout : Dropout or None
        Draws the masks; None without dropout.

    held_out : tuple of two ndarray or None
        Numbers of the training rows and of the validation rows; None without early
        stopping.
    """

    shuffle: Shuffle
    dropout: Dropout | None
    held_out: tuple | None


def make_solver(estimator):
    """The solver that an estimator's parameters describe."""
    solver = estimator.solver
    if not is_stochastic(solver):
        return with_parameters(FULL_BATCH_SOLVERS[solver], estimator)
    if isinstance(solver, Rule):
        rule = copy.deepcopy(solver)
    else:
        rule = with_parameters(RULES[solver], estimator)
    schedule = make_schedule(estimator, rule)
    schedule.start(estimator.learning_rate_init)
    return with_parameters(MinibatchSolver, estimator, rule, schedule)


def make_schedule(estimator, rule):
    """The schedule of the learning rate that an estimator's parameters describe."""
    name = estimator.learning_rate
    if isinstance(name, Schedule):
        return copy.deepcopy(name)
    if name in rule.ignored_schedules:
        name = "constant"
    return with_parameters(SCHEDULES[name], estimator)


def initial_parameters(estimator, data, random_state, n_codes=0, n_levels=0):
    """Draw initial weights, in float64 for data of any precision.

    The last inputs are `n_levels` levels of `n_codes` columns. For the bounds of the
    weights, a column of codes counts as a single input: a row has one of its levels.
    The weights of levels begin at 0, so that a level without rows in the training adds
    nothing, like an unseen level.
    """
    network = data.network
    first, *others = network.layer_units
    n_numbers = first - n_levels
    names = [activation.name for activation in network.activations]
    # Without hidden layers the name counts too, as it does in MLPClassifier.
    given = estimator.activation
    last = names[-1:] or [given if isinstance(given, str) else "identity"]
    coefs, intercepts, input_intercept = initialize(
        random_state,
        [n_numbers + n_codes, *others],
        names + last,
        estimator.weight_init,
        input_intercept=network.input_activation is not None,
    )
    if data.best_logits is not None:
        intercepts[-1][:] = data.best_logits
    coefs[0] = coefs[0][:n_numbers]
    return Parameters.from_coefs(coefs, intercepts, input_intercept, n_levels)


def new_history(estimator):
    """An empty history, of validation scores with early stopping, else of losses."""
    if estimator.early_stopping and is_stochastic(estimator.solver):
        return History(
            best_loss=None, validation_scores=[], best_validation_score=-np.inf
        )
    return History()


def train(estimators, data_of, trainings=None, reporters=None):
    """Train networks as one stack, from new or from given weights.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        Estimators with the parameters. With a full-batch solver a single one, else
        estimators of one stack, see ``_search.stacking.stack_key``.

    data_of : list of TrainingData
        The network and the rows of each estimator. Estimators with the same data follow
        each other. With early stopping, all have the same data, and a part of the rows
        is held out.

    trainings : list of Training or None, default=None
        The training of each estimator, at the weights where it begins; None for new
        weights.

    reporters : list of Reporter or None, default=None
        Report the training of each estimator; None to print if it is `verbose`.

    Returns
    -------
    trained : list of Trained
        In the order of the estimators.

    Raises
    ------
    ValueError
        If the objective is not finite at the initial weights, or there are too few
        rows for early stopping.
    """
    sources = [check_random_state(e.random_state) for e in estimators]
    if trainings is None:
        trainings = [
            Training(make_solver(e), new_history(e), [initial_parameters(e, d, source)])
            for e, d, source in zip(estimators, data_of, sources, strict=True)
        ]
    if reporters is None:
        reporters = [Reporter(estimator.verbose) for estimator in estimators]
    for training, reporter in zip(trainings, reporters, strict=True):
        training.reporter = reporter

    def make_draws(i):
        return _draws(estimators[i], trainings[i], data_of[i], sources[i])

    draws = _shared_draws(estimators, data_of, make_draws)
    return _run(estimators, data_of, trainings, draws)


def train_further(estimators, data_of, paused):
    """Continue the training of networks that have stopped at `max_iter`.

    The weights are those of a training with the new `max_iter` from the beginning: up
    to rounding for minibatch solvers, roughly for full-batch solvers, as SciPy does not
    return its history of earlier iterations. Earlier results become invalid.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        The estimators, which form one stack: they have one key, see
        ``_search.stacking.stack_key``, but may come from several stacks. Their
        `max_iter` counts from the beginning.

    data_of : list of TrainingData
        The data that each has been trained on.

    paused : list of (Training, Draws)
        The trainings, which are overwritten, and their sources of random numbers.

    Returns
    -------
    trained : list of Trained
        In the order of the estimators.
    """
    trainings = [training for training, _ in paused]
    for training in trainings:
        training.solver.max_iter, training.stop = estimators[0].max_iter, None

    # Copied, as networks in other stacks may continue with the same sources. Networks
    # of other stacks with the same seed have drawn the same numbers.
    def copy_draws(i):
        return copy.deepcopy(paused[i][1])

    draws = _shared_draws(estimators, data_of, copy_draws)
    return _run(estimators, data_of, trainings, draws)


def _shared_draws(estimators, data_of, make_draws):
    """A Draws for each network; ``make_draws(i)`` makes that of the i-th network.

    Networks that share it have that of the first of them.
    """
    seeds = {estimator.random_state for estimator in estimators}
    are_shared = len(seeds) == 1 or not estimators[0].shuffle
    draws = {}
    keys = [id(data) if are_shared else i for i, data in enumerate(data_of)]
    for i, key in enumerate(keys):
        if key not in draws:
            draws[key] = make_draws(i)
    return [draws[key] for key in keys]


def _run(estimators, data_of, trainings, draws):
    """Train the networks, which draw from `draws`: a Draws for each, maybe the same."""
    # The networks of a stack have most parameters in common, see `stack_key`.
    lead, solver, data = estimators[0], trainings[0].solver, data_of[0]
    device = device_of(lead)
    device.check(solver, data.network, data.rows)
    parameters = stack_weights(trainings, dtype=solver.dtype or data.rows.dtype)
    alphas = [estimator.alpha for estimator in estimators]
    blas_threads_pay = _blas_threads_pay(solver, parameters, data_of)
    threads = nullcontext(1) if blas_threads_pay else limited_threads()
    with np.errstate(all="ignore"), threads as n_threads:
        n_threads = 1 if solver.stochastic else n_threads
        objective = data.make_objective(alphas, parameters, draws[0].dropout, n_threads)
        if solver.stochastic:
            stack = _make_stack(device, data_of, trainings, draws, objective)
            run_epochs([stack], trainings)
        else:
            solver.minimize(objective, data.rows.for_products(), trainings[0])
    return [
        _trained(*network) for network in zip(data_of, trainings, draws, strict=True)
    ]


def _make_stack(device, data_of, trainings, draws, objective):
    """The stack of networks, with its batches."""
    solvers = [training.solver for training in trainings]
    lead, data, judge, index = solvers[0], data_of[0], None, None
    n_rows = max(data.rows.n_rows for data in data_of)
    if draws[0].held_out is not None:
        index, others = draws[0].held_out
        n_rows = len(index)
        judge = HeldOut(data, others)
    if lead.batch_size != "auto" and lead.batch_size > n_rows:
        warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going "
            "to be clipped"
        )
    batch_size = lead.n_batch_rows(n_rows)
    # Networks with the same draws share the rows and their order.
    groups = {id(d): (d, data.rows) for d, data in zip(draws, data_of, strict=True)}
    shuffles = [d.shuffle for d, _ in groups.values()] if lead.shuffle else []
    if len(groups) > 1:
        numbers = {key: number for number, key in enumerate(groups)}
        batches = GroupedBatches(
            [rows for _, rows in groups.values()],
            data.network.output,
            batch_size,
            shuffles,
            [numbers[id(d)] for d in draws],
        )
    else:
        batches = data.make_batches(batch_size, *shuffles or [None], index)
    average = None
    if lead.average_epochs > 0:
        n_averaged, begin = trainings[0].n_averaged, objective.parameters
        if n_averaged > 0:
            begin = stack_weights(trainings, "judged", begin.dtype)
        average = MovingAverage(
            begin, lead.average_epochs, batches.n_batches, n_averaged
        )
    return device.make_stack(None, objective, solvers, batches, average, judge)


def _blas_threads_pay(solver, parameters, data_of):
    """Whether the BLAS keeps its threads: in minibatches with a large product.

    The first product is taken as the largest one. SciPy computes it for sparse rows, by
    itself.
    """
    if not solver.stochastic:
        return False
    first, *others = parameters.weights
    # Each data set has a product of its own.
    largest = first.size // len(set(map(id, data_of)))
    if data_of[0].rows.is_sparse:
        largest = max((weights[0].size for weights in others), default=0)
    n_rows = max(data.rows.n_rows for data in data_of)
    return solver.n_batch_rows(n_rows) * largest >= BLAS_THREADS_PAY


def _draws(estimator, training, data, random_state):
    """Make the sources of a training's random numbers, after the initial weights."""
    held_out = None
    if estimator.early_stopping and training.solver.stochastic:
        held_out = hold_out(data.rows, estimator.validation_fraction, random_state)
    dropout = None
    rates = dropout_rates(estimator.dropout, len(data.network.activations))
    if any(rates) and training.solver.stochastic:
        # With the samples seen in the seed, as each partial_fit begins with the same
        # state: under the same masks some units would never be trained.
        seed = [random_state.randint(2**31 - 1), training.history.t % 2**32]
        dropout = Dropout(rates, np.random.RandomState(seed))
    return Draws(Shuffle(random_state), dropout, held_out)


def _trained(data, training, draws):
    """The result of a training.

    Raises
    ------
    ValueError
        If the objective was not finite at the initial weights.
    """
    if training.stop.reason == "diverged" and training.history.n_fun == 0:
        raise ValueError(
            "The loss or its gradient is not finite at the initial weights. The input "
            "data, X or y, may contain large values and need to be preprocessed, for "
            "example by StandardScaler, and TransformedTargetRegressor for y; or use a "
            "smaller `weight_init` or `alpha`."
        )
    (parameters,) = training.final_weights
    # A solver may have evaluated in another precision than that of the rows.
    dtype = data.rows.dtype
    if parameters.dtype != dtype:
        with np.errstate(over="ignore"):
            parameters = parameters.copy(dtype)
    if not np.isfinite(parameters.flat).all():
        raise ValueError(
            f"The weights are too large for {dtype}, the precision of X. Pass X of "
            "float64, or use a smaller `weight_init`."
        )
    return Trained(data, parameters, training, draws)
