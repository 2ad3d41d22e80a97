"""The command line: from a data file to a trained, scored and saved network.

python -m skmlp_backprop --help
"""

import sys
import warnings

import joblib
import numpy as np

from . import check_gradient
from ._cli import predicting, training
from ._cli.data import load, load_rows, with_names
from ._cli.options import (
    check_model_options,
    check_options,
    csv_format_of,
    make_parser,
)
from ._cli.report import PAGE, write_report
from ._cli.saving import replace_file
from ._cli.scores import print_scores, print_scores_of_rows, read_targets, score
from ._network.warning import warn

_CHECKED_ROWS = 20
# The exit code of a process that SIGINT kills.
_INTERRUPTED = 130


def main(arguments=None):
    """Run the command line; return the process's exit code."""
    for stream in (sys.stdout, sys.stderr):
        # The encoding of a console may lack characters of the output, such as "±".
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    args = make_parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _warning_printer()
            check_options(args)
            if args.load:
                model = predicting.load_model(args.load)
                columns = predicting.columns_of(model)
                csv_format = csv_format_of(args)
                new = load_rows(args.predict, *columns, csv_format)
                y = None
                if args.target is not None:
                    classes = predicting.classes_of(model)
                    y = read_targets(new[1], args.target, classes, csv_format)
                predicting.predict(model, args.predict, *new, args.output)
                if y is not None:
                    print_scores_of_rows(model, new[0], y)
            else:
                run(args)
    except (ValueError, OSError, ImportError) as error:
        is_missing = isinstance(error, FileNotFoundError) and error.filename is not None
        message = f"{error.filename}: there is no such file" if is_missing else error
        print(f"error: {with_names(str(message))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def run(args):
    """Train, save, report, predict."""
    csv_format = csv_format_of(args)
    data = load(args.data, csv_format, args.target, args.drop, args.task)
    model = training.choose_model(args, data)
    check_model_options(args, model)
    if args.predict is not None:
        names = data.columns.names if hasattr(data.X, "columns") else None
        new = load_rows(args.predict, names, data.columns.kinds, csv_format)
        # Before the training, whose model an error would lose.
        classes = () if data.is_regression else np.unique(data.y)
        predicting.output_names(new[1], 1, classes, data.is_regression)
        y_new = None
        if data.target in new[1]:
            labels = None if data.is_regression else classes
            try:
                y_new = read_targets(new[1], data.target, labels, csv_format)
            except ValueError as error:
                warn(f"There will be no scores of the new rows. {error}")
        if model.is_search:
            predicting.refuse_gaps(args.predict, new[0])
    X_train, X_test, y_train, y_test = training.hold_out(data, args.seed)
    training.check_folds(model, y_train, data)
    recognised = training.describe(data, model, X_train, y_train, args)
    with warnings.catch_warnings():
        # `describe` has already printed these warnings, as notes.
        noted = "Column |Input y "
        warnings.filterwarnings("ignore", noted, UserWarning)
        fitted, fold_scores = training.train(model, X_train, y_train)
        # A saved model keeps only the importances, so they are computed before.
        scores = score(data, fitted, fold_scores, X_test, y_train, y_test)
        if args.save is not None:
            replace_file("--save", args.save, lambda path: joblib.dump(fitted, path))
            print(f"Saved to {args.save}.")
        print_scores(scores, model.best_params)
    if model.is_search:
        scaler, network = fitted
        rows_checked = scaler.transform(X_train[:_CHECKED_ROWS])
        y_checked = y_train[:_CHECKED_ROWS]
        check = check_gradient(network, rows_checked, y_checked, random_state=args.seed)
        print(f"\n{check}")
    if args.report is not None:
        recognised["Random seed"] = str(args.seed)
        write_report(args.report, recognised, data, scores, fitted, model.best_params)
        print(f"\nThe report is in {args.report / PAGE}.")
    if args.predict is not None:
        print()
        predicting.predict(fitted, args.predict, *new, args.output)
        if y_new is not None:
            print_scores_of_rows(fitted, new[0], y_new)


def _warning_printer():
    """A function that prints each warning once.

    `predict` and `predict_proba` give the same warnings.
    """
    printed = set()

    def print_warning(message, *_, **__):
        if str(message) not in printed:
            printed.add(str(message))
            # Without a remedy that is no option of the command.
            text = str(message).partition(" Otherwise change `learning_rate_init`")[0]
            print(f"warning: {with_names(text)}", file=sys.stderr)

    return print_warning


if __name__ == "__main__":
    sys.exit(main())
