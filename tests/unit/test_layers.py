"""Which room may know which: models, client, ingest, predictions know no Airflow; imports go one way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_provider_diffgram

PACKAGE = Path(airflow_provider_diffgram.__file__).parent
NAME = PACKAGE.name
WITHOUT_AIRFLOW = ("models", "client", "drawing", "ingest", "predictions", "review", "setup")
MAY_KNOW: dict[str, set[str]] = {
    "models": set(),
    "client": {"models"},
    "drawing": {"models"},
    "ingest": {"models", "client", "drawing"},
    "predictions": {"models", "drawing"},
    "review": {"models", "client", "drawing", "ingest"},
    "hooks": {"models", "client", "ingest", "review"},
    "triggers": {"models", "client", "ingest", "review", "hooks"},
    "links": {"client"},
    "notifications": {"models", "review"},
    "assets": {"triggers"},
    "lineage": {"models", "client", "ingest", "review", "links", "assets"},
    "operators": {"models", "client", "ingest", "review", "setup", "hooks", "triggers", "links", "lineage"},
    "sensors": {"models", "client", "ingest", "review", "hooks", "triggers", "operators", "links", "lineage"},
    "task_groups": {"models", "operators", "sensors"},
    "setup": {"models", "client", "ingest"},
    "cli": {"models", "client", "ingest", "predictions", "review", "setup", "hooks"},
}


def modules(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


def imported(path: Path, tree: ast.Module | None = None) -> Iterator[str]:
    """Yield the absolute name of everything that a module imports, wherever in it.

    :param tree: what to look at of the module; all of it when None.
    """
    package = [NAME, *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree or ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def rooms_known_to(path: Path) -> set[str]:
    names = (name.split(".") for name in imported(path))
    return {parts[1] for parts in names if parts[0] == NAME and len(parts) > 1} & set(MAY_KNOW)


def test_each_room_is_looked_at():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms - {"example_dags", "decorators"} == set(MAY_KNOW)


def test_each_room_is_told_to_those_who_contribute():
    told = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    rooms = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/__init__.py")}
    rooms |= {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("ingest/*/__init__.py")}
    assert len(rooms) > 20
    assert not {room for room in rooms - {"example_dags"} if f"`{room}/`" not in told}


def test_the_look_finds_what_is_imported():
    assert "airflow_provider_diffgram.models.Packet" in set(
        imported(PACKAGE / "ingest" / "check" / "names.py")
    )
    assert any(name.startswith("airflow.") for name in imported(PACKAGE / "hooks" / "diffgram.py"))


@pytest.mark.parametrize("room", WITHOUT_AIRFLOW)
def test_no_airflow(room: str):
    known = {(path.name, name) for path in modules(room) for name in imported(path)}
    assert known
    assert not {pair for pair in known if pair[1].split(".")[0] == "airflow"}


def test_no_worker_needs_the_emulator():
    known = {(path.name, name) for path in PACKAGE.rglob("*.py") for name in imported(path)}
    assert len(known) > 1000
    assert not {pair for pair in known if pair[1].split(".")[0] == "diffgram_emulator"}


@pytest.mark.parametrize("room", MAY_KNOW)
def test_imports_point_from_left_to_right(room: str):
    for path in modules(room):
        assert rooms_known_to(path) <= MAY_KNOW[room] | {room}, path


def known_modules(path: Path) -> set[Path]:
    """Return the modules of the package that a module imports when it is imported, or names as types."""
    tree = ast.parse(path.read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    for node in list(functions):
        node.body = [ast.Pass()]  # what a function imports is imported when it runs
    found = set()
    for name in imported(path, tree):
        parts = name.split(".")[1:] if name.startswith(f"{NAME}.") else []
        for each in (parts, parts[:-1]):
            module = PACKAGE.joinpath(*each).with_suffix(".py") if each else path
            if module.is_file():
                found.add(module)
    return found - {path}


def test_no_modules_import_each_other_in_a_circle():
    left = {path: known_modules(path) for path in PACKAGE.rglob("*.py")}
    assert sum(map(len, left.values())) > 500
    while free := {path for path, known in left.items() if not known & left.keys()}:
        left = {path: known for path, known in left.items() if path not in free}
    assert not left, sorted(str(path.relative_to(PACKAGE)) for path in left)


MAY_ASK: dict[str, set[str]] = {
    "read": set(),
    "server": set(),
    "check": {"read", "server"},
    "send": {"check", "server", "read"},
    "watch": {"server", "read"},
    "validation": {"check", "read"},
}
"""Inside ingest: send asks check; check, watch and send ask server; who opens a path asks read."""


MAY_USE: dict[str, set[str]] = {
    "decisions": set(),
    "outcomes": {"decisions"},
    "pace": set(),
    "queue": {"decisions", "outcomes"},
    "existing": {"decisions", "pace", "queue"},
    "media": {"decisions", "outcomes", "pace", "queue"},
}
"""Inside ingest/send: what its folders may use of one another; of send itself they use nothing."""


def test_each_folder_of_send_is_looked_at():
    folders = {path.parent.name for path in (PACKAGE / "ingest" / "send").glob("*/__init__.py")}
    assert folders == set(MAY_USE)
    told = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    assert not {folder for folder in folders if f"`send/{folder}/`" not in told}


@pytest.mark.parametrize("folder", MAY_USE)
def test_the_folders_of_send_use_one_another_in_one_direction(folder: str):
    found = modules(f"ingest/send/{folder}")
    assert len(found) > 2
    for path in found:
        names = (name.split(".") for name in imported(path))
        used = {parts[3] for parts in names if parts[:3] == [NAME, "ingest", "send"] and len(parts) > 3}
        assert used <= MAY_USE[folder] | {folder}, path


def test_one_evenings_reading_is_no_longer_than_an_evening():
    told = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    section = told.partition("## One evening's reading")[2].partition("\n## ")[0]
    files = set(re.findall(r"`([a-z_/]+\.py)`", section))
    assert f"These {len(files)} files" in section
    assert sum(len((PACKAGE / file).read_text().splitlines()) for file in files) <= 6200


def test_review_asks_of_ingest_nothing_that_sends():
    for path in modules("review"):
        names = (name.split(".") for name in imported(path))
        asked = {parts[2] for parts in names if parts[:2] == [NAME, "ingest"] and len(parts) > 2}
        assert asked <= {"check", "read", "server"}, path


def test_each_room_of_ingest_is_looked_at():
    assert {path.name for path in (PACKAGE / "ingest").iterdir() if path.is_dir()} - {"__pycache__"} == set(
        MAY_ASK
    )


@pytest.mark.parametrize("room", MAY_ASK)
def test_the_rooms_of_ingest_ask_one_another_in_one_direction(room: str):
    for path in modules(f"ingest/{room}"):
        names = (name.split(".") for name in imported(path))
        asked = {parts[2] for parts in names if parts[:2] == [NAME, "ingest"] and len(parts) > 2}
        assert asked & set(MAY_ASK) <= MAY_ASK[room] | {room}, path


def test_ingest_itself_holds_hardly_anything():
    assert {path.name for path in (PACKAGE / "ingest").glob("*.py")} <= {
        "__init__.py",
        "defaults.py",
        "limits.py",
    }


def test_no_format_knows_another_and_the_core_knows_none():
    room = PACKAGE / "predictions"
    formats = {path.stem for path in (room / "formats").iterdir() if path.name != "__init__.py"}
    assert len(formats) > 5
    stem = f"{NAME}.predictions.formats"
    for path in modules("predictions/core"):
        assert not {name for name in imported(path) if name.startswith(stem)}, path
    for path in modules("predictions/formats"):
        own = path.relative_to(room / "formats").parts[0].removesuffix(".py")
        names = (name.removeprefix(f"{stem}.") for name in imported(path) if name.startswith(stem))
        known = {name.split(".")[0] for name in names}
        assert known & formats <= {own}, path


def test_the_package_itself_imports_nothing_when_airflow_asks_for_its_info():
    names = set(imported(PACKAGE / "__init__.py"))
    assert names <= {"__future__.annotations", "typing.Any"}


def modules_without_io() -> list[Path]:
    client = PACKAGE / "client"
    names = ("replies", "pieces", "words", "remedies", "attempts", "pacing")
    return [*sorted((client / "routes").glob("*.py")), *(client / f"{name}.py" for name in names)]


@pytest.mark.parametrize("module", modules_without_io(), ids=lambda path: path.stem)
def test_routes_replies_and_pacing_do_no_io(module: Path):
    known = {name.split(".")[0] for name in imported(module)}
    assert not known & {"requests", "httpx", "socket", "urllib3", "http", "ssl", "asyncio"}
