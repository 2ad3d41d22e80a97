"""average_epochs: a trajectory averaged by hand, and wherever averaged fits may go."""

import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    TabularMLPClassifier,
    fit_stack,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)


def make(**params):
    params = {"random_state": 0, "tol": 0, "n_iter_no_change": np.inf, **params}
    return BackpropMLPClassifier(8, **params)


def weights_of(mlp):
    return [*mlp.coefs_, *mlp.intercepts_]


def averaged(trajectory, window, looks_per_epoch):
    """The formula of the documentation, look by look."""
    average = None
    for k, weights in enumerate(trajectory, start=1):
        keep = min(math.exp(-1 / (window * looks_per_epoch)), (k - 1) / (k + 9))
        average = [
            w if average is None else keep * average[i] + (1 - keep) * w
            for i, w in enumerate(weights)
        ]
    return average


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("window", [0.1, 2, np.inf])
def test_average_of_full_batches(solver, window):
    """An epoch is a step, and each is looked at."""
    params = {"solver": solver, "batch_size": len(X), "learning_rate_init": 0.05}
    trajectory = [
        weights_of(make(max_iter=n, **params).fit(X, y)) for n in range(1, 31)
    ]
    mlp = make(max_iter=30, average_epochs=window, **params).fit(X, y)
    for ours, expected in zip(
        weights_of(mlp), averaged(trajectory, window, 1), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)
    # The losses are those of the weights that took the steps.
    latest = make(max_iter=30, **params).fit(X, y)
    np.testing.assert_array_equal(mlp.loss_curve_, latest.loss_curve_)


def test_average_of_batches():
    """Ten an epoch, each looked at; of sixteen every second."""
    rows, labels = X[::3], y[::3]
    params = {"shuffle": False, "learning_rate_init": 0.02}
    step_by_step = make(batch_size=5, **params)
    trajectory = []
    for epoch in range(3):
        for batch in range(10):
            part = slice(5 * batch, 5 * batch + 5)
            step_by_step.partial_fit(rows[part], labels[part], classes=[0, 1, 2])
            trajectory.append([w.copy() for w in weights_of(step_by_step)])
        mlp = make(batch_size=5, average_epochs=0.5, max_iter=epoch + 1, **params)
        mlp.fit(rows, labels)
        for ours, expected in zip(
            weights_of(mlp), averaged(trajectory, 0.5, 10), strict=True
        ):
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)
    many = make(batch_size=3, average_epochs=0.5, max_iter=1, **params).fit(
        rows[:48], labels[:48]
    )
    step_by_step, trajectory = make(batch_size=3, **params), []
    for batch in range(16):
        part = slice(3 * batch, 3 * batch + 3)
        step_by_step.partial_fit(rows[part], labels[part], classes=[0, 1, 2])
        trajectory.append([w.copy() for w in weights_of(step_by_step)])
    for ours, expected in zip(
        weights_of(many), averaged(trajectory[1::2], 0.5, 8), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_stack_equals_own_fits(early_stopping):
    """Also where some leave before others."""
    mlps = [
        make(
            average_epochs=1,
            batch_size=16,
            learning_rate_init=rate,
            max_iter=max_iter,
            early_stopping=early_stopping,
            tol=1e-3,
            n_iter_no_change=3,
        )
        for rate, max_iter in ((0.001, 4), (0.01, 12), (0.1, 30), (0.3, 30))
    ]
    own = [clone(mlp).fit(X, y) for mlp in mlps]
    for stacked, alone in zip(fit_stack(mlps, X, y), own, strict=True):
        assert stacked.n_iter_ == alone.n_iter_
        for ours, theirs in zip(weights_of(stacked), weights_of(alone), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert len({mlp.n_iter_ for mlp in own}) > 1


class Recorder:
    """Keeps what each epoch would end with."""

    def __init__(self):
        self.seen = []

    def setup(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name != "fit":
            self.seen.append(weights_of(fitted_estimator))

    def teardown(self, estimator, context): ...


@pytest.mark.callbacks
def test_early_stopping_and_callbacks_see_the_average():
    params = {
        "average_epochs": 2,
        "batch_size": 16,
        "learning_rate_init": 0.05,
        "early_stopping": True,
    }
    recorder = Recorder()
    mlp = make(max_iter=8, **params).set_callbacks(recorder).fit(X, y)
    best = int(np.argmax(mlp.validation_scores_))
    for ours, theirs in zip(weights_of(mlp), recorder.seen[best], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # A latest point of the same trajectory is something else.
    latest = make(max_iter=best + 1, **{**params, "average_epochs": 0}).fit(X, y)
    assert not np.allclose(latest.coefs_[0], mlp.coefs_[0], rtol=1e-3)


def test_warm_start_and_partial_fit_go_on_from_the_average():
    params = {"average_epochs": 2, "batch_size": 16, "max_iter": 5}
    mlp = make(warm_start=True, learning_rate_init=0.05, **params).fit(X, y)
    before = [w.copy() for w in weights_of(mlp)]
    mlp.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, y)
    for ours, expected in zip(weights_of(mlp), before, strict=True):
        np.testing.assert_array_equal(ours, expected)
    mlp.partial_fit(X, y)
    for ours, expected in zip(weights_of(mlp), before, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_diverged_fit_keeps_the_best_average():
    rows = X * 1e3
    mlp = make(solver="sgd", average_epochs=1, batch_size=16, learning_rate_init=1e3)
    with pytest.warns(match="diverged"):
        mlp.fit(rows, y)
    assert all(np.isfinite(w).all() for w in weights_of(mlp))


def test_a_regressor_in_float32_pickles():
    rows, targets = load_diabetes(return_X_y=True)
    rows = rows.astype(np.float32)
    mlp = BackpropMLPRegressor(
        average_epochs=2, max_iter=5, random_state=0, learning_rate_init=0.01
    ).fit(rows, targets)
    latest = clone(mlp).set_params(average_epochs=0).fit(rows, targets)
    assert mlp.coefs_[0].dtype == np.float32
    assert not np.allclose(mlp.coefs_[0], latest.coefs_[0], rtol=1e-3)
    copied = pickle.loads(pickle.dumps(mlp))
    np.testing.assert_array_equal(copied.predict(rows), mlp.predict(rows))


def test_the_full_batch_solvers_warn_that_they_ignore_it():
    for solver in ("lbfgs", "cg", "tnc"):
        with pytest.warns(UserWarning, match="average_epochs=2 has no effect with"):
            ours = make(solver=solver, max_iter=3, average_epochs=2).fit(X, y)
        plain = make(solver=solver, max_iter=3).fit(X, y)
        np.testing.assert_array_equal(ours.coefs_[0], plain.coefs_[0])


@pytest.mark.parametrize("window", [-1, np.nan, "2"])
def test_windows_that_are_none(window):
    with pytest.raises(ValueError, match="'average_epochs' parameter"):
        make(average_epochs=window).fit(X, y)


def test_an_ensemble_of_tables_is_averaged():
    """Its networks say so, and are no point of their own trajectories."""
    model = TabularMLPClassifier(max_iter=3, random_state=0).fit(X, y)
    assert {member.average_epochs for member in model.estimators_} == {2}
