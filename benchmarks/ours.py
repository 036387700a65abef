"""A process that pushes packets as a task does.

What it is told, and tells, goes as :class:`.process.Process` says.
"""

from __future__ import annotations

import json
import sys
import time

from airflow_provider_diffgram.client import DiffgramClient, DiffgramError, Settings
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.push import push

from .memory import Growth


def main() -> None:
    """Push, and tell what it took."""
    told = json.loads(sys.stdin.readline())
    settings = Settings(told["host"], told["project"], told["client_id"], told["client_secret"])
    packets = candidates(told["packets"], "packet", universal_path)
    print("ready", flush=True)
    sys.stdin.readline()
    error, growth, cpu = None, Growth(), time.process_time()
    with DiffgramClient(settings) as client:
        try:
            push(client, packets, dataset=told["dataset"], report=told["report"], delivery="queue")
        except DiffgramError as failed:
            error = str(failed)
    cpu = time.process_time() - cpu
    result = {"error": error, "cpu_seconds": cpu, "growth_mib": growth.mib}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
