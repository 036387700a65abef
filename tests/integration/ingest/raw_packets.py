"""Packets around our models, and looks at what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Handle, Input, Receipt, SentBatch
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.served_media import Media


def image(media: Media, name: str, *boxes: dict[str, Any], folder: str = "", **more: Any) -> dict[str, Any]:
    return {
        "media": {"url": media.url(folder + name)},
        "original_filename": name,
        "instance_list": boxes,
        **more,
    }


def raw(diffgram: LiveDiffgram, media: Media, *bodies: dict[str, Any]) -> Handle:
    """Send packets that our models would refuse; return the handle to them."""
    batch = diffgram.ask(routes.create_batch).id
    for number, body in enumerate(bodies):
        named = {"original_filename": f"{number}.png", "media": {"url": media.url("a.png"), "type": "image"}}
        place = {"directory_id": diffgram.directory_id, "batch_id": batch}
        diffgram.ask(routes.send_packet, {**named, **place, **body}, "raw")
    sent = SentBatch(id=batch, inputs=len(bodies))
    return Handle(
        project=diffgram.client.project,
        directory_id=diffgram.directory_id,
        batches=[sent],
        expected=len(bodies),
    )


def instance(diffgram: LiveDiffgram, left: int = 1, **more: Any) -> dict[str, Any]:
    boxed = {key: value for key, value in box(left).items() if key != "label"}
    return {**boxed, "label_file_id": diffgram.labels["cat"], **more}


def look_until(diffgram: LiveDiffgram, watch: Watch, wanted: Callable[[Receipt], bool]) -> Receipt:
    """Look until the receipt is as wanted."""
    deadline = time.monotonic() + 10
    while True:
        receipt = diffgram.client.run(watch.look())
        if wanted(receipt):
            return receipt
        until(receipt, deadline)


def rows_until(diffgram: LiveDiffgram, wanted: Callable[[list[Input]], bool]) -> list[Input]:
    deadline = time.monotonic() + 10
    while not wanted(rows := diffgram.inputs()):
        until(rows, deadline)
    return rows
