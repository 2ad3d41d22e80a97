"""CSV files: pandas reads them, and this finds what must not be read silently.

pandas is fast, but lenient: it fills short rows, drops what a first row has too many,
and names no line. So the first two rows, and every row once there is something to
explain, are read by Python's own reader too.
"""

import csv
import re
import warnings
from contextlib import contextmanager

import numpy as np

_NUMBER = re.compile(
    r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE
)
_INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")
_MISSING = {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"}
_MISSING |= {"null", "NULL", "None"}
# A class may well be called None, as where there are mild and severe ones too.
_MISSING_LABELS = _MISSING - {"None"}
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def import_pandas(caller):
    """Import ``pandas``.

    Raises
    ------
    ImportError
        If there is no pandas; names the extra that brings it.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{caller} requires pandas. You can install it with "
            '`pip install "skmlp-backprop[tables]"`.'
        ) from error
    return pandas


def read_table(path, header):
    """Samples and labels of a CSV file; see :func:`.datasets.read_csv`."""
    pandas = import_pandas("read_csv")
    _check_header_option(header)
    with _told_as_value_errors(path):
        return _read(pandas, path, header)


def _check_header_option(header):
    # Not `in`, as 0 equals False, and by it pandas means that there is a header.
    if not isinstance(header, bool) and header != "infer":
        raise ValueError(f'header must be True, False or "infer", got {header!r}.')


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


def read_mixed_table(path, header):
    """The same with text among the features; see :func:`.datasets.read_mixed_csv`."""
    pandas = import_pandas("read_mixed_csv")
    _check_header_option(header)
    # First as if there were no text: to look for it takes far longer than pandas does.
    try:
        return read_table(path, header)
    except ValueError as error:
        without_text = error
    with _told_as_value_errors(path):
        first = next(_records(path), (1, []))[1]
        may_be_header = header == "infer" and not any(map(_is_value, first[:-1]))
        has_header = bool(first) and (header is True or may_be_header)
        texts = _text_columns(path, len(first), has_header)
        if not texts:
            raise without_text
        if has_header:
            _check_header(path, 1, first)
        _explain(path, len(first), has_header, texts)
        return _read_mixed(pandas, path, first, has_header, texts)


def _read_mixed(pandas, path, first, has_header, texts):
    """A DataFrame and labels, of rows that are known to be right."""
    n_fields = len(first)
    frame = _read_frame(
        pandas,
        path,
        dtype=str,
        names=range(n_fields),
        header=0 if has_header else None,
    )
    frame = frame.apply(lambda column: column.str.strip())
    labels = _to_labels(pandas, frame.pop(n_fields - 1))
    for i in frame:
        present = frame[i].where(~frame[i].isin(_MISSING))
        frame[i] = present.astype("category" if i in texts else float)
    frame.columns = first[:-1] if has_header else [f"x{i}" for i in frame]
    return frame, labels


def _text_columns(path, n_fields, has_header):
    """Numbers of the columns of features that have text, and no number."""
    has_text, has_number = set(), set()
    records = _records(path)
    if has_header:
        next(records)
    for _, fields in records:
        for i, field in enumerate(fields[: n_fields - 1]):
            if _NUMBER.fullmatch(field):
                has_number.add(i)
            elif field not in _MISSING:
                has_text.add(i)
    return has_text - has_number


def _read(pandas, path, header):
    first, has_header = _check_beginning(path, header)
    try:
        samples, labels = _read_rows(pandas, path, len(first), has_header)
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError, pandas.errors.ParserWarning) as error:
        _explain(path, len(first), has_header)
        raise ValueError(f"{path}: expected a CSV file: {error}") from error
    # pandas goes on over a quote that is not closed, up to the next one.
    if any("\n" in label or "\r" in label for label in np.unique(labels).astype(str)):
        _explain(path, len(first), has_header)
    if not has_header:
        return samples, labels
    return pandas.DataFrame(samples, columns=first[:-1], copy=False), labels


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


def _check_beginning(path, header):
    """The first row's fields, and whether they are a header."""
    records = _records(path)
    line, first = next(records, (1, []))
    if not first:
        raise ValueError(f"{path}: expected a CSV file, but it is empty.")
    if len(first) < 2:
        raise ValueError(
            f"{path}, line {line}: expected features and a label separated by commas, "
            f"found one field, {_shortened(first[0])}.{_hint(first)}"
        )
    has_header = _is_header(path, line, first) if header == "infer" else header
    if has_header:
        _check_header(path, line, first)
        line, second = next(records, (line, None))
        if second is None:
            raise ValueError(f"{path}: expected rows, found a header only.")
        _check_row(path, line, second, len(first))
    elif header == "infer":
        _check_no_name_of_labels(path, line, first)
    return first, has_header


def _is_header(path, line, first):
    """Whether the first row has names, not values.

    Raises
    ------
    ValueError
        If it may be either: then a guess may lose a row, or make one up.
    """
    values = [field for field in first[:-1] if _is_value(field)]
    names = [field for field in first[:-1] if _is_name(field)]
    if len(names) == len(first) - 1 and first[-1]:
        return True
    counted = [str(i) for i in range(len(first))]
    if len(values) == len(first) - 1 and (len(first) < 3 or first != counted):
        return False
    raise _ambiguous(path, line, first)


def _check_no_name_of_labels(path, line, first):
    """Refuse a row of numbers whose label is the only one that is no number."""
    if _NUMBER.fullmatch(first[-1]) or first[-1] in _MISSING_LABELS:
        return
    records = _records(path)
    next(records)
    others = [fields[-1] for _, fields in records]
    if others and all(_NUMBER.fullmatch(label) for label in others):
        raise _ambiguous(path, line, first)


def _ambiguous(path, line, first):
    return ValueError(
        f"{path}, line {line}: can't tell whether this is a header or a row of "
        f"numbers, found {_shortened(first)}. Say which, by header=True or False "
        f"(--header yes or no).{_hint(first)}"
    )


def _is_value(field):
    return field in _MISSING or _NUMBER.fullmatch(field) is not None


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


def _read_rows(pandas, path, n_fields, has_header):
    """Samples and labels; a ValueError tells that something is wrong, not where."""
    layout = {"names": range(n_fields), "header": 0 if has_header else None}
    missing = dict.fromkeys(range(n_fields - 1), sorted(_MISSING))
    frame = _read_frame(
        pandas, path, dtype={n_fields - 1: str}, na_values=missing, **layout
    )
    labels = _to_labels(pandas, frame.pop(n_fields - 1))
    samples = np.empty(frame.shape)
    odd = [i for i in frame if frame[i].dtype.kind not in "iuf"]
    for i in frame.columns.difference(odd):
        samples[:, i] = frame[i]
    if odd:
        # Their texts, as pandas takes True for 1 and very long integers for objects.
        frame = _read_frame(pandas, path, dtype=str, usecols=odd, **layout)
    for i in odd:
        samples[:, i] = [_to_float(str(text).strip()) for text in frame[i]]
    return samples, labels


def _read_frame(pandas, path, **options):
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


def _explain(path, n_fields, has_header, texts=()):
    """Raise the error of the first row that is wrong, if there is one."""
    records = _records(path)
    names = next(records)[1] if has_header else None
    for line, fields in records:
        _check_row(path, line, fields, n_fields, names, texts)


def _check_row(path, line, fields, n_fields, names=None, texts=()):
    if len(fields) != n_fields:
        raise ValueError(
            f"{path}, line {line}: expected {n_fields} fields, as in the first row; "
            f"found {len(fields)}: {_shortened(fields)}."
        )
    for i, field in enumerate(fields[:-1]):
        if i not in texts and not _is_value(field):
            name = f" ({names[i]!r})" if names else ""
            raise ValueError(
                f"{path}, line {line}, column {i + 1}{name}: expected a number, or "
                f"nothing, NA or ? where it is missing; found "
                f"{_shortened(field)}.{_hint(fields)}"
            )
    if _is_no_label(fields[-1]):
        raise ValueError(
            f"{path}, line {line}: expected a label in the last column, found "
            f"{_shortened(fields[-1])}."
        )


def _hint(fields):
    for separator, name in _OTHER_SEPARATORS.items():
        if any(separator in field for field in fields):
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
