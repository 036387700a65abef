"""docs/server-tests.md tells the truth: its functions, tests and quirks are all there are."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from airflow_provider_diffgram.client import routes
from tests.unit.client.every_route import EVERY

TESTS = Path(__file__).parent.parent
EMULATOR = TESTS.parent / "emulator" / "tests"
DOCS = TESTS.parent / "docs"
CALLERS = ("contract/test_client_routes.py", "integration/test_client_routes_of_a_day.py")
RECORDED_ALONE = {"list_events", "update_annotations", "view_history"}
"""Routes that the emulator does not serve yet: recorded pairs show them."""

_PLACE = re.compile(r"\{\w+\}")


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading, cell by cell."""
    section = (DOCS / "server-tests.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def numbered_tests() -> dict[str, set[int]]:
    """Return the tests with a quirk's number in their names, of the contract and of the emulator."""
    found = {}
    for folder in (TESTS / "contract", EMULATOR):
        for path in folder.rglob("test_*.py"):
            for name in names_in(path):
                numbers = {int(number) for number in re.findall(r"_q(\d+)(?=_)", name)}
                if name.startswith("test_") and numbers:
                    found[f"{shown(path)}::{name}"] = numbers
    return found


def shown(path: Path) -> Path:
    return path.relative_to(TESTS.parent if path.is_relative_to(EMULATOR) else TESTS)


def quirks() -> list[int]:
    """Return the numbers of the entries in section 7 of docs/server.md."""
    section = (DOCS / "server.md").read_text().partition("\n## 7 ")[2].partition("\n## ")[0]
    return [int(number) for number in re.findall(r"^(\d+)\. ", section, flags=re.MULTILINE)]


ENDPOINTS = table("Endpoints")
QUIRK_ROWS = {int(row[0]): row for row in table("Quirks")}
ROUTES = {name for name in routes.__all__ if inspect.isfunction(getattr(routes, name))}


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {name for row in ENDPOINTS for name in quoted(row[1])} == ROUTES


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_route_asks_for_the_endpoint_of_its_row(name: str) -> None:
    request = EVERY[name][0]
    shown = [path for row in ENDPOINTS if name in quoted(row[1]) for path in quoted(row[0])]
    patterns = ["[^/]+".join(map(re.escape, _PLACE.split(path))) for path in shown]
    assert any(re.fullmatch(pattern, f"{request.method} {request.path}") for pattern in patterns), shown


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_route_is_sent_to_a_server_by_a_test(name: str) -> None:
    sent = any(f"routes.{name}(" in (TESTS / path).read_text() for path in CALLERS)
    assert sent != (name in RECORDED_ALONE)


def test_every_test_on_the_page_exists() -> None:
    cells = [row[2] for row in ENDPOINTS] + [row[2] for row in QUIRK_ROWS.values()]
    missing = []
    for named in {named for cell in cells for named in quoted(cell)}:
        file, _, test = named.partition("::")
        path = (TESTS.parent if file.startswith("emulator/") else TESTS) / file
        if not path.is_file() or (test and test not in names_in(path)):
            missing.append(named)
    assert missing == []


def test_every_endpoint_has_a_test() -> None:
    assert [row[0] for row in ENDPOINTS if not quoted(row[2])] == []


def test_every_quirk_has_a_row_with_a_test() -> None:
    assert list(QUIRK_ROWS) == quirks()
    assert [number for number, row in QUIRK_ROWS.items() if not row[1] or not quoted(row[2])] == []


def test_a_quirk_without_a_contract_test_says_why() -> None:
    silent = [
        number
        for number, row in QUIRK_ROWS.items()
        if not any(named.startswith("contract/") and "::test_q" in named for named in quoted(row[2]))
        and not row[3]
    ]
    assert silent == []


def test_every_numbered_test_is_in_the_row_of_its_quirk() -> None:
    missing = {
        (number, name)
        for name, numbers in numbered_tests().items()
        for number in numbers
        if name not in quoted(QUIRK_ROWS[number][2])
    }
    assert missing == set()


def test_quirks_of_an_endpoint_are_quirks() -> None:
    for row in ENDPOINTS:
        assert {int(number) for number in re.findall(r"\d+", row[3])} <= set(quirks()), row


@pytest.mark.parametrize("page", ["server.md", "server-tests.md"])
def test_the_index_names_the_page(page: str) -> None:
    assert f"({page})" in (DOCS / "index.md").read_text()
