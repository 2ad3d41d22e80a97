"""CSV and TSV files: their separator, their rows and their header.

Python's csv module reads the rows, since pandas is lenient: it fills short rows, cuts
long ones and joins rows where a quote is not closed. A file that leaves a doubt is
refused.
"""

import csv
import gzip
import re
import zlib
from difflib import get_close_matches
from itertools import islice

import numpy as np

from .._tabular.texts import is_almost_number, is_number

MISSING = {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"}
MISSING |= {"null", "NULL", "None"}
# A date of ISO 8601, with or without a time and a time zone.
ISO_DATE = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    "([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?"
    "(?P<zone>Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTED = re.compile('"[^"]*"')
# The surrogates stand for bytes that are not UTF-8.
_NO_TEXT = re.compile("[\0\udc80-\udcff]")
# A letter or an underscore.
_WORD = re.compile("[^\\W\\d]")
# Number of rows that decide on the header.
_SAMPLE = 1000
# With fewer rows of text alone, a first row that never occurs again is no evidence.
_ROWS_OF_TEXT = 10


def import_pandas():
    """pandas, or an error that says that files are read with it."""
    try:
        import pandas
    except ImportError as error:
        message = "CSV files are read with pandas: run `pip install pandas`."
        raise ImportError(message) from error
    return pandas


class TextFile:
    """The fields of a CSV or TSV file, whose rows have the same number of them.

    Parameters
    ----------
    path : str or path-like
        The file.

    min_fields : int, default=2
        Smallest number of fields of a row.

    Attributes
    ----------
    first : list of str
        The fields of the first row.

    has_header : bool
        Whether the first row is a header, as :meth:`take_header` says.

    names : list of str
        Names of the columns; x0, x1 and so on without a header.

    Raises
    ------
    ValueError
        If the file is empty, can't be unpacked, is no text in UTF-8, may have another
        separator, or has rows of different lengths.
    """

    def __init__(self, path, min_fields=2):
        self.path, name = path, str(path).lower()
        self._open = gzip.open if name.endswith(".gz") else open
        separator = "\t" if name.removesuffix(".gz").endswith(".tsv") else ","
        if separator == ",":
            self._check_separator()
        self._line_numbers, rows = [], []
        for number, fields in self._rows(separator, min_fields):
            self._line_numbers.append(number)
            rows.append(fields)
        if not rows:
            raise ValueError(f"{path}: expected a CSV file, but it is empty.")
        columns = zip(*rows, strict=True)
        self._columns = [list(map(str.strip, column)) for column in columns]
        self.first = [column[0] for column in self._columns]
        self.has_header, self.names = False, [f"x{i}" for i in range(len(self.first))]

    def _lines(self):
        """Yield the lines."""
        with self._open(
            self.path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as file:
            try:
                for number, line in enumerate(file, start=1):
                    if _NO_TEXT.search(line):
                        raise ValueError(
                            f"{self.path}, line {number}: expected text in UTF-8 "
                            f"without NUL, found {line!r:.100}."
                        )
                    yield line
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(f"{self.path}: can't be unpacked: {error}") from error

    def _rows(self, separator, min_fields):
        """Yield line number and fields of each row that is not blank."""
        reader = csv.reader(
            self._lines(), delimiter=separator, skipinitialspace=True, strict=True
        )
        line, blank, n_fields = 1, None, None
        try:
            for fields in reader:
                if len(fields) < 2 and not "".join(fields).strip():
                    blank = blank or line
                else:
                    n_fields = n_fields or max(min_fields, len(fields))
                    if len(fields) != n_fields:
                        name = "tabs" if separator == "\t" else "commas"
                        raise ValueError(
                            f"{self.path}, line {line}: expected {n_fields} fields "
                            f"separated by {name}, found {len(fields)}: "
                            f"{fields!r:.100}."
                        )
                    if blank and n_fields == 1:
                        raise ValueError(
                            f"{self.path}, line {blank}: the line is blank. Write NA "
                            "if its value is missing; else remove it."
                        )
                    yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"{self.path}, line {line}: expected a CSV file: {error}."
            ) from error

    def _check_separator(self):
        """Refuse a CSV file whose lines may be separated by other characters, too."""
        lines = [_QUOTED.sub("", line) for line in islice(self._lines(), 100)]
        for separator, name in _OTHER_SEPARATORS.items():
            counts = {line.count(separator) for line in lines if line.strip()}
            if len(counts) == 1 and counts != {0}:
                raise ValueError(
                    f"{self.path}: all lines have as many {name}. Are there {name} in "
                    "place of commas? Then write a file with commas: "
                    f"pandas.read_csv(path, sep={separator!r}, header=None, dtype=str, "
                    "keep_default_na=False).to_csv('new.csv', header=False, "
                    "index=False). If numbers have decimal commas, replace these by "
                    "points."
                )

    def column(self, i):
        """The texts of a column, without blanks around and without the header."""
        return self._columns[i][self.has_header :]

    def take_header(self, needed):
        """Take the first row as names, which the columns `needed` must have."""
        if len(self._line_numbers) == 1:
            raise ValueError(f"{self.path}: expected rows, found a header only.")
        for i, name in enumerate(self.first):
            if name in self.first[:i] or (name == "" and i in needed):
                raise ValueError(
                    f"{self.path}: expected a different name for each column, found "
                    f"{name!r} for column {i + 1}. If it has row numbers, remove it."
                )
        self.has_header, self.names = True, self.first

    def find(self, name, header):
        """Index of a named column; `header` may be "infer"."""
        if header is not False and name in self.first:
            return self.first.index(name)
        if header is not True and name in self.names:
            return self.names.index(name)
        names = self.names if header is False else self.first
        by_lower = {known.lower(): known for known in names}
        close = get_close_matches(name.lower(), by_lower, n=1)
        question = f" Did you mean {by_lower[close[0]]!r}?" if close else ""
        without = "; the first row is read as data" if header is False else ""
        raise ValueError(
            f"{self.path}: no column is named {name!r}.{question} The columns are "
            f"{join(names)}{without}."
        )

    def refuse(self, i, texts, expected, remedy=""):
        """Raise the error of the first row that has such a text in column `i`."""
        row, text = next(
            (row, text) for row, text in enumerate(self.column(i)) if text in texts
        )
        name = f" ({self.names[i]!r})" if self.has_header else ""
        raise ValueError(
            f"{self.path}, line {self._line_numbers[row + self.has_header]}, column "
            f"{i + 1}{name}: expected {expected}; found {text!r:.100}.{remedy}"
        )


def join(names):
    """The first names, for messages."""
    shown = ", ".join(map(repr, names[:20]))
    return shown if len(names) <= 20 else f"{shown}, ... ({len(names)} in all)"


def infer_header(path, columns, mixed):
    """Whether the first row has names, not values, by the values of the other rows.

    The label is in the last column. A row that may be either is refused: a guess may
    lose a row, or make one up.
    """
    columns = [column[:_SAMPLE] for column in columns]
    first, n_others = [column[0] for column in columns], len(columns[0]) - 1
    by_numbers, by_text = _evidence(columns, mixed)
    evidence = by_numbers | by_text
    # The first row decides by itself if the others have numbers alone, or nothing.
    alone = not evidence and not (
        mixed and any(True in _may_be_name(v) for c in columns[:-1] for v in c[1:])
    )
    are_names = all(_may_be_name(field) == {True} for field in first)
    are_names = are_names and any(map(_WORD.match, first[:-1]))
    enough = by_numbers or n_others >= _ROWS_OF_TEXT
    if are_names and (alone or (evidence == {True} and enough)):
        return True
    are_values = all(_may_be_name(field) == {False} for field in first[:-1])
    by_others = evidence == {False} or (by_numbers == {False} and False in by_text)
    has_row_numbers = n_others and columns[0] == ["", *map(str, range(n_others))]
    is_clear = not (has_row_numbers or count_up(first))
    if is_clear and (by_others or (alone and are_values)):
        return False
    hint = " If the first column has row numbers, leave it out: to_csv(index=False)."
    raise ValueError(
        f"{path}: can't tell whether the first row is a header or values, found "
        f"{first!r:.100}. Say which, by header=True or False (--header yes or no)."
        f"{'' if first[0] else hint}"
    )


def _evidence(columns, mixed):
    """Whether the first fields are names, by the columns of numbers and of text.

    In a column of numbers a name is no number; in a column of text it does not occur
    again.
    """
    by_numbers, by_text = set(), set()
    for name, *values in columns:
        present = [value for value in values if value not in MISSING]
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
    return by_numbers, by_text


def _may_be_name(field):
    """Whether a field of the first row may be a name: {True}, {False} or both."""
    if field in MISSING or is_number(field):
        return {False}
    return {True, False} if is_almost_number(field) else {True}


def count_up(first):
    """Whether fields count up, as years and the names that pandas makes do.

    Two numbers do so by one, as values of any other step are not rare.
    """
    if len(first) < 2 or not all(map(is_number, first)):
        return False
    numbers = np.array(first, float)
    if not np.isfinite(numbers).all():
        return False
    step = numbers[1] - numbers[0]
    rest = numbers - (numbers[0] + step * np.arange(len(numbers)))
    steps_are_equal = step > 0 and np.abs(rest).max() <= 1e-6 * step
    return bool(steps_are_equal and (len(first) > 2 or step == 1))
