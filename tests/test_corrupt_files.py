"""Damaged files: a reader returns what it can read, or raises a ValueError with the
file's name, and nothing else.

SciPy's reader of MATLAB files may crash the interpreter, so those are read by this file
run as a script.
"""

import gzip
import io
import random
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from skmlp_backprop.datasets import (
    read_csv,
    read_idx,
    read_mat,
    read_mat_weights,
    read_npz,
)

N_CORRUPTIONS = 300
X = np.linspace(0, 1, 24).reshape(6, 4)


def corrupted(content, seed):
    """A copy that ends early, or with a few bytes changed, inserted or removed."""
    draw = random.Random(seed)
    content = bytearray(content)
    if draw.random() < 0.2:
        return bytes(content[: draw.randrange(len(content))])
    for _ in range(draw.randint(1, 4)):
        # Half of them at the beginning, where headers are.
        where = draw.randrange(draw.choice([len(content), min(len(content), 200)]))
        size = draw.randint(1, 8)
        how = draw.choice(["change", "change", "insert", "remove"])
        if how == "change":
            content[where] = draw.randrange(256)
        elif how == "insert":
            content[where:where] = draw.randbytes(size)
        else:
            del content[where : where + size]
    return bytes(content)


def is_refused(reader, path, content):
    """Whether the reader refuses what it is given; it may, but as it should."""
    path.write_bytes(content)
    refusal = None
    with warnings.catch_warnings():
        # SciPy and NumPy warn of some damage.
        warnings.simplefilter("ignore")
        try:
            reader(path)
        except ValueError as error:
            refusal = error
    assert refusal is None or str(path) in str(refusal)
    return refusal is not None


def idx_bytes():
    return bytes([0, 0, 13, 2]) + struct.pack(">2I", 5, 4) + bytes(80)


def npz_bytes(save):
    file = io.BytesIO()
    save(file, X=X, y=["rose", "iris", "tulip"] * 2)
    return file.getvalue()


def csv_bytes(first):
    rows = "".join(f"{i},{i / 7},-{i}e5,class {i % 3}\n" for i in range(12))
    return (first + rows).encode()


CONTENTS = {
    "idx": (read_idx, idx_bytes()),
    "gzipped idx": (read_idx, gzip.compress(idx_bytes(), mtime=0)),
    "npz": (read_npz, npz_bytes(np.savez)),
    "compressed npz": (read_npz, npz_bytes(np.savez_compressed)),
    "csv": (read_csv, csv_bytes("")),
    "csv with header": (read_csv, csv_bytes('first,"second",third,kind\n')),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_damaged_file(tmp_path, name):
    reader, content = CONTENTS[name]
    path = tmp_path / "damaged"
    assert not is_refused(reader, path, content)
    refused = [
        is_refused(reader, path, corrupted(content, seed))
        for seed in range(N_CORRUPTIONS)
    ]
    # Some damage makes another number of one.
    assert sum(refused) > N_CORRUPTIONS / 4


def test_damaged_array_in_a_sound_npz(tmp_path):
    """The checksums of zip find most damage before an array's header is read."""
    path = tmp_path / "damaged.npz"
    with zipfile.ZipFile(io.BytesIO(npz_bytes(np.savez))) as archive:
        arrays = {name: archive.read(name) for name in ("X.npy", "y.npy")}
    n_refused = 0
    for seed in range(N_CORRUPTIONS):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in arrays.items():
                archive.writestr(name, corrupted(content, f"{seed} {name}"))
        n_refused += is_refused(read_npz, path, file.getvalue())
    assert n_refused > N_CORRUPTIONS / 4


MATLAB_CONTENTS = {
    f"{version}, {'compressed' if compressed else 'plain'}": (version, compressed)
    for version, compressed in [("4", False), ("5", False), ("5", True)]
}


def mat_bytes(version, compressed):
    file = io.BytesIO()
    content = {"X": X, "y": [1, 2, 3] * 2, "Theta1": X, "Theta2": np.eye(3, 7)}
    scipy.io.savemat(file, content, format=version, do_compression=compressed)
    return file.getvalue()


@pytest.mark.posix
@pytest.mark.slow
@pytest.mark.parametrize("name", MATLAB_CONTENTS)
def test_damaged_matlab_file(tmp_path, name):
    seed = 0
    n_crashes = 0
    while seed < N_CORRUPTIONS:
        command = [sys.executable, __file__, str(tmp_path), name, str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode <= 0, done.stderr
        if done.returncode == 0:
            break
        # SciPy's, which is none of ours: on with the next.
        n_crashes += 1
        seed = int(done.stdout.split()[-1]) + 1
    assert n_crashes < N_CORRUPTIONS / 10


def read_damaged_matlab_files(folder, name, first_seed):
    """Read files with this and the following seeds, each of which is printed before."""
    import resource

    # What is damaged may ask for terabytes.
    resource.setrlimit(resource.RLIMIT_AS, (1 << 33, 1 << 33))
    content = mat_bytes(*MATLAB_CONTENTS[name])
    path = Path(folder) / "damaged.mat"
    for reader in (read_mat, read_mat_weights):
        assert not is_refused(reader, path, content)
    for seed in range(int(first_seed), N_CORRUPTIONS):
        print(seed, flush=True)
        for reader in (read_mat, read_mat_weights):
            is_refused(reader, path, corrupted(content, seed))


if __name__ == "__main__":
    read_damaged_matlab_files(*sys.argv[1:])
