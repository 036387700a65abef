"""Writes people's annotations to files, and reads only what has changed since the last time.

A set is a folder with versions, each of which is complete and never changes again. Its ``manifest.json``
names the newest one and is written last, so a reader who starts there never sees half a set, however a pull
ended.
"""

from __future__ import annotations

import gzip
import logging
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import IO, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from ..client import DiffgramClient, routes
from ..ingest.check.lookup import find_dataset
from ..ingest.read.paths import PathOpener, universal_path
from ..models import File, Handle, InvalidValueError
from ..models.problems import count_of, not_one_of
from ..pulse import Progress, Pulse
from .chosen import files_of_handle
from .jobs import require_launched
from .sets.folder import Folder, Nowhere
from .sets.formats import FORMATS, WITH_SPLITS, FormatName, writer
from .sets.formats.core import FileNames, Format, LeftOut, check_split, split_of
from .sets.formats.yolo import SPLIT
from .sets.manifest import FILES, MANIFEST, Manifest, RemovedFile, newest, read_marks, version_of, write_marks
from .sets.media import MediaChoice, Shelves, bring_media, measured
from .sets.reading import content_of, contents, explored, is_many
from .sets.shelf import Shelf
from .sets.source import DatasetSource, FilesSource, JobSource, Sight, Source, children_of
from .sets.stored import Names, StoredFile, label_names, stored_file

_log = logging.getLogger(__name__)

Only = Literal["complete", "all"]
"""Files whose review people have finished, as their tasks tell; or every file."""

Unsupported = Literal["drop", "fail"]
"""What to do with annotations that the format cannot hold: count and leave them out, or refuse the pull."""

_LOOKS = 3
"""How many times the source is listed; the manifest names what still changes then."""

_SHOWN_REMOVED = 1000


_COUNTS = ("added", "changed", "kept", "removed")


class Pulled(BaseModel):
    """How a pull ended: small enough for an XCom.

    :param version: version of the set; the same as before if nothing changed.
    :param is_new: whether this pull made it.
    :param path: folder of the version.
    :param manifest: path of its manifest.
    :param moved: how many files kept changing while they were read.
    :param dataset: name of the dataset that was pulled; None for the files of a job, or named ones.
    :param directory_id: its id.
    :param previous: the previous version; None for the first one.
    :param files: how many files the version has.
    :param instances: how many annotations.
    :param added: files that are new.
    :param changed: files whose annotations changed.
    :param kept: files that have not changed.
    :param removed: files that are gone.
    :param left_out: what the format cannot hold -> how many.
    :param clipped: what reached beyond its picture and was clipped -> how many.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    previous: str | None
    is_new: bool
    path: str
    manifest: str
    files: int
    instances: int
    added: int
    changed: int
    kept: int
    removed: int
    moved: int = 0
    left_out: dict[str, int] = {}
    clipped: dict[str, int] = {}
    dataset: str | None = None
    directory_id: int | None = None

    def to_xcom(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")

    def summary(self) -> str:
        """Return one line for a log."""
        head = f"version {self.version}" if self.is_new else f"nothing changed since version {self.version}"
        counts = ", ".join(f"{getattr(self, name):,} {name}" for name in _COUNTS)
        left_out = "".join(f"; left out: {count:,} x {what}" for what, count in self.left_out.items())
        left_out += "".join(f"; cut: {count:,} x {what}" for what, count in self.clipped.items())
        moved = f"; {self.moved:,} changed while they were read" if self.moved else ""
        held = f"{count_of(self.files, 'file')}, {count_of(self.instances, 'annotation')}"
        return f"{head}: {held} ({counts}){left_out}{moved}"


@dataclass(frozen=True)
class Options:
    """How a set is written.

    :param format: one of :data:`~.sets.formats.FORMATS`.
    :param split: for YOLO: part -> share of the pictures. None means 80 % ``train`` and 20 % ``val``.
    :param unsupported: what to do with annotations that the format cannot hold: ``drop`` and count them, or
        ``fail``.
    :param media: ``none``; ``link`` writes the address of each medium; ``copy`` downloads them.
    """

    format: FormatName = "packets"
    split: Mapping[str, float] | None = None
    unsupported: Unsupported = "drop"
    media: MediaChoice = "none"

    def check(self) -> list[str]:
        """Return what is wrong with it."""
        problems = not_one_of("format", self.format, FORMATS)
        problems += not_one_of("unsupported", self.unsupported, get_args(Unsupported))
        problems += not_one_of("media", self.media, get_args(MediaChoice))
        if self.split is not None:
            if self.format not in WITH_SPLITS:
                problems.append(f"split is for YOLO, not for {self.format}")
            problems += check_split(self.split)
        return problems

    def told(self) -> dict[str, Any]:
        """Return what decides how a set is written, for its manifest and its version."""
        split = None if self.split is None else dict(self.split)
        return {"format": self.format, "split": split, "media": self.media}


def pull(
    client: DiffgramClient,
    path: str,
    *,
    dataset: str | int | None = None,
    job: int | None = None,
    handle: Handle | Sequence[Handle] | None = None,
    file_ids: Iterable[int] | None = None,
    only: Only = "complete",
    options: Options | None = None,
    path_of: PathOpener = universal_path,
    progress: Progress | None = None,
) -> Pulled:
    """Write the annotations of files to a folder, as a new version unless nothing changed.

    Give exactly one of ``dataset``, ``job``, ``handle`` and ``file_ids``. Compound files come with their
    children in order, videos by frame. With a folder that it has written before, it reads only what has
    changed: listings of 1000 files show that, then it reads the changed files, in pages of 500 if there are
    many.

    :param client: connected to the project.
    :param options: format, split and other choices. None means the defaults of ``Options``.
    :param path: a folder for this set alone, local or in object storage.
    :param dataset: name or id of the dataset.
    :param job: id of the job.
    :param handle: handle of a push, or of several.
    :param file_ids: ids of files of the project.
    :param only: ``complete`` takes files whose tasks are all complete (for a job, its tasks); ``all`` takes
        every file.
    :param path_of: opens paths.
    :param progress: called after each file that is read with how many were read, and how many are to be.
    :raises InvalidValueError: if an argument is wrong, the folder holds another set, or the format cannot
        hold everything and ``unsupported`` is ``fail``. Nothing is written then.
    :raises JobStateError: if the job is a draft, is archived or does not exist.
    :raises DiffgramError: if the server cannot be read. The newest version stays as it was.
    """
    options = options or Options()
    given = {"dataset": dataset, "job": job, "handle": handle, "file_ids": file_ids}
    named = [name for name, value in given.items() if value is not None]
    problems = options.check()
    if len(named) != 1:
        problems.append(f"give one of {', '.join(given)}, not {' and '.join(named) or 'none'}")
    problems += not_one_of("only", only, get_args(Only))
    if problems:
        raise InvalidValueError("pull", problems)
    try:
        write = writer(options.format, options.split)
    except ImportError as error:
        raise InvalidValueError("format", [str(error)]) from error
    only_done = only == "complete"
    source: Source
    if dataset is not None:
        named_dataset = find_dataset(client, dataset)
        source = DatasetSource(client, named_dataset.id, only_done=only_done, name=named_dataset.nickname)
    elif job is not None:
        client.run(require_launched(client.project, job))
        source = JobSource(client, job, only_done=only_done)
    else:
        handles = [handle] if isinstance(handle, Handle) else list(handle or ())
        ids = [each for one in handles for each in files_of_handle(client, one, path_of)]
        likely = handles[0].directory_id if handles else None
        wanted = ids if handle is not None else file_ids or ()
        source = FilesSource(client, wanted, only_done=only_done, likely=likely)
    with closing(Shelf()) as shelf:
        folder = Folder(path, path_of)
        return _Pull(client, folder, source, only, options, write, shelf, progress=progress).run()


@dataclass
class _Pull:
    """One pull.

    :ivar labels: ids of labels that were met, with their names as the server told them with annotations.
    :ivar samples: id of a model -> a file that was read and holds something of it.
    :ivar moved: files that still moved in the end.
    :ivar any_dataset: of the project, once one was asked for.
    :ivar read: how many files were read.
    :ivar to_read: how many that will be, while it is known.
    """

    client: DiffgramClient
    folder: Folder
    source: Source
    only: Only
    options: Options
    write: Format
    shelf: Shelf
    last: Manifest | None = None
    labels: dict[int, str] = field(default_factory=dict)
    samples: dict[int, int] = field(default_factory=dict)
    runs_met: set[int] = field(default_factory=set)
    moved: list[int] = field(default_factory=list)
    any_dataset: int | None = None
    pulse: Pulse = field(default_factory=lambda: Pulse("read"))
    progress: Progress | None = None
    read: int = 0
    to_read: int | None = None

    def run(self) -> Pulled:
        """Read what changed, and write a version if there is a new one."""
        self.pulse.begin(self.client.clock.monotonic())
        self.last = self._last()
        self._read()
        names = self._names()
        about = {**self._about(), **self.options.told()}
        version = version_of(about, self._identities(), names)
        if self.last is not None and self.last.version == version:
            return self._nothing_new(self.last)
        with tempfile.TemporaryFile() as spool:
            self._gather(spool, names)
            return self._publish(_Lines(spool), version, names)

    def _about(self) -> dict[str, Any]:
        return {
            "server": self.client.settings.base_url,
            "project": self.client.project,
            "source": self.source.key,
            "only": self.only,
        }

    def _last(self) -> Manifest | None:
        """Return the newest version, and take note of its marks; None if there is none to go on from."""
        found = newest(self.folder)
        if found is None:
            return None
        told = found.model_dump(include={"server", "project", "source", "only"})
        if told != self._about():
            cause = f"{self.folder} holds another set, {told}: give each set a folder of its own"
            raise InvalidValueError("path", [cause])
        marks = read_marks(self.folder, found)
        if marks is None:
            return None
        self.shelf.know(marks)
        self.labels.update(found.labels)
        return found

    # Reading

    def _read(self) -> None:
        """Read until nothing moved between the reading and the look after it, or too often."""
        if self.last is None and self.source.directory_id is not None and self.only == "all":
            self._explore(self.source.directory_id)
        for looks in range(1, _LOOKS + 1):
            brought = self._look()
            wanted = self.shelf.to_read()
            if not wanted and not brought:
                return
            if looks == _LOOKS:
                self.moved = sorted({*brought, *(file_id for file_id, _ in wanted)})
                _log.warning("%s changed again while this was read", count_of(len(self.moved), "file"))
            self._fetch(wanted)

    def _look(self) -> list[int]:
        """Look at the source; return the files whose content came along and is another than was known."""
        self.shelf.look_anew()
        brought = []
        for sight in self.source.look():
            if sight is None:
                self.shelf.look_anew()
            elif self._seen(sight):
                brought.append(sight.member.id)
        compounds = self.shelf.compounds()
        return brought + [
            sight.member.id for sight in children_of(self.client, compounds) if self._seen(sight)
        ]

    def _seen(self, sight: Sight) -> bool:
        member, file = sight.member, sight.file
        self.shelf.see([member])
        if file is None or self.shelf.mark_of(member.id) == member.mark:
            return False
        if sight.parent is not None:
            self._keep(stored_file(file, parent=sight.parent), file)
        else:
            self._keep(content_of(self.client, file, self._dataset_for([member.type])), file)
        return True

    def _dataset_for(self, kinds: Iterable[str]) -> int | None:
        """Return a dataset to ask for frames of videos with: the files' own, or else any of the project.

        :param kinds: types of the files.
        """
        if self.source.directory_id is not None or "video" not in kinds:
            return self.source.directory_id
        if self.any_dataset is None:
            found = self.client.send(routes.list_datasets(self.client.project, limit=1))
            self.any_dataset = found[0].id if found else None
        return self.any_dataset

    def _fetch(self, wanted: list[tuple[int, str]]) -> None:
        """Read files: datasets of which many are wanted by pages, and what is left singly."""
        in_all = self.source.datasets.total()
        for dataset, members in self.source.datasets.most_common():
            about = len(wanted) * members // in_all
            if not is_many(about, members):
                break
            listing = self.client.send(routes.list_files(self.client.project, dataset, limit=1))
            if is_many(about, listing.metadata.file_count or members):
                self._explore(dataset, {file_id for file_id, _ in wanted})
                wanted = self.shelf.to_read()
        for_videos = self._dataset_for(kind for _, kind in wanted)
        self.to_read = self.read + len(wanted)
        for stored, file in contents(self.client, wanted, for_videos):
            self._keep(stored, file)
        self.to_read = None

    def _explore(self, dataset: int, wanted: set[int] | None = None) -> None:
        """Read pages of a dataset.

        :param wanted: the files to keep of them; None for all.
        """
        for file in explored(self.client, dataset):
            if file.type != "video" and not file.removed and (wanted is None or file.id in wanted):
                self._keep(stored_file(file), file)

    def _keep(self, stored: StoredFile, file: File) -> None:
        if stored.type == "image" and stored.width is None:
            stored = measured(self.client, stored)
        self.labels.update(label_names(file.instance_list))
        for row in stored.rows():
            if isinstance(row.get("model_id"), int):
                self.samples.setdefault(row["model_id"], stored.id)
            if isinstance(row.get("model_run_id"), int):
                self.runs_met.add(row["model_run_id"])
        self.shelf.put(stored, file.time_last_updated)
        self.read += 1
        line = self.pulse.beat(self.client.clock.monotonic(), self.read, self.to_read)
        if line is not None:
            _log.info("%s", line)
        if self.progress is not None:
            self.progress(self.read, self.to_read, 0)

    # Names

    def _names(self) -> Names:
        """Return what the ids of the set are called now."""
        last = self.last.names if self.last is not None else Names()
        labels = dict(self.labels)
        if labels:
            for schema in self.client.send(routes.list_schemas(self.client.project)):
                listed = self.client.send(routes.list_labels(self.client.project, schema.id))
                labels |= {each.id: each.name for each in listed.labels_out if each.id in labels}
        runs = dict(last.runs)
        if self.runs_met - runs.keys():
            listed_runs = self.client.send(routes.list_model_runs(self.client.project))
            told = {each.id: each.reference_id for each in listed_runs if each.reference_id is not None}
            runs |= {each: told[each] for each in self.runs_met if each in told}
        models = dict(last.models)
        for model_id, file_id in sorted(self.samples.items()):
            if model_id not in models:
                reference = self._model_ref(model_id, file_id)
                if reference is not None:
                    models[model_id] = reference
        return Names(labels, models, runs)

    def _model_ref(self, model_id: int, file_id: int) -> str | None:
        """Return the reference of a model: only inputs tell it, and only while they are kept."""
        inputs = self.client.send(
            routes.list_inputs(self.client.project, file_id=file_id, show_archived=True)
        )
        for row in inputs:
            frames = (row.frame_packet_map or {}).values()
            for each in [*row.instance_list, *(each for frame in frames for each in frame)]:
                if isinstance(each, dict) and each.get("model_id") == model_id and each.get("model_ref"):
                    return str(each["model_ref"])
        return None

    # Writing

    def _identities(self) -> Iterator[tuple[Any, ...]]:
        for entry in self.shelf.entries():
            member = entry.member
            yield member.id, member.name, member.status, member.root, member.place, entry.digest

    def _nothing_new(self, last: Manifest) -> Pulled:
        """Keep the version; note only what the next pull compares with, if that moved."""
        if self.shelf.marks_moved():
            marks = write_marks(self.folder, self.shelf.marks())
            self.folder.write(MANIFEST, last.model_copy(update={"marks": marks}).to_bytes())
            if marks != last.marks:
                self.folder.remove(last.marks)
        files, instances = last.files, last.instances
        return self._pulled(
            last.model_copy(
                update={"added": 0, "changed": 0, "kept": files, "removed": 0, "instances": instances}
            ),
            is_new=False,
        )

    def _gather(self, spool: IO[bytes], names: Names) -> None:
        """Write all files of the set to ``spool``, those that did not change from the last version."""
        with (
            gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=1, mtime=0) as packed,
            closing(self._earlier()) as earlier,
        ):
            same_names = self.last is not None and names.agrees_with(self.last.names)
            for entry in self.shelf.entries():
                if entry.line is None:
                    line = _line_of(earlier, entry.member.id)
                    if same_names and entry.is_same:
                        packed.write(line)
                        continue
                    stored = StoredFile.from_json(line)
                else:
                    stored = StoredFile.from_json(entry.line)
                written = replace(stored.named(names), task_status=entry.member.status).to_json()
                packed.write(written.encode("utf-8", "replace") + b"\n")
        spool.flush()

    def _earlier(self) -> Generator[bytes, None, None]:
        """Yield the lines of the last version; it is not opened before the first one is asked for."""
        if self.last is None:
            return
        with (
            self.folder.below(self.last.version).reading(FILES) as raw,
            gzip.GzipFile(fileobj=raw, mode="rb") as unpacked,
        ):
            yield from iter(unpacked.readline, b"")

    def _publish(self, lines: _Lines, version: str, names: Names) -> Pulled:
        """Write the version's files, then its manifest, then the folder's."""
        file_names = FileNames(self.shelf.doubled_keys())
        left_out = LeftOut()
        if self.options.unsupported == "fail":
            self.write(lines, Nowhere(), file_names, left_out)
            if left_out.counts or left_out.clipped:
                counts = [f"{count} x {what}" for what, count in sorted(left_out.counts.items())]
                counts += [f"{count} x {what}, cut" for what, count in sorted(left_out.clipped.items())]
                raise InvalidValueError(
                    f"format {self.options.format} cannot hold", [*counts, *left_out.examples]
                )
        place = self.folder.below(version)
        is_there = place.read(MANIFEST) is not None  # as it was once before, and whole
        if not is_there:
            if self.options.media != "none":
                copies = self.options.media == "copy"
                bring_media(self.client, lines, Shelves(self.folder, place), file_names, self._part, copies)
            self.write(lines, place, file_names, left_out)
            with place.open(FILES) as out:
                lines.copy_to(out)
        else:
            self.write(lines, Nowhere(), file_names, left_out)
        change = self.shelf.change()
        manifest = Manifest(
            version=version,
            previous=None if self.last is None else self.last.version,
            pulled_at=datetime.now(UTC).isoformat(timespec="seconds"),
            **self._about(),
            options=self.options.told(),
            files=change.added + change.changed + change.kept,
            instances=sum(entry.count for entry in self.shelf.entries()),
            added=change.added,
            changed=change.changed,
            kept=change.kept,
            removed=change.removed,
            removed_files=[
                RemovedFile(id=file_id, name=name) for file_id, name in self.shelf.removed(_SHOWN_REMOVED)
            ],
            left_out=dict(left_out.counts),
            clipped=dict(left_out.clipped),
            left_out_examples=left_out.examples,
            moved=self.moved,
            labels=dict(names.labels),
            models=dict(names.models),
            runs=dict(names.runs),
        )
        if not is_there:
            place.write(MANIFEST, manifest.to_bytes())
        marks = write_marks(self.folder, self.shelf.marks())
        self.folder.write(MANIFEST, manifest.model_copy(update={"marks": marks}).to_bytes())
        if self.last is not None and self.last.marks != marks:
            self.folder.remove(self.last.marks)
        return self._pulled(manifest, is_new=True)

    def _part(self, file: StoredFile) -> str:
        """Return the folder of a version that a picture belongs into."""
        if self.options.format in WITH_SPLITS:
            return f"images/{split_of(file, self.options.split or SPLIT)}"
        return "images"

    def _pulled(self, manifest: Manifest, *, is_new: bool) -> Pulled:
        place = f"{self.folder}/{manifest.version}"
        names = ("version", "previous", "files", "instances", *_COUNTS, "left_out", "clipped")
        return Pulled(
            **{name: getattr(manifest, name) for name in names},
            is_new=is_new,
            path=place,
            manifest=f"{place}/{MANIFEST}",
            moved=len(self.moved),
            dataset=self.source.name,
            directory_id=self.source.directory_id,
        )


def _line_of(lines: Iterator[bytes], file_id: int) -> bytes:
    """Return the line of a file, from lines in the order of the set.

    :raises InvalidValueError: if it is missing: somebody changed the version.
    """
    beginning = b'{"id":%d,' % file_id
    for line in lines:
        if line.startswith(beginning):
            return line
    raise InvalidValueError(
        "last version", [f"its {FILES} lacks file {file_id}: remove manifest.json, so that all is read anew"]
    )


class _Lines:
    """The files of a set in a temporary file, good for several iterations."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool

    def __iter__(self) -> Iterator[StoredFile]:
        self._spool.seek(0)
        with gzip.GzipFile(fileobj=self._spool, mode="rb") as unpacked:
            for line in unpacked:
                yield StoredFile.from_json(line)

    def copy_to(self, out: Any) -> None:
        """Write it as it is."""
        self._spool.seek(0)
        while piece := self._spool.read(2**20):
            out.write(piece)
