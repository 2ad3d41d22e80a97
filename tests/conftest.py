import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, find_chromium
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.preprocessing import StandardScaler

# Short searches start no process: only a patch makes them do so.
from skmlp_backprop._search import work

# Nor is there a parameter for the shift of an ensemble's logits.
from skmlp_backprop._tabular import left_out
from skmlp_backprop.datasets import read_mat


def pytest_collection_modifyitems(items):
    """Skip what an older scikit-learn, or Windows, can't do."""
    for item in items:
        if os.name == "nt" and item.get_closest_marker("posix"):
            reason = "Windows has no such signals, limits or files"
            item.add_marker(pytest.mark.skip(reason=reason))
    if find_spec("sklearn.callback"):
        return
    for item in items:
        for marker in item.iter_markers("since_1_9"):
            reason = f"scikit-learn before 1.9 {marker.args[0]}"
            item.add_marker(pytest.mark.skip(reason=reason))
        is_documented = item.name.startswith("skmlp_backprop.callbacks.")
        if is_documented or item.get_closest_marker("callbacks"):
            reason = "scikit-learn before 1.9 has no callbacks"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def data_dir():
    folder = os.environ.get("SKMLP_DATA_DIR")
    if not folder:
        pytest.skip("SKMLP_DATA_DIR is not set: no ex4data1.mat, MNIST files or tables")
    return Path(folder)


@pytest.fixture
def without_shift(monkeypatch):
    """Ensembles do not shift their logits after the training."""
    monkeypatch.setattr(left_out, "_SHIFT", 1e-9)


@pytest.fixture(scope="session")
def exercise(data_dir):
    return read_mat(data_dir / "ex4data1.mat")


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="session")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="session")
def diabetes():
    """Scaled features, and positive numbers around 1."""
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), y / y.mean()


@pytest.fixture
def blobs():
    """Small random classification data: X, labels of 3 classes, weights."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    return X, np.arange(30) % 3, rng.integers(1, 4, 30)


@pytest.fixture
def free_processes(monkeypatch):
    """Let short searches use several processes, as if they started in no time."""
    monkeypatch.setattr(work, "seconds_to_start", lambda n_processes: 0.0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser without a window."""
    if find_chromium() is None:
        pytest.skip("chromium is not installed")
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser
