"""The training of an ensemble on encoded rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import effective_n_jobs
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
from .._solvers.training import Monitor, Training
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
    """

    training: Training
    ensemble: "Ensemble"

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


# Each network leaves one of these folds of the rows out of its training.
_N_FOLDS = 8
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
    member, n_members, data, make_reporter=None, n_jobs=None, data_val=None
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

    Returns
    -------
    trained : TrainedEnsemble
        The trained ensemble.
    """
    random_state = check_random_state(member.random_state)
    rows = data.rows
    networks = [
        _initial_parameters(member, data, random_state).copy(rows.dtype)
        for _ in range(n_members)
    ]
    solver = make_solver(member)
    if data_val is None:
        n_folds = min(_N_FOLDS, rows.n_rows)
        folds = assign_folds(rows.targets, n_folds, random_state)
        left_out = np.arange(n_members) % n_folds
    else:
        folds, left_out = np.full(rows.n_rows, -1), np.zeros(n_members, np.intp)
    device = device_of(member)
    device.check(solver, data.network, rows)
    ensemble = Ensemble(
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
    shuffles = [Shuffle(random_state)]
    history = History(validation_scores=[], best_validation_score=-np.inf)
    reporter = None if make_reporter is None else make_reporter(ensemble)
    training = Training(solver, history, Monitor(member.verbose, reporter), networks)
    # Multiplications of the forward pass of a row. A column of codes costs about as
    # much as 16 numbers.
    weights, n_code_columns = networks[0].weights, rows.X.codes.shape[1]
    row_size = sum(w.size for w in weights)
    row_size += 16 * n_code_columns * weights[0].shape[1]
    row_size *= n_members
    with np.errstate(all="ignore"), training_threads() as n_cores:
        n_stacks, in_processes = _share_out(
            device.n_jobs(n_jobs),
            n_cores,
            n_members,
            solver.n_batch_rows(rows.n_rows) * row_size,
            rows.n_rows * row_size,
        )
        workers = Processes(ensemble, n_stacks) if in_processes else None
        stacks = [
            ensemble.make_stack(members, [networks[i] for i in members], shuffles)
            for members in np.array_split(np.arange(n_members), n_stacks)
        ]
        run_epochs(stacks, [training], workers)
    return TrainedEnsemble(training, ensemble)


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

    def validation_estimates(self, networks):
        """Mean estimates of the rows that validate all networks.

        Parameters
        ----------
        networks : list of Parameters
            The weights of the networks.

        Returns
        -------
        estimates : ndarray of shape (n_validation_rows, n_outputs)
            Probabilities or numbers.

        index : ndarray of shape (n_validation_rows,), int
            Which rows these are.
        """
        judge = self.make_judge(np.arange(len(networks)))
        predictions = [judge.predict(i, w) for i, w in enumerate(networks)]
        return judge.mean_predictions(predictions)


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

    def of_logits(self, logits):
        """The estimates of a network with the given logits of these rows."""
        return self.data.target_encoder.estimates(self.data.network.output, logits)

    def predict(self, i, parameters):
        """Estimates of the i-th network of the stack for its left-out rows."""
        X = self.rows.X[self.numbers(i)]
        return self.of_logits(
            compute_logits(self.data.network, parameters.view_coefs(), X)
        )

    def score(self, predictions):
        """Negative loss of all left-out rows, by the mean estimate of each row.

        Parameters
        ----------
        predictions : list of ndarray, of length n_members
            The results of :meth:`predict`, for all networks of the ensemble.

        Returns
        -------
        score : float
            The negative loss.
        """
        rows = self.rows
        means, index = self.mean_predictions(predictions)
        weights = None if rows.weights is None else rows.weights[index]
        return -self.data.target_encoder.loss_of_estimates(
            self.data.network, means, rows.targets[index], weights
        )

    def mean_predictions(self, predictions):
        """Average the predictions of the networks that left the same fold out.

        Returns
        -------
        means : ndarray of shape (n_left_out_rows, n_outputs)
        index : ndarray of shape (n_left_out_rows,), int
            Which rows these are.
        """
        means, indices = [], []
        for fold in np.unique(self.left_out):
            members = np.flatnonzero(self.left_out == fold)
            means.append(np.mean([predictions[i] for i in members], axis=0))
            indices.append(np.flatnonzero(self.folds == fold))
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
