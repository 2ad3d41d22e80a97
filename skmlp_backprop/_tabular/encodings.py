"""How a column becomes a network's inputs: a class for numbers, one for categories."""

from collections import Counter
from decimal import Decimal
from hashlib import blake2b
from numbers import Real

import numpy as np

from .._network.warning import warn
from .texts import is_number

# Of normal numbers, in standard deviations.
_INTERQUARTILE_RANGE = 1.35
# What the scaled numbers stay below.
_MOST = 3
# What they are far below of, and whose square is a float.
_FAR_OUT = 1e100
_LARGEST = np.finfo(np.float64).max
# Of numbers that are written out.
_MOST_DIGITS = 400
# What a category's value is, in the words of messages.
_MISSING = "missing"
_TEXT = "text"
_NUMBER = "numbers"
_BOOLEAN = "booleans"


class NumberEncoding:
    """Scaled and bent, in bins, and whether it is missing.

    Parameters
    ----------
    centre, scale : float
        What is subtracted, and what is divided by then. The scale is infinite where all
        numbers were the same, and the centre NaN where there were none: what such a
        column has later tells nothing.

    edges : ndarray of shape (n_bins + 1,)
        Edges of the bins; of length 1 for none.

    has_missing : bool
        Whether there is an entry that tells missing values.

    unit : float, default=1.0
        What values are multiplied by first: less than 1 where their range is no float.
    """

    def __init__(self, centre, scale, edges, has_missing, unit=1.0):
        self.centre = centre
        self.scale = scale
        self.edges = edges
        self.has_missing = has_missing
        self.unit = unit

    @classmethod
    def fitted_to(cls, column, n_bins):
        """By the quantiles of the values."""
        is_missing = np.isnan(column.values)
        present = np.sort(column.values[~is_missing])
        if len(present) == 0:
            return cls(np.nan, np.inf, np.zeros(1), has_missing=True)
        unit = 1.0 if np.isfinite(float(present[-1]) - float(present[0])) else 0.25
        present *= unit
        low, centre, high = np.quantile(present, [0.25, 0.5, 0.75])
        scale = (high - low) / _INTERQUARTILE_RANGE or (present[-1] - present[0]) / 2
        edges = _edges(present, n_bins)
        return cls(centre, scale or np.inf, edges, bool(is_missing.any()), unit)

    @property
    def width(self):
        """Number of entries."""
        return len(self.edges) + self.has_missing

    def suffixes(self):
        """What the entries' names add to the column's; None for nothing."""
        bins = [f"bin{i}" for i in range(1, len(self.edges))]
        return [None, *bins, *(["missing"] if self.has_missing else [])]

    def prepare(self, column):
        """The values, in their unit; where no entry tells missing ones, the centre."""
        values = column.values if self.unit == 1 else column.values * self.unit
        is_missing = np.isnan(values)
        if np.isnan(self.centre) and not is_missing.all():
            warn(
                f"Column {column.name} had missing values only in `fit`. The numbers "
                "that it has now are ignored."
            )
            return np.full_like(values, np.nan)
        if not self.has_missing and is_missing.any():
            return np.where(is_missing, self.centre, values)
        return values

    def write(self, values, out):
        """Write the entries of prepared values to `out`, of shape (n_rows, width)."""
        is_missing = np.isnan(values)
        n_bins = len(self.edges) - 1
        # What is beyond the floats is clipped.
        with np.errstate(over="ignore"):
            scaled = np.clip(values - self.centre, -_LARGEST, _LARGEST) / self.scale
            scaled = np.clip(scaled, -_FAR_OUT, _FAR_OUT)
            out[:, 0] = scaled / np.sqrt(1 + (scaled / _MOST) ** 2)
            for i in range(n_bins):
                low, high = self.edges[i : i + 2]
                out[:, i + 1] = np.clip((values - low) / (high - low), 0, 1)
        out[is_missing, : n_bins + 1] = 0
        if self.has_missing:
            out[:, -1] = is_missing

    def to_plain(self):
        """What is saved of it."""
        return dict(vars(self))

    @classmethod
    def from_plain(cls, plain):
        """The inverse of :meth:`to_plain`."""
        return cls(**plain)


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
    keys : list of tuple (str, str)
        What kind of value each category that was seen is, and its text, see
        :func:`key_of`. Those with an entry of their own come first.

    n_kept : int
        How many have an entry of their own. One more entry stands for all others, if
        there are any.
    """

    def __init__(self, keys, n_kept):
        self.keys = keys
        self.n_kept = n_kept
        self._places = {key: i for i, key in enumerate(keys)}
        # Where a value of another type would belong; None where that is not clear.
        self._by_alias = {}
        for i, key in enumerate(keys):
            for alias in _aliases(key):
                is_new = alias not in self._by_alias
                self._by_alias[alias] = i if is_new else None

    @classmethod
    def fitted_to(cls, column, min_frequency, most):
        """By the frequencies of the values; `most` entries at most."""
        counts = Counter()
        n_rows = np.bincount(column.values, minlength=len(column.distinct))
        for value, n in zip(column.distinct, n_rows.tolist(), strict=True):
            counts[key_of(value)] += n
        frequent = [key for key in counts if counts[key] >= min_frequency]
        if len(frequent) + (len(frequent) < len(counts)) > most:
            # Those of one frequency in an order that has nothing to do with their
            # names: by these they may well be sorted as y is.
            frequent.sort(key=lambda key: (-counts[key], _scrambled(key)))
            frequent = frequent[: most - 1]
        # In an order that the rows have no part in.
        kept = sorted(frequent, key=_by_name)
        rare = sorted(counts.keys() - set(kept), key=_by_name)
        return cls(kept + rare, len(kept))

    @property
    def has_rare(self):
        """Whether one entry stands for all categories without one of their own."""
        return self.n_kept < len(self.keys)

    @property
    def _is_binary(self):
        return self.n_kept == 2 and not self.has_rare

    @property
    def width(self):
        """Number of entries."""
        return 1 if self._is_binary else self.n_kept + self.has_rare

    def suffixes(self):
        """What the entries' names add to the column's."""
        kept = (
            self.keys[1 : self.n_kept] if self._is_binary else self.keys[: self.n_kept]
        )
        known = ["missing" if kind == _MISSING else text for kind, text in kept]
        return [*known, *(["rare"] if self.has_rare else [])]

    def prepare(self, column):
        """The entry of each row's value; `n_kept` for rare and unseen ones."""
        places = [self._find(key_of(value)) for value in column.distinct]
        unseen = [
            value
            for value, place in zip(column.distinct, places, strict=True)
            if place is None and value is not None
        ]
        if unseen and len(unseen) == sum(
            value is not None for value in column.distinct
        ):
            self._warn_of_unseen(column.name, unseen)
        entries = [
            self.n_kept if place is None else min(place, self.n_kept)
            for place in places
        ]
        return np.array(entries, np.intp)[column.values]

    def _find(self, key):
        """The place of a category, also of one that is equal up to its type."""
        place = self._places.get(key)
        if place is not None:
            return place
        found = {self._by_alias.get(alias) for alias in _aliases(key)} - {None}
        if len(found) != 1:
            return None
        (place,) = found
        # Texts are the same only where they are the same to the letter.
        return None if self.keys[place][0] == key[0] else place

    def _warn_of_unseen(self, name, unseen):
        seen = [key for key in self.keys if key[0] != _MISSING]
        before = (
            f"{seen[0][0]}, such as {seen[0][1]}" if seen else "missing values only"
        )
        kind, text = key_of(unseen[0])
        advice = "If they are the same values, convert the column to the type it had."
        warn(
            f"Column {name} has no value that was seen in `fit`. There it had "
            f"{before}; now it has {kind}, such as {text}. All count as unseen "
            f"categories.{'' if kind in {key[0] for key in seen} else f' {advice}'}"
        )

    def write(self, entries, out):
        """Write rows, as :meth:`prepare` returns them, to `out`."""
        if self._is_binary:
            out[:, 0] = np.array([-1, 1, 0])[entries]
            return
        out[:] = entries[:, np.newaxis] == np.arange(out.shape[1])

    def to_plain(self):
        """What is saved of it: arrays, as keys of a dict may come back as others."""
        kinds, texts = zip(*self.keys, strict=True) if self.keys else ((), ())
        return {
            "kinds": _packed(kinds),
            "texts": _packed(texts),
            "n_kept": self.n_kept,
        }

    @classmethod
    def from_plain(cls, plain):
        """The inverse of :meth:`to_plain`."""
        kinds, texts = _unpacked(plain["kinds"]), _unpacked(plain["texts"])
        return cls(list(zip(kinds, texts, strict=True)), int(plain["n_kept"]))


def key_of(value):
    """What a category is known by: the kind of its value, in words, and its text.

    Numbers that are equal are one category, whatever their types.

    Parameters
    ----------
    value : object
        The category; None for a missing value.

    Returns
    -------
    kind, text : str
        Equal for equal values.
    """
    if value is None:
        return _MISSING, ""
    if isinstance(value, str):
        # Not by str(value), which members of an Enum may answer by their names.
        return _TEXT, str.__str__(value)
    if isinstance(value, bool | np.bool_):
        return _BOOLEAN, str(bool(value))
    if isinstance(value, Real | Decimal):
        return _NUMBER, _number_text(value)
    kind = type(value).__name__
    return kind, repr(value) if isinstance(value, bytes) else str(value)


def _number_text(value):
    # Whole numbers to the last digit; those that would take many digits as they are.
    if isinstance(value, Decimal) and abs(value.adjusted()) > _MOST_DIGITS:
        return str(value)
    try:
        return str(int(value)) if value == int(value) else repr(float(value))
    except (OverflowError, ValueError):
        return str(value)


def _aliases(key):
    """Texts by which a category may be written in another type."""
    kind, text = key
    if kind == _BOOLEAN:
        return {text, str(int(text == "True"))}
    if kind == _TEXT:
        text = text.strip()
        if is_number(text):
            is_whole = text.lstrip("+-").isdigit() and len(text) < _MOST_DIGITS
            return {_number_text(int(text) if is_whole else float(text))}
        if text.lower() in ("true", "false"):
            return {text.capitalize()}
    return {text}


def _by_name(key):
    return key[0] != _MISSING, *key


def _scrambled(key):
    return blake2b("\0".join(key).encode("utf-8", "surrogatepass")).digest()


def _packed(texts):
    """Texts as two arrays: their bytes, and how many each has."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return {
        "bytes": np.frombuffer(b"".join(encoded), np.uint8),
        "lengths": np.array([len(text) for text in encoded], np.int64),
    }


def _unpacked(packed):
    """The inverse of :func:`_packed`."""
    content = packed["bytes"].tobytes()
    stops = np.cumsum(packed["lengths"])
    return [
        content[stop - length : stop].decode("utf-8", "surrogatepass")
        for stop, length in zip(stops, packed["lengths"], strict=True)
    ]
