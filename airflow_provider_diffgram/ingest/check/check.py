"""Checks everything that can be checked before the first packet is sent, and reports all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ...client import (
    DiffgramClient,
)
from ...drawing import likeness
from ...models import BlobMedia, File, InvalidValueError, Packet, PageMedia, PathMedia
from ...models.media import MEDIA_TYPES
from ...models.problems import describe
from ...models.received import without_signatures
from ..limits import LIMITS, Limits
from ..read.pages import Documents
from ..read.paths import PathOpener, is_large, large_problems, measured
from ..server.files import SEARCH_ONE_BY_ONE, find_with_children, root_files
from ..server.names import Known
from .blobs import Blobs
from .image_size import size_problems
from .instances import Unseen, misplaced, repeated_references
from .labels import Labels, Ref, UnknownLabels
from .lookup import find_dataset
from .names import name_of
from .video_length import frame_problems, frame_problems_of_file

M = TypeVar("M", bound=BaseModel)

_WITH_ONE_LIST = frozenset(MEDIA_TYPES) - {"video"}
"""Types of files whose instances are in a single list, not in one list per frame."""

_SHOWN = 100
_NAME = 80

_FILES_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """Where packets are sent, and how to resolve the names in them.

    :param dataset: name or id of the dataset.
    :param label_schema: name or id of the label schema; None means the project's default.
    :param unknown_labels: what to do with labels missing from the schema: ``fail``, ``drop`` or ``create``.
    :param origin: model and run (or None) for predictions that name no model.
    :param writes_files: whether predictions may be written into existing files, not only queued.
    :param compares_shapes: whether the overlap of predictions with people's work will be measured.
    """

    dataset: str | int | None
    label_schema: str | int | None = None
    unknown_labels: UnknownLabels = "fail"
    origin: Ref | None = None
    writes_files: bool = True
    compares_shapes: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What the check finds out. Only the check adds to it; the code that sends reads it.

    :param directory_id: id of the dataset to send to.
    :param labels: labels of the schema.
    :param documents: renders pages.
    :param blobs: finds connections, and reads objects.
    :param known: names of the root files, and places of the children, to be sent.
    :param there: existing children by parent file id.
    :param media_types: media types of packets that may be queued, and of all videos.
    :param large: paths of media that are uploaded in chunks.
    :param unseen: packets with instances that nobody will see.
    :param limits: how much is sent together.
    """

    directory_id: int
    labels: Labels
    documents: Documents
    blobs: Blobs
    known: Known = field(default_factory=Known)
    there: dict[int, list[File]] = field(default_factory=dict)
    media_types: set[str] = field(default_factory=set)
    large: set[str] = field(default_factory=set)
    unseen: Unseen = field(default_factory=Unseen)
    limits: Limits = LIMITS


Candidate = Packet | Mapping[str, Any] | list[str]
"""A packet, its fields, or what is wrong with it: messages that begin with its place."""


def validated(
    model: type[M], values: Iterable[M | Mapping[str, Any] | list[str]], what: str, first: int = 0
) -> Iterator[M | list[str]]:
    """Yield each value as a ``model``, or what is wrong with it.

    :param what: what to call a value in messages, such as ``packet``.
    :param first: number of the first value.
    """
    for number, value in enumerate(values, first):
        try:
            yield value if isinstance(value, model | list) else model.model_validate(value)
        except ValidationError as error:
            yield describe(error, place_of(value, what, number))


def place_of(value: object, what: str, number: int) -> str:
    """Return how messages name a packet: its number, and its name if it has one.

    :param value: a packet, or the fields of an invalid one.
    :param what: what to call it, such as ``packet``.
    """
    given = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    name = given.get("original_filename")
    if name is None and given.get("file_id") is not None:
        name = f"file {given['file_id']}"
    if name is None:
        media = given.get("media")
        path = media.get("path") if isinstance(media, Mapping) else getattr(media, "path", None)
        name = str(path).rpartition("/")[2] if path else None
    return f"{what} {number}" + (f" ({without_signatures(str(name))[:_NAME]})" if name is not None else "")


class Preparation:
    """Checks packets against the models, the media and the project, and builds the plan.

    :param target: dataset and labels.
    :param limits: how much is sent together.
    :ivar checked: number of packets that were checked.
    """

    def __init__(
        self, client: DiffgramClient, target: Target, path_of: PathOpener, limits: Limits = LIMITS
    ) -> None:
        directory_id, self._problems = _dataset_id(client, target.dataset)
        labels = Labels(client, target.label_schema, target.unknown_labels, target.origin)
        documents, blobs = Documents(path_of), Blobs(client, path_of)
        self.plan = Plan(directory_id, labels, documents, blobs, limits=limits)
        self.checked = 0
        self._check = _Check(client, self.plan, path_of, target)
        self._unshown = 0

    def problems_of(self, packet: Packet, where: str) -> list[str]:
        """Return what is wrong with a single packet that is valid for the model.

        :param where: how each problem begins, such as ``packet 3``.
        """
        self.checked += 1
        return self._check.problems(packet, where)

    def problems_of_all(self) -> list[str]:
        """Return what is wrong with the dataset, the schema, and the packets checked so far as a whole."""
        return [*self._problems, *self.plan.labels.schema_problems, *self._check.among_root_files()]

    def check_targets(self) -> None:
        """Check dataset and schema, which are known before the first packet.

        :raises InvalidValueError: if the dataset or the schema does not exist.
        """
        problems = [*self._problems, *self.plan.labels.schema_problems]
        if problems:
            raise InvalidValueError("packets", problems)

    def look_at(self, packets: Iterable[Candidate]) -> None:
        """Check some packets.

        :raises InvalidValueError: with every problem found; none of these packets was sent.
        :raises StorageError: if a storage fails, which may pass; none of these packets was sent.
        """
        self._check.begin()
        for packet in validated(Packet, packets, "packet", self.checked):
            where = place_of(packet, "packet", self.checked)
            self.checked += 1
            found = packet if isinstance(packet, list) else self._check.problems(packet, where)
            room = max(0, _SHOWN - len(self._problems))
            self._problems += found[:room]
            self._unshown += max(0, len(found) - room)
        self._problems += [*self.plan.labels.problems(), *self._check.among_root_files()]
        if self._problems:
            self.plan.documents.close()
            raise InvalidValueError("packets", self._problems, self._unshown)
        self.plan.unseen.tell()


def _dataset_id(client: DiffgramClient, dataset: str | int | None) -> tuple[int, list[str]]:
    try:
        return find_dataset(client, dataset).id, []
    except InvalidValueError as error:
        return 0, [f"{error.what}: {problem}" for problem in error.problems]


class _Check:
    """Checks packets one after another, asking for each target file once."""

    def __init__(self, client: DiffgramClient, plan: Plan, path_of: PathOpener, target: Target) -> None:
        self._client = client
        self._plan = plan
        self._path_of = path_of
        self._writes_files = target.writes_files
        self._compares_shapes = target.compares_shapes
        self._files: dict[int, File | None] = {}
        self._parents: dict[int, list[str]] = {}
        self._to_find: dict[int, File] = {}
        self._new_children: set[str] = set()
        self._asked, self._is_listed, self._worth_listing = 0, False, SEARCH_ONE_BY_ONE

    def begin(self) -> None:
        """Prepare to check more packets: the last listing of the dataset may be hours old."""
        self._asked, self._is_listed = 0, False

    def problems(self, packet: Packet, where: str) -> list[str]:
        """Return what is wrong with the files, names, labels and targets of a packet."""
        instances = packet.instances
        problems = [*self._plan.labels.note(instances), *repeated_references(packet)]
        if packet.media is not None:
            self._plan.unseen.note(where, misplaced(instances, packet.media.type))
        if self._compares_shapes:
            unmeasured = likeness.problems_of({each.type for each in instances})
            problems += [f"{each}, or set refresh={{'respect_people': False}}" for each in unmeasured]
        if packet.frame_packet_map or (packet.media is not None and packet.media.type == "video"):
            self._plan.media_types.add("video")
        if packet.media is not None and not isinstance(packet.media, PathMedia):
            self._plan.media_types.add(packet.media.type)
        if isinstance(packet.media, PathMedia):
            problems += self._path_problems(packet, packet.media, where)
            problems += frame_problems(packet, self._path_of)
        if isinstance(packet.media, BlobMedia):
            problems += self._plan.blobs.problems(packet.media)
        problems += self._name_problems(packet)
        if packet.parent_file_id is not None:
            if packet.parent_file_id not in self._parents:
                self._parents[packet.parent_file_id] = self._parent_problems(packet.parent_file_id)
            problems += self._parents[packet.parent_file_id]
        if packet.file_id is not None:
            problems += self._update_problems(packet, packet.file_id, where)
        return [f"{where}: {problem}" for problem in problems]

    def _path_problems(self, packet: Packet, media: PathMedia, where: str) -> list[str]:
        if isinstance(media, PageMedia):
            return self._plan.documents.problems(media)
        size, problems = measured(media, self._path_of)
        if not problems:
            problems = self._size_problems(packet, media, where)
        if not problems and is_large(packet, size, self._plan.limits.upload):
            problems = large_problems(packet, size, self._plan.limits.upload)
            self._plan.large.add(media.path)
            self._plan.media_types.add(media.type)
        return problems

    def _size_problems(self, packet: Packet, media: PathMedia, where: str) -> list[str]:
        try:
            too_large, outside = size_problems(media, self._path_of, packet.instance_list)
        except (OSError, ImportError, ValueError) as error:
            return [f"cannot read {media.path}: {error}"]
        self._plan.unseen.note(where, outside)
        return too_large

    def among_root_files(self) -> list[str]:
        """Return which parents are not in the dataset, and which new children have the name of a root file.

        Such children would fail on the server (server.md 3.5).
        """
        names, self._new_children = self._new_children, set()
        if not names or not self._plan.directory_id:
            return []
        parents = {parent.original_filename or "" for parent in self._to_find.values()}
        if len(names) > SEARCH_ONE_BY_ONE:
            self._list_new_root_files()
            names = {name for name in names if self._plan.known.names_root(name)}
            parents = set()
        wanted = None if len(names) > SEARCH_ONE_BY_ONE else sorted(names | parents)
        problems = []
        for file in root_files(self._client, self._plan.directory_id, wanted):
            self._to_find.pop(file.id, None)
            if file.original_filename in names:
                problems.append(
                    f"child {file.original_filename!r} has the name of file {file.id} in the dataset: give "
                    "it another original_filename"
                )
        elsewhere = [
            f"parent_file_id {parent.id} ({parent.original_filename}) is in another dataset"
            for parent in self._to_find.values()
        ]
        return [*elsewhere, *problems]

    def _list_new_root_files(self) -> None:
        """Record the root files that are newer than those of the last call; all of them at the first call."""
        known, before = self._plan.known, self._plan.known.newest_root()
        newest_first = root_files(self._client, self._plan.directory_id, None)
        for file in takewhile(lambda file: file.id > before, newest_first):
            known.add_root(file)
        for parent in list(self._to_find):
            if known.has_root(parent):
                del self._to_find[parent]

    def _name_problems(self, packet: Packet) -> list[str]:
        if packet.file_id is not None:
            return []
        try:
            name = name_of(packet)
        except InvalidValueError as error:
            return [f"{error.what}: {problem}" for problem in error.problems]
        if packet.parent_file_id is not None:
            parent, ordinal = packet.parent_file_id, packet.ordinal or 0
            if not self._plan.known.add_child(parent, name, ordinal):
                return [f"a second child {name!r} with ordinal {ordinal} for file {parent}"]
            self._new_children.add(name)
        elif not self._plan.known.add_packet(name):
            return [f"a second packet named {name!r}; give each its own original_filename"]
        return []

    def _parent_problems(self, file_id: int) -> list[str]:
        """Return why ``file_id`` cannot take children (server.md 4.2, rules 10 and 13)."""
        found = self._client.run(find_with_children(self._client.project, file_id))
        if found is None:
            return [f"parent_file_id {file_id}: no such file in project {self._client.project!r}"]
        parent, self._plan.there[file_id] = found
        if not (parent.type or "").startswith("compound"):
            return [f"parent_file_id {file_id} is of type {parent.type}, not a compound file"]
        if parent.removed:
            return [f"parent_file_id {file_id} ({parent.original_filename}) was removed in Diffgram"]
        self._to_find[file_id] = parent
        return []

    def _update_problems(self, packet: Packet, file_id: int, where: str) -> list[str]:
        file = self._file(file_id)
        if file is None:
            return [f"file_id {file_id}: no such file in project {self._client.project!r}"]
        if (file.type or "").startswith("compound") and not self._writes_files:
            told = "is a compound file: an update of it would hang in the queue for ever"
            return [f"file_id {file_id} {told}"]
        if file.removed:
            return [f"file_id {file_id} ({file.original_filename}) was removed in Diffgram"]
        if file.type == "video" and packet.instance_list:
            return [f"file_id {file_id} is a video: give frame_packet_map, not instance_list"]
        if file.type != "video" and packet.frame_packet_map:
            return [f"file_id {file_id} is of type {file.type}: give instance_list, not frame_packet_map"]
        self._plan.unseen.note(where, misplaced(packet.instances, file.type or ""))
        if not self._plan.known.add_target(file_id, replaces=packet.mode == "update_with_existing"):
            return [
                f"file_id {file_id}: several packets update this file, and one of them replaces its "
                "predictions. Diffgram may execute them in any order: merge them into one packet, or push "
                "them one at a time and wait after each"
            ]
        return frame_problems_of_file(packet, file)

    def _file(self, file_id: int) -> File | None:
        if file_id not in self._files:
            if len(self._files) >= _FILES_KEPT:
                self._files.pop(next(iter(self._files)))
            self._files[file_id] = self._listed(file_id) or self._found(file_id)
        return self._files[file_id]

    def _found(self, file_id: int) -> File | None:
        found = self._client.run(find_with_children(self._client.project, file_id))
        return found[0] if found else None

    def _listed(self, file_id: int) -> File | None:
        """Return a file from the listed dataset; None if it is not there, or while few files were asked for.

        The listing leaves out videos and compound files, of which more must be known.
        """
        self._asked += 1
        if not self._plan.directory_id or self._asked <= self._worth_listing:
            return None
        if not self._is_listed:
            self._list()
        return self._plan.known.listed(file_id)

    def _list(self) -> None:
        """List the dataset. The next listing is worth its requests only for as many files as it has pages."""
        self._is_listed, pages = True, 0
        self._plan.known.forget_listed()
        living = iter(root_files(self._client, self._plan.directory_id, None))
        while page := list(islice(living, self._plan.limits.page)):
            pages += 1
            self._plan.known.add_listed(file for file in page if file.type in _WITH_ONE_LIST)
        self._worth_listing = max(SEARCH_ONE_BY_ONE, pages)
