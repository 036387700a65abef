"""Which files a task was told to have reviewed; what does not tell all of them is refused."""

from __future__ import annotations

import json

import pytest

from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.review.chosen import candidates_of, file_ids_of, job_id_of, predictions_of

TAG = {"type": "tag", "label": "cat", "score": 0.25}


def text(name: str) -> dict:
    return {"media": {"text_data": "hello"}, "original_filename": name, "instance_list": [TAG]}


def ids(desk, given):
    return file_ids_of(desk.client, given, universal_path)


@pytest.mark.parametrize(
    "given,found",
    [
        (7, [7]),
        ("7", [7]),
        ([7, 8, 7], [7, 8]),
        ("[7, 8]", [7, 8]),
        ([7, "8", {"file_id": 9}], [7, 8, 9]),
        ({"file_ids": [7, 8], "requested": 2}, [7, 8]),
        ({"file_id": 7, "name": "scan", "created": True}, [7]),
        ('{"file_ids": [7]}', [7]),
    ],
)
def test_ids_come_in_many_forms_and_each_counts_once(desk, given, found):
    assert ids(desk, given) == found


@pytest.mark.parametrize("given", [None, True, 0, -1, 1.5, {"a": 1}, [None], "[true]", "{", {"file_id": 0}])
def test_what_names_no_file_is_refused(desk, given):
    with pytest.raises(InvalidValueError, match="files"):
        ids(desk, given)


def test_a_push_by_the_queue_tells_its_files_once_they_are_in(desk):
    desk.emulator.pause_queue()
    pair = [text("a.txt"), text("b.txt")]
    handle = desk.diffgram.push(pair, delivery="queue", concurrency=1).to_xcom()
    with pytest.raises(InvalidValueError, match=r"2 inputs of the handle not in yet, such as b.txt"):
        ids(desk, handle)
    desk.emulator.pause_queue(False)
    desk.diffgram.done(desk.diffgram.push([text("a.txt"), text("b.txt")]))
    assert sorted(ids(desk, handle)) == [file.id for file in desk.diffgram.files()]
    assert sorted(ids(desk, [handle])) == [file.id for file in desk.diffgram.files()]


def test_a_handle_of_what_was_there_names_it_or_is_refused(desk):
    packets = [text("a.txt"), text("b.txt")]
    desk.diffgram.pushed(packets)
    handle = desk.diffgram.push(packets)
    assert handle.skipped == 2
    assert sorted(ids(desk, handle.to_xcom())) == [file.id for file in desk.diffgram.files()]
    silent = handle.to_xcom() | {"file_ids": []}
    with pytest.raises(InvalidValueError, match="does not name 2 of 2 files"):
        ids(desk, silent)


def test_a_handle_of_another_project_is_refused(desk):
    handle = desk.diffgram.push([text("a.txt")]).to_xcom() | {"project": "another"}
    with pytest.raises(InvalidValueError, match="belongs to project 'another'"):
        ids(desk, handle)


def test_a_receipt_tells_all_of_its_files_or_is_refused(desk):
    receipt = desk.diffgram.pushed([text("a.txt"), text("b.txt")]).to_xcom()
    assert sorted(ids(desk, receipt)) == [file.id for file in desk.diffgram.files()]
    with pytest.raises(InvalidValueError, match="the receipt names 0 of 2 files"):
        ids(desk, receipt | {"file_ids": []})


def test_what_is_too_much_for_an_xcom_is_in_the_report(desk):
    with pytest.raises(InvalidValueError, match="no ids, since 5,000 files are too many: set its report"):
        ids(desk, {"job_id": 1, "requested": 5000, "created": 5000, "existing": 0})


def test_children_stand_for_their_compound_file(desk):
    parent = desk.diffgram.compound("scan")
    packets = [{**text(f"{n}.txt"), "parent_file_id": parent, "ordinal": n} for n in range(2)]
    handle = desk.diffgram.push(packets, delivery="queue")
    desk.diffgram.done(handle)
    assert ids(desk, handle.to_xcom()) == [parent]


def test_a_record_tells_files_with_their_predictions_also_those_of_the_queue(desk, tmp_path):
    record = str(tmp_path / "record.jsonl")
    handle = desk.diffgram.push([text("a.txt"), text("b.txt")], delivery="queue", record=record)
    desk.diffgram.done(handle)
    files = [file.id for file in desk.diffgram.files()]
    assert sorted(ids(desk, record)) == files
    assert sorted(ids(desk, handle.to_xcom())) == files
    for given in (record, handle.to_xcom()):
        candidates = list(candidates_of(desk.client, given, universal_path))
        assert sorted(each.file_id for each in candidates) == files
        assert [each.predictions[0]["score"] for each in candidates] == [0.25, 0.25]
    assert set(predictions_of(desk.client, record, universal_path)) == set(files)


def test_what_failed_in_the_queue_has_no_file_and_a_handle_knows_it(desk, tmp_path):
    record = str(tmp_path / "record.jsonl")
    nowhere = {"url": f"{desk.emulator.url}/nothing.jpg", "type": "image"}
    gone = {"media": nowhere, "original_filename": "gone.jpg"}
    handle = desk.diffgram.push([text("a.txt"), gone], delivery="queue", record=record)
    desk.diffgram.done(handle)
    (file,) = desk.diffgram.files()
    assert ids(desk, handle.to_xcom()) == [file.id]
    assert len(list(candidates_of(desk.client, handle.to_xcom(), universal_path))) == 1
    with pytest.raises(InvalidValueError, match="names no file in 1 line, such as gone"):
        ids(desk, record)


def test_ids_alone_tell_no_predictions(desk):
    (candidate,) = candidates_of(desk.client, [7], universal_path)
    assert (candidate.file_id, candidate.predictions) == (7, ())


def lines(path, *values) -> str:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return str(path)


def test_a_report_tells_its_files_and_not_those_that_failed(desk, tmp_path):
    report = lines(
        tmp_path / "report.jsonl",
        {"name": "a", "outcome": "succeeded", "file_id": 7},
        {"name": "b", "outcome": "failed", "reason": "gone"},
        {"name": "c", "outcome": "skipped", "file_id": 9},
        {"name": "d", "outcome": "sent", "file_id": 11},
        {"name": "d", "outcome": "failed", "reason": "without its predictions"},
    )
    assert ids(desk, report) == [7, 9], "of each name the last line counts"


def test_a_report_that_does_not_tell_a_file_is_refused(desk, tmp_path):
    report = lines(
        tmp_path / "report.jsonl",
        {"name": "a", "outcome": "sent", "input_id": 3},
        {"name": "b", "outcome": "skipped", "file_id": 9},
    )
    with pytest.raises(InvalidValueError, match="names no file in 1 line, such as a"):
        ids(desk, report)
    with pytest.raises(InvalidValueError, match="has no line"):
        ids(desk, lines(tmp_path / "empty.jsonl"))
    with pytest.raises(InvalidValueError, match="no such file"):
        ids(desk, str(tmp_path / "nowhere.jsonl"))
    (tmp_path / "torn.jsonl").write_text('{"file_id": 7}\n{"file')
    with pytest.raises(InvalidValueError, match="not JSON"):
        ids(desk, str(tmp_path / "torn.jsonl"))


@pytest.mark.parametrize(
    "given,found", [(7, 7), ("7", 7), (" 7 ", 7), ({"job_id": 7, "name": "x"}, 7), ('{"job_id": 7}', 7)]
)
def test_a_job_comes_in_many_forms(given, found):
    assert job_id_of(given) == found


@pytest.mark.parametrize("given", ["night", 0, True, None, {}, {"job_id": None}, "", 1.5])
def test_what_is_no_job_is_refused(given):
    with pytest.raises(InvalidValueError, match="job must be the id of a job"):
        job_id_of(given)
