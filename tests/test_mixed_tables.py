"""CSV files with text among the features: the reader, and the main job on them."""

import joblib
import numpy as np
import pandas as pd
import pytest

from skmlp_backprop.__main__ import main
from skmlp_backprop.datasets import read_csv, read_mixed_csv


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_text_becomes_categories_and_numbers_stay(write):
    path = write("size,colour,kind\n1.5,red,rose\n?, blue ,tulip\n-2e3,NA,rose\n")
    X, y = read_mixed_csv(path)
    expected = pd.DataFrame(
        {
            "size": [1.5, np.nan, -2000],
            "colour": pd.Categorical(["red", "blue", None]),
        }
    )
    pd.testing.assert_frame_equal(
        X.astype({"colour": object}), expected.astype({"colour": object})
    )
    assert X["colour"].dtype == "category"
    assert y.tolist() == ["rose", "tulip", "rose"]


def test_a_first_row_with_a_number_is_data(write):
    X, y = read_mixed_csv(write("1.5,red,a\n2,blue,b\n"))
    assert X.columns.tolist() == ["x0", "x1"]
    assert X["x0"].tolist() == [1.5, 2]
    assert y.tolist() == ["a", "b"]


def test_a_first_row_of_text_is_a_header_unless_one_says_otherwise(write):
    path = write("red,small,a\nblue,large,b\n")
    assert read_mixed_csv(path)[0].columns.tolist() == ["red", "small"]
    assert len(read_mixed_csv(path, header=False)[0]) == 2


def test_without_text_it_is_read_as_numbers(write):
    path = write("a,b,kind\n1,2,x\n3,,y\n")
    X, y = read_mixed_csv(path)
    expected, labels = read_csv(path)
    pd.testing.assert_frame_equal(X, expected)
    assert y.tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a,b,k\n1,red,x\n1%,red,y\n",
            r"line 3, column 1 \('a'\): expected a number",
        ),
        ("a,b,k\n1,red,x\n2,red\n", "line 3: expected 3 fields"),
        ("a,b,k\n1,red,x\n2,blue,\n", "line 3: expected a label"),
        ("a,a,k\n1,red,x\n2,blue,y\n", "'a' twice"),
        ("", "it is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, message, write):
    with pytest.raises(ValueError, match=message):
        read_mixed_csv(write(text))


def test_an_unknown_header_option_is_refused(write):
    path = write("size,colour,kind\n1.5,red,rose\n2,blue,tulip\n")
    with pytest.raises(ValueError, match="header must be True, False"):
        read_mixed_csv(path, header="maybe")


def test_bytes_that_are_no_text_are_told(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b,k\n1,r\xe9d,x\n")
    with pytest.raises(ValueError, match="line 2 has other bytes"):
        read_mixed_csv(path)


def test_the_main_job_takes_categories_and_missing_values(write, tmp_path, capsys):
    rng = np.random.RandomState(0)
    colours = rng.choice(["red", "blue", "green"], 200)
    sizes = rng.randn(200).round(3).astype(str)
    sizes[::7] = ""
    labels = np.where(colours == "red", "yes", "no")
    rows = map(",".join, zip(sizes, colours, labels, strict=True))
    path = write("\n".join(["size,colour,label", *rows]))
    saved = tmp_path / "model.joblib"
    assert main(["--data", str(path), "--save", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "29 values missing" in out
    assert "TabularMLPClassifier" in out
    X, y = read_mixed_csv(path)
    assert joblib.load(saved).score(X, y) == 1


def test_the_main_job_refuses_labels_there_is_nothing_to_learn_of(write, capsys):
    path = write("size,colour,label\n1,red,yes\n2,blue,yes\n3,red,yes\n")
    assert main(["--data", str(path)]) == 1
    assert "nothing to learn" in capsys.readouterr().err
