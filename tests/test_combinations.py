"""Columns whose values tell the classes only together."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss

from skmlp_backprop import TabularMLPClassifier

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
    # The columns by themselves tell next to nothing.
    assert model.score(X[800:], y[800:]) > 0.8
    # And so do combinations that `fit` has not seen.
    others = X[800:].assign(date=X["date"].to_numpy()[799::-1][:400] + 0.5)
    assert abs(model.score(others, y[800:]) - 0.5) < 0.15


def test_the_order_of_the_rows_and_columns_does_not_matter():
    X, y = make_table(800)
    order = np.random.default_rng(2).permutation(800)
    for table in (X.iloc[order], X.iloc[order][["date", "noise", "place"]]):
        encoder = make(max_iter=1).fit(table, y[order]).encoder_
        chosen = table.columns[encoder.combined_features_]
        assert set(chosen) == {"place", "date"}


def test_effects_that_add_up_are_no_combination():
    X, _ = make_table(800)
    rng = np.random.default_rng(0)
    of_place = dict(zip(X["place"].unique(), rng.normal(size=30), strict=True))
    score = X["place"].map(of_place) + (X["date"].fillna(3) - 10) / 5
    y = score + rng.logistic(size=800) / 4 > 0
    assert len(make(max_iter=1).fit(X, y).encoder_.combined_features_) == 0


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
