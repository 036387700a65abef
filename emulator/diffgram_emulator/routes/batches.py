"""Input batches (server.md 2.10)."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from ..auth import WRITERS
from ..batches import batch_fields
from ..call import Call, endpoint
from ..errors import ServerCrash, bad_request
from ..signing import BUCKET, signed_url
from ..store import Store, insert, to_json, update
from ..times import now_iso
from ..validation import Field, database_id


@endpoint("POST", "/api/v1/project/{project}/input-batch/new", WRITERS)
def new_batch(call: Call) -> Any:
    """Create a batch, with or without pre-labeled data."""
    values = call.fields(Field("pre_labeled_data"))
    with call.store.write() as connection:
        batch_id = insert(
            connection,
            "batch",
            project_id=call.project.id,
            member_id=call.member_id,
            time_created=now_iso(),
            pre_labeled_data=to_json(values["pre_labeled_data"]),
        )
    return {"input_batch": _shown(call.store, batch_id)}


def _shown(store: Store, batch_id: int) -> dict[str, Any]:
    row = store.one("SELECT * FROM batch WHERE id = ?", batch_id)
    if row is None:
        raise ServerCrash("'NoneType' object has no attribute 'serialize'")
    return batch_fields(row)


@endpoint("POST", "/api/v1/project/{project}/input-batch/{batch}", WRITERS)
def batch_detail(call: Call) -> Any:
    """Return a batch of any project."""
    call.json()
    return {"input_batch": _shown(call.store, database_id(call.params["batch"]))}


@endpoint("POST", "/api/v1/project/{project}/input-batch/{batch}/append-data", WRITERS)
def append_data(call: Call) -> Any:
    """Take a slice of the JSON document of pre-labeled data; it is read in the background."""
    batch_id = database_id(call.params["batch"])
    span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", call.headers.get("content-range", ""))
    if span is None or "content-range-index" not in call.headers:
        raise ServerCrash("'NoneType' object has no attribute 'split'")
    _shown(call.store, batch_id)
    parts = call.parts()
    if "file" not in parts:
        raise bad_request({"binary_file": "No binary file in request"})
    blob_path = f"/batches/{batch_id}_batch_payload.json"
    target = call.store.media / blob_path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    start, end, size = (int(one) for one in span.groups())
    with target.open("r+b" if start else "wb") as document:
        document.seek(start)
        document.write(parts["file"].content)
    if end != size - 1:
        return {"input_batch": None}
    with call.store.write() as connection:
        update(connection, "batch", batch_id, download_status="pending")
    threading.Thread(target=_load, args=(call.store, batch_id, target.read_bytes()), daemon=True).start()
    return {"input_batch": signed_url(call.store.signing_key, call.base_url, BUCKET, blob_path)}


def _load(store: Store, batch_id: int, content: bytes) -> None:
    try:
        data = json.loads(content)
        values = {"download_status": "success", "pre_labeled_data": json.dumps(data)}
    except ValueError as error:
        values = {"download_status": "failed", "download_log": str(error)}
    with store.write() as connection:
        update(connection, "batch", batch_id, time_updated=now_iso(), **values)
