"""Tables of mixed columns: TabularMLP beside others, on the tables for development.

The defaults of TabularMLP were chosen on these tables; ``report`` measures on others.
Three folds of every table: of five in the folder `tables` of SKMLP_DATA_DIR, of three
in `tables_more`; the contenders that take minutes run one fold. Each fold's figures are
kept in results/folds/tables.csv, from which a run goes on; delete it, or a contender's
lines, to measure anew. CatBoost and the contenders of pytabkit take part where they are
installed (extra bench). The seconds in the file are not compared, as other programs ran
at the same time; ``large_tables`` measures them.
"""

import csv
import json
import time
import warnings

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import KFold, StratifiedKFold

from . import _data
from ._contenders import CONTENDERS, OURS, SLOW
from ._report import OUTPUT, Row

# Number of folds that the tables of each folder are split into.
FOLDERS = {"tables": 5, "tables_more": 3}
N_MEASURED = 3
KEPT = OUTPUT / "folds" / "tables.csv"
FIGURES = ["accuracy", "log_loss", "balanced_accuracy", "rmse", "seconds"]
FIELDS = ["contender", "table", "task", "rows", "fold", *FIGURES]
# What the contenders are compared by.
TASKS = {"classification": ["accuracy", "log_loss"], "regression": ["rmse"]}
# Small tables have fewer rows than the first number, large ones at least the second.
SIZES = 2000, 20_000


def tables(folder):
    """Each table of a folder: its name, a DataFrame and what is to be predicted."""
    folder = _data.folder() / folder
    for name, about in json.loads((folder / "index.json").read_text()).items():
        frame = pd.read_csv(folder / f"{name}.csv.gz")
        y = frame.pop("target")
        texts = frame.columns.difference(frame.select_dtypes("number").columns)
        frame = frame.astype(dict.fromkeys(texts, "category"))
        is_classifier = about["task"] == "classification"
        yield name, frame, y.astype(str).to_numpy() if is_classifier else y.to_numpy()


def folds(y, n_folds):
    """Training and test rows, stratified by class."""
    is_classifier = y.dtype == object
    splitter = StratifiedKFold if is_classifier else KFold
    return splitter(n_folds, shuffle=True, random_state=0).split(np.zeros(len(y)), y)


def measure(make, frame, y, train, test, seed):
    """Fit to a fold, predict the other rows, and score."""
    is_classifier = y.dtype == object
    start = time.perf_counter()
    model = make(is_classifier, frame, seed).fit(frame.iloc[train], y[train])
    rows, truth = frame.iloc[test], y[test]
    if is_classifier:
        proba = model.predict_proba(rows)
        seconds = time.perf_counter() - start
        predicted = np.asarray(model.classes_)[proba.argmax(axis=1)]
        proba = proba / proba.sum(axis=1, keepdims=True)
        return {
            "accuracy": accuracy_score(truth, predicted),
            "log_loss": log_loss(truth, proba, labels=model.classes_),
            "balanced_accuracy": balanced_accuracy_score(truth, predicted),
            "seconds": seconds,
        }
    predicted = model.predict(rows)
    seconds = time.perf_counter() - start
    error = np.sqrt(np.mean((predicted - truth) ** 2)) / np.std(y)
    return {"rmse": error, "seconds": seconds}


def run():
    """The missing folds of all contenders; then the table of means and ranks."""
    measure_all(FOLDERS, CONTENDERS, KEPT)
    return summary(measure_all(FOLDERS, SLOW, KEPT, 1))


def measure_all(folders, contenders, path, n_measured=N_MEASURED, source=tables):
    """Measure the folds that a file has no line of, and return all its lines.

    `source` makes the tables of a folder.
    """
    warnings.simplefilter("ignore")
    done = {(line["contender"], line["table"], line["fold"]) for line in _read(path)}
    for folder, n_folds in folders.items():
        for table, frame, y in source(folder):
            for contender, make in contenders.items():
                splits = list(folds(y, n_folds))[:n_measured]
                for fold, (train, test) in enumerate(splits):
                    if (contender, table, str(fold)) in done:
                        continue
                    figures = measure(make, frame, y, train, test, fold)
                    line = {
                        "contender": contender,
                        "table": table,
                        "task": "classification" if y.dtype == object else "regression",
                        "rows": len(y),
                        "fold": fold,
                        **{name: f"{value:.6g}" for name, value in figures.items()},
                    }
                    _append(line, path)
    return _read(path)


def _read(path):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _append(line, path):
    is_new = not path.exists()
    path.parent.mkdir(exist_ok=True)
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if is_new:
            writer.writeheader()
        writer.writerow(line)


def to_frame(lines):
    """The lines of a file as a DataFrame of numbers."""
    frame = pd.DataFrame(lines)
    frame[FIGURES] = frame[FIGURES].apply(pd.to_numeric)
    frame[["rows", "fold"]] = frame[["rows", "fold"]].astype(int)
    return frame


def summary(lines):
    """Means over the tables, mean ranks, and the bars."""
    frame = to_frame(lines)
    common = frame[frame["contender"].isin(CONTENDERS) & (frame["fold"] < N_MEASURED)]
    by_table = means_by_table(common)
    rows = means_of_tasks(by_table, CONTENDERS)
    return [*rows, *_by_size(by_table), *_pairs(frame)]


def means_by_table(frame):
    """The mean figures of each contender on each table."""
    return frame.groupby(["task", "table", "contender"])[[*FIGURES, "rows"]].mean()


def means_of_tasks(by_table, contenders):
    """A row for each task and contender; ours is to rank before all others."""
    others = [name for name in contenders if name != OURS]
    for task, figures in TASKS.items():
        yield from means(task, by_table.loc[task], figures, others)


def ranks(by_table, figure):
    """Mean rank of each contender over the tables that all were measured on."""
    table = by_table[figure].unstack().dropna()
    sign = -1 if "accuracy" in figure else 1
    ranked = np.array([rankdata(sign * row) for row in table.to_numpy()])
    return dict(zip(table.columns, ranked.mean(axis=0), strict=True))


def means(task, by_table, figures, beaten):
    """A row for each contender; ours is to have better ranks than those beaten."""
    ranked = {figure: ranks(by_table, figure) for figure in figures}
    averages = by_table.groupby("contender").mean()
    shown = ["accuracy", "log_loss", "balanced_accuracy", "rmse"]
    for contender in ranked[figures[0]]:
        values = {f"mean {n}": averages.loc[contender, n] for n in shown}
        values = {name: value for name, value in values.items() if value == value}
        for figure in figures:
            values[f"rank by {figure}"] = ranked[figure][contender]
        values["tables"] = len(by_table[figures[0]].unstack().dropna())
        is_ours = contender == OURS
        holds = not is_ours or all(
            ranked[figure][OURS] < ranked[figure][other]
            for figure in figures
            for other in beaten
        )
        bar = f"ranks before {', '.join(beaten)}" if is_ours else ""
        yield Row(f"{task}, {contender}", values, bar, holds)


def _by_size(by_table):
    """Mean ranks of ours, and the best of the others', on tables of a size."""
    small, large = SIZES
    for name, low, high in (
        (f"fewer than {small} rows", 0, small),
        (f"{small} to {large} rows", small, large),
        (f"{large} rows or more", large, np.inf),
    ):
        of_size = by_table[(by_table["rows"] >= low) & (by_table["rows"] < high)]
        figures, holds = {}, True
        for task, shown in TASKS.items():
            for figure in shown:
                ranked = ranks(of_size.loc[task], figure)
                ours = ranked.pop(OURS)
                words = figure.replace("_", " ")
                figures[f"rank by {words}"] = ours
                figures[f"best other by {words}"] = min(ranked.values())
                holds &= ours < min(ranked.values())
        figures["tables"] = of_size.index.get_level_values("table").nunique()
        yield Row(f"tables of {name}", figures, "first by all", holds)


def _pairs(frame):
    """Ours beside each of the slow ones, on the folds that these were measured on."""
    others = sorted(set(frame["contender"]) - set(CONTENDERS))
    for task, of_task in frame.groupby("task"):
        for other in others:
            two = of_task[of_task["contender"].isin([OURS, other])]
            n_measured = two.groupby(["table", "fold"])["contender"].transform(
                "nunique"
            )
            if (n_measured == 2).any():
                yield _pair(f"beside {other}, {task}", other, two[n_measured == 2])


def _pair(what, other, two):
    """Means of the two, and the mean rank of ours."""
    by_table = two.groupby(["table", "contender"])[FIGURES].mean()
    is_classification = by_table["rmse"].isna().all()
    shown = ["log_loss", "accuracy"] if is_classification else ["rmse"]
    figures, ranks_of_ours = {}, []
    for name in shown:
        means = by_table[name].unstack().mean()
        ranks_of_ours.append(ranks(by_table, name)[OURS])
        words = name.replace("_", " ")
        figures[words] = means[OURS]
        figures[f"its {words}"] = means[other]
        figures[f"rank by {words}"] = ranks_of_ours[-1]
    figures["tables"] = two["table"].nunique()
    figures["folds"] = len(two) // 2
    holds = ranks_of_ours[0] < 1.5 and all(rank <= 1.5 for rank in ranks_of_ours)
    return Row(what, figures, "ahead, by accuracy at least level", holds)
