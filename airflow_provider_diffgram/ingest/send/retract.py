"""Deletes the predictions of a model run that nobody touched, each by its id (server.md 10.8).

Each file is read, and written if it holds any. What somebody saves between the two is restored, as after
every write of annotations.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ...client import (
    CredentialError,
    DiffgramClient,
    DiffgramError,
    RefusedError,
    WrongAddressError,
    routes,
)
from ...models import File, InvalidValueError, ModelRun
from ...models.problems import count_of, first_of, not_one_of
from ..check.lookup import find_dataset
from ..defaults import CONCURRENCY
from ..read.paths import PathOpener, universal_path
from ..server.files import root_files
from ..server.rewrite import Row, can_be_rewritten, rewritten
from .existing.at_work import AtWork
from .existing.model_ids import ModelIds
from .existing.writing import FileWriter
from .outcomes.errors import PushError
from .outcomes.lines import Lines
from .pace.threads import Senders
from .queue.batches import Memory

Reviewed = Literal["leave", "retract"]
"""What to do with files that people have completed."""

Outcome = Literal["retracted", "would_be_retracted", "reviewed", "at_work", "not_possible", "gone", "refused"]
"""What became of a file that holds predictions of the run."""

_SHOWN = 5


@dataclass
class Retraction:
    """What became of a run's predictions.

    :param files: number of files that were read.
    :param predictions: number of predictions of the run in them.
    :param retracted: how many of these were deleted, or would be in a dry run.
    :param touched: how many stay because people changed them.
    :param left: outcome -> how many untouched ones stay for that reason: ``reviewed``, ``at_work``,
        ``not_possible``, ``gone``, ``refused``.
    :param restored: number of people's rows that were restored after a write had undone them.
    :param refusals: the first reasons why files were refused.
    :param unshown: how many more files were refused.
    :param directory_id: id of the dataset that was searched; None for single files.
    """

    files: int = 0
    predictions: int = 0
    retracted: int = 0
    touched: int = 0
    left: Counter[str] = field(default_factory=Counter)
    restored: int = 0
    refusals: list[str] = field(default_factory=list)
    unshown: int = 0
    directory_id: int | None = None

    def summary(self, dry_run: bool) -> str:
        """Return one line for a log."""
        did = "would be taken back" if dry_run else "were taken back"
        reasons = "".join(f", {n:,} {reason}" for reason, n in sorted(self.left.items()))
        return (
            f"{self.retracted:,} of {self.predictions:,} predictions in {count_of(self.files, 'file')} "
            f"{did}; of the others {self.touched:,} were touched by people{reasons}"
        )

    def to_xcom(self) -> dict[str, Any]:
        """Return the counts as small JSON."""
        names = ("files", "predictions", "retracted", "touched", "restored")
        reasons = ("reviewed", "at_work", "not_possible", "gone", "refused")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: self.left[name] for name in reasons},
        }


def retract_predictions(
    client: DiffgramClient,
    model_ref: str,
    model_run_ref: str,
    *,
    dataset: str | int | None = None,
    file_ids: Iterable[int] | None = None,
    reviewed: Reviewed = "leave",
    dry_run: bool = True,
    report: str | None = None,
    concurrency: int = CONCURRENCY,
    memory: Memory | None = None,
    path_of: PathOpener = universal_path,
) -> Retraction:
    """Delete what a model run predicted and nobody touched.

    A row is untouched if it is as a program made it: its first version, made by a machine. Everything else
    stays. So does a file whose task somebody has begun, because an open page would bring the rows back. A
    second call continues where the first one ended.

    :param client: connected to the project.
    :param concurrency: how many files are changed at once.
    :param model_ref: the model, as in the predictions.
    :param model_run_ref: the run, as in the predictions.
    :param dataset: name or id of the dataset to search, including children of its compound files.
    :param file_ids: the files to search, instead of a dataset.
    :param reviewed: what to do with files that people have completed: ``leave`` them, or ``retract`` from
        them, too.
    :param dry_run: whether to count only.
    :param report: path of a JSON Lines file to write with the outcome of each file that holds predictions.
    :param memory: remembers files while they are being written.
    :param path_of: opens the path of the report.
    :raises InvalidValueError: if an argument is wrong, or the run does not exist.
    :raises PushError: if the server refused some files (the others are done), if it failed midway, or if the
        report could not be written. The message says what was done.
    """
    problems = not_one_of("reviewed", reviewed, get_args(Reviewed))
    if problems:
        raise InvalidValueError("retraction", problems)
    directory_id = find_dataset(client, dataset).id if file_ids is None else None
    named = dict.fromkeys(file_ids or ())
    run_id = find_run(client, model_ref, model_run_ref, next(iter(named), None))
    wanted = _Wanted(run_id, reviewed, dry_run)
    lines, done = Lines("report", report, path_of), Retraction(directory_id=directory_id)
    fault: DiffgramError | None = None
    try:
        with Senders(concurrency) as senders:
            retracting = _Retracting(client, wanted, senders, lines, None if dry_run else memory, done)
            for file_id in named if directory_id is None else _files_of(client, directory_id):
                senders.submit(lambda file_id=file_id: retracting.look_at(file_id))  # type: ignore[misc]
            senders.drain()
    except DiffgramError as error:
        fault = error
    finally:
        unwritten = lines.close()
    problem = _problem(done, fault, unwritten, dry_run=dry_run)
    if problem is not None:
        raise problem from fault
    return done


def _problem(
    done: Retraction, fault: DiffgramError | None, unwritten: DiffgramError | None, *, dry_run: bool
) -> PushError | None:
    """Return the error of a retraction, which says what was done; None if all went well.

    :param fault: the error that ended it early.
    :param unwritten: why the report is incomplete.
    """
    told = [] if fault is None else [f"stopped: {fault}"]
    if done.refusals and fault is None:
        refused = count_of(done.left["refused"], "prediction")
        more = f"; and {count_of(done.unshown, 'more file')}" if done.unshown else ""
        told = [f"Diffgram refused to take back {refused}: {'; '.join(done.refusals)}{more}"]
    cause = (fault or unwritten) if fault or not told else None
    if unwritten is not None:
        told.append(str(unwritten))
    if not told:
        return None
    words = "\n".join([*told, f"{done.summary(dry_run)}. A retry goes on from there"])
    return PushError(words, permanent=cause is not None and cause.permanent)


def find_run(client: DiffgramClient, model_ref: str, model_run_ref: str, file_id: int | None = None) -> int:
    """Return the id of a run by its references in predictions.

    Runs of two models may have the same name, and the server names a model only in an input.

    :param file_id: a file whose inputs may name the run.
    :raises InvalidValueError: if there is no such run, or another model may have a run with that name.
    """
    runs = client.send(routes.list_model_runs(client.project))
    named = [run for run in runs if run.reference_id == model_run_ref]
    if not named:
        raise InvalidValueError(
            "model run", [f"no run is called {model_run_ref!r}; the newest are called {_newest(runs)}"]
        )
    ref = (model_ref, model_run_ref)
    ids = ModelIds(client).of([ref], file_id or 0, None)
    if ids is not None and ids[ref][1] is not None:
        return int(ids[ref][1] or 0)
    if len(named) > 1:
        raise InvalidValueError(
            "model run",
            [
                f"{len(named)} models have a run called {model_run_ref!r}, and the newest inputs do not tell "
                f"which one is {model_ref!r}'s: give file_ids of files that it predicted on"
            ],
        )
    return named[0].id


def _newest(runs: Iterable[ModelRun]) -> str:
    named = sorted((run.id, run.reference_id) for run in runs if run.reference_id)
    return first_of([repr(name) for _, name in reversed(named)], _SHOWN) or "nothing: there is none"


def is_untouched(row: Mapping[str, Any]) -> bool:
    """Whether a living row is as a program made it.

    A person's save makes another version of the row, or in a text at least changes its action. A row that
    they drew is not made by a machine (server.md 10.3.1, 10.3.2).
    """
    first = (row.get("version") or 1) == 1 and row.get("previous_id") is None
    return first and row.get("action_type") in (None, "created") and bool(row.get("machine_made"))


def _files_of(client: DiffgramClient, directory_id: int) -> Iterator[int]:
    """Yield the ids of a dataset's files that may hold instances, including children of compound files."""
    for file in root_files(client, directory_id, None):
        if (file.type or "").startswith("compound"):
            yield from (child.id for child in client.send(routes.list_children(client.project, file.id)))
        if file.count_instances_changed:
            yield file.id


@dataclass(frozen=True)
class _Wanted:
    """What to delete.

    :param run_id: id of the run, as in the rows.
    :param reviewed: what to do with files that people have completed.
    :param dry_run: whether to count only.
    """

    run_id: int
    reviewed: Reviewed
    dry_run: bool


class _Retracting:
    """Retracts from files, several at once, after restoring what an earlier attempt left undone.

    :param done: collects what becomes of them.
    """

    def __init__(
        self,
        client: DiffgramClient,
        wanted: _Wanted,
        senders: Senders,
        lines: Lines,
        memory: Memory | None,
        done: Retraction,
    ) -> None:
        self.done = done
        self._client = client
        self._wanted = wanted
        self._gate = senders.updates
        self._lines = lines
        self._at_work = AtWork(client)
        self._writer = FileWriter(client, self._at_work, memory)
        self._writer.recover()
        self._lock = threading.Lock()

    def _rows_of_run(self, file: File) -> list[Row]:
        return [row for row in file.instance_list if row.get("model_run_id") == self._wanted.run_id]

    def look_at(self, file_id: int) -> None:
        """Read a file, and delete the untouched predictions of the run."""
        try:
            with self._gate.turn():
                file = self._client.send(routes.list_annotations(self._client.project, file_id))
        except (CredentialError, WrongAddressError):
            raise
        except RefusedError as error:
            self._tell(file_id, "", [], [], "gone", str(error))
            return
        ours = self._rows_of_run(file)
        going = [row for row in ours if is_untouched(row)]
        if not ours:
            with self._lock:
                self.done.files += 1
            return
        name = str(file.original_filename)
        if not going:
            self._tell(file_id, name, ours, going, "retracted")
            return
        why = self._why_left(file)
        if why is not None:
            self._tell(file_id, name, ours, going, why)
        elif self._wanted.dry_run:
            self._tell(file_id, name, ours, going, "would_be_retracted")
        else:
            self._take_back(file, name, ours, going)

    def _why_left(self, file: File) -> Outcome | None:
        if file.removed:
            return "gone"
        if not can_be_rewritten(file):
            return "not_possible"
        if self._at_work.state(file.id) is not None or self._at_work.has_just_saved(file):
            return "at_work"
        if self._wanted.reviewed == "leave" and self._at_work.has_jobs:
            tasks = self._client.send(routes.list_tasks(self._client.project, file_id=file.id)).task_list
            if any(task.done for task in tasks):
                return "reviewed"
        return None

    def _take_back(self, file: File, name: str, ours: list[Row], going: list[Row]) -> None:
        def planned(there: File) -> Any:
            return rewritten(there.instance_list, [], filter(is_untouched, self._rows_of_run(there)))

        try:
            with self._gate.turn():
                amended = self._writer.write(name, file, planned)
        except (CredentialError, WrongAddressError):
            raise
        except RefusedError as error:
            self._tell(file.id, name, ours, going, "refused", str(error))
            return
        with self._lock:
            self.done.restored += amended.restored
        self._tell(file.id, name, ours, going[: amended.removed], "retracted")

    def _tell(
        self, file_id: int, name: str, ours: list[Row], going: list[Row], outcome: Outcome, why: str = ""
    ) -> None:
        """Count a file, and write its line in the report."""
        with self._lock:
            done = self.done
            done.files += 1
            done.predictions += len(ours)
            done.touched += len(ours) - len(going)
            if outcome in ("retracted", "would_be_retracted"):
                done.retracted += len(going)
            else:
                done.left[outcome] += len(going)
            if outcome == "refused" and len(done.refusals) < _SHOWN:
                done.refusals.append(why)
            elif outcome == "refused":
                done.unshown += 1
        told = {
            "file_id": file_id,
            "name": name,
            "outcome": outcome,
            "predictions": len(ours),
            "untouched": len(going),
            "reason": why or None,
        }
        self._lines.write(json.dumps(told))
