"""One function per endpoint: arguments in, a request out, and how to read its answer. No I/O.

Paths are spelled exactly as the server serves them; the version segment is placed inconsistently there
(server.md 1.1).
"""

from ..request import Request
from .batches import DATA_CHUNK, append_data, create_batch, view_batch
from .common import PAGE
from .datasets import create_dataset, find_dataset, list_datasets, view_working_dir
from .exports import archive_export, link_export, list_exports, read_export, start_export, view_export
from .files import (
    IDS_PAGE,
    create_compound,
    explore_files,
    file_stats,
    files_exist,
    list_annotations,
    list_children,
    list_file_ids,
    list_files,
    update_metadata,
    view_file,
)
from .inputs import (
    StatusFilter,
    compound_status,
    list_inputs,
    list_rows,
    probe_write,
    send_packet,
    update_inputs,
    view_input,
    view_row,
)
from .jobs import JobStatus, list_job_tasks, list_jobs, list_tasks, view_job
from .labels import (
    AttributeKind,
    create_attribute_group,
    create_attribute_option,
    create_label,
    create_schema,
    list_attributes,
    list_labels,
    list_schemas,
    name_to_file_id,
    update_attribute_group,
)
from .other import health, list_connections, list_model_runs
from .uploads import MAX_CHUNK, MAX_LARGE_UPLOAD, MIN_CHUNK, upload_large, upload_local
from .videos import MAX_BUFFER, MAX_FRAME_URLS, list_frame_instances, list_frame_urls, list_tracks

__all__ = [
    "DATA_CHUNK",
    "IDS_PAGE",
    "MAX_BUFFER",
    "MAX_CHUNK",
    "MAX_FRAME_URLS",
    "MAX_LARGE_UPLOAD",
    "MIN_CHUNK",
    "PAGE",
    "AttributeKind",
    "JobStatus",
    "Request",
    "StatusFilter",
    "append_data",
    "archive_export",
    "compound_status",
    "create_attribute_group",
    "create_attribute_option",
    "create_batch",
    "create_compound",
    "create_dataset",
    "create_label",
    "create_schema",
    "explore_files",
    "file_stats",
    "files_exist",
    "find_dataset",
    "health",
    "link_export",
    "list_annotations",
    "list_attributes",
    "list_children",
    "list_connections",
    "list_datasets",
    "list_exports",
    "list_file_ids",
    "list_files",
    "list_frame_instances",
    "list_frame_urls",
    "list_inputs",
    "list_job_tasks",
    "list_jobs",
    "list_labels",
    "list_model_runs",
    "list_rows",
    "list_schemas",
    "list_tasks",
    "list_tracks",
    "name_to_file_id",
    "probe_write",
    "read_export",
    "send_packet",
    "start_export",
    "update_attribute_group",
    "update_inputs",
    "update_metadata",
    "upload_large",
    "upload_local",
    "view_batch",
    "view_export",
    "view_file",
    "view_input",
    "view_job",
    "view_row",
    "view_working_dir",
]
