"""Fits on a device of PyTorch end as those on the CPU do, up to rounding.

The device is PyTorch's own CPU, and a CUDA card where there is one.
"""

import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    TabularMLPClassifier,
    TabularMLPRegressor,
    fit_stack,
)
from skmlp_backprop.callbacks import EarlyStopping
from skmlp_backprop.extending import Activation, Adam, Rule

torch = pytest.importorskip("torch", reason="torch is not installed (extra: peers)")

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

N_ROWS = 210
ACTIVATIONS = (
    "identity",
    "logistic",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
)
RULES = {
    "adam": {"solver": "adam"},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.8},
    "nesterov": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1},
}
# Estimator, parameters, and the targets.
LOSSES = {
    "softmax log loss": (BackpropMLPClassifier, {}, "labels"),
    "binary log loss": (BackpropMLPClassifier, {}, "two"),
    "multilabel log loss": (BackpropMLPClassifier, {}, "indicators"),
    "one-vs-all log loss": (
        BackpropMLPClassifier,
        {"output_activation": "logistic"},
        "labels",
    ),
    "softmax squared error": (
        BackpropMLPClassifier,
        {"loss": "squared_error"},
        "labels",
    ),
    "logistic squared error": (BackpropMLPClassifier, {"loss": "squared_error"}, "two"),
    "squared error": (BackpropMLPRegressor, {}, "numbers"),
    "squared error of two": (BackpropMLPRegressor, {}, "pairs"),
    "absolute error": (BackpropMLPRegressor, {"loss": "absolute_error"}, "numbers"),
    "huber": (
        BackpropMLPRegressor,
        {"loss": "huber", "huber_epsilon": 0.3},
        "numbers",
    ),
    "quantile": (BackpropMLPRegressor, {"loss": "quantile", "quantile": 0.2}, "pairs"),
    "quantiles": (
        BackpropMLPRegressor,
        {"loss": "quantile", "quantile": [0.1, 0.5, 0.8]},
        "numbers",
    ),
    "poisson": (BackpropMLPRegressor, {"loss": "poisson"}, "counts"),
    "gamma": (BackpropMLPRegressor, {"loss": "gamma"}, "positive"),
}


@pytest.fixture(
    params=[
        "torch:cpu",
        *(["cuda"] if torch.cuda.is_available() else []),
    ]
)
def device(request):
    """A device; PyTorch's threads would take the cores from other tests."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield request.param
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def data():
    """Rows, weights, some of them 0, and targets of all kinds."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, 5))
    scores = X @ rng.standard_normal((5, 3)) + rng.standard_normal((N_ROWS, 3))
    return {
        "X": X,
        "weights": rng.integers(0, 4, N_ROWS).astype(float),
        "labels": np.array(["a", "b", "c"])[scores.argmax(axis=1)],
        "two": scores[:, 0] > 0,
        "indicators": (scores > 0).astype(int),
        "numbers": scores[:, 0],
        "pairs": scores[:, :2],
        "counts": rng.poisson(np.exp(scores[:, 0] / 4)),
        "positive": np.exp(scores[:, 0]),
    }


def make(kind=BackpropMLPClassifier, **params):
    settings = {
        "hidden_layer_sizes": (7, 6),
        "batch_size": 32,
        "max_iter": 6,
        "learning_rate_init": 0.01,
        "random_state": 0,
    }
    return kind(**settings | params)


def check_same(theirs, ours):
    """Check that two fits are the same, up to the rounding of their precision."""
    rtol = 1e-5 if theirs.coefs_[0].dtype == np.float64 else 1e-3
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.stop_reason_ == theirs.stop_reason_
    assert (ours.t_, ours.n_fun_) == (theirs.t_, theirs.n_fun_)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
    if theirs.validation_scores_ is not None:
        np.testing.assert_allclose(
            ours.validation_scores_, theirs.validation_scores_, rtol=rtol
        )
    arrays = [*theirs.coefs_, *theirs.intercepts_]
    others = [*ours.coefs_, *ours.intercepts_]
    if theirs.input_intercept_ is not None:
        arrays.append(theirs.input_intercept_)
        others.append(ours.input_intercept_)
    for expected, got in zip(arrays, others, strict=True):
        assert type(got) is np.ndarray
        assert got.dtype == expected.dtype
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * scale)


def check_fits(mlp, device, X, y, **fit_params):
    """Fit on the CPU and on the device, and compare; return both."""
    theirs = clone(mlp).fit(X, y, **fit_params)
    ours = clone(mlp).set_params(device=device).fit(X, y, **fit_params)
    check_same(theirs, ours)
    # The fit has moved the weights, so that equality means something.
    initial = clone(mlp).set_params(max_iter=1, learning_rate_init=1e-12)
    initial.fit(X, y, **fit_params)
    assert np.abs(initial.coefs_[0] - ours.coefs_[0]).max() > 1e-3
    return theirs, ours


# Single fits.


@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_and_rule(device, data, loss, rule, is_weighted):
    kind, params, target = LOSSES[loss]
    mlp = make(kind, activation="tanh", alpha=0.1, **params, **RULES[rule])
    fit_params = {"sample_weight": data["weights"]} if is_weighted else {}
    check_fits(mlp, device, data["X"], data[target], **fit_params)


@pytest.mark.parametrize("dropout", [0.0, [0.3, 0.0], 0.2], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation(device, data, activation, dtype, dropout):
    mlp = make(activation=activation, dropout=dropout)
    check_fits(mlp, device, data["X"].astype(dtype), data["labels"])


@pytest.mark.parametrize(
    "params",
    [
        {"activation": ["gelu", "identity"]},
        {"hidden_layer_sizes": ()},
        {"input_activation": "tanh"},
        {"input_activation": "elu", "dropout": 0.1, "early_stopping": True},
        {"shuffle": False, "alpha": 0},
        {"weight_init": "he", "batch_size": "auto"},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1, "n_iter_no_change": 1},
        {"learning_rate": "cosine", "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
        {"average_epochs": 1},
        {"average_epochs": 0.5, "early_stopping": True, "batch_size": 8},
        {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 40},
        {"class_weight": "balanced"},
        {"tol": 1e-2, "n_iter_no_change": 1, "max_iter": 100},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_each_setting(device, data, dtype, params):
    check_fits(make(**params), device, data["X"].astype(dtype), data["labels"])


def test_masks_of_a_batch_that_the_cpu_cuts_into_blocks(device, data):
    X, y = (np.tile(data[name].T, 30).T for name in ("X", "labels"))
    mlp = make(batch_size=3000, dropout=[0.3, 0.2], max_iter=2)
    check_fits(mlp, device, X, y)


@pytest.mark.parametrize("order", ["C", "F"])
def test_early_stopping_of_rows_in_any_layout(device, data, order):
    X = np.array(data["X"], order=order)
    X.flags.writeable = False
    mlp = make(early_stopping=True, validation_fraction=0.4)
    weights = data["weights"]
    theirs, _ = check_fits(mlp, device, X, data["labels"], sample_weight=weights)
    assert len(set(theirs.validation_scores_)) > 1


@pytest.mark.parametrize("weight", [0, 1e-42])
def test_a_batch_without_weight_is_skipped(device, data, weight):
    """Or whose weight is too small a number for the precision of the steps."""
    X, weights = data["X"].astype(np.float32), data["weights"].copy()
    weights[32:64] = weight
    fit_params = {"sample_weight": weights}
    mlp = make(shuffle=False, average_epochs=1)
    theirs, _ = check_fits(mlp, device, X, data["labels"], **fit_params)
    assert theirs.n_fun_ == 6 * theirs.n_iter_


def test_a_row_of_weight_zero_may_have_an_infinite_loss(device, data):
    X = data["X"].copy()
    X[data["weights"] == 0] *= 1e6
    mlp = make(BackpropMLPRegressor, loss="gamma")
    theirs, _ = check_fits(
        mlp, device, X, data["positive"], sample_weight=data["weights"]
    )
    assert np.isfinite(theirs.loss_curve_).all()


def test_a_seed_determines_the_weights(device, data):
    mlp = make(dropout=0.2, early_stopping=True, device=device)
    X = data["X"].astype(np.float32)
    first, again = (clone(mlp).fit(X, data["labels"]) for _ in range(2))
    for ours, theirs in zip(first.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_divergence(device, data):
    mlp = make(BackpropMLPRegressor, solver="sgd", learning_rate_init=1e3)
    with pytest.warns(Warning, match="diverged"):
        theirs = clone(mlp).fit(data["X"], data["numbers"])
    with pytest.warns(Warning, match="diverged"):
        ours = mlp.set_params(device=device).fit(data["X"], data["numbers"])
    assert ours.stop_reason_ == theirs.stop_reason_ == "diverged"
    assert all(np.isfinite(coef).all() for coef in ours.coefs_)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit_and_warm_start_take_turns_on_the_devices(device, data, solver):
    """The moments go back and forth, too."""
    X, y = data["X"], data["labels"]
    theirs, ours = make(solver=solver), make(solver=solver, device=device)
    for i in range(4):
        theirs.partial_fit(X, y, ["a", "b", "c"])
        ours.set_params(device=[device, "cpu"][i % 2])
        ours.partial_fit(X, y, ["a", "b", "c"])
        check_same(theirs, ours)
    for mlp in (theirs, ours):
        mlp.set_params(warm_start=True).fit(X, y)
    check_same(theirs, ours)


@pytest.mark.callbacks
def test_callbacks_see_the_weights_of_each_epoch(device, data):
    X, y = data["X"], data["labels"]
    mlps = [make(max_iter=30, learning_rate_init=0.1), make(max_iter=30)]
    mlps[1].set_params(learning_rate_init=0.1, device=device)
    for mlp in mlps:
        mlp.set_callbacks(EarlyStopping(X[:50], y[:50], patience=2))
        mlp.fit(X[50:], y[50:])
    theirs, ours = mlps
    assert theirs.stop_reason_ == "callback"
    check_same(theirs, ours)


def test_an_interrupted_fit_keeps_the_weights_of_its_steps(device, data, monkeypatch):
    # A step of PyTorch has no part that a test could supply.
    from skmlp_backprop._torch.stack import TorchStack

    X, y = data["X"], data["labels"]
    take_step, n_steps = TorchStack._take_step, []

    def interrupted(self, *args):
        n_steps.append(0)
        if len(n_steps) == 10:
            raise KeyboardInterrupt
        return take_step(self, *args)

    # Two epochs of the first nine batches, without the rest of the second.
    monkeypatch.setattr(TorchStack, "_take_step", interrupted)
    mlp = make(shuffle=False, batch_size=30, device=device)
    with pytest.warns(UserWarning, match="interrupted"):
        mlp.fit(X, y)
    assert mlp.stop_reason_ == "interrupted"
    assert (mlp.n_iter_, mlp.n_fun_) == (1, 9)
    expected = make(shuffle=False, batch_size=30)
    expected.partial_fit(X, y, ["a", "b", "c"]).partial_fit(X[:60], y[:60])
    for ours, theirs in zip(mlp.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_what_is_fitted_needs_no_pytorch(device, data):
    mlp = make(early_stopping=True, device=device).fit(data["X"], data["labels"])
    pickled = pickle.dumps(mlp.set_params(device="cpu"))
    assert b"torch" not in pickled
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(
        again.predict_proba(data["X"]), mlp.predict_proba(data["X"])
    )


# Stacks and searches.


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": [0, 1, 10], "learning_rate_init": [0.01, 0.03]},
        {"random_state": [0, 1, 2], "max_iter": [2, 3, 7]},
        {"solver": ["sgd"], "momentum": [0.1, 0.9], "max_iter": [3, 4]},
        {"beta_1": [0.5, 0.9], "beta_2": [0.9, 0.999], "max_iter": [3, 5]},
        {
            "dropout": [0.2],
            "max_iter": [3, 5],
            "average_epochs": [1],
            "alpha": [0, 1, 10],
        },
        {
            "early_stopping": [True],
            "average_epochs": [0, 1],
            "learning_rate_init": [0.01, 0.3],
            "n_iter_no_change": [1],
            "max_iter": [20],
        },
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_stacks(device, data, dtype, params):
    n = max(map(len, params.values()))
    settings = [
        {name: values[i % len(values)] for name, values in params.items()}
        for i in range(2 * n)
    ]
    theirs = [make(**some) for some in settings]
    ours = [make(device=device, **some) for some in settings]
    X, y = data["X"].astype(dtype), data["labels"]
    for pair in zip(fit_stack(theirs, X, y), fit_stack(ours, X, y), strict=True):
        check_same(*pair)


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}], ids=str)
def test_a_search_stacks_its_folds(device, data, params):
    """Folds of unequal sizes, and candidates that stop at different epochs."""
    X, y = data["X"][:101], data["labels"][:101]
    pipe = make_pipeline(StandardScaler(), make(batch_size=9, **params))
    grid = {
        "backpropmlpclassifier__alpha": [0.1, 3],
        "backpropmlpclassifier__max_iter": [2, 4],
        "backpropmlpclassifier__learning_rate_init": [0.003, 0.03],
    }
    theirs = StackedGridSearchCV(pipe, grid, cv=3, scoring="neg_log_loss").fit(X, y)
    pipe = clone(pipe).set_params(backpropmlpclassifier__device=device)
    ours = StackedGridSearchCV(pipe, grid, cv=3, scoring="neg_log_loss").fit(X, y)
    assert ours.n_fits_alone_ == {}
    for i in range(3):
        name = f"split{i}_test_score"
        np.testing.assert_allclose(
            ours.cv_results_[name], theirs.cv_results_[name], rtol=1e-5
        )
    assert ours.best_params_ == theirs.best_params_
    check_same(theirs.best_estimator_[-1], ours.best_estimator_[-1])


def test_a_search_trains_all_folds_in_one_stack(device, data, monkeypatch):
    """Also those that would be too large to share a stack on the CPU."""
    # Of the stack nothing but the results is seen from outside.
    from skmlp_backprop._torch.stack import TorchStack

    sizes = []
    run_epoch = TorchStack.run_epoch

    def counted(self, *args):
        sizes.append(self.parameters.n_stack)
        return run_epoch(self, *args)

    monkeypatch.setattr(TorchStack, "run_epoch", counted)
    # The folds have unequal sizes.
    X = np.tile(data["X"][:200], 40)
    mlp = make(hidden_layer_sizes=200, batch_size=40, max_iter=1, device=device)
    grid = {"alpha": np.logspace(-3, 3, 8)}
    search = StackedGridSearchCV(mlp, grid, cv=3, refit=False, n_jobs=2)
    search.fit(X, data["labels"][:200])
    assert sizes == [24]


def test_halving_goes_on_on_the_device(device, data):
    X, y = data["X"], data["labels"]
    grid = {"alpha": [0.1, 1], "learning_rate_init": [0.003, 0.03]}
    searches = [
        StackedHalvingGridSearchCV(
            make(average_epochs=1, device=name),
            grid,
            resource="max_iter",
            max_resources=8,
            min_resources=2,
            factor=2,
            cv=3,
            random_state=0,
            scoring="neg_log_loss",
        ).fit(X, y)
        for name in ("cpu", device)
    ]
    theirs, ours = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    check_same(searches[0].best_estimator_, searches[1].best_estimator_)


# Tables.


@pytest.fixture(scope="module")
def table():
    """Numbers and categories with missing values; validation has a new category."""
    rng = np.random.default_rng(0)
    n_rows = 240
    many = rng.integers(0, 70, n_rows)
    X = pd.DataFrame(
        {
            "number": rng.standard_normal(n_rows),
            "few": rng.choice(list("abc"), n_rows),
            "many": [f"level {i}" for i in many],
            "more": [f"level {i}" for i in rng.integers(0, 90, n_rows)],
        }
    )
    signal = X["number"] + many / 35 - 1
    signal += rng.standard_normal(n_rows) / 2
    X.loc[::9, "number"] = np.nan
    X.loc[::7, "many"] = None
    return X, signal.to_numpy(), rng.integers(0, 3, n_rows)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"n_members": 3, "dropout": 0.0, "activation": "silu"},
        {"dropout": [0.3, 0.1], "batch_size": 16},
        {"hidden_layer_sizes": (), "n_members": 10, "dropout": 0.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("columns", [["number", "few"], slice(None)], ids=str)
@pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularMLPRegressor])
@pytest.mark.parametrize("way", ["plain", "weighted", "validated"])
def test_tables(device, table, kind, columns, params, way):
    X, y, weights = table
    X = X.loc[:, columns]
    y = y > 0 if kind is TabularMLPClassifier else y
    given, rows = {}, slice(None)
    if way == "weighted":
        given["sample_weight"] = weights
    if way == "validated":
        rows = slice(180)
        given.update(X_val=X[180:], y_val=y[180:], sample_weight_val=weights[180:] + 1)
    settings = {"max_iter": 5, "random_state": 0, "hidden_layer_sizes": (16, 8)}
    theirs, ours = (
        kind(**settings | params, device=name).fit(X[rows], y[rows], **given)
        for name in ("cpu", device)
    )
    assert ours.n_iter_ == theirs.n_iter_
    for name in ("loss_curve_", "validation_scores_"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-3
        )
    predict = "predict" if kind is TabularMLPRegressor else "predict_proba"
    expected = getattr(theirs, predict)(X)
    np.testing.assert_allclose(getattr(ours, predict)(X), expected, atol=1e-3)
    assert np.ptp(expected[:, 0] if expected.ndim > 1 else expected) > 0.05
    assert {member.device for member in ours.estimators_} == {device}


def test_masks_of_large_batches_of_tables(device, table):
    """With levels, the CPU does not cut them into blocks."""
    X, y = pd.concat([table[0]] * 12, ignore_index=True), np.tile(table[1], 12)
    settings = {"max_iter": 3, "random_state": 0, "hidden_layer_sizes": (16, 8)}
    theirs, ours = (
        TabularMLPRegressor(
            **settings, dropout=0.3, batch_size=len(X), n_members=2, device=name
        ).fit(X, y)
        for name in ("cpu", device)
    )
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-3)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-3)


@pytest.mark.parametrize("columns", [["number", "few"], slice(None)], ids=str)
def test_more_validation_rows_than_a_block(device, table, monkeypatch, columns):
    """They are scored block by block."""
    # The blocks of rows without levels have millions of rows.
    monkeypatch.setattr("skmlp_backprop._torch.stack._MAX_ENTRIES", 2**16)
    X, y, _ = table
    X = X.loc[:, columns]
    many, y_many = pd.concat([X[180:]] * 48), np.tile(y[180:], 48)
    settings = {"max_iter": 2, "random_state": 0, "hidden_layer_sizes": (16, 8)}
    theirs, ours = (
        TabularMLPRegressor(**settings, device=name).fit(
            X[:180], y[:180], X_val=many, y_val=y_many
        )
        for name in ("cpu", device)
    )
    np.testing.assert_allclose(
        ours.validation_scores_, theirs.validation_scores_, rtol=1e-3
    )


def test_a_warm_start_of_tables_continues_on_the_device(device, table):
    X, y, _ = table
    model = TabularMLPRegressor(
        max_iter=2,
        dropout=0.2,
        hidden_layer_sizes=(16, 8),
        warm_start=True,
        device=device,
        random_state=0,
    )
    at_once = clone(model).set_params(max_iter=5).fit(X, y)
    model.fit(X, y).set_params(max_iter=5).fit(X, y)
    assert model.validation_scores_ == at_once.validation_scores_
    np.testing.assert_array_equal(model.predict(X), at_once.predict(X))
    with pytest.raises(ValueError, match="does not permit another device"):
        model.set_params(device="cpu").fit(X, y)


def test_the_table_has_levels(table):
    """Otherwise the test above would miss them."""
    X, y, _ = table
    model = TabularMLPRegressor(max_iter=1, random_state=0).fit(X, y)
    encoder = model.encoder_
    assert encoder._encode_rows(encoder._prepare(X), np.float64).codes.shape[1] == 2


def test_no_level_adds_nothing(device):
    """Code -1: a category that the encoder leaves out."""
    # Such a code is in fits only by chance.
    from skmlp_backprop._torch.rules import TorchLevels

    place = torch.device(device.removeprefix("torch:"))
    weights, scales = torch.zeros((4, 1, 2)), torch.ones((4, 1))
    levels = TorchLevels(weights.to(place), scales.to(place))
    index, one_hot = levels.touch(torch.tensor([[0, 2], [-1, 2], [-1, -1]]).to(place))
    assert index.tolist() == [-1, 0, 2]
    assert one_hot.tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]


def test_many_steps_of_levels(device):
    """The mean of the squared gradients follows them after 1000 steps, too."""
    # A fit of so many steps takes long.
    from skmlp_backprop._solvers.levels import LevelStepper
    from skmlp_backprop._torch.rules import TorchLevels

    place = torch.device(device.removeprefix("torch:"))
    theirs = LevelStepper(np.zeros((1, 2, 3)), np.ones((1, 2)))
    weights, scales = torch.zeros((2, 1, 3)), torch.ones((2, 1))
    ours = TorchLevels(weights.double().to(place), scales.double().to(place))
    index = torch.tensor([0], device=place)
    gradients = np.random.default_rng(0).normal(size=(3000, 1, 1, 3))
    gradients[1500:] /= 10
    for gradient in gradients:
        ours.step(index, torch.tensor(gradient, device=place), 0.1)
        theirs.step([0], gradient, 0.1)
    np.testing.assert_allclose(
        ours.weights[:1].cpu(), theirs.weights[:1], rtol=1e-5, atol=1e-6
    )


# What is refused.


class Cube(Activation):
    keeps_input = True

    def apply(self, z, out):
        np.power(z, 3, out=out)


class Still(Rule):
    def step(self, parameters, gradient, state, rate):
        pass


class Backwards(Adam):
    """Of a subclass PyTorch would take the steps of Adam."""

    def step(self, parameters, gradient, state, rate):
        super().step(parameters, gradient, state, -rate)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "lbfgs"}, "'torch:cpu' does not train with other solvers"),
        ({"solver": Still()}, "'torch:cpu' does not train with other solvers"),
        (
            {"solver": Backwards(0.9, 0.999, 1e-8)},
            "'torch:cpu' does not train with other solvers",
        ),
        ({"activation": Cube()}, "'torch:cpu' does not train with the activation Cube"),
        ({"input_activation": Cube()}, "with the activation Cube"),
    ],
    ids=str,
)
def test_what_it_does_not_train(data, params, message):
    mlp = make(device="torch:cpu", **params)
    with pytest.raises(ValueError, match=message):
        mlp.fit(data["X"], data["labels"])
    with pytest.raises(ValueError, match=message):
        fit_stack([mlp, clone(mlp)], data["X"], data["labels"])


def test_tables_refuse_activations_without_a_name(table):
    X, y, _ = table
    with pytest.raises(ValueError, match="the activation Cube"):
        TabularMLPRegressor(activation=Cube(), device="torch:cpu").fit(X, y)


def test_sparse_rows(data):
    mlp = make(device="torch:cpu")
    with pytest.raises(ValueError, match=r"does not train with sparse X.*toarray"):
        mlp.fit(sparse.csr_array(data["X"]), data["labels"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "device='gpu' is no device of PyTorch"),
        ("torch:", "device='torch:' is no device of PyTorch"),
        ("meta", "device='meta' is not available to PyTorch here"),
        ("cuda:99", "device='cuda:99' is not available to PyTorch here"),
    ],
)
def test_devices_that_are_not_there(data, table, name, message):
    with pytest.raises(ValueError, match=message):
        make(device=name).fit(data["X"], data["labels"])
    with pytest.raises(ValueError, match=message):
        TabularMLPRegressor(device=name).fit(*table[:2])


@pytest.mark.parametrize("kind", [BackpropMLPClassifier, TabularMLPClassifier])
def test_a_device_is_a_name(data, kind):
    with pytest.raises(ValueError, match="'device' parameter"):
        kind(device=0).fit(data["X"], data["labels"])


def test_without_pytorch(data, monkeypatch):
    for name in [name for name in sys.modules if "skmlp_backprop._torch" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    make().fit(data["X"], data["labels"])
    with pytest.raises(ImportError, match=r"device='cuda' needs PyTorch.*pip install"):
        make(device="cuda").fit(data["X"], data["labels"])


def test_a_device_without_float64(data, monkeypatch):
    """As that of Macs."""
    ones = torch.ones

    def only_float32(*args, dtype=torch.float32, **kwargs):
        if dtype == torch.float64:
            raise TypeError
        return ones(*args, dtype=dtype, **kwargs)

    monkeypatch.setattr(torch, "ones", only_float32)
    mlp = make(device="torch:cpu")
    with pytest.raises(ValueError, match=r"X of float64\. Use X of float32"):
        mlp.fit(data["X"], data["labels"])
    mlp.fit(data["X"].astype(np.float32), data["labels"])


def test_rows_that_exceed_the_memory_of_the_device(data, monkeypatch):
    def full(*args, **kwargs):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(torch, "tensor", full)
    with pytest.raises(ValueError, match="do not fit in the memory of device"):
        make(device="torch:cpu").fit(data["X"], data["labels"])
