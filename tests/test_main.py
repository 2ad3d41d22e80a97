"""python -m skmlp_backprop."""

import os
import re
import shlex
import signal
import subprocess
import sys
import warnings
from datetime import date
from decimal import Decimal

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import skmlp_backprop
from skmlp_backprop import (
    BackpropMLPClassifier,
    TabularEncoder,
    TabularMLPClassifier,
    TabularMLPRegressor,
    __main__,
)
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
        "Rows:    1797; 360 are held out\n",
        "Columns: 64 of numbers, 0 of categories\n",
        "Missing: none\n",
        "Target:  digit, 10 classes: 0 (178), 1 (182), 2 (177), 3 (183), ... 9 (180) "
        "(10 in all)\n",
        "Task:    classification, as the target has 10 values, whole numbers; "
        "--task regression predicts numbers\n",
        "Model:   BackpropMLPClassifier, a grid search of 9 candidates in 5 folds\n",
        "Time:    about ",
        "Best parameters",
        "learning_rate_init =",
        "macro avg",
        "Gradient check passed",
    ):
        assert expected in done.stdout
    # A line for all fits, not one for each.
    assert len(done.stdout.splitlines()) < 45
    assert done.stderr == ""
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
    header = "; the first row is taken as a header" if suffix == "csv" else ""
    assert out.startswith(f"Data:    {path}{header}\nRows:    150; 30 are held out\n")


def test_a_console_whose_encoding_lacks_characters(tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.npz"
    np.savez(path, X=X, y=np.array(["é", "b", "c"])[y])
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("--data", str(path), *QUICK, env=ascii_only)
    assert done.returncode == 0, done.stderr
    assert r"3 classes: b (50), c (50), \xe9 (50)" in done.stdout
    assert r" \xb1 " in done.stdout


def test_errors_are_one_line(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "missing.csv")]) == 1
    assert main(["--data", str(tmp_path / "data.txt")]) == 1
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2
    assert error[0].endswith("missing.csv: there is no such file")
    assert "expected a file that ends in .csv, .csv.gz, .tsv, " in error[1]


def test_help():
    done = run("--help")
    assert done.returncode == 0
    for option in ("--data", "--solver", "--alpha", "--predict", "--save"):
        assert option in done.stdout


def test_version():
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout == f"{skmlp_backprop.__version__}\n"


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
    assert "2 values are infinite, the first in row 4, column 3" in error
    assert "All labels are 0" in refused(X, 0 * y).replace("np.int64(0)", "0")
    error = refused(X, np.arange(150), "--task", "classification")
    assert "occurs once in 150 rows" in error
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
    found = "; the first row is taken as data (no header)\nRows:    150;"
    assert found in capsys.readouterr().out
    assert main([*arguments, "--header", "yes"]) == 0
    found = "; the first row is taken as a header\nRows:    149;"
    assert found in capsys.readouterr().out


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
    "option", ["--cv", "--seed", "--hidden", "--max-iter", "--alpha", "--learning-rate"]
)
def test_the_help_says_the_defaults(option):
    text = " ".join(make_parser().format_help().split())
    said = re.search(rf"{option} [A-Z[][^(]*\(default: ([^)]*)\)", text)[1]
    value = vars(make_parser().parse_args([]))[option[2:].replace("-", "_")]
    assert np.array(said.split(), float).tolist() == np.ravel(value).tolist()


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


@pytest.mark.posix
def test_full_disk_leaves_the_earlier_model(tmp_path):
    resource = pytest.importorskip("resource")
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


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (99, "99 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_times_in_words(seconds, said):
    assert __main__.training.duration(seconds) == said


def test_a_target_of_large_numbers_has_an_exponent(tmp_path, capsys):
    path = tmp_path / "data.csv"
    numbers_file(path, y=np.arange(120) * 1e6 + 0.5)
    assert main(["--data", str(path), "--cv", "2"]) == 0
    out = capsys.readouterr().out
    assert "Target:  y, numbers from 0.5 to 1.19e+08\n" in out


@pytest.mark.posix
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
        printed = ""
        while "Fitting" not in printed:
            printed += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error == "Interrupted.\n"
    assert list(tmp_path.iterdir()) == [saved]
    assert saved.read_bytes() == b"earlier"


@pytest.mark.posix
def test_one_interrupt_ends_the_fits_to_a_table(houses, tmp_path):
    big = pd.concat([houses] * 100)
    big.to_csv(tmp_path / "big.csv", index=False)
    with subprocess.Popen(
        [*COMMAND, "--data", str(tmp_path / "big.csv")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        printed = ""
        while "Fitting" not in printed:
            printed += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error == "Interrupted.\n"


@pytest.fixture(scope="module")
def houses():
    """Prices by a size, with gaps, and a colour."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame({"id": [f"H{i:04d}" for i in range(150)]})
    table["size"] = rng.uniform(50, 150, 150).round(1)
    table["colour"] = rng.choice(["red", "green"], 150)
    table["price"] = (
        2000 * table["size"] + 50_000 * (table["colour"] == "red") + rng.randn(150)
    ).round(2)
    table.loc[::10, "size"] = np.nan
    return table


@pytest.fixture(scope="module")
def saved(houses, tmp_path_factory):
    """A model of the houses' prices, trained by the command line."""
    folder = tmp_path_factory.mktemp("saved")
    houses.to_csv(folder / "houses.csv", index=False)
    data = ["--data", str(folder / "houses.csv"), "--drop", "id", "--cv", "2"]
    assert main([*data, "--save", str(folder / "houses.joblib")]) == 0
    return folder / "houses.joblib"


def write_table(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        separator = "\t" if ".tsv" in path.name else ","
        table.to_csv(path, index=False, sep=separator)
    return str(path)


def test_a_file_of_a_spreadsheet(houses, tmp_path, capsys):
    """Semicolons, decimal commas, another encoding, and empty columns at the end."""
    table = houses.drop(columns="id").assign(ort="Köln", u=None, v=None)
    table = table.rename(columns={"u": "", "v": " "})
    paths = [tmp_path / "houses.csv", tmp_path / "commas.csv"]
    form = {"sep": ";", "decimal": ",", "encoding": "cp1252", "index": False}
    table.to_csv(paths[1], **form)
    table.iloc[:, :-2].to_csv(paths[0], index=False)
    options = ["--sep", ";", "--decimal", ",", "--encoding", "cp1252"]
    for path, given in zip(paths, ([], options), strict=True):
        model = tmp_path / f"{path.stem}.joblib"
        arguments = ["--target", "price", "--cv", "2", "--save", str(model)]
        assert main(["--data", str(path), *arguments, *given]) == 0
        arguments = ["--load", str(model), "--predict", str(path), "--target", "price"]
        assert main([*arguments, *given]) == 0
    assert capsys.readouterr().err == ""
    results = [pd.read_csv(p.with_name(f"{p.stem}-predictions.csv")) for p in paths]
    # Other columns are copied as they are.
    assert results[1]["price"].str.contains(",").any()
    pd.testing.assert_frame_equal(*(result.iloc[:, 1:] for result in results))
    for option in ("--sep", "--decimal", "--encoding"):
        value = {"--sep": ";", "--decimal": ",", "--encoding": "ascii"}[option]
        assert main([option, value]) == 1
        assert f"{option} has no effect without --data" in capsys.readouterr().err
    table.to_csv(tmp_path / "tabs.csv", sep="\t", index=False)
    target = ["--target", "price", "--cv", "2"]
    assert main(["--data", str(tmp_path / "tabs.csv"), "--sep", r"\t", *target]) == 0
    capsys.readouterr()
    assert main(["--data", str(paths[0]), "--sep", ";;"]) == 1
    assert "--sep: sep must be an ASCII character" in capsys.readouterr().err


def test_points_between_thousands_in_new_rows_are_said(tmp_path, capsys):
    """All numbers are above 1000, so that the file alone does not tell."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame(
        {"km": rng.randint(1000, 250_000, 100), "kind": ["a", "b"] * 50}
    )
    table["price"] = 30_000 - table["km"] / 10
    data, new = tmp_path / "data.csv", tmp_path / "new.csv"
    table.to_csv(data, index=False)
    points = [f"{km:,}".replace(",", ".") for km in table["km"]]
    table.assign(km=points).to_csv(new, index=False)
    assert main(["--data", str(data), "--cv", "2", "--predict", str(new)]) == 0
    assert "'km' has 100 of 100 numbers outside the range" in capsys.readouterr().err


def test_a_mark_of_missing_targets_is_noted(houses, tmp_path, capsys):
    table = houses.drop(columns="id")
    table["price"] = table["price"].astype(float).where(table.index > 1, -99999)
    path = write_table(table, tmp_path / "houses.csv")
    assert main(["--data", path, "--target", "price", "--cv", "2"]) == 0
    said = "target 'price' has the value -99999 in 2 rows, unlike all others"
    captured = capsys.readouterr()
    assert said in captured.out
    assert captured.err == ""


def test_a_row_of_totals_is_noted(houses, tmp_path, capsys):
    table = houses.drop(columns="id")
    total = pd.DataFrame({"colour": ["sum"], "price": [table["price"].sum()]})
    path = write_table(pd.concat([table, total]), tmp_path / "houses.csv")
    assert main(["--data", path, "--target", "price", "--cv", "2"]) == 0
    said = "target 'price' has a last value that is the sum of all others"
    captured = capsys.readouterr()
    assert said in captured.out
    assert captured.err == ""


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "tsv.gz", "parquet"])
def test_a_target_of_numbers_makes_a_regression(ending, houses, tmp_path, capsys):
    houses = houses[["price", "id", "size", "colour"]]
    path = write_table(houses, tmp_path / f"houses.{ending}")
    new = write_table(houses[::-1], tmp_path / f"new.{ending}")
    options = ["--target", "price", "--drop", "id", "--cv", "3", "--predict", new]
    assert main(["--data", path, *options]) == 0
    out = capsys.readouterr().out
    for expected in (
        "Columns: 1 of numbers, 1 of categories (colour)\n",
        "Missing: 15 values, in size\n",
        "Task:    regression, as the target has 150 values, not all of them whole ",
        "Model:   TabularMLPRegressor at its defaults\n",
        "Fitting in 3 folds, then on 120 rows: ",
        "3 folds ± std       held-out rows   baseline: the mean\n",
        "of the held-out rows are in their prediction interval of 90%,\n",
        "Predicted 150 rows; written to ",
    ):
        assert expected in out
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    assert written.columns.tolist() == [
        "price",
        "id",
        "prediction",
        "lower_90",
        "upper_90",
    ]
    assert written["id"].tolist() == houses["id"].tolist()[::-1]
    has_size = houses["size"].notna().to_numpy()[::-1]
    error = (written["prediction"] - written["price"])[has_size].abs().mean()
    assert error < 0.2 * houses["price"].std()


def test_scores_are_those_of_the_saved_model(houses, tmp_path, capsys):
    path = write_table(houses, tmp_path / "houses.csv")
    saved = tmp_path / "houses.joblib"
    options = ["--drop", "id", "--save", str(saved), "--cv", "2", "--seed", "3"]
    assert main(["--data", path, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    (r2,) = [line.split() for line in lines if line.startswith("R2 ")]
    X, y = houses[["size", "colour"]], houses["price"].to_numpy()
    # The same fifth as the command line holds out.
    index = np.arange(150)
    split = __main__.training.train_test_split
    rows, held_out = split(index, test_size=0.2, random_state=3)
    model = joblib.load(saved)
    assert float(r2[4]) == pytest.approx(
        model.score(X.iloc[held_out], y[held_out]), abs=1e-4
    )
    naive = DummyRegressor().fit(X, np.delete(y, held_out).mean() + 0 * y)
    assert float(r2[5]) == pytest.approx(
        naive.score(X.iloc[held_out], y[held_out]), abs=1e-4
    )
    folds = cross_val_score(
        TabularMLPRegressor(random_state=3), X.iloc[rows], y[rows], cv=2
    )
    assert float(r2[1]) == pytest.approx(folds.mean(), abs=1e-4)
    assert float(r2[3]) == pytest.approx(folds.std(), rel=0.06)
    low, high = model.predict_interval(X.iloc[held_out], coverage=0.9).T
    width = re.search(r"whose width is (\S+) on average", "\n".join(lines))[1]
    assert float(width) == pytest.approx(np.mean(high - low), rel=1e-3)
    assert [line.split()[0] for line in lines[-2:]] == ["size", "colour"]


@pytest.mark.parametrize(
    ("y", "task", "reason"),
    [
        (np.arange(20), "classification", "the target has 20 values, whole numbers"),
        (np.arange(21), "regression", "the target has 21 values, whole numbers"),
        ([1.5, 2, 3], "regression", "the target has 3 values, not all of them whole "),
        (["1", "2.5", "-1e3"], "regression", "the target has 3 values, not all of th"),
        (["a", "1.5"], "classification", "the target is text"),
        ([f"{i:03d}" for i in range(30)], "classification", "the target is text"),
        ([1.0, 2.0], "classification", "the target has 2 values, whole numbers"),
        (["0", "0.0", "1", "+1"], "classification", "the target has 2 values, whole"),
    ],
)
def test_which_task(y, task, reason, tmp_path):
    path = tmp_path / "data.npz"
    y = np.tile(y, 3)
    np.savez(path, X=np.ones((len(y), 2)), y=y)
    data = __main__.load(path, "infer", None, [], None)
    assert data.task.startswith(f"{task}, as {reason}")
    assert data.is_regression == (task == "regression")
    other = {"regression": "classification", "classification": "regression"}[task]
    if y[0] != "a":
        data = __main__.load(path, "infer", None, [], other)
        assert data.task == f"{other}, as --task says"
        assert data.is_regression != (task == "regression")


def test_a_boolean_target_is_not_called_text(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, X=np.ones((4, 2)), y=[True, False] * 2)
    data = __main__.load(path, "infer", None, [], None)
    assert data.task == "classification, as the target is boolean"


def test_equal_numbers_are_the_same_class(tmp_path):
    table = pd.DataFrame({"size": np.arange(40.0), "y": ["0", "1", "0.0", "1.0"] * 10})
    path = write_table(table, tmp_path / "data.csv")
    saved = tmp_path / "model.joblib"
    arguments = ["--data", path, "--header", "yes", *QUICK, "--save", str(saved)]
    assert main(arguments) == 0
    assert joblib.load(saved).classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([1.5, 2, 3], ["1.5", "2.0", "3.0"]),
        # As floats, these are the same.
        (2 * ["9007199254740992", "9007199254740993"], None),
    ],
)
def test_numbers_that_are_classes_stay_distinct(values, classes, tmp_path):
    path, saved = tmp_path / "data.npz", tmp_path / "model.joblib"
    X = np.arange(60.0)[:, np.newaxis] % 7
    np.savez(path, X=X, y=np.resize(values, 60))
    arguments = ["--data", str(path), "--task", "classification", *QUICK]
    assert main([*arguments, "--save", str(saved)]) == 0
    assert joblib.load(saved).classes_.tolist() == (classes or values[:2])


@pytest.mark.parametrize(
    ("prices", "arguments", "message"),
    [
        ("1,000", [], "such as '1,000'. Write them as plain numbers"),
        ("1,000 $", [], "such as '1,000 $'. Write them as plain numbers"),
        ("x", ["--task", "regression"], "the target 'price' must have numbers, found"),
        ("inf", ["--task", "regression"], "'price' is inf in row 1. Replace it"),
        ("1.5", ["--task", "regression"], "All values of the target 'price' are 1.5"),
        ("NA", [], "the target 'price' has no values"),
    ],
)
def test_targets_that_are_refused(prices, arguments, message, tmp_path, capsys):
    path = tmp_path / "houses.csv"
    prices = [prices.replace("1,", f"{1 + i % 30},") for i in range(60)]
    table = pd.DataFrame({"size": np.arange(60.0), "price": prices})
    write_table(table, path)
    assert main(["--data", str(path), *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_target_of_numbers_with_marks_of_missing_values(tmp_path, capsys):
    prices = [str(i // 2 * 1.5) for i in range(120)]
    prices[4:6] = "--"
    table = pd.DataFrame({"size": np.arange(120.0) % 50, "price": prices})
    path = write_table(table, tmp_path / "houses.csv")
    assert main(["--data", path]) == 1
    assert "The target 'price' has values such as '-'. " in capsys.readouterr().err


def test_classes_of_numbers_in_disguise_by_task(tmp_path, capsys):
    path = tmp_path / "houses.csv"
    table = pd.DataFrame({"size": np.arange(100.0), "share": ["10%", "20%"] * 50})
    write_table(table, path)
    assert main(["--data", str(path), "--header", "yes", *QUICK]) == 0
    assert "2 classes: 10% (50), 20% (50)" in capsys.readouterr().out


def test_a_saved_model_predicts_new_rows(saved, houses, tmp_path, capsys):
    new = houses[["colour", "size", "id"]].iloc[:7]
    path = write_table(new, tmp_path / "new.csv")
    output = tmp_path / "prices.csv.gz"
    arguments = ["--load", str(saved), "--predict", path, "--output", str(output)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == (
        f"Predicted 7 rows; written to {output}: prediction, lower_90, upper_90.\n"
    )
    written = pd.read_csv(output)
    assert written.columns.tolist() == ["id", "prediction", "lower_90", "upper_90"]
    assert written["id"].tolist() == new["id"].tolist()
    expected = joblib.load(saved).predict(new[["size", "colour"]])
    np.testing.assert_allclose(written["prediction"], expected, rtol=1e-12)


def printed(measure, out):
    return float(re.search(rf"^  {measure} +(\S+)$", out, re.MULTILINE)[1])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_new_rows_with_the_target_are_scored(ending, saved, houses, tmp_path, capsys):
    new = houses.iloc[20:29].copy()
    new.loc[24, "price"] = np.nan
    path = write_table(new, tmp_path / f"new.{ending}")
    assert main(["--load", str(saved), "--predict", path, "--target", "price"]) == 0
    out = capsys.readouterr().out
    known = new.dropna(subset="price")
    model = joblib.load(saved)
    expected = model.score(known[["size", "colour"]], known["price"])
    assert "Scores on the new rows with a value of 'price', 8 of 9:" in out
    assert printed("R2", out) == pytest.approx(expected, abs=1e-4)
    # Without the option they are other columns.
    assert main(["--load", str(saved), "--predict", path]) == 0
    assert "Scores" not in capsys.readouterr().out


@pytest.mark.parametrize("texts", [["0", "1"], ["0.0", "1.0"], ["no", "yes"]])
def test_new_rows_with_classes_are_scored(texts, tmp_path, capsys):
    """By the command that trains the model, too, in the notation of the new file."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame({"a": rng.randn(120), "b": rng.choice(["u", "v"], 120)})
    is_one = (table["a"] > 0).astype(int)
    # Numbers have another notation in the new rows.
    table["y"] = is_one if texts[0][0] == "0" else np.array(texts)[is_one]
    data = write_table(table, tmp_path / "data.csv")
    new = table.iloc[:50].copy()
    new["y"] = np.array(texts)[1 - is_one[:50]]
    new.loc[0, "y"] = None
    path, saved = write_table(new, tmp_path / "new.csv"), tmp_path / "model.joblib"
    arguments = ["--data", data, "--save", str(saved), "--cv", "2"]
    assert main([*arguments, "--predict", path]) == 0
    model = joblib.load(saved)
    predicted = model.predict(table[["a", "b"]].iloc[1:50])
    accuracy = np.mean(predicted != table["y"][1:50])
    first = capsys.readouterr().out.partition("Scores on the new rows with")[2]
    assert printed("accuracy", first) == pytest.approx(accuracy, abs=1e-4)
    assert main(["--load", str(saved), "--predict", path, "--target", "y"]) == 0
    assert capsys.readouterr().out.endswith(f"Scores on the new rows with{first}")
    assert "a value of 'y', 49 of 50:" in first


@pytest.mark.parametrize(
    ("target", "values", "said"),
    [
        ("prize", [1, 2], "error: The new rows have no target 'prize' beside the col"),
        ("size", [1, 2], "error: The new rows have no target 'size' beside the col"),
        ("price", [1, "much"], "target 'price' of the new rows: expected numbers, fo"),
        ("price", [1, "inf"], "of the new rows: expected finite numbers, found 'inf'"),
        ("price", ["?", ""], "No new row has a value of 'price': there are no score"),
    ],
)
def test_targets_of_new_rows(target, values, said, saved, houses, tmp_path, capsys):
    new = houses[["size", "colour"]].iloc[:2].assign(price=values)
    path = write_table(new, tmp_path / "new.csv")
    code = main(["--load", str(saved), "--predict", path, "--target", target])
    captured = capsys.readouterr()
    assert said in captured.err + captured.out
    # A file without predictions is left by errors alone.
    assert code == int("error: " in captured.err)
    assert (tmp_path / "new-predictions.csv").exists() == (code == 0)


def test_labels_with_spaces_are_scored_as_they_are_read(tmp_path, capsys):
    table = pd.DataFrame({"a": np.arange(40.0), "y": ["no", "no ", "yes", "yes "] * 10})
    data = write_table(table, tmp_path / "data.csv")
    new = write_table(table, tmp_path / "new.csv")
    assert main(["--data", data, *QUICK, "--predict", new]) == 0
    captured = capsys.readouterr()
    assert "2 classes: no (20), yes (20)" in captured.out
    assert "with a value of 'y', 40 of 40" in captured.out
    assert captured.err == ""


def test_an_unknown_class_of_new_rows_is_said_and_not_scored(tmp_path, capsys):
    table = pd.DataFrame({"a": np.arange(40.0), "y": ["none", "yes"] * 20})
    data = write_table(table, tmp_path / "data.csv")
    saved = str(tmp_path / "model.joblib")
    path = write_table(table.replace("none", "None"), tmp_path / "new.csv")
    arguments = ["--data", data, *QUICK, "--save", saved, "--predict", path]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    said = "'None' is not among the classes of the model, none, yes."
    assert "There will be no scores of the new rows. The target 'y' of" in captured.err
    assert said in captured.err
    assert "Scores on the new rows" not in captured.out
    assert main(["--load", saved, "--predict", path, "--target", "y"]) == 1
    assert said in capsys.readouterr().err


def test_targets_of_new_rows_that_are_no_numbers(saved, houses, tmp_path, capsys):
    new = houses[["size", "colour"]].iloc[:2]
    for values in (pd.to_datetime(["2024-01-01"] * 2), [True, False]):
        path = write_table(new.assign(price=values), tmp_path / "new.parquet")
        arguments = ["--load", str(saved), "--predict", path, "--target", "price"]
        assert main(arguments) == 1
        assert "of the new rows: expected numbers, fou" in capsys.readouterr().err


def test_models_that_are_not_scored(tmp_path, capsys):
    table = pd.DataFrame({"a": np.arange(40.0), "y": ["no", "yes"] * 20})
    joblib.dump(LinearSVC().fit(table[["a"]], table["y"]), tmp_path / "model.joblib")
    path = write_table(table, tmp_path / "new.csv")
    arguments = ["--load", str(tmp_path / "model.joblib"), "--predict", path]
    assert main([*arguments, "--target", "y"]) == 1
    assert "of one target, not LinearSVC. Leave it out." in capsys.readouterr().err
    assert main(arguments) == 0


def test_the_accuracy_is_that_of_the_written_predictions(tmp_path, capsys):
    """A model may predict by another threshold than the most probable class."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.standard_normal(200)})
    table["y"] = (table["a"] + rng.standard_normal(200) > 1.5).astype(int)
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.1)
    joblib.dump(model.fit(table[["a"]], table["y"]), tmp_path / "model.joblib")
    path = write_table(table, tmp_path / "new.csv")
    arguments = ["--load", str(tmp_path / "model.joblib"), "--predict", path]
    assert main([*arguments, "--target", "y"]) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")["prediction"]
    accuracy = np.mean(written == table["y"])
    assert np.mean(model.estimator_.predict(table[["a"]]) == table["y"]) > accuracy
    out = capsys.readouterr().out
    assert printed("accuracy", out) == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.parametrize(
    "wrap",
    [
        make_pipeline,
        lambda model: GridSearchCV(model, {"max_iter": [5]}, cv=2),
        lambda model: CalibratedClassifierCV(make_pipeline(model), cv=2),
        FixedThresholdClassifier,
        lambda model: VotingClassifier(
            [("a", DummyClassifier()), ("b", model)], voting="soft"
        ),
        lambda model: StackingClassifier([("a", model)], LogisticRegression(), cv=2),
        OneVsRestClassifier,
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_categories_of_a_model_within_another_are_read_as_text(wrap, tmp_path, capsys):
    """As numbers, codes with leading zeros would be unseen categories."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"code": rng.choice(["0123", "456"], 120)}, dtype="category")
    y = (table["code"] == "456").to_numpy(int)
    model = TabularMLPClassifier(2, max_iter=5, random_state=0)
    model = wrap(model).fit(table, y)
    assert model.score(table, y) == 1
    joblib.dump(model, tmp_path / "model.joblib")
    path = write_table(table, tmp_path / "new.csv")
    capsys.readouterr()
    assert main(["--load", str(tmp_path / "model.joblib"), "--predict", path]) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")["prediction"]
    assert written.tolist() == y.tolist()
    assert not capsys.readouterr().err


def test_names_with_spaces_around_them(tmp_path):
    """pandas keeps the space after a comma of the header; the reader drops it."""
    X = pd.DataFrame(np.random.default_rng(0).standard_normal((60, 2)))
    X.columns = ["b", " a"]
    model = LogisticRegression().fit(X, X["b"] > 0)
    joblib.dump(model, tmp_path / "model.joblib")
    path = write_table(X[[" a", "b"]], tmp_path / "new.csv")
    assert main(["--load", str(tmp_path / "model.joblib"), "--predict", path]) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")["prediction"]
    assert written.tolist() == model.predict(X).tolist()


def test_names_that_differ_in_spaces_alone(tmp_path, capsys):
    X = pd.DataFrame(np.random.default_rng(0).standard_normal((60, 2)))
    X.columns = ["a", " a"]
    joblib.dump(LogisticRegression().fit(X, X["a"] > 0), tmp_path / "model.joblib")
    path = write_table(X, tmp_path / "new.csv")
    assert main(["--load", str(tmp_path / "model.joblib"), "--predict", path]) == 1
    assert "the model needs the columns" in capsys.readouterr().err


def test_names_whose_accents_are_characters_of_their_own(tmp_path):
    """Some programs write "ö" as two characters; the reader makes one of them."""
    table = pd.DataFrame(np.random.default_rng(0).standard_normal((60, 3)))
    table.columns = ["mo\u0308we", "hu\u0308gel", "a"]
    table.insert(0, "ja\u0308", table["a"] > 0)
    path, saved = write_table(table, tmp_path / "new.csv"), tmp_path / "model.joblib"
    options = ["--target", table.columns[0], "--drop", table.columns[1], *QUICK]
    assert main(["--data", path, *options, "--save", str(saved)]) == 0
    assert joblib.load(saved).feature_names_in_.tolist() == ["h\u00fcgel", "a"]
    X = table.iloc[:, 1:]
    model = LogisticRegression().fit(X, table.iloc[:, 0])
    joblib.dump(model, saved)
    assert main(["--load", str(saved), "--predict", path]) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")["prediction"]
    assert written.tolist() == model.predict(X).tolist()


def test_an_encoder_within_a_model_may_be_unfitted(tmp_path):
    """Or it takes some of the columns of the model."""
    X = pd.DataFrame(
        np.random.default_rng(0).standard_normal((60, 3)), columns=[*"abc"]
    )
    y = (X["a"] > 0).astype(int)
    encoded = make_pipeline(TabularEncoder(), LogisticRegression())
    chosen = make_column_transformer(("passthrough", ["a"]))
    for model in (
        BaggingClassifier(encoded, 2, random_state=0),
        make_pipeline(chosen, encoded),
    ):
        joblib.dump(model.fit(X, y), tmp_path / "model.joblib")
        path = write_table(X, tmp_path / "new.csv")
        arguments = ["--load", str(tmp_path / "model.joblib"), "--predict", path]
        assert main(arguments) == 0
        written = pd.read_csv(tmp_path / "new-predictions.csv")["prediction"]
        assert written.tolist() == model.predict(X).tolist()


def test_categories_that_look_like_given_names(tmp_path):
    """The first row of the new rows has values, not names."""
    X = np.array([["x0"], ["x1"], ["x2"]] * 20, dtype=object)
    model = TabularMLPClassifier(2, categorical_features=[0], random_state=0)
    joblib.dump(model.fit(X, np.arange(60) % 3), tmp_path / "model.joblib")
    (tmp_path / "new.csv").write_text("x0\nx1\nx0\n")
    arguments = ["--load", str(tmp_path / "model.joblib")]
    assert main([*arguments, "--predict", str(tmp_path / "new.csv")]) == 0
    assert len(pd.read_csv(tmp_path / "new-predictions.csv")) == 3


@pytest.mark.parametrize("header", [[], ["--header", "yes"]])
@pytest.mark.parametrize("more", [False, True])
def test_given_names_are_found_in_any_order(header, more, tmp_path):
    """A training file without a header gives its columns the names x0, x1 and so on."""
    X = np.random.default_rng(0).standard_normal((60, 3))
    model = LinearRegression().fit(X, X @ [3, 1, 0])
    joblib.dump(model, tmp_path / "model.joblib")
    new = pd.DataFrame(X, columns=["x0", "x1", "x2"])[["x2", "x1", "x0"]]
    if more:
        new.insert(1, "id", range(60))
    path = write_table(new, tmp_path / "new.csv")
    arguments = ["--load", str(tmp_path / "model.joblib"), "--predict", path, *header]
    assert main(arguments) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")["prediction"]
    np.testing.assert_allclose(written, model.predict(X), rtol=1e-9)


def test_numbers_come_with_intervals(saved, houses, tmp_path, capsys):
    new = houses[["size", "colour"]].iloc[:3]
    path = write_table(new, tmp_path / "new.csv")
    assert main(["--load", str(saved), "--predict", path]) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    assert written.columns.tolist() == ["row", "prediction", "lower_90", "upper_90"]
    assert written["row"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(
        written[["lower_90", "upper_90"]],
        joblib.load(saved).predict_interval(new, coverage=0.9),
        rtol=1e-12,
    )


def test_classes_come_with_their_probabilities(iris_csv, tmp_path):
    saved, new = tmp_path / "iris.joblib", tmp_path / "new.csv"
    rows = np.loadtxt(iris_csv, delimiter=",")
    np.savetxt(new, rows[::50, :4], fmt="%g", delimiter=",")
    data = ["--data", str(iris_csv), *QUICK, "--max-iter", "30"]
    assert main([*data, "--save", str(saved), "--predict", str(new)]) == 0
    first = (tmp_path / "new-predictions.csv").read_text()
    assert main(["--load", str(saved), "--predict", str(new)]) == 0
    assert (tmp_path / "new-predictions.csv").read_text() == first
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    names = ["probability_0", "probability_1", "probability_2"]
    assert written.columns.tolist() == ["row", "prediction", *names]
    model = joblib.load(saved)
    assert written["prediction"].tolist() == model.predict(rows[::50, :4]).tolist()
    np.testing.assert_allclose(
        written[names], model.predict_proba(rows[::50, :4]), rtol=1e-12
    )


def test_warnings_on_new_rows_come_once(saved, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text("size,colour\n" + "100,blue\n" * 10)
    # Each run prints it again.
    for _ in range(2):
        assert main(["--load", str(saved), "--predict", str(new)]) == 0
        error = capsys.readouterr().err
        assert error.startswith("warning: Column 'colour' has no value that was seen")
        assert error.count("warning: ") == 1


def test_new_rows_without_a_header(tmp_path):
    rng = np.random.RandomState(0)
    rows = [
        f"{rng.choice(['red', 'blue'])},0{rng.randint(9)},{rng.randn():.3f},{i % 2}"
        for i in range(60)
    ]
    path, new = tmp_path / "data.csv", tmp_path / "new.csv"
    path.write_text("\n".join(rows))
    new.write_text("\n".join(row[:-2] for row in rows[:5]))
    assert main(["--data", str(path), "--cv", "2", "--predict", str(new)]) == 0
    assert len(pd.read_csv(tmp_path / "new-predictions.csv")) == 5


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("size,id\n1,a\n", "the model needs the columns 'colour'; the first row has"),
        ("size,colour\nbig,red\n", "line 2, column 1 ('size'): expected a number, as "),
        ("size,colour,size\n1,red,2\n", "expected a different name for each column"),
        ("size,colour\n", "expected rows, found a header only"),
        ("size,colour\n1\n", "line 2: expected 2 fields"),
        ("size,colour,prediction\n1,red,2\n", "have a column 'prediction', which"),
    ],
)
def test_new_rows_that_are_refused(table, message, saved, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text(table)
    assert main(["--load", str(saved), "--predict", str(new)]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [new]


def test_gaps_in_new_rows_of_a_search(iris_csv, tmp_path, capsys):
    iris_csv.write_text("a,b,c,d,kind\n" + iris_csv.read_text())
    saved, new = tmp_path / "iris.joblib", tmp_path / "new.csv"
    data = ["--data", str(iris_csv), *QUICK]
    assert main([*data, "--save", str(saved)]) == 0
    new.write_text("a,b,c,d\n1,2,3,4\n1,,3,4\n")
    capsys.readouterr()
    message = f"error: {new}, row 2, column 'b': the value is missing, but the model"
    for how in (["--load", str(saved)], data):
        assert main([*how, "--predict", str(new)]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(message)
        assert "train with --model tabular, without options of the" in captured.err
    infinite = pd.DataFrame([[1.0, 2, np.inf, 4]], columns=list("abcd"))
    parquet = write_table(infinite, tmp_path / "new.parquet")
    assert main(["--load", str(saved), "--predict", parquet]) == 1
    assert "row 1, column 'c': the value is infinite" in capsys.readouterr().err


def test_a_saved_pipeline_may_fill_gaps(tmp_path):
    X, y = load_iris(return_X_y=True)
    saved, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    joblib.dump(make_pipeline(SimpleImputer(), LinearRegression()).fit(X, y), saved)
    new.write_text("1,,3,4\n")
    assert main(["--load", str(saved), "--predict", str(new)]) == 0


@pytest.mark.parametrize(
    ("target", "name"),
    [("price", "prediction"), ("price", "lower_90"), ("colour", "probability_red")],
)
def test_names_of_new_rows_are_refused_before_the_fit(
    target, name, houses, tmp_path, capsys
):
    data = write_table(houses, tmp_path / "data.csv")
    new = write_table(houses.assign(**{name: 1}), tmp_path / "new.csv")
    arguments = ["--data", data, "--target", target, "--drop", "id", "--predict", new]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert f"The new rows have a column {name!r}, which the output" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_dates(ending, tmp_path, capsys):
    """A model of one kind of file predicts rows of the other."""
    rng = np.random.default_rng(0)
    days = rng.integers(0, 700, 200)
    table = pd.DataFrame(
        {
            "day": np.datetime64("2023-01-01") + days.astype("m8[D]"),
            "size": rng.normal(size=200),
            "price": days % 7 >= 5,
        }
    )
    data = write_table(table, tmp_path / f"data.{ending}")
    saved = str(tmp_path / "model.joblib")
    assert main(["--data", data, "--cv", "2", "--save", saved]) == 0
    report = " ".join(capsys.readouterr().out.split())
    assert "1 of numbers, 0 of categories, 1 of dates (day)" in report
    new = {}
    for other in ("csv", "parquet"):
        path = write_table(table[["size", "day"]], tmp_path / f"new.{other}")
        output = tmp_path / f"out-{other}.csv"
        arguments = ["--load", saved, "--predict", path, "--output", str(output)]
        assert main(arguments) == 0
        new[other] = pd.read_csv(output)
    pd.testing.assert_frame_equal(new["csv"], new["parquet"])
    capsys.readouterr()
    (tmp_path / "new.csv").write_text("day,size\n2024-01-01,1\nMonday,2\n")
    assert main(["--load", saved, "--predict", str(tmp_path / "new.csv")]) == 1
    error = capsys.readouterr().err
    assert "line 3, column 1 ('day'): expected a date such as 2024-12-31" in error


def test_days_of_parquet_and_new_rows_of_csv_at_once(tmp_path, capsys):
    """Days without a time are Python objects in a DataFrame."""
    days = pd.date_range("2024-01-01", periods=60)
    table = pd.DataFrame({"day": days.date, "size": 1.5, "late": days.month > 1})
    data = write_table(table, tmp_path / "data.parquet")
    arguments = ["--data", data, "--cv", "2", "--predict"]
    out = {}
    for ending in ("csv", "parquet"):
        new = write_table(table[["day", "size"]], tmp_path / f"new.{ending}")
        assert main([*arguments, new]) == 0
        assert ", 1 of dates (day)\n" in capsys.readouterr().out
        out[ending] = pd.read_csv(tmp_path / "new-predictions.csv")
    pd.testing.assert_frame_equal(out["csv"], out["parquet"])


@pytest.mark.parametrize("are_whole", [False, True])
def test_a_target_of_decimals(are_whole, tmp_path, capsys):
    """Databases export prices and codes as decimals."""
    numbers = np.arange(60) % 3 + (0 if are_whole else 0.25)
    table = pd.DataFrame({"a": numbers - 1, "y": list(map(Decimal, numbers.tolist()))})
    data = write_table(table, tmp_path / "data.parquet")
    arguments = ["--target", "y", "--cv", "2", "--predict", data]
    assert main(["--data", data, *arguments]) == 0
    task = "classification" if are_whole else "regression"
    captured = capsys.readouterr()
    assert f"Task:    {task}, as the target has 3 values" in captured.out
    assert "Scores on the new rows with a value of 'y', 60 of 60:" in captured.out
    predicted = pd.read_csv(tmp_path / "data-predictions.csv")["prediction"]
    np.testing.assert_allclose(predicted, numbers, atol=0 if are_whole else 0.5)


def test_booleans_of_parquet_and_new_rows_of_csv(tmp_path, capsys):
    table = pd.DataFrame({"on": [True, False] * 30, "size": np.arange(60.0) % 7})
    table["kind"] = np.where(table["on"], "a", "b")
    data = write_table(table, tmp_path / "data.parquet")
    saved = str(tmp_path / "model.joblib")
    assert (
        main(["--data", data, "--cv", "2", "--save", saved, "--model", "tabular"]) == 0
    )
    # A search takes them, too.
    assert main(["--data", data, "--model", "search", *QUICK]) == 0
    out = {}
    for ending in ("csv", "parquet"):
        new = write_table(table[["on", "size"]], tmp_path / f"new.{ending}")
        assert main(["--load", saved, "--predict", new]) == 0
        out[ending] = pd.read_csv(tmp_path / "new-predictions.csv")
    pd.testing.assert_frame_equal(out["csv"], out["parquet"])
    assert out["csv"]["prediction"].tolist() == table["kind"].tolist()
    (tmp_path / "new.csv").write_text("on,size\ntrue,1\n,2\nyes,3\n")
    capsys.readouterr()
    assert main(["--load", saved, "--predict", str(tmp_path / "new.csv")]) == 1
    assert "line 4, column 1 ('on'): expected a number" in capsys.readouterr().err


def test_parquet_with_numbers_as_names(tmp_path):
    table = pd.DataFrame({0: np.arange(60.0) % 7, 1: [1.0, 2] * 30, 2: ["a", "b"] * 30})
    data = write_table(table, tmp_path / "data.parquet")
    saved = tmp_path / "model.joblib"
    arguments = ["--data", data, "--target", "2", "--save", str(saved), *QUICK]
    assert main(arguments) == 0
    assert joblib.load(saved)[0].feature_names_in_.tolist() == ["0", "1"]
    expected = joblib.load(saved).predict(table[[0, 1]].set_axis(["0", "1"], axis=1))
    for ending in ("csv", "parquet"):
        new = write_table(table[[1, 0]], tmp_path / f"new.{ending}")
        assert main(["--load", str(saved), "--predict", new]) == 0
        written = pd.read_csv(tmp_path / "new-predictions.csv")
        assert written["prediction"].tolist() == expected.tolist()


def test_new_rows_of_parquet_for_a_model_of_rows_without_a_header(tmp_path, capsys):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)))
    table[2] = (table[0] > 0).astype(int)
    data = tmp_path / "data.csv"
    table.to_csv(data, header=False, index=False)
    saved = tmp_path / "model.joblib"
    arguments = ["--data", str(data), "--header", "no", "--save", str(saved), *QUICK]
    assert main(arguments) == 0
    expected = joblib.load(saved).predict(table[[0, 1]].to_numpy())
    named = table.set_axis(["x0", "x1", "other"], axis=1)
    new = write_table(named[["x1", "other", "x0"]], tmp_path / "new.parquet")
    assert main(["--load", str(saved), "--predict", new]) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    assert written.columns.tolist()[0] == "other"
    assert written["prediction"].tolist() == expected.tolist()
    capsys.readouterr()
    write_table(table[[0, 1]].set_axis(["a", "b"], axis=1), tmp_path / "new.parquet")
    assert main(["--load", str(saved), "--predict", new]) == 1
    assert (
        "no column is named 'x0'. The columns are 'a', 'b'" in capsys.readouterr().err
    )


def test_new_rows_of_parquet_for_a_model_of_an_array(tmp_path, capsys):
    X = np.array([["red", 1.0], ["blue", 2.0], ["red", 3.0]] * 10, object)
    frame = pd.DataFrame({"x1": X[:, 1].astype(float), "x0": X[:, 0]})
    new = write_table(frame, tmp_path / "new.parquet")
    arguments = ["--load", str(tmp_path / "model.joblib"), "--predict", new]
    model = TabularMLPClassifier(
        categorical_features=[0], n_members=2, random_state=0
    ).fit(X, X[:, 0] == "red")
    joblib.dump(model, tmp_path / "model.joblib")
    assert main(arguments) == 0
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    assert written["prediction"].tolist() == model.predict(X).tolist()
    model.categorical_features = None
    numbers = model.fit(X[:, 1:].repeat(2, axis=1).astype(float), X[:, 0])
    joblib.dump(numbers, tmp_path / "model.joblib")
    capsys.readouterr()
    assert main(arguments) == 1
    assert "column 'x0' must have numbers, as in the fit" in capsys.readouterr().err
    frame["x0"] = pd.Timestamp("2024-03-01")
    write_table(frame, tmp_path / "new.parquet")
    assert main(arguments) == 1
    assert "column 'x0' must have numbers, not dates" in capsys.readouterr().err


def test_many_classes_are_held_out_too(tmp_path, capsys):
    """25 classes do not fit in the fifth of 100 rows."""
    table = pd.DataFrame({"size": np.arange(100.0) % 9, "y": np.arange(100) % 25})
    path = write_table(table, tmp_path / "data.csv")
    arguments = ["--data", path, "--header", "yes", "--task", "classification"]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert "The target 'y' has 25 classes in 100 rows; if it has numbers to " in error
    assert "choose --task regression" in error
    assert main([*arguments, *QUICK]) == 0
    assert "Rows:    100; 25 are held out" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_without_values(ending, tmp_path, capsys):
    table = pd.DataFrame({"size": np.arange(60.0) % 7, "my d": np.nan})
    table["kind"] = np.where(table["size"] > 3, "a", "b")
    data = write_table(table, tmp_path / "data.csv")
    saved = tmp_path / "model.joblib"
    assert main(["--data", data, "--cv", "2", "--save", str(saved)]) == 0
    note = "note: Column 'my d' has no values; leave it out by --drop 'my d'.\n"
    assert note in capsys.readouterr().out
    X = table[["size", "my d"]]
    new = write_table(X.assign(**{"my d": "new"}), tmp_path / f"new.{ending}")
    assert main(["--load", str(saved), "--predict", new]) == 0
    error = capsys.readouterr().err
    assert "Column 'my d' had only missing values in `fit`. Its values are now" in error
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    np.testing.assert_allclose(
        written[["probability_a", "probability_b"]],
        joblib.load(saved).predict_proba(X),
        rtol=1e-12,
    )


@pytest.mark.parametrize("kind", ["times of day", "time spans"])
def test_times_and_spans_are_not_read_from_text(kind, tmp_path, capsys):
    moments = pd.Series(pd.date_range("2024-01-01", periods=60, freq="37min"))
    values = moments.dt.time if kind == "times of day" else moments - moments[0]
    table = pd.DataFrame({"at": values, "size": 1.5, "y": [1, 2] * 30})
    data = write_table(table, tmp_path / "data.parquet")
    new = write_table(table[["at", "size"]], tmp_path / "new.csv")
    assert main(["--data", data, "--cv", "2", "--predict", new]) == 1
    message = f"{new}: the column 'at' had {kind} in training, which are not read from"
    assert f"{message} a CSV or TSV file. Write the" in capsys.readouterr().err


def test_parquet_without_a_column_of_the_model(saved, tmp_path, capsys):
    new = write_table(pd.DataFrame({"size": [1.0]}), tmp_path / "new.parquet")
    assert main(["--load", str(saved), "--predict", new]) == 1
    assert "no column is named 'colour'" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"no pickle", b""])
def test_a_model_that_can_not_be_read(content, saved, tmp_path, capsys):
    damaged, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    damaged.write_bytes(content)
    new.write_text("size,colour\n1,red\n")
    assert main(["--load", str(damaged), "--predict", str(new)]) == 1
    assert "can't be read as a saved model" in capsys.readouterr().err
    joblib.dump(LinearRegression(), damaged)
    assert main(["--load", str(damaged), "--predict", str(new)]) == 1
    assert "expected a fitted model, found LinearRegression" in capsys.readouterr().err


def test_a_damaged_parquet_file(tmp_path, capsys):
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 and no more")
    assert main(["--data", str(path)]) == 1
    assert f"{path}: can't be read as Parquet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha", "1"], "--alpha has no effect on a TabularMLPRegressor"),
        (["--solver", "lbfgs"], "--solver has no effect on a TabularMLPRegressor"),
        (["--hidden", "5"], "--hidden has no effect on a TabularMLPRegressor"),
        (["--activation", "tanh"], "--activation has no effect on a TabularMLPReg"),
        (["--max-iter", "5"], "--max-iter has no effect on a TabularMLPRegressor"),
        (["--learning-rate", "1"], "--learning-rate has no effect on a TabularMLPR"),
        (["--model", "search"], "but the task is a regression. Choose --model tab"),
        (
            ["--model", "search", "--target", "colour"],
            "the table has columns that are not numbers",
        ),
        (
            ["--model", "search", "--target", "colour", "--drop", "id"],
            "there are missing values",
        ),
        (["--target", "nothing"], "no column is named 'nothing'. The columns are "),
        (["--target", "PRICES"], "named 'PRICES'. Did you mean 'price'? The columns"),
        (["--drop", "nothing"], "no column is named 'nothing'. The columns are 'id'"),
        (["--drop", "id", "size", "colour"], "expected a target, and other columns"),
        (["--target", "size", "--drop", "size"], "expected a target, and other col"),
        (["--header", "no", "--target", "price"], "; the first row is read as data"),
        (["--cv", "61"], "--cv 61: the 120 training rows are too few for 61 folds"),
        (
            ["--cv", "100", "--target", "colour"],
            "--cv 100: there are less than 100 training rows of the label ",
        ),
        (["--output", "a.csv"], "--output has no effect without --predict"),
        (["--predict", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["--predict", "new.npz"], "--predict: new.npz: expected a table that ends"),
    ],
)
def test_options_without_an_effect(arguments, message, houses, tmp_path, capsys):
    path = write_table(houses, tmp_path / "houses.csv")
    assert main(["--data", path, *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert "Fitting" not in captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "y"], "--target has no effect without --data; it needs a file"),
        (["--drop", "y"], "--drop has no effect without --data"),
        (["--header", "yes"], "--header has no effect without --data"),
        (["--data", "a.npz", "--header", "yes"], "--header has no effect on a.npz"),
        (["--data", "a.parquet", "--header", "no"], "--header has no effect on a.pa"),
        (["--data", "a.mat", "--target", "y"], "--target has no effect on a.mat"),
        (["--solver", "tnc", "--learning-rate", "1"], "effect on the solver tnc"),
        (["--load", "a"], "--load has no effect without --predict"),
        (["--load", "a", "--predict", "b.csv", "--seed", "1"], "--seed has no effect"),
        (["--load", "a", "--predict", "b.csv", "--data", "c.csv"], "--data has no ef"),
    ],
)
def test_options_without_an_effect_on_other_files(arguments, message, capsys):
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("name", ["out.txt", "out.parquet"])
def test_predictions_are_written_as_csv(name, saved, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text("size,colour\n1,red\n")
    arguments = ["--load", str(saved), "--predict", str(new)]
    assert main([*arguments, "--output", str(tmp_path / name)]) == 1
    assert "expected a name that ends in .csv" in capsys.readouterr().err
    assert main([*arguments, "--output", str(tmp_path / "." / "new.csv")]) == 1
    assert "new.csv has the data. Choose another" in capsys.readouterr().err
    data = ["--data", str(saved.with_name("data.csv")), *arguments[2:]]
    assert main([*data, "--output", str(tmp_path / "none" / "out.csv")]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: --output: ")
    # There was no training.
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == [new]


def test_a_table_gets_a_search_only_if_an_option_asks_for_it(iris_csv, capsys):
    data = ["--data", str(iris_csv), "--cv", "2"]
    for options in ["--max-iter", "2"], ["--model", "search"]:
        assert main([*data, *options]) == 0
        out = capsys.readouterr().out
        assert "Model:   BackpropMLPClassifier, a grid search of 9 candid" in out
    assert main([*data, "--model", "tabular", "--max-iter", "2"]) == 1
    refusal = "--max-iter has no effect on a TabularMLPClassifier"
    assert refusal in capsys.readouterr().err
    assert main(data) == 0
    out = capsys.readouterr().out
    assert "Model:   TabularMLPClassifier at its defaults\n" in out
    assert "baseline: shares of classes\n" in out
    assert "log loss" in out
    X, y = load_iris(return_X_y=True)
    split = __main__.training.train_test_split
    X, _, y, _ = split(X, y, test_size=0.2, stratify=y, random_state=0)
    # In folds with the same shares of the classes.
    model = TabularMLPClassifier(random_state=0)
    folds = -cross_val_score(model, X, y, cv=2, scoring="neg_log_loss")
    loss = re.search(r"^log loss +(\S+) ± ", out, re.MULTILINE)[1]
    assert float(loss) == pytest.approx(folds.mean(), rel=1e-3)


def test_notes_on_columns_come_once(houses, tmp_path):
    path = write_table(houses, tmp_path / "houses.csv")
    done = run("--data", path, "--cv", "2")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.count("Column 'id' has 150 distinct values") == 1
    assert "To leave them out, add: --drop id\n" in done.stdout
    assert "copied to the predictions" in done.stdout
    assert "Time:    at most about " in done.stdout


def test_the_option_to_drop_identifiers_can_be_pasted(houses, tmp_path, capsys):
    table = houses.assign(**{"order no": [f"n{i}" for i in range(len(houses))]})
    table = table[["order no", *houses.columns]]
    path = write_table(table, tmp_path / "houses.csv")
    arguments = ["--data", path, "--target", "price", "--cv", "2"]
    assert main([*arguments, "--drop", "colour"]) == 0
    line = re.search("add: (.*)\n", capsys.readouterr().out)[1]
    assert shlex.split(line) == ["--drop", "colour", "order no", "id"]
    assert main([*arguments, *shlex.split(line)]) == 0
    assert "To leave" not in capsys.readouterr().out


def test_parquet_keeps_what_it_says_of_columns(tmp_path, capsys):
    path = tmp_path / "data.parquet"
    table = pd.DataFrame({"code": pd.Categorical(["01", "02", "3", "4"] * 25)})
    table["flag"] = [True, False] * 50
    table["count"] = pd.array([1, None] * 50, dtype="Int64")
    table["day"] = pd.date_range("2020-01-01", periods=100)
    table["kind"] = ["a", "b"] * 50
    table.rename_axis("number").to_parquet(path)
    assert main(["--data", str(path), "--drop", "number", "--cv", "2"]) == 0
    out = capsys.readouterr().out
    assert "2 of numbers, 1 of categories (code), 1 of dates (day)\n" in out
    assert "Missing: 50 values, in count\n" in out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (pd.date_range("2020-01-01", periods=3), "must have text or numbers, not dat"),
        ([date(2020, 1, 1)] * 3, "must have text or numbers, not date. Convert it."),
        (["a", None, "b"], "the target 'y' is missing in 1 rows. Remove these rows"),
    ],
)
def test_targets_of_parquet_that_are_refused(target, message, tmp_path, capsys):
    path = tmp_path / "data.parquet"
    pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": target}).to_parquet(path)
    assert main(["--data", str(path)]) == 1
    assert message in capsys.readouterr().err


@pytest.fixture(scope="module")
def saved_without_names(tmp_path_factory):
    X, y = load_iris(return_X_y=True)
    path = tmp_path_factory.mktemp("arrays") / "iris.joblib"
    joblib.dump(TabularMLPClassifier(random_state=0).fit(X, y), path)
    return path


def test_new_rows_with_a_header_of_numbers(saved_without_names, tmp_path, capsys):
    rows = load_iris().data[:5]
    path = write_table(pd.DataFrame(rows), tmp_path / "new.csv")
    arguments = ["--load", str(saved_without_names), "--predict", path]
    assert main(arguments) == 1
    assert "can't tell whether the first row is a header" in capsys.readouterr().err
    assert main([*arguments, "--header", "yes"]) == 0
    captured = capsys.readouterr()
    assert "Predicted 5 rows" in captured.out
    assert captured.err == ""
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    expected = joblib.load(saved_without_names).predict(rows)
    assert written["prediction"].tolist() == expected.tolist()
    assert main([*arguments, "--header", "no"]) == 0
    assert "Predicted 6 rows" in capsys.readouterr().out


def test_new_rows_of_categories_with_an_unknown_header(tmp_path, capsys):
    X = pd.DataFrame({"x0": ["red", "blue"] * 20, "x1": ["s", "s", "m", "l"] * 10})
    model = TabularMLPClassifier(random_state=0).fit(X, X["x0"].to_numpy())
    saved, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    joblib.dump(model, saved)
    arguments = ["--load", str(saved), "--predict", str(new)]
    new.write_text("colour,length\nred,s\nblue,m\n")
    assert main(arguments) == 1
    assert "can't tell whether the first row is a header" in capsys.readouterr().err
    assert main([*arguments, "--header", "yes"]) == 0
    assert "Predicted 2 rows" in capsys.readouterr().out
    new.write_text("green,s\nblue,m\n")
    assert main(arguments) == 0
    assert "Predicted 2 rows" in capsys.readouterr().out


def test_new_rows_of_a_model_of_an_array_with_categories(tmp_path, capsys):
    X = np.array([["red", 1.5], ["blue", 2.5]] * 20, dtype=object)
    model = TabularMLPClassifier(categorical_features=[0], random_state=0)
    saved, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    joblib.dump(model.fit(X, X[:, 0].astype(str)), saved)
    new.write_text("blue,2.5\nred,1.5\n")
    assert main(["--load", str(saved), "--predict", str(new)]) == 0
    assert capsys.readouterr().err == ""
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    np.testing.assert_allclose(
        written.iloc[:, 2:], model.predict_proba(X[[1, 0]]), rtol=1e-12
    )


def test_new_rows_keep_the_categories_of_a_model_fitted_in_python(tmp_path, capsys):
    texts = ["None", "NA", "u ", " v", "w"] * 20
    X = pd.DataFrame({"kind": texts, "size": np.arange(100.0) % 7})
    model = TabularMLPClassifier(random_state=0).fit(X, texts)
    saved, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    joblib.dump(model, saved)
    rows = pd.DataFrame({"kind": ["None", "NA", "u ", " v", "w", " w "], "size": 3.0})
    write_table(rows, new)
    assert main(["--load", str(saved), "--predict", str(new)]) == 0
    assert capsys.readouterr().err == ""
    written = pd.read_csv(tmp_path / "new-predictions.csv", keep_default_na=False)
    proba = model.predict_proba(rows.assign(kind=[*texts[:5], "w"]))
    np.testing.assert_allclose(written.iloc[:, 2:], proba, rtol=1e-12)
    assert written["prediction"].tolist() == [*texts[:5], "w"]


@pytest.mark.parametrize(
    "model",
    [
        TabularMLPRegressor(loss="quantile", quantile=[0.1, 0.9], random_state=0),
        TabularMLPRegressor(random_state=0),
        TabularMLPClassifier(random_state=0),
    ],
)
def test_new_rows_of_a_model_with_several_outputs(model, tmp_path, capsys):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    y = X.to_numpy()
    y = y[:, 0] if model.get_params().get("loss") == "quantile" else y
    y = (y > 0).astype(int) if isinstance(model, TabularMLPClassifier) else y
    saved, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    joblib.dump(model.fit(X, y), saved)
    write_table(X[:9], new)
    assert main(["--load", str(saved), "--predict", str(new)]) == 0
    assert "prediction_1, prediction_2." in capsys.readouterr().out
    written = pd.read_csv(tmp_path / "new-predictions.csv")
    assert written.columns.tolist() == ["row", "prediction_1", "prediction_2"]
    np.testing.assert_allclose(written.iloc[:, 1:], model.predict(X[:9]), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.* that differ only in how they are written")
def test_new_rows_whose_categories_differ_in_leading_blanks(tmp_path, capsys):
    """They are read without these blanks from CSV, but not from Parquet."""
    texts = [" a", "a", "b", "b "] * 20
    X = pd.DataFrame({"kind": texts, "size": np.arange(80.0) % 7})
    model = TabularMLPClassifier(random_state=0).fit(X, texts)
    saved = tmp_path / "model.joblib"
    joblib.dump(model, saved)
    arguments = ["--load", str(saved), "--predict"]
    new = write_table(X[:4], tmp_path / "new.csv")
    assert main([*arguments, new]) == 1
    error = capsys.readouterr().err
    assert "line 2, column 1 ('kind'): expected a text other than 'a' and ' a'" in error
    assert "Write the new rows to a Parquet file." in error
    for rows, ending in ((X[2:4], "csv"), (X[:4], "parquet")):
        assert main([*arguments, write_table(rows, tmp_path / f"new.{ending}")]) == 0
        written = pd.read_csv(tmp_path / "new-predictions.csv")
        assert written["prediction"].tolist() == rows["kind"].tolist()


@pytest.mark.parametrize("blank", ["", " ", '""'])
def test_blank_lines_between_new_rows_of_one_column(blank, tmp_path, capsys):
    X = pd.DataFrame({"x": np.arange(40.0) / 2})
    saved, new = tmp_path / "model.joblib", tmp_path / "new.csv"
    joblib.dump(TabularMLPClassifier(random_state=0).fit(X, X["x"] > 10), saved)
    arguments = ["--load", str(saved), "--predict", str(new)]
    new.write_text(f"x\n1\n{blank}\n3\n")
    assert main(arguments) == 1
    assert "line 3: the line is blank. Write NA if" in capsys.readouterr().err
    new.write_text("x\n1\nNA\n3\n\n")
    assert main(arguments) == 0
    assert "Predicted 3 rows" in capsys.readouterr().out
    # As pandas writes a missing value in the last row.
    rows = pd.DataFrame({"x": [1.5, 2.5, None]})
    for decimal in (".", ","):
        for end in ("\n", "\r", "\r\n"):
            form = {"decimal": decimal, "lineterminator": end, "sep": ";"}
            rows.to_csv(new, index=False, **form)
            assert main([*arguments, "--sep", ";", "--decimal", decimal]) == 1
            assert "line 4: the line is blank" in capsys.readouterr().err


@pytest.mark.parametrize(
    "labels", [["1,5", "2,5"], ["1,5", "2,5", "n.b."], ["1.100", "2.200", "v3"]]
)
def test_labels_of_a_file_with_decimal_commas_are_scored(labels, tmp_path, capsys):
    table = pd.DataFrame(
        {
            "a": np.arange(60.0),
            "b": np.arange(60) % 7,
            "y": labels * (60 // len(labels)),
        }
    )
    data, new, saved = (tmp_path / name for name in ("data.csv", "new.csv", "model"))
    form = {"decimal": ",", "sep": ";", "index": False}
    table.to_csv(data, **form)
    table[table["y"].isin(labels[:2])].to_csv(new, **form)
    options = ["--sep", ";", "--decimal", ","]
    task = ["--task", "classification", *QUICK, "--save", str(saved)]
    assert main(["--data", str(data), *task, *options]) == 0
    arguments = ["--load", str(saved), "--predict", str(new), "--target", "y"]
    assert main([*arguments, *options]) == 0
    captured = capsys.readouterr()
    assert "Scores on the new rows" in captured.out
    assert captured.err == ""


@pytest.mark.posix
@pytest.mark.parametrize("name", ["data.csv", "other.csv", "link.joblib"])
def test_a_model_does_not_replace_data(name, tmp_path, capsys):
    data, path = tmp_path / "data.csv", tmp_path / name
    data.write_text("a,b,y\n" + "1.5,2,0\n2.5,1,1\n" * 20)
    if name == "link.joblib":
        path.symlink_to(data)
    before = data.read_bytes()
    assert main(["--data", str(data), "--save", str(path)]) == 1
    message = "has the data" if name == "link.joblib" else "a model does not end in"
    assert f"--save: {path}" in (error := capsys.readouterr().err)
    assert message in error
    assert data.read_bytes() == before


def numbers_file(path, n_rows=120, **changes):
    """A table for a search: whole numbers and others, and a class."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.integers(1000, 9999, n_rows), "b": rng.normal(size=n_rows)}
    )
    frame["y"] = np.where(frame["a"] > 5000, "p", "n")
    frame = frame.assign(**changes)
    frame.to_csv(path, index=False)
    return frame


def test_a_search_model_checks_new_rows(tmp_path, capsys):
    data, saved = tmp_path / "data.csv", str(tmp_path / "model.joblib")
    frame = numbers_file(data)
    assert main(["--data", str(data), "--save", saved, *QUICK]) == 0
    assert "grid search" in capsys.readouterr().out
    new, output = tmp_path / "new.csv", tmp_path / "out.csv"
    command = ["--load", saved, "--predict", str(new), "--output", str(output)]
    frame[["b", "a"]].to_csv(new, index=False)
    assert main(command) == 0
    assert capsys.readouterr().err == ""
    for change, message in (
        (frame["a"] / 1000, "'a' has 120 of 120 numbers outside the range"),
        (frame["a"] + 0.5, "'a' had whole numbers"),
    ):
        frame.assign(a=change).to_csv(new, index=False)
        assert main(command) == 0
        error = capsys.readouterr().err
        assert message in error
        # That is said of the ensembles for tables alone.
        assert "trend" not in error
    parquet = tmp_path / "new.parquet"
    command[3] = str(parquet)
    frame.assign(a=pd.to_datetime(frame["a"], unit="D")).to_parquet(parquet)
    assert main(command) == 1
    assert "'a'" in capsys.readouterr().err
    frame.assign(b=np.nan).to_parquet(parquet)
    assert main(command) == 1
    assert "the value is missing" in capsys.readouterr().err


def test_a_search_has_its_options_and_its_scores(tmp_path, capsys):
    data, saved = tmp_path / "data.csv", tmp_path / "model.joblib"
    frame = numbers_file(data)
    options = ["--activation", "tanh", "--seed", "3", "--max-iter", "20"]
    assert main(["--data", str(data), "--save", str(saved), *QUICK, *options]) == 0
    out, model = capsys.readouterr().out, joblib.load(saved)
    params = model[-1].get_params()
    assert [params[n] for n in ("activation", "random_state", "max_iter")] == [
        "tanh",
        3,
        20,
    ]
    X, y = frame[["a", "b"]], frame["y"]
    split = __main__.training.train_test_split
    X, _, y, _ = split(X, y, test_size=0.2, stratify=y, random_state=3)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        folds = -cross_val_score(model, X, y, cv=2, scoring="neg_log_loss")
    loss = re.search(r"^log loss +(\S+) ± ", out, re.MULTILINE)[1]
    assert float(loss) == pytest.approx(folds.mean(), rel=1e-3)
    # The labels depend on this column.
    importances = out.partition("Most important columns")[2].splitlines()[2]
    assert re.match(r"  a +0\.\d+ ± ", importances)


def test_new_rows_without_a_header_beside_data_in_an_array(tmp_path, capsys):
    data, new = tmp_path / "data.npz", tmp_path / "new.csv"
    X, y = load_iris(return_X_y=True)
    np.savez(data, X=X, y=y)
    arguments = ["--data", str(data), *QUICK, "--header", "no", "--predict", str(new)]
    new.write_text("1,,3,4\n")
    assert main(arguments) == 1
    assert "row 1, column 'x1': the value is missing" in capsys.readouterr().err
    new.write_text("1,2,3,4\n")
    assert main(arguments) == 0
    assert "Predicted 1 rows" in capsys.readouterr().out


def test_columns_without_a_header_keep_their_numbers(tmp_path, capsys):
    data, saved = tmp_path / "data.csv", str(tmp_path / "model.joblib")
    frame = numbers_file(data)[["y", "a", "b"]].assign(id=np.arange(120) // 3)
    frame.to_csv(data, index=False, header=False)
    arguments = ["--data", str(data), "--header", "no", "--target", "x0"]
    assert main([*arguments, "--drop", "x3", "--save", saved, *QUICK]) == 0
    new, output = tmp_path / "new.csv", tmp_path / "out.csv"
    command = ["--load", saved, "--predict", str(new), "--output", str(output)]
    frame.set_axis([f"x{i}" for i in range(4)], axis=1).to_csv(new, index=False)
    assert main(command) == 0
    by_name = pd.read_csv(output)
    assert {"x0", "x3"} < {*by_name}
    frame[["a", "b"]].to_csv(new, index=False, header=False)
    assert main([*command, "--header", "no"]) == 0
    column = "probability_p"
    np.testing.assert_allclose(pd.read_csv(output)[column], by_name[column])


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        (["Yes", "No", "yes", "NO"], "labels that differ only in how they are written"),
        ([f"{5 * i} kg" for i in range(6)], "has values such as '0 kg', which are"),
        ([f"{i}%" for i in range(6)], "has values such as '0%', which are taken as"),
        (["<0.5", "0.7", "0.9", "1.1", "1.3"], "has values such as '<0.5', which are"),
        (
            [f"2024-01-0{i}" for i in range(1, 7)],
            "has dates, which are taken as classes",
        ),
        (["a", "b", "<5"], None),
        (["1-5", "6-10", "11-20", "21-30", "over 30"], None),
    ],
)
def test_notes_on_labels(labels, note, tmp_path, capsys):
    data = tmp_path / "data.csv"
    numbers_file(data, y=np.resize(labels, 120))
    assert main(["--data", str(data), *QUICK]) == 0
    out, err = capsys.readouterr()
    notes = [line for line in out.splitlines() if line.startswith("note: The target")]
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]
    assert err == ""


def test_a_target_of_long_integers_is_noted(tmp_path, capsys):
    data = tmp_path / "data.csv"
    numbers_file(data, y=10**17 + np.arange(120))
    arguments = ["--data", str(data), "--cv", "2"]
    assert main(arguments) == 0
    assert "'y' has 120 distinct integers, of which" in capsys.readouterr().out


def test_blank_labels_of_parquet_are_missing(tmp_path, capsys):
    data = tmp_path / "data.parquet"
    frame = numbers_file(tmp_path / "data.csv")
    frame.assign(y=np.resize(["a", "b", "", " "], 120)).to_parquet(data)
    assert main(["--data", str(data), *QUICK]) == 1
    assert "the target 'y' is missing in 60 rows" in capsys.readouterr().err


def test_the_index_of_new_rows_is_copied(tmp_path):
    data, saved = tmp_path / "data.csv", str(tmp_path / "model.joblib")
    frame = numbers_file(data)
    assert main(["--data", str(data), "--save", saved, *QUICK]) == 0
    new, output = tmp_path / "new.parquet", tmp_path / "out.csv"
    frame[["a", "b"]].set_axis([f"P{i}" for i in range(120)]).to_parquet(new)
    assert main(["--load", saved, "--predict", str(new), "--output", str(output)]) == 0
    written = pd.read_csv(output)
    assert written["index"].tolist() == [f"P{i}" for i in range(120)]
    assert "row" not in written


def test_time_spans_are_called_so(tmp_path, capsys):
    data = tmp_path / "data.parquet"
    frame = numbers_file(tmp_path / "data.csv")
    frame["a"] = pd.to_timedelta(frame["a"], unit="s")
    frame["c"] = pd.to_datetime(frame["b"], unit="D")
    frame[["a", "b", "c", "y"]].to_parquet(data)
    assert main(["--data", str(data), "--cv", "2"]) == 0
    out = capsys.readouterr().out
    assert "1 of numbers, 0 of categories, 1 of dates (c), 1 of time spans (a)" in out


def test_a_report_in_place_of_the_model_is_refused(tmp_path, capsys):
    path = str(tmp_path / "same.joblib")
    assert main(["--save", path, "--report", path]) == 1
    assert "is the folder of --report" in capsys.readouterr().err


def test_columns_without_names_get_notes(tmp_path, capsys):
    rng = np.random.default_rng(3)
    size = rng.normal(size=200).round(3)
    rows = np.column_stack([np.arange(200) + 5, size, size > 0])
    path, new, saved = (tmp_path / name for name in ("data.csv", "new.csv", "model"))
    np.savetxt(path, rows, fmt="%g", delimiter=",")
    data = ["--data", str(path), "--cv", "2"]
    assert main(data) == 0
    captured = capsys.readouterr()
    assert "note: Column 'x0' has a different whole number in each row" in captured.out
    assert "To leave them out, add: --drop x0\nNew rows have no names" in captured.out
    assert "Column" not in captured.err
    # As the note says.
    assert main([*data, "--drop", "x0", "--save", str(saved)]) == 0
    np.savetxt(new, 1000 + rows[:20, 1:2], fmt="%g")
    capsys.readouterr()
    assert main(["--load", str(saved), "--predict", str(new)]) == 0
    assert (
        "warning: Column 'x1' has 20 of 20 numbers outside" in capsys.readouterr().err
    )


def test_arrays_that_no_search_takes(tmp_path, capsys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    X[:, 0] = np.arange(60)
    X[::20, 1] = np.nan
    X[:, 2] = np.nan
    path = tmp_path / "gaps.npz"
    np.savez(path, X=X, y=rng.integers(0, 2, 60))
    data = ["--data", str(path), "--cv", "2"]
    assert main([*data, "--alpha", "1"]) == 1
    message = "--alpha has no effect on a TabularMLPClassifier. Leave it out; a grid "
    message += (
        "search takes classes and complete numbers, but there are missing values."
    )
    assert message in capsys.readouterr().err
    assert main(data) == 0
    captured = capsys.readouterr()
    assert "Model:   TabularMLPClassifier" in captured.out
    assert "note: Column 'x0' has a different whole number" in captured.out
    assert "--drop" not in captured.out
    # A remedy that is no option of the command is left out.
    assert "The columns may be unrelated to y" in captured.err
    assert "learning_rate_init" not in captured.err


def test_classes_that_some_folds_lack(tmp_path, capsys):
    path = tmp_path / "few.csv"
    sizes = np.random.default_rng(0).normal(size=14).round(3)
    pd.DataFrame({"size": sizes, "kind": ["a"] * 4 + ["b"] * 10}).to_csv(
        path, index=False
    )
    assert main(["--data", str(path)]) == 0
    captured = capsys.readouterr()
    note = "note: The label a has 3 of 11 training rows, so that some of the 5 folds "
    assert f"{note}have none. For fewer folds add: --cv 3\n" in captured.out
    assert "n_splits" not in captured.err
    table = pd.DataFrame(
        {"size": sizes, "kind": ["a", "b", "c", "d", "d", "d", "d"] * 2}
    )
    table.to_csv(path, index=False)
    assert main(["--data", str(path)]) == 0
    assert "have none. Add rows of this label, or remove" in capsys.readouterr().out


def test_the_log_loss_of_a_fold_whose_model_lacks_a_class(tmp_path, capsys):
    """Only the row of this class has a probability of 0."""
    kinds = np.array(["a"] * 2 + ["b"] * 30 + ["c"] * 30)
    table = pd.DataFrame({"size": np.where(kinds == "b", -1.5, 1.5), "kind": kinds})
    path = tmp_path / "data.csv"
    table.to_csv(path, index=False)
    assert main(["--data", str(path), "--jobs", "1"]) == 0
    loss = re.search(r"^log loss +(\S+) ± ", capsys.readouterr().out, re.MULTILINE)[1]
    # A probability of 0 counts as 2e-16. The fold has about 10 of 49 rows.
    assert 0.7 < float(loss) < 1.5


def test_the_share_of_rows_in_their_interval_counts_both_bounds(tmp_path, capsys):
    """y lies above its mean by an exponential variable, hardly ever far below."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(800, 1))
    path = tmp_path / "data.csv"
    rows = np.hstack([X, X + rng.exponential(size=X.shape)])
    np.savetxt(path, rows, delimiter=",", header="x,y", comments="")
    assert main(["--data", str(path), "--cv", "2", "--jobs", "1"]) == 0
    said = re.search(r"(\d+)% of the held-out rows are in", capsys.readouterr().out)
    assert 80 <= int(said[1]) <= 95
