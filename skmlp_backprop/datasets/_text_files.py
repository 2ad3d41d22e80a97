"""CSV and TSV files: their encoding, their separator, their rows and their names.

Python's csv module checks the rows, since pandas is lenient: it fills short rows, cuts
long ones and joins rows where a quote is not closed. A file that leaves a doubt is
refused.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from difflib import get_close_matches
from itertools import islice
from shlex import quote
from unicodedata import normalize

import numpy as np

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
# pandas ends a text at NUL. The surrogates stand for bytes that are not UTF-8.
_NO_TEXT = re.compile("[\0\udc80-\udcff]")
# Number of rows that decide on the header.
_SAMPLE = 1000


def import_pandas():
    """Import pandas, or say how to install it."""
    try:
        import pandas
    except ImportError as error:
        message = "Tables are read into DataFrames of pandas: run `pip install pandas`."
        raise ImportError(message) from error
    return pandas


class TextFile:
    """A CSV or TSV file whose rows have the same number of fields.

    Parameters
    ----------
    path : str or path-like
        The file.

    csv_format : CsvFormat
        How the file is written.

    min_fields : int, default=2
        Smallest number of fields of a row.

    Attributes
    ----------
    first : list of str
        The fields of the first row.

    sample : list of list of str
        The fields of the first rows.

    n_rows : int
        Number of rows, without the header.

    has_header : bool
        Whether the first row is a header, as :meth:`take_header` says.

    names : list of str
        Names of the columns; x0, x1 and so on without a header.

    empty : set of int
        Indices of the columns without a name and without values.

    separator : str
        The character that separates the fields.

    format : CsvFormat
        How the file is written.

    Raises
    ------
    ValueError
        If the file is empty, can't be unpacked, is no text in its encoding, may have
        another separator, or has rows of different lengths.
    """

    def __init__(self, path, csv_format, min_fields=2):
        csv_format.check()
        name = str(path).lower()
        self.path = path
        # pandas takes some paths for addresses or archives.
        self._open_file = gzip.open if name.endswith(".gz") else open
        is_utf_8 = codecs.lookup(csv_format.encoding).name == "utf-8"
        self._encoding = "utf-8-sig" if is_utf_8 else csv_format.encoding
        by_name = "\t" if name.removesuffix(".gz").endswith(".tsv") else ","
        self.separator, self.format = csv_format.sep or by_name, csv_format
        if csv_format.sep is None and by_name == ",":
            self._check_separator()
        self.sample, self.n_rows = [], 0
        self._check_rows(min_fields)
        # A file may have other code points for the same characters.
        self.first = [normalize("NFC", field) for field in self.sample[0]]
        self.has_header, self.names = False, [f"x{i}" for i in range(len(self.first))]

    def lines(self):
        """Yield the lines."""
        with self._open() as file:
            try:
                for number, line in enumerate(file, start=1):
                    line = self._without_mark(line) if number == 1 else line
                    if _NO_TEXT.search(line):
                        encoding = self._encoding.removesuffix("-sig").upper()
                        raise ValueError(
                            f"{self.path}, line {number}: expected text in {encoding} "
                            f"without NUL, found {line!r:.100}."
                            f"{self._advice_on_encoding(line)}"
                        )
                    yield line
            except UnicodeError as error:
                raise ValueError(
                    f"{self.path}: expected text in {self._encoding}: {error}."
                ) from error
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(f"{self.path}: can't be unpacked: {error}") from error

    def _without_mark(self, line):
        """The first line without the byte order mark."""
        if line.startswith("\u00ef\u00bb\u00bf"):
            raise ValueError(
                f"{self.path}: the file begins with the mark of UTF-8. Leave out "
                f"encoding={self._encoding!r} (--encoding)."
            )
        return line.removeprefix("\ufeff")

    def _advice_on_encoding(self, line):
        if line.isascii() or self._encoding != "utf-8-sig":
            # NUL alone, or an encoding that the user has chosen.
            return ""
        # The byte order marks of UTF-16.
        is_utf_16 = line.startswith(("\udcff\udcfe", "\udcfe\udcff"))
        encoding = "utf-16" if is_utf_16 else "cp1252"
        return (
            " Save the file as UTF-8, or say its encoding, such as "
            f"encoding={encoding!r} (--encoding {encoding})."
        )

    def _open(self):
        return self._open_file(
            self.path,
            "rt",
            encoding=self._encoding,
            errors="surrogateescape",
            newline="",
        )

    def _rows(self, refuse_blank=False):
        """Yield line number and fields of each row that is not blank.

        `refuse_blank` refuses blank lines between rows of a single field, whose value
        may be missing there.
        """
        reader = csv.reader(
            self.lines(), delimiter=self.separator, skipinitialspace=True, strict=True
        )
        line, blank = 1, None
        try:
            for fields in reader:
                if len(fields) > 1 or "".join(fields).strip(" \t"):
                    if refuse_blank and blank is not None and len(fields) == 1:
                        self._refuse_blank(blank)
                    yield line, fields
                elif blank is None:
                    blank = line
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"{self.path}, line {line}: expected a CSV file: {error}."
            ) from error

    def _refuse_blank(self, line):
        raise ValueError(
            f"{self.path}, line {line}: the line is blank. Write NA if its value is "
            "missing; else remove it."
        )

    def _check_rows(self, min_fields):
        names = {",": "commas", **_OTHER_SEPARATORS}
        separator = names.get(self.separator, repr(self.separator))
        for line, fields in self._rows(refuse_blank=min_fields == 1):
            if self.n_rows < _SAMPLE:
                self.sample.append([field.strip() for field in fields])
            self.n_rows += 1
            if self.n_rows == 1 and fields[0].startswith("sep="):
                raise ValueError(
                    f"{self.path}, line {line}: {fields[0]!r} is a mark for "
                    "spreadsheets. Remove the line."
                )
            n_fields = max(min_fields, len(self.sample[0]))
            if len(fields) != n_fields:
                raise ValueError(
                    f"{self.path}, line {line}: expected {n_fields} fields separated "
                    f"by {separator}, found {len(fields)}: {fields!r:.100}."
                )
            if self.n_rows == 1:
                self.empty = self._with_commas = set(range(n_fields))
            elif self.format.has_commas:
                self._with_commas = {
                    i for i in self._with_commas if self._may_have_comma(fields[i])
                }
            if self.empty:
                self.empty = {i for i in self.empty if not fields[i].strip()}
        if self.n_rows == 0:
            raise ValueError(f"{self.path}: expected a CSV file, but it is empty.")
        if len(self.sample[0]) == 1:
            for number, line in enumerate(self.lines(), start=1):
                # pandas writes a missing value so, also in the last line.
                if line.strip() == '""':
                    self._refuse_blank(number)

    def _check_separator(self):
        """Refuse a CSV file whose lines may be separated by other characters, too."""
        lines = [_QUOTED.sub("", line) for line in islice(self.lines(), 100)]
        for separator, name in _OTHER_SEPARATORS.items():
            option = r"'\t'" if separator == "\t" else quote(separator)
            counts = {line.count(separator) for line in lines if line.strip()}
            if len(counts) == 1 and counts != {0}:
                raise ValueError(
                    f"{self.path}: all lines have the same number of {name}. Are there "
                    f"{name} in place of commas? Then pass sep={separator!r} (--sep "
                    f"{option}). If numbers have decimal commas, also pass "
                    "decimal=',' (--decimal ,). If the commas do separate the fields, "
                    "pass sep=',' (--sep ,)."
                )

    def take_header(self, needed):
        """Take the first row as names, which the columns `needed` must have."""
        if self.n_rows == 1:
            raise ValueError(f"{self.path}: expected rows, found a header only.")
        for i, name in enumerate(self.first):
            if name == "" and i in needed:
                raise ValueError(
                    f"{self.path}: column {i + 1} has no name. Name it, or leave it "
                    "out if it has row numbers: to_csv(index=False)."
                )
            if name in self.first[:i] and i not in self.empty:
                raise ValueError(
                    f"{self.path}: expected a different name for each column, found "
                    f"{name!r} for column {i + 1}."
                )
        self.has_header, self.names = True, self.first
        self.n_rows -= 1

    def find(self, name, header):
        """Index of a named column, before the header is known."""
        if header is not False and name in self.first:
            return self.first.index(name)
        if header is not True and name in self.names:
            return self.names.index(name)
        return self.refuse_name(name, header)

    def refuse_name(self, name, header):
        """Raise the error of a name that no column has."""
        names = self.names if header is False else self.first
        question = did_you_mean(name, names)
        without = "; the first row is read as data" if header is False else ""
        raise ValueError(
            f"{self.path}: no column is named {name!r}.{question} The columns are "
            f"{join(names)}{without}."
        )

    def has_commas(self, i):
        """Whether the numbers of a column have decimal commas.

        Other columns may have text that looks like such numbers, such as codes.
        """
        if not self.format.has_commas or i not in self._with_commas:
            return False
        return self.has_header or self._may_have_comma(self.first[i])

    def _may_have_comma(self, field):
        return self.format.is_number(field) or field.strip() in MISSING

    def read(self, dtype, numbers=(), **options):
        """Read the values by pandas, as a DataFrame with numbers as names.

        `numbers` are the indices of columns whose decimal commas become points.
        """
        pandas = import_pandas()
        # Before 3.1 other options round. Since 3.1 all are exact, this is deprecated.
        if tuple(map(int, pandas.__version__.split(".")[:2])) < (3, 1):
            options["float_precision"] = "round_trip"
        numbers = list(filter(self.has_commas, numbers))
        with self._open() as file:
            # Where lines end in a carriage return, pandas drops an empty first field.
            if numbers or any(line.endswith("\r") for line in self.lines()):
                file = self._rewritten(numbers)
            try:
                return pandas.read_csv(
                    file,
                    sep=self.separator,
                    names=range(len(self.names)),
                    dtype=dtype,
                    header=0 if self.has_header else None,
                    index_col=False,
                    keep_default_na=False,
                    skipinitialspace=True,
                    low_memory=False,
                    **options,
                )
            except ValueError as error:
                message = f"{self.path}: expected a CSV file: {error}"
                raise ValueError(message) from error

    def _rewritten(self, numbers):
        """The text of the file, with decimal points in columns of numbers."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.separator)
        for row, (_, fields) in enumerate(self._rows()):
            if row or not self.has_header:
                for i in numbers:
                    fields[i] = self.format.plain(fields[i])
            writer.writerow(fields)
        text.seek(0)
        return text

    def pandas_options(self):
        """How the file is written, as arguments of pandas.read_csv."""
        options = {}
        if self.separator != ",":
            options["sep"] = self.separator
        if self.format.has_commas:
            options["decimal"] = self.format.decimal
        if self._encoding != "utf-8-sig":
            options["encoding"] = self._encoding
        return "".join(f"{name}={value!r}, " for name, value in options.items())

    def check_same_rows(self, texts):
        """Check columns of text, which lack values where pandas finds fewer fields."""
        if len(texts) != self.n_rows or np.any(texts.isna()):
            self._refuse_rows()

    def _refuse_rows(self):
        raise ValueError(
            f"{self.path}: pandas and Python's csv module read different rows; write "
            "the file by to_csv(path, index=False)."
        )

    def refuse(self, i, texts, expected, remedy=""):
        """Raise the error of the first row that has such a text in column `i`."""
        texts, rows = set(texts), islice(self._rows(), self.has_header, None)
        fields_of_column = ((line, fields[i].strip()) for line, fields in rows)
        found = next((pair for pair in fields_of_column if pair[1] in texts), None)
        del rows, fields_of_column  # closes the file
        if found is None:
            self._refuse_rows()
        name = f" ({self.names[i]!r})" if self.has_header else ""
        raise ValueError(
            f"{self.path}, line {found[0]}, column {i + 1}{name}: expected {expected}; "
            f"found {found[1]!r:.100}.{remedy}"
        )


def did_you_mean(name, names):
    """The question for the closest of the names, or nothing."""
    by_lower = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), by_lower, n=1)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def join(names):
    """The first names, for messages."""
    shown = ", ".join(map(repr, names[:20]))
    return shown if len(names) <= 20 else f"{shown}, ... ({len(names)} in all)"
