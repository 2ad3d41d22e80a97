"""How estimators show in a notebook: links to our documentation, and descriptions."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


class DocumentedHTMLMixin:
    """Mixin for an estimator whose HTML links and describes what our pages document.

    The links go to the address "Documentation" among the project's URLs, where the
    package names one. Without it there are descriptions alone.
    """

    _doc_link_module = "skmlp_backprop"

    @property
    def _doc_link_template(self):
        address = _documentation_address()
        page = "generated/{estimator_module}.{estimator_name}.html"
        return f"{address}/{page}" if address else ""

    def _get_params_html(self, deep=True, doc_link=""):
        table = super()._get_params_html(deep, doc_link or _NOWHERE)
        return table if doc_link else _without_links(table)

    def _get_fitted_attr_html(self, doc_link=""):
        table = super()._get_fitted_attr_html(doc_link or _NOWHERE)
        return table if doc_link else _without_links(table)


# scikit-learn describes only what it can link.
_NOWHERE = "about:blank"
_LINK_NOWHERE = re.compile(rf'rel="noreferrer" target="_blank" href="{_NOWHERE}[^"]*"')


def _without_links(table):
    render = table._html_repr
    table._html_repr = lambda: _LINK_NOWHERE.sub("", render())
    return table


@cache
def _documentation_address():
    """Address of the documentation, as the installed package names it, or ""."""
    try:
        urls = metadata("skmlp-backprop").get_all("Project-URL", [])
    except PackageNotFoundError:
        return ""
    labelled = dict(url.split(", ", 1) for url in urls)
    return labelled.get("Documentation", "").rstrip("/")
