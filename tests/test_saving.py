"""Files that are replaced as a whole, or not at all."""

import os
import stat
import tempfile

import pytest

from skmlp_backprop._cli.saving import check_can_replace, replace_file


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield
    os.umask(old)


@pytest.mark.usefixtures("umask")
def test_permissions(tmp_path):
    path = tmp_path / "model"
    replace_file("--save", path, lambda beside: beside.write_bytes(b"first"))
    assert permissions(path) == 0o640
    path.chmod(0o604)
    replace_file("--save", path, lambda beside: beside.write_bytes(b"second"))
    assert permissions(path) == 0o604
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_error_leaves_what_there_was(tmp_path, error):
    path = tmp_path / "model"
    path.write_bytes(b"first")

    def fail(beside):
        beside.write_bytes(b"half of it")
        raise error

    with pytest.raises(error):
        replace_file("--save", path, fail)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("exists", [False, True])
def test_link_is_followed(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "model", tmp_path / "link"
    link.symlink_to(path)
    if exists:
        path.write_bytes(b"first")
    check_can_replace(link)
    replace_file("--save", link, lambda beside: beside.write_bytes(b"second"))
    assert link.is_symlink()
    assert path.read_bytes() == b"second"


def test_the_ending_is_kept(tmp_path):
    # joblib compresses by it.
    written = []

    def write(beside):
        written.append(beside)
        beside.write_bytes(b"")

    replace_file("--save", tmp_path / "model.joblib.gz", write)
    assert written[0].suffix == ".gz"
    assert written[0].parent == tmp_path


def test_what_can_not_be_replaced(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="is not a regular file"):
        check_can_replace(tmp_path)
    with pytest.raises(
        ValueError, match=r"can't write to the folder .*nowhere: No such"
    ):
        check_can_replace(tmp_path / "nowhere" / "model")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(ValueError, match="is not a regular file"):
        check_can_replace(fifo)
    assert list(tmp_path.iterdir()) == [fifo]
    protected = tmp_path / "protected"
    protected.touch()
    # root may write to anything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ValueError, match="write-protected"):
        check_can_replace(protected)


def test_folder_that_can_not_be_written_to(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(ValueError, match=r"can't write to the folder .*: Permission"):
        check_can_replace(tmp_path / "model")
