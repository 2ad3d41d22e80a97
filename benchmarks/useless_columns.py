"""Tables of which five columns in six are useless: TabularMLP beside others.

The tables of ``report``, on which no default was chosen, with at most 2000 rows, beside
five copies of each column whose values are permuted. Two folds. Each fold's figures are
kept in results/folds/useless_columns.csv, from which a run goes on.
"""

import numpy as np
import pandas as pd

from . import report, tables
from ._report import OUTPUT

N_COPIES = 5
N_ROWS = 2000
KEPT = OUTPUT / "folds" / "useless_columns.csv"
CONTENDERS = {
    name: make for name, make in report.CONTENDERS.items() if name != report.TUNED
}


def with_copies(folder):
    """Each table of a folder, with permuted copies of its columns."""
    for name, frame, y in tables.tables(folder):
        rng = np.random.default_rng(0)
        chosen = rng.permutation(len(y))[:N_ROWS]
        frame, y = frame.iloc[chosen].reset_index(drop=True), y[chosen]
        copies = [
            frame[column]
            .iloc[rng.permutation(len(y))]
            .reset_index(drop=True)
            .rename(f"{column}, copy {number}")
            for number in range(N_COPIES)
            for column in frame
        ]
        yield name, pd.concat([frame, *copies], axis=1), y


def run():
    """Mean figures and ranks."""
    lines = tables.measure_all(report.FOLDERS, CONTENDERS, KEPT, 2, with_copies)
    by_table = tables.means_by_table(tables.to_frame(lines))
    return list(tables.means_of_tasks(by_table, CONTENDERS))
