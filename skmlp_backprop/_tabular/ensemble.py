"""The training of an ensemble on encoded rows, in threads or processes."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from .._estimators.devices import device_of
from .._estimators.training import initial_parameters, make_solver
from .._network.batches import Shuffle, WithholdingBatches
from .._network.layers import Dropout, dropout_rates
from .._network.objective import Objective
from .._network.parameters import Parameters
from .._network.threads import limited_threads
from .._solvers.epochs import run_epochs
from .._solvers.stack import MovingAverage
from .._solvers.training import History, Reporter, Training
from .left_out import N_FOLDS, LeftOutRows, assign_folds
from .relevance import initial_scales

# A further thread saves time if its step has this many multiplications in the forward
# pass. In shorter steps, threads wait too long for the interpreter's lock (benchmarks:
# tables).
_THREAD_PAYS = 2**23
# More threads wait longer for the interpreter's lock than they save: on 16 cores a fit
# of 10000 x 30 takes 2.3 s with one thread, 1.5 s with two or four, 1.9 s with eight.
_MAX_THREADS = 4
# Processes pay if there are at least _MAX_THREADS of them, and an epoch has this many
# multiplications in the forward pass: it then takes more than half a second on a core,
# and the processes take two or three to start. On two cores, two threads are as fast as
# two processes (benchmarks: large_tables).
_PROCESSES_PAY = 8e9
# If so much of y is the best constant, a quantile may be this value whatever X is.
_MOSTLY = 0.3


class Ensemble:
    """Networks that are trained on the same batches, and stop together.

    Parameters
    ----------
    member : BackpropMLPClassifier or BackpropMLPRegressor
        Holds the parameters of the networks. All networks draw from its random state.

    n_members : int
        Number of networks.

    data : TrainingData
        The architecture of the networks, and the rows.

    entries : Entries
        The column of each number of a row, and whether it is a bin.

    data_val : TrainingData or None, default=None
        The validation rows. None lets each network leave out a fold of the rows.

    paused : PausedEnsemble or None, default=None
        The training to continue, up to the `max_iter` of `member` in total; it is not
        changed. None for a new training.

    groups : ndarray of shape (n_rows,), int, or None, default=None
        The number of the group of each row. The rows of a group share a fold. None for
        no groups.

    Attributes
    ----------
    folds : ndarray of shape (n_rows,), int
        The fold of each row; -1 for none.

    judge : LeftOutRows
        Validates the networks.

    training : Training
        The training of the networks, and after it their weights in the best epoch. A
        caller may set its reporter before :meth:`train`.

    paused : PausedEnsemble or None
        Before :meth:`train`, a copy of the state to continue, or None. After
        ``train(pauses=True)``, the state from which the training can continue.

    leaves_rows_out : bool
        Whether each network is validated by rows of its own, which it left out.
    """

    # Its score is the loss, by which it returns to an earlier epoch.
    earlier_epoch = None

    def __init__(
        self, member, n_members, data, entries, data_val=None, paused=None, groups=None
    ):
        self.data, self.dropout, self.solver = data, member.dropout, make_solver(member)
        # Copied, so that an error leaves the earlier state as it is.
        self.paused = paused = copy.deepcopy(paused)
        if paused is None:
            random_state = check_random_state(member.random_state)
            X, dtype = data.rows.X, data.rows.dtype
            levels = X.codes.shape[1], X.n_levels
            networks = [
                initial_parameters(member, data, random_state, *levels).copy(dtype)
                for _ in range(n_members)
            ]
        else:
            random_state = paused.fold_source
            networks = [w for s in paused.states for w in s["parameters"].networks()]
        self._fold_source = copy.deepcopy(random_state)
        n_rows = data.rows.n_rows
        self.leaves_rows_out = data_val is None
        if data_val is None:
            n_folds = min(N_FOLDS, n_rows if groups is None else groups.max() + 1)
            targets = data.rows.targets
            # The rows of folds that no network leaves out validate nothing. Those of
            # the other folds must represent them.
            in_turn = n_members >= n_folds
            self.folds = assign_folds(targets, n_folds, random_state, groups, in_turn)
            left_out = np.arange(n_members) % n_folds
            self.judge = LeftOutRows(data, self.folds, left_out)
        else:
            self.folds, left_out = np.full(n_rows, -1), np.zeros(n_members, np.intp)
            # A single fold, which all networks leave out.
            folds_val = np.zeros(data_val.rows.n_rows, np.intp)
            self.judge = LeftOutRows(data_val, folds_val, left_out)
        self.device = device_of(member)
        self.device.check(self.solver, data.network, data.rows)
        # Each stack draws the same masks, so that the number of stacks has no effect.
        self.mask_seed = random_state.randint(2**31 - 1)
        if paused is None:
            self._scales = initial_scales(
                data.rows, data.network.output, entries, self.folds, left_out
            )
            history = History(validation_scores=[], best_validation_score=-np.inf)
            self.training = Training(self.solver, history, networks)
            self.shuffle = Shuffle(random_state)
        else:
            # The states of the stacks have their own.
            self._scales = np.ones((n_members, data.rows.X.shape[1]))
            self.training, self.shuffle = paused.resume(self, networks)
        self.training.reporter = Reporter(member.verbose)

    def train(self, n_jobs=None, pauses=False):
        """Train the networks in stacks until the training stops.

        Parameters
        ----------
        n_jobs : int or None, default=None
            Number of cores; None for as many as shorten the training.

        pauses : bool, default=False
            Whether the training can be continued later. Its state takes several times
            the memory of the weights.
        """
        training, networks, paused = self.training, self.training.weights, self.paused
        with np.errstate(all="ignore"), limited_threads() as n_cores:
            n_stacks, in_processes = _choose_stacks(self, networks, n_jobs, n_cores)
            members_of_stacks = np.array_split(np.arange(len(networks)), n_stacks)
            if paused is not None:
                members_of_stacks = paused.members_of_stacks
            workers = Processes(self, len(members_of_stacks)) if in_processes else None
            stacks = [
                self.make_stack(members, [networks[i] for i in members], self.shuffle)
                for members in members_of_stacks
            ]
            if paused is not None:
                for stack, state in zip(stacks, paused.states, strict=True):
                    stack.set_state(state)
            if training.stop is None:
                run_epochs(stacks, [training], workers)
        self.paused = None
        if pauses:
            # Without callbacks, which have the rows, and without copies of the weights.
            light = copy.copy(training)
            light.weights = light.judged = light.reporter = light.solver = None
            self.paused = PausedEnsemble(
                light,
                self.shuffle,
                self._fold_source,
                members_of_stacks,
                [stack.get_state() for stack in stacks],
            )

    def make_stack(self, members, networks, shuffle=None):
        """Make a stack of the networks with these indices and weights."""
        network, rows, solver = self.data.network, self.data.rows, self.solver
        parameters, judge = Parameters.stacked(networks), copy.copy(self.judge)
        judge.members = members
        rates = dropout_rates(self.dropout, len(network.activations))
        random_state = np.random.RandomState(self.mask_seed)
        masks = Dropout(rates, random_state) if any(rates) else None
        batches = WithholdingBatches(
            rows,
            network.output,
            solver.n_batch_rows(rows.n_rows),
            shuffle,
            self.folds,
            self.judge.left_out[members],
        )
        return self.device.make_stack(
            self._scales[members],
            Objective(network, 0, parameters, masks),
            [solver] * len(members),
            batches,
            MovingAverage(parameters, solver.average_epochs, batches.n_batches),
            judge,
        )

    @property
    def remedy(self):
        """The end of the warning that the ensemble is useless."""
        network, targets = self.data.network, self.data.rows.targets
        if network.loss.quantile is not None and network.output.n_outputs == 1:
            constant = self.data.best_logits.astype(targets.dtype)
            if np.mean(targets == constant) > _MOSTLY:
                return (
                    f"More than {_MOSTLY:.0%} of y is a single value, which may be the "
                    "best prediction of this loss for every row. Choose another `loss`."
                )
        return (
            "The columns may be unrelated to y, or the table may have too few rows. If "
            "y depends on the difference of two columns that are nearly equal, add it "
            "as a column. Otherwise change `learning_rate_init`."
        )

    def mean_loss(self, alpha):
        """Mean loss of the left-out rows in the best epoch."""
        return -self.training.history.best_validation_score

    def loss_of_constant(self):
        """Mean loss of the left-out rows by the best constant of the other rows."""
        return self.judge.loss_of_constant()

    def losses_of_columns(self):
        """An empty list: columns of y share a scale, and are not judged one by one."""
        return []

    def calibrate(self, networks):
        """Divide the logits of networks by the best temperature, and shift them.

        Returns copies of the networks, and their mean estimates of the validation rows,
        in the order of `judge.index`.
        """
        judge, logits = self.judge, self.judge.predict_all(networks)
        temperature = np.float32(judge.best_temperature(logits))
        logits = [z / temperature for z in logits]
        shift = judge.best_shift(logits).astype(np.float32)
        networks = [weights.copy() for weights in networks]
        for weights in networks:
            weights.layers[-1] /= temperature
            weights.layers[-1][..., -1] += shift
            # Without hidden layers, levels add to the logits themselves.
            if len(weights.layers) == 1 and weights.levels is not None:
                weights.levels /= temperature
        return networks, judge.mean_estimates(
            np.concatenate(logits) + shift, len(judge.index)
        )


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

    def resume(self, ensemble, networks):
        """Prepare to continue the training with the rows of an ensemble.

        Returns the training, whose `stop` is None if it continues, and the shuffle.
        """
        training, shuffle, solver = self.training, self.shuffle, ensemble.solver
        history, n_rows = training.history, ensemble.data.rows.n_rows
        training.solver, training.weights = solver, networks
        if history.n_iter < solver.max_iter:
            training.stop = None
        if shuffle.order is not None and len(shuffle.order) != n_rows:
            shuffle.order = None
        # The rows may differ from the earlier rows.
        judge = ensemble.judge
        with np.errstate(all="ignore"):
            score = judge.score(judge.predict_all(training.final_weights))
        if not np.isclose(score, history.best_validation_score, rtol=1e-6, atol=0):
            history.best_validation_score = score
            history.no_improvement_count = 0
        return training, shuffle


def _choose_stacks(ensemble, networks, n_jobs, n_cores):
    """Choose the number of stacks, and whether each has a process or a thread.

    `n_cores` is 1 if the caller has limited the threads.
    """
    rows, n_members = ensemble.data.rows, len(networks)
    # Multiplications of the forward passes of a row. A column of codes costs about as
    # much as 16 numbers.
    weights = networks[0].weights
    row_size = sum(w.size for w in weights)
    row_size += 16 * rows.X.codes.shape[1] * weights[0].shape[1]
    row_size *= n_members
    n_jobs = ensemble.device.n_jobs(n_jobs)
    n_max, n_threads = effective_n_jobs(n_jobs), n_cores
    if n_jobs is None and n_max == 1:
        n_max = n_cores
    else:
        n_threads = min(n_cores, n_max)
    # More processes than cores would wait for each other.
    n_max = min(n_max, effective_n_jobs(-1), n_members)
    if n_max >= _MAX_THREADS and rows.n_rows * row_size >= _PROCESSES_PAY:
        # The last process may have fewer networks than the others.
        return -(-n_members // -(-n_members // n_max)), True
    step_size = ensemble.solver.n_batch_rows(rows.n_rows) * row_size
    n_paying = max(1, step_size // _THREAD_PAYS)
    return min(n_threads, _MAX_THREADS, n_members, n_paying), False


class Processes:
    """Trains the stacks of an ensemble, each in a process of joblib's.

    An epoch of a stack is a task that gets the state of the stack and returns the new
    state, so that any process can train any stack.

    Parameters
    ----------
    ensemble : Ensemble
        Makes the stacks.

    n_processes : int
        Number of processes.
    """

    def __init__(self, ensemble, n_processes):
        # Without the training, whose callbacks have the rows.
        self.ensemble = copy.copy(ensemble)
        self.ensemble.training = self.ensemble.paused = None
        # Batches of several tasks would train stacks one after the other.
        self._parallel = Parallel(n_processes, batch_size=1, pre_dispatch="all")

    def start(self):
        """Start the processes."""
        self._parallel.__enter__()

    def run_epoch(self, stacks, order, rates):
        """Train each stack for an epoch; as :meth:`Workers.run_epoch`."""
        results = self._parallel(
            delayed(_run_epoch)(
                self.ensemble,
                # Pickled here: joblib would keep a file of each large array.
                pickle.dumps((stack.judge.members, stack.get_state(), order, of_stack)),
            )
            for stack, of_stack in zip(stacks, rates, strict=True)
        )
        for stack, (_, state) in zip(stacks, results, strict=True):
            stack.set_state(pickle.loads(state))
        return [outcome for outcome, _ in results]

    def close(self):
        """Give the processes back to joblib, which ends them when they stay idle."""
        self._parallel.__exit__(None, None, None)


def _run_epoch(ensemble, pickled):
    """Train a stack for an epoch; return the outcome and the stack's state."""
    members, state, order, rates = pickle.loads(pickled)
    stack = ensemble.make_stack(members, state["parameters"].networks())
    stack.set_state(state)
    with threadpool_limits(1):
        outcome = stack.run_epoch(order, rates)
    return outcome, pickle.dumps(stack.get_state())
