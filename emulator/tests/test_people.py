"""People as the emulator plays them, and what befalls their work beside a program."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from diffgram_emulator.people import Busy, Person, SaveRefused
from tests.contract.media_server import picture
from world import World, until


def filled(world: World, amount: int = 3, name: str = "a.png") -> int:
    boxes = [world.box(creation_ref_id=f"p{n}", x_min=10 * n, x_max=10 * n + 40) for n in range(amount)]
    return int(world.from_local(name, picture(640, 480), instance_list=boxes).json()["file"]["id"])


def written(world: World, file_id: int, rows: list[dict[str, Any]]) -> Any:
    return world.post(f"/api/project/{{p}}/file/{file_id}/annotation/update", {"instance_list": rows})


def test_what_a_person_did_is_there(world: World) -> None:
    file_id, ada = filled(world), Person.of(world.emulator)
    page = ada.open(file_id)
    page.move(0, 5)
    page.relabel(1, world.labels[1])
    page.delete(2)
    page.draw(world.labels[2], (300, 200, 350, 260))
    ada.save(page)
    assert [edit.kind for edit in ada.edits.values()] == ["moved", "relabelled", "deleted", "drawn"]
    assert ada.undone() == []
    assert len(world.instances(file_id)) == 3


@pytest.mark.parametrize("kind", ["moved", "relabelled", "deleted", "drawn"])
def test_what_is_undone_is_told(world: World, kind: str) -> None:
    file_id, ada = filled(world, 1), Person.of(world.emulator)
    before = world.instances(file_id)
    page = ada.open(file_id)
    {
        "moved": lambda: page.move(0, 5),
        "relabelled": lambda: page.relabel(0, world.labels[1]),
        "deleted": lambda: page.delete(0),
        "drawn": lambda: page.draw(world.labels[2], (300, 200, 350, 260)),
    }[kind]()
    ada.save(page)
    assert written(world, file_id, before).status_code == 200
    (edit,) = ada.undone()
    assert (edit.kind, edit.file_id) == (kind, file_id)


def test_a_page_that_is_refused_is_counted_and_nothing_of_it_saved(world: World) -> None:
    file_id, ada = filled(world), Person.of(world.emulator)
    page = ada.open(file_id)
    page.delete(0)
    world.emulator.fault("annotation/update", "status", status=503)
    with pytest.raises(SaveRefused, match="503"):
        ada.save(page)
    assert (ada.refused, ada.edits, len(world.instances(file_id))) == (1, {}, 3)


def test_people_of_one_email_are_one_and_belong_to_their_projects(world: World) -> None:
    told = [world.emulator.control("people", {"project": world.project}) for _ in range(2)]
    assert told[0] == told[1]
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    stranger = Person.of(other.emulator, "else@example.com")
    assert stranger.post("/api/project/{p}/user/x/working_dir/view").status_code != 200
    there = Person(world.emulator.url, world.project, stranger._headers["Cookie"])
    answer = there.post("/api/v1/project/{p}/event/list")
    assert answer.status_code == 403
    assert "Not a member" in answer.json()["error"]


def test_a_wrong_password_is_refused(world: World) -> None:
    world.emulator.control("people", {"project": world.project})
    body = {"mode": "password", "email": "person@example.com", "password": "wrong"}
    assert world.post("/api/user/login", body, None).status_code == 400


def test_a_person_at_work_beside_a_program_that_appends_blindly_loses_something(own_world: World) -> None:
    """A program that reads, waits and writes undoes what was saved meanwhile (server.md 10.8.5)."""
    files = [filled(own_world, 5, f"{n}.png") for n in range(2)]
    ada = Person.of(own_world.emulator)
    with Busy(ada, files, own_world.labels[1], think=0.02, every=0.0, seed=3) as busy:
        for n in range(25):
            rows = own_world.instances(files[n % 2])
            time.sleep(0.05)
            own = own_world.box(creation_ref_id=f"n{n}", x_min=n, x_max=n + 40)
            written(own_world, files[n % 2], [*rows, own])
    assert busy.saves > 0
    assert ada.undone()


def test_nobody_is_harmed_where_people_are_alone(own_world: World) -> None:
    files = [filled(own_world, 3, f"{n}.png") for n in range(2)]
    ada = Person.of(own_world.emulator)
    with Busy(ada, files, own_world.labels[1], think=0.01, every=0.0) as busy:
        time.sleep(0.5)
    assert busy.saves > 3
    assert (ada.undone(), ada.refused) == ([], 0)


def test_an_image_is_locked_while_it_is_written(own_world: World) -> None:
    file_id = filled(own_world)
    own_world.emulator.tune(update_work=0.3)
    rows = own_world.instances(file_id)
    first = threading.Thread(target=written, args=(own_world, file_id, [*rows, own_world.box(x_max=500)]))
    first.start()
    time.sleep(0.1)
    second = written(own_world, file_id, [*rows, own_world.box(x_max=400)])
    first.join()
    assert (second.status_code, second.json()["error"]["port"]) == (503, 8080)
    assert len(own_world.instances(file_id)) == 4


def test_a_text_is_not_locked_and_the_same_row_is_stored_twice(own_world: World) -> None:
    """Both read before either writes; the counter is one too low (server.md 10.8.3)."""
    token = {"type": "text_token", "label_file_id": own_world.labels[0], "start_token": 0, "end_token": 1}
    made = own_world.from_local("a.txt", b"one two three", instance_list=[token]).json()
    file_id = int(made["file"]["id"])
    own_world.emulator.tune(update_work=0.3)
    rows = own_world.instances(file_id)
    body = [*rows, {**token, "end_token": 2}]
    threads = [threading.Thread(target=written, args=(own_world, file_id, body)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row["end_token"] for row in own_world.instances(file_id)] == [1, 2, 2]
    assert own_world.view(file_id)["count_instances_changed"] == 2


def test_as_many_requests_at_once_as_the_service_has_processes(own_world: World) -> None:
    own_world.emulator.tune(walrus_requests=1, default_requests=3, upload_seconds=0.4)
    began = time.monotonic()
    threads = [threading.Thread(target=own_world.from_local, args=(f"{n}.png", picture())) for n in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    asked = time.monotonic()
    own_world.files()
    answered = time.monotonic() - asked
    for thread in threads:
        thread.join()
    assert time.monotonic() - began > 0.9, "one after the other"
    assert answered < 0.4, "the other service does not wait"
    assert len(own_world.files()) == 3


def test_files_added_while_nobody_makes_tasks_get_none_ever(world: World) -> None:
    file_id = filled(world)
    job = world.post("/api/v1/project/{p}/job/new", {"name": "a"}).json()["job"]["id"]
    world.post("/api/v1/job/launch", {"job_id": job})
    world.emulator.tune(eventhandlers=False)
    add = {"file_id_list": [file_id]}
    listed = {"mode_data": "list", "job_id": job}
    assert world.post(f"/api/v1/job/{job}/add-files", add).json() == [file_id]
    world.emulator.reset()
    assert world.post(f"/api/v1/job/{job}/task/list", listed).json()["task_list"] == []
    world.post(f"/api/v1/job/{job}/add-files", add)
    assert len(world.post(f"/api/v1/job/{job}/task/list", listed).json()["task_list"]) == 1


def test_events_tell_of_what_comes_in(world: World) -> None:
    world.new_dataset("other")
    file_id = world.ingested(original_filename="a.png")["file_id"]
    told = world.post("/api/v1/project/{p}/event/list").json()["event_list"]
    kinds = [event["kind"] for event in told]
    assert kinds == ["input_file_uploaded", "input_from_packet", "new_directory", *["new_label"] * 3]
    assert told[0]["file_id"] == file_id


def test_events_of_long_transactions_appear_after_later_ones(world: World) -> None:
    """Ids do not ascend in the order in which events are seen (server.md 10.4)."""
    world.emulator.tune(event_lag=1.0)
    for number in range(12):
        world.new_dataset(f"other-{number}")
    seen: list[int] = []

    def all_there() -> bool:
        told = world.post("/api/v1/project/{p}/event/list", {"kind": "new_directory"}).json()["event_list"]
        seen.extend(sorted(event["id"] for event in told if event["id"] not in seen))
        return len(seen) == 12

    until(all_there, "the events")
    assert seen != sorted(seen)


def test_a_save_that_comes_while_a_program_writes_what_it_read_is_undone(own_world: World) -> None:
    """The window of a read and a write, held open (server.md 10.8.5)."""
    file_id, ada = filled(own_world), Person.of(own_world.emulator)
    rows = own_world.instances(file_id)
    own_world.emulator.fault("annotation/update", "held", by="program")
    answers: list[Any] = []
    body = [*rows, own_world.box(x_max=500)]
    writing = threading.Thread(target=lambda: answers.append(written(own_world, file_id, body)))
    writing.start()
    until(lambda: not own_world.state()["faults"], "the write is held")
    page = ada.open(file_id)
    page.draw(own_world.labels[1], (300, 200, 350, 260), "drawn")
    ada.save(page)
    assert ada.undone() == []
    own_world.emulator.release()
    writing.join()
    (answer,) = answers
    assert len(answer.json()["log"]["warning"]["missing_ids"]) == 1
    assert [edit.reference for edit in ada.undone()] == ["drawn"]


def test_a_file_whose_row_somebody_holds_is_not_saved(world: World) -> None:
    file_id, ada = filled(world), Person.of(world.emulator)
    rows = world.instances(file_id)
    world.emulator.lock(file_id)
    assert written(world, file_id, rows).status_code == 503
    with pytest.raises(SaveRefused):
        ada.save(ada.open(file_id))
    world.emulator.lock(file_id, locked=False)
    assert written(world, file_id, rows).status_code == 200


def test_faults_may_meet_people_alone(world: World) -> None:
    file_id, ada = filled(world), Person.of(world.emulator)
    world.emulator.fault("annotation/update", "status", by="person")
    assert written(world, file_id, world.instances(file_id)).status_code == 200
    with pytest.raises(SaveRefused):
        ada.save(ada.open(file_id))
