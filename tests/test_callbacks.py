"""scikit-learn's callbacks, and our own, with every solver."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    TabularMLPClassifier,
    fit_stack,
)

# Copies that nobody asks for show in no result: they are counted here.
from skmlp_backprop._network.parameters import Parameters
from skmlp_backprop.callbacks import EarlyStopping, ScoreHistory

sklearn_callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn before 1.9 has no callbacks"
)
ProgressBar, ScoringMonitor = (
    getattr(sklearn_callback, name) for name in ("ProgressBar", "ScoringMonitor")
)
SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Recorder:
    """Writes every hook down; stops at an iteration if told to."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.events = []
        self.snapshots = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        if context.task_name != "fit":
            self.snapshots.append(fitted_estimator)
            assert fitted_estimator.predict(X).shape == y.shape
        return len(self.snapshots) == self.stop_at

    def teardown(self, estimator, context):
        self.events.append("teardown")


class Blind:
    """Asks for nothing."""

    def setup(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context): ...

    def teardown(self, estimator, context): ...


def make(solver, **params):
    params = {"hidden_layer_sizes": 5, "max_iter": 6, "random_state": 0, **params}
    return BackpropMLPClassifier(solver=solver, **params)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_iteration_is_a_task(solver, iris):
    recorder = Recorder()
    mlp = make(solver, tol=0).set_callbacks(recorder).fit(*iris)
    name = "epoch" if solver in ("sgd", "adam") else "iteration"
    assert mlp.n_iter_ == 6
    assert recorder.events == [
        "setup",
        "begin fit",
        *[f"begin {name}", f"end {name}"] * 6,
        "end fit",
        "teardown",
    ]
    assert [s.loss_ for s in recorder.snapshots] == mlp.loss_curve_
    assert [s.n_iter_ for s in recorder.snapshots] == [1, 2, 3, 4, 5, 6]
    assert len({s.coefs_[0].tobytes() for s in recorder.snapshots}) == 6
    if name == "iteration":
        for snapshot in recorder.snapshots:
            loss, _ = snapshot.loss_and_gradient(*iris)
            assert loss == pytest.approx(snapshot.loss_, rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_can_stop_it(solver, iris):
    recorder = Recorder(stop_at=3)
    mlp = make(solver).set_callbacks(recorder).fit(*iris)
    assert mlp.n_iter_ == len(mlp.loss_curve_) == 3
    assert all(np.isfinite(a).all() for a in mlp.coefs_ + mlp.intercepts_)
    assert mlp.predict(iris[0]).shape == iris[1].shape


@pytest.mark.parametrize("solver", SOLVERS)
def test_fitted_estimator_is_made_on_demand(solver, iris, monkeypatch):
    copies = []
    copy = Parameters.copy
    monkeypatch.setattr(
        Parameters, "copy", lambda *args: copies.append(1) or copy(*args)
    )
    make(solver).fit(*iris)
    plain = len(copies)
    make(solver).set_callbacks(Blind()).fit(*iris)
    assert len(copies) == 2 * plain
    make(solver).set_callbacks(Recorder()).fit(*iris)
    assert len(copies) >= 3 * plain + 6


@pytest.mark.parametrize("solver", SOLVERS)
def test_scoring_monitor(solver, iris):
    monitor = ScoringMonitor(scoring="accuracy")
    mlp = make(solver, tol=0).set_callbacks(monitor).fit(*iris)
    data = monitor.get_logs(select="most_recent").data
    rows = [row for row in data if row["task_name"] in ("epoch", "iteration")]
    assert len(rows) == mlp.n_iter_
    assert rows[-1]["accuracy"] == mlp.score(*iris)


@pytest.mark.parametrize("solver", SOLVERS)
def test_of_a_regressor(solver, iris):
    X, y = iris[0][:, 1:], iris[0][:, 0]
    recorder, monitor = Recorder(), ScoringMonitor(scoring="r2")
    mlp = BackpropMLPRegressor(
        hidden_layer_sizes=5, solver=solver, max_iter=6, tol=0, random_state=0
    )
    mlp.set_callbacks(recorder, monitor).fit(X, y)
    assert [s.loss_ for s in recorder.snapshots] == mlp.loss_curve_
    rows = [
        row
        for row in monitor.get_logs(select="most_recent").data
        if row["task_name"] in ("epoch", "iteration")
    ]
    assert [row["r2"] for row in rows] == [s.score(X, y) for s in recorder.snapshots]


@pytest.mark.parametrize("solver", SOLVERS)
def test_progress_bar_in_a_search_over_a_pipeline(solver, iris, capsys):
    pipeline = make_pipeline(StandardScaler(), make(solver))
    search = GridSearchCV(pipeline, {"backpropmlpclassifier__alpha": [0.1, 1]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(*iris)
    assert search.best_score_ > 0.3
    assert "BackpropMLPClassifier" in capsys.readouterr().out


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_early_stopping(solver, scoring, iris):
    X_train, X_val, y_train, y_val = train_test_split(*iris, random_state=0)
    stopping = EarlyStopping(X_val, y_val, scoring=scoring, patience=4)
    mlp = make(solver, alpha=0, max_iter=500, tol=0, learning_rate_init=0.1)
    mlp.set_callbacks(stopping).fit(X_train, y_train)
    assert len(stopping.scores_) == mlp.n_iter_ == stopping.best_iter_ + 4
    assert stopping.best_score_ == max(stopping.scores_)
    assert stopping.scores_.index(stopping.best_score_) == stopping.best_iter_ - 1
    if scoring is None:
        assert mlp.score(X_val, y_val) == stopping.best_score_
    else:
        loss = log_loss(y_val, mlp.predict_proba(X_val))
        assert -loss == pytest.approx(stopping.best_score_)
    last = EarlyStopping(X_val, y_val, scoring="neg_log_loss", restore_best=False)
    mlp.set_callbacks(last).fit(X_train, y_train)
    loss = log_loss(y_val, mlp.predict_proba(X_val))
    assert -loss == pytest.approx(last.scores_[-1])


def test_early_stopping_inside_pipeline_and_search(iris):
    X, y = iris
    stopping = EarlyStopping(X[::5], y[::5], patience=2)
    mlp = make("adam", max_iter=200).set_callbacks(stopping)
    pipeline = Pipeline([("mlp", mlp)])
    search = GridSearchCV(pipeline, {"mlp__alpha": [0.1, 1]}, cv=3, n_jobs=2)
    search.fit(X, y)
    fitted = search.best_estimator_[-1]
    assert fitted.n_iter_ < 200
    assert fitted.score(X[::5], y[::5]) == stopping.best_score_


def test_a_callback_that_fails_leaves_the_old_fit(iris):
    class Failing(Blind):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no")

    mlp = make("adam").fit(*iris)
    before = mlp.coefs_[0].copy()
    mlp.set_callbacks(Failing())
    with pytest.raises(RuntimeError, match="no"):
        mlp.fit(*iris)
    np.testing.assert_array_equal(mlp.coefs_[0], before)
    assert not hasattr(mlp, "_callback_fit_ctx")


def test_early_stopping_restores_the_loss_and_keeps_the_precision(iris):
    X, y = iris[0].astype(np.float32), iris[1]
    stopping = EarlyStopping(X[::3], y[::3], patience=3)
    mlp = make("tnc", max_iter=50).set_callbacks(stopping).fit(X, y)
    assert mlp.coefs_[0].dtype == np.float32
    assert mlp.loss_ == pytest.approx(mlp.loss_and_gradient(X, y)[0], rel=1e-4)


@pytest.mark.parametrize("how", ["fit", "search"])
def test_a_bad_scoring_is_what_the_error_is_about(how, iris):
    stopping = EarlyStopping(*iris, scoring="nonsense")
    mlp = BackpropMLPClassifier(3, max_iter=2).set_callbacks(stopping)
    if how == "search":
        mlp = StackedGridSearchCV(mlp, {"alpha": [1]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="scoring"):
        mlp.fit(*iris)


@pytest.mark.parametrize("patience", [-1, 0, 1.5, None, -np.inf, np.nan])
def test_impossible_patience(iris, patience):
    mlp = BackpropMLPClassifier(5).set_callbacks(
        EarlyStopping(*iris, patience=patience)
    )
    with pytest.raises(ValueError, match="patience must be an int"):
        mlp.fit(*iris)


def test_restored_weights_have_no_momentum_of_later_epochs(iris):
    X, y = iris
    stopping = EarlyStopping(X[::3], y[::3], scoring="neg_log_loss", patience=5)
    params = {"learning_rate_init": 0.5, "momentum": 0.95, "shuffle": False}
    mlp = make("sgd", alpha=0, max_iter=200, tol=0, **params)
    mlp.set_callbacks(stopping).fit(X, y)
    assert stopping.best_iter_ < mlp.n_iter_
    weights = [*mlp.coefs_, *mlp.intercepts_]
    anew = copy.deepcopy(mlp)
    anew.set_theta(mlp.get_theta())
    for other in (mlp, anew):
        other.partial_fit(X, y)
    assert not np.array_equal(mlp.coefs_[0], weights[0])
    np.testing.assert_array_equal(mlp.coefs_[0], anew.coefs_[0])


def test_the_training_goes_on_from_a_last_epoch_that_is_the_best(iris):
    """Its momentum is kept, and so is the state of the networks of a table."""
    stopping = EarlyStopping(*iris, scoring=lambda fitted, X, y: fitted.n_iter_)
    mlp = make("sgd").set_callbacks(stopping).fit(*iris).partial_fit(*iris)
    without = make("sgd").fit(*iris).partial_fit(*iris)
    np.testing.assert_array_equal(mlp.coefs_[0], without.coefs_[0])
    model = TabularMLPClassifier(2, 5, max_iter=3, warm_start=True, random_state=0)
    stopping = EarlyStopping(*iris, scoring=lambda fitted, X, y: fitted.n_iter_)
    model.set_callbacks(stopping).fit(*iris)
    assert model.set_params(max_iter=5).fit(*iris).n_iter_ == 5
    assert stopping.scores_ == [4, 5]
    # No further epoch, no further scores.
    model.fit(*iris)
    assert stopping.scores_ == [4, 5]
    assert stopping.best_iter_ == 2


def test_endless_patience_only_restores_the_best(iris):
    X_train, X_val, y_train, y_val = train_test_split(*iris, random_state=0)
    stopping = EarlyStopping(X_val, y_val, scoring="neg_log_loss", patience=np.inf)
    mlp = make("adam", alpha=0, max_iter=300, learning_rate_init=0.1, tol=0)
    mlp.set_params(n_iter_no_change=300).set_callbacks(stopping).fit(X_train, y_train)
    assert mlp.n_iter_ == len(stopping.scores_) == 300
    assert stopping.best_iter_ < 250
    loss = log_loss(y_val, mlp.predict_proba(X_val))
    assert -loss == pytest.approx(max(stopping.scores_))


@pytest.mark.parametrize("callback", [EarlyStopping, ScoreHistory])
def test_scoring_that_gives_no_number(callback, iris):
    stopping = callback(*iris, scoring=["accuracy", "f1_macro"])
    with pytest.raises(
        ValueError, match=f"{callback.__name__}: scoring must give one number, got dict"
    ):
        BackpropMLPClassifier(5).set_callbacks(stopping).fit(*iris)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_score_that_is_nan(solver, iris):
    """It never improves, so patience would end the training without a best epoch."""
    X, y = iris
    name = "epoch" if solver == "adam" else "iteration"
    mlp = BackpropMLPRegressor(hidden_layer_sizes=5, solver=solver, random_state=0)
    with (
        pytest.warns(UndefinedMetricWarning, match="less than two samples"),
        pytest.raises(ValueError, match=f"score is nan in {name} 1: .* Pass more rows"),
    ):
        mlp.set_callbacks(EarlyStopping(X[:1], y[:1])).fit(X, y)
    assert not hasattr(mlp, "coefs_")


def test_validation_labels_that_the_fit_does_not_know(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(5, max_iter=20, random_state=0)
    stopping = EarlyStopping(X, y.astype(str), patience=2)
    with pytest.raises(
        ValueError, match=r"labels \['0', '1', '2'\], none of .* \[0, 1"
    ):
        mlp.set_callbacks(stopping).fit(X, y)
    stopping = EarlyStopping(X, y, patience=2)
    with pytest.warns(UserWarning, match=r"y_val has the labels \[2\], which the rows"):
        mlp.set_callbacks(stopping).fit(X[:100], y[:100])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_score_history(solver, scoring, iris):
    """It records the score after each iteration, and does not change the fit."""
    X, X_test, y, y_test = train_test_split(*iris, random_state=0)
    recorder, history = Recorder(), ScoreHistory(X_test, y_test, scoring)
    mlp = make(solver, tol=0).set_callbacks(recorder, history).fit(X, y)
    expected = [s.score(X_test, y_test) for s in recorder.snapshots]
    if scoring is not None:
        expected = [
            -log_loss(y_test, s.predict_proba(X_test)) for s in recorder.snapshots
        ]
    np.testing.assert_allclose(history.scores_, expected, rtol=1e-12)
    assert history.iterations_ == [1, 2, 3, 4, 5, 6]
    plain = make(solver, tol=0).fit(X, y)
    np.testing.assert_array_equal(mlp.coefs_[0], plain.coefs_[0])


def test_score_history_every_few_epochs_and_beyond_a_warm_start(iris):
    often, seldom = ScoreHistory(*iris), ScoreHistory(*iris, every=4, name="seldom")
    mlp = make("adam", max_iter=10, warm_start=True).set_callbacks(often, seldom)
    for start, expected in ((0, [4, 8]), (10, [12, 16, 20])):
        mlp.fit(*iris)
        assert often.iterations_ == list(range(start + 1, start + 11))
        assert seldom.iterations_ == expected
        scores = [often.scores_[iteration - start - 1] for iteration in expected]
        assert seldom.scores_ == scores
    records = [
        {"name": "score", "iterations": often.iterations_, "scores": often.scores_},
        {"name": "seldom", "iterations": seldom.iterations_, "scores": seldom.scores_},
    ]
    assert mlp.score_histories_ == records
    # The records of the earlier fit are gone.
    mlp.set_callbacks(seldom).fit(*iris)
    assert [record["name"] for record in mlp.score_histories_] == ["seldom"]


def test_score_history_of_a_regressor_and_a_table(iris):
    X, y = iris[0][:, 1:], iris[0][:, 0]
    recorder, history = Recorder(), ScoreHistory(X, y)
    BackpropMLPRegressor(
        hidden_layer_sizes=5, max_iter=6, random_state=0
    ).set_callbacks(history, recorder).fit(X, y)
    assert history.scores_ == [s.score(X, y) for s in recorder.snapshots]
    model = TabularMLPClassifier(2, 5, max_iter=4, random_state=0)
    recorder, history = Recorder(), ScoreHistory(*iris, every=2)
    model.set_callbacks(history, recorder).fit(*iris)
    expected = [s.score(*iris) for s in recorder.snapshots]
    assert history.scores_ == expected[1::2]
    assert history.iterations_ == [2, 4]


def test_score_history_of_a_stack_and_of_searches(iris):
    """Networks that share a callback have their own records."""
    history = ScoreHistory(*iris)
    mlps = [
        make("sgd", learning_rate_init=rate).set_callbacks(history)
        for rate in (0.01, 0.3)
    ]
    fit_stack(mlps, *iris)
    for mlp in mlps:
        (record,) = mlp.score_histories_
        assert record["scores"][-1] == mlp.score(*iris)
        assert len(record["iterations"]) == mlp.n_iter_
    scores = [mlp.score_histories_[0]["scores"] for mlp in mlps]
    assert scores[0] != scores[1] == history.scores_

    grid = {"learning_rate_init": [0.01, 0.3]}
    for search in (GridSearchCV, StackedGridSearchCV):
        found = search(make("sgd").set_callbacks(history), grid, cv=2, n_jobs=2)
        best = found.fit(*iris).best_estimator_
        assert best.score_histories_[0]["scores"] == history.scores_
        assert history.scores_[-1] == best.score(*iris)
    # Networks that another process fitted have their records too.
    results = cross_validate(
        make("adam").set_callbacks(ScoreHistory(*iris)),
        *iris,
        cv=2,
        n_jobs=2,
        return_estimator=True,
    )
    for mlp in results["estimator"]:
        assert mlp.score_histories_[0]["scores"][-1] == mlp.score(*iris)


@pytest.mark.parametrize("is_tabular", [False, True])
def test_score_history_is_pickled_without_its_rows(is_tabular, iris):
    mlp = make("adam")
    if is_tabular:
        mlp = TabularMLPClassifier(n_members=2, max_iter=5, random_state=0)
    mlp.set_callbacks(ScoreHistory(*iris)).fit(*iris)
    loaded = pickle.loads(pickle.dumps(mlp))
    (history,) = loaded._skl_callbacks
    assert history.X is None
    assert history.y is None
    assert loaded.score_histories_ == mlp.score_histories_
    with pytest.raises(
        ValueError, match=r"training: set_callbacks\(ScoreHistory\(X, y\)\)"
    ):
        loaded.fit(*iris)
    for duplicate in (copy.copy(mlp), copy.deepcopy(mlp), clone(copy.deepcopy(mlp))):
        again = duplicate.fit(*iris).score_histories_
        assert len(again[0]["scores"]) == len(mlp.score_histories_[0]["scores"])


@pytest.mark.parametrize("every", [0, 1.5, None, "1"])
def test_impossible_interval_of_a_score_history(iris, every):
    mlp = BackpropMLPClassifier(5).set_callbacks(ScoreHistory(*iris, every=every))
    with pytest.raises(ValueError, match="every must be an int from 1 on, got"):
        mlp.fit(*iris)
    assert not hasattr(mlp, "score_histories_")


def test_score_history_with_labels_unknown_to_the_fit(iris):
    X, y = iris
    mlp = make("adam").set_callbacks(ScoreHistory(X, y + 5))
    with pytest.raises(ValueError, match=r"ScoreHistory: y has the labels \[5, 6, 7\]"):
        mlp.fit(X, y)


@pytest.mark.parametrize("callback", [EarlyStopping, ScoreHistory])
def test_pipelines_and_searches_are_refused(callback, iris):
    """They report no iterations, so that the callback would do nothing."""
    pipeline = make_pipeline(StandardScaler(), make("adam"))
    search = StackedGridSearchCV(make("adam"), {"alpha": [1]}, cv=2)
    for estimator in (pipeline, search):
        estimator.set_callbacks(callback(*iris))
        with pytest.raises(TypeError, match="Set it on the network inside the"):
            estimator.fit(*iris)


def test_the_history_of_a_second_fit_counts_from_one(iris):
    history = ScoreHistory(*iris, every=2)
    mlp = BackpropMLPClassifier(2, max_iter=5, random_state=0).set_callbacks(history)
    mlp.fit(*iris).fit(*iris)
    assert history.iterations_ == mlp.score_histories_[0]["iterations"] == [2, 4]
