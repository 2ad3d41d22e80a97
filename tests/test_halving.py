"""The stacked halving searches: survivors go on, and end as their own fits would."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier
from sklearn.callback import ProgressBar
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    ShuffleSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedHalvingGridSearchCV,
    StackedHalvingRandomSearchCV,
)
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._search import rungs, stacking
from skmlp_backprop._solvers.in_training import NetworkInTraining

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TIMES = ("fit_time", "score_time")
ALPHAS = [1e-4, 0.1, 1.0, 10.0]
RATES = [0.003, 0.01, 0.03, 0.1]
# Rungs of 3, 6 and 12 epochs with 4, 2 and 1 of four candidates.
HALVING = {"factor": 2, "cv": 2, "scoring": "neg_log_loss"}


def make(**params):
    params = {"hidden_layer_sizes": 6, "max_iter": 12, "batch_size": 20, **params}
    params = {"activation": "tanh", "tol": 0, "n_iter_no_change": 1000, **params}
    return BackpropMLPClassifier(**{"random_state": 0, **params})


def make_regressor(**params):
    params = {"hidden_layer_sizes": 6, "max_iter": 12, "batch_size": 50, **params}
    return BackpropMLPRegressor(random_state=0, tol=0, **params)


def halve(estimator, grid, X, y, fit_params=None, **params):
    search = StackedHalvingGridSearchCV(estimator, grid, **{**HALVING, **params})
    return search.fit(X, y, **fit_params or {})


def own_fits_of(search, params, X, y, fit_params):
    """The results of GridSearchCV over candidates as they are."""
    return (
        GridSearchCV(
            search.estimator,
            [{name: [value] for name, value in one.items()} for one in params],
            cv=search.cv,
            scoring=search.scoring,
            return_train_score=True,
            refit=False,
        )
        .fit(X, y, **fit_params or {})
        .cv_results_
    )


def assert_survivors_equal_own_fits(search, X, y, fit_params=None, atol=1e-10):
    results = search.cv_results_
    own = own_fits_of(search, results["params"], X, y, fit_params)
    compared = [key for key in own if key.startswith(("split", "mean_t", "std_t"))]
    assert any("train" in key for key in compared)
    for key in compared:
        np.testing.assert_allclose(
            results[key], own[key], rtol=1e-8, atol=atol, err_msg=key
        )


def assert_same_search(ours, theirs, atol=1e-10):
    """As scikit-learn's: the results and all that is told of the rungs."""
    ours_results, results = ours.cv_results_, theirs.cv_results_
    assert list(ours_results) == list(results)
    for key, values in results.items():
        if key == "params":
            assert list(ours_results[key]) == list(values)
        elif key.startswith("param_"):
            np.testing.assert_array_equal(ours_results[key], values)
        elif key.endswith(TIMES):
            assert ours_results[key].shape == values.shape
            assert (ours_results[key] >= 0).all()
        else:
            np.testing.assert_allclose(
                ours_results[key], values, rtol=1e-8, atol=atol, err_msg=key
            )
    told = {
        name
        for name in vars(theirs)
        if name.endswith("_") and name not in ("cv_results_", "refit_time_")
    }
    assert {f"n_{x}_" for x in ("candidates", "resources", "iterations")} <= told
    for name in told - {"best_estimator_", "scorer_", "best_score_"}:
        assert getattr(ours, name) == getattr(theirs, name), name
    np.testing.assert_allclose(ours.best_score_, theirs.best_score_, atol=atol)
    own = {"n_stacked_", "n_fits_alone_"}
    fitted = {name for name in vars(ours) if name.endswith("_")}
    assert fitted == {name for name in vars(theirs) if name.endswith("_")} | own


# Survivors go on exactly.


@pytest.mark.parametrize(
    ("params", "grid"),
    [
        ({"solver": "sgd"}, {"learning_rate_init": RATES}),
        (
            {"solver": "sgd", "nesterovs_momentum": False},
            {"momentum": [0, 0.5, 0.9, 1.0]},
        ),
        (
            {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 2},
            {"learning_rate_init": [0.003, 0.1, 0.3, 1.0], "tol": [1e-2]},
        ),
        (
            {"solver": "sgd", "learning_rate": "invscaling"},
            {"power_t": [0.1, 0.2, 0.3, 0.5]},
        ),
        ({"solver": "adam"}, {"learning_rate_init": RATES}),
        (
            {"solver": "adam", "shuffle": False},
            {"beta_1": [0.8, 0.9], "beta_2": [0.9, 0.999]},
        ),
        (
            {"early_stopping": True, "n_iter_no_change": 3, "tol": 1e-3},
            {"learning_rate_init": RATES},
        ),
        ({"dropout": 0.3}, {"learning_rate_init": RATES}),
        ({"random_state": None, "weight_init": 0.0}, {"alpha": ALPHAS}),
        ({}, {"random_state": [0, 1], "learning_rate_init": [0.01, 0.1]}),
        (
            {"early_stopping": True},
            {"random_state": [0, 1], "learning_rate_init": [0.01, 0.1]},
        ),
        ({"class_weight": {0: 1, 1: 3, 2: 0.5}}, {"alpha": ALPHAS}),
        ({"class_weight": "balanced"}, {"random_state": [0, 1], "alpha": [0.1, 1]}),
        ({"learning_rate": "cosine"}, {"learning_rate_init": RATES}),
        (
            {},
            {
                "learning_rate": ["cosine", "constant"],
                "learning_rate_init": [0.01, 0.1],
            },
        ),
        ({}, {"hidden_layer_sizes": [4, (6,), (5, 3)], "alpha": [0.1, 1]}),
        ({}, {"solver": ["sgd", "adam"], "learning_rate_init": [0.01, 0.1]}),
        ({}, [{"alpha": [0.1, 1]}, {"weight_init": [0.1, 1.0]}]),
    ],
    ids=str,
)
def test_survivors_equal_own_fits(iris, params, grid):
    if params.get("random_state", 0) is None:
        # Nothing is drawn: weights of 0, and rows in their order.
        params = {**params, "shuffle": False}
    search = halve(make(**params), grid, *iris)
    assert len(search.n_candidates_) == 3
    assert_survivors_equal_own_fits(search, *iris)


def test_survivors_of_float32(digits):
    X, y = digits[0][:200].astype(np.float32), digits[1][:200]
    search = halve(make(), {"learning_rate_init": RATES}, X, y)
    assert_survivors_equal_own_fits(search, X, y, atol=1e-4)
    assert search.best_estimator_.coefs_[0].dtype == np.float32


@pytest.mark.parametrize("grid", [{"alpha": ALPHAS}, {"random_state": [0, 1, 2, 3]}])
def test_survivors_with_sample_weight(iris, grid):
    weight = np.random.default_rng(0).integers(0, 4, 150).astype(float)
    fit_params = {"sample_weight": weight}
    search = halve(make(), grid, *iris, fit_params)
    assert_survivors_equal_own_fits(search, *iris, fit_params)
    plain = halve(make(), grid, *iris)
    assert plain.best_score_ != search.best_score_


def test_survivors_with_routed_weights(iris):
    fit_params = {"sample_weight": np.arange(1.0, 151.0)}
    with config_context(enable_metadata_routing=True):
        mlp = make().set_fit_request(sample_weight=True)
        mlp.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = Pipeline([("scale", scaler), ("mlp", mlp)])
        search = halve(pipeline, {"mlp__alpha": ALPHAS}, *iris, fit_params)
        assert_survivors_equal_own_fits(search, *iris, fit_params)


@pytest.mark.parametrize("grid", [{"alpha": ALPHAS}, {"random_state": [0, 1, 2, 3]}])
def test_survivors_of_sparse_rows(digits, grid):
    X, y = sp.csr_array(np.maximum(digits[0][:200], 0)), digits[1][:200]
    assert_survivors_equal_own_fits(halve(make(), grid, X, y), X, y)


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"dropout": 0.2}])
def test_surviving_regressors(diabetes, params):
    search = halve(
        make_regressor(**params), {"alpha": ALPHAS}, *diabetes, scoring="r2"
    )
    assert_survivors_equal_own_fits(search, *diabetes)


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_full_batch_solvers_go_on(iris, solver, monkeypatch):
    """From their weights: these are as good as those of an own fit, or nearly."""
    mlp = make(solver=solver, max_iter=40, tol=1e-5)
    grid = {"alpha": ALPHAS}
    evaluations = Counter(monkeypatch, Objective, "loss_and_gradient")
    search = halve(mlp, grid, *iris, refit=False)
    n_with_going_on = evaluations.n
    results = search.cv_results_
    own = own_fits_of(search, results["params"], *iris, None)
    assert n_with_going_on < evaluations.n - n_with_going_on
    first = results["iter"] == 0
    np.testing.assert_allclose(
        results["mean_test_score"][first], own["mean_test_score"][first]
    )
    np.testing.assert_allclose(
        results["mean_train_score"], own["mean_train_score"], atol=0.1
    )
    # Further trained they fit better, but for the alpha.
    (best,) = [
        i for i in np.flatnonzero(~first) if results["n_resources"][i] == 40
    ]
    alpha = results["param_alpha"][best]
    (begun,) = np.flatnonzero(first & (results["param_alpha"] == alpha))
    assert results["mean_train_score"][best] >= results["mean_train_score"][begun]


def test_solvers_of_all_kinds_in_one_grid(iris):
    grid = [
        {"solver": ["lbfgs", "cg", "tnc"]},
        {"solver": ["sgd", "adam"], "learning_rate_init": [0.003, 0.01]},
        {"learning_rate": ["cosine"], "alpha": [0.1, 1]},
    ]
    search = halve(make(), grid, *iris)
    assert search.n_candidates_ == [9, 5, 3, 2]
    results = search.cv_results_
    own = own_fits_of(search, results["params"], *iris, None)
    exact = np.isin(
        [p.get("solver", "adam") for p in results["params"]], ["sgd", "adam"]
    ) | (results["iter"] == 0)
    for key in ("mean_test_score", "mean_train_score"):
        np.testing.assert_allclose(results[key][exact], own[key][exact], rtol=1e-8)
        np.testing.assert_allclose(results[key], own[key], atol=0.3)
    assert search.n_stacked_ > 0


def test_full_batch_training_has_the_iterations_of_its_rung(iris, monkeypatch):
    n_iters = []
    become_fitted = rungs.Together.become_fitted

    def spy(self, estimators, all_trained):
        n_iters.extend(t.history.n_iter for t in all_trained)
        return become_fitted(self, estimators, all_trained)

    monkeypatch.setattr(rungs.Together, "become_fitted", spy)
    search = halve(make(solver="lbfgs"), {"alpha": ALPHAS}, *iris, refit=False)
    assert search.n_resources_ == [3, 6, 12]
    assert n_iters == [3] * 8 + [6] * 4 + [12] * 2


class Counter:
    """Counts the calls of a method in this process."""

    def __init__(self, monkeypatch, owner, name):
        self.n = 0
        method = getattr(owner, name)

        def counted(*args, **kwargs):
            self.n += 1
            return method(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)


# Pipelines.


class Counted(TransformerMixin, BaseEstimator):
    """A transformer that counts its fits."""

    n_fits = 0

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        Counted.n_fits += 1
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return X * self.factor


class OtherInTraining(Counted):
    """As TargetEncoder, makes something else of the rows that it is fitted to."""

    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X) + 0.3


def nested():
    inner = Pipeline([("scale", StandardScaler()), ("mlp", make())])
    return Pipeline([("pca", PCA()), ("inner", inner)])


@pytest.mark.parametrize(
    ("pipeline", "grid"),
    [
        (
            Pipeline([("scale", StandardScaler()), ("mlp", make())]),
            {"mlp__alpha": ALPHAS},
        ),
        (nested(), {"inner__mlp__alpha": [0.1, 10], "pca__n_components": [2, 3]}),
        (
            nested(),
            {
                "inner__mlp": [make(alpha=0.1), make(alpha=5)],
                "inner__scale": [StandardScaler(), "passthrough"],
            },
        ),
        (
            Pipeline([("other", OtherInTraining()), ("mlp", make())]),
            {"mlp__alpha": [0.1, 10], "other__factor": [0.5, 1.0]},
        ),
        (
            Pipeline([("scale", StandardScaler()), ("mlp", make(early_stopping=True))]),
            {"mlp__random_state": [0, 1], "mlp__learning_rate_init": [0.01, 0.1]},
        ),
        (Pipeline([("mlp", make())]), {"mlp__alpha": ALPHAS}),
    ],
    ids=["plain", "nested", "steps", "other in training", "early stopping", "alone"],
)
def test_survivors_in_pipelines(iris, pipeline, grid):
    search = halve(pipeline, grid, *iris)
    assert search.n_candidates_ == [4, 2, 1]
    assert search.n_resources_ == [3, 6, 12]
    assert_survivors_equal_own_fits(search, *iris)


def test_survivors_behind_a_target_encoder(iris):
    X = np.round(iris[0])
    encoder = TargetEncoder(cv=3, shuffle=True, random_state=0)
    pipeline = Pipeline([("encode", encoder), ("mlp", make())])
    search = halve(pipeline, {"mlp__alpha": ALPHAS}, X, iris[1])
    assert_survivors_equal_own_fits(search, X, iris[1])


def test_survivors_in_imbalanced_learns_pipeline(iris):
    imblearn_pipeline = pytest.importorskip("imblearn.pipeline")
    from imblearn.over_sampling import RandomOverSampler

    X, y = iris[0][:120], iris[1][:120]
    pipeline = imblearn_pipeline.Pipeline(
        [("over", RandomOverSampler(random_state=0)), ("mlp", make())]
    )
    search = halve(pipeline, {"mlp__alpha": ALPHAS}, X, y)
    assert_survivors_equal_own_fits(search, X, y)


@pytest.mark.parametrize("factors", [[1.0], [0.5, 1.0]])
def test_transformers_are_fitted_once(iris, factors):
    pipeline = Pipeline([("counted", Counted()), ("mlp", make())])
    grid = {"counted__factor": factors, "mlp__alpha": ALPHAS}
    Counted.n_fits = 0
    search = halve(pipeline, grid, *iris, refit=False)
    assert len(search.n_candidates_) > 2
    assert Counted.n_fits == 2 * len(factors)


# Stacks that are merged or cut.


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize(
    ("params", "grid"),
    [
        ({}, {"learning_rate_init": RATES, "alpha": [0.1]}),
        ({"early_stopping": True}, {"learning_rate_init": RATES}),
        ({"dropout": 0.2}, {"learning_rate_init": RATES}),
        (
            {"random_state": None, "weight_init": 0.0, "shuffle": False},
            {"learning_rate_init": RATES},
        ),
        ({"solver": "sgd"}, {"random_state": [0, 1], "learning_rate_init": [0.1, 0.2]}),
    ],
    ids=str,
)
def test_survivors_of_small_stacks(iris, params, grid, most, monkeypatch):
    # A network's largest array: 20 rows of a batch, or of 6 units.
    monkeypatch.setattr(stacking, "MAX_BYTES", most * 20 * 6 * 8)
    search = halve(make(**params), grid, *iris, factor=1.5)
    assert search.n_candidates_ == [4, 3, 2, 2]
    assert_survivors_equal_own_fits(search, *iris)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_survivors_of_several_processes(iris, n_jobs):
    """With three folds one task is left, which the processes share."""
    grid = {"random_state": [0, 1], "learning_rate_init": [0.1, 0.2]}
    pipeline = make_pipeline(StandardScaler(), make(solver="sgd"))
    in_pipeline = {f"backpropmlpclassifier__{k}": v for k, v in grid.items()}
    for estimator, values in [(make(solver="sgd"), grid), (pipeline, in_pipeline)]:
        search = halve(estimator, values, *iris, cv=3, n_jobs=n_jobs, factor=1.5)
        assert search.n_candidates_ == [4, 3, 2, 2]
        assert_survivors_equal_own_fits(search, *iris)


def test_cut_stacks_tell_so(iris):
    (fold,) = ShuffleSplit(1, random_state=0).split(*iris)
    with joblib.parallel_config("threading"):
        search = halve(make(), {"alpha": [0.1, 1]}, *iris, cv=[fold], n_jobs=2)
    assert search.n_candidates_ == [2, 1]
    told = search.n_fits_alone_
    assert told["the processes had one candidate each left to share"] == 2


def test_a_failed_stack_is_trained_one_by_one(iris, monkeypatch):
    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(rungs, "go_on", fail)
    search = halve(make(), {"alpha": ALPHAS}, *iris)
    assert search.n_fits_alone_["the fit of its stack failed"] == 2 * 2
    monkeypatch.undo()
    assert_survivors_equal_own_fits(search, *iris)


# Nothing is trained twice.


@pytest.mark.parametrize(
    ("estimator", "name"), [(make(), "alpha"), (nested(), "inner__mlp__alpha")]
)
def test_no_epoch_is_trained_twice(iris, monkeypatch, estimator, name):
    epochs = Counter(monkeypatch, NetworkInTraining, "close_epoch")
    search = halve(estimator, {name: ALPHAS}, *iris, refit=False)
    assert search.n_candidates_ == [4, 2, 1]
    assert search.n_resources_ == [3, 6, 12]
    assert epochs.n == 2 * (4 * 3 + 2 * 3 + 1 * 6)
    assert search.n_stacked_ == 2 * (4 + 2)
    assert search.n_fits_alone_ == {"no other candidate can share its stack": 2}


def test_a_cosine_is_trained_anew(iris, monkeypatch):
    epochs = Counter(monkeypatch, NetworkInTraining, "close_epoch")
    halve(make(learning_rate="cosine"), {"alpha": ALPHAS}, *iris, refit=False)
    assert epochs.n == 2 * (4 * 3 + 2 * 6 + 1 * 12)


def test_repeated_resources_keep_their_scores(iris, monkeypatch):
    epochs = Counter(monkeypatch, NetworkInTraining, "close_epoch")
    params = {"min_resources": 6, "aggressive_elimination": True}
    search = halve(make(), {"alpha": ALPHAS}, *iris, refit=False, **params)
    assert search.n_resources_ == [6, 6, 12]
    assert epochs.n == 2 * (4 * 6 + 1 * 6)
    results = search.cv_results_
    again = results["iter"] == 1
    assert (results["mean_fit_time"][again] == 0).all()
    assert_survivors_equal_own_fits(search, *iris)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_who_has_converged_keeps_the_scores(iris, monkeypatch, early_stopping):
    mlp = make(tol=0.5, n_iter_no_change=2, early_stopping=early_stopping)
    mlp.set_params(learning_rate_init=1e-4, max_iter=40)
    epochs = Counter(monkeypatch, NetworkInTraining, "close_epoch")
    search = halve(mlp, {"alpha": ALPHAS}, *iris, refit=False)
    assert search.n_resources_ == [10, 20, 40]
    assert epochs.n < 2 * 4 * 10
    later = search.cv_results_["iter"] > 0
    assert (search.cv_results_["mean_fit_time"][later] == 0).all()
    assert (search.cv_results_["mean_score_time"][later] == 0).all()
    assert_survivors_equal_own_fits(search, *iris)


def test_the_same_candidate_twice(iris, monkeypatch):
    epochs = Counter(monkeypatch, NetworkInTraining, "close_epoch")
    search = halve(make(), {"alpha": [0.1, 0.1, 5.0, 5.0]}, *iris, refit=False)
    assert epochs.n == 2 * (4 * 3 + 2 * 3 + 1 * 6)
    assert_survivors_equal_own_fits(search, *iris)


@pytest.mark.parametrize("is_random", [False, True])
def test_no_convergence_warning_of_a_rung(iris, is_random):
    """But of a network that diverges."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        halve(make(), {"alpha": ALPHAS}, *iris, refit=False)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        rates = [0.01, 1e200]
        halve(make(activation="relu"), {"learning_rate_init": rates}, *iris)


# As scikit-learn's.


GRID_PARAMS = [
    {},
    {"factor": 2, "min_resources": "smallest"},
    {"factor": 2.5, "min_resources": 5},
    {"max_resources": 10, "min_resources": 4, "factor": 2},
    {"aggressive_elimination": True, "min_resources": 6, "factor": 2},
    {"return_train_score": False, "refit": False},
    {"refit": lambda results: 0},
    {"cv": KFold(3, shuffle=True, random_state=0), "scoring": None},
]


@pytest.mark.parametrize("params", GRID_PARAMS, ids=lambda p: "-".join(p) or "default")
@pytest.mark.parametrize("is_pipeline", [False, True])
def test_grid_search_as_scikit_learns(iris, params, is_pipeline):
    estimator, name, resource = make(), "alpha", "max_iter"
    if is_pipeline:
        estimator = Pipeline([("scale", StandardScaler()), ("mlp", estimator)])
        name, resource = "mlp__alpha", "mlp__max_iter"
    params = {"cv": 2, "scoring": "neg_log_loss", **params}
    grid = {name: [0.001, *ALPHAS]}
    ours = StackedHalvingGridSearchCV(estimator, grid, **params).fit(*iris)
    given = {"resource": resource, "max_resources": 12, **params}
    theirs = HalvingGridSearchCV(estimator, grid, **given).fit(*iris)
    assert_same_search(ours, theirs)
    explicit = StackedHalvingGridSearchCV(estimator, grid, **given).fit(*iris)
    assert_same_search(explicit, theirs)


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(1)])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"min_resources": 3},
        {"n_candidates": 5, "min_resources": "exhaust"},
        {"n_candidates": 7, "min_resources": 6, "aggressive_elimination": True},
    ],
    ids=str,
)
def test_random_search_as_scikit_learns(iris, params, random_state):
    distributions = {"alpha": loguniform(1e-3, 10), "learning_rate_init": RATES}
    params = {"cv": 2, "scoring": "neg_log_loss", **params}
    for resource in ("max_iter", "n_samples"):
        ours, theirs = (
            search(
                make(),
                distributions,
                resource=resource,
                max_resources=12 if resource == "max_iter" else 100,
                **{**params, "min_resources": params.get("min_resources", "smallest")},
                random_state=clone(random_state, safe=False),
            ).fit(*iris)
            for search in (StackedHalvingRandomSearchCV, HalvingRandomSearchCV)
            if resource == "max_iter" or "min_resources" not in params
        ) or (None, None)
        if ours is not None:
            assert_same_search(ours, theirs)
