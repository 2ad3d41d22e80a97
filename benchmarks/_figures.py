"""The figures, drawn from the tables in benchmarks/results."""

from ._results import OUTPUT, read


def draw_all():
    """Draw what there are tables for."""
    import matplotlib as mpl

    mpl.use("Agg")
    draw_minibatch(read("minibatch"))
    draw_scaling(read("scaling"))
    draw_search(read("search"))
    draw_halving(read("halving"))
    draw_ranks(read("report"))


def draw_minibatch(table):
    """Microseconds a step of the three, for every combination."""
    sides = [
        ("ours us", "skmlp-backprop", "tab:blue"),
        ("mlp us", "MLPClassifier", "tab:orange"),
        ("torch us", "PyTorch", "tab:gray"),
    ]
    label = "microseconds a minibatch step (median of 7)"
    _draw_bars("minibatch", table, sides, label, 9, xscale="log")


def draw_search(table):
    """Seconds of a grid search by the three ways."""
    sides = [
        ("s", "StackedGridSearchCV", "tab:blue"),
        ("one by one s", "GridSearchCV(BackpropMLPClassifier)", "tab:cyan"),
        ("MLPClassifier s", "GridSearchCV(MLPClassifier)", "tab:orange"),
    ]
    label = "seconds (20 candidates, 5 folds, 2 processes; median of 3)"
    _draw_bars("search", table, sides, label, 5, n_legend_columns=2)


def draw_halving(table):
    """Score of what each search finds against its seconds, a point for each seed."""
    import matplotlib.pyplot as plt

    seeds = {what: f for what, f in table.items() if ", seed " in what}
    if not seeds:
        return
    cases = list(dict.fromkeys(what.split(", ")[0] for what in seeds))
    figure, all_axes = plt.subplots(
        1, len(cases), figsize=(10, 4.2), layout="constrained", squeeze=False
    )
    for axes, case in zip(all_axes[0], cases, strict=True):
        points = {}
        for what, figures in seeds.items():
            if what.startswith(case):
                for name in figures:
                    if name.endswith(" s"):
                        side = name.removesuffix(" s")
                        point = figures[name], figures[f"{side} score"]
                        points.setdefault(side, []).append(point)
        for side, of_side in points.items():
            axes.scatter(*zip(*of_side, strict=True), label=side, alpha=0.8)
        axes.set_xscale("log")
        axes.set_xlabel("seconds (60 candidates, 5 folds, 2 processes)")
        axes.set_ylabel("accuracy of the candidate in 200 epochs")
        axes.set_title(case, fontsize=10)
        axes.grid(alpha=0.3)
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)
    figure.savefig(OUTPUT / "search_halving.png", dpi=110)
    plt.close(figure)


def draw_ranks(table):
    """Mean ranks over the classification tables, and what differs by chance."""
    import matplotlib.pyplot as plt

    prefix = "classification, "
    rows = {
        what.removeprefix(prefix): figures
        for what, figures in table.items()
        if what.startswith(prefix) and "rank by log_loss" in figures
    }
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(7, 4.4), layout="constrained")
    # Room for the names above the points.
    step = 0.3 + 0.17 * len(rows)
    for y, by, color in (
        (0, "log_loss", "tab:blue"),
        (step, "accuracy", "tab:orange"),
    ):
        ranks = {name: f[f"rank by {by}"] for name, f in rows.items()}
        axes.scatter(ranks.values(), [y] * len(ranks), color=color, zorder=3)
        for i, (name, rank) in enumerate(sorted(ranks.items(), key=lambda x: -x[1])):
            height = y + 0.14 + 0.17 * i
            axes.plot([rank, rank], [y, height], color="lightgray", lw=1)
            axes.text(rank + 0.02, height, name, fontsize=9)
        best = min(ranks.values())
        difference = _critical_difference(
            len(rows), next(iter(rows.values()))["tables"]
        )
        axes.hlines(y - 0.12, best, best + difference, color="gray", lw=3)
    axes.set_yticks([0, step], ["log loss", "accuracy"])
    axes.set_ylim(-0.3, 2 * step)
    axes.set_xlim(1, len(rows) + 1)
    axes.set_xlabel("mean rank over the tables; gray: within chance of the best (5 %)")
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(OUTPUT / "report.png", dpi=110)
    plt.close(figure)


def _critical_difference(n_contenders, n_tables):
    """Nemenyi's, of mean ranks; Demsar (2006), JMLR 7."""
    from scipy.stats import studentized_range

    quantile = studentized_range.ppf(0.95, n_contenders, float("inf")) / 2**0.5
    return quantile * (n_contenders * (n_contenders + 1) / (6 * n_tables)) ** 0.5


def _draw_bars(
    name, table, sides, xlabel, height, *, xscale="linear", n_legend_columns=3
):
    """Three bars for each measurement that has the figures of all sides."""
    import matplotlib.pyplot as plt

    figures = [figure for figure, _, _ in sides]
    rows = {what: f for what, f in table.items() if f.keys() >= set(figures)}
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(8, height), layout="constrained")
    for offset, (side, label, color) in enumerate(sides):
        positions = [4 * i + offset for i in range(len(rows))]
        axes.barh(positions, [f[side] for f in rows.values()], label=label, color=color)
    axes.set_yticks([4 * i + 1 for i in range(len(rows))], list(rows), fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale(xscale)
    axes.set_xlabel(xlabel)
    figure.legend(loc="outside lower center", ncols=n_legend_columns)
    figure.savefig(OUTPUT / f"{name}.png", dpi=110)
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
