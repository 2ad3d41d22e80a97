"""CSV files: pandas reads them, and this decides what is in them, or refuses to.

What the first row is, what separates the fields and what the columns hold is decided
once, by a look at the first rows, and told with the data. pandas is fast, but lenient:
it fills short rows, drops what a first row has too many, and names no line. So every
row is read by Python's own reader, too, once there is something to explain.
"""

import csv
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise

import numpy as np

from .._tabular.texts import has_leading_zero, is_almost_number, is_date, is_number

_INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")
_MISSING = {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"}
_MISSING |= {"null", "NULL", "None"}
# A class may well be called None, as where there are mild and severe ones too.
_MISSING_LABELS = _MISSING - {"None"}
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTED = re.compile('"[^"]*"')
# A needless 0 where a field begins.
_MAY_BE_CODE = re.compile('(^|[,"])\\s*[+-]?0[0-9]')
# Rows by which header and separator are told.
_SAMPLE = 1000
# Rows of text alone, of which the first never occurs again, that make it a header.
_ROWS_OF_TEXT = 10
# Share of its rows, and of its distinct values, that are not numbers from which a
# column of numbers and text is one of codes; below it they may be mistakes.
_SHARE_OF_CODES = 0.1


@dataclass
class Layout:
    """What was found to be in a file.

    Parameters
    ----------
    has_header : bool
        Whether the first row has the names of the columns.

    names : list of str
        Names of the features, x0, x1 and so on where there is no header.

    categories : list of int
        Numbers of the features that are categories; all others are numbers.

    of_codes : list of int
        Those among them that have numbers, too.
    """

    has_header: bool
    names: list
    categories: list = field(default_factory=list)
    of_codes: list = field(default_factory=list)


def import_pandas(caller):
    """Import ``pandas``.

    Raises
    ------
    ImportError
        If there is no pandas; tells what to install.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{caller} requires pandas. You can install it with `pip install pandas`."
        ) from error
    return pandas


def read_table(path, header, *, mixed):
    """Samples and labels of a CSV file, and what it was found to hold.

    Parameters
    ----------
    path : str or path-like
        The file.

    header : bool or "infer"
        Whether the first row has the columns' names.

    mixed : bool
        Whether features may be categories.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_rows, n_features)
        An array where there are neither names nor categories.

    y : ndarray of shape (n_rows,)
        The labels.

    layout : Layout
        What was decided.
    """
    pandas = import_pandas("read_mixed_csv" if mixed else "read_csv")
    # Not `in`, as 0 equals False, and by it pandas means that there is a header.
    if not isinstance(header, bool) and header != "infer":
        raise ValueError(f'header must be True, False or "infer", got {header!r}.')
    with _told_as_value_errors(path):
        sample = list(islice(_records(path), _SAMPLE))
        layout = _find_layout(path, sample, header, mixed)
        _check_separator(path)
        # Of a row that is longer than the names pandas may drop the end.
        for line, fields in sample[layout.has_header :]:
            _check_row(path, layout, line, fields, any_text=mixed)
        try:
            if mixed and _may_have_codes(path):
                raise ValueError("numbers with leading zeros")
            X, y = _read_numbers(pandas, path, layout)
        except UnicodeDecodeError:
            raise
        except (ValueError, OverflowError, pandas.errors.ParserWarning) as error:
            _explain(path, layout, any_text=mixed)
            if not mixed:
                raise ValueError(f"{path}: expected a CSV file: {error}") from error
            return *_read_mixed(pandas, path, layout), layout
        # pandas goes on over a quote that is not closed, up to the next one.
        if any("\n" in label or "\r" in label for label in np.unique(y).astype(str)):
            _explain(path, layout)
    if layout.has_header:
        X = pandas.DataFrame(X, columns=layout.names, copy=False)
    return X, y, layout


@contextmanager
def _told_as_value_errors(path):
    """Tell what is no text in UTF-8, or no CSV file, in a ValueError."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected text in UTF-8, but line {_undecodable_line(path)} has "
            f"other bytes: {error.reason}."
        ) from error
    except csv.Error as error:
        raise ValueError(f"{path}: expected a CSV file: {error}.") from error


def _records(path):
    """Yield line number and stripped fields of each row that is not blank."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True, strict=True)
        line = 1
        for row in reader:
            fields = [field.strip() for field in row]
            if fields not in ([], [""]):
                yield line, fields
            line = reader.line_num + 1


# What the first row is.


def _find_layout(path, sample, header, mixed):
    """What the first rows tell: the header, and the columns' names."""
    if not sample:
        raise ValueError(f"{path}: expected a CSV file, but it is empty.")
    (line, first), *others = sample
    if len(first) < 2:
        raise ValueError(
            f"{path}, line {line}: expected features and a label separated by commas, "
            f"found one field, {_shortened(first[0])}.{_hint(first)}"
        )
    others = [fields for _, fields in others if len(fields) == len(first)]
    has_header = header
    if header == "infer":
        has_header = _is_header(path, line, first, others, mixed)
    if not has_header:
        return Layout(False, [f"x{i}" for i in range(len(first) - 1)])
    _check_header(path, line, first)
    if len(sample) == 1:
        raise ValueError(f"{path}: expected rows, found a header only.")
    return Layout(True, first[:-1])


def _is_header(path, line, first, others, mixed):
    """Whether the first row has names, not values, by what the other rows have.

    A column of numbers tells by whether its first field is one, a column of text by
    whether its first field occurs again.

    Raises
    ------
    ValueError
        If it may be either: then a guess may lose a row, or make one up.
    """
    columns = list(zip(*others, strict=True)) or [()] * len(first)
    by_numbers, by_text = set(), set()
    for name, column in zip(first, columns, strict=True):
        present = [value for value in column if value not in _MISSING]
        if not present or name == "":
            continue
        if all(map(is_almost_number, present)):
            by_numbers.add(not _is_value(name))
            if not _is_value(name) and is_almost_number(name):
                # A value that is written in an unexpected way, or a name.
                by_numbers.add(False)
        elif name in present:
            by_text.add(False)
        elif len(set(present)) < len(present):
            # The others occur again; a label that occurs once is none.
            by_text.add(True)
    names = first[:-1]
    are_names = all(map(_may_be_name, first)) and any(map(_is_name, names))
    if by_numbers == {True}:
        is_header = True if are_names and False not in by_text else None
    elif not by_numbers and by_text == {True}:
        is_header = True if are_names and len(others) >= _ROWS_OF_TEXT else None
    elif by_numbers == {False}:
        is_header = None if by_text == {True} or _are_counted(first) else False
    elif not by_numbers and by_text == {False}:
        is_header = False
    elif (by_numbers or by_text) or (
        mixed and any(not _is_value(v) for r in others for v in r[:-1])
    ):
        is_header = None
    else:
        # Of one row, or a few: names, or values, by themselves.
        are_values = all(map(_is_value, names)) and not _are_counted(first)
        is_header = True if are_names else False if are_values else None
    if is_header is None:
        raise ValueError(
            f"{path}, line {line}: can't tell whether this is a header or a row of "
            f"values, found {_shortened(first)}. Say which, by header=True or False "
            f"(--header yes or no).{_hint(first)}{_hint_at_row_numbers(first)}"
        )
    return is_header


def _are_counted(first):
    """Whether fields count up, as years and names that pandas has made do."""
    if len(first) < 3 or not all(map(_INTEGER.fullmatch, first)):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(first))


def _is_value(field):
    return field in _MISSING or is_number(field)


def _may_be_name(field):
    return field != "" and not _is_value(field) and not is_almost_number(field)


def _is_name(field):
    # What starts otherwise may be a number that is written in an unexpected way.
    return not _is_value(field) and (field[0].isalpha() or field[0] == "_")


def _check_header(path, line, names):
    if "" in names[:-1]:
        raise ValueError(
            f"{path}, line {line}: expected a name for each column, found none for "
            f"column {names.index('') + 1}. If that is a row number, remove the column."
        )
    repeated = [name for i, name in enumerate(names) if name in names[:i]]
    if repeated:
        raise ValueError(
            f"{path}, line {line}: expected different names of the columns, found "
            f"{repeated[0]!r} twice."
        )


def _check_separator(path):
    """Refuse a file whose rows another separator cuts evenly, too."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = [_QUOTED.sub("", line) for line in islice(file, 100) if line.strip()]
    for separator, name in _OTHER_SEPARATORS.items():
        counts = {line.count(separator) for line in lines}
        if len(counts) == 1 and counts != {0}:
            raise ValueError(
                f"{path}: expected fields separated by commas, but all lines have as "
                f"many {name}. Are there {name} in place of commas? Then write it as "
                f"by pandas.read_csv(path, sep={separator!r}, decimal=',')."
                "to_csv(path, index=False)."
            )


# What the columns hold.


def _may_have_codes(path):
    """Whether a field may be a number with leading zeros."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return any(_MAY_BE_CODE.search(line) for line in file)


def _read_mixed(pandas, path, layout):
    """A DataFrame and labels; finds the columns of categories."""
    frame = _read_frame(pandas, path, layout, dtype=str)
    frame = frame.apply(lambda column: column.str.strip())
    try:
        labels = _to_labels(pandas, frame.pop(len(layout.names)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    for i in frame:
        present = frame[i].where(~frame[i].isin(_MISSING))
        if _are_categories(path, layout, i, present.value_counts()):
            layout.categories.append(i)
            frame[i] = present.astype("category")
        else:
            frame[i] = present.map(float, na_action="ignore").astype(float)
    frame.columns = layout.names
    return frame, labels


def _are_categories(path, layout, i, counts):
    """Whether the texts of a column, given with their numbers, are categories.

    Raises
    ------
    ValueError
        If they are dates, or may as well be numbers with mistakes.
    """
    numbers = [text for text in counts.index if is_number(text)]
    others = counts.drop(numbers)
    if others.empty:
        layout.of_codes += [i] if any(map(has_leading_zero, numbers)) else []
        return i in layout.of_codes
    dates = [text for text in others.index if is_date(text)]
    if counts[dates].sum() > counts.sum() / 2:
        raise ValueError(
            _told_by_line(path, layout, i, dates[0], "a number or a category")
            + " It looks like a date: read the file by pandas.read_csv(path, "
            f"parse_dates=[{layout.names[i]!r}]); or, if the column has categories, by "
            f"pandas.read_csv(path, dtype={{{layout.names[i]!r}: 'category'}})."
        )
    alike = [text for text in others.index if is_almost_number(text)]
    share = min(len(others) / len(counts), others.sum() / counts.sum())
    is_rare = numbers and share < _SHARE_OF_CODES
    n_alike = counts[numbers + alike].sum()
    if (alike and n_alike > counts.sum() / 2) or is_rare:
        odd = (alike or others.index)[0]
        raise ValueError(
            _told_by_line(path, layout, i, odd, "a number, or nothing, NA or ?")
            + " Write it as a number; or, if the column has categories, read the file "
            f"by pandas.read_csv(path, dtype={{{layout.names[i]!r}: 'category'}})."
        )
    layout.of_codes += [i] if numbers else []
    return True


def _told_by_line(path, layout, i, value, expected):
    """Tell where a value is, and what was expected there."""
    records = islice(_records(path), layout.has_header, None)
    line = next((line for line, fields in records if fields[i] == value), "?")
    return (
        f"{path}, line {line}, column {i + 1}{_named(layout, i)}: expected {expected}; "
        f"found {_shortened(value)}."
    )


def _named(layout, i):
    return f" ({layout.names[i]!r})" if layout.has_header else ""


def _read_numbers(pandas, path, layout):
    """Samples and labels; a ValueError tells that something is wrong, not where."""
    n_fields = len(layout.names) + 1
    missing = dict.fromkeys(range(n_fields - 1), sorted(_MISSING))
    frame = _read_frame(
        pandas, path, layout, dtype={n_fields - 1: str}, na_values=missing
    )
    labels = _to_labels(pandas, frame.pop(n_fields - 1))
    samples = np.empty(frame.shape)
    odd = [i for i in frame if frame[i].dtype.kind not in "iuf"]
    for i in frame.columns.difference(odd):
        samples[:, i] = frame[i]
    if odd:
        # Their texts, as pandas takes True for 1 and very long integers for objects.
        frame = _read_frame(pandas, path, layout, dtype=str, usecols=odd)
    for i in odd:
        samples[:, i] = [_to_float(str(text).strip()) for text in frame[i]]
    return samples, labels


def _read_frame(pandas, path, layout, **options):
    # Before 3.1 the others round; since then all are exact, and this is deprecated.
    if tuple(map(int, pandas.__version__.split(".")[:2])) < (3, 1):
        options["float_precision"] = "round_trip"
    # Opened here, as pandas takes some paths for addresses or archives, by their names.
    with (
        open(path, encoding="utf-8-sig", newline="") as file,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        return pandas.read_csv(
            file,
            names=range(len(layout.names) + 1),
            header=0 if layout.has_header else None,
            index_col=False,
            keep_default_na=False,
            skipinitialspace=True,
            low_memory=False,
            **options,
        )


def _to_float(text):
    if not _is_value(text):
        raise ValueError(f"{text!r} is not a number.")
    return np.nan if text in _MISSING else float(text)


def _to_labels(pandas, column):
    """The labels, integers if all are written as such."""
    codes, texts = pandas.factorize(column.str.strip(), use_na_sentinel=False)
    texts = [str(text) for text in texts]
    if any(_is_no_label(text) for text in texts):
        raise ValueError("a label is missing.")
    if all(_INTEGER.fullmatch(text) for text in texts):
        return np.array([int(text) for text in texts])[codes]
    return np.array(texts)[codes]


def _is_no_label(text):
    # NumPy would drop a NUL at the end.
    return text in _MISSING_LABELS or "\0" in text


# What is wrong, and in which line.


def _explain(path, layout, any_text=False):
    """Raise the error of the first row that is wrong, if there is one."""
    for line, fields in islice(_records(path), layout.has_header, None):
        _check_row(path, layout, line, fields, any_text)


def _check_row(path, layout, line, fields, any_text):
    n_fields = len(layout.names) + 1
    if len(fields) != n_fields:
        raise ValueError(
            f"{path}, line {line}: expected {n_fields} fields, as in the first row; "
            f"found {len(fields)}: {_shortened(fields)}."
        )
    for i, text in enumerate(fields[:-1]):
        if not (any_text or _is_value(text)):
            raise ValueError(
                f"{path}, line {line}, column {i + 1}{_named(layout, i)}: expected a "
                "number, or nothing, NA or ? where it is missing; found "
                f"{_shortened(text)}.{_hint(fields)}"
            )
    if _is_no_label(fields[-1]):
        raise ValueError(
            f"{path}, line {line}: expected a label in the last column, found "
            f"{_shortened(fields[-1])}."
        )


def _hint_at_row_numbers(first):
    if first[0] != "":
        return ""
    return " If the first column has row numbers, leave it out: to_csv(index=False)."


def _hint(fields):
    for separator, name in _OTHER_SEPARATORS.items():
        if any(separator in text for text in fields):
            return f" Are there {name} in place of commas?"
    return ""


def _shortened(found):
    text = repr(found)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _undecodable_line(path):
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
