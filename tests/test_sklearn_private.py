"""scikit-learn's private names: used through one place, all named there, all there."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPClassifier
from test_imports import imported

import skmlp_backprop

PACKAGE = Path(skmlp_backprop.__file__).parent
GATHERED = ["_estimators.sklearn_private", "_search.sklearn_private"]
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in PACKAGE.rglob("*.py")
}


def dotted(path):
    return path.removesuffix(".py").replace("/", ".")


def gathered(name):
    return importlib.import_module(f"skmlp_backprop.{name}")


def private_imports(tree):
    """What a module imports from scikit-learn that has an underscore in front."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            first, *rest = name.split(".")
            if first == "sklearn" and any(part.startswith("_") for part in rest):
                yield name


def foreign_members(tree):
    """Private attributes, accessed or named in a string, that we do not define."""
    f_strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    pieces = {id(piece) for f_string in f_strings for piece in f_string.values}
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Attribute):
            name = node.attr
        elif id(node) in pieces:
            continue
        elif isinstance(node, ast.Constant) and str(node.value).isidentifier():
            name = node.value
        if isinstance(name, str) and name.startswith("_") and not name.endswith("__"):
            yield name


def defined(tree):
    """Names that a module defines, be it as attributes of objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Dict):
            yield from (k.value for k in node.keys if isinstance(k, ast.Constant))


def test_they_are_imported_in_one_place():
    for name, tree in TREES.items():
        found = list(private_imports(tree))
        assert bool(found) == (dotted(name) in GATHERED), (name, found)


@pytest.mark.parametrize("name", GATHERED)
def test_each_import_is_used_and_told_of(name):
    module = gathered(name)
    prefix = f"skmlp_backprop.{name}."
    used = {
        imported_name.removeprefix(prefix)
        for path in TREES
        for imported_name in imported(Path(path))
        if imported_name.startswith(prefix)
    }
    assert used == set(module.__all__)
    for private in module.__all__:
        assert f"`{private}`" in module.__doc__


def test_each_member_is_told_of():
    ours = {name for tree in TREES.values() for name in defined(tree)}
    # Set by us on objects of scikit-learn's, which so are its names.
    ours -= {"_checked_cv_orig", "_label_binarizer", "_no_improvement_count"}
    ours -= {"_best_coefs", "_best_intercepts", "_parameter_constraints"}
    told = "".join(gathered(name).__doc__ for name in GATHERED)
    gathered_names = {n for module in GATHERED for n in gathered(module).__all__}
    foreign = {
        name
        for path, tree in TREES.items()
        if dotted(path) not in GATHERED
        for name in foreign_members(tree)
    }
    unnamed = {n for n in foreign - ours - gathered_names if f"`{n}`" not in told}
    assert not unnamed


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
@pytest.mark.parametrize(
    "member",
    [
        "_get_scorers",
        "_get_routed_params_for_fit",
        "_run_search",
        "_format_results",
        "_check_refit_for_multimetric",
        "_select_best_index",
    ],
)
def test_the_searches_have_what_ours_inherit(search, member):
    assert callable(getattr(search, member))


def test_objects_have_what_we_read(iris):
    assert callable(BaseEstimator._validate_params)
    mlp = MLPClassifier(5, max_iter=500, early_stopping=True, random_state=0).fit(*iris)
    assert not hasattr(mlp, "_skl_callbacks")
    assert mlp._label_binarizer.y_type_ == "multiclass"
    assert mlp._label_binarizer.sparse_input_ is False
    assert mlp._no_improvement_count > 0
    assert mlp._best_coefs[0].shape == mlp.coefs_[0].shape
    assert mlp._best_intercepts[0].shape == mlp.intercepts_[0].shape
    several = check_scoring(mlp, scoring=["accuracy", "f1_macro"])
    assert several._scorers.keys() == {"accuracy", "f1_macro"}


@pytest.mark.callbacks
def test_callbacks_have_what_we_use():
    from sklearn.callback import CallbackSupportMixin

    assert callable(CallbackSupportMixin._init_callback_context)


def test_the_import_takes_what_it_needs_alone():
    code = (
        "import sys, sklearn.neural_network\n"
        "before = {name.split('.')[0] for name in sys.modules}\n"
        "import skmlp_backprop\n"
        "after = {name.split('.')[0] for name in sys.modules}\n"
        "allowed = {'skmlp_backprop', 'narwhals', *sys.stdlib_module_names}\n"
        "assert after - before <= allowed, after - before\n"
        "late = 'skmlp_backprop._tabular', 'skmlp_backprop._search.searches'\n"
        "assert not set(late) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_who_only_predicts_does_not_import_what_the_searches_need():
    code = (
        "import sys, skmlp_backprop\n"
        "name = 'skmlp_backprop._search.sklearn_private'\n"
        "assert name not in sys.modules\n"
        "skmlp_backprop.StackedGridSearchCV\n"
        "assert name in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
