"""Which files a task should have reviewed: ids, the output of other tasks, a report, or a record.

Input that does not name all of its files is refused, because nobody would miss a file that is not reviewed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ..client import DiffgramClient, routes
from ..ingest.read.jsonlines import JsonLines
from ..ingest.read.paths import PathOpener
from ..ingest.server.files import root_files
from ..models import Handle, InputRow, InvalidValueError, Receipt, SentBatch
from ..models.problems import count_of, describe
from ..models.recorded import Recorded
from .select import Candidate

_NOT_THERE = ("failed", "unknown", "missing", "archived", "not_sent", "stuck")
"""Outcomes in a report of packets that did not arrive: nobody can review them."""

_SHOWN = 5


def file_ids_of(client: DiffgramClient, given: Any, path_of: PathOpener) -> list[int]:
    """Return the ids of the files that a task was given, each once.

    :param given: an id, ids, the output of an operator or a sensor of this package, any of these as JSON, or
        the path of a JSON Lines file: a report, a record, a selection. Lists may mix them. Children stand for
        their compound file, because people review it as a whole.
    :raises InvalidValueError: if it is something else, or does not name all of its files.
    """
    return list(dict.fromkeys(_ids(client, given, path_of)))


def candidates_of(client: DiffgramClient, given: Any, path_of: PathOpener) -> Iterator[Candidate]:
    """Yield files with their predictions, or without them if only ids are given.

    :param given: as in :func:`file_ids_of`; predictions are in records, and in handles that name one.
    """
    if isinstance(given, Mapping) and isinstance(given.get("record"), str):
        handle = _model(Handle, given)
        yield from _Lines(client, handle.record, path_of, handle.batches).files()
        return
    if isinstance(given, str) and _is_path(given):
        yield from _of_record(client, given, path_of)
        return
    yield from (Candidate(file_id) for file_id in file_ids_of(client, given, path_of))


def predictions_of(
    client: DiffgramClient, given: Any, path_of: PathOpener
) -> dict[int, tuple[Mapping[str, Any], ...]]:
    """Return the predictions of each file in a record, or in the record of a handle."""
    return {each.file_id: tuple(each.predictions) for each in candidates_of(client, given, path_of)}


def _ids(client: DiffgramClient, given: Any, path_of: PathOpener) -> Iterator[int]:
    if isinstance(given, str):
        if _is_path(given):
            yield from (each.file_id for each in _of_record(client, given, path_of))
            return
        yield from _ids(client, _parsed(given), path_of)
    elif isinstance(given, bool) or given is None:
        raise _wrong(given)
    elif isinstance(given, int):
        if given < 1:
            raise _wrong(given)
        yield given
    elif isinstance(given, Mapping):
        yield from _of_returned(client, given, path_of)
    elif isinstance(given, Iterable):
        for each in given:
            yield from _ids(client, each, path_of)
    else:
        raise _wrong(given)


def _is_path(text: str) -> bool:
    text = text.strip()
    return bool(text) and text[0] not in "[{" and not text.isdecimal()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise InvalidValueError("files", [f"not JSON: {text[:60]!r}"]) from None


def _wrong(given: Any) -> InvalidValueError:
    return InvalidValueError(
        "files",
        [
            "must be ids of files, what a task of this package returned, or the path of a report or record, "
            f"not {given!r:.60}"
        ],
    )


def _of_returned(client: DiffgramClient, given: Mapping[str, Any], path_of: PathOpener) -> Iterator[int]:
    """Return the files that a task returned."""
    if "batches" in given:
        yield from files_of_handle(client, _model(Handle, given), path_of)
    elif "succeeded" in given and "expected" in given:
        yield from _of_receipt(_model(Receipt, given))
    elif isinstance(given.get("file_ids"), list):
        yield from _ids(client, given["file_ids"], path_of)
    elif "file_id" in given:
        yield from _ids(client, given["file_id"], path_of)
    elif "requested" in given:
        cause = (
            f"the task returned no ids, since {count_of(given['requested'], 'file')} are too many: set its "
            "report, and give that path here"
        )
        raise InvalidValueError("files", [cause])
    else:
        raise _wrong(dict(given))


def _model(kind: Any, given: Mapping[str, Any]) -> Any:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise InvalidValueError("files", describe(error)) from None


def _of_receipt(receipt: Receipt) -> Iterator[int]:
    there = receipt.succeeded + receipt.skipped
    if len(receipt.file_ids) < there:
        raise InvalidValueError(
            "files",
            [
                f"the receipt names {len(receipt.file_ids):,} of {there:,} files: give the path of the "
                "wait's report or of the push's record, which name all of them"
            ],
        )
    yield from receipt.file_ids


def files_of_handle(client: DiffgramClient, handle: Handle, path_of: PathOpener) -> Iterator[int]:
    """Yield the files that a push sent or found, from its record, or from its handle and its inputs.

    Children stand for their compound file.

    :param path_of: opens the record.
    :raises InvalidValueError: if the handle belongs to another project, does not name all files, or some have
        not arrived yet.
    """
    if handle.project != client.project:
        cause = f"the handle belongs to project {handle.project!r}, the connection to {client.project!r}"
        raise InvalidValueError("files", [cause])
    if handle.record is not None:
        lines = _Lines(client, handle.record, path_of, handle.batches)
        yield from (each.file_id for each in lines.files())
        return
    told: list[int] = list(getattr(handle, "file_ids", []))
    untold = handle.skipped + handle.done_at_send - len(told)
    if untold > 0:
        raise InvalidValueError(
            "files",
            [
                f"the handle does not name {untold:,} of {handle.expected:,} files, which were there already "
                "or ingested at once: push with record, or name a job"
            ],
        )
    yield from told
    for batch in handle.batches:
        yield from _of_batch(client, batch)


def _rows(client: DiffgramClient, batch: SentBatch) -> list[InputRow]:
    if batch.id is None and batch.parent_file_id is None:
        return [client.send(routes.view_row(client.project, each)) for each in batch.only or []]
    rows = client.send(
        routes.list_rows(client.project, batch_id=batch.id, parent_file_id=batch.parent_file_id)
    )
    return [row for row in rows if batch.only is None or row.id in batch.only]


def _of_batch(client: DiffgramClient, batch: SentBatch) -> Iterator[int]:
    wanted = _rows(client, batch)
    unknown = [row.original_filename or f"input {row.id}" for row in wanted if _is_pending(row)]
    if unknown:
        shown, inputs = ", ".join(unknown[:_SHOWN]), count_of(len(unknown), "input")
        raise InvalidValueError(
            "files",
            [f"{inputs} of the handle not in yet, such as {shown}: wait for them first"],
        )
    for row in wanted:
        file_id = row.parent_file_id or row.file_id
        if file_id is not None and row.succeeded:
            yield file_id


def _is_pending(row: InputRow) -> bool:
    return not row.failed and not (row.succeeded and bool(row.file_id or row.parent_file_id))


def _of_record(client: DiffgramClient, path: str, path_of: PathOpener) -> Iterator[Candidate]:
    """Yield the files of a report, a record or a selection; a later line of a name replaces an earlier one.

    :raises InvalidValueError: if a line is something else, or does not name its file.
    """
    yield from _Lines(client, path, path_of).files()


class _Lines:
    """A JSON Lines file that names files.

    :param batches: of the push whose record it is: what failed in them has no file.
    """

    def __init__(
        self, client: DiffgramClient, path: str, path_of: PathOpener, batches: Iterable[SentBatch] = ()
    ) -> None:
        self._client = client
        self._path = path
        self._batches = batches
        self._lines = JsonLines(path, "line", path_of)
        self._by_name: dict[tuple[int, str], int] | None = None

    def files(self) -> Iterator[Candidate]:
        """Yield them, and refuse at the end if some lines named none."""
        untold: list[str] = []
        told: dict[str, tuple[Any, Candidate | None]] = {}
        lines = 0
        for line in self._lines:
            if not isinstance(line, Mapping):
                raise InvalidValueError("files", list(line))
            lines += 1
            found = self._of(line)
            if "outcome" in line:
                told[str(line.get("name"))] = line["outcome"], found
            elif found is not None:
                yield found
            else:
                untold.append(str(line.get("name", "a line without a name")))
        for name, (outcome, found) in told.items():
            if outcome in _NOT_THERE:
                continue
            if found is not None:
                yield found
            else:
                untold.append(name)
        if untold:
            rows = (row for each in self._batches for row in _rows(self._client, each))
            failed = {row.original_filename for row in rows if row.failed}
            untold = [name for name in untold if name not in failed]
        if untold or not lines:
            raise InvalidValueError("files", [self._refusal(untold)])

    def _refusal(self, untold: list[str]) -> str:
        if not untold:
            return f"{self._path} has no line, so it names no file"
        shown = ", ".join(islice(untold, _SHOWN))
        return (
            f"{self._path} names no file in {count_of(len(untold), 'line')}, such as {shown}: give the "
            "report of the wait, which is written when everything is in"
        )

    def _of(self, line: Mapping[str, Any]) -> Candidate | None:
        if "packet" not in line:
            return _candidate(line.get("parent_file_id") or line.get("file_id"))
        record = _model(Recorded, line)
        file_id = record.parent_file_id or record.file_id
        if file_id is None and record.directory_id is not None:
            file_id = self._named(record.directory_id, record.name)
        values = record.packet.model_dump(mode="json", by_alias=True, exclude_none=True)
        return _candidate(file_id, values.get("instance_list", ()))

    def _named(self, directory_id: int, name: str) -> int | None:
        """Return the file of a name that went through the queue: the record was written before it existed."""
        if self._by_name is None:
            self._by_name = {}
        if not any(known == directory_id for known, _ in self._by_name):
            for file in root_files(self._client, directory_id, None):
                self._by_name[directory_id, file.original_filename or ""] = file.id
        return self._by_name.get((directory_id, name))


def _candidate(file_id: Any, predictions: Iterable[Mapping[str, Any]] = ()) -> Candidate | None:
    if not isinstance(file_id, int) or isinstance(file_id, bool) or file_id < 1:
        return None
    return Candidate(file_id, tuple(predictions))


def job_id_of(given: Any) -> int:
    """Return the id of a job from an id, the id as text, or the output of the operator that creates jobs.

    :raises InvalidValueError: if it is none of these.
    """
    value = given.get("job_id") if isinstance(given, Mapping) else given
    if isinstance(value, str) and value.strip()[:1] == "{":
        return job_id_of(_parsed(value))
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or int(text) < 1:
        raise InvalidValueError("job", [f"job must be the id of a job, not {given!r:.60}"])
    return int(text)
