"""Reads the data, and finds out the task and the kinds of the columns."""

import re
import warnings
from decimal import Decimal
from shlex import quote
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from .. import TabularEncoder
from .._tabular.checks import warn_of_labels, warn_of_numbers, warn_of_rounding
from .._tabular.column_warnings import identifier_message
from .._tabular.columns import read_columns
from .._tabular.sources import is_integer
from .._tabular.table import check_table
from .._tabular.texts import (
    has_leading_zero,
    is_almost_number,
    is_date,
    is_limit,
    is_number,
    unit_of,
)
from ..datasets import read_mat, read_npz
from ..datasets._columns import describe_thousands
from ..datasets._tables import read_new_rows, read_table
from ..datasets._text_files import import_pandas

TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
TABLE_ENDINGS = (*TEXT_ENDINGS, ".parquet")
_ARRAYS = {".mat": read_mat, ".npz": read_npz}
_ENDINGS = (*TABLE_ENDINGS, *_ARRAYS)
# A target of more distinct whole numbers makes a regression.
_MAX_CLASSES = 20
# So many labels that may be numbers or dates are told from other labels.
_MANY_NUMBERS = 5


class Columns(NamedTuple):
    """What was recognised of the columns of a table."""

    names: list  # of str
    kinds: list  # as of `kinds_of`
    is_categorical: np.ndarray
    is_missing: np.ndarray  # of shape (n_rows, n_columns)
    identifiers: list  # names of the columns that identify the rows
    are_numbers: bool  # whether all columns have a numeric type
    encoder: TabularEncoder  # that has learned them
    notes: list  # of str, for the user


class Data(NamedTuple):
    """Samples and target, with what was recognised of them."""

    X: Any  # DataFrame or ndarray
    y: np.ndarray
    source: str  # the file, and how it was read
    target: str
    is_regression: bool
    task: str  # the task, and why it was chosen
    columns: Columns
    has_names: bool  # False for a text file without a header
    notes: list  # of str, for the user, also those on the columns


def ending(path):
    """The ending of a data file's name, or None for other files."""
    return next((e for e in _ENDINGS if path.name.lower().endswith(e)), None)


def is_table(path):
    """Whether a data file has a table; None stands for scikit-learn's digits."""
    return path is not None and ending(path) in TABLE_ENDINGS


def load(path, csv_format, target, drop, task):
    """Read a data file, or scikit-learn's digits for None, as :class:`Data`.

    `csv_format` is a CsvFormat; `target` the name of a column, or None for the
    last column; `drop` names of columns to leave out. `task` is "classification",
    "regression", or None: then the values of the target decide.
    """
    notes, has_names = [], True
    if path is None:
        X, y = load_digits(return_X_y=True)
        source, target = "scikit-learn's digits", "digit"
    elif ending(path) in TEXT_ENDINGS:
        table = read_table(path, csv_format, mixed=True, target=target, drop=drop)
        X, y, target = table.X, table.y, table.target
        if isinstance(X, np.ndarray) and table.features[-1] != f"x{X.shape[1] - 1}":
            # The names by which --target and --drop know the columns.
            X = import_pandas().DataFrame(X, copy=False)
            X = X.set_axis(table.features, axis=1)
        has_names = table.has_header
        first = "a header" if has_names else "data (no header)"
        source = f"{path}; the first row is taken as {first}"
        notes += [
            f"Column {name!r} {finding}" for name, finding in table.doubtful.items()
        ]
    elif ending(path) == ".parquet":
        X, y, target = _split(path, _read_parquet(path), target, drop)
        source = str(path)
    elif ending(path) in _ARRAYS:
        X, y = _ARRAYS[ending(path)](path)
        source, target = str(path), "y"
    else:
        raise ValueError(f"{path}: expected a file that ends in {', '.join(_ENDINGS)}.")
    given = y
    y, is_regression, task = _recognise_task(y, target, task)
    notes += _notes_on_target(given, y, target, is_regression)
    columns = _recognise_columns(X)
    notes += columns.notes
    if is_table(path):
        empty = np.array(columns.names)[columns.is_missing.all(axis=0)].tolist()
        notes += [
            f"Column {name!r} has no values; leave it out by --drop {quote(name)}."
            for name in empty
        ]
    return Data(X, y, source, target, is_regression, task, columns, has_names, notes)


def load_rows(path, names, kinds, csv_format):
    """Read the new rows of a table with the columns that a model was fitted to.

    `names` are the names of the features, or None; `kinds` are as of :func:`kinds_of`.
    Returns the features, as a DataFrame or an array, and a DataFrame of the other
    columns.
    """
    if ending(path) != ".parquet":
        return read_new_rows(path, names, kinds, csv_format)
    frame = _read_parquet(path)
    are_known = names is not None
    is_counted = isinstance(frame.index, import_pandas().RangeIndex)
    if not is_counted and "index" not in {*frame, *(names or ())}:
        # It may identify the rows.
        frame = frame.assign(index=frame.index)
    if not are_known:
        # The model was fitted to an array, or to rows without a header.
        names = [f"x{i}" for i in range(len(kinds))]
    _check_names(path, names, frame)
    rows, others = frame[names], frame.drop(columns=names)
    if are_known:
        return rows, others
    has_numbers_only = all(kind is None for kind in kinds)
    return _numbers_of(path, rows) if has_numbers_only else np.asarray(rows), others


def kinds_of(encoder):
    """The kind of each column in the fit of a TabularEncoder.

    It is the set of categories, as text; DATES, TIMES or SPANS of
    :mod:`.._tabular.dates`; or None for numbers. A column without values has no
    categories: any text may come later.
    """
    kinds = []
    for encoding in encoder._encodings:
        if encoding.is_numeric:
            kinds.append(set() if np.isnan(encoding.centre) else None)
        elif hasattr(encoding, "keys"):
            kinds.append({text for kind, text in encoding.keys if kind != "missing"})
        else:
            kinds.append(encoding.kind)
    return kinds


def _read_parquet(path):
    pandas = import_pandas()
    try:
        frame = pandas.read_parquet(path)
    except ImportError as error:
        message = "Parquet files are read with pyarrow: run `pip install pyarrow`."
        raise ImportError(message) from error
    except FileNotFoundError:
        raise
    # Errors of pyarrow for damaged files are ValueErrors or OSErrors.
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: can't be read as Parquet: {error}") from error
    # A named index is a column of the file.
    frame = frame.reset_index() if any(frame.index.names) else frame
    # scikit-learn keeps names only if all are text.
    return frame.set_axis(list(map(str, frame.columns)), axis=1)


def _numbers_of(path, rows):
    """The values of a DataFrame for a model that was fitted to an array of numbers."""
    columns = []
    for name, column in rows.items():
        if column.dtype.kind in "mM":
            # NumPy would take them for numbers.
            raise ValueError(f"{path}: column {name!r} must have numbers, not dates.")
        try:
            columns.append(column.to_numpy(np.float64, na_value=np.nan))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: column {name!r} must have numbers, as in the fit: {error}."
            ) from error
    return np.stack(columns, axis=1)


def _check_names(path, names, frame):
    for name in names:
        if name not in frame:
            raise ValueError(
                f"{path}: no column is named {name!r}. The columns are "
                f"{', '.join(map(repr, frame))}."
            )


def _split(path, frame, target, drop):
    """Features, target and its name, of a DataFrame."""
    _check_names(path, [*drop, *([] if target is None else [target])], frame)
    frame = frame.drop(columns=drop)
    if target is None and len(frame.columns):
        target = frame.columns[-1]
    if len(frame) == 0 or target not in frame or frame.shape[1] < 2:
        raise ValueError(
            f"{path}: expected rows, a target, and other columns beside it."
        )
    column = frame.pop(target)
    values = column.tolist()
    n_missing = column.isna().sum() + sum(str(value).strip() == "" for value in values)
    if n_missing:
        raise ValueError(
            f"{path}: the target {target!r} is missing in {n_missing} rows. Remove "
            "these rows."
        )
    if all(isinstance(value, Decimal) for value in values):
        values = list(map(int if all(map(is_integer, values)) else float, values))
    y = np.array(values)
    if y.ndim != 1 or y.dtype.kind not in "biufU":
        found = type(values[0]).__name__ if column.dtype == object else column.dtype
        raise ValueError(
            f"{path}: the target {target!r} must have text or numbers, not {found}. "
            "Convert it."
        )
    return frame, y, target


def _recognise_task(y, target, task):
    """The target as the task needs it, whether that is regression, and why."""
    is_text, distinct = y.dtype.kind == "U", np.unique(y)
    are_codes = is_text and any(map(has_leading_zero, distinct.tolist()))
    numbers = None
    if y.dtype.kind in "iuf" or (is_text and all(map(is_number, distinct.tolist()))):
        numbers = y.astype(np.float64)
    if is_text and numbers is not None and not are_codes:
        # "1" and "1.0" are the same value; longer integers are not exact as floats.
        are_exact = (np.trunc(numbers) == numbers) & (np.abs(numbers) < 2**53)
        y = numbers.astype(np.int64) if are_exact.all() else y
        distinct = np.unique(y)
    if task is not None:
        is_regression, reason = task == "regression", "--task says"
    elif numbers is None or are_codes:
        is_regression = False
        reason = f"the target is {'boolean' if y.dtype.kind == 'b' else 'text'}"
    else:
        with np.errstate(invalid="ignore"):
            are_whole = bool((numbers % 1 == 0).all())
        is_regression = len(distinct) > _MAX_CLASSES or not are_whole
        wholeness = "whole numbers" if are_whole else "not all of them whole numbers"
        reason = f"the target has {len(distinct)} values, {wholeness}"
    if is_regression:
        _check_numbers(numbers, distinct, target)
        return numbers, True, f"regression, as {reason}"
    if task is None and y.dtype.kind == "U":
        _refuse_odd_numbers(distinct.tolist(), target)
    # scikit-learn refuses labels that are not whole numbers.
    if y.dtype.kind == "f" and (y % 1 != 0).any():
        y = y.astype(str)
    _check_labels(y, target)
    return y, False, f"classification, as {reason}"


def _notes_on_target(given, y, target, is_regression):
    """What may be wrong with a target; `given` has its values as they were read."""
    notes, texts = [], np.unique(given).tolist() if given.dtype.kind == "U" else []
    if finding := describe_thousands(texts):
        notes.append(f"The target {target!r} {finding}")
    numbers = _like_numbers(texts)
    odd = [text for text in numbers if not is_number(text)]
    if odd and len(texts) >= _MANY_NUMBERS and len(numbers) > len(texts) / 2:
        notes.append(
            f"The target {target!r} has values such as {odd[0]!r}, which are taken as "
            "classes. To predict numbers, write them as plain numbers, without a unit."
        )
    if len(texts) >= _MANY_NUMBERS and all(map(is_date, texts)):
        notes.append(
            f"The target {target!r} has dates, which are taken as classes. To predict "
            "them, write them as numbers, such as days."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if not is_regression:
            warn_of_labels(y)
        else:
            warn_of_rounding(given, "y")
            warn_of_numbers(y)
    found = [str(w.message) for w in caught]
    return notes + [text.replace("Input y", f"The target {target!r}") for text in found]


def _like_numbers(labels):
    """The labels that are numbers, maybe in another form, or with a limit or unit."""
    units = {text: unit_of(text) for text in labels}
    has_one_unit = len({*units.values()} - {None}) == 1
    return [
        text
        for text in labels
        if is_almost_number(text) or is_limit(text) or (has_one_unit and units[text])
    ]


def _check_numbers(numbers, distinct, target):
    """Refuse the target of a regression if it has other values, or equal ones."""
    if numbers is None:
        odd = next(v for v in distinct.tolist() if not is_number(str(v)))
        raise ValueError(
            f"--task regression: the target {target!r} must have numbers, found "
            f"{odd!r}."
        )
    if not np.isfinite(numbers).all():
        row = np.flatnonzero(~np.isfinite(numbers))[0]
        raise ValueError(
            f"The target {target!r} is {numbers[row]} in row {row + 1}. Replace it by "
            "a number, or remove the row."
        )
    if len(distinct) < 2:
        raise ValueError(
            f"All values of the target {target!r} are {distinct[0]!s}: there is "
            "nothing to learn."
        )


def _refuse_odd_numbers(distinct, target):
    """Refuse many labels that are mostly numbers, such as "1,000"."""
    almost = _like_numbers(distinct)
    odd = [text for text in distinct if not is_number(text)]
    if len(distinct) > _MAX_CLASSES and odd and len(almost) > len(distinct) / 2:
        raise ValueError(
            f"The target {target!r} has values such as {odd[0]!r}. Write them as "
            "plain numbers for a regression, without a unit, or remove their rows; or "
            "choose --task classification."
        )


def _check_labels(y, target):
    """Refuse labels of one class, or with a class of one row."""
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"All labels are {classes[0]!s}: there is nothing to learn.")
    if counts.min() < 2:
        raise ValueError(
            f"The label {classes[counts.argmin()]!s} occurs once in {len(y)} rows; a "
            f"class needs at least two. Is {target!r} the target? If not, name it by "
            "--target; if it has numbers to predict, choose --task regression; else "
            "remove the row, or give it the label of a similar class."
        )


def _recognise_columns(X):
    """Find out the kinds of the columns of a DataFrame or an array of numbers."""
    is_array = isinstance(X, np.ndarray)
    if is_array:
        infinite = np.argwhere(np.isinf(X))
        if len(infinite):
            row, column = infinite[0] + 1
            raise ValueError(
                f"{len(infinite)} values are infinite, the first in row {row}, column "
                f"{column}. Replace them by numbers, or leave the fields empty."
            )
    names = [f"x{i}" for i in range(X.shape[1])] if is_array else list(map(str, X))
    is_missing = np.isnan(X) if is_array else X.isna().to_numpy()
    encoder = TabularEncoder()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checked = check_table(encoder, X, reset=True)
        columns = read_columns(checked, encoder.categorical_features)
        encoder._learn(columns)
    notes = [str(w.message) for w in caught]
    return Columns(
        names,
        kinds_of(encoder),
        encoder.is_categorical_,
        is_missing,
        [n for n, c in zip(names, columns, strict=True) if identifier_message(c)],
        is_array or all(dtype.kind in "biuf" for dtype in X.dtypes),
        encoder,
        list(map(with_names, notes)),
    )


def with_names(message):
    """A message on a column of an array with the name that the options give it."""
    return re.sub(r"at index (\d+)", r"'x\1'", message)
