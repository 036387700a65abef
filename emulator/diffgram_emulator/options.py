"""How the emulator runs: where it listens, where it keeps its data, how fast it ingests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION_TEXT = "Version: 2.0.0"
INGEST_THREADS = 4
"""Ingest threads of one worker process (quirk 48)."""
LOCAL_QUEUE_LIMIT = 30
"""A worker process holding more rows than this takes no further ones (server.md 3.2, "stuck")."""


@dataclass
class Options:
    """Settings of one emulator; those in :data:`TUNABLE` may change while it runs (see :mod:`.control`).

    The speeds are those of the observed server (server.md 8); tests lower them.

    :param data: folder of the SQLite file and the media; it is created if missing.
    :param project: ``project_string_id`` of the project with which a new data folder starts.
    :param cycle: seconds after which a worker process takes rows from the queue again.
    :param rows_per_cycle: how many rows a worker process takes at a time.
    :param workers: worker processes, each with four ingest threads.
    :param image_seconds: time one medium takes, give or take a quarter.
    :param walrus_requests: requests that the service walrus serves at once, one for each of its processes;
        others wait (server.md 10.7).
    :param default_requests: the same of the other service.
    :param upload_seconds: time that a file uploaded by from_local takes, besides ``upload_work``.
    :param upload_work: processor time that it takes; all requests and settling rows share one processor.
    :param read_work: processor time of reading a file's instances.
    :param update_work: processor time of saving a file's list of instances, besides ``update_work_per_row``.
    :param update_work_per_row: what each row of the list adds to it.
    :param settle_seconds: least time between ``success`` and the instances (server.md 3.2, "flip").
    :param settle_per_instance: what each instance adds to it; rows settling at once share one processor.
    :param video_hangs: whether a video hangs that is read while another row waits in the memory of the same
        worker process (quirk 62).
    :param model_race_seconds: time between looking for a model run and creating it (quirk 48).
    :param name_race_seconds: time between comparing names and storing a compound file (quirk 55).
    :param rate_limit: whether requests are counted; off is how a development server starts.
    :param limiter_processes: server processes that count requests, each for itself (quirk 24).
    :param https_redirect: answer plain http with 302, as a service without TLS in front (quirk 42).
    :param keep_alive: keep connections open, which the server does not: for benchmarks.
    :param media_timeout: seconds to wait for the next byte of a medium.
    :param documented_variant: serve packets where the vendor's documentation says, answer with the row's id,
        and print Python into the answer of new-compound (server.md 6).
    :param s3_endpoint: where the buckets of connections are; without it they are folders of ``data``.
    :param dataset_cap: files a dataset takes (server.md 3.3).
    :param upload_minutes: after which an upload whose last chunk is missing counts as interrupted.
    :param busy_pause: seconds that an ingest thread waits before a row while the processor is in use for more
        than 80 % of the time; the observed server waits 5 (server.md 10.1).
    :param task_seconds: between a file's arrival in a job's dataset and its task (server.md 2.17).
    :param launch_task_seconds: what each task adds to it when a job is launched; all of them appear at once
        (server.md 10.2.3).
    :param eventhandlers: whether the service runs that makes tasks of added files (server.md 10.2.4).
    :param event_lag: seconds after which an event is listed at the latest; until then higher ids may
        be there and it is not, as beside long transactions (server.md 10.4).
    :param export_seconds: time an export takes at least.
    :param export_hangs: whether exports stay at ``init`` for ever, as if nobody made them.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 0
    project: str = "demo-project"
    cycle: float = 2.0
    rows_per_cycle: int = 2
    workers: int = 2
    image_seconds: float = 0.1
    walrus_requests: int = 3
    default_requests: int = 5
    upload_seconds: float = 0.03
    upload_work: float = 0.036
    read_work: float = 0.01
    update_work: float = 0.012
    update_work_per_row: float = 0.0035
    settle_seconds: float = 0.04
    settle_per_instance: float = 0.0063
    busy_pause: float = 0.0
    video_hangs: bool = True
    model_race_seconds: float = 0.002
    name_race_seconds: float = 0.02
    rate_limit: bool = True
    limiter_processes: int = 1
    https_redirect: bool = False
    keep_alive: bool = False
    media_timeout: float = 30.0
    documented_variant: bool = False
    s3_endpoint: str = ""
    dataset_cap: int = 90000
    upload_minutes: float = 60.0
    task_seconds: float = 0.3
    launch_task_seconds: float = 0.033
    event_lag: float = 0.0
    eventhandlers: bool = True
    export_seconds: float = 0.2
    export_hangs: bool = False


TUNABLE = (
    "cycle",
    "rows_per_cycle",
    "image_seconds",
    "walrus_requests",
    "default_requests",
    "upload_seconds",
    "upload_work",
    "read_work",
    "update_work",
    "update_work_per_row",
    "settle_seconds",
    "settle_per_instance",
    "busy_pause",
    "video_hangs",
    "model_race_seconds",
    "name_race_seconds",
    "rate_limit",
    "limiter_processes",
    "https_redirect",
    "keep_alive",
    "media_timeout",
    "documented_variant",
    "dataset_cap",
    "upload_minutes",
    "task_seconds",
    "launch_task_seconds",
    "event_lag",
    "eventhandlers",
    "export_seconds",
    "export_hangs",
    "workers",
)
"""Options that may change while the emulator runs."""


def tune(options: Options, values: Mapping[str, Any]) -> None:
    """Change options, all of them or none.

    :raises ValueError: for one that may not change, or a value of the wrong kind.
    """
    for name, value in values.items():
        if name not in TUNABLE:
            raise ValueError(f"{name!r} cannot be tuned, only {', '.join(TUNABLE)}")
        kind = type(getattr(options, name))
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not fits or (kind is not bool and (isinstance(value, bool) or value < 0)):
            raise ValueError(f"{name} must be of kind {kind.__name__} and not negative, not {value!r}")
        if kind is int and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value!r}")
    for name, value in values.items():
        setattr(options, name, value)
