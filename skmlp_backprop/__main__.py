"""The main job: from a data file to a searched, scored and saved network.

python -m skmlp_backprop --help
"""

import argparse
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from . import BackpropMLPClassifier, StackedGridSearchCV, check_gradient
from ._network.activations import ACTIVATIONS
from ._solvers import SOLVERS, STOCHASTIC_SOLVERS
from .datasets import read_csv, read_mat, read_npz

_READERS = {".mat": read_mat, ".csv": read_csv, ".npz": read_npz}
_CHECKED_ROWS = 20

_DESCRIPTION = """\
Train a multilayer perceptron on a data set: hold a fifth of the rows out, search
alpha (the lambda of the L2 penalty) and the learning rate by cross-validation on the
rest in a Pipeline with a StandardScaler, and report on the held-out rows. Without
arguments it takes scikit-learn's bundled digits.
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
        "--save",
        type=Path,
        metavar="FILE",
        help="keep the fitted Pipeline here, for joblib.load",
    )


def _add_network_options(add):
    add(
        "--solver",
        choices=sorted(SOLVERS),
        default="adam",
        help="the solver (default: adam)",
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
        default="tanh",
        help="activation of the hidden layers (default: tanh)",
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


def load(path):
    """Samples and labels of a data file; of the bundled digits for None."""
    if path is None:
        return load_digits(return_X_y=True)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: expected a file that ends in {', '.join(_READERS)}.")
    return reader(path)


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
    if args.solver in STOCHASTIC_SOLVERS:
        grid["mlp__learning_rate_init"] = args.learning_rate
    pipeline = Pipeline([("scaler", StandardScaler()), ("mlp", mlp)])
    return StackedGridSearchCV(pipeline, grid, cv=args.cv, n_jobs=args.jobs, verbose=2)


def main(arguments=None):
    """Run the main job; return the process's exit code."""
    args = make_parser().parse_args(arguments)
    # A search stops many candidates at --max-iter; that is what it is for.
    warnings.simplefilter("ignore", ConvergenceWarning)
    try:
        X, y = load(args.data)
        X, y = np.asarray(X), np.asarray(y)
        check(args, X, y)
        run(args, X, y)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def check(args, X, y):
    """Refuse what would only fail after minutes, or a hundred times over.

    Raises
    ------
    ValueError
        If a value is missing, a class too small, or there is no folder to save in.
    """
    if args.save is not None and not args.save.parent.is_dir():
        raise ValueError(f"--save {args.save}: there is no folder {args.save.parent}.")
    missing = np.argwhere(~np.isfinite(X))
    if len(missing):
        row, column = missing[0] + 1
        raise ValueError(
            f"{len(missing)} values are missing or not finite, the first in row {row}, "
            f"column {column}. Remove these rows, or fill them in Python by a "
            "SimpleImputer before the scaler."
        )
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"All labels are {classes[0]!r}: there is nothing to learn.")
    if counts.min() < 2:
        raise ValueError(
            f"The label {classes[counts.argmin()]!r} occurs once in {len(y)} rows; a "
            "class needs at least two. Is the label in the last column?"
        )


def run(args, X, y):
    """Search, report, check the gradient, save."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=args.seed
    )
    print(
        f"{len(X)} rows, {X.shape[1]} features, {len(np.unique(y))} classes; "
        f"{len(X_test)} rows held out."
    )
    search = make_search(args).fit(X_train, y_train)

    print("\nBest parameters:")
    for name, value in search.best_params_.items():
        print(f"  {name.removeprefix('mlp__')} = {value:g}")
    print(f"  mean accuracy over {args.cv} folds: {search.best_score_:.4f}")
    print("\nOn the held-out rows:")
    print(classification_report(y_test, search.predict(X_test), zero_division=0))

    scaler, mlp = search.best_estimator_
    rows = scaler.transform(X_train[:_CHECKED_ROWS])
    print(check_gradient(mlp, rows, y_train[:_CHECKED_ROWS], random_state=args.seed))
    if args.save is not None:
        joblib.dump(search.best_estimator_, args.save)
        print(f"\nSaved to {args.save}.")


if __name__ == "__main__":
    sys.exit(main())
