"""Encodings of a single column of numbers, of dates or of categories."""

import json
import re
import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from numbers import Real

import numpy as np

from .._estimators.checks import plain_repr
from .._network.warning import warn
from .dates import kind_of
from .sources import Column
from .texts import is_almost_number, is_missing, is_number

# The interquartile range of normal numbers, in standard deviations.
_INTERQUARTILE_RANGE = 1.35
# Scaled numbers lie between -_LIMIT and _LIMIT.
_LIMIT = 3
# Scaled numbers are clipped to this size first, so that their squares do not overflow.
_CLIP = 1e100
_MAX_FLOAT = np.finfo(np.float64).max
# Larger numbers are not written out digit by digit.
_MAX_DIGITS = 400
# A column of as many entries is encoded in one-hot columns; a column of more in codes.
_MAX_ONE_HOT = 16
# Entries that are encoded at once.
_BLOCK_SIZE = 2**17
# Shares of the rows count from this number of rows on.
_MIN_ROWS = 10
# New rows have new categories if this share of the rows of `fit` had one of their own.
_EXPECTED_UNSEEN = 0.1
# Midnight is frequent in `fit` if this share of the times is midnight.
_MAX_MIDNIGHTS = 0.25
# Lengths of the cycles of dates.
_CYCLE_LENGTHS = {"month": 12, "weekday": 7, "hour": 24}
_WHOLE_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.0*)?")
# Kinds of values, in the words of messages.
_MISSING = "missing"
_TEXT = "text"
_NUMBER = "numbers"
_BOOLEAN = "booleans"


@dataclass
class NumberEncoding:
    """Encodes numbers: the scaled number, bins, and an indicator of missing values.

    Parameters
    ----------
    centre, scale : float
        The scaled number is (x - centre) / scale. The scale is infinite if `fit` saw a
        constant column, and the centre is NaN if it saw missing values only: later
        values in such a column have no effect.

    edges : ndarray of shape (n_bins + 1,), float64
        Edges of the bins. A single edge stands for no bins.

    has_missing : bool
        Whether the last entry indicates missing values.

    unit : float, default=1.0
        Factor of the values before all else. It is below 1 if the range of the values
        would overflow.

    had_text : bool, default=False
        Whether `fit` saw numbers written as text.
    """

    centre: float
    scale: float
    edges: np.ndarray
    has_missing: bool
    unit: float = 1.0
    had_text: bool = False

    is_numeric = True
    has_many_categories = False

    def __post_init__(self):
        # Number of entries.
        self.width = len(self.edges) + self.has_missing

    @classmethod
    def from_column(cls, column, n_bins):
        """Make the encoding of a column, with at most `n_bins` bins."""
        is_missing = np.isnan(column.values)
        present = np.sort(column.values[~is_missing])
        if len(present) == 0:
            return cls(np.nan, np.inf, np.zeros(1), has_missing=True)
        unit = 1.0 if np.isfinite(float(present[-1]) - float(present[0])) else 0.25
        present *= unit
        low, centre, high = np.quantile(present, [0.25, 0.5, 0.75])
        scale = (high - low) / _INTERQUARTILE_RANGE or (present[-1] - present[0]) / 2
        edges = _bin_edges(present, n_bins)
        has_missing = bool(is_missing.any())
        return cls(centre, scale or np.inf, edges, has_missing, unit, column.has_text)

    def read(self, source):
        """Read a column as in `fit`."""
        if np.isnan(self.centre):
            # `fit` saw no values, so that all values are ignored.
            codes, values = source.factorized
            numbers = np.array([np.nan if value is None else 0.0 for value in values])
            return Column(source.name, numbers[codes])
        return source.read_numbers(self.had_text)

    def prepare(self, column, is_grid=False):
        """Prepare a single column, see :class:`NumberColumns`."""
        return NumberColumns([self], [0]).prepare([column])[:, 0]

    def suffixes(self):
        """Suffixes of the column's name for each entry; None for no suffix."""
        bins = [f"bin{i}" for i in range(1, len(self.edges))]
        return [None, *bins, *(["missing"] if self.has_missing else [])]

    def to_state(self):
        """Arguments of the class, to be saved."""
        return asdict(self)

    @classmethod
    def from_state(cls, state):
        """Invert :meth:`to_state`."""
        return cls(**state)


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
        self.scales = np.array([encoding.scale for encoding in encodings])
        self.units = np.array([encoding.unit for encoding in encodings])
        self.have_missing = np.array([e.has_missing for e in encodings], bool)
        self.starts = np.array(starts, np.intp)
        n_bins = np.array([len(e.edges) - 1 for e in encodings], np.intp)
        # The column, the edges and the position in the encoded table of each bin.
        self.columns = np.repeat(np.arange(len(encodings)), n_bins)
        # Without columns, there is nothing else to concatenate.
        none = np.empty(0)
        self.low = np.concatenate([none, *(e.edges[:-1] for e in encodings)])
        self.high = np.concatenate([none, *(e.edges[1:] for e in encodings)])
        first_bins = np.cumsum(n_bins) - n_bins
        numbers = np.arange(len(self.columns)) - first_bins[self.columns]
        self.bins = self.starts[self.columns] + 1 + numbers
        self.indicators = (self.starts + n_bins + 1)[self.have_missing]

    def prepare(self, columns):
        """Values times `unit`. The centre replaces NaN if no entry indicates NaN.

        Parameters
        ----------
        columns : list of Column of n_rows
            The columns.

        Returns
        -------
        values : ndarray of shape (n_rows, n_columns)
            The values.
        """
        values = np.stack([column.values for column in columns], axis=1) * self.units
        is_missing = np.isnan(values)
        is_unknown = np.isnan(self.centres)
        if is_unknown.any():
            for i in np.flatnonzero(is_unknown & ~is_missing.all(axis=0)).tolist():
                warn(
                    f"Column {columns[i].name} had missing values only in `fit`. Its "
                    "values are now ignored. Fit to a table that has values in this "
                    "column."
                )
            values[:, is_unknown] = np.nan
        replaced = is_missing & ~self.have_missing
        # The only row may lack a value by itself.
        if len(values) > 1 and replaced.any():
            n_rows, counts = len(values), np.count_nonzero(replaced, axis=0)
            are_many = (counts == n_rows) | _are_most(counts, n_rows)
            for i in np.flatnonzero(are_many & ~is_unknown).tolist():
                n = counts[i]
                rows = "" if n == n_rows else f" in {n} of {n_rows} rows"
                warn(
                    f"Column {columns[i].name} has no value{rows}, but had values in "
                    "all rows of `fit`. The median of `fit` takes their place. Check "
                    "that the column was read as before the fit."
                )
        return np.where(replaced, self.centres, values)

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
                bins = (block[:, self.columns] - self.low) / (self.high - self.low)
            to[:, self.starts] = np.where(is_missing, 0, scaled)
            np.clip(bins, 0, 1, out=bins)
            bins[np.isnan(bins)] = 0
            to[:, self.bins] = bins
            to[:, self.indicators] = is_missing[:, self.have_missing]


def _are_most(counts, n_rows):
    """Whether the counted rows are more than half of all rows, if these are not few."""
    return (n_rows >= _MIN_ROWS) & (2 * counts > n_rows)


def _bin_edges(present, n_bins):
    """Distinct quantiles of sorted values; a single edge if fewer than two bins."""
    is_between = (present > present[0]) & (present < present[-1])
    # The scaled number suffices for a column of two distinct numbers.
    if n_bins == 0 or not is_between.any():
        return present[:1]
    levels = np.linspace(0, 1, n_bins + 1)
    edges = np.unique(np.quantile(present, levels))
    if len(edges) < 3:
        # Nearly all values are equal: take the quantiles of the distinct values.
        edges = np.unique(np.quantile(np.unique(present), levels))
    return edges if len(edges) > 2 else edges[:1]


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
        The cycles that have two entries each, the sine and the cosine of the position:
        "month", "weekday" or "hour".

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
        # Number of entries.
        self.width = self.number.width + 2 * len(self.cycles)

    @classmethod
    def from_column(cls, column, n_bins):
        """Make the encoding of a column, with at most `n_bins` bins."""
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
        number = NumberEncoding.from_column(column, n_bins)
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
                angles = 2 * np.pi / _CYCLE_LENGTHS[cycle] * positions[cycle]
                prepared += [np.sin(angles), np.cos(angles)]
            # No direction stands for a missing value.
            for values in prepared[1:]:
                values[np.isnat(column.wall)] = 0
        return np.stack(prepared, axis=1)

    def _report_midnights(self, column):
        """Warn if all dates are at midnight, unless they are few or all the same."""
        wall = column.wall[~np.isnat(column.wall)]
        if (
            len(wall) >= _MIN_ROWS
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
    length_of_month = (month + np.timedelta64(1, "M")).astype("M8[us]") - month.astype(
        "M8[us]"
    )
    return {
        "month": month.astype(np.int64) % 12 + (wall - month) / length_of_month,
        # 1970 began with a Thursday.
        "weekday": (day.astype(np.int64) + 3) % 7,
        "hour": (wall - day) / np.timedelta64(1, "h"),
    }


class CategoryEncoding:
    """Encodes categories: an entry for each, or a single entry for two categories.

    Parameters
    ----------
    keys : list of tuple (str, str)
        Kind and text of each category in `fit`, see :func:`category_key`. The rare
        categories come last.

    n_kept : int
        Number of categories that are not rare. All rare categories share an entry.

    expects_unseen : bool
        Whether so many rows of `fit` had a category of their own that new rows have
        new categories, too.
    """

    is_numeric = False

    def __init__(self, keys, n_kept, expects_unseen):
        self.keys = keys
        self.n_kept = n_kept
        self.expects_unseen = expects_unseen
        # The entry of an unseen category: the rare ones' entry, or else none. A column
        # of a single category tells nothing, whatever it holds later.
        self.unseen = n_kept if len(keys) > 1 else 0
        has_rare = n_kept < len(keys)
        self._is_binary = n_kept == 2 and not has_rare
        # Number of entries. Networks take a code in place of many entries.
        self.width = 1 if self._is_binary else n_kept + has_rare
        self.has_many_categories = self.width > _MAX_ONE_HOT
        self._index_of_key = {key: i for i, key in enumerate(keys)}
        # None if several categories have the alias.
        self._index_of_alias = {}
        for i, key in enumerate(keys):
            for alias in _aliases(key):
                is_new = alias not in self._index_of_alias
                self._index_of_alias[alias] = i if is_new else None

    @classmethod
    def from_column(cls, column, min_frequency, max_entries):
        """Make the encoding of a column by the frequencies of its categories."""
        counts = Counter()
        n_rows = np.bincount(column.values, minlength=len(column.categories))
        for value, n in zip(column.categories, n_rows.tolist(), strict=True):
            counts[category_key(value)] += n
        frequent = [key for key in counts if counts[key] >= min_frequency]
        if len(frequent) + (len(frequent) < len(counts)) > max_entries:
            # Ties are broken by a hash: the order of the names may follow y.
            frequent.sort(key=lambda key: (-counts[key], _hash(key)))
            frequent = frequent[: max_entries - 1]
        # Sorted, so that the encoding does not depend on the order of the rows: the
        # frequent categories, then the rare ones; of each the missing value first.
        kept = set(frequent)
        keys = sorted(
            counts, key=lambda key: (key not in kept, key[0] != _MISSING, key)
        )
        n_single = sum(n == 1 for n in counts.values())
        # The next row may have a new category, too: fewer than 10 rows tell nothing.
        expects_unseen = n_single + 1 > _EXPECTED_UNSEEN * len(column.values)
        return cls(keys, len(kept), expects_unseen)

    def read(self, source):
        """Read a column as in `fit`."""
        return source.read_categories()

    def suffixes(self):
        """Suffixes of the column's name for each entry."""
        kept = self.keys[int(self._is_binary) : self.n_kept]
        names = ["missing" if kind == _MISSING else text for kind, text in kept]
        return [*names, "rare"] if self.n_kept < len(self.keys) else names

    def prepare(self, column, is_grid=False):
        """Index of the entry of each row; `unseen` for an unseen category.

        `is_grid` says that the values are no rows, so that their shares tell nothing.
        """
        indices = [self._find(category_key(value)) for value in column.categories]
        pairs = list(zip(column.categories, indices, strict=True))
        present = [(value, i) for value, i in pairs if value is not None]
        is_reported = self._report_nearly_seen(column.name, present)
        if present and all(i is None for _, i in present):
            are_few = len(column.values) < _MIN_ROWS
            unseen = [value for value, _ in present]
            self._report_unseen(column.name, unseen, is_reported or are_few)
        elif not (is_reported or is_grid):
            self._report_share(column, [i is None for i in indices])
        entries = [self.unseen if i is None else min(i, self.n_kept) for i in indices]
        return np.array(entries, np.intp)[column.values]

    def _find(self, key):
        """Index of a category in `keys`, or of its alias of another type, or None."""
        index = self._index_of_key.get(key)
        if index is None and key[0] == _TEXT and is_missing(key[1]):
            index = self._index_of_key.get(category_key(None))
        if index is not None:
            return index
        indices = {self._index_of_alias.get(alias) for alias in _aliases(key)} - {None}
        if len(indices) != 1:
            return None
        (index,) = indices
        found = self.keys[index]
        if found[0] == key[0]:
            # Two texts are the same category only if they are equal, two numbers also
            # if one is the other in float32.
            is_rounded = key[0] == _NUMBER and _as_float32(key[1]) in (key[1], found[1])
            return index if is_rounded else None
        return index

    def _report_unseen(self, name, values, permits_kinds_seen):
        """Warn that no value was seen in `fit`, or refuse the values if they are dates.

        `permits_kinds_seen` says that there is no warning if `fit` saw values of the
        same kind: new categories of a few rows are usual.

        Raises
        ------
        ValueError
            If the values have dates and `fit` saw none.
        """
        seen = [key for key in self.keys if key[0] != _MISSING]
        before = (
            f"{seen[0][0]}, such as {seen[0][1]}" if seen else "missing values only"
        )
        kinds_seen = {key[0] for key in seen}
        for value in values:
            if kind_of(value) and category_key(value)[0] not in kinds_seen:
                raise ValueError(
                    f"Column {name} had {before} in `fit`, but now has "
                    f"{kind_of(value)}. Convert it to the type in `fit`."
                )
        kind, text = category_key(values[0])
        if permits_kinds_seen and {category_key(v)[0] for v in values} <= kinds_seen:
            return
        remedy = (
            " If they are the same values, convert the column to the type in `fit`."
        )
        warn(
            f"Column {name} has no value that was seen in `fit`. In `fit` it had "
            f"{before}; now it has {kind}, such as {text}. {self._effect_of_unseen}"
            f"{'' if kind in kinds_seen else remedy}"
        )

    def _report_nearly_seen(self, name, present):
        """Warn of the first value that is nearly a category of `fit`, if there is one.

        `present` has pairs of a value and its index, or None for an unseen value.
        Returns whether there is such a value.
        """
        for value, index in present:
            is_merged = isinstance(value, float) and value in self._merged_integers
            if index is not None and not is_merged:
                continue
            if finding := self._find_near(*category_key(value), is_merged):
                warn(f"Column {name} has {finding}")
                return True
        return False

    def _find_near(self, kind, text, is_merged):
        """Return the rest of a warning that begins with the column's name, or ""."""
        if kind != _TEXT:
            # Numbers of one float32 are no rounded forms of each other.
            aliases = {text} if kind == _NUMBER else _aliases((kind, text))
            indices = [self._index_of_alias.get(alias, -1) for alias in aliases]
            return (
                f"{text}, which stands for several categories of `fit`. Convert the "
                "column to the type in `fit`."
                if is_merged or None in indices
                else ""
            )
        near = self._texts_by_spelling.get(_spelling(text))
        if near is not None:
            # The composed and the decomposed form of a letter look alike.
            forms = {unicodedata.normalize("NFC", form) for form in (text, near)}
            text, near = map(repr if len(forms) > 1 else ascii, (text, near))
            return (
                f"{text}, which was not seen in `fit`, where {near} was. It counts as "
                "an unseen category. If they are the same, write it as in `fit`."
            )
        if self._a_number and is_almost_number(text) and not is_number(text):
            return (
                f"{text!r}, which was not seen in `fit`, where numbers were, such as "
                f"{self._a_number}. It counts as an unseen category. Convert the "
                "numbers as before the fit, such as by pandas.read_csv with its "
                "`thousands` and `decimal`."
            )
        return ""

    @cached_property
    def _merged_integers(self):
        """The numbers of float64 that several integers of `fit` become."""
        texts = [text for kind, text in self.keys if kind == _NUMBER]
        counts = Counter(float(text) for text in texts if _WHOLE_NUMBER.fullmatch(text))
        return {number for number, n in counts.items() if n > 1}

    @cached_property
    def _a_number(self):
        """The text of a number of `fit`, or None."""
        return next((text for kind, text in self.keys if kind == _NUMBER), None)

    def _report_share(self, column, are_unseen):
        """Warn if most rows have categories that were not seen in `fit`."""
        if not any(are_unseen):
            return
        counts = np.bincount(column.values, minlength=len(are_unseen))
        # A missing value is never to be expected.
        are_counted = np.array(are_unseen) & [
            value is None or not self.expects_unseen for value in column.categories
        ]
        counts = np.where(are_counted, counts, 0)
        n_rows = len(column.values)
        if _are_most(counts.sum(), n_rows):
            example = column.categories[counts.argmax()]
            example = "a missing value" if example is None else plain_repr(example)
            warn(
                f"Column {column.name} has values that were not seen in `fit` in "
                f"{counts.sum()} of {n_rows} rows, such as {example}. "
                f"{self._effect_of_unseen} Check that the column was read as before "
                "the fit."
            )

    @property
    def _effect_of_unseen(self):
        if len(self.keys) == 1:
            return "They have no effect, as the column had a single category in `fit`."
        return "They count as unseen categories."

    @cached_property
    def _texts_by_spelling(self):
        """The text of `fit` of each spelling that a single text has."""
        found = [(_spelling(text), text) for kind, text in self.keys if kind == _TEXT]
        counts = Counter(spelling for spelling, _ in found)
        return {spelling: text for spelling, text in found if counts[spelling] == 1}

    def write(self, entries, out):
        """Encode the result of :meth:`prepare` into `out`, of shape (n_rows, width)."""
        if self._is_binary:
            out[:, 0] = np.array([-1, 1, 0])[entries]
            return
        out[:] = entries[:, np.newaxis] == np.arange(out.shape[1])

    def to_state(self):
        """Arguments of the class, to be saved: a file may alter keys that are text."""
        keys = json.dumps(self.keys, ensure_ascii=False)
        keys = np.frombuffer(keys.encode("utf-8", "surrogatepass"), np.uint8)
        return {
            "keys": keys,
            "n_kept": self.n_kept,
            "expects_unseen": self.expects_unseen,
        }

    @classmethod
    def from_state(cls, state):
        """Invert :meth:`to_state`."""
        keys = json.loads(state["keys"].tobytes().decode("utf-8", "surrogatepass"))
        return cls(
            list(map(tuple, keys)), int(state["n_kept"]), bool(state["expects_unseen"])
        )


def category_key(value):
    """Kind and text of a category. Equal numbers of different types are equal keys.

    Parameters
    ----------
    value : object
        The category; None for a missing value.

    Returns
    -------
    kind : str
        Type of the value, in the words of messages.

    text : str
        The value as text.
    """
    if value is None:
        return _MISSING, ""
    if isinstance(value, str):
        # str(value) may be the name of an Enum's member instead of its text.
        return _TEXT, str.__str__(value)
    if isinstance(value, bool | np.bool_):
        return _BOOLEAN, str(bool(value))
    if isinstance(value, Real | Decimal):
        return _NUMBER, _number_text(value)
    kind = type(value).__name__
    return kind, repr(value) if isinstance(value, bytes) else str(value)


def _number_text(value):
    """The same text for equal numbers: integers with all their digits."""
    if isinstance(value, Decimal) and abs(value.adjusted()) > _MAX_DIGITS:
        return str(value)
    try:
        return str(int(value)) if value == int(value) else repr(float(value))
    except (OverflowError, ValueError):
        return str(value)


def _aliases(key):
    """Texts of the same category in other types, such as "1" for True and "1.0".

    Marks of missing values have the text of a missing value. A number also has its text
    in float32.
    """
    kind, text = key
    if kind == _BOOLEAN:
        return {text, str(int(text == "True"))}
    if kind == _TEXT:
        if is_missing(text):
            return {category_key(None)[1]}
        text = text.strip()
        if is_number(text):
            is_integer = text.lstrip("+-").isdigit() and len(text) < _MAX_DIGITS
            return {_number_text(int(text) if is_integer else float(text))}
        if text.lower() in ("true", "false"):
            return {text.capitalize()}
    if kind == _NUMBER:
        return {text, _as_float32(text)}
    return {text}


def _as_float32(text):
    """The text of a number that is rounded to float32, if it is not a whole number."""
    if text.lstrip("-").isdigit() or not is_number(text):
        return text
    number = float(text)
    if abs(number) > np.finfo(np.float32).max:
        return text
    number = float(np.float32(number))
    return text if number.is_integer() else _number_text(number)


def _spelling(text):
    """A text without its spaces, case, leading zeros, and the ".0" of floats.

    Spaces between words become single ones, and Unicode's variants of a letter equal.
    Other decimals stay, since the versions "3.1" and "3.10" differ.
    """
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if whole := _WHOLE_NUMBER.fullmatch(text):
        sign, digits = whole.groups()
        return sign + (digits.lstrip("0") or "0")
    return text


def _hash(key):
    # Unlike Python's hash, the same in every process.
    return blake2b("\0".join(key).encode("utf-8", "surrogatepass")).digest()
