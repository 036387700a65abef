"""One function per endpoint: it returns a request, and how to read its answer. No I/O.

Paths are exactly those of the server, which places the version segment inconsistently (server.md 1.1).
"""

from ..request import Request
from .annotations import list_annotations, update_annotations, view_history
from .common import PAGE
from .datasets import create_dataset, find_dataset, list_datasets
from .files import (
    create_compound,
    explore_files,
    list_children,
    list_files,
    update_metadata,
    view_file,
)
from .inputs import (
    StatusFilter,
    create_batch,
    list_inputs,
    list_rows,
    probe_write,
    send_packet,
    update_inputs,
    view_input,
    view_row,
)
from .jobs import (
    ALL_TASKS,
    add_files,
    create_job,
    launch_job,
    list_job_tasks,
    list_jobs,
    list_task_states,
    list_tasks,
)
from .labels import (
    AttributeKind,
    create_attribute_group,
    create_attribute_option,
    create_label,
    create_schema,
    list_attributes,
    list_labels,
    list_schemas,
    update_attribute_group,
)
from .project import health, list_connections, list_events, list_model_runs
from .uploads import (
    MAX_CHUNK,
    MAX_LARGE_UPLOAD,
    MIN_CHUNK,
    upload_large,
    upload_local,
)
from .videos import (
    MAX_BUFFER,
    list_frame_instances,
)

__all__ = [
    "ALL_TASKS",
    "MAX_BUFFER",
    "MAX_CHUNK",
    "MAX_LARGE_UPLOAD",
    "MIN_CHUNK",
    "PAGE",
    "AttributeKind",
    "Request",
    "StatusFilter",
    "add_files",
    "create_attribute_group",
    "create_attribute_option",
    "create_batch",
    "create_compound",
    "create_dataset",
    "create_job",
    "create_label",
    "create_schema",
    "explore_files",
    "find_dataset",
    "health",
    "launch_job",
    "list_annotations",
    "list_attributes",
    "list_children",
    "list_connections",
    "list_datasets",
    "list_events",
    "list_files",
    "list_frame_instances",
    "list_inputs",
    "list_job_tasks",
    "list_jobs",
    "list_labels",
    "list_model_runs",
    "list_rows",
    "list_schemas",
    "list_task_states",
    "list_tasks",
    "probe_write",
    "send_packet",
    "update_annotations",
    "update_attribute_group",
    "update_inputs",
    "update_metadata",
    "upload_large",
    "upload_local",
    "view_file",
    "view_history",
    "view_input",
    "view_row",
]
