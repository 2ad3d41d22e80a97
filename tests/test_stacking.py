"""A stack of networks trains each of them as its own fit would."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from probes import CtrlC, StackSizes, watched_tanh
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor, fit_stack
from skmlp_backprop.callbacks import EarlyStopping

RATES = (0.003, 0.03, 0.3)
OPTIONS = {
    "plain": {},
    "deep": {"hidden_layer_sizes": (7, 5), "activation": ("relu", "gelu")},
    "none_hidden": {"hidden_layer_sizes": ()},
    "early_stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "dropout": {"dropout": 0.3},
    "balanced": {"class_weight": "balanced"},
    "in_order": {"shuffle": False},
    "input_activation": {"input_activation": "tanh"},
    "squared_error": {"loss": "squared_error", "output_activation": "logistic"},
}


def make(**params):
    params = {"hidden_layer_sizes": (6,), "batch_size": 25, "max_iter": 5, **params}
    return BackpropMLPClassifier(random_state=0, **params)


@pytest.fixture
def stacks():
    return StackSizes()


def assert_same_fit(stacked, own, rtol=1e-6):
    assert stacked.n_iter_ == own.n_iter_
    assert stacked.n_fun_ == own.n_fun_
    assert stacked.t_ == own.t_
    np.testing.assert_allclose(stacked.loss_curve_, own.loss_curve_, rtol)
    if own.validation_scores_ is not None:
        np.testing.assert_array_equal(
            stacked.validation_scores_, own.validation_scores_
        )
    for a, b in zip(stacked.coefs_, own.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol, atol=1e-9)
    for a, b in zip(stacked.intercepts_, own.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol, atol=1e-9)
    assert stacked.n_features_in_ == own.n_features_in_
    np.testing.assert_array_equal(stacked.classes_, own.classes_)


def fit_both_ways(mlps, X, y, sample_weight=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        own = [clone(mlp).fit(X, y, sample_weight) for mlp in mlps]
        stacked = fit_stack(mlps, X, y, sample_weight)
    return stacked, own


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_same_as_own_fit(iris, solver, option, stacks):
    rule = stacks.rules[solver]
    mlps = [
        make(solver=rule, alpha=alpha, learning_rate_init=rate, **OPTIONS[option])
        for alpha in (0, 0.1, 10)
        for rate in RATES
    ]
    weight = np.random.default_rng(0).integers(1, 4, len(iris[0]))
    for stacked, own in zip(*fit_both_ways(mlps, *iris, weight), strict=True):
        assert_same_fit(stacked, own)
    assert stacks.shared == [9]


@pytest.mark.parametrize(
    ("solver", "varied"),
    [
        ("sgd", {"momentum": (0.0, 0.5, 0.9)}),
        ("sgd", {"momentum": (0.0, 0.5, 0.9), "nesterovs_momentum": (False,) * 3}),
        ("sgd", {"momentum": (0.0,) * 3, "alpha": (0, 1, 2)}),
        ("sgd", {"learning_rate": ("constant", "invscaling", "adaptive")}),
        ("sgd", {"power_t": (0.2, 0.5, 0.9), "learning_rate": ("invscaling",) * 3}),
        ("adam", {"beta_1": (0.0, 0.5, 0.9)}),
        ("adam", {"beta_2": (0.5, 0.9, 0.999)}),
        ("adam", {"epsilon": (1e-8, 1e-3, 1)}),
        ("adam", {"weight_init": (0.05, 0.1, 0.5)}),
        ("sgd", {"max_iter": (1, 4, 2)}),
        ("sgd", {"tol": (0, 0.05, 0.5), "max_iter": (40,) * 3}),
        ("adam", {"n_iter_no_change": (1, 3, 5), "tol": (0.02,) * 3}),
    ],
)
def test_what_may_differ(iris, solver, varied):
    sizes = []
    tanh = watched_tanh(on_backward=lambda kept: sizes.append(len(kept)))
    names, columns = list(varied), zip(*varied.values(), strict=True)
    mlps = [
        make(solver=solver, activation=tanh, **dict(zip(names, values, strict=True)))
        for values in columns
    ]
    for stacked, own in zip(*fit_both_ways(mlps, *iris), strict=True):
        assert_same_fit(stacked, own)
    # The steps of own fits come first, those of a stack that some have left last.
    assert next(size for size in sizes if size > 1) == 3


@pytest.mark.parametrize("units", [(), (6,), (5, 4)])
def test_depths(iris, units):
    mlps = [make(hidden_layer_sizes=units, alpha=alpha) for alpha in (0.1, 1)]
    for stacked, own in zip(*fit_both_ways(mlps, *iris), strict=True):
        assert_same_fit(stacked, own)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("solver", "n_stack"), [("sgd", 1), ("sgd", 2), ("sgd", 3), ("lbfgs", 1)]
)
def test_long_rows(solver, n_stack, order):
    """Few units in float32 end as in float64."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(250, 400)).astype(np.float32, order=order)
    y = (X[:, :5].sum(axis=1) > 0) + (X[:, 5] > 1).astype(int)
    mlps = [
        make(
            hidden_layer_sizes=(30,),
            activation="tanh",
            solver=solver,
            batch_size=120,
            max_iter=3,
            alpha=alpha,
        )
        for alpha in (0.1, 1, 10)[:n_stack]
    ]
    double = [clone(mlp) for mlp in mlps]
    fit_stack(mlps, X, y)
    fit_stack(double, X.astype(np.float64), y)
    for single, exact in zip(mlps, double, strict=True):
        for got, expected in zip(single.coefs_, exact.coefs_, strict=True):
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-5)
        probabilities = single.predict_proba(X)
        np.testing.assert_allclose(probabilities, exact.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("form", ["plain", "multilabel", "in_order", "input", "deep"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_restarts(iris, solver, form, stacks):
    """Different seeds: rows of each network's own, from the same data."""
    X, y = iris
    options = {
        "in_order": {"shuffle": False},
        "input": {"input_activation": "tanh"},
        "deep": {"hidden_layer_sizes": (7, 5), "activation": ("gelu", "tanh")},
    }
    if form == "multilabel":
        y = np.column_stack([y == 0, y > 0, X[:, 0] > 0]).astype(int)
    mlps = [
        make(solver=stacks.rules[solver], max_iter=n, alpha=n, **options.get(form, {}))
        for n in (5, 2, 6, 2, 4)
    ]
    for seed, mlp in zip((0, 1, 2, 3, 0), mlps, strict=True):
        mlp.set_params(random_state=seed)
    for stacked, own in zip(*fit_both_ways(mlps, X, y), strict=True):
        assert_same_fit(stacked, own)
    assert stacks.shared == [5]
    assert not np.allclose(mlps[0].coefs_[0], mlps[4].coefs_[0])


@pytest.mark.parametrize("why", ["weights", "sparse", "large", "dropout", "stopping"])
def test_restarts_that_need_stacks_of_their_own(iris, why, stacks):
    X, y = iris
    weight = np.arange(1.0, 151.0) if why == "weights" else None
    options = {"dropout": {"dropout": 0.3}, "stopping": {"early_stopping": True}}
    if why == "sparse":
        X = sparse.csr_array(X)
    if why == "large":
        # Of more rows than a pass takes at a time.
        X, y = np.tile(X, (20, 1)), np.tile(y, 20)
        options["large"] = {"batch_size": 3000}
    params = {"solver": stacks.rules["adam"], **options.get(why, {})}
    mlps = [make(alpha=alpha, **params) for alpha in (0, 1, 2, 3)]
    for seed, mlp in zip((0, 1, 0, 1), mlps, strict=True):
        mlp.set_params(random_state=seed)
    for stacked, own in zip(*fit_both_ways(mlps, X, y, weight), strict=True):
        assert_same_fit(stacked, own)
    assert stacks.shared == [2, 2]


def test_those_that_are_done_leave(digits):
    X, y = digits
    mlps = [
        make(alpha=alpha, learning_rate_init=0.02, tol=1e-2, max_iter=200)
        for alpha in (0.01, 1, 3, 10, 100)
    ]
    stacked, own = fit_both_ways(mlps, X[:300], y[:300])
    assert len({mlp.n_iter_ for mlp in own}) > 2
    for a, b in zip(stacked, own, strict=True):
        assert_same_fit(a, b)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_divergence_disturbs_no_other(iris, solver):
    mlps = [
        make(solver=solver, activation="relu", learning_rate_init=rate, max_iter=8)
        for rate in (0.01, 1e200, 0.1)
    ]
    own = [clone(mlps[0]), clone(mlps[2])]
    with pytest.warns(ConvergenceWarning) as caught:
        fit_stack(mlps, *iris)
    messages = [str(w.message) for w in caught]
    (message,) = [m for m in messages if "Training diverged in epoch 1" in m]
    assert "kept. Lower `learning_rate_init` or scale the data" in message
    assert all(np.isfinite(coef).all() for coef in mlps[1].coefs_)
    assert mlps[1].n_iter_ == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for mlp in own:
            mlp.fit(*iris)
    assert_same_fit(mlps[0], own[0])
    assert_same_fit(mlps[2], own[1])


@pytest.mark.parametrize("form", ["multilabel", "sparse", "float32", "two_classes"])
def test_data(iris, form, stacks):
    X, y = iris
    rtol = 1e-6
    if form == "multilabel":
        y = np.column_stack([y == 0, y > 0, X[:, 0] > 0]).astype(int)
    elif form == "sparse":
        X = sparse.csr_array(np.where(X > 0, X, 0))
    elif form == "float32":
        X, rtol = X.astype(np.float32), 1e-3
    else:
        y = np.array(["no", "yes"])[(y > 0).astype(int)]
    rule = stacks.rules["adam"]
    mlps = [make(solver=rule, alpha=alpha) for alpha in (0.01, 1)]
    for stacked, own in zip(*fit_both_ways(mlps, X, y), strict=True):
        assert_same_fit(stacked, own, rtol)
        assert stacked.coefs_[0].dtype == own.coefs_[0].dtype
        np.testing.assert_array_equal(stacked.predict(X), own.predict(X))
    assert stacks.shared == [2]


def test_feature_names(iris):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(iris[0], columns=list("abcd"))
    mlps, _ = fit_both_ways([make(alpha=0), make(alpha=1)], X, iris[1])
    for mlp in mlps:
        assert list(mlp.feature_names_in_) == list("abcd")


@pytest.mark.parametrize(
    ("n_units", "sizes"), [(500, [3, 2, 2]), (2000, [1] * 7)], ids=str
)
def test_stacks_are_split(iris, n_units, sizes):
    """A network's largest array is 150 rows x units: a stack has 2 MB of these."""
    seen = []
    tanh = watched_tanh(on_backward=lambda kept: seen.append(len(kept)))
    params = {"hidden_layer_sizes": n_units, "batch_size": 150, "max_iter": 1}
    mlps = [make(activation=tanh, alpha=alpha, **params) for alpha in range(1, 8)]
    for stacked, own in zip(*fit_both_ways(mlps, *iris), strict=True):
        assert_same_fit(stacked, own)
    # A step each; those of own fits come first.
    assert seen[7:] == sizes


@pytest.mark.parametrize(("n_seeds", "sizes"), [(1, [6]), (6, [3, 3])], ids=str)
def test_rows_of_each_seed_count_in_the_size_of_a_stack(n_seeds, sizes):
    """Networks of other seeds have copies of their rows, here of 0.5 MB each."""
    rng, seen = np.random.default_rng(0), []
    X, y = rng.normal(size=(130, 500)), np.arange(130) % 2
    tanh = watched_tanh(on_backward=lambda kept: seen.append(len(kept)))
    params = {"hidden_layer_sizes": 5, "batch_size": 130, "max_iter": 1}
    mlps = [make(activation=tanh, alpha=alpha, **params) for alpha in range(1, 7)]
    for i, mlp in enumerate(mlps):
        mlp.set_params(random_state=i % n_seeds)
    for stacked, own in zip(*fit_both_ways(mlps, X, y), strict=True):
        assert_same_fit(stacked, own)
    assert seen[6:] == sizes


@pytest.mark.parametrize("weighted", [False, True])
def test_mixed_list(iris, stacks, weighted):
    """What cannot share a stack is fitted all the same."""
    adam, sgd = stacks.rules["adam"], stacks.rules["sgd"]
    mlps = [
        make(solver=adam, alpha=1),
        make(solver=adam, hidden_layer_sizes=3),
        make(solver="lbfgs", max_iter=20),
        make(solver=adam, alpha=2),
        make(solver=adam, hidden_layer_sizes=3, alpha=2),
        make(solver=sgd),
    ]
    weights = np.arange(1.0, 151.0) if weighted else None
    for stacked, own in zip(*fit_both_ways(mlps, *iris, weights), strict=True):
        assert_same_fit(stacked, own)
    assert stacks.shared == [2, 2]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("params", "is_shared"),
    [
        ({"alpha": 3, "learning_rate_init": 1}, True),
        # Parameters of the other solvers alone.
        ({"nesterovs_momentum": False, "max_fun": 1}, True),
        ({"verbose": True}, True),
        ({"random_state": 1}, True),
        ({"random_state": None}, False),
        pytest.param(
            {"random_state": np.random.RandomState(0)}, False, id="RandomState"
        ),
        ({"hidden_layer_sizes": (5,)}, False),
        ({"solver": "sgd"}, False),
        ({"batch_size": 26}, False),
        ({"shuffle": False}, False),
        ({"dropout": 0.1}, False),
        ({"class_weight": {0: 2}}, False),
        ({"weight_init": 0.1}, False),
        ({"early_stopping": True}, False),
        ({"average_epochs": 1}, False),
        ({"input_activation": "tanh"}, False),
        ({"warm_start": True}, False),
    ],
    ids=str,
)
def test_who_shares_a_stack(iris, params, is_shared, stacks):
    plain = make(solver=stacks.rules["adam"], max_iter=1)
    rule = stacks.rules[params.get("solver", "adam")]
    fit_stack([plain, clone(plain).set_params(**{**params, "solver": rule})], *iris)
    assert stacks.sizes == ([2] if is_shared else [1, 1])


@pytest.mark.parametrize(
    ("params", "varied"),
    [
        ({"solver": "sgd"}, {"nesterovs_momentum": False}),
        ({"early_stopping": True}, {"validation_fraction": 0.3}),
    ],
    ids=str,
)
def test_who_shares_no_stack(iris, params, varied):
    """Those that differ in a parameter of their solver, or of early stopping."""
    mlp = make(learning_rate_init=0.1, **params)
    mlps = [mlp, clone(mlp).set_params(**varied)]
    (a, b), own = fit_both_ways(mlps, *iris)
    assert_same_fit(a, own[0])
    assert_same_fit(b, own[1])
    assert not np.allclose(a.coefs_[0], b.coefs_[0])


@pytest.mark.callbacks
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_callbacks_are_of_one_alone(iris, stacks):
    mlps = [make(solver=stacks.rules["adam"], max_iter=1) for _ in range(2)]
    mlps[1].set_callbacks(EarlyStopping(*iris))
    fit_stack(mlps, *iris)
    assert stacks.sizes == [1, 1]


def test_training_goes_on_from_a_stack(iris):
    stacked, own = fit_both_ways([make(alpha=0), make(alpha=1)], *iris)
    for a, b in zip(stacked, own, strict=True):
        assert_same_fit(a.partial_fit(*iris), b.partial_fit(*iris))


def test_members_hold_no_other_weights(iris):
    (a, b), _ = fit_both_ways([make(alpha=0), make(alpha=1, max_iter=2)], *iris)
    assert not np.shares_memory(a.coefs_[0], b.coefs_[0])
    base = a.coefs_[0]
    while base.base is not None:
        base = base.base
    n_bytes = sum(w.nbytes for w in [*a.coefs_, *a.intercepts_])
    assert base.nbytes <= n_bytes
    # But for the longer one's three curves.
    curves = 3 * 8 * (a.n_iter_ - b.n_iter_)
    assert len(pickle.dumps(a)) == len(pickle.dumps(b)) + curves


def test_bad_input_changes_nothing(iris):
    X, y = iris
    mlps, _ = fit_both_ways([make(alpha=0), make(alpha=1)], X, y)
    before = [mlp.coefs_[0].copy() for mlp in mlps]
    with pytest.raises(ValueError, match="contains NaN"):
        fit_stack(mlps, np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match="not finite at the initial weights"):
        fit_stack([mlp.set_params(alpha=1, weight_init=1e200) for mlp in mlps], X, y)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        fit_stack([*mlps, make(alpha=-1)], X, y)
    for mlp, coef in zip(mlps, before, strict=True):
        np.testing.assert_array_equal(mlp.coefs_[0], coef)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_goes_on_after_divergence(iris, solver):
    mlps = [
        make(solver=solver, activation="relu", learning_rate_init=rate)
        for rate in (0.01, 1e200)
    ]
    own = clone(mlps[1]).fit(*iris)
    stacked = fit_stack(mlps, *iris)[1]
    for _ in range(3):
        for mlp in (stacked, own):
            mlp.set_params(learning_rate_init=0.01).partial_fit(*iris)
    np.testing.assert_allclose(stacked.coefs_[0], own.coefs_[0], rtol=1e-6)
    assert len(stacked.loss_curve_) == 3
    assert stacked.loss_ < stacked.loss_curve_[0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_moments_keep_their_meaning_when_betas_change(iris):
    """With rates so small that the weights stay, v is a mean of the same squares."""
    mlp = make(solver="adam", learning_rate_init=1e-12, shuffle=False, batch_size=150)
    for _ in range(30):
        mlp.partial_fit(*iris, classes=[0, 1, 2])
    before = mlp._optimizer.state["second_moment"].flat * (1 - 0.999)
    mlp.set_params(beta_2=0.5, beta_1=0.5).partial_fit(*iris)
    after = mlp._optimizer.state["second_moment"].flat * (1 - 0.5)
    squares = 2 * after - before
    np.testing.assert_allclose(before, squares * (1 - 0.999**30), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_steps_are_as_long_as_the_rate_when_betas_change(iris):
    """After gradients that are nearly equal, m / sqrt(v) is nearly 1."""
    mlp = make(solver="adam", learning_rate_init=1e-12, shuffle=False, batch_size=150)
    for _ in range(60):
        mlp.partial_fit(*iris, classes=[0, 1, 2])
    before = mlp.coefs_[1].copy()
    mlp.set_params(beta_1=0.5, learning_rate_init=1e-3).partial_fit(*iris)
    assert np.abs(mlp.coefs_[1] - before).max() < 1.01e-3


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"activation": ["tanh", "relu"]}, "names 2 activations"),
        ({"dropout": [0.1, 0.1]}, "dropout has 2 rates"),
        ({"class_weight": {0: -1}}, "class_weight must be finite"),
        ({"class_weight": [{0: 1}]}, "for multilabel targets only"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0"),
        ({"weight_init": 1e308}, "'weight_init' parameter"),
        ({"power_t": 1e300}, "'power_t' parameter"),
        ({"early_stopping": True, "validation_fraction": 0.999}, "none to train on"),
    ],
    ids=str,
)
def test_nothing_is_fitted_where_a_later_fit_would_fail(bad, message, iris, stacks):
    adam, sgd = stacks.rules["adam"], stacks.rules["sgd"]
    mlps = [make(solver=adam), make(solver=adam, alpha=1), make(solver=sgd, **bad)]
    with pytest.raises(ValueError, match=message):
        fit_stack(mlps, *iris)
    assert stacks.sizes == []
    assert not any(hasattr(mlp, "coefs_") for mlp in mlps)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_only_a_later_fit_can_tell_leaves_all_as_they_were(iris):
    X, y = iris
    mlps = [make(solver="lbfgs", max_iter=3), make(), make(weight_init=1e300)]
    mlps[1].fit(X[:, :2], y)
    before = mlps[1].coefs_[0]
    with pytest.raises(ValueError, match="not finite at the initial weights"):
        fit_stack(mlps, X, y)
    assert not hasattr(mlps[0], "coefs_")
    assert mlps[1].coefs_[0] is before
    assert mlps[1].n_features_in_ == 2


def test_alpha_too_large_for_float32_is_named(iris):
    X, y = iris
    X = X.astype(np.float32)
    mlps = [make(), make(alpha=1e300)]
    with pytest.raises(ValueError, match="alpha=1e\\+300 is too large for float32"):
        fit_stack(mlps, X, y)
    with pytest.raises(ValueError, match="alpha=1e\\+300 is too large for float32"):
        mlps[1].fit(X, y)
    assert not any(hasattr(mlp, "coefs_") for mlp in mlps)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_y_in_another_order_is_said(iris):
    """As in the fit of a single network."""
    X, y = pd.DataFrame(iris[0]), pd.Series(iris[1])
    mlps = [make(alpha=alpha) for alpha in (0, 1)]
    with pytest.warns(UserWarning, match="y has the same index as X, but in another"):
        fit_stack(mlps, X, y.sample(frac=1, random_state=0))


def test_sparse_rows_that_a_later_network_refuses(iris, stacks):
    """They are refused before the first network is trained."""
    mlps = [make(solver=stacks.sgd), make(input_activation="tanh")]
    with pytest.raises(ValueError, match="input_activation"):
        fit_stack(mlps, sparse.csr_array(iris[0]), iris[1])
    assert stacks.sizes == []


@pytest.mark.parametrize("what", [make_pipeline(make()), "adam", None], ids=str)
def test_only_our_classifiers_are_stacked(what, iris):
    mlp = make()
    with pytest.raises(TypeError, match="fit_stack takes BackpropMLPClassifier"):
        fit_stack([mlp, what], *iris)
    assert not hasattr(mlp, "coefs_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_interrupted_stack_keeps_what_it_reached(iris):
    params = {"activation": CtrlC(5).activation, "batch_size": 50}
    mlps = [make(alpha=alpha, **params) for alpha in (0.1, 1)]
    with pytest.warns(UserWarning, match="interrupted"):
        fit_stack(mlps, *iris)
    assert [mlp.n_iter_ for mlp in mlps] == [1, 1]


def test_interrupt_ends_all_stacks(iris):
    """The others would be left without a fit, or be half-trained in silence."""
    tanh = CtrlC(5).activation
    params = [{}, {"alpha": 1}, {"solver": "sgd"}, {"solver": "lbfgs"}]
    mlps = [make(activation=tanh, **one) for one in params]
    with pytest.raises(KeyboardInterrupt):
        fit_stack(mlps, *iris)
    assert not any(hasattr(mlp, "coefs_") for mlp in mlps)


def test_names_of_an_earlier_fit_are_forgotten(iris):
    X, y = iris
    mlps = [make(alpha=alpha) for alpha in (0, 1)]
    fit_both_ways(mlps, pd.DataFrame(X, columns=list("abcd")), y)
    assert all(list(mlp.feature_names_in_) == list("abcd") for mlp in mlps)
    fit_both_ways(mlps, X, y)
    assert not any(hasattr(mlp, "feature_names_in_") for mlp in mlps)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parameters_without_effect_are_said(iris):
    mlps = [BackpropMLPRegressor(huber_epsilon=2, max_iter=2) for _ in range(2)]
    with pytest.warns(UserWarning, match="huber_epsilon=2 has no effect"):
        fit_stack(mlps, *iris)
