"""An activation, an update rule and a schedule that are added in this file alone."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

from skmlp_backprop import (
    BackpropMLPClassifier,
    StackedGridSearchCV,
    check_gradient,
    fit_stack,
)
from skmlp_backprop.extending import SGD, Activation, Adam, Rule, Schedule

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    def __init__(self, weight_decay):
        super().__init__(beta_1=0.9, beta_2=0.999, epsilon=1e-8)
        self.weight_decay = weight_decay

    def step(self, parameters, gradient, state, rate):
        factor = np.reshape(1 - rate * self.weight_decay, (-1, 1, 1))
        for weights in parameters.weights:
            weights *= factor
        super().step(parameters, gradient, state, rate)


class Sign(Rule):
    """A step of the same size for each weight; none for biases of the last layer."""

    def step(self, parameters, gradient, state, rate):
        state["n_steps"] += 1
        gradient.intercepts[-1][...] = 0
        for weights, g in zip(parameters.matrices, gradient.matrices, strict=True):
            weights -= rate * np.sign(g)


class WarmUp(Schedule):
    """Rises to the initial rate over some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def start(self, initial):
        super().start(initial)
        self.rate = initial / self.n_epochs

    def end_epoch(self, history, max_iter):
        n_done = len(history.loss_curve)
        self.rate = self.initial * min(1, (n_done + 1) / self.n_epochs)


class Softsign(Activation):
    """z / (1 + |z|), of which the derivative is (1 - |f|)^2."""

    has_kink = True

    def apply(self, z, out):
        np.divide(z, 1 + np.abs(z), out=out)

    def multiply_derivative(self, kept, delta):
        delta *= (1 - np.abs(kept)) ** 2


def make(**params):
    """An estimator with all three, whose batches are all rows."""
    params = {
        "hidden_layer_sizes": (6,),
        "activation": Softsign(),
        "solver": AdamW(0.1),
        "learning_rate": WarmUp(4),
        "learning_rate_init": 0.02,
        "batch_size": len(X),
        "max_iter": 8,
        "random_state": 0,
        **params,
    }
    return BackpropMLPClassifier(**params)


def test_a_training_takes_the_steps_of_the_three():
    mlp = make().fit(X, Y)
    other = make(solver="adam", learning_rate="constant", max_iter=1)
    start = other._initialized(X, Y, np.random.RandomState(0))
    arrays = [*start.coefs_, *start.intercepts_]
    m, v = ([np.zeros_like(a) for a in arrays] for _ in range(2))
    for t in range(1, 9):
        rate = 0.02 * min(1, t / 4)
        _, gradient = start.loss_and_gradient(X, Y)
        for i, g in enumerate([*gradient.coefs, *gradient.intercepts]):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            if arrays[i].ndim == 2:
                arrays[i] *= 1 - rate * 0.1
            # The epsilon is added before the correction.
            root = (np.sqrt(v[i]) + 1e-8) / np.sqrt(1 - 0.999**t)
            arrays[i] -= rate * m[i] / (1 - 0.9**t) / root
    for ours, expected in zip([*mlp.coefs_, *mlp.intercepts_], arrays, strict=True):
        assert_allclose(ours, expected, rtol=1e-9, atol=1e-11)


def test_a_rule_may_treat_layers_and_biases_differently():
    mlp = make(solver=Sign(), learning_rate="constant", max_iter=3).fit(X, Y)
    start = make(solver="sgd")._initialized(X, Y, np.random.RandomState(0))
    assert_array_equal(mlp.intercepts_[-1], start.intercepts_[-1])
    moved = np.abs(mlp.coefs_[0] - start.coefs_[0]) / 0.02
    assert_allclose(moved, np.round(moved), atol=1e-9)
    assert moved.max() == pytest.approx(3)


def test_its_gradient_is_that_of_finite_differences():
    assert check_gradient(make(), X[::3], Y[::3]).passed
    assert check_gradient(make(input_activation=Softsign()), X[::3], Y[::3]).passed


def test_a_stack_ends_as_fits_of_their_own():
    estimators = [
        make(solver=AdamW(decay), learning_rate=WarmUp(n), alpha=alpha, batch_size=32)
        for decay, n, alpha in ((0.0, 1, 0.1), (0.1, 4, 1.0), (1.0, 9, 0.0))
    ]
    alone = [clone(one).fit(X, Y) for one in estimators]
    for stacked, own in zip(fit_stack(estimators, X, Y), alone, strict=True):
        assert_allclose(stacked.loss_curve_, own.loss_curve_, rtol=1e-10)
        assert_allclose(stacked.coefs_[0], own.coefs_[0], rtol=1e-8, atol=1e-10)


def test_a_search_over_rules_is_one_stack():
    grid = {"solver": [AdamW(0.0), AdamW(0.3)], "learning_rate": [WarmUp(2), WarmUp(5)]}
    search = StackedGridSearchCV(make(batch_size=32), grid, cv=3).fit(X, Y)
    assert search.n_stacked_ == 12
    theirs = GridSearchCV(make(batch_size=32), grid, cv=3).fit(X, Y)
    assert_allclose(
        search.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("through_a_pickle", [False, True])
def test_a_training_goes_on(through_a_pickle):
    whole = make(shuffle=False, batch_size=32).fit(X, Y)
    mlp = make(shuffle=False, batch_size=32)
    for _ in range(8):
        mlp.partial_fit(X, Y, classes=np.unique(Y))
        if through_a_pickle:
            mlp = pickle.loads(pickle.dumps(mlp))
    assert_allclose(mlp.loss_curve_, whole.loss_curve_, rtol=1e-10)
    assert_allclose(mlp.coefs_[0], whole.coefs_[0], rtol=1e-8, atol=1e-10)


def test_a_pickle_predicts_as_before():
    mlp = make().fit(X, Y)
    again = pickle.loads(pickle.dumps(mlp))
    assert_array_equal(again.predict_proba(X), mlp.predict_proba(X))


def test_an_ensemble_takes_an_activation():
    from skmlp_backprop import TabularMLPClassifier

    ensemble = TabularMLPClassifier(
        2, activation=Softsign(), max_iter=3, random_state=0
    ).fit(X, Y)
    assert ensemble.score(X, Y) > 0.5


class Every(Rule):
    """A step of several equal parts, and a mean of the gradients' norms."""

    def __init__(self, n_parts):
        self.n_parts = n_parts

    def init(self, parameters):
        norms = np.zeros((parameters.n_stack, 1))
        return {**super().init(parameters), "norms": norms}

    def step(self, parameters, gradient, state, rate):
        n_stack = parameters.n_stack
        rows = [array.reshape(n_stack, -1) for array in gradient.matrices]
        squares = sum(np.square(row).sum(axis=1, keepdims=True) for row in rows)
        state["norms"] = 0.9 * state["norms"] + 0.1 * np.sqrt(squares)
        for weights, g in zip(parameters.matrices, rows, strict=True):
            for _ in range(self.n_parts):
                weights.reshape(n_stack, -1)[...] -= rate * g / (1 + state["norms"])


def test_state_of_each_network_is_split_joined_and_pickled():
    def make_all():
        return [
            make(solver=Every(2), learning_rate="constant", alpha=alpha, max_iter=n)
            for alpha, n in ((0.1, 3), (1.0, 8), (10.0, 8))
        ]

    alone = [one.fit(X, Y) for one in make_all()]
    for stacked, own in zip(fit_stack(make_all(), X, Y), alone, strict=True):
        assert_allclose(stacked.coefs_[0], own.coefs_[0], rtol=1e-9)
        again = pickle.loads(pickle.dumps(stacked))
        for mlp in (again, own):
            mlp.partial_fit(X, Y)
        assert_allclose(again.coefs_[0], own.coefs_[0], rtol=1e-9)


def test_attributes_of_a_rule_are_no_parameters_of_the_estimator():
    class Named(Every):
        def __init__(self, hidden_layer_sizes=None):
            super().__init__(1)
            self.hidden_layer_sizes = hidden_layer_sizes

    mlps = [make(hidden_layer_sizes=n, solver=Named(), max_iter=2) for n in (3, 9)]
    assert [len(mlp.intercepts_[0]) for mlp in fit_stack(mlps, X, Y)] == [3, 9]


def test_a_fitted_network_does_not_change_with_the_objects_it_was_given():
    mlp = make().fit(X, Y)
    expected = mlp.predict_proba(X)
    mlp.activation.apply = lambda z, out: out.fill(0)
    mlp.solver.weight_decay = 7.0
    assert_array_equal(mlp.predict_proba(X), expected)
    assert mlp._optimizer.rule.weight_decay == 0.1


class AdamByHand(Rule):
    """Adam, without a count of its own."""

    moments = ("m", "v")

    def step(self, parameters, gradient, state, rate):
        t = state["n_steps"] + 1
        for weights, g, m, v in zip(
            *(s.matrices for s in (parameters, gradient, state["m"], state["v"])),
            strict=True,
        ):
            m += 0.1 * (g - m)
            v += 0.001 * (g**2 - v)
            correction = np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            weights -= rate * correction * m / (np.sqrt(v) + 1e-8)


class AdamThatCounts(AdamByHand):
    def step(self, parameters, gradient, state, rate):
        super().step(parameters, gradient, state, rate)
        state["n_steps"] += 1


@pytest.mark.parametrize("rule", [AdamByHand(), AdamThatCounts()], ids=repr)
def test_the_training_counts_the_steps(rule):
    params = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 7}
    ours = BackpropMLPClassifier(solver=rule, **params).fit(X, Y)
    adam = BackpropMLPClassifier(solver="adam", **params).fit(X, Y)
    assert_allclose(ours.coefs_[0], adam.coefs_[0], rtol=1e-8)
    for mlp in (ours, adam):
        mlp.partial_fit(X, Y)
    assert_allclose(ours.coefs_[0], adam.coefs_[0], rtol=1e-8)


class Counting(SGD):
    def init(self, parameters):
        return {**super().init(parameters), "counts": {"weights": 0}}

    def step(self, parameters, gradient, state, rate):
        super().step(parameters, gradient, state, rate)
        state["counts"]["weights"] += 1


def test_a_state_with_a_dict_can_be_saved():
    rule = Counting(momentum=0.9, nesterovs_momentum=True)
    mlp = BackpropMLPClassifier(5, solver=rule, max_iter=3, random_state=0).fit(X, Y)
    loaded = pickle.loads(pickle.dumps(mlp))
    assert_array_equal(loaded.predict_proba(X), mlp.predict_proba(X))
    for other in (mlp, loaded):
        other.partial_fit(X, Y)
    assert_array_equal(loaded.coefs_[0], mlp.coefs_[0])


class Returning(Activation):
    def apply(self, z, out):
        return np.tanh(z)

    def multiply_derivative(self, kept, delta):
        delta *= 1 - kept**2


@pytest.mark.parametrize("name", ["activation", "input_activation"])
def test_an_activation_that_does_not_write_its_result(name):
    mlp = BackpropMLPClassifier(5, **{name: Returning()})
    with pytest.raises(ValueError, match=r"Returning.apply must write its result to"):
        mlp.fit(X, Y)


class tanh(Activation):
    """Not that of the name."""

    def apply(self, z, out):
        np.sin(z, out=out)

    def multiply_derivative(self, kept, delta):
        np.sqrt(1 - kept * kept, out=kept)
        delta *= kept


def test_it_is_not_taken_for_another_of_its_name():
    mlp = make(activation=tanh()).fit(X, Y)
    with pytest.raises(ValueError, match="cannot express: activation"):
        mlp.to_sklearn()


def test_it_tells_its_attributes():
    assert repr(AdamW(0.1)).endswith("weight_decay=0.1)")
    assert AdamW(0.1) == clone(make()).solver
    assert AdamW(0.1) != AdamW(0.2)
