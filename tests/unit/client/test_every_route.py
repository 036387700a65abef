"""Every route of server.md 2: path, method, body, and the answer as a value."""

from __future__ import annotations

import inspect
import io
import json
from random import Random
from typing import Any

import pytest

from airflow_provider_diffgram.client import RefusedError, UnexpectedReplyError, routes
from airflow_provider_diffgram.client.multipart import MultipartBody
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Upload
from tests.unit.client.every_route import EVERY, MIB, PAGE, P, medium

JSON = {"content-type": "application/json"}

ASKED: dict[str, tuple[str, str, Any]] = {
    "append_data": ("POST", "/api/v1/project/demo-project/input-batch/4/append-data", None),
    "archive_export": (
        "POST",
        "/api/walrus/project/demo-project/export/update",
        {"id": 1, "mode": "ARCHIVE"},
    ),
    "compound_status": (
        "POST",
        "/api/walrus/v1/project/demo-project/input/compound/status",
        {"parent_file_id": 6},
    ),
    "create_attribute_group": (
        "POST",
        "/api/v1/project/demo-project/attribute/group/new",
        {"schema_id": 1},
    ),
    "create_attribute_option": (
        "POST",
        "/api/v1/project/demo-project/attribute",
        {"mode": "NEW", "attribute": {"name": "red", "group_id": 1, "parent_id": 2}},
    ),
    "create_batch": (
        "POST",
        "/api/v1/project/demo-project/input-batch/new",
        {"pre_labeled_data": {"a.png": {"instance_list": []}}},
    ),
    "create_schema": ("POST", "/api/v1/project/demo-project/labels-schema/new", {"name": "s"}),
    "explore_files": (
        "POST",
        "/api/project/demo-project/user/any/file/list",
        {
            "metadata": {
                "directory_id": 12,
                "file_view_mode": "explorer",
                "limit": 1000,
                "page": 1,
                "regen_url": False,
                "query": "dataset.id = 12 and labels.cat >= 4",
            }
        },
    ),
    "file_stats": ("GET", "/api/v1/project/demo-project/file/5/file-stats", None),
    "files_exist": (
        "POST",
        "/api/v1/project/demo-project/file/exists",
        {"file_id_list": ["nope.jpg", 99999], "directory_id": 2},
    ),
    "find_dataset": (
        "POST",
        "/api/v1/project/demo-project/directory/list",
        {"limit": 1000, "nickname": "night"},
    ),
    "health": ("GET", "/api/status", None),
    "link_export": (
        "POST",
        "/api/walrus/project/demo-project/export/link",
        {"id": 1, "format": "JSON", "return_type": "url"},
    ),
    "list_children": ("GET", "/api/v1/project/demo-project/file/6/child-files", None),
    "list_exports": ("GET", "/api/walrus/project/demo-project/export/working_dir/list", None),
    "list_file_ids": (
        "POST",
        "/api/project/demo-project/user/any/file/list",
        {
            "metadata": {
                "directory_id": 2,
                "file_view_mode": "ids_only",
                "limit": 25000,
                "page": 1,
                "regen_url": False,
                "search_term": "a",
            }
        },
    ),
    "list_files": (
        "POST",
        "/api/project/demo-project/user/any/file/list",
        {
            "metadata": {
                "directory_id": 2,
                "file_view_mode": "base",
                "limit": 10,
                "page": 1,
                "regen_url": False,
                "media_type": "image",
                "with_children_files": True,
            }
        },
    ),
    "list_frame_instances": (
        "POST",
        "/api/project/demo-project/video/9/instance/buffer/start/0/end/60/list",
        {"directory_id": 2},
    ),
    "list_frame_urls": (
        "POST",
        "/api/project/demo-project/video/single/9/frame-list/",
        {"frame_list": [0, 5]},
    ),
    "list_inputs": (
        "POST",
        "/api/walrus/v1/project/demo-project/input/view/list",
        {
            "limit": 1000,
            "status_filter": "Failed",
            "show_archived": False,
            "batch_id": 4,
            "task_id": 3,
            "date_from": "2026-11-01",
            "date_to": "2026-11-22",
            "show_deferred": False,
            "has_attached_instances": True,
        },
    ),
    "list_job_tasks": (
        "POST",
        "/api/v1/job/1/task/list",
        {"mode_data": "list", "page_number": 2, "limit_count": 100, "job_id": 1, "status": "complete"},
    ),
    "list_jobs": (
        "POST",
        "/api/v1/job/list",
        {
            "metadata": {
                "project_string_id": "demo-project",
                "page_number": 1,
                "data_mode": "with_tags",
                "job_ids": [1],
                "status": "active",
                "search": "review",
            }
        },
    ),
    "list_model_runs": ("POST", "/api/v1/project/demo-project/model-runs/list", {"id_list": [1]}),
    "list_rows": (
        "POST",
        "/api/walrus/v1/project/demo-project/input/view/list",
        {
            "limit": 5,
            "status_filter": "Processing",
            "show_archived": False,
            "batch_id": 4,
            "parent_file_id": 6,
            "show_deferred": False,
        },
    ),
    "list_tasks": (
        "POST",
        "/api/v1/project/demo-project/task/list",
        {"mode_data": "list", "page_number": 0, "limit_count": 100, "file_id": 5},
    ),
    "list_tracks": ("GET", "/api/project/demo-project/video/single/9/sequence/list", None),
    "name_to_file_id": ("GET", "/api/v1/project/demo-project/labels/view/name_to_file_id", None),
    "read_export": (
        "POST",
        "/api/walrus/project/demo-project/export/link",
        {"id": 1, "format": "JSON", "return_type": "data"},
    ),
    "start_export": (
        "POST",
        "/api/walrus/project/demo-project/export/to_file",
        {
            "kind": "Annotations",
            "source": "directory",
            "directory_id": 2,
            "file_comparison_mode": "latest",
            "masks": False,
            "ann_is_complete": True,
        },
    ),
    "update_attribute_group": (
        "POST",
        "/api/v1/project/demo-project/attribute/group/update",
        {
            "group_id": 1,
            "mode": "UPDATE",
            "name": "Colour",
            "prompt": "Which?",
            "kind": "slider",
            "is_global": False,
            "global_type": "file",
            "label_file_list": [{"id": 1}],
            "min_value": 0,
            "max_value": 9,
        },
    ),
    "update_metadata": ("PUT", "/api/v1/project/demo-project/file/5/update-metadata", {"ordinal": 2}),
    "upload_large": ("POST", "/api/walrus/project/demo-project/upload/large", None),
    "view_batch": ("POST", "/api/v1/project/demo-project/input-batch/4", {}),
    "view_export": ("GET", "/api/walrus/project/demo-project/export/1/status", None),
    "view_row": ("POST", "/api/walrus/v1/project/demo-project/input/view/7", {}),
    "view_job": ("POST", "/api/v1/job/1/builder/info", {"refresh_stats": True}),
    "view_working_dir": ("GET", "/api/project/demo-project/user/any/working_dir/view", None),
}
"""Method, path and body of the routes that have no recorded request of exactly this kind."""


def answered(name: str, body: Any) -> Any:
    return value_of(EVERY[name][0], 200, JSON, json.dumps(body).encode())


def test_no_route_is_without_a_test():
    functions = {name for name in routes.__all__ if inspect.isfunction(getattr(routes, name))}
    assert functions == set(EVERY)


@pytest.mark.parametrize("name", ASKED)
def test_method_path_and_body_are_those_of_section_2(name: str):
    request = EVERY[name][0]
    assert (request.method, request.path, request.json) == ASKED[name]


@pytest.mark.parametrize("name", EVERY)
def test_a_good_answer_becomes_a_value(name: str):
    assert answered(name, EVERY[name][1]) is not None


@pytest.mark.parametrize("name", [name for name in EVERY if name not in {"probe_write"}])
@pytest.mark.parametrize("body", [None, 7, "text", [1], {"unheard": 1}, {"success": False}])
def test_an_answer_of_another_form_is_unexpected_or_means_nothing_more(name: str, body: Any):
    anything_goes = {"archive_export", "update_attribute_group", "update_inputs"}
    is_url = name == "link_export" and isinstance(body, str)
    if name in anything_goes or is_url:
        assert answered(name, body) == body
        return
    with pytest.raises(UnexpectedReplyError):
        answered(name, body)


@pytest.mark.parametrize("name", EVERY)
def test_every_request_is_fit_for_the_wire_quirks_40_and_44(name: str):
    request = EVERY[name][0]
    json.dumps(request.json, allow_nan=False)
    assert request.path.startswith("/api/")
    assert request.path.endswith("/") == (name == "list_frame_urls")
    if request.method in ("POST", "PUT"):
        assert (request.json is None) == (request.upload is not None)


def test_writes_are_told_from_reads():
    writes = {name for name, (request, _) in EVERY.items() if request.write}
    assert writes == {
        "append_data",
        "archive_export",
        "create_attribute_group",
        "create_attribute_option",
        "create_compound",
        "create_dataset",
        "create_label",
        "create_schema",
        "send_packet",
        "start_export",
        "update_attribute_group",
        "update_inputs",
        "update_metadata",
        "upload_large",
        "upload_local",
    }


def test_each_limit_per_second_has_a_pace_of_its_own_1_5():
    limits = {name: request.limit for name, (request, _) in EVERY.items() if request.limit}
    assert limits == {
        "probe_write": "input/packet",
        "send_packet": "input/packet",
        "upload_large": "upload/large",
    }


def test_queries_are_those_of_section_2():
    queries = {name: dict(request.params) for name, (request, _) in EVERY.items() if request.params}
    assert queries == {
        "list_children": {"with_instances": "True"},
        "list_labels": {"schema_id": 1},
        "name_to_file_id": {"schema_id": 1},
        "view_working_dir": {"name": "night"},
    }
    assert routes.view_working_dir(P, directory_id=2).params == {"working_dir_id": 2}
    assert routes.view_working_dir(P).params == {}
    assert routes.list_children(P, 6).params == {}


def test_a_dataset_is_found_by_its_whole_name_only_2_3():
    rows = [{"id": n, "nickname": name} for n, name in ((9, "night"), (8, "nights"), (3, "night"))]
    found = answered("find_dataset", {"directory_list": rows})
    assert found.id == 3
    assert answered("find_dataset", {"directory_list": rows[1:2]}) is None


def test_absence_is_told_by_name_and_by_id_2_6():
    assert answered("files_exist", EVERY["files_exist"][1]).missing_files == ["nope.jpg", 99999]
    with pytest.raises(ValueError, match="empty list"):
        routes.files_exist(P, [])


def test_frames_are_keyed_by_number_5_6():
    assert answered("list_frame_instances", EVERY["list_frame_instances"][1]) == {0: [{"id": 1}], 1: []}
    (track,) = answered("list_tracks", EVERY["list_tracks"][1])
    assert (track.frames, track.label_file_id) == ([0, 5], None)


@pytest.mark.parametrize("start, end", [(5, 5), (6, 5), (-1, 5), (0, 1000)])
def test_frames_out_of_bounds_are_refused_before_they_are_asked(start: int, end: int):
    with pytest.raises(ValueError, match="frames"):
        routes.list_frame_instances(P, 9, 2, start, end)


def test_at_most_a_hundred_pictures_are_asked_at_once_5_6():
    assert routes.list_frame_urls(P, 9, range(100)).json == {"frame_list": list(range(100))}
    for frames in ([], range(101)):
        with pytest.raises(ValueError, match="frames"):
            routes.list_frame_urls(P, 9, frames)


def test_tasks_need_a_file_or_a_job_2_17():
    with pytest.raises(ValueError, match="file_id or job_id"):
        routes.list_tasks(P)


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


@pytest.mark.parametrize("chunk_size", [0, 5 * MIB - 1, 64 * MIB + 1])
def test_chunks_that_the_storage_would_refuse_are_not_made_quirk_23(chunk_size: int):
    with pytest.raises(ValueError, match="chunk_size"):
        routes.upload_large(P, medium(), directory_id=2, upload_id="u", chunk_size=chunk_size)


@pytest.mark.parametrize("size", [0, 5 * 1024 * MIB + 1])
def test_files_that_the_server_would_fail_are_not_uploaded_2_9(size: int):
    upload = Upload("v.mp4", size, lambda: io.BytesIO())
    with pytest.raises(ValueError, match=r"v\.mp4"):
        routes.upload_large(P, upload, directory_id=2, upload_id="u")


def test_appended_data_name_their_range_as_recorded_2_10():
    data = {"batch-b.jpg": {"instance_list": [{"name": "dog"}], "frame_packet_map": None}}
    requests = routes.append_data(P, 3, data, chunk=40)
    size = len(json.dumps(data))
    parts = []
    for index, request in enumerate(requests):
        assert request.upload is not None
        last = min(size, (index + 1) * 40) - 1
        assert request.headers == {
            "Content-Range": f"bytes {index * 40}-{last}/{size}",
            "Content-Range-Index": str(index),
            "Content-Range-Total-Chunks": str(len(requests)),
        }
        with request.upload.open() as part:
            parts.append(part.read())
    assert len(requests) > 1
    assert json.loads(b"".join(parts)) == data


@pytest.mark.parametrize("name", ["list_files", "list_file_ids", "explore_files"])
@pytest.mark.parametrize("named", [1, 2])
def test_a_page_of_files_that_leads_round_in_a_circle_is_refused(name: str, named: int):
    request = getattr(routes, name)(P, 2, page=2)
    body = json.dumps({"file_list": [], "metadata": PAGE | {"next_page": named}}).encode()
    with pytest.raises(UnexpectedReplyError, match=f"page 2 names page {named} as the next"):
        value_of(request, 200, JSON, body)
