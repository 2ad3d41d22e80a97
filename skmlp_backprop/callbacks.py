"""Callbacks for scikit-learn's callback API."""

import copy
import math
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
from sklearn.metrics import check_scoring

from ._estimators.sklearn_callbacks import HAS_CALLBACKS
from ._estimators.target_checks import check_target_names
from ._network.warning import warn

__all__ = ["EarlyStopping", "ScoreHistory"]

_ITERATIONS = ("epoch", "iteration")


class _ScoringCallback:
    """Score an estimator on given rows during a fit.

    A subclass has the attribute `scoring`, and the attributes for the samples and their
    labels, which `_rows` names.
    """

    def __init__(self, remedy):
        name = type(self).__name__
        if not HAS_CALLBACKS:
            raise ImportError(
                f"{name} needs the callbacks of scikit-learn 1.9 or newer. {remedy}"
            )
        self._runs = {}

    def setup(self, estimator, context):
        """Check the parameters; scikit-learn calls it before a fit."""
        (X, y), name = self._rows, type(self).__name__
        if not hasattr(estimator, "_weight_attributes"):
            raise TypeError(
                f"{name} needs the epochs or iterations of a network, which "
                f"{type(estimator).__name__} does not report. Set it on the network "
                "inside the Pipeline or the search."
            )
        if getattr(self, X) is None:
            raise ValueError(
                f"{name} has no rows: the pickle of a fitted model leaves them out. "
                "Set a new callback before you continue the training: "
                f"set_callbacks({name}({X}, {y}))."
            )
        self._check_parameters()
        self._runs[id(estimator)] = _Run(check_scoring(estimator, self.scoring))

    def on_fit_task_begin(self, estimator, context):
        """Do nothing; scikit-learn calls it before each task of a fit."""

    def without_validation_data(self):
        """Make a copy without samples and labels, for the pickle of a fitted model.

        Returns
        -------
        callback : EarlyStopping or ScoreHistory
            A copy with the same parameters and scores, whose samples and labels are
            None.
        """
        light = copy.copy(self)
        for name in self._rows:
            setattr(light, name, None)
        light._runs = {}
        return light

    def _score(self, run, fitted_estimator):
        """Score an estimator and append the score to the scores of the run."""
        X, y = (getattr(self, name) for name in self._rows)
        name = type(self).__name__
        if not run.scores:
            y_name = f"{name}: {self._rows[1]}"
            check_target_names(fitted_estimator, y, False, y_name)
            _check_labels(fitted_estimator, y, y_name)
        score = run.scorer(fitted_estimator, X, y)
        if not isinstance(score, Real):
            raise ValueError(
                f"{name}: scoring must give one number, got "
                f"{type(score).__name__} from scoring={self.scoring!r}."
            )
        run.scores.append(score)
        return score


class EarlyStopping(_ScoringCallback):
    """Stop a fit when the score on given validation data stops improving.

    Unlike the parameter `early_stopping`, it works with every solver and holds out no
    training data. For a network inside a Pipeline, pass validation data that the
    previous steps have transformed. `partial_fit` calls no callbacks.

    Parameters
    ----------
    X_val : {array-like, sparse matrix} of shape (n_samples, n_features)
        Validation samples.

    y_val : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or target values of the validation samples.

    scoring : str, callable or None, default=None
        Score to improve, see :func:`sklearn.metrics.check_scoring`. None for the
        `score` method of the estimator: accuracy or R2.

    patience : int or inf, default=10
        The fit stops after this number of iterations or epochs without a better score.
        ``np.inf`` never stops the fit; the callback then only restores the best
        weights.

    restore_best : bool, default=True
        Whether to restore the weights of the best score at the end of the fit.

    Attributes
    ----------
    scores_ : list of float
        Score after each iteration or epoch of the last fit.

    best_score_ : float
        The highest score of the last fit.

    best_iter_ : int
        The iteration or epoch of the highest score, counted from 1.

    Notes
    -----
    A warm start that trains no further epoch leaves the attributes as they are.

    The history of the fit, such as `n_iter_`, `loss_curve_`, `validation_scores_` and
    `best_validation_score_`, is that of all its iterations or epochs. A tabular
    estimator can be trained further, with ``warm_start=True``, only if the best score
    is that of the last epoch or with ``restore_best=False``.

    The pickle of a fitted model does not hold the validation data. To continue the
    training of a loaded model, set a new callback. The pickle of an unfitted model
    holds the validation data; so does that of a search, because its `estimator` is
    unfitted. Save the `best_estimator_` of the search instead.

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
        """Score an iteration; return whether to stop the fit.

        scikit-learn calls it after each task of a fit.
        """
        if context.task_name not in _ITERATIONS:
            return False
        run = self._runs[id(estimator)]
        score = self._score(run, fitted_estimator)
        if math.isnan(score):
            raise ValueError(
                f"EarlyStopping: the score is nan in {context.task_name} "
                f"{len(run.scores)}: scoring={self.scoring!r} is not defined for "
                "X_val and y_val. Pass more rows (R2 needs two, some scores need rows "
                "of every class), or another scoring."
            )
        if score > run.best_score:
            run.best_score = score
            run.best_iter = len(run.scores)
            names = estimator._weight_attributes
            run.best_weights = {name: getattr(fitted_estimator, name) for name in names}
        return len(run.scores) - run.best_iter >= self.patience

    def teardown(self, estimator, context):
        """Restore the best weights; scikit-learn calls it after a fit."""
        run = self._runs.pop(id(estimator), None)
        if run is None or not run.scores:
            # `setup` has raised an error, or there was no iteration.
            return
        self.scores_ = run.scores
        self.best_score_ = run.best_score
        self.best_iter_ = run.best_iter
        if self.restore_best and run.best_weights:
            vars(estimator).update(run.best_weights)
            if run.best_iter < len(run.scores):
                for name in estimator._latest_attributes:
                    vars(estimator).pop(name, None)

    def _check_parameters(self):
        is_count = isinstance(self.patience, Integral) and self.patience >= 1
        # An array would be compared element by element.
        is_endless = isinstance(self.patience, Real) and self.patience == math.inf
        if not (is_count or is_endless):
            raise ValueError(
                "EarlyStopping: patience must be an int from 1 on or np.inf, got "
                f"{self.patience!r}."
            )


class ScoreHistory(_ScoringCallback):
    """Record the score on given rows after each iteration or epoch of a fit.

    It works with every solver and with the tabular estimators, and does not change the
    fit. With test rows it gives the curve of the accuracy during training, which
    :meth:`LossCurveDisplay.from_estimator \
    <skmlp_backprop.displays.LossCurveDisplay.from_estimator>` draws beside the loss.
    Two callbacks, with training rows and with test rows, show overfitting.

    For a network inside a Pipeline, set the callback on the network, and pass rows that
    the previous steps have transformed. :func:`~skmlp_backprop.fit_stack` and the
    searches train networks with a callback one after the other.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples to score.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or target values of the samples.

    scoring : str, callable or None, default=None
        Score to record, see :func:`sklearn.metrics.check_scoring`. None for the
        `score` method of the estimator: accuracy or R2.

    every : int, default=1
        The score is recorded after each iteration or epoch whose number is a multiple
        of `every`.

    name : str or None, default=None
        Name of the curve in displays. None for "score", or "score 2" for the second
        callback of an estimator.

    Attributes
    ----------
    iterations_ : list of int
        The scored iterations or epochs of the last fit, counted from 1. Iteration i
        belongs to ``loss_curve_[i - 1]``.

    scores_ : list of float
        The score after each iteration or epoch of `iterations_`.

    Notes
    -----
    Several estimators may share a callback, so each fitted estimator keeps its scores
    in the attribute `score_histories_`: a list with a dict for each ScoreHistory of the
    estimator, with the keys `name`, `iterations` and `scores`.

    The pickle of a fitted model does not hold the rows. To continue the training of a
    loaded model, set a new callback.

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
        """Check the parameters; scikit-learn calls it before a fit."""
        super().setup(estimator, context)
        # A warm start appends to the loss curve.
        if getattr(estimator, "warm_start", False):
            n_iter = len(getattr(estimator, "loss_curve_", []))
            self._runs[id(estimator)].n_iter = n_iter

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Record the score; scikit-learn calls it after each task of a fit."""
        if context.task_name not in _ITERATIONS:
            return False
        run = self._runs[id(estimator)]
        run.n_iter += 1
        if run.n_iter % self.every == 0:
            self._score(run, fitted_estimator)
            run.iterations.append(run.n_iter)
        return False

    def teardown(self, estimator, context):
        """Pass the scores to the estimator; scikit-learn calls it after a fit."""
        run = self._runs.pop(id(estimator), None)
        if run is None:
            # `setup` has raised an error.
            return
        self.iterations_, self.scores_ = run.iterations, run.scores
        histories = [c for c in estimator._skl_callbacks if isinstance(c, ScoreHistory)]
        place = histories.index(self)
        record = {
            "name": self.name or ("score" if place == 0 else f"score {place + 1}"),
            "iterations": list(run.iterations),
            "scores": list(run.scores),
        }
        # scikit-learn calls the callbacks in order, so records from this place on are
        # of an earlier fit.
        earlier = getattr(estimator, "score_histories_", [])
        estimator.score_histories_ = [*earlier[:place], record]

    def _check_parameters(self):
        if not isinstance(self.every, Integral) or self.every < 1:
            raise ValueError(
                f"ScoreHistory: every must be an int from 1 on, got {self.every!r}."
            )


def _check_labels(estimator, y, name):
    """Warn of labels that are not in the classes of the fit.

    Raises
    ------
    ValueError
        If no label is in the classes: the score would never change.
    """
    classes = getattr(estimator, "classes_", None)
    y = np.asarray(y)
    if classes is None or y.ndim != 1:
        return
    # As Python objects: NumPy may convert 1 to "1" in a comparison.
    labels, known = set(y.tolist()), classes.tolist()
    unknown = sorted(labels.difference(known), key=str)
    if labels and len(unknown) == len(labels):
        raise ValueError(
            f"{name} has the labels {unknown[:5]}, none of which is a class of the "
            f"fit: {known[:5]}. Convert {name} to the type of the classes."
        )
    if unknown:
        warn(
            f"{name} has the labels {unknown[:5]}, which the rows that "
            "are fitted do not have; they are never predicted."
        )


@dataclass
class _Run:
    """State of a fit. A callback may watch the fits of several estimators at once."""

    scorer: object
    scores: list = field(default_factory=list)
    best_score: float = -math.inf
    best_iter: int = 0
    best_weights: dict = field(default_factory=dict)
    iterations: list = field(default_factory=list)
    n_iter: int = 0
