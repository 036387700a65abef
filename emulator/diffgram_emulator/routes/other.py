"""Health, connections, model runs, and what is for people only."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..auth import PUBLIC, READERS, WRITERS, human_only
from ..call import Call, endpoint
from ..errors import log
from ..model_runs import model_run_fields
from ..times import rfc1123
from ..validation import Field


@endpoint("GET", "/api/status", None)
@endpoint("GET", "/api/walrus/status", None)
def health(call: Call) -> Any:
    """Tell that the service is there (server.md 1.1)."""
    return True


def _connection_fields(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "account_email": None,
        "archived": bool(row["archived"]),
        "aws_region": row["region"] or "us-east-1",
        "aws_v4_signature": True,
        "disabled_ssl_verify": False,
        "exists_private_secret": row["private_secret"] is not None,
        "id": row["id"],
        "integration_name": row["integration_name"],
        "integration_version": 1,
        "member_created_id": None,
        "member_updated": None,
        "name": row["name"],
        "permission_scope": "project",
        "private_host": row["private_host"],
        "private_id": row["private_id"],
        "project_id": row["project_id"],
        "project_id_external": None,
        "supported_features": {"files_export": True, "files_import": True},
        "time_created": rfc1123(row["time_created"]),
        "time_updated": None,
        "url_signer_service": None,
    }


@endpoint("GET", "/api/project/{project}/connections", READERS)
def connections(call: Call) -> Any:
    """List live storage connections (server.md 2.15)."""
    rows = call.store.all(
        "SELECT * FROM connection WHERE project_id = ? AND archived = 0 ORDER BY id", call.project.id
    )
    return {"connection_list": [_connection_fields(row) for row in rows], "log": log()}


@endpoint("POST", "/api/v1/project/{project}/model-runs/list", (*WRITERS, PUBLIC))
def model_runs(call: Call) -> Any:
    """List model runs (server.md 2.18); other filters are taken and ignored."""
    values = call.fields(Field("id_list", "list", empty=True), Field("starts"), Field("ends"))
    rows = call.store.all(
        "SELECT * FROM model_run WHERE project_id = ? AND created_time >= ? AND created_time <= ?"
        " ORDER BY id",
        call.project.id,
        str(values["starts"] or ""),
        str(values["ends"] or "9999"),
    )
    wanted = values["id_list"]
    return {"model_run_list": [model_run_fields(row) for row in rows if not wanted or row["id"] in wanted]}


@endpoint("POST", "/api/v1/project/{project}/connection/save", None)
@endpoint("POST", "/api/v1/project/{project}/connection/info/{connection}", None)
@endpoint("GET", "/api/v1/project/{project}/connection/info/{connection}", None)
@endpoint("POST", "/api/walrus/v1/project/{project}/connection/test", None)
def for_people(call: Call) -> Any:
    """Refuse Basic credentials: only logged-in people may (server.md 1.2)."""
    raise human_only()
