"""The classifier for tables is scored after calibration, and ends calibrated."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skmlp_backprop import TabularMLPClassifier, TabularMLPRegressor

# No parameter sets how far the logits may be shifted.
from skmlp_backprop._tabular import left_out

# Networks become overconfident in a fixed number of epochs.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def noisy_table(n_classes, seed=0):
    """Columns of which one tells the class, and a fifth of the labels at random."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 20))
    y = np.digitize(X[:, 0], np.quantile(X[:, 0], np.arange(1, n_classes) / n_classes))
    is_noise = rng.random(600) < 0.2
    return X, np.where(is_noise, rng.integers(n_classes, size=600), y)


def at_temperature(proba, temperature):
    """Probabilities of classes after a division of the logits."""
    powers = proba ** (1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.usefixtures("without_shift")
def test_no_higher_temperature_is_better(n_classes, weighted):
    X, y = noisy_table(n_classes)
    weights = np.random.default_rng(1).random(len(y)) if weighted else None
    model = TabularMLPClassifier(
        n_iter_no_change=30, max_iter=30, dropout=0, random_state=0
    ).fit(X, y, sample_weight=weights)

    def loss(temperature):
        proba = at_temperature(model.oob_decision_function_, temperature)
        return log_loss(y, proba, sample_weight=weights)

    assert loss(1) == pytest.approx(-model.best_validation_score_, rel=1e-5)
    for temperature in (1.03, 1.1, 1.5, 3):
        assert loss(1) < loss(temperature)
    # The networks had been overconfident: a temperature below 1 is worse, too.
    for temperature in (0.97, 0.9, 0.5):
        assert loss(1) < loss(temperature)


@pytest.mark.usefixtures("without_shift")
def test_validation_rows_calibrate():
    X, y = noisy_table(2)
    X_val, y_val = noisy_table(2, seed=2)
    model = TabularMLPClassifier(n_iter_no_change=30, max_iter=30, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    losses = [
        log_loss(
            y_val, at_temperature(model.predict_members(X_val), temperature).mean(0)
        )
        for temperature in (0.9, 1, 1.1)
    ]
    assert np.argmin(losses) == 1
    assert losses[1] == pytest.approx(-model.best_validation_score_, rel=1e-4)


@pytest.mark.usefixtures("without_shift")
def test_labels_have_one_temperature():
    X, y = noisy_table(2)
    Y = np.column_stack([y, X[:, 1] > 0])
    model = TabularMLPClassifier(max_iter=20, random_state=0).fit(X, Y)

    def loss(temperature):
        proba = model.oob_decision_function_
        odds = (proba / (1 - proba)) ** (1 / temperature)
        proba = odds / (1 + odds)
        return -np.mean(np.where(Y, np.log(proba), np.log(1 - proba)).sum(axis=1))

    assert loss(1) == pytest.approx(-model.best_validation_score_, rel=1e-4)
    assert loss(1) < min(loss(1.05), loss(1.3), loss(2))


def test_underconfident_networks_keep_their_logits(monkeypatch):
    """As after few small steps: a temperature of exactly 1 is the best."""
    X, y = noisy_table(2)
    found = []
    for largest in (5, 1):
        monkeypatch.setattr(left_out, "_MAX_TEMPERATURE", largest)
        model = TabularMLPClassifier(
            max_iter=2, learning_rate_init=1e-4, random_state=0
        ).fit(X, y)
        found.append(model.predict_proba(X))
    np.testing.assert_array_equal(*found)


@pytest.mark.usefixtures("without_shift")
def test_networks_without_hidden_layers():
    """The weights of categories by codes are in the logits themselves."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"x": rng.normal(size=400), "many": [f"c{i % 40}" for i in range(400)]}
    )
    y = (X["x"] + 2 * rng.normal(size=400) > 0).to_numpy()
    model = TabularMLPClassifier(
        hidden_layer_sizes=(),
        max_iter=60,
        learning_rate_init=0.05,
        n_iter_no_change=100,
        random_state=0,
    ).fit(X, y)
    loss = log_loss(y, model.oob_decision_function_)
    assert loss == pytest.approx(-model.best_validation_score_, rel=1e-5)
    assert loss < log_loss(y, at_temperature(model.oob_decision_function_, 1.1))
    new = X.iloc[:50]
    expected = np.mean(model.predict_members(new), axis=0)
    np.testing.assert_allclose(model.predict_proba(new), expected, rtol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_members", [3, 8, 16])
def test_the_mean_probability_of_a_class_is_its_share(
    n_classes, weighted, n_members, monkeypatch
):
    monkeypatch.setattr(left_out, "_SHIFT", 1e3)
    X, y = noisy_table(n_classes)
    y = np.where((y == 1) & (np.arange(len(y)) % 8 > 0), 0, y)
    weights = np.random.default_rng(1).random(len(y)) if weighted else None
    model = TabularMLPClassifier(n_members=n_members, max_iter=10, random_state=0)
    model.fit(X, y, sample_weight=weights)
    proba = model.oob_decision_function_
    known = ~np.isnan(proba[:, 0])
    one_hot = y[known, np.newaxis] == model.classes_
    if weighted:
        weights = weights[known]
    # Each member's logits are shifted. Of 16 members two predict a row, by their mean.
    np.testing.assert_allclose(
        np.average(proba[known], axis=0, weights=weights),
        np.average(one_hot, axis=0, weights=weights),
        rtol=2e-3,
    )


def test_few_rows_of_a_class_hardly_shift_it(monkeypatch):
    X, y = noisy_table(2)
    y[:] = 0
    y[[3, 50, 200, 400]] = 1
    found = {}
    for sd in (1e-9, 0.2, 1e3):
        monkeypatch.setattr(left_out, "_SHIFT", sd)
        model = TabularMLPClassifier(max_iter=10, random_state=0).fit(X, y)
        logits = np.log(model.predict_members(X)[..., 1])
        found[sd] = (logits - np.log1p(-np.exp(logits))).mean()
    assert abs(found[0.2] - found[1e-9]) < 0.3 * abs(found[1e3] - found[1e-9])


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_the_mean_prediction_is_that_of_y(loss, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5))
    y = rng.poisson(np.exp(0.6 * X[:, 0] + 0.3 * X[:, 1] - 1))
    error = {}
    default = left_out._SHIFT
    for sd in (1e-9, default, 1e3):
        monkeypatch.setattr(left_out, "_SHIFT", sd)
        model = TabularMLPRegressor(loss=loss, max_iter=5, random_state=1).fit(X, y)
        error[sd] = abs(model.oob_prediction_.mean() / y.mean() - 1)
    assert error[1e3] < 1e-3
    assert error[default] < 0.6 * error[1e-9]


def test_losses_with_a_kink_are_not_shifted(monkeypatch):
    X, y = noisy_table(3)
    predictions = []
    for sd in (1e-9, 1e3):
        monkeypatch.setattr(left_out, "_SHIFT", sd)
        model = TabularMLPRegressor(loss="absolute_error", max_iter=5, random_state=0)
        predictions.append(model.fit(X, y).predict(X))
    np.testing.assert_array_equal(*predictions)


def test_heavy_rows_do_not_count_as_many():
    """With class weights, five rows weigh as much as all others."""
    X, y = noisy_table(2)
    y[:] = 0
    y[[3, 50, 200, 400, 500]] = 1
    shifts = []
    for sd in (1e-9, left_out._SHIFT):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(left_out, "_SHIFT", sd)
            model = TabularMLPClassifier(
                class_weight="balanced", max_iter=10, random_state=0
            ).fit(X, y)
        proba = model.predict_members(X)[..., 1]
        shifts.append(np.log(proba / (1 - proba)))
    assert np.ptp(shifts, axis=0).max() < 0.02


def test_the_shift_counts_the_validation_rows_once_for_all_networks():
    rng = np.random.default_rng(0)
    X, X_val, y = rng.normal(size=(400, 2)), rng.normal(size=(40, 2)), np.arange(400)
    model = TabularMLPClassifier(n_members=8, max_iter=1, random_state=0)
    logits = [
        model.fit(X, y % 2, X_val=X_val, y_val=y_val).decision_function(X).mean()
        for y_val in (np.arange(40) % 2, (np.arange(40) % 10 > 0).astype(int))
    ]
    # A prior of deviation 0.05, and 16 rows more of class 1: at most 16 * 0.05**2.
    assert 0 < logits[1] - logits[0] < 0.05


def test_networks_are_compared_with_the_best_constant_of_the_weighted_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(160, 10)), rng.normal(size=160)
    is_light = np.arange(160) % 2
    y[is_light == 1] += 8
    weights = np.where(is_light, 1e-3, 1)
    model = TabularMLPRegressor(max_iter=20, random_state=0)
    with pytest.warns(ConvergenceWarning, match="worse than that of the best constant"):
        model.fit(X, y, sample_weight=weights)
