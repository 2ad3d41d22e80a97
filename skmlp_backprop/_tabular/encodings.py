"""The encoding of a column of numbers."""

from dataclasses import asdict, dataclass

import numpy as np

from .._network.warning import warn
from .bins import bin_edges, class_thresholds
from .sources import Column

# The interquartile range of normal numbers, in standard deviations.
_INTERQUARTILE_RANGE = 1.35
# Scaled numbers lie between -_LIMIT and _LIMIT.
_LIMIT = 3
# Scaled numbers are clipped to this size first, so that their squares do not overflow.
_CLIP = 1e100
_MAX_FLOAT = np.finfo(np.float64).max
# Entries that are encoded at once.
_BLOCK_SIZE = 2**17
# Shares of the rows count from this number of rows on.
MIN_ROWS = 10
# Codes are whole numbers. A number of float32 may be close to one.
_SAME_CODE = 0.5
# Values outside the range get the mean entries of the outermost bins, which are this
# share of all bins; entirely from this share of their width on.
_OUTERMOST = 1 / 16
_TRANSITION = 1 / 4


@dataclass
class NumberEncoding:
    """Encodes numbers: the scaled number, bins, and an indicator of missing values.

    Parameters
    ----------
    centre, scale : float
        The scaled number is z / sqrt(1 + (z/3)^2) for z = (x - centre) / scale. The
        scale is infinite if `fit` saw a constant column, and the centre is NaN if it
        saw only missing values: later values in such a column have no effect.

    edges : ndarray of shape (n_bins + 1,), float64
        Edges of the bins. A single edge stands for no bins.

    has_missing : bool
        Whether the last entry indicates missing values.

    unit : float, default=1.0
        The values are multiplied by it first. It is below 1 if their range would
        overflow.

    had_text : bool, default=False
        Whether `fit` saw numbers written as text.

    averages_outside : bool, default=False
        Whether a value far outside the range of `fit` has the mean entries of the
        midpoints of the outermost bins, a sixteenth of all bins. Otherwise it has the
        entries of the closest value in the range.

    lowest, highest : float, default=-inf, inf
        The smallest and the largest value of `fit`, times `unit`, if it saw at least
        ten values.

    are_whole : bool, default=False
        Whether `fit` saw at least ten values, and whole numbers alone.

    codes : ndarray of shape (n_codes,), float64, or None
        The values of `fit` if they are codes: each has an entry of its own, which
        counts as a bin and comes after the bins between the edges.
    """

    centre: float
    scale: float
    edges: np.ndarray
    has_missing: bool
    unit: float = 1.0
    had_text: bool = False
    averages_outside: bool = False
    lowest: float = -np.inf
    highest: float = np.inf
    are_whole: bool = False
    codes: np.ndarray | None = None

    is_numeric = True
    has_many_categories = False

    def __post_init__(self):
        codes = np.empty(0) if self.codes is None else self.codes
        self.low = np.concatenate([self.edges[:-1], codes - 1])
        self.high = np.concatenate([self.edges[1:], codes])
        self.n_bins = len(self.high)
        # Number of entries.
        self.width = 1 + self.n_bins + self.has_missing
        # Stands for a missing value if no entry indicates it: the median, or a number
        # between two codes, since the row has none of them.
        self.replacement = self.centre
        if self.codes is not None:
            self.replacement = np.floor(self.centre) + 0.5

    @classmethod
    def from_column(cls, column, n_bins, labelled=None):
        """Make the encoding of a column, with at most `n_bins` bins.

        With rows labelled by classes, thresholds that separate the classes take the
        place of half of the quantiles, if there are such thresholds. A threshold at
        which the classes change abruptly has two further bins.
        """
        is_missing = np.isnan(column.values)
        present = np.sort(column.values[~is_missing])
        if len(present) == 0:
            return cls(np.nan, np.inf, np.zeros(1), has_missing=True)
        unit = 1.0 if np.isfinite(float(present[-1]) - float(present[0])) else 0.25
        present *= unit
        low, centre, high = np.quantile(present, [0.25, 0.5, 0.75])
        scale = (high - low) / _INTERQUARTILE_RANGE or (present[-1] - present[0]) / 2
        thresholds = np.empty(0)
        if labelled is not None and labelled.finds_thresholds and n_bins > 1:
            values = column.values[labelled.rows] * unit
            has_value = ~np.isnan(values)
            thresholds = class_thresholds(
                values[has_value], labelled.labels[has_value], n_bins // 2
            )
            n_bins -= n_bins // 2 if len(thresholds) else 0
        edges = bin_edges(present, n_bins, thresholds)
        encoding = cls(
            centre,
            scale or np.inf,
            edges,
            has_missing=bool(is_missing.any()),
            unit=unit,
            had_text=column.has_text,
        )
        if len(present) >= MIN_ROWS:
            encoding.lowest, encoding.highest = float(present[0]), float(present[-1])
            encoding.are_whole = bool((present == np.rint(present)).all())
        return encoding

    def read(self, source):
        """Read a column as in `fit`."""
        if np.isnan(self.centre):
            # `fit` saw no values, so that all values are ignored.
            codes, values = source.factorized
            numbers = np.array([np.nan if value is None else 0.0 for value in values])
            return Column(source.name, numbers[codes])
        return source.read_numbers(self.had_text)

    def bins_outside(self):
        """How the entries of the bins change outside the range of `fit`.

        Returns
        -------
        changes : ndarray of shape (4, n_bins)
            What is added to each entry far below, and far above the range; and the
            distances below and above, up to which this grows in proportion.
        """
        n_bins = len(self.edges) - 1
        changes = np.repeat([[0.0], [0.0], [1.0], [1.0]], self.n_bins, axis=1)
        if self.averages_outside:
            n_outer = max(1, int(n_bins * _OUTERMOST))
            ramp = 1 - (np.arange(n_outer) + 0.5) / n_outer
            changes[0, :n_outer], changes[1, n_bins - n_outer : n_bins] = ramp, ramp - 1
            changes[2] = _TRANSITION * (self.edges[n_outer] - self.edges[0])
            changes[3] = _TRANSITION * (self.edges[-1] - self.edges[-1 - n_outer])
        return changes

    def prepare(self, column, is_grid=False):
        """Prepare a single column, see :class:`NumberColumns`."""
        return NumberColumns([self], [0]).prepare([column])[:, 0]

    def suffixes(self):
        """Suffixes of the column's name for each entry; None for no suffix."""
        bins = [f"bin{i}" for i in range(1, len(self.edges))]
        codes = [f"{code:.15g}" for code in self.high[len(bins) :]]
        return [None, *bins, *codes, *(["missing"] if self.has_missing else [])]

    def to_state(self):
        """Arguments of the class, to be saved."""
        return asdict(self)

    @classmethod
    def from_state(cls, state):
        """Invert :meth:`to_state`."""
        return cls(**state)


def are_codes(encodings):
    """A mask of the bins of all columns: which of them stand for a code."""
    none = np.empty(0, bool)
    return np.concatenate(
        [none, *(np.arange(e.n_bins) >= len(e.edges) - 1 for e in encodings)]
    )


class NumberColumns:
    """Encodes the columns of numbers of a table.

    All columns at once, since few rows take as many operations as one column then.

    Parameters
    ----------
    encodings : list of NumberEncoding
        The encodings of the columns.

    starts : sequence of int
        Position of the first entry of each column in the encoded table.
    """

    def __init__(self, encodings, starts):
        self.centres = np.array([encoding.centre for encoding in encodings])
        self.replacements = np.array([e.replacement for e in encodings])
        self.scales = np.array([encoding.scale for encoding in encodings])
        self.units = np.array([encoding.unit for encoding in encodings])
        self.have_missing = np.array([e.has_missing for e in encodings], bool)
        self.starts = np.array(starts, np.intp)
        n_bins = np.array([e.n_bins for e in encodings], np.intp)
        # The column, the edges and the position in the encoded table of each bin.
        self.columns = np.repeat(np.arange(len(encodings)), n_bins)
        # Without columns, there is nothing else to concatenate.
        none = np.empty(0)
        self.low = np.concatenate([none, *(e.low for e in encodings)])
        self.high = np.concatenate([none, *(e.high for e in encodings)])
        first_bins = np.cumsum(n_bins) - n_bins
        numbers = np.arange(len(self.columns)) - first_bins[self.columns]
        self.bins = self.starts[self.columns] + 1 + numbers
        self.are_codes = are_codes(encodings)
        self.indicators = (self.starts + n_bins + 1)[self.have_missing]
        self.average_outside = any(e.averages_outside for e in encodings)
        # For each bin, the range of its column, and what is added outside the range.
        self.first_edges = np.repeat([e.edges[0] for e in encodings], n_bins)
        self.last_edges = np.repeat([e.edges[-1] for e in encodings], n_bins)
        self.outside = np.hstack(
            [np.empty((4, 0)), *(e.bins_outside() for e in encodings)]
        )

    def prepare(self, columns):
        """Values times `unit`. NaN is replaced if no entry indicates NaN.

        Parameters
        ----------
        columns : list of Column of n_rows
            The columns.

        Returns
        -------
        values : ndarray of shape (n_rows, n_columns)
            The values.
        """
        values = np.stack([column.values for column in columns], axis=1)
        with np.errstate(under="ignore"):
            values *= self.units
        is_missing = np.isnan(values)
        is_unknown = np.isnan(self.centres)
        if is_unknown.any():
            for i in np.flatnonzero(is_unknown & ~is_missing.all(axis=0)).tolist():
                warn(
                    f"Column {columns[i].name} had only missing values in `fit`. Its "
                    "values are now ignored. Fit to a table that has values in this "
                    "column."
                )
            values[:, is_unknown] = np.nan
        replaced = is_missing & ~self.have_missing
        # The only row may lack a value by itself.
        if len(values) > 1 and replaced.any():
            n_rows, counts = len(values), np.count_nonzero(replaced, axis=0)
            are_many = (counts == n_rows) | are_most(counts, n_rows)
            for i in np.flatnonzero(are_many & ~is_unknown).tolist():
                n = counts[i]
                rows = "" if n == n_rows else f" in {n} of {n_rows} rows"
                place = "The median of `fit` takes their place"
                if self.replacements[i] != self.centres[i]:
                    place = "The rows have none of the codes of `fit`"
                warn(
                    f"Column {columns[i].name} has no value{rows}, but had values in "
                    f"all rows of `fit`. {place}. Check that the column was read as "
                    "before the fit."
                )
        return np.where(replaced, self.replacements, values)

    def write(self, values, out):
        """Encode the result of :meth:`prepare` into `out`, block by block of rows.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
            The result of :meth:`prepare`.

        out : ndarray of shape (n_rows, n_entries)
            The encoded table. Entries of other columns are left as they are.
        """
        step = max(1, _BLOCK_SIZE // out.shape[1])
        for start in range(0, len(values), step):
            block, to = values[start : start + step], out[start : start + step]
            is_missing = np.isnan(block)
            # An overflow gives infinity, which is clipped.
            with np.errstate(over="ignore"):
                distances = np.clip(block - self.centres, -_MAX_FLOAT, _MAX_FLOAT)
                scaled = np.clip(distances / self.scales, -_CLIP, _CLIP)
                scaled /= np.sqrt(1 + (scaled / _LIMIT) ** 2)
                of_bins = block[:, self.columns]
                bins = (of_bins - self.low) / (self.high - self.low)
            to[:, self.starts] = np.where(is_missing, 0, scaled)
            np.clip(bins, 0, 1, out=bins)
            if self.average_outside:
                below, above, until_below, until_above = self.outside
                # An overflow gives infinity, which is clipped.
                with np.errstate(over="ignore"):
                    shares = (self.first_edges - of_bins) / until_below
                    bins += below * np.clip(shares, 0, 1)
                    shares = (of_bins - self.last_edges) / until_above
                    bins += above * np.clip(shares, 0, 1)
            if self.are_codes.any():
                distances = of_bins[:, self.are_codes] - self.high[self.are_codes]
                bins[:, self.are_codes] = np.abs(distances) < _SAME_CODE
            bins[np.isnan(bins)] = 0
            to[:, self.bins] = bins
            to[:, self.indicators] = is_missing[:, self.have_missing]


def varies(values):
    """Whether a column has several values."""
    return np.nanmin(values) < np.nanmax(values)


def are_most(counts, n_rows):
    """Whether the counted rows are more than half of all rows, if these are not few."""
    return (n_rows >= MIN_ROWS) & (2 * counts > n_rows)
