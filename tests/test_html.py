"""What a notebook shows of an estimator: descriptions, and links to our pages."""

import re
from email.message import Message
from importlib.metadata import PackageNotFoundError

import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmlp_backprop
from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    StackedHalvingRandomSearchCV,
    StackedRandomizedSearchCV,
    TabularEncoder,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from skmlp_backprop._estimators import html

MLP = BackpropMLPClassifier(3, max_iter=2)
ESTIMATORS = [
    MLP,
    BackpropMLPRegressor(hidden_layer_sizes=3, max_iter=2),
    StackedGridSearchCV(MLP, {"alpha": [1, 2]}, cv=2),
    StackedRandomizedSearchCV(MLP, {"alpha": [1, 2]}, n_iter=2, cv=2),
    StackedHalvingGridSearchCV(MLP, {"alpha": [1, 2]}, cv=2),
    StackedHalvingRandomSearchCV(MLP, {"alpha": [1, 2]}, cv=2),
    TabularEncoder(min_frequency=2),
    TabularMLPClassifier(2, 3),
    TabularMLPRegressor(2, 3),
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
each_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__
)


def package_naming(monkeypatch, *urls):
    """Let the installed package name these project URLs."""
    message = Message()
    for url in urls:
        message["Project-URL"] = url
    monkeypatch.setattr(html, "metadata", lambda name: message)
    html._documentation_address.cache_clear()


@pytest.fixture(autouse=True)
def forget_the_address():
    yield
    html._documentation_address.cache_clear()


def described(html):
    """Names that have a description."""
    return set(re.findall(r'"param-doc-description"\s+style="[^"]*">\s*(\w+): ', html))


def test_the_estimators_here_are_all_there_are():
    public = [getattr(skmlp_backprop, name) for name in skmlp_backprop.__all__]
    classes = {thing for thing in public if hasattr(thing, "get_params")}
    assert classes == {type(estimator) for estimator in ESTIMATORS}


@each_estimator
@pytest.mark.parametrize("urls", [[], ["Documentation, https://docs.test/"]])
def test_every_parameter_has_a_description(estimator, urls, monkeypatch):
    package_naming(monkeypatch, *urls)
    html = estimator._get_params_html(False, estimator._get_doc_link())._repr_html_
    assert described(html()) == set(estimator.get_params(deep=False))


@each_estimator
def test_every_fitted_attribute_has_a_description(estimator, iris, monkeypatch):
    package_naming(monkeypatch)
    fitted = clone(estimator).fit(*iris)
    html = fitted._get_fitted_attr_html()._repr_html_()
    names = {name for name in vars(fitted) if name.endswith("_") and name[0] != "_"}
    assert described(html) >= names


@each_estimator
def test_without_an_address_there_is_no_link(estimator, monkeypatch):
    package_naming(monkeypatch, "Source, https://source.test/")
    assert estimator._get_doc_link() == ""
    assert "href" not in estimator._repr_html_()


@each_estimator
def test_with_an_address_it_links_to_the_page(estimator, monkeypatch):
    package_naming(monkeypatch, "Documentation, https://docs.test/stable/")
    name = type(estimator).__name__
    page = f"https://docs.test/stable/generated/skmlp_backprop.{name}.html"
    html = make_pipeline(StandardScaler(), estimator)._repr_html_()
    assert f'href="{page}"' in html
    assert f'href="{page}#:~:text=' in html
    assert "about:blank" not in html


def test_a_package_that_is_not_installed_has_no_address(monkeypatch):
    def metadata(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(html, "metadata", metadata)
    html._documentation_address.cache_clear()
    assert MLP._get_doc_link() == ""
