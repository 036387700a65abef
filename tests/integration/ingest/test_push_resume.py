"""A push that is repeated: what is there, on its way, lost or doubled (design: exactly once)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Timer
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.push import push
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import FastTime, until
from tests.integration.ingest.live_diffgram import DATASET, Kept, LiveDiffgram, box, settings
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media, png

pytestmark = pytest.mark.usefixtures("queued")


def waiting(media: Media, name: str, *boxes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a packet whose input stays pending until the gate of the media opens."""
    return image(media, name, *boxes, folder="wait/", **more)


def test_what_is_on_its_way_is_waited_for_and_not_sent_again(diffgram: LiveDiffgram, media: Media):
    first = [waiting(media, "a.png", box()), waiting(media, "b.png", box())]
    diffgram.push(first)
    again = diffgram.push([*first, image(media, "c.png", box())])
    assert len(diffgram.inputs()) == 3
    assert sorted(batch.inputs for batch in again.batches) == [1, 2]
    media.gate.set()
    assert diffgram.done(again).summary() == "3 expected: 3 succeeded"
    assert sorted(map(str, diffgram.names())) == ["a.png", "b.png", "c.png"]


def test_children_on_their_way_are_told_apart_by_ordinal_quirk_18(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound()
    pages = [waiting(media, "page.png", box(n + 1), parent_file_id=parent, ordinal=n) for n in range(2)]
    diffgram.push(pages[:1])
    opening = Timer(0.6, media.gate.set)
    opening.start()
    again = diffgram.push(pages)
    opening.join()
    receipt = diffgram.done(again)
    assert receipt.succeeded + receipt.skipped == receipt.expected == 2
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1]


@pytest.mark.parametrize("boxes", [[box()], []])
def test_a_child_of_another_place_on_its_way_is_not_taken_for_ours_quirk_18(
    diffgram: LiveDiffgram, media: Media, boxes: list[dict[str, Any]]
):
    parent = diffgram.compound()
    theirs, ours = (
        waiting(media, "page.png", *boxes, parent_file_id=parent, ordinal=ordinal) for ordinal in (0, 1)
    )
    diffgram.push([theirs])
    opening = Timer(0.6, media.gate.set)
    opening.start()
    receipt = diffgram.pushed([ours])
    opening.join()
    assert (receipt.expected, receipt.succeeded) == (1, 1)
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1]


def test_a_child_on_its_way_is_known_by_its_predictions(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound()
    page = waiting(media, "page.png", box(), parent_file_id=parent, ordinal=3)
    diffgram.push([page])
    again = diffgram.push([page])
    media.gate.set()
    assert diffgram.done(again).succeeded == 1
    assert len(diffgram.inputs(parent)) == 1


def test_a_raw_child_on_its_way_is_known_by_its_batch(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound()
    page = waiting(media, "page.png", parent_file_id=parent, ordinal=3)
    memory = Kept()
    diffgram.push([page], memory=memory)
    again = diffgram.push([page], memory=memory)
    media.gate.set()
    assert diffgram.done(again).succeeded == 1
    assert len(diffgram.inputs(parent)) == 1


def test_more_pending_inputs_than_a_listing_shows_are_not_sent_again_2_12(tmp_path: Path, media: Media):
    packets = [image(media, f"{number}.png") for number in range(1005)]
    with EmulatorProcess.start(tmp_path / "asleep", rate_limit=False, cycle=3600.0, workers=1) as emulator:
        time.sleep(0.2)
        diffgram = LiveDiffgram.of(emulator, delivery="queue")
        diffgram.push(packets)
        again = diffgram.push(packets)
        assert sum(batch.inputs for batch in again.batches) + again.skipped == 1005
        last = diffgram.ask(routes.create_batch).id
        held = [diffgram.inputs(batch_id=number) for number in range(1, last)]
        assert sum(map(len, held)) == 1005


@pytest.mark.parametrize("child", [False, True])
def test_a_file_without_any_instance_gets_its_predictions(diffgram: LiveDiffgram, media: Media, child: bool):
    place = {"parent_file_id": diffgram.compound(), "ordinal": 0} if child else {}
    diffgram.pushed([image(media, "a.png", **place)])
    full = [image(media, "a.png", box(1), box(3), **place)]
    assert diffgram.pushed(full).summary() == "1 expected: 1 succeeded"
    files = diffgram.children(place["parent_file_id"]) if child else diffgram.files()
    assert [diffgram.lefts(file.id) for file in files] == [[1, 3]]
    assert diffgram.pushed(full).summary() == "1 expected: 1 skipped"
    assert [diffgram.lefts(file.id) for file in files] == [[1, 3]]


def test_a_file_whose_input_was_refused_gets_its_predictions_quirk_5(diffgram: LiveDiffgram, media: Media):
    body = {
        "directory_id": diffgram.directory_id,
        "original_filename": "a.png",
        "media": {"url": media.url("a.png"), "type": "image"},
    }
    bad = {**box(), "label_file_id": 99999}
    diffgram.ask(routes.send_packet, {**body, "instance_list": [bad]}, "a.png")
    deadline = time.monotonic() + 10
    while not any(row.failed for row in diffgram.inputs()):
        until(diffgram.inputs(), deadline)
    assert diffgram.file("a.png").count_instances_changed is None
    assert diffgram.pushed([image(media, "a.png", box(4))]).succeeded == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == [4]


def test_an_instance_that_a_person_deleted_stays_deleted(diffgram: LiveDiffgram, media: Media):
    packet = image(media, "a.png", box(1), box(3))
    diffgram.pushed([packet])
    file = diffgram.file("a.png")
    replace = {"file_id": file.id, "mode": "update_with_existing", "instance_list": [box(3)]}
    diffgram.pushed([replace])
    assert diffgram.lefts(file.id) == [3]
    assert diffgram.pushed([packet]).summary() == "1 expected: 1 skipped"
    assert diffgram.lefts(file.id) == [3]


def test_an_uploaded_file_without_instances_gets_its_predictions(diffgram: LiveDiffgram, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(png())
    raw = {"media": {"path": tmp_path / "a.png"}, "original_filename": "a.png"}
    diffgram.pushed([raw])
    assert diffgram.pushed([raw | {"instance_list": [box(2)]}]).succeeded == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == [2]
    assert len(diffgram.files()) == 1


def test_an_update_is_appended_once_whatever_the_number_of_pushes_quirk_31(
    diffgram: LiveDiffgram, media: Media
):
    diffgram.pushed([image(media, "a.png", box(1))])
    file = diffgram.file("a.png")
    packet = {"file_id": file.id, "mode": "update", "instance_list": [box(3), box(5)]}
    assert diffgram.pushed([packet]).succeeded == 1
    before = diffgram.content()
    assert diffgram.pushed([packet]).skipped == 1
    assert diffgram.content() == before
    assert diffgram.pushed([packet | {"instance_list": [box(5), box(6)]}]).succeeded == 1
    assert diffgram.lefts(file.id) == [1, 3, 5, 6]


def test_a_replacement_leaves_what_was_sent_and_nothing_else(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(1), box(3))])
    file = diffgram.file("a.png")
    packet = {"file_id": file.id, "mode": "update_with_existing", "instance_list": [box(3), box(7)]}
    for _ in range(2):
        receipt = diffgram.pushed([packet])
        assert receipt.succeeded + receipt.skipped == 1
        assert diffgram.lefts(file.id) == [3, 7]


def test_an_update_of_a_video_adds_to_its_frames_5_6(diffgram: LiveDiffgram, media: Media):
    video = {"media": {"url": media.url("v.mp4"), "type": "video"}, "original_filename": "v.mp4"}
    diffgram.pushed([video | {"frame_packet_map": {"0": [box(1)]}}])
    packet = {"file_id": diffgram.file("v.mp4").id, "mode": "update", "frame_packet_map": {"2": [box(4)]}}
    assert diffgram.pushed([packet]).summary() == "1 expected: 1 succeeded"


@pytest.mark.parametrize("tidied_by", ["the wait", "the next push"])
def test_a_name_doubled_by_two_runs_at_once_leaves_one_file_quirk_17(
    diffgram: LiveDiffgram, media: Media, tidied_by: str
):
    packet = waiting(media, "a.png", box(1))
    one = diffgram.push([packet])
    body = {
        "directory_id": diffgram.directory_id,
        "original_filename": "a.png",
        "media": {"url": media.url("wait/a.png"), "type": "image"},
        "batch_id": diffgram.ask(routes.create_batch).id,
        "instance_list": [{**box(1), "label_file_id": diffgram.labels["cat"]}],
    }
    diffgram.ask(routes.send_packet, body, "a.png")
    deadline = time.monotonic() + 10
    while sum(row.status == "processing" for row in diffgram.inputs()) < 2:
        until(diffgram.inputs(), deadline)
    media.gate.set()
    while sum(row.succeeded for row in diffgram.inputs()) < 2:
        until(diffgram.inputs(), deadline)
    assert diffgram.names() == ["a.png", "a.png"]
    first = diffgram.files()[0].id
    receipt = diffgram.done(one) if tidied_by == "the wait" else diffgram.pushed([packet])
    assert [file.id for file in diffgram.files()] == [first]
    assert diffgram.lefts(first) == [1]
    assert (receipt.expected, receipt.failed, receipt.pending, receipt.missing) == (1, 0, 0, 0)


@pytest.mark.parametrize("tidied_by", ["the wait", "the next push"])
def test_a_child_doubled_by_two_runs_at_once_leaves_the_oldest_quirk_18(
    diffgram: LiveDiffgram, media: Media, tidied_by: str
):
    parent = diffgram.compound()
    packet = waiting(media, "page.png", box(1), parent_file_id=parent, ordinal=4)
    one = diffgram.push([packet])
    body = {
        "directory_id": diffgram.directory_id,
        "parent_file_id": parent,
        "ordinal": 4,
        "original_filename": "page.png",
        "media": {"url": media.url("a.png"), "type": "image"},
        "batch_id": diffgram.ask(routes.create_batch).id,
    }
    media.gate.set()
    diffgram.ask(routes.send_packet, body, "page.png")
    deadline = time.monotonic() + 10
    while len(diffgram.children(parent)) < 2:
        until(diffgram.inputs(parent), deadline)
    oldest = min(child.id for child in diffgram.children(parent))
    receipt = diffgram.done(one) if tidied_by == "the wait" else diffgram.pushed([packet])
    assert [(child.id, child.ordinal) for child in diffgram.children(parent)] == [(oldest, 4)]
    assert (receipt.expected, receipt.failed, receipt.pending, receipt.missing) == (1, 0, 0, 0)


class UploadingTogether(DiffgramClient):
    """Uploads when the other is about to as well: both have looked by then."""

    def __init__(self, diffgram: LiveDiffgram, together: Barrier) -> None:
        super().__init__(diffgram.client.settings, FastTime())
        self._together = together

    def send(self, request: Request[Any]) -> Any:
        if request.upload is not None:
            self._together.wait(30)
        return super().send(request)


@pytest.mark.parametrize("child", [False, True])
def test_uploads_of_two_runs_at_once_leave_the_oldest_quirk_17(
    diffgram: LiveDiffgram, tmp_path: Path, child: bool
):
    (tmp_path / "a.png").write_bytes(png())
    parent = diffgram.compound() if child else None
    place = {"parent_file_id": parent, "ordinal": 2} if child else {}
    packet = {"media": {"path": str(tmp_path / "a.png")}, "original_filename": "a.png", **place}
    diffgram.emulator.tune(upload_seconds=2.0)  # both compare names before either stores its file
    together = Barrier(2)
    clients = [UploadingTogether(diffgram, together) for _ in range(2)]
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda client: push(client, [packet], dataset=DATASET, delivery="queue"), clients))
    files = diffgram.children(parent) if parent else diffgram.files()
    made = [row.file_id for row in diffgram.inputs(parent) if row.file_id]
    assert len(made) == 2, "both stored it"
    assert [file.id for file in files] == [min(made)]


def run_refs(run: str = "run-1") -> dict[str, str]:
    return {"model_ref": "model", "model_run_ref": run}


@pytest.fixture
def racing(tmp_path: Path) -> Any:
    """A server on which two workers that meet a new run at once surely collide."""
    options = {"rate_limit": False, "model_race_seconds": 0.3}
    with EmulatorProcess.start(tmp_path / "racing", **options) as emulator:
        yield LiveDiffgram.of(emulator, delivery="queue")


@pytest.mark.parametrize("kind", ["new", "healed", "appended", "children"])
def test_a_new_run_is_introduced_by_one_packet_quirk_48(racing: LiveDiffgram, media: Media, kind: str):
    parent = racing.compound()
    places = [{"parent_file_id": parent, "ordinal": n} if kind == "children" else {} for n in range(8)]
    named = [image(media, f"{n}.png", **place) for n, place in enumerate(places)]
    boxes = [box(n + 1, **run_refs()) for n in range(8)]
    packets = [packet | {"instance_list": [each]} for packet, each in zip(named, boxes, strict=True)]
    if kind in ("healed", "appended"):
        racing.pushed(named)
    if kind == "appended":
        ids = [racing.file(f"{n}.png").id for n in range(8)]
        packets = [
            {"file_id": file_id, "mode": "update", "instance_list": [each]}
            for file_id, each in zip(ids, boxes, strict=True)
        ]
    threads = racing.state()["ingest_threads"]
    assert racing.pushed(packets).summary() == "8 expected: 8 succeeded"
    assert racing.state()["ingest_threads"] == threads
    assert [run.reference_id for run in racing.ask(routes.list_model_runs)] == ["run-1"]


def test_the_race_that_introducing_prevents_is_real(racing: LiveDiffgram, media: Media):
    body = {"directory_id": racing.directory_id, "batch_id": racing.ask(routes.create_batch).id}
    instance = {**box(**run_refs()), "label_file_id": racing.labels["cat"]}
    for number in range(4):
        picture = {"url": media.url("a.png"), "type": "image"}
        named = {"original_filename": f"{number}.png", "media": picture, "instance_list": [instance]}
        racing.ask(routes.send_packet, body | named, "x")
    threads, deadline = racing.state()["ingest_threads"], time.monotonic() + 10
    while racing.state()["ingest_threads"] == threads:
        until(racing.state(), deadline)


def test_a_run_that_failed_to_be_introduced_is_introduced_by_the_next(racing: LiveDiffgram, media: Media):
    packets = [image(media, f"{n}.png", box(n + 1, **run_refs())) for n in range(4)]
    packets[0]["media"] = {"url": media.url("gone/0.png")}
    receipt = racing.pushed(packets)
    assert (receipt.succeeded, receipt.failed) == (3, 1)
    assert [failure.name for failure in receipt.failures] == ["0.png"]


def test_two_runs_in_turn_are_each_introduced(racing: LiveDiffgram, media: Media):
    packets = [image(media, f"{n}.png", box(n + 1, **run_refs(f"run-{n % 2}"))) for n in range(6)]
    assert racing.pushed(packets).succeeded == 6
    assert {run.reference_id for run in racing.ask(routes.list_model_runs)} == {"run-0", "run-1"}


def test_a_batch_that_is_full_on_a_retry_is_not_filled_further(diffgram: LiveDiffgram, media: Media):
    limits = replace(LIMITS, batch=2)
    diffgram.limits = limits
    packets = [waiting(media, f"{n}.png", box(n + 1)) for n in range(5)]
    diffgram.push(packets[:3])
    again = diffgram.push(packets)
    assert sum(batch.inputs for batch in again.batches) == 5
    assert all(len(batch.only or []) in (0, batch.inputs) for batch in again.batches)
    media.gate.set()
    assert diffgram.done(again).succeeded == 5
    assert len(diffgram.inputs()) == 5


def test_packets_come_from_an_iterator_that_is_never_whole_in_memory(diffgram: LiveDiffgram, media: Media):
    alive: set[int] = set()
    most = 0

    class Stream:
        def __iter__(self) -> Any:
            nonlocal most
            for number in range(12):
                alive.add(number)
                most = max(most, len(alive))
                yield image(media, f"{number}.png", box(number + 1))
                alive.discard(number)

    client = DiffgramClient(settings(diffgram.emulator), FastTime())
    assert push(client, Stream(), dataset=DATASET, delivery="queue").expected == 12
    assert most == 1
