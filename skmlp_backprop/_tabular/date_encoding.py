"""The encoding of a column of dates, times of day or time spans."""

import datetime
from dataclasses import asdict, dataclass

import numpy as np

from .._network.warning import warn
from .dates import DATES, SPANS
from .encodings import MIN_ROWS, NumberColumns, NumberEncoding, are_most, varies

# In microseconds.
_MANY_YEARS = 10 * 366 * 86_400e6
# Midnight is frequent in `fit` if this share of the times is midnight.
_MAX_MIDNIGHTS = 0.25
# Cycles: what a position counts, and how many of it are a cycle. With three cycles each
# day of the week can have its own value.
_CYCLES = {
    "month": ("month", 12),
    "day": ("month", 1),
    "day2": ("month", 1 / 2),
    "weekday": ("weekday", 7),
    "weekday2": ("weekday", 7 / 2),
    "weekday3": ("weekday", 7 / 3),
    "hour": ("hour", 24),
    "hour2": ("hour", 12),
    "hour3": ("hour", 8),
}
# The shorter cycles of a group are added together, if they explain the labels beyond
# the date and its other cycles. In a time series, where neighbouring rows are alike,
# they may seem to do so by chance: so the dates must span this number of days, in which
# the longer cycle occurs several times. Times of day never do; their bins suffice.
_SHORTER_CYCLES = [
    (["day", "day2"], 180),
    (["weekday2", "weekday3"], 21),
    (["hour2", "hour3"], 3),
]
_DAY = 86_400e6
# The least F with which they are added; by chance it is about 1 on average. And the
# most rows, and labels (rows times columns of y), that F is computed from.
_MIN_F = 4
_MAX_ROWS = 20_000
_MAX_LABELS = 2**20
# A smaller part of the sum of squares is due to rounding.
_ROUNDING = 1e-12


@dataclass
class DateEncoding:
    """Encodes dates, times of day or time spans: the number, and positions in cycles.

    Parameters
    ----------
    kind : str
        DATES, TIMES or SPANS of :mod:`.dates`.

    zone : str or None
        The name of the time zone of the dates in `fit`.

    cycles : list of str
        The cycles, of `_CYCLES`, that have two entries each: the sine and the cosine of
        the position.

    number : NumberEncoding
        The encoding of the microseconds.

    has_midnights : bool
        Whether midnight is so frequent in `fit` that many rows may have it by chance.
    """

    kind: str
    zone: str | None
    cycles: list
    number: NumberEncoding
    has_midnights: bool

    is_numeric = False
    has_many_categories = False

    def __post_init__(self):
        self.n_bins = self.number.n_bins
        # Number of entries.
        self.width = self.number.width + 2 * len(self.cycles)

    @classmethod
    def from_column(cls, column, n_bins, labelled=None):
        """Make the encoding of a column, as :meth:`NumberEncoding.from_column`.

        With labelled rows, shorter cycles are added where they explain the labels.
        """
        cycles, has_midnights = [], False
        if column.wall is not None:
            positions = _cycle_positions(column.wall[~np.isnat(column.wall)])
            cycles = [
                cycle
                for cycle, position in positions.items()
                if len(np.unique(np.floor(position))) > 1
            ]
            is_midnight = positions["hour"] == 0
            has_midnights = bool(is_midnight.sum() > _MAX_MIDNIGHTS * len(is_midnight))
            if labelled is not None:
                cycles += _shorter_cycles(column, cycles, labelled)
        number = NumberEncoding.from_column(column, n_bins, labelled)
        return cls(column.kind, column.zone, cycles, number, has_midnights)

    def read(self, source):
        """Read a column as in `fit`."""
        return source.read_times(self.kind, self.zone)

    def suffixes(self):
        """Suffixes of the column's name for each entry; None for no suffix."""
        pairs = [f"{cycle}_{wave}" for cycle in self.cycles for wave in ("sin", "cos")]
        return [*self.number.suffixes(), *pairs]

    def prepare(self, column, is_grid=False):
        """Numbers, and the entries of the cycles, of shape (n_rows, n_values)."""
        prepared = [self.number.prepare(column)]
        if self.cycles:
            positions = _cycle_positions(column.wall)
            if "hour" in self.cycles and not (self.has_midnights or is_grid):
                self._report_midnights(column)
            for cycle in self.cycles:
                prepared += _waves(positions, cycle)
            # No direction stands for a missing value.
            for values in prepared[1:]:
                values[np.isnat(column.wall)] = 0
        return np.stack(prepared, axis=1)

    def warn_of_other_dates(self, column):
        """Warn if most dates of new rows are many years outside the range of `fit`.

        Dates usually continue, but not so far. Of time spans, all outside the range
        count, as of numbers.
        """
        low, high = self.number.lowest, self.number.highest
        values = column.values[~np.isnan(column.values)]
        margin = _MANY_YEARS if self.kind == DATES else 0
        is_far = (values < low - margin) | (values > high + margin)
        n_far = np.count_nonzero(is_far)
        if not are_most(n_far, len(values)):
            return
        if self.kind == SPANS and low < high and varies(values):
            low, high, found = (
                datetime.timedelta(microseconds=float(span))
                for span in (low, high, values[is_far][0])
            )
            warn(
                f"Column {column.name} has {n_far} of {len(values)} time spans outside "
                f"the range of `fit`, from {low} to {high}, such as {found}. The "
                "networks continue no trend there. If numbers were taken for another "
                "unit, convert them as before the fit."
            )
        if self.kind == DATES:
            days = np.array([low, high]).astype("M8[us]").astype("M8[D]")
            found = values[is_far][:1].astype("M8[us]").astype("M8[D]")[0]
            warn(
                f"Column {column.name} has {n_far} of {len(values)} dates more than "
                f"ten years outside the range of `fit`, from {days[0]} to {days[1]}, "
                f"such as {found}. If seconds were taken for another unit, convert "
                "them as before the fit."
            )

    def _report_midnights(self, column):
        """Warn if all dates are at midnight, unless they are few or all the same."""
        wall = column.wall[~np.isnat(column.wall)]
        if (
            len(wall) >= MIN_ROWS
            and (wall == wall.astype("M8[D]")).all()
            and (wall != wall[0]).any()
        ):
            warn(
                f"Column {column.name} had other times than midnight in `fit`, but now "
                "has midnight only. If the times were cut off, pass them as in `fit`."
            )

    def write(self, prepared, out):
        """Encode the result of :meth:`prepare` into `out`, of shape (n_rows, width)."""
        NumberColumns([self.number], [0]).write(prepared[:, :1], out)
        out[:, self.number.width :] = prepared[:, 1:]

    def to_state(self):
        """Arguments of the class, to be saved."""
        return asdict(self)

    @classmethod
    def from_state(cls, state):
        """Invert :meth:`to_state`."""
        number = NumberEncoding.from_state(state["number"])
        return cls(**{**state, "number": number})


def _cycle_positions(wall):
    """Positions of local times in the year, the week and the day.

    The day of the week is a whole number, as it changes at midnight what people do. The
    season and the daylight change gradually: the month and the hour have fractions.
    """
    month, day = wall.astype("M8[M]"), wall.astype("M8[D]")
    length_of_month = (month + np.timedelta64(1, "M")).astype("M8[us]") - month
    return {
        "month": month.astype(np.int64) % 12 + (wall - month) / length_of_month,
        # 1970 began with a Thursday.
        "weekday": (day.astype(np.int64) + 3) % 7,
        "hour": (wall - day) / np.timedelta64(1, "h"),
    }


def _waves(positions, cycle):
    """The sine and the cosine of the positions in a cycle."""
    position, length = _CYCLES[cycle]
    angles = 2 * np.pi / length * positions[position]
    return [np.sin(angles), np.cos(angles)]


def _shorter_cycles(column, cycles, labelled):
    """The shorter cycles that explain the labels, beside the date and its cycles."""
    walls, values = column.wall[labelled.rows], column.values[labelled.rows]
    known, labels = np.flatnonzero(~np.isnat(walls)), labelled.labels
    if len(known) < MIN_ROWS:
        return []
    n_labels = int(labels.max()) + 1 if labels.ndim == 1 else labels.shape[1]
    n_max = min(_MAX_ROWS, max(MIN_ROWS, _MAX_LABELS // n_labels))
    known = known[np.random.RandomState(0).permutation(len(known))[:n_max]]
    labels, positions = labels[known], _cycle_positions(walls[known])
    if labels.ndim == 1:
        labels = labels[:, np.newaxis] == np.arange(n_labels)
    deviations, numbers = _scaled_deviations(labels), _scaled_deviations(values[known])
    waves = [wave for cycle in cycles for wave in _waves(positions, cycle)]
    others = np.column_stack([np.ones(len(known)), numbers, *waves])
    before = _sum_left(deviations, others)
    if before <= _ROUNDING * np.square(deviations).sum():
        return []
    found, n_days = [], np.ptp(values[known]) / _DAY
    for group, min_days in _SHORTER_CYCLES:
        if _CYCLES[group[0]][0] not in cycles or n_days < min_days:
            continue
        waves = [wave for cycle in group for wave in _waves(positions, cycle)]
        entries = np.column_stack([others, *waves])
        n_left = len(known) - entries.shape[1]
        if n_left < MIN_ROWS:
            continue
        after = _sum_left(deviations, entries)
        variance = max(after / n_left, np.finfo(float).tiny)
        if (before - after) / len(waves) / variance > _MIN_F:
            found += group
    return found


def _scaled_deviations(values):
    """The deviations from the mean of a column, divided by the largest."""
    with np.errstate(over="ignore", invalid="ignore"):
        deviations = values - values.mean(axis=0)
        largest = np.abs(deviations).max(axis=0)
        return np.nan_to_num(deviations / np.where(largest > 0, largest, 1))


def _sum_left(deviations, entries):
    """The sum of squares that entries leave of all columns of the labels."""
    fitted = entries @ np.linalg.lstsq(entries, deviations, rcond=None)[0]
    return np.square(deviations - fitted).sum()
