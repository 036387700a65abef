"""One function per endpoint: arguments in, a request out, and how to read its answer. No I/O.

Paths are spelled exactly as the server serves them; the version segment is placed inconsistently there
(wire contract 1.1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from ..models.received import (
    AttributeGroup,
    Dataset,
    File,
    FilePage,
    Input,
    InputBatch,
    Label,
    LabelList,
    LabelSchema,
    ModelRun,
    PacketReply,
    StorageConnection,
    UploadReply,
)
from .request import Request, Upload

T = TypeVar("T")

PAGE = 1000
"""Most rows of a listing (quirk 13)."""

StatusFilter = Literal["All", "Success", "Failed", "Processing", "Base_Object_Created", "Init"]


def _items(model: type[T], key: str | None) -> Callable[[Any], list[T]]:
    adapter = TypeAdapter(list[model])  # type: ignore[valid-type]  # a model given at run time
    return lambda body: adapter.validate_python(body if key is None else body[key])


def _item(model: type[T], key: str) -> Callable[[Any], T]:
    adapter = TypeAdapter(model)
    return lambda body: adapter.validate_python(body[key])


def _path(template: str, project: str) -> str:
    return template.format(p=quote(project, safe=""))


# Labels and attributes


def list_schemas(project: str) -> Request[list[LabelSchema]]:
    """List label schemas. The cheapest proof of address, project and credential (wire contract 1.2)."""
    path = _path("/api/v1/project/{p}/labels-schema", project)
    return Request("list label schemas", "GET", path, _items(LabelSchema, None))


def list_labels(project: str, schema_id: int) -> Request[LabelList]:
    """List the labels of a schema, and the ids of all labels of the project (2.1)."""
    path = _path("/api/project/{p}/labels", project)
    return Request(
        f"list labels of schema {schema_id}",
        "GET",
        path,
        LabelList.model_validate,
        params={"schema_id": schema_id},
    )


def create_label(project: str, name: str, schema_id: int) -> Request[Label]:
    """Create a label (2.1). Names are not unique: look first."""
    path = _path("/api/v1/project/{p}/label/new", project)
    body = {"name": name, "schema_id": schema_id}
    return Request(f"create label {name!r}", "POST", path, _item(Label, "label"), json=body, write=True)


def list_attributes(project: str) -> Request[list[AttributeGroup]]:
    """List the attribute groups of all schemas, with their options (2.2)."""
    path = _path("/api/v1/project/{p}/attribute/template/list", project)
    body = {"mode": "from_project"}
    return Request("list attributes", "POST", path, _items(AttributeGroup, "attribute_group_list"), json=body)


def list_connections(project: str) -> Request[list[StorageConnection]]:
    """List the project's connections to cloud storage (2.15)."""
    path = _path("/api/project/{p}/connections", project)
    return Request("list connections", "GET", path, _items(StorageConnection, "connection_list"))


# Datasets


def list_datasets(project: str, nickname: str | None = None, limit: int = PAGE) -> Request[list[Dataset]]:
    """List datasets whose name contains ``nickname`` (2.3)."""
    path = _path("/api/v1/project/{p}/directory/list", project)
    body: dict[str, Any] = {"limit": limit}
    if nickname is not None:
        body["nickname"] = nickname
    return Request("list datasets", "POST", path, _items(Dataset, "directory_list"), json=body)


def create_dataset(project: str, nickname: str) -> Request[Dataset]:
    """Create a dataset open to the whole project (2.3)."""
    path = _path("/api/v1/project/{p}/directory/new", project)
    body = {"nickname": nickname, "access_type": "project"}
    return Request(
        f"create dataset {nickname!r}", "POST", path, _item(Dataset, "new_directory"), json=body, write=True
    )


# Files


def create_compound(
    project: str, directory_id: int, name: str, file_type: str, instances: Sequence[dict[str, Any]]
) -> Request[File]:
    """Create the parent of a compound file (2.4)."""
    path = _path("/api/v1/project/{p}/file/new-compound", project)
    body = {"name": name, "directory_id": directory_id, "type": file_type, "instance_list": list(instances)}
    return Request(f"create compound file {name!r}", "POST", path, _item(File, "file"), json=body, write=True)


def list_children(project: str, parent_file_id: int) -> Request[list[File]]:
    """List the living children of a compound file, in no order (2.5)."""
    path = _path("/api/v1/project/{p}/file/" + str(parent_file_id) + "/child-files", project)
    return Request(f"list children of file {parent_file_id}", "GET", path, _items(File, "child_files"))


def view_file(project: str, file_id: int) -> Request[File]:
    """Read a file, a removed one too (2.6)."""
    body = {"file_id": file_id, "project_string_id": project}
    return Request(f"view file {file_id}", "POST", "/api/v1/file/view", _item(File, "file"), json=body)


def list_annotations(project: str, file_id: int) -> Request[File]:
    """Read a file with its living instances: the proof that predictions are stored (2.6)."""
    path = _path("/api/project/{p}/file/" + str(file_id) + "/annotation/list", project)
    return Request(
        f"list annotations of file {file_id}", "POST", path, _item(File, "file_serialized"), json={}
    )


def list_files(
    project: str, directory_id: int, *, page: int = 1, search_term: str | None = None
) -> Request[FilePage]:
    """List root files of a dataset, newest first, with their instance counters (2.6)."""
    path = _path("/api/project/{p}/user/any/file/list", project)
    metadata: dict[str, Any] = {
        "directory_id": directory_id,
        "file_view_mode": "base",
        "limit": PAGE,
        "page": page,
        "regen_url": False,
    }
    if search_term is not None:
        metadata["search_term"] = search_term
    return Request(
        f"list files of dataset {directory_id}",
        "POST",
        path,
        FilePage.model_validate,
        json={"metadata": metadata},
    )


# Inputs


def send_packet(project: str, body: dict[str, Any], name: str) -> Request[PacketReply]:
    """Enqueue one packet (2.7)."""
    path = _path("/api/walrus/v1/project/{p}/input/packet", project)
    return Request(
        f"send packet {name}", "POST", path, PacketReply.model_validate, json=body, write=True, limited=True
    )


def probe_write(project: str) -> Request[Any]:
    """An empty packet, which is always refused: by 403 if the role may not write, else by 400 (1.2)."""
    path = _path("/api/walrus/v1/project/{p}/input/packet", project)
    return Request("prove write permission", "POST", path, lambda body: body, json={}, limited=True)


def upload_local(project: str, upload: Upload, body: dict[str, Any]) -> Request[UploadReply]:
    """Upload one file with its instances; ingested before the answer (2.8)."""
    path = _path("/api/walrus/v1/project/{p}/input/from_local", project)
    form = {"json": json.dumps(body, allow_nan=False)}
    sent = Upload(filename=upload.filename, size=upload.size, open=upload.open, form=form)
    return Request(
        f"upload {upload.filename!r}", "POST", path, UploadReply.model_validate, upload=sent, write=True
    )


def create_batch(project: str) -> Request[InputBatch]:
    """Open an input batch (2.10). One more does no harm, so it may be sent again."""
    path = _path("/api/v1/project/{p}/input-batch/new", project)
    return Request("open an input batch", "POST", path, _item(InputBatch, "input_batch"), json={})


def list_inputs(
    project: str,
    *,
    batch_id: int | None = None,
    parent_file_id: int | None = None,
    file_id: int | None = None,
    status: StatusFilter = "All",
    media_type: str | None = None,
    show_archived: bool = False,
    limit: int = PAGE,
) -> Request[list[Input]]:
    """List inputs, newest first, at most 1000 (2.12). Children appear only under their parent (quirk 12)."""
    path = _path("/api/walrus/v1/project/{p}/input/view/list", project)
    body: dict[str, Any] = {"limit": limit, "status_filter": status, "show_archived": show_archived}
    filters = {
        "batch_id": batch_id,
        "parent_file_id": parent_file_id,
        "file_id": file_id,
        "media_type": media_type,
    }
    body.update({key: value for key, value in filters.items() if value is not None})
    return Request("list inputs", "POST", path, _items(Input, "input_list"), json=body)


def view_input(project: str, input_id: int) -> Request[Input]:
    """Read one input (2.11)."""
    path = _path("/api/walrus/v1/project/{p}/input/view/" + str(input_id), project)
    return Request(f"view input {input_id}", "POST", path, _item(Input, "input"), json={})


def update_inputs(project: str, input_ids: Sequence[int], mode: Literal["RETRY", "ARCHIVE"]) -> Request[Any]:
    """Retry or archive inputs (2.14)."""
    path = _path("/api/walrus/v1/project/{p}/input/update", project)
    body = {"id_list": list(input_ids), "mode": mode}
    return Request(
        f"{mode.lower()} inputs {list(input_ids)}", "POST", path, lambda answer: answer, json=body, write=True
    )


def list_model_runs(project: str) -> Request[list[ModelRun]]:
    """List the model runs of the project (2.18)."""
    path = _path("/api/v1/project/{p}/model-runs/list", project)
    return Request("list model runs", "POST", path, _items(ModelRun, "model_run_list"), json={})
