"""Rows of packets: how they end, and what comes of them."""

from __future__ import annotations

from tests.contract.media_server import picture
from world import World, until

from .common import Pair, Ready, case, final, one_image, wanted


@case("file_annotation_list", "file_view", "probe_file_list_base")
def cat_with_box(world: World, pair: Pair) -> Ready:
    row = one_image(world, "cat-1.jpg", instance_list=[world.box()])
    file_id = row["file_id"]
    return Ready(f"/api/project/{{p}}/file/{file_id}/annotation/list", {"file_id": file_id})


@case("input_update_ARCHIVE", "input_update_RETRY")
def failed_row(world: World, pair: Pair) -> Ready:
    return Ready(ids={"id_list": [one_image(world, "m404.jpg", "/missing.jpg")["id"]]})


@case("input_view_list_just_after_packet")
def waiting_row(world: World, pair: Pair) -> Ready:
    (seen,) = pair["response"]["body"]["input_list"]
    world.emulator.pause_queue()
    media = {"url": f"{world.media.url}/cat.jpg", "type": "image"}
    world.accepted(original_filename=seen["original_filename"], media=media, instance_list=[world.box()])
    return Ready()


@case(
    "input_view_final",
    "packet_box_float_coordinates__input_view_final",
    "packet_box_inverted__input_view_final",
    "packet_unknown_label_file_id__input_view_final",
)
def one_row(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    sent = [
        {**one, "label_file_id": {1: world.labels[0]}.get(one["label_file_id"], one["label_file_id"])}
        for one in seen["instance_list"]["list"]
    ]
    row = one_image(world, seen["original_filename"], instance_list=sent)
    return final(world, row["id"])


@case("packet_instance_list_null_element__input_view_final")
def null_element(world: World, pair: Pair) -> Ready:
    return final(world, one_image(world, "null-inst.jpg", instance_list=[None])["id"])


@case("packet_media_404__input_view_final")
def media_missing(world: World, pair: Pair) -> Ready:
    return final(world, one_image(world, "m404.jpg", "/missing.jpg")["id"])


@case("packet_media_connection_refused__input_view_final")
def media_refused(world: World, pair: Pair) -> Ready:
    media = {"url": "http://127.0.0.1:9/x.jpg", "type": "image"}
    return final(world, world.ingested(original_filename="refused.jpg", media=media)["id"])


@case("packet_duplicate_original_filename__input_view_final")
def duplicate(world: World, pair: Pair) -> Ready:
    one_image(world, "cat-1.jpg")
    return final(world, one_image(world, "cat-1.jpg")["id"])


@case("packet_directory_of_another_project__input_view_final")
def foreign_dataset(world: World, pair: Pair) -> Ready:
    other = World(world.emulator.with_project(f"{world.project}-other"), world.media)
    return final(world, world.ingested(original_filename="xproj.png", directory_id=other.dataset)["id"])


@case("packet_text_data__input_view_final")
def text(world: World, pair: Pair) -> Ready:
    body = {"type": "from_text_data", "text_data": "hello world", "media": {"type": "text"}}
    return final(world, world.ingested(original_filename="t2.txt", **body)["id"])


@case("probe_retry_after_404__input_view_final")
def retried(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    path = f"/{world.project}-retried.jpg"
    sent = [{**one, "label_file_id": world.labels[0]} for one in seen["instance_list"]["list"]]
    row = one_image(world, seen["original_filename"], path, instance_list=sent, batch_id=world.new_batch())
    assert row["status"] == "failed"
    world.media.files[path] = picture()
    world.update_inputs("RETRY", row["id"])
    until(lambda: world.row(row["id"])["status"] == "success", "the retry")
    return final(world, row["id"])


@case("packet_mode_update", "packet_mode_update_with_existing")
def updatable(world: World, pair: Pair) -> Ready:
    return Ready(ids={"file_id": one_image(world, "upd.jpg", instance_list=[world.box()])["file_id"]})


@case("packet_mode_update__annotations", "packet_mode_update_with_existing__annotations")
def updated(world: World, pair: Pair) -> Ready:
    cat, dog, person = world.labels
    file_id = one_image(world, "upd.jpg", instance_list=[world.box(label_file_id=cat)])["file_id"]
    update = {"file_id": file_id, "original_filename": None, "media": {}}
    world.ingested(mode="update", instance_list=[world.box(label_file_id=dog, x_max=60)], **update)
    if "existing" in pair["name"]:
        boxes = [world.box(label_file_id=person, x_max=70)]
        world.ingested(mode="update_with_existing", instance_list=boxes, **update)
    return Ready(f"/api/project/{{p}}/file/{file_id}/annotation/list")


@case("probe_file_list_explorer")
def explorer(world: World, pair: Pair) -> Ready:
    box = world.box(x_min=0, x_max=50, y_max=120, score=0.5, machine_made=True, creation_ref_id="k0")
    one_image(world, "f0.png", "/tiny.png")
    one_image(world, "f1.png", "/tiny.png", instance_list=[box])
    return Ready(ids={"query": f"dataset.id = {world.dataset}"})
