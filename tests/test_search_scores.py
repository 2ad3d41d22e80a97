"""Scores of stacked searches are GridSearchCV's, whatever scorers do to the rows."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import accuracy_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALPHAS = [0.1, 1.0, 10.0]


def assert_same_scores(ours, theirs):
    scores = [key for key in theirs.cv_results_ if "_t" in key and "time" not in key]
    assert len(scores) >= 6
    for key in scores:
        np.testing.assert_allclose(
            ours.cv_results_[key],
            theirs.cv_results_[key],
            rtol=1e-9,
            atol=1e-12,
            err_msg=key,
        )


def _scorers():
    def by_columns(mlp, X, y):
        """One that asks for predictions of other rows than those it is passed."""
        shuffled = np.asarray(X)[::-1]
        return log_loss(y, mlp.predict_proba(X), labels=[0, 1, 2]) - log_loss(
            y, mlp.predict_proba(shuffled), labels=[0, 1, 2]
        )

    return [None, "neg_log_loss", ["accuracy", "roc_auc_ovr"], by_columns]


@pytest.mark.parametrize("scoring", _scorers())
def test_scores_of_a_search(iris, scoring):
    mlp = BackpropMLPClassifier(6, max_iter=5, random_state=0)
    params = {"scoring": scoring, "refit": False, "return_train_score": True}
    ours = StackedGridSearchCV(mlp, {"alpha": ALPHAS}, **params).fit(*iris)
    theirs = GridSearchCV(clone(mlp), {"alpha": ALPHAS}, **params).fit(*iris)
    assert ours.n_stacked_ == 15
    assert_same_scores(ours, theirs)


# What changes the rows that it is given, in place, changes those of nobody else.


def changes_rows(mlp, X, y):
    """Predicts rows, and doubles them."""
    score = mlp.score(X, y)
    X *= 2
    y[:] = 0
    return score


def changes_labels(y_true, y_pred):
    score = accuracy_score(y_true, y_pred)
    y_true[:] = 0
    return score


IN_PLACE = {
    "a scorer": (BackpropMLPClassifier(6), changes_rows),
    "a metric": (BackpropMLPClassifier(6), make_scorer(changes_labels)),
    "several": (BackpropMLPClassifier(6), {"a": "accuracy", "b": changes_rows}),
    "a transformer": (
        make_pipeline(StandardScaler(copy=False), BackpropMLPClassifier(6)),
        "neg_log_loss",
    ),
}


@pytest.mark.parametrize("with_train", [False, True])
@pytest.mark.parametrize("what", IN_PLACE)
def test_rows_that_are_changed_in_place(iris, what, with_train):
    estimator, scoring = IN_PLACE[what]
    prefix = "backpropmlpclassifier__" if what == "a transformer" else ""
    estimator = clone(estimator).set_params(
        **{f"{prefix}max_iter": 5, f"{prefix}random_state": 0}
    )
    grid = {f"{prefix}alpha": ALPHAS, f"{prefix}learning_rate_init": [0.01, 0.1]}
    params = {"scoring": scoring, "refit": False, "cv": 3}
    params["return_train_score"] = with_train
    X, y = np.asarray(iris[0]).copy(), np.asarray(iris[1]).copy()
    ours = StackedGridSearchCV(estimator, grid, **params).fit(X, y)
    theirs = GridSearchCV(estimator, grid, **params).fit(X, y)
    assert ours.n_stacked_ == 18
    assert_same_scores(ours, theirs)
    np.testing.assert_array_equal(X, iris[0])


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
@pytest.mark.parametrize("error_score", [np.nan, -1.0])
def test_rows_that_cannot_be_predicted_cost_the_score(iris, error_score):
    X, y = iris
    X = np.asarray(X).copy()
    # In the last fold's test rows alone, of folds as they stand.
    order = np.random.RandomState(0).permutation(len(X))
    X, y = X[order], np.asarray(y)[order]
    folds = [(np.arange(100), np.arange(100, 150)), (np.arange(50, 100), np.arange(50))]
    X[120, 0] = np.inf
    mlp = BackpropMLPClassifier(6, max_iter=5, random_state=0)
    search = StackedGridSearchCV(
        mlp, {"alpha": ALPHAS}, cv=folds, refit=False, error_score=error_score
    )
    with pytest.warns(UserWarning, match="Scoring failed") as told:
        search.fit(X, y)
    scores = search.cv_results_["split0_test_score"]
    np.testing.assert_array_equal(scores, [error_score] * 3)
    assert np.isfinite(search.cv_results_["split1_test_score"]).all()
    assert sum("Scoring failed" in str(one.message) for one in told) == 3


def steps_seen(pipeline, X, y):
    """A scorer of a user's own, which looks at the transformers."""
    return float(pipeline.named_steps["standardscaler"].mean_[0])


@pytest.mark.parametrize("scoring", [*_scorers(), steps_seen])
@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(StandardScaler(), PCA(3), BackpropMLPClassifier(6, max_iter=5)),
        make_pipeline(
            StandardScaler(), "passthrough", BackpropMLPClassifier(6, max_iter=5)
        ),
        Pipeline(
            [
                ("standardscaler", StandardScaler()),
                ("inner", make_pipeline(BackpropMLPClassifier(6))),
            ]
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
    assert_same_scores(ours, theirs)


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
