"""Health, connections, model runs, and what is for people only or not emulated."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..auth import WRITERS, human_only
from ..call import Call, endpoint
from ..errors import Refusal, Reply, log
from ..model_runs import model_run_fields
from ..times import rfc1123
from ..validation import Field


@endpoint("GET", "/api/status", None)
@endpoint("GET", "/api/walrus/status", None)
def health(call: Call) -> Any:
    """Tell that the service is there (wire contract, 1.1)."""
    return True


def _connection_fields(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "account_email": None,
        "archived": bool(row["archived"]),
        "aws_region": "us-east-1",
        "aws_v4_signature": True,
        "disabled_ssl_verify": False,
        "exists_private_secret": True,
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


@endpoint("GET", "/api/project/{project}/connections")
def connections(call: Call) -> Any:
    """List live storage connections (wire contract, 2.15)."""
    rows = call.store.all(
        "SELECT * FROM connection WHERE project_id = ? AND archived = 0 ORDER BY id", call.project.id
    )
    return {"connection_list": [_connection_fields(row) for row in rows], "log": log()}


@endpoint("POST", "/api/v1/project/{project}/model-runs/list", WRITERS)
def model_runs(call: Call) -> Any:
    """List model runs (wire contract, 2.18)."""
    values = call.fields(Field("id_list", "list", empty=True), Field("starts"), Field("ends"))
    rows = call.store.all("SELECT * FROM model_run WHERE project_id = ? ORDER BY id", call.project.id)
    wanted = values["id_list"]
    return {"model_run_list": [model_run_fields(row) for row in rows if not wanted or row["id"] in wanted]}


@endpoint("POST", "/api/v1/project/{project}/connection/save", None)
@endpoint("POST", "/api/v1/task", None)
@endpoint("POST", "/api/v1/task/update", None)
def for_people(call: Call) -> Any:
    """Refuse Basic credentials: only logged-in people may (wire contract, 1.2)."""
    raise human_only()


@endpoint("POST", "/api/walrus/project/{project}/export/to_file", WRITERS)
@endpoint("GET", "/api/walrus/project/{project}/export/{export}/status", WRITERS)
@endpoint("POST", "/api/walrus/project/{project}/export/link")
@endpoint("GET", "/api/walrus/project/{project}/export/working_dir/list")
@endpoint("POST", "/api/v1/job/list", None)
@endpoint("POST", "/api/v1/job/{job}/task/list", None)
@endpoint("POST", "/api/v1/project/{project}/task/list")
@endpoint("POST", "/api/v1/project/{project}/job/new", WRITERS)
def not_emulated(call: Call) -> Any:
    """Say that the real server has this and the emulator has not."""
    raise Refusal(Reply({"error": f"The emulator does not have {call.path} yet."}, 501))
