"""The main job: from a data file to a searched, scored and saved network.

python -m skmlp_backprop --help
"""

import argparse
import os
import shutil
import sys
import tempfile
import uuid
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import classification_report, log_loss
from sklearn.model_selection import check_cv, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from . import (
    BackpropMLPClassifier,
    StackedGridSearchCV,
    TabularMLPClassifier,
    check_gradient,
)
from ._estimators.architecture import hidden_units
from ._network.activations import ACTIVATIONS
from ._solvers import SOLVERS, is_stochastic
from .datasets import read_mat, read_npz
from .datasets._tables import read_table

_READERS = {".mat": read_mat, ".npz": read_npz}
_HEADERS = {"infer": "infer", "yes": True, "no": False}
_CHECKED_ROWS = 20
# As of a process that is killed by SIGINT.
_INTERRUPTED = 130

_DESCRIPTION = """\
Train a multilayer perceptron on a data set: hold a fifth of the rows out, search
alpha (the lambda of the L2 penalty) and the learning rate by cross-validation on the
rest in a Pipeline with a StandardScaler, and report on the held-out rows. Without
arguments it takes scikit-learn's bundled digits. To data with categories or missing
values it fits a TabularMLPClassifier, which needs no search.
"""
_EPILOG = """\
examples:
  python -m skmlp_backprop
  python -m skmlp_backprop --data ex4data1.mat --solver lbfgs --activation logistic
  python -m skmlp_backprop --data flowers.csv --hidden 50 20 --alpha 0.1 1 10
  python -m skmlp_backprop --save digits.joblib
    then in Python: joblib.load("digits.joblib").predict(X)
"""


def make_parser():
    """The command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m skmlp_backprop",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_data_options(parser.add_argument)
    _add_network_options(parser.add_argument)
    _add_search_options(parser.add_argument)
    return parser


def _add_data_options(add):
    add(
        "--data",
        type=Path,
        metavar="FILE",
        help="a MATLAB file with X and y, a CSV file with the label in the last "
        "column, or an npz file with X and y (default: scikit-learn's digits)",
    )
    add(
        "--header",
        choices=list(_HEADERS),
        default="infer",
        help="whether the first row of a CSV file has the names of the columns "
        "(default: infer, which refuses what is not clear)",
    )
    add(
        "--save",
        type=Path,
        metavar="FILE",
        help="keep the fitted Pipeline here, for joblib.load; a file that is there is "
        "replaced once the new one is whole",
    )


def _add_network_options(add):
    defaults = BackpropMLPClassifier()
    add(
        "--solver",
        choices=sorted(SOLVERS),
        default=defaults.solver,
        help="the solver (default: %(default)s)",
    )
    add(
        "--hidden",
        type=int,
        nargs="*",
        default=[25],
        metavar="UNITS",
        help="units of each hidden layer (default: 25)",
    )
    add(
        "--activation",
        choices=sorted(ACTIVATIONS),
        default=defaults.activation,
        help="activation of the hidden layers (default: %(default)s)",
    )
    add(
        "--max-iter",
        type=int,
        default=50,
        metavar="N",
        help="cap on iterations or epochs (default: 50)",
    )
    add("--seed", type=int, default=0, metavar="S", help="random seed (default: 0)")


def _add_search_options(add):
    add(
        "--alpha",
        type=float,
        nargs="+",
        default=[0.01, 0.1, 1.0],
        metavar="A",
        help="penalties to search (default: 0.01 0.1 1)",
    )
    add(
        "--learning-rate",
        type=float,
        nargs="+",
        default=[0.001, 0.003, 0.01],
        metavar="R",
        help="initial learning rates to search, for sgd and adam "
        "(default: 0.001 0.003 0.01)",
    )
    add("--cv", type=int, default=5, metavar="K", help="number of folds (default: 5)")
    add("--jobs", type=int, default=2, metavar="J", help="processes (default: 2)")


def load(path, header="infer"):
    """Samples and labels of a data file; of the bundled digits for None.

    Of a CSV file it prints what was taken for a header, and for categories.
    """
    if path is None:
        return load_digits(return_X_y=True)
    suffix = path.suffix.lower()
    if suffix in _READERS:
        return _READERS[suffix](path)
    if suffix != ".csv":
        expected = ", ".join([".mat", ".csv", ".npz"])
        raise ValueError(f"{path}: expected a file that ends in {expected}.")
    X, y, has_header, _, codes = read_table(path, _HEADERS[header], mixed=True)
    if has_header:
        print(f"The first row is taken as a header: {_listed(list(X))}.")
    else:
        print("No header: the first row is taken as data.")
    categories = [] if isinstance(X, np.ndarray) else list(X.select_dtypes("category"))
    if categories:
        print(f"Categories: {_listed(categories)}; all other features are numbers.")
    if codes:
        print(f"Numbers among them are taken as codes: {_listed(codes)}.")
    return X, y


def _listed(names):
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown}, ... ({len(names)} in all)"


def make_search(args):
    """The grid search that the arguments describe."""
    mlp = BackpropMLPClassifier(
        hidden_layer_sizes=tuple(args.hidden),
        activation=args.activation,
        solver=args.solver,
        max_iter=args.max_iter,
        random_state=args.seed,
    )
    grid = {"mlp__alpha": args.alpha}
    if is_stochastic(args.solver):
        grid["mlp__learning_rate_init"] = args.learning_rate
    pipeline = Pipeline([("scaler", StandardScaler()), ("mlp", mlp)])
    return StackedGridSearchCV(pipeline, grid, cv=args.cv, n_jobs=args.jobs, verbose=2)


def main(arguments=None):
    """Run the main job; return the process's exit code."""
    args = make_parser().parse_args(arguments)
    # A search stops many candidates at --max-iter; that is what it is for.
    warnings.simplefilter("ignore", ConvergenceWarning)
    try:
        check_arguments(args)
        X, y = load(args.data, args.header)
        if is_mixed(X):
            check_labels(y)
            run_on_table(args, X, y)
        else:
            check_data(X, y)
            run(args, X, y)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def check_arguments(args):
    """Refuse what can't be, before any work.

    Raises
    ------
    ValueError
        If a parameter has no valid value, or nothing can be saved where it should be;
        names the option.
    """
    options = {
        "--hidden": [lambda: hidden_units(args.hidden)],
        "--max-iter": [_validation("max_iter", args.max_iter)],
        "--seed": [_validation("random_state", args.seed)],
        "--alpha": [_validation("alpha", value) for value in args.alpha],
        "--learning-rate": [
            _validation("learning_rate_init", value) for value in args.learning_rate
        ],
        "--cv": [lambda: check_cv(args.cv)],
        "--jobs": [lambda: joblib.effective_n_jobs(args.jobs)],
    }
    if args.save is not None:
        options["--save"] = [lambda: check_can_replace(args.save)]
    for option, validations in options.items():
        for validate in validations:
            try:
                validate()
            except ValueError as error:
                raise ValueError(f"{option}: {error}") from error


def _validation(name, value):
    return BackpropMLPClassifier(**{name: value})._validate_params


def is_mixed(X):
    """Whether samples are a table with categories or missing values."""
    if isinstance(X, np.ndarray):
        return X.dtype.kind == "f" and bool(np.isnan(X).any())
    has_categories = X.select_dtypes("category").shape[1] > 0
    return has_categories or bool(X.isna().to_numpy().any())


def check_data(X, y):
    """Refuse data that would only fail after minutes, or a hundred times over.

    Raises
    ------
    ValueError
        If a value is infinite, or the labels are not fit for it.
    """
    infinite = np.argwhere(~np.isfinite(np.asarray(X)))
    if len(infinite):
        row, column = infinite[0] + 1
        raise ValueError(
            f"{len(infinite)} values are not finite, the first in row {row}, column "
            f"{column}. Replace them by numbers, or leave the fields empty."
        )
    check_labels(y)


def check_labels(y):
    """Refuse labels that there is nothing to learn of.

    Raises
    ------
    ValueError
        If there is one class, or a class too small.
    """
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"All labels are {classes[0]!s}: there is nothing to learn.")
    if counts.min() < 2:
        raise ValueError(
            f"The label {classes[counts.argmin()]!s} occurs once in {len(y)} rows; a "
            "class needs at least two. Is the label in the last column?"
        )


def check_folds(n_folds, y):
    """Refuse more folds than there are training rows of a class.

    Raises
    ------
    ValueError
        If there are.
    """
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() < n_folds:
        raise ValueError(
            f"--cv {n_folds}: there are less than {n_folds} training rows of the label "
            f"{classes[counts.argmin()]!s}, which has {counts.min()}."
        )


def hold_out(args, X, y):
    """Training and test rows of X, and of y."""
    return train_test_split(X, y, test_size=0.2, stratify=y, random_state=args.seed)


def report(model, X_test, y_test):
    """Print how well a fitted model predicts the held-out rows."""
    print("\nOn the held-out rows:")
    print(classification_report(y_test, model.predict(X_test), zero_division=0))


def run(args, X, y):
    """Search, save, report, check the gradient."""
    X_train, X_test, y_train, y_test = hold_out(args, X, y)
    print(
        f"{len(X)} rows, {X.shape[1]} features, {len(np.unique(y))} classes; "
        f"{len(X_test)} rows held out."
    )
    check_folds(args.cv, y_train)
    search = make_search(args).fit(X_train, y_train)
    if args.save is not None:
        save(search.best_estimator_, args.save)

    print("\nBest parameters:")
    for name, value in search.best_params_.items():
        print(f"  {name.removeprefix('mlp__')} = {value:g}")
    print(f"  mean accuracy over {args.cv} folds: {search.best_score_:.4f}")
    report(search, X_test, y_test)

    scaler, mlp = search.best_estimator_
    rows = scaler.transform(X_train[:_CHECKED_ROWS])
    print(check_gradient(mlp, rows, y_train[:_CHECKED_ROWS], random_state=args.seed))


def run_on_table(args, X, y):
    """Fit to a table with categories or missing values, save, report."""
    X_train, X_test, y_train, y_test = hold_out(args, X, y)
    is_missing = np.isnan(X) if isinstance(X, np.ndarray) else X.isna().to_numpy()
    print(
        f"{len(X)} rows, {X.shape[1]} columns, {is_missing.sum()} values "
        f"missing, {len(np.unique(y))} classes; {len(X_test)} rows held out.\n"
        "A table with categories or missing values: a TabularMLPClassifier, at its "
        "defaults."
    )
    model = TabularMLPClassifier(random_state=args.seed).fit(X_train, y_train)
    if args.save is not None:
        save(model, args.save)
    report(model, X_test, y_test)
    loss = log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)
    print(f"log loss = {loss:.4f}")


def check_can_replace(path):
    """Check that a file can be written, as far as that is known before it is.

    Parameters
    ----------
    path : Path
        The file; it may exist or not.

    Raises
    ------
    ValueError
        If the path is not a regular file, the file is write-protected, or its folder
        can't be written to.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
        raise ValueError(f"{path} is not a regular file, or it is write-protected.")
    try:
        # What permissions say does not hold for every user and file system.
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"can't write to the folder {target.parent}: {error.strerror}."
        ) from error


def replace_file(path, write):
    """Write a file beside the given one, and replace that once the new one is whole.

    It has the permissions of the file it replaces, or else of any new file.

    Parameters
    ----------
    path : Path
        The file; the file that it links to, if it is a link.

    write : callable
        Takes the path to write to, which ends as `path` does.

    Raises
    ------
    OSError
        If it can't be written. The earlier file stays.
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        beside.touch(exist_ok=False)
        if target.exists():
            shutil.copymode(target, beside)
        write(beside)
        with open(beside, "ab") as file:
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def save(model, path):
    """Keep a model in a file.

    Raises
    ------
    OSError
        If it can't be written; names the option.
    """
    try:
        replace_file(path, lambda beside: joblib.dump(model, beside))
    except OSError as error:
        raise OSError(
            f"--save {path}: {error.strerror}; what was there before is untouched."
        ) from error
    print(f"\nSaved to {path}.")


if __name__ == "__main__":
    sys.exit(main())
