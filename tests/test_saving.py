"""Files of the command line are replaced as a whole, or not at all."""

import os
import stat
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris

from skmlp_backprop.__main__ import main

QUICK = ["--jobs", "1", "--cv", "2", "--alpha", "1", "--learning-rate", "0.01"]
QUICK += ["--max-iter", "2", "--hidden", "4"]


@pytest.fixture
def save(tmp_path_factory):
    """Trains a model, and saves it."""
    data = tmp_path_factory.mktemp("data") / "iris.npz"
    X, y = load_iris(return_X_y=True)
    np.savez(data, X=X, y=y)
    return lambda path: main(["--data", str(data), *QUICK, "--save", str(path)])


@pytest.fixture
def refused(capsys):
    """The one line in which a path is refused, before any fit."""

    def refuse(path):
        assert main(["--save", str(path)]) == 1
        captured = capsys.readouterr()
        assert "Fitting" not in captured.out
        (line,) = captured.err.splitlines()
        return line

    return refuse


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


def is_model(path):
    return joblib.load(path).n_features_in_ == 4


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield
    os.umask(old)


@pytest.mark.posix
@pytest.mark.usefixtures("umask")
def test_permissions(tmp_path, save):
    path = tmp_path / "model"
    assert save(path) == 0
    assert permissions(path) == 0o640
    path.write_bytes(b"earlier")
    path.chmod(0o604)
    assert save(path) == 0
    assert permissions(path) == 0o604
    assert is_model(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_error_leaves_what_there_was(tmp_path, save, error, monkeypatch):
    path = tmp_path / "model"
    path.write_bytes(b"first")

    def fail(model, beside, *args, **kwargs):
        beside.write_bytes(b"half of it")
        raise error("of the test")

    monkeypatch.setattr(joblib, "dump", fail)
    try:
        assert save(path) != 0
    except error:
        assert error is not OSError
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix
@pytest.mark.parametrize("exists", [False, True])
def test_link_is_followed(tmp_path, save, exists):
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "model", tmp_path / "link"
    link.symlink_to(path)
    if exists:
        path.write_bytes(b"first")
    assert save(link) == 0
    assert link.is_symlink()
    assert is_model(path)


def test_the_ending_is_kept(tmp_path, save):
    """joblib compresses by it."""
    path = tmp_path / "model.joblib.gz"
    assert save(path) == 0
    assert path.read_bytes().startswith(b"\x1f\x8b")
    assert is_model(path)


@pytest.mark.posix
def test_what_can_not_be_replaced(tmp_path, refused, monkeypatch):
    assert "is not a regular file" in refused(tmp_path)
    error = refused(tmp_path / "nowhere" / "model")
    assert f"can't write to the folder {tmp_path / 'nowhere'}: No such" in error
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert "is not a regular file" in refused(fifo)
    assert list(tmp_path.iterdir()) == [fifo]
    protected = tmp_path / "protected"
    protected.touch()

    # root may write to anything.
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert f"can't write to {protected}: Permission" in refused(protected)


def test_folder_that_can_not_be_written_to(tmp_path, refused, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    error = refused(tmp_path / "model")
    assert f"can't write to the folder {tmp_path}: Permission denied" in error
