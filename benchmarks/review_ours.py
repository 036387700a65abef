"""A process that pulls a dataset, as a task does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.review.pull import Options, pull

from .work import main


def _pull(told: Mapping[str, Any]) -> None:
    settings = Settings(told["host"], told["project"], told["client_id"], told["client_secret"])
    with DiffgramClient(settings) as client:
        options = Options(format=told["format"])
        found = pull(client, told["path"], dataset=told["dataset"], only="all", options=options)
    counts = (found.added, found.changed, found.kept, found.removed, found.moved)
    if list(counts) != told["expected"]:
        raise RuntimeError(f"{counts} files were added, changed, kept, removed, moved: {told['expected']}")


if __name__ == "__main__":
    main({"pull": _pull})
