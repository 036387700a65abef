"""How packets travel: uploaded by the worker and in at once, or by the queue; exactly once either way."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.ingest import read_record
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.compound import upload_children
from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.send.queue.turns import Turns
from airflow_provider_diffgram.ingest.watch.wait import wait
from airflow_provider_diffgram.models import Handle, InvalidValueError
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.served_media import Media, png
from tests.integration.ingest.test_push_lost_answers import FAULTS
from tests.unit.client.scripted_server import Answer, answering

WAYS = ("queue", "auto", "upload")


def image(media: Media, path: str, **more: Any) -> dict[str, Any]:
    name = path.replace("/", "-")
    return {
        "media": {"url": media.url(path)},
        "original_filename": name,
        "instance_list": [box(3), box(40)],
        **more,
    }


def images(media: Media, count: int, folder: str = "") -> list[dict[str, Any]]:
    return [image(media, f"{folder}{number}.png") for number in range(count)]


def at_once(handle: Handle) -> Any:
    """Wait with a client whose server is not there."""
    nowhere = DiffgramClient(Settings("http://127.0.0.1:1", handle.project, "ID", "SECRET", retry_timeout=0))
    return wait(nowhere, [handle])


def test_media_by_url_are_in_when_the_push_returns(diffgram: LiveDiffgram, media: Media):
    handle = diffgram.push(images(media, 5))
    assert (handle.done_at_send, handle.batches, handle.delivered) == (5, [], {"upload": 5})
    assert handle.file_ids == [file.id for file in diffgram.files()]
    assert [diffgram.lefts(file.id) for file in diffgram.files()] == [[3, 40]] * 5
    assert all(row.source is None and row.batch_id is None for row in diffgram.inputs())


def test_nothing_is_asked_to_wait_for_what_is_in(diffgram: LiveDiffgram, media: Media):
    receipt = at_once(diffgram.push(images(media, 3)))
    assert receipt.summary() == "3 expected: 3 succeeded"
    assert receipt.delivered == {"upload": 3}
    assert receipt.file_ids == [file.id for file in diffgram.files()]


def test_what_the_worker_cannot_read_goes_by_the_queue(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    caplog.set_level(logging.INFO)
    video = image(media, "a.mp4") | {"media": {"url": media.url("a.mp4"), "type": "video"}}
    packets = [*images(media, 2), *images(media, 3, "theirs/"), video | {"instance_list": []}]
    handle = diffgram.push(packets, report=str(tmp_path / "report.jsonl"))
    assert handle.delivered == {"upload": 2, "queue": 4}
    assert "2 uploaded, 4 by the queue: 3 cannot be read here (HTTP 403), 1 is video" in caplog.text
    told = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    ways = {each["name"]: each["delivery"] for each in told}
    assert ways == {each["original_filename"]: "queue" for each in packets} | {
        "0.png": "upload",
        "1.png": "upload",
    }
    receipt = diffgram.done(handle)
    assert receipt.succeeded == 6
    assert receipt.delivered == handle.delivered
    assert receipt.file_ids == [file.id for file in diffgram.files()]


def test_an_upload_in_any_case_fails_what_it_cannot_read(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    packets = [
        image(media, "0.png"),
        image(media, "theirs/0.png"),
        image(media, "gone/0.png"),
        image(media, "broken/0.png"),
        image(media, "1.png", original_filename="ä ö.png"),
    ]
    report = tmp_path / "report.jsonl"
    handle = diffgram.push(packets, delivery="upload", max_failed=4, report=str(report))
    assert (handle.delivered, handle.not_sent, handle.batches) == ({"upload": 1}, 4, [])
    told = {line["name"]: line.get("reason") for line in map(json.loads, report.read_text().splitlines())}
    assert told == {
        "0.png": None,
        "theirs-0.png": "theirs-0.png was to be uploaded: it cannot be read here (HTTP 403)",
        "gone-0.png": "gone-0.png was to be uploaded: it cannot be read here (HTTP 404)",
        "broken-0.png": "broken-0.png was to be uploaded: it cannot be read here (is not an image that "
        "Diffgram can show)",
        "ä ö.png": "ä ö.png was to be uploaded: it would get another name as an upload",
    }
    assert diffgram.names() == ["0.png"]


def test_an_upload_in_any_case_takes_videos_and_texts(diffgram: LiveDiffgram, media: Media):
    video = {"media": {"url": media.url("a.mp4"), "type": "video"}, "original_filename": "a.mp4"}
    text = {"media": {"text_data": "A cat sat."}, "original_filename": "b.txt"}
    handle = diffgram.push([video, text], delivery="upload")
    assert handle.delivered == {"upload": 2}
    assert sorted((file.original_filename, file.type) for file in diffgram.files()) == [
        ("a.mp4", "video"),
        ("b.txt", "text"),
    ]


def test_the_queue_takes_all_where_it_is_asked_to(diffgram: LiveDiffgram, media: Media):
    handle = diffgram.push(images(media, 3), delivery="queue")
    assert (handle.delivered, handle.done_at_send, handle.file_ids) == ({"queue": 3}, 0, [])
    assert diffgram.done(handle).succeeded == 3
    assert {row.source for row in diffgram.inputs()} == {"from_url"}


def test_another_word_is_refused(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(InvalidValueError, match="delivery must be one of 'auto', 'upload', 'queue'"):
        diffgram.push(images(media, 1), delivery="fast")
    assert diffgram.files() == []


def test_a_name_that_an_upload_would_change_goes_by_the_queue(diffgram: LiveDiffgram, media: Media):
    names = ["kept.png", "with blank.png", "ä.png", "a/b.png"]
    packets = [image(media, f"{n}.png", original_filename=name) for n, name in enumerate(names)]
    handle = diffgram.push(packets)
    assert handle.delivered == {"upload": 1, "queue": 3}
    assert diffgram.done(handle).succeeded == 4
    assert set(diffgram.names()) == set(names)
    assert diffgram.push(packets).skipped == 4


def test_a_medium_above_the_size_goes_by_the_queue(diffgram: LiveDiffgram, media: Media):
    media.content["/large.png"] = png() + bytes(3000)
    diffgram.limits = replace(LIMITS, medium=2000)
    handle = diffgram.push([image(media, "large.png"), image(media, "small.png")])
    assert handle.delivered == {"upload": 1, "queue": 1}
    assert diffgram.done(handle).succeeded == 2


def test_a_medium_that_is_cut_while_it_is_read_is_not_uploaded(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(PushError, match="cannot be read here \\(was cut while it was read\\)"):
        diffgram.push([image(media, "cut/a.png")], delivery="upload", limits=LIMITS)
    assert diffgram.files() == []


@pytest.mark.parametrize(
    "answer, passes",
    [
        (Answer(status=503), True),
        (Answer(status=429, headers={"Retry-After": "0"}), True),
        (Answer(kind="reset"), True),
        (Answer(status=404), False),
        (Answer(status=403), False),
        (Answer(body=b"<html>login</html>"), False),
    ],
    ids=["503", "429", "reset", "404", "403", "a page"],
)
def test_whether_a_medium_that_must_be_uploaded_may_be_readable_later_decides_about_another_attempt(
    diffgram: LiveDiffgram, media: Media, answer: Answer, passes: bool
):
    with answering(answer) as server:
        packets = [
            {"media": {"url": f"{server.url}/{name}", "type": "image"}, "original_filename": name}
            for name in ("a.png", "b.png")
        ]
        with pytest.raises(PushError, match="2 packets: 0 sent, 2 failed") as caught:
            diffgram.push(packets, delivery="upload")
        told = f"at {server.url.removeprefix('http://')}. The fault is your storage's, not Diffgram's"
    assert caught.value.permanent is not passes
    assert (told in str(caught.value)) is passes


def test_a_host_that_is_away_is_worth_another_attempt_however_many_media_it_has(
    diffgram: LiveDiffgram, media: Media
):
    with answering(Answer()) as server:
        url = server.url
    packets = [
        {"media": {"url": f"{url}/{n}.png", "type": "image"}, "original_filename": f"{n}.png"}
        for n in range(5)
    ]
    with pytest.raises(PushError, match="5 packets: 0 sent, 5 failed") as caught:
        diffgram.push(packets, delivery="upload")
    assert not caught.value.permanent
    assert "5 alike" in str(caught.value)


@pytest.mark.parametrize("way", ["auto", "upload"])
def test_an_image_of_which_the_server_notes_a_wrong_size_is_refused(
    diffgram: LiveDiffgram, media: Media, way: str
):
    picture = io.BytesIO()
    Image.new("1", (7700, 10)).save(picture, "PNG")
    media.content["/wide.png"] = picture.getvalue()
    with pytest.raises(PushError, match=r"wide\.png is 7700 x 10 pixels; above 7680"):
        diffgram.push([image(media, "wide.png")], delivery=way)
    assert diffgram.files() == []


def test_a_picture_is_stored_as_the_worker_read_it(diffgram: LiveDiffgram, media: Media):
    media.content["/a.png"] = png("green")
    handle = diffgram.push([image(media, "a.png")])
    file = diffgram.ask_file(handle.file_ids[0])
    assert file.image is not None
    assert (file.image["width"], file.image["height"]) == (640, 480)


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_a_second_push_by_whatever_way_sends_nothing(
    diffgram: LiveDiffgram, media: Media, first: str, then: str
):
    packets = images(media, 3)
    assert diffgram.pushed(packets, delivery=first).succeeded == 3
    before = diffgram.content()
    again = diffgram.push(packets, delivery=then)
    assert (again.skipped, again.delivered) == (3, {})
    assert again.file_ids == [file.id for file in diffgram.files()]
    assert diffgram.content() == before


@pytest.mark.parametrize("then", WAYS)
def test_what_an_earlier_attempt_queued_is_waited_for(diffgram: LiveDiffgram, media: Media, then: str):
    packets = images(media, 2, "wait/")
    diffgram.push(packets, delivery="queue")
    handle = diffgram.push(packets, delivery=then)
    assert handle.delivered == {"queue": 2}
    media.gate.set()
    assert diffgram.done(handle).succeeded == 2
    assert len(diffgram.files()) == 2
    assert [diffgram.lefts(file.id) for file in diffgram.files()] == [[3, 40]] * 2


@pytest.mark.parametrize("first", ["queue", "upload"])
def test_predictions_have_the_same_identity_either_way(diffgram: LiveDiffgram, media: Media, first: str):
    """So that what one way stored the other does not append once more."""
    then = "upload" if first == "queue" else "queue"
    packets = images(media, 2)
    diffgram.pushed(packets, delivery=first)
    more = [each | {"instance_list": [*each["instance_list"], box(70)]} for each in packets]
    diffgram.pushed(more, delivery=then, if_exists="append")
    assert [diffgram.lefts(file.id) for file in diffgram.files()] == [[3, 40, 70]] * 2


@pytest.mark.parametrize("fault", FAULTS)
def test_media_by_url_arrive_once(diffgram: LiveDiffgram, media: Media, fault: dict[str, Any]):
    diffgram.emulator.fault("input/from_local", **fault)
    handle = diffgram.push(images(media, 4))
    assert diffgram.state()["faults"] == 0
    receipt = diffgram.done(handle)
    assert receipt.succeeded + receipt.skipped == 4, "of an answer that was lost a look finds the file"
    assert sorted(map(str, diffgram.names())) == ["0.png", "1.png", "2.png", "3.png"]
    assert [diffgram.lefts(file.id) for file in diffgram.files()] == [[3, 40]] * 4
    assert handle.file_ids == [file.id for file in diffgram.files()]


@pytest.mark.parametrize("fault", FAULTS[:6])
def test_children_by_url_arrive_once(diffgram: LiveDiffgram, media: Media, fault: dict[str, Any]):
    parent = diffgram.compound()
    diffgram.emulator.fault("input/from_local", **fault)
    children = [
        {"media": {"url": media.url(f"{n}.png")}, "ordinal": n, "instance_list": [box(n + 1)]}
        for n in range(3)
    ]
    handle = upload_children(diffgram.client, parent, children, dataset=DATASET)
    assert handle.batches == []
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1, 2]
    assert [diffgram.lefts(child.id) for child in diffgram.children(parent)] == [[1], [2], [3]]
    assert handle.file_ids == sorted(child.id for child in diffgram.children(parent))


def blob(name: str, connection: int) -> dict[str, Any]:
    return {
        "media": {"connection_id": connection, "bucket_name": "b", "raw_data_blob_path": f"dir/{name}"},
        "original_filename": name,
        "instance_list": [box(3), box(40)],
    }


@pytest.mark.parametrize("way, delivered", [("auto", "upload"), ("queue", "queue")])
def test_a_blob_that_the_worker_can_read_is_uploaded(
    diffgram: LiveDiffgram, tmp_path: Path, way: str, delivered: str
):
    (tmp_path / "a.png").write_bytes(png())
    body = {"project": diffgram.client.project, "integration_name": "amazon_aws"}
    connection = diffgram.emulator.control("connections", body)["id"]
    handle = diffgram.push(
        [blob("a.png", connection)],
        delivery=way,
        path_of=lambda path: universal_path(path.replace("s3://b/dir", str(tmp_path))),
    )
    assert handle.delivered == {delivered: 1}
    assert diffgram.done(handle).succeeded == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == [3, 40]


def test_a_video_is_one_by_its_beginning(diffgram: LiveDiffgram, media: Media):
    media.content["/a.mp4"] = b"<html>sign in</html>" * 9
    video = {"media": {"url": media.url("a.mp4"), "type": "video"}, "original_filename": "a.mp4"}
    with pytest.raises(PushError, match="is not a video that Diffgram can read"):
        diffgram.push([video], delivery="upload")
    assert diffgram.inputs() == []


def test_of_what_somebody_else_uploaded_at_the_same_moment_the_older_file_is_told(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    """The listing is made up: to be stored twice takes two processes of a server."""
    (older,) = diffgram.push([image(media, "older.png")]).file_ids
    of_both = [
        {"id": file_id, "type": "image", "original_filename": "a.png", "count_instances_changed": 2}
        for file_id in (older + 1, older)
    ]
    listing = {"file_list": of_both, "metadata": {"next_page": None}}
    diffgram.emulator.fault("file/list", "status", status=200, body=listing, skip=1)
    record = str(tmp_path / "record.jsonl")
    handle = diffgram.push([image(media, "a.png")], record=record)
    assert handle.file_ids == [older]
    assert [line.file_id for line in read_record(record)] == [older]
    assert diffgram.names() == ["older.png"], "the younger one is archived"


# New model runs


class Board:
    """A board that nobody else writes on, and what was written."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def write(self, ticket: dict[str, Any]) -> None:
        self.written.append(ticket)

    def read(self) -> list[Any]:
        return self.written[-1:]


def of_a_run(packets: list[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    named = {"model_ref": "detector", "model_run_ref": run}
    return [each | {"instance_list": [one | named for one in each["instance_list"]]} for each in packets]


@pytest.mark.parametrize("way, turns", [("auto", 0), ("upload", 0), ("queue", 1)])
def test_a_run_that_an_upload_introduces_needs_no_turn(
    diffgram: LiveDiffgram, media: Media, way: str, turns: int
):
    board = Board()
    packets = of_a_run(images(media, 4), "run-1")
    assert diffgram.pushed(packets, delivery=way, turns=Turns(board, 0)).succeeded == 4
    assert bool(board.written) == bool(turns)
    rows = [each for file in diffgram.files() for each in diffgram.instances(file.id)]
    assert len({(each["model_id"], each["model_run_id"]) for each in rows}) == 1
    assert rows[0]["model_run_id"] is not None


def test_a_run_goes_on_to_be_introduced_by_the_queue_where_the_medium_cannot_be_read(
    diffgram: LiveDiffgram, media: Media
):
    board = Board()
    packets = of_a_run([*images(media, 2, "theirs/"), *images(media, 2)], "run-1")
    handle = diffgram.push(packets, turns=Turns(board, 0))
    assert board.written
    assert handle.delivered == {"queue": 2, "upload": 2}
    assert diffgram.done(handle).succeeded == 4


def test_who_loses_the_race_for_a_run_sends_again(diffgram: LiveDiffgram, media: Media):
    """The server answers 503 then, and stores nothing."""
    diffgram.emulator.fault("input/from_local", "status", status=503)
    packets = of_a_run(images(media, 3), "run-1")
    assert diffgram.push(packets).done_at_send == 3
    assert len(diffgram.files()) == 3


def test_what_a_generator_yields_is_uploaded_too(diffgram: LiveDiffgram, media: Media):
    handle = push(diffgram.client, iter(images(media, 5)), dataset=DATASET)
    assert handle.delivered == {"upload": 5}
    assert len(handle.file_ids) == 5
