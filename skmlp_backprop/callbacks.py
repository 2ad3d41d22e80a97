"""Callbacks for scikit-learn's callback API."""

import copy
import math
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
from sklearn.metrics import check_scoring

from ._estimators.sklearn_callbacks import HAS_CALLBACKS
from ._network.warning import warn

__all__ = ["EarlyStopping"]

_ITERATIONS = ("epoch", "iteration")


class EarlyStopping:
    """Stop a fit when the score on given validation data stops improving.

    Unlike the parameter `early_stopping`, it works with every solver and holds out no
    training data. For a network inside a Pipeline, pass validation data that the
    previous steps have transformed.

    Parameters
    ----------
    X_val : {array-like, sparse matrix} of shape (n_samples, n_features)
        Validation samples.

    y_val : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or target values of the validation samples.

    scoring : str, callable or None, default=None
        Score to improve, see :func:`sklearn.metrics.check_scoring`. None for the
        `score` method of the estimator: accuracy or R2.

    patience : int, default=10
        The fit stops after this number of iterations or epochs without a better score.

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

    def __init__(self, X_val, y_val, *, scoring=None, patience=10, restore_best=True):
        if not HAS_CALLBACKS:
            raise ImportError(
                "EarlyStopping needs the callbacks of scikit-learn 1.9 or newer. "
                "Upgrade scikit-learn, or use the parameter `early_stopping`."
            )
        self.X_val = X_val
        self.y_val = y_val
        self.scoring = scoring
        self.patience = patience
        self.restore_best = restore_best
        self._runs = {}

    def setup(self, estimator, context):
        """Check the parameters; scikit-learn calls it before a fit."""
        if self.X_val is None:
            raise ValueError(
                "EarlyStopping has no validation data: they are not pickled with a "
                "fitted model. Give it new ones before it is trained on, by "
                "set_callbacks(EarlyStopping(X_val, y_val))."
            )
        if not isinstance(self.patience, Integral) or self.patience < 1:
            raise ValueError(
                "EarlyStopping: patience must be an int from 1 on, got "
                f"{self.patience!r}."
            )
        self._runs[id(estimator)] = _Run(check_scoring(estimator, self.scoring))

    def on_fit_task_begin(self, estimator, context):
        """Do nothing; scikit-learn calls it before each task of a fit."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Score an iteration; return whether to stop the fit.

        scikit-learn calls it after each task of a fit.
        """
        if context.task_name not in _ITERATIONS:
            return False
        run = self._runs[id(estimator)]
        if not run.scores:
            _check_labels(fitted_estimator, self.y_val)
        score = run.scorer(fitted_estimator, self.X_val, self.y_val)
        if not isinstance(score, Real):
            raise ValueError(
                "EarlyStopping: scoring must give one number, got "
                f"{type(score).__name__} from scoring={self.scoring!r}."
            )
        run.scores.append(score)
        if score > run.best_score:
            run.best_score = score
            run.best_iter = len(run.scores)
            names = estimator._weight_attributes
            run.best_weights = {name: getattr(fitted_estimator, name) for name in names}
        return len(run.scores) - run.best_iter >= self.patience

    def teardown(self, estimator, context):
        """Restore the best weights; scikit-learn calls it after a fit."""
        run = self._runs.pop(id(estimator), None)
        if run is None:
            # `setup` has raised an error.
            return
        self.scores_ = run.scores
        self.best_score_ = run.best_score
        self.best_iter_ = run.best_iter
        if self.restore_best:
            vars(estimator).update(run.best_weights)

    def without_validation_data(self):
        """Make a copy without validation data, for the pickle of a fitted model.

        Returns
        -------
        callback : EarlyStopping
            A copy with the same parameters and scores, whose `X_val` and `y_val` are
            None.
        """
        light = copy.copy(self)
        light.X_val = light.y_val = None
        light._runs = {}
        return light


def _check_labels(estimator, y_val):
    """Warn of validation labels that are not in the classes of the fit.

    Raises
    ------
    ValueError
        If no validation label is in the classes: the score would never change, and the
        fit would stop early.
    """
    classes = getattr(estimator, "classes_", None)
    y_val = np.asarray(y_val)
    if classes is None or y_val.ndim != 1:
        return
    # As Python objects: NumPy may convert 1 to "1" in a comparison.
    labels, known = set(y_val.tolist()), classes.tolist()
    unknown = sorted(labels.difference(known), key=str)
    if labels and len(unknown) == len(labels):
        raise ValueError(
            f"EarlyStopping: y_val has the labels {unknown[:5]}, none of which the fit "
            f"knows: its classes are {known[:5]}. Are they of another type?"
        )
    if unknown:
        warn(
            f"EarlyStopping: y_val has the labels {unknown[:5]}, which the rows that "
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
