"""The regressor in place of MLPRegressor, and with everything around it."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    check_gradient,
    fit_stack,
)
from skmlp_backprop.callbacks import EarlyStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]
SHARED_SOLVERS = ["lbfgs", "sgd", "adam"]
SMOOTH = ["squared_error", "huber", "poisson", "gamma"]
KINKED = ["absolute_error", "quantile"]
LEVELS = [0.1, 0.5, 0.9]


def make(**params):
    params = {"hidden_layer_sizes": (6,), "random_state": 0, "max_iter": 20, **params}
    return BackpropMLPRegressor(**params)


def pair(**params):
    params = {"hidden_layer_sizes": (8,), "max_iter": 12, "random_state": 1, **params}
    return BackpropMLPRegressor(**params), MLPRegressor(**params)


def assert_alike(ours, theirs, rtol=1e-7, losses=True):
    """The losses of an epoch are weighed by rows there, and by their weights here."""
    for name in ("coefs_", "intercepts_"):
        pairs = zip(getattr(ours, name), getattr(theirs, name), strict=True)
        for one, other in pairs:
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)
    for name in losses * (
        "loss_",
        "best_loss_",
        "best_validation_score_",
        "validation_scores_",
    ):
        # MLPRegressor's L-BFGS has no best loss.
        if getattr(theirs, name, None) is not None:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol)
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name)


# In place of MLPRegressor.


def test_every_parameter_and_default_is_there():
    ours, theirs = BackpropMLPRegressor().get_params(), MLPRegressor().get_params()
    assert {name: ours[name] for name in theirs} == theirs


@pytest.mark.filterwarnings("ignore:early_stopping=True has no effect")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SHARED_SOLVERS)
def test_every_attribute_and_method_is_there(solver, early_stopping, diabetes):
    ours, theirs = pair(solver=solver, early_stopping=early_stopping)
    for mlp in (ours, theirs):
        mlp.fit(*diabetes)
    public = {name for name in dir(theirs) if not name.startswith("_")}
    # Where it could not be called there is none.
    if solver == "lbfgs" or early_stopping:
        public.remove("partial_fit")
        with pytest.raises(AttributeError, match="no attribute 'partial_fit'"):
            ours.partial_fit(*diabetes)
    assert {name for name in public if not hasattr(ours, name)} == set()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("solver", SHARED_SOLVERS)
def test_the_same_weights(solver, loss, weighted, diabetes):
    X, y = diabetes
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    ours, theirs = pair(solver=solver, loss=loss, alpha=0.1)
    ours.fit(X, y, weight)
    theirs.fit(X, y, weight)
    assert_alike(ours, theirs, losses=not weighted or solver == "lbfgs")
    predicted = ours.predict(X)
    assert predicted.shape == y.shape
    np.testing.assert_allclose(predicted, theirs.predict(X), rtol=1e-6)
    np.testing.assert_allclose(ours.score(X, y), theirs.score(X, y), rtol=1e-6)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_several_outputs(solver, diabetes):
    """Of which MLPRegressor's loss is a mean, and its gradient that of the sum."""
    X, y = diabetes
    Y = np.column_stack([y, y**2, -y])
    ours, theirs = pair(solver=solver, tol=0)
    assert ours.fit(X, Y).predict(X).shape == Y.shape
    theirs.fit(X, Y)
    for one, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)
    check = check_gradient(ours, X[:20], Y[:20])
    assert check.passed, check
    assert check.relative_difference < 1e-7


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_early_stopping_is_by_r2(solver, diabetes):
    X, y = diabetes
    ours, theirs = pair(solver=solver, early_stopping=True, max_iter=30)
    assert_alike(ours.fit(X, y), theirs.fit(X, y))
    assert len(ours.validation_scores_) == ours.n_iter_


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit_and_warm_start(solver, diabetes):
    X, y = diabetes
    ours, theirs = pair(solver=solver, warm_start=True, max_iter=3)
    for mlp in (ours, theirs):
        for start in range(0, 400, 100):
            mlp.partial_fit(X[start : start + 100], y[start : start + 100])
    for one, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)
    goes_on = pickle.loads(pickle.dumps(ours)).partial_fit(X, y)
    ours.partial_fit(X, y)
    np.testing.assert_array_equal(goes_on.coefs_[0], ours.coefs_[0])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("make_sparse", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_is_dense(make_sparse, solver, diabetes):
    X, y = diabetes
    X = np.where(np.abs(X) > 0.8, X, 0)
    dense, other = make(solver=solver, max_iter=3), make(solver=solver, max_iter=3)
    dense.fit(X, y)
    other.fit(make_sparse(X), y)
    # The differences of gradients in TNC amplify those of rounding.
    rtol = 1e-5 if solver == "tnc" else 1e-6
    np.testing.assert_allclose(other.coefs_[0], dense.coefs_[0], rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32_stays(solver, diabetes):
    X, y = diabetes
    mlp = make(solver=solver).fit(X.astype(np.float32), y)
    assert mlp.coefs_[0].dtype == np.float32
    assert mlp.predict(X.astype(np.float32)).dtype == np.float32
    assert r2_score(make(solver=solver).fit(X, y).predict(X), mlp.predict(X)) > 0.9


def messages(mlp, call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(mlp)
        except Exception as error:
            return [str(error).replace("Backprop", "")]
    return [str(w.message) for w in caught if w.category is not ConvergenceWarning]


RNG = np.random.default_rng(0)
X5, Y5 = RNG.standard_normal((40, 5)), RNG.standard_normal(40)


@pytest.mark.parametrize(
    ("params", "call"),
    [
        ({"hidden_layer_sizes": (5, 0)}, lambda m: m.fit(X5, Y5)),
        ({"batch_size": 1000}, lambda m: m.fit(X5, Y5)),
        ({}, lambda m: m.fit(X5, Y5).predict(X5[:, :2])),
        ({}, lambda m: m.fit(X5, Y5[:, np.newaxis])),
        ({}, lambda m: m.fit(X5, Y5 * np.inf)),
        ({"alpha": -1}, lambda m: m.fit(X5, Y5)),
        ({}, lambda m: m.predict(X5)),
    ],
)
def test_errors_and_warnings_in_its_words(params, call):
    ours, theirs = pair(**params)
    said = messages(ours, call)
    assert said
    assert said == messages(theirs, call)


def test_to_and_from_scikit_learn(diabetes):
    X, y = diabetes
    for loss, Y in (("squared_error", np.column_stack([y, -y])), ("poisson", y)):
        ours, theirs = pair(loss=loss, warm_start=True)
        theirs.fit(X, Y)
        there = BackpropMLPRegressor.from_sklearn(theirs)
        np.testing.assert_allclose(there.predict(X), theirs.predict(X), rtol=1e-12)
        back = ours.fit(X, Y).to_sklearn()
        np.testing.assert_allclose(back.predict(X), ours.predict(X), rtol=1e-12)
        assert back.fit(X, Y).n_iter_ > 0
    quantiles = make(loss="quantile", quantile=[0.2, 0.8]).fit(X, y)
    with pytest.raises(ValueError, match="MLPRegressor cannot express: several quan"):
        quantiles.to_sklearn()
    classifier = MLPClassifier(max_iter=2).fit(X, y > 1)
    with pytest.raises(TypeError, match="takes a MLPRegressor, got MLPClassifier"):
        BackpropMLPRegressor.from_sklearn(classifier)
    with pytest.raises(TypeError, match="takes a MLPClassifier, got MLPRegressor"):
        BackpropMLPClassifier.from_sklearn(theirs)


# With everything around it.


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("loss", [*SMOOTH, *KINKED])
def test_a_stack_trains_each_as_its_own_fit(loss, solver, diabetes):
    X, y = diabetes
    mlps = [
        make(loss=loss, solver=solver, alpha=alpha, learning_rate_init=rate, max_iter=5)
        for alpha in (0, 1)
        for rate in (0.001, 0.01)
    ]
    own = [clone(mlp).fit(X, y) for mlp in mlps]
    for stacked, alone in zip(fit_stack(mlps, X, y), own, strict=True):
        np.testing.assert_allclose(stacked.coefs_[0], alone.coefs_[0], rtol=1e-9)
        np.testing.assert_allclose(stacked.loss_curve_, alone.loss_curve_, rtol=1e-9)


def test_a_stack_of_both_kinds_is_refused(diabetes):
    with pytest.raises(TypeError, match="classifiers or regressors, got both"):
        fit_stack([make(), BackpropMLPClassifier()], *diabetes)


def test_a_search_finds_what_grid_search_finds(diabetes):
    model = make_pipeline(StandardScaler(), make(solver="adam", max_iter=4))
    grid = {
        "backpropmlpregressor__alpha": [0.01, 1],
        "backpropmlpregressor__loss": ["squared_error", "huber"],
    }
    ours = StackedGridSearchCV(model, grid, cv=3).fit(*diabetes)
    theirs = GridSearchCV(model, grid, cv=3).fit(*diabetes)
    assert ours.n_stacked_ == 12
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name])


def test_weights_are_repetitions(diabetes):
    X, y = diabetes[0][:40], diabetes[1][:40]
    weight = np.arange(40) % 3
    weighted = make(solver="lbfgs", max_iter=5).fit(X, y, weight)
    repeated = make(solver="lbfgs", max_iter=5).fit(
        X.repeat(weight, axis=0), y.repeat(weight)
    )
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-9)


@pytest.mark.callbacks
@pytest.mark.parametrize("solver", SOLVERS)
def test_validation_set_of_ones_own(solver, diabetes):
    X_train, X_val, y_train, y_val = train_test_split(*diabetes, random_state=0)
    stopping = EarlyStopping(X_val, y_val, patience=3)
    mlp = make(solver=solver, max_iter=30).set_callbacks(stopping)
    mlp.fit(X_train, y_train)
    assert mlp.score(X_val, y_val) == pytest.approx(max(stopping.scores_))


def test_from_weights(diabetes):
    X, y = diabetes
    for params in ({}, {"loss": "poisson"}, {"loss": "quantile", "quantile": LEVELS}):
        mlp = make(**params, solver="adam").fit(X, y)
        again = BackpropMLPRegressor.from_weights(mlp.coefs_, mlp.intercepts_, **params)
        np.testing.assert_array_equal(again.predict(X), mlp.predict(X))
    two = BackpropMLPRegressor.from_weights([np.eye(2)], [[1, 2]])
    np.testing.assert_array_equal(two.predict([[1, 1]]), [[2, 3]])


def test_scores_are_of_the_fitted_quantiles(diabetes):
    X, y = diabetes
    quantiles = make(loss="quantile", quantile=LEVELS).fit(X, y)
    mean = make().fit(X, y)
    for mlp, params in (
        (quantiles, {"quantile": [0.01, 0.5, 0.99]}),
        (quantiles, {"quantile": 0.9}),
        (quantiles, {"loss": "squared_error"}),
        (mean, {"loss": "quantile", "quantile": LEVELS}),
    ):
        expected = mlp.score(X, y)
        assert mlp.set_params(**params).score(X, y) == expected
    with pytest.raises(NotFittedError):
        make(loss="quantile", quantile=LEVELS).score(X, y)


@pytest.mark.parametrize(
    "params", [{}, {"loss": "gamma"}, {"loss": "quantile", "quantile": LEVELS}]
)
def test_pickles(params, diabetes):
    X, y = diabetes
    mlp = make(solver="adam", **params).fit(X, y)
    again = pickle.loads(pickle.dumps(mlp))
    np.testing.assert_array_equal(again.predict(X), mlp.predict(X))
    assert again.partial_fit(X, y).loss_ == mlp.partial_fit(X, y).loss_


def test_rows_without_weight_do_not_make_y_vary():
    X = np.random.default_rng(0).standard_normal((60, 3))
    y, weights = np.full(60, 2.0), np.ones(60)
    y[:3], weights[:3] = 500, 0
    params = {"solver": "lbfgs", "max_iter": 500, "random_state": 0}
    mlp = BackpropMLPRegressor(hidden_layer_sizes=5, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlp.fit(X, y, weights)


def test_an_index_that_repeats_itself_in_another_order_is_said():
    shops = ["a", "b", "c"] * 10
    X = pd.DataFrame({"x": np.arange(30.0)}, index=shops)
    y = X["x"].sort_index()
    model = BackpropMLPRegressor(max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match="in another order.* rows with a unique index"):
        model.fit(X, y)


@pytest.mark.parametrize(
    "method", ["fit", "partial_fit", "initialize", "loss_and_gradient", "losses"]
)
def test_every_method_says_that_rows_are_in_another_order(method):
    X = pd.DataFrame({"x": np.arange(30.0)})
    rows = {"y": X["x"] / 30, "sample_weight": X["x"] + 1}
    if method == "losses":
        del rows["sample_weight"]
    model = BackpropMLPRegressor(max_iter=2, random_state=0).fit(X, rows["y"])
    for given in rows:
        with pytest.warns(UserWarning, match=f"{given} has the same index as X, but"):
            getattr(model, method)(X, **{**rows, given: rows[given][::-1]})


def test_given_weights_of_several_quantiles_are_of_a_single_column_of_y():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    params = {"loss": "quantile", "quantile": [0.1, 0.5, 0.9], "max_iter": 2}
    fitted = BackpropMLPRegressor(random_state=0, **params).fit(X, y)
    model = BackpropMLPRegressor.from_weights(
        fitted.coefs_, fitted.intercepts_, warm_start=True, **params
    )
    np.testing.assert_allclose(model.predict(X), fitted.predict(X))
    assert model.score(X, y) == pytest.approx(fitted.score(X, y))
    assert model.fit(X, y).predict(X).shape == (50, 3)
