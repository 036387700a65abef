"""Uploads media, which the server ingests before it answers (server.md 2.8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

from ....client import DiffgramClient, DiffgramError, OutcomeUnknownError, RefusedError, routes
from ....client.request import Request, Steps, Upload, ask, pause
from ....models import File, Input, PageMedia, PathMedia
from ....models.problems import count_of
from ....models.received import UploadReply
from ...check.check import Plan
from ...check.wire import upload_body
from ...read.paths import PathOpener, upload_of
from ...read.remote import Medium
from ...server.files import SEARCH_ONE_BY_ONE, children_by_place, files_named, root_files
from ...server.once import send_once
from ...server.repair import archive, keep_oldest
from ...server.rows import has_ended
from ..decisions.item import ChildPlace, Item
from ..outcomes.tally import Tally
from ..pace.threads import Gate
from ..queue.settle import PATIENCE, followed
from ..queue.videos import until_ended
from .chunks import LargeUploads

_FAULTS = 3
"""If this many answers are 500 and no file exists, the server cannot ingest the medium."""

_POLL = 1.0
_LOOKS = (1.0, 2.0, 4.0)
"""Seconds before each look for an upload whose answer was lost: the server may still be working on it."""


@dataclass(frozen=True, slots=True)
class _Uploaded:
    name: str
    parent_file_id: int | None
    place: ChildPlace
    instances: int


class Uploads:
    """The uploads of one push, proved together at the end.

    :param plan: dataset and labels.
    :param tally: counts the bytes that are read.
    :param gate: admits as many uploads at once as the server can ingest.
    :ivar large: uploads media that are too large for one request.
    :ivar children: children by parent file id, as listed when uploads were last proved.
    """

    def __init__(
        self, client: DiffgramClient, plan: Plan, path_of: PathOpener, tally: Tally, gate: Gate
    ) -> None:
        self.large = LargeUploads(client, plan, path_of, tally.note_bytes)
        self._client = client
        self._plan = plan
        self._path_of = path_of
        self._tally = tally
        self._gate = gate
        self.children: dict[int, list[File]] = {}
        self._done: dict[int, _Uploaded] = {}

    def send(self, item: Item, medium: Medium | None = None) -> File | int:
        """Upload an item's medium with its predictions.

        :param medium: the medium, if it was read already; None for one with a path.
        :return: the id of the file that the server made of it; or the existing file with that name, which
            may be this very upload if its answer was lost.
        :raises RefusedError: if the server refused it, or could not ingest it.
        :raises OutcomeUnknownError: if the server does not answer.
        :raises StorageError: if the medium's storage fails, which may pass.
        """
        body = upload_body(item.packet, item.keys, directory_id=self._plan.directory_id)
        upload = self._upload_of(item) if medium is None else medium.upload(item.name)
        request = routes.upload_local(self._client.project, upload, body)
        faults = 0

        def give_up(error: OutcomeUnknownError) -> None:
            nonlocal faults
            faults += error.status == 500
            if faults == _FAULTS:
                raise _not_ingestible(item.name, error) from error

        for is_last in (False, True):
            answer = send_once(
                self._client,
                partial(self._sent, request),
                partial(self._look, item),
                looks=_LOOKS,
                patience=self._client.settings.retry_timeout,
                give_up=give_up,
            )
            if isinstance(answer, File):
                return answer
            row = self._client.run(self._until_ended(answer.input))
            if is_last or not row.hangs:
                break
            archive(self._client, [row], "a video that the server lost, to upload it again")
        return self._ended(item, row)

    def _sent(self, request: Request[UploadReply]) -> UploadReply | File:
        with self._gate.turn():
            self._client.clock.sleep(0)  # raises if the push must stop by now
            return self._client.send(request)

    def _upload_of(self, item: Item) -> Upload:
        media = item.packet.media
        assert isinstance(media, PathMedia)
        if isinstance(media, PageMedia):
            return self._plan.documents.upload(media, item.name, self._tally.note_bytes)
        return upload_of(media, item.name, self._path_of, self._tally.note_bytes)

    def _until_ended(self, row: Input) -> Steps[Input]:
        """Follow an input that was still under way when the answer came, as a video's frames may be."""
        project, input_id = self._client.project, row.id
        if input_id is None or row.succeeded or (row.failed and row.media_type != "video"):
            return row
        if row.media_type == "video":
            yield from until_ended(project, row)
            return (yield from ask(routes.view_input(project, input_id)))
        yield from pause(_POLL)
        return (yield from followed(project, input_id, PATIENCE))

    def _ended(self, item: Item, row: Input) -> File | int:
        if row.existing_file_id is not None and item.parent_file_id is None:
            return self._client.send(routes.view_file(self._client.project, row.existing_file_id))
        refused = not_ingested(item.name, row)
        if refused is not None:
            raise refused
        assert row.file_id is not None
        counted = len(item.keys.get("instance_list", []))  # of frames the server keeps no count
        self._done[row.file_id] = _Uploaded(item.name, item.parent_file_id, item.place, counted)
        return row.file_id

    def _look(self, item: Item) -> File | None:
        if item.parent_file_id is not None:
            children = self._client.send(routes.list_children(self._client.project, item.parent_file_id))
            found = children_by_place(children).get(item.place, [])
        else:
            found = files_named(self._client, self._plan.directory_id, item.name)
        return min(found, key=lambda file: file.id, default=None)

    @property
    def unproven(self) -> int:
        """Number of uploads that are not proved yet."""
        return len(self._done)

    def prove(self) -> Iterator[tuple[int, str, RefusedError | File]]:
        """Compare the stored counts with what was uploaded; yield id, name and finding of each difference.

        The finding is an error if a file lacks instances. It is another file if somebody uploaded the same
        medium at the same moment, because then all but the oldest file are archived.
        """
        by_parent: dict[int | None, dict[int, _Uploaded]] = defaultdict(dict)
        done, self._done = self._done, {}
        for file_id, uploaded in done.items():
            by_parent[uploaded.parent_file_id][file_id] = uploaded
        for parent, uploads in by_parent.items():
            files = self._tidied(parent, uploads.values())
            for file_id, uploaded in uploads.items():
                file = files.get(uploaded.place)
                if file is None:
                    continue  # somebody archived it meanwhile
                stored = file.count_instances_changed or 0
                if file.id != file_id:
                    yield file_id, uploaded.name, file
                elif stored < uploaded.instances:
                    sent = count_of(uploaded.instances, "instance")
                    told = (
                        f"upload {uploaded.name!r}: file {file_id} holds {stored:,} of {sent} although the "
                        "server said success"
                    )
                    yield file_id, uploaded.name, RefusedError(told)

    def _tidied(self, parent_file_id: int | None, uploads: Iterable[_Uploaded]) -> dict[ChildPlace, File]:
        """Archive what was uploaded twice, except the oldest; return the files that stay, by place."""
        places = {each.place for each in uploads}
        listed = children_by_place(self._since_the_look(parent_file_id, {name for name, _ in places}))
        same = {place: files for place, files in listed.items() if place in places}
        return keep_oldest(self._client, same, parent_file_id)

    def _since_the_look(self, parent_file_id: int | None, names: Collection[str]) -> Iterable[File]:
        """Return the children, or the root files with these names that are newer than the first look."""
        if parent_file_id is not None:
            listed = self._client.send(routes.list_children(self._client.project, parent_file_id))
            self.children[parent_file_id] = listed
            return listed
        few = names if len(names) <= SEARCH_ONE_BY_ONE else None
        before = self._plan.known.newest_file()
        newest_first = root_files(self._client, self._plan.directory_id, few)
        return newest_first if few else takewhile(lambda file: file.id > before, newest_first)


def not_ingested(name: str, row: Input) -> DiffgramError | None:
    """Return what went wrong with an upload, by the state of its input; None if it is ingested."""
    refused_frames = row.media_type == "video" and (row.update_log or {}).get("error")
    if row.succeeded and row.file_id is not None and not refused_frames:
        return None
    if not has_ended(row):
        return OutcomeUnknownError(
            f"upload {name!r}: input {row.id} is still {str(row.status)!r} after {PATIENCE:.0f} s. A "
            "retry finds what became of it"
        )
    return RefusedError(
        f"upload {name!r}: the server ingested it as {row.status}: {row.reason}"
        + (f" (file {row.file_id} holds the name now)" if row.file_id else ""),
        server_text=row.reason,
    )


def _not_ingestible(name: str, error: OutcomeUnknownError) -> RefusedError:
    """Return what repeated answers 500 mean: an empty file, or one that is not an image (server.md 2.8)."""
    return RefusedError(
        f"upload {name!r}: the server could not ingest it, {_FAULTS} times: is it a readable medium of its "
        f"extension? ({error.server_text})",
        status=error.status,
        server_text=error.server_text,
    )
