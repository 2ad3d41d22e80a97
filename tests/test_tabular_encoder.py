"""The encoding of tables: its numbers, every type of column, what is refused."""

import datetime
import pickle
import re
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from skmlp_backprop import TabularEncoder

NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7]
GAPPY = [0, 1, None, 3, 4, 5, 6, 7]


def encode(values, later=None, name="column", **params):
    """Encode a column by itself, or `later` as fitted to it."""
    frame = pd.DataFrame({name: values})
    encoder = TabularEncoder(**params).fit(frame)
    return encoder.transform(frame if later is None else pd.DataFrame({name: later}))


def mixed_frame(n_rows=60):
    """Numbers with and without gaps, words, flags and constants."""
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal(n_rows)
    return pd.DataFrame(
        {
            "size": np.where(rng.random(n_rows) < 0.2, np.nan, numbers),
            "count": rng.integers(0, 5, n_rows),
            "colour": rng.choice(["red", "green", "blue"], n_rows),
            "is_new": rng.random(n_rows) < 0.5,
            "always": np.ones(n_rows),
        }
    )


# Columns of numbers.


def test_scaling_is_the_formula():
    values = np.array([-40.0, 1, 2, 3, 4, 5, 90])
    low, median, high = np.percentile(values, [25, 50, 75])
    z = (values - median) / ((high - low) / 1.35)
    expected = z / np.sqrt(1 + z**2 / 9)
    np.testing.assert_allclose(encode(values, n_bins=0)[:, 0], expected, rtol=1e-14)
    assert abs(expected).max() < 3


def test_most_are_the_same():
    """Without an interquartile range, half the range is what numbers are scaled by."""
    values = np.array([0.0] * 9 + [8.0])
    encoded = encode(values, n_bins=0)[:, 0]
    np.testing.assert_allclose(encoded, values / 4 / np.sqrt(1 + (values / 12) ** 2))


@pytest.mark.parametrize("scale", [1e-250, 1e-3, 1, 1e6, 1e250])
@pytest.mark.parametrize("shift", [0, 3])
def test_neither_unit_nor_origin_matters(scale, shift):
    values = np.random.default_rng(0).standard_normal(50)
    others = scale * (values + shift)
    np.testing.assert_allclose(encode(others), encode(values), atol=1e-12)


@pytest.mark.parametrize("n_bins", [2, 5, 16, 1000])
@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_the_bins_add_up_to_the_number(n_bins, decimals):
    rng = np.random.default_rng(0)
    values = rng.standard_normal(300).round(decimals)
    later = np.concatenate([values, [-99.0, 99.0, 0.123, np.pi / 2]])
    edges = np.unique(np.percentile(values, np.linspace(0, 100, n_bins + 1)))
    bins = encode(values, later, n_bins=n_bins)[:, 1:]
    assert bins.shape == (304, len(edges) - 1)
    np.testing.assert_allclose(
        edges[0] + bins @ np.diff(edges),
        np.clip(later, values.min(), values.max()),
        atol=1e-12,
    )
    # Each bin is full before the next begins to fill.
    assert ((bins[:, 1:] == 0) | (bins[:, :-1] == 1)).all()
    assert bins.min() == 0
    assert bins.max() == 1


def test_quantiles_that_are_all_the_same_give_way_to_distinct_values():
    values = np.repeat([0.0, 1.0, 2.0, 3.0], [96, 1, 1, 1])
    bins = encode(values, np.array([0.0, 1.5, 3.0]), n_bins=3)[:, 1:]
    np.testing.assert_array_equal(bins, [[0, 0, 0], [1, 0.5, 0], [1, 1, 1]])


def test_two_values_need_no_bins():
    assert encode([0.0, 1.0] * 9, n_bins=16).shape == (18, 1)


def test_missing_numbers():
    frame = pd.DataFrame(
        {"gaps": [1.0, 2.0, 3.0, np.nan], "none": [1.0, 2.0, 3.0, 4.0]}
    )
    encoder = TabularEncoder(n_bins=2).fit(frame)
    names = encoder.get_feature_names_out().tolist()
    assert names == [
        *["gaps", "gaps_bin1", "gaps_bin2", "gaps_missing"],
        *["none", "none_bin1", "none_bin2"],
    ]
    encoded = encoder.transform(frame)
    np.testing.assert_array_equal(encoded[:, 3], [0, 0, 0, 1])
    np.testing.assert_array_equal(encoded[3, :3], 0)
    # The quantiles are those of what is there.
    np.testing.assert_array_equal(encoded[:3, :3], encode([1.0, 2.0, 3.0], n_bins=2))
    # Where there was none in the fit, there is no entry: a later one is the median.
    later = encoder.transform(pd.DataFrame({"gaps": [np.nan], "none": [np.nan]}))
    np.testing.assert_array_equal(later, [[0, 0, 0, 1, 0, 1, 0]])


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1e300])
def test_constant_numbers(value):
    encoded = encode([value] * 5, [value, value + 1, np.nan])
    assert encoded.shape == (3, 1)
    assert encoded[0, 0] == encoded[2, 0] == 0
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("nothing", [np.nan, None, pd.NA, pd.NaT])
def test_nothing_but_missing_values(nothing):
    for dtype in (object, None):
        frame = pd.DataFrame({"column": pd.Series([nothing] * 4, dtype=dtype)})
        encoder = TabularEncoder().fit(frame)
        encoded = encoder.transform(frame)
        assert len(encoder.get_feature_names_out()) == encoded.shape[1]
        assert np.isfinite(encoded).all()
        assert (encoded == encoded[0]).all()


def test_numbers_after_nothing_but_missing_values():
    with pytest.warns(UserWarning, match="had only missing values in `fit`"):
        later = encode([np.nan] * 3, [np.nan, 5.0, -1e9])
    np.testing.assert_array_equal(later, [[0, 1]] * 3)


@pytest.mark.parametrize("far", [1e10, 1e200, 1.7e308])
def test_far_out_is_clipped_without_a_warning(far):
    values = np.array([0.0, 1e-300, 2e-300, 1e-300, 0.0, 2e-300])
    for fitted_to in (values, np.append(values, far)):
        encoded = encode(fitted_to, [far, -far])
        np.testing.assert_allclose(encoded[:, 0], [3, -3])
        np.testing.assert_array_equal(
            encoded[:, 1:], np.repeat([[1], [0]], encoded.shape[1] - 1, axis=1)
        )


def test_float32():
    frame = mixed_frame()
    single = TabularEncoder(dtype=np.float32).fit_transform(frame)
    double = TabularEncoder().fit_transform(frame)
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    np.testing.assert_allclose(single, double, rtol=1e-6, atol=1e-7)


# Columns of categories.


def test_one_entry_for_each_category():
    frame = pd.DataFrame({"colour": ["red", None, "blue", "green", "red"]})
    encoder = TabularEncoder().fit(frame)
    names = [f"colour_{name}" for name in ("missing", "blue", "green", "red")]
    assert encoder.get_feature_names_out().tolist() == names
    expected = np.eye(4)[[3, 0, 1, 2, 3]]
    np.testing.assert_array_equal(encoder.transform(frame), expected)
    unseen = pd.DataFrame({"colour": ["violet", "red"]})
    np.testing.assert_array_equal(encoder.transform(unseen)[0], np.zeros(4))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_two_categories_are_two_signs(missing):
    later = ["no", "yes", "perhaps", missing]
    encoded = encode(["yes", "no", "yes"], pd.Series(later, dtype=object))
    np.testing.assert_array_equal(encoded, [[-1], [1], [0], [0]])
    # A missing value may be one of two.
    encoded = encode(["yes", missing, "yes"], pd.Series(later, dtype=object))
    np.testing.assert_array_equal(encoded, [[0], [1], [0], [-1]])
    # It is the negative one, of booleans as of text.
    frame = pd.DataFrame({"is_new": [True, missing, True]}, dtype=object)
    encoder = TabularEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == ["is_new_True"]
    np.testing.assert_array_equal(encoder.transform(frame), [[1], [-1], [1]])


def test_rare_categories():
    seen = ["a"] * 3 + ["b"] * 2 + ["c", "d", None]
    frame = pd.DataFrame({"kind": seen})
    encoder = TabularEncoder(min_frequency=2).fit(frame)
    names = ["kind_a", "kind_b", "kind_rare"]
    assert encoder.get_feature_names_out().tolist() == names
    encoded = encoder.transform(pd.DataFrame({"kind": ["a", "b", "c", None, "new"]}))
    np.testing.assert_array_equal(encoded, np.eye(3)[[0, 1, 2, 2, 2]])
    assert encode(seen, ["z", "a"], min_frequency=9).tolist() == [[1], [1]]
    # What is two categories and the rest is no matter of a sign.
    assert encode(["a", "a", "b"], min_frequency=2).tolist() == [[1, 0], [1, 0], [0, 1]]


def test_the_most_frequent_of_too_many_categories():
    """As of OneHotEncoder, the entry of all others counts."""
    seen = ["d"] * 3 + ["b"] * 2 + ["c"] * 2 + ["a", None]
    frame = pd.DataFrame({"kind": seen})
    for most, names in (
        (5, [["missing", "a", "b", "c", "d"]]),
        (4, [["b", "c", "d", "rare"]]),
        # Of b and c, which are as frequent, either.
        (3, [["b", "d", "rare"], ["c", "d", "rare"]]),
        (1, [["rare"]]),
    ):
        encoder = TabularEncoder(max_categories=most).fit(frame)
        out = encoder.get_feature_names_out().tolist()
        assert out in [[f"kind_{name}" for name in some] for some in names]
        assert encoder.transform(frame).sum(axis=1).tolist() == [1] * len(frame)
    # With those that are too rare for an entry there is one for the rest already.
    encoder = TabularEncoder(min_frequency=2, max_categories=4).fit(frame)
    assert len(encoder.get_feature_names_out()) == 4
    encoder.set_params(max_categories=3).fit(frame)
    assert len(encoder.get_feature_names_out()) == 3


@pytest.mark.parametrize(("n_columns", "most"), [(1, 255), (20, 204), (400, 16)])
def test_no_table_of_names_fills_the_memory(n_columns, most):
    """A column of identifiers would take an entry for each row."""
    names = [f"id{i}" for i in range(300)]
    frame = pd.DataFrame({f"c{i}": names for i in range(n_columns)})
    with pytest.warns(UserWarning, match="as an identifier"):
        TabularEncoder().fit(frame)
    # Twice each they are few enough for no warning.
    frame = pd.concat([frame, frame])
    assert TabularEncoder().fit_transform(frame).shape == (600, most * n_columns)


def test_the_order_of_rows_is_of_no_consequence():
    frame = mixed_frame()
    frame["mixed"] = pd.Series(["x", 1, 2.5, None, (1, 2)] * 12, dtype=object)
    order = np.random.default_rng(1).permutation(len(frame))
    a = TabularEncoder().fit(frame)
    b = TabularEncoder().fit(frame.iloc[order])
    assert list(a.get_feature_names_out()) == list(b.get_feature_names_out())
    np.testing.assert_array_equal(a.transform(frame), b.transform(frame))


def test_whole_numbers_that_are_floats_later():
    """pandas makes floats of ints where one is missing."""
    seen = [3, 1, 2, 3, 1]
    later = pd.Series([1, 2, 3, None])
    assert later.dtype == np.float64
    encoded = encode(seen, later, categorical_features=["column"])
    np.testing.assert_array_equal(encoded, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    bools = encode([True, False], pd.Series([1.0, 0.0]), categorical_features=[0])
    np.testing.assert_array_equal(bools, [[1], [-1]])


# Every type that pandas has.

WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = ["float16", "float32", "float64", "longdouble"]
NULLABLE = [name.replace("i", "I").replace("u", "U") for name in WHOLE]
ARROW = ["int64[pyarrow]", "float[pyarrow]", "double[pyarrow]", "uint8[pyarrow]"]


@pytest.mark.parametrize("dtype", WHOLE + FLOATS)
def test_types_of_numbers(dtype):
    expected = encode(np.array(NUMBERS, float))
    np.testing.assert_array_equal(encode(np.array(NUMBERS, dtype)), expected)


@pytest.mark.parametrize("dtype", [*NULLABLE, "Float32", "Float64", *ARROW])
def test_types_of_numbers_with_missing_ones(dtype):
    expected = encode(np.array(GAPPY, float))
    np.testing.assert_array_equal(encode(pd.Series(GAPPY, dtype=dtype)), expected)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]"])
def test_whole_numbers_that_no_float_is(dtype):
    values = [2**60 + 1, 0, 2**59 + 1]
    expected = encode(np.array(values, float))
    np.testing.assert_array_equal(encode(pd.Series(values, dtype=dtype)), expected)


@pytest.mark.parametrize("fill", [0, np.nan])
def test_sparse_columns(fill):
    values = [fill, 1.0, fill, 2.0, fill, fill]
    sparse = pd.Series(pd.arrays.SparseArray(values, fill_value=fill))
    np.testing.assert_array_equal(encode(sparse), encode(values))
    np.testing.assert_array_equal(
        encode(sparse, categorical_features=[0]),
        encode(values, categorical_features=[0]),
    )


@pytest.mark.parametrize("dtype", ["bool", "boolean", "bool[pyarrow]"])
def test_booleans_are_numbers(dtype):
    values = [True, False, True, True]
    expected = encode(np.array(values, float))
    assert expected.shape == (4, 1)
    np.testing.assert_array_equal(encode(pd.Series(values, dtype=dtype)), expected)
    if dtype != "bool":
        gappy = pd.Series([*values, None], dtype=dtype)
        expected = encode([1.0, 0.0, 1.0, 1.0, np.nan])
        np.testing.assert_array_equal(encode(gappy), expected)


WORDS = ["red", "blue", None, "red", "green"]
WORD_TYPES = [
    "object",
    "str",
    "string[python]",
    "string[pyarrow]",
    "category",
    pd.CategoricalDtype(["green", "red", "blue", "unused"], ordered=True),
]


@pytest.mark.parametrize("dtype", WORD_TYPES, ids=str)
def test_types_of_words(dtype):
    series = pd.Series(WORDS, dtype=dtype)
    expected = np.eye(4)[[3, 1, 0, 3, 2]]
    np.testing.assert_array_equal(encode(series), expected)
    # It knows them again whatever the type is later.
    for later in WORD_TYPES[:3]:
        encoded = encode(series, pd.Series(WORDS, dtype=later))
        np.testing.assert_array_equal(encoded, expected)


CATEGORIES = {
    "ints": [5, 3, 5, 3, 9],
    "floats": [0.5, 2.0, 0.5, 2.0, 7.0],
    "booleans": [True, False, True, None, None],
    "words and numbers": ["a", 1, "a", 1, 2.5],
    "tuples": [(1, 2), (3, 4), (1, 2), (3, 4), (5,)],
    "bytes": [b"a", b"b", b"a", b"b", b"c"],
    "decimals": [Decimal(1), Decimal(2), Decimal(1), Decimal(2), Decimal("NaN")],
    "dates": [datetime.date(2020, 1, day) for day in (1, 2, 1, 2, 3)],
    "intervals": pd.cut(pd.Series([1, 2, 1, 2, 3]), [0, 1, 2, 3]).tolist(),
    "timestamps": [pd.Timestamp(2020, 1, day) for day in (1, 2, 1, 2, 3)],
}


@pytest.mark.parametrize("dtype", ["category", "object"])
@pytest.mark.parametrize("kind", CATEGORIES)
def test_categories_of_any_kind(kind, dtype):
    if dtype == "category" and kind == "words and numbers":
        # pandas sorts these by nothing, which it says by no warning either.
        values = pd.Series(pd.Categorical(CATEGORIES[kind], ["a", 1, 2.5]))
    else:
        values = pd.Series(CATEGORIES[kind], dtype="object").astype(dtype)
    frame = pd.DataFrame({"column": values})
    declared = [] if dtype == "category" else ["column"]
    encoder = TabularEncoder(categorical_features=declared or "from_dtype").fit(frame)
    assert encoder.is_categorical_.tolist() == [True]
    encoded = encoder.transform(frame)
    np.testing.assert_array_equal(encoded.sum(axis=1), 1)
    same = encoded @ encoded.T
    groups = np.array([0, 1, 0, 1 if kind != "booleans" else 2, 2])
    np.testing.assert_array_equal(same, groups[:, None] == groups)


UNREADABLE = {
    "periods": pd.Series(pd.period_range("2020", periods=5, freq="M")),
    "intervals": pd.Series(pd.interval_range(0, 5)),
    "complex": pd.Series(np.arange(5) + 1j),
    "lists": pd.Series([[1], [2], [3], [4], [5]]),
    "lists of two": pd.Series([[1, 2]] * 5),
    "dicts": pd.Series([{"a": 1}] * 5),
    "arrays": pd.Series([np.zeros(2)] * 5),
    "infinite": pd.Series([0.0, 1.0, np.inf, 2.0, 3.0]),
    "minus infinity": pd.Series([0.0, 1.0, -np.inf, 2.0, 3.0]),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_can_not_be_read_is_named(kind):
    frame = pd.DataFrame({"fine": range(5), "odd one": UNREADABLE[kind]})
    with pytest.raises(ValueError, match="olumn 'odd one'"):
        TabularEncoder().fit(frame)
    encoder = TabularEncoder().fit(frame.assign(**{"odd one": range(5)}))
    before = encoder.transform(frame.assign(**{"odd one": range(5)}))
    with pytest.raises(ValueError, match="olumn 'odd one'"):
        encoder.transform(frame)
    with pytest.raises(ValueError, match="olumn 'odd one'"):
        encoder.fit(frame)
    after = encoder.transform(frame.assign(**{"odd one": range(5)}))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("periods", r"period\[M\]"),
        ("intervals", r"interval\[int64, right\]"),
        ("complex", "complex128"),
    ],
)
def test_its_type_is_named(kind, dtype):
    with pytest.raises(ValueError, match=f"Column 'odd' is of type {dtype}"):
        TabularEncoder().fit(pd.DataFrame({"odd": UNREADABLE[kind]}))


def test_free_text_is_refused():
    texts = [
        f"What number {i} has to say takes a sentence or two of it." for i in range(40)
    ]
    frame = pd.DataFrame({"number": np.arange(40.0) ** 2, "said": texts})
    with pytest.raises(ValueError, match="Column 'said' looks like free text: 40"):
        TabularEncoder().fit(frame)
    # Long names are no prose where they are few, nor many where they are short.
    TabularEncoder().fit(frame.assign(said=texts[:4] * 10))
    TabularEncoder().fit(frame.assign(said=[f"no {i // 2}" for i in range(40)]))
    # At prediction it is but another name.
    encoder = TabularEncoder().fit(frame.assign(said=["a", "b"] * 20))
    with pytest.warns(UserWarning, match="'said' has no value that was seen"):
        np.testing.assert_array_equal(encoder.transform(frame)[:, -1], 0)


def test_text_where_numbers_were():
    encoder = TabularEncoder().fit(pd.DataFrame({"n": [1.0, 2.0, 3.0]}))
    said = "Column 'n' has values that are not num.* It had numbers in `fit`: convert"
    with pytest.raises(ValueError, match=said):
        encoder.transform(pd.DataFrame({"n": ["1", "two"]}))
    # Numbers that are written out are numbers.
    written = encoder.transform(pd.DataFrame({"n": ["1", "2.5", None]}))
    numbers = encoder.transform(pd.DataFrame({"n": [1, 2.5, np.nan]}))
    np.testing.assert_array_equal(written, numbers)


# Other frames.


def polars_frame(frame):
    return pl.DataFrame(
        {name: frame[name].tolist() for name in frame}, nan_to_null=True
    )


def test_polars_is_as_pandas():
    frame = mixed_frame()
    other = polars_frame(frame)
    a, b = TabularEncoder().fit(frame), TabularEncoder().fit(other)
    assert list(a.get_feature_names_out()) == list(b.get_feature_names_out())
    assert list(a.feature_names_in_) == list(b.feature_names_in_)
    for encoder in (a, b):
        for X in (frame, other):
            np.testing.assert_array_equal(encoder.transform(X), a.transform(frame))


COLOURS = pl.Enum(["red", "green", "blue", "unused"])


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, COLOURS], ids=str)
def test_polars_words(dtype):
    other = pl.DataFrame({"column": pl.Series(WORDS, dtype=dtype)})
    np.testing.assert_array_equal(TabularEncoder().fit_transform(other), encode(WORDS))


@pytest.mark.parametrize(
    "dtype",
    [
        *[pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128],
        *[pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64],
        *[pl.Float32, pl.Float64, pl.Decimal(9, 2)],
    ],
    ids=str,
)
def test_polars_numbers(dtype):
    other = pl.DataFrame({"column": pl.Series(GAPPY, dtype=pl.Int64).cast(dtype)})
    np.testing.assert_array_equal(
        TabularEncoder().fit_transform(other), encode(np.array(GAPPY, float))
    )


def test_polars_nulls_and_nans_are_missing():
    other = pl.DataFrame({"column": [1.0, None, float("nan"), 2.0, 3.0]})
    expected = encode([1.0, None, None, 2.0, 3.0])
    np.testing.assert_array_equal(TabularEncoder().fit_transform(other), expected)
    params = {"categorical_features": ["column"]}
    expected = encode([1.0, None, None, 2.0, 3.0], **params)
    encoded = TabularEncoder(**params).fit_transform(other)
    np.testing.assert_array_equal(encoded, expected)
    flags = pl.DataFrame({"column": [True, None, False]})
    expected = encode(pd.Series([True, None, False], dtype="boolean"))
    np.testing.assert_array_equal(TabularEncoder().fit_transform(flags), expected)


@pytest.mark.parametrize("params", [{}, {"categorical_features": ["column"]}])
def test_polars_columns_of_nulls(params):
    nulls = pl.DataFrame({"column": [None] * 4})
    assert nulls.schema["column"] == pl.Null
    encoder = TabularEncoder(**params).fit(nulls)
    assert np.isfinite(encoder.transform(nulls)).all()
    words = pl.DataFrame({"column": ["a", None]})
    if params:
        with pytest.warns(
            UserWarning, match="had missing values only; now it has text"
        ):
            # A single category tells nothing, whatever the column holds later.
            np.testing.assert_array_equal(encoder.transform(words), [[1], [1]])
    # After a fit to words, nulls are missing words.
    encoder.fit(words)
    np.testing.assert_array_equal(encoder.transform(nulls), [[-1]] * 4)


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        {"a": 1},
        b"bytes",
    ],
    ids=lambda value: type(value).__name__,
)
def test_polars_types_that_are_refused(value):
    other = pl.DataFrame({"fine": [1, 2, 3], "odd": [value] * 3})
    with pytest.raises(ValueError, match="Column 'odd' is of type"):
        TabularEncoder().fit(other)


def test_lazy_frames_are_refused():
    other = polars_frame(mixed_frame())
    encoder = TabularEncoder().fit(other)
    with pytest.raises(TypeError, match=r"LazyFrame, .* collect\(\)"):
        TabularEncoder().fit(other.lazy())
    with pytest.raises(TypeError, match=r"LazyFrame, .* collect\(\)"):
        encoder.transform(other.lazy())


def test_arrow_tables():
    frame = mixed_frame()
    table = polars_frame(frame).to_arrow()
    encoded = TabularEncoder().fit_transform(table)
    np.testing.assert_array_equal(encoded, TabularEncoder().fit_transform(frame))


# Which columns are categorical.

CODES = {"a": [1, 2, 3, 1], "b": ["x", "y", "x", "z"], "c": [0.5, 1.5, 2.5, 3.5]}


@pytest.mark.parametrize("form", ["pandas", "polars", "objects", "list"])
@pytest.mark.parametrize(
    "which", [[True, True, False], [0, 1], np.array([1, 0]), ["a", "b"], ("b", "a")]
)
def test_declared_columns(which, form):
    frame = pd.DataFrame(CODES)
    X = {
        "pandas": frame,
        "polars": pl.DataFrame(CODES),
        "objects": frame.to_numpy(dtype=object),
        "list": frame.to_numpy(dtype=object).tolist(),
    }[form]
    encoder = TabularEncoder(categorical_features=which, n_bins=0)
    if form in ("objects", "list") and isinstance(which[0], str):
        with pytest.raises(ValueError, match="without feature names"):
            encoder.fit(X)
        return
    encoded = encoder.fit_transform(X)
    assert encoder.is_categorical_.tolist() == [True, True, False]
    expected = np.eye(3)[[[0, 1, 2, 0], [0, 1, 0, 2]]]
    np.testing.assert_array_equal(encoded[:, :3], expected[0])
    np.testing.assert_array_equal(encoded[:, 3:6], expected[1])
    np.testing.assert_array_equal(encoded[:, 6:], encode(CODES["c"], n_bins=0))


def test_a_mask_with_labels():
    """It is taken by its labels if they are the columns' names, else by position."""
    frame = pd.DataFrame({"a": [7, 8, 7], "b": [1, 2, 3]})
    for labels, expected in ((["b", "a"], "a"), (["a", "b"], "b"), ([1, 0], "b")):
        which = pd.Series([False, True], index=labels)
        for X in (frame, pl.from_pandas(frame)):
            encoder = TabularEncoder(categorical_features=which).fit(X)
            assert encoder.is_categorical_.tolist() == [
                expected == "a",
                expected == "b",
            ]
    encoder = TabularEncoder(categorical_features=pd.Series({"a": True, "c": False}))
    with pytest.raises(ValueError, match="'c' which is not a valid feature name of X"):
        encoder.fit(frame)
    which = pd.Series([True, False], index=["a", "a"])
    with pytest.raises(ValueError, match=r"index has a column twice: \['a', 'a'\]"):
        TabularEncoder(categorical_features=which).fit(frame)
    # An array has no names.
    encoder.fit(frame.to_numpy())
    assert encoder.is_categorical_.tolist() == [True, False]
    # Names that are numbers.
    which = pd.Series([False, True], index=[1, 0])
    encoder = TabularEncoder(categorical_features=which)
    encoder.fit(frame.set_axis([0, 1], axis=1))
    assert encoder.is_categorical_.tolist() == [True, False]


@pytest.mark.parametrize("which", [[0], [True, False]])
def test_the_first_column_alone_of_an_array(which):
    X = np.array([["a", 1], ["b", None], [None, 3], [pd.NA, pd.NA]], dtype=object)
    encoder = TabularEncoder(categorical_features=which, n_bins=0)
    encoded = encoder.fit_transform(X)
    np.testing.assert_array_equal(encoded[:, :3], np.eye(3)[[1, 2, 0, 0]])
    np.testing.assert_array_equal(encoded[:, 3:], encode([1, None, 3, None], n_bins=0))
    # Numbers alone may be categories, too.
    codes = encoder.fit_transform(np.array([[7.0, 1.0], [8.0, 2.0], [np.nan, 3.0]]))
    np.testing.assert_array_equal(codes[:, :3], np.eye(3)[[1, 2, 0]])


def test_nothing_is_declared():
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    for which in ("from_dtype", None, [], [False, False]):
        encoder = TabularEncoder(categorical_features=which).fit(X)
        assert not encoder.is_categorical_.any()
    frame = pd.DataFrame(CODES)
    with pytest.raises(ValueError, match="Column 'b' has values that are not numbers"):
        TabularEncoder(categorical_features=None).fit(frame)
    with pytest.raises(ValueError, match="Column at index 1 has values that are not"):
        TabularEncoder().fit(frame.to_numpy())


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (["nonesuch"], "'nonesuch' which is not a valid feature name"),
        ([3], "must be in"),
        ([True], "must have shape"),
        ([0.5], "array-like of bool, int or str"),
        ("b", "'categorical_features' parameter"),
    ],
)
def test_declared_columns_that_there_are_not(which, message):
    with pytest.raises(ValueError, match=message):
        TabularEncoder(categorical_features=which).fit(pd.DataFrame(CODES))


def test_arrays_with_infinity():
    X = np.array([[0.0, 1.0], [2.0, np.inf]])
    with pytest.raises(ValueError, match=r"infinity .* column at index 1"):
        TabularEncoder().fit(X)


# Names.


@pytest.mark.parametrize("as_frame", [lambda frame: frame, polars_frame])
def test_columns_are_known_by_name(as_frame):
    frame = mixed_frame()
    encoder = TabularEncoder().fit(as_frame(frame))
    for other, message in [
        (frame[frame.columns[::-1]], "must be in the same order"),
        (frame.drop(columns="size"), "yet now missing:\n- size"),
        (frame.assign(more=1), "unseen at fit time:\n- more"),
        (frame.rename(columns={"size": "length"}), "unseen at fit time:\n- length"),
    ]:
        with pytest.raises(ValueError, match=message):
            encoder.transform(as_frame(other))


@pytest.mark.parametrize("names", [[("a", "x"), ("b", "x")], [1, 2], [1.5, 2.5]])
def test_names_that_are_no_text_are_warned_of(names):
    X = pd.DataFrame([[0.0, 100.0], [1.0, 150.0], [2.0, 250.0]], columns=names)
    with pytest.warns(UserWarning, match="names that are not strings, such as"):
        encoder = TabularEncoder().fit(X)
    with pytest.warns(UserWarning, match="another order in new rows goes unnoticed"):
        encoder.transform(X[X.columns[::-1]])
    # A single column has no other order.
    TabularEncoder().fit(X[X.columns[:1]])


def test_columns_numbered_in_another_order_are_warned_of():
    X = pd.DataFrame([[0.0, 100.0], [1.0, 150.0], [2.0, 250.0]])
    encoder = TabularEncoder().fit(X)
    encoder.transform(X)
    with pytest.warns(UserWarning, match="names that are not strings, such as 1"):
        encoder.transform(X[[1, 0]])


@pytest.mark.parametrize("names", [[("a", "x"), ("b", "x")], [1, 2]])
@pytest.mark.filterwarnings("ignore:The columns of X have names that are not strings")
def test_a_message_has_the_position_of_a_name_that_is_no_text(names):
    X = pd.DataFrame({0: [0.5, 1.5, 2.5], 1: ["one", "two", "three"]})
    X.columns = names
    position = re.escape(f"Column {names[1]} (at index 1) has values that are not num")
    with pytest.raises(ValueError, match=position):
        TabularEncoder(categorical_features=None).fit(X)
    encoder = TabularEncoder(categorical_features=[1]).fit(X)
    assert encoder.is_categorical_.tolist() == [False, True]
    with pytest.raises(ValueError, match=r"infinity .*\(at index 0\)"):
        encoder.transform(X.replace(0.5, np.inf))
    X[names[1]] = ["2024-01-01", "2024-01-02", "2024-02-01"]
    with pytest.raises(ValueError, match=re.escape(f"X[{names[1]}] = pandas.to_datet")):
        TabularEncoder().fit(X)


def test_duplicated_names_are_refused():
    frame = pd.DataFrame(np.eye(3), columns=["a", "b", "c"])
    twice = frame.set_axis(["a", "b", "b"], axis=1)
    with pytest.raises(ValueError, match="X has 2 columns named 'b'"):
        TabularEncoder().fit(twice)
    encoder = TabularEncoder().fit(frame)
    with pytest.raises(ValueError, match="X has 2 columns named 'b'"):
        encoder.transform(twice)


def test_arrays_have_numbers_of_columns():
    encoder = TabularEncoder().fit(np.eye(3))
    assert not hasattr(encoder, "feature_names_in_")
    assert encoder.get_feature_names_out()[0] == "x0"
    with pytest.raises(ValueError, match="X has 2 features, but TabularEncoder is exp"):
        encoder.transform(np.eye(2))


@pytest.mark.filterwarnings("ignore:Column 'a' has categories that differ only in how")
def test_names_are_distinct():
    frame = pd.DataFrame(
        {
            "a": ["1", 1, "missing", None, "rare", "z"],
            "b": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "b_bin1": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "b_bin1_2": [0.0, 1.0] * 3,
        }
    )
    encoder = TabularEncoder(n_bins=2).set_output(transform="pandas").fit(frame)
    names = encoder.get_feature_names_out()
    assert len(set(names)) == len(names)
    assert {"a_1", "a_1_2", "b_bin1", "b_bin1_2", "b_bin1_3"} <= set(names)
    assert encoder.transform(frame).columns.tolist() == names.tolist()


def test_names_of_other_columns():
    encoder = TabularEncoder(n_bins=0).fit(np.eye(2))
    assert encoder.get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="should have length equal"):
        encoder.get_feature_names_out(["a"])
    named = TabularEncoder(n_bins=0).fit(pd.DataFrame(np.eye(2), columns=["a", "b"]))
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        named.get_feature_names_out(["a", "c"])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    frame = mixed_frame().sample(frac=1, random_state=0)
    encoder = TabularEncoder().fit(frame)
    expected = encoder.transform(frame)
    encoder.set_output(transform=library)
    for out in (encoder.transform(frame), encoder.fit_transform(frame)):
        assert list(out.columns) == list(encoder.get_feature_names_out())
        np.testing.assert_array_equal(out.to_numpy(), expected)
    if library == "pandas":
        assert out.index.equals(frame.index)


# As scikit-learn's transformers are.


def test_checks():
    results = check_estimator(TabularEncoder(), on_skip=None)
    assert len(results) > 40
    others = {r["check_name"] for r in results if r["status"] != "passed"}
    assert others <= {"check_array_api_input"}


@pytest.mark.parametrize("rows", [0, 3])
def test_empty_tables_are_refused(rows):
    frame = (
        pd.DataFrame({"a": [], "b": []}) if rows == 0 else pd.DataFrame(index=range(3))
    )
    message = "Found array with 0 sample" if rows == 0 else "Found array with 0 feature"
    with pytest.raises(ValueError, match=message):
        TabularEncoder().fit(frame)
    with pytest.raises(ValueError, match=message):
        TabularEncoder().fit(frame.to_numpy())
    if rows == 0:
        encoder = TabularEncoder().fit(pd.DataFrame({"a": [1.0], "b": [2.0]}))
        with pytest.raises(ValueError, match=message):
            encoder.transform(frame)


def test_the_table_stays_as_it_was():
    frame = mixed_frame()
    frame["mixed"] = pd.Series(["x", 1, np.nan, None, pd.NA, pd.NaT] * 10, dtype=object)
    before, kinds = frame.copy(), [type(value) for value in frame["mixed"]]
    TabularEncoder().fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert [type(value) for value in frame["mixed"]] == kinds
    X = frame.to_numpy(dtype=object)
    kinds = [type(value) for value in X.ravel()]
    TabularEncoder(categorical_features=[2, 5]).fit_transform(X)
    assert [type(value) for value in X.ravel()] == kinds


def test_pickle_and_clone():
    frame = mixed_frame()
    encoder = TabularEncoder(n_bins=3, min_frequency=2).fit(frame)
    loaded = pickle.loads(pickle.dumps(encoder))
    for other in (loaded, clone(encoder).fit(frame)):
        np.testing.assert_array_equal(other.transform(frame), encoder.transform(frame))
        assert list(other.get_feature_names_out()) == list(
            encoder.get_feature_names_out()
        )


def test_in_a_pipeline():
    frame = mixed_frame()
    y = (frame["colour"] == "red") | (frame["size"] > 0.5)
    pipeline = make_pipeline(TabularEncoder(), LogisticRegression(C=100))
    assert pipeline.fit(frame, y).score(frame, y) > 0.95


def test_in_a_column_transformer():
    frame = mixed_frame()
    both = make_column_transformer(
        (TabularEncoder(n_bins=0), ["size", "colour"]), (TabularEncoder(), ["count"])
    )
    encoded = both.fit_transform(frame)
    expected = [
        TabularEncoder(n_bins=0).fit_transform(frame[["size", "colour"]]),
        TabularEncoder().fit_transform(frame[["count"]]),
    ]
    np.testing.assert_array_equal(encoded, np.hstack(expected))
    assert len(both.get_feature_names_out()) == encoded.shape[1]


@pytest.mark.parametrize("n_rows", [1, 7, 60, 100])
def test_chunks(n_rows):
    frame = mixed_frame()
    encoder = TabularEncoder().fit(frame)
    prepared = encoder._prepare(frame)
    chunks = [
        [values[start : start + n_rows] for values in prepared]
        for start in range(0, len(frame), n_rows)
    ]
    encoded = [encoder._encode_rows(chunk, np.float64).toarray() for chunk in chunks]
    np.testing.assert_array_equal(np.concatenate(encoded), encoder.transform(frame))


def test_many_rows_are_encoded_as_few():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 8))
    X[rng.random(X.shape) < 0.1] = np.nan
    frame = pd.DataFrame(X, columns=list("abcdefgh")).astype({"a": np.float32})
    frame["name"] = ["red", "blue", None] * 1000
    encoder = TabularEncoder().fit(frame)
    few = [encoder.transform(frame[i : i + 30]) for i in range(0, 3000, 30)]
    np.testing.assert_array_equal(encoder.transform(frame), np.concatenate(few))


@pytest.mark.filterwarnings("ignore:Column 'c' has:UserWarning")
def test_a_single_category_tells_nothing():
    """Whatever the column holds later, the rows are encoded as in `fit`."""
    encoder = TabularEncoder().fit(pd.DataFrame({"a": [1.0, 2, 3], "c": ["x"] * 3}))
    expected = encoder.transform(pd.DataFrame({"a": [2.0] * 3, "c": ["x"] * 3}))
    later = pd.DataFrame({"a": [2.0] * 3, "c": ["x", "y", None]})
    np.testing.assert_array_equal(encoder.transform(later), expected)


def test_the_range_of_fit_holds_in_float32():
    """Where float32 rounds the smallest number down."""
    X = np.repeat([[0.7], [0.9]], [80, 20], axis=0)
    encoder = TabularEncoder().fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform(X.astype(np.float32))


def test_texts_that_utf_8_can_not_encode_are_ordered():
    X = pd.DataFrame({"c": [*"aaabbb", "\ud800", "\ud801"]}, dtype=object)
    encoder = TabularEncoder(min_frequency=1, max_categories=3).fit(X)
    assert encoder.transform(X).sum(axis=0).tolist() == [3, 3, 2]


def test_a_few_long_categories_are_no_free_text():
    answers = [f"answer number {i} of the survey, in full words" for i in range(20)]
    names = TabularEncoder().fit(pd.DataFrame({"q": answers})).get_feature_names_out()
    assert len(names) == 20
