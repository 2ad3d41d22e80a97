"""What predictions mean: logits, probabilities and labels of every kind of output."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score, learning_curve
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.utils.estimator_checks import check_estimator

from skmlp_backprop import BackpropMLPClassifier, StackedGridSearchCV, fit_stack

SOLVERS = ["lbfgs", "cg", "tnc", "sgd", "adam"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_decision_is_the_log_probability(digits):
    X, y = digits
    mlp = BackpropMLPClassifier(10, max_iter=3, random_state=0).fit(X, y)
    decision = mlp.decision_function(X)
    np.testing.assert_allclose(np.exp(decision), mlp.predict_proba(X), rtol=1e-9)
    # It does not change with what a softmax does not change with.
    mlp.intercepts_[-1] += 7
    np.testing.assert_allclose(mlp.decision_function(X), decision, atol=1e-9)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_is_better_than_with_logits(method, digits):
    """What CalibratedClassifierCV gets, as it prefers decision_function."""

    class WithLogits(BackpropMLPClassifier):
        def decision_function(self, X):
            return self._logits(X)

    X, y = digits
    losses = []
    for cls in (BackpropMLPClassifier, WithLogits):
        mlp = cls(25, max_iter=30, random_state=0)
        model = CalibratedClassifierCV(mlp, method=method, cv=3).fit(X[::2], y[::2])
        losses.append(log_loss(y[1::2], model.predict_proba(X[1::2])))
    assert losses[0] < 0.9 * losses[1]


@pytest.mark.parametrize("output_activation", ["softmax", "logistic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_are_those_of_the_largest_probability(output_activation, dtype):
    """Of logits where sigmoids round to 1, or differences to 0, too."""
    rng = np.random.default_rng(0)
    mlp = BackpropMLPClassifier.from_weights(
        [np.eye(4, dtype=dtype)],
        [np.zeros(4, dtype)],
        [0, 1, 2, 3],
        output_activation=output_activation,
    )
    scales = 10.0 ** rng.uniform(-20, 3, (2000, 1))
    X = np.vstack(
        [
            rng.standard_normal((2000, 4)) * scales,
            50 + rng.standard_normal((500, 4)),
            -1000 + rng.standard_normal((500, 4)),
        ]
    ).astype(dtype)
    labels = mlp.classes_[mlp.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(mlp.predict(X), labels)


ONE_CLASS = {
    "labels": np.full(12, "only"),
    "numbers": np.zeros(12, int),
}


@pytest.mark.parametrize("y", ONE_CLASS.values(), ids=ONE_CLASS)
@pytest.mark.parametrize("output", ["auto", "softmax", "logistic"])
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_one_class_is_predicted_for_sure(solver, loss, output, y):
    X = np.random.default_rng(0).standard_normal((12, 3))
    mlp = BackpropMLPClassifier(
        4,
        solver=solver,
        loss=loss,
        output_activation=output,
        max_iter=3,
        class_weight="balanced",
    ).fit(X, y)
    np.testing.assert_array_equal(mlp.classes_, y[:1])
    np.testing.assert_array_equal(mlp.predict(X), y)
    np.testing.assert_array_equal(mlp.predict_proba(X), np.ones((12, 1)))
    np.testing.assert_array_equal(mlp.predict_log_proba(X), np.zeros((12, 1)))
    np.testing.assert_array_equal(mlp.decision_function(X), np.zeros(12))
    assert mlp.score(X, y) == 1
    # There is nothing to learn from the rows: J is the penalty alone.
    squares = sum((coef**2).sum() for coef in mlp.coefs_)
    J = mlp.loss_and_gradient(X, y)[0]
    assert pytest.approx(mlp.alpha / 2 / 12 * squares, rel=1e-9) == J


def test_one_class_where_others_compose():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    Y = np.c_[np.zeros(30, int), X[:, 0] > 0]
    mlp = BackpropMLPClassifier(4, max_iter=3, random_state=0)
    for model in (MultiOutputClassifier(mlp), ClassifierChain(mlp)):
        assert (model.fit(X, Y).predict(X)[:, 0] == 0).all()
    y = np.sort(np.arange(30) % 3)
    _, scores, _ = learning_curve(mlp, X, y, train_sizes=[0.2, 1.0], cv=2)
    assert np.isfinite(scores).all()
    one = np.zeros(30, int)
    search = StackedGridSearchCV(mlp, {"alpha": [0.1, 1]}, cv=2).fit(X, one)
    assert search.best_score_ == 1
    assert [m.score(X, one) for m in fit_stack([mlp, mlp], X, one)] == [1, 1]
    early = BackpropMLPClassifier(4, early_stopping=True, max_iter=3).fit(X, one)
    assert early.best_validation_score_ == 1


def test_one_class_goes_on_and_is_no_mlp_classifier():
    X, y = np.eye(4), np.zeros(4, int)
    mlp = BackpropMLPClassifier(3, max_iter=2, warm_start=True).fit(X, y).fit(X, y)
    mlp.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`"):
        mlp.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="a probability of 1 for the only class"):
        mlp.to_sklearn()
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        mlp.fit(X, [0, 0, 1, 1])


def test_small_folds_that_lack_a_class():
    """One row of a class, which is then in no fold's training rows but one's."""
    X = np.random.default_rng(0).standard_normal((8, 2))
    y = np.array([0] * 7 + [1])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        scores = cross_val_score(
            BackpropMLPClassifier(3, max_iter=5), X, y, cv=StratifiedKFold(4)
        )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_sparse_rows_after_an_input_activation(method):
    X, y = np.eye(6), np.arange(6) % 2
    mlp = BackpropMLPClassifier(3, input_activation="tanh", max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="with sparse X use input_activation=None"):
        getattr(mlp, method)(sparse.csr_array(X))
    # The fitted network counts, not what is set after.
    mlp.set_params(input_activation=None)
    with pytest.raises(ValueError, match="with sparse X use input_activation=None"):
        getattr(mlp, method)(sparse.csr_array(X))


def test_one_class_passes_the_estimator_checks():
    """The checks' own data with one class, with nothing excused."""
    results = check_estimator(BackpropMLPClassifier(max_iter=20), on_skip=None)
    checks = {r["check_name"]: r["status"] for r in results}
    assert checks["check_classifiers_one_label"] == "passed"
    assert checks["check_classifiers_one_label_sample_weights"] == "passed"
    assert "failed" not in checks.values()


def test_equally_probable_classes_predict_the_first():
    mlp = BackpropMLPClassifier.from_weights([[[1.0]]], [[0.0]], ["a", "b"])
    X = [[1e-20], [-1e-20], [1e-3], [-1e-3]]
    assert mlp.predict_proba(X)[0].tolist() == [0.5, 0.5]
    assert mlp.predict(X).tolist() == ["a", "a", "b", "a"]
