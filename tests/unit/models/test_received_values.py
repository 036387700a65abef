"""What the server sends is read leniently: every recorded answer, and the documented variants (section 6)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from airflow_provider_diffgram.models import (
    AttributeGroup,
    Dataset,
    File,
    FilePage,
    Input,
    InputBatch,
    InputStatus,
    Label,
    LabelList,
    LabelSchema,
    ModelRun,
    PacketReply,
    Receipt,
    UploadReply,
)
from tests.unit.recorded import NAMES, recording

INPUTS = [name for name in NAMES if name.endswith("input_view_final")]
PRINTED = {None: "None", True: "True", False: "False"}


def as_printed_python(value: Any) -> Any:
    """Return JSON as installations show it that print Python into it (section 6)."""
    if isinstance(value, dict):
        return {key: as_printed_python(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_printed_python(item) for item in value]
    return PRINTED[value] if value is None or isinstance(value, bool) else value


def answer(name: str) -> Any:
    return copy.deepcopy(recording(name).answer)


def test_recordings_of_inputs_are_found():
    assert len(INPUTS) >= 12


@pytest.mark.parametrize("name", INPUTS)
def test_every_recorded_input_is_read_also_in_printed_python(name: str):
    body = answer(name)["input"]
    row = Input.model_validate(body)
    assert row.id == body["id"]
    assert row.status in tuple(InputStatus)
    sent = body["instance_list"]
    assert row.instance_list == (sent.get("list", []) if sent else [])
    printed = Input.model_validate(as_printed_python(body))
    assert (
        printed.model_copy(update={"update_log": row.update_log, "instance_list": row.instance_list}) == row
    )


@pytest.mark.parametrize(
    "name, key, model",
    [
        ("file_view", "file", File),
        ("compound_file_view", "file", File),
        ("compound_new", "file", File),
        ("compound_new_with_box_instance", "file", File),
        ("probe_packet_from_blob_path__file_view", "file", File),
        ("file_annotation_list", "file_serialized", File),
        ("probe_all_types_annotations", "file_serialized", File),
        ("input_batch_new", "input_batch", InputBatch),
        ("batch_of_three_one_bad__batch_detail", "input_batch", InputBatch),
        ("packet_from_url_box", None, PacketReply),
        ("from_local_with_instances", None, UploadReply),
        ("from_local_same_name_again", None, UploadReply),
        ("labels_list", None, LabelList),
        ("probe_file_list_base", None, FilePage),
        ("probe_file_list_explorer", None, FilePage),
    ],
)
def test_recorded_answers_are_read_also_in_printed_python_section_6(name: str, key: str | None, model: Any):
    body = answer(name) if key is None else answer(name)[key]
    value = model.model_validate(body)
    assert getattr(value, "id", None) == (body.get("id") if isinstance(body, dict) else None)
    again = model.model_validate(as_printed_python(body))
    for field in ("id", "state", "count_instances_changed", "next_page", "input_id"):
        assert getattr(again, field, None) == getattr(value, field, None)


@pytest.mark.parametrize(
    "name, key, model",
    [
        ("labels_schema_list", None, LabelSchema),
        ("directory_list", "directory_list", Dataset),
        ("compound_child_files", "child_files", File),
        ("input_view_list_of_parent", "input_list", Input),
        ("batch_of_three_one_bad__view_list_by_batch_id", "input_list", Input),
        ("probe_model_runs_after", "model_run_list", ModelRun),
        ("probe_attr_list_all_kinds", "attribute_group_list", AttributeGroup),
        ("probe_attr_list_schema2", "attribute_group_list", AttributeGroup),
    ],
)
def test_recorded_lists_are_read(name: str, key: str | None, model: Any):
    rows = answer(name) if key is None else answer(name)[key]
    assert [model.model_validate(row).id for row in rows] == [row["id"] for row in rows]


def test_the_documented_compound_answer_is_the_observed_one_in_quotes_section_6():
    body = as_printed_python(answer("compound_new")["file"])
    body["input"] |= {"status": "success", "total_time": "None"}
    del body["ordinal"]
    file = File.model_validate(body)
    assert (file.id, file.count_instances_changed, file.ordinal) == (6, None, None)
    assert file.input is not None
    assert (file.input.batch_id, file.input.processing_deferred, file.input.instance_list) == (
        None,
        False,
        [],
    )


def test_a_label_named_none_keeps_its_name():
    assert (
        Label.model_validate({"id": 1, "label": {"id": 1, "name": "None"}, "state": "added"}).name == "None"
    )


@pytest.mark.parametrize(
    "model, key",
    [
        (File, "original_filename"),
        (Dataset, "nickname"),
        (LabelSchema, "name"),
        (ModelRun, "reference_id"),
        (Input, "original_filename"),
    ],
)
@pytest.mark.parametrize("name", ["None", "True", "False"])
def test_what_people_name_keeps_its_name_whatever_it_is(model: Any, key: str, name: str):
    assert getattr(model.model_validate({"id": 1, key: name}), key) == name


def test_instances_of_an_input_are_unwrapped_however_deep_2_4():
    for wrapped in ([1], {"list": [1]}, {"list": {"list": [1]}}):
        assert Input.model_validate({"instance_list": wrapped}).instance_list == [1]
    for empty in (None, {}, {"list": None}, {"list": {"list": []}}, "None", {"list": "None"}):
        assert Input.model_validate({"instance_list": empty}).instance_list == []


def test_an_input_of_nulls_is_read_2_8():
    row = Input.model_validate({"id": None, "status": None, "status_text": "Invalid file type: .xyz"})
    assert (row.failed, row.succeeded, row.reason) == (False, False, "Invalid file type: .xyz")


def test_an_unknown_status_is_kept_as_text():
    assert Input.model_validate({"status": "quantum"}).status == "quantum"


SIGNED = "http://h/a.jpg?X-Amz-Signature=abc"


@pytest.mark.parametrize(
    "row, reason",
    [
        ({"update_log": {"error": {"status_text": "first"}}, "status_text": "second"}, "first"),
        ({"update_log": {"error": {"trace": "third"}}, "status_text": "second"}, "second"),
        ({"update_log": {"error": {"trace": "third"}}, "status_text": "Version: 2.0.0"}, "trace: third"),
        (
            {"update_log": {"error": {"Frame 5": {"width": "0"}}}, "status_text": ""},
            "Frame 5: {'width': '0'}",
        ),
        ({"update_log": {"error": {}, "download_media": "fourth"}, "description": "fifth"}, "fourth"),
        ({"update_log": {"error": {}}, "status_text": "Version: x", "description": "fifth"}, "fifth"),
        ({"update_log": None, "status_text": None}, "the server gave no reason"),
        ({"update_log": {"error": "plain"}}, "error: plain"),
        (
            {"status_text": f"no response (404) from {SIGNED} Response: x"},
            "no response (404) from http://h/a.jpg?... Response: x",
        ),
        (
            {"update_log": {"error": {}, "download_media": "url: /a.jpg?X-Amz-Signature=abc (Caused by x)"}},
            "url: /a.jpg?... (Caused by x)",
        ),
    ],
)
def test_the_reason_of_a_failure_is_looked_for_in_the_order_of_3_3(row: dict[str, Any], reason: str):
    assert Input.model_validate({"status": "failed", **row}).reason == reason


def test_a_reason_is_cut_quirk_38():
    assert len(Input(status="failed", status_text="page " * 1000).reason) == 500


@pytest.mark.parametrize(
    "name, words",
    [
        ("packet_box_float_coordinates__input_view_final", "Must be an int"),
        ("packet_box_inverted__input_view_final", "less than 1 pixels"),
        ("packet_unknown_label_file_id__input_view_final", "valid_label_file"),
        ("packet_media_404__input_view_final", "no valid response (404)"),
        ("packet_media_connection_refused__input_view_final", "Error downloading media."),
        ("packet_instance_list_null_element__input_view_final", "Instance cannot be None"),
        ("packet_directory_of_another_project__input_view_final", "Invalid directory permission."),
        ("probe_attr_time_with_seconds__input_view_final", "Instance List Creation error"),
    ],
)
def test_the_reason_of_every_recorded_failure_says_what_happened(name: str, words: str):
    row = Input.model_validate(answer(name)["input"])
    assert row.failed
    assert words in row.reason


@pytest.mark.parametrize(
    "body",
    [
        answer("packet_duplicate_original_filename__input_view_final")["input"],
        answer("from_local_same_name_again")["input"],
    ],
)
def test_a_duplicate_names_the_file_that_is_there_for_every_source_3_4(body: dict[str, Any]):
    row = Input.model_validate(body)
    assert row.existing_file_id == int(body["status_text"].split("ID is:")[1])


@pytest.mark.parametrize(
    "row",
    [
        {"status": "success", "status_text": "Filename a Already Exists in Dir. Existing ID is:5"},
        {"status": "failed", "status_text": "Already Exists in Dir. Existing ID is:5 or so"},
        {"status": "failed", "status_text": "Invalid url"},
        {"status": "failed", "status_text": None},
    ],
)
def test_other_rows_name_no_file(row: dict[str, Any]):
    assert Input.model_validate(row).existing_file_id is None


def test_removed_labels_are_left_out_but_every_id_of_the_project_is_known_2_1():
    rows = [{"id": n, "label": {"name": str(n)}, "state": s} for n, s in ((1, "added"), (2, "removed"))]
    listed = LabelList.model_validate(
        {"labels_out": rows, "label_file_colour_map": {"1": {}, "2": {}, "9": {}}}
    )
    assert [label.id for label in listed.labels] == [1]
    assert listed.project_ids == {1, 2, 9}


def test_a_receipt_sums_up_in_one_line():
    receipt = Receipt(project="p", expected=5, succeeded=2, failed=1, pending=2)
    assert receipt.summary() == "5 expected: 2 succeeded, 1 failed, 2 pending"
    assert Receipt(project="p", expected=0).summary() == "0 expected: nothing sent"
    assert [Receipt(project="p", expected=1, pending=n).complete for n in (0, 1)] == [True, False]
    lost = Receipt(project="p", expected=6, failed=1, missing=2, stuck=3, kept=4)
    assert (lost.complete, lost.problems) == (True, 6)
    assert lost.summary() == ("6 expected: 1 failed, 2 missing, 3 stuck, 4 predictions kept as stored")
