"""In place of MLPClassifier: the same attributes, methods, errors and warnings."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skmlp_backprop import BackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
STOCHASTIC = ["sgd", "adam"]


def pair(**params):
    params = {
        "hidden_layer_sizes": (8,),
        "activation": "tanh",
        "learning_rate_init": 0.01,
        "random_state": 1,
        "max_iter": 7,
        **params,
    }
    return BackpropMLPClassifier(**params), MLPClassifier(**params)


def problem(kind, n_rows=120):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 5))
    if kind == "multilabel":
        return X, (X[:, :3] + 0.3 * rng.standard_normal((n_rows, 3)) > 0).astype(int)
    if kind == "binary":
        return X, np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def as_python(value):
    """A NumPy scalar as Python's.

    On float32 rows MLPClassifier's loss is one with some versions of SciPy only.
    """
    return value.item() if isinstance(value, np.generic) else value


def assert_alike(ours, theirs, name):
    """Same type, shape, dtype and value."""
    theirs = as_python(theirs)
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], np.ndarray):
        assert isinstance(ours, list), name
        for one, other in zip(ours, theirs, strict=True):
            assert_alike(one, other, name)
    elif isinstance(theirs, np.ndarray):
        if name not in SINGLE_STAYS_SINGLE or ours.dtype != np.float32:
            assert ours.dtype == theirs.dtype, name
        assert ours.shape == theirs.shape, name
        if theirs.dtype.kind == "f":
            rtol = 1e-6 if ours.dtype == np.float64 else 2e-3
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol, err_msg=name)
        else:
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
    elif isinstance(theirs, (float, list)):
        assert isinstance(ours, type(theirs)) or np.isscalar(ours), name
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, err_msg=name)
    else:
        assert ours == theirs, name


# L-BFGS: for float32 input MLPClassifier's weights are float64, and so are its
# predictions; ours are float32 with every solver.
SINGLE_STAYS_SINGLE = {"coefs_", "intercepts_", "predict_proba", "predict_log_proba"}

# L-BFGS: MLPClassifier leaves t_ at 0, against its documentation; ours counts.
NOT_COMPARED = {"lbfgs": {"t_"}}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize(
    "params",
    [
        {"solver": "lbfgs"},
        {"solver": "sgd"},
        {"solver": "adam"},
        {"solver": "adam", "early_stopping": True, "validation_fraction": 0.2},
    ],
    ids=str,
)
def test_every_attribute_and_method(params, kind, dtype):
    X, y = problem(kind)
    X = X.astype(dtype)
    ours, theirs = pair(**params)
    frame = pd.DataFrame(X, columns=list("abcde"))
    ours.fit(frame, y)
    try:
        theirs.fit(frame, y)
    except TypeError:
        if not hasattr(ours, "set_callbacks") and params.get("early_stopping"):
            pytest.skip("scikit-learn before 1.9 can't stop early by labels in words")
        raise
    same_arithmetic = not params.get("early_stopping") or kind != "multiclass"
    attributes = [
        name for name in vars(theirs) if name.endswith("_") and name[0] != "_"
    ]
    assert "loss_" in attributes
    for name in set(attributes) - NOT_COMPARED.get(params["solver"], set()):
        if same_arithmetic:
            assert_alike(getattr(ours, name), getattr(theirs, name), name)
        else:
            # Documented as stratified, MLPClassifier's split of several classes is not.
            their_type = type(as_python(getattr(theirs, name)))
            assert issubclass(their_type, type(getattr(ours, name))), name

    methods = {
        name
        for name, _ in inspect.getmembers(theirs, callable)
        if not name.startswith("_")
    }
    # With early stopping there is none, see test_no_partial_fit.
    there_is_none = {"partial_fit"} if params.get("early_stopping") else set()
    assert methods - there_is_none <= set(dir(ours))
    if same_arithmetic:
        for name in ("predict", "predict_proba", "predict_log_proba"):
            assert_alike(getattr(ours, name)(frame), getattr(theirs, name)(frame), name)
        assert ours.score(frame, y) == theirs.score(frame, y)
    assert theirs.get_params().keys() <= ours.get_params().keys()


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fit_then_fit_then_partial_fit(solver, kind):
    X, y = problem(kind)
    classes = np.arange(3) if kind == "multilabel" else np.unique(y)
    ours, theirs = pair(solver=solver)
    for mlp in (ours, theirs):
        for start in range(0, 120, 40):
            rows = slice(start, start + 40)
            mlp.partial_fit(X[rows], y[rows], classes=classes)
    for name in ("coefs_", "t_", "loss_curve_", "best_loss_", "n_iter_"):
        assert_alike(getattr(ours, name), getattr(theirs, name), name)
    for mlp in (ours, theirs):
        mlp.fit(X, y)
        mlp.partial_fit(X[:40], y[:40])
    for name in ("coefs_", "t_", "loss_curve_", "best_loss_", "n_iter_"):
        assert_alike(getattr(ours, name), getattr(theirs, name), name)
    assert_alike(ours.predict(X), theirs.predict(X), "predict")


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fit_goes_on_from_a_pickle_and_takes_new_parameters(solver):
    X, y = problem("multiclass")
    mlp, _ = pair(solver=solver)
    mlp.partial_fit(X, y, classes=[0, 1, 2])
    again = pickle.loads(pickle.dumps(mlp))
    for _ in range(2):
        mlp.partial_fit(X, y)
        again.partial_fit(X, y)
    np.testing.assert_array_equal(again.coefs_[0], mlp.coefs_[0])
    assert mlp.set_params(batch_size=10).partial_fit(X, y).n_fun_ == 12
    # Another network by a full-batch solver in between: no stale momentum.
    mlp.set_params(solver="lbfgs", hidden_layer_sizes=3).fit(X, y)
    mlp.set_params(solver=solver).partial_fit(X, y)
    assert mlp.coefs_[0].shape == (5, 3)


@pytest.mark.parametrize("solver", ["lbfgs", *STOCHASTIC])
def test_warm_start(solver):
    X, y = problem("multiclass")
    ours, theirs = pair(solver=solver, warm_start=True, max_iter=4)
    for mlp in (ours, theirs):
        mlp.fit(X, y)
        mlp.fit(X, y)
    assert_alike(ours.coefs_, theirs.coefs_, "coefs_")
    assert_alike(ours.loss_, theirs.loss_, "loss_")
    if solver != "lbfgs":
        assert ours.n_iter_ == 4
        assert ours.t_ == theirs.t_ == 8 * 120
        assert len(ours.loss_curve_) == len(theirs.loss_curve_) == 8


@pytest.mark.parametrize("change", [{"alpha": 50.0}, {"class_weight": {0: 9, 1: 2}}])
def test_warm_start_with_another_loss(change):
    """The losses of both fits can't be compared, so the count begins anew."""
    X, y = problem("multiclass")
    params = {"learning_rate_init": 0.02, "max_iter": 1000, "random_state": 0}
    fresh = BackpropMLPClassifier(5, **params, **change).fit(X, y)
    mlp = BackpropMLPClassifier(5, **params, warm_start=True).fit(X, y)
    n_first = mlp.n_iter_
    assert mlp.set_params(n_iter_no_change=10, **change).fit(X, y).converged_
    assert mlp.n_iter_ > 11
    assert mlp.loss_ < 1.05 * fresh.loss_
    assert mlp.best_loss_ == min(mlp.loss_curve_[n_first:])
    # With the same loss, the count goes on.
    same = {"alpha": np.float64(mlp.alpha), "dropout": [0]}
    if mlp.class_weight:
        same["class_weight"] = {np.int64(1): 2.0, np.int64(0): 9.0}
    assert mlp.set_params(**same).fit(X, y).n_iter_ == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fit_warns_of_no_cap(solver):
    X, y = problem("multiclass")
    mlp = BackpropMLPClassifier(solver=solver, random_state=0)
    for _ in range(2):
        mlp.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.warns(ConvergenceWarning, match="diverged"):
        mlp.set_params(learning_rate_init=1e200, activation="relu").partial_fit(X, y)


def test_partial_fit_on_multilabel_learns():
    X, y = problem("multilabel", 600)
    mlp = BackpropMLPClassifier(random_state=0)
    for _ in range(20):
        for start in range(0, 500, 100):
            rows = slice(start, start + 100)
            mlp.partial_fit(X[rows], y[rows], classes=[0, 1])
    assert mlp.classes_.tolist() == [0, 1, 2]
    assert (mlp.predict(X[500:]) == y[500:]).mean() > 0.85


def test_endless_patience():
    X, y = problem("binary")
    mlp, _ = pair(solver="sgd", n_iter_no_change=np.inf, tol=10, max_iter=30)
    assert mlp.fit(X, y).n_iter_ == 30


def test_early_stopping_restores_the_best_and_weighs_the_score():
    X, y = problem("multiclass")
    weights = np.random.default_rng(0).uniform(0, 2, 120)
    mlp = BackpropMLPClassifier(
        solver="adam",
        learning_rate_init=0.3,
        early_stopping=True,
        validation_fraction=0.25,
        n_iter_no_change=5,
        max_iter=60,
        random_state=0,
    )
    mlp.fit(X, y, sample_weight=weights)
    assert mlp.best_validation_score_ == max(mlp.validation_scores_)
    assert mlp.validation_scores_[-1] < mlp.best_validation_score_
    assert mlp.best_loss_ is None
    assert len(mlp.validation_scores_) == len(mlp.loss_curve_) == mlp.n_iter_
    # Cut off after the best epoch, the same seed gives the same weights.
    best_epoch = int(np.argmax(mlp.validation_scores_)) + 1
    again = BackpropMLPClassifier(**{**mlp.get_params(), "max_iter": best_epoch})
    again.fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(again.coefs_[0], mlp.coefs_[0])


def test_early_stopping_needs_three_rows():
    mlp = BackpropMLPClassifier(solver="sgd", early_stopping=True)
    with pytest.raises(ValueError, match="2 rows of n_samples=2, which leaves none"):
        mlp.fit(X5[:2], [0, 1])
    assert len(mlp.fit(X5[:3], [0, 1, 1]).validation_scores_) == mlp.n_iter_


def test_early_stopping_split_is_stratified():
    """Where all rows are alike the score is a class's share of those held out."""
    X, y = np.zeros((200, 3)), np.repeat([0, 1, 2], [160, 30, 10])
    scores = set()
    for seed in range(20):
        mlp = BackpropMLPClassifier(
            early_stopping=True,
            learning_rate_init=1e-9,
            max_iter=1,
            random_state=seed,
        ).fit(X, y)
        scores.update(mlp.validation_scores_)
    assert scores == {16 / 20, 3 / 20, 1 / 20}


@pytest.mark.parametrize(
    "make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix]
)
@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc", *STOCHASTIC])
def test_sparse_is_dense(make, solver):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((90, 12)) < 0.2, rng.standard_normal((90, 12)), 0)
    y = np.arange(90) % 3
    params = {"solver": solver, "max_fun": 5, "max_iter": 3, "batch_size": 32}
    dense = pair(**{**params, "solver": "sgd"})[0].set_params(solver=solver).fit(X, y)
    thin = BackpropMLPClassifier(**dense.get_params()).fit(make(X), y)
    for a, b in zip(dense.coefs_, thin.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)
    np.testing.assert_allclose(
        thin.predict_proba(make(X)), dense.predict_proba(X), atol=1e-10
    )
    if solver in STOCHASTIC:
        dense.partial_fit(X, y)
        thin.partial_fit(make(X), y)
        np.testing.assert_allclose(dense.coefs_[0], thin.coefs_[0], atol=1e-10)


@pytest.mark.parametrize(
    "make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_matrix]
)
def test_a_sparse_indicator_matrix_gives_one(make):
    X, y = problem("multilabel")
    ours, theirs = (model.fit(X, make(y)) for model in pair(max_iter=200))
    expected = clone(ours).fit(X, y).predict(X)
    like_theirs = ours.to_sklearn()
    loaded = pickle.loads(pickle.dumps(ours))
    for model in (ours, like_theirs, loaded, ours.from_sklearn(like_theirs)):
        predicted = model.predict(X)
        assert type(predicted) is type(theirs.predict(X)) is sparse.csr_matrix
        assert predicted.dtype == theirs.predict(X).dtype
        np.testing.assert_array_equal(predicted.toarray(), expected)
    assert ours.score(X, make(y)) == ours.score(X, y) > 0.5
    continued = clone(ours).partial_fit(X, make(y), classes=[0, 1, 2])
    assert type(continued.predict(X)) is sparse.csr_matrix


def messages(mlp, call):
    """What a call raises or warns, in words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(mlp)
        except (ValueError, AttributeError) as error:
            return [str(error).replace(type(mlp).__name__, "MLP")]
    return [str(w.message) for w in caught if w.category is not ConvergenceWarning]


X5, Y5 = problem("multiclass")


@pytest.mark.parametrize(
    ("params", "call"),
    [
        ({"hidden_layer_sizes": (5, 0)}, lambda m: m.fit(X5, Y5)),
        ({"solver": "lbfgs"}, lambda m: m.partial_fit),
        ({}, lambda m: m.partial_fit(X5, Y5)),
        ({}, lambda m: m.fit(X5, Y5).partial_fit(X5, Y5 + 5)),
        ({"warm_start": True}, lambda m: m.fit(X5, Y5).fit(X5[:, ::-1], Y5 % 2)),
        ({"batch_size": 1000}, lambda m: m.fit(X5, Y5)),
        ({}, lambda m: m.fit(X5, Y5).predict(X5[:, :2])),
        ({}, lambda m: m.fit(X5, Y5[:, np.newaxis])),
        ({"alpha": -1}, lambda m: m.fit(X5, Y5)),
        ({}, lambda m: m.predict(X5)),
    ],
)
def test_errors_and_warnings_in_its_words(params, call):
    ours, theirs = pair(**params)
    said = messages(ours, call)
    assert said
    assert said == messages(theirs, call)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"early_stopping": True}, "partial_fit does not support early_stopping=True"),
        ({"class_weight": "balanced"}, "'balanced' is not supported for partial_fit"),
        ({"solver": "tnc"}, "tnc is not stochastic"),
    ],
)
def test_no_partial_fit(params, reason):
    """Where it needs all data it is not there, and the cause is in words."""
    mlp = BackpropMLPClassifier(**{"solver": "sgd", **params})
    assert not hasattr(mlp, "partial_fit")
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as caught:
        mlp.partial_fit(X5, Y5, classes=[0, 1, 2])
    assert reason in str(caught.value.__cause__)


def test_convergence_warning_begins_with_its_words():
    ours, theirs = pair(solver="adam")
    said = []
    for mlp in (ours, theirs):
        with pytest.warns(ConvergenceWarning) as caught:
            mlp.fit(X5, Y5)
        said.append(str(caught[0].message))
    assert said[0].startswith(said[1])


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_verbose_prints_what_it_prints(solver, capsys):
    params = {"solver": solver, "max_iter": 40, "tol": 0.5, "n_iter_no_change": 3}
    ours, theirs = pair(verbose=True, learning_rate="adaptive", **params)
    ours.fit(X5, Y5)
    our_lines = capsys.readouterr().out.splitlines()
    theirs.fit(X5, Y5)
    their_lines = capsys.readouterr().out.splitlines()
    if solver == "sgd":
        # Its last line tells that the learning rate is too small to go on.
        assert their_lines[:20] == our_lines[:20]
    else:
        assert their_lines == our_lines


@pytest.mark.parametrize("first", [True, False])
def test_early_stopping_turned_on_or_off_between_calls(first):
    mlp, _ = pair(solver="adam", warm_start=True, early_stopping=first)
    mlp.fit(X5, Y5).set_params(early_stopping=not first).fit(X5, Y5)
    assert (mlp.best_loss_ is None) == (not first)
    assert (mlp.validation_scores_ is None) == first
    assert mlp.t_ > 0


@pytest.mark.parametrize(("before", "after"), [("adam", "sgd"), ("sgd", "adam")])
def test_partial_fit_by_another_solver_begins_without_momentum(before, after):
    X, y = problem("multiclass")
    mlp, _ = pair(solver=before)
    mlp.partial_fit(X, y, np.unique(y)).partial_fit(X, y).set_params(solver=after)
    anew = copy.deepcopy(mlp).set_theta(mlp.get_theta())
    for other in (mlp, anew):
        other.partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_array_equal(mlp.coefs_[0], anew.coefs_[0])


def test_partial_fit_takes_a_new_learning_rate():
    mlp = BackpropMLPClassifier(5, solver="sgd", momentum=0, random_state=0)
    steps = []
    for rate in (1e-5, 1e-3):
        mlp.set_params(learning_rate_init=rate).partial_fit(X5, Y5, classes=[0, 1, 2])
        before = mlp.coefs_[0].copy()
        mlp.partial_fit(X5, Y5)
        steps.append(np.linalg.norm(mlp.coefs_[0] - before))
    assert steps[1] == pytest.approx(100 * steps[0], rel=0.1)


def test_zero_weight_is_refused_in_words():
    mlp = BackpropMLPClassifier(5, class_weight={0: 0.0}, max_iter=2)
    mlp.partial_fit(X5, Y5, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="zero for every row"):
        mlp.partial_fit(X5[Y5 == 0], Y5[Y5 == 0])


@pytest.mark.parametrize("nesterovs_momentum", [True, False])
@pytest.mark.parametrize("momenta", [(0.9, 0.5), (0.9, 0.0, 0.7), (0.0, 0.6), (0.5, 1)])
def test_the_momentum_in_force_counts(momenta, nesterovs_momentum):
    """As its optimizer, which keeps the velocity, makes of it."""
    ours, theirs = pair(
        solver="sgd", nesterovs_momentum=nesterovs_momentum, batch_size=16
    )
    for momentum in momenta:
        for mlp in (ours, theirs):
            mlp.set_params(momentum=momentum)
            if hasattr(mlp, "_optimizer") and mlp is theirs:
                mlp._optimizer.momentum = momentum
            for _ in range(2):
                mlp.partial_fit(X5, Y5, classes=np.unique(Y5))
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)
