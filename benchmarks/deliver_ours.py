"""A process that pushes as a task does, and waits until all is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.watch.wait import wait

from .work import main

_POLL_INTERVAL = 1.0


def _push(told: Mapping[str, Any]) -> None:
    settings = Settings(told["host"], told["project"], told["client_id"], told["client_secret"])
    packets = candidates(told["packets"], "packet", universal_path)
    with DiffgramClient(settings) as client:
        handle = push(client, packets, dataset=told["dataset"], **told["options"])
        receipt = wait(client, [handle], poll_interval=_POLL_INTERVAL)
    if receipt.succeeded != receipt.expected:
        raise RuntimeError(receipt.summary())


if __name__ == "__main__":
    main({"push": _push})
