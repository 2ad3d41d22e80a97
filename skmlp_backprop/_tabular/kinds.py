"""Which columns are numbers and which are categories, and what is said of that."""

import numpy as np

from . import texts
from .columns import Column, is_real, numbers_of, refuse_dates_among

# Text of which at least this share is distinct, and so many characters long on
# average, is prose and no set of categories.
_DISTINCT_SHARE = 0.5
_PROSE_LENGTH = 40
# A column of which at least this share is distinct, in so many rows or more, identifies
# the rows.
_IDENTIFYING_SHARE = 0.9
_FEWEST_ROWS = 30


def by_what_it_holds(source, remarks):
    """A column that is not declared, as numbers or as categories.

    Parameters
    ----------
    source : Source
        The column.

    remarks : list of str
        Added to where text is taken as numbers, or numbers as categories.

    Returns
    -------
    column : Column
        Numbers where its type is one of numbers, or all of its objects are; else
        categories. Text by the rule of :func:`_is_text_of_numbers`.
    """
    if source.is_category:
        return source.categories()
    values = source.floats()
    if values is not None:
        return Column(source.name, values)
    source.refuse_unfit_type()
    codes, distinct = source.factorized
    present = [value for value in distinct if value is not None]
    refuse_dates_among(source.name, present)
    n_strings = sum(isinstance(value, str) for value in present)
    n_numbers = sum(map(is_real, present))
    n_flags = sum(isinstance(value, bool | np.bool_) for value in present)
    if n_strings and n_numbers + n_strings == len(present) and not n_flags:
        is_number, remark = _is_text_of_numbers(codes, distinct)
        if remark:
            remarks.append(
                f"Column {source.name} {remark} Say which it is before the fit: "
                "convert it to numbers, such as by pandas.to_numeric, or name it in "
                "`categorical_features`."
            )
    else:
        is_number = n_numbers == len(present) and n_flags < len(present)
    if is_number:
        return Column(source.name, numbers_of(source.name, codes, distinct))
    return source.categories()


def _is_text_of_numbers(codes, distinct):
    """Whether text, and numbers among it, is taken as numbers; and what to say of it.

    It is where each value is a number, or says that it is missing, and none has a
    leading zero, as codes have. Where most values are numbers something is said.
    """
    strings = [value for value in distinct if isinstance(value, str)]
    missing = [text for text in strings if texts.is_missing(text)]
    odd = [t for t in strings if not (texts.is_number(t) or texts.is_missing(t))]
    zeros = [text for text in strings if texts.has_leading_zero(text)]
    if not _are_mostly_numbers(codes, distinct):
        return False, ""
    if odd:
        return False, (
            f"has numbers among its text, but also {_listed(odd)}: it is taken as "
            "categories."
        )
    if zeros:
        return False, (
            f"has numbers with leading zeros, as codes have, such as {_listed(zeros)}: "
            "it is taken as categories."
        )
    also = f" and {_listed(missing)}, taken as missing" if missing else ""
    return True, f"has numbers written as text{also}: it is taken as numbers."


def _are_mostly_numbers(codes, distinct):
    """Whether more rows have numbers, or what reads as one, than have other values."""
    n_rows = np.bincount(codes, minlength=len(distinct))
    n_numbers = n_others = 0
    for value, n in zip(distinct, n_rows.tolist(), strict=True):
        is_text = isinstance(value, str)
        if value is None or (is_text and texts.is_missing(value)):
            continue
        if not is_text or texts.is_almost_number(value):
            n_numbers += n
        else:
            n_others += n
    return n_numbers > n_others


def _listed(values):
    shown = ", ".join(map(repr, sorted(values)[:3]))
    return shown if len(values) <= 3 else f"{shown} and {len(values) - 3} others"


def refuse_prose(column):
    """Refuse a column of sentences.

    Raises
    ------
    ValueError
        If its values are mostly distinct, and long.
    """
    strings = [value for value in column.distinct if isinstance(value, str)]
    if len(strings) <= max(20, _DISTINCT_SHARE * len(column.values)):
        return
    length = np.mean([len(text) for text in strings])
    if length >= _PROSE_LENGTH:
        raise ValueError(
            f"Column {column.name} looks like free text: {len(strings)} distinct "
            f"values of {length:.0f} characters on average. Make features of it, such "
            "as by sklearn.feature_extraction.text.TfidfVectorizer, or leave it out."
        )


def remark_of_identifiers(column):
    """What to say of a column that identifies the rows; nothing of others.

    Returns
    -------
    remark : str
        Empty for nothing.
    """
    if column.is_categorical:
        n_distinct = sum(value is not None for value in column.distinct)
        n_present = len(column.values)
        if n_distinct < len(column.distinct):
            n_present -= np.count_nonzero(column.values == column.distinct.index(None))
        if n_distinct < max(_FEWEST_ROWS, _IDENTIFYING_SHARE * n_present):
            return ""
        how = f"has {n_distinct} distinct values in {n_present} rows"
    else:
        if not _numbers_the_rows(column.values):
            return ""
        low, high = column.values.min(), column.values.max()
        how = f"numbers the rows, from {low:.0f} to {high:.0f}, each once"
    return (
        f"Column {column.name} {how}, as an identifier does. Identifiers tell nothing "
        "about new rows: leave the column out, unless it is a quantity."
    )


def _numbers_the_rows(values):
    """Whether the values are whole, each another, and at least half of their range.

    A fold has about so many of the rows' numbers.
    """
    if len(values) < _FEWEST_ROWS:
        return False
    low, high = float(values.min()), float(values.max())
    # Also false of NaN.
    if not (low >= 0 and high - low < 2 * len(values)):
        return False
    are_whole = bool((values == np.floor(values)).all())
    return are_whole and len(np.unique(values)) == len(values)
