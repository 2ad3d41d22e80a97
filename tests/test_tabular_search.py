"""Searches over tabular models: shared encodings, and halving that continues."""

import numpy as np
import pandas as pd
import pytest
from probes import CtrlC
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

from skmlp_backprop import (
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    StackedHalvingRandomSearchCV,
    StackedRandomizedSearchCV,
    TabularEncoder,
    TabularMLPClassifier,
    TabularMLPRegressor,
)

ignore_ends = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"
)
SMALL = {"n_members": 2, "hidden_layer_sizes": 8, "max_iter": 4, "random_state": 0}
GRID = {"learning_rate_init": [0.003, 0.03], "dropout": [0.0, 0.3]}
SHAPES = {"hidden_layer_sizes": [4, (8, 4)], "n_iter_no_change": [1, 8]}


class Counting(TransformerMixin, BaseEstimator):
    """Changes nothing, and counts its fits."""

    n_fits = 0

    def fit(self, X, y=None):
        Counting.n_fits += 1
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return X


class OwnClassifier(TabularMLPClassifier):
    """A subclass."""


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "size": rng.standard_normal(120),
            "colour": rng.choice(["red", "green", "blue"], 120),
            "shop": rng.choice([f"shop {i}" for i in range(30)], 120),
        }
    )
    y = X["size"] + (X["colour"] == "red") + 0.5 * rng.standard_normal(120)
    return X, np.where(y > 0.3, "high", "low"), y


@pytest.fixture
def n_encoded(monkeypatch):
    """Counts the encodings of training rows."""
    calls, learn = [], TabularEncoder._learn

    def counted(self, columns, *labels):
        calls.append(len(columns[0].values))
        return learn(self, columns, *labels)

    monkeypatch.setattr(TabularEncoder, "_learn", counted)
    return calls


@pytest.fixture
def counted():
    """Counts the epochs of ensembles with these parameters: each has a single batch."""
    counter = CtrlC()
    params = {"batch_size": 1000, "n_iter_no_change": 100}
    return counter, {"activation": counter.activation, **params}


def assert_equal(ours, theirs, X):
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    for name in theirs.cv_results_:
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(
                ours.cv_results_[name], theirs.cv_results_[name]
            )
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_array_equal(
        ours.predict(X), theirs.predict(X), err_msg="of the refit"
    )


@ignore_ends
@pytest.mark.parametrize("grid", [GRID, SHAPES], ids=["rates", "shapes"])
def test_results_are_those_of_grid_search(grid, table, n_encoded):
    X, y, _ = table
    model = TabularMLPClassifier(**SMALL)
    settings = {"cv": 3, "scoring": "neg_log_loss", "return_train_score": True}
    ours = StackedGridSearchCV(model, grid, **settings).fit(X, y)
    # Once a fold, and for the refit.
    assert n_encoded == [80, 80, 80, 120]
    assert_equal(ours, GridSearchCV(model, grid, **settings).fit(X, y), X)
    assert ours.n_stacked_ == 0
    assert sum(ours.n_fits_alone_.values()) == 12


@ignore_ends
def test_parameters_of_the_encoding_are_encoded_apart(table, n_encoded):
    X, _, y = table
    model, grid = TabularMLPRegressor(**SMALL), {"n_bins": [0, 4], **GRID}
    ours = StackedGridSearchCV(model, grid, cv=2).fit(X, y)
    assert n_encoded == [60] * 4 + [120]
    assert_equal(ours, GridSearchCV(model, grid, cv=2).fit(X, y), X)
    # Sequences of the same content are the same encoding.
    del n_encoded[:]
    columns = {"categorical_features": [["colour"], ["colour"]]}
    StackedGridSearchCV(model, columns, cv=2, refit=False).fit(X, y)
    assert len(n_encoded) == 2


@ignore_ends
def test_pipelines(table, n_encoded):
    X, y, _ = table
    model = make_pipeline(Counting(), TabularMLPClassifier(**SMALL))
    grid = {f"tabularmlpclassifier__{name}": v for name, v in GRID.items()}
    Counting.n_fits = 0
    ours = StackedGridSearchCV(model, grid, cv=3).fit(X, y)
    assert Counting.n_fits == len(n_encoded) == 4
    assert_equal(ours, GridSearchCV(model, grid, cv=3).fit(X, y), X)


@ignore_ends
def test_transformed_targets(table, n_encoded):
    X, _, y = table
    model = TransformedTargetRegressor(
        TabularMLPRegressor(**SMALL), func=np.arcsinh, inverse_func=np.sinh
    )
    grid = {f"regressor__{name}": values for name, values in GRID.items()}
    ours = StackedGridSearchCV(model, grid, cv=2).fit(X, y)
    assert len(n_encoded) == 3
    assert_equal(ours, GridSearchCV(model, grid, cv=2).fit(X, y), X)


@ignore_ends
@pytest.mark.filterwarnings("ignore:.* rows of X_val are rows of X")
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_weights_and_validation_rows(in_pipeline, table):
    X, _, y = table
    model, prefix = TabularMLPRegressor(**SMALL), ""
    if in_pipeline:
        prefix = "tabularmlpregressor__"
        model = make_pipeline(Counting(), model)
    params = {"sample_weight": np.arange(120) % 3, "X_val": X[:20], "y_val": y[:20]}
    params = {prefix + name: values for name, values in params.items()}
    grid = {prefix + name: values for name, values in GRID.items()}
    searches = [
        search(model, grid, cv=2).fit(X, y, **params)
        for search in (StackedGridSearchCV, GridSearchCV)
    ]
    assert_equal(*searches, X)
    unweighted = StackedGridSearchCV(model, grid, cv=2).fit(X, y)
    assert unweighted.best_score_ != searches[0].best_score_


@ignore_ends
def test_randomized_search_in_processes(table):
    X, y, _ = table
    model, grid = TabularMLPClassifier(**SMALL), {**GRID, "n_bins": [0, 4]}
    settings = {"n_iter": 5, "cv": 3, "random_state": 0, "n_jobs": 2}
    ours = StackedRandomizedSearchCV(model, grid, **settings).fit(X, y)
    assert_equal(ours, RandomizedSearchCV(model, grid, **settings).fit(X, y), X)


@ignore_ends
def test_verbose_tells_that_the_encoding_is_shared(table, capsys):
    X, y, _ = table
    model = TabularMLPClassifier(**SMALL)
    StackedGridSearchCV(model, GRID, cv=2, verbose=1, refit=False).fit(X, y)
    assert (
        "8 one by one: the networks of a TabularMLPClassifier are a stack by "
        "themselves; its fits on a fold share the encoded table"
    ) in capsys.readouterr().out


@ignore_ends
def test_other_tabular_models_are_fitted_by_themselves(table, n_encoded):
    X, y, _ = table
    search = StackedGridSearchCV(OwnClassifier(**SMALL), GRID, cv=2, refit=False)
    search.fit(X, y)
    assert len(n_encoded) == 8
    assert search.n_fits_alone_ == {
        "OwnClassifier is a subclass, which may define its own fit": 8
    }


@ignore_ends
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_candidate_that_fails_gets_the_error_score(table):
    X, y, _ = table
    model, grid = TabularMLPClassifier(**SMALL), {"dropout": [0.0, (0.1, 0.2), 0.3]}
    settings = {"cv": 2, "refit": False}
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 6"):
        ours = StackedGridSearchCV(model, grid, **settings).fit(X, y)
    assert ours.n_fits_alone_ == {"a fit on the encoded table that it shared failed": 6}
    with pytest.warns(FitFailedWarning):
        theirs = GridSearchCV(model, grid, **settings).fit(X, y)
    np.testing.assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    assert np.isnan(ours.cv_results_["mean_test_score"][1])


@pytest.mark.filterwarnings("ignore:The mean loss after training")
def test_ends_are_warned_of(table):
    X, y, _ = table
    model = TabularMLPClassifier(**SMALL)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(4\)"):
        StackedGridSearchCV(model, GRID, cv=2, refit=False).fit(X, y)


def halving_cases(table, **params):
    X, of_class, y = table
    params = {**SMALL, "max_iter": 12, **params}
    classifier, regressor = (
        TabularMLPClassifier(**params),
        TabularMLPRegressor(**params),
    )
    pipeline = make_pipeline(Counting(), regressor)
    target = TransformedTargetRegressor(regressor)
    return {
        "classifier": (classifier, "", X, of_class),
        "regressor": (regressor, "", X, y),
        "pipeline": (pipeline, "tabularmlpregressor__", X, y),
        "target": (target, "regressor__", X, y),
    }


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", ["classifier", "regressor", "pipeline", "target"])
def test_survivors_of_halving_end_as_their_own_fits(kind, n_jobs, table, counted):
    counter, params = counted
    model, prefix, X, y = halving_cases(table, **params)[kind]
    grid = {prefix + name: values for name, values in GRID.items()}
    # The end of a rung is no failure to converge: warnings would be errors.
    search = StackedHalvingGridSearchCV(
        model, grid, factor=2, cv=2, refit=False, n_jobs=n_jobs
    ).fit(X, y)
    assert search.n_resources_ == [3, 6, 12]
    assert search.n_candidates_ == [4, 2, 1]
    if n_jobs == 1:
        # Two folds; no epoch twice.
        assert counter.n_evaluations == 2 * (4 * 3 + 2 * 3 + 1 * 6)
    results = search.cv_results_
    for i, params in enumerate(results["params"]):
        candidate = clone(model).set_params(**params)
        own = GridSearchCV(candidate, {}, cv=2, return_train_score=True, refit=False)
        with pytest.warns(ConvergenceWarning):
            own.fit(X, y)
        for name in ("split0_test_score", "split1_test_score", "mean_train_score"):
            assert own.cv_results_[name][0] == results[name][i]


def test_pipelines_of_halving_encode_a_fold_once(table, n_encoded):
    model, prefix, X, y = halving_cases(table)["pipeline"]
    grid = {prefix + name: values for name, values in GRID.items()}
    Counting.n_fits = 0
    StackedHalvingGridSearchCV(model, grid, factor=2, cv=2, refit=False).fit(X, y)
    assert Counting.n_fits == len(n_encoded) == 2


def test_what_has_converged_keeps_its_scores(table, counted):
    X, _, y = table
    counter, params = counted
    # An epoch of two batches.
    params |= {
        "batch_size": 32,
        "n_iter_no_change": 1,
        "learning_rate_init": 0.3,
        "max_iter": 80,
    }
    model = TabularMLPRegressor(**{**SMALL, **params})
    search = StackedHalvingGridSearchCV(
        model, {"n_bins": [2, 3, 4]}, min_resources=20, cv=2, refit=False
    ).fit(X, y)
    assert search.n_resources_ == [20, 60]
    assert counter.n_evaluations < 2 * 2 * 3 * 20
    results = search.cv_results_
    best = results["params"].index({**results["params"][-1], "max_iter": 20})
    assert results["mean_test_score"][best] == results["mean_test_score"][-1]
    assert results["mean_fit_time"][-1] == 0


@ignore_ends
def test_halving_with_other_resources_or_models_starts_anew(table, counted):
    X, y, _ = table
    counter, params = counted
    model = TabularMLPClassifier(**SMALL, **params)
    search = StackedHalvingRandomSearchCV(
        model, GRID, n_candidates=4, factor=2, cv=2, refit=False, random_state=0
    )
    search.set_params(resource="n_members", max_resources=4).fit(X, y)
    assert search.n_resources_ == [1, 2, 4]
    assert counter.n_evaluations == 4 * 2 * (4 + 2 + 1)
    counter.press(None)
    own = OwnClassifier(**SMALL, **params)
    search.set_params(estimator=own, resource="max_iter").fit(X, y)
    assert counter.n_evaluations == 2 * (4 * 1 + 2 * 2 + 1 * 4)


def test_halving_without_a_seed(table, counted):
    counter, params = counted
    model, _, X, y = halving_cases(table, random_state=None, **params)["classifier"]
    search = StackedHalvingGridSearchCV(model, GRID, factor=2, cv=2, refit=False)
    search.fit(X, y)
    assert counter.n_evaluations == 2 * (4 * 3 + 2 * 3 + 1 * 6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_candidates_of_other_categories_do_not_share_a_table():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 8, 200)
    y, X = rng.normal(size=8)[code], np.column_stack([code / 2, rng.normal(size=200)])
    model = TabularMLPRegressor(n_members=2, max_iter=4, random_state=0)
    grid = {"categorical_features": [None, [0]]}
    ours, theirs = (
        search(model, grid, cv=2, refit=False).fit(X, y).cv_results_["mean_test_score"]
        for search in (StackedGridSearchCV, GridSearchCV)
    )
    np.testing.assert_allclose(ours, theirs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_scorer_finds_the_names_of_the_columns():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    mlp = BackpropMLPRegressor(hidden_layer_sizes=4, max_iter=2)
    search = StackedGridSearchCV(
        TransformedTargetRegressor(mlp),
        {"regressor__alpha": [0.1, 1]},
        cv=2,
        scoring=lambda model, X, y: len(model.feature_names_in_),
    )
    assert search.fit(X, X["a"]).cv_results_["mean_test_score"].tolist() == [2, 2]
