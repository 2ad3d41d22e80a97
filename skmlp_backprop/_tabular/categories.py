"""The encoding of a column of categories, which it finds again in other types."""

import json
import re
import unicodedata
from collections import Counter
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from numbers import Real

import numpy as np

from .._estimators.checks import plain_repr
from .._network.warning import warn
from .dates import kind_of
from .encodings import MIN_ROWS, are_most
from .texts import is_almost_number, is_missing, is_number

# Larger numbers are not written out digit by digit.
_MAX_DIGITS = 400
# The most entries of a column in one-hot columns; with more, it is encoded in codes.
_MAX_ONE_HOT = 16
# New rows are expected to have new categories if more than this share of the rows of
# `fit` had a category that no other row had.
_EXPECTED_UNSEEN = 0.1
_WHOLE_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.0*)?")
_LONG_WORD = re.compile(r"[^\W\d_]{4}")
# Kinds of values, in the words of messages.
_MISSING = "missing"
_TEXT = "text"
NUMBER = "numbers"
_BOOLEAN = "booleans"


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
    n_bins = 0

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
            for alias in aliases_of(key):
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

        `is_grid` says that the values are a grid, not rows: how often a category occurs
        means nothing.
        """
        indices = [self.find(category_key(value)) for value in column.categories]
        pairs = list(zip(column.categories, indices, strict=True))
        present = [(value, i) for value, i in pairs if value is not None]
        is_reported = self._report_nearly_seen(column.name, pairs)
        if present and all(i is None for _, i in present):
            are_few = len(column.values) < MIN_ROWS
            unseen = [value for value, _ in present]
            self._report_unseen(column.name, unseen, is_reported or are_few)
        elif not (is_reported or is_grid):
            self._report_share(column, [i is None for i in indices])
        entries = [self.unseen if i is None else min(i, self.n_kept) for i in indices]
        return np.array(entries, np.intp)[column.values]

    def find(self, key):
        """Index of a category in `keys`, or of its alias of another type, or None."""
        index = self._index_of_key.get(key)
        if index is None and key[0] == _TEXT and is_missing(key[1]):
            index = self._index_of_key.get(category_key(None))
        if index is not None:
            return index
        aliases = aliases_of(key)
        indices = {self._index_of_alias.get(alias) for alias in aliases} - {None}
        if len(indices) != 1 or (key[0] == NUMBER and self._is_ambiguous(*key)):
            return None
        (index,) = indices
        found = self.keys[index]
        if found[0] == key[0]:
            # Two texts are the same category only if they are equal, two numbers also
            # if one is the other in float32, or if they differ by rounding alone.
            is_rounded = key[0] == NUMBER and (
                _as_float32(key[1]) in (key[1], found[1])
                or f"{float(key[1]):.15g}" == f"{float(found[1]):.15g}"
            )
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
                remedy = "Fit to rows with values in this column"
                if seen:
                    remedy = "Convert it to the type in `fit`"
                raise ValueError(
                    f"Column {name} had {before} in `fit`, but now has "
                    f"{kind_of(value)}. {remedy}."
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

    def _report_nearly_seen(self, name, pairs):
        """Warn of the first value that is nearly a category of `fit`, if there is one.

        The pairs are of a value and its index, or None for an unseen value. Returns
        whether there is such a value.
        """
        for value, index in pairs:
            is_merged = _rounded_number(value) in self._merged_integers
            if index is not None and not is_merged:
                continue
            kind, text = category_key(value)
            if is_merged or self._is_ambiguous(kind, text):
                remedy = "Convert the column to the type in `fit`."
                if value is None:
                    text, remedy = "a missing value", "Read the column as before."
                finding = f"{text}, which stands for several categories of `fit`. "
                finding += remedy
            else:
                finding = self._describe_near(text) if kind == _TEXT else ""
            if finding:
                warn(f"Column {name} has {finding}")
                return True
        return False

    def _is_ambiguous(self, kind, text):
        """Whether a value, if it is no text, is the same as several categories."""
        if kind == _TEXT:
            return False
        # Two numbers with the same float32 are different categories.
        aliases = {text} if kind == NUMBER else aliases_of((kind, text))
        return None in [self._index_of_alias.get(alias, -1) for alias in aliases]

    def _describe_near(self, text):
        """The rest of a warning if a text is nearly a category of `fit`, or ""."""
        near = self._texts_by_spelling.get(_spelling(text))
        if near is not None:
            text, near = _distinct_reprs(text, near)
            return (
                f"{text}, which `fit` did not see; it saw {near}. {text} counts as an "
                "unseen category. If they are the same, write it as in `fit`."
            )
        if self._a_number and is_almost_number(text) and not is_number(text):
            return (
                f"{text!r}, which `fit` did not see; it saw numbers, such as "
                f"{self._a_number}. {text!r} counts as an unseen category. Convert the "
                "numbers as before the fit, such as by pandas.read_csv with its "
                "`thousands` and `decimal`."
            )
        return ""

    @cached_property
    def _merged_integers(self):
        """The floats to which two or more integers of `fit` are rounded.

        The integers may be numbers or text.
        """
        texts = [text.strip() for kind, text in self.keys if kind in (NUMBER, _TEXT)]
        # 7 and "7", or "007", are the same integer.
        integers = {_whole_number(text) for text in texts} - {None}
        counts = Counter(float(str(integer)) for integer in integers)
        return {number for number, n in counts.items() if n > 1}

    @cached_property
    def _a_number(self):
        """The text of a number of `fit`, or None."""
        return next((text for kind, text in self.keys if kind == NUMBER), None)

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
        if are_most(counts.sum(), n_rows):
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


def describe_nearly_equal(categories):
    """Two categories that differ only in how they are written, for a message.

    They differ in spaces, case, leading zeros or type. The case counts in short texts
    such as "mW", which are neither in lower case nor in upper case nor capitalized.

    Parameters
    ----------
    categories : iterable of object
        Distinct categories; None for a missing value.

    Returns
    -------
    description : str
        Such as "'north' and 'North '"; empty if there are no such categories.
    """
    by_key = {category_key(value): value for value in categories}
    by_spelling = {}
    for key in sorted(key for key in by_key if key[0] in (_TEXT, NUMBER, _BOOLEAN)):
        text = key[1]
        ignores_case = _LONG_WORD.search(text) is not None or (
            text in (text.lower(), text.upper(), text.capitalize(), text.title())
        )
        other = by_spelling.setdefault(_spelling(text, ignores_case), key)
        if other != key:
            return " and ".join(_distinct_reprs(by_key[other], by_key[key]))
    return ""


def _distinct_reprs(value, other):
    """The values as messages have them, in ASCII if they would look alike."""
    # The composed and the decomposed form of a letter look alike.
    forms = {unicodedata.normalize("NFC", str(v)) for v in (value, other)}
    are_texts = isinstance(value, str) and isinstance(other, str)
    write = ascii if are_texts and len(forms) == 1 else plain_repr
    return write(value), write(other)


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
        return NUMBER, _number_text(value)
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


def aliases_of(key):
    """Texts of the same category in other types, such as "1" for True and "1.0".

    Marks of missing values have the text of a missing value. A number also has its text
    in float32: 0.10000000149011612 for 0.1, and 0.1 for 0.10000000149011612.
    """
    kind, text = key
    if kind == _BOOLEAN:
        return {text, str(int(text == "True"))}
    if kind == _TEXT:
        if is_missing(text):
            return {category_key(None)[1]}
        text = text.strip()
        if is_number(text):
            whole = _whole_number(text)
            return {_number_text(float(text) if whole is None else whole)}
        if text.lower() in ("true", "false"):
            return {text.capitalize(), str(int(text.lower() == "true"))}
    if kind == NUMBER:
        number = _float32_of(text)
        if number is not None and float(number) == float(text):
            # The shortest text that float32 tells from its neighbours.
            return {text, _number_text(float(str(number)))}
        return {text, _as_float32(text)}
    return {text}


def _whole_number(text):
    """The integer that a text such as "12" or "12.0" writes out, or None."""
    found = _WHOLE_NUMBER.fullmatch(text.removeprefix("+"))
    if found is None or len(text) >= _MAX_DIGITS:
        return None
    return int("".join(found.groups()))


def _rounded_number(value):
    """The float of a value that may be a rounded integer, or None.

    Such a value is a float, or a text of one, such as "1.5e+18".
    """
    if isinstance(value, str):
        text = value.strip()
        is_float = is_number(text) and _whole_number(text) is None
        return float(text) if is_float else None
    return value if isinstance(value, float) else None


def _as_float32(text):
    """The text of a number that is rounded to float32, if it is not a whole number."""
    number = _float32_of(text)
    if number is None or number.is_integer():
        return text
    return _number_text(float(number))


def _float32_of(text):
    """A number in float32, or None if it is whole, too large, or no number."""
    if text.lstrip("-").isdigit() or not is_number(text):
        return None
    number = float(text)
    return None if abs(number) > np.finfo(np.float32).max else np.float32(number)


def _spelling(text, ignores_case=True):
    """A text without its spaces, case, leading zeros, and the ".0" of floats.

    Spaces between words become single ones, and Unicode's variants of a letter equal.
    Other decimals stay, since the versions "3.1" and "3.10" differ.
    """
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if ignores_case:
        text = text.casefold()
    if whole := _WHOLE_NUMBER.fullmatch(text):
        sign, digits = whole.groups()
        return sign + (digits.lstrip("0") or "0")
    return text


def _hash(key):
    # Unlike Python's hash, the same in every process.
    return blake2b("\0".join(key).encode("utf-8", "surrogatepass")).digest()


def warn_of_shared_categories(columns, encodings, max_width):
    """Warn of columns with more categories than the networks tell apart.

    Parameters
    ----------
    columns : list of Column
        The columns.

    encodings : list
        The encoding of each column.

    max_width : int
        The largest number of entries of a column.
    """
    for column, encoding in zip(columns, encodings, strict=True):
        if not isinstance(encoding, CategoryEncoding) or encoding.width < max_width:
            continue
        if encoding.n_kept < len(encoding.keys):
            warn(
                f"Column {column.name} has {len(encoding.keys)} categories. The "
                f"networks tell the {encoding.n_kept} most frequent apart, and take "
                "the others as one. New rows will have these more often, so that "
                "out-of-bag scores are too good and intervals too narrow. Group the "
                "categories, or leave the column out."
            )
