"""A project of an emulated server, with files to review and people who review them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.client.request import Steps
from airflow_provider_diffgram.review.jobs import JobPlan, MadeJob, ensure_job
from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.live_diffgram import LiveDiffgram
from tests.integration.ingest.served_media import Media, serving

_numbers = itertools.count(1)


@dataclass
class Desk:
    """A project in which somebody reviews."""

    diffgram: LiveDiffgram
    person: Person
    schema_id: int

    @property
    def client(self) -> DiffgramClient:
        """The client, whose time passes fast."""
        return self.diffgram.client

    @property
    def emulator(self) -> EmulatorProcess:
        """The server."""
        return self.diffgram.emulator

    def run(self, steps: Steps[Any]) -> Any:
        """Run steps to their end."""
        return self.client.run(steps)

    def files(self, amount: int) -> list[int]:
        """Put files into the dataset, and return the ids of all there are, oldest first."""
        there = len(self.diffgram.names())
        packets = [
            {"media": {"text_data": "hello"}, "original_filename": f"{there + n}.txt"} for n in range(amount)
        ]
        self.diffgram.pushed(packets)
        return [file.id for file in self.diffgram.files()]

    def plan(self, name: str = "night", *, attach: bool = True, **more: object) -> JobPlan:
        """Return the plan of a job, on the dataset or without one."""
        datasets = {self.diffgram.directory_id: "predictions"} if attach else {}
        return JobPlan(name, self.schema_id, datasets, **more)  # type: ignore[arg-type]

    def job(self, name: str = "night", **more: object) -> MadeJob:
        """Make a job."""
        return self.run(ensure_job(self.client.project, self.plan(name, **more)))  # type: ignore[arg-type]

    def tasks(self, job_id: int) -> dict[int, int]:
        """Return the task of each file."""
        listed = self.client.send(routes.list_job_tasks(self.client.project, job_id, limit=1000)).task_list
        return {task.file.id: task.id for task in listed if task.file}

    def requests(self, path: str, status: int | None = 200) -> int:
        """Return how many requests came to a path of this project's server."""
        counts = self.emulator.requests()["counts"]
        return sum(
            each["count"]
            for each in counts
            if each["path"].endswith(path) and (status is None or each["status"] == status)
        )


@pytest.fixture(scope="session")
def review_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """A process whose tasks appear soon."""
    folder = tmp_path_factory.mktemp("review")
    with EmulatorProcess.start(folder, rate_limit=False, task_seconds=0.1) as emulator:
        yield emulator


@pytest.fixture
def desk(review_emulator: EmulatorProcess) -> Desk:
    """A fresh project."""
    review_emulator.reset()
    diffgram = LiveDiffgram.of(review_emulator.with_project(f"review-{next(_numbers)}"))
    schema = diffgram.client.send(routes.list_schemas(diffgram.client.project))[0]
    return Desk(diffgram, Person.of(diffgram.emulator), schema.id)


@pytest.fixture
def media() -> Iterator[Media]:
    """Media of this test alone."""
    with serving() as served:
        yield served
