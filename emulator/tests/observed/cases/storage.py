"""Storage connections."""

from __future__ import annotations

from typing import Any

from world import World

from .common import Pair, Ready, case, final


def _connection(world: World, provider: str, name: str, **more: Any) -> int:
    body = {"project": world.project, "integration_name": provider, "name": name, **more}
    return int(world.emulator.control("connections", body)["id"])


@case("probe_connections_amazon_aws")
def two_connections(world: World, pair: Pair) -> Ready:
    _connection(world, "amazon_aws", "s3 probe")
    _connection(world, "amazon_aws", "gone", archived=True)
    _connection(world, "minio", "minio probe", private_host="http://storage.test")
    return Ready()


@case("probe_packet_from_blob_path", "probe_packet_from_blob_path_unsupported_provider")
def blob_packet(world: World, pair: Pair) -> Ready:
    provider = "minio" if "unsupported" in pair["name"] else "amazon_aws"
    return Ready(ids={"connection_id": _connection(world, provider, "s3"), "batch_id": world.new_batch()})


@case("probe_packet_from_blob_path__input_view_final", "probe_packet_from_blob_path__file_view")
def blob_row(world: World, pair: Pair) -> Ready:
    boxes = [
        world.box(x_max=60, y_max=120),
        world.box(x_min=80, x_max=130, y_max=120, score=0.5, machine_made=True),
    ]
    row = world.ingested(
        type="from_blob_path",
        connection_id=_connection(world, "amazon_aws", "s3"),
        bucket_name="customer-bucket",
        raw_data_blob_path="images/cat.jpg",
        original_filename="b-97970.jpg",
        media={"type": "image"},
        instance_list=boxes,
        batch_id=world.new_batch(),
    )
    if pair["name"].endswith("file_view"):
        return Ready(ids={"file_id": row["file_id"]})
    return final(world, row["id"])
