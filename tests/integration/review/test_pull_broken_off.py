"""A pull that dies at any request or write leaves the newest version whole, and the next one ends well."""

from __future__ import annotations

import itertools
import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, DiffgramError
from airflow_provider_diffgram.models import Handle, InvalidValueError
from airflow_provider_diffgram.review.pull import Options, Pulled, pull
from airflow_provider_diffgram.review.tasks import add_tasks
from chaos.cases.pulls import lie_of, moments, now, stored
from chaos.cases.pulls import newest as newest_version
from diffgram_emulator.people import Busy, Person
from tests.integration.review.conftest import Desk
from tests.integration.review.test_pull import files_of
from tests.storage import Fault

FILES = 1100
"""Two pages of a listing, three of the explorer."""


class Died(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


@pytest.fixture
def dataset(desk: Desk) -> list[int]:
    body = {"project": desk.client.project, "dataset_id": desk.diffgram.directory_id}
    body |= {"label_file_id": desk.diffgram.labels["cat"], "files": FILES, "boxes": 1}
    first = desk.emulator.control("fill", body)["first_file_id"]
    return list(range(first, first + FILES))


def dying(client: DiffgramClient, after: int) -> DiffgramClient:
    """Return a client whose worker dies with a request on the way."""
    left = itertools.count(after, -1)

    class Mortal(DiffgramClient):
        def send(self, request: Any) -> Any:
            if next(left) == 0:
                raise Died
            return super().send(request)

    return Mortal(client.settings, client.clock)


def leisurely(client: DiffgramClient, seconds: float) -> DiffgramClient:
    """Return a client whose requests are so long on the way, so that much happens meanwhile."""

    class Leisurely(DiffgramClient):
        def send(self, request: Any) -> Any:
            time.sleep(seconds)
            return super().send(request)

    return Leisurely(client.settings, client.clock)


def newest(folder: Path) -> str | None:
    path = folder / "manifest.json"
    return json.loads(path.read_text())["version"] if path.exists() else None


def until_it_ends(desk: Desk, folder: Path, before: str | None) -> tuple[Pulled, int]:
    """Pull, and die one request later each time, until a pull ends."""
    for after in range(60):
        client = dying(desk.client, after)
        try:
            found = pull(client, str(folder), dataset=desk.diffgram.directory_id, only="all")
        except Died:
            assert newest(folder) == before
        else:
            return found, after
    raise AssertionError


def edit(desk: Desk, files: list[int]) -> None:
    for file in files:
        page = desk.person.open(file)
        page.move(0, 1)
        desk.person.save(page)


def test_killed_at_every_request(desk: Desk, dataset: list[int], tmp_path: Path):
    folder = tmp_path / "set"
    first, requests = until_it_ends(desk, folder, None)
    assert (first.files, first.instances, first.moved) == (FILES, FILES, 0)
    assert requests >= 3 + 2, "a page of 500, and one of 1000"
    edit(desk, dataset[:3])
    second, _ = until_it_ends(desk, folder, first.version)
    assert (second.changed, second.kept, second.moved) == (3, FILES - 3, 0)
    assert files_of(second)[dataset[0]].instances[0]["version"] == 2
    third, _ = until_it_ends(desk, folder, second.version)
    assert not third.is_new


@pytest.mark.parametrize("format", ["packets", "coco", "voc"])
def test_broken_off_at_every_write(
    desk: Desk, dataset: list[int], tmp_path: Path, faults: list[Fault], format: str
):
    """The storage refuses one write after the other; its files are those of ``tmp_path``."""

    def again() -> Pulled:
        ids = dataset[:3]
        options = Options(format=format)  # type: ignore[arg-type]
        return pull(desk.client, "flaky://set", file_ids=ids, only="all", options=options)

    def ends(before: str | None) -> Pulled:
        for skip in range(60):
            faults[:] = [Fault("write", lambda: PermissionError("no room"), times=1, skip=skip)]
            try:
                return again()
            except (OSError, DiffgramError, InvalidValueError):  # the last, if a file cannot be opened
                assert newest(tmp_path / "set") == before
        raise AssertionError

    first = ends(None)
    assert (first.files, first.is_new) == (3, True)
    edit(desk, dataset[:1])
    second = ends(first.version)
    assert (second.changed, second.kept, second.previous) == (1, 2, first.version)
    faults.clear()
    assert not again().is_new


@pytest.fixture
def removals(desk: Desk, dataset: list[int], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of files that are removed, each after the next first page of a listing."""
    due: list[int] = []
    send = DiffgramClient.send

    def sent(client: DiffgramClient, request: Any) -> Any:
        answer = send(client, request)
        metadata = (request.json or {}).get("metadata", {}) if isinstance(request.json, dict) else {}
        if due and metadata.get("file_view_mode") == "base" and metadata.get("page") == 1:
            body = {"project": client.project, "file_id": due.pop(), "state": "removed"}
            desk.emulator.control("files", body)
        return answer

    monkeypatch.setattr(DiffgramClient, "send", sent)
    return due


def test_a_file_that_moves_up_while_another_is_removed_is_not_lost(
    desk: Desk, dataset: list[int], removals: list[int], tmp_path: Path
):
    """Pages are newest first: one removed from the first page moves one of the second onto it, unseen."""
    removals.append(dataset[-1])
    version = pull(desk.client, str(tmp_path / "set"), dataset=desk.diffgram.directory_id, only="all")
    assert removals == []
    assert set(files_of(version)) == set(dataset[:-1])


def test_a_dataset_that_is_never_still_is_told(
    desk: Desk, dataset: list[int], removals: list[int], tmp_path: Path
):
    removals.extend(dataset[-20:])
    with pytest.raises(DiffgramError, match="removed while it was listed, 5 times in a row"):
        pull(desk.client, str(tmp_path / "set"), dataset=desk.diffgram.directory_id, only="all")
    assert not (tmp_path / "set").exists()


def test_many_changes_are_read_by_pages(desk: Desk, dataset: list[int], tmp_path: Path):
    """More than a hundred for each page of 500."""

    def again() -> Pulled:
        return pull(desk.client, str(tmp_path / "set"), dataset=desk.diffgram.directory_id, only="all")

    again()
    edit(desk, dataset[:320])
    asked = desk.requests("/annotation/list")
    found = again()
    assert (found.changed, found.kept, found.moved) == (320, FILES - 320, 0)
    assert desk.requests("/annotation/list") == asked


def test_many_files_of_a_job_are_read_by_pages(desk: Desk, dataset: list[int], tmp_path: Path):
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, dataset))
    asked, explored = desk.requests("/annotation/list"), desk.requests("/file/list")
    found = pull(desk.client, str(tmp_path / "job"), job=job.id, only="all")
    assert (found.files, found.instances, found.moved) == (FILES, FILES, 0)
    assert desk.requests("/annotation/list") == asked
    assert desk.requests("/file/list") - explored == 3 + 1, "three pages, and how many files there are"


def test_many_files_of_a_push_are_found_in_its_dataset(desk: Desk, dataset: list[int], tmp_path: Path):
    project, directory_id = desk.client.project, desk.diffgram.directory_id
    ids = dataset[:400]
    handle = Handle(project=project, directory_id=directory_id, expected=400, done_at_send=400, file_ids=ids)
    found = pull(desk.client, str(tmp_path / "push"), handle=handle, only="all")
    assert (found.files, found.moved) == (400, 0)
    asked = desk.requests("/annotation/list")
    assert not pull(desk.client, str(tmp_path / "push"), handle=handle, only="all").is_new
    assert desk.requests("/annotation/list") == asked, "marks are told by the listing"


def test_a_version_is_of_one_moment_or_says_what_moved(desk: Desk, tmp_path: Path):
    """Judged by the server's database, while two people edit without a pause."""
    dataset, label = desk.diffgram.directory_id, desk.diffgram.labels["cat"]
    body = {"project": desk.client.project, "dataset_id": dataset, "label_file_id": label}
    first = desk.emulator.control("fill", {**body, "files": 24, "boxes": 3})["first_file_id"]
    files = range(first, first + 24)
    people = [Person.of(desk.emulator, f"{name}@example.com") for name in ("ada", "grace", "joan", "mary")]
    database = desk.emulator.data_dir / "emulator.sqlite"
    folder = tmp_path / "set"
    client = leisurely(desk.client, 0.1)
    began, seen = now(), []
    with ExitStack() as stack:
        for seed, person in enumerate(people):
            stack.enter_context(Busy(person, files, label, every=0.001, think=0.005, seed=seed))
        for _ in range(6):
            pull(client, str(folder), dataset=dataset, only="all")
            seen.append(newest_version(folder))
    states = list(moments(database, files, began))
    assert len({version.name for version in seen}) > 3
    assert [lie for version in seen if (lie := lie_of(version, states)) is not None] == []
    assert any(version.moved for version in seen)
    last = pull(desk.client, str(folder), dataset=dataset, only="all")
    assert last.moved == 0
    assert newest_version(folder).content == stored(database, dataset)
