"""The training of an ensemble on encoded rows."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import effective_n_jobs
from scipy.optimize import minimize_scalar
from sklearn.utils import check_random_state

from .._estimators.devices import Cpu, device_of
from .._estimators.training import TrainingData, initial_parameters, make_solver
from .._network.batches import Shuffle, WithholdingBatches
from .._network.dropout import Dropout, dropout_rates
from .._network.inference import compute_logits
from .._network.objective import Objective
from .._network.parameters import Parameters
from .._network.threads import training_threads
from .._solvers.averaging import MovingAverage
from .._solvers.epochs import run_epochs
from .._solvers.history import History
from .._solvers.minibatch import MinibatchSolver
from .._solvers.stack import ScaledInputStack
from .._solvers.training import Reporter, Training
from .processes import Processes


@dataclass
class TrainedEnsemble:
    """A trained ensemble.

    Parameters
    ----------
    training : Training
        The training of the networks, with their weights in the best epoch.

    ensemble : Ensemble
        What the networks have in common.

    paused : PausedEnsemble or None
        What the training can be continued from, if that is wanted.
    """

    training: Training
    ensemble: "Ensemble"
    paused: "PausedEnsemble | None"

    # The end of the warning that the ensemble is useless.
    remedy = (
        "The columns may be unrelated to y, or the table may have too few rows. "
        "Otherwise change `learning_rate_init`."
    )

    @property
    def data(self):
        """The training data."""
        return self.ensemble.data

    def mean_loss(self, alpha):
        """Mean loss of the left-out rows in the best epoch; 0 for a constant y."""
        if self.data.loss_of_constant == 0:
            return 0.0
        return -self.training.history.best_validation_score


@dataclass
class PausedEnsemble:
    """The state of an ensemble after its training, without the rows.

    Parameters
    ----------
    training : Training
        The training of the networks.

    shuffle : Shuffle
        Draws the order of the rows.

    fold_source : RandomState
        The source of the folds before they were drawn: the same targets get the same
        folds again.

    members_of_stacks : list of ndarray
        Indices of the networks of each stack.

    states : list of dict
        The state of each stack.
    """

    training: Training
    shuffle: Shuffle
    fold_source: np.random.RandomState
    members_of_stacks: list
    states: list

    def networks(self):
        """The latest weights of the networks, in order."""
        return [w for state in self.states for w in state["parameters"].networks()]

    def resume(self, solver, n_rows):
        """Make the training go on with a solver, unless its `max_iter` is reached.

        Returns
        -------
        training : Training
            The training. Its `stop` is None if it goes on.

        shuffle : Shuffle
            Draws the order of the rows.
        """
        training, shuffle = self.training, self.shuffle
        training.solver = solver
        training.weights = self.networks()
        if training.history.n_iter < solver.max_iter:
            training.stop = None
        if shuffle.order is not None and len(shuffle.order) != n_rows:
            shuffle.order = None
        return training, shuffle


# Each network leaves one of these folds of the rows out of its training.
N_FOLDS = 8
# Limits of the temperature, and of the rows that it is found by.
_MOST_TEMPERATURE = 5
_MOST_ROWS_OF_TEMPERATURE = 2**14
# A further thread pays if its step has this many multiplications in the forward pass.
# In shorter steps, threads wait too long for the interpreter's lock (benchmarks:
# tables).
_THREAD_PAYS = 2**23
# More threads wait longer for the interpreter's lock than they save: on 16 cores a fit
# of 10000 x 30 takes 2.3 s with one thread, 1.5 s with two or four, 1.9 s with eight.
_MAX_THREADS = 4
# Processes pay if there are at least as many, and an epoch has this many
# multiplications in the forward pass: it then takes more than half a second on a core,
# and the processes take two or three to start. On two cores, two threads are as fast as
# two processes (benchmarks: large_tables).
_PROCESSES_PAY = 8e9


def train_ensemble(
    member,
    n_members,
    data,
    make_reporter=None,
    n_jobs=None,
    data_val=None,
    paused=None,
    pauses=False,
):
    """Train the networks of an ensemble on the same batches.

    Parameters
    ----------
    member : BackpropMLPClassifier or BackpropMLPRegressor
        Holds the parameters of the networks. All networks draw from its random state.

    n_members : int
        Number of networks.

    data : TrainingData
        The architecture of the networks, and the rows.

    make_reporter : callable or None, default=None
        Given the Ensemble, makes the CallbackReporter that reports the epochs.

    n_jobs : int or None, default=None
        Number of cores; None for as many as shorten the training.

    data_val : TrainingData or None, default=None
        The validation rows. None lets each network leave out a fold of the rows.

    paused : PausedEnsemble or None, default=None
        The training to continue, up to the `max_iter` of `member` in total; it is not
        changed. None for a new training.

    pauses : bool, default=False
        Whether the training can be continued later. Its state takes several times the
        memory of the weights.

    Returns
    -------
    trained : TrainedEnsemble
        The trained ensemble.
    """
    rows, solver = data.rows, make_solver(member)
    if paused is None:
        random_state = check_random_state(member.random_state)
        networks = [
            _initial_parameters(member, data, random_state).copy(rows.dtype)
            for _ in range(n_members)
        ]
        fold_source = copy.deepcopy(random_state)
    else:
        # Copied, so that an error leaves the earlier state as it is.
        paused = copy.deepcopy(paused)
        networks = paused.networks()
        fold_source = paused.fold_source
        random_state = copy.deepcopy(fold_source)
    ensemble = _make_ensemble(member, n_members, data, data_val, solver, random_state)
    if paused is None:
        history = History(validation_scores=[], best_validation_score=-np.inf)
        training, shuffle = Training(solver, history, networks), None
    else:
        training, shuffle = paused.resume(solver, rows.n_rows)
        _rate_anew(training, ensemble)
    shuffle = shuffle or Shuffle(random_state)
    if make_reporter is None:
        training.reporter = Reporter(member.verbose)
    else:
        training.reporter = make_reporter(ensemble)
    row_size = _row_size(networks, rows.X)
    with np.errstate(all="ignore"), training_threads() as n_cores:
        n_stacks, in_processes = _share_out(
            ensemble.device.n_jobs(n_jobs),
            n_cores,
            n_members,
            solver.n_batch_rows(rows.n_rows) * row_size,
            rows.n_rows * row_size,
        )
        if paused is None:
            members_of_stacks = np.array_split(np.arange(n_members), n_stacks)
        else:
            members_of_stacks = paused.members_of_stacks
        workers = None
        if in_processes:
            workers = Processes(ensemble, len(members_of_stacks))
        stacks = [
            ensemble.make_stack(members, [networks[i] for i in members], [shuffle])
            for members in members_of_stacks
        ]
        if paused is not None:
            for stack, state in zip(stacks, paused.states, strict=True):
                stack.set_state(state)
        if training.stop is None:
            run_epochs(stacks, [training], workers)
    if not pauses:
        return TrainedEnsemble(training, ensemble, None)
    states = [stack.get_state() for stack in stacks]
    light = _without_rows(training)
    paused = PausedEnsemble(light, shuffle, fold_source, members_of_stacks, states)
    return TrainedEnsemble(training, ensemble, paused)


def _make_ensemble(member, n_members, data, data_val, solver, random_state):
    """Assign the folds, and gather what the networks have in common."""
    n_rows = data.rows.n_rows
    if data_val is None:
        n_folds = min(N_FOLDS, n_rows)
        folds = assign_folds(data.rows.targets, n_folds, random_state)
        left_out = np.arange(n_members) % n_folds
    else:
        folds, left_out = np.full(n_rows, -1), np.zeros(n_members, np.intp)
    device = device_of(member)
    device.check(solver, data.network, data.rows)
    return Ensemble(
        device=device,
        data=data,
        data_val=data_val,
        solver=solver,
        folds=folds,
        left_out=left_out,
        dropout=member.dropout,
        # Each stack draws the same masks, so that the number of stacks has no effect.
        mask_seed=random_state.randint(2**31 - 1),
    )


def _row_size(networks, X):
    """Multiplications of a row's forward passes through all networks."""
    weights = networks[0].weights
    size = sum(w.size for w in weights)
    # A column of codes costs about as much as 16 numbers.
    size += 16 * X.codes.shape[1] * weights[0].shape[1]
    return len(networks) * size


def _without_rows(training):
    """Copy a training without callbacks, which have the rows.

    It has no copies of the weights either, and nothing that `PausedEnsemble.resume`
    sets anew.
    """
    light = copy.copy(training)
    light.weights = light.judged = light.reporter = light.solver = None
    return light


@dataclass
class Ensemble:
    """What the networks of an ensemble have in common.

    Parameters
    ----------
    device : Cpu or TorchDevice
        Where the networks are trained.

    data : TrainingData
        The architecture of the networks, and the rows.

    data_val : TrainingData or None
        The validation rows, if there are such.

    solver : MinibatchSolver
        Trains the networks.

    folds : ndarray of shape (n_rows,), int
        The fold of each row; -1 for none.

    left_out : ndarray of shape (n_members,), int
        The fold that each network leaves out.

    dropout : float or sequence of float
        Rates of dropout.

    mask_seed : int
        Seed of the masks of dropout.
    """

    device: Cpu
    data: TrainingData
    data_val: TrainingData | None
    solver: MinibatchSolver
    folds: np.ndarray
    left_out: np.ndarray
    dropout: float | Sequence[float]
    mask_seed: int

    def make_stack(self, members, networks, shuffles=None):
        """Make a stack of some of the networks.

        Parameters
        ----------
        members : ndarray of shape (n_stack,), int
            Indices of the networks.

        networks : list of Parameters
            Their initial weights.

        shuffles : list of Shuffle or None, default=None
            Draw the order of the rows.

        Returns
        -------
        stack : ScaledInputStack
            The networks, on their batches.
        """
        network, rows, solver = self.data.network, self.data.rows, self.solver
        parameters = Parameters.stacked(networks)
        rates = dropout_rates(self.dropout, len(network.activations))
        random_state = np.random.RandomState(self.mask_seed)
        masks = Dropout(rates, random_state) if any(rates) else None
        n_batch_rows = solver.n_batch_rows(rows.n_rows)
        batches = WithholdingBatches(
            rows,
            network.output,
            n_batch_rows,
            shuffles,
            self.folds,
            self.left_out[members],
        )
        return self.device.make_stack(
            ScaledInputStack,
            Objective(network, 0, parameters, masks),
            [solver] * len(members),
            batches,
            MovingAverage(parameters, solver.average_epochs, batches.n_batches),
            self.make_judge(members),
        )

    def make_judge(self, members):
        """Make what validates some of the networks."""
        if self.data_val is None:
            return LeftOutRows(self.data, self.folds, self.left_out, members)
        # A single fold, which all networks leave out.
        folds = np.zeros(self.data_val.rows.n_rows, np.intp)
        return LeftOutRows(self.data_val, folds, np.zeros_like(self.left_out), members)

    def judge(self, networks):
        """Make what validates all networks, and the logits by which it does."""
        judge = self.make_judge(np.arange(len(networks)))
        return judge, [judge.predict(i, w) for i, w in enumerate(networks)]

    def calibrate(self, networks):
        """Divide the logits by the best temperature, and estimate the validation rows.

        Parameters
        ----------
        networks : list of Parameters
            The weights of the networks, which stay as they are.

        Returns
        -------
        networks : list of Parameters
            The weights of the calibrated networks.

        estimates : ndarray of shape (n_validation_rows, n_outputs)
            Their mean estimates of the rows that validate: probabilities or numbers.

        index : ndarray of shape (n_validation_rows,), int
            Numbers of these rows.
        """
        judge, logits = self.judge(networks)
        temperature = np.float32(judge.best_temperature(logits))
        networks = [weights.copy() for weights in networks]
        for weights in networks:
            weights.layers[-1] /= temperature
            # Without hidden layers, levels add to the logits themselves.
            if len(weights.layers) == 1 and weights.levels is not None:
                weights.levels /= temperature
        return networks, *judge.mean_estimates([z / temperature for z in logits])


def _rate_anew(training, ensemble):
    """Score the best weights so far on the present rows, which may be others."""
    history = training.history
    with np.errstate(all="ignore"):
        judge, logits = ensemble.judge(training.final_weights)
        score = judge.score(logits)
    if not np.isclose(score, history.best_validation_score, rtol=1e-6, atol=0):
        history.best_validation_score = score
        history.no_improvement_count = 0


def _share_out(n_jobs, n_cores, n_members, step_size, epoch_size):
    """Choose the number of stacks, and whether each has a process or a thread.

    Parameters
    ----------
    n_jobs : int or None
        The parameter of the estimator.

    n_cores : int
        Number of cores; 1 if the caller has limited the threads.

    n_members : int
        Number of networks.

    step_size, epoch_size : int
        Multiplications in the forward passes of a step and of an epoch.

    Returns
    -------
    n_stacks : int
        The number.

    in_processes : bool
        Whether each stack has a process.
    """
    n_most, n_threads = effective_n_jobs(n_jobs), n_cores
    if n_jobs is None and n_most == 1:
        n_most = n_cores
    else:
        n_threads = min(n_cores, n_most)
    # More processes than cores would wait for each other.
    n_most = min(n_most, effective_n_jobs(-1), n_members)
    if n_most >= _MAX_THREADS and epoch_size >= _PROCESSES_PAY:
        # As many networks in each, save for one.
        return -(-n_members // -(-n_members // n_most)), True
    n_paying = max(1, step_size // _THREAD_PAYS)
    return min(n_threads, _MAX_THREADS, n_members, n_paying), False


def _initial_parameters(member, data, random_state):
    """Draw the initial weights of a network, with levels if the rows have codes.

    For the bounds of its weights, a column of codes counts as a single input: a row has
    one of its levels. The weights of levels begin at 0, so that a level without rows in
    the training adds nothing, as an unseen one.
    """
    X = data.rows.X
    n_numbers, n_columns = X.numbers.shape[1], X.codes.shape[1]
    parameters = initial_parameters(
        member, data, random_state, n_inputs=n_numbers + n_columns
    )
    if n_columns == 0:
        return parameters
    (first, *coefs), intercepts, _ = parameters.to_coefs()
    levels = np.zeros((X.n_levels, first.shape[1]))
    first = np.concatenate([first[:n_numbers], levels])
    return Parameters.from_coefs([first, *coefs], intercepts, n_levels=X.n_levels)


class LeftOutRows:
    """Validates an ensemble: each network predicts the fold that it left out.

    So no row has to be set aside for validation alone, and no network is validated on
    its training rows.

    Parameters
    ----------
    data : TrainingData
        The architecture of the networks, and the rows.

    folds : ndarray of shape (n_rows,), int
        The fold of each row.

    left_out : ndarray of shape (n_members,), int
        The fold that each network leaves out.

    members : ndarray of shape (n_stack,), int
        Indices of the networks in this stack.
    """

    def __init__(self, data, folds, left_out, members):
        self.data = data
        self.folds = folds
        self.left_out = left_out
        self.members = members

    @property
    def rows(self):
        """All rows."""
        return self.data.rows

    def numbers(self, i):
        """Numbers of the rows that the i-th network of the stack left out."""
        return np.flatnonzero(self.folds == self.left_out[self.members[i]])

    def predict(self, i, parameters):
        """Logits of the i-th network of the stack for its left-out rows."""
        X = self.rows.X[self.numbers(i)]
        return compute_logits(self.data.network, parameters.view_coefs(), X)

    def score(self, logits):
        """Negative loss of all left-out rows, by the mean estimate of each row.

        A classifier is scored at its best temperature: a network that is overconfident
        may still learn to tell the classes apart, and calibration mends the rest.

        Parameters
        ----------
        logits : list of ndarray, of length n_members
            The results of :meth:`predict`, for all networks of the ensemble.

        Returns
        -------
        score : float
            The negative loss.

        References
        ----------
        Berta, E., Holzmüller, D., Jordan, M. and Bach, F. (2025). "Rethinking early
        stopping: Refine, then calibrate." arXiv:2501.19195.
        """
        return -self._loss(logits, self.best_temperature(logits))

    def best_temperature(self, logits):
        """Find the number from 1 to 5 to divide the logits by, for the least loss.

        References
        ----------
        Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. (2017). "On calibration of
        modern neural networks." ICML.
        """
        if not self.data.target_encoder.has_temperature:
            return 1.0
        # Some of many rows tell it well enough.
        step = -(-sum(map(len, logits)) // _MOST_ROWS_OF_TEMPERATURE)
        found = minimize_scalar(
            lambda inverse: self._loss(logits, 1 / inverse, step),
            bounds=(1 / _MOST_TEMPERATURE, 1),
            method="bounded",
            options={"xatol": 0.01},
        )
        # The method does not try a temperature of exactly 1.
        return 1 / found.x if found.fun < self._loss(logits, 1.0, step) else 1.0

    def _loss(self, logits, temperature, step=1):
        """The loss at a temperature, of every `step`-th row of each fold."""
        rows, target_encoder = self.data.rows, self.data.target_encoder
        some = [z[::step] / np.float32(temperature) for z in logits]
        means, index = self.mean_estimates(some, step)
        weights = None if rows.weights is None else rows.weights[index]
        if weights is not None and not weights.any():
            return 0.0
        return target_encoder.loss_of_estimates(
            self.data.network, means, rows.targets[index], weights
        )

    def mean_estimates(self, logits, step=1):
        """Average the estimates of the networks that left the same fold out.

        Returns
        -------
        means : ndarray of shape (n_left_out_rows, n_outputs)
            Probabilities or numbers.

        index : ndarray of shape (n_left_out_rows,), int
            Numbers of these rows, every `step`-th of each fold.
        """
        network, target_encoder = self.data.network, self.data.target_encoder
        estimates = [target_encoder.estimates(network.output, z) for z in logits]
        means, indices = [], []
        for fold in np.unique(self.left_out):
            members = np.flatnonzero(self.left_out == fold)
            means.append(np.mean([estimates[i] for i in members], axis=0))
            indices.append(np.flatnonzero(self.folds == fold)[::step])
        return np.concatenate(means), np.concatenate(indices)


def assign_folds(targets, n_folds, random_state):
    """Split the rows at random into folds of equal size, stratified by the targets.

    Parameters
    ----------
    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Codes of classes, or numbers. The first column stratifies.

    n_folds : int
        Number of folds.

    random_state : RandomState
        Source of the permutation.

    Returns
    -------
    folds : ndarray of shape (n_rows,), int
        The fold of each row.
    """
    n_rows = len(targets)
    order = random_state.permutation(n_rows)
    first_column = targets[order] if targets.ndim == 1 else targets[order, 0]
    order = order[np.argsort(first_column, kind="stable")]
    folds = np.empty(n_rows, np.intp)
    folds[order] = np.arange(n_rows) % n_folds
    return folds
