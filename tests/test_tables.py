"""CSV files: what is read, what is guessed, and what is refused."""

import gzip
import random
import struct
import sys

import numpy as np
import pandas as pd
import pytest

from skmlp_backprop.datasets import read_csv, read_mixed_csv

ROWS = "1.5,2,rose\n3,,tulip\n"


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    return write


def test_header_names_the_features(write):
    X, y = read_csv(write(f"length, width,kind\n{ROWS}\n4,5e-1,rose\n"))
    assert isinstance(X, pd.DataFrame)
    assert X.columns.tolist() == ["length", "width"]
    np.testing.assert_array_equal(X, [[1.5, 2], [3, np.nan], [4, 0.5]])
    assert y.tolist() == ["rose", "tulip", "rose"]


@pytest.mark.parametrize(
    ("first", "sample"),
    [
        ("?,3.5,x", [np.nan, 3.5]),
        ("NA,?,x", [np.nan, np.nan]),
        (",-inf,x", [np.nan, -np.inf]),
    ],
)
def test_first_row_with_missing_values_is_kept(write, first, sample):
    X, y = read_csv(write(f"{first}\n{ROWS}"))
    assert isinstance(X, np.ndarray)
    np.testing.assert_array_equal(X, [sample, [1.5, 2], [3, np.nan]])
    assert y.tolist() == ["x", "rose", "tulip"]


@pytest.mark.parametrize(
    "first",
    [
        '"1,000",3,x',
        '"1,000","2,000",x',
        "1%,2%,x",
        "1_0,2,x",
        "a,2,x",
        ",a,x",
        "a,b,",
        "0,1,2",
        "1st,2nd,kind",
    ],
)
def test_first_row_that_may_be_either_is_refused(write, first):
    path = write(f"{first}\n{ROWS}")
    with pytest.raises(ValueError, match=r"can't tell .* by header=True or"):
        read_csv(path)


def test_label_that_may_be_a_name_is_refused(write):
    path = write("5,1,label\n1,2,0\n3,4,1\n")
    with pytest.raises(ValueError, match="can't tell whether"):
        read_csv(path)
    X, y = read_csv(path, header=True)
    assert X.columns.tolist() == ["5", "1"]
    assert y.tolist() == [0, 1]
    X, y = read_csv(path, header=False)
    assert X.shape == (3, 2)
    assert y.tolist() == ["label", "0", "1"]


@pytest.mark.parametrize("header", ["yes", 0, None])
def test_header_is_true_false_or_infer(write, header):
    with pytest.raises(ValueError, match="header must be True, False or"):
        read_csv(write(ROWS), header=header)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["1", " -2", "0 "], [1, -2, 0]),
        (["01", "2", "3"], ["01", "2", "3"]),
        (["1.0", "2", "3"], ["1.0", "2", "3"]),
        (["+1", "2", "3"], ["+1", "2", "3"]),
        (["-0", "2", "3"], ["-0", "2", "3"]),
        (["1_0", "2", "3"], ["1_0", "2", "3"]),
        (["99999999999999999999", "2", "3"], ["99999999999999999999", "2", "3"]),
        (["None", "mild", "True"], ["None", "mild", "True"]),
        (['"a,b"', '"c\nd"', "é"], ["a,b", "c\nd", "é"]),
    ],
)
def test_labels(write, labels, expected):
    rows = "".join(f"0,{label}\n" for label in labels)
    y = read_csv(write(f"a,b\n{rows}"))[1]
    assert y.tolist() == expected
    assert y.dtype.kind == ("U" if isinstance(expected[0], str) else "i")


@pytest.mark.parametrize(
    "value",
    ["1_0", '"1,000"', "1%", "x", "True", "0x10", "1d5", "\u0661", "1 2", "-", "."],
)
def test_what_is_no_number_is_refused_by_name(write, value):
    path = write(f"a,b,c\n1,2,x\n\n3,{value},y\n")
    with pytest.raises(ValueError, match="expected a number") as caught:
        read_csv(path)
    found = value.strip('"')
    assert f"{path}, line 4, column 2 ('b')" in str(caught.value)
    assert f"found '{found}'." in str(caught.value)


@pytest.mark.parametrize(
    "mark", ["", "  ", '""', "?", "NA", "NA ", "nan", "N/A", "null"]
)
def test_missing_features(write, mark):
    X, _ = read_csv(write(f"a,b\n1,x\n{mark},y\n"))
    np.testing.assert_array_equal(X, [[1], [np.nan]])


@pytest.mark.parametrize("mark", ["", " ", "?", "NA", "nan"])
def test_missing_label_is_refused(write, mark):
    path = write(f"1,2,x\n3,4,{mark}\n")
    with pytest.raises(ValueError, match="line 2, column 3: expected a label;"):
        read_csv(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a CSV file, but it is empty"),
        ("\n \n", "expected a CSV file, but it is empty"),
        ("a,b,c\n", "found a header only"),
        ("a,b,a\n1,2,x\n", "different name for each column, found 'a' for column 3"),
        ("1,2,x\n3,y\n", r"line 2: expected 3 fields .* found 2: \['3', 'y'\]"),
        ("1,2,x\n3,4,5,y\n", "line 2: expected 3 fields .* found 4"),
        ("a,b,c\n3,4,5,y\n", "line 2: expected 3 fields .* found 4"),
        ("a,b,c\n3,4,x,\n", "line 2: expected 3 fields .* found 4"),
        ("a,b,c\n3,4,x,\n5,6,y,\n", "line 2: expected 3 fields .* found 4"),
        ("1.5;2;a\n" * 2, "Are there semicolons in place of commas"),
        ("1,5;2,5;a\n" * 2, "Are there semicolons in place of commas"),
        ("1\t2\ta\n", "Are there tabs in place of commas"),
        (b"a,b\n1,x\n2,caf\xe9\n", "line 3: expected text in UTF-8"),
        ("a,b\n1,x\n".encode("utf-16"), "line 1: expected text in UTF-8"),
        ("a,b\n1,x\0\n", r"line 2: expected text .* without NUL, found '1,x\\x00"),
        ('1,"2,x\n3,4,y\n', "unexpected end of data"),
        ('1,"' + "x" * 200_000, "expected a CSV file: field larger"),
        ('1,"x\n2,y\n3,"z\n4,w\n', "expected a CSV file: ',' expected after"),
        ('a,b\n"1\n",x\nq,y\n', r"line 4, column 1 \('a'\)"),
    ],
)
def test_spoilt_tables(write, content, message):
    path = write(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz"])
def test_the_remedy_for_another_encoding(encoding, ending, tmp_path):
    path = tmp_path / f"table.{ending}"
    rows = "größe,b,art\n1.5,02,café\n3,?,x\n"
    text = "\ufeff" + rows if encoding == "utf-16-be" else rows
    content = text.replace(",", "\t" if ending == "tsv" else ",").encode(encoding)
    path.write_bytes(gzip.compress(content) if ending == "csv.gz" else content)
    with pytest.raises(ValueError, match="line 1: expected text in UTF-8") as caught:
        read_csv(path)
    assert f"encoding='{encoding[:6]}' (--encoding" in str(caught.value)
    X, y = read_csv(path, encoding=encoding[:6])
    assert X.columns.tolist() == ["größe", "b"]
    np.testing.assert_array_equal(X, [[1.5, 2], [3, np.nan]])
    assert y.tolist() == ["café", "x"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("3,y", "line 1502: expected 3 fields .* found 2"),
        ("3,4,5,y", "line 1502: expected 3 fields .* found 4"),
        ('"3\n",4', "line 1502: expected 3 fields .* found 2"),
        ("3,4,y\0", "line 1502: expected text"),
        ("3\0,4,y", "line 1502: expected text"),
        ('3,4,"y', "unexpected end of data"),
        ('3,4,"y" z', "line 1502: expected a CSV file: ',' expected after"),
        # pandas takes it for a row.
        ('""', "different rows"),
        ("3,4,?", r"line 1502, column 3 \('c'\): expected a label"),
        ("3,4%,y", r"line 1502, column 2 \('b'\): expected a number"),
    ],
)
@pytest.mark.parametrize("reader", [read_csv, read_mixed_csv])
def test_what_is_wrong_after_many_rows(write, row, message, reader):
    """The first rows decide on the header, but each one is checked."""
    path = write("a,b,c\n" + "1,2,x\n" * 1500 + row + "\n" + "1,2,x\n" * 9)
    with pytest.raises(ValueError, match=message) as caught:
        reader(path)
    assert str(caught.value).startswith(str(path))


def test_labels_that_look_like_codes_leave_an_array(write):
    X, y = read_mixed_csv(write("1,2,01\n3,4,02\n"))
    assert isinstance(X, np.ndarray)
    np.testing.assert_array_equal(X, [[1, 2], [3, 4]])
    assert y.tolist() == ["01", "02"]


def test_name_is_missing(write):
    with pytest.raises(ValueError, match="column 1 has no name"):
        read_csv(write(",a,b\n0,1,x\n"), header=True)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks(write, end, mark):
    content = mark + end.join(['"a, b",c', "", "1,x", "2,y", ""]).encode()
    X, y = read_csv(write(content))
    assert X.columns.tolist() == ["a, b"]
    np.testing.assert_array_equal(X, [[1], [2]])
    assert y.tolist() == ["x", "y"]


def test_numbers_are_exact(write):
    draw = random.Random(0)
    doubles = struct.unpack("2000d", draw.randbytes(16000))
    texts = [repr(value) for value in doubles if np.isfinite(value)]
    texts += [f"{draw.random() * 10 ** draw.randint(-9, 9):.30f}" for _ in range(2000)]
    texts += ["5e-324", "9007199254740993", "18446744073709551617", "1e999", "+.5"]
    X, _ = read_csv(write("".join(f"{text},x\n" for text in texts)))
    assert X.ravel().tolist() == [float(text) for text in texts]


@pytest.mark.parametrize("digits", [20, 30, 300])
def test_long_integers(write, digits):
    text = "123456789" * digits
    text = text[:digits]
    X, _ = read_csv(write(f"a,b\n{text},x\n-1,y\n"))
    assert X["a"].tolist() == [float(text), -1]


def test_without_pandas(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        read_csv(write(ROWS))


def test_what_can_not_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "missing.csv")
    with pytest.raises(IsADirectoryError):
        read_csv(tmp_path)


@pytest.mark.parametrize("ending", [".csv.gz", ".tsv", ".tsv.gz", ".TSV"])
def test_endings_tell_separator_and_compression(tmp_path, ending):
    path = tmp_path / f"table{ending}"
    text = 'zip,"a, b",kind\n01067,1.5,"x, y"\n99999,,z\n'
    if ".tsv" in ending.lower():
        text = 'zip\t"a, b"\tkind\n01067\t1.5\tx, y\n99999\t\tz\n'
    content = text.encode()
    path.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    with pytest.warns(UserWarning, match="column 'zip' has numbers with leading zeros"):
        X, y = read_mixed_csv(path)
    assert X["zip"].tolist() == ["01067", "99999"]
    np.testing.assert_array_equal(X["a, b"], [1.5, np.nan])
    assert y.tolist() == ["x, y", "z"]


def test_integers_that_floats_would_merge_are_codes(write):
    cards = [str(4111111111111110000 + i % 3) for i in range(9)]
    rows = [f"{card},{i},{i % 2}" for i, card in enumerate(cards)]
    path = write("\n".join(["card,n,y", *rows]))
    with pytest.warns(
        UserWarning, match="column 'card' has numbers with .*many digits"
    ):
        X, _ = read_mixed_csv(path)
    assert X["card"].tolist() == cards
    np.testing.assert_array_equal(X["n"], range(9))


def test_fields_of_a_tsv_file_are_counted(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("a\tb\n1\tx\n2,y\n")
    with pytest.raises(ValueError, match="line 3: expected 2 fields separated by tabs"):
        read_csv(path)


@pytest.mark.parametrize("damage", ["cut", "changed", "not zipped"])
def test_damaged_gzip_files(tmp_path, damage):
    path = tmp_path / "table.csv.gz"
    rows = "".join(f"{i},{i % 7}\n" for i in range(9999)).encode()
    content = {
        "cut": gzip.compress(rows)[:-20],
        "changed": gzip.compress(rows)[:-5] + b"12345",
        "not zipped": rows,
    }[damage]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="can't be unpacked") as caught:
        read_csv(path, header=False)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("blank", ["", " ", "  \r "])
def test_lines_that_end_in_a_carriage_return(write, blank):
    """pandas would drop an empty first field that follows a blank line."""
    X, y = read_csv(write(f"a,b,c\r1,2,3\r{blank}\r,4,5\r6,,7\r"))
    np.testing.assert_array_equal(X, [[1, 2], [np.nan, 4], [6, np.nan]])
    assert y.tolist() == [3, 5, 7]


@pytest.mark.parametrize("first", [",2001,y", ",2001,2002"])
def test_row_numbers_without_a_name_beside_names_of_numbers(write, first):
    """As pandas writes a table whose columns are years."""
    path = write(f"{first}\n0,5,6\n1,7,8\n2,9,1\n")
    with pytest.raises(ValueError, match=r"can't tell .* leave it out: to_csv\(index"):
        read_csv(path)


COUNTRIES = [
    "Austria",
    "Belgium",
    "Chad",
    "Denmark",
    "Egypt",
    "France",
    "Ghana",
    "Haiti",
    "India",
    "Japan",
]


@pytest.mark.parametrize(
    ("first", "is_refused"),
    [
        # Years beside a name, the row numbers of R, those of a part of the rows.
        ("country,2015,2016,2017", True),
        ('"","2015","2016","2017"', True),
        ("country,2015,2016,2019", False),
        ("country,2015,2016,x", True),
        # Smaller numbers are no years.
        ("Kenya,1,2,3", False),
        # A text that occurs again is a value.
        ("Ghana,2015,2016,2017", False),
    ],
)
def test_numbers_that_count_up_beside_text(write, first, is_refused):
    rows = [f"{name},{i}.5,{i + 3}.5,{i + 7}.5" for i, name in enumerate(COUNTRIES)]
    if first.startswith('""'):
        rows = [f"{i + 1},{row.partition(',')[2]}" for i, row in enumerate(rows)]
    path = write("\n".join([first, *rows]))
    if is_refused:
        with pytest.raises(ValueError, match="can't tell whether the first row is"):
            read_mixed_csv(path)
    else:
        assert len(read_mixed_csv(path)[0]) == 11


@pytest.mark.parametrize("reader", [read_csv, read_mixed_csv])
@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_of_pandas_and_of_R(write, reader, start):
    rows = [f"{start + i},{i % 3},{i / 4},{i % 2}" for i in range(9)]
    path = write("\n".join([",7,2,9", *rows]))
    with pytest.raises(ValueError, match="can't tell whether the first row is"):
        reader(path)
    assert reader(path, header=False)[0].shape == (10, 3)
    # Names of pandas above an index of a part of the rows.
    rows = [f"{3 * i},{i % 3},{i / 4},{i % 2}" for i in range(9)]
    with pytest.raises(ValueError, match="can't tell whether the first row is"):
        reader(write("\n".join([",0,1,2", *rows])))
    # A missing value above years.
    rows = [f"{1990 + i},{i % 3},{i / 4},{i % 2}" for i in range(9)]
    for first in (",7,2,9", ",6,7,0"):
        assert reader(write("\n".join([first, *rows])))[0].shape == (10, 3)


def test_names_of_pandas_that_are_also_codes(write):
    codes = ["1", "2", "3+"]
    rows = [f"{i / 4},{codes[i % 3]},{i / 8},{'ab'[i % 2]}" for i in range(40)]
    with pytest.raises(ValueError, match="can't tell whether the first row is"):
        read_mixed_csv(write("\n".join(["0,1,2,3", *rows])))


@pytest.mark.parametrize("first", ["2020-01-01,6,7,0", "2020-01-01,2010,2011,2012"])
def test_a_date_above_dates_is_a_value(write, first):
    rows = [f"2020-01-0{i},{i % 3},{i / 4},{i % 2}" for i in range(2, 10)]
    assert read_mixed_csv(write("\n".join([first, *rows])))[0].shape == (9, 3)
