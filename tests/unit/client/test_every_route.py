"""Each route: what it asks, spelled exactly so, and what becomes of the answer (server.md 2 and 10)."""

from __future__ import annotations

import inspect
import io
import json
import re
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    UnexpectedReplyError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request, Upload
from airflow_provider_diffgram.client.upload_body import MultipartBody
from airflow_provider_diffgram.models import (
    AnnotationUpdate,
    File,
    FilePage,
    Input,
    InputBatch,
    InstanceHistory,
    Job,
    JobPage,
    LabelList,
    PacketReply,
    TaskPage,
    UploadReply,
)
from tests.unit.client.every_route import CASES, MIB, PAGE, P, medium
from tests.unit.recorded import NAMES, recording

JSON = {"content-type": "application/json"}


def answered(name: str, body: Any) -> Any:
    """Return what becomes of the answer ``body`` to a route."""
    return value_of(CASES[name].request, 200, JSON, json.dumps(body).encode())


def test_no_route_is_without_a_case():
    functions = {name for name in routes.__all__ if inspect.isfunction(getattr(routes, name))}
    assert functions == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_method_path_query_and_body_are_those_of_the_contract(name: str):
    case = CASES[name]
    asked = case.request
    assert (asked.method, asked.path) == (case.method, case.path)
    assert {key: str(value) for key, value in asked.params.items()} == case.params
    assert asked.json == case.json


@pytest.mark.parametrize("name", CASES)
def test_a_good_answer_becomes_a_value(name: str):
    assert answered(name, CASES[name].answer) is not None


ANYTHING_GOES = {"launch_job", "probe_write", "update_attribute_group", "update_inputs"}
"""Routes whose answer tells nothing but that it came."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("body", [None, 7, "text", ["x"], {"unheard": 1}, {"success": False}])
def test_an_answer_of_another_form_is_unexpected_or_means_nothing_more(name: str, body: Any):
    if name in ANYTHING_GOES:
        assert answered(name, body) == body
        return
    with pytest.raises(UnexpectedReplyError):
        answered(name, body)


@pytest.mark.parametrize("name", CASES)
def test_every_request_is_fit_for_the_wire_quirks_40_and_44(name: str):
    request = CASES[name].request
    json.dumps(request.json, allow_nan=False)
    assert request.path.startswith("/api/")
    assert not request.path.endswith("/")
    if request.method in ("POST", "PUT"):
        assert (request.json is None) == (request.upload is not None)


def test_writes_are_told_from_reads():
    assert {name for name, case in CASES.items() if case.request.write} == {
        "create_attribute_group",
        "create_attribute_option",
        "create_compound",
        "create_dataset",
        "create_job",
        "create_label",
        "create_schema",
        "send_packet",
        "update_annotations",
        "update_attribute_group",
        "update_inputs",
        "update_metadata",
        "upload_large",
        "upload_local",
    }


def test_each_limit_per_second_has_a_pace_of_its_own_1_5():
    limits = {name: case.request.limit for name, case in CASES.items() if case.request.limit}
    assert limits == {
        "probe_write": "input/packet",
        "send_packet": "input/packet",
        "upload_large": "upload/large",
    }


def test_a_project_name_is_quoted_in_every_path():
    assert routes.list_schemas("a/b c?d").path == "/api/v1/project/a%2Fb%20c%3Fd/labels-schema"
    assert routes.view_file("a/b", 5).json == {"file_id": 5, "project_string_id": "a/b"}


def test_no_request_shows_its_body_in_its_repr():
    request = routes.send_packet(P, {"media": {"url": "http://h/a.jpg?X-Amz-Signature=abc"}}, "a.jpg")
    assert "Signature" not in repr(request)
    assert "secret-text" not in repr(routes.upload_local(P, medium(), {"text": "secret-text"}))


update = CASES["update_annotations"].request
history = CASES["view_history"].request
packet = routes.send_packet(P, {}, "a.jpg")
view = routes.view_input(P, 1)
annotations = routes.list_annotations(P, 1)
compound = routes.create_compound(P, 2, "c", "compound", [])
local = routes.upload_local(P, medium(), {})
(large,) = routes.upload_large(P, medium(), directory_id=2, upload_id="u")

NOT_ASKED = {
    "loop_job_add_files_badquery",
    "loop_job_add_files_empty",
    "loop_job_add_files_query",
    "loop_job_add_files_text",
    "loop_job_resync",
    "loop_person_complete_toggle",
    "loop_person_file_annotation_update",
    "loop_person_open_task",
    "loop_person_task_complete",
    "loop_person_task_complete_review",
    "loop_person_task_defer",
    "loop_person_task_review_approve",
    "loop_person_task_annotation_update",
    "loop_person_text_save",
    "loop_stale_page_save",
    "batch_of_three_one_bad__batch_detail",
    "compound_status_all_done",
    "compound_status_before_children",
    "compound_status_unknown_parent",
    "compound_status_while_second_child_pending",
    "input_batch_append_data",
    "input_batch_detail_after_packet",
    "labels_name_to_file_id",
    "probe_export_start",
    "probe_export_status",
    "working_dir_view_by_name",
    "working_dir_view_unknown_name",
}
"""Pairs of endpoints, or of people, that the emulator serves and the package does not use."""

ANSWERS: dict[str, tuple[Request[Any], type]] = {
    "fast_annotation_update_basic": (update, AnnotationUpdate),
    "fast_update_after_person": (update, AnnotationUpdate),
    "fast_update_err_unknown_label": (update, RefusedError),
    "fast_update_locked": (update, ServerUnavailableError),
    "fast_update_delete_one": (update, AnnotationUpdate),
    "fast_update_echo_all_types": (update, AnnotationUpdate),
    "fast_update_err_float_coord": (update, RefusedError),
    "fast_update_err_inverted": (update, RefusedError),
    "fast_update_err_label_other_proj": (update, RefusedError),
    "fast_update_err_no_coords": (update, ServerFaultError),
    "fast_update_err_no_label": (update, RefusedError),
    "fast_update_err_nul_char": (update, ServerFaultError),
    "fast_update_err_null_element": (update, ServerFaultError),
    "fast_update_err_number_beyond_32bit": (update, ServerUnavailableError),
    "fast_update_err_score_text": (update, ServerUnavailableError),
    "fast_update_err_unknown_model": (update, ServerUnavailableError),
    "fast_update_err_unknown_option": (update, ServerUnavailableError),
    "fast_update_err_unknown_run": (update, ServerUnavailableError),
    "fast_update_err_unknown_type": (update, RefusedError),
    "fast_update_ok_select_as_text": (update, AnnotationUpdate),
    "fast_update_ok_unknown_id": (update, AnnotationUpdate),
    "loop_event_list": (routes.list_events(P), list),
    "loop_event_missing_ids": (routes.list_events(P), list),
    "loop_explorer_page": (routes.explore_files(P, 620), FilePage),
    "loop_instance_history_deleted": (history, InstanceHistory),
    "loop_instance_history_lost_stale": (history, InstanceHistory),
    "loop_instance_history_moved": (history, InstanceHistory),
    "loop_job_add_files": (routes.add_files(P, 2, [1]), list),
    "loop_job_add_files_emptylist": (routes.add_files(P, 2, [1]), RefusedError),
    "loop_job_add_files_no_consumer": (routes.add_files(P, 2, [1]), list),
    "loop_job_add_files_unknown": (routes.add_files(P, 2, [1]), list),
    "loop_job_launch": (routes.launch_job(P, 2), dict),
    "loop_job_launch_twice": (routes.launch_job(P, 2), RefusedError),
    "loop_job_list_search": (routes.list_jobs(P), JobPage),
    "loop_job_list_with_tags": (routes.list_jobs(P), JobPage),
    "loop_job_new": (routes.create_job(P, "job-A", schema_id=7), Job),
    "loop_task_list_exam_results": (routes.list_task_states(P, 8), list),
    "loop_task_list_normal": (routes.list_job_tasks(P, 8), TaskPage),
    "auth_bad_secret": (packet, CredentialError),
    "auth_none": (packet, CredentialError),
    "auth_none_python_requests_user_agent": (packet, CredentialError),
    "auth_viewer_compound_new": (compound, File),
    "auth_viewer_packet": (packet, CredentialError),
    "batch_of_three_one_bad__view_list_by_batch_id": (routes.list_inputs(P), list),
    "compound_child_files": (routes.list_children(P, 6), list),
    "compound_file_view": (routes.view_file(P, 6), File),
    "compound_new": (compound, File),
    "compound_new_duplicate_name": (compound, RefusedError),
    "compound_new_with_box_instance": (compound, File),
    "directory_list": (routes.list_datasets(P), list),
    "file_annotation_list": (annotations, File),
    "file_view": (routes.view_file(P, 5), File),
    "from_local_not_an_image": (local, ServerFaultError),
    "from_local_same_name_again": (local, UploadReply),
    "from_local_with_instances": (local, UploadReply),
    "input_batch_new": (routes.create_batch(P), InputBatch),
    "input_update_ARCHIVE": (routes.update_inputs(P, [36], "ARCHIVE"), dict),
    "input_update_RETRY": (routes.update_inputs(P, [36], "RETRY"), dict),
    "input_view_final": (view, Input),
    "input_view_list_just_after_packet": (routes.list_inputs(P), list),
    "input_view_list_of_parent": (routes.list_inputs(P, parent_file_id=6), list),
    "input_view_unknown_id": (view, ServerFaultError),
    "labels_list": (routes.list_labels(P, 1), LabelList),
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
    "probe_file_list_base": (routes.list_files(P, 2), FilePage),
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
    "wrong_path_api_v1_walrus_packet_POST": (packet, WrongAddressError),
}
"""Recorded pair -> the route that asks so, and what its answer is."""


def value(name: str) -> Any:
    pair = recording(name)
    return value_of(ANSWERS[name][0], pair.status, pair.headers, pair.body)


def test_every_recorded_pair_is_in_the_table():
    assert set(NAMES) == set(ANSWERS) | NOT_ASKED


@pytest.mark.parametrize("name", ANSWERS)
def test_the_route_is_the_one_that_was_asked(name: str):
    request, asked = ANSWERS[name][0], recording(name)
    assert request.method == asked.method
    path = request.documented_path if name.startswith("wrong_path") else request.path
    assert shape(path) == shape(urlsplit(asked.path).path)


def shape(path: str | None) -> list[str]:
    """Return the parts of a path without ids, project and the ignored name (server.md 2.3)."""
    without_names = re.sub(r"/(user|project)/[^/]+(?=/)", r"/\1/...", path or "")
    return ["..." if part.isdigit() else part for part in without_names.split("/")]


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_becomes_the_right_value_or_the_right_error(name: str):
    kind = ANSWERS[name][1]
    if issubclass(kind, Exception):
        with pytest.raises(kind) as caught:
            value(name)
        assert type(caught.value) is kind
        assert caught.value.status == recording(name).status
    else:
        assert isinstance(value(name), kind)


@pytest.mark.parametrize("name", [name for name, (_, kind) in ANSWERS.items() if kind is list])
def test_lists_hold_all_rows_in_their_order(name: str):
    body = recording(name).answer
    (rows,) = [body] if isinstance(body, list) else [each for each in body.values() if isinstance(each, list)]
    assert [getattr(each, "id", each) for each in value(name)] == [
        row["id"] if isinstance(row, dict) else row for row in rows
    ]


def packets_and_their_like() -> list[tuple[str, Request[Any]]]:
    """Return further requests that are recorded ones, body and all."""
    packets = (
        "packet_child_of_compound",
        "packet_mode_update",
        "packet_mode_update_with_existing",
        "packet_video",
        "probe_model_refs",
        "probe_packet_from_blob_path",
    )
    return [
        *((name, routes.send_packet(P, recording(name).sent, "cat-1.jpg")) for name in packets),
        ("compound_file_view", routes.view_file(P, 6)),
        ("input_view_unknown_id", routes.view_input(P, 999999)),
        ("input_update_ARCHIVE", routes.update_inputs(P, [36], "ARCHIVE")),
        ("probe_model_runs_after", routes.list_model_runs(P)),
    ]


@pytest.mark.parametrize("name, request_", packets_and_their_like())
def test_requests_are_the_recorded_ones(name: str, request_: Request[Any]):
    pair = recording(name)
    assert (request_.method, request_.path, request_.json) == (pair.method, pair.path, pair.sent)


BROADER: dict[str, Request[Any]] = {
    "input_view_list_just_after_packet": routes.list_inputs(P, limit=10),
    "input_view_list_of_parent": routes.list_inputs(P, parent_file_id=6, limit=10),
    "batch_of_three_one_bad__view_list_by_batch_id": routes.list_inputs(P, batch_id=4, limit=100),
}
"""Requests that hold what was recorded, and further keys."""


@pytest.mark.parametrize("name", BROADER)
def test_listings_of_inputs_hold_what_was_recorded(name: str):
    pair, request = recording(name), BROADER[name]
    assert (request.method, request.path) == (pair.method, pair.path)
    assert request.json | pair.sent == request.json
    assert request.json["status_filter"] == "All"


@pytest.mark.parametrize(
    "name, request_",
    [
        ("compound_child_files", routes.list_children(P, 6)),
        ("file_annotation_list", routes.list_annotations(P, 5)),
        ("input_batch_new", routes.create_batch(P)),
        ("probe_attr_list_all_kinds", routes.list_attributes(P)),
    ],
)
def test_some_requests_send_less_than_was_recorded(name: str, request_: Request[Any]):
    pair = recording(name)
    assert {**(pair.sent or {}), **(request_.json or {})} == (pair.sent or {})
    assert value_of(request_, pair.status, pair.headers, pair.body)


def test_attributes_are_asked_of_the_whole_project_in_the_only_mode_there_is_2_2():
    assert routes.list_attributes(P).json == {"mode": "from_project"}


def test_files_are_listed_as_recorded_but_a_thousand_at_once_2_6():
    pair, request = recording("probe_file_list_base"), routes.list_files(P, 2, search_term="cat")
    assert request.json["metadata"] | pair.sent["metadata"] == request.json["metadata"] | {"limit": 2}
    assert request.json["metadata"]["limit"] == 1000


def test_labels_are_read_with_their_label_file_id_not_the_label_id_2_1():
    rows = recording("labels_list").answer["labels_out"]
    assert {label.id: label.name for label in value("labels_list").labels} == {
        row["id"]: row["label"]["name"] for row in rows
    }


def test_the_answer_to_a_packet_holds_no_id_quirk_1():
    assert value("packet_from_url_box").input_id is None


def test_the_values_hold_what_was_recorded():
    jobs = value("probe_job_list_after")
    assert [job.status for job in jobs.jobs][:1] == ["active"]
    (task,) = value("probe_job_tasks").task_list
    assert (task.status, task.done, task.time_completed, task.file.id) == ("available", False, None, 267)
    frames = value("probe_video_instance_buffer")
    assert sorted(frames) == list(range(60))
    assert frames[0][0]["label_file_id"] == 1
    assert value("upload_large_one_chunk__chunk1of1") is True
    kinds = {group.kind: group for group in value("probe_attr_list_all_kinds")}
    assert set(kinds) >= {"select", "radio", "multiple_select", "tree", "slider", "text", "date", "time"}
    assert kinds["slider"].min_value is not None


def test_a_failed_upload_is_a_value_with_its_reason_e6():
    reply = value("from_local_same_name_again")
    assert (reply.input.failed, reply.input.existing_file_id) == (True, 15)


def test_an_upload_holds_the_recorded_parts_2_8():
    pair = recording("from_local_with_instances")
    parts = {part["name"]: part for part in pair.sent["multipart"]}
    body = json.loads(parts["json"]["value"])
    request = routes.upload_local(P, medium(name="local-2.png"), body)
    assert request.upload is not None
    assert json.loads(request.upload.form["json"]) == body
    assert request.upload.filename == parts["file"]["filename"]
    reply = value("from_local_with_instances")
    assert (reply.file.id, reply.input.id, reply.input.succeeded) == (15, 11, True)


def test_an_upload_with_numbers_that_are_no_json_is_refused_quirk_59():
    with pytest.raises(ValueError, match="JSON"):
        routes.upload_local(P, medium(), {"score": float("nan")})


def test_an_update_of_annotations_tells_what_came_and_went_10_8():
    update = value("fast_annotation_update_basic")
    assert [row["creation_ref_id"] for row in update.added] == ["u0-n0", "u0-n1"]
    assert (update.deleted_ids, update.missing_ids) == ([], [])
    assert (update.file.id, update.file.count_instances_changed) == (609, 5)


def test_an_update_tells_whom_it_undid_10_8_5():
    update = value("fast_update_after_person")
    assert update.deleted_ids == update.missing_ids == [865, 864]
    assert {row["action_type"] for row in update.added} == {"undeleted", "created"}


def test_a_locked_file_an_unknown_id_and_an_outage_are_told_together_10_8_3():
    with pytest.raises(
        ServerUnavailableError, match="another write to the file is under way, the service"
    ) as e:
        value("fast_update_locked")
    assert e.value.processed is None


def test_a_refused_update_may_have_stored_a_part_10_8_2():
    with pytest.raises(RefusedError, match="Give the label_file_id of a label of this project") as caught:
        value("fast_update_err_unknown_label")
    assert caught.value.processed is None


def test_an_empty_list_of_annotations_is_not_sent_10_8_1():
    with pytest.raises(ValueError, match="changes nothing"):
        routes.update_annotations(P, 5, [])


def test_the_history_of_an_instance_is_newest_first_and_names_nobody_10_3_6():
    newest, oldest = value("loop_instance_history_deleted").rows
    assert (newest["version"], newest["action_type"], newest["member_created_id"]) == (2, "deleted", 1)
    assert (oldest["version"], oldest["deletion_type"]) == (1, "user")
    assert all("member_created" not in row for row in (newest, oldest))
    (lost,) = value("loop_instance_history_lost_stale").rows
    assert (lost["soft_delete"], lost["deletion_type"]) == (True, "system_deletion")


def test_events_come_with_and_without_their_job_10_4():
    assert [(event.id, event.job_id) for event in value("loop_event_list")] == [
        (887, None),
        (885, 4),
        (882, None),
    ]
    for limit in (0, -1, 1001):
        with pytest.raises(ValueError, match="1 to 1000"):
            routes.list_events(P, limit=limit)


def test_jobs_tell_their_tags_by_name_10_2_2():
    assert [job.tags for job in value("loop_job_list_with_tags").jobs] == [["airflow", "run-1"]] * 2


def test_a_second_launch_does_no_harm_10_2_3():
    with pytest.raises(RefusedError, match="The job is active: go on"):
        value("loop_job_launch_twice")


def test_reviews_of_a_job_are_asked_for_in_percent_10_2_1():
    body = routes.create_job(P, "j", schema_id=7, review_percent=25, reviewer_ids=[3]).json
    assert (body["allow_reviews"], body["review_chance"], body["reviewer_list_ids"]) == (True, 25, [3])
    assert "allow_reviews" not in routes.create_job(P, "j", schema_id=7).json


def test_no_files_are_not_sent_to_a_job_10_2_4():
    with pytest.raises(ValueError, match="empty list"):
        routes.add_files(P, 2, [])


def test_tasks_are_followed_without_their_files_10_5():
    states = value("loop_task_list_exam_results")
    assert [(state.id, state.status, state.done) for state in states] == [
        (26, "available", False),
        (27, "available", False),
    ]
    (task,) = value("loop_task_list_normal").task_list
    assert (task.id, task.file.id, task.job.id) == (26, 3808, 8)


def test_a_file_tells_when_it_was_last_changed_10_3_5():
    assert (
        value("loop_explorer_page").file_list[0].time_last_updated
        == recording("loop_explorer_page").answer["file_list"][0]["time_last_updated"]
    )


def test_an_explorer_that_finds_nothing_is_an_empty_page_10_6():
    assert answered("explore_files", {"file_list": False, "metadata": PAGE}).file_list == []


def test_a_dataset_is_found_by_its_whole_name_only_2_3():
    rows = [{"id": n, "nickname": name} for n, name in ((9, "night"), (8, "nights"), (3, "night"))]
    found = answered("find_dataset", {"directory_list": rows})
    assert found.id == 3
    assert answered("find_dataset", {"directory_list": rows[1:2]}) is None


def test_frames_are_keyed_by_number_5_6():
    assert answered("list_frame_instances", CASES["list_frame_instances"].answer) == {0: [{"id": 1}], 1: []}


@pytest.mark.parametrize("start, end", [(5, 5), (6, 5), (-1, 5), (0, 1000)])
def test_frames_out_of_bounds_are_refused_before_they_are_asked(start: int, end: int):
    with pytest.raises(ValueError, match="frames"):
        routes.list_frame_instances(P, 9, 2, start, end)


def test_both_services_are_asked_for_their_health_1_1():
    assert routes.health("walrus").path == "/api/walrus/status"
    assert answered("health", True) is True


@pytest.mark.parametrize("body", [{"success": False}, {"success": "true"}, {"success": None}, {}])
def test_a_chunk_counts_only_where_success_is_true_quirk_23(body: Any):
    with pytest.raises(UnexpectedReplyError):
        answered("upload_large", body)


def test_e12_a_chunk_of_an_unknown_upload_is_refused_though_it_says_200():
    with pytest.raises(RefusedError, match="200"):
        answered("upload_large", {"error": "'NoneType' object has no attribute 'id'"})


def test_a_large_upload_is_one_request_per_chunk_with_all_fields_2_9():
    content = Random(1).randbytes(12 * MIB)
    upload = Upload("v.mp4", len(content), lambda: io.BytesIO(content))
    requests = routes.upload_large(P, upload, directory_id=2, upload_id="u-1", chunk_size=5 * MIB, batch_id=4)
    bodies = []
    for index, request in enumerate(requests):
        assert request.upload is not None
        assert request.upload.form == {
            "dzuuid": "u-1",
            "dzchunkindex": str(index),
            "dztotalchunkcount": "3",
            "dzchunkbyteoffset": str(index * 5 * MIB),
            "dztotalfilesize": str(12 * MIB),
            "dzchunksize": str(5 * MIB),
            "directory_id": "2",
            "source": "from_resumable",
            "input_batch_id": "4",
        }
        with request.upload.open() as chunk:
            bodies.append(chunk.read())
        assert len(bodies[-1]) == request.upload.size
    assert [len(body) for body in bodies] == [5 * MIB, 5 * MIB, 2 * MIB]
    assert b"".join(bodies) == content


def test_a_chunk_travels_in_pieces_and_closes_its_file():
    opened: list[io.BytesIO] = []
    content = Random(2).randbytes(10 * MIB)

    def open_it() -> io.BytesIO:
        opened.append(io.BytesIO(content))
        return opened[-1]

    upload = Upload("v.mp4", 10 * MIB, open_it)
    first = routes.upload_large(P, upload, directory_id=2, upload_id="u", chunk_size=5 * MIB + 1)[0].upload
    assert first is not None
    body = MultipartBody(first, first.open())
    raw = b"".join(iter(lambda: body.read(64 * 1024), b""))
    assert len(raw) == len(body)
    assert content[: 5 * MIB + 1] in raw
    body.close()
    assert opened[0].closed


@pytest.mark.parametrize("chunk_size", [0, 5 * MIB - 1, 128 * MIB + 1])
def test_chunks_that_the_storage_would_refuse_are_not_made_quirk_23(chunk_size: int):
    with pytest.raises(ValueError, match="chunk_size"):
        routes.upload_large(P, medium(), directory_id=2, upload_id="u", chunk_size=chunk_size)


@pytest.mark.parametrize("size", [0, 5 * 1024 * MIB + 1])
def test_files_that_the_server_would_fail_are_not_uploaded_2_9(size: int):
    upload = Upload("v.mp4", size, lambda: io.BytesIO())
    with pytest.raises(ValueError, match=r"v\.mp4"):
        routes.upload_large(P, upload, directory_id=2, upload_id="u")


@pytest.mark.parametrize("name", ["list_files", "explore_files"])
@pytest.mark.parametrize("named", [1, 2])
def test_a_page_of_files_that_leads_round_in_a_circle_is_refused(name: str, named: int):
    request = getattr(routes, name)(P, 2, page=2)
    body = json.dumps({"file_list": [], "metadata": PAGE | {"next_page": named}}).encode()
    with pytest.raises(UnexpectedReplyError, match=f"page 2 names page {named} as the next"):
        value_of(request, 200, JSON, body)
