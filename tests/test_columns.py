"""What columns of a table are taken for, and what is said of it: nothing silently."""

import datetime
import enum
import pickle
import re
import uuid
import warnings
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import duckdb
import joblib
import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.preprocessing
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    TabularEncoder,
    TabularMLPClassifier,
    TabularMLPRegressor,
)

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# Fits warn of it, which is not what some tests of predictions are about.
ALIKE = "ignore:.* categories that differ only in how they are written"
SMALL = {"n_members": 2, "hidden_layer_sizes": 8, "max_iter": 3, "random_state": 0}


def examples(n):
    return settings(
        max_examples=n,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def frame_of(values, dtype=object):
    return pd.DataFrame({"column": pd.Series(values, dtype=dtype)})


def encode(values, later=None, **params):
    """A column by itself, encoded; or `later` as fitted to it."""
    encoder = TabularEncoder(**params).fit(frame_of(values))
    return encoder.transform(frame_of(values if later is None else later))


# Numbers in columns of objects.

FORMS = {
    "decimals": lambda v: [Decimal(str(x)) for x in v],
    "fractions": lambda v: [Fraction(x) for x in v],
    "floats and None": lambda v: [None if np.isnan(x) else x for x in v],
    "whole numbers and floats": lambda v: [int(x) if x == int(x) else x for x in v],
    "NumPy's": list,
    "with pandas.NA": lambda v: [pd.NA if np.isnan(x) else x for x in v],
}


@pytest.mark.parametrize("form", FORMS)
def test_objects_that_are_numbers_are_numbers(form):
    values = np.random.default_rng(0).normal(size=60).round(3)
    values[::10] = np.round(values[::10])
    if form in ("floats and None", "with pandas.NA"):
        values[::7] = np.nan
    encoder = TabularEncoder().fit(frame_of(FORMS[form](values)))
    assert encoder.is_categorical_.tolist() == [False]
    np.testing.assert_array_equal(
        encoder.transform(frame_of(FORMS[form](values))),
        TabularEncoder().fit_transform(frame_of(values, float)),
    )


WAYS = {
    "objects": lambda X: X.astype(object),
    "where": lambda X: X.astype(object).where(X.notna(), None),
    "transposed twice": lambda X: X.assign(text="a").T.T.drop(columns="text"),
    "imputed": lambda X: (
        SimpleImputer(strategy="most_frequent")
        .set_output(transform="pandas")
        .fit_transform(X.astype(object))
    ),
    "decimals": lambda X: X.map(lambda x: Decimal(repr(x))),
    "an array of objects": lambda X: X.to_numpy(object),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_linear_relation_is_found_whatever_the_objects(way):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"price": rng.normal(100, 10, 300)})
    y = 2 * X["price"] + rng.normal(size=300)
    Z = WAYS[way](X)
    model = TabularMLPRegressor(n_members=2, random_state=0)
    theirs = HistGradientBoostingRegressor().fit(X[:200], y[:200])
    score = model.fit(Z[:200], y[:200]).score(Z[200:], y[200:])
    assert score > 0.97
    assert score > theirs.score(X[200:], y[200:])


def test_flags_are_not_the_numbers_that_they_equal():
    """Whatever the order in which they come."""
    for values in (["x", 1, True], ["x", True, 1]):
        encoder = TabularEncoder().fit(frame_of(values * 5))
        assert len(encoder.get_feature_names_out()) == 3
        later = encoder.transform(frame_of(["True", True, 1.0, 1]))
        np.testing.assert_array_equal(later[0], later[1])
        np.testing.assert_array_equal(later[2], later[3])
        assert (later[0] != later[2]).any()


def test_a_constant_that_is_far_off_later():
    encoder = TabularEncoder().fit(frame_of([-1.7e308] * 9, float))
    later = encoder.transform(frame_of([1.7e308, 0.0], float))
    np.testing.assert_array_equal(later, np.zeros((2, 1)))


def test_flags_and_words_among_objects_are_categories():
    for values in ([True, False, None] * 4, ["a", "b"] * 6, [1, "a", "b"] * 4):
        encoder = TabularEncoder().fit(frame_of(values))
        assert encoder.is_categorical_.tolist() == [True]


# Text of numbers.


@pytest.mark.parametrize(
    ("values", "is_categorical", "said"),
    [
        (["12.3", "1e5", "-7"], False, "'column' has numbers written as text: it is t"),
        (
            ["12.3", "N/A", "-", "4"],
            False,
            "written as text and '-', 'N/A', taken as m",
        ),
        ([1.5, "2", None, 3], False, "numbers written as text"),
        (["01067", "1069", "01099"], True, "leading zeros, as codes have, such as '01"),
        (
            ["4111111111111110001", "4111111111111110002", "7"],
            True,
            "integers of many digits, as codes have, such as '4111111111111110001'",
        ),
        (["-9007199254740993", "1"], True, "such as '-9007199254740993'"),
        (["9" * 9999, "1"], True, "integers of many digits"),
        (["9007199254740992", "1"], False, "written as text"),
        (["1e20", "4111111111111110001"], False, "written as text"),
        (["1", "2", "345-"], True, r"but also '345-': it is taken as categories"),
        (["1", "1.5-", "2"], True, r"but also '1\.5-': it is taken as categories"),
        (["1-", "2-", "3-"], True, None),
        (["1", "2", "1,234"], True, r"but also '1,234': it is taken as categories"),
        (["1,00,000", "12,34,567.5", "7"], True, "but also '1,00,000', '12,34,567.5'"),
        (["1\u202f234", "5\u2009678", "7"], True, "among its text, but also"),
        (["1\u2019234\u2019567", "1", "7"], True, "among its text, but also"),
        (["1,23,45", "4,5,6,789", "1,23,4567"], True, None),
        (["10%", "20%", "30%"], True, r"but also '10%', '20%', '30%'"),
        (["$1.50", "$2", "3"], True, r"but also '\$1.50', '\$2'"),
        (["₹1,500", "₩2", "3 ₽"], True, r"but also '3 ₽', '₩2', '₹1,500'"),
        (["113803", "A/5 21171", "349909"], True, "but also 'A/5 21171'"),
        (["red", "blue", "3"], True, None),
    ],
)
@pytest.mark.parametrize("dtype", [object, "category"])
def test_text_of_numbers_is_said(values, is_categorical, said, dtype):
    X = frame_of(values * 3, dtype)
    encoder = TabularEncoder()
    if said is None or dtype == "category":
        # A category was declared one.
        assert encoder.fit(X).is_categorical_.tolist() == [True]
        return
    with pytest.warns(UserWarning, match=said) as caught:
        encoder.fit(X)
    assert "pandas.to_numeric" in str(caught[0].message)
    # pandas.to_numeric can't read these as they are.
    is_formatted = "but also" in said and "A/5" not in said
    assert ("Series.str.replace" in str(caught[0].message)) == is_formatted
    assert "`categorical_features`" in str(caught[0].message)
    assert encoder.is_categorical_.tolist() == [is_categorical]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        declared = TabularEncoder(categorical_features=["column"]).fit(X)
    assert declared.is_categorical_.tolist() == [True]


@pytest.mark.parametrize(
    ("form", "unit"),
    [
        ("{:.1f} kg", " kg"),
        ("{:.0f}km/h", "km/h"),
        ("{:.0f} days", " days"),
        ("{:.1f} °C", " °C"),
        ("{:.0f}m", "m"),
        ("{:.1f} m2", " m2"),
        ("EUR {:.2f}", "EUR "),
        ("${:.1f}k", "$"),
    ],
)
def test_numbers_with_a_unit_are_said(form, unit):
    numbers = np.linspace(2, 90, 40)
    texts = pd.Series([*map(form.format, numbers), None, "n/a"] * 3)
    X = pd.DataFrame({"column": texts})
    with pytest.warns(UserWarning, match="'column' has numbers with a unit") as caught:
        encoder = TabularEncoder().fit(X)
    assert encoder.is_categorical_.all()
    factor = ", of k by e3 and of M by e6," if form.endswith("k") else ""
    remedy = f"Series.str.replace{factor} and pandas.to_numeric"
    assert remedy in str(caught[0].message)
    # Without the unit, the column is one of numbers.
    texts = texts.str.replace(unit, "").str.replace("k", "e3")
    X["column"] = pd.to_numeric(texts, errors="coerce")
    assert not TabularEncoder().fit(X).is_categorical_.any()


@pytest.mark.parametrize(
    "texts",
    [
        # Few values, ordinals, codes, names, bins, several units.
        [f"{i} doors" for i in range(2, 9)],
        ["1st", "2nd", "3rd", *[f"{i}th" for i in range(4, 20)]],
        [f"{i}{'ABCD'[i % 4]}" for i in range(20)],
        [f"Store {i}" for i in range(20)],
        [f"{i} {street}" for i in range(9) for street in ("Mill Lane", "High Street")],
        ["<18", "18-25", "26-35", ">65"],
        ["<50", ">=50"],
        [f"{i} {unit}" for i in range(20) for unit in ("kg", "lb")],
        [f"{i} {unit}" for i in range(20) for unit in ("mW", "MW")],
        [f"{i}A" for i in range(100, 140)] * 2,
        [f"00{i} kg" for i in range(10, 40)] * 2,
        [f"{i} Main St" for i in range(40)] * 2,
        [f"{i} Series {year}" for i in range(1, 8) for year in (2018, 2019)],
    ],
    ids=range(13),
)
def test_names_with_numbers_are_categories(texts):
    X = pd.DataFrame({"column": texts * 4})
    assert TabularEncoder().fit(X).is_categorical_.all()


@pytest.mark.parametrize("odd", ["missing", ".", "N/A", "-", "#NULL!", "1 (never)"])
def test_the_remedy_for_numbers_as_text_can_be_followed(odd):
    column = pd.Series([*map(str, range(30)), odd] * 2)
    with pytest.warns(UserWarning, match="'column' has numbers") as caught:
        TabularEncoder().fit(column.to_frame("column"))
    assert "pandas.to_numeric with errors='coerce'" in str(caught[0].message)
    numbers = pd.to_numeric(column, errors="coerce")
    assert numbers.isna().sum() == 2
    assert not TabularEncoder().fit(numbers.to_frame("column")).is_categorical_.any()


def test_numbers_with_an_exponent_have_no_unit():
    """As E2 may be one, such as of an area."""
    numbers = np.linspace(100, 999, 40)
    X = pd.DataFrame({"column": [f"{x / 100:.2f}E2" for x in numbers]})
    with pytest.warns(UserWarning, match="written as text: it is taken as numbers"):
        encoder = TabularEncoder().fit(X)
    assert not encoder.is_categorical_.any()


def test_different_numbers_with_a_unit_are_no_identifiers():
    X = pd.DataFrame({"column": [f"{i} kg" for i in range(60)]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TabularEncoder().fit(X)
    assert ["unit" in str(w.message) for w in caught] == [True]


def test_limits_among_numbers_are_said():
    """However many rows are below the limit of detection."""
    texts = ["<0.5"] * 80 + [f"{x:.2f}" for x in np.linspace(0.5, 3, 20)]
    with pytest.warns(UserWarning, match="among its text, but also '<0.5'") as caught:
        TabularEncoder().fit(pd.DataFrame({"column": texts}))
    assert "Series.str.replace and pandas.to_numeric" in str(caught[0].message)


def test_thousands_among_texts_of_numbers_are_said():
    texts = [f"{i:,}".replace(",", ".") for i in range(500, 3500, 50)]
    with pytest.warns(UserWarning, match=r"thousands='\.' and decimal=','"):
        TabularEncoder().fit(pd.DataFrame({"column": texts}))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            ["01067", "1067", "2"],
            "leading zeros, as codes have, such as '01067': it is t",
        ),
        (
            ["4111111111111110001", "7"],
            "many digits, .*'4111111111111110001': it is tak",
        ),
        (["1067", "0.5", "-0", "N/A"], None),
    ],
)
@pytest.mark.filterwarnings(ALIKE)
def test_codes_in_arrays_are_said(texts, said):
    """Only the columns in `categorical_features` of an array are categorical."""
    X = np.array([[text] for text in texts] * 3, object)
    for table, params in ((X, {}), (pd.DataFrame(X), {"categorical_features": None})):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoder = TabularEncoder(**params).fit(table)
        assert encoder.is_categorical_.tolist() == [False]
        messages = [str(w.message) for w in caught]
        assert len(messages) == (said is not None)
        for message in messages:
            assert re.search(f"{said}.*numbers. If .* `categorical_features`", message)
    TabularEncoder(categorical_features=[0]).fit(X)


PANDAS = {"int64": "Int64", "uint64": "UInt64"}
LONG = 2**53 + np.arange(6) % 3
LIBRARIES = {
    "NumPy": lambda x: x[:, np.newaxis],
    "pandas": lambda x: pd.DataFrame({"id": x}),
    "pandas with gaps": lambda x: pd.DataFrame(
        {"id": pd.Series([*x.tolist(), None], dtype=PANDAS[x.dtype.name])}
    ),
    "polars": lambda x: pl.DataFrame({"id": x}),
    "polars with gaps": lambda x: pl.DataFrame(
        {"id": pl.Series("id", x).extend_constant(None, 1)}
    ),
    "Arrow": lambda x: pa.table({"id": x}),
    "objects": lambda x: pd.DataFrame({"id": [*x.tolist(), None]}, dtype=object),
    "decimals": lambda x: pd.DataFrame({"id": list(map(Decimal, x.tolist()))}),
    "decimals of polars": lambda x: pl.DataFrame(
        {"id": pl.Series("id", x.tolist()).cast(pl.Decimal(20, 0))}
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_that_floats_merge_are_said(library, dtype):
    make = LIBRARIES[library]
    said = "Column ('id'|at index 0) has 3 distinct integers, .* to 2 distinct numb"
    with pytest.warns(UserWarning, match=said) as caught:
        TabularEncoder().fit(make(LONG.astype(dtype)))
    assert "`categorical_features`" in str(caught[0].message)
    # As categories, and as numbers that floats have, they are distinct.
    encoder = TabularEncoder(categorical_features=[0]).fit(make(LONG.astype(dtype)))
    encoded = encoder.transform(make(LONG.astype(dtype)))
    assert len(np.unique(encoded[: len(LONG)], axis=0)) == 3
    TabularEncoder().fit(make((LONG * 2 - 2**53).astype(dtype)))


def test_text_of_numbers_is_encoded_as_the_numbers():
    with pytest.warns(UserWarning, match="taken as missing"):
        encoder = TabularEncoder().fit(frame_of(["1", "2.5", "N/A", "7"]))
    expected = TabularEncoder().fit_transform(frame_of([1, 2.5, None, 7], float))
    later = frame_of(["1", 2.5, "?", Decimal(7)])
    np.testing.assert_array_equal(encoder.transform(later), expected)


def test_a_warning_points_at_the_callers_line():
    """Whichever of our functions, and of scikit-learn's decorators, are between."""
    X, y = frame_of(["1", "2"] * 10), [0, 1] * 10
    for fit in (TabularEncoder().fit, TabularMLPClassifier(**SMALL).fit):
        with pytest.warns(UserWarning, match="written as text") as caught:
            fit(X, y)
        assert {w.filename for w in caught} == {__file__}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BackpropMLPClassifier(5, max_iter=2).fit(np.eye(4), [0, 1, 0, 1])
    assert {w.filename for w in caught} == {__file__}


# Dates.

DAY = datetime.datetime(2020, 1, 31, 12, 30)
DATE_OBJECTS = [
    DAY.date(),
    DAY,
    DAY.time(),
    datetime.timedelta(3),
    pd.Timestamp(DAY),
    pd.Timestamp(DAY, tz="Europe/Rome"),
    pd.Timedelta(3, "h"),
    np.datetime64("2020-01-31"),
]
DATE_TEXTS = [
    "2020-01-31",
    "1648-10-24",
    "2020-01-31T12:30:00Z",
    "2020-01-31 12:30:00.25+01:00",
    "31.12.2020",
    "12/31/2020",
    "1/31/20",
    "31 Jan 2020",
    "January 31, 2020",
    "12:30",
    "2020-01",
    "Jan 2020",
    "Jan-20",
    "2020Q1",
    "2020-W05",
    "31.01.20",
    "Fri, 31 Jan 2020 12:00:00 GMT",
    "Fri Jan 31 12:00:00 2020",
    "2020-01-31 12:30:00 CET",
    "2020-01-31 12:30:00+00",
    "31/Jan/2020:10:00:00 +0000",
    "0 days 00:05:00",
    "-1 days +23:00:00",
    "4 days, 3:00:00",
    "05/2019",
    "12-2005",
    "Jan 5",
    "5 January 19",
    "1.2.19",
    "5th May 2020",
    "2019-01-05T10",
    "18. January 2020",
    "18Jan2020",
    "18_Jan_2020",
    "20200118T210000",
    "20200118T210000.5+0100",
    "20200118_2100",
    "2020 01 18",
    "18 01 2020",
    "2020_01_18",
    "2020_01_18_21:00:00",
    "2020/01",
    "2008/11",
    "2020-01-31 12:30:00+14:00",
    "2020-01-31 12:30:00 -1200",
    "12:30+01:00",
    "23-01-31",
    "31-01-23",
    "2023-Jan-31",
    "2023-Jan",
    "Jan 31, 23",
    "Q4 2023",
    "2023 Q4",
    "2023/Q4",
    "2023/11/01 12AM",
    "31/01/2020, 12:00:00 AM",
    "31/12/2020, 23:59",
    "69:12:05",
    "2020-01-31 UTC",
    "31. Januar 2020",
    "31 janvier 2020",
    "31 de enero de 2020",
    "31 января 2020",
    "2020年1月31日",
    "2020년 1월 31일",
    "'2020-01-31'",
    "[31/Jan/2020:10:00:00 +0000]",
]


@pytest.mark.parametrize(
    ("date", "remedy"),
    [(pd.Period("2020-01"), "to_timestamp")]
    + [(text, r"X\['when'\] = pandas\.\w+\(.*X\['when'\]") for text in DATE_TEXTS],
    ids=repr,
)
def test_periods_and_dates_as_text_are_refused_by_name(date, remedy):
    dated = pd.DataFrame({"n": range(20), "when": [date, None] * 10})
    dated = dated.assign(n=dated["n"] ** 2, when=dated["when"].astype(object))
    for model in (TabularEncoder(), TabularMLPClassifier(**SMALL)):
        with pytest.raises(ValueError, match=f"Column 'when' .*{remedy}"):
            model.fit(dated, [0, 1] * 10)


TIME, SPAN, DATE = datetime.time.fromisoformat, pd.Timedelta, pd.Timestamp
CONVERTED = [
    (TIME, {"14:30": "14:30", "2:05 pm": "14:05", "3:04:05": "03:04:05"}),
    (TIME, {"12:30+01:00": "11:30", "12:30Z": "12:30"}),
    (SPAN, {"69:12:05": "2 days 21:12:05", "1:00:00": "1 hour"}),
    (SPAN, {"4 days, 3:00:00": "99 hours", "-1 days +23:00:00": "-1 hour"}),
    (DATE, {"Jan-21": "2021-01-01", "Dec-99": "1999-12-01"}),
    (DATE, {"January-21": "2021-01-01", "Sept-22": "2022-09-01"}),
    (DATE, {"Jan 21": "2021-01-01", "Feb 22": "2022-02-01"}),
    (DATE, {"2021-W05": "2021-02-01", "2020-W53": "2020-12-28"}),
    (DATE, {"2021W05": "2021-02-01", "2020W53": "2020-12-28"}),
    (DATE, {"2021-W05-3": "2021-02-03", "2020-W53-7": "2021-01-03"}),
    (DATE, {"Q1 2021": "2021-01-01", "Q4/2022": "2022-10-01", "q2-2023": "2023-04-01"}),
    (DATE, {"2021Q1": "2021-01-01", "2021 q3": "2021-07-01", "2022-Q2": "2022-04-01"}),
    (DATE, {"2021-01-02": "2021-01-02", "2021-03-04": "2021-03-04"}),
]


@pytest.mark.parametrize(("kind", "dates"), CONVERTED)
@pytest.mark.parametrize("odd", [None, "n/a", "0000-00-00", "-"])
def test_the_remedy_of_dates_as_text_gives_the_dates(kind, dates, odd):
    """pandas.to_datetime alone takes 14:30 for today's, and Jan-21 for the year 1."""
    X = pd.DataFrame({"when": [*dates, odd] * 5, "n": range(5 * len(dates) + 5)})
    with pytest.raises(ValueError, match="Column 'when' has dates") as caught:
        TabularEncoder().fit(X)
    assert (f"Replace {odd!r} by None or by a date. " in str(caught.value)) == bool(odd)
    X["when"] = X["when"].replace({odd: None})
    remedy = re.search(
        r"X\['when'\] = (.*?)(, with dayfirst.*)?\. If it has", str(caught.value)
    )
    X["when"] = eval(remedy[1], {"pandas": pd, "X": X})
    assert X["when"][: len(dates)].tolist() == list(map(kind, dates.values()))
    assert X["when"][len(dates) :: len(dates) + 1].isna().all()
    TabularEncoder().fit(X.assign(n=X["n"] ** 2))


@pytest.mark.parametrize("date", [*DATE_OBJECTS, *DATE_TEXTS], ids=repr)
def test_dates_where_numbers_were_are_refused_by_name(date):
    numbers = [float(i**2) for i in range(20)]
    encoder = TabularEncoder().fit(frame_of(numbers))
    with pytest.raises(ValueError, match="Column 'column'"):
        encoder.transform(frame_of([date, None] * 10))


FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y", "%m/%d/%y", "%d %b %Y", "%H:%M"]
FORMATS += ["%Y-%m-%d %H:%M:%S.%f", "%b %d, %Y", "%a %b %d %H:%M:%S %Y", "%Y-%m", "%c"]


@examples(100)
@given(
    st.lists(
        st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2199, 1, 1)),
        min_size=2,
        max_size=9,
    ),
    st.sampled_from(FORMATS),
)
def test_dates_as_text_of_any_format_are_refused(days, form):
    values = [day.strftime(form) for day in days]
    with pytest.raises(ValueError, match="Column 'column' has dates"):
        TabularEncoder().fit(frame_of([*values, None]))


@pytest.mark.parametrize(
    "text",
    [
        *["1.2.3", "a-b-c", "10:1 odds", "20-2020-1", "2008/09", "30 days", "1234-05"],
        *["99.99.99", "45:70", "Mark 12", "Marriott 300", "Octane 95", "10:00 size"],
        *["Mayfair 100", "DEC-1000", "12-marble-20", "192.168.100.200"],
        *["9:00-17:00", "8:00-12:00", "2020-01-31 9:00-17:00", "20200118T990000"],
        *["01-02-03", "12-11-10", "13-14-15", "23-45-67", "31-01-99", "2023-Janet"],
        *["Q5 2023", "Q4 23", "10AM", "12 Monkeys", "45 Januar 2020"],
        *["2009/10", "2011_12", "2020/21", "12Jan123", "2020 01", "18  01  2020"],
    ],
)
def test_what_only_looks_a_little_like_a_date_is_a_category(text):
    names = TabularEncoder().fit(frame_of([text] * 12)).get_feature_names_out()
    assert names.tolist() == [f"column_{text}"]


# Rare categories, ties, identifiers.


def test_unseen_customers_are_predicted_by_the_mean():
    """Which names have entries must not follow their order, as y may."""
    rng = np.random.default_rng(0)
    names = [f"customer {i:04d}" for i in range(600)]
    y = (np.arange(600) >= 300).astype(int)
    means = []
    for seed in range(3):
        order = rng.permutation(600)
        X = pd.DataFrame({"customer": names, "noise": rng.normal(size=600)})
        model = TabularMLPClassifier(random_state=seed)
        with pytest.warns(UserWarning, match="as an identifier does"):
            model.fit(X.iloc[order], y[order])
        unseen = X.assign(customer=[f"someone {i}" for i in range(600)])
        with pytest.warns(UserWarning, match="'customer' has no value that was seen"):
            means.append(model.predict_proba(unseen)[:, 1].mean())
    assert abs(np.mean(means) - 0.5) < 0.05


@examples(50)
@given(st.integers(2, 40), st.integers(0, 10**6), st.integers(1, 9))
def test_a_cut_through_ties_is_blind_to_the_order(n_names, seed, most):
    """Renamed in another order, as many of the first half are kept in the mean."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 3, n_names)
    names = np.repeat([f"n{i:03d}" for i in range(n_names)], counts)
    encoder = TabularEncoder(max_categories=most)
    out = encoder.fit(frame_of(rng.permutation(names))).get_feature_names_out()
    kept = {name.removeprefix("column_") for name in out} - {"rare"}
    assert len(out) <= max(most, 1) or n_names <= most
    # What is more frequent comes first.
    in_order = sorted(counts, reverse=True)
    if "column_rare" in out and kept:
        kept_counts = sorted((counts[int(name[1:])] for name in kept), reverse=True)
        assert kept_counts == in_order[: len(kept)]


def test_ties_are_cut_at_random():
    names = [f"n{i:04d}" for i in range(2000)]
    with pytest.warns(UserWarning, match="identifier"):
        encoder = TabularEncoder(max_categories=1001).fit(frame_of(names))
    out = encoder.get_feature_names_out()
    kept = np.array([int(name[-4:]) for name in out if name != "column_rare"])
    assert len(kept) == 1000
    # Of 1000 drawn of 2000, the mean's standard error is 13.
    assert abs(kept.mean() - 999.5) < 60


IDENTIFIERS = {
    "texts": [f"u{i}" for i in range(60)],
    "texts with gaps": [None if i % 9 == 0 else f"u{i}" for i in range(60)],
    "row numbers": np.arange(60),
    "row numbers from 1": np.arange(1, 61),
    "shuffled row numbers": np.random.default_rng(0).permutation(60),
    "a fold's row numbers": np.random.default_rng(0).permutation(90)[:60],
    "consecutive numbers": np.arange(7000, 7060),
    "floats": np.arange(60.0),
    "numbers with gaps": np.where(np.arange(60) % 9, np.arange(60.0), np.nan),
}


@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_identifiers_are_said(kind):
    X = pd.DataFrame({"size": np.arange(60) % 7, "id": IDENTIFIERS[kind]})
    with pytest.warns(UserWarning, match="Column 'id' .* as an identifier") as caught:
        TabularMLPClassifier(**SMALL).fit(X, np.arange(60) % 2)
    assert len(caught.list) == 1 or {w.category for w in caught} != {UserWarning}


@examples(50)
@given(
    st.integers(30, 80),
    st.integers(0, 10**6),
    st.sampled_from(["text", "category", "number"]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_any_identifiers_are_said_and_nothing_else(n_rows, start, form, repeated, seed):
    values = start + np.random.default_rng(seed).permutation(n_rows)
    if repeated:
        # Each at least twice.
        values = values[np.arange(2 * n_rows) // 2]
    if form != "number":
        values = pd.Series([f"u{x}" for x in values], dtype="category")
        values = values.astype(str) if form == "text" else values
    X = pd.DataFrame({"id": values})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TabularEncoder().fit(X)
    told = ["'id'" in str(w.message) and "identifier" in str(w.message) for w in caught]
    assert told == ([] if repeated else [True])


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=60),
        np.random.default_rng(0).integers(0, 60, 60),
        np.random.default_rng(0).permutation(600)[:60],
        [f"u{i}" for i in range(20)] * 3,
        [f"u{i}" for i in range(20)],
        range(20),
    ],
    ids=str,
)
def test_quantities_and_categories_are_no_identifiers(values):
    TabularEncoder().fit(pd.DataFrame({"column": values}))


# Columns declared categorical.


@pytest.mark.parametrize("which", [["vip"], [2], [False, False, True]])
def test_declared_columns_are_added_to_those_detected(which):
    X = pd.DataFrame(
        {"size": [1.5, 2.5] * 8, "colour": ["r", "b"] * 8, "vip": [0, 1] * 8}
    )
    model = TabularMLPClassifier(**SMALL, categorical_features=which)
    model.fit(X, [0, 1] * 8)
    assert model.encoder_.is_categorical_.tolist() == [False, True, True]


# Types that drift.

SAME = [
    (10115, "10115"),
    (1, 1.0),
    (1.0, "1.0"),
    (1, "1"),
    (0.5, "0.5"),
    (True, "True"),
    (True, "true"),
    (True, 1),
    ("7", 7),
    (Decimal("2.50"), 2.5),
    (np.int64(3), 3.0),
    ("a", np.str_("a")),
    (10**17 + 1, str(10**17 + 1)),
]


@pytest.mark.parametrize(("before", "after"), SAME, ids=str)
def test_values_that_are_equal_up_to_their_type_are_matched(before, after):
    def column(value):
        return ["other", value, None] * 4

    params = {"categorical_features": ["column"]}
    expected = encode(column(before), **params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            encode(column(before), column(after), **params), expected
        )


def test_numbers_of_many_digits_are_matched_to_the_last():
    values = [-(2**53) - 1, -(2**53), 2**53, 2**53 + 1] * 3
    params = {"categorical_features": ["column"]}
    as_text = [str(value) for value in values]
    np.testing.assert_array_equal(
        encode(values, as_text, **params), encode(values, **params)
    )


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Point:
    """Its text tells less than it is."""

    def __init__(self, x):
        self.x = x

    def __str__(self):
        return "Point"

    def __repr__(self):
        return "Point"


@pytest.mark.parametrize(
    "values",
    [
        [frozenset({1}), frozenset({2})],
        [Point(1), Point(2)],
        [len, max],
        [(1, Point(1))],
    ],
    ids=["sets", "objects", "functions", "within tuples"],
)
def test_objects_whose_text_does_not_tell_them_apart_are_refused(values):
    with pytest.raises(
        ValueError, match=r"'column' has values of the type .* can't be"
    ):
        encode(values * 3)


@pytest.mark.parametrize(
    "values",
    [
        [Colour.RED, Colour.BLUE],
        [uuid.UUID(int=1), uuid.UUID(int=2)],
        [Path("a"), Path("b")],
        [(1, "a"), (2, "b")],
        [b"a", b"b"],
        [1j, 2j],
    ],
    ids=str,
)
def test_objects_that_are_categories(values):
    encoder = TabularEncoder().fit(frame_of(values * 3))
    expected = encoder.transform(frame_of(values))
    assert len(np.unique(expected, axis=0)) == 2
    for loaded in saved_and_loaded(encoder):
        np.testing.assert_array_equal(loaded.transform(frame_of(values)), expected)


def test_numbers_that_are_missing_for_the_first_time():
    """They are predicted as the median, of the bins as of the number."""
    values = np.random.default_rng(0).uniform(0, 100, 99)
    encoder = TabularEncoder().fit(frame_of(values, float))
    at_median = encoder.transform(frame_of([np.median(values)], float))
    missing = encoder.transform(frame_of([np.nan], float))
    np.testing.assert_allclose(missing, at_median, atol=1e-12)


@pytest.mark.parametrize(
    "values",
    [np.arange(9.0) ** 2, pd.date_range("2020", periods=9, freq="25h")],
    ids=["numbers", "dates"],
)
def test_a_column_without_any_value_is_said(values):
    X = pd.DataFrame({"column": values, "other": np.arange(9) % 5})
    gaps = X.assign(column=X["column"].where(X["other"] > 4))
    encoder = TabularEncoder().fit(X)
    with pytest.warns(UserWarning, match="'column' has no value, but had values in"):
        encoder.transform(gaps)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A row may lack its value, and so may all rows if those of `fit` did.
        encoder.transform(gaps[:1])
        encoder.transform(pd.concat([gaps, X]))
        TabularEncoder().fit(pd.concat([gaps, X])).transform(gaps)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(100.0) ** 2,
        pd.date_range("2020", periods=100, freq="25h"),
        ["a", "b", "c", "d"] * 25,
    ],
    ids=["numbers", "dates", "categories"],
)
@pytest.mark.parametrize(
    ("n_rows", "n_gaps", "is_said"),
    [(100, 51, True), (10, 6, True), (100, 50, False), (9, 8, False)],
)
def test_a_column_of_gaps_is_said(values, n_rows, n_gaps, is_said):
    """As after a join that has failed for most rows."""
    X = pd.DataFrame({"column": values})
    gaps = X[:n_rows].where(np.arange(n_rows)[:, np.newaxis] >= n_gaps)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TabularEncoder().fit(X).transform(gaps)
    said = [f" in {n_gaps} of {n_rows} rows" in str(w.message) for w in caught]
    assert said == [True] * is_said
    # Gaps are usual if `fit` had any.
    encoder = TabularEncoder().fit(pd.concat([X, gaps[:1]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform(gaps)


KILOMETRES = np.array([1200.0, 118_823, 7005, 64_000, 249_337] * 8)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        # Points between thousands, and another unit.
        (KILOMETRES / 1000, "40 of 40 numbers outside .*, from 1200 to 249337"),
        (KILOMETRES * 1000, "40 of 40 numbers outside the range of `fit`"),
        (KILOMETRES[:10] / 7, "had whole numbers .* 10 of 10 numbers such as 171.42"),
        # More than half of at least ten numbers.
        (np.repeat([1e6, 5000, np.nan], [21, 20, 200]), "21 of 41 numbers outside"),
        (np.repeat([1e6, 5000], 20), None),
        (np.repeat([5000.5, 5000], 20), None),
        (KILOMETRES[:9] * 1000, None),
        (np.float32(KILOMETRES) + 1e-3, None),
        ([1200, 249_337] * 10, None),
    ],
)
def test_numbers_unlike_those_of_fit_are_said(later, said):
    encoder = TabularEncoder().fit(frame_of([*KILOMETRES, np.nan]))
    for loaded in saved_and_loaded(encoder):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded.transform(frame_of(later))
        messages = [str(w.message) for w in caught]
        assert len(messages) == (said is not None)
        assert all(re.search(f"Column 'column' .*{said}", m) for m in messages)


def test_few_values_have_no_range():
    """Nor have dates, which usually continue. A single value may be that of a year."""
    encoder = TabularEncoder().fit(frame_of([1.0, 2, 4] * 3))
    encoder.transform(frame_of(np.arange(20.0)))
    encoder = TabularEncoder().fit(frame_of([1.0, 2, 4] * 10))
    for value in (9.0, 2.5):
        encoder.transform(frame_of([value, np.nan] * 10))
    encoder = TabularEncoder().fit(frame_of(pd.date_range("2020", periods=20)))
    encoder.transform(frame_of(pd.date_range("2024", periods=20, freq="9h")))
    # These are slightly larger in float32.
    encoder = TabularEncoder().fit(frame_of([0.1, 0.1, 0.1, 0.05] * 5))
    assert float(np.float32(0.1)) > 0.1
    encoder.transform(frame_of(np.float32([0.1, 0.1, 0.1, 0.05] * 5)))


def test_a_constant_that_varies_later_is_said():
    encoder = TabularEncoder().fit(frame_of([7.0] * 20))
    said = "'column' had the value 7 alone .*, but now has others in 12 of 20 rows"
    with pytest.warns(UserWarning, match=said):
        encoder.transform(frame_of([7.0] * 8 + [1.0, 2, 3] * 4))
    # Half of the rows, and the value of another year, may be in order.
    encoder.transform(frame_of([7.0] * 10 + [1.0] * 10))
    encoder.transform(frame_of([8.0] * 20))


def test_numbers_are_counted_without_missing_values():
    encoder = TabularEncoder().fit(frame_of(KILOMETRES))
    later = frame_of(np.repeat([1e6, 2e6, np.nan], [30, 30, 60]))
    with pytest.warns(UserWarning, match="60 of 60 numbers outside"):
        encoder.transform(later)


def test_columns_in_another_unit_are_said_together():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(1, 1000, (40, 9)), columns=list("abcdefghi"))
    encoder = TabularEncoder().fit(X)
    for later, kind in (
        (X * 1000, "outside the range"),
        (X / 1.01, "had whole numbers"),
    ):
        with pytest.warns(UserWarning, match=kind) as caught:
            encoder.transform(later)
        (message,) = (str(w.message) for w in caught)
        assert message.startswith("Column 'a' ha")
        assert "The same is true of 'b', 'c', 'd', 'e', 'f' and 3 others." in message


def test_a_warm_start_on_rows_in_another_unit_is_said():
    model = TabularMLPRegressor(**SMALL, warm_start=True)
    model.fit(frame_of(KILOMETRES), KILOMETRES)
    with pytest.warns(UserWarning, match="40 of 40 numbers outside the range"):
        model.fit(frame_of(1000 * KILOMETRES), KILOMETRES)


@pytest.mark.parametrize("label", ["", "?", "nan", "NULL", "#N/A", "NaT"])
def test_labels_that_stand_for_missing_values_are_said(label):
    X = pd.DataFrame({"a": np.arange(40) % 7})
    y = ["yes", "no", "no", label] * 10
    with pytest.warns(UserWarning, match=f"the label {re.escape(repr(label))}, which"):
        model = TabularMLPClassifier(**SMALL).fit(X, y)
    assert label in model.classes_
    # These are classes.
    for other in ("None", "-", "NA"):
        TabularMLPClassifier(**SMALL).fit(X, [other if v == label else v for v in y])


def test_a_mark_of_missing_targets_is_said():
    X = pd.DataFrame({"a": np.arange(40.0) % 7})
    y = X["a"].to_numpy() + 0.5
    in_two_rows = np.arange(40) % 20 == 3
    for mark, values in ((-999, y - 3), (999, y.astype(np.int16)), (-999, 1000 * y)):
        marked = np.where(in_two_rows, mark, values).astype(values.dtype)
        said = f"the value {mark} in 2 rows, unlike all"
        with pytest.warns(UserWarning, match=said):
            TabularMLPRegressor(**SMALL).fit(X, marked)
    # Numbers like others, other numbers, and far ones among few or equal ones.
    for other in (
        np.where(in_two_rows, 999, 20 * y),
        np.where(in_two_rows, -999, 100 * (y - 3)),
        np.array([9.0, 19, 29, 49, 99, 149, 199, 999] * 5),
        np.where(in_two_rows, 998, y),
        np.where(np.arange(40) > 3, -999, y),
        np.where(in_two_rows, -999, 1),
    ):
        TabularMLPRegressor(**SMALL).fit(X, other)


def test_a_row_of_totals_is_said():
    X = pd.DataFrame({"a": np.arange(40.0) % 7})
    y = X["a"].to_numpy() + 0.5
    total = [*y[:-1], y[:-1].sum()]
    with pytest.warns(UserWarning, match="a last value that is the sum of all others"):
        TabularMLPRegressor(**SMALL).fit(X, total)
    # Elsewhere, and where few values are not 0, it may be by chance.
    TabularMLPRegressor(**SMALL).fit(X, total[::-1])
    few = np.zeros(40)
    few[[3, 7, 39]] = 1, 1, 2
    TabularMLPRegressor(**SMALL).fit(X, few)
    signs = np.array([*([1, -1] * 19), 1, 1])
    assert signs[:-1].sum() == signs[-1]
    TabularMLPRegressor(**SMALL).fit(X, signs)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (["M"] * 5 + ["F"] * 4 + ["unknown"] * 3, "9 of 12 rows, such as 'M'"),
        (["M"] * 6 + ["unknown"] * 6, None),
        (["M"] * 8 + ["unknown"], None),
        ([None] * 4 + ["M"] * 3 + ["male"] * 3, "7 of 10 rows, such as a missing val"),
    ],
)
def test_a_column_of_unseen_categories_is_said(later, said):
    encoder = TabularEncoder().fit(frame_of(["male", "female", "unknown"] * 10))
    for loaded in saved_and_loaded(encoder):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded.transform(frame_of(later))
        messages = [str(w.message) for w in caught]
        assert [said in message for message in messages] == [True] * (said is not None)


def test_unseen_categories_are_expected_if_many_rows_have_their_own():
    """As numbers of tickets, which a few rows share."""
    tickets = [f"t{i}" for i in range(20)] * 2 + [f"own{i}" for i in range(20)]
    encoder = TabularEncoder().fit(frame_of(tickets))
    later = [f"new{i}" for i in range(20)] + ["t1"]
    for loaded in saved_and_loaded(encoder):
        loaded.transform(frame_of(later))
        with pytest.warns(UserWarning, match="in 12 of 20 rows, such as a missing"):
            loaded.transform(frame_of([None] * 12 + ["t2"] * 8))
    # A few rows of `fit` do not have all categories.
    TabularEncoder().fit(frame_of(["t1", "t2"] * 4)).transform(frame_of(later))
    encoder = TabularEncoder().fit(frame_of(tickets[:40]))
    with pytest.warns(UserWarning, match="in 20 of 21 rows, such as 'new0'"):
        encoder.transform(frame_of(later))


@pytest.mark.parametrize(
    ("later", "is_said"),
    [
        (["3.500", "12.000", "950"], True),
        (["-3.500", " 12.000 ", "n.a."], True),
        # As a single row is served.
        (["3.500"], True),
        (["3.500", "3.500", None], True),
        (["3.500", "12.0"], False),
        (["3.500", "0.250"], False),
        (["3.500", "950"], False),
        ([3.5, "3.500"], False),
        (["3500", "12000"], False),
    ],
)
def test_points_that_may_separate_thousands_are_said(later, is_said):
    numbers = [float(i**2) for i in range(20)]
    encoder = TabularEncoder().fit(frame_of(numbers))
    expected = TabularEncoder().fit(frame_of(numbers, float))
    for loaded in saved_and_loaded(encoder):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoded = loaded.transform(frame_of(later))
        said = ["'column' had numbers in `fit`" in str(w.message) for w in caught]
        assert said == [True] * is_said
    floats = pd.to_numeric(pd.Series(later), errors="coerce")
    np.testing.assert_array_equal(encoded, expected.transform(frame_of(floats, float)))
    # Text in `fit` was read in the same way, with a warning.
    with pytest.warns(UserWarning, match="numbers written as text"):
        encoder.fit(frame_of(["3.500", "12.000", "4"] * 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform(frame_of(later))


def test_dates_in_a_column_that_had_no_values():
    X = pd.DataFrame(
        {"a": np.arange(40) % 7, "b": pd.Series([None] * 40, dtype=object)}
    )
    encoder = TabularEncoder(categorical_features=["b"]).fit(X)
    X["b"] = pd.date_range("2020-01-01", periods=40)
    with pytest.raises(
        ValueError, match=r"or without values in `fit`\. .* fit to rows"
    ):
        encoder.transform(X)


@pytest.mark.parametrize("first", [True, np.True_, 1, np.int64(1)])
def test_true_and_one_are_two_categories_in_any_order(first):
    second = 1 if isinstance(first, bool | np.bool_) else np.True_
    values = pd.Series([first, second, "t"] * 5, dtype=object)
    encoder = TabularEncoder().fit(pd.DataFrame({"a": values}))
    assert set(encoder.get_feature_names_out()) == {"a_True", "a_1", "a_t"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.nan, "'b' had only missing values in `fit`"),
        (5.0, "'b' had the value 5 alone in `fit`"),
    ],
)
def test_columns_that_told_nothing_tell_nothing_later(value, said):
    X = pd.DataFrame({"a": np.arange(40) % 7, "b": np.full(40, value)})
    model = TabularMLPRegressor(**SMALL).fit(X, X["a"].to_numpy())
    expected = model.predict(X)
    later = X.assign(b=np.linspace(-1000, 1000, 40))
    with pytest.warns(UserWarning, match=said):
        predicted = model.predict(later)
    np.testing.assert_array_equal(predicted, expected)


def test_a_mask_of_integers_is_refused():
    encoder = TabularEncoder(categorical_features=[0, 0, 1])
    with pytest.raises(ValueError, match=r"like a mask: \[0, 0, 1\]\. Pass a mask as"):
        encoder.fit(np.arange(12.0).reshape(4, 3))


FORMS_OF_A_NUMBER = {
    "int": int,
    "float": float,
    "decimal": Decimal,
    "NumPy's": np.int64,
    "text": str,
    "text of a float": lambda x: f"{x}.0",
}


@examples(100)
@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9, unique=True),
    st.sampled_from(list(FORMS_OF_A_NUMBER)),
    st.sampled_from(list(FORMS_OF_A_NUMBER)),
)
def test_numbers_are_matched_in_whatever_form(numbers, before, after):
    seen = [FORMS_OF_A_NUMBER[before](x) for x in numbers] * 10
    later = [FORMS_OF_A_NUMBER[after](x) for x in numbers] * 10
    params = {"categorical_features": ["column"]}
    expected = encode(seen, **params)
    if {before, after} == {"text", "text of a float"}:
        # Texts are the same only to the letter.
        with pytest.warns(
            UserWarning, match="no value that was|which `fit` did not see"
        ):
            encode(seen, later, **params)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(encode(seen, later, **params), expected)


MARKS = ["nan", "None", "NULL", "NA", "N/A", "n.a.", "<NA>", "NaT", "?", "", ".", "--"]
MARKS += ["#N/A", "#NULL!", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!"]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_missing_categories_are_missing_values(mark):
    """As text makes them of missing values, and CSV files missing values of them."""
    for before, after in ([None, mark], [mark, None]):
        X, later = frame_of(["a", before, "b"] * 4), frame_of(["b", after, "a"] * 4)
        encoder = TabularEncoder().fit(X)
        for loaded in saved_and_loaded(encoder):
            encoded = loaded.transform(later)
            np.testing.assert_array_equal(encoded[:3], encoder.transform(X)[2::-1])
    # Several marks in `fit` are categories of their own.
    encoder = TabularEncoder().fit(frame_of(["a", "none", "-", "b"] * 4))
    with pytest.warns(UserWarning, match="a missing value, which stands for several"):
        encoded = encoder.transform(frame_of([None, "a"]))
    np.testing.assert_array_equal(encoded[0], 0)
    encoder = TabularEncoder().fit(frame_of(["a", "none", None, "b"] * 4))
    later = encoder.transform(frame_of(["none", mark, None]))
    np.testing.assert_array_equal(later[1], later[2])
    assert (later[0] != later[1]).any()


@pytest.mark.parametrize("types", [("f4", "f8"), ("f8", "f4")])
def test_numbers_of_another_precision_are_matched(types):
    numbers, params = (
        [0.1, 0.2, 0.5, 0.7, 1.0, 1e-30, -2.3],
        {"categorical_features": [0]},
    )
    before, after = (np.array(numbers * 2, dtype).tolist() for dtype in types)
    expected = encode(before, **params)
    np.testing.assert_array_equal(encode(before, after, **params), expected)
    # Numbers that only round to the same float32 differ, and so do whole numbers.
    before, after = [0.1, 2.0**25, 0.5], [0.1 + 1e-12, 2.0**25 + 1, 0.5]
    later = encode(before * 3, after, **params)
    np.testing.assert_array_equal(later[:2], np.zeros((2, 3)))
    for before in ([1.0, 2.0, 0.5], ["1", "2", "0.5"]):
        later = encode(before * 3, [1 + 1e-10, 1 - 1e-11, 0.5], **params)
        np.testing.assert_array_equal(later[:2], np.zeros((2, 3)))


def as_text(numbers):
    return list(map(str, numbers))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The products differ from the quotients in the last bit.
        (lambda k: k / 10, lambda k: k * 0.1),
        (lambda k: k * 0.1, lambda k: k / 10),
        (lambda k: as_text(k / 10), lambda k: np.float32(k / 10)),
        (lambda k: np.float32(k / 10), lambda k: as_text(k / 10)),
    ],
)
def test_rounded_numbers_are_the_same_category(before, after):
    k = np.tile(np.arange(1, 8), 9)
    params = {"categorical_features": ["column"]}
    encoder = TabularEncoder(**params).fit(frame_of(before(k), None))
    expected = encoder.transform(frame_of(before(k), None))
    assert expected.any(axis=1).all()
    later = encoder.transform(frame_of(after(k), None))
    np.testing.assert_array_equal(later, expected)


@pytest.mark.filterwarnings(ALIKE)
def test_what_is_ambiguous_is_not_matched():
    values = [1, "1", "b"] * 3
    params = {"categorical_features": ["column"]}
    expected = encode(values, **params)
    assert expected.shape[1] == 3
    with pytest.warns(UserWarning, match="has True, which stands for several categ"):
        later = encode(values, [True, "b"], **params)
    np.testing.assert_array_equal(later[0], [0, 0, 0])
    # Nor are texts that are the same number.
    with pytest.warns(UserWarning, match=r"has '1\.0', .* it saw '1'"):
        later = encode(["1", "2", "x"] * 3, ["1.0", "01", "2"], **params)
    np.testing.assert_array_equal(later[:2], np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            ["a", "b"],
            ["C", "D"],
            "had text, such as a; now it has text, such as C. They count ",
        ),
        ([10115, 10117], ["x1", "x2"], "had numbers, such as 10115; now it has text"),
        (
            ["2020", "x"],
            [pd.Interval(0, 1)] * 2,
            r"had text, such as 2020; now it has Interval, such as \(0",
        ),
        (
            [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")],
            [pd.Timestamp("2021-01-01"), pd.Timestamp("2021-01-02")],
            "had Timestamp, such as 2020-01-01 00:00:00; now it has Timestamp, such",
        ),
    ],
)
def test_a_column_without_a_value_that_was_seen_is_said(before, after, said):
    X, later = frame_of(before * 8, "category"), frame_of(after * 8)
    y = [0, 1] * 8
    model = TabularMLPClassifier(**SMALL).fit(X, y)
    match = f"Column 'column' has no value that was seen in `fit`. In `fit` it {said}"
    for predict in (model.predict, model.encoder_.transform):
        with pytest.warns(UserWarning, match=match):
            predict(later)
    # One that was seen, or no value at all, is enough.
    model.predict(pd.concat([frame_of(["new"]), X]))
    model.predict(frame_of([None] * 3))


# Two texts, and whether they differ only in how they are written.
PAIRS = [
    ("04109", "4109", True),
    ("4109", "04109", True),
    ("4109", "4109.0", True),
    ("-4", "-04.00", True),
    ("10115", "10115 ", True),
    ("Berlin", "BERLIN", True),
    ("Straße", " strasse", True),
    ("Zürich", "Zu\u0308rich", True),
    ("New York", "New\u00a0York", True),
    ("New York", "New  York", True),
    # A wide letter of Chinese and Japanese fonts.
    ("Tokyo", "\uff34okyo", True),
    ("New York", "NewYork", False),
    ("3.1", "3.10", False),
    ("1000", "1e3", False),
    ("4", "-4", False),
    ("Berlin", "Bern", False),
]


@pytest.mark.parametrize(("before", "after", "is_said"), PAIRS)
def test_text_that_was_nearly_seen_is_said(before, after, is_said):
    """Codes may lose their leading zeros; versions differ by their last zeros."""
    X = frame_of([before, "other", "third"] * 4, "category")
    model = TabularMLPClassifier(**SMALL).fit(X, [0, 1] * 6)
    expected = model.predict_proba(frame_of(["new", "other"]))
    later = frame_of([after, "other"])
    # Forms that look alike are written by their code points.
    after, before = map(ascii if "\u0308" in after else repr, (after, before))
    said = f"'column' has {after}, which `fit` did not see; it saw {before}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(model.predict_proba(later), expected)
    assert [said in str(w.message) for w in caught] == [True] * is_said


PAIRS_IN_FIT = [
    (1, "1", True),
    (True, "true", True),
    ("mW", "mW ", True),
    ("mW", "MW", False),
    ("250 mW", "250 MW", False),
    ("iPhone", "iphone", True),
    ("Bosnia and Herzegovina", "bosnia and herzegovina", True),
    (True, "1", False),
]


@pytest.mark.parametrize(("value", "other", "is_said"), [*PAIRS, *PAIRS_IN_FIT])
def test_categories_that_are_nearly_equal_are_said(value, other, is_said):
    """In `fit`, too, where both count as categories."""
    X = frame_of([value, other, "third", None] * 4)
    encoder = TabularEncoder(categorical_features=["column"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder.fit(X)
    assert len(encoder.get_feature_names_out()) == 4
    messages = [str(w.message) for w in caught]
    assert ["differ only in how they are written" in m for m in messages] == (
        [True] * is_said
    )
    if is_said:
        write = ascii if "\u0308" in str(other) else repr
        assert write(value) in messages[0]
        assert write(other) in messages[0]


def test_classes_that_are_nearly_equal_are_said():
    X, y = frame_of([1.0, 2.0, 3.0, 4.0] * 5), ["yes", "no", "yes ", "no"] * 5
    with pytest.warns(UserWarning, match="Input y has labels .* 'yes' and 'yes '"):
        model = TabularMLPClassifier(**SMALL).fit(X, y)
    assert model.classes_.tolist() == ["no", "yes", "yes "]


@pytest.mark.parametrize("text", ["2,000", "1,5", "100%", "$100", "1 000", "2.000,5"])
def test_numbers_in_other_notations_are_said(text):
    params = {"categorical_features": ["column"]}
    encoder = TabularEncoder(**params).fit(frame_of([100, 1000, 2000] * 4))
    with pytest.warns(UserWarning, match="it saw numbers, such as 100") as caught:
        encoder.transform(frame_of(["100", text]))
    assert [repr(text) in str(w.message) for w in caught] == [True]
    # Other new numbers and words are new categories, and so are numbers among text.
    encoder.transform(frame_of(["100", "7", "1-2", "new"]))
    TabularEncoder().fit(frame_of(["a", "b"] * 9)).transform(frame_of(["a", text]))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (["3.1", "3.10", "4"], [3.1, 4.0], "3.1"),
        (["01067", "1067", "x"], [1067, "x"], "1067"),
        ([10**17 + i for i in range(9)], [1e17], "100000000000000000"),
        ([10**17 + 3, 10**17 + 5, 7], [1e17, 7.0], "100000000000000000"),
        ([0.1 + 1e-12, 0.1, 1.0], [float(np.float32(0.1)), 1.0], "0.10000000149011612"),
        ([0.1 + 1e-12, 0.1, 1.0], [0.1 + 2e-12, 1.0], None),
        (["3.1", "3.10", "4"], ["3.100", "4"], None),
        (["01067", "1067", "x"], ["1067", 3, "x"], None),
        ([10**17 + 3, 10**17 + 5, 7], ["1e17", "7.0"], "1e17"),
        ([10**17 + 3, 10**17 + 5, 7], [10**17, 7], None),
        ([10**17 + 3, 10**17 + 5, 7], [f"{10**17 + 3}.0", "7"], None),
        ([10**17 + 3, 10**17 + 50, 7], [1e17, 7.0], None),
        ([str(10**17 + 3), str(10**17 + 5), "7"], [1e17, 7.0], "100000000000000000"),
        ([7.0, "7", "a"], [7.0, "7", "a"], None),
        ([7, "7", "a"], [7.0, "a"], None),
        ([str(10**17), str(10**17 + 5), "7"], [1e17, 7.0], "100000000000000000"),
    ],
)
@pytest.mark.filterwarnings(ALIKE)
def test_a_number_of_several_categories_is_said(before, after, said):
    params = {"categorical_features": ["column"]}
    encoder = TabularEncoder(**params).fit(frame_of(before * 4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder.transform(frame_of(after))
    message = f"'column' has {said}, which stands for several categories of `fit`"
    assert [message in str(w.message) for w in caught] == [True] * (said is not None)


def test_spellings_that_fit_distinguishes_are_not_said():
    """As in codes where the case matters."""
    X = frame_of(["aB", "Ab", "Cd", "e"] * 4)
    model = TabularMLPClassifier(**SMALL).fit(X, [0, 1] * 8)
    model.predict(frame_of(["aB", "Ab", "AB"]))
    # They say nothing about the case of other texts.
    with pytest.warns(UserWarning, match="has 'cd', .* it saw 'Cd'"):
        model.predict(frame_of(["aB", "Ab", "AB", "cd"]))


def test_rare_categories_have_been_seen():
    X = frame_of(["a", "b"] * 9 + ["rare"])
    encoder = TabularEncoder(min_frequency=2).fit(X)
    encoder.transform(frame_of(["rare"]))
    with pytest.warns(UserWarning, match="no value that was seen"):
        encoder.transform(frame_of(["new"] * 10))


@pytest.mark.parametrize("n_rows", [1, 9, 10])
def test_new_categories_of_few_rows_are_usual(n_rows):
    """Served rows come one by one: only another kind of value is said then."""
    encoder = TabularEncoder().fit(frame_of(["Ab", "cd"] * 9))
    assert not encoder.transform(frame_of(["new"] * min(n_rows, 9))).any()
    for later, said in ("new", "no value that was"), ("AB", "did not see; it saw 'Ab'"):
        if n_rows == 10 or later == "AB":
            with pytest.warns(UserWarning, match=said):
                encoder.transform(frame_of([later] * n_rows))
    with pytest.warns(UserWarning, match="now it has numbers, such as 7"):
        encoder.transform(frame_of([7] * n_rows))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=True, allow_infinity=False),
    st.text(max_size=4),
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-9, max_value=9
    ),
    st.sampled_from(["1", "1.0", "01", "True", "N/A", "-", "nan", "2020-1", "1,5"]),
)


def kinds_of_columns(draw):
    """Values of one or of several types, with gaps and repetitions."""
    pool = draw(st.lists(VALUES, min_size=1, max_size=6))
    return draw(st.lists(st.sampled_from(pool), min_size=4, max_size=25))


@st.composite
def columns(draw):
    return kinds_of_columns(draw)


@st.composite
def tables(draw):
    """A table with columns of objects, of numbers, and of categories of any kind."""
    n_rows = draw(st.integers(4, 12))
    rows = st.lists(VALUES, min_size=n_rows, max_size=n_rows)
    X = {
        "objects": pd.Series(draw(rows), dtype=object),
        "numbers": draw(
            st.lists(st.floats(-9, 9), min_size=n_rows, max_size=n_rows),
        ),
    }
    kinds = {
        "dates": [pd.Timestamp(2020, 1, 1), pd.Timestamp(2021, 1, 1), None],
        "intervals": [pd.Interval(0, 1), pd.Interval(1, 2), None],
        "flags": [True, False, None],
        "numbers": [1, 2, 3.5, None],
        "texts": ["a", "1", "é\0", None],
    }
    for name, pool in kinds.items():
        values = draw(st.lists(st.sampled_from(pool), min_size=n_rows, max_size=n_rows))
        X[f"category of {name}"] = pd.Series(values, dtype=object).astype(
            pd.CategoricalDtype([value for value in pool if value is not None])
        )
    return pd.DataFrame(X)


def saved_and_loaded(model):
    """By each format."""
    yield pickle.loads(pickle.dumps(model))
    file = BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    yield joblib.load(file)
    content = skops.io.dumps(model)
    trusted = skops.io.get_untrusted_types(data=content)
    assert all(name.startswith("skmlp_backprop.") for name in trusted)
    yield skops.io.loads(content, trusted=trusted)


@pytest.mark.filterwarnings("ignore::UserWarning")
@examples(60)
@given(tables())
def test_a_saved_encoder_encodes_the_same(X):
    encoder = TabularEncoder(categorical_features=["objects"]).fit(X)
    expected = encoder.transform(X)
    names = encoder.get_feature_names_out().tolist()
    for loaded in saved_and_loaded(encoder):
        np.testing.assert_array_equal(loaded.transform(X), expected)
        assert loaded.get_feature_names_out().tolist() == names
        assert loaded.get_params() == encoder.get_params()


@pytest.mark.filterwarnings("ignore::UserWarning")
@examples(10)
@given(tables())
def test_a_saved_model_predicts_the_same(X):
    y = np.arange(len(X)) % 2
    for model, method in (
        (TabularMLPClassifier(**SMALL), "predict_proba"),
        (TabularMLPRegressor(**SMALL), "predict"),
    ):
        model.set_params(categorical_features=["objects"]).fit(X, y)
        expected = getattr(model, method)(X)
        for loaded in saved_and_loaded(model):
            np.testing.assert_array_equal(getattr(loaded, method)(X), expected)


def test_the_types_to_trust_are_the_estimators():
    X = pd.DataFrame({"a": ["x", "y"] * 8, "b": np.arange(16) % 5})
    model = TabularMLPClassifier(**SMALL).fit(X, [0, 1] * 8)
    assert set(skops.io.get_untrusted_types(data=skops.io.dumps(model))) == {
        "skmlp_backprop._estimators.classifier.BackpropMLPClassifier",
        "skmlp_backprop._tabular.classifier.TabularMLPClassifier",
        "skmlp_backprop._tabular.encoder.TabularEncoder",
    }


def refusal_of(method, values):
    """What a method says of values that it refuses; nothing of others."""
    try:
        method(frame_of(values))
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore::UserWarning")
@examples(300)
@given(columns(), columns())
def test_any_column_is_encoded_or_refused_by_name(values, later):
    encoder = TabularEncoder()
    if refusal := refusal_of(encoder.fit, values):
        assert "olumn 'column'" in refusal
        return
    assert np.isfinite(encoder.transform(frame_of(values))).all()
    if refusal := refusal_of(encoder.transform, later):
        assert "olumn 'column'" in refusal
        assert not encoder.is_categorical_[0]
    else:
        assert np.isfinite(encoder.transform(frame_of(later))).all()


@pytest.mark.filterwarnings("ignore::UserWarning")
@examples(150)
@given(columns())
def test_equal_values_are_one_category(values):
    params = {"categorical_features": ["column"]}
    encoded = encode(values, **params)
    for i, a in enumerate(values):
        for j, b in enumerate(values[:i]):
            if type(a) is type(b) and a == b:
                np.testing.assert_array_equal(encoded[i], encoded[j])


# Numbers beyond the floats.


@pytest.mark.parametrize("n_bins", [0, 16])
@pytest.mark.parametrize("scale", [1.7e308, 1e308, 5e-324])
def test_ranges_beyond_the_floats(scale, n_bins):
    values = scale * np.array([-1.0, 1, 0, 0.5, -0.5, 0.25, 1, -1] * 4)
    encoded = encode(values, n_bins=n_bins)
    assert np.isfinite(encoded).all()
    if scale > 1:
        np.testing.assert_allclose(encoded, encode(values / scale, n_bins=n_bins))
    X = pd.DataFrame({"a": values, "b": np.arange(32) % 5})
    model = TabularMLPClassifier(**SMALL).fit(X, np.arange(32) % 2)
    assert np.isfinite(model.predict_proba(X)).all()


def test_numbers_that_are_no_floats_are_named():
    for value in (10**400, Decimal("1e999"), -(10**400)):
        with pytest.raises(ValueError, match=r"too large for .* in column 'column'"):
            encode([value, 1, 2])


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("tiny", [1e-300, 1e-60, 5e-324])
def test_weights_that_vanish_beside_others(n_members, tiny):
    X = pd.DataFrame({"a": np.arange(40) % 7, "b": ["x", "y"] * 20})
    y = np.arange(40) % 2
    weights = np.where(np.arange(40) % 4, tiny, 1.0)
    for model in (TabularMLPClassifier(**SMALL), TabularMLPRegressor(**SMALL)):
        model.set_params(n_members=n_members).fit(X, y, weights)
        expected = model.predict(X)
        # They count for nothing, as 0 does.
        model.fit(X, y, np.where(weights == 1, 1.0, 0.0))
        np.testing.assert_array_equal(model.predict(X), expected)
        # Only ratios count: all of them may be so small.
        model.fit(X, y, weights * 2.0**-20 + 0.0)
        np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.parametrize("scale", [1e308, 1.7e308, 1e-300])
@pytest.mark.parametrize("weighted", [False, True])
def test_y_of_any_size(scale, weighted):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=80)})
    y = np.tanh(X["a"].to_numpy())
    weights = np.full(80, 1e307) if weighted else None
    model = TabularMLPRegressor(**SMALL)
    expected = model.fit(X, y).predict(X)
    predicted = model.fit(X, scale * y, weights).predict(X)
    np.testing.assert_allclose(predicted / scale, expected, atol=1e-5)


# What fails leaves what was there.


def test_an_encoder_keeps_its_fit():
    encoder = TabularEncoder().fit(frame_of(["a", "b"]))
    before = vars(encoder).copy()
    for spoil in ([[1]], [pd.Period(DAY, "D")]):
        with pytest.raises(ValueError, match="column"):
            encoder.fit(pd.DataFrame({"other": [1], "column": spoil}))
        with pytest.raises(ValueError, match="column"):
            encoder.fit_transform(pd.DataFrame({"other": [1], "column": spoil}))
    assert vars(encoder) == before


@pytest.mark.parametrize("dtype", [int, bool, "float16", object, str, "nonesuch", None])
def test_types_of_the_output(dtype):
    encoder = TabularEncoder(dtype=dtype)
    with pytest.raises(
        ValueError, match=r"dtype must be numpy\.float64 or numpy\.float32"
    ):
        encoder.fit(frame_of(["a", "b"]))
    encoder = TabularEncoder(dtype="float32").fit(frame_of(["a", "b"]))
    assert encoder.transform(frame_of(["a"])).dtype == np.float32
    with pytest.raises(ValueError, match="dtype must be"):
        encoder.set_params(dtype=dtype).transform(frame_of(["a"]))


@pytest.mark.parametrize("kind", [TabularMLPClassifier, BackpropMLPClassifier])
def test_a_class_without_weight_is_kept(kind):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.arange(60) % 3
    params = {"max_iter": 3, "random_state": 0}
    model = kind(**params).fit(X, y, (y != 1).astype(float))
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(X).shape == (60, 3)


# Frames of all kinds.


def frames():
    frame = pd.DataFrame({"a": [1.5, None, 3.0] * 6, "b": ["x", "y", None] * 6})
    other = pl.DataFrame({"a": [1.5, None, 3.0] * 6, "b": ["x", "y", None] * 6})
    return {
        "pandas": frame,
        "polars": other,
        "arrow table": other.to_arrow(),
        "arrow batch": other.to_arrow().to_batches()[0],
        "narwhals of pandas": narwhals.from_native(frame),
        "narwhals of polars": narwhals.from_native(other),
        "narwhals of arrow": narwhals.from_native(other.to_arrow()),
        "narwhals.stable.v1": narwhals.stable.v1.from_native(frame),
    }


@pytest.mark.parametrize("form", list(frames()))
def test_frames_of_all_kinds(form):
    y = [0, 1] * 9
    expected = TabularMLPClassifier(**SMALL).fit(frames()["pandas"], y)
    model = TabularMLPClassifier(**SMALL).fit(frames()[form], y)
    assert model.encoder_.is_categorical_.tolist() == [False, True]
    assert model.feature_names_in_.tolist() == ["a", "b"]
    np.testing.assert_array_equal(
        model.predict_proba(frames()[form]), expected.predict_proba(frames()["pandas"])
    )
    weights = np.arange(18) % 3
    model.fit(frames()[form], y, weights)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ({"a": [1, 2]}, TypeError, r"X is a dict. Convert .* pandas.DataFrame\(X\)"),
        (
            {"a": 1.0, "b": None, "c": "x", "d": b"x"},
            TypeError,
            r"pandas.DataFrame\(\[X\]\)",
        ),
        (
            [{"a": 1}, {"a": 2}],
            TypeError,
            r"X is a list of dicts. Convert it to a DataF",
        ),
        (pl.LazyFrame({"a": [1, 2]}), TypeError, r"LazyFrame, .* collect\(\)"),
        (narwhals.from_native(pl.LazyFrame({"a": [1]})), TypeError, "no values yet"),
        (frame_of([[1], [2]]), ValueError, "'column' has values of the type list"),
        (frame_of([{1}, {2}]), ValueError, "'column' has values of the type set"),
        (frame_of([object(), 1]), ValueError, "'column' has values of the type object"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, "2 columns named 'a'"),
        (
            pd.DataFrame({1: [[1], [2]]}),
            ValueError,
            r"Column 1 \(at index 0\) has values",
        ),
        (
            pa.table([[1, 2], [3, 4]], names=["a", "a"]),
            ValueError,
            "2 columns named 'a'",
        ),
    ],
    ids=[
        *["dict", "row", "records", "lazy frame", "narwhals of a lazy frame", "lists"],
        *["sets", "objects", "names twice", "number as name", "arrow's names twice"],
    ],
)
@pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularEncoder])
def test_what_is_no_table_is_told_what_to_do(X, error, message, kind):
    with pytest.raises(error, match=message):
        kind().fit(X, [0, 1])


def test_a_lazy_table_without_collect():
    """As DuckDB's relations, which have the method df."""
    relation = duckdb.sql("select 1 as a")
    with pytest.raises(TypeError, match=r"values yet. .* its method (df|to_df)\(\)"):
        TabularEncoder().fit(relation)


def test_messages_name_the_estimator_that_was_called():
    X = pd.DataFrame({"a": [1.5, 2.5] * 8, "b": [1, 2] * 8})
    model = TabularMLPClassifier(**SMALL).fit(X.to_numpy(), [0, 1] * 8)
    with pytest.raises(
        ValueError, match="TabularMLPClassifier is expecting 2 features"
    ):
        model.predict(X.to_numpy()[:, :1])
    with pytest.raises(ValueError, match="required by TabularMLPClassifier"):
        model.predict(X.to_numpy()[:0])
    with pytest.warns(UserWarning, match="TabularMLPClassifier was fitted without f"):
        model.predict(X)


# Masked arrays.


@pytest.mark.parametrize(
    ("values", "missing", "dtype"),
    [
        (np.arange(40) % 7 - 3, np.nan, float),
        (np.linspace(0, 1, 40, dtype=np.float32), np.nan, float),
        (np.arange(40) % 2 == 0, np.nan, float),
        (np.datetime64("2020-01-01") + np.arange(40), "NaT", "M8[D]"),
        (np.array(["a", "b", "c", "d"] * 10), None, object),
        (np.array([1, "b", 2.5, "d"] * 10, dtype=object), None, object),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_masked_values_are_missing(values, missing, dtype):
    X = values[:, np.newaxis]
    mask = np.arange(40)[:, np.newaxis] % 5 == 1
    filled = X.astype(dtype)
    filled[mask] = missing
    declared = [0] if dtype is object else None
    expected = TabularEncoder(categorical_features=declared).fit(filled)
    encoder = TabularEncoder(categorical_features=declared)
    encoder.fit(np.ma.array(X, mask=mask))
    np.testing.assert_array_equal(encoder.transform(filled), expected.transform(filled))
    np.testing.assert_array_equal(
        encoder.transform(np.ma.array(X, mask=mask)), expected.transform(filled)
    )
    # Nothing is masked.
    encoder.fit(np.ma.array(X))
    np.testing.assert_array_equal(
        encoder.transform(X),
        TabularEncoder(categorical_features=declared).fit_transform(X),
    )


MODELS = [
    *(TabularMLPClassifier, TabularMLPRegressor),
    *(BackpropMLPClassifier, BackpropMLPRegressor),
]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("dtype", [int, float, object])
def test_masked_targets_and_weights_are_refused(kind, dtype):
    X, y = np.linspace(0, 1, 20)[:, np.newaxis], np.array([0, 1] * 10, dtype=dtype)
    mask = np.arange(20) == 3
    model = kind(hidden_layer_sizes=8, max_iter=2, random_state=0)
    with pytest.raises(ValueError, match="y contains NaN: the value of row 3 is missi"):
        model.fit(X, np.ma.array(y, mask=mask))
    with pytest.raises(
        ValueError, match=r"sample_weight .* sample_weight\.filled\(0\)"
    ):
        model.fit(X, y, sample_weight=np.ma.array(np.ones(20), mask=mask))
    model.fit(X, np.ma.array(y), sample_weight=np.ma.array(np.ones(20)))
    with pytest.raises(ValueError, match="y contains NaN: the value of row 3 is missi"):
        model.score(X, np.ma.array(y, mask=mask))
    with pytest.raises(ValueError, match="sample_weight has masked values"):
        model.score(X, y, np.ma.array(np.ones(20), mask=mask))
    again = kind(hidden_layer_sizes=8, max_iter=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


@pytest.mark.parametrize("first", [10**17, -(10**17)])
def test_masked_long_integers_stay_distinct(first):
    """float64 would make a single number of them."""
    codes = first + np.arange(40) % 5
    X = np.ma.array(np.c_[codes, np.arange(40) % 7], mask=False)
    X[3, 1] = np.ma.masked
    encoder = TabularEncoder(categorical_features=[0], n_bins=0).fit(X)
    names = encoder.get_feature_names_out().tolist()
    texts = sorted(str(first + i) for i in range(5))
    assert names == [*(f"x0_{text}" for text in texts), "x1", "x1_missing"]


@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPRegressor])
def test_networks_refuse_masked_values(kind):
    X, y = np.linspace(0, 1, 20)[:, np.newaxis], np.array([0, 1] * 10)
    masked = np.ma.array(X, mask=X == 0)
    model = kind(max_iter=2).fit(np.ma.array(X), y)
    message = r"X\.filled\(numpy\.nan\) and SimpleImputer, or take TabularMLP"
    for call in (
        lambda: model.fit(masked, y),
        lambda: model.partial_fit(masked, y),
        lambda: model.predict(masked),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# Targets.

LABELS_AND_NONE = pd.Series(["a", "b", None, "a"] * 5, dtype=object)


@pytest.mark.parametrize(
    "kind", ["TabularMLPClassifier", "BackpropMLPClassifier", "TabularMLPRegressor"]
)
def test_missing_targets_are_named(kind):
    import skmlp_backprop

    model = getattr(skmlp_backprop, kind)(max_iter=2)
    y = LABELS_AND_NONE if "Classifier" in kind else [1.0, None] * 10
    for given_y in (y, pd.Series(y, dtype=object), np.array(list(y), object)):
        with pytest.raises(
            ValueError, match=r"Input y contains NaN: .* row [12] is miss"
        ):
            model.fit(np.arange(20.0)[:, np.newaxis] ** 2, given_y)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "y contains NaN: the value of row 3 is"),
        ("many", "Input y has 'many' in row 3,"),
    ],
)
@pytest.mark.parametrize("kind", ["TabularMLPRegressor", "BackpropMLPRegressor"])
def test_invalid_numbers_of_several_columns_are_named_by_their_row(
    kind, value, message
):
    import skmlp_backprop

    y = np.arange(40.0).reshape(20, 2).astype(object)
    y[3, 1] = value
    model = getattr(skmlp_backprop, kind)(max_iter=2)
    with pytest.raises(ValueError, match=message):
        model.fit(np.arange(20.0)[:, np.newaxis] ** 2, y)


@pytest.mark.parametrize("kind", ["TabularMLPRegressor", "BackpropMLPRegressor"])
def test_numbers_with_underscores_are_text(kind):
    """As in the columns of a table."""
    import skmlp_backprop

    X, y = np.arange(20.0)[:, np.newaxis] ** 2, ["2", "1_000"] * 10
    model = getattr(skmlp_backprop, kind)(max_iter=2)
    with pytest.raises(ValueError, match="Input y has '1_000' in row 1"):
        model.fit(X, y)


@pytest.mark.parametrize("dtype", [str, object, "category"])
def test_y_of_text_is_said_by_the_network_regressor(dtype):
    X, numbers = np.linspace(0, 1, 20)[:, np.newaxis], np.tile([1.5, 2.5], 10)
    y = pd.Series(["1.500", "2.500"] * 10, dtype=dtype)
    model = BackpropMLPRegressor(max_iter=300, solver="lbfgs", random_state=0, tol=0.1)
    with pytest.warns(
        UserWarning, match=r"y has .* such as '1\.500', .* read as 1\.5\."
    ):
        model.fit(X, y)
    expected = clone(model).fit(X, numbers).predict(X)
    np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.parametrize("make_sparse", [sparse.csr_matrix, sparse.coo_array])
@pytest.mark.parametrize(
    "kind", [TabularMLPRegressor, BackpropMLPRegressor, TabularMLPClassifier]
)
def test_sparse_targets_are_refused(kind, make_sparse):
    X, y = np.linspace(0, 1, 20)[:, np.newaxis], make_sparse(np.eye(20)[:, :2])
    with pytest.raises(TypeError, match=rf"{kind.__name__}: pass y\.toarray\(\)"):
        kind(max_iter=2).fit(X, y)


def test_text_for_a_regressor_names_the_classifier():
    X, y = np.arange(20.0)[:, np.newaxis] ** 2, ["yes", "no"] * 10
    message = "'yes' in row 0, but TabularMLPRegressor .* classes take TabularMLPClass"
    for given_y in (y, pd.Series(y), np.array(y)):
        with pytest.raises(ValueError, match=message):
            TabularMLPRegressor().fit(X, given_y)
    # Nor are these numbers of any use.
    for odd in ("inf", "1e400", "1_000", 10**400, DAY.date(), [1]):
        values = pd.Series([1.5, odd] * 10, dtype=object)
        with pytest.raises(ValueError, match=r"Input y has .* in row 1"):
            TabularMLPRegressor().fit(X, values)
    with pytest.raises(ValueError, match="Input y has dates or time spans"):
        TabularMLPRegressor().fit(X, pd.date_range("2020", periods=20))
    for model in (TabularMLPRegressor(**SMALL), BackpropMLPRegressor(max_iter=2)):
        model.fit(X, X[:, 0])
        with pytest.raises(ValueError, match="Input y has dates or time spans"):
            model.score(X, pd.to_timedelta(X[:, 0], unit="s"))
    with pytest.raises(ValueError, match="y contains NaN: the value of row 1 is miss"):
        TabularMLPRegressor().fit(X, [1.5, np.nan] * 10)


CODES = {"yes": 1, "no": 0}
CHURN = pd.DataFrame(
    {
        "age": np.random.default_rng(0).normal(size=40),
        "churn": np.random.default_rng(1).choice(["yes", "no"], 40),
        "rooms": np.random.default_rng(2).integers(1, 5, 40),
    }
)


@pytest.mark.parametrize(
    ("model", "y", "name"),
    [
        (TabularMLPRegressor(**SMALL), CHURN["age"], "age"),
        (TabularMLPRegressor(**SMALL), CHURN[["rooms", "age"]], "rooms"),
        (TabularMLPClassifier(**SMALL), CHURN["churn"], "churn"),
        (TabularMLPClassifier(**SMALL), CHURN["churn"].map(CODES), "churn"),
        (BackpropMLPRegressor(max_iter=2), CHURN["rooms"], "rooms"),
        (BackpropMLPClassifier(max_iter=2), CHURN["rooms"].astype(str), "rooms"),
    ],
)
@pytest.mark.parametrize("convert", [lambda table: table, pl.from_pandas])
@pytest.mark.filterwarnings("ignore:.*Maximum iterations")
def test_y_among_the_columns_is_said(model, y, name, convert):
    X = CHURN if name == "churn" else CHURN[["age", "rooms"]]
    with pytest.warns(UserWarning, match="of X is y itself") as caught:
        clone(model).fit(convert(X), convert(y))
    assert f"Column '{name}' of X is y itself" in str(caught[0].message)


def test_what_is_like_a_column_of_its_name_is_not_said():
    """The next value of a series, a class of a number, and other columns."""
    X, model = CHURN.drop(columns="churn"), TabularMLPRegressor(**SMALL)
    model.fit(X, X["age"].shift(-1, fill_value=0))
    model.fit(X, X["age"].rename("other"))
    model.fit(X, X["age"].to_numpy())
    TabularMLPClassifier(**SMALL).fit(X, X["age"] > 0)
    TabularMLPClassifier(**SMALL).fit(X.assign(rooms=X["rooms"] > 2), X["rooms"])
    BackpropMLPRegressor(max_iter=2).fit(X.assign(same=1.0), X.assign(same=1.0)["same"])
    # Slices of an index of floats would be by label.
    model.fit(X.set_axis(X.index + 9e3 + 0.5), X["age"].shift(-1, fill_value=0))


@pytest.mark.parametrize("names", [list("abcdefghijkl"), range(12)])
@pytest.mark.parametrize("given", ["y", "sample_weight", "y_val", "sample_weight_val"])
def test_an_index_in_another_order_is_said(given, names):
    X = pd.DataFrame({"a": np.linspace(0, 1, 12)}, index=names)
    y, ones = pd.Series([0, 1] * 6, names), pd.Series(1.0, names)
    data = {"y": y, "sample_weight": ones, "y_val": y, "sample_weight_val": ones}
    model = TabularMLPClassifier(**SMALL).fit(X, X_val=X, **data)
    data[given] = data[given][::-1]
    rows = "X_val" if "val" in given else "X"
    message = rf"{given} has .* Pass {given}\.loc\[{rows}\.index\]"
    with pytest.warns(UserWarning, match=message):
        model.fit(X, X_val=X, **data)
    # No word about an index that tells no order.
    other, twice = data[given].copy(), data[given].copy()
    other.index = [f"row {i}" for i in range(12)]
    twice.index = [*names[:11], names[0]]
    levels, periods = data[given].copy(), data[given].copy()
    levels.index = pd.MultiIndex.from_product([range(4), range(3)])
    periods.index = pd.period_range("2024", periods=12)
    for values in (other, twice, levels, periods, data[given].tolist()):
        model.fit(X, X_val=X, **{**data, given: values})


@pytest.mark.parametrize(
    "make",
    [
        lambda rows: rows,
        pd.Series,
        lambda rows: pd.Series(list(map(set, rows))),
        lambda rows: pl.Series(rows),
    ],
    ids=["lists", "Series", "sets", "polars"],
)
@pytest.mark.parametrize("kind", [TabularMLPClassifier, BackpropMLPClassifier])
def test_lists_of_labels_name_the_remedy(kind, make):
    y = make([["a"], ["a", "b"]] * 10)
    X = np.arange(20.0)[:, np.newaxis] ** 2
    with pytest.raises(ValueError, match="several labels in a row") as caught:
        kind().fit(X, y)
    remedy = re.search(r"sklearn\.\S+\(y\)", str(caught.value))[0]
    y = eval(remedy, {"sklearn": sklearn, "y": y})
    assert kind(max_iter=2).fit(X, y).predict(X).shape == (20, 2)


@pytest.mark.parametrize("separator", [";", "|", "; "])
def test_several_values_in_a_text_are_said(separator):
    rng = np.random.default_rng(0)
    chosen = [rng.choice(list("abcde"), 2, replace=False) for _ in range(60)]
    column = pd.Series(list(map(separator.join, chosen)))
    with pytest.warns(UserWarning, match="'column' has several values in") as caught:
        TabularEncoder().fit(column.to_frame("column"))
    remedy = re.search(r"str\.get_dummies\(.*?\)", str(caught[0].message))[0]
    X = eval(f"column.{remedy}", {"column": column})
    assert list(X) == list("abcde")
    TabularEncoder().fit(X)
    # Not so of pairs, such as of first names and surnames, or of countries and years.
    pairs = [f"{c}{separator}{i}" for c in "uvwxyz" for i in range(10)]
    TabularEncoder().fit(pd.DataFrame({"column": pairs * 5}))


@pytest.mark.parametrize("given", ["y", "sample_weight", "groups"])
@pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularMLPRegressor])
def test_the_name_of_a_column_is_not_its_values(kind, given):
    X, y = np.arange(20.0)[:, np.newaxis] ** 2, [0, 1] * 10
    with pytest.raises(
        ValueError, match=f"^{given} must have a value for each row, got"
    ):
        kind().fit(X, **{"y": y, given: "churn"})


def test_a_field_of_a_structured_array_is_named():
    """As survival times of scikit-survival are."""
    X, y = (
        np.arange(20.0)[:, np.newaxis] ** 2,
        np.zeros(20, [("event", "?"), ("t", "f8")]),
    )
    for kind in (TabularMLPClassifier, TabularMLPRegressor, BackpropMLPRegressor):
        with pytest.raises(
            ValueError, match=r"fields \['event', 't'\]. .* y\['event'\]"
        ):
            kind().fit(X, y)


def test_groups_of_two_columns_name_the_remedy():
    X = pd.DataFrame({"a": np.arange(20.0) ** 2, "b": list("uv") * 10})
    X["day"] = pd.date_range("2024", periods=20).date
    with pytest.raises(ValueError, match=r"groupby\(columns\)\.ngroup\(\)"):
        TabularMLPClassifier().fit(X[["a"]], [0, 1] * 10, groups=X[["b", "day"]])


@pytest.mark.parametrize("mark", [99, -99, 999, 99.0])
def test_labels_that_stand_for_none_are_said(mark):
    X, y = np.linspace(0, 1, 60)[:, np.newaxis] ** 2, np.array([1, 2, 3] * 20)
    model = TabularMLPClassifier(**SMALL).fit(X, y)
    with pytest.warns(
        UserWarning, match=f"y has the label {mark:g}, unlike all others"
    ):
        model.fit(X, np.append(y[:-1], mark))
    regressor = TabularMLPRegressor(**SMALL).fit(X, y)
    with pytest.warns(UserWarning, match=f"y has the value {mark:g} in 1 rows"):
        regressor.fit(X, np.append(y[:-1], mark))
    with pytest.warns(UserWarning, match=f"y has the value {mark:g} in column 1, coun"):
        regressor.fit(X, np.column_stack([y, np.append(y[:-1], mark)]))
    # A frequent label is a class.
    model.fit(X, np.array([1, 2, mark] * 20))
    # Not far from the others.
    regressor.fit(X, np.append(y[:-1] * 10, mark if abs(mark) < 100 else 99))


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 60) ** 2,
        list("abc") * 20,
        [f"level {i % 19}" for i in range(60)],
        pd.date_range("2024", periods=60).to_series(),
    ],
    ids=["numbers", "text", "many levels", "dates"],
)
def test_a_column_that_has_lost_its_values_is_said(values):
    column = pd.Series(np.array(values)).where(np.arange(60) % 12 != 3)
    X = pd.DataFrame({"x": np.linspace(1, 2, 60) ** 2, "column": column})
    later = X.assign(column=pd.Series([None] * 60, dtype=column.dtype))
    for encoder in saved_and_loaded(TabularEncoder().fit(X)):
        with pytest.warns(
            UserWarning, match="'column' has no value, but had values in 9"
        ):
            encoder.transform(later)
        # A few rows may lack it by chance, and one value tells that it was read.
        encoder.transform(later[:5])
        encoder.transform(pd.concat([later[:30], X[:1]]))
    # As may all rows if most values were missing in `fit`.
    X["column"] = column.where(np.arange(60) % 12 < 3)
    TabularEncoder().fit(X).transform(later[:12])


def test_codes_that_have_become_others_are_said():
    X = pd.DataFrame({"a": np.linspace(0, 1, 40) ** 2, "sex": [1, 2] * 20})
    encoder = TabularEncoder().fit(X)
    with pytest.warns(UserWarning, match="'sex' has 20 of 40 numbers outside the ran"):
        encoder.transform(X.assign(sex=X["sex"] - 1))
    # One odd value is no other code, and 1 to 3 are no codes of two.
    encoder.transform(X.assign(sex=[3, *X["sex"][1:]]))
    # Nor are counts, of which some are higher now.
    encoder = TabularEncoder().fit(X.assign(sex=X["sex"] - 1))
    encoder.transform(X.assign(sex=[0, 1, 2, 0] * 10))
    encoder = TabularEncoder().fit(X.assign(sex=[1, 2, 3, 2] * 10))
    encoder.transform(X.assign(sex=[0, 1, 2, 3] * 10))


def test_truth_values_as_text_are_found_as_numbers():
    before, after = ["true", "false"], [1, 0]
    X = pd.DataFrame({"a": before * 10, "n": np.arange(20.0) ** 2})
    encoder = TabularEncoder().fit(X)
    for loaded in saved_and_loaded(encoder):
        expected = loaded.transform(X)
        for values in (after, [v == 1 for v in after]):
            later = X.assign(a=values * 10)
            np.testing.assert_array_equal(loaded.transform(later), expected)
    # The other way round.
    encoder = TabularEncoder().fit(X.assign(a=pd.Categorical(after * 10)))
    later = encoder.transform(X)
    np.testing.assert_array_equal(
        later[:2, :1], encoder.transform(X.assign(a=after * 10))[:2, :1]
    )


@pytest.mark.parametrize("given", ["y", "sample_weight"])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_networks_say_that_an_index_is_in_another_order(method, given):
    X = pd.DataFrame({"a": np.linspace(0, 1, 12)})
    data = {"y": pd.Series([0, 1] * 6), "sample_weight": pd.Series(np.ones(12))}
    model = BackpropMLPClassifier(3, max_iter=2, random_state=0)
    getattr(model.fit(X, data["y"]), method)(X, **data)
    data[given] = data[given][::-1]
    with pytest.warns(UserWarning, match=rf"Pass {given}\.loc\[X\.index\]"):
        getattr(model, method)(X, **data)


def test_intervals_that_overlap_may_be_an_index():
    index = pd.IntervalIndex.from_tuples([(i, i + 5) for i in range(20)])
    X = pd.DataFrame({"a": np.arange(20.0)}, index=index)
    y = pd.Series([0, 1] * 10, index=index[::-1])
    for kind in (BackpropMLPClassifier, TabularMLPClassifier):
        with pytest.warns(UserWarning, match="the same index as X"):
            kind(max_iter=2, random_state=0).fit(X, y)


def test_targets_without_rows_are_refused_in_scikit_learns_words():
    with pytest.raises(ValueError, match="Found array with 0 sample"):
        BackpropMLPRegressor().fit(np.zeros((0, 2)), np.zeros(0))
    with pytest.raises((ValueError, TypeError)) as ours:
        BackpropMLPRegressor().fit(np.zeros((3, 2)), np.array(3.0))
    with pytest.raises((ValueError, TypeError)) as theirs:
        MLPRegressor().fit(np.zeros((3, 2)), np.array(3.0))
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("kind", [BackpropMLPRegressor, TabularMLPRegressor])
def test_a_missing_target_is_named_by_its_row(kind):
    y = np.where(np.arange(20) == 7, np.nan, 1.5)
    with pytest.raises(ValueError, match="y contains NaN: the value of row 7 is miss"):
        kind().fit(np.arange(20.0)[:, None], y)
    several = np.column_stack([np.ones(20), y])
    with pytest.raises(ValueError, match="y contains NaN: the value of row 7 is miss"):
        kind().fit(np.arange(20.0)[:, None], several)


def test_networks_refuse_periods_by_name():
    X = pd.DataFrame({"month": pd.period_range("2020-01", periods=20, freq="M")})
    with pytest.raises(ValueError, match="Column 'month' of X has dates or times"):
        BackpropMLPClassifier().fit(X, [0, 1] * 10)


@pytest.mark.parametrize("kind", [TabularMLPClassifier, BackpropMLPClassifier])
def test_one_hot_targets_are_said(kind):
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = kind(max_iter=3, random_state=0)
    one_hot = np.eye(3, dtype=int)[np.arange(30) % 3]
    with pytest.warns(UserWarning, match=r"exactly one 1, .* y.argmax\(axis=1\)"):
        model.fit(X, one_hot)
    one_hot[0, :2] = 1
    model.fit(X, one_hot)


@pytest.mark.parametrize("kind", [TabularMLPClassifier, BackpropMLPClassifier])
@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (0, 2), (0, -1), (0, 1234567)])
def test_other_indicators_than_0_and_1_are_refused(kind, values):
    """With the two values that a matrix of labels may have."""
    X = np.random.default_rng(0).normal(size=(30, 3))
    y = np.where(X[:, :2] > 0, values[1], values[0])
    model = kind(max_iter=3, random_state=0)
    low, high = sorted(values)
    message = rf"values {low}(.0)?, {high}(.0)?. Pass \(y == {values[1]}(.0)?\)"
    for indicators in (y, y.astype(float), pd.DataFrame(y, columns=["a", "b"])):
        with pytest.raises(ValueError, match=message):
            model.fit(X, indicators)
    model.fit(X, y == values[1])
    with pytest.raises(ValueError, match=message):
        model.score(X, y)


def test_a_column_of_targets_is_warned_of():
    from sklearn.exceptions import DataConversionWarning

    X = pd.DataFrame({"a": np.arange(20.0) ** 2})
    for model, y in (
        (TabularMLPClassifier(**SMALL), pd.DataFrame({"y": ["a", "b"] * 10})),
        (TabularMLPRegressor(**SMALL), pd.DataFrame({"y": np.arange(20.0)})),
    ):
        with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
            model.fit(X, y)
        assert model.predict(X).shape == (20,)


# What is predicted.


@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_decision_function_and_log_proba(n_classes):
    X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=90)})
    y = np.arange(90) % n_classes
    model = TabularMLPClassifier(**SMALL).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), proba, rtol=1e-12)
    decision = model.decision_function(X)
    if n_classes == 2:
        expected = np.log(proba[:, 1] / proba[:, 0])
        assert ((decision > 0) == (model.predict(X) == 1)).all()
    else:
        expected = np.log(proba) if n_classes == 3 else np.zeros(90)
    np.testing.assert_allclose(decision, expected, atol=1e-12)


def test_decision_function_of_several_labels():
    X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=90)})
    Y = np.column_stack(
        [np.arange(90) % 2, np.arange(90) % 3 == 0, np.arange(90) % 5 > 0]
    )
    model = TabularMLPClassifier(**SMALL).fit(X, Y.astype(int))
    proba = model.predict_proba(X)
    np.testing.assert_allclose(
        model.decision_function(X), np.log(proba / (1 - proba)), atol=1e-9
    )


def test_a_cap_that_was_set_is_warned_of():
    from sklearn.exceptions import ConvergenceWarning

    X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=200)})
    y = (X["a"] > 0).astype(int)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        TabularMLPClassifier(**SMALL).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TabularMLPClassifier(n_members=2, random_state=0).fit(X, y)


# Networks that take numbers alone.


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            pd.DataFrame({"a": [1.5], "b": ["x"]}),
            "Column 'b' of X has text, such as 'x'",
        ),
        (pd.DataFrame({"a": [1.5], "b": [None]}), "NaN: column 'b' has missing values"),
        (pd.DataFrame({"a": [1.5], "b": [np.nan]}), "NaN: column 'b' has missing"),
        (np.array([[1.5, np.nan]]), "NaN: column 1 has missing values"),
        (pl.DataFrame({"a": [1.5], "b": ["x"]}), "Column 'b' of X has text"),
        # NumPy takes dates for numbers: microseconds since 1970.
        (np.array([["2020-01-01"]], "M8[us]"), "Column 0 of X has dates"),
        (np.array([[5, 6]], "m8[D]"), "Column 0 of X has dates or times"),
        (pd.DataFrame({"b": [DAY]}), "Column 'b' of X has dates"),
        (pd.DataFrame({"a": [1.5], "b": [DAY]}), "Column 'b' of X has dates"),
        (
            pd.DataFrame({"a": [1.5], "b": [DAY.replace(tzinfo=datetime.UTC)]}),
            "Column 'b' of X has dates",
        ),
        (pd.DataFrame({"b": [DAY - DAY]}), "Column 'b' of X has dates or times"),
        (pd.DataFrame({"a": [1.5], "b": [DAY.date()]}), "Column 'b' of X has dates"),
        (np.array([[1.5, DAY.date()]], object), "Column 1 of X has dates"),
        (pl.DataFrame({"b": [DAY.date()]}), "Column 'b' of X has dates"),
        (pl.DataFrame({"a": [1.5], "b": [DAY]}), "Column 'b' of X has dates"),
        (pl.DataFrame({"b": [datetime.time(8)]}), "Column 'b' of X has dates or times"),
    ],
    ids=str,
)
def test_networks_on_numbers_name_the_column_and_those_on_tables(X, message):
    mlp = BackpropMLPClassifier(3, max_iter=2, random_state=0)
    with pytest.raises(ValueError, match=f"{message}.*TabularMLPClassifier") as caught:
        mlp.fit(X, [0])
    assert "HistGradientBoosting" not in str(caught.value)
    other = np.eye(2)[:, : X.shape[1]]
    if not isinstance(X, np.ndarray):
        other = type(X)(dict(zip(X.columns, other.T, strict=True)))
    mlp.fit(other, [0, 1])
    with pytest.raises(ValueError, match=message):
        mlp.predict(X)


def test_networks_on_numbers_refuse_dates_of_pyarrow():
    X = pa.table({"a": [1.5, 2.5], "b": [DAY.date()] * 2})
    with pytest.raises(ValueError, match=r"'b' of X has dates .* TabularMLPRegressor"):
        BackpropMLPRegressor(max_iter=2).fit(X, [0, 1])


@pytest.mark.parametrize("dtype", ["float64", "int64", "float[pyarrow]", "Int64"])
def test_missing_values_of_arrow_beside_numbers_of_others(dtype):
    X = pd.DataFrame({"a": [1.0, np.nan, 3.0] * 20, "b": np.arange(60) % 7})
    y = X["b"] > 3
    model = TabularMLPClassifier(2, 4, max_iter=3, random_state=0).fit(X, y)
    of_arrow = X.astype({"a": "double[pyarrow]", "b": dtype})
    np.testing.assert_array_equal(model.predict_proba(of_arrow), model.predict_proba(X))


def test_a_few_numbers_that_are_no_longer_whole():
    X = pd.DataFrame({"km": np.arange(1132, 9954, 50), "x": np.arange(177) / 7})
    y = np.arange(177) % 2
    model = TabularMLPClassifier(n_members=2, max_iter=2, random_state=0).fit(X, y)
    new = pd.DataFrame({"km": [1.448, 2.5, 3.25], "x": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match="'km' had whole numbers .* 3 of 3 numbers"):
        model.predict(new)
    # Not all of them, or too few, are no sign.
    model.predict(new.assign(km=[1500, 2.5, 3.25]))
    model.predict(new[:2])


@pytest.mark.parametrize("form", ['="{}"', "={}", "'{}"])
def test_formulas_of_numbers_are_told_from_codes(form):
    numbers = [form.format(i / 4) for i in range(1, 20)]
    with pytest.warns(UserWarning, match="numbers among its text, but also"):
        TabularEncoder().fit(pd.DataFrame({"a": numbers * 3}))
    codes = [form.format(f"00{i}") for i in range(1, 20)]
    TabularEncoder().fit(pd.DataFrame({"a": codes * 3}))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (TabularMLPClassifier, lambda x: x > 0.5),
        (TabularMLPRegressor, lambda x: np.sin(100 * x)),
    ],
)
def test_bins_that_depend_on_y_in_a_range_beyond_that_of_floats(kind, target):
    X = np.random.default_rng(0).uniform(-1.9, 1.9, (3000, 1))
    model = kind(n_members=1, max_iter=1, random_state=0)
    encoded = [
        model.fit(X * unit, target(X[:, 0])).encoder_.transform(X * unit)
        for unit in (1.0, 2.0**1023)
    ]
    np.testing.assert_allclose(*encoded, rtol=0, atol=1e-9)


def test_a_range_beyond_that_of_floats_is_said():
    X = 1e308 * np.linspace(-1, 1, 50)[:, np.newaxis]
    model = TabularMLPRegressor(**SMALL).fit(X, X[:, 0] / 1e308)
    with pytest.warns(UserWarning, match=r"from -1e\+308 to 1e\+308"):
        model.predict(np.linspace(1.5e308, 1.7e308, 50)[:, np.newaxis])


def test_the_rows_of_numbers_are_counted_and_not_their_distinct_values():
    X = pd.DataFrame({"size": ["12"] * 60 + ["13"] * 30 + [*"abcde"]})
    with pytest.warns(UserWarning, match="has numbers among its text, but also 'a'"):
        TabularEncoder().fit(X)


def test_a_date_among_numbers_makes_no_column_of_dates():
    X = pd.DataFrame({"size": [*range(20), "2020-01-31"]}, dtype=object)
    with pytest.warns(UserWarning, match="numbers among its text, but also '2020"):
        TabularEncoder().fit(X)


def test_fractions_in_a_range_beyond_that_of_floats_are_shown_as_they_are():
    X = np.linspace(-1, 1, 40)[:, np.newaxis] * 1.7e308
    encoder = TabularEncoder().fit(X)
    with pytest.warns(UserWarning, match=r"40 of 40 numbers such as 10\.5"):
        encoder.transform(np.arange(40)[:, np.newaxis] + 10.5)
    # No fractions, though the unit of the column makes them so.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform(2.0 * np.arange(40)[:, np.newaxis] + 1)


def test_seasons_and_opening_hours_are_no_dates():
    seasons = [f"20{year:02}/{year + 1:02}" for year in range(3, 12)]
    hours = [f"{hour}:00-{hour + 4:02}:00" for hour in range(1, 9)] + ["9:30-12:30"]
    X = pd.DataFrame({"season": seasons * 3, "open": hours * 3})
    names = TabularEncoder().fit(X).get_feature_names_out()
    assert "season_2003/04" in names
    assert "open_1:00-05:00" in names


def test_integers_just_beyond_those_of_floats_are_codes():
    cards = [str(9400111899223101 + 2 * i) for i in range(40)] * 2
    with pytest.warns(UserWarning, match="integers of many digits"):
        encoder = TabularEncoder().fit(pd.DataFrame({"card": cards}))
    assert len(encoder.get_feature_names_out()) == 40


def test_the_plural_is_the_same_unit_and_ordinals_have_none():
    nights = ["1 night", *(f"{n} nights" for n in range(2, 15))]
    floors = [f"{n}th" for n in range(4, 18)]
    X = pd.DataFrame({"stay": nights * 3, "floor": floors * 3})
    with pytest.warns(UserWarning, match="Column 'stay' has numbers with a unit"):
        TabularEncoder().fit(X)


def test_the_remedy_of_dates_names_a_column_whose_name_is_a_number():
    X = pd.DataFrame({7: ["2024-01-31", "2024-02-01", "2024-02-03"]})
    expected = r"Convert it: X\[7\] = pandas\.to_datetime\(X\[7\]\),"
    with pytest.raises(ValueError, match=expected):
        TabularEncoder().fit(X)


def test_a_refused_table_gets_its_error_alone():
    """Other columns would have warnings."""
    X = pd.DataFrame({"id": [f"u{i}" for i in range(40)], "number": ["1.5", "2"] * 20})
    with pytest.raises(ValueError, match="Column 'when' has dates"):
        TabularEncoder().fit(X.assign(when="2020-01-31"))


def test_missing_texts_of_an_array_are_one_value():
    """Each NaN is an object of its own."""
    values = [f"u{i}" if i < 35 else float("nan") for i in range(60)]
    X = np.array(values, object)[:, np.newaxis]
    with pytest.warns(UserWarning, match="has 35 distinct values in 35 rows"):
        TabularEncoder(categorical_features=[0]).fit(X)
