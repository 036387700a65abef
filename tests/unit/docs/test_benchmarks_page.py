"""The figures that docs/benchmarks.md begins with are those of the rows that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
SUMMARY, _, REST = PAGE.partition("\n## ")
FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def cells(text: str) -> list[list[str]]:
    """Return the cells of each row of each table, without headers."""
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines if "`" in line]


MEASURED = {row[0].strip("`"): row[1:3] for row in cells(REST) if len(row) == 5}


@pytest.mark.parametrize("row", cells(SUMMARY), ids=lambda row: row[-1])
def test_the_summary_repeats_what_was_measured(row):
    _, ours, peer, name = row
    figures = [FIGURE.findall(ours)[0], FIGURE.findall(peer)[-1]]
    assert figures == MEASURED[name.strip("`")]


def test_the_summary_is_there():
    assert len(cells(SUMMARY)) > 5
