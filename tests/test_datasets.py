import gzip
import re
import tracemalloc
import zipfile

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from skmlp_backprop.datasets import (
    read_idx,
    read_mat,
    read_mat_weights,
    read_npz,
)


def idx_bytes(array, code=8):
    header = bytes([0, 0, code, array.ndim])
    return header + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def test_mat(data_dir, tmp_path):
    X, y = read_mat(data_dir / "ex4data1.mat")
    assert X.shape == (5000, 400)
    assert X.flags.c_contiguous
    assert sorted(set(y)) == list(range(1, 11))
    coefs, intercepts = read_mat_weights(data_dir / "ex4weights.mat")
    assert [c.shape for c in coefs] == [(400, 25), (25, 10)]
    assert [b.shape for b in intercepts] == [(25,), (10,)]
    with pytest.raises(ValueError, match=re.escape("variables ['X', 'y'], found ['Th")):
        read_mat(data_dir / "ex4weights.mat")
    with pytest.raises(ValueError, match=r"found .* Read them by read_mat_weights\."):
        read_mat(data_dir / "ex4weights.mat")
    with pytest.raises(ValueError, match=r"variables \['Theta1'\].* by read_mat\."):
        read_mat_weights(data_dir / "ex4data1.mat")
    scipy.io.savemat(tmp_path / "x.mat", {"X": X[:3]})
    with pytest.raises(ValueError, match=r"\['X', 'y'\], found \['X'\]\.$"):
        read_mat(tmp_path / "x.mat")
    truncated = tmp_path / "truncated.mat"
    content = (data_dir / "ex4data1.mat").read_bytes()
    for length in (0, 50, 130, 1000, len(content) // 2, len(content) - 1):
        truncated.write_bytes(content[:length])
        with pytest.raises(ValueError, match="can't be read as a MATLAB file"):
            read_mat(truncated)


def test_mat_with_labels_missing(tmp_path):
    path = tmp_path / "short.mat"
    scipy.io.savemat(path, {"X": np.zeros((3, 2)), "y": np.zeros((2, 1))})
    with pytest.raises(
        ValueError, match=r"X of shape \(3, 2\) and y of shape \(2, 1\)"
    ):
        read_mat(path)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("code", "dtype"),
    [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")],
)
def test_idx_roundtrip(tmp_path, zipped, code, dtype):
    """With negative numbers, which tell signed types from others."""
    array = np.arange(-12, 12).reshape(2, 3, 4).astype(dtype)
    content = idx_bytes(array, code)
    path = tmp_path / "any-name"
    path.write_bytes(gzip.compress(content) if zipped else content)
    read = read_idx(path)
    np.testing.assert_array_equal(read, array)
    assert read.dtype.isnative


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c[:-1], "expected 24 bytes .* for an array of shape"),
        (lambda c: c + b"\0", "expected 24 bytes .* found more"),
        (lambda c: c[:10], "requires a buffer of 12 bytes"),
        (lambda c: b"\1" + c[1:], r"magic number .* found the bytes \[1, 0, 8, 3\]"),
        (lambda c: c[:2] + b"\7" + c[3:], "type code"),
        (lambda c: b"", "can't be read as an IDX file"),
        (lambda c: gzip.compress(c)[:-12], "Compressed file ended before the end"),
    ],
)
def test_spoilt_idx(tmp_path, spoil, message):
    content = idx_bytes(np.arange(24, dtype="u1").reshape(2, 3, 4))
    path = tmp_path / "images"
    path.write_bytes(spoil(content))
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, X=np.eye(2), y=["a", "b"])
    X, y = read_npz(path)
    np.testing.assert_array_equal(X, np.eye(2))
    assert y.tolist() == ["a", "b"]
    np.savez(path, data=np.eye(2))
    with pytest.raises(ValueError, match=r"the arrays X and y: .*X\.npy"):
        read_npz(path)


def test_npz_with_labels_in_bytes(tmp_path):
    path = tmp_path / "bytes.npz"
    np.savez(path, X=np.eye(2), y=["é".encode(), b"b"])
    assert read_npz(path)[1].tolist() == ["é", "b"]


def test_odd_npz(tmp_path):
    path = tmp_path / "odd.npz"
    for content in (b"", b"no zip", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="can't be read as an npz file"):
            read_npz(path)
    np.savez(path, X=np.arange(3), y=np.arange(3))
    with pytest.raises(ValueError, match="expected X of shape"):
        read_npz(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"X": scipy.sparse.eye(3).tocsc()},
            "X to be a dense array of real numbers, found csc_",
        ),
        ({"X": np.eye(3) + 1j}, "X to be .* real numbers, found ndarray of complex128"),
        ({"X": ["abc", "def", "ghi"]}, "X to be .* real numbers, found ndarray of <U"),
        ({"X": np.empty((0, 2)), "y": np.empty((0, 1))}, "X of shape"),
        ({"X": np.zeros((3, 2, 2))}, r"found X of shape \(3, 2, 2\)"),
        (
            {"y": np.array(["a", 2, "c"], dtype=object)},
            "y to be .* numbers or text, found ndarray of object",
        ),
        ({"y": {"label": [1, 2, 3]}}, r"y to be .* found ndarray of \[\('label'"),
        ({"y": np.eye(3)}, "one label in y per sample"),
    ],
)
def test_mat_of_other_things(tmp_path, content, message):
    path = tmp_path / "other.mat"
    scipy.io.savemat(path, {"X": np.eye(3), "y": [1, 2, 3], **content})
    with pytest.raises(ValueError, match=message) as caught:
        read_mat(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_mat_with_labels_in_text(tmp_path):
    path = tmp_path / "text.mat"
    scipy.io.savemat(path, {"X": np.eye(2), "y": ["rose", "tulip"]})
    # The rows of a char matrix have the same length in the file.
    assert scipy.io.loadmat(path)["y"].tolist() == ["rose ", "tulip"]
    assert read_mat(path)[1].tolist() == ["rose", "tulip"]


def test_mat_of_integers(tmp_path):
    """MATLAB may have pixels as uint8; samples and weights are floats."""
    path = tmp_path / "integers.mat"
    pixels = np.array([[200, 100], [3, 4]], dtype=np.uint8)
    scipy.io.savemat(path, {"X": pixels, "y": [1, 2], "Theta1": pixels})
    X, _ = read_mat(path)
    (coef,), (intercept,) = read_mat_weights(path)
    assert {a.dtype for a in (X, coef, intercept)} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(X, pixels)
    # The biases are in column 0.
    assert (coef.tolist(), intercept.tolist()) == ([[100, 4]], [200, 3])


def test_mat_of_version_7_3(tmp_path):
    path = tmp_path / "new.mat"
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(header.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"version 4 to 7.2 \(save with -v7\)"):
        read_mat(path)


@pytest.mark.parametrize(
    ("thetas", "message"),
    [
        ([np.zeros((3, 5)), np.zeros((2, 5))], r"Theta2 of shape \(fan_out, 1 \+ 3\)"),
        ([np.zeros((3, 1))], r"Theta1 of shape \(fan_out, 1 \+ fan_in\)"),
        ([np.zeros((3, 5, 2))], r"Theta1 of shape .* found \(3, 5, 2\)"),
        ([np.zeros((3, 5)) * 1j], "Theta1 to be .* real numbers"),
    ],
)
def test_mat_with_weights_that_do_not_fit(tmp_path, thetas, message):
    path = tmp_path / "weights.mat"
    names = [f"Theta{i}" for i in range(1, 1 + len(thetas))]
    scipy.io.savemat(path, dict(zip(names, thetas, strict=True)))
    with pytest.raises(ValueError, match=message):
        read_mat_weights(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"X": np.float64(1)}, "expected X of shape"),
        ({"y": np.int64(1)}, r"y of shape \(\)"),
        ({"y": np.arange(2)}, r"y of shape \(2,\)"),
        ({"X": np.eye(3) + 1j}, "X to be .* real numbers, found ndarray of complex"),
        ({"X": np.eye(3).astype(str)}, "X to be .* real numbers, found ndarray of <U"),
        ({"X": np.empty((0, 3)), "y": np.empty(0)}, r"found X of shape \(0, 3\)"),
        (
            {"y": np.array([1, "a", None], dtype=object)},
            "Object arrays cannot be loaded",
        ),
        ({"y": np.array([b"a", b"\xe9", b"c"])}, "'utf-8' codec can't decode"),
    ],
)
def test_npz_of_other_things(tmp_path, content, message):
    path = tmp_path / "other.npz"
    arrays = {"X": np.eye(3), "y": np.arange(3), **content}
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_npz(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_keeps_types_and_order(tmp_path, save):
    path = tmp_path / "data.npz"
    X = np.asfortranarray(np.arange(12, dtype=">f4").reshape(3, 4))
    save(path, X=X, y=np.array([["a"], ["b"], ["c"]]))
    read, y = read_npz(path)
    np.testing.assert_array_equal(read, X)
    assert read.dtype == X.dtype
    assert read.flags.f_contiguous
    assert read.flags.writeable
    assert y.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npz_of_other_versions_of_npy(tmp_path, version):
    """Their headers differ in the length of the field that has their size."""
    path, X = tmp_path / "data.npz", np.eye(3, dtype=bool)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in (("X.npy", X), ("y.npy", np.arange(3))):
            with archive.open(name, "w") as file:
                np.lib.format.write_array(file, array, version)
    read, y = read_npz(path)
    np.testing.assert_array_equal(read, X, strict=True)
    assert y.tolist() == [0, 1, 2]


def test_npz_of_another_compression(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, X=np.eye(3), y=np.arange(3))
    with zipfile.ZipFile(path) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for name, content in arrays.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=r"X\.npy is neither stored nor deflated; use"):
        read_npz(path)


def npy_bytes(shape, content, descr="<f8"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n"
    size = len(header).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + size + header.encode() + content


@pytest.mark.parametrize(
    "shape", [(10**6, 10**6), (10**30, 2), (-1, 2), (2**62, 2**62), (3, 2)]
)
def test_npz_whose_shape_is_a_lie(tmp_path, shape):
    path = tmp_path / "lie.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", npy_bytes(shape, bytes(32)))
        archive.writestr("y.npy", npy_bytes((2,), bytes(16)))
    with pytest.raises(ValueError, match=r"X\.npy has \d+ bytes, not those of"):
        read_npz(path)


def peak_of_reading(reader, path):
    """Bytes of memory that a refusal took at its peak."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=re.escape(str(path))):
            reader(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_idx_that_unpacks_to_more_than_it_says(tmp_path):
    path = tmp_path / "bomb.gz"
    content = idx_bytes(np.zeros((2, 3), "u1")) + bytes(1 << 26)
    path.write_bytes(gzip.compress(content, 1))
    assert peak_of_reading(read_idx, path) < 1 << 23
    # And what says more than it can hold is not unpacked either.
    content = bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(1 << 26)
    path.write_bytes(gzip.compress(content, 1))
    assert peak_of_reading(read_idx, path) < 1 << 23


def test_npz_that_unpacks_to_more_than_it_says(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", npy_bytes((2, 2), bytes(1 << 26)))
        archive.writestr("y.npy", npy_bytes((2,), bytes(16)))
    assert peak_of_reading(read_npz, path) < 1 << 23


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (bytes([0, 0, 8, 0]) + b"\1", "the number of dimensions"),
        (bytes([0, 0, 8, 65]) + bytes(4 * 65), "65"),
        (bytes([0, 0, 14, 3]) + bytes(4) + b"\xff" * 8, "too big|maximum"),
    ],
)
def test_idx_of_impossible_shapes(tmp_path, header, message):
    path = tmp_path / "images"
    path.write_bytes(header)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("reader", [read_mat, read_mat_weights, read_idx, read_npz])
def test_what_can_not_be_opened(tmp_path, reader):
    with pytest.raises(FileNotFoundError):
        reader(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        reader(tmp_path)
