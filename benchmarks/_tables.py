"""The tables of benchmarks/results as reStructuredText, which the docs include."""

import csv

from ._results import OUTPUT, machines

# Of these the docs show the first rows; the CSV file has all.
MAX_ROWS = {"defaults": 12}


def all_tables():
    """A table for each CSV file, and the list of the machines: {path: text}."""
    tables = {
        OUTPUT / "machines.rst": _list_of_machines(),
        OUTPUT / "missed.rst": _missed_targets(),
    }
    for path in sorted(OUTPUT.glob("*.csv")):
        with open(path, newline="") as file:
            lines = list(csv.DictReader(file))
        tables[path.with_suffix(".rst")] = _table(lines, MAX_ROWS.get(path.stem))
    return tables


def _list_of_machines():
    """Each machine, and the benchmarks that were run on it."""
    names = {}
    for name, machine in machines().items():
        names.setdefault(machine, []).append(f"``{name}``")
    return "".join(f"- {machine}: {', '.join(names[machine])}\n" for machine in names)


def _missed_targets():
    """The results that do not reach their targets."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    lines += _row(["benchmark", "result", "target"])
    for path in sorted(OUTPUT.glob("*.csv")):
        with open(path, newline="") as file:
            missed = {
                line["what"]: line["bar"]
                for line in csv.DictReader(file)
                if line["holds"] != "True"
            }
        for what, bar in missed.items():
            lines += _row([f"``{path.stem}``", what, bar])
    return "\n".join([*lines, ""])


def _table(lines, max_rows=None):
    """One table for each run of measurements with the same figures."""
    measured = {}
    for line in lines:
        figures = measured.setdefault(line["what"], {"bar": line["bar"]})
        figures[line["figure"]] = f"{float(line['value']):.4g}"
        figures["holds"] = line["holds"] == "True"
    tables = {}
    for what, figures in measured.items():
        names = tuple(name for name in figures if name not in ("bar", "holds"))
        tables.setdefault(names, []).append((what, figures))
    return "\n".join(
        _list_table(names, rows[:max_rows]) for names, rows in tables.items()
    )


def _list_table(names, rows):
    has_bar = any(figures["bar"] for _, figures in rows)
    header = ["", *names, *(["bar", "holds"] if has_bar else [])]
    lines = [".. list-table::", "   :header-rows: 1", "", *_row(header)]
    for what, figures in rows:
        verdict = "yes" if figures["holds"] else "**no**"
        cells = [what, *(figures[name] for name in names)]
        lines += _row(cells + ([figures["bar"], verdict] if has_bar else []))
    return "\n".join([*lines, ""])


def _row(cells):
    return [
        f"   {'* -' if i == 0 else '  -'} {cell}".rstrip()
        for i, cell in enumerate(cells)
    ]
