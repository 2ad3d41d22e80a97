"""Predictions of rows that need no validation, of few rows, and of sparse ones."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.utils.validation
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score

from skmlp_backprop import BackpropMLPClassifier, BackpropMLPRegressor

N_FEATURES = 300


@pytest.fixture(scope="module", params=["float64", "float32"])
def fitted(request):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, N_FEATURES)) * (rng.random((400, N_FEATURES)) < 0.1)
    X = X.astype(request.param)
    mlp = BackpropMLPClassifier((90, 30), "relu", max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlp.fit(X, np.arange(400) % 5), X


def expected(mlp, X):
    """The forward pass as the textbook has it."""
    a = np.asarray(X, np.float64)
    for coef, intercept in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        a = np.maximum(a @ coef.astype(float) + intercept, 0)
    z = a @ mlp.coefs_[-1].astype(float) + mlp.intercepts_[-1]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


FORMS = {
    "C": lambda X: X,
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "CSR": sparse.csr_matrix,
    "CSR array": sparse.csr_array,
    "CSC": sparse.csc_matrix,
    "list": lambda X: X.tolist(),
    "DataFrame": pd.DataFrame,
    "read-only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
    "other precision": lambda X: X.astype("f4" if X.dtype == "f8" else "f8"),
    "integers": lambda X: np.round(3 * X).astype(int),
}


@pytest.mark.parametrize("n_rows", [1, 2, 7, 40, 111, 400])
@pytest.mark.parametrize("form", FORMS)
def test_any_number_in_any_form(fitted, n_rows, form):
    mlp, X = fitted
    rows = X[:n_rows]
    dense = np.round(3 * rows) if form == "integers" else rows
    before = rows.copy()
    proba = mlp.predict_proba(FORMS[form](rows))
    np.testing.assert_allclose(proba, expected(mlp, dense), atol=2e-6)
    np.testing.assert_array_equal(rows, before)


def test_as_many_pieces_as_one(fitted):
    """However the products are cut, a row's prediction is the same to rounding."""
    mlp, X = fitted
    whole = mlp.predict_proba(X)
    for n_rows in range(1, 60):
        part = mlp.predict_proba(X[:n_rows])
        np.testing.assert_allclose(part, whole[:n_rows], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_regressors(n_outputs):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 200)), rng.standard_normal((60, n_outputs))
    mlp = BackpropMLPRegressor(solver="lbfgs", max_iter=500, random_state=0)
    mlp.fit(X, y.squeeze())
    whole = mlp.predict(np.vstack([X] * 9))[:60]
    for n_rows in (1, 2, 10, 60):
        np.testing.assert_allclose(mlp.predict(X[:n_rows]), whole[:n_rows], rtol=1e-9)


def test_sparse_rows_of_many_features():
    """Of columns that are empty in all rows nothing is read."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((50, 30_000), density=1e-3, random_state=0, format="csr")
    mlp = BackpropMLPClassifier(20, "relu", max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp.fit(X, rng.integers(0, 3, 50))
    for rows in (X[:1], X[:7], X, sparse.csr_matrix((2, 30_000))):
        np.testing.assert_allclose(
            mlp.predict_proba(rows), expected(mlp, rows.toarray()), atol=1e-12
        )


@pytest.mark.parametrize("density", [0.01, 0.3])
@pytest.mark.parametrize("n_units", [100, 1000])
def test_many_sparse_rows(density, n_units):
    """Threads have a share of most of them: a row at a border is in one of them."""
    X = sparse.random_array((4000, 1000), density=density, random_state=0, format="csr")
    mlp = BackpropMLPClassifier(n_units, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X[:200], np.arange(200) % 3)
    for n_rows in (60, 700, 4000):
        np.testing.assert_allclose(
            mlp.predict_proba(X[:n_rows]),
            expected(mlp, X[:n_rows].toarray()),
            rtol=1e-9,
        )


def test_sparse_rows_of_other_precision():
    X = sparse.random_array((300, 500), density=0.3, random_state=0, format="csr")
    mlp = BackpropMLPClassifier(100, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X.astype(np.float32), np.arange(300) % 3)
    proba = mlp.predict_proba(X)
    np.testing.assert_allclose(proba, expected(mlp, X.toarray()), rtol=1e-4)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((1, N_FEATURES), np.nan), "contains NaN"),
        (np.full((1, N_FEATURES), np.inf), "contains infinity"),
        (sparse.csr_matrix([[np.nan] * N_FEATURES]), "contains NaN"),
        (np.zeros((1, 3)), "X has 3 features"),
        (sparse.csr_matrix((1, 3)), "X has 3 features"),
        (np.zeros((0, N_FEATURES)), "minimum of 1 is required"),
        (np.zeros(N_FEATURES), "Expected 2D array"),
        (np.zeros((1, N_FEATURES, 2)), "dim 3"),
        (np.array([["a"] * N_FEATURES]), "has text, such as"),
        (np.zeros((1, N_FEATURES), complex), "Complex data"),
    ],
)
def test_bad_rows_are_told_of(fitted, bad, message):
    with pytest.raises(ValueError, match=message):
        fitted[0].predict(bad)


def test_large_finite_rows_pass(fitted):
    """A sum that overflows says nothing of its terms."""
    mlp, X = fitted
    largest = np.finfo(X.dtype).max / 4
    rows = np.full((1, N_FEATURES), largest, X.dtype)
    assert mlp.predict(rows)[0] in range(5)


def test_names_are_missed():
    frame = pd.DataFrame(np.eye(3), columns=list("abc"))
    mlp = BackpropMLPClassifier(3, solver="lbfgs", random_state=0)
    mlp.fit(frame, [0, 1, 2])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        mlp.predict(frame.to_numpy())


@pytest.mark.parametrize("labels", [np.arange(3), np.array(["x", "yy", "z"])])
def test_score_is_accuracy(labels):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((90, 2)), rng.choice(labels, 90)
    mlp = BackpropMLPClassifier(3, solver="lbfgs", tol=0.02, random_state=0).fit(X, y)
    predicted = mlp.predict(X)
    for given in (y, list(y), y.astype(object) if y.dtype.kind == "U" else y):
        assert mlp.score(X, given) == accuracy_score(y, predicted)
    weight = rng.random(90)
    assert mlp.score(X, y, weight) == accuracy_score(y, predicted, sample_weight=weight)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mlp.score(X, y[:-1])


# Many rows are looked at where the first layer has made something of them.


@pytest.fixture(scope="module")
def many_rows():
    rng = np.random.RandomState(0)
    X = rng.randn(3000, 50)
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 2560, 2999])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("units", [(), (5,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_not_finite_is_found_in_many_rows(
    many_rows, value, row, order, units, dtype
):
    X, y = many_rows
    X = np.array(X, dtype, order=order)
    mlp = BackpropMLPClassifier(units, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y)
    # Not even a column without any weight hides it.
    mlp.coefs_[0][7] = 0
    X[row, 7] = value
    what = "NaN" if np.isnan(value) else "infinity"
    with pytest.raises(ValueError, match=f"Input X contains {what}"):
        mlp.predict_proba(X)


def test_what_is_not_finite_is_found_by_any_thread():
    """In products so large that several threads have a share of the rows."""
    rng = np.random.default_rng(0)
    coefs = [rng.random(shape, np.float32) for shape in ((700, 600), (600, 1))]
    intercepts = [np.zeros(600, np.float32), np.zeros(1, np.float32)]
    mlp = BackpropMLPRegressor.from_weights(coefs, intercepts)
    X = np.zeros((5200, 700), np.float32)
    X[-1, 7] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        mlp.predict(X)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_many_rows_have_the_precision_of_few(many_rows, dtype):
    X, y = many_rows
    mlp = BackpropMLPClassifier(3, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X[:200].astype(dtype), y[:200])
    assert mlp.predict_proba(X).dtype == mlp.predict_proba(X[:2]).dtype == dtype


@pytest.mark.parametrize("units", [5, 60])
def test_rows_too_large_for_the_first_product_are_predicted(many_rows, units):
    """As scikit-learn predicts them: what is finite is valid."""
    X, y = many_rows
    mlp = BackpropMLPClassifier(units, max_iter=1, random_state=0, activation="tanh")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y)
    X = X.copy()
    X[5] = 1e308
    with np.errstate(all="ignore"):
        theirs = mlp.to_sklearn().predict_proba(X)
    ours = mlp.predict_proba(X)
    others = np.arange(3000) != 5
    np.testing.assert_allclose(ours[others], theirs[others], rtol=1e-9)


def test_many_rows_are_validated_once_they_look_wrong(many_rows, monkeypatch):
    X, y = many_rows
    mlp = BackpropMLPClassifier(5, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y)
    own = mlp.predict_proba(X)

    def fail(*args, **kwargs):
        raise AssertionError("they were validated")

    monkeypatch.setattr(sklearn.utils.validation, "check_array", fail)
    np.testing.assert_array_equal(mlp.predict_proba(X), own)
    np.testing.assert_array_equal(mlp.predict_proba(X[:3]).shape, (3, 2))
    X[17, 3] = np.nan
    for wrong in (X, X[:, :49], X.tolist()):
        with pytest.raises(AssertionError, match="they were validated"):
            mlp.predict_proba(wrong)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_that_leaves_fewer_rows_than_classes():
    """Three rows are left for four classes, so that they can't be stratified."""
    X = np.random.default_rng(0).standard_normal((12, 2))
    params = {"early_stopping": True, "validation_fraction": 0.75, "max_iter": 1}
    mlp = BackpropMLPClassifier(5, random_state=0, **params).fit(X, np.arange(12) // 3)
    assert len(mlp.validation_scores_) == 1
