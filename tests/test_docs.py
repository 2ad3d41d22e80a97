"""The built pages of the docs: their links, and their looks in Chromium.

The environment variable SKMLP_DOCS_DIR names the folder of the pages, such as
doc/_build.
"""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

FOLDER = os.environ.get("SKMLP_DOCS_DIR")
PAGES = sorted(Path(FOLDER).resolve().rglob("*.html")) if FOLDER else []
# What a page loads to be shown, beside what it links to.
LOADED = {("img", "src"), ("script", "src"), ("source", "src"), ("iframe", "src")}

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="SKMLP_DOCS_DIR is not set: no built docs"
)


class Page(HTMLParser):
    """The links of a page, what it loads, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.anchors.append(attrs["id"])
        if tag == "a" and "name" in attrs:
            self.anchors.append(attrs["name"])
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        self.loaded += [attrs[a] for t, a in LOADED if t == tag and a in attrs]
        if tag == "link" and {"stylesheet", "icon"} & set(attrs["rel"].split()):
            self.loaded.append(attrs["href"])


def read_pages():
    """The parsed pages of the docs, by path."""
    return {path: Page(path) for path in PAGES}


def is_internal(address):
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc


def broken(path, address, pages):
    """What is wrong with an internal address on a page, or None."""
    parts = urlsplit(address)
    target = path
    if parts.path:
        target = (path.parent / unquote(parts.path)).resolve()
    if not target.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "no such anchor"
    return None


def test_the_folder_has_the_docs():
    names = {str(path.relative_to(Path(FOLDER).resolve())) for path in PAGES}
    assert {"index.html", "api.html", "guide/objective.html"} <= names
    assert len(names) > 50


def test_internal_links_lead_somewhere():
    pages = read_pages()
    problems = [
        f"{path.name}: {address}: {problem}"
        for path, page in pages.items()
        for address in [*page.links, *page.loaded]
        if is_internal(address) and (problem := broken(path, address, pages))
    ]
    assert problems == []
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_pages_load_nothing_from_the_network():
    loaded = {
        f"{path.name}: {address}"
        for path, page in read_pages().items()
        for address in page.loaded
        if not is_internal(address) and not address.startswith("data:")
    }
    assert loaded == set()


@pytest.mark.parametrize("width", [1400, 400])
def test_pages_fit(width, browser):
    problems = []
    for path in PAGES:
        browser.open(path, width)
        pixels, cut_off = browser.overflow()
        if pixels or cut_off:
            problems.append(f"{path.name}: {pixels} pixels, {cut_off[:2]}")
        remote = [r for r in browser.requests() if not r.startswith("file:")]
        if remote:
            problems.append(f"{path.name} loads {remote}")
        empty = browser.evaluate(
            "[...document.images].filter(e => e.complete && !e.naturalWidth)"
            ".map(e => e.src)"
        )
        if empty:
            problems.append(f"{path.name}: no picture at {empty}")
    assert problems == []


@pytest.mark.parametrize("width", [1400, 400])
def test_formulas_are_shown(width, browser):
    (path,) = (path for path in PAGES if path.name == "objective.html")
    browser.open(path, width)
    boxes = browser.evaluate(
        "[...document.querySelectorAll('math')].map(e => {"
        "const box = e.getBoundingClientRect(); return [box.width, box.height]})"
    )
    assert len(boxes) > 50
    assert all(width > 2 and height > 5 for width, height in boxes)
    # Fractions have their numerator above their denominator.
    places = browser.evaluate(
        "[...document.querySelectorAll('mfrac')].map(e => "
        "[...e.children].map(part => part.getBoundingClientRect().bottom))"
    )
    assert len(places) >= 5
    assert all(top + 3 < bottom for top, bottom in places)
    text = browser.evaluate("document.querySelector('article').innerText")
    assert "\\" not in text.replace("\\n", "")
