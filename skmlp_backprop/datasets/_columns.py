"""The columns of CSV and TSV files: their kinds, and their values."""

import re

import numpy as np

from .._tabular.column_warnings import describe_units
from .._tabular.dates import DATES
from .._tabular.texts import (
    are_times,
    conversion_of_dates,
    has_leading_zero,
    is_almost_number,
    is_date,
    is_missing,
    is_truth,
    long_integers,
    mixed_thousands,
    to_number,
    with_thousands,
)
from ._formats import is_number_with_comma
from ._text_files import ISO_DATE, MISSING, import_pandas

_DATES_AS = "2024-12-31, 2024-12-31T23:59 or 2024-12-31T23:59+02:00"
# A leading zero of a field, or many digits, after a separator.
_MAY_BE_CODE = '(^|["{}])\\s*[+-]?(0[0-9]|[0-9]{{16}})'
# Such numbers rarely have decimal commas.
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
# A column of numbers and text has codes if at least this fraction of its rows, and of
# its distinct values, is text. Fewer texts may be mistakes.
_MIN_CODES = 0.1


def to_samples(file, frame, mixed, known=None):
    """The samples, from a frame with the columns that pandas reads as numbers.

    `known` has the kind of each column, as in :func:`read_new_rows`. Without
    `known`, the values decide.
    """
    may_be_code = re.compile(_MAY_BE_CODE.format(re.escape(file.separator)))
    has_codes = mixed and any(map(may_be_code.search, file.lines()))
    # pandas reads True as a boolean, and a long integer as an object.
    texts = [
        i
        for i in frame
        if (known[i] is not None if known else has_codes)
        # Numbers with decimal points are refused.
        or (file.format.has_commas and not file.has_commas(i))
        or frame[i].dtype.kind not in "iuf"
    ]
    X, places = np.empty(frame.shape), list(frame)
    for place, i in enumerate(frame):
        if i not in texts:
            X[:, place] = frame[i]
    if texts:
        frame = file.read(str, usecols=texts)
    others, doubtful = {}, {}
    plain = [i for i in places if i not in texts and not file.has_commas(i)]
    for i, values in _texts_with_thousands(file, plain):
        if finding := describe_thousands(values):
            doubtful[file.names[i]] = finding
    for i in texts:
        column = frame[i].str.strip()
        column = column.where(~column.isin(MISSING))
        if known and isinstance(known[i], set):
            column = _restore(file, i, column, frame[i], known[i])
        counts, name = column.value_counts(), file.names[i]
        kind = known[i] if known else _infer_kind(file, i, counts, mixed)
        if kind is None:
            X[:, places.index(i)] = _to_numbers(file, i, column, counts.index)
            if not file.has_commas(i) and (finding := describe_thousands(counts.index)):
                doubtful[name] = finding
        elif kind == DATES:
            others[name] = _to_dates(file, i, column)
        else:
            others[name] = column.astype("category")
            if doubt := _doubt(file, counts):
                doubtful[name] = f"has {doubt}: it is taken as categories."
    if file.has_header or others:
        names = [file.names[i] for i in places]
        X = import_pandas().DataFrame(X, columns=names, copy=False)
    for name, column in others.items():
        X[name] = column
    return X, doubtful


def _infer_kind(file, i, counts, mixed):
    """The kind of a column by its distinct texts, with their numbers of rows.

    It is DATES, the set of texts for categories, or None for numbers. Texts that may be
    dates in another form, or numbers with mistakes, are refused.
    """
    texts = counts.index
    if mixed and len(texts) and all(map(ISO_DATE.fullmatch, texts)):
        return DATES
    numbers = np.array([file.format.is_number(text) for text in texts], dtype=bool)
    if numbers.all():
        plain = list(map(file.format.plain, texts))
        are_codes = any(map(has_leading_zero, plain)) or long_integers(plain)
        return set(texts) if mixed and are_codes else None
    others = counts[~numbers]
    almost = others[[is_almost_number(text) for text in others.index]]
    dates = others[[is_date(text) for text in others.index]]
    n_rows, n_others = counts.sum(), others.sum()
    fraction = min(len(others) / len(counts), n_others / n_rows)
    by_pandas = (
        f"pandas.read_csv(path, {file.pandas_options()}"
        f"dtype={{{file.names[i]!r}: 'category'}})"
    )
    if mixed and dates.sum() > n_rows / 2:
        if are_times(dates.index):
            remedy = "Write times and time spans as numbers, such as 14.5 for 14:30"
        else:
            conversion = conversion_of_dates(dates.index, "column") or (
                "pandas.to_datetime(column, dayfirst=True).dt.strftime('%Y-%m-%d'), "
                "with dayfirst=False if the month comes first"
            )
            remedy = f"Write all dates in this form, such as by {conversion}"
        file.refuse(
            i,
            [text for text in texts if not ISO_DATE.fullmatch(text)],
            "a date such as 2024-12-31 or 2024-12-31T23:59, or nothing, NA or ? where "
            "it is missing",
            f" {remedy}. If they are categories, read the file by {by_pandas}. On the "
            "command line, --drop leaves a column out.",
        )
    if (
        not mixed
        or (len(almost) and n_rows - n_others + almost.sum() > n_rows / 2)
        or (numbers.any() and fraction < _MIN_CODES)
        # Marks of missing values that are not in MISSING, such as "-".
        or (numbers.any() and all(map(is_missing, others.index)))
    ):
        remedy = by_pandas if mixed else "read_mixed_csv"
        file.refuse(
            i,
            next(v for v in (dates, almost, others) if len(v)).index,
            "a number, or nothing, NA or ? where it is missing",
            f" Write it as a number{_with_commas(file, texts)}; if the column has "
            "dates, write all of them as "
            f"{_DATES_AS}; if it has categories, read the file by {remedy}. On the "
            "command line, --drop leaves a column out.",
        )
    return set(texts)


def _with_commas(file, texts):
    """The remedy for numbers with another decimal point, or nothing."""
    if file.format.has_commas:
        return " with a decimal comma"
    with_comma = [t for t in texts if "," in t and is_number_with_comma(t)]
    if not with_comma:
        return ""
    if all(map(_THOUSANDS.fullmatch, with_comma)):
        return " (remove the commas if they separate thousands)"
    return " (if the file has decimal commas, pass decimal=',', or --decimal ,)"


def _doubt(file, counts):
    """Why the texts of a column may be codes or dates in place of categories."""
    if any(map(file.format.is_number, counts.index)):
        return "numbers with leading zeros, many digits or among text, as codes have"
    if finding := describe_units(counts.index):
        return finding.removeprefix("has ")
    are_dates = [ISO_DATE.fullmatch(text) is not None for text in counts.index]
    if counts[are_dates].sum() > _MIN_CODES * counts.sum():
        return "dates among its text"
    return None


def _texts_with_thousands(file, columns):
    """Yield the columns of numbers whose points may separate thousands, as text.

    The first rows tell of most columns that they have other points. The rest is read
    once more.
    """
    rows = file.sample[file.has_header :]
    columns = [i for i in columns if with_thousands([row[i] for row in rows])]
    if columns:
        frame = file.read(str, usecols=columns)
        for i in columns:
            yield i, frame[i].str.strip().unique()


def describe_thousands(texts):
    """The finding for numbers whose points separate thousands, and the decision.

    It is empty for texts without such numbers.
    """
    found = mixed_thousands(texts)
    if not found:
        return ""
    text = found[0]
    return (
        f"has numbers such as {text!r} beside whole numbers below 1000: {text!r} is "
        f"taken as {float(text)}. If the points separate thousands, remove them: "
        "pandas.read_csv reads such numbers with thousands='.' and decimal=','."
    )


def _to_numbers(file, i, column, texts):
    """Convert a column with these distinct texts to numbers."""
    # A model that was fitted in Python may have learned from booleans.
    odd = [
        text for text in texts if not (file.format.is_number(text) or is_truth(text))
    ]
    if odd:
        expected = "a number, as in training, or nothing where it is missing"
        remedy = _with_commas(file, texts)
        file.refuse(i, odd[:1], expected, remedy and f" Write it as a number{remedy}.")
    return column.map(file.format.plain, na_action="ignore").map(
        to_number, na_action="ignore"
    )


def _to_dates(file, i, column):
    """Convert a column to dates, in UTC if they have a time zone."""
    matches = {text: ISO_DATE.fullmatch(text) for text in column.dropna().unique()}
    odd = [text for text, match in matches.items() if match is None]
    if odd:
        file.refuse(i, odd, f"a date such as {_DATES_AS}")
    without_zone = [text for text, match in matches.items() if match["zone"] is None]
    has_zone = len(without_zone) < len(matches)
    if has_zone and without_zone:
        expected = "a date with a time zone, as others in the column have"
        file.refuse(i, without_zone, expected)
    dates = import_pandas().to_datetime(
        column, format="ISO8601", utc=has_zone, errors="coerce"
    )
    is_wrong = dates.isna() & column.notna()
    if is_wrong.any():
        file.refuse(i, column[is_wrong], "a date of the calendar")
    return dates


def _restore(file, i, column, raw, known):
    """Restore the texts of a model's categories in a column.

    A model that was fitted in Python may know "NA", or texts with blanks around. Blanks
    before a text are lost in reading: texts that differ by them alone are refused.
    """
    category_of = {category.strip(): category for category in sorted(known)}
    # Texts that are categories themselves stay.
    category_of |= {category: category for category in known}
    as_read = {category: category.lstrip() for category in sorted(known)}
    to_category = {
        text: category_of.get(text, category_of.get(text.strip()))
        for text in [*as_read.values(), *raw.unique()]
    }
    lost = {text: c for c, text in as_read.items() if to_category[text] != c}
    for text in raw[raw.isin(list(lost))][:1]:
        file.refuse(
            i,
            [text.strip()],
            f"a text other than {to_category[text]!r} and {lost[text]!r}, which the "
            "model takes for different categories, but which are read alike",
            " Write the new rows to a Parquet file.",
        )
    found = raw.map(to_category)
    return column.where(found.isna(), found)
