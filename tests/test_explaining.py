"""Importances of columns, and partial dependence, of the tabular estimators."""

import copy
import datetime
import pickle
import tracemalloc

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import (
    PartialDependenceDisplay,
    partial_dependence,
    permutation_importance,
)
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from skmlp_backprop._tabular import importances as _importances
from skmlp_backprop.displays import ImportancesDisplay

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": 16, "max_iter": 15, "random_state": 0}


def regressor(**params):
    return TabularMLPRegressor(**{**SMALL, **params})


def classifier(**params):
    return TabularMLPClassifier(**{**SMALL, **params})


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make_planted(n_rows=400):
    """The answer, noise, and a column of which few values occur twice."""
    rng = np.random.default_rng(0)
    answer, noise = rng.standard_normal((2, n_rows))
    ids = rng.integers(0, n_rows, n_rows)
    X = pd.DataFrame({"noise": noise, "answer": answer, "id": ids.astype(str)})
    X["id"] = pd.Categorical("id " + X["id"])
    X["constant"] = 1.0
    return X, answer


@pytest.fixture(scope="module")
def planted():
    return make_planted()


@pytest.fixture(scope="module")
def mixed():
    """Numbers with gaps, flags, few and many categories, dates, and their model."""
    rng = np.random.default_rng(0)
    n_rows = 150
    size = rng.standard_normal(n_rows)
    colour = rng.choice(["red", "green", "blue"], n_rows)
    X = pd.DataFrame(
        {
            "size": size,
            "gaps": np.where(rng.random(n_rows) < 0.2, np.nan, rng.random(n_rows)),
            "colour": colour,
            "is_new": np.where(rng.random(n_rows) < 0.5, "yes", "no"),
            "shop": [f"shop {i:02}" for i in rng.integers(0, 30, n_rows)],
            "sold": pd.to_datetime("2024-01-01", utc=True)
            + pd.to_timedelta(rng.integers(0, 5000, n_rows), "h"),
        }
    )
    y = size + (colour == "red") + 0.1 * rng.standard_normal(n_rows)
    return regressor(n_members=3).fit(X, y), X, y


# Importances.


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_the_answer_is_important_and_what_was_memorised_is_not(kind, planted):
    X, y = planted
    # Enough epochs for the networks to learn the ids of their rows by heart.
    model, target = regressor(max_iter=60, n_iter_no_change=60), y
    if kind == "classifier":
        model = classifier(max_iter=60, n_iter_no_change=60, dropout=0)
        # With wrong labels, as the answer alone would tell each row.
        target = (y > 0) ^ (np.random.default_rng(0).random(len(y)) < 0.1)
    model.fit(X, target)
    noise, answer, ids, constant = model.importances().importances_mean
    assert answer > 0.3
    assert abs(noise) < 0.05 * answer
    assert abs(ids) < 0.05 * answer
    assert constant == 0
    # On their training rows the networks do use it.
    by_rows = permutation_importance(
        model, X, target, scoring="neg_log_loss" if kind == "classifier" else None
    )
    assert by_rows.importances_mean[2] > 3 * abs(ids)


def losses_by_definition(model, X, y, kept, n_repeats):
    """The mean increase of the log loss, for each column, by predictions of tables."""
    increases = np.zeros((X.shape[1], n_repeats))
    random_state = np.random.default_rng(kept.seed)
    for fold in range(8):
        rows = np.flatnonzero(kept.folds == fold)
        orders = [random_state.permutation(len(rows)) for _ in range(n_repeats)]

        def loss(X_fold, fold=fold, rows=rows):
            of_fold = np.mean(model.predict_members(X_fold)[fold::8], axis=0)
            return log_loss(y[rows], of_fold, labels=model.classes_)

        before = loss(X.iloc[rows])
        for column in range(X.shape[1]):
            for repeat, order in enumerate(orders):
                changed = X.iloc[rows].copy()
                changed.isetitem(column, changed.iloc[order, column].to_numpy())
                rise = loss(changed) - before
                increases[column, repeat] += rise * len(rows) / len(X)
    return increases.mean(axis=1)


def test_importances_are_those_of_the_definition(mixed):
    X = mixed[1]
    y = np.digitize(mixed[2], [-0.5, 0.5])
    # Twice as many networks as folds: two predict each row.
    model = classifier(n_members=16, max_iter=4).fit(X, y)
    result = model.importances()
    expected = losses_by_definition(model, X, y, model._withheld_rows, 5)
    np.testing.assert_allclose(result.importances_mean, expected, atol=1e-5)
    assert result.importances.shape == (6, 8 * 5)
    assert result.feature_names.tolist() == list(X.columns)
    np.testing.assert_allclose(
        model.feature_importances_, np.maximum(expected, 0), atol=1e-5
    )


def test_rows_of_weight_0_do_not_count(planted):
    X, y = planted
    weights = np.repeat([1.0, 0.0], 200)
    model = regressor(max_iter=4).fit(X, y, sample_weight=weights)
    others = regressor(max_iter=4).fit(X[:200], y[:200])
    np.testing.assert_array_equal(
        model.feature_importances_, others.feature_importances_
    )


def test_weights_weigh():
    """Where only rows of great weight depend on a column, it is important."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2))
    X[:200, 1] = 0
    y = np.where(np.arange(400) < 200, X[:, 0], X[:, 1])
    weights = np.where(np.arange(400) < 200, 1.0, 100.0)
    model = regressor(max_iter=20).fit(X, y, sample_weight=weights)
    assert model.feature_importances_[1] > 10 * model.feature_importances_[0]


def test_validation_rows_take_the_place_of_withheld_ones(planted):
    X, y = planted
    # Among the validation rows the answer is constant.
    X_val, y_val = X[:100].assign(answer=1.0), np.ones(100)
    model = regressor().fit(X, y, X_val=X_val, y_val=y_val)
    # But for the rounding of the products.
    assert abs(model.importances().importances_mean[1]) < 1e-9
    assert model.importances().importances.shape == (4, 5)


def test_they_are_the_same_each_time(planted):
    model, other = regressor().fit(*planted), regressor().fit(*planted)
    before = model.feature_importances_
    np.testing.assert_array_equal(before, other.feature_importances_)
    np.testing.assert_array_equal(before, model.feature_importances_)
    model.fit(planted[0], -planted[0]["noise"])
    assert model.feature_importances_[0] > 3 * before[0]


@pytest.mark.slow
def test_many_rows_are_sampled():
    """10 000 are kept for the importances."""
    X = np.random.default_rng(0).standard_normal((16_000, 20))
    y = X[:, 1]
    params = {"n_members": 8, "hidden_layer_sizes": 4, "max_iter": 2}
    memory = []
    for n_rows in (12_000, 16_000):
        tracemalloc.start()
        many = regressor(**params).fit(X[:n_rows], y[:n_rows])
        memory.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    # A row that is kept has 20 numbers.
    assert memory[1] - memory[0] < 4000 * 20 * 3
    expected = permutation_importance(
        many, X[:2000], y[:2000], scoring="neg_mean_squared_error", random_state=0
    ).importances_mean
    found = many.feature_importances_
    assert found.argmax() == expected.argmax() == 1
    share = expected[1] / expected.sum()
    assert found[1] / found.sum() == pytest.approx(share, abs=0.05)


def test_importances_of_few_networks_need_only_the_rows_that_these_left_out(
    monkeypatch,
):
    """Of 80 rows a single network leaves out ten."""
    X = np.random.default_rng(0).standard_normal((80, 2))
    model = regressor(n_members=1)
    expected = model.fit(X, X[:, 0]).importances().importances
    monkeypatch.setattr(_importances, "_MAX_ROWS", 10)
    found = model.fit(X, X[:, 0]).importances().importances
    np.testing.assert_array_equal(found, expected)


def test_importances_without_weight_have_an_error():
    """The rows that the network left out all have the class that weighs 0."""
    X, y = np.random.default_rng(0).standard_normal((120, 2)), np.zeros(120)
    y[:2], y[2:4] = 1, 2
    weights = {0: 0, 1: 1, 2: 1}
    model = classifier(n_members=1, max_iter=2, class_weight=weights).fit(X, y)
    assert np.isnan(model.oob_decision_function_[:4]).all()
    with pytest.raises(ValueError, match=r"all weigh 0, .* Increase `n_members`"):
        model.importances()


@pytest.mark.parametrize(
    "params",
    [
        {"loss": "absolute_error"},
        {"loss": "huber"},
        {"loss": "quantile", "quantile": [0.2, 0.8]},
        {"loss": "poisson"},
        {"loss": "gamma"},
    ],
    ids=lambda params: params["loss"],
)
def test_losses(params, planted):
    X, y = planted
    model = regressor(**params).fit(X, np.exp(y))
    # In the unit of the scores of the training.
    others, answer = (
        np.delete(model.feature_importances_, 1),
        model.feature_importances_[1],
    )
    assert 0 <= others.max() < 0.2 * answer
    assert answer > 0.2 * -model.best_validation_score_


@pytest.mark.parametrize("n_members", [1, 3])
def test_fewer_networks_than_folds(n_members, planted):
    model = regressor(n_members=n_members).fit(*planted)
    assert model.importances().importances.shape == (4, n_members * 5)
    assert model.feature_importances_.argmax() == 1


def test_several_outputs_and_labels(planted):
    X, y = planted
    columns = np.column_stack([y, X["noise"]])
    of_numbers = regressor().fit(X, columns).feature_importances_
    of_labels = classifier().fit(X, (columns > 0).astype(int)).feature_importances_
    for found in (of_numbers, of_labels):
        assert found[:2].min() > 5 * found[2]


def test_saved_models(planted):
    model = regressor().fit(*planted)
    fresh, copied = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
    assert not hasattr(fresh, "feature_importances_")
    with pytest.raises(AttributeError, match="permutation_importance"):
        fresh.importances()
    for other in (fresh, copied):
        np.testing.assert_array_equal(
            other.predict(planted[0]), model.predict(planted[0])
        )
    found = model.feature_importances_
    np.testing.assert_array_equal(copied.feature_importances_, found)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.feature_importances_, found)
    assert not hasattr(loaded, "_withheld_rows")
    assert not hasattr(clone(model), "feature_importances_")


def test_html_computes_none(planted):
    # NumPy 2.0 cannot compare a number with a default that is text, as "auto".
    model = TabularMLPRegressor(2, random_state=0).fit(*planted)
    model._repr_html_()
    assert "_importances" not in vars(model)
    assert "feature_importances_" not in dir(model)
    assert len(model.feature_importances_) == 4
    assert "feature_importances_" in dir(model)


def test_selection_of_columns(planted):
    X, y = planted
    X = X.drop(columns="id").assign(more=np.cos(np.arange(len(X))))
    rfe = RFE(regressor(), n_features_to_select=1).fit(X, y)
    assert rfe.get_feature_names_out().tolist() == ["answer"]
    selection = SelectFromModel(regressor()).fit(X, y)
    assert selection.get_feature_names_out().tolist() == ["answer"]
    with_text = X.assign(more=np.where(X["more"] > 0, "high", "low"))
    selection = SelectFromModel(regressor()).fit(with_text, y)
    assert selection.get_feature_names_out().tolist() == ["answer"]
    # RFE passes an array on, which old versions of scikit-learn do not make numbers of.
    message = "could not convert string to float|has values that are not numbers"
    with pytest.raises(ValueError, match=message):
        RFE(regressor()).fit(with_text, y)


# Their display.


def test_display(planted):
    model = regressor().fit(*planted)
    result = model.importances()
    display = ImportancesDisplay.from_estimator(model, max_features=3, color="red")
    order = np.argsort(-result.importances_mean)[:3]
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, result.importances_mean[order])
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == result.feature_names[order].tolist()
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)
    segments = display.bars_.errorbar.lines[2][0].get_segments()
    halves = [np.ptp(segment[:, 0]) / 2 for segment in segments]
    np.testing.assert_allclose(halves, result.importances_std[order])
    # The most important column is at the top.
    assert display.ax_.yaxis_inverted()
    assert display.figure_ is display.ax_.figure


def test_display_of_a_pipeline_and_on_given_axes():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), classifier()).fit(X, y)
    ax = plt.subplots()[1]
    display = ImportancesDisplay.from_estimator(pipeline, ax=ax)
    assert display.ax_ is ax
    assert {label.get_text() for label in ax.get_yticklabels()} == {
        f"x{i}" for i in range(4)
    }


def test_display_refuses_others():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="must be a TabularMLPClassifier"):
        ImportancesDisplay.from_estimator(BackpropMLPClassifier(max_iter=1).fit(X, y))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        ImportancesDisplay([1, 2], [1, 2], ["a"])


# Partial dependence.


@pytest.mark.parametrize("feature", ["size", "colour", "is_new", "shop"])
@pytest.mark.parametrize("kind", ["average", "individual", "both"])
def test_as_that_of_scikit_learn(feature, kind, mixed):
    model, X, _ = mixed
    settings = {"kind": kind, "grid_resolution": 7}
    expected = partial_dependence(
        model,
        X,
        [feature],
        method="brute",
        categorical_features=["colour", "is_new", "shop"],
        **settings,
    )
    result = model.partial_dependence(X, feature, **settings)
    assert result.grid_values[0].tolist() == expected.grid_values[0].tolist()
    assert set(result) == set(expected)
    for name in set(result) - {"grid_values"}:
        np.testing.assert_allclose(result[name], expected[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_classes(n_classes, mixed):
    _, X, y = mixed
    labels = np.digitize(y, [-0.5, 0.5][: n_classes - 1])
    model = classifier(n_members=2, max_iter=4).fit(X, labels)
    weights = np.arange(1, len(X) + 1)
    result = model.partial_dependence(X, "size", kind="both", sample_weight=weights)
    assert result.individual.shape == (1 if n_classes == 2 else n_classes, 150, 100)
    if n_classes > 1:
        expected = partial_dependence(
            model, X, ["size"], kind="both", sample_weight=weights
        )
        for name in ("average", "individual"):
            np.testing.assert_allclose(result[name], expected[name], rtol=1e-9)


def test_several_columns_and_several_outputs(mixed):
    _, X, y = mixed
    model = regressor(n_members=2, max_iter=4).fit(X, np.column_stack([y, -3 * y]))
    result = model.partial_dependence(X, ["colour", 0], grid_resolution=4)
    assert result.average.shape == (2, 3, 4)
    for i, colour in enumerate(result.grid_values[0]):
        for j, size in enumerate(result.grid_values[1]):
            changed = X.assign(colour=colour, size=size)
            np.testing.assert_allclose(
                result.average[:, i, j], model.predict(changed).mean(axis=0)
            )


def test_a_grid_is_no_table():
    """Shares of its values, which a prediction warns of, tell nothing."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01 06:30", periods=60, freq="7h"),
            "kind": rng.choice(["a", "b"], 60),
        }
    )
    model = TabularMLPRegressor(2, 4, max_iter=2, random_state=0)
    model.fit(X, rng.normal(size=60))
    days = pd.date_range("2024-01-01", periods=12).to_list()
    kinds = ["a", *(f"new {i}" for i in range(11))]
    values = {"at": days, "kind": kinds}
    for name, of_column in values.items():
        result = model.partial_dependence(X, name, custom_values={name: of_column})
        assert result.average.shape == (1, 12)


# A table that has a new category, no category or no date in all rows.
@pytest.mark.filterwarnings("ignore:Column .* has no value that was seen")
@pytest.mark.filterwarnings("ignore:Column .* in 150 of 150 rows, such as a missing")
@pytest.mark.filterwarnings("ignore:Column '(sold|gaps)' has no value, but had")
@pytest.mark.parametrize(
    ("feature", "values"),
    [
        ("gaps", [0.5, None]),
        ("colour", ["red", "a new one", None]),
        ("shop", ["shop 03", "a new one", None]),
        ("sold", [pd.Timestamp("2024-03-01 05:00", tz="UTC"), None]),
    ],
)
def test_values_of_the_callers(feature, values, mixed):
    model, X, _ = mixed
    result = model.partial_dependence(X, feature, custom_values={feature: values})
    assert list(result.grid_values[0]) == values
    for value, found in zip(values, result.average[0], strict=True):
        column = pd.Series([value] * len(X), index=X.index, dtype=X[feature].dtype)
        changed = X.assign(**{feature: column})
        assert found == pytest.approx(model.predict(changed).mean())


@pytest.mark.parametrize(
    "values",
    [
        np.ma.array([0.5, 0.0], mask=[False, True]),
        np.ma.array([5, 0], mask=[False, True]) / 10,
        pl.Series([0.5, None]),
        pa.array([0.5, None]),
        pa.chunked_array([[0.5], [None]], type=pa.float64()),
        pd.Series([0.5, None], dtype="Float64"),
    ],
    ids=lambda values: type(values).__name__,
)
def test_missing_values_of_other_libraries(values, mixed):
    model, X, _ = mixed
    result = model.partial_dependence(X, "gaps", custom_values={"gaps": values})
    expected = model.partial_dependence(X, "gaps", custom_values={"gaps": [0.5, None]})
    np.testing.assert_array_equal(result.average, expected.average)


def test_dates_of_polars(mixed):
    model, X, _ = mixed
    dates = pl.Series([datetime.datetime(2024, 3, 1, 5, tzinfo=datetime.UTC)])
    result = model.partial_dependence(X, "sold", custom_values={"sold": dates})
    changed = X.assign(sold=pd.Timestamp("2024-03-01 05:00", tz="UTC"))
    assert result.average[0, 0] == pytest.approx(model.predict(changed).mean())


def test_missing_values_and_dates_of_the_table(mixed):
    model, X, _ = mixed
    gaps = model.partial_dependence(X, "gaps", grid_resolution=5).grid_values[0]
    present = X["gaps"].dropna()
    assert gaps[[0, -1]] == pytest.approx(present.quantile([0.05, 0.95]), abs=0.02)
    X = X.assign(colour=X["colour"].where(X["size"] > 0))
    colours = model.partial_dependence(X, "colour").grid_values[0]
    assert colours.tolist() == ["blue", "green", "red", None]
    result = model.partial_dependence(X, "sold", grid_resolution=4)
    (dates,) = result.grid_values
    assert len(dates) == 4
    assert (dates[:-1] < dates[1:]).all()
    for date, found in zip(dates, result.average[0], strict=True):
        changed = X.assign(sold=pd.Timestamp(date, tz="UTC"))
        assert found == pytest.approx(model.predict(changed).mean())


def test_times_of_day_and_spans():
    rng = np.random.default_rng(0)
    hours = rng.integers(0, 24, 100)
    X = pd.DataFrame(
        {
            "at": [datetime.time(hour) for hour in hours],
            "took": pd.to_timedelta(rng.integers(1, 90, 100), "min"),
        }
    )
    model = regressor(n_members=2, max_iter=4).fit(X, hours)
    for name, values in (
        ("at", [datetime.time(5), datetime.time(20)]),
        ("took", [datetime.timedelta(minutes=5), datetime.timedelta(minutes=70)]),
    ):
        expected = [model.predict(X.assign(**{name: v})).mean() for v in values]
        result = model.partial_dependence(X, name, custom_values={name: values})
        np.testing.assert_allclose(result.average[0], expected)
        (grid,) = model.partial_dependence(X, name, grid_resolution=5).grid_values
        assert grid.dtype == "m8[us]"
        assert len(grid) == 5


@pytest.mark.parametrize("n_copies", [1, 30])
def test_tables_of_other_libraries_and_chunks(mixed, n_copies):
    """Also of more rows than are predicted at a time."""
    model, X, _ = mixed
    params = {"kind": "both", "custom_values": {"size": [-1.0, 0.0, 2.0]}}
    expected = model.partial_dependence(X, "size", **params)
    table = pl.from_pandas(pd.concat([X] * n_copies))
    result = model.partial_dependence(table, "size", **params)
    np.testing.assert_allclose(result.average, expected.average)
    individual = np.tile(expected.individual, (1, n_copies, 1))
    np.testing.assert_allclose(result.individual, individual)


def test_integers_and_quantiles():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    model = regressor(loss="quantile", quantile=[0.1, 0.9], max_iter=4)
    model.fit(X.round().astype(int), y)
    result = model.partial_dependence(X.round(), 1)
    assert result.grid_values[0].tolist() == [1, 2]
    low, high = result.average
    assert (low < high).all()


def test_scikit_learn_draws_it(mixed):
    model, X, _ = mixed
    names = ["size", "colour"]
    results = [model.partial_dependence(X, name) for name in names]
    display = PartialDependenceDisplay(
        results,
        features=[(0,), (1,)],
        feature_names=names,
        target_idx=0,
        deciles={},
        is_categorical=[(False,), (True,)],
    ).plot()
    line = display.lines_[0, 0]
    np.testing.assert_array_equal(line.get_ydata(), results[0].average[0])
    heights = [bar.get_height() for bar in display.axes_[0, 1].patches]
    np.testing.assert_allclose(heights, results[1].average[0])


@pytest.mark.parametrize(
    ("features", "settings", "message"),
    [
        ("height", {}, "X has no column 'height'"),
        (6, {}, "Pass an integer from 0 to 5"),
        (True, {}, "X has no column True. Pass an integer"),
        (np.True_, {}, "X has no column .*True.*. Pass an integer"),
        (1.0, {}, "X has no column 1.0. Pass an integer"),
        ([True, False], {}, "X has no column True. Pass an integer"),
        ([["size"], 0], {}, r"X has no column \['size'\]. Pass an integer"),
        (-1, {}, "X has no column -1"),
        ([], {}, "distinct columns"),
        (["size", 0], {}, "distinct columns"),
        ("size", {"kind": "mean"}, "kind must be"),
        ("size", {"grid_resolution": 1}, "grid_resolution must be an integer of 2 or"),
        ("size", {"grid_resolution": 2.5}, "must be an integer of 2 or more, got 2.5"),
        ("size", {"grid_resolution": "9"}, "must be an integer of 2 or more, got '9'"),
        ("size", {"percentiles": (0.9, 0.1)}, "percentiles must be two rising"),
        ("size", {"percentiles": 0.5}, "percentiles must be two rising"),
        ("size", {"percentiles": (0.1, 0.5, 0.9)}, "percentiles must be two rising"),
        ("size", {"percentiles": ("a", "b")}, "percentiles must be two rising"),
        ("size", {"percentiles": (0, [1])}, "percentiles must be two rising"),
        ("size", {"percentiles": (0, np.nan)}, "percentiles must be two rising"),
        ("size", {"custom_values": [1, 2]}, r"must be a dict .*, got \[1, 2\]"),
        ("size", {"custom_values": {"size": []}}, "'size' must be a list"),
        (
            "size",
            {"custom_values": {"size": [0], 0: [1]}},
            r"distinct .* \['size', 0\]",
        ),
        ("size", {"custom_values": {"size": "red"}}, "'size' must be a list"),
        ("size", {"custom_values": {"size": [np.inf]}}, "infinity.*'size'"),
        ("size", {"custom_values": {"gaps": [0]}}, r"has the columns \['gaps'\]"),
        ("size", {"sample_weight": [1, 2]}, "sample_weight"),
    ],
)
def test_what_cannot_be(features, settings, message, mixed):
    model, X, _ = mixed
    with pytest.raises(ValueError, match=message):
        model.partial_dependence(X, features, **settings)


@pytest.mark.filterwarnings("ignore:The columns of X have names that are not strings")
def test_a_column_whose_name_is_no_text_is_found_by_position(mixed):
    X = mixed[1][["size", "gaps"]].set_axis([10, 20], axis=1)
    model = TabularMLPRegressor(max_iter=2, n_members=2).fit(X, mixed[2])
    with pytest.raises(ValueError, match=r"no column 10\. .* 0 to 1, a position\."):
        model.partial_dependence(X, 10)
    assert model.partial_dependence(X, 0)["grid_values"][0].max() <= X[10].max()


def test_columns_without_a_grid(mixed):
    model, X, _ = mixed
    with (
        pytest.warns(UserWarning, match="'gaps' has no value, but had values in 81%"),
        pytest.raises(ValueError, match="'gaps' of X has missing values only"),
    ):
        model.partial_dependence(X.assign(gaps=np.nan), "gaps")
    # Any unit will do.
    for numbers in (1e-9 * X["size"], 1.7e9 + X["size"]):
        table = X.assign(size=numbers)
        tiny = regressor(max_iter=2).fit(table, np.arange(150) % 7)
        assert len(np.unique(tiny.partial_dependence(table, "size").average)) > 20
    equal = X.assign(size=np.where(np.arange(150) < 5, np.arange(150) / 5, 1.0))
    with pytest.raises(ValueError, match="'size' are equal"):
        model.partial_dependence(
            equal, "size", grid_resolution=2, percentiles=(0.5, 0.9)
        )


def test_folds_count_by_their_weight():
    """The rows whose y depends on the second column have hardly any weight."""
    rng = np.random.default_rng(0)
    X, groups = rng.standard_normal((400, 2)), np.arange(400) % 4
    weights = np.where(groups == 0, 1e-3, 1.0)
    y = np.where(groups == 0, 20 * X[:, 1], X[:, 0])
    model = regressor(n_members=4).fit(X, y, sample_weight=weights, groups=groups)
    result = model.importances()
    first, second = result.importances_mean
    assert second < 1e-3 * first
    # The deviation is by weight, too.
    assert result.importances[1].std() > 10 * result.importances_std[1]


def test_rows_of_hardly_any_weight_hardly_count():
    """Their y is large, and of the other sign."""
    rng = np.random.default_rng(0)
    X, is_light = rng.normal(size=(400, 2)), np.arange(400) % 2 > 0
    y = np.where(is_light, -50 * np.sign(X[:, 0]), X[:, 0])
    model = regressor().fit(X, y, sample_weight=np.where(is_light, 1e-6, 1))
    assert model.importances().importances_mean[0] > 0.1


def test_weights_of_a_partial_dependence_in_another_order_are_said():
    X = pd.DataFrame({"a": np.arange(30) / 4, "b": np.arange(30) ** 0.5})
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0).fit(X, X.a % 7)
    weights, values = X["a"] + 1, {"a": [1.0, 5.0]}
    model.partial_dependence(X, "a", sample_weight=weights, custom_values=values)
    with pytest.warns(UserWarning, match="sample_weight has the same index as X, but"):
        model.partial_dependence(
            X, "a", sample_weight=weights[::-1], custom_values=values
        )


def test_a_grid_of_codes_has_all_codes_and_nothing_between():
    rng = np.random.default_rng(0)
    shops = rng.integers(1, 41, 2000)
    X = pd.DataFrame({"shop": 3 * shops})
    y = rng.normal(size=41)[shops]
    model = TabularMLPRegressor(max_iter=1, random_state=0).fit(X, y)
    result = model.partial_dependence(X[:500], "shop", grid_resolution=10)
    np.testing.assert_array_equal(result.grid_values[0], 3 * np.arange(1, 41))


@pytest.mark.filterwarnings("ignore:Column 'noise' has")
def test_partial_dependence_of_a_combined_column_and_another():
    rng = np.random.default_rng(0)
    place, item = rng.integers(0, 20, (2, 800))
    y = rng.integers(0, 2, (20, 20))[place, item]
    X = pd.DataFrame({"noise": rng.normal(size=800), "place": place, "item": item})
    X = X.astype({"place": "category", "item": "category"})
    model = TabularMLPClassifier(max_iter=4, n_members=1, random_state=0).fit(X, y)
    assert model.encoder_.combined_features_.tolist() == [1, 2]
    rows, values = X[:30], {"noise": [0.0, 1.0], "place": [3, 7]}
    names = ["noise", "place"]
    result = model.partial_dependence(rows, names, custom_values=values)
    for i, j in np.ndindex(2, 2):
        changed = rows.assign(noise=float(i))
        changed["place"] = pd.Categorical([[3, 7][j]] * 30, X.place.cat.categories)
        expected = model.predict_proba(changed)[:, 1].mean()
        assert result.average[0, i, j] == pytest.approx(expected, abs=1e-6)


def test_percentiles_of_dates_are_of_the_distinct_dates():
    days = pd.date_range("2024-01-01", periods=101)
    X = pd.DataFrame({"day": days.repeat(2)})
    model = TabularMLPRegressor(max_iter=1, random_state=0)
    model.fit(X, np.arange(202.0))
    result = model.partial_dependence(
        X, "day", grid_resolution=3, percentiles=(0.1, 0.9)
    )
    np.testing.assert_array_equal(result.grid_values[0], days[[10, 50, 90]])


def test_weights_of_a_partial_dependence_may_be_of_any_size():
    X = pd.DataFrame({"a": np.arange(60) / 4, "b": np.arange(60) ** 0.5})
    model = regressor(n_members=1, max_iter=2).fit(X, X["a"] % 7)
    expected, *others = (
        model.partial_dependence(X, "a", sample_weight=np.full(60, size)).average
        for size in (1.0, 1e308, 1e-308)
    )
    for average in others:
        np.testing.assert_allclose(average, expected)
