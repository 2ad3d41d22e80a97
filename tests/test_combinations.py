"""Columns whose values tell the classes only together."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss

from skmlp_backprop import TabularMLPClassifier
from skmlp_backprop._tabular import base, combination

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_table(n_rows=1200, seed=0):
    """Each place has a class on each date, which neither place nor date tells."""
    rng = np.random.default_rng(seed)
    place, date = rng.integers(0, 30, n_rows), rng.integers(0, 20, n_rows)
    y = np.random.default_rng(1).integers(0, 2, (30, 20))[place, date]
    X = pd.DataFrame(
        {
            "noise": rng.normal(size=n_rows),
            "place": [f"place {i}" for i in place],
            "date": np.where(date == 3, np.nan, date),
        }
    )
    return X, np.where(y, "yes", "no")


def make(**params):
    return TabularMLPClassifier(
        **{"max_iter": 25, "n_members": 4, "random_state": 0, "n_jobs": 1, **params}
    )


@pytest.fixture(scope="module")
def model():
    X, y = make_table()
    return make().fit(X[:800], y[:800])


def test_new_rows_of_known_combinations_are_told(model):
    X, y = make_table()
    assert model.encoder_.combined_features_.tolist() == [1, 2]
    assert model.score(X[800:], y[800:]) > 0.8
    # Dates that `fit` has not seen tell nothing.
    others = X[800:].assign(date=X["date"] + 100)
    with pytest.warns(UserWarning, match="'date' has .* outside the range of `fit`"):
        score = model.score(others, y[800:])
    assert abs(score - 0.5) < 0.15


@pytest.mark.filterwarnings("ignore:Column 'date' had whole numbers in `fit`")
@pytest.mark.parametrize("shift", [0.5, -0.01, 1e-6])
def test_numbers_close_to_those_of_fit_are_said(shift, model):
    X, y = make_table()
    others = X[800:].assign(date=X["date"] + shift)
    message = r"Column 'date' has values close .* in 3.. of 400 .* with 'place'\."
    with pytest.warns(UserWarning, match=message):
        assert model.score(others, y[800:]) < 0.7


def test_dates_that_lost_their_fractions_of_a_second_are_said():
    """The network alone hardly tells them from those of `fit`."""
    X, y = make_table()
    start = pd.Timestamp("2024-01-01 10:00:00.5")
    X["date"] = start + pd.to_timedelta(X["date"].fillna(3), unit="D")
    model = make().fit(X[:800], y[:800])
    cut = X[800:].assign(date=X["date"].dt.floor("s"))
    with pytest.warns(UserWarning, match="Pass the values with the same precision"):
        model.predict(cut)
    # A few such rows may be new, and so may be later days.
    model.predict(pd.concat([X[800:1100], cut[300:]]))
    later = X.assign(date=X["date"] + pd.Timedelta(days=40))
    model.predict(later)
    make().fit(X[:800], y[:800], X_val=later[800:], y_val=y[800:])


@pytest.mark.parametrize(
    "convert",
    [
        # These differ in float64, not in float32.
        lambda date: date.fillna(3) + 30240101,
        lambda date: date + 1.7e9,
        lambda date: pd.Timestamp("2024-01-01") + pd.to_timedelta(date, unit="D"),
        lambda date: date.map("day {:.0f}".format),
        lambda date: (date.fillna(3) / 10).astype(np.float32),
    ],
)
def test_all_kinds_of_values_are_told_apart(convert, model):
    X, y = make_table()
    X = X.assign(date=convert(X["date"]))
    other = make().fit(X[:800], y[:800])
    assert other.encoder_.combined_features_.tolist() == [1, 2]
    widths = [
        sum(" x " in name for name in m.encoder_.get_feature_names_out())
        for m in (model, other)
    ]
    assert widths[0] == widths[1]
    assert other.score(X[800:], y[800:]) > 0.8


def test_new_rows_in_float32():
    X, y = make_table()
    X["date"] = X["date"].fillna(3) / 10
    model = make().fit(X, y)
    rounded = X.assign(date=X["date"].astype(np.float32))
    is_joint = [" x " in n for n in model.encoder_.get_feature_names_out()]
    np.testing.assert_array_equal(
        model.encoder_.transform(rounded)[:, is_joint],
        model.encoder_.transform(X)[:, is_joint],
    )


def test_values_that_are_equal_in_float32_have_no_combination_there():
    rng = np.random.default_rng(0)
    place, code = rng.integers(0, 30, 1200), rng.integers(0, 20, 1200)
    y = np.random.default_rng(1).integers(0, 2, (30, 20))[place, code]
    date = 0.33 + code // 2 / 10 + code % 2 * 1e-10
    X = pd.DataFrame({"place": [f"place {i}" for i in place], "date": date})
    encoder = make().fit(X, y).encoder_
    assert encoder.combined_features_.tolist() == [0, 1]
    is_joint = [" x " in n for n in encoder.get_feature_names_out()]
    assert encoder.transform(X)[:, is_joint].any(axis=1).all()
    rounded = encoder.transform(X.assign(date=X["date"].astype(np.float32)))
    assert not rounded[:, is_joint].any()


def test_the_output_that_scikit_learn_is_set_to_does_not_matter(model):
    X, y = make_table()
    with config_context(transform_output="pandas"):
        other = make().fit(X[:800], y[:800])
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))


def test_three_columns():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 6, (2000, 4)), columns=list("abcd"))
    y = np.random.default_rng(1).integers(0, 2, (6, 6, 6))[X["a"], X["b"], X["c"]]
    encoder = make(max_iter=1).fit(X[:1000], y[:1000]).encoder_
    assert encoder.combined_features_.tolist() == [0, 1, 2]


def test_several_labels_have_no_combination():
    X, y = make_table(400)
    labels = np.stack([y == "yes", y == "yes"], axis=1)
    assert len(make(max_iter=1).fit(X, labels).encoder_.combined_features_) == 0


def test_numbers_of_many_values_are_no_candidates():
    X, _ = make_table(800)
    number = np.random.default_rng(0).integers(0, 300, 800)
    y = np.random.default_rng(1).integers(0, 2, 300)[number]
    X = X.assign(date=number, place=X["place"].isin(["place 1"]).map(str))
    assert len(make(max_iter=1).fit(X, y).encoder_.combined_features_) == 0


def test_the_rows_for_each_combination_count_in_the_whole_table(monkeypatch):
    X, y = make_table()
    monkeypatch.setattr(combination, "_MAX_VALUES", 1000)
    monkeypatch.setattr(combination, "_MIN_ROWS", 700)
    repeated = pd.concat([X] * 6).assign(noise=np.arange(7200) / 7)
    for table, labels, n in ((X, y, 2), (repeated, np.tile(y, 6), 0)):
        encoder = make(max_iter=1).fit(table, labels).encoder_
        assert len(encoder.combined_features_) == n


def test_the_most_frequent_combinations_have_entries(monkeypatch):
    X, y = make_table()
    monkeypatch.setattr(base, "_MAX_COMBINED", 100)
    encoder = make(max_iter=1).fit(X, y).encoder_
    is_joint = [" x " in name for name in encoder.get_feature_names_out()]
    counts = encoder.transform(X)[:, is_joint].sum(axis=0)
    expected = X.groupby(["place", "date"], dropna=False).size().nlargest(100)
    np.testing.assert_array_equal(np.sort(counts), np.sort(expected))


def test_more_categories_than_the_networks_tell_apart_are_said(monkeypatch):
    X, y = make_table()
    n_places = X["place"].nunique()
    monkeypatch.setattr(base, "_MAX_CATEGORIES", n_places)
    make(max_iter=1).fit(X[["place", "noise"]], y)
    monkeypatch.setattr(base, "_MAX_CATEGORIES", n_places - 1)
    said = f"'place' has {n_places} categories. The networks tell the {n_places - 2}"
    with pytest.warns(UserWarning, match=said):
        make(max_iter=1).fit(X[["place", "noise"]], y)


def test_an_encoder_that_is_fitted_again_has_no_combination(model):
    X, _ = make_table()
    encoder = pickle.loads(pickle.dumps(model.encoder_)).fit(X[["noise"]])
    assert len(encoder.combined_features_) == 0
    n_entries = len(encoder.get_feature_names_out())
    assert encoder.transform(X[["noise"]]).shape == (1200, n_entries)


def test_the_order_of_the_rows_and_columns_does_not_matter():
    X, y = make_table(800)
    order = np.random.default_rng(2).permutation(800)
    for table in (X.iloc[order], X.iloc[order][["date", "noise", "place"]]):
        encoder = make(max_iter=1).fit(table, y[order]).encoder_
        chosen = table.columns[encoder.combined_features_]
        assert set(chosen) == {"place", "date"}


def test_effects_that_add_up_are_no_combination(monkeypatch):
    X, _ = make_table(3000)
    X["place"] = "place " + X["place"].str[-1]
    rng = np.random.default_rng(0)
    of_place = dict(zip(X["place"].unique(), rng.normal(size=10), strict=True))
    score = 2 * X["place"].map(of_place) + (X["date"].fillna(3) - 10) / 4
    y = score + rng.logistic(size=3000) > 0
    # Whatever the number of rows for each combination.
    monkeypatch.setattr(combination, "_MAX_ROWS_EACH", 1000)
    assert len(make(max_iter=1).fit(X, y).encoder_.combined_features_) == 0
    monkeypatch.setattr(combination, "_loss_of_sum", lambda columns, labels: np.inf)
    assert len(make(max_iter=1).fit(X, y).encoder_.combined_features_) == 2


def test_combinations_of_many_rows_are_learned_from_the_columns():
    X, y = make_table()
    few = X.assign(
        place=X["place"].isin(["place 1", "place 2"]).map(str), date=X["date"] % 2
    )
    y = np.where((few["place"] == "True") ^ (few["date"] == 1), "yes", "no")
    assert len(make(max_iter=1).fit(few, y).encoder_.combined_features_) == 0


def test_random_classes_have_no_combination():
    X, _ = make_table(400)
    y = np.random.default_rng(0).integers(0, 2, 400)
    assert len(make(max_iter=1).fit(X, y).encoder_.combined_features_) == 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        wide, y_wide = rng.integers(0, 3, (100, 200)), rng.integers(0, 2, 100)
        encoder = make(max_iter=1).fit(wide, y_wide).encoder_
        assert len(encoder.combined_features_) == 0
    # A copy tells the class of its original, not that of a new row.
    twice = np.repeat(np.arange(400), 2)
    encoder = make(max_iter=1).fit(X.iloc[twice], y[twice]).encoder_
    assert len(encoder.combined_features_) == 0


def test_groups_are_not_told_apart():
    X, y = make_table(800)
    groups = X["place"] + X["date"].map(str)
    encoder = make(max_iter=1).fit(X, y, groups=groups).encoder_
    assert len(encoder.combined_features_) == 0


def test_the_entries_of_the_encoder(model):
    X, _ = make_table()
    names = model.encoder_.get_feature_names_out()
    encoded = model.encoder_.transform(X)
    assert encoded.shape == (1200, len(names))
    is_joint = np.char.startswith(names.astype(str), "place x date_")
    # Each combination of the rows of `fit` has an entry.
    n_combinations = len(X[:800].drop_duplicates(["place", "date"]))
    assert is_joint.sum() == n_combinations
    assert (encoded[:800, is_joint].sum(axis=1) == 1).all()
    assert not is_joint[:-n_combinations].any()


def test_a_saved_model_predicts_alike(model):
    X, _ = make_table()
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.encoder_.combined_features_, [1, 2])


# The expected values are predictions of rows that all have the same date.
@pytest.mark.filterwarnings("ignore:Column 'date' has values close to those of")
@pytest.mark.filterwarnings("ignore:Column 'date' had whole numbers in `fit`")
@pytest.mark.parametrize("features", [["place"], ["date"], ["place", "date"]])
def test_partial_dependence_of_combined_columns(model, features):
    X = make_table()[0][:50]
    result = model.partial_dependence(X, features, kind="both", grid_resolution=5)
    for place in np.ndindex(*result.average.shape[1:]):
        rows = X.copy()
        for name, values, i in zip(features, result.grid_values, place, strict=True):
            rows[name] = values[i]
        expected = model.predict_proba(rows)[:, 1]
        np.testing.assert_allclose(result.individual[0][:, *place], expected)
        np.testing.assert_allclose(result.average[0][place], expected.mean())


def test_importances_of_combined_columns(model):
    X, y = make_table()
    found = model.importances().importances_mean
    expected = permutation_importance(
        model, X[800:], y[800:], scoring="neg_log_loss", random_state=0
    )
    assert found[1:].min() > 10 * abs(found[0])
    np.testing.assert_allclose(found[1:], expected.importances_mean[1:], rtol=0.4)


def test_it_helps_where_columns_tell_nothing():
    X, y = make_table()
    # A group for each row keeps the combination out.
    without = make().fit(X[:800], y[:800], groups=np.arange(800))
    model = make().fit(X[:800], y[:800])
    losses = [log_loss(y[800:], m.predict_proba(X[800:])) for m in (model, without)]
    assert losses[0] < 0.75 * losses[1]


def test_new_days_in_a_long_gap_are_not_close():
    """The smallest gap between the days of `fit` counts."""
    X, y = make_table()
    X["date"] = X["date"].fillna(3) + 100 * (X["date"] > 9)
    model = make(max_iter=2).fit(X[:800], y[:800])
    assert model.encoder_.combined_features_.tolist() == [1, 2]
    model.predict(X[800:].assign(date=30))
