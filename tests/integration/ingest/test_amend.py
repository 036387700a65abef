"""Predictions written into files that are there: at once, proved, and people's work kept whatever happens."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.models import InvalidValueError
from diffgram_emulator.people import Busy, Page, Person
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import Kept, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media

WRITE = "annotation/update"


@pytest.fixture
def file_id(diffgram: LiveDiffgram, media: Media) -> int:
    """The file ``a.png`` with boxes at 1 and 21, both of a machine."""
    diffgram.pushed([image(media, "a.png", robot(1), robot(21))])
    return diffgram.file("a.png").id


def robot(left: int, **more: Any) -> dict[str, Any]:
    return box(left, machine_made=True, **more)


def update(file_id: int, *boxes: dict[str, Any], mode: str = "update") -> dict[str, Any]:
    return {"file_id": file_id, "mode": mode, "instance_list": boxes}


class Between(HTTPAdapter):
    """The way to the server, on which something may happen just before a write, or after its answer came."""

    def __init__(
        self, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None
    ) -> None:
        super().__init__()
        self.before, self.after = before, after

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        is_write = WRITE in request.url
        before, after = self.before, self.after
        if is_write:
            self.before = self.after = None
        if is_write and before is not None:
            before()
        answer = super().send(request, *args, **more)
        if is_write and after is not None:
            after()
        return answer


@contextmanager
def between(
    diffgram: LiveDiffgram, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None
) -> Iterator[None]:
    """Let something happen just before the next write, or after the server has answered it."""
    session = diffgram.client._session
    adapter = session.get_adapter("http://")
    session.mount("http://", Between(before, after))
    try:
        yield
    finally:
        session.mount("http://", adapter)


def lose_the_answer() -> None:
    raise requests.ConnectionError("reset")


class Killed(BaseException):
    """The worker is gone."""


def die() -> None:
    raise Killed


def saved(ada: Person, file_id: int, edit: Callable[[Page], Any]) -> None:
    page = ada.open(file_id)
    edit(page)
    ada.save(page)


def requests_for(diffgram: LiveDiffgram, work: Callable[[], Any]) -> list[str]:
    """Return the paths of what was asked for while something was done, but for looks at names and runs."""
    before = diffgram.emulator.requests()["total"]
    work()
    latest = diffgram.emulator.requests(before)["latest"]
    return [each["path"] for each in latest]


def test_predictions_are_in_when_the_push_returns(diffgram: LiveDiffgram, file_id: int):
    diffgram.emulator.pause_queue()
    handle = diffgram.push([update(file_id, robot(3), robot(5))])
    assert (handle.done_at_send, handle.batches, handle.skipped) == (1, [], 0)
    assert diffgram.lefts(file_id) == [1, 3, 5, 21]
    assert diffgram.push([update(file_id, robot(3), robot(5))]).skipped == 1
    replaced = diffgram.push([update(file_id, robot(7), mode="update_with_existing")])
    assert (replaced.done_at_send, diffgram.lefts(file_id)) == (1, [7])
    assert diffgram.done(replaced).summary() == "1 expected: 1 succeeded"


def test_rows_that_were_there_keep_id_score_and_reference(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", robot(1, score=0.5, creation_ref_id="mine"))])
    file_id = diffgram.file("a.png").id
    before = diffgram.instances(file_id)
    diffgram.push([update(file_id, robot(3, score=0.25))])
    kept, new = diffgram.instances(file_id)
    assert [kept] == before
    assert (new["score"], new["machine_made"], new["version"]) == (0.25, True, 1)


def test_the_model_and_its_run_are_those_that_the_packet_names(diffgram: LiveDiffgram, media: Media):
    named = {"model_ref": "detector", "model_run_ref": "night-1"}
    diffgram.pushed([image(media, "a.png", robot(1, **named))])
    file_id = diffgram.file("a.png").id
    (first,) = diffgram.instances(file_id)
    handle = diffgram.push([update(file_id, robot(3, **named))])
    assert handle.done_at_send == 1
    second = diffgram.instances(file_id)[1]
    assert (second["model_id"], second["model_run_id"]) == (first["model_id"], first["model_run_id"])
    assert first["model_run_id"] is not None


def test_a_run_that_the_server_does_not_know_is_introduced_by_the_queue(diffgram: LiveDiffgram, media: Media):
    names = ("a.png", "b.png", "c.png")
    diffgram.pushed([image(media, name, robot(1)) for name in names])
    ids = [diffgram.file(name).id for name in names]
    new = {"model_ref": "detector", "model_run_ref": "night-2"}
    handle = diffgram.push([update(file_id, robot(3, **new)) for file_id in ids])
    assert diffgram.done(handle).succeeded == 3
    assert handle.done_at_send == 2, "one introduces the run"
    runs = {diffgram.instances(file_id)[1]["model_run_id"] for file_id in ids}
    assert len(runs) == 1
    assert None not in runs


Edit = Callable[[Page], Any]

EDITS: dict[str, Edit] = {
    "moves": lambda page: page.move(0, 1),
    "deletes": lambda page: page.delete(0),
    "draws": lambda page: page.draw(page.rows[0]["label_file_id"], (60, 2, 69, 11)),
    "draws and deletes": lambda page: (EDITS["draws"](page), page.delete(1)),
    "does all": lambda page: (page.move(0, 1), EDITS["draws"](page), page.delete(1)),
    "deletes all": lambda page: (page.delete(0), page.delete(1)),
}


@pytest.mark.parametrize("is_answer_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
@pytest.mark.parametrize("edit", EDITS)
def test_what_a_person_saves_between_reading_and_writing_stays_as_they_left_it(
    diffgram: LiveDiffgram, file_id: int, ada: Person, edit: str, mode: str, is_answer_lost: bool
):
    after = lose_the_answer if is_answer_lost else None
    with between(diffgram, lambda: saved(ada, file_id, EDITS[edit]), after):
        handle = diffgram.push([update(file_id, robot(3), mode=mode)])
    assert handle.done_at_send == 1
    assert ada.edits
    assert ada.undone() == []
    untouched = {"moves": 1, "deletes": 1, "draws": 2, "draws and deletes": 1}.get(edit, 0)
    theirs = len([each for each in ada.edits.values() if each.kind != "deleted"])
    assert len(diffgram.lefts(file_id)) == 1 + theirs + (untouched if mode == "update" else 0)
    before = diffgram.instances(file_id)
    assert diffgram.push([update(file_id, robot(3), mode=mode)]).skipped == 1
    assert diffgram.instances(file_id) == before


def test_a_person_who_saves_while_they_are_given_back_what_they_saved_loses_nothing(
    diffgram: LiveDiffgram, file_id: int, ada: Person
):
    def again() -> None:
        session = diffgram.client._session
        session.mount("http://", Between(lambda: saved(ada, file_id, lambda page: page.move(0, 5))))

    with between(diffgram, lambda: saved(ada, file_id, EDITS["does all"]), again):
        diffgram.push([update(file_id, robot(3))])
    assert ada.undone() == []


@pytest.mark.parametrize("fault", ["reset_after", "reset_before", "truncate", "malformed"])
@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_a_lost_answer_writes_the_file_once(diffgram: LiveDiffgram, file_id: int, fault: str, mode: str):
    diffgram.emulator.fault(WRITE, fault, by="program")
    handle = diffgram.push([update(file_id, robot(3), robot(5), mode=mode)])
    assert handle.done_at_send == 1
    assert diffgram.lefts(file_id) == ([1, 3, 5, 21] if mode == "update" else [3, 5])
    assert diffgram.state()["faults"] == 0


@pytest.mark.parametrize("lefts", [(3,), (3, 5)], ids=["one", "all"])
@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_what_a_person_deletes_before_the_answer_is_lost_is_not_written_again(
    diffgram: LiveDiffgram, file_id: int, ada: Person, lefts: tuple[int, ...], mode: str
):
    def delete(page: Page) -> None:
        for index, row in enumerate(page.rows):
            if row["x_min"] in lefts:
                page.delete(index)
        page.draw(page.rows[0]["label_file_id"], (60, 60, 90, 90))

    def act() -> None:
        saved(ada, file_id, delete)
        lose_the_answer()

    with between(diffgram, after=act):
        assert diffgram.push([update(file_id, robot(3), robot(5), mode=mode)]).done_at_send == 1
    assert ada.undone() == []
    there = {1, 21, 3, 5, 60} if mode == "update" else {3, 5, 60}
    assert diffgram.lefts(file_id) == sorted(there - set(lefts))


def test_a_locked_file_is_written_once_it_is_free(diffgram: LiveDiffgram, file_id: int):
    diffgram.emulator.lock(file_id)
    timer = threading.Timer(0.5, lambda: diffgram.emulator.lock(file_id, locked=False))
    timer.start()
    assert diffgram.push([update(file_id, robot(3))]).done_at_send == 1
    timer.join()
    assert diffgram.lefts(file_id) == [1, 3, 21]


def test_a_row_that_the_server_refuses_is_told_with_what_was_stored(diffgram: LiveDiffgram, file_id: int):
    diffgram.emulator.fault(
        WRITE, "status", status=400, body={"log": {"error": {"width": "too small"}, "success": False}}
    )
    with pytest.raises(PushError, match="0 of 1 prediction stored in file"):
        diffgram.push([update(file_id, robot(3))])


def test_two_requests_a_file(diffgram: LiveDiffgram, media: Media):
    names = [f"{number}.png" for number in range(8)]
    diffgram.pushed([image(media, name, robot(1)) for name in names])
    packets = [image(media, name, robot(1), robot(3)) for name in names]
    before = diffgram.emulator.requests()
    assert diffgram.push(packets, if_exists="append").done_at_send == 8
    asked = diffgram.emulator.requests()
    assert count(asked, "annotation/list") - count(before, "annotation/list") == 8
    assert count(asked, WRITE) - count(before, WRITE) == 8
    assert count(asked, "") - count(before, "") <= 8 * 2 + 12, "the looks of the whole push"


def count(counted: dict[str, Any], part: str) -> int:
    return sum(each["count"] for each in counted["counts"] if part in each["path"])


def test_children_and_compound_files_are_written_too(diffgram: LiveDiffgram, media: Media):
    parent_id = diffgram.compound("scene")
    child = {**image(media, "left.png", robot(1)), "parent_file_id": parent_id, "ordinal": 0}
    diffgram.pushed([child])
    more = {**image(media, "left.png", robot(1), robot(3)), "parent_file_id": parent_id, "ordinal": 0}
    assert diffgram.push([more], if_exists="append").done_at_send == 1
    (left,) = diffgram.children(parent_id)
    assert diffgram.lefts(left.id) == [1, 3]


def test_texts_and_files_that_somebody_has_begun_go_by_the_queue(
    diffgram: LiveDiffgram, media: Media, file_id: int
):
    diffgram.pushed([image(media, "b.png", robot(1))])
    other = diffgram.file("b.png").id
    job = diffgram.ask(
        routes.create_job,
        "review",
        schema_id=diffgram.ask(routes.list_schemas)[0].id,
        datasets={diffgram.directory_id: "predictions"},
    )
    diffgram.client.send(routes.launch_job(diffgram.client.project, job.id))
    deadline = time.monotonic() + 20
    while len(tasks := diffgram.ask(routes.list_job_tasks, job.id).task_list) < 2:
        until(tasks, deadline)
    begun = next(task for task in tasks if task.file is not None and task.file.id == file_id)
    diffgram.emulator.control(
        "tasks", {"project": diffgram.client.project, "task_id": begun.id, "status": "in_progress"}
    )
    handle = diffgram.push([update(file_id, robot(3)), update(other, robot(3))])
    assert handle.done_at_send == 1
    assert [batch.inputs for batch in handle.batches] == [1]
    assert diffgram.done(handle).succeeded == 2
    assert diffgram.lefts(other) == [1, 3]
    assert diffgram.push([update(file_id, robot(5))], delivery="upload").done_at_send == 1


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_a_death_between_write_and_repair_is_made_good_by_the_next_attempt(
    diffgram: LiveDiffgram, file_id: int, ada: Person, edit: str, mode: str
):
    saved(ada, file_id, lambda page: page.draw(diffgram.labels["cat"], (40, 2, 49, 11)))
    ada.edits.clear()
    memory, packet = Kept(), update(file_id, robot(3), mode=mode)
    with (
        between(diffgram, lambda: saved(ada, file_id, EDITS[edit]), die),
        pytest.raises(Killed),
    ):
        diffgram.push([packet], memory=memory, delivery="upload")
    assert list(memory.files) == [file_id]
    diffgram.push([packet], memory=memory)
    assert memory.files == {}
    assert ada.undone() == []


@pytest.mark.parametrize("edit", ["moves", "does all"])
def test_what_a_replacement_kept_of_people_is_kept_by_the_attempt_after_a_death(
    diffgram: LiveDiffgram, file_id: int, ada: Person, edit: str
):
    """They saved after the first read and before a later one, so it is as old as what goes."""
    saved(ada, file_id, lambda page: page.draw(diffgram.labels["cat"], (40, 2, 49, 11)))
    ada.edits.clear()
    memory, packet = Kept(), update(file_id, robot(3), mode="update_with_existing")

    def save_and_fail() -> None:
        saved(ada, file_id, EDITS[edit])
        diffgram.client._session.mount("http://", Between(after=die))
        lose_the_answer()

    with between(diffgram, save_and_fail), pytest.raises(Killed):
        diffgram.push([packet], memory=memory, delivery="upload")
    diffgram.push([packet], memory=memory, delivery="upload")
    assert ada.undone() == []


def test_a_busy_person_loses_nothing(diffgram: LiveDiffgram, media: Media, ada: Person):
    names = [f"{number}.png" for number in range(4)]
    diffgram.pushed([image(media, name, robot(1), robot(21)) for name in names])
    ids = [diffgram.file(name).id for name in names]
    with Busy(ada, ids, diffgram.labels["dog"], think=0.0, every=0.02, seed=3) as busy:
        for turn in range(6):
            new = robot(100, y_min=20 * turn, y_max=20 * turn + 9)  # none is another one that was moved
            diffgram.pushed([update(file_id, new) for file_id in ids])
    assert busy.saves > 10
    assert ada.undone() == []


@pytest.mark.parametrize("left", [(3,), (3, 5)], ids=["one", "all"])
def test_what_a_person_removes_of_a_queued_change_before_the_wait_looks_was_stored(
    diffgram: LiveDiffgram, file_id: int, ada: Person, left: tuple[int, ...]
):
    handle = diffgram.push([update(file_id, robot(3), robot(5))], delivery="queue")
    deadline = time.monotonic() + 20
    while len(diffgram.lefts(file_id)) < 4:
        until("the change", deadline)

    def delete(page: Page) -> None:
        for index, row in enumerate(page.rows):
            if row["x_min"] in left:
                page.delete(index)

    saved(ada, file_id, delete)
    receipt = diffgram.done(handle)
    assert (receipt.succeeded, receipt.failed) == (1, 0)


def test_what_a_queued_change_never_stored_is_missing_whatever_people_removed(
    diffgram: LiveDiffgram, file_id: int, ada: Person
):
    saved(ada, file_id, lambda page: page.delete(0))
    handle = diffgram.push([update(file_id, robot(3), robot(5))], delivery="queue")
    assert diffgram.done(handle).succeeded == 1
    with sqlite3.connect(diffgram.emulator.data_dir / "emulator.sqlite", timeout=30) as database:
        gone = "DELETE FROM instance WHERE file_id = ? AND json_extract(data, '$.x_min') = 3"
        assert database.execute(gone, (file_id,)).rowcount == 1
    receipt = diffgram.done(handle)
    assert (receipt.succeeded, receipt.failed) == (0, 1)
    assert "x_min 3" in str(receipt.failures)


def test_the_instances_of_a_compound_file_are_written_since_the_queue_would_hang_quirk_33(
    diffgram: LiveDiffgram,
):
    parent = diffgram.compound("scene")
    whole = {"type": "global", "machine_made": True}
    assert diffgram.push([update(parent, whole, robot(1))]).done_at_send == 1
    assert sorted(each["type"] for each in diffgram.instances(parent)) == ["box", "global"]
    assert diffgram.push([update(parent, whole, robot(1))]).skipped == 1
    new = robot(3, model_ref="new", model_run_ref="1")
    with pytest.raises(PushError, match="the queue cannot change a compound file"):
        diffgram.push([update(parent, new)])
    with pytest.raises(InvalidValueError, match="would hang in the queue for ever"):
        diffgram.push([update(parent, robot(5))], delivery="queue")
    assert [row.mode for row in diffgram.inputs()].count("update") == 0
