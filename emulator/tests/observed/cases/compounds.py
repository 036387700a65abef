"""Compound files."""

from __future__ import annotations

from world import World, until

from .common import Pair, Ready, case


def _compound_of_two(world: World, second_done: bool = True) -> int:
    parent = world.new_compound("compound-1")
    for ordinal, (name, boxes) in enumerate((("cat", [world.box()]), ("small", None))):
        media = {"url": f"{world.media.url}/{name}.jpg", "type": "image"}
        body = {"original_filename": f"child-{ordinal}.jpg", "parent_file_id": parent, "ordinal": ordinal}
        input_id = world.accepted(media=media, instance_list=boxes, **body)
        if second_done or ordinal == 0:
            world.settled(input_id)
    return parent


@case("compound_child_files", "compound_file_view", "compound_status_all_done", "input_view_list_of_parent")
def compound_done(world: World, pair: Pair) -> Ready:
    parent = _compound_of_two(world)
    return Ready(
        path=f"/api/v1/project/{{p}}/file/{parent}/child-files?with_instances=True",
        ids={"file_id": parent, "parent_file_id": parent},
    )


@case("compound_status_before_children", "packet_child_of_compound", "compound_new_duplicate_name")
def compound_empty(world: World, pair: Pair) -> Ready:
    return Ready(ids={"parent_file_id": world.new_compound("compound-1")})


@case("compound_status_while_second_child_pending")
def compound_pending(world: World, pair: Pair) -> Ready:
    parent = world.new_compound("compound-1")
    world.settled(world.accepted(parent_file_id=parent, original_filename="c-0.png"))
    world.media.slow_seconds = 0.5
    slow = {"url": f"{world.media.url}/slow.png", "type": "image"}
    second = world.accepted(parent_file_id=parent, original_filename="c-1.png", media=slow)
    first = next(one for one in world.inputs(parent_file_id=parent) if one["id"] != second)
    until(lambda: world.row(second)["status"] == "processing", "the second child to be fetched")
    world.update_inputs("RETRY", first["id"])
    until(lambda: world.row(first["id"])["status"] == "success", "the first child to be the last one changed")
    assert world.row(second)["status"] == "processing"
    return Ready(ids={"parent_file_id": parent})
