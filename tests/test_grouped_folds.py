"""Folds that are trained as one stack end as each by itself would."""

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
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
from skmlp_backprop._estimators import devices
from skmlp_backprop._network.batches import GroupedBatches, Rows
from skmlp_backprop._network.losses import SoftmaxLogLoss
from skmlp_backprop._network.network import Network
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.outputs import SoftmaxOutput
from skmlp_backprop._network.parameters import Parameters
from skmlp_backprop._search import fits, stacking, tasks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"alpha": [1e-3, 1.0], "learning_rate_init": [0.003, 0.03]}


@pytest.fixture
def together(monkeypatch):
    """For each training across folds, the number of these."""
    numbers = []
    train_groups = fits.train_groups

    def counted(groups, paused):
        if len(groups) > 1:
            numbers.append(len(groups))
        return train_groups(groups, paused)

    monkeypatch.setattr(fits, "train_groups", counted)
    return numbers


@pytest.fixture
def rows():
    """So many that five folds have 162 or 163 rows to train on."""
    rng = np.random.RandomState(0)
    X = rng.randn(203, 5)
    return X, (X @ rng.randn(5, 3)).argmax(axis=1)


def make(kind=BackpropMLPClassifier, **params):
    params = {"hidden_layer_sizes": (6, 4), "batch_size": 20, "max_iter": 6, **params}
    return kind(**{"solver": "sgd", "random_state": 0, **params})


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
def test_folds_whose_last_batches_differ(rows, together, solver, params):
    params = {"solver": solver, **params}
    if solver == "adam" and params.get("learning_rate") == "adaptive":
        del params["learning_rate"]
    assert_equal_to_own_fits(make(**params), *rows, scoring="neg_log_loss")
    # Folds with other batches, or more of them, are another stack.
    is_one = params.get("batch_size") not in ("auto", 162)
    assert together == ([5] if is_one else [3, 2])


@pytest.mark.parametrize("n_alphas", [1, 2])
def test_shapes_are_a_stack_each(rows, together, n_alphas):
    """Also where there is one candidate of a shape."""
    shapes = [(6,), (4, 3), ()]
    grid = {"hidden_layer_sizes": shapes, "alpha": [0.1, 1.0][:n_alphas]}
    assert_equal_to_own_fits(make(), *rows, grid, scoring="neg_log_loss")
    assert together == [5, 5, 5]


def test_a_candidate_in_each_process_is_alone(rows, together):
    search = StackedGridSearchCV(make(), {"alpha": [0.1]}, cv=2, n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(*rows)
    assert together == []
    assert search.n_fits_alone_ == {"no other candidate can share its stack": 2}


def test_folds_with_one_batch_more_are_by_themselves(together):
    rng = np.random.RandomState(0)
    X = rng.randn(201, 5)
    assert_equal_to_own_fits(make(), X, X[:, 0] > 0, scoring="neg_log_loss")
    # 160 rows and 161 in batches of 20.
    assert together == [4]


def test_multilabel(together):
    X, y = make_multilabel_classification(203, 8, random_state=0)
    assert_equal_to_own_fits(make(), X, y, scoring="accuracy")
    assert together == [5]


@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile"])
def test_numbers(together, loss):
    X, y = make_regression(203, 6, n_targets=2, random_state=0)
    mlp = make(BackpropMLPRegressor, loss=loss)
    assert_equal_to_own_fits(mlp, X, y / y.std())
    assert together == [5]


def test_classes_that_a_fold_lacks(rows, together):
    """Networks of one shape are together, whatever their classes are."""
    X, y = rows
    y = y.copy()
    # All of class 2 are in the last fold.
    y[y == 2] = 1
    y[-10:] = 2
    y[0] = 5
    grid = {"alpha": [0.1, 1.0]}
    assert_equal_to_own_fits(make(), X, y, grid, scoring="accuracy")
    # One fold lacks a class, another one another; the rest have all four.
    assert together == [2, 3]


def test_pipelines(rows, together):
    X, y = rows
    pipeline = make_pipeline(StandardScaler(), make())
    grid = {f"backpropmlpclassifier__{name}": values for name, values in GRID.items()}
    assert_equal_to_own_fits(pipeline, X * 7 + 3, y, grid, scoring="neg_log_loss")
    assert together == [5]


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
def test_others_are_by_themselves(rows, together, params, as_handed_over):
    X, y = rows
    mlp = make(**{"max_iter": 2, **params})
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, refit=False)
    search.fit(as_handed_over(X), y)
    assert together == []
    assert search.n_stacked_ == 10


def test_seeds_are_by_themselves(rows, together):
    grid = {"random_state": [0, 1]}
    assert_equal_to_own_fits(make(), *rows, grid, scoring="neg_log_loss")
    assert together == []


def test_float32_and_layouts(rows, together):
    X, y = rows
    X = np.asfortranarray(X, np.float32)
    search = StackedGridSearchCV(make(), GRID, cv=KFold(5), refit=False).fit(X, y)
    own = GridSearchCV(make(), GRID, cv=KFold(5), refit=False).fit(X, y)
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_allclose(search.cv_results_[key], own.cv_results_[key])
    assert together == [5]


@pytest.mark.parametrize("cv", [KFold(5), KFold(4)])
def test_survivors_of_a_halving_go_on_across_folds(rows, together, cv):
    mlp = make(max_iter=12, tol=0, n_iter_no_change=100)
    params = {"cv": cv, "scoring": "neg_log_loss", "refit": False}
    search = StackedHalvingGridSearchCV(mlp, GRID, factor=2, **params).fit(*rows)
    assert search.n_candidates_ == [4, 2, 1]
    assert together == [cv.n_splits] * 3
    results = search.cv_results_
    own = GridSearchCV(
        mlp,
        [{k: [v] for k, v in one.items()} for one in results["params"]],
        **params,
    ).fit(*rows)
    np.testing.assert_allclose(
        results["mean_test_score"], own.cv_results_["mean_test_score"], rtol=1e-9
    )


def test_rows_do_not_wait_in_any_number(rows, together, monkeypatch):
    # Two folds' rows are more, and the fifth is left.
    monkeypatch.setattr(tasks, "_MOST_WAITING", 10000)
    assert_equal_to_own_fits(make(), *rows, scoring="neg_log_loss")
    assert together == [2, 2]


def test_who_diverges_disturbs_no_other_fold(rows, together):
    X, y = rows
    grid = {"learning_rate_init": [0.003, 1e12, 0.03]}
    assert_equal_to_own_fits(
        make(activation="relu"), X, y, grid, scoring="accuracy", error_score="raise"
    )
    assert together == [5]


def test_a_failure_costs_its_fold_alone(rows, monkeypatch):
    """Each fold is tried by itself when all together have failed."""
    train_groups = fits.train_groups

    def single_only(groups, paused):
        return train_groups(groups, paused) if len(groups) == 1 else _fail()

    monkeypatch.setattr(fits, "train_groups", single_only)
    assert_equal_to_own_fits(make(), *rows, scoring="neg_log_loss")
    search = StackedGridSearchCV(make(), GRID, refit=False).fit(*rows)
    assert search.n_stacked_ == 20
    assert search.n_fits_alone_ == {}


def test_a_failure_of_those_that_go_on(rows, monkeypatch):
    """Their networks may have been changed: they begin anew, one by one."""
    params = {"factor": 2, "scoring": "neg_log_loss", "refit": False}
    mlp = make(max_iter=12, tol=0, n_iter_no_change=100)
    plain = StackedHalvingGridSearchCV(mlp, GRID, **params).fit(*rows)
    train_groups = fits.train_groups
    calls = []

    def first_only(*args):
        calls.append(args)
        return train_groups(*args) if len(calls) == 1 else _fail()

    monkeypatch.setattr(fits, "train_groups", first_only)
    search = StackedHalvingGridSearchCV(mlp, GRID, **params).fit(*rows)
    assert search.n_fits_alone_ == {
        "the fit of its stack failed": 10,
        "no other candidate can share its stack": 5,
    }
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"],
        plain.cv_results_["mean_test_score"],
        rtol=1e-9,
    )


def _fail():
    raise ValueError("no")


# The arithmetic.


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_those_of_each_groups_rows(dtype):
    rng = np.random.RandomState(0)
    network = Network([5, 4, 3], ["tanh"], SoftmaxLogLoss(), SoftmaxOutput(3))
    sizes = [7, 8, 6]
    data = [Rows(rng.randn(n, 5).astype(dtype), rng.randint(3, size=n)) for n in sizes]
    group_of = np.array([0, 1, 1, 2])
    n_weights = 5 * 4 + 4 * 3 + 4 + 3
    networks = [
        Parameters.on_buffer(rng.randn(n_weights).astype(dtype), [5, 4, 3])
        for _ in group_of
    ]
    alpha = [0.0, 1.0, 2.0, 3.0]
    batches = GroupedBatches(data, network.output, 4, None, group_of)

    def check(chosen):
        orders = [rng.permutation(sizes[g]) for g in np.unique(group_of[chosen])]
        places = np.unique(group_of[chosen], return_inverse=True)[1]
        stack = Parameters.stacked([networks[i] for i in chosen])
        objective = Objective(network, [alpha[i] for i in chosen], stack)
        n_batches = 0
        for start, batch in zip((0, 4), batches.epoch(orders), strict=True):
            losses = objective.loss_and_gradient(batch)
            for place, i in enumerate(chosen):
                own_rows = orders[places[place]][start : start + 4]
                own = Objective(network, alpha[i], networks[i])
                loss = own.loss_and_gradient(data[group_of[i]].take(own_rows))
                tolerance = {"rtol": 1e-5 if dtype == np.float32 else 1e-12}
                np.testing.assert_allclose(losses[place], loss[0], **tolerance)
                for ours, theirs in zip(
                    objective.gradient.network(place).arrays(),
                    own.gradient.arrays(),
                    strict=True,
                ):
                    np.testing.assert_allclose(ours, theirs, atol=1e-6, **tolerance)
                assert np.broadcast_to(batch.weight_sum_by_network, len(chosen))[
                    place
                ] == len(own_rows)
            n_batches += 1
        assert n_batches == 2

    check([0, 1, 2, 3])
    # Some leave; the last batch of those left is smaller.
    left = [0, 1, 2, 3]
    for chosen in ([0, 2, 3], [0, 3], [3]):
        batches.select([left.index(i) for i in chosen])
        left = chosen
        check(chosen)


@pytest.mark.parametrize(
    ("params", "is_equal"),
    [
        ({"alpha": 7.0, "learning_rate_init": 0.5}, True),
        # One of the two is left in a fold whose other candidates have converged.
        ({"random_state": 1}, False),
        ({"random_state": 1, "shuffle": False}, False),
        ({"activation": "tanh"}, False),
        ({"batch_size": 30}, False),
        ({"solver": "adam"}, False),
    ],
    ids=str,
)
def test_who_may_be_together(rows, params, is_equal):
    keys = []
    for mlp in (make(), make(**params)):
        data, _ = stacking.prepare_group([mlp], *rows)
        keys.append(stacking.group_key([mlp], data))
    assert None not in keys
    assert (keys[0] == keys[1]) == is_equal


def test_a_group_that_fills_a_stack_is_by_itself(rows, monkeypatch):
    mlps = [make(alpha=alpha) for alpha in (1, 2, 3)]
    data, _ = stacking.prepare_group(mlps, *rows)
    assert stacking.group_key(mlps, data) is not None
    # The largest array of a network is its batch of 20 rows in 6 units.
    monkeypatch.setattr(devices.Cpu, "stack_bytes", 8 * 20 * 6 * 3)
    assert stacking.group_key(mlps, data) is None
    monkeypatch.undo()
    monkeypatch.setattr(devices.Cpu, "group_bytes", rows[0].nbytes - 1)
    assert stacking.group_key(mlps, data) is None


def test_folds_with_large_batches_are_trained_by_themselves():
    """A batch of more rows than a pass takes at a time is cut, which groups are not."""
    rng = np.random.RandomState(0)
    X = rng.randn(6000, 4)
    y = (X[:, 0] > 0).astype(int)
    mlp = make(hidden_layer_sizes=3, batch_size=3000, max_iter=8)
    search = StackedHalvingGridSearchCV(
        mlp, GRID, factor=2, min_resources=2, cv=2, refit=False, error_score="raise"
    ).fit(X, y)
    # The last rung has one candidate.
    assert search.n_fits_alone_ == {"no other candidate can share its stack": 2}
    assert search.n_stacked_ == 2 * sum(search.n_candidates_[:-1])
