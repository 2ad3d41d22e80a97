"""The classifier for tables is scored after calibration, and ends calibrated."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from skmlp_backprop import TabularMLPClassifier

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
