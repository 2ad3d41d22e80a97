"""Importances of columns, by permutations among rows that networks have not seen."""

import numpy as np

from .._network.inference import logits_from_first

# Largest number of rows that a fit keeps, to bound the memory and the time.
_MAX_ROWS = 10_000
# Largest number of predictions (rows times networks).
_MAX_PREDICTIONS = 20_000
_N_REPEATS = 5


class WithheldRows:
    """A random sample of rows that networks have not seen.

    Parameters
    ----------
    prepared : list of ndarray, each of length n_rows
        The columns, as the encoder prepares them.

    judge : LeftOutRows
        The rows, and the fold that each network has not seen.

    seed : int
        Seed of the draw, and of the permutations.
    """

    def __init__(self, prepared, judge, seed):
        rows, n_networks = judge.rows, np.bincount(judge.left_out).max()
        n_max = min(_MAX_ROWS, max(1, _MAX_PREDICTIONS // n_networks))
        order = np.random.default_rng(seed).permutation(rows.n_rows)
        order = order[np.isin(judge.folds[order], judge.left_out)]
        kept = np.sort(order[:n_max])
        self.prepared = [values[kept] for values in prepared]
        self.targets = rows.targets[kept]
        self.weights = None if rows.weights is None else rows.weights[kept]
        self.folds = judge.folds[kept]
        self.left_out, self.seed = judge.left_out, seed

    def importances(self, encoder, networks):
        """Compute how much the loss rises when a column is permuted.

        The rows of a fold are predicted by the mean of the networks that left it out.
        The values of the column are permuted among the rows of a fold, so that no row
        gets a value that a network has learned by heart.

        Parameters
        ----------
        encoder : TabularEncoder
            The fitted encoder.

        networks : list of BackpropMLPClassifier or of BackpropMLPRegressor
            The fitted networks.

        Returns
        -------
        increases : ndarray of shape (n_columns, n_permutations)
            The increase of the loss of a fold, in each permutation of each fold.

        weights : ndarray of shape (n_permutations,)
            The total weight of the rows of the fold.
        """
        random_state = np.random.default_rng(self.seed)
        increases, weights = [], []
        for fold in np.unique(self.left_out):
            index = np.flatnonzero(self.folds == fold)
            row_weights = None if self.weights is None else self.weights[index]
            weight = len(index) if row_weights is None else row_weights.sum()
            # A class may weigh 0.
            if weight == 0:
                continue
            prepared = [values[index] for values in self.prepared]
            fold_networks = [networks[i] for i in np.flatnonzero(self.left_out == fold)]
            orders = [random_state.permutation(len(index)) for _ in range(_N_REPEATS)]
            withheld = prepared, self.targets[index], row_weights
            with np.errstate(all="ignore"):
                increases.append(_increases(fold_networks, encoder, *withheld, orders))
            weights += [float(weight)] * _N_REPEATS
        if not weights:
            raise ValueError(
                "The rows that the networks have not seen all weigh 0, so there are no "
                "importances. Increase `n_members`, or use "
                "sklearn.inspection.permutation_importance(model, X, y) with other "
                "rows."
            )
        return np.concatenate(increases, axis=1), np.array(weights)


def _increases(networks, encoder, prepared, targets, row_weights, orders):
    """The increase of the loss for each column and order of the rows."""
    rows, places = encoder._encode_rows(prepared, np.float32), encoder._layout.places
    network = networks[0]._network
    # float32 takes half the time of float64.
    weights = [
        [[array.astype(np.float32) for array in arrays] for arrays in m._weights()[:2]]
        for m in networks
    ]

    def loss(first_layers):
        estimates = [
            network.output.values(logits_from_first(network, (*w, None), z))
            for w, z in zip(weights, first_layers, strict=True)
        ]
        return network.output.loss_of_values(
            np.mean(estimates, axis=0), targets, row_weights, network.loss
        )

    # The first layer is linear: only the contribution of the column changes.
    firsts = np.stack([rows.product(coefs[0]) + biases[0] for coefs, biases in weights])
    loss_before = loss(firsts.copy())
    increases = np.empty((len(places), len(orders)))
    combined = encoder.combined_features_.tolist()
    # The combinations of columns are the last codes.
    before = [rows.product_of(-1, coefs[0]) for coefs, _ in weights if combined]
    for i, place in enumerate(places):
        of_column = np.stack([rows.product_of(place, coefs[0]) for coefs, _ in weights])
        for j, order in enumerate(orders):
            # Subtracted first, so that equal values change nothing at all.
            permuted = firsts + (of_column[:, order] - of_column)
            if i in combined:
                values = [*prepared]
                values[i] = values[i][order]
                others = encoder._replace_combination(rows, values)
                after = [others.product_of(-1, coefs[0]) for coefs, _ in weights]
                permuted += np.subtract(after, before)
            increases[i, j] = loss(permuted) - loss_before
    return increases
