"""Columns whose values tell the classes only together, such as a place and a date."""

import numpy as np

from .._network.rows import one_hot_rows
from .._network.warning import warn
from .copies import hash_rows
from .encodings import MIN_ROWS, are_most

# The columns are chosen by this many values, rows times columns, or by this many rows
# of many columns, so that the time does not grow with the rows.
_MAX_VALUES = 2_000_000
_MIN_ROWS = 20_000
# A logistic regression has at most this many coefficients.
_MAX_COEFFICIENTS = 200_000
# A combination has at most this many columns.
_MAX_COLUMNS = 6
# Columns of numbers are candidates if they have at most this many distinct values.
_MAX_NUMBERS = 100
# A further column must lower the loss by this share of it. It must also raise the
# log-likelihood of all classes by this, and by the logarithm of the number of columns:
# the best of many useless columns raises it by chance.
_MIN_SHARE = 0.01
_MIN_GAIN = 3
# A combination is worth its entries if its loss is at most this share of that of its
# best column, and of that of the sum of the effects of its columns, and if it has at
# most this many rows for each combination of values. Other interactions are learned
# from the columns themselves.
_LARGEST_SHARE = 0.9
_MAX_ROWS_EACH = 10
# A new number is close to those of `fit` if it is nearer to one of them than this share
# of the smallest gap between them. The next day is a whole gap away.
_CLOSE = 0.6


class Combination:
    """Gives each combination of the values of some columns a code.

    Parameters
    ----------
    columns : list of int
        Indices of the columns.

    values : list of ndarray, each of shape (n_values,)
        The distinct values of each column in `fit`, as the encoder prepares them, in
        rising order. NaN comes last.

    levels : ndarray of shape (n_levels, n_columns), int
        The combinations in `fit`: of each column the index of its value. The code of a
        combination is its place.
    """

    def __init__(self, columns, values, levels):
        self.columns = columns
        self.values = values
        self.levels = levels
        # Number of entries.
        self.width = len(levels)
        hashes = hash_rows(list(levels.T), self.width)
        self._order = np.argsort(hashes)
        self._hashes = hashes[self._order]

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
        n_labelled = len(labels)
        n_max = max(_MIN_ROWS, _MAX_VALUES // len(prepared))
        sample = np.random.RandomState(0).permutation(n_labelled)[:n_max]
        labels = np.unique(labels[sample], return_inverse=True)[1]
        codes_of = _codes_of_candidates(
            _single(column)[rows][sample] for column in prepared
        )
        chosen, losses = _choose(codes_of, labels)
        if len(chosen) < 2 or losses[-1] > _LARGEST_SHARE * losses[1]:
            return None
        chosen.sort()
        columns = [np.unique(_single(prepared[i]), return_inverse=True) for i in chosen]
        levels, counts = np.unique(
            np.stack([codes for _, codes in columns], axis=1),
            axis=0,
            return_counts=True,
        )
        # Copied rows count once.
        if n_labelled > _MAX_ROWS_EACH * len(levels):
            return None
        loss_of_sum = _loss_of_sum([codes_of[i] for i in chosen], labels)
        if loss_of_sum is None or losses[-1] > _LARGEST_SHARE * loss_of_sum:
            return None
        kept = np.sort(np.argsort(-counts, kind="stable")[:max_levels])
        return cls(chosen, [values for values, _ in columns], levels[kept])

    def codes(self, prepared, start):
        """The code of the combination of each row, from `start`; -1 for unseen ones."""
        indices = [
            _index_of(values, _single(prepared[i]))
            for i, values in zip(self.columns, self.values, strict=True)
        ]
        hashes = hash_rows(indices, len(indices[0]))
        places = np.searchsorted(self._hashes, hashes)
        places[places == self.width] = 0
        is_seen = self._hashes[places] == hashes
        return np.where(is_seen, start + self._order[places], -1).astype(np.int32)

    def report_close(self, prepared, names):
        """Warn if most rows have values close to those of `fit`, but not equal.

        Dates may have lost their times, or numbers their decimals. `names` has the
        columns' names. Columns of categories have warnings of their own.
        """
        if len(prepared[0]) < MIN_ROWS:
            return
        for i, values in zip(self.columns, self.values, strict=True):
            if values.dtype.kind != "f":
                continue
            column = _single(prepared[i])
            unseen = column[_index_of(values, column) == len(values)]
            n_close = _count_close(values[~np.isnan(values)], unseen)
            if are_most(n_close, len(column)):
                others = ", ".join(str(names[j]) for j in self.columns if j != i)
                warn(
                    f"Column {names[i]} has values close to those of `fit`, but not "
                    f"equal, in {n_close} of {len(column)} rows. `fit` has learned "
                    f"combinations of its exact values with {others}. They have no "
                    "effect in these rows. Pass the values with the same precision as "
                    "in `fit`."
                )

    def to_state(self):
        """Arguments of the class, to be saved."""
        return {"columns": self.columns, "values": self.values, "levels": self.levels}


def _single(prepared):
    """The values of a prepared column: of dates, the time."""
    return prepared if prepared.ndim == 1 else prepared[:, 0]


def _index_of(values, column):
    """The index of each number in sorted values, or their number for an unseen one.

    A fraction that equals a single value in float32 has its index, too.
    """
    places = np.searchsorted(values, column)
    places[places == len(values)] = 0
    is_seen = (values[places] == column) | (np.isnan(values[places]) & np.isnan(column))
    index = np.where(is_seen, places, len(values))
    fractions = np.flatnonzero(~is_seen & (column != np.floor(column)))
    if len(fractions) == 0:
        return index
    rounded, first = distinct_in_float32(values)
    with np.errstate(over="ignore"):
        numbers = column[fractions].astype(np.float32)
    places = np.searchsorted(rounded, numbers)
    fractions = fractions[places < len(rounded)]
    numbers, places = numbers[places < len(rounded)], places[places < len(rounded)]
    is_seen = rounded[places] == numbers
    index[fractions[is_seen]] = first[places[is_seen]]
    return index


def _count_close(values, unseen):
    """How many of the unseen numbers are close to a value, beside the smallest gap."""
    gaps = np.diff(values)
    gap = gaps.min() if len(gaps) else np.inf
    places = np.searchsorted(values, unseen)
    above = np.append(values, np.inf)[places]
    below = np.append(-np.inf, values)[places]
    distance = np.minimum(unseen - below, above - unseen)
    return int((distance < _CLOSE * gap).sum())


def distinct_in_float32(values):
    """The values in float32 that equal no other value there, and their indices."""
    with np.errstate(over="ignore"):
        rounded, first, counts = np.unique(
            values.astype(np.float32), return_index=True, return_counts=True
        )
    is_single = (counts == 1) & np.isfinite(rounded)
    return rounded[is_single], first[is_single]


def _codes_of_candidates(columns):
    """The numbered values of each column that may be chosen, by its index."""
    codes_of = {}
    for i, values in enumerate(columns):
        distinct, codes = np.unique(values, return_inverse=True)
        n_max = _MAX_NUMBERS if values.dtype.kind == "f" else len(values)
        if 1 < len(distinct) <= n_max:
            codes_of[i] = codes
    return codes_of


def _choose(codes_of, labels):
    """Choose the columns of a combination.

    Parameters
    ----------
    codes_of : dict of int to ndarray of shape (n_rows,), int
        The values of the columns, numbered from 0.

    labels : ndarray of shape (n_rows,), int
        The classes, from 0.

    Returns
    -------
    chosen : list of int
        The columns, in the order of their choice.

    losses : list of float
        The loss without columns, and after each choice.
    """
    candidates = dict(codes_of)
    chosen, codes = [], np.zeros_like(labels)
    losses = [_left_out_loss(codes, labels)]
    while candidates and len(chosen) < _MAX_COLUMNS:
        loss_with = {
            i: _left_out_loss(_combine(codes, others), labels)
            for i, others in candidates.items()
        }
        best = min(loss_with, key=loss_with.get)
        by_chance = (_MIN_GAIN + np.log(len(candidates))) / len(labels)
        min_gain = max(_MIN_SHARE * losses[-1], by_chance)
        if losses[-1] - loss_with[best] < min_gain:
            break
        codes = _combine(codes, candidates.pop(best))
        losses.append(loss_with[best])
        chosen.append(best)
    return chosen, losses


def _combine(codes, others):
    """Number the pairs of two codes."""
    return np.unique(codes * (others.max() + 1) + others, return_inverse=True)[1]


def _left_out_loss(codes, labels):
    """The log loss if each row is predicted by the other rows of the same code.

    The frequencies of the classes among all rows count as one more row.
    """
    n_of_class = np.bincount(labels)
    shares = n_of_class / len(labels)
    _, pairs, counts = np.unique(
        codes * len(n_of_class) + labels, return_inverse=True, return_counts=True
    )
    n_same, n_others = counts[pairs] - 1, np.bincount(codes)[codes] - 1
    return -np.log((n_same + shares[labels]) / (n_others + 1)).mean()


def _loss_of_sum(columns, labels):
    """The log loss of a logistic regression on the one-hot columns of codes.

    None if it would have too many coefficients.
    """
    # Imported here, since they would slow down the import of the package.
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    n_classes = labels.max() + 1
    n_rows = _MAX_VALUES // n_classes
    sizes = [codes.max() + 1 for codes in columns]
    if sum(sizes) * n_classes > _MAX_COEFFICIENTS:
        return None
    levels = np.stack(columns, axis=1)[:n_rows] + np.cumsum([0, *sizes[:-1]])
    X, labels = one_hot_rows(levels, sum(sizes), np.float64), labels[:n_rows]
    # The tolerance is loose, and reached long before the last iteration.
    model = LogisticRegression(tol=1e-3, max_iter=1000).fit(X, labels)
    return log_loss(labels, model.predict_proba(X))
