"""The tabular estimators: ensembles validated on the rows that they left out."""

import copy
import json
import pickle
import re
import signal
import threading
import time
import warnings
from contextlib import contextmanager

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    TabularEncoder,
    TabularMLPClassifier,
    TabularMLPRegressor,
)

# Small fits have a thread and a process, and the folds that they draw are their own.
from skmlp_backprop._estimators.training import TrainingData
from skmlp_backprop._network.batches import WithholdingBatches
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.rows import Rows, TableRows
from skmlp_backprop._network.threads import limited_threads
from skmlp_backprop._solvers.interruption import abort_when_interrupted
from skmlp_backprop._tabular import base, ensemble
from skmlp_backprop.callbacks import EarlyStopping

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"n_members": 3, "hidden_layer_sizes": 8, "max_iter": 6, "random_state": 0}
KINDS = ["classifier", "regressor"]
both = pytest.mark.parametrize("kind", KINDS)


def classifier(**params):
    return TabularMLPClassifier(**{**SMALL, **params})


def regressor(**params):
    return TabularMLPRegressor(**{**SMALL, **params})


def make_table(n_rows=120):
    """Numbers with gaps, categories, flags; and what depends on some of them."""
    rng = np.random.default_rng(0)
    size, weight = rng.standard_normal((2, n_rows))
    colour = rng.choice(["red", "green", "blue"], n_rows)
    truth = 2 * size + np.where(colour == "red", 1.5, -1.0)
    noise = 0.3 * rng.standard_normal(n_rows)
    X = pd.DataFrame(
        {
            "size": np.where(rng.random(n_rows) < 0.1, np.nan, size),
            "colour": np.where(rng.random(n_rows) < 0.1, None, colour),
            "weight": 1000 * weight,
            "is_new": rng.random(n_rows) < 0.5,
            # So many that networks take codes.
            "shop": [f"shop {i}" for i in rng.integers(0, 30, n_rows)],
        }
    )
    return X, truth + noise


@pytest.fixture
def table():
    X, y = make_table()
    return X, np.array(["low", "middle", "high"])[np.digitize(y, [-1.5, 1.0])]


@pytest.fixture
def numbers():
    return make_table()


@pytest.fixture
def cases(table, numbers):
    """For each kind: an estimator, its table, and how it predicts."""
    return {
        "classifier": (classifier(), *table, "predict_proba"),
        "regressor": (regressor(), *numbers, "predict"),
    }


@pytest.fixture
def with_threads(monkeypatch):
    """Let trainings have so many threads, whatever cores there are."""

    def set_number(number):
        @contextmanager
        def threads():
            with limited_threads():
                yield number

        monkeypatch.setattr(ensemble, "limited_threads", threads)
        # Steps as small as here don't pay for threads.
        monkeypatch.setattr(ensemble, "_THREAD_PAYS", 1)

    return set_number


@pytest.fixture
def captured(monkeypatch):
    """What the latest training was given, and how it assigned the rows to folds."""
    given = {}
    assign_folds = ensemble.assign_folds

    def capture(member, n_members, data, entries, *others):
        given.update(member=member, n_members=n_members, data=data, entries=entries)
        return ensemble.Ensemble(member, n_members, data, entries, *others)

    def assign(targets, *others):
        folds = assign_folds(targets, *others)
        # Where it was trained anew, on other targets, the folds stay.
        return given.setdefault("folds", folds)

    monkeypatch.setattr(base, "Ensemble", capture)
    monkeypatch.setattr(ensemble, "assign_folds", assign)
    return given


# As scikit-learn's estimators are.

RANDOM_FOLDS = (
    "rows are assigned to folds at random, and each network leaves out one fold: other "
    "rows, other folds"
)
EXCUSED = {
    f"check_sample_weight_equivalence_on_{form}_data": RANDOM_FOLDS
    for form in ("dense", "sparse")
}
# The checks have a few dozen rows, and with that few steps in an epoch.
FEW_STEPS = {"n_members": 2, "max_iter": 20, "learning_rate_init": 0.02}


@pytest.mark.parametrize("estimator", [TabularMLPClassifier, TabularMLPRegressor])
def test_checks(estimator):
    results = check_estimator(
        estimator(hidden_layer_sizes=32, **FEW_STEPS),
        expected_failed_checks=EXCUSED,
        on_skip=None,
    )
    assert len(results) > 50
    statuses = {r["check_name"]: r["status"] for r in results}
    others = {name for name, status in statuses.items() if status != "passed"}
    assert others <= {
        *EXCUSED,
        "check_array_api_input",
    }


# What is predicted.


@pytest.mark.parametrize("n_members", [1, 3, 11])
@both
def test_predictions_are_the_members_mean(kind, n_members, cases):
    model, X, y, predict = cases[kind]
    model.set_params(n_members=n_members).fit(X, y)
    members = model.predict_members(X)
    mean = getattr(model, predict)(X)
    assert members.shape == (n_members, *mean.shape)
    assert members.dtype == mean.dtype == np.float64
    np.testing.assert_allclose(members.mean(axis=0), mean, rtol=1e-12)
    assert len(model.estimators_) == n_members
    encoded = model.encoder_.transform(X)
    for member, network in zip(members, model.estimators_, strict=True):
        alone = getattr(network, predict)(encoded)
        if kind == "regressor":
            alone = alone * y.std() + y.mean()
        np.testing.assert_allclose(member, alone, rtol=1e-5, atol=1e-6)
    # They are different networks.
    assert (n_members == 1) == (np.ptp(members, axis=0).max() == 0)


def test_classes(table):
    X, y = table
    model = classifier(max_iter=20, learning_rate_init=0.02).fit(X, y)
    assert model.classes_.tolist() == ["high", "low", "middle"]
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(model.predict_members(X).sum(axis=2), 1, rtol=1e-14)
    predicted = model.predict(X)
    np.testing.assert_array_equal(predicted, model.classes_[proba.argmax(axis=1)])
    assert model.score(X, y) == np.mean(predicted == y)
    assert model.score(X, y) > 0.75


def test_regressor_learns(numbers):
    X, y = numbers
    model = regressor(max_iter=30, learning_rate_init=0.02).fit(X, y)
    assert model.score(X, y) > 0.7
    # In any unit, up to those whose squares are no floats.
    for unit, origin in ((1e-200, 0), (1e6, 1e9), (1e200, 0)):
        other = clone(model).fit(X, unit * y + origin)
        again = (other.predict(X) - origin) / unit
        np.testing.assert_allclose(again, model.predict(X), atol=1e-3)


@both
def test_rows_are_predicted_by_themselves(kind, cases, monkeypatch):
    model, X, y, predict = cases[kind]
    model.fit(X, y)
    expected = getattr(model, predict)(X)
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = getattr(model, predict)(X.iloc[order])
    np.testing.assert_allclose(shuffled, expected[order], rtol=1e-12)
    one_by_one = [getattr(model, predict)(X[i : i + 1]) for i in range(9)]
    np.testing.assert_allclose(np.concatenate(one_by_one), expected[:9], rtol=1e-12)
    monkeypatch.setattr(base, "CHUNK_ROWS", 50)
    np.testing.assert_allclose(getattr(model, predict)(X), expected, rtol=1e-12)
    members = model.predict_members(X)
    np.testing.assert_allclose(members.mean(axis=0), expected, rtol=1e-12)


@both
def test_unseen_categories_and_missing_values(kind, cases):
    model, X, y, predict = cases[kind]
    model.fit(X, y)
    odd = X.iloc[:4].copy()
    odd["colour"] = ["violet", None, "red", np.nan]
    odd["weight"] = [np.nan, 1e300, -1e300, 0]
    odd["is_new"] = pd.Series([None, True, None, False], dtype="boolean")
    predicted = getattr(model, predict)(odd)
    assert np.isfinite(predicted).all()
    nothing = pd.DataFrame({name: [np.nan] * 2 for name in X})
    with pytest.warns(UserWarning, match="has no value, but had") as caught:
        assert np.isfinite(getattr(model, predict)(nothing)).all()
    said = [str(w.message).split(" has no value")[0] for w in caught]
    assert said == ["Column 'weight'", "Column 'is_new'"]


@both
def test_polars_is_as_pandas(kind, cases):
    model, X, y, predict = cases[kind]
    other = pl.from_pandas(X)
    expected = getattr(clone(model).fit(X, y), predict)(X)
    fitted = model.fit(other, pl.Series(y.tolist()))
    assert fitted.feature_names_in_.tolist() == X.columns.tolist()
    np.testing.assert_array_equal(getattr(fitted, predict)(other), expected)
    with pytest.raises(TypeError, match=r"LazyFrame, .* collect\(\)"):
        model.fit(other.lazy(), y)
    with pytest.raises(TypeError, match=r"LazyFrame, .* collect\(\)"):
        model.predict(other.lazy())


# What y may be.


def test_a_single_class(table):
    X, _ = table
    model = classifier().fit(X, ["only"] * len(X))
    assert model.classes_.tolist() == ["only"]
    np.testing.assert_array_equal(model.predict(X), ["only"] * len(X))
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, -1e250, 1e-250])
def test_constant_numbers(value, numbers):
    X, y = numbers
    model = regressor().fit(X, np.full(len(X), value))
    np.testing.assert_allclose(model.predict(X), value, rtol=1e-12)
    # Beside others, too.
    several = regressor().fit(X, np.column_stack([y, np.full(len(X), value)]))
    np.testing.assert_allclose(several.predict(X)[:, 1], value, rtol=1e-12)


def test_several_numbers(numbers):
    X, y = numbers
    Y = np.column_stack([y, 1e4 * y**2, 5 - y])
    model = regressor(max_iter=30, learning_rate_init=0.02).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.predict_members(X).shape == (3, *Y.shape)
    assert model.score(X, Y) > 0.6
    # Each is as important as the others, whatever its unit.
    other = clone(model).fit(X, Y * [1, 1e-6, 1e6])
    np.testing.assert_allclose(
        other.predict(X) / [1, 1e-6, 1e6], model.predict(X), rtol=1e-3, atol=1e-3
    )


def test_multilabel(table, captured):
    X, y = table
    Y = np.column_stack([y == "low", X["colour"] == "red", y != "high"]).astype(int)
    model = classifier(max_iter=30, learning_rate_init=0.02).fit(X, Y)
    proba = model.predict_proba(X)
    assert proba.shape == Y.shape
    np.testing.assert_array_equal(model.predict(X), proba > 0.5)
    assert (model.predict(X) == Y).mean() > 0.85
    assert model.predict_members(X).shape == (3, *Y.shape)
    weights = {"class_weight": [{1: 2.0}, {0: 3.0}, {}]}
    weighted = clone(model).set_params(**weights).fit(X, Y)
    by_hand = np.where(Y[:, 0] == 1, 2.0, 1.0) * np.where(Y[:, 1] == 0, 3.0, 1.0)
    expected = clone(model).fit(X, Y, by_hand).predict_proba(X)
    np.testing.assert_array_equal(weighted.predict_proba(X), expected)


@pytest.mark.parametrize("multilabel", [False, True])
def test_certainty_in_a_wrong_answer_is_no_infinite_loss(multilabel, table, captured):
    X, y = table
    y = np.tile((y == "low").astype(int)[:, np.newaxis], 2) if multilabel else y
    classifier().fit(X, y)
    data = captured["data"]
    targets = data.rows.targets
    wrong = 1 - targets if multilabel else np.eye(3)[(targets + 1) % 3]
    network = data.network
    loss = network.output.loss_of_values(
        wrong.astype(np.float32), targets, None, network.loss
    )
    assert 10 < loss < 100


@pytest.mark.parametrize("n_rows", [0, 1])
@both
def test_too_few_rows(kind, n_rows, cases):
    model, X, y, _ = cases[kind]
    with pytest.raises(ValueError, match=r"minimum of [12] is required"):
        model.fit(X[:n_rows], y[:n_rows])
    weights = np.arange(len(X)) < n_rows
    with pytest.raises(ValueError, match=r"minimum of 2 is required|non-zero"):
        model.fit(X, y, weights)


@both
def test_two_rows(kind, cases):
    model, X, y, predict = cases[kind]
    model.set_params(n_members=5).fit(X[:2], y[:2])
    assert np.isfinite(getattr(model, predict)(X)).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (np.linspace(0, 1, 120), "Unknown label type: continuous"),
        (np.zeros(119), "inconsistent numbers of samples"),
        (np.arange(240).reshape(120, 2) % 3, "should be a 1d array"),
    ],
)
def test_impossible_targets(y, message, table):
    with pytest.raises(ValueError, match=message):
        classifier().fit(table[0], y)


# Weights.


@both
def test_rows_without_weight_are_not_there(kind, cases):
    model, X, y, predict = cases[kind]
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    there = weights > 0
    assert 0 < there.sum() < len(X)
    weighted = clone(model).fit(X, y, weights)
    removed = clone(model).fit(X[there], y[there], weights[there])
    np.testing.assert_array_equal(
        getattr(weighted, predict)(X), getattr(removed, predict)(X)
    )
    assert weighted.validation_scores_ == removed.validation_scores_
    # Not even by the names of their categories.
    X = X.assign(colour=X["colour"].where(there, "seen nowhere else"))
    encoder = clone(model).fit(X, y, weights).encoder_
    assert "colour_seen nowhere else" not in encoder.get_feature_names_out()


def test_left_out_rows_of_classes_without_weight():
    """Nothing validates the only network if it leaves these rows out."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    groups = np.arange(60) % 2
    y = np.where(groups == 0, 0, 1 + (X[:, 0] > 0))
    scores = []
    for seed in range(6):
        model = TabularMLPClassifier(
            n_members=1, max_iter=2, class_weight={0: 0}, random_state=seed
        ).fit(X, y, groups=groups)
        scores.append(model.best_validation_score_)
        assert np.isfinite(model.predict_proba(X)).all()
    assert max(scores) == 0 > min(scores)


@both
def test_weights_do_weigh(kind, cases):
    model, X, y, predict = cases[kind]
    plain = getattr(clone(model).fit(X, y), predict)(X)
    ones = getattr(clone(model).fit(X, y, np.ones(len(X))), predict)(X)
    np.testing.assert_allclose(ones, plain, atol=1e-5)
    if kind == "classifier":
        weights = np.where(y == "low", 20.0, 1.0)
        column = model.fit(X, y, weights).classes_.tolist().index("low")
        heavier = model.predict_proba(X)[:, column] - plain[:, column]
    else:
        heavier = model.fit(X, y, np.where(y > 0, 20.0, 1.0)).predict(X) - plain
    assert heavier.mean() > 0


@pytest.mark.parametrize("with_sample_weight", [False, True])
def test_balanced_classes(with_sample_weight, table):
    X, y = table
    given = np.random.default_rng(2).random(len(y)) if with_sample_weight else None
    balanced = compute_sample_weight("balanced", y)
    if with_sample_weight:
        shares = {label: given[y == label].sum() for label in np.unique(y)}
        balanced = np.array([given.sum() / 3 / shares[label] for label in y]) * given
    expected = classifier().fit(X, y, balanced).predict_proba(X)
    model = classifier(class_weight="balanced").fit(X, y, given)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)


def test_weights_of_named_classes(table):
    X, y = table
    by_name = {"low": 3.0, "high": 0.5}
    weights = np.array([by_name.get(label, 1.0) for label in y])
    expected = classifier().fit(X, y, weights).predict_proba(X)
    model = classifier(class_weight=by_name).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    model = classifier(class_weight={**by_name, "absent": 9.0, 7: 2.0})
    with pytest.warns(UserWarning, match="no class, 'absent', 7 "):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


# The ensemble.


def judged(captured, model):
    """The rows of each left-out fold, and the mean prediction by its networks."""
    X, folds = captured["data"].rows.X.toarray(), captured["folds"]
    left_out = np.arange(len(model.estimators_)) % 8
    for fold in np.unique(left_out):
        index = np.flatnonzero(folds == fold)
        members = np.flatnonzero(left_out == fold)
        networks = [model.estimators_[i] for i in members]
        if hasattr(model, "classes_"):
            yield index, np.mean([n.predict_proba(X[index]) for n in networks], axis=0)
        else:
            yield index, np.mean([n.predict(X[index]) for n in networks], axis=0)


@pytest.mark.parametrize("n_members", [1, 3, 11])
@pytest.mark.parametrize("weighted", [False, True])
@both
@pytest.mark.usefixtures("without_shift")
def test_the_best_score_is_that_of_the_left_out_rows(
    kind, weighted, n_members, cases, captured
):
    model, X, y, _ = cases[kind]
    weights = np.random.default_rng(0).random(len(X)) + 0.1 if weighted else None
    model.set_params(n_members=n_members).fit(X, y, weights)
    index, means = map(np.concatenate, zip(*judged(captured, model), strict=True))
    assert len(set(index)) == len(index)
    assert len(index) == len(X) if n_members > 7 else len(index) < len(X)
    share = None if weights is None else weights[index]
    if kind == "classifier":
        loss = log_loss(y[index], means, sample_weight=share, labels=model.classes_)
    else:
        mean = np.average(y, weights=weights)
        scale = np.sqrt(np.average((y - mean) ** 2, weights=weights))
        truth = (y[index] - mean) / scale
        loss = mean_squared_error(truth, means, sample_weight=share) / 2
    assert model.best_validation_score_ == pytest.approx(-loss, rel=1e-5)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_


def test_folds_are_of_equal_size_and_stratified(table, numbers, captured):
    X, y = table
    classifier().fit(X, y)
    folds = captured.pop("folds")
    assert np.bincount(folds).tolist() == [15] * 8
    for label in np.unique(y):
        assert np.ptp(np.bincount(folds[y == label], minlength=8)) <= 1
    regressor().fit(*numbers)
    folds = captured["folds"]
    # Of each eight numbers that follow each other in size, one is in each fold.
    eights = folds[np.argsort(numbers[1])].reshape(-1, 8)
    assert (np.sort(eights, axis=1) == np.arange(8)).all()


def train_anew(captured, rows):
    """An epoch of the training that was captured, on these rows."""
    data = captured["data"]
    trained = ensemble.Ensemble(
        clone(captured["member"]).set_params(max_iter=1),
        captured["n_members"],
        TrainingData(data.network, rows, data.target_encoder),
        captured["entries"],
    )
    trained.train()
    assert trained.training.stop.reason == "max_iter"
    return trained.training.final_weights, trained.training.history


def are_same(a, b):
    return all(map(np.array_equal, a.arrays(), b.arrays()))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_threads", [1, 2])
@both
def test_a_network_learns_nothing_from_its_left_out_rows(
    kind, n_threads, weighted, cases, captured, with_threads
):
    model, X, y, _ = cases[kind]
    with_threads(n_threads)
    weights = np.random.default_rng(0).random(len(X)) + 0.1 if weighted else None
    model.set_params(dropout=0.3).fit(X, y, weights)
    rows, folds = captured["data"].rows, captured["folds"]
    before, history = train_anew(captured, rows)
    for i in range(3):
        left_out = folds == i
        targets, numbers = rows.targets.copy(), rows.X.numbers.copy()
        targets[left_out] = np.roll(targets[left_out], 1, axis=0) if i else targets[0]
        numbers[left_out] += 1
        # Codes stay: they decide which levels take a step, if only by their moments.
        inputs = TableRows(numbers, rows.X.codes, rows.X.n_levels)
        others = Rows(inputs, targets, rows.weights)
        after, changed = train_anew(captured, others)
        same = [are_same(*pair) for pair in zip(before, after, strict=True)]
        assert same == [j == i for j in range(3)]
        # But it is judged by them.
        assert changed.validation_scores != history.validation_scores


def test_all_others_count_the_same(captured, table):
    """A batch's weights are as large on average as if no row were left out."""
    X, y = table
    classifier().fit(X, y)
    rows, folds = captured["data"].rows, captured["folds"]
    output, left_out = captured["data"].network.output, np.arange(3)
    batches = WithholdingBatches(rows, output, 32, None, folds, left_out)
    weights = [batch.weights.copy() for batch in batches.epoch(batches.draw_order())]
    weights = np.concatenate(weights, axis=2)
    assert weights.shape == (3, 1, len(X))
    np.testing.assert_allclose(weights.sum(axis=2), len(X), rtol=1e-5)
    for of_network, fold in zip(weights[:, 0], left_out, strict=True):
        np.testing.assert_array_equal(of_network == 0, folds == fold)
        assert len(set(of_network[folds != fold])) == 1


# Bins between thresholds that separate the classes.


def are_edges(encoder, values):
    """Whether each value is an edge of bins: every bin is wholly below or above it."""
    encoded = encoder.transform(pd.DataFrame({"x": values}))
    bins = ["bin" in name for name in encoder.get_feature_names_out()]
    assert sum(bins) >= 2
    return np.isin(encoded[:, bins], [0, 1]).all(axis=1)


def fit_to(values, y, **params):
    """The encoder of a classifier of a single column."""
    params = {"n_members": 1, "max_iter": 1, "random_state": 0, **params}
    X = pd.DataFrame({"x": values})
    return TabularMLPClassifier(**params).fit(X, y).encoder_


@pytest.mark.parametrize(
    "values",
    [
        np.arange(400) / 4,
        # Equal in float32, beyond its range, and at the end of float64's.
        1e9 + np.arange(400) / 1e3,
        1e200 * np.arange(400),
        8e305 * np.arange(-200, 200),
    ],
)
@pytest.mark.parametrize("n_bins", ["auto", 2, 3])
def test_bins_separate_the_classes(values, n_bins):
    """A tail of rows, far smaller than a bin between quantiles, has an edge."""
    y = np.where(np.arange(400) >= 393, "high", "low")
    order = np.random.default_rng(0).permutation(400)
    encoder = fit_to(values[order], y[order], n_bins=n_bins)
    between = values[392] / 2 + values[393] / 2
    assert are_edges(encoder, [between])
    # Without classes, the edges are quantiles.
    assert not are_edges(
        TabularEncoder().fit(pd.DataFrame({"x": values}), y), [between]
    )


def test_numbers_have_bins_between_quantiles_alone():
    X = pd.DataFrame({"x": np.arange(400) / 4})
    y = np.where(X["x"] >= 98, 1.0, 0.0)
    params = {"n_members": 1, "max_iter": 1, "random_state": 0}
    encoder = TabularMLPRegressor(**params).fit(X, y).encoder_
    np.testing.assert_array_equal(
        encoder.transform(X), TabularEncoder().fit(X).transform(X)
    )


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_columns_without_information_have_hardly_a_threshold(n_classes):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((400, 50)), columns=map(str, range(50)))
    y = rng.integers(0, n_classes, 400)
    model = classifier(n_members=1, max_iter=1, n_bins=16).fit(X, y)
    encoded = model.encoder_.transform(X)
    by_quantiles = TabularEncoder(n_bins=16).fit_transform(X)
    names = model.encoder_.get_feature_names_out()
    # With thresholds, a column has other bins, and mostly another number of them.
    others = 0
    for column in X:
        of_column = [name.split("_")[0] == column for name in names]
        place = slice(17 * int(column), 17 * int(column) + 17)
        others += not np.array_equal(encoded[:, of_column], by_quantiles[:, place])
    assert others < 25


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]"])
def test_labels_are_exact_integers(dtype):
    """Floats would merge them."""
    X, high = pd.DataFrame({"x": np.arange(60) / 7}), np.arange(60) >= 30
    y = pd.Series(np.where(high, 2**53 + 1, 2**53)).astype(dtype)
    model = classifier(max_iter=9).fit(X, y)
    assert model.classes_.tolist() == [2**53, 2**53 + 1]
    assert model.predict(X).dtype == np.int64


def test_thresholds_do_not_separate_groups():
    """Each patient has a number and a label by chance, in ten rows."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    X = pd.DataFrame(
        rng.standard_normal((60, 5)).repeat(10, axis=0), columns=[*"abcde"]
    )
    groups = np.repeat(np.arange(60), 10)
    model = classifier(max_iter=1).fit(X, labels.repeat(10), groups=groups)
    np.testing.assert_array_equal(
        model.encoder_.transform(X), TabularEncoder().fit_transform(X)
    )


@pytest.mark.parametrize("has_groups", [False, True])
def test_two_networks_are_validated_by_rows_of_any_y(has_groups):
    """In each eight of neighbouring y, two have a prediction, and not always the first.

    Otherwise the mean of heavily skewed predictions would be several percent too small.
    """
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((160, 2)), rng.permutation(160)
    groups = rng.permutation(160) if has_groups else None
    model = TabularMLPRegressor(n_members=2, max_iter=1, random_state=0)
    model.fit(X, y, groups=groups)
    left_out = y[np.isfinite(model.oob_prediction_)]
    np.testing.assert_array_equal(np.bincount(left_out // 8), 2)
    assert np.bincount(left_out % 8, minlength=8).min() > 0


@pytest.mark.parametrize("form", ["dates", "periods", "index"])
def test_days_as_groups(form):
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"a": rng.normal(size=80)}), rng.integers(0, 2, 80)
    numbers = rng.integers(0, 20, 80)
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers, "D"))
    given = {
        "dates": days.dt.date,
        "periods": days.dt.to_period("D"),
        "index": pd.DatetimeIndex(days, tz="UTC"),
    }[form]
    model = classifier(max_iter=2, n_members=2)
    by_numbers = clone(model).fit(X, y, groups=numbers)
    np.testing.assert_array_equal(
        model.fit(X, y, groups=given).oob_decision_function_,
        by_numbers.oob_decision_function_,
    )
    mixed = given.astype(object).to_numpy(copy=True)
    mixed[0] = 3
    message = "groups is of type object with values of the"
    for refused in (mixed, np.array([1j, 2j] * 40, object)):
        with pytest.raises(ValueError, match=message):
            model.fit(X, y, groups=refused)
    missing = days.where(days.index != 5)
    with pytest.raises(ValueError, match="groups contains NaN: the value of row 5"):
        model.fit(X, y, groups=missing)


@pytest.mark.parametrize("n_bins", [0, 1, 2, 5, 16])
@pytest.mark.parametrize("is_abrupt", [False, True])
def test_there_are_at_most_as_many_bins(n_bins, is_abrupt):
    """Apart from two at each threshold at which the classes change abruptly."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-15, 15, 20_000)
    y = np.sin(x) > (0 if is_abrupt else rng.uniform(-1, 1, 20_000))
    names = fit_to(x, y, n_bins=n_bins).get_feature_names_out()
    # Nine changes of the class in the column.
    most = n_bins + is_abrupt * 2 * (n_bins // 2)
    assert len(names) - 1 <= most
    assert n_bins < 2 or len(names) - 1 >= most - 1


@pytest.mark.filterwarnings("ignore:Column 'x' had whole numbers in `fit`")
@pytest.mark.parametrize("n_rows", [300, 6000])
def test_bins_do_not_depend_on_the_order_of_rows(n_rows):
    """A table that is sorted by the class has no abrupt changes within a value."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, n_rows).astype(float)
    y = rng.uniform(size=n_rows) < 0.1 + 0.02 * x
    order = np.argsort(y, kind="stable")
    grid = pd.DataFrame({"x": np.arange(0, 40, 0.25)})
    encoded = [fit_to(*rows).transform(grid) for rows in ((x, y), (x[order], y[order]))]
    np.testing.assert_array_equal(*encoded)


def test_bins_jump_where_the_classes_change_abruptly():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(size=2000))
    # Classes mostly of one kind below the limit, and mostly of the other kind above.
    y = (x > 0.7) ^ (rng.uniform(size=2000) < 0.1)
    # Also with several labels, of which the second has the limit.
    two = np.column_stack([rng.uniform(size=2000) < 0.5, y]).astype(int)
    for given_y in (y, two):
        encoder = fit_to(x, given_y)
        bins = encoder.transform(pd.DataFrame({"x": x}))[:, 1:]
        jump = np.abs(np.diff(bins, axis=0)).max(axis=1)
        assert x[jump.argmax()] == pytest.approx(0.7, abs=0.01)
        assert jump.max() == 1


def test_missing_values_and_several_labels_have_thresholds_too():
    # Whole numbers would look like an identifier.
    x = np.arange(400) + 0.25
    y = np.column_stack([x >= 393, x < 9]).astype(int)
    x[::50] = np.nan
    assert are_edges(fit_to(x, y), [392.75, 8.75]).all()
    # Labels by chance, and a rare label that one column tells.
    y = np.random.default_rng(0).integers(0, 2, (400, 20))
    y[:, 0] = np.arange(400) >= 380
    assert are_edges(fit_to(x, y), [379.75]).all()


def test_dates_have_thresholds_too():
    days = pd.date_range("2020-01-01", periods=400)
    encoder = fit_to(days, np.arange(400) >= 393)
    assert are_edges(encoder, [days[392] + pd.Timedelta("12h")])
    assert not are_edges(encoder, [days[390]])


def test_many_rows_have_thresholds_of_a_sample():
    x = np.arange(50_000) / 4
    encoder = fit_to(x, x >= 12_250, batch_size=10_000)
    # Half-way between two rows of the sample, which are no neighbours in the table.
    assert are_edges(encoder, np.arange(12_240, 12_260, 0.125)).any()
    assert not are_edges(encoder, [12_249.875])


# Columns within whose bins y varies.


def labelled(kind, X, y):
    """A model of one column that is fitted to a smooth y, or to classes by it."""
    if kind == "classifier":
        y = np.random.default_rng(1).uniform(size=len(y)) < 1 / (1 + np.exp(-y))
        model = TabularMLPClassifier(n_members=2, max_iter=1, random_state=0)
    else:
        model = TabularMLPRegressor(n_members=2, max_iter=1, random_state=0)
    return model.fit(pd.DataFrame({"x": X}), y)


def edges_of(model, values):
    """The sorted values that are edges of bins of the model's only column."""
    values = np.unique(values)
    encoded = model.encoder_.transform(pd.DataFrame({"x": values}))
    bins = ["bin" in name for name in model.encoder_.get_feature_names_out()]
    # The entry that ends at an edge is 1 from there on.
    return values[np.isin(encoded[:, bins], [0, 1]).all(axis=1)]


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_numbers_of_shops_have_bins_of_their_own(kind):
    rng = np.random.default_rng(0)
    shops, effects = np.arange(150) * 7.0, 4 * rng.standard_normal(150)
    index = rng.integers(0, 150, 6000)
    model = labelled(kind, shops[index], effects[index])
    assert len(edges_of(model, shops)) == 150
    # Shops by the order of which y rises need no more bins than other numbers.
    model = labelled(kind, shops[index], np.sort(effects)[index])
    assert len(edges_of(model, shops)) < 40
    # Nor do shops that say nothing of y.
    noise = rng.standard_normal(6000)
    assert len(edges_of(labelled(kind, shops[index], noise), shops)) < 40


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_numbers_of_shops_with_few_rows(kind):
    """Ten rows for each. With bins of 20 rows, R2 is 0.96."""
    rng = np.random.default_rng(0)
    shops, effects = np.arange(100) * 7.0, 4 * rng.standard_normal(100)
    index = rng.permutation(np.arange(1000) % 100)
    y = effects[index] + rng.standard_normal(1000)
    model = labelled(kind, shops[index], y)
    assert len(edges_of(model, shops)) == 100
    if kind == "regressor":
        model = TabularMLPRegressor(random_state=0).fit(shops[index, np.newaxis], y)
        predicted = model.predict(shops[:, np.newaxis])
        assert r2_score(effects, predicted) > 0.98
    noise = rng.standard_normal(1000)
    assert len(edges_of(labelled(kind, shops[index], noise), shops)) < 40


def entries_of(model, values):
    """The entries of values of the model's only column that stand for a code."""
    encoded = model.encoder_.transform(pd.DataFrame({"x": values}))
    names = model.encoder_.get_feature_names_out()
    return encoded[:, [re.fullmatch("x_-?[0-9]+", name) is not None for name in names]]


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("n_shops", [15, 40])
def test_codes_have_an_entry_each(kind, n_shops):
    rng = np.random.default_rng(2)
    shops = np.sort(rng.choice(1000, n_shops, replace=False)) - 500.0
    effects = rng.permutation(np.linspace(-4, 4, n_shops))
    index = rng.permutation(np.arange(60 * n_shops) % n_shops)
    model = labelled(kind, shops[index], effects[index])
    np.testing.assert_array_equal(entries_of(model, shops), np.eye(n_shops))
    assert model.encoder_.code_features_.tolist() == [0]
    # Unknown shops have no entry.
    unknown = np.setdiff1d(np.arange(-600, 600), shops)
    with pytest.warns(UserWarning, match="outside the range of `fit`"):
        assert not entries_of(model, [*unknown[:9], *unknown[-9:], 1e300]).any()
    with pytest.warns(UserWarning, match="The rows have none of the codes of `fit`"):
        assert not entries_of(model, [np.nan, np.nan]).any()
    y = np.array([*effects[index], 0, 0])
    gaps = labelled(kind, [*shops[index], np.nan, np.nan], y)
    np.testing.assert_array_equal(entries_of(gaps, shops), np.eye(n_shops))
    assert not entries_of(gaps, [np.nan]).any()


def test_a_code_in_float32_is_the_same():
    rng = np.random.default_rng(2)
    shops = 1e7 + np.arange(20) * 7
    index = rng.permutation(np.arange(800) % 20)
    for dtype in (np.float64, np.float32):
        model = labelled("regressor", shops[index], rng.standard_normal(20)[index])
        np.testing.assert_array_equal(entries_of(model, dtype(shops)), np.eye(20))
    # Numbers that float32 would merge are no codes.
    model = labelled("regressor", shops[index] * 7, rng.standard_normal(20)[index])
    assert entries_of(model, shops * 7).size == 0


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize(
    "effect",
    [
        lambda x: x / 10,
        lambda x: np.sin(x / 6),
        lambda x: 2.0 * (x > 23),
        lambda x: 0 * x,
    ],
)
def test_quantities_are_no_codes(kind, effect):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, 3000).astype(float)
    model = labelled(kind, x, effect(x) + 0.3 * rng.standard_normal(3000))
    assert entries_of(model, [0, 10, 20, 30]).size == 0
    assert model.encoder_.code_features_.tolist() == []


def test_years_with_effects_of_their_own_keep_their_trend():
    """As codes alone, years after the last one have R2 below -1."""
    rng = np.random.default_rng(0)
    year = np.repeat(np.arange(1990, 2025), 30)
    effects = 0.1 * np.arange(35) + rng.permutation(np.linspace(-1, 1, 35))
    y = effects[year - 1990] + 0.5 * rng.standard_normal(len(year))
    known = year < 2020
    X = pd.DataFrame({"x": year})
    model = TabularMLPRegressor(n_members=4, random_state=0).fit(X[known], y[known])
    assert entries_of(model, [1990, 2019]).sum() == 2
    with pytest.warns(UserWarning, match="outside the range of `fit`"):
        predicted = model.predict(X[~known])
    # About that of the last years.
    assert 2 < predicted.min() <= predicted.max() < 4


def test_which_values_are_codes():
    """At most 255, which have five rows or more, beside finer bins."""
    rng = np.random.default_rng(0)
    shops = rng.integers(0, 300, 20_000).astype(float)
    y = rng.standard_normal(300)[shops.astype(int)]
    many = labelled("regressor", shops, y)
    assert entries_of(many, [0]).size == 0
    assert len(edges_of(many, np.arange(300.0))) > 200
    few = labelled("regressor", [*shops % 60, *range(900, 1300)], [*y, *np.zeros(400)])
    assert entries_of(few, np.arange(60)).sum() == 60
    # The other values are ones of few rows.
    assert entries_of(few, np.arange(900, 909)).shape == (9, 60)
    assert not entries_of(few, np.arange(900, 909)).any()


def test_a_table_has_at_most_1024_codes():
    """Of five columns with 250 each, the one that explains least has none."""
    rng = np.random.default_rng(0)
    codes = [rng.permutation(np.arange(2500) % 250) for _ in range(5)]
    effects = [rng.permutation(np.linspace(-1, 1, 250)) for _ in range(5)]
    effects[2] *= 0.7
    y = np.sum([of[code] for of, code in zip(effects, codes, strict=True)], axis=0)
    model = TabularMLPRegressor(1, 4, max_iter=1, random_state=0)
    model.fit(3.0 * np.column_stack(codes), y)
    assert model.encoder_.code_features_.tolist() == [0, 1, 3, 4]


def test_codes_are_learned_as_categories():
    """With bins, R2 is 0.86 and the accuracy 0.82."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.standard_normal((3500, 4)), columns=list("abcd"))
    X["shop"] = rng.integers(1, 51, len(X))
    f = X["a"] + np.sin(2 * X["b"]) + rng.standard_normal(51)[X["shop"]]
    train, test = slice(1500), slice(1500, None)
    alone = TabularEncoder().fit(X[train], f[train])
    assert alone.code_features_.tolist() == []
    for model, y, least in (
        (TabularMLPRegressor, f + 0.5 * rng.standard_normal(len(X)), 0.88),
        (TabularMLPClassifier, f + rng.logistic(size=len(X)) / 4 > 0, 0.89),
    ):
        y = y.to_numpy()
        scores = [
            model(4, random_state=0, categorical_features=categorical)
            .fit(X[train], y[train])
            .score(X[test], y[test])
            for categorical in ("from_dtype", ["shop"])
        ]
        assert scores[0] > least
        assert abs(scores[0] - scores[1]) < 0.01


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("has_groups", [False, True])
def test_frequent_values_leave_bins_to_the_others(kind, has_groups):
    """Nine tenths of a percentage are 0 or 100, and y varies between these."""
    rng = np.random.default_rng(0)
    x = np.where(rng.uniform(size=4000) < 0.5, 0.0, 100.0)
    between = rng.uniform(size=4000) < 0.1
    x[between] = rng.uniform(0, 100, between.sum())
    y = np.where(between, 4 * np.sin(x / 5), 0)
    frame, params = pd.DataFrame({"x": x}), {"n_members": 2, "max_iter": 1}
    model = TabularMLPRegressor(**params, random_state=0)
    if kind == "classifier":
        y = rng.uniform(size=4000) < 1 / (1 + np.exp(-y))
        model = TabularMLPClassifier(**params, random_state=0)
    groups = np.arange(4000) // 2 if has_groups else None
    encoder = model.fit(frame, y, groups=groups).encoder_
    n_before = TabularEncoder().fit_transform(frame).shape[1]
    grid = pd.DataFrame({"x": np.linspace(0, 100, 1001)})
    bins = encoder.transform(grid)[:, 1:]
    # Bins are at most a sixth of the range wide, in place of half of it.
    widths = ((bins > 0) & (bins < 1)).sum(axis=0) / 10
    assert n_before <= 4
    assert bins.shape[1] >= 12
    assert widths.max() < 17
    few = clone(model).set_params(n_bins=2).fit(frame, y, groups=groups)
    assert few.encoder_.transform(frame).shape[1] <= 1 + 2 + 2


def noisy_days(scale=1, n_days=240):
    """Rows of days, of which each has an effect of its own on y."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(n_days), 15)
    x = rng.standard_normal(len(day))
    X = pd.DataFrame({"day": scale * day, "x": x})
    effects = rng.standard_normal(n_days)
    effects[199] = 3
    return X, effects[day] + x


@pytest.mark.parametrize("scale", [1, -1e305])
def test_later_days_are_predicted_by_the_mean_of_several_days(scale):
    """The last day before these is a special one."""
    X, y = noisy_days(scale)
    is_earlier, scores = np.arange(len(X)) < 200 * 15, []
    for seed in range(3):
        model = TabularMLPRegressor(n_members=2, max_iter=40, random_state=seed)
        model.fit(X[is_earlier], y[is_earlier])
        # The effects of the days are half of the variance, and known for these days.
        assert model.score(X[is_earlier], y[is_earlier]) > 0.8
        with pytest.warns(UserWarning, match="Column 'day' has .* outside the range"):
            scores.append(model.score(X[~is_earlier], y[~is_earlier]))
    # By the last day alone it is -0.8 or less.
    assert np.mean(scores) > 0.3


@pytest.mark.filterwarnings("ignore:Column 'day' has .* outside the range of `fit`")
def test_bins_outside_the_range_of_many_bins():
    """The mean of the bins in the middle of each of the outermost bins."""
    X, y = noisy_days(n_days=200)
    # Whole numbers would be codes.
    X["day"] += 0.25
    encoder = TabularMLPRegressor(n_members=1, max_iter=1).fit(X, y).encoder_
    names = encoder.get_feature_names_out()
    of_day = [i for i, name in enumerate(names) if name.startswith("day_bin")]
    n_outer = len(of_day) // 16
    assert n_outer > 4

    def bins(days):
        X = pd.DataFrame({"day": np.array(days, float) + 0.25, "x": 0.0})
        return encoder.transform(X)[:, of_day]

    grid = np.linspace(0, 199, 199 * 64 + 1)
    inside = bins(grid)
    middles = grid[np.abs(inside - 0.5).argmin(axis=0)]
    below, lowest, highest, above, far, missing = bins(
        [-20, 0, 199, 220, 1e300, np.nan]
    )
    assert (lowest == 0).all()
    assert (highest == 1).all()
    np.testing.assert_allclose(below, bins(middles[:n_outer]).mean(axis=0), atol=0.01)
    np.testing.assert_allclose(above, bins(middles[-n_outer:]).mean(axis=0), atol=0.01)
    np.testing.assert_array_equal(above, far)
    # Close to the range the entries change gradually.
    for edge, sign, mean in ((lowest, -1, below), (highest, 1, above)):
        nearby = bins(np.where(sign > 0, 199, 0) + sign * np.arange(0, 3, 1e-3))
        assert np.abs(np.diff(nearby, axis=0)).max() < 1e-3
        step = (nearby[100] - edge) / 0.1
        np.testing.assert_allclose(nearby[200] - edge, 0.2 * step)
        assert np.abs(edge + 20 * step - edge).max() > np.abs(mean - edge).max()
    np.testing.assert_array_equal(missing, bins([X["day"].median() - 0.25])[0])
    # Bins that the user asks for have no mean.
    asked = TabularEncoder(n_bins=100).fit(X).transform(X.assign(day=1e9))
    assert (asked[:, [i for i in of_day if i <= 100]] == 1).all()


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_networks_that_learn_noise_alone_are_told(kind):
    """Their training loss is small; that of rows which they left out is not."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((400, 16)), rng.standard_normal(400)
    model = TabularMLPRegressor(n_members=8, random_state=0)
    if kind == "classifier":
        model, y = TabularMLPClassifier(n_members=8, random_state=0), y > 0
    with pytest.warns(ConvergenceWarning, match="is worse than that of the best const"):
        model.fit(X, y)
    # That of a constant is 0.51 or 0.69.
    assert model.loss_ < 0.5
    if kind == "regressor":
        # All numbers are nearly equal, but they are not constant.
        noisy = clone(model).set_params(loss="gamma", hidden_layer_sizes=8, max_iter=3)
        with pytest.warns(ConvergenceWarning, match="is worse than that of the best"):
            noisy.fit(X, 1000 + y / 2)
    # A weak effect is better than a constant.
    y = y + X[:, 0]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The mean loss after training")
        model.fit(X, y > 0.5 if kind == "classifier" else y)


@pytest.mark.parametrize("kind", ["groups", "weights"])
def test_the_constant_for_left_out_rows_comes_from_the_other_rows(kind):
    """A constant that knows the rows of a fold may be better than a good network."""
    rng = np.random.default_rng(5)
    X, noise = rng.standard_normal((400, 4)), rng.standard_normal(400)
    model, params = TabularMLPClassifier(n_members=2, random_state=0), {}
    if kind == "groups":
        params["groups"] = groups = np.arange(400) % 2
        y = (X[:, 0] + 0.5 * noise > 0) | (groups == 0)
    else:
        # Two networks judge two of the eight folds, in which a few rows count.
        params["sample_weight"] = rng.pareto(1, 400)
        y = X[:, 0] + np.sin(2 * X[:, 1]) + noise > 1.5
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The mean loss after training")
        model.fit(X, y, **params)


def test_a_wave_is_learned_by_many_bins():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 40, (5000, 1))
    model = TabularMLPRegressor(n_members=2, max_iter=40, random_state=0)
    model.fit(X[:4000], np.sin(2 * np.pi * X[:4000, 0]))
    assert model.score(X[4000:], np.sin(2 * np.pi * X[4000:, 0])) > 0.9


def bins_of(model, X, y):
    """The number of bins of each column of a fit to X and y."""
    encoder = model.fit(pd.DataFrame(X), y).encoder_
    names = encoder.get_feature_names_out()
    return [
        sum(name.startswith(f"x{i}_bin") for name in names) for i in range(X.shape[1])
    ]


def test_the_bins_of_all_columns_have_bounds():
    """However many columns have numbers of shops; the strongest columns come first."""
    rng = np.random.default_rng(0)
    effects = rng.standard_normal((200, 1)) * np.linspace(1, 1.2, 8)
    shops = rng.integers(0, 200, (8000, 8))
    y = effects[shops, np.arange(8)].sum(axis=1)
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    n_bins = bins_of(model, shops, y)
    assert [n > 100 for n in n_bins] == [False] * 3 + [True] * 5
    assert sum(n_bins) <= 1024 + 8 * 16


def test_columns_beyond_the_bound_of_many_bins_have_some():
    """Most values are zeros, and y has slow and fast waves in the others."""
    rng = np.random.default_rng(0)
    shape = 20_000, 5
    x = np.where(rng.uniform(size=shape) < 0.7, 0, rng.uniform(0, 40, shape))
    y = (np.sin(x / 2) + 2 * np.sin(6 * x)).sum(axis=1)
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    n_bins = sorted(bins_of(model, x, y))
    assert 12 < n_bins[0] <= n_bins[1] < 40
    assert n_bins[2] > 200
    (usual,) = bins_of(model.set_params(n_bins=16), x[:, :1], y)
    assert usual < 10


def test_a_little_variance_is_worth_some_bins_and_not_many():
    rng = np.random.default_rng(0)
    shops = rng.integers(0, 200, (20_000, 1))
    effects = rng.standard_normal(200)
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    # Of a seventeenth of the variance.
    y = effects[shops[:, 0]] + 4 * rng.standard_normal(20_000)
    assert bins_of(model, shops, y)[0] < 40
    y = effects[shops[:, 0]] + 2 * rng.standard_normal(20_000)
    assert bins_of(model, shops, y)[0] > 100


@pytest.mark.parametrize("n_rows", [500, 2000])
def test_noise_has_no_further_bins_for_outliers_of_y(n_rows):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 60))
    y = np.exp(2 * rng.standard_normal(n_rows))
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    assert sum(n > 16 for n in bins_of(model, X, y)) <= 1


@pytest.mark.parametrize("n_outputs", [2, 30])
def test_any_column_of_y_may_need_bins(n_outputs):
    """Whatever its unit and the number of the other columns."""
    rng = np.random.default_rng(0)
    shops = rng.integers(0, 150, (6000, 1))
    y = 1e6 * rng.standard_normal((6000, n_outputs))
    y[:, 0] = rng.standard_normal(150)[shops[:, 0]]
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    assert bins_of(model, shops, y)[0] > 100
    y[:, 0] = rng.standard_normal(6000)
    assert bins_of(model, shops, y)[0] == 16
    labels = (y > 0).astype(int)
    labels[:, 0] = (rng.standard_normal(150) > 0)[shops[:, 0]]
    model = TabularMLPClassifier(n_members=1, max_iter=1, random_state=0)
    assert bins_of(model, shops, labels)[0] > 100


def test_bins_of_extreme_numbers():
    rng = np.random.default_rng(0)
    x = np.where(rng.uniform(size=4000) < 0.5, 5e-324, 1e300)
    x *= rng.integers(-40, 40, 4000)
    model = TabularMLPRegressor(n_members=1, max_iter=2, random_state=0)
    model.fit(pd.DataFrame({"x": x}), np.sin(np.arange(4000) * x / 1e300))
    assert np.isfinite(model.predict(pd.DataFrame({"x": x}))).all()


def test_groups_tell_no_bins():
    """The number of a patient tells the label, and has ten rows."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(300), 10)
    y = rng.standard_normal(300)[patients]
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    X = pd.DataFrame({"patient": patients, "x": rng.standard_normal(3000)})
    by_groups = clone(model).fit(X, y, groups=patients).encoder_
    np.testing.assert_array_equal(
        by_groups.transform(X), TabularEncoder().fit_transform(X)
    )
    # Without groups, the patients are known.
    alone = model.fit(X, y).encoder_
    assert alone.transform(X).shape[1] > 100


# Reproducible, with any number of threads, in any process.


@both
def test_random_state(kind, cases):
    model, X, y, predict = cases[kind]
    expected = getattr(clone(model).fit(X, y), predict)(X)
    again = getattr(clone(model).fit(X, y), predict)(X)
    np.testing.assert_array_equal(again, expected)
    model.set_params(random_state=np.random.RandomState(0))
    first = getattr(model.fit(X, y), predict)(X)
    np.testing.assert_array_equal(first, expected)
    second = getattr(model.fit(X, y), predict)(X)
    assert np.abs(second - first).max() > 1e-3
    other = getattr(clone(model).set_params(random_state=1).fit(X, y), predict)(X)
    assert np.abs(other - first).max() > 1e-3


@both
def test_threads_share_the_networks(kind, cases, with_threads):
    model, X, y, _ = cases[kind]
    model.set_params(n_members=5, dropout=0.3)
    fits = []
    for number in (1, 2, 3, 8):
        with_threads(number)
        fits.append(clone(model).fit(X, y))
    expected = fits[0].predict_members(X)
    for other in fits[1:]:
        np.testing.assert_allclose(other.predict_members(X), expected, atol=1e-4)
        np.testing.assert_allclose(
            other.validation_scores_, fits[0].validation_scores_, rtol=1e-4
        )
        np.testing.assert_allclose(other.loss_curve_, fits[0].loss_curve_, rtol=1e-4)


@pytest.fixture
def with_processes(monkeypatch):
    """Let small fits start processes, as if there were eight cores."""
    monkeypatch.setattr(ensemble, "_PROCESSES_PAY", 0)
    monkeypatch.setattr(
        ensemble, "effective_n_jobs", lambda n: 8 if n == -1 else effective_n_jobs(n)
    )


@pytest.mark.parametrize("n_jobs", [4, -1])
@both
def test_processes_share_the_networks(kind, n_jobs, cases, with_processes):
    model, X, y, _ = cases[kind]
    model.set_params(n_members=5, dropout=0.3)
    weights = np.random.default_rng(0).random(len(X)) + 0.1
    expected = clone(model).set_params(n_jobs=1).fit(X, y, weights)
    other = clone(model).set_params(n_jobs=n_jobs).fit(X, y, weights)
    np.testing.assert_allclose(
        other.predict_members(X), expected.predict_members(X), atol=1e-4
    )
    for name in ("validation_scores_", "loss_curve_"):
        np.testing.assert_allclose(
            getattr(other, name), getattr(expected, name), rtol=1e-4
        )


def test_processes_of_the_callers_choice(table, with_processes, monkeypatch):
    numbers = []

    class Counted(ensemble.Processes):
        def __init__(self, ensemble, n_processes):
            numbers.append(n_processes)
            super().__init__(ensemble, n_processes)

    monkeypatch.setattr(ensemble, "Processes", Counted)
    with joblib.parallel_config("threading", n_jobs=3):
        classifier(n_members=5).fit(*table)
    with joblib.parallel_config("threading", n_jobs=4):
        # Four processes would be as slow as three: one has two networks.
        classifier(n_members=5).fit(*table)
        classifier(n_members=3).fit(*table)
    with threadpool_limits(1):
        classifier(n_members=5).fit(*table)
    assert numbers == [3]


def test_no_more_processes_than_cores(table, with_processes, monkeypatch):
    monkeypatch.setattr(ensemble, "Processes", None)
    monkeypatch.setattr(ensemble, "effective_n_jobs", lambda n: 2 if n == -1 else n)
    classifier(n_jobs=8).fit(*table)


def test_a_short_fit_starts_no_process(table, monkeypatch):
    monkeypatch.setattr(ensemble, "Processes", None)
    classifier(n_jobs=8).fit(*table)
    classifier(n_jobs=None).fit(*table)


@pytest.mark.callbacks
def test_keyboard_interrupt_of_processes(table, with_processes, monkeypatch):
    X, y = table
    stopped = classifier(n_members=4).set_callbacks(Recorder(stop_at=2)).fit(X, y)
    run_epoch, calls = ensemble.Processes.run_epoch, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run_epoch(*args)

    monkeypatch.setattr(ensemble.Processes, "run_epoch", interrupted)
    model = classifier(n_members=4, n_jobs=4)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        model.fit(X, y)
    assert model.n_iter_ == 2
    np.testing.assert_allclose(
        model.predict_proba(X), stopped.predict_proba(X), atol=1e-4
    )


def test_the_end_of_a_training_says_so(table):
    model = classifier(max_iter="auto", n_iter_no_change=np.inf).fit(*table)
    assert model.stop_reason_ == "max_iter"
    assert model.message_ == "All 80 epochs of max_iter='auto' are done."
    model.set_params(n_iter_no_change=1, learning_rate_init=0.1).fit(*table)
    assert model.converged_


@both
def test_copies(kind, cases):
    model, X, y, predict = cases[kind]
    model.fit(X, y)
    expected = getattr(model, predict)(X)
    # Rows of the table stay out of files.
    loaded, kept = pickle.loads(pickle.dumps(model)), set(vars(model))
    assert set(vars(loaded)) == kept - {"_withheld_rows"}
    copies = copy.copy(model), copy.deepcopy(model)
    assert all(set(vars(other)) == kept for other in copies)
    for other in (loaded, *copies):
        np.testing.assert_array_equal(getattr(other, predict)(X), expected)
        np.testing.assert_array_equal(
            other.predict_members(X), model.predict_members(X)
        )
        assert other.validation_scores_ == model.validation_scores_
        assert other.get_params() == model.get_params()
    fresh = clone(model)
    assert not hasattr(fresh, "estimators_")
    np.testing.assert_array_equal(getattr(fresh.fit(X, y), predict)(X), expected)


@both
def test_parameters_that_are_set_after_the_fit(kind, cases):
    model, X, y, predict = cases[kind]
    model.fit(X, y)
    expected = getattr(model, predict)(X)
    model.set_params(
        n_members=1,
        hidden_layer_sizes=(2, 2, 2),
        activation="tanh",
        categorical_features=None,
        n_bins=0,
        dropout=0.9,
        max_iter=1,
    )
    np.testing.assert_array_equal(getattr(model, predict)(X), expected)
    assert len(model.predict_members(X)) == 3
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(getattr(loaded, predict)(X), expected)


# Callbacks, and ends of all kinds.


class Recorder:
    """Writes every hook down; stops at an epoch, or fails there, if told to."""

    def __init__(self, stop_at=None, fail_at=None):
        self.stop_at = stop_at
        self.fail_at = fail_at
        self.events = []
        self.snapshots = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        if context.task_name != "fit":
            self.snapshots.append(fitted_estimator)
        if len(self.snapshots) == self.fail_at:
            raise RuntimeError("no")
        return len(self.snapshots) == self.stop_at

    def teardown(self, estimator, context):
        self.events.append("teardown")


@pytest.mark.callbacks
@both
def test_every_epoch_is_a_task(kind, cases):
    model, X, y, predict = cases[kind]
    recorder = Recorder()
    model.set_callbacks(recorder).fit(X, y)
    assert recorder.events == [
        "setup",
        "begin fit",
        *["begin epoch", "end epoch"] * model.n_iter_,
        "end fit",
        "teardown",
    ]
    assert model.n_iter_ == 6
    assert [s.loss_ for s in recorder.snapshots] == model.loss_curve_
    assert [s.n_iter_ for s in recorder.snapshots] == [1, 2, 3, 4, 5, 6]
    predictions = [getattr(s, predict)(X) for s in recorder.snapshots]
    assert len({p.tobytes() for p in predictions}) == 6
    best = int(np.argmax(model.validation_scores_))
    np.testing.assert_array_equal(getattr(model, predict)(X), predictions[best])


@pytest.mark.callbacks
def test_progress_bar(table, capsys):
    from sklearn.callback import ProgressBar

    classifier().set_callbacks(ProgressBar()).fit(*table)
    assert "TabularMLPClassifier" in capsys.readouterr().out


@pytest.mark.callbacks
@pytest.mark.parametrize("restore_best", [False, True])
def test_early_stopping(restore_best, table):
    X_train, X_val, y_train, y_val = train_test_split(*table, random_state=0)
    stopping = EarlyStopping(
        X_val, y_val, scoring="neg_log_loss", patience=3, restore_best=restore_best
    )
    recorder = Recorder()
    model = classifier(max_iter=60, n_iter_no_change=60, learning_rate_init=0.05)
    model.set_callbacks(stopping, recorder).fit(X_train, y_train)
    assert len(stopping.scores_) == model.n_iter_ == stopping.best_iter_ + 3 < 60
    assert stopping.best_score_ == max(stopping.scores_)
    kept = recorder.snapshots[
        stopping.best_iter_ - 1
        if restore_best
        else int(np.argmax(model.validation_scores_))
    ]
    np.testing.assert_array_equal(model.predict_proba(X_val), kept.predict_proba(X_val))
    if restore_best:
        loss = log_loss(y_val, model.predict_proba(X_val))
        assert -loss == pytest.approx(stopping.best_score_)


def test_it_stops_when_progress_ceases(table):
    model = classifier(max_iter=200, n_iter_no_change=5, learning_rate_init=0.05)
    model.fit(*table)
    best = int(np.argmax(model.validation_scores_)) + 1
    assert model.n_iter_ == best + 6 < 200


@pytest.mark.callbacks
@both
def test_a_fit_that_fails_leaves_the_old_one(kind, cases):
    model, X, y, predict = cases[kind]
    model.fit(X, y)
    before = vars(model).copy()
    expected = getattr(model, predict)(X)
    dated = X.assign(day="2020-01-01").drop(columns="size")
    with pytest.raises(ValueError, match="Column 'day' has dates"):
        model.fit(dated, y)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match="Negative values"):
        model.fit(X, y, -np.ones(len(X)))
    assert vars(model) == before
    model.set_callbacks(Recorder(fail_at=2))
    with pytest.raises(RuntimeError, match="no"):
        model.fit(X[::2].drop(columns="size"), y[::2])
    np.testing.assert_array_equal(getattr(model, predict)(X), expected)


@pytest.mark.callbacks
@pytest.mark.parametrize("n_threads", [1, 2])
@both
def test_keyboard_interrupt(kind, n_threads, cases, with_threads, monkeypatch):
    model, X, y, predict = cases[kind]
    with_threads(n_threads)
    model.set_params(batch_size=40, dropout=0)
    stopped = clone(model).set_callbacks(Recorder(stop_at=2)).fit(X, y)
    n_epochs, evaluate, calls = 2, Objective.loss_and_gradient, []

    def interrupted(*args):
        calls.append(1)
        # In the third epoch, of three batches for each thread.
        if len(calls) == n_threads * (3 * n_epochs + 1):
            raise KeyboardInterrupt
        return evaluate(*args)

    monkeypatch.setattr(Objective, "loss_and_gradient", interrupted)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        model.fit(X, y)
    assert model.n_iter_ == n_epochs
    np.testing.assert_array_equal(
        getattr(model, predict)(X), getattr(stopped, predict)(X)
    )
    assert model.validation_scores_ == stopped.validation_scores_


def test_interrupt_of_one_of_many(table, monkeypatch):
    X, y = table
    model = classifier().fit(X, y)
    expected = model.predict_proba(X)

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "loss_and_gradient", interrupted)
    with abort_when_interrupted(), pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    # In the first epoch by itself: the initial weights are all there is.
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    assert model.n_iter_ == 0
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.fixture(params=[True, False])
def interrupts_waits(request):
    """Whether a signal ends what the main thread waits for, as by default, or not."""
    # A shell's background jobs are started with a handler that ignores it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.siginterrupt(signal.SIGINT, request.param)
    yield
    # Which puts the default back.
    signal.signal(signal.SIGINT, handler)


@pytest.mark.posix
def test_ctrl_c_ends_the_epoch(table, monkeypatch, with_threads, interrupts_waits):
    """The signal reaches the main thread, which waits for those that train."""
    X, y = table
    with_threads(2)
    evaluate, calls = Objective.loss_and_gradient, []

    def pressing(*args):
        calls.append(1)
        if len(calls) == 5:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        if len(calls) >= 5:
            time.sleep(0.02)
        return evaluate(*args)

    monkeypatch.setattr(Objective, "loss_and_gradient", pressing)
    model = classifier(batch_size=1)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    assert model.n_iter_ == 0
    assert len(calls) < len(X)


@pytest.mark.parametrize("batch_size", [30, 120])
@both
def test_divergence(kind, batch_size, cases):
    """With one batch an epoch it is but its predictions that are not finite."""
    model, X, y, predict = cases[kind]
    model.set_params(batch_size=batch_size, learning_rate_init=1e30)
    with pytest.warns(UserWarning, match="Training diverged in epoch 1"):
        model.fit(X, y)
    assert np.isfinite(getattr(model, predict)(X)).all()
    assert model.n_iter_ == 0
    assert not np.isnan(model.best_validation_score_)


def test_verbose(table, capsys):
    model = classifier(verbose=True).fit(*table)
    lines = capsys.readouterr().out.splitlines()
    of_epochs = zip(
        range(1, 7), model.loss_curve_, model.validation_scores_, strict=True
    )
    assert lines == [
        line
        for i, loss, score in of_epochs
        for line in (
            f"Iteration {i}, loss = {loss:.8f}",
            f"Validation score: {score:f}",
        )
    ]
    classifier().fit(*table)
    assert capsys.readouterr().out == ""


# Parameters.


@pytest.mark.parametrize(
    ("n_rows", "expected"), [(2, 2), (40, 32), (511, 32), (512, 64), (5000, 256)]
)
def test_batch_size(n_rows, expected):
    assert classifier()._n_batch_rows(n_rows) == expected
    assert classifier(batch_size=33)._n_batch_rows(n_rows) == min(33, n_rows)


@pytest.mark.parametrize(
    "params",
    [
        {"n_members": 0},
        {"n_bins": -1},
        {"max_iter": 0},
        {"learning_rate_init": 0},
        {"activation": "nonesuch"},
        {"dropout": 1},
        {"batch_size": 0},
        {"categorical_features": "size"},
        {"hidden_layer_sizes": 0},
        {"class_weight": "even"},
    ],
    ids=str,
)
def test_impossible_parameters(params, table):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        classifier(**params).fit(*table)


@pytest.mark.parametrize(
    "params",
    [
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (6, 5, 4), "dropout": (0.1, 0, 0.2)},
        {"activation": "silu"},
        {"hidden_layer_sizes": (6, 5), "activation": ["relu", "tanh"]},
        {"n_bins": 0},
        {"batch_size": 7},
        {"batch_size": 1000},
        {"categorical_features": ["colour", "is_new"]},
    ],
    ids=str,
)
@both
def test_possible_parameters(kind, params, cases):
    model, X, y, predict = cases[kind]
    model.set_params(**params).fit(X, y)
    assert np.isfinite(getattr(model, predict)(X)).all()
    assert model.validation_scores_[-1] > model.validation_scores_[0]


# With scikit-learn's tools.


def test_permutation_importance(numbers):
    X, y = numbers
    model = regressor(max_iter=30, learning_rate_init=0.02).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    names = X.columns[np.argsort(-found.importances_mean)]
    assert names.tolist()[:2] == ["size", "colour"]


def test_grid_search(table):
    grid = {"n_members": [1, 2], "dropout": [0, 0.3]}
    search = GridSearchCV(classifier(max_iter=3), grid, cv=2, scoring="neg_log_loss")
    search.fit(*table)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(set(scores)) == 4
    assert len(search.best_estimator_.estimators_) == search.best_params_["n_members"]


@both
def test_cross_validation(kind, cases):
    model, X, y, _ = cases[kind]
    model.set_params(max_iter=20, learning_rate_init=0.02)
    assert cross_val_score(model, X, y, cv=3).min() > 0.5


def test_arrays_are_tables_too():
    X, y = load_iris(return_X_y=True)
    model = classifier(max_iter=20, learning_rate_init=0.02)
    assert cross_val_score(model, X, y, cv=3).min() > 0.85
    fitted = model.fit(X.tolist(), y.tolist())
    assert fitted.n_features_in_ == 4
    assert not hasattr(fitted, "feature_names_in_")


@both
def test_the_table_stays_as_it_was(kind, cases):
    model, X, y, predict = cases[kind]
    frame, targets = X.copy(), y.copy()
    weights = np.arange(1.0, len(X) + 1)
    getattr(model.fit(X, y, weights), predict)(X)
    pd.testing.assert_frame_equal(X, frame)
    np.testing.assert_array_equal(y, targets)
    np.testing.assert_array_equal(weights, np.arange(1.0, len(X) + 1))


# On tables of the world.


@pytest.mark.parametrize("name", ["credit_g", "dermatology"])
def test_beside_gradient_boosting(name, data_dir):
    index = json.loads((data_dir / "tables" / "index.json").read_text())
    assert index[name]["task"] == "classification"
    X = pd.read_csv(data_dir / "tables" / f"{name}.csv.gz")
    y = X.pop("target").astype(str).to_numpy()
    texts = X.columns.difference(X.select_dtypes("number").columns)
    X = X.astype(dict.fromkeys(texts, "category"))
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, stratify=y, random_state=0
    )
    ours = TabularMLPClassifier(random_state=0)
    theirs = HistGradientBoostingClassifier(
        categorical_features="from_dtype", random_state=0
    )
    # Where a core is busy with something else, its threads wait for each other.
    with threadpool_limits(1, user_api="openmp"):
        losses = [
            log_loss(y_test, model.fit(X_train, y_train).predict_proba(X_test))
            for model in (ours, theirs)
        ]
    assert losses[0] < losses[1]


def test_large_batches_of_weighted_rows():
    """A batch of more rows than a pass takes at a time is cut with its weights."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 3))
    y = (X[:, 0] > 0).astype(int)
    params = {"batch_size": 3000, "max_iter": 40, "learning_rate_init": 0.05}
    weights = rng.integers(1, 3, len(X)).astype(float)
    model = classifier(**params).fit(X, y, weights)
    doubled = classifier(**params).fit(X, y, 2 * weights)
    np.testing.assert_allclose(
        model.predict_proba(X), doubled.predict_proba(X), rtol=1e-6
    )
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("make", [classifier, regressor])
def test_scored_rows_in_the_order_of_another_index_are_reported(make):
    X, y = make_table()
    y = pd.Series(y > 0 if make is classifier else y)
    model = make().fit(X, y)
    shuffled = y.sample(frac=1, random_state=0)
    expected = model.score(X, shuffled.to_numpy())
    with pytest.warns(UserWarning, match="y has the same index as X"):
        assert model.score(X, shuffled) == expected
    # As of two tables, one below the other.
    twice = np.arange(len(X)) // 2
    with pytest.warns(UserWarning, match="Pass rows with a unique index"):
        model.score(X.set_axis(twice), y.set_axis(twice[::-1]))
    model.score(X.set_axis(twice), y.set_axis(twice))
    model.score(X.set_axis(twice), y.set_axis(np.where(twice == 1, 0, twice)[::-1]))
    weights = pd.Series(np.arange(1.0, len(X) + 1)).sample(frac=1, random_state=0)
    with pytest.warns(UserWarning, match="sample_weight has the same index as X"):
        model.score(X, y, sample_weight=weights)
    with pytest.warns(UserWarning, match="sample_weight has the same index as X"):
        model.partial_dependence(X, [0], sample_weight=weights)


@pytest.mark.parametrize("make", [classifier, BackpropMLPClassifier])
def test_scored_labels_that_are_written_in_another_way(make):
    X = np.arange(20.0).reshape(-1, 1)
    y = np.repeat(["No", "Yes"], 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make(max_iter=1).fit(X, y)
    message = r"No label of y, such as 'no', was in `fit`.* such as 'No', 'Yes'"
    with pytest.warns(UserWarning, match=message):
        assert model.score(X, np.char.lower(y)) == 0
    # A class of few rows may be new.
    assert model.score(X, np.where(np.arange(20) < 9, "Maybe", y)) >= 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda X, y, w: (X.iloc[:, ::-1], y, w), "must be in the same order"),
        (lambda X, y, w: (X[:0], y[:0], w[:0]), r"with 0 sample"),
        (lambda X, y, w: (X.assign(a=np.inf), y, w), "infinity .* 'a'"),
        (lambda X, y, w: (X.assign(a="many"), y, w), "'a' has values that are not num"),
        (lambda X, y, w: (X, y[1:], w), "inconsistent numbers of samples"),
        (lambda X, y, w: (X, y, w[1:]), "sample_weight.shape"),
        (lambda X, y, w: (sparse.csr_matrix(X), y, w), "Sparse data"),
    ],
)
def test_an_error_of_validation_rows_says_so(changed, message):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    y = X["a"].to_numpy()
    X_val, y_val, weights = changed(X[:20], y[:20], np.ones(20))
    own = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weights}
    error = TypeError if message == "Sparse data" else ValueError
    with pytest.raises(error, match=rf"(?s)^Validation rows \(X_val, .*{message}"):
        TabularMLPRegressor(max_iter=2).fit(X[20:], y[20:], **own)


def test_validation_rows_of_a_class_without_weight():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    message = "Validation rows .*: class_weight times sample_weight is zero for every"
    with pytest.raises(ValueError, match=message):
        classifier(class_weight={0: 0}).fit(X, y, X_val=-X[::2], y_val=y[::2])


class OfAlpha(BackpropMLPRegressor):
    """Lists one parameter."""

    def __init__(self, alpha=1e-4):
        super().__init__(alpha=alpha, max_iter=2)


class OfAnyParameter(TabularMLPRegressor):
    """Passes on the others."""

    def __init__(self, more=1, **others):
        super().__init__(**others)
        self.more = more


class OfQuantiles(TabularMLPRegressor):
    """Fixes its loss."""

    def __init__(self, huber_epsilon=2.0, max_iter=2):
        super().__init__(
            loss="quantile", huber_epsilon=huber_epsilon, max_iter=max_iter
        )


@pytest.mark.parametrize(
    "estimator", [OfAlpha(), OfAnyParameter(max_iter=2), OfQuantiles()]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_subclass_need_not_list_the_parameters(estimator):
    X = np.random.default_rng(0).normal(size=(60, 2))
    assert np.isfinite(estimator.fit(X, X[:, 0]).predict(X)).all()
    if isinstance(estimator, OfQuantiles):
        with pytest.warns(UserWarning, match="huber_epsilon=3.0 has no effect"):
            estimator.set_params(huber_epsilon=3.0).fit(X, X[:, 0])


def encoded(model, X, y):
    return model.fit(X, y).encoder_.transform(X)


def test_few_rows_whose_classes_change_gradually_have_no_jumps():
    n_bins = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = rng.uniform(size=(120, 1))
        y = rng.uniform(size=120) < X[:, 0]
        entries = encoded(classifier(n_bins=4, n_members=1, max_iter=1), X, y)
        n_bins.append(entries.shape[1] - 1)
    # A jump has two bins more.
    assert sum(n > 4 for n in n_bins) <= 1


def test_a_jump_of_a_label_has_the_bins_of_a_jump_of_a_class():
    X = np.linspace(0, 1, 100)[:, np.newaxis]
    y = (X[:, 0] > 0.4).astype(int)
    model = classifier(n_bins=4, n_members=1, max_iter=1)
    np.testing.assert_array_equal(
        encoded(model, X, np.column_stack([y, 0 * y])), encoded(model, X, y)
    )


def test_codes_of_few_of_many_rows_have_an_entry():
    """Bins are learned from 20,000 rows, with four of each of these codes."""
    rng = np.random.default_rng(0)
    shops = np.append(rng.integers(0, 30, 40_000), np.repeat(np.arange(30, 60), 8))
    model = regressor(n_members=1, hidden_layer_sizes=4, max_iter=1)
    model.fit(shops[:, np.newaxis].astype(float), rng.normal(size=60)[shops])
    entries = model.encoder_.transform(np.arange(60.0)[:, np.newaxis])[:, -60:]
    np.testing.assert_array_equal(entries, np.eye(60))


@pytest.mark.parametrize("sign", [-1, 1])
def test_beyond_the_range_entries_change_by_the_width_of_the_bins_there(sign):
    """The last bins end at 200**2 / 7, and are about 57 wide."""
    number = np.repeat(np.arange(1, 201), 15)
    y = np.random.default_rng(0).normal(size=201)[number]
    model = regressor(n_members=1, max_iter=1)
    model.fit(sign * number[:, np.newaxis] ** 2 / 7, y)
    at_edge, near, far = model.encoder_.transform(
        sign * (200**2 / 7 + np.array([[0], [10], [200]]))
    )[:, 1:]
    assert len(at_edge) > 100
    assert np.abs(near - at_edge).max() < 0.1
    assert np.abs(far - at_edge).max() > 0.9


def test_the_loss_of_an_epoch_is_the_mean_over_the_rows_that_networks_see():
    """Networks that have hardly learned are no better than even odds."""
    X, y = np.random.default_rng(0).normal(size=(400, 3)), np.arange(400) % 2
    model = TabularMLPClassifier(learning_rate_init=1e-9, max_iter=1, random_state=0)
    assert np.log(2) < model.fit(X, y).loss_curve_[0] < np.log(2) + 0.1


@pytest.mark.parametrize(("n_rare", "are_codes"), [(300, True), (1500, False)])
def test_quantities_of_mostly_rare_values_are_no_codes(n_rare, are_codes):
    rng = np.random.default_rng(0)
    rare = rng.choice(np.arange(1, 100_000, 2), n_rare, replace=False)
    frequent = np.repeat(2 * rng.choice(50_000, 40, replace=False), 25)
    amounts = np.concatenate([frequent, rare])
    effects = np.repeat(3 * rng.normal(size=40), 25)
    y = np.concatenate([effects, np.zeros(n_rare)]) + rng.normal(size=len(amounts))
    model = TabularMLPRegressor(n_members=1, max_iter=1, random_state=0)
    model.fit(amounts[:, np.newaxis], y)
    names = model.encoder_.get_feature_names_out()
    assert (f"x0_{frequent[0]}" in names) == are_codes


def test_balanced_weights_of_validation_rows_count_the_sample_weights():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(300, 2)), rng.uniform(size=300)
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    weights[y == 1] *= 4
    total = np.bincount(y[:200], weights[:200])
    scores = [
        TabularMLPClassifier(class_weight=class_weight, max_iter=2, random_state=0)
        .fit(X[:200], y[:200], weights[:200], X[200:], y[200:])
        .validation_scores_
        for class_weight in ("balanced", dict(enumerate(total.sum() / 2 / total)))
    ]
    np.testing.assert_allclose(*scores, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "y"), [(regressor, 3.0), (classifier, [0, 1, 1])], ids=["one", "labels"]
)
def test_a_constant_prediction_of_a_constant_is_not_useless(numbers, make, y):
    """The networks learn it in some epochs, and are not told to learn more."""
    X, _ = numbers
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The mean loss after training")
        make().fit(X, np.full((len(X), *np.shape(y)), y))


@pytest.mark.parametrize(("n_jobs", "expected"), [(1, 1), (2, 2), (None, 3)])
def test_threads_of_the_callers_choice(
    n_jobs, expected, table, with_threads, monkeypatch
):
    """There are three cores."""
    numbers, run_epochs = [], ensemble.run_epochs

    def counted(stacks, *args):
        numbers.append(len(stacks))
        run_epochs(stacks, *args)

    monkeypatch.setattr(ensemble, "run_epochs", counted)
    with_threads(3)
    classifier(n_jobs=n_jobs).fit(*table)
    assert numbers == [expected]


def test_many_rows_have_no_dropout():
    """The default falls with the number of rows, to 0 from 16,000 on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(16_000, 2))
    y = X[:, 0] > rng.normal(size=len(X))
    model = TabularMLPClassifier(1, hidden_layer_sizes=2, n_bins=0, max_iter=1)
    for n_rows, expected in ((4000, 0.25), (15_000, 0.1), (16_000, 0)):
        model.fit(X[:n_rows], y[:n_rows])
        assert model.estimators_[0].dropout == expected
