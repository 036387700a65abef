"""What it costs to follow a review of 10,000 tasks: requests and bytes of a routine look."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from airflow_provider_diffgram.client.attempts import Reply
from airflow_provider_diffgram.review.jobs import JobPlan, ensure_job
from airflow_provider_diffgram.review.progress import ReviewRules
from airflow_provider_diffgram.review.wait import ReviewTarget, ReviewWait
from diffgram_emulator.process import EmulatorProcess

from .rows import Bar, Row, row

TASKS = 10_000
LOOKS = 10
"""Routine looks. Before each of them people have completed some more tasks, half of all in the end."""

Tell = Callable[[str], None]


class CountingClient(DiffgramClient):
    """Counts what is asked and what comes back.

    :ivar requests: how many requests were sent.
    :ivar received: bytes of the bodies of all answers.
    """

    requests = 0
    received = 0

    def _attempt(self, request: object, step: object) -> object:
        answer = super()._attempt(request, step)  # type: ignore[arg-type]  # as the client itself hands it on
        if isinstance(answer, Reply):
            self.requests += 1
            self.received += len(answer.body)
        return answer


def measure(tell: Tell, tasks: int = TASKS) -> list[Row]:
    """Return the rows; say on the way what was measured."""
    with EmulatorProcess.start(rate_limit=False) as emulator:
        settings = Settings(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
        with CountingClient(settings) as client:
            job_id = _job(client)
            database = emulator.data_dir / "emulator.sqlite"
            file_ids = _fill(database, job_id, tasks)
            target = ReviewTarget(job_id, tuple(file_ids))
            waiting = ReviewWait(client.project, target, ReviewRules())
            client.requests = 0
            client.run(waiting.look())
            tell(f"review.wait: the first look learnt {tasks} files by {client.requests} requests")
            client.requests = client.received = 0
            for look in range(LOOKS):
                _complete(database, job_id, look)
                receipt = client.run(waiting.look()).receipt
                if receipt.complete != _completed(database, job_id):
                    raise RuntimeError(f"look {look} saw {receipt.complete} complete tasks")
            tell(f"review.wait: {LOOKS} looks, {client.requests} requests, {client.received} bytes")
            return [
                row("review.wait.requests_per_look", client.requests / LOOKS, None, "requests", Bar(most=2)),
                row(
                    "review.wait.bytes_per_task",
                    client.received / LOOKS / tasks,
                    None,
                    "bytes",
                    Bar(most=200),
                ),
            ]


def _job(client: DiffgramClient) -> int:
    schema = next(each for each in client.send(routes.list_schemas(client.project)) if each.is_default)
    return client.run(ensure_job(client.project, JobPlan("followed", schema.id))).id


def _fill(database: Path, job_id: int, tasks: int) -> list[int]:
    """Write files and their tasks into the server's database, and return the files."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    with closing(sqlite3.connect(str(database), timeout=30)) as connection, connection:
        (project,) = connection.execute("SELECT project_id FROM job WHERE id = ?", (job_id,)).fetchone()
        (directory,) = connection.execute(
            "SELECT id FROM directory WHERE project_id = ?", (project,)
        ).fetchone()
        first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM file").fetchone()[0]
        ids = list(range(first, first + tasks))
        connection.executemany(
            "INSERT INTO file (id, project_id, directory_id, type, original_filename, created_time,"
            " time_last_updated) VALUES (?, ?, ?, 'text', ?, ?, ?)",
            ((each, project, directory, f"{each}.txt", now, now) for each in ids),
        )
        connection.executemany(
            "INSERT INTO task (project_id, job_id, file_id, incoming_directory_id, time_created,"
            " time_updated) VALUES (?, ?, ?, ?, ?, ?)",
            ((project, job_id, each, directory, now, now) for each in ids),
        )
    return ids


def _complete(database: Path, job_id: int, look: int) -> None:
    """Let people complete some tasks more."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    with closing(sqlite3.connect(str(database), timeout=30)) as connection, connection:
        connection.execute(
            "UPDATE task SET status = 'complete', time_updated = ?1, time_completed = ?1"
            " WHERE job_id = ?2 AND id % ?3 = ?4",
            (now, job_id, 2 * LOOKS, look),
        )


def _completed(database: Path, job_id: int) -> int:
    with closing(sqlite3.connect(str(database), timeout=30)) as connection:
        query = "SELECT count(*) FROM task WHERE job_id = ? AND status = 'complete'"
        found: Iterable[int] = connection.execute(query, (job_id,)).fetchone()
    return next(iter(found))
