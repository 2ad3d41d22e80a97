"""Imports run down: from searches and tables over the estimators to the arithmetic."""

import ast
import sys
from pathlib import Path

import pytest

import skmlp_backprop

PACKAGE = Path(skmlp_backprop.__file__).parent
# Each floor's folders, from the lowest up. Those of one floor do without each other;
# what is beside the floors may import anything.
FLOORS = [
    ["_network"],
    ["_solvers"],
    ["_torch"],
    ["_estimators"],
    ["_tabular", "_distributed"],
    ["_search"],
]
FOLDERS = [folder for floor in FLOORS for folder in floor]
OUTSIDE_OF_NETWORK = {"numpy", "scipy", "joblib", "threadpoolctl"}
MODULES = sorted(
    path.relative_to(PACKAGE)
    for folder in FOLDERS
    for path in (PACKAGE / folder).rglob("*.py")
)


def imported(path):
    """Names of the modules, absolute, that a module imports anywhere in it."""
    package = ["skmlp_backprop", *path.parent.parts]
    for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            above = package[: len(package) - node.level + 1]
            parts = [*above, *(node.module or "").split(".")]
            for alias in node.names:
                yield ".".join(part for part in [*parts, alias.name] if part)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_import_runs_up(path):
    own = path.parts[0]
    (height,) = (i for i, floor in enumerate(FLOORS) if own in floor)
    below = {folder for floor in FLOORS[:height] for folder in floor}
    ours = [name.split(".")[1] for name in imported(path) if "skmlp_backprop" in name]
    # The package's own number is no module.
    assert set(ours) <= below | {own, "__version__"}


def test_the_arithmetic_does_without_scikit_learn():
    modules = [path for path in MODULES if path.parts[0] == "_network"]
    assert len(modules) > 10
    for path in modules:
        others = {name.split(".")[0] for name in imported(path)} - {"skmlp_backprop"}
        assert others - OUTSIDE_OF_NETWORK <= sys.stdlib_module_names


def test_pytorch_is_imported_in_one_folder_alone():
    """And this folder where a device is chosen, when it is."""
    paths = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    users = {path for path in paths for name in imported(path) if "torch" in name}
    outside = {path for path in users if path.parts[0] != "_torch"}
    assert outside == {Path("_estimators/devices.py")}
    tree = ast.parse((PACKAGE / "_estimators/devices.py").read_text(encoding="utf-8"))
    at_once = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert at_once
    assert not any("torch" in module for module in at_once)


def test_every_folder_says_what_lives_there():
    for folder in FOLDERS:
        tree = ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8"))
        assert "Imports" in ast.get_docstring(tree)
