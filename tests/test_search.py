"""The stacked searches find what scikit-learn's find."""

import re
import warnings

import joblib
import numpy as np
import pytest
from probes import CtrlC, StackSizes
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
    learning_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    StackedRandomizedSearchCV,
    TabularMLPRegressor,
    fit_stack,
)
from skmlp_backprop.datasets import read_idx

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALPHAS = [1e-4, 1e-2, 0.1, 1, 10]
RATES = [0.001, 0.003, 0.01, 0.03]
GRID = {"alpha": ALPHAS, "learning_rate_init": RATES}
TIMES = ("fit_time", "score_time")


# With these few units learn something in a few epochs of a few rows.
FAST = {"activation": "tanh", "learning_rate_init": 0.01}


def make(**params):
    params = {"hidden_layer_sizes": (6,), "max_iter": 5, **FAST, **params}
    return BackpropMLPClassifier(**{"random_state": 0, **params})


@pytest.fixture
def stacks():
    return StackSizes()


def assert_same_results(stacked, plain, atol=1e-12):
    ours, theirs = stacked.cv_results_, plain.cv_results_
    assert list(ours) == list(theirs)
    for key, values in theirs.items():
        if key == "params":
            assert ours[key] == values
        elif key.startswith("param_"):
            np.testing.assert_array_equal(ours[key], values)
        elif key.endswith(TIMES):
            assert ours[key].shape == values.shape
            assert (ours[key] >= 0).all()
        else:
            np.testing.assert_allclose(ours[key], values, atol=atol, err_msg=key)


def both(estimator, grid, X, y, fit_params=None, **params):
    ours = StackedGridSearchCV(estimator, grid, **params)
    theirs = GridSearchCV(clone(estimator), grid, **params)
    return ours.fit(X, y, **fit_params or {}), theirs.fit(X, y, **fit_params or {})


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"return_train_score": True, "cv": 3},
        {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss", "cv": 3},
        {"scoring": {"a": "accuracy", "b": "f1_macro"}, "refit": False, "cv": 3},
        {"refit": lambda results: int(np.argmin(results["rank_test_score"])), "cv": 3},
        {"scoring": lambda e, X, y: {"n": len(X), "s": e.score(X, y)}, "refit": "s"},
        {"cv": KFold(3, shuffle=True, random_state=0)},
        {"n_jobs": 2},
        {"refit": False},
    ],
    ids=lambda p: "-".join(p) or "default",
)
def test_results(iris, params, free_processes):
    ours, theirs = both(make(), GRID, *iris, **params)
    assert_same_results(ours, theirs)
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    own = {"n_stacked_", "n_fits_alone_"}
    assert {name for name in vars(ours) if name.endswith("_")} == fitted | own
    for name in fitted & {"best_index_", "best_params_", "n_splits_", "multimetric_"}:
        assert getattr(ours, name) == getattr(theirs, name)
    if params.get("refit", True):
        for a, b in zip(
            ours.best_estimator_.coefs_, theirs.best_estimator_.coefs_, strict=True
        ):
            np.testing.assert_array_equal(a, b)
        assert ours.refit_time_ > 0
        np.testing.assert_array_equal(ours.predict(iris[0]), theirs.predict(iris[0]))


@pytest.fixture(scope="module", params=["digits", "mnist"])
def searched(request, digits):
    if request.param == "digits":
        return digits
    folder = request.getfixturevalue("data_dir") / "mnist"
    X = read_idx(folder / "train-images-idx3-ubyte.gz")[:1000].reshape(1000, -1) / 255
    return X, read_idx(folder / "train-labels-idx1-ubyte.gz")[:1000].astype(int)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_weights_after_three_epochs(searched, solver):
    """Every candidate of the 5 x 4 grid, on every fold."""
    X, y = searched
    for train, _ in StratifiedKFold(5).split(X, y):
        candidates = [
            make(
                hidden_layer_sizes=(25,),
                solver=solver,
                max_iter=3,
                alpha=alpha,
                learning_rate_init=rate,
            )
            for alpha in ALPHAS
            for rate in RATES
        ]
        own = [clone(mlp).fit(X[train], y[train]) for mlp in candidates]
        stacked = fit_stack(candidates, X[train], y[train])
        for a, b in zip(stacked, own, strict=True):
            for ours, theirs in zip(
                [*a.coefs_, *a.intercepts_], [*b.coefs_, *b.intercepts_], strict=True
            ):
                np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_scores_of_a_full_training(searched, solver, free_processes):
    X, y = searched
    mlp = make(hidden_layer_sizes=(25,), solver=solver, max_iter=40)
    ours, theirs = both(mlp, GRID, X, y, cv=3, n_jobs=2, refit=False)
    score = "mean_test_score"
    a, b = ours.cv_results_[score], theirs.cv_results_[score]
    np.testing.assert_allclose(a, b, atol=0.01)
    assert abs(b[ours.best_index_] - b[theirs.best_index_]) <= 0.005


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


def test_pipeline_fits_its_transformers_once_each(iris, stacks):
    mlp = make(solver=stacks.adam)
    pipeline = make_pipeline(StandardScaler(), Counted(), mlp)
    grid = {
        "counted__factor": [0.5, 1.0],
        "backpropmlpclassifier__alpha": [0.1, 1],
        "backpropmlpclassifier__learning_rate_init": [0.01, 0.1, 0.3],
    }
    Counted.n_fits = 0
    search = StackedGridSearchCV(pipeline, grid, cv=3).fit(*iris)
    assert Counted.n_fits == 2 * 3 + 1
    # A factor's six candidates in three folds.
    assert stacks.shared == [18] * 2
    plain = GridSearchCV(clone(pipeline), grid, cv=3).fit(*iris)
    assert_same_results(search, plain)


def test_whole_steps_are_searched(iris, stacks):
    pipeline = Pipeline([("reduce", PCA()), ("mlp", make())])
    shapes = [{"alpha": 1}, {"alpha": 2}, {"hidden_layer_sizes": 3}]
    grid = {
        "reduce": [PCA(2), PCA(3), "passthrough"],
        "mlp": [make(solver=stacks.adam, **shape) for shape in shapes],
    }
    ours, theirs = both(pipeline, grid, *iris, cv=3)
    assert_same_results_but_params(ours, theirs)
    assert sorted(stacks.shared) == [3] * 3 + [6] * 3


def assert_same_results_but_params(stacked, plain):
    for key, values in plain.cv_results_.items():
        if not key.startswith("param") and not key.endswith(TIMES):
            np.testing.assert_allclose(stacked.cv_results_[key], values, atol=1e-12)


def test_what_cannot_be_stacked(iris, stacks):
    grid = [
        {"solver": ["lbfgs"], "alpha": [0.1, 1], "max_iter": [20]},
        {"hidden_layer_sizes": [(3,), (6,)], "alpha": [0.1, 1]},
        {"solver": [stacks.sgd], "alpha": [0.1]},
    ]
    ours, theirs = both(make(solver=stacks.adam), grid, *iris, cv=3)
    assert_same_results(ours, theirs)
    assert stacks.shared == [6, 6, 3]


def test_seeds(iris, stacks):
    grid = {"random_state": [0, 1, 2], "alpha": [0.1, 1]}
    ours, theirs = both(make(solver=stacks.adam), grid, *iris, cv=3)
    assert_same_results(ours, theirs)
    assert stacks.shared == [6] * 3


def test_other_estimators(iris):
    ours, theirs = both(LogisticRegression(), {"C": [0.1, 1]}, *iris)
    assert_same_results(ours, theirs)
    assert ours.n_stacked_ == 0


@pytest.mark.parametrize(
    ("n_jobs", "sizes"), [(None, [60]), (2, [30, 30]), (4, [15] * 4), (5, [12] * 5)]
)
def test_left_over_tasks_are_shared(iris, stacks, n_jobs, sizes):
    with joblib.parallel_config("threading"):
        search = StackedGridSearchCV(make(solver=stacks.adam), GRID, n_jobs=n_jobs)
        search.set_params(cv=3, refit=False).fit(*iris)
    assert stacks.shared == sizes


def test_fits_that_are_not_stacked_come_last(iris):
    order = []

    def score(estimator, X, y):
        order.append(estimator.solver)
        return 0.0

    grid = [
        {"solver": ["lbfgs"], "alpha": [1]},
        {"solver": ["sgd"], "alpha": [1, 2]},
    ]
    search = StackedGridSearchCV(make(max_iter=1), grid, cv=2, refit=False)
    search.set_params(scoring=score).fit(*iris)
    assert order == ["sgd"] * 4 + ["lbfgs"] * 2


@pytest.mark.parametrize("n_jobs", [2, 3, 5, 7, 16])
@pytest.mark.parametrize("n_splits", [2, 5])
def test_tasks_cover_everything_once(iris, stacks, n_jobs, n_splits):
    mlp = make(solver=stacks.adam, max_iter=1)
    grid = [
        {"hidden_layer_sizes": [3], "alpha": ALPHAS},
        {"hidden_layer_sizes": [4], "alpha": ALPHAS, "learning_rate_init": [0.1, 1]},
    ]
    search = StackedGridSearchCV(mlp, grid, cv=n_splits, refit=False)
    with joblib.parallel_config("threading"):
        scores = search.set_params(n_jobs=n_jobs).fit(*iris).cv_results_
    assert sum(stacks.sizes) == 15 * n_splits
    expected = search.set_params(n_jobs=None).fit(*iris).cv_results_
    for i in range(n_splits):
        key = f"split{i}_test_score"
        np.testing.assert_allclose(scores[key], expected[key])


def test_divergence_and_failure(iris):
    grid = {
        "learning_rate_init": [0.01, 1e200],
        "alpha": [0, 1],
        "activation": ["relu"],
    }
    ours, theirs = both(make(), grid, *iris)
    assert_same_results(ours, theirs)
    assert np.isfinite(ours.cv_results_["mean_test_score"]).all()

    bad = {"alpha": [0.1, -1.0, 1.0]}
    with pytest.warns(FitFailedWarning, match="5 fits failed out of a total of 15"):
        ours = StackedGridSearchCV(make(), bad, error_score=-7).fit(*iris)
    assert ours.cv_results_["mean_test_score"][1] == -7
    assert (ours.cv_results_["mean_test_score"][[0, 2]] > 0.5).all()
    with pytest.raises(ValueError, match="'alpha' parameter"):
        StackedGridSearchCV(make(), bad, error_score="raise").fit(*iris)


def test_invalid_candidates_of_any_kind(iris):
    lists = [
        {"alpha": [0.1, 1]},
        {"solver": [["adam"]]},
        {"dropout": [[0.1, [1]]]},
        {"activation": [[print]]},
    ]
    with pytest.warns(FitFailedWarning, match="9 fits failed out of a total of 15"):
        search = StackedGridSearchCV(make(), lists, cv=3, error_score=-1).fit(*iris)
    scores = search.cv_results_["mean_test_score"]
    assert (scores[:2] > 0).all()
    assert (scores[2:] == -1).all()


@pytest.mark.since_1_9("routes no weights to the score of a Pipeline")
def test_requests_of_candidates(iris):
    weight = np.where(iris[1] == 0, 1.0, 1e-6)
    with config_context(enable_metadata_routing=True):
        steps = [
            make()
            .set_fit_request(sample_weight=on)
            .set_score_request(sample_weight=True)
            for on in (True, False)
        ]
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        pipeline = Pipeline([("scaler", scaler), ("mlp", steps[0])])
        fit_params = {"sample_weight": weight}
        ours, theirs = both(pipeline, {"mlp": steps}, *iris, fit_params, cv=3)
    assert_same_results_but_params(ours, theirs)
    assert np.ptp(ours.cv_results_["mean_test_score"]) > 0.01


def test_early_stopping_per_candidate(digits):
    X, y = digits[0][:400], digits[1][:400]
    mlp = make(early_stopping=True, max_iter=60, n_iter_no_change=3)
    ours, theirs = both(mlp, GRID, X, y, cv=2)
    assert_same_results(ours, theirs)


@pytest.mark.since_1_9("routes no weights to the score of a Pipeline")
@pytest.mark.parametrize("routing", [False, True])
def test_metadata(iris, routing, stacks):
    X, y = iris
    weight = np.random.default_rng(0).integers(1, 5, len(y)).astype(float)
    with config_context(enable_metadata_routing=routing):
        mlp = make(solver=stacks.adam)
        if routing:
            mlp.set_fit_request(sample_weight=True).set_score_request(
                sample_weight=True
            )
        fit_params = {"sample_weight": weight, "groups": np.arange(len(y)) % 7}
        params = {"cv": GroupKFold(3), "return_train_score": True}
        ours, theirs = both(mlp, GRID, X, y, fit_params, **params)
        if routing:
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            pipeline = make_pipeline(scaler, mlp)
            grid = {f"backpropmlpclassifier__{k}": v for k, v in GRID.items()}
            in_pipeline = both(pipeline, grid, X, y, fit_params, cv=GroupKFold(3))
            assert_same_results(*in_pipeline)
    assert_same_results(ours, theirs)
    plain = StackedGridSearchCV(make(), GRID, cv=GroupKFold(3))
    plain.fit(X, y, groups=fit_params["groups"])
    score = "mean_test_score"
    assert not np.allclose(plain.cv_results_[score], ours.cv_results_[score])
    assert set(stacks.shared) == {20}


def test_pipeline_takes_weights_by_step(iris):
    weight = np.arange(1.0, 151.0)
    pipeline = make_pipeline(StandardScaler(), make())
    grid = {"backpropmlpclassifier__alpha": [0.1, 1]}
    fit_params = {"backpropmlpclassifier__sample_weight": weight}
    assert_same_results(*both(pipeline, grid, *iris, fit_params))


def test_randomized(iris):
    distributions = {"alpha": loguniform(1e-3, 10), "learning_rate_init": RATES}
    params = {"n_iter": 7, "random_state": 3, "cv": 3}
    ours = StackedRandomizedSearchCV(make(), distributions, **params).fit(*iris)
    theirs = RandomizedSearchCV(make(), distributions, **params).fit(*iris)
    assert_same_results(ours, theirs)


def test_inside_other_tools(iris):
    search = StackedGridSearchCV(make(), {"alpha": [0.1, 1]}, cv=2)
    plain = GridSearchCV(make(), {"alpha": [0.1, 1]}, cv=2)
    np.testing.assert_allclose(
        cross_val_score(search, *iris, cv=3), cross_val_score(plain, *iris, cv=3)
    )
    for ours, theirs in zip(
        learning_curve(
            search, *iris, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
        ),
        learning_curve(
            plain, *iris, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
        ),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs)
    html = search.fit(*iris)._repr_html_()
    assert "StackedGridSearchCV" in html
    assert "BackpropMLPClassifier" in html


@pytest.mark.parametrize("verbose", [1, 2, 3, 10])
@pytest.mark.parametrize("scoring", [None, ["accuracy", "neg_log_loss"]])
@pytest.mark.parametrize("return_train_score", [False, True])
def test_verbose(iris, capsys, verbose, scoring, return_train_score):
    """The same lines as GridSearchCV's, but for the times and starts of single fits."""

    def lines(search):
        search(
            make(),
            {"alpha": [0.1, 1], "tol": [0.1]},
            cv=2,
            scoring=scoring,
            refit=False,
            verbose=verbose,
            return_train_score=return_train_score,
        ).fit(*iris)
        printed = capsys.readouterr().out.splitlines()
        found = [re.sub(r"\.* *[\d.]+(s|min)$", "", line) for line in printed]
        return sorted(re.sub(r"END \.+", "END ", x) for x in found if "START" not in x)

    ours = lines(StackedGridSearchCV)
    ours.remove("Trained 4 of 4 fits in stacks")
    assert ours == lines(GridSearchCV)
    assert len(ours) == (1 if verbose == 1 else 5)


def test_tells_what_was_stacked_and_why_not(iris, capsys):
    grid = [
        {"solver": ["lbfgs"], "alpha": [0.1, 1], "max_iter": [20]},
        {"hidden_layer_sizes": [(3,)], "alpha": [0.1, 1, 10]},
        {"solver": ["sgd"], "alpha": [0.1]},
        {"warm_start": [True]},
    ]
    search = StackedGridSearchCV(make(), grid, cv=2, verbose=1).fit(*iris)
    assert search.n_stacked_ == 8
    assert search.n_fits_alone_ == {
        "solver 'lbfgs' works on all rows at once": 4,
        "with warm_start it goes on from weights of its own": 2,
    }
    told = capsys.readouterr().out
    assert "Trained 8 of 14 fits in stacks" in told
    assert "  4 one by one: solver 'lbfgs' works on all rows at once" in told


class OurOwn(BackpropMLPClassifier):
    """A subclass of a user's."""


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (OurOwn(), "OurOwn is a subclass, which may define its own fit"),
        (Ridge(), "Ridge is no BackpropMLPClassifier or BackpropMLPRegressor"),
        (
            make_pipeline(Ridge()),
            "Ridge is no BackpropMLPClassifier or BackpropMLPRegressor",
        ),
        (
            BackpropMLPClassifier(random_state=np.random.RandomState(0)),
            "random_state is a RandomState, whose draws other fits would change",
        ),
        (
            TransformedTargetRegressor(),
            "TransformedTargetRegressor is no BackpropMLPClassifier or "
            "BackpropMLPRegressor",
        ),
    ],
    ids=["subclass", "other", "other in a Pipeline", "RandomState", "default"],
)
def test_tells_of_others(estimator, reason, iris):
    grid = {"alpha": [0.1, 1]}
    if isinstance(estimator, Pipeline):
        grid = {"ridge__alpha": [0.1, 1]}
    elif isinstance(estimator, TransformedTargetRegressor):
        grid = {"check_inverse": [True, False]}
    search = StackedGridSearchCV(estimator, grid, cv=2, refit=False)
    search.fit(*iris)
    assert search.n_stacked_ == 0
    assert search.n_fits_alone_ == {reason: 4}


def test_stack_too_large_for_two(iris):
    """Each network has 2.4 MB of weights: there is no room for another."""
    mlp = make(hidden_layer_sizes=(50, 6000), max_iter=1)
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, cv=2, refit=False)
    search.fit(*iris)
    assert search.n_stacked_ == 0
    (reason,) = search.n_fits_alone_
    assert "too large" in reason


def nested(**params):
    inner = Pipeline([("scale", StandardScaler()), ("mlp", make(**params))])
    return Pipeline([("pca", PCA()), ("inner", inner)])


def test_pipeline_in_a_pipeline(iris, stacks):
    grid = {"inner__mlp__alpha": [0.1, 1, 10], "pca__n_components": [2, 3]}
    ours, theirs = both(nested(solver=stacks.adam), grid, *iris, cv=3)
    assert_same_results(ours, theirs)
    assert stacks.shared == [9] * 2
    assert ours.n_stacked_ == 18
    assert ours.n_fits_alone_ == {}


def test_inner_steps_are_searched(iris, stacks):
    grid = {
        "inner__scale": [StandardScaler(), "passthrough"],
        "inner__mlp": [make(solver=stacks.adam, alpha=alpha) for alpha in (0.1, 1)],
    }
    ours, theirs = both(nested(), grid, *iris, cv=3)
    assert_same_results(ours, theirs)
    assert stacks.shared == [6] * 2


def test_imbalanced_learns_pipeline(iris, stacks):
    imblearn_pipeline = pytest.importorskip("imblearn.pipeline")
    from imblearn.over_sampling import RandomOverSampler

    X, y = iris[0][:120], iris[1][:120]
    pipeline = imblearn_pipeline.Pipeline(
        [
            ("over", RandomOverSampler(random_state=0)),
            ("mlp", make(solver=stacks.adam)),
        ]
    )
    ours, theirs = both(pipeline, {"mlp__alpha": [0.1, 1, 10]}, X, y, cv=3)
    assert_same_results(ours, theirs)
    # A fold with more rows has a batch more.
    assert stacks.shared == [3, 6]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("alphas", [[0.1, 1], [0.1]])
@pytest.mark.parametrize("is_pipeline", [False, True])
def test_one_interrupt_aborts_a_search(solver, alphas, is_pipeline, iris):
    ctrl_c = CtrlC()
    estimator = make(solver=solver, activation=ctrl_c.activation)
    name = "alpha"
    if is_pipeline:
        estimator = make_pipeline(StandardScaler(), estimator)
        name = "backpropmlpclassifier__alpha"
    search = StackedGridSearchCV(estimator, {name: [0.01]}, cv=2).fit(*iris)
    before = vars(search).copy()
    ctrl_c.press(at=5)
    search.param_grid = {name: alphas}
    with pytest.raises(KeyboardInterrupt):
        search.fit(*iris)
    assert ctrl_c.n_evaluations == 5
    # What was found before is still there.
    assert vars(search) == {**before, "param_grid": search.param_grid}


def test_an_interrupted_refit_aborts_a_search(iris, monkeypatch):
    ctrl_c = CtrlC()
    mlp = make(activation=ctrl_c.activation)
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, cv=2)
    fits = []
    fit = BackpropMLPClassifier.fit

    def interrupted_fit(self, *args, **params):
        fits.append(self)
        ctrl_c.press(at=3)
        return fit(self, *args, **params)

    monkeypatch.setattr(BackpropMLPClassifier, "fit", interrupted_fit)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*iris)
    assert len(fits) == 1
    assert not hasattr(search, "best_estimator_")


class Recorder:
    """A callback that counts the evaluations of a search."""

    def __init__(self):
        self.ended = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)

    def teardown(self, estimator, context):
        pass


@pytest.mark.callbacks
def test_callbacks_see_every_evaluation(iris):
    recorder = Recorder()
    search = StackedGridSearchCV(make(), {"alpha": [0.1, 1]}, cv=3)
    search.set_callbacks(recorder).fit(*iris)
    assert recorder.ended.count("candidate-split-evaluation") == 6
    assert recorder.ended.count("search") == 1
    assert recorder.ended.count("refit-with-best-params") == 1


@pytest.mark.callbacks
def test_progress_bar(iris, capsys, free_processes):
    from sklearn.callback import ProgressBar

    pytest.importorskip("rich")
    search = StackedGridSearchCV(make(), {"alpha": [0.1, 1]}, cv=3, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=0)).fit(*iris)
    assert "StackedGridSearchCV" in capsys.readouterr().out


def test_inconsistent_splits(iris):
    class Liar(KFold):
        def get_n_splits(self, *args, **kwargs):
            return 4

    with pytest.raises(ValueError, match="Expected 4 splits, got 3"):
        StackedGridSearchCV(make(), {"alpha": [0.1]}, cv=Liar(3)).fit(*iris)
    with pytest.raises(ValueError, match="Invalid parameter"):
        StackedGridSearchCV(make(), {"lambda": [0.1]}).fit(*iris)


def regressors_within():
    """A network that sees a transformed y, in and around Pipelines; and its path."""
    network = BackpropMLPRegressor(
        hidden_layer_sizes=5, max_iter=8, batch_size=40, random_state=0
    )
    scaled = {"transformer": StandardScaler()}
    inner = make_pipeline(StandardScaler(), network)
    return {
        "alone": (TransformedTargetRegressor(network, **scaled), "regressor__"),
        "by functions": (
            TransformedTargetRegressor(network, func=np.log, inverse_func=np.exp),
            "regressor__",
        ),
        "last in a Pipeline": (
            make_pipeline(
                StandardScaler(), TransformedTargetRegressor(network, **scaled)
            ),
            "transformedtargetregressor__regressor__",
        ),
        "around a Pipeline": (
            TransformedTargetRegressor(inner, **scaled),
            "regressor__backpropmlpregressor__",
        ),
        "between two": (
            make_pipeline(PCA(6), TransformedTargetRegressor(inner, **scaled)),
            "transformedtargetregressor__regressor__backpropmlpregressor__",
        ),
    }


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
@pytest.mark.parametrize("where", list(regressors_within()))
def test_networks_that_see_a_transformed_y_are_stacked(where, scoring):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    estimator, path = regressors_within()[where]
    grid = {f"{path}alpha": [0.01, 100], f"{path}learning_rate_init": [0.001, 0.01]}
    params = {"cv": 3, "scoring": scoring, "return_train_score": True}
    ours = StackedGridSearchCV(estimator, grid, **params).fit(X, y)
    theirs = GridSearchCV(estimator, grid, **params).fit(X, y)
    assert ours.n_stacked_ == 12
    for name in ("mean_test_score", "std_test_score", "mean_train_score"):
        np.testing.assert_allclose(
            ours.cv_results_[name], theirs.cv_results_[name], rtol=1e-9, atol=1e-9
        )
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    assert ours.n_features_in_ == 10
    assert ours.feature_names_in_.tolist() == X.columns.tolist()
    halving = StackedHalvingGridSearchCV(estimator, grid, cv=3).fit(X, y)
    assert halving.n_resources_ == [2, 6]
    assert halving.n_fits_alone_ == {}


def test_scorers_see_the_names_of_features_around_a_transformed_y():
    """The names that the regressor within it has seen; the parameter is not fitted."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    estimator, path = regressors_within()["alone"]
    seen = []

    def score(model, X, y):
        seen.append(list(model.feature_names_in_))
        assert hasattr(model.regressor_, "coefs_")
        assert model.regressor.alpha == model.regressor_.alpha
        assert not hasattr(model.regressor, "coefs_")
        return 0.0

    params = {"cv": 2, "scoring": score, "refit": False, "error_score": "raise"}
    StackedGridSearchCV(estimator, {f"{path}alpha": [1, 2]}, **params).fit(X, y)
    assert seen == [list(X.columns)] * 4


@pytest.mark.since_1_9("routes no weights to the score of a Pipeline")
def test_a_transformed_y_with_weights():
    X, y = load_diabetes(return_X_y=True)
    weights = np.arange(len(y)) + 1.0
    estimator, path = regressors_within()["alone"]
    with config_context(enable_metadata_routing=True):
        estimator.regressor.set_fit_request(sample_weight=True)
        grid = {f"{path}alpha": [0.01, 100]}
        ours = StackedGridSearchCV(estimator, grid, cv=3)
        theirs = GridSearchCV(estimator, grid, cv=3)
        for search in (ours, theirs):
            search.fit(X, y, sample_weight=weights)
    assert ours.n_stacked_ == 6
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )


def test_halving_over_tables_at_their_defaults():
    X, y = load_diabetes(return_X_y=True)
    model = TabularMLPRegressor(2, 8, random_state=0)
    search = StackedHalvingGridSearchCV(model, {"n_bins": [2, 4, 8]}, cv=2, refit=False)
    assert search.fit(X, y).n_resources_[-1] <= 80
    assert search.n_candidates_ == [3, 1]


def searches():
    """Instances as scikit-learn's common tests make of its own, and over ours.

    Both searches are on each kind of estimator, and each kind is bare and the last step
    of a Pipeline.
    """
    mlp = make(max_iter=200)
    grid = [
        (Ridge(), "alpha"),
        (make_pipeline(PCA(), LogisticRegression()), "logisticregression__C"),
        (mlp, "alpha"),
    ]
    randomized = [
        (make_pipeline(PCA(), Ridge()), "ridge__alpha"),
        (LogisticRegression(), "C"),
        (make_pipeline(StandardScaler(), mlp), "backpropmlpclassifier__alpha"),
    ]
    common = {"cv": 2, "error_score": "raise"}
    for estimator, name in grid:
        yield StackedGridSearchCV(estimator, {name: [0.1, 1.0]}, **common)
    for estimator, name in randomized:
        yield StackedRandomizedSearchCV(
            estimator, {name: [0.1, 1.0]}, random_state=0, **common
        )


# scikit-learn excuses its own searches, over any estimator, from these.
EXCUSED = {"check_supervised_y_2d": "Ridge takes a column of y without a warning"}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    list(searches()),
    expected_failed_checks=lambda s: {} if is_classifier(s) else EXCUSED,
)
def test_estimator_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)
