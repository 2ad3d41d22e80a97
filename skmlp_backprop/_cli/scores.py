"""Scores a fitted model on folds and held-out rows, and prints the scores."""

import warnings
from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    log_loss,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from .._estimators.sklearn_private import _safe_indexing
from .._tabular.categories import CategoryEncoding, category_key
from .._tabular.texts import is_missing
from ..datasets._text_files import join
from .predicting import COVERAGE

# Limits on the columns shown, and on the rows and columns that are shuffled.
_N_SHOWN = 8
_MAX_SHUFFLED_ROWS = 1000
_MAX_SHUFFLED_COLUMNS = 200
_N_SHUFFLES = 5
# With more classes, the report has no scores of each class.
MAX_CLASSES = 30


class Importances(NamedTuple):
    """The importances of the columns, the most important column first."""

    names: list  # of str
    values: np.ndarray
    stds: np.ndarray
    meaning: str  # of the values

    def lines(self):
        """The name and the importance of each column, as texts."""
        texts = map(_spread, self.values, self.stds)
        return list(zip(self.names, texts, strict=True))


class Scores(NamedTuple):
    """How well a fitted model predicts, and by which columns.

    The arrays have an entry for each held-out row.
    """

    n_folds: int
    header: tuple  # of str, of the columns of the table
    table: list  # of tuple of str: the measures, of the folds, the rows, the baseline
    y: np.ndarray  # the target
    predicted: np.ndarray
    classes: np.ndarray | None  # of a classification
    proba: np.ndarray | None  # their probabilities
    interval: np.ndarray | None  # lower and upper bounds, of a regression
    importances: Importances | None


def measure(model, X, y):
    """Measure a fitted model on rows; return name to value."""
    if is_regressor(model):
        predicted = model.predict(X)
        return {
            "R2": r2_score(y, predicted),
            "mean absolute error": mean_absolute_error(y, predicted),
            "root mean squared error": root_mean_squared_error(y, predicted),
        }
    proba = model.predict_proba(X)
    # The model may lack a class of these rows, and these rows a class of the model.
    classes = np.union1d(model.classes_, y)
    all_proba = np.zeros((len(y), len(classes)))
    all_proba[:, np.searchsorted(classes, model.classes_)] = proba
    return {
        # A model may predict by another threshold than the most probable class.
        "accuracy": accuracy_score(y, model.predict(X)),
        "log loss": log_loss(y, all_proba, labels=classes),
    }


def score(data, fitted, fold_scores, X_test, y_train, y_test):
    """Score a model, fitted on the training rows, on the held-out rows.

    `fold_scores` has the values of each measure on the folds.
    """
    if data.is_regression:
        baseline, predicts = DummyRegressor(), "the mean"
    else:
        baseline, predicts = DummyClassifier(strategy="prior"), "shares of classes"
    placeholder = np.zeros((len(y_train), 1))
    baseline.fit(placeholder, y_train)
    of_baseline = measure(baseline, placeholder[: len(y_test)], y_test)
    table = [
        (
            name,
            _spread(np.mean(fold_scores[name]), np.std(fold_scores[name])),
            number(value),
            number(of_baseline[name]),
        )
        for name, value in measure(fitted, X_test, y_test).items()
    ]
    n_folds = len(next(iter(fold_scores.values())))
    header = ("", f"{n_folds} folds ± std", "held-out rows", f"baseline: {predicts}")
    classes = proba = interval = None
    if data.is_regression:
        interval = fitted.predict_interval(X_test, coverage=COVERAGE)
    else:
        classes, proba = fitted.classes_, fitted.predict_proba(X_test)
    return Scores(
        n_folds,
        header,
        table,
        y_test,
        fitted.predict(X_test),
        classes,
        proba,
        interval,
        _importances(data, fitted, X_test, y_test),
    )


def read_targets(others, target, classes, csv_format):
    """The targets of new rows, where they are not missing.

    Parameters
    ----------
    others : DataFrame
        The columns of the new rows that are none of the model's.

    target : str
        The name of the target.

    classes : ndarray or None
        The classes of the model; None for a regression.

    csv_format : CsvFormat
        How the file of the new rows is written.

    Returns
    -------
    y : Series
        The targets, by the number of the row: numbers, or classes of the model.

    Raises
    ------
    ValueError
        If there is no such column, or if it has other values.
    """
    if target not in others:
        raise ValueError(
            f"The new rows have no target {target!r} beside the columns of the model; "
            f"they have {join(list(others)) or 'no others'}."
        )
    # A class may be called "none".
    has_mark = classes is not None and any(map(is_missing, map(str, classes.tolist())))
    values = others[target].reset_index(drop=True).dropna().astype(object)
    if not has_mark:
        values = values[[not is_missing(str(value)) for value in values]]
    convert = _to_number if classes is None else _class_finder(classes)
    try:
        return values.map(lambda value: convert(value, csv_format)).infer_objects()
    except ValueError as error:
        raise ValueError(f"The target {target!r} of the new rows: {error}") from error


def _to_number(value, csv_format):
    if isinstance(value, str):
        number = csv_format.plain(value)
        if not csv_format.is_number(value):
            kind = " with decimal commas" if csv_format.has_commas else ""
            raise ValueError(f"expected numbers{kind}, found {value!r}.")
    elif isinstance(value, Real | Decimal) and not isinstance(value, bool):
        number = value
    else:
        raise ValueError(f"expected numbers, found {value!r}.")
    if not np.isfinite(float(number)):
        raise ValueError(f"expected finite numbers, found {value!r}.")
    return float(number)


def _class_finder(classes):
    """A function that finds the class which a value stands for, such as 1 for "1.0"."""
    labels = classes.tolist()
    encoding = CategoryEncoding(list(map(category_key, labels)), len(labels), False)

    def find(value, csv_format):
        forms = [value]
        if isinstance(value, str):
            # The labels of a file are read without spaces around them, and without
            # decimal commas if all labels are numbers.
            text = value.strip()
            forms += [text, csv_format.plain(text)]
        found = (encoding.find(category_key(form)) for form in forms)
        index = next((index for index in found if index is not None), None)
        if index is None:
            shown = ", ".join(map(str, labels[:10])) + ", ..." * (len(labels) > 10)
            raise ValueError(
                f"{value!r} is not among the classes of the model, {shown}."
            )
        return labels[index]

    return find


def print_scores_of_rows(model, X, y):
    """Print the scores of a fitted model on new rows.

    Parameters
    ----------
    model : estimator
        The model.

    X : DataFrame or ndarray
        The new rows.

    y : Series
        Their targets, see :func:`read_targets`.

    Raises
    ------
    ValueError
        If the model predicts several values for each row.
    """
    if len(y) == 0:
        print(f"No new row has a value of {y.name!r}: there are no scores.")
        return
    rows = _safe_indexing(X, y.index.to_numpy())
    # The predictions of all rows have given their warnings.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        if model.predict(_safe_indexing(rows, [0])).ndim > 1:
            raise ValueError(
                "--target has no effect on a model that predicts several values for "
                "each row. Leave it out."
            )
        measured = measure(model, rows, y.to_numpy())
    print(f"\nScores on the new rows with a value of {y.name!r}, {len(y)} of {len(X)}:")
    for name, value in measured.items():
        print(f"  {name:<25}{number(value)}")


def _importances(data, fitted, X, y):
    """The importances of the columns, or None if they take too long or say little."""
    if data.X.shape[1] > _MAX_SHUFFLED_COLUMNS:
        return None
    if hasattr(fitted, "importances"):
        found = fitted.importances()
        loss = "loss" if data.is_regression else "log loss"
        meaning = (
            f"how much the {loss} of training rows, by the\nnetworks that left them "
            "out, rises if the column is shuffled, mean ± standard deviation"
        )
    elif hasattr(data.X, "columns"):
        index = np.arange(min(len(y), _MAX_SHUFFLED_ROWS))
        found = permutation_importance(
            fitted,
            _safe_indexing(X, index),
            y[index],
            scoring=lambda *args: -measure(*args)["log loss"],
            n_repeats=_N_SHUFFLES,
            random_state=0,
        )
        meaning = (
            "how much the log loss of the held-out rows\nrises if the column is "
            f"shuffled, mean ± standard deviation of {_N_SHUFFLES} times"
        )
    else:
        return None
    order = np.argsort(-found.importances_mean, kind="stable")
    return Importances(
        [data.columns.names[i] for i in order],
        found.importances_mean[order],
        found.importances_std[order],
        meaning,
    )


def print_scores(scores, best_params):
    """Print the scores, the most important columns and the parameters of a search."""
    if best_params:
        print("\nBest parameters:")
        for name, value in best_params.items():
            print(f"  {name} = {value:g}")
    print()
    for name, folds, held_out, baseline in [scores.header, *scores.table]:
        print(f"{name:<25}{folds:<20}{held_out:<16}{baseline}")
    if scores.interval is not None:
        print(f"\n{interval_sentence(scores)}")
    elif len(scores.classes) <= MAX_CLASSES:
        print("\nOn the held-out rows:")
        report = classification_report(scores.y, scores.predicted, zero_division=0)
        print(report.rstrip())
    if scores.importances is not None:
        print(f"\nMost important columns: {scores.importances.meaning}")
        for name, text in scores.importances.lines()[:_N_SHOWN]:
            print(f"  {name:<22} {text}")


def interval_sentence(scores):
    """Say how many held-out rows are in their interval, and how wide it is."""
    low, high = scores.interval.T
    inside = np.mean((low <= scores.y) & (scores.y <= high))
    return (
        f"{inside:.0%} of the held-out rows are in their prediction interval of "
        f"{COVERAGE:.0%},\nwhose width is {number(np.mean(high - low))} on average"
    )


def _spread(mean, std):
    """A mean and its standard deviation."""
    return f"{number(mean)} ± {number(std, 2)}"


def number(value, digits=4):
    """A number with a few digits, and with an exponent only where it needs one."""
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits}g}"
    return np.format_float_positional(
        value, precision=digits, fractional=False, trim="-"
    )
