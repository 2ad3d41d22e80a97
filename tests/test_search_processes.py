"""The stacked searches use as many processes as shorten them."""

from multiprocessing import active_children

import joblib
import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    StackedRandomizedSearchCV,
)

# How many processes a search has depends on how fast the machine seems to be.
from skmlp_backprop._search import evaluation, work
from skmlp_backprop._search.searches import StackedSearchMixin

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"alpha": [0.01, 0.1, 1], "learning_rate_init": [0.01, 0.1]}


def make(**params):
    params = {"hidden_layer_sizes": 6, "max_iter": 5, **params}
    return BackpropMLPClassifier(**{"random_state": 0, **params})


def search(X, y, estimator=None, grid=GRID, n_jobs=2, **params):
    params = {"cv": 3, "refit": False, "verbose": 1, **params}
    estimator = make() if estimator is None else estimator
    return StackedGridSearchCV(estimator, grid, n_jobs=n_jobs, **params).fit(X, y)


@pytest.fixture
def no_processes():
    """Before the test, no process of joblib's runs."""
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def takes(monkeypatch, iris):
    """Let the search of this module seem to take a number of seconds."""

    def set_seconds(seconds):
        monkeypatch.setattr(work, "_SECONDS_OF_FIT", seconds / 18)

    return set_seconds


@pytest.fixture
def numbers(monkeypatch):
    """The values of `n_jobs` of joblib; all work is done in this process."""
    given = []

    class Recorded(evaluation.Parallel):
        def __init__(self, n_jobs, pre_dispatch):
            given.append(n_jobs)
            super().__init__(n_jobs=1)

    monkeypatch.setattr(evaluation, "Parallel", Recorded)
    return given


def test_a_short_search_starts_no_process(iris, capsys, no_processes):
    before = set(active_children())
    found = search(*iris)
    assert set(active_children()) <= before
    told = capsys.readouterr().out
    assert (
        "Using 1 of 2 processes: the search takes about 0.0 s, and more processes "
        "would not shorten it." in told.splitlines()
    )
    expected = search(*iris, n_jobs=1)
    assert "processes" not in capsys.readouterr().out
    np.testing.assert_array_equal(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


def test_a_long_search_starts_processes(iris, capsys, takes, no_processes):
    expected = search(*iris, n_jobs=1)
    takes(10)
    before = set(active_children())
    found = search(*iris)
    assert len(set(active_children()) - before) == 2
    told = capsys.readouterr().out
    assert (
        "Using 2 of 2 processes: the search takes about 6.7 s, with one 10.0 s."
        in told.splitlines()
    )
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


def test_running_processes_serve_shorter_searches(iris, takes, numbers):
    takes(1)
    get_reusable_executor().shutdown(wait=True)
    search(*iris)
    joblib.Parallel(2)(joblib.delayed(abs)(i) for i in range(4))
    search(*iris)
    assert numbers == [1, 2]


def blas_threads():
    return [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]


def test_a_short_search_is_on_one_thread(iris, monkeypatch, numbers, no_processes):
    """As a process of joblib's is; with `n_jobs=1` it has all threads."""
    n_threads, before = [], blas_threads()
    run_tasks = evaluation.run_tasks

    def recorded(*args, **kwargs):
        n_threads.append(blas_threads())
        return run_tasks(*args, **kwargs)

    monkeypatch.setattr(evaluation, "run_tasks", recorded)
    search(*iris, n_jobs=4)
    assert n_threads == [[1] * len(before)]
    assert blas_threads() == before
    search(*iris, n_jobs=1)
    assert n_threads[1] == before


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"backend": "threading"}, "the backend of joblib is not its default"),
        ({"estimator": make(solver="lbfgs")}, "there are candidates that can't be"),
        (
            {"grid": [{"alpha": [0.1, 1]}, {"solver": ["lbfgs"]}]},
            "there are candidates that can't be",
        ),
        ({"scoring": lambda e, X, y: e.score(X, y)}, "a scorer is not scikit-learn's"),
        (
            {
                "estimator": make_pipeline(PCA(2), make()),
                "grid": {"backpropmlpclassifier__alpha": [1, 2]},
            },
            "a Pipeline has steps of unknown time",
        ),
        (
            {"estimator": LogisticRegression(), "grid": {"C": [0.1, 1]}},
            "there are candidates that can't be stacked",
        ),
    ],
    ids=lambda case: str(case) if isinstance(case, str) else "-".join(case),
)
def test_searches_of_unknown_time(iris, case, reason, numbers, capsys):
    params = dict(case)
    backend = params.pop("backend", "loky")
    with joblib.parallel_config(backend):
        search(*iris, n_jobs=3, **params)
    assert numbers == [3]
    told = capsys.readouterr().out
    (line,) = (x for x in told.splitlines() if x.startswith("Using"))
    assert line.startswith("Using 3 of 3 processes, as n_jobs says: ")
    assert reason in line


def test_n_jobs_of_the_context(iris, takes, numbers):
    takes(100)
    with joblib.parallel_config("loky", n_jobs=4):
        search(*iris, n_jobs=None)
    assert numbers == [None]
    search(*iris, n_jobs=None)
    assert numbers == [None, None]


def test_no_more_processes_than_fits(iris, takes, numbers):
    takes(1000)
    search(*iris, n_jobs=64)
    # 18 fits.
    assert numbers == [18]


@pytest.mark.parametrize("has_context", [False, True])
def test_a_search_of_several_calls_starts_them_later(
    has_context, iris, takes, numbers, capsys
):
    class Twice(StackedSearchMixin, GridSearchCV):
        def _run_search(self, evaluate_candidates, callback_ctx=None):
            params = {}
            if callback_ctx is not None:
                callback_ctx = callback_ctx.subcontext("search", max_subtasks=3)
            for i, seconds in enumerate((0.1, 100, 0.1)):
                takes(seconds)
                if callback_ctx is not None:
                    params["callback_ctx"] = callback_ctx.subcontext(
                        f"call {i}", max_subtasks=18, sequential_subtasks=False
                    )
                evaluate_candidates([{"alpha": a} for a in range(6)], **params)

    class WithoutContext(Twice):
        """As subclasses for scikit-learn before 1.9 are."""

        def _run_search(self, evaluate_candidates):
            super()._run_search(evaluate_candidates)

    params = {"cv": 3, "n_jobs": 2, "refit": False, "verbose": 1}
    (Twice if has_context else WithoutContext)(make(), {}, **params).fit(*iris)
    assert numbers == [1, 2]
    assert capsys.readouterr().out.count("of 2 processes") == 2


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"factor": 2},
        {"min_resources": 4, "max_resources": 14},
        {"min_resources": 4, "max_resources": 14, "aggressive_elimination": True},
        {"resource": "n_samples", "max_resources": 150, "min_resources": 40},
    ],
    ids=str,
)
def test_a_halving_search_knows_its_rungs(iris, params, monkeypatch):
    known = []
    rounds = StackedHalvingGridSearchCV._rounds

    def recorded(self, n_candidates):
        known.append(rounds(self, n_candidates))
        return known[-1]

    monkeypatch.setattr(StackedHalvingGridSearchCV, "_rounds", recorded)
    params = {"n_jobs": 2, "cv": 3, "refit": False, **params}
    grid = {"alpha": np.logspace(-3, 0, 10).tolist()}
    found = StackedHalvingGridSearchCV(make(max_iter=27), grid, **params).fit(*iris)
    for i, rounds_left in enumerate(known):
        assert [n for n, _ in rounds_left] == found.n_candidates_[i:]
        factors = [factor for _, factor in rounds_left]
        ratios = np.divide(found.n_resources_[i:], found.n_resources_[i])
        # The resources are rounded down.
        np.testing.assert_allclose(ratios, factors, rtol=0.1)
    assert len(known) == found.n_iterations_ > 1


def test_a_halving_search_counts_all_rungs(iris, takes, numbers, no_processes):
    """Each of three rungs takes a second."""
    takes(1)
    params = {"n_jobs": 16, "cv": 3, "refit": False, "min_resources": 1}
    StackedHalvingGridSearchCV(make(max_iter=9), GRID, **params).fit(*iris)
    assert numbers == [1]
    del numbers[:]
    takes(20)
    StackedHalvingGridSearchCV(make(max_iter=9), GRID, **params).fit(*iris)
    # More would not help the second rung, of two candidates.
    assert numbers == [9]


def test_no_candidates(iris, numbers):
    distributions = {"alpha": [1]}
    empty = StackedRandomizedSearchCV(make(), distributions, n_jobs=2, cv=[], n_iter=1)
    with pytest.raises(ValueError, match="No fits were performed"):
        empty.fit(*iris)


# The estimate.


@pytest.fixture
def seconds(monkeypatch, iris):
    """The estimated time, in units of the default estimator's time."""
    monkeypatch.setattr(work, "_SECONDS_OF_FIT", 0)

    def ratio(*estimators, X=iris[0], y=iris[1], n_rows=100):
        expected = work.estimate_seconds([make()], *iris, 100)
        return work.estimate_seconds(estimators, X, y, n_rows) / expected

    return ratio


def test_the_estimate_follows_the_work(seconds, iris):
    X, _ = iris
    assert seconds(make()) == 1
    assert seconds(make(max_iter=20)) == 4
    assert seconds(make(max_iter=20), make()) == 2.5
    assert seconds(make(), X=X.astype(np.float32)) == 0.5
    assert seconds(make(), n_rows=400) == pytest.approx(3.5, abs=0.6)
    assert seconds(make(batch_size=1)) > 5
    wide = make(hidden_layer_sizes=(100, 100))
    assert seconds(wide) > 20
    assert seconds(make(hidden_layer_sizes=())) < 1


def test_the_estimate_of_other_inputs(seconds, iris):
    X, y = iris
    for other in (X.tolist(), X.astype("f8", order="F")):
        assert seconds(make(), X=other) == 1
    assert seconds(make(), y=np.array(["a", "b", "c"])[y]) == 1
    assert seconds(make(), y=y.tolist()) == 1
    assert seconds(make(), y=np.eye(3, dtype=int)[y]) == 1
    assert seconds(make(), y=sparse.csr_array(np.eye(3)[y])) == 1
    regressor = BackpropMLPRegressor(hidden_layer_sizes=6, max_iter=5)
    assert seconds(regressor, y=X[:, :3]) == 1
    assert seconds(regressor, y=X[:, 0]) < 1
    scaled = make_pipeline(StandardScaler(), make())
    assert seconds(scaled) == 1
    assert seconds(make_pipeline(StandardScaler(), clone(scaled))) == 1
    assert seconds(make(), X=np.tile(X, 30)) > 4


def test_the_estimate_of_sparse_rows():
    estimators = [make(batch_size=100)]
    X = sparse.random(1000, 500, 0.01, format="csr", random_state=0)
    y = np.arange(1000) % 3
    sparse_seconds = work.estimate_seconds(estimators, X, y, 1000)
    dense_seconds = work.estimate_seconds(estimators, X.toarray(), y, 1000)
    assert 0.1 * dense_seconds < sparse_seconds < 0.8 * dense_seconds
    full = sparse.csr_array(np.ones((100, 4)))
    assert work.estimate_seconds(estimators, full, y[:100], 80) == (
        work.estimate_seconds(estimators, full.toarray(), y[:100], 80)
    )


def test_texts_have_an_unknown_time():
    assert work.estimate_seconds([make()], ["a", "b"], [0, 1], 2) is None
    assert work.estimate_seconds([make()], np.array(["a", "b"]), [0, 1], 2) is None
