"""Every recorded pair: its answer becomes the right value, or the right error (server.md 1.4, 2)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request
from airflow_provider_diffgram.models import (
    Export,
    File,
    FilePage,
    Input,
    InputBatch,
    JobPage,
    LabelList,
    PacketReply,
    TaskPage,
    UploadReply,
)
from tests.unit.client.every_route import P, medium

PAIRS = {path.stem: path for path in sorted(Path(__file__).parents[2].glob("**/recorded/*.json"))}

packet = routes.send_packet(P, {}, "a.jpg")
view = routes.view_input(P, 1)
annotations = routes.list_annotations(P, 1)
compound = routes.create_compound(P, 2, "c", "compound", [])
status = routes.compound_status(P, 6)
local = routes.upload_local(P, medium(), {})
(large,) = routes.upload_large(P, medium(), directory_id=2, upload_id="u")
files = routes.list_files(P, 2)

EXPECTED: dict[str, tuple[Request[Any], type]] = {
    "auth_bad_secret": (packet, CredentialError),
    "auth_none": (packet, CredentialError),
    "auth_none_python_requests_user_agent": (packet, CredentialError),
    "auth_viewer_compound_new": (compound, File),
    "auth_viewer_packet": (packet, CredentialError),
    "batch_of_three_one_bad__batch_detail": (routes.view_batch(P, 4), InputBatch),
    "batch_of_three_one_bad__view_list_by_batch_id": (routes.list_inputs(P), list),
    "compound_child_files": (routes.list_children(P, 6), list),
    "compound_file_view": (routes.view_file(P, 6), File),
    "compound_new": (compound, File),
    "compound_new_duplicate_name": (compound, RefusedError),
    "compound_new_with_box_instance": (compound, File),
    "compound_status_all_done": (status, str),
    "compound_status_before_children": (status, str),
    "compound_status_unknown_parent": (status, ServerFaultError),
    "compound_status_while_second_child_pending": (status, str),
    "directory_list": (routes.list_datasets(P), list),
    "file_annotation_list": (annotations, File),
    "file_view": (routes.view_file(P, 5), File),
    "from_local_not_an_image": (local, ServerFaultError),
    "from_local_same_name_again": (local, UploadReply),
    "from_local_with_instances": (local, UploadReply),
    "input_batch_append_data": (routes.append_data(P, 3, {"a.jpg": {}})[0], str),
    "input_batch_detail_after_packet": (routes.view_batch(P, 1), InputBatch),
    "input_batch_new": (routes.create_batch(P), InputBatch),
    "input_update_ARCHIVE": (routes.update_inputs(P, [36], "ARCHIVE"), dict),
    "input_update_RETRY": (routes.update_inputs(P, [36], "RETRY"), dict),
    "input_view_final": (view, Input),
    "input_view_list_just_after_packet": (routes.list_inputs(P), list),
    "input_view_list_of_parent": (routes.list_inputs(P, parent_file_id=6), list),
    "input_view_unknown_id": (view, ServerFaultError),
    "labels_list": (routes.list_labels(P, 1), LabelList),
    "labels_name_to_file_id": (routes.name_to_file_id(P), dict),
    "labels_schema_list": (routes.list_schemas(P), list),
    "packet_box_float_coordinates__input_view_final": (view, Input),
    "packet_box_inverted__input_view_final": (view, Input),
    "packet_child_of_compound": (packet, PacketReply),
    "packet_directory_of_another_project__input_view_final": (view, Input),
    "packet_duplicate_original_filename__input_view_final": (view, Input),
    "packet_empty_body": (packet, RefusedError),
    "packet_from_url_box": (packet, PacketReply),
    "packet_instance_list_null_element__input_view_final": (view, Input),
    "packet_media_404__input_view_final": (view, Input),
    "packet_media_connection_refused__input_view_final": (view, Input),
    "packet_mode_update": (packet, PacketReply),
    "packet_mode_update__annotations": (annotations, File),
    "packet_mode_update_with_existing": (packet, PacketReply),
    "packet_mode_update_with_existing__annotations": (annotations, File),
    "packet_no_directory_id": (packet, RefusedError),
    "packet_rate_limited_429": (packet, RateLimitedError),
    "packet_text_data__input_view_final": (view, Input),
    "packet_unknown_label_file_id__input_view_final": (view, Input),
    "packet_unknown_parent": (packet, ServerUnavailableError),
    "packet_video": (packet, PacketReply),
    "packet_video__input_view_final": (view, Input),
    "probe_all_types_annotations": (annotations, File),
    "probe_attr_all_kinds__annotations": (annotations, File),
    "probe_attr_list_all_kinds": (routes.list_attributes(P), list),
    "probe_attr_list_schema2": (routes.list_attributes(P, 2), list),
    "probe_attr_time_with_seconds__input_view_final": (view, Input),
    "probe_connections": (routes.list_connections(P), list),
    "probe_connections_amazon_aws": (routes.list_connections(P), list),
    "probe_export_start": (routes.start_export(P, "directory", 1), Export),
    "probe_export_status": (routes.view_export(P, 1), Export),
    "probe_file_list_base": (files, FilePage),
    "probe_file_list_explorer": (routes.explore_files(P, 12), FilePage),
    "probe_job_list_after": (routes.list_jobs(P), JobPage),
    "probe_job_tasks": (routes.list_job_tasks(P, 1), TaskPage),
    "probe_model_refs": (packet, PacketReply),
    "probe_model_refs_annotations": (annotations, File),
    "probe_model_runs_after": (routes.list_model_runs(P), list),
    "probe_packet_from_blob_path": (packet, PacketReply),
    "probe_packet_from_blob_path__file_view": (routes.view_file(P, 942), File),
    "probe_packet_from_blob_path__input_view_final": (view, Input),
    "probe_packet_from_blob_path_unsupported_provider": (packet, RefusedError),
    "probe_packet_instance_list_empty": (packet, RefusedError),
    "probe_retry_after_404__input_view_final": (view, Input),
    "probe_video_bad_frame__input_view_final": (view, Input),
    "probe_video_instance_buffer": (routes.list_frame_instances(P, 1055, 2, 0, 60), dict),
    "upload_large_one_chunk__chunk1of1": (large, bool),
    "upload_large_with_batch__chunk1of1": (large, bool),
    "working_dir_view_by_name": (routes.view_working_dir(P, "demo-dataset"), object),
    "working_dir_view_unknown_name": (routes.view_working_dir(P, "nope"), RefusedError),
    "wrong_path_api_v1_walrus_packet_POST": (packet, WrongAddressError),
}
"""Recorded pair -> the route that asks so, and what its answer is."""


def pair_of(name: str) -> dict[str, Any]:
    return json.loads(PAIRS[name].read_text())


def value(name: str) -> Any:
    response = pair_of(name)["response"]
    is_json = response["headers"].get("content-type", "").startswith("application/json")
    body = response["body"]
    raw = (json.dumps(body) if is_json else str(body)).encode()
    return value_of(EXPECTED[name][0], response["status"], response["headers"], raw)


def test_every_recorded_pair_is_in_the_table():
    assert set(PAIRS) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_route_is_the_one_that_was_asked(name: str):
    request, asked = EXPECTED[name][0], pair_of(name)["request"]
    assert request.method == asked["method"]
    path = request.documented_path if name.startswith("wrong_path") else request.path
    assert shape(path) == shape(urlsplit(asked["path"]).path)


def shape(path: str | None) -> list[str]:
    """Return the parts of a path without ids, nor the name that the server ignores (server.md 2.3)."""
    without_names = re.sub(r"/user/[^/]+/", "/user/.../", path or "")
    return ["..." if part.isdigit() else part for part in without_names.split("/")]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_answer_becomes_the_right_value_or_the_right_error(name: str):
    kind = EXPECTED[name][1]
    if issubclass(kind, Exception):
        with pytest.raises(kind) as caught:
            value(name)
        assert type(caught.value) is kind
        assert caught.value.status == pair_of(name)["response"]["status"]
    else:
        assert isinstance(value(name), kind)


def test_the_values_hold_what_was_recorded():
    assert value("labels_name_to_file_id") == {"cat": 1, "dog": 2, "person": 3}
    assert value("compound_status_while_second_child_pending") == "success"
    assert value("working_dir_view_by_name").nickname == "demo-dataset"
    assert [value(f"probe_export_{step}").complete for step in ("start", "status")] == [False, True]
    jobs = value("probe_job_list_after")
    assert jobs.total == len(jobs.jobs)
    assert (jobs.jobs[0].stat_count_tasks, jobs.jobs[0].is_live) == (1, True)
    (task,) = value("probe_job_tasks").task_list
    assert (task.status, task.done, task.time_completed, task.file.id) == ("available", False, None, 267)
    frames = value("probe_video_instance_buffer")
    assert sorted(frames) == list(range(60))
    assert frames[0][0]["label_file_id"] == 1
    assert value("upload_large_one_chunk__chunk1of1") is True
    assert value("input_batch_append_data").startswith("http://storage.test/")
    kinds = {group.kind: group for group in value("probe_attr_list_all_kinds")}
    assert set(kinds) >= {"select", "radio", "multiple_select", "tree", "slider", "text", "date", "time"}
    assert kinds["slider"].min_value is not None


def test_a_failed_upload_is_a_value_with_its_reason_e6():
    reply = value("from_local_same_name_again")
    assert (reply.input.failed, reply.input.existing_file_id) == (True, 15)
