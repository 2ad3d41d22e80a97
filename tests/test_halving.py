"""The stacked halving searches: survivors go on, and end as their own fits would."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from probes import CtrlC, EpochCounter, watched_rule
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
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
    TabularMLPRegressor,
)

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
        ({"average_epochs": 3}, {"learning_rate_init": RATES}),
        (
            {"average_epochs": 0.5, "early_stopping": True, "batch_size": 8},
            {"learning_rate_init": RATES},
        ),
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
                "learning_rate": ["constant", "cosine"],
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


@pytest.mark.since_1_9("routes no weights to the score of a Pipeline")
def test_survivors_with_routed_weights(iris):
    fit_params = {"sample_weight": np.arange(1.0, 151.0)}
    with config_context(enable_metadata_routing=True):
        mlp = make().set_fit_request(sample_weight=True)
        mlp.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = Pipeline([("scale", scaler), ("mlp", mlp)])
        search = halve(
            pipeline, {"mlp__alpha": ALPHAS}, *iris, fit_params, scoring=None
        )
        assert_survivors_equal_own_fits(search, *iris, fit_params)


@pytest.mark.parametrize("grid", [{"alpha": ALPHAS}, {"random_state": [0, 1, 2, 3]}])
def test_survivors_of_sparse_rows(digits, grid):
    X, y = sp.csr_array(np.maximum(digits[0][:200], 0)), digits[1][:200]
    assert_survivors_equal_own_fits(halve(make(), grid, X, y), X, y)


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"dropout": 0.2}])
def test_surviving_regressors(diabetes, params):
    search = halve(make_regressor(**params), {"alpha": ALPHAS}, *diabetes, scoring="r2")
    assert_survivors_equal_own_fits(search, *diabetes)


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_full_batch_solvers_go_on(iris, solver):
    """From their weights: these are as good as those of an own fit, or nearly."""
    evaluations = CtrlC()
    tanh = evaluations.activation
    mlp = make(solver=solver, max_iter=40, tol=1e-5, activation=tanh)
    # So small that the losses are the objectives.
    grid = {"alpha": [0, 1e-7, 1e-6, 1e-5]}
    search = halve(mlp, grid, *iris, refit=False)
    n_with_going_on = evaluations.n_evaluations
    results = search.cv_results_
    own = own_fits_of(search, results["params"], *iris, None)
    assert n_with_going_on < evaluations.n_evaluations - n_with_going_on
    first = results["iter"] == 0
    np.testing.assert_allclose(
        results["mean_test_score"][first], own["mean_test_score"][first]
    )
    np.testing.assert_allclose(
        results["mean_train_score"], own["mean_train_score"], atol=0.1
    )
    (best,) = [i for i in np.flatnonzero(~first) if results["n_resources"][i] == 40]
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


def test_full_batch_training_has_the_iterations_of_its_rung(iris):
    """In all: those that go on add what is left to their rung's."""

    def n_iter(estimator, X, y):
        return estimator.n_iter_

    mlp = make(solver="lbfgs")
    search = halve(mlp, {"alpha": ALPHAS}, *iris, scoring=n_iter, refit=False)
    results = search.cv_results_
    assert search.n_resources_ == [3, 6, 12]
    for split in ("split0_test_score", "split1_test_score"):
        assert results[split].tolist() == results["n_resources"].tolist()


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


def nested(**params):
    inner = Pipeline([("scale", StandardScaler()), ("mlp", make(**params))])
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


@pytest.mark.since_1_9("encodes no classes by TargetEncoder here")
def test_survivors_behind_a_target_encoder(iris):
    X = np.round(iris[0])
    encoder = TargetEncoder(cv=KFold(3))
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


# Stacks are cut in this order: those of one seed are together.
BY_SEED = [
    {"random_state": [seed], "learning_rate_init": [0.1, 0.2]} for seed in (0, 1)
]


# A network's largest array is 40 rows x units: a stack has 2 MB, of two or three.
@pytest.mark.parametrize("n_units", [2500, 2000])
@pytest.mark.slow
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
        ({"solver": "sgd"}, BY_SEED),
        # In two stacks of a fold, both of which have a survivor.
        ({"solver": "sgd"}, {"learning_rate_init": [0.003, 0.1, 0.03, 0.3]}),
    ],
    ids=str,
)
def test_survivors_of_small_stacks(iris, params, grid, n_units):
    mlp = make(hidden_layer_sizes=n_units, batch_size=40, **params)
    search = halve(mlp, grid, *iris, factor=1.5)
    assert search.n_candidates_ == [4, 3, 2, 2]
    assert_survivors_equal_own_fits(search, *iris)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("is_pipeline", [False, True])
def test_survivors_of_several_processes(iris, n_jobs, is_pipeline, free_processes):
    """With three folds one task is left, which the processes share: one seed each."""
    estimator, prefix = make(solver="sgd"), ""
    if is_pipeline:
        estimator = Pipeline([("scale", StandardScaler()), ("mlp", estimator)])
        prefix = "mlp__"
    grid = [
        {
            f"{prefix}random_state": [seed],
            f"{prefix}learning_rate_init": [0.08, 0.1, 0.13, 0.2],
        }
        for seed in (0, 1)
    ]
    params = {"cv": 3, "n_jobs": n_jobs, "factor": 1.6, "min_resources": 3}
    search = halve(estimator, grid, *iris, **params)
    assert search.n_candidates_ == [8, 5, 4]
    assert_survivors_equal_own_fits(search, *iris)


class Unseeded(TransformerMixin, BaseEstimator):
    """A transformer that differs from fit to fit, as a random projection does."""

    def fit(self, X, y=None):
        self.factor_ = np.random.default_rng().normal()
        return self

    def transform(self, X):
        return X * self.factor_


def test_networks_stay_behind_their_transformers(iris):
    """Also where the processes share a fold, with a transformer fitted in each."""
    factors = {}

    def score(pipeline, X, y):
        factors.setdefault(pipeline[-1].alpha, set()).add(pipeline[0].factor_)
        return pipeline[-1].alpha

    (fold,) = ShuffleSplit(1, random_state=0).split(*iris)
    pipeline = Pipeline([("unseeded", Unseeded()), ("mlp", make())])
    params = {"cv": [fold], "n_jobs": 2, "factor": 1.5, "refit": False}
    with joblib.parallel_config("threading"):
        grid = {"mlp__alpha": [0.1, 0.2, 0.3, 0.4]}
        halve(pipeline, grid, *iris, scoring=score, **params)
    assert [len(of_one) for of_one in factors.values()] == [1, 1, 1, 1]


def test_cut_stacks_tell_so(iris):
    (fold,) = ShuffleSplit(1, random_state=0).split(*iris)
    with joblib.parallel_config("threading"):
        search = halve(make(), {"alpha": [0.1, 1]}, *iris, cv=[fold], n_jobs=2)
    assert search.n_candidates_ == [2, 1]
    told = search.n_fits_alone_
    assert told["its stack was divided, so that all processes have work"] == 2


def test_a_failed_stack_is_trained_one_by_one(iris):
    def fail(parameters, state, rate):
        state["n_taken"] = state.get("n_taken", 0) + 1
        # The first rung has three epochs of four batches.
        if state["n_taken"] > 12 and parameters.n_stack > 1:
            raise RuntimeError

    search = halve(make(solver=watched_rule("adam", fail)), {"alpha": ALPHAS}, *iris)
    assert search.n_fits_alone_["the fit of its stack failed"] == 2 * 2
    assert_survivors_equal_own_fits(search, *iris)


# Nothing is trained twice.


@pytest.mark.parametrize(
    ("make", "name"), [(make, "alpha"), (nested, "inner__mlp__alpha")]
)
def test_no_epoch_is_trained_twice(iris, make, name):
    epochs = EpochCounter()
    estimator = make(learning_rate=epochs.schedule)
    search = halve(estimator, {name: ALPHAS}, *iris, refit=False)
    assert search.n_candidates_ == [4, 2, 1]
    assert search.n_resources_ == [3, 6, 12]
    assert epochs.n == 2 * (4 * 3 + 2 * 3 + 1 * 6)
    # The last one's two folds are a stack.
    assert search.n_stacked_ == 2 * (4 + 2 + 1)
    assert search.n_fits_alone_ == {}


def test_a_schedule_of_all_epochs_is_trained_anew(iris):
    epochs = EpochCounter(starts_anew=True)
    halve(make(learning_rate=epochs.schedule), {"alpha": ALPHAS}, *iris, refit=False)
    assert epochs.n == 2 * (4 * 3 + 2 * 6 + 1 * 12)


def test_repeated_resources_keep_their_scores(iris):
    epochs = EpochCounter()
    mlp = make(learning_rate=epochs.schedule)
    params = {"min_resources": 6, "aggressive_elimination": True}
    search = halve(mlp, {"alpha": ALPHAS}, *iris, refit=False, **params)
    assert search.n_resources_ == [6, 6, 12]
    assert epochs.n == 2 * (4 * 6 + 1 * 6)
    results = search.cv_results_
    again = results["iter"] == 1
    assert (results["mean_fit_time"][again] == 0).all()
    assert_survivors_equal_own_fits(search, *iris)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_who_has_converged_keeps_the_scores(iris, early_stopping):
    epochs = EpochCounter()
    mlp = make(tol=0.5, n_iter_no_change=2, early_stopping=early_stopping)
    mlp.set_params(learning_rate_init=1e-4, max_iter=40)
    mlp.set_params(learning_rate=epochs.schedule)
    search = halve(mlp, {"alpha": ALPHAS}, *iris, refit=False)
    assert search.n_resources_ == [10, 20, 40]
    assert epochs.n < 2 * 4 * 10
    later = search.cv_results_["iter"] > 0
    assert (search.cv_results_["mean_fit_time"][later] == 0).all()
    assert (search.cv_results_["mean_score_time"][later] == 0).all()
    assert_survivors_equal_own_fits(search, *iris)


def test_the_same_candidate_twice(iris):
    epochs = EpochCounter()
    mlp = make(learning_rate=epochs.schedule)
    search = halve(mlp, {"alpha": [0.1, 0.1, 5.0, 5.0]}, *iris, refit=False)
    assert epochs.n == 2 * (4 * 3 + 2 * 3 + 1 * 6)
    assert_survivors_equal_own_fits(search, *iris)


def test_no_convergence_warning_of_a_rung(iris):
    """But of a network that diverges."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        halve(make(), {"alpha": ALPHAS}, *iris, refit=False)
    grid = {"learning_rate_init": [0.01, 1e200]}
    with pytest.warns(ConvergenceWarning, match="diverged"):
        halve(make(activation="relu"), grid, *iris)


# As scikit-learn's.


GRID_PARAMS = [
    {},
    {"factor": 2, "min_resources": "smallest"},
    {"factor": 2.5, "min_resources": 5},
    {"max_resources": 10, "min_resources": 4, "factor": 2},
    {"aggressive_elimination": True, "min_resources": 6, "factor": 2},
    {"return_train_score": False, "refit": False},
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
    # "max_iter" and "auto", in words.
    given = {"resource": resource, "max_resources": 12, **params}
    theirs = HalvingGridSearchCV(estimator, grid, **given).fit(*iris)
    assert_same_search(ours, theirs)


def test_callable_refit(iris):
    """HalvingGridSearchCV documents it, and ignores it."""
    seen = []

    def first_of_last_rung(results):
        seen.append(list(results["iter"]))
        return int(np.flatnonzero(results["iter"] == 2)[-1]) - 1

    search = halve(make(), {"alpha": ALPHAS}, *iris, refit=first_of_last_rung)
    assert seen == [[0, 0, 0, 0, 1, 1, 2]]
    assert search.best_index_ == 5
    results = search.cv_results_
    assert (
        search.best_params_
        == results["params"][5]
        == {
            "alpha": search.best_estimator_.alpha,
            "max_iter": 6,
        }
    )
    assert search.best_score_ == results["mean_test_score"][5]
    with pytest.raises(IndexError, match="out of range"):
        halve(make(), {"alpha": ALPHAS}, *iris, refit=lambda results: 7)


def as_scikit_learns(searches, estimator, values, X, y, random_state=0, **params):
    """Ours and scikit-learn's, with draws of their own."""
    params = {"cv": 2, "scoring": "neg_log_loss", **params}
    return [
        search(
            estimator, values, random_state=clone(random_state, safe=False), **params
        ).fit(X, y)
        for search in searches
    ]


GRID_SEARCHES = (StackedHalvingGridSearchCV, HalvingGridSearchCV)
RANDOM_SEARCHES = (StackedHalvingRandomSearchCV, HalvingRandomSearchCV)
DRAWN = {"alpha": loguniform(1e-3, 10), "learning_rate_init": RATES}


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(1)], ids=str)
@pytest.mark.parametrize(
    "params",
    [
        {"min_resources": "smallest"},
        {"min_resources": 3, "n_jobs": 2},
        {"n_candidates": 5, "min_resources": "exhaust"},
        {"n_candidates": 7, "min_resources": 6, "aggressive_elimination": True},
    ],
    ids=str,
)
def test_random_search_as_scikit_learns(iris, params, random_state, free_processes):
    params = {"resource": "max_iter", "max_resources": 12, **params}
    assert_same_search(
        *as_scikit_learns(RANDOM_SEARCHES, make(), DRAWN, *iris, random_state, **params)
    )


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(1)], ids=str)
@pytest.mark.parametrize(
    "params",
    [
        {"min_resources": 36},
        {"min_resources": 40, "aggressive_elimination": True, "factor": 2},
    ],
    ids=str,
)
def test_resource_of_rows(iris, params, random_state):
    mlp = make(batch_size=5, max_iter=6)
    params = {"resource": "n_samples", **params}
    grid = {"alpha": ALPHAS}
    assert_same_search(
        *as_scikit_learns(GRID_SEARCHES, mlp, grid, *iris, random_state, **params)
    )
    drawn = as_scikit_learns(RANDOM_SEARCHES, mlp, DRAWN, *iris, random_state, **params)
    assert_same_search(*drawn)
    assert drawn[0].n_stacked_ > 0


def test_another_parameter_is_the_resource(iris):
    params = {"resource": "n_iter_no_change", "max_resources": 9}
    mlp = make(tol=0.1)
    assert_same_search(
        *as_scikit_learns(GRID_SEARCHES, mlp, {"alpha": ALPHAS}, *iris, **params)
    )


class OurOwn(BackpropMLPClassifier):
    """A subclass of a user's."""


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "C"),
        (make_pipeline(PCA(), LogisticRegression()), "logisticregression__C"),
        (Ridge(solver="sag", random_state=0), "alpha"),
        (OurOwn(5, solver="sgd", random_state=0), "alpha"),
        (make(warm_start=True), "alpha"),
    ],
    ids=["LogisticRegression", "Pipeline", "Ridge", "subclass", "warm_start"],
)
def test_other_estimators_as_scikit_learns(iris, estimator, name):
    # A Pipeline's last step's, too.
    resource = f"{name.rpartition('__')[0]}__max_iter".removeprefix("__")
    grid = {name: [0.01, 0.1, 1.0, 10.0]}
    params = {"max_resources": 9, "cv": 2, "factor": 2}
    ours = StackedHalvingGridSearchCV(estimator, grid, **params).fit(*iris)
    theirs = HalvingGridSearchCV(estimator, grid, resource=resource, **params)
    assert_same_search(ours, theirs.fit(*iris))
    assert ours.n_stacked_ == 0
    assert sum(ours.n_fits_alone_.values()) == 2 * sum(ours.n_candidates_)


def test_random_states_are_trained_anew(iris):
    """Draws of a RandomState depend on those before: here all copies are the same."""
    mlp = make(random_state=np.random.RandomState(0))
    search = halve(mlp, {"alpha": ALPHAS}, *iris)
    assert_survivors_equal_own_fits(search, *iris)
    assert search.n_stacked_ == 0


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("params", [{"early_stopping": True}, {"dropout": 0.2}, {}])
@pytest.mark.parametrize("n_units", [2500, 6])
def test_without_a_seed(iris, params, n_jobs, n_units, free_processes):
    epochs = EpochCounter()
    mlp = make(random_state=None, learning_rate=epochs.schedule, **params)
    # Two networks fill a stack, or a hundred don't.
    mlp.set_params(hidden_layer_sizes=n_units, batch_size=40)
    params = {"cv": 3, "n_jobs": n_jobs, "refit": False}
    search = halve(mlp, {"alpha": ALPHAS}, *iris, **params)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert "the fit of its stack failed" not in search.n_fits_alone_
    if n_jobs is None:
        assert epochs.n == 3 * (4 * 3 + 2 * 3 + 1 * 6)


# Failures.


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the :UserWarning")
@pytest.mark.filterwarnings("ignore:Scoring failed:UserWarning")
def test_failing_candidates_as_scikit_learns(iris):
    def first_rungs_score(estimator, X, y):
        if estimator.max_iter > 4 and estimator.alpha > 0.01:
            raise ValueError
        return estimator.score(X, y) - estimator.loss_

    params = {"max_resources": 12, "resource": "max_iter", "factor": 1.5}
    grid = {"alpha": [0.1, -1.0, 1.0, 0.001], "learning_rate_init": [0.01]}
    for more in [
        {"error_score": np.nan},
        {"error_score": -9.0},
        {"scoring": first_rungs_score},
        {"scoring": first_rungs_score, "error_score": -9.0},
    ]:
        assert_same_search(
            *as_scikit_learns(GRID_SEARCHES, make(), grid, *iris, **params, **more)
        )


def test_failing_candidates_are_told_of(iris):
    grid = {"alpha": [0.1, -1.0]}
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search = halve(make(), grid, *iris, error_score=-7, return_train_score=False)
    assert search.best_params_ == {"alpha": 0.1, "max_iter": 12}
    search.set_params(error_score="raise")
    before = vars(search).copy()
    with pytest.raises(ValueError, match="'alpha' parameter"):
        search.fit(*iris)
    assert vars(search) == before


# 4 batches: of 3 epochs in the first rung, 3 in the second, in each of two folds.
@pytest.mark.parametrize("press_at", [5, 2 * 12 + 5, 2 * 24 + 9])
@pytest.mark.parametrize(
    ("make", "name"), [(make, "alpha"), (nested, "inner__mlp__alpha")]
)
def test_one_interrupt_aborts_a_search(iris, press_at, make, name):
    ctrl_c = CtrlC()
    search = halve(make(activation=ctrl_c.activation), {name: [0.1, 1]}, *iris)
    before = vars(search).copy()
    search.param_grid = {name: ALPHAS}
    ctrl_c.press(press_at)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*iris)
    assert ctrl_c.n_evaluations == press_at
    assert vars(search) == {**before, "param_grid": search.param_grid}
    ctrl_c.press(None)
    assert_survivors_equal_own_fits(search.fit(*iris), *iris)


def test_a_failed_fit_leaves_the_old_one(iris):
    """With what it knew of other rows."""
    search = halve(make(), {"alpha": ALPHAS}, *iris)
    before = vars(search).copy()
    search.resource = "lambda"
    with pytest.raises(ValueError, match="Cannot use resource=lambda"):
        search.fit(iris[0][:120], iris[1][:120])
    assert vars(search) == {**before, "resource": "lambda"}


@pytest.mark.since_1_9("ends otherwise where a Pipeline is empty")
@pytest.mark.parametrize(
    ("estimator", "values", "params", "message"),
    [
        (make(), {"max_iter": [5, 9]}, {}, "it is part of the searched parameters"),
        (
            make_pipeline(make()),
            {"backpropmlpclassifier__max_iter": [5, 9]},
            {},
            "backpropmlpclassifier__max_iter as the resource since it is part of",
        ),
        (
            make(),
            {"alpha": ALPHAS},
            {"resource": "n_estimators"},
            "Cannot use resource=n_estimators which is not supported by estimator Back",
        ),
        (
            PCA(),
            {"n_components": [1, 2]},
            {"max_resources": 9, "scoring": None},
            "Cannot use resource=max_iter which is not supported by estimator PCA",
        ),
        (
            Ridge(),
            {"alpha": ALPHAS},
            {"scoring": None},
            "resource can only be 'n_samples' when max_resources='auto'",
        ),
        (
            make(),
            {"alpha": ALPHAS},
            {"resource": "n_iter_no_change"},
            "resource can only be 'n_samples' when max_resources='auto'",
        ),
        (
            make(),
            {"alpha": ALPHAS},
            {"min_resources": 13},
            "min_resources_=13 is greater than max_resources_=12",
        ),
        (
            make(),
            {"alpha": ALPHAS},
            {"cv": KFold(2, shuffle=True)},
            "must yield consistent folds",
        ),
        (make(), {"alpha": ALPHAS}, {"resource": None}, "The 'resource' parameter"),
        (make(), {"lambda": [1]}, {}, "Invalid parameter"),
        (
            Pipeline([]),
            {"memory": [None, "a"]},
            {"resource": "n_samples", "error_score": "raise"},
            "The pipeline is empty",
        ),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_errors_are_scikit_learns(iris, estimator, values, params, message):
    search = StackedHalvingGridSearchCV(estimator, values, **{**HALVING, **params})
    given = search.get_params()
    with pytest.raises(ValueError, match=message):
        search.fit(*iris)
    assert search.get_params() == given
    assert not [name for name in vars(search) if name.endswith("_")]


def test_exhausts_either_candidates_or_resources(iris):
    search = StackedHalvingRandomSearchCV(make(), DRAWN, min_resources="exhaust")
    with pytest.raises(ValueError, match="cannot be both set to 'exhaust'"):
        search.fit(*iris)


# The searches as estimators.


@pytest.mark.parametrize("estimator", [make(), make_pipeline(make())])
def test_parameters_stay_as_given(iris, estimator):
    name = "alpha" if isinstance(estimator, BackpropMLPClassifier) else "memory"
    search = StackedHalvingGridSearchCV(
        estimator, {name: [0.1, 1] if name == "alpha" else [None]}, **HALVING
    )
    given = search.get_params()
    assert given["resource"] == "max_iter"
    assert given["max_resources"] == "auto"
    search.fit(*iris)
    assert search.get_params() == given
    assert search.max_resources_ == 12
    assert (
        clone(search).get_params(deep=False).keys()
        == search.get_params(deep=False).keys()
    )


def test_clone_and_pickle(iris):
    unfitted = StackedHalvingGridSearchCV(make(), {"alpha": ALPHAS}, **HALVING)
    given = unfitted.get_params(deep=False)
    search = pickle.loads(pickle.dumps(unfitted)).fit(*iris)
    for other in (pickle.loads(pickle.dumps(search)), clone(search).fit(*iris)):
        np.testing.assert_array_equal(
            other.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
        )
        np.testing.assert_array_equal(other.predict(iris[0]), search.predict(iris[0]))
        assert other.get_params(deep=False).keys() == given.keys()
    assert not hasattr(clone(search), "cv_results_")


def test_refit_is_the_best_candidates_own_fit(iris):
    search = halve(make(), {"alpha": ALPHAS}, *iris)
    assert search.best_params_["max_iter"] == 12
    own = make(**search.best_params_).fit(*iris)
    for ours, theirs in zip(search.best_estimator_.coefs_, own.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(search.classes_, own.classes_)
    assert search.n_features_in_ == 4
    assert search.refit_time_ > 0
    without = halve(make(), {"alpha": ALPHAS}, *iris, refit=False)
    assert without.best_params_ == search.best_params_
    assert not hasattr(without, "best_estimator_")
    assert not hasattr(without, "predict")


def test_verbose(iris, capsys):
    halve(make(), {"alpha": ALPHAS}, *iris, verbose=1, refit=False)
    told = capsys.readouterr().out
    assert "n_iterations: 3" in told
    for rung in [(0, 4, 3), (1, 2, 6), (2, 1, 12)]:
        assert "iter: {}\nn_candidates: {}\nn_resources: {}\n".format(*rung) in told
    assert "Trained 8 of 8 fits in stacks" in told
    halve(make(), {"alpha": ALPHAS}, *iris, verbose=3, refit=False)
    told = capsys.readouterr().out
    assert told.count("[CV") == 2 * (4 + 2 + 1)
    assert "[CV 1/2] END" in told


class Recorder:
    """A callback that counts the tasks of a search."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)

    def teardown(self, estimator, context):
        pass


CASES = {
    "going on": (make(), {}),
    "converged": (make(tol=0.5, n_iter_no_change=1, learning_rate_init=1e-4), {}),
    "repeated": (make(), {"min_resources": 6, "aggressive_elimination": True}),
}


@pytest.mark.callbacks
@pytest.mark.parametrize("case", CASES)
def test_callbacks_see_every_task_end(iris, case):
    estimator, params = CASES[case]
    recorder = Recorder()
    search = StackedHalvingGridSearchCV(
        estimator, {"alpha": ALPHAS}, **HALVING, **params
    )
    search.set_callbacks(recorder).fit(*iris)
    assert sorted(recorder.begun) == sorted(recorder.ended)
    for name, count in [
        ("candidate-split-evaluation", 14),
        ("halving-iteration", 3),
        ("search", 1),
        ("refit-with-best-params", 1),
    ]:
        assert recorder.ended.count(name) == count, name


@pytest.mark.callbacks
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_progress_bar_comes_to_its_end(iris, capsys, case, n_jobs, free_processes):
    from sklearn.callback import ProgressBar

    pytest.importorskip("rich")
    estimator, params = CASES[case]
    search = StackedHalvingGridSearchCV(
        estimator, {"alpha": ALPHAS}, n_jobs=n_jobs, **HALVING, **params
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=0)).fit(*iris)
    told = capsys.readouterr().out
    assert "StackedHalvingGridSearchCV" in told
    assert "100%" in told.splitlines()[-1] or "100%" in told


@pytest.mark.callbacks
def test_an_estimator_with_callbacks_is_trained_anew(iris):
    recorder = Recorder()
    mlp = make().set_callbacks(recorder)
    search = halve(mlp, {"alpha": ALPHAS}, *iris, refit=False)
    assert search.n_fits_alone_ == {"it has callbacks": 14}
    assert recorder.ended.count("fit") == 14
    search.estimator = make()
    assert_survivors_equal_own_fits(search, *iris)


def searches():
    """Over an estimator of ours, and a Pipeline that ends in one."""
    mlp = make(max_iter=60, batch_size="auto", learning_rate_init=0.03)
    common = {"cv": 2, "error_score": "raise", "min_resources": "smallest"}
    yield StackedHalvingGridSearchCV(
        mlp, {"alpha": [0.001, 0.1]}, factor=2, **{**common, "min_resources": 30}
    )
    yield StackedHalvingRandomSearchCV(
        make_pipeline(StandardScaler(), mlp),
        {"backpropmlpclassifier__alpha": [0.001, 0.1]},
        n_candidates=2,
        factor=2,
        random_state=0,
        **{**common, "min_resources": 30},
    )


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(list(searches()))
def test_estimator_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


# Where a rung ends.


def fingerprint(mlp, X, y):
    """A number that tells where a training has ended."""
    weights = sum(np.arcsinh(a).sum() for a in mlp.coefs_ + mlp.intercepts_)
    return weights + mlp.n_iter_ + np.arcsinh(mlp.loss_curve_).sum()


@pytest.mark.parametrize("alpha", [0.1, 1e5, 3e5, 1.5e6])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_who_diverges_after_a_rung_ends_as_without_it(iris, alpha, early_stopping):
    """With the best weights from before, whichever rung they are of."""
    X, y = iris
    # The penalty makes the weights grow, from epoch to epoch.
    mlp = make(
        solver="sgd",
        activation="identity",
        hidden_layer_sizes=(6, 6),
        batch_size="auto",
        learning_rate_init=0.01,
        momentum=0,
        alpha=alpha,
        early_stopping=early_stopping,
    ).fit(X, y)
    assert mlp.stop_reason_ == ("diverged" if alpha > 1 else "max_iter")
    assert mlp.n_iter_ > 3
    # Of candidates that are the same, one goes on.
    for first in (1, 2, 4, 8):
        factor = 16 // first
        params = {"min_resources": first, "max_resources": 16, "factor": factor}
        params |= {"resource": "max_iter", "scoring": fingerprint, "refit": False}
        search = halve(mlp, {"alpha": [alpha] * factor}, X, y, **params)
        assert search.n_resources_ == [first, 16]
        assert_survivors_equal_own_fits(search, X, y)


def test_a_fitted_regressor_with_other_parameters_since():
    """What a TransformedTargetRegressor was fitted with before is of no consequence."""
    X, y = load_diabetes(return_X_y=True)
    model = TransformedTargetRegressor(
        BackpropMLPRegressor(hidden_layer_sizes=3, max_iter=8, random_state=0)
    ).fit(X, y)
    model.set_params(regressor__max_iter=40)
    grid = {"regressor__alpha": [0.1, 1, 10]}
    search = StackedHalvingGridSearchCV(model, grid, cv=2, refit=False).fit(X, y)
    assert search.max_resources_ == 40


def test_the_epochs_of_a_halving_search_are_those_of_all_rows():
    X = np.tile(np.linspace(0, 1, 500), 18)[:, np.newaxis]
    model = TabularMLPRegressor(n_members=1, hidden_layer_sizes=2, random_state=0)
    grid = {"n_bins": [0, 2]}
    search = StackedHalvingGridSearchCV(
        model, grid, factor=50, min_resources=1, cv=2, refit=False
    ).fit(X, X[:, 0] % 0.3)
    # 2000 batches, of which an epoch has 36.
    assert search.max_resources_ == 55
