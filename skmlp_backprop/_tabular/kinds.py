"""Decides which columns are numeric and which are categorical, with warnings."""

import numpy as np

from . import texts
from .columns import (
    Column,
    is_real,
    parse_numbers,
    refuse_date_texts,
    refuse_periods,
)

# A column is free text if more than this share of its values is distinct, and if its
# distinct values have this many characters or more on average.
_FREE_TEXT_SHARE = 0.5
_FREE_TEXT_LENGTH = 40
# A column is an identifier if at least this share of its values is distinct, and if it
# has this many rows or more.
_IDENTIFIER_SHARE = 0.9
_IDENTIFIER_ROWS = 30


def infer_column(source, messages):
    """Read an undeclared column as numbers or as categories, by its type and values.

    Parameters
    ----------
    source : Source
        The column.

    messages : list of str
        Gets a message appended if the column has numbers written as text.

    Returns
    -------
    column : Column
        Numeric if the column's type is numeric, or if all objects are numbers; else
        categorical. :func:`_infer_text` has the rule for text.
    """
    if source.is_category:
        return source.read_categories()
    values = source.to_floats()
    if values is not None:
        return Column(source.name, values)
    source.refuse_unfit_type()
    codes, categories = source.factorized
    present = [value for value in categories if value is not None]
    refuse_periods(source.name, present)
    refuse_date_texts(source.name, present)
    n_strings = sum(isinstance(value, str) for value in present)
    n_numbers = sum(map(is_real, present))
    n_bools = sum(isinstance(value, bool | np.bool_) for value in present)
    if n_strings and n_numbers + n_strings == len(present) and not n_bools:
        is_numeric, finding = _infer_text(codes, categories)
        if finding:
            messages.append(
                f"Column {source.name} {finding} Declare the column before the fit: "
                "convert it to numbers, such as by pandas.to_numeric, or name it in "
                "`categorical_features`."
            )
    else:
        is_numeric = n_numbers == len(present) and n_bools < len(present)
    if is_numeric:
        return Column(source.name, parse_numbers(source.name, codes, categories))
    return source.read_categories()


def _infer_text(codes, categories):
    """Decide whether a column of text, or of text and numbers, is numeric.

    It is numeric if each text is a number without leading zeros, or stands for a
    missing value. Codes, such as postal codes, have leading zeros.

    Returns
    -------
    is_numeric : bool
        Whether the column is numeric.

    finding : str
        The rest of a warning that begins with the column's name. Empty unless most rows
        have numbers.
    """
    if not _are_mostly_numbers(codes, categories):
        return False, ""
    strings = [value for value in categories if isinstance(value, str)]
    missing = [text for text in strings if texts.is_missing(text)]
    words = [t for t in strings if not (texts.is_number(t) or texts.is_missing(t))]
    zeros = [text for text in strings if texts.has_leading_zero(text)]
    if words:
        return False, (
            f"has numbers among its text, but also {_join(words)}: it is taken as "
            "categories."
        )
    if zeros:
        return False, (
            f"has numbers with leading zeros, as codes have, such as {_join(zeros)}: "
            "it is taken as categories."
        )
    also = f" and {_join(missing)}, taken as missing" if missing else ""
    return True, f"has numbers written as text{also}: it is taken as numbers."


def _are_mostly_numbers(codes, categories):
    """Whether more rows have numbers, or text such as "10%", than other values."""
    n_rows = np.bincount(codes, minlength=len(categories))
    n_numbers = n_others = 0
    for value, n in zip(categories, n_rows.tolist(), strict=True):
        is_text = isinstance(value, str)
        if value is None or (is_text and texts.is_missing(value)):
            continue
        if not is_text or texts.is_almost_number(value):
            n_numbers += n
        else:
            n_others += n
    return n_numbers > n_others


def _join(values):
    first = ", ".join(map(repr, sorted(values)[:3]))
    return first if len(values) <= 3 else f"{first} and {len(values) - 3} others"


def refuse_free_text(column):
    """Raise ValueError if the values of a categorical column are mostly sentences."""
    strings = [value for value in column.categories if isinstance(value, str)]
    if len(strings) <= max(20, _FREE_TEXT_SHARE * len(column.values)):
        return
    length = np.mean([len(text) for text in strings])
    if length >= _FREE_TEXT_LENGTH:
        raise ValueError(
            f"Column {column.name} looks like free text: {len(strings)} distinct "
            f"values of {length:.0f} characters on average. Convert it to numbers, by "
            "skrub.TableVectorizer in a Pipeline with the estimator, or drop it."
        )


def identifier_message(column):
    """Return a warning if the column identifies the rows, else the empty string."""
    if column.is_categorical:
        n_distinct = sum(value is not None for value in column.categories)
        n_present = len(column.values)
        if n_distinct < len(column.categories):
            missing = column.categories.index(None)
            n_present -= np.count_nonzero(column.values == missing)
        if n_distinct < max(_IDENTIFIER_ROWS, _IDENTIFIER_SHARE * n_present):
            return ""
        finding = f"has {n_distinct} distinct values in {n_present} rows"
    else:
        if not _is_row_number(column.values):
            return ""
        low, high = column.values.min(), column.values.max()
        finding = f"numbers the rows, from {low:.0f} to {high:.0f}, each once"
    return (
        f"Column {column.name} {finding}, as an identifier does. Identifiers tell "
        "nothing about new rows: drop the column, unless it is a quantity."
    )


def _is_row_number(values):
    """Whether the values are distinct integers >= 0 that fill half of their range.

    Half of the range suffices, because a training set may be half of all rows.
    """
    if len(values) < _IDENTIFIER_ROWS:
        return False
    low, high = float(values.min()), float(values.max())
    # The comparison is false for NaN.
    if not (low >= 0 and high - low < 2 * len(values)):
        return False
    are_whole = bool((values == np.floor(values)).all())
    return are_whole and len(np.unique(values)) == len(values)
