"""On demand: push files of packets that a model has written, one task per file, and wait until they arrive.

Needs the connection ``diffgram_default``. Each file is JSON Lines with one packet per line, as
``Packet.model_dump_json`` writes it. Trigger it with the form. A second run sends only what is missing.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import Param, dag, task

from airflow_provider_diffgram.task_groups.diffgram import push_prediction_chunks

log = logging.getLogger(__name__)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["diffgram", "example"],
    doc_md=__doc__,
    params={
        "files": Param(
            ["/data/predictions/part-0.jsonl"],
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Packet files",
            description="One path per line, local or in object storage",
        ),
        "dataset": Param("photos", type="string", title="Dataset", description="Name in Diffgram"),
        "if_exists": Param(
            "skip",
            enum=["skip", "fail", "append", "replace"],
            title="Existing files",
            description="What to do with them; replace deletes what people corrected",
        ),
        "max_failed": Param(
            0,
            type="number",
            minimum=0,
            title="Failures allowed",
            description="A number of packets, or a share below 1",
        ),
    },
)
def diffgram_push_files() -> None:
    @task
    def files(**context: Any) -> list[str]:
        return list(context["params"]["files"])

    @task
    def log_receipt(receipt: dict[str, Any]) -> None:
        log.info("Diffgram has %(succeeded)s new and %(skipped)s old of %(expected)s packets", receipt)

    pushed = push_prediction_chunks(
        files(),
        dataset="{{ params.dataset }}",
        sending={"if_exists": "{{ params.if_exists }}", "max_failed": "{{ params.max_failed }}"},
    )
    log_receipt(pushed.receipt)


diffgram_push_files()
