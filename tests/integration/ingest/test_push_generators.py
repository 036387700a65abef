"""What a generator yields ends as what a list holds: on the server, in the report, in errors."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client.routes.uploads import MIB
from airflow_provider_diffgram.ingest.read import paths
from airflow_provider_diffgram.ingest.send import chunks
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.media import EXTENSIONS, MEDIA_TYPES
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram
from tests.integration.ingest.served_media import VIDEO, Media, png

KINDS = {"a list": list, "a generator": iter}


def sound() -> bytes:
    """Return a short WAV."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(800))
    return content.getvalue()


BEGINNINGS = {"image": png(), "video": VIDEO, "text": b"A cat sat on a mat. ", "audio": sound()}


def large(folder: Path, media_type: str) -> dict[str, Any]:
    """Return a packet with a medium of 11 MiB."""
    extension = next(each for each, kind in EXTENSIONS.items() if kind == media_type)
    extension = {"image": ".png", "audio": ".wav"}.get(media_type, extension)
    path = folder / f"large{extension}"
    path.write_bytes(BEGINNINGS[media_type].ljust(11 * MIB, b" "))
    return {"media": {"path": path}, "original_filename": path.name}


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file of 11 MiB be a large one, of three chunks."""
    monkeypatch.setattr(paths, "UPLOAD_LIMIT", 6 * MIB)
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 5 * MIB)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_large_medium_of_any_type_that_waits_is_not_sent_again(
    diffgram: LiveDiffgram, tmp_path: Path, low_limit: None, media_type: str, kind: str
):
    packet = large(tmp_path, media_type)
    diffgram.emulator.pause_queue()
    handles = [push(diffgram.client, KINDS[kind]([packet]), dataset=DATASET) for _ in range(2)]
    assert [(row.media_type, row.source) for row in diffgram.inputs()] == [(media_type, "from_resumable")]
    assert handles[0].batches[0].id == handles[1].batches[0].id
    diffgram.emulator.pause_queue(False)
    assert diffgram.done(handles[1]).summary() == "1 expected: 1 succeeded"
    assert diffgram.names() == [packet["original_filename"]]


QUEUED = {
    "image": lambda media: {"media": {"url": media.url("a.png")}, "original_filename": "a.png"},
    "video": lambda media: {
        "media": {"url": media.url("a.mp4"), "type": "video"},
        "original_filename": "a.mp4",
    },
    "text": lambda media: {"media": {"text_data": "A cat."}, "original_filename": "a.txt"},
}
"""Packets that wait in the queue; audio is uploaded only."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("media_type", QUEUED)
def test_a_packet_of_any_type_that_waits_is_not_sent_again(
    diffgram: LiveDiffgram, media: Media, media_type: str, kind: str
):
    packet = QUEUED[media_type](media)
    diffgram.emulator.pause_queue()
    for _ in range(2):
        handle = push(diffgram.client, KINDS[kind]([packet]), dataset=DATASET)
    assert [row.original_filename for row in diffgram.inputs()] == [packet["original_filename"]]
    diffgram.emulator.pause_queue(False)
    assert diffgram.done(handle).summary() == "1 expected: 1 succeeded"
    assert diffgram.names() == [packet["original_filename"]]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_before_the_first_packet_is_told_before_it(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, kind: str
):
    asked = []

    def packets() -> Iterator[dict[str, Any]]:
        asked.append("a packet")
        yield {"media": {"url": media.url("a.png")}, "original_filename": "a.png"}

    before = diffgram.content()
    source = list(packets()) if kind == "a list" else packets()
    asked.clear()
    with pytest.raises(InvalidValueError) as caught:
        push(diffgram.client, source, dataset="no such", label_schema="none either")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "dataset 'no such'",
        "label schema 'none either'",
    ]
    assert f"which has: Default, {DATASET}" in caught.value.problems[0]
    with pytest.raises(InvalidValueError, match="cannot write"):
        push(diffgram.client, source, dataset=DATASET, report=str(tmp_path / "none" / "report.jsonl"))
    with pytest.raises(InvalidValueError, match="NUL"):
        push(diffgram.client, source, dataset=DATASET, origin=("a\x00", None))
    assert asked == []
    assert diffgram.content() == before
