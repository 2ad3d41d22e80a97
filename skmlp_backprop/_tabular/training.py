"""One training of an ensemble: from encoded rows to its networks."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

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
from .._solvers.stack import ScaledInputStack
from .._solvers.training import Monitor, Training


@dataclass
class TrainedEnsemble:
    """What a training has made of an ensemble.

    Parameters
    ----------
    data : TrainingData
        What they were trained on.

    training : Training
        The training of its networks.
    """

    data: TrainingData
    training: Training

    @property
    def networks(self):
        """The weights of each network, in the best epoch."""
        return self.training.final_weights

    remedy = (
        "The columns may tell nothing of y, or the rows be too few; or take another "
        "`learning_rate_init`."
    )

    def mean_loss(self, alpha):
        """The mean loss of withheld rows in the best epoch; 0 for a constant y."""
        if self.data.loss_of_constant == 0:
            return 0.0
        return -self.training.history.best_validation_score


# Groups of rows, each of which some networks leave out.
_N_GROUPS = 8
# Multiplications of a step's forward pass from which a thread of its own pays: below,
# threads wait for the interpreter as long as for each other's products (benchmarks:
# tables).
_THREAD_PAYS = 2**23
# More threads wait for the interpreter longer than they save: on 16 cores a fit of
# 10000 x 30 takes 2.3 s with one thread, 1.5 with two or four, 1.9 with eight.
_MOST_THREADS = 4


def train_ensemble(member, n_members, data, reporter=None):
    """Train networks on the same batches.

    Parameters
    ----------
    member : BackpropMLPClassifier or BackpropMLPRegressor
        Its parameters are those of each network; its random state is that of all.

    n_members : int
        Number of networks.

    data : TrainingData
        The network and the rows.

    reporter : CallbackReporter or None, default=None
        What reports the epochs to callbacks.

    Returns
    -------
    trained : TrainedEnsemble
        The networks of the best epoch.
    """
    random_state = check_random_state(member.random_state)
    network, rows, dtype = data.network, data.rows, data.rows.dtype
    networks = [
        initial_parameters(member, data, random_state).copy(dtype)
        for _ in range(n_members)
    ]
    solver = make_solver(member)
    history = History(validation_scores=[], best_validation_score=-np.inf)
    n_groups = min(_N_GROUPS, rows.n_rows)
    groups = group_rows(rows.targets, n_groups, random_state)
    withheld = np.arange(n_members) % n_groups
    rates = dropout_rates(member.dropout, len(network.activations))
    # The same masks in every stack, whatever number of stacks there is.
    mask_seed = random_state.randint(2**31 - 1)
    shuffles = [Shuffle(random_state)]
    n_batch_rows = solver.n_batch_rows(rows.n_rows)

    def make_stack(members):
        parameters = Parameters.stacked([networks[i] for i in members])
        masks = Dropout(rates, np.random.RandomState(mask_seed)) if any(rates) else None
        batches = WithholdingBatches(
            rows, network.output, n_batch_rows, shuffles, groups, withheld[members]
        )
        return ScaledInputStack(
            Objective(network, 0, parameters, masks),
            [solver] * len(members),
            batches,
            MovingAverage(parameters, solver.average_epochs, batches.n_batches),
            Withheld(data, groups, withheld, members),
        )

    training = Training(solver, history, Monitor(member.verbose, reporter), networks)
    step_size = n_batch_rows * sum(w.size for n in networks for w in n.weights)
    with np.errstate(all="ignore"), training_threads() as n_threads:
        n_stacks = min(
            n_threads, _MOST_THREADS, max(1, step_size // _THREAD_PAYS), n_members
        )
        shares = np.array_split(np.arange(n_members), n_stacks)
        run_epochs([make_stack(share) for share in shares], [training])
    return TrainedEnsemble(data, training)


class Withheld:
    """Judges an ensemble by what its networks predict of the rows withheld from them.

    No row is lost to validation, and none is judged by a network that has learned from
    it.

    Parameters
    ----------
    data : TrainingData
        The network and the rows.

    groups : ndarray of shape (n_rows,), int
        The group of each row.

    withheld : ndarray of shape (n_members,), int
        The group that each network does not see.

    members : ndarray of int
        Numbers of the networks in the stack that it predicts by.
    """

    def __init__(self, data, groups, withheld, members):
        self.data = data
        self.groups = groups
        self.withheld = withheld
        self.members = members

    def predict(self, i, parameters):
        """What the i-th network of the stack estimates of its withheld rows."""
        data = self.data
        index = np.flatnonzero(self.groups == self.withheld[self.members[i]])
        logits = compute_logits(
            data.network, parameters.view_coefs(), data.rows.X[index]
        )
        return data.target_encoder.estimates(data.network.output, logits)

    def score(self, predictions):
        """The negative loss of the mean estimates of each row."""
        rows, withheld = self.data.rows, self.withheld
        groups = np.unique(withheld)
        means = np.concatenate(
            [
                np.mean(
                    [predictions[i] for i in np.flatnonzero(withheld == group)], axis=0
                )
                for group in groups
            ]
        )
        index = np.concatenate([np.flatnonzero(self.groups == g) for g in groups])
        weights = None if rows.weights is None else rows.weights[index]
        return -self.data.target_encoder.loss_of_estimates(
            means, rows.targets[index], weights
        )


def group_rows(targets, n_groups, random_state):
    """Split rows at random into groups of even size, each with even shares of targets.

    Parameters
    ----------
    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Codes of classes, or numbers.

    n_groups : int
        Number of groups.

    random_state : RandomState
        Source of the draws.

    Returns
    -------
    groups : ndarray of shape (n_rows,), int
        The group of each row.
    """
    n_rows = len(targets)
    order = random_state.permutation(n_rows)
    first = targets[order] if targets.ndim == 1 else targets[order, 0]
    order = order[np.argsort(first, kind="stable")]
    groups = np.empty(n_rows, np.intp)
    groups[order] = np.arange(n_rows) % n_groups
    return groups
