"""The folds that networks leave out of their training, and the validation by these."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from .._estimators.targets import Numbers
from .._network.constant import best_logits, mean_loss
from .._network.inference import compute_logits

# Each network leaves one of these folds of the rows out of its training.
N_FOLDS = 8
# Largest temperature, and largest number of rows for the search for it.
_MAX_TEMPERATURE = 5
_MAX_ROWS_OF_TEMPERATURE = 2**14
# Standard deviation of the prior of the shift, and the most logits for the search for
# it. A class of 400 rows is shifted about half as far as the loss alone would ask for:
# then the error of its mean probability is less than the sampling error of its share.
_SHIFT = 0.05
_MAX_LOGITS_OF_SHIFT = 2**20


class LeftOutRows:
    """Validates an ensemble: each network predicts the fold that it left out.

    So no row is lost to validation, and no network is validated on its training rows.

    Parameters
    ----------
    data : TrainingData
        The architecture of the networks, and the rows.

    folds : ndarray of shape (n_rows,), int
        The fold of each row.

    left_out : ndarray of shape (n_members,), int
        The fold that each network leaves out.

    Attributes
    ----------
    index : ndarray of shape (n_left_out_rows,), int
        Numbers of the rows that are left out, fold by fold.

    members : ndarray of shape (n_stack,), int
        Indices of the networks that :meth:`predict` numbers from 0.
    """

    def __init__(self, data, folds, left_out):
        self.data, self.folds, self.left_out = data, folds, left_out
        self.rows, self.members = data.rows, np.arange(len(left_out))
        # Found once: the search for the temperature needs them many times an epoch.
        present = np.unique(left_out).tolist()
        self._rows_of = {fold: np.flatnonzero(folds == fold) for fold in present}
        self.index = np.concatenate(list(self._rows_of.values()))

    def numbers(self, i):
        """Numbers of the rows that the i-th network of the stack left out."""
        return self._rows_of[self.left_out[self.members[i]]]

    def predict(self, i, parameters):
        """Logits of the i-th network of the stack for its left-out rows."""
        X = self.rows.X[self.numbers(i)]
        return compute_logits(self.data.network, parameters.view_coefs(), X)

    def predict_all(self, networks):
        """Logits of each network of the ensemble for its left-out rows."""
        return [self.predict(i, weights) for i, weights in enumerate(networks)]

    def score(self, logits):
        """Negative loss of all left-out rows, by the mean estimate of each row.

        A classifier is scored at its best temperature: an overconfident network may
        still learn to distinguish the classes, and calibration repairs the rest.

        `logits` are the results of :meth:`predict` for all networks of the ensemble.

        References
        ----------
        Berta, E., Holzmüller, D., Jordan, M. and Bach, F. (2025). "Rethinking early
        stopping: Refine, then calibrate." arXiv:2501.19195.
        """
        temperature = np.float32(self.best_temperature(logits))
        return -self._loss(np.concatenate(logits) / temperature, self.index)

    def best_temperature(self, logits):
        """Find the divisor of the logits, from 1 to 5, that gives the smallest loss.

        References
        ----------
        Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. (2017). "On calibration of
        modern neural networks." ICML.
        """
        if isinstance(self.data.target_encoder, Numbers):
            return 1.0
        # A subsample suffices if there are many rows.
        step = -(-sum(map(len, logits)) // _MAX_ROWS_OF_TEMPERATURE)
        sampled = np.concatenate([z[::step] for z in logits])
        index = np.concatenate([rows[::step] for rows in self._rows_of.values()])
        found = minimize_scalar(
            lambda inverse: self._loss(sampled / np.float32(1 / inverse), index),
            bounds=(1 / _MAX_TEMPERATURE, 1),
            method="bounded",
            options={"xatol": 0.01},
        )
        # The method does not try a temperature of exactly 1.
        return 1 / found.x if found.fun < self._loss(sampled, index) else 1.0

    def best_shift(self, logits):
        """Find what to add to the logits, for the smallest loss of the left-out rows.

        Then the mean probability of a class is nearer its share of the rows, and the
        mean prediction nearer the mean of y. The shift has a normal prior around 0.

        `logits` are the results of :meth:`predict` for all networks of the ensemble,
        divided by the temperature.

        Returns
        -------
        shift : ndarray of shape (n_outputs,), float64
            The shift of each output; 0 for losses with a kink.

        References
        ----------
        Van Calster, B. et al. (2019). "Calibration: the Achilles heel of predictive
        analytics." BMC Medicine 17. Its calibration in the large.
        """
        network, rows = self.data.network, self.rows
        n_outputs = network.output.n_outputs
        if network.loss.has_kink:
            return np.zeros(n_outputs)
        index = np.concatenate([self.numbers(i) for i in range(len(logits))])
        z = np.concatenate(logits)
        n_max = _MAX_LOGITS_OF_SHIFT // n_outputs
        if len(z) > n_max:
            # At random: the order of validation rows may repeat itself.
            sampled = np.random.RandomState(0).choice(len(z), n_max, replace=False)
            index, z = index[sampled], z[sampled]
        weights = np.ones(len(index))
        if rows.weights is not None:
            # A loss may be infinite in a row of weight 0.
            counts = rows.weights[index] > 0
            index, z = index[counts], z[counts]
            weights = rows.weights[index].astype(np.float64)
        if not len(index):
            return np.zeros(n_outputs)
        # Their sum is the effective number of rows, which is compared with the prior.
        # Several networks may predict a row.
        n_effective = weights.sum() ** 2 / (weights**2).sum()
        n_effective *= min(1, len(self.index) / len(weights))
        weights *= n_effective / weights.sum()
        target = network.output.encoded_targets(rows.targets[index], np.float64)
        z = np.array(z.T[np.newaxis], np.float64, order="C")
        spare, row = np.empty_like(z), np.empty_like(z[:, :1])

        def objective(shift):
            # The loss overwrites the logits by its derivative.
            slope = z + shift[:, np.newaxis]
            losses = network.loss(slope, target, spare, row)[0, 0]
            loss = losses @ weights + 0.5 * shift @ shift / _SHIFT**2
            return loss, slope[0] @ weights + shift / _SHIFT**2

        start = np.zeros(n_outputs)
        with np.errstate(all="ignore"):
            shift = minimize(objective, start, jac=True, method="L-BFGS-B").x
        return shift if np.isfinite(shift).all() else np.zeros(n_outputs)

    def _loss(self, logits, index):
        """The loss of the rows with these numbers; the logits are concatenated."""
        rows, network = self.rows, self.data.network
        weights = None if rows.weights is None else rows.weights[index]
        if weights is not None and not weights.any():
            return 0.0
        estimates = self.mean_estimates(logits, len(index))
        return network.output.loss_of_values(
            estimates, rows.targets[index], weights, network.loss
        )

    def loss_of_constant(self):
        """The mean loss of the left-out rows if a constant predicts them, without X.

        The best constant prediction of the other rows predicts the rows of a fold, as
        these may differ from the others, and may have the only rows of a class. The
        loss is infinite if there are no other rows.
        """
        network, targets = self.data.network, self.rows.targets
        weights, predicted = self.rows.weights, []
        for fold, rows in self._rows_of.items():
            others = np.flatnonzero(self.folds != fold)
            if len(others) == 0:
                return np.inf
            of_others = None if weights is None else weights[others]
            logits = best_logits(network, targets[others], of_others)
            predicted.append(np.broadcast_to(logits, (len(rows), len(logits))))
        weights = None if weights is None else weights[self.index]
        return mean_loss(
            network, np.concatenate(predicted), targets[self.index], weights
        )

    def mean_estimates(self, logits, n_rows):
        """Average the estimates of the networks that left the same fold out.

        Parameters
        ----------
        logits : ndarray of shape (n_logits, n_outputs)
            The results of :meth:`predict` for all networks, one after the other.

        n_rows : int
            Number of left-out rows.

        Returns
        -------
        estimates : ndarray of shape (n_rows, n_outputs)
            Probabilities or numbers, fold by fold.
        """
        estimates = self.data.network.output.values(logits)
        if len(estimates) == n_rows:
            return estimates
        # The networks leave the folds out in turn, so that the rows of all folds come
        # again and again. The last turn may lack the last folds.
        total, counts = estimates[:n_rows].copy(), np.ones((n_rows, 1), logits.dtype)
        for start in range(n_rows, len(estimates), n_rows):
            again = estimates[start : start + n_rows]
            total[: len(again)] += again
            counts[: len(again)] += 1
        return total / counts


def assign_folds(targets, n_folds, random_state, groups, in_turn):
    """Draw the fold of each row: folds of equal size, stratified by the targets.

    Targets with several columns are stratified by the first column. The rows of a
    group, if any, share a fold; the folds are then of similar size.

    Without groups, the rows are sorted by their targets, and each run of `n_folds` rows
    has one for each fold: in the order of the folds if `in_turn`, otherwise in random
    order, so that any of the folds represent all rows. Each group goes to the smallest
    fold; of equal ones to the first if `in_turn`, otherwise to a random one.
    """
    if groups is None:
        order, n_rows = _stratified_order(targets, random_state), len(targets)
        n_runs = -(-n_rows // n_folds)
        if in_turn:
            turns = np.tile(np.arange(n_folds), n_runs)
        else:
            turns = random_state.random_sample((n_runs, n_folds)).argsort(axis=1)
        folds = np.empty(n_rows, np.intp)
        folds[order] = turns.ravel()[:n_rows]
        return folds
    _, first_rows, sizes = np.unique(groups, return_index=True, return_counts=True)
    order = _stratified_order(targets[first_rows], random_state)
    folds, fold_sizes = np.empty(len(sizes), np.intp), np.zeros(n_folds, np.intp)
    # The largest groups first, each to the smallest fold.
    for group in order[np.argsort(-sizes[order], kind="stable")].tolist():
        tie_break = 0 if in_turn else random_state.random_sample(n_folds)
        folds[group] = fold = (fold_sizes + tie_break).argmin()
        fold_sizes[fold] += sizes[group]
    return folds[groups]


def _stratified_order(targets, random_state):
    """Draw an order of the rows, and sort it by the targets."""
    order = random_state.permutation(len(targets))
    first_column = targets[order] if targets.ndim == 1 else targets[order, 0]
    return order[np.argsort(first_column, kind="stable")]
