import gzip
import re

import numpy as np
import pytest
import scipy.io

from skmlp_backprop.datasets import (
    make_exercise_digits,
    read_csv,
    read_idx,
    read_mat,
    read_mat_weights,
    read_npz,
)


def idx_bytes(array, code=8):
    header = bytes([0, 0, code, array.ndim])
    return header + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def test_exercise_digits_are_rebuilt_exactly(data_dir, exercise):
    images = read_idx(data_dir / "mnist" / "train-images-idx3-ubyte.gz")
    labels = read_idx(data_dir / "mnist" / "train-labels-idx1-ubyte.gz")
    assert np.bincount(labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    X, y = make_exercise_digits(images, labels)
    assert X.shape == (5000, 400)
    np.testing.assert_allclose(X, exercise[0], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(y, exercise[1])
    with pytest.raises(ValueError, match="expected 500 images of the digit 0, found"):
        make_exercise_digits(images[:2000], labels[:2000])


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
    with pytest.raises(ValueError, match=r"expected the variables \['Theta1'\]"):
        read_mat_weights(data_dir / "ex4data1.mat")
    truncated = tmp_path / "truncated.mat"
    content = (data_dir / "ex4data1.mat").read_bytes()
    for length in (0, 50, 130, 1000, len(content) // 2, len(content) - 1):
        truncated.write_bytes(content[:length])
        with pytest.raises(ValueError, match="expected"):
            read_mat(truncated)


def test_mat_with_labels_missing(tmp_path):
    path = tmp_path / "short.mat"
    scipy.io.savemat(path, {"X": np.zeros((3, 2)), "y": np.zeros((2, 1))})
    with pytest.raises(ValueError, match=r"X of shape \(3, 2\) and 2 labels"):
        read_mat(path)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (11, ">i2"), (14, ">f8")])
def test_idx_roundtrip(tmp_path, zipped, code, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    content = idx_bytes(array, code)
    path = tmp_path / "any-name"
    path.write_bytes(gzip.compress(content) if zipped else content)
    read = read_idx(path)
    np.testing.assert_array_equal(read, array)
    assert read.dtype.isnative


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c[:-1], "expected 40 bytes for an array of shape"),
        (lambda c: c + b"\0", "expected 40 bytes .* found 41"),
        (lambda c: c[:10], "IDX header of 16 bytes for 3 dimensions"),
        (lambda c: b"\1" + c[1:], r"magic number .* found the bytes \[1, 0, 8, 3\]"),
        (lambda c: c[:2] + b"\7" + c[3:], "type code"),
        (lambda c: b"", "expected an IDX file"),
        (lambda c: gzip.compress(c)[:-12], "expected a complete gzip file"),
    ],
)
def test_spoilt_idx(tmp_path, spoil, message):
    content = idx_bytes(np.arange(24, dtype="u1").reshape(2, 3, 4))
    path = tmp_path / "images"
    path.write_bytes(spoil(content))
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_csv(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text("length,width,kind\n1.5,2,rose\n3,,tulip\n\n4,5e-1,rose\n")
    X, y = read_csv(path)
    np.testing.assert_array_equal(X, [[1.5, 2], [3, np.nan], [4, 0.5]])
    assert y.tolist() == ["rose", "tulip", "rose"]
    path.write_text("1,2,0\n3,4,1\n")
    X, y = read_csv(path)
    assert X.shape == (2, 2)
    assert y.dtype.kind == "i"
    path.write_text("1,2,0\n3,1\n")
    with pytest.raises(
        ValueError, match="line 2: expected 2 numbers and then the label"
    ):
        read_csv(path)
    path.write_text("1,2,0\n3,x,1\n")
    with pytest.raises(ValueError, match="line 2: expected 2 numbers"):
        read_csv(path)
    path.write_text("")
    with pytest.raises(ValueError, match="found none"):
        read_csv(path)


def test_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, X=np.eye(2), y=["a", "b"])
    X, y = read_npz(path)
    np.testing.assert_array_equal(X, np.eye(2))
    assert y.tolist() == ["a", "b"]
    np.savez(path, data=np.eye(2))
    with pytest.raises(ValueError, match=r"with the arrays X and y, found \['data"):
        read_npz(path)


def test_odd_files(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("0,1,label\n1,2,0\n3,4,1\n")
    X, y = read_csv(path)
    assert y.tolist() == [0, 1]
    assert len(X) == 2
    path.write_text("1,2,99999999999999999999\n3,4,1\n")
    assert read_csv(path)[1].tolist() == ["99999999999999999999", "1"]
    path.write_text('1,"' + "x" * 200_000)
    with pytest.raises(ValueError, match="expected a CSV file"):
        read_csv(path)
    path = tmp_path / "odd.npz"
    for content in (b"", b"no zip", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="expected an npz file"):
            read_npz(path)
    np.savez(path, X=np.arange(3), y=np.arange(3))
    with pytest.raises(ValueError, match="expected X of shape"):
        read_npz(path)


def test_csv_with_semicolons(tmp_path):
    path = tmp_path / "continental.csv"
    path.write_text("1,5;2;a\n".replace(",", ".") * 2)
    with pytest.raises(ValueError, match="found semicolons in place of commas"):
        read_csv(path)
