"""Dates, times of day and time spans as columns of a table."""

import calendar
import datetime as dt
import pickle
import re
import warnings
from io import BytesIO
from zoneinfo import ZoneInfo

import joblib
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import skops.io
from dateutil.tz import tzoffset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import TabularEncoder, TabularMLPClassifier, TabularMLPRegressor

ROME, TOKYO = ZoneInfo("Europe/Rome"), ZoneInfo("Asia/Tokyo")
# Summer and winter, before and after 1970, and a missing value.
DATES = [
    dt.datetime(2020, 1, 31, 12, 30),
    dt.datetime(2021, 7, 4, 0, 0),
    dt.datetime(1969, 12, 31, 23, 59, 59),
    None,
    dt.datetime(2024, 2, 29, 6, 0, 1),
    dt.datetime(2000, 10, 1, 18, 45),
]


def objects(values):
    return pd.DataFrame({"when": pd.Series(values, dtype=object)})


def typed(values, dtype):
    return pd.DataFrame({"when": pd.Series(values, dtype=object).astype(dtype)})


def encode(X, later=None, **params):
    """A table encoded, or `later` as fitted to it."""
    return TabularEncoder(**params).fit(X).transform(X if later is None else later)


def cycles_of(date):
    """The entries of a date, by Python's own calendar."""
    if date is None:
        return [0] * 6
    days = calendar.monthrange(date.year, date.month)[1]
    seconds = date.second + date.microsecond / 1e6
    hours = date.hour + date.minute / 60 + seconds / 3600
    month = date.month - 1 + (date.day - 1 + hours / 24) / days
    angles = 2 * np.pi * np.array([month / 12, date.weekday() / 7, hours / 24])
    return np.stack([np.sin(angles), np.cos(angles)], axis=1).ravel()


# What dates are encoded as.


@pytest.mark.parametrize("n_bins", [0, 4])
def test_a_date_is_a_number_and_its_place_in_the_cycles(n_bins):
    encoder = TabularEncoder(n_bins=n_bins)
    encoded = encoder.fit_transform(typed(DATES, "M8[us]"))
    numbers = [d and d.replace(tzinfo=dt.UTC).timestamp() for d in DATES]
    expected = encode(pd.DataFrame({"when": numbers}), n_bins=n_bins)
    n_numbers = expected.shape[1]
    np.testing.assert_allclose(encoded[:, :n_numbers], expected, atol=1e-12)
    np.testing.assert_allclose(
        encoded[:, n_numbers:], [cycles_of(date) for date in DATES], atol=1e-12
    )
    assert encoder.is_categorical_.tolist() == [False]
    names = encoder.get_feature_names_out().tolist()
    bins = [f"when_bin{i}" for i in range(1, n_bins + 1)]
    cycles = ["month_sin", "month_cos", "weekday_sin", "weekday_cos"]
    cycles = [f"when_{name}" for name in [*cycles, "hour_sin", "hour_cos"]]
    assert names == ["when", *bins, "when_missing", *cycles]


def test_entries_of_round_dates():
    """New Year, a Monday at noon, and July."""
    X = typed(["2018-01-01", "2018-01-01 06:00", "2018-07-01 12:00"], "M8[s]")
    encoder = TabularEncoder(n_bins=0).fit(X)
    encoded = encoder.transform(X)[:2, 1:]
    sixth = (0.25 / 31) * 2 * np.pi / 12
    expected = [[0, 1, 0, 1, 0, 1], [np.sin(sixth), np.cos(sixth), 0, 1, 1, 0]]
    np.testing.assert_allclose(encoded, expected, atol=1e-15)
    july = encoder.transform(typed(["2021-07-01"], "M8[s]"))[0, 1:3]
    np.testing.assert_allclose(july, [0, -1], atol=1e-15)


RANDOM = np.random.default_rng(0).normal(size=2000)
HOURS = pd.Series(
    pd.Timestamp("2021-01-01")
    + pd.to_timedelta(np.random.default_rng(1).integers(0, 26304, 2000), "h")
)


@pytest.mark.parametrize(
    ("signal", "cycles"),
    [
        (lambda t: np.isin(t.dt.hour, [8, 17]), ["hour2", "hour3"]),
        (lambda t: t.dt.day_of_week == 2, ["weekday2", "weekday3"]),
        (lambda t: t.dt.day > 27, ["day", "day2"]),
        # The usual entries explain it, or it has nothing to do with the dates.
        (
            lambda t: (
                np.sin(t.dt.hour * np.pi / 12) + (t - t[0]) / pd.Timedelta(days=500)
            ),
            [],
        ),
        (lambda t: 0 * t.dt.hour, []),
    ],
    ids=[
        "two peaks a day",
        "a day",
        "the end of months",
        "waves",
        "none",
    ],
)
@pytest.mark.parametrize("kind", [TabularMLPRegressor, TabularMLPClassifier])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_shorter_cycles_have_entries_if_they_explain_y(kind, signal, cycles):
    X = pd.DataFrame({"when": HOURS, "other": RANDOM})
    y = 2.0 * signal(HOURS) + RANDOM
    model = kind(n_members=2, max_iter=2)
    y = y if kind is TabularMLPRegressor else y > np.median(y)
    names = model.fit(X, y).encoder_.get_feature_names_out()
    found = [name for name in names if re.match("when_[a-z]+[0-9]?_", name)]
    usual = ["month", "weekday", "hour"]
    assert found == [
        f"when_{cycle}_{wave}" for cycle in usual + cycles for wave in ("sin", "cos")
    ]
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    # Rounding is no effect.
    exact = np.sin(HOURS.dt.hour * np.pi / 12)
    exact = exact if kind is TabularMLPRegressor else exact > 2
    model.fit(X, exact)
    assert not any("2_sin" in n for n in model.encoder_.get_feature_names_out())
    # Few dates tell nothing.
    few = X.assign(when=HOURS.where(HOURS.index > 1995))
    model.fit(few, y)
    assert not any("2_sin" in n for n in model.encoder_.get_feature_names_out())


def test_all_days_of_the_week_can_differ():
    """Seven days have seven numbers, of which six entries and a constant tell all."""
    X = pd.DataFrame({"when": HOURS.dt.normalize()})
    y = np.array([0, 3, -2, 1, 5, -4, 2.0])[HOURS.dt.day_of_week]
    model = TabularMLPRegressor(random_state=0).fit(X[:1500], y[:1500])
    names = model.encoder_.get_feature_names_out()
    of_week = [i for i, name in enumerate(names) if "weekday" in name]
    entries = model.encoder_.transform(X)[:, of_week]
    design = np.column_stack([np.ones(len(X)), entries])
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(fitted, y, atol=1e-9)
    assert model.score(X[1500:], y[1500:]) > 0.98


@pytest.mark.parametrize(
    ("values", "cycles"),
    [
        (["2020-01-01", "2021-01-01"], ["weekday"]),
        (["2020-01-01", "2020-01-08", "2020-01-15"], []),
        (["2020-01-01", "2020-01-29", "2020-02-05"], ["month"]),
        (["2020-01-01 10:00", "2020-01-01 10:59"], []),
        (["2020-01-01 10:00", "2020-01-01 11:00"], ["hour"]),
        (["2020-01-01 10:00", None, "2020-01-01 10:00"], []),
        ([None, None], []),
    ],
)
def test_only_cycles_that_vary_have_entries(values, cycles):
    encoder = TabularEncoder(n_bins=0).fit(typed(values, "M8[ms]"))
    names = ["when", *(["when_missing"] if None in values else [])]
    names += [f"when_{cycle}_{part}" for cycle in cycles for part in ("sin", "cos")]
    assert encoder.get_feature_names_out().tolist() == names
    # Later dates have the entries of the fit.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Column 'when' had only missing values")
        later = encoder.transform(typed(DATES, "M8[ms]"))
    assert later.shape == (6, len(names))
    assert np.isfinite(later).all()


def test_later_dates_go_on_as_numbers_do():
    days = pd.DataFrame({"when": pd.date_range("2020", periods=99)})
    encoder = TabularEncoder(n_bins=4).fit(days)
    later = [dt.datetime(1900, 1, 1), dt.datetime(2019, 1, 1), days["when"][0]]
    later += [days["when"][98], dt.datetime(2021, 1, 1), dt.datetime(9999, 12, 31)]
    encoded = encoder.transform(objects(later))
    assert (np.diff(encoded[:, 0]) > 0).all()
    assert np.abs(encoded[:, 0]).max() < 3
    np.testing.assert_array_equal(encoded[:3, 1:5], 0)
    np.testing.assert_array_equal(encoded[3:, 1:5], 1)


# The same from every library and in every unit.

AWARE = [date and date.replace(tzinfo=ROME) for date in DATES]
FORMS = {
    **{f"pandas {u}": lambda v, u=u: typed(v, f"M8[{u}]") for u in ("s", "us", "ns")},
    **{
        f"polars {u}": lambda v, u=u: pl.DataFrame({"when": v}).cast(
            pl.Datetime(u, getattr(v[0].tzinfo, "key", None))
        )
        for u in ("ms", "us", "ns")
    },
    **{
        f"pyarrow {u}": lambda v, u=u: pa.table(
            {"when": pa.array(v, pa.timestamp(u, getattr(v[0].tzinfo, "key", None)))}
        )
        for u in ("s", "us", "ns")
    },
    "pyarrow in pandas": lambda v: typed(
        v,
        pd.ArrowDtype(pa.timestamp("us", getattr(v[0].tzinfo, "key", None))),
    ),
    "record batch": lambda v: pa.record_batch({"when": pa.array(v)}),
    "narwhals": lambda v: nw.from_native(pl.DataFrame({"when": v})),
    "objects": objects,
    "Timestamps": lambda v: objects([pd.Timestamp(d) if d else pd.NaT for d in v]),
    "objects of polars": lambda v: pl.DataFrame(
        {"when": pl.Series(v, dtype=pl.Object)}
    ),
    "datetime64 in objects": lambda v: objects([d and np.datetime64(d) for d in v]),
    "array": lambda v: np.array([[d] for d in v], "M8[ns]"),
    "objects in an array": lambda v: np.array([[d] for d in v], object),
    "list": lambda v: [[d] for d in v],
}
AWARE_FORMS = [f for f in FORMS if f not in ("datetime64 in objects", "array")]


def in_form(form, values):
    if values[0].tzinfo and form.startswith("pandas"):
        return typed(values, f"datetime64[{form.split()[1]}, {values[0].tzinfo}]")
    return FORMS[form](values)


def known_by_place(encoder, X):
    """Transform, also where `fit` knew names and X has none."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "X (does not have|has) (valid )?feature names"
        )
        return encoder.transform(X)


@pytest.mark.parametrize(
    ("form", "dates"),
    [(form, DATES) for form in FORMS] + [(form, AWARE) for form in AWARE_FORMS],
)
def test_every_form_is_encoded_the_same(form, dates):
    expected = encode(objects(dates))
    X = in_form(form, dates)
    encoder = TabularEncoder().fit(X)
    np.testing.assert_array_equal(encoder.transform(X), expected)
    fitted = TabularEncoder().fit(objects(dates))
    np.testing.assert_array_equal(known_by_place(fitted, X), expected)
    np.testing.assert_array_equal(known_by_place(encoder, objects(dates)), expected)


@pytest.mark.parametrize(
    "as_frame",
    [
        objects,
        lambda v: typed(v, "date32[day][pyarrow]"),
        lambda v: typed(v, "M8[s]"),
        lambda v: pl.DataFrame({"when": v}),
        lambda v: pa.table({"when": pa.array(v, pa.date32())}),
        lambda v: pa.table({"when": pa.array(v, pa.date64())}),
        lambda v: np.array([[d] for d in v], "M8[D]"),
    ],
)
def test_days_are_dates_at_midnight(as_frame):
    days = [d and d.date() for d in DATES]
    midnights = objects([d and dt.datetime(d.year, d.month, d.day) for d in days])
    np.testing.assert_array_equal(encode(as_frame(days)), encode(midnights))
    fitted = TabularEncoder().fit(midnights)
    np.testing.assert_array_equal(
        known_by_place(fitted, as_frame(days)), encode(midnights)
    )


def test_dates_of_an_array_are_columns_of_their_own():
    array = np.array([["2020-01-01", "2021-05-01"], ["2020-03-08", "NaT"]], "M8[D]")
    encoder = TabularEncoder(n_bins=0).fit(array)
    cycles = ["month_sin", "month_cos", "weekday_sin", "weekday_cos"]
    assert encoder.get_feature_names_out().tolist() == [
        *["x0", *[f"x0_{name}" for name in cycles]],
        *["x1", "x1_missing"],
    ]
    frame = pd.DataFrame(array, columns=["a", "b"])
    np.testing.assert_array_equal(
        encoder.transform(array), encode(frame, n_bins=0, categorical_features=None)
    )


@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(
        st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1)),
        min_size=2,
        max_size=9,
    ),
    st.sampled_from([None, ROME, ZoneInfo("Australia/Lord_Howe"), dt.UTC]),
)
def test_any_dates_agree_with_the_calendar(dates, zone):
    moments = pd.Series(dates).dt.tz_localize("UTC")
    X = pd.DataFrame({"when": moments.dt.tz_convert(zone)})
    encoder = TabularEncoder(n_bins=0).fit(X)
    encoded, names = encoder.transform(X), encoder.get_feature_names_out().tolist()
    every = ["month_sin", "month_cos", "weekday_sin", "weekday_cos"]
    for i, name in enumerate([*every, "hour_sin", "hour_cos"]):
        if f"when_{name}" in names:
            column = encoded[:, names.index(f"when_{name}")]
            expected = [cycles_of(date)[i] for date in X["when"]]
            np.testing.assert_allclose(column, expected, atol=1e-6)
    seconds = [date.replace(tzinfo=dt.UTC).timestamp() for date in dates]
    np.testing.assert_allclose(
        encoded[:, 0], encode(pd.DataFrame({"s": seconds}), n_bins=0)[:, 0], atol=1e-5
    )


def test_microseconds_are_told_apart():
    ticks = pd.to_datetime("2024-05-01") + pd.to_timedelta(
        np.arange(50) ** 2, unit="us"
    )
    encoded = encode(pd.DataFrame({"when": ticks}), n_bins=0)
    expected = encode(pd.DataFrame({"when": np.arange(50.0) ** 2}), n_bins=0)
    np.testing.assert_array_equal(encoded, expected)


# Time zones.


def test_cycles_are_those_of_the_clocks_on_the_wall():
    """The hour is 9 in summer and in winter; the time itself is that of UTC."""
    X = pd.DataFrame({"when": pd.date_range("2020-01-01 09:00", periods=366, tz=ROME)})
    encoder = TabularEncoder(n_bins=0).fit(X)
    assert "when_hour_sin" not in encoder.get_feature_names_out()
    in_utc = X.assign(when=X["when"].dt.tz_convert("UTC"))
    times = encode(in_utc, n_bins=0)
    assert times.shape[1] == encoder.transform(X).shape[1] + 2
    np.testing.assert_array_equal(encoder.transform(X)[:, 0], times[:, 0])


@pytest.mark.parametrize("form", AWARE_FORMS)
@pytest.mark.parametrize("zone", [TOKYO, dt.UTC, dt.timezone(dt.timedelta(hours=-3))])
def test_dates_of_another_zone_are_converted_to_that_of_the_fit(form, zone):
    fitted = TabularEncoder().fit(in_form("pandas us", AWARE))
    expected = fitted.transform(in_form("pandas us", AWARE))
    others = [date and date.astimezone(zone) for date in AWARE]
    if form.startswith(("polars", "pyarrow")) and not isinstance(zone, ZoneInfo):
        others = [date and date.astimezone(ZoneInfo("Asia/Kolkata")) for date in AWARE]
    np.testing.assert_array_equal(
        known_by_place(fitted, in_form(form, others)), expected
    )


@pytest.mark.parametrize("offset", ["+05:30", "-03:00", "+00:00"])
@pytest.mark.parametrize("as_arrow", [False, True])
def test_fixed_offsets_are_zones(offset, as_arrow):
    """Libraries name them differently: UTC+05:30 or +05:30."""
    zone = dt.datetime.fromisoformat(f"2020-01-01T00:00:00{offset}").tzinfo
    dates = [date and date.replace(tzinfo=zone) for date in DATES]
    arrow = pa.table({"when": pa.array(dates, pa.timestamp("us", offset))})
    X = arrow if as_arrow else objects(dates)
    fitted = TabularEncoder().fit(X)
    expected = encode(objects(DATES))
    for later in (arrow, objects(dates), typed(dates, f"datetime64[us, {zone}]")):
        # The time itself was that of UTC in the fit.
        np.testing.assert_allclose(fitted.transform(later), expected, atol=1e-12)
    in_rome = [date and date.astimezone(ROME) for date in dates]
    np.testing.assert_array_equal(
        fitted.transform(objects(in_rome)), fitted.transform(X)
    )


def test_hours_that_clocks_show_twice():
    """Python takes the two for equal, yet an hour lies between them."""
    first = dt.datetime(2020, 10, 25, 2, 30, tzinfo=ROME)
    dates = [first, first.replace(fold=1), first.replace(hour=4)]
    as_objects, as_dtype = objects(dates), typed(dates, "datetime64[us, Europe/Rome]")
    np.testing.assert_array_equal(encode(as_objects), encode(as_dtype))
    numbers = pd.DataFrame({"when": [0.0, 1.0, 3.0]})
    np.testing.assert_allclose(
        encode(as_objects, n_bins=0)[:, 0], encode(numbers, n_bins=0)[:, 0]
    )
    # The same after a conversion to the zone of the fit.
    fitted = TabularEncoder().fit(as_dtype)
    in_utc = [date.astimezone(dt.UTC) for date in dates]
    np.testing.assert_array_equal(
        fitted.transform(objects(in_utc)), fitted.transform(as_dtype)
    )


@pytest.mark.parametrize("name", ["EST", "CET", "Winter", "UTC"])
def test_fixed_offsets_of_any_name(name):
    """The name may be that of another zone, such as "EST" for that of Sydney."""
    zone = dt.timezone(dt.timedelta(hours=10), name)
    typed = pd.DataFrame({"when": pd.Series(DATES).dt.tz_localize(zone)})
    dates = [date and date.replace(tzinfo=zone) for date in DATES]
    clocks = encode(objects(DATES))
    for X in (typed, objects(dates)):
        fitted = TabularEncoder().fit(X)
        np.testing.assert_allclose(fitted.transform(X), clocks, atol=1e-12)
        in_utc = [date and date.astimezone(dt.UTC) for date in dates]
        for later in (typed, objects(dates), objects(in_utc)):
            np.testing.assert_array_equal(fitted.transform(later), fitted.transform(X))


def test_zones_that_python_does_not_know_by_name():
    winter = tzoffset("Winter", 3600)
    X = pd.DataFrame({"when": pd.Series(DATES).dt.tz_localize(winter)})
    dates = [date and date.replace(tzinfo=winter) for date in DATES]
    np.testing.assert_array_equal(encode(X), encode(objects(dates)))
    np.testing.assert_allclose(encode(X), encode(objects(DATES)), atol=1e-12)
    fitted = TabularEncoder().fit(X)
    np.testing.assert_array_equal(fitted.transform(objects(dates)), encode(X))
    match = r"'when' has dates in Europe/Rome, .*Winter.* Convert the column"
    for later in (objects(AWARE), in_form("pandas us", AWARE)):
        with pytest.raises(ValueError, match=match):
            fitted.transform(later)


def test_dates_with_and_without_a_zone_do_not_mix():
    for form in ("pandas us", "polars us", "pyarrow us", "objects"):
        naive, aware = in_form(form, DATES), in_form(form, AWARE)
        with pytest.raises(
            ValueError,
            match=r"Column 'when' had dates in the time zone Europe/Rome .*"
            "without a zone. Add their zone",
        ):
            encode(aware, naive)
        with pytest.raises(
            ValueError,
            match="Column 'when' had dates without a time zone in `fit`, "
            r"but now has dates in the zone Europe/Rome. .*remove the zone",
        ):
            encode(naive, aware)
    for mixed in ([AWARE[0], DATES[1]], [AWARE[0], AWARE[1].astimezone(TOKYO)]):
        with pytest.raises(ValueError, match="'when' has dates of several time zones"):
            TabularEncoder().fit(objects(mixed))
    with pytest.raises(ValueError, match="Column 'when' had dates in the time zone"):
        encode(objects(AWARE), objects([AWARE[0], DATES[1]]))


# Missing values.


@pytest.mark.parametrize(
    "nothing",
    [
        objects([None, pd.NaT]),
        objects([np.nan, pd.NA]),
        typed([None, None], "M8[ns]"),
        typed([None, None], "m8[ns]"),
        typed([None, None], "datetime64[us, Europe/Rome]"),
        typed([None, None], float),
        pl.DataFrame({"when": [None, None]}),
        pa.table({"when": pa.array([None, None], pa.time32("s"))}),
    ],
    ids=lambda X: str(getattr(X, "dtypes", X.shape)),
)
@pytest.mark.parametrize("dates", [DATES, AWARE, DATES[:3]])
def test_missing_dates_of_any_type(dates, nothing):
    encoder = TabularEncoder(n_bins=0).fit(objects(dates))
    names = encoder.get_feature_names_out().tolist()
    expected = [float(name == "when_missing") for name in names]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(encoder.transform(nothing), [expected] * 2)
    said = ["'when' has no value, but had values" in str(w.message) for w in caught]
    assert said == [True] * ("when_missing" not in names)


@pytest.mark.parametrize("dtype", ["M8[ns]", "datetime64[us, Europe/Rome]", "m8[ns]"])
def test_dates_after_nothing_but_missing_values(dtype):
    encoder = TabularEncoder().fit(typed([None, None], dtype))
    later = pd.DataFrame({"when": [1, np.nan, 3]}).astype(dtype)
    with pytest.warns(UserWarning, match="'when' had only missing values in `fit`"):
        np.testing.assert_array_equal(encoder.transform(later), [[0, 1]] * 3)


@pytest.mark.parametrize("zone", [None, "Europe/Rome"])
@pytest.mark.parametrize("n_rows", [10, 9])
def test_dates_that_lost_their_times_are_said(zone, n_rows):
    when = pd.Series(pd.date_range("2024-01-01", periods=300, freq="5h", tz=zone))
    encoder = TabularEncoder().fit(when.to_frame("when"))
    gaps = pd.Series([pd.NaT] * 5, dtype=when.dtype)
    days = when[:n_rows].dt.normalize()
    encoders = [encoder, pickle.loads(pickle.dumps(encoder))]
    for loaded in encoders:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded.transform(pd.concat([days, gaps]).to_frame("when"))
        said = [
            "'when' had other times than midnight" in str(w.message) for w in caught
        ]
        assert said == [True] * (n_rows == 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A single moment may be midnight.
        encoder.transform(days.where(days.isna(), days[0]).to_frame("when"))
        # Another time is enough, and so are midnights or days alone in `fit`.
        encoder.transform(pd.concat([days, when[10:11]]).to_frame("when"))
        mixed = pd.concat([when[:200], when[:100].dt.normalize()]).to_frame("when")
        TabularEncoder().fit(mixed).transform(days.to_frame("when"))
        daily = when.dt.normalize().to_frame("when")
        TabularEncoder().fit(daily).transform(days.to_frame("when"))


# Time spans and times of day.

SPANS = [dt.timedelta(days=3), dt.timedelta(hours=-5), None, dt.timedelta(seconds=7)]


@pytest.mark.parametrize(
    "as_frame",
    [
        objects,
        lambda v: objects([s and pd.Timedelta(s) for s in v]),
        lambda v: objects([s and np.timedelta64(s) for s in v]),
        *[lambda v, u=u: typed(v, f"m8[{u}]") for u in ("s", "ms", "us", "ns")],
        lambda v: typed(v, "duration[us][pyarrow]"),
        *[
            lambda v, u=u: pl.DataFrame({"when": pl.Series(v, dtype=pl.Duration(u))})
            for u in ("ms", "us", "ns")
        ],
        lambda v: pa.table({"when": pa.array(v, pa.duration("s"))}),
        lambda v: np.array([[s] for s in v], "m8[s]"),
    ],
)
def test_time_spans_are_numbers(as_frame):
    seconds = pd.DataFrame({"when": [s and s.total_seconds() for s in SPANS]})
    encoder = TabularEncoder().fit(as_frame(SPANS))
    np.testing.assert_allclose(
        encoder.transform(as_frame(SPANS)), encode(seconds), atol=1e-12
    )
    np.testing.assert_allclose(
        known_by_place(encoder, objects(SPANS)), encode(seconds), atol=1e-12
    )
    names = encoder.get_feature_names_out(["when"]).tolist()
    expected = TabularEncoder().fit(seconds).get_feature_names_out().tolist()
    assert names == expected


def test_nanoseconds_of_spans_count():
    spans = pd.DataFrame({"when": pd.to_timedelta(np.arange(9) ** 2, unit="ns")})
    numbers = pd.DataFrame({"when": np.arange(9.0) ** 2})
    np.testing.assert_allclose(encode(spans), encode(numbers), atol=1e-12)
    as_objects = objects(spans["when"].tolist())
    np.testing.assert_allclose(encode(as_objects), encode(numbers), atol=1e-12)


# NumPy deprecates the spans that the test makes.
@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")
@pytest.mark.parametrize("unit", ["Y", "M", "generic"])
def test_spans_without_a_fixed_length(unit):
    dtype = "m8" if unit == "generic" else f"m8[{unit}]"
    spans = np.array([1, 2, 3], dtype)
    for X in (spans[:, np.newaxis], objects(list(spans))):
        with pytest.raises(
            ValueError, match=r"Column .* (no fixed length|timedelta64)"
        ):
            TabularEncoder().fit(X)
    nothing = np.array([["NaT"]] * 3, dtype)
    np.testing.assert_array_equal(encode(nothing), [[0, 1]] * 3)


TIMES = [dt.time(0), dt.time(6), dt.time(18, 30), None, dt.time(23, 59, 59, 999_999)]


@pytest.mark.parametrize(
    "as_frame",
    [
        objects,
        lambda v: pl.DataFrame({"when": v}),
        lambda v: pa.table({"when": pa.array(v, pa.time64("us"))}),
        lambda v: typed(v, "time64[us][pyarrow]"),
    ],
)
def test_times_of_day(as_frame):
    encoder = TabularEncoder(n_bins=0).fit(as_frame(TIMES))
    assert encoder.get_feature_names_out().tolist() == [
        *["when", "when_missing", "when_hour_sin", "when_hour_cos"]
    ]
    seconds = [0.0, 6 * 3600, 18.5 * 3600, np.nan, 86399.999999]
    numbers = encode(pd.DataFrame({"when": seconds}), n_bins=0)
    angles = 2 * np.pi * np.array(seconds) / 86400
    cycles = np.nan_to_num([np.sin(angles), np.cos(angles)]).T
    cycles[3] = 0
    np.testing.assert_allclose(
        encoder.transform(as_frame(TIMES)), np.hstack([numbers, cycles]), atol=1e-12
    )


def test_times_of_day_with_a_zone_are_refused():
    with pytest.raises(
        ValueError, match="Column 'when' has times of day with a time z"
    ):
        TabularEncoder().fit(objects([dt.time(1), dt.time(2, tzinfo=dt.UTC)]))


# Nothing is taken for what it is not.

COLUMNS = {
    "numbers": pd.DataFrame({"when": [1.5, 2.5, 3.5]}),
    "text": pd.DataFrame({"when": ["a", "b", "c"]}),
    "dates as text": pd.DataFrame({"when": ["2020-01-01", "2021-01-01", None]}),
    "dates": typed(DATES, "M8[us]"),
    "date objects": objects(DATES),
    "aware dates": objects(AWARE),
    "dates of polars": pl.DataFrame({"when": DATES}),
    "times of day": objects(TIMES),
    "times of polars": pl.DataFrame({"when": TIMES}),
    "time spans": typed(SPANS, "m8[us]"),
    "span objects": objects(SPANS),
}
KINDS = {
    "numbers": "numbers",
    "text": "text",
    "dates as text": "text",
    "dates": "dates",
    "date objects": "dates",
    "aware dates": "dates",
    "dates of polars": "dates",
    "times of day": "times of day",
    "times of polars": "times of day",
    "time spans": "time spans",
    "span objects": "time spans",
}


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (first, later)
        for first in COLUMNS
        for later in COLUMNS
        if KINDS[first] != KINDS[later] and {first, later} != {"numbers", "text"}
        # Text that holds dates is refused in `fit`; after numbers, as all text.
        if first != "dates as text" and (first, later) != ("numbers", "dates as text")
    ],
)
def test_columns_of_another_kind_are_refused(first, later):
    before, now = KINDS[first], KINDS[later]
    encoder = TabularEncoder().fit(COLUMNS[first])
    with pytest.raises(ValueError, match=r"^Column 'when' ") as error:
        encoder.transform(COLUMNS[later])
    if before == "numbers":
        said = f"had numbers in `fit`, but now has {now}. Convert it to numbers"
    elif before == "text":
        is_typed = later in ("dates", "time spans") or "of polars" in later
        said = "was categorical" if is_typed else f"but now has {now}. Convert it"
    else:
        said = f"had {before} in `fit`, but now has other values, such as "
        remedy = {
            "dates": "by pandas.to_datetime",
            "times of day": "to datetime.time",
            "time spans": "by pandas.to_timedelta",
        }
        assert remedy[before] in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("values", "numbers", "convert"),
    [
        (
            pd.date_range("2024", periods=60),
            lambda v: v.astype("M8[s]").asi8,
            "datetime",
        ),
        (
            pd.to_timedelta(np.arange(60) ** 2 + 60, "s"),
            lambda v: v.total_seconds(),
            "timedelta",
        ),
    ],
    ids=["dates", "time spans"],
)
def test_numbers_in_place_of_dates_name_their_unit(values, numbers, convert):
    """pandas takes numbers for nanoseconds, which is warned of."""
    X = pd.DataFrame({"when": values})
    encoder = TabularEncoder().fit(X)
    later = X.assign(when=numbers(values))
    remedy = rf"pandas\.to_{convert} .*unit='s'"
    with pytest.raises(ValueError, match=remedy):
        encoder.transform(later)
    convert = getattr(pd, f"to_{convert}")
    converted = convert(later["when"], unit="s").to_frame()
    np.testing.assert_array_equal(encoder.transform(converted), encoder.transform(X))
    with pytest.warns(UserWarning, match="has 60 of 60 (dates|time spans).* outside"):
        encoder.transform(convert(later["when"]).to_frame())


@pytest.mark.parametrize("odd", ["a", 1, 2.5, True, "2020-01-01", dt.time(1), SPANS[0]])
@pytest.mark.parametrize("params", [{}, {"categorical_features": None}])
def test_dates_mixed_with_other_values_are_refused(odd, params):
    for values in ([*DATES, odd], [odd, *DATES]):
        for X in (objects(values), np.array([[v] for v in values], object)):
            with pytest.raises(ValueError, match=r"^Column .* has .*, but also other"):
                TabularEncoder(**params).fit(X)
    with pytest.raises(
        ValueError, match=r"Column 'when' has .*, but also other values"
    ):
        encode(objects(DATES), objects([DATES[0], odd]))


def test_dates_behind_many_words_are_found():
    """Libraries guess the type of objects by the first hundred."""
    X = objects([f"word {i % 5}" for i in range(200)] + [DATES[0]])
    with pytest.raises(ValueError, match="Column 'when' has dates, but also other"):
        TabularEncoder().fit(X)
    late = objects([None] * 200 + DATES)
    assert "when_month_sin" in TabularEncoder().fit(late).get_feature_names_out()


def test_dates_of_a_typed_column_are_no_categories():
    X = typed(DATES, "M8[us]")
    with pytest.raises(ValueError, match=r"'when' is of type Datetime.* leave it out"):
        TabularEncoder(categorical_features=["when"]).fit(X)
    # Cast to categories, they are.
    encoder = TabularEncoder().fit(X.astype("category"))
    assert encoder.is_categorical_.tolist() == [True]
    assert encoder.transform(X.astype("category")).sum() == 6


def test_new_dates_among_categories_that_are_dates():
    """One row may have a new one; if no row has a known one, this is said."""
    days = pd.date_range("2020", periods=3)
    X = objects(days.repeat(20)).astype("category")
    encoder = TabularEncoder().fit(X)
    new = objects([pd.Timestamp("2030")]).astype("category")
    assert encoder.transform(new).sum() == 0
    with pytest.warns(UserWarning, match="no value that was seen .* Timestamp, such"):
        encoder.transform(new.loc[[0] * 60])


def test_dates_far_out():
    for year in (-300_000, 300_000):
        far = np.array([[np.datetime64(year - 1970, "Y")], ["2020"]], "M8[Y]")
        with pytest.raises(
            ValueError, match="Column at index 0 has dates more than 29"
        ):
            TabularEncoder().fit(far)
        with pytest.raises(
            ValueError, match="Column 'when' has dates more than 290000"
        ):
            TabularEncoder().fit(objects(list(far[:, 0])))
    ends = [dt.datetime.min, dt.datetime(2020, 5, 1), dt.datetime.max]
    expected = encode(objects(ends))
    assert np.isfinite(expected).all()
    # Nor does a conversion to a zone fail at the ends of Python's calendar.
    fitted = TabularEncoder().fit(objects([d.replace(tzinfo=dt.UTC) for d in ends]))
    shifted = fitted.transform(
        pl.DataFrame({"when": ends}).cast(pl.Datetime("us", "Etc/GMT+3"))
    )
    np.testing.assert_allclose(shifted, expected, atol=1e-12)


# Models.


def shop(n_rows=600):
    """Sales of a shop that is closed on Wednesdays and at night."""
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 3 * 365 * 86400, n_rows)
    when = pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s")
    X = pd.DataFrame({"when": when, "size": rng.normal(size=n_rows)})
    return X, (when.day_of_week != 2) & (when.hour > 7) & (when.hour < 20)


@pytest.fixture(scope="module")
def shop_model():
    X, y = shop()
    return TabularMLPClassifier(random_state=0).fit(X, y)


def test_days_of_the_week_and_hours_are_learned(shop_model):
    X, y = shop(3000)
    X, y = X[600:], y[600:]
    # In days: seconds since 1970 would be warned of.
    by_number = X.assign(when=X["when"].astype("M8[s]").astype(np.int64) / 86400)
    train, y_train = shop()
    train = train.assign(when=train["when"].astype("M8[s]").astype(np.int64) / 86400)
    without = TabularMLPClassifier(random_state=0)
    with pytest.warns(ConvergenceWarning, match="is worse than that of the best const"):
        without.fit(train, y_train)
    assert shop_model.score(X, y) > 0.9
    assert without.score(by_number, y) < 0.6


def test_large_predictions_are_made_in_chunks(shop_model):
    X, _ = shop(5000)
    X.loc[::7, "when"] = None
    expected = np.vstack(
        [shop_model.predict_proba(X[i : i + 900]) for i in range(0, 5000, 900)]
    )
    # The rounding of a product may depend on the number of rows.
    np.testing.assert_allclose(shop_model.predict_proba(X), expected, rtol=1e-12)


def test_models_say_which_column_has_changed(shop_model):
    X, _ = shop(10)
    with pytest.raises(ValueError, match="Column 'when' had dates in `fit`, but now"):
        shop_model.predict(X.assign(when=X["when"].astype(str)))
    y = np.arange(30.0)
    X = pd.DataFrame({"took": pd.to_timedelta(y**2, unit="s")})
    model = TabularMLPRegressor(random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Column 'took' had time spans in `fit`, but"):
        model.predict(X.assign(took=y))


def saved_and_loaded(encoder):
    yield pickle.loads(pickle.dumps(encoder))
    file = BytesIO()
    joblib.dump(encoder, file)
    file.seek(0)
    yield joblib.load(file)
    yield skops.io.loads(
        skops.io.dumps(encoder),
        trusted=["skmlp_backprop._tabular.encoder.TabularEncoder"],
    )


def test_saved_encoders_encode_the_same():
    X = pd.DataFrame(
        {
            "aware": pd.Series(AWARE),
            "naive": pd.Series(DATES),
            "spans": pd.to_timedelta(range(6), unit="h"),
            "times": pd.Series([*TIMES, None], dtype=object),
            "never": pd.Series([None] * 6, dtype="M8[s]"),
            "sizes": np.arange(6.0) ** 2,
            "words": list("aabbcc"),
        }
    )
    encoder = TabularEncoder().fit(X)
    # The zone of the fit is saved, too.
    later = X.assign(aware=X["aware"].dt.tz_convert("Asia/Tokyo"))
    for loaded in saved_and_loaded(encoder):
        for table in (X, later):
            np.testing.assert_array_equal(loaded.transform(table), encoder.transform(X))
        names = loaded.get_feature_names_out().tolist()
        assert names == encoder.get_feature_names_out().tolist()
        with pytest.raises(
            ValueError, match="Column 'aware' had dates in the time zone"
        ):
            loaded.transform(X.assign(aware=X["naive"]))


DAYS = pd.Series(pd.date_range("2023-12-20", periods=80, freq="D"))
DAY_NUMBERS = DAYS.dt.strftime("%Y%m%d").astype(int)


MONTHS = pd.Series(pd.date_range("2019-05-01", periods=40, freq="MS"))
MOMENTS = pd.Series(pd.date_range("2023-12-20 10:00", periods=80, freq="D"))
SECONDS = (MOMENTS - pd.Timestamp("1970")) // pd.Timedelta(seconds=1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (DAY_NUMBERS, DAYS),
        (DAY_NUMBERS.astype("Int64"), DAYS),
        (DAY_NUMBERS.where(DAYS.dt.day != 3), DAYS),
        (MONTHS.dt.strftime("%Y%m").astype(int), MONTHS),
        (SECONDS, MOMENTS),
        (1000 * SECONDS, MOMENTS),
        (10**6 * SECONDS, MOMENTS),
        (SECONDS.where(DAYS.dt.day != 3), MOMENTS),
    ],
    ids=[
        *("integers", "nullable integers", "floats with gaps", "months", "seconds"),
        *("milliseconds", "microseconds", "seconds with gaps"),
    ],
)
def test_numbers_that_look_like_dates_are_said(values, expected):
    """The remedy of the warning gives the dates, and ends the warning."""
    message = "Column 'day' has whole numbers that look like dates"
    with pytest.warns(UserWarning, match=message) as caught:
        TabularEncoder().fit(pd.DataFrame({"day": values}))
    remedy = re.search(r"pandas\.to_datetime\(.*\)", str(caught[0].message))[0]
    dates = eval(remedy, {"pandas": pd, "column": values})
    assert dates.dropna().tolist() == expected[dates.notna()].tolist()
    assert dates.isna().equals(pd.Series(values).isna())
    TabularEncoder().fit(pd.DataFrame({"day": dates}))


@pytest.mark.parametrize(
    "values",
    [
        # A day 30 in February, a day 0, a month 13, half a day, years before 1900.
        [*DAY_NUMBERS, 20240230],
        [*DAY_NUMBERS, 20240200],
        [*DAY_NUMBERS, 20241301],
        [*DAY_NUMBERS, 20240301.5],
        DAY_NUMBERS - 20000000,
        DAY_NUMBERS[:9].repeat(4),
        # A month 13, half a second, and numbers that are not of the last decades.
        [*range(202301, 202313), 202313],
        SECONDS + 0.5,
        SECONDS // 10,
    ],
    ids=range(9),
)
def test_other_numbers_are_no_dates(values):
    TabularEncoder().fit(pd.DataFrame({"day": np.array(values)}))


def test_dates_far_outside_the_range_of_the_fit():
    seconds = pd.Series(1_640_000_000 + np.arange(200) * 25_200)
    X = pd.DataFrame({"when": pd.to_datetime(seconds, unit="s")})
    X["x"] = np.arange(200) % 7 / 7
    y = (X["x"] > 0.5).to_numpy()
    model = TabularMLPClassifier(n_members=2, random_state=0).fit(X, y)
    said = "'when' has 12 of 12 dates more than ten years .* 2021-12-20 to 2022-02-.., "
    # Of another unit.
    with pytest.warns(UserWarning, match=f"{said}such as 1970-01-"):
        model.predict(X[:12].assign(when=pd.to_datetime(seconds[:12], unit="ms")))
    with pytest.warns(UserWarning, match=f"{said}such as 2200-01-01"):
        model.predict(X[:12].assign(when=pd.Timestamp("2200-01-01")))
    # The first one is not far.
    mixed = X[:12].assign(
        when=X["when"].where(X.index == 0, pd.Timestamp("2200-01-01"))
    )
    with pytest.warns(UserWarning, match="has 11 of 12 dates .* such as 2200-01-01"):
        model.predict(mixed)
    # Dates usually continue.
    for years in (-9, 0, 9):
        model.predict(X.assign(when=X["when"] + pd.DateOffset(years=years)))
    model.predict(X[:9].assign(when=pd.Timestamp("2200-01-01")))


def test_missing_dates_have_no_time():
    """Half of the dates that are known have one."""
    times = pd.Series(pd.date_range("2024-01-01", periods=20, freq="D"))
    times[10:] += pd.Timedelta(hours=9)
    missing = pd.Series([pd.NaT] * 40)
    X = pd.DataFrame({"at": pd.concat([times, missing], ignore_index=True)})
    encoder = TabularEncoder().fit(X)
    new = pd.DataFrame({"at": pd.date_range("2024-01-05", periods=10, freq="D")})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform(new)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("n_days", "is_added"), [(14, False), (28, True)])
def test_shorter_cycles_need_dates_of_several_cycles(n_days, is_added):
    when = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.arange(n_days * 24), "h")
    X = pd.DataFrame({"when": when})
    y = 1.0 * (X.when.dt.day_of_week == 2)
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0).fit(X, y)
    names = model.encoder_.get_feature_names_out()
    assert ("when_weekday2_sin" in names) == is_added


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_shorter_cycles_beside_a_trend():
    """The date tells the trend, which is a hundred times as large."""
    X = pd.DataFrame({"when": pd.date_range("2021", periods=240, freq="h")})
    y = np.arange(240) / 24 + 0.1 * np.isin(X.when.dt.hour, [8, 17])
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0).fit(X, y)
    assert "when_hour2_sin" in model.encoder_.get_feature_names_out()


def test_time_spans_in_units_of_several_minutes():
    quarters = np.arange(20)[:, np.newaxis].astype("m8[15m]")
    minutes = quarters.astype("m8[m]")
    encoder = TabularEncoder().fit(minutes)
    np.testing.assert_allclose(encoder.transform(quarters), encoder.transform(minutes))


def test_equal_time_spans_are_not_said_to_be_out_of_range():
    hours = np.arange(1, 41)
    X = pd.DataFrame({"took": pd.to_timedelta(hours, "h")})
    encoder = TabularEncoder().fit(X)
    later = 60 * X
    later.iloc[0] = X.iloc[0]
    said = "39 of 40 time spans outside the range .* such as 5 days, 0:00:00"
    with pytest.warns(UserWarning, match=said):
        encoder.transform(later)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # As in a partial dependence, where a column has the same value in all rows.
        encoder.transform(X.assign(took=pd.Timedelta(hours=90)))


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]"])
def test_missing_dates_of_an_array_where_numbers_were(dtype):
    """As in a table, where a column without values may have any type."""
    encoder = TabularEncoder().fit([[1.0], [np.nan], [3.0]])
    missing = np.full((2, 1), "NaT", dtype)
    np.testing.assert_array_equal(
        encoder.transform(missing), encoder.transform([[np.nan]] * 2)
    )
