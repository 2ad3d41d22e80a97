"""CSV files with text among the features: the reader, and the main job on them."""

import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest

from skmlp_backprop.__main__ import main
from skmlp_backprop.datasets import read_csv, read_mixed_csv


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding=encoding)
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


def test_a_first_row_of_text_that_may_be_either(write):
    path = write("red,small,a\nblue,large,b\n")
    with pytest.raises(ValueError, match=r"can't tell .* by header=True or F"):
        read_mixed_csv(path)
    names = read_mixed_csv(path, header=True)[0].columns
    assert names.tolist() == ["red", "small"]
    assert len(read_mixed_csv(path, header=False)[0]) == 2
    # Where its fields occur again they are values, where only others do they are names.
    again = "red,large,a\nblue,small,b\nred,small,b\n"
    assert len(read_mixed_csv(write("red,small,a\n" + again))[0]) == 4
    with pytest.raises(ValueError, match="can't tell"):
        read_mixed_csv(write("colour,width,kind\n" + again))
    # Of many rows that is no chance.
    again *= 4
    X, _ = read_mixed_csv(write("colour,width,kind\n" + again))
    assert X.columns.tolist() == ["colour", "width"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # As to_csv() writes it, with a row number and no name for it.
        (",size,colour,kind\n0,1.5,r,x\n1,2,b,y\n2,3,r,x\n", r"to_csv\(index=False\)"),
        ("name,2019,2020,kind\nbob,1,2,x\nann,3,4,y\neve,5,6,x\n", "can't tell"),
        ("1,5;2,5;a\n2,5;3,5;b\n3,5;4,5;a\n", "the same number of semicolons"),
        # A word in a column of words, as "y" among y and n, is no proof of a value.
        ("budget,crime,y\n" + "y,n,n\nn,y,y\ny,y,n\nn,n,y\n", "can't tell"),
        ("1990,1991,1992\n1000,2000,3000\n1001,2001,3001\n", "can't tell"),
        ("1,2,3\n1000,2000,3000\n1001,2001,3001\n", "can't tell"),
        ("0,1\n5.5,2\n7.25,3\n", "can't tell"),
        ("2019,2020\n5.5,2\n7.25,3\n", "can't tell"),
        ("10,20,30\n5.5,2,0\n7.25,3,1\n", "can't tell"),
        ("0.0,1.0,2.0\n5.5,2,0\n7.25,3,1\n", "can't tell"),
        ("0.1,0.2,0.3\n5.5,2,0\n7.25,3,1\n", "can't tell"),
        ("a|b,c|d\n1|2,3|x\n2|2,3|y\n", "bars in place of"),
    ],
)
def test_headers_and_separators_that_can_not_be_told(text, message, write):
    with pytest.raises(ValueError, match=message):
        read_mixed_csv(write(text))


@pytest.mark.parametrize("first", ["0,2", "1,1,1", "30,20,10", "1,2,4", "0,inf,inf"])
def test_first_rows_that_do_not_count_up_are_values(first, write):
    row = ",".join("5" * (first.count(",") + 1))
    X, _ = read_mixed_csv(write(f"{first}\n{row}\n{row}\n"))
    assert len(X) == 3


@pytest.mark.parametrize("price", ['"1,000"', "10%", "$1.50", "1.5 €"])
@pytest.mark.parametrize("other", ["2", None])
def test_numbers_in_disguise_are_no_categories(price, other, write):
    rows = [f"{price},r,x", f"{other or price},b,y", f"{price},r,x"]
    path = write("\n".join(["price,colour,kind", *rows]))
    with pytest.raises(ValueError, match=r"line 2, column 1 \('price'\): expected a n"):
        read_mixed_csv(path)


def test_names_that_begin_with_a_digit(write):
    rows = "".join(f"{i % 5},{i},{'ab'[i % 2]}\n" for i in range(20))
    X, _ = read_mixed_csv(write("LotArea,1stFlrSF,y\n" + rows))
    assert X.columns.tolist() == ["LotArea", "1stFlrSF"]


@pytest.mark.parametrize("odd", ["-", "x", "1O"])
def test_a_stray_text_makes_no_category(odd, write):
    rows = "".join(f"{i % 5},{'ab'[i % 2]}\n" for i in range(500))
    with pytest.raises(ValueError, match=r"line 502, column 1 \('rooms'\)"):
        read_mixed_csv(write("rooms,y\n" + rows + f"{odd},a\n"))


def test_most_of_them_in_disguise(write):
    rows = [f"{'unknown' if i % 5 == 0 else f'{i}%'},{'xy'[i % 2]}" for i in range(50)]
    with pytest.raises(ValueError, match=r"line 3, column 1 \('price'\): expected a n"):
        read_mixed_csv(write("\n".join(["price,kind", *rows])))


def test_one_word_among_many_numbers_is_no_code(write):
    """However often: it may say that a value is missing."""
    rows = [f"{'unknown' if i % 8 == 0 else i},{'xy'[i % 2]}" for i in range(200)]
    with pytest.raises(ValueError, match=r"column 1 .*'unknown'"):
        read_mixed_csv(write("\n".join(["price,kind", *rows])))


def test_leading_zeros_that_come_late(write):
    rows = [f"{99999 - 80 * i:05d},{i % 2}" for i in range(1200)]
    with pytest.warns(UserWarning, match="column 'zip' has numbers with leading zeros"):
        X, _ = read_mixed_csv(write("\n".join(["zip,kind", *rows])))
    assert X["zip"].iloc[-1] == "04079"


def test_dates_of_iso_8601_are_dates(write):
    rows = (
        "2020-01-31,2020-01-31T23:59:30.5,2020-07-01 10:00+02:00,x\n"
        ",2020-02-01 00:00,2020-07-01T08:00Z,y\n"
        "2020-02-02,2020-02-01T10:00,2020-07-01T10:00:00+02,y\n"
    )
    X, _ = read_mixed_csv(write("day,moment,zoned,k\n" + rows))
    assert [dtype.kind for dtype in X.dtypes] == ["M", "M", "M"]
    assert X["day"].isna().tolist() == [False, True, False]
    assert X["day"][0] == pd.Timestamp("2020-01-31")
    assert X["moment"][0] == pd.Timestamp("2020-01-31 23:59:30.5")
    assert X["zoned"].tolist() == [pd.Timestamp("2020-07-01 08:00", tz="UTC")] * 3


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ("31.01.2020", r"expected a date such as 2024-12-31 .*found '31\.01\.2020'"),
        ("2020-02-30", "expected a date of the calendar"),
        ("2020-02-01T10:00Z", "'2020-01-31'|a date with a time zone"),
        ("1/31/2020", "dayfirst=False if the month comes first"),
        ("soon", "expected a date such as 2024-12-31 .*found 'soon'"),
        ("7", "expected a date such as 2024-12-31 .*found '7'"),
    ],
)
def test_other_dates_are_refused(odd, message, write):
    path = write(f"day,n,k\n2020-01-31,1,x\n{odd},2,y\n2020-01-31,3,x\n")
    with pytest.raises(ValueError, match=rf"column 1 \('day'\): .*{message}"):
        read_mixed_csv(path)


def test_dates_among_text_are_said(write, capsys):
    def rows(n_dates):
        texts = ["2020-01-31"] * n_dates + ["never", "soon"] * 40
        lines = [f"{text},{i % 7},{'xy'[i % 2]}" for i, text in enumerate(texts)]
        return write("\n".join(["due,n,kind", *lines]))

    with pytest.warns(UserWarning, match="'due' has dates among its text: it is tak"):
        X, _ = read_mixed_csv(rows(n_dates=30))
    assert X["due"].dtype == "category"
    assert main(["--data", str(rows(n_dates=30)), "--cv", "2"]) == 0
    note = "note: Column 'due' has dates among its text: it is taken as categories.\n"
    assert note in capsys.readouterr().out
    # A single date is a category as any other.
    assert len(read_mixed_csv(rows(n_dates=1))[0]) == 81


def test_dates_of_another_form_are_told_with_their_first_line(write):
    days = ["17.04.2022", *["25.05.2021"] * 3]
    path = write("n,day,k\n" + "".join(f"{i},{day},x\n" for i, day in enumerate(days)))
    with pytest.raises(ValueError, match=r"line 2, column 2 \('day'\)") as caught:
        read_mixed_csv(path)
    remedy = re.search(r"pandas\.to_datetime\(.*?'\)", str(caught.value))[0]
    column = pd.Series(days)
    assert eval(remedy, {"pandas": pd, "column": column})[0] == "2022-04-17"


@pytest.mark.filterwarnings("ignore:.*column 'zip' has numbers with leading zeros")
@pytest.mark.parametrize("reader", [read_csv, read_mixed_csv])
def test_a_file_of_a_spreadsheet_with_decimal_commas(reader, write):
    """Also with points between thousands, and columns without names and values."""
    rows = "01067;1.234,5;1.000;=a;;\n01069;-,5;2;b;;\n;?;-3,0e1;b;;\n"
    path = write("zip;größe;n;state;;\n" + rows, encoding="cp1252")
    with pytest.raises(ValueError, match=r"text in UTF-8 .* encoding='cp1252'"):
        reader(path)
    with pytest.raises(ValueError, match=r"semicolons in place of commas.* sep=';'"):
        reader(path, encoding="cp1252")
    X, y = reader(path, sep=";", decimal=",", encoding="cp1252")
    assert X.columns.tolist() == ["zip", "größe", "n"]
    codes = ["01067", "01069", None] if reader is read_mixed_csv else [1067, 1069, None]
    assert X["zip"].astype(object).where(X["zip"].notna(), None).tolist() == codes
    np.testing.assert_array_equal(X["größe"], [1234.5, -0.5, np.nan])
    np.testing.assert_array_equal(X["n"], [1000, 2, -30])
    assert y.tolist() == ["=a", "b", "b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": ";;"}, "sep must be an ASCII character, such as ';'"),
        ({"sep": 1}, "sep must be an ASCII character"),
        ({"sep": "\n"}, "sep must be an ASCII character"),
        ({"sep": "§"}, "sep must be an ASCII character"),
        ({"decimal": ";"}, "decimal must be '.' or ','"),
        ({"encoding": "utf-99"}, "encoding must be the name of an encoding"),
        ({"encoding": "rot13"}, "encoding must be the name of an encoding"),
        ({"encoding": "\0"}, "encoding must be the name of an encoding"),
        ({"encoding": None}, "encoding must be the name of an encoding"),
        ({"encoding": "ascii"}, "line 1: expected text in ASCII"),
        ({"encoding": "utf-16"}, "expected text in utf-16"),
        ({"sep": ";"}, "line 1: expected 2 fields separated by semicolons, found 1"),
    ],
)
def test_formats_that_do_not_suit_a_file(options, message, write):
    path = write("größe,kind\n1.5,a\n2.5,b\n")
    with pytest.raises(ValueError, match=re.escape(message).replace("'", "['\"]")):
        read_csv(path, **options)


GERMAN = {"sep": ";", "decimal": ","}
NAMED = {"header": True}


@pytest.mark.filterwarnings("ignore:.*numbers with leading zeros, many digits or among")
@pytest.mark.parametrize("sep", [",", ";", "|", "\t", " "])
def test_codes_between_any_separators_are_categories(sep, write):
    rows = ["1.5 01067 a", "2 1067 b", "2 4111111111111110001 b"]
    path = write("\n".join(["n code kind", *rows, ""]).replace(" ", sep))
    X, _ = read_mixed_csv(path, sep=sep)
    assert X["code"].tolist() == ["01067", "1067", "4111111111111110001"]
    assert X["n"].tolist() == [1.5, 2, 2]


@pytest.mark.filterwarnings("ignore:.*column 'account' has numbers with leading zeros")
def test_text_in_a_file_with_decimal_commas_stays(write):
    """Categories that look like numbers, decimal points, and names."""
    rows = [
        "1.100;v1.5;2,50;192.168.1.1;1,2",
        "1100;v2.0;1.000;10.0.0.1;1,2,3",
        "A1;v2.5;;10.0.0.1;1,2",
    ]
    path = write("\n".join(["account;version;400,5;ip;kind", *rows * 2, ""]))
    X, y = read_mixed_csv(path, header=True, **GERMAN)
    assert X.columns.tolist() == ["account", "version", "400,5", "ip"]
    assert X["account"].tolist() == ["1.100", "1100", "A1"] * 2
    assert X["version"].tolist() == ["v1.5", "v2.0", "v2.5"] * 2
    np.testing.assert_array_equal(X["400,5"], [2.5, 1000, np.nan] * 2)
    assert X["ip"].tolist() == ["192.168.1.1", "10.0.0.1", "10.0.0.1"] * 2
    assert y.tolist() == ["1,2", "1,2,3", "1,2"] * 2


def test_numbers_with_three_decimals_after_a_comma_are_not_doubted(write):
    rows = [f"{i},{i}50;{'ab'[i % 2]}" for i in range(1, 10)]
    X, _ = read_csv(
        write("\n".join(["n;kind", *rows, "25;a", "7,110;b", ""])), **GERMAN
    )
    expected = [*(i + i / 10 + 0.05 for i in range(1, 10)), 25, 7.11]
    np.testing.assert_allclose(X["n"], expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("n;kind\n1,5;a\n2.5;b\n", GERMAN, r"line 3.* found '2\.5'.* a decimal comma"),
        ("n;m;kind\n1,5;1.5;a\n2,5;2.0;b\n", GERMAN, r"line 2, column 2.*'1\.5'"),
        (
            'n,m,k\n1,"1,244",a\n2,950,b\n3,2,b\n',
            NAMED,
            "line 2.*remove the commas if they separ",
        ),
        (
            'n,m,k\n1,"1,2",a\n2,"1,244",b\n3,2,b\n',
            NAMED,
            "line 2.* has decimal commas, pass deci",
        ),
        (
            "m,k\n14:30,a\n15:30,b\n",
            NAMED,
            "line 2.*times and time spans as numbers, suc",
        ),
        (
            "m,k\nJan-21,a\nMay-21,b\n",
            NAMED,
            r"line 2.*to_datetime\(column.*, format='%b%y'\)",
        ),
        ("n;m\n1;1,5\n2;2,5\n3;3.5\n", GERMAN, r"line 4.* decimal comma.*'3\.5'"),
        # The first row may have numbers, and names may look like them.
        ("a;1,5\n1,5e3;a\n2.000;b\n", GERMAN, "can't tell whether the first row is"),
        # Blank lines count, and the right numbers are not named.
        (
            "n;kind\n\n\n" + "".join(f"{i},5;a\n" for i in range(20)) + "x;b\n",
            GERMAN,
            "line 24.* found 'x'",
        ),
        ("n;kind\n1,5;a\n2,5;b\n", {"sep": ";"}, r"pass decimal=',', or --decimal ,"),
        (
            "n;kind\n1%;a\n2%;b\n",
            GERMAN,
            r"read_csv\(path, sep=';', decimal=',', dtype=",
        ),
        (
            "n,kind\n1%,a\n2%,b\n",
            {"encoding": "cp1252"},
            r"read_csv\(path, encoding='cp1252', dtype=",
        ),
        (
            "sep=;\nn;m;kind\n1,5;2;a\n",
            GERMAN,
            "line 1: .* is a mark for spreadsheets",
        ),
        ("\u00ef\u00bb\u00bfn,kind\n1,a\n", {}, "begins with the mark of UTF-8"),
    ],
)
def test_files_of_spreadsheets_with_mistakes(text, options, message, write):
    with pytest.raises(ValueError, match=message):
        read_mixed_csv(write(text), **options)


def test_a_separator_that_is_passed_is_not_doubted(write):
    path = write("".join(f"{i};x,{i % 3}\n" for i in range(20)))
    with pytest.raises(ValueError, match="same number of semicolons"):
        read_mixed_csv(path)
    X, y = read_mixed_csv(path, header=False, sep=",")
    assert X["x0"].tolist() == [f"{i};x" for i in range(20)]
    assert y.tolist() == [i % 3 for i in range(20)]


def test_a_column_without_a_name_that_has_values_is_kept(write):
    with pytest.raises(ValueError, match="column 2 has no name"):
        read_csv(write("a,,kind,\n1,,x,\n2,5,y,\n"), header=True)
    # Without a header, all columns count.
    X, _ = read_csv(write("1,,x\n2,,y\n"), header=False)
    np.testing.assert_array_equal(X, [[1, np.nan], [2, np.nan]])
    with pytest.raises(ValueError, match="the target 'x2' has no values"):
        read_csv(write("1,x,\n2,y,\n"), header=False)


THOUSANDS = [f"{i:,}".replace(",", ".") for i in range(500, 3500, 50)]


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("code", ["", "01067"])
def test_points_between_thousands_are_said(mixed, code, write):
    rows = [f"{text},{code},{'xy'[i % 2]}" for i, text in enumerate(THOUSANDS)]
    path = write("\n".join(["people,zip,kind", *rows]))
    said = r"'people' has numbers such as '1\.000' .*: '1\.000' is taken as 1\.0"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X, _ = (read_mixed_csv if mixed else read_csv)(path)
    assert X["people"].iloc[-1] == 3.45
    (message,) = (str(w.message) for w in caught if "'people'" in str(w.message))
    assert re.search(said, message)
    assert "thousands='.' and decimal=','" in message
    frame = pd.read_csv(path, thousands=".", decimal=",")
    assert frame["people"].tolist() == list(range(500, 3500, 50))


@pytest.mark.parametrize(
    "texts",
    [
        # No whole numbers, other decimals, a number below 1, thousands.
        [text for text in THOUSANDS if "." in text],
        [*THOUSANDS, "1.05"],
        [*THOUSANDS, "0.500"],
        [*THOUSANDS, "1000"],
        [*THOUSANDS[:19], "650"],
        # A measurement that may be exactly 0, and eighths.
        [*["0"] * 20, *(text for text in THOUSANDS if "." in text)],
        [*["5"] * 9, *(f"{i}.{d}" for i in range(1, 9) for d in (125, 375, 625))],
    ],
    ids=range(7),
)
def test_other_numbers_have_no_thousands(texts, write):
    rows = [f"{text},{i % 3},{'xy'[i % 2]}" for i, text in enumerate(texts)]
    X, _ = read_mixed_csv(write("\n".join(["people,n,kind", *rows])))
    assert X["people"].tolist() == list(map(float, texts))


def test_points_between_thousands_in_target_and_new_rows(write, capsys, tmp_path):
    rows = [f"{i % 7},{text}" for i, text in enumerate(THOUSANDS)]
    path = write("\n".join(["n,people", *rows]))
    assert main(["--data", str(path), "--cv", "2"]) == 0
    assert "The target 'people' has numbers such as '1.000'" in capsys.readouterr().out
    # Millions are no numbers.
    path = write("\n".join(["n,people", *rows, "1,1.000.000"]))
    assert main(["--data", str(path), "--cv", "2"]) != 0
    assert "Write them as plain numbers" in capsys.readouterr().err
    # A model of numbers, and new rows whose points separate thousands.
    rows = [f"{50 * i},{'xy'[i % 2]}" for i in range(10, 70)]
    model = tmp_path / "model.joblib"
    path = write("\n".join(["people,kind", *rows]))
    main(["--data", str(path), "--cv", "2", "--save", str(model)])
    path = write("\n".join(["people", *THOUSANDS]))
    main(["--load", str(model), "--predict", str(path)])
    assert "'people' has numbers such as '1.000'" in capsys.readouterr().err


def test_numbers_with_a_unit_are_said(write):
    rows = [f"{i}.5 kg,{i % 3},{'xy'[i % 2]}" for i in range(40)]
    path = write("\n".join(["weight,n,kind", *rows]))
    with pytest.warns(UserWarning, match="'weight' has numbers with a unit, such as"):
        read_mixed_csv(path)


def test_rows_without_a_label_are_counted(write):
    path = write("a,b,k\n1,red,x\n2,blue,\n3,red,y\n4,red,NA\n")
    with pytest.raises(ValueError, match=r"found ''\. 2 rows have no label\. Remove"):
        read_mixed_csv(path)


def test_codes_are_categories(write):
    rows = "113803,01067,1,x\nA/5 21171,01069,2,y\n349909,01067,3,x\n"
    with pytest.warns(UserWarning, match="as codes have: it is taken as cat") as caught:
        X, _ = read_mixed_csv(write("ticket,zip,size,kind\n" + rows))
    assert len(caught) == 2
    assert X["ticket"].tolist() == ["113803", "A/5 21171", "349909"]
    assert X["zip"].tolist() == ["01067", "01069", "01067"]
    assert X.dtypes.astype(str).tolist() == ["category", "category", "float64"]


def test_a_mistake_among_numbers_makes_no_categories(write):
    rows = "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(40))
    path = write("size,n,kind\n" + rows + "oops,1,x\n")
    with pytest.raises(ValueError, match=r"line 42, column 1 \('size'\).* 'oops'"):
        read_mixed_csv(path)


def test_the_main_job_says_what_it_found(write, capsys):
    rng = np.random.RandomState(0)
    rows = [
        f"{rng.choice(['red', 'blue'])},0{rng.randint(9)},{rng.randn():.3f},{i % 2}"
        for i in range(60)
    ]
    assert main(["--data", str(write("\n".join(rows)))]) == 0
    out = capsys.readouterr().out
    assert "; the first row is taken as data (no header)\n" in out
    assert "Columns: 1 of numbers, 2 of categories (x0, x1)\n" in out
    assert "note: Column 'x1' has numbers with leading zeros, many digits or" in out


def test_the_main_job_takes_numbers_with_gaps_and_no_header(write, capsys):
    rng = np.random.RandomState(0)
    rows = [
        f"{rng.randn():.3f},{'?' if i % 9 == 0 else i % 7},{i % 2}" for i in range(70)
    ]
    assert main(["--data", str(write("\n".join(rows)))]) == 0
    assert "Missing: 8 values, in x1\n" in capsys.readouterr().out


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
        ("a,b,k\n1,red,x\n2,blue,\n", r"line 3, column 3 \('k'\): expected a label"),
        ("a,a,k\n1,red,x\n2,blue,y\n", "different name .* 'a' for column 2"),
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
    with pytest.raises(ValueError, match="line 2: expected text in UTF-8"):
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
    assert "Missing: 29 values, in size\n" in out
    assert "Model:   TabularMLPClassifier at its defaults\n" in out
    X, y = read_mixed_csv(path)
    assert joblib.load(saved).score(X, y) == 1


def test_the_main_job_refuses_labels_there_is_nothing_to_learn_of(write, capsys):
    path = write("size,colour,label\n1,red,yes\n2,blue,yes\n3,red,yes\n")
    assert main(["--data", str(path)]) == 1
    assert "nothing to learn" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["-", "\u2212"])
def test_numbers_with_a_minus_sign_of_typography_are_refused(other, write):
    signs = [other, "\u2212"]
    rows = "".join(f"{signs[i % 2]}{i},b,{'xy'[i % 2]}\n" for i in range(20))
    with pytest.raises(ValueError, match=r"column 1 \('t'\): expected a n.*'\u2212"):
        read_mixed_csv(write("t,colour,kind\n" + rows))


@pytest.mark.parametrize("mark", ["-", "--", ".", "none"])
def test_frequent_marks_of_missing_values_make_no_categories(mark, write):
    rows = [f"{mark if i % 3 else i % 9},b,{'xy'[i % 2]}" for i in range(60)]
    with pytest.raises(ValueError, match=r"column 1 \('n'\): expected a number, or no"):
        read_mixed_csv(write("\n".join(["n,colour,kind", *rows])))


def test_a_tenth_of_dates_among_text_is_no_doubt(tmp_path):
    path, texts = tmp_path / "data.csv", ["2024-01-02", *"bcdefghij"]
    rows = [f"{text},{i},{i % 2}\n" for i, text in enumerate(texts)]
    path.write_text("a,b,y\n" + "".join(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X, _ = read_mixed_csv(path)
    assert X["a"].dtype == "category"
