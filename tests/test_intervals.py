"""Out-of-bag predictions of the tabular estimators, and intervals made of them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.metrics import (
    accuracy_score,
    d2_pinball_score,
    log_loss,
    mean_gamma_deviance,
    mean_poisson_deviance,
    r2_score,
    roc_auc_score,
)

from skmlp_backprop import TabularMLPClassifier, TabularMLPRegressor
from skmlp_backprop._tabular import base

# Fits to weighted and to repeated rows differ: the formula alone is the same.
from skmlp_backprop._tabular.intervals import conformity, cv_plus_intervals
from skmlp_backprop.callbacks import EarlyStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": 8, "max_iter": 8, "random_state": 0}


def sine(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (n_rows, 2))
    return X, np.sin(X[:, 0]) + 0.3 * rng.standard_normal(n_rows)


@pytest.fixture(scope="module")
def regressor():
    return TabularMLPRegressor(**SMALL).fit(*sine(400))


def test_no_network_has_seen_its_out_of_bag_rows():
    """A column that names the row, and random labels: networks learn them by heart."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"row": [f"row {i}" for i in range(240)]}, dtype="category")
    y = rng.permutation([0, 1] * 120)
    model = TabularMLPClassifier(
        hidden_layer_sizes=32,
        max_iter=60,
        n_iter_no_change=60,
        dropout=0,
        learning_rate_init=0.05,
        random_state=0,
    )
    with pytest.warns(UserWarning, match="identifier"):
        model.fit(X, y)
    members = model.predict_members(X)
    # Each network knows all rows but its eighth.
    assert (members.argmax(axis=2) == y).mean() > 0.6
    chosen = model.predict(X)
    assert model.oob_score_ < 0.62 < accuracy_score(y, chosen)


@pytest.mark.parametrize("n_members", [3, 8, 11])
def test_classifier_out_of_bag(n_members):
    X, y = sine(300)
    labels = np.array(["low", "high"])[(y > 0).astype(int)]
    model = TabularMLPClassifier(n_members, **SMALL).fit(X, labels)
    proba = model.oob_decision_function_
    known = ~np.isnan(proba[:, 0])
    assert proba.shape == (300, 2)
    assert known.sum() == 300 if n_members >= 8 else 105 < known.sum() < 120
    np.testing.assert_allclose(proba[known].sum(axis=1), 1, rtol=1e-12)
    predicted = model.classes_[proba[known].argmax(axis=1)]
    assert model.oob_score_ == accuracy_score(labels[known], predicted)
    # They are predictions of single networks.
    members = model.predict_members(X)
    distance = np.abs(members - proba).max(axis=2).min(axis=0)
    if n_members == 8:
        assert distance.max() < 1e-5


def test_rows_without_weight_have_none():
    X, y = sine(200)
    weights = np.ones(200)
    weights[::4] = 0
    model = TabularMLPRegressor(**SMALL).fit(X, y, weights)
    missing = np.isnan(model.oob_prediction_)
    np.testing.assert_array_equal(missing, weights == 0)
    rest = weights > 0
    assert model.oob_score_ == r2_score(y[rest], model.oob_prediction_[rest])
    others = TabularMLPRegressor(**SMALL).fit(X[rest], y[rest])
    np.testing.assert_array_equal(others.oob_prediction_, model.oob_prediction_[rest])
    np.testing.assert_array_equal(others.predict_interval(X), model.predict_interval(X))


def test_order_of_the_rows():
    X, y = sine(400)
    model = TabularMLPRegressor(**{**SMALL, "max_iter": 30}).fit(X, y)
    assert r2_score(y, model.oob_prediction_) == model.oob_score_ > 0.5
    assert r2_score(np.roll(y, 1), model.oob_prediction_) < 0.1


def test_multilabel_and_several_outputs():
    X, y = sine(200)
    both = np.column_stack([y, -2 * y])
    model = TabularMLPRegressor(**SMALL).fit(X, both)
    assert model.oob_prediction_.shape == (200, 2)
    intervals = model.predict_interval(X, [0.5, 0.9])
    assert intervals.shape == (200, 2, 2, 2)
    assert model.predict_interval(X).shape == (200, 2, 2)
    np.testing.assert_array_equal(model.predict_interval(X), intervals[..., 1])
    labels = (both > [0, -1]).astype(int)
    model = TabularMLPClassifier(**SMALL).fit(X, labels)
    assert model.oob_decision_function_.shape == (200, 2)
    expected = accuracy_score(labels, (model.oob_decision_function_ > 0.5).astype(int))
    assert model.oob_score_ == expected


def direct(model, X, y, coverage):
    """CV+ as its authors write it."""
    members = model.predict_members(X)
    # The network that left a row out is the one that predicted it.
    own = np.abs(model.predict_members(sine(400)[0]) - model.oob_prediction_).argmin(0)
    residuals = np.abs(y - model.oob_prediction_)
    n, alpha = len(y), 1 - coverage
    low = np.sort(members[own] - residuals[:, np.newaxis], axis=0)
    high = np.sort(members[own] + residuals[:, np.newaxis], axis=0)
    k = int(np.floor(alpha * (n + 1) + 1e-9))
    low, high = low[k - 1], high[n - k]
    mean = members.mean(axis=0)
    return np.column_stack([np.minimum(low, mean), np.maximum(high, mean)])


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.8, 0.9, 0.99])
def test_intervals_are_those_of_the_definition(regressor, coverage):
    X, y = sine(50, seed=1)[0], sine(400)[1]
    np.testing.assert_allclose(
        regressor.predict_interval(X, coverage), direct(regressor, X, y, coverage)
    )


def test_coverage():
    """On many new rows it is about what was asked for, and at least the guarantee."""
    X, y = sine(4000, seed=1)
    model = TabularMLPRegressor(**{**SMALL, "max_iter": 40}).fit(*sine(800))
    for coverage in (0.5, 0.8, 0.9):
        low, high = model.predict_interval(X, coverage).T
        covered = ((low <= y) & (y <= high)).mean()
        assert coverage - 0.03 < covered < coverage + 0.06
    # The spread of the networks covers far less.
    members = model.predict_members(X)
    assert ((members.min(axis=0) <= y) & (y <= members.max(axis=0))).mean() < 0.5


def test_weights_count_as_repetitions():
    rng = np.random.default_rng(0)
    residuals, folds = rng.random((40, 1)), np.arange(40) % 4
    weights = rng.integers(1, 4, 40)
    predictions = {fold: rng.standard_normal((30, 1)) for fold in range(4)}
    # The new row weighs 1 beside as many rows as the weights are worth.
    n_effective = weights.sum() ** 2 / (weights**2).sum()
    weighted = cv_plus_intervals(
        predictions,
        predictions,
        conformity(residuals, folds, weights.astype(float)),
        [0.8],
    )
    repeated = cv_plus_intervals(
        predictions,
        predictions,
        conformity(np.repeat(residuals, weights, axis=0), np.repeat(folds, weights)),
        [0.8 * (1 + 1 / n_effective) / (1 + 1 / weights.sum())],
    )
    np.testing.assert_allclose(weighted, repeated)


@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("ignore:Column .* numbers outside the range of `fit`")
@given(
    coverages=st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6, unique=True),
    seed=st.integers(0, 1000),
)
def test_intervals_are_nested_and_contain_the_prediction(regressor, coverages, seed):
    # Also beyond the range of `fit`.
    X = np.random.default_rng(seed).uniform(-6, 6, (20, 2))
    coverages = sorted(coverages)
    low, high = regressor.predict_interval(X, coverages).swapaxes(0, 1)
    prediction = regressor.predict(X)[:, np.newaxis]
    assert (low <= prediction).all()
    assert (prediction <= high).all()
    assert (np.diff(low, axis=1) <= 0).all()
    assert (np.diff(high, axis=1) >= 0).all()


def test_units_of_y(regressor):
    X, y = sine(400)
    other = TabularMLPRegressor(**SMALL).fit(X, 1000 * y + 5)
    np.testing.assert_allclose(
        other.predict_interval(X), 1000 * regressor.predict_interval(X) + 5, rtol=1e-4
    )


def test_saved_models_give_the_same(regressor):
    X, _ = sine(50, seed=1)
    loaded = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(
        loaded.predict_interval(X), regressor.predict_interval(X)
    )
    np.testing.assert_array_equal(loaded.oob_prediction_, regressor.oob_prediction_)
    assert loaded.oob_score_ == regressor.oob_score_


@pytest.mark.parametrize("scale", [1e-200, 1, 1e200])
def test_rows_count_as_their_effective_number(scale):
    rng = np.random.default_rng(0)
    residuals, folds, weights = rng.random((40, 1)), np.arange(40) % 4, rng.random(40)
    n_effective = weights.sum() ** 2 / (weights**2).sum()
    by_fold = conformity(residuals, folds, scale * weights)
    totals = [sums[0, -1] for _, sums in by_fold.values()]
    assert sum(totals) == pytest.approx(n_effective)
    of_fold = weights[folds == 1].sum() / weights.sum()
    assert totals[1] == pytest.approx(of_fold * n_effective)


def test_a_row_with_all_of_the_weight_is_a_single_row():
    X, y = sine(400)
    X_new, weights = X[:3], np.ones(400)
    weights[7] = 1e9
    model = TabularMLPRegressor(**SMALL).fit(X, y, weights)
    told = "needs 9 .* by their unequal weights, the 400 rows count as 1.00"
    with pytest.warns(UserWarning, match=told):
        assert np.isinf(model.predict_interval(X_new[:3], 0.9)).all()
    classifier = TabularMLPClassifier(**SMALL).fit(X, y > 0, weights)
    with pytest.warns(UserWarning, match=told):
        assert classifier.predict_set(X_new[:3], 0.9).all()


def test_too_few_rows_for_a_coverage():
    X, y = sine(20)
    model = TabularMLPRegressor(**SMALL).fit(X, y)
    assert np.isfinite(model.predict_interval(X, 20 / 21)).all()
    with pytest.warns(UserWarning, match="0.96 needs 24 .* but there are 20"):
        intervals = model.predict_interval(X, [0.5, 0.96])
    assert np.isinf(intervals[..., 1]).all()
    assert np.isfinite(intervals[..., 0]).all()


@pytest.mark.parametrize(
    "coverage", [0, 1, -0.1, 90, "0.9", None, [0.5, 1], [[0.5]], []]
)
def test_coverages_that_cannot_be(regressor, coverage):
    with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\)"):
        regressor.predict_interval(sine(5)[0], coverage)


@pytest.mark.parametrize("n_members", [1, 3])
def test_few_networks(n_members):
    X, y = sine(400)
    model = TabularMLPRegressor(n_members, **{**SMALL, "max_iter": 20}).fit(X, y)
    X, y = sine(4000, seed=1)
    low, high = model.predict_interval(X).T
    assert 0.83 < ((low <= y) & (y <= high)).mean() < 0.97


def test_out_of_bag_predictions_of_twelve_networks():
    """Folds that one network left out, and folds that two left out."""
    X, y = sine(160)
    model = TabularMLPRegressor(12, **SMALL).fit(X, y)
    members = model.predict_members(X)
    of_folds = np.stack([np.mean(members[i::8], axis=0) for i in range(8)])
    distances = abs(of_folds - model.oob_prediction_).min(axis=0)
    assert distances.max() < 1e-4


# Losses.


def skewed(n_rows, seed=0):
    """Counts and positive numbers, whose scatter grows with their mean."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n_rows, 2))
    mean = np.exp(0.8 * X[:, 0])
    return X, rng.poisson(mean), mean * rng.gamma(3, 1 / 3, n_rows), mean


MORE = {"hidden_layer_sizes": 16, "max_iter": 40, "random_state": 0}


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e9])
def test_losses_of_ratios(loss, unit):
    X, counts, amounts, _ = skewed(1500)
    y = unit * (counts if loss == "poisson" else amounts)
    deviance = {"poisson": mean_poisson_deviance, "gamma": mean_gamma_deviance}[loss]
    model = TabularMLPRegressor(loss=loss, **MORE).fit(X, y)
    X, _, _, mean = skewed(1500, seed=1)
    prediction = model.predict(X)
    assert (prediction > 0).all()
    assert r2_score(mean, prediction / unit) > 0.9
    low, high = model.predict_interval(X).T
    assert low.min() == 0
    assert (low <= prediction).all()
    assert (prediction <= high).all()
    # The judge of the left-out rows is half the deviance, of y in units of its mean.
    average = y.mean()
    half = deviance(y / average, model.oob_prediction_ / average) / 2
    assert -model.best_validation_score_ <= half * (1 + 1e-4)


def test_poisson_refuses_negative_numbers():
    X, y, _, _ = skewed(100)
    with pytest.raises(ValueError, match=r"non-negative y, got a minimum of -1\."):
        TabularMLPRegressor(loss="poisson", **MORE).fit(X, y - 1)


def test_absolute_error_is_not_misled_by_outliers():
    X, y = sine(800)
    y[::20] += 50
    X_new = sine(1000, seed=1)[0]

    def error(**params):
        prediction = TabularMLPRegressor(**params, **MORE).fit(X, y).predict(X_new)
        return np.abs(prediction - np.sin(X_new[:, 0])).mean()

    assert error() > 1
    assert error(loss="huber", huber_epsilon=1000) > 1
    assert error(loss="huber", huber_epsilon=0.02) < 0.3
    assert error(loss="absolute_error") < 0.3


def test_quantiles():
    X, y = sine(1500)
    quantiles = np.array([0.1, 0.5, 0.9])
    model = TabularMLPRegressor(loss="quantile", quantile=quantiles, **MORE).fit(X, y)
    X, y = sine(3000, seed=1)
    predicted = model.predict(X)
    assert predicted.shape == model.predict_members(X).shape[1:] == (3000, 3)
    assert (np.diff(predicted, axis=1) > 0).all()
    below = (y[:, np.newaxis] <= predicted).mean(axis=0)
    np.testing.assert_allclose(below, quantiles, atol=0.05)
    d2 = [
        d2_pinball_score(y, p, alpha=level)
        for p, level in zip(predicted.T, quantiles, strict=True)
    ]
    assert model.score(X, y) == pytest.approx(np.mean(d2))
    assert model.oob_score_ == pytest.approx(model.score(X, y), abs=0.1)
    # What is set after the fit is for the next one.
    score, intervals = model.score(X, y), model.predict_interval(X)
    model.set_params(loss="squared_error", quantile=0.5)
    np.testing.assert_array_equal(model.predict(X), predicted)
    np.testing.assert_array_equal(model.predict_interval(X), intervals)
    assert model.score(X, y) == score
    single = TabularMLPRegressor(loss="quantile", quantile=0.9, **MORE).fit(*sine(1500))
    assert single.predict(X).shape == (3000,)
    assert (y <= single.predict(X)).mean() == pytest.approx(0.9, abs=0.04)


def test_intervals_of_quantiles_follow_the_row():
    def wider_on_the_right(n_rows, seed):
        rng = np.random.default_rng(seed)
        X = rng.uniform(0, 1, (n_rows, 2))
        return X, X[:, 0] + (0.1 + 2 * X[:, 0]) * rng.standard_normal(n_rows)

    quantiles = TabularMLPRegressor(loss="quantile", quantile=[0.05, 0.95], **MORE)
    quantiles.fit(*wider_on_the_right(1500, 0))
    mean = TabularMLPRegressor(**MORE).fit(*wider_on_the_right(1500, 0))
    X, y = wider_on_the_right(4000, 1)
    on_the_right = X[:, 0] > 0.8
    for model in (quantiles, mean):
        low, high = model.predict_interval(X).T
        assert 0.88 < ((low <= y) & (y <= high)).mean() < 0.95
        ratio = (high - low)[on_the_right].mean() / (high - low)[X[:, 0] < 0.2].mean()
        assert ratio > 3 if model is quantiles else ratio < 1.5
    # The predicted quantiles, of 90 %, are narrowed, too.
    for coverage in (0.3, 0.6):
        with pytest.warns(UserWarning, match="of 4000 intervals have no width"):
            low, high = quantiles.predict_interval(X, coverage).T
        assert (low <= high).all()
        assert ((low <= y) & (y <= high)).mean() == pytest.approx(coverage, abs=0.05)
    with pytest.warns(UserWarning, match="of 8000 intervals have no width"):
        intervals = quantiles.predict_interval(X, [0.95, 0.5])
    wide, narrow = intervals.transpose(2, 0, 1)
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (narrow[:, 1] <= wide[:, 1]).all()


# Validation rows of the caller's own.


@pytest.mark.usefixtures("without_shift")
def test_validation_rows_judge_and_all_networks_see_all_rows():
    X, y = sine(300)
    X_val, y_val = sine(200, seed=2)
    model = TabularMLPRegressor(**MORE).fit(X, y, X_val=X_val, y_val=y_val)
    assert np.isnan(model.oob_prediction_).all()
    assert np.isnan(model.oob_score_)
    loss = np.mean((model.predict(X_val) - y_val) ** 2) / (2 * y.var())
    assert model.best_validation_score_ == pytest.approx(-loss, rel=1e-4)
    labels, labels_val = y > 0, y_val > 0
    model = TabularMLPClassifier(**MORE).fit(X, labels, None, X_val, labels_val)
    assert np.isnan(model.oob_decision_function_).all()
    expected = log_loss(labels_val, model.predict_proba(X_val))
    assert model.best_validation_score_ == pytest.approx(-expected, rel=1e-4)


@pytest.mark.parametrize("loss", ["huber", "absolute_error", "quantile"])
def test_a_robust_loss_does_not_see_how_far_an_outlier_is(loss):
    X, y = sine(600)
    X_new, y_new = sine(500, seed=2)
    rmse = {}
    for size in (0, 30, 1e6):
        with_outlier = y.copy()
        with_outlier[7] += size
        model = TabularMLPRegressor(loss=loss, **MORE).fit(X, with_outlier)
        rmse[size] = np.sqrt(np.mean((model.predict(X_new) - y_new) ** 2))
        widths = np.ptp(model.predict_interval(X_new), axis=1)
        assert widths.mean() < 2
    assert rmse[1e6] == pytest.approx(rmse[30], rel=0.02)
    assert rmse[1e6] < 1.05 * rmse[0]


@pytest.mark.parametrize("noise", [0, 1e-13])
@pytest.mark.parametrize("share", [0.005, 0.2])
def test_many_numbers_near_zero_do_not_make_outliers_of_the_others(noise, share):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(1000, 2))
    y = np.where(X[:, 0] < share, 1000 + 100 * X[:, 1], 0)
    y += noise * rng.standard_normal(1000)
    params = {**MORE, "loss": "huber", "huber_epsilon": 0.1}
    error = {}
    for weights in (None, np.where(y > 500, 1.0, 1e-6)):
        model = TabularMLPRegressor(**params).fit(X, y, weights)
        error[weights is None] = np.abs(model.predict(X) - y)[y > 500].mean()
    assert error[False] < 50
    if share > 0.1:
        assert error[True] < 50


def test_robust_losses_of_the_largest_numbers():
    y = np.repeat([-1.5e308, 1.5e308], [4, 9])
    X = (y > 0).reshape(-1, 1) + np.arange(13).reshape(-1, 1) / 50
    model = TabularMLPRegressor(loss="huber", **MORE).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_integers_that_float64_merges_are_said():
    X, y = sine(60)
    y = np.rint(10 * y).astype(np.int64)
    TabularMLPRegressor(**SMALL).fit(X, y + 2**52)
    said = f"Input y has {len(np.unique(y))} distinct integers, of which float64"
    with pytest.warns(UserWarning, match=said):
        TabularMLPRegressor(**SMALL).fit(X, y + 10**18)


def test_a_group_of_nearly_all_rows_is_said():
    X, y = sine(100)
    groups = np.arange(100).clip(89)
    TabularMLPRegressor(**SMALL).fit(X, y, groups=groups)
    with pytest.warns(UserWarning, match="A group has 92 of 100 rows. The networks"):
        TabularMLPRegressor(**SMALL).fit(X, y, groups=groups.clip(91))
    # Few rows are few in any group.
    TabularMLPRegressor(**SMALL).fit(X[:5], y[:5], groups=[0, 0, 0, 0, 1])


@pytest.mark.filterwarnings("error")
def test_a_loss_of_nearly_zero_is_not_useless():
    X, y = sine(400)
    classifier = TabularMLPClassifier(random_state=0)
    classifier.fit(X, y > 0, sample_weight=1.0 * (y > 0))
    assert classifier.predict(X).all()


@pytest.mark.filterwarnings("error")
def test_infinite_intervals_between_quantiles():
    X, y = sine(60)
    params = {"loss": "quantile", "quantile": [0.1, 0.9], **SMALL, "max_iter": 80}
    model = TabularMLPRegressor(**params).fit(X, y)
    with pytest.warns(UserWarning, match="Intervals are infinite"):
        intervals = model.predict_interval(X, coverage=0.999)
    np.testing.assert_array_equal(intervals, [[-np.inf, np.inf]] * 60)


def test_validation_rows_on_another_scale():
    """As TransformedTargetRegressor passes them on."""
    X, y = sine(60)
    X_val, y_val = sine(20, seed=2)
    model = TabularMLPRegressor(**SMALL)
    y_val = y_val.clip(y.min(), y.max())
    y_val[:10] += 100
    model.fit(X, y, X_val=X_val, y_val=y_val)
    # Later values are larger, and a constant column has no range.
    model.fit(X, y, X_val=X_val, y_val=y_val.clip(None, 1.9 * y.max() - y.min()))
    model.fit(X, 0 * y, X_val=X_val, y_val=y_val)
    y_val[10] += 100
    with pytest.warns(UserWarning, match="Most values of y_val lie far outside the"):
        model.fit(X, y, X_val=X_val, y_val=y_val)
    columns, columns_val = np.column_stack([y, y]), np.column_stack([y[:20], y_val])
    with pytest.warns(UserWarning, match="Most values of y_val of column 1, counted"):
        model.fit(X, columns, X_val=X_val, y_val=columns_val)


def test_validation_rows_of_other_classes():
    """As StackingClassifier passes them on."""
    X, y = sine(60)
    labels = y > 0
    for other, message in (
        (np.where(labels, "yes", "no"), "No class of y_val is in y: encode both alike"),
        (np.where(np.arange(60) < 59, labels, 2), r"\[2\]. Leave their rows out"),
    ):
        with pytest.raises(ValueError, match=message):
            TabularMLPClassifier(**SMALL).fit(X, labels, X_val=X, y_val=other)


def test_weights_of_validation_rows():
    X, y = sine(300)
    X_val, y_val = sine(100, seed=2)
    twice = np.concatenate([np.arange(100), np.arange(50)])
    weights = np.repeat([2.0, 1.0], 50)
    weighted = TabularMLPRegressor(**MORE).fit(X, y, None, X_val, y_val, weights)
    repeated = TabularMLPRegressor(**MORE).fit(X, y, None, X_val[twice], y_val[twice])
    np.testing.assert_allclose(
        weighted.validation_scores_, repeated.validation_scores_, rtol=1e-4
    )


def test_intervals_from_validation_rows_cover():
    X, y = sine(3000, seed=1)
    model = TabularMLPRegressor(**MORE).fit(*sine(600), None, *sine(500, seed=2))
    low, high = model.predict_interval(X).T
    assert ((low <= y) & (y <= high)).mean() == pytest.approx(0.9, abs=0.03)
    # Split conformal prediction: all of one width.
    assert np.ptp(high - low) < 1e-9


def test_a_training_stops_by_the_validation_rows():
    """Where these contradict the training rows, the first epochs are the best."""
    X, y = sine(400)
    model = TabularMLPRegressor(**MORE).fit(X, y, None, X, -y)
    assert np.argmax(model.validation_scores_) <= 1
    agreeing = TabularMLPRegressor(**MORE).fit(X, y, None, *sine(400, seed=2))
    assert agreeing.n_iter_ > model.n_iter_


def test_validation_rows_that_are_training_rows_are_said():
    """Exact rows, and rows that were written and read in single precision."""
    X, y = sine(400)
    for X_val in (X[:100], X[:100].astype(np.float32)):
        with pytest.warns(UserWarning, match="100 of 100 rows of X_val are rows of X"):
            TabularMLPRegressor(**MORE).fit(X, y, X_val=X_val, y_val=y[:100])
    # A few values of numbers are equal by chance.
    few_X, few_y = np.floor(3 * X), np.floor(y)
    TabularMLPRegressor(**MORE).fit(few_X, few_y, X_val=few_X[:100], y_val=few_y[:100])
    # Two of a hundred may be an oversight, and hardly matter.
    many = np.random.default_rng(0).standard_normal((500, 4))
    many[400:402] = many[:2]
    many_y = many.sum(axis=1)
    own = {"X_val": many[400:], "y_val": many_y[400:]}
    TabularMLPRegressor(**SMALL).fit(many[:400], many_y[:400], **own)
    # Rows with another y are further measurements.
    noise = np.random.default_rng(0).standard_normal(100)
    TabularMLPRegressor(**SMALL).fit(X, y, X_val=X[:100], y_val=y[:100] + noise)


def test_rows_with_a_negative_zero_are_the_same():
    X = np.random.default_rng(0).standard_normal((200, 4))
    X[::2, 0] = 0.0
    X_val, y = X.copy(), X.sum(axis=1)
    X_val[::2, 0] = -0.0
    with pytest.warns(UserWarning, match="200 of 200 rows of X_val are rows of X"):
        TabularMLPRegressor(**SMALL).fit(X, y, X_val=X_val, y_val=y)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"X_val": np.zeros((5, 2))}, "Pass both X_val and y_val"),
        ({"y_val": [True] * 5}, "Pass both X_val and y_val"),
        ({"sample_weight_val": np.ones(5)}, "sample_weight_val needs X_val and y_val"),
        ({"X_val": np.zeros((5, 2)), "y_val": [True] * 4}, "inconsistent numbers"),
        ({"X_val": np.zeros((5, 3)), "y_val": [True] * 5}, "has 3 features"),
        ({"X_val": np.zeros((2, 2)), "y_val": [3, 0]}, r"y_val has classes .* \[3\]"),
        (
            {"X_val": np.zeros((2, 2)), "y_val": [0, 1], "sample_weight_val": [-1, 1]},
            "Negative|negative",
        ),
        (
            {"X_val": np.zeros((2, 2)), "y_val": np.array([True, 1], object)},
            r"y_val is of type object .* y_val\.astype\(str\)",
        ),
    ],
)
def test_validation_rows_that_cannot_be(validation, message):
    X, y = sine(50)
    model = TabularMLPClassifier(**SMALL).fit(X, y > 0)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y > 1, **validation)
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.filterwarnings(
    "ignore:.* rows of X_val are rows of X",
    "ignore:Input .* has numbers written as text",
)
@pytest.mark.parametrize("dtype", [str, object])
def test_targets_written_as_text(dtype):
    X, y = sine(60)
    texts = np.array([str(value) for value in y], dtype=dtype)
    expected = TabularMLPRegressor(**SMALL).fit(X, y, X_val=X, y_val=y)
    model = TabularMLPRegressor(**SMALL).fit(X, texts, X_val=X, y_val=texts.tolist())
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    np.testing.assert_array_equal(
        model.predict_interval(X), expected.predict_interval(X)
    )
    assert model.validation_scores_ == expected.validation_scores_


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["2.500", "900"], r"'2\.500', which is read as 2\.5\. .*thousands='\.'"),
        (["-12.000", "3.500", "7"], r"'-12\.000', which is read as -12\.0"),
        (["0900", "12.5"], "'0900', which is read as 900.0.* take a classifier"),
        (["1e3", "-7"], "'1e3', which is read as 1000.0. Convert y to numbers"),
    ],
)
@pytest.mark.parametrize("dtype", [str, object])
def test_warning_of_targets_written_as_text(dtype, texts, message):
    X, texts = np.linspace(0, 1, 30)[:, np.newaxis], np.array(texts * 30, dtype)[:30]
    numbers = texts.astype(float)
    model = TabularMLPRegressor(**SMALL)
    with pytest.warns(
        UserWarning, match=f"Input y has numbers written as text, .*{message}"
    ):
        model.fit(X, texts)
    expected = TabularMLPRegressor(**SMALL).fit(X, numbers)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    with pytest.warns(UserWarning, match="Input y_val has numbers written as text"):
        model.fit(X, numbers, X_val=X, y_val=texts)


@pytest.mark.parametrize(
    ("y_val", "message"),
    [
        ([1.0, np.nan], "Input y_val contains NaN: the value of row 1 is missing"),
        (["1", None], "y_val contains NaN: the value of row 1 .* which y_val is not"),
        (["1", "high"], "y_val has 'high' in row 1, .* Convert y_val to numbers"),
        (np.array([1, 2], "M8[D]"), "y_val has dates .* Convert y_val to numbers"),
    ],
    ids=str,
)
def test_messages_about_y_val_name_it(y_val, message):
    X, y = sine(50)
    with pytest.raises(ValueError, match=message):
        TabularMLPRegressor(**SMALL).fit(X, y, X_val=X[:2], y_val=y_val)


@pytest.mark.filterwarnings("ignore:.* rows of X_val are rows of X")
@pytest.mark.parametrize("make_frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_columns_of_y_val_in_another_order(make_frame):
    X, y = sine(50)
    frame, reordered = (make_frame(Y) for Y in ({"u": y, "v": -y}, {"v": -y, "u": y}))
    model = TabularMLPRegressor(**SMALL)
    message = r"y_val has the columns \['v', 'u'\].* \['u', 'v'\].*y_val\[y.columns\]"
    with pytest.raises(ValueError, match=message):
        model.fit(X, frame, X_val=X, y_val=reordered)
    array = np.asarray(frame)
    expected = TabularMLPRegressor(**SMALL).fit(X, array, X_val=X, y_val=array)
    model.fit(X, frame, X_val=X, y_val=frame)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.callbacks
def test_restored_networks_have_their_own_out_of_bag_predictions():
    """An EarlyStopping that is misled by its few noisy rows takes an early epoch."""
    X, y = sine(400)
    X_val, y_val = sine(30, seed=5)
    labels = y > 0
    for model, target, name in (
        (TabularMLPRegressor(**MORE), y, "oob_prediction_"),
        (TabularMLPClassifier(**MORE), labels, "oob_decision_function_"),
    ):
        goal = y_val if target is y else y_val > 0
        stopping = EarlyStopping(X_val, -goal if target is y else ~goal)
        model.set_callbacks(stopping).fit(X, target)
        assert stopping.best_iter_ < model.n_iter_
        members, kept = model.predict_members(X), getattr(model, name)
        distance = np.abs(members - kept).reshape(8, 400, -1).max(axis=2)
        assert distance.min(axis=0).max() < 1e-5


def test_validation_rows_of_weight_0_count_nowhere():
    X, y = sine(200)
    X_val, y_val = sine(60, seed=2)
    weights = (np.arange(60) < 30).astype(float)
    some = TabularMLPRegressor(**SMALL).fit(X, y, None, X_val, y_val, weights)
    half = TabularMLPRegressor(**SMALL).fit(X, y, None, X_val[:30], y_val[:30])
    tiny = TabularMLPRegressor(**SMALL)
    tiny.fit(X, y, None, X_val, y_val, 1e-50 * weights)
    for model in (some, tiny):
        np.testing.assert_array_equal(
            model.predict_interval(X), half.predict_interval(X)
        )
        np.testing.assert_allclose(model.validation_scores_, half.validation_scores_)


@pytest.mark.parametrize("multilabel", [False, True])
def test_validation_rows_have_the_class_weights_of_the_training(multilabel):
    X, y = sine(300)
    X_val, y_val = sine(200, seed=2)
    labels, labels_val = (y > 0.8).astype(int), (y_val > -0.5).astype(int)
    weights = len(y) / 2 / np.bincount(labels)
    explicit = dict(enumerate(weights.tolist()))
    if multilabel:
        labels, labels_val = (np.column_stack([a, a]) for a in (labels, labels_val))
        labels[0], explicit = [0, 1], None
    scores = []
    for class_weight in ("balanced", explicit):
        if class_weight is None:
            ones = labels.sum(axis=0)
            class_weight = [
                {0: 300 / 2 / (300 - n), 1: 300 / 2 / n} for n in ones.tolist()
            ]
        model = TabularMLPClassifier(class_weight=class_weight, **SMALL)
        model.fit(X, labels, None, X_val, labels_val)
        scores.append(model.validation_scores_)
    np.testing.assert_allclose(*scores, rtol=1e-5)


def test_a_category_that_a_network_has_not_seen_adds_nothing():
    """Rows of categories of their own are predicted as rows of unseen categories."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"number": rng.standard_normal(400)})
    X["name"] = pd.Categorical([f"name {i}" for i in range(400)])
    y = X["number"] + 0.1 * rng.standard_normal(400)
    model = TabularMLPRegressor(**MORE)
    with pytest.warns(UserWarning, match="identifier"):
        model.fit(X, y)
    unseen = X.assign(name="another")
    with pytest.warns(UserWarning, match="name"):
        members = model.predict_members(unseen)
    own = np.abs(members - model.oob_prediction_).min(axis=0)
    np.testing.assert_allclose(own, 0, atol=1e-6)


# Prediction sets.


def clouds(n_rows, n_classes, seed=0):
    """Overlapping clouds of points, which cannot be told apart everywhere."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n_rows)
    angles = 2 * np.pi * y / n_classes
    centres = np.column_stack([np.cos(angles), np.sin(angles)])
    return centres + 0.8 * rng.standard_normal((n_rows, 2)), np.array(list("cadb"))[y]


@pytest.fixture(scope="module", params=[2, 4])
def classifier(request):
    model = TabularMLPClassifier(**MORE).fit(*clouds(800, request.param))
    return model, clouds(4000, request.param, seed=1)


def test_sets_cover_the_class(classifier):
    model, (X, y) = classifier
    accuracy = model.score(X, y)
    for coverage in (0.5, 0.9, 0.95, 0.99):
        sets = model.predict_set(X, coverage)
        assert sets.shape == (4000, len(model.classes_))
        assert sets.dtype == bool
        covered = sets[np.arange(4000), np.searchsorted(model.classes_, y)].mean()
        wanted = max(coverage, accuracy)
        assert wanted - 0.02 < covered < wanted + 0.03


def test_hard_rows_have_more_classes(classifier):
    model, (X, _) = classifier
    # More than the accuracy, less than needs all classes for all rows.
    coverage = 0.97 if len(model.classes_) == 2 else 0.9
    sizes = model.predict_set(X, coverage).sum(axis=1)
    order = np.argsort(model.predict_proba(X).max(axis=1))
    hard, easy = sizes[order[:400]], sizes[order[-400:]]
    assert easy.mean() < 1.1
    assert hard.mean() > 1.5


def sets_of_the_definition(model, X, trained, y, coverage):
    """The sets of rows X by a model that was fitted to other rows."""
    members, proba = model.predict_members(X), model.oob_decision_function_
    own = model.predict_members(trained)
    fold = np.abs(own - proba).max(axis=2).argmin(axis=0)
    codes = np.searchsorted(model.classes_, y)

    def above(p):
        return np.array([[row[row > value].sum() for value in row] for row in p])

    scores = above(proba)[np.arange(len(y)), codes]
    below = sum(
        (scores[fold == k][:, np.newaxis, np.newaxis] < above(members[k])).sum(axis=0)
        for k in range(8)
    )
    sets = below < coverage * (len(y) + 1)
    sets[np.arange(len(X)), model.predict_proba(X).argmax(axis=1)] = True
    return sets


def test_sets_are_those_of_the_definition(classifier):
    model, (X, _) = classifier
    expected = sets_of_the_definition(
        model, X[:40], *clouds(800, len(model.classes_)), 0.9
    )
    np.testing.assert_array_equal(model.predict_set(X[:40]), expected)


def test_sets_where_networks_disagree_on_the_likeliest_class():
    """Half of the scores are 0, and equal scores do not count."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 5)), rng.integers(0, 2, 300)
    model = TabularMLPClassifier(**{**SMALL, "max_iter": 5}).fit(X, y)
    expected = sets_of_the_definition(model, X, X, y, 0.6)
    np.testing.assert_array_equal(model.predict_set(X, 0.6), expected)


def test_sets_are_made_in_chunks_of_rows(classifier, monkeypatch):
    model, (X, _) = classifier
    expected = model.predict_set(X[:100], coverage=[0.5, 0.9])
    monkeypatch.setattr(base, "CHUNK_ROWS", 7)
    found = model.predict_set(X[:100], coverage=[0.5, 0.9])
    np.testing.assert_array_equal(found, expected)


def test_sets_are_nested_and_contain_the_predicted_class(classifier):
    model, (X, _) = classifier
    sets = model.predict_set(X, [0.05, 0.6, 0.9, 0.98])
    predicted = model.predict(X)[:, np.newaxis] == model.classes_
    assert sets.shape == (*predicted.shape, 4)
    assert sets[predicted].all()
    assert (np.diff(sets.astype(int), axis=2) >= 0).all()
    np.testing.assert_array_equal(sets[..., 2], model.predict_set(X, 0.9))
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_set(X), sets[..., 2])


def test_weights_of_sets():
    """Rows without weight, here of wrong labels, count nowhere."""
    X, y = clouds(600, 2)
    wrong, weights = np.where(y == "a", "c", "a"), np.repeat([1.0, 0.0], 600)
    model = TabularMLPClassifier(**MORE)
    model.fit(np.vstack([X, X]), np.append(y, wrong), weights)
    expected = TabularMLPClassifier(**MORE).fit(X, y).predict_set(X, 0.95)
    np.testing.assert_array_equal(model.predict_set(X, 0.95), expected)


def test_sets_from_validation_rows_cover():
    model = TabularMLPClassifier(**MORE)
    model.fit(*clouds(600, 4), None, *clouds(600, 4, seed=2))
    X, y = clouds(4000, 4, seed=1)
    sets = model.predict_set(X)
    covered = sets[np.arange(4000), np.searchsorted(model.classes_, y)].mean()
    assert covered == pytest.approx(0.9, abs=0.03)


def test_sets_that_cannot_be():
    X, y = clouds(60, 2)
    model = TabularMLPClassifier(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\)"):
        model.predict_set(X, 1.5)
    with pytest.warns(UserWarning, match="0.99 needs 99 .* but there are 60"):
        assert model.predict_set(X, 0.99).all()
    labels = np.column_stack([y == "a", X[:, 0] > 0]).astype(int)
    model.fit(X, labels)
    with pytest.raises(ValueError, match="multilabel targets"):
        model.predict_set(X)
    with pytest.raises(NotFittedError):
        TabularMLPClassifier().predict_set(X)


def test_copies_of_rows_share_a_fold():
    """The out-of-bag scores and the coverage are those without the copies."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    is_new = np.arange(len(y)) >= 200
    copies = np.repeat(np.flatnonzero(~is_new), 4)
    regressor = TabularMLPRegressor(random_state=0).fit(X.loc[copies], y[copies])
    out_of_bag = regressor.oob_prediction_.reshape(-1, 4)
    np.testing.assert_allclose(out_of_bag, out_of_bag[:, [0] * 4], rtol=1e-6)
    assert regressor.oob_score_ < regressor.score(X[is_new], y[is_new]) < 0.6
    low, high = regressor.predict_interval(X[is_new], coverage=0.9).T
    assert np.mean((low <= y[is_new]) & (y[is_new] <= high)) > 0.8


def test_oversampled_rows_share_a_fold():
    """With dates and categories beside a few numbers, and few copies of a rare class.

    The labels are pure noise, or nearly: no row may be predicted by its copy.
    """
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.integers(20, 80, 600),
            "income": rng.lognormal(10, 0.5, 600).round(2),
            "job": rng.choice(list("pqrstuvw"), 600),
            "since": pd.Timestamp("2020") + pd.to_timedelta(np.arange(600) % 97, "D"),
        }
    )
    y = np.arange(600) % 20 == 0
    for n_copies in (2, 20):
        rows = np.concatenate([np.arange(600), np.repeat(np.flatnonzero(y), n_copies)])
        model = TabularMLPClassifier(random_state=0).fit(X.iloc[rows], y[rows])
        assert roc_auc_score(y[rows], model.oob_decision_function_[:, 1]) < 0.7


@pytest.mark.parametrize("hidden_by", ["id", "NaN", "letters", "few rows", "rounding"])
def test_copies_that_are_hard_to_see(hidden_by):
    """Out-of-bag predictions of copies come from the same network."""
    rng = np.random.default_rng(0)
    n_rows = 20 if hidden_by == "few rows" else 200
    X = pd.DataFrame(rng.standard_normal((n_rows, 4)), columns=[*"abcd"])
    if hidden_by == "letters":
        X = pd.DataFrame(rng.choice([*"abcdefgh"], (n_rows, 8)), columns=[*"abcdefgh"])
    y = rng.standard_normal(n_rows)
    again = X.copy()
    if hidden_by == "NaN":
        # As 0 / 0 gives it.
        X.loc[::2, "a"], again.loc[::2, "a"] = np.nan, -np.nan
    both = pd.concat([X, again], ignore_index=True)
    if hidden_by == "id":
        both["id"] = [f"k{i}" for i in range(400)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Column 'id' has 400 distinct values")
        factor = 1 + 1e-12 * (hidden_by == "rounding")
        y = np.append(y, factor * y)
        model = TabularMLPRegressor(max_iter=2, random_state=0).fit(both, y)
    first, second = model.oob_prediction_.reshape(2, -1)
    if hidden_by == "id":
        # The id has an effect of its own.
        assert np.corrcoef(first, second)[0, 1] > 0.9
    else:
        np.testing.assert_allclose(first, second, rtol=1e-4)


def test_copies_of_a_row_count_once_for_thresholds():
    """So that no threshold separates a single row, but one separates seven."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": np.arange(400.0), "y": rng.normal(size=400)})
    copies = np.repeat(np.arange(400), 6)
    for n_rows, threshold in ((7, 392.5), (1, 398.5)):
        labels = np.arange(400) >= 400 - n_rows
        model = TabularMLPClassifier(max_iter=1, n_members=1, random_state=0)
        encoder = model.fit(X.iloc[copies], labels[copies]).encoder_
        encoded = encoder.transform(pd.DataFrame({"x": [threshold], "y": [0.0]}))
        names = encoder.get_feature_names_out()
        of_x = [name.startswith("x_bin") for name in names]
        assert np.isin(encoded[0, of_x], [0, 1]).all() == (n_rows == 7)


def test_a_table_with_copies_is_read_once():
    """And a finding on a column is said once."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    copies = np.repeat(np.arange(200), 4)
    X, labels = X.loc[copies].astype({"bmi": str}), np.asarray(y[copies] > 140)
    with pytest.warns(UserWarning, match="written as text") as caught:
        model = TabularMLPClassifier(max_iter=9, random_state=0).fit(X, labels)
    assert len([w for w in caught if "written as text" in str(w.message)]) == 1
    estimates = model.oob_decision_function_.reshape(-1, 4, 2)
    np.testing.assert_allclose(estimates, estimates[:, [0] * 4], rtol=1e-6)


def spreads_of_equal_rows(X, y):
    """The spread of the out-of-bag predictions of equal rows."""
    regressor = TabularMLPRegressor(max_iter=2, random_state=0).fit(X, y)
    predictions = pd.Series(regressor.oob_prediction_, X.index)
    return predictions.groupby([X[name] for name in X]).std()


@pytest.mark.parametrize(
    "X",
    [
        # Few values, a category of many values alone, and beside a number.
        {"a": np.arange(800) % 4, "b": np.arange(800) % 7},
        {"zip": [f"z{i % 80}" for i in range(800)]},
        {"zip": [f"z{i % 80}" for i in range(800)], "size": np.arange(800) % 80 / 7},
        {"age": np.arange(800) % 80},
        # Counts that are mostly 0.
        {str(i): np.random.default_rng(i).poisson(0.05, 800) for i in range(12)},
        {str(i): np.random.default_rng(i).uniform(size=800) < 0.03 for i in range(25)},
    ],
)
def test_rows_that_are_equal_by_chance_are_no_copies(X):
    """Their predictions come from several networks."""
    X = pd.DataFrame(X)
    y = pd.util.hash_pandas_object(X, index=False) % 1000
    assert spreads_of_equal_rows(X, y.to_numpy(float)).min() > 1e-3


def test_copies_in_a_table_of_few_values():
    """Fewer pairs of rows than copies would be equal by chance."""
    i = np.arange(900)
    X = np.column_stack([i % 400, (i + 3 * (i // 400)) * 7 % 401]) / 8 + 0.01
    y = np.random.default_rng(0).standard_normal(900)
    X, y = np.vstack([X, X[:100]]), np.append(y, y[:100])
    model = TabularMLPRegressor(**{**SMALL, "max_iter": 2}).fit(X, y)
    predictions = model.oob_prediction_
    np.testing.assert_allclose(predictions[900:], predictions[:100], atol=1e-5)


def test_equal_rows_of_other_targets_are_no_copies():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X = pd.concat([X] * 2, ignore_index=True)
    y = np.concatenate([y, 0.9 * y])
    assert spreads_of_equal_rows(X, y).median() > 1e-3


def test_folds_of_groups_are_of_similar_size():
    X, y = sine(600)
    sizes = [70, 60, 60, 50, 40, 40, 40, *[20] * 6, *[10] * 12]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    regressor = TabularMLPRegressor(**SMALL).fit(X, y, groups=groups)
    # The network that left a row out has made its out-of-bag prediction.
    distances = abs(regressor.predict_members(X) - regressor.oob_prediction_)
    folds = distances.argmin(axis=0)
    assert distances.min(axis=0).max() < 1e-4
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    assert np.ptp(np.bincount(folds)) <= 20


def related_rows():
    """Four rows for each patient, and other patients."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    noise = np.random.default_rng(0).normal(size=(800, X.shape[1]))
    rows = pd.concat([X[:200]] * 4) + 0.01 * noise * X.std().to_numpy()
    return rows, pd.concat([y[:200]] * 4), np.tile(np.arange(200), 4), X[200:], y[200:]


@pytest.mark.parametrize("dtype", [int, str])
def test_no_network_is_validated_by_a_group_that_it_was_trained_on(dtype):
    X, y, patients, X_new, y_new = related_rows()
    alone = TabularMLPRegressor(random_state=0).fit(X, y)
    grouped = TabularMLPRegressor(random_state=0)
    grouped.fit(X, y, groups=patients.astype(dtype))
    assert alone.oob_score_ > 0.99
    # The score that its out-of-bag predictions promise, and more.
    assert 0.4 < grouped.oob_score_ < grouped.score(X_new, y_new)
    assert alone.score(X_new, y_new) < 0.4
    covered = []
    for regressor in alone, grouped:
        low, high = regressor.predict_interval(X_new, coverage=0.9).T
        covered.append(np.mean((low <= y_new) & (y_new <= high)))
    assert covered[0] < 0.5
    assert covered[1] > 0.8


def test_fewer_groups_than_folds():
    """Groups of rows of weight 0 do not count."""
    X, y = sine(90)
    groups, weights = np.arange(90) % 4, np.ones(90)
    weights[groups == 3] = 0
    regressor = TabularMLPRegressor(**SMALL).fit(X, y, weights, groups=groups)
    known = weights > 0
    only = TabularMLPRegressor(**SMALL).fit(X[known], y[known], groups=groups[known])
    found = regressor.oob_prediction_
    np.testing.assert_array_equal(np.isnan(found), ~known)
    np.testing.assert_allclose(found[known], only.oob_prediction_, rtol=1e-4)


@pytest.mark.parametrize(
    ("groups", "more", "message"),
    [
        (np.zeros(90), {}, "groups has a single group"),
        (np.zeros((90, 2)), {}, r"groups must have shape \(n_samples,\)"),
        (np.array([1, "a"] * 45, object), {}, "groups is of type object"),
        (np.arange(80), {}, "inconsistent numbers of samples"),
        (pd.MultiIndex.from_arrays([range(90)] * 2), {}, r"groups must have shape"),
        (np.where(np.arange(90) == 3, np.nan, 1), {}, "groups.*row 3 is missing"),
        (np.arange(90), {"X_val": sine(20)[0], "y_val": sine(20)[1]}, "either groups"),
    ],
)
def test_groups_that_are_refused(groups, more, message):
    with pytest.raises(ValueError, match=message):
        TabularMLPRegressor(**SMALL).fit(*sine(90), groups=groups, **more)


def test_the_out_of_bag_score_is_by_weight():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y, weights = X[:, 0] + rng.normal(size=300) > 0, rng.uniform(size=300)
    model = TabularMLPClassifier(**SMALL).fit(X, y, weights)
    predicted = model.classes_[model.oob_decision_function_.argmax(axis=1)]
    expected = accuracy_score(y, predicted, sample_weight=weights)
    assert model.oob_score_ == pytest.approx(expected, abs=1e-12)


def test_many_copies_of_a_few_rows_share_a_fold():
    """As after oversampling of a rare class; copies are predicted alike."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(205, 2))
    rows = np.append(np.arange(200), np.repeat(np.arange(200, 205), 40))
    y = (rows >= 200).astype(int)
    model = TabularMLPClassifier(max_iter=2, random_state=0).fit(X[rows], y)
    found = model.oob_decision_function_[200:].reshape(5, 40, -1)
    assert np.ptp(found, axis=1).max() < 1e-6


def test_scores_of_several_quantiles_count_the_weights():
    rng = np.random.default_rng(0)
    X, levels = rng.normal(size=(200, 2)), [0.2, 0.8]
    y, weights = X[:, 0] + rng.normal(size=200), rng.uniform(size=200) ** 4
    model = TabularMLPRegressor(
        loss="quantile", quantile=levels, max_iter=3, random_state=0
    ).fit(X, y, weights)
    for score, found in (
        (model.score(X, y, weights), model.predict(X)),
        (model.oob_score_, model.oob_prediction_),
    ):
        expected = [
            d2_pinball_score(y, column, sample_weight=weights, alpha=level)
            for column, level in zip(found.T, levels, strict=True)
        ]
        assert score == pytest.approx(np.mean(expected), abs=1e-9)


def test_a_few_rows_that_are_repeated_are_no_groups():
    """A network without one of them would not learn its class."""
    X, y = np.random.default_rng(0).standard_normal((4, 12)), [0, 1, 2, 3]
    X, y = np.tile(X, (20, 1)), np.tile(y, 20)
    params = {"n_members": 8, "learning_rate_init": 0.05, "random_state": 0}
    assert TabularMLPClassifier(**params).fit(X, y).oob_score_ > 0.9
