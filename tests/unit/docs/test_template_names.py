"""Examples use only names that every run has: one that an event starts has no logical date, and no ``ds``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"^ *```python$.*?^ *```$", re.MULTILINE | re.DOTALL)
DATED = re.compile(
    r"\{\{[^}]*\b(ds|ts|(ds|ts)_nodash\w*|logical_date|execution_date|(prev_|next_)?(data_interval\w*|ds)|prev_(ds|start_date)\w*"
    r"|(yesterday|tomorrow)_ds\w*)\b[^}]*\}\}"
)
GUIDES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SOURCES = sorted([*(ROOT / "dags").rglob("*.py"), *(ROOT / "airflow_provider_diffgram").rglob("*.py")])


def dated(text: str) -> list[str]:
    return [found.group() for found in DATED.finditer(text)]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda each: each.stem)
def test_no_example_of_a_guide_needs_a_logical_date(guide: Path):
    assert [each for block in CODE.findall(guide.read_text(encoding="utf-8")) for each in dated(block)] == []


def test_no_dag_and_no_docstring_needs_one():
    explained = ROOT / "airflow_provider_diffgram" / "operators" / "rendering.py"
    found = {each.name: dated(each.read_text(encoding="utf-8")) for each in SOURCES if each != explained}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "text, is_dated",
    [
        ("{{ ds }}", True),
        ("x-{{ ds_nodash }}", True),
        ("{{ data_interval_start | ds }}", True),
        ("{{ macros.ds_add(ds, 1) }}", True),
        ("{{ run_id }}", False),
        ("{{ dag_run.conf['dsn'] }}", False),
        ("{{ dag.dag_id }}", False),
    ],
)
def test_such_names_are_recognised(text: str, is_dated: bool):
    assert bool(dated(text)) == is_dated
