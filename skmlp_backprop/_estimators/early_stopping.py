"""Rows that a training with early stopping holds out, and scores its networks on."""

import numpy as np
from sklearn.model_selection import train_test_split

from .._network.inference import compute_logits
from .._network.objective import BLOCK_ROWS


class HeldOut:
    """Scores networks on held-out rows.

    Parameters
    ----------
    data : TrainingData
        The architecture of the networks, and all rows.

    index : ndarray of int
        Numbers of the held-out rows.
    """

    def __init__(self, data, index):
        self.data, self.rows, self.index = data, data.rows, index

    def numbers(self, i):
        """Numbers of the rows by which the i-th network is judged."""
        return self.index

    def predict(self, i, parameters):
        """The logits of the held-out rows."""
        weights, X = parameters.view_coefs(), self.rows.X
        starts = range(0, len(self.index), BLOCK_ROWS)
        blocks = [self.index[start : start + BLOCK_ROWS] for start in starts]
        return np.concatenate(
            [compute_logits(self.data.network, weights, X[block]) for block in blocks]
        )

    def score(self, predictions):
        """The score of the network of a training."""
        rows, index = self.rows, self.index
        weights = None if rows.weights is None else rows.weights[index]
        return self.data.target_encoder.score(
            self.data.network, predictions[0], rows.targets[index], weights
        )


def hold_out(rows, fraction, random_state):
    """Hold out a share of the rows, at least two, stratified by class if possible.

    Rows of weight zero are on neither side.

    Returns
    -------
    train_index, held_out_index : ndarray, int
        Numbers of the training rows and of the held-out rows.
    """
    index, n_held_out = check_hold_out(rows, fraction)
    n_left = len(index) - n_held_out
    stratify = rows.targets[index] if rows.targets.ndim == 1 else None
    if stratify is not None:
        counts = np.bincount(stratify)
        counts = counts[counts > 0]
        if counts.min() < 2 or min(n_held_out, n_left) < len(counts):
            stratify = None
    return train_test_split(
        index, random_state=random_state, test_size=n_held_out, stratify=stratify
    )


def check_hold_out(rows, fraction):
    """Check that training rows are left if a share of the rows is held out.

    Returns
    -------
    index : ndarray of shape (n_rows_of_weight,), int
        Numbers of the rows that have a weight.

    n_held_out : int
        Number of rows to hold out.

    Raises
    ------
    ValueError
        If no training row would be left.
    """
    index = np.arange(rows.n_rows)
    if rows.weights is not None:
        index = index[rows.weights > 0]
    n_held_out = max(2, int(np.ceil(fraction * len(index))))
    if n_held_out >= len(index):
        raise ValueError(
            f"early_stopping holds out {n_held_out} rows of n_samples={len(index)}, "
            "which leaves none to train on. Lower 'validation_fraction', or pass more "
            "rows."
        )
    return index, n_held_out
