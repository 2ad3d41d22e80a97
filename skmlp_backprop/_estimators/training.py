"""One training: from data and parameters, through a solver, to what is fitted."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from .._network.constant import best_logits, least_loss, mean_loss
from .._network.dropout import Dropout, dropout_rates
from .._network.groups import GroupedRows
from .._network.inference import compute_logits
from .._network.initialization import initialize
from .._network.network import Network
from .._network.objective import BLOCK_ROWS, Objective
from .._network.parameters import Parameters
from .._network.rows import Rows, Selection
from .._network.threads import BLAS_THREADS_PAY, training_threads
from .._solvers import SOLVERS
from .._solvers.epochs import Epochs
from .._solvers.grouped_epochs import GroupedEpochs
from .._solvers.history import PUBLIC_HISTORY, History
from .._solvers.in_training import NetworkInTraining
from .._solvers.monitor import Monitor
from .._solvers.problem import Problem
from .._solvers.shuffle import Shuffle
from .architecture import init_activations
from .codecs import Numbers


@dataclass
class TrainingData:
    """What estimators of one kind of network are trained on.

    Parameters
    ----------
    network : Network
        Their networks' shape, activations, output and loss.

    rows : Rows
        The rows, their targets and weights.

    codec : Labels or Numbers
        What the targets stand for.

    make_epochs : callable, default=Epochs
        Makes what cuts the rows into batches, of :class:`Epochs`'s arguments.
    """

    network: Network
    rows: Rows
    codec: object
    make_epochs: Callable = Epochs

    @cached_property
    def best_logits(self):
        """The logits of the best constant prediction, where a training starts from it.

        None where it starts as those of MLPClassifier and MLPRegressor.
        """
        if not self.network.loss.starts_at_constant:
            return None
        return best_logits(self.network, *self.rows.some_targets())

    @cached_property
    def loss_of_constant(self):
        """The mean loss of the best constant prediction."""
        return least_loss(self.network, *self.rows.some_targets())

    def split(self, of_networks):
        """Pairs of a data set, and what there is of the networks it is for."""
        return [(self, of_networks)]


class GroupedData:
    """Several data sets, each for some of the networks of a stack.

    Parameters
    ----------
    data_sets : list of TrainingData
        Of one kind of network, with dense rows without weights.

    n_networks : list of int
        The number of networks that each is for, one after the other.
    """

    make_epochs = GroupedEpochs

    def __init__(self, data_sets, n_networks):
        self.data_sets = data_sets
        self.network = data_sets[0].network
        group_of = np.repeat(np.arange(len(data_sets)), n_networks)
        self.rows = GroupedRows([data.rows for data in data_sets], group_of)
        self._edges = np.cumsum([0, *n_networks]).tolist()

    def split(self, of_networks):
        """Pairs of a data set, and what there is of the networks it is for."""
        parts = [of_networks[slice(*edge)] for edge in pairwise(self._edges)]
        return list(zip(self.data_sets, parts, strict=True))


@dataclass
class State:
    """What a training goes on from.

    Parameters
    ----------
    parameters : Parameters
        The weights of one network.

    history : History
        How the training went so far; written to.
    """

    parameters: Parameters
    history: History


@dataclass
class Draws:
    """Where a training's random draws come from; one for all networks of one seed.

    Parameters
    ----------
    shuffle : Shuffle
        The order of the rows.

    dropout : RandomState or None
        Source of the masks; None where there is no dropout.

    held_out : tuple of two ndarray or None
        Numbers of the rows to train on, and of those to stop by; None where there is
        no early stopping.
    """

    shuffle: Shuffle
    dropout: np.random.RandomState | None
    held_out: tuple | None


@dataclass
class Trained:
    """What a training has made of an estimator's network.

    Parameters
    ----------
    data : TrainingData
        What it was trained on.

    parameters : Parameters
        The final weights, in the precision of the rows.

    member : NetworkInTraining
        The network as the solver has left it, from where :func:`go_on` can go on.

    draws : Draws
        Where its draws came from, as the training has left them.
    """

    data: TrainingData
    parameters: Parameters
    member: NetworkInTraining
    draws: Draws

    @property
    def history(self):
        """How it went."""
        return self.member.history

    @property
    def solver(self):
        """The solver, with what it has left for a training that goes on."""
        return self.member.solver

    @property
    def stop(self):
        """Why it ended."""
        return self.member.stop

    @property
    def remedy(self):
        """What to do where nothing was learned."""
        is_short = self.stop.reason == "max_iter"
        are_numbers = isinstance(self.data.codec, Numbers)
        first = "Increase `max_iter`, scale" if is_short else "Scale"
        of_y = ", y by TransformedTargetRegressor," if are_numbers else ""
        return (
            f"{first} X by StandardScaler{of_y} or take another `learning_rate_init`."
        )

    def mean_loss(self, alpha):
        """The mean loss of all rows, without the penalty."""
        rows = self.data.rows
        if isinstance(rows, Rows):
            with np.errstate(all="ignore"):
                return mean_loss(self.data.network, self.parameters, rows)
        # At workers: that of the last iteration.
        squares = sum(float(np.vdot(w, w)) for w in self.parameters.weights)
        share = self.solver.n_batch_rows(rows.n_rows) / rows.n_rows
        return self.history.loss - alpha / (2 * rows.weight_sum * share) * squares

    def attributes(self):
        """The attributes that make the estimator a fitted one."""
        network, codec = self.data.network, self.data.codec
        attributes = fitted_attributes(network, codec, self.history, self.parameters)
        return {**attributes, "_optimizer": self.solver}


def fitted_attributes(network, codec, history, parameters):
    """The attributes of an estimator with a network of given weights."""
    coefs, intercepts, input_intercept = parameters.view_coefs(0)
    public = {
        **codec.fitted_attributes(),
        "coefs_": coefs,
        "intercepts_": intercepts,
        "input_intercept_": input_intercept,
        "n_layers_": len(network.layer_units),
        "n_outputs_": network.output.n_outputs,
        "out_activation_": network.output.name,
    }
    for name in PUBLIC_HISTORY:
        public[f"{name}_"] = getattr(history, name)
    return {**public, "_codec": codec, "_history": history, "_network": network}


def make_solver(estimator):
    """The solver that an estimator's parameters describe."""
    solver = SOLVERS[estimator.solver]
    return solver(
        **{name: getattr(estimator, name) for name in solver.hyper_parameters}
    )


def initial_parameters(estimator, data, random_state):
    """Draw initial weights, in float64, whatever the data's precision."""
    network = data.network
    names = [activation.name for activation in network.activations]
    coefs, intercepts, input_intercept = initialize(
        random_state,
        network.layer_units,
        init_activations(estimator, names),
        estimator.weight_init,
        input_intercept=network.input_activation is not None,
    )
    if data.best_logits is not None:
        intercepts[-1][:] = data.best_logits
    return Parameters.view_coefs_of(coefs, intercepts, input_intercept)


def new_history(estimator):
    """An empty history; with early stopping one of scores in place of losses."""
    if estimator.early_stopping and SOLVERS[estimator.solver].stochastic:
        return History(
            best_loss=None, validation_scores=[], best_validation_score=-np.inf
        )
    return History()


def train(
    estimators,
    data,
    states=None,
    solvers=None,
    reporters=None,
    make_objective=Objective,
):
    """Train networks as one stack, from new weights or on from given ones.

    Nothing is set: what has come of each is returned.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        Their parameters are read. With a full-batch solver just one; else those of a
        stack, see ``_search.stacking.stack_key``.

    data : TrainingData or GroupedData
        The network and the rows. Where there is early stopping, part of the rows is
        held out.

    states : list of State or None, default=None
        What each goes on from; None for new weights.

    solvers : list of FullBatchSolver or of MinibatchSolver or None, default=None
        The solver of each; None for those that the parameters describe.

    reporters : list of CallbackReporter or None, default=None
        What reports each one's iterations to its callbacks; None for no callbacks.

    make_objective : callable, default=Objective
        Makes what the solver minimises, of :class:`Objective`'s arguments.

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
    random_states = [check_random_state(e.random_state) for e in estimators]
    if states is None:
        states = _new_states(estimators, data, random_states)
    members = _members(estimators, states, solvers, reporters)
    networks = list(zip(estimators, members, random_states, strict=True))
    draws = [
        one for part, some in data.split(networks) for one in _all_draws(some, part)
    ]
    return _run(estimators, data, members, draws, make_objective)


def go_on(estimators, data, paused, max_iter):
    """Train networks that have stopped at `max_iter` on, up to a larger one.

    They end as they would have ended with that one from the beginning: to rounding;
    with a full-batch solver, whose memory of earlier iterations SciPy does not hand
    out, only nearly. What earlier results say of them is not true any more.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier or of BackpropMLPRegressor
        Those whose training goes on, as one stack: of one key, see
        ``_search.stacking.stack_key``, but from any stacks.

    data : TrainingData or GroupedData
        What they have been trained on.

    paused : list of (NetworkInTraining, Draws)
        Where each stands. The networks are overwritten.

    max_iter : int
        The new cap on epochs, or iterations, since the beginning.

    Returns
    -------
    trained : list of Trained
        In the order of the estimators.
    """
    members = [member for member, _ in paused]
    for member in members:
        member.go_on(max_iter)
    # Copied one by one, as others in any stack may go on with the same ones. Those of
    # other stacks with the same seed have made the same draws.
    draws = [draws for _, draws in paused]
    if _have_one_order(estimators):
        parts = [some for _, some in data.split(draws)]
        draws = [one for some in parts for one in [copy.deepcopy(some[0])] * len(some)]
    else:
        draws = [copy.deepcopy(one) for one in draws]
    return _run(estimators, data, members, draws)


def _run(estimators, data, members, draws, make_objective=Objective):
    """Train networks from where they are; the parameters are those of :func:`train`."""
    lead, solver, network = estimators[0], members[0].solver, data.network
    rows = data.rows.for_batches() if solver.stochastic else data.rows.for_products()
    validation_score = None
    if draws[0].held_out is not None:
        rows, held_out = (Selection(rows, index) for index in draws[0].held_out)
        validation_score = _ValidationScore(network, data.codec, held_out)
    dtype = solver.arithmetic_dtype(data.rows.dtype)
    stack = Parameters.copied_to_stack([member.weights for member in members], dtype)
    blas_threads_pay = solver.stochastic and (
        solver.n_batch_rows(rows.n_rows) * _largest_of_blas(stack, data.rows)
        >= BLAS_THREADS_PAY
    )
    with np.errstate(all="ignore"), training_threads(blas_threads_pay) as n_threads:
        objective = make_objective(
            network,
            [estimator.alpha for estimator in estimators],
            dtype,
            n_stack=len(estimators),
            dropout=_make_dropout(lead, network, draws[0]),
            n_threads=1 if solver.stochastic else n_threads,
        )
        shuffles = [one.shuffle for one in draws]
        if _have_one_order(estimators):
            shuffles = [some[0] for _, some in data.split(shuffles)]
        problem = Problem(objective, rows, shuffles, validation_score, data.make_epochs)
        solver.solve(problem, stack, members)
    networks = list(zip(members, draws, strict=True))
    return [_result(*one, part) for part, some in data.split(networks) for one in some]


def _largest_of_blas(stack, rows):
    """Multiplications, for each row, of the product that BLAS threads are kept for.

    That is the first one, save with sparse rows, which SciPy multiplies by itself.
    """
    if not rows.is_sparse:
        return stack.first_weights.size
    return max((weights[0].size for weights in stack.weights[1:]), default=0)


def _new_states(estimators, data, random_states):
    """New weights and histories."""
    networks = list(zip(estimators, random_states, strict=True))
    return [
        State(initial_parameters(estimator, part, source), new_history(estimator))
        for part, some in data.split(networks)
        for estimator, source in some
    ]


def _members(estimators, states, solvers, reporters):
    """The networks as the solvers know them."""
    if solvers is None:
        solvers = [make_solver(estimator) for estimator in estimators]
    if reporters is None:
        reporters = [None] * len(estimators)
    return [
        NetworkInTraining(
            solver,
            state.history,
            Monitor(estimator.verbose, reporter),
            state.parameters,
        )
        for estimator, state, solver, reporter in zip(
            estimators, states, solvers, reporters, strict=True
        )
    ]


def _have_one_order(estimators):
    """Whether one order of the rows will do: there is none, or the same for all."""
    seeds = {estimator.random_state for estimator in estimators}
    return len(seeds) == 1 or not estimators[0].shuffle


def _all_draws(networks, data):
    """What the trainings draw from, the first network's for all where one will do."""
    estimators, members, random_states = zip(*networks, strict=True)
    draws = [_draws(estimators[0], members[0], data, random_states[0])]
    if _have_one_order(estimators):
        return draws * len(estimators)
    # They have no dropout and hold nothing out.
    return draws + [Draws(Shuffle(other), None, None) for other in random_states[1:]]


def _draws(estimator, member, data, random_state):
    """What a network's training draws from, after its weights."""
    held_out = None
    if estimator.early_stopping and member.solver.stochastic:
        held_out = _hold_out(
            data.rows, estimator.validation_fraction, data.codec, random_state
        )
    dropout = None
    rates = dropout_rates(estimator.dropout, len(data.network.activations))
    if any(rates) and member.solver.stochastic:
        # With the samples seen in the seed, as each partial_fit begins with the same
        # state: under the same masks some units would never be trained.
        seed = [random_state.randint(2**31 - 1), member.history.t % 2**32]
        dropout = np.random.RandomState(seed)
    return Draws(Shuffle(random_state), dropout, held_out)


def _make_dropout(estimator, network, draws):
    if draws.dropout is None:
        return None
    rates = dropout_rates(estimator.dropout, len(network.activations))
    return Dropout(rates, draws.dropout)


class _ValidationScore:
    """Score of given weights on held-out rows.

    Parameters
    ----------
    network : Network
        The network.

    codec : Labels or Numbers
        What the targets stand for; it knows the score.

    selection : Selection
        The held-out rows.
    """

    def __init__(self, network, codec, selection):
        self.network = network
        self.codec = codec
        self.selection = selection
        rows, index = selection.rows, selection.index
        self.targets = rows.targets[index]
        self.weights = None if rows.weights is None else rows.weights[index]

    def __call__(self, parameters):
        logits = [
            compute_logits(self.network, parameters, block.X)
            for block in self.selection.blocks(BLOCK_ROWS)
        ]
        return self.codec.score(
            self.network, np.concatenate(logits), self.targets, self.weights
        )


def _hold_out(rows, fraction, codec, random_state):
    """Split a share of the rows off, stratified wherever the classes permit it.

    At least two rows are held out. Rows of weight zero are as good as absent: they
    are on neither side.

    Returns
    -------
    train_index, held_out_index : ndarray, int
        Numbers of the rows on each side.
    """
    index, n_held_out = check_hold_out(rows, fraction)
    n_left = len(index) - n_held_out
    stratify = codec.strata(rows.targets[index])
    if stratify is not None:
        counts = np.bincount(stratify)
        counts = counts[counts > 0]
        if counts.min() < 2 or min(n_held_out, n_left) < len(counts):
            stratify = None
    return train_test_split(
        index, random_state=random_state, test_size=n_held_out, stratify=stratify
    )


def check_hold_out(rows, fraction):
    """Check that some rows are left where a share of them is held out.

    Returns
    -------
    index : ndarray of shape (n_rows_of_weight,), int
        Numbers of the rows that have a weight.

    n_held_out : int
        How many of them are to be held out.

    Raises
    ------
    ValueError
        If none would be left.
    """
    index = np.arange(rows.n_rows)
    if rows.weights is not None:
        index = index[rows.weights > 0]
    n_held_out = max(2, int(np.ceil(fraction * len(index))))
    if n_held_out >= len(index):
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' "
            f"or the size of your dataset; got n_samples={len(index)}."
        )
    return index, n_held_out


def _result(member, draws, data):
    """What has come of a network in training.

    Raises
    ------
    ValueError
        If its objective was not finite at the initial weights.
    """
    if member.stop.reason == "diverged" and member.history.n_fun == 0:
        raise ValueError(
            "The loss or its gradient is not finite at the initial weights. The input "
            "data, X or y, may contain large values and need to be preprocessed, for "
            "example by StandardScaler, and TransformedTargetRegressor for y; or use a "
            "smaller `weight_init` or `alpha`."
        )
    parameters = member.final_weights
    # A solver may have evaluated in another precision than that of the rows.
    dtype = data.rows.dtype
    if parameters.flat.dtype != dtype:
        with np.errstate(over="ignore"):
            parameters = parameters.copy(dtype)
    if not np.isfinite(parameters.flat).all():
        raise ValueError(
            f"The weights are too large for {dtype}, the precision of X. Pass X of "
            "float64, or use a smaller `weight_init`."
        )
    return Trained(data, parameters, member, draws)
