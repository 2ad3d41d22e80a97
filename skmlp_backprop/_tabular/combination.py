"""Columns whose values tell the classes only together, such as a place and a date."""

import numpy as np

from .copies import hash_rows

# The columns are chosen by this many rows, so that the time does not grow with the
# table.
_MOST_ROWS = 20_000
# A combination has at most this many columns.
_MOST_COLUMNS = 6
# Columns of numbers are candidates if they have at most this many distinct values.
_MOST_NUMBERS = 100
# A further column must lower the loss by this share of it.
_LEAST_GAIN = 0.01
# A combination is worth its entries if its loss is at most this share of that of its
# best column, and of that of the sum of the effects of its columns, and if it has at
# most this many rows for each combination of values. Other interactions are learned
# from the columns themselves.
_LARGEST_SHARE = 0.9
_MOST_ROWS_EACH = 10


class Combination:
    """Gives each combination of the values of some columns a code.

    Parameters
    ----------
    columns : list of int
        Numbers of the columns.

    levels : ndarray of shape (n_levels, n_columns), float64
        The combinations in `fit`: the values of the columns, as the encoder prepares
        them.
    """

    def __init__(self, columns, levels):
        self.columns = columns
        hashes = hash_rows(list(levels.T), len(levels))
        order = np.argsort(hashes)
        self.levels, self._hashes = levels[order], hashes[order]
        # Number of entries.
        self.width = len(levels)

    @classmethod
    def find(cls, prepared, rows, labels, max_levels):
        """Choose columns by labelled rows.

        The column is added with which the rows' classes are most likely by the
        frequencies of the classes among the other rows of the same combination, until
        no column helps.

        Parameters
        ----------
        prepared : list of ndarray
            The columns of a table, as the encoder prepares them.

        rows : ndarray of shape (n_labelled,), int, or slice
            The labelled rows.

        labels : ndarray of shape (n_labelled,), int, or (n_labelled, n_classes)
            Their classes, from 0. Indicators of several classes give no combination.

        max_levels : int
            Largest number of combinations. The most frequent ones are kept.

        Returns
        -------
        combination : Combination or None
            None if the columns tell as much one by one, or enough rows have each
            combination for a network to learn from the columns.

        References
        ----------
        Prokhorenkova, L., Gusev, G., Vorobev, A., Dorogush, A. V. and Gulin, A. (2018).
        "CatBoost: unbiased boosting with categorical features." NeurIPS. Section 3.3
        on greedy feature combinations.
        """
        if labels.ndim == 2:
            return None
        sample = np.random.RandomState(0).permutation(len(labels))[:_MOST_ROWS]
        labels = np.unique(labels[sample], return_inverse=True)[1]
        codes_of = {}
        for i, values in enumerate(prepared):
            # Dates have several columns.
            if values.ndim == 1:
                distinct, codes = np.unique(values[rows][sample], return_inverse=True)
                is_number = values.dtype.kind == "f"
                if 1 < len(distinct) <= (_MOST_NUMBERS if is_number else len(labels)):
                    codes_of[i] = codes
        chosen = _choose(codes_of, labels)
        if not chosen:
            return None
        values = [prepared[i] for i in chosen]
        n_rows = len(values[0])
        _, first, counts = np.unique(
            hash_rows(values, n_rows), return_index=True, return_counts=True
        )
        if n_rows > _MOST_ROWS_EACH * len(first):
            return None
        kept = np.sort(first[np.argsort(-counts, kind="stable")[:max_levels]])
        return cls(chosen, np.stack([column[kept] for column in values], axis=1))

    def codes(self, prepared, start):
        """The code of the combination of each row, from `start`; -1 for unseen ones."""
        values = [prepared[i] for i in self.columns]
        hashes = hash_rows(values, len(values[0]))
        places = np.searchsorted(self._hashes, hashes)
        places[places == self.width] = 0
        is_seen = self._hashes[places] == hashes
        return np.where(is_seen, start + places, -1).astype(np.int32)

    def to_state(self):
        """Arguments of the class, to be saved."""
        return {"columns": self.columns, "levels": self.levels}


def _choose(codes_of, labels):
    """Choose the columns of a combination; an empty list if none is worth it.

    Parameters
    ----------
    codes_of : dict of int to ndarray of shape (n_rows,), int
        The values of the columns, numbered from 0.

    labels : ndarray of shape (n_rows,), int
        The classes, from 0.
    """
    n_classes, candidates = labels.max() + 1, dict(codes_of)
    chosen, codes = [], np.zeros_like(labels)
    losses = [_left_out_loss(codes, labels, n_classes)]
    while candidates and len(chosen) < _MOST_COLUMNS:
        joint = {i: _combine(codes, other) for i, other in candidates.items()}
        loss_with = {
            i: _left_out_loss(both, labels, n_classes) for i, both in joint.items()
        }
        best = min(loss_with, key=loss_with.get)
        if loss_with[best] >= (1 - _LEAST_GAIN) * losses[-1]:
            break
        codes = joint[best]
        losses.append(loss_with[best])
        chosen.append(best)
        del candidates[best]
    if len(chosen) < 2 or losses[-1] > _LARGEST_SHARE * losses[1]:
        return []
    loss_of_sum = _loss_of_sum([codes_of[i] for i in chosen], labels)
    return sorted(chosen) if losses[-1] <= _LARGEST_SHARE * loss_of_sum else []


def _combine(codes, others):
    """Number the pairs of two codes."""
    return np.unique(codes * (others.max() + 1) + others, return_inverse=True)[1]


def _left_out_loss(codes, labels, n_classes):
    """The log loss if each row is predicted by the other rows of the same code.

    The frequencies of the classes among all rows count as one more row.
    """
    shares = np.bincount(labels) / len(labels)
    _, pairs, counts = np.unique(
        codes * n_classes + labels, return_inverse=True, return_counts=True
    )
    n_same, n_others = counts[pairs] - 1, np.bincount(codes)[codes] - 1
    return -np.log((n_same + shares[labels]) / (n_others + 1)).mean()


def _loss_of_sum(columns, labels):
    """The log loss of a logistic regression on the one-hot columns of codes."""
    # Imported here, since they would slow down the import of the package.
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import OneHotEncoder

    X = OneHotEncoder().fit_transform(np.stack(columns, axis=1))
    # The tolerance is loose, and reached long before the last iteration.
    model = LogisticRegression(tol=1e-3, max_iter=1000).fit(X, labels)
    return log_loss(labels, model.predict_proba(X))
