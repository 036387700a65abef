"""A process that makes a compound file, or sends a large file, as a task does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.ingest.read.children import children_of
from airflow_provider_diffgram.ingest.send.compound import create_compound_file, upload_children
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.models import CompoundFile

from .work import BOX, main


def _children(told: Mapping[str, Any]) -> None:
    children = [
        {"media": {"path": path}, "ordinal": ordinal, "instance_list": [{**BOX, "label": "cat"}]}
        | {"original_filename": path.rpartition("/")[2]}
        for ordinal, path in enumerate(told["paths"])
    ]
    with _client(told) as client:
        parent = create_compound_file(client, CompoundFile(name="scan"), dataset=told["dataset"])
        upload_children(client, parent.file_id, children_of(children), dataset=told["dataset"])


def _large(told: Mapping[str, Any]) -> None:
    packets = [
        {"media": {"path": path}, "original_filename": path.rpartition("/")[2]} for path in told["paths"]
    ]
    with _client(told) as client:
        push(client, packets, dataset=told["dataset"])


def _client(told: Mapping[str, Any]) -> DiffgramClient:
    return DiffgramClient(Settings(told["host"], told["project"], told["client_id"], told["client_secret"]))


if __name__ == "__main__":
    main({"children": _children, "large": _large})
