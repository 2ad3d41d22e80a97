"""python -m skmlp_backprop."""

import resource
import signal
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from skmlp_backprop import BackpropMLPClassifier, __main__
from skmlp_backprop.__main__ import main, make_parser

COMMAND = [sys.executable, "-u", "-m", "skmlp_backprop"]
QUICK = ["--jobs", "1", "--cv", "2", "--alpha", "1", "--learning-rate", "0.01"]
QUICK += ["--max-iter", "2", "--hidden", "4"]


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
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
    header = "The first row is taken as a header: a, b, c, d.\n"
    assert out.startswith(header if suffix == "csv" else "150 rows")


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
    hole[[3, 7], 2] = np.inf
    error = refused(hole, y)
    assert "2 values are not finite, the first in row 4, column 3" in error
    assert "All labels are 0" in refused(X, 0 * y).replace("np.int64(0)", "0")
    assert "occurs once in 150 rows" in refused(X, np.arange(150))
    folder = tmp_path / "nowhere"
    assert f"can't write to the folder {folder}" in refused(
        X, y, "--save", str(folder / "a.joblib")
    )


@pytest.fixture
def iris_csv(tmp_path):
    """Iris as a CSV file without a header."""
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.csv"
    np.savetxt(path, np.column_stack([X, y]), fmt="%g", delimiter=",")
    return path


def test_what_is_taken_for_a_header_is_said(iris_csv, capsys):
    arguments = ["--data", str(iris_csv), *QUICK]
    assert main(arguments) == 0
    assert "No header: the first row is taken as data.\n150 rows" in (
        capsys.readouterr().out
    )
    assert main([*arguments, "--header", "yes"]) == 0
    assert "taken as a header: 5.1, 3.5, 1.4, 0.2.\n149 rows" in (
        capsys.readouterr().out
    )


def test_names_of_features_are_kept(iris_csv, tmp_path):
    iris_csv.write_text("a,b,c,d,kind\n" + iris_csv.read_text())
    saved = tmp_path / "iris.joblib"
    assert main(["--data", str(iris_csv), "--save", str(saved), *QUICK]) == 0
    assert joblib.load(saved).feature_names_in_.tolist() == list("abcd")


def test_csv_without_pandas_is_one_line(iris_csv, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert main(["--data", str(iris_csv)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "pip install pandas" in error


def test_defaults_are_the_class_s():
    args, mlp = make_parser().parse_args([]), BackpropMLPClassifier()
    assert args.activation == mlp.activation
    assert args.solver == mlp.solver


@pytest.mark.parametrize(
    "arguments",
    [
        ["--alpha", "1", "-1"],
        ["--alpha", "nan"],
        ["--hidden", "5", "0"],
        ["--learning-rate", "0"],
        ["--max-iter", "0"],
        ["--seed", "-1"],
        ["--cv", "1"],
        ["--cv", "41"],
        ["--jobs", "0"],
        ["--save", "."],
        ["--save", "/dev/null"],
    ],
)
def test_arguments_are_refused_before_any_fit(iris_csv, arguments, capsys):
    assert main(["--data", str(iris_csv), *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {arguments[0]}")
    assert captured.err.count("\n") == 1
    assert "Fitting" not in captured.out


def test_saves_before_it_checks_the_gradient(iris_csv, tmp_path, monkeypatch):
    saved = tmp_path / "iris.joblib"

    def fail(*_, **__):
        raise RuntimeError("the check failed")

    monkeypatch.setattr(__main__, "check_gradient", fail)
    with pytest.raises(RuntimeError, match="the check failed"):
        main(["--data", str(iris_csv), "--save", str(saved), *QUICK])
    assert joblib.load(saved).n_features_in_ == 4


def test_full_disk_leaves_the_earlier_model(tmp_path):
    saved = tmp_path / "digits.joblib"
    saved.write_bytes(b"earlier")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = run("--save", saved.name, *QUICK, cwd=tmp_path, preexec_fn=limit)
    assert done.returncode == 1
    assert done.stderr.startswith("error: --save digits.joblib: ")
    assert done.stderr.count("\n") == 1
    assert saved.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_interrupt_ends_it(tmp_path, jobs):
    saved = tmp_path / "digits.joblib"
    saved.write_bytes(b"earlier")
    long = ["--max-iter", "100000", "--hidden", "100", "--jobs", jobs]
    with subprocess.Popen(
        [*COMMAND, "--save", str(saved), *long],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background has it ignored, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while "Fitting" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error == "Interrupted.\n"
    assert list(tmp_path.iterdir()) == [saved]
    assert saved.read_bytes() == b"earlier"
