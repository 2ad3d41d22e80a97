"""One training of an ensemble: from encoded rows to its networks."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from .._estimators.training import (
    TrainingData,
    initial_parameters,
    make_solver,
)
from .._network.dropout import Dropout, dropout_rates
from .._network.inference import compute_logits
from .._network.objective import Objective
from .._network.threads import training_threads
from .._solvers.ensemble import EnsembleProblem, run_ensemble
from .._solvers.history import History
from .._solvers.minibatch import MinibatchSolver
from .._solvers.monitor import Monitor
from .._solvers.problem import Stop


@dataclass
class TrainedEnsemble:
    """What a training has made of an ensemble.

    Parameters
    ----------
    data : TrainingData
        What they were trained on.

    networks : list of Parameters
        The weights of each network.

    history : History
        How it went.

    solver : MinibatchSolver
        The solver of the first.

    stop : Stop
        Why it ended.
    """

    data: TrainingData
    networks: list
    history: History
    solver: MinibatchSolver
    stop: Stop

    remedy = (
        "The columns may tell nothing of y, or the rows be too few; or take another "
        "`learning_rate_init`."
    )

    def mean_loss(self, alpha):
        """The mean loss of withheld rows in the best epoch; 0 for a constant y."""
        if self.data.loss_of_constant == 0:
            return 0.0
        return -self.history.best_validation_score


# Groups of rows, of which each network is denied one.
_N_GROUPS = 8
# Multiplications of a step's forward pass from which a thread of its own pays: below,
# threads wait for the interpreter as long as for each other's products (benchmarks:
# tables).
_THREAD_PAYS = 2**23


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
    network, rows, dtype = data.network, data.rows, data.rows.X.dtype
    networks = [
        initial_parameters(member, data, random_state).copy(dtype)
        for _ in range(n_members)
    ]
    solvers = [make_solver(member) for _ in range(n_members)]
    history = History(validation_scores=[], best_validation_score=-np.inf)
    n_groups = min(_N_GROUPS, rows.n_rows)
    groups = group_rows(rows.targets, n_groups, random_state)
    rates = dropout_rates(member.dropout, len(network.activations))
    # The same masks in every part, whatever number of parts there is.
    mask_seed = random_state.randint(2**31 - 1)

    def make_objective(n_stack):
        masks = Dropout(rates, np.random.RandomState(mask_seed)) if any(rates) else None
        return Objective(network, member.alpha, dtype, n_stack, masks)

    def predict(parameters, index):
        return data.codec.estimates(
            network.output, compute_logits(network, parameters, rows.X[index])
        )

    def loss(predictions, index):
        weights = None if rows.weights is None else rows.weights[index]
        return data.codec.loss_of_estimates(predictions, rows.targets[index], weights)

    problem = EnsembleProblem(
        make_objective,
        rows,
        groups,
        np.arange(n_members) % n_groups,
        random_state,
        predict,
        loss,
    )
    n_batch_rows = solvers[0].n_batch_rows(rows.n_rows)
    step_size = n_batch_rows * sum(w.size for n in networks for w in n.weights)
    with np.errstate(all="ignore"), training_threads() as n_threads:
        networks, stop = run_ensemble(
            problem,
            networks,
            solvers,
            history,
            Monitor(member.verbose, reporter),
            min(n_threads, max(1, step_size // _THREAD_PAYS)),
        )
    return TrainedEnsemble(data, networks, history, solvers[0], stop)


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
