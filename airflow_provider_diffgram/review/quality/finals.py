"""What the files of a record hold after the review: read from Diffgram, or from a pulled set."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from ...client import CredentialError, DiffgramClient, RefusedError, WrongAddressError, routes
from ...drawing.likeness import Fields
from ...ingest.read.paths import PathOpener
from ...ingest.server.files import root_files
from ...ingest.server.past import Fate, Rows, look_back, look_for
from ...ingest.server.rewrite import can_be_rewritten
from ...ingest.server.rows import references
from ...models import File, Task
from ...models.media import WITHOUT_CHAINS
from ..progress import epoch_of
from ..sets.manifest import FILES
from ..sets.reading import frames_of
from ..sets.source import tasks_of
from ..sets.stored import label_name
from .compare import FileNow, SentFile
from .lines import LinesByFile, key_of_stored

_log = logging.getLogger(__name__)

Place = tuple[int | None, str]
"""Frame and reference of a prediction; frame None for other media than videos."""

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 4
"""Files that are read at once: the server answers no more in a second with more (server.md 10.6)."""

PROOFS = 2000
"""Files whose lost rows are looked for: one costs up to some dozens of requests."""

_MOST_AGAIN = 200
"""Files that wait until others have been read, whose rows lead to theirs."""

_PAGE = 1000
_OPEN = frozenset({"available", "in_progress", "in_review", "requires_changes", "deferred"})


class Finals(Protocol):
    """Where what people left is found."""

    def of(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Yield each file of a record with what it holds now; None if it is not there."""


Past = Callable[[Iterable[tuple[SentFile, FileNow | None]]], Iterator[tuple[SentFile, FileNow | None]]]
"""Tells of files that were read before why predictions are gone from them."""


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


def reviews_of_job(client: DiffgramClient, job_id: int) -> tuple[dict[int, Review], list[int]]:
    """Return how far people are with the files of a job, by id; and which of them are compound files."""
    by_file: dict[int, dict[int, Task]] = {}
    compounds: dict[int, None] = {}
    for task in tasks_of(client, job_id):
        if task.file is not None:
            by_file.setdefault(task.file.id, {})[task.id] = task
            if (task.file.type or "").startswith("compound"):
                compounds[task.file.id] = None
    return {file_id: review_of(tasks.values()) for file_id, tasks in by_file.items()}, list(compounds)


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read, on its way.

    :param now: what is told of it.
    :param file: as the server tells it; None if its past is not to be looked at.
    :param rows: those that live in Diffgram, by frame.
    :param gone: predictions that ``now`` has no row of.
    :param is_whole: whether nothing more can be found of it.
    """

    sent: SentFile
    now: FileNow | None
    file: File | None = None
    rows: Mapping[int | None, Sequence[Fields]] = field(default_factory=dict)
    gone: frozenset[Place] = frozenset()
    is_whole: bool = True


@dataclass
class LiveFiles:
    """Reads files from Diffgram, some at once.

    Of a file with rows that are gone the histories are looked for, which tell a person's deletion from a row
    that a stale page lost. Where nothing of a file lives, the rows of its neighbours lead to them. So a file
    whose dead rows were not found waits until the others are read, and is looked at once more: what is found
    does not depend on which of them was read first.

    :param job_id: whose tasks tell what is reviewed; None: all tasks of a file do.
    :param proofs: most files whose histories are looked for; of a row that is gone nothing is known then.
    """

    client: DiffgramClient
    job_id: int | None = None
    proofs: int = PROOFS
    _labels: dict[int, str] = field(default_factory=dict)
    _reviews: dict[int, Review] | None = None
    _parents: dict[int, int] | None = None
    _compounds: Sequence[int] = ()
    _rows_met: Rows = field(default_factory=Rows)

    def close(self) -> None:
        """Nothing is open."""

    def of(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Yield each file with what it holds now; None where it is not there, or its id is not known."""
        self._labels = _names_in_schemas(self.client)
        if self.job_id is not None:
            self._reviews, self._compounds = reviews_of_job(self.client, self.job_id)
        yield from self._explained(self._found(sent), self._read)

    def explained(
        self, pulled: Iterable[tuple[SentFile, FileNow | None]]
    ) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Tell why predictions are gone from files that were read before."""
        self._labels = _names_in_schemas(self.client)
        yield from self._explained(pulled, self._read_past)

    def _explained(
        self, items: Iterable[T], read: Callable[[T], _Read]
    ) -> Iterator[tuple[SentFile, FileNow | None]]:
        def first(item: T) -> tuple[T, _Read]:
            return item, read(item)

        def proved(each: tuple[T, _Read]) -> tuple[T, _Read]:
            return each[0], self._proved(each[1])

        def again(item: T) -> tuple[SentFile, FileNow | None]:
            told = self._proved(read(item))
            return told.sent, told.now

        waiting: list[T] = []
        granted = ((item, self._granted(each)) for item, each in at_once(first, items))
        for item, each in at_once(proved, granted):
            if each.is_whole:
                yield each.sent, each.now
                continue
            waiting.append(item)
            if len(waiting) >= _MOST_AGAIN:
                yield from at_once(again, waiting)
                waiting = []
        yield from at_once(again, waiting)

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
            if each.parent is None and self._reviews is not None and each.file_id not in self._reviews:
                each.parent = self._parent_of(each.file_id)
            yield each

    def _parent_of(self, file_id: int | None) -> int | None:
        """Return the compound file of a child that an update named by its id, if a task of the job is its."""
        if self._parents is None:
            self._parents = {
                child.id: compound
                for compound in self._compounds
                for child in self.client.send(routes.list_children(self.client.project, compound))
            }
        return None if file_id is None else self._parents.get(file_id)

    def _listed(self, kind: str, number: int) -> Iterable[File]:
        if kind == "dataset":
            return root_files(self.client, number, None)
        return self.client.send(routes.list_children(self.client.project, number))

    def _read(self, sent: SentFile) -> _Read:
        if sent.file_id is None:
            return _Read(sent, None)
        review = self._review(sent.file_id if sent.parent is None else sent.parent)
        if not review.done:
            return _Read(sent, FileNow(sent.file_id, False, {}))
        file = self._file(sent)
        if file is None:
            return _Read(sent, None)
        rows = self._rows(file, sent)
        now = FileNow(file.id, True, rows, seconds=review.seconds)
        return _Read(sent, now, file, rows, _gone(sent, now))

    def _read_past(self, pulled: tuple[SentFile, FileNow | None]) -> _Read:
        sent, now = pulled
        gone = _gone(sent, now) if now is not None and now.reviewed else frozenset()
        file = self._file(sent) if gone else None
        if file is None:
            return _Read(sent, now)
        return _Read(sent, now, file, self._rows(file, sent), gone)

    def _file(self, sent: SentFile) -> File | None:
        """Return a file with its living instances; None if it is not there any more."""
        assert sent.file_id is not None
        try:
            file = self.client.send(routes.list_annotations(self.client.project, sent.file_id))
        except (CredentialError, WrongAddressError):
            raise
        except RefusedError as error:
            _log.warning("file %s (%s) is not there: %s", sent.file_id, sent.name, error)
            return None
        return None if file.removed else file

    def _granted(self, read: _Read) -> _Read:
        """Grant a file that its dead rows are looked for, as far as is agreed; in the order of the files."""
        if read.gone and self.proofs > 0:
            self.proofs -= 1
            return read
        return replace(read, gone=frozenset())

    def _review(self, file_id: int) -> Review:
        """Return how far people are with a file; children have no tasks, their compound file has."""
        if self._reviews is not None:
            return self._reviews.get(file_id, Review(False))
        page = self.client.send(routes.list_tasks(self.client.project, file_id=file_id, limit=_PAGE))
        return review_of(page.task_list)

    def _rows(self, file: File, sent: SentFile) -> dict[int | None, list[Fields]]:
        if file.type == "video":
            found: dict[int | None, list[dict[str, Any]]] = dict(
                frames_of(self.client, file, sent.dataset).items()
            )
        else:
            found = {None: file.instance_list}
        self._rows_met.tell(file.id, (row["id"] for rows in found.values() for row in rows))
        return {
            frame: [self._named(row) for row in rows]
            for frame, rows in found.items()
            if rows or frame is None
        }

    def _named(self, row: Mapping[str, Any]) -> Fields:
        number = row.get("label_file_id")
        name = label_name(row)
        if name is None and isinstance(number, int):
            name = self._labels.get(number)
        return {**row, "label": name, "label_file": None}

    def _proved(self, read: _Read) -> _Read:
        """Tell of what is gone why, as far as histories do."""
        if read.file is None or read.now is None or not read.gone:
            return read
        file, now = read.file, read.now
        wanted = read.gone - _places_of(read.rows)
        if file.type in WITHOUT_CHAINS:
            living = [dict(row) for rows in read.rows.values() for row in rows]
            past = look_for(self.client, file, living, {ref for _, ref in wanted}, self._rows_met)
        else:
            past = look_back(self.client, file, self._rows_met)
        # Nothing counts the rows of a video; of all else than pictures and texts the counter may be wrong.
        is_counted = past.unfound == 0 and (file.type == "text" or can_be_rewritten(file))
        now.complete = is_counted and wanted == read.gone  # what lives again was stored
        chains = [
            (chain, fate)
            for chain in sorted(past.chains, key=lambda chain: int(chain[0]["id"]))
            for fate in [past.fate(chain)]
            if _is_sure(chain, fate, file, is_complete=is_counted)
        ]
        now.dead = [(self._named(chain[-1]), fate) for chain, fate in chains if chain[-1].get("machine_made")]
        places = _Places(file, read.sent, read.rows)
        now.fates = {place: fate for chain, fate in chains for place in places.of(chain)}
        if Fate.LOST in now.fates.values():
            listed = self.client.send(routes.list_inputs(self.client.project, file_id=file.id))
            now.replaced = any(row.mode == "update_with_existing" for row in listed)
        is_known = wanted <= now.fates.keys()
        return replace(read, is_whole=past.unfound == 0 or (file.type in WITHOUT_CHAINS and is_known))


def _is_sure(chain: Sequence[Mapping[str, Any]], fate: Fate, file: File, *, is_complete: bool) -> bool:
    """Whether the history of a dead instance says all that happened to it.

    A row without a root may have had a later version, which is in no history but its own (server.md 10.3.2).
    That of a text is known to have none once all dead rows are found, unless it was deleted by name: then the
    row that says by whom is missing, since two saves at once leave the counter too low (server.md 10.8.3).
    """
    if fate is not Fate.LOST:
        return True
    if file.type == "text":
        return is_complete and chain[0].get("deletion_type") != "user"
    return file.type != "video" or chain[0].get("root_id") is not None


def _gone(sent: SentFile, now: FileNow) -> frozenset[Place]:
    """Return the predictions that a file has no row of."""
    told = ((each.frame, each.reference) for each in sent.predictions)
    predicted = frozenset((frame, reference) for frame, reference in told if reference is not None)
    return predicted - _places_of(now.rows)


def _places_of(rows: Mapping[int | None, Iterable[Fields]]) -> frozenset[Place]:
    return frozenset(
        (frame, row["creation_ref_id"])
        for frame, of in rows.items()
        for row in of
        if row.get("creation_ref_id")
    )


class _Places:
    """Tells where the rows of a file were.

    A row does not tell its frame; a living one of the same frame does. Where there is none, a reference tells
    it, if it was given in no other frame.
    """

    def __init__(self, file: File, sent: SentFile, living: Mapping[int | None, Sequence[Fields]]) -> None:
        self._frames: dict[int, int | None] = {}
        self._given: dict[str, set[int | None]] = {}
        self._has_frames = file.type == "video"
        if self._has_frames:
            self._frames = {row["file_id"]: frame for frame, rows in living.items() for row in rows}
            for each in sent.predictions:
                self._given.setdefault(str(each.reference), set()).add(each.frame)

    def of(self, chain: Sequence[Mapping[str, Any]]) -> Iterator[Place]:
        """Yield frames and references of a dead instance."""
        for reference in references(chain):
            if not self._has_frames:
                yield None, reference
                continue
            frame = self._frames.get(chain[0]["file_id"])
            given = self._given.get(reference, set())
            if frame is None and len(given) == 1:
                frame = next(iter(given))
            if frame is not None:
                yield frame, reference


class PulledFiles:
    """What a pulled set holds.

    :param path: folder of a version of the set, or its ``files.jsonl.gz``.
    :param past: tells why predictions are gone, which a set does not; None: nothing does.
    :raises InvalidValueError: if it cannot be read.
    """

    def __init__(self, path: str, path_of: PathOpener, past: Past | None = None) -> None:
        name = path if path.endswith((".jsonl", ".jsonl.gz")) else f"{path.rstrip('/')}/{FILES}"
        self._lines = LinesByFile([name], "pulled file", key_of_stored, path_of)
        self._past = past

    def close(self) -> None:
        """Forget the set."""
        self._lines.close()

    def of(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        """Yield each file with what the set has of it; None where it has nothing."""
        pulled = self._pulled(sent)
        yield from pulled if self._past is None else self._past(pulled)

    def _pulled(self, sent: Iterable[SentFile]) -> Iterator[tuple[SentFile, FileNow | None]]:
        for each in sent:
            found = [] if each.file_id is None else self._lines.of(each.file_id)
            if not found:
                yield each, None
                continue
            told = found[-1]
            parents = self._lines.of(told["parent_file_id"]) if "parent_file_id" in told else []
            yield each, _file_now(told, parents[-1] if parents else told)


def _file_now(told: Mapping[str, Any], root: Mapping[str, Any]) -> FileNow:
    """Return what a set has of a file.

    :param root: its compound file, which has the task; itself if it is no child.
    """
    reviewed = root.get("task_status") == "complete"
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


def _names_in_schemas(client: DiffgramClient) -> dict[int, str]:
    """Return ``label_file_id`` -> name, of all label schemas."""
    names: dict[int, str] = {}
    for schema in client.send(routes.list_schemas(client.project)):
        if not schema.archived:
            for label in client.send(routes.list_labels(client.project, schema.id)).labels_out:
                names[label.id] = label.name
    return names


def at_once(do: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield what ``do`` returns of each item, in their order, some of them done ahead.

    No more than a few results wait, however many items there are.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ahead: deque[Future[R]] = deque()
        try:
            for item in items:
                ahead.append(pool.submit(do, item))
                if len(ahead) >= 2 * AT_ONCE:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for each in ahead:
                each.cancel()
