"""python -m skmlp_backprop --report."""

import io
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from skmlp_backprop.__main__ import main

pytest.importorskip("matplotlib", reason="reports are drawn by matplotlib")

from matplotlib.figure import Figure

QUICK = ["--jobs", "1", "--cv", "2", "--alpha", "1", "--learning-rate", "0.01"]
QUICK += ["--max-iter", "2", "--hidden", "4"]
COLOUR = ["--target", "colour", "--header", "yes"]
ODD = "<b>a & b</b> $x_$ \"'"
REGRESSION = ["predictions.png", "residuals.png", "importances.png", "loss_curve.png"]


class Page(HTMLParser):
    """The text of the sections of a page, its tags, and its pictures."""

    def __init__(self, path):
        super().__init__()
        self.sections, self.tags, self.images = {}, [], []
        self._section = "top"
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag == "section":
            self._section = attrs["id"]
        if tag == "img":
            self.images.append(attrs["src"])

    def handle_endtag(self, tag):
        if tag == "section":
            self._section = "top"

    def handle_data(self, data):
        self.sections[self._section] = self.sections.get(self._section, "") + data


@pytest.fixture(scope="module")
def houses():
    """Prices by a column with an odd name and gaps, and a colour."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame({ODD: rng.uniform(50, 150, 150).round(1)})
    table["colour"] = rng.choice(["red", "green"], 150)
    red = table["colour"] == "red"
    table["<price>"] = (2000 * table[ODD] + 10_000 * red + rng.randn(150)).round(2)
    table.loc[::10, ODD] = np.nan
    return table


@pytest.fixture(scope="module")
def houses_csv(houses, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "a <i>house.csv"
    houses.to_csv(path, index=False)
    return path


@pytest.fixture
def iris_npz(tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.npz"
    np.savez(path, X=X, y=y)
    return path


@pytest.fixture(scope="module")
def regression(houses_csv, tmp_path_factory):
    """The folder with the report on a regression and its model, and what was printed.

    The report is in the folder "report".
    """
    folder = tmp_path_factory.mktemp("regression")
    arguments = ["--data", str(houses_csv), "--cv", "2"]
    arguments += ["--save", str(folder / "model.joblib")]
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        assert main([*arguments, "--report", str(folder / "report")]) == 0
    return folder, printed.getvalue()


def test_a_regression(houses, houses_csv, regression):
    folder, printed = regression
    saved, folder = folder / "model.joblib", folder / "report"
    assert printed.endswith(f"\nThe report is in {folder / 'index.html'}.\n")
    assert "warning" not in printed
    assert {p.name for p in folder.iterdir()} == {"index.html", *REGRESSION}
    page = Page(folder / "index.html")
    assert list(page.sections) == [
        "top",
        "data",
        "scores",
        "predictions",
        "importances",
        "training",
    ]
    for expected in (
        f"{houses_csv}; the first row is taken as a header",
        "150; 30 are held out",
        "1 of numbers, 1 of categories (colour)",
        f"15 values, in {ODD}",
        "<price>, numbers from ",
        "regression, as the target has 150 values, not all of them whole numbers",
        "TabularMLPRegressor at its defaults",
        "Random seed0",
    ):
        assert expected in page.sections["data"]
    X, y = houses[[ODD, "colour"]], houses["<price>"]
    _, X_test, _, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    r2 = joblib.load(saved).score(X_test, y_test)
    line = re.search(r"R2\s*(\S+) ± \S+?\s+(\S+)", printed)
    assert float(line[2]) == pytest.approx(r2, rel=1e-3)
    assert f"R2{line[1]} ±" in page.sections["scores"]
    assert line[2] in page.sections["scores"]
    assert "baseline: the mean" in page.sections["scores"]
    assert "R2 is better the higher it is" in page.sections["scores"]
    assert "prediction interval of 90%" in page.sections["scores"]
    first, second = re.findall(
        rf"({re.escape(ODD)}|colour)\S+ ± ", page.sections["importances"]
    )
    assert (first, second) == (ODD, "colour")


def test_a_page_stands_alone(regression):
    path = regression[0] / "report" / "index.html"
    text, page = path.read_text(encoding="utf-8"), Page(path)
    assert len(page.images) == 4
    assert all(i.startswith("data:image/png;base64,") for i in page.images)
    assert not {"script", "link", "iframe", "b", "i", "price"} & set(page.tags)
    assert "http:" not in text
    assert "https:" not in text


def test_a_table_of_classes(houses_csv, tmp_path, capsys):
    folder = tmp_path / "report"
    arguments = ["--data", str(houses_csv), *COLOUR, "--cv", "2"]
    assert main([*arguments, "--report", str(folder)]) == 0
    names = {"calibration.png", "importances.png", "loss_curve.png"}
    assert {p.name for p in folder.iterdir()} == {"index.html", *names}
    page = Page(folder / "index.html")
    assert (
        "the probability of red, and the share of this class"
        in (page.sections["calibration"])
    )
    # As in what is printed.
    out = capsys.readouterr().out
    for name in ("green", "red"):
        values = re.search(rf"^ *{name} +(\S+) +(\S+) +(\S+) +(\d+)$", out, re.M)
        assert f"{name}{''.join(values.groups())}" in page.sections["classes"]
    assert "classprecisionrecallF1 score" in page.sections["classes"]
    assert "TabularMLPClassifier at its defaults" in page.sections["data"]
    assert "<price>" in page.sections["importances"]


def test_a_search(iris_npz, tmp_path, capsys):
    folder = tmp_path / "report"
    arguments = ["--data", str(iris_npz), *QUICK]
    assert main([*arguments, "--report", str(folder)]) == 0
    assert capsys.readouterr().err == ""
    names = {"calibration.png", "loss_curve.png"}
    assert {p.name for p in folder.iterdir()} == {"index.html", *names}
    page = Page(folder / "index.html")
    assert "importances" not in page.sections
    assert "the probability of the predicted class" in page.sections["calibration"]
    assert "learning_rate_init0.01" in page.sections["training"]
    assert "accuracy" in page.sections["scores"]
    assert "BackpropMLPClassifier, a grid search" in page.sections["data"]


def test_notes_on_columns_are_on_the_page(drawn, tmp_path):
    X = np.column_stack([np.arange(60), np.arange(60) % 7])
    drawn(X, np.arange(60) % 2, *QUICK)
    text = Page(tmp_path / "report" / "index.html").sections["data"]
    assert "Column 'x0' has a different whole number" in text


def test_importances_are_those_of_the_model(houses_csv, tmp_path, capsys):
    saved = tmp_path / "model.joblib"
    arguments = ["--data", str(houses_csv), "--cv", "2", "--save", str(saved)]
    assert main([*arguments, "--report", str(tmp_path / "report")]) == 0
    lines = capsys.readouterr().out.splitlines()
    i = next(i for i, line in enumerate(lines) if line.startswith("Most important "))
    assert "that left them out" in lines[i + 1]
    found = dict(re.split(" {2,}", line.strip()) for line in lines[i + 2 : i + 4])
    model = joblib.load(saved)
    values = dict(zip(model.feature_names_in_, model.feature_importances_, strict=True))
    assert found.keys() == values.keys()
    for name, text in found.items():
        value = float(text.partition(" ± ")[0])
        assert max(value, 0) == pytest.approx(values[name], rel=1e-3)
    section = Page(tmp_path / "report" / "index.html").sections["importances"]
    assert all(text in section for text in found.values())


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Trains on arrays; returns the model, and the axes of the report by label."""

    def train(X, y, *arguments):
        axes = {}
        save = Figure.savefig

        def record(figure, *args, **kwargs):
            for ax in figure.axes:
                axes.update({ax.get_xlabel(): ax, ax.get_ylabel(): ax})
            return save(figure, *args, **kwargs)

        monkeypatch.setattr(Figure, "savefig", record)
        data, saved = tmp_path / "data.npz", tmp_path / "model.joblib"
        np.savez(data, X=X, y=y)
        options = ["--data", str(data), *arguments]
        options += ["--save", str(saved), "--report", str(tmp_path / "report")]
        assert main(options) == 0
        return joblib.load(saved), axes

    return train


def calibration(ax):
    """The points of the curve, and the ends of their error bars."""
    line, _, (bars,) = ax.containers[0].lines
    low, high = np.array([segment[:, 1] for segment in bars.get_segments()]).T
    return line.get_xdata(), line.get_ydata(), low, high


def held_out(y):
    index = np.arange(len(y))
    return train_test_split(index, test_size=0.2, random_state=0, stratify=y)[1]


def test_the_groups_of_the_calibration_curve(drawn):
    rng = np.random.RandomState(0)
    X = rng.randn(1000, 3)
    y = (X[:, 0] + rng.randn(1000) > 0).astype(int)
    model, axes = drawn(X, y, *QUICK)
    mean, share, low, high = calibration(axes["share of rows that are 1"])
    index = held_out(y)
    predicted, is_true = model.predict_proba(X[index])[:, 1], y[index]
    bins = np.array_split(np.argsort(predicted), 10)
    np.testing.assert_allclose(mean, [predicted[i].mean() for i in bins])
    np.testing.assert_allclose(share, [is_true[i].mean() for i in bins])
    # Wilson's interval of a share p of n rows is about these values.
    p, z, n = share, 1.959964, 20
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    np.testing.assert_allclose(low, np.maximum(centre - half, 0), atol=1e-6)
    np.testing.assert_allclose(high, np.minimum(centre + half, 1), atol=1e-6)


def test_the_calibration_curve_of_more_than_two_classes(drawn):
    """Of the probability of the predicted class, whichever it is."""
    X, y = load_iris(return_X_y=True)
    model, axes = drawn(X, y, *QUICK, "--max-iter", "20")
    mean, share, *_ = calibration(axes["share of correct predictions"])
    index = held_out(y)
    predicted = model.predict_proba(X[index]).max(axis=1)
    is_true = model.predict(X[index]) == y[index]
    bins = np.array_split(np.argsort(predicted), 2)
    np.testing.assert_allclose(mean, [predicted[i].mean() for i in bins])
    np.testing.assert_allclose(share, [is_true[i].mean() for i in bins])


def test_the_points_and_bars_of_a_regression(drawn):
    rng = np.random.RandomState(0)
    X = rng.randn(200, 3)
    y = X @ [0, 2, 1] + rng.randn(200)
    model, axes = drawn(X, y, "--cv", "2")
    _, X, _, y = train_test_split(X, y, test_size=0.2, random_state=0)
    predicted, bounds = model.predict(X), model.predict_interval(X, coverage=0.9)
    is_inside = (bounds[:, 0] <= y) & (y <= bounds[:, 1])
    assert 0 < is_inside.sum() < len(y)
    points = np.array([predicted, y])
    _, inside, outside = axes["true y"].lines
    np.testing.assert_allclose(inside.get_data(), points[:, is_inside])
    np.testing.assert_allclose(outside.get_data(), points[:, ~is_inside])
    _, residuals = axes["residual: true minus predicted"].lines
    np.testing.assert_allclose(residuals.get_data(), [predicted, y - predicted])
    names = [label.get_text() for label in axes["importance"].get_yticklabels()]
    assert names == ["x1", "x2", "x0"]


def test_equal_probabilities_are_in_one_group(drawn):
    rng = np.random.RandomState(0)
    X = rng.choice([0.0, 1.0, 2.0], (1000, 1), p=[0.4, 0.4, 0.2])
    y = (X[:, 0] / 2 > rng.uniform(0, 1, 1000)).astype(int)
    model, axes = drawn(X, y, *QUICK, "--task", "classification")
    mean, share, *_ = calibration(axes["share of rows that are 1"])
    expected = model.predict_proba([[0.0], [1.0], [2.0]])[:, 1]
    order = np.argsort(expected)
    np.testing.assert_allclose(mean, expected[order])
    X, y = X[held_out(y), 0], y[held_out(y)]
    np.testing.assert_allclose(share, [y[value == X].mean() for value in order])


def test_the_loss_of_left_out_rows_marks_the_epoch_that_is_kept(drawn):
    model, axes = drawn(*load_iris(return_X_y=True), "--model", "tabular")
    ax = axes["epoch"]
    assert ax.get_ylabel() == "loss"
    trained, left_out, kept = ax.lines
    np.testing.assert_array_equal(trained.get_ydata(), model.loss_curve_)
    scores = np.array(model.validation_scores_)
    np.testing.assert_array_equal(left_out.get_ydata(), -scores)
    assert kept.get_xdata().tolist() == [1 + scores.argmax()]
    assert kept.get_ydata().tolist() == [-model.best_validation_score_]
    assert trained.get_color() != left_out.get_color()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    kept_epoch = f"kept: epoch {1 + scores.argmax()}"
    assert texts == ["rows trained on", "rows left out", kept_epoch]


@pytest.mark.parametrize(("solver", "unit"), [("adam", "epoch"), ("cg", "iteration")])
def test_the_loss_of_a_search_has_no_left_out_rows(solver, unit, drawn):
    iris = load_iris(return_X_y=True)
    rate = ["--learning-rate", "0.01"]
    options = [option for option in QUICK if solver == "adam" or option not in rate]
    model, axes = drawn(*iris, *options, "--solver", solver)
    (line,) = axes[unit].lines
    network = model[-1] if hasattr(model, "steps") else model
    np.testing.assert_array_equal(line.get_ydata(), network.loss_curve_)
    assert axes[unit].get_legend() is None


def test_the_report_s_own_files_are_replaced(regression, iris_npz, tmp_path):
    folder = tmp_path / "report"
    shutil.copytree(regression[0] / "report", folder)
    (folder / "notes.txt").write_text("mine")
    assert main(["--data", str(iris_npz), *QUICK, "--report", str(folder)]) == 0
    # Pictures of the earlier report do not stay beside the page of another.
    names = {"index.html", "calibration.png", "loss_curve.png", "notes.txt"}
    assert {p.name for p in folder.iterdir()} == names
    assert "BackpropMLPClassifier" in (folder / "index.html").read_text("utf-8")
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["index.html", "calibration.png", "residuals.png"])
def test_other_files_are_not_overwritten(name, iris_npz, tmp_path, capsys):
    (tmp_path / name).write_text("mine")
    arguments = ["--data", str(iris_npz), *QUICK, "--report", str(tmp_path)]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err == (
        f"error: --report: {tmp_path / name} is not a report's and would be "
        "overwritten. Move it, or choose another folder.\n"
    )
    assert "Fitting" not in captured.out
    assert (tmp_path / name).read_text() == "mine"
    assert {p.name for p in tmp_path.iterdir()} == {name, "iris.npz"}


def test_a_model_saved_as_the_page_is_not_overwritten(iris_npz, tmp_path, capsys):
    saved = tmp_path / "report" / "index.html"
    saved.parent.mkdir()
    arguments = ["--data", str(iris_npz), *QUICK, "--save", str(saved)]
    assert main([*arguments, "--report", str(saved.parent)]) == 1
    assert "would be overwritten" in capsys.readouterr().err
    assert joblib.load(saved).n_features_in_ == 4


@pytest.mark.parametrize("name", ["iris.npz", "nowhere/report"])
def test_folders_that_are_refused(name, iris_npz, tmp_path, capsys):
    arguments = ["--data", str(iris_npz), *QUICK, "--report", str(tmp_path / name)]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: --report: ")
    assert captured.err.count("\n") == 1
    assert "Fitting" not in captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--predict", "new.csv"], "--report has no effect with --predict"),
        (["--load", "a", "--predict", "new.csv"], "--report has no effect with --load"),
    ],
)
def test_reports_are_of_trainings(arguments, message, tmp_path, capsys):
    assert main([*arguments, "--report", str(tmp_path / "report")]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_an_error_names_it(iris_npz, tmp_path):
    script = (
        "import sys; sys.modules['matplotlib'] = None; "
        "from skmlp_backprop.__main__ import main; sys.exit(main())"
    )
    arguments = ["--data", str(iris_npz), *QUICK]

    def run(*more):
        return subprocess.run(
            [sys.executable, "-c", script, *arguments, *more],
            capture_output=True,
            text=True,
            check=False,
        )

    assert run().returncode == 0
    done = run("--report", str(tmp_path / "report"))
    assert done.returncode == 1
    assert done.stderr == (
        "error: --report requires matplotlib. You can install it with `pip install "
        "matplotlib`.\n"
    )
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == [iris_npz]
