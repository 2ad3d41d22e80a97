"""Trains a model on the data, and says what it is trained on."""

import shlex
import warnings
from math import ceil
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ParameterGrid, check_cv, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from .. import (
    BackpropMLPClassifier,
    StackedGridSearchCV,
    TabularMLPClassifier,
    TabularMLPRegressor,
    fit_stack,
)
from .._estimators.sklearn_private import _safe_indexing
from .._solvers import is_stochastic
from .._solvers.interruption import abort_when_interrupted
from .data import column_names
from .progress import duration, timed
from .scores import measures_of, number

# Processes of a search, by default, and seconds that they take to start.
_SEARCH_JOBS = 2
_PROCESS_START = 4


def choose_model(name, data):
    """Whether to search, or to take the model for tables at its defaults.

    Parameters
    ----------
    name : {"tabular", "search"} or None
        The user's choice, if any.

    data : Data
        The data.

    Returns
    -------
    is_search : bool
        Whether to search.

    Raises
    ------
    ValueError
        If the data do not suit a search.
    """
    reason = None
    if data.is_regression:
        reason = "the task is a regression"
    elif not data.are_numbers or data.is_categorical.any():
        reason = "the table has columns that are not numbers"
    elif data.is_missing.any():
        reason = "there are missing values"
    if name == "search" and reason is not None:
        raise ValueError(
            f"--model search takes classes and complete numbers, but {reason}. Choose "
            "--model tabular."
        )
    return name == "search" or (name is None and reason is None)


class Tabular:
    """A TabularMLPClassifier or TabularMLPRegressor at its defaults."""

    def __init__(self, args, data):
        kind = TabularMLPRegressor if data.is_regression else TabularMLPClassifier
        self.estimator = kind(random_state=args.seed, n_jobs=args.jobs)
        self.name = kind.__name__
        self.description = f"{self.name} at its defaults"
        self.cv = check_cv(args.cv, data.y, classifier=not data.is_regression)
        self.n_folds = args.cv

    def time(self, X, y):
        """The time of the fits in words, by that of a few epochs."""
        seconds = duration(self._seconds(X, y))
        return f"at most about {seconds}, usually a third to a half of that"

    def _seconds(self, X, y):
        """The time of the fits if none ends early."""
        times = []
        # The first fit takes longer than others, as a rule.
        for max_iter in (1, 1, 4):
            start = perf_counter()
            _fit_quietly(clone(self.estimator).set_params(max_iter=max_iter), X, y)
            times.append(perf_counter() - start)
        once = min(times[:2])
        epoch = max(0, times[2] - once) / 3
        n_epochs = self.estimator._n_epochs(len(y))
        # All folds together fit on n_folds - 1 times the rows.
        return (once + n_epochs * epoch) * self.n_folds

    def fit(self, X, y, measures):
        """Fit on the folds, then on all rows.

        Returns
        -------
        model : estimator
            The fitted model.

        scores : dict of str to list of float
            The measures of the folds.
        """
        scores = []
        for train, test in self.cv.split(X, y):
            model = clone(self.estimator)
            _fit_quietly(model, _safe_indexing(X, train), y[train])
            scores.append(measures(model, _safe_indexing(X, test), y[test]))
        model = clone(self.estimator).fit(X, y)
        return model, {name: [fold[name] for fold in scores] for name in scores[0]}


class Search:
    """A grid search of a BackpropMLPClassifier in a Pipeline with a StandardScaler."""

    name = "BackpropMLPClassifier"

    def __init__(self, args, data):
        network = BackpropMLPClassifier(
            hidden_layer_sizes=tuple(args.hidden),
            activation=args.activation,
            solver=args.solver,
            max_iter=args.max_iter,
            random_state=args.seed,
        )
        grid = {"mlp__alpha": args.alpha}
        if is_stochastic(args.solver):
            grid["mlp__learning_rate_init"] = args.learning_rate
        self.search = StackedGridSearchCV(
            Pipeline([("scaler", StandardScaler()), ("mlp", network)]),
            grid,
            scoring={"accuracy": "accuracy", "log loss": "neg_log_loss"},
            refit="accuracy",
            cv=args.cv,
            n_jobs=_SEARCH_JOBS if args.jobs is None else args.jobs,
        )
        self.n_folds = args.cv
        self.max_iter = args.max_iter
        n_candidates = len(ParameterGrid(grid))
        self.description = (
            f"{self.name}, a grid search of {n_candidates} candidates in "
            f"{args.cv} folds"
        )

    def time(self, X, y):
        """The time of the fits in words, by that of one epoch."""
        seconds = duration(self._seconds(X, y))
        return f"about {seconds}, or less if the training ends early"

    def _seconds(self, X, y):
        """The time of the fits if none ends early."""
        search = self.search
        candidates = [
            clone(search.estimator).set_params(**params, mlp__max_iter=1)[-1]
            for params in ParameterGrid(search.param_grid)
        ]
        X = StandardScaler().fit_transform(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # The first fit takes longer than others.
            for _ in range(2):
                start = perf_counter()
                fit_stack(candidates, X, y)
                seconds = perf_counter() - start
        n_processes = max(1, min(search.n_jobs, self.n_folds))
        n_fits = (self.n_folds - 1) / n_processes + 1 / len(candidates)
        start = _PROCESS_START if n_processes > 1 else 0
        return start + seconds * self.max_iter * n_fits

    def fit(self, X, y, measures):
        """Search, as :meth:`Tabular.fit`."""
        with warnings.catch_warnings():
            # A search stops many candidates at --max-iter; that is what it is for.
            warnings.simplefilter("ignore", ConvergenceWarning)
            search = self.search.fit(X, y)
        results, best = search.cv_results_, search.best_index_
        folds = range(self.n_folds)
        self.best_params = {
            name.removeprefix("mlp__"): value
            for name, value in search.best_params_.items()
        }
        return search.best_estimator_, {
            name: [
                sign * results["_".join((f"split{i}", "test", name))][best]
                for i in folds
            ]
            for name, sign in (("accuracy", 1), ("log loss", -1))
        }


def _fit_quietly(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return model.fit(X, y)


def check_folds(n_folds, y, data, is_search):
    """Refuse more folds than the training rows suffice for.

    Raises
    ------
    ValueError
        The message names the option.
    """
    if data.is_regression:
        if len(y) < 2 * n_folds:
            raise ValueError(
                f"--cv {n_folds}: the {len(y)} training rows are too few for "
                f"{n_folds} folds of two rows or more. Choose fewer folds."
            )
        return
    classes, counts = np.unique(y, return_counts=True)
    # A fold without a class has no score in a search.
    i = counts.argmin() if is_search else counts.argmax()
    if counts[i] < n_folds:
        raise ValueError(
            f"--cv {n_folds}: there are less than {n_folds} training rows of the label "
            f"{classes[i]!s}, which has {counts[i]}. Choose fewer folds. The target "
            f"{data.target!r} has {len(classes)} classes in {len(data.y)} rows; if it "
            "has numbers to predict, choose --task regression."
        )


def hold_out(data, seed):
    """Split off a fifth of the rows: X_train, X_test, y_train, y_test.

    With many classes it is as many rows as classes, which a stratified split needs.
    That leaves as many or more, as each class has two rows.
    """
    n_test, stratify = ceil(len(data.y) / 5), None
    if not data.is_regression:
        n_test, stratify = max(n_test, len(np.unique(data.y))), data.y
    return train_test_split(
        data.X, data.y, test_size=n_test, stratify=stratify, random_state=seed
    )


def describe(data, model, X_train, y_train, args):
    """Print what was recognised, what will be done, and how long that may take.

    Returns
    -------
    lines : dict of str to str
        What was recognised, and the model.
    """
    n_rows, n_columns = data.X.shape
    n_categories = data.is_categorical.sum()
    is_date = np.array([isinstance(kind, str) for kind in data.kinds])
    n_dates = is_date.sum()
    n_numbers = n_columns - n_categories - n_dates
    columns = f"{n_numbers} of numbers, {n_categories} of categories"
    if n_categories:
        columns += f" ({listed(np.array(data.X.columns)[data.is_categorical])})"
    if n_dates:
        columns += f", {n_dates} of dates ({listed(np.array(data.X.columns)[is_date])})"
    if data.is_regression:
        low, high = number(data.y.min()), number(data.y.max())
        target = f"numbers from {low} to {high}"
    else:
        classes, counts = np.unique(data.y, return_counts=True)
        names = [f"{c!s} ({n})" for c, n in zip(classes, counts, strict=True)]
        target = f"{len(classes)} classes: {listed(names)}"
    other_task = ""
    if args.task is None and not data.is_regression and data.y.dtype.kind in "iuf":
        other_task = "; --task regression predicts numbers"
    missing = "none"
    if data.is_missing.any():
        counts = data.is_missing.sum(axis=0)
        names = np.array(column_names(data.X))
        missing = f"{counts.sum()} values, in {listed(names[counts > 0])}"
    lines = {
        "Data": data.source,
        "Rows": f"{n_rows}; {n_rows - len(y_train)} are held out",
        "Columns": columns,
        "Missing": missing,
        "Target": f"{data.target}, {target}",
        "Task": data.task + other_task,
        "Model": model.description,
    }
    for name, line in lines.items():
        print(f"{name + ':':<9}{line}", flush=True)
    print(f"Time:    {model.time(X_train, y_train)}")
    for note in data.notes:
        print(f"note: {note}")
    advised = [
        name
        for name in column_names(data.X)
        if any(
            note.startswith(f"Column {name!r} ") and "drop the column" in note
            for note in data.notes
        )
    ]
    if advised:
        # A second --drop would replace the first.
        print(f"To leave them out, add: --drop {shlex.join([*args.drop, *advised])}")
        print("Columns that are left out are still copied to the predictions.")
    return lines


def listed(names):
    """The first names, separated by commas."""
    shown = ", ".join(map(str, names[:5]))
    return shown if len(names) <= 5 else f"{shown}, ... ({len(names)} in all)"


def train(model, X, y, data):
    """Fit a :class:`Tabular` or a :class:`Search`, with a line on the time."""
    line = timed(f"Fitting in {model.n_folds} folds, then on {len(y)} rows")
    with line, abort_when_interrupted():
        return model.fit(X, y, measures_of(data))


def report_search(search):
    """Print the best parameters of a fitted :class:`Search`."""
    print("\nBest parameters:")
    for name, value in search.best_params.items():
        print(f"  {name} = {value:g}")
