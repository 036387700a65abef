"""A bad run is taken back: what nobody touched goes, by name, and people's work stays whatever happens."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.ingest.send.retract import is_untouched, retract_predictions
from airflow_provider_diffgram.models import InvalidValueError
from diffgram_emulator.people import Person
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media
from tests.integration.ingest.test_amend import Between
from tests.storage import Fault, reset

BAD, GOOD = "2026-11-27", "2026-11-26"


def of_run(left: int, run: str = BAD, model: str = "detector", **more: Any) -> dict[str, Any]:
    return box(left, machine_made=True, score=0.5, model_ref=model, model_run_ref=run, **more)


@pytest.fixture
def files(diffgram: LiveDiffgram, media: Media) -> list[int]:
    """Three pictures with predictions of two runs and a box that a person made elsewhere."""
    diffgram.pushed(
        [
            image(media, f"{n}.png", of_run(1), of_run(21), of_run(41), of_run(61, GOOD), box(81))
            for n in range(3)
        ]
    )
    return [file.id for file in diffgram.files()]


def retract(diffgram: LiveDiffgram, **more: Any) -> dict[str, Any]:
    options = {"dataset": DATASET, "dry_run": False, "model_run_ref": BAD, **more}
    return retract_predictions(diffgram.client, "detector", **options).to_xcom()


def test_a_dry_run_counts_and_changes_nothing(diffgram: LiveDiffgram, files: list[int], tmp_path: Path):
    report = tmp_path / "report.jsonl"
    before = diffgram.content()
    told = retract(diffgram, dry_run=True, report=str(report))
    assert (told["files"], told["predictions"], told["retracted"]) == (3, 9, 9)
    assert diffgram.content() == before
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert sorted(line["file_id"] for line in lines) == files
    assert {(line["outcome"], line["untouched"]) for line in lines} == {("would_be_retracted", 3)}


def test_only_the_run_goes_and_its_histories_say_that_a_program_did_it(
    diffgram: LiveDiffgram, files: list[int]
):
    gone = [row["id"] for row in diffgram.instances(files[0]) if row["x_min"] in (1, 21, 41)]
    told = retract(diffgram)
    assert told["retracted"] == 9
    assert [diffgram.lefts(file_id) for file_id in files] == [[61, 81]] * 3
    for instance_id in gone:
        newest = diffgram.ask(routes.view_history, instance_id).rows[0]
        assert newest["action_type"] == "deleted"
        assert not newest["is_by_person"]
    again = retract(diffgram)
    assert (again["predictions"], again["retracted"]) == (0, 0)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever saved a page have closed it."""
    monkeypatch.setattr(
        "airflow_provider_diffgram.ingest.send.existing.at_work._JUST_NOW", timedelta(seconds=-60)
    )


@pytest.mark.usefixtures("later")
def test_what_people_touched_stays_as_they_left_it(diffgram: LiveDiffgram, ada: Person, files: list[int]):
    page = ada.open(files[0])
    by_left = {row["x_min"]: n for n, row in enumerate(page.rows)}
    page.move(by_left[1], 5)
    page.delete(by_left[21])
    page.draw(diffgram.labels["dog"], (100, 2, 120, 20))
    ada.save(page)
    told = retract(diffgram)
    assert diffgram.lefts(files[0]) == [6, 61, 81, 100]
    assert (told["predictions"], told["touched"], told["retracted"]) == (8, 1, 7)
    assert ada.undone() == []


def test_somebody_saves_between_look_and_write(diffgram: LiveDiffgram, ada: Person, files: list[int]):
    page = ada.open(files[0])
    page.relabel(0, diffgram.labels["dog"])
    page.draw(diffgram.labels["dog"], (100, 2, 120, 20))
    diffgram.client._session.mount("http://", Between(before=lambda: ada.save(page)))
    told = retract(diffgram, file_ids=files[:1], dataset=None)
    assert ada.undone() == []
    assert told["restored"] >= 1
    assert diffgram.lefts(files[0]) == [1, 61, 81, 100]


def test_a_file_that_somebody_has_just_saved_waits(diffgram: LiveDiffgram, ada: Person, files: list[int]):
    page = ada.open(files[0])
    page.draw(diffgram.labels["dog"], (100, 2, 120, 20))
    ada.save(page)
    told = retract(diffgram)
    assert (told["at_work"], told["retracted"]) == (3, 6)
    assert diffgram.lefts(files[0]) == [1, 21, 41, 61, 81, 100]


def test_texts_are_left_and_counted(diffgram: LiveDiffgram, media: Media, files: list[int]):
    token = {"type": "text_token", "label": "cat", "start_token": 0, "end_token": 1, "machine_made": True}
    named = token | {"model_ref": "detector", "model_run_ref": BAD}
    diffgram.pushed(
        [{"media": {"text_data": "a b c"}, "original_filename": "a.txt", "instance_list": [named]}]
    )
    text = diffgram.file("a.txt").id
    held = diffgram.ask(routes.list_annotations, text).instance_list
    told = retract(diffgram)
    assert told["retracted"] == 9
    assert diffgram.ask(routes.list_annotations, text).instance_list == held


def test_a_run_that_is_not_there_is_named_with_those_that_are(diffgram: LiveDiffgram, files: list[int]):
    with pytest.raises(
        InvalidValueError, match=r"no run is called 'never'; the newest are called '2026-11-2"
    ):
        retract(diffgram, model_run_ref="never")


def test_runs_of_two_models_with_one_name_are_told_apart(
    diffgram: LiveDiffgram, media: Media, files: list[int]
):
    diffgram.pushed([image(media, "other.png", of_run(5, model="segmenter"), of_run(9))])
    told = retract(diffgram)
    assert told["retracted"] == 10
    assert diffgram.lefts(diffgram.file("other.png").id) == [5]


def test_where_the_newest_inputs_do_not_tell_the_model_a_file_that_is_named_does(
    diffgram: LiveDiffgram, media: Media, files: list[int]
):
    diffgram.pushed([image(media, "other.png", of_run(5, model="segmenter"))])
    diffgram.pushed([image(media, f"{number}.png") for number in range(1001)])
    with pytest.raises(InvalidValueError, match=r"2 models have a run called .* give file_ids of files"):
        retract(diffgram)
    assert retract(diffgram, dataset=None, file_ids=files)["retracted"] == 9


def test_a_file_that_is_refused_fails_the_retraction_after_the_others(
    diffgram: LiveDiffgram, files: list[int]
):
    body = {"log": {"error": {"width": "no"}, "info": {}}}
    diffgram.emulator.fault("annotation/update", "status", status=400, body=body)
    with pytest.raises(PushError, match="refused to take back 3 predictions") as caught:
        retract(diffgram, concurrency=1)
    assert sorted(len(diffgram.lefts(file_id)) for file_id in files) == [2, 2, 5]
    assert "6 of 9 predictions in 3 files were taken back" in str(caught.value)


def test_refusals_are_counted_however_many_there_are(
    diffgram: LiveDiffgram, files: list[int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("airflow_provider_diffgram.ingest.send.retract._SHOWN", 1)
    body = {"log": {"error": {"width": "no"}, "info": {}}}
    diffgram.emulator.fault("annotation/update", "status", status=400, body=body, times=3)
    with pytest.raises(PushError, match=r"refused to take back 9 predictions: .*; and 2 more files"):
        retract(diffgram)


def test_what_was_taken_back_before_a_fault_is_told_and_a_retry_takes_the_rest(
    diffgram: LiveDiffgram, files: list[int]
):
    diffgram.emulator.fault("annotation/update", "status", status=401, body={}, skip=1, times=None)
    with pytest.raises(PushError, match=r"(?s)stopped: .*\n3 of 3 predictions in 1 file were") as caught:
        retract(diffgram, concurrency=1)
    assert caught.value.permanent
    diffgram.emulator.control("faults", method="DELETE")
    assert retract(diffgram)["retracted"] == 6


def test_a_report_that_cannot_be_written_hides_nothing(
    diffgram: LiveDiffgram, files: list[int], faults: list[Fault]
):
    faults.append(Fault("write", reset, times=None, skip=1))  # the first is that of the folder
    with pytest.raises(PushError, match=r"(?s)report.*9 of 9 predictions in 3 files were taken back"):
        retract(diffgram, report="flaky://report.jsonl")
    assert [len(diffgram.lefts(file_id)) for file_id in files] == [2, 2, 2]


@pytest.mark.parametrize(
    "change, untouched",
    [
        ({}, True),
        ({"version": 2, "action_type": "edited"}, False),
        ({"action_type": "edited"}, False),  # a text that a person saved begins anew with version 1
        ({"previous_id": 7}, False),
        ({"machine_made": False}, False),
    ],
)
def test_what_counts_as_touched(change: dict[str, Any], untouched: bool):
    row = {"version": 1, "action_type": "created", "machine_made": True, "previous_id": None}
    assert is_untouched(row | change) == untouched
