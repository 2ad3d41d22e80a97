"""The Python code of the README and of the guide runs.

Save for the page about clusters and the code for mlflow, which need more: test_dask and
test_mlflow have such code.
"""

import re
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline

import skmlp_backprop
from skmlp_backprop import displays

ROOT = Path(__file__).parents[1]
ELSEWHERE = {"cluster.rst", "tools.rst"}
PAGES = [
    path
    for path in (
        ROOT / "README.md",
        ROOT / "doc" / "index.rst",
        *sorted((ROOT / "doc" / "guide").glob("*.rst")),
    )
    if path.name not in ELSEWHERE
]
IN_MARKDOWN = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_RST = re.compile(
    r"^( *)\.\. code-block:: python\n\n((?:\1 +.*\n|\s*\n)+)", re.MULTILINE
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive"),
]


def blocks(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return IN_MARKDOWN.findall(text)
    return [textwrap.dedent(block) for _, block in IN_RST.findall(text)]


@pytest.fixture
def names():
    """What blocks use without making it: data, estimators, and what users import."""
    X, y = load_iris(return_X_y=True)
    df = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    everything = {
        name: getattr(skmlp_backprop, name) for name in skmlp_backprop.__all__
    }
    return {
        **everything,
        **{name: getattr(displays, name) for name in displays.__all__},
        "make_pipeline": make_pipeline,
        "X": X,
        "y": y,
        "df": df,
        "new_df": df[:5],
        "mlp": skmlp_backprop.BackpropMLPClassifier(8, random_state=0),
        "grid": {"alpha": [0.1, 1, 10]},
    }


def test_there_are_blocks():
    found = {path.name: len(blocks(path)) for path in PAGES}
    assert found["README.md"] >= 3
    assert found["index.rst"] >= 4
    assert found["tables.rst"] >= 2


def test_the_blocks_of_tools_need_no_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, names = ROOT / "doc" / "guide" / "tools.rst", {}
    # test_mlflow runs the one that needs mlflow, which logs all later fits.
    for block in (b for b in blocks(path) if "mlflow" not in b):
        exec(compile(block, path.name, "exec"), names)
    assert names["labels"].tolist() == ["rose"]
    assert names["model"].score(names["X"], names["y"]) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_blocks_run(path, names, tmp_path, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot", reason="blocks draw by matplotlib")
    if any("skmlp_backprop.callbacks" in block for block in blocks(path)):
        pytest.importorskip(
            "sklearn.callback", reason="scikit-learn before 1.9 has no callbacks"
        )
    monkeypatch.chdir(tmp_path)
    names["plt"] = plt
    for number, block in enumerate(blocks(path)):
        exec(compile(block, f"{path.name}, block {number}", "exec"), names)
    plt.close("all")
