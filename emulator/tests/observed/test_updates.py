"""Updates that hang, and rows that are retried or archived while they wait (server.md 2.7 and 2.14)."""

from __future__ import annotations

from world import World, until


def test_q33_update_of_a_compound_hangs(world: World) -> None:
    parent = world.new_compound("c")
    body = {"mode": "update", "media": {}, "original_filename": None, "instance_list": [world.box()]}
    stuck = world.accepted(file_id=parent, **body)
    until(lambda: world.row(stuck)["status"] == "processing", "the row to be picked up")
    assert world.ingested()["status"] == "success"
    row = world.row(stuck)
    assert (row["status"], row["percent_complete"]) == ("processing", 0)
    assert world.instances(parent) == []


def test_an_archived_row_is_not_processed(world: World) -> None:
    world.emulator.pause_queue()
    archived, kept = world.accepted(), world.accepted()
    world.update_inputs("ARCHIVE", archived)
    world.emulator.pause_queue(False)
    assert world.settled(kept)["status"] == "success"
    assert (world.row(archived)["status"], world.row(archived)["archived"]) == ("init", True)


def test_a_waiting_row_retried_is_processed_once(world: World) -> None:
    world.emulator.pause_queue()
    input_id = world.accepted()
    world.update_inputs("RETRY", input_id)
    assert world.row(input_id)["status"] == "retrying"
    world.emulator.pause_queue(False)
    until(lambda: world.row(input_id)["status"] == "success", "the row")
    assert len(world.files()) == 1
