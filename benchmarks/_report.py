"""What a benchmark found: rows of a table, with the bars they are held to."""

import csv
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import joblib

from ._results import OUTPUT, note_machine

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")


@dataclass
class Row:
    """One measurement.

    Parameters
    ----------
    what : str
        What was measured.

    figures : dict of str to float
        The figures, with their units in the names.

    bar : str, default=""
        What they are held to, in words; empty for nothing.

    holds : bool, default=True
        Whether they keep to it.
    """

    what: str
    figures: dict
    bar: str = ""
    holds: bool = True


def machine():
    """The machine and the libraries, in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if "model name" in x]
        model = names[0].split(":")[1].strip() if names else model
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{model}, {joblib.cpu_count()} cores; Python {platform.python_version()}, "
        f"{libraries}"
    )


def report(name, rows):
    """Print a benchmark's table, write it as CSV; return whether all bars hold."""
    print(f"\n## {name}\n")
    for row in rows:
        figures = ", ".join(f"{key} {value:.4g}" for key, value in row.figures.items())
        verdict = (
            "" if not row.bar else f"  [{row.bar}: {'yes' if row.holds else 'NO'}]"
        )
        print(f"{row.what}: {figures}{verdict}", flush=True)
    OUTPUT.mkdir(exist_ok=True)
    note_machine(name, machine())
    with open(OUTPUT / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "figure", "value", "bar", "holds"])
        for row in rows:
            for key, value in row.figures.items():
                writer.writerow([row.what, key, f"{value:.6g}", row.bar, row.holds])
    return all(row.holds for row in rows)
