"""A training sets nothing of the estimators: what has come of it is returned."""

import numpy as np
import pytest

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop._estimators.training import train

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_training_sets_nothing(solver):
    X = np.random.default_rng(0).standard_normal((60, 3))
    y = (X[:, 0] > 0).astype(int)
    estimator = BackpropMLPClassifier(4, solver=solver, max_iter=6, random_state=0)
    estimator.fit(X, y)
    before = vars(estimator).copy()
    weights = estimator.coefs_[0].copy()
    data = estimator._training_data(X, y, estimator._target_encoder, None)
    state = estimator._state(data)
    (trained,) = train([estimator], data, [state])
    assert vars(estimator) == before
    np.testing.assert_array_equal(estimator.coefs_[0], weights)
    assert not np.array_equal(trained.attributes(estimator)["coefs_"][0], weights)
    assert len(estimator.loss_curve_) < len(trained.training.history.loss_curve)
