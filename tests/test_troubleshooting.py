"""The page about troubleshooting quotes messages as the package has them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "doc" / "guide" / "troubleshooting.rst"
# A cell of the first column: up to the next cell.
FIRST_CELL = re.compile(r"^   \* - (.*?)^     - ", re.MULTILINE | re.DOTALL)
# The user's values, and the quotation marks of reStructuredText.
GAP = re.compile(r"\.\.\.|``")
OF_SCIKIT_LEARN = (
    "The feature names should match",
    "Trying to unpickle estimator",
    "X has ... features",
    "Unknown label type",
)


def quotes():
    cells = FIRST_CELL.findall(PAGE.read_text(encoding="utf-8"))
    found = [quote for cell in cells for quote in re.findall(r'"([^"]+)"', cell)]
    found = [" ".join(quote.split()) for quote in found]
    return [q for q in found if " " in q and not q.startswith(OF_SCIKIT_LEARN)]


@pytest.fixture(scope="module")
def messages():
    """All texts of the package, with a gap for each value in them."""
    texts = []
    for path in (ROOT / "skmlp_backprop").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [getattr(part, "value", "") for part in node.values]
                texts.append("\0".join(p if isinstance(p, str) else "" for p in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return " ".join("\n".join(texts).replace("`", "").split())


def test_there_are_quotes():
    assert len(quotes()) > 40


@pytest.mark.parametrize("quote", quotes())
def test_a_quoted_message_is_in_the_package(quote, messages):
    pieces = [piece.strip(" .,:;") for piece in GAP.split(quote)]
    pieces = [piece for piece in pieces if len(piece) > 3]
    assert pieces
    assert [piece for piece in pieces if piece not in messages] == []
