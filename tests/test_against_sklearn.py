"""The same numbers as scikit-learn's MLPClassifier, where it computes the same."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skmlp_backprop import BackpropMLPClassifier

SETS = {"digits": load_digits, "wine": load_wine, "cancer": load_breast_cancer}
SOLVERS = {
    "lbfgs": {"max_iter": 60},
    "sgd": {"max_iter": 30, "learning_rate_init": 0.1},
    "adam": {"max_iter": 30, "learning_rate_init": 0.005},
}


def load(name):
    X, y = SETS[name](return_X_y=True)
    return StandardScaler().fit_transform(X), y


def fit(estimator, X, y, **fit_params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y, **fit_params)


def pair(**params):
    defaults = {"learning_rate_init": 0.001, "hidden_layer_sizes": (20,)}
    params = {**defaults, "activation": "tanh", **params}
    return BackpropMLPClassifier(**params), MLPClassifier(**params)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_one_evaluation_at_equal_weights(name, activation):
    X, y = load(name)
    rng = np.random.RandomState(0)
    _, theirs = pair(activation=activation, alpha=3.0, solver="lbfgs", max_iter=3)
    fit(theirs, X, y)
    packed = np.concatenate([a.ravel() for a in theirs.coefs_ + theirs.intercepts_])
    weights = rng.uniform(0.5, 2, len(y))
    targets = theirs._label_binarizer.transform(y)
    empty = [None] * 3
    loss, gradient = theirs._loss_grad_lbfgs(
        packed, X, targets, weights, [X, None, None], empty[:2], empty[:2], empty[:2]
    )
    ours = BackpropMLPClassifier.from_weights(
        theirs.coefs_,
        theirs.intercepts_,
        theirs.classes_,
        activation=activation,
        alpha=3.0,
    )
    our_loss, our_gradient = ours.loss_and_gradient(X, y, weights)
    our_gradient = [*our_gradient.coefs, *our_gradient.intercepts]
    our_gradient = np.concatenate([g.ravel() for g in our_gradient])
    assert our_loss == pytest.approx(loss, rel=1e-12)
    difference = np.linalg.norm(our_gradient - gradient)
    assert difference <= 1e-12 * np.linalg.norm(gradient)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lbfgs", "max_iter": 8},
        {"solver": "sgd", "learning_rate_init": 0.05},
        {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False},
        {"solver": "sgd", "momentum": 0.0, "shuffle": False, "batch_size": 33},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "max_iter": 30},
        {"solver": "adam", "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6},
        {"solver": "adam", "hidden_layer_sizes": (9, 7), "activation": "logistic"},
        {"solver": "adam", "hidden_layer_sizes": ()},
        {"solver": "adam", "alpha": 10.0, "n_iter_no_change": 2, "tol": 0.01},
    ],
    ids=str,
)
def test_same_seed_same_training(name, params):
    """Init, shuffles, steps and stopping are MLPClassifier's: so are the weights."""
    X, y = load(name)
    params = {"max_iter": 6, "random_state": 3, "n_iter_no_change": 1, **params}
    ours, theirs = (fit(mlp, X, y) for mlp in pair(**params))
    assert ours.n_iter_ == theirs.n_iter_
    for a, b in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-7)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-7
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_losses_and_accuracies_over_seeds(name, solver):
    """Means over 5 seeds agree within their standard error, or closer."""
    X, y = SETS[name](return_X_y=True)
    losses, scores = [], []
    for seed in range(5):
        estimators = pair(solver=solver, random_state=seed, **SOLVERS[solver])
        # MLPClassifier's products are too small for threads, which keep other work out.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            models = [make_pipeline(StandardScaler(), mlp) for mlp in estimators]
            scores.append([cross_val_score(m, X, y, cv=5).mean() for m in models])
            losses.append([m.fit(X, y)[-1].loss_ for m in models])
    losses, scores = np.array(losses), np.array(scores)
    noise = losses[:, 1].std(ddof=1) / np.sqrt(5)
    assert abs(np.diff(losses.mean(axis=0))[0]) <= noise + 1e-6
    noise = scores[:, 1].std(ddof=1) / np.sqrt(5)
    assert abs(np.diff(scores.mean(axis=0))[0]) <= noise + 1e-3


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_sample_weights_with_a_short_last_batch(solver):
    """The mean loss of an epoch, by which `tol` stops, counts batches by their rows."""
    X, y = load_breast_cancer(return_X_y=True)
    X, y = StandardScaler().fit_transform(X)[:210, :3], y[:210]
    weights = np.random.default_rng(0).uniform(0.1, 3, len(y))
    ours, theirs = pair(
        solver=solver, learning_rate_init=0.05, max_iter=300, random_state=0
    )
    fit(ours, X, y, sample_weight=weights)
    fit(theirs, X, y, sample_weight=weights)
    assert ours.n_iter_ == theirs.n_iter_ < 300
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [BackpropMLPClassifier, MLPClassifier])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_equal_value_is_an_improvement_by_a_tol_of_zero(kind, early_stopping):
    X = np.random.default_rng(0).normal(size=(60, 3))
    mlp = kind(
        2,
        solver="sgd",
        learning_rate_init=1e-300,
        batch_size=30,
        shuffle=False,
        early_stopping=early_stopping,
        tol=0,
        n_iter_no_change=3,
        max_iter=12,
        random_state=0,
    ).fit(X, X[:, 0] > 0)
    assert mlp.n_iter_ == 12
