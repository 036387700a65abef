"""How good predictions were, judged by what people did with them. No I/O.

:class:`Tally` takes file after file and keeps counts, no predictions; :meth:`Tally.figures` returns what
``metrics.json`` holds.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...drawing.likeness import is_measured
from .compare import (
    ADDED,
    ADDED_BY_PUSH,
    CHANGES,
    DELETED,
    KEPT,
    LOST,
    MOVED,
    NOT_REVIEWED,
    REDRAWN,
    RELABELLED,
    UNJUDGED,
    UNKNOWN,
    FileNow,
    Outcome,
    SentFile,
    label_of,
)
from .precision import KINDS, AveragePrecision, Precisions, mean_precision
from .shares import Share, bootstrap_acceptance, share_of

SCHEMA = 2
"""Version of ``metrics.json``. It increases when a key goes or changes its meaning, not when one comes."""

IOUS = (0.5, 0.75, 0.9)
"""The IoUs at which precision and recall are reported."""

TARGETS = (0.9, 0.95, 0.99)
"""What the lower bound of acceptance is to be, for advice on a threshold."""

_STEPS = 100
"""Scores are counted by hundredths; calibration is told by twentieths."""

_BARS = 20
_MOST_GROUPS = 500
_MOST_PAIRS = 200
_NO_RUN = "(none named)"


@dataclass(slots=True)
class Cell:
    """Counts of predictions of one label, run and dataset.

    :param hits: judged ones that are still there under their label, by the IoUs of :data:`IOUS`.
    :param measured: judged ones of types that are measured.
    :param unknown_measured: those of such types that are gone, and nothing tells why.
    :param left: instances of those types that people left, under the label that they have now.
    :param judged_by_score: of each hundredth of the score.
    :param kept_by_score: of them, those that were kept.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    moved_iou: float = 0.0
    shifted: int = 0
    shift: float = 0.0
    hits: list[int] = field(default_factory=lambda: [0] * len(IOUS))
    measured: int = 0
    unknown_measured: int = 0
    left: int = 0
    judged_by_score: list[int] = field(default_factory=lambda: [0] * (_STEPS + 1))
    kept_by_score: list[int] = field(default_factory=lambda: [0] * (_STEPS + 1))
    unknown_by_score: list[int] = field(default_factory=lambda: [0] * (_STEPS + 1))

    def note(self, each: Outcome) -> None:
        """Count what became of a prediction."""
        outcome = each.outcome
        self.outcomes[outcome] += 1
        if outcome == UNKNOWN:
            self.unknown_measured += is_measured(each.type)
            if each.score is not None:
                self.unknown_by_score[_step(each.score)] += 1
        if outcome in UNJUDGED:
            return
        kept = outcome == KEPT
        if each.score is not None:
            step = _step(each.score)
            self.judged_by_score[step] += 1
            self.kept_by_score[step] += kept
        if kept:
            if is_measured(each.type):
                self.measured += 1
                for place in range(len(IOUS)):
                    self.hits[place] += 1
            return
        if MOVED in outcome:
            if each.iou is not None:
                self.moved += 1
                self.moved_iou += each.iou
            if each.shift is not None:
                self.shifted += 1
                self.shift += each.shift
        if not counts_by_iou(each):
            return
        self.measured += 1
        if each.iou is not None and each.label == each.final_label:
            for place, least in enumerate(IOUS):
                self.hits[place] += each.iou >= least

    def add(self, other: Cell) -> None:
        """Add the counts of another cell."""
        self.outcomes.update(other.outcomes)
        self.moved += other.moved
        self.moved_iou += other.moved_iou
        self.shifted += other.shifted
        self.shift += other.shift
        self.measured += other.measured
        self.unknown_measured += other.unknown_measured
        self.left += other.left
        self.hits = [a + b for a, b in zip(self.hits, other.hits, strict=True)]
        for name in ("judged_by_score", "kept_by_score", "unknown_by_score"):
            pairs = zip(getattr(self, name), getattr(other, name), strict=True)
            setattr(self, name, [a + b for a, b in pairs])

    @property
    def judged(self) -> int:
        """Predictions that people judged."""
        return sum(count for outcome, count in self.outcomes.items() if outcome not in UNJUDGED)

    @property
    def predictions(self) -> int:
        """All predictions, judged or not."""
        return sum(n for outcome, n in self.outcomes.items() if outcome not in (ADDED, ADDED_BY_PUSH))

    def share(self, *names: str) -> Share:
        """Return the share of the judged that had one of these outcomes, combinations included."""
        told = set(names)
        count = sum(
            n
            for outcome, n in self.outcomes.items()
            if outcome not in UNJUDGED and not told.isdisjoint(outcome.split("+"))
        )
        return share_of(count, self.judged)

    def figures(self) -> dict[str, Any]:
        """Return what is told of a group of predictions."""
        return {
            "predictions": self.predictions,
            "judged": self.judged,
            "outcomes": dict(sorted(self.outcomes.items())),
            "acceptance": self.share(KEPT).to_json(),
            "changed": self.share(*CHANGES).to_json(),
            "deleted": self.share(DELETED).to_json(),
            "redrawn": self.share(REDRAWN).to_json(),
            "precision": self._of_hits(self.measured),
            "recall": self._of_hits(self.left),
            "at_worst": self._at_worst(),
            "moved": {
                "count": sum(n for outcome, n in self.outcomes.items() if MOVED in outcome.split("+")),
                "mean_iou": self.moved_iou / self.moved if self.moved else None,
                "mean_shift": self.shift / self.shifted if self.shifted else None,
            },
            "calibration": self._calibration(),
            "advice": self._advice(),
        }

    def _of_hits(self, of: int) -> dict[str, Any]:
        return {f"{iou:g}": share_of(hit, of).to_json() for iou, hit in zip(IOUS, self.hits, strict=True)}

    def _at_worst(self) -> dict[str, Any]:
        """Return what is told if people deleted all that are gone without a known reason."""
        unknown = self.outcomes[UNKNOWN]
        of = self.judged + unknown
        return {
            "acceptance": share_of(self.outcomes[KEPT], of).to_json(),
            "deleted": share_of(self.outcomes[DELETED] + unknown, of).to_json(),
            "precision": self._of_hits(self.measured + self.unknown_measured),
        }

    def _calibration(self) -> list[dict[str, Any]]:
        each = _STEPS // _BARS
        bars = []
        for bar in range(_BARS):
            end = (bar + 1) * each + (bar == _BARS - 1)  # a score of 1 is in the last bar
            judged = sum(self.judged_by_score[bar * each : end])
            kept = sum(self.kept_by_score[bar * each : end])
            if judged:
                ends = {"from": bar / _BARS, "to": (bar + 1) / _BARS}
                bars.append({**ends, "acceptance": share_of(kept, judged).to_json()})
        return bars

    def _advice(self) -> list[dict[str, Any]]:
        """Return for each target the lowest score from which on the lower bound of acceptance reaches it.

        What is gone without a known reason counts as deleted: advice is never better than what is known.
        """
        found: dict[float, dict[str, Any]] = {}
        judged = kept = 0
        for step in range(_STEPS, -1, -1):
            judged += self.judged_by_score[step] + self.unknown_by_score[step]
            kept += self.kept_by_score[step]
            if not judged:
                continue
            share = share_of(kept, judged)
            for target in TARGETS:
                if share.share is not None and share.low is not None and share.low >= target:
                    advice = {"target": target, "threshold": step / _STEPS}
                    found[target] = {**advice, "acceptance": share.to_json()}
        return [found[target] for target in TARGETS if target in found]


def _step(score: float) -> int:
    return int(score * _STEPS + 1e-9)


def counts_by_iou(each: Outcome) -> bool:
    """Whether one that was judged or added counts for precision and recall: its type is measured, and so is
    its change, if it has one."""
    has_no_change = each.outcome in (DELETED, ADDED, ADDED_BY_PUSH)
    return is_measured(each.type) and (has_no_change or each.iou is not None)


class Tally:
    """Counts of all files so far.

    :param precision: takes the predictions for their average precision; None: it is not told.
    :ivar files: (judged, kept) of a reviewed file -> how many files have so many.
    """

    def __init__(self, precision: AveragePrecision | None = None) -> None:
        self.files: Counter[tuple[int, int]] = Counter()
        self._precision = precision
        self._cells: dict[tuple[str, str, str], Cell] = {}
        self._confusion: Counter[tuple[str, str]] = Counter()
        self._unmeasured: Counter[str] = Counter()
        self._seconds = array("d")
        self._recorded = 0
        self._reviewed = 0
        self._corrections = 0
        self._corrected = 0
        self._doubled = 0
        self._labels: set[str] = set()

    def add(self, sent: SentFile, now: FileNow | None, outcomes: Sequence[Outcome]) -> None:
        """Note one file.

        :param outcomes: of :func:`~.compare.compare_file`.
        """
        self._recorded += 1
        self._doubled += sent.doubled
        dataset = "(unknown)" if sent.dataset is None else str(sent.dataset)
        runs = {each.run for each in sent.predictions}
        only_run = (next(iter(runs)) if len(runs) == 1 else None) or _NO_RUN
        judged = []
        kept = corrections = 0
        for each in outcomes:
            outcome = each.outcome
            is_added = outcome in (ADDED, ADDED_BY_PUSH)
            label = each.final_label if is_added else each.label
            run = only_run if is_added else each.run or _NO_RUN
            cell = self._cell(label or "", run, dataset)
            cell.note(each)
            if outcome == KEPT:
                kept += 1
                cell.left += is_measured(each.type)
                judged.append(each)
                if not is_measured(each.type):
                    self._unmeasured[each.type] += 1
                continue
            corrections += outcome == ADDED
            if outcome not in UNJUDGED:
                judged.append(each)
                corrections += 1
                if RELABELLED in outcome or outcome == REDRAWN:
                    self._confusion[str(each.label), str(each.final_label)] += 1
            if (is_added or outcome not in UNJUDGED) and not counts_by_iou(each):
                self._unmeasured[each.type] += 1
            elif each.final is not None and (is_added or outcome not in UNJUDGED):
                self._cell(each.final_label or "", run, dataset).left += 1
        if now is None or not now.reviewed:
            return
        self._reviewed += 1
        self._corrections += corrections
        self._corrected += corrections > 0
        self.files[len(judged), kept] += 1
        if now.seconds is not None:
            self._seconds.append(now.seconds)
        if self._precision is not None:
            self._precision.add(judged, _left(now))

    def _cell(self, label: str, run: str, dataset: str) -> Cell:
        key = (label, run, dataset)
        cell = self._cells.get(key)
        if cell is None:
            if label not in self._labels:
                if len(self._labels) >= _MOST_GROUPS:
                    return self._cells.setdefault(("(others)", run, dataset), Cell())
                self._labels.add(label)
            cell = self._cells[key] = Cell()
        return cell

    def whole(self) -> Cell:
        """Return the counts of all predictions."""
        return _sum(self._cells.values())

    def figures(self) -> dict[str, Any]:
        """Return all figures, as ``metrics.json`` has them (docs/compare.md). To be called once, last."""
        precisions: dict[Any, dict[str, Precisions]] = {}
        if self._precision is not None:
            precisions = self._precision.end()
        whole = self.whole()
        every = whole.figures()
        every["ap"] = {
            kind: _precision_json(mean_precision(precisions[kind])) for kind in KINDS if kind in precisions
        }
        labels = self._by(0)
        for name, figures in labels.items():
            figures["ap"] = {
                kind: _precision_json(precisions[kind][name])
                for kind in KINDS
                if name in precisions.get(kind, ())
            }
        return {
            "schema": SCHEMA,
            "files": {
                "recorded": self._recorded,
                "reviewed": self._reviewed,
                "corrected": self._corrected,
                "corrections": self._corrections,
                "corrections_per_file": self._corrections / self._reviewed if self._reviewed else None,
            },
            "task_seconds": _quartiles(self._seconds),
            "all": every,
            "acceptance_by_file": self._bounds(),
            "labels": labels,
            "runs": self._by(1),
            "datasets": self._by(2),
            "confusion": [
                {"from": one, "to": other, "count": count}
                for (one, other), count in self._confusion.most_common(_MOST_PAIRS)
                if one != other
            ],
            "not_measured": dict(self._unmeasured.most_common()),
            "without_score": 0 if self._precision is None else self._precision.without_score,
            "without_area": 0 if self._precision is None else self._precision.without_area,
            "references_given_twice": self._doubled,
            "missing": missing_of(self._precision),
        }

    def _by(self, which: int) -> dict[str, Any]:
        names = Counter[str]()
        for key, cell in self._cells.items():
            names[key[which]] += cell.predictions
        found = {}
        for name, _ in names.most_common(_MOST_GROUPS):
            found[name] = _sum(cell for key, cell in self._cells.items() if key[which] == name).figures()
        return found

    def _bounds(self) -> dict[str, Any] | None:
        try:
            bounds = bootstrap_acceptance(self.files)
        except ImportError:
            return None
        return None if bounds is None else bounds.to_json()


def missing_of(precision: AveragePrecision | None) -> list[str]:
    """Return what is not told since a library is not installed."""
    if precision is not None:
        return []
    return ["average precision and bounds by file: install airflow-provider-diffgram[metrics]"]


def _left(now: FileNow) -> Iterable[tuple[int | None, Any, str]]:
    for frame, rows in now.rows.items():
        for row in rows:
            yield frame, row, label_of(row)


def _sum(cells: Iterable[Cell]) -> Cell:
    whole = Cell()
    for each in cells:
        whole.add(each)
    return whole


def _precision_json(each: Precisions) -> dict[str, Any]:
    return {"ap": each.ap, "ap50": each.ap50}


def _quartiles(values: Iterable[float]) -> dict[str, Any]:
    told = sorted(values)
    if not told:
        return {"tasks": 0, "median": None, "lower_quartile": None, "upper_quartile": None}
    last = len(told) - 1
    names = ("lower_quartile", "median", "upper_quartile")
    return {"tasks": len(told), **{name: told[round(last * part / 4)] for part, name in enumerate(names, 1)}}


HEADLINE = (KEPT, DELETED, REDRAWN, LOST, UNKNOWN, NOT_REVIEWED, ADDED)


def headline(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the few figures that XCom and asset events carry."""
    every = figures["all"]
    outcomes = every["outcomes"]
    changed = sum(n for name, n in outcomes.items() if not set(name.split("+")).isdisjoint(CHANGES))
    return {
        "files": figures["files"]["recorded"],
        "reviewed": figures["files"]["reviewed"],
        "predictions": every["predictions"],
        "judged": every["judged"],
        "changed": changed,
        **{name: outcomes.get(name, 0) for name in HEADLINE},
        "acceptance": every["acceptance"]["share"],
        "acceptance_low": every["at_worst"]["acceptance"]["low"],
        "acceptance_high": every["acceptance"]["high"],
        "ap50": (every["ap"].get("box") or every["ap"].get("polygon") or {}).get("ap50"),
    }
