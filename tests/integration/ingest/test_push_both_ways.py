"""A generator and a list of the same packets leave the same, from the same start, and tell the same."""

from __future__ import annotations

import io
import itertools
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.request import Upload
from airflow_provider_diffgram.ingest.check import labels
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.models import Input, InvalidValueError
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.served_media import Media, png

Packets = list[dict[str, Any]]
REFUSAL = {"log": {"error": {"media": "no such thing"}, "info": {}, "success": False}}

_numbers = itertools.count(1)


@dataclass
class Start:
    """A project in some circumstance, where packets are to be pushed."""

    diffgram: LiveDiffgram
    media: Media
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)

    def picture(self, name: str, *boxes: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "media": {"url": self.media.url(name)},
            "original_filename": name,
            "instance_list": list(boxes),
            **more,
        }

    def waiting(self, name: str, *boxes: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.picture(name, *boxes, **more) | {"media": {"url": self.media.url(f"wait/{name}")}}

    def local(self, name: str, *boxes: dict[str, Any], **more: Any) -> dict[str, Any]:
        (self.folder / name).write_bytes(png())
        place = {"media": {"path": str(self.folder / name)}, "original_filename": name}
        return {**place, "instance_list": list(boxes), **more}

    def compound(self, name: str = "pages") -> int:
        return self.diffgram.compound(name)

    def doubled(self, name: str, times: int, **place: Any) -> None:
        """Store files of one name, as many runs at once can."""
        batch = self.diffgram.ask(routes.create_batch).id
        medium = {"media": {"url": self.media.url(f"wait/{name}"), "type": "image"}, "batch_id": batch}
        body = {"directory_id": self.diffgram.directory_id, "original_filename": name, **medium, **place}
        for _ in range(times):
            self.diffgram.ask(routes.send_packet, body, name)
        parent = place.get("parent_file_id")
        deadline = time.monotonic() + 20
        while not all(row.status == "processing" for row in self.diffgram.inputs(parent, batch_id=batch)):
            until("not all are processed at once", deadline)
        self.media.gate.set()
        while not all(row.succeeded for row in self.diffgram.inputs(parent, batch_id=batch)):
            until("not all are in", deadline)
        self.media.gate.clear()


def nothing(start: Start) -> Packets:
    return []


def new_media(start: Start) -> Packets:
    text = {"media": {"text_data": "A cat."}, "original_filename": "c.txt"}
    video = {"media": {"url": start.media.url("d.mp4"), "type": "video"}, "original_filename": "d.mp4"}
    return [start.picture("a.png", box(1)), start.local("b.png", box(2)), text, video]


def media_that_are_there(start: Start) -> Packets:
    start.diffgram.pushed([start.picture("a.png", box(1)), start.local("b.png", box(2))])
    return [start.picture("a.png", box(5)), start.local("b.png", box(6)), start.picture("c.png", box(7))]


def media_that_wait(start: Start) -> Packets:
    packets = [start.waiting(f"{number}.png", box(number + 1)) for number in range(5)]
    start.diffgram.push(packets[:4])
    return packets


def names_that_four_files_have(start: Start) -> Packets:
    start.doubled("a.png", 4)
    start.doubled("b.png", 2)
    start.doubled("not-ours.png", 2)
    others = [start.picture(f"{number}.png") for number in range(3)]
    return [start.picture("a.png", box(1)), start.picture("b.png", box(2)), *others]


def places_that_four_children_have(start: Start) -> Packets:
    parent = start.compound()
    start.doubled("page.png", 4, parent_file_id=parent, ordinal=0)
    return [start.picture("page.png", box(1 + n), parent_file_id=parent, ordinal=n) for n in range(2)]


def children_of_one_name(start: Start) -> Packets:
    parent = start.compound()
    return [start.picture("page.png", parent_file_id=parent, ordinal=n) for n in range(5)]


def children_and_root_files(start: Start) -> Packets:
    parent = start.compound()
    children = [start.local(f"page-{n}.png", box(1 + n), parent_file_id=parent, ordinal=n) for n in range(2)]
    return [children[0], start.picture("a.png", box(1)), children[1], start.local("b.png")]


def a_child_with_the_name_of_a_root_file(start: Start) -> Packets:
    start.diffgram.pushed([start.picture("a.png")])
    return [start.picture("a.png", parent_file_id=start.compound(), ordinal=0), start.picture("b.png")]


def files_without_predictions(start: Start) -> Packets:
    start.diffgram.pushed([start.picture("a.png"), start.local("b.png")])
    return [start.picture("a.png", box(1)), start.local("b.png", box(2))]


def nothing_that_is_there_may_be(start: Start) -> Packets:
    start.options["if_exists"] = "fail"
    start.diffgram.pushed([start.picture("b.png")])
    return [start.picture("a.png", box(1)), start.picture("b.png", box(2))]


def nothing_that_is_there_may_be_and_labels_are_made(start: Start) -> Packets:
    start.options |= {"if_exists": "fail", "unknown_labels": "create"}
    parent = start.compound()
    start.diffgram.pushed([start.picture("b.png")])
    child = start.picture("c.png", box(3, "otter"), parent_file_id=parent, ordinal=0)
    return [start.picture("a.png", box(1, "fox")), start.picture("b.png", box(2)), child]


def nothing_is_there(start: Start) -> Packets:
    start.options |= {"if_exists": "fail", "unknown_labels": "create"}
    child = start.picture("c.png", box(3, "otter"), parent_file_id=start.compound(), ordinal=0)
    return [start.picture("a.png", box(1, "fox")), child]


def what_is_there_is_appended_to(start: Start) -> Packets:
    start.options["if_exists"] = "append"
    return media_that_are_there(start)


def what_is_there_is_replaced(start: Start) -> Packets:
    start.options["if_exists"] = "replace"
    return media_that_are_there(start)


def unknown_labels_fail(start: Start) -> Packets:
    return [start.picture("a.png", box(1)), start.picture("b.png", box(2, "fox"), box(3, "otter"))]


def unknown_labels_are_dropped(start: Start) -> Packets:
    start.options["unknown_labels"] = "drop"
    return unknown_labels_fail(start)


def unknown_labels_are_made(start: Start) -> Packets:
    start.options["unknown_labels"] = "create"
    return unknown_labels_fail(start)


def several_updates_of_a_file(start: Start) -> Packets:
    start.diffgram.pushed([start.picture("a.png", box(1))])
    file_id = start.diffgram.file("a.png").id
    return [{"file_id": file_id, "mode": "update", "instance_list": [box(left)]} for left in (3, 5, 7)]


def updates_that_undo_each_other(start: Start) -> Packets:
    packets = several_updates_of_a_file(start)
    return [*packets, packets[0] | {"mode": "update_with_existing"}]


def one_name_twice(start: Start) -> Packets:
    return [start.picture("a.png", box(1)), start.picture("b.png"), start.picture("a.png", box(2))]


def packets_that_are_wrong(start: Start) -> Packets:
    return [start.picture("a.png"), {}, start.picture("b.png", box(1, x="no")), start.picture("c.txt")]


def a_refusal(start: Start) -> Packets:
    start.diffgram.emulator.fault("input/packet", "status", status=400, body=REFUSAL, text="b.png")
    return [start.picture(f"{name}.png", box(1)) for name in "abc"]


def a_refusal_that_is_allowed(start: Start) -> Packets:
    start.options["max_failed"] = 0.5
    return a_refusal(start)


def lost_answers(start: Start) -> Packets:
    start.diffgram.emulator.fault("input/packet", "reset_after", times=2)
    start.diffgram.emulator.fault("from_local", "reset_after")
    return [*(start.picture(f"{name}.png", box(1)) for name in "abc"), start.local("d.png", box(4))]


def a_new_model_run(start: Start) -> Packets:
    refs = {"model_ref": "finder", "model_run_ref": "today"}
    return [start.picture(f"{number}.png", box(number + 1, **refs)) for number in range(4)]


def a_model_of_the_push(start: Start) -> Packets:
    start.options["origin"] = ("finder", "today")
    return [start.picture(f"{number}.png", box(number + 1, score=0.5)) for number in range(4)]


def a_dataset_that_is_full(start: Start) -> Packets:
    start.diffgram.pushed([start.picture(f"old-{number}.png") for number in range(4)])
    return [start.picture(f"{number}.png") for number in range(4)]


def a_file_without_a_name(start: Start) -> Packets:
    start.diffgram.ask(
        routes.upload_local,
        Upload("nameless.png", len(png()), lambda: io.BytesIO(png())),
        {"directory_id": start.diffgram.directory_id, "instance_list": []},
    )
    listed = start.diffgram.ask(routes.list_files, start.diffgram.directory_id)
    nameless = {"id": 999_999, "state": "added", "original_filename": None, "count_instances_changed": None}
    files = [*(file.model_dump(mode="json") for file in listed.file_list), nameless]
    body = {"file_list": files, "metadata": {"next_page": None}}
    start.diffgram.emulator.fault("/file/list", "status", status=200, body=body)
    return [start.picture(f"{number}.png") for number in range(4)]


CIRCUMSTANCES: list[Callable[[Start], Packets]] = [
    nothing,
    new_media,
    media_that_are_there,
    media_that_wait,
    names_that_four_files_have,
    places_that_four_children_have,
    children_of_one_name,
    children_and_root_files,
    a_child_with_the_name_of_a_root_file,
    files_without_predictions,
    nothing_that_is_there_may_be,
    nothing_that_is_there_may_be_and_labels_are_made,
    nothing_is_there,
    what_is_there_is_appended_to,
    what_is_there_is_replaced,
    unknown_labels_fail,
    unknown_labels_are_dropped,
    unknown_labels_are_made,
    several_updates_of_a_file,
    updates_that_undo_each_other,
    one_name_twice,
    packets_that_are_wrong,
    a_refusal,
    a_refusal_that_is_allowed,
    lost_answers,
    a_new_model_run,
    a_model_of_the_push,
    a_dataset_that_is_full,
    a_file_without_a_name,
]

SENDING: dict[str, Callable[[Packets], Iterable[dict[str, Any]]]] = {
    "list": list,
    "generator": lambda packets: (each for each in packets),
}


class Warnings(logging.Handler):
    """What a push warns of; numbers that differ from project to project are left out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(without_ids(record.getMessage()))


def without_ids(text: str) -> str:
    """Return a text without the ids in it, which count on from project to project."""
    return re.sub(r"(?<![\w.-])\d+(?![\w.-])", "N", text)


def left(diffgram: LiveDiffgram) -> dict[str, Any]:
    """Return what is there once nothing is under way, without ids: files, instances, labels, inputs."""
    deadline = time.monotonic() + 20
    while under_way := [row for row in diffgram.inputs() if not is_at_rest(diffgram, row)]:
        until(under_way, deadline)
    roots = diffgram.files()
    parents = [file for file in roots if (file.type or "").startswith("compound")]
    children = [
        (parent.original_filename, each) for parent in parents for each in diffgram.children(parent.id)
    ]
    schema = diffgram.ask(routes.list_schemas)[0]
    rows = [row for parent in (None, *(each.id for each in parents)) for row in diffgram.inputs(parent)]
    return {
        "files": Counter((file.original_filename, file.type, _held(diffgram, file)) for file in roots),
        "children": Counter(
            (parent, child.original_filename, child.ordinal, _held(diffgram, child))
            for parent, child in children
        ),
        "labels": sorted(label.name for label in diffgram.ask(routes.list_labels, schema.id).labels),
        "inputs": Counter((row.original_filename, row.mode, row.status, bool(row.archived)) for row in rows),
        "runs": sorted(str(run.reference_id) for run in diffgram.ask(routes.list_model_runs)),
    }


def is_at_rest(diffgram: LiveDiffgram, row: Input) -> bool:
    """Whether an input has ended, with its predictions, which come later than the file."""
    if row.failed or row.archived or row.source == "from_compound":
        return True
    if not row.succeeded or row.file_id is None:
        return False
    file = diffgram.ask_file(row.file_id)
    return not row.instance_list or file.removed or file.count_instances_changed is not None


def _held(diffgram: LiveDiffgram, file: Any) -> tuple[int, ...]:
    return () if file.type == "video" else tuple(diffgram.lefts(file.id))


def told(start: Start, packets: Packets, way: str) -> dict[str, Any]:
    """Push in one way; return everything that it told and left."""
    report = start.folder / f"report-{way}.jsonl"
    log, warnings = logging.getLogger("airflow_provider_diffgram"), Warnings()
    log.addHandler(warnings)
    found: dict[str, Any] = {}
    try:
        handle = push(
            start.diffgram.client,
            SENDING[way](packets),
            dataset=DATASET,
            report=str(report),
            concurrency=1,
            delivery="queue",
            **start.options,
        )
    except (InvalidValueError, PushError) as error:
        found["error"] = type(error), without_ids(str(error))
    else:
        counts = {key: value for key, value in handle.counts().items() if "id" not in key}
        found["handle"] = counts, [(batch.inputs, len(batch.only or [])) for batch in handle.batches]
        start.media.gate.set()
        found["receipt"] = start.diffgram.done(handle).summary()
        start.media.gate.clear()
    finally:
        log.removeHandler(warnings)
    lines = map(json.loads, report.read_text().splitlines() if report.exists() else [])
    found["report"] = sorted(
        (without_ids(line["name"]), line["outcome"], without_ids(line.get("reason", ""))) for line in lines
    )
    found["warnings"] = sorted(warnings.told)
    return found


@pytest.fixture
def starts(unlimited_emulator: EmulatorProcess, media: Media, tmp_path: Path) -> Iterator[Any]:
    """Makes fresh projects."""

    def start(folder: str) -> Start:
        unlimited_emulator.reset()
        (tmp_path / folder).mkdir()
        project = unlimited_emulator.with_project(f"ways-{next(_numbers)}")
        return Start(LiveDiffgram.of(project, delivery="queue"), media, tmp_path / folder)

    yield start
    unlimited_emulator.control("faults", method="DELETE")


FAILING = {
    a_child_with_the_name_of_a_root_file,
    nothing_that_is_there_may_be,
    nothing_that_is_there_may_be_and_labels_are_made,
    unknown_labels_fail,
    updates_that_undo_each_other,
    one_name_twice,
    packets_that_are_wrong,
}
"""Circumstances in which a push is refused before anything is sent: a portion of a generator's is not."""


@pytest.mark.parametrize(
    "circumstance", [each for each in CIRCUMSTANCES if each not in FAILING], ids=lambda each: each.__name__
)
def test_a_generator_in_small_portions_leaves_what_a_list_leaves(
    starts: Callable[[str], Start], circumstance: Callable[[Start], Packets]
):
    seen = []
    for way, size in (("list", 1000), ("generator", 2)):
        limits = replace(LIMITS, chunk=size)
        start = starts(way)
        start.options["limits"] = limits
        found = told(start, circumstance(start), way)
        seen.append((found.get("receipt"), found["report"], left(start.diffgram)))
    assert seen[1] == seen[0]


@pytest.mark.parametrize("way", SENDING)
def test_of_several_files_of_a_name_the_oldest_stays_and_those_of_others_are_left_alone(
    starts: Callable[[str], Start], way: str
):
    start = starts(way)
    packets = names_that_four_files_have(start)
    oldest = min(file.id for file in start.diffgram.files() if file.original_filename == "a.png")
    told(start, packets, way)
    names = Counter(start.diffgram.names())
    assert names == {"a.png": 1, "b.png": 1, "not-ours.png": 2, "0.png": 1, "1.png": 1, "2.png": 1}
    assert start.diffgram.file("a.png").id == oldest
    assert start.diffgram.lefts(oldest) == [1]


@pytest.mark.parametrize("way", SENDING)
def test_a_name_whose_oldest_file_was_removed_meanwhile_keeps_the_next(
    starts: Callable[[str], Start], way: str
):
    """Between the look and the name's turn hours may pass, if a generator is slow."""
    limits = replace(LIMITS, chunk=4)
    start = starts(way)
    start.options["limits"] = limits
    start.doubled("a.png", 2)
    oldest, next_one = sorted(file.id for file in start.diffgram.files())
    others = [start.picture(f"{number}.png") for number in range(4)]

    def packets() -> Iterator[dict[str, Any]]:
        yield from others
        deadline = time.monotonic() + 20
        while len(start.diffgram.inputs()) < 2 + len(others):
            until("the others are not sent", deadline)
        start.diffgram.archive(*(row for row in start.diffgram.inputs() if row.file_id == oldest))
        yield start.picture("a.png", box(1))

    if way == "generator":
        handle = push(start.diffgram.client, packets(), dataset=DATASET, limits=limits, delivery="queue")
        start.diffgram.done(handle)
    else:
        start.diffgram.archive(*(row for row in start.diffgram.inputs() if row.file_id == oldest))
        start.diffgram.pushed([*others, start.picture("a.png", box(1))])
    assert start.diffgram.file("a.png").id == next_one


@pytest.mark.parametrize("way", SENDING)
def test_raw_children_of_one_name_in_several_portions_do_not_wait_for_each_other(
    starts: Callable[[str], Start], way: str
):
    limits = replace(LIMITS, chunk=2)
    start = starts(way)
    start.options["limits"] = limits
    packets = children_of_one_name(start)
    start.diffgram.emulator.pause_queue()
    handle = push(
        start.diffgram.client, SENDING[way](packets), dataset=DATASET, limits=limits, delivery="queue"
    )
    start.diffgram.emulator.pause_queue(False)
    assert start.diffgram.done(handle).summary() == "5 expected: 5 succeeded"


@pytest.mark.parametrize("way", SENDING)
def test_a_push_that_is_refused_for_what_is_there_archives_no_doubles(
    starts: Callable[[str], Start], way: str
):
    start = starts(way)
    start.doubled("a.png", 2)
    packets = [*places_that_four_children_have(start), start.picture("a.png")]
    before = start.diffgram.content()
    with pytest.raises((InvalidValueError, PushError), match=r"'page\.png' is in the dataset already"):
        push(start.diffgram.client, SENDING[way](packets), dataset=DATASET, if_exists="fail")
    assert start.diffgram.content() == before


@pytest.mark.parametrize("way", SENDING)
def test_more_images_than_a_dataset_takes_are_told_once(starts: Callable[[str], Start], way: str):
    limits = replace(LIMITS, dataset_cap=7, chunk=2)
    start = starts(way)
    start.options["limits"] = limits
    found = told(start, [*a_dataset_that_is_full(start), start.picture("5.png")], way)
    beyond = [text for text in found["warnings"] if "files in the dataset, and" in text]
    assert len(beyond) == 1


@pytest.mark.parametrize("way", SENDING)
def test_a_push_that_is_refused_makes_no_label(starts: Callable[[str], Start], way: str):
    start = starts(way)
    found = told(start, nothing_that_is_there_may_be_and_labels_are_made(start), way)
    assert "'b.png' is in the dataset already" in found["error"][1]
    assert left(start.diffgram)["labels"] == ["cat", "dog"]


def test_a_thousand_new_labels_are_refused_however_a_generator_spreads_them(
    starts: Callable[[str], Start], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(labels, "_NOTED", 5)
    limits = replace(LIMITS, chunk=2)
    start = starts("generator")
    start.options["limits"] = limits
    start.options["unknown_labels"] = "create"
    packets = [start.picture(f"{number}.png", box(1, f"class {number}")) for number in range(20)]
    found = told(start, packets, "generator")
    assert "labels or more would be created" in found["error"][1]
    assert len(left(start.diffgram)["labels"]) < 2 + 5


def test_instances_that_are_left_out_are_told_when_a_label_is_first_met_and_in_the_end(
    starts: Callable[[str], Start],
):
    limits = replace(LIMITS, chunk=2)
    start = starts("generator")
    start.options["limits"] = limits
    start.options["unknown_labels"] = "drop"
    packets = [start.picture(f"{number}.png", box(1, "fox"), box(3)) for number in range(8)]
    found = told(start, packets, "generator")
    assert [text.split(",")[0] for text in found["warnings"]] == [
        "N instances left out",
        "N instances left out",
    ]


@pytest.mark.parametrize("circumstance", CIRCUMSTANCES, ids=lambda each: each.__name__)
def test_a_generator_and_a_list_leave_and_tell_the_same(
    starts: Callable[[str], Start], circumstance: Callable[[Start], Packets]
):
    limits = replace(LIMITS, dataset_cap=7)
    seen = []
    for way in SENDING:
        start = starts(way)
        start.options["limits"] = limits
        packets = circumstance(start)
        seen.append((told(start, packets, way), left(start.diffgram)))
    (told_of_list, left_by_list), (told_of_generator, left_by_generator) = seen
    assert left_by_generator == left_by_list
    assert told_of_generator == told_of_list
