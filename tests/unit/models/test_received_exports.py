"""Exports, jobs, batches, and the documented variants of answers (server.md 2.10, 2.16, 2.17, 6)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_diffgram.models import (
    AttributeGroup,
    Existence,
    Export,
    ExportedDocument,
    File,
    FileIdPage,
    Input,
    InputBatch,
    JobPage,
    PacketReply,
    Task,
    TaskPage,
    Track,
)

SIGNED = "http://storage.test/a.jpg?X-Amz-Signature=abc"


def entry(file_id: int, name: str, **more: Any) -> dict[str, Any]:
    file = {"id": file_id, "original_filename": name, "type": "image", "blob_url": SIGNED}
    return {"file": file, "image": {"image_signed_url": SIGNED}, "instance_list": [{"id": 1}], **more}


DOCUMENT = {
    "readme": "...",
    "label_map": {"1": "cat"},
    "label_colour_map": {},
    "attribute_groups_reference": [],
    "export_info": {"kind": "Annotations"},
    "5": entry(5, "a.jpg"),
    "6": {
        "file": {"id": 6, "original_filename": "pages", "type": "compound"},
        "instance_list": [],
        "12": entry(12, "page-1.jpg"),
        "13": entry(13, "page-2.jpg"),
    },
    "12": entry(12, "page-1.jpg"),
    "13": entry(13, "page-2.jpg"),
    "14": None,
}


def test_an_exported_document_holds_each_file_once_by_id_quirk_61():
    document = ExportedDocument.model_validate(DOCUMENT)
    assert {key: file.original_filename for key, file in document.files.items()} == {
        5: "a.jpg",
        6: "pages",
        12: "page-1.jpg",
        13: "page-2.jpg",
    }
    assert document.files[6].child_ids == [12, 13]
    assert document.files[5].child_ids == []
    assert document.files[5].instance_list == [{"id": 1}]
    assert document.unknown_ids == [14]
    assert document.label_map == {1: "cat"}


def test_a_child_that_is_only_below_its_parent_is_found_too_quirk_61():
    without = {key: value for key, value in DOCUMENT.items() if key not in ("12", "13")}
    assert set(ExportedDocument.model_validate(without).files) == {5, 6, 12, 13}


def test_a_file_that_is_null_once_is_known_by_its_other_entry():
    document = ExportedDocument.model_validate({**DOCUMENT, "13": None})
    assert 13 in document.files
    assert document.unknown_ids == [14]


@pytest.mark.parametrize(
    "body", [{}, {"file": 1}, {"5": entry(5, "a")}, [], None, "http://x", {"error": "x"}]
)
def test_what_is_no_document_is_told(body: Any):
    with pytest.raises(ValidationError):
        ExportedDocument.model_validate(body)


def test_an_empty_export_is_a_document():
    assert ExportedDocument.model_validate({"readme": "", "label_map": {}, "export_info": {}}).files == {}


def test_the_urls_of_a_document_are_not_in_its_repr():
    document = ExportedDocument.model_validate(DOCUMENT)
    assert document.files[5].blob_url == SIGNED
    assert "Signature" not in repr(document)


@pytest.mark.parametrize(
    "status, complete, failed",
    [("init", False, False), ("complete", True, False), ("failed", False, True), (None, False, False)],
)
def test_an_export_is_done_by_the_word_complete_2_16(status: str | None, complete: bool, failed: bool):
    export = Export.model_validate({"id": 1, "status": status})
    assert (export.complete, export.failed) == (complete, failed)


@pytest.mark.parametrize(
    "status, loaded", [(None, None), ("None", None), ("pending", None), ("success", True), ("failed", False)]
)
def test_a_batch_tells_when_its_data_are_loaded_2_10(status: str | None, loaded: bool | None):
    batch = InputBatch.model_validate({"id": 1, "download_status_pre_labeled_data": status})
    assert batch.data_loaded is loaded


@pytest.mark.parametrize("status", ["available", "in_progress", "in_review", "deferred", "archived", None])
def test_only_complete_is_done_2_17(status: str | None):
    assert not Task.model_validate({"id": 1, "status": status}).done
    assert Task.model_validate({"id": 1, "status": "complete"}).done


def test_jobs_are_read_with_their_capital_letter_2_17():
    page = JobPage.model_validate(
        {
            "Job_list": [{"id": 1, "stat_count_tasks": 3, "time_completed": "None"}],
            "metadata": {"total_job_number": 1, "number_of_pages": 1},
        }
    )
    assert (page.jobs[0].stat_count_tasks, page.jobs[0].time_completed) == (3, None)
    assert (page.total, page.pages) == (1, 1)
    assert JobPage.model_validate({"Job_list": []}).total is None


IDS: list[tuple[Any, dict[str, Any], str]] = [
    (PacketReply, {"log": {"success": True}}, "input_id"),
    (File, {}, "id"),
    (File, {"id": 1}, "connection_id"),
    (Input, {}, "id"),
    (Input, {}, "file_id"),
    (Input, {}, "parent_file_id"),
    (Input, {}, "batch_id"),
    (Export, {}, "id"),
    (InputBatch, {}, "id"),
    (Task, {}, "id"),
    (Track, {"id": 1}, "label_file_id"),
    (AttributeGroup, {}, "id"),
]


@pytest.mark.parametrize("model, others, key", IDS)
@pytest.mark.parametrize("value", [17, "17", 17.0])
def test_an_id_is_a_number_however_it_is_written_section_6(
    model: Any, others: dict[str, Any], key: str, value: Any
):
    assert getattr(model.model_validate({**others, key: value}), key) == 17


@pytest.mark.parametrize("model, others, key", [each for each in IDS if each[2] != "id" or each[0] is Input])
def test_an_id_that_was_printed_as_none_is_none_section_6(model: Any, others: dict[str, Any], key: str):
    assert getattr(model.model_validate({**others, key: "None"}), key) is None


def test_printed_python_is_read_in_lists_within_lists_section_6():
    file = File.model_validate(
        {
            "id": "6",
            "ann_is_complete": "None",
            "input": {
                "id": "2",
                "archived": "False",
                "processing_deferred": "False",
                "instance_list": {"list": {"list": "None"}},
                "directory": {"id": "2", "nickname": "None"},
                "update_log": {"error": "None", "success": "False"},
                "frame_packet_map": "None",
            },
            "instance_list": [{"id": 1, "soft_delete": "False", "score": "None", "name": "None"}],
        }
    )
    assert file.ann_is_complete is None
    assert file.input is not None
    assert (file.input.archived, file.input.processing_deferred) == (False, False)
    assert file.input.instance_list == []
    assert file.input.update_log == {"error": None, "success": False}
    assert file.input.directory is not None
    assert file.input.directory.nickname == "None"
    assert file.instance_list == [{"id": 1, "soft_delete": False, "score": None, "name": "None"}]


def test_names_and_ids_of_missing_files_stay_what_they_are_2_6():
    missing = Existence.model_validate({"exists": "False", "missing_files": ["17", 17, "None"]})
    assert (missing.exists, missing.missing_files) == (False, ["17", 17, "None"])


def test_pages_of_ids_and_of_tasks_are_read():
    assert FileIdPage.model_validate({"file_list": [3, "2"], "metadata": {"next_page": 2}}).next_page == 2
    page = TaskPage.model_validate({"task_list": [], "pending_initial_dir_sync": "False"})
    assert page.pending_initial_dir_sync is False
