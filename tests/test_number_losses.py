"""The losses of numbers: their gradients, minima and what they predict."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from names import names_of
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
)
from sklearn.metrics import (
    d2_pinball_score,
    d2_tweedie_score,
    mean_pinball_loss,
    r2_score,
)
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    TabularMLPRegressor,
    check_gradient,
    fit_stack,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMOOTH = ["squared_error", "huber", "poisson", "gamma"]
KINKED = ["absolute_error", "quantile"]
OF_A_LOSS = {"quantile": "quantile", "huber_epsilon": "huber"}
# Losses and outputs.
PAIRS = [
    ("squared_error", "identity"),
    ("absolute_error", "identity"),
    ("huber", "identity"),
    ("quantile", "identity"),
    ("quantile", "increasing"),
    ("poisson", "exp"),
    ("gamma", "exp"),
]


def make_one_of_all(loss, **params):
    """A regressor with those of the parameters that are the loss's."""
    params = {
        name: value
        for name, value in params.items()
        if name not in OF_A_LOSS or OF_A_LOSS[name] == loss
    }
    return make(loss=loss, **params)


def make(**params):
    params = {"hidden_layer_sizes": (6,), "random_state": 0, "max_iter": 20, **params}
    return BackpropMLPRegressor(**params)


def assert_gradient(mlp, X, y, weight=None):
    check = check_gradient(mlp, X, y, weight)
    assert check.passed, check
    assert check.relative_difference < 1e-7


def test_all_losses_are_tested():
    names = names_of("loss", BackpropMLPRegressor)
    assert sorted({loss for loss, _ in PAIRS}) == names == sorted(SMOOTH + KINKED)


@pytest.mark.parametrize(("loss", "output"), PAIRS)
@pytest.mark.parametrize("hidden", [(), (5, 4)], ids=["linear", "deep"])
def test_gradients(hidden, loss, output, diabetes):
    X, y = diabetes
    quantile = [0.1, 0.5, 0.9] if output == "increasing" else 0.3
    mlp = make_one_of_all(
        loss,
        hidden_layer_sizes=hidden,
        quantile=quantile,
        activation="tanh",
        alpha=2,
    )
    weight = np.random.default_rng(1).uniform(0.2, 3, 25)
    assert_gradient(mlp, X[:25], y[:25], weight)
    if output != "increasing":
        assert_gradient(mlp, X[:25], np.column_stack([y[:25], y[25:50]]), weight)


@pytest.mark.parametrize(("loss", "output"), PAIRS)
def test_a_wrong_derivative_is_found(loss, output, diabetes):
    X, y = diabetes[0][:25], diabetes[1][:25]
    quantile = [0.1, 0.5, 0.9] if output == "increasing" else 0.3
    mlp = make_one_of_all(loss, quantile=quantile, activation="tanh", alpha=0)
    gradient = mlp.initialize(X, y).loss_and_gradient(X, y)[1].ravel()
    assert check_gradient(mlp, X, y, gradient=gradient).passed
    assert not check_gradient(mlp, X, y, gradient=1.001 * gradient).passed


@pytest.mark.parametrize("loss", [*SMOOTH, *KINKED])
def test_loss_is_what_it_is_called(loss, diabetes):
    """The objective without a penalty, against SciPy and scikit-learn."""
    X, y = diabetes
    params = {"quantile": 0.2, "huber_epsilon": 0.4}
    mlp = make_one_of_all(loss, alpha=0, max_iter=3, **params)
    mlp.set_params(solver="adam").fit(X, y)
    p = mlp.predict(X)
    expected = {
        "squared_error": lambda: np.mean((y - p) ** 2) / 2,
        "absolute_error": lambda: np.mean(np.abs(y - p)),
        "huber": lambda: np.mean(scipy.special.huber(0.4, y - p)),
        "quantile": lambda: mean_pinball_loss(y, p, alpha=0.2),
        "poisson": lambda: np.mean(scipy.special.kl_div(y, p)),
        "gamma": lambda: np.mean(y / p - np.log(y / p) - 1),
    }
    assert mlp.loss_and_gradient(X, y)[0] == pytest.approx(expected[loss](), rel=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_squared_error_is_ridge(solver, diabetes):
    X, y = diabetes
    mlp = make(
        hidden_layer_sizes=(), solver=solver, alpha=3, tol=1e-9, max_iter=1000
    ).fit(X, y)
    ridge = Ridge(alpha=3).fit(X, y)
    np.testing.assert_allclose(mlp.coefs_[0][:, 0], ridge.coef_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(mlp.intercepts_[0], ridge.intercept_, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "cls"), [("poisson", PoissonRegressor), ("gamma", GammaRegressor)]
)
def test_deviances_are_generalised_linear_models(loss, cls, diabetes):
    X, y = diabetes
    mlp = (
        make(loss=loss, hidden_layer_sizes=(), solver="lbfgs", alpha=len(y), tol=1e-9)
        .set_params(max_iter=1000)
        .fit(X, y)
    )
    glm = cls(alpha=1, tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(mlp.coefs_[0][:, 0], glm.coef_, rtol=0, atol=1e-5)
    np.testing.assert_allclose(mlp.intercepts_[0], glm.intercept_, rtol=0, atol=1e-5)
    np.testing.assert_allclose(mlp.predict(X), glm.predict(X), rtol=1e-4)


def test_huber_is_scipys_minimum(diabetes):
    X, y = diabetes
    y = np.where(np.arange(len(y)) % 20 == 0, 30 * y, y)
    A = np.column_stack([X, np.ones(len(X))])
    own = scipy.optimize.least_squares(
        lambda w: A @ w - y,
        np.linalg.lstsq(A, y)[0],
        loss="huber",
        f_scale=0.3,
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-12,
    )
    mlp = (
        make(
            loss="huber",
            huber_epsilon=0.3,
            hidden_layer_sizes=(),
            solver="lbfgs",
            alpha=0,
        )
        .set_params(tol=1e-9, max_iter=2000)
        .fit(X, y)
    )
    assert mlp.loss_ == pytest.approx(own.cost / len(y), rel=1e-9)
    np.testing.assert_allclose(mlp.coefs_[0][:, 0], own.x[:-1], rtol=0, atol=1e-5)
    # The outliers weigh little: least squares is elsewhere.
    assert abs(LinearRegression().fit(X, y).intercept_ - mlp.intercepts_[0][0]) > 1


@pytest.mark.parametrize(
    ("loss", "quantile"), [("absolute_error", 0.5), ("quantile", 0.2)]
)
def test_kinked_losses_are_linear_programs(loss, quantile, diabetes):
    X, y = diabetes
    mlp = make(
        loss=loss,
        quantile=quantile,
        hidden_layer_sizes=(),
        solver="adam",
        alpha=0,
        tol=0,
        n_iter_no_change=np.inf,
        batch_size=len(y),
        max_iter=800,
    )
    for rate in (0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003):
        mlp.set_params(learning_rate_init=rate, warm_start=True).fit(X, y)
    exact = QuantileRegressor(quantile=quantile, alpha=0).fit(X, y)
    loss_of_exact = mean_pinball_loss(y, exact.predict(X), alpha=quantile)
    loss_of_ours = mean_pinball_loss(y, mlp.predict(X), alpha=quantile)
    assert loss_of_exact <= loss_of_ours < loss_of_exact * (1 + 1e-4)


@pytest.mark.parametrize("loss", KINKED)
@pytest.mark.parametrize("solver", ["lbfgs", "cg", "tnc"])
def test_kinked_losses_are_refused_by_full_batch_solvers(solver, loss, diabetes):
    mlp = make(loss=loss, solver=solver)
    with pytest.raises(ValueError, match=f"loss='{loss}' has a kink .* solver 'adam'"):
        mlp.fit(*diabetes)


def coverage_bound(share, n_rows):
    """Four standard errors, of the held-out share and of as many rows' in training."""
    return 4 * np.sqrt(share * (1 - share) * 2 / n_rows)


def fit_quantile(quantile, X, y):
    """A small network, whose last epochs are at a low rate and so no longer wander."""
    mlp = BackpropMLPRegressor(
        "quantile",
        (5,),
        "tanh",
        quantile=quantile,
        alpha=1,
        n_iter_no_change=np.inf,
        warm_start=True,
        random_state=0,
    )
    for rate, n_epochs in ((0.01, 100), (0.001, 50)):
        mlp.set_params(learning_rate_init=rate, max_iter=n_epochs).fit(X, y)
    return mlp


LEVELS = [0.1, 0.5, 0.9]


def assert_covers(X, y):
    X_train, X_test, y_train, y_test = train_test_split(
        StandardScaler().fit_transform(X),
        (y - y.mean()) / y.std(),
        test_size=0.5,
        random_state=0,
    )
    together = fit_quantile(LEVELS, X_train, y_train).predict(X_test)
    assert (np.diff(together, axis=1) > 0).all()
    for level, column in zip(LEVELS, together.T, strict=True):
        alone = fit_quantile(level, X_train, y_train).predict(X_test)
        for predicted in (alone, column):
            # Both shares, as some tables have many equal numbers.
            bound = coverage_bound(level, len(y_test))
            assert np.mean(y_test <= predicted) >= level - bound
            assert np.mean(y_test < predicted) <= level + bound


def test_quantiles_cover_their_share(diabetes):
    assert_covers(*diabetes)


TABLES = ["kin8nm", "bank8FM", "machine_cpu", "autoprice", "pbc", "house8L"]


def test_the_tables_are_all_there_are(data_dir):
    index = json.loads((data_dir / "tables" / "index.json").read_text())
    tasks = {name: about["task"] for name, about in index.items()}
    assert {name for name in tasks if tasks[name] == "regression"} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_quantiles_cover_their_share_of_tables(name, data_dir):
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(data_dir / "tables" / f"{name}.csv.gz").iloc[:8000]
    y = frame.pop("target").to_numpy(float)
    X = SimpleImputer(strategy="median").fit_transform(frame.to_numpy(float))
    assert_covers(X, y)


def test_score_of_several_quantiles(diabetes):
    X, y = diabetes
    mlp = make(loss="quantile", quantile=LEVELS, solver="adam").fit(X, y)
    scores = [
        d2_pinball_score(y, p, alpha=level)
        for level, p in zip(LEVELS, mlp.predict(X).T, strict=True)
    ]
    assert mlp.score(X, y) == pytest.approx(np.mean(scores), rel=1e-12)
    stopped = clone(mlp).set_params(early_stopping=True).fit(X, y)
    assert stopped.best_validation_score_ == max(stopped.validation_scores_)


def test_a_list_of_one_quantile_is_a_list(diabetes):
    X, y = diabetes
    alone = make(loss="quantile", quantile=0.3, solver="adam").fit(X, y)
    listed = make(loss="quantile", quantile=[0.3], solver="adam").fit(X, y)
    predicted = listed.predict(X)
    assert predicted.shape == (len(X), 1)
    np.testing.assert_array_equal(predicted[:, 0], alone.predict(X))
    expected = d2_pinball_score(y, predicted[:, 0], alpha=0.3)
    assert listed.score(X, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("params", "y", "message"),
    [
        ({"loss": "poisson"}, -1, "loss='poisson' requires non-negative y, got"),
        ({"loss": "gamma"}, 0, "loss='gamma' requires strictly positive y"),
        ({"quantile": [0.5, 0.1]}, 1, "quantile must be a number in .* increasing"),
        ({"quantile": [0.5, 1]}, 1, "quantile must be a number in"),
        ({"quantile": []}, 1, "quantile must be a number in"),
        ({"quantile": 1.0}, 1, "The 'quantile' parameter"),
        ({"huber_epsilon": 0}, 1, "The 'huber_epsilon' parameter"),
        ({"loss": "log_loss"}, 1, "The 'loss' parameter"),
        (
            {"loss": "quantile", "quantile": LEVELS},
            np.ones((1, 2)),
            "a y of one dimension",
        ),
    ],
)
def test_refusals(params, y, message, diabetes):
    X, _ = diabetes
    y = np.repeat(np.atleast_1d(y), len(X), axis=0)
    mlp = make(solver="adam", **params)
    with pytest.raises(ValueError, match=message):
        mlp.fit(X, y)
    assert not hasattr(mlp, "coefs_")


def test_batches_of_zeros_train_as_in_scikit_learn(diabetes):
    """Where counts are rare, a batch may have zeros only."""
    X, _ = diabetes
    y = np.random.default_rng(0).poisson(0.05, len(X)).astype(float)
    y[:50] = 0
    ours, theirs = (
        cls(hidden_layer_sizes=5, loss="poisson", random_state=0)
        for cls in (BackpropMLPRegressor, MLPRegressor)
    )
    for mlp in (ours, theirs):
        mlp.partial_fit(X, y).partial_fit(X[:50], y[:50])
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_outputs_of_the_first_fit_stay(method, diabetes):
    """Weights that are exponents can't become weights of numbers."""
    X, y = diabetes
    mlp = make(loss="poisson", solver="adam", warm_start=True).fit(X, np.abs(y))
    predicted = mlp.predict(X)
    mlp.set_params(loss="squared_error")
    with pytest.raises(ValueError, match="was 'exp' in the earlier fit, and is 'ident"):
        getattr(mlp, method)(X, np.abs(y))
    np.testing.assert_array_equal(mlp.predict(X), predicted)


def test_y_too_large_for_float32(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match="values too large for float32"):
        make().fit(X.astype(np.float32), y * 1e39)


def test_other_columns_than_before(diabetes):
    X, y = diabetes
    mlp = make(solver="sgd").partial_fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match=r"`y` has one dimension, but 2 columns"):
        mlp.partial_fit(X, y)


# Where a training starts, and when it has learned nothing.


def started(loss, y, X=None, weights=None, **params):
    """The predictions of a network whose weights count for nothing, before any step."""
    X = np.zeros((len(y), 2)) if X is None else X
    mlp = make(loss=loss, hidden_layer_sizes=(), solver="sgd", shuffle=False, **params)
    mlp.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, y, weights)
    return mlp.predict(X)


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_that_mlpregressor_lacks_start_from_the_best_constant(weighted):
    rng = np.random.default_rng(0)
    y = 1000 * rng.gamma(2, size=41)
    weights = rng.integers(1, 4, 41).astype(float) if weighted else None
    rows = y if weights is None else np.repeat(y, weights.astype(int))

    def least(loss_of):
        options = {"bounds": (rows.min(), rows.max()), "method": "bounded"}
        return scipy.optimize.minimize_scalar(
            loss_of, **options, options={"xatol": 1e-6}
        ).x

    expected = {
        "gamma": rows.mean(),
        "absolute_error": np.quantile(rows, 0.5, method="inverted_cdf"),
        "quantile": np.quantile(rows, 0.2, method="inverted_cdf"),
        "huber": least(lambda c: scipy.special.huber(200, rows - c).sum()),
    }
    for loss, constant in expected.items():
        params = {"quantile": {"quantile": 0.2}, "huber": {"huber_epsilon": 200}}
        found = started(loss, y, weights=weights, **params.get(loss, {}))
        np.testing.assert_allclose(found, constant, rtol=1e-6)
    several = started("quantile", y, weights=weights, quantile=LEVELS)
    quantiles = np.quantile(rows, LEVELS, method="inverted_cdf")
    np.testing.assert_allclose(several, np.tile(quantiles, (41, 1)), rtol=1e-9)
    # Of several columns each its own.
    both = started("gamma", np.column_stack([y, 7 * y]), weights=weights)
    np.testing.assert_allclose(both[0], [rows.mean(), 7 * rows.mean()], rtol=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_losses_that_mlpregressor_has_start_as_it_does(loss):
    y = np.full(20, 1000.0)
    X = np.random.default_rng(0).normal(size=(20, 2))
    theirs = MLPRegressor(
        hidden_layer_sizes=(), loss=loss, solver="sgd", shuffle=False, random_state=0
    )
    theirs.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, y)
    np.testing.assert_allclose(started(loss, y, X), theirs.predict(X), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("mean", [1, 5000, 1e6])
def test_gamma_learns_whatever_the_mean(mean):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 5))
    y = mean * np.exp(X @ [0.3, 0.2, 0, 0.1, -0.2]) * rng.gamma(5, 1 / 5, 800)
    mlp = BackpropMLPRegressor("gamma", random_state=0).fit(X[:600], y[:600])
    d2 = d2_tweedie_score(y[600:], mlp.predict(X[600:]), power=2)
    by_hist = HistGradientBoostingRegressor(loss="gamma").fit(X[:600], y[:600])
    theirs = d2_tweedie_score(y[600:], by_hist.predict(X[600:]), power=2)
    assert d2 > theirs - 0.1
    assert d2 > 0.2


def useless_of(mlp, X, y):
    """What a fit says of having learned nothing; nothing if it does not."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mlp.fit(X, y)
    told = [str(w.message) for w in caught if "best constant" in str(w.message)]
    assert len(told) <= 1
    return "".join(told)


@pytest.mark.parametrize(
    ("solver", "loss"),
    [("adam", "squared_error"), ("adam", "absolute_error"), ("sgd", "absolute_error")],
)
def test_y_far_from_the_first_predictions_is_said(solver, loss, diabetes):
    X, y = diabetes
    mlp = BackpropMLPRegressor(loss, solver=solver, random_state=0, max_iter=20)
    mlp.set_params(learning_rate_init=1e-5)
    assert "y by TransformedTargetRegressor" in useless_of(mlp, X, 1e5 * y + 1e6)
    mlp.set_params(learning_rate_init=0.003, max_iter=200)
    assert useless_of(mlp, X, (y - y.mean()) / y.std()) == ""


def test_a_rate_that_is_too_high_is_said(digits):
    X, y = digits
    raw, _ = load_digits(return_X_y=True)
    mlp = BackpropMLPClassifier(solver="sgd", learning_rate_init=50, random_state=0)
    told = useless_of(mlp, raw, y)
    assert "Lower `learning_rate_init`" in told
    assert mlp.score(raw, y) < 0.2
    assert useless_of(BackpropMLPClassifier(random_state=0, max_iter=20), X, y) == ""


@pytest.mark.parametrize(
    ("loss", "output", "y"),
    [
        ("log_loss", "auto", np.arange(60) % 2),
        ("log_loss", "auto", np.arange(60) % 3),
        ("log_loss", "logistic", np.arange(60) % 3),
        ("squared_error", "softmax", np.arange(60) % 3),
        ("squared_error", "logistic", np.arange(60) % 3),
        (
            "log_loss",
            "auto",
            np.column_stack([np.arange(60) % 2, np.arange(60) % 3 > 0]),
        ),
    ],
)
def test_the_loss_of_the_best_constant(loss, output, y):
    """It is the minimum of a network whose inputs tell nothing."""
    X = np.zeros((60, 1))
    mlp = BackpropMLPClassifier(
        (), solver="lbfgs", loss=loss, output_activation=output, alpha=0, tol=1e-9
    ).fit(X, y)
    data = mlp._training_data(X, y, mlp._target_encoder, None)
    assert data.loss_of_constant == pytest.approx(mlp.loss_, rel=1e-6)


def test_a_constant_is_judged_by_all_rows():
    """Of rows that alternate, whose every other may have no weight."""
    X, y = np.zeros((60_000, 1)), np.arange(60_000) % 2
    mlp = BackpropMLPClassifier((), max_iter=1, random_state=0).fit(X[:60], y[:60])
    data = mlp._training_data(X, y, mlp._target_encoder, None)
    assert data.loss_of_constant == pytest.approx(np.log(2))
    weighted = mlp._training_data(X, y, mlp._target_encoder, 1.0 - y)
    assert weighted.loss_of_constant == pytest.approx(0, abs=1e-9)
    # So many numbers that their losses are computed in blocks.
    y = np.tile(y[:, np.newaxis], 8)
    numbers = make(max_iter=1).fit(X[:60], y[:60])
    data = numbers._training_data(X, 1.0 * y, numbers._target_encoder, y[:, 0] + 1.0)
    # Half the variance of ones that weigh twice.
    assert data.loss_of_constant == pytest.approx(8 * (1 / 3) * (2 / 3) / 2)


def test_losses_of_more_rows_than_a_block():
    y = np.linspace(-1, 1, 300_000)
    mlp = BackpropMLPRegressor.from_weights([[[2.0]]], [[0.25]])
    losses = mlp.losses(y[:, np.newaxis], y)
    np.testing.assert_allclose(losses, (y + 0.25) ** 2 / 2, rtol=1e-12, atol=1e-15)


def test_an_infinite_loss_is_no_error():
    mlp = BackpropMLPRegressor.from_weights([[[1.0]]], [[0.0]])
    assert mlp.losses([[1e200], [2.0]], [0.0, 0.0]).tolist() == [np.inf, 2.0]


def test_a_row_without_weight_hides_no_useless_network():
    """Its loss is infinite."""
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(200, 1)), np.ones(200)
    y = 5 - 3 * X[:, 0]
    X[0], weights[0] = 1e200, 0
    mlp = make(hidden_layer_sizes=(), max_iter=1)
    with pytest.warns(ConvergenceWarning) as caught:
        mlp.fit(X, y, sample_weight=weights)
    assert any("best constant prediction" in str(w.message) for w in caught)


@pytest.mark.parametrize("level", [0.07, 0.28, 0.29, 0.55, 0.57, 0.5])
def test_weights_of_one_are_no_weights(level):
    y = np.random.default_rng(0).normal(size=100)
    plain = started("quantile", y, quantile=level)
    ones = started("quantile", y, weights=np.ones(100), quantile=level)
    np.testing.assert_array_equal(plain, ones)


def test_no_false_alarm_of_a_constant(diabetes, digits):
    """Of what the last epoch's loss has, and the network that is kept has not."""
    X, y = diabetes
    y = (y - y.mean()) / y.std()
    dropped = make(hidden_layer_sizes=50, dropout=0.8, max_iter=60, solver="adam")
    assert useless_of(dropped.set_params(learning_rate_init=0.01), X, y) == ""
    assert dropped.score(X, y) > 0.2
    for constant in (0.0, 5.0):
        mlp = make(max_iter=200, solver="adam", learning_rate_init=0.01)
        assert useless_of(mlp, X, np.full(len(X), constant)) == ""
    stopped = BackpropMLPClassifier(
        solver="sgd", learning_rate_init=5, early_stopping=True, random_state=0
    )
    told = useless_of(stopped, *digits)
    assert told == "" or stopped.score(*digits) < 0.5


@pytest.mark.parametrize("constant", [0.1, 0.7, 5.0, 142.857])
def test_no_false_alarm_of_any_constant_y(constant, diabetes):
    X, _ = diabetes
    for loss in ("squared_error", "poisson"):
        mlp = make(loss=loss, max_iter=300, solver="adam", learning_rate_init=0.01)
        assert useless_of(mlp, X, np.full(len(X), constant)) == ""


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "cg", "tnc"])
@pytest.mark.parametrize("scale", [1e-4, 1e-6, 1e-9])
def test_small_numbers_are_said(solver, scale, diabetes):
    """Adam's steps are too long for them, and the gradient is soon below `tol`."""
    X, y = diabetes
    y = scale * (y - y.mean()) / y.std()
    mlp = make(solver=solver, max_iter=3000)
    assert "y by TransformedTargetRegressor" in useless_of(mlp, X, y)
    assert mlp.score(X, y) < -0.05
    remedy = "take another `learning_rate_init`" if solver == "adam" else "lower `tol`"
    assert remedy in useless_of(mlp, X, y)


def test_no_false_alarm_of_rare_counts():
    """Divided by their mean, a few of them are large."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(10_000, 2)), columns=["a", "b"])
    y = rng.poisson(0.006 * np.exp(X["a"]))
    model = TabularMLPRegressor(
        loss="poisson", n_members=2, max_iter=6, n_jobs=1, random_state=0
    )
    assert useless_of(model, X, y) == ""


def test_no_false_alarm_of_numbers_outside_of_the_sample():
    """Of many rows a sample judges the constant, which has none of the ones here."""
    y = np.zeros(70_000)
    drawn = np.random.RandomState(0).choice(len(y), 2**16)
    y[np.setdiff1d(np.arange(len(y)), drawn)[:3]] = 1
    mlp = make(hidden_layer_sizes=(), solver="lbfgs", tol=1e-3)
    assert useless_of(mlp, np.zeros((len(y), 1)), y) == ""
    data = mlp._training_data(np.zeros((len(y), 1)), y, mlp._target_encoder, None)
    assert data.loss_of_constant == 0


def test_the_sample_has_rows_with_a_weight_alone():
    """Of many rows a sample judges the constant; few of these rows have a weight."""
    y, weights = np.zeros(70_000), np.zeros(70_000)
    drawn = np.random.RandomState(0).choice(len(y), 2**16)
    index = np.setdiff1d(np.arange(len(y)), drawn)[:20]
    y[index[:10]] = weights[index] = 1
    weights[index[:10]] = 3
    X = np.zeros((len(y), 1))
    mlp = make(max_iter=1).fit(X[:60], y[:60])
    data = mlp._training_data(X, y, mlp._target_encoder, weights)
    # Half the variance of ones that weigh three times as much as the zeros.
    assert data.loss_of_constant == pytest.approx(3 / 4 / 4 / 2, abs=0.01)


def test_the_remedy_of_a_saturated_full_batch_network(diabetes):
    X, y = diabetes
    mlp = make(solver="lbfgs", activation="tanh", tol=10, max_iter=500)
    told = useless_of(mlp, 1e5 * X, y)
    assert "The network is saturated" in told
    assert told.endswith("weights. Scale X by StandardScaler.")


def test_the_saturated_layer_is_the_input_or_counted_from_one(diabetes):
    X, y = diabetes
    mlp = make(solver="lbfgs", activation="tanh", input_activation="tanh", tol=10)
    assert "100% of the activations of the input have" in useless_of(mlp, 1e5 * X, y)
    mlp.set_params(input_activation="identity", weight_init=1e3, tol=1e9)
    assert "of the activations of hidden layer 1 have" in useless_of(mlp, X, y)


def test_more_iterations_are_no_remedy_after_convergence(diabetes):
    X, y = diabetes
    mlp = make(solver="lbfgs", activation="tanh", tol=1e3, max_iter=500)
    told = useless_of(mlp, X, 100 * y)
    assert mlp.converged_
    assert (
        ". Scale X by StandardScaler, y by TransformedTargetRegressor, or low" in told
    )


def test_no_false_alarm_of_a_penalty_that_leaves_a_constant(diabetes):
    """Large numbers, whose mean is the minimum of J."""
    X, y = diabetes
    mlp = make(solver="lbfgs", alpha=1e6, max_iter=1000)
    assert useless_of(mlp, X, 100 * y) == ""
    assert mlp.converged_


def test_numbers_that_hardly_differ_are_said(diabetes):
    X, y = diabetes
    y = 1000 + 1e-3 * (y - y.mean()) / y.std()
    mlp = make(solver="adam", max_iter=200)
    assert "is worse than that of the best constant" in useless_of(mlp, X, y)
    weight = np.r_[np.zeros(5), np.ones(len(y) - 5)]
    y[5:] = 1000
    mlp.set_params(solver="lbfgs", max_iter=5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        mlp.fit(X, y, weight)


@pytest.mark.parametrize("weights", [None, 2.0])
def test_a_column_hidden_by_larger_ones_is_said(weights, diabetes):
    """The sum of the losses of all columns hides a column of small numbers."""
    X, _ = diabetes
    y = np.column_stack([30 * X[:, 2], X[:, 8], 30 * X[:, 0]])
    mlp = make(solver="sgd", learning_rate_init=1e-5, max_iter=300)
    mlp.set_params(hidden_layer_sizes=10)
    weights = None if weights is None else np.full(len(X), weights)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mlp.fit(X, y, weights)
    (told,) = [str(w.message) for w in caught if "best constant" in str(w.message)]
    assert told.startswith("For column 1 of y, counted from 0: The mean loss after")
    assert "y by TransformedTargetRegressor" in told
    scores = r2_score(y, mlp.predict(X), multioutput="raw_values")
    assert scores[1] < -0.05
    assert scores[[0, 2]].min() > 0.2
    mlp.set_params(learning_rate_init=0.01)
    assert useless_of(mlp, X, y / [30, 1, 30]) == ""


def test_rows_without_weight_hide_no_column(diabetes):
    """Nor are they a column that is not learned."""
    X, _ = diabetes
    y = np.column_stack([X[:, 2], X[:, 8]])
    y[:40, 1] = 1e3
    weights = np.where(np.arange(len(X)) < 40, 0.0, 1.0)
    mlp = make(solver="lbfgs", max_iter=500, tol=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlp.fit(X, y, weights)


@pytest.mark.parametrize(
    ("params", "change"),
    [
        ({"loss": "huber", "huber_epsilon": 0.01}, {"huber_epsilon": 5.0}),
        ({"loss": "quantile", "quantile": 0.02}, {"quantile": 0.5}),
        ({}, {"dropout": [0.5]}),
    ],
)
def test_a_warm_start_with_another_loss_begins_a_new_count(params, change, diabetes):
    """The losses of both fits can't be compared."""
    mlp = make(warm_start=True, max_iter=10, **params).fit(*diabetes)
    earlier = mlp.best_loss_
    mlp.set_params(**change).fit(*diabetes)
    assert mlp.best_loss_ == min(mlp.loss_curve_[10:]) > earlier


@pytest.mark.parametrize(
    ("params", "loss", "remedy"),
    [
        ({"quantile": 0.9}, "squared_error", "quantile"),
        ({"quantile": [0.1, 0.9]}, "absolute_error", "quantile"),
        ({"huber_epsilon": 0.5}, "quantile", "huber"),
    ],
)
def test_parameters_of_other_losses_are_said(params, loss, remedy, diabetes):
    (name,) = params
    message = f"{name}=.* has no effect with loss='{loss}'. Pass loss='{remedy}'"
    tabular = TabularMLPRegressor(loss=loss, n_members=2, max_iter=2, **params)
    for model in (make(loss=loss, **params), tabular):
        with pytest.warns(UserWarning, match=message):
            model.fit(*diabetes)
    with pytest.warns(UserWarning, match=message) as caught:
        make(loss=loss, **params).partial_fit(*diabetes).partial_fit(*diabetes)
    assert len(caught) == 1
    stack = [make(loss=loss, solver="adam", alpha=a, **params) for a in (0, 1)]
    with pytest.warns(UserWarning, match=message):
        fit_stack(stack, *diabetes)


class Penalised(BackpropMLPRegressor):
    """Its parameters are some of those of its base class."""

    def __init__(self, alpha=1.0):
        super().__init__(alpha=alpha)


def test_a_subclass_has_the_defaults_of_its_base_class(diabetes):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        Penalised().fit(*diabetes)


def test_no_false_alarm_of_a_weak_signal():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 5))
    y = 0.2 * X[:, 0] + rng.normal(size=1000)
    mlp = BackpropMLPRegressor(hidden_layer_sizes=10, random_state=0, max_iter=40)
    mlp.set_params(tol=0, learning_rate_init=0.003)
    assert useless_of(mlp, X, y) == ""


def test_no_false_alarm_of_large_amounts_that_x_does_not_tell():
    """The network begins at the mean, and needs no large steps to reach it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 5)), rng.gamma(3, 20, 1000)
    mlp = make(loss="gamma", learning_rate_init=1e-5, max_iter=5, weight_init=0.01)
    assert useless_of(mlp, X, y) == ""
    assert mlp.stop_reason_ == "max_iter"


def test_huber_begins_at_the_best_constant_of_any_numbers():
    y = np.concatenate([np.random.default_rng(0).normal(size=50), [1e300, -1e30, 1e30]])
    assert abs(started("huber", y)[0]) < 1


def test_an_output_of_nothing_but_zeros():
    """Poisson with weights: there is no logarithm of 0."""
    y = np.column_stack([np.arange(30) % 3, np.arange(30) % 2]).astype(float)
    weights = (np.arange(30) % 2 == 0).astype(float)
    with np.errstate(all="raise"):
        make(loss="poisson", solver="adam", max_iter=3).fit(y, y, weights)


def test_given_weights_predict_whatever_the_solver():
    """Only training by a line search needs a loss without kinks."""
    weights = [np.ones((2, 1))], [[0.0]]
    for loss in ("absolute_error", "quantile"):
        mlp = BackpropMLPRegressor.from_weights(*weights, loss=loss, solver="lbfgs")
        np.testing.assert_array_equal(mlp.predict([[1.0, 2.0]]), [3.0])
        with pytest.raises(ValueError, match="has a kink"):
            mlp.fit([[1.0, 2.0], [2.0, 3.0]], [1.0, 2.0])


def test_the_remedy_where_a_constant_is_the_best_quantile():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = np.where(rng.random(600) < 0.7, 0, rng.gamma(2, 5, 600))
    model = TabularMLPRegressor(loss="absolute_error", max_iter=20, random_state=0)
    with pytest.warns(ConvergenceWarning, match="30% of y is a single .* another `lo"):
        model.fit(X, y)


def test_the_remedy_where_a_frequent_value_is_not_the_quantile():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = np.where(rng.random(600) < 0.35, 0, rng.gamma(2, 5, 600))
    model = TabularMLPRegressor(
        loss="quantile", quantile=0.9, max_iter=20, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="columns may be unrelated to y"):
        model.fit(X, y)


def test_outliers_of_little_weight_do_not_decide_the_scale():
    X = np.random.default_rng(0).normal(size=(400, 2))
    is_far = np.arange(400) % 20 == 0
    y = np.where(is_far, 1e6, X[:, 0])
    model = TabularMLPRegressor(loss="huber", n_members=2, max_iter=20, random_state=0)
    model.fit(X, y, np.where(is_far, 1e-3, 1.0))
    assert model.score(X[~is_far], y[~is_far]) > 0.5


def test_scaled_weights_start_at_the_same_quantile():
    X, y = np.zeros((10, 1)), np.arange(10.0)
    for quantile in (0.1, 0.3, 0.7, 0.9):
        mlp = BackpropMLPRegressor("quantile", 2, quantile=quantile, weight_init=0)
        for weight in (1, 0.1, 0.3, 0.7, 3.3):
            start = mlp.initialize(X, y, np.full(10, weight)).predict(X[:1])
            assert start == pytest.approx(10 * quantile - 1)


def test_the_score_of_several_quantiles_counts_weights(diabetes):
    X, y = diabetes
    weights = np.arange(len(y)) % 2
    other = np.where(weights == 0, 50.0, y)
    mlp = BackpropMLPRegressor("quantile", 3, quantile=[0.2, 0.7], max_iter=4)
    mlp.fit(X, y, weights)
    expected = mlp.score(X[weights > 0], y[weights > 0])
    assert mlp.score(X, other, weights) == pytest.approx(expected)


def test_an_infinite_prediction_of_a_held_out_row_is_no_error(diabetes):
    X, y = diabetes
    X = X[:60].copy()
    # This row is held out.
    X[2] = 1e6
    mlp = BackpropMLPRegressor(
        "poisson",
        3,
        activation="identity",
        early_stopping=True,
        validation_fraction=0.5,
        max_iter=3,
        random_state=1,
    ).fit(X, y[:60])
    assert np.isnan(mlp.validation_scores_).all()
    assert np.isfinite(mlp.loss_curve_).all()
