"""The table of readers and kinds in docs/formats.md says what the tests show, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_diffgram import predictions

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs" / "formats.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("| Reader |")[1].splitlines()[2:]
    if line.startswith("|")
]
KINDS = range(1, 8)


def kinds_in(module: str) -> set[int]:
    names = re.findall(r"^def (test_\w+)", (HERE / module).read_text(), re.MULTILINE)
    suffixes = (re.search(r"_kinds?((?:_\d)+)$", name) for name in names)
    return {int(each) for suffix in suffixes if suffix for each in re.findall(r"\d", suffix[1])}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_cell_has_its_tests(row: list[str]):
    module = row[8].strip("`")
    shown = {kind for kind in KINDS if row[kind] == "✓"}
    assert all(row[kind] in ("✓", "-") for kind in KINDS)
    assert shown <= kinds_in(module)
    if sum(module in each[8] for each in ROWS) == 1:
        assert shown == kinds_in(module)


def test_each_reader_has_a_row():
    named = " ".join(row[0] for row in ROWS)
    readers = {name for name in predictions.__all__ if name.startswith("from_")}
    pipelines = {name for name in readers if name.endswith("_pipeline")}
    missing = {name for name in readers - pipelines if f"`{name}`" not in named}
    assert missing <= {"from_supervision_key_points"}
    assert "`from_*_pipeline`" in named
