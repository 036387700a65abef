"""Nightly predictions: what nobody touched makes room for what the model says now; people's work stays."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.drawing import likeness
from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.models import Handle, InvalidValueError
from diffgram_emulator.people import Page, Person
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import Kept, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media
from tests.integration.ingest.test_amend import Killed, between, die, lose_the_answer, saved


def night(diffgram: LiveDiffgram, number: int, *packets: dict[str, Any], **more: Any) -> Handle:
    """Push what a run predicts."""
    options = {"if_exists": "refresh", "delivery": "upload", **more}
    return diffgram.push(packets, origin=("detector", f"night-{number}"), **options)


def file_of(diffgram: LiveDiffgram, media: Media, *lefts: int, name: str = "a.png") -> int:
    """Push a file with what the first night predicts."""
    packet = image(media, name, *(box(left, score=0.5) for left in lefts))
    diffgram.done(night(diffgram, 1, packet))
    return diffgram.file(name).id


def packet(media: Media, *lefts: int, name: str = "a.png") -> dict[str, Any]:
    return image(media, name, *(box(left, score=0.7) for left in lefts))


def test_what_nobody_touched_makes_room(diffgram: LiveDiffgram, media: Media):
    file_id = file_of(diffgram, media, 1, 41)
    handle = night(diffgram, 2, packet(media, 41, 81))
    assert handle.refreshed == {"added": 1, "taken_back": 1, "unchanged": 1}
    assert diffgram.done(handle).refreshed == handle.refreshed
    assert diffgram.lefts(file_id) == [41, 81]
    before = diffgram.content()
    again = night(diffgram, 2, packet(media, 41, 81))
    assert (again.skipped, again.refreshed) == (1, {"unchanged": 2})
    assert diffgram.content() == before


def test_an_equal_prediction_keeps_its_score_unless_it_is_to_be_exchanged(
    diffgram: LiveDiffgram, media: Media
):
    file_id = file_of(diffgram, media, 1)
    night(diffgram, 2, packet(media, 1))
    assert [row["score"] for row in diffgram.instances(file_id)] == [0.5]
    handle = night(diffgram, 2, packet(media, 1, 41), refresh={"rescore": True})
    assert handle.refreshed == {"added": 2, "taken_back": 1}
    assert [row["score"] for row in diffgram.instances(file_id)] == [0.7, 0.7]


def test_what_people_did_holds_for_the_next_run(diffgram: LiveDiffgram, media: Media, ada: Person):
    file_id = file_of(diffgram, media, 1, 41, 81, 121)

    def edit(page: Page) -> None:
        page.move(0, 2)
        page.delete(1)
        page.relabel(2, diffgram.labels["dog"])
        page.draw(diffgram.labels["cat"], (201, 2, 210, 11))

    saved(ada, file_id, edit)
    handle = night(diffgram, 2, packet(media, 1, 41, 161, 202))
    assert ada.undone() == []
    assert handle.refreshed == {"added": 1, "taken_back": 1, "touched": 2, "settled": 3}
    assert diffgram.lefts(file_id) == [3, 81, 161, 201]
    third = night(diffgram, 3, packet(media, 41, 161))
    assert third.refreshed == {"unchanged": 1, "touched": 2, "settled": 1}
    without = night(diffgram, 4, packet(media, 41), refresh={"respect_people": False})
    assert without.refreshed == {"added": 1, "taken_back": 1, "touched": 2}
    assert ada.undone() != [], "that is what the word asks for"


def test_a_file_for_which_nothing_is_predicted_loses_what_nobody_touched(
    diffgram: LiveDiffgram, media: Media, ada: Person
):
    file_id = file_of(diffgram, media, 1, 41)
    kept = night(diffgram, 2, packet(media), refresh={"empty": "keep"})
    assert (kept.refreshed, diffgram.lefts(file_id)) == ({}, [1, 41])
    saved(ada, file_id, lambda page: page.move(0, 2))
    cleared = night(diffgram, 2, packet(media))
    assert (cleared.refreshed, diffgram.lefts(file_id)) == ({"taken_back": 1, "touched": 1}, [3])
    assert night(diffgram, 3, packet(media, 41)).refreshed == {"added": 1, "touched": 1}
    assert night(diffgram, 4, packet(media)).refreshed == {"taken_back": 1, "touched": 1}


def test_a_file_that_was_cleared_gets_what_a_later_run_predicts(diffgram: LiveDiffgram, media: Media):
    file_id = file_of(diffgram, media, 1)
    for number in (2, 4):
        night(diffgram, number, packet(media))
        assert diffgram.lefts(file_id) == []
        assert night(diffgram, number + 1, packet(media, 1)).refreshed == {"added": 1}
        assert diffgram.lefts(file_id) == [1]


def test_what_people_deleted_of_a_file_altogether_stays_deleted(
    diffgram: LiveDiffgram, media: Media, ada: Person
):
    file_id = file_of(diffgram, media, 1, 41)
    night(diffgram, 2, packet(media, 1, 81))
    saved(ada, file_id, lambda page: [page.delete(index) for index in range(len(page.rows))])
    for number in (2, 3):
        assert night(diffgram, number, packet(media, 1, 81)).refreshed == {"settled": 2}
    assert diffgram.lefts(file_id) == []


def test_new_files_raw_ones_and_those_of_others_get_what_this_run_predicts(
    diffgram: LiveDiffgram, media: Media
):
    diffgram.pushed(
        [image(media, "raw.png"), image(media, "other.png", box(1, score=1))], origin=("other", "1")
    )
    names = ("new.png", "raw.png", "other.png")
    handle = night(diffgram, 1, *(packet(media, 41, name=name) for name in names))
    assert diffgram.done(handle).failed == 0
    assert {name: diffgram.lefts(diffgram.file(name).id) for name in names} == {
        "new.png": [41],
        "raw.png": [41],
        "other.png": [1, 41],
    }


def test_two_requests_a_file_and_ten_nights_leave_as_much_as_one(diffgram: LiveDiffgram, media: Media):
    names = [f"{number}.png" for number in range(4)]
    for name in names:
        file_of(diffgram, media, 1, 41, name=name)
    chance = random.Random(2)
    for number in range(2, 11):
        packets = [packet(media, *chance.sample(range(0, 400, 40), 2), name=name) for name in names]
        night(diffgram, number, packets[0])  # introduces the run
        before = diffgram.emulator.requests()["total"]
        night(diffgram, number, *packets[1:])
        assert diffgram.emulator.requests()["total"] - before <= 3 * 3 + 18, "the looks of the whole push"
    assert [len(diffgram.lefts(file.id)) for file in diffgram.files()] == [2] * 4


def test_a_night_in_which_nothing_is_new_costs_one_request_a_file(diffgram: LiveDiffgram, media: Media):
    names = [f"{number}.png" for number in range(6)]
    for name in names:
        file_of(diffgram, media, 1, 41, name=name)
    before = diffgram.emulator.requests()["total"]
    handle = night(diffgram, 2, *(packet(media, 1, 41, name=name) for name in names), concurrency=1)
    assert (handle.refreshed, handle.skipped) == ({"unchanged": 12}, 6)
    assert diffgram.emulator.requests()["total"] - before <= 6 + 18, "the looks of the whole push"


def test_what_a_person_drew_and_deleted_in_a_raw_file_says_nothing_of_predictions(
    diffgram: LiveDiffgram, media: Media, ada: Person
):
    diffgram.pushed([image(media, "raw.png")])
    file_id = diffgram.file("raw.png").id
    saved(ada, file_id, lambda page: page.draw(diffgram.labels["cat"], (1, 2, 10, 11)))
    saved(ada, file_id, lambda page: page.delete(0))
    assert night(diffgram, 1, packet(media, 1, 41, name="raw.png")).refreshed == {"added": 2}
    assert diffgram.lefts(file_id) == [1, 41]


def test_reviewed_files_are_left_and_begun_ones_wait(diffgram: LiveDiffgram, media: Media):
    states = {
        "done.png": "complete",
        "begun.png": "in_progress",
        "review.png": "in_review",
        "free.png": "available",
    }
    ids = {file_of(diffgram, media, 1, name=name): name for name in states}
    schema = diffgram.ask(routes.list_schemas)[0].id
    job = diffgram.ask(
        routes.create_job, "job", schema_id=schema, datasets={diffgram.directory_id: "predictions"}
    )
    diffgram.client.send(routes.launch_job(diffgram.client.project, job.id))
    listing = routes.list_job_tasks(diffgram.client.project, job.id)
    deadline = time.monotonic() + 20
    while len(tasks := diffgram.client.send(listing).task_list) < 4:
        until(tasks, deadline)
    for task in tasks:
        assert task.file is not None
        body = {"project": diffgram.client.project, "task_id": task.id, "status": states[ids[task.file.id]]}
        diffgram.emulator.control("tasks", body)
    packets = [packet(media, 81, name=name) for name in states]
    handle = night(diffgram, 2, *packets)
    assert handle.refreshed == {"added": 1, "taken_back": 1, "reviewed": 1, "waiting": 2}
    assert {name: diffgram.lefts(file_id) for file_id, name in ids.items()} == {
        "done.png": [1],
        "begun.png": [1],
        "review.png": [1],
        "free.png": [81],
    }
    again = night(diffgram, 2, *packets, refresh={"reviewed": "refresh"})
    assert again.refreshed == {"added": 1, "taken_back": 1, "unchanged": 1, "waiting": 2}


def test_a_file_that_somebody_saved_just_now_waits_in_auto(diffgram: LiveDiffgram, media: Media, ada: Person):
    file_id = file_of(diffgram, media, 1)
    saved(ada, file_id, lambda page: page.draw(diffgram.labels["cat"], (60, 2, 69, 11)))
    handle = night(diffgram, 2, packet(media, 81), delivery="auto")
    assert (handle.refreshed, handle.skipped) == ({"waiting": 1}, 1)
    assert diffgram.lefts(file_id) == [1, 60]


def test_two_at_once_leave_the_predictions_of_the_later_run(diffgram: LiveDiffgram, media: Media):
    names = [f"{number}.png" for number in range(6)]
    for name in names:
        file_of(diffgram, media, 1, name=name)
    for number, name in ((2, "x.png"), (3, "y.png")):
        night(diffgram, number, packet(media, 1, name=name))  # the runs are known
    runs = [
        threading.Thread(
            target=night, args=(diffgram, number, *(packet(media, 40 * number, name=name) for name in names))
        )
        for number in (2, 3)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [diffgram.lefts(diffgram.file(name).id) for name in names] == [[120]] * 6


def test_a_run_that_wrote_from_an_older_list_makes_room_for_the_later_one(
    diffgram: LiveDiffgram, media: Media
):
    file_id = file_of(diffgram, media, 1)
    for number, name in ((2, "x.png"), (3, "y.png")):
        night(diffgram, number, packet(media, 1, name=name))
    with between(diffgram, lambda: night(diffgram, 3, packet(media, 120))):
        handle = night(diffgram, 2, packet(media, 80))
    assert diffgram.lefts(file_id) == [120]
    assert handle.not_sent == 0
    assert night(diffgram, 4, packet(media, 160)).refreshed == {"added": 1, "taken_back": 1}


def test_a_write_that_did_not_arrive_is_not_taken_for_one_that_another_run_made_room_for(
    diffgram: LiveDiffgram, media: Media
):
    file_id = file_of(diffgram, media, 1)
    for number, name in ((2, "x.png"), (3, "y.png")):
        night(diffgram, number, packet(media, 1, name=name))

    def another_run_and_no_connection() -> None:
        night(diffgram, 2, packet(media, 80))
        lose_the_answer()

    with between(diffgram, another_run_and_no_connection):
        handle = night(diffgram, 3, packet(media, 120))
    assert diffgram.lefts(file_id) == [120]
    assert handle.refreshed == {"added": 1, "taken_back": 1}


@pytest.mark.parametrize("is_sent", [False, True])
def test_an_equal_prediction_to_exchange_tells_nothing_of_a_write_without_an_answer(
    diffgram: LiveDiffgram, media: Media, is_sent: bool
):
    file_id = file_of(diffgram, media, 1)
    night(diffgram, 2, packet(media, 1, name="x.png"))
    before, after = (None, lose_the_answer) if is_sent else (lose_the_answer, None)
    with between(diffgram, before, after):
        handle = night(diffgram, 2, packet(media, 1), refresh={"rescore": True})
    assert [row["score"] for row in diffgram.instances(file_id)] == [0.7]
    assert handle.refreshed["added"] == 1


@pytest.mark.parametrize("how", ["saves", "answer lost", "dies"])
def test_what_happens_between_reading_and_writing_costs_nobody_anything(
    diffgram: LiveDiffgram, media: Media, ada: Person, how: str
):
    file_id = file_of(diffgram, media, 1, 41, 81)

    def edit(page: Page) -> None:
        page.move(0, 2)
        page.delete(1)
        page.draw(diffgram.labels["cat"], (201, 2, 210, 11))

    memory = Kept()
    after = {"saves": None, "answer lost": lose_the_answer, "dies": die}[how]
    new = packet(media, 81, 161)
    saved(ada, file_id, lambda page: page.draw(diffgram.labels["cat"], (241, 2, 250, 11)))
    with between(diffgram, lambda: saved(ada, file_id, edit), after):
        if how == "dies":
            with pytest.raises(Killed):
                night(diffgram, 2, new, memory=memory)
        else:
            night(diffgram, 2, new, memory=memory)
    night(diffgram, 2, new, memory=memory)
    assert memory.files == {}
    assert ada.undone() == []
    assert diffgram.lefts(file_id) == [3, 81, 161, 201, 241]


def test_a_run_of_another_model_of_the_same_name_is_told_apart(diffgram: LiveDiffgram, media: Media):
    first = image(media, "a.png", box(1, score=1, model_ref="one", model_run_ref="night"))
    other = image(media, "a.png", box(41, score=1, model_ref="two", model_run_ref="night"))
    diffgram.pushed([first])
    file_id = diffgram.file("a.png").id
    assert diffgram.push([other], if_exists="refresh").refreshed == {"added": 1}
    assert diffgram.lefts(file_id) == [1, 41]


def test_report_tells_what_became_of_each_file(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    file_of(diffgram, media, 1)
    report = tmp_path / "report.jsonl"
    night(diffgram, 2, packet(media, 81), report=str(report))
    (line,) = [json.loads(each) for each in report.read_text().splitlines()]
    assert (line["outcome"], line["delivery"]) == ("sent", "update")
    assert line["refreshed"] == {"added": 1, "taken_back": 1}


def test_packets_by_file_id_are_refreshed(diffgram: LiveDiffgram, media: Media):
    file_id = file_of(diffgram, media, 1)
    update = {"file_id": file_id, "mode": "update", "instance_list": [box(81, score=0.5)]}
    assert night(diffgram, 2, update).refreshed == {"added": 1, "taken_back": 1}
    assert diffgram.lefts(file_id) == [81]


def test_what_cannot_be_refreshed_is_told(diffgram: LiveDiffgram, media: Media):
    file_of(diffgram, media, 1)
    text = {"media": {"text_data": "a cat", "type": "text"}, "original_filename": "a.txt"}
    diffgram.pushed([text])
    token = {"type": "text_token", "label": "cat", "start_token": 0, "end_token": 1, "score": 0.5}
    assert night(diffgram, 2, text).skipped == 1
    with pytest.raises(PushError, match="only predictions of images can be refreshed"):
        night(diffgram, 2, {**text, "instance_list": [token]})
    with pytest.raises(PushError, match="names no model: whose earlier predictions"):
        diffgram.push([image(media, "a.png", box(81))], if_exists="refresh")
    with pytest.raises(InvalidValueError, match="the queue cannot"):
        night(diffgram, 2, packet(media, 1), delivery="queue")
    with pytest.raises(InvalidValueError, match="refresh: min_iou must be above 0"):
        night(diffgram, 2, packet(media, 1), refresh={"min_iou": 2})
    with pytest.raises(InvalidValueError, match="with if_exists='refresh' only"):
        diffgram.push([packet(media, 1)], refresh={"rescore": True})


def test_a_push_that_skips_what_is_new_names_refresh_once(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    names = ("a.png", "b.png")
    for name in names:
        file_of(diffgram, media, 1, name=name)
    new = [packet(media, 81, name=name) for name in names]
    assert night(diffgram, 2, *new, if_exists="skip").skipped == 2
    told = [message for message in caplog.messages if "if_exists='refresh'" in message]
    assert len(told) == 1
    assert "is skipped, like every file that is there already, although its predictions are new" in told[0]
    caplog.clear()
    assert night(diffgram, 2, *(packet(media, 1, name=name) for name in names), if_exists="skip").skipped == 2
    assert not [message for message in caplog.messages if "refresh" in message]


def test_shapes_that_cannot_be_measured_here_are_refused_before_anything_is_sent(
    diffgram: LiveDiffgram, media: Media, monkeypatch: pytest.MonkeyPatch
):
    file_of(diffgram, media, 1)
    before = diffgram.content()
    monkeypatch.setattr(likeness, "find_spec", lambda name: None)  # as where the extra is not installed
    corners = [{"x": x, "y": y} for x, y in ((1, 1), (9, 1), (9, 9))]
    polygon = {"type": "polygon", "label": "cat", "points": corners, "score": 0.5}
    with pytest.raises(InvalidValueError, match=r"polygon instances is measured by shapely.*\[metrics\], or"):
        night(diffgram, 2, image(media, "a.png", polygon))
    assert diffgram.content() == before
    done = night(diffgram, 2, image(media, "a.png", polygon), refresh={"respect_people": False})
    assert done.refreshed == {"added": 1, "taken_back": 1}


def test_a_late_run_of_one_model_stays_away_beside_a_new_run_of_another_that_says_nothing_new(
    diffgram: LiveDiffgram, media: Media
):
    def push(name: str, *predicted: tuple[int, str, str]) -> Handle:
        boxes = [box(left, score=1, model_ref=model, model_run_ref=run) for left, model, run in predicted]
        return diffgram.push([image(media, name, *boxes)], if_exists="refresh", delivery="upload")

    diffgram.done(push("x.png", (1, "two", "first"), (41, "one", "first")))
    diffgram.done(push("a.png", (1, "two", "second"), (41, "one", "first")))
    file_id = diffgram.file("a.png").id
    handle = push("a.png", (81, "two", "first"), (41, "one", "next"))
    assert handle.refreshed == {"unchanged": 1, "outdated": 1}
    assert diffgram.lefts(file_id) == [1, 41]
