"""Stacks, tables and searches on a CUDA card, beside the CPU and other packages.

On the tables, TabM (of pytabkit), a network of skorch and XGBoost are fitted on the
card, each with its defaults, where they are installed (extra bench).
"""

import time
import warnings

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skmlp_backprop import (
    BackpropMLPClassifier,
    StackedGridSearchCV,
    TabularMLPClassifier,
    fit_stack,
)

from ._report import Row

N_ROWS = 6000
# Features, units and rows of a batch; and for each number of networks the bar, in
# microseconds a network and step: 1.3 times what a hand-written stack, captured as a
# CUDA graph, took on an H100.
STACKS = {
    (64, 25, 32): {20: 6.1, 100: 1.3, 500: 0.33},
    (784, 100, 200): {20: 14.4, 100: 9.0, 300: 7.8},
}
# Rows and columns of a table, and the bar in seconds.
TABLES = {(100_000, 30): 3, (1_000_000, 20): 30}


def run():
    """A stack's step, tables, and a search; nothing without a card."""
    if not torch.cuda.is_available():
        print("gpu: PyTorch finds no CUDA card, so nothing is measured.")
        return []
    warnings.simplefilter("ignore", ConvergenceWarning)
    return [*_stacks(), *_tables(), _search()]


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _stacks():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, N_ROWS)
    for (n_features, n_units, n_batch_rows), bars in STACKS.items():
        X = rng.standard_normal((N_ROWS, n_features), np.float32)
        for n_networks, bar in bars.items():

            def fit(device, n_epochs, shape=(n_units, n_batch_rows), X=X, n=n_networks):
                mlps = [
                    BackpropMLPClassifier(
                        shape[0],
                        batch_size=shape[1],
                        alpha=alpha,
                        max_iter=n_epochs,
                        n_iter_no_change=np.inf,
                        random_state=0,
                        device=device,
                    )
                    for alpha in np.logspace(-4, 0, n)
                ]
                fit_stack(mlps, X, y)

            figures = {}
            n_steps = 4 * n_networks * -(-N_ROWS // n_batch_rows)
            for device in ("cuda", "cpu"):
                fit(device, 1)
                # The difference leaves out what a fit costs once.
                seconds = _seconds(lambda: fit(device, 5)) - _seconds(  # noqa: B023
                    lambda: fit(device, 1)  # noqa: B023
                )
                figures[f"us, {device}"] = seconds / n_steps * 1e6
            figures["x"] = figures["us, cpu"] / figures["us, cuda"]
            what = f"{n_features}-{n_units}-10, batch {n_batch_rows}, {n_networks} nets"
            yield Row(what, figures, f"<= {bar} us", figures["us, cuda"] <= bar)


def _tables():
    for (n_rows, n_columns), bar in TABLES.items():
        X, y = table(n_rows, n_columns)
        TabularMLPClassifier(max_iter=1, device="cuda").fit(X[:1000], y[:1000])
        figures = {}
        for device in ("cuda", "cpu"):
            model = TabularMLPClassifier(random_state=0, device=device)
            figures[f"s, {device}"] = _seconds(lambda: model.fit(X, y))  # noqa: B023
            figures[f"epochs, {device}"] = model.n_iter_
        X_test, y_test = table(N_ROWS, n_columns, seed=1)
        figures["accuracy"] = np.mean(model.predict(X_test) == y_test)
        seconds = figures["s, cuda"]
        what = f"table of {n_rows:,} x {n_columns}"
        yield Row(what, figures, f"<= {bar} s", seconds <= bar)
        yield from others(what, X, y, X_test, y_test, "cuda")


def table(n_rows, n_columns, seed=0):
    """Normal numbers, in float32, and two classes of which five columns tell."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_columns), np.float32)
    signal = X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2]) + 2 * (X[:, 3] > 0.5) + X[:, 4]
    return X, (signal + rng.standard_normal(n_rows) > 1).astype(np.int64)


def others(what, X, y, X_test, y_test, device):
    """Fits of the other packages; those that are not installed are named."""
    for name, make in OTHERS.items():
        try:
            # The first fit on a device takes longer.
            make(X.shape[1], device).fit(X[:200], y[:200])
        except ImportError as error:
            print(f"gpu: {name} is left out: {error}.")
            continue
        model = make(X.shape[1], device)
        seconds = _seconds(lambda: model.fit(X, y))  # noqa: B023
        accuracy = np.mean(model.predict(X_test) == y_test)
        yield Row(f"{what}, {name}", {f"s, {device}": seconds, "accuracy": accuracy})


def _tabm(n_columns, device):
    from pytabkit import TabM_D_Classifier

    return TabM_D_Classifier(random_state=0, device=device)


def _skorch(n_columns, device):
    """A single network of the shape of ours, for the ten epochs of its defaults."""
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(n_columns, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 2),
    )
    return NeuralNetClassifier(
        network,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.003,
        batch_size=256,
        device=device,
        verbose=0,
    )


def _xgboost(n_columns, device):
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=0, device=device)


OTHERS = {"TabM": _tabm, "skorch": _skorch, "XGBoost": _xgboost}


def _search():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    grid = {
        "alpha": np.logspace(-4, 1, 10),
        "learning_rate_init": np.logspace(-4, -1, 10),
    }
    figures = {}
    for device in ("cuda", "cpu"):
        mlp = BackpropMLPClassifier(
            25, batch_size=32, max_iter=60, random_state=0, device=device
        )
        search = StackedGridSearchCV(mlp, grid, cv=5, refit=False, n_jobs=-1)
        figures[f"s, {device}"] = _seconds(lambda: search.fit(X, y))  # noqa: B023
    figures["x"] = figures["s, cpu"] / figures["s, cuda"]
    what = "search of 100 candidates x 5 folds x 60 epochs, digits"
    return Row(what, figures, ">= 5 x", figures["x"] >= 5)
