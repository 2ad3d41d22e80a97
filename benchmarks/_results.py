"""The tables of benchmarks/results, and the machine that each was measured on.

By the standard library alone, as a test reads them.
"""

import csv
from pathlib import Path

OUTPUT = Path(__file__).parent / "results"
# A line for each benchmark: its name, a colon, the machine.
MACHINES = OUTPUT / "machines.txt"


def read(name):
    """A table's figures: {what: {figure: value}}; empty if it has not been run."""
    path = OUTPUT / f"{name}.csv"
    table = {}
    if path.exists():
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                table.setdefault(row["what"], {})[row["figure"]] = float(row["value"])
    return table


def machines():
    """The machine of each benchmark: {name: machine}."""
    if not MACHINES.exists():
        return {}
    lines = MACHINES.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def note_machine(name, machine):
    """Write down what a benchmark was run on."""
    noted = {**machines(), name: machine}
    lines = [f"{name}: {noted[name]}\n" for name in sorted(noted)]
    MACHINES.write_text("".join(lines), encoding="utf-8")


def machine_of(*names):
    """The one machine of several benchmarks.

    Raises
    ------
    ValueError
        If there is not one and the same for all.
    """
    noted = machines()
    found = {noted.get(name) for name in names}
    if len(found) > 1 or None in found:
        raise ValueError(f"not of one machine: {', '.join(names)}; see {MACHINES.name}")
    return found.pop()
