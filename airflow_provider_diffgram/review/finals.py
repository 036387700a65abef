"""What people left of the files of a record: read from Diffgram, or from a pulled set."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from ..client import CredentialError, DiffgramClient, RefusedError, WrongAddressError, routes
from ..drawing.likeness import Fields
from ..ingest.read.paths import PathOpener
from ..ingest.server.files import root_files
from ..ingest.server.frames import instances_of_frames
from ..ingest.server.past import Fate, Rows, look_back
from ..ingest.server.rewrite import can_be_rewritten
from ..models import File, Task
from .compare import FileNow, SentFile
from .lines import LinesByFile, key_of_stored
from .progress import epoch_of

_log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 4
"""Files that are read at once: the server answers no more in a second with more (server.md 10.6)."""

PROOFS = 2000
"""Files whose lost rows are looked for: one costs up to some dozens of requests."""

_PAGE = 1000
_MOST_FRAMES = 36_000
_OPEN = frozenset({"available", "in_progress", "in_review", "requires_changes", "deferred"})
SET = "files.jsonl.gz"
"""The file of a pulled set that has everything."""


class Finals(Protocol):
    """Where what people left is found."""

    def of(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Yield each file of a record with what it holds now; None if it is not there."""


@dataclass(frozen=True, slots=True)
class Review:
    """How far people are with a file.

    :param done: whether they are done with it.
    :param seconds: from the making of its task to its completion; None if it is not told.
    """

    done: bool
    seconds: float | None = None


def review_of(tasks: Iterable[Task]) -> Review:
    """Return how far people are with a file, by all its tasks: they are not done while one is open."""
    states = [task for task in tasks if task.status != "archived"]
    if any(task.status in _OPEN for task in states):
        return Review(False)
    complete = [task for task in states if task.done]
    if not complete:
        return Review(False)
    made, ended = epoch_of(complete[-1].time_created), epoch_of(complete[-1].time_completed)
    return Review(True, None if made is None or ended is None else float(max(0, ended - made)))


def reviews_of_job(client: DiffgramClient, job_id: int) -> dict[int, Review]:
    """Return how far people are with the files of a job, by their ids."""
    by_file: dict[int, dict[int, Task]] = {}
    page = 0
    while True:
        listed = client.send(routes.list_job_tasks(client.project, job_id, page=page, limit=_PAGE)).task_list
        for task in listed:
            if task.file is not None:
                by_file.setdefault(task.file.id, {})[task.id] = task
        if len(listed) < _PAGE:
            return {file_id: review_of(tasks.values()) for file_id, tasks in by_file.items()}
        page += 1


@dataclass
class LiveFiles:
    """Reads files from Diffgram, some at once.

    Of a file with rows that are gone the histories are looked for, which tell a person's deletion from a row
    that a stale page lost.

    :param client: of the project.
    :param job_id: whose tasks tell what is reviewed; None: all tasks of a file do.
    :param proofs: most files whose histories are looked for; then a row that is gone counts as deleted,
        without proof.
    """

    client: DiffgramClient
    job_id: int | None = None
    proofs: int = PROOFS
    _labels: dict[int, str] = field(default_factory=dict)
    _reviews: dict[int, Review] | None = None
    _rows_met: Rows = field(default_factory=Rows)

    def close(self) -> None:
        """Nothing is open."""

    def of(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Yield each file with what it holds now; None where it is not there, or its id is not known."""
        self._labels = label_names(self.client)
        if self.job_id is not None:
            self._reviews = reviews_of_job(self.client, self.job_id)
        yield from at_once(self._read, self._found(sent))

    def _found(self, sent: Iterable[SentFile]) -> Iterator[SentFile]:
        """Yield files with their ids, as far as they can be found by their names."""
        names: dict[tuple[str, int], dict[str, int]] = {}
        for each in sent:
            if each.file_id is None:
                place = ("dataset", each.dataset) if each.parent is None else ("compound file", each.parent)
                if place[1] is not None:
                    key = (place[0], place[1])
                    if key not in names:
                        names[key] = ids_by_name(self._listed(*key))
                    each.file_id = names[key].get(each.name)
            yield each

    def _listed(self, kind: str, number: int) -> Iterable[File]:
        if kind == "dataset":
            return root_files(self.client, number, None)
        return self.client.send(routes.list_children(self.client.project, number))

    def _read(self, sent: SentFile) -> tuple[SentFile, FileNow | None]:
        if sent.file_id is None:
            return sent, None
        review = self._review(sent.file_id)
        if not review.done:
            return sent, FileNow(sent.file_id, False, {})
        try:
            file = self.client.send(routes.list_annotations(self.client.project, sent.file_id))
        except (CredentialError, WrongAddressError):
            raise
        except RefusedError as error:
            _log.warning("file %s (%s) is not there: %s", sent.file_id, sent.name, error)
            return sent, None
        if file.removed:
            return sent, None
        self._rows_met.note(file)
        now = FileNow(file.id, True, self._rows(file, sent), count=file.count_instances_changed)
        now.seconds = review.seconds
        if file.type == "video":
            now.count = None
        else:
            self._prove(file, now, self._gone(sent, now))
        return sent, now

    def _review(self, file_id: int) -> Review:
        if self._reviews is not None:
            return self._reviews.get(file_id, Review(False))
        page = self.client.send(routes.list_tasks(self.client.project, file_id=file_id, limit=_PAGE))
        return review_of(page.task_list)

    def _rows(self, file: File, sent: SentFile) -> dict[int | None, list[Fields]]:
        if file.type != "video":
            return {None: [self._named(row) for row in file.instance_list]}
        frames = int((file.video or {}).get("frame_count") or 0) or _MOST_FRAMES
        steps = instances_of_frames(self.client.project, file.id, sent.dataset or 0, range(frames))
        found = self.client.run(steps)
        return {frame: [self._named(row) for row in rows] for frame, rows in found.items() if rows}

    def _named(self, row: Mapping[str, Any]) -> Fields:
        number = row.get("label_file_id")
        told = row.get("label_file")
        name = (told.get("label") or {}).get("name") if isinstance(told, Mapping) else None
        if name is None and isinstance(number, int):
            name = self._labels.get(number)
        return {**row, "label": name, "label_file": None}

    def _gone(self, sent: SentFile, now: FileNow) -> set[str]:
        there = {row.get("creation_ref_id") for row in now.rows[None]}
        return {each.reference for each in sent.predictions if each.reference is not None} - there

    def _prove(self, file: File, now: FileNow, gone: set[str]) -> None:
        """Read the histories of predictions that are gone, for so many files as is agreed."""
        if not gone or self.proofs <= 0:
            return
        self.proofs -= 1
        past = look_back(self.client, file, self._rows_met)
        now.complete = past.unfound == 0 and can_be_rewritten(file)  # of others the counter may be wrong
        now.dead = [
            (self._named(chain[-1]), past.fate(chain))
            for chain in past.chains
            if chain[-1].get("machine_made")
        ]
        now.fates = {(None, reference): fate for reference, fate in past.fates().items()}
        if Fate.LOST in now.fates.values():
            listed = self.client.send(routes.list_inputs(self.client.project, file_id=file.id))
            now.replaced = any(row.mode == "update_with_existing" for row in listed)


class PulledFiles:
    """What a pulled set holds: nothing is asked of Diffgram, so that a row that is gone counts as deleted.

    :param path: folder of a version of the set, or its ``files.jsonl.gz``.
    :param path_of: opens paths.
    :raises InvalidValueError: if it cannot be read.
    """

    def __init__(self, path: str, path_of: PathOpener) -> None:
        name = path if path.endswith((".jsonl", ".jsonl.gz")) else f"{path.rstrip('/')}/{SET}"
        self._lines = LinesByFile([name], "pulled file", key_of_stored, path_of)

    def close(self) -> None:
        """Forget the set."""
        self._lines.close()

    def of(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Yield each file with what the set has of it; None where it has nothing."""
        for each in sent:
            found = [] if each.file_id is None else self._lines.of(each.file_id)
            yield each, _file_now(found[-1]) if found else None


def _file_now(told: Mapping[str, Any]) -> FileNow:
    reviewed = told.get("task_status") == "complete"
    frames = told.get("frames")
    if frames:
        return FileNow(told["id"], reviewed, {int(number): rows for number, rows in frames.items()})
    return FileNow(told["id"], reviewed, {None: told.get("instances") or []})


def ids_by_name(files: Iterable[File]) -> dict[str, int]:
    """Return name -> id of files that have their name for themselves."""
    named: dict[str, set[int]] = {}
    for file in files:
        named.setdefault(str(file.original_filename), set()).add(file.id)
    return {name: next(iter(ids)) for name, ids in named.items() if len(ids) == 1}


def label_names(client: DiffgramClient) -> dict[int, str]:
    """Return ``label_file_id`` -> name, of all label schemas."""
    names: dict[int, str] = {}
    for schema in client.send(routes.list_schemas(client.project)):
        if not schema.archived:
            for label in client.send(routes.list_labels(client.project, schema.id)).labels_out:
                names[label.id] = label.name
    return names


def at_once(do: Callable[[T], R], items: Iterable[T], threads: int = AT_ONCE) -> Iterator[R]:
    """Yield what ``do`` returns of each item, in their order, some of them done ahead.

    No more than a few results wait, however many items there are.
    """
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[R]] = deque()
        try:
            for item in items:
                ahead.append(pool.submit(do, item))
                if len(ahead) >= 2 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for each in ahead:
                each.cancel()
