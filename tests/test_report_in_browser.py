"""The page of --report, in Chromium."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from skmlp_backprop.__main__ import main

pytest.importorskip("matplotlib", reason="reports are drawn by matplotlib")

SEARCH = ["--jobs", "1", "--cv", "2", "--max-iter", "2"]
LONG = "a name of a column, or of a class, that goes on and on and on and on"


@pytest.fixture(scope="module")
def houses():
    """Prices by columns with odd names, with gaps."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame({"<script>alert('size')</script>": rng.uniform(50, 150, 100)})
    table["n" * 200] = rng.uniform(0, 1, 100)
    table[LONG] = rng.choice(["red & blue", f"<h1>{LONG}"], 100)
    table.loc[::10, "n" * 200] = np.nan
    table["<price>"] = 2000.5 * table.iloc[:, 0] + rng.randn(100)
    return table


@pytest.fixture(scope="module")
def reports(houses, tmp_path_factory):
    """Pages of reports: of a regression, of classes of a table, and of a search."""
    folder = tmp_path_factory.mktemp("reports")
    houses.to_csv(folder / "houses.csv", index=False)
    X, y = load_iris(return_X_y=True)
    np.savez(folder / "iris.npz", X=X, y=y)
    table = ["--data", str(folder / "houses.csv"), "--header", "yes", "--cv", "2"]
    options = {
        "regression": table,
        "classification": [*table, "--target", LONG],
        "search": ["--data", str(folder / "iris.npz"), *SEARCH],
    }
    for name, arguments in options.items():
        assert main([*arguments, "--report", str(folder / name)]) == 0
    return {name: folder / name / "index.html" for name in options}


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("regression", ["predictions", "importances", "training"]),
        ("classification", ["calibration", "classes", "importances", "training"]),
        ("search", ["calibration", "classes", "training"]),
    ],
)
def test_the_page_fits_and_shows_everything(name, sections, width, reports, browser):
    browser.open(reports[name], width)
    assert browser.overflow() == (0, [])
    # The page alone; a browser may ask for an icon of any page.
    assert browser.requests() == [reports[name].as_uri()]
    target = {"regression": "<price>", "classification": LONG, "search": "y"}[name]
    assert browser.evaluate("document.title") == f"How well “{target}” is predicted"
    found = "[...document.querySelectorAll('section')].map(e => [e.id, e.clientHeight])"
    heights = dict(browser.evaluate(found))
    assert list(heights) == ["data", "scores", *sections]
    assert all(height > 50 for height in heights.values())
    pictures = browser.evaluate(
        "[...document.images].map(e => [e.naturalWidth, e.naturalHeight, "
        "e.clientWidth, e.clientHeight, e.alt])"
    )
    assert len(pictures) == len(set(sections) - {"classes"}) + (name == "regression")
    for natural_width, natural_height, shown_width, shown_height, alt in pictures:
        assert natural_width == 1000
        assert min(width, 500) * 0.8 < shown_width < width
        ratio = natural_height / natural_width
        assert shown_height / shown_width == pytest.approx(ratio, abs=0.01)
        assert alt
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.evaluate("document.querySelectorAll('h1').length") == 1


def test_names_from_the_file_are_text(houses, reports, browser):
    browser.open(reports["regression"], 400)
    browser.evaluate("document.querySelector('details').open = true")
    names = browser.evaluate(
        "[...document.querySelectorAll('#importances tbody td:first-child')]"
        ".map(e => e.textContent)"
    )
    assert sorted(names) == sorted(houses.columns[:-1])
    assert browser.overflow() == (0, [])


def test_tables_scroll_where_they_do_not_fit(reports, browser):
    browser.open(reports["regression"], 400)
    browser.evaluate("document.querySelectorAll('td')[1].textContent = '9'.repeat(99)")
    box = "document.querySelector('.table')"
    assert browser.evaluate(f"{box}.scrollWidth > {box}.clientWidth")
    assert browser.overflow() == (0, [])
