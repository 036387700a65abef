"""Large root media go in chunks, whole and once, and their predictions follow (server.md 2.9)."""

from __future__ import annotations

import hashlib
import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.request import Upload
from airflow_provider_diffgram.client.routes.uploads import MIB
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.push import PushError
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.served_media import VIDEO, png

CHUNKS = 3


pytestmark = pytest.mark.usefixtures("low_limit")


def medium(folder: Path, name: str = "large.png", begins: bytes | None = None) -> Path:
    path = folder / name
    path.write_bytes((png() if begins is None else begins).ljust(11 * MIB, b"\x07"))
    return path


def packet(path: Path, **more: Any) -> dict[str, Any]:
    return {"media": {"path": path}, "original_filename": path.name, **more}


def digest_of(diffgram: LiveDiffgram, name: str) -> str:
    shown = diffgram.ask_file(diffgram.file(name).id).image
    return hashlib.sha256(requests.get(shown["url_signed"], timeout=10).content).hexdigest()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def send_chunks(diffgram: LiveDiffgram, path: Path, count: int) -> int:
    """Send the first chunks as a task does that is killed then; return the batch."""
    batch = diffgram.client.send(routes.create_batch(diffgram.client.project)).id
    upload = Upload(path.name, path.stat().st_size, lambda: path.open("rb"))
    chunks = routes.upload_large(
        diffgram.client.project,
        upload,
        directory_id=diffgram.directory_id,
        upload_id=f"killed-{path.name}",
        chunk_size=5 * MIB,
        batch_id=batch,
    )
    for chunk in chunks[:count]:
        diffgram.client.send(chunk)
    return batch


def living_inputs(diffgram: LiveDiffgram) -> list[tuple[str | None, str | None]]:
    return [(row.mode, str(row.status)) for row in diffgram.inputs() if not row.archived]


def test_a_large_image_arrives_whole_with_its_predictions_and_once(diffgram: LiveDiffgram, tmp_path: Path):
    path = medium(tmp_path)
    one = packet(path, instance_list=[box(1), box(3, "dog")])
    assert diffgram.pushed([one]).summary() == "1 expected: 1 succeeded"
    assert digest_of(diffgram, "large.png") == digest(path)
    assert diffgram.lefts(diffgram.file("large.png").id) == [1, 3]
    before = diffgram.content()
    assert diffgram.pushed([one]).summary() == "1 expected: 1 skipped"
    assert diffgram.content() == before


def test_a_large_image_without_predictions_is_waited_for(diffgram: LiveDiffgram, tmp_path: Path):
    receipt = diffgram.pushed([packet(medium(tmp_path))])
    assert receipt.summary() == "1 expected: 1 succeeded"
    assert receipt.file_ids == [diffgram.file("large.png").id]


def test_frames_of_a_large_video_follow_it_even_after_a_kill_5_6(diffgram: LiveDiffgram, tmp_path: Path):
    path = medium(tmp_path, "large.mp4", VIDEO)
    send_chunks(diffgram, path, CHUNKS)
    one = packet(path, frame_packet_map={"0": [box(1)], "5": [box(2)]})
    assert diffgram.pushed([one]).summary() == "1 expected: 1 succeeded"
    assert [row.mode for row in diffgram.inputs()] == ["update", None]
    assert diffgram.pushed([one]).summary() == "1 expected: 1 skipped"
    assert len(diffgram.inputs()) == 2


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "status"])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_lost_answer_at_any_chunk_ends_in_one_whole_file(
    diffgram: LiveDiffgram, tmp_path: Path, kind: str, chunk: int
):
    path = medium(tmp_path)
    diffgram.emulator.fault("upload/large", kind, skip=chunk, processed=kind == "status", status=500, body="")
    assert diffgram.pushed([packet(path, instance_list=[box(1)])]).succeeded == 1
    assert diffgram.names() == ["large.png"]
    assert digest_of(diffgram, "large.png") == digest(path)
    assert diffgram.lefts(diffgram.file("large.png").id) == [1]
    assert living_inputs(diffgram) == [(None, "success")]


def chunks_sent(diffgram: LiveDiffgram) -> int:
    counts = diffgram.emulator.requests()["counts"]
    return sum(one["count"] for one in counts if one["path"].endswith("/upload/large"))


def test_chunks_are_smaller_after_one_was_lost_2_9(diffgram: LiveDiffgram, tmp_path: Path):
    diffgram.limits = replace(LIMITS, upload=6 * MIB)
    path = medium(tmp_path)
    with path.open("ab") as file:
        file.truncate(40 * MIB)
    before = chunks_sent(diffgram)
    diffgram.emulator.fault("upload/large", "reset_before")
    assert diffgram.pushed([packet(path)]).succeeded == 1
    assert chunks_sent(diffgram) - before == 1 + 40 // 5
    assert digest_of(diffgram, "large.png") == digest(path)


@pytest.mark.parametrize("chunks", range(1, CHUNKS + 1))
def test_what_a_kill_left_is_found_again(diffgram: LiveDiffgram, tmp_path: Path, chunks: int):
    path = medium(tmp_path)
    send_chunks(diffgram, path, chunks)
    assert diffgram.pushed([packet(path, instance_list=[box(1)])]).succeeded == 1
    assert digest_of(diffgram, "large.png") == digest(path)
    assert diffgram.lefts(diffgram.file("large.png").id) == [1]
    uploads = [row for row in diffgram.inputs() if row.source == "from_resumable"]
    assert len(uploads) == (1 if chunks == CHUNKS else 2), "what is whole is not sent again"
    assert living_inputs(diffgram) == [(None, "success")]


def test_a_whole_upload_of_an_earlier_attempt_is_waited_for(diffgram: LiveDiffgram, tmp_path: Path):
    path = medium(tmp_path)
    batch = send_chunks(diffgram, path, CHUNKS)
    handle = diffgram.push([packet(path)])
    assert [each.id for each in handle.batches] in ([batch], []), "it may have ended before the look"
    assert diffgram.done(handle).complete
    assert diffgram.names() == ["large.png"]


def test_a_file_that_took_the_name_meanwhile_is_the_one_that_is_there_3_4(
    diffgram: LiveDiffgram, tmp_path: Path
):
    path = medium(tmp_path)
    diffgram.emulator.control("queue", {"paused": True})
    other = Upload(path.name, len(png()), lambda: io.BytesIO(png()))
    body = {"directory_id": diffgram.directory_id, "instance_list": []}

    def come_first() -> None:
        deadline = time.monotonic() + 10
        while not any(
            row.source == "from_resumable" and row.processing_deferred for row in diffgram.inputs()
        ):
            until("no upload", deadline)
        diffgram.ask(routes.upload_local, other, body)
        diffgram.emulator.control("queue", {"paused": False})

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(come_first)
        handle = diffgram.push([packet(path, instance_list=[box(1)])])
        coming.result()
    assert diffgram.done(handle).complete
    assert diffgram.names() == ["large.png"]
    assert diffgram.lefts(diffgram.file("large.png").id) == [1]


def test_an_upload_that_breaks_off_again_and_again_is_unknown_and_leaves_nothing_waiting(
    diffgram: LiveDiffgram, tmp_path: Path
):
    diffgram.emulator.fault("upload/large", "reset_after", skip=1, times=None)
    with pytest.raises(PushError, match="1 unknown"):
        diffgram.push([packet(medium(tmp_path))])
    assert living_inputs(diffgram) == []
    assert diffgram.files() == []


def test_a_medium_that_cannot_be_ingested_fails_with_the_servers_reason(
    diffgram: LiveDiffgram, tmp_path: Path
):
    with pytest.raises(PushError, match=r"large\.png: upload 'large\.png': the server ingested it as failed"):
        diffgram.push([packet(medium(tmp_path, begins=b"no picture"), instance_list=[box(1)])])


def test_a_large_child_and_one_beyond_5_gib_are_refused_before_anything_is_sent(
    diffgram: LiveDiffgram, tmp_path: Path
):
    parent = diffgram.compound("p")
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as file:
        file.truncate(5 * 1024 * MIB + 1)
    packets = [packet(medium(tmp_path), parent_file_id=parent, ordinal=0), packet(huge)]
    before = diffgram.content()
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push(packets)
    child, root = caught.value.problems
    assert "a local child may have 6 MiB" in child
    assert "Give a URL" in child
    assert "huge.mp4 has 5,368,709,121 bytes; Diffgram takes 5,368,709,120" in root
    assert diffgram.content() == before
