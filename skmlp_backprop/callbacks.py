"""Callbacks of our own, on scikit-learn's callback API."""

import copy
import math
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
from sklearn.metrics import check_scoring

from ._estimators.sklearn_callbacks import HAS_CALLBACKS
from ._network.warning import warn

__all__ = ["EarlyStopping", "ScoreHistory"]

_ITERATIONS = ("epoch", "iteration")


class _ScoringCallback:
    """Scores an estimator on rows of the user's own after its iterations.

    A subclass has the attributes `scoring` and those that `_rows` names: the samples
    and their labels.
    """

    def __init__(self, remedy):
        name = type(self).__name__
        if not HAS_CALLBACKS:
            raise ImportError(
                f"{name} needs the callbacks of scikit-learn 1.9 or newer. {remedy}"
            )
        self._runs = {}

    def setup(self, estimator, context):
        """Called before a fit."""
        (X, y), name = self._rows, type(self).__name__
        if not hasattr(estimator, "_weight_attributes"):
            raise TypeError(
                f"{name} follows the epochs or iterations of a network, which "
                f"{type(estimator).__name__} does not report. Set it on the network "
                "itself, before that goes into a Pipeline or a search."
            )
        if getattr(self, X) is None:
            raise ValueError(
                f"{name} has no validation data: they are not pickled with a "
                "fitted model. Give it new ones before it is trained on, by "
                f"set_callbacks({name}({X}, {y}))."
            )
        self._check_parameters()
        self._runs[id(estimator)] = _Run(check_scoring(estimator, self.scoring))

    def on_fit_task_begin(self, estimator, context):
        """Called before each task of a fit."""

    def without_validation_data(self):
        """A copy for the pickle of a fitted model, which needs no data to predict.

        Returns
        -------
        callback : EarlyStopping or ScoreHistory
            With the same parameters and scores, and None for the samples and labels.
        """
        light = copy.copy(self)
        for name in self._rows:
            setattr(light, name, None)
        light._runs = {}
        return light

    def _score(self, run, fitted_estimator):
        """Score an estimator and append the score to those of the run."""
        X, y = (getattr(self, name) for name in self._rows)
        name = type(self).__name__
        if not run.scores:
            _check_labels(fitted_estimator, y, f"{name}: {self._rows[1]}")
        score = run.scorer(fitted_estimator, X, y)
        if not isinstance(score, Real):
            raise ValueError(
                f"{name}: scoring must give one number, got "
                f"{type(score).__name__} from scoring={self.scoring!r}."
            )
        run.scores.append(score)
        return score


class EarlyStopping(_ScoringCallback):
    """Stop when the score on the user's own validation data ceases to improve.

    It works with every solver, in contrast to the parameter `early_stopping`, and
    takes nothing from the training data. Inside a Pipeline the network sees
    transformed data, and so must the validation data be.

    Parameters
    ----------
    X_val : {array-like, sparse matrix} of shape (n_samples, n_features)
        Validation samples.

    y_val : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their labels, or numbers to predict.

    scoring : str, callable or None, default=None
        Score to improve, as in :func:`sklearn.metrics.check_scoring`; None for the
        estimator's own: the accuracy, or R2.

    patience : int or inf, default=10
        Iterations or epochs without a better score after which to stop; ``np.inf``
        never stops, and only restores the best weights.

    restore_best : bool, default=True
        Whether the weights with the best score are the final ones.

    The validation data are not pickled with a fitted model, which can do without; to
    train it on after it was loaded, give it a new callback. What is not fitted keeps
    them, such as the `estimator` of a search: save its `best_estimator_`.

    Attributes
    ----------
    scores_ : list of float
        Score after each iteration or epoch of the last fit.

    best_score_ : float
        The highest of these.

    best_iter_ : int
        The iteration or epoch it was reached in, counted from 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from skmlp_backprop import BackpropMLPClassifier
    >>> from skmlp_backprop.callbacks import EarlyStopping
    >>> X_train, X_val, y_train, y_val = train_test_split(
    ...     *load_iris(return_X_y=True), random_state=0
    ... )
    >>> stopping = EarlyStopping(X_val, y_val, scoring="neg_log_loss", patience=5)
    >>> mlp = BackpropMLPClassifier(solver="lbfgs", random_state=0)
    >>> mlp = mlp.set_callbacks(stopping).fit(X_train, y_train)
    >>> len(stopping.scores_) == stopping.best_iter_ + 5
    True
    """

    _rows = ("X_val", "y_val")

    def __init__(self, X_val, y_val, *, scoring=None, patience=10, restore_best=True):
        super().__init__("Upgrade scikit-learn, or use the parameter `early_stopping`.")
        self.X_val = X_val
        self.y_val = y_val
        self.scoring = scoring
        self.patience = patience
        self.restore_best = restore_best

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Called after each task of a fit; asks to stop when patience is over."""
        if context.task_name not in _ITERATIONS:
            return False
        run = self._runs[id(estimator)]
        score = self._score(run, fitted_estimator)
        if score > run.best_score:
            run.best_score = score
            run.best_iter = len(run.scores)
            names = estimator._weight_attributes
            run.best_weights = {name: getattr(fitted_estimator, name) for name in names}
        return len(run.scores) - run.best_iter >= self.patience

    def teardown(self, estimator, context):
        """Called after a fit: restores the best weights."""
        run = self._runs.pop(id(estimator), None)
        if run is None:
            # The setup has failed, with an error that says why.
            return
        self.scores_ = run.scores
        self.best_score_ = run.best_score
        self.best_iter_ = run.best_iter
        if self.restore_best:
            vars(estimator).update(run.best_weights)

    def _check_parameters(self):
        is_count = isinstance(self.patience, Integral) and self.patience >= 1
        # Numbers alone: an array, say, would be compared element by element.
        is_endless = isinstance(self.patience, Real) and self.patience == math.inf
        if not (is_count or is_endless):
            raise ValueError(
                "EarlyStopping: patience must be an int from 1 on or np.inf, got "
                f"{self.patience!r}."
            )


class ScoreHistory(_ScoringCallback):
    """Record the score on given rows after each iteration or epoch of a fit.

    It works with every solver and with the tabular estimators, and draws nothing at
    random: the fit is the same as without it. Of test rows it makes the curve of the
    accuracy during training, which
    :meth:`LossCurveDisplay.from_estimator \
    <skmlp_backprop.displays.LossCurveDisplay.from_estimator>` draws beside the loss.
    Two of them, one of training and one of test rows, show overfitting. Inside a
    Pipeline set it on the network: there it sees transformed data, and so must its
    rows be transformed. Networks that have a callback are trained one by one in
    :func:`~skmlp_backprop.fit_stack` and in searches.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples to score.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their labels, or numbers to predict.

    scoring : str, callable or None, default=None
        Score to record, as in :func:`sklearn.metrics.check_scoring`; None for the
        estimator's own: the accuracy, or R2.

    every : int, default=1
        Record after each iteration or epoch whose number is a multiple of it.

    name : str or None, default=None
        What pictures call it; None for "score", of an estimator's second one "score 2".

    The rows are not pickled with a fitted model, which can do without; to train it on
    after it was loaded, give it a new callback.

    Attributes
    ----------
    iterations_ : list of int
        The iterations or epochs of the last fit that were scored, counted as the
        entries of `loss_curve_`, from 1.

    scores_ : list of float
        The score after each of these.

    Notes
    -----
    The fitted estimator keeps its own records in the attribute `score_histories_`, as
    several estimators may share a callback: a list with a dict for each of its
    ScoreHistory callbacks, which has `name`, `iterations` and `scores`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from skmlp_backprop import BackpropMLPClassifier
    >>> from skmlp_backprop.callbacks import ScoreHistory
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     *load_iris(return_X_y=True), random_state=0
    ... )
    >>> history = ScoreHistory(X_test, y_test, every=10)
    >>> mlp = BackpropMLPClassifier(max_iter=1000, random_state=0)
    >>> mlp = mlp.set_callbacks(history).fit(X_train, y_train)
    >>> history.iterations_[:3], history.scores_[0] < history.scores_[-1]
    ([10, 20, 30], True)
    """

    _rows = ("X", "y")

    def __init__(self, X, y, scoring=None, every=1, *, name=None):
        super().__init__("Upgrade scikit-learn.")
        self.X = X
        self.y = y
        self.scoring = scoring
        self.every = every
        self.name = name

    def setup(self, estimator, context):
        """Called before a fit."""
        super().setup(estimator, context)
        # A fit that goes on appends to the loss curve.
        if getattr(estimator, "warm_start", False):
            run = self._runs[id(estimator)]
            run.n_before = len(getattr(estimator, "loss_curve_", []))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Called after each task of a fit; records the score."""
        if context.task_name not in _ITERATIONS:
            return False
        run = self._runs[id(estimator)]
        run.n_iter += 1
        if run.n_iter % self.every == 0:
            self._score(run, fitted_estimator)
            run.iterations.append(run.n_before + run.n_iter)
        return False

    def teardown(self, estimator, context):
        """Called after a fit: hands the records over."""
        run = self._runs.pop(id(estimator), None)
        if run is None:
            # The setup has failed, with an error that says why.
            return
        self.iterations_, self.scores_ = run.iterations, run.scores
        histories = [c for c in estimator._skl_callbacks if isinstance(c, ScoreHistory)]
        place = histories.index(self)
        record = {
            "name": self.name or ("score" if place == 0 else f"score {place + 1}"),
            "iterations": list(run.iterations),
            "scores": list(run.scores),
        }
        # The callbacks are torn down in their order: what comes after those of this
        # fit is of an earlier one.
        earlier = getattr(estimator, "score_histories_", [])
        estimator.score_histories_ = [*earlier[:place], record]

    def _check_parameters(self):
        if not isinstance(self.every, Integral) or self.every < 1:
            raise ValueError(
                f"ScoreHistory: every must be an int from 1 on, got {self.every!r}."
            )


def _check_labels(estimator, y, name):
    """Tell where labels of the rows to score are none that the fit knows.

    Raises
    ------
    ValueError
        If none is: then the score stays as it is, and the fit would soon stop.
    """
    classes = getattr(estimator, "classes_", None)
    y = np.asarray(y)
    if classes is None or y.ndim != 1:
        return
    # Not by NumPy, to which 1 and "1" may be the same.
    labels, known = set(y.tolist()), classes.tolist()
    unknown = sorted(labels.difference(known), key=str)
    if labels and len(unknown) == len(labels):
        raise ValueError(
            f"{name} has the labels {unknown[:5]}, none of which the fit "
            f"knows: its classes are {known[:5]}. Are they of another type?"
        )
    if unknown:
        warn(
            f"{name} has the labels {unknown[:5]}, which the rows that "
            "are fitted do not have; they are never predicted."
        )


@dataclass
class _Run:
    """State of one fit, as one callback may watch several estimators at once."""

    scorer: object
    scores: list = field(default_factory=list)
    best_score: float = -math.inf
    best_iter: int = 0
    best_weights: dict = field(default_factory=dict)
    iterations: list = field(default_factory=list)
    n_iter: int = 0
    n_before: int = 0
