"""README and guide quote what the benchmarks have measured."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(folder, *options):
    """The script of the checkout, or the copy of one, in a folder."""
    command = [sys.executable, "-m", "benchmarks.quoted", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path):
    """A copy of what the script reads and writes."""
    shutil.copy(ROOT / "README.md", tmp_path)
    for folder in ("benchmarks", "doc/guide"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def change(path, pattern, new, count=1):
    text = path.read_text(encoding="utf-8")
    changed, n_changes = re.subn(pattern, new, text, count=count, flags=re.MULTILINE)
    assert n_changes > 0
    path.write_text(changed, encoding="utf-8")
    return changed


def test_every_quoted_figure_is_that_of_the_results():
    done = run(ROOT, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("README.md", r"the exercise's 400-25-10 \| MLPClassifier \| ", r"\g<0>1"),
        ("README.md", r"For the regressor,\s+on ", r"\g<0>another "),
        ("doc/guide/defaults.rst", r"\d(?=\s+percentage\s+points)", "99"),
        ("doc/guide/threads_and_memory.rst", r"at most ", r"\g<0>9"),
        ("doc/guide/benchmarks.rst", r"\d+(?= of 12)", "99"),
        ("doc/guide/tables.rst", r"\d+(?= seconds)", "99"),
        ("benchmarks/results/missed.rst", r"``halving``", "``search``"),
        ("benchmarks/results/scaling.csv", r"1000000 rows,x,", r"\g<0>9"),
        ("benchmarks/results/tricks.rst", r"gain", "loss"),
        ("benchmarks/results/machines.txt", r"layouts: ", r"\g<0>an old "),
    ],
)
def test_a_figure_that_differs_is_told_and_written(path, old, new, copy):
    changed = change(copy / path, old, new)
    done = run(copy, "--check")
    assert done.returncode == 1
    assert f"+++ {path.replace('csv', 'rst').replace('txt', 'rst')}" in done.stdout
    assert (copy / path).read_text(encoding="utf-8") == changed
    run(copy)
    assert run(copy, "--check").returncode == 0


def test_every_figure_of_the_readmes_tables_is_written(copy):
    readme = copy / "README.md"
    before = readme.read_text(encoding="utf-8")
    change(
        readme,
        r"\| [\d.]+(; [\d.]+)? \|$",
        lambda m: "| 0; 0 |" if m[1] else "| 0 |",
        0,
    )
    assert readme.read_text(encoding="utf-8").count("| 0") > 15
    run(copy)
    assert readme.read_text(encoding="utf-8") == before


def test_a_text_that_is_gone_is_told(copy):
    change(copy / "README.md", "an epoch of Adam", "one epoch of Adam")
    done = run(copy, "--check")
    assert done.returncode == 1
    assert "README.md has 0 times, not once: | an epoch of Adam" in done.stderr
