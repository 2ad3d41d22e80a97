"""Run the benchmarks: python -m benchmarks [NAME ...].

Needs SKMLP_DATA_DIR and the extras peers, plot, dask and test; comparisons with other
packages on tables need the extra bench. Prints the tables and
writes them, as CSV and for the docs, and the figures, to benchmarks/results, and what
README and guide quote into these. Exits with 1 if a bar was missed.
"""

import importlib
import sys

from . import quoted
from ._figures import draw_all
from ._report import machine, report

NAMES = (
    "import_time",
    "objective",
    "full_batch",
    "minibatch",
    "memory",
    "search",
    "short_search",
    "halving",
    "prediction",
    "scaling",
    "hidden_units",
    "defaults",
    "layouts",
    "threads",
    "calibration",
    "regressor",
    "tricks",
    "tables",
    "report",
    "useless_columns",
    "intervals",
    "tabular_losses",
    "out_of_bag",
    "serving",
    "members",
    "large_tables",
    "cluster",
    "gpu",
)


def main(names):
    """Run the named benchmarks, or all."""
    print(machine())
    missed = []
    for name in names or NAMES:
        rows = importlib.import_module(f"{__package__}.{name}").run()
        # Without its device a benchmark has nothing to report.
        if rows and not report(name, rows):
            missed.append(name)
    quoted.write()
    draw_all()
    print(f"\nBars missed in: {', '.join(missed)}" if missed else "\nAll bars hold.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
