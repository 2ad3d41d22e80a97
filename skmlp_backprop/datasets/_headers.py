"""Finds out whether the first row of a CSV or TSV file has names or values."""

import re

import numpy as np

from .._tabular.texts import is_almost_number, is_number
from ._text_files import ISO_DATE, MISSING

# A letter or an underscore.
_WORD = re.compile("[^\\W\\d]")
# Numbers from here on may be years.
_FIRST_YEAR = 1000
# Where all columns are text, so many rows are needed to tell a header from values: in
# fewer rows, any value may occur just once.
_ROWS_OF_TEXT = 10


def infer_header(path, sample, mixed):
    """Whether the first row has names, not values, by the values of the other rows.

    A column of numbers tells by whether its first field is a number, a column of text
    by whether its first field occurs again. The label is in the last column. A row that
    may be either is refused: a guess may lose a row, or make one up.
    """
    first, *others = sample
    names = first[:-1]
    by_numbers, by_text = set(), set()
    for name, column in zip(first, zip(*others, strict=True), strict=False):
        present = [value for value in column if value not in MISSING]
        if not present or name == "":
            continue
        if all(map(is_almost_number, present)):
            by_numbers |= _may_be_name(name)
        elif mixed and all(map(ISO_DATE.fullmatch, present)):
            by_numbers.add(ISO_DATE.fullmatch(name) is None)
        elif name in present:
            by_text.add(False)
        elif len(set(present)) < len(present):
            by_text.add(True)
    evidence = by_numbers | by_text
    # If the columns tell nothing, the first row is judged by itself; in a mixed table,
    # only if no other row has text, beside its label.
    alone = not evidence and not (
        mixed and any(True in _may_be_name(v) for row in others for v in row[:-1])
    )
    are_names = all(_may_be_name(field) == {True} for field in first)
    are_names = are_names and any(map(_WORD.match, names))
    are_values = all(_may_be_name(name) == {False} for name in names)
    # pandas counts from 0, and R from 1.
    row_numbers = [[str(i + start) for i in range(len(others))] for start in (0, 1)]
    counts_rows = first[0] == "" and [row[0] for row in others] in row_numbers
    enough = by_numbers or len(others) >= _ROWS_OF_TEXT
    if are_names and (alone or (evidence == {True} and enough)):
        return True
    by_others = evidence == {False} or (by_numbers == {False} and False in by_text)
    # A text that occurs again, or a date above dates, is no name.
    has_value = any(
        not (name in MISSING or is_number(name))
        and (name in column or all(map(ISO_DATE.fullmatch, (name, *column))))
        for name, column in zip(first, zip(*others, strict=True), strict=False)
    )
    is_header = count_up(first) and not has_value
    is_clear = not is_header and not (others and counts_rows)
    if (by_others or (alone and are_values)) and is_clear:
        return False
    hint = " If the first column has row numbers, leave it out: to_csv(index=False)."
    raise ValueError(
        f"{path}: can't tell whether the first row is a header or values, found "
        f"{first!r:.100}. Say which, by header=True or False (--header yes or no)."
        f"{'' if first[0] else hint}"
    )


def _may_be_name(field):
    """Whether a field of the first row may be a name: {True}, {False} or both."""
    if field in MISSING or is_number(field):
        return {False}
    return {True, False} if is_almost_number(field) else {True}


def count_up(first):
    """Whether numbers count up, as years and the names that pandas makes do.

    Two numbers do so by one, as values of any other step are not rare. Beside text they
    are years, and beside the missing name of row numbers also from 0 on.
    """
    numbers = np.array([field for field in first if is_number(field)], float)
    if len(numbers) < 2 or not np.isfinite(numbers).all():
        return False
    step = numbers[1] - numbers[0]
    rest = numbers - (numbers[0] + step * np.arange(len(numbers)))
    steps_are_equal = step > 0 and np.abs(rest).max() <= 1e-6 * step
    others = {field for field in first if not is_number(field)}
    are_names = (
        not others or numbers[0] >= _FIRST_YEAR or (others == {""} and numbers[0] == 0)
    )
    return bool(steps_are_equal and (len(numbers) > 2 or step == 1) and are_names)
