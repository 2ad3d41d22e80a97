"""What README and guide quote of the benchmarks: python -m benchmarks.quoted [--check].

Writes the figures of benchmarks/results into the sentences below, wherever these are
wrapped, and the tables that the docs include. With --check it writes nothing, says what
differs and exits with 1. It needs the standard library alone.
"""

import csv
import re
import sys
from difflib import unified_diff
from pathlib import Path

from ._results import OUTPUT, machine_of, read
from ._tables import all_tables

ROOT = Path(__file__).parents[1]
README = "README.md"
TABLES = "doc/guide/tables.rst"
THREADS = "doc/guide/threads_and_memory.rst"
BENCHMARKS = "doc/guide/benchmarks.rst"
DETAILS = "doc/guide/benchmarks_developers.rst"
DEFAULTS = "doc/guide/defaults.rst"
# Contenders that were measured on one fold of some tables.
SLOW = ("RealMLP-TD-S", "TabM-D")
# The contenders on tables, in the words of the guide.
CONTENDERS = {
    "TabularMLP": "TabularMLPClassifier, TabularMLPRegressor",
    "HistGradientBoosting": "HistGradientBoosting",
    "HistGradientBoosting, early stopping": "HistGradientBoosting with early stopping",
    "HistGradientBoosting, best of 20": (
        "HistGradientBoosting, the best of 20 candidates"
    ),
    "CatBoost": "CatBoost",
    "LightGBM-TD": "LightGBM with tuned defaults",
    "RandomForest": "RandomForest",
    "MLP": "MLPClassifier, MLPRegressor",
}


def quotes():
    """All (path, text, figures); in a text a {} or {machine} is each one's place."""
    rows = [*_searches(), *_full_batches(), *_minibatches(), *_single_passes()]
    return [
        *_machines(),
        *((README, f"| {text} |", figures) for text, figures in rows),
        *_tables(),
        *_speed(),
        *_steps(),
        *_development_tables(),
        *_other_sentences(),
    ]


def _machines():
    main = "search", "full_batch", "minibatch", "scaling", "objective", "prediction"
    return [
        (README, "On {machine}:", [machine_of(*main)]),
        (README, "For the regressor, on {machine}:", [machine_of("regressor")]),
        (
            BENCHMARKS,
            "measured on {machine}.",
            [machine_of(*main, "regressor", "report", "large_tables", "intervals")],
        ),
    ]


# Rows of the README's tables.


def _searches():
    def figures(case):
        return [
            times(read("search")[f"{case} {solver}"]["x MLPClassifier"])
            for solver in ("sgd", "adam")
        ]

    return [
        (
            "grid search, 5 x 4, 5-fold, digits, 25 units, batch 32, 2 processes, "
            "float32, SGD; Adam | GridSearchCV(MLPClassifier) | {}; {}",
            figures("digits float32 batch 32 units 25"),
        ),
        (
            "the same in float64 | GridSearchCV(MLPClassifier) | {}; {}",
            figures("digits float64 batch 32 units 25"),
        ),
        (
            "grid search, digits, 100 units, batch 200, float64 | "
            "GridSearchCV(MLPClassifier) | {}; {}",
            figures("digits float64 batch 200 units 100"),
        ),
        (
            "the same on 5000 MNIST rows, 25 units, batch 200, float32 | "
            "GridSearchCV(MLPClassifier) | {}; {}",
            figures("mnist float32 batch 200 units 25"),
        ),
        (
            "the same on MNIST in float64 | GridSearchCV(MLPClassifier) | {}; {}",
            figures("mnist float64 batch 200 units 25"),
        ),
    ]


def _full_batches():
    classifier, regressor = read("full_batch"), read("regressor")
    tnc, cg = classifier["tnc, 400 evaluations"], classifier["cg, 400 iterations"]
    squared_error = regressor["L-BFGS, 100 iterations, squared_error"]
    poisson = regressor["L-BFGS, 100 iterations, poisson"]
    return [
        (
            "L-BFGS, 400 iterations, the exercise's 400-25-10 | MLPClassifier | {}",
            [times(classifier["lbfgs, 400 iterations"]["x"])],
        ),
        (
            "truncated Newton, CG, the same | the textbook's NumPy under "
            "`scipy.optimize` | {}; {}",
            [times(tnc["x"]), times(cg["x"])],
        ),
        (
            "L-BFGS, 100 iterations, squared error; Poisson | MLPRegressor | {}; {}",
            [times(squared_error["x"]), times(poisson["x"])],
        ),
    ]


def _minibatches():
    def mean(what):
        return [times(read("minibatch")[f"geometric mean, {what}"]["x"])]

    return [
        (
            "minibatch steps on digits, geometric mean of 16 settings | MLPClassifier "
            "| {}",
            mean("digits, over MLPClassifier"),
        ),
        (
            "minibatch steps on MNIST, geometric mean of 16 settings | MLPClassifier "
            "| {}",
            mean("mnist, over MLPClassifier"),
        ),
        (
            "minibatch steps, geometric mean of all 32 | a plain PyTorch loop | {}",
            mean("all, over torch"),
        ),
        (
            "an epoch of Adam on 1,000,000 rows | MLPClassifier | {}",
            [times(read("scaling")["1000000 rows"]["x"])],
        ),
        (
            "minibatch steps, geometric mean of 16 settings | MLPRegressor | {}",
            [times(read("regressor")["geometric mean"]["x"])],
        ),
    ]


def _single_passes():
    def torch(network):
        rows = [read("objective")[f"{network} {t}"] for t in ("float64", "float32")]
        return [times(1 / row["of torch"]) for row in rows]

    def prediction(rows):
        table = read("prediction")
        types = ("float64", "float32")
        return [times(table[f"{rows}, dense {t}"]["x"]) for t in types]

    return [
        (
            "loss and gradient, MNIST, 100 units, float64; float32 | PyTorch's forward "
            "and backward | {}; {}",
            torch("mnist 784-100-10"),
        ),
        (
            "loss and gradient, the exercise's network, float64; float32 | PyTorch's "
            "forward and backward | {}; {}",
            torch("ex4data1 400-25-10"),
        ),
        (
            "`predict_proba`, 60000 x 784, float64; float32 | MLPClassifier | {}; {}",
            prediction("60000 rows"),
        ),
        (
            "`predict_proba`, one row, float64; float32 | MLPClassifier | {}; {}",
            prediction("one row"),
        ),
    ]


def times(ratio):
    """How many times as fast, with a digit more below 1."""
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


# Sentences of the guide, and of the README around its tables.


def _tables():
    """The rows of the guide about the estimators of tables."""
    wins = {
        f"{what}, beside {peer}": f"{row['tables where ours is better']:.0f}"
        for what, peer, row in _beside_peers()
    }
    metrics = "classification, log loss", "classification, accuracy", "regression, rmse"
    rows = [
        (
            f"* - {in_words} - {{}} of 12 - {{}} of 12 - {{}} of 6",
            [wins[f"{metric}, beside {peer}"] for metric in metrics],
        )
        for peer, in_words in CONTENDERS.items()
        if peer != "TabularMLP"
    ]
    seconds = [
        (
            f"* - {n_rows} rows, {n_columns} columns of numbers - {{}}",
            [_seconds(read("large_tables")[f"{n_rows} x {n_columns}, defaults"]["s"])],
        )
        for n_rows in ("1,000", "10,000", "100,000")
        for n_columns in (10, 50)
    ]
    beside_catboost = [
        f"{row['ratio']:.2g}"
        for what, row in read("large_tables").items()
        if what.startswith(("large tables over", "electricity", "InstEval"))
    ]
    intervals = read("intervals")["90% intervals, TabularMLPRegressor.predict_interval"]
    coverages = [f"{100 * intervals[name]:.1f}" for name in ("coverage", "lowest")]
    return [
        *((BENCHMARKS, text, figures) for text, figures in rows + seconds),
        *_useless_columns(),
        (
            BENCHMARKS,
            "The ratio was {} on ``electricity``, which has six columns of numbers, "
            "and {} on ``InstEval``, which has categories of thousands of levels; the "
            "geometric mean was {}.",
            beside_catboost,
        ),
        (
            BENCHMARKS,
            "contained {} % of the targets on average, and at least {} % on each "
            "of 10 tables",
            coverages,
        ),
        (
            TABLES,
            "smaller log loss than HistGradientBoosting on {} of 12 tables, a higher "
            "accuracy on {} of 12, and a smaller error on {} of 6 tables",
            [wins[f"{metric}, beside HistGradientBoosting"] for metric in metrics],
        ),
        *_out_of_bag(),
        (
            TABLES,
            "With 10,000 rows and 50 columns a fit takes {} seconds, with 100,000 rows "
            "{} seconds",
            [figures[0] for text, figures in seconds if "0,000 rows, 50" in text],
        ),
    ]


def _useless_columns():
    """The rows of the guide about tables with useless columns."""
    rows = read("useless_columns")
    for contender, in_words in CONTENDERS.items():
        if f"classification, {contender}" not in rows:
            continue
        of_classes = rows[f"classification, {contender}"]
        rmse = rows[f"regression, {contender}"]["mean rmse"]
        figures = of_classes["mean log_loss"], of_classes["mean accuracy"], rmse
        yield (
            BENCHMARKS,
            f"* - {in_words} - {{}} - {{}} - {{}}",
            [f"{figure:.3f}" for figure in figures],
        )


def _out_of_bag():
    """By how many per cent the out-of-bag losses differ from those of new rows."""
    rows = read("out_of_bag")

    def percent(what, other):
        return f"{100 * abs(rows[what][f'out of bag / {other}'] - 1):.1f}"

    log_loss, squares = (
        [percent(what, other) for other in ("one network", "all networks")]
        for what in ("log loss", "mean squared error")
    )
    return [
        (
            TABLES,
            "their log loss was {} % below the log loss of single networks on new "
            "rows, and {} % above the log loss of the ensemble",
            log_loss,
        ),
        (
            TABLES,
            "their mean squared error was {} % above that of single networks, and {} % "
            "above that of the ensemble",
            squares,
        ),
    ]


def _beside_peers():
    """What is compared, with which peer, and the figures."""
    for name, row in read("report").items():
        what, separator, peer = name.partition(", beside ")
        if separator:
            yield what, peer, row


def _seconds(seconds):
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"


def _speed():
    """The rows of the guide about speed: what, times as fast, as what."""
    search, prediction = read("search"), read("prediction")
    minibatch, regressor = read("minibatch"), read("regressor")
    classifier = "MLPClassifier"
    searched = f"GridSearchCV of {classifier}"
    rows = [
        (
            "grid search on the digits, batches of 32 rows, SGD, float32",
            search["digits float32 batch 32 units 25 sgd"]["x MLPClassifier"],
            searched,
        ),
        (
            "the same with Adam and float64",
            search["digits float64 batch 32 units 25 adam"]["x MLPClassifier"],
            searched,
        ),
        (
            "grid search on MNIST, batches of 200 rows, Adam, float64",
            search["mnist float64 batch 200 units 25 adam"]["x MLPClassifier"],
            searched,
        ),
        (
            "training with L-BFGS, 400 iterations",
            read("full_batch")["lbfgs, 400 iterations"]["x"],
            classifier,
        ),
        (
            "training with minibatches, digits, 16 settings",
            minibatch["geometric mean, digits, over MLPClassifier"]["x"],
            classifier,
        ),
        (
            "training with minibatches, MNIST, 16 settings",
            minibatch["geometric mean, mnist, over MLPClassifier"]["x"],
            classifier,
        ),
        (
            "training with minibatches, 1,000,000 rows",
            read("scaling")["1000000 rows"]["x"],
            classifier,
        ),
        (
            "training with minibatches, all 32 settings",
            minibatch["geometric mean, all, over torch"]["x"],
            "PyTorch on the CPU",
        ),
        (
            "training of the regressor with minibatches, 16 settings",
            regressor["geometric mean"]["x"],
            "MLPRegressor",
        ),
        (
            "training of the regressor with L-BFGS",
            regressor["L-BFGS, 100 iterations, squared_error"]["x"],
            "MLPRegressor",
        ),
        (
            "probabilities of 60,000 rows, float64",
            prediction["60000 rows, dense float64"]["x"],
            classifier,
        ),
        (
            "probabilities of one row, float64",
            prediction["one row, dense float64"]["x"],
            classifier,
        ),
    ]
    return [
        (BENCHMARKS, f"* - {what} - {{}} - {peer}", [times(ratio)])
        for what, ratio, peer in rows
    ]


def _steps():
    return [
        (
            DETAILS,
            "a candidate's step takes {} microseconds with SGD and {} with Adam in "
            "float32, where ``MLPClassifier`` takes {} and {}. In float64 it takes {} "
            "and {} against {} and {},",
            [
                _step_of_a_candidate(dtype, solver, side)
                for dtype in ("float32", "float64")
                for side in ("s", "MLPClassifier s")
                for solver in ("sgd", "adam")
            ],
        ),
    ]


def _development_tables():
    """Ours beside CatBoost on the tables that both were measured on."""
    means = _means_of_folds()
    log_loss, accuracy, rmse = means["log_loss"], means["accuracy"], means["rmse"]
    both = [table for table in log_loss if "CatBoost" in log_loss[table]]
    regression = [table for table in rmse if "CatBoost" in rmse[table]]
    gains = [_beside_catboost(accuracy[table]) for table in both]
    below = {table: _beside_catboost(log_loss[table]) for table in both}
    n_slow = {
        name: sum(name in table for table in (*log_loss.values(), *rmse.values()))
        for name in SLOW
    }
    ranks = [
        sum(_rank_of(name, accuracy[table]) for table in both) / len(both)
        for name in ("TabularMLP", "CatBoost")
    ]
    return [
        (
            DETAILS,
            "RealMLP-TD-S was measured on one fold of {} tables, and TabM-D on one "
            "fold of {} tables",
            [str(n_slow[name]) for name in SLOW],
        ),
        (
            DETAILS,
            "the log loss is smaller on {} of {} tables and the error on {} of {}, but "
            "the accuracy is about level: higher on {} of {} tables and lower on {}, "
            "with a mean rank of {} beside {}",
            [
                str(sum(value < 0 for value in below.values())),
                str(len(both)),
                str(sum(_beside_catboost(rmse[table]) < 0 for table in regression)),
                str(len(regression)),
                str(sum(gain > 0 for gain in gains)),
                str(len(both)),
                str(sum(gain < 0 for gain in gains)),
                *(f"{rank:.2f}" for rank in ranks),
            ],
        ),
        (
            DETAILS,
            "CatBoost has a log loss {} % below ours on ``sick``",
            [f"{100 * below.pop('sick'):.0f}"],
        ),
        (
            DETAILS,
            "and at most {} % below ours on the others",
            [f"{100 * max(below.values()):.0f}"],
        ),
    ]


def _means_of_folds():
    """Means over three folds: {figure: {table: {contender: mean}}}."""
    means = {"log_loss": {}, "accuracy": {}, "rmse": {}}
    with open(OUTPUT / "folds" / "tables.csv", newline="") as file:
        lines = [line for line in csv.DictReader(file) if int(line["fold"]) < 3]
    for figure, of_figure in means.items():
        values = {}
        for line in lines:
            if line[figure]:
                key = line["table"], line["contender"]
                values.setdefault(key, []).append(float(line[figure]))
        for (table, contender), of_folds in values.items():
            mean = sum(of_folds) / len(of_folds)
            of_figure.setdefault(table, {})[contender] = mean
    return means


def _beside_catboost(means):
    """By which share of it our figure exceeds CatBoost's."""
    return 1 - means["CatBoost"] / means["TabularMLP"]


def _rank_of(name, accuracies):
    """The rank of a contender among all but the slow ones."""
    others = [a for other, a in accuracies.items() if other not in (name, *SLOW)]
    own = accuracies[name]
    return 1 + sum(a > own for a in others) + sum(a == own for a in others) / 2


def _step_of_a_candidate(dtype, solver, side):
    """Microseconds: two processes share 20 candidates, 5 folds, 30 epochs of 45 steps.

    All that a search does is in it.
    """
    seconds = read("search")[f"digits {dtype} batch 32 units 25 {solver}"][side]
    return f"{2e6 * seconds / (20 * 5 * 30 * 45):.0f}"


def _min_and_max():
    """How many times as fast as MLPClassifier: the slowest minibatches, and L-BFGS."""
    name, minibatches = "x MLPClassifier", read("minibatch").values()
    least = min(row[name] for row in minibatches if name in row)
    most = read("full_batch")["lbfgs, 400 iterations"]["x"]
    return [times(least), f"{most:.0f}"]


def _other_sentences():
    products = read("objective")["ex4data1 400-25-10 float64"]["products ms"]
    tnc = read("full_batch")["tnc, 400 evaluations"]
    mib = f"{read('memory')['1000000 x 50 float32']['MiB']:.0f}"
    layouts = [row["ratio"] for row in read("layouts").values() if "ratio" in row]
    defaults = read("defaults")
    default, earlier = defaults["relu, 0.001, 100"], defaults["tanh, 0.01, 100"]
    return [
        (README, "[{} to {} times as fast](#measured)", _min_and_max()),
        (README, "of 1,000,000 rows and 50 columns takes {} MiB beyond", [mib]),
        (THREADS, "a fit of 1,000,000 x 50 takes {} MiB beyond", [mib]),
        (
            THREADS,
            "An epoch takes at most {} times as long as in C order.",
            [f"{max(layouts):.1f}"],
        ),
        (
            DETAILS,
            "take {} milliseconds of an evaluation. An evaluation takes {} "
            "milliseconds with this package and {} with the textbook's implementation.",
            [
                f"{ms:.1f}"
                for ms in (products, tnc["ms an evaluation"], tnc["textbook ms"])
            ],
        ),
        (
            DEFAULTS,
            "the accuracy was {} percentage points lower and the log loss {} % higher",
            [
                f"{100 * (default['accuracy'] - earlier['accuracy']):.1f}",
                f"{100 * (earlier['log loss'] / default['log loss'] - 1):.0f}",
            ],
        ),
    ]


# Writing and checking.


PLACES = {"{}": r"(\d+(?:\.\d+)?)", "{machine}": r"([^\n]+)"}


def pattern(text):
    """A regular expression of a text with any figures in it, wrapped anywhere."""
    expression = r"\s+".join(re.escape(word) for word in text.split())
    for place, anything in PLACES.items():
        expression = expression.replace(re.escape(place), anything)
    return expression


def outdated():
    """What those files should be that are not up to date: {path: content}.

    Raises
    ------
    ValueError
        If a text is not in its file, or more than once.
    """
    expected = all_tables()
    for name, text, figures in quotes():
        path = ROOT / name
        content = expected.get(path) or path.read_text(encoding="utf-8")
        expected[path] = _filled_in(name, content, text, figures)
    return {path: new for path, new in expected.items() if new != _content(path)}


def _content(path):
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _filled_in(name, content, text, figures):
    """The content with the figures in the one place where it has the text."""
    places = list(re.finditer(pattern(text), content))
    if len(places) != 1:
        raise ValueError(f"{name} has {len(places)} times, not once: {text}")
    for i in range(len(figures), 0, -1):
        start, stop = places[0].span(i)
        content = content[:start] + figures[i - 1] + content[stop:]
    return content


def write():
    """Bring the files up to date."""
    for path, content in outdated().items():
        path.write_text(content, encoding="utf-8")
        print(f"written: {path.relative_to(ROOT)}")


def check():
    """Print what is not up to date; return whether everything is."""
    differing = outdated()
    for path, new in differing.items():
        sides = _content(path).splitlines(), new.splitlines()
        names = [str(path.relative_to(ROOT))] * 2
        print(*unified_diff(*sides, *names, lineterm="", n=0), sep="\n")
    return not differing


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(not check())
    write()
