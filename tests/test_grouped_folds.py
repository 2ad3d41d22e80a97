"""Folds that are trained as one stack end as each by itself would."""

from itertools import groupby

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from probes import StackSizes, watched_rule, watched_tanh
from sklearn.datasets import make_multilabel_classification, make_regression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
)

# Groups with different seeds meet in a halving search alone, for few of all seeds.
from skmlp_backprop._search.stacking import fold_key, prepare_rows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"alpha": [1e-3, 1.0], "learning_rate_init": [0.003, 0.03]}


@pytest.fixture
def stacks():
    return StackSizes()


@pytest.fixture
def rows():
    """So many that five folds have 162 or 163 rows to train on."""
    rng = np.random.RandomState(0)
    X = rng.randn(203, 5)
    return X, (X @ rng.randn(5, 3)).argmax(axis=1)


def make(solver, kind=BackpropMLPClassifier, **params):
    params = {"hidden_layer_sizes": (6, 4), "batch_size": 20, "max_iter": 6, **params}
    return kind(**{"solver": solver, "random_state": 0, **params})


def assert_equal_to_own_fits(estimator, X, y, grid=GRID, **params):
    params = {"cv": KFold(5), "refit": False, "return_train_score": True, **params}
    ours = StackedGridSearchCV(estimator, grid, **params).fit(X, y).cv_results_
    theirs = GridSearchCV(estimator, grid, **params).fit(X, y).cv_results_
    scores = [key for key in theirs if key.startswith("split")]
    assert len(scores) == 10
    for key in scores:
        np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-9, err_msg=key)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"shuffle": False},
        {"average_epochs": 1},
        {"learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 2},
        {"learning_rate": "cosine"},
        {"batch_size": "auto"},
        # Of as many rows as the smaller folds have, and one more.
        {"batch_size": 162, "alpha": 10.0},
        {"tol": 0.05, "n_iter_no_change": 1, "max_iter": 60},
        {"random_state": np.int64(3)},
        {"hidden_layer_sizes": ()},
    ],
    ids=str,
)
def test_folds_whose_last_batches_differ(rows, stacks, solver, params):
    if solver == "adam" and params.get("learning_rate") == "adaptive":
        del params["learning_rate"]
    mlp = make(stacks.rules[solver], **params)
    assert_equal_to_own_fits(mlp, *rows, scoring="neg_log_loss")
    # Folds with other batches, or more of them, are another stack. A fold has four
    # candidates.
    is_one = params.get("batch_size") not in ("auto", 162)
    assert stacks.shared == ([20] if is_one else [12, 8])


def test_last_batches_differ_in_more_rows_than_are_gathered_at_once(stacks):
    """Five folds of 1602 or 1603 training rows have more than 2**20 bytes."""
    rng = np.random.RandomState(0)
    X = rng.randn(2003, 20)
    y = X[:, 0] > rng.randn(2003)
    mlp = make(stacks.sgd, batch_size=90, max_iter=2)
    assert_equal_to_own_fits(mlp, X, y, scoring="neg_log_loss")
    assert stacks.shared == [20]


@pytest.mark.parametrize("n_alphas", [1, 2])
def test_shapes_are_a_stack_each(rows, stacks, n_alphas):
    """Also where there is one candidate of a shape."""
    shapes = [(6,), (4, 3), ()]
    grid = {"hidden_layer_sizes": shapes, "alpha": [0.1, 1.0][:n_alphas]}
    assert_equal_to_own_fits(make(stacks.sgd), *rows, grid, scoring="neg_log_loss")
    assert stacks.shared == [5 * n_alphas] * 3


def test_a_candidate_in_each_process_is_alone(rows, stacks):
    search = StackedGridSearchCV(make(stacks.sgd), {"alpha": [0.1]}, cv=2, n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(*rows)
    assert stacks.shared == []
    assert search.n_fits_alone_ == {"no other candidate can share its stack": 2}


def test_folds_with_one_batch_more_are_by_themselves(stacks):
    rng = np.random.RandomState(0)
    X = rng.randn(201, 5)
    assert_equal_to_own_fits(make(stacks.sgd), X, X[:, 0] > 0, scoring="neg_log_loss")
    # 160 rows and 161 in batches of 20.
    assert stacks.shared == [4, 16]


def test_multilabel(stacks):
    X, y = make_multilabel_classification(203, 8, random_state=0)
    assert_equal_to_own_fits(make(stacks.sgd), X, y, scoring="accuracy")
    assert stacks.shared == [20]


@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile"])
def test_numbers(stacks, loss):
    X, y = make_regression(203, 6, n_targets=2, random_state=0)
    mlp = make(stacks.sgd, BackpropMLPRegressor, loss=loss)
    assert_equal_to_own_fits(mlp, X, y / y.std())
    assert stacks.shared == [20]


def test_classes_that_a_fold_lacks(rows, stacks):
    """Networks of one shape are together, whatever their classes are."""
    X, y = rows
    y = y.copy()
    # All of class 2 are in the last fold.
    y[y == 2] = 1
    y[-10:] = 2
    y[0] = 5
    grid = {"alpha": [0.1, 1.0]}
    assert_equal_to_own_fits(make(stacks.sgd), X, y, grid, scoring="accuracy")
    # One fold lacks a class, another one another; the rest have all four.
    assert stacks.shared == [4, 6]


def test_a_fold_of_one_class(rows, stacks):
    """Its output has one unit as well, but is no sigmoid."""
    X, y = rows[0], np.where(np.arange(203) < 150, 0, np.arange(203) % 2)
    trained = np.arange(100), np.arange(103, 203)
    folds = [(train, np.setdiff1d(np.arange(203), train)) for train in trained]
    params = {"cv": folds, "refit": False}
    params["scoring"] = lambda mlp, X, y: float(mlp.predict_proba(X)[:, 0].mean())
    search = StackedGridSearchCV(make(stacks.sgd), {"alpha": [0.1, 1]}, **params)
    ours = search.fit(X, y).cv_results_["mean_test_score"]
    assert stacks.shared == [2, 2]
    theirs = GridSearchCV(make("sgd"), {"alpha": [0.1, 1]}, **params).fit(X, y)
    np.testing.assert_allclose(ours, theirs.cv_results_["mean_test_score"], rtol=1e-9)


def test_pipelines(rows, stacks):
    X, y = rows
    pipeline = make_pipeline(StandardScaler(), make(stacks.sgd))
    grid = {f"backpropmlpclassifier__{name}": values for name, values in GRID.items()}
    assert_equal_to_own_fits(pipeline, X * 7 + 3, y, grid, scoring="neg_log_loss")
    assert stacks.shared == [20]


@pytest.mark.parametrize(
    ("params", "as_handed_over"),
    [
        ({"dropout": 0.2}, np.asarray),
        ({"early_stopping": True}, np.asarray),
        ({"class_weight": "balanced"}, np.asarray),
        ({"input_activation": "tanh"}, np.asarray),
        ({"batch_size": 160, "hidden_layer_sizes": 120}, lambda X: np.tile(X, 12)),
        ({}, sp.csr_array),
    ],
)
def test_others_are_by_themselves(rows, stacks, params, as_handed_over):
    X, y = rows
    mlp = make(stacks.sgd, **{"max_iter": 2, **params})
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, refit=False)
    search.fit(as_handed_over(X), y)
    assert stacks.shared == [2] * 5
    assert search.n_stacked_ == 10


def test_seeds_are_by_themselves(rows, stacks):
    grid = {"random_state": [0, 1]}
    assert_equal_to_own_fits(make(stacks.sgd), *rows, grid, scoring="neg_log_loss")
    assert stacks.shared == [2] * 5


def test_float32_and_layouts(rows, stacks):
    X, y = rows
    X = np.asfortranarray(X, np.float32)
    mlp, params = make(stacks.sgd), {"cv": KFold(5), "refit": False}
    search = StackedGridSearchCV(mlp, GRID, **params).fit(X, y)
    own = GridSearchCV(mlp, GRID, **params).fit(X, y)
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_allclose(search.cv_results_[key], own.cv_results_[key])
    assert stacks.shared == [20]


@pytest.mark.parametrize("cv", [KFold(5), KFold(4)])
def test_survivors_of_a_halving_go_on_across_folds(rows, cv):
    sizes = []
    tanh = watched_tanh(on_backward=lambda kept: sizes.append(len(kept)))
    mlp = make("sgd", activation=tanh, max_iter=12, tol=0, n_iter_no_change=100)
    params = {"cv": cv, "scoring": "neg_log_loss", "refit": False}
    search = StackedHalvingGridSearchCV(mlp, GRID, factor=2, **params).fit(*rows)
    assert search.n_candidates_ == [4, 2, 1]
    assert [size for size, _ in groupby(sizes)] == [n * cv.n_splits for n in (4, 2, 1)]
    results = search.cv_results_
    own = GridSearchCV(
        mlp,
        [{k: [v] for k, v in one.items()} for one in results["params"]],
        **params,
    ).fit(*rows)
    np.testing.assert_allclose(
        results["mean_test_score"], own.cv_results_["mean_test_score"], rtol=1e-9
    )


@pytest.mark.parametrize(
    ("n_rows", "n_folds", "sizes"), [(22_500, 6, [10, 2]), (42_000, 2, [2, 2])], ids=str
)
def test_many_rows_do_not_wait(n_rows, n_folds, sizes, stacks):
    """64 MB wait at most, which five of six folds have; 16 MB are by themselves."""
    X = np.random.RandomState(0).randn(n_rows, 100)
    mlp = make(stacks.sgd, batch_size=500, max_iter=1)
    params = {"cv": KFold(n_folds), "refit": False}
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, **params)
    search.fit(X, np.arange(n_rows) % 2)
    assert stacks.sizes == sizes


def test_who_diverges_disturbs_no_other_fold(rows, stacks):
    X, y = rows
    grid = {"learning_rate_init": [0.003, 1e12, 0.03]}
    assert_equal_to_own_fits(
        make(stacks.sgd, activation="relu"),
        X,
        y,
        grid,
        scoring="accuracy",
        error_score="raise",
    )
    assert stacks.shared == [15]


def test_a_failure_costs_its_fold_alone(rows):
    """Each fold is tried by itself when all together have failed."""

    def fail(parameters, state, rate):
        if parameters.n_stack > 4:
            raise ValueError("too many")

    mlp = make(watched_rule("sgd", fail))
    assert_equal_to_own_fits(mlp, *rows, scoring="neg_log_loss")
    search = StackedGridSearchCV(mlp, GRID, refit=False).fit(*rows)
    assert search.n_stacked_ == 20
    assert search.n_fits_alone_ == {}


def test_after_a_failure_candidates_have_no_parameters_of_others(rows):
    """They are then fitted one after another."""

    def fail(parameters, state, rate):
        if parameters.n_stack > 1:
            raise ValueError("too many")

    mlp = make(watched_rule("sgd", fail))
    grid = [{"alpha": [10.0]}, {"learning_rate_init": [0.03]}]
    assert_equal_to_own_fits(mlp, *rows, grid, scoring="neg_log_loss")


def test_a_failure_of_those_that_go_on(rows, stacks):
    """Their networks may have been changed: they begin anew, one by one."""

    def fail(parameters, state, rate):
        state["n_taken"] = state.get("n_taken", 0) + 1
        # The first rung has three epochs of nine batches.
        if state["n_taken"] > 27 and parameters.n_stack > 1:
            raise ValueError("too far")

    params = {"factor": 2, "scoring": "neg_log_loss", "refit": False}
    plain, failing = (
        StackedHalvingGridSearchCV(
            make(rule, max_iter=12, tol=0, n_iter_no_change=100), GRID, **params
        ).fit(*rows)
        for rule in (stacks.sgd, watched_rule("sgd", fail))
    )
    assert failing.n_fits_alone_ == {
        "the fit of its stack failed": 10,
        "no other candidate can share its stack": 5,
    }
    np.testing.assert_allclose(
        failing.cv_results_["mean_test_score"],
        plain.cv_results_["mean_test_score"],
        rtol=1e-9,
    )


@pytest.mark.parametrize(
    ("params", "grid", "sizes"),
    [
        ({}, {"alpha": [0.1, 7.0], "learning_rate_init": [0.1, 0.5]}, [8]),
        ({}, {"activation": ["relu", "tanh"]}, [2, 2]),
        ({}, {"batch_size": [20, 30]}, [2, 2]),
        ({}, {"solver": ["sgd", "adam"]}, [2, 2]),
        # Different orders of the rows.
        ({}, {"random_state": [0, 1]}, [2, 2]),
        ({"shuffle": False}, {"random_state": [0, 1]}, [4]),
    ],
    ids=str,
)
def test_who_are_together(rows, params, grid, sizes, stacks):
    X, y = rows
    if "solver" in grid:
        grid = {"solver": [stacks.rules[name] for name in grid["solver"]]}
    search = StackedGridSearchCV(
        make(stacks.sgd, **params), grid, cv=KFold(2), refit=False
    )
    search.fit(X[:200], y[:200])
    assert stacks.sizes == sizes


@pytest.mark.parametrize(
    ("n_units", "expected"), [(100, {6}), (120, {3}), (2000, {2, 1})]
)
def test_large_groups_are_by_themselves(rows, n_units, expected):
    """A network's largest array is 50 rows x units: a fold shares 128 KB of these.

    A stack has 2 MB.
    """
    X, y = rows
    sizes = set()
    tanh = watched_tanh(on_backward=lambda kept: sizes.add(len(kept)))
    mlp = make("sgd", hidden_layer_sizes=n_units, activation=tanh, batch_size=50)
    search = StackedGridSearchCV(mlp, {"alpha": [1, 2, 3]}, cv=KFold(2), refit=False)
    search.fit(X[:200], y[:200])
    assert sizes == expected


def test_folds_with_large_batches_are_trained_by_themselves():
    """A batch of more rows than a pass takes at a time is cut, which groups are not."""
    rng = np.random.RandomState(0)
    X = rng.randn(6000, 4)
    y = (X[:, 0] > 0).astype(int)
    mlp = make("sgd", hidden_layer_sizes=3, batch_size=3000, max_iter=8)
    search = StackedHalvingGridSearchCV(
        mlp, GRID, factor=2, min_resources=2, cv=2, refit=False, error_score="raise"
    ).fit(X, y)
    # The last rung has one candidate.
    assert search.n_fits_alone_ == {"no other candidate can share its stack": 2}
    assert search.n_stacked_ == 2 * sum(search.n_candidates_[:-1])


@pytest.mark.parametrize("shuffle", [False, True])
def test_groups_with_different_seeds_are_trained_apart(rows, shuffle):
    groups = [[make("adam", shuffle=shuffle, random_state=seed)] for seed in (0, 1)]
    first, second = (fold_key(g, prepare_rows(g[0], *rows)[0]) for g in groups)
    assert first is not None
    assert first != second
