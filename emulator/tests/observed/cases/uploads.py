"""Uploads and batches."""

from __future__ import annotations

from tests.contract.media_server import picture
from world import World

from .common import Pair, Ready, case


@case("from_local_with_instances")
def local_image(world: World, pair: Pair) -> Ready:
    return Ready(content=picture())


@case("from_local_same_name_again")
def local_image_there(world: World, pair: Pair) -> Ready:
    assert world.from_local("local-2.png", picture()).status_code == 200
    return Ready(content=picture())


@case("from_local_not_an_image")
def local_rubbish(world: World, pair: Pair) -> Ready:
    return Ready(content=b"x" * 400)


@case("upload_large_one_chunk__chunk1of1", "upload_large_with_batch__chunk1of1")
def chunk(world: World, pair: Pair) -> Ready:
    return Ready(content=picture(), ids={"input_batch_id": world.new_batch()})


@case("batch_of_three_one_bad__batch_detail", "batch_of_three_one_bad__view_list_by_batch_id")
def batch_of_three(world: World, pair: Pair) -> Ready:
    batch = world.new_batch()
    slow = {"url": f"{world.media.url}/slow.png", "type": "image"}
    missing = {"url": f"{world.media.url}/missing.jpg", "type": "image"}
    sent = (("0.png", slow), ("1.jpg", missing), ("2.png", slow))
    for name, media in sent:
        world.packet(original_filename=f"b1795294204-{name}", media=media, batch_id=batch)
    for row in world.inputs(batch_id=batch):
        world.settled(row["id"])
    return Ready(path=f"/api/v1/project/{{p}}/input-batch/{batch}", ids={"batch_id": batch})


@case("input_batch_append_data")
def batch_slice(world: World, pair: Pair) -> Ready:
    (part,) = pair["request"]["body"]["multipart"]
    headers = pair["request"]["headers"]
    batch = world.new_batch()
    path = f"/api/v1/project/{{p}}/input-batch/{batch}/append-data"
    return Ready(path, content=part["content"].encode(), headers=headers)


@case("input_batch_detail_after_packet")
def batch_done(world: World, pair: Pair) -> Ready:
    batch = world.new_batch()
    world.ingested(batch_id=batch)
    return Ready(f"/api/v1/project/{{p}}/input-batch/{batch}")
