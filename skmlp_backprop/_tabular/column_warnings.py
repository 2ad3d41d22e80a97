"""Warnings of columns that look wrong, though their kind is decided."""

import numpy as np

from . import texts
from .categories import describe_nearly_equal
from .sources import CATEGORIES, NUMBERS

# A column is an identifier if at least this share of its values is distinct, and if it
# has this many rows or more.
_IDENTIFIER_SHARE = 0.9
_IDENTIFIER_ROWS = 30
# So many distinct values tell that a column has numbers with a unit, dates as whole
# numbers, or several values in a text.
_MANY = 10


def warnings_of_column(source, column):
    """Return the warnings of a column.

    Parameters
    ----------
    source : Source
        The column as it was given.

    column : Column
        The column as it was read.

    Returns
    -------
    messages : list of str
        The warnings.
    """
    messages = [
        _merging_message(source, column) or _spelling_message(column),
        _several_values_message(column)
        or _date_message(column)
        or identifier_message(column),
    ]
    return [message for message in messages if message]


def _merging_message(source, column):
    """Return a warning if float64 merges integers of the column, else ""."""
    if column.kind != NUMBERS or not (np.abs(column.values) >= 2**53).any():
        return ""
    n_distinct = source.n_distinct_integers()
    n_numbers = len(np.unique(column.values[~np.isnan(column.values)]))
    if n_distinct <= n_numbers:
        return ""
    return (
        f"Column {column.name} has {n_distinct} distinct integers, which float64 "
        f"rounds to {n_numbers} distinct numbers. If they are identifiers, "
        "name the column in `categorical_features`, or convert it to text or a "
        "category, before the fit."
    )


def _spelling_message(column):
    """Return a warning if categories differ only in how they are written, else ""."""
    if column.kind != CATEGORIES:
        return ""
    found = describe_nearly_equal(column.categories)
    if not found:
        return ""
    return (
        f"Column {column.name} has categories that differ only in how they are "
        f"written, such as {found}. They count as different categories. If they are "
        "the same, write them alike before the fit."
    )


def identifier_message(column):
    """Return a warning if the column identifies the rows, else the empty string.

    Numbers do if they are distinct integers >= 0 that fill half of their range, because
    a training set may be half of all rows.
    """
    values, finding = column.values, ""
    if column.kind == CATEGORIES:
        missing = [code for code, v in enumerate(column.categories) if v is None]
        n_distinct = len(column.categories) - len(missing)
        n_present = np.count_nonzero(values != missing[0]) if missing else len(values)
        are_many = n_distinct >= max(_IDENTIFIER_ROWS, _IDENTIFIER_SHARE * n_present)
        if are_many and not describe_units(
            value for value in column.categories if isinstance(value, str)
        ):
            finding = f"has {n_distinct} distinct values in {n_present} rows"
    elif np.count_nonzero(present := ~np.isnan(values)) >= _IDENTIFIER_ROWS:
        gaps = "" if present.all() else " with a value"
        values = values[present]
        low, high = float(values.min()), float(values.max())
        if (
            (low >= 0 and high - low < 2 * len(values))
            and (values == np.floor(values)).all()
            and len(np.unique(values)) == len(values)
        ):
            finding = (
                f"has a different whole number in each row{gaps}, from {low:.0f} to "
                f"{high:.0f}"
            )
    if not finding:
        return ""
    return (
        f"Column {column.name} {finding}, as an identifier does. Identifiers tell "
        "nothing about new rows: drop the column, unless it is a quantity."
    )


def _several_values_message(column):
    """Return a warning if texts of the column have several values each, else ""."""
    if column.kind != CATEGORIES:
        return ""
    strings = [value for value in column.categories if isinstance(value, str)]
    for separator in ";|":
        several = [text for text in strings if separator in text]
        if len(several) < max(_MANY, len(strings) / 2):
            continue
        with_blank = f"{separator} "
        if all(t.count(with_blank) == t.count(separator) for t in several):
            separator = with_blank
        places = {place for t in strings for place in enumerate(t.split(separator))}
        n_values = len({value for _, value in places})
        # Of names, addresses and the like, each part is at one place.
        if n_values < min(len(places), len(strings)):
            return (
                f"Column {column.name} has several values in a text, such as "
                f"{several[0]!r}. Each combination counts as a category of its own. "
                "Before the fit, make a column of each value, such as by "
                f"Series.str.get_dummies({separator!r}) of pandas."
            )
    return ""


def _are_days(numbers):
    """Whether numbers such as 20240131 are days of the calendar."""
    months, days = np.divmod(numbers.astype(np.int64), 100)
    years, months = np.divmod(months, 100)
    starts = (years - 1970).astype("M8[Y]").astype("M8[M]") + (months - 1)
    dates = starts.astype("M8[D]") + (days - 1)
    # A month 13 or a day 30 in February is in another year or month.
    is_day = (dates.astype("M8[M]") == starts) & (months >= 1) & (months <= 12)
    return is_day.all()


def _are_months(numbers):
    """Whether numbers such as 202401 are months."""
    return _are_days(numbers * 100 + 1)


def _are_scattered(numbers):
    """Whether sorted numbers are farther from each other than identifiers are."""
    return numbers[-1] - numbers[0] >= 2 * len(numbers)


# Whole numbers that may be dates: the least one, the limit above, a check of them, an
# example, and the arguments of pandas.to_datetime.
_INTEGERS = "column.astype('Int64')"
_TEXT = f"{_INTEGERS}.astype('string')"
_DATES_AS_NUMBERS = [
    (1900_00, 2101_00, _are_months, "202401 for 2024-01", f"{_TEXT}, format='%Y%m'"),
    (
        1900_00_00,
        2101_00_00,
        _are_days,
        "20240131 for 2024-01-31",
        f"{_TEXT}, format='%Y%m%d'",
    ),
    # Until 2030: many codes have ten digits, or thirteen.
    (10**9, 19 * 10**8, _are_scattered, "seconds since 1970", f"{_INTEGERS}, unit='s'"),
    (
        10**12,
        19 * 10**11,
        _are_scattered,
        "milliseconds since 1970",
        f"{_INTEGERS}, unit='ms'",
    ),
    (
        10**15,
        19 * 10**14,
        _are_scattered,
        "microseconds since 1970",
        f"{_INTEGERS}, unit='us'",
    ),
]


def _date_message(column):
    """Return a warning if the numbers of the column look like dates, else ""."""
    if column.kind != NUMBERS:
        return ""
    # Not a number if all values are missing.
    low, high = np.fmin.reduce(column.values), np.fmax.reduce(column.values)
    for lower, upper, are_dates, example, arguments in _DATES_AS_NUMBERS:
        # The bounds leave few columns to sort.
        if not (lower <= low and high < upper):
            continue
        numbers = np.unique(column.values[~np.isnan(column.values)])
        are_whole = (numbers == np.floor(numbers)).all()
        if len(numbers) >= _MANY and are_whole and are_dates(numbers):
            return (
                f"Column {column.name} has whole numbers that look like dates, such as "
                f"{example}: it is taken as numbers. If it has dates, convert the "
                "column before the fit, with pandas by "
                f"pandas.to_datetime({arguments})."
            )
    return ""


def describe_units(strings):
    """What numbers with units look like, for a message; "" without such numbers."""
    units = {
        text: texts.unit_of(text) for text in strings if not texts.is_missing(text)
    }
    found = [text for text, unit in units.items() if unit]
    n_units = len({units[text] for text in found})
    if len(found) < max(_MANY, len(units) / 2) or n_units > 1:
        return ""
    return f"has numbers with a unit, such as {join(found)}"


def join(values):
    """The first values, for a message."""
    first = ", ".join(map(repr, sorted(values)[:3]))
    return first if len(values) <= 3 else f"{first} and {len(values) - 3} others"
