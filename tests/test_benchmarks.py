"""The benchmarks use private parts of the package, which a change may move."""

import importlib

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: peers)")
pytestmark = pytest.mark.peers

NAMES = importlib.import_module("benchmarks.__main__").NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_imported(name):
    module = importlib.import_module(f"benchmarks.{name}")
    assert callable(module.run)
