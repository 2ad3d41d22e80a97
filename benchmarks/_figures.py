"""The figures, drawn from the tables in benchmarks/results."""

import csv

from ._report import OUTPUT


def _read(name):
    """A table's figures: {what: {figure: value}}; empty if it has not been run."""
    path = OUTPUT / f"{name}.csv"
    table = {}
    if path.exists():
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                table.setdefault(row["what"], {})[row["figure"]] = float(row["value"])
    return table


def draw_all():
    """Draw what there are tables for."""
    import matplotlib as mpl

    mpl.use("Agg")
    draw_minibatch(_read("minibatch"))
    draw_scaling(_read("scaling"))
    draw_search(_read("search"))


def draw_minibatch(table):
    """Microseconds a step of the three, for every combination."""
    import matplotlib.pyplot as plt

    steps = {what: f for what, f in table.items() if "ours us" in f}
    if not steps:
        return
    figure, axes = plt.subplots(figsize=(8, 9), layout="constrained")
    for offset, (side, label, color) in enumerate(
        [
            ("ours us", "skmlp-backprop", "tab:blue"),
            ("mlp us", "MLPClassifier", "tab:orange"),
            ("torch us", "PyTorch", "tab:gray"),
        ]
    ):
        positions = [4 * i + offset for i in range(len(steps))]
        axes.barh(
            positions, [f[side] for f in steps.values()], label=label, color=color
        )
    axes.set_yticks([4 * i + 1 for i in range(len(steps))], list(steps), fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("microseconds a minibatch step (median of 7)")
    figure.legend(loc="outside lower center", ncols=3)
    figure.savefig(OUTPUT / "minibatch.png", dpi=110)
    plt.close(figure)


def draw_scaling(table):
    """Seconds an epoch against rows and against units."""
    import matplotlib.pyplot as plt

    if not table:
        return
    figure, both = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axes, unit in zip(both, ("rows", "units"), strict=True):
        points = {
            int(what.split()[0]): f
            for what, f in table.items()
            if what.endswith(f" {unit}") and "s" in f
        }
        for side, label in (
            ("s", "skmlp-backprop"),
            ("MLPClassifier s", "MLPClassifier"),
        ):
            seconds = [f[side] for f in points.values()]
            axes.loglog(list(points), seconds, marker="o", label=label)
        axes.set_xlabel(unit)
        axes.set_ylabel("seconds an epoch (Adam, float32)")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(OUTPUT / "scaling.png", dpi=110)
    plt.close(figure)


def draw_search(table):
    """Seconds of a grid search by the three ways."""
    import matplotlib.pyplot as plt

    searches = {what: f for what, f in table.items() if "one by one s" in f}
    if not searches:
        return
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for offset, (side, label, color) in enumerate(
        [
            ("s", "StackedGridSearchCV", "tab:blue"),
            ("one by one s", "GridSearchCV(BackpropMLPClassifier)", "tab:cyan"),
            ("MLPClassifier s", "GridSearchCV(MLPClassifier)", "tab:orange"),
        ]
    ):
        positions = [4 * i + offset for i in range(len(searches))]
        axes.barh(
            positions, [f[side] for f in searches.values()], label=label, color=color
        )
    axes.set_yticks(
        [4 * i + 1 for i in range(len(searches))], list(searches), fontsize=8
    )
    axes.invert_yaxis()
    axes.set_xlabel("seconds (20 candidates, 5 folds, 2 processes; median of 5)")
    figure.legend(loc="outside lower center", ncols=2)
    figure.savefig(OUTPUT / "search.png", dpi=110)
    plt.close(figure)
