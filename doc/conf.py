"""Sphinx's settings. Build with ``python -m sphinx -W doc doc/_build``."""

import importlib
import inspect
import warnings

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

import skmlp_backprop

project = "skmlp-backprop"
author = "the skmlp-backprop developers"
copyright = "the skmlp-backprop developers"
version = release = skmlp_backprop.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/*.ipynb"]
nitpicky = False
# The docstrings of properties that are scikit-learn's refer to its glossary.
suppress_warnings = ["ref.term"]


def own_methods():
    """The public methods of each class that the package itself defines."""
    names = {}
    for module in ("", ".callbacks", ".dask", ".displays", ".extending"):
        module = importlib.import_module(f"skmlp_backprop{module}")
        for name in module.__all__:
            member = getattr(module, name)
            if inspect.isclass(member):
                names[f"{module.__name__}.{name}"] = [
                    method
                    for method, function in inspect.getmembers(member, callable)
                    if method[0] != "_"
                    and getattr(function, "__module__", "").startswith("skmlp_backprop")
                    and inspect.getdoc(function)
                ]
    return names


autosummary_generate = True
# Each method has a page, so that the page of a class is short. The methods that are
# inherited from scikit-learn are described there.
autosummary_context = {"own_methods": own_methods()}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Browsers show MathML without JavaScript and without a network.
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "skmlp-backprop"
html_static_path = ["_static"]
html_css_files = ["front_page.css", "wide_tables.css", "formulas.css"]
html_show_copyright = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    # Its page loads scripts from the network.
    "write_computation_times": False,
    "remove_config_comments": True,
    # The output of a display is its figure.
    "ignore_repr_types": r"skmlp_backprop\.displays",
}

# What an example warns of would stand in its page.
warnings.filterwarnings("error", category=DeprecationWarning, module="skmlp_backprop")


def setup(app):
    """Register the writer of formulas."""
    app.add_html_math_renderer("mathml", (_write_math, None), (_write_math_block, None))


def _write_math(translator, node):
    translator.body.append(tex2mathml(node.astext()))
    raise SkipNode


def _write_math_block(translator, node):
    mathml = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math">{mathml}</div>')
    raise SkipNode
