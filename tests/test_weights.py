"""Sample weights and class weights mean what repeated rows mean."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    TabularMLPClassifier,
)

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]


def fit(X, y, sample_weight=None, **params):
    mlp = BackpropMLPClassifier(hidden_layer_sizes=5, random_state=0, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mlp.fit(X, y, sample_weight)


def assert_same_weights(a, b, rtol):
    for one, other in zip(
        a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True
    ):
        assert np.linalg.norm(one - other) <= rtol * np.linalg.norm(other)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1, 1: 3, 2: 0.5}])
@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_are_repeated_rows(solver, class_weight, blobs):
    X, y, weights = blobs
    weights[::7] = 0
    repeated = np.repeat(np.arange(len(y)), weights)
    params = {
        "solver": solver,
        "class_weight": class_weight,
        "max_iter": 4,
        "max_fun": 4,
        "batch_size": "auto",
    }
    weighted = fit(X, y, weights, **params)
    assert_same_weights(weighted, fit(X[repeated], y[repeated], **params), rtol=1e-8)


def test_class_weight_is_a_sample_weight(iris):
    X, y = iris
    per_class = {0: 1.0, 1: 5.0, 2: 0.1}
    params = {"solver": "lbfgs", "max_iter": 10}
    by_class = fit(X, y, class_weight=per_class, **params)
    by_row = fit(X, y, np.array([per_class[label] for label in y]), **params)
    assert_same_weights(by_class, by_row, rtol=1e-9)
    names = np.array(["a", "b", "c"])[y]
    named = fit(X, names, class_weight=dict(zip("abc", (1, 5, 0.1))), **params)  # noqa: B905
    assert_same_weights(by_class, named, rtol=1e-12)


def test_partial_class_weight_leaves_the_others_at_one(iris):
    params = {"solver": "lbfgs", "max_iter": 5}
    some = fit(*iris, class_weight={1: 5.0}, **params)
    assert_same_weights(
        some, fit(*iris, class_weight={0: 1, 1: 5, 2: 1}, **params), 1e-12
    )


def test_scale_of_the_weights_matters_only_to_the_penalty(iris):
    """J divides by the sum of weights, so alpha is relative to that."""
    X, y = iris
    params = {"solver": "lbfgs", "max_iter": 5}
    once = fit(X, y, np.ones(len(y)), alpha=1.0, **params)
    twice = fit(X, y, np.full(len(y), 2.0), alpha=2.0, **params)
    assert_same_weights(once, twice, rtol=1e-9)


def test_a_minibatch_of_zero_weight_makes_no_step(iris):
    X, y = iris
    weights = np.zeros(len(y))
    weights[:50] = 1
    params = {"solver": "sgd", "shuffle": False, "batch_size": 50, "max_iter": 3}
    assert_same_weights(
        fit(X, y, weights, **params),
        fit(
            np.vstack([X[:50], X[50:52]]),
            np.r_[y[:50], 1, 2],
            np.r_[np.ones(50), 0, 0],
            **{**params, "batch_size": 50},
        ),
        rtol=1e-12,
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_row_of_weight_zero_may_have_an_infinite_loss(solver, loss, iris):
    X, _ = iris
    y, weights = np.exp(X[:, 0] / 4), np.ones(len(X))
    weights[:20] = 0
    far = X.copy()
    far[:20] *= [1e6, -1e6, 1e6, -1e6]
    mlp = BackpropMLPRegressor(
        loss, hidden_layer_sizes=5, solver=solver, max_iter=9, random_state=0
    )
    there = [clone(mlp).fit(values, y, weights) for values in (X, far)]
    assert_same_weights(*there, rtol=1e-9)


def test_multilabel_class_weight(iris):
    """A row's weight is the product of its labels' weights."""
    X, y = iris
    Y = np.c_[y == 0, X[:, 1] > 0].astype(int)
    by_class = [{0: 1, 1: 3}, {0: 0.5, 1: 1}]
    weights = np.where(Y[:, 0], 3.0, 1.0) * np.where(Y[:, 1], 1.0, 0.5)
    params = {"solver": "lbfgs", "max_iter": 5}
    assert_same_weights(
        fit(X, Y, class_weight=by_class, **params), fit(X, Y, weights, **params), 1e-12
    )
    with pytest.raises(ValueError, match="for multilabel targets only"):
        fit(X, y, class_weight=by_class)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_class_weight_of_a_label_that_is_not_there_is_ignored(solver, iris):
    """As a fold may lack it; without a word if each class has a key."""
    params = {"solver": solver, "max_iter": 3}
    complete = {0: 1.0, 1: 3.0, 2: 0.5}
    assert_same_weights(
        fit(*iris, class_weight={**complete, 7: 2.0, "rose": 1.0}, **params),
        fit(*iris, class_weight=complete, **params),
        rtol=1e-12,
    )
    with pytest.warns(UserWarning, match=r"no class, 7, 'rose' \(of type int and str"):
        mlp = fit(*iris, class_weight={1: 3.0, 7: 2.0, "rose": 1.0}, **params)
    assert_same_weights(mlp, fit(*iris, class_weight={1: 3.0}, **params), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", [BackpropMLPClassifier, TabularMLPClassifier])
@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (["no", "yes"], {"Yes": 50}, "no class, 'Yes' .* classes are 'no', 'yes'"),
        (["no", "yes"], {"yes ": 50, "no": 1}, "no class, 'yes ' .*a key as it is wr"),
        # As VotingClassifier encodes the classes 1 and 2.
        ([0, 1], {1: 50, 2: 1}, "no class, 2 .* classes are 0, 1 .*VotingClassifier"),
        ([[0, 1], [1, 1]], [{0: 1, 1: 9}, {2: 50}], "no class, 2 .* classes are 0, 1"),
    ],
)
def test_class_weight_with_keys_that_are_no_class(estimator, y, class_weight, message):
    X = np.random.default_rng(0).normal(size=(20, 1))
    mlp = estimator(class_weight=class_weight, max_iter=1)
    with pytest.warns(UserWarning, match=message):
        mlp.fit(X, y * 10)


@pytest.mark.parametrize("estimator", [BackpropMLPClassifier, TabularMLPClassifier])
@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (
            ["0", "1"],
            {1: 50},
            r"keys, 1 \(of type int\): the classes are '0', '1' \(of type str\)",
        ),
        ([False, True], {"True": 50}, r"'True' \(of type str\): .* \(of type bool\)"),
        ([0, 1], {"0": 1, "1": 50}, "Convert the keys to the type of the classes"),
        (list("abcdefg"), {None: 2}, r"'a', 'b', 'c', 'd', 'e', \.\.\. \(of type str"),
        (
            [[0, 1], [1, 1]],
            [{"1": 9}, {}],
            r"'1' \(of type str\): the classes are 0, 1",
        ),
    ],
)
def test_class_weight_with_keys_of_another_type_than_the_classes(
    estimator, y, class_weight, message
):
    X = np.random.default_rng(0).normal(size=(10 * len(y), 1))
    with pytest.raises(ValueError, match=message):
        estimator(class_weight=class_weight).fit(X, y * 10)


@pytest.mark.parametrize(
    ("y", "key"),
    [
        # A fold lacks the class of the key.
        (["a", "b"], "c"),
        ([False, False], True),
        ([1.0, 2.0], 3),
    ],
)
def test_class_weight_of_a_class_that_a_fold_lacks(y, key):
    X = np.arange(10.0)[:, np.newaxis]
    params = {"solver": "lbfgs", "max_iter": 3}
    with pytest.warns(UserWarning, match=f"class_weight has keys .* no class, {key!r}"):
        mlp = fit(X, y * 5, class_weight={key: 2.0}, **params)
    assert_same_weights(mlp, fit(X, y * 5, **params), rtol=1e-12)
    complete = {**dict.fromkeys(y, 1.0), key: 2.0}
    mlp = fit(X, y * 5, class_weight=complete, **params)
    assert_same_weights(mlp, fit(X, y * 5, **params), rtol=1e-12)


@pytest.mark.parametrize(
    ("y", "key"), [([False, True], 1), ([0, 1], True), ([0, 1], np.float32(1))]
)
def test_class_weight_with_a_key_that_equals_a_class(y, key):
    X = np.arange(10.0)[:, np.newaxis]
    params = {"solver": "lbfgs", "max_iter": 3}
    assert_same_weights(
        fit(X, y * 5, class_weight={key: 2.0}, **params),
        fit(X, y * 5, np.array([1.0, 2.0] * 5), **params),
        rtol=1e-12,
    )


def test_multilabel_balanced_counts_the_sample_weights(iris):
    """Weighted rows are repeated rows."""
    X, y = iris
    Y = np.c_[y == 0, X[:, 1] > 0.3].astype(int)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), weights)
    params = {"solver": "lbfgs", "max_iter": 5, "class_weight": "balanced"}
    assert_same_weights(
        fit(X, Y, weights, **params), fit(X[repeated], Y[repeated], **params), 1e-8
    )
    # n / (2 n_present) for a row with the label, n / (2 n_absent) for one without.
    shares = Y.mean(axis=0)
    product = np.where(Y, 0.5 / shares, 0.5 / (1 - shares)).prod(axis=1)
    unweighted = {**params, "class_weight": None}
    assert_same_weights(fit(X, Y, **params), fit(X, Y, product, **unweighted), 1e-9)


@pytest.mark.parametrize(
    ("dtype", "weight", "message"),
    [
        (np.float64, 1e-320, "too small for float64"),
        (np.float64, 1e308, "too large for float64"),
        (np.float32, 1e37, "too large for float32"),
    ],
)
def test_sums_of_weights_that_are_no_numbers(dtype, weight, message, iris):
    X, y = iris
    with pytest.raises(ValueError, match=f"sum of .*sample_weight.*{message}"):
        fit(X.astype(dtype), y, np.full(len(y), weight))


def test_a_batch_that_weighs_next_to_nothing_makes_no_step(iris):
    X, y = iris
    weights = np.full(len(y), 1e-320)
    weights[:50] = 1
    params = {"solver": "sgd", "shuffle": False, "batch_size": 50, "max_iter": 3}
    assert_same_weights(
        fit(X, y, weights, **params), fit(X, y, weights.round(), **params), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 1}, "should be a list of dicts"),
        ([{0: 1}], "number of elements in class_weight"),
        ([{0: 1}, "balanced"], "must be a list of dicts"),
        ([{0: 1}, {1: -3}], "got -3 for the label 1"),
        ([{0: 1e308, 1: 1e308}, {0: 1e308, 1: 1e308}], "sum of .*, inf, is too large"),
        ([{0: 10**400}, {}], "must be finite and not negative, got 1000"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bad_multilabel_class_weight(class_weight, message, iris):
    X, y = iris
    with pytest.raises(ValueError, match=message):
        fit(X, np.c_[y == 0, y == 1].astype(int), class_weight=class_weight)


def test_multilabel_class_weights_that_overflow_where_another_is_zero(iris):
    Y = np.ones((len(iris[1]), 3), int)
    class_weight = [{1: 1e308}, {1: 1e308}, {1: 0}]
    with pytest.raises(ValueError, match=r"sum of class_weight .* is too large"):
        fit(iris[0], Y, class_weight=class_weight)


def test_the_end_is_judged_by_the_weighted_loss():
    """The loss of an epoch counts batches by their rows, not by their weights."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 3)), (rng.random(400) < 0.015).astype(int)
    weights = np.where(y == 1, 30.0, 1.0)
    params = {"solver": "sgd", "learning_rate_init": 0.1, "max_iter": 3}
    constant = log_loss(
        y, np.full(400, np.average(y, weights=weights)), sample_weight=weights
    )
    are_said = []
    for seed in range(6):
        mlp = BackpropMLPClassifier(5, batch_size=8, random_state=seed, **params)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            mlp.fit(X, y, sample_weight=weights)
        loss = log_loss(y, mlp.predict_proba(X), sample_weight=weights)
        is_said = any("that of the best constant" in str(w.message) for w in caught)
        assert is_said == (loss > 1.05 * constant + 0.01)
        are_said.append(is_said and mlp.loss_ < constant)
    assert any(are_said)


def test_balanced_counts_the_classes_that_have_weight(iris):
    X, y = iris
    weights = np.where(y == 2, 0.0, np.arange(150) % 3 + 1.0)
    sums = np.bincount(y, weights)
    explicit = {0: sums.sum() / (2 * sums[0]), 1: sums.sum() / (2 * sums[1]), 2: 0}
    balanced, other = (
        fit(X, y, weights, solver="lbfgs", alpha=5.0, class_weight=class_weight)
        for class_weight in ("balanced", explicit)
    )
    np.testing.assert_allclose(balanced.coefs_[0], other.coefs_[0])


def test_held_out_rows_are_scored_by_their_weights():
    """Half of the rows have little weight, and the labels of the others swapped."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    is_light = np.arange(200) < 100
    y = ((X[:, 0] > 0) ^ is_light).astype(int)
    mlp = fit(
        X,
        y,
        np.where(is_light, 1e-6, 1.0),
        early_stopping=True,
        max_iter=60,
        validation_fraction=0.3,
        learning_rate_init=0.03,
    )
    assert mlp.best_validation_score_ > 0.7


def test_weights_count_in_a_batch_of_several_blocks():
    X, y = np.random.default_rng(0).normal(size=(20_000, 2)), np.arange(20_000) % 2
    weights = np.where(y == 0, 5.0, 0.1)
    params = {"solver": "sgd", "batch_size": len(y), "max_iter": 1, "shuffle": False}
    mlp = fit(X, y, weights, alpha=0, **params)
    start = BackpropMLPClassifier(5, alpha=0, random_state=0).initialize(X, y)
    expected, _ = start.loss_and_gradient(X, y, weights)
    assert mlp.loss_curve_[0] == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_few_rows_of_weight_among_many():
    """None of them is in the sample of 65,536 rows that seed 0 draws."""
    n_rows = 70_000
    sample = np.random.RandomState(0).choice(n_rows, 2**16)
    y, weights = np.arange(float(n_rows)), np.zeros(n_rows)
    weights[np.setdiff1d(np.arange(n_rows), sample)[:3]] = 1
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=2, solver="sgd", learning_rate_init=1e-12, max_iter=1
    )
    with pytest.warns(ConvergenceWarning, match="best constant"):
        mlp.fit(y[:, np.newaxis] / n_rows, y, weights)


def test_a_row_without_weight_and_of_infinite_loss_hides_no_useless_network():
    X, y, weights = (
        np.linspace(0, 1, 40)[:, np.newaxis],
        np.arange(50.0, 90),
        np.ones(40),
    )
    X[7], weights[7] = 1e9, 0
    params = {"activation": "identity", "learning_rate_init": 1e-9, "max_iter": 20}
    mlp = BackpropMLPRegressor("poisson", 3, random_state=0, **params)
    with pytest.warns(ConvergenceWarning, match="best constant"):
        mlp.fit(X, y, weights)


def test_r2_of_held_out_rows_counts_their_weights():
    rng = np.random.default_rng(0)
    X, y, is_light = (
        rng.normal(size=(60, 3)),
        rng.normal(size=60),
        np.arange(60) % 2 > 0,
    )
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=3,
        early_stopping=True,
        validation_fraction=0.5,
        max_iter=4,
        random_state=0,
    )
    scores = []
    for targets in (y, np.where(is_light, 50.0, y)):
        with pytest.warns(ConvergenceWarning):
            mlp.fit(X, targets, np.where(is_light, 1e-12, 1))
        scores.append(mlp.validation_scores_)
    assert scores[1] == pytest.approx(scores[0], abs=1e-6)
