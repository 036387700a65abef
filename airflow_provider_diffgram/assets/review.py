"""A number of newly reviewed files of a job as an asset: ``diffgram-review://host/project/job?files=500``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import Asset

SCHEME = "diffgram-review"


def review_asset(
    *,
    host: str,
    project: str,
    job: int | str,
    min_files: int = 500,
    max_wait: timedelta | float | None = timedelta(days=7),
    poll_interval: timedelta | float = 60.0,
    diffgram_conn_id: str = "diffgram_default",
) -> Asset:
    """Return an asset that has an event whenever people have reviewed enough; needs Airflow 3.0 or later.

    ``@dag(schedule=review_asset(...))`` runs when 500 more files are reviewed, or some and a week has passed.
    The event's payload is that of
    :class:`~airflow_provider_diffgram.triggers.review_events.DiffgramReviewEventTrigger`. Airflow may merge
    or drop events that come while a DAG runs, so read the current state, as an incremental pull does, and not
    just the event.

    :param host: as in the connection, with or without ``https://`` or ``http://``.
    :param project: project_string_id.
    :param job: id of a job, or its exact name.
    :param min_files: how many files are enough for an event.
    :param max_wait: time after which fewer files are enough, but at least one. None means never.
    :param poll_interval: time between two polls, each with one request per job.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :raises ValueError: if a parameter is wrong.
    :raises RuntimeError: before Airflow 3.0, which has no watchers: schedule a DAG by time there, and let it
        begin with :class:`~airflow_provider_diffgram.sensors.review.DiffgramReviewSensor`.
    """
    try:
        from airflow.sdk import AssetWatcher
    except ImportError:
        raise RuntimeError(
            "assets are watched from Airflow 3.0 on: schedule the DAG by time, and begin it with "
            "DiffgramReviewSensor"
        ) from None
    from ..triggers.review_events import DiffgramReviewEventTrigger

    address = host.rpartition("://")[2].strip("/").lower()
    if not (address and project and str(job).strip()):
        raise ValueError(f"a review asset needs host, project and job: {SCHEME}://host/project/job")
    if isinstance(min_files, bool) or not isinstance(min_files, int) or min_files < 1:
        raise ValueError(f"min_files must be a whole number of files from 1 on, not {min_files!r}")
    longest = None if max_wait is None else _seconds("max_wait", max_wait)
    trigger = DiffgramReviewEventTrigger(
        job=job,
        min_files=min_files,
        max_wait=longest,
        poll_interval=_seconds("poll_interval", poll_interval),
        diffgram_conn_id=diffgram_conn_id,
    )
    place = f"{address}/{quote(project, safe='')}/{quote(str(job), safe='')}"
    uri = f"{SCHEME}://{place}?files={min_files}"  # another number makes another asset, with its own events
    watcher: Any = AssetWatcher(name=f"reviews of {job}", trigger=trigger)
    return Asset(uri=uri, watchers=[watcher])


def _seconds(name: str, value: timedelta | float) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not seconds > 0:
        raise ValueError(f"{name} must be above 0, not {value!r}")
    return seconds
