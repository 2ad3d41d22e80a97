"""Prints, as pip's constraints, the oldest versions that pyproject.toml admits.

    python .ci/oldest.py > oldest.txt && pip install -c oldest.txt ".[test]"

Of what is needed at run time and for the extra plot; a test tool's age says nothing.
"""

import tomllib
from pathlib import Path

pyproject = Path(__file__).parent.parent / "pyproject.toml"
project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["plot"]:
    name, bounds = requirement.split(">=")
    print(f"{name}=={bounds.split(',')[0]}")
# From 3.3 it warns of what matplotlib 3.9 calls in it.
print("pyparsing<3.3")
# From 1.4 on it lacks a module that narwhals 2.0 imports.
print("duckdb<1.4")
