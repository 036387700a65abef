"""How the emulator is to run: where it listens, where it keeps its data, how fast it ingests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

VERSION_TEXT = "Version: 2.0.0"
INGEST_THREADS = 4
"""Ingest threads of one worker process (quirk 48)."""
LOCAL_QUEUE_LIMIT = 30
"""A worker process holding more rows than this takes no further ones (wire contract, 3.2, "stuck")."""


@dataclass(frozen=True)
class Options:
    """Settings of one emulator.

    The speeds are those of the observed server (wire contract, 8); tests lower them.

    :param data: folder of the SQLite file and the media; it is made if missing.
    :param project: ``project_string_id`` of the project a new data folder starts with.
    :param cycle: seconds between two looks into the queue, per worker process.
    :param rows_per_cycle: rows a worker process takes at one look.
    :param workers: worker processes, each with four ingest threads.
    :param image_seconds: time one medium takes, give or take a quarter.
    :param settle_seconds: least time between ``success`` and the instances (wire contract, 3.2, "flip").
    :param settle_per_instance: what each instance adds to it; rows settling at once share one processor.
    :param model_race_seconds: time between looking for a model run and creating it (quirk 48).
    :param name_race_seconds: time between comparing names and storing a compound file (quirk 55).
    :param rate_limit: whether requests are counted; off is how a development server starts.
    :param media_timeout: seconds to wait for the next byte of a medium.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 0
    project: str = "demo-project"
    cycle: float = 2.0
    rows_per_cycle: int = 2
    workers: int = 2
    image_seconds: float = 0.1
    settle_seconds: float = 0.04
    settle_per_instance: float = 0.0063
    model_race_seconds: float = 0.002
    name_race_seconds: float = 0.02
    rate_limit: bool = True
    media_timeout: float = 30.0
