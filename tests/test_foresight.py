"""Networks are told their logits of rows that one pass has seen for all of them."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    fit_stack,
)
from skmlp_backprop._estimators import fitted_network
from skmlp_backprop._estimators.foresight import remembering
from skmlp_backprop._network import inference

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALPHAS = [0.1, 1.0, 10.0]


def fitted(X, y, kind=BackpropMLPClassifier, **params):
    params = {"hidden_layer_sizes": (6, 4), "max_iter": 5, "random_state": 0, **params}
    return fit_stack([kind(alpha=alpha, **params) for alpha in ALPHAS], X, y)


@pytest.fixture
def no_own_pass(monkeypatch):
    """What makes a prediction of a network by itself fail."""

    def start():
        def fail(*args):
            raise AssertionError("it should have known")

        monkeypatch.setattr(fitted_network, "compute_logits", fail)

    return start


AS_HANDED_OVER = {
    "rows": np.asarray,
    "columns": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "every other": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "csr": sp.csr_array,
    "csc": sp.csc_matrix,
    "list": lambda X: X.tolist(),
}


@pytest.mark.parametrize("form", AS_HANDED_OVER)
@pytest.mark.parametrize("n_rows", [1, 150, 6000])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_equal_to_own_predictions(iris, no_own_pass, form, n_rows, activation):
    X, y = iris
    X = np.asarray(X, np.float64)
    mlps = fitted(X, y, activation=activation)
    X = AS_HANDED_OVER[form](np.resize(X, (n_rows, X.shape[1])))
    own = [mlp.predict_log_proba(X) for mlp in mlps]
    labels = [mlp.predict(X) for mlp in mlps]
    with remembering(mlps) as foresee:
        foresee(X)
        no_own_pass()
        for mlp, logarithms, of_mlp in zip(mlps, own, labels, strict=True):
            np.testing.assert_allclose(
                mlp.predict_log_proba(X), logarithms, rtol=1e-4, atol=1e-5
            )
            np.testing.assert_array_equal(mlp.predict(X), of_mlp)


def test_numbers_and_input_activations(iris, no_own_pass):
    X, _ = iris
    y = X[:, :2] * 3
    mlps = fitted(X, y, BackpropMLPRegressor, input_activation="tanh")
    own = [mlp.predict(X) for mlp in mlps]
    with remembering(mlps) as foresee:
        foresee(X)
        no_own_pass()
        for mlp, predicted in zip(mlps, own, strict=True):
            np.testing.assert_allclose(mlp.predict(X), predicted, rtol=1e-10)


def test_threads_change_nothing(iris, monkeypatch):
    X, y = iris
    mlps = fitted(X, y)
    X = np.resize(np.asarray(X, np.float64), (10000, X.shape[1]))
    own = [mlp.predict_proba(X) for mlp in mlps]
    monkeypatch.setattr(inference, "_THREADS_PAY_FOR_A_STACK", 0)
    monkeypatch.setattr(inference, "_BLOCK_OF_A_STACK", 1000)
    with remembering(mlps) as foresee:
        foresee(X)
        for mlp, proba in zip(mlps, own, strict=True):
            np.testing.assert_allclose(mlp.predict_proba(X), proba, rtol=1e-9)


def test_only_the_very_object_is_known(iris):
    X, y = iris
    mlps = fitted(X, y)
    other = np.asarray(X) + 1
    own = mlps[0].predict_proba(other)
    with remembering(mlps) as foresee:
        foresee(X)
        np.testing.assert_array_equal(mlps[0].predict_proba(other), own)
        assert (mlps[0].predict_proba(X) != own).any()


def test_nothing_is_remembered_afterwards(iris):
    X, y = iris
    mlps = fitted(X, y)
    before = [set(vars(mlp)) for mlp in mlps]
    size = len(pickle.dumps(mlps))

    def fail():
        with remembering(mlps) as foresee:
            foresee(X)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [set(vars(mlp)) for mlp in mlps] == before
    assert len(pickle.dumps(mlps)) == size


def test_what_is_wrong_with_rows_each_prediction_tells(iris):
    X, y = iris
    mlps = fitted(X, y)
    wrong = np.asarray(X).copy()
    wrong[3, 1] = np.nan
    for rows, message in [
        (wrong, "contains NaN"),
        (wrong[:, [0, 2]], "expecting 4 feat"),
    ]:
        with remembering(mlps) as foresee:
            foresee(rows)
            for mlp in mlps:
                with pytest.raises(ValueError, match=message):
                    mlp.predict(rows)


# In a search.


def _scorers():
    def by_columns(mlp, X, y):
        """One that asks for predictions of other rows than those it is passed."""
        shuffled = np.asarray(X)[::-1]
        return log_loss(y, mlp.predict_proba(X), labels=[0, 1, 2]) - log_loss(
            y, mlp.predict_proba(shuffled), labels=[0, 1, 2]
        )

    return [None, "neg_log_loss", ["accuracy", "roc_auc_ovr"], by_columns]


@pytest.mark.parametrize("scoring", _scorers())
@pytest.mark.parametrize("most", [2**22, 700, 1])
def test_scores_of_a_search(iris, monkeypatch, scoring, most):
    """However many candidates a pass is for."""
    monkeypatch.setattr("skmlp_backprop._search.scoring._MOST_LOGITS", most)
    mlp = BackpropMLPClassifier(6, max_iter=5, random_state=0)
    params = {"scoring": scoring, "refit": False, "return_train_score": True}
    ours = StackedGridSearchCV(mlp, {"alpha": ALPHAS}, **params).fit(*iris)
    theirs = GridSearchCV(clone(mlp), {"alpha": ALPHAS}, **params).fit(*iris)
    scores = [key for key in theirs.cv_results_ if "_t" in key and "time" not in key]
    assert len(scores) >= 14
    for key in scores:
        np.testing.assert_allclose(
            ours.cv_results_[key], theirs.cv_results_[key], rtol=1e-9, err_msg=key
        )


def test_a_search_makes_one_pass_for_all_candidates(iris, monkeypatch, no_own_pass):
    passes = []
    of_stack = inference.compute_logits_of_stack

    def counted(network, parameters, X):
        passes.append((parameters.n_stack, X.shape[0]))
        return of_stack(network, parameters, X)

    monkeypatch.setattr(
        "skmlp_backprop._estimators.foresight.compute_logits_of_stack", counted
    )
    no_own_pass()
    mlp = BackpropMLPClassifier(6, max_iter=5, random_state=0)
    search = StackedGridSearchCV(mlp, {"alpha": ALPHAS}, cv=3, return_train_score=True)
    search.set_params(refit=False).fit(*iris)
    assert passes == [(3, 50), (3, 100)] * 3
    assert (search.cv_results_["mean_score_time"] > 0).all()


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_rows_that_cannot_be_predicted_cost_the_score(iris):
    X, y = iris
    X = np.asarray(X).copy()
    # In the last fold's test rows alone, of folds as they stand.
    order = np.random.RandomState(0).permutation(len(X))
    X, y = X[order], np.asarray(y)[order]
    folds = [(np.arange(100), np.arange(100, 150)), (np.arange(50, 100), np.arange(50))]
    X[120, 0] = np.inf
    mlp = BackpropMLPClassifier(6, max_iter=5, random_state=0)
    search = StackedGridSearchCV(mlp, {"alpha": ALPHAS}, cv=folds, refit=False)
    with pytest.warns(UserWarning, match="Scoring failed") as told:
        search.fit(X, y)
    assert np.isnan(search.cv_results_["split0_test_score"]).all()
    assert np.isfinite(search.cv_results_["split1_test_score"]).all()
    assert sum("Scoring failed" in str(one.message) for one in told) == 3


# Pipelines, whose transformers are the same for all candidates of a fold.


class Counted(StandardScaler):
    """Counts the rows that it transforms."""

    n_rows = 0

    def transform(self, X):
        Counted.n_rows += X.shape[0]
        return super().transform(X)


def steps_seen(pipeline, X, y):
    """A scorer of a user's own, which looks at the transformers."""
    return float(pipeline.named_steps["counted"].mean_[0])


@pytest.mark.parametrize("with_train", [False, True])
def test_rows_are_transformed_once_for_all_candidates(iris, monkeypatch, with_train):
    monkeypatch.setattr(Counted, "n_rows", 0)
    pipeline = make_pipeline(
        Counted(), BackpropMLPClassifier(6, max_iter=5, random_state=0)
    )
    grid = {"backpropmlpclassifier__alpha": ALPHAS}
    params = {"cv": 3, "refit": False, "return_train_score": with_train}
    search = StackedGridSearchCV(pipeline, grid, scoring="neg_log_loss", **params)
    search.fit(*iris)
    assert Counted.n_rows == 3 * (100 + 50 + 100 * with_train)
    own = GridSearchCV(pipeline, grid, scoring="neg_log_loss", **params).fit(*iris)
    for key, values in own.cv_results_.items():
        if key.startswith("split"):
            np.testing.assert_allclose(search.cv_results_[key], values, rtol=1e-9)


@pytest.mark.parametrize("scoring", [*_scorers(), steps_seen])
@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(Counted(), PCA(3), BackpropMLPClassifier(6, max_iter=5)),
        make_pipeline(Counted(), "passthrough", BackpropMLPClassifier(6, max_iter=5)),
        Pipeline(
            [("counted", Counted()), ("inner", make_pipeline(BackpropMLPClassifier(6)))]
        ),
    ],
    ids=["transformers", "passthrough", "nested"],
)
def test_scores_of_pipelines(iris, pipeline, scoring):
    (last,) = {n for n in pipeline.get_params() if n.endswith("mlpclassifier")}
    pipeline = clone(pipeline).set_params(
        **{f"{last}__max_iter": 5, f"{last}__random_state": 0}
    )
    grid = {f"{last}__alpha": ALPHAS}
    params = {"scoring": scoring, "refit": False, "return_train_score": True}
    ours = StackedGridSearchCV(pipeline, grid, **params).fit(*iris)
    theirs = GridSearchCV(clone(pipeline), grid, **params).fit(*iris)
    for key, values in theirs.cv_results_.items():
        if "_t" in key and "time" not in key:
            np.testing.assert_allclose(
                ours.cv_results_[key], values, rtol=1e-9, atol=1e-12, err_msg=key
            )


def test_a_pipeline_of_a_network_alone(iris):
    pipeline = make_pipeline(BackpropMLPClassifier(6, max_iter=5, random_state=0))
    grid = {"backpropmlpclassifier__alpha": ALPHAS}
    search = StackedGridSearchCV(pipeline, grid, cv=3, refit=False).fit(*iris)
    own = GridSearchCV(pipeline, grid, cv=3, refit=False).fit(*iris)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], own.cv_results_["mean_test_score"]
    )


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_rows_that_cannot_be_transformed_cost_the_score(iris):
    class Picky(StandardScaler):
        def transform(self, X):
            if np.shape(X)[0] == 50:
                raise RuntimeError("not these")
            return super().transform(X)

    pipeline = make_pipeline(Picky(), BackpropMLPClassifier(6, max_iter=5))
    search = StackedGridSearchCV(
        pipeline,
        {"backpropmlpclassifier__alpha": ALPHAS},
        cv=3,
        refit=False,
        return_train_score=True,
    )
    with pytest.warns(UserWarning, match="Scoring failed") as told:
        search.fit(*iris)
    assert sum("not these" in str(one.message) for one in told) == 9
    assert np.isnan(search.cv_results_["mean_test_score"]).all()
    assert np.isfinite(search.cv_results_["mean_train_score"]).all()
