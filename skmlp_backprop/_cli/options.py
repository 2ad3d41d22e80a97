"""The options, and which of them have an effect."""

import argparse
from pathlib import Path

import joblib
from sklearn.model_selection import check_cv

from .. import BackpropMLPClassifier, __version__
from .._estimators.architecture import hidden_units
from .._network.activations import ACTIVATIONS
from .._solvers import SOLVERS, is_stochastic
from .data import TABLE_ENDINGS, TEXT_ENDINGS, ending
from .report import check_report
from .saving import check_can_replace

HEADERS = {"infer": "infer", "yes": True, "no": False}

_DESCRIPTION = """\
Train a multilayer perceptron on a data file, report how well it predicts rows that were
held out, save it, and predict new rows.

A table with categories or missing values, or a target of numbers, gets a
TabularMLPClassifier or TabularMLPRegressor at its defaults. For classes and complete
numbers, a grid search finds alpha (the lambda of the L2 penalty) and the learning rate
of a BackpropMLPClassifier in a Pipeline with a StandardScaler. Without --data it takes
scikit-learn's bundled digits.
"""
_EPILOG = """\
examples:
  python -m skmlp_backprop
  python -m skmlp_backprop --data flowers.csv --target kind --save flowers.joblib
  python -m skmlp_backprop --data flowers.csv --target kind --report flowers-report
  python -m skmlp_backprop --load flowers.joblib --predict new.csv --output kinds.csv
  python -m skmlp_backprop --data ex4data1.mat --solver lbfgs --activation logistic
  python -m skmlp_backprop --data pixels.csv --hidden 50 20 --alpha 0.1 1 10

In Python, joblib.load("flowers.joblib") is the fitted model.
"""
# What has an effect on a table's model beside a search's.
_SEARCH_OPTIONS = (
    "--solver",
    "--hidden",
    "--activation",
    "--max-iter",
    "--alpha",
    "--learning-rate",
)


class _Recorded(argparse.Action):
    """Stores an option's value, and in `given` that there was one."""

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, values)
        namespace.given = (*namespace.given, self.option_strings[0])


def make_parser():
    """The command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m skmlp_backprop",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(given=())
    for title, add_options in {
        "data": _add_data_options,
        "model": _add_model_options,
        "grid search": _add_search_options,
        "new rows": _add_prediction_options,
    }.items():
        group = parser.add_argument_group(title)
        add_options(
            lambda *names, group=group, **more: group.add_argument(
                *names, action=_Recorded, **more
            )
        )
    return parser


def _add_data_options(add):
    add(
        "--data",
        type=Path,
        metavar="FILE",
        help="a table as .csv or .tsv, also gzipped (.gz), or as .parquet; or .npz or "
        ".mat with X and y (default: scikit-learn's digits)",
    )
    add(
        "--target",
        metavar="NAME",
        help="the column of a table to predict (default: the last column)",
    )
    add(
        "--drop",
        nargs="+",
        default=[],
        metavar="NAME",
        help="columns of a table to leave out, such as identifiers of the rows",
    )
    add(
        "--task",
        choices=["classification", "regression"],
        help="what to do with the target (default: regression for numbers that are "
        "not whole or of more than 20 values, else classification)",
    )
    add(
        "--header",
        choices=list(HEADERS),
        default="infer",
        help="whether the first row of a CSV or TSV file, also of new rows, has the "
        "names of the columns (default: infer, which refuses what is not clear)",
    )


def _add_model_options(add):
    add(
        "--model",
        choices=["tabular", "search"],
        help="a TabularMLPClassifier or TabularMLPRegressor, or a grid search of a "
        "BackpropMLPClassifier (default: search for classes and complete numbers)",
    )
    add(
        "--cv",
        type=int,
        default=5,
        metavar="K",
        help="number of cross-validation folds (default: 5)",
    )
    add("--seed", type=int, default=0, metavar="S", help="random seed (default: 0)")
    add(
        "--jobs",
        type=int,
        metavar="J",
        help="cores (default: 2 for a search; for a TabularMLP* as many as pay)",
    )
    add(
        "--save",
        type=Path,
        metavar="FILE",
        help="save the fitted model here; a file that exists is replaced once the new "
        "one is whole",
    )
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="write a report in this folder: index.html, and its pictures; this needs "
        "matplotlib",
    )


def _add_search_options(add):
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


def _add_prediction_options(add):
    add(
        "--load",
        type=Path,
        metavar="FILE",
        help="a model that --save wrote, instead of training one; only load files that "
        "you trust",
    )
    add(
        "--predict",
        type=Path,
        metavar="FILE",
        help="a table of new rows to predict, with the columns of the training table; "
        "other columns are copied to the output",
    )
    add(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write the predictions, as .csv or .csv.gz (default: "
        "NEW-predictions.csv for NEW.csv)",
    )


def check_options(args):
    """Refuse invalid options before any work, and options that have no effect.

    Raises
    ------
    ValueError
        The message names the option.
    """
    _check_effects(args)
    validations = {
        "--hidden": [lambda: hidden_units(args.hidden)],
        "--max-iter": [_validation("max_iter", args.max_iter)],
        "--seed": [_validation("random_state", args.seed)],
        "--alpha": [_validation("alpha", value) for value in args.alpha],
        "--learning-rate": [
            _validation("learning_rate_init", value) for value in args.learning_rate
        ],
        "--cv": [lambda: check_cv(args.cv)],
        "--jobs": [lambda: joblib.effective_n_jobs(args.jobs)],
        "--predict": [lambda: _check_table(args.predict)] if args.predict else [],
        "--report": [lambda: check_report(args.report)] if args.report else [],
    }
    if args.predict and not args.output:
        name = args.predict.name[: -len(ending(args.predict) or "")]
        args.output = args.predict.with_name(f"{name}-predictions.csv")
    for option, path in [("--save", args.save), ("--output", args.output)]:
        if path is not None:
            validations[option] = [lambda path=path: check_can_replace(path)]
    if args.output:
        validations["--output"].append(lambda: _check_output(args))
    for option, checks in validations.items():
        for check in checks:
            try:
                check()
            except ValueError as error:
                raise ValueError(f"{option}: {error}") from error


def _validation(name, value):
    return BackpropMLPClassifier(**{name: value})._validate_params


def _check_effects(args):
    for option in args.given:
        if args.load and option not in ("--load", "--predict", "--output", "--header"):
            raise ValueError(
                f"{option} has no effect with --load, which takes a fitted model. "
                "Leave one of them out."
            )
    if args.load and not args.predict:
        raise ValueError(
            "--load has no effect without --predict, which names the file of new rows."
        )
    if args.report and args.predict:
        raise ValueError(
            "--report has no effect with --predict, as a report is of the training. "
            "Leave one of them out; --save the model to predict by --load afterwards."
        )
    if args.output and not args.predict:
        raise ValueError("--output has no effect without --predict.")
    kind = ending(args.data) if args.data else ""
    needed = {"--header": TEXT_ENDINGS}
    needed |= dict.fromkeys(["--target", "--drop"], TABLE_ENDINGS)
    if args.predict and ending(args.predict) in TEXT_ENDINGS:
        del needed["--header"]
    for option, endings in needed.items():
        if option in args.given and kind is not None and kind not in endings:
            what = f"on {args.data}" if args.data else "without --data"
            raise ValueError(
                f"{option} has no effect {what}; it needs a file that ends in "
                f"{', '.join(endings)}."
            )


def check_model_options(args, model_name, is_search):
    """Refuse options that have no effect on the model that was chosen.

    Raises
    ------
    ValueError
        The message names the option.
    """
    for option in args.given:
        if option in _SEARCH_OPTIONS and not is_search:
            raise ValueError(
                f"{option} has no effect on a {model_name}, which needs no search. "
                "Leave it out; --model search, for classes and complete numbers, "
                "takes it."
            )
        if option == "--learning-rate" and not is_stochastic(args.solver):
            raise ValueError(
                f"{option} has no effect on the solver {args.solver}. Leave it out, or "
                "choose --solver adam or sgd."
            )


def _check_table(path):
    if ending(path) not in TABLE_ENDINGS:
        raise ValueError(
            f"{path}: expected a table that ends in {', '.join(TABLE_ENDINGS)}."
        )
    with open(path, "rb"):
        pass


def _check_output(args):
    path = args.output
    if ending(path) not in (".csv", ".csv.gz"):
        raise ValueError(f"{path}: expected a name that ends in .csv or .csv.gz.")
    if path.resolve() in [p.resolve() for p in (args.data, args.predict) if p]:
        raise ValueError(f"{path} has the data. Choose another name.")
