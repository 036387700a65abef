"""Annotations are pulled by workers that die, while people edit: no half set, and none of no moment."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from diffgram_emulator.people import Busy, Person

from ..airflow import DagRun, until
from ..stage import Stage

_LARGE = "large"
_FILES = 2100
_PAGES = 8
"""Of a first pull of so many files: five of the explorer, three of the listing after it."""
_PULLS = 6

Content = Mapping[int, frozenset[int]]
"""File -> ids of its annotations; each version of an annotation has its own."""


@dataclass(frozen=True)
class Version:
    """A version of the set, read without the package under test.

    :param content: what it has.
    :param moved: files that it says changed while they were read.
    """

    name: str
    content: Content
    moved: frozenset[int]


def killed_at_every_page(stage: Stage) -> None:
    """A first pull is killed at each of its pages; then one that finds changes, at each of its own."""
    dataset, first = _filled(stage, _FILES)
    folder = stage.folder / "set"
    _kill_at_each(stage, _pull(stage, folder, _LARGE), range(_PAGES), folder, None)
    one = newest(folder)
    stage.insist(
        one.content == stored(_database(stage), dataset), "the first version is not what the server has"
    )
    _touch(stage, range(first, first + 40))
    _kill_at_each(stage, _pull(stage, folder, _LARGE), range(6), folder, one.name)
    two = newest(folder)
    stage.insist(
        two.content == stored(_database(stage), dataset), "the second version is not what the server has"
    )
    stage.insist(two.name != one.name, "the changes made no version")
    again = _pull(stage, folder, _LARGE)
    stage.insist(again.ended() == "success", "a third pull failed")
    stage.insist(newest(folder) == two, "nothing changed, and there is another version")


def killed_while_it_writes(stage: Stage) -> None:
    """Killed with files of the new version there, and not all of them: the old one stays the newest."""
    dataset, first = _filled(stage, _FILES)
    folder = stage.folder / "set"
    stage.insist(_pull(stage, folder, _LARGE, "yolo").ended() == "success", "the first pull failed")
    one = newest(folder)
    _touch(stage, range(first, first + 40))
    run = _pull(stage, folder, _LARGE, "yolo")

    def is_begun() -> bool:
        begun = [each for each in folder.iterdir() if each.is_dir() and each.name != one.name]
        return bool(begun) and any((begun[0] / "labels").rglob("*.txt"))

    until(is_begun, "files of the second version are there", 90)
    run.kill("pull")
    stage.insist(newest(folder) == one, "half a version is the newest")
    stage.insist(run.ended() == "success", "the attempt after it failed")
    two = newest(folder)
    stage.insist(
        two.content == stored(_database(stage), dataset), "the second version is not what the server has"
    )
    texts = list((folder / two.name / "labels").rglob("*.txt"))
    stage.insist(len(texts) == _FILES, f"{len(texts)} texts are there, not {_FILES}")


def edited_meanwhile(stage: Stage) -> None:
    """Two people edit while one pull follows the other: each version is of one moment, or says what moved."""
    amount = stage.case.amount
    dataset, first = _filled(stage, amount)
    files = range(first, first + amount)
    label = next(iter(stage.diffgram.labels()))
    folder = stage.folder / "set"
    began = now()
    seen = []
    people = [Person.of(stage.emulator, f"{name}@example.com") for name in ("ada", "grace")]
    with (
        Busy(people[0], files, label, every=0.02, think=0.05, seed=1),
        Busy(people[1], files, label, every=0.02, think=0.05, seed=2),
    ):
        for _ in range(_PULLS):
            run = _pull(stage, folder, _LARGE, "packets")
            stage.insist(run.ended() == "success", "a pull failed")
            seen.append(newest(folder))
    stage.insist(len({each.name for each in seen}) > 1, "nobody changed anything")
    states = list(moments(_database(stage), files, began))
    for version in seen:
        wrong = lie_of(version, states)
        stage.insist(wrong is None, f"version {version.name}: {wrong}")
    stage.insist(_pull(stage, folder, _LARGE, "packets").ended() == "success", "the last pull failed")
    last = newest(folder)
    stage.insist(not last.moved, "nobody edits, and something moved")
    stage.insist(
        last.content == stored(_database(stage), dataset), "the last version is not what the server has"
    )


def lie_of(version: Version, states: Sequence[Content]) -> str | None:
    """Return what is not true of a version, None if all is.

    :param states: of the server, one after the other.
    """
    still = version.content.keys() - version.moved
    if not any(all(version.content[each] == at[each] for each in still) for at in states):
        return "it is of no moment, and does not say so"
    for file_id in version.moved:
        if not any(version.content.get(file_id) == at[file_id] for at in states):
            return f"file {file_id} was never so"
    return None


def _database(stage: Stage) -> Path:
    return stage.folder / "diffgram" / "emulator.sqlite"


def _filled(stage: Stage, files: int) -> tuple[int, int]:
    """Fill a dataset beside the case's own; return its id and that of its first file."""
    body = {"nickname": _LARGE, "access_type": "project"}
    made = stage.diffgram.call("POST", "v1/project/{p}/directory/new", body)
    dataset = int(made["new_directory"]["id"])
    label = next(iter(stage.diffgram.labels()))
    told = {"project": stage.diffgram.project, "dataset_id": dataset, "label_file_id": label}
    filled = stage.emulator.control("fill", {**told, "files": files, "boxes": 3})
    return dataset, int(filled["first_file_id"])


def _pull(stage: Stage, folder: Path, dataset: str, format: str = "coco") -> DagRun:
    conf = {"connection": stage.case.name, "path": str(folder), "dataset": dataset, "format": format}
    return stage.airflow.trigger("chaos_pull", conf)


def _kill_at_each(stage: Stage, run: DagRun, requests: range, folder: Path, kept: str | None) -> None:
    """Kill the pull with each of its requests on the way, and let it end then.

    :param requests: which of them, from 0.
    :param kept: version that is the newest all the while.
    """
    for number in requests:
        stage.hold("/file/(list|[0-9]+/annotation/list)$", skip=number)
        stage.kill(run, "pull")
        there = newest(folder).name if (folder / "manifest.json").exists() else None
        stage.insist(there == kept, f"killed at request {number}: {there} is the newest, not {kept}")
    state = run.ended()
    stage.insist(state == "success", f"the pull ended as {state}")


def newest(folder: Path) -> Version:
    """Return the newest version of a set."""
    manifest = json.loads((folder / "manifest.json").read_text())
    content = {}
    with gzip.open(folder / manifest["version"] / "files.jsonl.gz", "rt") as lines:
        for line in lines:
            told = json.loads(line)
            content[told["id"]] = frozenset(row["id"] for row in told["instances"])
    return Version(manifest["version"], content, frozenset(manifest["moved"]))


def stored(database: Path, dataset: int) -> Content:
    """Return what the server holds now."""
    with closing(sqlite3.connect(database, timeout=30)) as base:
        files = base.execute("SELECT id FROM file WHERE directory_id = ? AND state != 'removed'", (dataset,))
        held: dict[int, set[int]] = {file_id: set() for (file_id,) in files}
        for file_id, row_id in base.execute("SELECT file_id, id FROM instance WHERE soft_delete = 0"):
            if file_id in held:
                held[file_id].add(row_id)
    return {file_id: frozenset(rows) for file_id, rows in held.items()}


def moments(database: Path, files: range, began: str) -> Iterator[Content]:
    """Yield what the files held at each moment at which one of them changed since ``began``, and before."""
    with closing(sqlite3.connect(database, timeout=30)) as base:
        query = (
            "SELECT id, file_id, created_time, deleted_time, soft_delete, data FROM instance"
            " WHERE file_id BETWEEN ? AND ?"
        )
        rows = base.execute(query, (files.start, files.stop - 1)).fetchall()
    changes: list[tuple[str, int, int, bool]] = []
    for row_id, file_id, created, deleted, is_gone, data in rows:
        is_tombstone = json.loads(data).get("action_type") == "deleted"
        if not is_tombstone:
            changes.append((_moment(created), file_id, row_id, True))
            if is_gone:
                changes.append((_moment(deleted), file_id, row_id, False))
    held: dict[int, set[int]] = {file_id: set() for file_id in files}
    for moment, file_id, row_id, is_new in sorted(changes):
        if moment >= began:
            yield {each: frozenset(there) for each, there in held.items()}
        (held[file_id].add if is_new else held[file_id].discard)(row_id)
    yield {each: frozenset(there) for each, there in held.items()}


def _moment(told: Any) -> str:
    return str(told).replace(" ", "T")


def now() -> str:
    """Return the present as the server's database has it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _touch(stage: Stage, files: range) -> None:
    """Move a box of each file, as people do."""
    person = Person.of(stage.emulator)
    for file_id in files:
        page = person.open(file_id)
        page.move(0, 3)
        person.save(page)
