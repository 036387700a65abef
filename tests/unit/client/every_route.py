"""Each route once: what it asks, and what the server answers when all is well (server.md 2 and 10)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.request import Request, Upload
from tests.unit.recorded import recording

P = "demo-project"
MIB = 2**20


@dataclass(frozen=True)
class Case:
    """One request, what of it is on the wire, and a good answer."""

    request: Request[Any]
    method: str
    path: str
    json: Any
    answer: Any
    params: Mapping[str, Any] = field(default_factory=dict)


def recorded(request: Request[Any], name: str) -> Case:
    """Return the case of a recorded pair."""
    pair = recording(name)
    parts = urlsplit(pair.path)
    path = parts.path.replace("/user/x/", "/user/any/")  # the server ignores the name (server.md 2.3)
    return Case(request, pair.method, path, pair.sent, pair.answer, dict(parse_qsl(parts.query)))


def medium(size: int = 3, name: str = "a.png") -> Upload:
    return Upload(name, size, lambda: io.BytesIO(b"x" * size))


INPUT = {"id": 7, "status": "success", "file_id": 5, "instance_list": {"list": [{"type": "box"}]}}
FILE = {"id": 5, "type": "image", "original_filename": "a.png", "state": "added"}
DATASET = {"id": 2, "directory_id": 2, "nickname": "night"}
LOG = {"error": {}, "info": {}, "success": True}
TASKS = {"task_list": [{"id": 1, "status": "complete", "time_completed": "None"}], "log": LOG}
GROUP = {"id": 1, "name": None, "kind": None, "attribute_template_list": []}
OPTION = {"id": 3, "name": "red", "group_id": 1, "parent_id": None}
PAGE = {"next_page": None, "page": 1, "total_pages": 1, "file_count": 1}
SYNCED = {"directory_id": 194, "nickname": "ds1", "selected": "sync"}
V1, WALRUS = f"/api/v1/project/{P}", f"/api/walrus/v1/project/{P}"


def listing(mode: str, **more: Any) -> dict[str, Any]:
    """Return the body of a listing of files."""
    metadata = {"directory_id": 2, "file_view_mode": mode, "limit": 1000, "page": 1, "regen_url": False}
    return {"metadata": {**metadata, **more}}


CASES: dict[str, Case] = {
    "add_files": recorded(routes.add_files("probe-loop", 2, [328]), "loop_job_add_files"),
    "create_attribute_group": Case(
        routes.create_attribute_group(P, 1),
        "POST",
        f"{V1}/attribute/group/new",
        {"schema_id": 1},
        {"attribute_template_group": GROUP, "log": LOG},
    ),
    "create_attribute_option": Case(
        routes.create_attribute_option(P, 1, "red", 2),
        "POST",
        f"{V1}/attribute",
        {"mode": "NEW", "attribute": {"name": "red", "group_id": 1, "parent_id": 2}},
        {"attribute_template": OPTION, "log": LOG},
    ),
    "create_batch": Case(
        routes.create_batch(P),
        "POST",
        f"{V1}/input-batch/new",
        {},
        {"input_batch": {"id": 4, "status": "pending"}},
    ),
    "create_compound": recorded(routes.create_compound(P, 2, "compound-1", "compound", []), "compound_new"),
    "create_dataset": Case(
        routes.create_dataset(P, "night"),
        "POST",
        f"{V1}/directory/new",
        {"nickname": "night", "access_type": "project"},
        {"new_directory": DATASET, "log": LOG},
    ),
    "create_job": recorded(
        routes.create_job(
            "probe-loop", "job-A", schema_id=7, datasets={194: "ds1"}, tags=["airflow", "run-1"]
        ),
        "loop_job_new",
    ),
    "create_label": Case(
        routes.create_label(P, "cat", 1),
        "POST",
        f"{V1}/label/new",
        {"name": "cat", "schema_id": 1},
        {"label": {"id": 1, "label": {"name": "cat"}}},
    ),
    "create_schema": Case(
        routes.create_schema(P, "s"),
        "POST",
        f"{V1}/labels-schema/new",
        {"name": "s"},
        {"id": 2, "name": "s", "archived": False},
    ),
    "explore_files": recorded(
        routes.explore_files("probe-loop", 620, page=2, limit=100), "loop_explorer_page"
    ),
    "find_dataset": Case(
        routes.find_dataset(P, "night"),
        "POST",
        f"{V1}/directory/list",
        {"limit": 1000, "nickname": "night"},
        {"directory_list": [DATASET], "log": LOG},
    ),
    "health": Case(routes.health(), "GET", "/api/status", None, True),
    "launch_job": recorded(routes.launch_job("probe-loop", 2), "loop_job_launch"),
    "list_annotations": recorded(routes.list_annotations(P, 240), "probe_all_types_annotations"),
    "list_attributes": Case(
        routes.list_attributes(P, 2),
        "POST",
        f"{V1}/attribute/template/list",
        {"mode": "from_project", "schema_id": 2},
        {"attribute_group_list": [GROUP], "log": LOG},
    ),
    "list_children": Case(
        routes.list_children(P, 6, with_instances=True),
        "GET",
        f"{V1}/file/6/child-files",
        None,
        {"child_files": [FILE], "log": LOG},
        {"with_instances": "True"},
    ),
    "list_connections": Case(
        routes.list_connections(P),
        "GET",
        f"/api/project/{P}/connections",
        None,
        {"connection_list": [{"id": 1, "name": "s3", "integration_name": "amazon_aws"}], "log": LOG},
    ),
    "list_datasets": recorded(routes.list_datasets(P, limit=10), "directory_list"),
    "list_events": recorded(
        routes.list_events("probe-loop", kind="task_completed", limit=3), "loop_event_list"
    ),
    "list_files": Case(
        routes.list_files(P, 2, search_term="night", limit=10),
        "POST",
        f"/api/project/{P}/user/any/file/list",
        listing("base", limit=10, search_term="night"),
        {"file_list": [FILE], "metadata": PAGE},
    ),
    "list_frame_instances": Case(
        routes.list_frame_instances(P, 9, 2, 0, 60),
        "POST",
        f"/api/project/{P}/video/9/instance/buffer/start/0/end/60/list",
        {"directory_id": 2},
        {"instance_buffer_dict": {"0": [{"id": 1}], "1": []}, "success": True},
    ),
    "list_inputs": Case(
        routes.list_inputs(
            P,
            batch_id=4,
            status="Failed",
            show_deferred=False,
        ),
        "POST",
        f"{WALRUS}/input/view/list",
        {
            "limit": 1000,
            "status_filter": "Failed",
            "show_archived": False,
            "batch_id": 4,
            "show_deferred": False,
        },
        {"input_list": [INPUT], "success": True},
    ),
    "list_job_tasks": Case(
        routes.list_job_tasks(P, 1, status="complete", page=2),
        "POST",
        "/api/v1/job/1/task/list",
        {"mode_data": "list", "page_number": 2, "limit_count": 100, "job_id": 1, "status": "complete"},
        TASKS,
    ),
    "list_jobs": Case(
        routes.list_jobs(P, job_ids=[1], search="review"),
        "POST",
        "/api/v1/job/list",
        {
            "metadata": {
                "project_string_id": P,
                "page_number": 1,
                "data_mode": "with_tags",
                "job_ids": [1],
                "search": "review",
            }
        },
        {"Job_list": [{"id": 1, "name": "review"}], "metadata": {"total_job_number": 1}, "log": LOG},
    ),
    "list_labels": recorded(routes.list_labels(P, 1), "labels_list"),
    "list_model_runs": Case(
        routes.list_model_runs(P, [1]),
        "POST",
        f"{V1}/model-runs/list",
        {"id_list": [1]},
        {"model_run_list": [{"id": 1}]},
    ),
    "list_rows": Case(
        routes.list_rows(P, batch_id=4, parent_file_id=6, status="Processing", show_deferred=False, limit=5),
        "POST",
        f"{WALRUS}/input/view/list",
        {
            "limit": 5,
            "status_filter": "Processing",
            "show_archived": False,
            "batch_id": 4,
            "parent_file_id": 6,
            "show_deferred": False,
        },
        {"input_list": [INPUT], "success": True},
    ),
    "list_schemas": recorded(routes.list_schemas(P), "labels_schema_list"),
    "list_task_states": Case(
        routes.list_task_states(P, 8),
        "POST",
        "/api/v1/job/8/task/list",
        {"mode_data": "exam_results", "page_number": 0, "limit_count": 100_000, "job_id": 8},
        recording("loop_task_list_exam_results").answer,
    ),
    "list_tasks": Case(
        routes.list_tasks(P, file_id=5),
        "POST",
        f"{V1}/task/list",
        {"mode_data": "list", "page_number": 0, "limit_count": 100, "file_id": 5},
        TASKS | {"total_count": 1},
    ),
    "probe_write": Case(routes.probe_write(P), "POST", f"{WALRUS}/input/packet", {}, {"log": LOG}),
    "send_packet": recorded(
        routes.send_packet(P, recording("packet_from_url_box").sent, "cat-1.jpg"), "packet_from_url_box"
    ),
    "update_annotations": recorded(
        routes.update_annotations(
            "probe-fast", 609, recording("fast_annotation_update_basic").sent["instance_list"]
        ),
        "fast_annotation_update_basic",
    ),
    "update_attribute_group": Case(
        routes.update_attribute_group(
            P, 1, name="Colour", prompt="Which?", kind="slider", label_file_ids=[1], min_value=0, max_value=9
        ),
        "POST",
        f"{V1}/attribute/group/update",
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
        {"log": LOG},
    ),
    "update_inputs": recorded(routes.update_inputs(P, [36], "RETRY"), "input_update_RETRY"),
    "update_metadata": Case(
        routes.update_metadata(P, 5, ordinal=2),
        "PUT",
        f"{V1}/file/5/update-metadata",
        {"ordinal": 2},
        {"file": FILE, "log": LOG},
    ),
    "upload_large": Case(
        routes.upload_large(
            P,
            medium(12 * MIB, "v.mp4"),
            directory_id=2,
            upload_id="u-1",
            chunk_size=5 * MIB,
            batch_id=4,
            video_split_duration=0,
        )[1],
        "POST",
        f"/api/walrus/project/{P}/upload/large",
        None,
        {"success": True},
    ),
    "upload_local": Case(
        routes.upload_local(P, medium(), {"directory_id": 2}),
        "POST",
        f"{WALRUS}/input/from_local",
        None,
        {"file": {"id": 5, "hash": "h"}, "input": INPUT, "log": LOG},
    ),
    "view_file": recorded(routes.view_file(P, 5), "file_view"),
    "view_history": recorded(routes.view_history("probe-loop", 399), "loop_instance_history_deleted"),
    "view_input": recorded(routes.view_input(P, 1), "input_view_final"),
    "view_row": Case(
        routes.view_row(P, 7), "POST", f"{WALRUS}/input/view/7", {}, {"input": INPUT, "success": True}
    ),
}

EVERY: dict[str, tuple[Request[Any], Any]] = {
    name: (case.request, case.answer) for name, case in CASES.items()
}
"""Route -> one request of it, and a good answer."""
