"""Ingestion step by step, in a queue that can be stopped and in a server that is slow (server.md 3)."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from PIL import Image

from world import World, until


def url_of(world: World, path: str, kind: str = "image") -> dict[str, str]:
    return {"url": world.media.url + path, "type": kind}


def test_the_name_is_taken_before_a_redirect(world: World) -> None:
    row = world.ingested(media=url_of(world, "/moved"), original_filename=None)
    assert (row["status"], row["status_text"]) == ("failed", "Invalid extension, check filename")


@pytest.mark.parametrize(
    "size, noted", [((9000, 90), (77, 7680)), ((90, 9000), (7680, 77)), ((7680, 60), (7680, 60))]
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_q45_the_size_of_a_large_image_is_scaled_and_swapped(
    world: World, kind: str, size: tuple[int, int], noted: tuple[int, int]
) -> None:
    """What is stored is what was sent, but for a BMP or TIFF."""
    target = io.BytesIO()
    Image.new("RGB", size).save(target, kind)
    path = f"/wide-{size[0]}.{kind.lower()}"
    world.media.files[path] = target.getvalue()
    media = url_of(world, path)
    file_id = world.ingested(media=media, original_filename=path[1:])["file_id"]
    image = world.view(file_id)["image"]
    assert (image["width"], image["height"]) == noted
    stored = requests.get(image["url_signed"], timeout=5).content
    with Image.open(io.BytesIO(stored)) as found:
        assert found.size == (noted if kind in ("BMP", "TIFF") else size)


def test_q17_names_are_compared_without_a_lock(world: World) -> None:
    world.media.slow_seconds = 0.4
    slow = url_of(world, "/slow.png")
    ids = []
    for _ in range(2):
        ids.append(world.accepted(original_filename="twice.png", media=slow))
    assert [world.settled(one)["status"] for one in ids] == ["success", "success"]
    assert [file["original_filename"] for file in world.files()] == ["twice.png", "twice.png"]


def test_q18_a_root_file_collides_with_a_compound(world: World) -> None:
    parent = world.new_compound("one")
    row = world.ingested(original_filename="one")
    assert row["status_text"].endswith(f"Existing ID is:{parent}")


def test_status_passes_through_its_states(slow_world: World) -> None:
    """A slow medium shows a row waiting, processed, and done, in this order."""
    slow_world.media.slow_seconds = 0.3
    input_id = slow_world.accepted(media=url_of(slow_world, "/slow.png"))
    seen: list[str] = []

    def ended() -> bool:
        status = slow_world.row(input_id)["status"]
        if not seen or seen[-1] != status:
            seen.append(status)
        return status == "success"

    until(ended, "success")
    order = ["init", "local_processing_queue", "processing", "downloaded", "success"]
    assert [one for one in order if one in seen] == seen
    assert {"processing", "success"} <= set(seen)


def test_a_waiting_row_is_deferred_without_a_word(world: World) -> None:
    world.emulator.pause_queue()
    input_id = world.accepted()
    row = world.row(input_id)
    assert (row["processing_deferred"], row["status_text"], row["percent_complete"]) == (True, None, 0)
    assert (row["status"], row["time_last_attempted"]) == ("init", None)
    world.emulator.pause_queue(False)
    done = world.settled(input_id)
    assert (done["processing_deferred"], done["status_text"]) == (False, "Version: 2.0.0")


def test_q03_a_success_may_turn_into_failed(slow_world: World) -> None:
    input_id = slow_world.accepted(instance_list=[{"type": "box", "label_file_id": slow_world.labels[0]}])
    first = slow_world.ended(input_id)
    assert (first["status"], first["percent_complete"]) == ("success", 100)
    file = slow_world.view(first["file_id"])
    assert (file["count_instances_changed"], slow_world.instances(first["file_id"])) == (None, [])
    until(lambda: slow_world.row(input_id)["status"] == "failed", "the flip")
    assert slow_world.row(input_id)["percent_complete"] == 100


def test_counter_and_instances_appear_together(slow_world: World) -> None:
    input_id = slow_world.accepted(instance_list=[slow_world.box(x_max=20 + n) for n in range(5)])
    file_id = slow_world.ended(input_id)["file_id"]
    assert slow_world.view(file_id)["count_instances_changed"] is None
    until(lambda: slow_world.view(file_id)["count_instances_changed"] == 5, "the counter")
    assert len(slow_world.instances(file_id)) == 5


def test_q50_the_queue_is_not_first_in_first_out(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: world.packet(), range(18)))
    rows = until(lambda: _all_done(world.inputs()), "all packets")
    by_input = [row["file_id"] for row in sorted(rows, key=lambda row: row["id"])]
    assert by_input != sorted(by_input)


def _all_done(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return rows if rows and all(row["status"] == "success" for row in rows) else []
