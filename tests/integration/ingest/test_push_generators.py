"""What a generator yields ends as what a list holds: on the server, in the report, in errors."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client.routes.uploads import MIB
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import Handle, InvalidValueError, Receipt
from airflow_provider_diffgram.models.media import EXTENSIONS, MEDIA_TYPES
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import VIDEO, Media, png

KINDS = {"a list": list, "a generator": iter}
SOURCES: dict[str, Callable[[Callable[[], Iterator[Any]]], Any]] = {
    "a generator": lambda packets: packets(),
    "a function that returns a list": lambda packets: lambda: list(packets()),
    "a function that returns a generator": lambda packets: packets,
}


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


def push_until_it_waits(diffgram: LiveDiffgram, packets: Iterable[dict[str, Any]]) -> None:
    """Push into a queue that stands still, and stop once an input waits: a push waits for videos."""
    diffgram.emulator.pause_queue()
    stop = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        pushing = thread.submit(
            push,
            diffgram.client,
            packets,
            dataset=DATASET,
            stop=stop,
            limits=diffgram.limits,
            delivery="queue",
        )
        deadline = time.monotonic() + 30
        while not any(row.processing_deferred or row.source != "from_resumable" for row in diffgram.inputs()):
            until("nothing waits", deadline)
        stop.set()
        assert pushing.exception() is None or "asked to stop" in str(pushing.exception())


def push_while_it_waits(diffgram: LiveDiffgram, packets: Iterable[dict[str, Any]]) -> Receipt:
    """Push again, let the queue go on after a second, and wait."""
    going_on = threading.Timer(1.0, diffgram.emulator.pause_queue, [False])
    going_on.start()
    handle = push(diffgram.client, packets, dataset=DATASET, limits=diffgram.limits)
    going_on.join()
    return diffgram.done(handle)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_large_medium_of_any_type_that_waits_is_not_sent_again(
    diffgram: LiveDiffgram, tmp_path: Path, low_limit: None, media_type: str, kind: str
):
    packet = large(tmp_path, media_type)
    push_until_it_waits(diffgram, KINDS[kind]([packet]))
    assert push_while_it_waits(diffgram, KINDS[kind]([packet])).summary() == "1 expected: 1 succeeded"
    assert [(row.media_type, row.source) for row in diffgram.inputs()] == [(media_type, "from_resumable")]
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
    push_until_it_waits(diffgram, KINDS[kind]([packet]))
    assert push_while_it_waits(diffgram, KINDS[kind]([packet])).summary() == "1 expected: 1 succeeded"
    assert [row.original_filename for row in diffgram.inputs()] == [packet["original_filename"]]
    assert diffgram.names() == [packet["original_filename"]]


@pytest.mark.parametrize("kind", ["a list", *SOURCES])
def test_what_is_known_before_the_first_packet_is_told_before_it(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, kind: str
):
    asked = []

    def packets() -> Iterator[dict[str, Any]]:
        asked.append("a packet")
        yield {"media": {"url": media.url("a.png")}, "original_filename": "a.png"}

    before = diffgram.content()
    source = list(packets()) if kind == "a list" else SOURCES[kind](packets)
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


@pytest.mark.parametrize("kind", SOURCES)
def test_what_a_function_returns_is_sent_once_and_a_list_of_it_is_checked_as_a_whole(
    diffgram: LiveDiffgram, kind: str
):
    def texts(*names: str) -> Iterator[dict[str, Any]]:
        return ({"media": {"text_data": "hello"}, "original_filename": name} for name in names)

    def pushed(*names: str) -> Handle:
        source = SOURCES[kind](lambda: texts(*names))
        return push(diffgram.client, source, dataset=DATASET, limits=replace(LIMITS, chunk=2))

    assert diffgram.done(pushed("a.txt", "b.txt", "c.txt")).summary() == "3 expected: 3 succeeded"
    with pytest.raises((InvalidValueError, PushError), match=r"a second packet named 'd\.txt'"):
        pushed("d.txt", "e.txt", "d.txt")
    sent = [] if kind == "a function that returns a list" else ["d.txt", "e.txt"]
    assert names_of_inputs(diffgram) == ["a.txt", "b.txt", "c.txt", *sent]


def test_what_a_function_raises_goes_on_as_it_is(diffgram: LiveDiffgram):
    def broken() -> list[Any]:
        raise ModelError("no such layer")

    with pytest.raises(ModelError, match="no such layer"):
        push(diffgram.client, broken, dataset=DATASET)


def child(parent: int, number: int, name: str | None = None) -> dict[str, Any]:
    media = {"text_data": "hello"}
    name = name or f"child-{number}.txt"
    return {"media": media, "original_filename": name, "parent_file_id": parent, "ordinal": number}


def test_a_child_named_like_a_root_file_that_came_meanwhile_is_refused(diffgram: LiveDiffgram):
    parent, other = (diffgram.compound(name) for name in ("pages", "gone.txt"))

    def children() -> Iterator[dict[str, Any]]:
        yield from (child(parent, number) for number in range(5))
        deadline = time.monotonic() + 20
        while len(diffgram.inputs(parent)) < 5:
            until("the first portion was not sent", deadline)
        diffgram.compound("late.txt")
        diffgram.emulator.control(
            "files", {"project": diffgram.client.project, "file_id": other, "state": "removed"}
        )
        yield from (child(parent, 5 + number) for number in range(3))
        yield child(parent, 8, "gone.txt")
        yield child(parent, 9, "late.txt")

    with pytest.raises(PushError, match=r"child 'late\.txt' has the name of file") as caught:
        push(diffgram.client, children(), dataset=DATASET, limits=replace(LIMITS, chunk=5))
    assert "gone.txt" not in str(caught.value)


def test_portions_of_children_do_not_each_list_the_whole_dataset(diffgram: LiveDiffgram):
    """Four names are too many to search singly, so the dataset is listed: whole, then what is new of it."""
    parent = diffgram.compound()
    body = {"project": diffgram.client.project, "dataset_id": diffgram.directory_id}
    diffgram.emulator.control(
        "fill", {**body, "label_file_id": diffgram.labels["cat"], "files": 2500, "boxes": 0}
    )

    def listings_of(portions: int, first: int) -> int:
        before = listings(diffgram)
        children = (child(parent, first + number) for number in range(4 * portions))
        push(diffgram.client, children, dataset=DATASET, limits=replace(LIMITS, chunk=4))
        return listings(diffgram) - before

    of_one, of_six = listings_of(1, 0), listings_of(6, 4)
    assert of_one >= 3, "a page has a thousand files"
    assert of_six == of_one + 5


def listings(diffgram: LiveDiffgram) -> int:
    """Return how many pages of files were listed."""
    counts = diffgram.emulator.requests()["counts"]
    return sum(each["count"] for each in counts if each["path"].endswith("/file/list"))


def names_of_inputs(diffgram: LiveDiffgram) -> list[str]:
    return sorted(str(row.original_filename) for row in diffgram.inputs())


def lines(report: Path) -> list[tuple[str, str]]:
    """Return name and outcome of each line of a report."""
    read = (json.loads(line) for line in report.read_text().splitlines())
    return sorted((line["name"], line["outcome"]) for line in read)


def test_what_was_yielded_goes_out_while_the_generator_thinks(diffgram: LiveDiffgram, media: Media):
    limits = replace(LIMITS, linger=0.1)

    def packets() -> Iterator[dict[str, Any]]:
        yield image(media, "a.png", box(1))
        deadline = time.monotonic() + 30
        while names_of_inputs(diffgram) != ["a.png"]:
            until("nothing was sent while the generator was thinking", deadline)
        yield image(media, "b.png", box(2))

    handle = push(diffgram.client, packets(), dataset=DATASET, limits=limits)
    assert diffgram.done(handle).summary() == "2 expected: 2 succeeded"


class ModelError(Exception):
    """What the code of a user raises."""


@pytest.mark.parametrize(
    "error",
    [ModelError("broke"), OSError("no model"), InvalidValueError("boxes", ["bad"]), PushError("theirs")],
    ids=lambda error: type(error).__name__,
)
def test_what_was_yielded_before_an_error_is_sent_and_told_and_the_error_goes_on(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "c.png").write_bytes(png())
    diffgram.pushed([image(media, "d.png")])

    def packets(*, breaks: bool) -> Iterator[dict[str, Any]]:
        yield image(media, "a.png", box(1))
        yield image(media, "b.png", box(2))
        yield {"media": {"path": tmp_path / "c.png"}, "original_filename": "c.png", "instance_list": [box(3)]}
        yield image(media, "d.png", box(4))
        if breaks:
            raise error

    report = tmp_path / "report.jsonl"
    with pytest.raises(type(error)) as caught:
        push(diffgram.client, packets(breaks=True), dataset=DATASET, report=str(report))
    assert caught.value is error
    told = "4 packets were yielded before: 4 sent, 0 failed, 0 skipped"
    assert error.__notes__ == [f"{told}. A retry finds what arrived."]
    assert f"the generator raised {type(error).__name__}: {told}" in caplog.text
    assert lines(report) == [(name, "sent") for name in ("a.png", "b.png", "c.png", "d.png")]
    handle = push(diffgram.client, packets(breaks=False), dataset=DATASET)
    assert diffgram.done(handle).failures == []
    assert {file.original_filename: diffgram.lefts(file.id) for file in diffgram.files()} == {
        "a.png": [1],
        "b.png": [2],
        "c.png": [3],
        "d.png": [4],
    }


def test_an_error_of_the_generator_is_raised_even_if_what_it_yielded_cannot_be_sent(
    diffgram: LiveDiffgram, media: Media
):
    def packets(*yielded: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from yielded
        raise ModelError("broke")

    with pytest.raises(ModelError) as caught:
        push(diffgram.client, packets(image(media, "a.png", box(1)), {}), dataset=DATASET)
    assert (
        "2 packets were yielded before; of those packets: packet 1: file_id: has neither"
        in caught.value.__notes__[0]
    )
    assert diffgram.inputs() == []
    refusal = {"log": {"error": {"media": "no such thing"}, "info": {}, "success": False}}
    diffgram.emulator.fault("input/from_local", "status", status=400, body=refusal)
    with pytest.raises(ModelError) as caught:
        push(diffgram.client, packets(image(media, "a.png", box(1))), dataset=DATASET)
    assert "1 packet: 0 sent, 1 failed, 0 skipped. a.png: " in caught.value.__notes__[0]


def test_a_generator_that_is_ended_from_outside_sends_nothing_more(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    def packets() -> Iterator[dict[str, Any]]:
        yield image(media, "a.png", box(1))
        raise KeyboardInterrupt

    report = tmp_path / "report.jsonl"
    with pytest.raises(KeyboardInterrupt):
        push(diffgram.client, packets(), dataset=DATASET, report=str(report))
    assert diffgram.inputs() == []
    assert lines(report) == []


def test_a_generator_is_asked_for_no_more_once_sending_has_failed(diffgram: LiveDiffgram, media: Media):
    limits = replace(LIMITS, chunk=2)
    diffgram.emulator.fault("input/from_local", "status", status=401, times=None)
    asked = 0

    def packets() -> Iterator[dict[str, Any]]:
        nonlocal asked
        for asked in range(1000):
            yield image(media, f"{asked}.png", box(1))

    with pytest.raises(PushError, match="stopped: "):
        push(diffgram.client, packets(), dataset=DATASET, concurrency=1, limits=limits)
    assert asked < 10, "what was under way, at hand and waiting: two each; and the one that was yielded then"
    assert diffgram.inputs() == []


_whose: ContextVar[str] = ContextVar("_whose", default="nobody's")


def test_a_generator_runs_in_the_thread_of_its_caller_and_paths_are_opened_in_its_context(
    diffgram: LiveDiffgram, tmp_path: Path
):
    (tmp_path / "a.png").write_bytes(png())
    _whose.set("the caller's")
    seen: set[str] = set()
    threads = []

    def path_of(path: str) -> Any:
        if threading.current_thread().name.startswith("diffgram-push"):
            seen.add(_whose.get())
        return universal_path(path)

    def packets() -> Iterator[dict[str, Any]]:
        threads.append(threading.get_ident())
        yield {"media": {"path": tmp_path / "a.png"}, "original_filename": "a.png"}

    push(diffgram.client, packets(), dataset=DATASET, path_of=path_of)
    assert threads == [threading.get_ident()]
    assert seen == {"the caller's"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", ["instance_list", "frame_packet_map"])
def test_instances_that_can_be_read_once_only_are_not_lost_in_silence(
    diffgram: LiveDiffgram, media: Media, kind: str, field: str
):
    """A list is read when it is checked and when it is sent: the second time nothing would be left."""
    boxes = (box(left) for left in (1, 3))
    packet = image(media, "a.png") | {"instance_list": boxes}
    if field == "frame_packet_map":
        packet = QUEUED["video"](media) | {"frame_packet_map": {0: boxes}}
    with pytest.raises(
        InvalidValueError, match=rf"{field}.*: is an iterator, which can be read only once: give a list"
    ):
        push(diffgram.client, KINDS[kind]([packet]), dataset=DATASET)
    assert diffgram.inputs() == []
