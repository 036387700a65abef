"""Proves successes: a row claims success before its predictions are stored (server.md 3.2, 2.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...client import RefusedError, routes
from ...client.request import Steps, ask, ask_together
from ...models import File, InputRow
from ...models.problems import count_of
from ..limits import LIMITS, Limits
from ..server.files import read_files
from ..server.past import Rows, looking_back
from ..server.rewrite import can_be_rewritten, count_gone
from .compare import Compared, compare, distinct, instance_in_words
from .stored_frames import missing_in_frames
from .verdicts import Verdict

_LOOKED_BACK = 10
"""Number of files whose past is read in one poll; each takes up to 400 requests."""


@dataclass(frozen=True, slots=True)
class Prover:
    """Settles successes, and failures that may only mean that the file already existed.

    :param verify: ``counts``, ``instances`` or ``status``.
    :param directory_id: dataset of the files; None to use the dataset of each row.
    :param parent_file_id: compound file whose children they are; None for root files.
    """

    project: str
    verify: str
    directory_id: int | None
    parent_file_id: int | None
    limits: Limits = LIMITS

    def prove(self, rows: Iterable[InputRow], late: Container[int]) -> Steps[dict[int, Verdict]]:
        """Return the verdicts on the ``rows`` that can be settled now, by id.

        :param late: inputs whose instances should be stored by now.
        """
        found: dict[int, Verdict] = {}
        made: list[InputRow] = []
        changed: list[InputRow] = []
        for row in rows:
            if row.media_type == "video":
                found |= yield from self._video(row, late)
            elif self.verify == "status" and row.succeeded:
                if row.id in late:
                    found[row.id] = Verdict.of("succeeded", row)
            else:
                (made if row.mode is None else changed).append(row)
        found |= yield from self._files(made, late)
        found |= yield from self._updates(changed, late)
        return found

    def _video(self, row: InputRow, late: Container[int]) -> Steps[dict[int, Verdict]]:
        """Settle a video once it is late: failure may become success, and success failure (quirk 52)."""
        if row.id not in late:
            return {}
        if row.failed or (row.update_log or {}).get("error"):
            return {row.id: Verdict.of("failed", row, row.reason)}
        missing: list[str] = []
        if self.verify != "status" and not row.video_was_split:
            missing = yield from missing_in_frames(self.project, row, self.directory_id or row.directory_id)
        if missing:
            return {row.id: _lacking(row, missing)}
        return {row.id: Verdict.of("succeeded", row)}

    def _files(self, rows: Sequence[InputRow], late: Container[int]) -> Steps[dict[int, Verdict]]:
        files = yield from self._read(rows, late)
        found: dict[int, Verdict] = {}
        whole: list[InputRow] = []
        partial: list[InputRow] = []
        for row in rows:
            file = files.get(_file_of(row))
            stored = None if file is None else file.count_instances_changed
            if file is not None and file.removed:
                found[row.id] = Verdict.of("archived", row, f"file {file.id} was removed")
            elif row.failed:
                if stored is not None:
                    found[row.id] = Verdict.of("skipped", row)
                elif row.id in late:
                    why = f"file {row.existing_file_id} has the name already, without predictions"
                    found[row.id] = Verdict.of("failed", row, why)
            elif _is_all(stored, row.instance_list):
                whole.append(row)
            elif row.id in late and stored:
                partial.append(row)
            elif row.id in late:
                found[row.id] = _lacking(row, [instance_in_words(each) for each in row.instance_list])
        if self.verify != "instances":
            few = self.limits.files_compared
            found |= {row.id: Verdict.of("succeeded", row) for row in whole}
            found |= {row.id: _lacking_some(row, files[_file_of(row)]) for row in partial[few:]}
            whole, partial = [], partial[:few]
        compared = yield from self._compared([*whole, *partial], late)
        return compared | found

    def _read(self, rows: Sequence[InputRow], late: Container[int]) -> Steps[dict[int, File]]:
        """Return the files that inputs made or collided with, by id."""
        wanted: dict[int | None, set[int]] = defaultdict(set)
        for row in rows:
            if _file_of(row):
                wanted[self.directory_id or row.directory_id].add(_file_of(row))
        files: dict[int, File] = {}
        for directory, ids in wanted.items():
            if directory is not None or self.parent_file_id is not None:
                files |= yield from read_files(self.project, directory or 0, ids, self.parent_file_id)
        # Not in the dataset: a person removed or moved them.
        lost = {_file_of(row) for row in rows if row.succeeded and row.id in late} - files.keys() - {0}
        viewed = yield from ask_together(routes.view_file(self.project, each) for each in sorted(lost))
        return files | {file.id: file for file in viewed}

    def _updates(self, rows: Iterable[InputRow], late: Container[int]) -> Steps[dict[int, Verdict]]:
        # Until a replacement is done, the file looks the same: wait until it is late (server.md 3.2).
        ready = [row for row in rows if row.mode != "update_with_existing" or row.id in late]
        return (yield from self._compared(ready, late))

    def _compared(self, rows: Sequence[InputRow], late: Container[int]) -> Steps[dict[int, Verdict]]:
        """Compare the instances of files with those of the inputs, file by file.

        If a file lacks some and rows of it were removed, its past is read, because somebody may have removed
        them since. Each poll does that for a few files; the verdict on the others comes with a later poll.
        """
        found: dict[int, Verdict] = {}
        known, left = Rows(), _LOOKED_BACK
        with_file = [row for row in rows if row.file_id is not None]
        for start in range(0, len(with_file), self.limits.files_held):
            some = with_file[start : start + self.limits.files_held]
            files = yield from stored_files(self.project, [row.file_id or 0 for row in some])
            for row, file in zip(some, files, strict=True):
                if file is None:
                    found[row.id] = Verdict.of("archived", row, f"file {row.file_id} is gone")
                    continue
                known.note(file)
                older_count = row.mode == "update_with_existing"
                compared = compare(row.instance_list, file.instance_list, older_count=older_count)
                if not compared.missing:
                    found[row.id] = Verdict.of("succeeded", row, kept=compared.kept)
                elif row.id not in late:
                    continue
                elif not (can_be_rewritten(file) and count_gone(file) and any(compared.references)):
                    found[row.id] = _lacking(row, compared.missing)
                elif left:
                    left -= 1
                    past = yield from looking_back(self.project, file, known)
                    missing = compared.without(past.fates())
                    found[row.id] = _lacking(row, missing) if missing else _changed_since(row, compared)
        return found


def stored_files(project: str, file_ids: Sequence[int]) -> Steps[list[File | None]]:
    """Return files with their instances, read at most 8 at a time; None for one that does not exist (E9)."""
    try:
        return list((yield from ask_together(routes.list_annotations(project, each) for each in file_ids)))
    except RefusedError as error:
        if error.status != 400:
            raise
    files: list[File | None] = []
    for each in file_ids:
        try:
            files.append((yield from ask(routes.list_annotations(project, each))))
        except RefusedError as error:
            if error.status != 400:
                raise
            files.append(None)
    return files


def _file_of(row: InputRow) -> int:
    return row.existing_file_id or row.file_id or 0


def _is_all(stored: int | None, instances: list[Any]) -> bool:
    return stored is not None and (stored >= len(instances) or stored >= distinct(instances))


def _lacking(row: InputRow, missing: list[str]) -> Verdict:
    sent = len(row.instance_list)
    why = f"success, but file {row.file_id} holds {sent - len(missing):,} of {count_of(sent, 'instance')}"
    if not sent:
        why = f"success, but the frames of file {row.file_id} lack {count_of(len(missing), 'instance')}"
    shown = "; ".join(missing[:3]) + (f"; and {len(missing) - 3:,} more" if len(missing) > 3 else "")
    return Verdict.of("failed", row, f"{why}; missing: {shown}" if missing else why, missing=missing)


def _changed_since(row: InputRow, compared: Compared) -> Verdict:
    """Return the verdict on an input whose missing instances were stored and have been removed since."""
    why = f"success; {count_of(len(compared.missing), 'instance')} removed since"
    return Verdict.of("succeeded", row, why, kept=compared.kept)


def _lacking_some(row: InputRow, file: File) -> Verdict:
    """Return the verdict on a file of which only the number of instances is known."""
    stored, sent = file.count_instances_changed or 0, len(row.instance_list)
    return Verdict.of(
        "failed", row, f"success, but file {file.id} holds {stored:,} of {count_of(sent, 'instance')}"
    )
