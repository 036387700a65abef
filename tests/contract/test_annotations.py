"""Writing the annotations of a file as a whole, and their past (server.md 10.3 and 10.8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from .deployment import UNKNOWN_ID, Deployment, body_of, status_of, until
from .media_server import CLIP, picture
from .person import Person
from .test_instances import KINDS
from .world import World

Row = dict[str, Any]


def filled(world: World, amount: int = 3, name: str = "a.png") -> tuple[int, list[Row]]:
    """Upload an image with boxes, and return its id and its rows, ordered by reference."""
    boxes = [new(world, f"p{n}", 10 * n) for n in range(amount)]
    file_id = int(world.uploaded(name, picture(640, 480), instance_list=boxes)["file"]["id"])
    return file_id, rows_of(world, file_id)


def new(world: World, reference: str, x: int, **more: Any) -> Row:
    """Return a row that is not there yet."""
    sides = {"x_min": x, "x_max": x + 50, "y_min": 20, "y_max": 90}
    fixed = {"machine_made": True, "score": 0.5, "creation_ref_id": reference}
    return world.box(**sides, **fixed, **more)


def rows_of(world: World, file_id: int) -> list[Row]:
    return sorted(world.instances(file_id), key=lambda row: str(row["creation_ref_id"]))


def references(world: World, file_id: int) -> list[str]:
    return [row["creation_ref_id"] for row in rows_of(world, file_id)]


def write(world: World, file_id: int, rows: Any, **body: Any) -> requests.Response:
    path = f"/api/project/{{p}}/file/{file_id}/annotation/update"
    answer: requests.Response = world.post(path, {"instance_list": rows, "and_complete": False, **body})
    return answer


def written(world: World, file_id: int, rows: Any, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = body_of(write(world, file_id, rows, **body))
    return found


def history(world: World, instance_id: int) -> list[Row]:
    path = f"/api/v1/project/{{p}}/instance/{instance_id}/history"
    found: list[Row] = body_of(world.post(path))["instance_history"]
    return found


def test_an_echo_and_one_more_adds_one(world: World) -> None:
    file_id, there = filled(world)
    answer = written(world, file_id, [*there, new(world, "n0", 300)])
    (added,) = answer["added_instances"]
    assert (answer["success"], answer["log"]["success"], answer["deleted_instances"]) == (True, True, [])
    assert "warning" not in answer["log"]
    assert (added["creation_ref_id"], added["score"], added["machine_made"]) == ("n0", 0.5, True)
    assert (added["version"], added["previous_id"], added["root_id"]) == (1, None, added["id"])
    assert added["member_created_id"] is not None
    assert answer["new_file"]["count_instances_changed"] == 4
    now = {row["creation_ref_id"]: row for row in rows_of(world, file_id)}
    assert [now[f"p{n}"] for n in range(3)] == there


CONTENT = (
    "id", "type", "label_file_id", "x_min", "x_max", "y_min", "y_max", "machine_made", "attribute_groups",
    "number", "rating", "soft_delete", "points", "nodes", "edges", "center_x", "center_y", "width", "height",
    "angle", "p1", "p2", "cp", "front_face", "rear_face",
)  # fmt: skip
"""What the server recognises a row by."""


@pytest.mark.parametrize("fields", ["all", "content"])
def test_rows_of_each_kind_are_recognised(world: World, fields: str) -> None:
    sent = [
        {"type": kind, "label_file_id": world.labels[0], "creation_ref_id": kind, "score": 0.25, **geometry}
        for kind, geometry in KINDS.items()
    ]
    polygon = {"points": [{"x": 1.5, "y": 2.25}, {"x": 30, "y": 2.5}, {"x": 9, "y": 40.75}]}
    sent += [
        {"type": "polygon", "label_file_id": world.labels[1], "creation_ref_id": "floats", **polygon},
        {"type": "global", "creation_ref_id": "global"},
        new(world, "rated", 300, number=4, rating=3),
    ]
    file_id = world.uploaded("kinds.png", picture(640, 480), instance_list=sent)["file"]["id"]
    there = rows_of(world, file_id)
    assert len(there) == len(sent)
    page = there if fields == "all" else [{key: row[key] for key in CONTENT} for row in there]
    answer = written(world, file_id, [*page, new(world, "n0", 400)])
    assert [row["creation_ref_id"] for row in answer["added_instances"]] == ["n0"]
    assert answer["deleted_instances"] == []
    assert [row for row in rows_of(world, file_id) if row["creation_ref_id"] != "n0"] == there


def test_a_row_is_recognised_without_its_label(world: World) -> None:
    file_id, there = filled(world)
    page = [{key: value for key, value in row.items() if key != "label_file"} for row in there]
    assert written(world, file_id, page)["added_instances"] == []
    assert rows_of(world, file_id) == there


def test_an_echo_that_lacks_a_field_of_the_content_makes_every_row_anew(world: World) -> None:
    file_id, there = filled(world, 2)
    lacking = ("machine_made", "score", "root_id", "version", "label_file")
    page = [{key: value for key, value in row.items() if key not in lacking} for row in there]
    answer = written(world, file_id, page)
    assert sorted(answer["deleted_instances"]) == sorted(row["id"] for row in there)
    now = rows_of(world, file_id)
    assert [(row["score"], row["machine_made"], row["root_id"]) for row in now] == [(None, False, None)] * 2
    assert [row["creation_ref_id"] for row in now] == ["p0", "p1"]


def test_the_list_is_the_whole_file(world: World) -> None:
    file_id, there = filled(world)
    answer = written(world, file_id, [new(world, "alone", 300)])
    gone = sorted(row["id"] for row in there)
    assert sorted(answer["deleted_instances"]) == gone
    assert sorted(answer["log"]["warning"]["missing_ids"]) == gone
    assert references(world, file_id) == ["alone"]


@pytest.mark.parametrize("rows", [[], None], ids=["empty", "null"])
def test_an_empty_list_does_nothing(world: World, rows: Any) -> None:
    file_id, there = filled(world, 2)
    answer = written(world, file_id, rows)
    assert not answer.get("added_instances")
    assert not answer.get("deleted_instances")
    assert answer["log"]["success"] is False
    assert rows_of(world, file_id) == there


def test_the_same_list_twice_changes_nothing_the_second_time(world: World) -> None:
    file_id, there = filled(world)
    moved = {**there[0], "x_max": there[0]["x_max"] + 7}
    body = [moved, {**there[1], "soft_delete": True}, there[2], new(world, "n0", 300)]
    written(world, file_id, body)
    first = rows_of(world, file_id)
    again = written(world, file_id, body)
    assert (again["added_instances"], again["deleted_instances"]) == ([], [])
    assert rows_of(world, file_id) == first


def test_a_row_equal_to_another_is_dropped_whatever_its_reference(world: World) -> None:
    file_id, there = filled(world, 1)
    twin = {**new(world, "twin", 0), "score": 0.9}
    answer = written(world, file_id, [*there, twin, new(world, "n0", 300), new(world, "n1", 300)])
    assert [row["creation_ref_id"] for row in answer["added_instances"]] == ["n0"]
    assert answer["new_file"]["count_instances_changed"] == 2


def test_an_edit_a_deletion_and_their_past(world: World) -> None:
    file_id, (first, second, third) = filled(world)
    body = [{**first, "x_max": first["x_max"] + 7}, {**second, "soft_delete": True}, third]
    answer = written(world, file_id, body)
    assert sorted(answer["deleted_instances"]) == [first["id"], second["id"]]
    edited, tombstone = sorted(answer["added_instances"], key=lambda row: bool(row["soft_delete"]))
    assert (edited["previous_id"], edited["root_id"], edited["version"]) == (first["id"], first["id"], 2)
    assert (edited["action_type"], edited["score"], edited["creation_ref_id"]) == ("edited", 0.5, "p0")
    assert (tombstone["action_type"], tombstone["soft_delete"]) == ("deleted", True)
    assert references(world, file_id) == ["p0", "p2"]
    assert answer["new_file"]["count_instances_changed"] == 5
    told = [(row["id"], row["soft_delete"], row["deletion_type"]) for row in history(world, first["id"])]
    assert told == [(edited["id"], False, None), (first["id"], True, "system_deletion")]
    told = [(row["id"], row["action_type"], row["deletion_type"]) for row in history(world, second["id"])]
    assert told == [(tombstone["id"], "deleted", None), (second["id"], "created", "user")]


def test_a_deleted_row_that_is_named_again_comes_back(world: World) -> None:
    file_id, (first, second) = filled(world, 2)
    written(world, file_id, [{**first, "soft_delete": True}, second])
    answer = written(world, file_id, [first, second])
    (back,) = answer["added_instances"]
    assert (back["action_type"], back["version"], back["root_id"]) == ("undeleted", 2, first["id"])
    assert (back["score"], back["creation_ref_id"]) == (0.5, "p0")


def test_a_deleted_row_without_its_id_is_made_anew(world: World) -> None:
    file_id, (first, second) = filled(world, 2)
    written(world, file_id, [{**first, "soft_delete": True}, second])
    answer = written(world, file_id, [second, new(world, "p0", 0)])
    (again,) = answer["added_instances"]
    assert (again["version"], again["root_id"], again["previous_id"]) == (1, again["id"], None)


def test_an_unknown_id_is_kept_as_the_previous_one(world: World) -> None:
    file_id, there = filled(world, 1)
    (made,) = written(world, file_id, [*there, new(world, "x", 300, id=UNKNOWN_ID)])["added_instances"]
    assert (made["previous_id"], made["root_id"], made["action_type"]) == (UNKNOWN_ID, None, "edited")
    assert [row["id"] for row in history(world, made["id"])] == [made["id"]]


BAD: dict[str, tuple[Row, str]] = {
    "unknown label": ({"label_file_id": UNKNOWN_ID}, "valid_label_file"),
    "no label": ({"label_file_id": None}, "label_file_id"),
    "inverted": ({"x_min": 400, "x_max": 300}, "width"),
    "float": ({"x_min": 300.5}, "x_min"),
    "unknown type": ({"type": "blob"}, "valid_values_list"),
}


@pytest.mark.parametrize("case", BAD)
def test_after_a_named_error_what_came_before_is_stored_and_nothing_deleted(world: World, case: str) -> None:
    change, key = BAD[case]
    file_id, there = filled(world, 2)
    body = [*there, new(world, "good", 200), {**new(world, "bad", 300), **change}, new(world, "after", 400)]
    answer = write(world, file_id, body)
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, [key])
    assert references(world, file_id) == ["good", "p0", "p1"]


@pytest.mark.parametrize(
    "bad, status",
    [
        ({"model_id": UNKNOWN_ID}, 503),
        ({"model_run_id": UNKNOWN_ID}, 503),
        ({"score": "high"}, 503),
        ({"number": 2**40}, 503),
        ({"creation_ref_id": "bad\x00"}, 500),
        (None, 500),
        ({"x_min": None, "x_max": None, "y_min": None, "y_max": None}, 500),
    ],
    ids=["model", "run", "score", "number", "nul", "null", "no coordinates"],
)
def test_a_value_for_the_database_stores_nothing_and_harms_nobody(
    world: World, bad: Row | None, status: int
) -> None:
    file_id, there = filled(world, 2)
    row = None if bad is None else {**new(world, "bad", 300), **bad}
    path = f"/api/project/{{p}}/file/{file_id}/annotation/update"
    body = {"instance_list": [*there, new(world, "good", 200), row]}
    if status == 503:
        assert world.deployment.is_refused_by_database("POST", path, json=body)
    else:
        assert world.post(path, body).status_code == 500
    assert rows_of(world, file_id) == there


def test_no_list_is_500(world: World) -> None:
    file_id, there = filled(world, 1)
    assert write(world, file_id, "rows").status_code == 500
    assert rows_of(world, file_id) == there


def test_who_may_not_and_what_is_not_there(world: World) -> None:
    file_id, _ = filled(world, 1)
    path = f"/api/project/{{p}}/file/{file_id}/annotation/update"
    assert world.post(path, {"instance_list": []}, "Viewer").status_code == 403
    assert write(world, UNKNOWN_ID, [new(world, "n0", 0)]).status_code == 500
    assert world.post(f"/api/v1/project/{{p}}/instance/{UNKNOWN_ID}/history").status_code == 500


def test_references_of_models_are_ignored_and_their_ids_kept(world: World) -> None:
    run = world.deployment.prefix
    box = new(world, "p0", 0, model_ref=f"{run} model", model_run_ref=run)
    file_id = world.uploaded("m.png", picture(640, 480), instance_list=[box])["file"]["id"]
    (there,) = world.instances(file_id)
    assert there["model_run_id"] is not None
    ids = {key: there[key] for key in ("model_id", "model_run_id")}
    body = [there, new(world, "by-id", 200, **ids), new(world, "by-ref", 300, model_ref=f"{run} model")]
    written(world, file_id, body)
    found = {
        row["creation_ref_id"]: (row["model_id"], row["model_run_id"]) for row in world.instances(file_id)
    }
    assert found == {"p0": tuple(ids.values()), "by-id": tuple(ids.values()), "by-ref": (None, None)}


def test_two_at_once_on_one_image(world: World) -> None:
    """One of them may be told 503, and then nothing of it is stored."""
    file_id, there = filled(world)
    bodies = [[*there, new(world, f"n{n}", 100 * n + 200)] for n in range(2)]
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda body: status_of(lambda: write(world, file_id, body)), bodies))
    stored = [n for n, code in enumerate(codes) if code == 200]
    assert set(codes) <= {200, 503}
    assert stored
    if len(stored) == 1:
        assert references(world, file_id) == [f"n{stored[0]}", "p0", "p1", "p2"]


def test_a_compound_parent_takes_boxes(world: World) -> None:
    parent = world.new_compound("parent")
    answer = written(world, parent, [new(world, "n0", 10), {"type": "global"}])
    assert len(answer["added_instances"]) == 2
    assert answer["new_file"]["count_instances_changed"] == 2


def test_a_frame_of_a_video(world: World) -> None:
    box = world.box(x_max=40, y_max=60, number=1)
    made = world.from_local("v.mp4", CLIP, frame_packet_map={"0": [box]}).json()
    file_id = world.settled_video(made["input"]["id"])["file_id"]
    video = {
        "video_mode": True,
        "video_file_id": file_id,
        "current_frame": 3,
        "set_parent_instance_list": False,
    }
    answer = written(world, file_id, [{**box, "machine_made": True}], video_data=video)
    (added,) = answer["added_instances"]
    assert (added["number"], added["sequence_id"], added["file_id"] == file_id) == (1, None, False)
    path = f"/api/project/{{p}}/video/{file_id}/instance/buffer/start/0/end/5/list"
    frames = body_of(world.post(path, {"directory_id": world.dataset}))["instance_buffer_dict"]
    assert {key: len(rows) for key, rows in frames.items() if rows} == {"0": 1, "3": 1}


def test_the_hash_stays_and_the_time_moves(world: World) -> None:
    file_id, there = filled(world, 2)
    before = world.view(file_id)
    written(world, file_id, there)
    same = world.view(file_id)
    assert (same["hash"], same["count_instances_changed"]) == (before["hash"], 2)
    assert same["time_last_updated"] != before["time_last_updated"]
    written(world, file_id, [*there, new(world, "n0", 300)])
    after = world.view(file_id)
    assert (after["hash"], after["count_instances_changed"]) == (before["hash"], 3)


def test_numbers_by_label_are_right_after_it_and_not_after_an_appended_packet(world: World) -> None:
    file_id, there = filled(world, 2)
    written(world, file_id, [*there, new(world, "n0", 300)])
    assert amounts(world, file_id) == {world.labels[0]: 3}
    update = {"file_id": file_id, "mode": "update", "media": None, "original_filename": None}
    world.ingested(**update, instance_list=[new(world, "n1", 400)])
    until(lambda: len(world.instances(file_id)) == 4, "the appended box")
    assert amounts(world, file_id) == {world.labels[0]: 1}


def amounts(world: World, file_id: int) -> dict[int, int]:
    """Return what file-stats tell of a file's labels."""
    stats = body_of(world.get(f"/api/v1/project/{{p}}/file/{file_id}/file-stats"))["file_stats"]
    return {row["label_file_id"]: row["count_instances"] for row in stats if row["count_instances"]}


def test_and_complete_turns_the_flag_round(world: World) -> None:
    file_id, _ = filled(world, 1)
    for flag in (True, False):
        written(world, file_id, [], and_complete=True)
        assert world.view(file_id)["ann_is_complete"] is flag


def events(world: World, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return events, newest first."""
    found: list[dict[str, Any]] = body_of(world.post("/api/v1/project/{p}/event/list", body))["event_list"]
    return found


def test_an_event_tells_of_it(world: World) -> None:
    file_id, there = filled(world, 1)
    written(world, file_id, [*there, new(world, "n0", 300)])
    body = {"file_id": file_id, "kind": "ANNOTATION_update"}
    (event,) = until(lambda: events(world, body), "an event, which may be late (server.md 10.4)")
    assert (event["kind"], event["member_id"], event["file_id"]) == ("annotation_update", None, file_id)
    assert len(event["time_created"]) == 10


@pytest.mark.parametrize("limit, status", [(0, 200), (-1, 200), (-2, 503)])
def test_events_have_a_limit(deployment: Deployment, limit: int, status: int) -> None:
    path = "/api/v1/project/{p}/event/list"
    if status == 503:
        assert deployment.is_refused_by_database("POST", path, json={"limit": limit})
        return
    found = body_of(deployment.post(path, {"limit": limit}))["event_list"]
    assert len(found) <= (0 if limit == 0 else 1000)
    ids = [event["id"] for event in found]
    assert ids == sorted(ids, reverse=True)


def test_what_a_persons_edit_leaves(world: World, person: Person) -> None:
    file_id, (moved, relabelled, deleted, untouched) = filled(world, 4)
    drawn = {**world.box(x_min=300, x_max=380, y_min=200, y_max=300), "creation_ref_id": "drawn"}
    page = [
        {**moved, "x_min": moved["x_min"] + 5},
        {**relabelled, "label_file_id": world.labels[1]},
        {**deleted, "soft_delete": True},
        untouched,
        drawn,
    ]
    answer = person.save(file_id, page)
    assert sorted(answer["deleted_instances"]) == sorted([moved["id"], relabelled["id"], deleted["id"]])
    assert answer["new_file"]["count_instances_changed"] == 8
    now = {row["creation_ref_id"]: row for row in world.instances(file_id)}
    assert sorted(now) == ["drawn", "p0", "p1", "p3"]
    for name in ("p0", "p1"):
        assert (now[name]["version"], now[name]["machine_made"], now[name]["score"]) == (2, True, 0.5)
    assert (now["drawn"]["machine_made"], now["drawn"]["score"]) == (False, None)
    made_by = {name: row["member_created_id"] for name, row in now.items()}
    assert made_by["p0"] == made_by["p1"] == made_by["drawn"] != made_by["p3"]
    assert None not in made_by.values()


def test_a_persons_edit_of_text_keeps_the_reference_alone(world: World, person: Person) -> None:
    tokens = [
        {
            "type": "text_token",
            "label_file_id": world.labels[0],
            "start_token": n,
            "end_token": n,
            "creation_ref_id": f"t{n}",
            "score": 0.7,
            "machine_made": True,
        }
        for n in range(2)
    ]
    file_id = world.uploaded("a.txt", b"one two three", instance_list=tokens)["file"]["id"]
    there = until(lambda: world.instances(file_id), "the tokens")
    keys = ("id", "type", "start_token", "end_token", "label_file_id", "soft_delete", "creation_ref_id")
    page = [{key: row[key] for key in keys} for row in there]
    page[0]["end_token"] = 2
    person.save(file_id, page)
    for row in world.instances(file_id):
        assert (row["root_id"], row["version"], row["machine_made"], row["score"]) == (None, 1, False, None)
        assert (row["action_type"], len(history(world, row["id"]))) == ("edited", 1)
    assert sorted(row["previous_id"] for row in world.instances(file_id)) == sorted(
        row["id"] for row in there
    )


def test_a_stale_page_loses_what_came_meanwhile(world: World, person: Person) -> None:
    file_id, page = filled(world)
    late = written(world, file_id, [*page, new(world, "late", 300)])["added_instances"][0]
    answer = person.save(file_id, page)
    assert answer["deleted_instances"] == answer["log"]["warning"]["missing_ids"] == [late["id"]]
    assert answer["new_file"]["count_instances_changed"] == 4
    (only,) = history(world, late["id"])
    assert (only["soft_delete"], only["deletion_type"]) == (True, "system_deletion")


def test_a_person_saved_between_reading_and_writing_and_what_repairs_it(world: World, person: Person) -> None:
    file_id, older = filled(world, 2)
    drawn = {**world.box(x_min=300, x_max=380, y_min=200, y_max=300), "creation_ref_id": "drawn"}
    made = person.save(file_id, [{**older[0], "x_min": older[0]["x_min"] + 5}, older[1], drawn])
    persons = {row["creation_ref_id"]: row["id"] for row in made["added_instances"]}
    answer = written(world, file_id, [*older, new(world, "robot", 400)])
    assert sorted(answer["deleted_instances"]) == sorted(persons.values())
    assert sorted(answer["log"]["warning"]["missing_ids"]) == sorted(persons.values())
    back = next(row for row in answer["added_instances"] if row["creation_ref_id"] == "p0")
    assert (back["action_type"], back["version"], back["root_id"]) == ("undeleted", 2, older[0]["id"])
    lost = [next(row for row in history(world, one) if row["id"] == one) for one in persons.values()]
    live = [row for row in world.instances(file_id) if row["id"] != back["id"]]
    repaired = written(world, file_id, [*live, *({**row, "soft_delete": False} for row in lost)])
    assert repaired["deleted_instances"] == [back["id"]]
    now = {row["creation_ref_id"]: row for row in world.instances(file_id)}
    assert sorted(now) == ["drawn", "p0", "p1", "robot"]
    assert now["p0"]["x_min"] == older[0]["x_min"] + 5
    assert (now["p0"]["action_type"], now["p0"]["version"], now["p0"]["score"]) == ("undeleted", 3, 0.5)


def test_the_flag_is_turned_by_a_person_alone(world: World, person: Person) -> None:
    file_id, _ = filled(world, 1)
    path = f"/api/project/{{p}}/file/{file_id}/annotation/is_complete_toggle"
    told = body_of(person.post(path, {"directory_id": world.dataset}))
    assert told["new_file"]["ann_is_complete"] is True
    assert world.post(path, {"directory_id": world.dataset}).status_code == 500
    assert world.view(file_id)["ann_is_complete"] is True
