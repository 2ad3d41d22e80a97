"""Trains a model on the data, and says what it is trained on."""

import shlex
import sys
import warnings
from math import ceil
from threading import Event, Thread
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
from .._estimators.architecture import is_stochastic
from .._estimators.sklearn_private import _safe_indexing
from .._solvers.interruption import abort_when_interrupted
from .._tabular.dates import DATES, SPANS, TIMES
from .data import is_table
from .options import has_search_options
from .scores import measure, number

# Default number of processes of a search, and the seconds to start them.
_SEARCH_JOBS = 2
_PROCESS_START = 4


def choose_model(args, data):
    """The :class:`Search` or :class:`Tabular` that the user or the data ask for.

    By default, arrays of classes and complete numbers get a search, and tables only if
    an option of the search is given.

    Raises ValueError if the data do not suit a search.
    """
    reason, columns = None, data.columns
    if data.is_regression:
        reason = "the task is a regression"
    elif not columns.are_numbers:
        reason = "the table has columns that are not numbers"
    elif columns.is_missing.any():
        reason = "there are missing values"
    if args.model == "search" and reason is not None:
        raise ValueError(
            f"--model search takes classes and complete numbers, but {reason}. Choose "
            "--model tabular."
        )
    is_search = args.model == "search" or (
        args.model is None
        and reason is None
        and (has_search_options(args) or not is_table(args.data))
    )
    return Search(args, data) if is_search else Tabular(args, data, reason)


class Tabular:
    """A TabularMLPClassifier or TabularMLPRegressor at its defaults.

    `no_search` says why the data do not suit a search; None if they do.
    """

    is_search, best_params = False, None

    def __init__(self, args, data, no_search):
        self.no_search = no_search
        kind = TabularMLPRegressor if data.is_regression else TabularMLPClassifier
        self.estimator = kind(random_state=args.seed, n_jobs=args.jobs)
        self.name = kind.__name__
        self.description = f"{self.name} at its defaults"
        self.cv = check_cv(args.cv, data.y, classifier=not data.is_regression)
        self.n_folds = args.cv

    def time(self, X, y):
        """The time of the fits in words, by the time of a few epochs."""

        def seconds_of(n_epochs):
            start = perf_counter()
            epochs = {"max_iter": n_epochs, "n_iter_no_change": np.inf}
            _fit_quietly(clone(self.estimator).set_params(**epochs), X, y)
            return perf_counter() - start

        # The first fit usually takes longer than others.
        once = min(seconds_of(1), seconds_of(1))
        # More epochs of a small table, whose seconds vary.
        n_timed = 4 if once > 1 else 16
        epoch = max(0, seconds_of(n_timed) - once) / (n_timed - 1)
        # All folds together fit on n_folds - 1 times the rows.
        seconds = (once + self.estimator._n_epochs(len(y)) * epoch) * self.n_folds
        return f"at most about {duration(seconds)}, usually a third to a half of that"

    def fit(self, X, y):
        """Fit on the folds, then on all rows.

        Returns the model of all rows, and the values of each measure on the folds.
        """
        scores = []
        with warnings.catch_warnings():
            # `describe` has a note on classes that some folds lack.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            folds = list(self.cv.split(X, y))
        for train, test in folds:
            model = clone(self.estimator)
            _fit_quietly(model, _safe_indexing(X, train), y[train])
            scores.append(measure(model, _safe_indexing(X, test), y[test]))
        model = clone(self.estimator).fit(X, y)
        return model, {name: [fold[name] for fold in scores] for name in scores[0]}


class Search:
    """A grid search of a BackpropMLPClassifier in a Pipeline with a StandardScaler."""

    is_search, name = True, "BackpropMLPClassifier"

    def __init__(self, args, data):
        self._columns = data.columns.encoder
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
        self.description = (
            f"{self.name}, a grid search of {len(ParameterGrid(grid))} candidates in "
            f"{args.cv} folds"
        )

    def time(self, X, y):
        """The time of the fits in words, by the time of an epoch."""
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
                epoch = perf_counter() - start
        n_processes = max(1, min(search.n_jobs, self.n_folds))
        n_fits = (self.n_folds - 1) / n_processes + 1 / len(candidates)
        start = _PROCESS_START if n_processes > 1 else 0
        seconds = start + epoch * search.estimator[-1].max_iter * n_fits
        return f"about {duration(seconds)}, or less if the training ends early"

    def fit(self, X, y):
        """Search, as :meth:`Tabular.fit`."""
        with warnings.catch_warnings():
            # A search stops many candidates at --max-iter, as intended.
            warnings.simplefilter("ignore", ConvergenceWarning)
            search = self.search.fit(X, y)
        self.best_params = {
            name.removeprefix("mlp__"): value
            for name, value in search.best_params_.items()
        }
        scores = {}
        for name, sign in (("accuracy", 1), ("log loss", -1)):
            splits = [f"split{i}_test_{name}" for i in range(self.n_folds)]
            scores[name] = [
                sign * search.cv_results_[split][search.best_index_] for split in splits
            ]
        model = search.best_estimator_
        # A prediction checks new rows by the columns of the training.
        model.columns_ = self._columns
        return model, scores


def _fit_quietly(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, y)


def check_folds(model, y, data):
    """Raise ValueError if the training rows are too few for the folds."""
    n_folds = model.n_folds
    if data.is_regression:
        if len(y) < 2 * n_folds:
            raise ValueError(
                f"--cv {n_folds}: the {len(y)} training rows are too few for "
                f"{n_folds} folds of two rows or more. Choose fewer folds."
            )
        return
    classes, counts = np.unique(y, return_counts=True)
    # A search can't score a fold that lacks a class.
    i = counts.argmin() if model.is_search else counts.argmax()
    if counts[i] < n_folds:
        raise ValueError(
            f"--cv {n_folds}: there are less than {n_folds} training rows of the label "
            f"{classes[i]!s}, which has {counts[i]}. Choose fewer folds. The target "
            f"{data.target!r} has {len(classes)} classes in {len(data.y)} rows; if it "
            "has numbers to predict, choose --task regression."
        )


def _notes_on_folds(model, y, data):
    """A note on a class that some folds lack, in a list."""
    if data.is_regression:
        return []
    classes, counts = np.unique(y, return_counts=True)
    i = counts.argmin()
    if counts[i] >= model.n_folds:
        return []
    remedy = f"For fewer folds add: --cv {counts[i]}"
    if counts[i] == 1:
        remedy = "Add rows of this label, or remove its rows."
    return [
        f"The label {classes[i]!s} has {counts[i]} of {len(y)} training rows, so that "
        f"some of the {model.n_folds} folds have none. {remedy}"
    ]


def hold_out(data, seed):
    """Split off a fifth of the rows: X_train, X_test, y_train, y_test.

    With many classes it is as many rows as classes: a stratified split needs a row of
    each class on both sides. Each class has two rows or more.
    """
    n_test, stratify = ceil(len(data.y) / 5), None
    if not data.is_regression:
        n_test, stratify = max(n_test, len(np.unique(data.y))), data.y
    return train_test_split(
        data.X, data.y, test_size=n_test, stratify=stratify, random_state=seed
    )


def describe(data, model, X_train, y_train, args):
    """Print the data, the model, the time that it may take, and notes on columns.

    Returns the lines on the data and the model, by name.
    """
    lines = {
        "Data": data.source,
        "Rows": f"{len(data.y)}; {len(data.y) - len(y_train)} are held out",
        **_describe_columns(data.columns),
        "Target": f"{data.target}, {_describe_target(data)}",
        "Task": data.task,
        "Model": model.description,
    }
    if args.task is None and not data.is_regression and data.y.dtype.kind in "iuf":
        lines["Task"] += "; --task regression predicts numbers"
    for name, line in lines.items():
        print(f"{name + ':':<9}{line}", flush=True)
    print(f"Time:    {model.time(X_train, y_train)}")
    for note in [*data.notes, *_notes_on_folds(model, y_train, data)]:
        print(f"note: {note}")
    if data.columns.identifiers and is_table(args.data):
        # A second --drop would replace the first.
        names = [*args.drop, *data.columns.identifiers]
        print(f"To leave them out, add: --drop {shlex.join(names)}")
        copied = "Columns that are left out are still copied to the predictions."
        lacking = "New rows have no names either: leave these columns out of them, too."
        print(copied if data.has_names else lacking)
    return lines


def _describe_columns(columns):
    names, n_missing = np.array(columns.names), columns.is_missing.sum(axis=0)
    times = np.array([k if isinstance(k, str) else "" for k in columns.kinds])
    is_number = ~((times != "") | columns.is_categorical)
    n_categorical = columns.is_categorical.sum()
    text = f"{is_number.sum()} of numbers, {n_categorical} of categories"
    if n_categorical:
        text += f" ({_listed(names[columns.is_categorical])})"
    for kind in (DATES, TIMES, SPANS):
        if (found := names[times == kind]).size:
            text += f", {len(found)} of {kind} ({_listed(found)})"
    missing = "none"
    if n_missing.any():
        missing = f"{n_missing.sum()} values, in {_listed(names[n_missing > 0])}"
    return {"Columns": text, "Missing": missing}


def _describe_target(data):
    if data.is_regression:
        return f"numbers from {number(data.y.min())} to {number(data.y.max())}"
    classes, counts = np.unique(data.y, return_counts=True)
    names = [f"{c!s} ({n})" for c, n in zip(classes, counts, strict=True)]
    return f"{len(classes)} classes: {_listed(names)}"


def _listed(names):
    """The first names and the last one, separated by commas."""
    if len(names) <= 6:
        return ", ".join(map(str, names))
    first = ", ".join(map(str, names[:4]))
    return f"{first}, ... {names[-1]} ({len(names)} in all)"


def train(model, X, y):
    """Fit a :class:`Tabular` or a :class:`Search`.

    Prints a line with the time of the fits; on a terminal, with the seconds so far.
    """
    text = f"Fitting in {model.n_folds} folds, then on {len(y)} rows"
    start, ended, is_terminal = perf_counter(), Event(), sys.stdout.isatty()

    def show_seconds():
        while is_terminal and not ended.wait(1):
            print(f"\r{text}: {perf_counter() - start:.0f} s", end="", flush=True)

    print(text, end="", flush=True)
    thread, time = Thread(target=show_seconds, daemon=True), ""
    thread.start()
    try:
        with abort_when_interrupted():
            fitted = model.fit(X, y)
        time = f": {duration(perf_counter() - start)}"
    finally:
        ended.set()
        thread.join()
        print(f"\r{text}{time}" if is_terminal else time)
    return fitted


def duration(seconds):
    """A time in words, to about two digits."""
    if seconds < 100:
        return f"{seconds:.{1 if seconds < 10 else 0}f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
