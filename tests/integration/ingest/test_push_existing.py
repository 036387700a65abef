"""Files that are there: append what they lack, replace what they hold, and never undo people."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import Handle, InvalidValueError
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, rows_until
from tests.integration.ingest.served_media import Media

MODES = {"append": "update", "replace": "update_with_existing"}

Change = Callable[..., Handle]


@pytest.fixture(params=["auto", "queue, auto", "auto, queue"])
def delivery(request: pytest.FixtureRequest) -> str:
    """How changes go, one after another: it must make no difference."""
    return str(request.param)


@pytest.fixture(params=["by name", "by file_id"])
def change(request: pytest.FixtureRequest, diffgram: LiveDiffgram, media: Media, delivery: str) -> Change:
    """Pushes predictions for the file ``a.png``, in either of the two ways to say which file is meant."""
    ways = itertools.cycle(delivery.split(", "))

    def push(how: str, *boxes: dict[str, Any]) -> Handle:
        way = next(ways)
        if request.param == "by name":
            return diffgram.push([image(media, "a.png", *boxes)], if_exists=how, delivery=way)
        file_id = diffgram.file("a.png").id
        update = {"file_id": file_id, "mode": MODES[how], "instance_list": boxes}
        return diffgram.push([update], delivery=way)

    return push


@pytest.fixture
def file_id(diffgram: LiveDiffgram, media: Media) -> int:
    """The file ``a.png`` with a box of a model at 1."""
    diffgram.pushed([image(media, "a.png", box(1))])
    return diffgram.file("a.png").id


def delete(diffgram: LiveDiffgram, file_id: int, *lefts: int) -> None:
    """Delete the boxes with these left edges, as a person does."""
    ids = [each["id"] for each in diffgram.instances(file_id) if each["x_min"] in lefts]
    assert len(ids) == len(lefts)
    body = {"project": diffgram.client.project, "file_id": file_id, "delete": ids}
    diffgram.emulator.control("instances", body)


def sent(handle: Handle) -> int:
    return sum(batch.inputs for batch in handle.batches)


def test_append_adds_what_is_missing_and_a_second_push_adds_nothing_quirk_31(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    assert diffgram.done(change("append", box(3), box(5))).summary() == "1 expected: 1 succeeded"
    assert diffgram.lefts(file_id) == [1, 3, 5]
    before = diffgram.content()
    assert change("append", box(3), box(5)).skipped == 1
    assert diffgram.content() == before
    assert diffgram.done(change("append", box(5), box(7))).succeeded == 1
    assert diffgram.lefts(file_id) == [1, 3, 5, 7]
    assert len(diffgram.files()) == 1


def test_what_a_person_deleted_of_what_was_appended_stays_deleted(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.done(change("append", box(3), box(5)))
    delete(diffgram, file_id, 3)
    assert change("append", box(3), box(5)).skipped == 1
    assert diffgram.done(change("append", box(3), box(5), box(7))).succeeded == 1
    assert diffgram.lefts(file_id) == [1, 5, 7]


@pytest.mark.parametrize("delivery", ["queue"])
def test_an_appendix_on_its_way_is_waited_for_and_not_sent_again(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.emulator.pause_queue()
    first = change("append", box(3))
    again = change("append", box(3))
    assert (sent(first), sent(again), again.skipped) == (1, 1, 0)
    assert [row.mode for row in diffgram.inputs()].count("update") == 1
    diffgram.emulator.pause_queue(False)
    assert diffgram.done(again).succeeded == 1
    assert diffgram.lefts(file_id) == [1, 3]


def test_append_makes_what_is_not_there(diffgram: LiveDiffgram, media: Media):
    packets = [image(media, "a.png", box(1)), image(media, "b.png", box(2))]
    diffgram.pushed(packets[:1])
    receipt = diffgram.pushed(packets, if_exists="append")
    assert receipt.summary() == "2 expected: 1 succeeded, 1 skipped"
    assert [diffgram.lefts(file.id) for file in diffgram.files()] == [[1], [2]]


def test_a_file_that_a_person_made_gets_its_predictions_by_append(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(1, creation_ref_id="drawn"))])
    assert diffgram.pushed([image(media, "a.png", box(3))]).skipped == 1
    assert diffgram.pushed([image(media, "a.png", box(3))], if_exists="append").succeeded == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == [1, 3]


def test_append_leaves_out_what_a_person_deleted_of_what_made_the_file(
    diffgram: LiveDiffgram, file_id: int, media: Media
):
    delete(diffgram, file_id, 1)
    assert diffgram.pushed([image(media, "a.png", box(1))], if_exists="append").skipped == 1
    assert diffgram.pushed([image(media, "a.png", box(1), box(3))], if_exists="append").succeeded == 1
    assert diffgram.lefts(file_id) == [3]


def test_append_leaves_out_what_a_person_deleted_of_what_was_replaced(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.done(change("replace", box(3), box(5)))
    delete(diffgram, file_id, 5)
    assert change("append", box(3), box(5)).skipped == 1
    assert diffgram.lefts(file_id) == [3]


def test_append_brings_back_what_a_replacement_took_away(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.done(change("append", box(3)))
    diffgram.done(change("replace", box(5)))
    assert diffgram.lefts(file_id) == [5]
    assert diffgram.done(change("append", box(3))).succeeded == 1
    assert diffgram.lefts(file_id) == [3, 5]
    assert change("append", box(3)).skipped == 1


def test_append_waits_for_predictions_that_are_merely_late_3_2(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("a.png", "late", seconds=0.8)
    packet = image(media, "a.png", box(1), box(3))
    diffgram.push([packet], delivery="queue")
    rows_until(diffgram, lambda rows: rows[0].succeeded)
    assert diffgram.file("a.png").count_instances_changed is None
    assert diffgram.pushed([packet], if_exists="append").skipped == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == [1, 3]


def test_append_brings_what_the_server_lost_quirk_4(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("a.png", "lose")
    packet = image(media, "a.png", box(1), box(3))
    assert diffgram.pushed([packet], delivery="queue").failed == 1
    assert diffgram.pushed([packet], if_exists="append").succeeded == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == [1, 3]


def test_replace_leaves_what_was_sent_and_a_second_push_sends_nothing(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    assert diffgram.done(change("replace", box(3), box(5))).summary() == "1 expected: 1 succeeded"
    assert diffgram.lefts(file_id) == [3, 5]
    before = diffgram.content()
    assert change("replace", box(3), box(5)).skipped == 1
    assert diffgram.content() == before


def test_what_people_do_after_a_replacement_stays_as_they_left_it(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.done(change("replace", box(3), box(5)))
    delete(diffgram, file_id, 3)
    assert change("replace", box(3), box(5)).skipped == 1
    assert diffgram.lefts(file_id) == [5]


def test_other_predictions_replace_those_of_an_earlier_run(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    for boxes in ([box(3), box(5)], [box(7)], [box(3), box(5)]):
        assert diffgram.done(change("replace", *boxes)).succeeded == 1
        assert diffgram.lefts(file_id) == [each["x_min"] for each in boxes]


def test_a_replacement_after_an_appendix_of_others_is_sent(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.done(change("replace", box(3)))
    update = {"file_id": file_id, "mode": "update", "instance_list": [box(9)]}
    diffgram.pushed([update])
    assert diffgram.done(change("replace", box(3))).succeeded == 1
    assert diffgram.lefts(file_id) == [3]


def test_what_was_appended_replaces_what_was_there_before_it(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.done(change("append", box(3)))
    assert diffgram.lefts(file_id) == [1, 3]
    assert diffgram.done(change("replace", box(3))).succeeded == 1
    assert diffgram.lefts(file_id) == [3]
    assert change("replace", box(3)).skipped == 1


@pytest.mark.parametrize("delivery", ["queue"])
def test_a_replacement_on_its_way_is_waited_for_and_not_sent_again(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    diffgram.emulator.pause_queue()
    first, again = change("replace", box(3)), change("replace", box(3))
    assert (sent(first), sent(again)) == (1, 1)
    assert [row.mode for row in diffgram.inputs()].count("update_with_existing") == 1
    diffgram.emulator.pause_queue(False)
    assert diffgram.done(again).succeeded == 1
    assert diffgram.lefts(file_id) == [3]


def test_a_replacement_that_failed_is_sent_again(diffgram: LiveDiffgram, file_id: int, change: Change):
    diffgram.done(change("replace", box(3)))
    body = {
        "directory_id": diffgram.directory_id,
        "file_id": file_id,
        "mode": "update_with_existing",
        "instance_list": [{**box(7), "label_file_id": 99999}],
    }
    path = f"/api/walrus/v1/project/{diffgram.client.project}/input/packet"
    diffgram.client.send(Request(path, "POST", path, lambda answer: answer, json=body))
    rows_until(diffgram, lambda rows: any(row.failed for row in rows))
    assert change("replace", box(3)).skipped == 1, "a failed input changes nothing"
    assert diffgram.done(change("replace", box(4))).succeeded == 1
    assert diffgram.lefts(file_id) == [4]


def test_to_replace_by_nothing_is_a_failure_with_its_reason(
    diffgram: LiveDiffgram, file_id: int, change: Change
):
    with pytest.raises(PushError, match="1 packet: 0 sent, 1 failed, 0 skipped") as caught:
        change("replace")
    assert f"no predictions to replace those of file {file_id} with, which therefore stay" in str(
        caught.value
    )
    assert caught.value.permanent
    assert diffgram.lefts(file_id) == [1]


@pytest.mark.parametrize("delivery", ["queue"])
@pytest.mark.parametrize("how", ["append", "replace"])
def test_a_lost_answer_changes_the_file_once(diffgram: LiveDiffgram, file_id: int, change: Change, how: str):
    diffgram.emulator.fault("input/packet", "reset_after")
    assert diffgram.done(change(how, box(3), box(5))).succeeded == 1
    assert diffgram.state()["faults"] == 0
    assert diffgram.lefts(file_id) == ([1, 3, 5] if how == "append" else [3, 5])
    assert [row.mode for row in diffgram.inputs()].count(MODES[how]) == 1


def test_several_updates_of_one_file_are_made_in_their_order(diffgram: LiveDiffgram, file_id: int):
    updates = [{"file_id": file_id, "mode": "update", "instance_list": [box(left)]} for left in (3, 5, 7)]
    diffgram.pushed(updates, delivery="queue")
    rows = sorted(diffgram.inputs(), key=lambda row: row.id or 0)[1:]
    assert [row.instance_list[0]["x_min"] for row in rows] == [3, 5, 7]


@pytest.mark.parametrize("modes", [("update", "update_with_existing"), ("update_with_existing",) * 2])
def test_a_replacement_beside_another_update_of_the_file_is_refused(
    diffgram: LiveDiffgram, file_id: int, modes: tuple[str, str]
):
    updates = [{"file_id": file_id, "mode": mode, "instance_list": [box(3)]} for mode in modes]
    with pytest.raises(
        InvalidValueError,
        match=rf"packet 1 \(file {file_id}\): file_id {file_id}: several packets update this",
    ):
        diffgram.push(updates)
    assert len(diffgram.inputs()) == 1, "only the one that made the file"


def frames(diffgram: LiveDiffgram, file_id: int) -> dict[int, list[int]]:
    """Return the left edges of a video's boxes by frame."""
    path = f"/api/project/{diffgram.client.project}/video/{file_id}/instance/buffer/start/0/end/9/list"
    body = {"directory_id": diffgram.directory_id}
    held = diffgram.client.send(Request(path, "POST", path, lambda answer: answer, json=body))
    by_frame = {int(frame): of for frame, of in held["instance_buffer_dict"].items() if of}
    return {frame: sorted(each["x_min"] for each in of) for frame, of in by_frame.items()}


def video(media: Media, frame_packet_map: dict[str, Any]) -> dict[str, Any]:
    source = {"url": media.url("v.mp4"), "type": "video"}
    return {"media": source, "original_filename": "v.mp4", "frame_packet_map": frame_packet_map}


def test_frames_are_appended_once(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([video(media, {"0": [box(1)]})])
    more = video(media, {"0": [box(1)], "2": [box(4)]})
    assert diffgram.pushed([more], if_exists="append").succeeded == 1
    assert diffgram.pushed([more], if_exists="append").skipped == 1
    assert frames(diffgram, diffgram.file("v.mp4").id) == {0: [1], 2: [4]}


def test_a_video_is_replaced_once(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([video(media, {"0": [box(1)]})])
    other = video(media, {"0": [box(3)], "2": [box(4)]})
    assert diffgram.pushed([other], if_exists="replace").succeeded == 1
    inputs = len(diffgram.inputs())
    assert diffgram.pushed([other], if_exists="replace").skipped == 1
    assert len(diffgram.inputs()) == inputs


def test_nothing_is_replaced_unless_that_word_is_said(diffgram: LiveDiffgram, file_id: int, media: Media):
    other = image(media, "a.png", box(7))
    for how in ("skip", "append"):
        diffgram.pushed([other], if_exists=how)
        assert 1 in diffgram.lefts(file_id)
    with pytest.raises(InvalidValueError):
        diffgram.push([other], if_exists="fail")
    assert diffgram.lefts(file_id) == [1, 7]


OF_A_RUN = {"model_ref": "detector", "model_run_ref": "2026-11-27", "score": 0.5}


@pytest.mark.parametrize("delivery", ["upload", "queue"])
def test_what_an_earlier_attempt_of_the_same_run_sent_does_not_count_as_existing(
    diffgram: LiveDiffgram, media: Media, delivery: str
):
    packets = [image(media, name, box(1, **OF_A_RUN)) for name in ("a.png", "b.png")]
    options = {"if_exists": "fail", "delivery": delivery}
    diffgram.pushed(packets[:1], **options)
    before = diffgram.instances(diffgram.file("a.png").id)
    assert diffgram.push(packets, **options).skipped == 1
    assert diffgram.instances(diffgram.file("a.png").id) == before


def test_what_an_earlier_attempt_of_the_same_run_has_in_the_queue_is_waited_for(
    diffgram: LiveDiffgram, media: Media
):
    packets = [image(media, name, box(1, **OF_A_RUN)) for name in ("a.png", "b.png")]
    options = {"if_exists": "fail", "delivery": "queue"}
    diffgram.pushed([image(media, "first.png", box(1, **OF_A_RUN))], **options)
    diffgram.emulator.pause_queue()
    diffgram.push(packets[:1], **options)
    handle = diffgram.push(packets, **options)
    diffgram.emulator.pause_queue(False)
    assert diffgram.done(handle).succeeded == 2
    assert diffgram.names().count("a.png") == 1


@pytest.mark.parametrize("way", [list, iter])
def test_a_picture_without_predictions_is_of_the_earlier_attempt_beside_one_of_its_run(
    diffgram: LiveDiffgram, media: Media, way: Callable[[list[Any]], Iterable[Any]]
):
    packets = [image(media, "a.png", box(1, **OF_A_RUN)), image(media, "b.png"), image(media, "c.png")]
    diffgram.pushed(packets[:2], if_exists="fail")
    assert push(diffgram.client, way(packets), dataset=DATASET, if_exists="fail").skipped == 2
    assert sorted(diffgram.names()) == ["a.png", "b.png", "c.png"]


def test_a_generators_picture_that_was_there_before_the_earlier_attempt_is_refused(
    diffgram: LiveDiffgram, media: Media
):
    diffgram.pushed([image(media, "b.png")])
    packets = [image(media, "a.png", box(1, **OF_A_RUN)), image(media, "b.png")]
    diffgram.pushed(packets[:1], if_exists="fail")
    with pytest.raises(InvalidValueError) as caught:
        push(diffgram.client, iter(packets), dataset=DATASET, if_exists="fail")
    assert caught.value.problems == ["'b.png' is in the dataset already"]


def test_pictures_without_predictions_alone_are_refused(diffgram: LiveDiffgram, media: Media):
    packets = [image(media, name) for name in ("a.png", "b.png")]
    diffgram.pushed(packets[:1])
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push(packets, if_exists="fail")
    assert caught.value.problems == ["'a.png' is in the dataset already"]


@pytest.mark.parametrize(
    "again",
    [
        {**OF_A_RUN, "model_run_ref": "2026-11-28"},
        {**OF_A_RUN, "model_ref": "other"},
        {**OF_A_RUN, "x_max": 50},
        {"model_ref": "detector", "score": 0.5},
        {},
    ],
    ids=["another run", "another model", "other predictions", "no run", "no model"],
)
def test_what_no_earlier_attempt_sent_is_refused(diffgram: LiveDiffgram, media: Media, again: dict[str, Any]):
    diffgram.pushed([image(media, "a.png", box(1, **OF_A_RUN))])
    with pytest.raises(InvalidValueError, match=r"'a\.png' is in the dataset already"):
        diffgram.push([image(media, "a.png", box(1, **again))], if_exists="fail")


def test_a_second_push_of_predictions_without_a_run_is_refused(diffgram: LiveDiffgram, media: Media):
    packet = image(media, "a.png", box(1, model_ref="detector", score=0.5))
    diffgram.pushed([packet])
    with pytest.raises(InvalidValueError, match=r"'a\.png' is in the dataset already"):
        diffgram.push([packet], if_exists="fail")
