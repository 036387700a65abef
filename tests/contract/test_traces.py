"""What each way of writing leaves behind: who made a row, counters, times, echoes, events, tasks.

server.md 10.1, 10.3.3 to 10.3.7, 10.4, 10.5 and 10.8.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .deployment import Deployment, body_of, until
from .media_server import picture
from .person import Person
from .test_annotations import filled, history, new, references, write, written
from .test_reviews import EVENTS, Job, made, open_and
from .world import World

Row = dict[str, Any]


@pytest.fixture(scope="module")
def watched(module_world: World) -> Job:
    """A job that reviews everything."""
    more = {"allow_reviews": True, "review_chance": 100, "reviewer_list_ids": ["all"]}
    return made(module_world, "watched", **more)


def appended(world: World, file_id: int, mode: str, *rows: Row) -> None:
    """Write by a packet, and wait for its row."""
    packet = {"file_id": file_id, "mode": mode, "media": None, "original_filename": None}
    world.ingested(**packet, instance_list=list(rows))


def test_who_made_a_row(world: World) -> None:
    file_id, there = filled(world, 1)
    (added,) = written(world, file_id, [*there, new(world, "n0", 300)])["added_instances"]
    assert there[0]["member_created_id"] == added["member_created_id"] is not None
    packet = world.ingested(instance_list=[world.box(x_max=40, y_max=40)])
    (of_queue,) = until(lambda: world.instances(packet["file_id"]), "the instances of a packet")
    assert of_queue["member_created_id"] is None


def seen(world: World, file_id: int) -> tuple[int, str, int]:
    """Return the counter, the time and the number of rows of a file."""
    file = world.view(file_id)
    return file["count_instances_changed"], file["time_last_updated"], len(world.instances(file_id))


def test_reading_moves_nothing(world: World) -> None:
    file_id, there = filled(world, 2)
    before = world.view(file_id)
    world.instances(file_id)
    history(world, there[0]["id"])
    world.files("explorer", query=f"dataset.id = {world.dataset}")
    assert world.view(file_id)["time_last_updated"] == before["time_last_updated"]


def test_what_an_appended_packet_moves(world: World) -> None:
    file_id, _ = filled(world, 2)
    count, time, live = seen(world, file_id)
    appended(world, file_id, "update", new(world, "n0", 300))
    now = until(lambda: seen(world, file_id) if seen(world, file_id)[2] > live else None, "the new row")
    assert (now[0], now[1] != time, now[2]) == (count + 1, True, live + 1)


def test_what_a_replacing_packet_moves(world: World) -> None:
    """Rows that it takes are not counted, and the same again moves the time alone."""
    file_id, _ = filled(world, 3)
    count, time, _ = seen(world, file_id)
    only = new(world, "n0", 300)
    appended(world, file_id, "update_with_existing", only)
    until(lambda: references(world, file_id) == ["n0"], "the row that replaces")
    after = seen(world, file_id)
    assert (after[0], after[1] != time) == (count + 1, True)
    appended(world, file_id, "update_with_existing", only)
    again = until(lambda: seen(world, file_id) if seen(world, file_id)[1] != after[1] else None, "the time")
    assert (again[0], again[2]) == (count + 1, 1)


def test_the_echo_of_an_upload_stays_as_it_was_sent(world: World) -> None:
    file_id, (first, second) = filled(world, 2)
    written(world, file_id, [{**first, "x_max": first["x_max"] + 7}, {**second, "soft_delete": True}])
    (row,) = world.inputs(file_id=file_id)
    sent = {each["creation_ref_id"]: each["x_max"] for each in row["instance_list"]["list"]}
    assert sent == {"p0": first["x_max"], "p1": second["x_max"]}
    assert row["batch_id"] is None


def test_a_list_that_is_written_leaves_no_input(world: World) -> None:
    file_id, there = filled(world, 1)
    before = [row["id"] for row in world.inputs(file_id=file_id)]
    written(world, file_id, [*there, new(world, "n0", 300)])
    assert [row["id"] for row in world.inputs(file_id=file_id)] == before


def test_a_file_without_instances_and_a_child_take_a_list(world: World) -> None:
    empty = int(world.uploaded("empty.png", picture(640, 480))["file"]["id"])
    assert world.view(empty)["count_instances_changed"] is None
    written(world, empty, [new(world, f"n{n}", 100 * n) for n in range(3)])
    assert (world.view(empty)["count_instances_changed"], len(world.instances(empty))) == (3, 3)
    parent = world.new_compound("scan")
    child = world.uploaded("page.png", picture(640, 480), parent_file_id=parent, ordinal=0)["file"]["id"]
    written(world, child, [new(world, "n0", 100)])
    assert references(world, child) == ["n0"]


def test_no_coordinates_and_null_in_a_list(world: World) -> None:
    file_id, there = filled(world, 2)
    bare = {key: value for key, value in new(world, "bare", 300).items() if key[:2] not in ("x_", "y_")}
    for bad in (bare, None):
        assert write(world, file_id, [*there, new(world, "good", 200), bad]).status_code == 500
        assert references(world, file_id) == ["p0", "p1"]


def test_two_at_once_on_one_text_are_both_taken(world: World) -> None:
    """No lock: whatever the counter says then, every row is there."""
    tokens = {"type": "text_token", "label_file_id": world.labels[0]}
    first = {**tokens, "start_token": 0, "end_token": 0, "creation_ref_id": "t0"}
    file_id = world.uploaded("a.txt", b"one two three four", instance_list=[first])["file"]["id"]
    there = until(lambda: world.instances(file_id), "the token")
    bodies = [
        [*there, {**first, "start_token": n, "end_token": n, "creation_ref_id": f"t{n}"}] for n in (1, 2)
    ]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda body: write(world, file_id, body), bodies))
    assert [answer.status_code for answer in answers] == [200, 200]
    # One that read before the other wrote keeps the other's row; one that read afterwards takes it.
    assert {"t0"} < set(references(world, file_id)) <= {"t0", "t1", "t2"}


def test_what_a_stale_page_took_is_no_event(world: World, person: Person) -> None:
    file_id, page = filled(world, 2)
    written(world, file_id, [*page, new(world, "late", 300)])

    def kinds() -> set[str]:
        return {event["kind"] for event in body_of(world.post(EVENTS, {"file_id": file_id}))["event_list"]}

    until(lambda: "input_file_uploaded" in kinds() and "annotation_update" in kinds(), "events", seen=kinds)
    before = kinds()
    counter = world.view(file_id)["count_instances_changed"]
    person.save(file_id, page)
    assert world.view(file_id)["count_instances_changed"] == counter == 3
    assert references(world, file_id) == ["p0", "p1"]
    assert kinds() == before


def test_a_save_in_the_web_page_is_an_event_of_the_person(world: World, person: Person) -> None:
    file_id, (first, second) = filled(world, 2)
    person.save(file_id, [{**first, "x_max": first["x_max"] + 7}, second])
    body = {"file_id": file_id, "kind": "annotation_update"}

    def told() -> list[Any]:
        return [
            (event["member_id"] is None, event["description"])
            for event in body_of(world.post(EVENTS, body))["event_list"]
        ]

    until(lambda: told()[:1] == [(False, "Changed 1")], "the save as an event of the person", seen=told)


def test_events_are_asked_for_by_kind_file_and_day(deployment: Deployment, world: World) -> None:
    file_id, there = filled(world, 1)
    written(world, file_id, [*there, new(world, "n0", 300)])

    def of_this_file() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = body_of(world.post(EVENTS, {"file_id": file_id}))["event_list"]
        return found

    kinds = {"annotation_update", "input_file_uploaded"}
    until(lambda: kinds <= {event["kind"] for event in of_this_file()}, f"events {kinds}", seen=of_this_file)
    of_file = of_this_file()
    assert {event["file_id"] for event in of_file} == {file_id}
    day = of_file[0]["time_created"]
    from_today = body_of(world.post(EVENTS, {"file_id": file_id, "date_from": day}))["event_list"]
    assert [event["id"] for event in from_today] == [event["id"] for event in of_file]
    assert body_of(world.post(EVENTS, {"file_id": file_id, "date_to": day}))["event_list"] == []
    unknown = {"file_id": file_id, "task_id": 1, "page": 7, "since_id": 1}
    assert len(body_of(world.post(EVENTS, unknown))["event_list"]) == len(of_file)
    assert world.post(EVENTS, {"kind": ""}).status_code == 400
    assert deployment.post(EVENTS, {}, level="Viewer").status_code == 200


def test_a_file_that_waits_for_review_alone_counts_as_complete(watched: Job, person: Person) -> None:
    """The flag is the wrong way round (server.md 10.1)."""
    waits, done = watched.file_with_task(), watched.file_with_task()
    for file_id in (waits, done):
        open_and(person, watched, file_id, "complete")
    open_and(person, watched, done, "review", {"action": "approve"})
    flags = {row["id"]: row["ann_is_complete"] for row in watched.world.files()}
    assert (flags[waits], flags[done]) == (True, False)
    assert watched.task_of(done)["status"] == "complete"


def test_pages_of_tasks_shift_where_a_status_is_asked_for(watched: Job, person: Person) -> None:
    files = [watched.file_with_task() for _ in range(3)]
    pages = [watched.tasks(limit=1, page_number=n)[0]["id"] for n in range(len(watched.tasks()))]
    assert pages == [task["id"] for task in watched.tasks()] == sorted(pages)
    available = [task["id"] for task in watched.tasks(status="available")]
    open_and(person, watched, files[0], "complete")
    second = watched.tasks(limit=1, page_number=1, status="available")
    place = available.index(watched.task_of(files[0])["id"])
    left = [*available[:place], *available[place + 1 :]]
    assert [task["id"] for task in second] == left[1:2]


def test_tasks_are_asked_for_by_file(watched: Job) -> None:
    file_id = watched.file_with_task()
    assert [task["file"]["id"] for task in watched.tasks(file_id=file_id)] == [file_id]
