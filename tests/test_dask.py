"""Fits on a real cluster: two worker processes, and what becomes of them."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager

import dask
import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster, wait
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
)

# A worker goes between two lines, and small networks are sent as large ones are.
from skmlp_backprop._distributed import client as distributed_client
from skmlp_backprop._distributed.chunks import runs_of_chunks
from skmlp_backprop._distributed.objective import batch_spans
from skmlp_backprop.callbacks import EarlyStopping
from skmlp_backprop.dask import DaskBackpropMLPClassifier, DaskBackpropMLPRegressor

pytestmark = [
    # Short trainings.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Dask closes connections when it can, also after a worker's death.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FULL_BATCH = ("lbfgs", "cg", "tnc")
# Uneven, and one without rows.
CHUNKS = (130, 0, 60, 10, 100)
N_ROWS = sum(CHUNKS)


@contextmanager
def make_cluster(n_workers=2):
    before = os.environ.copy()
    with LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        # Any free port: there may be other clusters on the machine.
        dashboard_address=":0",
    ) as cluster:
        yield cluster
    # What is set for the workers is set in this process, too.
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def cluster():
    with make_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster):
    with Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def rows():
    """Samples, labels of three classes, indicators, numbers, weights."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, 6))
    scores = X @ rng.standard_normal((6, 3))
    return {
        "X": X,
        "labels": np.array(["a", "b", "c"])[scores.argmax(axis=1)],
        "indicators": (scores > 0).astype(int),
        "numbers": scores[:, 0] + np.square(X[:, 1]),
        "columns": scores,
        "weights": rng.integers(0, 4, N_ROWS).astype(float),
    }


def chunked(array, chunks=CHUNKS):
    return da.from_array(array, chunks=(chunks, *array.shape[1:]))


def classifier_pair(**params):
    params = {"hidden_layer_sizes": 5, "random_state": 0, "max_fun": 8} | params
    return DaskBackpropMLPClassifier(**params), BackpropMLPClassifier(**params)


def regressor_pair(**params):
    params = {"hidden_layer_sizes": 5, "random_state": 0, "max_fun": 8} | params
    return DaskBackpropMLPRegressor(**params), BackpropMLPRegressor(**params)


def assert_same_weights(ours, local, tolerance=1e-8):
    arrays = zip(
        [*ours.coefs_, *ours.intercepts_],
        [*local.coefs_, *local.intercepts_],
        strict=True,
    )
    for array, expected in arrays:
        np.testing.assert_allclose(array, expected, rtol=0, atol=tolerance)


# The same weights as of a local fit on the same rows.


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("weighted", [False, True])
def test_labels(client, rows, solver, weighted):
    ours, local = classifier_pair(solver=solver, alpha=0.5)
    weights = rows["weights"] if weighted else None
    ours.fit(
        chunked(rows["X"]),
        chunked(rows["labels"]),
        None if weights is None else chunked(weights),
    )
    local.fit(rows["X"], rows["labels"], weights)
    assert_same_weights(ours, local)
    assert ours.n_fun_ == local.n_fun_
    assert ours.loss_ == pytest.approx(local.loss_)
    assert ours.loss_curve_ == pytest.approx(local.loss_curve_)
    assert ours.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_balanced_classes(client, rows, solver):
    ours, local = classifier_pair(solver=solver, class_weight="balanced")
    X, y, weights = rows["X"], rows["labels"], rows["weights"]
    ours.fit(chunked(X), chunked(y), chunked(weights))
    assert_same_weights(ours, local.fit(X, y, weights))


def test_weights_of_classes(client, rows):
    ours, local = classifier_pair(solver="lbfgs", class_weight={"a": 3, "b": 0.5})
    ours.fit(chunked(rows["X"]), chunked(rows["labels"]))
    assert_same_weights(ours, local.fit(rows["X"], rows["labels"]))


@pytest.mark.parametrize(
    "class_weight", [None, "balanced", [{0: 2}, {1: 3}, {0: 1, 1: 0.5}]]
)
@pytest.mark.parametrize("solver", ["lbfgs", "cg"])
def test_multilabel(client, rows, solver, class_weight):
    ours, local = classifier_pair(solver=solver, class_weight=class_weight)
    X, y, weights = rows["X"], rows["indicators"], rows["weights"]
    ours.fit(chunked(X), chunked(y), chunked(weights))
    assert_same_weights(ours, local.fit(X, y, weights))
    predicted = ours.predict(chunked(X))
    np.testing.assert_array_equal(predicted.compute(), local.predict(X))


def test_one_hot_targets_raise_a_warning(client, rows):
    ours, local = classifier_pair(solver="lbfgs")
    one_hot = np.eye(3, dtype=int)[np.arange(N_ROWS) % 3]
    with pytest.warns(UserWarning, match=r"exactly one 1, .* y.argmax\(axis=1\)"):
        ours.fit(chunked(rows["X"]), chunked(one_hot))
    # A single row is no sign of it.
    ours.fit(chunked(rows["X"][:1], (1,)), chunked(one_hot[:1], (1,)))
    # A row of a single chunk has two labels.
    one_hot[-1] = 1, 1, 0
    ours.fit(chunked(rows["X"]), chunked(one_hot))
    assert ours.stop_reason_ == local.fit(rows["X"], one_hot).stop_reason_


def test_other_indicators_than_0_and_1_are_refused(client, rows):
    """By all chunks together: a chunk may have rows of 1 only."""
    ours, _ = classifier_pair(solver="lbfgs")
    y = np.where(rows["indicators"] > 0, 1, -1)
    with pytest.raises(ValueError, match=r"got the values -1, 1. Pass \(y == 1\)"):
        ours.fit(chunked(rows["X"]), chunked(y))


def test_small_numbers_are_said(client, rows):
    """As in a local fit, and so is a parameter of another loss."""
    ours, local = regressor_pair(
        solver="lbfgs", huber_epsilon=2, max_fun=1000, tol=1e-3
    )
    y = 1e-6 * rows["numbers"]
    for mlp, X, target in (
        (ours, chunked(rows["X"]), chunked(y)),
        (local, rows["X"], y),
    ):
        with (
            pytest.warns(UserWarning, match="huber_epsilon=2 has no effect with loss="),
            pytest.warns(ConvergenceWarning, match="is worse than that of the best"),
        ):
            mlp.fit(X, target)


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("target", ["numbers", "columns"])
def test_numbers(client, rows, solver, target):
    ours, local = regressor_pair(solver=solver)
    X, y = rows["X"], rows[target]
    ours.fit(chunked(X), chunked(y))
    assert_same_weights(ours, local.fit(X, y))
    score = ours.score(chunked(X), chunked(y), chunked(rows["weights"]))
    assert score == pytest.approx(local.score(X, y, rows["weights"]))


@pytest.mark.parametrize("loss", ["poisson", "huber"])
def test_losses_of_numbers(client, rows, loss):
    ours, local = regressor_pair(loss=loss, solver="lbfgs")
    # In the first chunks zeros alone, which Poisson takes as long as there are others.
    y = np.abs(rows["numbers"]) * (np.arange(N_ROWS) > 150)
    ours.fit(chunked(rows["X"]), chunked(y))
    assert_same_weights(ours, local.fit(rows["X"], y))


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_sparse(client, rows, solver):
    ours, local = classifier_pair(solver=solver)
    X = np.where(np.abs(rows["X"]) > 1, rows["X"], 0)
    blocks = chunked(X).map_blocks(sparse.csr_array)
    ours.fit(blocks, chunked(rows["labels"]))
    assert_same_weights(ours, local.fit(sparse.csr_array(X), rows["labels"]))
    proba = ours.predict_proba(blocks).compute()
    np.testing.assert_allclose(proba, local.predict_proba(X))


@pytest.mark.parametrize("solver", ["lbfgs", "tnc"])
def test_float32(client, rows, solver):
    ours, local = classifier_pair(solver=solver)
    X = rows["X"].astype(np.float32)
    ours.fit(chunked(X), chunked(rows["labels"]))
    local.fit(X, rows["labels"])
    assert ours.coefs_[0].dtype == np.float32
    assert_same_weights(ours, local, tolerance=1e-3)
    proba = ours.predict_proba(chunked(X))
    assert proba.dtype == proba.compute().dtype == np.float32


def test_a_chunk_of_float64_makes_float64(client, rows):
    X = chunked(rows["X"].astype(np.float32))
    mixed = da.concatenate([X[:130], chunked(rows["X"])[130:]])
    ours, local = classifier_pair(solver="lbfgs")
    ours.fit(mixed, chunked(rows["labels"]))
    assert ours.coefs_[0].dtype == np.float64
    assert_same_weights(ours, local.fit(mixed.compute(), rows["labels"]))


def test_input_activation(client, rows):
    ours, local = classifier_pair(solver="lbfgs", input_activation="tanh")
    ours.fit(chunked(rows["X"]), chunked(rows["labels"]))
    assert_same_weights(ours, local.fit(rows["X"], rows["labels"]))
    np.testing.assert_allclose(ours.input_intercept_, local.input_intercept_)


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_unknown_chunks(client, rows, solver):
    X, y = rows["X"], rows["labels"]
    # In the fourth chunk there is then no row.
    kept = X[:, 0] > -0.5
    kept[190:200] = False
    ours, local = classifier_pair(solver=solver)
    mask = chunked(kept)
    ours.fit(chunked(X)[mask], chunked(y)[mask])
    assert_same_weights(ours, local.fit(X[kept], y[kept]))


def test_columns_in_chunks_and_other_chunks_of_y(client, rows):
    ours, local = classifier_pair(solver="lbfgs")
    X = da.from_array(rows["X"], chunks=(70, 2))
    ours.fit(X, chunked(rows["labels"]))
    assert_same_weights(ours, local.fit(rows["X"], rows["labels"]))
    proba = ours.predict_proba(X)
    assert proba.chunks == ((70, 70, 70, 70, 20), (3,))
    np.testing.assert_allclose(proba.compute(), local.predict_proba(rows["X"]))


@pytest.fixture(scope="module")
def table(rows):
    names = [f"x{i}" for i in range(6)]
    frame = pd.DataFrame(rows["X"], columns=names)
    return frame.assign(label=rows["labels"], weight=rows["weights"]), names


def test_tables(client, table):
    frame, names = table
    lazy = dd.from_pandas(frame, npartitions=5)
    # Some partitions are left with few rows, one with none.
    lazy, frame = lazy[lazy.x0 < frame.x0[60:120].min()], None
    lazy = dd.concat([lazy, dd.from_pandas(table[0], npartitions=3)])
    frame = lazy.compute()
    ours, local = classifier_pair(solver="lbfgs", class_weight="balanced")
    ours.fit(lazy[names], lazy.label, lazy.weight)
    local.fit(frame[names], frame.label, frame.weight)
    assert_same_weights(ours, local)
    assert ours.feature_names_in_.tolist() == names
    proba = ours.predict_proba(lazy[names])
    np.testing.assert_allclose(proba.compute(), local.predict_proba(frame[names]))
    score = ours.score(lazy[names], lazy.label, lazy.weight)
    assert score == pytest.approx(local.score(frame[names], frame.label, frame.weight))
    with pytest.raises(ValueError, match="feature names should match"):
        ours.predict(lazy[names[::-1]])


def test_a_folder_of_files(client, table, tmp_path):
    frame, names = table
    for i in range(4):
        frame[i * 75 : (i + 1) * 75].to_parquet(tmp_path / f"{i}.parquet")
    lazy = dd.read_parquet(tmp_path)
    ours, local = classifier_pair(solver="lbfgs")
    # Of one column Dask's optimiser would make fewer partitions than of all others.
    ours.fit(lazy[names], lazy["label"])
    assert_same_weights(ours, local.fit(frame[names], frame["label"]))
    assert ours.predict(lazy[names]).npartitions == 4
    assert ours.score(lazy[names], lazy["label"]) == local.score(
        frame[names], frame["label"]
    )


def test_files_with_another_order_of_columns(client, rows, tmp_path):
    """Dask reads each file as it is, and the rows are bound by position."""
    frame = pd.DataFrame(rows["X"], columns=list("abcdef")).assign(u=1.0, v=2.0)
    frame[:200].to_csv(tmp_path / "0.csv", index=False)
    frame.loc[200:, list("bacdefvu")].to_csv(tmp_path / "1.csv", index=False)
    lazy = dd.read_csv(f"{tmp_path}/*.csv")
    X, y = lazy.drop(columns=["u", "v"]), lazy.drop(columns=list("abcdef"))
    ours, local = regressor_pair(solver="lbfgs")
    with pytest.raises(ValueError, match=r"of X must.*column 0 is 'a' in one, 'b' in"):
        ours.fit(X, lazy.u)
    names, columns = list(X.columns), list(y.columns)
    ordered = X.map_partitions(lambda part: part[names])
    with pytest.raises(ValueError, match=r"of y must.*column 0 is 'u' in one, 'v' in"):
        ours.fit(ordered, y)
    ours.fit(ordered, y.map_partitions(lambda part: part[columns]))
    assert_same_weights(ours, local.fit(frame[names], frame[columns]))


def test_labels_on_one_worker_only(client, rows):
    y = np.sort(rows["labels"])
    ours, local = classifier_pair(solver="lbfgs")
    ours.fit(chunked(rows["X"]), chunked(y))
    assert ours.classes_.tolist() == ["a", "b", "c"]
    assert_same_weights(ours, local.fit(rows["X"], y))


def test_one_class(client, rows):
    ours, _ = classifier_pair(solver="lbfgs")
    ours.fit(chunked(rows["X"]), da.ones(N_ROWS, chunks=(CHUNKS,)))
    assert set(ours.predict(chunked(rows["X"])).compute()) == {1}


def test_weights_of_a_network_that_are_passed_on(client, rows, monkeypatch):
    monkeypatch.setattr(distributed_client, "_MAX_EMBEDDED", 0)
    ours, local = classifier_pair(solver="lbfgs")
    ours.fit(chunked(rows["X"]), chunked(rows["labels"]))
    assert_same_weights(ours, local.fit(rows["X"], rows["labels"]))


def test_warm_start(client, rows):
    ours, local = classifier_pair(solver="lbfgs", warm_start=True, max_fun=4)
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    for _ in range(2):
        ours.fit(X, y)
        local.fit(rows["X"], rows["labels"])
    assert_same_weights(ours, local)
    with pytest.raises(ValueError, match="the same classes"):
        ours.fit(X, da.zeros(N_ROWS, chunks=(CHUNKS,)))


# Minibatches.


@pytest.mark.parametrize("params", [{}, {"dropout": 0.3}, {"shuffle": False}])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_minibatches_are_deterministic(client, rows, solver, params):
    ours, _ = classifier_pair(solver=solver, max_iter=2, batch_size=64, **params)
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    first, second = clone(ours).fit(X, y), clone(ours).fit(X, y)
    assert_same_weights(first, second, tolerance=0)
    assert first.t_ == 2 * N_ROWS
    other = clone(ours).set_params(random_state=1).fit(X, y)
    assert np.abs(first.coefs_[0] - other.coefs_[0]).max() > 1e-3


@pytest.mark.parametrize("average_epochs", [0, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_batch_of_all_rows_is_a_local_step(client, rows, weighted, average_epochs):
    ours, local = classifier_pair(
        solver="adam", batch_size=N_ROWS, max_iter=3, average_epochs=average_epochs
    )
    weights = rows["weights"] if weighted else None
    given = [rows["X"], rows["labels"], *([weights] if weighted else [])]
    # The initial weights come first of what is drawn at random.
    assert_same_weights(ours.fit(*map(chunked, given)), local.fit(*given), 1e-9)


def test_weighted_batches_see_the_rows_that_count(client, rows):
    X, y, weights = rows["X"], rows["labels"], rows["weights"]
    ours, _ = classifier_pair(solver="sgd", batch_size=50, max_iter=3)
    wrong = np.where(weights == 0, "c", y)
    fits = [
        clone(ours).fit(chunked(X), chunked(labels), chunked(weights))
        for labels in (y, wrong)
    ]
    assert_same_weights(*fits)


def last_targets(n_rows, n_epochs, **params):
    """The intercept after each number of epochs, and the targets of each worker.

    As the rate is 1, a step leads to the weighted mean of the targets of its batch.
    """
    y, halves = np.arange(float(n_rows)), (n_rows // 2,) * 2
    zeros, weights = np.zeros((n_rows, 1)), 2.0 ** np.arange(n_rows)
    params = {"learning_rate_init": 1, "momentum": 0, "alpha": 0, **params}
    found = []
    for n in range(n_epochs):
        ours, _ = regressor_pair(
            hidden_layer_sizes=(), solver="sgd", max_iter=n + 1, **params
        )
        ours.fit(*(chunked(data, halves) for data in (zeros, y, weights)))
        found.append(float(ours.intercepts_[0][0]))
    return found, y.reshape(2, -1), weights.reshape(2, -1)


def test_batches_are_the_rows_of_an_order(client):
    """Each epoch and each worker has an order of its own."""
    found, (first, second), weights = last_targets(8, 2, batch_size=2)
    (w, v), places = weights[:, :, np.newaxis], []
    means = (w * first[:, np.newaxis] + v.T * second) / (w + v.T)
    for mean in found:
        places.append(np.argwhere(np.isclose(means, mean, rtol=1e-12)))
        assert len(places[-1]) > 0
    assert len(set(found)) > 1
    assert any((i != j).all() for i, j in map(np.transpose, places))
    # In order, the last batch has the last row of each worker.
    found, (first, second), (w, v) = last_targets(8, 1, batch_size=2, shuffle=False)
    expected = (w[-1] * first[-1] + v[-1] * second[-1]) / (w[-1] + v[-1])
    assert found == pytest.approx([expected])


def test_the_loss_of_an_epoch_counts_the_weights_of_its_batches(client, rows):
    """With a rate so small that the weights stay, the batches do not matter."""
    params = {"solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 2}
    ours, local = classifier_pair(batch_size=70, alpha=0, **params)
    local.set_params(batch_size=N_ROWS)
    given = rows["X"], rows["labels"], rows["weights"]
    ours.fit(*map(chunked, given))
    assert ours.loss_curve_ == pytest.approx(local.fit(*given).loss_curve_)


def test_each_batch_of_each_worker_has_masks_of_its_own(client, rows):
    """With other masks, the same rows and weights have another loss."""
    X, y = rows["X"][:50], rows["numbers"][:50]
    params = {"solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 3}
    params["shuffle"] = False
    curves = []
    for n in (1, 2):
        ours, _ = regressor_pair(dropout=0.5, batch_size=n * 50, **params)
        repeated = np.tile(X, (n, 1)), np.tile(y, n)
        ours.fit(*(chunked(data, (50,) * n) for data in repeated))
        curves.append(ours.loss_curve_)
        assert np.ptp(ours.loss_curve_) > 1e-3
    assert np.abs(np.subtract(*curves)).min() > 1e-3


def test_minibatches_learn(client):
    X, y = load_digits(return_X_y=True)
    X, y = chunked(X / 16, (600, 600, 597)), chunked(y, (600, 600, 597))
    mlp = DaskBackpropMLPClassifier(
        30, batch_size=300, max_iter=15, learning_rate_init=0.02, random_state=0
    )
    assert mlp.fit(X, y).score(X, y) > 0.95
    assert mlp.loss_curve_[-1] < 0.2 * mlp.loss_curve_[0]


def test_quantiles(client, rows):
    X, y = chunked(rows["X"]), chunked(rows["numbers"])
    ours, _ = regressor_pair(loss="quantile", quantile=[0.1, 0.9], max_iter=5)
    ours.fit(X, y)
    for weights in ([], [rows["weights"]]):
        expected = ours.to_local().score(rows["X"], rows["numbers"], *weights)
        found = ours.score(X, y, *map(chunked, weights))
        assert found == pytest.approx(expected)


def test_spans_of_batches():
    n_rows = [7, 0, 100, 43]
    spans = np.array(list(batch_spans(n_rows, 16)))
    sizes = (spans[..., 1] - spans[..., 0]).sum(axis=1)
    assert sizes.tolist() == [16] * 9 + [6]
    assert (spans[1:, :, 0] == spans[:-1, :, 1]).all()
    assert spans[-1, :, 1].tolist() == n_rows
    expected = 16 * np.array(n_rows) / 150
    assert np.abs(np.diff(spans[:-1])[..., 0] - expected).max() < 1.5


def test_runs_of_chunks():
    assert runs_of_chunks([10] * 6, 3) == [[0, 1], [2, 3], [4, 5]]
    assert runs_of_chunks([100, 1, 1, 0], 2) == [[0], [1, 2, 3]]
    assert runs_of_chunks([5], 4) == [[0]]


def test_partial_fit_takes_the_chunks_in_order(rows):
    # Without a cluster: for one machine with little memory.
    ours, local = classifier_pair(solver="sgd", batch_size=10)
    classes = ["a", "b", "c"]
    X, y, weights = rows["X"], rows["labels"], rows["weights"]
    stops = np.cumsum(CHUNKS)
    with dask.config.set(scheduler="synchronous"):
        for _ in range(2):
            ours.partial_fit(chunked(X), chunked(y), classes, chunked(weights))
    for _ in range(2):
        for start, stop in zip(stops - CHUNKS, stops, strict=True):
            if stop > start:
                part = slice(start, stop)
                local.partial_fit(X[part], y[part], classes, weights[part])
    assert_same_weights(ours, local, tolerance=0)
    ours, local = regressor_pair(solver="adam")
    given = X, rows["numbers"], weights
    with dask.config.set(scheduler="synchronous"):
        ours.partial_fit(
            *(da.from_array(data, chunks=(100, -1)[: data.ndim]) for data in given)
        )
    for start in range(0, N_ROWS, 100):
        local.partial_fit(*(data[start : start + 100] for data in given))
    assert_same_weights(ours, local, tolerance=0)
    assert ours.t_ == N_ROWS


# What is refused, in the words of a local fit.


def test_chunks_of_text_and_of_numbers(client, rows):
    text, numbers = np.array(["a", "b"] * 50), np.arange(200) % 2
    for parts in ([text, numbers], [text.astype(object), numbers.astype(object)]):
        # The type that Dask assumes, not that of the chunks.
        lazy = [da.from_delayed(dask.delayed(p), p.shape, object) for p in parts]
        y = da.concatenate(lazy)
        ours, local = classifier_pair(solver="lbfgs")
        labels = np.array([*text.tolist(), *numbers.tolist()], dtype=object)
        message = refusal(ours.fit, chunked(rows["X"], (100, 200)), y)
        assert message == refusal(local.fit, rows["X"], labels)
        assert "values of the types int and str: convert it" in message


@pytest.mark.parametrize("what", ["X", "labels"])
def test_nan_in_one_chunk(client, rows, what):
    data = {"X": rows["X"].copy(), "labels": (rows["labels"] == "a").astype(float)}
    data[what][250] = np.nan
    ours, _ = classifier_pair(solver="lbfgs")
    with pytest.raises(ValueError, match=f"Input {what[0].replace('l', 'y')} contains"):
        ours.fit(chunked(data["X"]), chunked(data["labels"]))
    assert not hasattr(ours, "coefs_")


def refusal(fit, *data):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        fit(*data)
    return str(caught.value).replace("Dask", "")


@pytest.mark.parametrize(
    "case",
    [
        "no y",
        "continuous",
        "negative weight",
        "no weight",
        "large weights",
        "negative numbers",
        "class weight",
        "lengths",
        "kink",
    ],
)
def test_errors_are_those_of_a_local_fit(client, rows, case):
    X, y, weights = rows["X"], rows["labels"], None
    ours, local = classifier_pair(solver="lbfgs")
    if case == "no y":
        y = None
    elif case == "continuous":
        y = rows["numbers"]
    elif case == "negative weight":
        weights = rows["weights"] - 1
    elif case == "no weight":
        weights = np.zeros(N_ROWS)
    elif case == "large weights":
        weights = np.full(N_ROWS, 1e307)
    elif case == "negative numbers":
        ours, local = regressor_pair(loss="poisson", solver="lbfgs")
        y = rows["numbers"]
    elif case == "class weight":
        ours, local = classifier_pair(solver="lbfgs", class_weight={"a": -1})
    elif case == "lengths":
        y = y[:-10]
    elif case == "kink":
        ours, local = regressor_pair(loss="absolute_error", solver="lbfgs")
        y = rows["numbers"]
    given = [X, y] if weights is None else [X, y, weights]
    chunks = [
        data if data is None else chunked(data, (100, len(data) - 100))
        for data in given
    ]
    assert refusal(ours.fit, *chunks) == refusal(local.fit, *given)


def test_other_number_of_features(client, rows):
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    ours, _ = classifier_pair(solver="lbfgs")
    ours.fit(X, y)
    with pytest.raises(ValueError, match=r"X has 5 features, but Back.*expecting 6"):
        ours.predict(X[:, :5])
    ours.set_params(warm_start=True)
    with pytest.raises(ValueError, match=r"X has 5 features, but Dask.*expecting 6"):
        ours.fit(X[:, :5], y)


def test_no_rows(client):
    ours, _ = classifier_pair(solver="lbfgs")
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        ours.fit(da.zeros((0, 3), chunks=3), da.zeros(0, chunks=3))


def test_a_column_of_labels(client, rows):
    ours, local = classifier_pair(solver="lbfgs")
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        ours.fit(chunked(rows["X"]), chunked(rows["labels"][:, np.newaxis]))
    assert_same_weights(ours, local.fit(rows["X"], rows["labels"]))


def test_other_partitions_of_y(client, table):
    frame, names = table
    X = dd.from_pandas(frame[names], npartitions=4)
    ours, _ = classifier_pair(solver="lbfgs")
    with pytest.raises(ValueError, match="X has 4, y has 3"):
        ours.fit(X, dd.from_pandas(frame.label, npartitions=3))
    shifted = dd.from_pandas(frame.label, npartitions=4, sort=False).map_partitions(
        lambda part: part[1:], meta=frame.label
    )
    with pytest.raises(ValueError, match="must have the same chunks"):
        ours.fit(X, shifted)


@pytest.mark.parametrize("given", ["y", "sample_weight"])
def test_an_index_in_another_order_is_said(client, table, given):
    frame, names = table[0][:100], table[1]
    index = np.random.default_rng(0).permutation(100)
    ours, _ = classifier_pair(max_iter=1)

    def orders_told(method, indexes):
        """The warnings of a call whose inputs have these indexes, in two partitions."""
        data = {"X": frame[names], "y": frame.label, "sample_weight": frame.weight}
        for name, values in data.items():
            values = values.set_axis(indexes.get(name, index))
            data[name] = dd.from_map(lambda i, v=values: v[i : i + 50], [0, 50])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(ours, method)(**data)
        return [str(w.message) for w in caught if "another order" in str(w.message)]

    within = np.r_[index[49::-1], index[50:]]
    between = np.roll(index, 25)
    anew = np.tile(np.arange(50), 2)
    for method in ("fit", "score", "partial_fit"):
        for other in (within, between):
            told = orders_told(method, {given: other})
            assert len(told) == 1 or (method == "partial_fit" and len(told) == 2)
            assert all(text.startswith(f"{given} has the same index") for text in told)
        assert orders_told(method, {}) == []
        # Other entries, and an index that begins anew in each partition.
        assert orders_told(method, {given: index + 7}) == []
        inputs = ["X", "y", "sample_weight"]
        assert orders_told(method, dict.fromkeys(inputs, anew)) == []


def test_other_chunks_of_y_of_unknown_sizes(client):
    """The rows are as many, but not those of the chunks: which are named."""
    X = pd.DataFrame(np.random.default_rng(0).standard_normal((150, 3)))
    ours, _ = regressor_pair(solver="lbfgs")
    samples = dd.from_pandas(X, npartitions=4).to_dask_array()
    assert np.isnan(samples.chunks[0]).all()
    numbers = chunked(X[0].to_numpy(), (30, 40, 40, 40))
    with pytest.raises(ValueError, match="must have the same chunks") as caught:
        ours.fit(samples, numbers)
    assert "inconsistent" not in str(caught.value)


@pytest.mark.callbacks
@pytest.mark.parametrize("max_embedded", [0, 2**24])
def test_a_refused_fit_leaves_nothing_at_the_workers(
    client, rows, max_embedded, monkeypatch
):
    """Nor where its exception is kept, whose traceback keeps our frames."""
    monkeypatch.setattr(distributed_client, "_MAX_EMBEDDED", max_embedded)

    def n_tasks():
        return client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))

    X = rows["X"].copy()
    X[250] = np.nan
    y = rows["labels"]
    fails_late = EarlyStopping(rows["X"], rows["numbers"])
    kept = []
    for data, callbacks in ((X, []), (X, []), (rows["X"], [fails_late])):
        ours, _ = classifier_pair(solver="lbfgs")
        ours.set_callbacks(*callbacks)
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            ours.fit(chunked(data), chunked(y))
        kept.append(caught.value)
    deadline = time.monotonic() + 10
    while n_tasks() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert n_tasks() == 0
    assert len(kept) == 3


def test_local_and_distributed_together(client, rows):
    ours, _ = classifier_pair(solver="lbfgs")
    with pytest.raises(TypeError, match="must all be Dask collections, or all"):
        ours.fit(chunked(rows["X"]), rows["labels"])
    with pytest.raises(TypeError, match="got Delayed"):
        ours.fit(dask.delayed(rows["X"]), dask.delayed(rows["labels"]))


def test_early_stopping_names_the_callback(client, rows):
    ours, _ = classifier_pair(early_stopping=True)
    with pytest.raises(ValueError, match=r"callbacks"):
        ours.fit(chunked(rows["X"]), chunked(rows["labels"]))


@pytest.mark.peers
def test_collections_are_not_trained_on_a_device(client, rows):
    pytest.importorskip("torch", reason="torch is not installed (extra: peers)")
    ours, _ = classifier_pair(device="torch:cpu", solver="adam")
    with pytest.raises(ValueError, match="'torch:cpu' does not train with Dask"):
        ours.fit(chunked(rows["X"]), chunked(rows["labels"]))


# The fitted estimator.


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "str", "float32"])
def test_predictions_of_columns_of_any_type(client, rows, dtype):
    """Of text, a local fit takes numbers."""
    frame = pd.DataFrame({"a": rows["X"][:, 0], "b": rows["X"][:, 1] > 0})
    frame["b"] = frame["b"].astype(int).astype(dtype)
    frame["a"] = frame["a"].astype("float32")
    labels = pd.Series(rows["labels"])
    ours, local = classifier_pair(solver="lbfgs", max_iter=5)
    X, y = (dd.from_pandas(data, npartitions=2) for data in (frame, labels))
    expected = local.fit(frame, labels).predict_proba(frame)
    predicted = ours.fit(X, y).predict_proba(X)
    assert predicted.dtype == expected.dtype
    np.testing.assert_allclose(predicted.compute(), expected, rtol=1e-4)


def test_score_of_sparse_indicators(client, rows):
    indicators = chunked(rows["indicators"]).map_blocks(sparse.csr_matrix)
    ours, local = classifier_pair(solver="lbfgs", max_iter=5)
    X = chunked(rows["X"])
    local.fit(rows["X"], rows["indicators"])
    score = ours.fit(X, indicators).score(X, indicators)
    assert score == pytest.approx(local.score(rows["X"], rows["indicators"]))


def test_columns_of_y_in_another_order(client, rows):
    X = pd.DataFrame(rows["X"][:, :3], columns=["a", "b", "c"])
    Y = pd.DataFrame({"u": X["a"], "v": X["b"]})
    ours = DaskBackpropMLPRegressor(solver="lbfgs", max_iter=3, client=client)
    chunks, targets, reordered = (
        dd.from_pandas(data, npartitions=2) for data in (X, Y, Y[["v", "u"]])
    )
    # Another fit may have other columns, in another order.
    ours.fit(chunks[["c", "b"]], reordered)
    ours.fit(chunks, targets)
    assert ours.feature_names_in_.tolist() == ["a", "b", "c"]
    ours.set_params(warm_start=True).fit(chunks, targets)
    message = r"has the columns \['v', 'u'\], but in `fit` y"
    with pytest.raises(ValueError, match=f"^y {message}"):
        ours.fit(chunks, reordered)
    with pytest.raises(ValueError, match=f"a chunk of y {message}"):
        ours.score(chunks, reordered)
    assert ours.score(chunks, targets) == pytest.approx(ours.score(X, Y))


def test_a_closed_client(cluster, rows):
    with Client(cluster, set_as_default=False) as other:
        pass
    ours, _ = classifier_pair(solver="lbfgs")
    ours.set_params(client=other)
    with pytest.raises(ValueError, match="client is closed"):
        ours.fit(chunked(rows["X"]), chunked(rows["labels"]))


def test_the_client_that_is_given(client, cluster, rows, monkeypatch):
    """It computes, not the current one."""
    used, compute = [], Client.compute

    def recorded(client, *args, **kwargs):
        used.append(client)
        return compute(client, *args, **kwargs)

    monkeypatch.setattr(Client, "compute", recorded)
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    ours, _ = classifier_pair(max_iter=1)
    with Client(cluster, set_as_default=False) as other:
        ours.set_params(client=other).fit(X, y)
        assert set(used) == {other}
        for method in (ours.score, ours.partial_fit):
            del used[:]
            method(X, y)
            assert set(used) == {other}


@pytest.fixture(scope="module")
def fitted(client, rows):
    ours = DaskBackpropMLPClassifier(
        5, solver="lbfgs", max_fun=8, random_state=0, client=client
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return ours.fit(chunked(rows["X"]), chunked(rows["labels"]))


@pytest.mark.parametrize(
    "method",
    ["predict", "predict_proba", "predict_log_proba", "decision_function"],
)
def test_predictions_are_lazy(fitted, rows, method):
    X, predict = rows["X"], getattr(fitted, method)
    local = predict(X)
    assert isinstance(local, np.ndarray)
    for lazy in (chunked(X), chunked(X)[chunked(X[:, 0] > -9)]):
        predicted = predict(lazy)
        assert isinstance(predicted, da.Array)
        assert predicted.dtype == local.dtype
        assert predicted.ndim == local.ndim
        computed = predicted.compute()
        assert computed.dtype == local.dtype
        if local.dtype.kind == "f":
            np.testing.assert_allclose(computed, local)
        else:
            np.testing.assert_array_equal(computed, local)
    assert predict(chunked(X)).chunks[0] == CHUNKS


def test_score(fitted, rows):
    given = rows["X"], rows["labels"], rows["weights"]
    expected = fitted.to_local().score(*given)
    assert fitted.score(*given) == expected
    assert fitted.score(*map(chunked, given)) == pytest.approx(expected)


def test_score_of_chunks_without_weight(fitted, rows):
    X, labels, weights = rows["X"], rows["labels"], rows["weights"].copy()
    weights[: CHUNKS[0]] = 0
    expected = fitted.to_local().score(X, labels, weights)
    found = fitted.score(chunked(X), chunked(labels), chunked(weights))
    assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match="sample_weight is 0 for all rows"):
        fitted.score(chunked(X), chunked(labels), chunked(0 * weights))


@pytest.mark.parametrize("params", [{}, {"loss": "quantile", "quantile": [0.1, 0.9]}])
def test_score_refuses_what_fit_refuses(params, rows):
    X, y = rows["X"], rows["X"][:, 0]
    params = {"hidden_layer_sizes": 5, "max_iter": 3, **params}
    model = DaskBackpropMLPRegressor(**params)
    model.fit(chunked(X), chunked(y))
    assert model.score(chunked(X), chunked(y)) == pytest.approx(
        model.to_local().score(X, y)
    )
    spans = y.astype("m8[s]")
    with pytest.raises(ValueError, match="y has dates or time spans"):
        model.score(chunked(X), chunked(spans))
    masked = np.ma.array(np.ones(len(y)), mask=np.arange(len(y)) == 3)
    with pytest.raises(ValueError, match="sample_weight has masked values"):
        model.score(chunked(X), chunked(y), chunked(masked))
    if "loss" not in params:
        with pytest.raises(ValueError, match="sample_weight is 0 for all rows"):
            model.score(chunked(X), chunked(y), chunked(np.zeros(len(y))))


@pytest.mark.filterwarnings("ignore:R.* score is not well-defined")
def test_scores_of_constant_and_of_few_numbers(rows):
    """As scikit-learn has them: 1, 0 and nan, also if a chunk has no weight."""
    X, chunks = rows["X"], (20, 0, 1)
    X, twos, weights = X[:21], np.full(21, 2.0), np.arange(21.0) % 20
    model = DaskBackpropMLPRegressor(max_iter=1, random_state=0).fit(X, twos)
    for array in (*model.coefs_, *model.intercepts_):
        array[:] = 0
    model.intercepts_[-1][:] = 2
    for y, expected in ((twos, 1), (twos + 1, 0), (X[:, 0], None)):
        score = model.score(*(chunked(data, chunks) for data in (X, y, weights)))
        assert score == pytest.approx(model.score(X, y, weights))
        assert expected is None or score == expected
    one = [chunked(data, (1,)) for data in (X[:1], twos[:1])]
    assert np.isnan(model.score(*one))
    assert np.isnan(model.score(X[:1], twos[:1]))


@pytest.mark.parametrize("dtype", [bool, "u1", "i1", "f2"])
def test_score_with_weights_of_any_type(fitted, rows, dtype):
    """Their sum would overflow in their own type."""
    X, labels, numbers = rows["X"], rows["labels"], rows["X"][:, 0]
    weights = (np.arange(N_ROWS) % 100).astype(dtype)
    if dtype == "f2":
        weights *= 100
    chunks = [chunked(data) for data in (X, labels, numbers, weights)]
    expected = fitted.to_local().score(X, labels, weights.astype(float))
    assert fitted.score(*chunks[:2], chunks[3]) == pytest.approx(expected, rel=1e-12)
    regressor = DaskBackpropMLPRegressor(max_iter=3, random_state=0).fit(X, numbers)
    expected = regressor.score(X, numbers, weights.astype(float))
    found = regressor.score(chunks[0], *chunks[2:])
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("what", ["weights", "y"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_score_refuses_what_is_not_finite(rows, what, value):
    X, data = rows["X"], {"y": rows["X"][:, 0].copy(), "weights": np.ones(N_ROWS)}
    model = DaskBackpropMLPRegressor(max_iter=3).fit(X, data["y"])
    data[what][60] = value
    assert " contains " in refusal(model.score, X, data["y"], data["weights"])
    assert " contains " in refusal(model.score, *map(chunked, (X, *data.values())))


def unknown(data, n_rows=N_ROWS):
    """The first rows, in chunks of a size that Dask does not know."""
    lazy = chunked(data)
    return lazy[chunked(np.arange(N_ROWS)) < n_rows]


def test_rows_that_do_not_match(rows):
    X, y = rows["X"], rows["X"][:, 0]
    model = DaskBackpropMLPRegressor(max_iter=3).fit(X, y)
    n_rows = CHUNKS[0]
    for X_chunks, *others in (
        # The other chunks of X are empty.
        (unknown(X, n_rows), unknown(y)),
        (unknown(X, n_rows), unknown(y, n_rows), unknown(np.ones(N_ROWS))),
        (unknown(X), unknown(y, n_rows)),
    ):
        before = model.t_, model.coefs_[0].copy()
        for method in (model.score, model.partial_fit):
            with pytest.raises(ValueError, match="must have the same chunks"):
                method(X_chunks, *others)
        # The first chunk was trained on.
        assert model.t_ == before[0]
        np.testing.assert_array_equal(model.coefs_[0], before[1])
    with pytest.raises(ValueError, match="y has 2 columns, but 1 are predicted"):
        model.score(chunked(X), chunked(X[:, :2]))


def test_no_rows_at_all(fitted, rows):
    X, labels, y = (unknown(rows[name], 0) for name in ("X", "labels", "numbers"))
    model = DaskBackpropMLPRegressor(max_iter=3)
    model.fit(rows["X"], rows["numbers"])
    fresh = DaskBackpropMLPRegressor()
    for call in (
        lambda: fitted.score(X, labels),
        lambda: model.score(X, y),
        lambda: fresh.partial_fit(X, y),
    ):
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
            call()
    assert not hasattr(fresh, "coefs_")


@pytest.mark.parametrize(("n_axes", "message"), [(1, "Expected 2D"), (3, "with dim 3")])
def test_predict_needs_two_axes(fitted, rows, n_axes, message):
    X = rows["X"][:, 0] if n_axes == 1 else rows["X"][:, :, np.newaxis]
    for data in (X, da.from_array(X)):
        with pytest.raises(ValueError, match=message):
            fitted.predict(data)


def test_targets_of_text(client, rows):
    """A warning from a worker would be lost, or come for each chunk."""
    X, text = rows["X"], rows["X"][:, 0].astype(str)
    ours = DaskBackpropMLPRegressor(solver="lbfgs", max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match="numbers written as text") as caught:
        ours.fit(chunked(X), chunked(text))
    texts = [one for one in caught if "written as text" in str(one.message)]
    assert len(texts) == 1
    numbers = chunked(text.astype(float))
    other = clone(ours).fit(chunked(X), numbers)
    np.testing.assert_array_equal(ours.coefs_[0], other.coefs_[0])
    # Chunk 1 is empty. Chunk 2 is the first of two with an error.
    text[CHUNKS[0] + 5], text[-1] = "red", "blue"
    with pytest.raises(ValueError, match="y has 'red' in row 5 of chunk 2, but"):
        clone(ours).fit(chunked(X), chunked(text))
    gap = X[:, 0].copy()
    gap[CHUNKS[0] + 5] = np.nan
    with pytest.raises(ValueError, match="contains NaN: the value of row 5 of chunk 2"):
        clone(ours).fit(chunked(X), chunked(gap))


def test_to_local(fitted, rows):
    local = fitted.to_local()
    assert type(local) is BackpropMLPClassifier
    assert not hasattr(local, "client")
    assert local.get_params() == {
        name: value for name, value in fitted.get_params().items() if name != "client"
    }
    proba = local.predict_proba(rows["X"])
    np.testing.assert_array_equal(proba, fitted.predict_proba(rows["X"]))
    local.set_params(warm_start=True).fit(rows["X"], rows["labels"])
    with pytest.raises(NotFittedError):
        DaskBackpropMLPClassifier().to_local()


def test_pickles_without_its_client(fitted, rows):
    loaded = pickle.loads(pickle.dumps(fitted))
    assert loaded.client is None
    assert fitted.client is not None
    proba = loaded.predict_proba(rows["X"])
    np.testing.assert_array_equal(proba, fitted.predict_proba(rows["X"]))


def test_copies_keep_the_client(fitted):
    twin = clone(fitted)
    assert twin.client is fitted.client
    assert not hasattr(twin, "coefs_")
    assert twin.get_params() == fitted.get_params()
    copied = copy.deepcopy(fitted)
    assert copied.client is fitted.client
    np.testing.assert_array_equal(copied.coefs_[0], fitted.coefs_[0])


@pytest.mark.parametrize(
    ("ours", "local"),
    [
        (DaskBackpropMLPClassifier, BackpropMLPClassifier),
        (DaskBackpropMLPRegressor, BackpropMLPRegressor),
    ],
)
def test_parameters_are_those_of_the_local_one(ours, local):
    params = ours().get_params()
    assert params.pop("client") is None
    assert params == local().get_params()
    assert list(ours()._get_param_names()) == sorted([*params, "client"])


def test_local_arrays_are_fitted_locally(rows):
    ours, local = classifier_pair(solver="lbfgs")
    ours.fit(rows["X"], rows["labels"])
    assert_same_weights(ours, local.fit(rows["X"], rows["labels"]), tolerance=0)


# Callbacks.


@pytest.mark.callbacks
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_early_stopping_on_local_validation_data(client, rows, solver):
    stopping = EarlyStopping(rows["X"], rows["labels"], patience=2)
    ours, _ = classifier_pair(solver=solver, max_iter=30, max_fun=100, batch_size=100)
    ours.set_callbacks(stopping).fit(chunked(rows["X"]), chunked(rows["labels"]))
    assert len(stopping.scores_) == min(30, stopping.best_iter_ + 2)
    score = ours.score(rows["X"], rows["labels"])
    assert score == pytest.approx(stopping.best_score_)


def test_progress_is_printed(client, rows, capsys):
    ours, _ = classifier_pair(solver="lbfgs", verbose=True)
    ours.fit(chunked(rows["X"]), chunked(rows["labels"]))
    assert capsys.readouterr().out.count("Iteration") == ours.n_iter_


# Workers that come and go.


class KillsAWorker:
    """A callback that kills a worker's process after two iterations.

    Its nanny starts another one.
    """

    def __init__(self, client):
        self.client = client
        self.n_iterations = 0

    def setup(self, estimator, context):
        self.pids = self.client.run(os.getpid)

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name in ("iteration", "epoch"):
            self.n_iterations += 1
            if self.n_iterations == 2:
                victims = self.victims()
                for worker in victims:
                    os.kill(self.pids[worker], signal.SIGKILL)
                # Or a fast fit is over before the cluster has seen it.
                while not victims.isdisjoint(self.client.nthreads()):
                    time.sleep(0.05)
        return False

    def victims(self):
        return {min(self.pids)}

    def teardown(self, estimator, context):
        pass


class KillsAllWorkers(KillsAWorker):
    """The same of all: of one a part, or its rows, may be at another one."""

    def victims(self):
        return set(self.pids)


@pytest.mark.posix
@pytest.mark.callbacks
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_worker_that_dies(client, rows, solver):
    ours, _ = classifier_pair(solver=solver, max_iter=6, max_fun=15, batch_size=90)
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    undisturbed = clone(ours).fit(X, y)
    killer = KillsAWorker(client)
    ours.set_callbacks(killer).fit(X, y)
    assert killer.n_iterations == ours.n_iter_ > 3
    # Of the same parts in the same order, wherever they are.
    assert_same_weights(ours, undisturbed, tolerance=0)
    client.wait_for_workers(2, timeout=30)


class LooksAtTheWorkers(KillsAWorker):
    """A callback that looks at what is where, and kills nobody."""

    def on_fit_task_end(self, estimator, context):
        self.kept = self.client.has_what().values()


@pytest.mark.callbacks
def test_parts_stay_where_they_are(client, rows):
    # What earlier tests' errors hold on to is none of this fit's.
    before = {key for kept in client.has_what().values() for key in kept}
    looks = LooksAtTheWorkers(client)
    ours, _ = classifier_pair(solver="lbfgs", max_fun=20)
    ours.set_callbacks(looks).fit(chunked(rows["X"]), chunked(rows["labels"]))
    # One at each worker, and of the chunks nothing else.
    for kept in looks.kept:
        names = [key.split("-")[0] for key in kept if key not in before]
        assert names.count("Shard") == 1
        assert set(names) <= {"Shard", "answer"}


@pytest.mark.posix
@pytest.mark.callbacks
def test_lost_rows_that_can_not_be_computed_anew(rows):
    with make_cluster() as cluster, Client(cluster) as client:
        first, second = sorted(client.nthreads())
        halves = [
            [
                client.scatter(data[part], workers=[worker], hash=False)
                for part, worker in ((slice(150), first), (slice(150, 300), second))
            ]
            for data in (rows["X"], rows["numbers"])
        ]
        X, y = (
            da.concatenate(
                [
                    da.from_delayed(dask.delayed(np.asarray)(half), shape, dtype=float)
                    for half in of_data
                ]
            )
            for of_data, shape in zip(halves, [(150, 6), (150,)], strict=True)
        )
        ours, _ = regressor_pair(solver="lbfgs", max_fun=50)
        ours.set_params(client=client)
        ours.set_callbacks(KillsAllWorkers(client))
        start = time.monotonic()
        with pytest.raises(RuntimeError, match="Rows were lost with a worker"):
            ours.fit(X, y)
        assert time.monotonic() - start < 30
        assert not hasattr(ours, "coefs_")


def test_a_client_without_workers(rows):
    ours, _ = classifier_pair(solver="lbfgs")
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    with (
        make_cluster(n_workers=0) as cluster,
        Client(cluster) as client,
        pytest.raises(RuntimeError, match="cluster has no workers"),
    ):
        ours.set_params(client=client).fit(X, y)


def test_the_last_worker_goes_before_its_results_are_fetched(rows, monkeypatch):
    gather = Client.gather

    def lose_then_gather(client, futures, **kwargs):
        wait(futures)
        cluster.scale(0)
        while client.nthreads():
            time.sleep(0.05)
        return gather(client, futures, **kwargs)

    monkeypatch.setattr(Client, "gather", lose_then_gather)
    monkeypatch.setattr(distributed_client, "_PATIENCE", 1)
    monkeypatch.setattr(distributed_client, "_LOOK", 0.2)
    ours, _ = classifier_pair(solver="lbfgs")
    X, y = chunked(rows["X"]), chunked(rows["labels"])
    with make_cluster(1) as cluster, Client(cluster) as client:
        start = time.monotonic()
        with pytest.raises(RuntimeError, match="has had no workers for 1 seconds"):
            ours.set_params(client=client).fit(X, y)
        assert time.monotonic() - start < 30


def test_no_client(rows, monkeypatch):
    def no_client():
        raise ValueError("No global client found and no address provided")

    monkeypatch.setattr("skmlp_backprop._distributed.estimator.get_client", no_client)
    ours, _ = classifier_pair(solver="lbfgs")
    with pytest.raises(ValueError, match="There is no Dask client"):
        ours.fit(chunked(rows["X"]), chunked(rows["labels"]))


# Searches.


class CountsScatters:
    """Counts what a client scatters of some size."""

    def __init__(self, monkeypatch, n_bytes):
        self.n = 0
        scatter = Client._scatter

        async def counting(client, data, *args, **kwargs):
            self.n += sum(getattr(x, "nbytes", 0) == n_bytes for x in data)
            return await scatter(client, data, *args, **kwargs)

        monkeypatch.setattr(Client, "_scatter", counting)


def test_a_stacked_search_on_the_cluster(client, rows, monkeypatch):
    X, y = rows["X"], rows["labels"]
    mlp = BackpropMLPClassifier(5, max_iter=3, random_state=0)
    grid = {"alpha": [0.01, 0.1], "learning_rate_init": [0.001, 0.01, 0.1]}
    search = StackedGridSearchCV(mlp, grid, cv=3, n_jobs=2)
    expected = clone(search).set_params(n_jobs=1).fit(X, y)
    counts = CountsScatters(monkeypatch, X.nbytes)
    with joblib.parallel_config(backend="dask", scatter=[X, y]):
        search.fit(X, y)
    assert counts.n == 1
    # Each candidate in a stack, which were cut over the workers.
    assert search.n_stacked_ == expected.n_stacked_ == 18
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(
            search.cv_results_[key], expected.cv_results_[key]
        )


# Without Dask.


def test_dask_is_imported_here_alone_and_its_extra_is_named():
    script = """
import sys
import skmlp_backprop
from skmlp_backprop import StackedGridSearchCV
assert not {"dask", "distributed"} & set(sys.modules)
sys.modules["distributed"] = None
import skmlp_backprop.dask
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert "ImportError: skmlp_backprop.dask requires dask and dist" in done.stderr
    assert 'pip install "dask[array,dataframe]" distributed' in done.stderr
