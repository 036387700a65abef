"""Jobs, tasks and the documented variants of what is received (server.md 2.17, 6)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.models import (
    AttributeGroup,
    File,
    Input,
    InputBatch,
    JobPage,
    PacketReply,
    Task,
)


@pytest.mark.parametrize("status", ["available", "in_progress", "in_review", "deferred", "archived", None])
def test_only_complete_is_done_2_17(status: str | None):
    assert not Task.model_validate({"id": 1, "status": status}).done
    assert Task.model_validate({"id": 1, "status": "complete"}).done


def test_jobs_are_read_with_their_capital_letter_2_17():
    page = JobPage.model_validate(
        {"Job_list": [{"id": 1, "status": "None"}], "metadata": {"number_of_pages": 1}},
    )
    assert (page.jobs[0].id, page.jobs[0].status, page.pages) == (1, None, 1)
    assert JobPage.model_validate({"Job_list": []}).pages is None


IDS: list[tuple[Any, dict[str, Any], str]] = [
    (PacketReply, {"log": {"success": True}}, "input_id"),
    (File, {}, "id"),
    (File, {"id": 1}, "connection_id"),
    (Input, {}, "id"),
    (Input, {}, "file_id"),
    (Input, {}, "parent_file_id"),
    (Input, {}, "batch_id"),
    (InputBatch, {}, "id"),
    (Task, {}, "id"),
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
            "time_last_updated": "None",
            "input": {
                "id": "2",
                "archived": "False",
                "processing_deferred": "False",
                "instance_list": {"list": {"list": "None"}},
                "directory": {"id": "2"},
                "original_filename": "None",
                "update_log": {"error": "None", "success": "False"},
                "frame_packet_map": "None",
            },
            "instance_list": [{"id": 1, "soft_delete": "False", "score": "None", "name": "None"}],
        }
    )
    assert file.time_last_updated is None
    assert file.input is not None
    assert (file.input.archived, file.input.processing_deferred) == (False, False)
    assert file.input.instance_list == []
    assert file.input.update_log == {"error": None, "success": False}
    assert file.input.directory is not None
    assert (file.input.directory.id, file.input.original_filename) == (2, "None")
    assert file.instance_list == [{"id": 1, "soft_delete": False, "score": None, "name": "None"}]
