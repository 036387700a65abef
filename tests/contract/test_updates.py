"""Updates of files, retries and archiving (server.md 2.7 "modes", 2.14, 3.4).

``input/update`` is allowed 300 times a day: what can be asked for together is asked for in one call.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .deployment import UNKNOWN_ID, until
from .media_server import picture
from .world import World

UPDATE = "/api/walrus/v1/project/{p}/input/update"


def x_max_of(world: World, file_id: int) -> list[int]:
    return sorted(one["x_max"] for one in world.instances(file_id))


def becomes(world: World, file_id: int, *expected: int) -> None:
    """Wait for boxes, told apart by x_max: an update is a success before its instances are there."""
    patience = world.deployment.patience

    def seen() -> list[int]:
        return x_max_of(world, file_id)

    until(lambda: seen() == sorted(expected), f"boxes {expected} on file {file_id}", patience, seen)


@pytest.fixture(scope="module")
def files(module_world: World) -> dict[str, int]:
    """Files to update, each with a box of 110 and a name of its own, by that name."""
    world = module_world
    names = ("append", "nothing", "named", "replace", "broken", "undeleted", "emptied")
    return {
        name: int(world.uploaded(f"{name}.png", picture(), instance_list=[old_box(world)])["file"]["id"])
        for name in names
    }


def old_box(world: World) -> dict[str, Any]:
    return world.box(score=0.1, creation_ref_id="old")


def updating(world: World, mode: str, *boxes: dict[str, Any], **body: Any) -> dict[str, Any]:
    sent = {"instance_list": list(boxes)} if boxes else {}
    return {"mode": mode, "media": {}, "original_filename": None, **sent, **body}


@pytest.fixture(scope="module")
def updated(module_world: World, files: dict[str, int]) -> dict[str, int]:
    """Updates sent together, by the file's name; that of ``append`` is followed by the same once more."""
    world = module_world
    bad = world.box(label_file_id=UNKNOWN_ID, x_max=130)
    (old,) = world.instances(files["undeleted"])
    deleting = world.box(id=old["id"], soft_delete=True)
    append = updating(world, "update", world.box(x_max=50), file_id=files["append"], directory_id=None)
    replacing = [world.box(score=0.9, creation_ref_id="new"), world.box(x_max=70)]
    bodies = {
        "append": append,
        "nothing": updating(world, "update", file_id=files["nothing"]),
        "named": updating(world, "update", world.box(x_max=50), file_name="named.png"),
        "replace": updating(world, "update_with_existing", *replacing, file_id=files["replace"]),
        "broken": updating(world, "update_with_existing", world.box(x_max=70), bad, file_id=files["broken"]),
        "undeleted": updating(world, "update", deleting, file_id=files["undeleted"]),
    }
    ids = dict(zip(bodies, world.all_accepted(*bodies.values()), strict=True))
    world.ended(ids["append"])
    becomes(world, files["append"], 50, 110)
    ids["again"] = world.accepted(**append)
    return ids


def test_q31_update_appends_and_is_not_idempotent(
    module_world: World, files: dict[str, int], updated: dict[str, int]
) -> None:
    """The same box sent twice is there twice; the counter counts both. No dataset is needed."""
    world, file_id = module_world, files["append"]
    rows = [world.ended(updated[name]) for name in ("append", "again")]
    assert [(row["status"], row["file_id"]) for row in rows] == [("success", file_id)] * 2
    becomes(world, file_id, 50, 50, 110)
    assert world.view(file_id)["count_instances_changed"] == 3
    assert [(row["mode"], row["original_filename"]) for row in rows] == [("update", None)] * 2


def test_updates_are_found_by_file_id(
    module_world: World, files: dict[str, int], updated: dict[str, int]
) -> None:
    rows = module_world.inputs(file_id=files["append"])
    batches = {row["id"]: row["batch_id"] for row in rows if row["mode"] == "update"}
    assert batches == dict.fromkeys((updated["append"], updated["again"]), module_world.batch)


def test_update_without_instances_changes_nothing(
    module_world: World, files: dict[str, int], updated: dict[str, int]
) -> None:
    assert module_world.ended(updated["nothing"])["status"] == "success"
    assert x_max_of(module_world, files["nothing"]) == [110]


def test_update_by_name(module_world: World, files: dict[str, int], updated: dict[str, int]) -> None:
    row = module_world.ended(updated["named"])
    assert (row["status"], row["original_filename"]) == ("success", None)
    assert row["file_id"] == files["named"]
    becomes(module_world, files["named"], 50, 110)


def test_replace_keeps_identical_instances_as_they_were(
    module_world: World, files: dict[str, int], updated: dict[str, int]
) -> None:
    """Sent were the old box with another score, and a new one. The file had, besides, nothing to lose."""
    world, file_id = module_world, files["replace"]
    assert world.ended(updated["replace"])["status"] == "success"
    becomes(world, file_id, 70, 110)
    now = {one["x_max"]: one for one in world.instances(file_id)}
    assert (now[110]["score"], now[110]["creation_ref_id"]) == (0.1, "old")


def test_replace_removes_what_is_not_sent(module_world: World, files: dict[str, int]) -> None:
    """The counter adds the new ones and subtracts nothing."""
    world, file_id = module_world, files["emptied"]
    body = updating(world, "update_with_existing", world.box(x_max=60), file_id=file_id)
    assert world.ended(world.accepted(**body))["status"] == "success"
    becomes(world, file_id, 60)
    assert world.view(file_id)["count_instances_changed"] == 2


def test_q32_replace_is_not_atomic_on_error(
    module_world: World, files: dict[str, int], updated: dict[str, int]
) -> None:
    """Nothing is removed, the bad one is not stored, and the one before it may be."""
    row = module_world.failed(updated["broken"])
    assert row["status_text"].startswith("Instance List Error:{'valid_label_file': ")
    assert (row["percent_complete"], row["file_id"]) == (0, files["broken"])
    assert x_max_of(module_world, files["broken"]) in ([110], [70, 110])


def test_single_instances_cannot_be_deleted(
    module_world: World, files: dict[str, int], updated: dict[str, int]
) -> None:
    assert module_world.ended(updated["undeleted"])["status"] == "success"
    assert 110 in x_max_of(module_world, files["undeleted"])


def test_other_modes_act_like_none(world: World) -> None:
    row = world.ingested(mode="attach_to_job", instance_list=[world.box()])
    assert (row["status"], row["mode"]) == ("success", "attach_to_job")
    becomes(world, row["file_id"], 110)


@pytest.fixture(scope="module")
def retried(module_world: World) -> dict[str, dict[str, Any]]:
    """The rows before one RETRY of them all, by name, and the answer to it."""
    world = module_world
    parent = world.new_compound("retried")
    paths = {name: f"/{world.deployment.prefix}-{name}.png" for name in ("late", "child", "collides")}

    def missing(name: str) -> dict[str, Any]:
        return {"media": {"url": world.media.url + paths[name], "type": "image"}}

    bodies: dict[str, dict[str, Any]] = {
        "late": {**missing("late"), "instance_list": [world.box()]},
        "child": {**missing("child"), "parent_file_id": parent, "ordinal": 4},
        "collides": {**missing("collides"), "original_filename": "collides.png"},
        "bad label": {"instance_list": [world.box(label_file_id=UNKNOWN_ID)]},
        "good": {"instance_list": [world.box()]},
    }
    ids = dict(zip(bodies, world.all_accepted(*bodies.values()), strict=True))
    rows = {name: world.failed(ids[name]) for name in bodies if name != "good"}
    rows["good"] = world.settled(ids["good"])
    world.media.files.update(dict.fromkeys(paths.values(), picture()))
    taken = world.uploaded("collides.png", picture())["file"]["id"]
    answer = world.update_inputs("RETRY", *ids.values())
    assert answer.status_code == 200, answer.text
    world.deployment.waiting.update(ids.values())
    return {**rows, "answer": answer.json(), "taken": {"id": taken}, "parent": {"id": parent}}


def again(world: World, before: dict[str, Any], status: str) -> dict[str, Any]:
    """Return a row once its retry ended with a status."""

    def done() -> dict[str, Any] | None:
        row = world.row(before["id"])
        fresh = row["file_id"] != before["file_id"] or row["status"] == "failed"
        return row if row["status"] == status and row["retry_count"] == 1 and fresh else None

    found: dict[str, Any] = until(done, f"the retry of {before['id']}", world.deployment.queue_patience)
    world.deployment.waiting.discard(before["id"])
    return found


def test_q21_log_success_is_false_on_a_retry(retried: dict[str, dict[str, Any]]) -> None:
    assert retried["answer"]["log"] == {"error": {}, "info": {}, "success": False}


def test_retry_heals_what_a_url_did_not_give(module_world: World, retried: dict[str, dict[str, Any]]) -> None:
    before = retried["late"]
    assert before["file_id"] is None
    row = again(module_world, before, "success")
    becomes(module_world, row["file_id"], 110)
    assert len(row["retry_log"]) == 1
    assert row["original_filename"] == before["original_filename"]


def test_retry_of_a_child_keeps_its_place(module_world: World, retried: dict[str, dict[str, Any]]) -> None:
    row = again(module_world, retried["child"], "success")
    (child,) = module_world.children(retried["parent"]["id"])
    assert (child["id"], child["ordinal"]) == (row["file_id"], 4)


def test_retry_meets_a_name_taken_meanwhile(module_world: World, retried: dict[str, dict[str, Any]]) -> None:
    before = retried["collides"]

    def collided() -> bool:
        text = str(module_world.row(before["id"])["status_text"])
        return text.endswith(f"Already Exists in Dir. Existing ID is:{retried['taken']['id']}")

    until(collided, "the duplicate", module_world.deployment.queue_patience)
    assert again(module_world, before, "failed")["file_id"] is None


def test_retry_of_a_bad_label_fails_again_with_a_new_file(
    module_world: World, retried: dict[str, dict[str, Any]]
) -> None:
    def refused_again() -> dict[str, Any] | None:
        row = module_world.row(before["id"])
        return row if row["status"] == "failed" and row["file_id"] not in (None, before["file_id"]) else None

    before = retried["bad label"]
    row = until(refused_again, "the second failure", module_world.deployment.queue_patience)
    assert "valid_label_file" in row["status_text"]
    assert module_world.view(before["file_id"])["state"] == "removed"


def test_retry_of_a_success_makes_a_new_file(module_world: World, retried: dict[str, dict[str, Any]]) -> None:
    before = retried["good"]
    row = again(module_world, before, "success")
    assert row["file_id"] is not None
    assert module_world.view(before["file_id"])["state"] == "removed"
    becomes(module_world, row["file_id"], 110)


@pytest.fixture(scope="module")
def archived(module_world: World) -> dict[str, Any]:
    """A good upload and one of a bad label, archived in one call, and the answer to it."""
    world = module_world
    good = world.uploaded("good.png", picture(), instance_list=[world.box()])
    bad_box = world.box(label_file_id=UNKNOWN_ID)
    bad = world.from_local("bad.png", picture(), instance_list=[bad_box]).json()
    resent = world.from_local("bad.png", picture(), instance_list=[world.box()])
    answer = world.update_inputs("ARCHIVE", good["input"]["id"], bad["input"]["id"])
    assert answer.status_code == 200, answer.text
    return {"good": good, "bad": bad, "resent": resent, "answer": answer.json()}


def test_archive_says_so(archived: dict[str, Any]) -> None:
    assert archived["answer"]["log"]["success"] is True


def test_archive_hides_row_and_file(module_world: World, archived: dict[str, Any]) -> None:
    world, file_id = module_world, archived["good"]["file"]["id"]
    input_id = archived["good"]["input"]["id"]
    assert world.view(file_id)["state"] == "removed"
    assert file_id not in [file["id"] for file in world.files()]
    assert world.inputs(file_id=file_id) == []
    shown = world.inputs(file_id=file_id, show_archived=True)
    assert [(row["id"], row["archived"]) for row in shown] == [(input_id, True)]


def test_archive_frees_the_name(module_world: World, archived: dict[str, Any]) -> None:
    made = module_world.uploaded("good.png", picture())
    assert made["file"]["id"] != archived["good"]["file"]["id"]


def test_q05_a_refused_file_keeps_its_name_until_it_is_archived(
    module_world: World, archived: dict[str, Any]
) -> None:
    bad, resent = archived["bad"], archived["resent"]
    assert resent.status_code == 400
    text = resent.json()["input"]["status_text"]
    assert text.endswith(f"Already Exists in Dir. Existing ID is:{bad['file']['id']}")
    module_world.uploaded("bad.png", picture(), instance_list=[module_world.box()])


@pytest.mark.parametrize(
    "body, error",
    [
        ({"id_list": [UNKNOWN_ID], "mode": "RETRY"}, {"id_list": "None found."}),
        ({"id_list": [], "mode": "RETRY"}, {"id_list": "List must not be empty"}),
        ({"mode": "RETRY"}, {"id_list": "Missing id_list"}),
    ],
)
def test_input_update_refusals(world: World, body: dict[str, Any], error: dict[str, str]) -> None:
    answer = world.post(UPDATE, body)
    assert (answer.status_code, answer.json()["log"]["error"]) == (400, error)


def test_input_update_modes(world: World) -> None:
    input_id = world.uploaded("m.png", picture())["input"]["id"]
    bad = world.update_inputs("DELETE", input_id)
    assert (bad.status_code, list(bad.json()["log"]["error"])) == (400, ["valid_values_list"])
    without: requests.Response = world.update_inputs(None, input_id)
    assert (without.status_code, without.json()["log"]["success"]) == (200, False)
    row = world.row(input_id)
    assert (row["status"], row["retry_count"], row["archived"]) == ("success", 0, False)


def test_ids_of_another_project_are_left_alone(world: World) -> None:
    input_id = world.uploaded("own.png", picture())["input"]["id"]
    other = world.deployment.access("other")
    path = UPDATE.replace("{p}", other.project)
    answer = world.post(path, {"id_list": [input_id], "mode": "ARCHIVE"}, "other")
    assert (answer.status_code, answer.json()["log"]["error"]) == (400, {"id_list": "None found."})
    assert world.row(input_id)["archived"] is False
