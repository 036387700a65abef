"""The emulator as a distribution of its own: what it imports, and what its pytest plugin costs."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import diffgram_emulator

PACKAGE = Path(diffgram_emulator.__file__).parent
COST = """
import json, sys
import pytest, itertools, collections.abc, pathlib, typing
before = set(sys.modules)
import diffgram_emulator.pytest_plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def imported(path: Path) -> Iterator[str]:
    """Yield the name of everything that a module imports from elsewhere, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def test_it_imports_nothing_of_the_provider_and_no_airflow() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    names = {name.partition(".")[0] for path in modules for name in imported(path)}
    assert len(modules) > 50
    assert {"starlette", "uvicorn"} <= names
    assert not names & {"airflow", "airflow_provider_diffgram"}


def test_the_plugin_costs_a_pytest_run_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", COST], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["diffgram_emulator", "diffgram_emulator.pytest_plugin"]


def test_pytest_finds_the_plugin() -> None:
    (found,) = importlib.metadata.entry_points(group="pytest11", name="diffgram_emulator")
    assert found.value == "diffgram_emulator.pytest_plugin"


def test_its_tests_run_beside_those_of_the_provider() -> None:
    """Pytest knows a module outside of a package by its name alone."""
    root = Path(__file__).parents[2]
    folders = [folder for folder in (root / "tests", Path(__file__).parent) if folder.is_dir()]
    names = Counter(
        path.name
        for folder in folders
        for path in folder.rglob("*.py")
        if not (path.parent / "__init__.py").is_file() and path.name != "conftest.py"
    )
    assert [name for name, amount in names.items() if amount > 1] == []
