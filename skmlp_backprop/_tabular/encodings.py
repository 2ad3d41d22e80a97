"""How a column becomes a network's inputs: a class for numbers, one for categories."""

from collections import Counter

import numpy as np

# Of normal numbers, in standard deviations.
_INTERQUARTILE_RANGE = 1.35
# What the scaled numbers stay below.
_MOST = 3
# What they are far below of, and whose square is a float.
_FAR_OUT = 1e100


class NumberEncoding:
    """Scaled and bent, in bins, and whether it is missing.

    Parameters
    ----------
    centre, scale : float
        What is subtracted, and what is divided by then.

    edges : ndarray of shape (n_bins + 1,)
        Edges of the bins; of length 1 for none.

    has_missing : bool
        Whether there is an entry that tells missing values.
    """

    def __init__(self, centre, scale, edges, has_missing):
        self.centre = centre
        self.scale = scale
        self.edges = edges
        self.has_missing = has_missing

    @classmethod
    def fitted_to(cls, values, n_bins):
        """By the quantiles of the values."""
        is_missing = np.isnan(values)
        present = np.sort(values[~is_missing])
        if len(present) == 0:
            return cls(0.0, 1.0, np.zeros(1), has_missing=True)
        low, centre, high = np.quantile(present, [0.25, 0.5, 0.75])
        scale = (high - low) / _INTERQUARTILE_RANGE or (present[-1] - present[0]) / 2
        edges = _edges(present, n_bins)
        return cls(centre, scale or 1.0, edges, bool(is_missing.any()))

    @property
    def width(self):
        """Number of entries."""
        return len(self.edges) + self.has_missing

    def suffixes(self):
        """What the entries' names add to the column's; None for nothing."""
        bins = [f"bin{i}" for i in range(1, len(self.edges))]
        return [None, *bins, *(["missing"] if self.has_missing else [])]

    def write(self, values, out):
        """Write the entries of values to `out`, of shape (n_rows, width)."""
        is_missing = np.isnan(values)
        n_bins = len(self.edges) - 1
        # What is beyond the floats is clipped.
        with np.errstate(over="ignore"):
            scaled = (values - self.centre) / self.scale
            scaled = np.clip(scaled, -_FAR_OUT, _FAR_OUT)
            out[:, 0] = scaled / np.sqrt(1 + (scaled / _MOST) ** 2)
            for i in range(n_bins):
                low, high = self.edges[i : i + 2]
                out[:, i + 1] = np.clip((values - low) / (high - low), 0, 1)
        out[is_missing, : n_bins + 1] = 0
        if self.has_missing:
            out[:, -1] = is_missing


def _edges(present, n_bins):
    """Quantiles of sorted values, distinct; fewer than two bins are none."""
    is_between = (present > present[0]) & (present < present[-1])
    # Of two values the number itself tells all.
    if n_bins == 0 or not is_between.any():
        return present[:1]
    levels = np.linspace(0, 1, n_bins + 1)
    edges = np.unique(np.quantile(present, levels))
    if len(edges) < 3:
        # Most values are the same: by those that are distinct.
        edges = np.unique(np.quantile(np.unique(present), levels))
    return edges if len(edges) > 2 else edges[:1]


class CategoryEncoding:
    """One entry for each category, or one of two signs for two of them.

    Parameters
    ----------
    categories : list
        The categories that have an entry, None for missing values.

    has_rare : bool
        Whether one more entry stands for all others.
    """

    def __init__(self, categories, has_rare):
        self.categories = categories
        self.has_rare = has_rare
        self._codes = {category: i for i, category in enumerate(categories)}

    @classmethod
    def fitted_to(cls, values, min_frequency, most):
        """By the frequencies of the values; `most` entries at most."""
        counts = Counter(values)
        # In an order that the rows have no part in.
        names = sorted(counts, key=lambda value: (str(type(value)), str(value)))
        frequent = [name for name in names if counts[name] >= min_frequency]
        if len(frequent) + (len(frequent) < len(names)) > most:
            by_frequency = sorted(frequent, key=counts.__getitem__, reverse=True)
            kept = set(by_frequency[: most - 1])
            frequent = [name for name in frequent if name in kept]
        return cls(frequent, has_rare=len(frequent) < len(names))

    @property
    def _is_binary(self):
        return len(self.categories) == 2 and not self.has_rare

    @property
    def width(self):
        """Number of entries."""
        return 1 if self._is_binary else len(self.categories) + self.has_rare

    def suffixes(self):
        """What the entries' names add to the column's."""
        categories = self.categories[1:] if self._is_binary else self.categories
        known = ["missing" if c is None else str(c) for c in categories]
        return [*known, *(["rare"] if self.has_rare else [])]

    def write(self, values, out):
        """Write the entries of values to `out`, of shape (n_rows, width)."""
        unknown = len(self.categories) if self.has_rare else -1
        codes = np.array([self._codes.get(value, unknown) for value in values])
        if self._is_binary:
            out[:, 0] = np.array([-1, 1, 0])[codes]
            return
        out[:] = codes[:, np.newaxis] == np.arange(out.shape[1])
