"""Tabular estimators that continue an earlier training."""

import copy
import pickle
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skmlp_backprop import TabularMLPClassifier, TabularMLPRegressor
from skmlp_backprop.callbacks import EarlyStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

both = pytest.mark.parametrize("kind", ["classifier", "regressor"])
SEEN_ROWS = "rows that they were trained on in an earlier fit"


def make(kind, **params):
    classes = {"classifier": TabularMLPClassifier, "regressor": TabularMLPRegressor}
    small = {"n_members": 9, "hidden_layer_sizes": 8, "random_state": 0}
    return classes[kind](**{**small, "n_iter_no_change": np.inf, **params})


def make_table(kind, n_rows=150, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "size": np.where(
                rng.random(n_rows) < 0.1, np.nan, rng.standard_normal(n_rows)
            ),
            "colour": rng.choice(["red", "green", "blue"], n_rows),
            # So many categories that networks take codes.
            "shop": rng.choice([f"shop {i}" for i in range(30)], n_rows),
        }
    )
    y = 100 + X["size"].fillna(0) + (X["colour"] == "red") + 0.3 * rng.random(n_rows)
    return X, np.where(y > 100.5, "high", "low") if kind == "classifier" else y


def assert_equal(model, other, X):
    np.testing.assert_array_equal(model.predict_members(X), other.predict_members(X))
    assert model.validation_scores_ == other.validation_scores_
    assert model.loss_curve_ == other.loss_curve_
    assert model.n_iter_ == other.n_iter_
    assert model.stop_reason_ == other.stop_reason_
    name = f"oob_{'prediction' if hasattr(model, '_y_mean') else 'decision_function'}_"
    np.testing.assert_array_equal(getattr(model, name), getattr(other, name))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("n_jobs", [1, 2])
@both
def test_epochs_in_two_fits_are_those_of_one(kind, n_jobs, dropout):
    X, y = make_table(kind)
    model = make(kind, max_iter=4, warm_start=True, n_jobs=n_jobs, dropout=dropout)
    model.fit(X, y).set_params(max_iter=11).fit(X, y)
    assert_equal(model, make(kind, max_iter=11, dropout=dropout).fit(X, y), X)


@both
def test_with_weights_and_validation_rows(kind):
    X, y = make_table(kind)
    X_val, y_val = make_table(kind, seed=1)
    weights = np.arange(150) % 3
    data = {"sample_weight": weights, "X_val": X_val, "y_val": y_val}
    for given in (data, {"sample_weight": weights}):
        model = make(kind, max_iter=3, warm_start=True).fit(X, y, **given)
        model.set_params(max_iter=7).fit(X, y, **given)
        assert_equal(model, make(kind, max_iter=7).fit(X, y, **given), X)


@both
def test_copies_continue_by_themselves(kind):
    X, y = make_table(kind)
    model = make(kind, max_iter=3, warm_start=True).fit(X, y)
    expected = make(kind, max_iter=8).fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), model):
        assert_equal(other.set_params(max_iter=8).fit(X, y), expected, X)


def test_only_a_warm_start_keeps_its_state():
    X, y = make_table("classifier")
    model = make("classifier", max_iter=2).fit(X, y)
    size = len(pickle.dumps(model))
    model.set_params(warm_start=True)
    with pytest.raises(ValueError, match="set warm_start=True before its first fit"):
        model.fit(X, y)
    warm = make("classifier", max_iter=2, warm_start=True).fit(X, y)
    assert len(pickle.dumps(warm)) > 2 * size
    again = warm.set_params(warm_start=False).fit(X, y)
    assert again.n_iter_ == 2
    assert len(pickle.dumps(again)) <= size + 1


@both
def test_the_epochs_count_from_the_first_fit(kind):
    X, y = make_table(kind)
    model = make(kind, max_iter=5, warm_start=True).fit(X, y)
    expected = model.predict(X)
    np.testing.assert_array_equal(model.fit(X, y).predict(X), expected)
    assert model.n_iter_ == len(model.validation_scores_) == 5
    model.set_params(max_iter=4)
    with pytest.raises(ValueError, match="max_iter=4 must be at least n_iter_=5"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_what_has_converged_continues_while_it_improves():
    X, y = make_table("regressor")
    params = {"learning_rate_init": 0.1, "n_iter_no_change": 2}
    model = make("regressor", max_iter=200, warm_start=True, **params).fit(X, y)
    n_iter, best = model.n_iter_, model.best_validation_score_
    assert model.converged_
    model.fit(X, y)
    assert n_iter < model.n_iter_ < 200
    assert model.converged_
    assert model.best_validation_score_ >= best


@both
def test_another_learning_rate(kind):
    X, y = make_table(kind)
    model = make(kind, max_iter=3, warm_start=True).fit(X, y)
    model.set_params(max_iter=6, learning_rate_init=0.1).fit(X, y)
    scores = make(kind, max_iter=6).fit(X, y).validation_scores_
    assert model.validation_scores_[:3] == scores[:3]
    assert model.validation_scores_[3] != scores[3]


@pytest.mark.usefixtures("without_shift")
def test_other_rows_are_encoded_as_those_of_the_first_fit():
    X, y = make_table("regressor")
    model = make("regressor", max_iter=3, warm_start=True).fit(X, y)
    names = model.encoder_.get_feature_names_out().tolist()
    before = model.predict(X)
    more = pd.concat([X, X.assign(size=50 + X["size"], colour="pink")])
    # No epoch, so that neither the scale of y nor the encoding has an effect.
    model.fit(more, np.tile(1000 * y, 2))
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.encoder_.get_feature_names_out().tolist() == names
    assert model.oob_prediction_.shape == (300,)
    with pytest.warns(UserWarning, match=SEEN_ROWS):
        model.set_params(max_iter=6).fit(more, np.tile(y, 2))
    assert model.n_iter_ == 6
    assert np.isfinite(model.predict(more)).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_members", 4),
        ("hidden_layer_sizes", (8, 4)),
        ("activation", "tanh"),
        ("categorical_features", ["size"]),
        ("n_bins", 3),
        ("loss", "huber"),
        ("quantile", 0.3),
    ],
)
@pytest.mark.filterwarnings("ignore:quantile=0.3 has no effect with loss=")
def test_what_cannot_change(name, value):
    X, y = make_table("regressor")
    model = make("regressor", max_iter=2, warm_start=True).fit(X, y)
    expected, before = model.predict(X), model.get_params()[name]
    model.set_params(**{name: value})
    with pytest.raises(ValueError, match=f"does not permit another {name}"):
        model.fit(X, y)
    model.set_params(**{name: before, "max_iter": 5}).fit(X, y)
    assert (model.predict(X) != expected).any()


@both
def test_other_columns_and_targets_are_refused(kind):
    X, y = make_table(kind)
    model = make(kind, max_iter=3, warm_start=True).fit(X, y)
    model.set_params(max_iter=6)
    with pytest.raises(ValueError, match="The feature names should match"):
        model.fit(X.rename(columns={"size": "length"}), y)
    with pytest.raises(ValueError, match="The feature names should match"):
        model.fit(X.drop(columns="size"), y)
    with pytest.raises(ValueError, match="Column 'size'"):
        model.fit(X.assign(size="large"), y)
    if kind == "classifier":
        with pytest.raises(ValueError, match="has the same classes"):
            model.fit(X, np.where(np.arange(150) < 9, "middle", y))
    assert model.n_iter_ == 3
    assert_equal(model.fit(X, y), make(kind, max_iter=6).fit(X, y), X)


@pytest.mark.callbacks
@both
def test_a_failure_in_an_epoch_leaves_the_state(kind):
    class Failure:
        n_epochs = 0

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            self.n_epochs += 1
            if self.n_epochs == 3:
                raise RuntimeError("no")

        def teardown(self, estimator, context):
            pass

    X, y = make_table(kind)
    model = make(kind, max_iter=3, warm_start=True).fit(X, y)
    failing = copy.copy(model).set_params(max_iter=9).set_callbacks(Failure())
    with pytest.raises(RuntimeError, match="no"):
        failing.fit(X, y)
    model.set_params(max_iter=7).fit(X, y)
    assert_equal(model, make(kind, max_iter=7).fit(X, y), X)


@pytest.mark.callbacks
@both
def test_restored_weights_are_not_continued_from_the_last_epoch(kind):
    X, y = make_table(kind)
    validation = make_table(kind, seed=1)

    def fit(stopping, **params):
        model = make(kind, warm_start=True, learning_rate_init=0.05, **params)
        return model.set_callbacks(stopping).fit(X, y)

    restored = fit(EarlyStopping(*validation, patience=3))
    (stopping,) = restored._skl_callbacks
    assert stopping.best_iter_ == restored.n_iter_ - 3
    with pytest.raises(ValueError, match="EarlyStopping has restored the weights"):
        restored.fit(X, y)
    # The latest weights, and those of a best last epoch, are continued.
    latest = fit(EarlyStopping(*validation, restore_best=False), max_iter=4)
    best = fit(EarlyStopping(*validation), max_iter=stopping.best_iter_)
    assert best._skl_callbacks[0].best_iter_ == best.n_iter_
    for model in (latest, best):
        model.set_params(max_iter=model.n_iter_ + 1).fit(X, y)
    # A fit without further epochs leaves the scores of the earlier one.
    (stopping,) = latest._skl_callbacks
    scores = stopping.scores_
    latest.fit(X, y)
    assert stopping.scores_ == scores
    assert stopping.best_score_ == max(scores)


def test_a_diverged_training_is_not_continued():
    X, y = make_table("regressor")
    model = make("regressor", learning_rate_init=1e30, warm_start=True)
    with pytest.warns(UserWarning, match="diverged"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="its training diverged"):
        model.set_params(learning_rate_init=0.01).fit(X, y)


@both
@pytest.mark.parametrize("validated", [False, True])
def test_other_rows_are_learned(kind, validated):
    """The best score is that of the present rows, not of rows of an earlier fit."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    easy, hard = X[:, 0], X[:, 1] + 0.5 * rng.normal(size=300)
    if kind == "classifier":
        easy, hard = easy > 0, hard > 0
    model = make(kind, max_iter=25, warm_start=True, n_iter_no_change=5)
    given = {"X_val": X[200:], "y_val": easy[200:]} if validated else {}
    model.fit(X[:200], easy[:200], **given)
    score = model.score(X[200:], hard[200:])
    given = {"X_val": X[200:], "y_val": hard[200:]} if validated else {}
    # Half of the rows have the same class as before, but another fold.
    warns = kind == "classifier" and not validated
    seen = pytest.warns(UserWarning, match=SEEN_ROWS)
    with seen if warns else nullcontext():
        model.set_params(max_iter=100).fit(X[:200], hard[:200], **given)
    assert model.score(X[200:], hard[200:]) > score + 0.2


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("regressor", 1, 2),
        ("regressor", 2, 1),
        ("regressor", 2, 3),
        ("classifier", 1, 2),
        ("classifier", 2, 1),
    ],
)
def test_another_number_of_columns_of_y(kind, first, second):
    X, y = make_table(kind)

    def columns(n):
        if n == 1:
            return y
        numbers = np.random.default_rng(0).normal(size=(len(X), n))
        return numbers if kind == "regressor" else numbers > 0

    model = make(kind, max_iter=2, warm_start=True).fit(X, columns(first))
    with pytest.raises(ValueError, match="another number of columns of y"):
        model.set_params(max_iter=4).fit(X, columns(second))


def test_a_batch_of_unseen_categories_and_a_new_dropout():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"x": rng.normal(size=65), "many": [f"c{i % 20}" for i in range(65)]}
    )
    y = np.arange(65) % 2
    model = make("classifier", max_iter=3, warm_start=True, dropout=0.0).fit(X, y)
    X["many"] = "new"
    model.set_params(max_iter=6, dropout=0.2)
    with pytest.warns(UserWarning, match="has no value that was seen"):
        model.fit(X, y)
    assert model.n_iter_ == 6


def test_equal_values_of_a_parameter_in_other_types():
    X, y = make_table("classifier")
    params = {"max_iter": 2, "warm_start": True, "hidden_layer_sizes": [16]}
    model = make("classifier", **params).fit(X, y)
    for sizes in ((16,), 16, np.array([16])):
        model.set_params(hidden_layer_sizes=sizes).fit(X, y)
    with pytest.raises(ValueError, match="another hidden_layer_sizes"):
        model.set_params(hidden_layer_sizes=(16, 16)).fit(X, y)


def test_refused_targets_are_named_as_given():
    X, y = make_table("regressor")
    y = np.exp(y)
    model = make("regressor", max_iter=2, warm_start=True, loss="poisson").fit(X, y)
    y[0] = -1
    with pytest.raises(ValueError, match=r"minimum of -1\b"):
        model.set_params(max_iter=4).fit(X, y)


def test_other_groups_are_refused():
    """Networks would be validated by rows that they were trained on."""
    X, y, groups = *load_iris(return_X_y=True), np.arange(150) % 30
    model = TabularMLPClassifier(2, 4, max_iter=2, random_state=0, warm_start=True)
    for first, other in (None, groups), (groups, None), (groups, groups // 2):
        fitted = clone(model).fit(X, y, groups=first)
        fitted.set_params(max_iter=3)
        with pytest.raises(ValueError, match="does not permit other groups"):
            fitted.fit(X, y, groups=other)
        fitted.fit(X, y, groups=first)
        at_once = clone(model).set_params(max_iter=3).fit(X, y, groups=first)
        np.testing.assert_array_equal(fitted.predict_proba(X), at_once.predict_proba(X))


@both
def test_a_warning_where_networks_are_validated_by_rows_they_have_seen(kind):
    X, y = make_table(kind)
    X_new, y_new = make_table(kind, seed=1)
    own = {"X_val": X_new, "y_val": y_new}
    first, last = np.arange(150) >= 20, np.arange(150) < 130
    fits = [
        (own, (X, y), {}),
        ({}, (X[50:], y[50:]), {}),
        ({}, (X_new, y_new), {"X_val": X[:20], "y_val": y[:20]}),
        (own, (X[50:], y[50:]), {"X_val": X[:20], "y_val": y[:20]}),
        # Rows of weight 0 are not trained on.
        ({"sample_weight": 1.0 * first}, (X, y), {"sample_weight": 1.0 * last}),
    ]
    for given, rows, given_later in fits:
        model = make(kind, max_iter=2, warm_start=True).fit(X, y, **given)
        for max_iter in (4, 6):
            model.set_params(max_iter=max_iter)
            with pytest.warns(UserWarning, match=SEEN_ROWS):
                model.fit(*rows, **given_later)


@both
def test_no_warning_where_networks_are_validated_by_other_rows(kind):
    X, y = make_table(kind)
    X_new, y_new = make_table(kind, seed=1)
    own = {"X_val": X_new, "y_val": y_new}
    model = make(kind, max_iter=2, warm_start=True).fit(X, y)
    weights = 1 + np.arange(150) % 3
    in_float32 = X.astype({"size": np.float32}).astype({"colour": "category"})
    for rows, given in (
        ((X, y), {"sample_weight": weights}),
        ((in_float32, y), {}),
        ((X_new, y_new), {}),
    ):
        model = make(kind, max_iter=2, warm_start=True).fit(X, y)
        model.set_params(max_iter=4).fit(*rows, **given)
    model = make(kind, max_iter=2, warm_start=True).fit(X, y, **own)
    model.set_params(max_iter=4).fit(X, y, **own)
    # Nor where a few of many are.
    X_val, y_val = make_table(kind, seed=2)
    X_val, y_val = pd.concat([X[:2], X_val]), np.concatenate([y[:2], y_val])
    model.set_params(max_iter=6).fit(X_new, y_new, X_val=X_val, y_val=y_val)
    # Rows of few categories are equal by chance.
    X, y = X[["colour"]], np.resize(np.unique(y)[:2], 150)
    model = make(kind, max_iter=2, warm_start=True).fit(X, y)
    model.set_params(max_iter=4).fit(X[::-1], y)
    letters = np.random.default_rng(0).choice(list("abcde"), (400, 3))
    X, y = pd.DataFrame(letters, columns=["one", "two", "three"]), np.resize(y, 400)
    own = {"X_val": X[300:], "y_val": y[300:]}
    model = make(kind, max_iter=2, warm_start=True).fit(X[:300], y[:300], **own)
    model.set_params(max_iter=4).fit(X[:300], y[:300], **own)


def test_only_rows_that_validate_count():
    X, y = make_table("classifier")
    model = make("classifier", max_iter=2, n_members=1, warm_start=True).fit(X, y)
    with pytest.warns(UserWarning, match=r"by \d\d? of (18|19|20) rows"):
        model.set_params(max_iter=4).fit(X[::-1], y[::-1])


def test_rows_in_another_order_have_other_folds():
    X, y = make_table("classifier")
    model = make("classifier", max_iter=2, warm_start=True).fit(X, y)
    with pytest.warns(UserWarning, match=SEEN_ROWS):
        model.set_params(max_iter=4).fit(X[::-1], y[::-1])
    # But not where the folds follow distinct numbers.
    X, y = make_table("regressor")
    model = make("regressor", max_iter=2, warm_start=True).fit(X, 1e300 * y)
    model.set_params(max_iter=4).fit(X[::-1], 1e300 * y[::-1])
    # These are other rows.
    model.set_params(max_iter=6).fit(X, 1e300 * np.roll(y, 1))


def test_a_constant_y_leaves_no_scale_to_continue():
    X, y = make_table("regressor")
    constant = np.full(150, 0.1)
    model = make("regressor", max_iter=2, warm_start=True).fit(X, constant)
    model.set_params(max_iter=4).fit(X, constant)
    with pytest.raises(ValueError, match="the predictions would stay constant"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="the predictions would stay constant"):
        model.fit(X, constant + 1)
    # A row of weight 0 has no effect on the scale.
    weights = np.arange(150) > 0
    other = np.where(weights, constant, 5)
    model = make("regressor", max_iter=2, warm_start=True).fit(X, other, weights)
    model.set_params(max_iter=4).fit(X, other, weights)
    np.testing.assert_allclose(model.predict(X), 0.1)
    columns = np.stack([y, constant], axis=1)
    model = make("regressor", max_iter=2, warm_start=True).fit(X, columns)
    model.set_params(max_iter=4).fit(X, np.stack([y, constant], axis=1))
    with pytest.raises(ValueError, match="or of a column of y"):
        model.fit(X, np.stack([y, y], axis=1))


def test_other_rows_get_as_many_epochs_without_improvement():
    """The epochs without one are those on the same rows."""
    X, y = make_table("regressor")
    params = {"learning_rate_init": 0.1, "n_iter_no_change": 4}
    model = make("regressor", max_iter=200, warm_start=True, **params).fit(X, y)
    assert model.converged_
    n_iter = model.n_iter_
    # A step of this size improves nothing.
    model.set_params(learning_rate_init=1e-300).fit(*make_table("regressor", seed=1))
    assert model.converged_
    assert model.n_iter_ >= n_iter + 4
