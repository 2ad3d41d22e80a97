"""The options, and the checks for invalid options and for those without effect."""

import argparse
from functools import partial
from pathlib import Path

import joblib
from sklearn.model_selection import check_cv

from .. import BackpropMLPClassifier, __version__
from .._estimators.architecture import hidden_units, is_stochastic
from .._network.activations import ACTIVATIONS
from .._solvers import SOLVERS
from ..datasets._formats import CsvFormat
from .data import TABLE_ENDINGS, TEXT_ENDINGS, ending
from .report import check_report
from .saving import check_can_replace

_HEADERS = {"infer": "infer", "yes": True, "no": False}

_DESCRIPTION = """\
Train a multilayer perceptron on a data file, report how well it predicts rows that were
held out, save it, and predict new rows.

A table gets a TabularMLPClassifier or TabularMLPRegressor with default parameters, and
so does a regression. Classes and complete numbers in a .npz or .mat file get a grid
search of alpha (the L2 penalty) and the learning rate of a BackpropMLPClassifier in a
Pipeline with a StandardScaler; so do scikit-learn's digits, which the command takes
without --data. A table of classes and complete numbers gets it if an option of the grid
search is given.
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
_DEFAULTS = BackpropMLPClassifier().get_params()
_FILE, _NAME = {"type": Path, "metavar": "FILE"}, {"metavar": "NAME"}
_FLOATS = {"type": float, "nargs": "+"}
# The settings of the options, by their groups.
_OPTIONS = {
    "data": {
        "--data": _FILE,
        "--target": _NAME,
        "--drop": {"nargs": "+", "default": [], **_NAME},
        "--task": {"choices": ["classification", "regression"]},
        "--header": {"choices": list(_HEADERS), "default": "infer"},
        "--sep": {"metavar": "CHARACTER"},
        "--decimal": {"choices": [".", ","], "default": "."},
        "--encoding": {"default": "utf-8", **_NAME},
    },
    "model": {
        "--model": {"choices": ["tabular", "search"]},
        "--cv": {"type": int, "default": 5, "metavar": "K"},
        "--seed": {"type": int, "default": 0, "metavar": "S"},
        "--jobs": {"type": int, "metavar": "J"},
        "--save": _FILE,
        "--report": {"type": Path, "metavar": "DIR"},
    },
    "grid search": {
        "--solver": {"choices": sorted(SOLVERS), "default": _DEFAULTS["solver"]},
        "--hidden": {"type": int, "nargs": "*", "default": [25], "metavar": "UNITS"},
        "--activation": {
            "choices": sorted(ACTIVATIONS),
            "default": _DEFAULTS["activation"],
        },
        "--max-iter": {"type": int, "default": 50, "metavar": "N"},
        "--alpha": {**_FLOATS, "default": [0.01, 0.1, 1.0], "metavar": "A"},
        "--learning-rate": {
            **_FLOATS,
            "default": [0.001, 0.003, 0.01],
            "metavar": "R",
        },
    },
    "new rows": {"--load": _FILE, "--predict": _FILE, "--output": _FILE},
}
_HELP = {
    "--data": "a table as .csv or .tsv, also gzipped (.gz), or as .parquet; or .npz or "
    ".mat with X and y (default: scikit-learn's digits)",
    "--target": "the column of a table to predict (default: the last column); with "
    "--load the column of the new rows that has the true values, to score by",
    "--drop": "columns of a table to leave out, such as identifiers of the rows",
    "--task": "what to do with the target (default: regression for numbers that are "
    "not all whole or have more than 20 different values, else classification)",
    "--header": "whether the first row of a CSV or TSV file, also of new rows, has the "
    "names of the columns (default: infer, which refuses ambiguous files)",
    "--sep": "the character between the fields of a CSV or TSV file, such as ';' "
    "(default: a tab in .tsv, else a comma)",
    "--decimal": "the decimal point of the numbers in a CSV or TSV file; with a comma, "
    "points separate thousands (default: .)",
    "--encoding": "the encoding of a CSV or TSV file, such as cp1252 (default: utf-8)",
    "--model": "a TabularMLPClassifier or TabularMLPRegressor, or a grid search of a "
    "BackpropMLPClassifier (default: search for classes and complete numbers in .npz "
    "and .mat files, and with an option of the grid search, else tabular)",
    "--cv": "number of cross-validation folds (default: 5)",
    "--seed": "random seed (default: 0)",
    "--jobs": "cores (default: 2 for a search; for a TabularMLP* as many as shorten "
    "the fit)",
    "--save": "save the fitted model here; an existing file is replaced when the new "
    "file is complete",
    "--report": "write a report in this folder: index.html, and its pictures; this "
    "needs matplotlib",
    "--solver": "the solver (default: %(default)s)",
    "--hidden": "units of each hidden layer (default: 25)",
    "--activation": "activation of the hidden layers (default: %(default)s)",
    "--max-iter": "largest number of iterations or epochs (default: 50)",
    "--alpha": "penalties to search (default: 0.01 0.1 1)",
    "--learning-rate": "initial learning rates to search, for sgd and adam "
    "(default: 0.001 0.003 0.01)",
    "--load": "a model that --save wrote, instead of training one; only load files "
    "that you trust",
    "--predict": "a table of new rows to predict, with the columns of the training "
    "table; other columns are copied to the output",
    "--output": "where to write the predictions, as .csv or .csv.gz (default: "
    "NEW-predictions.csv for NEW.csv)",
}


# The options of CSV and TSV files, and those that have an effect beside --load.
_OF_CSV = ("--header", "--sep", "--decimal", "--encoding")
_WITH_LOAD = ("--load", "--predict", "--output", "--target", *_OF_CSV)


class _Recorded(argparse.Action):
    """Stores an option's value, and in `given` the name of the option."""

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, values)
        namespace.given = (*namespace.given, self.option_strings[0])


def csv_format_of(args):
    """The :class:`CsvFormat` of the data and of the new rows."""
    # Shells write a tab in different ways.
    sep = "\t" if args.sep == "\\t" else args.sep
    return CsvFormat(_HEADERS[args.header], sep, args.decimal, args.encoding)


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
    for title, options in _OPTIONS.items():
        group = parser.add_argument_group(title)
        for name, settings in options.items():
            group.add_argument(name, action=_Recorded, help=_HELP[name], **settings)
    return parser


def check_options(args):
    """Raise ValueError for invalid options and for options without effect."""
    _check_effects(args)
    checks = [
        ("--hidden", partial(hidden_units, args.hidden)),
        ("--max-iter", _validation("max_iter", args.max_iter)),
        ("--seed", _validation("random_state", args.seed)),
        *(("--alpha", _validation("alpha", alpha)) for alpha in args.alpha),
        *(
            ("--learning-rate", _validation("learning_rate_init", rate))
            for rate in args.learning_rate
        ),
        ("--cv", partial(check_cv, args.cv)),
        ("--jobs", partial(joblib.effective_n_jobs, args.jobs)),
    ]
    # argparse has checked the header and the decimal point.
    checks.append(("--sep", CsvFormat(sep=csv_format_of(args).sep).check))
    checks.append(("--encoding", CsvFormat(encoding=args.encoding).check))
    if args.predict:
        checks.append(("--predict", partial(_check_table, args.predict)))
        name = args.predict.name[: -len(ending(args.predict) or "")]
        default = args.predict.with_name(f"{name}-predictions.csv")
        args.output = args.output or default
        checks.append(("--output", partial(check_can_replace, args.output)))
        checks.append(("--output", partial(_check_output, args)))
    if args.report:
        checks.append(("--report", partial(check_report, args.report)))
    if args.save:
        checks.append(("--save", partial(check_can_replace, args.save)))
        checks.append(("--save", partial(_check_save, args)))
    for option, check in checks:
        try:
            check()
        except ValueError as error:
            raise ValueError(f"{option}: {error}") from error


def _validation(name, value):
    return BackpropMLPClassifier(**{name: value})._validate_params


def _check_effects(args):
    for option in args.given:
        if args.load and option not in _WITH_LOAD:
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
    needed = dict.fromkeys(_OF_CSV, TEXT_ENDINGS)
    if args.predict and ending(args.predict) in TEXT_ENDINGS:
        needed = {}
    needed |= dict.fromkeys(["--target", "--drop"], TABLE_ENDINGS)
    if args.load:
        del needed["--target"]
    for option, endings in needed.items():
        if option in args.given and kind is not None and kind not in endings:
            what = f"on {args.data}" if args.data else "without --data"
            raise ValueError(
                f"{option} has no effect {what}; it needs a file that ends in "
                f"{', '.join(endings)}."
            )


def has_search_options(args):
    """Whether an option of the grid search was given."""
    return any(option in _OPTIONS["grid search"] for option in args.given)


def check_model_options(args, model):
    """Raise ValueError for options that have no effect on the chosen model."""
    for option in args.given:
        if option in _OPTIONS["grid search"] and not model.is_search:
            remedy = "Leave out --model tabular, or this option"
            if model.no_search is not None:
                remedy = (
                    "Leave it out; a grid search takes classes and complete numbers, "
                    f"but {model.no_search}"
                )
            raise ValueError(f"{option} has no effect on a {model.name}. {remedy}.")
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
    _refuse_data(path, args)


def _check_save(args):
    path = args.save
    if ending(path) is not None:
        raise ValueError(
            f"{path}: a model does not end in {ending(path)}, as data does. Choose "
            "another name, such as model.joblib."
        )
    if args.report and path.resolve() == args.report.resolve():
        raise ValueError(f"{path} is the folder of --report. Choose another name.")
    _refuse_data(path, args)


def _refuse_data(path, args):
    if path.resolve() in [p.resolve() for p in (args.data, args.predict) if p]:
        raise ValueError(f"{path} has the data. Choose another name.")
