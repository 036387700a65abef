"""Somebody who reviews the demo's photographs, and knows what the models get wrong: by marks made by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.review.jobs import jobs_named
from diffgram_emulator.people import Page, Person
from diffgram_emulator.process import EmulatorProcess

from .media import PHOTOS, Photo, photo_name
from .quality import HIT, overlap

JOB = "airflow-demo-review"
_EVERY = 0.3
_SIDES = ("x_min", "y_min", "x_max", "y_max")


@dataclass
class Work:
    """What the reviewer did.

    :param deleted: boxes that were around no face.
    :param drawn: faces that had no box.
    :param completed: finished tasks.
    """

    deleted: int = 0
    drawn: int = 0
    completed: int = 0
    failure: BaseException | None = field(default=None, repr=False)


@contextmanager
def reviewing(emulator: EmulatorProcess, client: DiffgramClient, face: int) -> Iterator[Work]:
    """Let the reviewer work on the tasks of the demo's job, as long as the block lasts.

    :param face: id of the label that they draw with.
    """
    work, end = Work(), threading.Event()

    def run() -> None:
        try:
            person = Person.of(emulator)
            while not end.wait(_EVERY):
                _review_all(person, client, face, work)
        except Exception as failure:  # noqa: BLE001 - raised at the end of the block
            work.failure = failure

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield work
    finally:
        end.set()
        thread.join()
    if work.failure is not None:
        raise work.failure


def _review_all(person: Person, client: DiffgramClient, face: int, work: Work) -> None:
    photos = {photo_name(photo): photo for photo in PHOTOS}
    for job in client.run(jobs_named(client.project, JOB)):
        for task in client.send(routes.list_job_tasks(client.project, job.id)).task_list:
            photo = photos.get((task.file and task.file.original_filename) or "")
            if task.done or task.file is None or photo is None:
                continue
            page = person.open(task.file.id)
            if mend(page, photo, face, work):
                person.save(page, task.id)
            person.complete(task.id)
            work.completed += 1


def mend(page: Page, photo: Photo, face: int, work: Work) -> bool:
    """Delete the boxes that are around no marked face, draw those that are missing; tell if any were."""
    found = set()
    wrong = []
    for index, row in enumerate(page.rows):
        mark = next((mark for mark in photo.faces if overlap(_box(row), mark) >= HIT), None)
        if mark is None:
            wrong.append(index)
        else:
            found.add(mark)
    missed = [mark for mark in photo.faces if mark not in found]
    for index in wrong:
        page.delete(index)
    for mark in missed:
        page.draw(face, mark)
    work.deleted += len(wrong)
    work.drawn += len(missed)
    return bool(wrong or missed)


def _box(row: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(row[side] for side in _SIDES)
