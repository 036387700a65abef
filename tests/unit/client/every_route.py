"""One request of every route, and what the server answers to it when all is well (server.md 2)."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.request import Request, Upload

P = "demo-project"
MIB = 2**20


def medium(size: int = 3, name: str = "a.png") -> Upload:
    return Upload(name, size, lambda: io.BytesIO(b"x" * size))


INPUT = {"id": 7, "status": "success", "file_id": 5, "instance_list": {"list": [{"type": "box"}]}}
FILE = {"id": 5, "type": "image", "original_filename": "a.png", "state": "added"}
BATCH = {"id": 4, "status": "pending", "download_status_pre_labeled_data": None}
EXPORT = {"id": 1, "status": "init", "percent_complete": 0.0, "directory": {"id": 2, "nickname": "d"}}
DATASET = {"id": 2, "directory_id": 2, "nickname": "night"}
LOG = {"error": {}, "info": {}, "success": True}
TASKS = {"task_list": [{"id": 1, "status": "complete", "time_completed": "None"}], "log": LOG}
GROUP = {"id": 1, "name": None, "kind": None, "attribute_template_list": []}
OPTION = {"id": 3, "name": "red", "group_id": 1, "parent_id": None}
PAGE = {"next_page": None, "page": 1, "total_pages": 1, "file_count": 1}

EVERY: dict[str, tuple[Request[Any], Any]] = {
    "append_data": (
        routes.append_data(P, 4, {"a.png": {"instance_list": [], "frame_packet_map": None}})[0],
        {"input_batch": "http://storage.test/x?signature=1"},
    ),
    "archive_export": (routes.archive_export(P, 1), {"log": LOG}),
    "compound_status": (routes.compound_status(P, 6), {"status": "success"}),
    "create_attribute_group": (
        routes.create_attribute_group(P, 1),
        {"attribute_template_group": GROUP, "log": LOG},
    ),
    "create_attribute_option": (
        routes.create_attribute_option(P, 1, "red", 2),
        {"attribute_template": OPTION, "log": LOG},
    ),
    "create_batch": (routes.create_batch(P, {"a.png": {"instance_list": []}}), {"input_batch": BATCH}),
    "create_compound": (routes.create_compound(P, 2, "c", "compound", []), {"file": FILE, "log": LOG}),
    "create_dataset": (routes.create_dataset(P, "night"), {"new_directory": DATASET, "log": LOG}),
    "create_label": (routes.create_label(P, "cat", 1), {"label": {"id": 1, "label": {"name": "cat"}}}),
    "create_schema": (routes.create_schema(P, "s"), {"id": 2, "name": "s", "archived": False}),
    "explore_files": (
        routes.explore_files(P, 12, where="labels.cat >= 4"),
        {"file_list": [FILE], "metadata": PAGE},
    ),
    "file_stats": (
        routes.file_stats(P, 5),
        {"file_stats": [{"file_id": 5, "label_file_id": 1, "count_instances": 4}], "log": LOG},
    ),
    "files_exist": (
        routes.files_exist(P, ["nope.jpg", 99999], 2),
        {"result": {"exists": False, "missing_files": ["nope.jpg", 99999]}},
    ),
    "find_dataset": (routes.find_dataset(P, "night"), {"directory_list": [DATASET], "log": LOG}),
    "health": (routes.health(), True),
    "link_export": (routes.link_export(P, 1), "http://storage.test/e.json?signature=1"),
    "list_annotations": (routes.list_annotations(P, 5), {"file_serialized": FILE, "success": True}),
    "list_attributes": (routes.list_attributes(P, 2), {"attribute_group_list": [GROUP], "log": LOG}),
    "list_children": (routes.list_children(P, 6, with_instances=True), {"child_files": [FILE], "log": LOG}),
    "list_connections": (
        routes.list_connections(P),
        {"connection_list": [{"id": 1, "name": "s3", "integration_name": "amazon_aws"}], "log": LOG},
    ),
    "list_datasets": (routes.list_datasets(P, "nig"), {"directory_list": [DATASET], "log": LOG}),
    "list_exports": (routes.list_exports(P), {"export_list": [EXPORT], "success": True}),
    "list_file_ids": (
        routes.list_file_ids(P, 2, search_term="a"),
        {"file_list": [5, 4], "metadata": PAGE | {"next_page": 2}},
    ),
    "list_files": (
        routes.list_files(P, 2, media_type="image", with_children=True, limit=10),
        {"file_list": [FILE], "metadata": PAGE},
    ),
    "list_frame_instances": (
        routes.list_frame_instances(P, 9, 2, 0, 60),
        {"instance_buffer_dict": {"0": [{"id": 1}], "1": []}, "success": True},
    ),
    "list_frame_urls": (
        routes.list_frame_urls(P, 9, [0, 5]),
        {"url_list": [{"frame_number": 0, "url": "http://storage.test/f?signature=1"}]},
    ),
    "list_inputs": (
        routes.list_inputs(
            P,
            batch_id=4,
            task_id=3,
            status="Failed",
            date_from=date(2026, 11, 1),
            date_to=date(2026, 11, 22),
            show_deferred=False,
            has_attached_instances=True,
        ),
        {"input_list": [INPUT], "success": True},
    ),
    "list_job_tasks": (routes.list_job_tasks(P, 1, status="complete", page=2), TASKS),
    "list_jobs": (
        routes.list_jobs(P, job_ids=[1], status="active", search="review"),
        {"Job_list": [{"id": 1, "name": "review"}], "metadata": {"total_job_number": 1}, "log": LOG},
    ),
    "list_labels": (routes.list_labels(P, 1), {"labels_out": [], "label_file_colour_map": {"1": {}}}),
    "list_model_runs": (routes.list_model_runs(P, [1]), {"model_run_list": [{"id": 1}]}),
    "list_rows": (
        routes.list_rows(P, batch_id=4, parent_file_id=6, status="Processing", show_deferred=False, limit=5),
        {"input_list": [INPUT], "success": True},
    ),
    "list_schemas": (routes.list_schemas(P), [{"id": 1, "name": "Default Schema"}]),
    "list_tasks": (routes.list_tasks(P, file_id=5), TASKS | {"total_count": 1}),
    "list_tracks": (
        routes.list_tracks(P, 9),
        {
            "sequence_list": [
                {"id": 7, "number": 1, "keyframe_list": {"frame_number_list": [0, 5]}, "label_file_id": None}
            ]
        },
    ),
    "name_to_file_id": (routes.name_to_file_id(P, 1), {"name_to_file_id": {"cat": 1}, "log": LOG}),
    "probe_write": (routes.probe_write(P), {"log": LOG}),
    "read_export": (
        routes.read_export(P, 1),
        {"readme": "", "label_map": {"1": "cat"}, "5": {"file": FILE, "instance_list": []}},
    ),
    "send_packet": (routes.send_packet(P, {"directory_id": 2}, "a.png"), {"input_id": None, "log": LOG}),
    "start_export": (
        routes.start_export(P, "directory", 2, only_complete=True),
        {"export": EXPORT, "success": True},
    ),
    "update_attribute_group": (
        routes.update_attribute_group(
            P, 1, name="Colour", prompt="Which?", kind="slider", label_file_ids=[1], min_value=0, max_value=9
        ),
        {"log": LOG},
    ),
    "update_inputs": (routes.update_inputs(P, [7], "RETRY"), {"log": LOG}),
    "update_metadata": (routes.update_metadata(P, 5, ordinal=2), {"file": FILE, "log": LOG}),
    "upload_large": (
        routes.upload_large(
            P,
            medium(12 * MIB, "v.mp4"),
            directory_id=2,
            upload_id="u-1",
            chunk_size=5 * MIB,
            batch_id=4,
            data_key="k",
            job_id=8,
            video_split_duration=0,
        )[1],
        {"success": True},
    ),
    "upload_local": (
        routes.upload_local(P, medium(), {"directory_id": 2}),
        {"file": {"id": 5, "hash": "h"}, "input": INPUT, "log": LOG},
    ),
    "view_batch": (routes.view_batch(P, 4), {"input_batch": BATCH}),
    "view_export": (routes.view_export(P, 1), {"export": EXPORT | {"status": "complete"}, "success": True}),
    "view_file": (routes.view_file(P, 5), {"file": FILE, "label_dict": {}, "log": LOG}),
    "view_input": (routes.view_input(P, 7), {"input": INPUT, "success": True}),
    "view_job": (routes.view_job(P, 1, refresh=True), {"job": {"id": 1, "status": "active"}}),
    "view_row": (routes.view_row(P, 7), {"input": INPUT, "success": True}),
    "view_working_dir": (routes.view_working_dir(P, "night"), {"working_dir": DATASET, "success": True}),
}
