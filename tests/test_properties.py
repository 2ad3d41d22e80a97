"""What holds for any parameters on any data: a bounded number of seeded examples."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from names import ACTIVATIONS
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV, fit_stack

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]
STOCHASTIC_SOLVERS = ["sgd", "adam"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size` less than 1:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* has no effect with solver=:UserWarning"),
    # As drawn matrices of several labels may have, by chance.
    pytest.mark.filterwarnings("ignore:Each row of y has exactly one 1:UserWarning"),
    # Few rows of a class are what folds of such data are made of.
    pytest.mark.filterwarnings("ignore:The least populated class:UserWarning"),
]


def examples(n):
    """Settings for so many examples, the same in every run."""
    return settings(
        max_examples=n,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def problems(draw, scales=(0, 0)):
    """X, y with 1 to 4 classes or several labels, and sample weights or None."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n_rows = draw(st.integers(6, 40))
    n_features = draw(st.integers(1, 5))
    n_classes = draw(st.integers(1, 4))
    X = rng.standard_normal((n_rows, n_features)) * 10.0 ** draw(st.integers(*scales))
    X[rng.random(X.shape) < 0.3] = 0
    with np.errstate(over="ignore"):
        X = X.astype(draw(st.sampled_from([np.float64, np.float32])))
    assume(np.isfinite(X).all())
    y = np.arange(n_rows) % n_classes
    if draw(st.integers(0, 4)) == 0:
        y = rng.integers(0, 2, (n_rows, n_classes + 1))
    weights = rng.integers(0, 4, n_rows) if draw(st.booleans()) else None
    if weights is not None:
        # Two of each class, and one more than early stopping holds out.
        weights[: max(3, 2 * n_classes)] = 1
    return X, y, weights


@st.composite
def classifiers(draw, solvers=tuple(SOLVERS), **fixed):
    """A classifier with any parameters, of short training."""
    hidden = draw(st.sampled_from([(), (3,), (4, 3)]))
    some = st.sampled_from
    solver = draw(some(solvers))
    params = {
        "hidden_layer_sizes": hidden,
        "activation": [draw(some(ACTIVATIONS)) for _ in hidden],
        "solver": solver,
        "alpha": draw(some([0.0, 1e-4, 1.0, 100.0])),
        "batch_size": draw(some(["auto", 1, 7, 1000])),
        "learning_rate": draw(some(["constant", "invscaling", "adaptive"])),
        "learning_rate_init": draw(some([1e-4, 0.01, 0.5])),
        "power_t": draw(some([0.0, 0.5, 2.0])),
        "max_iter": draw(st.integers(1, 4)),
        "max_fun": draw(st.integers(1, 12)),
        "loss": draw(some(["log_loss", "squared_error"])),
        "output_activation": draw(some(["auto", "logistic"])),
        "weight_init": draw(some(["auto", "he", "normal", 0.1])),
        "class_weight": draw(some([None, "balanced"])),
        "shuffle": draw(st.booleans()),
        "random_state": draw(st.integers(0, 3)),
        "tol": draw(some([0.0, 1e-4, 1.0])),
        "momentum": draw(some([0.0, 0.5, 0.9])),
        "nesterovs_momentum": draw(st.booleans()),
        "early_stopping": draw(st.booleans()),
        "dropout": draw(some([0.0, 0.3])),
        "beta_1": draw(some([0.0, 0.9])),
        "n_iter_no_change": draw(st.integers(1, 3)),
    }
    return BackpropMLPClassifier(**{**params, **fixed})


def weights_of(mlp):
    return [*mlp.coefs_, *mlp.intercepts_]


def assert_same_weights(a, b, atol=0.0):
    for one, other in zip(weights_of(a), weights_of(b), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


def tolerance(X, mlp):
    """What rounding may amount to: TNC's differences of gradients make more of it."""
    size = max(1.0, *(np.abs(w).max() for w in weights_of(mlp)))
    single = 1e-3 if X.dtype == np.float32 else 1e-9
    return size * max(single, 1e-6 if mlp.solver == "tnc" else 0)


def refusal_of(mlp, *data):
    """Fit; return the error's words, or nothing."""
    try:
        mlp.fit(*data)
    except ValueError as error:
        return str(error)
    return ""


def check_predictions(mlp, X, y):
    proba = mlp.predict_proba(X)
    # Logits may overflow at weights that are finite: then there is no telling.
    if not np.isfinite(mlp._logits(X)).all():
        return
    assert ((proba >= 0) & (proba <= 1)).all()
    if y.ndim == 1:
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    if len(mlp.classes_) != 2 and y.ndim == 1:
        labels = mlp.classes_[proba.argmax(axis=1)]
        np.testing.assert_array_equal(mlp.predict(X), labels)


@examples(1000)
@given(problems(scales=(-300, 300)), classifiers())
def test_finite_weights_or_a_clear_refusal(problem, mlp):
    X, y, weights = problem
    before = X.copy(), y.copy(), None if weights is None else weights.copy()
    X.flags.writeable = y.flags.writeable = False
    refusal = refusal_of(mlp, X, y, weights)
    if refusal:
        told = ("not finite at the initial weights", "too large", "too small")
        assert any(words in refusal for words in told), refusal
        assert not hasattr(mlp, "coefs_")
    else:
        assert all(np.isfinite(w).all() for w in weights_of(mlp))
        check_predictions(mlp, X, y)
    for now, then in zip((X, y, weights), before, strict=True):
        np.testing.assert_array_equal(now, then)


@examples(300)
@given(problems(), classifiers())
def test_refits_are_identical(problem, mlp):
    again = clone(mlp).fit(*problem)
    assert_same_weights(mlp.fit(*problem), again)
    assert_same_weights(mlp.fit(*problem), again)
    assert mlp.loss_curve_ == again.loss_curve_


@examples(300)
@given(problems(), classifiers(early_stopping=False, class_weight=None))
def test_pickling_then_training_goes_on_identically(problem, mlp):
    X, y, weights = problem
    mlp.fit(X, y, weights)
    loaded = pickle.loads(pickle.dumps(mlp))
    assert_same_weights(mlp, loaded)
    for model in (mlp, loaded):
        if model.solver in STOCHASTIC_SOLVERS:
            model.partial_fit(X, y, sample_weight=weights)
            model.partial_fit(X, y, sample_weight=weights)
        else:
            model.set_params(warm_start=True).fit(X, y, weights)
    assert_same_weights(mlp, loaded)
    assert mlp.loss_curve_ == loaded.loss_curve_


@examples(300)
@given(
    problems(),
    classifiers(batch_size=10**6, early_stopping=False, dropout=0.0, shuffle=False),
)
def test_weights_are_repetitions(problem, mlp):
    X, y, _ = problem
    weights = np.arange(len(y)) % 3 + 1
    repeated = np.repeat(np.arange(len(y)), weights)
    # Schedules count rows, of which repetitions have more.
    mlp.set_params(learning_rate="constant", activation="tanh", tol=0)
    one = clone(mlp).fit(X, y, weights)
    other = mlp.fit(X[repeated], y[repeated])
    assume(np.abs(one.coefs_[0]).max() < 1e3)
    assert_same_weights(one, other, 100 * tolerance(X, one))


@examples(150)
@given(problems(), classifiers(solvers=tuple(STOCHASTIC_SOLVERS)), st.data())
def test_a_stack_trains_each_as_its_own_fit(problem, mlp, data):
    X, y, weights = problem
    mlps = [
        clone(mlp).set_params(
            alpha=data.draw(st.sampled_from([0.0, 0.1, 10.0])),
            learning_rate_init=data.draw(st.sampled_from([0.001, 0.03])),
            momentum=data.draw(st.sampled_from([0.0, 0.9])),
            max_iter=data.draw(st.integers(1, 4)),
            random_state=data.draw(st.integers(0, 1)),
        )
        for _ in range(4)
    ]
    own = [clone(m).fit(X, y, weights) for m in mlps]
    for stacked, alone in zip(fit_stack(mlps, X, y, weights), own, strict=True):
        assert_same_weights(stacked, alone, tolerance(X, alone))
        assert stacked.n_iter_ == alone.n_iter_
        np.testing.assert_allclose(stacked.loss_curve_, alone.loss_curve_, rtol=1e-3)


@examples(80)
@given(problems(), classifiers(early_stopping=False))
def test_a_search_finds_what_grid_search_finds(problem, mlp):
    X, y, _ = problem
    grid = {"alpha": [0.01, 1.0], "learning_rate_init": [0.001, 0.01]}
    # Without a seed for the scores to depend on, or float32's rounding.
    X = X.astype(np.float64)
    ours = StackedGridSearchCV(mlp, grid, cv=2, error_score="raise").fit(X, y)
    theirs = GridSearchCV(mlp, grid, cv=2, error_score="raise").fit(X, y)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    assert ours.best_params_ == theirs.best_params_
    best = theirs.best_estimator_
    assert_same_weights(ours.best_estimator_, best, tolerance(X, best))


@examples(300)
@given(
    problems(),
    classifiers(),
    st.sampled_from([sparse.csr_array, sparse.csc_array, sparse.csr_matrix]),
)
def test_dense_is_sparse(problem, mlp, make):
    X, y, weights = problem
    dense = clone(mlp).fit(X, y, weights)
    thin = mlp.fit(make(X), y, weights)
    assert_same_weights(thin, dense, tolerance(X, dense))
    np.testing.assert_allclose(
        thin.predict_proba(make(X)), thin.predict_proba(X), atol=tolerance(X, dense)
    )


@examples(300)
@given(
    problems(),
    classifiers(),
    st.sampled_from(
        [
            np.asfortranarray,
            lambda X: np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2],
            lambda X: np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
        ]
    ),
)
def test_any_layout_is_c_order(problem, mlp, lay_out):
    X, y, weights = problem
    ordered = clone(mlp).fit(X, y, weights)
    other = mlp.fit(lay_out(X), y, weights)
    exact = mlp.solver in STOCHASTIC_SOLVERS and not mlp.early_stopping
    assert_same_weights(other, ordered, 0 if exact else tolerance(X, ordered))


@examples(150)
@given(
    problems(),
    classifiers(STOCHASTIC_SOLVERS, early_stopping=False, class_weight=None),
)
def test_partial_fit_takes_any_form(problem, mlp):
    """Epoch by epoch, as one in C order, in columns and sparse."""
    X, y, weights = problem
    classes = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
    thin = clone(mlp)
    columns = clone(mlp)
    for _ in range(3):
        mlp.partial_fit(X, y, classes, weights)
        columns.partial_fit(np.asfortranarray(X), y, classes, weights)
        thin.partial_fit(sparse.csr_array(X), y, classes, weights)
    assert_same_weights(columns, mlp)
    assert_same_weights(thin, mlp, tolerance(X, mlp))


def test_examples_are_seeded():
    """The bound and the seeds that CI relies on."""
    seen = []

    @examples(5)
    @given(problems())
    def note(problem):
        seen.append(problem[0].sum())

    with warnings.catch_warnings():
        note()
        first, seen[:] = list(seen), []
        note()
    assert seen == first
    assert len(seen) == 5
