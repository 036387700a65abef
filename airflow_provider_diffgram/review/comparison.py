"""Compares a record with what people left, from the first file to the figures, the report and the page."""

from __future__ import annotations

import heapq
import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from ..client import DiffgramClient, routes
from ..ingest.read.paths import PathOpener, universal_path
from ..ingest.read.storage import hiding_no, lines_to_write, patient
from ..models import InvalidValueError
from .quality.attribute_values import AttributeReader
from .quality.compare import (
    ADDED,
    DELETED,
    KEPT,
    REDRAWN_IOU,
    RELABELLED,
    UNJUDGED,
    Canonical,
    Outcome,
    SentFile,
    compare_file,
    named_as_sent,
    predictions_of,
)
from .quality.finals import PROOFS, Finals, LiveFiles, PulledFiles
from .quality.limits import QualityLimits
from .quality.lines import RecordLines
from .quality.metrics import Tally
from .quality.precision import AveragePrecision
from .quality.trend import against_last, entry, read_history, with_entry, written
from .quality.verdict import Comparison
from .report.page import Pictures, WorstFile, write_page
from .report.pictures import PictureFinder
from .report.table import ReportTable
from .sets.folder import output

_log = logging.getLogger(__name__)

SAMPLES = 24
"""Pictures on a page."""

_MOST_SAMPLES = 100


@dataclass(frozen=True)
class Outputs:
    """Where a comparison is written. None means that a file is not written.

    :param metrics: path of a JSON file with all figures.
    :param report: path of a JSON Lines file with one line for each prediction, and each added instance.
    :param table: path of a Parquet file with the same content.
    :param page: path of an HTML page.
    :param history: path of a JSON Lines file with one line for each comparison so far; this one is added.
    :param samples: how many pictures the page shows: those that people corrected most.
    """

    metrics: str | None = None
    report: str | None = None
    table: str | None = None
    page: str | None = None
    history: str | None = None
    samples: int = SAMPLES

    def check(self) -> list[str]:
        """Return what is wrong with them."""
        problems = []
        paths = [each for each in (self.metrics, self.report, self.table, self.page, self.history) if each]
        for path in sorted({each for each in paths if paths.count(each) > 1}):
            problems.append(f"{path!r} is given for several outputs: give each a path of its own")
        if not 0 <= self.samples <= _MOST_SAMPLES:
            problems.append(f"samples must be 0 to {_MOST_SAMPLES}, not {self.samples}")
        return problems


def compare_in(
    client: DiffgramClient,
    record: Sequence[str],
    *,
    run: str,
    job_id: int | None = None,
    review: str | None = None,
    proofs: int = PROOFS,
    limits: QualityLimits | None = None,
    outputs: Outputs | None = None,
    redrawn_iou: float = REDRAWN_IOU,
    path_of: PathOpener = universal_path,
) -> Comparison:
    """Compare the predictions of a record with what people left in a project, or in a version pulled from it.

    :param client: connected to the project, from which attributes and pictures are read as well.
    :param record: paths of records, as a push writes them, oldest first.
    :param run: name of the comparison in the history.
    :param job_id: the job whose tasks count. None means all tasks of a file.
    :param review: path of a pulled version. None reads from the project.
    :param proofs: for how many files to read histories.
    :param limits: what predictions must reach; nothing by default.
    :param outputs: files to write. None writes none.
    :param redrawn_iou: how much a drawn instance must overlap a deleted one to count as the same object.
    :param path_of: opens paths.
    :return: the comparison, whether limits are missed or not.
    :raises InvalidValueError: if an argument is wrong, or a file cannot be read or written.
    """
    attributes = client.send(routes.list_attributes(client.project))
    live = LiveFiles(client, job_id, proofs=proofs)
    finals = PulledFiles(review, path_of, live.explained) if review else live
    with closing(finals):
        return compare(
            record,
            finals,
            run=run,
            project=client.project,
            limits=limits,
            outputs=outputs,
            redrawn_iou=redrawn_iou,
            canonical=AttributeReader(attributes),
            pictures=PictureFinder(client, path_of),
            path_of=path_of,
        )


def compare(
    record: Sequence[str],
    finals: Finals,
    *,
    run: str,
    project: str,
    limits: QualityLimits | None = None,
    outputs: Outputs | None = None,
    redrawn_iou: float = REDRAWN_IOU,
    canonical: Canonical | None = None,
    pictures: Pictures | None = None,
    path_of: PathOpener = universal_path,
) -> Comparison:
    """Do what :func:`compare_in` does, with what people left wherever that is found.

    Files are compared one after the other; what is in memory does not grow with them but for an index.

    :param finals: where what people left is found.
    :param project: shown on the page.
    :param canonical: reads attributes of both sides into one form.
    :param pictures: finds the pictures of the page; None: the page has drawings alone.
    """
    limits, outputs = limits or QualityLimits(), outputs or Outputs()
    problems = [*limits.check(), *outputs.check()]
    if not 0 < redrawn_iou <= 1:
        problems.append(f"redrawn_iou must be above 0 and at most 1, not {redrawn_iou}")
    if problems:
        raise InvalidValueError("comparison", problems)
    history = _history(outputs.history, path_of)
    worst = _Worst(outputs.samples if outputs.page else 0)
    tally = Tally(_precision())
    with ExitStack() as stack:
        lines = stack.enter_context(RecordLines(record, path_of))
        report = stack.enter_context(output("comparison", outputs.report, path_of, lines_to_write))
        table_file = stack.enter_context(output("comparison", outputs.table, path_of))
        table = stack.enter_context(ReportTable(table_file)) if table_file else None
        sent_files = (predictions_of(lines.of(key)) for key in lines.keys())  # noqa: SIM118  (no dictionary)
        for sent, found_now in finals.of(sent_files):
            now = named_as_sent(sent, found_now)
            outcomes = compare_file(sent, now, redrawn_iou=redrawn_iou, canonical=canonical)
            tally.add(sent, now, outcomes)
            worst.add(sent, outcomes)
            if report is not None:
                report.write(b"".join(to_json(line) + b"\n" for line in report_lines(sent, outcomes)))
            if table is not None:
                table.add(report_lines(sent, outcomes))
        at = datetime.now(UTC).isoformat(timespec="seconds")
        figures: dict[str, Any] = {"run": run, "at": at, **tally.figures()}
        figures["against_last"] = _against_last(history, run, tally)
        too_few = limits.too_few(figures)
        found = Comparison(figures, too_few, () if too_few else tuple(limits.missed(figures)))
        figures["limits"] = {"too_few": too_few, "missed": list(found.missed)}
        history = with_entry(history, entry(run, at, found.headline, tally.files))
        with hiding_no(found.verdict()):
            stack.close()
            if outputs.metrics:
                _write(outputs.metrics, json.dumps(figures, indent=1).encode() + b"\n", path_of)
            with output("comparison", outputs.page, path_of) as page:
                if page is not None:
                    write_page(
                        page,
                        project=project,
                        comparison=found,
                        worst=worst.files,
                        history=history,
                        pictures=pictures,
                    )
            if outputs.history:
                _write(outputs.history, written(history).encode(), path_of)
    return found


def _precision() -> AveragePrecision | None:
    try:
        return AveragePrecision()
    except ImportError:
        return None


def _against_last(history: Iterable[Mapping[str, Any]], run: str, tally: Tally) -> dict[str, Any] | None:
    try:
        return against_last(history, run, tally.files)
    except ImportError:
        return None  # metrics.json says what is missing


def report_lines(sent: SentFile, outcomes: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    """Yield what the report says of a file, a line for each prediction and each added instance."""
    for each in outcomes:
        yield {
            "file_id": sent.file_id,
            "name": sent.name,
            "dataset": sent.dataset,
            "frame": each.frame,
            "reference": each.reference,
            "type": each.type,
            "run": each.run,
            "score": each.score,
            "label": each.label,
            "final_label": each.final_label,
            "outcome": each.outcome,
            "iou": each.iou,
            "shift": each.shift,
            "proof": each.proof,
        }


class _Worst:
    """The files whose predictions people corrected most, in memory for those alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, WorstFile]] = []
        self._count = itertools.count()

    def add(self, sent: SentFile, outcomes: Sequence[Outcome]) -> None:
        """Keep a file if it is among the worst so far."""
        if not self._most:
            return
        badness = sum(map(_badness, outcomes))
        if not badness or (len(self._heap) >= self._most and badness <= self._heap[0][0]):
            return
        item = (badness, -next(self._count), WorstFile(replace(sent, predictions=()), list(outcomes)))
        (heapq.heappush if len(self._heap) < self._most else heapq.heapreplace)(self._heap, item)

    @property
    def files(self) -> list[WorstFile]:
        """The worst first."""
        return [file for _, _, file in sorted(self._heap, key=lambda item: item[:2], reverse=True)]


def _badness(each: Outcome) -> float:
    if each.outcome == KEPT or (each.outcome in UNJUDGED and each.outcome != ADDED):
        return 0.0
    if each.outcome in (ADDED, DELETED) or RELABELLED in each.outcome:
        return 1.0
    return 0.1 + (1.0 - (each.iou or 0.0))


def _history(path: str | None, path_of: PathOpener) -> list[Any]:
    if not path:
        return []
    try:
        with patient(path_of)(path).open("rb") as file:
            return read_history(bytes(file.read()).decode())
    except FileNotFoundError:
        return []
    except (OSError, ImportError, ValueError) as error:
        raise InvalidValueError("history", [f"cannot read the history {path}: {error}"]) from error


def _write(path: str, content: bytes, path_of: PathOpener) -> None:
    with output("comparison", path, path_of) as file:
        file.write(content)
