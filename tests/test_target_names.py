"""The names of the columns of y, which are taken by position."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skmlp_backprop import (
    BackpropMLPRegressor,
    StackedGridSearchCV,
    TabularMLPRegressor,
    fit_stack,
)
from skmlp_backprop.callbacks import EarlyStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NETWORK = BackpropMLPRegressor(
    hidden_layer_sizes=3, max_iter=2, warm_start=True, random_state=0
)
TABULAR = TabularMLPRegressor(2, 3, max_iter=2, warm_start=True, random_state=0)
OTHER_ORDER = r"has the columns \['v', 'u'\], but in `fit` y .* \['u', 'v'\]"


@pytest.fixture
def orders():
    """Rows, and a frame of two columns of y in two orders."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 2))
    Y = pd.DataFrame({"u": X[:, 0], "v": -X[:, 0]})
    return X, Y, Y[["v", "u"]]


@pytest.mark.parametrize(
    ("estimator", "method"),
    [
        (NETWORK, "fit"),
        (NETWORK, "partial_fit"),
        (NETWORK, "score"),
        (NETWORK, "losses"),
        (TABULAR, "fit"),
        (TABULAR, "score"),
        (StackedGridSearchCV(NETWORK, {"alpha": [0.1, 1]}, cv=2), "score"),
    ],
)
def test_columns_of_y_in_another_order(estimator, method, orders):
    """They would be taken by position: other targets than those of the fit."""
    X, Y, reordered = orders
    model = clone(estimator).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=f"^y {OTHER_ORDER}"):
        getattr(model, method)(X, reordered)
    np.testing.assert_array_equal(model.predict(X), before)
    getattr(model, method)(X, Y)
    # By position, as in `fit`, if there are no names or other names.
    getattr(model, method)(X, Y.set_axis(["a", "b"], axis=1))
    getattr(model, method)(X, Y.to_numpy())


def test_a_stack_keeps_the_columns_of_y_of_its_fit(orders):
    X, Y, reordered = orders
    network = clone(NETWORK).set_params(warm_start=False)
    models = [network.fit(X, Y), clone(network).set_params(alpha=1)]
    for model in fit_stack(models, X, reordered):
        model.score(X, reordered)
        with pytest.raises(ValueError, match="y has the columns"):
            model.score(X, Y)


@pytest.mark.callbacks
@pytest.mark.parametrize("scoring", [None, "r2"])
def test_columns_of_a_callback_s_y_in_another_order(scoring, orders):
    X, Y, reordered = orders
    model = clone(NETWORK).set_callbacks(EarlyStopping(X, reordered, scoring=scoring))
    with pytest.raises(ValueError, match=f"^EarlyStopping: y_val {OTHER_ORDER}"):
        model.fit(X, Y)
