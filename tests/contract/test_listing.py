"""Looking up inputs and batches (server.md 2.10 to 2.12)."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from .deployment import DEFAULT_LABEL, UNKNOWN_ID, until
from .media_server import picture
from .stranger import Stranger
from .world import LIST, World

VIEW = "/api/walrus/v1/project/{p}/input/view"
BATCH = "/api/v1/project/{p}/input-batch"


@pytest.fixture(scope="module")
def family(module_world: World) -> int:
    """A parent of twelve children: an image with a box, one refused, a text, nine images."""
    world = module_world
    parent = world.new_compound("family")
    boxes = {"boxed.png": [world.box()], "refused.png": [world.box(label_file_id=UNKNOWN_ID)]}
    names = ["boxed.png", "refused.png", "note.txt", *(f"{n}.png" for n in range(9))]
    for ordinal, name in enumerate(names):
        content = b"hello" if name.endswith("txt") else picture()
        more: dict[str, Any] = {"instance_list": boxes[name]} if name in boxes else {}
        answer = world.from_local(name, content, parent_file_id=parent, ordinal=ordinal, **more)
        assert answer.status_code == 200, answer.text
    return parent


def names_of(rows: list[dict[str, Any]]) -> set[str]:
    return {row["original_filename"] for row in rows}


def test_q13_ten_by_default_newest_first(module_world: World, family: int) -> None:
    rows = module_world.post(LIST, {"parent_file_id": family}).json()["input_list"]
    all_rows = module_world.inputs(parent_file_id=family)
    ids = [row["id"] for row in all_rows]
    assert (len(rows), len(ids)) == (10, 12)
    assert ids == sorted(ids, reverse=True)
    assert [row["id"] for row in rows] == ids[:10]
    assert "frame_packet_map" not in rows[0]


@pytest.mark.parametrize("limit, amount", [(-1, 12), (0, 0), (3, 3)])
def test_q13_the_limit(module_world: World, family: int, limit: int, amount: int) -> None:
    assert len(module_world.inputs(parent_file_id=family, limit=limit)) == amount


def test_a_negative_limit_is_refused_by_the_database(module_world: World, family: int) -> None:
    body = {"parent_file_id": family, "limit": -2}
    assert module_world.deployment.is_refused_by_database("POST", LIST, json=body)


@pytest.mark.parametrize(
    "body, key",
    [
        ({"batch_id": "4"}, "batch_id"),
        ({"status_filter": "success"}, "valid_values_list"),
        ({"limit": "10"}, "limit"),
        ({"date_to": "21.11.2026"}, "date_to"),
    ],
)
def test_q14_refused_filters(module_world: World, body: dict[str, Any], key: str) -> None:
    answer = module_world.post(LIST, body)
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, [key])


@pytest.mark.parametrize(
    "name, amount", [("All", 12), ("Success", 11), ("Failed", 1), ("Processing", 0), ("Init", 0)]
)
def test_q14_status_filters(module_world: World, family: int, name: str, amount: int) -> None:
    assert len(module_world.inputs(parent_file_id=family, status_filter=name)) == amount


def test_filters_of_media_and_instances(module_world: World, family: int) -> None:
    def listed(**filters: Any) -> list[dict[str, Any]]:
        return module_world.inputs(parent_file_id=family, **filters)

    assert names_of(listed(media_type="text")) == {"note.txt"}
    with_instances = names_of(listed(has_attached_instances=True))
    assert "boxed.png" in with_instances
    assert "note.txt" not in with_instances
    assert len(listed(has_attached_instances=False)) == 12
    assert len(listed(show_deferred=False)) == 12


def test_q12_a_file_of_a_child_needs_its_parent_as_well(module_world: World, family: int) -> None:
    child = module_world.children(family)[0]["id"]
    assert module_world.inputs(file_id=child) == []
    assert names_of(module_world.inputs(file_id=child, parent_file_id=family)) == {"boxed.png"}


def test_date_to_is_the_start_of_its_day(module_world: World, family: int) -> None:
    rows = module_world.inputs(parent_file_id=family)
    created = {parsedate_to_datetime(row["created_time"]).date() for row in rows}
    first, last = min(created), max(created)
    day = timedelta(days=1)
    assert module_world.inputs(parent_file_id=family, date_to=str(first)) == []
    assert len(module_world.inputs(parent_file_id=family, date_to=str(last + day))) == 12
    assert len(module_world.inputs(parent_file_id=family, date_from=str(first - day))) == 12
    assert module_world.inputs(parent_file_id=family, date_from=str(last + day)) == []


def test_archived_rows_are_hidden_unless_asked_for(world: World) -> None:
    parent = world.new_compound("c")
    gone, kept = (
        world.from_local(name, picture(), parent_file_id=parent).json()["input"]["id"]
        for name in ("gone.png", "kept.png")
    )
    world.update_inputs("ARCHIVE", gone)
    assert [row["id"] for row in world.inputs(parent_file_id=parent)] == [kept]
    shown = world.inputs(parent_file_id=parent, show_archived=True)
    assert {row["id"]: row["archived"] for row in shown} == {gone: True, kept: False}


def test_an_unknown_batch_is_empty(world: World) -> None:
    assert world.inputs(batch_id=UNKNOWN_ID) == []


def test_a_view_of_an_input_shows_its_frames(world: World) -> None:
    row = world.uploaded("a.png", picture())["input"]
    assert "frame_packet_map" in world.row(row["id"])


def test_q39_an_unknown_batch_is_500(world: World) -> None:
    assert world.post(f"{BATCH}/{UNKNOWN_ID}").status_code == 500


def test_q39_inputs_of_another_project_are_400(world: World, stranger: Stranger) -> None:
    answer = world.post(f"{VIEW}/{stranger.input}")
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["project_id"])


def batch_of(world: World, batch: int) -> dict[str, Any]:
    answer = world.post(f"{BATCH}/{batch}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["input_batch"]
    return found


def test_q16_a_batch_is_born_with_a_time_of_completion(world: World) -> None:
    fresh = batch_of(world, world.batch)
    assert fresh["status"] == "pending"
    assert fresh["time_completed"]
    assert world.get(f"{BATCH}/{world.batch}").status_code == 500


@pytest.fixture(scope="module")
def rows(module_world: World) -> dict[str, dict[str, Any]]:
    """Packets of several batches, settled; the second of the failing batch is sent after the first."""
    world = module_world
    early, failing = world.new_batch(), world.new_batch()
    box = world.box(label_file_id=world.deployment.default_label, name=DEFAULT_LABEL)
    data = {"p.png": {"instance_list": [box], "frame_packet_map": None}}
    labeled = world.new_batch(pre_labeled_data=data)
    parent = world.new_compound("of a batch")
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    bodies: dict[str, dict[str, Any]] = {
        "early": {"batch_id": early},
        "failing": {"batch_id": failing, "media": missing},
        "labeled": {"batch_id": labeled, "original_filename": "p.png"},
        "child": {"parent_file_id": parent},
    }
    found = dict(zip(bodies, world.all_ingested(*bodies.values()), strict=True))
    found["late"] = world.ingested(batch_id=failing)
    return found


def test_q16_a_batch_is_complete_after_its_first_success(
    module_world: World, rows: dict[str, dict[str, Any]]
) -> None:
    row = rows["early"]
    assert row["status"] == "success"
    complete = lambda: batch_of(module_world, row["batch_id"])["status"] == "complete"  # noqa: E731
    until(complete, "the batch to be complete")


def test_q16_a_batch_with_a_failure_is_not_complete(
    module_world: World, rows: dict[str, dict[str, Any]]
) -> None:
    assert (rows["failing"]["status"], rows["late"]["status"]) == ("failed", "success")
    assert rows["failing"]["batch_id"] == rows["late"]["batch_id"]
    assert batch_of(module_world, rows["late"]["batch_id"])["status"] == "pending"


def test_pre_labeled_data_is_not_for_packets(module_world: World, rows: dict[str, dict[str, Any]]) -> None:
    row = rows["labeled"]
    assert row["status"] == "success"
    assert module_world.instances(row["file_id"]) == []
    assert module_world.view(row["file_id"])["count_instances_changed"] is None


def test_q12_children_are_hidden_unless_their_parent_is_given(
    module_world: World, rows: dict[str, dict[str, Any]]
) -> None:
    child = rows["child"]
    batch, parent = child["batch_id"], child["parent_file_id"]
    assert child["id"] not in [row["id"] for row in module_world.inputs(batch_id=batch)]
    listed = module_world.inputs(batch_id=batch, parent_file_id=parent)
    assert [row["id"] for row in listed] == [child["id"]]
