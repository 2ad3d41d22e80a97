"""Sphinx's settings. Build with ``python -m sphinx -W doc doc/_build``."""

import importlib
import inspect
import warnings

import skmlp_backprop

project = "skmlp-backprop"
author = "the skmlp-backprop developers"
copyright = "the skmlp-backprop developers"
version = release = skmlp_backprop.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/*.ipynb", "sg_execution_times.rst"]
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

html_theme = "furo"
html_title = "skmlp-backprop"
html_static_path = ["_static"]
html_css_files = ["front_page.css", "wide_tables.css"]
html_show_copyright = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 0,
    "remove_config_comments": True,
    # The output of a display is its figure.
    "ignore_repr_types": r"skmlp_backprop\.displays",
}

# What an example warns of would stand in its page.
warnings.filterwarnings("error", category=DeprecationWarning, module="skmlp_backprop")
