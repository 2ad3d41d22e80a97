"""python -m skmlp_backprop."""

import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from skmlp_backprop.__main__ import main


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "skmlp_backprop", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_arguments(tmp_path):
    done = run("--save", str(tmp_path / "digits.joblib"))
    assert done.returncode == 0, done.stderr
    for expected in (
        "1797 rows, 64 features, 10 classes",
        "Best parameters",
        "learning_rate_init =",
        "macro avg",
        "Gradient check passed",
    ):
        assert expected in done.stdout
    X, y = load_digits(return_X_y=True)
    assert joblib.load(tmp_path / "digits.joblib").score(X, y) > 0.95


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_own_data(suffix, tmp_path, capsys):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    path = tmp_path / f"iris.{suffix}"
    if suffix == "npz":
        np.savez(path, X=X, y=names)
    else:
        rows = [
            ",".join([*map(str, x), name]) for x, name in zip(X, names, strict=True)
        ]
        path.write_text("\n".join(["a,b,c,d,kind", *rows]))
    arguments = ["--solver", "lbfgs", "--alpha", "0.1", "1", "--hidden", "4"]
    code = main(["--data", str(path), "--jobs", "1", "--cv", "3", *arguments])
    out = capsys.readouterr().out
    assert code == 0
    assert "virginica" in out
    assert "alpha =" in out
    assert "learning_rate_init" not in out


def test_errors_are_one_line(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "missing.csv")]) == 1
    assert main(["--data", str(tmp_path / "data.txt")]) == 1
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2
    assert "No such file" in error[0]
    assert "expected a file that ends in .mat, .csv, .npz" in error[1]


def test_help():
    done = run("--help")
    assert done.returncode == 0
    for option in ("--data", "--solver", "--alpha", "--learning-rate", "--save"):
        assert option in done.stdout


def test_refuses_before_the_search(tmp_path, capsys):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.npz"

    def refused(X, y, *arguments):
        np.savez(path, X=X, y=y)
        assert main(["--data", str(path), *arguments]) == 1
        captured = capsys.readouterr()
        assert "Fitting" not in captured.out
        return captured.err

    hole = X.copy()
    hole[[3, 7], 2] = np.nan
    error = refused(hole, y)
    assert "2 values are missing or not finite, the first in row 4, column 3" in error
    assert "All labels are 0" in refused(X, 0 * y).replace("np.int64(0)", "0")
    assert "occurs once in 150 rows" in refused(X, np.arange(150))
    folder = tmp_path / "nowhere"
    assert f"no folder {folder}" in refused(X, y, "--save", str(folder / "a.joblib"))
