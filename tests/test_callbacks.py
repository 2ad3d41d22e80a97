"""scikit-learn's callbacks, and our own, with every solver."""

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
)
from skmlp_backprop._network.parameters import Parameters
from skmlp_backprop.callbacks import EarlyStopping

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


@pytest.mark.parametrize("patience", [-1, 0, 1.5, None])
def test_impossible_patience(iris, patience):
    mlp = BackpropMLPClassifier(5).set_callbacks(
        EarlyStopping(*iris, patience=patience)
    )
    with pytest.raises(ValueError, match="patience must be an int"):
        mlp.fit(*iris)


def test_scoring_that_gives_no_number(iris):
    stopping = EarlyStopping(*iris, scoring=["accuracy", "f1_macro"])
    with pytest.raises(ValueError, match="scoring must give one number, got dict"):
        BackpropMLPClassifier(5).set_callbacks(stopping).fit(*iris)


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
