"""X as users hand it over: columns, strides, DataFrames, files on disk, few classes."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV, fit_stack

# Whether the BLAS copies an operand shows in no result.
from skmlp_backprop._network.rows import is_blas_operand

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def _strided(X):
    wide = np.zeros((2 * X.shape[0], 2 * X.shape[1]))
    wide[::2, ::2] = X
    return wide[::2, ::2]


LAYOUTS = {
    "columns": np.asfortranarray,
    "strided": _strided,
    "column slice": lambda X: np.hstack([X, X])[:, : X.shape[1]],
    "row slice of columns": lambda X: np.asfortranarray(np.vstack([X, X]))[: len(X)],
    "reversed": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "DataFrame": lambda X: pd.DataFrame({str(i): x for i, x in enumerate(X.T)}),
    "mixed DataFrame": lambda X: pd.DataFrame(
        {str(i): x.astype(object if i == 1 else float) for i, x in enumerate(X.T)}
    ),
    "scaled columns": lambda X: StandardScaler(
        copy=False, with_mean=False, with_std=False
    ).fit_transform(np.asfortranarray(X)),
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((300, 7)), np.arange(300) % 3


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_any_layout_gives_the_same_network(solver, layout, data):
    X, y = data
    params = {"max_iter": 3, "max_fun": 6, "batch_size": 32, "solver": solver}
    params["random_state"] = 0
    mlp = BackpropMLPClassifier(5, **params).fit(X, y)
    laid_out = LAYOUTS[layout](X)
    other = BackpropMLPClassifier(5, **params).fit(laid_out, y)
    # Minibatches are gathered into the same buffer, whatever they come from. TNC, by
    # its differences of gradients, makes rounding visible.
    tolerance = {"sgd": 0, "adam": 0, "tnc": 1e-8}.get(solver, 1e-10)
    for a, b in zip(mlp.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    proba = other.predict_proba(laid_out)
    np.testing.assert_allclose(proba, mlp.predict_proba(X), rtol=0, atol=1e-10)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_stacks_take_any_layout(layout, data):
    X, y = data

    def fit(X):
        mlps = [
            BackpropMLPClassifier(5, max_iter=3, batch_size=32, random_state=seed)
            for seed in (0, 0, 1)
        ]
        return fit_stack(mlps, X, y)

    for one, other in zip(fit(X), fit(LAYOUTS[layout](X)), strict=True):
        np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


def test_a_search_takes_any_layout(data):
    X, y = data
    mlp = BackpropMLPClassifier(5, max_iter=3, random_state=0)
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, cv=3)
    scores = search.fit(X, y).cv_results_["mean_test_score"].copy()
    for make in LAYOUTS.values():
        other = search.fit(make(X), y).cv_results_["mean_test_score"]
        np.testing.assert_array_equal(other, scores)


@pytest.mark.filterwarnings("ignore:early_stopping=True has no effect")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_maps_stay_on_disk(order, solver, early_stopping, tmp_path):
    shape = (40_000, 50)
    X = np.memmap(tmp_path / "X", np.float64, "w+", shape=shape, order=order)
    X[:] = np.random.default_rng(0).standard_normal(shape)
    y = np.arange(shape[0]) % 2
    mlp = BackpropMLPClassifier(
        5, solver=solver, max_iter=2, early_stopping=early_stopping, random_state=0
    )
    # What is imported and cached once is not counted.
    mlp.fit(X[:400], y[:400]).predict_proba(X[:400])
    tracemalloc.start()
    mlp.fit(X, y).predict_proba(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Blocks of rows and their activations, targets and an order of the rows.
    assert peak < 0.4 * X.nbytes
    in_memory = BackpropMLPClassifier(**mlp.get_params()).fit(np.array(X), y)
    for a, b in zip(mlp.coefs_, in_memory.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


def test_stacks_of_several_seeds_read_memory_maps_from_the_disk(tmp_path):
    shape = (40_000, 50)
    X = np.memmap(tmp_path / "X", np.float64, "w+", shape=shape)
    X[:] = np.random.default_rng(0).standard_normal(shape)
    y = np.arange(shape[0]) % 2
    params = {"hidden_layer_sizes": 5, "solver": "sgd", "max_iter": 2}
    seeds = range(3)

    def fit(X):
        mlps = [BackpropMLPClassifier(**params, random_state=seed) for seed in seeds]
        return fit_stack(mlps, X, y[: len(X)])

    fit(X[:400])
    tracemalloc.start()
    stacked = fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The orders of the rows take a sixth of it; a copy of X would take all of it.
    assert peak < 0.6 * X.nbytes
    for seed, mlp in zip(seeds, stacked, strict=True):
        own = BackpropMLPClassifier(**params, random_state=seed).fit(np.array(X), y)
        np.testing.assert_allclose(mlp.coefs_[0], own.coefs_[0], atol=1e-10)


@pytest.mark.filterwarnings("ignore:early_stopping=True has no effect")
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_in_memory_it_is_copied_once_at_most(solver):
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((40_000, 50)))
    y = np.arange(len(X)) % 2
    mlp = BackpropMLPClassifier(5, solver=solver, max_iter=2, early_stopping=True)
    mlp.fit(X[:400], y[:400])
    tracemalloc.start()
    mlp.fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.4 * X.nbytes


def test_what_the_blas_would_copy():
    X = np.zeros((6, 4))
    others = [X[:, ::2], X[::-1], X[:, ::-1], np.broadcast_to(X[0], (6, 4))]
    assert not any(map(is_blas_operand, others))


TAKEN_AS_THEY_ARE = {
    "rows": lambda X: X,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "some of the columns": LAYOUTS["column slice"],
    "columns": np.asfortranarray,
    "some rows of columns": LAYOUTS["row slice of columns"],
    "every other column": lambda X: np.asfortranarray(np.repeat(X, 2, axis=1))[:, ::2],
}


@pytest.mark.parametrize("layout", TAKEN_AS_THEY_ARE)
def test_what_products_take_is_predicted_without_a_copy(layout):
    X = np.random.default_rng(0).standard_normal((2000, 500))
    mlp = BackpropMLPClassifier(5, max_iter=1, random_state=0)
    mlp.fit(X[:50], np.arange(50) % 2).predict_proba(X)
    laid_out = TAKEN_AS_THEY_ARE[layout](X)
    tracemalloc.start()
    mlp.predict_proba(laid_out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.1 * X.nbytes


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("units", [(), (30, 20), (3000,)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_alone_is_predicted_as_among_others(dtype, units, activation):
    """By a path of its own where the network is small."""
    X = np.random.default_rng(0).standard_normal((40, 700)).astype(dtype)
    mlp = BackpropMLPClassifier(units, activation, max_iter=1, random_state=0)
    mlp.fit(X, np.arange(40) % 3)
    one_by_one = [mlp.predict_proba(X[i : i + 1]) for i in range(len(X))]
    assert one_by_one[0].dtype == dtype
    rtol = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(np.vstack(one_by_one), mlp.predict_proba(X), rtol)
    strided = np.repeat(X, 2, axis=1)[:, ::2]
    np.testing.assert_allclose(mlp.predict_proba(strided[:1]), one_by_one[0], rtol)
