"""Imports run down: from the searches over the estimators to the arithmetic."""

import ast
import sys
from pathlib import Path

import pytest

import skmlp_backprop

PACKAGE = Path(skmlp_backprop.__file__).parent
# Each floor, from the lowest up. What is beside them may import anything.
FLOORS = ["_network", "_solvers", "_estimators", "_distributed", "_search"]
OUTSIDE_OF_NETWORK = {"numpy", "scipy", "joblib", "threadpoolctl"}
MODULES = sorted(
    path.relative_to(PACKAGE)
    for floor in FLOORS
    for path in (PACKAGE / floor).rglob("*.py")
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
    height = FLOORS.index(path.parts[0])
    ours = [name.split(".")[1] for name in imported(path) if "skmlp_backprop" in name]
    assert set(ours) <= set(FLOORS[: height + 1])


def test_the_arithmetic_does_without_scikit_learn():
    modules = [path for path in MODULES if path.parts[0] == "_network"]
    assert len(modules) > 10
    for path in modules:
        others = {name.split(".")[0] for name in imported(path)} - {"skmlp_backprop"}
        assert others - OUTSIDE_OF_NETWORK <= sys.stdlib_module_names


def test_every_folder_says_what_lives_there():
    for floor in FLOORS:
        tree = ast.parse((PACKAGE / floor / "__init__.py").read_text(encoding="utf-8"))
        assert "Imports" in ast.get_docstring(tree)
