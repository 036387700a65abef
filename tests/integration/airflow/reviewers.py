"""Somebody who completes every task, for as long as a test lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_diffgram.client import DiffgramClient, routes
from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess


@contextmanager
def reviewing(client: DiffgramClient, emulator: EmulatorProcess) -> Iterator[None]:
    """Let a person complete every task of every job, as long as the block lasts."""
    person, end = Person.of(emulator), threading.Event()

    def work() -> None:
        while not end.wait(0.1):
            for each in client.send(routes.list_jobs(client.project)).jobs:
                for task in client.send(routes.list_job_tasks(client.project, each.id)).task_list:
                    if not task.done:
                        person.complete(task.id)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
