"""TabularMLP beside others, on tables that were not used to choose the defaults.

Every table of the folder `tables_report` of SKMLP_DATA_DIR in 3 folds. Each fold's
figures are kept in results/folds/report.csv, from which a run goes on.
"""

from . import _contenders, tables
from ._report import OUTPUT, Row

FOLDERS = {"tables_report": 3}
KEPT = OUTPUT / "folds" / "report.csv"
TUNED = "HistGradientBoosting, best of 20"
CONTENDERS = {
    **_contenders.CONTENDERS,
    **{name: make for name, make in _contenders.SLOW.items() if name == "CatBoost"},
    TUNED: _contenders.hist_gradient_boosting_tuned,
}
OURS = _contenders.OURS


def run():
    """Mean figures and ranks, and how many tables ours is better on than each other."""
    frame = tables.to_frame(tables.measure_all(FOLDERS, CONTENDERS, KEPT))
    by_table = tables.means_by_table(frame)
    others = [name for name in CONTENDERS if name != OURS]
    rows = []
    for task, figures in tables.TASKS.items():
        of_task = by_table.loc[task]
        rows += tables.means(task, of_task, figures, others)
        for figure in figures:
            rows += _wins(task, of_task[figure].unstack(), figure)
    return rows


def _wins(task, table, figure):
    """On how many tables ours is better than each other contender."""
    sign = -1 if figure == "accuracy" else 1
    words = figure.replace("_", " ")
    for other in table.columns.drop(OURS):
        n_better = int((sign * table[OURS] < sign * table[other]).sum())
        values = {"tables where ours is better": n_better, "of": len(table)}
        yield Row(f"{task}, {words}, beside {other}", values)
