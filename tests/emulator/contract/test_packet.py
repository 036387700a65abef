"""What a packet needs, and what becomes of it (wire contract, 2.7, 3.3, 3.5, 3.6)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .media_server import picture
from .world import World, until

PROVIDE = "Provide file_name along with directory_id"


def url_of(world: World, path: str, kind: str = "image") -> dict[str, str]:
    return {"url": world.media.url + path, "type": kind}


def refused(world: World, **body: Any) -> dict[str, Any]:
    answer = world.packet(**body)
    assert answer.status_code == 400, answer.text
    log: dict[str, Any] = answer.json()["log"]
    return log


def test_q01_input_id_is_null(world: World) -> None:
    answer = world.packet().json()
    assert answer == {"input_id": None, "log": {"error": {}, "info": {}, "success": True}}


def test_q02_200_is_not_ingestion(world: World) -> None:
    row = world.ingested(instance_list=[world.box(label_file_id=99999)])
    assert row["status"] == "failed"


def test_q08_empty_instance_list_is_refused(world: World) -> None:
    assert refused(world, instance_list=[])["error"] == {"instance_list": "List must not be empty"}


@pytest.mark.parametrize("medium", [{}, {"url": "http://x/a.png"}, {"type": "image"}])
def test_q09_incomplete_media_is_reported_as_file_name(world: World, medium: dict[str, str]) -> None:
    log = refused(world, media=medium)
    assert log == {"error": {"file_name": PROVIDE}, "info": "Started processing", "success": False}


def test_media_as_text_is_500(world: World) -> None:
    assert world.packet(media="x").status_code == 500


def test_text_data_needs_type_and_text(world: World) -> None:
    log = refused(world, type="from_text_data", media={})
    assert set(log["error"]) == {"media.type", "text_data"}


def test_split_duration_out_of_range_names_file_name(world: World) -> None:
    assert list(refused(world, video_split_duration=1)["error"]) == ["file_name"]
    assert world.packet(video_split_duration=0).status_code == 200


def test_update_by_an_unknown_name(world: World) -> None:
    log = refused(world, mode="update", media={}, file_name="nope.png")
    assert log["error"]["file_name"].startswith("Please check that filename exists")


def test_update_with_existing_needs_a_dataset(world: World) -> None:
    file_id = world.ingested()["file_id"]
    log = refused(world, mode="update_with_existing", file_id=file_id, directory_id=None)
    assert log["error"] == {"directory": "'directory_id' not supplied"}


def failed(world: World, **body: Any) -> dict[str, Any]:
    row = world.ingested(**body)
    assert row["status"] == "failed", row
    return row


CLEAN = {"error": {}, "info": {}, "success": False}


@pytest.mark.parametrize(
    "url, name, text",
    [
        ("ftp://x/a.png", "a.png", "Invalid url (Did not start with http)"),
        ("/plain", None, "Invalid extension, check filename"),
        ("/moved", None, "Invalid extension, check filename"),
    ],
)
def test_urls_that_cannot_be(world: World, url: str, name: str | None, text: str) -> None:
    media = {"url": url if "://" in url else world.media.url + url, "type": "image"}
    row = failed(world, media=media, original_filename=name)
    assert row["status_text"] == row["update_log"]["error"]["status_text"] == text
    assert (row["file_id"], row["percent_complete"]) == (None, 0)


@pytest.mark.parametrize("path", ["/empty.png", "/text.png"])
def test_what_is_no_image(world: World, path: str) -> None:
    row = failed(world, media=url_of(world, path))
    assert (row["status_text"], row["update_log"]) == ("Could not open file", CLEAN)
    assert row["file_id"] is None


def test_a_truncated_image(world: World) -> None:
    world.media.files["/half.png"] = picture(200, 200)[:-60]
    assert failed(world, media=url_of(world, "/half.png"))["status_text"] == "Could not open file"


def test_q34_text_by_url_fails(world: World) -> None:
    row = failed(world, media=url_of(world, "/note.txt", "text"), original_filename=None)
    assert row["status_text"] == "Invalid media type: .txt"


def test_q35_a_name_without_extension_fails(world: World) -> None:
    row = failed(world, original_filename="noext")
    assert row["status_text"].startswith("Extension: ")
    assert "not supported yet" in row["status_text"]
    assert row["update_log"] == CLEAN


def test_q36_a_name_with_two_dots_is_mangled(world: World) -> None:
    row = failed(world, media=url_of(world, "/cat.v2.jpg"), original_filename=None)
    assert row["original_filename"] == "cat.v2"


def test_the_name_of_a_url_leaves_out_the_query(world: World) -> None:
    row = world.ingested(media=url_of(world, "/a/same.png?token=1"), original_filename=None)
    assert (row["status"], row["original_filename"]) == ("success", "same.png")


def test_q37_nameless_text_collides_with_everything(world: World) -> None:
    body = {"type": "from_text_data", "text_data": "x", "media": {"type": "text"}}
    first = world.ingested(original_filename=None, **body)
    assert first["status"] == "success"
    second = failed(world, original_filename=None, **body)
    text = f"Filename None Already Exists in Dir. Existing ID is:{first['file_id']}"
    assert second["status_text"] == text


def test_q38_the_page_of_a_404_is_in_the_status_text(world: World) -> None:
    row = failed(world, media=url_of(world, "/missing.jpg"))
    assert "Nothing matches the given URI." in row["status_text"]


def test_a_redirect_is_followed(world: World) -> None:
    assert world.ingested(media=url_of(world, "/moved.png"))["status"] == "success"


def test_names_are_kept_as_sent(world: World) -> None:
    row = world.ingested(original_filename="my dir/ä b.PNG")
    assert world.view(row["file_id"])["original_filename"] == "my dir/ä b.PNG"


def test_the_size_is_that_of_the_image(world: World) -> None:
    image = world.view(world.ingested(media=url_of(world, "/cat.jpg"))["file_id"])["image"]
    assert (image["width"], image["height"]) == (640, 480)


def test_q45_a_large_image_is_scaled_and_boxes_are_not(world: World) -> None:
    world.media.files["/wide.png"] = picture(9000, 90)
    box = world.box(x_max=8999, y_max=80)
    row = world.ingested(media=url_of(world, "/wide.png"), instance_list=[box])
    image = world.view(row["file_id"])["image"]
    assert (image["width"], image["height"]) == (7680, 77)
    assert world.instances(row["file_id"])[0]["x_max"] == 8999


def test_an_unknown_type_of_packet(world: World) -> None:
    row = failed(world, type="from_nowhere")
    assert row["status_text"].startswith("Version")
    assert row["update_log"]["error"]["process_one_image"]


def test_file_id_without_mode(world: World) -> None:
    file_id = world.ingested()["file_id"]
    row = failed(world, file_id=file_id, media={}, original_filename=None)
    assert (row["status_text"], row["file_id"]) == ("Invalid url (None provided)", file_id)


def test_q30_null_in_the_list_hides_its_reason(world: World) -> None:
    row = failed(world, instance_list=[world.box(), None])
    assert row["status_text"].startswith("Version")
    assert row["update_log"]["error"]["process_one_image"] == "Instance cannot be None"
    assert (row["instance_list"], row["percent_complete"]) == ({}, 0)
    assert world.view(row["file_id"])["count_instances_changed"] is None


def test_q05_a_failed_row_owns_a_file_and_its_name(world: World) -> None:
    first = failed(world, original_filename="a.png", instance_list=[world.box(label_file_id=99999)])
    assert (first["percent_complete"], world.instances(first["file_id"])) == (100, [])
    second = failed(world, original_filename="a.png", instance_list=[world.box()])
    assert second["status_text"].endswith(f"Existing ID is:{first['file_id']}")
    world.update_inputs("ARCHIVE", first["id"])
    third = world.ingested(original_filename="a.png", instance_list=[world.box()])
    assert third["status"] == "success"


def test_q17_the_log_of_a_duplicate_depends_on_the_source(world: World) -> None:
    existing = world.ingested(original_filename="a.png")["file_id"]
    by_url = failed(world, original_filename="a.png")
    text = f"Filename a.png Already Exists in Dir. Existing ID is:{existing}"
    assert by_url["update_log"] == {"error": {"status_text": text}}
    body = {"type": "from_text_data", "text_data": "x", "media": {"type": "text"}}
    by_text = failed(world, original_filename="a.png", **body)
    assert by_text["update_log"] == {"error": {"existing_file_id": existing}}
    assert by_text["status_text"] == text


def test_q17_names_are_compared_without_a_lock(world: World) -> None:
    world.media.slow_seconds = 0.4
    slow = url_of(world, "/slow.png")
    ids = []
    for _ in range(2):
        ids.append(world.accepted(original_filename="twice.png", media=slow))
    assert [world.settled(one)["status"] for one in ids] == ["success", "success"]
    assert [file["original_filename"] for file in world.files()] == ["twice.png", "twice.png"]


def test_q18_children_collide_with_root_files_only(world: World) -> None:
    parent, other = world.new_compound("one"), world.new_compound("two")
    for file_id in (parent, parent, other):
        assert world.ingested(original_filename="c.png", parent_file_id=file_id)["status"] == "success"
    assert world.ingested(original_filename="c.png")["status"] == "success"
    late = world.ingested(original_filename="c.png", parent_file_id=parent)
    assert "Already Exists" in late["status_text"]
    named_like_a_compound = world.ingested(original_filename="one")
    assert named_like_a_compound["status_text"].endswith(f"Existing ID is:{parent}")


def test_names_are_compared_within_a_dataset(world: World) -> None:
    world.ingested(original_filename="a.png")
    other = world.new_dataset("other")
    assert world.ingested(original_filename="a.png", directory_id=other)["status"] == "success"


def test_explicit_nulls_are_fine(world: World) -> None:
    body = {
        "directory_id": world.dataset,
        "original_filename": "n.png",
        "media": url_of(world, "/tiny.png"),
        **dict.fromkeys(("ordinal", "parent_file_id", "mode", "file_id", "instance_list", "batch_id")),
    }
    assert world.post("/api/walrus/v1/project/{p}/input/packet", body).status_code == 200
    (row,) = world.inputs()
    assert world.view(world.settled(row["id"])["file_id"])["ordinal"] == 0


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
