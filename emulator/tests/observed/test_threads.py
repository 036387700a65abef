"""Ingest threads that die and are not replaced (quirks 4, 48 and 49)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from world import World, until

BAD_VALUES: list[dict[str, Any]] = [
    {"score": "high"},
    {"x_max": 2**31},
    {"number": 2**31},
    {"creation_ref_id": "a\x00b"},
]


def lost(world: World, box: dict[str, Any]) -> None:
    """Send a box only the database refuses, and see that nothing is stored and a thread gone."""
    before = world.state()["ingest_threads"]
    input_id = world.accepted(instance_list=[world.box(x_max=300), box])
    until(lambda: world.state()["ingest_threads"] == before - 1, "a thread to die")
    row = world.row(input_id)
    assert (row["status"], row["percent_complete"]) == ("success", 100)
    assert row["update_log"] == {"error": {}, "info": {}, "success": False}
    assert world.view(row["file_id"])["count_instances_changed"] is None
    assert world.instances(row["file_id"]) == []


@pytest.mark.parametrize("change", BAD_VALUES)
def test_q04_q49_success_with_nothing_stored_and_a_thread_less(world: World, change: dict[str, Any]) -> None:
    lost(world, world.box(**change))


@pytest.mark.parametrize("kind", ["select", "radio", "multiple_select", "tree"])
def test_q49_an_option_that_does_not_exist(world: World, kind: str) -> None:
    group, _ = world.new_group(kind)
    one = {"id": 999999}
    value = {"multiple_select": [one], "tree": {"999999": {"selected": True}}}.get(kind, one)
    lost(world, world.box(attribute_groups={str(group): value}))


def test_q49_a_slider_beyond_32_bit(world: World) -> None:
    group, _ = world.new_group("slider")
    lost(world, world.box(attribute_groups={str(group): 2**31}))


def test_q49_when_all_threads_are_gone_nothing_is_ingested_until_a_restart(own_world: World) -> None:
    world = own_world

    def dead_after_one_more() -> bool:
        world.packet(instance_list=[world.box(score="high")])
        return bool(world.state()["ingest_threads"] == 0)

    until(dead_after_one_more, "all threads to die")
    late = world.accepted()
    until(lambda: world.row(late)["status"] == "local_processing_queue", "the row to be taken")
    restarted = World(world.emulator.restart().with_project("after"), world.media)
    assert restarted.ingested()["status"] == "success"
    assert world.row(late)["status"] == "local_processing_queue"
    world.update_inputs("RETRY", late)
    assert world.ended(late)["status"] == "success"


def test_q48_a_new_model_run_sent_by_many_at_once_loses_some(slow_world: World) -> None:
    world = slow_world
    refs = {"model_ref": "m", "model_run_ref": "r"}

    def send(number: int) -> int:
        body = {"original_filename": f"{number}.png", "instance_list": [world.box(**refs)]}
        return world.packet(**body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, range(4))) == {200}
    until(lambda: world.state()["ingest_threads"] < 8, "a thread to die")
    until(lambda: _runs(world) == ["r"], "the run")
    until(lambda: len(_stuck(world)) == 8 - world.state()["ingest_threads"], "the rest")
    stuck = _stuck(world)
    assert {(row["status_text"], row["file_id"]) for row in stuck} == {(None, None)}
    world.emulator.reset()
    world.update_inputs("RETRY", stuck[0]["id"])
    assert world.settled(stuck[0]["id"])["status"] == "success"
    assert world.state()["ingest_threads"] == 8


def _stuck(world: World) -> list[dict[str, Any]]:
    return [row for row in world.inputs() if row["status"] == "downloaded"]


def _runs(world: World) -> list[str]:
    listed = world.post("/api/v1/project/{p}/model-runs/list").json()["model_run_list"]
    return [run["reference_id"] for run in listed]


def test_q48_a_run_introduced_by_one_packet_harms_nobody(slow_world: World) -> None:
    world = slow_world
    refs = {"model_ref": "m", "model_run_ref": "r"}
    world.packet(instance_list=[world.box(**refs)])
    until(lambda: _runs(world) == ["r"], "the run")
    for _ in range(4):
        world.packet(instance_list=[world.box(**refs)])
    until(lambda: {row["status"] for row in world.inputs()} == {"success"}, "all packets")
    assert world.state()["ingest_threads"] == 8
