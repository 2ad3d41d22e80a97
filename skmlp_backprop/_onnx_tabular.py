"""The encoding of a table as ONNX nodes."""

import re
from itertools import groupby

import numpy as np
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    StringTensorType,
)
from skl2onnx.proto import onnx_proto

from ._estimators.sklearn_private import _check_feature_names_in
from ._tabular.categories import NUMBER, aliases_of, category_key
from ._tabular.combination import distinct_in_float32
from ._tabular.date_encoding import DateEncoding
from ._tabular.encodings import (
    _CLIP,
    _LIMIT,
    _MAX_FLOAT,
    _SAME_CODE,
    NumberEncoding,
    are_codes,
)
from ._tabular.texts import MISSING, is_number

_INT64, _DOUBLE = onnx_proto.TensorProto.INT64, onnx_proto.TensorProto.DOUBLE
_FLOAT = onnx_proto.TensorProto.FLOAT
_FIXED_POINT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# Decimals have two places or more, such as amounts of money, and up to this number.
_USUAL_SCALE, _MAX_DECIMALS = 2, 10


def declared_types(encoder):
    """Name and type of the graph's input of each column."""
    types = []
    names = _check_feature_names_in(encoder)
    for name, encoding in zip(names, encoder._encodings, strict=True):
        _refuse_dates(name, encoding)
        has_numbers = isinstance(encoding, NumberEncoding)
        tensor_type = DoubleTensorType if has_numbers else StringTensorType
        types.append((name, tensor_type([None, 1])))
    return types


def _refuse_dates(name, encoding):
    if isinstance(encoding, DateEncoding):
        raise NotImplementedError(
            f"Column {name!r} has {encoding.kind}, which can't be converted to ONNX. "
            "Convert the column to numbers before the fit."
        )


def table_precision(inputs):
    """float64, or float32 if numbers are declared as float and none as double."""
    kinds = {type(variable.type) for variable in inputs}
    is_single = FloatTensorType in kinds and DoubleTensorType not in kinds
    return np.dtype("f4" if is_single else "f8")


def add_table(graph, inputs, encoder):
    """Add the nodes that encode a table to a graph.

    The graph must be in float64: bins of large numbers would be wrong in float32. An
    input has a column or several.

    Returns
    -------
    entries : str or None
        The entries of all columns but those in `codes`; None if there are none.

    codes : list of tuple (str, int)
        For each column of many categories the entry's index, of shape (n_rows, 1), and
        the number of entries. The index of a category without entry is that number.
    """
    # `column_of` has the column of each entry of `pieces`, by which they are sorted.
    pieces, column_of, codes, numbers, values = [], [], [], [], {}
    columns = zip(
        _check_feature_names_in(encoder),
        encoder._encodings,
        _find_columns(inputs, encoder),
        strict=True,
    )
    for column, (name, encoding, place) in enumerate(columns):
        _refuse_dates(name, encoding)
        if isinstance(encoding, NumberEncoding):
            if isinstance(place[0].type, StringTensorType):
                raise ValueError(
                    f"Column {name!r} had numbers in `fit`; declare its input as "
                    "numbers, as skmlp_backprop.onnx.input_types does."
                )
            numbers.append((column, encoding, place))
            continue
        values[column] = index = _add_index(graph, name, encoding, place)
        if encoding.has_many_categories:
            codes.append((index, encoding.width))
            continue
        pieces.append(
            graph.add("Gather", np.array([-1.0, 1.0, 0.0]), index)
            if encoding._is_binary
            else one_hot(graph, index, encoding.width)
        )
        column_of += [column] * encoding.width
    if numbers:
        columns, encodings, places = zip(*numbers, strict=True)
        added, indices = _add_numbers(graph, _take(graph, places), encodings)
        pieces += added
        column_of += [columns[i] for i in indices]
    if encoder._combination is not None:
        for column, encoding, place in numbers:
            if column in encoder.combined_features_:
                values[column] = _prepare_number(graph, encoding, place)
        combination = encoder._combination
        codes.append((_add_combination(graph, combination, values), combination.width))
    if not pieces:
        return None, codes
    entries = graph.add("Concat", *pieces, axis=1)
    order = np.argsort(column_of, kind="stable")
    return graph.add("Gather", entries, order, axis=1), codes


def _find_columns(inputs, encoder):
    """The input of each column, and the column's number in the input.

    Refuses more or fewer columns than in `fit`. If only some inputs have names of
    columns, they must be in their columns' places.
    """
    names = _check_feature_names_in(encoder).tolist()
    by_name = {v.raw_name: v for v in inputs}
    if by_name.keys() == set(names):
        inputs = [by_name[name] for name in names]
    if len(inputs) == 1 and not inputs[0].type.shape:
        # A result of another model of a chain, such as columns that bagging has drawn.
        places = [(inputs[0], i) for i in range(len(names))]
    else:
        # The number of columns may be unknown.
        places = [(v, i) for v in inputs for i in range(v.type.shape[1] or 0)]
    if len(places) != len(names):
        raise ValueError(
            f"The inputs have {len(places)} columns, but `fit` saw {len(names)}. Pass "
            "initial_types=skmlp_backprop.onnx.input_types(model)."
        )
    # A single matrix has a name of its own. Other inputs are matched by position only
    # if their names do not contradict it.
    is_moved = any(
        i == 0 and variable.raw_name in names and variable.raw_name != name
        for name, (variable, i) in zip(names, places, strict=True)
    )
    if len(inputs) > 1 and is_moved:
        raise ValueError(
            f"The inputs {[v for v in by_name if v not in names]} have no column in "
            f"`fit`, and the columns {[n for n in names if n not in by_name]} have no "
            "input. Pass initial_types=skmlp_backprop.onnx.input_types(model)."
        )
    return places


def _take(graph, places):
    """Add the columns of numbers side by side, in float64."""
    parts = []
    for name, group in groupby(places, key=lambda place: place[0].full_name):
        group = list(group)
        indices = np.array([i for _, i in group])
        if [len(indices)] != group[0][0].type.shape[1:]:
            name = graph.add("Gather", name, indices, axis=1)
        parts.append(graph.add("Cast", name, to=_DOUBLE))
    return graph.add("Concat", *parts, axis=1)


def _add_numbers(graph, x, encodings):
    """Add the entries of all columns of numbers.

    Returns the scaled numbers, the bins and the indicators of missing values, and the
    index of the column of each entry among these.
    """
    # If `fit` saw only missing values, later numbers are ignored.
    unit = [np.nan if np.isnan(e.centre) else e.unit for e in encodings]
    centre = np.nan_to_num([e.centre for e in encodings])
    x = graph.add("Mul", x, np.array(unit))
    # Missing values stay only where an entry indicates them.
    fill = np.array([np.nan if e.has_missing else e.replacement for e in encodings])
    x = graph.add("Where", graph.add("IsNaN", x), fill, x)
    is_missing = graph.add("IsNaN", x)

    z = graph.add("Sub", graph.add("Where", is_missing, centre, x), centre)
    z = graph.add("Clip", z, -_MAX_FLOAT, _MAX_FLOAT)
    z = graph.add("Div", z, np.array([e.scale for e in encodings]))
    z = graph.add("Clip", z, -_CLIP, _CLIP)
    ratio = graph.add("Div", z, float(_LIMIT))
    square = graph.add("Add", graph.add("Mul", ratio, ratio), 1.0)
    pieces = [graph.add("Div", z, graph.add("Sqrt", square))]

    column = np.repeat(range(len(encodings)), [e.n_bins for e in encodings])
    if len(column):
        pieces.append(_add_bins(graph, x, is_missing, encodings, column))

    indicated = np.flatnonzero([e.has_missing for e in encodings])
    if len(indicated):
        flags = graph.add("Cast", is_missing, to=_DOUBLE)
        pieces.append(graph.add("Gather", flags, indicated, axis=1))
    return pieces, [*range(len(encodings)), *column, *indicated]


def _add_bins(graph, x, is_missing, encodings, column):
    """Add the bins of all columns of numbers, with the entries of codes.

    `column` has the index of the column of each bin.
    """
    low = np.concatenate([e.low for e in encodings])
    high = np.concatenate([e.high for e in encodings])
    # At the first edge, all bins are 0.
    first = np.array([e.edges[0] for e in encodings])
    values = graph.add("Where", is_missing, first, x)
    values = graph.add("Gather", values, column, axis=1)
    bins = graph.add("Div", graph.add("Sub", values, low), high - low)
    bins = graph.add("Clip", bins, 0.0, 1.0)
    if any(encoding.averages_outside for encoding in encodings):
        below, above, until_below, until_above = np.hstack(
            [encoding.bins_outside() for encoding in encodings]
        )
        highest = np.array([e.edges[-1] for e in encodings])[column]
        for distance, until, change in (
            (graph.add("Sub", first[column], values), until_below, below),
            (graph.add("Sub", values, highest), until_above, above),
        ):
            share = graph.add("Clip", graph.add("Div", distance, until), 0.0, 1.0)
            bins = graph.add("Add", bins, graph.add("Mul", share, change))
    if (of_codes := are_codes(encodings)).any():
        # NaN is no code.
        values = graph.add("Gather", x, column, axis=1)
        distance = graph.add("Abs", graph.add("Sub", values, high))
        is_same = graph.add("Less", distance, _SAME_CODE)
        is_same = graph.add("Cast", is_same, to=_DOUBLE)
        bins = graph.add(
            "Add",
            graph.add("Mul", bins, (~of_codes).astype(float)),
            graph.add("Mul", is_same, of_codes.astype(float)),
        )
    return bins


def _prepare_number(graph, encoding, place):
    """Add a column of numbers as NumberColumns.prepare has it."""
    x = graph.add("Mul", _take(graph, [place]), encoding.unit)
    if encoding.has_missing:
        return x
    return graph.add("Where", graph.add("IsNaN", x), encoding.replacement, x)


def _add_combination(graph, combination, values):
    """Add the code of the combination of each row; its width for an unseen one.

    `values` has the columns as the encoder prepares them. Column by column, the code of
    the values so far and the index of the next one become a code.
    """
    codes, joint = np.zeros(combination.width, np.int64), np.int64(0)
    for column, known, indices in zip(
        combination.columns, combination.values, combination.levels.T, strict=True
    ):
        n = len(known)
        if known.dtype.kind == "f":
            index = _add_index_of_number(graph, values[column], known)
        else:
            index = _renumber(graph, values[column], known)
        joint = graph.add("Add", graph.add("Mul", joint, np.int64(n + 1)), index)
        keys, codes = np.unique(codes * (n + 1) + indices, return_inverse=True)
        joint = _renumber(graph, joint, keys)
    # The levels are sorted, as the codes are.
    return joint


def _add_index_of_number(graph, x, known):
    """Add the index of each number in sorted numbers, as in combination.py."""
    n = len(known)
    present = known[~np.isnan(known)]
    index = _add_place(graph, x, present, np.arange(len(present)), n)
    if len(present) < n:
        index = graph.add("Where", graph.add("IsNaN", x), np.int64(n - 1), index)
    rounded, first = distinct_in_float32(known)
    if len(rounded) == 0:
        return index
    single = graph.add("Cast", graph.add("Cast", x, to=_FLOAT), to=_DOUBLE)
    found = _add_place(graph, single, rounded.astype(np.float64), first, n)
    is_whole = graph.add("Equal", x, graph.add("Floor", x))
    is_exact = graph.add("Less", index, np.int64(n))
    return graph.add("Where", graph.add("Or", is_whole, is_exact), index, found)


def _add_place(graph, x, numbers, indices, n):
    """Add the index of the number that each x equals; n for none."""
    is_equal = graph.add("Equal", x, numbers[np.newaxis])
    is_equal = graph.add("Cast", is_equal, to=_DOUBLE)
    found = graph.add("MatMul", is_equal, (indices - n).astype(float)[:, np.newaxis])
    return graph.add("Add", graph.add("Cast", found, to=_INT64), np.int64(n))


def _renumber(graph, x, keys):
    """Add the index of each integer in `keys`; their number for other integers."""
    index_of = {key: i for i, key in enumerate(keys.tolist())}
    return _encode_labels(graph, x, "keys_int64s", index_of, len(keys))


def one_hot(graph, index, width):
    """Add an entry for each category: 1 for the category of the row, else 0."""
    is_one = graph.add("Equal", index, np.arange(width)[np.newaxis])
    return graph.add("Cast", is_one, to=_DOUBLE)


def _add_index(graph, name, encoding, place):
    """Add the index of the entry of each row, as in CategoryEncoding.prepare."""
    variable, number = place
    x = variable.full_name
    if variable.type.shape[1:] != [1]:
        x = graph.add("Gather", x, np.array([number]), axis=1)
    if isinstance(variable.type, StringTensorType):
        entry_of = _entries_of_texts(name, encoding)
        return _look_up(graph, x, encoding, entry_of, "keys_strings")
    is_boolean = isinstance(variable.type, BooleanTensorType)
    is_float = isinstance(variable.type, FloatTensorType | DoubleTensorType)
    entry_of = _entries_of_numbers(
        name, encoding, bool if is_boolean else float if is_float else int
    )
    whole = graph.add("Cast", x, to=_INT64)
    index = _look_up(graph, whole, encoding, entry_of, "keys_int64s")
    if not is_float:
        return index
    unseen, missing = np.int64(encoding.unseen), _entry(encoding, category_key(None))
    x = graph.add("Cast", x, to=_DOUBLE)
    is_whole = graph.add("Equal", graph.add("Cast", whole, to=_DOUBLE), x)
    index = graph.add("Where", is_whole, index, unseen)
    return graph.add("Where", graph.add("IsNaN", x), np.int64(missing), index)


def _look_up(graph, x, encoding, entry_of, keys):
    """Add the entries of the values of a column."""
    if not entry_of:
        # No category is a number, but LabelEncoder needs a key.
        entry_of = {0: encoding.unseen}
    return _encode_labels(graph, x, keys, entry_of, encoding.unseen)


def _encode_labels(graph, x, keys, index_of, default):
    """Add the index of each label, and the default for other labels."""
    return graph.add(
        "LabelEncoder",
        x,
        op_domain="ai.onnx.ml",
        # The newest version that skl2onnx knows.
        op_version=2,
        **{keys: list(index_of)},
        values_int64s=list(index_of.values()),
        default_int64=default,
    )


def _entry(encoding, key):
    """Index of the entry of a category."""
    index = encoding.find(key)
    return encoding.unseen if index is None else min(index, encoding.n_kept)


def _entries_of_texts(name, encoding):
    """The entry of each text: of the categories, and of the same in other notations.

    Refuses categories of different entries that are the same text.
    """
    entry_of, kind_of = {}, {}
    for kind, text in encoding.keys:
        entry = _entry(encoding, (kind, text))
        if entry_of.setdefault(text, entry) != entry:
            raise ValueError(
                f"Column {name!r} has the category {text!r} as {kind_of[text]} and as "
                f"{kind}, which are the same text in ONNX. Replace one of them before "
                "the fit."
            )
        kind_of[text] = kind
    texts = {text for key in encoding.keys for text in (key[1], *aliases_of(key))}
    texts |= {f"{text}.0" for text in texts if text.lstrip("-").isdigit()}
    # Python writes large floats with an exponent.
    texts |= {repr(float(text)) for text in filter(is_number, texts)}
    texts |= _with_zeros(text for kind, text in encoding.keys if kind == NUMBER)
    texts |= {"-0.0"} if "0" in texts else set()
    texts |= {"False", "True"} if texts & {"0", "1"} else set()
    texts |= {form(text) for text in texts for form in (str.lower, str.upper)}
    forms = (str, str.upper, str.capitalize)
    texts |= {form(mark) for mark in MISSING for form in forms} | {"NaN", "NaT"}
    for text in sorted(texts - entry_of.keys()):
        if encoding.find(category_key(text)) is not None:
            entry_of[text] = _entry(encoding, category_key(text))
    # The text of a missing value in ONNX.
    entry_of.setdefault("", _entry(encoding, category_key(None)))
    for kind, text in encoding.keys:
        if kind != NUMBER or not is_number(text):
            continue
        # A float32 has fewer digits than the float64 that is equal to it.
        with np.errstate(all="ignore"):
            single = np.float32(text)
        if np.isfinite(single) and category_key(single) == (kind, text):
            # Versions of NumPy write an exponent from different numbers on.
            for written in (str(single), np.format_float_scientific(single, trim="-")):
                entry_of.setdefault(written, _entry(encoding, (kind, text)))
    # ONNX has no text that UTF-8 can't encode, so no caller can pass it.
    return {
        text: entry
        for text, entry in entry_of.items()
        if text.encode("utf-8", "ignore").decode() == text
    }


def _with_zeros(texts):
    """Numbers with the zeros that decimals of a fixed scale end with, such as 1.50."""
    n_decimals = {
        text: len(text.partition(".")[2])
        for text in texts
        if _FIXED_POINT.fullmatch(text)
    }
    # The scale is at least that of the number with the most decimals.
    scale = min(max([_USUAL_SCALE, *n_decimals.values()]), _MAX_DECIMALS)
    return {
        f"{text if n else text + '.'}{'0' * n_zeros}"
        for text, n in n_decimals.items()
        for n_zeros in range(1, scale - n + 1)
    }


def _entries_of_numbers(name, encoding, to_type):
    """The entry of each whole number, or of False and True; refuses other numbers."""
    if to_type is bool:
        return {int(v): _entry(encoding, category_key(v)) for v in (False, True)}
    texts = {text for key in encoding.keys for text in aliases_of(key)}
    entry_of = {}
    # The shortest first: the error names a category, not its text in float32.
    for text in sorted(filter(is_number, texts), key=len):
        value = to_type(text) if text.lstrip("-").isdigit() else float(text)
        if value != value // 1 or abs(value) >= 2**63:
            raise ValueError(
                f"Column {name!r} has the category {text}: only whole numbers of 64 "
                "bits can be categories of an input of numbers. Declare the input as "
                "text, as skmlp_backprop.onnx.input_types does."
            )
        entry_of[int(value)] = _entry(encoding, category_key(value))
    return entry_of
