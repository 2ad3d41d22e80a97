"""Useless columns: the scales with which the inputs of tabular networks begin."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.datasets import make_classification, make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skmlp_backprop import TabularMLPClassifier, TabularMLPRegressor
from skmlp_backprop._network.outputs import BinaryOutput, SoftmaxOutput
from skmlp_backprop._network.rows import Rows, TableRows

# Private, since the training changes the scales before a user can see them.
from skmlp_backprop._tabular import relevance


def test_useless_columns_cost_little():
    """Five of 30 columns explain y; with equal scales R2 is 0.85."""
    X, y = make_friedman1(1200, 30, noise=1, random_state=1)
    model = TabularMLPRegressor(random_state=0).fit(X[:600], y[:600])
    assert model.score(X[600:], y[600:]) > 0.9
    assert model.oob_score_ == pytest.approx(model.score(X[600:], y[600:]), abs=0.04)


def test_classes_among_useless_columns():
    """Fifty of 300 columns explain y; with equal scales the log loss is 0.29."""
    X, y = make_classification(
        4000, 300, n_informative=40, n_redundant=10, random_state=0
    )
    fit, rest = slice(2500), slice(2500, None)
    model = TabularMLPClassifier(random_state=0).fit(X[fit], y[fit])
    trees = HistGradientBoostingClassifier(random_state=0).fit(X[fit], y[fit])
    loss, loss_of_trees = (
        log_loss(y[rest], m.predict_proba(X[rest])) for m in (model, trees)
    )
    assert loss < 0.24
    assert loss < loss_of_trees


def test_many_columns_that_each_explain_a_little():
    """As in a survey. With a tenth for those of a small F, R2 is 0.63."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1300, 60))
    y = 0.13 * X.sum(axis=1) + 0.5 * rng.standard_normal(1300)
    model = TabularMLPRegressor(random_state=0).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.65


def test_columns_that_matter_together_are_learned():
    """Neither of two columns explains y by itself; others do so by chance."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((4000, 40))
    y = (X[:, 0] * X[:, 1] > 0) ^ (rng.random(4000) < 0.1)
    fit, rest = slice(2000), slice(2000, None)
    model = TabularMLPClassifier(random_state=0).fit(X[fit], y[fit])
    assert log_loss(y[rest], model.predict_proba(X[rest])) < 0.42


def test_bins_that_explain_no_more_than_their_number():
    """y is a sum of numbers, or of products: 0.86 and 0.68 with factors of 1."""
    rng = np.random.default_rng(0)
    X, noise = rng.standard_normal((1200, 10)), rng.standard_normal(1200)
    for y, least in (
        (X.sum(axis=1) + noise, 0.87),
        (X[:, 0] * X[:, 1] + X[:, 2] * X[:, 3] + 0.3 * noise, 0.71),
    ):
        model = TabularMLPRegressor(random_state=0).fit(X[:200], y[:200])
        assert model.score(X[200:], y[200:]) > least


def test_useless_columns_do_not_flatter_the_out_of_bag_score():
    """As they would if the rows that validate a network chose its columns."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 500)), rng.standard_normal(300)
    with pytest.warns(ConvergenceWarning, match="may be unrelated to y"):
        model = TabularMLPRegressor(random_state=0, max_iter=20).fit(X, y)
    assert model.oob_score_ < 0.02


def test_useless_categories_of_many_levels_cost_little():
    """Five columns of ids beside three that decide: 0.76 if all have a scale of 1."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(3, size=(2500, 6))).add_prefix("x")
    y = (X["x0"] == X["x1"]) ^ (X["x2"] == 0)
    for i in range(5):
        X[f"id{i}"] = pd.Categorical(rng.integers(200, size=2500))
    fit, rest = slice(500), slice(500, None)
    model = TabularMLPClassifier(random_state=0).fit(X[fit], y[fit])
    assert model.score(X[rest], y[rest]) > 0.98


def expected(X, targets, weights, columns, are_bins, all_targets):
    """The scales by NumPy's weighted covariances and least squares."""
    targets = targets[:, np.ptp(targets, axis=0) > 0]
    shares = np.zeros((X.shape[1], targets.shape[1]))
    for i, entry in enumerate(X.T):
        for j, target in enumerate(targets.T):
            if np.ptp(entry) > 0:
                (a, b), (_, c) = np.cov(entry, target, aweights=weights)
                shares[i, j] = b * b / (a * c)
    relevance = shares.mean(axis=1) * weights.sum() ** 2 / np.square(weights).sum()
    scales, of_columns = np.empty(len(columns)), {}
    for column in set(columns):
        of_columns[column] = relevance[columns == column].mean()
    median = np.median(list(of_columns.values()))
    least = max(0.1, 1 - 1 / median) if median > 1 else 0.1
    for column, mean in of_columns.items():
        scales[columns == column] = max(least, 1 - 2 / mean) if mean > 2 else least
    root = np.sqrt(weights / weights.mean())[:, np.newaxis]
    targets = (targets - np.average(targets, axis=0, weights=weights)) * root
    for column in set(columns[are_bins]):
        is_bin = (columns == column) & are_bins
        unexplained = []
        for entries in (columns == column, (columns == column) & ~are_bins):
            deviations = X[:, entries] - np.average(X[:, entries], 0, weights)
            _, rest, _, _ = np.linalg.lstsq(deviations * root, targets, rcond=None)
            unexplained.append((rest / np.square(targets).sum(axis=0)).mean())
        n_bins, n_entries = is_bin.sum(), (columns == column).sum()
        n_left = weights.sum() ** 2 / np.square(weights).sum() - n_entries - 1
        f = (unexplained[1] / unexplained[0] - 1) * n_left / n_bins
        correlation = np.square(np.corrcoef(all_targets.T)).mean()
        deviation = np.sqrt(2 * correlation * (1 / n_bins + 1 / n_left))
        scales[is_bin] *= np.clip(((f - 1) / deviation + 20) / 40, 0.3, 1)
    return scales / np.sqrt(np.mean(scales**2))


@pytest.mark.parametrize("largest", [1, 1e16])
def test_a_weight_beyond_all_others(largest):
    X, y = make_friedman1(80, noise=1, random_state=0)
    weights = np.ones(80)
    weights[0] = largest
    model = TabularMLPRegressor(2, 8, max_iter=3, n_iter_no_change=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=weights)
    assert model.n_iter_ == 3
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_scales_are_those_of_the_other_rows(kind, weighted, monkeypatch):
    # Several blocks of each fold.
    monkeypatch.setattr(relevance, "_BLOCK_SIZE", 40)
    # So that the factors of bins, (z + 20) / 40, depend on the distances.
    monkeypatch.setattr(relevance, "_UNRELATED", -20)
    monkeypatch.setattr(relevance, "_RELATED", 20)
    rng = np.random.default_rng(0)
    columns, folds = np.array([0, 0, 2, 3, 3, 3, 4]), np.repeat(np.arange(8), 15)
    # Useful bins of column 0, and useless ones of column 3.
    are_bins = np.isin(np.arange(7), [1, 3, 5])
    folds[:20] = 7
    X = rng.standard_normal((120, 7)).astype(np.float32)
    X[:, 6] = 1
    labels = np.digitize(
        X[:, 0] + 0.5 * X[:, 1] + X[:, 2] + rng.standard_normal(120), [-1, 1]
    )
    weights = rng.random(120) + 0.1 if weighted else np.ones(120)
    if kind == "classes":
        output, targets, encoded = SoftmaxOutput(3), labels, np.eye(3)[labels]
    else:
        targets = np.exp(np.column_stack([3 * X[:, 0] + X[:, 1], X[:, 4]]))
        targets = targets.astype(np.float64)
        encoded = np.empty_like(targets)
        for fold in range(8):
            ranks = rankdata(targets[folds == fold], axis=0) - 0.5
            encoded[folds == fold] = ranks / len(ranks)
        output = SimpleNamespace(encoded_targets=lambda t, dtype: t.T.astype(dtype))
    rows = TableRows(X, np.empty((120, 0), np.int32), 0)
    rows = Rows(rows, targets, weights if weighted else None)
    left_out = np.array([7, 5, 5, -2])
    entries = relevance.Entries(columns, are_bins)
    ranked = encoded if kind == "classes" else rankdata(targets, axis=0)
    scales = relevance.initial_scales(rows, output, entries, folds, left_out)
    for fold, of_network in zip(left_out, scales, strict=True):
        others = folds != fold
        of_others = expected(
            X[others].astype(float), encoded[others], weights[others], *entries, ranked
        )
        np.testing.assert_allclose(of_network, of_others, rtol=1e-6)
    assert np.ptp(scales[1:3], axis=0).max() == 0


N_FOLDS = 8
NO_NUMBERS = relevance.Entries(np.empty(0, int), np.empty(0, bool))


def unrelated_table(kind, n_rows, rng):
    """Targets, weights and the output of rows that no column explains."""
    if kind == "numbers":
        output = SimpleNamespace(encoded_targets=lambda t, dtype: t.T.astype(dtype))
        return np.exp(rng.standard_normal((n_rows, 1))), None, output
    n_classes = {"rare": 2, "weighted": 2, "10 classes": 10}[kind]
    share = 0.03 if kind == "rare" else 0.5
    output = BinaryOutput(1) if n_classes == 2 else SoftmaxOutput(n_classes)
    labels = (rng.random(n_rows) < share).astype(np.intp)
    if n_classes > 2:
        labels = rng.integers(n_classes, size=n_rows)
    weights = np.exp(2 * rng.standard_normal(n_rows)) if kind == "weighted" else None
    return labels, weights, output


@pytest.mark.parametrize("kind", ["numbers", "rare", "10 classes", "weighted"])
def test_distances_of_unrelated_levels_vary_by_one(kind, monkeypatch):
    """Levels of equal and of unequal numbers of rows, and levels with a row or two."""
    # So that the scales, (z + 50) / 100, tell the distances.
    monkeypatch.setattr(relevance, "_UNRELATED", -50)
    monkeypatch.setattr(relevance, "_RELATED", 50)
    rng, n_rows, distances = np.random.default_rng(0), 600, []
    for _ in range(150):
        codes = np.column_stack(
            [
                rng.integers(20, size=n_rows),
                20 + (60 * rng.random(n_rows) ** 3).astype(int),
                80 + rng.integers(400, size=n_rows),
            ]
        )
        targets, weights, output = unrelated_table(kind, n_rows, rng)
        X = TableRows(np.empty((n_rows, 0)), codes.astype(np.int32), 480)
        rows, folds = Rows(X, targets, weights), np.arange(n_rows) % N_FOLDS
        (scales,) = relevance.initial_scales(
            rows, output, NO_NUMBERS, folds, np.array([-1])
        )
        distances.append(100 * scales[codes[0]] - 50)
    assert (np.abs(np.mean(distances, axis=0)) < 0.3).all()
    deviations = np.std(distances, axis=0)
    assert (deviations > 0.8).all()
    assert (deviations < 1.2).all()


@pytest.mark.parametrize("kind", ["numbers", "rare", "10 classes"])
def test_distances_of_useless_bins_vary_by_one(kind, monkeypatch):
    # So that the factors, (z + 50) / 100, tell the distances.
    monkeypatch.setattr(relevance, "_UNRELATED", -50)
    monkeypatch.setattr(relevance, "_RELATED", 50)
    rng, n_rows, n_bins, distances = np.random.default_rng(0), 200, 16, []
    entries = relevance.Entries(np.zeros(n_bins + 1, int), np.arange(n_bins + 1) > 0)
    for _ in range(150):
        x = rng.random((n_rows, 1))
        bins = np.clip(n_bins * x - np.arange(n_bins), 0, 1)
        targets, _, output = unrelated_table(kind, n_rows, rng)
        if kind == "numbers":
            # The number explains some of y.
            targets = targets * np.exp(x)
        X = TableRows(np.hstack([x, bins]), np.empty((n_rows, 0), np.int32), 0)
        (scales,) = relevance.initial_scales(
            Rows(X, targets, None),
            output,
            entries,
            np.arange(n_rows) % N_FOLDS,
            np.array([-1]),
        )
        distances.append(100 * scales[1] / scales[0] - 50)
    assert abs(np.mean(distances)) < 0.35
    assert 0.7 < np.std(distances) < 1.3


@pytest.mark.parametrize("kind", ["numbers", "10 classes"])
def test_scales_of_levels_are_those_of_the_other_rows(kind, monkeypatch):
    rng, n_rows = np.random.default_rng(0), 400
    targets, _, output = unrelated_table(kind, n_rows, rng)
    label = targets if kind == "10 classes" else np.digitize(targets[:, 0], [0.5, 2])
    # Decisive and unrelated; level 10 has no rows.
    codes = np.column_stack([label, 20 + rng.integers(30, size=n_rows)])
    codes = codes.astype(np.int32)
    codes[:5, 0], folds = -1, np.arange(n_rows) % N_FOLDS
    mixed = np.flatnonzero(folds == 3)
    others = targets.copy()
    others[mixed] = others[rng.permutation(mixed)]

    def scales(y):
        rows = Rows(TableRows(np.empty((n_rows, 0)), codes, 50), y, None)
        left_out = np.array([3, 5])
        return relevance.initial_scales(rows, output, NO_NUMBERS, folds, left_out)

    decisive, unrelated = scales(targets)[0, [codes[5, 0], 25]]
    assert decisive == 1
    assert 0.1 <= unrelated < 0.3
    monkeypatch.setattr(relevance, "_UNRELATED", -1000)
    monkeypatch.setattr(relevance, "_RELATED", 1000)
    without, within = np.abs(scales(targets) - scales(others)).max(axis=1)
    assert without < 1e-12
    assert within > 1e-4
